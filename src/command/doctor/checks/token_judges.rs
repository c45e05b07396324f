//! Judges a token for the checks, as functions of values.
//!
//! It is pure: nothing here reads a file, a variable or a clock; `now` is given. The caller is
//! `token.rs` beside this file, which knows where the values come from: the request, the token that
//! was issued now or kept in the cache, and the passfile. No text repeats a token.

use crate::authority::{Region, Regions, TokenPart, TokenParts};
use crate::command::doctor::finding::Finding;
use crate::command::doctor::redact::RedactedKind;
use crate::provider::{self, Provider};
use crate::request::Request;
use crate::text::quote::typed;
use crate::time::{Time, spoken_duration};
use crate::token::{TokenAge, TokenTimes, age};

/// A token with less left is hardly worth sending, in seconds.
const LITTLE_LIFETIME_SECONDS: u32 = 5 * 60;
/// What programs read from a command at once; no driver is known to take less and to take tokens.
const MAX_TOKEN_LENGTH: usize = 4_096;

/// Judges the name that is signed. Where the provider's hosts have a form, a name of the user's own
/// never takes a token; where they have none, every name may.
pub(super) fn judge_host(request: &Request) -> Finding {
    const CAUSE: &str = "token.endpoint";
    let (sign_host, dialled_host) = (&request.sign_host, &request.host);
    let provider = request.provider;
    let has_no_form = provider.owns.is_none() && provider::find_by_host(sign_host).is_none();
    if has_no_form || provider.owns(sign_host) {
        return Finding::ok(if sign_host == dialled_host {
            format!("signed for {sign_host}")
        } else {
            format!("signed for {sign_host}, dialled as {dialled_host}")
        });
    }
    let detail = format!(
        "signed for {sign_host}, which is no name of {}",
        provider.title
    );
    if provider.authority.owns(sign_host) {
        return Finding::warn(CAUSE, detail);
    }
    let alias = typed(&format!("{dialled_host}:{}", request.port));
    Finding::fail(CAUSE, detail)
        .with_advice(format!(
            "name the endpoint of {}: --host, or --sign-host beside it",
            provider.authority.title()
        ))
        .with_command(format!("pgcred add NAME ENDPOINT --alias {alias}"))
}

/// Judges the region of the request against that of the host. `configured_region` is what a
/// variable or the profile says, with its place.
pub(super) fn judge_region(
    provider: &Provider,
    host_region: Option<&Region>,
    request_region: Option<&Region>,
    configured_region: Option<(String, String)>,
) -> Finding {
    match (host_region, request_region, configured_region) {
        (Some(host), Some(request), _) if host != request => Finding::fail(
            provider.cause_of_difference(TokenPart::Region),
            format!("signed for {request}, and the host is in {host}"),
        ),
        (Some(host), _, Some((region, place))) if region.trim() != host.as_str() => {
            Finding::ok(format!(
                "{host}, as the host says; {} of {place} does not count",
                region.trim()
            ))
        }
        (Some(host), ..) => Finding::ok(format!("{host}, as the host says")),
        (None, Some(request), _) => Finding::ok(format!("{request}, as the request says")),
        (None, None, Some((region, place))) => {
            Finding::ok(format!("{}, by {place}", region.trim()))
        }
        (None, None, None) => Finding::warn(
            provider
                .authority
                .regions()
                .and_then(Regions::cause_of_missing_region),
            "neither host nor setting names one",
        ),
    }
}

/// Judges the name of the role in the database, which SQL folds to lower case unless it is quoted.
/// Where users are called by their e-mail addresses, the signs of one surprise nobody.
pub(super) fn judge_user(request: &Request) -> Finding {
    const CAUSE: &str = "role.case";
    let user = &request.user;
    let action = (request.provider.action_of)(user);
    if let Some(usual_user) = request.provider.user
        && user.eq_ignore_ascii_case(usual_user)
        && user != usual_user
    {
        let detail = match action {
            "" => format!("`{user}` is not `{usual_user}`"),
            _ => format!("`{user}` is not `{usual_user}`: the token permits {action}"),
        };
        return Finding::warn(CAUSE, detail);
    }
    let signs = if request.provider.users_are_addresses {
        "_-.@+'"
    } else {
        "_-."
    };
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || signs.contains(c);
    match user.chars().find(|c| !is_plain(*c)) {
        None if action.is_empty() => Finding::ok(user.clone()),
        None => Finding::ok(format!("{user}, who is permitted {action}")),
        Some(c) => Finding::warn(
            CAUSE,
            format!(
                "`{user}` has `{c}`: it has to be in quotes in SQL, and the same everywhere else"
            ),
        ),
    }
}

/// Judges libpq's keyword `replication`.
pub(super) fn judge_replication(request: &Request) -> Finding {
    let value = match request.keyword("replication") {
        None | Some("false" | "off" | "no" | "0") => return Finding::ok("none is asked for"),
        Some(value) => format!("replication={value}"),
    };
    match request.provider.cause_of_replication {
        Some(cause) => Finding::fail(cause, value),
        None => Finding::ok(value),
    }
}

/// Judges what a token says of itself against what is asked for.
pub(super) fn judge_scope(parts: &TokenParts, request: &Request) -> Finding {
    let finding = if let Some((cause, detail)) = first_difference(parts, request) {
        Finding::fail(cause, detail)
    } else if let Some(finding) = warn_about_other_account(parts, request) {
        finding
    } else {
        Finding::ok(match describe_token_parts(parts) {
            text if text.is_empty() => "the token names nothing but its end".to_owned(),
            text => text,
        })
    };
    with_names(finding, parts)
}

/// Adds the texts of a token that identify the user, for a report that is shared.
fn with_names(mut finding: Finding, parts: &TokenParts) -> Finding {
    for (kind, text) in [
        (RedactedKind::User, &parts.holder),
        (RedactedKind::Name, &parts.issuer),
    ] {
        if let Some(text) = text {
            finding = finding.naming(kind, text);
        }
    }
    finding
}

/// Returns a warning if the token was issued to another person than the user of the request. A user
/// that is no address may be a group.
fn warn_about_other_account(parts: &TokenParts, request: &Request) -> Option<Finding> {
    let (holder, user) = (parts.holder.as_ref()?, &request.user);
    let provider = request.provider;
    let are_addresses = provider.users_are_addresses && holder.contains('@') && user.contains('@');
    // Guests are called by another address than their own.
    if !are_addresses || user.contains('#') || holder.eq_ignore_ascii_case(user) {
        return None;
    }
    let detail = format!("the token was issued to {holder}, and the user is {user}");
    let login = provider::login_command(provider, request.profile.as_deref());
    Some(
        Finding::warn(None, detail)
            .with_advice(
                "log in as that user, or name the user of your own account; a group is right as it \
                 is",
            )
            .with_command(login),
    )
}

/// Returns what a token says of itself as one clause; empty if it says nothing but its times.
fn describe_token_parts(parts: &TokenParts) -> String {
    let mut text = match &parts.action {
        Some(action) => action.clone(),
        None => String::new(),
    };
    if let Some(host) = &parts.host {
        text.extend([" on ", host]);
    }
    if let Some(port) = parts.port {
        text.extend([":", &port.to_string()]);
    }
    for (preposition, value) in [(" for ", &parts.user), (" in ", &parts.region)] {
        if let Some(value) = value {
            text.extend([preposition, value]);
        }
    }
    if let Some(kind) = &parts.kind_of_key {
        text.extend([", by a key ", kind, "..."]);
    }
    for (before, value) in [
        (", issued to ", &parts.holder),
        (", by ", &parts.issuer),
        (", for ", &parts.audience),
    ] {
        if let Some(value) = value {
            text.extend([before, value]);
        }
    }
    text.trim_start_matches([' ', ',']).to_owned()
}

/// Returns the first thing that a token is not good for, with its cause. What the token does not
/// name is compared with nothing, unless its whole scope is signed.
pub(super) fn first_difference(
    parts: &TokenParts,
    request: &Request,
) -> Option<(Option<&'static str>, String)> {
    if let Some(audience) = &parts.audience
        && (request.provider.is_foreign_audience)(audience)
    {
        let title = request.provider.title;
        let detail = format!("the token is for {audience}, and not for {title}");
        let cause = request.provider.cause_of_difference(TokenPart::Service);
        return Some((cause, detail));
    }
    let scope = request.scope();
    let region = match (request.provider.region_of)(&request.sign_host) {
        Some(region) => Some(region.to_string()),
        None => request.region.as_ref().map(ToString::to_string),
    };
    let (said_port, port) = (part_as_text(parts.port), part_as_text(scope.port));
    let port = (TokenPart::Port, said_port.as_deref(), port.as_deref());
    let user = (TokenPart::User, parts.user.as_deref(), scope.user);
    let rows = [
        compare_known_part(TokenPart::Service, parts.service.as_deref(), scope.service),
        compare_known_part(TokenPart::Host, parts.host.as_deref(), scope.host),
        port,
        compare_known_part(TokenPart::Action, parts.action.as_deref(), scope.action),
        user,
        (
            TokenPart::Region,
            parts.region.as_deref(),
            region.as_deref(),
        ),
    ];
    for (part, in_token, in_request) in rows {
        let is_whole = parts.signs_whole_scope && matches!(part, TokenPart::Port | TokenPart::User);
        let are_both_known = in_token.is_some() && in_request.is_some();
        if in_token == in_request || !(are_both_known || is_whole) {
            continue;
        }
        let (in_token, in_request) = (in_token.unwrap_or(NONE), in_request.unwrap_or(NONE));
        let part_name = part.as_str();
        let detail =
            format!("the token is for {part_name} {in_token}, and {in_request} is asked for");
        let cause = request.provider.cause_of_difference(part);
        return Some((cause, detail));
    }
    None
}

/// What stands for a part that is not named.
const NONE: &str = "none";

/// A part, what the token says of it, and what is asked for.
type ComparedPart<'a> = (TokenPart, Option<&'a str>, Option<&'a str>);

/// Compares a part that every request has, unless the authority knows no such thing.
fn compare_known_part<'a>(
    part: TokenPart,
    in_token: Option<&'a str>,
    in_request: &'a str,
) -> ComparedPart<'a> {
    let in_request = if in_request.is_empty() {
        None
    } else {
        Some(in_request)
    };
    (part, in_token, in_request)
}

fn part_as_text<T: ToString>(value: Option<T>) -> Option<String> {
    value.map(|value| value.to_string())
}

/// The times of a token.
pub(super) struct TokenLifetime {
    pub(super) issued_at: Time,
    pub(super) expires_at: Time,
    /// The lifetime of a token that nothing cuts short, in seconds; no more than the usual one.
    pub(super) usual_seconds: u32,
    /// The cause of credentials that end early.
    pub(super) cause: Option<&'static str>,
}

/// Judges how long a token lasts, and whether the credentials end before it should.
pub(super) fn judge_lifetime(lifetime: &TokenLifetime, now: Time) -> Finding {
    let whole_lifetime = lifetime.issued_at.until(lifetime.expires_at);
    let lifetime_left = now.until(lifetime.expires_at);
    let times = format!(
        "issued {}, good until {}, {} more",
        lifetime.issued_at.rfc3339(),
        lifetime.expires_at.rfc3339(),
        spoken_duration(lifetime_left)
    );
    if whole_lifetime < lifetime.usual_seconds {
        let detail = format!("{times}: it was cut short, because the credentials end then");
        return Finding::warn(lifetime.cause, detail);
    }
    if lifetime_left < LITTLE_LIFETIME_SECONDS.min(lifetime.usual_seconds)
        && age(lifetime.issued_at, lifetime.expires_at, now) != TokenAge::Fresh
    {
        return Finding::warn(lifetime.cause, times);
    }
    Finding::ok(times)
}

pub(super) fn judge_length(length: usize) -> Finding {
    if length > MAX_TOKEN_LENGTH {
        let detail =
            format!("{length} characters: some programs read no more than {MAX_TOKEN_LENGTH}");
        return Finding::warn("token.cut", detail);
    }
    Finding::ok(format!(
        "{length} characters; password fields and poolers that keep 128 to 1024 cut longer ones"
    ))
}

/// Judges the token that pgcred has written into the passfile. `parts` is `None` for a token that
/// says nothing of itself. The times are those of the index, as far as it knows them: an authority
/// may hand out tokens that it has made some time ago.
pub(super) fn judge_passfile(
    parts: Option<&TokenParts>,
    times: &TokenTimes,
    request: &Request,
    now: Time,
) -> Finding {
    let expires_at = times.expires_at;
    if expires_at <= now {
        let ago = spoken_duration(expires_at.until(now));
        return Finding::warn("schedule", format!("it expired {ago} ago"));
    }
    let lifetime_left = spoken_duration(now.until(expires_at));
    if let Some(parts) = parts
        && let Some((cause, detail)) = first_difference(parts, request)
    {
        return Finding::fail(cause, format!("in the passfile {detail}"));
    }
    let token_issued_at = match parts {
        Some(parts) => parts.issued_at,
        None => None,
    };
    let times = TokenTimes {
        issued_at: times.issued_at.or(token_issued_at),
        ..*times
    };
    if times.age(now) == TokenAge::Stale {
        let detail = format!("it is good for {lifetime_left} more, and nothing has renewed it");
        return Finding::warn("schedule", detail);
    }
    Finding::ok(format!("it is good for {lifetime_left}"))
}

#[cfg(test)]
mod tests;
