//! Edits of a file of the configuration: they leave the other bytes alone, or are refused.
//!
//! All by texts, without files. An edit that is taken back gives the same text as before.

use std::time::{Duration, Instant};

use crate::config::tests::{GOOD, connection, full, region, text};
use crate::config::{
    Config, Connection, RequestedLifetime, add_connection, change_connections, remove_connection,
};
use crate::error::Exit;
use crate::request::target::TargetSpec;

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
proxy = { port = 15440, socket = true, auth = "none" }
aliases = ["localhost:15432", "tunnel"]
"#;
    assert_eq!(add_connection("", &full(), false).unwrap(), table);
    assert_eq!(
        add_connection("# mine\n", &full(), true).unwrap(),
        format!("# mine\n\n{table}")
    );
    let short = Connection {
        lifetime: Some(RequestedLifetime::Seconds(90)),
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
        assert_eq!(
            add_connection(&format!("# {before}"), &short, false).unwrap(),
            after
        );
    }
    let inline = "connections = { a = { host = 'h' } } # c\ncache = 'none'\n";
    let expected = "connections = { a = { host = 'h' }, \
                    x = { host = \"h\", expires_in = 90 } } # c\ncache = 'none'\n";
    assert_eq!(add_connection(inline, &short, false).unwrap(), expected);
}

#[test]
fn what_cannot_be_added() {
    let error = add_connection(GOOD, &connection("bare", "h"), false).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 24: connections.bare: a connection of that name exists already"
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
        let error = add_connection("", &bad, false).unwrap_err();
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
        let replaced = add_connection(before, &new, true).unwrap();
        assert_eq!(replaced, after);
        assert_eq!(add_connection(&replaced, &new, true).unwrap(), replaced);
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
        assert_eq!(remove_connection(before, "p").unwrap(), after, "{before}");
    }
    let error = remove_connection(GOOD, "p\n").unwrap_err();
    assert_eq!(
        (error.exit(), error.to_string().as_str()),
        (Exit::NoTarget, "there is no connection `p\\n`")
    );
}

/// `toml_edit` prints other lines of these files in another order, or with another text.
#[test]
fn an_edit_that_would_change_other_lines_is_refused() {
    let new = connection("new", "h");
    let dotted = "connections.p.host = 'h'\n# none\ncache = 'none'\nconnections.q.host = 'x'\n";
    let error = add_connection(dotted, &new, false).unwrap_err();
    assert_eq!(error.exit(), Exit::Failure);
    assert_eq!(
        error.to_string(),
        "cannot edit connections.new: other lines of the file would change"
    );
    assert_eq!(
        error.hint_text(),
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
        (dotted, remove_connection(dotted, "p")),
        (comment, add_connection(comment, &new, false)),
        (comment, add_connection(comment, &with_port, true)),
        (many_lines, add_connection(many_lines, &new, false)),
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
        add_connection(before, &new, true).unwrap(),
        "# a\r\n# b\n[connections.p]\r\nhost = 'h'\nregion = \"r-1\"\n[connections.q]\nhost='x'"
    );
    assert_eq!(
        add_connection(before, &connection("r", "h"), true).unwrap(),
        format!("{before}\n\n[connections.r]\nhost = \"h\"")
    );
    assert_eq!(
        remove_connection(before, "q").unwrap(),
        "# a\r\n# b\n[connections.p]\r\nhost = 'h'\nport = 1"
    );
    assert_eq!(
        remove_connection(&before.replace("= 1\r\n", "= 1\r\n\n\r\n"), "p").unwrap(),
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
        let more = add_connection(
            text,
            &Connection {
                name: "new".into(),
                ..full()
            },
            false,
        )
        .unwrap();
        assert_eq!(remove_connection(&more, "new").unwrap(), text, "{more}");
    }
}

/// What is removed and added is changed in its place, and keeps its comments.
#[test]
fn many_edits_in_one() {
    let of_user = |name: &str, user: &str| Connection {
        target: TargetSpec {
            user: text(user),
            ..connection(name, "h").target
        },
        ..connection(name, "h")
    };
    let before = "# mine\r\n\r\n[connections.a]\r\nhost = 'a'\r\n\r\n# b's\r\n[connections.b] # b\r\n\
                  host = 'h' # of b\r\nuser = 'old'\r\n\r\n# c's\r\n[connections.c]\r\nhost = 'c'";
    let add = [of_user("x", "u"), of_user("b", "new"), of_user("y", "v")];
    assert_eq!(
        change_connections(before, &add, &["a", "b", "c"]).unwrap(),
        "# mine\r\n\r\n# b's\r\n[connections.b] # b\r\nhost = 'h' # of b\r\nuser = \"new\"\r\n\r\n\
         [connections.x]\r\nhost = \"h\"\r\nuser = \"u\"\r\n\r\n\
         [connections.y]\r\nhost = \"h\"\r\nuser = \"v\""
    );
    let braces = "connections = { a = { host = 'a' }, b = { host = 'h' } } # c\n";
    assert_eq!(
        change_connections(braces, &add, &["a", "b"]).unwrap(),
        "connections = { b = { host = 'h', user = \"new\" }, x = { host = \"h\", user = \"u\" }, \
         y = { host = \"h\", user = \"v\" } } # c\n"
    );
    // Dotted keys of two connections, line about line.
    let dotted = "connections.a.host = 'a'\nconnections.b.host = 'h'\nconnections.a.port = 1\n\
                  connections.b.user = 'old'\nconnections.a.user = 'u'\n";
    assert_eq!(
        change_connections(dotted, &[of_user("b", "new")], &["b", "a"]).unwrap(),
        "connections.b.host = 'h'\nconnections.b.user = \"new\"\n"
    );
    assert_eq!(change_connections(before, &[], &[]).unwrap(), before);
    let marked = format!("\u{feff}{before}");
    let more = change_connections(&marked, &[connection("z", "h")], &[]).unwrap();
    assert!(more.starts_with("\u{feff}# mine\r\n"), "{more}");
}

#[test]
fn neighbours_go_together() {
    for (before, after) in [
        (
            "[connections.a]\nhost = 'a'\n\n[connections.b]\nhost = 'b'\n\n[connections.c]\n\
             host='c'\n",
            "[connections.c]\nhost='c'\n",
        ),
        (
            "# t\n\n# a's\n[connections.a]\nhost = 'a'\n\n# b's\n[connections.b]\nhost = 'b'\n\n\
             # e\n",
            "# t\n\n# e\n",
        ),
        (
            "[connections.c]\nhost='c'\n\n[connections.b]\nhost = 'b'\n\n[connections.a]\n\
             host = 'a'\n",
            "[connections.c]\nhost='c'\n",
        ),
        (
            "[connections]\na = { host = 'a' }\nb = { host = 'b' }\nc = { host = 'c' }\n",
            "[connections]\nc = { host = 'c' }\n",
        ),
        (
            "[connections.a]\nhost = 'a'\n\n[connections.b]\nhost = 'b'",
            "",
        ),
    ] {
        assert_eq!(
            change_connections(before, &[], &["b", "a"]).unwrap(),
            after,
            "{before}"
        );
    }
}

#[test]
fn what_cannot_be_changed_together() {
    let new = connection("new", "h");
    for (add, remove, expected) in [
        (
            vec![new.clone(), new.clone()],
            vec![],
            "connections.new: two connections have this name",
        ),
        (
            vec![new.clone(), connection("bare", "h")],
            vec!["prod"],
            "line 24: connections.bare: a connection of that name exists already",
        ),
        (
            vec![new.clone()],
            vec!["new"],
            "there is no connection `new`",
        ),
        (
            vec![new, connection("x", "a b")],
            vec![],
            "connections.x.host: host `a b`",
        ),
    ] {
        let message = change_connections(GOOD, &add, &remove)
            .unwrap_err()
            .to_string();
        assert!(message.starts_with(expected), "{message}");
    }
    let dotted = "connections.p.host = 'h'\n# none\ncache = 'none'\nconnections.q.host = 'x'\n";
    let both = [connection("x", "h"), connection("y", "h")];
    let error = change_connections(dotted, &both, &[]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot edit 2 connections: other lines of the file would change"
    );
    assert_eq!(
        error.hint_text(),
        Some(
            "edit it by hand: put each key on a line of its own below the line [connections.NAME]"
        )
    );
}

/// The mark of `pgcred discover` is written only when it is set, and goes when the user takes the
/// connection over.
#[test]
fn a_discovered_connection_is_marked() {
    let own = connection("p", "h");
    let found = Connection {
        discovered: true,
        ..own.clone()
    };
    let marked = "[connections.p]\nhost = \"h\"\ndiscovered = true\n";
    assert_eq!(add_connection("", &found, false).unwrap(), marked);
    assert_eq!(Config::parse(marked).unwrap().connections, [found]);
    assert_eq!(
        add_connection(marked, &own, true).unwrap(),
        "[connections.p]\nhost = \"h\"\n"
    );
    let denied = marked.replace("true", "false");
    assert_eq!(Config::parse(&denied).unwrap().connections, [own]);
}

/// What `pgcred discover --add` has to do in a large organisation. One edit after the other takes
/// minutes.
#[test]
fn thousands_of_edits_are_made_at_once() {
    let many = |prefix: &str, count: usize| -> Vec<Connection> {
        let name = |number| format!("{prefix}{number}");
        (0..count)
            .map(|number| Connection {
                name: name(number),
                ..full()
            })
            .collect()
    };
    let begin = Instant::now();
    let before = change_connections("# mine\n", &many("old", 100), &[]).unwrap();
    let new = many("new", 2_000);
    let after = change_connections(&before, &new, &[]).unwrap();
    assert_eq!(Config::parse(&after).unwrap().connections.len(), 2_100);
    let names: Vec<&str> = new.iter().map(|new| new.name.as_str()).collect();
    assert_eq!(change_connections(&after, &[], &names).unwrap(), before);
    let taken = begin.elapsed();
    assert!(taken < Duration::from_mins(1), "{taken:?}");
}
