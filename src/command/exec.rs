//! `pgcred exec`: run a program that finds its connection and password in the environment, and nothing afterwards.

use std::ffi::OsString;
use std::process::{Command, ExitCode, ExitStatus};

use super::place::Place;
use super::{Asking, Context, Run};
use crate::env;
use crate::error::{Error, Result};
use crate::fs;
use crate::limits::allow_core_dumps;
use crate::output::format::variables;
use crate::passfile::block::Passfile;
use crate::roots;
use crate::signals::{die_by, on_signal};
use crate::terminal::Stdin;

#[derive(clap::Args)]
pub(super) struct Exec {
    /// Connection, host, DSQL cluster ID, postgres:// URI or libpq conninfo string [default: PGHOST]
    target: Option<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    asking: Asking,
    /// The program and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Run for Exec {
    type End = ExitCode;

    /// Ends as the program ends: with its exit code, or by the signal that ended it.
    fn run(self, context: &mut Context, stdin: Option<Stdin>) -> Result<ExitCode> {
        let request = self.place.request(self.target.as_deref(), &context.world, context.world.output)?;
        let (request, issued) = context.issue(request, &self.asking)?;
        let roots = roots::ready(&request, &context.world.how)?;
        context.release(); // others may ask AWS while the program runs

        let parent = env::runtime_folder().ok_or_else(|| Error::failure("no folder for the private passfile"))?;
        let folder = fs::session_folder(&parent)?;
        let mut passfile = Passfile::default();
        passfile.set(request.key(), &issued.token)?;
        fs::put(&folder.path("passfile"), &passfile.render_lines())?;

        let (program, arguments) = self.command.split_first().ok_or_else(|| Error::usage("no command"))?;
        let mut child = Command::new(program);
        child.args(arguments).env_remove("PGPASSWORD").env("PGPASSFILE", folder.path("passfile"));
        child.envs(variables(&request, roots.as_deref()));
        if let Some(stdin) = stdin {
            child.stdin(stdin);
        }
        allow_core_dumps();
        let status = wait(child)
            .map_err(|error| Error::failure(format!("cannot run {}", program.to_string_lossy())).caused_by(&error))?;
        drop(folder);
        Ok(end(status))
    }
}

#[cfg(unix)]
fn wait(mut command: Command) -> std::io::Result<ExitStatus> {
    use std::io::IsTerminal;
    use std::sync::{Arc, Mutex};

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    // Held while the program starts: a signal that comes in between waits, and then reaches the program too.
    let program = Arc::new(Mutex::new(None));
    let from_terminal = std::io::stderr().is_terminal();
    let forward = {
        let program = Arc::clone(&program);
        move |signal: i32| {
            // The terminal has sent these two to the program already.
            let sent = from_terminal && [Signal::SIGINT as i32, Signal::SIGQUIT as i32].contains(&signal);
            let pid = program.lock().ok().and_then(|pid| *pid);
            match pid {
                Some(pid) if !sent => drop(kill(Pid::from_raw(pid), Signal::try_from(signal).ok())),
                Some(_) => {}
                None => die_by(signal),
            }
        }
    };
    let mut running = program.lock().map_err(|_| std::io::Error::other("a signal came too early"))?;
    on_signal(forward).map_err(|error| std::io::Error::other(error.to_string()))?;
    let mut child = command.spawn()?;
    *running = i32::try_from(child.id()).ok();
    drop(running);
    child.wait()
}

#[cfg(not(unix))]
fn wait(mut command: Command) -> std::io::Result<ExitStatus> {
    on_signal(|_| {}).map_err(|error| std::io::Error::other(error.to_string()))?;
    command.status()
}

fn end(status: ExitStatus) -> ExitCode {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        die_by(signal);
        return ExitCode::from(u8::try_from(128 + signal).unwrap_or(1));
    }
    let _ = die_by; // only unix ends by signals
    status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}
