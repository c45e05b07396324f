//! Services whose own programs mint the tokens: who is let in, and the words for the others.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;

use sha2::{Digest as _, Sha256};
use standin::{Face, Standin};

use crate::dial::{dial, log_in, negotiated, read, start, startup};
use crate::support::issued;

const USER: &str = "Prod Readers";

/// A stand-in whose hosts have the names of the faces, and a ledger with one token of each: `of-`
/// and the name. The file of the ledger is named for the test.
fn services(test: &str) -> (Standin, PathBuf) {
    let ledger = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("ledger-{test}"));
    let mut lines = String::new();
    for face in Face::ALL {
        let name = face.name();
        let _ = write!(lines, "{name} ");
        for byte in Sha256::digest(format!("of-{name}")) {
            let _ = write!(lines, "{byte:02x}");
        }
        let _ = writeln!(lines, " {} {USER}", issued() + 60);
    }
    fs::write(&ledger, lines).unwrap();
    let named = ledger.clone();
    let (standin, _) = start(|config| {
        config.minted.hosts = Face::ALL.iter().map(|face| (host(*face), *face)).collect();
        config.minted.ledger = named;
    });
    (standin, ledger)
}

fn host(face: Face) -> String {
    format!("{}.example.com", face.name())
}

fn attempt(standin: &Standin, face: Face, user: &str, token: &str) -> (char, String) {
    let mut tls = negotiated(standin, &host(face));
    log_in(&mut tls, &format!("user\0{user}\0"), token)
}

#[test]
fn a_minted_token_of_the_user_is_let_in_until_it_ends() {
    let (standin, ledger) = services("let-in");
    for face in Face::ALL {
        let token = format!("of-{}", face.name());
        let outcome = |user: &str, token: &str| {
            let (kind, body) = attempt(&standin, *face, user, token);
            assert!(!body.contains(['{', '}']), "{body}");
            let outcome = standin.events().pop().unwrap().outcome;
            assert_eq!(kind == 'R', outcome == "accepted", "{body}");
            outcome
        };
        standin.set_now(Some(issued() + 59));
        assert_eq!(outcome(USER, &token), "accepted");
        assert_eq!(outcome("ann", &token), "wrong-user");
        assert_eq!(outcome(USER, &format!("{token} ")), "not-minted");
        assert_eq!(outcome(USER, ""), "not-minted");
        // A token of another service, although the ledger has it.
        let other = Face::ALL.iter().find(|other| *other != face).unwrap();
        let of_other = format!("of-{}", other.name());
        assert_eq!(outcome(USER, &of_other), "not-minted");
        standin.set_now(Some(issued() + 60));
        assert_eq!(outcome(USER, &token), "ended");
        assert_eq!(outcome("ann", &token), "ended");
    }
    fs::remove_file(ledger).unwrap();
    assert_eq!(attempt(&standin, Face::Entra, USER, "of-entra").0, 'E');
}

#[test]
fn other_hosts_are_those_of_aws() {
    let (standin, _) = services("others");
    let mut tls = negotiated(&standin, "crm.example.com");
    let (_, body) = log_in(&mut tls, "user\0ann\0", "of-entra");
    assert!(body.contains("access denied"), "{body}");
}

#[test]
fn each_service_has_its_own_words() {
    let (standin, _) = services("words");
    for (face, user, says) in [
        (
            Face::Entra,
            "ann",
            "SFATAL|VFATAL|C28000|MAzure AD access token not valid for role ann (does",
        ),
        (
            Face::Lakebase,
            "ann",
            "SERROR|VERROR|CXX000|Mpassword authentication failed for user 'ann'||",
        ),
        (
            Face::Gcloud,
            USER,
            "C28000|MCloud SQL IAM user authentication failed for user \"Prod Readers\"||",
        ),
        (
            Face::Redshift,
            USER,
            "C28000|MIAM Authentication token has expired||",
        ),
        (
            Face::Vault,
            USER,
            "C28P01|Mpassword authentication failed for user \"Prod Readers\"||",
        ),
    ] {
        standin.set_now(Some(issued() + if user == USER { 60 } else { 0 }));
        let (_, body) = attempt(&standin, face, user, &format!("of-{}", face.name()));
        assert!(body.contains(says), "{body}");
    }
}

#[test]
fn no_service_asks_for_a_token_without_tls() {
    for face in Face::ALL {
        let (standin, _) = start(|config| {
            config.minted.hosts = vec![(host(*face), *face)];
            config.without_sni = Some(host(*face));
        });
        let mut stream = dial(&standin);
        std::io::Write::write_all(&mut stream, &startup("user\0ann\0")).unwrap();
        let (kind, body) = read(&mut stream).unwrap();
        assert_eq!(kind, 'E', "{body}");
        let says = if *face == Face::Lakebase {
            "connection is insecure"
        } else {
            "database \"ann\", no encryption||"
        };
        assert!(body.contains(says), "{body}");
        assert_eq!(standin.events()[0].outcome, "no-tls");
    }
}
