//! The variables of libpq that a shell may have set for another connection, and that would beat or
//! contradict this one.

use crate::output::format::Format;
use crate::request::Request;
use crate::roots;
use crate::sys::env;

/// Tells of a variable's value whether it stands in the way of a login by token to this target.
type StandsInTheWay = fn(&str, &Request) -> bool;

// A token is a password in clear text inside TLS, for a host that the server knows by the name that
// TLS sends.
//
// All the others stay as the user has set them. These have no part in where the client goes and how
// it logs in, or are the user's own wishes for every connection: PGAPPNAME, PGCLIENTENCODING,
// PGCONNECT_TIMEOUT, PGDATESTYLE, PGGEQO, PGGSSDELEGATION, PGGSSLIB, PGKRBSRVNAME,
// PGLOADBALANCEHOSTS, PGLOCALEDIR, PGMAXPROTOCOLVERSION, PGMINPROTOCOLVERSION, PGOAUTHDEBUG,
// PGOPTIONS, PGREQUIREPEER, PGSYSCONFDIR, PGTARGETSESSIONATTRS, PGTZ. Others have a part in how TLS
// verifies, which nobody loosens: PGSSLCERT, PGSSLKEY, PGSSLCRL, PGSSLCRLDIR,
// PGSSLMINPROTOCOLVERSION, PGSSLMAXPROTOCOLVERSION, PGSSLNEGOTIATION; PGSSLCOMPRESSION and
// PGREQUIRESSL have no effect beside PGSSLMODE. PGHOST, PGPORT, PGUSER, PGDATABASE, PGSSLMODE,
// PGSSLROOTCERT and the password are what pgcred sets itself.
const IN_THE_WAY: [(&str, StandsInTheWay); 9] = [
    // A service beats host, port, user and database.
    ("PGSERVICE", |_, _| true),
    ("PGSERVICEFILE", |_, _| true),
    // It beats the host; if it was set for this very one, it is a part of the request.
    ("PGHOSTADDR", |address, request| {
        request.option("hostaddr") != Some(address)
    }),
    // The server asks for a password in clear text, which these may forbid.
    ("PGREQUIREAUTH", |methods, _| !allows_passwords(methods)),
    ("PGCHANNELBINDING", |value, _| value == "require"),
    // The server wants neither a client's certificate nor Kerberos.
    ("PGSSLCERTMODE", |value, _| value == "require"),
    ("PGGSSENCMODE", |value, _| value == "require"),
    // libpq verifies with it even if `sslmode` is `require`; inside `pgcred exec` it is that of
    // another connection.
    ("PGSSLROOTCERT", |_, request| {
        !request.verifies() && env::is_in_exec() && !is_said_for(request)
    }),
    // Aurora DSQL finds the cluster by the name that TLS sends.
    ("PGSSLSNI", |value, _| value == "0"),
];

/// Tells whether PGSSLROOTCERT has said which root certificates a request has.
fn is_said_for(request: &Request) -> bool {
    roots::said_by_variable()
        .ok()
        .flatten()
        .is_some_and(|said| request.roots == Some(said))
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

/// Returns the variables that are set now and have to go before a client connects to this target.
pub(crate) fn in_the_way(request: &Request) -> Vec<&'static str> {
    let stands = |name: &str, test: StandsInTheWay| {
        env::var_or_empty(name).is_some_and(|value| test(&value, request))
    };
    IN_THE_WAY
        .iter()
        .filter(|(name, test)| stands(name, *test))
        .map(|(name, _)| *name)
        .collect()
}

/// Returns lines for the shell that take them out of its environment; nothing where the format is
/// for no shell.
pub(crate) fn unset(format: Format, names: &[&str]) -> String {
    let line = |name: &&str| match format {
        Format::Env => format!("unset {name}\n"),
        Format::Fish => format!("set -e {name}\n"),
        Format::Powershell => format!("Remove-Item Env:{name} -ErrorAction Ignore\n"),
        Format::Cmd => format!("set \"{name}=\"\n"),
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
