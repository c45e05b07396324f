//! Each outcome of the handshake, at servers that misbehave on purpose; and what the other tests
//! of the probe have in common.

#![cfg(unix)] // `rcgen` makes the certificates

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::certificate::CertificateValidity;
use super::names::NameAnswer;
use super::packet::ForeignProtocol;
use super::tls::{self, TlsHandshake, TlsRequest, TlsStart};
use super::trust::{ChainTrust, ClientVerification, NameFit, NamedRoots, VerificationLevel};
use super::{Deadline, ProbeFailure, connect};
use crate::time::Time;
use crate::wire::SSL_REQUEST;

pub(super) const HOST: &str = "db.example.com";

/// Time enough for a busy machine. Only what must time out waits for its deadline.
pub(super) const LONG: Duration = Duration::from_secs(30);

pub(super) fn now() -> Time {
    Time::from_rfc3339("2026-11-29T12:00:00Z").unwrap()
}

/// An authority and the certificate of a server.
pub(super) struct CertificateAuthority {
    root: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

pub(super) fn named(name: &str) -> DistinguishedName {
    let mut whole = DistinguishedName::new();
    whole.push(DnType::OrganizationName, "Example");
    whole.push(DnType::CommonName, name);
    whole
}

impl CertificateAuthority {
    pub(super) fn new(name: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name = named(name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let root = params.self_signed(&key).unwrap().der().clone();
        Self {
            root,
            issuer: Issuer::new(params, key),
        }
    }

    pub(super) fn set(&self, name: &str) -> NamedRoots {
        NamedRoots {
            name: name.to_owned(),
            certificates: vec![self.root.clone()],
        }
    }

    /// Makes a certificate of a server, changed by `change`.
    pub(super) fn certify(&self, change: impl FnOnce(&mut CertificateParams)) -> ServedCertificate {
        let mut params = server_params();
        change(&mut params);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        ServedCertificate {
            chain: vec![certificate.der().clone()],
            key: key.serialize_der(),
        }
    }
}

fn server_params() -> CertificateParams {
    let mut params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
    params.distinguished_name = named(HOST);
    params.not_before = date_time_ymd(2026, 1, 1);
    params.not_after = date_time_ymd(2027, 1, 1);
    params
}

/// What a server shows.
pub(super) struct ServedCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: Vec<u8>,
}

impl ServedCertificate {
    pub(super) fn config(self) -> ServerConfig {
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(self.key));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(self.chain, key)
            .unwrap();
        config.alpn_protocols = vec![b"postgresql".to_vec()];
        config
    }
}

/// Serves one connection, and returns it when it is open.
pub(super) fn serve(talk: impl FnOnce(TcpStream) + Send + 'static) -> connect::OpenConnection {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || talk(listener.accept().unwrap().0));
    let mut attempts = connect::connect_to_all(
        &NameAnswer::Literal(address.ip()),
        address.port(),
        Deadline::after(LONG),
    );
    connect::take_first(&mut attempts).unwrap()
}

pub(super) fn tls_request(roots: &[NamedRoots]) -> TlsRequest<'_> {
    TlsRequest {
        host: HOST,
        sends_name: true,
        start: TlsStart::Request,
        roots,
        now: now(),
    }
}

/// Waits for the request for TLS, and answers it.
pub(super) fn answer(mut stream: &TcpStream, bytes: &[u8]) {
    let mut request = [0; 8];
    stream.read_exact(&mut request).unwrap();
    assert_eq!(request, SSL_REQUEST);
    stream.write_all(bytes).unwrap();
}

/// Waits until the client has closed the connection.
fn wait_for_end(mut stream: impl Read) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

/// Returns the outcome at a server that answers the request for TLS so.
fn answered(bytes: &'static [u8]) -> tls::HandshakeOutcome {
    let open = serve(move |stream| {
        answer(&stream, bytes);
        wait_for_end(stream);
    });
    tls::begin_tls(open, &tls_request(&[]), Deadline::after(LONG)).outcome
}

#[test]
fn answers_to_the_request_for_tls() {
    assert_eq!(answered(b"N"), tls::HandshakeOutcome::Refused);
    assert_eq!(answered(b"S!"), tls::HandshakeOutcome::Injected);
    for (greeting, speaks) in [
        (
            &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
            ForeignProtocol::Http,
        ),
        (b"SSH-2.0-OpenSSH\r\n", ForeignProtocol::Ssh),
        (b"\x15\x03\x01\0\x02\x02\x46", ForeignProtocol::Tls),
        (b"\x4a\0\0\0\x0a8.0.33\0", ForeignProtocol::SomethingElse),
    ] {
        let broke = tls::HandshakeOutcome::Broke(ProbeFailure::NotPostgres(speaks));
        assert_eq!(answered(greeting), broke);
    }
    let tls::HandshakeOutcome::Error(message) = answered(b"E\0\0\0\x16C53300\0Mtoo many\0\0")
    else {
        panic!("no error");
    };
    assert_eq!((&*message.code, &*message.message), ("53300", "too many"));
    let tls::HandshakeOutcome::Error(message) = answered(b"EFATAL:  unsupported\n\0") else {
        panic!("no error");
    };
    assert_eq!(message.message, r"FATAL:  unsupported\n");
    assert_eq!(answered(b"Sx"), tls::HandshakeOutcome::Injected);
}

#[test]
fn servers_that_close_stay_silent_or_never_end() {
    let end = |talk: fn(TcpStream), time| {
        let started = Instant::now();
        let handshake = tls::begin_tls(serve(talk), &tls_request(&[]), Deadline::after(time));
        assert!(started.elapsed() < LONG / 2);
        handshake.outcome
    };
    let broke = |by| tls::HandshakeOutcome::Broke(by);
    let short = Duration::from_millis(200);
    assert_eq!(
        end(|stream| answer(&stream, b""), LONG),
        broke(ProbeFailure::Closed)
    );
    assert_eq!(end(wait_for_end, short), broke(ProbeFailure::TimedOut));
    let in_tls = |stream: TcpStream| {
        answer(&stream, b"S");
        let mut hello = [0; 16];
        (&stream).read_exact(&mut hello).unwrap();
    };
    // With bytes unread the system breaks the connection off, rather than closing it.
    let outcome = end(in_tls, LONG);
    let closed = [broke(ProbeFailure::Closed), broke(ProbeFailure::Reset)];
    assert!(closed.contains(&outcome), "{outcome:?}");
    let silent_in_tls = |stream: TcpStream| {
        answer(&stream, b"S");
        wait_for_end(stream);
    };
    assert_eq!(end(silent_in_tls, short), broke(ProbeFailure::TimedOut));
    // A byte at a time does not stretch the deadline.
    let slow = |mut stream: TcpStream| {
        answer(&stream, b"S");
        for byte in [22, 3, 3, 0x3f, 0xff].into_iter().chain([2; 1_000]) {
            thread::sleep(Duration::from_millis(20));
            if stream.write_all(&[byte]).is_err() {
                return;
            }
        }
    };
    assert_eq!(
        end(slow, Duration::from_millis(400)),
        broke(ProbeFailure::TimedOut)
    );
    let plain_in_tls = |stream: TcpStream| {
        answer(&stream, b"S");
        let mut hello = [0; 16];
        (&stream).read_exact(&mut hello).unwrap();
        (&stream).write_all(b"E\0\0\0\x0dMfull\0\0").unwrap();
        wait_for_end(stream);
    };
    assert_eq!(end(plain_in_tls, LONG), broke(ProbeFailure::NotTls));
    let alert = |stream: TcpStream| {
        answer(&stream, b"S");
        let mut hello = [0; 16];
        (&stream).read_exact(&mut hello).unwrap();
        (&stream).write_all(b"\x15\x03\x03\0\x02\x02\x70").unwrap(); // unrecognized_name
        wait_for_end(stream);
    };
    assert_eq!(end(alert, LONG), broke(ProbeFailure::Alert(112)));
}

/// Begins TLS at a server that shows this.
fn shaken(shown: ServedCertificate, tls_request: &TlsRequest<'_>) -> TlsHandshake {
    let start = tls_request.start;
    let open = serve(move |stream| {
        if start == TlsStart::Request {
            answer(&stream, b"S");
        }
        let tls = ServerConnection::new(Arc::new(shown.config())).unwrap();
        wait_for_end(StreamOwned::new(tls, stream));
    });
    tls::begin_tls(open, tls_request, Deadline::after(LONG))
}

#[test]
fn a_certificate_is_told_and_judged_by_each_set_of_roots() {
    let (own, other) = (
        CertificateAuthority::new("Root of ours"),
        CertificateAuthority::new("Another root"),
    );
    let none = NamedRoots {
        name: "none".to_owned(),
        certificates: vec![CertificateDer::from(b"no certificate".to_vec())],
    };
    let sets = [own.set("own"), other.set("other"), none];
    for start in [TlsStart::Request, TlsStart::Direct] {
        let shown = own.certify(|_| {});
        let mut tls_request = tls_request(&sets);
        tls_request.start = start;
        let handshake = shaken(shown, &tls_request);
        let tls::HandshakeOutcome::Encrypted(encryption) = &handshake.outcome else {
            panic!("{handshake:?}");
        };
        assert_eq!(
            (&*encryption.version, encryption.has_alpn),
            ("TLSv1_3", true)
        );
        let [certificate] = &handshake.certificates[..] else {
            panic!("{handshake:?}");
        };
        assert_eq!(certificate.subject, "O=Example, CN=db.example.com");
        assert_eq!(certificate.issuer_name, "Root of ours");
        assert_eq!(certificate.names, [HOST]);
        assert_eq!(certificate.not_before.rfc3339(), "2026-01-01T00:00:00Z");
        assert_eq!(certificate.not_after.rfc3339(), "2027-01-01T00:00:00Z");
        assert_eq!(certificate.fingerprint.len(), 64);
        assert!(!certificate.is_self_issued);
        let verdict = handshake.verdict.unwrap();
        assert_eq!(
            (verdict.validity, verdict.name),
            (CertificateValidity::Valid, NameFit::Fits)
        );
        let trust = verdict.trust.into_iter().map(|(_, trust)| trust);
        let expected = [
            ChainTrust::Trusted,
            ChainTrust::UnknownIssuer,
            ChainTrust::NoRoots,
        ];
        assert_eq!(trust.collect::<Vec<_>>(), expected);
    }
}

#[test]
fn tls_1_2_is_recorded_too() {
    let authority = CertificateAuthority::new("Root");
    let shown = authority.certify(|_| {});
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(shown.key));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(shown.chain, key)
        .unwrap();
    let open = serve(move |stream| {
        answer(&stream, b"S");
        let tls = ServerConnection::new(Arc::new(config)).unwrap();
        wait_for_end(StreamOwned::new(tls, stream));
    });
    let sets = [authority.set("own")];
    let handshake = tls::begin_tls(open, &tls_request(&sets), Deadline::after(LONG));
    let tls::HandshakeOutcome::Encrypted(encryption) = handshake.outcome else {
        panic!("{handshake:?}");
    };
    assert_eq!(
        (&*encryption.version, encryption.has_alpn),
        ("TLSv1_2", false)
    );
    assert!(client_verifying(VerificationLevel::RootsAndName).accepts(&handshake.verdict.unwrap()));
}

#[test]
fn what_is_wrong_with_a_certificate() {
    let authority = CertificateAuthority::new("Root");
    let sets = [authority.set("own")];
    let judged = |shown: ServedCertificate| {
        let verdict = shaken(shown, &tls_request(&sets)).verdict.unwrap();
        (verdict.validity, verdict.name, verdict.trust[0].1.clone())
    };
    let valid = CertificateValidity::Valid;
    let old = authority.certify(|params| params.not_after = date_time_ymd(2026, 2, 1));
    // A wrong clock does not hide whether the roots are right.
    assert_eq!(
        judged(old),
        (
            CertificateValidity::Expired,
            NameFit::Fits,
            ChainTrust::Trusted
        )
    );
    let young = authority.certify(|params| params.not_before = date_time_ymd(2026, 12, 1));
    assert_eq!(
        judged(young),
        (
            CertificateValidity::NotYet,
            NameFit::Fits,
            ChainTrust::Trusted
        )
    );
    let elsewhere = authority.certify(|params| {
        let names = CertificateParams::new(vec!["other.example.com".to_owned()]).unwrap();
        params.subject_alt_names = names.subject_alt_names;
    });
    assert_eq!(
        judged(elsewhere),
        (valid, NameFit::Differs, ChainTrust::Trusted)
    );
    let nameless = authority.certify(|params| params.subject_alt_names.clear());
    assert_eq!(
        judged(nameless),
        (valid, NameFit::OnlyCommonName, ChainTrust::Trusted)
    );
    let of_client = authority.certify(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    });
    assert_eq!(
        judged(of_client),
        (valid, NameFit::Fits, ChainTrust::Purpose)
    );
}

#[test]
fn a_certificate_that_has_signed_itself_is_its_own_root() {
    for is_authority in [false, true] {
        let mut params = server_params();
        if is_authority {
            params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap().der().clone();
        let sets = [NamedRoots {
            name: "itself".to_owned(),
            certificates: vec![certificate.clone()],
        }];
        let shown = ServedCertificate {
            chain: vec![certificate],
            key: key.serialize_der(),
        };
        let verdict = shaken(shown, &tls_request(&sets)).verdict.unwrap();
        assert_eq!(verdict.trust[0].1, ChainTrust::Trusted, "{is_authority}");
    }
}

#[test]
fn only_a_root_ends_a_chain() {
    let root = CertificateAuthority::new("Root");
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = named("Between");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let between = params.signed_by(&key, &root.issuer).unwrap().der().clone();
    let authority = CertificateAuthority {
        root: between.clone(),
        issuer: Issuer::new(params, key),
    };
    let mut shown = authority.certify(|_| {});
    shown.chain.push(between);
    let sets = [root.set("root"), authority.set("between")];
    let handshake = shaken(shown, &tls_request(&sets));
    assert_eq!(handshake.certificates.len(), 2);
    assert_eq!(handshake.certificates[1].common_name, "Between");
    let trust = handshake.verdict.unwrap().trust;
    assert_eq!(trust[0].1, ChainTrust::Trusted);
    assert_eq!(trust[1].1, ChainTrust::NoRoots); // as with OpenSSL
}

#[test]
fn a_server_must_have_the_key_of_its_certificate() {
    let authority = CertificateAuthority::new("Root");
    let shown = authority.certify(|_| {});
    let stolen = shown.chain;
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(authority.certify(|_| {}).key));
    let key = ring::sign::any_supported_type(&key).unwrap();
    let certified = Arc::new(rustls::sign::CertifiedKey::new(stolen, key));
    let open = serve(move |stream| {
        answer(&stream, b"S");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(rustls::sign::SingleCertAndKey::from(certified)));
        let tls = ServerConnection::new(Arc::new(config)).unwrap();
        wait_for_end(StreamOwned::new(tls, stream));
    });
    let handshake = tls::begin_tls(open, &tls_request(&[]), Deadline::after(LONG));
    assert_eq!(handshake.outcome, tls::HandshakeOutcome::NotItsOwn);
    assert!(handshake.session.is_none());
    assert_eq!(handshake.certificates.len(), 1); // it is told all the same
}

#[test]
fn a_host_that_is_no_name_is_not_dialled_by_tls() {
    let mut tls_request = tls_request(&[]);
    tls_request.host = "not a name";
    let handshake = tls::begin_tls(serve(drop), &tls_request, Deadline::after(LONG));
    assert_eq!(handshake.outcome, tls::HandshakeOutcome::NotAName);
}

pub(super) fn client_verifying(verification: VerificationLevel) -> ClientVerification {
    ClientVerification {
        verification,
        roots: "own".to_owned(),
    }
}

#[test]
fn a_policy_asks_for_what_it_verifies() {
    let verdict = |validity, name, trust| super::trust::CertificateVerdict {
        validity,
        name,
        trust: vec![("own".to_owned(), trust)],
    };
    let valid = CertificateValidity::Valid;
    for (verdict, by_roots, by_name) in [
        (
            verdict(valid, NameFit::Fits, ChainTrust::Trusted),
            true,
            true,
        ),
        (
            verdict(valid, NameFit::Differs, ChainTrust::Trusted),
            true,
            false,
        ),
        (
            verdict(valid, NameFit::OnlyCommonName, ChainTrust::Trusted),
            true,
            false,
        ),
        (
            verdict(valid, NameFit::Fits, ChainTrust::UnknownIssuer),
            false,
            false,
        ),
        (
            verdict(
                CertificateValidity::Expired,
                NameFit::Fits,
                ChainTrust::Trusted,
            ),
            false,
            false,
        ),
    ] {
        assert_eq!(
            client_verifying(VerificationLevel::Roots).accepts(&verdict),
            by_roots
        );
        assert_eq!(
            client_verifying(VerificationLevel::RootsAndName).accepts(&verdict),
            by_name
        );
        assert!(client_verifying(VerificationLevel::Nothing).accepts(&verdict));
        let unknown = ClientVerification {
            verification: VerificationLevel::Roots,
            roots: "a set that nobody has judged".to_owned(),
        };
        assert!(!unknown.accepts(&verdict));
    }
}
