//! Writes the report as Markdown to paste into an issue, without what identifies the user.
//!
//! Of the environment it says only which of the variables that matter are set.

use std::path::Path;

use super::outcome::CheckOutcome;
use super::private_names::names_in;
use super::redact::{RedactedKind, Redactor};
use super::report::DoctorReport;
use crate::command::preferences::Preferences;
use crate::provider;
use crate::request::Request;
use crate::sys::env;
use crate::sys::fs;

/// The variables of clients and of pgcred that decide whether a login works.
const VARIABLES: [&str; 24] = [
    "HTTPS_PROXY",
    "NO_PROXY",
    "PGCHANNELBINDING",
    "PGCRED_CACHE",
    "PGCRED_HOME",
    "PGDATABASE",
    "PGGSSENCMODE",
    "PGHOST",
    "PGHOSTADDR",
    "PGOPTIONS",
    "PGPASSFILE",
    "PGPASSWORD",
    "PGPORT",
    "PGREQUIREAUTH",
    "PGSERVICE",
    "PGSERVICEFILE",
    "PGSSLCERTMODE",
    "PGSSLMODE",
    "PGSSLNEGOTIATION",
    "PGSSLROOTCERT",
    "PGSSLSNI",
    "PGUSER",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
];

/// Returns the lines of the report. `names` are those of the targets.
pub(super) fn share_lines(
    outcomes: &[CheckOutcome],
    mut names: Vec<(String, RedactedKind)>,
    preferences: &Preferences,
) -> Vec<String> {
    names.extend(private_names(outcomes, preferences));
    let home = env::home().map(|home| home.display().to_string());
    let mut redactor = Redactor::new(names, home);
    let mut redacted_outcomes = Vec::new();
    for outcome in outcomes {
        redacted_outcomes.push(outcome.redacted(|text| redactor.redact(text)));
    }
    let system = format!("{} {}", std::env::consts::OS, std::env::consts::ARCH);
    let mut lines = vec![
        format!("**pgcred {} doctor**, {system}", env!("CARGO_PKG_VERSION")),
        String::new(),
        "```text".to_owned(),
    ];
    for line in DoctorReport::new(&redacted_outcomes).lines() {
        // Three of them in a server's text would end the block.
        lines.push(line.replace("```", "` ` `"));
    }
    lines.push("```".to_owned());
    lines.push(String::new());
    lines.push(format!("Variables that are set: {}", set_variables()));
    lines
}

/// Returns the names of the variables that matter for a login, with those of every authority.
fn relevant_variables() -> Vec<&'static str> {
    let mut names = VARIABLES.to_vec();
    for authority in provider::authorities() {
        names.extend(authority.variables());
    }
    names
}

/// Returns which of them are set.
fn set_variables() -> String {
    let mut names = relevant_variables();
    names.retain(|name| env::var_os(name).is_some());
    if names.is_empty() {
        return "none".to_owned();
    }
    names.join(", ")
}

/// Returns every name in the configuration, the targets, the authorities' files and the findings.
fn private_names(
    outcomes: &[CheckOutcome],
    preferences: &Preferences,
) -> Vec<(String, RedactedKind)> {
    let mut names = Vec::new();
    for outcome in outcomes {
        names.extend(outcome.private_names.iter().cloned());
        if let Some(target) = &outcome.target
            && !target.contains('.')
        {
            names.push((target.clone(), RedactedKind::Connection));
        }
    }
    for connection in &preferences.config.connections {
        names.push((connection.name.clone(), RedactedKind::Connection));
    }
    for (_, request) in preferences.named_connections() {
        names.extend(names_of(&request));
    }
    if let Some(file) = &preferences.config_path {
        names.extend(names_in_file(file));
    }
    names.extend(names_of_authorities());
    for variable in ["USER", "USERNAME", "LOGNAME"] {
        if let Some(user) = env::var(variable) {
            names.push((user, RedactedKind::User));
        }
    }
    names
}

/// Returns the names in the files of every authority, and those of its profiles.
fn names_of_authorities() -> Vec<(String, RedactedKind)> {
    let mut names = Vec::new();
    for authority in provider::authorities() {
        for file in authority.setting_files() {
            names.extend(names_in_file(&file));
        }
        for profile in authority.profile_names().unwrap_or_default() {
            names.push((profile, RedactedKind::Profile));
        }
    }
    names
}

fn names_in_file(file: &Path) -> Vec<(String, RedactedKind)> {
    let text = fs::read(file).unwrap_or_default();
    let names = names_in(&String::from_utf8_lossy(&text)).into_iter();
    names.map(|name| (name, RedactedKind::Name)).collect()
}

/// Returns the names in a request. A host of a cloud is left out: the redactor knows it by its look
/// and keeps the service and the region.
pub(super) fn names_of(request: &Request) -> Vec<(String, RedactedKind)> {
    let mut names = vec![
        (request.user.clone(), RedactedKind::User),
        (request.dbname.clone(), RedactedKind::Database),
    ];
    if let Some(profile) = &request.profile {
        names.push((profile.clone(), RedactedKind::Profile));
    }
    let mut hosts = vec![&request.host, &request.sign_host];
    hosts.extend(request.aliases.iter().map(|alias| &alias.host));
    for host in hosts {
        if !request.provider.owns(host) {
            names.push((host.clone(), RedactedKind::Host));
        }
    }
    for (keyword, value) in &request.keywords {
        if !keyword.starts_with("ssl") {
            names.push((value.clone(), RedactedKind::Name));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::fake::{catalog::FakeCatalog, control};

    #[test]
    fn what_identifies_the_user_comes_from_every_authority() {
        control::reset();
        control::put_catalog("team-of-jane", FakeCatalog::default());
        let profile = ("team-of-jane".to_owned(), RedactedKind::Profile);
        assert!(names_of_authorities().contains(&profile));
        let known = relevant_variables();
        assert!(known.contains(&"AWS_PROFILE") && known.contains(&"FAKE_TENANT"));
        control::reset();
    }
}
