//! How often a scheduler has to run `pgcred refresh`, the command that it runs, as words.

use crate::setup::{Machine, Target};

/// Minutes between two runs: a token is due in the last third of its life, and one run may fail or
/// be late.
///
/// Two at most, however long tokens are to live: near the credentials' end they do not. A run that
/// has nothing to do takes milliseconds.
pub(super) fn minutes(targets: &[Target]) -> u32 {
    const RUNS_PER_LIFE: u32 = 6;
    const MOST: u32 = 2;
    let shortest = targets
        .iter()
        .map(|target| target.request.life)
        .min()
        .unwrap_or(900);
    (shortest / 60 / RUNS_PER_LIFE).clamp(1, MOST)
}

/// Says which tokens a run every minute, which is the most that all schedulers can do, renews too
/// late: the last third of their life is shorter than the time between two runs.
pub(super) fn too_short(targets: &[Target]) -> Option<String> {
    const LEAST: u32 = 180;
    let short = targets.iter().filter(|target| target.request.life < LEAST);
    let names: Vec<_> = short
        .map(|target| format!("{} ({} s)", target.name, target.request.life))
        .collect();
    (!names.is_empty()).then(|| {
        let names = names.join(", ");
        format!(
            "warning: tokens that live less than {LEAST} s may end before the next run: {names}; \
                 ask for longer ones, or run `pgcred refresh --watch` instead, which wakes when a token is due"
        )
    })
}

/// The words of the command.
pub(super) fn words(machine: &Machine) -> Vec<String> {
    let mut words = vec![machine.pgcred.display().to_string()];
    words.extend(["refresh", "--quiet", "--background"].map(str::to_owned));
    let config = machine
        .named_config
        .iter()
        .map(|file| file.display().to_string());
    words.extend(config.flat_map(|file| ["--config".to_owned(), file]));
    words
}
