//! Does what comes after the changes: gets tokens, proves them with a login, and says what to open
//! next.
//!
//! One database is logged in to, which proves the whole way, and may take 20 s. What fails does not
//! undo a change: it is an error with the command that shows more.

use std::time::Duration;

use super::changes::SetupChanges;
use super::surroundings::SetupWishes;
use crate::command::app::App;
use crate::command::doctor_verdict::{self, DoctorVerdict};
use crate::command::preferences::Preferences;
use crate::command::refresh;
use crate::command::setup::targets::{self, TargetChoice};
use crate::command::setup::users::TokenUsers;
use crate::command::setup::{print_dialog, provide_roots};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::resolve::ConnectionOptions;
use crate::setup::{Machine, SetupMethod, Tool};
use crate::text::quote::typed;

/// The longest that the login may take.
const MAX_SERVER_LOGIN_TIME: Duration = Duration::from_secs(20);

/// Writes tokens and logs in to one database. Returns what has failed. `users` have the tokens that
/// were issued for the tools.
pub(super) fn try_one_login(wishes: &SetupWishes, users: &TokenUsers, app: &App) -> Vec<Error> {
    let mut names = Vec::new();
    for connection in &wishes.connections {
        names.push(connection.name.clone());
    }
    let mut errors = Vec::new();
    let mut reloaded_app = match app.reload() {
        Ok(reloaded_app) => reloaded_app,
        Err(error) => return vec![error],
    };
    errors.extend(users.write_tokens(&mut reloaded_app).err());
    if let Err(error) = refresh::refresh_connections(names.clone(), &mut reloaded_app) {
        errors.push(error);
    }
    if names.is_empty() {
        for (name, request) in reloaded_app.preferences.named_connections() {
            // The login of another one would create a user that nobody has asked for.
            let is_for_users = request.provider.authority.issues_on_request_only();
            if !is_for_users || users.has(&name) {
                names.push(name);
            }
        }
    }
    reloaded_app.release(); // the login is a process of its own, which issues its token
    if let Some(name) = names.first()
        && errors.is_empty()
        && let Err(error) = log_in(name, &reloaded_app)
    {
        errors.push(error);
    }
    errors
}

/// Logs in as a client would.
fn log_in(name: &str, app: &App) -> Result<()> {
    let output = app.preferences.output;
    let config = app.options.config.as_deref();
    let target = [name.to_owned()];
    match doctor_verdict::try_server_login(&target, config, MAX_SERVER_LOGIN_TIME) {
        DoctorVerdict::Accepted(detail) => {
            output.note(&detail);
            Ok(())
        }
        DoctorVerdict::Refused(cause) => Err(Error::failure(format!("{name}: no login: {cause}"))
            .hint(format!("run `pgcred doctor {}` to see more", typed(name)))),
        DoctorVerdict::Unknown => Err(Error::failure(format!("{name}: the login was not tried"))
            .hint(format!("run `pgcred doctor {}` to try it", typed(name)))),
    }
}

/// Prints what is left to the user: the dialogs of tools, the shell's line, and the first commands
/// to type.
pub(super) fn print_next_steps(
    wishes: &SetupWishes,
    changes: &SetupChanges,
    machine: &Machine,
) -> Result<()> {
    let output = changes.preferences.output;
    let mut printed_warnings = changes.warned.clone();
    for tool in &wishes.tools {
        if let SetupMethod::Dialog(template) = tool.method {
            print_tool(
                template,
                tool,
                &changes.preferences,
                machine,
                &mut printed_warnings,
            )?;
        }
    }
    if let Some(shell) = wishes.shell {
        output.note(&format!(
            "to the end of the start-up file of {}:",
            shell.name
        ));
        Output::lines([shell.line.to_owned()])?;
    }
    let mut first_connection = wishes.connections.first();
    if first_connection.is_none() {
        first_connection = changes.preferences.config.connections.first();
    }
    if let Some(connection) = first_connection {
        let name = typed(&connection.name);
        output.note(&format!(
            "next: `pgcred exec {name} -- psql`; `pgcred list` shows every connection, \
             `pgcred setup --undo` takes the tools back"
        ));
    }
    Ok(())
}

/// Prints what to enter in a tool's dialog. For many connections it is the command that prints it.
fn print_tool(
    template: &str,
    tool: &Tool,
    preferences: &Preferences,
    machine: &Machine,
    printed_warnings: &mut Vec<String>,
) -> Result<()> {
    const MAX_CONNECTIONS: usize = 2;
    let (title, name) = (tool.title, tool.name);
    let choice = TargetChoice {
        names: &[],
        options: &ConnectionOptions::default(),
        users: &[],
        uses_gateway: false,
        is_silent: true,
    };
    let mut targets = choice.targets(tool, preferences)?;
    if targets.targets.len() > MAX_CONNECTIONS {
        let line = format!("{title}: `pgcred setup {name} CONNECTION` prints what to enter");
        preferences.output.note(&line);
        return Ok(());
    }
    targets
        .warnings
        .extend(targets::adapt_targets(tool, &mut targets.targets));
    for warning in &targets.warnings {
        if !printed_warnings.contains(warning) {
            preferences.output.warn(warning);
            printed_warnings.push(warning.clone());
        }
    }
    if targets.targets.is_empty() {
        return Ok(());
    }
    provide_roots(&targets.targets, preferences)?;
    print_dialog(template, tool, machine, &targets.targets, preferences)
}
