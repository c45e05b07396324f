//! Programs that pgcred runs for its own ends: nothing on stdin, no password in the environment, a
//! deadline for all of them.

use std::ffi::{OsStr, OsString};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use process_wrap::std::CommandWrap;

use crate::error::{Error, Result};
use crate::sys::env;
use crate::sys::fs;
use crate::sys::terminal;
use crate::text::{self, quote};

/// No answer is longer, in bytes.
const LONGEST: u64 = 1 << 20;
/// How long what a program has printed is waited for after it has ended: a helper of its own may
/// keep the pipe open.
const LAST_WORDS: Duration = Duration::from_millis(200);
const PAUSE: Duration = Duration::from_millis(3);

/// What a program printed, and whether it was content.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    /// Whether stdout was read to its end.
    pub(crate) whole: bool,
    pub(crate) stderr: Vec<u8>,
}

/// Why there is no [`Ended`].
pub(crate) enum NoOutput {
    Failed(Error),
    TooLate,
}

/// How a program stands to pgcred.
#[derive(Clone, Copy)]
pub(crate) enum Bond {
    /// Alone, in a group of its own, so that all that it starts can be ended with it.
    Alone,
    /// In pgcred's own process group, which is ended as a whole by whoever has started pgcred.
    InGroup,
    /// In pgcred's own process group and with its stderr, so that it can ask at the terminal.
    AtTerminal,
}

/// Returns PATH, and behind it the directories in which package managers install, but for those
/// that belong to another user or that others can change: whoever has installed Homebrew on a
/// shared machine could run programs as everybody else.
fn search_path() -> OsString {
    let path = env::path();
    let mut directories: Vec<PathBuf> = std::env::split_paths(&path).collect();
    for directory in env::program_directories() {
        if !directories.contains(&directory) && fs::trust::is_trusted_directory(&directory) {
            directories.push(directory);
        }
    }
    std::env::join_paths(directories).unwrap_or(path)
}

/// Returns the path of a program, also where a desktop session does not look.
pub(crate) fn find(program: &OsStr) -> Option<PathBuf> {
    let find_in = |path: OsString, name: &OsStr| {
        which::which_in(name, Some(path), env::current_directory()).ok()
    };
    // Most programs are in PATH: then the other directories need not be judged.
    let find = |name: &OsStr| find_in(env::path(), name).or_else(|| find_in(search_path(), name));
    // Windows looks for PATHEXT's endings; where an environment lacks that variable, for the usual
    // one.
    let with_ending = || {
        find(&Path::new(program).with_extension("exe").into_os_string()).filter(|_| cfg!(windows))
    };
    find(program).or_else(with_ending)
}

/// Returns the path of this program, or where its name leads now: an upgrade may have put it
/// elsewhere.
pub(crate) fn own_program() -> Result<PathBuf> {
    let path = env::own_program()
        .map_err(|error| Error::failure("pgcred's own path is unknown").caused_by(&error))?;
    if path.exists() {
        return Ok(path);
    }
    let typed = env::arguments().into_iter().next().unwrap_or_default();
    find(&typed).ok_or_else(|| {
        Error::failure(format!(
            "pgcred is no longer at {}, and was not found in PATH",
            path.display()
        ))
        .hint("install it there again, or add its directory to PATH")
    })
}

/// Returns the path by which pgcred is found, rather than one that changes with its version.
pub(crate) fn own_path() -> Result<PathBuf> {
    let running = own_program()?;
    let found = find("pgcred".as_ref())
        .filter(|found| found.canonicalize().ok() == running.canonicalize().ok());
    Ok(found
        .and_then(|found| std::path::absolute(found).ok())
        .unwrap_or(running))
}

/// Runs a program to its end, at most until the deadline; then it is killed, and if it is alone all
/// that it started too.
pub(crate) fn output(
    words: &[String],
    deadline: Instant,
    bond: Bond,
) -> std::result::Result<Ended, NoOutput> {
    ended_of(words, deadline, bond, None)
}

/// As [`output`], where a helper of the program may keep its stdout open: once the program has
/// ended well, what it printed is waited for until that `is_whole` or the pipe is closed, at most
/// until the deadline.
pub(crate) fn whole_output(
    words: &[String],
    deadline: Instant,
    bond: Bond,
    is_whole: fn(&[u8]) -> bool,
) -> std::result::Result<Ended, NoOutput> {
    ended_of(words, deadline, bond, Some(is_whole))
}

fn ended_of(
    words: &[String],
    deadline: Instant,
    bond: Bond,
    is_whole: Option<fn(&[u8]) -> bool>,
) -> std::result::Result<Ended, NoOutput> {
    let mut command = CommandWrap::from(command(words).map_err(NoOutput::Failed)?);
    if !matches!(bond, Bond::AtTerminal) {
        command.command_mut().stderr(Stdio::piped());
    }
    if matches!(bond, Bond::Alone) {
        own_group(&mut command);
    }
    let program = words.first().map(String::as_str).unwrap_or_default();
    ended(command, program, deadline, || false, is_whole)
}

/// Runs pgcred once more, in a session without a terminal, until the deadline or until it
/// `is_over`; then it is killed with all of its process group.
pub(crate) fn own_output(
    arguments: &[OsString],
    deadline: Instant,
    is_over: impl Fn() -> bool,
) -> std::result::Result<Ended, NoOutput> {
    let mut command = CommandWrap::from(Command::new(own_program().map_err(NoOutput::Failed)?));
    command
        .command_mut()
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessSession);
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
    ended(command, "pgcred", deadline, is_over, None)
}

fn ended(
    mut command: CommandWrap,
    program: &str,
    deadline: Instant,
    is_over: impl Fn() -> bool,
    is_whole: Option<fn(&[u8]) -> bool>,
) -> std::result::Result<Ended, NoOutput> {
    let failed = |error: &std::io::Error| NoOutput::Failed(Error::running(program, error));
    command.command_mut().stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| failed(&error))?;
    let stdout = child.stdout().take().map(Printed::read).transpose();
    let stderr = child.stderr().take().map(Printed::read).transpose();
    let (stdout, stderr) = match (stdout, stderr) {
        (Ok(stdout), Ok(stderr)) => (stdout, stderr),
        (Err(error), _) | (_, Err(error)) => {
            let _ = child.kill(); // nobody would read what it says
            return Err(failed(&error));
        }
    };
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if Instant::now() < deadline && !is_over() => thread::sleep(PAUSE),
            ended => {
                let _ = child.start_kill(); // it may have ended by itself this moment
                let patience = Instant::now() + LAST_WORDS;
                while matches!(child.try_wait(), Ok(None)) && Instant::now() < patience {
                    thread::sleep(PAUSE);
                }
                return Err(ended.map_or_else(|error| failed(&error), |_| NoOutput::TooLate));
            }
        }
    };
    let last_words = deadline.min(Instant::now() + LAST_WORDS);
    let is_whole = is_whole.filter(|_| status.success());
    let until = if is_whole.is_some() {
        deadline
    } else {
        last_words
    };
    let whole = stdout
        .as_ref()
        .is_some_and(|stdout| stdout.wait(until, is_whole));
    if let Some(stderr) = stderr.as_ref().filter(|_| is_whole.is_none()) {
        stderr.wait(last_words, None);
    }
    let bytes =
        |printed: Option<Printed>| printed.map(|printed| printed.bytes()).unwrap_or_default();
    let (stdout, stderr) = (bytes(stdout), bytes(stderr));
    let whole = whole && (stdout.len() as u64) < LONGEST;
    let ended = Ended {
        status,
        stdout,
        whole,
        stderr,
    };
    let _ = child.start_kill(); // what it left behind, if anything
    Ok(ended)
}

/// Runs a program whose output is for the person at the terminal: all of it goes to stderr.
pub(crate) fn attended(words: &[String]) -> Result<ExitStatus> {
    let mut command = command(words)?;
    if let Some(terminal) = terminal::open() {
        command.stdin(terminal); // itself, not what pgcred was given
    }
    command
        .stdout(std::io::stderr())
        .status()
        .map_err(|error| Error::running(words.join(" "), &error))
}

/// Starts a program that outlives pgcred and holds nothing of it.
pub(crate) fn detached(words: &[String]) -> Result<()> {
    spawn_detached(words, &[]).map(drop)
}

/// Starts a program as [`detached`] does, with more variables; tells whether it still runs after a
/// while, or has ended well before.
pub(crate) fn runs(
    words: &[String],
    variables: &[(OsString, OsString)],
    a_while: Duration,
) -> bool {
    let Ok(mut child) = spawn_detached(words, variables) else {
        return false;
    };
    let deadline = Instant::now() + a_while;
    loop {
        match child.try_wait() {
            // Explorer's status says nothing
            Ok(Some(status)) => return status.success() || cfg!(windows),
            Ok(None) if Instant::now() < deadline => thread::sleep(PAUSE),
            _ => return true,
        }
    }
}

fn spawn_detached(words: &[String], variables: &[(OsString, OsString)]) -> Result<Child> {
    let mut command = command(words)?;
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    #[cfg(windows)]
    // DETACHED_PROCESS, NEW_PROCESS_GROUP
    std::os::windows::process::CommandExt::creation_flags(&mut command, 0x0000_0208);
    command
        .spawn()
        .map_err(|error| Error::running(words.join(" "), &error))
}

/// Tells the desktop, where it has a program for that. Of `notify-send` the text may have markup,
/// which ours has not.
pub(crate) fn notify(text: &str) {
    let text = &text::shown(text);
    let command = if cfg!(target_os = "macos") {
        let script =
            "on run argv\ndisplay notification (item 1 of argv) with title \"pgcred\"\nend run";
        words(["osascript", "-e", script, text])
    } else {
        words([
            "notify-send",
            "--app-name=pgcred",
            "pgcred",
            &quote::xml(text),
        ])
    };
    let _ = detached(&command);
}

fn command(words: &[String]) -> Result<Command> {
    let (program, arguments) = words
        .split_first()
        .ok_or_else(|| Error::usage("an empty command"))?;
    let found = find(OsStr::new(program)).ok_or_else(|| {
        Error::failure(format!("there is no program {program}"))
            .hint("give its whole path, or add its directory to PATH")
    })?;
    let mut command = Command::new(found);
    command.args(arguments).stdin(Stdio::null());
    command.env("PATH", search_path()).env_remove("PGPASSWORD");
    Ok(command)
}

fn own_group(command: &mut CommandWrap) {
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
}

/// What a pipe has given so far. A thread of its own reads it, which ends with the process if the
/// pipe never closes.
struct Printed {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Hung up by the thread at the end of the pipe.
    end: Receiver<()>,
}

impl Printed {
    /// Fails where the user may start no more threads.
    fn read(pipe: impl Read + Send + 'static) -> std::io::Result<Self> {
        let (sender, end) = channel();
        let bytes = Arc::default();
        let printed = Self {
            bytes: Arc::clone(&bytes),
            end,
        };
        thread::Builder::new().spawn(move || {
            let mut pipe = pipe.take(LONGEST);
            let mut part = [0; 8 << 10];
            loop {
                match pipe.read(&mut part) {
                    Ok(0) => break,
                    Ok(length) => {
                        bytes
                            .lock()
                            .unwrap_or_else(PoisonError::into_inner)
                            .extend_from_slice(&part[..length]);
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(_) => break,
                }
            }
            drop(sender);
        })?;
        Ok(printed)
    }

    fn bytes(&self) -> Vec<u8> {
        self.bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Waits for the end of the pipe, or until what came is whole; tells whether one of the two is
    /// the case in time.
    fn wait(&self, until: Instant, is_whole: Option<fn(&[u8]) -> bool>) -> bool {
        let mut length = 0;
        loop {
            if let Some(is_whole) = is_whole {
                let bytes = self.bytes();
                if bytes.len() != length && is_whole(&bytes) {
                    return true;
                }
                length = bytes.len();
            }
            let left = until.saturating_duration_since(Instant::now());
            let pause = if is_whole.is_some() {
                left.min(PAUSE)
            } else {
                left
            };
            if let Err(RecvTimeoutError::Disconnected) = self.end.recv_timeout(pause.max(PAUSE)) {
                return true;
            }
            if left.is_zero() {
                return false;
            }
        }
    }
}

/// Returns a command line as words.
pub(crate) fn words<const N: usize>(words: [&str; N]) -> Vec<String> {
    words.map(str::to_owned).to_vec()
}
