//! `pgcred setup --undo` and `pgcred remove`: what they remove, and what they keep.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::{HOST, Sandbox};
use crate::support::tools::{BY_FILES, WORKSPACE_OF_DBEAVER};
use crate::tools::fixtures::files;

/// All tools are undone after one question. One that cannot be undone is named and stops no other.
#[test]
fn undo_without_a_tool_undoes_them_all() {
    let mut sandbox = Sandbox::empty();
    sandbox.unset("PGCRED_HOME");
    assert!(
        sandbox
            .run(&["setup", "--undo", "--yes"])
            .stderr
            .contains("nothing is set up")
    );
    sandbox.write(".pg_service.conf", "[mine]\nhost=h\n");
    sandbox.write(WORKSPACE_OF_DBEAVER, "");
    let before = files(sandbox.home());
    sandbox.ok(&["add", "prod", HOST]);
    for tool in BY_FILES {
        sandbox.ok(&["setup", tool, "--yes"]);
    }
    let set_up = files(sandbox.home());
    // All differences are shown, and then there is one question.
    for all in [&["setup", "--undo"][..], &["setup", "--undo", "--all"]] {
        let run = sandbox.run(all);
        run.assert_fails(2, "there is no terminal to ask on");
        let shown = run.stderr.lines().filter(|line| line.starts_with("--- "));
        let shown_files = shown.count();
        assert_eq!(
            shown_files,
            BY_FILES.len(),
            "one file for each: {}",
            run.stderr
        );
        assert_eq!(sandbox.run(&[all, &["--dry-run"]].concat()).code, 0);
    }
    assert_eq!(files(sandbox.home()), set_up);
    sandbox.write(".pg_service.conf", "# pgcred begin\n");
    let run = sandbox.run(&["setup", "--undo", "--yes"]);
    run.assert_fails(2, "psql: ");
    assert!(
        run.stderr
            .contains("put the line `# pgcred end` below pgcred's lines"),
        "{}",
        run.stderr
    );
    sandbox.write(".pg_service.conf", &set_up[Path::new(".pg_service.conf")]);
    assert_eq!(sandbox.run(&["setup", "--undo", "--yes"]).code, 0);
    sandbox.ok(&["remove", "prod"]);
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(files(sandbox.home()), before);
    let directory = ".local/share/DBeaverData/workspace6/General/.dbeaver";
    assert!(
        !sandbox.path(".config").exists()
            && !sandbox.path(".cache").exists()
            && !sandbox.path(directory).exists()
    );
}

/// One entry is removed; the others and the lines of the user stay.
#[test]
fn undo_removes_the_named_entries() {
    let sandbox = Sandbox::empty();
    sandbox.write(WORKSPACE_OF_DBEAVER, "");
    for name in ["one", "two", "three"] {
        sandbox.ok(&["add", name, &format!("{name}.dsql.us-east-1.on.aws")]);
    }
    for tool in BY_FILES {
        sandbox.ok(&["setup", tool, "one", "three", "--yes"]);
        let without = files(sandbox.home());
        let of_own = fs::read(sandbox.own().join("pgadmin-servers.json")).ok();
        sandbox.ok(&["setup", tool, "--yes"]);
        sandbox.ok(&["setup", tool, "two", "--undo", "--yes"]);
        let state = |text: &str| {
            text.lines()
                .find(|line| line.starts_with(tool))
                .unwrap_or_default()
                .to_owned()
        };
        let state = state(&sandbox.ok(&["setup"]));
        assert!(
            state.contains("one") && state.contains("three") && !state.contains("two"),
            "{state}"
        );
        if tool == "dbeaver" {
            assert_eq!(files(sandbox.home()).len(), without.len());
        } else if tool == "psql" {
            let section =
                |files: &BTreeMap<PathBuf, Vec<u8>>| files[Path::new(".pg_service.conf")].clone();
            assert_eq!(
                section(&files(sandbox.home())).len(),
                section(&without).len()
            );
        } else if tool == "pgadmin" {
            assert!(of_own.is_some_and(|text| !text.is_empty()));
        } else {
            panic!("say what of {tool} is left when one of its entries is undone");
        }
        sandbox
            .run(&["setup", tool, "two", "--undo", "--yes"])
            .assert_fails(4, "two is not set up");
        sandbox.ok(&["setup", tool, "one", "three", "--undo", "--yes"]);
        assert!(
            !sandbox
                .ok(&["setup"])
                .lines()
                .any(|line| line.starts_with(tool) && line.contains("one")),
            "{tool}"
        );
    }
    sandbox
        .run(&["setup", "cron", "one", "--undo"])
        .assert_fails(2, "refreshes every connection");
    sandbox
        .run(&["setup", "pgcli", "one", "--undo"])
        .assert_fails(2, "was set up by hand");
}

/// A running program keeps its file. pgcred names the entries that stay and says how to remove
/// them.
#[test]
fn remove_names_what_a_running_program_keeps() {
    skip_unless!(PYTHON);
    let sandbox = Sandbox::empty();
    let workspace = ".local/share/DBeaverData/workspace6";
    sandbox.write(&format!("{workspace}/General/.project"), "");
    let lock = sandbox.write(&format!("{workspace}/.metadata/.lock"), "");
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["setup", "dbeaver", "--yes"]);
    let hold = "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.lockf(file, \
        fcntl.LOCK_EX)\n\
        print('held', flush=True); sys.stdin.read()";
    let mut dbeaver = sandbox.command(&python());
    dbeaver
        .args(["-c", hold])
        .arg(lock)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut dbeaver = dbeaver.spawn().expect("python3");
    let mut line = String::new();
    BufReader::new(dbeaver.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("a line");
    let run = sandbox.run(&["remove", "prod"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("to remove it later: pgcred setup dbeaver prod --undo"),
        "{}",
        run.stderr
    );
    drop(dbeaver.stdin.take());
    dbeaver.wait().expect("an end");
    sandbox.ok(&["setup", "dbeaver", "prod", "--undo", "--yes"]);
    assert!(
        !sandbox
            .path(&format!("{workspace}/General/.dbeaver"))
            .exists()
    );
}
