//! Programs that change a file at the same time as pgcred and do not know its lock: none of their
//! lines is lost.

use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::passfile::managed::MINE;
use crate::support::needs::{package, program, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(30);
    while !is_so() {
        assert!(Instant::now() < deadline, "{what} did not come");
        sleep(Duration::from_millis(2));
    }
}

/// The ways in which editors save a file: they rename a new one, write in place, or append.
type Save = fn(&Path, &str);

fn by_rename(path: &Path, text: &str) {
    let new = path.with_extension("tmp");
    fs::write(&new, text).expect("written");
    fs::rename(&new, path).expect("renamed");
}

fn in_place(path: &Path, text: &str) {
    fs::write(path, text).expect("written");
}

fn at_its_end(path: &Path, text: &str) {
    let before = fs::metadata(path).expect("a file").len();
    let before = usize::try_from(before).expect("a length");
    OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(&text.as_bytes()[before..]))
        .expect("written");
}

const SAVES: [(&str, Save); 3] = [
    ("by rename", by_rename),
    ("in place", in_place),
    ("at its end", at_its_end),
];

/// Starts pgcred, which waits after it has read the file and before it replaces it.
fn slow(sandbox: &Sandbox, words: &[&str]) -> Child {
    let mut strace = sandbox.command("strace");
    strace.args([
        "-f",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync",
        "-e",
        "inject=fsync:delay_enter=300000",
    ]);
    strace.arg(env!("CARGO_BIN_EXE_pgcred")).args(words);
    strace
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace starts")
}

fn has_new(directory: &Path) -> bool {
    let names = fs::read_dir(directory)
        .expect("a directory")
        .map(|entry| entry.expect("an entry").file_name());
    names
        .into_iter()
        .any(|name| name.to_string_lossy().contains(".pgcred-new-"))
}

#[test]
fn lines_saved_while_pgcred_writes_are_kept() {
    skip_unless!(program("strace"));
    let text = format!("{MINE}new:5432:*:me:pw\n");
    for (how, save) in SAVES {
        let sandbox = Sandbox::with_keys();
        let passfile = sandbox.write(".pgpass", MINE);
        let refresh = slow(&sandbox, &["refresh", HOST, "-q"]);
        wait_until("the new file", || has_new(sandbox.home()));
        save(&passfile, &text);
        let run = Run::finished(refresh.wait_with_output().expect("an end"));
        assert_eq!(run.code, 0, "{}", run.stderr);
        let after = fs::read_to_string(&passfile).expect("text");
        assert!(
            after.starts_with("# pgcred begin")
                && after.ends_with(&format!("# pgcred end\n{text}")),
            "{how}: {after}"
        );
    }
}

#[test]
fn a_configuration_saved_while_pgcred_writes_it_is_kept() {
    skip_unless!(program("strace"));
    for (how, save) in SAVES {
        let sandbox = Sandbox::empty();
        let config = sandbox.own().join("config.toml");
        fs::write(&config, "# mine\n").expect("written");
        let add = slow(&sandbox, &["add", "prod", HOST, "-q"]);
        wait_until("the new file", || has_new(sandbox.own()));
        save(&config, "# mine\n# also mine\n");
        let run = Run::finished(add.wait_with_output().expect("an end"));
        assert_eq!(run.code, 0, "{}", run.stderr);
        let after = fs::read_to_string(&config).expect("text");
        assert!(
            after.contains("# mine\n# also mine\n") && after.contains("[connections.prod]"),
            "{how}: {after}"
        );
    }
}

/// `setup` does not start again, because the user has agreed to the difference that was shown.
#[test]
fn a_file_that_changes_while_it_is_set_up_stays_as_it_is() {
    skip_unless!(program("strace"));
    let sandbox = Sandbox::empty();
    let services = sandbox.write(".pg_service.conf", "[mine]\nhost=h\n");
    let set_up = slow(&sandbox, &["setup", "psql", HOST, "--yes"]);
    wait_until("the new file", || has_new(sandbox.home()));
    at_its_end(&services, "[mine]\nhost=h\n[new]\nhost=n\n");
    let run = Run::finished(set_up.wait_with_output().expect("an end"));
    run.assert_fails(
        1,
        ".pg_service.conf has just been changed by another program",
    );
    assert_eq!(
        fs::read_to_string(&services).expect("text"),
        "[mine]\nhost=h\n[new]\nhost=n\n"
    );
    assert!(!has_new(sandbox.home()));
}

/// An editor that saves in place first makes the file empty. pgcred may read it at that moment.
#[test]
fn pgcred_waits_while_an_editor_saves_the_passfile() {
    let sandbox = Sandbox::with_keys();
    let passfile = sandbox.write(".pgpass", MINE);
    sandbox.ok(&["refresh", HOST, "-q"]);
    let text = fs::read_to_string(&passfile).expect("text") + "new:5432:*:me:pw\n";
    let mut file = File::create(&passfile).expect("an empty file");
    let refresh = sandbox
        .pgcred(&["refresh", HOST, "-q"])
        .spawn()
        .expect("pgcred starts");
    wait_until("the lock", || sandbox.path(".pgpass.pgcred-lock").exists());
    sleep(Duration::from_millis(100));
    file.write_all(text.as_bytes()).expect("written");
    drop(file);
    assert!(refresh.wait_with_output().expect("an end").status.success());
    let after = fs::read_to_string(&passfile).expect("text");
    assert!(
        after.ends_with(&format!("# pgcred end\n{MINE}new:5432:*:me:pw\n")),
        "{after}"
    );
}

/// The same holds for the configuration, whose rules decide who signs.
#[test]
fn pgcred_waits_while_an_editor_saves_the_configuration() {
    const RULE: &str = "[[match]]\nhost = '*'\nprofile = 'p'\n";
    let sandbox = Sandbox::with_keys();
    sandbox.write(
        ".aws/credentials",
        "[p]\naws_access_key_id = AKIAP\naws_secret_access_key = wJalrX\n",
    );
    let config = sandbox.own().join("config.toml");
    let mut file = File::create(&config).expect("an empty file");
    let mut token = sandbox.pgcred(&["token", HOST]);
    let token = token
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("pgcred starts");
    sleep(Duration::from_millis(200));
    file.write_all(RULE.as_bytes()).expect("written");
    let run = Run::finished(token.wait_with_output().expect("an end"));
    assert!(
        run.code == 0 && run.stdout.contains("AKIAP"),
        "{} {}",
        run.stdout,
        run.stderr
    );
}

#[test]
fn a_file_that_changes_all_the_time_is_an_error_and_stays_whole() {
    skip_unless!(program("strace"));
    let sandbox = Sandbox::with_keys();
    let passfile = sandbox.write(".pgpass", MINE);
    let mut strace = sandbox.command("strace");
    strace.args([
        "-f",
        "-o",
        "/dev/null",
        "-e",
        "trace=fsync",
        "-e",
        "inject=fsync:delay_enter=100000",
    ]);
    strace
        .arg(env!("CARGO_BIN_EXE_pgcred"))
        .args(["refresh", HOST])
        .stdin(Stdio::null());
    let refresh = strace
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("strace starts");
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn({
        let passfile = passfile.clone();
        move || {
            let mut lines = String::from(MINE);
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                lines += "new:5432:*:me:pw\n";
                at_its_end(&passfile, &lines);
                sleep(Duration::from_millis(5));
            }
            lines
        }
    });
    let run = Run::finished(refresh.wait_with_output().expect("an end"));
    drop(stop);
    let lines = writer.join().expect("the lines");
    run.assert_fails(1, "another program has been changing");
    assert!(
        run.stderr.contains(".pgpass") && run.stderr.contains("hint: "),
        "{}",
        run.stderr
    );
    assert_eq!(fs::read_to_string(&passfile).expect("text"), lines);
    assert!(!has_new(sandbox.home()));
}

/// Editors save by rename and at the end of the file, two processes of pgcred write, and a client
/// looks passwords up, all many times. Lines that are lost in the last microseconds before a rename
/// would be very few.
#[test]
fn look_ups_while_editors_and_pgcred_write_find_every_line() {
    skip_unless!(package("psycopg"));
    let sandbox = Sandbox::with_keys();
    let passfile = sandbox.write(".pgpass", "mine:5432:*:admin:minepw\n");
    sandbox.ok(&["refresh", HOST, "-q"]);
    let mut lookups = Command::new(python());
    lookups
        .arg("-B")
        .arg(root().join("tests/stubs/lookups.py"))
        .arg(&passfile)
        .args([HOST, HOST, "mine", "minepw"]);
    let mut lookups = lookups
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python");
    let mut answers = BufReader::new(lookups.stdout.take().expect("its stdout"));
    let mut said = String::new();
    answers.read_line(&mut said).expect("a line");
    assert_eq!(said, "ready\n");
    let turn = format!(
        "for i in 0 1 2 3 4 5 6 7 8 9; do for j in 0 1 2 3 4 5 6 7; do '{}' refresh -q {HOST} || \
         exit 1; done; done",
        env!("CARGO_BIN_EXE_pgcred")
    );
    let mut writers: Vec<Child> = (0..2)
        .map(|_| {
            sandbox
                .command("sh")
                .args(["-c", &turn])
                .spawn()
                .expect("sh")
        })
        .collect();
    let mut added = Vec::new();
    while writers
        .iter_mut()
        .any(|writer| writer.try_wait().expect("a state").is_none())
    {
        let line = format!("new{}:5432:*:admin:pw", added.len());
        let edit = if added.len() % 2 == 0 {
            format!("echo '{line}' >>.pgpass")
        } else {
            format!("sed -i '$a\\{line}' .pgpass")
        };
        assert!(
            sandbox
                .command("sh")
                .args(["-c", &edit])
                .status()
                .expect("sh")
                .success()
        );
        added.push(line);
        sleep(Duration::from_millis(10));
    }
    for mut writer in writers {
        assert!(writer.wait().expect("an end").success());
    }
    drop(lookups.stdin.take());
    said.clear();
    answers.read_to_string(&mut said).expect("text");
    assert!(lookups.wait().expect("an end").success());
    let number: usize = said
        .trim()
        .parse()
        .unwrap_or_else(|_| panic!("wrong answers: {said}"));
    assert!(number > 100, "{number} look-ups");
    let text = fs::read_to_string(&passfile).expect("text");
    // sed writes the text that it has read a millisecond before. If a line is written in between,
    // sed loses it, not pgcred.
    let lost = added
        .iter()
        .filter(|line| !text.lines().any(|found| found == *line))
        .count();
    assert!(lost <= 1, "{lost} of {} lines are lost", added.len());
    assert!(text.contains("mine:5432:*:admin:minepw\n"), "{text}");
}
