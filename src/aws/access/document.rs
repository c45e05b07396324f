//! Writes the text of an IAM policy. It is pure.
//!
//! The text is put together by hand, so that the fields stand in the order in which AWS's own pages
//! have them. Everything is in ASCII: IAM takes no character above U+00FF, and the text is safe for
//! any terminal.

use std::fmt::Write;

use crate::text::quote;

/// What one statement allows.
pub(super) struct PolicyStatement {
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
}

impl PolicyStatement {
    pub(super) fn new(actions: &[&str], resources: Vec<String>) -> Self {
        Self {
            actions: actions.iter().map(|&action| action.to_owned()).collect(),
            resources,
        }
    }
}

/// Returns the policy that allows this, in lines, without a last newline.
pub(super) fn policy_text(statements: &[PolicyStatement]) -> String {
    let statements: Vec<String> = statements.iter().map(format_statement).collect();
    let statements = statements.join(",\n");
    format!("{{\n  \"Version\": \"2012-10-17\",\n  \"Statement\": [\n{statements}\n  ]\n}}")
}

fn format_statement(statement: &PolicyStatement) -> String {
    let (actions, resources) = (
        json_list(&statement.actions),
        json_list(&statement.resources),
    );
    format!(
        "    {{\n      \"Effect\": \"Allow\",\n      \"Action\": {actions},\n      \
         \"Resource\": {resources}\n    }}"
    )
}

/// Writes one word as a string, and several as a list.
fn json_list(values: &[String]) -> String {
    match values {
        [value] => json_string(value),
        values => {
            let lines: Vec<String> = values
                .iter()
                .map(|value| format!("        {}", json_string(value)))
                .collect();
            format!("[\n{}\n      ]", lines.join(",\n"))
        }
    }
}

/// Writes a string of JSON in ASCII.
fn json_string(text: &str) -> String {
    let mut written = String::from("\"");
    for unit in quote::json_inside(text).encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte @ 0x20..=0x7e) => written.push(char::from(byte)),
            _ => {
                let _ = write!(written, "\\u{unit:04x}");
            }
        }
    }
    written + "\""
}

/// Writes the name of a user for a resource of a policy, in which some characters would stand for
/// others.
pub(super) fn literal_user(user: &str) -> String {
    let mut escaped = String::new();
    for c in user.chars() {
        match c {
            '*' | '?' | '$' => {
                let _ = write!(escaped, "${{{c}}}");
            }
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn a_policy_is_json_in_ascii() {
        let user = "a\"\\ \u{e4}\u{1F600}\u{7f}";
        let text = policy_text(&[
            PolicyStatement::new(&["a:B"], vec![format!("arn:{user}")]),
            PolicyStatement::new(&["a:C", "a:D"], vec!["x".to_owned(), "y".to_owned()]),
        ]);
        assert!(text.is_ascii(), "{text}");
        assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{text}");
        let read: Value = serde_json::from_str(&text).unwrap();
        let wanted = json!({
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": "a:B", "Resource": format!("arn:{user}")},
                {"Effect": "Allow", "Action": ["a:C", "a:D"], "Resource": ["x", "y"]},
            ],
        });
        assert_eq!(read, wanted);
    }

    #[test]
    fn a_user_stands_for_no_other() {
        assert_eq!(literal_user("app"), "app");
        assert_eq!(literal_user("a*b?c$d"), "a${*}b${?}c${$}d");
    }
}
