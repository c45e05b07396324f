//! Lists the causes that lie in the network: names, addresses, ports, tunnels.
//!
//! There are rows of the table here, and nothing else. A row here ends before TLS begins. The stage
//! `net` of doctor finds those that a probe can tell apart.

use super::text::{certain, likely};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "net.dns",
        title: "the host name is not known here",
        meaning: "It is mistyped, or belongs to a private zone that only the VPN or the private \
            network knows. A server that was deleted has no name any more.",
        fix: "Compare the name with the endpoint that your provider shows, then connect the \
            VPN.",
        templates: &["getent ahosts {host}", "pgcred list"],
        texts: &[
            certain(&["could not translate host name"]),
            certain(&["name or service not known"]),
            certain(&["nodename nor servname provided"]),
            certain(&["getaddrinfo enotfound"]),
            certain(&["unknownhostexception"]),
            certain(&["no such host"]),
            certain(&["failed to lookup address information"]),
            certain(&["temporary failure in name resolution"]),
            certain(&["getaddrinfo failed"]),
            certain(&["eai_again"]),
            certain(&["hostname resolving error"]),
            certain(&["no address associated with hostname"]),
        ],
        detection: CauseDetection::Checks(&["net.dns"]),
    },
    Cause {
        id: "net.ipv6",
        title: "the network has no way to the server's address",
        meaning: "The name has an IPv6 address, and this machine has no IPv6, or the VPN has \
            no route. If both kinds were tried, the try by IPv4 failed first and is the one to \
            repair.",
        fix: "Repair IPv4 (the firewall, the VPN), or give the address: hostaddr=.",
        templates: &["getent ahostsv4 {host}"],
        texts: &[
            certain(&["network is unreachable"]),
            certain(&["networkunreachable"]),
            certain(&["enetunreach"]),
            certain(&["no route to host"]),
            certain(&["ehostunreach"]),
            certain(&["unreachable network"]),
            certain(&["unreachable host"]),
        ],
        detection: CauseDetection::Checks(&["net.tcp"]),
    },
    Cause {
        id: "net.blocked",
        title: "nothing answers at the server's address",
        meaning: "A firewall drops the connection, the port 5432 is blocked, or the database is \
            in a private network and you are outside.",
        fix: "Let the firewall admit your address and this port, connect the VPN, or use a \
            tunnel and name it as an alias.",
        templates: &[
            "nc -vz {host} {port}",
            "pgcred add NAME {host} --alias localhost:15432",
        ],
        texts: &[
            certain(&["connection timed out"]),
            certain(&["connection attempt timed out"]),
            certain(&["timeout expired"]),
            certain(&["etimedout"]),
            certain(&["connect timed out"]),
            certain(&["i/o timeout"]),
            certain(&["operation timed out"]),
            certain(&["context deadline exceeded"]),
            certain(&["did not properly respond after a period of time"]),
            certain(&["exception while connecting", "timeout"]),
            certain(&["connection timeout"]),
            certain(&["connection terminated due to connection timeout"]),
            certain(&["timeout during connection attempt"]),
            certain(&["deadline has elapsed"]),
            certain(&["pool timed out"]),
        ],
        detection: CauseDetection::Checks(&["net.tcp", "tls.handshake", "login.accepted"]),
    },
    Cause {
        id: "net.refused",
        title: "nothing listens at this host and port",
        meaning: "The port is wrong, the tunnel does not run, or the server is just starting.",
        fix: "Start the tunnel, or compare the port with that of the endpoint.",
        templates: &["nc -vz {host} {port}"],
        texts: &[
            certain(&["connection refused"]),
            certain(&["econnrefused"]),
            certain(&["actively refused it"]),
            certain(&[
                "connection to",
                "refused. check that the hostname and port are correct",
            ]),
        ],
        detection: CauseDetection::Checks(&["net.tcp"]),
    },
    Cause {
        id: "net.closed",
        title: "the connection was closed before the login was over",
        meaning: "A proxy, a tunnel or a load balancer ended it, or the server did.",
        fix: "Connect with psql and verify-full, straight to the endpoint. If that \
            works, look at what stands between.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[
            likely(&["server closed the connection unexpectedly"]),
            likely(&["connection reset by peer"]),
            likely(&["econnreset"]),
            likely(&["ssl syscall error: eof detected"]),
            likely(&["ssl error: unexpected eof while reading"]),
            likely(&["connection terminated unexpectedly"]),
            likely(&["an i/o error occurred while sending to the backend"]),
            likely(&["exception while reading from stream"]),
            likely(&["unexpected eof"]),
            likely(&["connection was closed in the middle of operation"]),
            likely(&["forcibly closed by the remote host"]),
            likely(&["expected to read"]),
        ],
        detection: CauseDetection::Checks(&["net.tcp", "tls.handshake", "login.accepted"]),
    },
    Cause {
        id: "net.other",
        title: "another kind of server answers at this port",
        meaning: "What answers does not speak PostgreSQL: a web server, an SSH server, MySQL \
            or an HTTP proxy.",
        fix: "Compare host and port with the endpoint that your provider shows.",
        templates: &["nc -vz {host} {port}"],
        texts: &[
            certain(&["received invalid response to ssl negotiation"]),
            certain(&["wrong version number"]),
            certain(&["expected authentication request from server, but received"]),
            certain(&["first record does not look like a tls handshake"]),
            certain(&["unrecognized ssl message, plaintext connection"]),
            certain(&["received corrupt message"]),
            certain(&["invalidcontenttype"]),
        ],
        detection: CauseDetection::Checks(&["tls.handshake"]),
    },
    Cause {
        id: "net.tunnel",
        title: "the tunnel reaches its own end, but not the database",
        meaning: "The machine in the middle cannot open the connection: its name is not \
            known there, its network is closed, or forwarding is not allowed.",
        fix: "Try the connection on that machine, and read the output of ssh or of the \
            session plugin.",
        templates: &["ssh -v -L 15432:{host}:{port} BASTION"],
        texts: &[
            certain(&["open failed: administratively prohibited"]),
            certain(&["open failed: connect failed"]),
            certain(&["channel", "open failed"]),
            certain(&["connection to destination port failed"]),
            certain(&["stdio forwarding failed"]),
        ],
        detection: CauseDetection::None("the other end of a tunnel shows nothing here"),
    },
    Cause {
        id: "net.ssm",
        title: "the machine of the tunnel is not connected to Systems Manager",
        meaning: "The instance is stopped, its agent does not run, or you have no permission \
            for sessions on it.",
        fix: "Look whether the instance is online.",
        templates: &[
            "aws ssm describe-instance-information --query \
                'InstanceInformationList[].[InstanceId,PingStatus]'",
            "session-manager-plugin --version",
        ],
        texts: &[
            certain(&["targetnotconnected"]),
            certain(&["sessionmanagerplugin is not found"]),
            certain(&["is not authorized to perform: ssm:startsession"]),
        ],
        detection: CauseDetection::None("it concerns the tunnel, which other programs keep"),
    },
    Cause {
        id: "net.socket",
        title: "the client does not dial the server, but a PostgreSQL on this machine",
        meaning: "No host reached the client, so it looks for a local server: a variable is \
            not set, or TARGET was not given to psql.",
        fix: "Let pgcred give host, user and database to the client.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[
            certain(&["connection to server on socket"]),
            certain(&["no such file or directory", ".s.pgsql."]),
            certain(&["is the server running locally and accepting connections on that socket"]),
            certain(&["running locally and accepting", "unix domain socket"]),
        ],
        detection: CauseDetection::None("only the client knows which host it was given"),
    },
];
