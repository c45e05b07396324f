//! Decides from where DBeaver gets a password: from a command, or, where that does not work, from
//! the passfile. Reads which version of DBeaver is installed, and changes nothing.

use std::path::PathBuf;

use super::PROGRAMS;
use crate::authority::Authority;
use crate::setup::{Machine, Os};
use crate::sys::fs;

/// The first version that takes a password from a command.
const TAKES_COMMAND: [u32; 3] = [26, 1, 4];

/// Tells whether a command can give the tokens of an authority to DBeaver. The first versions that
/// run a command wait for its end before they read its answer, and a pipe on Windows holds 4 KB: a
/// command that prints more never ends.
pub(super) fn can_print(os: Os, authority: &dyn Authority) -> bool {
    os != Os::Windows || !authority.has_long_tokens()
}

/// Tells whether this DBeaver takes a password from a command. An unknown version counts as old.
pub(super) fn takes_command(machine: &Machine) -> bool {
    let text = String::from_utf8_lossy(&read_product_file(machine)).into_owned();
    let version = text
        .lines()
        .find_map(|line| line.strip_prefix("version="))
        .unwrap_or_default();
    let numbers: Vec<u32> = version
        .trim()
        .split('.')
        .map_while(|part| part.parse().ok())
        .collect();
    numbers.as_slice() >= TAKES_COMMAND.as_slice()
}

/// Returns the file in which the installation says what it is: beside the program, beside the
/// bundle's program, or in the usual directory.
fn read_product_file(machine: &Machine) -> Vec<u8> {
    let mut directories = Vec::new();
    if let Some(program) = Machine::program(PROGRAMS)
        && let Ok(program) = program.canonicalize()
        && let Some(directory) = program.parent()
    {
        directories.push(directory.to_owned());
        directories.push(directory.join("../Eclipse"));
    }
    directories.push(PathBuf::from(match machine.os {
        Os::Windows => "C:/Program Files/DBeaver",
        Os::Mac => "/Applications/DBeaver.app/Contents/Eclipse",
        Os::Linux => "/usr/share/dbeaver-ce",
    }));
    for directory in directories {
        if let Some(text) = fs::read(&directory.join(".eclipseproduct")) {
            return text;
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    #[test]
    fn a_long_token_comes_from_the_passfile_on_windows() {
        for (name, os, is_printed) in [
            ("dsql", Os::Windows, true),
            ("fake", Os::Windows, false),
            ("fake", Os::Linux, true),
            ("fake", Os::Mac, true),
        ] {
            let authority = provider::from_name(name).unwrap().authority;
            assert_eq!(can_print(os, authority), is_printed, "{name} on {os:?}");
        }
    }
}
