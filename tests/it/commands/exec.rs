//! `pgcred exec` and `refresh --watch`: programs that run beside pgcred, and what is left when they
//! or it end.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::support::needs::{program, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_mins(1); // twice what a watcher sleeps
    while !done() {
        assert!(Instant::now() < deadline, "{what} never came");
        thread::sleep(Duration::from_millis(10));
    }
}

fn left_behind(sandbox: &Sandbox) -> usize {
    fs::read_dir(sandbox.own().join("cache/exec"))
        .expect("a directory")
        .count()
}

#[test]
fn the_program_gets_connection_and_passfile_and_its_own_environment() {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .set("PGPASSWORD", "old")
        .set("MINE", "kept")
        .set("PGCONNECT_TIMEOUT", "7");
    let script = "echo $PGHOST $PGPORT $PGUSER $PGDATABASE $PGSSLMODE $MINE $PGCONNECT_TIMEOUT [$PGPASSWORD]; \
        stat -c %a $PGPASSFILE $(dirname $PGPASSFILE); cat $PGPASSFILE; read line; echo $line; exit 7";
    let mut pgcred = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]);
    let mut child = pgcred
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pgcred");
    std::io::Write::write_all(&mut child.stdin.take().expect("a pipe"), b"typed\n")
        .expect("written");
    let run = Run::finished(child.wait_with_output().expect("an end"));
    let lines: Vec<_> = run.stdout.lines().collect();
    assert_eq!(run.code, 7, "{}", run.stderr);
    assert_eq!(
        lines[0],
        format!("{HOST} 5432 admin postgres verify-full kept 7 []")
    );
    assert_eq!(lines[1..3], ["600", "700"]);
    assert!(lines[3].starts_with(&format!(
        "{HOST}:5432:*:admin:{HOST}/?Action=DbConnectAdmin&"
    )));
    assert_eq!(lines[4..], ["typed"]);
    assert_eq!(left_behind(&sandbox), 0);
}

#[test]
fn signals_pass_both_ways() {
    let sandbox = Sandbox::with_keys();
    let run = sandbox.run(&["exec", HOST, "--", "sh", "-c", "kill -TERM $$"]);
    assert_eq!(run.code, -1, "ended by the signal, not by a code");
    let script = "trap 'echo got it; exit 3' TERM; touch ready; while :; do sleep 0.02; done";
    let mut pgcred = sandbox.pgcred(&["exec", HOST, "--", "sh", "-c", script]);
    let child = pgcred
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pgcred");
    wait_until("the program", || sandbox.path("ready").exists());
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    let run = Run::finished(child.wait_with_output().expect("an end"));
    assert_eq!((run.code, &*run.stdout), (3, "got it\n"), "{}", run.stderr);
    sandbox
        .run(&["exec", HOST, "--", "/no/such/program"])
        .assert_fails(127, "cannot run /no/such/program");
    sandbox
        .run(&["exec", HOST, "--", "no-such-program"])
        .assert_fails(127, "check its name and PATH");
    let text = sandbox.write("text", "not a program").display().to_string();
    sandbox
        .run(&["exec", HOST, "--", &text])
        .assert_fails(126, "cannot run ");
    sandbox
        .run(&["exec", "nope", "--", "true"])
        .assert_fails(4, "`nope` is no connection");
    assert_eq!(left_behind(&sandbox), 0);
}

fn signal(pid: u32, signal: nix::sys::signal::Signal) {
    let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).expect("a process id"));
    nix::sys::signal::kill(pid, signal).expect("a process");
}

#[test]
fn a_crash_leaves_a_passfile_only_until_the_next_run() {
    let sandbox = Sandbox::with_keys();
    let script = "echo $$ >pid; touch ready; exec sleep 30";
    let mut child = sandbox
        .pgcred(&["exec", HOST, "--", "sh", "-c", script])
        .spawn()
        .expect("pgcred");
    wait_until("the program", || sandbox.path("ready").exists());
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(
        left_behind(&sandbox),
        1,
        "a running program keeps its passfile"
    );
    child.kill().expect("kill -9");
    child.wait().expect("an end");
    sandbox.ok(&["exec", HOST, "--", "true"]);
    assert_eq!(left_behind(&sandbox), 0);
    let program: u32 = String::from_utf8_lossy(&sandbox.read("pid"))
        .trim()
        .parse()
        .expect("the program's id");
    signal(program, nix::sys::signal::Signal::SIGKILL);
}

/// Where the private passfile is in the cache's directory and where the system has a directory for
/// it.
#[test]
fn erase_all_spares_the_passfiles_of_programs_that_run() {
    let mut sandbox = Sandbox::with_keys();
    let runtime = sandbox.path("run");
    fs::create_dir(&runtime).expect("a directory");
    let shown = runtime.display().to_string();
    for in_runtime in [false, true] {
        if in_runtime {
            sandbox.unset("PGCRED_HOME").set("XDG_RUNTIME_DIR", &shown);
        }
        let script = "cp $PGPASSFILE before; touch ready; until [ -e erased ]; do sleep 0.02; done; cmp before $PGPASSFILE";
        let mut child = sandbox
            .pgcred(&["exec", HOST, "--", "sh", "-c", script])
            .spawn()
            .expect("pgcred");
        wait_until("the program", || sandbox.path("ready").exists());
        let run = sandbox.run(&["erase", "--all"]);
        sandbox.write("erased", "");
        assert_eq!(
            child.wait().expect("an end").code(),
            Some(0),
            "the passfile is gone"
        );
        assert!(
            run.code == 0
                && run
                    .stderr
                    .contains("stays: the program of a `pgcred exec` runs"),
            "{}",
            run.stderr
        );
        let cache = if in_runtime {
            sandbox.path(".cache")
        } else {
            sandbox.own().join("cache")
        };
        let left = || {
            fs::read_dir(&cache)
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.file_name())
        };
        assert!(
            left().all(|name| name == "exec"),
            "{:?}",
            left().collect::<Vec<_>>()
        );
        sandbox.run(&["erase", "--all"]);
        assert!(!cache.exists() && !runtime.join("pgcred").exists());
        for file in ["ready", "erased", "before"] {
            fs::remove_file(sandbox.path(file)).expect("removed");
        }
    }
}

#[test]
fn watch_refreshes_stays_small_and_ends_when_told() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    let passfile = sandbox.path(".pgpass");
    let mut child = sandbox
        .pgcred(&["refresh", "--watch", "--quiet"])
        .spawn()
        .expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    thread::sleep(Duration::from_millis(200));
    if cfg!(target_os = "linux") {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).expect("a process");
        let line = status
            .lines()
            .find(|line| line.starts_with("VmRSS"))
            .expect("a size");
        let kib: u32 = line
            .split_whitespace()
            .nth(1)
            .and_then(|size| size.parse().ok())
            .expect("KiB");
        // Debug builds are larger in memory than what is shipped.
        assert!(kib < 24 * 1_024, "{line}");
    }
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));

    // An editor at work: said once, waited out.
    let config = sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("a file");
    fs::remove_file(&passfile).expect("removed");
    let errors = fs::File::create(sandbox.path("errors")).expect("a file");
    let mut child = sandbox
        .pgcred(&["refresh", "--watch", "-q"])
        .stderr(errors)
        .spawn()
        .expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    // Renamed into place: the watcher may look at any instant, and an empty file would be another
    // error.
    let half = sandbox.own().join("half.toml");
    fs::write(&half, format!("{text}[connections.half\n")).expect("a file");
    fs::rename(&half, &config).expect("renamed");
    wait_until("the error", || !sandbox.read("errors").is_empty());
    let said = String::from_utf8(sandbox.read("errors")).expect("text");
    assert!(
        said.contains("config.toml") && child.try_wait().expect("a state").is_none(),
        "{said}"
    );
    fs::write(&config, text).expect("a file");
    signal(child.id(), nix::sys::signal::Signal::SIGTERM);
    assert_eq!(child.wait().expect("an end").code(), Some(0));

    fs::remove_file(&passfile).expect("removed");
    let mut pgcred = sandbox.pgcred(&["refresh", "--watch", "--until-stdin-closes", "-q"]);
    let mut child = pgcred.stdin(Stdio::piped()).spawn().expect("pgcred");
    wait_until("the passfile", || passfile.exists());
    drop(child.stdin.take());
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

/// What libpq would rather believe than what exec says, and what would refuse a login by token.
#[test]
fn variables_for_another_connection_do_not_reach_the_program() {
    let mut sandbox = Sandbox::with_keys();
    let variables = [
        ("PGSERVICE", "legacy"),
        ("PGSERVICEFILE", "/etc/services"),
        ("PGHOST", "old.example.com"),
        ("PGHOSTADDR", "10.1.2.3"),
        ("PGREQUIREAUTH", "scram-sha-256"),
        ("PGCHANNELBINDING", "require"),
        ("PGSSLCERTMODE", "require"),
        ("PGGSSENCMODE", "require"),
        ("PGSSLSNI", "0"),
    ];
    for (name, value) in variables {
        sandbox.set(name, value);
    }
    let of_libpq = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| line.starts_with("PG") && !line.starts_with("PGCRED"));
        let mut names: Vec<_> = lines
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
            .collect();
        names.sort();
        names.join(" ")
    };
    let set = "PGDATABASE PGHOST PGPASSFILE PGPORT PGSSLMODE PGSSLROOTCERT PGUSER";
    assert_eq!(of_libpq(&sandbox.ok(&["exec", HOST, "--", "env"])), set);

    // What is no contradiction stays, and so does what TARGET says.
    sandbox
        .set("PGHOST", HOST)
        .set("PGREQUIREAUTH", "!md5")
        .set("PGCHANNELBINDING", "prefer")
        .set("PGSSLSNI", "1");
    sandbox
        .set("PGGSSENCMODE", "disable")
        .unset("PGSSLCERTMODE");
    let kept = "PGCHANNELBINDING PGDATABASE PGGSSENCMODE PGHOST PGHOSTADDR PGPASSFILE PGPORT PGREQUIREAUTH PGSSLMODE \
        PGSSLROOTCERT PGSSLSNI PGUSER";
    assert_eq!(of_libpq(&sandbox.ok(&["exec", "--", "env"])), kept);
    sandbox.set("PGHOST", "old.example.com");
    let target = format!("host={HOST} hostaddr=127.0.0.9");
    assert!(
        sandbox
            .ok(&["exec", &target, "--", "env"])
            .contains("PGHOSTADDR=127.0.0.9\n")
    );

    // The formats for shells take them out of the shell.
    let env = sandbox.ok(&["token", HOST, "--format", "env"]);
    assert!(
        env.starts_with("unset PGSERVICE\nunset PGSERVICEFILE\nunset PGHOSTADDR\nexport PGHOST="),
        "{env}"
    );
    let mut shell = sandbox.command("sh");
    shell.args(["-c", "set -eu; eval \"$1\"; env", "sh", &env]);
    assert!(
        !Run::of(shell)
            .stdout
            .lines()
            .any(|line| line.starts_with("PGSERVICE") || line.starts_with("PGHOSTADDR"))
    );
    for (format, line) in [
        ("fish", "set -e PGSERVICE\n"),
        (
            "powershell",
            "Remove-Item Env:PGSERVICE -ErrorAction Ignore\n",
        ),
        ("cmd", "set \"PGSERVICE=\"\n"),
    ] {
        assert!(
            sandbox
                .ok(&["token", HOST, "--format", format])
                .starts_with(line),
            "{format}"
        );
    }
    assert!(!sandbox.ok(&["token", HOST]).contains("PGSERVICE"));
}

/// What pgcred has set for one connection decides nothing of another one.
#[test]
fn what_exec_sets_is_not_taken_for_what_the_user_says() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "rds", RDS_HOST, "--user", "app"]);
    sandbox.ok(&["add", "dsql", HOST]);
    let far = format!(
        "host={RDS_HOST} port=15432 hostaddr=127.0.0.9 user=far dbname=far sslmode=require"
    );
    sandbox.ok(&[
        "add",
        "tunnel",
        &far,
        "--sign-host",
        &format!("{RDS_HOST}:5432"),
    ]);
    let pgcred = env!("CARGO_BIN_EXE_pgcred");
    let show = "for name in HOST HOSTADDR PORT USER DATABASE SSLMODE SSLROOTCERT; do eval echo $name=\\$PG$name; done";
    let show = ["--", "sh", "-c", show];
    let alone = |target: &str| sandbox.ok(&[&["exec", target], &show[..]].concat());
    let inside =
        |outer: &str, inner: &[&str]| sandbox.ok(&[&["exec", outer, "--", pgcred], inner].concat());
    let said = format!(
        "host={HOST} port=1 hostaddr=127.0.0.8 user=one sslmode=verify-full sslrootcert=/one.pem dbname=one"
    );
    for outer in ["rds", "dsql", "tunnel", &said] {
        for target in ["rds", "dsql", "tunnel", "new.dsql.us-east-1.on.aws"] {
            assert_eq!(
                inside(outer, &[&["exec", target], &show[..]].concat()),
                alone(target),
                "{target} in {outer}"
            );
        }
        for target in [RDS_HOST, "rds"] {
            let section = ["setup", "psql", target, "--print", "--quiet"];
            assert_eq!(
                inside(outer, &section),
                sandbox.ok(&section),
                "{target} in {outer}"
            );
        }
        // Without a target it is the one that the program is led to.
        assert_eq!(
            inside(outer, &[&["exec"], &show[..]].concat()),
            alone(outer),
            "{outer}"
        );
    }

    // Formats for shells set the same variables, without a mark of who has set them.
    for (first, second) in [("dsql", "rds"), ("rds", "dsql")] {
        let mut shell = sandbox.command("sh");
        let both = "eval \"$($0 token $1 --format env)\"; eval \"$($0 token $2 --format env)\"; echo SSLROOTCERT=$PGSSLROOTCERT";
        shell.args(["-c", both, pgcred, first, second]);
        let run = Run::of(shell);
        assert!(
            run.code == 0 && alone(second).ends_with(&run.stdout),
            "{second} after {first}: {}",
            run.stdout
        );
    }

    // What the user has exported counts, as it did.
    let mut sandbox = sandbox;
    sandbox
        .set("PGSSLROOTCERT", "/mine.pem")
        .set("PGDATABASE", "mine")
        .set("PGUSER", "mine");
    let seen = sandbox.ok(&[&["exec", "rds"], &show[..]].concat());
    assert!(
        seen.contains("USER=app\nDATABASE=mine\n") && seen.contains("SSLROOTCERT=/mine.pem\n"),
        "{seen}"
    );
}

/// Waits in a program for a passfile that is another one than at its start.
const UNTIL_RENEWED: &str = "cp $PGPASSFILE first; touch ready; i=0; while cmp -s $PGPASSFILE first; do \
    i=$((i + 1)); [ $i -lt 1000 ] || exit 9; sleep 0.05; done; ";

#[test]
fn the_passfile_stays_fresh_while_the_program_runs() {
    let sandbox = Sandbox::with_keys();
    for cache in ["--quiet", "--no-cache"] {
        let script = format!(
            "{UNTIL_RENEWED} stat -c %a $PGPASSFILE; ls -A $(dirname $PGPASSFILE) | wc -l; cat first $PGPASSFILE"
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

/// A token of a short life is renewed before it ends, though the first try fails.
#[test]
fn a_renewal_that_failed_is_tried_again_while_the_token_lasts() {
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

/// By an upgrade: another file has its name, or it is elsewhere in PATH.
#[test]
fn a_pgcred_that_was_replaced_renews_and_watches_on() {
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

    // A watcher outlasts the time in which there is none.
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
        // Not even where a directory looks like one of pgcred's, whoever made it being gone.
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
        for file in link lock; do \"$0\" exec $PGHOST --renew $(dirname $PGPASSFILE)/$file; echo $?; done; \
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

/// A renewal that fails is said once and ends nothing; one that is under way when the program ends
/// leaves nothing.
#[test]
fn a_renewal_that_fails_or_is_late_is_no_trouble_for_the_program() {
    skip_unless!(program("ps"));
    let sandbox = Sandbox::empty();
    let home = sandbox.home().display();
    let keys = r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s"}"#;
    let source = sandbox.write(
        "source",
        format!(
            "#!/bin/sh\nif [ -e '{home}/slow' ]; then sleep 61 & echo $$ $! >'{home}/started'; touch '{home}/asked'; wait; fi\n\
             if [ -e '{home}/ready' ]; then touch '{home}/asked'; echo 'no such luck' >&2; exit 1; fi\necho '{keys}'\n"
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
    // Neither the profile's program nor what that has started.
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

/// As in a container: no home, or one that cannot be written to.
#[test]
fn a_passfile_finds_a_place_without_a_home() {
    let mut sandbox = Sandbox::with_keys();
    let temporary = sandbox.path("tmp dir");
    fs::create_dir(&temporary).expect("a directory");
    let shown = temporary.display().to_string();
    sandbox
        .unset("PGCRED_HOME")
        .set("HOME", "/proc/none")
        .set("TMPDIR", &shown);
    let script = "stat -c '%a %U' \"$PGPASSFILE\" \"$(dirname \"$PGPASSFILE\")\"; dirname \"$PGPASSFILE\"; grep -c DbConnect \"$PGPASSFILE\"";
    let mut directories = Vec::new();
    for _ in 0..2 {
        let run = sandbox.run(&["exec", HOST, "--", "sh", "-c", script]);
        let lines: Vec<_> = run.stdout.lines().collect();
        let user = lines[0].split_once(' ').expect("a user").1;
        assert_eq!(
            (run.code, lines[0].as_bytes(), lines[1]),
            (0, format!("600 {user}").as_bytes(), &*format!("700 {user}"))
        );
        assert!(
            lines[2].starts_with(&format!("{shown}/pgcred-run-")) && lines[3] == "1",
            "{}",
            run.stdout
        );
        assert!(run.stderr.lines().count() <= 1, "{}", run.stderr);
        directories.push(lines[2].to_owned());
    }
    assert_ne!(directories[0], directories[1]);
    let target = format!("host={RDS_HOST} user=app");
    let script = "dirname \"$PGSSLROOTCERT\" \"$PGPASSFILE\"; grep -c BEGIN \"$PGSSLROOTCERT\"";
    let shown = sandbox.ok(&["exec", &target, "-q", "--", "sh", "-c", script]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(
        (lines[0], lines[2]),
        (lines[1], "3"),
        "RDS's root certificates are beside the passfile"
    );
    assert_eq!(fs::read_dir(&temporary).expect("a directory").count(), 0);

    // The other commands work too, and say in one line that nothing is cached.
    let passfile = sandbox.path("pass").display().to_string();
    for command in [
        &["token", HOST][..],
        &["refresh", HOST, "--passfile", &passfile],
        &["exec", HOST, "--", "true"],
    ] {
        let run = sandbox.run(command);
        let warnings: Vec<_> = run
            .stderr
            .lines()
            .filter(|line| line.contains("warning"))
            .collect();
        assert!(
            run.code == 0 && warnings.len() == 1,
            "{command:?}: {}",
            run.stderr
        );
        assert!(
            warnings[0].contains("tokens are not cached")
                && warnings[0].contains("PGCRED_CACHE=none"),
            "{warnings:?}"
        );
        sandbox.set("PGCRED_CACHE", "none");
        let run = sandbox.run(command);
        assert!(
            run.code == 0 && !run.stderr.contains("warning"),
            "{command:?}: {}",
            run.stderr
        );
        sandbox.set("PGCRED_CACHE", "file");
    }
    sandbox.set("TMPDIR", "/proc/none");
    let run = sandbox.run(&["exec", HOST, "--", "true"]);
    run.assert_fails(1, "there is no place for a private file");
    assert!(
        run.stderr
            .contains("hint: let XDG_RUNTIME_DIR or TMPDIR name"),
        "{}",
        run.stderr
    );
}

/// Inside exec the hook and `refresh` look after the user's own passfile; the private one is the
/// program's alone.
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
        "cp $PGPASSFILE before; . {hook}; __pgcred_hook; i=0; until grep -qs :app: \"$1\"; do ((++i < 400)) || exit 9; sleep 0.05; done; \
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

/// PG* variables name a target where none is named; they change no connection for whoever deals
/// with all of them.
#[test]
fn a_shells_variables_do_not_change_the_connections() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.write(
        "other.toml",
        format!("[connections.prod]\nhost = \"{HOST}\"\n"),
    );
    let all = |sandbox: &Sandbox, command: &[&str]| {
        sandbox.run(&[command, &["--config", "other.toml"]].concat())
    };
    sandbox
        .set("PGUSER", "app")
        .set("PGPORT", "15432")
        .set("PGHOST", "x.dsql.us-east-1.on.aws");
    for command in [
        &["refresh"][..],
        &["refresh", "--background"],
        &["refresh", "--fresh"],
    ] {
        assert_eq!(all(&sandbox, command).code, 0);
        let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
        assert!(
            text.contains(&format!("\n{HOST}:5432:*:admin:"))
                && text.matches("# expires").count() == 1,
            "{text}"
        );
        sandbox.ok(&["erase", "--all"]);
    }
    all(&sandbox, &["refresh"]);
    let list = all(&sandbox, &["list", "--format", "json"]).stdout;
    assert!(
        list.contains(&format!("{HOST}:5432")) && list.contains("\"user\":\"admin\""),
        "{list}"
    );
    assert!(all(&sandbox, &["prompt"]).stdout.starts_with("prod 1"));
    let service = all(&sandbox, &["setup", "psql", "--print"]).stdout;
    assert!(
        service.contains("port=5432\n") && service.contains("user=admin\n"),
        "{service}"
    );
    // Without a connection PGHOST names the target, as it does for the other commands.
    sandbox.ok(&["refresh"]);
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(
        text.contains("\nx.dsql.us-east-1.on.aws:15432:*:app:"),
        "{text}"
    );
    let mut sandbox = Sandbox::with_keys();
    let run = sandbox.run(&["refresh"]);
    run.assert_fails(2, "there is nothing to refresh");
    assert!(
        run.stderr.contains("pgcred add NAME HOST") && !run.stderr.contains("pgcred token"),
        "{}",
        run.stderr
    );
    sandbox
        .run(&["refresh", "--watch"])
        .assert_fails(2, "there is nothing to refresh");
    let run = sandbox
        .set("AWS_REGION", "us-east-1")
        .run(&["refresh", HOST, "--user", "app"]);
    assert!(
        run.stderr.contains(&format!(
            "`pgcred add NAME {HOST} --user app`, then `pgcred setup "
        )),
        "{}",
        run.stderr
    );
}

/// Tokens that live for less than a watcher's longest pause.
#[test]
fn a_watcher_wakes_when_a_token_is_due() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "-q", "short", HOST, "--expires-in", "15"]);
    let token =
        || String::from_utf8(fs::read(sandbox.path(".pgpass")).unwrap_or_default()).expect("text");
    for target in [
        &["refresh", "--watch", "-q"][..],
        &["refresh", "short", "--watch", "-q"],
    ] {
        let mut child = sandbox.pgcred(target).spawn().expect("pgcred");
        wait_until("the first token", || token().contains(HOST));
        let first = token();
        let began = Instant::now();
        wait_until("the second token", || token() != first);
        assert!(token().contains(HOST), "no token stands between the two");
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "the first one had ended"
        );
        signal(child.id(), nix::sys::signal::Signal::SIGTERM);
        assert_eq!(child.wait().expect("an end").code(), Some(0));
        sandbox.ok(&["erase", "--all"]);
    }
}

#[test]
fn the_configurations_cap_holds_for_min_valid_too() {
    let sandbox = Sandbox::with_keys();
    sandbox.write("capped.toml", "max_expires_in = \"1h\"\n");
    let with = |command: &[&str]| sandbox.run(&[command, &["--config", "capped.toml"]].concat());
    for min_valid in ["3601", "7d"] {
        let run = with(&["token", HOST, "--min-valid", min_valid]);
        run.assert_fails(2, "--min-valid: expiry of");
        assert!(
            run.stderr.contains("max_expires_in is 3600 s"),
            "{}",
            run.stderr
        );
    }
    sandbox
        .run(&[
            "exec",
            HOST,
            "--config",
            "capped.toml",
            "--min-valid",
            "3d",
            "--",
            "true",
        ])
        .assert_fails(2, "max_expires_in");
    assert!(
        with(&["token", HOST, "--min-valid", "1h"])
            .stdout
            .contains("X-Amz-Expires=3600&")
    );
}

#[test]
fn refresh_and_setup_warn_of_a_service_that_is_no_connection() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "-q", "prod", HOST]);
    for command in [&["refresh", "prod"][..], &["setup", "psql", "--yes"]] {
        for (service, warned) in [("legacy", true), ("prod", false)] {
            let run = sandbox.set("PGSERVICE", service).run(command);
            let text = format!(
                "PGSERVICE is set: clients go to the host and user of the service `{service}`"
            );
            assert_eq!(
                (run.code, run.stderr.contains(&text)),
                (0, warned),
                "{command:?}: {}",
                run.stderr
            );
        }
    }
}
