//! Shows how an authority fetches a token: by the form of OAuth 2.0 for a client's own credentials
//! (RFC 6749, section 4.4), from a service of this machine that answers once.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::{HttpClient, RequestError, TrustedCertificates, block_until};

/// Starts a service that gives this answer to the first request. Returns its address, and what it
/// was asked.
fn answer_once(answer: &'static str) -> (String, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/token", listener.local_addr().unwrap());
    let service = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut request = vec![0; 4096];
        let mut length = 0;
        while !request[..length].ends_with(b"scope=database") {
            length += stream.read(&mut request[length..]).unwrap();
        }
        stream.write_all(answer.as_bytes()).unwrap();
        String::from_utf8_lossy(&request[..length]).into_owned()
    });
    (address, service)
}

fn fetch(address: &str) -> Result<Value, RequestError> {
    let deadline = Instant::now() + Duration::from_secs(30);
    // The file is a bundle of the user's own, where a setting names one; the hint tells of it.
    let hint = "correct EXAMPLE_CA_BUNDLE, or unset it";
    let trusted = TrustedCertificates::new(None, hint, deadline);
    let client = HttpClient::direct(trusted); // `new` for a service that is not of this machine
    let form = "grant_type=client_credentials&client_id=me&scope=database";
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let asked = client.ask("POST", address, &headers, form);
    let answer = block_until(deadline, asked).expect("a runtime");
    let (status, body) = answer.expect("an answer in time")?;
    assert_eq!(status, 200);
    Ok(serde_json::from_slice(&body).unwrap())
}

#[test]
fn a_token_is_fetched_by_a_form() {
    let (address, service) = answer_once(
        "HTTP/1.1 200 OK\r\ncontent-length: 41\r\nconnection: close\r\n\r\n\
         {\"access_token\":\"secret\",\"expires_in\":60}",
    );
    let Ok(answer) = fetch(&address) else {
        panic!("no answer");
    };
    assert_eq!(answer["access_token"], "secret");
    let request = service.join().unwrap();
    assert!(request.starts_with("POST /token HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("x-www-form-urlencoded"), "{request}");
    assert!(
        request.contains("grant_type=client_credentials&"),
        "{request}"
    );
}

/// The error names what was tried, and the caller adds what to type.
#[test]
fn a_service_that_is_not_there_is_told() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/token", closed.local_addr().unwrap());
    drop(closed);
    let Err(error) = fetch(&address) else {
        panic!("nobody listens");
    };
    let error = error.into_error("cannot fetch a token").hint("try again");
    assert!(
        error.to_string().starts_with("cannot fetch a token: "),
        "{error}"
    );
}
