//! Shell hooks in real shells at a terminal: when they refresh, what they leave as it was, and how
//! many processes they start.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::hardening::trust::give;
use crate::support::desk::wait_for;
use crate::support::needs::{Need, ROOT, TERMINAL, can_run, find, package, program, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, NOBODY, Run, SECRET, Sandbox};
use crate::support::sources::root;
use crate::support::tmux::Terminal;

const PROMPT: &str = "P>";

/// A shell, and how it is spoken to.
struct Shell {
    name: &'static str,
    /// The interactive shell; `RC` is its start-up file.
    command: &'static [&'static str],
    /// Sets the prompt.
    prompt: &'static str,
    /// Reads the hook; `HOOK` is a file with it.
    load: &'static str,
    /// A command that fails with 3, and one that shows the exit status as `status=3`; empty where a
    /// shell has none.
    fails: &'static str,
    status: &'static str,
    /// Shows the segment as `[prod 14 min]`; empty where there is none.
    segment: &'static str,
}

const BASH: Shell = Shell {
    name: "bash",
    command: &["bash", "--noprofile", "--rcfile", "RC", "-i"],
    prompt: "PS1='P> '",
    load: "eval \"$(cat 'HOOK')\"",
    fails: "(exit 3)",
    status: "echo status=$?",
    segment: "echo \"[$PGCRED_SEGMENT]\"",
};

const ZSH: Shell = Shell {
    name: "zsh",
    command: &["zsh", "-d", "-i"],
    prompt: "PS1='P> ' PROMPT_EOL_MARK= RPS1=",
    load: "eval \"$(cat 'HOOK')\"",
    ..BASH
};

const FISH: Shell = Shell {
    name: "fish",
    command: &["fish", "-i"],
    prompt: "set -g fish_greeting; function fish_prompt; echo -n 'P> '; end; function fish_title; end",
    load: "source 'HOOK'",
    fails: "sh -c 'exit 3'",
    status: "echo status=$status",
    segment: "echo \"[$PGCRED_SEGMENT]\"",
};

const TCSH: Shell = Shell {
    name: "tcsh",
    command: &["tcsh"],
    prompt: "set prompt = 'P> '",
    load: "source 'HOOK'",
    fails: "sh -c 'exit 3'",
    status: "echo status=$status",
    segment: "",
};

const ELVISH: Shell = Shell {
    name: "elvish",
    command: &["elvish", "-rc", "RC"],
    prompt: "set edit:prompt = { put 'P> ' }; set edit:rprompt = { }",
    load: "eval (slurp < 'HOOK')",
    fails: "",
    status: "",
    segment: "echo '['(get-env PGCRED_SEGMENT)']'",
};

const XONSH: Shell = Shell {
    name: "xonsh",
    command: &["xonsh", "--shell-type", "readline", "--rc", "RC"],
    prompt: "$PROMPT = 'P> '; $TITLE = ''; $XONSH_SHOW_TRACEBACK = True",
    load: "execx(open('HOOK').read(), 'exec', __xonsh__.ctx, filename='hook')",
    fails: "sh -c 'exit 3'",
    status: "print(f'status={_.rtn}' if '_' in globals() and _ else 'status=' + str(__xonsh__.history.rtns[-1]))",
    segment: "print(f'[{$PGCRED_SEGMENT}]')",
};

const NUSHELL: Shell = Shell {
    name: "nushell",
    command: &["nu", "--config", "RC", "--env-config", "/dev/null"],
    prompt: "$env.config.show_banner = false; $env.PROMPT_COMMAND = {|| '' }; $env.PROMPT_COMMAND_RIGHT = {|| '' }; \
             $env.PROMPT_INDICATOR = 'P> '; $env.config.shell_integration.osc133 = false",
    load: "source 'HOOK'",
    fails: "^sh -c 'exit 3'",
    status: "print $\"status=($env.LAST_EXIT_CODE)\"",
    segment: "print $\"[($env.PGCRED_SEGMENT)]\"",
};

const SHELLS: [&Shell; 7] = [&BASH, &ZSH, &FISH, &TCSH, &ELVISH, &XONSH, &NUSHELL];

/// A sandbox with one connection, and a pgcred at a path that every shell has to quote.
struct Desk {
    sandbox: Sandbox,
    pgcred: PathBuf,
    own: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let mut sandbox = Sandbox::with_keys();
        let directory = sandbox.path("it's $HOME \"!x\" `a ö");
        fs::create_dir(&directory).expect("a directory");
        let pgcred = directory.join("pgcred");
        let built = env!("CARGO_BIN_EXE_pgcred");
        if fs::hard_link(built, &pgcred).is_err() {
            fs::copy(built, &pgcred).expect("a copy");
        }
        let own = directory.join("own");
        let shown = own.display().to_string();
        sandbox
            .set("PGCRED_HOME", &shown)
            .set("LC_ALL", "C.UTF-8")
            .set("SHELL", "/bin/sh");
        // Without it fish reads all manual pages when it is first started.
        fs::create_dir_all(sandbox.path(".local/share/fish/generated_completions"))
            .expect("a directory");
        sandbox.write(".xonshrc", ""); // without it xonsh welcomes
        sandbox.ok(&["add", "-q", "prod", HOST]);
        Self {
            sandbox,
            pgcred,
            own,
        }
    }

    fn due(&self) -> PathBuf {
        self.own.join("cache/due")
    }

    /// The time at which the next connection is due; 0 if nothing says it.
    fn due_at(&self) -> i64 {
        let text = fs::read_to_string(self.due()).unwrap_or_default();
        text.lines()
            .next()
            .and_then(|line| line.parse().ok())
            .unwrap_or_default()
    }

    fn set_due(&self, unix: u64) {
        let second_line = fs::read_to_string(self.due()).unwrap_or_default();
        let second_line = second_line.lines().nth(1).unwrap_or_default();
        self.write_due(&format!("{unix}\n{second_line}\n"), unix);
    }

    fn write_due(&self, text: &str, unix: u64) {
        fs::write(self.due(), text).expect("written");
        let time = std::time::UNIX_EPOCH + Duration::from_secs(unix);
        fs::File::options()
            .write(true)
            .open(self.due())
            .and_then(|file| file.set_modified(time))
            .expect("dated");
    }

    fn init(&self, arguments: &[&str]) -> String {
        let mut command = self.sandbox.command(self.pgcred.to_str().expect("text"));
        command.arg("init").args(arguments);
        let run = Run::of(command);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        run.stdout
    }

    /// Writes the start-up file and starts the shell under strace; returns when it shows a prompt.
    fn start(&self, shell: &Shell, before: &str, options: &[&str]) -> Session<'_> {
        let hook = self
            .sandbox
            .write("hook", self.init(&[&[shell.name], options].concat()));
        let off = self
            .sandbox
            .write("off", self.init(&[shell.name, "--undo"]));
        let load = shell.load.replace("HOOK", &hook.display().to_string());
        let undo = shell.load.replace("HOOK", &off.display().to_string());
        let name = match shell.name {
            "zsh" => ".zshrc",
            "tcsh" => ".tcshrc",
            "fish" => ".config/fish/config.fish",
            _ => "rc",
        };
        let rc = self
            .sandbox
            .write(name, format!("{}\n{before}\n{load}\n", shell.prompt))
            .display()
            .to_string();
        let trace = self.sandbox.path("trace");
        let strace = [
            "strace",
            "-f",
            "-q",
            "-e",
            "trace=process",
            "-s",
            "200",
            "-o",
        ]
        .map(str::to_owned);
        let command = shell.command.iter().map(|word| word.replace("RC", &rc));
        let command: Vec<String> = strace
            .into_iter()
            .chain([trace.display().to_string()])
            .chain(command)
            .collect();
        let terminal = Terminal::start(&self.sandbox, &command);
        terminal.wait("the first prompt", |screen| {
            screen.last().is_some_and(|line| line.starts_with(PROMPT))
        });
        Session {
            terminal,
            trace,
            load,
            undo,
        }
    }

    /// Waits until a refresh has said when the next one is due.
    fn wait_for_refresh(&self) {
        let began = Instant::now();
        while !(1..=3_600).contains(&(self.due_at() - i64::try_from(now()).expect("small"))) {
            assert!(began.elapsed() < Duration::from_secs(40), "no refresh");
            sleep(Duration::from_millis(20));
        }
    }
}

fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

struct Session<'a> {
    terminal: Terminal<'a>,
    trace: PathBuf,
    load: String,
    undo: String,
}

impl Session<'_> {
    /// Types a line and waits for the prompt after it; returns the screen.
    fn enter(&self, line: &str) -> Vec<String> {
        let prompts = |screen: &[String]| {
            screen
                .iter()
                .filter(|line| line.starts_with(PROMPT))
                .count()
        };
        let before = prompts(&self.terminal.screen());
        self.terminal.enter(line);
        let is_back = |screen: &[String]| {
            prompts(screen) > before && screen.last().is_some_and(|line| line == PROMPT)
        };
        self.terminal
            .wait(&format!("a prompt after {line:?}"), is_back)
    }

    /// What was started since the trace had this length: programs and forks, not threads.
    fn started_since(&self, length: usize) -> Vec<String> {
        sleep(Duration::from_millis(400)); // for what a hook might start late
        let trace = fs::read_to_string(&self.trace).expect("a trace");
        let is_start = |line: &&str| {
            ["execve(", "clone(", "clone3(", "fork("]
                .iter()
                .any(|call| line.contains(call))
                && !line.contains("CLONE_THREAD")
                && !line.contains("resumed>")
        };
        trace[length..]
            .lines()
            .filter(is_start)
            .map(str::to_owned)
            .collect()
    }

    /// Waits, at prompts, until nothing that has ended is left in the system's table.
    fn wait_for_no_zombies(&self) {
        let began = Instant::now();
        loop {
            let mut pane = self.terminal.tmux();
            pane.args(["display-message", "-p", "#{pane_pid}"]);
            let mut ours = vec![Run::of(pane).stdout.trim().to_owned()];
            let mut ps = std::process::Command::new("ps");
            ps.args(["-eo", "pid=,ppid=,stat="]);
            let listed = Run::of(ps).stdout;
            let mut dead = 0;
            for line in listed.lines().map(|line| {
                line.split_whitespace()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            }) {
                if ours.contains(&line[1]) {
                    dead += usize::from(line[2].starts_with('Z'));
                    ours.push(line[0].clone());
                }
            }
            if dead == 0 {
                return;
            }
            assert!(
                began.elapsed() < Duration::from_secs(5),
                "{dead} in {listed}"
            );
            sleep(Duration::from_millis(200));
            self.enter("");
        }
    }

    fn trace_length(&self) -> usize {
        sleep(Duration::from_millis(400));
        fs::metadata(&self.trace).map_or(0, |metadata| {
            usize::try_from(metadata.len()).expect("small")
        })
    }
}

/// All that a hook has to do, once for each shell.
fn check(shell: &Shell) {
    let desk = Desk::new();
    let segment: &[&str] = if shell.segment.is_empty() {
        &[]
    } else {
        &["--segment"]
    };

    // The first prompt refreshes, where nothing says that it need not.
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
    // Nothing is due: no process, whatever the shell says of itself.
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
        desk.set_due(1); // what the hook starts has no status
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

    // Something is due: one refresh, however often it is sourced, without a word.
    session.enter(&session.load);
    session.enter(&session.load);
    session.terminal.enter("clear");
    sleep(Duration::from_millis(500));
    let length = session.trace_length();
    desk.set_due(1);
    session.enter("");
    desk.wait_for_refresh();
    desk.set_due(1); // as if it had not helped: the next one is not before a minute
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

    // It has helped, and a token is due again already: that is no reason to wait.
    desk.set_due(2);
    session.enter("");
    desk.wait_for_refresh();

    // Undone, it refreshes no more.
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

/// Types lines into a shell that has another start-up file and waits for what each has to show.
fn check_lines(shell: &Shell, before: &str, options: &[&str], lines: &[(&str, &str)]) {
    let desk = Desk::new();
    desk.sandbox.ok(&["refresh", "--background", "-q"]);
    let session = desk.start(shell, before, options);
    for (line, shown) in lines {
        match *line {
            "DUE" => desk.set_due(1),
            "REFRESHED" => desk.wait_for_refresh(),
            "NOT REFRESHED" => {
                sleep(Duration::from_secs(1));
                assert_eq!(desk.due_at(), 1, "{} {before}", shell.name);
            }
            line => {
                let screen = session.enter(line);
                let is_shown = shown.is_empty() || screen.iter().any(|line| line == shown);
                assert!(
                    is_shown,
                    "{}, {before}: no {shown:?} in {screen:#?}",
                    shell.name
                );
            }
        }
    }
}

/// What `Desk::start` takes: the shell runs in a terminal, and strace writes down what it starts.
const TRACED: Need = Need::All(&[TERMINAL, program("strace")]);

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

/// Each passfile has its own file, so that no shell takes another's for its own, and inside `pgcred
/// exec` the hook keeps the passfile from outside fresh, not the private one.
#[test]
fn a_hook_looks_after_the_passfile_that_the_user_has_set() {
    skip_unless!(TRACED);
    for shell in SHELLS {
        if !can_run!(program(shell.command[0])) {
            continue;
        }
        let mut desk = Desk::new();
        desk.sandbox.ok(&["refresh", "--background", "-q"]);
        // With another passfile: the file for the usual one says that nothing is due.
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

        // Inside exec: nothing is due outside, and then it is.
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

const PIPE: &str = "true | (exit 4) | true";
const DUE_AT_PROMPT: [(&str, &str); 3] = [("DUE", ""), ("", ""), ("REFRESHED", "")];

#[test]
fn bash_keeps_its_ways() {
    skip_unless!(TRACED);
    let strict = "set -eu; set -o noclobber; set -o vi; shopt -s nocasematch extglob; IFS=:0123456789; alias read=false local=false";
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
    // What stands behind the hook finds $? too, whatever splits words, and a trap fires once.
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
fn bash_says_nothing_in_a_child_without_the_hook() {
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
fn zsh_keeps_its_ways() {
    skip_unless!(TRACED, program("zsh"));
    let strict = "setopt err_exit no_unset no_clobber ksh_arrays sh_word_split warn_create_global; bindkey -v; IFS=:0123456789";
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
fn fish_keeps_its_ways() {
    skip_unless!(TRACED, program("fish"));
    let before = "fish_vi_key_bindings; function fish_mode_prompt; end; function other --on-event fish_prompt; set -g seen $status; end";
    let lines = [
        ("sh -c 'exit 3'", ""),
        ("echo $seen", "3"),
        ("true | sh -c 'exit 4' | true", ""),
        ("echo $pipestatus", "0 4 0"),
    ];
    check_lines(&FISH, before, &[], &[&lines[..], &DUE_AT_PROMPT].concat());
    // The user's own functions and jobs.
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

/// Nothing that pgcred has not written makes a hook wait for ever, or speak.
#[test]
fn a_hook_mends_a_damaged_due_file() {
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

/// Where others can put files, what they put there neither holds a prompt up nor speaks to the
/// terminal.
#[test]
fn a_hook_takes_nothing_but_text_from_a_file() {
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

/// tcsh writes a file to see the clock; in another user's directory that may be a link.
#[test]
fn tcsh_writes_in_no_directory_of_another_user() {
    skip_unless!(ROOT, TRACED, program("tcsh"));
    let desk = Desk::new();
    desk.sandbox.ok(&["refresh", "--background", "-q"]);
    let precious = desk.sandbox.write("precious", "mine");
    symlink(&precious, desk.own.join("cache/due.clock")).expect("a link");
    give(&desk.own.join("cache"), NOBODY);
    desk.start(&TCSH, "", &[]).enter("");
    assert_eq!(fs::read_to_string(&precious).expect("a file"), "mine");
}

/// A pgcred that was uninstalled while a shell had its hook.
#[test]
fn a_hook_without_pgcred_says_nothing() {
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
        sleep(Duration::from_millis(300)); // for a shell in between that might say it late
        let screen = session.enter("");
        assert!(
            screen.iter().all(|line| line == PROMPT),
            "{}: {screen:#?}",
            shell.name
        );
    }
}

#[test]
fn undone_where_no_hook_is_nothing_happens() {
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

/// A refresh that is held back is held back for minutes, not until a clock that was wrong comes
/// true.
#[test]
fn a_hook_waits_for_no_clock_that_was_set_back() {
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
    // elvish asks what time it is when it starts; here it is told the day before.
    let yesterday = "#!/bin/sh\\nrm -- $0; echo $(($(date +%s) - 86400))\\n";
    let before = format!(
        "e:mkdir ~/fake; print \"{yesterday}\" > ~/fake/date; e:chmod 755 ~/fake/date; set paths = [~/fake $@paths]"
    );
    let shown =
        "put (str:has-suffix $E:PGCRED_SEGMENT min) (has-external date) (e:ls ~/fake | count)";
    let lines = [("use str", ""), (shown, "▶ $true"), (shown, "▶ (num 0)")];
    check_lines(&ELVISH, &before, &["--segment"], &lines);
}

#[test]
fn a_hook_looks_when_it_is_told_to() {
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

/// The names in a shell before, with the hook, and after it was taken out.
#[test]
fn a_hook_leaves_nothing_behind_but_names_of_its_own() {
    skip_unless!(program("zsh"));
    let desk = Desk::new();
    let hook = desk
        .sandbox
        .write("hook", desk.init(&["bash", "--segment"]))
        .display()
        .to_string();
    let names = "compgen -v; compgen -A function";
    let script = format!(
        "PROMPT_COMMAND=true _=''; before=''; with=''; before=$({names}); . {hook}; __pgcred_hook; with=$({names}); \
         pgcred_deactivate; echo \"$before\" | sort >1; echo \"$with\" | sort >2; ({names}) | sort >3; \
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
        "zmodload zsh/datetime zsh/parameter; precmd_functions=() chpwd_functions=() before= with=; \
         ({names}) | sort >1; . {hook}; __pgcred_hook; ({names}) | sort >2; pgcred_deactivate; ({names}) | sort >3; \
         diff 1 3; comm -13 1 2"
    );
    check("zsh", &script);
}

/// With every combination of options, what is printed is a program of its shell.
#[test]
fn the_shells_own_checkers_find_nothing() {
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
fn a_hook_without_connections_asks_for_nothing() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.set("PGHOST", HOST);
    assert_eq!(sandbox.ok(&["refresh", "--background", "--quiet"]), "");
    assert!(!sandbox.path(".pgpass").exists());
    assert!(sandbox.own().join("cache/due").exists());
    sandbox
        .run(&["init", "tcsh", "--segment"])
        .assert_fails(2, "no segment");
    sandbox.run(&["init", "ksh"]).assert_fails(2, "ksh");
    sandbox
        .run(&["init", "bash", "--config", "other.toml"])
        .assert_fails(2, "the usual configuration file only");
}

/// A shell that starts is told of no error, and gets its hook.
#[test]
fn what_shells_read_needs_no_configuration() {
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
        .assert_fails(2, "no cache of that name");
    assert_eq!(commands.map(|command| off.ok(command)), whole);
    fs::write(sandbox.own().join("config.toml"), "[[connection\n").expect("written");
    sandbox.run(&["list"]).assert_fails(2, "config.toml");
    assert_eq!(commands.map(|command| sandbox.ok(command)), whole);
}

/// Paths that stay what they are when pgcred is updated and when the shell goes elsewhere.
#[test]
fn a_hook_knows_lasting_paths() {
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
    // Another version on PATH is another program.
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
    sandbox.write(".aws/config", "[profile dev]\n[profile de\u{7}vil]\n"); // the second would ring the bell
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
    // As a file in zsh's function path, also the first time.
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
        "DIAGNOSTICS",
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

/// What hooks read: when the next connection is due, also as the file's time, and what a prompt
/// shows.
#[test]
fn the_due_file_follows_the_index() {
    const T0: i64 = 1_893_456_000; // 2030-01-01T00:00:00Z
    const T1: i64 = T0 + 86_400;
    let mut sandbox = Sandbox::with_keys();
    let file = sandbox.own().join("cache/due");
    let check = |due: i64, shown: &str| {
        assert_eq!(
            fs::read_to_string(&file).expect("a file"),
            format!("{due}\n{shown}\n")
        );
        let changed = fs::metadata(&file)
            .and_then(|metadata| metadata.modified())
            .expect("a time");
        let changed = changed
            .duration_since(std::time::UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        assert_eq!(i64::try_from(changed), Ok(due));
    };
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox.ok(&["add", "week", HOST, "--expires-in", "7d"]);
    assert!(!file.exists());
    sandbox.ok(&["refresh"]);
    check(T0 + 3_600, &format!("week {} ok", T0 + 604_800)); // an hour is the longest
    sandbox.ok(&["add", "prod", "prod.dsql.us-east-1.on.aws"]);
    assert!(!file.exists());
    sandbox.ok(&["refresh", "--background"]);
    check(T0 + 600, &format!("prod {} ok", T0 + 900));
    // A token that is not in the passfile: `refresh` has something to do.
    sandbox
        .at("2030-01-01T00:01:00Z")
        .ok(&["token", "prod", "--fresh"]);
    check(T0 + 60, &format!("prod {} ok", T0 + 960));
    sandbox.ok(&["refresh", "--background"]);
    check(T0 + 660, &format!("prod {} ok", T0 + 960));
    // Failures are waited out, longer each time; the other token stands in the passfile and is good
    // for days.
    sandbox
        .at("2030-01-01T00:12:00Z")
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    sandbox
        .run(&["refresh", "--background"])
        .assert_fails(3, "no AWS credentials");
    check(T0 + 730, &format!("prod {} needs-login", T0 + 960));
    sandbox
        .at("2030-01-01T00:12:10Z")
        .run(&["refresh", "--background"])
        .assert_fails(3, "no AWS credentials");
    check(T0 + 745, &format!("prod {} needs-login", T0 + 960)); // of 20 s: a login would end the wait, so look sooner
    sandbox.ok(&["remove", "prod"]);
    assert!(!file.exists());

    // The hooks' connections are those of the usual file, all of them.
    sandbox
        .set("AWS_ACCESS_KEY_ID", KEY_ID)
        .set("AWS_SECRET_ACCESS_KEY", SECRET)
        .at("2030-01-02T00:00:00Z");
    sandbox.ok(&["add", "prod", "prod.dsql.us-east-1.on.aws"]);
    sandbox.ok(&["refresh", "--background"]);
    let before = fs::read_to_string(&file).expect("a file");
    sandbox.write("empty.toml", "");
    sandbox.at("2030-01-02T00:11:00Z");
    sandbox.ok(&[
        "token",
        "other.dsql.us-east-1.on.aws",
        "--config",
        "empty.toml",
    ]);
    assert_eq!(fs::read_to_string(&file).expect("a file"), before);
    sandbox.ok(&["refresh", "--host", "x.dsql.us-east-1.on.aws"]);
    let due: i64 = fs::read_to_string(&file)
        .expect("a file")
        .lines()
        .next()
        .and_then(|due| due.parse().ok())
        .expect("a time");
    assert!(
        due <= T1 + 660,
        "prod is due, but only {} s later",
        due - T1 - 660
    );
}

/// Whoever asks AWS meanwhile does not know the new one.
#[test]
fn a_connection_that_is_added_during_a_refresh_is_due_at_once() {
    let sandbox = Sandbox::with_keys();
    let wait = sandbox.path("wait").display().to_string();
    let print = r#"echo '{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s"}'"#;
    let source = sandbox.write(
        "source",
        format!("#!/bin/sh\n: >'{wait}'\nwhile [ -e '{wait}' ]; do sleep 0.1; done\n{print}\n"),
    );
    let process = format!(
        "[profile slow]\ncredential_process = sh {}\n",
        source.display()
    );
    sandbox.write(".aws/config", process);
    sandbox.ok(&["add", "old", HOST, "--profile", "slow"]);
    let mut refresh = sandbox
        .pgcred(&["refresh", "--background", "-q"])
        .spawn()
        .expect("pgcred");
    let deadline = Instant::now() + Duration::from_secs(20);
    while !sandbox.path("wait").exists() {
        assert!(Instant::now() < deadline, "the source was not asked");
        sleep(Duration::from_millis(10));
    }
    sandbox.ok(&["add", "new", "new.dsql.us-east-1.on.aws"]);
    fs::remove_file(&wait).expect("removed");
    assert!(refresh.wait().expect("an end").success());
    assert!(!sandbox.own().join("cache/due").exists());
}

/// bash 3.2 is not to be had here: its branches are run by the bash that is, and what it does not
/// know is not used.
#[test]
fn the_hook_for_old_bashes() {
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
        let script = "set -eu; PROMPT_COMMAND=('a;' b); . ./hook; . ./hook; __pgcred_clock; __pgcred_hook; \
                      echo $((__pgcred_now - EPOCHSECONDS)) \"${PGCRED_SEGMENT%% *}\" \"${#PROMPT_COMMAND[@]}\"; \
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
