//! Faults before TLS: at the connection's first byte, and at the request for TLS.

use std::io;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::Fault;
use crate::session::{hold, turn_away};
use crate::wire::error_response;

const HTTP: &[u8] = b"HTTP/1.1 400 Bad Request\r\nServer: nginx\r\nContent-Type: text/html\r\n\
    Content-Length: 41\r\nConnection: close\r\n\r\n<html><body>400 Bad Request</body></html>";

/// Protocol 10, version 8.0.36, the first eight bytes of the scramble, and so on; before it the
/// length and the number of the packet.
const MYSQL: &[u8] = b"\x4a\0\0\0\x0a8.0.36\0\x08\0\0\0\x1a\x2b\x3c\x4d\x5e\x6f\x70\x11\0\xff\xff\
    \xff\x02\0\xff\xdf\x15\0\0\0\0\0\0\0\0\0\0\x21\x32\x43\x54\x65\x76\x17\x28\x39\x4a\x5b\x6c\0\
    caching_sha2_password\0";

/// What comes before the client has said anything; `false` if that was all.
pub(crate) async fn at_first(tcp: &mut TcpStream, fault: Option<Fault>) -> io::Result<bool> {
    match fault {
        Some(Fault::Silent) => hold(tcp).await?,
        Some(Fault::Closes) => turn_away(tcp, &[]).await?,
        Some(Fault::HttpServer) => {
            // A web server waits for a request.
            tcp.read_u8().await?;
            turn_away(tcp, HTTP).await?;
        }
        Some(Fault::MysqlServer) => turn_away(tcp, MYSQL).await?,
        _ => return Ok(true),
    }
    Ok(false)
}

/// What the client may do next after its request for TLS.
pub(crate) enum Next {
    Handshake,
    Startup,
    Nothing,
}

/// Answers the request for TLS.
pub(crate) async fn at_request(tcp: &mut TcpStream, fault: Option<Fault>) -> io::Result<Next> {
    match fault {
        Some(Fault::TlsRefused | Fault::AsksInClear) => {
            tcp.write_all(b"N").await?;
            return Ok(Next::Startup);
        }
        Some(Fault::ClosesAfterSslRequest) => turn_away(tcp, &[]).await?,
        Some(Fault::ErrorAfterSslRequest) => {
            let text = "unsupported frontend protocol 1234.5679: server supports 1.0 to 3.0";
            turn_away(tcp, &error_response("FATAL", "0A000", text, None)).await?;
        }
        Some(Fault::PlainAfterS) => {
            let injected = error_response("FATAL", "28000", "injected in clear text", None);
            turn_away(tcp, &[b"S", injected.as_slice()].concat()).await?;
        }
        Some(Fault::SilentTls) => {
            tcp.write_all(b"S").await?;
            hold(tcp).await?;
        }
        _ => {
            tcp.write_all(b"S").await?;
            return Ok(Next::Handshake);
        }
    }
    Ok(Next::Nothing)
}
