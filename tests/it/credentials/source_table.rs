//! The table of credentials sources in src/aws/README.md: pgcred is run for each row, and must do
//! what the row says.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use crate::credentials::cause::{CONTAINER, CORP, Cause, IMDS, KEYS, ROLE, SOON, SSO, cause};
use crate::credentials::faults::{LOGIN_FILE, LOGIN_SESSION, SSO_FILE, login, sso_token};
use crate::support::desk::{FAR, PAST};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Sandbox};
use crate::support::sources::{root, rust_files};
use crate::support::stubs::{STUB_SECRET, Stub, check_all};

/// The time when the credentials of a source expire.
enum End {
    /// This many seconds after the request.
    After(i64),
    At(&'static str),
    Never,
}

/// A row of the table in src/aws/README.md: the source, "expiry known", "interactive", and the
/// trials that prove the expiry.
struct Row {
    source: &'static str,
    known: &'static str,
    interactive: &'static str,
    proofs: Vec<(Cause, End)>,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<Row> {
    let works = || cause(0, "", "");
    let row = |source, known, interactive, proofs| Row {
        source,
        known,
        interactive,
        proofs,
    };
    let keys = || {
        works()
            .set("AWS_ACCESS_KEY_ID", "k")
            .set("AWS_SECRET_ACCESS_KEY", STUB_SECRET)
    };
    let prints = |more: &str| {
        let json =
            format!(r#"{{"Version":1,"AccessKeyId":"k","SecretAccessKey":"{STUB_SECRET}"{more}}}"#);
        works()
            .file("answer", json)
            .config("credential_process = cat @HOME/answer", "")
    };
    vec![
        row(
            "variables: `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN`; \
             not if `--profile` names a profile",
            "if `AWS_CREDENTIAL_EXPIRATION` says it",
            "no",
            vec![
                (keys().set("AWS_CREDENTIAL_EXPIRATION", SOON), End::At(SOON)),
                (keys(), End::Never),
            ],
        ),
        row(
            "role: `role_arn` with `source_profile` or `credential_source`, and chains of them",
            "yes",
            "MFA code, with `mfa_serial`",
            vec![
                (
                    works().config(
                        &format!("{ROLE}source_profile = keys\nduration_seconds = 900"),
                        KEYS,
                    ),
                    End::After(900),
                ),
                (
                    works().set(IMDS, "@").config(
                        &format!("{ROLE}credential_source = Ec2InstanceMetadata"),
                        "",
                    ),
                    End::After(3600),
                ),
                (
                    works().config(
                        &format!("{ROLE}source_profile = middle\nduration_seconds = 1200"),
                        &format!("[profile middle]\n{ROLE}source_profile = keys\n{KEYS}"),
                    ),
                    End::After(1200),
                ),
            ],
        ),
        row(
            "web identity: `AWS_WEB_IDENTITY_TOKEN_FILE`, `web_identity_token_file`",
            "yes",
            "no",
            vec![
                (
                    works()
                        .file("jwt", "a token")
                        .set("AWS_WEB_IDENTITY_TOKEN_FILE", "@HOME/jwt")
                        .set("AWS_ROLE_ARN", ROLE.trim()),
                    End::After(3600),
                ),
                (
                    works()
                        .file("jwt", "a token")
                        .config(&format!("{ROLE}web_identity_token_file = @HOME/jwt"), ""),
                    End::After(3600),
                ),
            ],
        ),
        row(
            "SSO: `sso_session` or `sso_start_url`",
            "yes",
            "login",
            vec![(
                works()
                    .config(SSO, CORP)
                    .file(SSO_FILE, sso_token("ssotoken", FAR)),
                End::After(1800),
            )],
        ),
        row(
            "keys of the profile in the credentials file",
            "they do not expire",
            "no",
            vec![(
                works().file(
                    ".aws/credentials",
                    "[default]\naws_access_key_id = k\naws_secret_access_key = s\n",
                ),
                End::Never,
            )],
        ),
        row(
            "`aws login`: `login_session`",
            "yes",
            "login",
            vec![
                (
                    works()
                        .config(&format!("login_session = {LOGIN_SESSION}"), "")
                        .file(LOGIN_FILE, login("ASIAOLD", PAST)),
                    End::After(900),
                ),
                (
                    works()
                        .config(&format!("login_session = {LOGIN_SESSION}"), "")
                        .file(LOGIN_FILE, login("ASIANEW", "2030-01-01T00:14:30Z")),
                    End::At("2030-01-01T00:14:30Z"),
                ),
            ],
        ),
        row(
            "`credential_process`",
            "if the program says it",
            "as the program likes",
            vec![
                (prints(&format!(r#","Expiration":"{SOON}""#)), End::At(SOON)),
                (prints(""), End::Never),
            ],
        ),
        row(
            "keys of the profile in the configuration file",
            "they do not expire",
            "no",
            vec![(
                works().config("aws_access_key_id = k\naws_secret_access_key = s", ""),
                End::Never,
            )],
        ),
        row(
            "the files of the first EC2 tools (`AWS_CREDENTIAL_FILE`) and of boto 2 \
             (`BOTO_CONFIG`)",
            "they do not expire",
            "no",
            vec![
                (
                    works()
                        .file("ec2", "AWSAccessKeyId=k\nAWSSecretKey=s\n")
                        .set("AWS_CREDENTIAL_FILE", "@HOME/ec2"),
                    End::Never,
                ),
                (
                    works()
                        .file(
                            "boto",
                            "[Credentials]\naws_access_key_id = k\naws_secret_access_key = s\n",
                        )
                        .set("BOTO_CONFIG", "@HOME/boto"),
                    End::Never,
                ),
            ],
        ),
        row(
            "container: ECS, EKS Pod Identity, CloudShell (`AWS_CONTAINER_CREDENTIALS_*`)",
            "yes",
            "no",
            vec![
                (works().set(CONTAINER, "@/ecs/short"), End::After(120)),
                (works().set(CONTAINER, "@/ecs/x"), End::After(3600)),
            ],
        ),
        row(
            "instance metadata: EC2",
            "yes",
            "no",
            vec![(works().set(IMDS, "@"), End::After(3600))],
        ),
    ]
}

#[test]
fn the_table_of_sources_in_the_readme_is_true() {
    skip_unless!(PYTHON);
    let readme = fs::read_to_string(root().join("src/aws/README.md")).expect("a README");
    let table = readme
        .split("| source | expiry known | interactive |")
        .nth(1)
        .expect("the table");
    let wanted: Vec<String> = table
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'))
        .map(str::to_owned)
        .collect();
    let rows = rows();
    let stated: Vec<String> = rows
        .iter()
        .map(|row| format!("| {} | {} | {} |", row.source, row.known, row.interactive))
        .collect();
    let only_in_readme = wanted.iter().filter(|row| !stated.contains(row));
    let only_in_test = stated.iter().filter(|row| !wanted.contains(row));
    let different: Vec<&String> = only_in_readme.chain(only_in_test).collect();
    assert!(
        stated == wanted,
        "the rows of src/aws/README.md and of {} differ, or their order does: {different:#?}",
        file!()
    );
    let stub = Stub::aws(None);
    let proofs: Vec<_> = rows
        .iter()
        .flat_map(|row| row.proofs.iter().map(move |proof| (row, proof)))
        .collect();
    check_all(&proofs, |(row, (works, end))| {
        prove(&works.sandbox(&stub), end).map_err(|trouble| format!("{}: {trouble}", row.source))
    });
    for row in &rows {
        let known = row.proofs.iter().any(|(_, end)| !matches!(end, End::Never));
        assert_eq!(known, row.known != "they do not expire", "{}", row.source);
    }
}

/// A source that a key of the profile or a variable chooses has a row that names it.
#[test]
fn the_setting_that_chooses_a_source_stands_in_the_table() {
    let sources = sources();
    let mut settings = 0;
    for (path, text) in rust_files("src/aws/source") {
        for choice in [
            "ChosenBy::Key(",
            "ChosenBy::Variable(",
            "ChosenBy::VariableOrKey(",
            "ChosenBy::KeyOfSsoSession(",
        ] {
            for call in text.split(choice).skip(1) {
                let (arguments, _) = call.split_once(')').expect("the end of a call");
                for setting in arguments.split('"').skip(1).step_by(2) {
                    assert!(
                        sources
                            .iter()
                            .any(|row| row.contains(&format!("`{setting}`"))),
                        "src/aws/README.md has no row for {setting} of {}",
                        path.display()
                    );
                    settings += 1;
                }
            }
        }
    }
    assert!(settings >= 5, "{settings}");
}

/// Returns the first column of the table.
pub fn sources() -> Vec<&'static str> {
    rows().iter().map(|row| row.source).collect()
}

/// Asks for a token that would outlive any credentials, so that pgcred has to name their expiry.
fn prove(sandbox: &Sandbox, end: &End) -> Result<(), String> {
    const WEEK: i64 = 7 * 86400;
    let mut command = sandbox.pgcred(&[
        "token",
        HOST,
        "--no-cache",
        "--expires-in",
        "7d",
        "--format",
        "json",
    ]);
    if let End::At(_) = end {
        command.env("PGCRED_TEST_NOW", "2030-01-01T00:00:00Z");
    }
    let before = unix_now();
    let run = crate::support::sandbox::Run::of(command);
    let after = unix_now();
    let answer: Value = serde_json::from_str(&run.stdout).map_err(|_| run.stderr.clone())?;
    let (text, unix) = (
        &answer["expiration"],
        answer["expiration_unix"].as_i64().unwrap_or_default(),
    );
    let told = run.stderr.contains("because the credentials expire");
    let right = match end {
        End::At(time) => text == time && told,
        End::After(seconds) => (before + seconds..=after + seconds).contains(&unix) && told,
        End::Never => (before + WEEK..=after + WEEK).contains(&unix) && run.stderr.is_empty(),
    };
    if right {
        Ok(())
    } else {
        Err(format!(
            "ends {text}, {} s from now; stderr: {}",
            unix - before,
            run.stderr
        ))
    }
}

fn unix_now() -> i64 {
    #[expect(
        clippy::disallowed_methods,
        reason = "what the real binary compares with"
    )]
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock");
    i64::try_from(now.as_secs()).expect("a time")
}
