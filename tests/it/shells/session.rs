//! Real shells at a terminal: how a test starts each with its hook, types into it, and watches it
//! with strace.

use std::fs;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::needs::{Need, TERMINAL, program};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::tmux::Terminal;

pub const PROMPT: &str = "P>";

/// A shell and the commands with which a test controls it.
pub struct Shell {
    pub name: &'static str,
    /// The interactive shell; `RC` is its start-up file.
    pub command: &'static [&'static str],
    /// Sets the prompt.
    pub prompt: &'static str,
    /// Reads the hook; `HOOK` is a file with it.
    pub load: &'static str,
    /// A command that fails with 3, and one that shows the exit status as `status=3`; empty where a
    /// shell has none.
    pub fails: &'static str,
    pub status: &'static str,
    /// Shows the segment as `[prod 14 min]`; empty where there is none.
    pub segment: &'static str,
}

pub const BASH: Shell = Shell {
    name: "bash",
    command: &["bash", "--noprofile", "--rcfile", "RC", "-i"],
    prompt: "PS1='P> '",
    load: "eval \"$(cat 'HOOK')\"",
    fails: "(exit 3)",
    status: "echo status=$?",
    segment: "echo \"[$PGCRED_SEGMENT]\"",
};

pub const ZSH: Shell = Shell {
    name: "zsh",
    command: &["zsh", "-d", "-i"],
    prompt: "PS1='P> ' PROMPT_EOL_MARK= RPS1=",
    load: "eval \"$(cat 'HOOK')\"",
    ..BASH
};

pub const FISH: Shell = Shell {
    name: "fish",
    command: &["fish", "-i"],
    prompt: "set -g fish_greeting; function fish_prompt; echo -n 'P> '; end; function fish_title; \
        end",
    load: "source 'HOOK'",
    fails: "sh -c 'exit 3'",
    status: "echo status=$status",
    segment: "echo \"[$PGCRED_SEGMENT]\"",
};

pub const TCSH: Shell = Shell {
    name: "tcsh",
    command: &["tcsh"],
    prompt: "set prompt = 'P> '",
    load: "source 'HOOK'",
    fails: "sh -c 'exit 3'",
    status: "echo status=$status",
    segment: "",
};

pub const ELVISH: Shell = Shell {
    name: "elvish",
    command: &["elvish", "-rc", "RC"],
    prompt: "set edit:prompt = { put 'P> ' }; set edit:rprompt = { }",
    load: "eval (slurp < 'HOOK')",
    fails: "",
    status: "",
    segment: "echo '['(get-env PGCRED_SEGMENT)']'",
};

pub const XONSH: Shell = Shell {
    name: "xonsh",
    command: &["xonsh", "--shell-type", "readline", "--rc", "RC"],
    prompt: "$PROMPT = 'P> '; $TITLE = ''; $XONSH_SHOW_TRACEBACK = True",
    load: "execx(open('HOOK').read(), 'exec', __xonsh__.ctx, filename='hook')",
    fails: "sh -c 'exit 3'",
    status: "print(f'status={_.rtn}' if '_' in globals() and _ else 'status=' + \
        str(__xonsh__.history.rtns[-1]))",
    segment: "print(f'[{$PGCRED_SEGMENT}]')",
};

pub const NUSHELL: Shell = Shell {
    name: "nushell",
    command: &["nu", "--config", "RC", "--env-config", "/dev/null"],
    prompt: "$env.config.show_banner = false; $env.PROMPT_COMMAND = {|| '' }; \
        $env.PROMPT_COMMAND_RIGHT = {|| '' }; \
             $env.PROMPT_INDICATOR = 'P> '; $env.config.shell_integration.osc133 = false",
    load: "source 'HOOK'",
    fails: "^sh -c 'exit 3'",
    status: "print $\"status=($env.LAST_EXIT_CODE)\"",
    segment: "print $\"[($env.PGCRED_SEGMENT)]\"",
};

pub const SHELLS: &[&Shell] = &[&BASH, &ZSH, &FISH, &TCSH, &ELVISH, &XONSH, &NUSHELL];

/// Shells that have a hook, but no session here, and why.
const WITHOUT_SESSION: &[(&str, &str)] = &[(
    "powershell",
    "Debian has no package of it; tests/shells/powershell.py parses its hook",
)];

#[test]
fn every_shell_with_a_hook_has_a_session_or_a_reason() {
    let help = Sandbox::empty().ok(&["init", "--help"]);
    let (_, values) = help.split_once("[possible values: ").expect("the shells");
    let (values, _) = values.split_once(']').expect("their end");
    let mut offered: Vec<&str> = values.split(',').map(str::trim).collect();
    let mut known: Vec<&str> = SHELLS.iter().map(|shell| shell.name).collect();
    known.extend(WITHOUT_SESSION.iter().map(|(name, _)| *name));
    offered.sort_unstable();
    known.sort_unstable();
    assert_eq!(offered, known);
}

/// A sandbox with one connection, and with pgcred at a path that every shell has to quote.
pub struct Desk {
    pub sandbox: Sandbox,
    pub pgcred: PathBuf,
    pub own: PathBuf,
}

impl Desk {
    pub fn new() -> Self {
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

    pub fn due(&self) -> PathBuf {
        self.own.join("cache/due")
    }

    /// The time at which the next connection is due; 0 if nothing says it.
    pub fn due_at(&self) -> i64 {
        let text = fs::read_to_string(self.due()).unwrap_or_default();
        text.lines()
            .next()
            .and_then(|line| line.parse().ok())
            .unwrap_or_default()
    }

    pub fn set_due(&self, unix: u64) {
        let second_line = fs::read_to_string(self.due()).unwrap_or_default();
        let second_line = second_line.lines().nth(1).unwrap_or_default();
        self.write_due(&format!("{unix}\n{second_line}\n"), unix);
    }

    pub fn write_due(&self, text: &str, unix: u64) {
        fs::write(self.due(), text).expect("written");
        let time = std::time::UNIX_EPOCH + Duration::from_secs(unix);
        fs::File::options()
            .write(true)
            .open(self.due())
            .and_then(|file| file.set_modified(time))
            .expect("dated");
    }

    pub fn init(&self, arguments: &[&str]) -> String {
        let mut command = self.sandbox.command(self.pgcred.to_str().expect("text"));
        command.arg("init").args(arguments);
        let run = Run::of(command);
        assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{arguments:?}");
        run.stdout
    }

    /// Writes the start-up file and starts the shell under strace; returns when it shows a prompt.
    pub fn start(&self, shell: &Shell, before: &str, options: &[&str]) -> Session<'_> {
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
    pub fn wait_for_refresh(&self) {
        let began = Instant::now();
        while !(1..=3_600).contains(&(self.due_at() - i64::try_from(now()).expect("small"))) {
            assert!(began.elapsed() < Duration::from_secs(40), "no refresh");
            sleep(Duration::from_millis(20));
        }
    }
}

pub fn now() -> u64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

pub struct Session<'a> {
    pub terminal: Terminal<'a>,
    pub trace: PathBuf,
    pub load: String,
    pub undo: String,
}

impl Session<'_> {
    /// Types a line and waits for the prompt after it; returns the screen.
    pub fn enter(&self, line: &str) -> Vec<String> {
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
    pub fn started_since(&self, length: usize) -> Vec<String> {
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
    pub fn wait_for_no_zombies(&self) {
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

    pub fn trace_length(&self) -> usize {
        sleep(Duration::from_millis(400));
        fs::metadata(&self.trace).map_or(0, |metadata| {
            usize::try_from(metadata.len()).expect("small")
        })
    }
}

/// Types lines into a shell that has another start-up file, and waits for the output of each.
pub fn check_lines(shell: &Shell, before: &str, options: &[&str], lines: &[(&str, &str)]) {
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

/// Returns the arguments of `Desk::start`: the shell runs in a terminal, and strace writes down
/// what it starts.
pub const TRACED: Need = Need::All(&[TERMINAL, program("strace")]);

pub const DUE_AT_PROMPT: [(&str, &str); 3] = [("DUE", ""), ("", ""), ("REFRESHED", "")];
