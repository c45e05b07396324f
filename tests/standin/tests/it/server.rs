//! Clients against a running stand-in, with a few lines of script in place of the real server.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use standin::{Config, Kind, Standin, Upstream};

use crate::support::{Draft, HOST, ID, RDS_HOST, SECRET, issued, key};

type Tls = StreamOwned<ClientConnection, TcpStream>;

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const GSSENC_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];
const CANCEL_REQUEST: [u8; 16] = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 7, 0, 0, 0, 9];
const WELCOME: [u8; 15] = *b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Accepts every connection, and keeps what it received: one entry for each connection, one `|`
/// between two reads.
fn script() -> (Upstream, Arc<Mutex<Vec<Vec<u8>>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let list = Arc::clone(&heard);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, list) = (stream.unwrap(), Arc::clone(&list));
            thread::spawn(move || {
                let mut packet = vec![0; 65_536];
                let length = stream.read(&mut packet).unwrap_or(0);
                list.lock().unwrap().push(packet[..length].to_vec());
                if packet.starts_with(&CANCEL_REQUEST) {
                    return;
                }
                stream.write_all(&WELCOME).unwrap();
                while let Ok(length @ 1..) = stream.read(&mut packet) {
                    list.lock()
                        .unwrap()
                        .last_mut()
                        .unwrap()
                        .extend(&packet[..length]);
                    stream.write_all(&WELCOME[9..]).unwrap();
                }
            });
        }
    });
    (
        Upstream::Tcp {
            host: "127.0.0.1".into(),
            port,
        },
        heard,
    )
}

fn start(change: impl FnOnce(&mut Config)) -> (Standin, Arc<Mutex<Vec<Vec<u8>>>>) {
    let (upstream, heard) = script();
    let mut config = Config {
        keys: vec![key(ID, SECRET, None)],
        upstream,
        now: Some(issued()),
        ..Config::default()
    };
    config.public_port = Some(5432);
    change(&mut config);
    (Standin::start(config).unwrap(), heard)
}

fn dial(standin: &Standin) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", standin.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// The roots are those that belong to the host.
fn encrypt(standin: &Standin, stream: TcpStream, host: &str, alpn: bool) -> Tls {
    let pem = if host == RDS_HOST {
        standin.rds_ca_pem()
    } else {
        standin.ca_pem()
    };
    encrypt_by(pem, stream, host, alpn)
}

fn encrypt_by(pem: &str, stream: TcpStream, host: &str, alpn: bool) -> Tls {
    encrypted(pem, stream, host, |config| {
        if alpn {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
    })
}

fn encrypt_without_sni(pem: &str, stream: TcpStream, host: &str) -> Tls {
    encrypted(pem, stream, host, |config| config.enable_sni = false)
}

fn encrypted(
    pem: &str,
    stream: TcpStream,
    host: &str,
    adjust: impl FnOnce(&mut ClientConfig),
) -> Tls {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        roots.add(certificate.unwrap()).unwrap();
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    adjust(&mut config);
    let name = ServerName::try_from(host.to_owned()).unwrap();
    StreamOwned::new(
        ClientConnection::new(Arc::new(config), name).unwrap(),
        stream,
    )
}

/// Asks for TLS as libpq does, refused GSSAPI encryption first.
fn negotiated(standin: &Standin, host: &str) -> Tls {
    let mut stream = dial(standin);
    let mut answer = [0];
    for (request, wanted) in [(GSSENC_REQUEST, b'N'), (SSL_REQUEST, b'S')] {
        stream.write_all(&request).unwrap();
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(answer, [wanted]);
    }
    encrypt(standin, stream, host, false)
}

/// The handshake's end: an error if the certificate is not trusted.
fn shake_hands(pem: &str, standin: &Standin, host: &str) -> io::Result<()> {
    let mut tls = encrypt_by(pem, dial(standin), host, true);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(())
}

fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), body].concat()
}

fn startup(words: &str) -> Vec<u8> {
    let body = [&[0, 3, 0, 0], words.as_bytes(), b"\0"].concat();
    message(0, &body)[1..].to_vec()
}

/// One message: its type and, with every zero byte as `|`, its body.
fn read(stream: &mut impl Read) -> io::Result<(char, String)> {
    let mut head = [0; 5];
    stream.read_exact(&mut head)?;
    let mut body = vec![0; u32::from_be_bytes(head[1..].try_into().unwrap()) as usize - 4];
    stream.read_exact(&mut body)?;
    Ok((
        char::from(head[0]),
        String::from_utf8_lossy(&body).replace('\0', "|"),
    ))
}

/// Logs in up to the verdict and returns the first message after the password.
fn log_in(tls: &mut Tls, words: &str, token: &str) -> (char, String) {
    tls.write_all(&startup(words)).unwrap();
    assert_eq!(read(tls).unwrap(), ('R', "|||\u{3}".into()));
    tls.write_all(&message(b'p', format!("{token}\0").as_bytes()))
        .unwrap();
    read(tls).unwrap()
}

/// The connection ends with TLS's own farewell: anything else is an error to rustls.
fn ends_properly(tls: &mut Tls) {
    assert_eq!(tls.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_proper_token_leads_to_the_real_server() {
    let (standin, heard) = start(|_| ());
    let mut tls = negotiated(&standin, HOST);
    let words = "user\0admin\0options\0-c geqo=off -c amzn-cluster-id=foo0bar1baz2quux3quuux4abc\0";
    assert_eq!(
        log_in(&mut tls, words, &Draft::dsql(None).signed()),
        ('R', "||||".into())
    );
    assert_eq!(read(&mut tls).unwrap(), ('Z', "I".into()));
    tls.write_all(&message(b'Q', b"SET jit = off\0")).unwrap();
    assert_eq!(read(&mut tls).unwrap(), ('Z', "I".into()));
    let upstream = [
        startup("user\0admin\0options\0-c geqo=off\0database\0postgres\0"),
        message(b'Q', b"SET jit = off\0"),
    ];
    assert_eq!(heard.lock().unwrap().as_slice(), [upstream.concat()]);
    assert_eq!((standin.accepted(), standin.refused()), (1, 0));
}

#[test]
fn a_bad_token_is_refused_in_dsql_s_words() {
    let (standin, heard) = start(|_| ());
    let mut tls = negotiated(&standin, HOST);
    let token = Draft::dsql(None).with("Action", "DbConnect").signed();
    let words = "SFATAL|VFATAL|C08006|Munable to accept connection, access denied|\
                 HWrong user to action mapping. user: admin, action: DbConnect||";
    assert_eq!(
        log_in(&mut tls, "user\0admin\0", &token),
        ('E', words.into())
    );
    ends_properly(&mut tls);
    assert!(heard.lock().unwrap().is_empty());
    let event = &standin.events()[0];
    assert_eq!((event.user.as_str(), event.host.as_str()), ("admin", HOST));
    assert_eq!(
        (event.kind, event.outcome, event.time),
        (Some(Kind::Dsql), "wrong-action", issued())
    );
    assert_eq!((standin.accepted(), standin.refused()), (0, 1));
}

#[test]
fn rds_has_its_own_words_and_its_port() {
    let (standin, heard) = start(|_| ());
    let mut tls = negotiated(&standin, RDS_HOST);
    assert_eq!(
        log_in(&mut tls, "user\0jane\0", &Draft::rds().signed()),
        ('R', "||||".into())
    );
    assert_eq!(heard.lock().unwrap().as_slice(), [startup("user\0jane\0")]);
    let mut tls = negotiated(&standin, RDS_HOST);
    let words = "SFATAL|VFATAL|C28000|MPAM authentication failed for user \"joe\"||";
    assert_eq!(
        log_in(&mut tls, "user\0joe\0", &Draft::rds().signed()),
        ('E', words.into())
    );
    ends_properly(&mut tls);
}

#[test]
fn tls_may_start_at_once() {
    let (standin, _) = start(|_| ());
    let mut tls = encrypt(&standin, dial(&standin), HOST, true);
    assert_eq!(
        log_in(&mut tls, "user\0admin\0", &Draft::dsql(None).signed()).0,
        'R'
    );
    let mut tls = encrypt(&standin, dial(&standin), HOST, false);
    tls.write_all(&startup("user\0admin\0")).unwrap();
    assert!(matches!(tls.read(&mut [0]), Ok(0) | Err(_)));
    assert_eq!(standin.accepted(), 1);
}

#[test]
fn plain_text_and_missing_names_are_refused() {
    let (standin, _) = start(|_| ());
    let mut plain = dial(&standin);
    plain.write_all(&startup("user\0admin\0")).unwrap();
    let words = "SFATAL|VFATAL|C28000|Munable to accept connection, TLS is required||";
    assert_eq!(read(&mut plain).unwrap(), ('E', words.into()));
    let mut tls = negotiated(&standin, "127.0.0.1");
    tls.write_all(&startup("user\0admin\0")).unwrap();
    let words = "SFATAL|VFATAL|C08006|Munable to accept connection, sni was not received||";
    assert_eq!(read(&mut tls).unwrap(), ('E', words.into()));
    ends_properly(&mut tls);
    let outcomes: Vec<_> = standin
        .events()
        .into_iter()
        .map(|event| (event.kind, event.outcome))
        .collect();
    assert_eq!(outcomes, [(None, "no-tls"), (None, "no-sni")]);
}

#[test]
fn rds_has_certificates_that_only_its_own_roots_trust() {
    let (standin, _) = start(|_| ());
    let (public, own) = (standin.ca_pem(), standin.rds_ca_pem());
    let proxy = "pool.proxy-c1a2b3c4d5e6.us-west-2.rds.amazonaws.com";
    for (host, right, wrong) in [
        (HOST, public, own),
        (proxy, public, own),
        (RDS_HOST, own, public),
    ] {
        shake_hands(right, &standin, host).unwrap();
        let error = shake_hands(wrong, &standin, host).unwrap_err();
        assert!(
            error.to_string().contains("UnknownIssuer"),
            "{host}: {error}"
        );
    }
    assert_eq!(own.matches("BEGIN CERTIFICATE").count(), 3);
}

/// An instance of RDS has one host only, so it needs no SNI.
#[test]
fn rds_serves_clients_without_sni() {
    let (standin, _) = start(|config| config.without_sni = Some(RDS_HOST.to_uppercase()));
    let mut stream = dial(&standin);
    stream.write_all(&SSL_REQUEST).unwrap();
    stream.read_exact(&mut [0]).unwrap();
    let mut tls = encrypt_without_sni(standin.rds_ca_pem(), stream, RDS_HOST);
    assert_eq!(
        log_in(&mut tls, "user\0jane\0", &Draft::rds().signed()),
        ('R', "||||".into())
    );
    assert_eq!(standin.events()[0].host, RDS_HOST);
}

#[test]
#[cfg(not(target_os = "macos"))] // it has only one until another is made
fn any_loopback_address_will_do() {
    let (standin, _) = start(|config| config.listen = "127.84.7.1:0".parse().unwrap());
    assert_eq!(standin.address().ip().to_string(), "127.84.7.1");
    TcpStream::connect(standin.address()).unwrap();
}

#[test]
fn cancel_requests_are_handed_on() {
    let (standin, heard) = start(|_| ());
    let mut plain = dial(&standin);
    plain.write_all(&CANCEL_REQUEST).unwrap();
    assert_eq!(plain.read(&mut [0]).unwrap(), 0);
    let mut tls = negotiated(&standin, HOST);
    tls.write_all(&CANCEL_REQUEST).unwrap();
    ends_properly(&mut tls);
    assert_eq!(
        heard.lock().unwrap().as_slice(),
        [CANCEL_REQUEST, CANCEL_REQUEST]
    );
    assert_eq!((standin.accepted(), standin.refused()), (0, 0));
}

#[test]
fn forbidden_parameters_are_replaced_on_the_way() {
    let (standin, heard) = start(|config| config.reject_set = true);
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
    let heard = String::from_utf8_lossy(&heard.lock().unwrap()[0]).into_owned();
    assert!(heard.contains("SET search_path = a"), "{heard}");
    assert!(heard.contains("name\0DO $standin$BEGIN RAISE"), "{heard}");
    assert!(
        heard.contains("END$standin$\0\0\u{2}\0\0\0\u{19}\0\0\0\u{19}d"),
        "{heard}"
    );
    assert!(heard.ends_with("d\0\0\0\u{12}SET jit = off\0"), "{heard}");
}

#[test]
fn sessions_end_when_their_time_is_over() {
    let (standin, _) = start(|config| config.session_limit = Some(Duration::from_millis(200)));
    let mut tls = negotiated(&standin, HOST);
    assert_eq!(
        log_in(&mut tls, "user\0admin\0", &Draft::dsql(None).signed()).0,
        'R'
    );
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    let (kind, words) = read(&mut tls).unwrap();
    assert!(
        kind == 'E'
            && words.contains("|C57P01|Mterminating connection due to administrator command|"),
        "{words}"
    );
    ends_properly(&mut tls);
}

#[test]
fn the_clock_can_be_set_while_running() {
    let (standin, _) = start(|_| ());
    let token = Draft::dsql(None).signed();
    standin.set_now(Some(issued() + 900));
    assert!(
        log_in(&mut negotiated(&standin, HOST), "user\0admin\0", &token)
            .1
            .contains("HSignature expired: ")
    );
    standin.set_now(Some(issued() + 899));
    assert_eq!(
        log_in(&mut negotiated(&standin, HOST), "user\0admin\0", &token).0,
        'R'
    );
    standin.set_now(None);
    standin.set_clock_offset(-4_000_000_000);
    assert!(
        log_in(&mut negotiated(&standin, HOST), "user\0admin\0", &token)
            .1
            .contains("HSignature not yet current")
    );
}

#[test]
fn dropping_ends_sessions_and_listener() {
    let (standin, _) = start(|_| ());
    let mut tls = negotiated(&standin, HOST);
    assert_eq!(
        log_in(&mut tls, "user\0admin\0", &Draft::dsql(None).signed()).0,
        'R'
    );
    assert_eq!(read(&mut tls).unwrap().0, 'Z');
    let port = standin.port();
    drop(standin);
    assert!(matches!(tls.read(&mut [0]), Ok(0) | Err(_)));
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}

#[test]
fn the_log_holds_no_secret() {
    let path = std::env::temp_dir().join(format!("standin-log-{}.jsonl", std::process::id()));
    let (standin, _) = start(|config| config.log = Some(path.clone()));
    let token = Draft::dsql(None).signed();
    log_in(&mut negotiated(&standin, HOST), "user\0admin\0", &token);
    log_in(&mut negotiated(&standin, HOST), "user\0app\0", &token);
    log_in(&mut negotiated(&standin, HOST), "user\0app\0", "hunter2");
    let log = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let outcomes: Vec<_> = log
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["outcome"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(outcomes, ["accepted", "wrong-action", "malformed"]);
    assert!(!log.contains("X-Amz") && !log.contains("hunter2") && !log.contains(SECRET));
}

#[test]
fn a_real_server_that_asks_for_a_password_never_gets_the_token() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let upstream = Upstream::Tcp {
        host: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
    };
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"R\0\0\0\x08\0\0\0\x03").unwrap();
        let _ = stream.read(&mut [0; 1024]);
    });
    let (standin, _) = start(|config| config.upstream = upstream);
    let mut tls = negotiated(&standin, HOST);
    let (kind, words) = log_in(&mut tls, "user\0admin\0", &Draft::dsql(None).signed());
    assert!(
        kind == 'E' && words.contains("must trust its clients"),
        "{words}"
    );
    ends_properly(&mut tls);
}
