//! Sends requests to control planes: addressed, signed, tried again where the service asks for
//! patience, and given up at the deadline.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::time::{Duration, Instant};

use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};

use super::address::{self, Address};
use super::refusal::Refusal;
use super::request::ApiRequest;
use crate::authority::{Inspected, NoAnswer, WhyNot};
use crate::aws::credentials::Credentials;
use crate::aws::resolution::Resolution;
use crate::aws::service::endpoints::AwsService;
use crate::aws::service::http::{HttpClient, RequestError};
use crate::aws::service::refusal::{not_understood, unreachable};
use crate::aws::sigv4::{SignedFor, sign_headers};
use crate::error::{Error, Exit};
use crate::time::Time;

/// The longest answer that is read, in bytes. A page of 100 of the largest clusters has 2 MB.
const LONGEST_ANSWER: usize = 8 << 20;
/// How often a request is sent at most.
const ATTEMPTS: u32 = 4;
/// The pause after the first refusal. It doubles each time.
const PAUSE: Duration = Duration::from_millis(200);

/// Asks the control planes with the credentials of one profile, in any region. One client may have
/// many requests under way.
pub(super) struct ApiClient<'a> {
    resolution: &'a Resolution<'a>,
    http: HttpClient,
    credentials: Credentials,
}

impl<'a> ApiClient<'a> {
    pub(super) fn new(resolution: &'a Resolution<'a>, credentials: Credentials) -> Self {
        Self {
            resolution,
            http: resolution.http().long(LONGEST_ANSWER),
            credentials,
        }
    }

    /// Sends a request and returns what `read` finds in the body of the answer.
    pub(super) async fn ask<T>(
        &self,
        request: &ApiRequest,
        region: &str,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Inspected<T> {
        let what = Subject {
            resolution: self.resolution,
            request,
            region,
        };
        let answer = self.send_signed(&what).await?;
        match read(answer.body().bytes().unwrap_or_default()) {
            Some(found) => Ok(found),
            None => Err(what.not_understood(answer.status().as_u16())),
        }
    }

    /// Returns the answer with a status of success. Sends the request again where that may help.
    async fn send_signed(&self, what: &Subject<'_>) -> Inspected<HttpResponse> {
        let service = what.request.service;
        let address = match address::address_for(self.resolution, service, what.region) {
            Ok(address) => address,
            Err(error) => return Err(NoAnswer::new(WhyNot::Setting, error)),
        };
        let mut attempt = 1;
        loop {
            self.resolution
                .step(format!("{}: asking {}", what.name(), address.base));
            let request = match self.signed(what.request, &address) {
                Ok(request) => request,
                Err(error) => return Err(NoAnswer::new(WhyNot::Setting, what.about(&error))),
            };
            let answer = send(&self.http, what, request).await?;
            if answer.status().is_success() {
                return Ok(answer);
            }
            let refusal = Refusal::of(&answer);
            if attempt == ATTEMPTS || !refusal.may_pass() || !self.has_paused(attempt).await {
                return Err(what.refusal_answer(&refusal));
            }
            attempt += 1;
        }
    }

    fn signed(&self, request: &ApiRequest, address: &Address) -> Result<HttpRequest, Error> {
        let mut http = request.http(&address.base)?;
        let signed_for = SignedFor {
            service: request.service.key,
            region: &address.region,
            at: Time::now(),
        };
        sign_headers(&mut http, &signed_for, &self.credentials)?;
        Ok(http)
    }

    /// Waits before the next attempt. Returns false if there is no time for another one, whose
    /// answer may take as long.
    async fn has_paused(&self, attempt: u32) -> bool {
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
    let whole = PAUSE * 2_u32.pow(attempt - 1);
    let share = RandomState::new().build_hasher().finish() % 512;
    let share = u32::try_from(share).unwrap_or_default();
    whole / 2 + whole * share / 1024
}

/// Sends one request, to its end or to the deadline.
async fn send(
    http: &HttpClient,
    what: &Subject<'_>,
    request: HttpRequest,
) -> Inspected<HttpResponse> {
    let service = what.request.service;
    match what.resolution.wait(&what.name(), http.send(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(RequestError::Local(error))) => {
            let is_setting = error.exit() == Exit::Usage; // else the answer is too long
            let why = if is_setting {
                WhyNot::Setting
            } else {
                WhyNot::NotUnderstood
            };
            Err(NoAnswer::new(why, what.about(&error)))
        }
        Ok(Err(RequestError::Failed(why))) => {
            let error = unreachable(&what.text(), service.name, &why);
            Err(NoAnswer::new(WhyNot::Unreachable, error))
        }
        Ok(Err(RequestError::Untrusted(why))) => {
            let error = unreachable(&what.text(), service.name, &why);
            Err(NoAnswer::new(WhyNot::Untrusted, error))
        }
        Err(error) => Err(NoAnswer::new(WhyNot::Late, error)),
    }
}

/// Sends a request without a signature, which the service refuses, and returns the answer.
pub(super) async fn ask_unsigned(
    resolution: &Resolution<'_>,
    request: &ApiRequest,
    region: &str,
) -> Inspected<HttpResponse> {
    let what = Subject {
        resolution,
        request,
        region,
    };
    let built = match address::address_for(resolution, request.service, region) {
        Ok(address) => request.http(&address.base),
        Err(error) => Err(error),
    };
    match built {
        Ok(http) => send(resolution.http(), &what, http).await,
        Err(error) => Err(NoAnswer::new(WhyNot::Setting, error)),
    }
}

/// What is asked, for errors and steps.
struct Subject<'a> {
    resolution: &'a Resolution<'a>,
    request: &'a ApiRequest,
    region: &'a str,
}

impl Subject<'_> {
    /// Returns `RDS DescribeDBClusters in eu-west-1`.
    fn name(&self) -> String {
        let AwsService { name, .. } = self.request.service;
        format!("{name} {} in {}", self.request.operation, self.region)
    }

    /// Returns the beginning of an error.
    fn text(&self) -> String {
        let of_profile = self.resolution.of_profile();
        format!("{} in {}{of_profile}", self.request.operation, self.region)
    }

    fn about(&self, error: &Error) -> Error {
        error.clone().about(&self.text())
    }

    fn not_understood(&self, status: u16) -> NoAnswer {
        let service = self.request.service.name;
        let error = not_understood(&self.text(), service, Some(status));
        NoAnswer::new(WhyNot::NotUnderstood, error)
    }

    fn refusal_answer(&self, refusal: &Refusal) -> NoAnswer {
        let why = refusal.why();
        match refusal.error(&self.text(), self.request.service) {
            Some(error) if why == WhyNot::NotAllowed => {
                let (service, operation) = (self.request.service.key, self.request.operation);
                let permission = format!("let an administrator allow you {service}:{operation}");
                NoAnswer::new(why, error.hint(permission))
            }
            Some(error) => NoAnswer::new(why, error),
            None => self.not_understood(refusal.status()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
