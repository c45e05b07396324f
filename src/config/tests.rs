//! The values of a configuration: names, patterns and lives. The unit tests of reading and editing
//! share its files and connections. Texts that a machine made are read and edited at the end.

use proptest::prelude::*;

use super::*;
use crate::authority::Region;
use crate::request::target::RootsChoice;
use crate::text::host::HostPort;

pub(super) const GOOD: &str = r#"# pgcred
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
proxy = { port = 15440, socket = true, auth = "none" }

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
pub(super) fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

pub(super) fn region(name: &str) -> Region {
    Region::from_trusted_name(name)
}

pub(super) fn connection(name: &str, host: &str) -> Connection {
    Connection {
        name: name.to_owned(),
        target: TargetSpec {
            host: text(host),
            ..TargetSpec::default()
        },
        ..Connection::default()
    }
}

pub(super) fn full() -> Connection {
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
        lifetime: Some(RequestedLifetime::Max),
        aliases: vec![
            HostPort::parse("localhost:15432").unwrap(),
            HostPort::parse("tunnel").unwrap(),
        ],
        vars: Vec::new(),
        discovered: false,
        gateway: Some(GatewaySettings {
            port: 15440,
            socket: true,
            auth: LocalAuth::None,
        }),
    }
}

/// The names of providers are set afterwards: a file that has one registers the provider for all
/// unit tests.
#[test]
fn a_connection_without_a_port_is_at_the_usual_port_of_its_provider() {
    let host = "dwh.abc.eu-west-1.redshift.amazonaws.com";
    let (redshift, other) = (Some("redshift".to_owned()), None);
    let of = |keys: &str, own: &Option<String>, of_rule: &Option<String>| {
        let text = format!(
            "[connections.x]\n{keys}\naliases = ['alias']\n[[match]]\nhost = '*'\nuser = 'u'\n"
        );
        let mut config = Config::parse(&text).unwrap();
        config.connections[0].provider.clone_from(own);
        config.rules[0].provider.clone_from(of_rule);
        config
    };
    for (keys, own, of_rule, dialled, port) in [
        (format!("host = '{host}'"), &other, &other, host, 5439),
        (
            format!("host = '{host}'\nport = 5432"),
            &other,
            &other,
            host,
            5432,
        ),
        (
            format!("host = 'cname'\nsign_host = '{host}'"),
            &other,
            &other,
            "cname",
            5439,
        ),
        (
            "host = 'cname'".to_owned(),
            &redshift,
            &other,
            "cname",
            5439,
        ),
        (
            "host = 'cname'".to_owned(),
            &other,
            &redshift,
            "cname",
            5439,
        ),
        ("host = 'cname'".to_owned(), &other, &other, "cname", 5432),
    ] {
        let config = of(&keys, own, of_rule);
        for tried in [5432, 5439] {
            let place = |port| TargetSpec::parse(&format!("host={dialled} port={port}")).unwrap();
            for found in [
                config.connection_dialled_at(dialled, tried, "u"),
                config.connection_dialled_at("alias", tried, "u"),
                config.connection_at(&place(tried), None, |_| true),
            ] {
                assert_eq!(found.is_some(), tried == port, "{keys}");
            }
        }
    }
    let config = of(
        &format!("host = 'tunnel'\nport = 1\nsign_host = '{host}'"),
        &other,
        &other,
    );
    for (port, signs) in [(Some(5439), true), (Some(5432), false), (None, true)] {
        assert_eq!(
            config.is_signed_for(&config.connections[0], host, port, None),
            signs
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
        assert_eq!(matches_pattern(pattern, host), expected, "{pattern} {host}");
    }
    let config = Config::parse(GOOD).unwrap();
    let rule = config.rule("A.DSQL.us-east-1.on.aws");
    assert_eq!(
        (rule.profile, rule.region, rule.user),
        (text("dev"), Some(region("us-east-1")), text("app"))
    );
    assert_eq!(rule.lifetime, Some(RequestedLifetime::Seconds(900)));
    let rule = config.rule("a.dsql.us-east-2.on.aws");
    assert_eq!((rule.profile, rule.lifetime), (text("other"), None));
    assert_eq!(
        config.rule("localhost"),
        HostRule {
            host: "localhost".to_owned(),
            ..HostRule::default()
        }
    );
    let upper = Config::parse("[[match]]\nhost = ' *.On.AWS. '\nuser = 'u'").unwrap();
    assert_eq!(upper.rule("x.on.aws").user, text("u"));
}

#[test]
fn lives_are_written_as_people_do() {
    for (lifetime, expected) in [
        (0, "0"),
        (90, "90"),
        (900, "15m"),
        (43_200, "12h"),
        (604_800, "7d"),
        (3_601, "3601"),
    ] {
        let lifetime = RequestedLifetime::Seconds(lifetime);
        assert_eq!(lifetime.to_string(), expected);
        assert_eq!(expected.parse(), Ok(lifetime));
    }
    assert_eq!("max".parse(), Ok(RequestedLifetime::Max));
    assert!("maximum".parse::<RequestedLifetime>().is_err());
}

pub(super) fn some_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("[connections.p]\n".to_owned()),
        Just("[connections]\n".to_owned()),
        Just("[[match]]\nhost = '*'\nuser = 'u'\n".to_owned()),
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

pub(super) fn some_connection() -> impl Strategy<Value = Connection> {
    let host = "[a-z0-9_-]{1,12}(\\.[a-z0-9]{1,9}){0,3}";
    let name = proptest::option::of("[^\\p{Cc}]{1,12}");
    let lifetime = prop_oneof![
        Just(RequestedLifetime::Max),
        (1..=u32::MAX).prop_map(RequestedLifetime::Seconds)
    ];
    let target = (
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
        proptest::option::of(lifetime),
        aliases,
    );
    let signed = (
        proptest::option::of(Just("rds".to_owned())),
        proptest::option::of(address),
        any::<bool>(),
        proptest::option::of(some_gateway()),
    );
    let named = "[A-Za-z0-9_][A-Za-z0-9_-]{0,20}";
    (named, target, rest, signed, tls, roots).prop_map(
        |(name, target, rest, signed, tls, roots)| Connection {
            name,
            target: TargetSpec {
                host: Some(target.0),
                port: target.1,
                user: target.2,
                dbname: target.3,
                options: [("hostaddr", tls.1), ("sslmode", tls.0)]
                    .into_iter()
                    .filter_map(|(keyword, value)| Some((keyword.to_owned(), value?)))
                    .collect(),
            },
            roots,
            profile: rest.0,
            region: rest.1.map(Region::from_trusted_name),
            provider: signed.0,
            sign_host: signed.1,
            lifetime: rest.2,
            aliases: rest.3,
            vars: Vec::new(),
            discovered: signed.2,
            gateway: signed.3,
        },
    )
}

fn some_gateway() -> impl Strategy<Value = GatewaySettings> {
    let auth = prop::sample::select(vec![LocalAuth::Password, LocalAuth::None]);
    (1..=u16::MAX, any::<bool>(), auth).prop_map(|(port, socket, auth)| GatewaySettings {
        port,
        socket,
        auth,
    })
}

proptest! {
    #[test]
    fn no_text_panics(text in some_text(), connection in some_connection()) {
        let readable = Config::parse(&text).is_ok();
        let added = add_connection(&text, &connection, true);
        prop_assert!(readable || added.is_err());
        let _ = remove_connection(&text, "p");
        let new = Connection { name: "new".into(), ..connection };
        if let Ok(more) = add_connection(&text, &new, false) {
            prop_assert_eq!(remove_connection(&more, "new").unwrap(), text);
        }
    }

    #[test]
    fn what_is_added_is_read(connection in some_connection(), replaced in some_connection()) {
        let name = connection.name.clone();
        let replaced = Connection { name: name.clone(), ..replaced };
        let before = add_connection(GOOD, &replaced, true).unwrap();
        let after = add_connection(&before, &connection, true).unwrap();
        let config = Config::parse(&after).unwrap();
        prop_assert_eq!(config.connection(&name), Some(&connection));
        let both = [connection, Connection { name: "the-other".into(), ..full() }];
        let together = change_connections(&before, &both, &[&name, "bare"]);
        let Ok(together) = together else {
            prop_assert!(name == "bare" || name == "the-other");
            return Ok(());
        };
        let config = Config::parse(&together).unwrap();
        prop_assert_eq!(config.connection(&name), Some(&both[0]));
        prop_assert_eq!(config.connection("the-other"), Some(&both[1]));
        prop_assert_eq!(config.connection("bare"), None);
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
            "[command.x]\nrun = ['a', '{h}']\ntoken = 'a.0'\nexpires = '+e'\nlife = '1h'\n\
             login = 'a b'\nlogin_if = 'x|y'\n[connections.y]\nhost = 'h'\nprovider = 'x'\n\
             vars = { h = 'v' }\n",
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
        if let Ok(more) = add_connection(&text, &connection, false) {
            prop_assert!(Config::parse(&more).is_ok(), "{}", more);
            prop_assert_eq!(remove_connection(&more, "new-one").unwrap(), text);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Many edits in one give the text that one after the other gives, from above to below.
    #[test]
    fn many_edits_are_as_single_ones(
        text in prop_oneof![Just(GOOD.to_owned()), some_text()],
        more in proptest::collection::vec(some_connection(), 1..5),
        is_taken in proptest::collection::vec(any::<bool>(), 8),
    ) {
        let more: Vec<Connection> = more.into_iter().enumerate().map(|(number, connection)| {
            Connection { name: format!("new{number}"), ..connection }
        }).collect();
        let one_by_one = more.iter().try_fold(text.clone(), |text, new| {
            add_connection(&text, new, false)
        });
        let Ok(expected) = one_by_one else { return Ok(()) };
        let added = change_connections(&text, &more, &[]).unwrap();
        prop_assert_eq!(&added, &expected);
        let names: Vec<&str> = more.iter().map(|new| new.name.as_str()).collect();
        prop_assert_eq!(change_connections(&added, &[], &names).unwrap(), text);

        let all = Config::parse(&added).unwrap().connections;
        let mut taken = Vec::new();
        for (connection, is_taken) in all.iter().zip(is_taken) {
            if is_taken {
                taken.push(connection.name.as_str());
            }
        }
        let one_by_one = taken.iter().try_fold(added.clone(), |text, name| {
            remove_connection(&text, name)
        });
        let Ok(expected) = one_by_one else { return Ok(()) };
        prop_assert_eq!(change_connections(&added, &[], &taken).unwrap(), expected);
    }
}
