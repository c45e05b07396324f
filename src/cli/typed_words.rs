//! Changes the typed words before they are parsed: some stand for others, and some are answered at
//! once.

use std::ffi::OsString;

use crate::command::aws::{self, TypedWords};
use crate::sys::env;

/// Returns the words that are parsed, or the answer that needs no parser.
pub(super) fn words_to_parse() -> TypedWords {
    match aws::take_over(env::arguments()) {
        TypedWords::CommandLine(arguments) => TypedWords::CommandLine(with_help_option(arguments)),
        answer @ TypedWords::Answer(_) => answer,
    }
}

/// Turns `pgcred help COMMAND` into `pgcred COMMAND --help`.
fn with_help_option(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if matches!(arguments.get(1), Some(word) if word == "help") {
        arguments.remove(1);
        arguments.push("--help".into());
    }
    arguments
}
