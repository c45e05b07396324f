//! Holds what one check has found: a status, one line of detail, and the cause if something is
//! wrong.
//!
//! It is a value without behaviour. The checks make it, `runner.rs` turns it into an outcome, and
//! the report shows it. Long texts of servers and of other programs are shortened here.

use super::redact::RedactedKind;
use crate::error::{Error, Exit};
use crate::text;

/// How a check ends, from good to bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FindingStatus {
    Ok,
    /// Not examined: something that it needs is missing, or the user did not ask for it.
    Skip,
    /// A login may work, but something will get in its way.
    Warn,
    /// A login cannot work.
    Fail,
}

impl FindingStatus {
    /// Returns the word of the JSON report.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Skip => "skip",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }

    /// Returns the word of the text report, in which a failure is what the eye finds first.
    pub(super) fn label(self) -> &'static str {
        match self {
            Self::Fail => "FAIL",
            _ => self.as_str(),
        }
    }
}

/// What a check has found. It never holds a secret.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) status: FindingStatus,
    /// One clause in lower case without a period: what was seen, with its values.
    pub(super) detail: String,
    /// The id of a row of `causes`.
    pub(super) cause: Option<&'static str>,
    /// What to type in this very case; empty if the cause's own commands fit.
    pub(super) commands: Vec<String>,
    /// What to do, in words, where this case needs more than the cause says.
    pub(super) advice: Option<String>,
    /// Names in the texts of this finding that identify the user, which `--share` replaces. Those
    /// of the request and of the configuration are known without that.
    pub(super) private_names: Vec<(String, RedactedKind)>,
    /// How the run ends if this is the first failure.
    pub(super) exit: Exit,
}

impl Finding {
    pub(super) fn ok(detail: impl Into<String>) -> Self {
        Self::new(FindingStatus::Ok, None, &detail.into())
    }

    pub(super) fn skip(reason: impl Into<String>) -> Self {
        Self::new(FindingStatus::Skip, None, &reason.into())
    }

    pub(super) fn warn(cause: impl Into<Option<&'static str>>, detail: impl Into<String>) -> Self {
        Self::new(FindingStatus::Warn, cause.into(), &detail.into())
    }

    pub(super) fn fail(cause: impl Into<Option<&'static str>>, detail: impl Into<String>) -> Self {
        Self::new(FindingStatus::Fail, cause.into(), &detail.into())
    }

    /// Returns the failure that an error of pgcred's own is. Its hint becomes the advice. The exit
    /// code for wrong usage is for that of doctor itself.
    pub(super) fn from_error(cause: impl Into<Option<&'static str>>, error: &Error) -> Self {
        let mut finding = Self::fail(cause, error.to_string());
        finding.advice = error.hint_text().map(str::to_owned);
        finding.exit = match error.exit() {
            Exit::Usage => Exit::Failure,
            exit => exit,
        };
        finding
    }

    /// Returns a failure of which the table of causes knows nothing.
    pub(super) fn unexplained(detail: impl Into<String>) -> Self {
        let mut finding = Self::new(FindingStatus::Fail, None, &detail.into());
        finding.advice = Some(
            "pgcred does not know this message; if you find the cause, please report it with the \
             answer of `pgcred doctor --share`"
                .to_owned(),
        );
        finding
    }

    fn new(status: FindingStatus, cause: Option<&'static str>, detail: &str) -> Self {
        /// Servers and files of other programs write into it.
        const MAX_DETAIL_LENGTH: usize = 4096;
        Self {
            status,
            detail: text::shortened(detail, MAX_DETAIL_LENGTH),
            cause,
            commands: Vec::new(),
            advice: None,
            private_names: Vec::new(),
            exit: Exit::Failure,
        }
    }

    /// Says what to type, where the values of this case make it more exact than the cause does.
    pub(super) fn with_command(mut self, command: impl Into<String>) -> Self {
        self.commands.push(command.into());
        self
    }

    /// Says that a text of this finding contains a name that identifies the user.
    pub(super) fn naming(mut self, kind: RedactedKind, name: impl Into<String>) -> Self {
        self.private_names.push((name.into(), kind));
        self
    }

    /// Says what to do, in words.
    pub(super) fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// Says that a login of the user's is what is missing, which has an exit code of its own.
    pub(super) fn for_login(mut self) -> Self {
        self.exit = Exit::Login;
        self
    }
}
