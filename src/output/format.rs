//! The forms in which a token is printed: one variant and one arm each, quoted for its reader.
//! Pure.

use std::fmt::Write as _;

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
    Ok(match format {
        TokenFormat::Raw => format!("{token}\n"),
        TokenFormat::Urlencoded => format!("{}\n", percent(token)),
        TokenFormat::Json => format!("{}\n", native(request, issued, roots)),
        TokenFormat::LibpqJson => {
            let object: Map<_, _> = keywords
                .into_iter()
                .map(|(key, value)| (key.to_owned(), Value::from(value)))
                .collect();
            format!("{}\n", Value::from(object))
        }
        TokenFormat::Url => {
            let query: Vec<_> = keywords[5..]
                .iter()
                .map(|(key, value)| format!("{key}={}", percent(value)))
                .collect();
            let (user, dbname) = (percent(&request.user), percent(&request.dbname));
            let authority = format!(
                "{user}:{}@{}:{}",
                percent(token),
                request.host,
                request.port
            );
            format!("postgresql://{authority}/{dbname}?{}\n", query.join("&"))
        }
        TokenFormat::Conninfo => {
            let pairs: Vec<_> = keywords
                .iter()
                .map(|(key, value)| format!("{key}={}", conninfo(value)))
                .collect();
            format!("{}\n", pairs.join(" "))
        }
        TokenFormat::Env => lines(&keywords, |name, value| {
            Ok(format!("export {name}={}", quote::posix(value)))
        })?,
        TokenFormat::Fish => lines(&keywords, |name, value| {
            Ok(format!("set -gx {name} {}", quote::fish(value)))
        })?,
        TokenFormat::Powershell => lines(&keywords, |name, value| {
            Ok(format!("$env:{name} = {}", quote::powershell(value)))
        })?,
        TokenFormat::Cmd => lines(&keywords, |name, value| {
            quote::cmd_assignment(name, value).ok_or_else(|| {
                Error::usage(format!(
                    "{name} has a double quote, which cmd.exe cannot take"
                ))
            })
        })?,
    })
}

/// The five that make the connection first, then the other options.
fn keywords<'a>(request: &'a Request, token: &str, roots: Option<&str>) -> Vec<(&'a str, String)> {
    let mut all = vec![
        ("host", request.host.clone()),
        ("port", request.port.to_string()),
        ("dbname", request.dbname.clone()),
        ("user", request.user.clone()),
        ("password", token.to_owned()),
    ];
    all.extend(request.all_options(roots));
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
    let known = VARIABLES
        .iter()
        .filter(|(keyword, _)| *keyword != "password");
    let value = |keyword: &str| {
        keywords
            .iter()
            .find(|(key, _)| *key == keyword)
            .map(|(_, value)| value.clone())
    };
    known
        .filter_map(|(keyword, name)| Some((*name, value(keyword)?)))
        .collect()
}

fn lines(
    keywords: &[(&str, String)],
    assign: impl Fn(&str, &str) -> Result<String>,
) -> Result<String> {
    let mut text = String::new();
    for (keyword, name) in VARIABLES {
        if let Some((_, value)) = keywords.iter().find(|(key, _)| *key == keyword) {
            let _ = writeln!(text, "{}", assign(name, value)?);
        }
    }
    Ok(text)
}

fn native(request: &Request, issued: &IssuedToken, roots: Option<&str>) -> Value {
    let token = &issued.token;
    json!({
        "version": 1,
        "kind": "postgres-credential",
        "host": request.host,
        "port": request.port,
        "dbname": request.dbname,
        "user": request.user,
        "username": request.user,
        "password": token.expose(),
        "sslmode": request.sslmode(),
        "sslrootcert": request.option("sslrootcert").or(roots),
        "issued_at": token.issued_at.rfc3339(),
        "expiration": token.expires_at.rfc3339(),
        "expiration_unix": token.expires_at.unix(),
        "refresh_after": token.refresh_after().rfc3339(),
        "source": {
            "type": request.provider.source_type(),
            "action": request.scope().action,
            "region": issued.region.as_ref().map(Region::as_str),
            "profile": request.profile,
            "cached": issued.cached,
        },
    })
}
