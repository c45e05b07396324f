//! AWS credentials and region as AWS CLI v2 finds them. The only user of AWS's SDK and of an async runtime.

mod container;
mod device;
mod download;
mod environment;
mod execute;
mod files;
mod http;
mod imds;
mod ini;
mod keys;
mod login;
mod mfa;
mod plan;
mod planned;
mod process;
mod proxy;
mod refusal;
mod role;
mod session;
mod settings;
mod signin;
mod sso;
mod words;

use std::cell::RefCell;
use std::future::Future;
use std::time::{Duration, Instant};

use aws_credential_types::Credentials;

use crate::child::Bond;
use crate::config::LoginPolicy;
use crate::env;
use crate::error::{Error, Result};
use crate::fs::{self, Lock};
use crate::limits;
pub(crate) use environment::set_and_left_behind;
pub(crate) use planned::Planned;
use session::{Session, Trouble};
pub(crate) use settings::SharedFiles;

/// How AWS is asked, for all profiles.
#[derive(Clone, Debug)]
pub(crate) struct How {
    pub(crate) timeout: Duration,
    pub(crate) login: LoginPolicy,
    /// The policy was typed for this run.
    pub(crate) login_asked_for: bool,
    pub(crate) mfa_code: Option<String>,
    /// Somebody is there to ask.
    pub(crate) terminal: bool,
    /// Whoever has started pgcred ends its whole process group, with the programs that it runs.
    pub(crate) in_group: bool,
    /// Says something to whoever is there.
    pub(crate) tell: fn(&str),
}

impl How {
    /// How the programs of profiles are run.
    pub(crate) fn bond(&self) -> Bond {
        match (self.terminal, self.in_group) {
            (true, _) => Bond::AtTerminal,
            (false, true) => Bond::InGroup,
            (false, false) => Bond::Alone,
        }
    }

    /// Tells whether a log-in or an MFA code that was missing may be had now.
    pub(crate) fn can_ask(&self) -> bool {
        self.terminal || self.mfa_code.is_some() || (self.login_asked_for && self.login == LoginPolicy::Browser)
    }

    /// Tells whether whoever can log in or give a code has been asked to.
    pub(crate) fn asks(&self) -> bool {
        self.can_ask() && self.login != LoginPolicy::Never
    }
}

/// What there is to say besides the answer.
#[derive(Default)]
pub(crate) struct Notes {
    pub(crate) warnings: Vec<String>,
    /// What was tried, in order.
    pub(crate) steps: Vec<String>,
}

/// Asks AWS, as it is planned.
pub(crate) struct Aws<'a> {
    pub(crate) planned: &'a Planned,
    pub(crate) how: &'a How,
    /// When the answer has to be there, but for what a person needs.
    pub(crate) deadline: Instant,
}

impl Aws<'_> {
    /// Returns the credentials that sign; `region` is where STS is asked if it comes to that, `wanted` how many seconds
    /// they should last if that can be had.
    pub(crate) fn credentials(&self, region: &str, wanted: u32, notes: &mut Notes) -> Result<Credentials> {
        let shared = RefCell::new(std::mem::take(notes));
        let found = self.find(region, wanted, &shared).and_then(keys::checked);
        *notes = shared.into_inner();
        found
    }

    fn find(&self, region: &str, wanted: u32, notes: &RefCell<Notes>) -> Result<Credentials> {
        let settings = &self.planned.settings;
        let session = Session::open(settings, self.how, region, wanted, self.deadline, notes)?;
        let plan = self.planned.plan()?;
        if let Some(keys) = plan.keys_in_environment() {
            return execute::environment(&session, keys); // without a runtime: this is what a shell of a CI job has
        }
        match block_on(execute::credentials(&session, plan))? {
            Ok(found) => Ok(found),
            Err(Trouble::Failed(error)) => Err(error),
            Err(Trouble::LogIn(missing)) => {
                // Some of the time is left for what comes after the log-in.
                let by = self.deadline.checked_sub(self.how.timeout / 4).unwrap_or(self.deadline);
                missing.satisfy(self.how, by)?;
                let deadline = if self.how.terminal { Instant::now() + self.how.timeout } else { self.deadline };
                let again = Session::open(settings, self.how, region, wanted, deadline, notes)?;
                match block_on(execute::credentials(&again, plan))? {
                    Ok(found) => Ok(found),
                    Err(Trouble::Failed(error)) => Err(error),
                    Err(Trouble::LogIn(missing)) => Err(missing.error()),
                }
            }
        }
    }

    /// Logs in, if the profile is one of those that need it; tells whether it had to be done.
    pub(crate) fn log_in(&self) -> Result<bool> {
        let notes = RefCell::default();
        let region = env::var("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned());
        let session = Session::open(&self.planned.settings, self.how, &region, 0, self.deadline, &notes)?;
        match block_on(execute::credentials(&session, self.planned.plan()?))? {
            Ok(_) => Ok(false),
            Err(Trouble::Failed(error)) => Err(error),
            Err(Trouble::LogIn(missing)) => missing.run(self.how).map(|()| true),
        }
    }

    /// Returns the text at a public `https://` address.
    pub(crate) fn download(&self, address: &str) -> Result<String> {
        let notes = RefCell::default();
        let session = Session::open(&self.planned.settings, self.how, "", 0, self.deadline, &notes)?;
        block_on(download::text(&session, address))?
    }

    /// Returns the region in AWS's own order: environment, profile, instance metadata.
    pub(crate) fn region(&self, notes: &mut Notes) -> Result<Option<String>> {
        let shared = RefCell::new(std::mem::take(notes));
        let found = Session::open(&self.planned.settings, self.how, "", 0, self.deadline, &shared)
            .and_then(|session| block_on(execute::region(&session))?);
        *notes = shared.into_inner();
        found
    }
}

/// Returns the names of the profiles, in the order of the files.
pub(crate) fn profile_names() -> Result<Vec<String>> {
    files::profile_names()
}

/// Tells whether an error says that there are no credentials at all, rather than that some cannot be used.
pub(crate) fn is_about_nothing_found(error: &Error) -> bool {
    error.to_string().starts_with(execute::NOTHING)
}

/// Tells whether an error says that a service of AWS was asked and has refused.
pub(crate) fn is_refusal(error: &Error) -> bool {
    error.to_string().contains(refusal::REFUSED)
}

/// Tells whether an error is about a setting of a role that no service would take by its form.
pub(crate) fn is_about_form(error: &Error) -> bool {
    let text = error.to_string();
    role::FORMS.iter().any(|form| text.ends_with(form))
}

fn block_on<T>(work: impl Future<Output = T>) -> Result<T> {
    let failed = |error: &dyn std::error::Error| Error::failure("cannot start the network runtime").caused_by(error);
    limits::check_room().map_err(|error| {
        failed(&error).hint("end other programs, or raise the limits: ulimit -n 1024; ulimit -u 1024")
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(|error| failed(&error))?;
    let answer = runtime.block_on(work);
    runtime.shutdown_background();
    Ok(answer)
}

/// Held by whoever changes a session of AWS's cache; none where the lock cannot be had, for it saves only work.
fn session_lock(id: &str, patience: Duration) -> Option<Lock> {
    let folder = env::cache_folder()?.join("locks");
    fs::own_folder(&folder).ok()?;
    fs::lock(&folder.join(id), patience).ok()
}
