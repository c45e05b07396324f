//! The installation: which pgcred runs.

use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{Examination, Level};
use crate::command::doctor::finding::Finding;

pub(super) const CHECKS: &[Check] = &[Check {
    id: "installation.version",
    about: "the version of pgcred, and the file that runs",
    level: Level::Offline,
    needs: &[],
    examine: Examine::Machine(version),
}];

fn version(examination: &mut Examination<'_>) -> Finding {
    let version = env!("CARGO_PKG_VERSION");
    let path = examination.machine.pgcred.display();
    Finding::ok(format!("pgcred {version}, {path}"))
}
