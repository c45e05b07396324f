//! Runs the programs that pgcred needs for its own purposes: the AWS CLI, a `credential_process`, a
//! browser, a scheduler.
//!
//! Such a program gets nothing on stdin and no password in the environment. `search` finds it;
//! `output` runs it with a deadline, and `error_output` is what an error repeats of its stderr. The
//! functions of this file start programs whose output pgcred does not read.

mod error_output;
mod output;
mod search;

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Error, Result};
use crate::sys::terminal;
use crate::text::{self, quote};
pub(crate) use error_output::{
    hide_value, last_line, without_answer, without_arguments, without_frames,
};
pub(crate) use output::{
    ChildAttachment, ProgramError, ProgramOutput, complete_output, output, output_with, own_output,
};
pub(crate) use search::{find, find_broken_link, own_path, own_program};

const PAUSE: Duration = Duration::from_millis(3);

/// Returns a command line as words.
pub(crate) fn words<const N: usize>(command_line: [&str; N]) -> Vec<String> {
    command_line.map(str::to_owned).to_vec()
}

/// Runs a program for the user at the terminal. Everything that it prints goes to stderr.
pub(crate) fn run_at_terminal(command_line: &[String]) -> Result<ExitStatus> {
    let mut command = command_of_words(command_line)?;
    if let Some(terminal) = terminal::open_terminal() {
        command.stdin(terminal); // stdin of pgcred may be something else
    }
    command.stdout(io::stderr());
    let status = command.status();
    status.map_err(|error| not_started(&command_line.join(" "), &error))
}

/// Starts a program that outlives pgcred and keeps none of its files open.
pub(crate) fn spawn_detached(command_line: &[String]) -> Result<()> {
    spawn_with(command_line, &[]).map(drop)
}

/// Starts a program as [`spawn_detached`] does, with more variables. Tells whether it still runs
/// after a while, or has ended successfully before.
pub(crate) fn spawn_and_check(
    command_line: &[String],
    variables: &[(OsString, OsString)],
    timeout: Duration,
) -> bool {
    let Ok(mut child) = spawn_with(command_line, variables) else {
        return false;
    };
    let deadline = Instant::now() + timeout;
    loop {
        match child.try_wait() {
            // The exit status of Explorer on Windows has no meaning.
            Ok(Some(status)) => return status.success() || cfg!(windows),
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            _ => return true,
        }
    }
}

fn spawn_with(command_line: &[String], variables: &[(OsString, OsString)]) -> Result<Child> {
    let mut command = command_of_words(command_line)?;
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    {
        const DETACHED_PROCESS: u32 = 0x8;
        const NEW_PROCESS_GROUP: u32 = 0x200;
        let flags = DETACHED_PROCESS | NEW_PROCESS_GROUP;
        std::os::windows::process::CommandExt::creation_flags(&mut command, flags);
    }
    let child = command.spawn();
    child.map_err(|error| not_started(&command_line.join(" "), &error))
}

/// Shows a text on the desktop, if the desktop has a program for that.
pub(crate) fn notify(text: &str) {
    const SCRIPT: &str =
        "on run argv\ndisplay notification (item 1 of argv) with title \"pgcred\"\nend run";
    let text = &text::printable(text);
    let command = if cfg!(target_os = "macos") {
        words(["osascript", "-e", SCRIPT, text])
    } else {
        // notify-send reads markup in its text, so the text is escaped.
        words([
            "notify-send",
            "--app-name=pgcred",
            "pgcred",
            &quote::xml(text),
        ])
    };
    let _ = spawn_detached(&command);
}

/// Returns the command that runs a program, with nothing on stdin and no password in the
/// environment.
fn command_of_words(command_line: &[String]) -> Result<Command> {
    let Some((program, arguments)) = command_line.split_first() else {
        return Err(Error::usage("the command is empty").hint("write the program to run"));
    };
    let Some(path) = find(OsStr::new(program)) else {
        return Err(Error::failure(format!("there is no program {program}"))
            .hint("give its whole path, or add its directory to PATH"));
    };
    if cfg!(windows) && is_batch_file(&path) && arguments.iter().any(|word| ends_a_line(word)) {
        return Err(Error::failure(format!(
            "{program} is a batch file, which takes no line breaks"
        ))
        .hint("write its arguments without line breaks"));
    }
    let mut command = Command::new(path);
    command.args(arguments).stdin(Stdio::null());
    command.env("PATH", search::search_path());
    command.env_remove("PGPASSWORD");
    Ok(command)
}

/// Returns the error of a program that could not be started.
fn not_started(program: &str, cause: &io::Error) -> Error {
    /// `ENOEXEC`; on Windows `ERROR_BAD_EXE_FORMAT`.
    const BAD_FORMAT: i32 = if cfg!(windows) { 193 } else { 8 };
    let error = Error::running(program, cause);
    if cause.raw_os_error() != Some(BAD_FORMAT) {
        return error;
    }
    error.hint(if cfg!(windows) {
        "name a program for this kind of machine, or a .cmd file"
    } else {
        "name a program for this kind of machine, or begin the script with the line of what runs \
         it, such as #!/bin/sh"
    })
}

/// Tells whether cmd.exe runs a program. It reads the arguments as a part of its own command line,
/// so that the standard library quotes them for it. What no quotes help against is a line break.
fn is_batch_file(program: &Path) -> bool {
    let extension = program
        .extension()
        .and_then(OsStr::to_str)
        .unwrap_or_default();
    ["bat", "cmd"]
        .iter()
        .any(|batch| extension.eq_ignore_ascii_case(batch))
}

fn ends_a_line(word: &str) -> bool {
    word.contains(['\r', '\n'])
}
