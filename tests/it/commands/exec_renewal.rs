//! Tokens that are renewed while a program of `pgcred exec` runs, and refreshes inside it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::commands::exec::{left_behind, signal, wait_until};
use crate::support::needs::{program, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

/// The shell code of a program that waits until its passfile is another one than at its start.
const UNTIL_RENEWED: &str = "cp $PGPASSFILE first; touch ready; i=0; while cmp -s $PGPASSFILE \
    first; do \
    i=$((i + 1)); [ $i -lt 1000 ] || exit 9; sleep 0.05; done; ";

#[test]
fn the_passfile_stays_fresh_while_the_program_runs() {
    let sandbox = Sandbox::with_keys();
    for cache in ["--quiet", "--no-cache"] {
        let script = format!(
            "{UNTIL_RENEWED} stat -c %a $PGPASSFILE; ls -A $(dirname $PGPASSFILE) | wc -l; cat \
             first $PGPASSFILE"
        );
        let text = sandbox.ok(&[
            "exec",
            HOST,
            "--fresh",
            "--expires-in",
            "4",
            cache,
            "--",
            "sh",
            "-c",
            &script,
        ]);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "600");
        assert!(lines[2] != lines[3] && lines[2..].len() == 2, "{text}");
        for line in &lines[2..] {
            assert!(
                line.starts_with(&format!("{HOST}:5432:*:admin:{HOST}/?"))
                    && line.contains("X-Amz-Expires=4&"),
                "{line}"
            );
        }
        assert_eq!(left_behind(&sandbox), 0);
    }
}

/// A token that is valid for a short time is renewed before it expires, even if the first attempt
/// fails.
#[test]
fn a_failed_renewal_is_tried_again_while_the_token_is_valid() {
    let sandbox = Sandbox::empty();
    let keys = r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s"}"#;
    let source = format!(
        "if [ -e ready ] && [ ! -e failed ]; then touch failed; exit 1; fi\necho '{keys}'\n"
    );
    let source = sandbox.write("source", source);
    sandbox.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = sh {}\n",
            source.display()
        ),
    );
    let script = format!("{UNTIL_RENEWED} cat first $PGPASSFILE");
    let exec = [
        "exec",
        HOST,
        "--profile",
        "p",
        "--expires-in",
        "18",
        "--no-cache",
        "--",
        "sh",
        "-c",
        &script,
    ];
    let run = sandbox.run(&exec);
    assert!(
        run.code == 0 && sandbox.path("failed").exists(),
        "{}",
        run.stderr
    );
    let signed: Vec<_> = run
        .stdout
        .lines()
        .filter_map(|line| Some(line.split_once("X-Amz-Date=")?.1.split_once('&')?.0))
        .collect();
    let seconds = |time: &str| {
        let part = |at: usize| time[at..at + 2].parse::<i32>().expect("a number");
        (part(9) * 60 + part(11)) * 60 + part(13)
    };
    let pause = (seconds(signed[1]) - seconds(signed[0])).rem_euclid(86_400);
    assert!((12..18).contains(&pause), "{signed:?}");
}

/// An upgrade puts another file under the name of pgcred, or pgcred moves to another directory of
/// PATH.
#[test]
fn after_an_upgrade_exec_and_watch_go_on() {
    let mut sandbox = Sandbox::with_keys();
    let path = format!(
        "{}:{}:/usr/bin:/bin",
        sandbox.path("old").display(),
        sandbox.path("other").display()
    );
    sandbox.set("PATH", &path);
    let exec = [
        "exec",
        HOST,
        "--fresh",
        "--expires-in",
        "4",
        "--",
        "sh",
        "-c",
    ];
    for new in ["old/pgcred", "other/pgcred"] {
        let typed = sandbox.installed("old/pgcred");
        sandbox.installed("new/pgcred");
        fs::create_dir_all(sandbox.path("other")).expect("a directory");
        let mut pgcred = sandbox.command(if new == "old/pgcred" {
            typed.to_str().expect("a path")
        } else {
            "pgcred"
        });
        pgcred.args(exec).arg(format!(
            "rm old/pgcred; mv new/pgcred {new}; {UNTIL_RENEWED}"
        ));
        let run = Run::of(pgcred);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{new}");
    }

    // `refresh --watch` goes on while pgcred is missing for a moment.
    sandbox.ok(&["add", "-q", "short", HOST, "--expires-in", "6"]);
    let installed = sandbox.installed("old/pgcred");
    let token = || fs::read(sandbox.path(".pgpass")).unwrap_or_default();
    let mut watch = sandbox.command(installed.to_str().expect("a path"));
    let errors = fs::File::create(sandbox.path("errors")).expect("a file");
    let mut child = watch
        .args(["refresh", "--watch", "-q"])
        .stderr(errors)
        .spawn()
        .expect("pgcred");
    wait_until("the first token", || !token().is_empty());
    fs::remove_file(&installed).expect("removed");
    let said = || String::from_utf8(sandbox.read("errors")).expect("text");
    wait_until("the error", || {
        said().contains("hint: install it there again")
    });
    assert!(
        said().contains("pgcred is no longer at ") && child.try_wait().expect("a state").is_none(),
        "{}",
        said()
    );
    let first = token();
    sandbox.installed("old/pgcred");
    wait_until("the next token", || token() != first);
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));
    assert_eq!(said().lines().count(), 2, "{}", said());
}

#[test]
fn a_renewal_writes_no_file_but_the_private_passfile_of_a_program_that_runs() {
    let mut sandbox = Sandbox::with_keys();
    let mine = "h:5432:*:me:mine\n";
    let session = sandbox.own().join("cache/exec/run-mine");
    fs::create_dir_all(&session).expect("a directory");
    fs::set_permissions(&session, fs::Permissions::from_mode(0o700)).expect("a mode");
    let passfile = session.join("passfile");
    for path in [
        sandbox.path(".pgpass"),
        sandbox.path("passfile"),
        passfile.clone(),
    ] {
        fs::write(&path, mine).expect("written");
        // A directory that only looks like a private directory of pgcred is refused too, if the
        // process that holds its lock is gone.
        for lock in [false, true] {
            let _ = if lock {
                fs::write(session.join("lock"), "")
            } else {
                fs::remove_file(session.join("lock"))
            };
            let run = sandbox.run(&[
                "exec",
                HOST,
                "--user",
                "app",
                "--renew",
                &path.display().to_string(),
            ]);
            run.assert_fails(
                2,
                "is not the private passfile of a `pgcred exec` that runs",
            );
            assert_eq!(fs::read_to_string(&path).expect("a file"), mine);
        }
    }
    let script = "ln -s ../../../mine $(dirname $PGPASSFILE)/link; \
        for file in link lock; do \"$0\" exec $PGHOST --renew $(dirname $PGPASSFILE)/$file; echo \
        $?; done; \
        \"$0\" exec $PGHOST --renew $PGPASSFILE >due; echo $?";
    let exec = [
        "exec",
        HOST,
        "--",
        "sh",
        "-c",
        script,
        env!("CARGO_BIN_EXE_pgcred"),
    ];
    let run = sandbox.run(&exec);
    assert_eq!(run.stdout, "2\n2\n0\n", "{}", run.stderr);
    let run = sandbox
        .unset("PGCRED_HOME")
        .set("XDG_RUNTIME_DIR", "a/relative/one")
        .run(&exec);
    assert_eq!(run.stdout, "2\n2\n0\n", "{}", run.stderr);
}

/// A failed renewal is reported once and does not end the program. A renewal that still runs when
/// the program ends leaves no file.
#[test]
fn a_late_or_failed_renewal_does_not_disturb_the_program() {
    skip_unless!(program("ps"));
    let sandbox = Sandbox::empty();
    let home = sandbox.home().display();
    let keys = r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s"}"#;
    let source = sandbox.write(
        "source",
        format!(
            "#!/bin/sh\nif [ -e '{home}/slow' ]; then sleep 61 & echo $$ $! >'{home}/started'; \
             touch '{home}/asked'; wait; fi\n\
             if [ -e '{home}/ready' ]; then touch '{home}/asked'; echo 'no such luck' >&2; exit 1; \
             fi\necho '{keys}'\n"
        ),
    );
    sandbox.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = sh {}\n",
            source.display()
        ),
    );
    let exec = |script: &str| {
        let run = sandbox.run(&[
            "exec",
            HOST,
            "--profile",
            "p",
            "--expires-in",
            "3",
            "--fresh",
            "--",
            "sh",
            "-c",
            script,
        ]);
        let _ = fs::remove_file(sandbox.path("asked"));
        run
    };
    let wait =
        "i=0; until [ -e asked ]; do i=$((i + 1)); [ $i -lt 1000 ] || exit 9; sleep 0.05; done; ";
    let run = exec(&format!("touch ready; {wait} sleep 2; echo done"));
    assert_eq!((run.code, &*run.stdout), (0, "done\n"), "{}", run.stderr);
    assert_eq!(
        run.stderr
            .matches("the token of this program is not renewed")
            .count(),
        1,
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("no such luck") && run.stderr.lines().count() == 1,
        "{}",
        run.stderr
    );
    fs::remove_file(sandbox.path("ready")).expect("removed");
    let began = Instant::now();
    let run = exec(&format!("touch slow; {wait} echo done"));
    assert_eq!((run.code, &*run.stdout, &*run.stderr), (0, "done\n", ""));
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "it waited for the renewal"
    );
    // Neither the program of the profile nor a program that it has started still runs.
    let started = String::from_utf8(sandbox.read("started")).expect("text");
    assert_eq!(started.split_whitespace().count(), 2);
    let runs = |pid: &str| {
        let state = Command::new("ps")
            .args(["-o", "state=", "-p", pid])
            .output()
            .expect("ps")
            .stdout;
        !state.is_empty() && !state.starts_with(b"Z") // ended, and not yet asked for
    };
    wait_until("the end of the profile's program", || {
        !started.split_whitespace().any(runs)
    });
    assert_eq!(left_behind(&sandbox), 0);
}

/// Inside `exec` the hook and `refresh` work on the user's own passfile. The private one belongs to
/// the program alone.
#[test]
fn a_refresh_inside_exec_goes_to_the_passfile_outside() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "-q", "prod", HOST]);
    sandbox.ok(&[
        "add",
        "-q",
        "shop",
        RDS_HOST,
        "--user",
        "app",
        "--region",
        "eu-west-1",
    ]);
    let hook = sandbox
        .write("hook", sandbox.ok(&["init", "bash", "--hook", "none"]))
        .display()
        .to_string();
    let script = format!(
        "cp $PGPASSFILE before; . {hook}; __pgcred_hook; i=0; until grep -qs :app: \"$1\"; do \
         ((++i < 400)) || exit 9; sleep 0.05; done; \
         cmp $PGPASSFILE before"
    );
    for named in [false, true] {
        let passfile = sandbox.path(if named { "own" } else { ".pgpass" });
        let encoded = passfile.display().to_string().replace(['/', ':'], "%");
        if named {
            let shown = passfile.display().to_string();
            sandbox.set("PGPASSFILE", &shown);
        }
        let due = sandbox.own().join("cache").join(if named {
            format!("due-{encoded}")
        } else {
            "due".to_owned()
        });
        let inside = [
            "exec",
            "shop",
            "--",
            "bash",
            "-c",
            &script,
            "bash",
            &passfile.display().to_string(),
        ];
        let nested = [
            &["exec", "prod", "--", env!("CARGO_BIN_EXE_pgcred")],
            &inside[..],
        ]
        .concat();
        for command in [&inside[..], &nested[..]] {
            let run = sandbox.run(command);
            assert_eq!((run.code, &*run.stderr), (0, ""), "{}", run.stdout);
            let text = fs::read_to_string(&passfile).expect("the user's passfile");
            for key in [
                format!("{HOST}:5432:*:admin:"),
                format!("{RDS_HOST}:5432:*:app:"),
            ] {
                assert!(text.contains(&key), "{key} is not in {text}");
            }
            fs::remove_file(&passfile).expect("removed");
            // The refresh in the background writes the due file after the passfile.
            wait_until("the file for hooks", || due.exists());
            fs::remove_file(&due).expect("removed");
        }
        let refresh = [
            "exec",
            "shop",
            "--",
            env!("CARGO_BIN_EXE_pgcred"),
            "refresh",
            "prod",
        ];
        let run = sandbox.run(&refresh);
        assert!(
            run.code == 0 && run.stderr.contains("inside `pgcred exec`"),
            "{}",
            run.stderr
        );
        assert!(passfile.exists());
    }
}
