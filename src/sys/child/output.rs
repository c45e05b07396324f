//! Runs a program to its end and returns what it printed. Both the time and the length are limited.
//!
//! ```text
//! start --> read stdout and stderr, each in a thread --> wait for the end of the program
//!                                                              |
//!       kill it, and all that it started <-- too late or over -+
//!                                                              | ended
//!       output <-- wait for the end of its pipes: a moment, or until `is_complete` <-+
//! ```

use std::ffi::OsString;
use std::io::{self, ErrorKind, Read};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use process_wrap::std::{ChildWrapper, CommandWrap};

use super::search::own_program;
use super::{PAUSE, command_of_words, not_started};
use crate::error::Error;
use crate::sys::signals::HeldSignals;

/// At most this many bytes of a pipe are read.
const MAX_ANSWER_LENGTH: u64 = 1 << 20;
/// How long the pipes of a program are read after its end. A helper that the program started may
/// keep them open for ever.
const PIPE_GRACE: Duration = Duration::from_millis(200);
/// The same after a success, where no byte of the answer may be missing: on a busy machine the
/// thread that reads it waits for its turn.
///
/// It is no shorter for an answer that ends in a whole line. What the program started may print the
/// next one after its end, as it may in `$(...)` of a shell, and then the line of before was a
/// warning and not the token. Only the end of the pipe tells that nothing follows; an answer that
/// says itself where it ends, such as JSON, waits for neither.
const ANSWER_GRACE: Duration = Duration::from_secs(2);

/// The exit status of a program, and everything that it printed.
pub(crate) struct ProgramOutput {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: Vec<u8>,
    /// Whether stdout was read to its end.
    pub(crate) is_complete: bool,
    pub(crate) stderr: Vec<u8>,
}

impl ProgramOutput {
    /// Tells whether the program has printed more than pgcred reads.
    pub(crate) fn is_too_long(&self) -> bool {
        self.stdout.len() as u64 >= MAX_ANSWER_LENGTH
    }
}

/// The reason why there is no [`ProgramOutput`].
pub(crate) enum ProgramError {
    Failed(Error),
    TooLate,
}

/// How a program is attached to pgcred: its process group and its stderr.
#[derive(Clone, Copy)]
pub(crate) enum ChildAttachment {
    /// A process group of its own, so that the program is ended together with all that it started.
    Alone,
    /// The process group of pgcred, which the parent of pgcred ends as a whole.
    InGroup,
    /// The process group and the stderr of pgcred, so that the program can ask at the terminal.
    AtTerminal,
}

type ProgramResult = Result<ProgramOutput, ProgramError>;

/// Tells whether some bytes are a complete answer.
type IsComplete = fn(&[u8]) -> bool;

/// Runs a program until it ends. At the deadline it is killed; if it is alone, so is all that it
/// started.
pub(crate) fn output(
    command_line: &[String],
    deadline: Instant,
    attachment: ChildAttachment,
) -> ProgramResult {
    run_words(command_line, &[], deadline, attachment, None)
}

/// Runs a program as [`output`] does, for a program with a helper that may keep its stdout open.
///
/// After a successful end, stdout is read until it `is_complete`, or until the pipe is closed, or
/// until the deadline.
pub(crate) fn complete_output(
    command_line: &[String],
    deadline: Instant,
    attachment: ChildAttachment,
    is_complete: IsComplete,
) -> ProgramResult {
    run_words(command_line, &[], deadline, attachment, Some(is_complete))
}

/// Runs a program as [`complete_output`] does, with more variables.
pub(crate) fn output_with(
    command_line: &[String],
    variables: &[(OsString, OsString)],
    deadline: Instant,
    attachment: ChildAttachment,
    is_complete: Option<IsComplete>,
) -> ProgramResult {
    run_words(command_line, variables, deadline, attachment, is_complete)
}

fn run_words(
    command_line: &[String],
    variables: &[(OsString, OsString)],
    deadline: Instant,
    attachment: ChildAttachment,
    is_complete: Option<IsComplete>,
) -> ProgramResult {
    let mut command =
        CommandWrap::from(command_of_words(command_line).map_err(ProgramError::Failed)?);
    let variables = variables.iter().map(|(name, value)| (name, value));
    command.command_mut().envs(variables);
    if !matches!(attachment, ChildAttachment::AtTerminal) {
        command.command_mut().stderr(Stdio::piped());
    }
    // What a terminal sends to the group of pgcred does not reach a group of its own.
    let mut signals = None;
    if matches!(attachment, ChildAttachment::Alone) {
        give_own_group(&mut command);
        signals = HeldSignals::hold();
    }
    let is_over = || signals.as_ref().is_some_and(HeldSignals::has_one);
    let program = command_line.first().map(String::as_str).unwrap_or_default();
    run_until(command, program, deadline, is_over, is_complete)
}

/// Runs pgcred once more, in a session without a terminal. At the deadline, or when it `is_over`,
/// it is killed together with its process group.
pub(crate) fn own_output(
    arguments: &[OsString],
    deadline: Instant,
    is_over: impl Fn() -> bool,
) -> ProgramResult {
    let program = own_program().map_err(ProgramError::Failed)?;
    let mut command = CommandWrap::from(Command::new(program));
    command
        .command_mut()
        .args(arguments)
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessSession);
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
    run_until(command, "pgcred", deadline, is_over, None)
}

fn give_own_group(command: &mut CommandWrap) {
    #[cfg(unix)]
    command.wrap(process_wrap::std::ProcessGroup::leader());
    #[cfg(windows)]
    command.wrap(process_wrap::std::JobObject);
}

fn run_until(
    mut command: CommandWrap,
    program: &str,
    deadline: Instant,
    is_over: impl Fn() -> bool,
    is_complete: Option<IsComplete>,
) -> ProgramResult {
    command.command_mut().stdout(Stdio::piped());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Err(ProgramError::Failed(not_started(program, &error))),
    };
    let pipes = match OutputPipes::read(&mut *child) {
        Ok(pipes) => pipes,
        Err(error) => {
            let _ = child.kill(); // nothing would read its output
            return Err(ProgramError::Failed(Error::running(program, &error)));
        }
    };
    let status = match wait(&mut *child, deadline, is_over) {
        Ok(Some(status)) => status,
        Ok(None) => {
            kill(&mut *child);
            return Err(ProgramError::TooLate);
        }
        Err(error) => {
            kill(&mut *child);
            return Err(ProgramError::Failed(Error::running(program, &error)));
        }
    };
    let output = pipes.ended(status, deadline, is_complete);
    let _ = child.start_kill(); // the helpers that the program left behind, if any
    Ok(output)
}

/// Waits for the end of a program. Returns `None` if the deadline comes first, or if it `is_over`.
fn wait(
    child: &mut dyn ChildWrapper,
    deadline: Instant,
    is_over: impl Fn() -> bool,
) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline || is_over() {
            return Ok(None);
        }
        thread::sleep(PAUSE);
    }
}

/// Kills a program, and gives the system a moment to end it.
fn kill(child: &mut dyn ChildWrapper) {
    let _ = child.start_kill(); // it may have ended by itself at this moment
    let deadline = Instant::now() + PIPE_GRACE;
    while matches!(child.try_wait(), Ok(None)) && Instant::now() < deadline {
        thread::sleep(PAUSE);
    }
}

/// The pipes to which a program prints. stderr is missing if the program writes to the terminal.
struct OutputPipes {
    stdout: Option<OutputPipe>,
    stderr: Option<OutputPipe>,
}

impl OutputPipes {
    fn read(child: &mut dyn ChildWrapper) -> io::Result<Self> {
        let stdout = match child.stdout().take() {
            Some(pipe) => Some(OutputPipe::read(pipe)?),
            None => None,
        };
        let stderr = match child.stderr().take() {
            Some(pipe) => Some(OutputPipe::read(pipe)?),
            None => None,
        };
        Ok(Self { stdout, stderr })
    }

    /// Returns what a program printed that has ended with this status.
    fn ended(
        self,
        status: ExitStatus,
        deadline: Instant,
        is_complete: Option<IsComplete>,
    ) -> ProgramOutput {
        let mut is_whole = false;
        match (is_complete, &self.stdout) {
            (Some(is_complete), Some(stdout)) if status.success() => {
                is_whole = stdout.wait_until_complete(deadline, is_complete);
                // Without an answer, stderr says why. Beside one, nobody reads it.
                if !is_complete(&stdout.bytes())
                    && let Some(stderr) = &self.stderr
                {
                    stderr.wait_for_end(deadline.min(Instant::now() + PIPE_GRACE));
                }
            }
            _ => {
                let grace = if status.success() {
                    ANSWER_GRACE
                } else {
                    PIPE_GRACE
                };
                let deadline = deadline.min(Instant::now() + grace);
                if let Some(stdout) = &self.stdout {
                    is_whole = stdout.wait_for_end(deadline);
                }
                if let Some(stderr) = &self.stderr {
                    stderr.wait_for_end(deadline);
                }
            }
        }
        let stdout = OutputPipe::bytes_of(self.stdout);
        ProgramOutput {
            status,
            is_complete: is_whole && (stdout.len() as u64) < MAX_ANSWER_LENGTH,
            stdout,
            stderr: OutputPipe::bytes_of(self.stderr),
        }
    }
}

/// The bytes that a pipe has given so far. A thread reads the pipe. If the pipe is never closed,
/// the thread ends with the process.
struct OutputPipe {
    bytes: Arc<Mutex<Vec<u8>>>,
    /// Disconnected by the thread at the end of the pipe.
    end: Receiver<()>,
}

impl OutputPipe {
    /// Starts to read. Fails if the user may start no more threads.
    fn read(pipe: impl Read + Send + 'static) -> io::Result<Self> {
        let (sender, end) = channel();
        let bytes = Arc::default();
        let thread_bytes = Arc::clone(&bytes);
        thread::Builder::new().spawn(move || {
            read_to_end(pipe, &thread_bytes);
            drop(sender);
        })?;
        Ok(Self { bytes, end })
    }

    fn bytes(&self) -> Vec<u8> {
        let bytes = self.bytes.lock();
        bytes.unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn bytes_of(pipe: Option<Self>) -> Vec<u8> {
        match pipe {
            Some(pipe) => pipe.bytes(),
            None => Vec::new(),
        }
    }

    /// Waits for the end of the pipe. Returns false if it does not come in time.
    fn wait_for_end(&self, deadline: Instant) -> bool {
        let time_left = deadline.saturating_duration_since(Instant::now());
        let answer = self.end.recv_timeout(time_left.max(PAUSE));
        answer == Err(RecvTimeoutError::Disconnected)
    }

    /// Waits until the bytes are a whole answer, or for the end of the pipe. Returns false if
    /// neither comes in time.
    fn wait_until_complete(&self, deadline: Instant, is_complete: IsComplete) -> bool {
        let mut checked_length = 0;
        loop {
            let bytes = self.bytes();
            if bytes.len() != checked_length && is_complete(&bytes) {
                return true;
            }
            checked_length = bytes.len();
            let is_late = Instant::now() >= deadline;
            if self.wait_for_end(Instant::now() + PAUSE) {
                return true;
            }
            if is_late {
                return false;
            }
        }
    }
}

/// Moves the bytes of a pipe into `bytes`, until the pipe is closed or has given too many.
fn read_to_end(pipe: impl Read, bytes: &Mutex<Vec<u8>>) {
    let mut pipe = pipe.take(MAX_ANSWER_LENGTH);
    let mut part = [0; 8 << 10];
    loop {
        match pipe.read(&mut part) {
            Ok(0) => return,
            Ok(length) => {
                let mut bytes = bytes.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(&part[..length]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pipe that gives the second line of an answer late.
    struct LatePipe(Vec<&'static [u8]>);

    impl Read for LatePipe {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.len() == 1 {
                thread::sleep(PIPE_GRACE * 2);
            }
            let Some(part) = self.0.pop() else {
                return Ok(0);
            };
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn an_answer_that_does_not_say_where_it_ends_is_read_to_its_end() {
        let pipes = OutputPipes {
            stdout: Some(OutputPipe::read(LatePipe(vec![b"token\n", b"warning\n"])).unwrap()),
            stderr: None,
        };
        let deadline = Instant::now() + Duration::from_mins(1);
        let ended = pipes.ended(ExitStatus::default(), deadline, None);
        assert_eq!(ended.stdout, b"warning\ntoken\n");
        assert!(ended.is_complete);
    }
}
