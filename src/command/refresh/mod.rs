//! Issues tokens and writes them to the passfile, once or for as long as it runs, for `pgcred
//! refresh`.
//!
//! ```text
//! refresh            once: resolve, keep what is due, issue, write the passfile
//! refresh --watch    watch: starts `refresh --watched` whenever a token is due
//! refresh --background    once, and never asks for a login; background: remembers the result for
//!                         `pgcred list`
//! ```
//!
//! The order of one refresh is: resolve the requests, keep those that are due, issue their tokens,
//! write the passfile, and record in the index which tokens it has. Requests are issued in the
//! order of their identities, so that two processes that refresh never wait for each other's locks.
//! The locks of the identities are held to the end; the passfile is written under its own lock, and
//! after it the index is changed under its own. `report` is what is said of the tokens then, and
//! `users` writes into the files of tools which user a token is for, where that changes.

pub(super) mod background;
mod report;
mod users;
mod watch;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crate::authority::LoginPolicy;
use crate::cache::CacheIndex;
use crate::command::app::{App, check_user_for_passfile, warn_if_cut_short};
use crate::command::due_file::RefreshState;
use crate::command::errors::all_errors;
use crate::command::line_owners::{LineConflict, assign_line_owners, assign_line_owners_of};
use crate::command::needs::{CommandNeeds, ForeignHomePolicy};
use crate::command::passfile_option::PassfileOption;
use crate::command::preferences::Preferences;
use crate::command::run::RunCommand;
use crate::error::{Error, Result};
use crate::issue::{IssueOptions, IssuedToken};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::{ConnectionOptions, TargetResolver};
use crate::sys::env;
use crate::sys::fs;
use crate::sys::terminal::{self, InheritedStdin};
use crate::time::{Time, spoken_duration};
use report::{passfile_lines_text, say_how_to_keep_fresh};
use watch::{NextRefresh, WatchOptions};

#[derive(clap::Args, Default)]
pub(crate) struct RefreshCommand {
    /// Connections, hosts, DSQL cluster IDs, postgres:// URIs or conninfo strings [default: every
    /// connection that is due]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    passfile: PassfileOption,
    #[command(flatten)]
    watch: WatchOptions,
    /// Issue new tokens for all targets, due or not, and end every pause after a failure
    #[arg(long)]
    fresh: bool,
    /// For a scheduler: never ask for a login, and let `pgcred list` show the result
    #[arg(long)]
    background: bool,
}

/// The requests of a run, and the errors of the targets that cannot be resolved.
#[derive(Default)]
struct RefreshRequests {
    requests: Vec<Request>,
    errors: Vec<Error>,
}

impl RunCommand for RefreshCommand {
    type Outcome = ();

    fn needs(&self) -> CommandNeeds {
        let mut needs = Self::NEEDS;
        if self.background {
            // A shell's hook or a scheduler would only repeat the refusal, at every prompt.
            needs.foreign_home = ForeignHomePolicy::DoNothing;
        }
        needs
    }

    /// Refreshes everything that can be refreshed; the error names the rest.
    fn run(self, app: &mut App, stdin: Option<InheritedStdin>) -> Result<()> {
        if self.watch.watch {
            let output = app.preferences.output;
            return self
                .watch
                .run(stdin, output, || self.next_refresh(&mut app.reload()?));
        }
        let may_notify = app.preferences.ask_policy.login != LoginPolicy::Never;
        if self.background {
            app.never_ask_for_login();
            terminal::detach();
        }
        // A scheduler may have the PGHOST of a shell, but the user did not ask for that host.
        let has_nothing_to_do = self.background
            && self.targets.is_empty()
            && app.preferences.config.connections.is_empty();
        let outcome = if has_nothing_to_do {
            Ok(())
        } else {
            self.refresh_once(app)
        };
        if self.names_no_target() && self.passfile.is_usual() {
            app.update_due_file(RefreshState::JustNow);
        }
        if self.background {
            let config = app.preferences.config_path.as_deref();
            background::remember_outcome(&outcome, may_notify, config);
        }
        outcome
    }
}

/// Writes tokens of these connections to the passfile; without any, of every connection that is
/// due.
pub(super) fn refresh_connections(names: Vec<String>, app: &mut App) -> Result<()> {
    let refresh = RefreshCommand {
        targets: names,
        ..RefreshCommand::default()
    };
    refresh.run(app, None)
}

/// Writes tokens that were issued before to the passfile.
pub(super) fn write_issued(issued: &[(Request, IssuedToken)], app: &mut App) -> Result<()> {
    let refresh = RefreshCommand::default();
    let path = refresh.write(issued, &[], app)?;
    refresh.say_what_was_written(&path, issued, issued.len(), app);
    Ok(())
}

impl RefreshCommand {
    fn refresh_once(&self, app: &mut App) -> Result<()> {
        self.connection.address.check_targets(self.targets.len())?;
        fs::remove_abandoned_directories(); // passfiles of `pgcred exec` processes that were killed
        let RefreshRequests {
            mut requests,
            mut errors,
        } = self.requests(&app.preferences, app.preferences.output)?;
        // A target that `--host` names is replaced only when it is due: a tool runs `refresh
        // --host` before each connect.
        if self.targets.is_empty() && !self.fresh {
            app.issuer.retain_due(&mut requests, &self.passfile.path()?);
        }
        let targets = requests.len() + errors.len();
        let mut issued = Vec::new();
        for (request, result) in self.issue(requests, app) {
            match result {
                Ok(token) => issued.push((request, token)),
                Err(error) => errors.push(name_target(error, &request, targets)),
            }
        }
        let path = self.write(&issued, &errors, app)?;
        self.say_what_was_written(&path, &issued, targets, app);
        if self.passfile.is_usual() {
            users::update_users_of_tools(&issued, app);
        }
        all_errors(errors, app.preferences.output, |count| {
            format!("{count} of {targets} targets failed")
        })
    }

    /// Writes the tokens to the passfile, even if there are none: an expired token must not stay
    /// there as the answer.
    fn write(
        &self,
        issued: &[(Request, IssuedToken)],
        errors: &[Error],
        app: &mut App,
    ) -> Result<PathBuf> {
        let output = app.preferences.output;
        let edited = self.passfile.edit(output, |passfile| {
            for (request, issued) in issued {
                for line in request.passfile_lines() {
                    passfile.set(line, &issued.token)?;
                }
            }
            Ok(())
        });
        match edited {
            Ok((path, ())) => {
                app.issuer.record_in_passfile(&path, issued);
                Ok(path)
            }
            Err(error) => {
                for earlier in errors {
                    output.report(earlier);
                }
                Err(error)
            }
        }
    }

    fn say_what_was_written(
        &self,
        path: &Path,
        issued: &[(Request, IssuedToken)],
        target_count: usize,
        app: &mut App,
    ) {
        app.print_warnings();
        self.passfile.warn_about_other_files(&app.preferences);
        let output = app.preferences.output;
        for (request, issued) in issued {
            warn_if_cut_short(request, issued, output);
            let expires_at = issued.token.expires_at;
            let time_left = spoken_duration(Time::now().until(expires_at));
            let (path, names) = (path.display(), passfile_lines_text(request));
            let expires_at = expires_at.rfc3339();
            output.note(&format!("{path}: {names} until {expires_at} ({time_left})"));
        }
        if self.background || self.watch.watched {
            return;
        }
        say_how_to_keep_fresh(issued, &app.preferences);
        if target_count == 0 {
            output.note("nothing is due; `pgcred refresh NAME` replaces a token before its time");
        }
    }

    fn names_no_target(&self) -> bool {
        self.targets.is_empty() && self.connection.address.host.is_none()
    }

    fn takes_every_connection(&self, preferences: &Preferences) -> bool {
        self.names_no_target() && !preferences.config.connections.is_empty()
    }

    /// Resolves the targets; without any, every connection; without any of these, the host of
    /// PGHOST.
    fn requests(&self, preferences: &Preferences, output: Output) -> Result<RefreshRequests> {
        let resolver = TargetResolver {
            output,
            ..preferences.resolver()
        };
        let mut all = RefreshRequests::default();
        if self.takes_every_connection(preferences) {
            for connection in &preferences.config.connections {
                let name = Some(connection.name.as_str());
                let request = resolver.resolve_without_variables(&self.connection, name);
                if matches!(&request, Ok(request) if issues_on_request_only(request)) {
                    continue; // nobody has named it
                }
                match self.check_request(name, request, output) {
                    Ok(request) => all.requests.push(request),
                    Err(error) => all.errors.push(error.about(&connection.name)),
                }
            }
        } else if self.targets.is_empty() {
            if self.names_no_target() && env::var_os("PGHOST").is_none() {
                return Err(nothing_to_refresh());
            }
            let request = resolver.resolve(&self.connection, None);
            all.requests
                .push(self.check_request(None, request, output)?);
        } else {
            for target in &self.targets {
                let target = Some(target.as_str());
                let request = resolver.resolve(&self.connection, target);
                match self.check_request(target, request, output) {
                    Ok(request) => all.requests.push(request),
                    Err(error) => all.errors.push(error),
                }
            }
        }
        let conflicts = self.drop_requests_without_lines(&mut all, preferences);
        for conflict in conflicts {
            output.warn(&conflict.to_string());
        }
        Ok(all)
    }

    /// Checks that the passfile can hold lines for a request.
    fn check_request(
        &self,
        target: Option<&str>,
        request: Result<Request>,
        output: Output,
    ) -> Result<Request> {
        let request = request?;
        let is_unattended = self.background || self.watch.watch || self.watch.watched;
        if is_unattended && issues_on_request_only(&request) {
            return Err(not_unattended(&request));
        }
        for line in request.passfile_lines() {
            if !(line.user.is_empty() && request.provider.names_user) {
                line.check()?;
            }
        }
        self.warn_about_key(target, &request, output);
        Ok(request)
    }

    /// Leaves out the lines of the passfile that belong to another connection, and returns them. A
    /// target that was named and has no line left is an error.
    fn drop_requests_without_lines(
        &self,
        all: &mut RefreshRequests,
        preferences: &Preferences,
    ) -> Vec<LineConflict> {
        let requests = std::mem::take(&mut all.requests);
        let mut conflicts = Vec::new();
        if self.takes_every_connection(preferences) {
            let mut named_requests = Vec::new();
            for request in requests {
                let name = request.connection.clone().unwrap_or_default();
                named_requests.push((name, request));
            }
            conflicts = assign_line_owners(&mut named_requests);
            for (_, request) in named_requests {
                if request.passfile_lines().next().is_some() {
                    all.requests.push(request);
                }
            }
            return conflicts;
        }
        for request in requests {
            let Some(name) = request.connection.clone() else {
                all.requests.push(request);
                continue;
            };
            let (request, own_conflicts) = assign_line_owners_of(&name, request, preferences);
            let has_line = request.passfile_lines().next().is_some();
            match own_conflicts.first() {
                Some(conflict) if !has_line => all.errors.push(conflict.refusal()),
                _ => {
                    all.requests.push(request);
                    conflicts.extend(own_conflicts);
                }
            }
        }
        conflicts
    }

    /// Returns when the first token is due, for `--watch`. The refresh itself says the warnings.
    fn next_refresh(&self, app: &mut App) -> Result<NextRefresh> {
        let RefreshRequests {
            requests,
            mut errors,
        } = self.requests(&app.preferences, Output::SILENT)?;
        if requests.is_empty() && !errors.is_empty() {
            return Err(errors.remove(0));
        }
        Ok(NextRefresh::find(
            &requests,
            &self.passfile.path()?,
            &mut app.issuer,
        ))
    }

    /// Issues in the order of identities, so that two processes that refresh never wait for each
    /// other's locks.
    fn issue(
        &self,
        mut requests: Vec<Request>,
        app: &mut App,
    ) -> Vec<(Request, Result<IssuedToken>)> {
        let mut identity_of = |request: &Request| app.issuer.identity(request).digest().to_owned();
        requests.sort_by_cached_key(&mut identity_of);
        let identities: BTreeSet<String> = requests.iter().map(identity_of).collect();
        app.issuer.share_time(identities.len());
        let preferences = &app.preferences;
        let names_targets = !self.targets.is_empty();
        let others = |index: &CacheIndex| {
            let others = names_targets.then(|| preferences.connections_by_use(index));
            others.into_iter().flatten()
        };
        let mut outcomes = Vec::new();
        for mut request in requests {
            // A token without a line of its own stays in the cache, where `token` and `exec` find
            // it.
            let options = IssueOptions {
                for_passfile: request.owns_its_line(),
                fresh: self.fresh || names_targets,
                ..IssueOptions::default()
            };
            let mut issued = app.issuer.issue(&request, options, others);
            if let Ok(token) = &issued {
                request.fill_user(token.token.user.as_deref());
                if let Err(error) = check_user_for_passfile(&request, token) {
                    issued = Err(error);
                }
            }
            outcomes.push((request, issued));
        }
        outcomes
    }

    /// Warns where clients, which compare host and user as text, will not find the line.
    fn warn_about_key(&self, target: Option<&str>, request: &Request, output: Output) {
        let name = request.name();
        if request.user.contains([':', '\\']) {
            output.warn(&format!(
                r"{name}: asyncpg and pgpasslib never match a user with `:` or `\`"
            ));
        }
        let typed_host = self.connection.typed_host(target).unwrap_or_default();
        let is_in_upper_case = !typed_host.contains(&request.host)
            && typed_host.to_ascii_lowercase().contains(&request.host);
        if is_in_upper_case {
            output.warn(&format!(
                "{name}: the passfile has the host in lower case; clients that connect to it in \
                 upper case do not find the token"
            ));
        }
    }
}

fn issues_on_request_only(request: &Request) -> bool {
    request.provider.authority.issues_on_request_only()
}

fn not_unattended(request: &Request) -> Error {
    let (name, command) = (request.name(), request.provider.name);
    Error::usage(format!(
        "{name} is not refreshed in the background: command.{command} creates a user of the \
         database with every run"
    ))
    .hint("run `pgcred refresh NAME`, `pgcred exec NAME` or `pgcred token NAME`")
}

fn nothing_to_refresh() -> Error {
    Error::no_target("there is nothing to refresh: no connection is configured")
        .hint("run `pgcred add NAME HOST --profile PROFILE`, or name a host: `pgcred refresh HOST`")
}

/// Puts the target in front of an error, unless it is the only one.
fn name_target(error: Error, request: &Request, target_count: usize) -> Error {
    match &request.connection {
        Some(connection) => error.about(connection),
        None if target_count > 1 => error.about(&request.name()),
        None => error,
    }
}
