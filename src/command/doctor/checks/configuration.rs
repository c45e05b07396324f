//! Checks the configuration: whether it can be read, and whether its connections get along.
//!
//! The file is read anew, because doctor also runs if it cannot be read. `judge_connections` is
//! pure. Whether two connections need the same line of the passfile is decided in `line_owners`, as
//! for the other commands.

use crate::command::config_file::{ConfigFile, ConfigNeed};
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, Examination};
use crate::command::doctor::finding::Finding;
use crate::command::line_owners::assign_line_owners;
use crate::error::Exit;
use crate::output::Output;
use crate::provider;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "configuration.file",
        about: "whether the configuration file is yours, and can be read and understood",
        level: CheckLevel::Offline,
        needs: &[],
        examine: Examine::Machine(examine_file),
    },
    Check {
        id: "configuration.targets",
        about: "whether any connection is configured",
        level: CheckLevel::Offline,
        needs: &["configuration.file"],
        examine: Examine::Machine(examine_connections),
    },
    Check {
        id: "configuration.lines",
        about: "whether two connections need the same line of the passfile",
        level: CheckLevel::Offline,
        needs: &["configuration.file"],
        examine: Examine::Machine(examine_lines),
    },
];

fn examine_file(examination: &mut Examination<'_>) -> Finding {
    let config_option = examination.app.options.config.as_deref();
    match ConfigFile::read(config_option, ConfigNeed::Whole, Output::SILENT) {
        Ok(config_file) => {
            let Some(path) = config_file.path else {
                return Finding::ok("no configuration directory is known");
            };
            let path = path.display();
            match config_file.changed {
                Some(_) => Finding::ok(path.to_string()),
                None => Finding::ok(format!("none yet: {path} does not exist")),
            }
        }
        Err(error) => {
            let mut finding = Finding::from_error("config.file", &error);
            finding.exit = Exit::Failure;
            finding
        }
    }
}

fn examine_connections(examination: &mut Examination<'_>) -> Finding {
    let mut names = Vec::new();
    for connection in &examination.app.preferences.config.connections {
        names.push(connection.name.as_str());
    }
    judge_connections(&names, examination.has_targets)
}

fn judge_connections(names: &[&str], has_targets: bool) -> Finding {
    match names.len() {
        0 if has_targets => Finding::ok("none; the target was named on the command line"),
        0 => Finding::warn("config.none", "no connection is configured")
            .with_advice(format!(
                "name a host of {} once; then `pgcred doctor` examines it",
                provider::titles()
            ))
            .with_command("pgcred add NAME HOST")
            .with_command("pgcred doctor NAME"),
        1 => Finding::ok(format!("one: {}", names[0])),
        count => Finding::ok(format!("{count}: {}", names.join(", "))),
    }
}

fn examine_lines(examination: &mut Examination<'_>) -> Finding {
    let mut requests = examination.app.preferences.named_connections();
    let conflicts = assign_line_owners(&mut requests);
    if conflicts.is_empty() {
        return Finding::ok("each connection has lines of its own");
    }
    let texts: Vec<String> = conflicts.iter().map(ToString::to_string).collect();
    Finding::warn("passfile.conflict", texts.join("; "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    #[test]
    fn without_connections_the_user_is_told_how_to_begin() {
        let finding = judge_connections(&[], false);
        assert_eq!(finding.cause, Some("config.none"));
        assert_eq!(finding.commands[0], "pgcred add NAME HOST");
        for (names, has_targets, says) in [
            (&[][..], true, "none; the target"),
            (&["a"][..], false, "one: a"),
            (&["a", "b"][..], true, "2: a, b"),
        ] {
            let finding = judge_connections(names, has_targets);
            assert_eq!(finding.status, FindingStatus::Ok);
            assert!(finding.detail.starts_with(says), "{}", finding.detail);
        }
    }
}
