//! The one error type. Its kind decides the exit code; its text tells what failed, on what, and
//! what to type next.

use std::error::Error as StdError;
use std::fmt;

pub(crate) type Result<T> = std::result::Result<T, Error>;

/// How a run ends; the number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failure = 1,
    Usage = 2,
    Login = 3,
    NoTarget = 4,
}

impl Exit {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Ok, "the answer is on stdout"),
        (Self::Failure, "something failed; stderr says what"),
        (
            Self::Usage,
            "wrong usage: an option, value or file that pgcred cannot use",
        ),
        (
            Self::Login,
            "AWS credentials are missing or expired: log in, then retry",
        ),
        (Self::NoTarget, "no such target"),
    ];

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn of_code(code: u64) -> Option<Self> {
        Self::ALL
            .into_iter()
            .map(|(exit, _)| exit)
            .find(|exit| u64::from(exit.code()) == code)
    }

    /// Returns each exit code with what it means.
    pub(crate) fn meanings() -> impl Iterator<Item = (u8, &'static str)> {
        Self::ALL
            .into_iter()
            .map(|(exit, meaning)| (exit.code(), meaning))
    }

    /// Returns the table of exit codes as `--help` prints it.
    pub(crate) fn help() -> String {
        let lines = Self::meanings().map(|(code, meaning)| format!("  {code}  {meaning}\n"));
        format!("Exit codes:\n{}", lines.collect::<String>())
    }
}

/// Message and cause are lower case, without a period; the hint is something to type.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    exit: Exit,
    message: String,
    cause: Option<String>,
    hint: Option<String>,
}

impl Error {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            message: message.into(),
            cause: None,
            hint: None,
        }
    }

    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(Exit::Failure, message)
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    pub(crate) fn login(message: impl Into<String>) -> Self {
        Self::new(Exit::Login, message)
    }

    pub(crate) fn no_target(message: impl Into<String>) -> Self {
        Self::new(Exit::NoTarget, message)
    }

    /// Adds the chain of causes, each said once: wrappers often repeat the text of what they wrap.
    pub(crate) fn caused_by(mut self, cause: &dyn StdError) -> Self {
        let mut parts: Vec<String> = Vec::new();
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            if !text.is_empty() && !parts.iter().any(|said| said.contains(&text)) {
                parts.push(text);
            }
            next = error.source();
        }
        self.cause = Some(parts.join(": "));
        self
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds a hint where there is none yet.
    pub(crate) fn or_hint(self, hint: &str) -> Self {
        if self.hint.is_some() {
            self
        } else {
            self.hint(hint)
        }
    }

    /// Puts what the error is about in front, where one run deals with several targets.
    pub(crate) fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds a remark in brackets.
    pub(crate) fn noting(mut self, remark: &str) -> Self {
        self.message = format!("{} ({remark})", self.message);
        self
    }

    /// Gives the error another exit code.
    pub(crate) fn exiting(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    pub(crate) fn exit(&self) -> Exit {
        self.exit
    }

    pub(crate) fn to_hint(&self) -> Option<&str> {
        self.hint.as_deref()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.cause
            .as_ref()
            .map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}
