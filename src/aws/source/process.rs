//! `credential_process`: a program that prints credentials as JSON.

use std::time::Instant;

use aws_credential_types::Credentials;
use serde_json::{Map, Value};

use crate::aws::profile::words;
use crate::aws::resolution::Resolution;
use crate::error::{Error, Result};
use crate::sys::child::{self, NoOutput};
use crate::sys::fs;
use crate::text::foreign;
use crate::time::Time;

/// Runs the command line without a shell, as the AWS CLI does.
pub(crate) fn credentials(resolution: &Resolution, command: &str) -> Result<Credentials> {
    let whose = resolution.of_profile();
    let of = |what: &str| format!("the credential_process{whose} {what}");
    let unclear = || {
        Error::usage(of("has a quote that is not closed"))
            .hint("correct credential_process in the profile")
    };
    let words = words::split(command).ok_or_else(unclear)?;
    let program = words.first().cloned().unwrap_or_default();
    let hint = format!("run the command of the profile by hand to see more: {program} ...");
    resolution.step(format!("running {program}"));
    // A helper that the program starts may keep its stdout open for good.
    let is_whole = |text: &[u8]| serde_json::from_slice::<Value>(text).is_ok();
    let too_late = || {
        resolution
            .too_late(&format!("the credential_process {program}"))
            .hint(hint.clone())
    };
    let stamp = || child::find(program.as_ref()).and_then(|path| fs::stamp(&path));
    let before = stamp();
    let ended = child::whole_output(
        &words,
        resolution.deadline(),
        resolution.ask.bond(),
        is_whole,
    );
    if stamp() == before {
        resolution.has_changed_files(); // it may have; but the answer of a program that was replaced is not the new one's
    }
    let ended = ended.map_err(|failure| match failure {
        NoOutput::Failed(error) => error.about(&format!("the credential_process{whose}")),
        NoOutput::TooLate => too_late(),
    })?;
    if !ended.status.success() {
        let said = last_line(&ended.stderr);
        let said = if said.is_empty() {
            ended.status.to_string()
        } else {
            said
        };
        return Err(Error::failure(of(&format!("failed: {said}"))).hint(hint));
    }
    if !ended.whole && Instant::now() >= resolution.deadline() {
        return Err(too_late());
    }
    let wrong = |what: &str| Error::failure(of(what)).hint(hint.clone());
    let answer: Value = serde_json::from_slice(&ended.stdout).map_err(|error| {
        let what = if ended.stdout.is_empty() {
            "printed nothing".to_owned()
        } else {
            format!("printed no JSON ({error})")
        };
        wrong(&what)
    })?;
    match answer.get("Version") {
        Some(version) if version.as_f64() == Some(1.0) => {}
        _ => return Err(wrong("printed no `\"Version\": 1`")),
    }
    let fields = answer.as_object().cloned().unwrap_or_default();
    let names = FieldNames {
        key: "AccessKeyId",
        secret: "SecretAccessKey",
        token: "SessionToken",
        end: "Expiration",
    };
    let credentials = names
        .credentials(&fields, "credential_process")
        .map_err(|what| wrong(&format!("printed {what}")))?;
    resolution.unexpired(credentials, "its credential_process", &hint)
}

/// How an answer in JSON names its fields.
pub(crate) struct FieldNames {
    pub(crate) key: &'static str,
    pub(crate) secret: &'static str,
    pub(crate) token: &'static str,
    pub(crate) end: &'static str,
}

impl FieldNames {
    /// Returns the credentials in it, or what is wrong with it; never a value of it.
    pub(crate) fn credentials(
        &self,
        fields: &Map<String, Value>,
        source: &'static str,
    ) -> std::result::Result<Credentials, String> {
        let text = |name: &str| {
            fields
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let needed = |name: &str| text(name).ok_or_else(|| format!("no {name}"));
        let end = match fields.get(self.end) {
            None | Some(Value::Null) => None,
            Some(end) => {
                let end = end.as_str().and_then(Time::from_aws);
                Some(end.ok_or_else(|| format!("an {} that is not a time", self.end))?)
            }
        };
        let token = text(self.token).map(str::to_owned);
        let (key, secret) = (needed(self.key)?, needed(self.secret)?);
        Ok(Credentials::new(
            key,
            secret,
            token,
            end.map(Time::to_system),
            source,
        ))
    }
}

/// Returns the last line that says something, as a message repeats it.
pub(crate) fn last_line(text: &[u8]) -> String {
    let text = String::from_utf8_lossy(text);
    foreign(
        text.lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .unwrap_or_default(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #![proptest_config(crate::text::nearly::cases())]

        /// An error says what is wrong and repeats no value.
        #[test]
        fn answers_that_are_nearly_right(text in crate::text::nearly::bytes(
            &[r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"WORTHIT","SessionToken":"t","Expiration":"2030-01-01T00:00:00Z"}"#],
            &["{", "}", "\"", "null", "1e400", "\\u0000", "\"Expiration\":", "\"\"", "+00:00"],
        )) {
            let _ = last_line(&text);
            let Ok(fields) = serde_json::from_slice::<Map<String, Value>>(&text) else { return Ok(()) };
            let names = FieldNames { key: "AccessKeyId", secret: "SecretAccessKey", token: "SessionToken", end: "Expiration" };
            match names.credentials(&fields, "test") {
                Ok(found) => proptest::prop_assert!(!found.access_key_id().is_empty()),
                Err(why) => proptest::prop_assert!(!why.contains("WORTHIT"), "{}", why),
            }
        }
    }
}
