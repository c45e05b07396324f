//! What `add` and `setup` refuse, and what they accept with a warning: mistakes that the user would
//! otherwise notice only when a client connects.

use std::fs;

use crate::support::sandbox::{HOST, KEY_ID, RDS_HOST, Run, SECRET, Sandbox};
#[cfg(unix)]
use crate::support::sources::root;

fn sandbox() -> Sandbox {
    let sandbox = Sandbox::empty();
    let keys = format!("[dev]\naws_access_key_id = {KEY_ID}\naws_secret_access_key = {SECRET}\n");
    sandbox.write(".aws/credentials", keys);
    sandbox
}

fn config(sandbox: &Sandbox) -> String {
    fs::read_to_string(sandbox.own().join("config.toml")).unwrap_or_default()
}

fn assert_warns(run: &Run, times: usize, says: &str) {
    assert_eq!(run.code, 0, "{}", run.stderr);
    let warnings = run
        .stderr
        .lines()
        .filter(|line| line.contains("warning: ") && line.contains(says))
        .count();
    assert_eq!(warnings, times, "{says}: {}", run.stderr);
}

fn tunnel(port: u16) -> String {
    format!("host={RDS_HOST} hostaddr=127.0.0.1 port={port} user=app")
}

#[test]
fn a_tunnel_that_no_client_can_verify_gets_a_warning() {
    let sandbox = sandbox();
    let signed = format!("{RDS_HOST}:5432");
    let says = format!(
        "the server's certificate is for {RDS_HOST}; keep host={RDS_HOST} and add \
         hostaddr=127.0.0.1"
    );
    for host in ["localhost:15432", "127.1.2.3:15432"] {
        let run = sandbox.run(&[
            "add",
            "books",
            host,
            "--user",
            "app",
            "--sign-host",
            &signed,
            "--replace",
        ]);
        assert_warns(&run, 1, &says);
    }
    assert_warns(&sandbox.run(&["setup", "pgcli", "books"]), 1, &says);
    for target in [
        tunnel(15432),
        "host=localhost port=15432 user=app sslmode=require".to_owned(),
    ] {
        let run = sandbox.run(&["add", "books", &target, "--sign-host", &signed, "--replace"]);
        assert_warns(&run, 0, "cannot be verified");
    }
    // The example in the help works.
    let help = sandbox.ok(&["add", "--help"]);
    let example = "pgcred add books \"host=DB_HOST hostaddr=127.0.0.1 port=15432 user=app\" \
        --sign-host DB_HOST:5432";
    assert!(
        help.contains(example) && !help.contains("localhost:15432"),
        "{help}"
    );
}

#[cfg(unix)] // HOME moves the home directory
#[test]
fn add_refuses_values_that_no_token_can_have() {
    let sandbox = sandbox();
    let missing = sandbox.path("none.pem").display().to_string();
    for (arguments, says) in [
        (
            &[HOST, "--expires-in", "8d"][..],
            "the lifetime of a token of Aurora DSQL is 1 to 604800 s, and 691200 s are asked for",
        ),
        (
            &[RDS_HOST, "--user", "app", "--expires-in", "1h"],
            "the lifetime of a token of RDS is 1 to 900 s, and 3600 s are asked for",
        ),
        (
            &[HOST, "--roots", &missing],
            &format!("{missing}: no such file"),
        ),
        (
            &[&format!("host={HOST} sslrootcert={missing}")],
            &format!("{missing}: no such file"),
        ),
        (&[HOST, "--alias", ""], "--alias ``: the host is empty"),
        (
            &[HOST, "--alias", "nonsense:abc"],
            "--alias `nonsense:abc`: the port is not a number",
        ),
        (&[""], "hint: run `pgcred add prod HOST"),
    ] {
        sandbox
            .run(&[&["add", "prod"], arguments].concat())
            .assert_fails(2, says);
    }
    assert_eq!(config(&sandbox), "");
    fs::write(
        sandbox.own().join("config.toml"),
        "max_expires_in = '10m'\n",
    )
    .expect("written");
    sandbox
        .run(&["add", "prod", HOST, "--expires-in", "11m"])
        .assert_fails(2, "max_expires_in is 600 s");
    assert_warns(
        &sandbox.run(&[
            "add",
            "prod",
            HOST,
            "--expires-in",
            "max",
            "--roots",
            "provider",
        ]),
        0,
        "",
    );
}

#[test]
fn add_warns_of_unknown_profiles_and_clusters() {
    let sandbox = sandbox();
    assert_warns(&sandbox.run(&["add", "a", HOST, "--profile", "dev"]), 0, "");
    let says = "there is no AWS profile `dve` yet; did you mean `dev`?";
    assert_warns(
        &sandbox.run(&["add", "b", HOST, "--user", "app", "--profile", "dve"]),
        1,
        says,
    );
    let says = "a cluster ID of Aurora DSQL has 26 characters; this one has ";
    for host in [
        "mycluster.dsql.us-east-1.on.aws",
        "foo0bar1baz2quux3quuux4ab.dsql.us-east-1.on.aws",
    ] {
        assert_warns(&sandbox.run(&["add", "c", host, "--replace"]), 1, says);
    }
}

/// Such an entry is from an older version, or the user wrote it.
#[test]
fn an_entry_with_a_wrong_lifetime_can_be_listed_and_removed() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "bad", RDS_HOST, "--user", "app", "--profile", "dev"]);
    sandbox.ok(&["add", "good", HOST, "--profile", "dev"]);
    sandbox.ok(&["refresh"]);
    let text = config(&sandbox).replace("user = \"app\"\n", "user = \"app\"\nexpires_in = '1h'\n");
    fs::write(sandbox.own().join("config.toml"), text).expect("written");
    let table = sandbox.ok(&["list"]);
    let line = table.lines().nth(1).expect("a line");
    assert!(
        line.starts_with("bad") && line.contains(" app ") && line.contains("db.c1a2b3c"),
        "{table}"
    );
    assert!(
        table.contains(
            "bad: the lifetime of a token of RDS is 1 to 900 s, and 3600 s are asked for"
        ),
        "{table}"
    );
    let run = sandbox.run(&["remove", "bad"]);
    assert!(run.code == 0, "{}", run.stderr);
    let passfile = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(
        passfile.contains(HOST) && !passfile.contains(RDS_HOST),
        "{passfile}"
    );
    assert!(!config(&sandbox).contains("bad"));
}

#[cfg(unix)]
#[test]
fn add_names_the_tools_that_still_have_the_old_entry() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev"]);
    sandbox.ok(&["setup", "psql", "prod", "--yes"]);
    let run = sandbox.run(&["add", "other", HOST, "--user", "app", "--profile", "dev"]);
    assert!(
        run.code == 0 && !run.stderr.contains("setup psql"),
        "{}",
        run.stderr
    );
    let run = sandbox.run(&[
        "add",
        "prod",
        HOST,
        "--user",
        "bob",
        "--profile",
        "dev",
        "--replace",
    ]);
    assert!(
        run.code == 0 && run.stderr.contains("run `pgcred setup psql prod` again"),
        "{}",
        run.stderr
    );
    assert!(
        !run.stderr.contains("setup dbeaver") && !run.stderr.contains("setup pgadmin"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_tool_without_hostaddr_needs_a_line_in_the_hosts_file() {
    let sandbox = sandbox();
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    sandbox.ok(&[
        "add",
        "books",
        &tunnel(15432),
        "--sign-host",
        &format!("{RDS_HOST}:5432"),
        "--profile",
        "dev",
    ]);
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev"]);
    let line = format!(
        "dials {RDS_HOST}:15432 by its name: the hosts file of this machine needs the line \
         `127.0.0.1 {RDS_HOST}`"
    );
    let table = sandbox.ok(&["setup"]);
    let mut by_name = Vec::new();
    for tool in table
        .lines()
        .skip(1)
        .filter(|line| !line.contains("scheduler") && !line.contains("service"))
    {
        let tool = tool.split_whitespace().next().expect("a name");
        let run = sandbox.run(&["setup", tool, "books", "prod", "--print"]);
        let is_by_name = !run.stdout.contains("127.0.0.1");
        assert_warns(&run, usize::from(is_by_name), &line);
        by_name.extend(is_by_name.then_some(tool));
    }
    assert!(
        by_name.contains(&"dbeaver") && by_name.contains(&"usql") && by_name.contains(&"rainfrog"),
        "{by_name:?}"
    );
    for tool in ["psql", "pgadmin", "pgcli", "vim-dadbod"] {
        assert!(!by_name.contains(&tool), "{by_name:?}");
    }
}

#[cfg(unix)]
#[test]
fn a_section_of_the_user_does_not_stop_the_other_connections() {
    let sandbox = sandbox();
    sandbox.write(".pg_service.conf", "[prod]\nhost=mine\n");
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev"]);
    sandbox.ok(&["add", "app", HOST, "--user", "app", "--profile", "dev"]);
    let run = sandbox.run(&["setup", "psql", "--yes"]);
    run.assert_fails(2, ".pg_service.conf: there is a [prod] of your own");
    let text = String::from_utf8(sandbox.read(".pg_service.conf")).expect("text");
    assert!(
        text.contains("[app]\n")
            && text.matches("[prod]").count() == 1
            && text.contains("host=mine"),
        "{text}"
    );
    assert!(run.stderr.contains("psql service=app"), "{}", run.stderr);
}

#[cfg(unix)]
#[test]
fn undo_by_host_removes_an_entry_that_was_made_by_name() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "prod", HOST, "--profile", "dev"]);
    sandbox.ok(&["setup", "psql", HOST, "--yes"]);
    sandbox.ok(&["setup", "psql", "--undo", HOST, "--yes"]);
    assert!(!sandbox.path(".pg_service.conf").exists());
    sandbox
        .run(&["setup", "psql", "--undo", RDS_HOST, "--yes"])
        .assert_fails(4, "is not set up in psql");
}

#[cfg(unix)] // HOME moves the home directory
#[test]
fn a_file_of_the_user_without_the_needed_roots_gets_a_warning() {
    let mut sandbox = sandbox();
    let roots = |name: &str| {
        fs::read_to_string(root().join("src/provider/amazon_roots").join(name)).expect("a file")
    };
    let (amazon, rds) = (roots("amazon.pem"), roots("rds.pem"));
    let one = &amazon[amazon.find("-----BEGIN").expect("one")..];
    let one = &one[..one.find("-----END CERTIFICATE-----").expect("an end")
        + "-----END CERTIFICATE-----\n".len()];
    let add_rds = ["add", "db", RDS_HOST, "--user", "app", "--replace"];
    let lacks_rds =
        "lacks the root certificates of RDS in eu-west-1: add them to it, or say --roots provider";
    let lacks_amazon = "lacks the root certificates of Amazon's public services: ";
    for (text, of_rds, of_dsql) in [
        (one, 1, 0),
        (&*rds, 0, 1),
        (&*(rds.clone() + one), 0, 0),
        ("", 1, 1),
        ("nonsense", 1, 1),
    ] {
        sandbox.write(".postgresql/root.crt", text);
        assert_warns(&sandbox.run(&add_rds), of_rds, lacks_rds);
        assert_warns(
            &sandbox.run(&["add", "prod", HOST, "--replace"]),
            of_dsql,
            lacks_amazon,
        );
    }
    sandbox.ok(&["add", "db2", RDS_HOST, "--user", "other"]);
    let run = sandbox.run(&["setup", "pgcli"]);
    assert_warns(&run, 1, lacks_rds);
    assert_warns(&run, 1, lacks_amazon);
    // There is no warning if the user names the roots, or if the server is not verified.
    for more in [&["--roots", "provider"][..], &["--roots", "system"]] {
        assert_warns(&sandbox.run(&[&add_rds, more].concat()), 0, "lacks");
    }
    sandbox.ok(&["remove", "db"]); // a change would keep the roots
    let unverified = format!("host={RDS_HOST} user=app sslmode=require");
    assert_warns(
        &sandbox.run(&["add", "db", &unverified, "--replace"]),
        0,
        "lacks",
    );
    sandbox.set("AWS_PROFILE", "dev").ok(&["refresh"]);
    assert_warns(&sandbox.run(&["token", "db2"]), 0, "lacks");
    // Another shell, which may not have this variable, uses the same configuration. `setup` of a
    // new target writes the variable's value into it.
    sandbox.set("PGSSLROOTCERT", "system");
    sandbox.ok(&["remove", "db"]); // a change would keep the mode
    assert_warns(&sandbox.run(&add_rds), 1, lacks_rds);
    assert_warns(
        &sandbox.run(&[
            "setup",
            "pgcli",
            &format!("postgres://app@{RDS_HOST}"),
            "--port",
            "1",
        ]),
        0,
        "lacks",
    );
}

#[test]
fn hints_repeat_what_the_user_typed() {
    let sandbox = sandbox();
    sandbox.ok(&["add", "db", RDS_HOST, "--user", "app", "--profile", "dve"]);
    sandbox
        .run(&["refresh", "db"])
        .assert_fails(2, "pgcred: db: there is no AWS profile `dve`");
    sandbox
        .run(&["refresh"])
        .assert_fails(2, "pgcred: db: there is no AWS profile `dve`");
    assert!(!sandbox.ok(&["setup", "jdbc", "db"]).contains("dsql"));
    let of_dsql = sandbox.ok(&["setup", "jdbc", HOST, "--profile", "dev"]);
    assert!(
        of_dsql.contains("\nFor Aurora DSQL,") && of_dsql.contains("\n  jdbc:aws-dsql:"),
        "{of_dsql}"
    );
    assert!(!of_dsql.contains("{only"), "{of_dsql}");
    let run = sandbox.run(&["token", "db", "--login=bogus"]);
    assert!(
        run.code == 2 && run.stderr.contains("; choose never, terminal or browser"),
        "{}",
        run.stderr
    );
    let table = sandbox.ok(&["setup"]);
    assert!(
        !table.contains("by hand") && table.contains("prints what to enter"),
        "{table}"
    );
}

#[test]
fn exec_without_two_dashes_says_where_they_belong() {
    let sandbox = sandbox();
    for (words, hint) in [
        (&["exec", "shop", "psql"][..], "pgcred exec shop -- psql"),
        (
            &["exec", "shop", "psql", "-c", "select 1"],
            "pgcred exec shop -- psql",
        ),
        (
            &["-q", "exec", "--profile", "dev", "shop", "psql"],
            "pgcred exec TARGET -- psql",
        ),
        (
            &["exec", "postgres://u:s3cret@h", "psql"],
            "pgcred exec TARGET -- psql",
        ),
        (
            &["exec", "shop", "postgres://u:s3cret@h"],
            "pgcred exec shop -- COMMAND",
        ),
    ] {
        let run = sandbox.run(words);
        run.assert_fails(
            2,
            &format!("hint: put `--` before the program, as in `{hint}`\n"),
        );
        assert!(!run.stderr.contains("s3cret"), "{}", run.stderr);
    }
    let run = sandbox.run(&["token", "exec", "psql"]);
    assert!(
        run.code == 2 && !run.stderr.contains("before the program"),
        "{}",
        run.stderr
    );
}
