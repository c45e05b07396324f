//! Defines the error type of the whole program.
//!
//! An [`Exit`] decides the exit code of the process. The message and its cause say what failed and
//! on what; the hint says what to type next. Where a caller has to tell errors apart, the error
//! carries an [`ErrorReason`]: no code looks at the text.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// How a run ends; the number is the process's exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    Ok = 0,
    Failure = 1,
    /// What was typed or written is wrong: an option, a word that has to be one of a list (also the
    /// name of a provider), or a file.
    Usage = 2,
    Login = 3,
    /// What was typed is right in its form, but nothing that is configured, cached or found has
    /// that name.
    NoTarget = 4,
}

impl Exit {
    const ALL: [(Self, &'static str); 5] = [
        (Self::Ok, "success: the answer is on stdout"),
        (Self::Failure, "something failed: stderr says what"),
        (
            Self::Usage,
            "wrong usage: pgcred cannot use an option, a value or a file",
        ),
        (
            Self::Login,
            "credentials are missing or expired: log in, then try again",
        ),
        (
            Self::NoTarget,
            "no such target: nothing is configured or cached under that name",
        ),
    ];

    pub(crate) fn code(self) -> u8 {
        self as u8
    }

    pub(crate) fn from_code(code: u64) -> Option<Self> {
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

/// What an error is about, for callers that answer it in a special way. Adding words to an error
/// keeps its reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorReason {
    /// No option, host, variable, profile or instance names a region.
    NoRegion,
    /// Every source of credentials was asked, and none has any.
    NoCredentials,
    /// A service was reached and has refused the request.
    Refused,
    /// A setting of a role has a form that no service would take.
    InvalidRoleSetting,
    /// The settings name a profile that the files do not have.
    NoProfile,
    /// The credentials that were found have expired.
    Expired,
    /// A role asks for a code of a device, and there is none.
    NoCode,
    /// A program that gives credentials has failed.
    ProgramFailed,
    /// A service was not reached.
    Unreachable,
    /// The certificate of a service, or of a proxy before it, is not trusted.
    Untrusted,
    /// There was no answer in time.
    TimedOut,
    /// A file belongs to another user, or another user can change it.
    NotOwn,
}

impl ErrorReason {
    const ALL: [Self; 12] = [
        Self::NoRegion,
        Self::NoCredentials,
        Self::Refused,
        Self::InvalidRoleSetting,
        Self::NoProfile,
        Self::Expired,
        Self::NoCode,
        Self::ProgramFailed,
        Self::Unreachable,
        Self::Untrusted,
        Self::TimedOut,
        Self::NotOwn,
    ];

    /// Returns the name that stands for the reason in files.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::NoRegion => "no-region",
            Self::NoCredentials => "no-credentials",
            Self::Refused => "refused",
            Self::InvalidRoleSetting => "invalid-role-setting",
            Self::NoProfile => "no-profile",
            Self::Expired => "expired",
            Self::NoCode => "no-code",
            Self::ProgramFailed => "program-failed",
            Self::Unreachable => "unreachable",
            Self::Untrusted => "untrusted",
            Self::TimedOut => "timed-out",
            Self::NotOwn => "not-own",
        }
    }

    pub(crate) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.name() == name)
    }
}

/// Message and cause are lower case, without a period. The hint says what to do next: a sentence
/// that begins with what to do, and has each command to type between backquotes.
#[derive(Clone, Debug)]
pub(crate) struct Error {
    exit: Exit,
    reason: Option<ErrorReason>,
    message: String,
    cause: Option<String>,
    hint: Option<String>,
    /// What helps with every error of its kind. A hint of the caller's counts more.
    usual_hint: Option<&'static str>,
    /// How many seconds ago the error came, if it is an earlier one that is given again.
    age: Option<u32>,
}

impl Error {
    fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self {
            exit,
            reason: None,
            message: message.into(),
            cause: None,
            hint: None,
            usual_hint: None,
            age: None,
        }
    }

    /// Says that something has failed that was asked for correctly: exit code 1.
    pub(crate) fn failure(message: impl Into<String>) -> Self {
        Self::new(Exit::Failure, message)
    }

    /// Says that an option, a value or a file has to be corrected: exit code 2.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Says that a login is missing or has ended: exit code 3.
    pub(crate) fn login(message: impl Into<String>) -> Self {
        Self::new(Exit::Login, message)
    }

    /// Says that nothing is configured, cached or found, or nothing of a name: exit code 4.
    pub(crate) fn no_target(message: impl Into<String>) -> Self {
        Self::new(Exit::NoTarget, message)
    }

    /// Says that a file or directory cannot be read. The user has to correct that, as with a wrong
    /// value: the exit code is that of [`Exit::Usage`] for every file.
    pub(crate) fn reading(path: &Path, cause: &dyn StdError) -> Self {
        Self::usage(format!("cannot read {}", path.display()))
            .caused_by(cause)
            .usual_hint("check that it is there and that you may read it, then try again")
    }

    /// Says that a file, or the value of a variable, has bytes that are not UTF-8.
    pub(crate) fn not_utf8(subject: impl fmt::Display) -> Self {
        Self::usage(format!("{subject} is not UTF-8"))
            .usual_hint("save the file as UTF-8, then try again")
    }

    /// Says that a path has bytes that are not UTF-8, so that it cannot stand in a text.
    pub(crate) fn path_not_utf8(path: &Path) -> Self {
        Self::not_utf8(format!("the path {}", path.display()))
            .usual_hint("rename the file or directory, then try again")
    }

    /// Says that a directory of the user's is not known, because the environment does not name it.
    /// `kind` is such as `cache`.
    pub(crate) fn no_directory(kind: &str) -> Self {
        Self::failure(format!("no {kind} directory is known"))
            .usual_hint("set HOME or PGCRED_HOME, then try again")
    }

    /// Says that a file has changed between two looks at it.
    pub(crate) fn changed_meanwhile(path: impl fmt::Display) -> Self {
        Self::failure(format!("{path} has just been changed by another program"))
            .usual_hint("try again")
    }

    /// Says that pgcred has nothing for a shell. `shell` is the name as it may be shown.
    pub(crate) fn no_such_shell(shell: &str, shells: &[impl AsRef<str>]) -> Self {
        let names: Vec<&str> = shells.iter().map(AsRef::as_ref).collect();
        Self::usage(format!("no such shell: {shell}"))
            .hint(format!("choose one of {}", names.join(", ")))
    }

    /// Says that the system has given no random bytes, which every key is made of.
    pub(crate) fn no_random_bytes() -> Self {
        Self::failure("the system does not give random bytes").usual_hint(
            "check that no sandbox keeps them from pgcred (on Linux: getrandom, /dev/urandom), \
             then try again",
        )
    }

    /// Says that a file cannot be written.
    pub(crate) fn writing(path: &Path, cause: &dyn StdError) -> Self {
        Self::failure(format!("cannot write {}", path.display()))
            .caused_by(cause)
            .usual_hint("check that you may write there and that the disk is not full")
    }

    /// Says that a program, or a whole command line, cannot be run.
    pub(crate) fn running(program: impl fmt::Display, cause: &dyn StdError) -> Self {
        Self::failure(format!("cannot run {program}"))
            .caused_by(cause)
            .usual_hint("check that the program is installed and that you may run it")
    }

    /// Says that the system has not given pgcred what every program gets, such as a thread.
    pub(crate) fn system(message: &str, cause: &dyn StdError) -> Self {
        Self::failure(message)
            .caused_by(cause)
            .usual_hint("end other programs, or raise the limits of your user, then try again")
    }

    /// Adds the chain of causes, each said once: wrappers often repeat the text of what they wrap.
    pub(crate) fn caused_by(mut self, cause: &dyn StdError) -> Self {
        let mut parts: Vec<String> = Vec::new();
        let mut next = Some(cause);
        while let Some(error) = next {
            let text = error.to_string();
            if !text.is_empty() && !parts.iter().any(|part| part.contains(&text)) {
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

    /// Adds a hint that counts where no caller has a better one.
    pub(crate) fn usual_hint(mut self, hint: &'static str) -> Self {
        self.usual_hint = Some(hint);
        self
    }

    /// Gives the error a reason that callers can ask for.
    pub(crate) fn because(mut self, reason: ErrorReason) -> Self {
        self.reason = Some(reason);
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

    /// Puts the subject of the error in front, where one run deals with several.
    pub(crate) fn about(mut self, subject: &str) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Adds a remark in brackets.
    pub(crate) fn noting(mut self, remark: &str) -> Self {
        self.message = format!("{} ({remark})", self.message);
        self
    }

    /// Says that the error is not new: it came so many seconds ago, and is given again.
    pub(crate) fn repeated_after(mut self, age: u32) -> Self {
        self.age = Some(age);
        self
    }

    /// Returns the error as it was when it came, so that it can be compared with another.
    pub(crate) fn without_age(mut self) -> Self {
        self.age = None;
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

    pub(crate) fn reason(&self) -> Option<ErrorReason> {
        self.reason
    }

    pub(crate) fn hint_text(&self) -> Option<&str> {
        self.hint.as_deref().or(self.usual_hint)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(cause) = &self.cause {
            write!(f, ": {cause}")?;
        }
        match self.age {
            Some(age) => write!(
                f,
                " (pgcred got this answer {age} s ago; --fresh asks again now)"
            ),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_outlives_every_addition_to_the_text() {
        for reason in ErrorReason::ALL {
            let error = Error::failure("no answer")
                .because(reason)
                .about("main")
                .noting("again")
                .hint("retry")
                .or_hint("wait")
                .exiting(Exit::Login)
                .caused_by(&fmt::Error);
            assert_eq!(error.reason(), Some(reason));
            assert_eq!(error.exit(), Exit::Login);
            assert_eq!(ErrorReason::from_name(reason.name()), Some(reason));
        }
        assert_eq!(Error::failure("no region for x").reason(), None);
        assert_eq!(ErrorReason::from_name("other"), None);
    }

    #[derive(Debug)]
    struct WrappedError(fmt::Error);

    impl fmt::Display for WrappedError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "wrapped: {}", self.0)
        }
    }

    impl StdError for WrappedError {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_cause_that_repeats_another_is_said_once() {
        let cause = WrappedError(fmt::Error);
        let path = Path::new("FILE");
        for (error, beginning) in [
            (Error::reading(path, &cause), "cannot read FILE"),
            (Error::writing(path, &cause), "cannot write FILE"),
            (Error::running("aws -v", &cause), "cannot run aws -v"),
        ] {
            assert_eq!(error.to_string(), format!("{beginning}: {cause}"));
            let is_input = beginning.starts_with("cannot read");
            let exit = if is_input { Exit::Usage } else { Exit::Failure };
            assert_eq!(error.exit(), exit);
            assert!(
                error
                    .hint_text()
                    .is_some_and(|hint| hint.starts_with("check "))
            );
            assert_eq!(error.clone().or_hint("wait").hint_text(), Some("wait"));
            assert_eq!(
                error.hint("wait").or_hint("retry").hint_text(),
                Some("wait")
            );
        }
    }
}
