//! `pgcred setup` at a terminal: the difference, the question, and the effect of each answer.

use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;
use crate::tools::fixtures::files;

const MINE: &str = "[mine]\nhost=h\n";

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write(".pg_service.conf", MINE);
    sandbox
}

/// Runs `setup psql` at a terminal. `command` runs before the answer is typed.
fn asked(sandbox: &Sandbox, command: &str, answer: &str, more: &[&str]) -> Run {
    let mut terminal = sandbox.command(&python());
    terminal
        .args(["-B"])
        .arg(root().join("tests/stubs/question.py"))
        .args(["[y/N]", command, answer]);
    terminal
        .arg(env!("CARGO_BIN_EXE_pgcred"))
        .args(["setup", "psql"])
        .args(more);
    Run::of(terminal)
}

#[test]
fn the_diff_is_shown_and_only_yes_changes_anything() {
    skip_unless!(PYTHON);
    let sandbox = sandbox();
    let before = files(sandbox.home());
    for answer in ["n", "", "no", "yess", "\u{4}"] {
        let run = asked(&sandbox, "true", answer, &[HOST]);
        assert!(
            run.code == 0 && run.stdout.contains("nothing was changed"),
            "{answer:?}: {}",
            run.stdout
        );
        for line in [
            "+[foo0bar1baz2quux3quuux4abc]",
            &format!("+host={HOST}"),
            " [mine]",
        ] {
            assert!(
                run.stdout.lines().any(|shown| shown == line),
                "{line} not in {}",
                run.stdout
            );
        }
        assert!(
            !run.stdout.contains("keep the passfile fresh"),
            "{}",
            run.stdout
        );
        assert_eq!(files(sandbox.home()), before);
        assert!(!sandbox.path(".pg_service.conf.pgcred-backup").exists());
    }
    let run = asked(&sandbox, "true", "y", &[HOST]);
    assert!(
        run.code == 0 && run.stdout.contains("written; the old one is"),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout
            .contains("psql service=foo0bar1baz2quux3quuux4abc"),
        "{}",
        run.stdout
    );
    assert_eq!(
        sandbox.read(".pg_service.conf.pgcred-backup"),
        MINE.as_bytes()
    );
    assert_ne!(files(sandbox.home()), before);
    let run = asked(&sandbox, "true", "Yes", &["--undo"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert_eq!(files(sandbox.home()), before);
    assert!(!sandbox.path(".pg_service.conf.pgcred-backup").exists());
}

/// Changes that another program makes while the question waits are not lost.
#[test]
fn a_file_that_has_changed_since_it_was_shown_stays() {
    skip_unless!(PYTHON);
    let sandbox = sandbox();
    let run = asked(&sandbox, "echo '# new' >>.pg_service.conf", "y", &[HOST]);
    assert!(
        run.code == 1
            && run
                .stdout
                .contains("has just been changed by another program"),
        "{}",
        run.stdout
    );
    assert_eq!(
        sandbox.read(".pg_service.conf"),
        format!("{MINE}# new\n").as_bytes()
    );
    let run = asked(&sandbox, "rm .pg_service.conf", "y", &[HOST]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    assert!(!sandbox.path(".pg_service.conf").exists());
}
