//! No core dump of a process whose memory holds tokens. The only reader and writer of resource limits.

#[cfg(unix)]
pub(crate) use unix::{allow_core_dumps, forbid_core_dumps};

#[cfg(not(unix))]
pub(crate) use elsewhere::{allow_core_dumps, forbid_core_dumps};

#[cfg(unix)]
mod unix {
    use std::sync::OnceLock;

    use nix::sys::resource::{Resource, getrlimit, setrlimit};

    /// The limit that this process was started with.
    static BEFORE: OnceLock<(u64, u64)> = OnceLock::new();

    /// Where the system refuses, it dumps none in that place either.
    pub(crate) fn forbid_core_dumps() {
        if let Ok(before) = getrlimit(Resource::RLIMIT_CORE) {
            let _ = BEFORE.set(before);
            let _ = setrlimit(Resource::RLIMIT_CORE, 0, before.1);
        }
    }

    /// For a child, which is to find what the user has set.
    pub(crate) fn allow_core_dumps() {
        if let Some((soft, hard)) = BEFORE.get() {
            let _ = setrlimit(Resource::RLIMIT_CORE, *soft, *hard);
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    pub(crate) fn forbid_core_dumps() {}
    pub(crate) fn allow_core_dumps() {}
}
