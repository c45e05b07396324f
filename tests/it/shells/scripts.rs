//! The output of `init`, `completions` and `man`, as shells and `man` read it.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

use crate::shells::session::{Desk, PROMPT, ZSH};
use crate::support::needs::{Need, TERMINAL, can_run, find, package, program, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;
use crate::support::tmux::Terminal;

/// The shell accepts the output for every combination of options.
#[test]
fn the_checkers_of_the_shells_find_no_error() {
    let desk = Desk::new();
    let options: [&[&str]; 5] = [
        &[],
        &["--segment"],
        &["--hook", "pwd", "--segment"],
        &["--hook", "none"],
        &["--undo"],
    ];
    let (python, grammar) = (
        find("python3").unwrap_or_default().display().to_string(),
        root()
            .join("tests/shells/powershell.py")
            .display()
            .to_string(),
    );
    let checkers: [(&str, Need, &[&str]); 5] = [
        (
            "bash",
            program("shellcheck"),
            &[
                "shellcheck",
                "-s",
                "bash",
                "-e",
                "SC1003,SC2016,SC2034,SC2128,SC2178,SC2317",
            ],
        ),
        ("bash", program("bash"), &["bash", "-n"]),
        ("zsh", program("zsh"), &["zsh", "-n"]),
        ("fish", program("fish"), &["fish", "--no-execute"]),
        (
            "powershell",
            package("tree_sitter_powershell"),
            &[&python, "-B", &grammar],
        ),
    ];
    for (shell, need, checker) in checkers {
        if !can_run!(need) {
            continue;
        }
        for options in options {
            let hook = desk
                .sandbox
                .write("hook", desk.init(&[&[shell], options].concat()));
            let mut command = desk.sandbox.command(checker[0]);
            command.args(&checker[1..]).arg(hook);
            let run = Run::of(command);
            assert_eq!(
                (run.code, run.stdout.as_str(), run.stderr.as_str()),
                (0, "", ""),
                "{checker:?} {options:?}"
            );
        }
    }
}

#[test]
fn a_hook_without_connections_starts_nothing() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.set("PGHOST", HOST);
    assert_eq!(sandbox.ok(&["refresh", "--background", "--quiet"]), "");
    assert!(!sandbox.path(".pgpass").exists());
    assert!(sandbox.own().join("cache/due").exists());
    sandbox
        .run(&["init", "tcsh", "--segment"])
        .assert_fails(2, "no segment");
    sandbox
        .run(&["init", "no-such-shell"])
        .assert_fails(2, "no-such-shell");
    sandbox
        .run(&["init", "bash", "--config", "other.toml"])
        .assert_fails(2, "--config has no effect on what this command prints");
}

/// A shell that starts prints no error and gets its hook.
#[test]
fn the_output_for_shells_needs_no_configuration() {
    let sandbox = Sandbox::empty();
    let commands: [&[&str]; 4] = [
        &["init", "bash"],
        &["init", "zsh", "--undo"],
        &["completions", "fish"],
        &["man"],
    ];
    let whole = commands.map(|command| sandbox.ok(command));
    let mut off = Sandbox::empty();
    let own = sandbox.own().display().to_string();
    off.set("PGCRED_HOME", &own)
        .set("PGCRED_CACHE", "nothing")
        .run(&["list"])
        .assert_fails(2, "no such cache: `nothing`");
    assert_eq!(commands.map(|command| off.ok(command)), whole);
    fs::write(sandbox.own().join("config.toml"), "[[connection\n").expect("written");
    sandbox.run(&["list"]).assert_fails(2, "config.toml");
    assert_eq!(commands.map(|command| sandbox.ok(command)), whole);
}

/// The hook uses paths that stay valid when pgcred is updated and when the shell changes its
/// directory.
#[test]
fn a_hook_uses_paths_that_stay_valid() {
    let mut sandbox = Sandbox::empty();
    let versioned = sandbox
        .installed("Cellar/pgcred/1.0/bin/pgcred")
        .display()
        .to_string();
    let init = |sandbox: &Sandbox| {
        let mut command = sandbox.command(&versioned);
        command.args(["init", "bash"]);
        let run = Run::of(command);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        run.stdout
    };
    assert!(init(&sandbox).contains(&format!("__pgcred_exe='{versioned}'\n")));
    let linked = sandbox.path("bin");
    fs::create_dir(&linked).expect("a directory");
    symlink(&versioned, linked.join("pgcred")).expect("a link");
    for path in [linked.display().to_string(), "bin".to_owned()] {
        sandbox.set("PATH", &path).set("PGCRED_HOME", "own");
        let hook = init(&sandbox);
        assert!(
            hook.contains(&format!("__pgcred_exe='{}/pgcred'\n", linked.display())),
            "{hook}"
        );
        assert!(
            hook.contains(&format!(
                "__pgcred_file='{}/cache/due'\n",
                sandbox.path("own").display()
            )),
            "{hook}"
        );
    }
    // Another version on PATH counts as another program.
    fs::remove_file(linked.join("pgcred")).expect("removed");
    sandbox.write("bin/pgcred", "#!/bin/sh\n");
    assert!(init(&sandbox).contains(&format!("__pgcred_exe='{versioned}'\n")));
}

#[test]
fn shells_complete_connections_tools_and_values() {
    skip_unless!(TERMINAL, program("fish"), program("zsh"));
    let mut sandbox = Sandbox::with_keys();
    let own = Path::new(env!("CARGO_BIN_EXE_pgcred"))
        .parent()
        .expect("a directory")
        .display()
        .to_string();
    sandbox
        .set(
            "PATH",
            &format!("{own}:{}", std::env::var("PATH").expect("PATH")),
        )
        .set("LC_ALL", "C.UTF-8");
    sandbox.ok(&["add", "-q", "prod-one", HOST]);
    // the name of the second profile has a control character that would ring the bell
    sandbox.write(".aws/config", "[profile dev]\n[profile de\u{7}vil]\n");
    sandbox.write(".ssh/known", "");
    let script =
        |shell: &str| sandbox.write(&format!("of-{shell}"), sandbox.ok(&["completions", shell]));
    for (line, found) in [
        ("pgcred token pr", "prod-one"),
        ("pgcred erase pr", "prod-one"),
        ("pgcred setup dbe", "dbeaver"),
        ("pgcred setup dbeaver pr", "prod-one"),
        ("pgcred token --format libp", "libpq-json"),
        ("pgcred init tc", "tcsh"),
        ("pgcred setup PSQ", "psql"),
        ("pgcred token --profile de", "dev"),
        ("pgcred login de", "dev"),
        ("pgcred token --region eu-central-1", "eu-central-1"),
        ("pgcred exec prod-one -- pgcre", "pgcred"),
        ("pgcred exec prod-one -- pgcred .ssh/kn", ".ssh/known"),
        ("pgcred remove ", "prod-one"),
        ("pgcred token --fre", "--fresh"),
    ] {
        let words: Vec<_> = line.split(' ').collect();
        let (index, last) = (words.len() - 1, words[words.len() - 1]);
        let bash = format!(
            ". ./of-bash; COMP_WORDS=({}) COMP_CWORD={index} COMP_TYPE=9; \
             _clap_complete_pgcred pgcred '{last}' {} 2>/dev/null; echo \"${{COMPREPLY[*]}}\"",
            words
                .iter()
                .map(|word| format!("'{word}'"))
                .collect::<Vec<_>>()
                .join(" "),
            words[index - 1]
        );
        script("bash");
        let fish = format!("source of-fish; complete -C '{line}' | string split -f1 \\t");
        script("fish");
        let elvish = format!(
            "eval (slurp < of-elvish); $edit:completion:arg-completer[pgcred] {line} | to-lines"
        );
        script("elvish");
        for (shell, text) in [("bash", &bash), ("fish", &fish)] {
            let mut command = sandbox.command(shell);
            command.args(["-c", text]);
            let run = Run::of(command);
            assert_eq!(run.stdout.trim(), found, "{shell}: {line}: {}", run.stderr);
        }
        let _ = elvish;
    }
    // The script also works as a file in zsh's function path, from the first completion on.
    sandbox.write("functions/_pgcred", sandbox.ok(&["completions", "zsh"]));
    sandbox.write(
        ".zshrc",
        "PS1='P> '; fpath=(~/functions $fpath); autoload -Uz compinit; compinit -D; LISTMAX=0",
    );
    let terminal = Terminal::start(
        &sandbox,
        &ZSH.command
            .iter()
            .map(|word| (*word).to_owned())
            .collect::<Vec<_>>(),
    );
    terminal.wait("a prompt", |screen| {
        screen.last().is_some_and(|line| line.starts_with(PROMPT))
    });
    for _ in 0..2 {
        terminal.enter("echo pgcred token");
        sleep(Duration::from_millis(100));
        let mut keys = terminal.tmux();
        keys.args(["send-keys", "pgcred token pr", "Tab"]);
        assert_eq!(Run::of(keys).code, 0);
        terminal.wait("the connection", |screen| {
            screen
                .last()
                .is_some_and(|line| line.starts_with("P> pgcred token prod-one"))
        });
        let mut keys = terminal.tmux();
        keys.args(["send-keys", "C-u"]);
        assert_eq!(Run::of(keys).code, 0);
    }
}

#[test]
fn the_manual_page_has_every_command() {
    let sandbox = Sandbox::empty();
    let page = sandbox.ok(&["man"]);
    let help = sandbox.ok(&["--help"]);
    let commands = help
        .split("Commands:")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .expect("commands");
    let names = commands
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty());
    assert!(names.clone().count() >= 14, "{help}");
    for name in names {
        assert!(page.contains(&format!("\n.SS {name}\n")), "{name}");
    }
    let headings: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix(".SH "))
        .collect();
    let usual = [
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "CONFIGURATION",
        "SECURITY",
        "TROUBLESHOOTING",
        "EXAMPLES",
        "SEE ALSO",
    ];
    assert!(headings.ends_with(&usual), "{headings:?}");
    let plain = page.replace("\\-", "-");
    let usages = [
        "pgcred exec [OPTIONS] [TARGET] -- <COMMAND>...",
        "pgcred refresh [OPTIONS] [TARGETS]...",
        "pgcred aws rds generate-db-auth-token ",
    ];
    for usage in usages {
        assert!(plain.contains(usage), "{usage}: {page}");
    }
    assert!(
        !plain.contains("cli-read-timeout"),
        "hidden options are shown"
    );
    // Every variable of pgcred's that the README names, and every key of the configuration.
    for name in [
        "PGCRED_HOME",
        "PGCRED_CACHE",
        "PGCRED_MFA_CODE_COMMAND",
        "max_expires_in",
        "sign_host",
        "aliases",
        "[[match]]",
    ] {
        assert!(plain.contains(name), "{name}");
    }
    skip_unless!(program("man"));
    let mut man = sandbox.command("man");
    man.args(["--warnings", "-l", "-"])
        .stdin(std::process::Stdio::from(
            fs::File::open(sandbox.write("page", page)).expect("a file"),
        ));
    let run = Run::of(man);
    assert!(
        run.code == 0 && run.stdout.contains("--sign-host"),
        "{} {}",
        run.stdout,
        run.stderr
    );
    assert_eq!(run.stderr, "");
}
