//! Schedulers: their own programs read the files of pgcred; the calls that register them, and undo.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::support::needs::{PYTHON, program, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};

/// Returns a home with one connection, and with programs in PATH that only write down how they are
/// called.
pub fn sandbox(programs: &[&str]) -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    for program in programs {
        let log = sandbox.path("calls").display().to_string();
        let text = format!(
            "#!/bin/sh\necho {program} \"$@\" >>'{log}'\n[ \"$1\" != - ] || cat >'{log}.stdin'\n"
        );
        let path = sandbox.write(&format!("bin/{program}"), text);
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    sandbox.set("PATH", &path);
    sandbox.ok(&["add", "prod", HOST]);
    sandbox
}

pub fn calls(sandbox: &Sandbox) -> String {
    let calls = fs::read_to_string(sandbox.path("calls")).unwrap_or_default();
    let _ = fs::remove_file(sandbox.path("calls"));
    calls
        .replace(&sandbox.home().display().to_string(), "~")
        .replace(&sandbox.own().display().to_string(), "OWN")
}

#[test]
fn systemd_accepts_the_units_and_undo_removes_them() {
    skip_unless!(program("systemd-analyze"));
    let sandbox = sandbox(&["systemctl"]);
    sandbox.ok(&["setup", "systemd", "--yes"]);
    assert_eq!(
        calls(&sandbox),
        "systemctl --user show-environment\nsystemctl --user daemon-reload\n\
         systemctl --user enable --now pgcred-refresh.timer\n"
    );
    let directory = sandbox.path(".config/systemd/user");
    let mut verify = sandbox.command("/usr/bin/systemd-analyze");
    verify
        .args(["--user", "verify"])
        .arg(directory.join("pgcred-refresh.timer"))
        .env("SYSTEMD_UNIT_PATH", &directory)
        .env("XDG_RUNTIME_DIR", sandbox.home());
    let verified = Run::of(verify);
    assert!(
        verified.code == 0 && !verified.stderr.contains("pgcred"),
        "{}",
        verified.stderr
    );
    assert!(
        sandbox
            .ok(&["setup"])
            .lines()
            .any(|line| line.starts_with("systemd") && line.ends_with("set up"))
    );
    sandbox.ok(&["setup", "systemd", "--undo", "--yes"]);
    assert_eq!(
        calls(&sandbox),
        "systemctl --user disable --now pgcred-refresh.timer\nsystemctl --user daemon-reload\n"
    );
    assert!(
        !directory.parent().expect("a parent").exists(),
        "an empty directory, or more, is left"
    );
}

/// A manager that no longer runs is not called. Its files are removed all the same.
#[test]
fn units_are_removed_without_a_user_manager() {
    let sandbox = sandbox(&["systemctl"]);
    sandbox.ok(&["setup", "systemd", "--yes"]);
    sandbox.write(
        "bin/systemctl",
        "#!/bin/sh\necho no medium found >&2\nexit 1\n",
    );
    let run = sandbox.run(&["setup", "--undo", "--yes"]);
    assert!(
        run.code == 0 && run.stderr.contains("warning: `systemctl --user disable"),
        "{}",
        run.stderr
    );
    assert!(!sandbox.path(".config/systemd").exists());
}

/// A part that cannot be undone stops no other part, and the error is reported.
#[test]
fn a_failed_setup_undoes_its_work_and_reports_the_error() {
    let sandbox = sandbox(&["systemctl"]);
    let directory = sandbox.path(".config/systemd/user");
    let timer = directory.join("pgcred-refresh.timer");
    let meddling = format!(
        "#!/bin/sh\n[ \"$2\" != enable ] || {{ echo '# mine' >>'{}'; echo no luck >&2; exit 1; \
         }}\n",
        timer.display()
    );
    sandbox.write("bin/systemctl", meddling);
    let run = sandbox.run(&["setup", "systemd", "--yes"]);
    run.assert_fails(1, "enable --now pgcred-refresh.timer` failed: no luck");
    let kept = "pgcred-refresh.timer was not taken back: ";
    assert!(
        run.stderr.contains(kept) && run.stderr.contains("changed by another program"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr
            .contains("pgcred-refresh.service: as it was before"),
        "{}",
        run.stderr
    );
    assert!(timer.exists() && !directory.join("pgcred-refresh.service").exists());
}

#[test]
fn the_pause_is_shorter_than_the_shortest_lifetime() {
    let sandbox = sandbox(&[]);
    assert!(
        sandbox
            .ok(&["setup", "systemd", "--print"])
            .contains("OnCalendar=*:0/2\n")
    );
    sandbox.ok(&["remove", "prod"]);
    sandbox.ok(&[
        "add",
        "long",
        "l.dsql.us-east-1.on.aws",
        "--expires-in",
        "max",
    ]);
    assert!(
        sandbox
            .ok(&["setup", "systemd", "--print"])
            .contains("OnCalendar=*:0/2\n"),
        "credentials may end sooner"
    );
    sandbox.ok(&[
        "add",
        "short",
        "s.dsql.us-east-1.on.aws",
        "--expires-in",
        "60",
    ]);
    assert!(
        sandbox
            .ok(&["setup", "cron", "--print"])
            .starts_with("*/1 * * * * ")
    );
    // For this connection even a run every minute is too rare.
    sandbox.write("bin/systemctl", "#!/bin/sh\n");
    fs::set_permissions(
        sandbox.path("bin/systemctl"),
        fs::Permissions::from_mode(0o755),
    )
    .expect("a mode");
    let run = sandbox.run(&["setup", "systemd", "--yes"]);
    assert!(
        run.code == 0
            && run
                .stderr
                .contains("may expire before the next run: short (60 s);"),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("pgcred refresh --watch") && !run.stderr.contains("long ("),
        "{}",
        run.stderr
    );
}

/// A line break in the name of a directory would begin a new line of the crontab, and break the
/// files of the other schedulers.
#[test]
fn every_scheduler_refuses_a_path_with_a_control_character() {
    let sandbox = sandbox(&["crontab", "systemctl", "launchctl", "schtasks"]);
    let directory = "a\n* * * * * touch pwned #";
    sandbox.write(
        &format!("{directory}/c.toml"),
        format!("[connections.prod]\nhost = '{HOST}'\n"),
    );
    let config = sandbox.path(directory).join("c.toml").display().to_string();
    for tool in [
        "cron",
        "systemd",
        "launchd",
        "task-scheduler",
        "psql",
        "rainfrog",
        "dbeaver",
    ] {
        for how in ["--print", "--dry-run", "--yes"] {
            sandbox
                .run(&["setup", tool, "--config", &config, how])
                .assert_fails(2, "a control character");
        }
    }
    assert!(
        !sandbox.path(".pg_service.conf").exists() && !sandbox.path(".config/systemd").exists()
    );
}

/// The program of the task splits its arguments as the C runtime does.
#[test]
fn the_task_accepts_a_path_with_blanks() {
    let sandbox = sandbox(&["schtasks"]);
    sandbox.write(
        "my dir/c.toml",
        format!("[connections.prod]\nhost = '{HOST}'\n"),
    );
    let config = sandbox.path("my dir/c.toml").display().to_string();
    let text = sandbox.ok(&["setup", "task-scheduler", "--config", &config, "--print"]);
    let arguments =
        format!("refresh --quiet --background --config &quot;{config}&quot;</Arguments>");
    assert!(text.contains(&arguments), "{text}");
}

#[test]
fn files_for_launchd_and_task_scheduler_can_be_parsed() {
    skip_unless!(PYTHON);
    let sandbox = sandbox(&["launchctl", "schtasks"]);
    sandbox.ok(&["setup", "launchd", "--yes"]);
    sandbox.ok(&["setup", "task-scheduler", "--yes"]);
    assert_eq!(
        calls(&sandbox),
        "launchctl list\nlaunchctl load -w ~/Library/LaunchAgents/pgcred.refresh.plist\n\
         schtasks /Create /F /TN pgcred refresh /XML OWN/pgcred-refresh.xml\n"
    );
    let parse = "import plistlib, sys, xml.etree.ElementTree as tree\n\
        plist = plistlib.load(open(sys.argv[1], 'rb'))\n\
        assert plist['Label'] == 'pgcred.refresh' and plist['RunAtLoad'], plist\n\
        assert plist['StartCalendarInterval'] == [{'Minute': minute} for minute in range(0, 60, \
        2)], plist\n\
        assert plist['ProgramArguments'][1:] == ['refresh', '--quiet', '--background'], plist\n\
        space = '{http://schemas.microsoft.com/windows/2004/02/mit/task}'\n\
        task = tree.parse(sys.argv[2]).getroot()\n\
        assert [child.tag for child in task] == [space + name for name in\n\
          ('RegistrationInfo', 'Triggers', 'Settings', 'Actions')], task\n\
        assert task.find(f'.//{space}Interval').text == 'PT2M'\n\
        assert task.find(f'.//{space}StartWhenAvailable').text == 'true'\n\
        program = plist['ProgramArguments'][0]\n\
        assert task.find(f'.//{space}Arguments').text == f'--headless \"{program}\" refresh \
        --quiet --background'\n\
        assert all(byte < 128 for byte in open(sys.argv[2], 'rb').read())\n";
    let mut python = sandbox.command(&python());
    python
        .args(["-c", parse])
        .arg(sandbox.path("Library/LaunchAgents/pgcred.refresh.plist"));
    python.arg(sandbox.own().join("pgcred-refresh.xml"));
    let parsed = Run::of(python);
    assert_eq!(parsed.code, 0, "{}", parsed.stderr);
    sandbox.ok(&["setup", "launchd", "--undo", "--yes"]);
    sandbox.ok(&["setup", "task-scheduler", "--undo", "--yes"]);
    assert_eq!(
        calls(&sandbox),
        "launchctl unload -w ~/Library/LaunchAgents/pgcred.refresh.plist\n\
         schtasks /Delete /F /TN pgcred refresh\n"
    );
}

#[test]
fn the_crontab_gets_a_block_and_keeps_its_other_lines() {
    skip_unless!(program("crontab"));
    let sandbox = sandbox(&["crontab"]);
    let mine = "MAILTO=me\n0 3 * * * backup\n";
    let crontab = |list: &str| {
        let text = format!(
            "#!/bin/sh\ncase $1 in -l) {list} ;; -r) rm '{0}' ;; *) cat \"$1\" >'{0}' ;; esac\n",
            sandbox.path("tab").display()
        );
        sandbox.write("bin/crontab", text);
    };
    let cat = format!(
        "cat '{}' || {{ echo no crontab for me >&2; exit 1; }}",
        sandbox.path("tab").display()
    );
    crontab(&cat);
    sandbox.write("tab", mine);
    sandbox.ok(&["setup", "cron", "--yes"]);
    let tab = String::from_utf8(sandbox.read("tab")).expect("text");
    let line = format!(
        "*/2 * * * * '{}' 'refresh' '--quiet' '--background' >/dev/null 2>&1\n",
        env!("CARGO_BIN_EXE_pgcred")
    );
    assert!(
        tab.contains(&line) && tab.ends_with(&format!("# pgcred end\n{mine}")),
        "{tab}"
    );
    let mut check = sandbox.command("/usr/bin/crontab");
    check.arg("-n").arg(sandbox.path("tab")); // reads it as cron does, and installs nothing
    let checked = Run::of(check);
    assert_eq!(checked.code, 0, "{}", checked.stderr);
    sandbox.ok(&["setup", "cron", "--yes"]);
    assert_eq!(String::from_utf8(sandbox.read("tab")).expect("text"), tab);
    sandbox.ok(&["setup", "cron", "--undo", "--yes"]);
    assert_eq!(sandbox.read("tab"), mine.as_bytes());
    fs::remove_file(sandbox.path("tab")).expect("removed");
    sandbox.ok(&["setup", "cron", "--yes"]);
    sandbox.ok(&["setup", "cron", "--undo", "--yes"]);
    assert!(!sandbox.path("tab").exists(), "there was none before");

    // A crontab that pgcred cannot read with certainty is not replaced.
    sandbox.write("tab", b"# r\xe9pertoire\n0 3 * * * backup\n");
    let refuses = |says: &str| {
        let before = sandbox.read("tab");
        sandbox
            .run(&["setup", "cron", "--yes"])
            .assert_fails(if says.contains("UTF-8") { 2 } else { 1 }, says);
        assert_eq!(sandbox.read("tab"), before);
    };
    refuses("the crontab is not UTF-8");
    sandbox.write("tab", mine);
    crontab("sleep 5 &"); // the child holds the pipe open
    sandbox
        .run(&["setup", "cron", "--yes"])
        .assert_fails(2, "not printed to its end");
    crontab("echo 'you may not' >&2; exit 1");
    refuses("`crontab -l` failed: you may not");
    let log = sandbox.path("calls").display().to_string();
    crontab(&format!("echo >>'{log}'; {cat}; sed s/^/#/ '{log}'"));
    refuses("has just been changed");
}

/// The user has a unit of the same name as pgcred's.
#[test]
fn a_replaced_file_is_restored_by_undo() {
    let sandbox = sandbox(&["systemctl"]);
    let unit = ".config/systemd/user/pgcred-refresh.service";
    sandbox.write(unit, "[Service]\nExecStart=/mine\n");
    for _ in 0..2 {
        sandbox.ok(&["setup", "systemd", "--yes"]);
        sandbox.ok(&[
            "add",
            "short",
            "s.dsql.us-east-1.on.aws",
            "--expires-in",
            "60",
            "--replace",
        ]);
    }
    sandbox.ok(&["setup", "systemd", "--yes"]);
    sandbox.ok(&["setup", "systemd", "--undo", "--yes"]);
    assert_eq!(sandbox.read(unit), b"[Service]\nExecStart=/mine\n");
    sandbox.ok(&["setup", "systemd", "--undo", "--yes"]);
    assert_eq!(sandbox.read(unit), b"[Service]\nExecStart=/mine\n");
}

#[test]
fn a_scheduler_gets_the_configuration_and_warns_of_variables_that_it_lacks() {
    let mut sandbox = sandbox(&[]);
    sandbox
        .run(&["setup", "cron", HOST, "--print"])
        .assert_fails(2, "refreshes every connection");
    sandbox.write(
        "my own.toml",
        "[connections.x]\nhost = \"x.dsql.us-east-1.on.aws\"\n",
    );
    sandbox.set("AWS_PROFILE", "dev");
    let run = sandbox.run(&["setup", "systemd", "--config", "my own.toml", "--print"]);
    let path = sandbox.path("my own.toml").display().to_string();
    assert!(
        run.stdout.contains(&format!("\"--config\" \"{path}\"")),
        "{}",
        run.stdout
    );
    assert!(run.stderr.contains("AWS_PROFILE"), "{}", run.stderr);
}

#[test]
fn list_shows_how_the_last_scheduled_refresh_ended() {
    let mut sandbox = sandbox(&[]);
    sandbox.at("2030-01-01T00:00:00Z");
    assert!(!sandbox.ok(&["list"]).contains("background"));
    sandbox.ok(&["refresh", "--background", "--quiet"]);
    assert!(
        sandbox
            .ok(&["list"])
            .ends_with("last refresh in the background: 0 s ago\n")
    );
    sandbox.ok(&["erase", "--all", "--quiet"]);
    sandbox.set("AWS_PROFILE", "nope");
    let run = sandbox.run(&["refresh", "--background", "--quiet"]);
    assert!(
        run.code == 2
            && sandbox
                .ok(&["list"])
                .contains("0 s ago, failed: prod: there is no AWS profile `nope`"),
        "{}",
        run.stderr
    );
}

#[test]
fn an_error_names_the_scheduler_that_refused() {
    let sandbox = sandbox(&[]);
    let program = sandbox.write(
        "bin/systemctl",
        "#!/bin/sh\necho 'Failed to connect to bus' >&2\nexit 1\n",
    );
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("a mode");
    let nothing_is_there = || assert!(!sandbox.path(".config/systemd").exists());
    // The manager does not answer: nothing is written, and the error names another way that works
    // here.
    let run = sandbox.run(&["setup", "systemd", "--yes"]);
    run.assert_fails(
        1,
        "`systemctl --user show-environment` failed: Failed to connect to bus",
    );
    assert!(run.stderr.contains("nothing was changed"), "{}", run.stderr);
    let instead = if Path::new("/usr/bin/crontab").exists() {
        "`pgcred setup cron`"
    } else {
        "`pgcred refresh --watch`"
    };
    assert!(
        run.stderr
            .contains(&format!("hint: run {instead}, which does the same")),
        "{}",
        run.stderr
    );
    nothing_is_there();
    let run = sandbox.run(&["setup", "launchd", "--yes"]);
    run.assert_fails(1, "there is no program launchctl");
    assert!(!sandbox.path("Library").exists());
    // The manager answers but refuses the timer: the files that were written are removed again.
    let refuses = "#!/bin/sh\n[ \"$2\" != enable ] || { echo 'Unit is masked' >&2; exit 1; }\n";
    sandbox.write("bin/systemctl", refuses);
    let run = sandbox.run(&["setup", "systemd", "--yes"]);
    run.assert_fails(
        1,
        "`systemctl --user enable --now pgcred-refresh.timer` failed: Unit is masked",
    );
    nothing_is_there();
    let unit = ".config/systemd/user/pgcred-refresh.service";
    sandbox.write(unit, "[Service]\nExecStart=/mine\n");
    sandbox
        .run(&["setup", "systemd", "--yes"])
        .assert_fails(1, "Unit is masked");
    assert_eq!(sandbox.read(unit), b"[Service]\nExecStart=/mine\n");
    assert_eq!(
        fs::read_dir(sandbox.path(".config/systemd/user"))
            .expect("a directory")
            .count(),
        1
    );
    fs::remove_file(sandbox.path(unit)).expect("removed");
    sandbox.write("bin/systemctl", "#!/bin/sh\n");
    sandbox.ok(&["setup", "systemd", "--yes"]);
    // If the user has removed the unit by hand, undo still removes the rest.
    sandbox.write(
        "bin/systemctl",
        "#!/bin/sh\n[ \"$2\" = daemon-reload ] || { echo 'no such unit' >&2; exit 1; }\n",
    );
    let undo = sandbox.run(&["setup", "systemd", "--undo", "--yes"]);
    assert_eq!(undo.code, 0, "{}", undo.stderr);
    assert!(undo.stderr.contains("no such unit"), "{}", undo.stderr);
    assert!(
        !sandbox
            .path(".config/systemd/user/pgcred-refresh.timer")
            .exists()
    );
    assert_eq!(
        sandbox.run(&["setup", "systemd", "--undo", "--yes"]).stderr,
        "pgcred: nothing to change\n"
    );
}
