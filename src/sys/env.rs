//! Reads the environment, as the only file: variables, the command line, and the user's
//! directories.
//!
//! A variable that is empty counts as unset, as in libpq and the AWS CLI. [`var`] and
//! [`var_as_text`] differ for bytes that are not UTF-8: the first replaces them, the second refuses
//! the value.
//!
//! Directories come from here, because each follows from variables: the home directory, AWS's own
//! rule for it, and those for caches, data and configuration. What pgcred keeps in them is said by
//! `paths`. The functions about the passfile undo what `pgcred exec` sets for its program, so that
//! pgcred inside of it still finds the user's own file.

use std::ffi::OsString;
use std::path::PathBuf;

use crate::error::{Error, Result};

/// Returns a variable's value; empty counts as unset, as in libpq and the AWS CLI.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub(crate) fn var_os(name: &str) -> Option<OsString> {
    match std::env::var_os(name) {
        Some(value) if !value.is_empty() => Some(value),
        _ => None,
    }
}

/// Returns a variable's value even if it is empty, for variables with which AWS tells the two
/// apart.
#[expect(
    clippy::disallowed_methods,
    reason = "the one reader of the environment"
)]
pub(crate) fn var_or_empty(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}

/// Returns the names of the variables that begin so, in their order.
pub(crate) fn names_that_begin_with(start: &str) -> Vec<String> {
    let mut names = Vec::new();
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        let begins_so = match name.get(..start.len()) {
            Some(beginning) if cfg!(windows) => beginning.eq_ignore_ascii_case(start),
            Some(beginning) => beginning == start,
            None => false,
        };
        if begins_so {
            names.push(name.into_owned());
        }
    }
    names.sort();
    names
}

/// Returns a path with `~` and variables in it replaced, as Python's `expanduser` and `expandvars`
/// do.
pub(crate) fn expand_home(path: &str) -> PathBuf {
    let mut text = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        text += before;
        let (name, tail) = split_variable_name(after);
        match var_or_empty(name) {
            Some(value) if !name.is_empty() => text += &value,
            _ => text += &rest[before.len()..rest.len() - tail.len()],
        }
        rest = tail;
    }
    text += rest;
    with_home(&text)
}

/// Splits `NAME` or `{NAME}` from the text that follows it.
fn split_variable_name(text: &str) -> (&str, &str) {
    if let Some(rest) = text.strip_prefix('{')
        && let Some(parts) = rest.split_once('}')
    {
        return parts;
    }
    let is_after_name = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    match text.find(is_after_name) {
        Some(end) => text.split_at(end),
        None => (text, ""),
    }
}

/// Returns a path with `~` in it replaced, as Python's `expanduser` does.
pub(crate) fn with_home(path: &str) -> PathBuf {
    if let Some(relative_path) = path.strip_prefix('~')
        && relative_path.starts_with(['/', '\\'])
        && let Some(home) = aws_home()
    {
        // A second slash would lead to the root directory.
        let relative_path = &relative_path[1..];
        return home.join(relative_path.trim_start_matches(std::path::is_separator));
    }
    PathBuf::from(path)
}

/// Returns a variable's value as text, and refuses a value that is not UTF-8.
pub(crate) fn var_as_text(name: &str) -> Result<Option<String>> {
    match var_os(name).map(OsString::into_string) {
        None => Ok(None),
        Some(Ok(text)) => Ok(Some(text)),
        Some(Err(_)) => {
            let hint = format!("correct or unset {name}");
            Err(Error::not_utf8(name).hint(hint))
        }
    }
}

/// Returns a variable's value as text. Bytes that are not UTF-8 become U+FFFD.
pub(crate) fn var(name: &str) -> Option<String> {
    var_os(name).map(|value| value.to_string_lossy().into_owned())
}

pub(crate) fn home() -> Option<PathBuf> {
    dirs::home_dir()
}

/// Returns the directory that `.aws` is in, by AWS's own rule: on Windows it differs from the
/// user's profile if `HOME` is set.
pub(crate) fn aws_home() -> Option<PathBuf> {
    for name in ["HOME", "USERPROFILE"] {
        if let Some(directory) = var_os(name) {
            return Some(directory.into());
        }
    }
    home()
}

/// Returns the directory of the user's caches.
pub(crate) fn cache_directory() -> Option<PathBuf> {
    dirs::cache_dir()
}

/// Returns the directory of the user's data that need not be on other computers.
pub(crate) fn data_directory() -> Option<PathBuf> {
    dirs::data_local_dir()
}

/// Returns the directory of the user's configuration files.
pub(crate) fn config_directory() -> Option<PathBuf> {
    dirs::config_dir()
}

/// Returns the directory that the system empties when the user logs out, if there is one.
pub(crate) fn runtime_directory() -> Option<PathBuf> {
    var_os("XDG_RUNTIME_DIR").map(PathBuf::from)
}

/// Returns the directory for temporary files, in which every user may make files.
pub(crate) fn temporary_directory() -> PathBuf {
    std::env::temp_dir()
}

/// Returns the file of root certificates that libpq uses by default, if the user has one.
pub(crate) fn users_root_certificates() -> Option<PathBuf> {
    let file = if cfg!(windows) {
        dirs::config_dir()?.join("postgresql").join("root.crt")
    } else {
        home()?.join(".postgresql").join("root.crt")
    };
    if file.exists() { Some(file) } else { None }
}

/// The paths of the system's file of root certificates on the systems that have one.
const SYSTEM_ROOT_CERTIFICATES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Returns the system's file of root certificates, if there is one.
pub(crate) fn system_root_certificates() -> Option<PathBuf> {
    SYSTEM_ROOT_CERTIFICATES
        .iter()
        .map(PathBuf::from)
        .find(|path| path.exists())
}

/// Tells whether a path is one that [`system_root_certificates`] returns.
pub(crate) fn is_system_root_certificates(path: &str) -> bool {
    SYSTEM_ROOT_CERTIFICATES.contains(&path)
}

/// Returns PATH, empty if it is not set.
pub(crate) fn path() -> OsString {
    var_os("PATH").unwrap_or_default()
}

/// Returns the directories in which package managers install programs. Programs that a desktop
/// starts need them, because their PATH is short.
pub(crate) fn program_directories() -> Vec<PathBuf> {
    const SYSTEM_ROOTS: [&str; 8] = [
        "/usr/local/bin",
        "/opt/homebrew/bin",
        "/home/linuxbrew/.linuxbrew/bin",
        "/opt/local/bin",
        "/snap/bin",
        "/run/current-system/sw/bin",
        "/usr/bin",
        "/bin",
    ];
    const OF_USER: [&str; 5] = [
        ".local/bin",
        "bin",
        ".nix-profile/bin",
        ".asdf/shims",
        ".local/share/mise/shims",
    ];
    let mut directories = Vec::new();
    if cfg!(windows) {
        if let Some(programs) = var_os("ProgramFiles") {
            directories.push(PathBuf::from(programs).join("Amazon").join("AWSCLIV2"));
        }
        return directories;
    }
    directories.extend(SYSTEM_ROOTS.map(PathBuf::from));
    if let Some(home) = home() {
        directories.extend(OF_USER.map(|directory| home.join(directory)));
    }
    directories
}

pub(crate) fn current_directory() -> PathBuf {
    std::env::current_dir().unwrap_or_default()
}

/// Returns the command line of this run.
pub(crate) fn arguments() -> Vec<OsString> {
    std::env::args_os().collect()
}

/// Returns the path that this program was started by. Another version may have been installed there
/// since.
pub(crate) fn own_program() -> std::io::Result<PathBuf> {
    const MARK_OF_LINUX: &str = " (deleted)";
    let path = std::env::current_exe()?;
    if !path.exists()
        && let Some(text) = path.to_str()
        && let Some(unmarked) = text.strip_suffix(MARK_OF_LINUX)
    {
        return Ok(PathBuf::from(unmarked));
    }
    Ok(path)
}

/// The variable in which `pgcred exec` tells its program the path of the private passfile.
pub(crate) const EXEC_PASSFILE: &str = "PGCRED_EXEC_PASSFILE";
/// The variable in which `pgcred exec` keeps the user's own PGPASSFILE, if it was set.
pub(crate) const OUTER_PASSFILE: &str = "PGCRED_OUTER_PASSFILE";

/// Tells whether this process runs inside `pgcred exec`: then PGPASSFILE names the private
/// passfile.
pub(crate) fn is_in_exec() -> bool {
    var_os("PGPASSFILE").is_some_and(|passfile| var_os(EXEC_PASSFILE) == Some(passfile))
}

/// Returns PGPASSFILE as the user has set it, also inside `pgcred exec`, which sets it anew. The
/// shell hooks do the same.
pub(crate) fn passfile() -> Option<PathBuf> {
    let name = if is_in_exec() {
        OUTER_PASSFILE
    } else {
        "PGPASSFILE"
    };
    var_os(name).map(PathBuf::from)
}

/// Returns the passfile that libpq reads when nothing names another.
pub(crate) fn default_passfile() -> Option<PathBuf> {
    if cfg!(windows) {
        dirs::config_dir().map(|dir| dir.join("postgresql").join("pgpass.conf"))
    } else {
        dirs::home_dir().map(|dir| dir.join(".pgpass"))
    }
}

/// Tells whether this is Linux inside Windows, whose programs read another home directory.
pub(crate) fn is_in_windows() -> bool {
    var_os("WSL_DISTRO_NAME").is_some()
}

/// Returns the home directory of the user's account, if `HOME` names another directory.
#[cfg(unix)]
pub(crate) fn other_home() -> Option<PathBuf> {
    let account = nix::unistd::User::from_uid(nix::unistd::getuid()).ok()??;
    let home = dirs::home_dir()?;
    if account.dir == home || account.dir.canonicalize().ok() == home.canonicalize().ok() {
        return None;
    }
    Some(account.dir)
}

#[cfg(not(unix))]
pub(crate) fn other_home() -> Option<PathBuf> {
    None
}
