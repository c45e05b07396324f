//! Finds the version of the AWS CLI by the files of its installation: to run it takes half a
//! second.
//!
//! Reads links and names of directories, and the first line of a script. If they do not tell,
//! `jobs` runs the program. The functions that find a version in a text are pure.

use std::path::{Path, PathBuf};

use crate::sys::fs;

/// Returns the version as the program itself would print it; `None` if the files do not tell.
pub(super) fn version_by_files(program: &Path) -> Option<String> {
    let path = program.canonicalize().ok()?;
    if let Some(version) = version_in_path(&path.to_string_lossy()) {
        return Some(format!("aws-cli/{version}"));
    }
    let text = fs::read(&path)?;
    let interpreter = python_of_script(&text)?;
    for directory in package_directories(&interpreter) {
        for entry in fs::list(&directory) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy();
            if let Some(version) = version_of_package(&name) {
                return Some(format!("aws-cli/{version}"));
            }
        }
    }
    None
}

/// Returns the version in the path of an installation: AWS's installer puts version 2 into
/// `aws-cli/v2/2.31.0`, Homebrew into `Cellar/awscli/2.31.0`.
fn version_in_path(path: &str) -> Option<&str> {
    for directory in ["/aws-cli/v2/", "/Cellar/awscli/"] {
        if let Some((_, rest)) = path.split_once(directory) {
            let version = rest.split('/').next().unwrap_or(rest);
            if version.starts_with(|c: char| c.is_ascii_digit()) {
                return Some(version);
            }
        }
    }
    None
}

/// Returns the Python that a script names in its first line.
fn python_of_script(text: &[u8]) -> Option<PathBuf> {
    let line = text.split(|byte| *byte == b'\n').next()?;
    let line = std::str::from_utf8(line).ok()?.strip_prefix("#!")?;
    let interpreter = line.split_whitespace().next()?;
    if interpreter.contains("python") {
        Some(PathBuf::from(interpreter))
    } else {
        None
    }
}

/// Returns the directories of the packages of a Python.
fn package_directories(interpreter: &Path) -> Vec<PathBuf> {
    let mut directories = Vec::new();
    let Some(prefix) = interpreter.ancestors().nth(2) else {
        return directories;
    };
    for version in fs::list(&prefix.join("lib")) {
        let name = version.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("python3") {
            directories.push(version.join("site-packages"));
            directories.push(version.join("dist-packages"));
        }
    }
    directories
}

/// Returns the version in the name of a package's directory, such as `awscli-1.44.4.dist-info`.
fn version_of_package(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("awscli-")?;
    for suffix in [".dist-info", ".egg-info"] {
        if let Some(version) = rest.strip_suffix(suffix) {
            return Some(version);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_stands_in_the_path_of_an_installation() {
        for (path, expected) in [
            ("/usr/local/aws-cli/v2/2.31.0/dist/aws", Some("2.31.0")),
            ("/opt/homebrew/Cellar/awscli/2.9.1/bin/aws", Some("2.9.1")),
            ("/usr/local/aws-cli/v2/current/dist/aws", None),
            ("/usr/bin/aws", None),
        ] {
            assert_eq!(version_in_path(path), expected, "{path}");
        }
    }

    #[test]
    fn a_script_names_its_python_and_a_package_its_version() {
        for (text, expected) in [
            (
                &b"#!/opt/py/bin/python3.11 -s\nimport awscli\n"[..],
                Some("/opt/py/bin/python3.11"),
            ),
            (b"#!/bin/sh\nexec aws\n", None),
            (b"\x7fELF\xff", None),
            (b"", None),
        ] {
            assert_eq!(python_of_script(text), expected.map(PathBuf::from));
        }
        for (name, expected) in [
            ("awscli-1.44.4.dist-info", Some("1.44.4")),
            ("awscli-2.9.19.egg-info", Some("2.9.19")),
            ("awscli", None),
            ("boto3-1.2.dist-info", None),
        ] {
            assert_eq!(version_of_package(name), expected, "{name}");
        }
    }
}
