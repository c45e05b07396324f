//! No core dump of a process whose memory holds tokens and AWS keys; the programs that it starts
//! may dump theirs. And a look at the system's limits before work that would not survive them.

use std::io;
use std::thread;

pub(crate) use platform::{forbid_core_dumps, spawn_with_core_dumps};

/// Checks that the system gives as many descriptors, and a thread, as the async runtime takes:
/// where they are refused to it, it panics.
pub(crate) fn check_room() -> io::Result<()> {
    const PIPES: usize = 4; // of two descriptors each
    let pipes: io::Result<Vec<_>> = (0..PIPES).map(|_| io::pipe()).collect();
    drop(pipes?);
    let _ = thread::Builder::new().spawn(|| {})?.join();
    Ok(())
}

/// Linux has a mark for one process. It also closes `/proc/PID/environ`, `/proc/PID/mem` and ptrace
/// to other programs of the user, and holds where core dumps go to a program, which the limit does
/// not. The system takes it away when a child starts its program: no limit of a child's is touched.
#[cfg(any(target_os = "linux", target_os = "android"))]
mod platform {
    use std::io;
    use std::process::{Child, Command};

    pub(crate) fn forbid_core_dumps() {
        let _ = nix::sys::prctl::set_dumpable(false); // no kernel refuses that
    }

    pub(crate) fn spawn_with_core_dumps(command: &mut Command) -> io::Result<Child> {
        command.spawn()
    }
}

/// Elsewhere there is only the limit, which children inherit.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod platform {
    use std::io;
    use std::process::{Child, Command};
    use std::sync::OnceLock;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    /// The limit that this process was started with.
    static BEFORE: OnceLock<(u64, u64)> = OnceLock::new();

    /// Where the system refuses, it dumps none in that place either.
    pub(crate) fn forbid_core_dumps() {
        if let Ok(now) = getrlimit(Resource::RLIMIT_CORE) {
            let before = BEFORE.get_or_init(|| now);
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, before.1);
        }
    }

    /// Starts a program under the limit that the user has set. pgcred itself has it no longer than
    /// that takes.
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
