//! `pgcred refresh`: issue tokens and file them in the passfile, once or for as long as it runs.

pub(super) mod background;
mod watch;

use std::collections::BTreeSet;

use crate::authority::LoginPolicy;
use crate::cache::Index;
use crate::command::app::{App, warn_if_cut_short};
use crate::command::due_file::Refreshed;
use crate::command::errors::all_errors;
use crate::command::line_owners::{settle, settle_one};
use crate::command::passfile::PassfileArg;
use crate::command::preferences::Preferences;
use crate::command::run::{InForeignHome, Run};
use crate::error::{Error, Result};
use crate::issue::{Issued, Wish};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::{ConnectionOptions, Resolver};
use crate::setup::Os;
use crate::sys::env;
use crate::sys::fs;
use crate::sys::terminal::{self, Stdin};
use crate::time::{Time, spoken};
use watch::{Look, Watch};

#[derive(clap::Args)]
pub(crate) struct Refresh {
    /// Connections, hosts, DSQL cluster IDs, postgres:// URIs or conninfo strings [default: every
    /// connection that is due]
    targets: Vec<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    passfile: PassfileArg,
    #[command(flatten)]
    watch: Watch,
    /// Issue new tokens for all of them, due or not; a pause after a failure ends too
    #[arg(long)]
    fresh: bool,
    /// For a scheduler: never ask for a login, and let `pgcred list` tell how it went
    #[arg(long)]
    background: bool,
}

/// What became of one target.
type Outcome = (Request, Result<Issued>);

impl Run for Refresh {
    type End = ();

    fn in_foreign_home(&self) -> InForeignHome {
        // A shell's hook, or a scheduler: said at every prompt, it would only be in the way.
        if self.background {
            InForeignHome::DoNothing
        } else {
            InForeignHome::Refuse
        }
    }

    /// What can be refreshed is; the error names what could not.
    fn run(self, app: &mut App, stdin: Option<Stdin>) -> Result<()> {
        if self.watch.stay {
            let output = app.preferences.output;
            return self
                .watch
                .run(stdin, output, || self.look(&mut app.again()?));
        }
        let may_tell = app.preferences.ask.login != LoginPolicy::Never;
        if self.background {
            app.be_quiet_about_log_ins();
            terminal::leave();
        }
        // Whatever PGHOST says where the shell or the scheduler runs: nobody has asked for that
        // host.
        let nothing = self.background
            && self.targets.is_empty()
            && app.preferences.config.connections.is_empty();
        let outcome = if nothing { Ok(()) } else { self.once(app) };
        if self.names_no_target() && self.passfile.is_usual() {
            app.tell_hooks(Refreshed::JustNow);
        }
        if self.background {
            background::remember(&outcome, may_tell, app.preferences.config_path.as_deref());
        }
        outcome
    }
}

impl Refresh {
    fn once(&self, app: &mut App) -> Result<()> {
        self.connection.address.check_targets(self.targets.len())?;
        fs::remove_left_sessions(); // passfiles of `exec`s that were killed
        let (mut requests, mut errors) = self.requests(&app.preferences, app.preferences.output)?;
        // What was not named as a TARGET is only replaced when it is due: a tool runs `refresh
        // --host` before each connect.
        if self.targets.is_empty() && !self.fresh {
            app.issuer.retain_due(&mut requests, &self.passfile.path()?);
        }
        let outcomes = self.issue(requests, app);
        // Written even if nothing could be issued: an expired token must not stay as the answer.
        let edited = self.passfile.edit(app.preferences.output, |passfile| {
            for (request, issued) in &outcomes {
                if let Ok(issued) = issued {
                    request
                        .keys()
                        .try_for_each(|key| passfile.set(key, &issued.token))?;
                }
            }
            Ok(())
        });
        let targets = outcomes.len() + errors.len();
        let (good, failed): (Vec<_>, Vec<_>) =
            outcomes.into_iter().partition(|(_, issued)| issued.is_ok());
        for (request, issued) in failed {
            let about = |error: Error| match &request.connection {
                Some(connection) => error.about(connection),
                None if targets > 1 => error.about(&request.name()),
                None => error,
            };
            errors.extend(issued.err().map(about));
        }
        let (path, ()) = edited.inspect_err(|_| {
            for error in &errors {
                app.preferences.output.report(error);
            }
        })?;
        let good: Vec<(Request, Issued)> = good
            .into_iter()
            .filter_map(|(request, issued)| Some((request, issued.ok()?)))
            .collect();
        app.issuer.filed(&path, &good);
        app.say_warnings();
        self.passfile.warn_about_place(&app.preferences);
        for (request, issued) in &good {
            warn_if_cut_short(request, issued, app.preferences.output);
            let (until, left) = (
                issued.token.expires_at,
                spoken(Time::now().until(issued.token.expires_at)),
            );
            let (path, names) = (path.display(), filed_as(request));
            app.preferences.output.note(&format!(
                "{path}: {names} until {} ({left})",
                until.rfc3339()
            ));
        }
        if !self.background && !self.watch.once {
            say_how_to_keep_fresh(&good, &app.preferences);
        }
        if targets == 0 && !self.background && !self.watch.once {
            app.preferences
                .output
                .note("nothing is due; `pgcred refresh NAME` replaces a token before its time");
        }
        all_errors(errors, app.preferences.output, |failed| {
            format!("{failed} of {targets} targets failed")
        })
    }

    fn names_no_target(&self) -> bool {
        self.targets.is_empty() && self.connection.address.host.is_none()
    }

    fn takes_every_connection(&self, preferences: &Preferences) -> bool {
        self.names_no_target() && !preferences.config.connections.is_empty()
    }

    /// The targets, or with none of them every connection, or else what PGHOST says; and what could
    /// not be resolved.
    fn requests(
        &self,
        preferences: &Preferences,
        output: Output,
    ) -> Result<(Vec<Request>, Vec<Error>)> {
        let resolver = Resolver {
            output,
            ..preferences.resolver()
        };
        let checked = |target: Option<&str>, request: Result<Request>| -> Result<Request> {
            let request = request?;
            request.keys().try_for_each(|key| key.check())?;
            self.warn_about_key(target, &request, output);
            Ok(request)
        };
        let one =
            |target: Option<&str>| checked(target, resolver.request(&self.connection, target));
        let configured = |name: &str| {
            let request = checked(
                Some(name),
                resolver.configured(&self.connection, Some(name)),
            );
            request.map_err(|error| error.about(name))
        };
        let all: Vec<Result<Request>> = if self.takes_every_connection(preferences) {
            preferences
                .config
                .connections
                .iter()
                .map(|connection| configured(&connection.name))
                .collect()
        } else if self.targets.is_empty() {
            if self.names_no_target() && env::var_os("PGHOST").is_none() {
                return Err(Error::usage("there is nothing to refresh: no connection is configured")
                    .hint("`pgcred add NAME HOST --profile PROFILE` first, or name a host: `pgcred refresh HOST`"));
            }
            vec![Ok(one(None)?)]
        } else {
            self.targets
                .iter()
                .map(|target| one(Some(target)))
                .collect()
        };
        let (mut requests, mut errors) = (Vec::new(), Vec::new());
        for request in all {
            match request {
                Ok(request) => requests.push(request),
                Err(error) => errors.push(error),
            }
        }
        Ok((
            self.only_own(requests, &mut errors, preferences, output),
            errors,
        ))
    }

    /// Leaves out the lines that are another connection's, and says so. Of a target that was named,
    /// something has to stay.
    fn only_own(
        &self,
        requests: Vec<Request>,
        errors: &mut Vec<Error>,
        preferences: &Preferences,
        output: Output,
    ) -> Vec<Request> {
        let mut own = Vec::new();
        let mut clashes = Vec::new();
        if self.takes_every_connection(preferences) {
            let named = requests
                .into_iter()
                .map(|request| (request.connection.clone().unwrap_or_default(), request));
            let mut named: Vec<(String, Request)> = named.collect();
            clashes = settle(&mut named);
            own.extend(
                named
                    .into_iter()
                    .map(|(_, request)| request)
                    .filter(|request| request.keys().next().is_some()),
            );
        } else {
            for request in requests {
                let Some(name) = request.connection.clone() else {
                    own.push(request);
                    continue;
                };
                let (request, found) = settle_one(&name, request, preferences);
                let has_line = request.keys().next().is_some();
                match found.first() {
                    Some(clash) if !has_line => errors.push(clash.refusal()),
                    _ => {
                        own.push(request);
                        clashes.extend(found);
                    }
                }
            }
        }
        for clash in clashes {
            output.warn(&clash.to_string());
        }
        own
    }

    /// For `--watch`: when the first token is due. Whatever there is to say says the refresh.
    fn look(&self, app: &mut App) -> Result<Look> {
        let (requests, mut errors) = self.requests(&app.preferences, Output::SILENT)?;
        if requests.is_empty() && !errors.is_empty() {
            return Err(errors.remove(0));
        }
        Ok(Look::at(&requests, &self.passfile.path()?, &mut app.issuer))
    }

    /// In the order of identities, so that two refreshers never wait for each other's locks.
    fn issue(&self, mut requests: Vec<Request>, app: &mut App) -> Vec<Outcome> {
        let mut identity_of = |request: &Request| {
            app.issuer
                .identity(request.profile.as_deref())
                .name()
                .to_owned()
        };
        requests.sort_by_cached_key(&mut identity_of);
        let identities: BTreeSet<String> = requests.iter().map(identity_of).collect();
        app.issuer.share_time(identities.len());
        let fresh = self.fresh || !self.targets.is_empty();
        let preferences = &app.preferences;
        let all = self.targets.is_empty();
        let mut outcomes = Vec::new();
        for request in requests {
            // What has no line of its own stays in the cache, where `token` and `exec` find it.
            let wish = Wish {
                filed_elsewhere: request.owns_its_line(),
                fresh,
                ..Wish::default()
            };
            let others = |index: &Index| {
                (!all)
                    .then(|| preferences.connections_by_use(index))
                    .into_iter()
                    .flatten()
            };
            let issued = app.issuer.issue(&request, wish, others);
            outcomes.push((request, issued));
        }
        outcomes
    }

    /// Clients compare host and user as text; says where that will surprise.
    fn warn_about_key(&self, target: Option<&str>, request: &Request, output: Output) {
        let name = request.name();
        if request.user.contains([':', '\\']) {
            output.warn(&format!(
                r"{name}: asyncpg and pgpasslib never match a user with `:` or `\`"
            ));
        }
        let typed = self.connection.typed_host(target);
        if typed.is_some_and(|typed| {
            !typed.contains(&request.host) && typed.to_ascii_lowercase().contains(&request.host)
        }) {
            output.warn(&format!(
                "{name}: filed in lower case; clients that dial it in upper case do not find it"
            ));
        }
    }
}

/// Says, in one line, what renews the tokens of targets that are no connections: nothing does.
fn say_how_to_keep_fresh(tokens: &[(Request, Issued)], preferences: &Preferences) {
    let known: BTreeSet<_> = preferences
        .connections()
        .iter()
        .map(Request::name)
        .collect();
    let Some((request, _)) = tokens
        .iter()
        .find(|(request, _)| !known.contains(&request.name()))
    else {
        return;
    };
    let profile = request
        .profile
        .as_ref()
        .map(|profile| format!(" --profile {profile}"))
        .unwrap_or_default();
    let user = if request.provider.user == Some(&*request.user) {
        String::new()
    } else {
        format!(" --user {}", request.user)
    };
    let add = format!("pgcred add NAME {}{user}{profile}", request.host);
    preferences.output.note(&format!(
        "nothing renews this token yet: `{add}`, then `pgcred setup {}`",
        Os::here().scheduler()
    ));
}

/// `user@host:port`, and the aliases behind it.
fn filed_as(request: &Request) -> String {
    let mut keys = request.keys();
    let first = keys.next().map(|key| key.to_string()).unwrap_or_default();
    let aliases: Vec<_> = keys
        .map(|key| format!("{}:{}", key.host, key.port))
        .collect();
    if aliases.is_empty() {
        first
    } else {
        format!("{first}, also as {},", aliases.join(", "))
    }
}
