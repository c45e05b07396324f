//! Files that a team shares: what is taken, what is refused, and where tokens would go.
//!
//! By texts, without files. A text that is read gives the same connections as in a configuration.

use proptest::prelude::*;

use super::read_shared_file;
use crate::config::tests::{some_connection, some_text, text};
use crate::config::{Config, add_connection};
use crate::error::Exit;
use crate::text::host::HostPort;

#[test]
fn connections_are_taken_as_from_the_configuration() {
    let file = "\u{feff}# us\r\n[connections.a]\r\nhost = 'H.example.com.'\r\nroots = 'system'\r\n\
                profile = 'dev'\r\ndiscovered = true\r\n\r\n[connections.b]\r\nhost = 'b'\r\n\
                hostaddr = '127.0.0.1'\r\nport = 15432\r\n";
    let found = read_shared_file(file).unwrap();
    assert_eq!(found[0].target.host, text("h.example.com"));
    assert_eq!(found[0].profile, text("dev"));
    assert!(!found[0].discovered);
    // A variable of the shell cannot switch the verification off.
    let options = &found[1].target.options;
    assert!(
        options.contains(&("sslmode".into(), "verify-full".into())),
        "{options:?}"
    );
    assert!(read_shared_file("").unwrap().is_empty());
    assert!(read_shared_file("[connections]\n").unwrap().is_empty());
}

#[test]
fn what_only_the_user_decides_is_refused() {
    let alone = "only connections are taken from a shared file";
    let no_file = "a shared file cannot name a file of this machine";
    let weaker = "a shared file cannot weaken the verification of the server";
    let head = "[connections.p]\nhost = 'h'\n";
    for (file, expected) in [
        ("cache = 'none'\n", format!("line 1: cache: {alone}")),
        ("\nlogin = 'never'\n", format!("line 2: login: {alone}")),
        (
            "max_expires_in = 1",
            format!("line 1: max_expires_in: {alone}"),
        ),
        ("[[match]]\nhost = '*'\n", format!("line 1: match: {alone}")),
        (
            "[command]\nrun = 'x'\n",
            format!("line 1: command: {alone}"),
        ),
        ("'a\\u001b' = 1\n", format!("line 1: `a\\\\u001b`: {alone}")),
        (
            "[connections.p]\nhost = 'h'\ncommand = 'x'\n",
            "line 3: connections.p.command: no such key".to_owned(),
        ),
        (
            "[connections.p]\nhost = 'h'\npassword = 'secret'\n",
            "line 3: connections.p.password: no such key".to_owned(),
        ),
        (
            "[connections.p]\nhost = 'postgres://u:secret@h'\n",
            "line 2: connections.p.host: the host that was given is not valid: a host is written \
             without a scheme"
                .to_owned(),
        ),
    ] {
        let error = read_shared_file(file).unwrap_err();
        assert_eq!(
            (error.exit(), error.to_string()),
            (Exit::Usage, expected),
            "{file}"
        );
        assert!(!format!("{error:?}").contains("secret"), "{error:?}");
    }
    for (line, why) in [
        ("roots = '/ca.pem'", no_file),
        ("roots = 'ca.pem'", no_file),
        ("roots = ''", no_file),
        ("sslmode = 'disable'", weaker),
        ("sslmode = 'verify-ca'", weaker),
        ("sslmode = 'none'", weaker),
    ] {
        let key = line.split(' ').next().unwrap_or_default();
        let error = read_shared_file(&format!("{head}{line}\n")).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("line 3: connections.p.{key}: {why}")
        );
    }
    let error = read_shared_file("connections.'a\\u001b'.roots = '/x'\n")
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("line 1: connections: name `a"), "{error}");
}

#[test]
fn tokens_that_would_go_elsewhere_are_seen() {
    const CLUSTER: &str = "foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws";
    for (lines, signed, others) in [
        ("host = 'h'", "h", vec![]),
        ("host = 'h'\nport = 1\nsign_host = 'H:5432'", "h", vec![]),
        ("host = 'h'\nhostaddr = '10.0.0.1'", "h", vec![]),
        ("host = 'h'\naliases = ['h:15432']", "h", vec![]),
        ("host = 'evil'\nsign_host = 'h'", "h", vec!["evil"]),
        (
            "host = 'evil'\nport = 7\nsign_host = 'h:1'",
            "h",
            vec!["evil:7"],
        ),
        (
            "host = 'h'\naliases = ['evil:1', 'localhost']",
            "h",
            vec!["evil:1", "localhost"],
        ),
        (
            "host = 'foo0bar1baz2quux3quuux4abc'\nregion = 'us-east-1'\n\
             sign_host = 'foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws'",
            CLUSTER,
            vec![],
        ),
        (
            "host = 'evil'\nregion = 'us-east-1'\nsign_host = 'foo0bar1baz2quux3quuux4abc'",
            CLUSTER,
            vec!["evil"],
        ),
    ] {
        let file = format!("[connections.p]\n{lines}\n");
        let found = read_shared_file(&file)
            .unwrap()
            .remove(0)
            .signed_and_other_hosts();
        let others = others.into_iter().map(String::from).collect();
        assert_eq!(found, (signed.to_owned(), others), "{lines}");
    }
}

proptest! {
    #[test]
    fn no_text_panics_and_no_key_is_left_out_silently(text in some_text()) {
        match read_shared_file(&text) {
            Ok(found) => {
                let plain = text.strip_prefix('\u{feff}').unwrap_or(&text);
                let config = Config::parse(plain).unwrap();
                prop_assert_eq!(config.connections.len(), found.len());
                prop_assert!(config.rules.is_empty() && config.max_lifetime_seconds.is_none());
                prop_assert!(config.cache.is_none() && config.login.is_none());
            }
            Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
        }
    }

    /// A token goes to another host only if the connection says so.
    #[test]
    fn every_place_of_a_token_is_told(connection in some_connection()) {
        let file = add_connection("", &connection, false).unwrap();
        let Ok(mut found) = read_shared_file(&file) else { return Ok(()) };
        let (signed, others) = found.remove(0).signed_and_other_hosts();
        let host = connection.target.host.unwrap_or_default();
        let dialled = HostPort { host, port: connection.target.port };
        prop_assert!(dialled.host == signed || others.contains(&dialled.to_string()));
        for alias in &connection.aliases {
            prop_assert!(alias.host == signed || others.contains(&alias.to_string()));
        }
    }
}
