//! Reads what a control plane refuses: the code and the message in its JSON or XML, and what they
//! mean. It is pure.
//!
//! The code counts without the suffixes `Exception` and `Fault`, since its last word means the same
//! in all services. The message is looked at only where a code stands for two reasons, such as a
//! signature that is refused for its time. The user gets the code and the message as far as they
//! are safe to show, and a hint where there is more to say than the service does.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use serde_json::Value;

use super::xml;
use crate::authority::NoAnswerReason;
use crate::aws::service::endpoints::AwsService;
use crate::aws::service::refusal::refusal_error;
use crate::error::Error;

/// An answer that is no success.
pub(super) struct ApiRefusal {
    status: u16,
    code: Option<String>,
    message: Option<String>,
}

/// The codes of AWS's services. What a code's last word says is the same in all of them, so the
/// suffixes `Exception` and `Fault` do not count.
#[rustfmt::skip]
const CODES: &[(&str, NoAnswerReason)] = &[
    ("AccessDenied", NoAnswerReason::NotAllowed),
    ("AuthorizationError", NoAnswerReason::NotAllowed),
    ("NotAuthorized", NoAnswerReason::NotAllowed),
    ("UnauthorizedOperation", NoAnswerReason::NotAllowed),
    ("DBClusterNotFound", NoAnswerReason::NotFound),
    ("DBInstanceNotFound", NoAnswerReason::NotFound),
    ("DBProxyEndpointNotFound", NoAnswerReason::NotFound),
    ("DBProxyNotFound", NoAnswerReason::NotFound),
    ("NoSuchEntity", NoAnswerReason::NotFound),
    ("ResourceNotFound", NoAnswerReason::NotFound),
    ("PriorRequestNotComplete", NoAnswerReason::Throttled),
    ("RequestLimitExceeded", NoAnswerReason::Throttled),
    ("RequestThrottled", NoAnswerReason::Throttled),
    ("SlowDown", NoAnswerReason::Throttled),
    ("Throttled", NoAnswerReason::Throttled),
    ("Throttling", NoAnswerReason::Throttled),
    ("TooManyRequests", NoAnswerReason::Throttled),
    ("OptInRequired", NoAnswerReason::RegionOff),
    ("RegionDisabled", NoAnswerReason::RegionOff),
    ("AuthFailure", NoAnswerReason::KeyUnknown),
    ("InvalidAccessKeyId", NoAnswerReason::KeyUnknown),
    ("InvalidClientTokenId", NoAnswerReason::KeyUnknown),
    ("UnrecognizedClient", NoAnswerReason::KeyUnknown),
    ("ExpiredToken", NoAnswerReason::Expired),
    ("RequestExpired", NoAnswerReason::ClockWrong),
    ("RequestTimeTooSkewed", NoAnswerReason::ClockWrong),
    ("IncompleteSignature", NoAnswerReason::SecretWrong),
    ("InvalidSignature", NoAnswerReason::SecretWrong),
    ("SignatureDoesNotMatch", NoAnswerReason::SecretWrong),
];

/// How the message begins if a signature is refused for its time, which has no code of its own.
const TOO_OLD_OR_NEW: [&str; 2] = ["Signature expired", "Signature not yet current"];

/// What to type or to look at, where there is more to say than the service does.
#[rustfmt::skip]
const HINTS: &[(NoAnswerReason, &str)] = &[
    (NoAnswerReason::Throttled, "wait a minute, then try again"),
    (NoAnswerReason::RegionOff, "enable the region in the account's settings, or name another one"),
    (
        NoAnswerReason::KeyUnknown,
        "check that the account has enabled the region, and that the key exists",
    ),
    (NoAnswerReason::ClockWrong, "correct the clock of this machine, then try again"),
    (NoAnswerReason::SecretWrong, "check the secret access key where it is stored"),
];

impl ApiRefusal {
    pub(super) fn from_response(answer: &HttpResponse) -> Self {
        let status = answer.status().as_u16();
        let body = answer.body().bytes().unwrap_or_default();
        let header = answer.headers().get("x-amzn-errortype");
        let (code, message) = match parse_xml(body) {
            Some(code_and_message) => code_and_message,
            None => parse_json(header, body),
        };
        Self {
            status,
            code,
            message,
        }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    /// Tells whether the same request may succeed a moment later.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self.status, 429 | 500 | 502 | 503 | 504)
            || self.reason() == NoAnswerReason::Throttled
    }

    /// Returns what the refusal is about.
    pub(super) fn reason(&self) -> NoAnswerReason {
        let Some(code) = &self.code else {
            return if self.status == 429 {
                NoAnswerReason::Throttled
            } else {
                NoAnswerReason::NotUnderstood
            };
        };
        let mut short = code.as_str();
        for suffix in ["Exception", "Fault"] {
            short = short.strip_suffix(suffix).unwrap_or(short);
        }
        for (code, reason) in CODES {
            if *code == short {
                return self.reason_by_message(*reason);
            }
        }
        if self.status >= 500 {
            return NoAnswerReason::NotUnderstood;
        }
        NoAnswerReason::Refused
    }

    fn reason_by_message(&self, reason: NoAnswerReason) -> NoAnswerReason {
        let Some(message) = &self.message else {
            return reason;
        };
        let is_about_time = TOO_OLD_OR_NEW.iter().any(|text| message.starts_with(text));
        if reason == NoAnswerReason::SecretWrong && is_about_time {
            return NoAnswerReason::ClockWrong;
        }
        reason
    }

    /// Returns the error for the user; none if the service has not said what is wrong.
    pub(super) fn error(&self, context: &str, service: AwsService) -> Option<Error> {
        let code = self.code.as_deref()?;
        let error = refusal_error(context, service.name, code, self.message.as_deref());
        let reason = self.reason();
        for (hinted, hint) in HINTS {
            if *hinted == reason {
                return Some(error.hint(*hint));
            }
        }
        Some(error)
    }
}

/// Returns the code and the message of `<ErrorResponse><Error>`; none if the body is not XML.
fn parse_xml(body: &[u8]) -> Option<(Option<String>, Option<String>)> {
    xml::read_document(body, |root| {
        let error = xml::child_element(root, "Error").unwrap_or(root);
        (
            xml::text_at(error, &["Code"]),
            xml::text_at(error, &["Message"]),
        )
    })
}

/// Returns the code and the message of a refusal in JSON. The header counts first, as in AWS's
/// SDKs: `AccessDeniedException:http://...`.
fn parse_json(header: Option<&str>, body: &[u8]) -> (Option<String>, Option<String>) {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |names: &[&str]| {
        let text = names.iter().find_map(|name| body.get(name)?.as_str());
        text.map(str::to_owned)
    };
    let code = match header {
        Some(header) => Some(header.to_owned()),
        None => field(&["__type", "code"]),
    };
    let code = match &code {
        Some(code) => bare_code(code),
        None => None,
    };
    (code, field(&["message", "Message", "errorMessage"]))
}

/// Returns the code out of `namespace#CODE:address`.
fn bare_code(code: &str) -> Option<String> {
    let end = code.find(':').unwrap_or(code.len());
    let code = &code[..end];
    let begin = match code.rfind('#') {
        Some(offset) => offset + 1,
        None => 0,
    };
    match code[begin..].trim() {
        "" => None,
        code => Some(code.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, header: Option<&str>, body: &str) -> ApiRefusal {
        let (code, message) = match parse_xml(body.as_bytes()) {
            Some(found) => found,
            None => parse_json(header, body.as_bytes()),
        };
        ApiRefusal {
            status,
            code,
            message,
        }
    }

    fn in_xml(code: &str, message: &str) -> String {
        format!(
            "<ErrorResponse xmlns='https://x/'><Error><Type>Sender</Type><Code>{code}</Code>\
             <Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
        )
    }

    #[test]
    fn refusals_have_a_meaning() {
        use NoAnswerReason::*;
        for (status, header, body, reason, passes) in [
            (403, None, in_xml("AccessDenied", "no"), NotAllowed, false),
            (
                404,
                None,
                in_xml("DBInstanceNotFound", "no"),
                NotFound,
                false,
            ),
            (
                404,
                None,
                in_xml("DBClusterNotFoundFault", "no"),
                NotFound,
                false,
            ),
            (
                400,
                None,
                in_xml("Throttling", "Rate exceeded"),
                Throttled,
                true,
            ),
            (
                403,
                None,
                in_xml("InvalidClientTokenId", "no"),
                KeyUnknown,
                false,
            ),
            (403, None, in_xml("OptInRequired", "no"), RegionOff, false),
            (403, None, in_xml("ExpiredToken", "no"), Expired, false),
            (
                403,
                None,
                in_xml("SignatureDoesNotMatch", "no"),
                SecretWrong,
                false,
            ),
            (
                403,
                None,
                in_xml("SignatureDoesNotMatch", "Signature expired: x"),
                ClockWrong,
                false,
            ),
            (400, None, in_xml("ValidationError", "no"), Refused, false),
            (
                500,
                None,
                in_xml("InternalFailure", "no"),
                NotUnderstood,
                true,
            ),
            (
                403,
                Some("AccessDeniedException"),
                "{}".to_owned(),
                NotAllowed,
                false,
            ),
            (
                403,
                Some("UnrecognizedClientException:http://x"),
                String::new(),
                KeyUnknown,
                false,
            ),
            (
                404,
                None,
                r#"{"__type":"a.b#ResourceNotFoundException"}"#.to_owned(),
                NotFound,
                false,
            ),
            (
                429,
                None,
                r#"{"code":"ThrottlingException"}"#.to_owned(),
                Throttled,
                true,
            ),
            (429, None, "slow".to_owned(), Throttled, true),
            (503, None, "<html>".to_owned(), NotUnderstood, true),
            (302, None, String::new(), NotUnderstood, false),
        ] {
            let found = refusal(status, header, &body);
            assert_eq!(
                (found.reason(), found.may_pass()),
                (reason, passes),
                "{status} {body}"
            );
        }
    }

    fn hint_of(code: &str) -> Option<String> {
        let refusal = refusal(400, None, &in_xml(code, "no"));
        let error = refusal.error("x", crate::aws::service::endpoints::RDS);
        error.unwrap().hint_text().map(str::to_owned)
    }

    #[test]
    fn the_error_repeats_the_service_and_no_secret() {
        let token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.\
                     c2lnbmF0dXJlMDEyMzQ1Njc4OQ";
        let refusal = refusal(403, None, &in_xml("AccessDenied", &format!("bad: {token}")));
        let error = refusal
            .error(
                "DescribeDBInstances in eu-west-1",
                crate::aws::service::endpoints::RDS,
            )
            .unwrap();
        assert_eq!(
            error.to_string(),
            "DescribeDBInstances in eu-west-1: RDS refused: AccessDenied: bad: [...]"
        );
        assert!(hint_of("Throttling").is_some() && hint_of("ValidationError").is_none());
    }

    #[test]
    fn every_code_stands_once() {
        for (at, (code, _)) in CODES.iter().enumerate() {
            assert!(CODES[..at].iter().all(|(other, _)| other != code), "{code}");
            assert!(
                !code.ends_with("Exception") && !code.ends_with("Fault"),
                "{code}"
            );
        }
    }
}
