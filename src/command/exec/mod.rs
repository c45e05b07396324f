//! Runs a program that finds its connection in PG* variables and its password in a private
//! passfile, and removes the passfile when the program ends, for `pgcred exec`.
//!
//! ```text
//! resolve -> issue -> private passfile -> start the program -> wait -> remove the passfile
//!                          ^                    |
//!                          +--- renewal <-------+   (a thread; a process for each new token)
//! ```
//!
//! The order matters: the credentials are forgotten before the program starts, signals go to
//! the program from its start to its end, and the renewal has ended before the passfile is removed.
//!
//! `hint` is what pgcred says after a program that could not log in.

mod hint;
mod renewal;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::{Arc, Mutex};

use crate::command::app::{App, check_user_for_passfile};
use crate::command::needs::{CommandNeeds, ForeignHomePolicy};
use crate::command::options::TokenOptions;
use crate::command::run::RunCommand;
use crate::error::{Error, Result};
use crate::issue::IssuedToken;
use crate::output::Output;
use crate::output::format::variables;
use crate::output::variables::conflicting_variables;
use crate::passfile::block::Passfile;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::roots;
use crate::sys::env;
use crate::sys::fs::{self, PrivateDirectory};
use crate::sys::limits::spawn_with_core_dumps;
use crate::sys::signals::{die_by, on_signal};
use crate::sys::terminal::InheritedStdin;
use hint::ExecRequest;
use renewal::TokenRenewal;

/// The private passfile's name.
const PASSFILE: &str = "passfile";

#[derive(clap::Args)]
#[command(override_usage = "pgcred exec [OPTIONS] [TARGET] -- <COMMAND>...")]
pub(crate) struct ExecCommand {
    /// Connection, host, DSQL cluster ID, postgres:// URI or libpq conninfo string [default:
    /// PGHOST]
    target: Option<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    token: TokenOptions,
    /// The program and its arguments. pgcred ends with the program's exit code; with 127 if the
    /// program does not exist, with 126 if it cannot be run
    #[arg(last = true, required_unless_present = "renew", value_name = "COMMAND")]
    command: Vec<OsString>,
    /// Write a new token to this passfile, and print when that is due.
    #[arg(long, hide = true, conflicts_with = "command", value_name = "FILE")]
    renew: Option<PathBuf>,
}

impl RunCommand for ExecCommand {
    type Outcome = ExitCode;
    const NEEDS: CommandNeeds = CommandNeeds {
        foreign_home: ForeignHomePolicy::GoOn,
        ..CommandNeeds::USUAL
    };

    /// Ends as the program ends: with the same exit code, or by the same signal.
    fn run(self, app: &mut App, stdin: Option<InheritedStdin>) -> Result<ExitCode> {
        if let Some(passfile) = &self.renew {
            check_private(passfile)?;
        }
        let request = app
            .preferences
            .resolver()
            .resolve(&self.connection, self.target.as_deref())?;
        request.check_address()?;
        if let Some(passfile) = self.renew {
            return renew_passfile(request, &self.token, &passfile, app)
                .map(|()| ExitCode::SUCCESS);
        }
        let Some((program, arguments)) = self.command.split_first() else {
            return Err(Error::usage("exec needs a program to run")
                .hint("put the program behind `--`, as in `pgcred exec TARGET -- psql`"));
        };
        let (request, issued) = issue_for_passfile(request, &self.token, app)?;
        let directory = fs::new_private_directory()?;
        let roots = roots::sslrootcert_for_exec(&request, &app.preferences.ask_policy, &directory)?;
        app.release(); // other processes may ask AWS while the program runs

        let passfile = directory.path(PASSFILE);
        fs::write_unsynced(&passfile, &passfile_text(&request, &issued)?)?;
        let renewal = TokenRenewal {
            // A new token would be that of another user.
            is_wanted: !request.provider.authority.issues_on_request_only(),
            passfile: passfile.clone(),
            due: issued.token.fresh_until(),
            lifetime_left_at_refresh: issued.token.fresh_until().until(issued.token.expires_at),
            timeout: app.preferences.ask_policy.timeout * 2,
            output: app.preferences.output,
        };
        // The program may run for days: `release` has dropped the AWS keys, and the token goes now.
        // A renewal is a process of its own.
        drop(issued);

        let mut command = Command::new(program);
        command.args(arguments);
        set_environment(&mut command, &request, roots.as_deref(), &passfile);
        if let Some(stdin) = stdin {
            command.stdin(stdin);
        }
        let exec_request = ExecRequest {
            request: &request,
            config: app.options.config.as_deref(),
            is_attended: app.preferences.ask_policy.terminal,
        };
        run_to_its_end(command, renewal, directory, &exec_request)
    }
}

fn issue_for_passfile(
    request: Request,
    options: &TokenOptions,
    app: &mut App,
) -> Result<(Request, IssuedToken)> {
    let (request, issued) = app.issue(request, options)?;
    let Err(error) = check_user_for_passfile(&request, &issued) else {
        return Ok((request, issued));
    };
    match &request.connection {
        Some(connection) => Err(error.about(connection)),
        None => Err(error),
    }
}

/// Runs the program, and keeps its passfile fresh until it ends. The passfile is removed before
/// pgcred ends, which may be by a signal.
fn run_to_its_end(
    command: Command,
    renewal: TokenRenewal,
    directory: PrivateDirectory,
    exec_request: &ExecRequest<'_>,
) -> Result<ExitCode> {
    let program = command.get_program().to_owned();
    let output = renewal.output;
    let shared_program = SharedProgram::default();
    let mut child = match start(command, &shared_program) {
        Ok(child) => child,
        Err(error) => return Ok(report_not_started(&program, &error, output)),
    };
    let running_renewal = renewal.start();
    let status = child.wait();
    if let Ok(mut state) = shared_program.lock() {
        *state = ProgramState::Ended;
    }
    drop(running_renewal);
    drop(directory);
    match status {
        Ok(status) => {
            if hint::is_login_failure(&program, status) {
                output.hint(&hint::hint_after_failed_login(exec_request));
            }
            Ok(exit_as_program(status))
        }
        Err(error) => Err(Error::system("cannot wait for the program", &error)),
    }
}

/// Returns the text of the private passfile.
fn passfile_text(request: &Request, issued: &IssuedToken) -> Result<Vec<u8>> {
    let mut passfile = Passfile::default();
    passfile.set(request.passfile_line(), &issued.token)?;
    Ok(passfile.render_lines())
}

/// Refuses any file but the private passfile of a `pgcred exec` that is running, because a renewal
/// leaves nothing in the file but one line.
fn check_private(passfile: &Path) -> Result<()> {
    let is_passfile_name = passfile.file_name() == Some(OsStr::new(PASSFILE));
    if is_passfile_name && fs::is_in_private_directory(passfile) {
        return Ok(());
    }
    let path = passfile.display();
    Err(Error::usage(format!(
        "--renew: {path} is not the private passfile of a `pgcred exec` that runs"
    ))
    .hint(
        "run `pgcred refresh TARGET --passfile FILE` to write a passfile; --renew is for pgcred \
         itself",
    ))
}

/// Renews the token in the private passfile. The user is never asked for anything, and a client
/// that reads the passfile meanwhile finds the old token or the new one.
fn renew_passfile(
    request: Request,
    options: &TokenOptions,
    passfile: &Path,
    app: &mut App,
) -> Result<()> {
    app.preferences.ask_policy.mfa_code = None; // a code is valid only once
    app.preferences.ask_policy.in_group = true;
    app.never_ask_for_login();
    let options = TokenOptions {
        fresh: false,
        ..*options
    };
    let issued = app.issue(request, &options);
    // `renewal` compares an error with the one that it has reported last.
    let (request, issued) = issued.map_err(Error::without_age)?;
    let lines = passfile_text(&request, &issued)?;
    fs::edit_cache(passfile, |_| lines)?;
    Output::answer(&format!("{}\n", issued.token.fresh_until().unix()))
}

/// Sets the variables that make a client connect, and removes those that would lead it elsewhere.
fn set_environment(command: &mut Command, request: &Request, roots: Option<&str>, passfile: &Path) {
    command.env_remove("PGPASSWORD");
    for name in conflicting_variables(request) {
        command.env_remove(name);
    }
    command.envs(variables(request, roots));
    command
        .env("PGPASSFILE", passfile)
        .env(env::EXEC_PASSFILE, passfile);
    match env::passfile() {
        Some(outer) => command.env(env::OUTER_PASSFILE, outer),
        None => command.env_remove(env::OUTER_PASSFILE),
    };
}

/// Reports why the program did not start, and returns the exit code that a shell has for that.
fn report_not_started(program: &OsStr, error: &std::io::Error, output: Output) -> ExitCode {
    const NOT_EXECUTABLE: u8 = 126;
    const NOT_FOUND: u8 = 127;
    let is_missing = error.kind() == std::io::ErrorKind::NotFound;
    let (code, hint) = if is_missing {
        (NOT_FOUND, "check its name and PATH")
    } else {
        (
            NOT_EXECUTABLE,
            "check that it is a program and that you may run it",
        )
    };
    output.report(&Error::running(program.to_string_lossy(), error).hint(hint));
    ExitCode::from(code)
}

/// The state of the program, for the handler that passes signals on to it.
#[derive(Default)]
enum ProgramState {
    #[default]
    NotStarted,
    #[cfg_attr(
        not(unix),
        allow(dead_code, reason = "only unix has signals to hand on")
    )]
    Runs(i32),
    /// The process ID may belong to another program by now.
    Ended,
}

type SharedProgram = Arc<Mutex<ProgramState>>;

/// Starts the program. From then on pgcred passes the signals that it gets on to the program, until
/// the program has ended.
#[cfg(unix)]
fn start(mut command: Command, program: &SharedProgram) -> std::io::Result<Child> {
    use std::io::IsTerminal;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let from_terminal = std::io::stderr().is_terminal();
    let forward = {
        let program = Arc::clone(program);
        move |signal: i32| {
            // The terminal sends these two to the program itself.
            let is_sent =
                from_terminal && [Signal::SIGINT as i32, Signal::SIGQUIT as i32].contains(&signal);
            let Ok(program) = program.lock() else { return };
            match *program {
                ProgramState::NotStarted => die_by(signal),
                ProgramState::Runs(pid) if !is_sent => {
                    let _ = kill(Pid::from_raw(pid), Signal::try_from(signal).ok());
                }
                ProgramState::Runs(_) | ProgramState::Ended => {}
            }
        }
    };
    // The lock is held while the program starts, so that a signal that comes in between waits, and
    // then reaches the program too.
    let mut state = program
        .lock()
        .map_err(|_| std::io::Error::other("a signal came too early"))?;
    on_signal(forward).map_err(|error| std::io::Error::other(error.to_string()))?;
    let child = spawn_with_core_dumps(&mut command)?;
    if let Ok(pid) = i32::try_from(child.id()) {
        *state = ProgramState::Runs(pid);
    }
    Ok(child)
}

#[cfg(not(unix))]
fn start(mut command: Command, _: &SharedProgram) -> std::io::Result<Child> {
    on_signal(|_| {}).map_err(|error| std::io::Error::other(error.to_string()))?;
    spawn_with_core_dumps(&mut command)
}

/// Returns the exit code of a program that has ended, or ends pgcred by the same signal.
fn exit_as_program(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        die_by(signal);
        return ExitCode::from(u8::try_from(128 + signal).unwrap_or(1));
    }
    let _ = die_by; // only unix ends by signals
    match status.code().map(u8::try_from) {
        Some(Ok(code)) => ExitCode::from(code),
        _ => ExitCode::FAILURE,
    }
}
