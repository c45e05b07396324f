//! Misbehaviour on purpose: what can go wrong between a client and a server, one fault at a time.
//!
//! ```text
//! connect ──▶ SSLRequest ──▶ handshake, certificate ──▶ startup message ──▶ password
//!  connect.rs   connect.rs     handshake.rs, tls.rs        login.rs          login.rs
//! ```
//!
//! The table below has the names. Everything that a fault does not touch stays as it is: the token
//! is verified, and a client that copes with the fault is let in.

pub(crate) mod connect;
pub(crate) mod handshake;
pub(crate) mod login;

use crate::table::table;

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    about: &'static str,
}

const fn row(name: &'static str, about: &'static str) -> Row {
    Row { name, about }
}

table! {
    /// How the stand-in misbehaves.
    Fault of Row {
        // Before the first byte.
        Silent => row("silent", "accepts the connection and never says anything");
        Closes => row("closes", "accepts the connection and closes it at once");
        HttpServer => row("http-server", "answers as a web server does");
        MysqlServer => row("mysql-server", "greets as MySQL does");
        Ipv6Only => row("ipv6-only", "listens at [::1] only, at the port that was asked for");

        // The request for TLS.
        TlsRefused => row("tls-refused", "answers N to a request for TLS");
        AsksInClear => row("asks-in-clear", "refuses TLS and asks for the password all the same");
        ClosesAfterSslRequest => row("closes-after-ssl-request", "closes instead of an answer");
        ErrorAfterSslRequest => row("error-after-ssl-request",
            "answers a request for TLS with an error message in clear text");
        PlainAfterS => row("plain-after-s",
            "sends a message in clear text right behind the S, as a man in the middle could");
        NoDirectTls => row("no-direct-tls",
            "closes if TLS starts without a request, as PostgreSQL before 17 does");

        // The handshake.
        SilentTls => row("silent-tls", "agrees to TLS and then never says anything");
        SlowTls => row("slow-tls", "sends one byte of the handshake each second");
        NoAlpn => row("no-alpn", "negotiates no ALPN, as an inspecting proxy");
        SniAlert => row("sni-alert", "ends the handshake with an alert if there is no SNI");
        SniClose => row("sni-close",
            "closes TLS in the handshake if there is no SNI: OpenSSL's error code 6");
        TlsVersion => row("tls-version", "supports no version of TLS that the client has");

        // The certificate.
        CertOtherName => row("cert-other-name", "the certificate is for another host");
        CertExpired => row("cert-expired", "the certificate ended in 2020");
        CertNotYetValid => row("cert-not-yet-valid", "the certificate begins in 2900");
        CertSelfSigned => row("cert-self-signed", "the certificate is signed by itself");
        CertUnknownCa => row("cert-unknown-ca", "the authority is in nobody's store");
        CertRdsCa => row("cert-rds-ca", "the authority is Amazon's own for RDS, whatever the host");
        CertPublicCa => row("cert-public-ca", "the authority is public, also for RDS");
        CertCompanyCa => row("cert-company-ca", "a proxy of the company has signed it anew");

        // The startup message.
        Protocol30Only => row("protocol-3-0-only",
            "refuses a newer minor version instead of negotiating");
        SilentAfterStartup => row("silent-after-startup", "never asks for a password");
        ClosesAfterStartup => row("closes-after-startup", "closes instead of asking");
        BrokenLength => row("broken-length", "sends a message of 2 GB that never comes");
        LongError => row("long-error", "refuses with a text of 1 MiB");
        ControlCharacters => row("control-characters", "refuses with a text that clears a screen");
        EndlessNotices => row("endless-notices", "sends notices and nothing else");

        // The password.
        SilentAfterPassword => row("silent-after-password", "takes the password and says nothing");
        ClosesAfterPassword => row("closes-after-password", "takes the password and closes");
    }
}

impl Fault {
    /// What the stand-in does, in one line.
    #[must_use]
    pub fn about(self) -> &'static str {
        self.row().about
    }
}
