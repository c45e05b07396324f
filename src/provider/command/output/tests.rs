//! Tests of what is read from the output of a command.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

use super::*;

const START: i64 = 1_800_000_000;

fn definition(token: &str, expires: &str, lifetime_seconds: Option<u32>) -> CommandDefinition {
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
        lifetime_seconds,
        ..CommandDefinition::new("test")
    }
}

fn read(printed: &str, definition: &CommandDefinition) -> Result<CommandOutput> {
    parse_output(printed.as_bytes(), definition, Time::from_unix(START))
}

fn expires_at(printed: &str, definition: &CommandDefinition) -> i64 {
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
    assert!(read(&"a".repeat(MAX_TOKEN_LENGTH + 1), &alone).is_err());
    assert!(parse_output(&[0xff], &alone, Time::from_unix(START)).is_err());
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
    let printed = |expires_at: &str| format!(r#"{{"t": "x", "e": {expires_at}}}"#);
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
        assert_eq!(expires_at(&printed(text), &field), seconds, "{text}");
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
    let lifetime = definition("t", "+e", None);
    assert_eq!(expires_at(&printed("90"), &lifetime), 90);
    assert_eq!(expires_at(&printed("\"90\""), &lifetime), 90);
    assert!(read(&printed("\"2027-01-15T08:01:00Z\""), &lifetime).is_err());
    assert!(read(&printed("-5"), &lifetime).is_err());
}

#[test]
fn the_earliest_end_counts() {
    let token = jwt(&format!(r#"{{"exp": {}}}"#, START + 300));
    let printed = format!(r#"{{"t": "{token}", "e": {}}}"#, START + 600);
    assert_eq!(expires_at(&printed, &definition("t", "e", Some(900))), 300);
    assert_eq!(expires_at(&printed, &definition("t", "e", Some(60))), 60);
    assert_eq!(expires_at(&printed, &definition("t", "missing", None)), 300);
    let plain = format!(r#"{{"t": "x", "e": {}}}"#, START + 600);
    assert_eq!(expires_at(&plain, &definition("t", "e", Some(900))), 600);
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
    assert_eq!(answer.unusable_expiry, Some("a text"));
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
