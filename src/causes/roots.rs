//! Lists the causes that lie in certificates: which authorities a client trusts, and where it looks
//! for them.
//!
//! There are rows of the table here, and nothing else. A row here is about the file or the store of
//! root certificates; what a handshake does before it looks at a certificate is in `tls.rs`. The
//! stage `tls` of doctor finds most of them.

use super::text::{certain, likely, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.roots.rds",
        title: "the client does not trust the certificate authority of RDS",
        meaning: "Certificates of RDS and Aurora come from Amazon's private authorities. No \
            system, Java or browser store has their roots, so sslrootcert=system cannot work \
            there.",
        fix: "Give the client the file that the first command prints, as sslrootcert (in \
            a tool: root or CA certificate). The second command gets Amazon's file for all \
            regions without pgcred.",
        templates: &[
            "pgcred roots {target} --roots provider",
            "curl -o rds.pem \
                https://truststore.pki.rds.amazonaws.com/global/global-bundle.pem",
        ],
        texts: &[
            certain(&["rds.amazonaws", "certificate verify failed"]).unless(&[".proxy-"]),
            certain(&["rds.amazonaws", "unknownissuer"]),
            certain(&["rds.amazonaws", "unknown authority"]),
            certain(&["rds.amazonaws", "pkix path building failed"]),
            certain(&[
                "rds.amazonaws",
                "self-signed certificate in certificate chain",
            ]),
            certain(&[
                "rds.amazonaws",
                "self signed certificate in certificate chain",
            ]),
            certain(&["rds.amazonaws", "unable to get local issuer certificate"]),
            certain(&["amazon rds", "root ca", "not trusted"]),
            likely(&["self-signed certificate in certificate chain"])
                .unless(&[".on.aws", "https://", "boto"]),
            likely(&["self signed certificate in certificate chain"])
                .unless(&[".on.aws", "https://", "boto"]),
            likely(&["self_signed_cert_in_chain"]).unless(&[".on.aws"]),
            likely(&["unable to get local issuer certificate"])
                .unless(&[".on.aws", "https://", "boto"]),
            likely(&["unable_to_get_issuer_cert_locally"]).unless(&[".on.aws"]),
            likely(&["unable to verify the first certificate"]).unless(&[".on.aws"]),
            likely(&["pkix path building failed"]).unless(&[".on.aws"]),
            likely(&["unable to find valid certification path to requested target"])
                .unless(&[".on.aws"]),
            likely(&["certificate signed by unknown authority"]).unless(&[".on.aws", "https://"]),
            likely(&["certificate verify failed"]).unless(&[
                ".on.aws",
                "https://",
                "boto",
                "ssl validation failed",
                "expired",
                "hostname mismatch",
            ]),
            likely(&["unknownissuer"]).unless(&[".on.aws", "https://", "sts", "oidc"]),
            likely(&["certificate is not trusted"]).unless(&[".on.aws"]),
            likely(&["remote certificate is invalid"]).unless(&[".on.aws", "namemismatch"]),
            likely(&["remotecertificatechainerrors"]).unless(&[".on.aws"]),
            likely(&["tlsv1 alert unknown ca"]).unless(&[".on.aws"]),
        ],
        detection: CauseDetection::Checks(&["environment.tls", "tls.chain", "tls.roots"]),
    },
    Cause {
        id: "tls.roots.public",
        title: "the client does not trust the public root certificates of Amazon",
        meaning: "Aurora DSQL and RDS Proxy have public certificates, below Amazon Root CA 1 \
            to 4. The client has another file of roots, such as a root.crt for RDS alone, or a \
            proxy between you and AWS opens TLS and signs with its own certificate.",
        fix: "Give the client the file that the first command prints, as sslrootcert. \
            The second command tells pgcred to use that file for this connection though you have \
            a root.crt.",
        templates: &[
            "pgcred roots {target} --roots provider",
            "pgcred add NAME {host} --roots provider",
        ],
        texts: &[
            certain(&[".on.aws", "certificate verify failed"])
                .unless(&["hostname mismatch", "expired"]),
            certain(&[".on.aws", "unable to get local issuer certificate"]),
            certain(&[".on.aws", "certificate signed by unknown authority"]),
            certain(&[".on.aws", "unknownissuer"]),
            certain(&[".on.aws", "pkix path building failed"]),
            certain(&[".on.aws", "self-signed certificate in certificate chain"]),
            certain(&[".proxy-", "certificate verify failed"]),
            possible(&["certificate verify failed"]).unless(&[
                "rds.amazonaws",
                "https://",
                "boto",
                "ssl validation failed",
                "expired",
                "hostname mismatch",
                ".on.aws",
            ]),
            possible(&["unable to get local issuer certificate"]).unless(&[
                "rds.amazonaws",
                "https://",
                "boto",
                ".on.aws",
            ]),
            possible(&["unknownissuer"]).unless(&[
                "rds.amazonaws",
                "https://",
                ".on.aws",
                "sts",
                "oidc",
            ]),
        ],
        detection: CauseDetection::Checks(&["tls.chain", "tls.roots"]),
    },
    Cause {
        id: "tls.selfsigned",
        title: "the server has a certificate that it signed itself",
        meaning: "Anybody can make such a certificate, so that a client cannot tell who answers. \
            It is usually another program: a local PostgreSQL, a development \
            container, or a proxy.",
        fix: "Compare host and port with the endpoint that your provider shows, and look for \
            a program of your own that listens on this port.",
        templates: &[],
        texts: &[
            certain(&["depth_zero_self_signed_cert"]),
            likely(&["self-signed certificate"]).unless(&["chain", "https://", "boto"]),
            likely(&["self signed certificate"]).unless(&["chain", "https://", "boto"]),
        ],
        detection: CauseDetection::Checks(&["tls.chain"]),
    },
    Cause {
        id: "tls.roots.unknown",
        title: "an authority that the client does not know has signed the certificate",
        meaning: "A proxy of your company looks into TLS and signs anew, or another server \
            answers at this host, or the server has root certificates of its \
            own.",
        fix: "Connect on a way without that proxy. Otherwise ask those who run it, or the \
            server, for the root certificate, and add that to the file that \
            sslrootcert names.",
        templates: &[],
        texts: &[],
        detection: CauseDetection::Checks(&["tls.roots"]),
    },
    Cause {
        id: "tls.rootfile",
        title: "the client has no file of root certificates",
        meaning: "sslmode=verify-full needs root certificates, and libpq looks for them in \
            ~/.postgresql/root.crt, which is not there.",
        fix: "Let pgcred start the client or set it up, or give the client sslrootcert= with \
            the file that the second command prints. If the server has a public \
            certificate, libpq 16 and newer also take sslrootcert=system.",
        templates: &["pgcred exec {target} -- psql", "pgcred roots {target}"],
        texts: &[
            certain(&["root certificate file", "does not exist"])
                .unless(&["file \"system\"", "file system"]),
            certain(&["could not open ssl root certificate file"]).unless(&["file system"]),
            certain(&["unable to read ca file"]).unless(&["open system"]),
            certain(&["unable to read ca cert"]),
            certain(&["enoent", "root.crt"]),
            certain(&["open", "root.crt", "no such file or directory"]),
        ],
        detection: CauseDetection::Checks(&["environment.tls", "net.dns", "tls.roots"]),
    },
    Cause {
        id: "tls.rootfile.bad",
        title: "the file of root certificates cannot be used",
        meaning: "The file that sslrootcert names is there, but it has no certificate in PEM \
            form, or the client may not read it.",
        fix: "Compare the file with the one that the command prints: each certificate \
            begins with -----BEGIN CERTIFICATE-----.",
        templates: &["pgcred roots {target} --roots provider"],
        texts: &[
            certain(&["could not read root certificate file"]),
            certain(&[
                "loading the ssl root certificate",
                "into a trustmanager failed",
            ]),
            certain(&["no certificate or crl found"]),
            certain(&["unable to add ca to cert pool"]),
            certain(&["couldn't parse pem in sslrootcert"]),
        ],
        detection: CauseDetection::Checks(&["tls.roots"]),
    },
    Cause {
        id: "tls.system.old",
        title: "this libpq does not know sslrootcert=system",
        meaning: "The word system is known to libpq 16 and newer only. An older one takes it \
            for the name of a file.",
        fix: "Give the client the file that the command prints instead of the word \
            system, or install a newer client. `pgcred setup psql` writes what your psql knows.",
        templates: &["pgcred roots {target}", "pgcred setup psql"],
        texts: &[
            certain(&["root certificate file \"system\" does not exist"]),
            certain(&["could not open ssl root certificate file system"]),
            certain(&["open system: no such file"]),
            certain(&["open system: the system cannot find the file"]),
        ],
        detection: CauseDetection::Checks(&["environment.tls"]),
    },
    Cause {
        id: "tls.weak",
        title: "sslrootcert=system needs sslmode=verify-full",
        meaning: "libpq takes the system's root certificates only together with the \
            strictest mode, and another one is set.",
        fix: "Set sslmode=verify-full, or name a file as sslrootcert.",
        templates: &["export PGSSLMODE=verify-full"],
        texts: &[certain(&[
            "weak sslmode",
            "may not be used with sslrootcert=system",
        ])],
        detection: CauseDetection::Checks(&["environment.tls", "tls.mode"]),
    },
    Cause {
        id: "tls.windows",
        title: "this psql for Windows cannot read the system's certificates",
        meaning: "Some builds of libpq for Windows were made with an OpenSSL that has no \
            access to the certificate store of Windows.",
        fix: "Give the client the file that the command prints as sslrootcert, instead \
            of the word system.",
        templates: &["pgcred roots {target}"],
        texts: &[certain(&["unregistered scheme"])],
        detection: CauseDetection::None(
            "the fault lies in the client's build, and shows only when that client \
                connects",
        ),
    },
    Cause {
        id: "tls.expired",
        title: "a certificate has expired, or the clock of this machine is wrong",
        meaning: "Either the server's certificate has ended, or the file of roots is old, or this \
            machine's clock is far off.",
        fix: "Check the clock first. Then renew the file of roots; the owner of the server \
            renews its certificate.",
        templates: &["date -u", "pgcred roots {target} --update"],
        texts: &[
            certain(&["certificate has expired"]),
            certain(&["certificateexpired"]),
            certain(&["cert_has_expired"]),
            certain(&["invalid peer certificate: expired"]),
            certain(&["certificate expired"]),
            certain(&["notafter:", "certificate", "expired"]),
            certain(&["certificate is not yet valid"]),
        ],
        detection: CauseDetection::Checks(&["tls.chain", "clock.offset"]),
    },
    Cause {
        id: "tls.revocation",
        title: "Windows cannot check whether the certificate was withdrawn",
        meaning: "The client asks Windows to look up revocation lists, and the network does \
            not let it.",
        fix: "Let the machine reach the addresses of the certificate's issuer, or switch \
            the check off in the client's TLS settings.",
        templates: &[],
        texts: &[
            certain(&["revocation function was unable to check revocation"]),
            certain(&["crypt_e_no_revocation_check"]),
            certain(&["crypt_e_revocation_offline"]),
        ],
        detection: CauseDetection::None("it depends on Windows and on the client's own settings"),
    },
];
