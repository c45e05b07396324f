//! Every output format, read by the program for which it is meant.

use serde_json::Value;

#[cfg(unix)]
use crate::support::needs::{package, program, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};

/// A name of a role and a database with every character that quoting can get wrong.
const USER: &str = r#"o'ne\il $HOME `id` "x" %PATH% &;|<>(){}[]*?~!# é ’"#;
const DBNAME: &str = r"d'b\ $x";

/// The file of root certificates that the user names. Files that pgcred finds are tested in
/// tests/it/commands/roots.rs.
const ROOTS: &str = if cfg!(windows) {
    r"Z:\my ca.pem"
} else {
    "/my ca.pem"
};

fn sandbox() -> Sandbox {
    let mut sandbox = Sandbox::with_keys();
    sandbox.set("PGSSLROOTCERT", ROOTS);
    sandbox
        .at("2030-01-01T00:00:00Z")
        .set("AWS_SESSION_TOKEN", "tok/en+with=signs");
    sandbox
}

fn printed(format: &str) -> String {
    sandbox().ok(&[
        "token", HOST, "--user", USER, "--dbname", DBNAME, "--format", format,
    ])
}

/// Returns the token that every format must contain.
fn token() -> String {
    sandbox().ok(&["token", HOST, "--user", USER, "-n"])
}

fn json(format: &str) -> Value {
    let text = printed(format);
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn raw_is_the_token_alone() {
    assert!(token().starts_with(HOST) && !token().ends_with('\n'));
    assert_eq!(printed("raw"), token() + "\n");
}

#[test]
fn json_has_the_fields_of_pgcred() {
    let json = json("json");
    for (field, value) in [
        ("kind", "postgres-credential"),
        ("host", HOST),
        ("dbname", DBNAME),
        ("user", USER),
        ("username", USER),
        ("password", &token()),
        ("sslmode", "verify-full"),
        ("sslrootcert", ROOTS),
        ("issued_at", "2030-01-01T00:00:00Z"),
        ("refresh_after", "2030-01-01T00:10:00Z"),
        ("expiration", "2030-01-01T00:15:00Z"),
    ] {
        assert_eq!(json[field], value, "{field}");
    }
    assert_eq!(
        (&json["version"], &json["port"], &json["expiration_unix"]),
        (&1.into(), &5432.into(), &1_893_456_900_i64.into())
    );
    let source = serde_json::json!(
        {
            "type": "aws-dsql", "action": "DbConnect", "region": "us-east-1", "profile": null,
            "cached": false
        }
    );
    assert_eq!(json["source"], source);
}

#[test]
fn libpq_json_has_only_keywords_of_libpq_and_strings() {
    let expected = serde_json::json!({
        "host": HOST, "port": "5432", "dbname": DBNAME, "user": USER, "password": token(),
        "sslmode": "verify-full",
        "sslrootcert": ROOTS
    });
    assert_eq!(json("libpq-json"), expected);
}

#[test]
fn a_url_parser_reads_the_url() {
    let url = url::Url::parse(printed("url").trim_end()).expect("a URL");
    let plain = |text: &str| {
        percent_encoding::percent_decode_str(text)
            .decode_utf8()
            .expect("UTF-8")
            .into_owned()
    };
    assert_eq!(
        (url.scheme(), url.host_str(), url.port()),
        ("postgresql", Some(HOST), Some(5432))
    );
    assert_eq!(
        (
            plain(url.username()),
            plain(url.password().expect("a password"))
        ),
        (USER.to_owned(), token())
    );
    let roots = percent_encoding::utf8_percent_encode(ROOTS, percent_encoding::NON_ALPHANUMERIC)
        .to_string();
    let query = format!(
        "sslmode=verify-full&sslrootcert={}",
        roots.replace("%2E", ".")
    );
    assert_eq!(
        (plain(&url.path()[1..]), url.query()),
        (DBNAME.to_owned(), Some(&*query))
    );
}

#[test]
fn urlencoded_is_one_part_of_a_url() {
    let text = printed("urlencoded");
    let decoded = percent_encoding::percent_decode_str(text.trim_end())
        .decode_utf8()
        .expect("UTF-8");
    assert_eq!(decoded, token());
    assert!(
        text.trim_end()
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b))
    );
}

/// Other keywords of a conninfo string or URI appear in the formats that have room for them.
#[test]
fn options_of_the_target_are_kept() {
    let target = format!("host={HOST} sslmode=require sslrootcert='/a b' password=old");
    let url = sandbox().ok(&["token", &target, "--format", "url"]);
    assert!(
        url.trim_end()
            .ends_with("?sslmode=require&sslrootcert=%2Fa%20b"),
        "{url}"
    );
    let env = sandbox().ok(&["token", &target, "--format", "env"]);
    assert!(
        env.contains("export PGSSLMODE='require'") && env.contains("export PGSSLROOTCERT='/a b'"),
        "{env}"
    );
}

/// PowerShell only needs single quotes to be doubled. It takes the typographic ones for single
/// quotes too.
#[test]
fn powershell_is_quoted_by_its_rules() {
    let text = printed("powershell");
    let quoted = USER.replace('\'', "''").replace('’', "’’");
    assert!(
        text.contains(&format!("$env:PGUSER = '{quoted}'\n")),
        "{text}"
    );
    assert!(text.contains(&format!("$env:PGPASSWORD = '{}'\n", token())));
}

/// Returns the values of the variables after the shell has run the output.
#[cfg(unix)]
fn in_shell(shell: &str, run: &str, format: &str) {
    let sandbox = sandbox();
    let script = sandbox.write("script", printed(format));
    let show = "printf '%s\\n' \"$PGHOST\" \"$PGPORT\" \"$PGUSER\" \"$PGDATABASE\" \"$PGPASSWORD\" \
        \"$PGSSLMODE\"";
    let mut command = sandbox.command(shell);
    command.args(["-c", &format!("{run} {}; {show}", script.display())]);
    let expected = [HOST, "5432", USER, DBNAME, &token(), "verify-full"].join("\n") + "\n";
    let run = Run::of(command);
    assert_eq!(run.stdout, expected, "{shell}: {}", run.stderr);
}

#[cfg(unix)]
#[test]
fn sh_and_bash_read_env() {
    in_shell("sh", ".", "env");
    in_shell("bash", ".", "env");
}

#[cfg(unix)]
#[test]
fn fish_reads_fish() {
    skip_unless!(program("fish"));
    in_shell("fish", "source", "fish");
}

/// libpq itself reads the conninfo string and the URL; psycopg shows the result.
#[cfg(unix)]
#[test]
fn libpq_reads_conninfo_and_url() {
    skip_unless!(package("psycopg"));
    let expected = serde_json::json!({
        "host": HOST, "port": "5432", "dbname": DBNAME, "user": USER, "password": token(),
        "sslmode": "verify-full",
        "sslrootcert": ROOTS
    });
    for format in ["conninfo", "url"] {
        let sandbox = sandbox();
        let text = sandbox.write("text", printed(format));
        let parse = "import json, sys, psycopg.conninfo as c; \
            print(json.dumps(c.conninfo_to_dict(open(sys.argv[1], \
            encoding='utf-8').read().rstrip('\\n'))))";
        let mut command = sandbox.command(&python());
        command.args(["-c", parse]).arg(text);
        let run = Run::of(command);
        let parsed: Value = serde_json::from_str(&run.stdout)
            .unwrap_or_else(|_| panic!("{format}: {}", run.stderr));
        assert_eq!(parsed, expected, "{format}");
    }
}

/// The real cmd.exe runs `for /f` as `--help` shows it.
#[cfg(windows)]
#[test]
fn cmd_reads_cmd() {
    let sandbox = sandbox();
    let user = r"o'ne\il $HOME %PATH% &;|<>()[]*?~#";
    let text = sandbox.ok(&["token", HOST, "--user", user, "--format", "cmd"]);
    let file = sandbox.write("variables.txt", text);
    let script = format!(
        "@for /f \"delims=\" %%i in ({}) do @%%i\r\n@set PG\r\n",
        file.display()
    );
    let script = sandbox.write("run.cmd", script);
    let mut cmd = sandbox.command("cmd");
    cmd.arg("/c").arg(script);
    let run = Run::of(cmd);
    for line in [
        format!("PGUSER={user}"),
        format!(
            "PGPASSWORD={}",
            sandbox.ok(&["token", HOST, "--user", user, "-n"])
        ),
    ] {
        assert!(
            run.stdout.lines().any(|shown| shown.trim_end() == line),
            "{line} not in {} {}",
            run.stdout,
            run.stderr
        );
    }
}
