//! The command line: what can be typed, and one match that runs it.

mod erase;
mod passfile;
mod place;
mod refresh;
mod token;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};

use crate::error::{Error, Exit};
use crate::fs;
use crate::issue::{Issued, Issuer};
use crate::output::Output;
use crate::request::Request;
use crate::time::{Seconds, spoken};

/// Passwords for PostgreSQL on AWS (Aurora DSQL, RDS and Aurora with IAM), for every tool that wants one
#[derive(Parser)]
#[command(name = "pgcred", version, max_term_width = 100, after_help = Exit::help(), disable_help_subcommand = true)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Args)]
struct Global {
    /// Say nothing but errors
    #[arg(long, short, global = true, help_heading = "Global options")]
    quiet: bool,
    /// Give up on AWS after this long: seconds, or 90s, 5m
    #[arg(long, global = true, value_name = "DURATION", default_value = "25", help_heading = "Global options")]
    timeout: Seconds,
}

#[derive(Subcommand)]
enum Command {
    Token(token::Token),
    Refresh(refresh::Refresh),
    Erase(erase::Erase),
}

/// What every command is given.
struct Context {
    output: Output,
    issuer: Issuer,
}

/// Parses, runs, reports.
pub(crate) fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let _ = error.print(); // help and version go to stdout, complaints to stderr
            return if error.use_stderr() { Exit::Usage.code().into() } else { ExitCode::SUCCESS };
        }
    };
    let output = Output { quiet: cli.global.quiet };
    let mut context = Context { output, issuer: Issuer::new(Duration::from_secs(cli.global.timeout.0.into())) };
    let done = fs::detach_stdin().map_err(|error| Error::failure("cannot open the null device").caused_by(&error));
    let done = done.and_then(|()| match cli.command {
        Command::Token(token) => token.run(&mut context),
        Command::Refresh(refresh) => refresh.run(&mut context),
        Command::Erase(erase) => erase.run(&context),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            Output::report(&error);
            error.exit().code().into()
        }
    }
}

/// A token that does not last as long as was asked for is not handed out in silence.
fn warn_if_cut_short(request: &Request, issued: &Issued, output: Output) {
    if issued.cut_short {
        let left = spoken(issued.token.issued_at.until(issued.token.expires_at));
        output.warn(&format!("{}: the AWS credentials end in {left}, and the token with them", request.name()));
    }
}
