//! Carries out a plan from outside the async world: gets credentials, logs in, and finds the region
//! of one profile. A runtime is made for each question and dropped with it.

use std::time::Instant;

use crate::aws::credentials::Credentials;

use super::credentials;
use super::execute;
use super::login::missing::{MissingLogin, UnresolvedCredentials};
use super::planned_profile::PlannedProfile;
use super::resolution::CredentialResolution;
use crate::authority::{AskPolicy, RunNotes};
use crate::error::Result;
use crate::http::{self, block_on, block_until};

/// Asks AWS what a plan needs.
pub(super) struct BlockingResolver<'a> {
    pub(super) planned_profile: &'a PlannedProfile,
    pub(super) ask_policy: &'a AskPolicy,
    /// When the answer has to be there. Time that the user needs for a login does not count.
    pub(super) deadline: Instant,
}

impl BlockingResolver<'_> {
    /// Returns the credentials that sign. `region` is where STS is asked, if the plan has roles;
    /// `lifetime_seconds` is how many seconds the credentials should last, if that can be had.
    pub(super) fn credentials(
        &self,
        region: &str,
        lifetime_seconds: u32,
        notes: &RunNotes,
    ) -> Result<Credentials> {
        let credentials = match self.resolve(region, lifetime_seconds, notes) {
            Ok(credentials) => credentials,
            Err(error) => self.cached_credentials(region, notes).ok_or(error)?,
        };
        credentials::check_credentials(credentials)
    }

    fn resolve(
        &self,
        region: &str,
        lifetime_seconds: u32,
        notes: &RunNotes,
    ) -> Result<Credentials> {
        let resolution = self.open(region, lifetime_seconds, self.deadline, notes)?;
        let plan = self.planned_profile.credential_plan()?;
        if let Some(keys) = plan.keys_in_environment() {
            // This needs no runtime, and is what the shell of a CI job has.
            return execute::credentials_in_variables(&resolution, keys);
        }
        match block_on(execute::resolve_credentials(&resolution, plan))? {
            Ok(credentials) => Ok(credentials),
            Err(UnresolvedCredentials::Failed(error)) => Err(error),
            Err(UnresolvedCredentials::LoginNeeded(missing_login)) => {
                self.resolve_after_login(&missing_login, region, lifetime_seconds, notes)
            }
        }
    }

    /// Gets the login that is missing, and asks once more.
    fn resolve_after_login(
        &self,
        missing_login: &MissingLogin,
        region: &str,
        lifetime_seconds: u32,
        notes: &RunNotes,
    ) -> Result<Credentials> {
        // Some of the time is left for what comes after the login.
        let login_deadline = match self.deadline.checked_sub(self.ask_policy.timeout / 4) {
            Some(earlier) => earlier,
            None => self.deadline,
        };
        missing_login.log_in(self.ask_policy, login_deadline)?;
        notes.set_changed_files();
        let deadline = if self.ask_policy.terminal {
            Instant::now() + self.ask_policy.timeout
        } else {
            self.deadline
        };
        let resolution = self.open(region, lifetime_seconds, deadline, notes)?;
        match block_on(execute::resolve_credentials(
            &resolution,
            self.planned_profile.credential_plan()?,
        ))? {
            Ok(credentials) => Ok(credentials),
            Err(UnresolvedCredentials::Failed(error)) => Err(error),
            Err(UnresolvedCredentials::LoginNeeded(missing_login)) => Err(missing_login.error()),
        }
    }

    /// Returns the credentials that the AWS CLI has cached, though they last less long than wanted.
    fn cached_credentials(&self, region: &str, notes: &RunNotes) -> Option<Credentials> {
        let resolution = self.open(region, 0, self.deadline, notes).ok()?;
        execute::cached_credentials(&resolution, self.planned_profile.credential_plan().ok()?)
    }

    /// Logs in, if the profile needs it. Returns false if there are credentials already.
    pub(super) fn log_in(&self, notes: &RunNotes) -> Result<bool> {
        let region = match self.planned_profile.region() {
            Some(region) => region,
            None => "us-east-1".to_owned(),
        };
        let resolution = self.open(&region, 0, self.deadline, notes)?;
        match block_on(execute::resolve_credentials(
            &resolution,
            self.planned_profile.credential_plan()?,
        ))? {
            Ok(_) => Ok(false),
            Err(UnresolvedCredentials::Failed(error)) => Err(error),
            Err(UnresolvedCredentials::LoginNeeded(missing_login)) => {
                missing_login.log_in_once(self.ask_policy)?;
                Ok(true)
            }
        }
    }

    /// Returns the region in AWS's own order: environment, profile, instance metadata.
    pub(super) fn region(&self, notes: &RunNotes) -> Result<Option<String>> {
        let resolution = self.open("", 0, self.deadline, notes)?;
        block_on(execute::default_region(&resolution))?
    }

    /// Returns the text at a public `https://` address.
    pub(super) fn download(&self, address: &str) -> Result<String> {
        let notes = self.ask_policy.notes();
        let resolution = self.open("", 0, self.deadline, &notes)?;
        let text = http::download::download_text(resolution.http(), address);
        match block_until(self.deadline, text)? {
            Some(text) => text,
            None => Err(resolution.timeout_error(address)),
        }
    }

    fn open<'a>(
        &'a self,
        region: &str,
        lifetime_seconds: u32,
        deadline: Instant,
        notes: &'a RunNotes,
    ) -> Result<CredentialResolution<'a>> {
        let settings = &self.planned_profile.settings;
        CredentialResolution::open(
            settings,
            self.ask_policy,
            region,
            lifetime_seconds,
            deadline,
            notes,
        )
    }
}
