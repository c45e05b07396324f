//! What sessions carry: much data both ways, pipelines, cancelled statements, notices.

use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use nix::sys::signal::Signal;

use crate::commands::exec::signal;
use crate::gateway::machine::{DSQL, Machine, RDS};
use crate::gateway::statement::begin;
use crate::support::needs::{CLUSTER, package, python, skip_unless};
use crate::support::sandbox::Run;

/// Each row has 1,024 bytes with its newline, so that these are 200 MiB.
const ROWS: usize = 200 * 1024;
const BIG: usize = 64 << 20;

fn row(number: usize) -> String {
    format!("{number:x>1023}\n")
}

#[test]
fn copy_of_200_mib_comes_back_byte_for_byte() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    machine
        .cluster
        .sql("create unlogged table big (v text); grant all on big to app");

    let mut psql = machine.psql(RDS, &["-c", "copy big from stdin"]);
    psql.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut client = psql.spawn().expect("psql");
    let mut stdin = BufWriter::new(client.stdin.take().expect("a pipe"));
    for number in 1..=ROWS {
        stdin.write_all(row(number).as_bytes()).expect("sent");
    }
    stdin.flush().expect("sent");
    drop(stdin);
    let run = Run::finished(client.wait_with_output().expect("an end"));
    assert_eq!(run.stdout, format!("COPY {ROWS}\n"), "{}", run.stderr);

    let copy = "copy (select v from big order by ltrim(v, 'x')::int) to stdout";
    let mut psql = machine.psql(RDS, &["-c", copy]);
    let mut client = psql.stdout(Stdio::piped()).spawn().expect("psql");
    let mut stdout = BufReader::new(client.stdout.take().expect("a pipe"));
    let mut line = String::new();
    for number in 1..=ROWS {
        line.clear();
        stdout.read_line(&mut line).expect("a line");
        assert!(line == row(number), "row {number} is {line}");
    }
    assert_eq!(stdout.read(&mut [0]).expect("the end"), 0);
    assert!(client.wait().expect("an end").success());
}

#[test]
fn a_row_of_64_mib_and_a_parameter_of_64_mib() {
    skip_unless!(CLUSTER, package("psycopg"));
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut program = machine.psql_alone(RDS, &python());
    let script = format!(
        "import psycopg; c = psycopg.connect(); \
         row = c.execute(\"select repeat('ab', {BIG} / 2)\").fetchone()[0]; \
         assert row == 'ab' * ({BIG} // 2); \
         print(c.execute('select md5(%s::text) = md5(%s)', [row, 'ab' * ({BIG} // 2)]).fetchone())"
    );
    program.args(["-c", &script]);
    let run = Run::of(program);
    assert_eq!(run.stdout, "(True,)\n", "{}", run.stderr);
}

#[test]
fn pipelines_notices_and_reported_settings_pass() {
    skip_unless!(CLUSTER, package("psycopg"));
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut program = machine.psql_alone(RDS, &python());
    let script = "import psycopg\n\
        c = psycopg.connect(autocommit=True)\n\
        with c.pipeline():\n    \
            cursors = [c.execute('select %s::int', [n], prepare=True) for n in range(2000)]\n    \
            assert [k.fetchone()[0] for k in cursors] == list(range(2000))\n\
        heard = []\n\
        c.add_notice_handler(lambda notice: heard.append(notice.message_primary))\n\
        c.execute(\"do $$begin for n in 1..500 loop raise notice 'n%', n; end loop; end$$\")\n\
        assert heard == [f'n{n}' for n in range(1, 501)], heard\n\
        c.execute(\"set application_name = 'changed'\")\n\
        print(c.info.parameter_status('application_name'))\n\
        try:\n    \
            with c.pipeline():\n        \
                c.execute('select 1/0'); c.execute('select 1')\n\
        except psycopg.errors.DivisionByZero as error:\n    \
            print(error.sqlstate, c.execute('select 7').fetchone()[0])\n\
        with c.cursor() as k:\n    \
            k.execute('listen x'); k.execute(\"notify x, 'payload'\")\n\
        print([n.payload for n in c.notifies(timeout=5, stop_after=1)])\n";
    program.args(["-c", script]);
    let run = Run::of(program);
    assert_eq!(
        run.stdout, "changed\n22012 7\n['payload']\n",
        "{}",
        run.stderr
    );
}

#[test]
fn psql_cancels_a_statement() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let gateway = machine.start(&[]);
    for connection in [DSQL, RDS] {
        let (client, _stdout) = begin(&machine, connection, 60);
        thread::sleep(Duration::from_millis(500));
        signal(client.id(), Signal::SIGINT);
        let run = Run::finished(client.wait_with_output().expect("an end"));
        let says = "ERROR:  canceling statement due to user request";
        assert!(run.stderr.contains(says), "{}", run.stderr);
    }
    assert!(!gateway.said().contains("refused"), "{}", gateway.said());
}

#[test]
fn cancels_by_another_client_in_a_pool_reach_their_own_session() {
    skip_unless!(CLUSTER, package("psycopg"));
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut program = machine.psql_alone(RDS, &python());
    let script = "import psycopg, threading\n\
        one, other = psycopg.connect(), psycopg.connect()\n\
        threading.Timer(0.5, one.cancel_safe).start()\n\
        try:\n    \
            one.execute('select pg_sleep(60)')\n\
        except psycopg.errors.QueryCanceled as error:\n    \
            print(error.sqlstate, other.execute('select 1').fetchone()[0])\n";
    program.args(["-c", script]);
    let run = Run::of(program);
    assert_eq!(run.stdout, "57014 1\n", "{}", run.stderr);
}
