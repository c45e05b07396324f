//! The messages of the PostgreSQL protocol that the stand-in reads or writes itself. It passes all
//! other messages on unread.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

pub(crate) const CANCEL_REQUEST: u32 = 80_877_102;
pub(crate) const SSL_REQUEST: u32 = 80_877_103;
pub(crate) const GSSENC_REQUEST: u32 = 80_877_104;

pub(crate) const PROTOCOL_3_0: u32 = 0x0003_0000;

/// `AuthenticationCleartextPassword`.
pub(crate) const ASK_PASSWORD: [u8; 9] = *b"R\0\0\0\x08\0\0\0\x03";

/// PostgreSQL's own bound on a startup packet.
const LONGEST_STARTUP: usize = 10_000;
/// PostgreSQL's own bound on a password message; tokens stay far below.
const LONGEST_PASSWORD: usize = 65_535;

/// A packet without a type byte: its code, and what follows it.
pub(crate) struct FirstPacket {
    pub(crate) code: u32,
    pub(crate) body: Vec<u8>,
}

impl FirstPacket {
    pub(crate) async fn read(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Self> {
        let length = from.read_u32().await? as usize;
        if !(8..=LONGEST_STARTUP).contains(&length) {
            return Err(invalid("the length of the startup packet is invalid"));
        }
        let code = from.read_u32().await?;
        let mut body = vec![0; length - 8];
        from.read_exact(&mut body).await?;
        Ok(Self { code, body })
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let length = u32::try_from(self.body.len() + 8).expect("a startup packet is short");
        [
            &length.to_be_bytes(),
            &self.code.to_be_bytes(),
            self.body.as_slice(),
        ]
        .concat()
    }
}

/// The text of the client's `PasswordMessage`; `None` if it is not UTF-8.
pub(crate) async fn read_password(
    from: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<String>> {
    let mut body = read_secret(from).await?;
    if body.pop() != Some(0) {
        return Err(invalid("the password message does not end in a zero byte"));
    }
    Ok(String::from_utf8(body).ok())
}

/// The body of a message of the client's side of a login, which may be the token.
pub(crate) async fn read_secret(from: &mut (impl AsyncRead + Unpin)) -> io::Result<Vec<u8>> {
    if from.read_u8().await? != b'p' {
        return Err(invalid("a password message was expected"));
    }
    let length = from.read_u32().await? as usize;
    if !(5..=LONGEST_PASSWORD).contains(&length) {
        return Err(invalid("the length of the password message is invalid"));
    }
    let mut body = vec![0; length - 4];
    from.read_exact(&mut body).await?;
    Ok(body)
}

/// One message with its type byte and length.
pub(crate) fn message(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len() + 4).expect("a message is shorter than 4 GiB");
    [&[kind], length.to_be_bytes().as_slice(), body].concat()
}

pub(crate) fn error_response(
    severity: &str,
    sqlstate: &str,
    text: &str,
    hint: Option<&str>,
) -> Vec<u8> {
    let fields = [
        (b'S', Some(severity)),
        (b'V', Some(severity)),
        (b'C', Some(sqlstate)),
        (b'M', Some(text)),
        (b'H', hint),
    ];
    let mut body = Vec::new();
    for (code, value) in fields {
        if let Some(value) = value {
            body.push(code);
            // A zero byte would end the field early; none can come from the protocol, whose strings
            // end in one.
            body.extend(value.bytes().filter(|byte| *byte != 0));
            body.push(0);
        }
    }
    body.push(0);
    message(b'E', &body)
}

/// One field of an `ErrorResponse`'s body.
pub(crate) fn field(body: &[u8], code: u8) -> Option<&str> {
    for field in body.split(|byte| *byte == 0) {
        if let Some((first, value)) = field.split_first()
            && *first == code
        {
            return std::str::from_utf8(value).ok();
        }
    }
    None
}

/// What a server sends that knows only protocol 3.0 to a client that asks for more, before it asks
/// for a password.
pub(crate) fn negotiate_protocol(unknown: &[&str]) -> Vec<u8> {
    let count = u32::try_from(unknown.len()).expect("a startup packet is short");
    let mut body = [PROTOCOL_3_0.to_be_bytes(), count.to_be_bytes()].concat();
    for name in unknown {
        body.extend(name.as_bytes());
        body.push(0);
    }
    message(b'v', &body)
}

pub(crate) fn invalid(text: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text)
}
