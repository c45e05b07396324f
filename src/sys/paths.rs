//! Names every file and directory that is pgcred's own.
//!
//! `PGCRED_HOME` puts all of them into one directory. Without it they are below the directories
//! that the system has for configuration, cache and data. Nothing is created here.

use std::path::{Path, PathBuf};

use crate::sys::env;

/// Returns `PGCRED_HOME`, the one directory of everything that is pgcred's, if it is set: for
/// portable use and for tests.
pub(crate) fn own_home() -> Option<PathBuf> {
    let home = env::var_os("PGCRED_HOME")?;
    // The hook of a shell uses the path in every directory that the shell visits.
    Some(std::path::absolute(&home).unwrap_or_else(|_| home.into()))
}

/// Returns pgcred's directory in a directory of the system or of the user.
pub(crate) fn pgcred_directory_in(parent: &Path) -> PathBuf {
    parent.join("pgcred")
}

/// Returns the file of connections and settings.
pub(crate) fn config_file() -> Option<PathBuf> {
    let directory = match own_home() {
        Some(home) => home,
        None => pgcred_directory_in(&env::config_directory()?),
    };
    Some(directory.join("config.toml"))
}

/// Returns the file with the key from which the passwords of the local gateway are made.
pub(crate) fn gateway_key() -> Option<PathBuf> {
    Some(config_file()?.with_file_name("proxy-key"))
}

/// Returns the directory of the local gateway's sockets. The system empties the user's runtime
/// directory when the user logs out; a system without one gets a directory in the cache.
pub(crate) fn gateway_sockets() -> Option<PathBuf> {
    match env::runtime_directory() {
        Some(runtime) if own_home().is_none() => Some(pgcred_directory_in(&runtime)),
        _ => Some(CacheDirectory::for_user()?.path().join(GATEWAY_SOCKETS)),
    }
}

/// Returns the directory of files that tools need for as long as they are set up. Nothing in it is
/// secret.
pub(crate) fn data_directory() -> Option<PathBuf> {
    match own_home() {
        Some(home) => Some(home),
        None => Some(pgcred_directory_in(&env::data_directory()?)),
    }
}

/// Returns the directory of root certificates.
pub(crate) fn roots_directory() -> Option<PathBuf> {
    Some(data_directory()?.join("roots"))
}

/// Returns the directory in which each run of `pgcred exec` makes its own private directory.
/// `parent` is pgcred's directory in the user's runtime directory, or the cache's directory.
pub(crate) fn runs_directory(parent: &Path) -> PathBuf {
    parent.join("exec")
}

/// The directory of everything that may be lost: tokens, index, key, locks, and what shell hooks
/// read.
pub(crate) struct CacheDirectory(PathBuf);

impl CacheDirectory {
    /// Returns the cache directory of this user; `None` if the user has no home directory.
    pub(crate) fn for_user() -> Option<Self> {
        match own_home() {
            Some(home) => Some(Self(home.join("cache"))),
            None => Some(Self(pgcred_directory_in(&env::cache_directory()?))),
        }
    }

    pub(crate) fn new(directory: &Path) -> Self {
        Self(directory.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the directory of sealed tokens, one file for each.
    pub(crate) fn tokens(&self) -> PathBuf {
        self.0.join("tokens")
    }

    /// Returns the file of everything that is known of tokens besides their texts.
    pub(crate) fn index(&self) -> PathBuf {
        self.0.join("index.json")
    }

    /// Returns the directory of the locks of identities and of login sessions.
    pub(crate) fn locks(&self) -> PathBuf {
        self.0.join("locks")
    }

    /// Returns the lock that a process holds while it makes the cache's key.
    pub(crate) fn key_lock(&self) -> PathBuf {
        self.0.join("key.lock")
    }

    /// Returns the file that tells shell hooks when the next connection is due, for the passfile
    /// that is used unless PGPASSFILE names another.
    pub(crate) fn due(&self) -> PathBuf {
        self.0.join(DUE_FILE)
    }

    /// Returns the same file for a passfile that PGPASSFILE names. The hooks make the same name.
    pub(crate) fn due_for(&self, passfile: &Path) -> PathBuf {
        let name = passfile.to_string_lossy().replace(['/', '\\', ':'], "%");
        self.0.join(format!("{DUE_FILE_PREFIX}{name}"))
    }

    /// Returns the lock that is held while such a file is written.
    pub(crate) fn due_lock(&self) -> PathBuf {
        self.0.join("due.lock")
    }

    /// Returns the file that remembers the last run of a scheduler.
    pub(crate) fn background(&self) -> PathBuf {
        self.0.join("background")
    }

    /// Returns the file by which this process tries out whether the directory can be written.
    pub(crate) fn test_file(&self) -> PathBuf {
        let process = std::process::id();
        self.0.join(format!("index.json.pgcred-test-{process}"))
    }

    /// Returns the file that remembers the warnings that the user has seen.
    pub(crate) fn shown_warnings(&self) -> PathBuf {
        self.0.join("told")
    }
}

const GATEWAY_SOCKETS: &str = "proxy";
const DUE_FILE: &str = "due";
const DUE_FILE_PREFIX: &str = "due-";
const KEY_FOR: &str = "key-";

/// Returns the file with a cache's key, where no keyring holds it. Each scope has its own key.
pub(crate) fn key_file(directory: &Path, scope: &str) -> PathBuf {
    directory.join(format!("{KEY_FOR}{scope}"))
}

/// Tells whether a file of the cache's directory is one of those for shell hooks.
pub(crate) fn is_due_file(name: &str) -> bool {
    name == DUE_FILE || name.starts_with(DUE_FILE_PREFIX)
}

/// Tells whether pgcred uses this name for a file or directory in its cache. In `PGCRED_HOME` there
/// may be other files beside them.
pub(crate) fn is_in_cache_directory(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "tokens",
        "index.json",
        "locks",
        "key.lock",
        "due.lock",
        "background",
        "told",
        "exec",
        GATEWAY_SOCKETS,
    ];
    // The names of locks, and of the files that killed writers have left, begin with the name of a
    // file of the cache and continue like this.
    let (name, _) = name.split_once(".pgcred-").unwrap_or((name, ""));
    NAMES.contains(&name) || is_due_file(name) || name.starts_with(KEY_FOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn erase_knows_every_name_in_the_cache_directory() {
        let cache = CacheDirectory(PathBuf::from("/c"));
        let own = [
            cache.tokens(),
            cache.index(),
            cache.locks(),
            cache.key_lock(),
            cache.due(),
            cache.due_for(Path::new("/home/u/.pgpass")),
            cache.due_lock(),
            cache.background(),
            cache.test_file(),
            cache.shown_warnings(),
            key_file(cache.path(), "0123"),
            runs_directory(cache.path()),
        ];
        for path in own {
            let name = path.file_name().expect("a name").to_string_lossy();
            assert_eq!(path.parent(), Some(cache.path()));
            assert!(is_in_cache_directory(&name), "{name}");
            assert!(is_in_cache_directory(&format!("{name}.pgcred-lock")));
            assert!(is_in_cache_directory(&format!("{name}.pgcred-new-x1")));
        }
        for other in ["", "notes", "tokens2", "config.toml", "duel", "keys"] {
            assert!(!is_in_cache_directory(other), "{other}");
        }
    }
}
