//! Programs of services that are batch files on Windows: `az.cmd` and `gcloud.cmd`, and shims of
//! package managers. cmd.exe runs them, and would run a part of an argument if it could.

use std::fs;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::sandbox::Sandbox;

const HOST: &str = "crm.postgres.database.azure.com";
const TOKEN_OF_AN_HOUR: &str = "{\"token\": \"of-batch\", \"end\": \"2030-01-01T01:00:00Z\"}";

/// A home with a batch file `az.cmd` on PATH, beside a shell script `az` as the Azure CLI has it.
struct Shim {
    sandbox: Sandbox,
}

impl Shim {
    /// The program writes its arguments into a file as they stand on its command line, and mints.
    fn new(arguments: &str, vars: &str) -> Self {
        let shim = Self::printing("answer", TOKEN_OF_AN_HOUR);
        shim.define(
            &format!("run = [\"az\", \"get\", {arguments}]"),
            &format!("user = \"ann\"\nvars = {{ {vars} }}"),
        );
        shim
    }

    /// The program runs these lines, in which `HOME` is the home.
    fn running(lines: &str) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.at("2030-01-01T00:00:00Z");
        let home = sandbox.home().display().to_string();
        let batch = format!("@echo off\necho x>>HOME\\runs\necho %*>HOME\\arguments\n{lines}\n");
        let batch = batch.replace("HOME", &home).replace('\n', "\r\n");
        sandbox.write("bin/az.cmd", batch);
        sandbox.write("bin/az", "#!/bin/sh\nexit 1\n");
        let path = sandbox.path("bin").display().to_string();
        sandbox.set("PATH", &path).set("SECRET", "leaked");
        Self { sandbox }
    }

    /// The program prints what is in a file.
    fn printing(file: &str, answer: &str) -> Self {
        let shim = Self::running(&format!("type HOME\\{file}"));
        shim.sandbox.write(file, answer);
        shim
    }

    /// Writes a `[command.tool]` with these keys, and a connection that uses it.
    fn define(&self, keys: &str, connection: &str) {
        let config = format!(
            "[command.tool]\n{keys}\ntoken = \"token\"\nexpires = \"end\"\n\
             [connections.crm]\nhost = \"crm.example.com\"\nprovider = \"tool\"\n{connection}\n"
        );
        fs::write(self.sandbox.own().join("config.toml"), config).expect("written");
    }

    fn arguments(&self) -> String {
        String::from_utf8_lossy(&self.sandbox.read("arguments"))
            .trim_end()
            .to_owned()
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.sandbox.path("runs")).map_or(0, |text| text.lines().count())
    }
}

#[test]
fn a_batch_file_is_found_and_mints() {
    let shim = Shim::new("\"--output=json\"", "");
    for _ in 0..2 {
        assert_eq!(shim.sandbox.ok(&["token", "crm"]), "of-batch\n");
    }
    assert_eq!(shim.arguments(), "get \"--output=json\"");
    assert_eq!(shim.runs(), 1);
}

/// Each value is one argument, and nothing of it is run or filled in.
#[test]
fn no_value_leaves_its_argument() {
    for (value, argument) in [
        ("Prod Readers", "--x=Prod Readers"),
        ("a & echo x>pwned", "--x=a & echo x>pwned"),
        ("a\" & echo x>pwned & \"", "--x=a\"\" & echo x>pwned & \"\""),
        ("a|b<c>d^e(f)!SECRET!", "--x=a|b<c>d^e(f)!SECRET!"),
        ("50%", "--x=50%"),
        ("%SECRET%", "--x=%SECRET%"),
    ] {
        let shim = Shim::new("\"--x={x}\"", &format!("x = '''{value}'''"));
        assert_eq!(shim.sandbox.ok(&["token", "crm"]), "of-batch\n", "{value}");
        assert_eq!(shim.arguments(), format!("get \"{argument}\""), "{value}");
        assert!(!shim.sandbox.path("pwned").exists(), "{value}");
    }
}

#[test]
fn a_line_break_is_refused_in_plain_words() {
    let shim = Shim::new("\"a\\nb\"", "");
    let run = shim.sandbox.run(&["token", "crm"]);
    run.assert_fails(1, "az is a batch file, which takes no line breaks");
    assert!(!shim.sandbox.path("runs").exists());
}

/// It prints the same token until five minutes before its end.
#[test]
fn a_batch_file_that_caches_is_run_twice_in_an_hour() {
    let mut shim = Shim::printing("answer", TOKEN_OF_AN_HOUR);
    shim.define("run = [\"az\"]\nkind = \"caches\"", "user = \"ann\"");
    for minute in [0, 20, 54, 56, 59] {
        if minute == 56 {
            let answer = TOKEN_OF_AN_HOUR
                .replace("of-batch", "later")
                .replace("T01", "T02");
            shim.sandbox.write("answer", answer);
        }
        shim.sandbox.at(&format!("2030-01-01T00:{minute:02}:00Z"));
        let run = shim.sandbox.run(&["refresh", "--background"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let token = if minute < 56 { "of-batch\n" } else { "later\n" };
        assert_eq!(shim.sandbox.ok(&["token", "crm"]), token, "minute {minute}");
    }
    assert_eq!(shim.runs(), 2);
}

#[test]
fn a_batch_file_that_creates_users_runs_for_a_name_alone() {
    let answer = TOKEN_OF_AN_HOUR.replace('}', ", \"user\": \"v-1\"}");
    let shim = Shim::printing("answer", &answer);
    shim.define("run = [\"az\"]\nkind = \"creates\"\nuser = \"user\"", "");
    for arguments in [&["refresh"][..], &["refresh", "--background"], &["prompt"]] {
        let run = shim.sandbox.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(shim.runs(), 0);
    let json = shim.sandbox.ok(&["token", "crm", "--format", "libpq-json"]);
    assert!(json.contains("\"user\":\"v-1\""), "{json}");
    assert_eq!(shim.runs(), 1);
}

/// A program that the batch file has started writes for as long as it lives.
#[test]
fn a_batch_file_that_hangs_is_ended_with_what_it_has_started() {
    let shim = Shim::running(r"%SystemRoot%\system32\cmd.exe /c HOME\beats.cmd");
    let home = shim.sandbox.home().display().to_string();
    let beats = format!("@echo off\r\n:again\r\necho x>>{home}\\beats\r\ngoto again\r\n");
    shim.sandbox.write("beats.cmd", beats);
    shim.define("run = [\"az\"]", "user = \"ann\"");
    let began = Instant::now();
    shim.sandbox
        .run(&["token", "crm", "--timeout", "5s"])
        .assert_fails(1, "the command of tool did not answer within 5 s");
    assert!(began.elapsed() < Duration::from_secs(60));
    let beats = || shim.sandbox.read("beats").len();
    sleep(Duration::from_millis(500));
    let before = beats();
    assert!(before > 0);
    sleep(Duration::from_secs(2));
    assert_eq!(beats(), before, "it goes on");
}

#[test]
fn a_long_token_of_a_batch_file_is_taken_whole() {
    let long = "x".repeat(7_000);
    let shim = Shim::printing("answer", &TOKEN_OF_AN_HOUR.replace("of-batch", &long));
    shim.define("run = [\"az\"]", "user = \"ann\"");
    assert_eq!(shim.sandbox.ok(&["token", "crm"]), format!("{long}\n"));
    let line = shim.sandbox.ok(&["token", "crm", "--format", "cmd"]);
    assert!(line.contains(&long));
    let passfile = shim.sandbox.path("passfile").display().to_string();
    let run = shim.sandbox.run(&["refresh", "--passfile", &passfile]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let passfile = String::from_utf8(shim.sandbox.read("passfile")).expect("UTF-8");
    assert!(passfile.contains(&format!(":ann:{long}")), "{passfile}");
    assert_eq!(shim.runs(), 1);
}

#[test]
fn what_a_batch_file_prints_beside_a_token_is_told() {
    let local_time = TOKEN_OF_AN_HOUR.replace("T01:00:00Z", " 01:00:00.000000");
    for (lines, answer, code, says) in [
        (
            "echo AADSTS700: expired>&2\nexit /b 1",
            "",
            3,
            "hint: run `az login`",
        ),
        (
            "echo it is broken>&2\nexit /b 7",
            "",
            1,
            "failed: it is broken",
        ),
        ("exit /b 7", "", 1, "failed: exit code: 7"),
        (
            "type HOME\\answer",
            "<html><p>Sign in</p></html>",
            1,
            "printed text that is not JSON",
        ),
        ("rem", "", 1, "printed nothing"),
        (
            "type HOME\\answer",
            &local_time,
            1,
            "has no time that says its zone",
        ),
    ] {
        let shim = Shim::running(lines);
        shim.sandbox.write("answer", answer);
        shim.define(
            "run = [\"az\"]\nlogin = \"az login\"\nlogin_if = \"AADSTS\"",
            "user = \"ann\"",
        );
        let run = shim.sandbox.run(&["token", "crm"]);
        run.assert_fails(code, says);
        assert_eq!(run.stdout, "", "{lines}");
        assert_eq!(shim.runs(), 1, "{lines}");
    }
}

/// Nothing is configured: the host tells the provider, and PATHEXT finds its program.
#[test]
fn the_host_of_azure_says_that_az_cmd_prints_its_tokens() {
    let answer = "{\"accessToken\": \"of-entra\", \"expiresOn\": \"2030-01-01 12:00:00.000000\", \
                  \"expires_on\": 1893459600}";
    let shim = Shim::printing("answer", answer);
    let token = ["token", HOST, "--user", "Prod Readers"];
    assert_eq!(shim.sandbox.ok(&token), "of-entra\n");
    let json = shim
        .sandbox
        .ok(&[&token[..], &["--format", "json"]].concat());
    assert!(
        json.contains("\"refresh_after\":\"2030-01-01T00:55:00Z\""),
        "{json}"
    );
    assert_eq!(
        shim.arguments(),
        "account get-access-token --resource-type oss-rdbms --output json"
    );
    assert_eq!(shim.runs(), 1);
    let shim = Shim::running("echo ERROR: Please run 'az login' to setup account.>&2\nexit /b 1");
    let run = shim.sandbox.run(&token);
    run.assert_fails(3, "the command of entra needs a login: ERROR: Please run");
    assert!(
        run.stderr.contains("hint: run `az login`"),
        "{}",
        run.stderr
    );
}
