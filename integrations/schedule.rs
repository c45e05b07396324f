//! How often a scheduler has to run `pgcred refresh`, and the command that it runs.

use crate::setup::{Machine, Target};

/// Minutes between two runs: a token is due in the last third of its life, and one run may fail or be late.
pub(super) fn minutes(targets: &[Target]) -> u32 {
    const RUNS_PER_LIFE: u32 = 6;
    const MOST: u32 = 10;
    let shortest = targets.iter().map(|target| target.request.life).min().unwrap_or(900);
    (shortest / 60 / RUNS_PER_LIFE).clamp(1, MOST)
}

/// The words of the command.
pub(super) fn words(machine: &Machine) -> Vec<String> {
    let mut words = vec![machine.pgcred.display().to_string()];
    words.extend(["refresh", "--quiet", "--background"].map(str::to_owned));
    words
}
