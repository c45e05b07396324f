//! The cache of tokens: one question for many callers, the age of a token, and a cache that never
//! prevents an answer.

use std::fs;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use crate::support::needs::{ROOT, program, skip_unless};
use crate::support::sandbox::{HOST, Run, SECRET, Sandbox};

/// A profile `p` whose `credential_process` counts its calls and is slow.
struct Source {
    sandbox: Sandbox,
}

impl Source {
    fn new() -> Self {
        Self::that("")
    }

    /// `first` is run by the process before it answers; `exit 1` makes it fail.
    fn that(first: &str) -> Self {
        let sandbox = Sandbox::empty();
        let source = Self { sandbox };
        source.now_does(first);
        let script = source.sandbox.path("source");
        let command = if cfg!(windows) {
            script.with_extension("cmd")
        } else {
            script
        };
        let command = if cfg!(windows) {
            command.display().to_string()
        } else {
            format!("sh {}", command.display())
        };
        source.sandbox.write(
            ".aws/config",
            format!("[profile p]\ncredential_process = {command}\n"),
        );
        let calls = source.calls_file().display().to_string();
        let answer = source.sandbox.write(
            "answer.json",
            r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"SECRETKEY"}"#,
        );
        let (does, answer) = (
            source.sandbox.path("does").display().to_string(),
            answer.display(),
        );
        if cfg!(windows) {
            let text = format!("@echo x>>{calls}\r\n@call {does}.cmd\r\n@type {answer}\r\n");
            source.sandbox.write("source.cmd", text);
        } else {
            source.sandbox.write(
                "source",
                format!("echo x >>{calls}\n. {does}\ncat {answer}\n"),
            );
        }
        source
    }

    /// The file with this line is not one that the command names: of such a change pgcred cannot
    /// know.
    fn now_does(&self, first: &str) {
        if cfg!(windows) {
            self.sandbox.write("does.cmd", format!("@{first}\r\n"));
        } else {
            self.sandbox.write("does", format!("{first}\n"));
        }
    }

    fn calls_file(&self) -> PathBuf {
        self.sandbox.path("calls")
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.calls_file()).map_or(0, |text| text.lines().count())
    }

    fn token(&self, arguments: &[&str]) -> Run {
        self.sandbox
            .run(&[&["token", HOST, "--profile", "p"], arguments].concat())
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let run = self.token(arguments);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{arguments:?}");
        run.stdout
    }

    fn spawn(&self, target: &str) -> Child {
        let mut pgcred = self.sandbox.pgcred(&["token", target, "--profile", "p"]);
        pgcred
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("pgcred starts")
    }

    /// The one sealed file.
    fn entry(&self) -> PathBuf {
        let mut entries =
            fs::read_dir(self.sandbox.own().join("cache/tokens")).expect("a directory");
        let entry = entries.next().expect("an entry").expect("an entry").path();
        assert!(entries.next().is_none());
        entry
    }
}

fn answer(child: Child) -> String {
    let run = Run::finished(child.wait_with_output().expect("an end"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    run.stdout
}

#[test]
fn the_second_call_asks_nobody() {
    let source = Source::new();
    let first = source.ok(&[]);
    assert_eq!((source.ok(&[]), source.calls()), (first.clone(), 1));
    assert!(
        source
            .ok(&["--format", "json"])
            .contains(r#""cached":true"#)
    );
    source.ok(&["--user", "app"]);
    assert_eq!(source.calls(), 2, "another user is another token");
    source.ok(&["--no-cache"]);
    source.ok(&["--expires-in", "1h"]);
    assert_eq!(source.calls(), 4);
}

#[test]
fn sixty_four_callers_for_one_target_ask_once() {
    let source = Source::that(if cfg!(windows) { "" } else { "sleep 0.2" });
    let children: Vec<_> = (0..64).map(|_| source.spawn(HOST)).collect();
    let answers: Vec<_> = children.into_iter().map(answer).collect();
    assert!(
        answers
            .iter()
            .all(|answer| *answer == answers[0] && answer.starts_with(HOST))
    );
    assert_eq!(source.calls(), 1);
}

/// The deadline counts for the whole run, also while pgcred waits for the question of another
/// process.
#[cfg(unix)]
#[test]
fn a_caller_that_waits_for_another_keeps_its_deadline() {
    use std::time::{Duration, Instant};

    let source = Source::that("sleep 8");
    let mut holder = source.spawn(HOST);
    while source.calls() == 0 {
        std::thread::sleep(Duration::from_millis(10));
    }
    let began = Instant::now();
    source
        .token(&["--timeout", "2"])
        .assert_fails(1, "within 2 s");
    assert!(
        began.elapsed() < Duration::from_secs(5),
        "{:?}",
        began.elapsed()
    );
    holder.kill().expect("an end");
    holder.wait().expect("an end");
}

/// Several identities share the time of a run. One that hangs leaves time for the others.
#[cfg(unix)]
#[test]
fn a_profile_that_hangs_leaves_time_for_the_others() {
    use std::time::{Duration, Instant};

    let source = Source::new();
    let config = fs::read_to_string(source.sandbox.path(".aws/config")).expect("text");
    let slow: Vec<_> = (0..3)
        .map(|n| format!("[profile slow{n}]\ncredential_process = sleep 20\n"))
        .collect();
    source.sandbox.write(".aws/config", config + &slow.concat());
    let connection = |name: &str, profile: &str| {
        format!(
            "[connections.{name}]\nhost = \"{name}.dsql.us-east-1.on.aws\"\n\
             profile = \"{profile}\"\n"
        )
    };
    let slow: String = (0..3)
        .map(|n| connection(&format!("s{n}"), &format!("slow{n}")))
        .collect();
    fs::write(
        source.sandbox.own().join("config.toml"),
        slow + &connection("good", "p"),
    )
    .expect("written");
    let began = Instant::now();
    let run = source.sandbox.run(&["refresh", "--timeout", "4"]);
    assert!(
        began.elapsed() < Duration::from_secs(7),
        "{:?}",
        began.elapsed()
    );
    assert!(
        run.code == 1 && run.stderr.contains("3 of 4 targets failed"),
        "{}",
        run.stderr
    );
    let passfile = fs::read_to_string(source.sandbox.path(".pgpass")).expect("text");
    assert!(
        passfile.contains("\ngood.dsql.us-east-1.on.aws:"),
        "{passfile}"
    );
}

#[test]
fn sixty_four_connections_of_one_profile_ask_once() {
    let source = Source::that(if cfg!(windows) { "" } else { "sleep 0.2" });
    let connections = (0..64).map(|n| {
        format!("[connections.c{n}]\nhost = \"h{n}.dsql.us-east-1.on.aws\"\nprofile = \"p\"\n")
    });
    fs::write(
        source.sandbox.own().join("config.toml"),
        connections.collect::<String>(),
    )
    .expect("written");
    let children: Vec<_> = (0..64).map(|n| source.spawn(&format!("c{n}"))).collect();
    for (n, child) in children.into_iter().enumerate() {
        assert!(answer(child).starts_with(&format!("h{n}.dsql")));
    }
    assert_eq!(source.calls(), 1);
}

/// A caller that wants one token does not wait for the tokens of ten thousand connections. Those
/// that were in use are renewed first.
#[test]
fn a_token_renews_few_others_and_first_those_in_use() {
    let mut source = Source::new();
    let connections = (0..300).map(|n| {
        format!("[connections.c{n}]\nhost = \"h{n}.dsql.us-east-1.on.aws\"\nprofile = \"p\"\n")
    });
    fs::write(
        source.sandbox.own().join("config.toml"),
        connections.collect::<String>(),
    )
    .expect("written");
    source.sandbox.at("2030-01-01T00:00:00Z").ok(&[
        "token",
        "h299.dsql.us-east-1.on.aws",
        "--profile",
        "p",
    ]);
    source
        .sandbox
        .at("2030-01-01T00:20:00Z")
        .ok(&["token", "c7"]);
    let sealed = || {
        fs::read_dir(source.sandbox.own().join("cache/tokens"))
            .expect("a directory")
            .count()
    };
    let (calls, before) = (source.calls(), sealed());
    assert!((60..70).contains(&before), "{before} tokens are sealed");
    for target in ["c7", "c299", "c0", "c62"] {
        source.sandbox.ok(&["token", target]);
    }
    assert_eq!(
        (source.calls(), sealed()),
        (calls, before),
        "they were renewed before"
    );
    source.sandbox.ok(&["token", "c200"]);
    assert_eq!(source.calls(), calls + 1, "it was not");
}

/// If the process that asks AWS is killed, the next caller asks. No caller waits for the lock of a
/// dead process.
#[cfg(unix)]
#[test]
fn a_killed_lock_holder_delays_nobody() {
    use std::thread;
    use std::time::{Duration, Instant};

    let source = Source::that("sleep 0.01");
    for n in 0..200_u64 {
        let mut holder = source.spawn(HOST);
        let waiting = source.spawn(HOST);
        thread::sleep(Duration::from_micros(n * 211 % 25_000));
        holder.kill().expect("kill -9");
        let began = Instant::now();
        assert!(answer(waiting).starts_with(HOST));
        assert!(
            began.elapsed() < Duration::from_secs(10),
            "the dead holder's lock held"
        );
        holder.wait().expect("an end");
        let _ = fs::remove_dir_all(source.sandbox.own().join("cache/tokens"));
    }
}

#[test]
fn a_damaged_entry_counts_as_missing() {
    let source = Source::new();
    source.ok(&[]);
    let length = fs::read(source.entry()).expect("an entry").len();
    let mut calls = 1;
    for at in 0..length {
        for truncate in [true, false] {
            let mut bytes = fs::read(source.entry()).expect("an entry");
            if truncate {
                bytes.truncate(at);
            } else {
                bytes[at] ^= 1;
            }
            fs::write(source.entry(), bytes).expect("written");
            assert!(source.ok(&[]).starts_with(HOST));
            calls += 1;
            assert_eq!(source.calls(), calls, "byte {at}");
        }
    }
    fs::write(source.sandbox.own().join("cache/index.json"), "[").expect("written");
    source.ok(&[]);
    source.ok(&["--fresh"]);
}

#[test]
fn fresh_for_two_thirds_then_stale_then_expired() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    let first = source.ok(&[]);
    source.sandbox.at("2030-01-01T00:09:59Z");
    assert_eq!((source.ok(&[]), source.calls()), (first.clone(), 1));
    source.now_does("exit 1");
    source.sandbox.at("2030-01-01T00:10:00Z");
    let stale = source.token(&[]);
    assert_eq!((stale.code, &stale.stdout, source.calls()), (0, &first, 2));
    assert!(
        stale
            .stderr
            .contains("the previous token is good for 5 min more"),
        "{}",
        stale.stderr
    );
    source.sandbox.at("2030-01-01T00:14:30Z");
    assert_eq!(source.token(&[]).stdout, first);
    source.sandbox.at("2030-01-01T00:14:31Z");
    source.token(&[]).assert_fails(1, "of profile `p`");
    source.now_does("");
    let renewed = source.ok(&["--fresh"]);
    assert!(renewed.contains("X-Amz-Date=20300101T001431Z"));
}

#[test]
fn a_token_is_removed_a_day_after_it_expired() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    source.ok(&[]);
    let first = source.entry();
    source.sandbox.at("2030-01-02T00:15:01Z");
    source.ok(&["--user", "app"]);
    assert!(!first.exists() && source.entry().exists());
}

#[test]
fn a_clock_that_is_set_back_makes_no_token_valid_again() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    let first = source.ok(&[]);
    source.sandbox.at("2029-12-31T23:56:00Z");
    assert_eq!(source.ok(&[]), first, "within the skew that clocks have");
    source.now_does("exit 1");
    source.sandbox.at("2029-12-31T23:00:00Z");
    source.token(&[]).assert_fails(1, "of profile `p`");
}

#[test]
fn min_valid_and_fresh_ask_for_a_new_token() {
    let mut source = Source::new();
    source.sandbox.at("2030-01-01T00:00:00Z");
    source.ok(&[]);
    source.sandbox.at("2030-01-01T00:05:00Z");
    source.ok(&["--min-valid", "10m"]);
    assert_eq!(source.calls(), 1);
    source.ok(&["--min-valid", "601"]);
    assert_eq!(source.calls(), 2);
    assert!(
        source
            .ok(&["--min-valid", "1h"])
            .contains("X-Amz-Expires=3600&")
    );
    source.sandbox.at("2030-01-01T00:05:01Z");
    source.ok(&["--fresh"]);
    assert_eq!(source.calls(), 4);
    source
        .token(&["--min-valid", "8d"])
        .assert_fails(2, "1 to 604800");
    source
        .sandbox
        .set("AWS_CREDENTIAL_EXPIRATION", "2030-01-01T00:06:00Z");
    source
        .sandbox
        .set("AWS_ACCESS_KEY_ID", "k")
        .set("AWS_SECRET_ACCESS_KEY", "s");
    source
        .sandbox
        .run(&["token", HOST, "--min-valid", "5m"])
        .assert_fails(3, "lasts 5 min: the credentials expire in 59 s");
}

#[test]
fn another_identity_never_gets_the_token() {
    let mut sandbox = Sandbox::with_keys();
    let first = sandbox.ok(&["token", HOST]);
    sandbox.set("AWS_ACCESS_KEY_ID", "OTHER");
    assert!(sandbox.ok(&["token", HOST]).contains("Credential=OTHER%2F"));
    let keys = |id: &str| {
        format!(
            "[p]\naws_access_key_id = {id}\naws_secret_access_key = s\n[q]\naws_access_key_id = Q\n\
             aws_secret_access_key = s\n"
        )
    };
    sandbox.write(".aws/credentials", keys("FIRST"));
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "p"])
            .contains("Credential=FIRST%2F")
    );
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "q"])
            .contains("Credential=Q%2F")
    );
    sandbox.write(".aws/credentials", keys("SECOND"));
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "p"])
            .contains("Credential=SECOND%2F")
    );
    sandbox.set("AWS_ACCESS_KEY_ID", crate::support::sandbox::KEY_ID);
    assert_eq!(sandbox.ok(&["token", HOST]), first);
}

/// A link to another version, a copy with its times, or the image of a build: the file has the same
/// length and time as before.
#[test]
#[cfg(unix)]
fn a_file_of_the_same_length_and_time_is_another_file() {
    let sandbox = Sandbox::empty();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
    for version in ["KEY1", "KEY2"] {
        let keys = format!(r#"{{"Version":1,"AccessKeyId":"{version}","SecretAccessKey":"s"}}"#);
        sandbox.write(version, keys);
        let file = fs::File::options()
            .write(true)
            .open(sandbox.home().join(version))
            .expect("the file");
        file.set_modified(long_ago).expect("dated");
    }
    let current = sandbox.home().join("current");
    sandbox.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = /bin/cat {}\n",
            current.display()
        ),
    );
    for version in ["KEY1", "KEY2"] {
        let _ = fs::remove_file(&current); // the first time there is none
        std::os::unix::fs::symlink(sandbox.home().join(version), &current).expect("a link");
        let token = sandbox.ok(&["token", HOST, "--profile", "p"]);
        assert!(
            token.contains(&format!("Credential={version}%2F")),
            "{version}: {token}"
        );
    }
}

/// Two profiles write the same line of the passfile within one second. Host, port, user and expiry
/// of their tokens are equal.
#[test]
fn another_identitys_token_in_the_passfile_is_not_handed_out() {
    let mut sandbox = Sandbox::empty();
    sandbox.at("2030-01-01T00:00:00Z");
    let keys = |name: &str, id: &str| {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = s\n")
    };
    sandbox.write(
        ".aws/credentials",
        keys("a", "KEYOFA") + &keys("b", "KEYOFB"),
    );
    let filed = |sandbox: &Sandbox| String::from_utf8(sandbox.read(".pgpass")).expect("text");
    for life in ["15m", "1h"] {
        sandbox.ok(&["refresh", HOST, "--profile", "a", "--expires-in", life]);
        sandbox.ok(&["refresh", HOST, "--profile", "b", "--expires-in", life]);
        let token =
            |profile| sandbox.ok(&["token", HOST, "--profile", profile, "--expires-in", life]);
        assert!(token("a").contains("Credential=KEYOFA%2F"), "{life}");
        assert!(token("b").contains("Credential=KEYOFB%2F"), "{life}");
        // Nor is it one that makes a refresh superfluous, if for another life.
        sandbox.ok(&["add", "mine", HOST, "--profile", "a", "--replace"]);
        sandbox.ok(&["refresh"]);
        assert!(filed(&sandbox).contains("Credential=KEYOFA%2F"), "{life}");
        sandbox.ok(&["remove", "mine"]);
    }
    // What an older pgcred has recorded does not tell whose the token is.
    sandbox.ok(&["refresh", HOST, "--profile", "b"]);
    sandbox.at("2030-01-01T00:01:00Z");
    let token = || sandbox.ok(&["token", HOST, "--profile", "b", "--format", "json"]);
    assert!(token().contains(r#""cached":true"#));
    let index = sandbox.own().join("cache/index.json");
    let text = fs::read_to_string(&index).expect("an index");
    assert!(
        text.contains(r#""digest":"#) && !text.contains("Signature"),
        "{text}"
    );
    fs::write(&index, text.replace(r#""digest":"#, r#""other":"#)).expect("written");
    assert!(token().contains(r#""cached":false"#));
}

/// Keys in the environment sign. For a host that names no region, the profile still decides for
/// which region.
#[test]
fn another_region_never_gets_the_token() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    let profiles = |default: &str| {
        format!(
            "[default]\nregion={default}\n[profile p]\nregion=ap-south-1\n[profile q]\n\
             region=eu-west-1\n"
        )
    };
    sandbox.write(".aws/config", profiles("us-west-2"));
    let token = |sandbox: &Sandbox| sandbox.ok(&["token", "my.cname", "--provider", "dsql"]);
    let named = sandbox.ok(&["token", HOST]);
    let mut known = Vec::new();
    for (variable, profile, region) in [
        ("AWS_PROFILE", "p", "ap-south-1"),
        ("AWS_PROFILE", "q", "eu-west-1"),
        ("AWS_DEFAULT_PROFILE", "p", "ap-south-1"),
        ("AWS_DEFAULT_PROFILE", "q", "eu-west-1"),
        ("AWS_PROFILE", "default", "us-west-2"),
    ] {
        sandbox
            .unset("AWS_PROFILE")
            .unset("AWS_DEFAULT_PROFILE")
            .set(variable, profile);
        let token = token(&sandbox);
        assert!(
            token.contains(&format!("%2F{region}%2Fdsql")),
            "{variable}={profile}: {token}"
        );
        known.push((variable, profile, token));
    }
    sandbox.at("2030-01-01T00:01:00Z");
    for (variable, profile, known) in known {
        sandbox
            .unset("AWS_PROFILE")
            .unset("AWS_DEFAULT_PROFILE")
            .set(variable, profile);
        assert_eq!(token(&sandbox), known, "{variable}={profile}");
    }
    sandbox.unset("AWS_PROFILE").unset("AWS_DEFAULT_PROFILE");
    assert!(token(&sandbox).contains("%2Fus-west-2%2Fdsql"));
    sandbox.write(".aws/config", profiles("eu-north-1"));
    assert!(token(&sandbox).contains("%2Feu-north-1%2Fdsql"));
    sandbox.write(".aws/other", profiles("sa-east-1"));
    let other = sandbox.path(".aws/other").display().to_string();
    assert!(token(sandbox.set("AWS_CONFIG_FILE", &other)).contains("%2Fsa-east-1%2Fdsql"));
    assert!(token(sandbox.set("AWS_REGION", "us-east-2")).contains("%2Fus-east-2%2Fdsql"));
    assert_eq!(
        sandbox.ok(&["token", HOST]),
        named,
        "a host that names its region has nothing to do with the files"
    );
}

#[test]
fn a_failure_begins_a_pause_and_a_login_ends_it() {
    let mut source = Source::that("exit 1");
    // on a slow machine twenty runs may take longer than the pause
    source.sandbox.at("2030-01-01T00:00:00Z");
    for _ in 0..20 {
        source.token(&[]).assert_fails(1, "of profile `p`");
    }
    assert_eq!(source.calls(), 1);
    assert!(source.token(&[]).stderr.contains("--fresh asks again now"));
    source.now_does("");
    source.token(&[]).assert_fails(1, "--fresh asks again now");
    source.sandbox.write(".aws/sso/cache/session.json", "{}");
    source.ok(&[]);
    assert_eq!(source.calls(), 2);
}

/// A program may write to a file that its command line names, such as a log. That does not count as
/// a login.
#[cfg(unix)]
#[test]
fn the_log_of_a_program_does_not_end_the_pause() {
    let source = Source::that("exit 1");
    let log = source.calls_file().display().to_string();
    let config = String::from_utf8(source.sandbox.read(".aws/config")).expect("text");
    source
        .sandbox
        .write(".aws/config", format!("{} {log}\n", config.trim_end()));
    for _ in 0..3 {
        source.token(&[]).assert_fails(1, "of profile `p`");
    }
    assert_eq!(source.calls(), 1);
}

#[test]
fn the_pause_after_a_failure_grows_and_ends() {
    let mut source = Source::that("exit 1");
    for (at, calls) in [
        ("00:00:00", 1),
        ("00:00:09", 1),
        ("00:00:10", 2),
        ("00:00:29", 2),
        ("00:00:30", 3),
        ("00:01:09", 3),
        ("00:01:10", 4),
    ] {
        source.sandbox.at(&format!("2030-01-01T{at}Z"));
        source.token(&[]).assert_fails(1, "of profile `p`");
        assert_eq!(source.calls(), calls, "{at}");
    }
}

#[test]
fn after_a_login_or_an_hour_the_pauses_are_short_again() {
    let mut source = Source::that("exit 1");
    for (at, logs_in, calls) in [
        ("00:00:00", false, 1),
        ("00:00:10", false, 2),
        ("00:00:30", false, 3),
        ("00:00:31", true, 4),
        ("00:00:41", false, 5),
        ("00:00:51", false, 5),
        ("01:30:00", false, 6),
        ("01:30:10", false, 7),
    ] {
        if logs_in {
            source.sandbox.write(".aws/sso/cache/session.json", "{}");
        }
        source.sandbox.at(&format!("2030-01-01T{at}Z"));
        source.token(&[]).assert_fails(1, "of profile `p`");
        assert_eq!(source.calls(), calls, "{at}");
    }
}

/// The user gets the token. That it cannot be cached is only a warning.
#[test]
fn a_cache_that_cannot_be_written_is_a_warning() {
    let source = Source::new();
    fs::write(source.sandbox.own().join("cache"), "in the way").expect("written");
    for _ in 0..2 {
        let run = source.token(&[]);
        assert!(
            run.code == 0 && run.stdout.starts_with(HOST) && run.stderr.contains("warning: "),
            "{}",
            run.stderr
        );
    }
    assert_eq!(source.calls(), 2);
    assert_eq!(source.token(&["--quiet"]).stderr, "");
}

#[test]
fn cached_tokens_are_private_and_sealed() {
    let source = Source::new();
    let token = source.ok(&[]);
    let signature = token.trim_end().rsplit('=').next().expect("a signature");
    let mut open = vec![source.sandbox.own().to_owned()];
    let mut files = 0;
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                fs::read_dir(&path)
                    .expect("a directory")
                    .map(|entry| entry.expect("an entry").path()),
            );
        } else {
            files += 1;
            let bytes = fs::read(&path).expect("a file");
            for secret in [signature, "SECRETKEY", SECRET, "X-Amz"] {
                assert!(
                    !bytes
                        .windows(secret.len())
                        .any(|part| part == secret.as_bytes()),
                    "{}",
                    path.display()
                );
            }
        }
        #[cfg(unix)]
        if path != source.sandbox.own() {
            use std::os::unix::fs::PermissionsExt;
            let mode = fs::metadata(&path).expect("metadata").permissions().mode() & 0o777;
            assert_eq!(
                mode,
                if path.is_dir() { 0o700 } else { 0o600 },
                "{}",
                path.display()
            );
        }
    }
    assert!(files >= 4, "token, index, key and locks");
}

/// The token leaves pgcred only through stdout and, sealed, through the cache. No program that
/// pgcred starts gets one.
#[cfg(target_os = "linux")]
#[test]
fn only_known_files_are_written_and_known_programs_started() {
    skip_unless!(program("strace"), ROOT);
    let source = Source::new();
    let mut strace = source.sandbox.command("strace");
    strace.args([
        "-f",
        "-v",
        "-s",
        "4096",
        "-e",
        "trace=write,writev,sendto,execve",
        env!("CARGO_BIN_EXE_pgcred"),
    ]);
    strace.args(["token", HOST, "--profile", "p"]);
    let run = Run::of(strace);
    let secret = run
        .stdout
        .trim_end()
        .rsplit('=')
        .next()
        .expect("a signature");
    let holding: Vec<_> = run
        .stderr
        .lines()
        .filter(|line| line.contains(secret))
        .collect();
    assert!(
        holding.len() == 1 && holding[0].contains("write(1, "),
        "{holding:#?}"
    );
    assert!(run.stderr.matches("execve(").count() >= 2, "{}", run.stderr);
}

/// The key is in the kernel keyring of this machine, under a name of the sandbox.
#[cfg(target_os = "linux")]
#[test]
fn the_key_can_be_in_the_kernel_keyring() {
    let mut source = Source::new();
    source.sandbox.set("PGCRED_CACHE", "keyring");
    source.ok(&[]);
    source.ok(&[]);
    assert_eq!(source.calls(), 1);
    source.sandbox.set("PGCRED_CACHE", "file");
    source.ok(&[]);
    assert_eq!(source.calls(), 2, "another key opens nothing");
    source.sandbox.set("PGCRED_CACHE", "none");
    source.ok(&[]);
    assert_eq!(source.calls(), 3);
    source
        .sandbox
        .set("PGCRED_CACHE", "keyring")
        .ok(&["erase", "--all"]);
    assert!(!source.sandbox.own().join("cache").exists());
    source
        .sandbox
        .set("PGCRED_CACHE", "attic")
        .run(&["list"])
        .assert_fails(2, "keyring");
}

/// A call with a cached token reads the configuration, one entry and the key. It starts no program
/// and asks no service.
#[cfg(target_os = "linux")]
#[test]
fn a_cached_token_needs_few_system_calls() {
    skip_unless!(program("strace"), ROOT);
    let source = Source::new();
    source.ok(&[]);
    let mut strace = source.sandbox.command("strace");
    strace.args([
        "-f",
        "-e",
        "trace=openat,socket,connect,clone,clone3,execve,epoll_create1",
        env!("CARGO_BIN_EXE_pgcred"),
    ]);
    strace.args(["token", HOST, "--profile", "p"]);
    let run = Run::of(strace);
    assert!(run.stderr.contains("cache/tokens/"), "{}", run.stderr);
    for never in [
        "/etc/ssl", "socket(", "connect(", "clone", "epoll", "passwd", "sh\"",
    ] {
        assert!(!run.stderr.contains(never), "{never}: {}", run.stderr);
    }
}
