//! `pgcred discover` at a terminal: the line that shows how far it is, and the question.

use super::cloud::Cloud;
use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::Run;
use crate::support::sources::root;

/// Runs `discover` at a terminal, which shows stdout and stderr.
fn at_terminal(cloud: &Cloud, answer: &str, arguments: &[&str]) -> Run {
    let mut terminal = cloud.sandbox.command(&python());
    terminal
        .args(["-B"])
        .arg(root().join("tests/stubs/question.py"))
        .args(["[y/N]", "true", answer])
        .arg(env!("CARGO_BIN_EXE_pgcred"))
        .arg("discover")
        .args(arguments);
    Run::of(terminal)
}

#[test]
fn only_yes_changes_the_configuration() {
    skip_unless!(PYTHON);
    let cloud = Cloud::usual();
    for answer in ["n", "", "\u{4}"] {
        let run = at_terminal(&cloud, answer, &["--add"]);
        assert!(run.stdout.contains("+[connections.main]"), "{}", run.stdout);
        assert!(run.stdout.contains("nothing was changed"), "{}", run.stdout);
        assert!(!cloud.config_path().exists());
    }
    let run = at_terminal(&cloud, "y", &["--add"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(
        cloud.config().contains("[connections.main]"),
        "{}",
        run.stdout
    );
}

#[test]
fn a_line_shows_how_far_it_is_and_is_cleared() {
    skip_unless!(PYTHON);
    let mut cloud = Cloud::usual();
    let line = "asking AWS [";
    let slow = cloud.url("delay-200");
    cloud
        .sandbox
        .set("TERM", "xterm")
        .set("AWS_ENDPOINT_URL", &slow);
    let run = at_terminal(&cloud, "", &[]);
    assert!(run.stdout.contains(line), "{:?}", run.stdout);
    let after = run.stdout.rsplit(line).next().expect("the end");
    assert!(after.contains("\u{1b}[2K"), "not cleared: {:?}", run.stdout);
    for (term, more) in [
        ("dumb", &[][..]),
        ("xterm", &["--quiet"]),
        ("xterm", &["--debug"]),
    ] {
        cloud.sandbox.set("TERM", term);
        let run = at_terminal(&cloud, "", more);
        assert!(
            !run.stdout.contains(line),
            "{term} {more:?}: {:?}",
            run.stdout
        );
    }
}
