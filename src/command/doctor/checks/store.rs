//! Checks the store: whether tokens can be kept between calls.
//!
//! A thread of `jobs` tries it, because a keyring may hang: it writes into the cache's directory,
//! and it writes, reads and deletes an entry of the keyring. The checks wait for that trial until
//! the deadline of the run. `judge_key_trial` is pure.

use crate::cache::{CacheTrial, KeyTrial};
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, Examination};
use crate::command::doctor::finding::Finding;
use crate::sys::env;
use crate::sys::fs;

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "store.directory",
        about: "whether the cache's directory is yours and can be written: a file is written, read \
                and deleted",
        level: CheckLevel::Offline,
        needs: &[],
        examine: Examine::Machine(examine_directory),
    },
    Check {
        id: "store.key",
        about: "whether the keyring answers: an entry is written, read and deleted",
        level: CheckLevel::Offline,
        needs: &[],
        examine: Examine::Machine(examine_key),
    },
];

fn examine_directory(examination: &mut Examination<'_>) -> Finding {
    const CAUSE: &str = "cache.directory";
    let deadline = examination.deadline;
    let Some(trial) = &mut examination.jobs.cache else {
        return Finding::skip(no_cache_reason());
    };
    let Some(CacheTrial {
        directory, written, ..
    }) = trial.get(deadline)
    else {
        return Finding::warn(CAUSE, "the cache did not answer in time");
    };
    match written {
        Ok(()) => Finding::ok(directory.display().to_string()),
        Err(error) => {
            let mut finding = Finding::warn(CAUSE, error.to_string());
            finding.advice = error.hint_text().map(str::to_owned);
            finding
        }
    }
}

fn examine_key(examination: &mut Examination<'_>) -> Finding {
    let deadline = examination.deadline;
    let Some(trial) = &mut examination.jobs.cache else {
        return Finding::skip(no_cache_reason());
    };
    judge_key_trial(trial.get(deadline).map(|trial| &trial.key))
}

fn no_cache_reason() -> String {
    if fs::trust::root_in_foreign_home_error().is_some() {
        return "root keeps no tokens in another user's home".to_owned();
    }
    match env::var("PGCRED_CACHE") {
        Some(choice) => format!("no tokens are kept: PGCRED_CACHE is {choice}"),
        None => "no tokens are kept: the configuration says `cache = \"none\"`".to_owned(),
    }
}

/// Judges the trial of the key's place; `None` if it has not ended in time.
fn judge_key_trial(trial: Option<&KeyTrial>) -> Finding {
    const CAUSE: &str = "cache.key";
    let Some(trial) = trial else {
        return Finding::warn(CAUSE, "the keyring did not answer in time");
    };
    let failures = trial.failures.join("; ");
    match &trial.holder {
        Some(holder) if failures.is_empty() => Finding::ok(holder),
        Some(holder) => Finding::ok(format!("{holder}; before it: {failures}")),
        None if failures.is_empty() => Finding::warn(
            CAUSE,
            "no token can be kept: this system has no such keyring",
        ),
        None => Finding::warn(CAUSE, format!("no token can be kept: {failures}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::doctor::finding::FindingStatus;

    #[test]
    fn a_trial_is_judged_by_who_kept_the_entry() {
        let trial = |holder: Option<&str>, failures: &[&str]| KeyTrial {
            holder: holder.map(str::to_owned),
            failures: failures.iter().map(|text| (*text).to_owned()).collect(),
        };
        for (trial, status, says) in [
            (None, FindingStatus::Warn, "did not answer in time"),
            (
                Some(trial(Some("the ring"), &[])),
                FindingStatus::Ok,
                "the ring",
            ),
            (
                Some(trial(Some("file k"), &["ring: no"])),
                FindingStatus::Ok,
                "file k; before it: ring: no",
            ),
            (
                Some(trial(None, &["ring: no"])),
                FindingStatus::Warn,
                "no token can be kept: ring: no",
            ),
            (
                Some(trial(None, &[])),
                FindingStatus::Warn,
                "no such keyring",
            ),
        ] {
            let finding = judge_key_trial(trial.as_ref());
            assert_eq!(finding.status, status, "{}", finding.detail);
            assert!(finding.detail.contains(says), "{}", finding.detail);
        }
    }
}
