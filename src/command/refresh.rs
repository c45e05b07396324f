//! `pgcred refresh`: issue tokens and file them in the passfile, once or for as long as it runs.

use std::collections::BTreeSet;

use super::passfile::PassfileArg;
use super::place::Place;
use super::watch::Watch;
use super::{Context, Run, background, due, warn_if_cut_short};
use crate::config::LoginPolicy;
use crate::error::{Error, Result};
use crate::issue::{Issued, Wish};
use crate::output::Output;
use crate::request::Request;
use crate::terminal::{self, Stdin};
use crate::time::{Time, spoken};

#[derive(clap::Args)]
pub(super) struct Refresh {
    /// Connections, hosts, DSQL cluster IDs, postgres:// URIs or conninfo strings [default: every connection that is due]
    targets: Vec<String>,
    #[command(flatten)]
    place: Place,
    #[command(flatten)]
    passfile: PassfileArg,
    #[command(flatten)]
    watch: Watch,
    /// For a scheduler: never ask for a log-in, and let `pgcred list` tell how it went
    #[arg(long)]
    background: bool,
}

/// What became of one target.
type Outcome = (Request, Result<Issued>);

impl Run for Refresh {
    type End = ();

    /// What can be refreshed is; the error names what could not.
    fn run(self, context: &mut Context, stdin: Option<Stdin>) -> Result<()> {
        if self.watch.watch {
            return self.watch.run(stdin, context.world.output, || {
                let mut context = context.again()?;
                let mut requests = self.requests(&mut context, &mut Vec::new())?;
                context.issuer.retain_due(&mut requests, &self.passfile.path()?); // a target that was named may be fresh
                Ok(!requests.is_empty())
            });
        }
        let may_tell = context.world.how.login != LoginPolicy::Never;
        if self.background {
            context.be_quiet_about_log_ins();
            terminal::leave();
        }
        // Whatever PGHOST says where the shell or the scheduler runs: nobody has asked for that host.
        let nothing = self.background && self.targets.is_empty() && context.world.config.connections.is_empty();
        let outcome = if nothing { Ok(()) } else { self.once(context) };
        if self.targets.is_empty() && self.place.dial.host.is_none() {
            due::tell(context, due::Refreshed::JustNow);
        }
        if self.background {
            background::remember(&outcome, may_tell);
        }
        outcome
    }
}

impl Refresh {
    fn once(&self, context: &mut Context) -> Result<()> {
        self.place.dial.check_targets(self.targets.len())?;
        let mut errors = Vec::new();
        let requests = self.requests(context, &mut errors)?;
        let outcomes = self.issue(requests, context);
        // Written even if nothing could be issued: an expired token must not stay as the answer.
        let edited = self.passfile.edit(context.world.output, |passfile| {
            for (request, issued) in &outcomes {
                if let Ok(issued) = issued {
                    request.keys().try_for_each(|key| passfile.set(key, &issued.token))?;
                }
            }
            Ok(())
        });
        let targets = outcomes.len() + errors.len();
        let (good, failed): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(|(_, issued)| issued.is_ok());
        for (request, issued) in failed {
            let about = |error: Error| if targets > 1 { error.about(&request.name()) } else { error };
            errors.extend(issued.err().map(about));
        }
        let (path, ()) = edited.inspect_err(|_| errors.iter().for_each(|error| context.world.output.report(error)))?;
        let good: Vec<(Request, Issued)> =
            good.into_iter().filter_map(|(request, issued)| Some((request, issued.ok()?))).collect();
        context.issuer.filed(&path, &good);
        context.say_warnings();
        self.passfile.warn_about_place(context.world.output);
        for (request, issued) in &good {
            warn_if_cut_short(request, issued, context.world.output);
            let (until, left) = (issued.token.expires_at, spoken(Time::now().until(issued.token.expires_at)));
            let (path, name) = (path.display(), request.name());
            context.world.output.note(&format!("{path}: {name} until {} ({left})", until.rfc3339()));
        }
        summary(errors, targets, context.world.output)
    }

    /// The targets, or with none of them what PGHOST says, or else every connection that is due.
    fn requests(&self, context: &mut Context, errors: &mut Vec<Error>) -> Result<Vec<Request>> {
        let (world, output) = (&context.world, context.world.output);
        let one = |target: Option<&str>| -> Result<Request> {
            let request = self.place.request(target, world, output)?;
            request.keys().try_for_each(|key| key.check())?;
            self.warn_about_key(target, &request, output);
            Ok(request)
        };
        let mut requests = Vec::new();
        if self.targets.is_empty() && self.place.dial.host.is_none() && !world.config.connections.is_empty() {
            for connection in &world.config.connections {
                match one(Some(&connection.name)) {
                    Ok(request) => requests.push(request),
                    Err(error) => errors.push(error.about(&connection.name)),
                }
            }
            let path = self.passfile.path()?;
            context.issuer.retain_due(&mut requests, &path);
        } else if self.targets.is_empty() {
            requests.push(one(None)?);
        }
        for target in &self.targets {
            match one(Some(target)) {
                Ok(request) => requests.push(request),
                Err(error) => errors.push(error),
            }
        }
        Ok(requests)
    }

    /// In the order of identities, so that two refreshers never wait for each other's locks.
    fn issue(&self, mut requests: Vec<Request>, context: &mut Context) -> Vec<Outcome> {
        requests.sort_by_cached_key(|request| context.issuer.identity(request.profile.as_deref()));
        let identities: BTreeSet<_> =
            requests.iter().map(|request| context.issuer.identity(request.profile.as_deref())).collect();
        context.issuer.share_time(identities.len());
        let wish = Wish { filed_elsewhere: true, fresh: !self.targets.is_empty(), ..Wish::default() };
        let world = &context.world;
        let all = self.targets.is_empty();
        let mut outcomes = Vec::new();
        for request in requests {
            let others = || if all { Vec::new() } else { world.connections() };
            let issued = context.issuer.issue(&request, wish, others);
            outcomes.push((request, issued));
        }
        outcomes
    }

    /// Clients compare host and user as text; says where that will surprise.
    fn warn_about_key(&self, target: Option<&str>, request: &Request, output: Output) {
        let name = request.name();
        if request.user.contains([':', '\\']) {
            output.warn(&format!(r"{name}: asyncpg and pgpasslib never match a user with `:` or `\`"));
        }
        let typed = self.place.typed_host(target);
        if typed
            .is_some_and(|typed| !typed.contains(&request.host) && typed.to_ascii_lowercase().contains(&request.host))
        {
            output.warn(&format!("{name}: filed in lower case; clients that dial it in upper case do not find it"));
        }
    }
}

/// One error is returned as it is; several are reported, each once, and the last word says how many.
pub(super) fn summary(mut errors: Vec<Error>, targets: usize, output: Output) -> Result<()> {
    match errors.len() {
        0 => Ok(()),
        1 => Err(errors.remove(0)),
        failed => {
            for error in &errors {
                output.report(error);
            }
            let last = Error::failure(format!("{failed} of {targets} targets failed"));
            let same = errors.iter().all(|error| error.exit() == errors[0].exit());
            Err(if same { last.exiting(errors[0].exit()) } else { last })
        }
    }
}
