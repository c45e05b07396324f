//! A server that lets everybody in and answers each statement with nothing: what stands behind the
//! stand-in where no PostgreSQL is, or where a thousand of its processes would be too many.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread;

use standin::Upstream;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// `AuthenticationOk` and `ReadyForQuery`.
const WELCOME: &[u8] = b"R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I";
/// `EmptyQueryResponse` and `ReadyForQuery`.
const NOTHING: &[u8] = b"I\0\0\0\x04Z\0\0\0\x05I";

/// Starts the server, which goes on until the tests end, and returns its address.
pub fn start() -> Upstream {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("no waiting");
    let port = listener.local_addr().expect("an address").port();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        runtime.expect("a runtime").block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(greet(client));
            }
        });
    });
    Upstream::Tcp {
        host: "127.0.0.1".to_owned(),
        port,
    }
}

async fn greet(mut client: TcpStream) -> io::Result<()> {
    let length = client.read_u32().await?;
    read_away(&mut client, length).await?;
    client.write_all(WELCOME).await?;
    while client.read_u8().await? == b'Q' {
        let length = client.read_u32().await?;
        read_away(&mut client, length).await?;
        client.write_all(NOTHING).await?;
    }
    Ok(())
}

/// Reads the rest of a message whose length was read.
async fn read_away(client: &mut TcpStream, length: u32) -> io::Result<()> {
    let mut rest = vec![0; length.saturating_sub(4) as usize];
    client.read_exact(&mut rest).await?;
    Ok(())
}
