//! The stages of the network at servers of another authority than AWS: each way in which a
//! connection or a login ends has its cause, and no sentence about it is one about AWS.

#![cfg(unix)] // `rcgen` makes the certificates

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::command::doctor::check::Examine;
use crate::command::doctor::checks;
use crate::command::doctor::context::CheckLevel;
use crate::command::doctor::tests::{assert_has, examined, request};
use crate::provider::fake::{self, control};
use crate::sys::fs;

const HOST: &str = "books.fake.invalid";

/// The packets of a server that ends the login with success, and that asks for a password.
const ASKS: &[u8] = b"R\0\0\0\x08\0\0\0\x03";
const ACCEPTS: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
const REFUSES: &[u8] = b"E\0\0\0\x17SFATAL\0C28P01\0Mno\0\0";
const ASKS_FOR_MD5: &[u8] = b"R\0\0\0\x0c\0\0\0\x05salt";

/// What a server does with one connection.
enum Server {
    /// It answers the request for TLS so, and waits.
    Answers(&'static [u8]),
    /// It goes on in TLS, and answers in the login so.
    Encrypts(&'static [&'static [u8]]),
}

/// Listens on a port of this machine, and returns it. The threads end with the test's process.
fn start(server: Server, config: Arc<ServerConfig>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // A client may go away at any time.
            let _ = serve(&server, config.clone(), stream);
        }
    });
    port
}

fn serve(
    server: &Server,
    config: Arc<ServerConfig>,
    mut stream: TcpStream,
) -> std::io::Result<u64> {
    stream.read_exact(&mut [0; 8])?;
    let packets = match server {
        Server::Answers(bytes) => {
            stream.write_all(bytes)?;
            // The client closes first, unless there is no answer to read.
            return match bytes {
                [] => Ok(0),
                _ => std::io::copy(&mut stream, &mut std::io::sink()),
            };
        }
        Server::Encrypts(packets) => packets,
    };
    stream.write_all(b"S")?;
    let connection = ServerConnection::new(config).expect("a connection");
    let mut stream = StreamOwned::new(connection, stream);
    let mut is_first = true;
    for packet in *packets {
        read_packet(&mut stream, is_first)?;
        is_first = false;
        stream.write_all(packet)?;
        stream.flush()?;
    }
    std::io::copy(&mut stream, &mut std::io::sink())
}

/// Reads a packet of a client. The first has no type.
fn read_packet(stream: &mut impl Read, is_first: bool) -> std::io::Result<()> {
    if !is_first {
        stream.read_exact(&mut [0])?;
    }
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u32::from_be_bytes(length) as usize;
    stream.read_exact(&mut vec![0; length - 4])
}

/// The certificate that a server shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Good,
    OfAnotherHost,
    Expired,
    SelfSigned,
}

/// Returns the settings of a server with a certificate, and the PEM of its authority's.
fn settings(shown: Shown) -> (Arc<ServerConfig>, String) {
    let mut root = CertificateParams::new(Vec::new()).expect("no names");
    root.distinguished_name
        .push(DnType::CommonName, "Company Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let root_key = KeyPair::generate().expect("a key");
    let pem = root.self_signed(&root_key).expect("a certificate").pem();
    let issuer = Issuer::new(root, root_key);
    let name = if shown == Shown::OfAnotherHost {
        "other.invalid"
    } else {
        HOST
    };
    let mut own = CertificateParams::new(vec![name.to_owned()]).expect("a name");
    own.distinguished_name.push(DnType::CommonName, name);
    if shown == Shown::Expired {
        own.not_before = date_time_ymd(2020, 1, 1);
        own.not_after = date_time_ymd(2021, 1, 1);
    }
    let key = KeyPair::generate().expect("a key");
    let certificate = match shown {
        Shown::SelfSigned => own.self_signed(&key),
        _ => own.signed_by(&key, &issuer),
    };
    let chain = vec![certificate.expect("a certificate").der().clone()];
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(chain, key);
    (Arc::new(config.expect("the settings")), pem)
}

/// Returns the ids of the checks of a target, but for those that ask an authority.
fn all_of_target() -> Vec<String> {
    let mut ids = Vec::new();
    for check in checks::all_checks() {
        if matches!(check.examine, Examine::Target(_)) && check.level != CheckLevel::Aws {
            ids.push(check.id.to_owned());
        }
    }
    ids
}

/// Examines a login at a server on this machine, whose root the client has if `trusts` says so.
fn at_server(server: Server, shown: Shown, trusts: bool, more: &[(&str, &str)]) -> Vec<String> {
    let (config, pem) = settings(shown);
    let directory = tempfile::tempdir().expect("a directory");
    let own = directory.path().join("root.pem");
    let (_, other) = settings(Shown::Good);
    let text = if trusts { pem } else { other };
    fs::write_unsynced(&own, text.as_bytes()).expect("a file");
    let mut request = request(&fake::PROVIDER, HOST);
    request.port = start(server, config);
    let file = own.display().to_string();
    for (key, value) in [("hostaddr", "127.0.0.1"), ("sslrootcert", &file)] {
        request.keywords.push((key.to_owned(), value.to_owned()));
    }
    for (key, value) in more {
        request
            .keywords
            .push(((*key).to_owned(), (*value).to_owned()));
    }
    control::reset();
    examined(request, all_of_target())
}

fn assert_cause(lines: &[String], check: &str, cause: &str) {
    let wanted = format!("fail {check}: ");
    let line = lines.iter().find(|line| line.starts_with(&wanted));
    let line = line.unwrap_or_else(|| panic!("{wanted}: {lines:#?}"));
    assert!(line.contains(&format!("[{cause}]")), "{cause}: {line}");
}

#[test]
fn a_server_that_does_not_encrypt_is_told_without_aws() {
    for (bytes, cause) in [
        (&b"N"[..], "tls.refused"),
        (b"", "net.closed"),
        (b"S!", "tls.injected"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "net.other"),
        (b"E\0\0\0\x16C53300\0Mtoo many\0\0", ""),
    ] {
        let lines = at_server(Server::Answers(bytes), Shown::Good, true, &[]);
        assert_cause(&lines, "tls.handshake", cause);
    }
    let unused = TcpListener::bind("127.0.0.1:0").expect("a port");
    let mut refused = request(&fake::PROVIDER, "127.0.0.1");
    refused.port = unused.local_addr().expect("an address").port();
    drop(unused);
    let lines = examined(refused, all_of_target());
    assert_cause(&lines, "net.tcp", "net.refused");
    let lines = examined(request(&fake::PROVIDER, HOST), all_of_target());
    assert_cause(&lines, "net.dns", "net.dns");
}

#[test]
fn a_certificate_that_is_not_believed_is_told_without_aws() {
    for (shown, trusts, check, cause) in [
        (Shown::Good, false, "tls.roots", "tls.roots.unknown"),
        (Shown::SelfSigned, false, "tls.roots", "tls.selfsigned"),
        (Shown::OfAnotherHost, true, "tls.name", "tls.name"),
        (Shown::Expired, true, "tls.chain", "tls.expired"),
    ] {
        let lines = at_server(Server::Encrypts(&[]), shown, trusts, &[]);
        assert_cause(&lines, check, cause);
    }
    let without_name = [("sslsni", "0"), ("sslnegotiation", "direct")];
    for more in without_name.chunks(1) {
        at_server(Server::Answers(b""), Shown::Good, true, more);
    }
}

#[test]
fn a_login_of_another_authority_is_accepted_or_refused_in_its_own_words() {
    let login = |packets| at_server(Server::Encrypts(packets), Shown::Good, true, &[]);
    let lines = login(&[ASKS, ACCEPTS]);
    assert_has(&lines, "ok login.accepted: guest@");
    let bad = lines.iter().find(|line| line.starts_with("fail"));
    assert_eq!(bad, None);
    let lines = login(&[ASKS, REFUSES]);
    assert_has(&lines, "fail login.accepted: no (SQLSTATE 28P01)");
    assert_cause(&lines, "login.accepted", "");
    let lines = login(&[ASKS_FOR_MD5]);
    assert_has(
        &lines,
        "fail login.accepted: the server asks for an MD5 password",
    );
    assert_cause(&lines, "login.accepted", "");
    assert_cause(&login(&[ASKS, ASKS]), "login.accepted", "net.other");
    assert_cause(&login(&[b"X\0\0\0\x04"]), "login.accepted", "net.other");
}
