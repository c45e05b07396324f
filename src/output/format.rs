//! Writes a token in the forms in which it is printed: one variant and one arm each, quoted for its
//! reader. It is pure.

use clap::ValueEnum;
use serde_json::{Map, Value, json};

use crate::authority::Region;
use crate::error::{Error, Result};
use crate::issue::IssuedToken;
use crate::request::Request;
use crate::text::quote::{self, conninfo, percent};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TokenFormat {
    /// The token and a newline
    Raw,
    /// Connection, token, expiry and source as one JSON object
    Json,
    /// A JSON object of libpq keywords and string values only
    LibpqJson,
    /// postgresql://user:token@host:port/dbname?sslmode=...
    Url,
    /// The token, percent-encoded for use in a URL
    Urlencoded,
    /// A libpq keyword='value' string
    Conninfo,
    /// POSIX shell: eval "$(pgcred token --format env)"
    Env,
    /// fish: pgcred token --format fish | source
    Fish,
    /// PowerShell: pgcred token --format powershell | Out-String | Invoke-Expression
    Powershell,
    /// cmd.exe: for /f "delims=" %i in ('pgcred token --format cmd') do @%i
    Cmd,
}

impl TokenFormat {
    /// Tells whether the text says how TLS is verified, and so needs root certificates.
    pub(crate) fn names_roots(self) -> bool {
        !matches!(self, Self::Raw | Self::Urlencoded)
    }
}

/// Returns the text to print, ending in a newline. `roots` is the value of libpq's `sslrootcert`,
/// if the format names it.
pub(crate) fn render(
    format: TokenFormat,
    request: &Request,
    issued: &IssuedToken,
    roots: Option<&str>,
) -> Result<String> {
    let token = issued.token.expose();
    let keywords = keywords(request, token, roots);
    let mut text = match format {
        TokenFormat::Raw => token.to_owned(),
        TokenFormat::Urlencoded => percent(token).to_string(),
        TokenFormat::Json => native_json(request, issued, roots).to_string(),
        TokenFormat::LibpqJson => libpq_json(keywords),
        TokenFormat::Url => connection_uri(request, token, &keywords[CONNECTION_KEYWORD_COUNT..]),
        TokenFormat::Conninfo => conninfo_string(&keywords),
        TokenFormat::Env => {
            assignments(&keywords, |name, value| Ok(posix_assignment(name, value)))?
        }
        TokenFormat::Fish => {
            assignments(&keywords, |name, value| Ok(fish_assignment(name, value)))?
        }
        TokenFormat::Powershell => assignments(&keywords, |name, value| {
            Ok(powershell_assignment(name, value))
        })?,
        TokenFormat::Cmd => assignments(&keywords, cmd_assignment)?,
    };
    text.push('\n');
    Ok(text)
}

fn libpq_json(keywords: Vec<(&str, String)>) -> String {
    let mut object = Map::new();
    for (keyword, value) in keywords {
        object.insert(keyword.to_owned(), Value::from(value));
    }
    Value::from(object).to_string()
}

fn connection_uri(request: &Request, token: &str, parameters: &[(&str, String)]) -> String {
    let (user, dbname) = (percent(&request.user), percent(&request.dbname));
    let (token, host, port) = (percent(token), &request.host, request.port);
    let mut query = Vec::new();
    for (keyword, value) in parameters {
        query.push(format!("{keyword}={}", percent(value)));
    }
    let query = query.join("&");
    format!("postgresql://{user}:{token}@{host}:{port}/{dbname}?{query}")
}

fn conninfo_string(keywords: &[(&str, String)]) -> String {
    let mut pairs = Vec::new();
    for (keyword, value) in keywords {
        pairs.push(format!("{keyword}={}", conninfo(value)));
    }
    pairs.join(" ")
}

fn posix_assignment(name: &str, value: &str) -> String {
    format!("export {name}={}", quote::posix(value))
}

fn fish_assignment(name: &str, value: &str) -> String {
    format!("set -gx {name} {}", quote::fish(value))
}

fn powershell_assignment(name: &str, value: &str) -> String {
    format!("$env:{name} = {}", quote::powershell(value))
}

/// cmd.exe runs no longer line.
const MAX_CMD_LINE_LENGTH: usize = 8_191;

fn cmd_assignment(name: &str, value: &str) -> Result<String> {
    match quote::cmd_assignment(name, value) {
        Some(assignment) if assignment.chars().count() > MAX_CMD_LINE_LENGTH => Err(Error::usage(
            format!("{name} is longer than a line of cmd.exe, {MAX_CMD_LINE_LENGTH} characters"),
        )
        .hint("use --format powershell, or `pgcred exec`")),
        Some(assignment) => Ok(assignment),
        None => Err(Error::usage(format!(
            "{name} has a double quote, which cmd.exe cannot take"
        ))
        .hint("use PowerShell, with --format powershell")),
    }
}

/// Of all keywords, the first ones make the connection: host, port, dbname, user and password.
const CONNECTION_KEYWORD_COUNT: usize = 5;

/// Returns the keywords that make the connection, then the other options.
fn keywords<'a>(request: &'a Request, token: &str, roots: Option<&str>) -> Vec<(&'a str, String)> {
    let mut all = vec![
        ("host", request.host.clone()),
        ("port", request.port.to_string()),
        ("dbname", request.dbname.clone()),
        ("user", request.user.clone()),
        ("password", token.to_owned()),
    ];
    all.extend(request.all_keywords(roots));
    all
}

/// Keywords and the variables that libpq reads for them.
const VARIABLES: [(&str, &str); 20] = [
    ("host", "PGHOST"),
    ("port", "PGPORT"),
    ("dbname", "PGDATABASE"),
    ("user", "PGUSER"),
    ("password", "PGPASSWORD"),
    ("sslmode", "PGSSLMODE"),
    ("sslrootcert", "PGSSLROOTCERT"),
    ("sslcert", "PGSSLCERT"),
    ("sslkey", "PGSSLKEY"),
    ("sslcrl", "PGSSLCRL"),
    ("sslsni", "PGSSLSNI"),
    ("sslnegotiation", "PGSSLNEGOTIATION"),
    ("channel_binding", "PGCHANNELBINDING"),
    ("connect_timeout", "PGCONNECT_TIMEOUT"),
    ("client_encoding", "PGCLIENTENCODING"),
    ("gssencmode", "PGGSSENCMODE"),
    ("target_session_attrs", "PGTARGETSESSIONATTRS"),
    ("hostaddr", "PGHOSTADDR"),
    ("options", "PGOPTIONS"),
    ("application_name", "PGAPPNAME"),
];

/// Returns the variables of a connection, without the password.
pub(crate) fn variables(request: &Request, roots: Option<&str>) -> Vec<(&'static str, String)> {
    let keywords = keywords(request, "", roots);
    let mut variables = Vec::new();
    for (keyword, name) in VARIABLES {
        if keyword != "password"
            && let Some(value) = value_of(keyword, &keywords)
        {
            variables.push((name, value.to_owned()));
        }
    }
    variables
}

/// Returns a line for each keyword that has a variable, without the last newline.
fn assignments(
    keywords: &[(&str, String)],
    assign: impl Fn(&str, &str) -> Result<String>,
) -> Result<String> {
    let mut lines = Vec::new();
    for (keyword, name) in VARIABLES {
        if let Some(value) = value_of(keyword, keywords) {
            lines.push(assign(name, value)?);
        }
    }
    Ok(lines.join("\n"))
}

fn value_of<'a>(keyword: &str, keywords: &'a [(&str, String)]) -> Option<&'a str> {
    for (name, value) in keywords {
        if *name == keyword {
            return Some(value);
        }
    }
    None
}

fn native_json(request: &Request, issued: &IssuedToken, roots: Option<&str>) -> Value {
    let token = &issued.token;
    let mut native = json!({
        "version": 1,
        "kind": "postgres-credential",
        "host": request.host,
        "port": request.port,
        "dbname": request.dbname,
        "user": request.user,
        "username": request.user,
        "password": token.expose(),
        "sslmode": request.sslmode(),
        "sslrootcert": request.keyword("sslrootcert").or(roots),
        "issued_at": token.issued_at.rfc3339(),
        "expiration": token.expires_at.rfc3339(),
        "expiration_unix": token.expires_at.unix(),
        "refresh_after": token.fresh_until().rfc3339(),
        "source": {
            "type": request.provider.source_type(),
            "action": request.scope().action,
            "region": issued.region.as_ref().map(Region::as_str),
            "profile": request.profile,
            "cached": issued.is_cached,
        },
    });
    if let Some(command) = request.provider.authority.command() {
        native["source"]["command"] = json!(command);
    }
    native
}
