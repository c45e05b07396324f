//! How AWS is asked, and what there is to say besides its answer.

use std::time::Duration;

use crate::error::{Error, Result};
use crate::sys::child::Bond;
use crate::text::host;

/// How AWS is asked, for all profiles.
#[derive(Clone, Debug)]
pub(crate) struct AskPolicy {
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

impl AskPolicy {
    /// How the programs of profiles are run.
    pub(crate) fn bond(&self) -> Bond {
        match (self.terminal, self.in_group) {
            (true, _) => Bond::AtTerminal,
            (false, true) => Bond::InGroup,
            (false, false) => Bond::Alone,
        }
    }

    /// Tells whether a login or an MFA code that was missing may be had now.
    pub(crate) fn can_ask(&self) -> bool {
        self.terminal
            || self.mfa_code.is_some()
            || (self.login_asked_for && self.login == LoginPolicy::Browser)
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
    /// Files that the identity rests on may have been changed for the answer: by pgcred, by a login
    /// that it has waited for, or by a program that it has run.
    pub(crate) has_changed_files: bool,
}

/// Who may be bothered with a login that is needed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum LoginPolicy {
    /// Nobody: an error says what to type.
    Never,
    /// Whoever sits at the terminal.
    #[default]
    Terminal,
    /// Without a terminal, whoever sees the browser.
    Browser,
}

impl LoginPolicy {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "never" => Ok(Self::Never),
            "terminal" => Ok(Self::Terminal),
            "browser" => Ok(Self::Browser),
            _ => Err(
                Error::usage(format!("no such login policy: {}", host::quoted(text)))
                    .hint("never, terminal or browser"),
            ),
        }
    }
}
