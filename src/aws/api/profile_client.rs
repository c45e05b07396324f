//! Asks questions with the credentials of one profile, from outside the async world: each runs to
//! its end on a runtime of its own.
//!
//! Several threads may ask at once. The credentials are resolved by the first of them, under a
//! lock; the others wait for that and use the same. Nobody is asked for a login, and each question
//! ends by the deadline of the run.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::client::ApiClient;
use crate::authority::{
    AskPolicy, InspectionResult, LoginPolicy, NoAnswer, NoAnswerReason, Region, RunNotes,
};
use crate::aws::blocking::BlockingResolver;
use crate::aws::credentials::Credentials;
use crate::aws::planned_profile::PlannedProfile;
use crate::aws::resolution::CredentialResolution;
use crate::aws::settings::SharedFiles;
use crate::error::{Error, ErrorReason, Exit, Result};
use crate::http::block_on;

/// Where STS and IAM are asked if nothing names a region.
const ANY_REGION: &str = "us-east-1";

type ReadProfile = fn(Option<&str>) -> PlannedProfile;

/// The credentials of one profile, and by when its questions end. The settings are read anew for
/// each question, since what has been read belongs to one thread.
pub(super) struct ProfileClient {
    profile: Option<String>,
    ask_policy: AskPolicy,
    deadline: Instant,
    /// Reads the settings of a profile.
    read: ReadProfile,
    /// What the resolution of the credentials has led to. Who comes second waits for it.
    credentials: Mutex<Option<Result<Credentials>>>,
}

impl ProfileClient {
    /// Returns a client that resolves credentials as a token does, but never by asking the user.
    pub(super) fn new(profile: Option<&str>, ask_policy: &AskPolicy, deadline: Instant) -> Self {
        let read = |profile: Option<&str>| PlannedProfile::read(profile, &SharedFiles::default());
        Self::with_plan_reader(read, profile, ask_policy, deadline)
    }

    pub(super) fn with_plan_reader(
        read: ReadProfile,
        profile: Option<&str>,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Self {
        let ask_policy = AskPolicy {
            login: LoginPolicy::Never,
            login_asked_for: false,
            terminal: false,
            ..ask_policy.clone()
        };
        Self {
            profile: profile.map(str::to_owned),
            ask_policy,
            deadline,
            read,
            credentials: Mutex::default(),
        }
    }

    /// Reads the settings of the profile.
    pub(super) fn plan(&self) -> PlannedProfile {
        (self.read)(self.profile.as_deref())
    }

    /// Reads the settings, and runs a question that needs no credentials.
    pub(super) fn without_credentials<T>(
        &self,
        region: Option<&Region>,
        question: impl AsyncFnOnce(&CredentialResolution<'_>, &str) -> InspectionResult<T>,
    ) -> InspectionResult<T> {
        let planned_profile = self.plan();
        let region = region_of(&planned_profile, region);
        let notes = self.ask_policy.notes();
        let resolution = self.open(&planned_profile, &region, &notes)?;
        match block_on(question(&resolution, &region)) {
            Ok(answer) => answer,
            Err(error) => Err(no_answer_of(error)),
        }
    }

    /// Reads the settings, resolves the credentials, and runs a question.
    pub(super) fn with_credentials<T>(
        &self,
        region: Option<&Region>,
        question: impl AsyncFnOnce(&ApiClient<'_>, &str) -> InspectionResult<T>,
    ) -> InspectionResult<T> {
        let planned_profile = self.plan();
        let region = region_of(&planned_profile, region);
        let notes = self.ask_policy.notes();
        let credentials = match self.resolved(&planned_profile, &region, &notes) {
            Ok(credentials) => credentials,
            Err(error) => return Err(no_answer_of(error)),
        };
        let resolution = self.open(&planned_profile, &region, &notes)?;
        let client = ApiClient::new(&resolution, credentials);
        match block_on(question(&client, &region)) {
            Ok(answer) => answer,
            Err(error) => Err(no_answer_of(error)),
        }
    }

    fn resolved(
        &self,
        planned_profile: &PlannedProfile,
        region: &str,
        notes: &RunNotes,
    ) -> Result<Credentials> {
        let mut cached = self
            .credentials
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(resolved) = cached.as_ref() {
            return resolved.clone();
        }
        let resolver = BlockingResolver {
            planned_profile,
            ask_policy: &self.ask_policy,
            deadline: self.deadline,
        };
        let credentials = resolver.credentials(region, 0, notes);
        *cached = Some(credentials.clone());
        credentials
    }

    fn open<'a>(
        &'a self,
        planned_profile: &'a PlannedProfile,
        region: &str,
        notes: &'a RunNotes,
    ) -> InspectionResult<CredentialResolution<'a>> {
        let settings = &planned_profile.settings;
        match CredentialResolution::open(
            settings,
            &self.ask_policy,
            region,
            0,
            self.deadline,
            notes,
        ) {
            Ok(resolution) => Ok(resolution),
            Err(error) => Err(no_answer_of(error)),
        }
    }
}

/// Returns the region to ask in: that of the request, else that of the settings.
fn region_of(planned_profile: &PlannedProfile, region: Option<&Region>) -> String {
    match region {
        Some(region) => region.as_str().to_owned(),
        None => planned_profile
            .region()
            .unwrap_or_else(|| ANY_REGION.to_owned()),
    }
}

/// Returns why there are no credentials, or why the settings cannot be used.
fn no_answer_of(error: Error) -> NoAnswer {
    let reason_from_exit = match error.exit() {
        Exit::Login => NoAnswerReason::LoginNeeded,
        Exit::Usage => NoAnswerReason::Setting,
        Exit::Ok | Exit::Failure | Exit::NoTarget => NoAnswerReason::NoCredentials,
    };
    let reason = match error.reason() {
        Some(ErrorReason::NoCredentials) => NoAnswerReason::NoCredentials,
        Some(ErrorReason::Expired) => NoAnswerReason::Expired,
        Some(ErrorReason::Unreachable) => NoAnswerReason::Unreachable,
        Some(ErrorReason::Untrusted) => NoAnswerReason::Untrusted,
        Some(ErrorReason::TimedOut) => NoAnswerReason::Late,
        Some(
            ErrorReason::NoRegion
            | ErrorReason::NoProfile
            | ErrorReason::InvalidRoleSetting
            | ErrorReason::NoCode
            | ErrorReason::ProgramFailed
            | ErrorReason::Refused
            | ErrorReason::NotOwn,
        )
        | None => reason_from_exit,
    };
    NoAnswer::new(reason, error)
}
