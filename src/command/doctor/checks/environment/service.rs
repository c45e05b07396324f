//! Checks PGSERVICE: the entry of the service file that clients take their address and settings
//! from. It has precedence over the other variables.

use super::shown_value;
use crate::command::doctor::checks::passfile::unset_command;
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::Finding;
use crate::command::doctor::redact::RedactedKind;
use crate::sys::env;
use crate::sys::fs;

/// The keywords of one entry, with their values.
type ServiceKeywords = Vec<(String, String)>;

/// The entry that PGSERVICE names.
struct NamedService {
    name: String,
    /// The file that was looked into.
    file: String,
    entry: Option<ServiceKeywords>,
}

pub(super) fn examine_service(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let Some(name) = env::var("PGSERVICE") else {
        return Finding::ok("PGSERVICE is not set");
    };
    let file = &examined.examination.machine.service_file;
    let text = fs::read(file).unwrap_or_default();
    let service = NamedService {
        entry: find_entry(&String::from_utf8_lossy(&text), &name),
        file: file.display().to_string(),
        name,
    };
    judge_service(&service, &examined.request.host, &examined.request.user)
}

/// Returns the entry of this name.
fn find_entry(text: &str, name: &str) -> Option<ServiceKeywords> {
    let mut entry: Option<ServiceKeywords> = None;
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            if entry.is_some() {
                return entry;
            }
            if line == format!("[{name}]") {
                entry = Some(ServiceKeywords::new());
            }
        } else if let Some(entry) = &mut entry
            && !line.starts_with('#')
            && let Some((key, value)) = line.split_once('=')
        {
            entry.push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    entry
}

fn judge_service(service: &NamedService, host: &str, user: &str) -> Finding {
    let NamedService { name, file, entry } = service;
    let name = shown_value(name);
    let finding =
        judge_entry(&name, file, entry.as_ref(), host, user).naming(RedactedKind::Name, &name);
    if finding.cause.is_some() {
        finding.with_command(unset_command("PGSERVICE"))
    } else {
        finding
    }
}

fn judge_entry(
    name: &str,
    file: &str,
    entry: Option<&ServiceKeywords>,
    host: &str,
    user: &str,
) -> Finding {
    const CAUSE: &str = "env.service";
    let Some(entry) = entry else {
        let detail = format!("PGSERVICE is {name}, and {file} has no [{name}]");
        return Finding::fail(CAUSE, detail);
    };
    let mut difference = None;
    for (key, value) in entry {
        match (key.as_str(), value.as_str()) {
            ("password", value) if !value.is_empty() => {
                let detail = format!("[{name}], which PGSERVICE names, has a password");
                return Finding::fail(CAUSE, detail);
            }
            ("sslmode", "disable") => {
                let detail = format!("[{name}], which PGSERVICE names, has sslmode=disable");
                return Finding::fail("tls.off", detail);
            }
            ("host", value) if value != host => difference = Some((key, value)),
            // A user that comes with each token is not known here.
            ("user", value) if !user.is_empty() && value != user => difference = Some((key, value)),
            ("passfile", value) => difference = Some((key, value)),
            _ => {}
        }
    }
    match difference {
        Some((key, value)) => Finding::warn(
            CAUSE,
            format!(
                "[{name}], which PGSERVICE names, has {key}={}",
                shown_value(value)
            ),
        ),
        None => Finding::ok(format!(
            "[{name}], which PGSERVICE names, matches the target"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_ends_where_the_next_begins() {
        let text = "[a]\nhost=one\n\n[b]\n# host=x\n host = two \nuser=u\n[c]\nhost=three\n";
        let expected = [("host", "two"), ("user", "u")];
        let expected = expected.map(|(key, value)| (key.to_owned(), value.to_owned()));
        assert_eq!(find_entry(text, "b"), Some(expected.to_vec()));
        assert_eq!(find_entry(text, "d"), None);
        assert_eq!(find_entry("", "b"), None);
    }

    #[test]
    fn an_entry_is_judged_against_the_target() {
        for (text, cause, says) in [
            ("[s]\nhost=h\nuser=u\n", None, "matches the target"),
            ("[t]\n", Some("env.service"), "has no [s]"),
            (
                "[s]\npassword=s3cret\n",
                Some("env.service"),
                "has a password",
            ),
            ("[s]\nsslmode=disable\n", Some("tls.off"), "sslmode=disable"),
            ("[s]\nhost=other\n", Some("env.service"), "host=other"),
            ("[s]\nuser=other\n", Some("env.service"), "user=other"),
            ("[s]\npassfile=/x\n", Some("env.service"), "passfile=/x"),
        ] {
            let service = NamedService {
                name: "s".to_owned(),
                file: "f".to_owned(),
                entry: find_entry(text, "s"),
            };
            let finding = judge_service(&service, "h", "u");
            assert_eq!(finding.cause, cause, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
            assert!(!finding.detail.contains("s3cret"));
            assert_eq!(finding.commands.is_empty(), cause.is_none());
            if text.contains("user=") {
                assert_eq!(judge_service(&service, "h", "").cause, None);
            }
        }
    }
}
