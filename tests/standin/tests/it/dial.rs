//! How the tests reach a stand-in: a few lines of script in place of the real server, TLS, and the
//! login message by message.

use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use standin::{Config, Standin, Upstream};

use crate::support::{ID, RDS_HOST, SECRET, issued, key};

pub type Tls = StreamOwned<ClientConnection, TcpStream>;

pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
pub const GSSENC_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 48];
pub const CANCEL_REQUEST: [u8; 16] = [0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 7, 0, 0, 0, 9];
pub const WELCOME: [u8; 15] = *b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";

/// Accepts every connection, and keeps what it received: one entry for each connection, one `|`
/// between two reads.
pub fn script() -> (Upstream, Arc<Mutex<Vec<Vec<u8>>>>) {
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

pub fn start(change: impl FnOnce(&mut Config)) -> (Standin, Arc<Mutex<Vec<Vec<u8>>>>) {
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

pub fn dial(standin: &Standin) -> TcpStream {
    let stream = TcpStream::connect(standin.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
}

/// The roots are those that belong to the host.
pub fn encrypt(standin: &Standin, stream: TcpStream, host: &str, alpn: bool) -> Tls {
    let pem = if host == RDS_HOST {
        standin.rds_ca_pem()
    } else {
        standin.ca_pem()
    };
    encrypt_by(pem, stream, host, alpn)
}

pub fn encrypt_by(pem: &str, stream: TcpStream, host: &str, alpn: bool) -> Tls {
    encrypted(pem, stream, host, |config| {
        if alpn {
            config.alpn_protocols = vec![b"postgresql".to_vec()];
        }
    })
}

pub fn encrypt_without_sni(pem: &str, stream: TcpStream, host: &str) -> Tls {
    encrypted(pem, stream, host, |config| config.enable_sni = false)
}

pub fn encrypted(
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
pub fn negotiated(standin: &Standin, host: &str) -> Tls {
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
pub fn shake_hands(pem: &str, standin: &Standin, host: &str) -> io::Result<()> {
    let mut tls = encrypt_by(pem, dial(standin), host, true);
    while tls.conn.is_handshaking() {
        tls.conn.complete_io(&mut tls.sock)?;
    }
    Ok(())
}

pub fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
    [&[kind], length.as_slice(), body].concat()
}

pub fn startup(words: &str) -> Vec<u8> {
    packet(0x0003_0000, words)
}

/// A start-up packet of some version of the protocol.
pub fn packet(protocol: u32, words: &str) -> Vec<u8> {
    let body = [&protocol.to_be_bytes(), words.as_bytes(), b"\0"].concat();
    message(0, &body)[1..].to_vec()
}

/// One message: its type and, with every zero byte as `|`, its body.
pub fn read(stream: &mut impl Read) -> io::Result<(char, String)> {
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
pub fn log_in(tls: &mut Tls, words: &str, token: &str) -> (char, String) {
    tls.write_all(&startup(words)).unwrap();
    assert_eq!(read(tls).unwrap(), ('R', "|||\u{3}".into()));
    tls.write_all(&message(b'p', format!("{token}\0").as_bytes()))
        .unwrap();
    read(tls).unwrap()
}

/// The connection ends with TLS's own farewell: anything else is an error to rustls.
pub fn ends_properly(tls: &mut Tls) {
    assert_eq!(tls.read(&mut [0]).unwrap(), 0);
}
