//! Which program has a port, where the system tells: on Linux by `/proc`, for programs of the same
//! user.

use std::path::Path;

use crate::sys::fs;
use crate::text::shown;

/// Returns the name and the process of the program that listens on a port of IPv4; `None` if it
/// cannot be seen.
pub(super) fn holder_of_port(port: u16) -> Option<String> {
    let table = fs::read(Path::new("/proc/net/tcp"))?;
    let table = String::from_utf8_lossy(&table);
    let inode = inode_of_listener(&table, port)?;
    let link = format!("socket:[{inode}]");
    for process in fs::list(Path::new("/proc")) {
        let id = process.file_name()?.to_string_lossy();
        if !id.bytes().all(|digit| digit.is_ascii_digit()) {
            continue; // such as /proc/self
        }
        for file in fs::list(&process.join("fd")) {
            if file
                .read_link()
                .is_ok_and(|target| target == Path::new(&link))
            {
                let name = fs::read(&process.join("comm")).unwrap_or_default();
                let name = String::from_utf8_lossy(&name);
                return Some(format!("{} (process {id})", shown(name.trim())));
            }
        }
    }
    None
}

/// Finds the socket in the kernel's table: lines of `NUMBER: ADDRESS:PORT ADDRESS:PORT STATE ...`,
/// in hexadecimal digits.
fn inode_of_listener(table: &str, port: u16) -> Option<&str> {
    const LISTENS: &str = "0A";
    const INODE: usize = 9;
    let end = format!(":{port:04X}");
    for line in table.lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        let is_listener =
            matches!(&fields[..], [_, local, _, LISTENS, ..] if local.ends_with(&end));
        if is_listener {
            return fields.get(INODE).copied();
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
        assert_eq!(inode_of_listener(table, 0x3C48), Some("42"));
        assert_eq!(inode_of_listener(table, 0x9C40), None);
        assert_eq!(inode_of_listener("", 1), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn this_process_is_seen() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
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
