//! What a file of the configuration says when it is read: good files, every way to write a table,
//! and the line and the key of every error.

use crate::config::tests::{GOOD, connection, full, text};
use crate::config::{CacheChoice, Config, RequestedLifetime, add_connection, remove_connection};
use crate::error::Exit;

#[test]
fn a_good_file_is_read() {
    let config = Config::parse(GOOD).unwrap();
    assert_eq!(config.cache, Some(CacheChoice::File));
    assert_eq!(config.max_lifetime_seconds, Some(43_200));
    assert_eq!(config.connections.len(), 2);
    assert_eq!(config.connection("prod"), Some(&full()));
    assert_eq!(
        config.connection("bare").unwrap().lifetime,
        Some(RequestedLifetime::Seconds(900))
    );
    assert_eq!(config.connection("Prod"), None);
    assert_eq!(
        config.rules[0].lifetime,
        Some(RequestedLifetime::Seconds(900))
    );
    assert_eq!(config.rules[1].user, text("app"));
    assert_eq!(Config::parse("").unwrap(), Config::default());
    assert_eq!(Config::parse(&GOOD.replace('\n', "\r\n")).unwrap(), config);
    assert_eq!(Config::parse(&format!("\u{feff}{GOOD}")).unwrap(), config);
}

#[test]
fn every_way_of_writing_a_table_is_read() {
    let expected = Config::parse("[connections.a]\nhost='h'\n[connections.b]\nhost='i'").unwrap();
    for written in [
        "connections.a.host = 'h'\nconnections.b.host = 'i'",
        "[connections]\na.host = 'h'\nb = { host = 'i' }",
        "connections = { a = { host = 'h' }, b.host = 'i' }",
        "connections.a.host = 'h'\n[connections.b]\nhost = 'i'",
        "connections.\"a\" = {host = 'h'}\n[connections.b]\nhost = 'i'",
    ] {
        assert_eq!(Config::parse(written).unwrap(), expected, "{written}");
    }
    let rules = Config::parse("match = [{ host = '*', user = 'u' }]").unwrap();
    assert_eq!(
        rules,
        Config::parse("[[match]]\nhost = '*'\nuser = 'u'").unwrap()
    );
}

/// A build without this back end says what to do. Both kinds of build are tested.
#[test]
fn a_cache_that_this_build_does_not_have_is_named() {
    let read = Config::parse("cache = 'secret-service'");
    if cfg!(any(feature = "secret-service", not(target_os = "linux"))) {
        assert_eq!(read.unwrap().cache, Some(CacheChoice::SecretService));
    } else {
        let error = read.unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 1: cache: this pgcred was built without secret-service"
        );
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.contains("./install.sh --secret-service")),
            "{error:?}"
        );
    }
}

/// Keys of the file.
const FILE_ERRORS: &[(&str, &str)] = &[
    ("\ncahce = 'file'", "line 2: cahce: no such key"),
    ("'a\\nb' = 1", "line 1: `a\\\\nb`: no such key"),
    ("cache = 'disk'", "line 1: cache: no such cache: `disk`"),
    ("cache = true", "line 1: cache: not a string"),
    (
        "max_expires_in = 'max'",
        "line 1: max_expires_in: not a duration",
    ),
    (
        "max_expires_in = 0",
        "line 1: max_expires_in: 0 s is too short",
    ),
    (
        "max_expires_in = 1.5",
        "line 1: max_expires_in: not a duration",
    ),
];

/// Texts that are no TOML. What the parser says of them is not pinned.
const SYNTAX_ERRORS: &[(&str, &str)] = &[
    (
        "[connections.p]\nhost = 'h'\n[connections.p]\n",
        "line 3: duplicate key at `p`",
    ),
    (
        "[connections.p]\nhost = 'h'\nhost = 'h'",
        "line 3: duplicate key at `host`",
    ),
    ("cache = \n", "line 1: "),
    ("cache = 'file'\n\n[connections", "line 3: "),
];

/// The tables of connections, and their hosts and names.
const CONNECTION_ERRORS: &[(&str, &str)] = &[
    (
        "connections = 1",
        "line 1: connections: not a table of connections",
    ),
    (
        "[[connections]]\nhost = 'h'",
        "line 1: connections: not a table of connections",
    ),
    ("[connections]\np = 1", "line 2: connections.p: not a table"),
    (
        "[[connections.p]]\nhost = 'h'",
        "line 1: connections.p: not a table",
    ),
    (
        "\n[connections.p]\n",
        "line 2: connections.p: host is missing",
    ),
    (
        "connections.p.port = 1",
        "line 1: connections.p: host is missing",
    ),
    (
        "[connections.p]\nhost = ''",
        "line 2: connections.p.host: the host is empty",
    ),
    (
        "[connections.p]\nhost = 'a b'",
        "line 2: connections.p.host: host `a b`: a space is not allowed",
    ),
    (
        "[connections.p]\nhost = 'h:5'",
        "line 2: connections.p.host: the host has a port",
    ),
    (
        "[connections.p]\nhost = 5",
        "line 2: connections.p.host: not a string",
    ),
    (
        "[connections.p]\nhost = 'foo0bar1baz2quux3quuux4abc'",
        "line 2: connections.p.host: a cluster ID needs a r",
    ),
    (
        "[connections.p]\r\nhost = 'h'\r\nport = '1'",
        "line 3: connections.p.port: not a port",
    ),
    (
        "connections = { p = { host = 'h', port = -1 } }",
        "line 1: connections.p.port: not a port",
    ),
    (
        "[connections.'a.b']\nhost = 'h'",
        "line 1: connections: name `a.b`: not a connection's name",
    ),
    (
        "[connections.foo0bar1baz2quux3quuux4abC]\n",
        "line 1: connections: name `foo0bar1baz2quux3quuux4abC`: it r",
    ),
];

/// What stands below `[connections.p]` and its host.
const FIELD_ERRORS: &[(&str, &str)] = &[
    (
        "sslmode = 'full'",
        "line 3: connections.p.sslmode: no such sslmode: `full`",
    ),
    (
        "hostaddr = 'h'",
        "line 3: connections.p.hostaddr: not an IP address",
    ),
    (
        "roots = 'ca.pem'",
        "line 3: connections.p.roots: the path of the file of root certificates is not",
    ),
    (
        "roots = ''",
        "line 3: connections.p.roots: the path of the file of root certificates is empty",
    ),
    ("port = 0", "line 3: connections.p.port: not a port"),
    ("port = 65536", "line 3: connections.p.port: not a port"),
    (
        "[connections.p.port]\nx = 1",
        "line 3: connections.p.port: not a port",
    ),
    ("user = ''", "line 3: connections.p.user: the user is empty"),
    (
        "user = \"a\\u0000\"",
        "line 3: connections.p.user: the user `a\\u{0}` has a control",
    ),
    (
        "dbname = ''",
        "line 3: connections.p.dbname: the dbname is empty",
    ),
    (
        "profile = ''",
        "line 3: connections.p.profile: the profile is empty",
    ),
    (
        "region = 'x y'",
        "line 3: connections.p.region: `x y` is not the name",
    ),
    (
        "provider = 'x'",
        "line 3: connections.p.provider: no such provider: `x`",
    ),
    (
        "sign_host = 'a/b'",
        "line 3: connections.p.sign_host: host `a/b`",
    ),
    (
        "expires_in = '1w'",
        "line 3: connections.p.expires_in: not a duration",
    ),
    (
        "expires_in = 0",
        "line 3: connections.p.expires_in: 0 s is too short",
    ),
    (
        "expires_in = true",
        "line 3: connections.p.expires_in: not a duration",
    ),
    (
        "discovered = 'true'",
        "line 3: connections.p.discovered: not true or false",
    ),
    (
        "aliases = 'x'",
        "line 3: connections.p.aliases: not a list of hosts",
    ),
    (
        "aliases = [\n'a',\n1]",
        "line 5: connections.p.aliases: not a list of hosts",
    ),
    (
        "aliases = [\n'a:0']",
        "line 4: connections.p.aliases: the port is not a number",
    ),
    ("hots = 'x'", "line 3: connections.p.hots: no such key"),
];

/// Whole match rules.
const RULE_ERRORS: &[(&str, &str)] = &[
    ("match = 1", "line 1: match: not a table"),
    ("[match]\nhost = '*'", "line 1: match: not a table"),
    ("match = [\n1]", "line 2: match: not a table"),
    ("\n[[match]]\nuser = 'u'", "line 2: match: host is missing"),
    (
        "\n[[match]]\nhost = 'h'",
        "line 2: match: the rule sets nothing",
    ),
    (
        "[[match]]\nhost = 'a b*'\nuser = 'u'",
        "line 2: match.host: pattern `a b*`: not the name of a host",
    ),
    (
        "[[match]]\nhost = '*:5432'\nuser = 'u'",
        "line 2: match.host: pattern",
    ),
];

/// What stands below `[[match]]` and its host.
const RULE_FIELD_ERRORS: &[(&str, &str)] = &[
    ("user = ''", "line 3: match.user: the user is empty"),
    ("region = '?'", "line 3: match.region: `?` is not the name"),
    ("profile = 1", "line 3: match.profile: not a string"),
    (
        "expires_in = '5 m'",
        "line 3: match.expires_in: not a duration",
    ),
    ("port = 1", "line 3: match.port: no such key"),
];

/// Reading, adding and removing give the same error. It names the line and the key, and has a hint.
fn check_error(file: &str, expected: &str) {
    let error = Config::parse(file).unwrap_err();
    assert_eq!(error.exit(), Exit::Usage, "{file}");
    assert!(error.to_string().starts_with(expected), "{file}\n{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
    assert!(
        error.hint_text().is_some() || error.to_string().contains("; give "),
        "no hint: {error}"
    );
    assert_eq!(
        add_connection(file, &connection("x", "h"), true)
            .unwrap_err()
            .to_string(),
        error.to_string()
    );
    assert_eq!(
        remove_connection(file, "p").unwrap_err().to_string(),
        error.to_string()
    );
}

#[test]
fn errors_in_the_file_name_line_and_key() {
    for (file, expected) in [FILE_ERRORS, SYNTAX_ERRORS].concat() {
        check_error(file, expected);
    }
}

#[test]
fn errors_in_connections_name_line_and_key() {
    for (file, expected) in CONNECTION_ERRORS {
        check_error(file, expected);
    }
    for (field, expected) in FIELD_ERRORS {
        check_error(&format!("[connections.p]\nhost = 'h'\n{field}"), expected);
    }
}

#[test]
fn errors_in_match_rules_name_line_and_key() {
    for (file, expected) in RULE_ERRORS {
        check_error(file, expected);
    }
    for (field, expected) in RULE_FIELD_ERRORS {
        check_error(&format!("[[match]]\nhost = '*'\n{field}"), expected);
    }
}

const WITH_COMMAND: &str = "[command.corp]\nrun = ['corp', '--ttl={life}', '{role}']\n\
    token = 'a.0.b'\nuser = 'u'\nexpires = '+ttl'\nlife = '1h'\nkind = 'caches'\nspare = 60\n\
    watch = ['~/.corp']\nlogin = 'corp login'\nlogin_if = 'a|b'\nroots = 'system'\n\
    env = { A = 'b' }\n\n[connections.c]\nhost = 'h.example'\nprovider = 'corp'\n\
    vars = { role = 'r' }\n\n[[match]]\nhost = '*.corp'\nprovider = 'corp'\n";

#[test]
fn commands_are_read_before_those_who_name_them() {
    let config = Config::parse(WITH_COMMAND).unwrap();
    let [corp] = config.commands.as_slice() else {
        panic!("{config:?}");
    };
    assert_eq!(
        (&*corp.name, corp.lifetime_seconds, corp.spare_seconds),
        ("corp", Some(3_600), 60)
    );
    assert_eq!(corp.placeholders(), ["life", "role"]);
    assert_eq!(corp.login_if, ["a", "b"]);
    assert_eq!(config.rule("x.corp").provider, text("corp"));
    let known = config.connection("c").unwrap();
    assert_eq!(known.vars, [("role".to_owned(), "r".to_owned())]);
    let edited = Config::parse(&remove_connection(WITH_COMMAND, "c").unwrap()).unwrap();
    assert_eq!(edited.commands, config.commands);
}
