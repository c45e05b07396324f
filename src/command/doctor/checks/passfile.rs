//! Checks the passfile: which file clients read, and whether they can read it and pgcred can write
//! it.
//!
//! Each check reads the file, or its state, when its turn comes. `judge_choice`, `judge_mode`,
//! `judge_block` and `judge_lines` are pure. Only the check of the git repository waits: for the
//! answer of git, until `jobs.program_deadline`.

use std::path::{Path, PathBuf};

use crate::command::doctor::check::Check;
use crate::command::doctor::context::Examination;
use crate::command::doctor::finding::Finding;
use crate::command::doctor::redact::RedactedKind;
use crate::command::passfile_option::PassfileOption;
use crate::error::Exit;
use crate::passfile::block::Passfile;
use crate::passfile::survey::survey_of_lines;
use crate::sys::env;
use crate::sys::fs::{self, FileState};
use crate::text::quote;

pub(super) const CHECKS: &[Check] = &[
    Check::for_machine("passfile.file", "which passfile clients read", examine_file),
    Check::for_machine(
        "passfile.mode",
        "whether clients accept the passfile's kind, mode and owner",
        examine_mode,
    ),
    Check::for_machine(
        "passfile.repository",
        "whether git would publish the passfile",
        examine_repository,
    ),
    Check::for_machine(
        "passfile.block",
        "whether pgcred's lines in the passfile are whole",
        examine_block,
    ),
    Check::for_machine(
        "passfile.lines",
        "whether every client can read your lines in it",
        examine_lines,
    ),
];

/// The passfile's path and text.
pub(super) struct PassfileText {
    pub(super) path: PathBuf,
    pub(super) bytes: Vec<u8>,
}

impl PassfileText {
    /// Reads the passfile that clients read. Without one the reason is returned, in words.
    pub(super) fn read() -> Result<Self, String> {
        let path = match PassfileOption::default().path() {
            Ok(path) => path,
            Err(error) => return Err(error.to_string()),
        };
        match fs::read(&path) {
            Some(bytes) => Ok(Self { path, bytes }),
            None => Err(format!("there is no passfile {} to read", path.display())),
        }
    }
}

/// How a client finds its passfile.
struct ClientPassfile {
    is_in_exec: bool,
    /// PGPASSFILE, as the user has set it.
    variable: Option<PathBuf>,
    usual_path: Option<PathBuf>,
    exists: bool,
    /// The home directory of the account, if HOME is another.
    other_home: Option<PathBuf>,
    is_in_windows: bool,
}

fn examine_file(_: &mut Examination<'_>) -> Finding {
    let variable = env::passfile();
    let usual_path = env::default_passfile();
    let exists = variable
        .as_ref()
        .or(usual_path.as_ref())
        .is_some_and(|path| fs::file_state(path).is_some());
    judge_choice(&ClientPassfile {
        is_in_exec: env::is_in_exec(),
        variable,
        usual_path,
        exists,
        other_home: env::other_home(),
        is_in_windows: env::is_in_windows(),
    })
}

/// What is wrong with the choice of the file.
const CAUSE: &str = "env.passfile";

fn judge_choice(choice: &ClientPassfile) -> Finding {
    if choice.is_in_exec {
        return Finding::ok("this is inside `pgcred exec`, whose program reads a private passfile");
    }
    if let Some(path) = &choice.variable {
        return judge_variable(path, choice.exists);
    }
    let Some(path) = &choice.usual_path else {
        return Finding::warn(
            CAUSE,
            "no home directory is known, so no client has a passfile",
        );
    };
    let shown_path = path.display();
    if let Some(home) = &choice.other_home {
        let home = home.display().to_string();
        let quoted = quote::typed(&shown_path.to_string());
        return Finding::warn(
            "passfile.home",
            format!(
                "{shown_path}, but libpq 14 and older, pgx 4 and pgjdbc read the one in {home}, \
                 which is the account's home directory and not HOME"
            ),
        )
        .with_command(format!("export PGPASSFILE={quoted}"))
        .naming(RedactedKind::Name, home);
    }
    if choice.is_in_windows {
        return Finding::ok(format!(
            "{shown_path}; programs of Windows read another file, \
             %APPDATA%\\postgresql\\pgpass.conf"
        ));
    }
    Finding::ok(shown_path.to_string())
}

/// Judges PGPASSFILE.
fn judge_variable(path: &Path, exists: bool) -> Finding {
    let shown_path = path.display();
    if path.starts_with("~") {
        return Finding::fail(
            CAUSE,
            format!("PGPASSFILE is {shown_path}: no client expands ~"),
        )
        .with_command(unset_command("PGPASSFILE"));
    }
    if path.is_relative() {
        return Finding::warn(
            CAUSE,
            format!("PGPASSFILE is {shown_path}: each client looks in the directory it runs in"),
        );
    }
    if !exists {
        return Finding::warn(
            CAUSE,
            format!("PGPASSFILE is {shown_path}, which does not exist; ~/.pgpass is not read"),
        )
        .with_command(unset_command("PGPASSFILE"));
    }
    Finding::ok(format!("{shown_path}, by PGPASSFILE"))
}

/// Returns the command that unsets a variable.
pub(super) fn unset_command(name: &str) -> String {
    if cfg!(windows) {
        format!("set {name}=")
    } else {
        format!("unset {name}")
    }
}

fn examine_mode(_: &mut Examination<'_>) -> Finding {
    let path = match PassfileOption::default().path() {
        Ok(path) => path,
        Err(error) => return Finding::skip(error.to_string()),
    };
    let state = fs::file_state(&path);
    judge_mode(&path, state.as_ref(), fs::read(&path).is_some())
}

fn judge_mode(path: &Path, state: Option<&FileState>, is_readable: bool) -> Finding {
    const CAUSE_OF_MODE: &str = "passfile.mode";
    let shown_path = path.display();
    let quoted = quote::typed(&shown_path.to_string());
    let Some(state) = state else {
        return Finding::skip(format!("{shown_path} does not exist"));
    };
    if !state.is_plain {
        return Finding::fail(
            CAUSE_OF_MODE,
            format!("{shown_path} is not a plain file: libpq ignores it"),
        )
        .with_advice("move it away; `pgcred refresh` makes a new one");
    }
    if state.is_open_to_others {
        return Finding::fail(
            CAUSE_OF_MODE,
            format!("others have rights to {shown_path}: libpq ignores it"),
        )
        .with_command(format!("chmod 600 {quoted}"));
    }
    if let Some(owner) = &state.other_owner {
        let detail = format!("{shown_path} belongs to {owner}");
        let finding = if is_readable {
            Finding::warn(
                CAUSE_OF_MODE,
                format!("{detail}: pgcred may not be able to change it"),
            )
        } else {
            Finding::fail(CAUSE_OF_MODE, format!("{detail}, and cannot be read"))
        };
        let finding = finding.naming(RedactedKind::User, owner);
        return finding.with_command(format!("sudo chown \"$(id -un)\" {quoted}"));
    }
    if !is_readable {
        return Finding::fail(CAUSE_OF_MODE, format!("{shown_path} cannot be read"))
            .with_command(format!("chmod 600 {quoted}"));
    }
    Finding::ok(format!("{shown_path} is a plain file, for you alone"))
}

fn examine_repository(examination: &mut Examination<'_>) -> Finding {
    let passfile = match PassfileText::read() {
        Ok(passfile) => passfile,
        Err(reason) => return Finding::skip(reason),
    };
    let program_deadline = examination.jobs.program_deadline;
    let (Some(job), Some(program_deadline)) = (&mut examination.jobs.repository, program_deadline)
    else {
        return Finding::skip("it was not looked for");
    };
    match job.get(program_deadline) {
        Some(false) => Finding::ok("no git repository would publish it"),
        Some(true) => {
            let path = passfile.path.display();
            Finding::warn(
                "passfile.git",
                format!("{path} is in a git repository: `git add` would publish its passwords"),
            )
            .with_advice("add the file to .gitignore, or let PGPASSFILE name another file")
        }
        None => Finding::skip("git did not answer in time"),
    }
}

fn examine_block(_: &mut Examination<'_>) -> Finding {
    match PassfileText::read() {
        Ok(passfile) => judge_block(&passfile.bytes),
        Err(reason) => Finding::skip(reason),
    }
}

fn judge_block(text: &[u8]) -> Finding {
    match Passfile::parse(text) {
        Ok(passfile) => match passfile.token_lines().count() {
            0 => Finding::ok("pgcred has no lines in it"),
            1 => Finding::ok("one line is pgcred's"),
            count => Finding::ok(format!("{count} lines are pgcred's")),
        },
        Err(error) => {
            let mut finding = Finding::from_error("passfile.block", &error);
            finding.exit = Exit::Failure;
            finding
        }
    }
}

fn examine_lines(_: &mut Examination<'_>) -> Finding {
    match PassfileText::read() {
        Ok(passfile) => judge_lines(&passfile.bytes),
        Err(reason) => Finding::skip(reason),
    }
}

fn judge_lines(text: &[u8]) -> Finding {
    let remarks = survey_of_lines(text);
    if remarks.is_empty() {
        return Finding::ok("every client can read your lines in it");
    }
    let cause = match std::str::from_utf8(text) {
        Ok(_) => "passfile.bom",
        Err(_) => "passfile.utf8",
    };
    Finding::warn(cause, remarks.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    fn usual() -> ClientPassfile {
        ClientPassfile {
            is_in_exec: false,
            variable: None,
            usual_path: Some(PathBuf::from("/h/.pgpass")),
            exists: true,
            other_home: None,
            is_in_windows: false,
        }
    }

    fn named(path: &str, exists: bool) -> ClientPassfile {
        ClientPassfile {
            variable: Some(PathBuf::from(path)),
            exists,
            ..usual()
        }
    }

    #[test]
    #[cfg_attr(windows, ignore = "the paths are those of Unix")]
    fn the_choice_of_the_file_is_judged() {
        let in_exec = ClientPassfile {
            is_in_exec: true,
            ..named("relative", false)
        };
        let homeless = ClientPassfile {
            usual_path: None,
            ..usual()
        };
        let other_home = ClientPassfile {
            other_home: Some(PathBuf::from("/root")),
            ..usual()
        };
        let in_windows = ClientPassfile {
            is_in_windows: true,
            ..usual()
        };
        for (choice, status, says) in [
            (usual(), FindingStatus::Ok, "/h/.pgpass"),
            (in_exec, FindingStatus::Ok, "inside `pgcred exec`"),
            (
                named("~/x", false),
                FindingStatus::Fail,
                "no client expands ~",
            ),
            (
                named("x", true),
                FindingStatus::Warn,
                "in the directory it runs in",
            ),
            (named("/x", false), FindingStatus::Warn, "does not exist"),
            (named("/x", true), FindingStatus::Ok, "/x, by PGPASSFILE"),
            (homeless, FindingStatus::Warn, "no home directory"),
            (other_home, FindingStatus::Warn, "the one in /root"),
            (in_windows, FindingStatus::Ok, "programs of Windows"),
        ] {
            let finding = judge_choice(&choice);
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
        }
    }

    #[test]
    fn the_mode_is_judged_as_libpq_does() {
        let plain = FileState {
            is_plain: true,
            is_open_to_others: false,
            other_owner: None,
        };
        let pipe = FileState {
            is_plain: false,
            ..plain.clone()
        };
        let open = FileState {
            is_open_to_others: true,
            ..plain.clone()
        };
        let foreign = FileState {
            other_owner: Some("eve".to_owned()),
            ..plain.clone()
        };
        for (state, is_readable, status, says) in [
            (None, false, FindingStatus::Skip, "does not exist"),
            (Some(&plain), true, FindingStatus::Ok, "for you alone"),
            (Some(&plain), false, FindingStatus::Fail, "cannot be read"),
            (Some(&pipe), false, FindingStatus::Fail, "not a plain file"),
            (Some(&open), true, FindingStatus::Fail, "libpq ignores it"),
            (Some(&foreign), true, FindingStatus::Warn, "belongs to eve"),
            (
                Some(&foreign),
                false,
                FindingStatus::Fail,
                "belongs to eve, and cannot",
            ),
        ] {
            let finding = judge_mode(Path::new("/h/.pgpass"), state, is_readable);
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
        }
        let finding = judge_mode(Path::new("/h/.pgpass"), Some(&open), true);
        assert_eq!(finding.commands, ["chmod 600 /h/.pgpass"]);
    }

    #[test]
    fn a_damaged_block_and_unreadable_lines_are_found() {
        let block = "# pgcred begin\n# expires 20300101T001500Z\nh:1:*:u:t\n# pgcred end\n";
        assert_eq!(judge_block(b"").status, FindingStatus::Ok);
        assert_eq!(judge_block(block.as_bytes()).detail, "one line is pgcred's");
        let finding = judge_block(b"# pgcred begin\n");
        assert_eq!(finding.status, FindingStatus::Fail);
        assert_eq!(finding.exit, Exit::Failure);
        assert_eq!(judge_lines(block.as_bytes()).status, FindingStatus::Ok);
        let finding = judge_lines(b"a:b:s3cret\n");
        assert_eq!(finding.cause, Some("passfile.bom"));
        assert_eq!(judge_lines(b"a:1:*:b:s\xe9\n").cause, Some("passfile.utf8"));
        assert!(finding.detail.contains("line 1") && !finding.detail.contains("s3cret"));
    }
}
