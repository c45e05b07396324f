//! The fault matrix: every credentials source breaks in every way. pgcred ends in time, with one
//! error, and leaves no file and no process.

use std::fs;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::process::Stdio;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::signal::kill;
use nix::unistd::Pid;

use crate::credentials::source_table::sources;
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, check_all, refusal_trouble};

/// What tests/stubs/aws.py can do in the place of an answer.
const MISBEHAVIOURS: [&str; 8] = [
    "hang", "trickle", "close", "500", "huge", "garbage", "redirect", "endless",
];
/// The file of the AWS CLI for the token of the sso-session `corp`. Its name is the SHA-1 of that
/// name.
pub const SSO_FILE: &str = ".aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";
pub const LOGIN_SESSION: &str = "arn:aws:iam::123456789012:user/me";
/// The file of `aws login` for that session. Its name is the SHA-256 of the session.
pub const LOGIN_FILE: &str =
    ".aws/login/cache/286187707741fc2ccb93cf9e56dbd0ee0a16208feed5fbc8ae1baa86d44c283f.json";
/// `--timeout`, and the time that a loaded machine may need in addition.
const LIMIT: Duration = Duration::from_secs(2);
const MARGIN: Duration = Duration::from_secs(3);

/// The rows of the table in src/aws/README.md whose source asks no service, by how they begin.
const ASK_NO_SERVICE: [&str; 5] = [
    "variables: ",
    "keys of the profile in the credentials file",
    "`credential_process`",
    "keys of the profile in the configuration file",
    "the files of the first EC2 tools",
];

struct Source {
    /// Begins as the row of the table does, up to its colon.
    name: &'static str,
    target: &'static str,
    exits: &'static [i32],
    /// Points the sandbox at a stub's URL that misbehaves, and at one that works.
    set_up: fn(&mut Sandbox, &str, &str),
}

const ENDS: &[i32] = &[1, 3];
const SOURCES: [Source; 10] = [
    Source {
        name: "container",
        target: HOST,
        exits: ENDS,
        set_up: container,
    },
    Source {
        name: "instance metadata",
        target: HOST,
        exits: ENDS,
        set_up: metadata,
    },
    Source {
        name: "instance metadata after its token",
        target: HOST,
        exits: ENDS,
        set_up: late_metadata,
    },
    Source {
        name: "SSO portal",
        target: HOST,
        exits: ENDS,
        set_up: portal,
    },
    Source {
        name: "SSO refresh",
        target: HOST,
        exits: ENDS,
        set_up: sso_refresh,
    },
    Source {
        name: "SSO of a profile alone",
        target: HOST,
        exits: ENDS,
        set_up: legacy_sso,
    },
    Source {
        name: "`aws login`",
        target: HOST,
        exits: ENDS,
        set_up: sign_in,
    },
    Source {
        name: "role",
        target: HOST,
        exits: ENDS,
        set_up: assume_role,
    },
    Source {
        name: "web identity",
        target: HOST,
        exits: ENDS,
        set_up: web_identity,
    },
    // Without a region pgcred cannot sign for the target, so every such case must fail.
    Source {
        name: "region",
        target: "foo0bar1baz2quux3quuux4abc",
        exits: &[1, 2],
        set_up: region,
    },
];

fn container(sandbox: &mut Sandbox, broken: &str, _: &str) {
    sandbox.set(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &format!("{broken}/ecs/x"),
    );
}

fn metadata(sandbox: &mut Sandbox, broken: &str, _: &str) {
    sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", broken);
}

fn late_metadata(sandbox: &mut Sandbox, broken: &str, _: &str) {
    metadata(sandbox, &format!("{broken}/late"), "");
}

fn region(sandbox: &mut Sandbox, broken: &str, _: &str) {
    metadata(sandbox, broken, "");
    sandbox
        .set("AWS_ACCESS_KEY_ID", "AKIAENV")
        .set("AWS_SECRET_ACCESS_KEY", STUB_SECRET);
}

fn portal(sandbox: &mut Sandbox, broken: &str, works: &str) {
    sso(sandbox, "2099-01-01T00:00:00Z", broken, works);
}

fn sso_refresh(sandbox: &mut Sandbox, broken: &str, works: &str) {
    sso(sandbox, "2020-01-01T00:00:00Z", works, broken);
}

/// The configuration of a session `corp`.
fn sso(sandbox: &mut Sandbox, token_ends: &str, portal: &str, oidc: &str) {
    sandbox.write(
        ".aws/config",
        format!(
            "[sso-session corp]\nsso_region = us-west-2\nsso_start_url = \
             https://x.awsapps.com/start\n\
             [default]\nsso_session = corp\nsso_account_id = {ACCOUNT}\nsso_role_name = dev\n"
        ),
    );
    sandbox.write(SSO_FILE, sso_token("ssotoken", token_ends));
    sandbox
        .set("AWS_ENDPOINT_URL_SSO", portal)
        .set("AWS_ENDPOINT_URL_SSO_OIDC", oidc);
}

fn legacy_sso(sandbox: &mut Sandbox, broken: &str, _: &str) {
    sandbox.write(
        ".aws/config",
        format!(
            "[default]\nsso_region = us-west-2\nsso_start_url = https://x.awsapps.com/start\n\
             sso_account_id = {ACCOUNT}\nsso_role_name = dev\n"
        ),
    );
    sandbox.write(
        ".aws/sso/cache/3947de8b16688092197fa616c34e01335f21d256.json",
        sso_token("ssotoken", "2099-01-01T00:00:00Z"),
    );
    sandbox.set("AWS_ENDPOINT_URL_SSO", broken);
}

/// Returns the file that a login to the session `corp` writes.
pub fn sso_token(token: &str, ends: &str) -> String {
    format!(
        r#"{{"startUrl":"https://x.awsapps.com/start","region":"us-west-2","accessToken":"{token}","expiresAt":"{ends}",
        "clientId":"c","clientSecret":"{STUB_SECRET}1","refreshToken":"{STUB_SECRET}2",
        "registrationExpiresAt":"2099-01-01T00:00:00Z"}}"#
    )
}

fn sign_in(sandbox: &mut Sandbox, broken: &str, _: &str) {
    sandbox.write(
        ".aws/config",
        format!("[default]\nlogin_session = {LOGIN_SESSION}\n"),
    );
    sandbox.write(LOGIN_FILE, login("ASIAOLD", "2020-01-01T00:00:00Z"));
    sandbox.set("AWS_ENDPOINT_URL_SIGNIN", broken);
}

/// Returns the file that `aws login` writes.
pub fn login(key: &str, ends: &str) -> String {
    let pem = crate::credentials::chain::login_key();
    format!(
        r#"{{"accessToken":{{"accessKeyId":"{key}","secretAccessKey":"{STUB_SECRET}1","sessionToken":"{STUB_SECRET}2",
        "accountId":"{ACCOUNT}","expiresAt":"{ends}"}},
        "clientId":"arn:aws:signin:::devtools/same-device",
        "refreshToken":"{STUB_SECRET}3","dpopKey":"{pem}"}}"#
    )
}

fn assume_role(sandbox: &mut Sandbox, broken: &str, _: &str) {
    sandbox.write(
        ".aws/config",
        format!(
            "[default]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/R\nsource_profile = p\n\
             [profile p]\naws_access_key_id = AKIAP\naws_secret_access_key = {STUB_SECRET}\n"
        ),
    );
    sandbox.set("AWS_ENDPOINT_URL_STS", broken);
}

fn web_identity(sandbox: &mut Sandbox, broken: &str, _: &str) {
    let file = sandbox.write("jwt", STUB_SECRET).display().to_string();
    sandbox
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", &file)
        .set("AWS_ROLE_ARN", &format!("arn:aws:iam::{ACCOUNT}:role/W"));
    sandbox.set("AWS_ENDPOINT_URL_STS", broken);
}

#[test]
fn every_source_that_asks_a_service_is_tried() {
    for row in sources() {
        let (start, _) = row.split_once(':').unwrap_or((row, ""));
        assert!(
            ASK_NO_SERVICE.iter().any(|known| row.starts_with(known))
                || SOURCES.iter().any(|source| source.name.starts_with(start)),
            "SOURCES of {} lacks the source of src/aws/README.md: {row}",
            file!()
        );
    }
}

#[test]
fn a_broken_service_gives_one_error_in_time() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let works = format!("http://127.0.0.1:{}", stub.port());
    let mut hows: Vec<_> = MISBEHAVIOURS
        .iter()
        .map(|how| ((*how).to_owned(), format!("{works}/{how}")))
        .collect();
    hows.push(("nobody listens".to_owned(), "http://127.0.0.1:1".to_owned()));
    let cells: Vec<_> = SOURCES
        .iter()
        .flat_map(|source| hows.iter().map(move |how| (source, how)))
        .collect();
    check_all(&cells, |(source, (how, broken))| {
        let mut sandbox = Sandbox::empty();
        (source.set_up)(&mut sandbox, broken, &works);
        attempt(&sandbox, source.target, source.exits)
            .map_err(|trouble| format!("{} x {how}: {trouble}", source.name))
    });
}

/// For such an address, HTTP libraries print the whole request with its secrets in their error.
#[test]
fn an_endpoint_without_a_scheme_gives_one_error_without_secrets() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let works = format!("http://127.0.0.1:{}", stub.port());
    check_all(&SOURCES, |source| {
        let mut sandbox = Sandbox::empty();
        (source.set_up)(&mut sandbox, &works[7..], &works);
        attempt(&sandbox, source.target, &[1, 2, 3])
            .map_err(|trouble| format!("{}: {trouble}", source.name))
    });
}

/// The other half of the matrix: if the stub answers as it should, every source works.
#[test]
fn the_same_services_work_if_they_answer() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let works = format!("http://127.0.0.1:{}", stub.port());
    check_all(&SOURCES, |source| {
        let mut sandbox = Sandbox::empty();
        (source.set_up)(&mut sandbox, &works, &works);
        let run = sandbox.run(&["token", source.target, "--no-cache"]);
        if run.code == 0 {
            Ok(())
        } else {
            Err(format!("{}: {}", source.name, run.stderr))
        }
    });
}

#[test]
fn debug_shows_no_secrets() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let works = format!("http://127.0.0.1:{}", stub.port());
    let cells: Vec<_> = SOURCES
        .iter()
        .flat_map(|source| ["", "/500", "/garbage", "/error-X"].map(|how| (source, how)))
        .collect();
    check_all(&cells, |(source, how)| {
        let mut sandbox = Sandbox::empty();
        (source.set_up)(&mut sandbox, &format!("{works}{how}"), &works);
        let run = sandbox.run(&[
            "token",
            source.target,
            "--no-cache",
            "--debug",
            "--timeout",
            "2",
        ]);
        let never = [STUB_SECRET, "ssotoken", "Signature=", "panicked"];
        match never.iter().find(|never| run.stderr.contains(*never)) {
            Some(secret) => Err(format!(
                "{} x {how}: {secret} is in {}",
                source.name, run.stderr
            )),
            None => Ok(()),
        }
    });
}

/// The files that a login or a role writes to AWS's caches are cut at any byte, or have odd values.
/// pgcred ends with an error or asks for a login. It never panics and never prints a value of the
/// file.
#[test]
fn a_damaged_cache_of_aws_gives_one_error() {
    let long = format!("\"{}\"", "x".repeat(70_000));
    let odd = [
        "null",
        "-1",
        "1e400",
        "true",
        "[]",
        "{}",
        r#""""#,
        r#""\u0000\n""#,
        r#""\ud800""#,
        &long,
    ];
    let sso = sso_token("ssotoken", "2099-01-01T00:00:00Z");
    let login = login("ASIAOLD", "2099-01-01T00:00:00Z");
    let mut cells = Vec::new();
    for (set_up, file, text) in [
        (portal as fn(&mut Sandbox, &str, &str), SSO_FILE, sso),
        (sign_in, LOGIN_FILE, login),
    ] {
        cells.extend(
            (0..text.len())
                .step_by(37)
                .map(|end| (set_up, file, text[..end].to_owned())),
        );
        for (at, _) in text.match_indices("\":\"") {
            let (before, value) = text.split_at(at + 2);
            let end = value[1..].find('"').expect("the value's end") + 2;
            cells.extend(
                odd.iter()
                    .map(|odd| (set_up, file, format!("{before}{odd}{}", &value[end..]))),
            );
        }
    }
    assert!(cells.len() > 100, "{}", cells.len());
    check_all(&cells, |(set_up, file, text)| {
        let mut sandbox = Sandbox::empty();
        set_up(&mut sandbox, "http://127.0.0.1:1", "http://127.0.0.1:1");
        sandbox.write(file, text);
        let run = sandbox.run(&["token", HOST, "--no-cache", "--timeout", "2"]);
        // Some damage is harmless: for example, no token depends on the name of the client.
        let trouble = if run.code == 0 {
            None
        } else {
            refusal_trouble(&run, &[1, 2, 3])
        };
        trouble.map_or(Ok(()), |trouble| {
            Err(format!(
                "{file} {}: {trouble}",
                &text[..text.len().min(300)]
            ))
        })
    });
}

/// Programs for `credential_process`. `$1` is the secret of the stubs. They write their process IDs
/// to `pids`.
const PROGRAMS: [(&str, &str); 13] = [
    ("sleeps", "exec sleep 60"),
    ("sleeps in a child", "sleep 60 & echo $! >>pids; wait"),
    ("trickles", "while :; do printf ' '; sleep 1; done"),
    (
        "closes stdout and sleeps",
        "exec >&-; sleep 60 & echo $! >>pids; wait",
    ),
    (
        "closes stdout and stderr and sleeps",
        "exec >&- 2>&-; sleep 60 & echo $! >>pids; wait",
    ),
    ("ignores SIGTERM", "trap '' TERM; sleep 60; sleep 60"),
    (
        "exits 1",
        "echo \"{\\\"SecretAccessKey\\\": \\\"$1\\\"}\"; exit 1",
    ),
    (
        "prints 10 MB",
        "echo \"$1\"; head -c 10000000 /dev/zero | tr '\\0' A",
    ),
    ("prints without end", "echo \"$1\"; exec cat /dev/zero"),
    ("prints garbage", "echo \"$1 is not JSON\""),
    (
        "is cut off",
        "printf '{\"Version\": 1, \"AccessKeyId\": \"AKIAX\", \"SecretAccessKey\": \"%s' \"$1\"",
    ),
    (
        "leaves a grandchild that keeps stdout and stderr open and ignores SIGTERM",
        "(trap '' TERM; echo $$ >>pids; sleep 60 & echo $! >>pids; wait; sleep 60) & echo $! \
         >>pids; exit 0",
    ),
    (
        "waits for a grandchild that keeps stdout and stderr open and ignores SIGTERM",
        "(trap '' TERM; sleep 60 & echo $! >>pids; wait; sleep 60) & echo $! >>pids; wait",
    ),
];

#[test]
fn a_broken_program_gives_one_error_in_time() {
    check_all(&PROGRAMS, |(name, script)| {
        let sandbox = Sandbox::empty();
        let script = sandbox.write(
            "program.sh",
            format!("cd \"$HOME\"; echo $$ >>pids; {script}\n"),
        );
        let program = format!("/bin/sh {} {STUB_SECRET}", script.display());
        sandbox.write(
            ".aws/config",
            format!("[default]\ncredential_process = {program}\n"),
        );
        attempt(&sandbox, HOST, ENDS).map_err(|trouble| format!("a program that {name}: {trouble}"))
    });
}

/// Runs `pgcred token` as the leader of a process group, and returns what is wrong with the way in
/// which it ended.
fn attempt(sandbox: &Sandbox, target: &str, exits: &[i32]) -> Result<(), String> {
    let limit = LIMIT.as_secs().to_string();
    let mut pgcred = sandbox.pgcred(&["token", target, "--no-cache", "--timeout", &limit]);
    pgcred
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0);
    let began = Instant::now();
    let mut child = pgcred.spawn().expect("pgcred starts");
    let leader = Pid::from_raw(i32::try_from(child.id()).expect("a process id"));
    let pipes = [
        collect(child.stdout.take().expect("stdout")),
        collect(child.stderr.take().expect("stderr")),
    ];
    let mut late = false;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a process") {
            break status;
        }
        if !late && began.elapsed() > LIMIT + MARGIN {
            late = true;
            child.kill().expect("kill");
        }
        thread::sleep(Duration::from_millis(20));
    };
    // A process that has inherited an end of the pipe keeps the pipe open.
    let ended = pipes.map(|pipe| pipe.recv_timeout(Duration::from_secs(2)).ok());
    let left = left_alive(sandbox, leader);
    if late {
        return Err(format!("still runs after {} s", (LIMIT + MARGIN).as_secs()));
    }
    let [Some(stdout), Some(stderr)] = ended else {
        return Err("somebody holds stdout or stderr open".to_owned());
    };
    let run = Run {
        stdout,
        stderr,
        code: status.code().unwrap_or(-1),
    };
    if let Some(trouble) = refusal_trouble(&run, exits) {
        return Err(trouble);
    }
    if run.stderr.contains(ACCOUNT) {
        return Err(format!("tells the account: {}", run.stderr.trim()));
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("left {left:?} alive"))
    }
}

fn collect(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = pipe.read_to_end(&mut bytes);
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Returns the processes of the group and of `pids` that are still alive after a moment, and kills
/// them.
fn left_alive(sandbox: &Sandbox, group: Pid) -> Vec<i32> {
    let noted = fs::read_to_string(sandbox.path("pids")).unwrap_or_default();
    let mut suspects: Vec<i32> = noted.lines().filter_map(|line| line.parse().ok()).collect();
    suspects.push(-group.as_raw());
    for _ in 0..50 {
        suspects.retain(|suspect| alive(*suspect));
        if suspects.is_empty() {
            break;
        }
        thread::sleep(Duration::from_millis(20));
    }
    for suspect in &suspects {
        let _ = kill(Pid::from_raw(*suspect), nix::sys::signal::SIGKILL);
    }
    suspects
}

/// Tells whether a process is alive, or a group if the number is negative. A process that only
/// waits to be reaped counts as dead, because some containers have no init for that.
fn alive(suspect: i32) -> bool {
    if kill(Pid::from_raw(suspect), None).is_err() {
        return false;
    }
    if !cfg!(target_os = "linux") {
        return true;
    }
    let states = fs::read_dir("/proc").expect("/proc").filter_map(|entry| {
        let stat = fs::read_to_string(entry.ok()?.path().join("stat")).ok()?;
        let (pid, rest) = stat.split_once(" (")?;
        let mut fields = rest.rsplit_once(") ")?.1.split(' ');
        let (state, _parent, group) = (
            fields.next()?,
            fields.next()?,
            fields.next()?.parse::<i32>().ok()?,
        );
        (pid.parse() == Ok(suspect) || group == -suspect).then(|| state != "Z" && state != "X")
    });
    states.into_iter().any(|alive| alive)
}
