//! Checks the token: what it has to be good for, and what it says of itself. The text of a token is
//! never shown.
//!
//! The first checks look at the request alone, the others at the token that `token.issued` has got;
//! with `--offline` at the one that is cached.

use super::credentials::signer_summary;
use super::token_judges::{
    TokenLifetime, judge_host, judge_length, judge_lifetime, judge_passfile, judge_region,
    judge_replication, judge_scope, judge_user,
};
use crate::cache::Cache;
use crate::command::doctor::check::Check;
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::{Finding, FindingStatus};
use crate::command::passfile_option::PassfileOption;
use crate::error::{Error, ErrorReason};
use crate::passfile::block::Passfile;
use crate::sys::fs;
use crate::text::quote;
use crate::time::Time;
use crate::token::{Token, TokenAge, TokenTimes};

pub(super) const CHECKS: &[Check] = &[
    Check::for_target(
        "token.host",
        "whether the token is signed for a name that the server has",
        examine_host,
    ),
    Check::for_target(
        "token.region",
        "whether the region is that of the server",
        examine_region,
    ),
    Check::for_target(
        "token.user",
        "whether the user's name is one that is easily mistyped",
        examine_token_user,
    ),
    Check::for_target(
        "token.replication",
        "whether a connection for replication is asked for",
        examine_replication,
    ),
    Check::for_target(
        "token.scope",
        "whether the token says what the request says",
        examine_scope,
    ),
    Check::for_target(
        "token.life",
        "how long the token is good for",
        examine_lifetime,
    ),
    Check::for_target(
        "token.length",
        "whether the token is longer than clients take",
        examine_length,
    ),
    Check::for_target(
        "token.passfile",
        "whether pgcred's token in the passfile is a good one",
        examine_passfile,
    ),
];

fn examine_host(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_host(examined.request)
}

fn examine_region(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let authority = examined.request.provider.authority;
    if authority.regions().is_none() {
        return Finding::ok(format!("a token of {} has no region", authority.title()));
    }
    let configured_region = match signer_summary(examined) {
        Some(signer) => signer.region,
        None => None,
    };
    let request = examined.request;
    let host_region = (request.provider.region_of)(&request.sign_host);
    let finding = judge_region(
        request.provider,
        host_region.as_ref(),
        request.region.as_ref(),
        configured_region,
    );
    let (FindingStatus::Fail, Some(region)) = (finding.status, host_region) else {
        return finding;
    };
    // A variable or a profile never wins over the host.
    let place = match &request.connection {
        Some(name) => format!("delete `region` in [connections.{name}], or leave out --region"),
        None => "leave out --region".to_owned(),
    };
    let target = quote::typed(&examined.name);
    finding
        .with_advice(format!("{place}: pgcred reads it from the host"))
        .with_command(format!("pgcred doctor {target} --region {region}"))
}

fn examine_token_user(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_user(examined.request)
}

fn examine_replication(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_replication(examined.request)
}

/// Judges the token that is known, if one is.
fn with_token(
    examined: &mut ExaminedTarget<'_, '_>,
    judge: impl FnOnce(&ExaminedTarget<'_, '_>, &Token) -> Finding,
) -> Finding {
    if let Some(token) = examined.token.take() {
        let finding = judge(examined, &token);
        examined.token = Some(token);
        return finding;
    }
    match examined
        .examination
        .app
        .issuer
        .cached_token(examined.request, TokenAge::Stale)
    {
        Some(issued) => judge(examined, &issued.token),
        None => Finding::skip("there is no token to look at"),
    }
}

fn examine_scope(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    with_token(examined, |examined, token| {
        let request = examined.request;
        match request
            .provider
            .authority
            .read_token(token.expose())
            .parts()
        {
            Some(parts) => judge_scope(&parts, request),
            None => Finding::ok("the token says nothing of itself"),
        }
    })
}

fn examine_lifetime(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    with_token(examined, |examined, token| {
        let provider = examined.request.provider;
        // No hint: it is not shown, the finding has the cause's advice.
        let expired = Error::login("the credentials have expired").because(ErrorReason::Expired);
        let lifetime = TokenLifetime {
            issued_at: token.issued_at,
            expires_at: token.expires_at,
            usual_seconds: if provider.authority.decides_lifetime() {
                0
            } else {
                examined
                    .request
                    .lifetime_seconds
                    .min(provider.default_lifetime_seconds)
            },
            cause: provider.authority.cause_of(&expired),
        };
        judge_lifetime(&lifetime, Time::now())
    })
}

fn examine_length(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    with_token(examined, |_, token| judge_length(token.expose().len()))
}

/// Looks at the line that pgcred has written for the target.
fn examine_passfile(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Ok(path) = PassfileOption::default().path() else {
        return Finding::skip("no home directory is passfile");
    };
    let text = match fs::read_if_plain(&path) {
        Ok(text) => text.unwrap_or_default(),
        Err(error) => return Finding::skip(error.to_string()),
    };
    let line = examined.request.passfile_line();
    let passfile = match Passfile::parse(&text) {
        Ok(passfile) => passfile,
        Err(error) => return Finding::skip(error.to_string()),
    };
    let Some(expires_at) = passfile.expires_at(&line) else {
        return Finding::ok("pgcred has written none for this target");
    };
    let text = passfile.token(&line, expires_at).unwrap_or_default();
    let request = examined.request;
    let parts = request.provider.authority.read_token(&text).parts();
    let index = examined.examination.app.issuer.cache().map(Cache::index);
    let record = match &index {
        Some(index) => index.record_of(&text),
        None => None,
    };
    let times = TokenTimes {
        issued_at: record.map(|record| record.issued_at),
        fresh_until: record.map(|record| record.fresh_until),
        expires_at,
    };
    judge_passfile(parts.as_ref(), &times, request, Time::now())
}
