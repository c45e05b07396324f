//! Checks the environment: libpq's variables that change what a client does with the target.
//!
//! ```text
//! mod        a password, an address, demands and settings
//!  +--> service    PGSERVICE and the entry that it names
//!  +--> tls        PGSSLMODE, PGSSLROOTCERT and what else is about TLS
//! ```
//!
//! The value of PGPASSWORD is never shown.

mod service;
mod tls;

use super::passfile::unset_command;
use super::token_judges::first_difference;
use crate::command::doctor::check::Check;
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::{Finding, FindingStatus};
use crate::command::doctor::redact::RedactedKind;
use crate::passfile::libpq_match::PasswordKind;
use crate::provider::Provider;
use crate::sys::env;
use crate::text;
use crate::time::{Time, spoken_duration};

pub(super) const CHECKS: &[Check] = &[
    Check::for_target(
        "environment.password",
        "whether PGPASSWORD hides the token",
        examine_password,
    ),
    Check::for_target(
        "environment.service",
        "what PGSERVICE changes for the target",
        service::examine_service,
    ),
    Check::for_target(
        "environment.address",
        "whether PGHOSTADDR leads elsewhere",
        examine_address,
    ),
    Check::for_target(
        "environment.tls",
        "whether PGSSL* variables let TLS verify the target",
        tls::examine_tls,
    ),
    Check::for_target(
        "environment.demands",
        "whether a variable demands what the server lacks",
        examine_demands,
    ),
    Check::for_target(
        "environment.options",
        "whether PGOPTIONS has settings that the server takes",
        examine_options,
    ),
];

const NO_PASSWORD: &str = "PGPASSWORD is not set";

/// Returns a value as a text of one short line.
fn shown_value(value: &str) -> String {
    text::shortened(&text::printable(value), 80)
}

fn examine_password(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Some(password) = env::var("PGPASSWORD") else {
        return Finding::ok(NO_PASSWORD);
    };
    let kind = PasswordKind::from_password(password.as_bytes(), |text| examined.kind_of(text));
    let provider = examined.request.provider;
    let finding = judge_password(&kind, provider.title, Time::now());
    let authority = provider.authority;
    if finding.status == FindingStatus::Ok
        && let Some(parts) = authority.read_token(&password).parts()
        && let Some((cause, detail)) = first_difference(&parts, examined.request)
    {
        return Finding::fail(cause, format!("PGPASSWORD: {detail}"))
            .with_command(unset_command("PGPASSWORD"));
    }
    finding
}

/// Judges the value of PGPASSWORD. `title` is that of the provider of the target.
fn judge_password(kind: &PasswordKind, title: &str, now: Time) -> Finding {
    let finding = match kind {
        PasswordKind::Empty => return Finding::ok(NO_PASSWORD),
        PasswordKind::Token(expiry) if *expiry > now => {
            let lifetime_left = spoken_duration(now.until(*expiry));
            return Finding::ok(format!(
                "PGPASSWORD is a token, which lasts {lifetime_left} more"
            ));
        }
        PasswordKind::Token(expiry) => {
            let ago = spoken_duration(expiry.until(now));
            let detail = format!("PGPASSWORD is a token that expired {ago} ago");
            Finding::fail("token.pasted", detail)
        }
        PasswordKind::Unreadable => {
            return Finding::ok(
                "PGPASSWORD is set, and clients use it before the passfile; whether it is a token \
                 cannot be seen",
            );
        }
        PasswordKind::Other => {
            let detail = format!(
                "PGPASSWORD is set, but not to a token of {title}: clients use it before the \
                 passfile"
            );
            Finding::fail("env.password", detail)
        }
    };
    finding.with_command(unset_command("PGPASSWORD"))
}

fn examine_address(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_address(
        env::var("PGHOSTADDR").as_deref(),
        examined.request.keyword("hostaddr"),
    )
}

fn judge_address(variable: Option<&str>, target_address: Option<&str>) -> Finding {
    match (variable, target_address) {
        (None, None) => Finding::ok("PGHOSTADDR is not set"),
        (None, Some(target_address)) => Finding::ok(format!(
            "the target has the address {}",
            shown_value(target_address)
        )),
        (Some(variable), Some(target_address)) if variable == target_address => {
            Finding::ok(format!(
                "PGHOSTADDR is the target's, {}",
                shown_value(target_address)
            ))
        }
        (Some(variable), _) => Finding::warn(
            "env.address",
            format!(
                "PGHOSTADDR is {}: clients dial it for every host",
                shown_value(variable)
            ),
        )
        .naming(RedactedKind::Address, variable)
        .with_advice("name the address in the connection that needs it")
        .with_command(unset_command("PGHOSTADDR")),
    }
}

/// A variable, whether its value demands what no token meets, the cause, and why.
struct VariableDemand {
    name: &'static str,
    is_too_much: fn(&str) -> bool,
    cause: &'static str,
    reason: &'static str,
}

const DEMANDS: [VariableDemand; 4] = [
    VariableDemand {
        name: "PGREQUIREAUTH",
        is_too_much: forbids_password,
        cause: "tool.require_auth",
        reason: "a token is sent as a password",
    },
    VariableDemand {
        name: "PGCHANNELBINDING",
        is_too_much: is_require,
        cause: "tool.channel",
        reason: "a token is sent without channel binding",
    },
    VariableDemand {
        name: "PGGSSENCMODE",
        is_too_much: is_require,
        cause: "env.require",
        reason: "the server has no GSSAPI",
    },
    VariableDemand {
        name: "PGSSLCERTMODE",
        is_too_much: is_require,
        cause: "env.require",
        reason: "the server asks for no certificate of the client's",
    },
];

fn is_require(value: &str) -> bool {
    value == "require"
}

/// Tells whether a list of methods leaves out the sending of a password: it either names what is
/// allowed, or, with `!` before each, what is not.
fn forbids_password(value: &str) -> bool {
    let methods: Vec<&str> = value.split(',').map(str::trim).collect();
    if methods.iter().any(|method| method.starts_with('!')) {
        return methods.contains(&"!password");
    }
    !methods.contains(&"password")
}

fn examine_demands(_: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_demands(env::var)
}

fn judge_demands(variable: impl Fn(&str) -> Option<String>) -> Finding {
    for demand in DEMANDS {
        let VariableDemand { name, reason, .. } = demand;
        if let Some(value) = variable(name)
            && (demand.is_too_much)(&value)
        {
            let detail = format!("{name} is {}: {reason}", shown_value(&value));
            return Finding::fail(demand.cause, detail).with_command(unset_command(name));
        }
    }
    Finding::ok("no variable demands more than the server offers")
}

fn examine_options(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_options(env::var("PGOPTIONS").as_deref(), examined.request.provider)
}

fn judge_options(options: Option<&str>, provider: &Provider) -> Finding {
    let Some(options) = options else {
        return Finding::ok("PGOPTIONS is not set");
    };
    let detail = format!("PGOPTIONS is {}", shown_value(options));
    match provider.cause_of_settings {
        Some(cause) => {
            let title = provider.title;
            Finding::warn(cause, format!("{detail}: {title} refuses most settings"))
                .with_command(unset_command("PGOPTIONS"))
        }
        None => Finding::ok(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;
    use crate::provider;

    #[test]
    fn a_password_in_the_environment_is_judged_without_showing_it() {
        let now = Time::from_unix(1_800_000_000);
        let before = Time::from_unix(now.unix() - 60);
        for (kind, status, cause) in [
            (PasswordKind::Empty, FindingStatus::Ok, None),
            (PasswordKind::Token(now.plus(60)), FindingStatus::Ok, None),
            (PasswordKind::Unreadable, FindingStatus::Ok, None),
            (
                PasswordKind::Token(before),
                FindingStatus::Fail,
                Some("token.pasted"),
            ),
            (
                PasswordKind::Other,
                FindingStatus::Fail,
                Some("env.password"),
            ),
        ] {
            let finding = judge_password(&kind, "Fake", now);
            let is_other = kind == PasswordKind::Other;
            assert_eq!(finding.detail.contains("not to a token of Fake"), is_other);
            assert_eq!(
                (finding.status, finding.cause),
                (status, cause),
                "{}",
                finding.detail
            );
        }
    }

    #[test]
    fn an_address_for_every_host_is_in_the_way_unless_it_is_the_targets() {
        for (variable, own, status) in [
            (None, None, FindingStatus::Ok),
            (None, Some("10.0.0.1"), FindingStatus::Ok),
            (Some("10.0.0.1"), Some("10.0.0.1"), FindingStatus::Ok),
            (Some("10.0.0.2"), Some("10.0.0.1"), FindingStatus::Warn),
            (Some("10.0.0.2"), None, FindingStatus::Warn),
        ] {
            assert_eq!(
                judge_address(variable, own).status,
                status,
                "{variable:?} {own:?}"
            );
        }
    }

    #[test]
    fn a_demand_that_no_token_meets_is_found() {
        for (name, value, is_too_much) in [
            ("PGREQUIREAUTH", "scram-sha-256", true),
            ("PGREQUIREAUTH", "scram-sha-256, password", false),
            ("PGREQUIREAUTH", "!md5,!password", true),
            ("PGREQUIREAUTH", "!md5", false),
            ("PGCHANNELBINDING", "require", true),
            ("PGCHANNELBINDING", "prefer", false),
            ("PGGSSENCMODE", "require", true),
            ("PGGSSENCMODE", "disable", false),
            ("PGSSLCERTMODE", "require", true),
            ("PGSSLCERTMODE", "allow", false),
        ] {
            let finding = judge_demands(|asked| (asked == name).then(|| value.to_owned()));
            let status = if is_too_much {
                FindingStatus::Fail
            } else {
                FindingStatus::Ok
            };
            assert_eq!(finding.status, status, "{name}={value}");
        }
    }

    #[test]
    fn settings_are_in_the_way_of_dsql_alone() {
        let dsql = provider::from_name("dsql").expect("it is in the table");
        let rds = provider::from_name("rds").expect("it is in the table");
        assert_eq!(judge_options(None, dsql).status, FindingStatus::Ok);
        assert_eq!(judge_options(Some("-c a=b"), rds).status, FindingStatus::Ok);
        let finding = judge_options(Some("-c a=b"), dsql);
        assert_eq!(finding.cause, Some("dsql.param"));
        assert!(finding.detail.contains("Aurora DSQL refuses"));
    }
}
