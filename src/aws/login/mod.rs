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
//! There are two locks, in pgcred's own cache directory: the process that logs in holds `login-ID`,
//! and a process that decides whether to open a page holds `opens-ID`. The process usually holds
//! the lock of the identity already, which is in the same directory; below these two it takes no
//! other lock.

mod device;
pub(crate) mod kinds;
pub(crate) mod missing;

use std::ffi::OsStr;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::authority::{AskPolicy, LoginPolicy, LoginTurn};
use crate::aws::environment::AwsVariables;
use crate::aws::login::missing::MissingLogin;
use crate::aws::plan::SsoSession;
use crate::aws::resolution::CredentialResolution;
use crate::aws::settings::{AwsSettings, SharedFiles};
use crate::error::{Error, Result};
use crate::http::block_on;
use crate::sys::child::{self, ChildAttachment};
use crate::sys::fs;
use crate::sys::session_locks::{locks_directory, session_lock};
use crate::text::quote::typed;
use crate::time::Time;

/// The name of AWS as an authority.
pub(crate) const TITLE: &str = "AWS";

/// A background request does not open a page again before this many seconds have passed.
const PAGE_PAUSE_SECONDS: u32 = 600;

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
        let id = self.id();
        LoginTurn { id, title: TITLE }
    }

    /// Tells whether the user has logged in.
    fn is_done(&self) -> bool {
        self.kind.procedure().is_done(self.revoked.as_deref())
    }

    /// Has the user log in, if the policy and the terminal allow it. An error says what to type.
    pub(crate) fn log_in(&self, ask_policy: &AskPolicy, deadline: Instant) -> Result<()> {
        match ask_policy.login {
            LoginPolicy::Terminal | LoginPolicy::Browser if ask_policy.terminal => {
                self.log_in_once(ask_policy)
            }
            LoginPolicy::Browser => self.open_page(deadline),
            LoginPolicy::Never | LoginPolicy::Terminal => Err(self.error()),
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

    /// Has the page opened by a process of its own, which goes on if the user takes longer than
    /// this process may wait.
    fn open_page(&self, deadline: Instant) -> Result<()> {
        let Some(directory) = locks_directory() else {
            return Err(self.error());
        };
        let stamp = directory.join(format!("page-{}", self.id()));
        let lock = session_lock(&format!("opens-{}", self.id()), Duration::from_secs(5));
        if !was_just_opened(&stamp) {
            fs::ensure_own_directory(&directory)?;
            fs::write_unsynced(&stamp, Time::now().unix().to_string().as_bytes())?;
            let mut command_line = vec![child::own_program()?.display().to_string()];
            command_line.extend(child::words([
                "login",
                "--quiet",
                "--profile",
                &self.profile,
            ]));
            child::spawn_detached(&command_line)?;
            child::notify(&format!(
                "Log in to AWS (profile {}) in the browser window that opens",
                self.profile
            ));
        }
        drop(lock);
        while Instant::now() < deadline {
            if self.is_done() {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
        let page = match self.turn().page() {
            Some(page) => page,
            None => {
                "pgcred has opened the login page in a browser: finish the login there".to_owned()
            }
        };
        Err(self.error().noting(&format!("{page}, then connect again")))
    }
}

/// Tells whether the file of a page holds a time of a short while ago.
fn was_just_opened(stamp: &Path) -> bool {
    let Some(bytes) = fs::read_own(stamp) else {
        return false;
    };
    let Ok(seconds) = String::from_utf8_lossy(&bytes).trim().parse() else {
        return false;
    };
    let (opened, now) = (Time::from_unix(seconds), Time::now());
    opened <= now && opened.until(now) < PAGE_PAUSE_SECONDS
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
