//! Says of which cause a message of a client or a server speaks, for `pgcred doctor --explain`.
//! With `--provider` only causes of its servers and of all come out.
//!
//! It needs no configuration, no file and no network. The message is never repeated, because it may
//! hold a token; the answer consists of the table and of what the caller knows.

use std::process::ExitCode;

use serde_json::{Value, json};

use super::DoctorFormat;
use super::wrap::wrap_text;
use crate::causes::{self, CauseDetection, CausePlaceholders};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::provider;

const INDENT: &str = "  ";

/// Prints the causes of a message, for users of the named provider: for all, if none is named. A
/// message that is not known is an error.
pub(super) fn explain_message(
    text: &str,
    provider: Option<&str>,
    format: DoctorFormat,
) -> Result<ExitCode> {
    let mut values = CausePlaceholders::default();
    if let Some(name) = provider {
        values.authority = Some(provider::from_name(name)?.authority.name());
    }
    let Some(json) = explain_json(text, &values) else {
        return Err(Error::failure("the text matches no known cause")
            .hint("run `pgcred doctor TARGET` to look for the cause itself"));
    };
    match format {
        DoctorFormat::Text => Output::lines(lines_about_causes(text, &values))?,
        DoctorFormat::Json => Output::answer(&format!("{json}\n"))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the causes of a message as lines for the user, the best first; none if the message is
/// not known.
fn lines_about_causes(text: &str, values: &CausePlaceholders) -> Vec<String> {
    let mut lines = Vec::new();
    for cause in causes::causes_of_message_for(text, values.authority) {
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("{} ({})", cause.title, cause.id));
        lines.extend(wrap_text(&cause.meaning(values.authority), INDENT));
        lines.extend(wrap_text(&cause.advice(values), INDENT));
        for command in cause.commands(values) {
            lines.push(format!("{INDENT}type: {command}"));
        }
    }
    lines
}

/// Returns the same for programs; nothing if the message is not known.
fn explain_json(text: &str, values: &CausePlaceholders) -> Option<Value> {
    let mut rows = Vec::new();
    for cause in causes::causes_of_message_for(text, values.authority) {
        let (checks, no_check) = match cause.detection {
            CauseDetection::Checks(checks) => (checks, None),
            CauseDetection::None(reason) => (&[][..], Some(reason)),
        };
        rows.push(json!({
            "id": cause.id,
            "title": cause.title,
            "meaning": cause.meaning(values.authority),
            "fix": { "text": cause.advice(values), "commands": cause.commands(values) },
            "checks": checks,
            "no_check_because": no_check,
        }));
    }
    if rows.is_empty() {
        return None;
    }
    Some(json!({
        "version": 1,
        "pgcred": env!("CARGO_PKG_VERSION"),
        "causes": rows,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ESCAPE: char = '\u{1b}';

    #[test]
    fn the_answer_says_what_is_wrong_and_what_to_type() {
        let known = CausePlaceholders {
            target: Some("prod".to_owned()),
            ..CausePlaceholders::default()
        };
        let text = "HINT:  Wrong user to action mapping. user: admin, action: DbConnect";
        let lines = lines_about_causes(text, &known);
        assert_eq!(
            lines[0],
            "the token is for the other kind of database user (dsql.action)"
        );
        assert_eq!(
            lines.last().map(String::as_str),
            Some("  type: pgcred refresh prod --user USER")
        );
        let json = explain_json(text, &known).expect("a known text");
        assert_eq!(json["causes"][0]["id"], "dsql.action");
        assert_eq!(
            json["causes"][0]["fix"]["commands"][0],
            "pgcred refresh prod --user USER"
        );
    }

    #[test]
    fn an_unknown_text_has_no_answer() {
        let known = CausePlaceholders::default();
        assert!(lines_about_causes("all is well", &known).is_empty());
        assert!(explain_json("all is well", &known).is_none());
    }

    proptest! {
        /// The message may hold a token, and bytes that a terminal obeys.
        #[test]
        fn nothing_of_the_message_is_repeated(secret in "[A-Za-z0-9]{12,40}", rest in ".{0,40}") {
            let text = format!("{rest}{secret}: PAM authentication failed for user \"{secret}\"");
            let known = CausePlaceholders::default();
            let lines = lines_about_causes(&text, &known).join("\n");
            prop_assert!(lines.contains("rds.pam"));
            prop_assert!(!lines.contains(&secret) && !lines.contains(ESCAPE));
            let json = explain_json(&text, &known).expect("a known text").to_string();
            prop_assert!(!json.contains(&secret));
        }
    }
}
