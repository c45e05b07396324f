//! The state of a connection's token, for a shell prompt: fresh, stale, expired or in need of a login.

use crate::cache::{EntryId, Index};
use crate::error::Exit;
use crate::issue::Issuer;
use crate::request::Request;
use crate::time::Time;
use crate::token::{Age, age};

pub(super) struct Segment {
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) expires_at: Time,
}

/// When a token was signed, if that is known, and when it ends.
pub(super) type Times = (Option<Time>, Time);

/// What is worth saying of a connection, if anything is. The passfile is asked for what the index
/// does not know as fresh: a token may have been filed there by somebody with another environment.
pub(super) fn segment(
    name: &str,
    request: &Request,
    index: &Index,
    issuer: &mut Issuer,
    in_passfile: impl FnOnce() -> Option<Times>,
) -> Option<Segment> {
    let now = Time::now();
    let age_of = |(issued_at, expires_at): Times| age(issued_at.unwrap_or(now), expires_at, now);
    let identity = issuer.identity(request.profile.as_deref());
    let record = index.records.get(EntryId::of(request, &identity).as_str());
    let recorded = record.map(|record| (Some(record.issued_at), record.expires_at));
    let known = match recorded {
        Some(times) if age_of(times) == Age::Fresh => recorded,
        _ => [in_passfile(), recorded]
            .into_iter()
            .flatten()
            .max_by_key(|(_, expires_at)| *expires_at),
    };
    let login = index
        .failure(&identity)
        .is_some_and(|failure| failure.error.exit() == Exit::Login);
    let state = match known.map_or(Age::Expired, age_of) {
        Age::Fresh => "fresh",
        _ if login => "needs-login",
        Age::Stale => "stale",
        Age::Expired => "expired",
    };
    (known.is_some() || login).then(|| Segment {
        name: name.to_owned(),
        state,
        expires_at: known.map_or(Time::from_unix(0), |(_, expires_at)| expires_at),
    })
}
