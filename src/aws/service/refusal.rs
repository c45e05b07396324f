//! What AWS's services refuse, in words: the service, its code and message, or why it could not be
//! reached.

use std::error::Error as StdError;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use crate::aws::resolution::{AwsService, Resolution};
use crate::aws::service::http::own_error;
use crate::error::{Error, Reason};
use crate::text;

/// Returns the code of a refusal, if the service gave one.
pub(crate) fn code<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error
        .as_service_error()
        .and_then(ProvideErrorMetadata::code)
}

/// Returns what began it. The SDK's errors around it may have the whole request in their text, with
/// its tokens.
fn innermost<'a>(error: &'a (dyn StdError + 'static)) -> &'a (dyn StdError + 'static) {
    let mut cause = error;
    while let Some(next) = cause.source() {
        cause = next;
    }
    cause
}

impl Resolution<'_> {
    /// Explains a call that failed, `what` being what was wanted.
    pub(crate) fn refused<E>(
        &self,
        what: &str,
        service: AwsService,
        error: &SdkError<E, HttpResponse>,
    ) -> Error
    where
        E: ProvideErrorMetadata + StdError + 'static,
    {
        let whose = self.of_profile();
        if let Some(own) = own_error(error) {
            return own.clone().about(&format!("{what}{whose}"));
        }
        let status = error
            .raw_response()
            .map(|response| response.status().as_u16());
        match error {
            SdkError::ServiceError(answer) if answer.err().code().is_some() => {
                let (code, message) = (
                    answer.err().code().unwrap_or_default(),
                    answer.err().message(),
                );
                let said =
                    message.map_or_else(|| code.to_owned(), |message| format!("{code}: {message}"));
                Error::failure(format!(
                    "{what}{whose}: {} refused: {}",
                    service.name,
                    text::foreign(&said)
                ))
                .because(Reason::Refused)
            }
            SdkError::TimeoutError(_) => self.too_late(service.name),
            SdkError::ConstructionFailure(_) => Error::failure(format!(
                "{what}{whose}: the request to {} cannot be built",
                service.name
            ))
            .hint("check the region, the endpoint and the values of the profile"),
            SdkError::DispatchFailure(_) => {
                let cause = text::foreign(&innermost(error).to_string());
                Error::failure(format!("{what}{whose}: {} cannot be reached: {cause}", service.name))
                    .hint("check the network, HTTPS_PROXY and AWS_CA_BUNDLE; `pgcred --debug ...` shows more")
            }
            _ => {
                let status = status
                    .map(|status| format!(" (HTTP {status})"))
                    .unwrap_or_default();
                Error::failure(format!("{what}{whose}: {} gave an answer that is none{status}", service.name))
                    .hint("retry; if it stays, check the endpoint settings AWS_ENDPOINT_URL* and the proxy")
            }
        }
    }
}
