//! Says what was not answered, as one line for each profile, and makes the error of a run that was
//! told nothing. It is pure.

use super::search::ProfileAnswer;
use crate::authority::{CatalogAnswer, FailedListing, NoAnswerReason};
use crate::error::{Error, Exit};
use crate::text::suggest;

/// Tells whether anybody has answered anything.
pub(super) fn is_anything_listed(answers: &[ProfileAnswer]) -> bool {
    answers.iter().any(has_listed)
}

fn has_listed(answer: &ProfileAnswer) -> bool {
    let Ok(listing) = &answer.listing else {
        return false;
    };
    !listing.databases.is_empty() || !listing.complete_listings.is_empty()
}

/// Returns an error for each profile that has not answered everything.
pub(super) fn errors_of_answers(answers: &[ProfileAnswer]) -> Vec<Error> {
    let mut errors = Vec::new();
    for answer in answers {
        match &answer.listing {
            Err(no_answer) => errors.push(name_profile(no_answer.error.clone(), answer)),
            Ok(listing) if listing.failures.is_empty() => {}
            Ok(listing) => errors.push(error_of_regions(answer, listing)),
        }
    }
    errors
}

/// Puts the profile in front of an error that does not name it.
fn name_profile(error: Error, answer: &ProfileAnswer) -> Error {
    match answer.profile() {
        Some(profile) if !error.to_string().contains(&format!("`{profile}`")) => {
            error.about(profile)
        }
        _ => error,
    }
}

/// Sums up what failed: `dev: eu-south-1, me-south-1: not enabled; eu-west-1: not allowed: ...`.
fn error_of_regions(answer: &ProfileAnswer, listing: &CatalogAnswer) -> Error {
    let mut groups: Vec<RegionGroup<'_>> = Vec::new();
    for region in &answer.regions {
        for group in groups_of(region.as_str(), &listing.failures) {
            match groups
                .iter_mut()
                .find(|similar_group| similar_group.is_like(&group))
            {
                Some(similar_group) => similar_group.regions.extend(group.regions),
                None => groups.push(group),
            }
        }
    }
    let mut texts = Vec::new();
    for group in &groups {
        let regions = suggest::list_names(&group.regions);
        texts.push(format!("{regions}: {}", group.text()));
    }
    let error = name_profile(Error::failure(texts.join("; ")), answer);
    match groups.iter().find_map(RegionGroup::hint) {
        Some(hint) => error.hint(hint),
        None => {
            error.hint("run `pgcred discover --region REGION` with a region that has databases")
        }
    }
}

/// Regions in which the same was not answered, for the same reason.
struct RegionGroup<'a> {
    regions: Vec<&'a str>,
    reason: NoAnswerReason,
    questions: Vec<&'a str>,
    first: &'a FailedListing,
}

/// Puts together what failed in one region.
fn groups_of<'a>(region: &'a str, failures: &'a [FailedListing]) -> Vec<RegionGroup<'a>> {
    let mut groups: Vec<RegionGroup<'a>> = Vec::new();
    for failure in failures {
        if failure.region.as_str() != region {
            continue;
        }
        let reason = canonical_reason(failure.no_answer.reason);
        match groups.iter_mut().find(|group| group.reason == reason) {
            Some(group) => group.questions.push(&failure.question),
            None => groups.push(RegionGroup {
                regions: vec![region],
                reason,
                questions: vec![&failure.question],
                first: failure,
            }),
        }
    }
    groups
}

/// A region that is not enabled answers in two ways.
fn canonical_reason(reason: NoAnswerReason) -> NoAnswerReason {
    match reason {
        NoAnswerReason::KeyUnknown => NoAnswerReason::RegionOff,
        other => other,
    }
}

impl RegionGroup<'_> {
    fn is_like(&self, other: &Self) -> bool {
        self.reason == other.reason
            && (self.reason != NoAnswerReason::NotAllowed || self.questions == other.questions)
    }

    fn text(&self) -> String {
        match self.reason {
            NoAnswerReason::RegionOff => "not enabled".to_owned(),
            NoAnswerReason::NotAllowed => format!("not allowed: {}", self.questions.join(", ")),
            NoAnswerReason::NotFound | NoAnswerReason::NotAskable => "no such service".to_owned(),
            _ => self.error_without_region(),
        }
    }

    /// Returns the first error without its region, which stands in front of it with the others.
    fn error_without_region(&self) -> String {
        let text = self.first.no_answer.error.to_string();
        let region_suffix = format!(" in {}", self.first.region.as_str());
        text.replacen(&region_suffix, "", 1)
    }

    fn hint(&self) -> Option<&str> {
        match self.reason {
            NoAnswerReason::RegionOff | NoAnswerReason::NotFound | NoAnswerReason::NotAskable => {
                None
            }
            NoAnswerReason::NotAllowed => {
                Some("run `pgcred policy --for discover` to see what has to be allowed")
            }
            _ => self.first.no_answer.error.hint_text(),
        }
    }
}

/// Returns the exit code of a run that was told nothing: that of a missing login, if there is one.
pub(super) fn exit_of_errors(errors: &[Error]) -> Option<Exit> {
    let needs_login = errors.iter().any(|error| error.exit() == Exit::Login);
    if needs_login { Some(Exit::Login) } else { None }
}

#[cfg(test)]
mod tests;
