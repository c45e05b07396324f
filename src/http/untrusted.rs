//! Finds which errors of the HTTP client come from a certificate that is not trusted.

use std::error::Error as StdError;
use std::io;

/// Tells a certificate that is not trusted from every other trouble on the way.
pub(crate) fn is_untrusted(error: &(dyn StdError + 'static)) -> bool {
    let mut next = Some(error);
    while let Some(cause) = next {
        // An error of a connection holds that of TLS, and does not name it as its source.
        let mut held = cause;
        while let Some(of_connection) = held.downcast_ref::<io::Error>()
            && let Some(inner) = of_connection.get_ref()
        {
            held = inner;
        }
        if let Some(rustls::Error::InvalidCertificate(_)) = held.downcast_ref() {
            return true;
        }
        next = cause.source();
    }
    false
}
