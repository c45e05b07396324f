//! Fills in the templates of dialogs, `integrations/*/dialog.txt`, with the values of a connection.
//!
//! A template is plain text. `{user}` stands for a value of the connection, see [`PLACEHOLDERS`];
//! `{user:json}` for the value escaped for where it stands, see [`FORMS`]. A value that the
//! connection does not have is empty. A line that begins with `{only:dsql}` is printed for that
//! provider alone, and one with `{only:aws}` for the providers of that authority.
//!
//! Any other brace is the tool's own and stays as it is. A test therefore holds every template to
//! names that exist: a misspelt placeholder would be printed to the user.

use super::Os;
use super::commands::{CommandLines, uri_parameters};
use crate::provider::Provider;
use crate::roots::TrustedRoots;
use crate::text::digest::digest;
use crate::text::quote;

type PlaceholderValue = fn(&CommandLines) -> String;

/// The placeholders, each with what stands in its place.
pub(super) const PLACEHOLDERS: [(&str, PlaceholderValue); 21] = [
    // The name of the connection, or the first label of its host.
    ("name", |commands| commands.target.name.clone()),
    // The address that the client dials.
    ("host", |commands| commands.target.request.host.clone()),
    ("port", |commands| commands.target.request.port.to_string()),
    // The endpoint that signs: another one than `host` where a tunnel is dialled.
    ("sign_host", |commands| {
        commands.target.request.sign_host.clone()
    }),
    ("user", |commands| commands.target.request.user.clone()),
    ("dbname", |commands| commands.target.request.dbname.clone()),
    // The AWS profile, `default` if none is named.
    ("profile", profile),
    // The AWS region.
    ("region", region_of_commands),
    // libpq's `sslmode`, and the file of root certificates.
    ("sslmode", |commands| {
        commands.target.request.sslmode().to_owned()
    }),
    ("roots", roots),
    // pgjdbc's parameters for TLS that verifies, as in a URL.
    ("java_tls", |commands| {
        uri_parameters(&commands.target.java_tls())
    }),
    // A libpq URI without a password.
    ("uri", |commands| commands.uri()),
    // An identifier that is always the same for the same connection.
    ("uuid", uuid_of_name),
    // The path of pgcred itself.
    ("pgcred", |commands| commands.program()),
    // The path of `pgcred-aws`, which stands in for the AWS CLI.
    ("pgcred_aws", pgcred_aws),
    // The command that prints the password: `pgcred token`, or of the gateway the local one.
    ("password", |commands| commands.password_line()),
    // `pgcred token` as a line for the system's shell: the token, or another output format.
    ("token", |commands| commands.line("token", &[])),
    ("token_json", |commands| {
        commands.line("token", &["--format", "json"])
    }),
    ("token_libpq_json", |commands| {
        commands.line("token", &["--format", "libpq-json"])
    }),
    ("token_url", |commands| commands.url_line()),
    // The same as a string of Go's templates, for nvim-dbee.
    ("token_url_in_go", |commands| commands.url_line_in_go()),
];

type ValueEscape = fn(Os, &str) -> String;

/// The forms that a value can be escaped in, by what reads it.
pub(super) const FORMS: [(&str, ValueEscape); 7] = [
    // The inside of a string of JSON or TOML.
    ("json", |_, value| quote::json_inside(value)),
    // A part of a URL.
    ("url", |_, value| quote::percent(value).to_string()),
    // Text or an attribute of XML.
    ("xml", |_, value| quote::xml(value)),
    // A value of a libpq connection string.
    ("conninfo", |_, value| quote::conninfo(value)),
    // A value of an ODBC connection string.
    ("odbc", |_, value| quote::odbc(value)),
    // The inside of double quotes, where a quote is doubled.
    ("quotes", |_, value| quote::doubled_inside(value)),
    // A word for the system's shell.
    ("shell", |os, value| os.shell_word(value)),
];

/// Fills in a template for one connection.
pub(crate) fn fill_template(template: &str, commands: &CommandLines) -> String {
    let mut text = String::new();
    for line in template.split_inclusive('\n') {
        if let Some(line) = line_for_provider(line, commands.target.request.provider) {
            text.push_str(&fill_line(line, commands));
        }
    }
    text
}

/// Returns a line without its `{only:NAME}`; `None` if that is neither the provider nor its
/// authority.
fn line_for_provider<'t>(line: &'t str, provider: &Provider) -> Option<&'t str> {
    let Some(rest) = line.strip_prefix("{only:") else {
        return Some(line);
    };
    let (name, rest) = rest.split_once('}')?;
    let is_for = name == provider.name || name == provider.authority.name();
    if is_for { Some(rest) } else { None }
}

fn fill_line(line: &str, commands: &CommandLines) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('{') {
        text.push_str(before);
        if let Some((word, behind)) = after.split_once('}')
            && let Some(value) = fill_placeholder(word, commands)
        {
            text.push_str(&value);
            rest = behind;
        } else {
            text.push('{');
            rest = after;
        }
    }
    text + rest
}

/// Returns what stands for the inside of a pair of braces; `None` if that is no placeholder.
fn fill_placeholder(word: &str, commands: &CommandLines) -> Option<String> {
    let (name, form) = match word.split_once(':') {
        Some((name, form)) => (name, Some(form)),
        None => (word, None),
    };
    let (_, value) = PLACEHOLDERS
        .iter()
        .find(|(placeholder, _)| *placeholder == name)?;
    let Some(form) = form else {
        return Some(value(commands));
    };
    let (_, escape) = FORMS.iter().find(|(name, _)| *name == form)?;
    Some(escape(commands.machine.os, &value(commands)))
}

fn profile(commands: &CommandLines) -> String {
    match &commands.target.request.profile {
        Some(profile) => profile.clone(),
        None => "default".to_owned(),
    }
}

fn region_of_commands(commands: &CommandLines) -> String {
    match &commands.target.request.region {
        Some(region) => region.to_string(),
        None => String::new(),
    }
}

fn roots(commands: &CommandLines) -> String {
    match &commands.target.roots {
        Some(roots) => TrustedRoots::value_for_libpq(roots),
        None => String::new(),
    }
}

/// Returns an identifier in the form of a UUID that is made from a name.
fn uuid_of_name(commands: &CommandLines) -> String {
    let name = format!(
        "{}\n{}",
        commands.target.name,
        commands.target.request.name()
    );
    let hex = digest([name.as_str()]);
    format!(
        "{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

fn pgcred_aws(commands: &CommandLines) -> String {
    let name = match commands.machine.os {
        Os::Windows => "pgcred-aws.exe",
        Os::Linux | Os::Mac => "pgcred-aws",
    };
    commands
        .machine
        .pgcred
        .with_file_name(name)
        .display()
        .to_string()
}
