//! Each fault as a client meets it.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread::sleep;
use std::time::{Duration, Instant};

use standin::{Fault, Standin};

use crate::dial::{
    GSSENC_REQUEST, SSL_REQUEST, dial, encrypt, encrypt_by, encrypt_without_sni, ends_properly,
    log_in, message, negotiated, packet, read, shake_hands, start, startup,
};
use crate::support::{Draft, HOST, PROXY_HOST, RDS_HOST, SECRET};

fn with(fault: Fault) -> Standin {
    start(|config| config.fault = Some(fault)).0
}

/// All that comes until the server closes.
fn rest(stream: &mut impl Read) -> Vec<u8> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    bytes
}

/// Nothing comes, and the connection stays.
fn is_silent(stream: &mut TcpStream) {
    stream
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    let error = stream.read(&mut [0]).unwrap_err();
    let kinds = [io::ErrorKind::WouldBlock, io::ErrorKind::TimedOut];
    assert!(kinds.contains(&error.kind()), "{error}");
}

/// The answer to a request for TLS.
fn request_tls(standin: &Standin) -> (u8, TcpStream) {
    let mut stream = dial(standin);
    stream.write_all(&SSL_REQUEST).unwrap();
    let mut answer = [0];
    stream.read_exact(&mut answer).unwrap();
    (answer[0], stream)
}

#[test]
fn names_lead_to_faults() {
    for fault in Fault::ALL {
        assert_eq!(fault.name().parse(), Ok(*fault));
        assert!(!fault.about().is_empty());
    }
    assert!("no-such-fault".parse::<Fault>().is_err());
}

#[test]
fn faults_come_and_go() {
    let standin = with(Fault::Closes);
    assert_eq!(rest(&mut dial(&standin)), b"");
    standin.set_fault(None);
    let token = Draft::dsql(None).signed();
    let mut tls = negotiated(&standin, HOST);
    assert_eq!(log_in(&mut tls, "user\0admin\0", &token).0, 'R');
}

#[test]
fn other_servers_speak_their_own_language() {
    let standin = with(Fault::HttpServer);
    let mut http = dial(&standin);
    http.write_all(&SSL_REQUEST).unwrap();
    let answer = rest(&mut http);
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 400 Bad Request\r\n"));
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())));

    let standin = with(Fault::MysqlServer);
    let greeting = rest(&mut dial(&standin));
    assert_eq!(usize::from(greeting[0]), greeting.len() - 4);
    assert_eq!(&greeting[1..11], b"\0\0\0\x0a8.0.36");
}

#[test]
fn silence_lasts() {
    let standin = with(Fault::Silent);
    let mut stream = dial(&standin);
    stream.write_all(&SSL_REQUEST).unwrap();
    is_silent(&mut stream);

    let standin = with(Fault::SilentTls);
    let (answer, mut stream) = request_tls(&standin);
    assert_eq!(answer, b'S');
    is_silent(&mut stream);
    // Where TLS starts at once, too.
    let mut tls = encrypt(&standin, dial(&standin), HOST, true);
    tls.sock
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    assert!(tls.conn.complete_io(&mut tls.sock).is_err());
    assert!(tls.conn.is_handshaking());

    for fault in [Fault::SilentAfterStartup, Fault::SilentAfterPassword] {
        let standin = with(fault);
        let mut tls = negotiated(&standin, HOST);
        tls.write_all(&startup("user\0admin\0")).unwrap();
        if fault == Fault::SilentAfterPassword {
            assert_eq!(read(&mut tls).unwrap().0, 'R');
            let token = format!("{}\0", Draft::dsql(None).signed());
            tls.write_all(&message(b'p', token.as_bytes())).unwrap();
        }
        tls.sock
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        assert!(read(&mut tls).is_err(), "{fault:?}");
    }
}

#[test]
#[cfg(not(target_os = "windows"))] // the listener's port may be another program's there
fn one_listens_over_ipv6_only() {
    if std::net::TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without IPv6 has nothing to test
    }
    let standin = with(Fault::Ipv6Only);
    assert!(standin.address().is_ipv6());
    assert!(TcpStream::connect(("127.0.0.1", standin.port())).is_err());
    assert_eq!(request_tls(&standin).0, b'S');
}

#[test]
fn tls_may_be_refused() {
    let standin = start(|config| {
        config.fault = Some(Fault::TlsRefused);
        config.without_sni = Some(RDS_HOST.into());
    })
    .0;
    let (answer, mut stream) = request_tls(&standin);
    assert_eq!(answer, b'N');
    stream.write_all(&startup("user\0jane\0")).unwrap();
    let (_, body) = read(&mut stream).unwrap();
    assert!(body.contains(", no encryption||"), "{body}");

    let standin = with(Fault::AsksInClear);
    let (answer, mut stream) = request_tls(&standin);
    assert_eq!(answer, b'N');
    stream.write_all(&startup("user\0jane\0")).unwrap();
    assert_eq!(read(&mut stream).unwrap(), ('R', "|||\u{3}".into()));
    assert!(standin.events().is_empty());
    stream.write_all(&message(b'p', b"secret\0")).unwrap();
    assert_eq!(read(&mut stream).unwrap().0, 'E');
    assert_eq!(standin.events()[0].outcome, standin::Event::SENT_IN_CLEAR);
}

#[test]
fn a_request_for_tls_may_end_in_other_ways() {
    let standin = with(Fault::ClosesAfterSslRequest);
    let mut stream = dial(&standin);
    stream.write_all(&GSSENC_REQUEST).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    stream.write_all(&SSL_REQUEST).unwrap();
    assert_eq!(rest(&mut stream), b"");

    let standin = with(Fault::ErrorAfterSslRequest);
    let mut stream = dial(&standin);
    stream.write_all(&SSL_REQUEST).unwrap();
    let (kind, body) = read(&mut stream).unwrap();
    assert!(kind == 'E' && body.contains("unsupported frontend protocol 1234.5679"));

    let standin = with(Fault::PlainAfterS);
    let (answer, mut stream) = request_tls(&standin);
    assert_eq!(answer, b'S');
    assert_eq!(read(&mut stream).unwrap().0, 'E');
}

#[test]
fn direct_tls_may_be_unknown_or_without_alpn() {
    let standin = with(Fault::NoDirectTls);
    shake_hands(standin.ca_pem(), &standin, HOST).unwrap_err();
    assert_eq!(request_tls(&standin).0, b'S');

    let standin = with(Fault::NoAlpn);
    let mut tls = encrypt(&standin, dial(&standin), HOST, true);
    tls.write_all(&startup("user\0admin\0")).unwrap();
    assert_eq!(read(&mut tls).unwrap().0, 'R');
    assert_eq!(tls.conn.alpn_protocol(), None);
}

#[test]
fn the_handshake_may_be_slow() {
    let standin = with(Fault::SlowTls);
    let (_, stream) = request_tls(&standin);
    let mut tls = encrypt(&standin, stream, HOST, false);
    tls.conn.write_tls(&mut tls.sock).unwrap();
    let (start, mut byte) = (Instant::now(), [0]);
    tls.sock.read_exact(&mut byte).unwrap();
    assert_eq!(byte, [0x16]);
    tls.sock.read_exact(&mut byte).unwrap();
    assert!(start.elapsed() > Duration::from_millis(900));
}

#[test]
fn a_missing_name_may_end_the_handshake() {
    for (fault, alert) in [
        (Fault::SniAlert, [0x15, 3, 3, 0, 2, 2, 112]),
        (Fault::SniClose, [0x15, 3, 3, 0, 2, 1, 0]),
    ] {
        let standin = with(fault);
        let (_, stream) = request_tls(&standin);
        let mut tls = encrypt_without_sni(standin.ca_pem(), stream, HOST);
        tls.conn.write_tls(&mut tls.sock).unwrap();
        assert_eq!(rest(&mut tls.sock), alert);
        negotiated(&standin, HOST)
            .write_all(&startup("user\0admin\0"))
            .unwrap();
    }
    let standin = with(Fault::TlsVersion);
    let error = shake_hands(standin.ca_pem(), &standin, HOST).unwrap_err();
    assert!(error.to_string().contains("ProtocolVersion"), "{error}");
}

#[test]
fn certificates_may_be_wrong() {
    for (fault, host, says) in [
        (Fault::CertOtherName, HOST, "NotValidForName"),
        (Fault::CertExpired, HOST, "Expired"),
        (Fault::CertNotYetValid, HOST, "NotValidYet"),
        (Fault::CertSelfSigned, HOST, "UnknownIssuer"),
        (Fault::CertUnknownCa, HOST, "UnknownIssuer"),
        (Fault::CertRdsCa, HOST, "UnknownIssuer"),
        (Fault::CertRdsCa, PROXY_HOST, "UnknownIssuer"),
        (Fault::CertCompanyCa, HOST, "UnknownIssuer"),
        (Fault::CertOtherName, RDS_HOST, "NotValidForName"),
        (Fault::CertExpired, RDS_HOST, "Expired"),
        (Fault::CertPublicCa, RDS_HOST, "UnknownIssuer"),
    ] {
        let standin = with(fault);
        let roots = if host == RDS_HOST {
            standin.rds_ca_pem()
        } else {
            standin.ca_pem()
        };
        let error = shake_hands(roots, &standin, host).unwrap_err();
        let error = format!("{:?}", error.into_inner().unwrap());
        assert!(error.contains(says), "{fault:?}: {error}");
    }
    // The three authorities are what they say.
    let standin = with(Fault::CertRdsCa);
    shake_hands(standin.rds_ca_pem(), &standin, HOST).unwrap();
    assert!(
        standin
            .rds_ca_pem()
            .contains("# Amazon RDS eu-west-1 Root CA RSA2048 G1\n")
    );
    standin.set_fault(Some(Fault::CertPublicCa));
    shake_hands(standin.ca_pem(), &standin, RDS_HOST).unwrap();
    standin.set_fault(Some(Fault::CertCompanyCa));
    shake_hands(standin.company_ca_pem(), &standin, HOST).unwrap();
    // A proxy and RDS send their root, too.
    let mut tls = encrypt_by(standin.company_ca_pem(), dial(&standin), HOST, true);
    tls.write_all(&startup("user\0admin\0")).unwrap();
    tls.flush().unwrap();
    assert_eq!(tls.conn.peer_certificates().unwrap().len(), 2);
}

/// A session that is resumed would show no certificate.
#[test]
fn a_flaw_is_seen_by_a_client_that_was_here_before() {
    let (standin, _) = start(|_| ());
    let mut tls = encrypt(&standin, dial(&standin), HOST, true);
    tls.write_all(&startup("user\0admin\0")).unwrap();
    assert_eq!(read(&mut tls).unwrap().0, 'R');
    standin.set_fault(Some(Fault::CertExpired));
    shake_hands(standin.ca_pem(), &standin, HOST).unwrap_err();
}

#[test]
fn a_newer_protocol_may_be_refused() {
    let standin = with(Fault::Protocol30Only);
    let mut tls = negotiated(&standin, HOST);
    tls.write_all(&packet(0x0003_0002, "user\0admin\0"))
        .unwrap();
    let (_, body) = read(&mut tls).unwrap();
    assert!(
        body.contains("C0A000|Munsupported frontend protocol 3.2: server supports"),
        "{body}"
    );
    let mut tls = negotiated(&standin, HOST);
    tls.write_all(&startup("user\0admin\0")).unwrap();
    assert_eq!(read(&mut tls).unwrap().0, 'R');
}

#[test]
fn a_server_may_speak_badly() {
    let (standin, _) = start(|_| ());
    let speak = |fault| {
        standin.set_fault(Some(fault));
        let mut tls = negotiated(&standin, HOST);
        tls.write_all(&startup("user\0admin\0")).unwrap();
        tls
    };
    ends_properly(&mut speak(Fault::ClosesAfterStartup));

    let mut head = [0; 5];
    speak(Fault::BrokenLength).read_exact(&mut head).unwrap();
    assert_eq!(&head, b"E\x7f\xff\xff\xff");

    let (kind, body) = read(&mut speak(Fault::LongError)).unwrap();
    assert!(kind == 'E' && body.len() > 1_000_000);

    let (_, body) = read(&mut speak(Fault::ControlCharacters)).unwrap();
    assert!(body.contains("M\u{1b}[2J\u{1b}]0;owned\u{7}first line\r\nsecond"));

    let mut tls = speak(Fault::EndlessNotices);
    for _ in 0..20 {
        assert_eq!(read(&mut tls).unwrap().0, 'N');
    }

    let mut tls = speak(Fault::ClosesAfterPassword);
    assert_eq!(read(&mut tls).unwrap().0, 'R');
    tls.write_all(&message(b'p', format!("{SECRET}\0").as_bytes()))
        .unwrap();
    ends_properly(&mut tls);
    drop(tls);
    // The record is written when the connection is gone.
    let is_last = || {
        let last = standin.events().pop();
        last.is_some_and(|event| event.outcome == "closes-after-password")
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_last() && Instant::now() < deadline {
        sleep(Duration::from_millis(10));
    }
    assert!(is_last());
}
