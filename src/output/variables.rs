//! Finds the variables of libpq that a shell may have set for another connection. They would take
//! precedence over this connection, or contradict it.

use crate::output::format::TokenFormat;
use crate::request::Request;
use crate::roots;
use crate::sys::env;

/// Tells whether a variable's value prevents a login with a token to this target.
type VariableConflict = fn(&str, &Request) -> bool;

// A token is a password in clear text inside TLS, for a host that the server knows by the name that
// TLS sends.
//
// All other variables stay as the user has set them. These do not decide where the client connects
// and how it logs in, or are what the user wants for every connection: PGAPPNAME, PGCLIENTENCODING,
// PGCONNECT_TIMEOUT, PGDATESTYLE, PGGEQO, PGGSSDELEGATION, PGGSSLIB, PGKRBSRVNAME,
// PGLOADBALANCEHOSTS, PGLOCALEDIR, PGMAXPROTOCOLVERSION, PGMINPROTOCOLVERSION, PGOAUTHDEBUG,
// PGOPTIONS, PGREQUIREPEER, PGSYSCONFDIR, PGTARGETSESSIONATTRS, PGTZ. Others decide how TLS
// verifies, and pgcred does not loosen that: PGSSLCERT, PGSSLKEY, PGSSLCRL, PGSSLCRLDIR,
// PGSSLMINPROTOCOLVERSION, PGSSLMAXPROTOCOLVERSION, PGSSLNEGOTIATION; PGSSLCOMPRESSION and
// PGREQUIRESSL have no effect beside PGSSLMODE. PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE,
// PGSSLROOTCERT and the password are what pgcred sets itself.
const CONFLICTING: [(&str, VariableConflict); 9] = [
    // A service takes precedence over host, port, user and database.
    ("PGSERVICE", |_, _| true),
    ("PGSERVICEFILE", |_, _| true),
    // It takes precedence over the host. If it was set for this host, it is a part of the request.
    ("PGHOSTADDR", |address, request| {
        request.keyword("hostaddr") != Some(address)
    }),
    // The server asks for a password in clear text, which these two may forbid.
    ("PGREQUIREAUTH", |methods, _| !allows_passwords(methods)),
    ("PGCHANNELBINDING", |value, _| value == "require"),
    // The server accepts neither a client's certificate nor Kerberos.
    ("PGSSLCERTMODE", |value, _| value == "require"),
    ("PGGSSENCMODE", |value, _| value == "require"),
    // libpq verifies with it even if `sslmode` is `require`. Inside `pgcred exec` it belongs to
    // another connection.
    ("PGSSLROOTCERT", |_, request| {
        !request.verifies() && env::is_in_exec() && !comes_from_pgsslrootcert(request)
    }),
    // Such a server is found by the name that TLS sends.
    ("PGSSLSNI", |value, request| {
        value == "0" && request.provider.needs_sni
    }),
];

/// Tells whether a request has its root certificates from PGSSLROOTCERT.
fn comes_from_pgsslrootcert(request: &Request) -> bool {
    match roots::roots_in_variable() {
        Ok(Some(choice)) => request.roots == Some(choice),
        _ => false,
    }
}

/// Reads a list of methods as libpq does: those that are allowed, or with `!` those that are not.
fn allows_passwords(methods: &str) -> bool {
    let mut methods = methods.split(',').map(str::trim);
    if methods.clone().any(|method| method.starts_with('!')) {
        methods.all(|method| method != "!password")
    } else {
        methods.any(|method| method == "password")
    }
}

/// Returns the variables that are set now and have to be unset before a client connects to this
/// target.
pub(crate) fn conflicting_variables(request: &Request) -> Vec<&'static str> {
    let mut names = Vec::new();
    for (name, is_in_the_way) in CONFLICTING {
        if let Some(value) = env::var_or_empty(name)
            && is_in_the_way(&value, request)
        {
            names.push(name);
        }
    }
    names
}

/// Returns lines for the shell that unset these variables; nothing if the format is not for a
/// shell.
pub(crate) fn unset_lines(format: TokenFormat, names: &[&str]) -> String {
    let line = |name: &&str| match format {
        TokenFormat::Env => format!("unset {name}\n"),
        TokenFormat::Fish => format!("set -e {name}\n"),
        TokenFormat::Powershell => format!("Remove-Item Env:{name} -ErrorAction Ignore\n"),
        TokenFormat::Cmd => format!("set \"{name}=\"\n"),
        _ => String::new(),
    };
    names.iter().map(line).collect()
}

#[test]
fn lists_of_methods_are_read_as_libpq_does() {
    for (methods, allowed) in [
        ("password", true),
        ("scram-sha-256, password", true),
        ("scram-sha-256", false),
        ("none", false),
        ("", false),
        ("!password", false),
        ("!md5,!password", false),
        ("!md5,!none", true),
    ] {
        assert_eq!(allows_passwords(methods), allowed, "{methods}");
    }
}
