//! Hostile names and addresses: in every format, in real shells and in libpq, together in one
//! passfile, and as hosts.

use std::fs;

use serde_json::{Value, json};

use crate::support::needs::{can_run, package, program, python, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

/// Each of these names would run `touch` or end its string in some shell, format or file if it were
/// not quoted.
const NAMES: [&str; 20] = [
    "$(touch touched)",
    "`touch touched`",
    "';touch touched;'",
    "\";touch touched;\"",
    "a' || touch touched #",
    "\\';touch touched;\\'",
    "x;touch${IFS}touched;",
    "(touch touched)",
    "&touch touched&",
    "|touch touched|",
    "% $HOME ~ * ? [a-z] {a,b} !!",
    "\\",
    "ends in \\",
    "''",
    "\"\"",
    "’;touch touched;‘",
    "password=stolen",
    "?sslmode=disable&host=evil",
    "a:b@c/d#e%2f%00",
    "# é 😀 \u{a0}",
];

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .set("PGSSLROOTCERT", "/r.pem")
        .at("2030-01-01T00:00:00Z")
        .set("PGCRED_CACHE", "none");
    sandbox
}

/// Returns a connection string that has the name in three places.
fn target(name: &str) -> String {
    let quoted = format!("'{}'", name.replace('\\', r"\\").replace('\'', r"\'"));
    format!("host={HOST} user={quoted} dbname={quoted} application_name={quoted}")
}

fn in_format(sandbox: &Sandbox, name: &str, format: &str) -> String {
    sandbox.ok(&["token", &target(name), "--format", format])
}

#[test]
fn shells_get_names_and_run_nothing() {
    let sandbox = sandbox();
    for name in NAMES {
        let token = sandbox.ok(&["token", &target(name)]);
        let expected = format!("{name}\n{name}\n{name}\n{token}");
        let show = "printf '%s\\n' \"$PGUSER\" \"$PGDATABASE\" \"$PGAPPNAME\" \"$PGPASSWORD\"";
        for (shells, format, read) in [
            (&["sh", "bash", "zsh"][..], "env", "."),
            (&["fish"], "fish", "source"),
        ] {
            let script = sandbox.write("script", in_format(&sandbox, name, format));
            for shell in shells {
                if !can_run!(program(shell)) {
                    continue;
                }
                let mut command = sandbox.command(shell);
                command.args(["-c", &format!("{read} {}; {show}", script.display())]);
                let run = Run::of(command);
                assert_eq!(run.stdout, expected, "{name} by {shell}: {}", run.stderr);
            }
        }
        assert!(!sandbox.path("touched").exists(), "{name}");
    }
}

#[test]
fn libpq_reads_names_and_nothing_else() {
    skip_unless!(package("psycopg"));
    let sandbox = sandbox();
    let mut texts = Vec::new();
    for name in NAMES {
        texts.extend(["conninfo", "url"].map(|format| in_format(&sandbox, name, format)));
    }
    let file = sandbox.write("texts", json!(texts).to_string());
    let parse = "import json, sys, psycopg.conninfo as c\n\
        texts = json.load(open(sys.argv[1], encoding='utf-8'))\n\
        print(json.dumps([c.conninfo_to_dict(text.rstrip('\\n')) for text in texts]))";
    let mut command = sandbox.command(&python());
    command.args(["-c", parse]).arg(file);
    let run = Run::of(command);
    let parsed: Vec<Value> =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    for (at, name) in NAMES.iter().enumerate() {
        let token = sandbox.ok(&["token", &target(name), "--no-newline"]);
        let expected = json!({
            "host": HOST, "port": "5432", "user": name, "dbname": name, "application_name": name,
            "password": token,
            "sslmode": "verify-full", "sslrootcert": "/r.pem",
        });
        assert_eq!(
            (&parsed[2 * at], &parsed[2 * at + 1]),
            (&expected, &expected),
            "{name}"
        );
    }
}

/// libpq looks up each user in the file by itself. It connects to a port where nobody listens, and
/// says which password it took.
#[test]
fn in_one_passfile_everybody_finds_their_own_token() {
    skip_unless!(package("psycopg"));
    let sandbox = sandbox();
    // In a passfile `*` and `#` have another meaning.
    let mut users: Vec<String> = NAMES
        .iter()
        .filter(|name| !name.contains('*') && !name.starts_with('#'))
        .map(|name| (*name).to_owned())
        .collect();
    for part in ["\\", ":", "\\:", "\\\\:"] {
        users.extend((1..=20).map(|count| format!("u{}", part.repeat(count))));
    }
    let entry = |(number, user)| {
        format!(
            "[connections.n{number}]\nhost = '{RDS_HOST}'\nuser = {}\n",
            json!(user)
        )
    };
    let config: Vec<String> = users.iter().enumerate().map(entry).collect();
    fs::write(sandbox.own().join("config.toml"), config.concat()).expect("written");
    sandbox.ok(&["refresh", "--quiet"]);
    let file = sandbox.write("users", json!(users).to_string());
    let look_up = format!(
        "import json, sys, psycopg.conninfo as c, psycopg.pq as pq\n\
         found = {{}}\n\
         for user in json.load(open(sys.argv[1], encoding='utf-8')):\n\
         \x20   text = c.make_conninfo(host='{RDS_HOST}', hostaddr='127.0.0.1', port=5432, \
         dbname='x', user=user, passfile=sys.argv[2])\n\
         \x20   found[user] = pq.PGconn.connect_start(text.encode()).password.decode()\n\
         print(json.dumps(found))"
    );
    let mut command = sandbox.command(&python());
    command
        .args(["-c", &look_up])
        .arg(file)
        .arg(sandbox.path(".pgpass"));
    let run = Run::of(command);
    let found: Value =
        serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    assert_eq!(
        found.as_object().map(serde_json::Map::len),
        Some(users.len())
    );
    for user in &users {
        let token = found[user].as_str().unwrap_or_default();
        let named = token
            .split_once("&DBUser=")
            .and_then(|(_, rest)| rest.split('&').next())
            .unwrap_or_default();
        let named = percent_encoding::percent_decode_str(named)
            .decode_utf8()
            .expect("UTF-8");
        assert_eq!(named, *user, "{token}");
    }
}

/// A host is signed exactly as the user named it, or it is refused.
#[test]
fn the_named_host_is_signed_or_none() {
    let sandbox = sandbox();
    let evil = "evil.example.com";
    let cyrillic = HOST.replacen('o', "\u{43e}", 1);
    let full_width = HOST.replace('.', "\u{ff0e}");
    let ideographic = HOST.replace('.', "\u{3002}");
    let refused = [
        format!("{HOST}.{evil}"),
        format!("{HOST}@{evil}"),
        format!("{evil}@{HOST}"),
        format!("{HOST}%2f.{evil}"),
        format!("{HOST}%00.{evil}"),
        format!("{HOST}%0a"),
        format!("{HOST}#.{evil}"),
        format!("{HOST}?.{evil}"),
        format!("{HOST}/.{evil}"),
        format!("{HOST}\\.{evil}"),
        format!("{HOST},{evil}"),
        format!("{evil},{HOST}"),
        format!("{HOST}.."),
        format!("{HOST}:5432:1"),
        format!("{HOST};{evil}"),
        format!("{HOST} {evil}"),
        format!("https://{HOST}"),
        format!("[{HOST}]"),
        format!("{evil}/{HOST}"),
        format!("dsql.us-east-1.on.aws.{evil}"),
        format!("{evil}-dsql.us-east-1.on.aws"),
        "[fe80::1]".to_owned(),
        "::1".to_owned(),
        "127.0.0.1".to_owned(),
        "0x7f.1".to_owned(),
        cyrillic,
        full_width,
        ideographic,
        format!("postgres://{HOST}@{evil}/"),
        format!("postgres://{HOST}%2f@{evil}/"),
        format!("postgres://u@{HOST}%00.{evil}/"),
        format!("postgres://u@{HOST},{evil}/"),
        format!("postgres://u@{evil}/?host={evil}"),
        format!("postgres://u:{HOST}@{evil}/"),
        format!("host={HOST},{evil}"),
        format!("host={evil} user={HOST}"),
    ];
    for target in &refused {
        let run = sandbox.run(&["token", target]);
        assert!(
            [2, 4].contains(&run.code) && run.stdout.is_empty(),
            "{target}: {} {}",
            run.code,
            run.stdout
        );
    }
    let signed = [
        HOST.to_uppercase(),
        format!("{HOST}."),
        format!(" {HOST} "),
        format!("{HOST}:6543"),
        format!("postgres://{evil}@{HOST}/{evil}"),
        format!("postgres://u:{evil}%2f@{HOST}:1/"),
        format!("host={evil} host={HOST}"),
    ];
    for target in &signed {
        let run = sandbox.run(&["token", target]);
        assert!(
            run.stdout.starts_with(&format!("{HOST}/?")),
            "{target}: {} {}",
            run.stdout,
            run.stderr
        );
        let url = sandbox.ok(&["token", target, "--format", "libpq-json"]);
        assert_eq!(
            serde_json::from_str::<Value>(&url).expect("JSON")["host"],
            HOST,
            "{target}"
        );
    }
}
