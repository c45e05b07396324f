//! The checks of `pgcred doctor` that ask the server: each fault that a server can have, and the
//! cause that is named first.

use std::net::TcpListener;
use std::thread;

use standin::{Event, Fault};

use super::server::{LONG, PROXY_HOST, Report, Server};
use crate::support::sandbox::{HOST, RDS_HOST};

/// How long a server may be silent in these tests.
const SHORT: &str = "3s";

/// Every check of this part.
const CHECKS: [&str; 9] = [
    "net.dns",
    "net.tcp",
    "tls.mode",
    "tls.handshake",
    "tls.alpn",
    "tls.chain",
    "tls.roots",
    "tls.name",
    "login.accepted",
];

#[test]
fn a_server_that_works_passes_every_check() {
    for host in [HOST, RDS_HOST, PROXY_HOST] {
        let server = Server::of(host);
        let report = server.report(&[]);
        assert_eq!(report.first(), (None, None), "{}", report.shown());
        for id in CHECKS {
            assert_eq!(report.status(id), "ok", "{host} {id}: {}", report.shown());
        }
        assert_eq!(report.run.code, 0);
        assert_eq!(server.standin.accepted(), 1);
        assert_eq!(server.standin.refused(), 0);
        // Direct TLS, too.
        let report = server.report(&[("sslnegotiation", "direct")]);
        assert_eq!(report.first(), (None, None), "{}", report.shown());
        assert_eq!(server.standin.accepted(), 2);
    }
}

/// What doctor names first: a check and a cause.
type First = (&'static str, Option<&'static str>);

/// Returns the first cause for a fault; `None` if the login works all the same.
fn expected(fault: Fault) -> Option<First> {
    use Fault as F;
    let (check, cause) = match fault {
        F::Silent | F::SilentTls | F::SlowTls => ("tls.handshake", "net.blocked"),
        F::Closes | F::ClosesAfterSslRequest => ("tls.handshake", "net.closed"),
        F::HttpServer | F::MysqlServer => ("tls.handshake", "net.other"),
        F::TlsRefused | F::AsksInClear | F::ErrorAfterSslRequest => {
            ("tls.handshake", "tls.refused")
        }
        F::PlainAfterS => ("tls.handshake", "tls.injected"),
        F::TlsVersion => ("tls.handshake", "tls.version"),
        F::CertOtherName => ("tls.name", "tls.name"),
        F::CertExpired => ("tls.chain", "tls.expired"),
        F::CertNotYetValid => ("tls.chain", "clock"),
        F::CertSelfSigned => ("tls.roots", "tls.selfsigned"),
        F::CertUnknownCa | F::CertRdsCa | F::CertCompanyCa => ("tls.roots", "tls.roots.unknown"),
        F::SilentAfterStartup | F::SilentAfterPassword => ("login.accepted", "net.blocked"),
        F::ClosesAfterStartup | F::ClosesAfterPassword => ("login.accepted", "net.closed"),
        F::BrokenLength | F::LongError | F::EndlessNotices => ("login.accepted", "net.other"),
        F::ControlCharacters => return Some(("login.accepted", None)),
        // Seen by other clients only: see the tests below.
        F::Ipv6Only
        | F::NoDirectTls
        | F::NoAlpn
        | F::SniAlert
        | F::SniClose
        | F::CertPublicCa
        | F::Protocol30Only => return None,
    };
    Some((check, Some(cause)))
}

fn is_slow(fault: Fault) -> bool {
    let name = fault.name();
    name.starts_with("silent") || name.starts_with("slow")
}

#[test]
fn each_fault_of_a_server_is_named_first() {
    let server = Server::of(HOST);
    for fault in Fault::ALL {
        if is_slow(*fault) || *fault == Fault::Ipv6Only {
            continue;
        }
        server.standin.set_fault(Some(*fault));
        let report = server.report(&[]);
        match expected(*fault) {
            Some((check, cause)) => report.assert_first(fault.name(), check, cause),
            None => assert_eq!(
                report.first(),
                (None, None),
                "{fault:?}: {}",
                report.shown()
            ),
        }
        let escapes = |c: char| c.is_control() && c != '\n';
        assert!(!report.shown().contains(escapes), "{fault:?}");
        assert!(report.shown().len() < 20_000, "{fault:?}");
    }
    // A server that asks for it in clear text does not get the token.
    let in_clear = |event: &Event| event.outcome == Event::SENT_IN_CLEAR;
    assert!(!server.standin.events().iter().any(in_clear));
}

#[test]
fn a_server_that_says_nothing_ends_in_time() {
    thread::scope(|scope| {
        for fault in Fault::ALL.iter().filter(|fault| is_slow(**fault)) {
            scope.spawn(move || {
                let server = Server::with(HOST, |config| config.fault = Some(*fault));
                let report = server.report_within(SHORT, &[]);
                let (check, cause) = expected(*fault).expect("a first cause");
                report.assert_first(fault.name(), check, cause);
                assert!(
                    report.took.as_secs_f32() < 4.0,
                    "{fault:?} {:?}",
                    report.took
                );
            });
        }
    });
}

/// What goes wrong only with a setting of the client's.
#[test]
fn settings_of_the_client_that_a_server_does_not_take() {
    let direct = ("sslnegotiation", "direct");
    let nameless = ("sslsni", "0");
    for (host, fault, setting, check, cause) in [
        (HOST, None, nameless, "tls.handshake", "tls.sni"),
        (
            HOST,
            Some(Fault::SniAlert),
            nameless,
            "tls.handshake",
            "tls.sni",
        ),
        (
            HOST,
            Some(Fault::SniClose),
            nameless,
            "tls.handshake",
            "tls.sni",
        ),
        (
            HOST,
            Some(Fault::NoDirectTls),
            direct,
            "tls.handshake",
            "tls.alpn",
        ),
        (
            HOST,
            Some(Fault::HttpServer),
            direct,
            "tls.handshake",
            "tls.alpn",
        ),
        (HOST, Some(Fault::NoAlpn), direct, "tls.alpn", "tls.alpn"),
    ] {
        let server = Server::with(host, |config| config.fault = fault);
        let what = format!("{fault:?} {setting:?}");
        server
            .report(&[setting])
            .assert_first(&what, check, Some(cause));
    }
    // An instance of RDS has an address of its own and needs no name.
    let server = Server::with(RDS_HOST, |config| {
        config.without_sni = Some(RDS_HOST.to_owned());
    });
    let report = server.report(&[nameless]);
    assert_eq!(report.first(), (None, None), "{}", report.shown());
}

#[test]
fn the_roots_of_other_servers() {
    let server = Server::of(RDS_HOST);
    server.trust(server.standin.ca_pem());
    let report = server.report(&[]);
    report.assert_first("RDS", "tls.roots", Some("tls.roots.rds"));
    server.trust(server.standin.rds_ca_pem());
    server.standin.set_fault(Some(Fault::CertPublicCa));
    let report = server.report(&[]);
    report.assert_first("public", "tls.roots", Some("tls.roots.unknown"));
    server.trust("no certificate");
    let report = server.report(&[]);
    report.assert_first("no roots", "tls.roots", Some("tls.rootfile.bad"));
    let report = server.report(&[("sslrootcert", "/none/roots.pem")]);
    report.assert_first("no file", "tls.roots", Some("tls.rootfile"));
}

/// Whoever answers with a wrong certificate, or in clear text, does not get the token.
#[test]
fn the_token_is_not_sent_to_a_server_that_is_not_verified() {
    for fault in [
        Fault::CertOtherName,
        Fault::CertExpired,
        Fault::CertNotYetValid,
        Fault::CertSelfSigned,
        Fault::CertUnknownCa,
        Fault::CertCompanyCa,
        Fault::TlsRefused,
        Fault::AsksInClear,
    ] {
        let server = Server::with(HOST, |config| config.fault = Some(fault));
        let report = server.report(&[]);
        assert_eq!(
            report.status("login.accepted"),
            "skip",
            "{}",
            report.shown()
        );
        assert!(server.standin.events().is_empty(), "{fault:?}");
    }
}

#[test]
fn modes_that_verify_less() {
    for (mode, status, cause, is_let_in) in [
        ("disable", "fail", Some("tls.off"), true),
        ("allow", "fail", Some("tls.off"), true),
        ("prefer", "warn", Some("tls.off"), true),
        ("require", "ok", None, true),
        ("verify-ca", "ok", None, false),
        ("verify-full", "ok", None, false),
    ] {
        // The stand-in's authority is not among the system's.
        let server = Server::of(HOST);
        server.configure("shop", mode);
        let report = server.report_of(LONG, &["shop"]);
        let check = report.check("tls.mode");
        assert_eq!(check["status"], status, "{}", report.shown());
        assert_eq!(check["cause"].as_str(), cause, "{}", report.shown());
        assert_eq!(
            server.standin.accepted() == 1,
            is_let_in,
            "{mode}: {}",
            report.shown()
        );
        let login = if is_let_in { "ok" } else { "skip" };
        assert_eq!(report.status("login.accepted"), login, "{}", report.shown());
    }
}

/// libpq verifies with its own file, although the mode is `require`.
#[test]
fn a_file_of_roots_lets_the_mode_require_verify() {
    let server = Server::of(HOST);
    server.configure("shop", "require");
    server
        .sandbox
        .write(".postgresql/root.crt", server.standin.company_ca_pem());
    let report = server.report_of(LONG, &["shop"]);
    report.assert_first("require", "tls.roots", Some("tls.roots.unknown"));
    server
        .sandbox
        .write(".postgresql/root.crt", server.standin.ca_pem());
    server.standin.set_fault(Some(Fault::CertOtherName));
    let report = server.report_of(LONG, &["shop"]);
    // The name is not what this mode compares, and `tls.mode` says so.
    assert_eq!(report.status("tls.name"), "ok", "{}", report.shown());
    assert!(
        report.shown().contains("does not compare names"),
        "{}",
        report.shown()
    );
    assert_eq!(report.first(), (None, None), "{}", report.shown());
}

#[test]
fn ways_that_lead_nowhere() {
    let server = Server::of(HOST);
    let closed = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener
            .local_addr()
            .expect("an address")
            .port()
            .to_string()
    };
    let report = server.report(&[("port", &closed)]);
    report.assert_first("closed", "net.tcp", Some("net.refused"));
    assert_eq!(report.status("tls.handshake"), "skip");

    let name = "host=db.invalid user=admin sslmode=verify-full";
    let report = Report::of(
        &server.sandbox,
        &[
            "doctor",
            "--check",
            "net",
            "--format",
            "json",
            "--sign-host",
            HOST,
            "--timeout",
            LONG,
            name,
        ],
    );
    report.assert_first("no such name", "net.dns", Some("net.dns"));
}

#[test]
#[cfg(target_os = "linux")] // the whole of 127.0.0.0/8 is this machine
fn a_server_at_ipv6_alone() {
    if TcpListener::bind("[::1]:0").is_err() {
        return; // a machine without IPv6 has nothing to test
    }
    let server = Server::with(HOST, |config: &mut standin::Config| {
        config.fault = Some(Fault::Ipv6Only);
    });
    let report = server.report(&[("hostaddr", "127.0.0.77")]);
    report.assert_first("IPv4", "net.tcp", Some("net.refused"));
    let report = server.report(&[("hostaddr", "::1")]);
    assert_eq!(report.first(), (None, None), "{}", report.shown());
}

/// On a machine whose system trusts the public authority, and where names lead to the servers.
#[test]
#[cfg(target_os = "linux")]
fn the_roots_of_the_system() {
    use crate::support::cluster::Cluster;
    use crate::support::needs::{CLUSTER, skip_unless};
    skip_unless!(CLUSTER);
    let cluster = Cluster::start();
    let report = |words: &[&str]| {
        let mut command = cluster.command(env!("CARGO_BIN_EXE_pgcred"));
        command.args(["doctor", "--check", "net,tls,login", "--format", "json"]);
        command.args(["--timeout", LONG]).args(words);
        Report::of_command(command)
    };
    for (host, user) in [(HOST, "admin"), (RDS_HOST, "app"), (PROXY_HOST, "app")] {
        let report = report(&[host, "--user", user]);
        assert_eq!(report.first(), (None, None), "{host}: {}", report.shown());
    }
    assert_eq!(cluster.standin.accepted(), 3);
    let of_rds = cluster.sandbox.path("rds-roots.pem").display().to_string();
    let dsql = report(&[HOST, "--roots", &of_rds]);
    dsql.assert_first("roots of RDS", "tls.roots", Some("tls.roots.public"));
    let rds = report(&[RDS_HOST, "--user", "app", "--roots", "system"]);
    rds.assert_first("roots of the system", "tls.roots", Some("tls.roots.rds"));
    assert_eq!(cluster.standin.accepted(), 3);
}
