//! A strict stand-in refuses what Aurora DSQL refuses, to sessions of DSQL alone.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use standin::Upstream;

use crate::dial::{WELCOME, log_in, message, negotiated, packet, read, start, startup};
use crate::support::{Draft, HOST, RDS_HOST};

#[test]
fn forbidden_parameters_are_replaced_on_the_way() {
    let (standin, heard) = start(|config| config.strict = true);
    let mut tls = negotiated(&standin, HOST);
    assert_eq!(
        log_in(&mut tls, "user\0admin\0", &Draft::dsql(None).signed()).0,
        'R'
    );
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    let simple = message(b'Q', b"SET search_path = a\0");
    let parse = message(
        b'P',
        b"name\0SELECT set_config('jit', $1, $2)\0\0\x01\0\0\0\0",
    );
    for sent in [&simple, &parse, &message(b'd', b"SET jit = off\0")] {
        tls.write_all(sent).unwrap();
        assert_eq!(read(&mut tls).unwrap().0, 'Z');
    }
    let vacuum = message(b'Q', b"VACUUM\0");
    tls.write_all(&vacuum).unwrap();
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()[0]).into_owned();
    assert!(heard.contains("SET search_path = a"), "{heard}");
    assert!(heard.contains("name\0DO $standin$BEGIN RAISE"), "{heard}");
    assert!(
        heard.contains("END$standin$\0\0\u{2}\0\0\0\u{19}\0\0\0\u{19}d"),
        "{heard}"
    );
    assert!(heard.contains("d\0\0\0\u{12}SET jit = off\0Q"), "{heard}");
    assert!(
        heard.contains("MESSAGE='unsupported VACUUM statement'"),
        "{heard}"
    );
}

#[test]
fn rds_has_all_of_postgresql() {
    let (standin, heard) = start(|config| config.strict = true);
    let mut tls = negotiated(&standin, RDS_HOST);
    let words = "user\0jane\0statement_timeout\x005\0";
    let token = Draft::rds().signed();
    assert_eq!(log_in(&mut tls, words, &token), ('R', "||||".into()));
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    let query = message(b'Q', b"SET jit = off; VACUUM\0");
    tls.write_all(&query).unwrap();
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    let sent = [startup(words), query].concat();
    assert_eq!(heard.lock().unwrap().as_slice(), [sent]);
}

#[test]
fn the_start_up_packet_may_not_set_what_a_statement_may_not() {
    let (standin, heard) = start(|config| config.strict = true);
    let token = Draft::dsql(None).signed();
    for words in [
        "user\0admin\0statement_timeout\x005\0",
        "user\0admin\0options\0-c statement_timeout=5\0",
    ] {
        let mut tls = negotiated(&standin, HOST);
        let says = "SFATAL|VFATAL|C0A000|Msetting configuration parameter \"statement_timeout\" \
                    not supported||";
        assert_eq!(log_in(&mut tls, words, &token), ('E', says.into()));
    }
    assert!(heard.lock().unwrap().is_empty());
    assert_eq!(standin.events()[0].outcome, "forbidden-parameter");
    let words = "user\0admin\0client_encoding\0UTF8\0options\0-c search_path=a\0";
    assert_eq!(
        log_in(&mut negotiated(&standin, HOST), words, &token).0,
        'R'
    );
}

/// The real server tells where in the rewritten query the error was raised.
#[test]
fn errors_have_only_the_fields_of_dsql() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = Upstream::Tcp {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
    };
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 1024]);
        stream.write_all(&WELCOME).unwrap();
        for detail in ["Dstandin: refused as by Aurora DSQL\0", "Danother\0"] {
            let _ = stream.read(&mut [0; 1024]);
            let fields = format!("SERROR\0C0A000\0Mno\0{detail}WPL/pgSQL function\0\0");
            stream.write_all(&message(b'E', fields.as_bytes())).unwrap();
        }
    });
    let (standin, _) = start(|config| {
        config.strict = true;
        config.upstream = upstream;
    });
    let mut tls = negotiated(&standin, HOST);
    let token = Draft::dsql(None).signed();
    assert_eq!(log_in(&mut tls, "user\0admin\0", &token).0, 'R');
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    for says in [
        "SERROR|VERROR|C0A000|Mno||",
        "SERROR|C0A000|Mno|Danother|WPL/pgSQL function||",
    ] {
        tls.write_all(&message(b'Q', b"VACUUM\0")).unwrap();
        assert_eq!(read(&mut tls).unwrap(), ('E', says.into()));
    }
}

/// In any temper, and before the password: clients of a newer protocol wait for it.
#[test]
fn newer_protocols_are_negotiated_down() {
    let (standin, heard) = start(|_| ());
    let mut tls = negotiated(&standin, HOST);
    let words = "user\0admin\0_pq_.test_protocol_negotiation\0\0";
    tls.write_all(&packet(0x0003_270f, words)).unwrap();
    let (kind, body) = read(&mut tls).unwrap();
    assert_eq!(
        (kind, body.as_str()),
        ('v', "|\u{3}|||||\u{1}_pq_.test_protocol_negotiation|")
    );
    assert_eq!(read(&mut tls).unwrap().0, 'R');
    let token = format!("{}\0", Draft::dsql(None).signed());
    tls.write_all(&message(b'p', token.as_bytes())).unwrap();
    assert_eq!(read(&mut tls).unwrap(), ('R', "||||".into()));
    let sent = startup("user\0admin\0database\0postgres\0");
    assert_eq!(heard.lock().unwrap().as_slice(), [sent]);
}
