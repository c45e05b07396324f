//! Finds the targets of `pgcred setup`: those that the user names, or every connection of the
//! configuration. Each is filled in so far that a tool can use it that knows nothing of the user's
//! shell.
//!
//! - A target that the user names and that cannot be set up is the error of the run. Among all
//!   connections, such a one is left out: it is an error beside the others, or a warning.
//! - What runs in the background works for all connections, so that it refuses targets by name.
//! - A tool that connects through the local gateway gets only the connections that the gateway
//!   offers.
//! - A connection whose user comes with each token is given to tools that follow its user, with the
//!   user of the last token, and to no other.
//!
//! A warning tells of variables of this shell that change what `pgcred refresh` does, since a
//! scheduler runs without them. Nothing is written here, and nobody is asked for a login.

use super::gateway;
use crate::command::line_owners::assign_line_owners;
use crate::command::preferences::Preferences;
use crate::command::warnings;
use crate::config::Connection;
use crate::error::{Error, Result};
use crate::provider;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::roots;
use crate::setup::{TokenUser, Tool, ToolKind, ToolTarget};
use crate::sys::env;

/// Variables of a shell that decide what `pgcred refresh` does, besides those of the
/// authorities, and that commands in the
/// background do not have.
const SHELL_ONLY: [&str; 3] = ["PGPASSFILE", "PGCRED_HOME", "PGCRED_CACHE"];

/// What the user has said about the targets. Without names and host they are every connection.
#[derive(Clone, Copy)]
pub(super) struct TargetChoice<'a> {
    pub(super) names: &'a [String],
    pub(super) options: &'a ConnectionOptions,
    /// The users that are known of connections whose user comes with each token.
    pub(super) users: &'a [TokenUser],
    /// Whether the warnings about the values of a target were shown already, for another tool.
    pub(super) is_silent: bool,
    /// Whether the tool connects through the local gateway.
    pub(super) uses_gateway: bool,
}

/// The targets of one tool.
pub(super) struct ToolTargets {
    pub(super) targets: Vec<ToolTarget>,
    /// Why other targets cannot be set up.
    pub(super) errors: Vec<Error>,
    /// What may be wrong with the targets.
    pub(super) warnings: Vec<String>,
}

impl TargetChoice<'_> {
    fn is_named(&self) -> bool {
        !self.names.is_empty() || self.options.address.host.is_some()
    }

    /// Returns the targets, and the errors of connections that cannot be set up. An error of a
    /// target that the user has named is the error of all.
    pub(super) fn targets(&self, tool: &Tool, preferences: &Preferences) -> Result<ToolTargets> {
        self.options.address.check_targets(self.names.len())?;
        let mut warnings = Vec::new();
        if let Some(work) = tool.kind.background_work() {
            self.refuse_names(tool, work)?;
            warnings.extend(warning_about_variables(tool, preferences));
        }
        let connections = &preferences.config.connections;
        if !self.is_named() && connections.is_empty() {
            return Err(Error::no_target("no connection to set up").hint(
                "name one with `pgcred setup TOOL HOST --profile PROFILE`, or run `pgcred add NAME \
                 HOST --profile PROFILE` before",
            ));
        }
        let (mut targets, mut errors) = (Vec::new(), Vec::new());
        if self.is_named() {
            for name in self.names {
                targets.push(self.target(Some(name), tool, preferences)?);
            }
            if self.names.is_empty() {
                targets.push(self.target(None, tool, preferences)?);
            }
        } else {
            let for_gateway = self.is_for_gateway(tool);
            let is_offered =
                |connection: &&Connection| !for_gateway || connection.gateway.is_some();
            for connection in connections.iter().filter(is_offered) {
                let name = &connection.name;
                if let Some(reason) = self.left_out_warning(name, tool, preferences) {
                    warnings.push(reason);
                    continue;
                }
                match self.target(Some(name), tool, preferences) {
                    Ok(target) => targets.push(target),
                    Err(error) => errors.push(error.about(name)),
                }
            }
        }
        if self.is_for_gateway(tool) {
            gateway::check_offers(&targets, &errors)?;
        } else {
            warnings.extend(warnings_about_passwords(tool, &targets, preferences));
        }
        check_names(&targets)?;
        Ok(ToolTargets {
            targets,
            errors,
            warnings,
        })
    }

    /// Tells whether only the connections count that the gateway offers.
    fn is_for_gateway(&self, tool: &Tool) -> bool {
        self.uses_gateway || tool.kind == ToolKind::Service
    }

    /// Refuses targets that are named for what works for all connections.
    fn refuse_names(&self, tool: &Tool, work: &str) -> Result<()> {
        if !self.is_named() {
            return Ok(());
        }
        let title = tool.title;
        Err(Error::usage(format!("{title} {work}, and no other target"))
            .hint("run `pgcred add NAME HOST --profile PROFILE`, then the same without targets"))
    }

    /// Returns the user of the last token, if the tool follows such users.
    fn known_user(&self, request: &Request, tool: &Tool) -> Option<&str> {
        let name = request.connection.as_deref()?;
        for user in self.users {
            if tool.follows_users && user.connection == name {
                return Some(&user.user);
            }
        }
        None
    }

    /// Returns why a tool does not get a connection that was not named, if its user comes with each
    /// token: the tool follows no users, or there is no token as yet.
    fn left_out_warning(
        &self,
        name: &str,
        tool: &Tool,
        preferences: &Preferences,
    ) -> Option<String> {
        let request = preferences.connection(name).ok()?;
        if !request.user.is_empty() || tool.kind.is_background() {
            return None;
        }
        if !tool.follows_users {
            return Some(only_for_psql_text(name));
        }
        match self.known_user(&request, tool) {
            Some(_) => None,
            None => Some(left_out_text(name)),
        }
    }

    fn target(
        &self,
        name: Option<&str>,
        tool: &Tool,
        preferences: &Preferences,
    ) -> Result<ToolTarget> {
        let resolver = if self.is_silent {
            preferences.silent_resolver()
        } else {
            preferences.resolver()
        };
        let mut request = resolver.resolve_to_store(self.options, name)?;
        request.check_address()?;
        if request.user.is_empty() && !tool.kind.is_background() {
            match self.known_user(&request, tool) {
                Some(user) => request.fill_user(Some(user)),
                None => return Err(no_lasting_user(&request, tool)),
            }
        }
        if needs_all_settings(tool, &request) && !self.uses_gateway {
            fill_from_environment(&mut request, preferences)?;
        }
        let name = match &request.connection {
            Some(connection) => connection.clone(),
            None => short_name(&request.host),
        };
        let roots = roots::choose_roots(&request)?;
        let target = ToolTarget {
            uses_gateway: false,
            gateway: preferences
                .config
                .connection(&name)
                .and_then(|connection| connection.gateway),
            name,
            request,
            roots,
        };
        if self.uses_gateway {
            return gateway::through_gateway(target);
        }
        Ok(target)
    }
}

/// Refuses a target whose user comes with each token: what is written for a tool names one user.
fn no_lasting_user(request: &Request, tool: &Tool) -> Error {
    let target = request.name();
    let Some(name) = &request.connection else {
        let host = &request.host;
        return Error::usage(format!(
            "cannot set up {} for {target}: each token has another user, and only a connection \
             keeps the last one",
            tool.title
        ))
        .hint(format!(
            "run `pgcred add NAME {host} --provider {}`, then `pgcred setup psql NAME`",
            request.provider.name
        ));
    };
    if tool.follows_users {
        return Error::usage(format!(
            "cannot set up {} for {target}: each token has another user, and there is no token",
            tool.title
        ))
        .hint(format!(
            "run `pgcred refresh {name}`, which asks for one, as `pgcred setup {} {name}` does \
             where it changes files",
            tool.name
        ));
    }
    Error::usage(format!(
        "cannot set up {} for {target}: each token has another user, and the tool keeps one",
        tool.title
    ))
    .hint(format!(
        "run `pgcred setup psql {name}` for programs with libpq's service file, or `pgcred exec \
         {name} -- PROGRAM`; if it is always the same user, name it with `pgcred add {name} \
         --replace --user USER`"
    ))
}

/// Returns the warning of a connection that a tool does not get, because it was not named.
fn left_out_text(name: &str) -> String {
    format!(
        "{name} is left out: its user comes with each token, and there is no token; `pgcred setup \
         psql {name}` or `pgcred refresh {name}` asks for one"
    )
}

/// Returns the warning of a connection that no tool but psql gets. It is the same for all of them,
/// so that many tools are one line.
fn only_for_psql_text(name: &str) -> String {
    format!(
        "{name} is for psql alone: its user comes with each token, and other tools keep one; \
         `pgcred exec {name} -- PROGRAM` starts such a tool with it"
    )
}

/// Returns a warning of the variables of this shell that pgcred will not have where a scheduler, or
/// what runs services, starts it.
fn warning_about_variables(tool: &Tool, preferences: &Preferences) -> Option<String> {
    // A provider that only a host tells has no variables before it is looked up.
    for connection in &preferences.config.connections {
        if let Some(host) = &connection.target.host {
            provider::find_by_host(host);
        }
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
    if set.is_empty() {
        return None;
    }
    let (title, set) = (tool.title, set.join(", "));
    Some(format!(
        "{title} will not have these variables of this shell: {set}; a connection can name its \
         profile and region: pgcred add NAME HOST --profile PROFILE --replace"
    ))
}

/// Returns what may keep a tool from its tokens.
fn warnings_about_passwords(
    tool: &Tool,
    targets: &[ToolTarget],
    preferences: &Preferences,
) -> Vec<String> {
    let mut warnings = Vec::new();
    if tool.kind != ToolKind::Command {
        warnings.extend(warnings_about_shared_lines(targets, preferences));
    }
    warnings.extend(warning_about_key_in_variables(tool, targets));
    warnings
}

/// Returns warnings of targets whose line in the passfile another connection has.
fn warnings_about_shared_lines(targets: &[ToolTarget], preferences: &Preferences) -> Vec<String> {
    let mut warnings = Vec::new();
    for conflict in assign_line_owners(&mut preferences.named_connections()) {
        if targets.iter().any(|target| target.name == conflict.later) {
            warnings.push(conflict.to_string());
        }
    }
    warnings
}

fn check_names(targets: &[ToolTarget]) -> Result<()> {
    for (index, target) in targets.iter().enumerate() {
        if targets[..index]
            .iter()
            .any(|earlier_target| earlier_target.name == target.name)
        {
            let message = format!("two connections would be called {}", target.name);
            return Err(Error::usage(message).hint(
                "name them with `pgcred add NAME HOST`, then run `pgcred setup TOOL NAME...`",
            ));
        }
    }
    Ok(())
}

/// Takes `hostaddr` out of the targets of a tool that cannot have it. Returns what may be wrong
/// with the targets, and what the tool needs in the place of `hostaddr`.
pub(super) fn adapt_targets(tool: &Tool, targets: &mut [ToolTarget]) -> Vec<String> {
    let requests: Vec<(&str, &Request)> = targets
        .iter()
        .map(|target| (target.name.as_str(), &target.request))
        .collect();
    let mut warnings = warnings::warnings_about_connections(&requests);
    if tool.takes_hostaddr {
        return warnings;
    }
    for ToolTarget { request, .. } in targets {
        let Some(address) = request.keyword("hostaddr") else {
            continue;
        };
        let (title, host, port) = (tool.title, &request.host, request.port);
        warnings.push(format!(
            "{title} takes no hostaddr and dials {host}:{port} by its name: \
             the hosts file of this machine needs the line `{address} {host}`"
        ));
        request
            .keywords
            .retain(|(keyword, _)| keyword != "hostaddr");
    }
    warnings
}

/// Tells whether a tool runs pgcred with these settings in a command, so that a connection of the
/// configuration does not say them.
fn needs_all_settings(tool: &Tool, request: &Request) -> bool {
    tool.kind == ToolKind::Command || request.connection.is_none()
}

/// Returns a warning if a key in variables signs here, which programs of the desktop may not have.
fn warning_about_key_in_variables(tool: &Tool, targets: &[ToolTarget]) -> Option<String> {
    for ToolTarget { request, .. } in targets {
        if needs_all_settings(tool, request)
            && request.profile.is_none()
            && let Some(key) = request.provider.authority.shell_settings().key
        {
            // One such target is enough.
            return Some(format!(
                "{key} signs here, but programs started by the desktop, such as {}, may not have \
                 that variable: use --profile",
                tool.title
            ));
        }
    }
    None
}

/// Fills in what a program of the desktop does not find in its environment.
fn fill_from_environment(request: &mut Request, preferences: &Preferences) -> Result<()> {
    if request.profile.is_none() {
        request.profile = request.provider.authority.shell_settings().profile;
    }
    if request.region.is_none() {
        let (host, profile) = (&request.sign_host, request.profile.as_deref());
        request.region = request
            .provider
            .default_region(host, profile, &preferences.ask_policy)?;
    }
    Ok(())
}

/// Returns the first label of a host, cut to a length that users can still tell apart.
pub(super) fn short_name(host: &str) -> String {
    const MAX_NAME_LENGTH: usize = 26;
    let label = host.split('.').next().unwrap_or(host);
    label.chars().take(MAX_NAME_LENGTH).collect()
}
