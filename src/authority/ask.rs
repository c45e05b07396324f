//! Defines how an authority may be asked: how long, by which kind of login, and whether a user is
//! there.
//!
//! These are values that `command::app` makes once per run, from the options, the configuration and
//! the terminal. Whether the user is asked for a login (`asks`) is decided here, for all
//! authorities.

use std::time::Duration;

use super::RunNotes;
use crate::error::{Error, Result};
use crate::sys::child::ChildAttachment;
use crate::text::backquoted;

/// How authorities are asked in one run, for all profiles.
#[derive(Clone, Debug)]
pub(crate) struct AskPolicy {
    pub(crate) timeout: Duration,
    pub(crate) login: LoginPolicy,
    /// The user typed the login policy for this run.
    pub(crate) login_asked_for: bool,
    pub(crate) mfa_code: Option<String>,
    /// A user sits at the terminal.
    pub(crate) terminal: bool,
    /// The program that started pgcred ends pgcred's whole process group. The programs that pgcred
    /// runs stay in that group, so that they end too.
    pub(crate) in_group: bool,
    /// Tells the user what to do before there can be an answer.
    pub(crate) print_notice: fn(&str),
    /// Shows the steps of `--debug`; `None` without it.
    pub(crate) trace: Option<fn(&str)>,
}

impl AskPolicy {
    /// Returns how the programs that a profile names are tied to pgcred.
    pub(crate) fn attachment(&self) -> ChildAttachment {
        match (self.terminal, self.in_group) {
            (true, _) => ChildAttachment::AtTerminal,
            (false, true) => ChildAttachment::InGroup,
            (false, false) => ChildAttachment::Alone,
        }
    }

    /// Returns where a login that is missing is done.
    pub(crate) fn login_place(&self) -> LoginPlace {
        match self.login {
            LoginPolicy::Terminal | LoginPolicy::Browser if self.terminal => LoginPlace::Here,
            LoginPolicy::Browser => LoginPlace::OwnProcess,
            LoginPolicy::Never | LoginPolicy::Terminal => LoginPlace::Nowhere,
        }
    }

    /// Tells whether this run asks the user for a login or a code that is missing. That decides how
    /// long it waits for others, and whether it ends a pause.
    pub(crate) fn asks(&self) -> bool {
        let opens_browser = self.login_asked_for && self.login == LoginPolicy::Browser;
        let can_ask = self.terminal || self.mfa_code.is_some() || opens_browser;
        can_ask && self.login != LoginPolicy::Never
    }

    /// Tells whether this run may have the login or the MFA code that another run missed: it asks
    /// the user, or has been given a code.
    pub(crate) fn may_have_login(&self) -> bool {
        self.asks() || self.mfa_code.is_some()
    }

    /// Returns empty notes, which show their steps if the run has `--debug`.
    pub(crate) fn notes(&self) -> RunNotes {
        RunNotes::new(self.trace)
    }
}

/// Where a login is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LoginPlace {
    /// In this process, which has a user at its terminal.
    Here,
    /// In a process of its own, which opens a browser and may outlive this one:
    /// [`LoginTurn::open_elsewhere`](super::LoginTurn::open_elsewhere).
    OwnProcess,
    /// An error says what to type.
    Nowhere,
}

/// How to handle a login that is required.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LoginPolicy {
    /// Ask nobody: an error says what to type.
    Never,
    /// Ask the user at the terminal, if there is one.
    #[default]
    Terminal,
    /// Open the browser, also without a terminal.
    Browser,
}

impl LoginPolicy {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Never => "never",
            Self::Terminal => "terminal",
            Self::Browser => "browser",
        }
    }

    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "never" => Ok(Self::Never),
            "terminal" => Ok(Self::Terminal),
            "browser" => Ok(Self::Browser),
            _ => Err(
                Error::usage(format!("no such login policy: {}", backquoted(text)))
                    .hint("choose never, terminal or browser"),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::fake::control;

    #[test]
    fn a_login_without_a_terminal_needs_a_process_of_its_own() {
        use LoginPlace::{Here, Nowhere, OwnProcess};
        use LoginPolicy::{Browser, Never, Terminal};
        for (login, at_terminal, elsewhere) in [
            (Never, Nowhere, Nowhere),
            (Terminal, Here, Nowhere),
            (Browser, Here, OwnProcess),
        ] {
            for (terminal, place) in [(true, at_terminal), (false, elsewhere)] {
                let policy = AskPolicy {
                    login,
                    terminal,
                    ..control::policy()
                };
                assert_eq!(
                    policy.login_place(),
                    place,
                    "{login:?}, terminal: {terminal}"
                );
            }
        }
    }

    #[test]
    fn a_run_that_may_ask_nobody_does_not_end_a_pause() {
        let policy = |terminal, login, login_asked_for, code: Option<&str>| AskPolicy {
            terminal,
            login,
            login_asked_for,
            mfa_code: code.map(str::to_owned),
            ..control::policy()
        };
        for (policy, asks, may_have_login) in [
            (policy(true, LoginPolicy::Terminal, false, None), true, true),
            (policy(true, LoginPolicy::Never, true, None), false, false),
            (
                policy(true, LoginPolicy::Never, true, Some("1")),
                false,
                true,
            ),
            (
                policy(false, LoginPolicy::Terminal, false, None),
                false,
                false,
            ),
            (
                policy(false, LoginPolicy::Browser, false, None),
                false,
                false,
            ),
            (policy(false, LoginPolicy::Browser, true, None), true, true),
        ] {
            assert_eq!(policy.asks(), asks, "{policy:?}");
            assert_eq!(policy.may_have_login(), may_have_login, "{policy:?}");
        }
    }
}
