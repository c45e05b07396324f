//! `pgcred refresh`: issue tokens and file them in the passfile.

use super::Context;
use super::passfile::PassfileArg;
use super::place::Place;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::Key;
use crate::request::Request;
use crate::time::{Time, spoken};
use crate::token::Token;

/// Issue tokens and write them to the passfile
#[derive(clap::Args)]
pub(super) struct Refresh {
    /// Hosts, DSQL cluster IDs, postgres:// URIs or libpq conninfo strings [default: PGHOST]
    targets: Vec<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    passfile: PassfileArg,
}

impl Refresh {
    /// What can be refreshed is; the error names what could not.
    pub(super) fn run(self, context: &mut Context) -> Result<()> {
        self.place.dial.check_targets(self.targets.len())?;
        let targets = if self.targets.is_empty() { vec![None] } else { self.targets.iter().map(Some).collect() };
        let mut tokens = Vec::new();
        let mut errors: Vec<Error> = Vec::new();
        for target in &targets {
            match self.issue(target.map(String::as_str), context) {
                Ok(issued) => tokens.push(issued),
                Err(error) => errors.push(error),
            }
        }
        // Written even if nothing could be issued: an expired token must not stay as the answer.
        let edited = self.passfile.edit(context.output, |passfile| {
            tokens.iter().try_for_each(|(key, _, token)| passfile.set(key.clone(), token))
        });
        if edited.is_err() {
            errors.iter().for_each(Output::report);
        }
        let (path, ()) = edited?;
        self.passfile.warn_about_place(context.output);
        for (_, name, token) in &tokens {
            let (until, left) = (token.expires_at.rfc3339(), spoken(Time::now().until(token.expires_at)));
            context.output.note(&format!("{}: {name} until {until} ({left})", path.display()));
        }
        summary(errors, targets.len())
    }

    fn issue(&self, target: Option<&str>, context: &mut Context) -> Result<(Key, String, Token)> {
        let request = self.place.request(target, &context.issuer, context.output)?;
        let key = Key { host: request.host.clone(), port: request.port, user: request.user.clone() };
        key.check()?;
        self.warn_about_key(target, &request, context);
        let issued = context.issuer.issue(&request).map_err(|error| match self.targets.len() {
            0..=1 => error,
            _ => error.about(&request.name()),
        })?;
        super::warn_if_cut_short(&request, &issued, context.output);
        Ok((key, request.name(), issued.token))
    }

    /// Clients compare host and user as text; says where that will surprise.
    fn warn_about_key(&self, target: Option<&str>, request: &Request, context: &Context) {
        let name = request.name();
        if request.user.contains([':', '\\']) {
            context.output.warn(&format!(r"{name}: asyncpg and pgpasslib never match a user with `:` or `\`"));
        }
        let typed = self.place.typed_host(target);
        if typed
            .is_some_and(|typed| !typed.contains(&request.host) && typed.to_ascii_lowercase().contains(&request.host))
        {
            context
                .output
                .warn(&format!("{name}: filed in lower case; clients that dial it in upper case do not find it"));
        }
    }
}

/// One error is returned as it is; several are reported, and the last word says how many.
fn summary(mut errors: Vec<Error>, targets: usize) -> Result<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        failed => {
            for error in &errors {
                Output::report(error);
            }
            let last = Error::failure(format!("{failed} of {targets} targets failed"));
            let same = errors.iter().all(|error| error.exit() == errors[0].exit());
            Err(if same { last.exiting(errors[0].exit()) } else { last })
        }
    }
}
