//! stdin and the terminal: whether a person sits there, what they type, and an empty stdin for
//! everybody else.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, IsTerminal, Write};

use crate::error::{Error, Result};

/// What was stdin; for a child, or to wait for its end.
pub(crate) type Stdin = File;

/// Makes stdin empty, for this process and for what AWS's credential chain starts: nobody is there
/// to type.
///
/// Returns what it was; none where the system hands it on in another way.
pub(crate) fn detach_stdin() -> Result<Option<Stdin>> {
    platform::detach_stdin()
        .map_err(|error| Error::failure("cannot open the null device").caused_by(&error))
}

/// Tells whether a person sits at the terminal: it is stdin and stderr, and this process is not in
/// its background.
pub(crate) fn has_person() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal() && platform::in_foreground()
}

/// Leaves the terminal: nothing that is started from now on can read from it or write to it, or
/// ends with it.
pub(crate) fn leave() {
    platform::leave();
}

/// Opens the terminal itself, whatever stdin is. On Windows that is what is typed there, not the
/// screen.
pub(crate) fn open() -> Option<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(platform::TERMINAL)
        .ok()
}

/// Asks the person at the terminal for a line; stdin is not read.
pub(crate) fn ask(question: &str) -> Result<String> {
    let failed = |error: io::Error| Error::failure("cannot ask on the terminal").caused_by(&error);
    let terminal = open().ok_or_else(|| Error::failure("cannot open the terminal"))?;
    io::stderr()
        .write_all(question.as_bytes())
        .map_err(failed)?;
    let mut answer = String::new();
    io::BufReader::new(terminal)
        .read_line(&mut answer)
        .map_err(failed)?;
    Ok(answer)
}

#[cfg(unix)]
mod platform {
    use std::fs::File;
    use std::io;
    use std::os::fd::AsFd;

    pub(super) const TERMINAL: &str = "/dev/tty";

    pub(super) fn in_foreground() -> bool {
        nix::unistd::tcgetpgrp(io::stdin()).is_ok_and(|group| group == nix::unistd::getpgrp())
    }

    pub(super) fn leave() {
        // who leads a group has been started apart from the terminal's others
        let _ = nix::unistd::setsid();
    }

    pub(super) fn detach_stdin() -> io::Result<Option<File>> {
        let was = io::stdin()
            .as_fd()
            .try_clone_to_owned()
            .ok()
            .map(File::from); // none if it was closed
        nix::unistd::dup2_stdin(&File::open("/dev/null")?)?;
        Ok(was)
    }
}

#[cfg(not(unix))]
mod platform {
    use std::fs::File;
    use std::io;

    pub(super) const TERMINAL: &str = "CONIN$";

    pub(super) fn in_foreground() -> bool {
        true
    }

    pub(super) fn leave() {}

    #[expect(clippy::unnecessary_wraps, reason = "as on unix")]
    pub(super) fn detach_stdin() -> io::Result<Option<File>> {
        Ok(None)
    }
}
