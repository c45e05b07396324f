//! The snippets of integrations for prompts, status bars and direnv. Each is run by its own
//! program, or by its shell if the program is missing.

use std::fs;

use serde_json::Value;

use crate::support::needs::{TERMINAL, can_run, program, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;

/// The program shows 15 minutes, or 14 minutes a moment later.
const SHOWN: &str = "prod 1";

/// Returns a sandbox with pgcred on PATH and a connection whose token is valid for 15 minutes.
fn desk() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    let path = std::env::var("PATH").expect("PATH");
    let own = std::path::Path::new(env!("CARGO_BIN_EXE_pgcred"))
        .parent()
        .expect("a directory")
        .display()
        .to_string();
    sandbox
        .set("PATH", &format!("{own}:{path}"))
        .set("TERM", "xterm");
    sandbox.ok(&["add", "-q", "prod", HOST]);
    sandbox.ok(&["refresh", "-q"]);
    sandbox
}

fn snippet(name: &str) -> String {
    fs::read_to_string(root().join("integrations").join(name)).expect("a snippet")
}

fn stdout(sandbox: &Sandbox, command: &[&str]) -> String {
    let mut program = sandbox.command(command[0]);
    program.args(&command[1..]);
    let run = Run::of(program);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{command:?}");
    run.stdout
}

#[test]
fn starship_shows_the_token() {
    skip_unless!(TERMINAL, program("starship"));
    let mut sandbox = desk();
    for (name, module) in [("env_var.toml", "$env_var"), ("custom.toml", "$custom")] {
        let text = format!(
            "format = \"{module}\"\nadd_newline = false\n{}",
            snippet(&format!("starship/{name}"))
        );
        let config = sandbox.write(name, text).display().to_string();
        sandbox
            .set("STARSHIP_CONFIG", &config)
            .set("PGCRED_SEGMENT", "by hook");
        let shown = stdout(&sandbox, &["starship", "prompt"]);
        let wanted = if name == "env_var.toml" {
            "by hook"
        } else {
            SHOWN
        };
        assert!(shown.contains(wanted), "{name}: {shown:?}");
    }
    // bash draws the prompt with both hooks. It shows the exit status of the command and the text
    // of pgcred.
    let config = "format = \"$env_var$status\"\nadd_newline = false\n[status]\ndisabled = false\n\
        format = '<$status>'\n";
    let config = sandbox
        .write(
            "both.toml",
            config.to_owned() + &snippet("starship/env_var.toml"),
        )
        .display()
        .to_string();
    let rc = sandbox.write(
        "rc",
        "eval \"$(pgcred init bash --segment)\"\neval \"$(starship init bash)\"\n",
    );
    sandbox
        .set("STARSHIP_CONFIG", &config)
        .unset("PGCRED_SEGMENT");
    let terminal = [
        &["bash", "--noprofile", "--rcfile"][..],
        &[rc.to_str().expect("text"), "-i"],
    ]
    .concat();
    let terminal = crate::support::tmux::Terminal::start(
        &sandbox,
        &terminal.into_iter().map(str::to_owned).collect::<Vec<_>>(),
    );
    terminal.wait("the segment", |screen| {
        screen.last().is_some_and(|line| line.contains(SHOWN))
    });
    terminal.enter("(exit 7)");
    terminal.wait("the status", |screen| {
        screen
            .last()
            .is_some_and(|line| line.contains(SHOWN) && line.contains("<7>"))
    });
}

/// One tmux runs in another, because tmux draws a status line only if it is attached.
#[test]
fn tmux_shows_the_token() {
    skip_unless!(TERMINAL);
    let sandbox = desk();
    for (own, columns) in [
        ("", "80"),
        (
            "set -g status-right 'mine'\nset -g status-right-length 90",
            "90",
        ),
    ] {
        sandbox.write(
            "tmux.conf",
            format!(
                "set -g status-interval 1\n{own}\n{}",
                snippet("tmux/pgcred.conf")
            ),
        );
        let inner = [
            "env",
            "-u",
            "TMUX",
            "tmux",
            "-S",
            "inner",
            "-f",
            "tmux.conf",
            "new-session",
            "cat",
        ]
        .map(str::to_owned);
        let terminal = crate::support::tmux::Terminal::start(&sandbox, &inner);
        let shown = || {
            terminal.wait("the status line", |screen| {
                screen
                    .last()
                    .is_some_and(|line| line.ends_with(" min") && line.matches(SHOWN).count() == 1)
            })
        };
        assert!(
            shown()
                .last()
                .is_some_and(|line| line.contains("mine") != own.is_empty())
        );
        // The title is as long as one that tmux shows without pgcred.
        stdout(
            &sandbox,
            &[
                "tmux",
                "-S",
                "inner",
                "select-pane",
                "-T",
                "a title of 21 columns and more",
            ],
        );
        for _ in 0..2 {
            assert_eq!(
                stdout(
                    &sandbox,
                    &["tmux", "-S", "inner", "source-file", "tmux.conf"]
                ),
                ""
            );
        }
        let right = stdout(
            &sandbox,
            &["tmux", "-S", "inner", "show", "-gv", "status-right"],
        );
        assert_eq!(right.matches("pgcred prompt").count(), 1, "{right}");
        assert_eq!(
            stdout(
                &sandbox,
                &["tmux", "-S", "inner", "show", "-gv", "status-right-length"]
            )
            .trim(),
            columns
        );
        terminal.wait("the title", |screen| {
            screen
                .last()
                .is_some_and(|line| line.contains("a title") == own.is_empty())
        });
        shown();
        stdout(&sandbox, &["tmux", "-S", "inner", "kill-server"]);
    }
}

#[test]
fn direnv_exports_the_connection_and_no_password() {
    skip_unless!(program("direnv"));
    let sandbox = desk();
    sandbox.write("project/.envrc", snippet("direnv/envrc"));
    let mut allow = sandbox.command("direnv");
    allow.args(["allow", "project/.envrc"]);
    assert_eq!(Run::of(allow).code, 0);
    let mut exec = sandbox.command("direnv");
    exec.args([
        "exec",
        "project",
        "sh",
        "-c",
        "echo \"$PGSERVICE|$PGPASSFILE|${PGPASSWORD-none}\"",
    ]);
    let run = Run::of(exec);
    assert_eq!(
        run.stdout,
        format!("prod|{}|none\n", sandbox.path(".pgpass").display()),
        "{}",
        run.stderr
    );
}

#[test]
fn powerlevel10k_gets_a_segment() {
    skip_unless!(program("zsh"));
    let sandbox = desk();
    let script =
        "p10k() { print -r -- \"$@\" }\n".to_owned() + &snippet("powerlevel10k/pgcred.zsh");
    let script = script + "prompt_pgcred\nPGCRED_SEGMENT='prod 1 s'\nprompt_pgcred\n";
    assert_eq!(
        stdout(&sandbox, &["zsh", "-f", "-eu", "-c", &script]),
        "segment -f 208 -t prod 1 s\n"
    );
}

#[test]
fn oh_my_posh_finds_the_values_of_its_segment() {
    let sandbox = desk();
    let segment: Value = serde_json::from_str(&snippet("oh-my-posh/segment.json")).expect("JSON");
    assert!(
        segment["template"]
            .as_str()
            .is_some_and(|template| template.contains(".Env.PGCRED_SEGMENT"))
    );
    let script =
        snippet("oh-my-posh/context.sh") + "set_poshcontext\nenv | grep '^PGCRED_SEGMENT='\n";
    for shell in [&["bash", "--norc", "-euc"][..], &["zsh", "-feuc"]] {
        if !can_run!(program(shell[0])) {
            continue;
        }
        let shown = stdout(&sandbox, &[shell, &[&script]].concat());
        assert!(
            shown.starts_with(&format!("PGCRED_SEGMENT={SHOWN}")) && shown.ends_with(" min\n"),
            "{shown}"
        );
    }
}
