//! Roles that need an MFA code. The user gives it, a program prints it, or the user types it at a
//! terminal. Keys that the AWS CLI has cached need none.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::support::desk::{FAR, at_terminal, calls, desk, install, terminal, tree};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, requests};

const NAME: &str = "pgcred: PGCRED_MFA_CODE_COMMAND";
const TOKEN: [&str; 5] = ["token", HOST, "--profile", "m", "--no-cache"];
/// The SHA-1 of the ARN of the role and the serial number of the device, as the AWS CLI writes
/// them.
const CACHED_ROLE: &str = ".aws/cli/cache/20e102a0c426495869732ca2bf5c658f721d945c.json";

/// A stub of STS, and the profile `m` of a role that needs the code of a device.
struct Mfa {
    directory: TempDir,
    stub: Stub,
    sandbox: Sandbox,
}

impl Mfa {
    fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let stub = Stub::aws(Some(&directory.path().join("log")));
        let sandbox = desk(&stub.url(""));
        sandbox.write(
            ".aws/config",
            format!(
                "[profile m]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/R\nsource_profile = keys\n\
                 mfa_serial = arn:aws:iam::{ACCOUNT}:mfa/me\n\
                 [profile keys]\naws_access_key_id = AKIAP\naws_secret_access_key = {STUB_SECRET}\n"
            ),
        );
        sandbox.write(".aws/cli/cache/other.json", "{}");
        Self {
            directory,
            stub,
            sandbox,
        }
    }

    fn log(&self) -> PathBuf {
        self.directory.path().join("log")
    }

    /// Runs, and checks that no file in ~/.aws has changed.
    fn watched(&self, run: impl FnOnce(&Sandbox) -> Run) -> Run {
        let before = tree(&self.sandbox, ".aws");
        let run = run(&self.sandbox);
        assert_eq!(tree(&self.sandbox, ".aws"), before);
        run
    }

    /// The run got a token by this code, and nobody can read the code.
    fn assert_code(&self, run: &Run, code: &str) {
        assert_eq!(run.code, 0, "{}", run.stderr);
        assert!(
            run.stdout.contains("Credential=ASIASTSR%2F"),
            "{}",
            run.stdout
        );
        assert!(!run.stderr.contains(code), "{}", run.stderr);
        let requests = requests(&self.log());
        let body = &requests.last().expect("a request")["body"];
        let sent = [&body["TokenCode"], &body["SerialNumber"]]
            .map(|value| value.as_str().unwrap_or_default());
        assert_eq!(sent, [code, &format!("arn:aws:iam::{ACCOUNT}:mfa/me")]);
    }

    fn command(&mut self, command: &str) -> Run {
        self.sandbox.set("PGCRED_MFA_CODE_COMMAND", command);
        self.watched(|sandbox| sandbox.run(&[&TOKEN[..], &["--timeout", "5"]].concat()))
    }
}

#[test]
fn a_code_that_is_given_reaches_sts() {
    skip_unless!(PYTHON);
    let mfa = Mfa::new();
    let run = mfa.watched(|sandbox| sandbox.run(&[&TOKEN[..], &["--mfa-code", "012345"]].concat()));
    mfa.assert_code(&run, "012345");
    assert_eq!(run.stderr, "");
}

#[test]
fn a_program_prints_the_code() {
    skip_unless!(PYTHON);
    let mut mfa = Mfa::new();
    install(&mfa.sandbox, "my otp", "echo \"$2\"");
    let program = mfa.sandbox.path("bin/my otp").display().to_string();
    for (printed, code) in [
        ("123456", "123456"),
        ("aws:me 234567", "234567"),
        ("Touch it!\nme  12345678\n\n", "12345678"),
    ] {
        let run = mfa.command(&format!("'{program}' \"of an account\" '{printed}'"));
        mfa.assert_code(&run, code);
    }
    assert!(calls(&mfa.sandbox, "my otp")[0] == "of an account 123456");
    // The variable can have the name of a program in PATH. The option wins over the variable.
    install(&mfa.sandbox, "otp", "echo 345678");
    let run = mfa.command("otp");
    mfa.assert_code(&run, "345678");
    let run = mfa
        .sandbox
        .run(&[&TOKEN[..], &["--mfa-code", "456789"]].concat());
    mfa.assert_code(&run, "456789");
    assert_eq!(calls(&mfa.sandbox, "otp").len(), 1);
}

#[test]
fn a_program_that_prints_no_code_is_an_error_in_time() {
    skip_unless!(PYTHON);
    let mut mfa = Mfa::new();
    for (command, says) in [
        (
            "sh -c 'echo no key plugged in >&2; exit 1'",
            format!("{NAME} failed: no key plugged in\nhint: run the command"),
        ),
        ("echo", format!("{NAME} printed no code\nhint: ")),
        ("echo 12345", format!("{NAME} printed no code\nhint: ")),
        (
            "echo not a number",
            format!("{NAME} printed no code\nhint: "),
        ),
        (
            "echo '123456",
            format!("{NAME} has a quote that is not closed\nhint: "),
        ),
        (
            "nobody-has-this",
            format!("{NAME}: there is no program nobody-has-this\nhint: "),
        ),
        (
            "sh -c 'echo 999999; sleep 60'",
            "pgcred: no answer from PGCRED_MFA_CODE_COMMAND".to_owned(),
        ),
    ] {
        let began = Instant::now();
        let run = mfa.command(command);
        run.assert_fails(1, &says);
        assert!(
            began.elapsed() < Duration::from_secs(15),
            "{command}: {:?}",
            began.elapsed()
        );
    }
    assert_eq!(requests(&mfa.log()), [0; 0], "STS was asked without a code");
}

#[test]
fn without_a_terminal_the_error_says_what_to_do() {
    skip_unless!(PYTHON);
    let mfa = Mfa::new();
    let says = "pgcred: the role of profile `m` needs an MFA code, and there is no terminal to ask \
        on\n\
        hint: run `aws sts get-caller-identity --profile m` at a terminal (pgcred uses what it \
        caches), or give --mfa-code CODE \
        or PGCRED_MFA_CODE_COMMAND\n";
    let run = mfa.watched(|sandbox| sandbox.run(&TOKEN));
    run.assert_fails(3, says);
    let piped = format!(
        "echo 123456 | '{}' {}",
        env!("CARGO_BIN_EXE_pgcred"),
        TOKEN.join(" ")
    );
    mfa.watched(|sandbox| terminal(sandbox, &[], &["/bin/sh", "-c", &piped]))
        .assert_fails(3, says);
    // A user who then follows the hint does not wait for a pause to end.
    let with_cache = &TOKEN[..4];
    mfa.sandbox.run(with_cache).assert_fails(3, says);
    let run = mfa
        .sandbox
        .run(&[with_cache, &["--mfa-code", "123456"]].concat());
    mfa.assert_code(&run, "123456");
}

/// The code is not shown, and the time for typing it does not count against the deadline.
#[test]
fn a_code_is_typed_at_the_terminal() {
    skip_unless!(PYTHON);
    let mfa = Mfa::new();
    let pgcred = [
        &[env!("CARGO_BIN_EXE_pgcred")][..],
        &TOKEN,
        &["--timeout", "2"],
    ]
    .concat();
    let prompt = "pgcred: MFA code of me for profile m: ";
    let run = mfa.watched(|sandbox| terminal(sandbox, &[prompt, "3", " 987654 "], &pgcred));
    mfa.assert_code(&run, "987654");
    assert_eq!(run.stderr.trim_end(), prompt.trim_end());
    let run = mfa.watched(|sandbox| terminal(sandbox, &[prompt, "0", ""], &pgcred));
    run.assert_fails(3, "pgcred: no MFA code was given\nhint: ");
}

/// The serial number is from a file that another user may have written.
#[test]
fn escape_sequences_in_the_name_of_a_device_are_not_printed() {
    skip_unless!(PYTHON);
    let mfa = Mfa::new();
    let config = String::from_utf8(mfa.sandbox.read(".aws/config")).expect("text");
    mfa.sandbox.write(
        ".aws/config",
        config.replace("mfa/me", "mfa/me\u{1b}]0;x\u{7}\u{9b}31m"),
    );
    let pgcred = [&[env!("CARGO_BIN_EXE_pgcred")][..], &TOKEN].concat();
    let prompt = r"pgcred: MFA code of me\u{1b}]0;x\u{7}\u{9b}31m for profile m: ";
    let run = terminal(&mfa.sandbox, &[prompt, "0", "987654"], &pgcred);
    // Characters that are typed at once may be visible, because echo is switched off after the
    // question.
    assert!(
        run.code == 0 && run.stderr.starts_with(prompt),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains(['\u{1b}', '\u{7}', '\u{9b}']),
        "{:?}",
        run.stderr
    );
}

/// After a mistyped code, the next call asks again at once.
#[test]
fn a_wrong_code_is_reported() {
    skip_unless!(PYTHON);
    let mut mfa = Mfa::new();
    let refusing = mfa.stub.url("error-AccessDenied/mfa-wrong");
    mfa.sandbox.set("AWS_ENDPOINT_URL", &refusing);
    let token = [&TOKEN[..4], &["--mfa-code", "111111"]].concat();
    let run = mfa.watched(|sandbox| sandbox.run(&token));
    run.assert_fails(
        3,
        "hint: try again with a new code; if it fails again, check mfa_serial of the profile\n",
    );
    let works = mfa.stub.url("");
    mfa.sandbox.set("AWS_ENDPOINT_URL", &works);
    std::thread::sleep(Duration::from_secs(1)); // as a user does
    let run =
        mfa.watched(|sandbox| sandbox.run(&[&TOKEN[..4], &["--mfa-code", "222222"]].concat()));
    mfa.assert_code(&run, "222222");
}

#[test]
fn a_role_that_the_aws_cli_has_cached_needs_no_code() {
    skip_unless!(PYTHON);
    let mfa = Mfa::new();
    let cached = |ends: &str| {
        mfa.sandbox.write(
            CACHED_ROLE,
            format!(
                r#"{{"Credentials":{{"AccessKeyId":"ASIACACHED","SecretAccessKey":"{STUB_SECRET}","SessionToken":"t","Expiration":"{ends}"}}}}"#
            ),
        );
    };
    cached(FAR);
    for run in [
        mfa.watched(|sandbox| sandbox.run(&TOKEN)),
        mfa.watched(|sandbox| at_terminal(sandbox, &TOKEN)),
    ] {
        assert_eq!((run.code, run.stderr.as_str()), (0, ""));
        assert!(
            run.stdout.contains("Credential=ASIACACHED%2F"),
            "{}",
            run.stdout
        );
    }
    assert_eq!(requests(&mfa.log()), [0; 0]);
    cached("2020-01-01T00:00:00Z");
    mfa.watched(|sandbox| sandbox.run(&TOKEN))
        .assert_fails(3, "needs an MFA code");
    fs::remove_file(mfa.sandbox.path(CACHED_ROLE)).expect("a file");
}
