//! Reports the tokens that `pgcred refresh` has written.

use std::collections::BTreeSet;

use crate::command::preferences::Preferences;
use crate::issue::IssuedToken;
use crate::request::Request;
use crate::setup::Os;

/// Says that the token of a target that is not a connection is not renewed, and which command makes
/// the target a connection.
pub(super) fn say_how_to_keep_fresh(tokens: &[(Request, IssuedToken)], preferences: &Preferences) {
    let mut connection_names = BTreeSet::new();
    for request in preferences.connections() {
        connection_names.insert(request.name());
    }
    let unsaved_token = tokens.iter().find(|(request, issued)| {
        issued.token.user.is_none() && !connection_names.contains(&request.name())
    });
    let Some((request, _)) = unsaved_token else {
        return;
    };
    let mut add_command = format!("pgcred add NAME {}", request.host);
    if request.provider.user != Some(&*request.user) {
        add_command = format!("{add_command} --user {}", request.user);
    }
    if let Some(profile) = &request.profile {
        add_command = format!("{add_command} --profile {profile}");
    }
    preferences.output.note(&format!(
        "nothing renews this token yet: `{add_command}`, then `pgcred setup {}`",
        Os::current().scheduler()
    ));
}

/// Returns `user@host:port`, followed by the aliases.
pub(super) fn passfile_lines_text(request: &Request) -> String {
    let mut lines = request.passfile_lines();
    let text = match lines.next() {
        Some(line) => line.to_string(),
        None => String::new(),
    };
    let mut aliases = Vec::new();
    for line in lines {
        aliases.push(format!("{}:{}", line.host, line.port));
    }
    if !aliases.is_empty() {
        return format!("{text}, also as {},", aliases.join(", "));
    }
    text
}
