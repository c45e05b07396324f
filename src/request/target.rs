//! Reads TARGET as the user writes it, and gives the fields that it has. It is pure: text in,
//! fields out.
//!
//! ```text
//! abc...dsql.us-east-1.on.aws            a host, with or without :PORT
//! abc123...                              a cluster ID of Aurora DSQL, which `resolve` makes a host
//! postgres://app@HOST:5432/books?...     a URI, split where libpq splits it
//! "host=HOST user=app sslmode=..."       a conninfo string, by libpq's rules of quoting
//! ```
//!
//! [`TargetSpec`] is also the form in which options, PG* variables and connections name a server:
//! each source fills one, and [`TargetSpec::or`] takes what is missing from the next. Only libpq's
//! keywords are accepted. A password is dropped, and no error repeats a part of the text, because a
//! password that is not quoted well may stand in any part.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::error::{Error, Result};
use crate::text::backquoted;
use crate::text::host::{self, HostPort};

/// libpq's keywords (version 18). Anything else is a slip, often a piece of an unquoted password.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "application_name", "channel_binding", "client_encoding", "connect_timeout", "dbname",
    "fallback_application_name", "gssdelegation", "gssencmode", "gsslib", "host", "hostaddr",
    "keepalives", "keepalives_count", "keepalives_idle", "keepalives_interval", "krbsrvname",
    "load_balance_hosts", "max_protocol_version", "min_protocol_version", "oauth_client_id",
    "oauth_client_secret", "oauth_issuer", "oauth_scope", "options", "passfile", "password",
    "port", "replication", "require_auth", "requirepeer", "scram_client_key",
    "scram_server_key", "service", "ssl_max_protocol_version", "ssl_min_protocol_version",
    "sslcert", "sslcertmode", "sslcompression", "sslcrl", "sslcrldir", "sslkey",
    "sslkeylogfile", "sslmode", "sslnegotiation", "sslpassword", "sslrootcert", "sslsni",
    "target_session_attrs", "tcp_user_timeout", "user",
];

/// The server, user and database of a connection, as far as one source (flags, TARGET, PG*
/// variables) says them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TargetSpec {
    pub(crate) host: Option<String>,
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) dbname: Option<String>,
    /// Other libpq keywords (`sslmode`, `sslrootcert`, ...), handed through to the formats that can
    /// hold them.
    pub(crate) options: Vec<(String, String)>,
}

/// The root certificates that verify the server, if the user names them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RootsChoice {
    /// A PEM file, by its absolute path.
    File(String),
    /// Those of the system.
    System,
    /// Those that the provider needs, even if the user has a file that libpq takes by itself.
    Provider,
}

impl RootsChoice {
    /// Reads `system`, `provider` or the path of a file.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        match text {
            "system" => Ok(Self::System),
            "provider" => Ok(Self::Provider),
            "" => Err(
                Error::usage("the path of the file of root certificates is empty")
                    .hint("write the whole path of a file, or system, or provider"),
            ),
            file if file.contains(char::is_control) => {
                let shown = backquoted(file);
                Err(Error::usage(format!(
                    "the path of root certificates {shown} has a control character"
                ))
                .hint("rename the file"))
            }
            file => Ok(Self::File(file.to_owned())),
        }
    }
}

impl fmt::Display for RootsChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(file) => file,
            Self::System => "system",
            Self::Provider => "provider",
        })
    }
}

impl TargetSpec {
    /// Reads a TARGET; a password in it is dropped.
    pub(crate) fn parse(target: &str) -> Result<Self> {
        let target = target.trim();
        for scheme in ["postgres://", "postgresql://"] {
            if let Some(rest) = target.strip_prefix(scheme) {
                return parse_uri(rest);
            }
        }
        if target.contains('=') {
            return parse_conninfo(target);
        }
        let mut spec = Self::default();
        spec.set_host(target)?;
        Ok(spec)
    }

    /// Fills what is missing from the next source.
    #[must_use]
    pub(crate) fn or(self, next: Self) -> Self {
        Self {
            host: self.host.or(next.host),
            port: self.port.or(next.port),
            user: self.user.or(next.user),
            dbname: self.dbname.or(next.dbname),
            options: if self.options.is_empty() {
                next.options
            } else {
                self.options
            },
        }
    }

    /// Sets a libpq keyword; as in libpq the last value counts.
    pub(crate) fn set_option(&mut self, keyword: &str, value: String) {
        self.options.retain(|(key, _)| key != keyword);
        self.options.push((keyword.to_owned(), value));
    }

    /// Takes out `sslrootcert`, which the configuration keeps under a name of its own.
    pub(crate) fn take_roots(&mut self) -> Result<Option<RootsChoice>> {
        let position = self
            .options
            .iter()
            .position(|(key, _)| key == "sslrootcert");
        let Some(position) = position else {
            return Ok(None);
        };
        let (_, value) = self.options.remove(position);
        RootsChoice::parse(&value).map(Some)
    }

    pub(crate) fn set_host(&mut self, text: &str) -> Result<()> {
        let HostPort { host, port } = HostPort::parse(text)?;
        self.host = Some(host);
        match port {
            Some(port) => self.set_port(port),
            None => Ok(()),
        }
    }

    fn set_port(&mut self, port: u16) -> Result<()> {
        match self.port.replace(port) {
            Some(other) if other != port => Err(Error::usage(format!(
                "TARGET has two ports, {other} and {port}"
            ))
            .hint("leave one of them out")),
            _ => Ok(()),
        }
    }

    fn set(&mut self, keyword: &str, value: String) -> Result<()> {
        if !KEYWORDS.contains(&keyword) {
            return Err(
                Error::usage("TARGET has a keyword that libpq does not know").hint(
                    "use keywords such as host, port, user, dbname, sslmode; write a value with \
                     blanks 'in quotes'",
                ),
            );
        }
        if value.contains(char::is_control) {
            let error = Error::usage(format!("{keyword} in TARGET has a control character"));
            return Err(error.hint("write the value without it; a newline counts as one"));
        }
        match keyword {
            _ if value.is_empty() => {} // as in libpq: an empty value is no value
            "host" => self.set_host(&value)?,
            "port" => self.set_port(host::parse_port(&value)?)?,
            "user" => self.user = Some(value),
            "dbname" => self.dbname = Some(value),
            "password" => {}
            "passfile" => {
                return Err(Error::usage("passfile in TARGET is not used")
                    .hint("name the passfile with --passfile FILE"));
            }
            "service" => {
                return Err(Error::usage(
                    "service in TARGET is not used: pgcred reads no service files",
                )
                .hint("name the host and the user instead"));
            }
            keyword => self.set_option(keyword, value),
        }
        Ok(())
    }
}

/// Reads what follows `postgres://`:
/// `[user[:password]@][host[:port]][/dbname][?keyword=value&...]`.
///
/// Splits where libpq does. Errors never repeat a part: a password with a bare `/` or `@` may have
/// ended up in any.
fn parse_uri(rest: &str) -> Result<TargetSpec> {
    let mut spec = TargetSpec::default();
    let mut userinfo = "";
    let mut rest = rest;
    if let Some(offset) = rest.find(['@', '/'])
        && rest[offset..].starts_with('@')
    {
        (userinfo, rest) = (&rest[..offset], &rest[offset + 1..]);
    }
    let user = match userinfo.split_once(':') {
        Some((user, _password)) => user,
        None => userinfo,
    };
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, dbname) = before_query.split_once('/').unwrap_or((before_query, ""));
    let host = host.strip_suffix(':').unwrap_or(host); // an empty port is libpq's default
    spec.set("user", decode(user)?)?;
    spec.set("host", decode(host)?).map_err(|_| {
        Error::usage("URI: cannot read host and port").hint(
            "write postgres://USER@HOST:PORT/DBNAME; in a password `/`, `@` and `?` are %2F, \
             %40 and %3F",
        )
    })?;
    spec.set("dbname", decode(dbname)?)?;
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let Some((keyword, value)) = pair.split_once('=') else {
            return Err(Error::usage("URI: a parameter after `?` has no `=`")
                .hint("write keyword=value, such as ?sslmode=verify-full"));
        };
        if (keyword, value) == ("ssl", "true") {
            spec.set("sslmode", "require".to_owned())?; // JDBC's spelling, which libpq accepts too
        } else {
            spec.set(&decode(keyword)?, decode(value)?)?;
        }
    }
    Ok(spec)
}

fn decode(text: &str) -> Result<String> {
    let broken = || {
        Error::usage("URI: a %XX escape is broken or is not UTF-8")
            .hint("write %25 for a `%` that begins no escape")
    };
    let mut rest = text;
    while let Some((_, after)) = rest.split_once('%') {
        let digits = after.get(..2).ok_or_else(broken)?;
        if digits == "00" || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(broken());
        }
        rest = &after[2..];
    }
    Ok(percent_decode_str(text)
        .decode_utf8()
        .map_err(|_| broken())?
        .into_owned())
}

/// Reads `keyword=value keyword = 'va\'lue' ...` as libpq does.
fn parse_conninfo(text: &str) -> Result<TargetSpec> {
    let mut spec = TargetSpec::default();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((keyword, after)) = rest.split_once('=') else {
            return Err(
                Error::usage("conninfo string: `=` is missing after the last keyword")
                    .hint("write 'host=HOST user=USER'"),
            );
        };
        let (value, after) = conninfo_value(after.trim_start())?;
        spec.set(keyword.trim_end(), value).map_err(|error| {
            error.or_hint(
                "write '' for an empty value; without quotes the next word is taken for the value",
            )
        })?;
        rest = after.trim_start();
    }
    Ok(spec)
}

/// Returns one value, unquoted and unescaped, and what follows it.
fn conninfo_value(text: &str) -> Result<(String, &str)> {
    let (quoted, body) = match text.strip_prefix('\'') {
        Some(body) => (true, body),
        None => (false, text),
    };
    let mut value = String::new();
    let mut chars = body.char_indices();
    while let Some((offset, c)) = chars.next() {
        match c {
            '\'' if quoted => return Ok((value, &body[offset + 1..])),
            c if c.is_ascii_whitespace() && !quoted => return Ok((value, &body[offset..])),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            c => value.push(c),
        }
    }
    if quoted {
        return Err(
            Error::usage("conninfo string: a quoted value has no closing quote")
                .hint(r"add ' at its end; a ' inside is written \'"),
        );
    }
    Ok((value, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(
        host: &str,
        port: Option<u16>,
        user: Option<&str>,
        dbname: Option<&str>,
        options: &[(&str, &str)],
    ) -> TargetSpec {
        TargetSpec {
            host: (!host.is_empty()).then(|| host.to_owned()),
            port,
            user: user.map(str::to_owned),
            dbname: dbname.map(str::to_owned),
            options: options
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn uris() {
        for (text, expected) in [
            ("postgres://h", spec("h", None, None, None, &[])),
            (
                "postgresql://u@H:6543/db",
                spec("h", Some(6543), Some("u"), Some("db"), &[]),
            ),
            (
                "postgres://u:p%40w@h/a%2Fb?sslmode=require",
                spec("h", None, Some("u"), Some("a/b"), &[("sslmode", "require")]),
            ),
            (
                "postgres:///db?host=h&port=1&user=u%20x",
                spec("h", Some(1), Some("u x"), Some("db"), &[]),
            ),
            (
                "postgres://h?ssl=true&connect_timeout=",
                spec("h", None, None, None, &[("sslmode", "require")]),
            ),
            ("postgres://", spec("", None, None, None, &[])),
        ] {
            assert_eq!(TargetSpec::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn conninfo() {
        for (text, expected) in [
            ("host=h", spec("h", None, None, None, &[])),
            (
                r"host = h port=1 user='o\'neil x' dbname=a\ b password='p w'",
                spec("h", Some(1), Some("o'neil x"), Some("a b"), &[]),
            ),
            (
                "dbname='' host=h:5 sslrootcert=system",
                spec("h", Some(5), None, None, &[("sslrootcert", "system")]),
            ),
        ] {
            assert_eq!(TargetSpec::parse(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn refused_without_repeating_a_password() {
        for text in [
            "postgres://u:s3cret@h:0/",
            "postgres://u:s3cret@h1,h2/",
            "postgres://u%4:s3cret@h",
            "postgres://u:s3cret@h?x",
            "postgres://u%00:s3cret@h",
            "host=h password='s3cret",
            "host=h password=s3cret port=99999",
            "host=h:1 port=2 password=s3cret",
            "postgres://u:s3cret@[::1]/",
            "password=my s3cret=x host=h",
            "postgres://u:s3cret/x@h",
            "postgres://u:s3cret?x@h:0",
            "POSTGRES://u:s3cret@h",
            "jdbc:postgresql://u:s3cret@h/",
            "u:s3cret@h",
            "host=h port= password=s3cret",
            "host= password=s3cret",
            "host=h passfile=s3cret",
            "service=s3cret",
        ] {
            let error = TargetSpec::parse(text).unwrap_err();
            assert!(!format!("{error:?}").contains("s3cret"), "{error}");
        }
    }

    #[test]
    fn sources_fill_each_other() {
        let flags = TargetSpec {
            user: Some("u".into()),
            ..TargetSpec::default()
        };
        let merged = flags.or(TargetSpec::parse("postgres://x@h:1/d").unwrap());
        assert_eq!(merged, spec("h", Some(1), Some("u"), Some("d"), &[]));
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn targets_that_are_nearly_right(text in crate::text::mutation::text(
            &[
                "postgres://admin:pw@h.dsql.us-east-1.on.aws:5432/postgres?sslmode=verify-full\
                 &sslrootcert=system",
                "host=h port=5432 user='a b' dbname=d sslmode=require",
                "h.dsql.us-east-1.on.aws:5432",
                "postgresql:///db?host=%2Ftmp",
            ],
            &[
                "postgres://", "@", ":", "/", "?", "&", "=", "%", "%2", "%00", "host=", "port=",
                "'", " ", ",",
            ],
        )) {
            match TargetSpec::parse(&text) {
                Ok(TargetSpec { host: Some(host), .. }) => {
                    proptest::prop_assert!(!host.contains(char::is_control));
                }
                Ok(_) => {}
                Err(error) => {
                    let may_hold_password = text.contains(['@', '=']) || text.contains("://");
                    let text = error.to_string();
                    proptest::prop_assert!(!may_hold_password || !text.contains("pw"), "{}", text);
                }
            }
        }
    }
}
