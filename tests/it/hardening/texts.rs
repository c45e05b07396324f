//! Texts of services, programs and files: no escape sequence in them reaches a terminal, and no
//! secret in them is kept.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use crate::support::desk::{NOTIFIER, calls, desk, install, wait_for};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::ACCOUNT;

/// Has escape sequences of both kinds, a bell, a line break, and a character that turns the
/// direction of writing.
const ESCAPES: &str = "\u{1b}]0;title\u{7}\u{1b}[31mred\u{9b}32m\u{202e}";
const SHOWN: &str = r"\u{1b}]0;title\u{7}\u{1b}[31mred\u{9b}32m\u{202e}";
const JWT: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQ6YXBwIn0.\
    c2lnbmF0dXJlMDEyMzQ1Njc4OQ";

fn assert_plain(text: &str) {
    let is_bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!text.contains(is_bad), "{text:?}");
}

/// Returns a home whose `credential_process` fails with this text.
fn failing(text: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let script = format!("#!/bin/sh\ncat >&2 <<'END'\n{text}\nEND\nexit 1\n");
    let path = sandbox.write("fails", script);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    sandbox.write(
        ".aws/config",
        format!("[profile p]\ncredential_process = {}\n", path.display()),
    );
    sandbox.ok(&["add", "prod", HOST, "--profile", "p"]);
    sandbox
}

/// An error repeats wrong words of the command line; they are shown without escape sequences.
#[test]
fn what_was_typed_is_shown_and_not_sent() {
    let sandbox = Sandbox::empty();
    let option = format!("--x{ESCAPES}");
    for words in [
        &["token", &option][..],
        &[&option],
        &["token", HOST, "--timeout", &option],
        &["aws", "rds", &option],
    ] {
        let run = sandbox.run(words);
        assert!(
            [2, 252].contains(&run.code) && run.stdout.is_empty(),
            "{words:?}: {}",
            run.code
        );
        assert_plain(&run.stderr);
        assert!(
            run.stderr.contains(r"\u{9b}32m\u{202e}"),
            "{words:?}: {}",
            run.stderr
        );
    }
    sandbox
        .run(&["a\u{9b}"])
        .assert_fails(2, r"unrecognized command `a\u{9b}`");
}

/// Answers every request with a refusal of STS that repeats the request's body.
fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut reader = BufReader::new(stream);
            let (mut length, mut line) = (0, String::new());
            while reader.read_line(&mut line).is_ok_and(|read| read > 2) {
                let lower = line.to_ascii_lowercase();
                length = lower
                    .strip_prefix("content-length:")
                    .map_or(length, |value| value.trim().parse().expect("a number"));
                line.clear();
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).expect("a body");
            let body = String::from_utf8_lossy(&body).replace('&', "&amp;");
            let who = format!("arn:aws:iam::{ACCOUNT}:user/jane");
            let answer = format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>{who} \
                 sent {body}</Message></Error></ErrorResponse>"
            );
            let head = format!(
                "HTTP/1.1 403 Forbidden\r\nContent-Type: text/xml\r\nConnection: close\r\n\
                 Content-Length: {}\r\n\r\n",
                answer.len()
            );
            let _ = reader.into_inner().write_all((head + &answer).as_bytes());
        }
    });
    port
}

/// Returns all of pgcred's own files as one text.
fn kept(sandbox: &Sandbox) -> String {
    let mut open = vec![sandbox.own().to_owned()];
    let mut text = String::new();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            if entry.path().is_dir() {
                open.push(entry.path());
            } else {
                text += &String::from_utf8_lossy(&fs::read(entry.path()).expect("a file"));
            }
        }
    }
    text
}

#[test]
fn a_terminal_gets_no_escape_sequence() {
    let sandbox = failing(&format!("{ESCAPES} is bad"));
    sandbox.run(&["refresh", "--background", "--quiet"]);
    sandbox.run(&["token", "prod"]).assert_fails(1, SHOWN);
    let list = sandbox.ok(&["list"]);
    // the error of the connection, and that of the run in the background
    assert!(list.matches(SHOWN).count() == 2, "{list}");
    assert_plain(&list);

    sandbox.write(".aws/config", format!("[profile a{ESCAPES}b]\n"));
    assert_eq!(
        sandbox.ok(&["aws", "configure", "list-profiles"]),
        format!("a{SHOWN}b\n")
    );
}

#[test]
fn names_in_other_tools_files_are_shown_and_not_sent() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["setup", "psql", HOST, "--yes"]);
    let file = sandbox.path(".pg_service.conf");
    let text = fs::read_to_string(&file).expect("a file");
    fs::write(&file, text.replacen('[', &format!("[{ESCAPES}"), 1)).expect("written");
    let overview = sandbox.ok(&["setup"]);
    assert!(overview.contains(SHOWN), "{overview}");
    assert_plain(&overview);
}

/// A service may name the user's account in its error, or repeat the request.
#[test]
fn errors_keep_no_account_number_and_no_token() {
    let port = echo();
    let mut sandbox = Sandbox::empty();
    let token = sandbox.write("jwt", JWT).display().to_string();
    sandbox.set("AWS_WEB_IDENTITY_TOKEN_FILE", &token);
    sandbox.set("AWS_ROLE_ARN", &format!("arn:aws:iam::{ACCOUNT}:role/R"));
    sandbox.set("AWS_ENDPOINT_URL", &format!("http://127.0.0.1:{port}"));
    sandbox.ok(&["add", "prod", HOST]);
    let run = sandbox.run(&["token", "prod", "--debug"]);
    // --debug may show the account; no output may show the token
    run.assert_fails(1, &format!("arn:aws:iam::{ACCOUNT}:user/jane"));
    sandbox.run(&["refresh", "--background", "--quiet"]);
    let said = [
        sandbox.run(&["token", "prod"]).stderr,
        sandbox.ok(&["list"]),
        sandbox.ok(&["list", "--format", "json"]),
        kept(&sandbox),
    ];
    for text in &said {
        assert!(
            text.contains("arn:aws:iam::************:user/jane"),
            "{text}"
        );
        assert!(!text.contains(ACCOUNT), "{text}");
    }
    for text in said.iter().chain([&run.stderr]) {
        assert!(
            !text.contains(&JWT[..30]) && !text.contains(&JWT[40..70]),
            "{text}"
        );
    }
}

/// A list shows as much of a long text as fits a terminal.
#[test]
fn long_texts_are_cut_in_lists() {
    let long = "x y ".repeat(20_000);
    let sandbox = failing(&long);
    sandbox.run(&["token", "prod"]).assert_fails(1, "x y");
    let user = "u".repeat(70_000);
    let config = sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("a configuration");
    let more =
        format!("[connections.long]\nhost = '{HOST}'\nuser = '{user}'\nprofile = '{user}'\n");
    fs::write(&config, text + &more).expect("written");
    let list = sandbox.ok(&["list"]);
    assert!(
        list.contains("uuu...") && list.lines().all(|line| line.len() < 1000),
        "{}",
        &list[..1000]
    );
    let json = sandbox.ok(&["list", "--format", "json"]);
    // the name is in the list only because the configuration has it
    assert!(json.contains(&user) && kept(&sandbox).len() < 200_000);
}

#[test]
fn a_notice_has_no_markup_of_others() {
    let sandbox = desk("http://127.0.0.1:9");
    install(&sandbox, NOTIFIER, "");
    let config = fs::read_to_string(sandbox.path(".aws/config")).expect("a file");
    sandbox.write(
        ".aws/config",
        config.replace("[profile p]", "[profile <b>&y]"),
    );
    sandbox.ok(&["add", "prod", HOST, "--profile", "<b>&y"]);
    let run: Run = sandbox.run(&["refresh", "--background", "--quiet"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    wait_for("a notice", || !calls(&sandbox, NOTIFIER).is_empty());
    let notice = calls(&sandbox, NOTIFIER).concat();
    if cfg!(target_os = "linux") {
        assert!(
            notice.contains("&lt;b&gt;&amp;y") && !notice.contains('<'),
            "{notice}"
        );
    }
}
