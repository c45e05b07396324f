//! Finds which program has a port, where the system tells: on Linux by `/proc`.
//!
//! The kernel's tables say which user listens. The program is found by its open files, which the
//! system shows of the user's own programs, but not of those that hide as pgcred does
//! (`sys::limits`). Therefore a gateway is also looked for by its arguments.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::sys::{fs, socket_peer};
use crate::text::printable;

/// Who listens on a port of this machine.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PortHolder {
    /// A program of the user's, or one that root sees.
    Program { name: String, process: String },
    /// A program of another user, by the number of that user.
    OtherUser(u32),
    /// The system does not tell.
    Unknown,
}

impl PortHolder {
    /// Returns who listens on a port.
    pub(crate) fn find(port: u16) -> Self {
        let Some(listener) = find_listener(port) else {
            return Self::Unknown;
        };
        let link = format!("socket:[{}]", listener.inode);
        if let Some(program) = find_program(|process| has_open(process, &link)) {
            return program;
        }
        if !socket_peer::is_own_user(listener.user) {
            return Self::OtherUser(listener.user);
        }
        let gateway = find_program(|process| is_hidden_gateway(process, listener.user));
        gateway.unwrap_or(Self::Unknown)
    }

    /// Tells whether it is a gateway, or the service manager that starts one when a tool connects.
    pub(crate) fn may_be_gateway(&self) -> bool {
        match self {
            Self::Program { name, .. } => name.starts_with("pgcred") || name.starts_with("systemd"),
            Self::OtherUser(_) => false,
            Self::Unknown => true,
        }
    }
}

impl fmt::Display for PortHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program { name, process } => write!(f, "{name} (process {process})"),
            Self::OtherUser(user) => write!(f, "a program of user {user}"),
            Self::Unknown => f.write_str("a program"),
        }
    }
}

/// Returns who listens on a port, for the error of who cannot listen on it; `None` if it cannot be
/// seen.
pub(super) fn holder_of_port(port: u16) -> Option<String> {
    match PortHolder::find(port) {
        PortHolder::Unknown => None,
        holder => Some(holder.to_string()),
    }
}

/// Returns the first program that is the one, as its directory in `/proc` tells.
fn find_program(is_it: impl Fn(&Path) -> bool) -> Option<PortHolder> {
    for directory in fs::list(Path::new("/proc")) {
        let id = directory.file_name()?.to_string_lossy();
        let is_process = id.bytes().all(|digit| digit.is_ascii_digit()); // unlike /proc/self
        if is_process && is_it(&directory) {
            let name = fs::read(&directory.join("comm")).unwrap_or_default();
            return Some(PortHolder::Program {
                name: printable(String::from_utf8_lossy(&name).trim()),
                process: id.into_owned(),
            });
        }
    }
    None
}

fn has_open(process: &Path, link: &str) -> bool {
    let files = fs::list(&process.join("fd"));
    let is_it = |file: &PathBuf| {
        file.read_link()
            .is_ok_and(|target| target == Path::new(link))
    };
    files.iter().any(is_it)
}

/// Tells whether a process is a `pgcred proxy` of a user, whose open files cannot be seen.
fn is_hidden_gateway(process: &Path, user: u32) -> bool {
    let is_this_one = process.ends_with(std::process::id().to_string());
    if is_this_one || !fs::list(&process.join("fd")).is_empty() {
        return false;
    }
    let status = fs::read(&process.join("status")).unwrap_or_default();
    if user_of_status(&String::from_utf8_lossy(&status)) != Some(user) {
        return false;
    }
    is_gateway_command(&fs::read(&process.join("cmdline")).unwrap_or_default())
}

/// Returns the user in what `/proc/PID/status` says. The owner of that directory is no answer: of a
/// program that hides it is root.
fn user_of_status(status: &str) -> Option<u32> {
    let users = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
    users.split_whitespace().next()?.parse().ok()
}

/// Tells whether the arguments of a program, each with a null byte at its end, run a gateway.
fn is_gateway_command(command_line: &[u8]) -> bool {
    let mut arguments = command_line.split(|byte| *byte == 0);
    let program = String::from_utf8_lossy(arguments.next().unwrap_or_default());
    let name = Path::new(&*program).file_name().unwrap_or_default();
    name.to_string_lossy().starts_with("pgcred") && arguments.any(|argument| argument == b"proxy")
}

/// A row of the kernel's tables of sockets.
#[derive(Debug, PartialEq, Eq)]
struct ListeningSocket {
    user: u32,
    inode: String,
}

fn find_listener(port: u16) -> Option<ListeningSocket> {
    for table in ["/proc/net/tcp", "/proc/net/tcp6"] {
        let table = fs::read(Path::new(table)).unwrap_or_default();
        let listener = listener_in(&String::from_utf8_lossy(&table), port);
        if listener.is_some() {
            return listener;
        }
    }
    None
}

/// Finds a listening socket in a table of the kernel's: lines of `NUMBER: ADDRESS:PORT
/// ADDRESS:PORT STATE QUEUES TIMER RETRIES USER TIMEOUT INODE`, the ports in hexadecimal digits.
fn listener_in(table: &str, port: u16) -> Option<ListeningSocket> {
    const LISTENS: &str = "0A";
    let end = format!(":{port:04X}");
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if let [_, local, _, LISTENS, _, _, _, user, _, inode, ..] = fields[..]
            && local.ends_with(&end)
        {
            return Some(ListeningSocket {
                user: user.parse().ok()?,
                inode: inode.to_owned(),
            });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listener_is_found_in_the_kernels_table() {
        let table = "sl local_address rem_address st queues timer retransmits uid timeout inode\n\
             0: 0100007F:3C48 0100007F:9C40 01 0:0 0:0 0 1000 0 7 1\n\
             1: 0100007F:3C48 00000000:0000 0A 0:0 0:0 0 1000 0 42 1\n";
        let listener = ListeningSocket {
            user: 1000,
            inode: "42".to_owned(),
        };
        assert_eq!(listener_in(table, 0x3C48), Some(listener));
        assert_eq!(listener_in(table, 0x9C40), None);
        assert_eq!(listener_in("", 1), None);
    }

    #[test]
    fn a_gateway_is_known_by_its_arguments() {
        for (arguments, expected) in [
            (&b"/opt/pgcred\0--quiet\0proxy\0prod\0"[..], true),
            (b"pgcred\0proxy\0", true),
            (b"pgcred\0exec\0psql\0", false),
            (b"vim\0proxy\0", false),
            (b"", false),
        ] {
            assert_eq!(is_gateway_command(arguments), expected, "{arguments:?}");
        }
    }

    #[test]
    fn a_process_has_a_user() {
        let status = "Name:\tpgcred\nUid:\t1000\t1001\t1000\t1000\nGid:\t7\n";
        assert_eq!(user_of_status(status), Some(1000));
        assert_eq!(user_of_status("Gid:\t7\n"), None);
    }

    #[test]
    fn another_program_is_no_gateway() {
        let program = |name: &str| PortHolder::Program {
            name: name.to_owned(),
            process: "1".to_owned(),
        };
        assert!(program("pgcred").may_be_gateway() && program("systemd").may_be_gateway());
        assert!(PortHolder::Unknown.may_be_gateway());
        assert!(!program("postgres").may_be_gateway());
        assert!(!PortHolder::OtherUser(1).may_be_gateway());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_seen() {
        for address in ["127.0.0.1:0", "[::1]:0"] {
            let Ok(listener) = std::net::TcpListener::bind(address) else {
                continue; // a machine without IPv6
            };
            let port = listener.local_addr().unwrap().port();
            let holder = holder_of_port(port).expect("a holder");
            assert!(
                holder.contains(&format!("(process {})", std::process::id())),
                "{holder}"
            );
            drop(listener);
            assert_eq!(holder_of_port(port), None);
        }
    }
}
