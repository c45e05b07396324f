//! Every command that `pgcred setup` writes or prints, run as the tool runs it: with a short PATH,
//! no terminal, and a stdin that never ends.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::needs::{PYTHON, python, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, RDS_HOST, Run, SECRET, Sandbox};
use crate::support::sources::{root, rust_files};
use crate::support::splitters;

/// A name of a role with every character that has a meaning for a splitter, a shell, pgAdmin or
/// DBeaver.
const HOSTILE_USER: &str = r#"a"b'c$d `id` \ %PORT% ${host} ;&|"#;

/// A user's desktop, with pgcred in a directory of it and a connection that is not set up yet.
struct Desk {
    sandbox: Sandbox,
    pgcred: PathBuf,
    host: &'static str,
    user: String,
    token: String,
}

impl Desk {
    fn all() -> Vec<Self> {
        let users = [
            ("admin", "programs"),
            (HOSTILE_USER, r#"it's "my" $HOME & ${host} co"#),
        ];
        let desks = users.into_iter().flat_map(|(user, directory)| {
            [HOST, RDS_HOST].map(|host| Self::of(host, user, directory))
        });
        desks.collect()
    }

    fn of(host: &'static str, user: &str, directory: &str) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox
            .set("PATH", "/usr/bin:/bin")
            .at("2030-01-01T00:00:00Z");
        let keys =
            format!("[my dev]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
        sandbox.write(".aws/credentials", keys);
        sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
        let pgcred = sandbox.installed(&format!("{directory}/pgcred"));
        sandbox.installed(&format!("{directory}/pgcred-aws"));
        let mut desk = Self {
            sandbox,
            pgcred,
            host,
            user: user.to_owned(),
            token: String::new(),
        };
        desk.token = desk
            .run_pgcred(&["token", "--no-newline", "--no-cache"])
            .stdout;
        assert!(desk.token.contains("X-Amz-Signature="));
        desk
    }

    fn run_pgcred(&self, arguments: &[&str]) -> Run {
        let mut command = self.sandbox.command(self.pgcred.to_str().expect("UTF-8"));
        command.args(arguments).args([
            "--host",
            self.host,
            "--user",
            &self.user,
            "--profile",
            "my dev",
        ]);
        Run::of(command)
    }

    /// What `setup TOOL` prints.
    fn printed(&self, tool: &str) -> String {
        let run = self.run_pgcred(&["setup", tool, "--print"]);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout
    }

    /// The value of a field in a dialog's text.
    fn field(&self, tool: &str, label: &str) -> String {
        let text = self.printed(tool);
        let line = text
            .lines()
            .find_map(|line| line.trim_start().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no {label} in {text}"))
            .trim_start()
            .to_owned()
    }

    fn last_line(&self, tool: &str) -> String {
        self.printed(tool)
            .lines()
            .last()
            .expect("a line")
            .to_owned()
    }

    fn start(&self, words: &[String]) -> std::process::Child {
        let mut command: Command = self.sandbox.command(&words[0]);
        command.args(&words[1..]).current_dir("/");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts")
    }

    /// Runs words as a tool does; stdin is open until the end.
    fn run(&self, words: &[String]) -> Run {
        let mut child = self.start(words);
        let stdin = child.stdin.take();
        let deadline = Instant::now() + Duration::from_secs(30);
        while child.try_wait().expect("a process").is_none() {
            assert!(Instant::now() < deadline, "{words:?} waits for stdin");
            thread::sleep(Duration::from_millis(5));
        }
        drop(stdin);
        Run::finished(child.wait_with_output().expect("an end"))
    }

    fn by_sh(&self, line: &str) -> Run {
        self.run(&["/bin/sh", "-c", line].map(str::to_owned))
    }

    fn by_dbeaver(&self, line: &str) -> Run {
        let expanded = line
            .replace("${host}", "EXPANDED")
            .replace("${user}", "EXPANDED");
        self.run(&splitters::dbeaver(&expanded, false))
    }

    /// What pgAdmin does to a command before the shell sees it.
    fn by_pgadmin(&self, line: &str) -> Run {
        self.by_sh(
            &line
                .replace("%HOSTNAME%", "EXPANDED")
                .replace("%PORT%", "1")
                .replace("%USERNAME%", "\"x\""),
        )
    }

    fn by_dbee(&self, line: &str) -> Run {
        match go_exec(line) {
            Some(words) => self.run(&words),
            None => self.by_sh(line),
        }
    }

    fn assert_token(&self, run: &Run, what: &str) {
        assert_eq!(
            (run.code, &*run.stdout),
            (0, &*format!("{}\n", self.token)),
            "{what}: {}",
            run.stderr
        );
    }

    fn assert_json(&self, run: &Run, what: &str) -> Value {
        assert_eq!(run.code, 0, "{what}: {}", run.stderr);
        let json: Value = serde_json::from_str(&run.stdout).expect("JSON");
        assert_eq!(
            (&json["password"], &json["user"]),
            (&Value::from(&*self.token), &Value::from(&*self.user)),
            "{what}"
        );
        json
    }

    fn assert_url(&self, text: &str, what: &str) {
        let plain = |text: &str| {
            percent_encoding::percent_decode_str(text)
                .decode_utf8()
                .expect("UTF-8")
                .into_owned()
        };
        let url = url::Url::parse(text).unwrap_or_else(|error| panic!("{what}: {error}: {text}"));
        assert_eq!(
            (plain(url.username()), plain(url.password().expect("one"))),
            (self.user.clone(), self.token.clone())
        );
        assert_eq!(
            (url.host_str(), text.trim_end()),
            (Some(self.host), text),
            "{what}"
        );
    }

    /// Removes the keys and the cached tokens, so that the same commands must fail.
    fn without_keys(&mut self) -> &Self {
        fs::remove_file(self.sandbox.path(".aws/credentials")).expect("removed");
        self.sandbox.set("PGCRED_CACHE", "none");
        self
    }

    fn assert_nothing(&mut self, run: impl Fn(&Self) -> Run, what: &str) {
        let run = run(self.without_keys());
        assert!(
            run.code != 0 && run.stdout.is_empty() && !run.stderr.is_empty(),
            "{what}: {} {}",
            run.code,
            run.stdout
        );
    }
}

#[test]
fn commands_for_tools_that_run_a_shell_print_the_token() {
    for mut desk in Desk::all() {
        let command = desk.last_line("tableplus");
        desk.assert_token(&desk.by_sh(&command), "tableplus");
        let words = ["/bin/bash", "-c", &desk.last_line("tablepro")].map(str::to_owned);
        desk.assert_token(&desk.run(&words), "tablepro");

        let script = desk.last_line("postico");
        let json = desk.assert_json(&desk.by_sh(&script), "postico");
        let strings = json
            .as_object()
            .expect("an object")
            .values()
            .all(Value::is_string);
        assert!(
            strings && json["host"] == desk.host && json["port"] == "5432",
            "{json}"
        );

        let profile = desk.field("dbcode", "Command ");
        let json = desk.assert_json(&desk.by_sh(&profile), "dbcode");
        let paths = [
            desk.field("dbcode", "Password path"),
            desk.field("dbcode", "Username path"),
        ];
        assert_eq!(
            [&json[&paths[0]], &json[&paths[1]]],
            [&*desk.token, &*desk.user]
        );
        for line in [command, script, profile] {
            desk.sandbox.write(".aws/credentials", "");
            desk.assert_nothing(|desk| desk.by_sh(&line), &line);
        }
    }
}

#[test]
fn lazysql_and_rainfrog_get_a_url() {
    for mut desk in Desk::all() {
        let text = desk.printed("lazysql");
        let config: toml::Table = text
            .split_once('\n')
            .expect("a heading")
            .1
            .parse()
            .expect("TOML");
        let database = &config["database"][0];
        let command = &database["Commands"][0];
        assert_eq!(database["URL"].as_str(), Some("${url}"));
        assert_eq!(command["SaveOutputTo"].as_str(), Some("url"));
        let line = command["Command"].as_str().expect("a command").to_owned();
        let run = desk.by_sh(&line);
        assert_eq!(run.code, 0, "{}", run.stderr);
        desk.assert_url(&run.stdout, "lazysql"); // exactly as printed: lazysql does not trim it

        let rainfrog = "rainfrog() { [ $# = 0 ] && printf %s \"$DATABASE_URL\"; }";
        let run = desk.by_sh(&format!("{rainfrog}\n{}", desk.printed("rainfrog")));
        desk.assert_url(&run.stdout, "rainfrog");
        desk.assert_nothing(|desk| desk.by_sh(&line), "lazysql");
    }
}

/// Other users of the machine can read the arguments of a program. Only the user can read its
/// environment.
#[test]
fn no_command_has_a_token_in_its_arguments() {
    const TO_VARIABLES: [&str; 4] = ["DATABASE_URL=\"", "PGPASSWORD=\"", "eval \"", "vars="];
    let desk = Desk::of(HOST, "admin", "programs");
    let mut texts = vec![
        fs::read_to_string(root().join("README.md")).expect("a README"),
        desk.sandbox.ok(&["help", "token"]),
    ];
    for directory in fs::read_dir(root().join("src")).expect("a directory") {
        texts.extend(fs::read_to_string(
            directory.expect("an entry").path().join("README.md"),
        ));
    }
    for directory in fs::read_dir(root().join("integrations")).expect("a directory") {
        let directory = directory.expect("an entry").path();
        texts.extend(fs::read_to_string(directory.join("README.md")));
        if directory.join("dialog.txt").exists() {
            texts.push(
                desk.printed(
                    directory
                        .file_name()
                        .and_then(|name| name.to_str())
                        .expect("a name"),
                ),
            );
        }
    }
    let program = desk.pgcred.display().to_string();
    let starts = [format!("$({program} token"), "$(pgcred token".to_owned()];
    let mut found = 0;
    for text in &texts {
        for (at, _) in text
            .match_indices("$(")
            .filter(|(at, _)| starts.iter().any(|start| text[*at..].starts_with(start)))
        {
            assert!(
                TO_VARIABLES.iter().any(|start| text[..at].ends_with(start)),
                "{}",
                &text[..at + 60]
            );
            found += 1;
        }
    }
    assert!(found > 3, "{found}");
}

/// The command of a new tool is run here, too, or by the tool itself among the clients.
#[test]
fn the_command_of_every_tool_is_run() {
    let mut table = String::new();
    for (_, text) in rust_files("integrations") {
        table += &text;
    }
    let mut tests = fs::read_to_string(root().join(file!())).expect("this file");
    for (_, text) in rust_files("tests/it/clients") {
        tests.push_str(&text);
    }
    let mut names = Vec::new();
    for row in table.split("Tool {").skip(1) {
        if row
            .split('}')
            .next()
            .is_some_and(|row| row.contains("ToolKind::Command"))
        {
            names.extend(row.split('"').nth(1));
        }
    }
    assert!(names.len() > 7, "{names:?}");
    names.retain(|name| !tests.contains(&format!("\"{name}\"")));
    assert!(names.is_empty(), "no test runs the commands of {names:?}");
}

/// Splits a line at single blanks, as `execCommand` of nvim-dbee does. Returns `None` if it
/// contains a pipe, because nvim-dbee runs sh then.
fn go_exec(line: &str) -> Option<Vec<String>> {
    (!line.contains(" | ")).then(|| line.split(' ').map(str::to_owned).collect())
}

/// Returns the command of a Go template that is `{{ exec COMMAND }}` and nothing else.
fn go_template(text: &str) -> String {
    let string = text
        .strip_prefix("{{ exec ")
        .and_then(|rest| rest.strip_suffix(" }}"))
        .expect("one action");
    match string
        .strip_prefix('`')
        .and_then(|rest| rest.strip_suffix('`'))
    {
        Some(raw) if !raw.contains('`') => raw.to_owned(),
        _ => serde_json::from_str(string).expect("a quoted string"),
    }
}

#[test]
fn nvim_dbee_splits_commands_at_blanks() {
    for mut desk in Desk::all() {
        let json: Value = serde_json::from_str(&desk.last_line("nvim-dbee")).expect("JSON");
        let line = go_template(json["url"].as_str().expect("a URL"));
        let run = desk.by_dbee(&line);
        desk.assert_url(run.stdout.trim(), "nvim-dbee");
        let nothing = desk.without_keys().by_dbee(&line);
        assert_eq!(nothing.stdout, ""); // exit codes do not pass a pipe, and nvim-dbee ignores them
    }
}

/// A single bar would make nvim-dbee run a shell, which would take every other word for a command.
#[test]
fn no_word_of_a_command_is_a_pipe_to_nvim_dbee() {
    let sandbox = Sandbox::with_keys();
    let user = "x;touch${IFS}touched;";
    let printed = sandbox.ok(&[
        "setup",
        "nvim-dbee",
        HOST,
        "--user",
        user,
        "--profile",
        "|",
        "--print",
    ]);
    let json: Value = serde_json::from_str(printed.lines().last().expect("a line")).expect("JSON");
    let line = go_template(json["url"].as_str().expect("a URL"));
    assert!(go_exec(&line).is_none(), "{line}"); // sh runs it, so that all is quoted for sh
    let mut shell = sandbox.command("/bin/sh");
    let run = Run::of({
        shell.args(["-c", &line]);
        shell
    });
    assert!(run.stderr.contains("no AWS profile `|`"), "{}", run.stderr);
    assert!(!sandbox.path("touched").exists());
}

#[test]
fn pgadmin_runs_a_shell_on_a_stdin_that_never_ends() {
    for mut desk in Desk::all() {
        let servers: Value = serde_json::from_str(&desk.printed("pgadmin")).expect("JSON");
        let server = &servers["Servers"]["1"];
        for key in ["Name", "Group", "MaintenanceDB", "Host", "Username"] {
            assert!(
                server[key].as_str().is_some_and(|text| !text.is_empty()),
                "{key}: {server}"
            );
        }
        assert!(server["Port"].is_u64() && server["PasswordExecExpiration"] == 0);
        assert!(
            server["ConnectionParameters"]["passfile"].is_null(),
            "it would beat the command"
        );
        let line = server["PasswordExecCommand"]
            .as_str()
            .expect("a command")
            .to_owned();
        assert!(line.ends_with(" < /dev/null"));
        desk.assert_token(&desk.by_pgadmin(&line), "pgadmin");
        desk.assert_nothing(|desk| desk.by_pgadmin(&line), "pgadmin");
    }
}

/// Beekeeper runs no shell. It calls the program with these arguments.
#[test]
fn beekeeper_calls_the_aws_cli() {
    for mut desk in Desk::all() {
        let path = desk.field("beekeeper", "CLI path");
        let words = [
            &*path,
            "rds",
            "generate-db-auth-token",
            "--hostname",
            desk.host,
            "--port",
            "5432",
            "--region",
        ];
        let (region, profile) = (
            desk.field("beekeeper", "AWS region"),
            desk.field("beekeeper", "AWS profile"),
        );
        let words: Vec<String> = words
            .into_iter()
            .chain([&*region, "--username", &desk.user, "--profile", &profile])
            .map(str::to_owned)
            .collect();
        desk.assert_token(&desk.run(&words), "beekeeper");
        let list = desk.run(&[path, "configure".to_owned(), "list-profiles".to_owned()]);
        assert_eq!((list.code, &*list.stdout), (0, "my dev\n"));
        desk.assert_nothing(|desk| desk.run(&words), "beekeeper");
    }
}

/// The fields are checked as the reader of DBeaver finds them.
fn assert_dbeaver_reads(connection: &Value, desk: &Desk) {
    let configuration = &connection["configuration"];
    let expected: BTreeMap<&str, Value> = BTreeMap::from([
        ("host", desk.host.into()),
        ("port", "5432".into()),
        ("database", "postgres".into()),
        (
            "url",
            format!("jdbc:postgresql://{}:5432/postgres", desk.host).into(),
        ),
        ("configurationType", "MANUAL".into()),
        ("user", desk.user.clone().into()),
        ("type", "dev".into()),
        ("closeIdleConnection", true.into()),
        ("closeIdle", 1800.into()),
    ]);
    for (key, value) in expected {
        assert_eq!(configuration[key], value, "{key}");
    }
    let java = serde_json::json!({
        "sslmode": "verify-full",
        "sslfactory": "org.postgresql.ssl.DefaultJavaSSLFactory"
    });
    let rds = desk.sandbox.own().join("roots/rds-eu-west-1.pem");
    let rds =
        serde_json::json!({ "sslmode": "verify-full", "sslrootcert": rds.display().to_string() });
    assert_eq!(
        configuration["properties"],
        if desk.host == RDS_HOST { rds } else { java }
    );
    assert_eq!(
        (&connection["provider"], &connection["driver"]),
        (&"postgresql".into(), &"postgres-jdbc".into())
    );
    assert!(connection["name"].is_string() && connection["save-password"] == true);
}

#[test]
fn dbeaver_splits_commands_without_a_shell() {
    for mut desk in Desk::all() {
        let version = desk
            .sandbox
            .write("bin/.eclipseproduct", "name=DBeaver\nversion=26.1.4\n");
        let program = desk.sandbox.write("bin/dbeaver", "#!/bin/sh\n");
        fs::set_permissions(program, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .expect("chmod");
        let bin = desk.sandbox.path("bin").display().to_string();
        let read = |desk: &Desk| -> Value {
            let document: Value = serde_json::from_str(&desk.printed("dbeaver")).expect("JSON");
            assert!(document["folders"].is_object());
            let connections = document["connections"]
                .as_object()
                .expect("connections")
                .values();
            let [connection] = connections.collect::<Vec<_>>()[..] else {
                panic!("{document}")
            };
            assert_dbeaver_reads(connection, desk);
            connection["configuration"].clone()
        };
        desk.sandbox.set("PATH", &format!("{bin}:/usr/bin:/bin"));
        let by_command = read(&desk);
        fs::remove_file(version).expect("removed");
        let by_events = read(&desk);
        desk.sandbox.set("PATH", "/usr/bin:/bin");

        assert_eq!(by_command["auth-model"], "shell_command");
        let properties = by_command["auth-properties"]
            .as_object()
            .expect("properties");
        assert!(properties.values().all(Value::is_string), "{properties:?}");
        assert_eq!(properties["passwordCommandTimeoutMs"], "30000");
        let line = properties["passwordCommand"]
            .as_str()
            .expect("a command")
            .to_owned();
        desk.assert_token(&desk.by_dbeaver(&line), "dbeaver");

        assert_eq!(by_events["auth-model"], "postgres_pgpass");
        let events = by_events["events"].as_object().expect("events");
        for (name, event) in events {
            for key in [
                "enabled",
                "show-panel",
                "wait-process",
                "terminate-at-disconnect",
            ] {
                assert!(event[key].is_boolean(), "{name} {key}");
            }
            assert!(
                event["enabled"] == true
                    && event["show-panel"] == false
                    && event["pauseAfterExecute"] == 0
            );
        }
        let (before, after) = (&events["BEFORE_CONNECT"], &events["AFTER_CONNECT"]);
        assert!(before["wait-process"] == true && before["wait-process-timeout"] == 30_000);
        assert!(after["wait-process"] == false && after["terminate-at-disconnect"] == true);

        let run = desk.by_dbeaver(before["command"].as_str().expect("a command"));
        assert_eq!((run.code, &*run.stdout, &*run.stderr), (0, "", ""));
        let escape = |text: &str| text.replace('\\', r"\\").replace(':', r"\:");
        let entry = format!(
            "\n{}:5432:*:{}:{}\n",
            desk.host,
            escape(&desk.user),
            escape(&desk.token)
        );
        let passfile = || String::from_utf8(desk.sandbox.read(".pgpass")).expect("text");
        assert!(passfile().contains(&entry), "{entry} not in {}", passfile());
        fs::remove_file(desk.sandbox.path(".pgpass")).expect("removed");

        let words = splitters::dbeaver(after["command"].as_str().expect("a command"), false);
        let mut child = desk.start(&words);
        let deadline = Instant::now() + Duration::from_secs(30);
        while !desk.sandbox.path(".pgpass").exists() {
            assert!(Instant::now() < deadline, "{words:?} files nothing");
            thread::sleep(Duration::from_millis(10));
        }
        drop(child.stdin.take()); // DBeaver has crashed
        assert_eq!(
            Run::finished(child.wait_with_output().expect("an end")).code,
            0
        );
        assert!(passfile().contains(&entry));
        desk.assert_nothing(|desk| desk.by_dbeaver(&line), "dbeaver");
    }
}

#[test]
fn the_data_source_of_datagrip_is_valid_xml() {
    skip_unless!(PYTHON);
    let sandbox = Sandbox::with_keys();
    let printed = sandbox.ok(&["setup", "datagrip", HOST, "--user", "a&b\"<c>"]);
    let line = printed
        .lines()
        .find(|line| line.starts_with("<data-source"))
        .expect("the data source");
    let parse = "import sys, xml.etree.ElementTree as tree\n\
        source = tree.fromstring(sys.argv[1])\n\
        assert source.find('user-name').text == 'a&b\"<c>', source\n\
        assert source.find('auth-provider').text == 'pgpass' and source.get('uuid')\n\
        assert '&sslfactory=' in source.find('jdbc-url').text\n";
    let mut python = sandbox.command(&python());
    python.args(["-c", parse, line]);
    let parsed = Run::of(python);
    assert_eq!(parsed.code, 0, "{}", parsed.stderr);
}
