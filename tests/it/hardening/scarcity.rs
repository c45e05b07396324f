//! Too few descriptors, threads or processes are an error, never a panic, and harm no file.

use std::fs;

use crate::passfile::managed::MINE;
use crate::support::needs::{program, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};

/// Returns a home with a profile that runs a program and one that asks a service. Nobody listens at
/// the service's address, so that it fails in any case.
fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::empty();
    sandbox.write(
        "answer.json",
        r#"{"Version":1,"AccessKeyId":"AKIAP","SecretAccessKey":"s"}"#,
    );
    let program = format!("cat {}", sandbox.path("answer.json").display());
    sandbox.write(
        ".aws/config",
        format!(
            "[profile program]\ncredential_process = {program}\n[profile network]\n\
             role_arn = arn:aws:iam::123456789012:role/R\n\
             source_profile = k\n[profile k]\naws_access_key_id = AKIAK\n\
             aws_secret_access_key = s\n"
        ),
    );
    sandbox
        .set("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
        .set("AWS_MAX_ATTEMPTS", "1")
        .set("PGCRED_CACHE", "none");
    sandbox.write(".pgpass", MINE);
    sandbox
}

const COMMANDS: [&[&str]; 5] = [
    &["token", HOST, "--profile", "program"],
    &["token", HOST, "--profile", "network"],
    &["refresh", HOST, "--profile", "program"],
    &["exec", HOST, "--profile", "program", "--", "true"],
    &["setup", "psql", HOST, "--yes"],
];

fn check(sandbox: &Sandbox, run: &Run, what: &str) {
    // `exec` ends with 126 if its program cannot be run.
    assert!(
        matches!(run.code, 0..=4 | 126) && !run.stderr.contains("panicked"),
        "{what}: {} {}",
        run.code,
        run.stderr
    );
    assert!(
        run.code == 0 || run.stdout.is_empty(),
        "{what}: {}",
        run.stdout
    );
    let passfile = fs::read_to_string(sandbox.path(".pgpass")).expect("text");
    assert!(passfile.ends_with(MINE), "{what}: {passfile}");
}

#[test]
fn few_descriptors_are_an_error() {
    let sandbox = sandbox();
    for words in COMMANDS {
        for most in 3..=14 {
            let mut sh = sandbox.command("sh");
            let script = format!("ulimit -n {most}; exec \"$0\" \"$@\"");
            sh.args(["-c", &script, env!("CARGO_BIN_EXE_pgcred")])
                .args(words);
            let output = sh.output().expect("sh");
            // With three descriptors, the system's loader has none left.
            if output.status.code() != Some(127) {
                check(
                    &sandbox,
                    &Run::finished(output),
                    &format!("{words:?} with {most} descriptors"),
                );
            }
        }
    }
}

/// The user's limit of processes also counts threads. It does not hold for root, so strace refuses
/// them in the place of the system.
#[test]
fn no_more_threads_are_an_error() {
    skip_unless!(program("strace"));
    let sandbox = sandbox();
    for words in COMMANDS {
        for first in 1..=4 {
            let mut strace = sandbox.command("strace");
            let trouble = format!("inject=clone,clone3,fork,vfork:error=EAGAIN:when={first}+");
            strace.args([
                "-f",
                "-o",
                "/dev/null",
                "-e",
                "trace=clone,clone3,fork,vfork",
                "-e",
                &trouble,
            ]);
            strace.arg(env!("CARGO_BIN_EXE_pgcred")).args(words);
            check(
                &sandbox,
                &Run::of(strace),
                &format!("{words:?} from thread {first} on"),
            );
        }
    }
}
