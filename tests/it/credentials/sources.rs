//! Credentials sources: which keys sign, how long they are valid, and the error if there are none.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

#[cfg(target_os = "linux")]
use crate::support::needs::program;
#[cfg(unix)]
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, Sandbox};

const SHOW: &str = if cfg!(windows) { "cmd /c type" } else { "cat" };

/// Returns a home directory whose profile has a `credential_process` that prints a file.
fn with_process(answer: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    let file = sandbox.write("answer.json", answer);
    sandbox.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = {SHOW} {}\n",
            file.display()
        ),
    );
    sandbox
}

#[test]
fn a_named_profile_wins_over_keys_in_the_environment() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.write(
        ".aws/credentials",
        "[p]\naws_access_key_id = PROFILEKEY\naws_secret_access_key = s\n",
    );
    assert!(sandbox.ok(&["token", HOST]).contains(KEY_ID));
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "p"])
            .contains("PROFILEKEY%2F")
    );
    sandbox.set("AWS_PROFILE", "p");
    assert!(sandbox.ok(&["token", HOST]).contains(KEY_ID));
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    assert!(sandbox.ok(&["token", HOST]).contains("PROFILEKEY%2F"));
}

#[test]
fn region_of_a_cluster_id_comes_from_the_usual_places() {
    let id = "foo0bar1baz2quux3quuux4abc";
    let mut sandbox = Sandbox::with_keys();
    sandbox.write(
        ".aws/config",
        "[default]\nregion = eu-west-2\n[profile p]\nregion = eu-west-3\n",
    );
    assert!(
        sandbox
            .ok(&["token", id])
            .starts_with(&format!("{id}.dsql.eu-west-2.on.aws/"))
    );
    sandbox.write(
        ".aws/credentials",
        "[p]\naws_access_key_id = k\naws_secret_access_key = s\n",
    );
    assert!(
        sandbox
            .ok(&["token", id, "--profile", "p"])
            .starts_with(&format!("{id}.dsql.eu-west-3.on.aws/"))
    );
    sandbox
        .set("AWS_DEFAULT_REGION", "us-east-2")
        .set("AWS_REGION", "");
    assert!(
        sandbox
            .ok(&["token", id])
            .starts_with(&format!("{id}.dsql.us-east-2.on.aws/"))
    );
    sandbox.set("AWS_REGION", "us-west-2");
    assert!(
        sandbox
            .ok(&["token", id])
            .starts_with(&format!("{id}.dsql.us-west-2.on.aws/"))
    );
    assert!(
        sandbox
            .ok(&["token", id, "--region", "ap-south-1"])
            .starts_with(&format!("{id}.dsql.ap-south-1.on.aws/"))
    );
}

#[test]
fn a_token_expires_with_its_credentials_if_they_expire_first() {
    for (credentials_end, wanted, expiration) in [
        ("2030-01-01T01:00:00Z", "900", "2030-01-01T00:15:00Z"),
        ("2030-01-01T01:00:00Z", "7d", "2030-01-01T01:00:00Z"),
        ("2030-01-01T00:05:00Z", "900", "2030-01-01T00:05:00Z"),
    ] {
        let mut sandbox = with_process(&format!(
            r#"{{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s","Expiration":"{credentials_end}"}}"#
        ));
        sandbox.at("2030-01-01T00:00:00Z");
        let json = sandbox.ok(&[
            "token",
            HOST,
            "--profile",
            "p",
            "--expires-in",
            wanted,
            "--format",
            "json",
        ]);
        assert!(
            json.contains(&format!(r#""expiration":"{expiration}""#)),
            "{json}"
        );
    }
}

/// `aws configure export-credentials --format env` sets this variable.
#[test]
fn keys_in_the_environment_may_have_an_expiry() {
    let mut sandbox = Sandbox::with_keys();
    sandbox
        .at("2030-01-01T00:00:00Z")
        .set("AWS_CREDENTIAL_EXPIRATION", "2030-01-01T01:05:00+01:00");
    let run = sandbox.run(&["token", HOST, "--format", "json"]);
    assert!(
        run.stdout
            .contains(r#""expiration":"2030-01-01T00:05:00Z""#),
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.contains("X-Amz-Expires=300&") && run.stderr.contains("lasts only 5 min"),
        "{}",
        run.stderr
    );
    sandbox.set("AWS_CREDENTIAL_EXPIRATION", "2030-01-01T00:00:00Z");
    sandbox
        .run(&["token", HOST])
        .assert_fails(3, "have expired");
    sandbox.set("AWS_CREDENTIAL_EXPIRATION", "soon");
    sandbox
        .run(&["token", HOST])
        .assert_fails(2, "AWS_CREDENTIAL_EXPIRATION is not a time");
}

#[test]
fn missing_credentials_are_an_error_with_instructions() {
    Sandbox::empty()
        .run(&["token", HOST])
        .assert_fails(3, "aws configure sso");
    Sandbox::empty()
        .run(&["token", HOST, "--profile", "nope"])
        .assert_fails(2, "there is no AWS profile `nope`");
    with_process("not JSON")
        .run(&["token", HOST, "--profile", "p"])
        .assert_fails(1, "of profile `p`");
    let mut expired = with_process(
        r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s","Expiration":"2029-12-31T23:59:59Z"}"#,
    );
    expired
        .at("2030-01-01T00:00:00Z")
        .run(&["token", HOST, "--profile", "p"])
        .assert_fails(3, "have expired");
}

#[test]
fn an_expired_sso_session_names_the_command() {
    let sandbox = Sandbox::empty();
    sandbox.write(
        ".aws/config",
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = \
         https://example.awsapps.com/start\n\
         [profile sso]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = dev\n",
    );
    sandbox
        .run(&["token", HOST, "--profile", "sso"])
        .assert_fails(3, "login --profile sso`, then try again");
}

#[test]
fn a_source_that_does_not_answer_ends_at_the_deadline() {
    let sandbox = Sandbox::empty();
    let silent = if cfg!(windows) {
        "ping -n 30 127.0.0.1"
    } else {
        "sleep 30"
    };
    sandbox.write(
        ".aws/config",
        format!("[profile p]\ncredential_process = {silent}\n"),
    );
    // stderr is a file and not a pipe: on Windows the process that never answers keeps a pipe open
    // as long as it lives.
    let log = std::fs::File::create(sandbox.path("log")).expect("a file");
    let began = Instant::now();
    let mut pgcred = sandbox.pgcred(&["token", HOST, "--profile", "p", "--timeout", "1"]);
    let code = pgcred
        .stdout(Stdio::null())
        .stderr(log)
        .status()
        .expect("pgcred starts")
        .code();
    assert!(
        began.elapsed() < Duration::from_secs(15),
        "the deadline did not hold"
    );
    let stderr = String::from_utf8(sandbox.read("log")).expect("text");
    assert!(code == Some(1) && stderr.contains("within 1 s"), "{stderr}");
}

/// To read the certificates of the system takes longer than to sign.
#[cfg(target_os = "linux")]
#[test]
fn static_keys_need_no_certificates_and_no_network() {
    use crate::support::sandbox::Run;
    skip_unless!(program("strace"));

    let sandbox = Sandbox::with_keys();
    let mut strace = sandbox.command("strace");
    strace.args([
        "-f",
        "-e",
        "trace=openat,socket,connect,clone,clone3",
        env!("CARGO_BIN_EXE_pgcred"),
        "token",
        HOST,
    ]);
    let run = Run::of(strace);
    assert!(run.stdout.starts_with(HOST), "{}", run.stderr);
    assert!(
        run.stderr.contains("openat("),
        "strace saw nothing: {}",
        run.stderr
    );
    for never in [
        "/etc/ssl",
        "/usr/lib/ssl",
        "ca-certificates",
        "socket(AF_INET",
        "connect(",
        "clone",
    ] {
        assert!(!run.stderr.contains(never), "{never}: {}", run.stderr);
    }
}

/// Keys with characters that no request can carry, from every kind of source, and as the keys with
/// which a role is assumed.
#[test]
fn keys_that_no_request_can_carry_are_refused() {
    const KEYS: &str = "aws_access_key_id = k\naws_secret_access_key = s\n";
    let role = "[profile r]\nrole_arn = arn:aws:iam::123456789012:role/R\n\
        credential_source = Environment\n";
    let refused = |sandbox: &Sandbox, profile: &[&str], says: &str| {
        let words = [&["token", HOST, "--no-cache", "--timeout", "5"], profile].concat();
        let run = sandbox.run(&words);
        run.assert_fails(2, says);
        assert!(!run.stderr.contains("BADVALUE"), "{}", run.stderr);
    };
    let long = "BADVALUE".repeat(9_000);
    for (bad, why) in [
        ("BADVALUE\n", "ends with a newline"),
        ("BADVALUE\r", "ends with a newline"),
        ("BAD\u{1b}VALUE", "contains a control character"),
        ("BADVALUE\u{7f}", "contains a control character"),
        (&long, "is longer than any that AWS issues"),
    ] {
        for (variable, part) in [
            ("AWS_ACCESS_KEY_ID", "access key ID"),
            ("AWS_SECRET_ACCESS_KEY", "secret access key"),
            ("AWS_SESSION_TOKEN", "session token"),
        ] {
            if cfg!(windows) && bad.len() > 32_000 {
                continue; // no variable of Windows is so long
            }
            let mut sandbox = Sandbox::with_keys();
            sandbox.set(variable, bad).set("AWS_REGION", "us-east-1");
            sandbox.write(".aws/config", role);
            let says = format!("the {part} {why} (its source: environment)");
            refused(&sandbox, &[], &says);
            refused(&sandbox, &["--profile", "r"], &says);
        }
        let answer = format!("{{\"Version\":1,\"AccessKeyId\":{bad:?},\"SecretAccessKey\":\"s\"}}");
        let answer = answer
            .replace("\\u{1b}", "\\u001b")
            .replace("\\u{7f}", "\\u007f");
        refused(
            &with_process(&answer),
            &["--profile", "p"],
            "(its source: credential_process)",
        );
    }
    let sandbox = Sandbox::empty();
    sandbox.write(
        ".aws/credentials",
        format!("[p]\n{}", KEYS.replace("= k", "= BAD\n  VALUE")),
    );
    refused(
        &sandbox,
        &["--profile", "p"],
        "the access key ID contains a control character (its source: profile)",
    );
    // Each part of the credentials is short enough, but the whole token is too long.
    let mut sandbox = Sandbox::with_keys();
    sandbox.set("AWS_SESSION_TOKEN", &"/".repeat(25_000));
    refused(
        &sandbox,
        &[],
        "the token would be longer than 60000 characters",
    );
    refused(
        &Sandbox::with_keys(),
        &["--region", &"a".repeat(70_000)],
        "is not the name of a region",
    );
}

#[test]
fn sso_names_that_no_url_can_contain_are_refused() {
    for (key, other) in [
        ("sso_account_id", "sso_role_name"),
        ("sso_role_name", "sso_account_id"),
    ] {
        for bad in ["x".repeat(70_000), "a\u{1b}b".to_owned()] {
            let sandbox = Sandbox::empty();
            let start = "sso_start_url = https://example.awsapps.com/start\nsso_region = us-east-1";
            sandbox.write(
                ".aws/config",
                format!("[profile p]\n{start}\n{other} = x\n{key} = {bad}\n"),
            );
            sandbox
                .run(&["token", HOST, "--profile", "p"])
                .assert_fails(2, key);
        }
    }
}

/// The AWS CLI signs for the real region too.
#[test]
fn a_fips_pseudo_region_is_signed_as_its_real_region() {
    let mut sandbox = Sandbox::with_keys();
    let id = "foo0bar1baz2quux3quuux4abc";
    for (pseudo, region) in [
        ("fips-us-east-1", "us-east-1"),
        ("us-gov-west-1-fips", "us-gov-west-1"),
    ] {
        sandbox.set("AWS_REGION", pseudo);
        let token = sandbox.ok(&["token", id]);
        assert!(
            token.starts_with(&format!("{id}.dsql.{region}.on.aws/")),
            "{token}"
        );
        assert!(token.contains(&format!("%2F{region}%2Fdsql")), "{token}");
    }
}

/// With `AWS_WEB_IDENTITY_TOKEN_FILE=<(command)` the file is a pipe. It works if it delivers its
/// bytes; if not, the deadline ends the wait.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_within_the_deadline() {
    use crate::support::stubs::Stub;
    skip_unless!(PYTHON);

    let stub = Stub::aws(None);
    let mut sandbox = Sandbox::empty();
    let pipe = sandbox.path("pipe").display().to_string();
    nix::unistd::mkfifo(&sandbox.path("pipe"), nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let asks = |sandbox: &Sandbox, timeout: &str| {
        sandbox.run(&["token", HOST, "--no-cache", "--timeout", timeout])
    };
    sandbox
        .set("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/W")
        .set("AWS_ENDPOINT_URL", &stub.url(""));
    sandbox.set("AWS_WEB_IDENTITY_TOKEN_FILE", &pipe);
    asks(&sandbox, "1").assert_fails(1, "a pipe or a device that sent nothing in time");
    let writer = std::thread::spawn({
        let pipe = pipe.clone();
        move || std::fs::write(pipe, "a-web-identity-token").expect("somebody reads")
    });
    let run = asks(&sandbox, "10");
    assert!(
        run.code == 0 && run.stdout.contains("ASIASTSW"),
        "{}",
        run.stderr
    );
    writer.join().expect("the token was read");
    sandbox.set("AWS_WEB_IDENTITY_TOKEN_FILE", "/dev/zero");
    asks(&sandbox, "10").assert_fails(2, "/dev/zero is larger than 4 MiB");
    sandbox
        .unset("AWS_WEB_IDENTITY_TOKEN_FILE")
        .unset("AWS_ROLE_ARN");

    sandbox.set("AWS_CREDENTIAL_FILE", &pipe);
    asks(&sandbox, "1").assert_fails(1, "sent nothing in time");
    sandbox.unset("AWS_CREDENTIAL_FILE");
    sandbox.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &stub.url("ecs/x"));
    sandbox.set("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", &pipe);
    asks(&sandbox, "1").assert_fails(1, "sent nothing in time");
}

/// A cache is a regular file. A pipe in its place counts as no session.
#[cfg(unix)]
#[test]
fn a_pipe_in_the_place_of_a_cache_does_not_block() {
    use crate::credentials::faults::{LOGIN_FILE, LOGIN_SESSION, SSO_FILE};

    for (name, config) in [
        (
            SSO_FILE,
            "sso_session = corp\nsso_account_id = 1\nsso_role_name = r\n[sso-session corp]\n\
             sso_region = us-west-2\nsso_start_url = https://x.awsapps.com/start\n"
                .to_owned(),
        ),
        (LOGIN_FILE, format!("login_session = {LOGIN_SESSION}\n")),
    ] {
        let sandbox = Sandbox::empty();
        sandbox.write(".aws/config", format!("[default]\n{config}"));
        let path = sandbox.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
        sandbox
            .run(&["token", HOST, "--no-cache", "--timeout", "5"])
            .assert_fails(3, "nobody has logged in");
    }
}

/// A child of the credentials program keeps its stdout open. The output counts as soon as the
/// program itself has ended.
#[cfg(unix)]
#[test]
fn a_helper_that_keeps_stdout_open_is_not_waited_for() {
    let answer = r#"{"Version":1,"AccessKeyId":"k","SecretAccessKey":"s"}"#;
    for (script, code) in [
        (format!("sleep 30 &\necho '{answer}'"), 0),
        (format!("sleep 30 &\n(sleep 1; echo '{answer}') &"), 0),
        (format!("sleep 30 &\necho '{}'", &answer[..20]), 1),
    ] {
        let sandbox = Sandbox::empty();
        let program = sandbox.write("program.sh", script);
        sandbox.write(
            ".aws/config",
            format!(
                "[profile p]\ncredential_process = /bin/sh {}\n",
                program.display()
            ),
        );
        let began = Instant::now();
        let run = sandbox.run(&[
            "token",
            HOST,
            "--profile",
            "p",
            "--no-cache",
            "--timeout",
            "5",
        ]);
        assert_eq!(run.code, code, "{}", run.stderr);
        assert!(
            code == 0
                || run
                    .stderr
                    .contains("no answer from the credential_process /bin/sh"),
            "{}",
            run.stderr
        );
        assert!(
            began.elapsed() < Duration::from_secs(25),
            "it was waited for"
        );
    }
}

/// Without the file, other keys might sign. A link to itself exists for every user, and no user can
/// read it.
#[cfg(unix)]
#[test]
fn a_file_of_aws_that_cannot_be_read_is_an_error() {
    for name in [".aws/config", ".aws/credentials"] {
        let sandbox = Sandbox::with_keys();
        let path = sandbox.path(name);
        std::fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        std::os::unix::fs::symlink(&path, &path).expect("a link");
        let run = sandbox.run(&["token", HOST, "--no-cache"]);
        run.assert_fails(2, &format!("cannot read {}", path.display()));
        assert!(run.stderr.contains("hint: make "), "{}", run.stderr);
        std::fs::remove_file(&path).expect("the link");
        sandbox.ok(&["token", HOST, "--no-cache"]); // a missing file counts as no file
    }
}

/// Settings that no token needs may be wrong. The AWS CLI fails at each of these.
#[test]
fn settings_that_no_token_needs_may_be_wrong() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.write(
        ".aws/config",
        "[default]\nsso_session = nope\nretry_mode = odd\nmax_attempts = x\n\
         account_id_endpoint_mode = odd\n\
         cli_timestamp_format = odd\n",
    );
    sandbox
        .set("AWS_METADATA_SERVICE_TIMEOUT", "")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "odd");
    sandbox.ok(&["token", HOST, "--no-cache"]);
}

/// The expiry of an SSO session can be written in several forms, and the session is valid in each
/// of them.
#[cfg(unix)]
#[test]
fn the_expiry_of_an_sso_session_may_have_any_form() {
    use crate::credentials::faults::{SSO_FILE, sso_token};
    use crate::support::stubs::Stub;
    skip_unless!(PYTHON);

    let stub = Stub::aws(None);
    let mut sandbox = Sandbox::empty();
    sandbox.write(
        ".aws/config",
        "[default]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n\
         [sso-session corp]\n\
         sso_region = us-west-2\nsso_start_url = https://x.awsapps.com/start\n",
    );
    sandbox.set("AWS_ENDPOINT_URL", &stub.url("no-refresh"));
    for end in [
        "2099-01-01T00:00Z",
        "2099-01-01T00:00:00+01",
        "20990101T000000Z",
        "2099-01-01T00:00:00UTC",
    ] {
        sandbox.write(SSO_FILE, sso_token("ssotoken", end));
        let token = sandbox.ok(&["token", HOST, "--no-cache", "--timeout", "10"]);
        assert!(token.contains("Credential=ASIASSO%2F"), "{end}: {token}");
    }
}

/// The cached keys are still valid, but for less time than was asked for. The source that gives new
/// ones cannot be asked.
#[test]
fn cached_keys_of_a_role_are_used_until_they_expire_if_no_newer_ones_come() {
    let mut sandbox = Sandbox::empty();
    sandbox
        .at("2030-01-01T00:00:00Z")
        .set("AWS_ENDPOINT_URL", "http://127.0.0.1:1");
    let role = "role_arn = arn:aws:iam::123456789012:role/R\nsource_profile = k\n";
    sandbox.write(".aws/config", format!("[profile r]\n{role}"));
    sandbox.write(
        ".aws/credentials",
        "[k]\naws_access_key_id = K\naws_secret_access_key = s\n",
    );
    let cached = json!({
        "AccessKeyId": "ASIACACHED", "SecretAccessKey": "s", "SessionToken": "t",
        "Expiration": "2030-01-01T00:50:00Z"
    });
    let file = ".aws/cli/cache/c03ce438bc208f6214854d85d3ca930ff73e3004.json";
    sandbox.write(file, json!({ "Credentials": cached }).to_string());
    let token = sandbox.ok(&["token", HOST, "--profile", "r", "--expires-in", "1h"]);
    assert!(
        token.contains("Credential=ASIACACHED%2F") && token.contains("X-Amz-Expires=3000&"),
        "{token}"
    );
}
