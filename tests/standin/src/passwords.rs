//! The passwords that a server asks for where IAM authentication is off: SCRAM-SHA-256 and MD5. No
//! password is right, and no token gets here from a client that hashes it.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt as _};

use crate::wire::{invalid, message, read_secret};

const SASL: u32 = 10;
const SASL_CONTINUE: u32 = 11;
const MD5: u32 = 5;
const MECHANISM: &[u8] = b"SCRAM-SHA-256\0";

/// Asks for SCRAM-SHA-256 up to the client's proof.
pub(crate) async fn ask_scram(
    client: &mut (impl AsyncRead + AsyncWrite + Unpin),
) -> io::Result<()> {
    request(client, SASL, b"SCRAM-SHA-256\0\0").await?;
    let first = read_secret(client).await?;
    // The mechanism, the length of what follows, and then `n,,n=,r=NONCE`.
    let first = first
        .strip_prefix(MECHANISM)
        .and_then(|rest| rest.get(4..))
        .and_then(|rest| std::str::from_utf8(rest).ok())
        .ok_or_else(|| invalid("the first message of SCRAM was expected"))?;
    let (_, nonce) = first
        .rsplit_once("r=")
        .ok_or_else(|| invalid("the first message of SCRAM has no nonce"))?;
    let challenge = format!("r={nonce}standin,s=c3RhbmRpbnN0YW5kaW4=,i=4096");
    request(client, SASL_CONTINUE, challenge.as_bytes()).await?;
    read_secret(client).await.map(drop)
}

/// Asks for MD5.
pub(crate) async fn ask_md5(client: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> io::Result<()> {
    request(client, MD5, b"salt").await?;
    read_secret(client).await.map(drop)
}

async fn request(client: &mut (impl AsyncWrite + Unpin), code: u32, rest: &[u8]) -> io::Result<()> {
    let body = [&code.to_be_bytes(), rest].concat();
    client.write_all(&message(b'R', &body)).await?;
    client.flush().await
}
