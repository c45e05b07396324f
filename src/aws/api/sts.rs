//! Asks STS who the caller is, and what time it is at AWS.
//!
//! `caller_identity` needs credentials and no permission. `clock_offset` needs neither, so that it
//! also works while the clock is wrong, which AWS would answer with a refusal. `offset_of_clocks`
//! and `parse_caller` are pure.

use std::time::{Duration, Instant};

use super::client::{self, ApiClient};
use super::request::ApiRequest;
use super::xml;
use crate::authority::{CallerIdentity, InspectionResult, NoAnswer, NoAnswerReason};
use crate::aws::resolution::CredentialResolution;
use crate::aws::service::endpoints::STS;
use crate::aws::service::refusal::not_understood;
use crate::time::Time;

pub(super) fn get_caller_identity_request() -> ApiRequest {
    ApiRequest::query(STS, "2011-06-15", "GetCallerIdentity", &[])
}

/// Returns whose credentials the client has. AWS refuses this to nobody.
pub(super) async fn caller_identity(
    client: &ApiClient<'_>,
    region: &str,
) -> InspectionResult<CallerIdentity> {
    client
        .ask(&get_caller_identity_request(), region, parse_caller)
        .await
}

fn parse_caller(body: &[u8]) -> Option<CallerIdentity> {
    let caller = xml::read_document(body, |root| {
        let result = xml::child_element(root, "GetCallerIdentityResult")?;
        Some(CallerIdentity {
            account: xml::text_at(result, &["Account"])?,
            name: xml::text_at(result, &["Arn"])?,
        })
    });
    caller?
}

/// Returns how many seconds this machine's clock is ahead of AWS's. Any answer says what time it
/// is there, so the request has no signature.
pub(super) async fn clock_offset(
    resolution: &CredentialResolution<'_>,
    region: &str,
) -> InspectionResult<i64> {
    let (sent_at, started) = (Time::now(), Instant::now());
    let answer = client::ask_unsigned(resolution, &get_caller_identity_request(), region).await?;
    let wait = started.elapsed();
    if let Some(server_time) = answer.headers().get("date").and_then(Time::from_http) {
        return Ok(offset_of_clocks(sent_at, wait, server_time));
    }
    let context = format!("the clock of AWS in {region}");
    let error = not_understood(&context, STS.name, Some(answer.status().as_u16()));
    Err(NoAnswer::new(NoAnswerReason::NotUnderstood, error))
}

/// Returns the difference of the clocks: the server has read its own in the middle of the wait.
fn offset_of_clocks(sent_at: Time, wait: Duration, server_time: Time) -> i64 {
    let half = (wait / 2).as_secs();
    sent_at.unix() + half.cast_signed() - server_time.unix()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_server_has_looked_at_its_clock_in_the_middle() {
        let at = Time::from_unix;
        for (sent, waited, there, ahead) in [
            (1_000, 0, 1_000, 0),
            (1_000, 4, 1_002, 0),
            (1_300, 1, 1_000, 300),
            (700, 1, 1_000, -300),
        ] {
            assert_eq!(
                offset_of_clocks(at(sent), Duration::from_secs(waited), at(there)),
                ahead
            );
        }
    }

    #[test]
    fn the_caller_is_read() {
        let answer =
            b"<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
            <GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/a</Arn><UserId>A</UserId>\
            <Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>";
        let caller = parse_caller(answer).unwrap();
        assert_eq!(caller.account, "123456789012");
        assert_eq!(caller.name, "arn:aws:iam::123456789012:user/a");
        assert_eq!(parse_caller(b"<GetCallerIdentityResponse/>"), None);
    }
}
