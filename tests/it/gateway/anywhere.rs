//! The gateway's port on every system, also under Windows: no PostgreSQL and no rights of root.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Stdio};
use std::time::Duration;

use standin::{Config, Key, Standin};
use tokio_postgres::NoTls;

use crate::support::greeter;
use crate::support::sandbox::{HOST, KEY_ID, SECRET, Sandbox};

const PATIENCE: Duration = Duration::from_secs(30);

/// A home with a connection that the gateway offers at a port, and the server of the connection.
fn home() -> (Sandbox, Standin, u16) {
    let key = Key {
        access_key_id: KEY_ID.into(),
        secret_access_key: SECRET.into(),
        session_token: None,
        expires_at: None,
    };
    let standin = Standin::start(Config {
        keys: vec![key],
        upstream: greeter::start(),
        ..Config::default()
    });
    let standin = standin.expect("a free port");
    let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = free.local_addr().expect("an address").port();
    let sandbox = Sandbox::with_keys();
    let roots = sandbox.write("roots.pem", standin.ca_pem());
    let text = format!(
        "[connections.prod]\nhost = '{HOST}'\nport = {}\nhostaddr = '127.0.0.1'\n\
         roots = '{}'\nproxy = {{ port = {port} }}\n",
        standin.port(),
        roots.display()
    );
    fs::write(sandbox.own().join("config.toml"), text).expect("a file");
    (sandbox, standin, port)
}

/// Starts the gateway and waits until it listens. It ends when its stdin closes.
fn start(sandbox: &Sandbox) -> Child {
    let mut command = sandbox.pgcred(&["proxy", "--until-stdin-closes"]);
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut gateway = command.spawn().expect("a gateway");
    let mut stderr = BufReader::new(gateway.stderr.as_mut().expect("a pipe"));
    let mut line = String::new();
    while line.trim_end() != "pgcred: ready" {
        line.clear();
        assert_ne!(
            stderr.read_line(&mut line).expect("a line"),
            0,
            "it has ended"
        );
    }
    gateway
}

async fn log_in(port: u16, password: &str) -> Result<(), tokio_postgres::Error> {
    let mut config = tokio_postgres::Config::new();
    config
        .host("127.0.0.1")
        .port(port)
        .user("admin")
        .password(password)
        .connect_timeout(PATIENCE);
    let (client, connection) = config.connect(NoTls).await?;
    tokio::spawn(connection);
    client.batch_execute("select 1").await
}

#[test]
fn the_local_password_opens_a_session_and_nothing_else_does() {
    let (sandbox, standin, port) = home();
    let password = sandbox.ok(&["proxy", "--password", "prod"]);
    let password = password.trim_end();
    let mut gateway = start(&sandbox);

    let mut http = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("a gateway");
    http.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    http.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        .expect("sent");
    let mut answer = Vec::new();
    let _ = http.read_to_end(&mut answer); // a reset is an end, too
    assert_eq!(String::from_utf8_lossy(&answer), "");

    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        for wrong in ["", "wrong", &password[1..]] {
            let error = log_in(port, wrong).await.expect_err("a refusal");
            assert!(standin.events().is_empty(), "{error:?}");
        }
        let error = log_in(port, "wrong").await.expect_err("a refusal");
        let error = error.as_db_error().expect("an error of the protocol");
        assert_eq!(error.code().code(), "28P01", "{error:?}");
        let opened = log_in(port, password).await;
        assert!(opened.is_ok(), "{opened:?} {:?}", standin.events());
    });
    assert_eq!((standin.accepted(), standin.refused()), (1, 0));

    drop(gateway.stdin.take());
    assert!(gateway.wait().expect("an end").success());
}
