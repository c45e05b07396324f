//! Words that quoting can get wrong, through the splitters of sh, cmd.exe and DBeaver, for every
//! system.

use super::quote::{for_c_runtime, for_dbeaver, for_shell};
use super::*;
use crate::provider;

#[path = "../../tests/it/support/splitters.rs"]
mod splitters;

const HOSTILE: [&str; 12] = [
    "",
    r#"a"b'c$d"#,
    "/home/my own/pgcred",
    r"C:\Program Files\my own\pgcred.exe",
    r"ends in \",
    r#"before a quote \\" and %PORT% and %"#,
    "${host}$ {user}",
    "& | < > ^ ( ) ! ; * ? ~ # `id` $(id) \\",
    "%PATH%",
    "\"\"",
    "''",
    "é ’ 😀",
];

/// cmd.exe: variables, which no quote stops; then quotes and carets, after which the rest goes to
/// the program.
fn by_cmd(line: &str) -> String {
    let line = line
        .replace("%PATH%", "EXPANDED")
        .replace("%PORT%", "EXPANDED");
    let mut rest = line.chars();
    let (mut text, mut quoted) = (String::new(), false);
    while let Some(c) = rest.next() {
        match c {
            '"' => quoted = !quoted,
            '^' if !quoted => {
                text.extend(rest.next());
                continue;
            }
            '&' | '|' | '<' | '>' if !quoted => panic!("{c} is bare in {line}"),
            _ => {}
        }
        text.push(c);
    }
    text
}

/// The C runtime since 2008, and Rust: backslashes count before a quote; two quotes inside of
/// quotes are one.
fn by_c_runtime(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut started) = (Vec::new(), String::new(), false, false);
    let mut rest = line.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            ' ' | '\t' if !quoted => {
                if std::mem::take(&mut started) {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            '\\' => {
                let mut count = 1;
                while rest.next_if_eq(&'\\').is_some() {
                    count += 1;
                }
                let before_quote = rest.peek() == Some(&'"');
                word.extend(std::iter::repeat_n(
                    '\\',
                    if before_quote { count / 2 } else { count },
                ));
                if before_quote && count % 2 == 1 {
                    word.extend(rest.next());
                }
            }
            '"' if quoted && rest.next_if_eq(&'"').is_some() => word.push('"'),
            '"' => quoted = !quoted,
            _ => word.push(c),
        }
        started = true;
    }
    words.extend(started.then_some(word));
    words
}

#[test]
fn cmd_and_the_c_runtime_give_the_words_back() {
    let line = HOSTILE.map(|word| for_shell(Os::Windows, word)).join(" ");
    assert_eq!(by_c_runtime(&by_cmd(&line)), HOSTILE);
}

#[test]
fn the_c_runtime_alone_gives_the_words_back() {
    let line = HOSTILE.map(for_c_runtime).join(" ");
    assert_eq!(by_c_runtime(&line), HOSTILE);
}

#[test]
fn dbeaver_gives_the_words_back_on_every_system() {
    for os in [Os::Linux, Os::Mac, Os::Windows] {
        let line = HOSTILE.map(|word| for_dbeaver(os, word)).join(" ");
        assert_eq!(
            splitters::dbeaver(&line, os == Os::Windows),
            HOSTILE,
            "{os:?}"
        );
    }
}

/// pgAdmin puts a server's values where these stand, before the shell sees the line.
#[test]
fn no_placeholder_of_pgadmin_survives_quoting() {
    for os in [Os::Linux, Os::Windows] {
        let line = for_shell(os, "a%PORT%b%HOSTNAME%%USERNAME%");
        assert!(
            ["%PORT%", "%HOSTNAME%", "%USERNAME%"]
                .iter()
                .all(|name| !line.contains(name)),
            "{line}"
        );
    }
}

fn target(user: &str) -> Target {
    let provider = provider::named("dsql").expect("a provider");
    let host = "h.dsql.us-east-1.on.aws".to_owned();
    let request = Request {
        connection: None,
        provider,
        sign_host: host.clone(),
        host,
        sign_port: 5432,
        port: 5432,
        user: user.to_owned(),
        dbname: "d;b".to_owned(),
        options: Vec::new(),
        target_has_address: false,
        region: Some("us-east-1".to_owned()),
        profile: Some("dev".to_owned()),
        aliases: Vec::new(),
        taken: Vec::new(),
        roots: None,
        life: 900,
    };
    let roots = Some(TrustedRoots::Said(r"C:\it's here\r.pem".to_owned()));
    Target {
        name: "prod".to_owned(),
        request,
        roots,
    }
}

#[test]
fn templates_are_filled_once_and_escaped_for_where_they_stand() {
    let machine = Machine {
        named_config: None,
        os: Os::Windows,
        home: PathBuf::from("/h"),
        config: PathBuf::from("/c"),
        own: PathBuf::from("/o"),
        pgcred: PathBuf::from("pgcred.exe"),
        service_file: PathBuf::from("/s"),
    };
    let target = target(r#"{host}"<&"#);
    let fill = |template: &str| {
        Commands {
            machine: &machine,
            target: &target,
        }
        .fill(template)
    };
    for (template, filled) in [
        ("{user} {port}", r#"{host}"<& 5432"#),
        ("{user:json}", r#"{host}\"<&"#),
        ("{dbname:url}", "d%3Bb"),
        (
            "{user:odbc}|{dbname:odbc}|{name:odbc}",
            r#"{{host}}"<&}|{d;b}|prod"#,
        ),
        (
            "{ {{ {no} {user:no} Driver={x y}; ${url} {",
            "{ {{ {no} {user:no} Driver={x y}; ${url} {",
        ),
        (
            "{token}",
            r#"pgcred.exe token --host h.dsql.us-east-1.on.aws --port 5432 --user "{host}""<&" --profile dev --region us-east-1"#,
        ),
        ("{pgcred_aws}", "pgcred-aws.exe"),
        (
            "{uri}",
            "postgresql://%7Bhost%7D%22%3C%26@h.dsql.us-east-1.on.aws:5432/d%3Bb?sslmode=verify-full&sslrootcert=C%3A%5Cit%27s%20here%5Cr.pem",
        ),
        (
            "pqopt={sslrootcert={roots:conninfo}}",
            r"pqopt={sslrootcert='C:\\it\'s here\\r.pem'}",
        ),
    ] {
        assert_eq!(fill(template), filled, "{template}");
    }
}
