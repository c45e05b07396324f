//! Collects databases and failures, as they come together.

use super::question::CatalogQuestion;
use crate::authority::{
    CompleteListing, FailedListing, FoundDatabase, NoAnswer, NoAnswerReason, Region,
};
use crate::aws::api::pages::PartialList;
use crate::aws::service::refusal::not_understood;
use crate::text::arn::{Arn, is_account};

/// What some questions have led to.
#[derive(Default)]
pub(super) struct CatalogPart {
    /// The account in the whole names of the things.
    pub(super) account: Option<String>,
    pub(super) databases: Vec<FoundDatabase>,
    /// Hosts that exist and are not reported as databases.
    pub(super) idle_hosts: Vec<String>,
    pub(super) failures: Vec<FailedListing>,
    pub(super) complete_listings: Vec<CompleteListing>,
    /// Whether AWS has answered, be it with a refusal.
    pub(super) is_answered: bool,
}

impl CatalogPart {
    /// Takes the failure of a list, and returns what was found before it.
    pub(super) fn take_list<T>(
        &mut self,
        question: CatalogQuestion<'_>,
        list: PartialList<T>,
    ) -> Vec<T> {
        match list.failure {
            Some(failure) => self.add_failure(question, failure),
            None => self.is_answered = true,
        }
        list.items
    }

    /// Notes why a question has no answer.
    pub(super) fn add_failure(&mut self, question: CatalogQuestion<'_>, no_answer: NoAnswer) {
        self.is_answered |= is_of_aws(no_answer.reason);
        self.failures.push(FailedListing {
            region: question.region.clone(),
            question: format!("{} {}", question.service.name, question.operation),
            no_answer,
        });
    }

    /// Takes the databases of a thing; none stands for a thing that cannot be understood.
    pub(super) fn add_databases(
        &mut self,
        question: CatalogQuestion<'_>,
        databases: Option<Vec<FoundDatabase>>,
    ) {
        match databases {
            Some(databases) => self.databases.extend(databases),
            None => self.add_failure_once(question, nonsensical_answer(question)),
        }
    }

    /// Notes a failure, unless the same question has failed in the same way before.
    pub(super) fn add_failure_once(&mut self, question: CatalogQuestion<'_>, no_answer: NoAnswer) {
        let operation = question.operation;
        let is_known = |failure: &FailedListing| {
            failure.no_answer.reason == no_answer.reason && failure.question.ends_with(operation)
        };
        if !self.failures.iter().any(is_known) {
            self.add_failure(question, no_answer);
        }
    }

    /// Notes that nothing of a service is missing in a region.
    pub(super) fn mark_complete(&mut self, service: &'static str, region: &Region) {
        self.complete_listings.push(CompleteListing {
            region: region.clone(),
            service,
        });
    }

    /// Learns the account from the whole name of a thing.
    pub(super) fn set_account_from_arn(&mut self, arn: &str) {
        if self.account.is_none()
            && let Some(arn) = Arn::parse(arn)
            && is_account(arn.account)
        {
            self.account = Some(arn.account.to_owned());
        }
    }

    pub(super) fn append(&mut self, other: Self) {
        if self.account.is_none() {
            self.account = other.account;
        }
        self.databases.extend(other.databases);
        self.idle_hosts.extend(other.idle_hosts);
        self.failures.extend(other.failures);
        self.complete_listings.extend(other.complete_listings);
        self.is_answered |= other.is_answered;
    }
}

/// Tells whether a failure shows that the service itself was reached.
fn is_of_aws(reason: NoAnswerReason) -> bool {
    !matches!(
        reason,
        NoAnswerReason::Unreachable
            | NoAnswerReason::NoSuchHost
            | NoAnswerReason::Untrusted
            | NoAnswerReason::Late
            | NoAnswerReason::Setting
            | NoAnswerReason::NotUnderstood
    )
}

fn nonsensical_answer(question: CatalogQuestion<'_>) -> NoAnswer {
    let context = format!("{} in {}", question.operation, question.region.as_str());
    let error = not_understood(&context, question.service.name, None);
    NoAnswer::new(NoAnswerReason::NotUnderstood, error)
}
