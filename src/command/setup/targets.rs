//! The targets of `pgcred setup`: those that the user names, or every connection; complete enough
//! for a tool that knows nothing of the user's shell.

use super::Setup;
use crate::command::app::App;
use crate::command::line_owners::mark_taken_lines;
use crate::command::preferences::Preferences;
use crate::command::warnings;
use crate::error::{Error, Result};
use crate::provider;
use crate::request::Request;
use crate::roots;
use crate::setup::{Target, Tool, ToolKind};
use crate::sys::env;

/// Variables of a shell that decide what `pgcred refresh` does, besides those of the
/// authorities, and that a scheduler's commands do not have.
const SHELL_ONLY: [&str; 3] = ["PGPASSFILE", "PGCRED_HOME", "PGCRED_CACHE"];

impl Setup {
    /// Returns the targets, and the errors of connections that cannot be set up. An error of a
    /// target that the user has named ends the command.
    pub(super) fn targets(&self, tool: &Tool, app: &App) -> Result<(Vec<Target>, Vec<Error>)> {
        let preferences = &app.preferences;
        self.connection.address.check_targets(self.targets.len())?;
        let is_named = !self.targets.is_empty() || self.connection.address.host.is_some();
        if tool.kind == ToolKind::Scheduler {
            check_for_scheduler(tool, is_named, preferences)?;
        }
        let connections = &preferences.config.connections;
        if !is_named && connections.is_empty() {
            return Err(Error::usage("no connection to set up").hint(
                "name one: pgcred setup TOOL HOST --profile PROFILE, \
                 or `pgcred add NAME HOST --profile PROFILE` first",
            ));
        }
        let (mut targets, mut errors) = (Vec::new(), Vec::new());
        if is_named {
            for name in &self.targets {
                targets.push(self.target(Some(name), tool, preferences)?);
            }
            if self.targets.is_empty() {
                targets.push(self.target(None, tool, preferences)?);
            }
        } else {
            for connection in connections {
                match self.target(Some(&connection.name), tool, preferences) {
                    Ok(target) => targets.push(target),
                    Err(error) => errors.push(error.about(&connection.name)),
                }
            }
        }
        if tool.kind != ToolKind::Command {
            warn_about_shared_lines(&targets, preferences);
        }
        warn_about_key_in_variables(tool, &targets, preferences);
        check_names(&targets)?;
        Ok((targets, errors))
    }

    fn target(&self, name: Option<&str>, tool: &Tool, preferences: &Preferences) -> Result<Target> {
        let mut request = preferences
            .resolver()
            .resolve_to_store(&self.connection, name)?;
        request.check_address()?;
        if needs_all_settings(tool, &request) {
            leave_nothing_to_the_environment(&mut request, preferences)?;
        }
        let name = match &request.connection {
            Some(connection) => connection.clone(),
            None => short_name(&request.host),
        };
        let roots = roots::choose(&request)?;
        Ok(Target {
            name,
            request,
            roots,
        })
    }
}

/// Refuses targets for a scheduler, which refreshes every connection, and warns of variables that
/// the scheduler will not have.
fn check_for_scheduler(tool: &Tool, is_named: bool, preferences: &Preferences) -> Result<()> {
    let title = tool.title;
    if is_named {
        return Err(Error::usage(format!(
            "{title} refreshes every connection, and no other target"
        ))
        .hint("`pgcred add NAME HOST --profile PROFILE`, then the same without targets"));
    }
    let mut set = Vec::new();
    for authority in provider::authorities() {
        set.extend(authority.shell_settings().variables);
    }
    for name in SHELL_ONLY {
        if env::var_os(name).is_some() {
            set.push(name);
        }
    }
    if !set.is_empty() {
        let set = set.join(", ");
        preferences.output.warn(&format!(
            "{title} will not have these variables of this shell: {set}; a connection can name its \
             profile and region: pgcred add NAME HOST --profile PROFILE --replace"
        ));
    }
    Ok(())
}

/// Warns of targets whose line in the passfile another connection has.
fn warn_about_shared_lines(targets: &[Target], preferences: &Preferences) {
    for conflict in mark_taken_lines(&mut preferences.named_connections()) {
        if targets.iter().any(|target| target.name == conflict.later) {
            preferences.output.warn(&conflict.to_string());
        }
    }
}

fn check_names(targets: &[Target]) -> Result<()> {
    for (index, target) in targets.iter().enumerate() {
        if targets[..index]
            .iter()
            .any(|other| other.name == target.name)
        {
            let message = format!("two connections would be called {}", target.name);
            return Err(Error::usage(message)
                .hint("name them: pgcred add NAME HOST, then pgcred setup TOOL NAME..."));
        }
    }
    Ok(())
}

/// Warns of what may be wrong with the targets, and of what a tool without `hostaddr` needs in its
/// place.
pub(super) fn warn(tool: &Tool, targets: &mut [Target], preferences: &Preferences) {
    let requests: Vec<(&str, &Request)> = targets
        .iter()
        .map(|target| (target.name.as_str(), &target.request))
        .collect();
    warnings::print(&requests, preferences);
    if tool.takes_hostaddr {
        return;
    }
    for Target { request, .. } in targets {
        let Some(address) = request.keyword("hostaddr") else {
            continue;
        };
        let (title, host, port) = (tool.title, &request.host, request.port);
        preferences.output.warn(&format!(
            "{title} takes no hostaddr and dials {host}:{port} by its name: \
             the hosts file of this machine needs the line `{address} {host}`"
        ));
        request
            .keywords
            .retain(|(keyword, _)| keyword != "hostaddr");
    }
}

/// Tells whether a tool runs pgcred with these settings in a command, so that a connection of the
/// configuration does not say them.
fn needs_all_settings(tool: &Tool, request: &Request) -> bool {
    tool.kind == ToolKind::Command || request.connection.is_none()
}

/// Warns if a key in variables signs here, which programs of the desktop may not have.
fn warn_about_key_in_variables(tool: &Tool, targets: &[Target], preferences: &Preferences) {
    for Target { request, .. } in targets {
        if needs_all_settings(tool, request)
            && request.profile.is_none()
            && let Some(key) = request.provider.authority.shell_settings().key
        {
            preferences.output.warn(&format!(
                "{key} signs here, but programs started by the desktop, such as {}, may not have \
                 that variable: use --profile",
                tool.title
            ));
            return; // one such target is enough
        }
    }
}

/// Fills in what a program of the desktop does not find in its environment.
fn leave_nothing_to_the_environment(
    request: &mut Request,
    preferences: &Preferences,
) -> Result<()> {
    if request.profile.is_none() {
        request.profile = request.provider.authority.shell_settings().profile;
    }
    if request.region.is_none() {
        let (host, profile) = (&request.sign_host, request.profile.as_deref());
        request.region = request
            .provider
            .default_region(host, profile, &preferences.ask)?;
    }
    Ok(())
}

/// Returns the first label of a host, cut to a length that users can still tell apart.
fn short_name(host: &str) -> String {
    const LONGEST_NAME: usize = 26;
    let label = host.split('.').next().unwrap_or(host);
    label.chars().take(LONGEST_NAME).collect()
}
