//! `pgcred aws` and the program `pgcred-aws`: the AWS CLI's token commands, its exit codes and its
//! order of profiles.

use std::fs;
use std::process::Stdio;

use serde_json::Value;

use crate::commands::aws_refusals::assert_refused;
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

pub const ADMIN: [&str; 2] = ["dsql", "generate-db-connect-admin-auth-token"];

const OTHER: [&str; 2] = ["dsql", "generate-db-connect-auth-token"];

pub const RDS: [&str; 2] = ["rds", "generate-db-auth-token"];

pub fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox
}

pub fn aws(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.run(&[&["aws"], arguments].concat())
}

/// These are the outputs of the AWS CLI itself for the inputs of the vectors.
#[test]
fn tokens_are_those_of_the_aws_cli() {
    let mut compared = 0;
    for text in [
        include_str!("../../vectors/dsql.json"),
        include_str!("../../vectors/rds.json"),
    ] {
        let entries: Vec<Value> = serde_json::from_str(text).expect("JSON");
        for entry in entries
            .iter()
            .filter(|entry| entry["kind"] == "token" || entry["kind"] == "cli-argument")
        {
            let inputs = &entry["inputs"];
            let text = |field: &str| inputs[field].as_str().unwrap_or_default().to_owned();
            let mut sandbox = Sandbox::empty();
            sandbox
                .at(&text("time"))
                .set("AWS_ACCESS_KEY_ID", &text("access_key_id"));
            sandbox.set("AWS_SECRET_ACCESS_KEY", &text("secret_access_key"));
            if inputs["session_token"].is_string() {
                sandbox.set("AWS_SESSION_TOKEN", &text("session_token"));
            }
            let (host, region, user) = (text("host"), text("region"), text("user"));
            let (port, life) = (inputs["port"].to_string(), inputs["expires_in"].to_string());
            let raw_life = text("expires_in_argument");
            let mut words = match &*text("action") {
                "connect" => [&RDS[..], &["--port", &port, "--username", &user]].concat(),
                "DbConnectAdmin" => ADMIN.to_vec(),
                _ => OTHER.to_vec(),
            };
            words.extend(["--hostname", &host, "--region", &region]);
            if words[0] == "dsql" && inputs["expires_in"].is_number() {
                words.extend(["--expires-in", &life]);
            } else if !raw_life.is_empty() {
                words.extend(["--expires-in", &raw_life]);
            }
            let run = aws(&sandbox, &words);
            let expected = &entry["expected"];
            match (
                expected["token"].as_str(),
                expected["x_amz_expires"].as_u64(),
            ) {
                (Some(token), _) => assert_eq!(
                    run.stdout,
                    format!("{token}\n"),
                    "{}: {}",
                    entry["id"],
                    run.stderr
                ),
                (_, Some(life)) => assert!(
                    run.stdout.contains(&format!("X-Amz-Expires={life}&")),
                    "{}",
                    entry["id"]
                ),
                _ => assert_refused(&run, 255, "--expires-in"),
            }
            compared += 1;
        }
    }
    assert!(compared > 40, "{compared}");
}

#[test]
fn the_same_second_gives_the_same_token_as_pgcred_token() {
    let sandbox = sandbox();
    let token = |arguments: &[&str]| sandbox.ok(&[&["token", "--no-cache"], arguments].concat());
    let same = |words: &[&str], token: String| {
        let run = aws(&sandbox, words);
        assert_eq!(
            (run.code, run.stdout),
            (0, token),
            "{words:?}: {}",
            run.stderr
        );
    };
    let admin = || token(&[HOST]);
    same(&[&ADMIN[..], &["--hostname", HOST]].concat(), admin());
    same(
        &[&OTHER[..], &["--hostname", HOST]].concat(),
        token(&[HOST, "--user", "app"]),
    );
    same(
        &[&ADMIN[..], &["--expires-in", "60", "--hostname", HOST]].concat(),
        token(&[HOST, "--expires-in", "60"]),
    );
    same(
        &[&ADMIN[..], &["--hostname", HOST, "--expires-in", "604800"]].concat(),
        token(&[HOST, "--expires-in", "7d"]),
    );
    let rds = token(&["--host", RDS_HOST, "--user", "app", "--port", "6543"]);
    same(
        &[
            &RDS[..],
            &[
                "--hostname",
                RDS_HOST,
                "--port",
                "6543",
                "--username",
                "app",
            ],
        ]
        .concat(),
        rds,
    );
    // Tools use the command for RDS. For a host of DSQL it prints a token of DSQL, with the action
    // that the role needs.
    for (user, token) in [("admin", admin()), ("app", token(&[HOST, "--user", "app"]))] {
        same(
            &[
                &RDS[..],
                &["--hostname", HOST, "--port", "5432", "--username", user],
            ]
            .concat(),
            token,
        );
    }
}

#[test]
fn options_are_accepted_in_any_order() {
    let sandbox = sandbox();
    sandbox.write(
        ".aws/config",
        "[profile dev]\naws_access_key_id = DEVKEY\naws_secret_access_key = s\n",
    );
    let options = [
        "--profile",
        "dev",
        "--region",
        "us-east-1",
        "--output",
        "text",
        "--no-cli-pager",
    ];
    let [service, command] = ADMIN;
    let expected = aws(
        &sandbox,
        &[&ADMIN[..], &["--hostname", HOST, "--profile", "dev"]].concat(),
    )
    .stdout;
    assert!(expected.contains("=DEVKEY%2F"));
    for words in [
        [&options[..], &[service, command, "--hostname", HOST]].concat(),
        [&[service], &options[..], &[command, "--hostname", HOST]].concat(),
        [&[service, command], &options[..], &["--hostname", HOST]].concat(),
        [&[service, command, "--hostname", HOST], &options[..]].concat(),
        vec![
            service,
            command,
            "--hostname=foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws",
            "--profile=dev",
        ],
    ] {
        let run = aws(&sandbox, &words);
        assert_eq!(
            (run.code, &run.stdout),
            (0, &expected),
            "{words:?}: {}",
            run.stderr
        );
    }
}

/// Each option has the exit code of AWS CLI 2.38.1. If that is 0, the token is the same as without
/// the option.
#[test]
fn options_are_those_of_the_aws_cli() {
    let sandbox = sandbox();
    let command = [&ADMIN[..], &["--hostname", HOST, "--region", "us-east-1"]].concat();
    let expected = aws(&sandbox, &command).stdout;
    for (options, code) in [
        // An option can be abbreviated as long as only one option is meant. Options of every
        // command come before those of this command.
        ("--h HOST --r us-east-1 --ex 900", 0),
        ("--host HOST --reg us-east-1 --expires 900", 0),
        (
            "--no-cli-p --no-p --no-cli-a --no-v --ca /nope --col on --cli-r 5 --cli-c 5 --o text",
            0,
        ),
        ("--co on --q x --qu x --e https://e.example", 0),
        ("--p=", 0),
        ("--no-cli", 252),
        ("--c on", 252),
        ("--e 60", 252),
        // An option is given twice: the last value counts, and every value has to be right.
        ("--region eu-west-1 --region us-east-1", 0),
        ("--hostname other --hostname HOST", 0),
        (
            "--output json --output text --no-cli-pager --no-cli-pager",
            0,
        ),
        ("--expires-in abc --expires-in 900", 0),
        ("--output bogus --output json", 252),
        // Options of every command, which do not change the token.
        ("--query x --output text", 0),
        ("--query=", 252),
        ("--endpoint-url https://e.example", 0),
        ("--endpoint-url e.example:8080", 0),
        ("--endpoint-url e.example", 252),
        ("--endpoint-url=", 252),
        (
            "--no-verify-ssl --ca-bundle /nope --no-paginate --no-cli-auto-prompt --debug",
            0,
        ),
        ("--cli-binary-format base64", 0),
        ("--cli-binary-format bogus", 252),
        ("--cli-error-format json", 0),
        ("--cli-error-format bogus", 252),
        ("--output off", 0),
        ("--output yaml-stream", 0),
        ("--output bogus", 252),
        ("--output=", 252),
        ("--color off", 0),
        ("--color always", 252),
        ("--no-cli-pager=x", 252),
        ("--cli-read-timeout 0 --cli-connect-timeout 1_0", 0),
        ("--cli-read-timeout abc", 255),
        ("--cli-connect-timeout 1.5", 255),
        ("--profile=", 0),
        ("--profile nope", 255),
        ("--region=", 255),
        ("--region us_east", 255),
        // Numbers are read as Python reads them.
        ("--expires-in +900", 0),
        ("--expires-in 9_00", 0),
        ("--expires-in abc", 255),
        ("--expires-in 1.5", 255),
        ("--expires-in 15m", 255),
        ("--expires-in max", 255),
        ("--expires-in=", 255),
        ("--expires-in", 252),
        ("--hostname=", 255),
        ("--hostname -h", 252),
        ("--cli-input-json {}", 252),
        ("--generate-cli-skeleton", 252),
        ("--cli-auto-prompt --no-cli-auto-prompt", 252),
    ] {
        let options = options.replace("HOST", HOST);
        let run = aws(
            &sandbox,
            &[&command[..], &options.split(' ').collect::<Vec<_>>()].concat(),
        );
        if code == 0 {
            assert_eq!(
                (run.code, &run.stdout),
                (0, &expected),
                "{options}: {}",
                run.stderr
            );
        } else {
            assert_eq!(run.code, code, "{options}: {}", run.stderr);
            assert_refused(&run, code, "");
        }
    }
    for (port, code) in [
        ("5432", 0),
        ("+5432", 0),
        ("05_432", 0),
        ("65535", 0),
        ("abc", 255),
        ("", 255),
        ("5432.0", 255),
        ("-1", 255),
        ("65536", 255),
        ("70000", 255),
    ] {
        let run = aws(
            &sandbox,
            &[
                &RDS[..],
                &["--hostname", RDS_HOST, "--username", "help", "--port", port],
            ]
            .concat(),
        );
        assert_eq!(run.code, code, "{port}: {}", run.stderr);
    }
    for (options, code) in [
        ("", 0),
        ("--profile nope", 0),
        ("--region=", 0),
        ("--output bogus", 252),
        ("--cli-read-timeout abc", 255),
    ] {
        let words = ["configure", "list-profiles"]
            .into_iter()
            .chain(options.split_whitespace());
        assert_eq!(
            aws(&sandbox, &words.collect::<Vec<_>>()).code,
            code,
            "{options}"
        );
    }
}

#[test]
fn version_and_help_answer() {
    let sandbox = Sandbox::empty();
    let ok = |words: &[&str]| {
        let run = aws(&sandbox, words);
        assert_eq!((run.code, &*run.stderr), (0, ""), "{words:?}");
        run.stdout
    };
    let version = concat!("aws-cli/2.38.1 pgcred/", env!("CARGO_PKG_VERSION"), "\n");
    for words in [
        &["--version"][..],
        &["--vers"],
        &["dsql", "--version"],
        &["s3", "ls", "--version"],
    ] {
        assert_eq!(ok(words), version);
    }
    for (words, says) in [
        (&["help"][..], "configure"),
        (&["dsql", "help"], "generate-db-connect-admin-auth-token"),
        (&["rds", "generate-db-auth-token", "help"], "--username"),
        (
            &["configure", "list-profiles", "--region", "x", "help"],
            "--profile",
        ),
    ] {
        assert!(ok(words).contains(says), "{words:?}");
    }
}

/// A tool passes the address that it dials. For that, tools only have the command for RDS.
#[test]
fn the_address_of_a_connection_gives_the_token_of_the_connection() {
    let sandbox = sandbox();
    let profiles = ["one", "two"]
        .map(|name| {
            format!("[profile {name}]\naws_access_key_id = {name}\naws_secret_access_key = s\n")
        })
        .concat();
    sandbox.write(".aws/config", profiles);
    let tunnel = |name: &str, more: &[&str]| {
        sandbox.ok(&[&["add", name, "localhost:15432", "--sign-host", HOST], more].concat());
    };
    tunnel("admins", &["--user", "admin", "--profile", "two"]);
    let any_user = "[connections.tun]\nhost = 'localhost'\nport = 15432\nprofile = 'one'\n\
        expires_in = '1h'\n\
                    aliases = ['127.0.0.1', 'other:1']\n";
    let config = sandbox.own().join("config.toml");
    let before = fs::read_to_string(&config).expect("a configuration");
    fs::write(&config, format!("{before}{any_user}sign_host = '{HOST}'\n")).expect("written");
    let cname = [
        "add",
        "cname",
        "my.db",
        "--provider",
        "rds",
        "--region",
        "eu-west-1",
        "--sign-host",
        RDS_HOST,
    ];
    sandbox.ok(&[&cname[..], &["--user", "app"]].concat());
    let dialled = |host: &str, port: &str, user: &str, more: &[&str]| {
        let words = [
            &RDS[..],
            &["--hostname", host, "--port", port, "--username", user],
            more,
        ]
        .concat();
        let run = aws(&sandbox, &words);
        assert_eq!(run.code, 0, "{words:?}: {}", run.stderr);
        run.stdout
    };
    let token = |words: &[&str]| sandbox.ok(&[&["token", "--no-cache"], words].concat());
    let app = token(&["tun", "--user", "app"]);
    assert!(
        app.starts_with(&format!("{HOST}/?Action=DbConnect&")) && app.contains("=one%2F"),
        "{app}"
    );
    for (host, port) in [
        ("localhost", "15432"),
        ("LOCALHOST", "15432"),
        ("127.0.0.1", "15432"),
        ("other", "1"),
    ] {
        assert_eq!(dialled(host, port, "app", &[]), app, "{host}:{port}");
    }
    assert_eq!(
        dialled("localhost", "15432", "admin", &[]),
        token(&["admins"])
    );
    assert_eq!(
        dialled("localhost", "15432", "app", &["--profile", "two"]),
        token(&["tun", "--user", "app", "--profile", "two"])
    );
    assert_eq!(dialled("my.db", "5432", "app", &[]), token(&["cname"]));
    assert_eq!(
        dialled("my.db", "5432", "admin", &[]),
        token(&["cname", "--user", "admin"])
    );
    let plain = dialled("localhost", "15433", "app", &["--region", "us-east-1"]);
    assert!(
        plain.starts_with("localhost:15433/?Action=connect&DBUser=app&"),
        "{plain}"
    );
}

#[test]
fn profiles_are_listed_as_the_aws_cli_lists_them() {
    let sandbox = Sandbox::empty();
    let list = || aws(&sandbox, &["configure", "list-profiles"]);
    assert_eq!((list().code, &*list().stdout), (0, ""));
    sandbox.write(
        ".aws/config",
        "[profile z]\nregion = us-east-1\n[sso-session s]\nsso_region = x\n[default]\n\
         [profile 'with blank']\n[services v]\n[profile a]\n",
    );
    sandbox.write(
        ".aws/credentials",
        "[only-here]\naws_access_key_id = K\n[a]\n[z]\n[also here]\n",
    );
    assert_eq!(
        list().stdout,
        "z\ndefault\nwith blank\na\nonly-here\nalso here\n"
    );
}

/// A tool can only be given the path of a program, without sub-commands of pgcred.
#[test]
fn the_program_pgcred_aws_does_the_same() {
    let sandbox = sandbox();
    let ending = std::env::consts::EXE_SUFFIX;
    for name in ["pgcred-aws", "aws"] {
        let program = sandbox.installed(&format!("bin/{name}{ending}"));
        let run = |words: &[&str]| {
            let mut command = sandbox.command(program.to_str().expect("UTF-8"));
            command.args(words).stdin(Stdio::null());
            Run::of(command)
        };
        let words = [&ADMIN[..], &["--hostname", HOST]].concat();
        assert_eq!(run(&words).stdout, aws(&sandbox, &words).stdout);
        assert!(run(&words).stdout.ends_with('\n'));
        assert_refused(&run(&["token", HOST]), 252, "'token'");
        assert_refused(&run(&["s3", "ls"]), 252, "'s3'");
        assert_refused(&run(&[]), 252, "pgcred aws supports only: dsql");
        assert_eq!(run(&["configure", "list-profiles"]).code, 0);
    }
}

/// A link `aws` may lead to pgcred. pgcred must not call that link where it needs the real AWS CLI
/// to log in.
#[cfg(unix)]
#[test]
fn a_pgcred_that_is_named_aws_is_never_called_for_a_login() {
    let mut sandbox = Sandbox::empty();
    let stand_in = sandbox.installed("bin/aws");
    let path = format!(
        "{}:/usr/bin:/bin",
        stand_in.parent().expect("a directory").display()
    );
    sandbox.set("PATH", &path);
    let session =
        "[sso-session corp]\nsso_region = us-west-2\nsso_start_url = https://x.awsapps.com/start\n";
    let profile =
        "[profile p]\nsso_session = corp\nsso_account_id = 111122223333\nsso_role_name = dev\n";
    let login = "[profile l]\nlogin_session = arn:aws:iam::111122223333:user/me\n";
    sandbox.write(".aws/config", format!("{session}{profile}{login}"));
    sandbox
        .set("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
        .set("AWS_MAX_ATTEMPTS", "1");
    let run = sandbox.run(&["login", "--profile", "p", "--timeout", "5"]);
    assert!(
        run.code != 0 && !run.stderr.contains("aws sso login"),
        "{}",
        run.stderr
    );
    let run = sandbox.run(&["login", "--profile", "l", "--timeout", "5"]);
    assert!(
        run.code == 3 && run.stderr.contains("install the AWS CLI"),
        "{}",
        run.stderr
    );
}
