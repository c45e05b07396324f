//! The picture in the README is a real session: this test types its commands with the real programs
//! and compares what they print with `tests/picture/session.svg`.

use std::fs;
use std::io::Write;
use std::process::{Command, Stdio};

use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, PYTHON, python, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, Run, SECRET};
use crate::support::sources::root;

/// The time of the session, for pgcred and for the stand-in.
const NOW: (&str, u64) = ("2026-01-01T09:00:00Z", 1_767_258_000);

/// The lines that the user types. `HOST` stands for the cluster's name.
const TYPED: [&str; 6] = [
    "pgcred add prod HOST --profile dev",
    "pgcred exec prod -- psql -c 'select current_user, current_database()'",
    "pgcred setup psql --yes --quiet",
    "pgcred refresh",
    "psql service=prod -Atc \"select 'no password was typed'\"",
    "pgcred list",
];

#[test]
fn the_picture_is_a_real_session() {
    skip_unless!(CLUSTER, PYTHON);
    let drawn = draw(&session());
    let path = root().join("tests/picture/session.svg");
    #[expect(
        clippy::disallowed_methods,
        reason = "who changes the session draws it anew"
    )]
    if std::env::var_os("PGCRED_TEST_DRAW").is_some() {
        fs::write(&path, &drawn).expect("the picture is written");
    }
    let kept = fs::read_to_string(&path).expect("a picture");
    assert!(kept.len() < 40_000, "{} bytes", kept.len());
    assert_eq!(
        kept, drawn,
        "the picture is out of date: PGCRED_TEST_DRAW=1 cargo test --test it clients::picture"
    );
}

/// Returns the session as a terminal shows it, with the home directory as `~`.
fn session() -> String {
    let mut cluster = Cluster::with(|standin| standin.now = Some(NOW.1));
    let keys = format!(
        "[dev]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n\
         aws_session_token = session/token+1==\n"
    );
    cluster.sandbox.write(".aws/credentials", keys);
    let program = cluster.sandbox.installed(".local/bin/pgcred");
    let programs = program.parent().expect("a directory").display();
    let path = format!("{programs}:{}", std::env::var("PATH").expect("a PATH"));
    cluster
        .sandbox
        .at(NOW.0)
        .set("PATH", &path)
        .unset("PGCRED_HOME")
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY")
        .unset("AWS_SESSION_TOKEN");
    let home = cluster.sandbox.home().display().to_string();
    let mut shown = Vec::new();
    for line in TYPED {
        let line = line.replace("HOST", HOST);
        let mut sh = cluster.command("sh");
        sh.args(["-c", &format!("exec 2>&1\n{line}")]);
        let run = Run::of(sh);
        assert_eq!(run.code, 0, "{line}: {}", run.stdout);
        shown.push(format!("$ {line}"));
        shown.extend(
            run.stdout
                .replace(&home, "~")
                .trim_end()
                .lines()
                .map(str::to_owned),
        );
        shown.push(String::new());
    }
    shown.join("\n").trim_end().to_owned() + "\n"
}

fn draw(session: &str) -> String {
    let mut drawing = Command::new(python())
        .arg(root().join("tests/picture/draw.py"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python starts");
    let mut stdin = drawing.stdin.take().expect("a pipe");
    stdin.write_all(session.as_bytes()).expect("it reads");
    drop(stdin);
    let run = Run::finished(drawing.wait_with_output().expect("it ends"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}
