//! Shell hooks in real shells at a terminal: when they refresh, what they do not change, and how
//! many processes they start.

use std::fs;
use std::os::unix::fs::symlink;
use std::thread::sleep;
use std::time::Duration;

use crate::shells::session::{
    BASH, DUE_AT_PROMPT, Desk, ELVISH, FISH, NUSHELL, PROMPT, SHELLS, Shell, TCSH, TRACED, XONSH,
    ZSH, check_lines, now,
};
use crate::support::desk::wait_for;
use crate::support::needs::{ROOT, can_run, program, skip_unless};
use crate::support::owners::give;
use crate::support::sandbox::{HOST, NOBODY};

/// Runs everything that a hook has to do in one shell.
pub fn check(shell: &Shell) {
    let desk = Desk::new();
    let segment: &[&str] = if shell.segment.is_empty() {
        &[]
    } else {
        &["--segment"]
    };

    // Without a due file, the first prompt starts a refresh.
    assert!(!desk.due().exists());
    let session = desk.start(shell, "", segment);
    desk.wait_for_refresh();
    assert!(
        String::from_utf8(desk.sandbox.read(".pgpass"))
            .expect("text")
            .contains(HOST)
    );
    drop(session);

    let session = desk.start(shell, "", segment);
    session.enter("");
    // Nothing is due: the hook starts no process. strace counts them, not the shell.
    let length = session.trace_length();
    for _ in 0..3 {
        session.enter("");
    }
    assert_eq!(
        session.started_since(length),
        [""; 0],
        "{} starts processes",
        shell.name
    );

    if !shell.fails.is_empty() {
        desk.set_due(1); // the refresh that the hook starts does not change the exit status
        session.enter(shell.fails);
        let screen = session.enter(shell.status);
        assert!(
            screen.iter().any(|line| line == "status=3"),
            "{}: {screen:#?}",
            shell.name
        );
        desk.wait_for_refresh();
    }
    if !shell.segment.is_empty() {
        let screen = session.enter(shell.segment);
        assert!(
            screen
                .iter()
                .any(|line| line.starts_with("[prod 1") && line.ends_with(" min]")),
            "{screen:#?}"
        );
    }

    // Something is due: the hook starts one refresh, also if the shell has read the hook several
    // times, and prints nothing.
    session.enter(&session.load);
    session.enter(&session.load);
    session.terminal.enter("clear");
    sleep(Duration::from_millis(500));
    let length = session.trace_length();
    desk.set_due(1);
    session.enter("");
    desk.wait_for_refresh();
    desk.set_due(1); // as if the refresh had failed: the next one comes a minute later
    session.enter("");
    let screen = session.enter("");
    assert!(
        screen.iter().all(|line| line == PROMPT),
        "{}: {screen:#?}",
        shell.name
    );
    let started = session.started_since(length);
    let refreshes = started
        .iter()
        .filter(|line| line.contains("execve(") && line.contains("\"refresh\", \"--background\""));
    let refreshes = refreshes.filter(|line| !line.contains("/bin/sh\"")).count();
    assert_eq!(refreshes, 1, "{}: {started:#?}", shell.name);
    session.wait_for_no_zombies();

    // The refresh has succeeded, and a token is due again: the hook does not wait.
    desk.set_due(2);
    session.enter("");
    desk.wait_for_refresh();

    // After its undoing the hook starts no refresh.
    session.enter(&session.undo);
    drop(session);
    let session = desk.start(shell, "", segment);
    desk.wait_for_refresh();
    if shell.name == "nushell" {
        session.enter("pgcred_deactivate");
    } else {
        session.enter(&session.undo);
        session.enter(&session.undo);
    }
    let length = session.trace_length();
    fs::remove_file(desk.due()).expect("it was there");
    session.enter("");
    session.enter("");
    assert_eq!(
        session.started_since(length),
        [""; 0],
        "{} after undo",
        shell.name
    );
    let screen = session.enter("");
    let own = |line: &String| line.starts_with(PROMPT) || line.is_empty();
    assert!(screen.iter().all(own), "{}: {screen:#?}", shell.name);
}

#[test]
fn bash_refreshes_when_due() {
    skip_unless!(TRACED, program("bash"));
    check(&BASH);
}

#[test]
fn zsh_refreshes_when_due() {
    skip_unless!(TRACED, program("zsh"));
    check(&ZSH);
}

#[test]
fn fish_refreshes_when_due() {
    skip_unless!(TRACED, program("fish"));
    check(&FISH);
}

#[test]
fn tcsh_refreshes_when_due() {
    skip_unless!(TRACED, program("tcsh"));
    check(&TCSH);
}

#[test]
fn elvish_refreshes_when_due() {
    skip_unless!(TRACED, program("elvish"));
    check(&ELVISH);
}

#[test]
fn xonsh_refreshes_when_due() {
    skip_unless!(TRACED, program("xonsh"));
    check(&XONSH);
}

#[test]
fn nushell_refreshes_when_due() {
    skip_unless!(TRACED, program("nu"));
    check(&NUSHELL);
}

/// Each passfile has a due file of its own, so that two shells do not mix them up. Inside `pgcred
/// exec` the hook refreshes the passfile from outside, not the private one.
#[test]
fn a_hook_refreshes_the_passfile_that_the_user_has_set() {
    skip_unless!(TRACED);
    for shell in SHELLS {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let mut desk = Desk::new();
        desk.sandbox.ok(&["refresh", "--background", "-q"]);
        // The shell uses another passfile. The due file of the usual passfile says that nothing is
        // due.
        let other = desk
            .sandbox
            .path("my \"own\" $x:y/pass")
            .display()
            .to_string();
        fs::create_dir(desk.sandbox.path("my \"own\" $x:y")).expect("a directory");
        desk.sandbox.set("PGPASSFILE", &other);
        let named = desk
            .own
            .join(format!("cache/due-{}", other.replace(['/', ':'], "%")));
        let usual = desk.due_at();
        let session = desk.start(shell, "", &[]);
        session.enter("");
        wait_for(&format!("{}: {}", shell.name, named.display()), || {
            named.exists()
        });
        let length = session.trace_length();
        session.enter("");
        assert_eq!(
            session.started_since(length),
            [""; 0],
            "{} with PGPASSFILE",
            shell.name
        );
        drop(session);
        assert_eq!(desk.due_at(), usual, "{}", shell.name);

        // Inside `pgcred exec`: at first nothing is due in the passfile outside, later something
        // is.
        desk.sandbox
            .set("PGCRED_EXEC_PASSFILE", "/run/private/pass")
            .set("PGCRED_OUTER_PASSFILE", &other);
        desk.sandbox
            .set("PGPASSFILE", "/run/private/pass")
            .set("PGUSER", "somebody")
            .set("PGPORT", "1");
        let session = desk.start(shell, "", &[]);
        session.enter("");
        let length = session.trace_length();
        session.enter("");
        assert_eq!(
            session.started_since(length),
            [""; 0],
            "{} in exec",
            shell.name
        );
        fs::remove_file(&named).expect("it was there");
        fs::write(&other, "").expect("emptied");
        session.enter("");
        wait_for(&format!("{}: {}", shell.name, named.display()), || {
            named.exists()
        });
        let text = fs::read_to_string(&other).expect("a passfile");
        assert!(
            text.contains(&format!("\n{HOST}:5432:*:admin:")),
            "{}: {text}",
            shell.name
        );
        assert_eq!(
            fs::read_dir(desk.own.join("cache"))
                .expect("a directory")
                .flatten()
                .filter(|entry| {
                    entry.file_name().to_string_lossy().starts_with("due")
                        && !["due.lock", "due.clock"]
                            .contains(&&*entry.file_name().to_string_lossy())
                })
                .count(),
            2,
            "{}",
            shell.name
        );
    }
}

/// No other content of the due file makes a hook wait for ever or print anything.
#[test]
fn a_hook_repairs_a_damaged_due_file() {
    skip_unless!(TRACED);
    let far = now() + 100_000;
    let damaged = [
        ("99999999999999999999".to_owned(), far),
        ("08".to_owned(), 8),
        ("1e9".to_owned(), 9),
        (format!("0{}", now() + 600), 600),
        (far.to_string(), far),
    ];
    for shell in SHELLS {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let desk = Desk::new();
        desk.sandbox.ok(&["refresh", "--background", "-q"]);
        let segment: &[&str] = if shell.segment.is_empty() {
            &[]
        } else {
            &["--segment"]
        };
        for (text, time) in &damaged {
            desk.write_due(&format!("{text}\nprod {text} ok\n"), *time);
            let session = desk.start(shell, "", segment);
            let screen = session.enter("");
            assert!(
                screen.iter().all(|line| line == PROMPT),
                "{} at {text}: {screen:#?}",
                shell.name
            );
            desk.wait_for_refresh();
        }
    }
}

/// A due file of another user neither delays a prompt nor prints to the terminal.
#[test]
fn a_hook_runs_nothing_from_a_due_file() {
    skip_unless!(TRACED);
    for shell in [&BASH, &ZSH, &FISH, &TCSH, &XONSH, &ELVISH] {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let desk = Desk::new();
        desk.sandbox.ok(&["refresh", "--background", "-q"]);
        let segment: &[&str] = if shell.segment.is_empty() {
            &[]
        } else {
            &["--segment"]
        };
        let session = desk.start(shell, "", segment);
        if !shell.segment.is_empty() {
            for text in ["a\x1b]0;b\x07 4000000000 c", "a 4000000000 \u{9b}31m"] {
                desk.write_due(&format!("{}\n{text}\n", now() + 600), now() + 600);
                session.enter("");
                let screen = session.enter(shell.segment);
                assert_eq!(
                    screen[screen.len() - 2],
                    "[]",
                    "{}: {screen:#?}",
                    shell.name
                );
            }
        }
        if shell.name == "elvish" {
            continue; // only its newest versions can tell a pipe from a file
        }
        fs::remove_file(desk.due()).expect("removed");
        nix::unistd::mkfifo(&desk.due(), nix::sys::stat::Mode::S_IRWXU).expect("a FIFO");
        session.enter("");
        wait_for("a file in the pipe's place", || {
            fs::metadata(desk.due()).is_ok_and(|metadata| metadata.is_file())
        });
    }
}

/// tcsh writes a file to learn the time. In a directory of another user that file may be a link.
#[test]
fn tcsh_does_not_write_to_a_directory_of_another_user() {
    skip_unless!(ROOT, TRACED, program("tcsh"));
    let desk = Desk::new();
    desk.sandbox.ok(&["refresh", "--background", "-q"]);
    let precious = desk.sandbox.write("precious", "mine");
    symlink(&precious, desk.own.join("cache/due.clock")).expect("a link");
    give(&desk.own.join("cache"), NOBODY);
    desk.start(&TCSH, "", &[]).enter("");
    assert_eq!(fs::read_to_string(&precious).expect("a file"), "mine");
}

/// pgcred was uninstalled while a shell had its hook.
#[test]
fn a_hook_without_pgcred_prints_nothing() {
    skip_unless!(TRACED);
    for shell in SHELLS {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let desk = Desk::new();
        desk.sandbox.ok(&["refresh", "--background", "-q"]);
        let session = desk.start(shell, "", &[]);
        fs::remove_file(&desk.pgcred).expect("removed");
        for _ in 0..2 {
            fs::remove_file(desk.due())
                .or_else(|_| fs::remove_dir_all(&desk.own))
                .expect("removed");
            session.enter("");
        }
        sleep(Duration::from_millis(300)); // a shell in between may print late
        let screen = session.enter("");
        assert!(
            screen.iter().all(|line| line == PROMPT),
            "{}: {screen:#?}",
            shell.name
        );
    }
}

/// A pause between two refreshes lasts for minutes, not until the time of a clock that was wrong.
#[test]
fn a_hook_does_not_wait_for_a_clock_that_was_set_back() {
    skip_unless!(TRACED);
    for (shell, hold) in [
        (&BASH, "__pgcred_hold=99999999999"),
        (&ZSH, "__pgcred_hold=99999999999"),
        (&FISH, "set -g __pgcred_hold 99999999999"),
        (&TCSH, "set __pgcred_hold = 99999999999"),
        (&NUSHELL, "$env.__pgcred_hold = 99999999999"),
    ] {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        check_lines(
            shell,
            "",
            &[],
            &[
                (hold, ""),
                DUE_AT_PROMPT[0],
                DUE_AT_PROMPT[1],
                DUE_AT_PROMPT[2],
            ],
        );
    }
    skip_unless!(program("elvish"));
    // elvish reads the time when it starts; here `date` answers with the day before.
    let yesterday = "#!/bin/sh\\nrm -- $0; echo $(($(date +%s) - 86400))\\n";
    let before = format!(
        "e:mkdir ~/fake; print \"{yesterday}\" > ~/fake/date; e:chmod 755 ~/fake/date; set paths = \
         [~/fake $@paths]"
    );
    let shown =
        "put (str:has-suffix $E:PGCRED_SEGMENT min) (has-external date) (e:ls ~/fake | count)";
    let lines = [("use str", ""), (shown, "▶ $true"), (shown, "▶ (num 0)")];
    check_lines(&ELVISH, &before, &["--segment"], &lines);
}

#[test]
fn a_hook_looks_at_the_moments_that_the_user_chose() {
    skip_unless!(TRACED);
    for shell in [&BASH, &ZSH, &FISH, &TCSH, &ELVISH, &XONSH] {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let moved = [
            ("DUE", ""),
            ("", ""),
            ("NOT REFRESHED", ""),
            ("cd /", ""),
            ("REFRESHED", ""),
        ];
        check_lines(shell, "", &["--hook", "pwd"], &moved);
    }
    for (shell, call) in [
        (&BASH, "__pgcred_hook"),
        (&ZSH, "__pgcred_hook"),
        (&FISH, "__pgcred_hook"),
        (&ELVISH, "pgcred-hook"),
        (&TCSH, "__pgcred_hook"),
        (&XONSH, "__pgcred_hook()"),
    ] {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let called = [
            ("DUE", ""),
            ("", ""),
            ("NOT REFRESHED", ""),
            (call, ""),
            ("REFRESHED", ""),
        ];
        check_lines(shell, "", &["--hook", "none"], &called);
    }
}
