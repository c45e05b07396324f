//! Messages of PostgreSQL's protocol, made and read by hand.

use std::io::{ErrorKind, Read};
use std::net::TcpStream;

pub const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f];
pub const GSSENC_REQUEST: [u8; 8] = [0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30];
pub const PROTOCOL_3_0: u32 = 0x0003_0000;

/// Returns a startup message.
pub fn startup(protocol: u32, parameters: &[(&str, &str)]) -> Vec<u8> {
    let mut body = protocol.to_be_bytes().to_vec();
    for (name, value) in parameters {
        body.extend([name, "\0", value, "\0"].concat().into_bytes());
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).expect("a short message");
    [length.to_be_bytes().as_slice(), &body].concat()
}

/// Reads a message: its type and its body.
pub fn read(stream: &mut TcpStream) -> (char, Vec<u8>) {
    let mut head = [0; 5];
    stream.read_exact(&mut head).expect("a message");
    let [kind, length @ ..] = head;
    let length = u32::from_be_bytes(length) as usize;
    let mut body = vec![0; length - 4];
    stream.read_exact(&mut body).expect("a whole message");
    (char::from(kind), body)
}

/// Returns a field of an error, such as `C` for its SQLSTATE.
pub fn field(body: &[u8], code: char) -> String {
    let text = String::from_utf8_lossy(body);
    let mut fields = text.split('\0');
    let found = fields.find_map(|field| field.strip_prefix(code));
    found.unwrap_or_default().to_owned()
}

/// Returns all that comes until the other side closes the connection. A reset is an end, too.
pub fn until_closed(stream: &mut TcpStream) -> Vec<u8> {
    let mut all = Vec::new();
    match stream.read_to_end(&mut all) {
        Ok(_) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => panic!("still open: {error}"),
    }
    all
}
