//! A right token, and the server answers this.

use std::collections::HashSet;
use std::io::Write;

use standin::{Answer, Kind, Standin};

use crate::dial::{dial, log_in, message, negotiated, read, start, startup};
use crate::support::{Draft, HOST, PROXY_HOST, RDS_HOST};

/// A host of each service, its user, and a token that is right there.
fn right(kind: Kind) -> (&'static str, &'static str, String) {
    match kind {
        Kind::Dsql => (HOST, "admin", Draft::dsql(None).signed()),
        Kind::Rds => (RDS_HOST, "jane", Draft::rds().signed()),
        Kind::RdsProxy => {
            let token = Draft::rds().at(&format!("{PROXY_HOST}:5432")).signed();
            (PROXY_HOST, "jane", token)
        }
    }
}

/// The last message of a login, whatever kind of password the server asks for.
fn answered(standin: &Standin, kind: Kind) -> (char, String) {
    let (host, user, token) = right(kind);
    let mut tls = negotiated(standin, host);
    tls.write_all(&startup(&format!("user\0{user}\0"))).unwrap();
    loop {
        let (kind, body) = read(&mut tls).unwrap();
        let sent = match (kind, body.as_str()) {
            ('R', "|||\u{3}") => format!("{token}\0").into_bytes(),
            ('R', "|||\nSCRAM-SHA-256||") => b"SCRAM-SHA-256\0\0\0\0\x0bn,,n=,r=abc".to_vec(),
            ('R', body) if body.starts_with("|||\u{b}r=abcstandin,s=") => b"c=biws,p=x".to_vec(),
            ('R', "|||\u{5}salt") => b"md5x\0".to_vec(),
            _ => return (kind, body),
        };
        tls.write_all(&message(b'p', &sent)).unwrap();
    }
}

#[test]
fn every_answer_is_given_to_a_right_token() {
    let (standin, heard) = start(|_| ());
    let mut texts = HashSet::new();
    for answer in Answer::ALL {
        standin.set_answer(Some(*answer));
        let (kind, body) = answered(&standin, answer.kind());
        assert_eq!(kind, 'E', "{answer:?}: {body}");
        assert!(!body.contains(['{', '}']), "{answer:?}: {body}");
        let (_, user, _) = right(answer.kind());
        let (text, hint) = answer.text();
        // The database is the user's own.
        let names_user = ["{user}", "{database}"]
            .iter()
            .any(|name| text.contains(name) || hint.contains(name));
        assert_eq!(names_user, body.contains(user), "{body}");
        texts.insert(body);
        let event = standin.events().pop().unwrap();
        assert_eq!(event.outcome, answer.name());
        assert_eq!(answer.name().parse(), Ok(*answer));
    }
    // That a password failed is said after four kinds of login.
    assert_eq!(texts.len(), Answer::ALL.len() - 3, "{texts:#?}");
    assert!(heard.lock().unwrap().is_empty());
    standin.set_answer(None);
    assert_eq!(answered(&standin, Kind::Dsql).0, 'R');
    assert!("no-such-answer".parse::<Answer>().is_err());
}

#[test]
fn texts_are_those_that_users_see() {
    let (standin, _) = start(|_| ());
    for (answer, says) in [
        (
            Answer::DsqlWakingUp,
            "C08006|Munable to accept connection, waking up cluster, please retry later||",
        ),
        (
            Answer::DsqlExpired,
            "C08006|Munable to accept connection, access denied|HSignature expired: \
             20260228T233959Z is now earlier than 20260228T234459Z (20260228T235959Z - 15 min.)||",
        ),
        (
            Answer::DsqlWrongAction,
            "HWrong user to action mapping. user: admin, action: DbConnect||",
        ),
        (
            Answer::DsqlNotAuthorized,
            "is not authorized to perform: dsql:DbConnectAdmin||",
        ),
        (
            Answer::RdsNoHbaEntry,
            "C28000|Mno pg_hba.conf entry for host \"127.0.0.1\", user \"jane\", database \
             \"jane\", SSL encryption||",
        ),
        (
            Answer::RdsAsksMd5,
            "C28P01|Mpassword authentication failed for user \"jane\"||",
        ),
        (
            Answer::ProxyNoCredentials,
            "MThis RDS proxy has no credentials for the role jane. Check",
        ),
    ] {
        standin.set_answer(Some(answer));
        let (_, body) = answered(&standin, answer.kind());
        assert!(body.contains(says), "{body}");
    }
}

#[test]
fn a_wrong_token_is_refused_as_ever() {
    let (standin, _) = start(|config| config.answer = Some(Answer::DsqlWakingUp));
    let mut tls = negotiated(&standin, HOST);
    let token = Draft::dsql(None).with("Action", "DbConnect").signed();
    let (_, body) = log_in(&mut tls, "user\0admin\0", &token);
    assert!(body.contains("HWrong user to action mapping."), "{body}");
    assert_eq!(standin.events()[0].outcome, "wrong-action");
}

#[test]
fn clients_without_tls_read_the_words_of_the_service() {
    for (host, says) in [
        (
            Some(RDS_HOST),
            "SFATAL|VFATAL|C28000|Mno pg_hba.conf entry for host \"127.0.0.1\", user \"{user}\", \
             database \"db\", no encryption||",
        ),
        (
            Some(PROXY_HOST),
            "SFATAL|VFATAL|C28000|MThis RDS Proxy requires TLS connections.||",
        ),
        (
            None,
            "SFATAL|VFATAL|C28000|Munable to accept connection, TLS is required||",
        ),
    ] {
        let (standin, _) = start(|config| config.without_sni = host.map(str::to_owned));
        let mut plain = dial(&standin);
        // Nothing in a name is filled in.
        plain
            .write_all(&startup("user\0{user}\0database\0db\0"))
            .unwrap();
        assert_eq!(read(&mut plain).unwrap(), ('E', says.into()));
    }
    let (standin, _) = start(|config| config.answer = Some(Answer::RdsHbaRejects));
    let mut plain = dial(&standin);
    plain.write_all(&startup("user\0jane\0")).unwrap();
    let (_, body) = read(&mut plain).unwrap();
    assert!(
        body.contains("Mpg_hba.conf rejects connection") && body.contains(", no encryption|"),
        "{body}"
    );
}
