//! Each outcome of a login, at servers that misbehave on purpose.
//!
//! The servers are threads of the test with certificates of their own. What matters most: the token
//! reaches no server that is not believed, and stands in no text.

#![cfg(unix)] // `rcgen` makes the certificates

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};

use super::{ServerLoginAttempt, ServerLoginOutcome, ServerLoginRequest, log_in_to_server};
use crate::probe::packet::ForeignProtocol;
use crate::probe::tests::{
    CertificateAuthority, LONG, answer, client_verifying, serve, tls_request,
};
use crate::probe::tls;
use crate::probe::trust::VerificationLevel;
use crate::probe::{Deadline, ProbeFailure};
use crate::wire::{AuthenticationMethod, hide_token};

const TOKEN: &str = "db.example.com/?Action=DbConnect&X-Amz-Signature=0123456789abcdef0123456789";

#[test]
fn a_token_is_taken_out_of_a_text_in_whole_and_in_parts() {
    let signature = "0123456789abcdef0123456789abcdef";
    let token = format!("host/?Action=connect&X-Amz-Signature={signature}");
    let text = format!("you sent {token}, signed {signature}, for connect");
    assert_eq!(
        hide_token(&token, &text),
        "you sent [...], signed [...], for connect"
    );
    assert_eq!(hide_token("", "text"), "text");
}

#[test]
fn debug_hides_the_token() {
    let login_request = ServerLoginRequest {
        user: "jane",
        database: "books",
        token: "secret",
    };
    let shown = format!("{login_request:?}");
    assert!(
        shown.contains("jane") && !shown.contains("secret"),
        "{shown}"
    );
}

type Tls = StreamOwned<ServerConnection, TcpStream>;

/// Reads the first packet of a client inside TLS.
fn read_start(stream: &mut Tls) -> Vec<u8> {
    let mut length = [0; 4];
    stream.read_exact(&mut length).unwrap();
    let mut rest = vec![0; u32::from_be_bytes(length) as usize - 4];
    stream.read_exact(&mut rest).unwrap();
    rest
}

/// Reads the password that a client sends, after asking for it.
fn ask_password(stream: &mut Tls) -> String {
    stream.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
    let mut head = [0; 5];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[0], b'p');
    let mut text = vec![0; u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize - 4];
    stream.read_exact(&mut text).unwrap();
    assert_eq!(text.pop(), Some(0));
    String::from_utf8(text).unwrap()
}

/// Logs in at a server that talks so. Returns everything that the server has received after that,
/// too.
fn logged_in(
    verification: VerificationLevel,
    trusted: bool,
    time: Duration,
    talk: impl FnOnce(&mut Tls) + Send + 'static,
) -> (ServerLoginAttempt, Receiver<Vec<u8>>) {
    let (authority, other) = (
        CertificateAuthority::new("Root"),
        CertificateAuthority::new("Other"),
    );
    let shown = authority.certify(|_| {});
    let sets = [if trusted {
        authority.set("own")
    } else {
        other.set("own")
    }];
    let (send, received) = mpsc::channel();
    let open = serve(move |stream| {
        answer(&stream, b"S");
        let tls = ServerConnection::new(Arc::new(shown.config())).unwrap();
        let mut stream = StreamOwned::new(tls, stream);
        talk(&mut stream);
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        let _ = send.send(rest);
    });
    let handshake = tls::begin_tls(open, &tls_request(&sets), Deadline::after(LONG));
    let login_request = ServerLoginRequest {
        user: "jane",
        database: "books",
        token: TOKEN,
    };
    let session = handshake.session.unwrap();
    let deadline = Deadline::after(time);
    let login = log_in_to_server(
        session,
        &login_request,
        &client_verifying(verification),
        deadline,
    );
    (login, received)
}

fn verified(talk: impl FnOnce(&mut Tls) + Send + 'static) -> (ServerLoginAttempt, Vec<u8>) {
    let (login, received) = logged_in(VerificationLevel::RootsAndName, true, LONG, talk);
    (login, received.recv_timeout(LONG).unwrap())
}

#[test]
fn a_login_that_succeeds() {
    let (login, rest) = verified(|stream| {
        let start = read_start(stream);
        assert!(start.starts_with(b"\0\x03\0\0user\0jane\0database\0books\0"));
        stream
            .write_all(b"v\0\0\0\x0c\0\x03\0\x02\0\0\0\0")
            .unwrap();
        stream.write_all(b"N\0\0\0\x0cMhello\0\0").unwrap();
        assert_eq!(ask_password(stream), TOKEN);
        stream.write_all(b"R\0\0\0\x08\0\0\0\0").unwrap();
    });
    assert_eq!(login.outcome, ServerLoginOutcome::LoggedIn);
    assert!(login.has_sent_token);
    assert_eq!(login.minor_version, Some(2));
    assert_eq!(login.notices[0].message, "hello");
    assert_eq!(rest, b"X\0\0\0\x04");
}

#[test]
fn the_first_error_ends_a_login_and_hides_the_token() {
    let (login, rest) = verified(|stream| {
        read_start(stream);
        let token = ask_password(stream);
        let body = format!(
            "SFATAL\0VFATAL\0C28000\0Mno {token}\0H{}\0\0",
            "a".repeat(9_000)
        );
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        stream
            .write_all(&[b"E", &length[..], body.as_bytes()].concat())
            .unwrap();
    });
    let ServerLoginOutcome::Refused(message) = &login.outcome else {
        panic!("{login:?}");
    };
    assert_eq!((&*message.code, &*message.message), ("28000", "no [...]"));
    assert_eq!(message.hint.len(), 4 << 10);
    assert!(login.has_sent_token && rest.is_empty());
}

#[test]
fn the_token_goes_to_no_server_that_is_not_believed() {
    let started = |verification, trusted| {
        let (login, received) = logged_in(verification, trusted, LONG, |_| {});
        (login, received.recv_timeout(LONG).unwrap())
    };
    for verification in [VerificationLevel::Roots, VerificationLevel::RootsAndName] {
        let (login, received) = started(verification, false);
        assert_eq!(login.outcome, ServerLoginOutcome::NotBelieved);
        assert!(!login.has_sent_token && received.is_empty());
    }
    // A client that verifies nothing would send it.
    let (login, _) = logged_in(VerificationLevel::Nothing, false, LONG, |stream| {
        read_start(stream);
        assert_eq!(ask_password(stream), TOKEN);
        stream.write_all(b"R\0\0\0\x08\0\0\0\0").unwrap();
    });
    assert_eq!(login.outcome, ServerLoginOutcome::LoggedIn);
}

#[test]
fn other_methods_do_not_get_the_token() {
    for (packet, method) in [
        (&b"R\0\0\0\x0c\0\0\0\x05salt"[..], AuthenticationMethod::Md5),
        (
            b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0",
            AuthenticationMethod::Sasl(vec!["SCRAM-SHA-256".to_owned()]),
        ),
        (b"R\0\0\0\x08\0\0\0\x07", AuthenticationMethod::Gss),
    ] {
        let (login, rest) = verified(|stream| {
            read_start(stream);
            stream.write_all(packet).unwrap();
        });
        assert_eq!(login.outcome, ServerLoginOutcome::OtherMethod(method));
        assert!(!login.has_sent_token && rest.is_empty());
    }
}

#[test]
fn logins_that_end_in_no_answer() {
    let outcome = |talk: fn(&mut Tls)| verified(talk).0.outcome;
    let again = outcome(|stream| {
        read_start(stream);
        ask_password(stream);
        stream.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
    });
    assert_eq!(again, ServerLoginOutcome::AskedAgain);
    let query = outcome(|stream| {
        read_start(stream);
        stream.write_all(b"Z\0\0\0\x05I").unwrap();
    });
    assert_eq!(query, ServerLoginOutcome::OutOfPlace(b'Z'));
    let http = outcome(|stream| {
        read_start(stream);
        stream.write_all(b"HTTP/1.1 400 Bad Request").unwrap();
    });
    let broke = |by| ServerLoginOutcome::Broke(by);
    assert_eq!(
        http,
        broke(ProbeFailure::NotPostgres(ForeignProtocol::Http))
    );
    let closed = outcome(|stream| {
        read_start(stream);
        ask_password(stream);
        stream.conn.send_close_notify();
        stream.flush().unwrap();
    });
    assert_eq!(closed, broke(ProbeFailure::Closed));
    let notices = outcome(|stream| {
        read_start(stream);
        while stream.write_all(b"N\0\0\0\x08Mx\0\0").is_ok() {}
    });
    assert_eq!(notices, broke(ProbeFailure::TooMuch));
    let bytes = outcome(|stream| {
        read_start(stream);
        let packet = [&b"N\0\x01\0\x04"[..], &vec![b'M'; 64 << 10]].concat();
        while stream.write_all(&packet).is_ok() {}
    });
    assert_eq!(bytes, broke(ProbeFailure::TooMuch));
    let started = Instant::now();
    let (silent, _) = logged_in(
        VerificationLevel::RootsAndName,
        true,
        Duration::from_millis(200),
        |stream| drop(read_start(stream)),
    );
    assert_eq!(silent.outcome, broke(ProbeFailure::TimedOut));
    assert!(started.elapsed() < LONG / 2);
}
