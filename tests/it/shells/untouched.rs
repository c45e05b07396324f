//! What a hook does not change: options, exit codes, traps and names of the user, in shells that
//! are configured as users configure them.

use crate::shells::session::{BASH, DUE_AT_PROMPT, Desk, FISH, SHELLS, TRACED, ZSH, check_lines};
use crate::support::needs::{can_run, program, skip_unless};
use crate::support::sandbox::Run;

const PIPE: &str = "true | (exit 4) | true";

#[test]
fn bash_works_as_before() {
    skip_unless!(TRACED);
    let strict = "set -eu; set -o noclobber; set -o vi; shopt -s nocasematch extglob; \
        IFS=:0123456789; alias read=false local=false";
    let segment = [
        ("! true", ""),
        ("echo \"$((40 + 2))\"", "42"),
        ("echo \"${PGCRED_SEGMENT%% *}\"", "prod"),
    ];
    check_lines(
        &BASH,
        strict,
        &["--segment"],
        &[&segment[..], &DUE_AT_PROMPT].concat(),
    );
    let array = [
        ("(exit 3)", ""),
        ("echo \"${#PROMPT_COMMAND[@]} $seen\"", "3 3"),
        (PIPE, ""),
        ("echo ${PIPESTATUS[*]}", "0 4 0"),
    ];
    check_lines(
        &BASH,
        "PROMPT_COMMAND=(: 'seen=$?')",
        &[],
        &[&array[..], &DUE_AT_PROMPT].concat(),
    );
    let string = [
        ("(exit 3)", ""),
        ("echo $seen", "3"),
        (PIPE, ""),
        ("echo ${PIPESTATUS[*]}", "0 4 0"),
    ];
    check_lines(
        &BASH,
        "PROMPT_COMMAND='seen=$?; '",
        &[],
        &[&string[..], &DUE_AT_PROMPT].concat(),
    );
    // A command after the hook finds the same $?, however the shell splits words, and a trap runs
    // once.
    for (before, behind) in [
        ("true", "PROMPT_COMMAND+=$'\\nseen=$?'"),
        ("set -E", "PROMPT_COMMAND+=$'\\nseen=$?'"),
        ("PROMPT_COMMAND=(true)", "PROMPT_COMMAND+=('seen=$?')"),
    ] {
        let before = format!("{before}; IFS=0123456789; trap 'traps+=x' ERR");
        let lines = [
            (behind, ""),
            ("(exit 3)", ""),
            ("echo \"$traps $seen\"", "x 3"),
            ("f() { return 4; }; f", ""),
            ("echo \"$traps $seen\"", "xx 4"),
        ];
        check_lines(&BASH, &before, &[], &lines);
    }
}

/// A child inherits `PROMPT_COMMAND`, but not the functions that it calls.
#[test]
fn bash_prints_nothing_in_a_child_without_the_hook() {
    skip_unless!(TRACED);
    let desk = Desk::new();
    desk.sandbox.ok(&["refresh", "--background", "-q"]);
    let session = desk.start(&BASH, "export PS1 PROMPT_COMMAND='seen=x'", &[]);
    session.enter("bash --norc");
    session.enter("");
    let screen = session.enter("echo $seen $SHLVL");
    assert_eq!(
        screen[..3],
        ["P> bash --norc", "P>", "P> echo $seen $SHLVL"]
    );
    assert_eq!(screen[4..], ["P>"]);
}

#[test]
fn zsh_works_as_before() {
    skip_unless!(TRACED, program("zsh"));
    let strict = "setopt err_exit no_unset no_clobber ksh_arrays sh_word_split warn_create_global; \
        bindkey -v; IFS=:0123456789";
    let segment = [
        ("! true", ""),
        ("echo \"$((40 + 2))\"", "42"),
        ("echo \"${PGCRED_SEGMENT%% *}\"", "prod"),
    ];
    check_lines(
        &ZSH,
        strict,
        &["--segment"],
        &[&segment[..], &DUE_AT_PROMPT].concat(),
    );
    let desk = Desk::new();
    let session = desk.start(&ZSH, strict, &[]);
    session.enter(&session.undo);
    session.enter(&session.undo);
    let screen = session.enter("(( ${+functions[__pgcred_hook]} )) || echo undone");
    assert!(screen.iter().any(|line| line == "undone"), "{screen:#?}");
    let hooks = "precmd() { seen=$? }; other() { seen_too=$? }; precmd_functions=(other)";
    let hooks = format!("{hooks}; trap 'traps+=x' ERR");
    let hooks = hooks.as_str();
    let lines = [
        ("(exit 3)", ""),
        ("echo $seen $seen_too $traps", "3 3 x"),
        (PIPE, ""),
        ("echo $pipestatus", "0 4 0"),
    ];
    check_lines(&ZSH, hooks, &[], &[&lines[..], &DUE_AT_PROMPT].concat());
}

#[test]
fn fish_works_as_before() {
    skip_unless!(TRACED, program("fish"));
    let before = "fish_vi_key_bindings; function fish_mode_prompt; end; function other --on-event \
        fish_prompt; set -g seen $status; end";
    let lines = [
        ("sh -c 'exit 3'", ""),
        ("echo $seen", "3"),
        ("true | sh -c 'exit 4' | true", ""),
        ("echo $pipestatus", "0 4 0"),
    ];
    check_lines(&FISH, before, &[], &[&lines[..], &DUE_AT_PROMPT].concat());
    // The user has functions and jobs with these names.
    let before = ["contains", "math", "path", "sh", "date"]
        .map(|name| format!("function {name}; echo {name} $argv; end"));
    let lines = [
        (
            "echo $PGCRED_SEGMENT | builtin string replace --regex '[0-9]+' some",
            "prod some min",
        ),
        ("sleep 60 &", ""),
        ("set mine $last_pid", ""),
        DUE_AT_PROMPT[0],
        DUE_AT_PROMPT[1],
        DUE_AT_PROMPT[2],
        (
            "echo (test $last_pid = $mine; and echo mine) (jobs | count)",
            "mine 1",
        ),
    ];
    check_lines(&FISH, &before.join("\n"), &["--segment"], &lines);
}

#[test]
fn undo_without_a_hook_does_nothing() {
    let desk = Desk::new();
    for shell in SHELLS.iter().filter(|shell| shell.name != "nushell") {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let off = desk
            .sandbox
            .write("off", desk.init(&[shell.name, "--undo"]))
            .display()
            .to_string();
        let mut command = desk.sandbox.command(shell.command[0]);
        command.args(["-c", &shell.load.replace("HOOK", &off)]);
        let run = Run::of(command);
        assert_eq!(
            (run.code, run.stdout.as_str(), run.stderr.as_str()),
            (0, "", ""),
            "{}",
            shell.name
        );
    }
}

/// Returns the names that a shell has before the hook, with it, and after it was taken out.
#[test]
fn a_hook_adds_only_names_of_its_own() {
    skip_unless!(program("zsh"));
    let desk = Desk::new();
    let hook = desk
        .sandbox
        .write("hook", desk.init(&["bash", "--segment"]))
        .display()
        .to_string();
    let names = "compgen -v; compgen -A function";
    let script = format!(
        "PROMPT_COMMAND=true _=''; before=''; with=''; before=$({names}); . {hook}; __pgcred_hook; \
         with=$({names}); \
         pgcred_deactivate; echo \"$before\" | sort >1; echo \"$with\" | sort >2; ({names}) | sort \
         >3; \
         diff 1 3; comm -13 1 2"
    );
    let check = |program: &str, script: &str| {
        let mut command = desk.sandbox.command(program);
        command.args(["-c", script]);
        let run = Run::of(command);
        assert_eq!(run.stderr, "");
        assert!(run.stdout.lines().count() > 5, "{}", run.stdout);
        for name in run.stdout.lines() {
            let own = name.starts_with("__pgcred_")
                || ["pgcred_deactivate", "PGCRED_SEGMENT"].contains(&name);
            assert!(own, "{program}: {name} in {}", run.stdout);
        }
    };
    check("bash", &script);
    let hook = desk
        .sandbox
        .write("hook", desk.init(&["zsh", "--segment"]))
        .display()
        .to_string();
    let names = "print -l ${(k)parameters} ${(k)functions}";
    let script = format!(
        "zmodload zsh/datetime zsh/parameter; precmd_functions=() chpwd_functions=() before= \
         with=; \
         ({names}) | sort >1; . {hook}; __pgcred_hook; ({names}) | sort >2; pgcred_deactivate; \
         ({names}) | sort >3; \
         diff 1 3; comm -13 1 2"
    );
    check("zsh", &script);
}

/// This machine has no bash 3.2. A newer bash runs the branches for it, and the test checks that
/// they use nothing that bash 3.2 does not know.
#[test]
fn the_hook_for_old_versions_of_bash_works() {
    const NEWER: [&str; 14] = [
        "declare -A",
        "declare -g",
        "local -",
        "local -n",
        "${!__pgcred",
        "@Q}",
        "@P}",
        "^^}",
        ",,}",
        "|&",
        "&>",
        "[[ -v",
        "mapfile",
        "wait -n",
    ];
    let desk = Desk::new();
    desk.sandbox.ok(&["refresh", "-q"]);
    let hook = desk.init(&["bash", "--segment"]);
    assert!(NEWER.iter().all(|word| !hook.contains(word)), "{hook}");
    assert_eq!(
        hook.matches("%(%s)T").count() + hook.matches("$EPOCHSECONDS").count(),
        2
    );
    for (major, minor) in [("3", "2"), ("4", "2"), ("4", "4"), ("5", "0"), ("5", "1")] {
        desk.sandbox.write(
            "hook",
            hook.replace("BASH_VERSINFO[0]", major)
                .replace("BASH_VERSINFO[1]", minor),
        );
        desk.set_due(1);
        let script = "set -eu; PROMPT_COMMAND=('a;' b); . ./hook; . ./hook; __pgcred_clock; \
            __pgcred_hook; \
                      echo $((__pgcred_now - EPOCHSECONDS)) \"${PGCRED_SEGMENT%% *}\" \
                      \"${#PROMPT_COMMAND[@]}\"; \
                      pgcred_deactivate; echo \"${PROMPT_COMMAND[*]}\"";
        let mut bash = desk.sandbox.command("bash");
        bash.args(["-c", script]);
        let run = Run::of(bash);
        let elements = if (major, minor) == ("5", "1") { 3 } else { 2 };
        let shown = ["0", "-1"].map(|off| format!("{off} prod {elements}\na; b\n"));
        assert!(
            shown.contains(&run.stdout),
            "{major}.{minor}: {} {}",
            run.stdout,
            run.stderr
        );
        desk.wait_for_refresh();
    }
}
