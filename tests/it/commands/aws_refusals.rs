//! `pgcred aws` where it refuses: the exit codes of the AWS CLI, and errors for tokens that no
//! server would accept.

use std::fs;

use crate::commands::aws_emulation::{ADMIN, RDS, aws, sandbox};
#[cfg(unix)]
use crate::support::needs::{PYTHON, skip_unless};
#[cfg(unix)]
use crate::support::sandbox::Sandbox;
use crate::support::sandbox::{HOST, RDS_HOST, Run};
#[cfg(unix)]
use crate::support::stubs::Stub;

/// Checks what a tool may show: one line says what is wrong, and the next what to do.
pub fn assert_refused(run: &Run, code: i32, says: &str) {
    run.assert_fails(code, says);
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(
        lines[0].starts_with("pgcred: ") && lines[0].contains(says),
        "{}",
        run.stderr
    );
    assert!(
        lines[1..].iter().all(|line| line.starts_with("hint: ")) && lines.len() <= 2,
        "{}",
        run.stderr
    );
}

#[test]
fn exit_codes_are_those_of_the_aws_cli() {
    let mut sandbox = sandbox();
    let admin = [&ADMIN[..], &["--hostname", HOST]].concat();
    let with = |more: &[&'static str]| [&admin[..], more].concat();
    for (words, says) in [
        (ADMIN.to_vec(), "--hostname <HOST>"),
        (
            [&RDS[..], &["--hostname", RDS_HOST, "--port", "5432"]].concat(),
            "--username <USER>",
        ),
        (with(&["--nope"]), "'--nope'"),
        (with(&["more"]), "'more'"),
        (vec![], "pgcred aws supports only: dsql"),
        (vec!["dsql"], "pgcred aws supports only: dsql"),
        (vec!["s3", "ls"], "'s3'"),
        (
            vec!["rds", "describe-db-instances"],
            "'describe-db-instances'",
        ),
        (vec!["configure", "get", "region"], "'get'"),
        (vec!["sts", "get-caller-identity"], "'sts'"),
    ] {
        assert_refused(&aws(&sandbox, &words), 252, says);
    }
    assert_refused(&aws(&sandbox, &with(&["--profile", "nope"])), 255, "nope");
    let elsewhere = [&ADMIN[..], &["--hostname", "my.tunnel"]].concat();
    assert_refused(&aws(&sandbox, &elsewhere), 253, "no region");
    assert_refused(
        &aws(&sandbox, &[&elsewhere[..], &["--profile", "nope"]].concat()),
        255,
        "nope",
    );
    sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    assert_refused(&aws(&sandbox, &admin), 253, "no AWS credentials");
    sandbox.write(
        ".aws/config",
        "[profile bad]\ncredential_process = /no/such/program\n",
    );
    assert_refused(
        &aws(&sandbox, &with(&["--profile", "bad"])),
        255,
        "/no/such/program",
    );
    sandbox.write(".aws/config", "this is no configuration\n");
    assert_refused(&aws(&sandbox, &admin), 255, "config, line 1");
}

/// The codes are those of AWS CLI 2.38.1 in the same cases.
#[cfg(unix)]
#[test]
fn refusals_and_malformed_settings_have_the_codes_of_the_aws_cli() {
    skip_unless!(PYTHON);
    let stub = Stub::aws(None);
    let admin = [&ADMIN[..], &["--hostname", HOST, "--region", "us-east-1"]].concat();
    let arn = "role_arn = arn:aws:iam::123456789012:role/R";
    for (words, role, code, says) in [
        (
            "error-AccessDenied",
            arn.to_owned(),
            254,
            "STS refused: AccessDenied",
        ),
        (
            "error-ExpiredToken",
            arn.to_owned(),
            254,
            "STS refused: ExpiredToken",
        ),
        (
            "",
            "role_arn = R".to_owned(),
            252,
            "role_arn is not the ARN of a role",
        ),
        (
            "",
            format!("{arn}\nexternal_id = x"),
            252,
            "external_id is shorter",
        ),
        (
            "",
            format!("{arn}\nrole_session_name = x"),
            252,
            "role_session_name is shorter",
        ),
        (
            "",
            format!("{arn}\nduration_seconds = 60"),
            252,
            "duration_seconds is less than 900",
        ),
        ("", format!("{arn}\nexternal_id = xy"), 0, ""),
        (
            "garbage",
            arn.to_owned(),
            255,
            "the answer of STS cannot be understood",
        ),
    ] {
        let mut sandbox = Sandbox::empty();
        sandbox.set("AWS_ENDPOINT_URL", &stub.url(words));
        let keys = "[profile keys]\naws_access_key_id = k\naws_secret_access_key = s\n";
        sandbox.write(
            ".aws/config",
            format!("[default]\nsource_profile = keys\n{role}\n{keys}"),
        );
        let run = aws(&sandbox, &admin);
        if code == 0 {
            assert_eq!(run.code, 0, "{}", run.stderr);
        } else {
            assert_refused(&run, code, says);
        }
    }
}

/// The AWS CLI ends with 0 here and prints a token that no server accepts.
#[test]
fn tokens_that_no_server_takes_are_refused() {
    let sandbox = sandbox();
    for (life, says) in [
        ("0", "1 to 604800"),
        ("604801", "1 to 604800"),
        ("-1", "--expires-in"),
    ] {
        assert_refused(
            &aws(
                &sandbox,
                &[&ADMIN[..], &["--hostname", HOST, "--expires-in", life]].concat(),
            ),
            255,
            says,
        );
    }
    for (host, port, user, says) in [
        ("", "5432", "app", "host is empty"),
        ("https://h", "5432", "app", "without a scheme"),
        ("h h", "5432", "app", "a space"),
        (RDS_HOST, "0", "app", "1 to 65535"),
        (RDS_HOST, "5432", "", "user is empty"),
    ] {
        let words = [
            "--hostname",
            host,
            "--port",
            port,
            "--username",
            user,
            "--region",
            "us-east-1",
        ];
        assert_refused(&aws(&sandbox, &[&RDS[..], &words].concat()), 255, says);
    }
    assert_refused(
        &aws(
            &sandbox,
            &[&ADMIN[..], &["--hostname", HOST, "--no-sign-request"]].concat(),
        ),
        252,
        "--no-sign",
    );
}

/// The AWS CLI has no exit code for an error in the configuration of pgcred.
#[test]
fn failures_of_pgcred_itself_have_the_general_code_of_the_aws_cli() {
    let mut sandbox = sandbox();
    for name in ["config.toml", "other.toml"] {
        fs::write(sandbox.own().join(name), "[nope").expect("written");
    }
    let list = ["configure", "list-profiles"];
    assert_refused(&aws(&sandbox, &list), 255, "config.toml");
    let other = sandbox.own().join("other.toml").display().to_string();
    assert_refused(
        &sandbox.run(&[&["--config", &other, "aws"], &list[..]].concat()),
        255,
        "other.toml",
    );
    sandbox.run(&["list"]).assert_fails(2, "config.toml");
    fs::remove_file(sandbox.own().join("config.toml")).expect("removed");
    sandbox.set("PGCRED_CACHE", "nope");
    assert_refused(&aws(&sandbox, &list), 255, "no such cache: `nope`");
}

/// pgcred gives no cached token if a setting makes the AWS CLI refuse.
#[test]
fn a_removed_profile_gives_no_cached_token() {
    let mut sandbox = sandbox();
    let profile = |name: &str| format!("[profile {name}]\nregion = us-east-1\n");
    sandbox.write(".aws/config", profile("dev"));
    sandbox.set("AWS_PROFILE", "dev");
    let words = [&ADMIN[..], &["--hostname", HOST]].concat();
    assert_eq!(aws(&sandbox, &words).code, 0);
    for minute in [1, 11] {
        sandbox.at(&format!("2030-01-01T00:{minute:02}:00Z"));
        sandbox.write(".aws/config", profile("other"));
        assert_refused(&aws(&sandbox, &words), 255, "no AWS profile `dev`");
        sandbox.write(".aws/config", "[profile dev");
        assert_refused(&aws(&sandbox, &words), 255, "config, line 1");
    }
}
