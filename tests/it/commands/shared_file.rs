//! `pgcred add --from FILE`: connections from a file that a team shares, which may be anybody's.

use std::fs;

use crate::commands::connections::{configure, sandbox};
#[cfg(unix)]
use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};
#[cfg(unix)]
use crate::support::sources::root;

const MINE: &str = "# mine\r\n[connections.books] # b\r\nhost = 'old.dsql.us-east-1.on.aws'\r\n\r\n\
                    [connections.same]\r\nhost = \"same.dsql.us-east-1.on.aws\"\r\n\
                    discovered = true\r\n";

fn team() -> String {
    format!(
        "# our databases\n[connections.prod]\nhost = '{HOST}'\nuser = 'admin'\nprofile = 'dve'\n\n\
         [connections.books]\nhost = 'new.dsql.us-east-1.on.aws'\n\n\
         [connections.same]\nhost = 'same.dsql.us-east-1.on.aws'\n"
    )
}

/// `prod` of that file as it is written.
const NEW: &str = "\r\n[connections.prod]\r\n\
                   host = \"foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws\"\r\n\
                   user = \"admin\"\r\nprofile = \"dve\"\r\n";

fn configuration(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).unwrap_or_default()
}

fn with_file() -> Sandbox {
    let sandbox = sandbox();
    configure(&sandbox, MINE);
    sandbox.write("team.toml", team());
    sandbox.write(".aws/config", "[profile dev]\nregion = us-east-1\n");
    sandbox
}

#[test]
fn new_ones_are_added_and_the_users_own_stay() {
    let sandbox = with_file();
    let run = sandbox.run(&["add", "--from", "team.toml", "--dry-run"]);
    assert!(run.code == 0 && run.stdout.is_empty(), "{}", run.stderr);
    assert!(
        run.stderr.contains("+[connections.prod]\n"),
        "{}",
        run.stderr
    );
    assert_eq!(configuration(&sandbox), MINE);
    sandbox
        .run(&["add", "--from", "team.toml"])
        .assert_fails(2, "no terminal to ask on");
    assert_eq!(configuration(&sandbox), MINE);

    let run = sandbox.run(&["add", "--from", "team.toml", "--yes"]);
    assert_eq!((run.code, run.stdout.as_str()), (0, ""), "{}", run.stderr);
    for said in [
        "there already, and the same: same\n",
        "your own stay, although the file has others: books; --replace takes those of the file\n",
        "added prod\n",
        "warning: there is no AWS profile `dve`",
        "next: `pgcred refresh prod` writes a token to the passfile",
    ] {
        assert!(run.stderr.contains(said), "{said} not in {}", run.stderr);
    }
    assert_eq!(configuration(&sandbox), format!("{MINE}{NEW}"));
    let again = sandbox.run(&["add", "--from", "team.toml", "--yes"]);
    assert!(
        again.code == 0 && again.stderr.contains("nothing to change"),
        "{}",
        again.stderr
    );

    let run = sandbox.run(&["add", "--from", "team.toml", "--replace", "--yes"]);
    assert!(
        run.code == 0 && run.stderr.contains("changed books\n"),
        "{}",
        run.stderr
    );
    let changed = MINE.replace(
        "'old.dsql.us-east-1.on.aws'",
        "\"new.dsql.us-east-1.on.aws\"",
    );
    assert_eq!(configuration(&sandbox), format!("{changed}{NEW}"));
}

#[test]
fn names_choose_and_wrong_ones_are_told() {
    let sandbox = with_file();
    configure(&sandbox, "");
    sandbox.ok(&["add", "--from", "team.toml", "same", "prod", "--yes"]);
    let text = configuration(&sandbox);
    assert!(
        text.contains("[connections.prod]") && text.contains("[connections.same]"),
        "{text}"
    );
    assert!(!text.contains("books"), "{text}");
    let run = sandbox.run(&["add", "--from", "team.toml", "books", "prd", "--yes"]);
    run.assert_fails(4, "team.toml has no connection `prd`");
    assert!(
        run.stderr.contains("hint: did you mean `prod`?"),
        "{}",
        run.stderr
    );
    let run = sandbox.run(&["add", "--from", "team.toml", "zzzzzz", "--yes"]);
    assert!(
        run.stderr.contains("hint: choose from prod, books, same"),
        "{}",
        run.stderr
    );
    assert_eq!(configuration(&sandbox), text);
}

#[test]
fn the_words_of_one_connection_and_of_a_file_are_not_mixed() {
    let sandbox = with_file();
    for option in [
        &["--host", "h"][..],
        &["--user", "u"],
        &["--profile", "p"],
        &["--sign-host", "h"],
        &["--alias", "h:1"],
        &["--expires-in", "max"],
    ] {
        let run = sandbox.run(&[&["add", "--from", "team.toml", "--yes"], option].concat());
        run.assert_fails(2, "cannot be used with");
    }
    sandbox.run(&["add", "--yes"]).assert_fails(2, "--from");
    sandbox
        .run(&["add", "x", HOST, "--dry-run"])
        .assert_fails(2, "--from");
    sandbox.run(&["add"]).assert_fails(2, "NAME");
    let run = sandbox.run(&["add", "x", "host=h", "password=secret"]);
    run.assert_fails(2, "add takes a name and one TARGET");
    assert!(!run.stderr.contains("secret"), "{}", run.stderr);
    sandbox
        .run(&["add", "--from", "-", "--yes"])
        .assert_fails(2, "--from -: standard input is not read");
    assert_eq!(configuration(&sandbox), MINE);
}

/// Whoever writes the file must not get tokens for the database of somebody else.
#[test]
fn tokens_that_would_go_elsewhere_are_not_agreed_to_by_an_option() {
    let sandbox = with_file();
    for (lines, places) in [
        (
            format!("host = 'evil.example.com'\nsign_host = '{RDS_HOST}'"),
            "evil.example.com",
        ),
        (
            format!("host = '{RDS_HOST}'\naliases = ['evil.example.com:1']"),
            "evil.example.com:1",
        ),
        (
            format!("host = '{RDS_HOST}'\naliases = ['localhost:1']"),
            "localhost:1",
        ),
    ] {
        sandbox.write(
            "evil.toml",
            format!(
                "[connections.good]\nhost = '{HOST}'\n[connections.evil]\n{lines}\nuser = 'u'\n"
            ),
        );
        let run = sandbox.run(&["add", "--from", "evil.toml", "--yes"]);
        let says = format!("evil: tokens for {RDS_HOST} would be sent to {places}\n");
        run.assert_fails(2, &says);
        assert!(
            run.stderr
                .contains("hint: if that is right, run the command at a terminal"),
            "{}",
            run.stderr
        );
        let run = sandbox.run(&["add", "--from", "evil.toml", "--dry-run"]);
        assert!(
            run.code == 0 && run.stderr.contains(&says),
            "{}",
            run.stderr
        );
        assert_eq!(configuration(&sandbox), MINE);
    }
    sandbox.ok(&["add", "--from", "evil.toml", "good", "--yes"]);
    // An address is safe only while the server is verified, whatever the shell says.
    let lines = format!("[connections.tunnel]\nhost = '{HOST}'\nhostaddr = '10.0.0.1'\n");
    sandbox.write("tunnel.toml", lines);
    sandbox.ok(&["add", "--from", "tunnel.toml", "--yes"]);
    let text = configuration(&sandbox);
    assert!(
        text.contains("sslmode = \"verify-full\"\r\nhostaddr = \"10.0.0.1\""),
        "{text}"
    );
}

#[cfg(unix)]
#[test]
fn the_user_is_asked_on_a_terminal() {
    skip_unless!(PYTHON);
    let sandbox = with_file();
    let asked = |question: &str, answer: &str, more: &[&str]| {
        let mut terminal = sandbox.command(&python());
        terminal
            .args(["-B"])
            .arg(root().join("tests/stubs/question.py"));
        terminal.args([
            question,
            "true",
            answer,
            env!("CARGO_BIN_EXE_pgcred"),
            "add",
            "--from",
        ]);
        Run::of({
            terminal.args(more);
            terminal
        })
    };
    for answer in ["n", "", "yess", "\u{4}"] {
        let run = asked("change this? [y/N]", answer, &["team.toml"]);
        assert!(
            run.code == 0 && run.stdout.contains("nothing was changed"),
            "{}",
            run.stdout
        );
        assert!(run.stdout.contains("+[connections.prod]"), "{}", run.stdout);
        assert_eq!(configuration(&sandbox), MINE);
    }
    let run = asked("change this? [y/N]", "y", &["team.toml"]);
    assert!(
        run.code == 0 && run.stdout.contains("added prod"),
        "{}",
        run.stdout
    );
    let with_prod = format!("{MINE}{NEW}");
    assert_eq!(configuration(&sandbox), with_prod);

    sandbox.write(
        "evil.toml",
        format!(
            "[connections.e]\nhost = 'db.corp.example'\nsign_host = '{RDS_HOST}'\nuser = 'u'\n"
        ),
    );
    let question = "send them there? [y/N]";
    let run = asked(question, "n", &["evil.toml", "--yes"]);
    assert!(
        run.code == 0 && run.stdout.contains("nothing was changed"),
        "{}",
        run.stdout
    );
    let says = format!(
        "e: tokens for {RDS_HOST} would be sent to db.corp.example\n\
         Whoever runs a server there can log in to {RDS_HOST} with them.\n"
    );
    assert!(run.stdout.contains(&says), "{}", run.stdout);
    assert_eq!(configuration(&sandbox), with_prod);
    let run = asked(question, "y", &["evil.toml", "--yes"]);
    assert!(
        run.code == 0 && run.stdout.contains("added e"),
        "{}",
        run.stdout
    );
    assert!(configuration(&sandbox).contains("[connections.e]"));
    // It is the same now, so nothing is asked.
    let run = sandbox.run(&["add", "--from", "evil.toml", "--yes"]);
    assert!(
        run.code == 0 && run.stderr.contains("nothing to change"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_no_shared_file_may_say_is_an_error_that_names_line_and_key() {
    let sandbox = with_file();
    for (text, expected) in [
        (
            "cache = 'none'\n",
            "bad.toml: line 1: cache: only connections are taken from a shared",
        ),
        (
            "[[match]]\nhost = '*'\n",
            "bad.toml: line 1: match: only connections are taken",
        ),
        (
            "command = 'rm'\n",
            "bad.toml: line 1: command: only connections are taken",
        ),
        (
            "[connections.p]\nhost = 'h'\nroots = '/ca.pem'\n",
            "line 3: connections.p.roots: a shared",
        ),
        (
            "[connections.p]\nhost = 'h'\nsslmode = 'allow'\n",
            "line 3: connections.p.sslmode: a ",
        ),
        (
            "[connections.p]\nhost = 'postgres://u:secret@h'\n",
            "line 2: connections.p.host: the host ",
        ),
        (
            "[connections.p]\nhost = 'h'\npassword = 'secret'\n",
            "line 3: connections.p.password: no",
        ),
        (
            "[connections.p]\nhost = 'h'\nuser = \"\\u001b[2J\"\n",
            "connections.p.user: the user `\\u{1b}[2J` has ",
        ),
        (
            "connections = 1",
            "line 1: connections: not a table of connections",
        ),
        ("[connections", "bad.toml: line 1: "),
        ("", "bad.toml has no connection"),
    ] {
        sandbox.write("bad.toml", text);
        let run = sandbox.run(&["add", "--from", "bad.toml", "--yes"]);
        run.assert_fails(2, expected);
        assert!(
            !run.stderr.contains("secret") && !run.stderr.contains('\u{1b}'),
            "{}",
            run.stderr
        );
        assert_eq!(configuration(&sandbox), MINE);
    }
}

#[test]
fn files_that_are_none_or_too_long_are_refused_at_once() {
    let sandbox = with_file();
    sandbox.write("long.toml", "# ".to_owned() + &"x".repeat(10 << 20));
    sandbox.write("latin.toml", b"# \xe9\n");
    fs::create_dir(sandbox.path("directory")).expect("a directory");
    let refused = |file: &str, expected: &str| {
        sandbox
            .run(&["add", "--from", file, "--yes"])
            .assert_fails(2, expected);
        assert_eq!(configuration(&sandbox), MINE);
    };
    refused("long.toml", "long.toml is larger than 4 MiB");
    refused("latin.toml", "latin.toml is not UTF-8");
    refused("missing.toml", "--from missing.toml: no such file");
    if cfg!(unix) {
        refused("directory", "--from directory: not a regular file");
        refused("/dev/zero", "--from /dev/zero: not a regular file");
        let mut mkfifo = sandbox.command("mkfifo");
        assert_eq!(
            Run::of({
                mkfifo.arg("pipe");
                mkfifo
            })
            .code,
            0
        );
        refused("pipe", "--from pipe: not a regular file");
    }
}

/// The file may lie in a repository, and belong to somebody else.
#[cfg(unix)]
#[test]
fn a_link_is_followed_and_the_mode_does_not_matter() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let sandbox = with_file();
    configure(&sandbox, "");
    let file = sandbox.path("team.toml");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("a mode");
    symlink(&file, sandbox.path("link.toml")).expect("a link");
    let run = sandbox.run(&["add", "--from", "link.toml", "--yes"]);
    assert!(run.code == 0, "{}", run.stderr);
    assert!(
        run.stderr.contains("added prod, books, same\n"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("next: `pgcred refresh` writes their tokens"),
        "{}",
        run.stderr
    );
}

#[test]
fn thousands_of_connections_are_one_edit() {
    let sandbox = with_file();
    let one =
        |number| format!("[connections.c{number}]\nhost = 'h{number}.dsql.us-east-1.on.aws'\n");
    sandbox.write("many.toml", (0..5_000).map(one).collect::<String>());
    let run = sandbox.run(&["add", "--from", "many.toml", "--yes"]);
    assert!(run.code == 0, "{}", run.stderr);
    assert!(run.stderr.contains("c7 and 4992 more\n"), "{}", run.stderr);
    let checked = "only the first 50 of them were checked; `pgcred doctor` checks all\n";
    assert!(run.stderr.contains(checked), "{}", run.stderr);
    assert!(run.stderr.lines().count() < 60, "{}", run.stderr);
    let text = configuration(&sandbox);
    assert!(text.starts_with(MINE) && text.matches("[connections.c").count() == 5_000);
    assert!(text.lines().count() > 15_000 && !text.replace("\r\n", "").contains('\n'));
    let other = |number| one(number).replace("host", "port = 6543\nhost");
    sandbox.write("many.toml", (0..5_000).map(other).collect::<String>());
    let run = sandbox.run(&["add", "--from", "many.toml", "--replace", "--yes"]);
    assert!(run.code == 0, "{}", run.stderr);
    assert_eq!(
        configuration(&sandbox).matches("port = 6543\r\n").count(),
        5_000
    );
}

/// A change of one value loses no other one. What describes the old host goes away with it.
#[test]
fn replace_keeps_what_is_not_named() {
    let sandbox = sandbox();
    configure(
        &sandbox,
        &format!(
            "[connections.db] # mine\nhost = '{RDS_HOST}'\nuser = 'app'\nport = 15432\n\
             sign_host = '{RDS_HOST}:5432'\nexpires_in = '10m'\naliases = ['a.example.com']\n\
             discovered = true\n"
        ),
    );
    let run = sandbox.run(&["add", "db", "--replace", "--user", "other"]);
    assert!(
        run.code == 0 && run.stderr.contains("changed db\n"),
        "{}",
        run.stderr
    );
    assert_eq!(
        configuration(&sandbox),
        format!(
            "[connections.db] # mine\nhost = '{RDS_HOST}'\nuser = \"other\"\nport = 15432\n\
             sign_host = '{RDS_HOST}:5432'\nexpires_in = '10m'\naliases = ['a.example.com']\n"
        )
    );
    let run = sandbox.run(&["add", "db", HOST, "--replace"]);
    let says = "db: no longer set, as the host is another one: port, sign_host\n";
    assert!(run.code == 0 && run.stderr.contains(says), "{}", run.stderr);
    assert_eq!(
        configuration(&sandbox),
        format!(
            "[connections.db] # mine\nhost = \"{HOST}\"\nuser = \"other\"\nexpires_in = '10m'\n\
             aliases = ['a.example.com']\n"
        )
    );
    sandbox
        .run(&["add", "none", "--replace", "--user", "other"])
        .assert_fails(2, "none: no host");
}
