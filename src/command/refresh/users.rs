//! Lets the files of tools follow the user of a connection, where each token has a user of its own.
//!
//! The line of the passfile is written first, then the file of the tool: a tool that connects in
//! between has the old user, whose password may still be good. What goes wrong here is a warning,
//! because the token is where it belongs.

use crate::command::app::App;
use crate::command::edits::{carry_out, edits_that_change};
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::issue::IssuedToken;
use crate::output::Output;
use crate::request::Request;
use crate::setup::{
    FollowedUsers, Machine, SetupCommands, SetupDirection, TokenUser, Tool, ToolFiles,
};
use crate::text::quote;

/// So many connections are named in a hint.
const MAX_NAMED: usize = 5;

/// Puts the users of these tokens into the files of tools. Without a token that names its user,
/// nothing is read.
pub(super) fn update_users_of_tools(issued: &[(Request, IssuedToken)], app: &mut App) {
    let mut users = Vec::new();
    for (request, issued) in issued {
        if let Some(connection) = &request.connection
            && issued.token.user.is_some()
            && request.owns_its_line()
        {
            users.push(TokenUser {
                connection: connection.clone(),
                user: request.user.clone(),
            });
        }
    }
    if users.is_empty() {
        return;
    }
    users.extend(users_of_shared_lines(issued, app));
    let output = app.preferences.output;
    let machine = match Machine::current(app.options.config.as_deref()) {
        Ok(machine) => machine,
        Err(error) => return output.warn(&error.to_string()),
    };
    for tool in TOOLS {
        if let Some(files) = tool.files()
            && tool.follows_users
        {
            match change_users(files, &users, &machine, output) {
                Ok(refused) => {
                    for error in refused {
                        warn_about_outdated_file(&error, tool, None, output);
                    }
                }
                Err(error) => warn_about_outdated_file(&error, tool, Some(&users), output),
            }
        }
    }
}

/// Warns of a file that has not followed. What mends it is what the error says, and after that, if
/// all of the file has not followed, one setup for these users.
fn warn_about_outdated_file(error: &Error, tool: &Tool, all: Option<&[TokenUser]>, output: Output) {
    let mut steps = Vec::new();
    steps.extend(error.hint_text().map(str::to_owned));
    if let Some(users) = all {
        let mut command_line = vec![
            "pgcred".to_owned(),
            "setup".to_owned(),
            tool.name.to_owned(),
        ];
        if users.len() <= MAX_NAMED {
            let mut names: Vec<String> = users
                .iter()
                .map(|user| quote::typed(&user.connection))
                .collect();
            names.sort();
            command_line.extend(names);
        } else {
            command_line.push("NAME...".to_owned());
        }
        steps.push(format!("then `{}`", command_line.join(" ")));
    }
    output.warn(&format!(
        "{error}; so {} may have another user there than the passfile: {}",
        tool.title,
        steps.join("; ")
    ));
}

/// Returns the users of the other connections that have a line of these tokens: connections to the
/// same server that run the same program share its token, and the user in it.
fn users_of_shared_lines(issued: &[(Request, IssuedToken)], app: &mut App) -> Vec<TokenUser> {
    let mut users = Vec::new();
    for (connection, request) in app.preferences.named_connections() {
        let is_among_them = issued
            .iter()
            .any(|(issued_request, _)| issued_request.connection.as_ref() == Some(&connection));
        if is_among_them || !request.user.is_empty() {
            continue;
        }
        for (issued_request, token) in issued {
            let shares_address =
                (&issued_request.host, issued_request.port) == (&request.host, request.port);
            if let Some(user) = &token.token.user
                && shares_address
                && app.issuer.is_token_of(token, &request)
            {
                users.push(TokenUser {
                    connection: connection.clone(),
                    user: user.clone(),
                });
                break;
            }
        }
    }
    users
}

/// Makes the edits, and returns why a tool cannot have some of the users. If another process
/// changes the same file, they are made again from what it has written.
fn change_users(
    files: &dyn ToolFiles,
    users: &[TokenUser],
    machine: &Machine,
    output: Output,
) -> Result<Vec<Error>> {
    const MAX_TRIES: u32 = 3;
    let mut tries = 1;
    loop {
        let FollowedUsers { edits, refused } = files.follow_users(machine, users)?;
        let (edits, commands) = (edits_that_change(&edits), SetupCommands::default());
        match carry_out(&edits, &commands, SetupDirection::SetUp, machine, output) {
            Err(_) if tries < MAX_TRIES => tries += 1,
            result => return result.map(|()| refused),
        }
    }
}
