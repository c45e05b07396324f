//! Checks the passfile's answer: what libpq takes from it for one target, and why.
//!
//! `passfile_facts` looks up each address that clients dial, with the rules of libpq in
//! `passfile::libpq_match`. `judge_entry` and the functions below it are pure: they say whose line
//! is taken, how old its token is, and which line nearly fits. Only `has_scheduler` waits, for the
//! files of the tools.

use super::passfile::PassfileText;
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::{Finding, FindingStatus};
use crate::command::line_owners;
use crate::passfile::block::{Passfile, PassfileLine};
use crate::passfile::libpq_match::{
    LineDifference, PassfileMatch, PasswordKind, libpq_match, near_miss,
};
use crate::setup::ToolKind;
use crate::text::quote;
use crate::time::{Time, spoken_duration};

pub(super) const CHECKS: &[Check] = &[Check {
    id: "passfile.entry",
    about: "what libpq takes from the passfile for the target, and why",
    level: CheckLevel::Offline,
    needs: &["passfile.mode", "passfile.block"],
    examine: Examine::Target(examine_entry),
}];

/// What the passfile says of a target.
struct PassfileFacts {
    answer: Option<PassfileMatch>,
    near_miss: Option<(usize, LineDifference)>,
    /// When the token in pgcred's own line expires.
    own_expiry: Option<Time>,
    /// Whether an earlier connection has the target's line.
    is_line_of_another_connection: bool,
    /// Whether a scheduler refreshes it.
    is_scheduled: bool,
}

fn examine_entry(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let passfile = match PassfileText::read() {
        Ok(passfile) => passfile,
        Err(reason) => return without_password(Finding::skip(reason), refresh_of(&examined.name)),
    };
    let is_scheduled = examined.request.connection.is_some() && has_scheduler(examined);
    let mut first = None;
    for line in examined.request.dialled_lines() {
        let facts = passfile_facts(examined, &passfile.bytes, &line, is_scheduled);
        let finding = judge_entry(&facts, &examined.name, Time::now());
        if finding.status != FindingStatus::Ok {
            return finding;
        }
        first = first.or(Some(finding));
    }
    first.unwrap_or_else(|| Finding::skip("the target has no address"))
}

/// Returns what the passfile says of one address that clients of the target dial.
fn passfile_facts(
    examined: &ExaminedTarget<'_, '_>,
    text: &[u8],
    line: &PassfileLine,
    is_scheduled: bool,
) -> PassfileFacts {
    let dbname = &examined.request.dbname;
    let mut own_expiry = None;
    if let Ok(own_passfile) = Passfile::parse(text)
        && let Some(expires_at) = own_passfile.expires_at(line)
    {
        own_expiry = Some(expires_at);
    }
    PassfileFacts {
        answer: libpq_match(text, line, dbname, |password| examined.kind_of(password)),
        near_miss: near_miss(text, line, dbname),
        own_expiry,
        is_line_of_another_connection: examined.request.connection.as_ref().is_some_and(|name| {
            line_owners::is_owned_by_another(name, line, &examined.examination.app.preferences)
        }),
        is_scheduled,
    }
}

fn has_scheduler(examined: &mut ExaminedTarget<'_, '_>) -> bool {
    let deadline = examined.examination.deadline;
    let tools = examined.examination.jobs.tools(deadline).unwrap_or(&[]);
    let mut schedulers = tools.iter().filter(|tool| tool.kind == ToolKind::Scheduler);
    schedulers.any(|tool| !tool.set_up.is_empty())
}

fn judge_entry(facts: &PassfileFacts, target: &str, now: Time) -> Finding {
    let refresh = refresh_of(target);
    match &facts.answer {
        Some(answer) if answer.is_pgcreds => {
            judge_pgcred_line(answer.line, facts.own_expiry, now, refresh)
        }
        Some(answer) => judge_user_line(answer, now, &refresh),
        None => judge_absence(facts, refresh),
    }
}

/// Judges the line of pgcred that libpq takes.
fn judge_pgcred_line(line: usize, expiry: Option<Time>, now: Time, refresh: String) -> Finding {
    match expiry {
        Some(expiry) if expiry <= now => {
            let ago = spoken_duration(expiry.until(now));
            let detail = format!("line {line} is pgcred's, and its token expired {ago} ago");
            Finding::fail("token.expired", detail).with_command(refresh)
        }
        Some(expiry) => {
            let lifetime_left = spoken_duration(now.until(expiry));
            Finding::ok(format!(
                "line {line}, which is pgcred's; the token lasts {lifetime_left} more"
            ))
        }
        None => Finding::ok(format!("line {line}, which is pgcred's")),
    }
}

/// Judges the line of the user's that libpq takes, which hides pgcred's if there is one.
fn judge_user_line(answer: &PassfileMatch, now: Time, refresh: &str) -> Finding {
    let line = answer.line;
    let finding = match answer.password {
        PasswordKind::Token(expiry) if expiry <= now => {
            let ago = spoken_duration(expiry.until(now));
            let detail = format!("line {line} of yours has a token that expired {ago} ago");
            Finding::fail("token.pasted", detail)
        }
        PasswordKind::Token(expiry) => {
            let lifetime_left = spoken_duration(now.until(expiry));
            let detail =
                format!("line {line} of yours has a token that lasts {lifetime_left} more");
            Finding::warn("token.pasted", detail)
        }
        PasswordKind::Empty => {
            let detail =
                format!("line {line} of yours has no password, and libpq looks no further");
            Finding::fail("passfile.shadow", detail)
        }
        PasswordKind::Other => {
            let detail = format!("line {line} of yours has a password that is not a token for it");
            Finding::fail("passfile.shadow", detail)
        }
        PasswordKind::Unreadable => {
            return Finding::ok(format!(
                "line {line}, which is yours; whether it has a token cannot be seen"
            ));
        }
    };
    finding
        .with_advice(format!(
            "delete line {line}, or move it below pgcred's; then `{refresh}`"
        ))
        .with_command(refresh)
}

fn judge_absence(facts: &PassfileFacts, refresh: String) -> Finding {
    if facts.is_line_of_another_connection {
        return Finding::ok("none: its line belongs to an earlier connection; use `pgcred exec`");
    }
    if let Some((line, difference)) = facts.near_miss {
        let reason = difference.as_str();
        let detail = format!("no line matches; line {line} of yours would, but it {reason}");
        return Finding::warn("passfile.key", detail).with_command(refresh);
    }
    if facts.is_scheduled {
        let detail = "no line matches, although a scheduler refreshes the passfile";
        return Finding::warn("schedule", detail).with_command(refresh);
    }
    without_password(Finding::ok("no line matches"), refresh)
}

fn refresh_of(target: &str) -> String {
    format!("pgcred refresh {}", quote::typed(target))
}

/// Says how the passfile gets a password. It is no warning: who uses `pgcred exec`, or a tool that
/// runs pgcred, needs none there.
fn without_password(finding: Finding, refresh: String) -> Finding {
    finding
        .with_advice(
            "the passfile has no password for it, so clients that read the file say `no password \
             supplied`, or ask for one",
        )
        .with_command(refresh)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(1_800_000_000);

    fn none() -> PassfileFacts {
        PassfileFacts {
            answer: None,
            near_miss: None,
            own_expiry: None,
            is_line_of_another_connection: false,
            is_scheduled: false,
        }
    }

    fn with(is_pgcreds: bool, password: PasswordKind, own_expiry: Option<Time>) -> PassfileFacts {
        PassfileFacts {
            answer: Some(PassfileMatch {
                line: 3,
                is_pgcreds,
                password,
            }),
            own_expiry,
            ..none()
        }
    }

    #[test]
    fn what_libpq_takes_is_judged() {
        let (soon, before) = (NOW.plus(600), Time::from_unix(NOW.unix() - 600));
        let token = PasswordKind::Token;
        let near = PassfileFacts {
            near_miss: Some((9, LineDifference::Port)),
            ..none()
        };
        let scheduled = PassfileFacts {
            is_scheduled: true,
            ..none()
        };
        let of_another = PassfileFacts {
            is_line_of_another_connection: true,
            is_scheduled: true,
            ..none()
        };
        for (facts, status, cause, says) in [
            (none(), FindingStatus::Ok, None, "no line matches"),
            (
                near,
                FindingStatus::Warn,
                Some("passfile.key"),
                "line 9 of yours would, but it has another",
            ),
            (
                scheduled,
                FindingStatus::Warn,
                Some("schedule"),
                "although a scheduler",
            ),
            (
                of_another,
                FindingStatus::Ok,
                None,
                "belongs to an earlier connection",
            ),
            (
                with(true, token(soon), Some(soon)),
                FindingStatus::Ok,
                None,
                "lasts 10 min more",
            ),
            (
                with(true, PasswordKind::Other, None),
                FindingStatus::Ok,
                None,
                "line 3, which is pgcred's",
            ),
            (
                with(true, token(before), Some(before)),
                FindingStatus::Fail,
                Some("token.expired"),
                "its token expired 10 min ago",
            ),
            (
                with(false, token(before), None),
                FindingStatus::Fail,
                Some("token.pasted"),
                "line 3 of yours has a token that expired",
            ),
            (
                with(false, token(soon), None),
                FindingStatus::Warn,
                Some("token.pasted"),
                "line 3 of yours has a token that lasts",
            ),
            (
                with(false, PasswordKind::Other, Some(soon)),
                FindingStatus::Fail,
                Some("passfile.shadow"),
                "line 3 of yours has a password that is not a token for it",
            ),
            (
                with(false, PasswordKind::Unreadable, None),
                FindingStatus::Ok,
                None,
                "line 3, which is yours",
            ),
            (
                with(false, PasswordKind::Empty, None),
                FindingStatus::Fail,
                Some("passfile.shadow"),
                "looks no further",
            ),
        ] {
            let finding = judge_entry(&facts, "my db", NOW);
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert_eq!(finding.cause, cause, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
            let has_command = !finding.commands.is_empty();
            let is_note = finding.detail == "no line matches";
            assert_eq!(has_command, status != FindingStatus::Ok || is_note);
        }
    }
}
