//! Percent-encoding as SigV4 wants it: everything but RFC 3986's unreserved characters, upper-case hex.

use std::fmt::Display;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

pub(crate) fn percent(text: &str) -> impl Display {
    utf8_percent_encode(text, RESERVED)
}
