//! `pgcred setup --all` and `--undo --all`: a home with several tools, before, after, and after
//! undoing, byte for byte and with the modes; what one tool's error costs; a kill in the middle.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Stdio;

use crate::support::desk::{calls, install, wait_for};
use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;
use crate::tools::fixtures::files;

const MINE: &str = "[mine]\nhost=h\n";
const SERVICES: &str = ".pg_service.conf";
const DBEAVER: &str = ".local/share/DBeaverData/workspace6/General/.dbeaver";
const TIMER: &str = ".config/systemd/user/pgcred-refresh.timer";

/// Returns a home with four tools, one of them with a dialog, and systemd, and two connections.
/// systemd notes its calls; `script` is what it does besides.
fn sandbox(script: &str) -> Sandbox {
    let mut sandbox = Sandbox::empty();
    sandbox.unset("PGCRED_HOME").set("PGCRED_CACHE", "none");
    // Only this directory, so that nothing else of the machine is found.
    let path = sandbox.path("bin").display().to_string();
    for program in ["psql", "pgadmin4", "dbeaver", "datagrip"] {
        install(&sandbox, program, "");
    }
    install(&sandbox, "crontab", "echo no crontab for me >&2; exit 1");
    install(&sandbox, "systemctl", script);
    sandbox.set("PATH", &format!("{path}:/usr/bin:/bin"));
    sandbox.write(SERVICES, MINE);
    set_mode(&sandbox, SERVICES, 0o644);
    let mine = "{\"connections\": {\"mine\": {}},   \"folders\": {}}";
    sandbox.write(&format!("{DBEAVER}/data-sources-pgcred.json"), mine);
    sandbox.write(&format!("{DBEAVER}/data-sources.json"), mine);
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev"]);
    sandbox.ok(&["add", "test", "t.dsql.us-east-1.on.aws", "--profile", "dev"]);
    sandbox
}

fn set_mode(sandbox: &Sandbox, path: &str, mode: u32) {
    let permissions = fs::Permissions::from_mode(mode);
    fs::set_permissions(sandbox.path(path), permissions).expect("a mode");
}

/// Returns the texts and the modes of the home's files, without the programs and their notes.
fn home(sandbox: &Sandbox) -> BTreeMap<PathBuf, (u32, String)> {
    let mut found = BTreeMap::new();
    for (path, bytes) in files(sandbox.home()) {
        let is_note = ["log", "env"]
            .iter()
            .any(|end| path.extension() == Some(end.as_ref()));
        if !is_note && !path.starts_with("bin") {
            let metadata = fs::metadata(sandbox.home().join(&path)).expect("a file");
            let text = String::from_utf8(bytes).expect("text");
            found.insert(path, (metadata.permissions().mode(), text));
        }
    }
    found
}

fn text(sandbox: &Sandbox, path: &str) -> String {
    String::from_utf8(sandbox.read(path)).expect("text")
}

/// Asserts that every tool has both connections.
fn assert_set_up(sandbox: &Sandbox) {
    let services = text(sandbox, SERVICES);
    let servers = text(sandbox, ".config/pgcred/pgadmin-servers.json");
    let sources = text(sandbox, &format!("{DBEAVER}/data-sources-pgcred.json"));
    for name in ["prod", "test"] {
        assert!(services.contains(&format!("[{name}]")), "{services}");
        assert!(
            servers.contains(&format!("\"Name\": \"{name}\"")),
            "{servers}"
        );
        assert!(sources.contains(&format!("\"pgcred-{name}\"")), "{sources}");
    }
}

#[test]
fn every_tool_is_set_up_and_every_byte_and_mode_comes_back() {
    let sandbox = sandbox("");
    let before = home(&sandbox);
    let shown = sandbox.run(&["setup", "--all", "--dry-run"]);
    assert_eq!((shown.code, &*shown.stdout), (0, ""), "{}", shown.stderr);
    let without_terminal = sandbox.run(&["setup", "--all"]);
    without_terminal.assert_fails(2, "there is no terminal to ask on");
    for run in [&shown, &without_terminal] {
        let differences = run.stderr.lines().filter(|line| line.starts_with("+++ "));
        assert_eq!(differences.count(), 5, "{}", run.stderr);
    }
    assert_eq!(home(&sandbox), before);

    let run = sandbox.run(&["setup", "--all", "--yes"]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{}", run.stderr);
    assert_set_up(&sandbox);
    assert!(sandbox.path(TIMER).exists(), "{}", run.stderr);
    for said in [
        "psql service=prod\n",
        "in pgAdmin: Tools > Import/Export Servers",
        "start DBeaver; ",
        "systemd timer (Linux) repeats it\n",
        "DataGrip, IntelliJ: `pgcred setup datagrip` prints what to enter\n",
        "needs a login, DBeaver and pgAdmin 4 show only an error",
    ] {
        assert_eq!(
            run.stderr.matches(said).count(),
            1,
            "{said}: {}",
            run.stderr
        );
    }
    let after = home(&sandbox);
    let strange = "a cluster ID of Aurora DSQL has 26 characters"; // for each tool the same
    assert_eq!(run.stderr.matches(strange).count(), 1, "{}", run.stderr);
    let again = sandbox.run(&["setup", "--all", "--yes"]);
    assert!(
        again.code == 0 && again.stderr.contains("pgcred: nothing to change\n"),
        "{}",
        again.stderr
    );
    for said in ["psql service=prod", "start DBeaver; ", "show only an error"] {
        assert!(!again.stderr.contains(said), "{said}: {}", again.stderr);
    }
    assert_eq!(home(&sandbox), after);

    let run = sandbox.run(&["setup", "--undo", "--all", "--yes"]);
    assert_eq!((run.code, &*run.stdout), (0, ""), "{}", run.stderr);
    assert_eq!(home(&sandbox), before);
    for said in [
        "pgcred: your connections stay in ",
        "config.toml: `pgcred remove NAME` removes one with its tokens; \
         `pgcred erase --all` removes every token\n",
    ] {
        let count = run.stderr.matches(said).count();
        assert_eq!(count, 1, "{said}: {}", run.stderr);
    }
    assert!(!sandbox.path(".config/systemd").exists());
    let nothing = sandbox.run(&["setup", "--undo", "--all", "--yes"]);
    assert_eq!(
        (nothing.code, &*nothing.stderr),
        (0, "pgcred: nothing is set up\n")
    );
    let calls = calls(&sandbox, "systemctl");
    assert!(
        calls.contains(&"--user disable --now pgcred-refresh.timer".to_owned()),
        "{calls:?}"
    );
}

/// A broken file and a section of the user's own cost only the tool and the connection that they
/// concern.
#[test]
fn the_error_of_one_tool_does_not_stop_the_others() {
    let sandbox = sandbox("");
    let sources = format!("{DBEAVER}/data-sources-pgcred.json");
    sandbox.write(&sources, "{");
    sandbox.write(SERVICES, "[test]\nhost=h\n");
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    run.assert_fails(2, "2 tools or connections could not be set up");
    assert!(run.stderr.contains("dbeaver: "), "{}", run.stderr);
    assert!(
        run.stderr.contains("there is a [test] of your own"),
        "{}",
        run.stderr
    );
    assert_eq!(text(&sandbox, &sources), "{");
    let services = text(&sandbox, SERVICES);
    assert!(
        services.contains("[prod]") && services.ends_with("[test]\nhost=h\n"),
        "{services}"
    );
    assert!(text(&sandbox, ".config/pgcred/pgadmin-servers.json").contains("\"test\""));
    assert!(sandbox.path(TIMER).exists());
}

/// What a scheduler's failing command takes back is the scheduler's alone.
#[test]
fn a_scheduler_that_refuses_takes_no_tool_with_it() {
    let sandbox = sandbox("[ \"$2\" != enable ] || { echo 'Unit is masked' >&2; exit 1; }");
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    run.assert_fails(
        1,
        "systemd: `systemctl --user enable --now pgcred-refresh.timer` failed",
    );
    assert!(!sandbox.path(".config/systemd").exists());
    assert_set_up(&sandbox);
    assert!(
        run.stderr.contains("and once `pgcred setup "),
        "{}",
        run.stderr
    );
    // Once it works, the same command makes what is missing.
    install(&sandbox, "systemctl", "");
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(sandbox.path(TIMER).exists());
}

/// The next scheduler is taken where one does not answer, and a machine without any is no error.
#[test]
fn the_scheduler_that_works_here_is_set_up_or_the_reason_is_told() {
    let sandbox = sandbox("exit 1");
    let tab = sandbox.path("tab").display().to_string();
    let script = format!(
        "case $1 in -l) cat '{tab}' 2>/dev/null || {{ echo no crontab for me >&2; exit 1; }} ;; \
         -r) rm '{tab}' ;; *) cat \"$1\" >'{tab}' ;; esac"
    );
    install(&sandbox, "crontab", &script);
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(text(&sandbox, "tab").contains("'refresh' '--quiet' '--background'"));
    assert!(run.stderr.contains("cron repeats it"), "{}", run.stderr);
    sandbox.ok(&["setup", "--undo", "--all", "--yes"]);
    assert!(!sandbox.path("tab").exists());

    install(&sandbox, "crontab", "echo 'you may not' >&2; exit 1");
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_set_up(&sandbox);
    for said in [
        "`pgcred refresh --watch`",
        "systemd: `systemctl ",
        "you may not",
    ] {
        assert!(run.stderr.contains(said), "{said}: {}", run.stderr);
    }

    // Only a tool that reads the passfile needs one, and here that cannot be set up.
    sandbox.ok(&["setup", "--undo", "--all", "--yes"]);
    install(&sandbox, "systemctl", "");
    sandbox.write(SERVICES, "# pgcred begin\n");
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    run.assert_fails(2, "psql: ");
    assert!(!sandbox.path(TIMER).exists(), "{}", run.stderr);
    assert!(
        !run.stderr.contains("keep the passfile fresh"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_cannot_be_meant_is_refused_with_what_to_type() {
    let sandbox = sandbox("");
    let before = home(&sandbox);
    for (arguments, says) in [
        (
            &["setup", "psql", "--all"][..],
            "hint: run `pgcred setup --all` or `pgcred setup psql`\n",
        ),
        (
            &["setup", "psql", "--all", "--undo"],
            "hint: run `pgcred setup --all --undo` or `pgcred setup psql --undo`\n",
        ),
        (
            &["setup", "--all", "--host", HOST, "--yes"],
            "pgcred add NAME HOST",
        ),
        (&["setup", "--all", "--print"], "--print"),
    ] {
        let run = sandbox.run(arguments);
        assert_eq!((run.code, &*run.stdout), (2, ""), "{}", run.stderr);
        assert!(run.stderr.contains(says), "{says}: {}", run.stderr);
    }
    assert_eq!(home(&sandbox), before);
    for name in ["prod", "test"] {
        sandbox.ok(&["remove", name]);
    }
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    run.assert_fails(4, "no connection to set up");
    assert!(
        run.stderr
            .contains("`pgcred add NAME HOST --profile PROFILE`"),
        "{}",
        run.stderr
    );
}

/// The question is asked once for all tools, and neither `n` nor Ctrl-C changes anything.
#[test]
fn one_question_is_asked_for_all_and_ctrl_c_changes_nothing() {
    skip_unless!(PYTHON);
    let sandbox = sandbox("");
    let before = home(&sandbox);
    let asked = |answer: &str, more: &[&str]| {
        let mut terminal = sandbox.command(&python());
        terminal
            .arg("-B")
            .arg(root().join("tests/stubs/question.py"))
            .args(["[y/N]", "true", answer])
            .arg(env!("CARGO_BIN_EXE_pgcred"))
            .args(["setup", "--all"])
            .args(more);
        Run::of(terminal)
    };
    for answer in ["n", "\u{3}"] {
        let run = asked(answer, &[]);
        assert_eq!(
            run.stdout.matches("change this?").count(),
            1,
            "{}",
            run.stdout
        );
        assert_eq!(home(&sandbox), before, "{answer:?}: {}", run.stdout);
    }
    let run = asked("y", &[]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert_set_up(&sandbox);
    let run = asked("y", &["--undo"]);
    assert_eq!(
        run.stdout.matches("change this?").count(),
        1,
        "{}",
        run.stdout
    );
    assert_eq!(home(&sandbox), before);
}

/// A kill between the tools leaves whole files, and undoing gives every byte back.
#[test]
fn what_a_kill_has_left_is_undone() {
    // The scheduler's command waits: everything before it is written then.
    let sandbox = sandbox("[ \"$2\" != daemon-reload ] || { touch reached; sleep 30; }");
    let before = home(&sandbox);
    let mut command = sandbox.command(env!("CARGO_BIN_EXE_pgcred"));
    command
        .args(["setup", "--all", "--yes"])
        .stderr(Stdio::null());
    let mut pgcred = command.spawn().expect("pgcred");
    wait_for("systemctl is called", || sandbox.path("reached").exists());
    pgcred.kill().expect("a kill");
    pgcred.wait().expect("an end");
    assert!(sandbox.path(TIMER).exists());
    install(&sandbox, "systemctl", "");
    let run = sandbox.run(&["setup", "--undo", "--all", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    fs::remove_file(sandbox.path("reached")).expect("removed");
    assert_eq!(home(&sandbox), before);
    let run = sandbox.run(&["setup", "--all", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_set_up(&sandbox);
}

/// A kill before a file was changed leaves a copy of it, and a new file that is not in its place.
/// Nothing is set up then, and undoing removes both all the same.
#[test]
fn what_a_kill_has_left_beside_the_files_is_removed() {
    let sandbox = sandbox("");
    let copy = sandbox.path(&format!("{SERVICES}.pgcred-backup"));
    let new = sandbox.path(&format!("{SERVICES}.pgcred-new-Abc123"));
    for undo in [
        &["setup", "--undo", "--all"][..],
        &["setup", "psql", "--undo"],
    ] {
        fs::write(&copy, MINE).expect("a copy");
        fs::write(&new, "[prod]\n").expect("a new file");
        sandbox.ok(&[undo, &["--dry-run"]].concat());
        assert!(copy.exists() && new.exists(), "{undo:?}");
        sandbox.ok(&[undo, &["--yes"]].concat());
        assert!(!copy.exists() && !new.exists(), "{undo:?}");
        // A copy of something else is not pgcred's to throw away.
        fs::write(&copy, "[another]\n").expect("a copy");
        sandbox.ok(&[undo, &["--yes"]].concat());
        assert!(copy.exists(), "{undo:?}");
    }
    assert_eq!(text(&sandbox, SERVICES), MINE);
}
