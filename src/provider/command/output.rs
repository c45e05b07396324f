//! Reads what a command has printed: the token, the user, and when the token ends. It is pure, and
//! no error repeats what was printed, because that may be a secret.

use serde_json::Value;

use super::definition::{CommandDefinition, ExpiryField, JsonPath};
use crate::authority::jwt::{self, JwtExpiry};
use crate::error::{Error, ErrorReason, Result};
use crate::time::Time;

/// The longest token, in bytes. PostgreSQL itself takes no longer message before the login.
const MAX_TOKEN_LENGTH: usize = 60_000;

/// What a command has answered. It has no `Debug`, because the token is a secret.
pub(super) struct CommandOutput {
    pub(super) token: String,
    /// The database user that the token is for, if the answer names one.
    pub(super) user: Option<String>,
    pub(super) expires_at: Time,
    /// What the claim `exp` of a JWT is, if it is not a time.
    pub(super) unusable_expiry: Option<&'static str>,
}

/// Takes an answer apart. `started_at` is when the command was started.
pub(super) fn parse_output(
    stdout: &[u8],
    definition: &CommandDefinition,
    started_at: Time,
) -> Result<CommandOutput> {
    let Ok(stdout) = std::str::from_utf8(stdout) else {
        return Err(answer_without_token("bytes that are not text"));
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
            Err(_) => return Err(answer_without_token("text that is not JSON")),
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
    let jwt_expiry = jwt::expiry_of(&token);
    let expires_at = earliest_expiry(&document, jwt_expiry, definition, started_at)?;
    let unusable_expiry = match jwt_expiry {
        JwtExpiry::Unusable(fault) => Some(fault),
        JwtExpiry::At(_) | JwtExpiry::Unsaid => None,
    };
    Ok(CommandOutput {
        token,
        user,
        expires_at,
        unusable_expiry,
    })
}

/// Returns the earliest end that anything names: the field of the answer, the token itself if it is
/// a JWT, and the longest lifetime.
fn earliest_expiry(
    document: &Value,
    jwt_expiry: JwtExpiry,
    definition: &CommandDefinition,
    started_at: Time,
) -> Result<Time> {
    let mut expiries = Vec::new();
    if let Some(field) = &definition.expires
        && let Some(expires_at) = expiry_of_field(document, field, started_at)?
    {
        expiries.push((expires_at, format!("the field {}", field.path.text())));
    }
    if let JwtExpiry::At(expires_at) = jwt_expiry {
        expiries.push((expires_at, "the `exp` of the JWT".to_owned()));
    }
    if let Some(lifetime_seconds) = definition.lifetime_seconds {
        expiries.push((started_at.plus(lifetime_seconds), "its life".to_owned()));
    }
    let Some((expires_at, source)) = expiries
        .into_iter()
        .min_by_key(|(expires_at, _)| *expires_at)
    else {
        return Err(no_expiry(jwt_expiry, &definition.name));
    };
    if expires_at <= started_at {
        let message = format!("it printed a token that expired already, according to {source}");
        return Err(Error::login(message)
            .hint("log in with the service's own program, or check the clock of this machine")
            .because(ErrorReason::Expired));
    }
    Ok(expires_at)
}

fn no_expiry(jwt_expiry: JwtExpiry, name: &str) -> Error {
    let mut message = "nothing says when the token ends".to_owned();
    if let JwtExpiry::Unusable(fault) = jwt_expiry {
        message = format!("{message}: the `exp` of the JWT is {fault}");
    }
    Error::usage(message).hint(format!(
        "name the field of the answer that has the time (expires = \"PATH\"), or the longest life \
         (life = \"1h\") in [command.{name}]; of a JWT pgcred reads it"
    ))
}

/// Returns the time in a field. A field that is missing says nothing: an older program may not
/// have it.
fn expiry_of_field(
    document: &Value,
    field: &ExpiryField,
    started_at: Time,
) -> Result<Option<Time>> {
    let value = match find_field(document, &field.path) {
        None | Some(Value::Null) => return Ok(None),
        Some(value) => value,
    };
    let time = if field.is_lifetime {
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
    if field.is_lifetime {
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
    if token.len() > MAX_TOKEN_LENGTH {
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
mod tests;
