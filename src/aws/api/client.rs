//! Sends requests to control planes: they are addressed, signed, not too many at a time, tried
//! again where the service asks for patience, and given up at the deadline.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::address::{self, ServiceAddress};
use super::refusal::ApiRefusal;
use super::request::ApiRequest;
use super::request_slots;
use crate::authority::{InspectionResult, NoAnswer, NoAnswerReason};
use crate::aws::credentials::Credentials;
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::AwsService;
use crate::aws::service::refusal::{not_understood, unreachable_service};
use crate::aws::sigv4::{SignedFor, sign_headers};
use crate::error::{Error, Exit};
use crate::http::{HttpClient, RequestError};
use crate::time::Time;

/// The longest answer that is read, in bytes. A page of 100 of the largest clusters has 2 MB.
const MAX_ANSWER_LENGTH: usize = 8 << 20;
/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;
/// The pause after the first refusal. It doubles each time.
const PAUSE: Duration = Duration::from_millis(200);

/// Asks the control planes with the credentials of one profile, in any region. One client may have
/// many requests under way.
pub(super) struct ApiClient<'a> {
    resolution: &'a CredentialResolution<'a>,
    http: HttpClient,
    credentials: Credentials,
}

impl<'a> ApiClient<'a> {
    pub(super) fn new(resolution: &'a CredentialResolution<'a>, credentials: Credentials) -> Self {
        Self {
            resolution,
            http: resolution.http().with_max_answer_length(MAX_ANSWER_LENGTH),
            credentials,
        }
    }

    /// Sends a request and returns what `read` finds in the body of the answer.
    pub(super) async fn ask<T>(
        &self,
        request: &ApiRequest,
        region: &str,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> InspectionResult<T> {
        let operation = ApiOperation {
            resolution: self.resolution,
            request,
            region,
        };
        let answer = self.send_signed(&operation).await?;
        match read(answer.body().bytes().unwrap_or_default()) {
            Some(value) => Ok(value),
            None => Err(operation.not_understood(answer.status().as_u16())),
        }
    }

    /// Returns the answer with a status of success. Sends the request again where that may help.
    async fn send_signed(&self, operation: &ApiOperation<'_>) -> InspectionResult<HttpResponse> {
        let service = operation.request.service;
        let address = match address::address_for(self.resolution, service, operation.region) {
            Ok(address) => address,
            Err(error) => return Err(NoAnswer::new(NoAnswerReason::Setting, error)),
        };
        let mut attempt = 1;
        loop {
            if self.resolution.deadline() <= Instant::now() {
                let timeout_error = self.resolution.timeout_error(&operation.name());
                // One of many that wait for room.
                return Err(NoAnswer::new(NoAnswerReason::Late, timeout_error));
            }
            self.resolution
                .step(format!("{}: asking {}", operation.name(), address.base));
            let answer = self.send_once(operation, &address).await?;
            if answer.status().is_success() {
                return Ok(answer);
            }
            let refusal = ApiRefusal::from_response(&answer);
            if attempt == ATTEMPTS || !refusal.may_pass() || !self.pause_before_retry(attempt).await
            {
                return Err(operation.refusal_answer(&refusal));
            }
            attempt += 1;
        }
    }

    /// Sends a request as soon as there is room for it. The wait does not make its signature old.
    async fn send_once(
        &self,
        operation: &ApiOperation<'_>,
        address: &ServiceAddress,
    ) -> InspectionResult<HttpResponse> {
        let work = async {
            let request = match self.signed(operation.request, address) {
                Ok(request) => request,
                Err(error) => {
                    return Err(NoAnswer::new(
                        NoAnswerReason::Setting,
                        operation.about(&error),
                    ));
                }
            };
            match self.http.send(request).await {
                Ok(answer) => Ok(answer),
                Err(error) => Err(operation.no_connection(error)),
            }
        };
        let request_in_slot = request_slots::run_in_a_slot(work);
        match self
            .resolution
            .wait(&operation.name(), request_in_slot)
            .await
        {
            Ok(result) => result,
            Err(error) => Err(NoAnswer::new(NoAnswerReason::Late, error)),
        }
    }

    fn signed(&self, request: &ApiRequest, address: &ServiceAddress) -> Result<HttpRequest, Error> {
        let mut http = request.http(&address.base)?;
        let signed_for = SignedFor {
            service: request.service.key,
            region: &address.region,
            signed_at: Time::now(),
        };
        sign_headers(&mut http, &signed_for, &self.credentials)?;
        if !request.keeps_connection() {
            // A listing asks so many hosts that kept connections would be more than macOS allows.
            http.headers_mut().insert("connection", "close");
        }
        Ok(http)
    }

    /// Waits before the next attempt. Returns false if there is no time for another one, whose
    /// answer may take as long.
    async fn pause_before_retry(&self, attempt: u32) -> bool {
        let pause = pause_after(attempt);
        if Instant::now() + pause * 2 >= self.resolution.deadline() {
            return false;
        }
        tokio::time::sleep(pause).await;
        true
    }
}

/// Returns a time between half of the pause and the whole of it, so that those who were refused
/// together do not come back together.
fn pause_after(attempt: u32) -> Duration {
    let max_pause = PAUSE * 2_u32.pow(attempt - 1);
    let share = RandomState::new().build_hasher().finish() % 512;
    let share = u32::try_from(share).unwrap_or_default();
    max_pause / 2 + max_pause * share / 1024
}

/// Sends a request without a signature, which the service refuses, and returns the answer.
pub(super) async fn ask_unsigned(
    resolution: &CredentialResolution<'_>,
    request: &ApiRequest,
    region: &str,
) -> InspectionResult<HttpResponse> {
    let operation = ApiOperation {
        resolution,
        request,
        region,
    };
    let built = match address::address_for(resolution, request.service, region) {
        Ok(address) => request.http(&address.base),
        Err(error) => Err(error),
    };
    let http = match built {
        Ok(http) => http,
        Err(error) => return Err(NoAnswer::new(NoAnswerReason::Setting, error)),
    };
    let answer = resolution.http().send(http);
    match resolution.wait(&operation.name(), answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(operation.no_connection(error)),
        Err(error) => Err(NoAnswer::new(NoAnswerReason::Late, error)),
    }
}

/// What is asked, for errors and steps.
struct ApiOperation<'a> {
    resolution: &'a CredentialResolution<'a>,
    request: &'a ApiRequest,
    region: &'a str,
}

impl ApiOperation<'_> {
    /// Returns `RDS DescribeDBClusters in eu-west-1`.
    fn name(&self) -> String {
        let AwsService { name, .. } = self.request.service;
        format!("{name} {} in {}", self.request.operation, self.region)
    }

    /// Returns the beginning of an error.
    fn text(&self) -> String {
        let profile_clause = self.resolution.profile_clause();
        format!(
            "{} in {}{profile_clause}",
            self.request.operation, self.region
        )
    }

    fn about(&self, error: &Error) -> Error {
        error.clone().about(&self.text())
    }

    /// Says why a request has no answer at all.
    fn no_connection(&self, error: RequestError) -> NoAnswer {
        let service = self.request.service.name;
        let (reason, text) = match error {
            RequestError::Local(error) if error.exit() == Exit::Usage => {
                return NoAnswer::new(NoAnswerReason::Setting, self.about(&error));
            }
            RequestError::Local(error) => {
                // The answer is too long.
                return NoAnswer::new(NoAnswerReason::NotUnderstood, self.about(&error));
            }
            RequestError::Failed(text) if names_no_host(&text) => {
                (NoAnswerReason::NoSuchHost, text)
            }
            RequestError::Failed(text) => (NoAnswerReason::Unreachable, text),
            RequestError::Untrusted(text) => (NoAnswerReason::Untrusted, text),
        };
        NoAnswer::new(reason, unreachable_service(&self.text(), service, &text))
    }

    fn not_understood(&self, status: u16) -> NoAnswer {
        let service = self.request.service.name;
        let error = not_understood(&self.text(), service, Some(status));
        NoAnswer::new(NoAnswerReason::NotUnderstood, error)
    }

    fn refusal_answer(&self, refusal: &ApiRefusal) -> NoAnswer {
        let reason = refusal.reason();
        match refusal.error(&self.text(), self.request.service) {
            Some(error) if reason == NoAnswerReason::NotAllowed => {
                let (service, operation) = (self.request.service.key, self.request.operation);
                let permission = format!("let an administrator allow you {service}:{operation}");
                NoAnswer::new(reason, error.hint(permission))
            }
            Some(error) if reason == NoAnswerReason::Expired => {
                let profile_option = self.resolution.profile_option();
                let login = format!("run `pgcred login{profile_option}`, then try again");
                NoAnswer::new(reason, error.hint(login))
            }
            Some(error) => NoAnswer::new(reason, error),
            None => self.not_understood(refusal.status()),
        }
    }
}

/// What the systems say of a name that no server has. A server of names that does not answer is
/// another matter. Windows has the numbers in every language.
const NO_NAME: [&str; 6] = [
    "not known",                  // glibc, macOS
    "No address associated with", // glibc, macOS
    "Name does not resolve",      // musl
    "Name has no usable address", // musl
    "(os error 11001)",           // Windows: no such host
    "(os error 11004)",           // Windows: the name has no address
];

/// Tells whether a request failed since its host does not exist.
fn names_no_host(error: &str) -> bool {
    error.contains("dns error") && NO_NAME.iter().any(|text| error.contains(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_told_from_names_that_cannot_be_asked_for() {
        for (error, no_host) in [
            (
                "client error (Connect): dns error: failed to lookup address information: Name or \
              service not known",
                true,
            ),
            (
                "dns error: nodename nor servname provided, or not known",
                true,
            ),
            (
                "dns error: Der angegebene Host ist unbekannt. (os error 11001)",
                true,
            ),
            (
                "dns error: failed to lookup address information: Temporary failure in name \
              resolution",
                false,
            ),
            ("dns error: Try again", false),
            (
                "tcp connect error: Connection refused (os error 111)",
                false,
            ),
            ("the method is not known", false),
        ] {
            assert_eq!(names_no_host(error), no_host, "{error}");
        }
    }

    #[test]
    fn pauses_grow_and_differ() {
        for (attempt, whole) in [(1, 200), (2, 400), (3, 800)] {
            let mut seen = Vec::new();
            for _ in 0..50 {
                let pause = pause_after(attempt).as_millis();
                assert!((whole / 2..=whole).contains(&pause), "{attempt}: {pause}");
                seen.push(pause);
            }
            seen.dedup();
            assert!(seen.len() > 1, "{attempt}");
        }
    }
}
