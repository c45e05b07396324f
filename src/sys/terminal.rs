//! Handles stdin and the terminal: tells whether a user is there, asks the user, and empties stdin
//! for the programs that pgcred starts.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Read, Write};

use super::env;
use crate::error::{Error, Result};

/// The stdin that pgcred was started with. A child gets it, or pgcred waits for its end.
pub(crate) type InheritedStdin = File;

/// Makes stdin empty for this process and for the programs that AWS's credential sources start, so
/// that none of them waits for input.
///
/// Returns the stdin from before. On Windows nothing is changed, and `None` is returned.
pub(crate) fn detach_stdin() -> Result<Option<InheritedStdin>> {
    platform::detach_stdin().map_err(|error| Error::system("cannot open the null device", &error))
}

/// Returns the stdin whose end can be waited for: the one from before, and on Windows, where it has
/// not been changed, the present one.
pub(crate) fn stdin_to_wait_for(original_stdin: Option<InheritedStdin>) -> Option<InheritedStdin> {
    original_stdin.or_else(platform::unchanged_stdin)
}

/// Waits until stdin has ended, which means that the program that started pgcred has.
pub(crate) fn wait_for_end(mut stdin: InheritedStdin) {
    let mut byte = [0];
    while matches!(stdin.read(&mut byte), Ok(1)) {}
}

/// Tells whether a user sits at the terminal: stdin and stderr are the terminal, and this process
/// is in its foreground.
pub(crate) fn has_user() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal() && platform::is_in_foreground()
}

/// Tells whether a line on stderr that is written again and again is seen as one line.
pub(crate) fn can_redraw() -> bool {
    io::stderr().is_terminal() && env::var("TERM").as_deref() != Some("dumb")
}

/// Tells whether the answer on stdout goes to a terminal, and not to a file or a program.
pub(crate) fn shows_answer() -> bool {
    io::stdout().is_terminal()
}

/// Detaches this process from the terminal. The programs that it starts cannot open the terminal,
/// and they do not end when the terminal is closed.
pub(crate) fn detach() {
    platform::detach();
}

/// Opens the terminal, even if stdin is something else. On Windows it can only be read.
pub(crate) fn open_terminal() -> Option<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(platform::TERMINAL)
        .ok()
}

/// Asks the user at the terminal for a line. stdin is not read.
pub(crate) fn ask_for_line(question: &str) -> Result<String> {
    let Some(terminal) = open_terminal() else {
        return Err(
            Error::failure("cannot open the terminal").hint("run the same command at a terminal")
        );
    };
    match ask_at(terminal, question) {
        Ok(answer) => Ok(answer),
        Err(error) => Err(Error::failure("cannot ask on the terminal")
            .caused_by(&error)
            .hint("run the same command at a terminal")),
    }
}

fn ask_at(terminal: File, question: &str) -> io::Result<String> {
    io::stderr().write_all(question.as_bytes())?;
    let mut answer = String::new();
    io::BufReader::new(terminal).read_line(&mut answer)?;
    Ok(answer)
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsFd;

    pub(super) const TERMINAL: &str = "/dev/tty";

    pub(super) fn is_in_foreground() -> bool {
        nix::unistd::tcgetpgrp(io::stdin()) == Ok(nix::unistd::getpgrp())
    }

    pub(super) fn detach() {
        // This fails for the leader of a process group, which is detached already.
        let _ = nix::unistd::setsid();
    }

    pub(super) fn detach_stdin() -> io::Result<Option<File>> {
        let original_stdin = io::stdin().as_fd().try_clone_to_owned();
        nix::unistd::dup2_stdin(&File::open("/dev/null")?)?;
        match original_stdin {
            Ok(original_stdin) => Ok(Some(File::from(original_stdin))),
            Err(_) => Ok(None), // it was closed
        }
    }

    pub(super) fn unchanged_stdin() -> Option<File> {
        None // it was closed before
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::windows::io::AsHandle;

    pub(super) const TERMINAL: &str = "CONIN$";

    pub(super) fn is_in_foreground() -> bool {
        true
    }

    pub(super) fn detach() {}

    #[expect(clippy::unnecessary_wraps, reason = "the signature is that of Unix")]
    pub(super) fn detach_stdin() -> io::Result<Option<File>> {
        Ok(None)
    }

    pub(super) fn unchanged_stdin() -> Option<File> {
        let stdin = io::stdin().as_handle().try_clone_to_owned();
        stdin.ok().map(File::from)
    }
}
