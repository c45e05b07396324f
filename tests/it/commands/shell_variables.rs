//! PG* variables of the shell, and those that `pgcred exec` sets: what they decide, and what they
//! must not decide.

use crate::support::sandbox::{HOST, RDS_HOST, Run, Sandbox};

/// Variables that win over those of `exec` in libpq, or that make a login with a token fail.
#[test]
fn variables_for_another_connection_do_not_reach_the_program() {
    let mut sandbox = Sandbox::with_keys();
    let variables = [
        ("PGSERVICE", "legacy"),
        ("PGSERVICEFILE", "/etc/services"),
        ("PGHOST", "old.example.com"),
        ("PGHOSTADDR", "10.1.2.3"),
        ("PGREQUIREAUTH", "scram-sha-256"),
        ("PGCHANNELBINDING", "require"),
        ("PGSSLCERTMODE", "require"),
        ("PGGSSENCMODE", "require"),
        ("PGSSLSNI", "0"),
    ];
    for (name, value) in variables {
        sandbox.set(name, value);
    }
    let of_libpq = |text: &str| {
        let lines = text
            .lines()
            .filter(|line| line.starts_with("PG") && !line.starts_with("PGCRED"));
        let mut names: Vec<_> = lines
            .filter_map(|line| Some(line.split_once('=')?.0.to_owned()))
            .collect();
        names.sort();
        names.join(" ")
    };
    let set = "PGDATABASE PGHOST PGPASSFILE PGPORT PGSSLMODE PGSSLROOTCERT PGUSER";
    assert_eq!(of_libpq(&sandbox.ok(&["exec", HOST, "--", "env"])), set);

    // Variables that do not contradict the connection stay, and so do the values of TARGET.
    sandbox
        .set("PGHOST", HOST)
        .set("PGREQUIREAUTH", "!md5")
        .set("PGCHANNELBINDING", "prefer")
        .set("PGSSLSNI", "1");
    sandbox
        .set("PGGSSENCMODE", "disable")
        .unset("PGSSLCERTMODE");
    let kept = "PGCHANNELBINDING PGDATABASE PGGSSENCMODE PGHOST PGHOSTADDR PGPASSFILE PGPORT \
        PGREQUIREAUTH PGSSLMODE \
        PGSSLROOTCERT PGSSLSNI PGUSER";
    assert_eq!(of_libpq(&sandbox.ok(&["exec", "--", "env"])), kept);
    sandbox.set("PGHOST", "old.example.com");
    let target = format!("host={HOST} hostaddr=127.0.0.9");
    assert!(
        sandbox
            .ok(&["exec", &target, "--", "env"])
            .contains("PGHOSTADDR=127.0.0.9\n")
    );

    // The formats for shells unset these variables.
    let env = sandbox.ok(&["token", HOST, "--format", "env"]);
    assert!(
        env.starts_with("unset PGSERVICE\nunset PGSERVICEFILE\nunset PGHOSTADDR\nexport PGHOST="),
        "{env}"
    );
    let mut shell = sandbox.command("sh");
    shell.args(["-c", "set -eu; eval \"$1\"; env", "sh", &env]);
    assert!(
        !Run::of(shell)
            .stdout
            .lines()
            .any(|line| line.starts_with("PGSERVICE") || line.starts_with("PGHOSTADDR"))
    );
    for (format, line) in [
        ("fish", "set -e PGSERVICE\n"),
        (
            "powershell",
            "Remove-Item Env:PGSERVICE -ErrorAction Ignore\n",
        ),
        ("cmd", "set \"PGSERVICE=\"\n"),
    ] {
        assert!(
            sandbox
                .ok(&["token", HOST, "--format", format])
                .starts_with(line),
            "{format}"
        );
    }
    assert!(!sandbox.ok(&["token", HOST]).contains("PGSERVICE"));
}

/// Variables that pgcred set for one connection decide nothing for another.
#[test]
fn variables_of_exec_do_not_count_as_the_users_own() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "rds", RDS_HOST, "--user", "app"]);
    sandbox.ok(&["add", "dsql", HOST]);
    let far = format!(
        "host={RDS_HOST} port=15432 hostaddr=127.0.0.9 user=far dbname=far sslmode=require"
    );
    sandbox.ok(&[
        "add",
        "tunnel",
        &far,
        "--sign-host",
        &format!("{RDS_HOST}:5432"),
    ]);
    let pgcred = env!("CARGO_BIN_EXE_pgcred");
    let show = "for name in HOST HOSTADDR PORT USER DATABASE SSLMODE SSLROOTCERT; do eval echo \
        $name=\\$PG$name; done";
    let show = ["--", "sh", "-c", show];
    let alone = |target: &str| sandbox.ok(&[&["exec", target], &show[..]].concat());
    let inside =
        |outer: &str, inner: &[&str]| sandbox.ok(&[&["exec", outer, "--", pgcred], inner].concat());
    let said = format!(
        "host={HOST} port=1 hostaddr=127.0.0.8 user=one sslmode=verify-full sslrootcert=/one.pem \
         dbname=one"
    );
    for outer in ["rds", "dsql", "tunnel", &said] {
        for target in ["rds", "dsql", "tunnel", "new.dsql.us-east-1.on.aws"] {
            assert_eq!(
                inside(outer, &[&["exec", target], &show[..]].concat()),
                alone(target),
                "{target} in {outer}"
            );
        }
        for target in [RDS_HOST, "rds"] {
            let section = ["setup", "psql", target, "--print", "--quiet"];
            assert_eq!(
                inside(outer, &section),
                sandbox.ok(&section),
                "{target} in {outer}"
            );
        }
        // Without a target, `exec` uses the connection of the program that surrounds it.
        assert_eq!(
            inside(outer, &[&["exec"], &show[..]].concat()),
            alone(outer),
            "{outer}"
        );
    }

    // Formats for shells set the same variables, without a mark of who has set them.
    for (first, second) in [("dsql", "rds"), ("rds", "dsql")] {
        let mut shell = sandbox.command("sh");
        let both = "eval \"$($0 token $1 --format env)\"; eval \"$($0 token $2 --format env)\"; \
            echo SSLROOTCERT=$PGSSLROOTCERT";
        shell.args(["-c", both, pgcred, first, second]);
        let run = Run::of(shell);
        assert!(
            run.code == 0 && alone(second).ends_with(&run.stdout),
            "{second} after {first}: {}",
            run.stdout
        );
    }

    // Variables that the user has exported count as before.
    let mut sandbox = sandbox;
    sandbox
        .set("PGSSLROOTCERT", "/mine.pem")
        .set("PGDATABASE", "mine")
        .set("PGUSER", "mine");
    let seen = sandbox.ok(&[&["exec", "rds"], &show[..]].concat());
    assert!(
        seen.contains("USER=app\nDATABASE=mine\n") && seen.contains("SSLROOTCERT=/mine.pem\n"),
        "{seen}"
    );
}

/// PG* variables name the target if the user names none. They change nothing for commands that work
/// on all connections.
#[test]
fn variables_of_the_shell_do_not_change_the_connections() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.write(
        "other.toml",
        format!("[connections.prod]\nhost = \"{HOST}\"\n"),
    );
    let all = |sandbox: &Sandbox, command: &[&str]| {
        sandbox.run(&[command, &["--config", "other.toml"]].concat())
    };
    sandbox
        .set("PGUSER", "app")
        .set("PGPORT", "15432")
        .set("PGHOST", "x.dsql.us-east-1.on.aws");
    for command in [
        &["refresh"][..],
        &["refresh", "--background"],
        &["refresh", "--fresh"],
    ] {
        assert_eq!(all(&sandbox, command).code, 0);
        let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
        assert!(
            text.contains(&format!("\n{HOST}:5432:*:admin:"))
                && text.matches("# expires").count() == 1,
            "{text}"
        );
        sandbox.ok(&["erase", "--all"]);
    }
    all(&sandbox, &["refresh"]);
    let list = all(&sandbox, &["list", "--format", "json"]).stdout;
    assert!(
        list.contains(&format!("{HOST}:5432")) && list.contains("\"user\":\"admin\""),
        "{list}"
    );
    assert!(all(&sandbox, &["prompt"]).stdout.starts_with("prod 1"));
    let service = all(&sandbox, &["setup", "psql", "--print"]).stdout;
    assert!(
        service.contains("port=5432\n") && service.contains("user=admin\n"),
        "{service}"
    );
    // Without a connection PGHOST names the target, as it does for the other commands.
    sandbox.ok(&["refresh"]);
    let text = String::from_utf8(sandbox.read(".pgpass")).expect("text");
    assert!(
        text.contains("\nx.dsql.us-east-1.on.aws:15432:*:app:"),
        "{text}"
    );
    let mut sandbox = Sandbox::with_keys();
    let run = sandbox.run(&["refresh"]);
    run.assert_fails(4, "there is nothing to refresh");
    assert!(
        run.stderr.contains("pgcred add NAME HOST") && !run.stderr.contains("pgcred token"),
        "{}",
        run.stderr
    );
    sandbox
        .run(&["refresh", "--watch"])
        .assert_fails(4, "there is nothing to refresh");
    let run = sandbox
        .set("AWS_REGION", "us-east-1")
        .run(&["refresh", HOST, "--user", "app"]);
    assert!(
        run.stderr.contains(&format!(
            "`pgcred add NAME {HOST} --user app`, then `pgcred setup "
        )),
        "{}",
        run.stderr
    );
}
