//! `[command.NAME]`: programs that print tokens, as the user defines them. The programs are shell
//! scripts that count their runs. How each kind of answer is read is tested in unit tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Stdio};

use crate::support::desk::at_terminal;
use crate::support::sandbox::{RDS_HOST, Run, Sandbox};

const HOST: &str = "crm.example.com";
/// The clock of pgcred in these tests, and the end of a token an hour later.
const NOW: &str = "2030-01-01T00:00:00Z";
const IN_AN_HOUR: u32 = 1_893_459_600;

/// A home with a program `tool` that prints tokens, and a configuration that names it.
struct Tool {
    sandbox: Sandbox,
}

impl Tool {
    /// Returns a tool of a kind. `definition` has more keys of it.
    fn new(kind: &str, definition: &str) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.at(NOW);
        let tool = Self { sandbox };
        tool.prints(&format!(
            "echo \"{{\\\"token\\\":\\\"token-$n\\\",\\\"user\\\":\\\"v-$n\\\",\\\"end\\\":\
             {IN_AN_HOUR}}}\""
        ));
        tool.write_config(kind, definition, "");
        tool
    }

    fn write_config(&self, kind: &str, definition: &str, more: &str) {
        let script = self.sandbox.path("tool.sh");
        let home = self.sandbox.home().display();
        let config = format!(
            "[command.tool]\nrun = [\"sh\", \"{}\", \"{home}\"]\ntoken = \"token\"\n\
             expires = \"end\"\nkind = \"{kind}\"\n{definition}\n\
             [connections.crm]\nhost = \"{HOST}\"\nuser = \"Prod Readers\"\nprovider = \"tool\"\n\
             {more}",
            script.display()
        );
        fs::write(self.config(), config).expect("written");
    }

    fn config(&self) -> PathBuf {
        self.sandbox.own().join("config.toml")
    }

    /// Makes the program do this. `$n` is the number of the run, `$1` the home.
    fn prints(&self, script: &str) {
        let text = format!(
            "n=$(cat \"$1/runs\" 2>/dev/null | wc -l); n=$((n + 1))\n\
                            echo x >>\"$1/runs\"\n{script}\n"
        );
        self.sandbox.write("tool.sh", text);
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.sandbox.path("runs")).map_or(0, |text| text.lines().count())
    }

    fn spawn(&self) -> Child {
        let mut pgcred = self.sandbox.pgcred(&["token", "crm"]);
        pgcred.stdout(Stdio::piped()).stderr(Stdio::piped());
        pgcred.spawn().expect("it starts")
    }
}

#[test]
fn the_token_of_a_command_goes_where_every_token_goes() {
    let tool = Tool::new("mint", "");
    assert_eq!(tool.sandbox.ok(&["token", "crm"]), "token-1\n");
    let json = tool.sandbox.ok(&["token", "crm", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["user"], "Prod Readers");
    assert_eq!(json["source"]["type"], "command");
    assert_eq!(json["source"]["command"], "tool");
    assert_eq!(json["source"]["cached"], true);
    assert_eq!(json["expiration"], "2030-01-01T01:00:00Z");
    assert_eq!(tool.runs(), 1);
    let run = tool.sandbox.run(&["refresh"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("lasts only"), "{}", run.stderr);
    let passfile = String::from_utf8(tool.sandbox.read(".pgpass")).expect("UTF-8");
    assert!(
        passfile.contains(&format!("{HOST}:5432:*:Prod Readers:token-1\n")),
        "{passfile}"
    );
    let url = tool
        .sandbox
        .ok(&["exec", "crm", "--", "sh", "-c", "echo $PGUSER@$PGHOST"]);
    assert_eq!(url, format!("Prod Readers@{HOST}\n"));
    assert!(tool.sandbox.ok(&["list"]).contains("crm"));
    assert_eq!(tool.runs(), 1);
}

#[test]
fn sixty_four_askers_are_one_run() {
    let tool = Tool::new("caches", "");
    tool.prints(&format!(
        "sleep 0.2; echo \"{{\\\"token\\\":\\\"token-$n\\\",\\\"end\\\":{IN_AN_HOUR}}}\""
    ));
    let children: Vec<_> = (0..64).map(|_| tool.spawn()).collect();
    for child in children {
        let run = Run::finished(child.wait_with_output().expect("it ends"));
        assert_eq!((run.code, &*run.stdout), (0, "token-1\n"), "{}", run.stderr);
    }
    assert_eq!(tool.runs(), 1);
}

#[test]
fn a_rule_an_option_and_a_connection_name_the_command() {
    let tool = Tool::new("mint", "");
    tool.write_config(
        "mint",
        "",
        "[[match]]\nhost = \"*.ruled.example.com\"\nprovider = \"tool\"\n",
    );
    let by_rule = ["token", "a.ruled.example.com", "--user", "u"];
    assert_eq!(tool.sandbox.ok(&by_rule), "token-1\n");
    let by_option = [
        "token",
        "any.example.com",
        "--user",
        "u",
        "--provider",
        "tool",
    ];
    assert_eq!(tool.sandbox.ok(&by_option), "token-2\n");
    tool.sandbox
        .run(&[
            "token",
            "any.example.com",
            "--user",
            "u",
            "--provider",
            "none",
        ])
        .assert_fails(2, "no such provider");
    tool.sandbox
        .run(&["token", "any.example.com", "--user", "u"])
        .assert_fails(4, "is not a configured connection");
    let added = tool.sandbox.run(&[
        "add",
        "new",
        "new.example.com",
        "--user",
        "u",
        "--provider",
        "tool",
    ]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    assert_eq!(tool.sandbox.ok(&["token", "new"]), "token-3\n");
}

#[test]
fn vars_fill_the_placeholders_of_a_connection() {
    let tool = Tool::new("mint", "");
    tool.prints("echo \"{\\\"token\\\":\\\"$2\\\",\\\"end\\\":1893459600}\"");
    let config = fs::read_to_string(tool.config()).expect("text");
    let config = config.replace("\"]\ntoken", "\", \"{endpoint}\"]\ntoken");
    fs::write(tool.config(), &config).expect("written");
    tool.sandbox
        .run(&["token", "crm"])
        .assert_fails(2, "connections.crm: vars has no `endpoint`");
    let with_vars = config.clone() + "vars = { endpoint = \"projects/p; rm -rf\" }\n";
    fs::write(tool.config(), with_vars).expect("written");
    assert_eq!(tool.sandbox.ok(&["token", "crm"]), "projects/p; rm -rf\n");
    let with_option = config + "vars = { endpoint = \"--help\" }\n";
    fs::write(tool.config(), with_option).expect("written");
    tool.sandbox
        .run(&["token", "crm"])
        .assert_fails(2, "begins with `-`");
}

#[test]
fn add_writes_vars_and_changes_each_by_itself() {
    let tool = Tool::new("mint", "");
    tool.prints("echo \"{\\\"token\\\":\\\"$2+$3\\\",\\\"end\\\":1893459600}\"");
    let config = fs::read_to_string(tool.config()).expect("text");
    let (definition, _) = config.split_once("[connections").expect("a connection");
    let definition = definition.replace("\"]\ntoken", "\", \"{role}\", \"-m={mount}\"]\ntoken");
    fs::write(tool.config(), &definition).expect("written");
    let add = |vars: &[&str]| {
        let mut words = vec!["add", "new", HOST, "--user", "u", "--provider", "tool"];
        for var in vars {
            words.extend(["--var", var]);
        }
        tool.sandbox.run(&words)
    };
    for (vars, what) in [
        (&["role=r"] as &[&str], "--var mount=VALUE"),
        (&["role=r", "mount="], "the value of `mount` is empty"),
        (
            &["role=r", "mount=m", "rule=x"],
            "has no placeholder `rule`",
        ),
        (&["role=-r", "mount=m"], "begins with `-`"),
        (
            &["role=r", "mount=m", "mount=n"],
            "--var `mount=n`: `mount` is given twice",
        ),
        (&["role=r", "mount=m", "host=h"], "fills in {host} itself"),
        (&["role=r", "mount"], "KEY=VALUE"),
        (&["role=r", "mount=m\nn"], "control character"),
    ] {
        add(vars).assert_fails(2, what);
        assert_eq!(fs::read_to_string(tool.config()).expect("text"), definition);
    }
    let added = add(&["role=r=1", "mount=-m"]);
    assert_eq!(added.code, 0, "{}", added.stderr);
    let written = fs::read_to_string(tool.config()).expect("text");
    let vars = "vars = { mount = \"-m\", role = \"r=1\" }\n";
    assert!(written.contains(vars), "{written}");
    assert_eq!(tool.sandbox.ok(&["token", "new"]), "r=1+-m=-m\n");
    tool.sandbox
        .ok(&["add", "new", "--var", "role=w", "--replace"]);
    assert_eq!(tool.sandbox.ok(&["token", "new"]), "w+-m=-m\n");
    tool.sandbox
        .run(&["add", "aws", RDS_HOST, "--user", "u", "--var", "role=r"])
        .assert_fails(2, "rds takes no vars");
}

#[test]
fn a_definition_is_the_users_own() {
    let tool = Tool::new("mint", "");
    let mode = |path: &PathBuf, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    };
    mode(&tool.config(), 0o666);
    tool.sandbox
        .run(&["token", "crm"])
        .assert_fails(2, "other users change it");
    mode(&tool.config(), 0o600);
    let shared = tool.sandbox.path("shared.toml");
    fs::copy(tool.config(), &shared).expect("copied");
    let named = ["token", "crm", "--config", shared.to_str().expect("UTF-8")];
    assert_eq!(tool.sandbox.ok(&named), "token-1\n");
    mode(&shared, 0o666);
    tool.sandbox
        .run(&named)
        .assert_fails(2, "has to be the user's own");
    assert_eq!(tool.runs(), 1);
}

#[test]
fn a_wrong_definition_says_line_and_key() {
    let tool = Tool::new("mint", "");
    for (keys, says) in [
        ("run = []", "line 2: command.x.run: the list is empty"),
        ("token = \"t\"", "line 1: command.x: run is missing"),
        (
            "run = [\"{host}\"]",
            "line 2: command.x.run: the program has a placeholder",
        ),
        (
            "run = [\"./a\"]",
            "line 2: command.x.run: the path of the program is not absolute",
        ),
        ("run = [\"a\", \"{b\"]", "line 2: command.x.run: "),
        (
            "run = [\"a\"]\nkind = \"cache\"",
            "line 3: command.x.kind: no such kind of command",
        ),
        (
            "run = [\"a\"]\nexpires = \"e\"",
            "line 1: command.x: token is missing",
        ),
        (
            "run = [\"a\", \"{life}\"]",
            "line 1: command.x: life is missing",
        ),
        (
            "run = [\"a\"]\nspare = 60",
            "line 1: command.x: spare is for",
        ),
        (
            "run = [\"a\"]\nlogin_if = \"x\"",
            "line 1: command.x: login is missing",
        ),
        (
            "run = [\"a\"]\nlogin = \"a && b\"",
            "line 3: command.x.login: not a command",
        ),
        (
            "run = [\"a\"]\nlogin = \"a --profile {profile}\"",
            "line 3: command.x.login: login takes only the placeholder {profile}",
        ),
        (
            "run = [\"a\"]\nlogin = \"a --user={user}\"",
            "line 3: command.x.login: login takes only the placeholder {profile}",
        ),
        (
            "run = [\"a\"]\nvariables = [\"*\"]",
            "line 3: command.x.variables: not the name of a variable",
        ),
        (
            "run = [\"a\"]\nvariables = [\"A B\"]",
            "line 3: command.x.variables: not the name of a variable",
        ),
        (
            "run = [\"a\"]\nwatch = [\"$/x\"]",
            "line 3: command.x.watch: not the name of a variable",
        ),
        (
            "run = [\"a\"]\nwatch = [\"session.json\"]",
            "line 3: command.x.watch: not the whole path of a file",
        ),
        (
            "run = [\"a\"]\nshell = true",
            "line 3: command.x.shell: no such key",
        ),
    ] {
        fs::write(tool.config(), format!("[command.x]\n{keys}\n")).expect("written");
        tool.sandbox.run(&["list"]).assert_fails(2, says);
    }
    fs::write(tool.config(), "[command.rds]\nrun = [\"a\"]\n").expect("written");
    tool.sandbox
        .run(&["list"])
        .assert_fails(2, "a provider `rds` of its own");
}

#[test]
fn a_command_that_creates_users_runs_for_a_name_alone() {
    let mut tool = Tool::new("creates", "user = \"user\"");
    let config = fs::read_to_string(tool.config()).expect("text");
    fs::write(
        tool.config(),
        config.replace("user = \"Prod Readers\"\n", ""),
    )
    .expect("written");
    for arguments in [
        &["refresh"][..],
        &["refresh", "--fresh"],
        &["refresh", "--background"],
        &["prompt"],
        &["list"],
        &["setup"],
    ] {
        let run = tool.sandbox.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    }
    tool.sandbox
        .run(&["refresh", "crm", "--background"])
        .assert_fails(2, "creates a user of the database");
    assert_eq!(tool.runs(), 0);
    // PGUSER is that of another database.
    tool.sandbox.set("PGUSER", "me");
    let json = tool.sandbox.ok(&["token", "crm", "--format", "libpq-json"]);
    assert!(json.contains("\"user\":\"v-1\""), "{json}");
    let exec = [
        "exec",
        "crm",
        "--",
        "sh",
        "-c",
        "echo $PGUSER; cat \"$PGPASSFILE\"",
    ];
    let text = tool.sandbox.ok(&exec);
    assert_eq!(text, format!("v-1\n{HOST}:5432:*:v-1:token-1\n"));
    tool.sandbox.at("2030-01-01T00:53:00Z");
    for arguments in [&["refresh"][..], &["refresh", "--background"]] {
        assert_eq!(tool.sandbox.run(arguments).code, 0);
    }
    assert_eq!(tool.runs(), 1);
    let run = tool.sandbox.run(&["refresh", "crm"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("nothing renews"), "{}", run.stderr);
    let passfile = String::from_utf8(tool.sandbox.read(".pgpass")).expect("UTF-8");
    assert!(
        passfile.contains(&format!("{HOST}:5432:*:v-2:token-2\n")),
        "{passfile}"
    );
    assert!(tool.sandbox.ok(&["list"]).contains("v-2"));
    tool.sandbox
        .run(&["token", "crm", "--user", "me", "--fresh"])
        .assert_fails(2, "creates a user for each token");
    assert_eq!(tool.runs(), 2);
}

#[test]
fn a_long_token_goes_everywhere_but_into_a_line_of_cmd() {
    let mut tool = Tool::new("caches", "");
    for (length, minute, fits) in [(7_000, 1, true), (9_000, 2, false)] {
        tool.sandbox.at(&format!("2030-01-01T00:0{minute}:00Z"));
        tool.prints(&format!(
            "t=$(head -c {length} /dev/zero | tr '\\0' x)\n\
             echo \"{{\\\"token\\\":\\\"$t\\\",\\\"end\\\":{IN_AN_HOUR}}}\""
        ));
        let long = "x".repeat(length);
        assert_eq!(
            tool.sandbox.ok(&["token", "crm", "--fresh"]),
            format!("{long}\n")
        );
        for format in ["json", "env", "url", "conninfo", "powershell"] {
            assert!(
                tool.sandbox
                    .ok(&["token", "crm", "--format", format])
                    .contains(&long)
            );
        }
        let cmd = tool.sandbox.run(&["token", "crm", "--format", "cmd"]);
        if fits {
            assert!(cmd.stdout.contains(&long), "{}", cmd.stderr);
        } else {
            cmd.assert_fails(2, "longer than a line of cmd.exe");
        }
        let run = tool.sandbox.run(&["refresh"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        let passfile = String::from_utf8(tool.sandbox.read(".pgpass")).expect("UTF-8");
        assert!(passfile.contains(&format!(":Prod Readers:{long}\n")));
    }
}

/// Two roles of one database: each token has its own user, and so its own line.
#[test]
fn two_connections_without_a_user_are_not_the_same() {
    let tool = Tool::new("creates", "user = \"user\"");
    let config = fs::read_to_string(tool.config()).expect("text");
    let config = config.replace("user = \"Prod Readers\"\n", "")
        + &format!(
            "[connections.other]\nhost = \"{HOST}\"\nprovider = \"tool\"\nprofile = \"p\"\n"
        );
    fs::write(
        tool.config(),
        config.replace("\"]\ntoken", "\", \"{dbname}\"]\ntoken") + "dbname = \"other\"\n",
    )
    .expect("written");
    let run = tool.sandbox.run(&["refresh", "crm", "other"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(!run.stderr.contains("both"), "{}", run.stderr);
    let passfile = String::from_utf8(tool.sandbox.read(".pgpass")).expect("UTF-8");
    for n in 1..=2 {
        assert!(
            passfile.contains(&format!(":*:v-{n}:token-{n}\n")),
            "{passfile}"
        );
    }
    let run = tool.sandbox.run(&["remove", "other"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let passfile = String::from_utf8(tool.sandbox.read(".pgpass")).expect("UTF-8");
    assert_eq!(passfile.matches(":*:v-").count(), 1, "{passfile}");
}

#[test]
fn an_hour_of_prompts_runs_a_caching_tool_twice_at_most() {
    let mut tool = Tool::new("caches", "");
    for minute in 0..60 {
        let end = IN_AN_HOUR + if minute < 55 { 0 } else { 3_600 };
        tool.prints(&format!("echo '{{\"token\":\"same\",\"end\":{end}}}'"));
        tool.sandbox.at(&format!("2030-01-01T00:{minute:02}:00Z"));
        let run = tool.sandbox.run(&["refresh", "--background"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
    }
    assert_eq!(tool.runs(), 2);
}

#[test]
fn a_missing_login_says_what_to_type_and_login_types_it() {
    let tool = Tool::new(
        "caches",
        "login = \"sh login.sh\"\nlogin_if = \"run it|AADSTS\"",
    );
    tool.prints("echo 'AADSTS700: expired' >&2; exit 1");
    let run = tool.sandbox.run(&["token", "crm"]);
    run.assert_fails(3, "needs a login: AADSTS700: expired");
    assert!(
        run.stderr.contains("hint: run `sh login.sh`"),
        "{}",
        run.stderr
    );
    tool.sandbox
        .run(&["login", "--provider", "tool"])
        .assert_fails(3, "there is no terminal to log in at");
    assert!(tool.sandbox.ok(&["login", "--help"]).contains("--provider"));
}

/// Another account's token must not be handed out.
#[test]
fn variables_and_files_that_decide_who_logs_in_keep_tokens_apart() {
    let mut tool = Tool::new("mint", "");
    tool.write_config(
        "mint",
        "variables = [\"CORP_ADDR\", \"CORP_OF_*\"]\nwatch = [\"$CORP_HOME/sessions\"]",
        "[connections.az]\nhost = \"crm.postgres.database.azure.com\"\nuser = \"ann\"\n",
    );
    let token = |tool: &Tool| tool.sandbox.ok(&["token", "crm"]);
    assert_eq!(token(&tool), "token-1\n");
    tool.sandbox.set("CORP_ADDR", "other");
    assert_eq!(token(&tool), "token-2\n");
    tool.sandbox.set("AZURE_CONFIG_DIR", "/azure");
    tool.sandbox.set("CORP_OF_WORK_USER", "ann");
    let setup = tool.sandbox.run(&["setup", "systemd", "--dry-run"]);
    for name in ["CORP_ADDR", "AZURE_CONFIG_DIR", "CORP_OF_WORK_USER"] {
        assert!(setup.stderr.contains(name), "{name}: {}", setup.stderr);
    }
    tool.sandbox.unset("CORP_ADDR");
    assert_eq!(token(&tool), "token-3\n");
    tool.sandbox.unset("CORP_OF_WORK_USER");
    assert_eq!(token(&tool), "token-1\n");
    tool.sandbox.write("corp/sessions/a", "ann");
    let home = tool.sandbox.path("corp").display().to_string();
    tool.sandbox.set("CORP_HOME", &home);
    assert_eq!(token(&tool), "token-4\n");
    assert_eq!(token(&tool), "token-4\n");
    tool.sandbox.write("corp/sessions/a", "bob");
    assert_eq!(token(&tool), "token-5\n");
    tool.sandbox.write("corp/sessions/b", "cem");
    assert_eq!(token(&tool), "token-6\n");
}

#[test]
fn a_login_names_the_profile() {
    let tool = Tool::new(
        "caches",
        "login = \"sh login.sh --profile={profile}\"\nlogin_if = \"expired\"",
    );
    tool.sandbox
        .write("login.sh", "echo \"$#:$*\" >\"$HOME/login\"");
    tool.prints("echo expired >&2; exit 1");
    for (profile, says) in [
        (&[][..], "hint: run `sh login.sh`, then try again\n"),
        (
            &["--profile", "a b"],
            "hint: run `sh login.sh '--profile=a b'`, then try again\n",
        ),
    ] {
        let run = tool
            .sandbox
            .run(&[&["token", "crm", "--fresh"], profile].concat());
        run.assert_fails(3, says);
    }
    for (profile, words) in [(&[][..], "0:\n"), (&["a b"], "1:--profile=a b\n")] {
        let run = at_terminal(
            &tool.sandbox,
            &[&["login", "--provider", "tool"], profile].concat(),
        );
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
        assert_eq!(tool.sandbox.read("login"), words.as_bytes());
    }
}

#[test]
fn a_login_ends_the_pause_after_a_failure() {
    let tool = Tool::new("mint", "login = \"true\"\nwatch = [\"~/session\"]");
    tool.sandbox.write("session", "ann");
    // It writes the same bytes with every run, which is no login.
    tool.prints("printf ann >\"$1/session\"; exit 1");
    for _ in 0..3 {
        assert_ne!(tool.sandbox.run(&["refresh", "--background"]).code, 0);
    }
    assert_eq!(tool.runs(), 1);
    // A login that writes what was there before.
    std::thread::sleep(std::time::Duration::from_millis(20));
    tool.sandbox.write("session", "ann");
    tool.sandbox.run(&["refresh", "--background"]);
    tool.sandbox.run(&["refresh", "--background"]);
    assert_eq!(tool.runs(), 2);
    // One that leaves no trace, but was typed through pgcred.
    let run = at_terminal(&tool.sandbox, &["login", "--provider", "tool"]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    tool.sandbox.run(&["refresh", "--background"]);
    assert_eq!(tool.runs(), 3);
}

#[test]
fn debug_shows_the_program_and_no_value() {
    let tool = Tool::new("mint", "env = { KEY = \"s3cret-of-env\" }");
    let config = fs::read_to_string(tool.config()).expect("text");
    let config = config.replace("\"]\ntoken", "\", \"--x={role}\"]\ntoken");
    fs::write(
        tool.config(),
        config + "vars = { role = \"s3cret-of-vars\" }\n",
    )
    .expect("written");
    let run = tool.sandbox.run(&["token", "crm", "--debug"]);
    assert_eq!((run.code, &*run.stdout), (0, "token-1\n"), "{}", run.stderr);
    assert!(
        run.stderr.contains("running sh (command.tool), with role"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains("s3cret") && !run.stderr.contains("token-1"),
        "{}",
        run.stderr
    );
}

/// A fake of the Azure CLI as it is: it keeps its token, and has a time without a zone besides.
#[test]
fn the_host_of_azure_says_that_az_prints_its_tokens() {
    let mut sandbox = Sandbox::empty();
    sandbox.at(NOW);
    let az = sandbox.write(
        "bin/az",
        format!(
            "#!/bin/sh\n\
             if [ -n \"$OUT\" ]; then echo 'ERROR: AADSTS700082: expired' >&2; exit 1; fi\n\
             [ \"$*\" = 'account get-access-token --resource-type oss-rdbms --output json' ] ||\n\
             exit 9\n\
             echo '{{\"accessToken\":\"of-entra\",\"expiresOn\":\"2030-01-01 12:00:00.000000\",\
             \"expires_on\":{IN_AN_HOUR}}}'\n"
        ),
    );
    fs::set_permissions(&az, fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!(
        "{}:{}",
        sandbox.path("bin").display(),
        std::env::var("PATH").expect("PATH")
    );
    sandbox.set("PATH", &path);
    let host = "crm.postgres.database.azure.com";
    let token = ["token", host, "--user", "Prod Readers"];
    assert_eq!(sandbox.ok(&token), "of-entra\n");
    let json = sandbox.ok(&["token", host, "--user", "Prod Readers", "--format", "json"]);
    assert!(
        json.contains("\"refresh_after\":\"2030-01-01T00:55:00Z\""),
        "{json}"
    );
    sandbox.set("OUT", "1");
    let run = sandbox.run(&["token", host, "--user", "other"]);
    run.assert_fails(3, "AADSTS700082: expired");
    assert!(
        run.stderr.contains("hint: run `az login`"),
        "{}",
        run.stderr
    );
    // A table of that name changes the keys that it has.
    let config = "[command.entra]\nlife = 60\n\
                  run = [\"sh\", \"-c\", \"echo '{{\\\"accessToken\\\":\\\"mine\\\"}}'\"]\n";
    fs::write(sandbox.own().join("config.toml"), config).expect("written");
    assert_eq!(
        sandbox.ok(&["token", host, "--user", "other", "--fresh"]),
        "mine\n"
    );
}

/// Whoever runs the host gets a token that may be good for every server of the service.
#[test]
fn a_file_of_a_team_names_no_command_without_a_question() {
    let tool = Tool::new("mint", "");
    for connection in [
        "host = \"evil.example.com\"\nuser = \"u\"\nprovider = \"tool\"\n",
        "host = \"evil.postgres.database.azure.com\"\nuser = \"u\"\n",
    ] {
        let file = tool
            .sandbox
            .write("team.toml", format!("[connections.x]\n{connection}"));
        tool.sandbox
            .run(&["add", "--from", file.to_str().expect("UTF-8"), "--yes"])
            .assert_fails(2, "would be sent to evil.");
    }
    let file = tool
        .sandbox
        .write("team.toml", "[command.x]\nrun = [\"a\"]\n");
    tool.sandbox
        .run(&["add", "--from", file.to_str().expect("UTF-8"), "--yes"])
        .assert_fails(2, "only connections are taken from a shared file");
}

#[test]
fn a_tool_gets_no_user_that_changes() {
    let tool = Tool::new("creates", "user = \"user\"");
    let config = fs::read_to_string(tool.config()).expect("text");
    fs::write(
        tool.config(),
        config.replace("user = \"Prod Readers\"\n", ""),
    )
    .expect("written");
    tool.sandbox
        .run(&["setup", "pgadmin", "crm", "--yes"])
        .assert_fails(2, "each token has another user");
    assert_eq!(tool.runs(), 0);
}
