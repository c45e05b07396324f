//! `pgcred aws` and the program `pgcred-aws`: the AWS CLI's token commands, its exit codes and its order of profiles.

use std::process::Stdio;

use serde_json::Value;

use crate::sandbox::{HOST, RDS_HOST, Run, Sandbox};

const ADMIN: [&str; 2] = ["dsql", "generate-db-connect-admin-auth-token"];
const OTHER: [&str; 2] = ["dsql", "generate-db-connect-auth-token"];
const RDS: [&str; 2] = ["rds", "generate-db-auth-token"];

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    sandbox
}

fn aws(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    sandbox.run(&[&["aws"], arguments].concat())
}

/// What a tool may show: one line that says what is wrong, then what to do.
fn assert_refused(run: &Run, code: i32, says: &str) {
    run.assert_fails(code, says);
    let lines: Vec<_> = run.stderr.lines().collect();
    assert!(lines[0].starts_with("pgcred: ") && lines[0].contains(says), "{}", run.stderr);
    assert!(lines[1..].iter().all(|line| line.starts_with("hint: ")) && lines.len() <= 2, "{}", run.stderr);
}

/// The AWS CLI's own output for the vectors' inputs.
#[test]
fn tokens_are_those_of_the_aws_cli() {
    let mut compared = 0;
    for text in [include_str!("../vectors/dsql.json"), include_str!("../vectors/rds.json")] {
        let entries: Vec<Value> = serde_json::from_str(text).expect("JSON");
        for entry in entries.iter().filter(|entry| entry["kind"] == "token" || entry["kind"] == "cli-argument") {
            let inputs = &entry["inputs"];
            let text = |field: &str| inputs[field].as_str().unwrap_or_default().to_owned();
            let mut sandbox = Sandbox::empty();
            sandbox.at(&text("time")).set("AWS_ACCESS_KEY_ID", &text("access_key_id"));
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
            match (expected["token"].as_str(), expected["x_amz_expires"].as_u64()) {
                (Some(token), _) => assert_eq!(run.stdout, format!("{token}\n"), "{}: {}", entry["id"], run.stderr),
                (_, Some(life)) => assert!(run.stdout.contains(&format!("X-Amz-Expires={life}&")), "{}", entry["id"]),
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
        assert_eq!((run.code, run.stdout), (0, token), "{words:?}: {}", run.stderr);
    };
    let admin = || token(&[HOST]);
    same(&[&ADMIN[..], &["--hostname", HOST]].concat(), admin());
    same(&[&OTHER[..], &["--hostname", HOST]].concat(), token(&[HOST, "--user", "app"]));
    same(&[&ADMIN[..], &["--expires-in", "60", "--hostname", HOST]].concat(), token(&[HOST, "--expires-in", "60"]));
    same(&[&ADMIN[..], &["--hostname", HOST, "--expires-in", "604800"]].concat(), token(&[HOST, "--expires-in", "7d"]));
    let rds = token(&["--host", RDS_HOST, "--user", "app", "--port", "6543"]);
    same(&[&RDS[..], &["--hostname", RDS_HOST, "--port", "6543", "--username", "app"]].concat(), rds);
    // The spelling that tools have for RDS: a host of DSQL gets what it takes, by the role.
    for (user, token) in [("admin", admin()), ("app", token(&[HOST, "--user", "app"]))] {
        same(&[&RDS[..], &["--hostname", HOST, "--port", "5432", "--username", user]].concat(), token);
    }
}

#[test]
fn options_come_in_any_order_also_before_the_service() {
    let sandbox = sandbox();
    sandbox.write(".aws/config", "[profile dev]\naws_access_key_id = DEVKEY\naws_secret_access_key = s\n");
    let options = ["--profile", "dev", "--region", "us-east-1", "--output", "text", "--no-cli-pager"];
    let [service, command] = ADMIN;
    let expected = aws(&sandbox, &[&ADMIN[..], &["--hostname", HOST, "--profile", "dev"]].concat()).stdout;
    assert!(expected.contains("=DEVKEY%2F"));
    for words in [
        [&options[..], &[service, command, "--hostname", HOST]].concat(),
        [&[service], &options[..], &[command, "--hostname", HOST]].concat(),
        [&[service, command], &options[..], &["--hostname", HOST]].concat(),
        [&[service, command, "--hostname", HOST], &options[..]].concat(),
        vec![service, command, "--hostname=foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws", "--profile=dev"],
    ] {
        let run = aws(&sandbox, &words);
        assert_eq!((run.code, &run.stdout), (0, &expected), "{words:?}: {}", run.stderr);
    }
}

#[test]
fn exit_codes_are_the_aws_clis() {
    let mut sandbox = sandbox();
    let admin = [&ADMIN[..], &["--hostname", HOST]].concat();
    let with = |more: &[&'static str]| [&admin[..], more].concat();
    for (words, says) in [
        (ADMIN.to_vec(), "--hostname <HOST>"),
        ([&RDS[..], &["--hostname", RDS_HOST, "--port", "5432"]].concat(), "--username <USER>"),
        (with(&["--nope"]), "'--nope'"),
        (with(&["--hostname", "other"]), "--hostname"),
        (with(&["more"]), "'more'"),
        (vec![], "no command"),
        (vec!["dsql"], "no command"),
        (vec!["s3", "ls"], "'s3'"),
        (vec!["rds", "describe-db-instances"], "'describe-db-instances'"),
        (vec!["configure", "get", "region"], "'get'"),
        (vec!["sts", "get-caller-identity"], "'sts'"),
    ] {
        assert_refused(&aws(&sandbox, &words), 252, says);
    }
    for life in ["abc", "1.5", ""] {
        assert_refused(&aws(&sandbox, &[&admin[..], &["--expires-in", life]].concat()), 255, "--expires-in");
    }
    assert_refused(&aws(&sandbox, &with(&["--profile", "nope"])), 255, "nope");
    let elsewhere = [&ADMIN[..], &["--hostname", "my.tunnel"]].concat();
    assert_refused(&aws(&sandbox, &elsewhere), 253, "no region");
    sandbox.unset("AWS_ACCESS_KEY_ID").unset("AWS_SECRET_ACCESS_KEY");
    assert_refused(&aws(&sandbox, &admin), 253, "no AWS credentials");
    sandbox.write(".aws/config", "[profile bad]\ncredential_process = /no/such/program\n");
    assert_refused(&aws(&sandbox, &with(&["--profile", "bad"])), 255, "/no/such/program");
    sandbox.write(".aws/config", "this is no configuration\n");
    assert_refused(&aws(&sandbox, &admin), 255, "config, line 1");
}

#[test]
fn profiles_are_listed_as_the_aws_cli_lists_them() {
    let sandbox = Sandbox::empty();
    let list = || aws(&sandbox, &["configure", "list-profiles"]);
    assert_eq!((list().code, &*list().stdout), (0, ""));
    sandbox.write(
        ".aws/config",
        "[profile z]\nregion = us-east-1\n[sso-session s]\nsso_region = x\n[default]\n[profile 'with blank']\n[services v]\n[profile a]\n",
    );
    sandbox.write(".aws/credentials", "[only-here]\naws_access_key_id = K\n[a]\n[z]\n[also here]\n");
    assert_eq!(list().stdout, "z\ndefault\nwith blank\na\nonly-here\nalso here\n");
}

/// A tool is given a path, and knows no sub-commands of pgcred.
#[test]
fn the_program_pgcred_aws_is_the_same() {
    let sandbox = sandbox();
    let ending = std::env::consts::EXE_SUFFIX;
    let program = sandbox.installed(&format!("pgcred-aws{ending}"));
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
    assert_refused(&run(&[]), 252, "no command");
    assert_eq!(run(&["configure", "list-profiles"]).code, 0);
}
