//! Lists the causes that lie in TLS: the client does not use it, does not say whom it wants, or
//! speaks another kind of it.
//!
//! There are rows of the table here, and nothing else. What is wrong with certificates and those
//! who vouch for them is in `roots.rs`.

use super::text::{certain, likely};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.off",
        title: "the client does not use TLS",
        meaning: "The server takes a login by token only inside TLS, and the client \
            connected without it. Most tools have a switch for it that is off at first.",
        fix: "Switch TLS on: sslmode=verify-full in a connection string or service file, \
            or tick SSL in the tool. `pgcred exec` does it by itself.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[
            certain(&["no pg_hba.conf entry", "no encryption"]).unless(&[
                "pam authentication failed",
                "password authentication failed",
                "iam authentication failed",
            ]),
            certain(&["no pg_hba.conf entry", "ssl off"]).unless(&[
                "pam authentication failed",
                "password authentication failed",
                "iam authentication failed",
            ]),
            certain(&["pg_hba.conf rejects connection", "no encryption"])
                .unless(&["pam authentication failed"]),
            certain(&["pg_hba.conf rejects connection", "ssl off"])
                .unless(&["pam authentication failed"]),
        ],
        detection: CauseDetection::Checks(&["environment.tls", "tls.mode", "login.accepted"]),
    },
    Cause {
        id: "tls.proxy",
        title: "RDS Proxy takes a token only inside TLS",
        meaning: "The client connected to RDS Proxy without TLS, and the proxy refuses \
            tokens there. It may also just close the connection.",
        fix: "Switch TLS on: sslmode=verify-full, or tick SSL in the tool. RDS Proxy has \
            a public certificate, so the system's root certificates are enough.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[
            certain(&["this rds proxy requires tls connections"]),
            certain(&["iam authentication is allowed only with ssl connections"]),
        ],
        detection: CauseDetection::Checks(&["tls.mode", "login.accepted"]),
    },
    Cause {
        id: "tls.name",
        title: "the certificate is for another host name than the client dialled",
        meaning: "The client dials a tunnel, a CNAME, an IP address or a private endpoint, and \
            the certificate names the server's own endpoint.",
        fix: "Keep the endpoint's name as host, and give the address apart: libpq takes \
            hostaddr.",
        templates: &[
            "PGHOSTADDR=127.0.0.1 PGSSLMODE=verify-full psql -h {host} -p {port} -U \
                {user}",
            "pgcred add NAME {host} --alias localhost:{port}",
        ],
        texts: &[
            certain(&["server certificate for", "does not match host name"]),
            certain(&["could not be verified by hostnameverifier"]),
            certain(&["hostname/ip does not match certificate's altnames"]),
            certain(&["err_tls_cert_altname_invalid"]),
            certain(&["certificate is valid for", ", not"]),
            certain(&["notvalidforname"]),
            certain(&["certificate not valid for name"]),
            certain(&["remotecertificatenamemismatch"]),
            certain(&["hostname mismatch, certificate is not valid for"]),
            certain(&["ip address mismatch, certificate is not valid for"]),
            certain(&["no subject alternative dns name matching"]),
            certain(&["no subject alternative names matching ip address"]),
            certain(&["doesn't contain any ip sans"]),
            certain(&["could not get server's host name from server certificate"]),
            certain(&["host name must be specified for a verified ssl connection"]),
        ],
        detection: CauseDetection::Checks(&["tls.name"]),
    },
    Cause {
        id: "tls.alpn",
        title: "something between the client and the server does not speak direct TLS",
        meaning: "sslnegotiation=direct begins with TLS at once and names the protocol in it \
            (ALPN). An inspecting proxy, or an older server, does not answer that.",
        fix: "Remove sslnegotiation from the connection: the usual negotiation works \
            everywhere.",
        templates: &["unset PGSSLNEGOTIATION"],
        texts: &[
            certain(&["without alpn protocol negotiation extension"]),
            certain(&["unexpected alpn protocol"]),
            certain(&["no application protocol", "alpn"]),
            certain(&["tlsv1 alert no application protocol"]),
            certain(&["noapplicationprotocol"]),
        ],
        detection: CauseDetection::Checks(&["environment.tls", "tls.alpn"]),
    },
    Cause {
        id: "tls.direct.weak",
        title: "sslnegotiation=direct needs sslmode=require or stricter",
        meaning: "libpq does not try direct TLS while the mode would also permit a \
            connection without TLS.",
        fix: "Set sslmode=verify-full, or remove sslnegotiation.",
        templates: &["export PGSSLMODE=verify-full"],
        texts: &[certain(&[
            "weak sslmode",
            "may not be used with sslnegotiation=direct",
        ])],
        detection: CauseDetection::Checks(&["environment.tls", "tls.mode"]),
    },
    Cause {
        id: "tls.sni",
        title: "the client does not say in TLS which host it wants",
        meaning: "Several servers share one address, and the host name in TLS (SNI) says which is \
            meant. libpq before version 14, PGSSLSNI=0, an IP address as host, \
            and some proxies and clients send none.",
        fix: "Use libpq 14 or newer (17 is best), and the server's own name as host.",
        templates: &["psql --version", "unset PGSSLSNI"],
        texts: &[
            certain(&["unrecognized ssl error code: 6"]),
            certain(&["sni was not received"]),
            likely(&["unrecognized ssl error code"]).unless(&["code: 6"]),
        ],
        detection: CauseDetection::Checks(&["clients.sni", "environment.tls", "tls.handshake"]),
    },
    Cause {
        id: "tls.refused",
        title: "the server at this address does not speak TLS",
        meaning: "A server that takes tokens always does. What answers is another program: a \
            local PostgreSQL, a pooler, or a tunnel to another port.",
        fix: "Compare host and port with the endpoint that your provider shows. If a tunnel \
            listens there, look at where it leads.",
        templates: &[],
        texts: &[
            certain(&["server does not support ssl"]),
            certain(&["server refused tls connection"]),
            certain(&["ssl is not enabled on the server"]),
            certain(&["no ssl enabled connection from this host is configured"]),
            certain(&["unsupported frontend protocol 1234."]),
            certain(&["server does not support tls"]).unless(&["peerincompatible"]),
        ],
        detection: CauseDetection::Checks(&["tls.handshake"]),
    },
    Cause {
        id: "tls.injected",
        title: "something between client and server speaks in clear text before TLS",
        meaning: "No server does that. Someone on the way could put words there that the \
            client takes for the server's own, so every client refuses it.",
        fix: "Connect on another way: without the proxy, or over another network. Tell those \
            who run this network.",
        templates: &[],
        texts: &[certain(&["received unencrypted data after ssl response"])],
        detection: CauseDetection::Checks(&["tls.handshake"]),
    },
    Cause {
        id: "tls.version",
        title: "client and server have no version of TLS in common",
        meaning: "The server takes TLS 1.2 and 1.3, and old clients, old Java versions and \
            some settings of OpenSSL offer only what is older.",
        fix: "Use a newer client, and remove ssl_min_protocol_version, \
            ssl_max_protocol_version, PGSSLMINPROTOCOLVERSION and PGSSLMAXPROTOCOLVERSION.",
        templates: &[],
        texts: &[
            certain(&["alert protocol version"]),
            certain(&["unsupported protocol"]).unless(&["frontend"]),
            certain(&["no protocols available"]),
            certain(&["no appropriate protocol"]),
            certain(&["protocolversion", "alert"]),
            certain(&["tls: protocol version not supported"]),
            certain(&["peerincompatible"]),
        ],
        detection: CauseDetection::Checks(&["tls.handshake"]),
    },
    Cause {
        id: "tls.notls",
        title: "the client was built without TLS",
        meaning: "This client or its libpq knows no TLS at all, and a token must never be \
            sent without it.",
        fix: "Install the usual package of the client; psycopg2 and psycopg have one \
            that is called binary.",
        templates: &[],
        texts: &[
            certain(&[
                "sslmode value",
                "invalid when ssl support is not compiled in",
            ]),
            certain(&[
                "tls upgrade required by connect options but sqlx was built without tls support",
            ]),
            certain(&["no tls implementation configured"]),
        ],
        detection: CauseDetection::None("only the client itself knows how it was built"),
    },
    Cause {
        id: "tls.mode.unknown",
        title: "the client does not know this sslmode",
        meaning: "Some drivers have fewer modes than libpq, or other words for them.",
        fix: "Look up the driver's own word for verify-full: `verify_full`, \
            `VerifyFull`, `ssl: { rejectUnauthorized: true }`. Do not use one that verifies \
            nothing.",
        templates: &[],
        texts: &[
            certain(&["invalid sslmode value"]),
            certain(&["unsupported sslmode"]),
            certain(&["unknown value", "ssl_mode"]),
            certain(&["sslmode is invalid"]),
        ],
        detection: CauseDetection::None("drivers have words of their own"),
    },
];
