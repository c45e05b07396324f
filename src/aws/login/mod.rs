//! Logs in to AWS: decides when it may be done, and does it once for all processes that wait.
//!
//! ```text
//! missing.rs   which login is missing, and why; kinds.rs: what the kinds of login differ in
//!    |
//!    v         the login policy of the user
//! mod.rs ------ terminal --> take the turn --> `aws sso login`, `aws login`, or device.rs
//!    |                       (one process logs in, the others wait and then find it done)
//!    +---------- browser --> a process of its own does the same; this one waits for the file of
//!                            the login until its deadline
//! ```
//!
//! The turn and its two locks are `LoginTurn` of `authority`. The process usually holds the lock of
//! the identity already; below these two it takes no other lock.

mod device;
pub(crate) mod kinds;
pub(crate) mod missing;

use std::ffi::OsStr;
use std::time::{Duration, Instant};

use crate::authority::{AskPolicy, LoginPlace, LoginTurn, OpenedPage};
use crate::aws::environment::AwsVariables;
use crate::aws::login::missing::MissingLogin;
use crate::aws::plan::SsoSession;
use crate::aws::resolution::CredentialResolution;
use crate::aws::settings::{AwsSettings, SharedFiles};
use crate::error::{Error, Result};
use crate::http::block_on;
use crate::sys::child::{self, ChildAttachment};
use crate::text::quote::typed;

/// The name of AWS as an authority.
pub(crate) const TITLE: &str = "AWS";

impl MissingLogin {
    /// Returns the error that says what to type.
    pub(crate) fn error(&self) -> Error {
        Error::login(format!("profile `{}`: {}", self.profile, self.reason))
            .hint(format!("run `{}`, then try again", self.command()))
    }

    /// Returns what the user types to log in.
    pub(crate) fn command(&self) -> String {
        let profile = if self.profile == "default" {
            String::new()
        } else {
            format!(" --profile {}", typed(&self.profile))
        };
        format!("{}{profile}", self.kind.procedure().typed_command())
    }

    /// Returns the name of the session, which several profiles may share.
    fn id(&self) -> String {
        self.kind.procedure().id()
    }

    /// Returns the turn of this login, which one process takes at a time.
    fn turn(&self) -> LoginTurn {
        LoginTurn {
            id: self.id(),
            title: TITLE,
            provider: None,
        }
    }

    /// Tells whether the user has logged in.
    fn is_done(&self) -> bool {
        self.kind.procedure().is_done(self.revoked.as_deref())
    }

    /// Has the user log in, if the policy and the terminal allow it. An error says what to type.
    pub(crate) fn log_in(&self, ask_policy: &AskPolicy, deadline: Instant) -> Result<()> {
        match ask_policy.login_place() {
            LoginPlace::Here => self.log_in_once(ask_policy),
            LoginPlace::OwnProcess => self.open_page(deadline),
            LoginPlace::Nowhere => Err(self.error()),
        }
    }

    /// Logs in, for all processes that wait: the second one finds the login done.
    pub(crate) fn log_in_once(&self, ask_policy: &AskPolicy) -> Result<()> {
        let turn = self.turn();
        let _lock = turn.wait(ask_policy);
        turn.forget_page();
        if self.is_done() {
            return Ok(());
        }
        if can_cli_log_in() {
            return self.log_in_by_cli(ask_policy);
        }
        match self.kind.procedure().device_session() {
            Some(session) => self.log_in_by_device(ask_policy, session),
            None => Err(self
                .error()
                .hint("install the AWS CLI 2.32 or newer: only it can do this login")),
        }
    }

    fn log_in_by_cli(&self, ask_policy: &AskPolicy) -> Result<()> {
        let command = self.kind.procedure().command_of_cli();
        let mut command_line: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        command_line.extend(child::words(["--profile", &self.profile]));
        let command = command_line.join(" ");
        (ask_policy.print_notice)(&format!(
            "profile `{}`: {}; running {command}",
            self.profile, self.reason
        ));
        let status = child::run_at_terminal(&command_line)?;
        if status.success() && self.is_done() {
            return Ok(());
        }
        Err(Error::login(format!(
            "profile `{}`: `{command}` did not log in",
            self.profile
        ))
        .hint(format!("run `{command}` by hand, then try again")))
    }

    fn log_in_by_device(&self, ask_policy: &AskPolicy, session: &SsoSession) -> Result<()> {
        let notes = ask_policy.notes();
        let settings = AwsSettings::new(
            AwsVariables::OfProcess,
            SharedFiles::default(),
            Some(&self.profile),
        );
        let resolution = CredentialResolution::open(
            &settings,
            ask_policy,
            &session.region,
            0,
            Instant::now() + ask_policy.timeout,
            &notes,
        )?;
        let turn = self.turn();
        let show = |address: &str, code: &str| {
            turn.show_page(
                ask_policy,
                address,
                code,
                "check the profile's SSO settings",
            );
        };
        let login = block_on(device::log_in(&resolution, session, show))?;
        turn.forget_page();
        login
    }

    /// Has the page opened by a process of its own, and waits for the login until the deadline.
    fn open_page(&self, deadline: Instant) -> Result<()> {
        let options = ["--profile", &self.profile];
        let invitation = format!(
            "Log in to AWS (profile {}) in the browser window that opens",
            self.profile
        );
        let opened =
            self.turn()
                .open_elsewhere(&options, &invitation, || self.is_done(), deadline)?;
        match opened {
            OpenedPage::Finished => Ok(()),
            OpenedPage::Unfinished(page) => {
                Err(self.error().noting(&format!("{page}, then connect again")))
            }
            OpenedPage::NotOpened => Err(self.error()),
        }
    }
}

/// Tells whether there is an AWS CLI that can log in. Version 1 cannot, nor can pgcred under the
/// name of the AWS CLI.
fn can_cli_log_in() -> bool {
    const VERSION_TIMEOUT: Duration = Duration::from_secs(5);
    if child::find(OsStr::new("aws")).is_none() {
        return false;
    }
    let version = child::output(
        &child::words(["aws", "--version"]),
        Instant::now() + VERSION_TIMEOUT,
        ChildAttachment::Alone,
    );
    match version {
        Ok(output) => {
            let text = String::from_utf8_lossy(&output.stdout);
            text.contains("aws-cli/2") && !text.contains("pgcred")
        }
        Err(_) => false,
    }
}
