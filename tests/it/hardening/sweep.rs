//! Every system call of a command fails once, and once it is the last one: strace refuses the call,
//! or kills pgcred at it. The user's files must be whole after each.
//!
//! The calls of the loader do not count. Of each other system call that a command makes, a run
//! takes at most [`MOST_PLACES`] places: the first, the last, and others evenly between them.
//! `PGCRED_TEST_SWEEP=all` takes every place. Calls that only manage memory or signals are left
//! out. Calls that never fail so, such as `close` and `getrandom`, only kill. Only calls of the
//! main thread are touched.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Mutex;

use tempfile::TempDir;

use crate::passfile::managed::MINE;
use crate::support::needs::{program, skip_unless};
use crate::support::sandbox::{HOST, Run, SECRET, Sandbox};

/// The most places of one system call that a run takes.
const MOST_PLACES: usize = 5;
const WORKERS: usize = 2;
/// The system call with which pgcred's own work begins: it forbids core dumps.
const FIRST: &str = "prctl(PR_SET_DUMPABLE";
const SERVICES: &str = "[mine]\nhost=h\n";

const ADD: &[&str] = &["add", "prod", HOST];
const REFRESH: &[&str] = &["refresh", HOST];
const SET_UP: &[&str] = &["setup", "psql", HOST, "--yes"];

/// A command, the commands that run before it, and how to see that it has done its work.
struct Scenario {
    name: &'static str,
    before: &'static [&'static [&'static str]],
    words: &'static [&'static str],
    /// The exit code of the same command when it runs again after it has done its work.
    again: i32,
    is_done: fn(&Sandbox, &str) -> bool,
}

const SCENARIOS: [Scenario; 9] = [
    Scenario {
        name: "token, cold",
        before: &[ADD],
        words: &["token", HOST],
        again: 0,
        is_done: is_token,
    },
    Scenario {
        name: "token, warm",
        before: &[ADD, &["token", HOST]],
        words: &["token", HOST],
        again: 0,
        is_done: is_token,
    },
    Scenario {
        name: "refresh",
        before: &[ADD, REFRESH],
        words: REFRESH,
        again: 0,
        is_done: |sandbox, _| passfile(sandbox).contains(HOST),
    },
    Scenario {
        name: "erase",
        before: &[&["token", HOST, "--user", "one"], &["token", HOST], REFRESH],
        words: &["erase", HOST],
        again: 4,
        is_done: |sandbox, _| {
            let sealed =
                fs::read_dir(sandbox.own().join("cache/tokens")).map_or(0, Iterator::count);
            !passfile(sandbox).contains(HOST) && sealed == 0
        },
    },
    Scenario {
        name: "exec",
        before: &[],
        words: &["exec", HOST, "--", "touch", "ran"],
        again: 0,
        is_done: |sandbox, _| sandbox.path("ran").exists(),
    },
    Scenario {
        name: "setup",
        before: &[ADD],
        words: SET_UP,
        again: 0,
        is_done: |sandbox, _| services(sandbox).contains(HOST),
    },
    Scenario {
        name: "setup --undo",
        before: &[ADD, SET_UP],
        words: &["setup", "psql", "--undo", "--yes"],
        again: 0,
        is_done: |sandbox, _| services(sandbox) == SERVICES,
    },
    Scenario {
        name: "add",
        before: &[],
        words: ADD,
        again: 2,
        is_done: |sandbox, _| config(sandbox).contains("[connections.prod]"),
    },
    Scenario {
        name: "remove",
        before: &[ADD, &["refresh", "prod"]],
        words: &["remove", "prod"],
        again: 4,
        is_done: |sandbox, _| {
            !config(sandbox).contains("connections.prod") && !passfile(sandbox).contains(HOST)
        },
    },
];

fn is_token(_: &Sandbox, stdout: &str) -> bool {
    stdout.starts_with(HOST) && stdout.contains("X-Amz-Signature=")
}

fn passfile(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path(".pgpass")).expect("the passfile")
}

fn services(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.path(".pg_service.conf")).expect("the service file")
}

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).expect("the configuration")
}

/// A home as it is before the command. It can be restored at the same path any number of times.
struct Home {
    sandbox: Sandbox,
    copy: TempDir,
    /// The configuration before and after the command.
    configs: [String; 2],
}

impl Home {
    fn of(scenario: &Scenario) -> Self {
        let sandbox = Sandbox::with_keys();
        sandbox.write(".pgpass", MINE);
        sandbox.write(".pg_service.conf", SERVICES);
        fs::write(sandbox.own().join("config.toml"), "# mine\n").expect("written");
        for words in scenario.before {
            sandbox.ok(words);
        }
        let copy = TempDir::new().expect("a directory");
        shell(&format!(
            "cp -a {} {}/home && cp -a {} {1}/own",
            sandbox.home().display(),
            copy.path().display(),
            sandbox.own().display()
        ));
        let mut home = Self {
            sandbox,
            copy,
            configs: Default::default(),
        };
        let before = config(&home.sandbox);
        home.sandbox.ok(scenario.words);
        home.configs = [before, config(&home.sandbox)];
        home.restore();
        home
    }

    fn restore(&self) {
        let copy = self.copy.path().display();
        let places = [("home", self.sandbox.home()), ("own", self.sandbox.own())];
        let restored = places.map(|(name, place)| {
            let place = place.display();
            format!("find {place} -mindepth 1 -delete && cp -a {copy}/{name}/. {place}/")
        });
        shell(&restored.join(" && "));
    }

    fn strace(&self, scenario: &Scenario, options: &[&str]) -> Run {
        let mut strace: Command = self.sandbox.command("strace");
        strace
            .args(options)
            .arg(env!("CARGO_BIN_EXE_pgcred"))
            .args(scenario.words);
        Run::of(strace)
    }
}

fn shell(script: &str) {
    assert!(
        Command::new("sh")
            .args(["-c", script])
            .status()
            .is_ok_and(|status| status.success()),
        "{script}"
    );
}

/// Where a command is disturbed.
struct Place {
    scenario: usize,
    call: String,
    /// The number of this call among those of its name, from the start of the process on.
    number: usize,
    /// What strace does at the call: an error, or a kill.
    trouble: &'static str,
}

/// Returns the errors with which a call really fails, and none for a call that does not fail.
fn errors(call: &str) -> &'static [&'static str] {
    match call {
        "openat" | "open" => &["EACCES", "EMFILE", "EIO"],
        "write" | "pwrite64" | "mkdir" | "mkdirat" => &["ENOSPC", "EIO"],
        "rename" | "renameat" | "renameat2" | "unlink" | "unlinkat" | "rmdir" => &["EACCES", "EIO"],
        "fchmod" | "chmod" | "fchown" | "utimensat" => &["EPERM"],
        "flock" => &["ENOLCK"],
        "pipe2" | "socket" | "socketpair" | "fcntl" | "dup" | "epoll_create1" | "eventfd2" => {
            &["EMFILE"]
        }
        "clone" | "clone3" | "vfork" | "fork" => &["EAGAIN"],
        "close" | "getrandom" | "clock_nanosleep" | "nanosleep" | "getuid" | "geteuid" => &[],
        _ => &["EIO"],
    }
}

/// Calls that manage memory, threads and signals. No file and no answer depends on them.
const NOT_TOUCHED: [&str; 20] = [
    "brk",
    "exit",
    "exit_group",
    "futex",
    "getpid",
    "getppid",
    "gettid",
    "madvise",
    "mmap",
    "mprotect",
    "mremap",
    "munmap",
    "prctl",
    "restart_syscall", // the kernel resumes a sleep that was interrupted, on a busy machine
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sched_getaffinity",
    "sched_yield",
    "sigaltstack",
];

/// Returns the places of a command, which one undisturbed run shows.
fn places(index: usize, home: &Home, takes_all: bool) -> Vec<Place> {
    let log = home.copy.path().join("log");
    let scenario = &SCENARIOS[index];
    let run = home.strace(scenario, &["-o", &log.display().to_string()]);
    assert_eq!(
        run.code, 0,
        "{}: strace has to be allowed to trace here (ptrace): {}",
        scenario.name, run.stderr
    );
    home.restore();
    let log = fs::read_to_string(log).expect("strace's log");
    assert!(
        log.contains(FIRST),
        "{}: no call that begins like {FIRST} in {log}",
        scenario.name
    );
    let mut is_own = false;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut own: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for line in log.lines() {
        is_own |= line.starts_with(FIRST);
        let Some((call, _)) = line.split_once('(') else {
            continue;
        };
        if !call.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
            continue;
        }
        let count = counts.entry(call).or_default();
        *count += 1;
        if is_own && !NOT_TOUCHED.contains(&call) {
            own.entry(call).or_default().push(*count);
        }
    }
    let mut places = Vec::new();
    for (call, numbers) in own {
        let last = numbers.len() - 1;
        let taken: Vec<usize> = if takes_all || last < MOST_PLACES {
            numbers
        } else {
            (0..MOST_PLACES)
                .map(|at| numbers[at * last / (MOST_PLACES - 1)])
                .collect()
        };
        let errors = errors(call);
        let errors = if takes_all {
            errors
        } else {
            &errors[..errors.len().min(1)]
        };
        for number in taken {
            for trouble in errors.iter().copied().chain(["KILL"]) {
                places.push(Place {
                    scenario: index,
                    call: call.to_owned(),
                    number,
                    trouble,
                });
            }
        }
    }
    places
}

#[test]
fn every_system_call_may_fail_or_be_the_last_one() {
    skip_unless!(program("strace"));
    let takes_all = std::env::var("PGCRED_TEST_SWEEP").is_ok_and(|value| value == "all");
    let all: Vec<Place> = SCENARIOS
        .iter()
        .enumerate()
        .flat_map(|(index, scenario)| places(index, &Home::of(scenario), takes_all))
        .collect();
    assert!(all.len() > 200, "only {} places", all.len());
    let next = Mutex::new(all.iter());
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let work = || {
            let mut homes: HashMap<usize, Home> = HashMap::new();
            let mut wrong = Vec::new();
            loop {
                let Some(place) = next.lock().expect("the places").next() else {
                    return wrong;
                };
                let scenario = &SCENARIOS[place.scenario];
                let home = homes
                    .entry(place.scenario)
                    .or_insert_with(|| Home::of(scenario));
                if let Err(why) = disturb(home, scenario, place) {
                    let Place {
                        call,
                        number,
                        trouble,
                        ..
                    } = place;
                    wrong.push(format!(
                        "{}, {call} {number}, {trouble}: {why}",
                        scenario.name
                    ));
                }
            }
        };
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("no panic"))
            .collect()
    });
    assert!(
        wrong.is_empty(),
        "{} of {} are wrong:\n{}",
        wrong.len(),
        all.len(),
        wrong.join("\n")
    );
}

fn disturb(home: &Home, scenario: &Scenario, place: &Place) -> Result<(), String> {
    let sandbox = &home.sandbox;
    home.restore();
    let Place {
        call,
        number,
        trouble,
        ..
    } = place;
    let is_kill = *trouble == "KILL";
    let what = if is_kill {
        "signal=KILL".to_owned()
    } else {
        format!("error={trouble}")
    };
    // Where descriptors or threads have run out, the next calls fail too.
    let plus = if ["EMFILE", "EAGAIN"].contains(trouble) && call != "openat" {
        "+"
    } else {
        ""
    };
    let (trace, inject) = (
        format!("trace={call}"),
        format!("inject={call}:{what}:when={number}{plus}"),
    );
    let run = home.strace(scenario, &["-o", "/dev/null", "-e", &trace, "-e", &inject]);
    check_words(&run)?;
    check_files(home)?;
    if !is_kill {
        let is_end = (0..=4).contains(&run.code) || scenario.name == "exec" && run.code == 126;
        if !is_end {
            return Err(format!("exit {}; {}", run.code, run.stderr));
        }
        if run.code != 0 && !run.stdout.is_empty() {
            return Err(format!("exit {} with an answer", run.code));
        }
        if run.code == 0 && !(scenario.is_done)(sandbox, &run.stdout) {
            return Err(format!("exit 0, and it is not done; {}", run.stderr));
        }
    }
    let again = sandbox.run(scenario.words);
    check_words(&again)?;
    check_files(home)?;
    if again.code != 0 && again.code != scenario.again {
        return Err(format!(
            "the next run: exit {}; {}",
            again.code, again.stderr
        ));
    }
    if again.code == 4 && scenario.name == "remove" && run.code != 0 {
        sandbox.run(&["erase", HOST]); // the error has said that the tokens are there still
    }
    if !(scenario.is_done)(sandbox, &again.stdout) {
        return Err(format!("the next run has not done it; {}", again.stderr));
    }
    if leftover(sandbox).is_some() {
        // A file that is left beside another is removed when that other is written again.
        sandbox.ok(&["exec", HOST, "--user", "another", "--", "true"]);
        sandbox.ok(&["refresh", HOST, "--user", "another"]);
    }
    leftover(sandbox).map_or(Ok(()), |name| Err(format!("{name} is left")))
}

fn check_words(run: &Run) -> Result<(), String> {
    let never = ["panicked", "Signature=", SECRET, "memory allocation"];
    match never.iter().find(|never| run.stderr.contains(*never)) {
        Some(never) => Err(format!("{never} in {}", run.stderr)),
        None if [101, 134].contains(&run.code) => Err(format!("exit {}", run.code)),
        None => Ok(()),
    }
}

/// Checks that the user's own lines are there, and that each file is as before the command or as
/// after it.
fn check_files(home: &Home) -> Result<(), String> {
    let passfile = passfile(&home.sandbox);
    let block = passfile
        .strip_suffix(MINE)
        .ok_or_else(|| format!("the user's lines are lost: {passfile}"))?;
    let is_whole = block.starts_with("# pgcred begin") && block.ends_with("\n# pgcred end\n");
    if !block.is_empty() && !is_whole {
        return Err(format!("a part of a block: {block}"));
    }
    let [before, after] = &home.configs;
    let (config, services) = (config(&home.sandbox), services(&home.sandbox));
    if config != *before && config != *after {
        return Err(format!("the configuration is {config}"));
    }
    // One of its lines depends on the root certificates that pgcred has at that time.
    let is_set_up = services.starts_with("# pgcred begin")
        && services.ends_with(&format!("\n# pgcred end\n{SERVICES}"));
    if services != SERVICES && !is_set_up {
        return Err(format!("the service file is {services}"));
    }
    match fs::read_to_string(home.sandbox.path(".pg_service.conf.pgcred-backup")) {
        Ok(copy) if copy != SERVICES => Err(format!("the copy is {copy}")),
        _ => Ok(()),
    }
}

/// Returns a new file, a lock of a file that is not in pgcred's own directory, or a directory of
/// `exec`.
fn leftover(sandbox: &Sandbox) -> Option<String> {
    fn names(directory: &Path, found: &mut Vec<String>) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            found.push(entry.file_name().to_string_lossy().into_owned());
            if entry.path().is_dir() {
                names(&entry.path(), found);
            }
        }
    }
    let (mut found, mut own) = (Vec::new(), Vec::new());
    names(sandbox.home(), &mut found);
    names(sandbox.own(), &mut own);
    found.extend(
        own.into_iter()
            .filter(|name| !name.ends_with(".pgcred-lock")),
    );
    let marks = [".pgcred-new-", ".pgcred-lock", "run-"];
    found
        .into_iter()
        .find(|name| marks.iter().any(|mark| name.contains(mark)))
}
