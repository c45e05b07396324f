//! Warnings about the user's passfile: its name, owner and modes, and lines that clients read
//! differently.

use std::fs;

use crate::support::needs::{ROOT, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};

fn warnings(run: &Run) -> Vec<&str> {
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stderr
        .lines()
        .filter(|line| line.contains("warning: ") && !line.contains("look for the passfile in"))
        .collect()
}

#[test]
fn each_problem_of_a_passfile_is_reported_once() {
    let sandbox = Sandbox::with_keys();
    let mine = "db.example.com:5432:*:me:pw\r\n";
    sandbox.write(".pgpass", mine);
    sandbox.ok(&["refresh", HOST, "--quiet"]);
    let refresh = || sandbox.run(&["refresh", HOST]);
    assert!(
        warnings(&refresh())
            .iter()
            .any(|line| line.contains("ends in CR LF"))
    );
    assert_eq!(warnings(&refresh()), [""; 0]);
    assert_eq!(warnings(&sandbox.run(&["erase", HOST])), [""; 0]);
    // A new problem is reported, and one that comes back counts as new.
    sandbox.write(".pgpass", format!("*:*:*:*:pw\n{mine}"));
    let run = refresh();
    assert!(
        warnings(&run)
            .iter()
            .any(|line| line.contains("also matches")),
        "{}",
        run.stderr
    );
    sandbox.write(".pgpass", "");
    refresh();
    sandbox.write(".pgpass", mine);
    assert!(
        warnings(&refresh())
            .iter()
            .any(|line| line.contains("ends in CR LF"))
    );
    // Each passfile gets its own warnings.
    sandbox.write("other", mine);
    assert!(
        warnings(&sandbox.run(&["refresh", HOST, "--passfile", "other"]))
            .iter()
            .any(|line| line.contains("CR LF"))
    );
    assert_eq!(warnings(&refresh()), [""; 0]);
}

#[test]
fn a_passfile_in_a_git_repository_gets_a_warning() {
    let sandbox = Sandbox::with_keys();
    let git = |words: &[&str]| {
        let mut git = sandbox.command("git");
        git.args(words);
        assert_eq!(Run::of(git).code, 0, "{words:?}");
    };
    git(&["init", "--quiet", "dotfiles"]);
    sandbox.write("dotfiles/pgpass", "");
    std::os::unix::fs::symlink("dotfiles/pgpass", sandbox.path(".pgpass")).expect("a link");
    let run = sandbox.run(&["refresh", HOST]);
    assert!(
        warnings(&run)
            .iter()
            .any(|line| line.contains("is in a git repository")),
        "{}",
        run.stderr
    );
    assert_eq!(warnings(&sandbox.run(&["refresh", HOST])), [""; 0]);
    git(&["init", "--quiet", "ignoring"]);
    sandbox.write("ignoring/.gitignore", "pgpass\n");
    assert_eq!(
        warnings(&sandbox.run(&["refresh", HOST, "--passfile", "ignoring/pgpass"])),
        [""; 0]
    );
    assert_eq!(
        warnings(&sandbox.run(&["refresh", HOST, "--passfile", "outside"])),
        [""; 0]
    );
}

#[test]
fn other_names_owners_and_tildes_of_a_passfile_are_explained() {
    let sandbox = Sandbox::with_keys();
    sandbox.write("mine", "# mine\n");
    fs::hard_link(sandbox.path("mine"), sandbox.path(".pgpass")).expect("a link");
    let run = sandbox.run(&["refresh", HOST]);
    assert!(
        run.stderr.contains("one of several hard links"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.read("mine"), b"# mine\n");
    assert!(
        !sandbox
            .run(&["refresh", HOST])
            .stderr
            .contains("hard links")
    );
    let run = sandbox.run(&["refresh", HOST, "--passfile=~/x.pass"]);
    run.assert_fails(
        2,
        "hint: write \"$HOME/x.pass\": the shell did not expand ~",
    );

    skip_unless!(ROOT);
    let nobody = 65_534;
    for directory in [sandbox.home(), sandbox.own()] {
        std::os::unix::fs::chown(directory, Some(nobody), Some(nobody)).expect("chown");
    }
    fs::remove_dir_all(sandbox.own().join("cache")).expect("removed");
    // Root's file cannot be read, or be read but not written.
    for (mode, code) in [(0o600, 2), (0o644, 1)] {
        let file = sandbox.write("roots", "");
        fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(mode))
            .expect("a mode");
        let mut pgcred = sandbox.pgcred(&["refresh", HOST, "--passfile", "roots"]);
        std::os::unix::process::CommandExt::uid(&mut pgcred, nobody);
        std::os::unix::process::CommandExt::gid(&mut pgcred, nobody);
        let run = Run::of(pgcred);
        run.assert_fails(code, "(it belongs to root)");
        assert!(
            run.stderr.contains("hint: make it yours with `sudo chown "),
            "{}",
            run.stderr
        );
    }
}
