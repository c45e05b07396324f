//! AWS credentials and region as AWS CLI v2 finds them. The only user of AWS's SDK and of an async
//! runtime.

mod cli_cache;
mod credentials;
mod environment;
mod execute;
mod explanation;
pub(crate) mod identity;
mod login;
mod plan;
mod planned;
mod profile;
mod region;
mod resolution;
mod runtime;
mod service;
mod settings;
pub(crate) mod sigv4;
mod source;

use std::cell::RefCell;
use std::time::Instant;

use aws_credential_types::Credentials;

use crate::authority::{AskPolicy, Notes};
use crate::error::Result;
use crate::sys::env;
pub(crate) use environment::{VARIABLES, set_and_left_behind};
use login::missing::Unresolved;
pub(crate) use planned::Planned;
pub(crate) use region::{KNOWN as REGIONS, doubt as doubt_region, is_region, normal_region};
use resolution::Resolution;
use runtime::block_on;
pub(crate) use settings::SharedFiles;

/// Asks AWS, as it is planned.
pub(crate) struct Aws<'a> {
    pub(crate) planned: &'a Planned,
    pub(crate) ask: &'a AskPolicy,
    /// When the answer has to be there, but for what a person needs.
    pub(crate) deadline: Instant,
}

impl Aws<'_> {
    /// Returns the credentials that sign; `region` is where STS is asked if it comes to that,
    /// `wanted` how many seconds they should last if that can be had.
    pub(crate) fn credentials(
        &self,
        region: &str,
        wanted: u32,
        notes: &mut Notes,
    ) -> Result<Credentials> {
        let shared = RefCell::new(std::mem::take(notes));
        let found = self.find(region, wanted, &shared);
        let found = found
            .or_else(|error| self.cached(region, &shared).ok_or(error))
            .and_then(credentials::checked);
        *notes = shared.into_inner();
        found
    }

    fn find(&self, region: &str, wanted: u32, notes: &RefCell<Notes>) -> Result<Credentials> {
        let settings = &self.planned.settings;
        let resolution =
            Resolution::open(settings, self.ask, region, wanted, self.deadline, notes)?;
        let plan = self.planned.plan()?;
        if let Some(keys) = plan.keys_in_environment() {
            return execute::environment(&resolution, keys); // without a runtime: this is what a shell of a CI job has
        }
        match block_on(execute::credentials(&resolution, plan))? {
            Ok(found) => Ok(found),
            Err(Unresolved::Failed(error)) => Err(error),
            Err(Unresolved::LoginNeeded(missing)) => {
                // Some of the time is left for what comes after the login.
                let by = self
                    .deadline
                    .checked_sub(self.ask.timeout / 4)
                    .unwrap_or(self.deadline);
                missing.satisfy(self.ask, by)?;
                notes.borrow_mut().has_changed_files = true;
                let deadline = if self.ask.terminal {
                    Instant::now() + self.ask.timeout
                } else {
                    self.deadline
                };
                let again = Resolution::open(settings, self.ask, region, wanted, deadline, notes)?;
                match block_on(execute::credentials(&again, plan))? {
                    Ok(found) => Ok(found),
                    Err(Unresolved::Failed(error)) => Err(error),
                    Err(Unresolved::LoginNeeded(missing)) => Err(missing.error()),
                }
            }
        }
    }

    /// Returns what the AWS CLI has cached, though it lasts less long than is wanted.
    fn cached(&self, region: &str, notes: &RefCell<Notes>) -> Option<Credentials> {
        let settings = &self.planned.settings;
        let resolution =
            Resolution::open(settings, self.ask, region, 0, self.deadline, notes).ok()?;
        execute::cached(&resolution, self.planned.plan().ok()?)
    }

    /// Logs in, if the profile is one of those that need it; tells whether it had to be done.
    pub(crate) fn log_in(&self) -> Result<bool> {
        let notes = RefCell::default();
        let region = env::var("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned());
        let resolution = Resolution::open(
            &self.planned.settings,
            self.ask,
            &region,
            0,
            self.deadline,
            &notes,
        )?;
        match block_on(execute::credentials(&resolution, self.planned.plan()?))? {
            Ok(_) => Ok(false),
            Err(Unresolved::Failed(error)) => Err(error),
            Err(Unresolved::LoginNeeded(missing)) => missing.run(self.ask).map(|()| true),
        }
    }

    /// Returns the text at a public `https://` address.
    pub(crate) fn download(&self, address: &str) -> Result<String> {
        let notes = RefCell::default();
        let resolution = Resolution::open(
            &self.planned.settings,
            self.ask,
            "",
            0,
            self.deadline,
            &notes,
        )?;
        block_on(resolution.wait(address, service::download::text(resolution.http(), address)))??
    }

    /// Returns the region in AWS's own order: environment, profile, instance metadata.
    pub(crate) fn region(&self, notes: &mut Notes) -> Result<Option<String>> {
        let shared = RefCell::new(std::mem::take(notes));
        let found = Resolution::open(
            &self.planned.settings,
            self.ask,
            "",
            0,
            self.deadline,
            &shared,
        )
        .and_then(|resolution| block_on(execute::region(&resolution))?);
        *notes = shared.into_inner();
        found
    }
}

/// Returns the names of the profiles, in the order of the files.
pub(crate) fn profile_names() -> Result<Vec<String>> {
    profile::files::profile_names()
}
