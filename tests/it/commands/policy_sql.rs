//! The SQL of `pgcred policy`, in a real PostgreSQL with a stub of the role `rds_iam`: whatever the
//! user is called, exactly that role is made, and nothing else is done.

use std::fs;

use crate::support::needs::{program, skip_unless};
use crate::support::postgres::Postgres;
use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

/// Names that are no trouble for the one who types them, and much for the one who quotes badly.
fn names() -> Vec<String> {
    let mut names: Vec<String> = [
        "app2",
        "App",
        "two words",
        " ends with blanks ",
        "O'Hara",
        "say \"hi\"",
        "\"",
        "'",
        "back\\slash\\",
        "x\"; DROP ROLE victim; --",
        "x'; DROP ROLE victim; --",
        "x') ; DROP ROLE victim; --",
        "$$body$$",
        "a--b /* c */",
        "B\u{fc}ro \u{6771}\u{4eac} \u{1F600}",
        "%s {user} ${HOME}",
        "select",
    ]
    .map(str::to_owned)
    .into();
    names.push("x".repeat(63));
    names.push("\u{fc}".repeat(31));
    names
}

fn psql(sandbox: &Sandbox, postgres: &Postgres, arguments: &[&str]) -> Run {
    let mut psql = sandbox.command("psql");
    psql.args(["-XqAt", "-v", "ON_ERROR_STOP=1", "-U", "admin", "-h"])
        .arg(postgres.socket())
        .args(["-d", "postgres"])
        .args(arguments);
    Run::of(psql)
}

/// Runs the SQL for each name, and returns what the last statement of each has answered.
fn made(sandbox: &Sandbox, postgres: &Postgres, host: &str, only: fn(&str) -> bool) -> Vec<String> {
    let mut answers = Vec::new();
    for name in names() {
        let options = [
            "--account",
            "123456789012",
            "--format",
            "sql",
            "--timeout",
            "5",
        ];
        let text = sandbox.ok(&[&["policy", host, "--user", &name], &options[..]].concat());
        let lines: Vec<&str> = text.lines().filter(|line| only(line)).collect();
        let file = sandbox.path("policy.sql");
        fs::write(&file, lines.join("\n")).expect("a file");
        let run = psql(sandbox, postgres, &["-f", &file.display().to_string()]);
        assert_eq!(run.code, 0, "{name:?}: {}{text}", run.stderr);
        answers.push(run.stdout.trim_end().to_owned());
    }
    answers
}

/// Asserts that the roles with LOGIN, besides those of before, are those of the names.
fn assert_roles(sandbox: &Sandbox, postgres: &Postgres) {
    let before = "'app','admin','postgres','victim'";
    let query =
        format!("SELECT rolname FROM pg_roles WHERE rolcanlogin AND rolname NOT IN ({before})");
    let run = psql(sandbox, postgres, &["-c", &query]);
    let mut found: Vec<String> = run.stdout.lines().map(str::to_owned).collect();
    let mut wanted = names();
    found.sort();
    wanted.sort();
    assert_eq!(found, wanted, "{}", run.stderr);
    let victim = "SELECT count(*) FROM pg_roles WHERE rolname = 'victim'";
    assert_eq!(psql(sandbox, postgres, &["-c", victim]).stdout, "1\n");
}

fn start(sandbox: &Sandbox) -> Postgres {
    let postgres = Postgres::start();
    let made = "CREATE ROLE rds_iam; CREATE ROLE victim LOGIN;";
    let run = psql(sandbox, &postgres, &["-c", made]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    postgres
}

#[test]
fn a_user_of_rds_is_made_under_its_own_name() {
    skip_unless!(program("initdb"), program("psql"));
    let sandbox = Sandbox::empty();
    let postgres = start(&sandbox);
    let answers = made(&sandbox, &postgres, RDS_HOST, |_| true);
    assert!(answers.iter().all(|answer| answer == "t"), "{answers:?}");
    assert_roles(&sandbox, &postgres);
}

#[test]
fn a_role_of_dsql_is_made_under_its_own_name() {
    skip_unless!(program("initdb"), program("psql"));
    let sandbox = Sandbox::empty();
    let postgres = start(&sandbox);
    // A stub of what only Aurora DSQL has, so that the last statement finds its role by its name.
    let view = "CREATE SCHEMA sys; CREATE VIEW sys.iam_pg_role_mappings AS \
                SELECT 'found' AS arn, rolname AS pg_role_name FROM pg_roles;";
    assert_eq!(psql(&sandbox, &postgres, &["-c", view]).code, 0);
    let of_postgres = |line: &str| !line.starts_with("AWS IAM GRANT ");
    let answers = made(&sandbox, &postgres, HOST, of_postgres);
    assert!(
        answers.iter().all(|answer| answer == "found"),
        "{answers:?}"
    );
    assert_roles(&sandbox, &postgres);
}

#[test]
fn a_user_behind_a_proxy_is_made() {
    skip_unless!(program("initdb"), program("psql"));
    let sandbox = Sandbox::empty();
    let postgres = start(&sandbox);
    let host = "px.proxy-c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
    let answers = made(&sandbox, &postgres, host, |_| true);
    assert!(answers.iter().all(|answer| answer == "t"), "{answers:?}");
    assert_roles(&sandbox, &postgres);
}
