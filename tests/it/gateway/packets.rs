//! Bytes made by hand: what is no client of PostgreSQL, what comes slowly, and newer protocols.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use crate::gateway::machine::{DSQL, Machine, RDS, WHO};
use crate::gateway::wire::{
    GSSENC_REQUEST, PROTOCOL_3_0, SSL_REQUEST, field, read, startup, until_closed,
};
use crate::support::needs::{CLUSTER, package, python, skip_unless};
use crate::support::sandbox::Run;

/// How long the gateway waits for a client to say who it is.
const LOG_IN_WITHIN: Duration = Duration::from_mins(1);

fn send(stream: &mut TcpStream, bytes: &[u8]) {
    stream.write_all(bytes).expect("sent");
}

#[test]
fn what_is_no_client_is_hung_up_on_without_a_word() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    for bytes in [
        &b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"[..],
        b"POST /query HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", // TLS at once, as `sslnegotiation=direct`
        b"SSH-2.0-OpenSSH_9.6\r\n",
        &[0; 64],
        &[0xff; 64],
        b"\0\0\0\x04",
        b"\0\0\x27\x15\0\x03\0\0", // one byte longer than PostgreSQL takes
        &startup(80_877_102, &[]), // a cancel request without a key
    ] {
        let mut stream = machine.dial(DSQL);
        let began = Instant::now();
        send(&mut stream, bytes);
        let said = until_closed(&mut stream);
        assert_eq!(said, b"", "{bytes:?}");
        assert!(began.elapsed() < Duration::from_secs(5), "{bytes:?}");
    }
    assert!(machine.cluster.standin.events().is_empty());
    machine.assert_session(DSQL);
}

#[test]
fn encryption_is_declined_once_each() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut stream = machine.dial(DSQL);
    for request in [GSSENC_REQUEST, SSL_REQUEST] {
        send(&mut stream, &request);
        let mut answer = [0];
        std::io::Read::read_exact(&mut stream, &mut answer).expect("an answer");
        assert_eq!(answer, *b"N");
    }
    send(&mut stream, &SSL_REQUEST);
    assert_eq!(until_closed(&mut stream), b"");

    // libpq says so where it was told to insist on TLS.
    let mut psql = machine.psql(DSQL, &["-c", WHO]);
    psql.env("PGSSLMODE", "require");
    let run = Run::of(psql);
    let says = "server does not support SSL, but SSL was required";
    assert!(run.stderr.contains(says), "{}", run.stderr);
    for mode in ["prefer", "allow"] {
        let mut psql = machine.psql(DSQL, &["-c", WHO]);
        psql.env("PGSSLMODE", mode);
        assert_eq!(Run::of(psql).stdout, "admin@postgres\n", "{mode}");
    }
}

#[test]
fn newer_protocols_are_negotiated_down_before_the_password() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let option = "_pq_.test_protocol_negotiation";
    for (minor, options, answer) in [
        (2, &[][..], "\0\u{3}\0\0\0\0\0\0"),
        (
            9999,
            &[(option, "")],
            "\0\u{3}\0\0\0\0\0\u{1}_pq_.test_protocol_negotiation\0",
        ),
    ] {
        let mut stream = machine.dial(DSQL);
        let parameters = [&[("user", "admin")], options].concat();
        send(&mut stream, &startup(PROTOCOL_3_0 + minor, &parameters));
        assert_eq!(read(&mut stream), ('v', answer.into()), "3.{minor}");
        let (kind, body) = read(&mut stream);
        assert_eq!((kind, &body[..4]), ('R', &[0, 0, 0, 10][..]));
    }
}

/// libpq 18 can be told to ask for 3.2.
#[test]
fn a_new_libpq_that_asks_for_protocol_3_2_logs_in() {
    skip_unless!(CLUSTER, package("psycopg"));
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut program = machine.psql_alone(DSQL, &python());
    let script = "import psycopg; assert psycopg.pq.version() >= 180000; \
        c = psycopg.connect('max_protocol_version=latest'); \
        print(c.execute('select current_user').fetchone()[0], c.info.server_version > 0)";
    program.args(["-c", script]);
    let run = Run::of(program);
    assert_eq!(run.stdout, "admin True\n", "{}", run.stderr);
}

#[test]
fn other_protocols_and_broken_startups_are_refused_in_words() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let broken = [0, 0, 0, 13, 0, 3, 0, 0, b'u', b's', b'e', b'r', 0];
    for (bytes, code) in [
        (startup(0, &[]), "0A000"),
        (startup(0x0002_0000, &[("user", "admin")]), "0A000"),
        (startup(0x0004_0000, &[("user", "admin")]), "0A000"),
        (
            startup(PROTOCOL_3_0, &[("user", "admin"), ("replication", "true")]),
            "0A000",
        ),
        (broken.to_vec(), "08P01"),
    ] {
        let mut stream = machine.dial(DSQL);
        send(&mut stream, &bytes);
        let (kind, body) = read(&mut stream);
        assert_eq!((kind, &*field(&body, 'C')), ('E', code), "{bytes:?}");
        assert_ne!(field(&body, 'H'), "");
        assert_eq!(until_closed(&mut stream), b"");
    }
}

/// A client that sends no password message, or one that is no SCRAM.
#[test]
fn broken_passwords_are_refused_in_words() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let long = [
        b"p\0\x0f\0\0SCRAM-SHA-256\0".as_slice(),
        &vec![b'a'; 0x000f_0000],
    ]
    .concat();
    for bytes in [
        &b"p\0\0\0\x0bsecret\0"[..],
        b"p\0\0\0\x16SCRAM-SHA-256\0\xff\xff\xff\xff",
        b"p\0\0\0\x17SCRAM-SHA-256\0\0\0\0\x01n",
        b"Q\0\0\0\x0dselect 1\0",
        b"p\0\0\0\0",
        &long,
    ] {
        let mut stream = machine.dial(DSQL);
        send(&mut stream, &startup(PROTOCOL_3_0, &[("user", "admin")]));
        assert_eq!(read(&mut stream).0, 'R');
        let _ = stream.write_all(bytes); // the gateway may close before it has all
        let said = until_closed(&mut stream);
        assert!(
            said.is_empty() || (said[0] == b'E' && !field(&said[5..], 'H').is_empty()),
            "{said:?}"
        );
    }
    assert!(machine.cluster.standin.events().is_empty());
    machine.assert_session(DSQL);
}

/// Half a packet, one byte a second, and a client that leaves the question for its password open.
#[test]
fn a_slow_client_has_a_minute_and_nobody_waits_for_it() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let began = Instant::now();
    let greeting = startup(
        PROTOCOL_3_0,
        &[("user", "admin"), ("application_name", "x")],
    );
    thread::scope(|scope| {
        for first in [&greeting[..3], &greeting[..9], &greeting] {
            let mut stream = machine.dial(DSQL);
            stream
                .set_read_timeout(Some(LOG_IN_WITHIN * 2))
                .expect("a time-out");
            scope.spawn(move || {
                send(&mut stream, first);
                until_closed(&mut stream);
                let took = began.elapsed();
                assert!(took > LOG_IN_WITHIN / 2, "{took:?}");
                assert!(took < LOG_IN_WITHIN + Duration::from_secs(20), "{took:?}");
            });
        }
        let mut slow = machine.dial(DSQL);
        scope.spawn(move || {
            let endless = startup(PROTOCOL_3_0, &[("user", &"a".repeat(200))]);
            for byte in endless {
                if slow.write_all(&[byte]).is_err() {
                    break; // the gateway has closed
                }
                thread::sleep(Duration::from_secs(1));
            }
            let took = began.elapsed();
            assert!(took < LOG_IN_WITHIN + Duration::from_secs(20), "{took:?}");
        });
        machine.assert_session(DSQL);
        assert!(began.elapsed() < LOG_IN_WITHIN / 2, "others had to wait");
    });
}

/// At most 64 connections of a port may leave open who they are. The others wait for those.
#[test]
fn a_crowd_that_says_nothing_is_bounded_and_does_not_stop_another_port() {
    skip_unless!(CLUSTER);
    let machine = Machine::new();
    let _gateway = machine.start(&[]);
    let mut crowd: Vec<TcpStream> = (0..64).map(|_| machine.dial(DSQL)).collect();
    machine.assert_session(RDS);
    let mut psql = machine.psql(DSQL, &["-c", WHO]);
    let mut waiting = psql.spawn().expect("psql");
    thread::sleep(Duration::from_secs(1));
    assert!(waiting.try_wait().expect("a state").is_none());
    crowd.truncate(8);
    assert!(waiting.wait().expect("an end").success());
}
