//! Checks the variables about TLS, as libpq would take them for this very target.
//!
//! `examine_tls` collects the facts, and waits for the version of psql. The rest is pure: each of
//! the `QUESTIONS` looks at the facts and may find a fault, and the first that does decides.

use std::path::Path;

use super::shown_value;
use crate::command::doctor::checks::clients::{VersionNumber, version_of_psql};
use crate::command::doctor::checks::passfile::unset_command;
use crate::command::doctor::context::ExaminedTarget;
use crate::command::doctor::finding::Finding;
use crate::provider::{RequiredRoots, RootSet};
use crate::roots;
use crate::sys::env;

/// What is known of the variables, and of the target.
#[derive(Default)]
struct TlsFacts {
    mode: Option<String>,
    roots: Option<String>,
    /// Whether the file that PGSSLROOTCERT names exists.
    roots_exist: bool,
    usual_roots: UsualRoots,
    negotiation: Option<String>,
    sni: Option<String>,
    psql: Option<VersionNumber>,
    /// The roots of the target, if no system trusts them.
    private_roots: Option<RootSet>,
    needs_sni: bool,
    takes_direct_tls: bool,
}

/// libpq's own file of root certificates, which is used where no variable names one.
#[derive(Default)]
enum UsualRoots {
    #[default]
    Missing,
    Enough,
    /// What it lacks, in words.
    Lacking(String),
}

pub(super) fn examine_tls(examined: &mut ExaminedTarget<'_, '_>) -> Finding {
    let psql = version_of_psql(examined.examination);
    let request = &examined.request;
    let root_file = env::var("PGSSLROOTCERT");
    judge_tls_variables(&TlsFacts {
        mode: env::var("PGSSLMODE"),
        roots_exist: root_file
            .as_ref()
            .is_some_and(|file| Path::new(file).exists()),
        roots: root_file,
        usual_roots: match roots::warning_about_own_file(request) {
            Some(lack) => UsualRoots::Lacking(lack),
            None if env::users_root_certificates().is_some() => UsualRoots::Enough,
            None => UsualRoots::Missing,
        },
        negotiation: env::var("PGSSLNEGOTIATION"),
        sni: env::var("PGSSLSNI"),
        psql,
        private_roots: match roots::required_roots(request) {
            RequiredRoots::Private(set) => Some(set),
            RequiredRoots::Public(_) => None,
        },
        needs_sni: request.provider.needs_sni,
        takes_direct_tls: request.provider.takes_direct_tls,
    })
}

/// One question about the variables; `None` if nothing is wrong.
type TlsQuestion = fn(&TlsFacts) -> Option<Finding>;

/// The first that finds something decides.
const QUESTIONS: [TlsQuestion; 6] = [
    judge_sslmode,
    system_roots,
    root_file,
    usual_roots,
    judge_sslnegotiation,
    judge_sslsni,
];

fn judge_tls_variables(facts: &TlsFacts) -> Finding {
    for question in QUESTIONS {
        if let Some(finding) = question(facts) {
            return finding;
        }
    }
    let mut set = Vec::new();
    for (name, value) in [
        ("PGSSLMODE", &facts.mode),
        ("PGSSLROOTCERT", &facts.roots),
        ("PGSSLNEGOTIATION", &facts.negotiation),
        ("PGSSLSNI", &facts.sni),
    ] {
        if let Some(value) = value {
            set.push(format!("{name}={}", shown_value(value)));
        }
    }
    if set.is_empty() {
        return Finding::ok("no variable changes TLS");
    }
    Finding::ok(set.join(", "))
}

impl TlsFacts {
    fn verifies(&self) -> bool {
        matches!(self.mode.as_deref(), Some("verify-ca" | "verify-full"))
    }
}

fn judge_sslmode(facts: &TlsFacts) -> Option<Finding> {
    let finding = match facts.mode.as_deref()? {
        "disable" => Finding::fail("tls.off", "PGSSLMODE is disable: the server refuses that"),
        weak @ ("allow" | "prefer") => Finding::warn(
            "tls.off",
            format!("PGSSLMODE is {weak}: clients also try without TLS, and verify nothing"),
        ),
        _ => return None,
    };
    Some(finding.with_command(set_command("PGSSLMODE", "verify-full")))
}

/// Returns the command that sets a variable.
fn set_command(name: &str, value: &str) -> String {
    if cfg!(windows) {
        format!("set {name}={value}")
    } else {
        format!("export {name}={value}")
    }
}

fn system_roots(facts: &TlsFacts) -> Option<Finding> {
    if facts.roots.as_deref() != Some("system") {
        return None;
    }
    if let Some(set) = &facts.private_roots {
        let detail = format!(
            "PGSSLROOTCERT is system, which lacks the root certificates of {}",
            set.title
        );
        return Some(Finding::fail(set.cause, detail).with_command(unset_command("PGSSLROOTCERT")));
    }
    if let Some(psql) = facts.psql
        && psql < VersionNumber::major(16)
    {
        let detail = "PGSSLROOTCERT is system, which psql before 16 takes for a file";
        return Some(
            Finding::fail("tls.system.old", detail).with_command(unset_command("PGSSLROOTCERT")),
        );
    }
    match facts.mode.as_deref() {
        Some("verify-full") | None => None,
        Some(mode) => {
            let mode = shown_value(mode);
            let detail = format!("PGSSLROOTCERT is system, which PGSSLMODE={mode} is too weak for");
            let command = set_command("PGSSLMODE", "verify-full");
            Some(Finding::fail("tls.weak", detail).with_command(command))
        }
    }
}

fn root_file(facts: &TlsFacts) -> Option<Finding> {
    if !facts.verifies() {
        return None;
    }
    let detail = match facts.roots.as_deref() {
        Some("system") => return None,
        Some(_) if facts.roots_exist => return None,
        Some(file) => format!(
            "PGSSLROOTCERT is {}, which does not exist",
            shown_value(file)
        ),
        None if !matches!(facts.usual_roots, UsualRoots::Missing) => return None,
        None => "PGSSLMODE verifies, and there is no file of root certificates".to_owned(),
    };
    Some(Finding::fail("tls.rootfile", detail))
}

fn usual_roots(facts: &TlsFacts) -> Option<Finding> {
    if facts.roots.is_some() || !facts.verifies() {
        return None;
    }
    let UsualRoots::Lacking(problem) = &facts.usual_roots else {
        return None;
    };
    let cause = match &facts.private_roots {
        Some(set) => set.cause,
        None => "tls.rootfile",
    };
    Some(Finding::fail(cause, problem))
}

fn judge_sslnegotiation(facts: &TlsFacts) -> Option<Finding> {
    if facts.negotiation.as_deref() != Some("direct") {
        return None;
    }
    let command = unset_command("PGSSLNEGOTIATION");
    if !facts.verifies() && facts.mode.as_deref() != Some("require") {
        let detail = "PGSSLNEGOTIATION is direct, which needs PGSSLMODE=require or more";
        return Some(Finding::fail("tls.direct.weak", detail).with_command(command));
    }
    if facts.takes_direct_tls {
        return None;
    }
    let detail = "PGSSLNEGOTIATION is direct, which servers before PostgreSQL 17 do not know";
    Some(Finding::warn("tls.alpn", detail).with_command(command))
}

fn judge_sslsni(facts: &TlsFacts) -> Option<Finding> {
    if facts.sni.as_deref() != Some("0") || !facts.needs_sni {
        return None;
    }
    let detail = "PGSSLSNI is 0: the server is not told which cluster is meant";
    Some(Finding::fail("tls.sni", detail).with_command(unset_command("PGSSLSNI")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    /// Returns the facts of these variables: mode, roots, negotiation, SNI.
    fn facts(variables: [&str; 4]) -> TlsFacts {
        let [mode, roots, negotiation, sni] =
            variables.map(|value| (!value.is_empty()).then(|| value.to_owned()));
        TlsFacts {
            mode,
            roots,
            negotiation,
            sni,
            ..TlsFacts::default()
        }
    }

    const DSQL: bool = true;
    const RDS: bool = false;

    #[test]
    fn the_variables_are_judged_as_libpq_takes_them() {
        for (variables, is_dsql, cause) in [
            (["", "", "", ""], DSQL, None),
            (["require", "", "", ""], DSQL, None),
            (
                ["disable", "", "", ""],
                DSQL,
                Some((FindingStatus::Fail, "tls.off")),
            ),
            (
                ["prefer", "", "", ""],
                RDS,
                Some((FindingStatus::Warn, "tls.off")),
            ),
            (["verify-full", "system", "", ""], DSQL, None),
            (
                ["verify-full", "system", "", ""],
                RDS,
                Some((FindingStatus::Fail, "tls.roots.rds")),
            ),
            (
                ["require", "system", "", ""],
                DSQL,
                Some((FindingStatus::Fail, "tls.weak")),
            ),
            (
                ["verify-full", "/none", "", ""],
                RDS,
                Some((FindingStatus::Fail, "tls.rootfile")),
            ),
            (["require", "/none", "", ""], RDS, None),
            (
                ["verify-ca", "", "", ""],
                DSQL,
                Some((FindingStatus::Fail, "tls.rootfile")),
            ),
            (
                ["", "", "direct", ""],
                DSQL,
                Some((FindingStatus::Fail, "tls.direct.weak")),
            ),
            (["require", "", "direct", ""], DSQL, None),
            (
                ["require", "", "direct", ""],
                RDS,
                Some((FindingStatus::Warn, "tls.alpn")),
            ),
            (
                ["require", "", "", "0"],
                DSQL,
                Some((FindingStatus::Fail, "tls.sni")),
            ),
            (["require", "", "", "0"], RDS, None),
        ] {
            let facts = TlsFacts {
                needs_sni: is_dsql,
                takes_direct_tls: is_dsql,
                private_roots: if is_dsql { None } else { private_roots() },
                ..facts(variables)
            };
            let finding = judge_tls_variables(&facts);
            let found = finding.cause.map(|cause| (finding.status, cause));
            assert_eq!(found, cause, "{variables:?} {is_dsql}");
        }
    }

    fn private_roots() -> Option<RootSet> {
        let rds = crate::provider::from_name("rds").expect("a provider");
        (rds.roots_of)("db.x.eu-west-1.rds.amazonaws.com", None)
            .set()
            .cloned()
    }

    #[test]
    fn the_files_of_roots_and_the_version_count() {
        let found = |facts: &TlsFacts| judge_tls_variables(facts).cause;
        let verifying = || facts(["verify-full", "", "", ""]);
        let enough = TlsFacts {
            usual_roots: UsualRoots::Enough,
            ..verifying()
        };
        assert_eq!(found(&enough), None);
        for (private_roots, cause) in [(private_roots(), "tls.roots.rds"), (None, "tls.rootfile")] {
            let lacking = TlsFacts {
                usual_roots: UsualRoots::Lacking("it lacks the roots".to_owned()),
                private_roots,
                ..verifying()
            };
            assert_eq!(found(&lacking), Some(cause));
        }
        let named = TlsFacts {
            roots_exist: true,
            ..facts(["verify-full", "/roots.pem", "", ""])
        };
        assert_eq!(found(&named), None);
        for (major, cause) in [(15, Some("tls.system.old")), (16, None)] {
            let facts = TlsFacts {
                psql: Some(VersionNumber::major(major)),
                ..facts(["verify-full", "system", "", ""])
            };
            assert_eq!(found(&facts), cause, "{major}");
        }
    }
}
