//! Clients against a running stand-in.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use standin::{Kind, Upstream};

use crate::dial::{
    CANCEL_REQUEST, SSL_REQUEST, dial, encrypt, encrypt_without_sni, ends_properly, log_in,
    message, negotiated, read, shake_hands, start, startup,
};
use crate::support::{Draft, HOST, PROXY_HOST, RDS_HOST, SECRET, issued};

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
fn an_rds_proxy_has_tokens_of_rds_and_its_own_words() {
    let (standin, heard) = start(|_| ());
    let token = Draft::rds().at(&format!("{PROXY_HOST}:5432")).signed();
    let mut tls = negotiated(&standin, PROXY_HOST);
    assert_eq!(
        log_in(&mut tls, "user\0jane\0", &token),
        ('R', "||||".into())
    );
    assert_eq!(heard.lock().unwrap().as_slice(), [startup("user\0jane\0")]);
    let mut tls = negotiated(&standin, PROXY_HOST);
    let words = "SFATAL|VFATAL|C28P01|MThe IAM authentication failed for the role jane. Check the \
                 IAM token for this role and try again.||";
    assert_eq!(
        log_in(&mut tls, "user\0jane\0", &Draft::rds().signed()),
        ('E', words.into())
    );
    assert_eq!(standin.events()[1].kind, Some(Kind::RdsProxy));
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
    for (host, right, wrong) in [
        (HOST, public, own),
        (PROXY_HOST, public, own),
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
