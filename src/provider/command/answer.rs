//! Reads what a command has printed: the token, the user, and when the token ends. It is pure, and
//! no error repeats what was printed, because that may be a secret.

use serde_json::Value;

use super::definition::{CommandDefinition, ExpiryField, JsonPath};
use crate::authority::jwt::{self, OwnEnd};
use crate::error::{Error, ErrorReason, Result};
use crate::time::Time;

/// The longest token, in bytes. PostgreSQL itself takes no longer message before the login.
const LONGEST_TOKEN: usize = 60_000;

/// What a command has answered. It has no `Debug`, because the token is a secret.
pub(super) struct ProgramAnswer {
    pub(super) token: String,
    /// The database user that the token is for, if the answer names one.
    pub(super) user: Option<String>,
    pub(super) expires_at: Time,
    /// What stands in the place of the end in a token that is a JWT, if it is no time.
    pub(super) unusable_end: Option<&'static str>,
}

/// Takes an answer apart. `started_at` is when the command was started_at.
pub(super) fn read_answer(
    stdout: &[u8],
    definition: &CommandDefinition,
    started_at: Time,
) -> Result<ProgramAnswer> {
    let Ok(stdout) = std::str::from_utf8(stdout) else {
        return Err(answer_without_token("bytes that are no text"));
    };
    let stdout = stdout.trim_start_matches('\u{feff}');
    if stdout.trim().is_empty() {
        return Err(answer_without_token("nothing"));
    }
    let has_paths =
        definition.token.is_some() || definition.user.is_some() || definition.expires.is_some();
    let mut document = Value::Null;
    if has_paths {
        document = match serde_json::from_str(stdout) {
            Ok(document) => document,
            Err(_) => return Err(answer_without_token("no JSON")),
        };
    }
    let token = match &definition.token {
        Some(path) => text_at(&document, path)?,
        None if has_paths => return Err(no_token_path()),
        None => token_alone(stdout)?,
    };
    check_token(&token)?;
    let user = match &definition.user {
        Some(path) => Some(checked_user(text_at(&document, path)?)?),
        None => None,
    };
    let own_end = jwt::end_of(&token);
    let expires_at = earliest_end(&document, own_end, definition, started_at)?;
    let unusable_end = match own_end {
        OwnEnd::Unusable(fault) => Some(fault),
        OwnEnd::At(_) | OwnEnd::Unsaid => None,
    };
    Ok(ProgramAnswer {
        token,
        user,
        expires_at,
        unusable_end,
    })
}

/// Returns the earliest end that anything names: the field of the answer, the token itself if it is
/// a JWT, and the longest life.
fn earliest_end(
    document: &Value,
    own_end: OwnEnd,
    definition: &CommandDefinition,
    started_at: Time,
) -> Result<Time> {
    let mut ends = Vec::new();
    if let Some(field) = &definition.expires
        && let Some(end) = end_of_field(document, field, started_at)?
    {
        ends.push((end, format!("the field {}", field.path.text())));
    }
    if let OwnEnd::At(end) = own_end {
        ends.push((end, "the `exp` of the JWT".to_owned()));
    }
    if let Some(life_seconds) = definition.life_seconds {
        ends.push((started_at.plus(life_seconds), "its life".to_owned()));
    }
    let Some((end, source)) = ends.into_iter().min_by_key(|(end, _)| *end) else {
        return Err(no_end(own_end, &definition.name));
    };
    if end <= started_at {
        let message = format!("it printed a token that expired already, according to {source}");
        return Err(Error::login(message)
            .hint("log in with the service's own program, or check the clock of this machine")
            .because(ErrorReason::Expired));
    }
    Ok(end)
}

fn no_end(own_end: OwnEnd, name: &str) -> Error {
    let mut message = "nothing says when the token ends".to_owned();
    if let OwnEnd::Unusable(fault) = own_end {
        message = format!("{message}: the `exp` of the JWT is {fault}");
    }
    Error::usage(message).hint(format!(
        "name the field of the answer that has the time (expires = \"PATH\"), or the longest life \
         (life = \"1h\") in [command.{name}]; of a JWT pgcred reads it"
    ))
}

/// Returns the time in a field. A field that is missing says nothing: an older program may not
/// have it.
fn end_of_field(document: &Value, field: &ExpiryField, started_at: Time) -> Result<Option<Time>> {
    let value = match find_field(document, &field.path) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let time = if field.is_life {
        number_in(value).and_then(|seconds| time_after(started_at, seconds))
    } else {
        match number_in(value) {
            Some(number) => jwt::time_at(number),
            None => value.as_str().and_then(Time::from_aws),
        }
    };
    match time {
        Some(time) => Ok(Some(time)),
        None => Err(not_a_time(field)),
    }
}

fn not_a_time(field: &ExpiryField) -> Error {
    let path = field.path.text();
    if field.is_life {
        return Error::failure(format!("the field {path} has no number of seconds"))
            .hint(format!(
                "write expires = \"{path}\", without `+`, for a field that has a time"
            ))
            .because(ErrorReason::ProgramFailed);
    }
    Error::failure(format!("the field {path} has no time that says its zone"))
        .hint(
            "name a field with a time such as 2026-01-31T12:00:00Z, or with the seconds since \
             1970; a local time without a zone could be any",
        )
        .because(ErrorReason::ProgramFailed)
}

/// Returns a number, also one that is written as a text.
fn number_in(value: &Value) -> Option<f64> {
    let number = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    if number.is_finite() {
        Some(number)
    } else {
        None
    }
}

fn time_after(started_at: Time, seconds: f64) -> Option<Time> {
    if !(0.0..=f64::from(u32::MAX)).contains(&seconds) {
        return None;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the range was checked"
    )]
    let whole = seconds as u32;
    Some(started_at.plus(whole))
}

/// Refuses what no client could send as a password.
fn check_token(token: &str) -> Result<()> {
    if token.is_empty() {
        return Err(answer_without_token("an empty token"));
    }
    if token.len() > LONGEST_TOKEN {
        return Err(answer_without_token(
            "a token of more than 60,000 characters",
        ));
    }
    let is_printable = token.bytes().all(|b| (b' '..=b'~').contains(&b));
    if !is_printable || token.starts_with(' ') || token.ends_with(' ') {
        return Err(answer_without_token(
            "something else than a token: it has several lines, spaces or other \
                          characters that a token cannot have",
        ));
    }
    Ok(())
}

/// Returns the token of an answer that is nothing else.
fn token_alone(text: &str) -> Result<String> {
    if text.starts_with(['<', '{', '[']) {
        return Err(answer_without_token("a document in the place of a token"));
    }
    let token = text.trim_end_matches(['\r', '\n']);
    // What jq -r and Python print where there is nothing.
    if ["null", "None"].contains(&token) {
        return Err(answer_without_token(&format!(
            "`{token}` in the place of a token"
        )));
    }
    Ok(token.to_owned())
}

fn checked_user(user: String) -> Result<String> {
    if user.is_empty() || user.contains(char::is_control) {
        return Err(answer_without_token("a user that no database can have"));
    }
    Ok(user)
}

fn text_at(document: &Value, path: &JsonPath) -> Result<String> {
    match find_field(document, path) {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(answer_without_token(&format!(
            "no text in the field {}",
            path.text()
        ))),
        None => Err(answer_without_token(&format!(
            "an answer without the field {}",
            path.text()
        ))),
    }
}

fn find_field<'a>(document: &'a Value, path: &JsonPath) -> Option<&'a Value> {
    let mut value = document;
    for part in &path.0 {
        value = match value {
            Value::Array(_) => value.get(part.parse::<usize>().ok()?)?,
            _ => value.get(part.as_str())?,
        };
    }
    Some(value)
}

fn no_token_path() -> Error {
    Error::usage("nothing says where the answer has the token")
        .hint("add the path of the field to the definition: token = \"PATH\"")
}

fn answer_without_token(content: &str) -> Error {
    Error::failure(format!("it printed {content}"))
        .hint("run it by hand to see more")
        .because(ErrorReason::ProgramFailed)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;

    use super::*;

    const START: i64 = 1_800_000_000;

    fn definition(token: &str, expires: &str, life_seconds: Option<u32>) -> CommandDefinition {
        let path = |text: &str| match text {
            "" => None,
            text => Some(JsonPath::parse(text).unwrap()),
        };
        CommandDefinition {
            token: path(token),
            user: None,
            expires: match expires {
                "" => None,
                text => Some(ExpiryField::parse(text).unwrap()),
            },
            life_seconds,
            ..CommandDefinition::new("test")
        }
    }

    fn read(printed: &str, definition: &CommandDefinition) -> Result<ProgramAnswer> {
        read_answer(printed.as_bytes(), definition, Time::from_unix(START))
    }

    fn end(printed: &str, definition: &CommandDefinition) -> i64 {
        match read(printed, definition) {
            Ok(answer) => answer.expires_at.unix() - START,
            Err(error) => panic!("{printed}: {error}"),
        }
    }

    fn jwt(payload: &str) -> String {
        format!("e30.{}.c2ln", BASE64_URL_SAFE_NO_PAD.encode(payload))
    }

    #[test]
    fn a_token_alone_is_one_line() {
        let alone = definition("", "", Some(60));
        for printed in ["token", "token\n", "token\r\n", "\u{feff}token\n"] {
            assert_eq!(read(printed, &alone).unwrap().token, "token");
        }
        for wrong in [
            "",
            "\n",
            " token",
            "to\nken",
            "t\u{e9}",
            "a\tb",
            "<html>",
            "{\"token\": 1}",
            "[]",
            "a \n",
        ] {
            assert!(read(wrong, &alone).is_err(), "{wrong:?}");
        }
        assert!(read(&"a".repeat(LONGEST_TOKEN + 1), &alone).is_err());
        assert!(read_answer(&[0xff], &alone, Time::from_unix(START)).is_err());
    }

    #[test]
    fn a_path_leads_through_objects_and_arrays() {
        let found = read(r#"[{"T": "x"}]"#, &definition("0.T", "", Some(60))).unwrap();
        assert_eq!(found.token, "x");
        let data = definition("data.password", "", Some(60));
        assert_eq!(
            read(r#"{"data": {"password": "{x"}}"#, &data)
                .unwrap()
                .token,
            "{x"
        );
        for wrong in [
            "x",
            "{}",
            r#"{"data": 1}"#,
            r#"{"data": {"password": 1}}"#,
            "[]",
            "null",
        ] {
            assert!(read(wrong, &data).is_err(), "{wrong}");
        }
        assert!(read("{}", &definition("", "expires", None)).is_err());
    }

    #[test]
    fn the_answer_may_name_the_user() {
        let mut named = definition("password", "", Some(60));
        named.user = Some(JsonPath::parse("user").unwrap());
        let answer = read(r#"{"user":"IAM:ann","password":"p"}"#, &named).unwrap();
        assert_eq!(answer.user.as_deref(), Some("IAM:ann"));
        for wrong in ["\"\"", "\"a\\nb\"", "1", "null"] {
            let printed = format!(r#"{{"user":{wrong},"password":"p"}}"#);
            assert!(read(&printed, &named).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_field_of_the_end_has_many_forms() {
        let field = definition("t", "e", None);
        let printed = |end: &str| format!(r#"{{"t": "x", "e": {end}}}"#);
        for (text, seconds) in [
            ("1800000060", 60),
            ("1800000060.9", 60),
            ("\"1800000060\"", 60),
            ("1800000060000", 60),
            ("253402300799", 253_402_300_799 - START),
            ("\"2027-01-15T08:01:00Z\"", 60),
            ("\"2027-01-15T09:01:00.123456+01:00\"", 60),
            ("\"2027-01-15 08:01:00+0000\"", 60),
        ] {
            assert_eq!(end(&printed(text), &field), seconds, "{text}");
        }
        for wrong in [
            "\"2027-01-15T08:01:00\"",
            "\"2027-01-15 09:01:00.000000\"",
            "\"soon\"",
            "true",
            "[]",
            "-1",
            "1e300",
            "\"\"",
        ] {
            let Err(error) = read(&printed(wrong), &field) else {
                panic!("{wrong} was taken");
            };
            assert!(error.to_string().contains("field e"), "{wrong}: {error}");
            let value = wrong.trim_matches('"');
            let is_shown = value.len() >= 5 && error.to_string().contains(value);
            assert!(!is_shown, "{error}");
        }
        let life = definition("t", "+e", None);
        assert_eq!(end(&printed("90"), &life), 90);
        assert_eq!(end(&printed("\"90\""), &life), 90);
        assert!(read(&printed("\"2027-01-15T08:01:00Z\""), &life).is_err());
        assert!(read(&printed("-5"), &life).is_err());
    }

    #[test]
    fn the_earliest_end_counts() {
        let token = jwt(&format!(r#"{{"exp": {}}}"#, START + 300));
        let printed = format!(r#"{{"t": "{token}", "e": {}}}"#, START + 600);
        assert_eq!(end(&printed, &definition("t", "e", Some(900))), 300);
        assert_eq!(end(&printed, &definition("t", "e", Some(60))), 60);
        assert_eq!(end(&printed, &definition("t", "missing", None)), 300);
        let plain = format!(r#"{{"t": "x", "e": {}}}"#, START + 600);
        assert_eq!(end(&plain, &definition("t", "e", Some(900))), 600);
    }

    #[test]
    fn without_any_end_the_three_ways_are_named() {
        let error = read("token", &definition("", "", None)).err().unwrap();
        let hint = error.hint_text().unwrap();
        for way in ["expires = ", "life = ", "JWT", "[command.test]"] {
            assert!(hint.contains(way), "{hint}");
        }
    }

    #[test]
    fn an_end_of_a_jwt_that_is_no_time_counts_as_unknown() {
        let token = jwt(r#"{"exp": "soon"}"#);
        let answer = read(&token, &definition("", "", Some(60))).unwrap();
        assert_eq!(answer.expires_at.unix() - START, 60);
        assert_eq!(answer.unusable_end, Some("a text"));
        let error = read(&token, &definition("", "", None)).err().unwrap();
        let text = error.to_string();
        assert!(text.ends_with("the `exp` of the JWT is a text"), "{text}");
        assert!(error.hint_text().unwrap().contains("life = "), "{error}");
    }

    #[test]
    fn an_end_in_the_past_asks_for_a_login() {
        let printed = format!(r#"{{"t": "x", "e": {START}}}"#);
        let error = read(&printed, &definition("t", "e", None)).err().unwrap();
        assert_eq!(error.reason(), Some(ErrorReason::Expired));
        assert!(
            error
                .to_string()
                .ends_with("already, according to the field e"),
            "{error}"
        );
        let token = jwt(&format!(r#"{{"exp": {}}}"#, START - 1));
        let error = read(&token, &definition("", "", Some(60))).err().unwrap();
        assert!(
            error
                .to_string()
                .ends_with("according to the `exp` of the JWT"),
            "{error}"
        );
    }
}
