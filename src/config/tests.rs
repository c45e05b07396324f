//! `config.toml`: a good file, every error's line and key, and edits that leave the other bytes
//! alone.

use proptest::prelude::*;

use super::*;
use crate::authority::Region;
use crate::error::Exit;
use crate::request::target::RootsChoice;
use crate::text::host::HostPort;

const GOOD: &str = r#"# pgcred
cache = "file"
max_expires_in = "12h"

[connections.prod] # the one
host = "ABC.dsql.us-east-1.on.aws."
port = 6543
user = "admin"
dbname = "postgres"
profile = "dev"
region = "US-East-1"
provider = "dsql"
sign_host = "Other.example.com:1"
sslmode = "verify-ca"
roots = "/ca/all.pem"
hostaddr = "127.0.0.1"
expires_in = "max"
aliases = [
    "localhost:15432", # a tunnel
    "Tunnel",
]

[connections.bare]
host = "foo0bar1baz2quux3quuux4abc"
region = "us-east-1"
expires_in = 900

[[match]]
host = "*.dsql.us-east-1.on.aws"
profile = "dev"
expires_in = "15m"

[[match]]
host = "*.on.aws"
profile = "other"
region = "us-east-1"
user = "app"
"#;

#[expect(clippy::unnecessary_wraps, reason = "most fields are optional")]
fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn region(name: &str) -> Region {
    Region::vouched_for(name)
}

fn connection(name: &str, host: &str) -> Connection {
    Connection {
        name: name.to_owned(),
        target: TargetSpec {
            host: text(host),
            ..TargetSpec::default()
        },
        ..Connection::default()
    }
}

fn full() -> Connection {
    Connection {
        name: "prod".to_owned(),
        target: TargetSpec {
            host: text("abc.dsql.us-east-1.on.aws"),
            port: Some(6543),
            user: text("admin"),
            dbname: text("postgres"),
            options: vec![
                ("hostaddr".to_owned(), "127.0.0.1".to_owned()),
                ("sslmode".to_owned(), "verify-ca".to_owned()),
            ],
        },
        roots: Some(RootsChoice::File("/ca/all.pem".to_owned())),
        profile: text("dev"),
        region: Some(region("us-east-1")),
        provider: text("dsql"),
        sign_host: Some(HostPort::parse("other.example.com:1").unwrap()),
        life: Some(Life::Max),
        aliases: vec![
            HostPort::parse("localhost:15432").unwrap(),
            HostPort::parse("tunnel").unwrap(),
        ],
    }
}

#[test]
fn a_good_file_is_read() {
    let config = Config::parse(GOOD).unwrap();
    assert_eq!(config.cache, Some(CacheChoice::File));
    assert_eq!(config.max_life, Some(43_200));
    assert_eq!(config.connections.len(), 2);
    assert_eq!(config.connection("prod"), Some(&full()));
    assert_eq!(
        config.connection("bare").unwrap().life,
        Some(Life::Seconds(900))
    );
    assert_eq!(config.connection("Prod"), None);
    assert_eq!(config.rules[0].life, Some(Life::Seconds(900)));
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
                .to_hint()
                .is_some_and(|hint| hint.contains("./install.sh --secret-service")),
            "{error:?}"
        );
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table of cases")]
fn errors_name_line_and_key() {
    let port = "connections.p.port: not a port";
    for (file, expected) in [
        ("\ncahce = 'file'", "line 2: cahce: no such key"),
        ("'a\\nb' = 1", "line 1: `a\\\\nb`: no such key"),
        ("cache = 'disk'", "line 1: cache: no such cache: `disk`"),
        ("cache = true", "line 1: cache: not a text"),
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
            "line 2: connections.p.host: not a text",
        ),
        (
            "[connections.p]\nhost = 'foo0bar1baz2quux3quuux4abc'",
            "line 2: connections.p.host: a cluster ID needs a r",
        ),
        (
            "[connections.p]\nhost = 'h'\nsslmode = 'full'",
            "line 3: connections.p.sslmode: no such sslmode: `full`",
        ),
        (
            "[connections.p]\nhost = 'h'\nhostaddr = 'h'",
            "line 3: connections.p.hostaddr: not an IP address",
        ),
        (
            "[connections.p]\nhost = 'h'\nroots = 'ca.pem'",
            "line 3: connections.p.roots: the path of the file of root certificates is not",
        ),
        (
            "[connections.p]\nhost = 'h'\nroots = ''",
            "line 3: connections.p.roots: the path of the file of root certificates is empty",
        ),
        (
            "[connections.p]\nhost = 'h'\nport = 0",
            &format!("line 3: {port}"),
        ),
        (
            "[connections.p]\nhost = 'h'\nport = 65536",
            &format!("line 3: {port}"),
        ),
        (
            "[connections.p]\r\nhost = 'h'\r\nport = '1'",
            &format!("line 3: {port}"),
        ),
        (
            "[connections.p]\nhost = 'h'\n[connections.p.port]\nx = 1",
            &format!("line 3: {port}"),
        ),
        (
            "connections = { p = { host = 'h', port = -1 } }",
            &format!("line 1: {port}"),
        ),
        (
            "[connections.p]\nhost = 'h'\nuser = ''",
            "line 3: connections.p.user: the user is empty",
        ),
        (
            "[connections.p]\nhost = 'h'\nuser = \"a\\u0000\"",
            "line 3: connections.p.user: the user has a control",
        ),
        (
            "[connections.p]\nhost = 'h'\ndbname = ''",
            "line 3: connections.p.dbname: the dbname is empty",
        ),
        (
            "[connections.p]\nhost = 'h'\nprofile = ''",
            "line 3: connections.p.profile: the profile is empty",
        ),
        (
            "[connections.p]\nhost = 'h'\nregion = 'x y'",
            "line 3: connections.p.region: region `x y`: not a region's",
        ),
        (
            "[connections.p]\nhost = 'h'\nprovider = 'x'",
            "line 3: connections.p.provider: no such provider: `x`",
        ),
        (
            "[connections.p]\nhost = 'h'\nsign_host = 'a/b'",
            "line 3: connections.p.sign_host: host `a/b`",
        ),
        (
            "[connections.p]\nhost = 'h'\nexpires_in = '1w'",
            "line 3: connections.p.expires_in: not a duration",
        ),
        (
            "[connections.p]\nhost = 'h'\nexpires_in = 0",
            "line 3: connections.p.expires_in: 0 s is too short",
        ),
        (
            "[connections.p]\nhost = 'h'\nexpires_in = true",
            "line 3: connections.p.expires_in: not a duration",
        ),
        (
            "[connections.p]\nhost = 'h'\naliases = 'x'",
            "line 3: connections.p.aliases: not a list of hosts",
        ),
        (
            "[connections.p]\nhost = 'h'\naliases = [\n'a',\n1]",
            "line 5: connections.p.aliases: not a list of hosts",
        ),
        (
            "[connections.p]\nhost = 'h'\naliases = [\n'a:0']",
            "line 4: connections.p.aliases: the port is not a number",
        ),
        (
            "[connections.p]\nhost = 'h'\nhots = 'x'",
            "line 3: connections.p.hots: no such key",
        ),
        (
            "[connections.'a.b']\nhost = 'h'",
            "line 1: connections: name `a.b`: not a connection's name",
        ),
        (
            "[connections.foo0bar1baz2quux3quuux4abC]\n",
            "line 1: connections: name `foo0bar1baz2quux3quuux4abC`: it r",
        ),
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
        (
            "[[match]]\nhost = '*'\nuser = ''",
            "line 3: match.user: the user is empty",
        ),
        (
            "[[match]]\nhost = '*'\nregion = '?'",
            "line 3: match.region: region",
        ),
        (
            "[[match]]\nhost = '*'\nprofile = 1",
            "line 3: match.profile: not a text",
        ),
        (
            "[[match]]\nhost = '*'\nexpires_in = '5 m'",
            "line 3: match.expires_in: not a duration",
        ),
        (
            "[[match]]\nhost = '*'\nport = 1",
            "line 3: match.port: no such key",
        ),
    ] {
        let error = Config::parse(file).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage, "{file}");
        assert!(error.to_string().starts_with(expected), "{file}\n{error}");
        assert!(!error.to_string().contains('\n'), "{error}");
        assert!(
            error.to_hint().is_some() || error.to_string().contains("; give "),
            "no hint: {error}"
        );
        assert_eq!(
            add(file, &connection("x", "h"), true)
                .unwrap_err()
                .to_string(),
            error.to_string()
        );
        assert_eq!(
            remove(file, "p").unwrap_err().to_string(),
            error.to_string()
        );
    }
}

#[test]
fn names_are_no_targets() {
    for name in ["p", "prod-1", "A_b", "0", &"a".repeat(25), &"a".repeat(64)] {
        assert!(check_connection_name(name, None).is_ok(), "{name}");
    }
    for name in [
        "",
        "a.b",
        "a=b",
        "a/b",
        "a:1",
        "a b",
        "é",
        "-p",
        &"a".repeat(26),
        &"A".repeat(26),
        &"a".repeat(65),
    ] {
        assert!(check_connection_name(name, None).is_err(), "{name}");
    }
    let id = "a".repeat(26);
    assert!(check_connection_name(&id, Some(&format!("{id}.dsql.us-east-1.on.aws"))).is_ok());
    assert!(check_connection_name(&id, Some("b.dsql.us-east-1.on.aws")).is_err());
}

#[test]
fn patterns_fit_whole_hosts() {
    for (pattern, host, expected) in [
        ("a.b", "a.b", true),
        ("a.b", "a.bc", false),
        ("a.b", "xa.b", false),
        ("*", "a.b", true),
        ("*", "", true),
        ("*.b", "a.b", true),
        ("*.b", "x.a.b", true),
        ("*.b", "b", false),
        ("a*", "a", true),
        ("a*a", "a", false),
        ("a*a", "aa", true),
        ("*ab*ab*", "abab", true),
        ("*ab*ab*", "aba", false),
        ("a*b*c", "abcbc", true),
        ("a*b*c", "abcb", false),
        ("**", "a", true),
        ("a?b", "axb", false),
    ] {
        assert_eq!(fits(pattern, host), expected, "{pattern} {host}");
    }
    let config = Config::parse(GOOD).unwrap();
    let rule = config.rule("A.DSQL.us-east-1.on.aws");
    assert_eq!(
        (rule.profile, rule.region, rule.user),
        (text("dev"), Some(region("us-east-1")), text("app"))
    );
    assert_eq!(rule.life, Some(Life::Seconds(900)));
    let rule = config.rule("a.dsql.us-east-2.on.aws");
    assert_eq!((rule.profile, rule.life), (text("other"), None));
    assert_eq!(
        config.rule("localhost"),
        Rule {
            host: "localhost".to_owned(),
            ..Rule::default()
        }
    );
    let upper = Config::parse("[[match]]\nhost = ' *.On.AWS. '\nuser = 'u'").unwrap();
    assert_eq!(upper.rule("x.on.aws").user, text("u"));
}

#[test]
fn lives_are_written_as_people_do() {
    for (life, expected) in [
        (0, "0"),
        (90, "90"),
        (900, "15m"),
        (43_200, "12h"),
        (604_800, "7d"),
        (3_601, "3601"),
    ] {
        let life = Life::Seconds(life);
        assert_eq!(life.to_string(), expected);
        assert_eq!(expected.parse(), Ok(life));
    }
    assert_eq!("max".parse(), Ok(Life::Max));
    assert!("maximum".parse::<Life>().is_err());
}

#[test]
fn added_at_the_end() {
    let table = r#"[connections.prod]
host = "abc.dsql.us-east-1.on.aws"
port = 6543
user = "admin"
dbname = "postgres"
sslmode = "verify-ca"
hostaddr = "127.0.0.1"
roots = "/ca/all.pem"
profile = "dev"
region = "us-east-1"
provider = "dsql"
sign_host = "other.example.com:1"
expires_in = "max"
aliases = ["localhost:15432", "tunnel"]
"#;
    assert_eq!(add("", &full(), false).unwrap(), table);
    assert_eq!(
        add("# mine\n", &full(), true).unwrap(),
        format!("# mine\n\n{table}")
    );
    let short = Connection {
        life: Some(Life::Seconds(90)),
        ..connection("x", "h")
    };
    for (before, after) in [
        ("a", "# a\n\n[connections.x]\nhost = \"h\"\nexpires_in = 90"),
        (
            "a\n",
            "# a\n\n[connections.x]\nhost = \"h\"\nexpires_in = 90\n",
        ),
        (
            "a\r\n",
            "# a\r\n\r\n[connections.x]\r\nhost = \"h\"\r\nexpires_in = 90\r\n",
        ),
        (
            "a\r\n#",
            "# a\r\n#\r\n\r\n[connections.x]\r\nhost = \"h\"\r\nexpires_in = 90",
        ),
    ] {
        assert_eq!(add(&format!("# {before}"), &short, false).unwrap(), after);
    }
    let inline = "connections = { a = { host = 'h' } } # c\ncache = 'none'\n";
    let expected = "connections = { a = { host = 'h' }, \
                    x = { host = \"h\", expires_in = 90 } } # c\ncache = 'none'\n";
    assert_eq!(add(inline, &short, false).unwrap(), expected);
}

#[test]
fn what_cannot_be_added() {
    let error = add(GOOD, &connection("bare", "h"), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 23: connections.bare: a connection of that name is there already"
    );
    assert_eq!(error.exit(), Exit::Usage);
    for (bad, expected) in [
        (connection("a.b", "h"), "name `a.b`: not a connection"),
        (connection("x", ""), "connections.x.host: the host is empty"),
        (
            Connection {
                provider: text("x"),
                ..connection("x", "h")
            },
            "connections.x.provider: no such provider: `x`",
        ),
        (
            Connection {
                name: "x".into(),
                ..Connection::default()
            },
            "connections.x: host is missing",
        ),
        (
            Connection {
                target: TargetSpec {
                    options: vec![("sslcert".into(), "c".into())],
                    ..connection("x", "h").target
                },
                ..connection("x", "h")
            },
            "connections.x: sslcert cannot be kept",
        ),
    ] {
        let error = add("", &bad, false).unwrap_err();
        assert_eq!(error.exit(), Exit::Usage);
        assert!(error.to_string().starts_with(expected), "{error}");
    }
}

#[test]
fn replaced_in_place() {
    let new = Connection {
        region: Some(region("r-1")),
        target: TargetSpec {
            port: Some(2),
            ..connection("p", "h").target
        },
        ..connection("p", "h")
    };
    for (before, after) in [
        (
            "[connections.p] # t\n# c\nhost = 'h' # same\nport = 1 # old\n# u\nuser = 'u'\n\n# q\n\
             [connections.q]\nhost='x'\n",
            "[connections.p] # t\n# c\nhost = 'h' # same\nport = 2 # old\nregion = \"r-1\"\n# u\n\n\
             # q\n[connections.q]\nhost='x'\n",
        ),
        (
            "[connections.p]\r\n  user = 'u'\r\n  host = 'i'",
            "[connections.p]\r\n  host = \"h\"\r\n  port = 2\r\n  region = \"r-1\"",
        ),
        (
            "connections.p.host = 'h'\nconnections.q.host='x'\nconnections.p.user = 'u' # c\n",
            "connections.p.host = 'h'\nconnections.p.port = 2\nconnections.p.region = \"r-1\"\n\
             connections.q.host='x'\n",
        ),
        (
            "[connections]\np = { user = 'u', dbname = 'd', host = 'h', profile = 'x', port = 1, \
             aliases = [] } # c\n",
            "[connections]\np = { host = 'h', port = 2, region = \"r-1\" } # c\n",
        ),
        (
            "connections = { p = { host = 'h' }, q = { host = 'x' } }",
            "connections = { p = { host = 'h', port = 2, region = \"r-1\" }, q = { host = 'x' } }",
        ),
    ] {
        let replaced = add(before, &new, true).unwrap();
        assert_eq!(replaced, after);
        assert_eq!(add(&replaced, &new, true).unwrap(), replaced);
    }
}

#[test]
fn removed_with_what_is_its_own() {
    for (before, after) in [
        ("[connections.p]\nhost = 'h'\n", ""),
        ("# title\n[connections.p]\nhost = 'h'\n", "# title\n"),
        (
            "# title\n\n# p's\n#\n[connections.p] # t\n\n# in it\nhost = 'h' # h\n",
            "# title\n",
        ),
        (
            "[connections.p]\nhost = 'h'\n\n# q's\n[connections.q]\nhost='x'\n",
            "# q's\n[connections.q]\nhost='x'\n",
        ),
        (
            "[connections.o]\nhost='x'\n# o's\n[connections.p]\nhost = 'h'\n# left\n\n# q's\n\
             [connections.q]\nhost='x'",
            "[connections.o]\nhost='x'\n# o's\n# left\n\n# q's\n[connections.q]\nhost='x'",
        ),
        (
            "cache = 'none'\r\n\r\n[connections.p]\r\nhost = 'h'\r\n\r\n[connections.q]\r\n\
             host='x'\r\n",
            "cache = 'none'\r\n\r\n[connections.q]\r\nhost='x'\r\n",
        ),
        (
            "cache = 'none'\n\n[connections.p]\nhost = 'h'\n[connections.q]\nhost='x'\n",
            "cache = 'none'\n\n[connections.q]\nhost='x'\n",
        ),
        (
            "connections.p.host = 'h' # c\nconnections.q.host = 'x' # d\n\
             connections.p.aliases = [\n'a', # a\n]\ncache='none'",
            "connections.q.host = 'x' # d\ncache='none'",
        ),
        (
            "[connections]\n# q's\nq = { host = 'x' }\n\n# p's\np = { host = 'h' } # c\n",
            "[connections]\n# q's\nq = { host = 'x' }\n",
        ),
        (
            "[connections]\np.host = 'h'\n[connections.q]\nhost='x'",
            "[connections]\n[connections.q]\nhost='x'",
        ),
        (
            "connections = { p = { host = 'h' }, q = { host='x' } } # c",
            "connections = { q = { host='x' } } # c",
        ),
        (
            "connections = { q = { host='x' }, p = { host = 'h' } } # c",
            "connections = { q = { host='x' } } # c",
        ),
        (
            "# a\n\n[connections.p]\n# in it\nhost = 'h'\n\n# in it\nport = 1\n\n# b",
            "# a\n\n# b",
        ),
        (
            "connections = { q = { host = 'x' }, p.host = 'h' }\n",
            "connections = { q = { host = 'x' }}\n",
        ),
        (
            "connections = {\n  # q's\n  q = { host = 'x' },\n  # p's\n  p = { host = 'h' },\n}\n",
            "connections = {\n  # q's\n  q = { host = 'x' },\n  # p's\n}\n",
        ),
        ("\u{feff}[connections.p]\nhost = 'h'\n\n# c", "\u{feff}# c"),
    ] {
        assert_eq!(remove(before, "p").unwrap(), after, "{before}");
    }
    let error = remove(GOOD, "p\n").unwrap_err();
    assert_eq!(
        (error.exit(), error.to_string().as_str()),
        (Exit::NoTarget, "no connection `p\\n`")
    );
}

/// `toml_edit` prints other lines of these files in another order, or with another text.
#[test]
fn an_edit_that_would_change_other_lines_is_refused() {
    let new = connection("new", "h");
    let dotted = "connections.p.host = 'h'\n# none\ncache = 'none'\nconnections.q.host = 'x'\n";
    let error = add(dotted, &new, false).unwrap_err();
    assert_eq!(error.exit(), Exit::Failure);
    assert_eq!(
        error.to_string(),
        "cannot edit connections.new: other lines of the file would change"
    );
    assert_eq!(
        error.to_hint(),
        Some("edit it by hand: put each key on a line of its own below the line [connections.new]")
    );
    let comment =
        "connections.p.host = 'h'\nconnections.q.host = 'x'\n# c\nconnections.p.port = 1\n";
    let with_port = Connection {
        target: TargetSpec {
            port: Some(2),
            ..new.target.clone()
        },
        ..connection("p", "h")
    };
    let many_lines = "connections = {\n  q = { host = 'x' }\n}\n";
    for (text, edited) in [
        (dotted, remove(dotted, "p")),
        (comment, add(comment, &new, false)),
        (comment, add(comment, &with_port, true)),
        (many_lines, add(many_lines, &new, false)),
    ] {
        let message = edited.unwrap_err().to_string();
        assert!(message.starts_with("cannot edit connections."), "{text}");
    }
}

#[test]
fn each_line_keeps_its_own_end() {
    let before = "# a\r\n# b\n[connections.p]\r\nhost = 'h'\nport = 1\r\n[connections.q]\nhost='x'";
    let new = Connection {
        region: Some(region("r-1")),
        ..connection("p", "h")
    };
    assert_eq!(
        add(before, &new, true).unwrap(),
        "# a\r\n# b\n[connections.p]\r\nhost = 'h'\nregion = \"r-1\"\n[connections.q]\nhost='x'"
    );
    assert_eq!(
        add(before, &connection("r", "h"), true).unwrap(),
        format!("{before}\n\n[connections.r]\nhost = \"h\"")
    );
    assert_eq!(
        remove(before, "q").unwrap(),
        "# a\r\n# b\n[connections.p]\r\nhost = 'h'\nport = 1"
    );
    assert_eq!(
        remove(&before.replace("= 1\r\n", "= 1\r\n\n\r\n"), "p").unwrap(),
        "# a\r\n# b\n\n\r\n[connections.q]\nhost='x'"
    );
}

#[test]
fn removing_what_was_added_gives_back_the_text() {
    let crlf = GOOD.replace('\n', "\r\n");
    for text in [
        "",
        "\n",
        "\r\n\r\n",
        "  ",
        "# c",
        "# c\n",
        "# c\n\n\n# d\n",
        "\u{feff}",
        "\u{feff}# c\r\n",
        "cache = 'none'",
        GOOD,
        &crlf,
        GOOD.trim_end(),
        "connections.q.host = 'x'\n",
        "[connections]\nq = { host = 'x' }",
        "connections = { q = { host = 'x' } }\n",
    ] {
        let more = add(
            text,
            &Connection {
                name: "new".into(),
                ..full()
            },
            false,
        )
        .unwrap();
        assert_eq!(remove(&more, "new").unwrap(), text, "{more}");
    }
}

fn some_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[connections.p]\n".to_owned()),
        Just("[connections]\n".to_owned()),
        Just("[[match]]\nhost = '*'\n".to_owned()),
        Just("connections.q.host = 'x'\n".to_owned()),
        Just("connections = {".to_owned()),
        Just("p = { host = 'h', port = 1 }\n".to_owned()),
        Just("host = \"h\"\r\n".to_owned()),
        Just("user = '''u\n# v'''\n".to_owned()),
        Just("aliases = [\n'a:1', # c\n]\n".to_owned()),
        Just("\n".to_owned()),
        Just("# c\n".to_owned()),
        Just("# c".to_owned()),
        Just("\u{feff}".to_owned()),
        Just("{},.=\"".to_owned()),
        "\\PC{0,8}",
        any::<String>(),
    ];
    proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

fn some_connection() -> impl Strategy<Value = Connection> {
    let host = "[a-z0-9_-]{1,12}(\\.[a-z0-9]{1,9}){0,3}";
    let name = proptest::option::of("[^\\p{Cc}]{1,12}");
    let life = prop_oneof![Just(Life::Max), (1..=u32::MAX).prop_map(Life::Seconds)];
    let place = (
        host,
        proptest::option::of(1..=u16::MAX),
        name.clone(),
        name.clone(),
    );
    let address =
        (host, proptest::option::of(1..=u16::MAX)).prop_map(|(host, port)| HostPort { host, port });
    let aliases = proptest::collection::vec(address.clone(), 0..4);
    let tls = (
        proptest::option::of("verify-(ca|full)"),
        proptest::option::of("[1-9]\\.0\\.0\\.[1-9]"),
    );
    let roots = prop_oneof![
        Just(None),
        Just(Some(RootsChoice::System)),
        "/[^\\p{Cc}]{1,12}".prop_map(|file| Some(RootsChoice::File(file)))
    ];
    let rest = (
        name,
        proptest::option::of("[a-z0-9-]{1,12}"),
        proptest::option::of(life),
        aliases,
    );
    let signed = (
        proptest::option::of(Just("rds".to_owned())),
        proptest::option::of(address),
    );
    let named = "[A-Za-z0-9_][A-Za-z0-9_-]{0,20}";
    (named, place, rest, signed, tls, roots).prop_map(|(name, place, rest, signed, tls, roots)| {
        Connection {
            name,
            target: TargetSpec {
                host: Some(place.0),
                port: place.1,
                user: place.2,
                dbname: place.3,
                options: [("hostaddr", tls.1), ("sslmode", tls.0)]
                    .into_iter()
                    .filter_map(|(keyword, value)| Some((keyword.to_owned(), value?)))
                    .collect(),
            },
            roots,
            profile: rest.0,
            region: rest.1.map(Region::vouched_for),
            provider: signed.0,
            sign_host: signed.1,
            life: rest.2,
            aliases: rest.3,
        }
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in some_text(), connection in some_connection()) {
        let readable = Config::parse(&text).is_ok();
        let added = add(&text, &connection, true);
        prop_assert!(readable || added.is_err());
        let _ = remove(&text, "p");
        if let Ok(more) = add(&text, &Connection { name: "new".into(), ..connection }, false) {
            prop_assert_eq!(remove(&more, "new").unwrap(), text);
        }
    }

    #[test]
    fn what_is_added_is_read(connection in some_connection(), replaced in some_connection()) {
        let name = connection.name.clone();
        let before = add(GOOD, &Connection { name: name.clone(), ..replaced }, true).unwrap();
        let after = add(&before, &connection, true).unwrap();
        let config = Config::parse(&after).unwrap();
        prop_assert_eq!(config.connection(&name), Some(&connection));
        let comments = |text: &str| text.matches('#').count();
        prop_assert!(comments(&after) >= comments(GOOD));
    }
}

proptest! {
    #![proptest_config(crate::text::mutation::cases())]

    /// A text that is no configuration gives an error of one line. A text that is one stays as it
    /// was when a connection is added and removed again.
    #[test]
    fn files_that_are_nearly_right(text in crate::text::mutation::text(
        &[
            "cache = \"file\"\nlogin = \"never\"\nmax_expires_in = \"12h\"\n[[match]]\n\
             host = \"*.on.aws\"\nprofile = \"p\"\n",
            "[connections.prod]\nhost = \"h.dsql.us-east-1.on.aws\"\nuser = \"admin\"\n\
             port = 5432\naliases = [\"localhost:15432\"]\n",
            "match = [{ host = 'h', region = 'us-east-1' }]\n[connections]\n\
             x = { host = 'h.example.com', sign_host = 'g:1' }\n",
        ],
        &[
            "[connections.", "[[match]]", "host = ", "= '", "\"\"\"", "{", "}", "[", "]", "#",
            "1e9", "connections", ".",
        ],
    )) {
        if let Err(error) = Config::parse(&text) {
            prop_assert!(!error.to_string().contains(char::is_control), "{:?}", error.to_string());
            return Ok(());
        }
        let place = TargetSpec { host: Some("n.example.com".into()), ..TargetSpec::default() };
        let name = "new-one".into();
        let connection = Connection { name, target: place, ..Connection::default() };
        if let Ok(more) = add(&text, &connection, false) {
            prop_assert!(Config::parse(&more).is_ok(), "{}", more);
            prop_assert_eq!(remove(&more, "new-one").unwrap(), text);
        }
    }
}
