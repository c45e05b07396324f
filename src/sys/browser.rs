//! Opens the page of a login: decides which addresses are one, and starts the browser that shows
//! it.
//!
//! `is_page` is pure, and keeps programs other than a browser from being started by an address.
//! `open` waits for some seconds at most; a browser that still runs then is left alone.

use std::net::IpAddr;
use std::time::Duration;

use crate::sys::child;
use crate::text::host;

/// A browser that still runs after this time counts as started.
const START_TIME: Duration = Duration::from_secs(3);

/// Tries the browser commands of the platform until one runs. Tells whether one does. What is not
/// the address of a page is not opened.
pub(crate) fn open_browser(address: &str) -> bool {
    if !is_page(address) {
        return false;
    }
    for command in open::commands(address) {
        let mut command_line = vec![command.get_program().to_string_lossy().into_owned()];
        command_line.extend(
            command
                .get_args()
                .map(|word| word.to_string_lossy().into_owned()),
        );
        // On Windows and in WSL the address goes to PowerShell in a variable.
        let mut variables = Vec::new();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                variables.push((name.to_owned(), value.to_owned()));
            }
        }
        if child::spawn_and_check(&command_line, &variables, START_TIME) {
            return true;
        }
    }
    false
}

/// Tells whether an address is one of `https`, or of `http` on this machine, and nothing else. Only
/// these are opened: with other schemes other programs would do what the address says.
pub(crate) fn is_page(address: &str) -> bool {
    // Browsers read a backslash as a slash.
    if address.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return false;
    }
    if address.starts_with("https://") {
        return true;
    }
    let authority = host::server_part(address);
    let host = host::host_of(authority);
    let is_own = match host.parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost",
    };
    address.starts_with("http://") && is_own && !authority.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_web_are_opened() {
        for page in [
            "https://device.sso.us-east-1.amazonaws.com/?user_code=A-B",
            "http://127.0.0.1:80/x",
            "http://[::1]:1/",
            "http://localhost",
        ] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "vscode://evil.ext/run",
            "smb://evil/share/x.desktop",
            "/home/me/.aws/proc",
            "\\\\evil\\x.exe",
            "http://example.com/",
            "http://localhost@example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1:80@example.com/",
            "http://localhost\\@example.com/",
            "https://x/\nfile:///x",
            "https://x/\u{1b}]0;x",
            "https://x y",
            "HTTPS:\\\\x",
        ] {
            assert!(!is_page(other), "{other}");
        }
    }
}
