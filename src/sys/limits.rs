//! Sets and checks the limits that the system has for a process.
//!
//! pgcred forbids core dumps of itself, because its memory contains tokens and AWS keys. The
//! programs that it starts may write core dumps as usual.

use std::io;
use std::thread;

pub(crate) use platform::{forbid_core_dumps, spawn_with_core_dumps};

/// Checks that the system allows the file descriptors and the thread that the async runtime needs.
/// The runtime would panic without them.
pub(crate) fn check_room() -> io::Result<()> {
    const PIPES: usize = 4; // a pipe has two descriptors
    let pipes: io::Result<Vec<_>> = (0..PIPES).map(|_| io::pipe()).collect();
    drop(pipes?);
    let _ = thread::Builder::new().spawn(|| {})?.join();
    Ok(())
}

/// Raises the number of files that this process may open as far as the system lets it.
pub(crate) fn allow_many_files() {
    #[cfg(unix)]
    {
        use nix::sys::resource::{Resource, getrlimit, setrlimit};

        if let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE)
            && soft < hard
        {
            let _ = setrlimit(Resource::RLIMIT_NOFILE, hard, hard); // else fewer sessions fit
        }
    }
}

/// Linux can mark a single process as one that writes no core dump.
///
/// With this mark, other programs of the user cannot read `/proc/PID/environ` or `/proc/PID/mem`,
/// or trace the process. The mark also works if core dumps are piped to a program, which the limit
/// of other systems does not. The system removes it when a child starts its program, so the
/// children need no change.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod platform {
    use std::io;
    use std::process::{Child, Command};

    pub(crate) fn forbid_core_dumps() {
        let _ = nix::sys::prctl::set_dumpable(false); // every kernel allows it
    }

    pub(crate) fn spawn_with_core_dumps(command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }
}

/// Other Unix systems have only a limit for the size of core dumps, which children inherit.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod platform {
    use std::io;
    use std::process::{Child, Command};
    use std::sync::OnceLock;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    /// The limit that this process was started with.
    static BEFORE: OnceLock<(u64, u64)> = OnceLock::new();

    /// Sets the limit to 0. A process that may not set limits writes no core dump either.
    pub(crate) fn forbid_core_dumps() {
        if let Ok(current_limit) = getrlimit(Resource::RLIMIT_CORE) {
            let original_limit = BEFORE.get_or_init(|| current_limit);
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, original_limit.1);
        }
    }

    /// Starts a program with the limit that the user has set. pgcred itself has that limit until
    /// the program is started.
    pub(crate) fn spawn_with_core_dumps(command: &mut Command) -> io::Result<Child> {
        if let Some((soft, hard)) = BEFORE.get() {
            let _ = setrlimit(Resource::RLIMIT_CORE, *soft, *hard);
        }
        let child = command.spawn();
        forbid_core_dumps();
        child
    }
}

#[cfg(not(unix))]
mod platform {
    use std::io;
    use std::process::{Child, Command};

    pub(crate) fn forbid_core_dumps() {}

    pub(crate) fn spawn_with_core_dumps(command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }
}
