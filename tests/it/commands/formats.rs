//! Every format, read back by the program it is for.

use serde_json::Value;

use crate::support::needs::{package, program, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};

/// A role and database name with everything that quoting can get wrong.
const USER: &str = r#"o'ne\il $HOME `id` "x" %PATH% &;|<>(){}[]*?~!# é ’"#;
const DBNAME: &str = r"d'b\ $x";

/// The file that the user says; tests/it/commands/roots.rs is about those that are found.
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

/// The token that all the formats carry.
fn token() -> String {
    sandbox().ok(&["token", HOST, "--user", USER, "-n"])
}

fn json(format: &str) -> Value {
    let text = printed(format);
    assert_eq!(text.lines().count(), 1);
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn raw() {
    assert!(token().starts_with(HOST) && !token().ends_with('\n'));
    assert_eq!(printed("raw"), token() + "\n");
}

#[test]
fn native_json() {
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
fn libpq_json_has_libpqs_keywords_and_strings_only() {
    let expected = serde_json::json!({
        "host": HOST, "port": "5432", "dbname": DBNAME, "user": USER, "password": token(),
        "sslmode": "verify-full",
        "sslrootcert": ROOTS
    });
    assert_eq!(json("libpq-json"), expected);
}

#[test]
fn url_by_a_url_parser() {
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
fn urlencoded_is_one_url_part() {
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

/// Other keywords of a conninfo string or URI go through to the formats that can hold them.
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

/// Doubling single quotes is all that PowerShell's rules ask for; it counts the typographic ones.
#[test]
fn powershell_by_its_rules() {
    let text = printed("powershell");
    let quoted = USER.replace('\'', "''").replace('’', "’’");
    assert!(
        text.contains(&format!("$env:PGUSER = '{quoted}'\n")),
        "{text}"
    );
    assert!(text.contains(&format!("$env:PGPASSWORD = '{}'\n", token())));
}

/// What the shell has in the variables after it ran our text.
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
fn env_by_sh_and_bash() {
    in_shell("sh", ".", "env");
    in_shell("bash", ".", "env");
}

#[cfg(unix)]
#[test]
fn fish_by_fish() {
    skip_unless!(program("fish"));
    in_shell("fish", "source", "fish");
}

/// conninfo and URL by libpq itself, which psycopg shows.
#[cfg(unix)]
#[test]
fn conninfo_and_url_by_libpq() {
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

/// `for /f` as `--help` shows it, in the real cmd.exe.
#[cfg(windows)]
#[test]
fn cmd_by_cmd() {
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
