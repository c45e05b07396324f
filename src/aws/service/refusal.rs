//! Says in words what AWS's services refuse: the service, its code and message, or why it could not
//! be reached.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::endpoints::AwsService;
use crate::error::{Error, ErrorReason};
use crate::http::{is_untrusted, local_error};
use crate::text;

/// Returns the code of a refusal, if the service gave one.
pub(crate) fn refusal_code<E: ProvideErrorMetadata>(
    error: &SdkError<E, HttpResponse>,
) -> Option<&str> {
    error.as_service_error()?.code()
}

/// The hint for an answer that a service of AWS does not give.
pub(crate) const TRY_AGAIN: &str =
    "try again; if it fails again, check the endpoint settings AWS_ENDPOINT_URL* and the proxy";

const CHECK_NETWORK: &str = "check the network, HTTPS_PROXY and AWS_CA_BUNDLE";

/// Explains a call that failed. `context` says what the call was for, and for which profile. Where
/// `--debug` shows the steps already, no hint names it. Returns none where time ran out: only the
/// caller knows how much there was.
pub(crate) fn explain_failure<E>(
    context: &str,
    service: AwsService,
    error: &SdkError<E, HttpResponse>,
    shows_steps: bool,
) -> Option<Error>
where
    E: ProvideErrorMetadata + StdError + 'static,
{
    if let Some(local_error) = local_error(error) {
        return Some(local_error.clone().about(context));
    }
    let service = service.name;
    if let Some(code) = refusal_code(error) {
        let message = error.as_service_error().and_then(E::message);
        return Some(refusal_error(context, service, code, message));
    }
    match error {
        SdkError::TimeoutError(_) => None,
        SdkError::ConstructionFailure(_) => Some(
            Error::failure(format!(
                "{context}: the request to {service} cannot be built"
            ))
            .hint("check the region, the endpoint and the values of the profile"),
        ),
        SdkError::DispatchFailure(_) => {
            let unreached =
                unreachable_service(context, service, &innermost_cause(error).to_string())
                    .because(reason_not_reached(error));
            Some(if shows_steps {
                unreached.hint(CHECK_NETWORK)
            } else {
                unreached
            })
        }
        _ => {
            let status = error
                .raw_response()
                .map(|response| response.status().as_u16());
            Some(not_understood(context, service, status))
        }
    }
}

/// Says what a service has refused, and with which words.
pub(crate) fn refusal_error(
    context: &str,
    service: &str,
    code: &str,
    message: Option<&str>,
) -> Error {
    let reason = match message {
        Some(message) => format!("{code}: {message}"),
        None => code.to_owned(),
    };
    let reason = text::safe_excerpt(&reason);
    // No hint: what helps depends on the code, which the callers know.
    Error::failure(format!("{context}: {service} refused: {reason}")).because(ErrorReason::Refused)
}

/// Says that a service has not been reached.
pub(crate) fn unreachable_service(context: &str, service: &str, cause: &str) -> Error {
    let cause = text::safe_excerpt(cause);
    Error::failure(format!("{context}: {service} cannot be reached: {cause}")).hint(format!(
        "{CHECK_NETWORK}; run `pgcred --debug ...` to see more"
    ))
}

/// Says that an answer is not what the service answers.
pub(crate) fn not_understood(context: &str, service: &str, status: Option<u16>) -> Error {
    let status = match status {
        Some(status) => format!(" (HTTP {status})"),
        None => String::new(),
    };
    Error::failure(format!(
        "{context}: the answer of {service} cannot be understood{status}"
    ))
    .hint(TRY_AGAIN)
}

/// Tells a certificate that is not trusted from every other trouble on the way.
fn reason_not_reached(error: &(dyn StdError + 'static)) -> ErrorReason {
    if is_untrusted(error) {
        return ErrorReason::Untrusted;
    }
    ErrorReason::Unreachable
}

/// Returns the first cause. The SDK's errors around it may have the whole request in their text,
/// with its tokens.
fn innermost_cause<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}
