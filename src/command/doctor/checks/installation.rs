//! Checks the installation: which pgcred runs, and what of it shells and schedulers use.
//!
//! The checks read PATH, links, start files of shells and files of completions. Two of them wait
//! for a thread of `jobs`: `examine_path` for the version that another pgcred tells, and
//! `examine_schedule` for the files of the tools. Pure are `has_command`, which reads the text of a
//! start file, and `judge_schedule`.

use std::path::Path;

use super::passfile::PassfileText;
use crate::command::doctor::check::Check;
use crate::command::doctor::context::Examination;
use crate::command::doctor::finding::Finding;
use crate::command::refresh::background::{self, BackgroundOutcome};
use crate::passfile::block::Passfile;
use crate::setup::ToolKind;
use crate::sys::child;
use crate::sys::env;
use crate::sys::fs;
use crate::text::quote;
use crate::time::{Time, spoken_duration};

pub(super) const CHECKS: &[Check] = &[
    Check::for_machine(
        "installation.version",
        "the version of pgcred, and the file that runs",
        examine_version,
    ),
    Check::for_machine(
        "installation.path",
        "whether PATH leads to the pgcred that runs",
        examine_path,
    ),
    Check::for_machine(
        "installation.links",
        "the links that make pgcred stand in for `aws`",
        examine_links,
    ),
    Check::for_machine(
        "installation.completions",
        "whether a shell completes pgcred",
        examine_completions,
    ),
    Check::for_machine(
        "installation.hook",
        "whether a shell's start file has pgcred's hook",
        examine_hook,
    ),
    Check::for_machine(
        "installation.schedule",
        "whether a scheduler refreshes, and how that ended",
        examine_schedule,
    ),
];

fn examine_version(examination: &mut Examination<'_>) -> Finding {
    let version = env!("CARGO_PKG_VERSION");
    let path = examination.machine.pgcred.display();
    let library = if cfg!(target_env = "musl") {
        ", musl"
    } else if cfg!(target_env = "gnu") {
        ", gnu"
    } else {
        ""
    };
    let debug = if cfg!(debug_assertions) {
        ", a debug build"
    } else {
        ""
    };
    Finding::ok(format!("pgcred {version}{library}{debug}, {path}"))
}

fn examine_path(examination: &mut Examination<'_>) -> Finding {
    let jobs = &mut examination.jobs;
    let Some(found_program) = &mut jobs.pgcred else {
        return match child::find("pgcred".as_ref()) {
            Some(path) => Finding::ok(format!("PATH leads to {}", path.display())),
            None => Finding::ok("PATH has no pgcred; this one was started by its path"),
        };
    };
    let program = found_program.path.display().to_string();
    let version = match jobs.program_deadline {
        Some(program_deadline) => found_program.text(program_deadline),
        None => None,
    };
    let version = version.unwrap_or("no version was told");
    Finding::warn(
        "install.path",
        format!("PATH leads to another pgcred: {program} ({version})"),
    )
    .with_advice("remove the one that you do not use, or change the order of PATH")
}

fn examine_links(examination: &mut Examination<'_>) -> Finding {
    const NAMES: [&str; 2] = ["pgcred-aws", "aws"];
    let own_path = examination.machine.pgcred.canonicalize().ok();
    let mut link_paths = Vec::new();
    for name in NAMES {
        if let Some(broken_link) = child::find_broken_link(name) {
            let command = format!("rm {}", quote::typed(&broken_link.display().to_string()));
            return Finding::warn(
                "install.link",
                format!("the link {} leads nowhere", broken_link.display()),
            )
            .with_command(command);
        }
        if let Some(program) = child::find(name.as_ref())
            && program.canonicalize().ok() == own_path
        {
            link_paths.push(program.display().to_string());
        }
    }
    if link_paths.is_empty() {
        return Finding::ok("none: `aws` and `pgcred-aws` are not links to pgcred");
    }
    Finding::ok(format!("{} leads to this pgcred", link_paths.join(" and ")))
}

/// The files of completions, in the home directory and of the system.
const COMPLETIONS_OF_USER: [&str; 4] = [
    ".local/share/bash-completion/completions/pgcred",
    ".config/fish/completions/pgcred.fish",
    ".zfunc/_pgcred",
    ".zsh/completions/_pgcred",
];
const COMPLETIONS_OF_SYSTEM: [&str; 5] = [
    "/usr/share/bash-completion/completions/pgcred",
    "/usr/share/zsh/vendor-completions/_pgcred",
    "/usr/share/zsh/site-functions/_pgcred",
    "/usr/share/fish/vendor_completions.d/pgcred.fish",
    "/opt/homebrew/share/zsh/site-functions/_pgcred",
];
/// The files that shells read when they start.
const START_FILES: [&str; 14] = [
    ".bashrc",
    ".bash_profile",
    ".profile",
    ".zshrc",
    ".config/fish/config.fish",
    ".config/fish/conf.d/pgcred.fish",
    ".config/nushell/config.nu",
    "Library/Application Support/nushell/config.nu",
    ".config/elvish/rc.elv",
    ".xonshrc",
    ".config/xonsh/rc.xsh",
    ".tcshrc",
    ".cshrc",
    ".config/powershell/Microsoft.PowerShell_profile.ps1",
];

fn examine_completions(examination: &mut Examination<'_>) -> Finding {
    let home = &examination.machine.home;
    let mut files: Vec<_> = COMPLETIONS_OF_SYSTEM
        .iter()
        .map(Path::new)
        .map(Path::to_owned)
        .collect();
    files.extend(COMPLETIONS_OF_USER.iter().map(|file| home.join(file)));
    for file in files {
        if fs::stamp_of_file(&file).is_some() {
            return Finding::ok(file.display().to_string());
        }
    }
    match start_file_with(home, "pgcred completions") {
        Some(file) => Finding::ok(file),
        None => Finding::skip("none is seen where shells usually look for them"),
    }
}

fn examine_hook(examination: &mut Examination<'_>) -> Finding {
    if env::var_os("PGCRED_SEGMENT").is_some() {
        return Finding::ok("the shell that started this has it: PGCRED_SEGMENT is set");
    }
    match start_file_with(&examination.machine.home, "pgcred init") {
        Some(file) => Finding::ok(file),
        None => Finding::skip("none is seen in the start files of shells"),
    }
}

/// Returns the start file that has this command, outside a comment.
fn start_file_with(home: &Path, command: &str) -> Option<String> {
    for name in START_FILES {
        let path = home.join(name);
        let text = fs::read(&path).unwrap_or_default();
        if has_command(&String::from_utf8_lossy(&text), command) {
            return Some(path.display().to_string());
        }
    }
    None
}

fn has_command(text: &str, command: &str) -> bool {
    let is_there = |line: &str| !line.trim_start().starts_with('#') && line.contains(command);
    text.lines().any(is_there)
}

fn examine_schedule(examination: &mut Examination<'_>) -> Finding {
    let last_outcome = background::last_outcome(examination.app.preferences.config_path.as_deref());
    let deadline = examination.deadline;
    let Some(tools) = examination.jobs.tools(deadline) else {
        return Finding::skip("the schedulers did not answer in time");
    };
    let mut schedulers = Vec::new();
    for tool in tools {
        if tool.kind == ToolKind::Scheduler && !tool.set_up.is_empty() {
            schedulers.push(tool.name);
        }
    }
    let usual_scheduler = examination.machine.os.scheduler();
    judge_schedule(&schedulers, last_outcome, has_live_token(), usual_scheduler)
}

/// Tells whether a token of pgcred's in the passfile is still good.
fn has_live_token() -> bool {
    let Ok(passfile) = PassfileText::read() else {
        return false;
    };
    let Ok(block) = Passfile::parse(&passfile.bytes) else {
        return false;
    };
    let now = Time::now();
    let mut expiries = block
        .token_lines()
        .filter_map(|line| block.expires_at(line));
    expiries.any(|expiry| expiry > now)
}

/// Judges how the last run in the background ended, which is a scheduler's or a hook's.
///
/// A scheduler that has not run yet may be minutes old, and that is no fault while the passfile has
/// a live token. Whoever never runs is found when that has ended.
fn judge_schedule(
    schedulers: &[&str],
    last_outcome: Option<BackgroundOutcome>,
    has_live_token: bool,
    usual_scheduler: &str,
) -> Finding {
    /// A scheduler runs every two minutes at most; a machine may have slept.
    const MAX_PAUSE_SECONDS: u32 = 15 * 60;
    const CAUSE: &str = "schedule";
    let scheduler_names = schedulers.join(" and ");
    let Some(last_outcome) = last_outcome else {
        if schedulers.is_empty() {
            return Finding::ok("no scheduler is set up");
        }
        let detail =
            format!("{scheduler_names} is set up and has not run yet; it runs every two minutes");
        if has_live_token {
            return Finding::ok(detail);
        }
        return Finding::warn(CAUSE, detail).with_command("pgcred refresh");
    };
    let seconds_ago = last_outcome.ended_at.until(Time::now());
    let ago = spoken_duration(seconds_ago);
    if let Some(error) = last_outcome.error {
        return Finding::warn(CAUSE, format!("the last run, {ago} ago, failed: {error}"))
            .with_command("pgcred refresh");
    }
    if schedulers.is_empty() {
        return Finding::ok(format!(
            "no scheduler is set up; the last run was {ago} ago"
        ));
    }
    if seconds_ago > MAX_PAUSE_SECONDS {
        return Finding::warn(
            CAUSE,
            format!("{scheduler_names} is set up, and the last run was {ago} ago"),
        )
        .with_command(format!("pgcred setup {usual_scheduler}"));
    }
    Finding::ok(format!("{scheduler_names}, the last run was {ago} ago"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    #[test]
    fn a_command_in_a_comment_is_none() {
        assert!(has_command(
            "a\n eval \"$(pgcred init bash)\"\n",
            "pgcred init"
        ));
        assert!(!has_command(
            "  # eval \"$(pgcred init bash)\"\n",
            "pgcred init"
        ));
        assert!(!has_command("", "pgcred init"));
    }

    #[test]
    fn a_schedule_is_judged_by_its_last_run() {
        let ago = |seconds: i64, error: Option<&str>| {
            Some(BackgroundOutcome {
                ended_at: Time::from_unix(Time::now().unix() - seconds),
                error: error.map(str::to_owned),
            })
        };
        for (schedulers, last_outcome, status, says) in [
            (&[][..], None, FindingStatus::Ok, "no scheduler is set up"),
            (
                &[][..],
                ago(60, None),
                FindingStatus::Ok,
                "no scheduler is set up; the last run was",
            ),
            (
                &[][..],
                ago(60, Some("no network")),
                FindingStatus::Warn,
                "failed: no network",
            ),
            (
                &["cron"][..],
                None,
                FindingStatus::Warn,
                "cron is set up and has not run yet",
            ),
            (
                &["cron"][..],
                ago(60, None),
                FindingStatus::Ok,
                "cron, the last run was 60 s ago",
            ),
            (
                &["cron"][..],
                ago(86_400, None),
                FindingStatus::Warn,
                "the last run was 24 h ago",
            ),
            (
                &["cron"][..],
                ago(60, Some("no login")),
                FindingStatus::Warn,
                "failed: no login",
            ),
        ] {
            let finding = judge_schedule(schedulers, last_outcome, false, "cron");
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(
                finding.detail.contains(says),
                "{} not in {}",
                says,
                finding.detail
            );
            let has_cause = finding.cause == Some("schedule");
            assert_eq!(has_cause, status == FindingStatus::Warn);
        }
    }

    #[test]
    fn a_scheduler_that_has_not_run_yet_is_no_fault_while_tokens_live() {
        for (has_live_token, status) in [(true, FindingStatus::Ok), (false, FindingStatus::Warn)] {
            let finding = judge_schedule(&["cron"], None, has_live_token, "cron");
            assert_eq!(finding.status, status, "{}", finding.detail);
            let refreshes = finding.commands == ["pgcred refresh"];
            assert_eq!(refreshes, !has_live_token, "{:?}", finding.commands);
        }
    }
}
