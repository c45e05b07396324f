//! Checks encryption: whether the server offers it, and whether the user's clients would believe
//! it.
//!
//! All checks but `tls.mode` go by the one handshake of the target's probe, and wait for it until
//! the probe's deadline (`with_handshake`). Every `judge_...` is pure: the handshake has the
//! verdicts of all sets of root certificates in it, and `VerifyingClients` says by which of them
//! the user's clients verify. `judge_break` also serves the stage of the login.

use std::net::IpAddr;
use std::path::Path;

use super::net::answers_of_server;
use super::server_text::explain_message;
use crate::command::doctor::check::{Check, Examine};
use crate::command::doctor::context::{CheckLevel, ExaminedTarget};
use crate::command::doctor::finding::Finding;
use crate::command::doctor::network::{CLIENT_ROOTS, PROVIDER_ROOTS, SYSTEM_ROOTS};
use crate::command::doctor::redact::RedactedKind;
use crate::probe::ProbeFailure;
use crate::probe::certificate::{Certificate, CertificateValidity};
use crate::probe::packet::ForeignProtocol;
use crate::probe::tls::{HandshakeOutcome, TlsHandshake};
use crate::probe::trust::{CertificateVerdict, ChainTrust, NameFit, VerificationLevel};
use crate::provider::{RequiredRoots, RootSet};
use crate::request::Request;
use crate::roots;

const NEEDS_HANDSHAKE: &[&str] = &["tls.handshake"];

pub(super) const CHECKS: &[Check] = &[
    Check {
        id: "tls.mode",
        about: "whether clients are told to encrypt the connection and to verify the server",
        level: CheckLevel::Offline,
        needs: &["target.known"],
        examine: Examine::Target(|examined| judge_mode(examined.request)),
    },
    Check {
        id: "tls.handshake",
        about: "whether the server speaks PostgreSQL and TLS",
        level: CheckLevel::Network,
        needs: &["net.tcp"],
        examine: Examine::Target(|examined| {
            with_handshake(examined, |request, _, handshake| {
                judge_handshake(request, handshake)
            })
        }),
    },
    Check {
        id: "tls.alpn",
        about: "whether the server agrees to PostgreSQL's protocol, for sslnegotiation=direct",
        level: CheckLevel::Network,
        needs: NEEDS_HANDSHAKE,
        examine: Examine::Target(|examined| {
            with_handshake(examined, |request, _, handshake| {
                judge_alpn(request, handshake)
            })
        }),
    },
    Check {
        id: "tls.chain",
        about: "whether the server's certificate is valid today",
        level: CheckLevel::Network,
        needs: NEEDS_HANDSHAKE,
        examine: Examine::Target(|examined| {
            with_handshake(examined, |_, _, handshake| judge_dates(handshake))
        }),
    },
    Check {
        id: "tls.roots",
        about: "whether the root certificates of the user's clients verify the server",
        level: CheckLevel::Network,
        needs: NEEDS_HANDSHAKE,
        examine: Examine::Target(|examined| with_handshake(examined, judge_roots)),
    },
    Check {
        id: "tls.name",
        about: "whether the server's certificate is for the name that the client dials",
        level: CheckLevel::Network,
        needs: NEEDS_HANDSHAKE,
        examine: Examine::Target(|examined| with_handshake(examined, judge_name)),
    },
];

/// What the user's clients verify, and by which file.
struct VerifyingClients<'a> {
    verification: VerificationLevel,
    roots_file: &'a str,
}

type HandshakeJudge = fn(&Request, &VerifyingClients<'_>, &TlsHandshake) -> Finding;

fn with_handshake(examined: &mut ExaminedTarget<'_, '_>, judge: HandshakeJudge) -> Finding {
    let request = examined.request;
    let network = match answers_of_server(examined) {
        Ok(network) => network,
        Err(finding) => return finding,
    };
    let roots_file = network.roots_file.clone();
    let clients = VerifyingClients {
        verification: network.verification,
        roots_file: roots_file.as_deref().unwrap_or("no file"),
    };
    match network.handshake.get(network.reached_by) {
        Some(handshake) => with_private_names_of_certificates(
            judge(request, &clients, handshake),
            request,
            handshake,
        ),
        None => Finding::fail("net.blocked", "the server did not answer in time"),
    }
}

fn judge_mode(request: &Request) -> Finding {
    let mode = request.sslmode();
    let detail = format!("sslmode={mode}");
    match mode {
        "verify-full" => Finding::ok(detail),
        "disable" => Finding::fail(
            "tls.off",
            format!("{detail}: the client does not encrypt; the checks below do"),
        ),
        "allow" => Finding::fail(
            "tls.off",
            format!("{detail}: the client tries without encryption first; the checks below do not"),
        ),
        "prefer" => Finding::warn(
            "tls.off",
            format!("{detail}: the client tries again without encryption, and hides the cause"),
        ),
        "verify-ca" => Finding::ok(format!("{detail}: the name of the server is not verified")),
        _ => Finding::ok(format!(
            "{detail}: the server is verified only if there is a file of roots, and never its name"
        )),
    }
}

fn judge_handshake(request: &Request, handshake: &TlsHandshake) -> Finding {
    match &handshake.outcome {
        HandshakeOutcome::Encrypted(_) if !sends_name(request) && request.provider.needs_sni => {
            let title = request.provider.title;
            Finding::fail(
                "tls.sni",
                format!("the client does not tell {title} which server it wants"),
            )
        }
        HandshakeOutcome::Encrypted(encryption) => {
            let version = encryption.version.replace('_', ".");
            let (address, cipher) = (handshake.address, &encryption.cipher);
            Finding::ok(format!("{address}: {version}, {cipher}"))
        }
        HandshakeOutcome::Refused => {
            Finding::fail("tls.refused", "the server offers no encryption")
        }
        HandshakeOutcome::Error(message) => explain_message(message, request),
        HandshakeOutcome::Injected => Finding::fail(
            "tls.injected",
            "data in clear text came between the server's answer and the encryption",
        ),
        HandshakeOutcome::NoCertificate => {
            Finding::fail("net.other", "the server shows no certificate")
        }
        HandshakeOutcome::NotItsOwn => Finding::fail(
            "net.other",
            "the server cannot prove that its certificate is its own",
        ),
        HandshakeOutcome::NotAName => {
            Finding::fail("net.dns", "the host is neither a name nor an address")
        }
        HandshakeOutcome::Broke(reason) => judge_broken_handshake(request, reason),
    }
}

/// Judges a handshake that ended early. A setting of the client's that many servers do not take
/// explains it better than what the server did.
fn judge_broken_handshake(request: &Request, reason: &ProbeFailure) -> Finding {
    const UNRECOGNIZED_NAME: u8 = 112;
    let is_refusal = match reason {
        ProbeFailure::Closed
        | ProbeFailure::Reset
        | ProbeFailure::Alert(_)
        | ProbeFailure::NotTls => true,
        ProbeFailure::NotPostgres(_) | ProbeFailure::BrokenTls(_) => is_direct(request),
        ProbeFailure::TimedOut | ProbeFailure::TooMuch | ProbeFailure::Failed(_) => false,
    };
    match reason {
        _ if is_refusal && is_direct(request) => Finding::fail(
            "tls.alpn",
            "the server ends a connection that begins with TLS (sslnegotiation=direct)",
        ),
        _ if is_refusal && !sends_name(request) => Finding::fail(
            "tls.sni",
            "the server ends TLS with a client that does not send the name of the host",
        ),
        ProbeFailure::Alert(UNRECOGNIZED_NAME) => Finding::fail(
            "net.dns",
            format!("the server knows no host of the name {}", request.host),
        )
        .with_advice(
            "compare the host with the endpoint that your provider shows: it may be deleted",
        ),
        reason => judge_break(reason),
    }
}

fn is_direct(request: &Request) -> bool {
    request.keyword("sslnegotiation") == Some("direct")
}

/// Tells whether a client sends the name of the host in TLS. An address is never sent.
fn sends_name(request: &Request) -> bool {
    let is_address = request.host.parse::<IpAddr>().is_ok();
    request.keyword("sslsni") != Some("0") && !is_address
}

/// Judges a conversation that ended early.
pub(super) fn judge_break(reason: &ProbeFailure) -> Finding {
    const HANDSHAKE_FAILURE: u8 = 40;
    const PROTOCOL_VERSION: u8 = 70;
    match reason {
        ProbeFailure::Closed => Finding::fail("net.closed", "the server closed the connection"),
        ProbeFailure::Reset => Finding::fail("net.closed", "the connection was reset"),
        ProbeFailure::TimedOut => Finding::fail(
            "net.blocked",
            "the server accepts connections, and does not answer in time",
        ),
        ProbeFailure::TooMuch => {
            Finding::fail("net.other", "the server sends more than any answer needs")
        }
        ProbeFailure::Alert(PROTOCOL_VERSION | HANDSHAKE_FAILURE) => {
            Finding::fail("tls.version", "the server ended TLS: nothing in common")
        }
        ProbeFailure::Alert(number) => Finding::fail(
            "net.closed",
            format!("the server ended TLS with alert {number}"),
        ),
        ProbeFailure::NotTls => Finding::fail("net.other", "the answer is not TLS"),
        ProbeFailure::BrokenTls(message) => Finding::fail(
            "net.other",
            format!("the server breaks the rules of TLS: {message}"),
        ),
        ProbeFailure::NotPostgres(speaks) => {
            let server_kind = match speaks {
                ForeignProtocol::Http => "a web server",
                ForeignProtocol::Ssh => "an SSH server",
                ForeignProtocol::Tls => "a server of TLS alone",
                ForeignProtocol::SomethingElse => "a server that is not PostgreSQL",
            };
            Finding::fail("net.other", format!("{server_kind} answers at this port"))
        }
        ProbeFailure::Failed(message) => Finding::fail("net.closed", message.clone()),
    }
}

fn judge_alpn(request: &Request, handshake: &TlsHandshake) -> Finding {
    if !is_direct(request) {
        return Finding::ok("not needed: the client asks for encryption first");
    }
    match &handshake.outcome {
        HandshakeOutcome::Encrypted(encryption) if encryption.has_alpn => {
            Finding::ok("the server agrees to `postgresql`")
        }
        _ => Finding::fail("tls.alpn", "the server does not name the protocol in TLS"),
    }
}

fn judge_dates(handshake: &TlsHandshake) -> Finding {
    let (Some(server_certificate), Some(verdict)) =
        (handshake.certificates.first(), &handshake.verdict)
    else {
        return Finding::fail("net.other", "the certificate cannot be read");
    };
    match verdict.validity {
        CertificateValidity::Valid => Finding::ok(format!(
            "valid until {}",
            server_certificate.not_after.rfc3339()
        )),
        CertificateValidity::Expired => Finding::fail(
            "tls.expired",
            format!("expired at {}", server_certificate.not_after.rfc3339()),
        ),
        CertificateValidity::NotYet => {
            let from = server_certificate.not_before.rfc3339();
            Finding::fail("clock", format!("not valid before {from}: check the clock"))
        }
    }
}

fn judge_roots(
    request: &Request,
    clients: &VerifyingClients<'_>,
    handshake: &TlsHandshake,
) -> Finding {
    if clients.verification == VerificationLevel::Nothing {
        let mode = request.sslmode();
        return Finding::ok(format!("sslmode={mode} verifies no server"));
    }
    let Some(verdict) = &handshake.verdict else {
        return Finding::fail("net.other", "the certificate cannot be read");
    };
    let issuer = match handshake.certificates.last() {
        Some(Certificate { issuer_name, .. }) => issuer_name.as_str(),
        None => "nobody",
    };
    let file = clients.roots_file;
    match trust_by(CLIENT_ROOTS, verdict) {
        ChainTrust::Trusted => Finding::ok(format!("signed by {issuer}, which is in {file}")),
        ChainTrust::NoRoots if Path::new(file).exists() => Finding::fail(
            "tls.rootfile.bad",
            format!("{file} holds no root certificate"),
        ),
        ChainTrust::NoRoots => Finding::fail("tls.rootfile", format!("there is no {file}")),
        ChainTrust::Dates => {
            Finding::fail("tls.expired", "a certificate above the server's expired")
        }
        _ => Finding::fail(
            cause_of_distrust(request, handshake, verdict),
            format!("signed by {issuer}, which is not in {file}"),
        ),
    }
}

/// Returns why the clients' roots do not verify a server that other roots may verify.
fn cause_of_distrust(
    request: &Request,
    handshake: &TlsHandshake,
    verdict: &CertificateVerdict,
) -> &'static str {
    let required = roots::required_roots(request);
    let is_provider_trusted = *trust_by(PROVIDER_ROOTS, verdict) == ChainTrust::Trusted;
    let is_system_trusted = *trust_by(SYSTEM_ROOTS, verdict) == ChainTrust::Trusted;
    let chain = &handshake.certificates;
    match &required {
        RequiredRoots::Private(set) if is_provider_trusted || is_issued_for(set, chain) => {
            set.cause
        }
        RequiredRoots::Public(Some(set)) if is_provider_trusted || is_system_trusted => set.cause,
        _ if chain
            .first()
            .is_some_and(|certificate| certificate.is_self_issued) =>
        {
            "tls.selfsigned"
        }
        _ => "tls.roots.unknown",
    }
}

/// Tells whether the certificates are by those who sign with a set of roots. pgcred does not carry
/// the roots of every region.
fn is_issued_for(set: &RootSet, chain: &[Certificate]) -> bool {
    match (set.issuer, chain.last()) {
        (Some(issuer), Some(last)) => last.issuer_name.starts_with(issuer),
        _ => false,
    }
}

fn trust_by<'a>(set: &str, verdict: &'a CertificateVerdict) -> &'a ChainTrust {
    for (name, trust) in &verdict.trust {
        if name == set {
            return trust;
        }
    }
    &ChainTrust::NoRoots
}

/// Says which names in the certificates may identify the user. A public issuer identifies nobody.
fn with_private_names_of_certificates(
    mut finding: Finding,
    request: &Request,
    handshake: &TlsHandshake,
) -> Finding {
    let is_public = |verdict: &CertificateVerdict| {
        [PROVIDER_ROOTS, SYSTEM_ROOTS]
            .iter()
            .any(|set| *trust_by(set, verdict) == ChainTrust::Trusted)
    };
    let is_by_provider = roots::required_roots(request)
        .set()
        .is_some_and(|set| is_issued_for(set, &handshake.certificates));
    let is_by_public = handshake.verdict.as_ref().is_some_and(is_public);
    for certificate in &handshake.certificates {
        for name in &certificate.names {
            let name = name.strip_prefix("*.").unwrap_or(name);
            finding = finding.naming(RedactedKind::Host, name);
        }
        if !is_by_public && !is_by_provider {
            finding = finding
                .naming(RedactedKind::Name, &certificate.common_name)
                .naming(RedactedKind::Name, &certificate.issuer_name);
        }
    }
    finding
}

fn judge_name(
    request: &Request,
    clients: &VerifyingClients<'_>,
    handshake: &TlsHandshake,
) -> Finding {
    let (Some(server_certificate), Some(verdict)) =
        (handshake.certificates.first(), &handshake.verdict)
    else {
        return Finding::fail("net.other", "the certificate cannot be read");
    };
    let names = names_of(server_certificate);
    let host = &request.host;
    match verdict.name {
        NameFit::Fits => Finding::ok(format!("for {host}")),
        NameFit::OnlyCommonName => Finding::warn(
            "tls.name",
            format!("{host} is only the certificate's common name, which most clients ignore"),
        ),
        NameFit::Differs if clients.verification == VerificationLevel::RootsAndName => {
            Finding::fail("tls.name", format!("for {names}, and not for {host}"))
        }
        NameFit::Differs => {
            let mode = request.sslmode();
            Finding::ok(format!(
                "for {names}; sslmode={mode} does not compare names"
            ))
        }
    }
}

/// Returns the first names that a certificate is for.
fn names_of(certificate: &Certificate) -> String {
    const SHOWN: usize = 3;
    if certificate.names.is_empty() {
        return certificate.common_name.clone();
    }
    let first_names = certificate.names.iter().take(SHOWN);
    first_names
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}
