//! Asks every profile side by side, one thread for each, and logs in where a login is missing and
//! the user may be asked.
//!
//! Catalogs end by their own deadline, so that no thread is waited for longer.

use std::sync::Mutex;
use std::thread;
use std::time::Instant;

use super::scope::{CatalogSearch, ListingAuthority, ProfileName, SearchContext};
use crate::authority::{
    CatalogAnswer, CatalogStep, DatabaseCatalog, InspectionResult, LoginPolicy, NoAnswer,
    NoAnswerReason, Region,
};
use crate::error::Error;
use crate::output::Output;
use crate::output::progress::ProgressLine;

/// How many profiles are asked at the same time. Each of them asks several questions at a time.
const MAX_THREADS: usize = 12;

/// What a profile has answered.
pub(super) struct ProfileAnswer {
    pub(super) listing_authority: ListingAuthority,
    /// As in [`CatalogSearch`].
    pub(super) profiles: Vec<ProfileName>,
    /// The regions that were asked for.
    pub(super) regions: Vec<Region>,
    pub(super) listing: InspectionResult<CatalogAnswer>,
}

impl ProfileAnswer {
    /// Returns the profile that stands for all.
    pub(super) fn profile(&self) -> Option<&str> {
        self.profiles.first()?.as_deref()
    }

    fn needs_login(&self) -> bool {
        match &self.listing {
            Ok(_) => false,
            Err(no_answer) => no_answer.reason == NoAnswerReason::LoginNeeded,
        }
    }
}

/// Asks everybody, and again those whose login was missing. The answers are in the order of the
/// questions.
pub(super) fn ask_catalogs(
    questions: Vec<CatalogSearch>,
    context: SearchContext<'_>,
    output: Output,
) -> Vec<ProfileAnswer> {
    let mut answers = ask_once(questions, output);
    let may_log_in =
        context.ask_policy.terminal || context.ask_policy.login == LoginPolicy::Browser;
    if context.ask_policy.asks() && may_log_in {
        ask_after_logins(&mut answers, context, output);
    }
    answers
}

/// Logs in for one profile after the other, and asks those again that could.
fn ask_after_logins(answers: &mut [ProfileAnswer], context: SearchContext<'_>, output: Output) {
    let mut logged_in = Vec::new();
    for (position, answer) in answers.iter_mut().enumerate() {
        if !answer.needs_login() {
            continue;
        }
        let identities = answer.listing_authority.authority.identities();
        let identity = identities.identity(answer.profile(), None);
        match identity.log_in(context.ask_policy, &context.ask_policy.notes()) {
            Ok(_) => logged_in.push(position),
            Err(error) => answer.listing = Err(NoAnswer::new(NoAnswerReason::LoginNeeded, error)),
        }
    }
    // The time that the user needs for a login does not count.
    let context = SearchContext {
        deadline: Instant::now() + context.ask_policy.timeout,
        ..context
    };
    let mut questions = Vec::new();
    for position in &logged_in {
        let answer = &answers[*position];
        questions.push(CatalogSearch {
            listing_authority: answer.listing_authority,
            profiles: answer.profiles.clone(),
            catalog: answer.listing_authority.catalog(answer.profile(), context),
            regions: answer.regions.clone(),
        });
    }
    let new_answers = ask_once(questions, output);
    for (position, answer) in logged_in.into_iter().zip(new_answers) {
        answers[position] = answer;
    }
}

fn ask_once(questions: Vec<CatalogSearch>, output: Output) -> Vec<ProfileAnswer> {
    let threads = questions.len().min(MAX_THREADS);
    let progress = ProgressLine::start(&format!("asking {}", titles(&questions)), output);
    let on_step = |step| match step {
        CatalogStep::Planned => progress.expect_more(),
        CatalogStep::Done => progress.step(),
    };
    let open_searches = Mutex::new(questions.into_iter().enumerate());
    let mut answers = Vec::new();
    thread::scope(|scope| {
        let mut handles = Vec::new();
        for _ in 0..threads {
            handles.push(scope.spawn(|| answer_open_searches(&open_searches, &on_step)));
        }
        for thread in handles {
            match thread.join() {
                Ok(new_answers) => answers.extend(new_answers),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    answers.sort_by_key(|(position, _)| *position);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// Returns whom the questions go to, for a sentence.
fn titles(questions: &[CatalogSearch]) -> String {
    let mut titles: Vec<&str> = Vec::new();
    for question in questions {
        let title = question.listing_authority.authority.title();
        if !titles.contains(&title) {
            titles.push(title);
        }
    }
    titles.join(" and ")
}

/// Takes one open question after the other until there is none.
fn answer_open_searches(
    open_searches: &Mutex<impl Iterator<Item = (usize, CatalogSearch)>>,
    on_step: &(dyn Fn(CatalogStep) + Sync),
) -> Vec<(usize, ProfileAnswer)> {
    let mut answers = Vec::new();
    while let Some((position, question)) = next_search(open_searches) {
        let listing = if question.regions.is_empty()
            && !question.catalog.regions().known_regions.is_empty()
        {
            Err(no_region_answer(question.catalog.as_ref(), on_step))
        } else {
            question.catalog.list(&question.regions, on_step)
        };
        let answer = ProfileAnswer {
            listing_authority: question.listing_authority,
            profiles: question.profiles,
            regions: question.regions,
            listing,
        };
        answers.push((position, answer));
    }
    answers
}

/// Says what is missing: the region, unless the profile itself is. Then to name a region would not
/// help.
fn no_region_answer(
    catalog: &dyn DatabaseCatalog,
    on_step: &(dyn Fn(CatalogStep) + Sync),
) -> NoAnswer {
    if let Err(answer) = catalog.list(&[], on_step)
        && matches!(
            answer.reason,
            NoAnswerReason::Setting | NoAnswerReason::NoCredentials
        )
    {
        return answer;
    }
    let error = Error::usage("no region to search");
    let hint = "name one with --region REGION, or ask in all with --all-regions";
    NoAnswer::new(NoAnswerReason::Setting, error.hint(hint))
}

fn next_search<T>(open_searches: &Mutex<impl Iterator<Item = T>>) -> Option<T> {
    match open_searches.lock() {
        Ok(mut searches) => searches.next(),
        Err(_) => None, // a thread has ended early: its panic is what counts
    }
}

#[cfg(test)]
mod tests;
