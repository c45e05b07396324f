//! Checks the clients: psql and libpq by their versions, sandboxes that hide files, the AWS CLI.
//!
//! The threads of `jobs` run the programs with `--version`; the checks wait for them until
//! `jobs.program_deadline`. Pure are [`VersionNumber`] and the functions `judge_...`, which know
//! what each version of libpq can do. The variables about TLS are judged by the same version
//! (`version_of_psql`).

use std::fmt;
use std::path::Path;

use super::sandboxes;
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, Examination, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::provider;

pub(super) const CHECKS: &[Check] = &[
    Check::for_machine(
        "clients.psql",
        "the versions of psql and libpq on PATH",
        examine_psql,
    ),
    Check::for_machine(
        "clients.lines",
        "whether psql reads lines of the passfile as long as tokens",
        examine_lines,
    ),
    Check::for_machine(
        "clients.sandboxes",
        "whether a sandbox keeps a tool from files and programs",
        examine_sandbox,
    ),
    Check::for_machine(
        "clients.aws",
        "whether the AWS CLI is version 2",
        examine_aws,
    ),
    Check {
        id: "clients.sni",
        about: "whether psql tells the server which host it wants",
        level: CheckLevel::Offline,
        needs: &[],
        examine: Examine::Target(examine_sni),
    },
];

/// Why a check of psql is skipped.
const UNKNOWN: &str = "the version of psql is not known";

/// The version of a program: up to three numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct VersionNumber([u32; 3]);

/// `15.18`, or `9.6.24`: a third number that is 0 is left out.
impl fmt::Display for VersionNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}")?;
        if *patch == 0 {
            return Ok(());
        }
        write!(f, ".{patch}")
    }
}

impl VersionNumber {
    pub(super) const fn major(major: u32) -> Self {
        Self([major, 0, 0])
    }

    /// Returns the first version in a text such as `psql (PostgreSQL) 15.18 (Debian 15.18-0)`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let starts_with_digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let word = text.split([' ', '/']).find(starts_with_digit)?;
        let mut numbers = [0; 3];
        for (number, part) in numbers.iter_mut().zip(word.split('.')) {
            let end = part
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(part.len());
            match part[..end].parse() {
                Ok(parsed) => *number = parsed,
                Err(_) => break,
            }
        }
        Some(Self(numbers))
    }

    /// Tells whether this libpq cuts a line of the passfile after 319 bytes. The versions of
    /// November 2020 were the first that do not, in every branch that was kept up then.
    fn cuts_lines(self) -> bool {
        let Self([major, minor, patch]) = self;
        match major {
            13.. => false,
            12 => minor < 5,
            11 => minor < 10,
            10 => minor < 15,
            9 => (minor, patch) < (5, 24) || (minor == 6 && patch < 20),
            _ => true,
        }
    }
}

/// Returns the version of psql; `None` if there is no psql, or if it does not tell.
pub(super) fn version_of_psql(examination: &mut Examination<'_>) -> Option<VersionNumber> {
    VersionNumber::parse(examination.jobs.client("psql")?)
}

/// A client, and the version that it tells.
#[derive(Clone)]
struct ClientProgram {
    name: &'static str,
    path: String,
    version: Option<VersionNumber>,
}

fn examine_psql(examination: &mut Examination<'_>) -> Finding {
    let Some(program_deadline) = examination.jobs.program_deadline else {
        return Finding::skip("no client was asked");
    };
    let mut clients = Vec::new();
    for client in &mut examination.jobs.clients {
        clients.push(ClientProgram {
            name: client.name,
            path: client.path.display().to_string(),
            version: match client.text(program_deadline) {
                Some(text) => VersionNumber::parse(text),
                None => None,
            },
        });
    }
    judge_versions(&clients)
}

fn judge_versions(clients: &[ClientProgram]) -> Finding {
    if clients.is_empty() {
        return Finding::skip("PATH has no psql");
    }
    let mut versions = Vec::new();
    for client in clients {
        let ClientProgram {
            name,
            path,
            version,
        } = client;
        versions.push(match version {
            Some(version) => format!("{name} {version} ({path})"),
            None => format!("{path} does not tell its version"),
        });
        if *name == "psql"
            && let Some(version) = version
            && *version < VersionNumber::major(10)
        {
            return Finding::warn("tool.scram", versions.join(", "))
                .with_advice("PostgreSQL no longer keeps this version up: install a newer client");
        }
    }
    Finding::ok(versions.join(", "))
}

fn examine_lines(examination: &mut Examination<'_>) -> Finding {
    judge_lines(version_of_psql(examination))
}

fn judge_lines(version: Option<VersionNumber>) -> Finding {
    let Some(version) = version else {
        return Finding::skip(UNKNOWN);
    };
    if version.cuts_lines() {
        return Finding::fail(
            "token.cut",
            format!("psql {version} reads 319 bytes of a line, and a token is longer"),
        )
        .with_advice("install psql 13 or newer");
    }
    Finding::ok(format!("psql {version} reads lines of any length"))
}

fn examine_sni(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    judge_sni(
        version_of_psql(examined.examination),
        examined.request.provider.needs_sni,
    )
}

fn judge_sni(version: Option<VersionNumber>, is_needed: bool) -> Finding {
    let Some(version) = version else {
        return Finding::skip(UNKNOWN);
    };
    if version >= VersionNumber::major(14) {
        return Finding::ok(format!("psql {version} sends the name of the host"));
    }
    if !is_needed {
        return Finding::ok(format!(
            "psql {version} does not, and this server needs no name"
        ));
    }
    Finding::fail(
        "tls.sni",
        format!("psql {version} does not send the name of the host"),
    )
    .with_advice("install psql 14 or newer")
}

fn examine_sandbox(examination: &mut Examination<'_>) -> Finding {
    sandboxes::judge_sandboxes(&sandboxes::sandboxed_tools(&examination.machine))
}

fn examine_aws(examination: &mut Examination<'_>) -> Finding {
    let own_path = examination.machine.pgcred.canonicalize().ok();
    if let Some(name) = examination.only_authority
        && !provider::has_own_command(name)
    {
        return Finding::skip("it makes no token for the targets");
    }
    let (Some(aws), Some(program_deadline)) =
        (&mut examination.jobs.aws, examination.jobs.program_deadline)
    else {
        return Finding::skip("PATH has no `aws`");
    };
    let path = aws.path.clone();
    if path.canonicalize().ok() == own_path {
        return Finding::ok(format!("{} is a link to pgcred", path.display()));
    }
    judge_aws(&path, aws.text(program_deadline))
}

fn judge_aws(path: &Path, text: Option<&str>) -> Finding {
    let path = path.display();
    let Some(text) = text else {
        return Finding::skip(format!("{path} did not tell its version in time"));
    };
    // aws-cli/1.44.4 Python/3.11.2 Linux/6.1
    let version = text.strip_prefix("aws-cli/").and_then(VersionNumber::parse);
    match version {
        Some(version) if version < VersionNumber::major(2) => Finding::warn(
            "cli.v1",
            format!("{path} is version 1, which has no `aws dsql`"),
        )
        .with_command("pgcred aws dsql generate-db-connect-auth-token --hostname HOST")
        .with_advice("uninstall it and install version 2, or use `pgcred aws`"),
        Some(_) => Finding::ok(format!("{path} is version 2")),
        None => Finding::skip(format!(
            "{path} does not tell its version as the AWS CLI does"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    fn version(text: &str) -> VersionNumber {
        VersionNumber::parse(text).expect("a version")
    }

    #[test]
    fn versions_are_read_as_the_programs_print_them() {
        for (text, expected) in [
            (
                "psql (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)",
                [15, 18, 0],
            ),
            ("PostgreSQL 9.6.24", [9, 6, 24]),
            ("pg_dump (PostgreSQL) 18beta1", [18, 0, 0]),
            ("psql (PostgreSQL) 14devel", [14, 0, 0]),
            ("1.44.4 Python/3.11", [1, 44, 4]),
        ] {
            assert_eq!(
                VersionNumber::parse(text),
                Some(VersionNumber(expected)),
                "{text}"
            );
        }
        for text in ["", "psql", "psql (PostgreSQL)"] {
            assert_eq!(VersionNumber::parse(text), None, "{text}");
        }
    }

    #[test]
    fn the_versions_that_cut_lines_are_those_before_november_2020() {
        for (cutting, whole) in [
            ("9.5.23", "9.5.24"),
            ("9.6.19", "9.6.20"),
            ("10.14", "10.15"),
            ("11.9", "11.10"),
            ("12.4", "12.5"),
            ("9.4.26", "13.0"),
            ("8.4", "18.1"),
        ] {
            assert!(version(cutting).cuts_lines(), "{cutting}");
            assert!(!version(whole).cuts_lines(), "{whole}");
        }
    }

    #[test]
    fn the_version_of_psql_is_judged() {
        let client = |name: &'static str, text: &str| ClientProgram {
            name,
            path: format!("/usr/bin/{name}"),
            version: VersionNumber::parse(text),
        };
        let new = client("psql", "psql (PostgreSQL) 15.18");
        let old = client("psql", "psql (PostgreSQL) 9.6.24");
        assert_eq!(judge_versions(&[]).status, FindingStatus::Skip);
        let finding = judge_versions(&[new, client("pg_config", "")]);
        let says = "psql 15.18 (/usr/bin/psql), /usr/bin/pg_config does not tell its version";
        assert_eq!(
            (finding.status, finding.detail.as_str()),
            (FindingStatus::Ok, says)
        );
        let finding = judge_versions(&[old]);
        assert_eq!(finding.cause, Some("tool.scram"));
        assert_eq!(finding.detail, "psql 9.6.24 (/usr/bin/psql)");
        for (text, of_lines, of_dsql, of_rds) in [
            (
                "",
                FindingStatus::Skip,
                FindingStatus::Skip,
                FindingStatus::Skip,
            ),
            (
                "psql 12.4",
                FindingStatus::Fail,
                FindingStatus::Fail,
                FindingStatus::Ok,
            ),
            (
                "psql 13.1",
                FindingStatus::Ok,
                FindingStatus::Fail,
                FindingStatus::Ok,
            ),
            (
                "psql 14.0",
                FindingStatus::Ok,
                FindingStatus::Ok,
                FindingStatus::Ok,
            ),
        ] {
            let version = VersionNumber::parse(text);
            assert_eq!(judge_lines(version).status, of_lines, "{text}");
            assert_eq!(judge_sni(version, true).status, of_dsql, "{text}");
            assert_eq!(judge_sni(version, false).status, of_rds, "{text}");
        }
    }

    #[test]
    fn the_version_of_the_aws_cli_is_judged() {
        for (text, status) in [
            (
                Some("aws-cli/1.44.4 Python/3.11.2 Linux/6.1"),
                FindingStatus::Warn,
            ),
            (
                Some("aws-cli/2.31.0 Python/3.13.7 Linux/6.1"),
                FindingStatus::Ok,
            ),
            (Some("something else 1.2"), FindingStatus::Skip),
            (None, FindingStatus::Skip),
        ] {
            assert_eq!(judge_aws(Path::new("/a"), text).status, status, "{text:?}");
        }
    }
}
