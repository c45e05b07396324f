//! Lists the causes that lie in the token: it is expired, cut, signed for something else, or
//! written so that it does not arrive whole.
//!
//! There are rows of the table here, and nothing else. The stage `token` of doctor judges the token
//! that pgcred issues; a token that the user has pasted is recognised by what a server says of it.

use super::text::{certain, likely, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "token.expired",
        title: "the token that was sent has expired",
        meaning: "A token is checked at each new connection, and this one had ended. The \
            client has kept an old token, or nothing renews the one in the passfile.",
        fix: "Issue a new one and connect again. If the message stays, look at the \
            clock; if it comes back after some minutes, let something renew the token.",
        templates: &["pgcred refresh {target}", "pgcred setup systemd"],
        texts: &[likely(&["signature expired"]).unless(&["invalidsignatureexception"])],
        detection: CauseDetection::Checks(&["passfile.entry", "token.life", "login.accepted"]),
    },
    Cause {
        id: "token.pasted",
        title: "a token is stored in the client, and it has expired",
        meaning: "A token works for minutes. A client, a URL in a file, or a pool that reads \
            its password once at the start sends it for ever.",
        fix: "Let the client ask for the token at each connect: pgcred sets tools up for \
            that. Restart pools that have read it once.",
        templates: &["pgcred setup {tool}"],
        texts: &[
            possible(&["signature expired"]).unless(&["invalidsignatureexception"]),
            possible(&["pam authentication failed"]),
        ],
        detection: CauseDetection::Checks(&[
            "environment.password",
            "tools.passwords",
            "passfile.entry",
        ]),
    },
    Cause {
        id: "token.endpoint",
        title: "the token is signed for another name or port than the server's",
        meaning: "A token may be good for one host name or port alone. Through a tunnel, a CNAME, \
            a load balancer or another port it has to be made for the server's \
            own endpoint, not for what the client dials.",
        fix: "Keep the endpoint as the connection's host, and name what the client dials \
            as an alias.",
        templates: &["pgcred add NAME ENDPOINT --alias localhost:15432"],
        texts: &[
            certain(&["request signature we calculated does not match the signature you provided"])
                .unless(&["signaturedoesnotmatch"]),
            possible(&["pam authentication failed"]).unless(&[".rds.amazonaws"]),
        ],
        detection: CauseDetection::Checks(&[
            "environment.password",
            "token.scope",
            "token.host",
            "server.port",
            "tls.name",
        ]),
    },
    Cause {
        id: "token.cut",
        title: "the token was cut on its way",
        meaning: "A token is longer than most passwords. Some poolers, dialogs and libpq \
            before the end of 2020 keep 128 to 1,024 characters, and PostgreSQL before 14 took \
            no longer password.",
        fix: "Use a newer client, or let it read the passfile or run a command instead \
            of a password field.",
        templates: &["pgcred setup {tool}", "psql --version"],
        texts: &[
            certain(&["invalid password packet size"]),
            certain(&["value too long for type character varying", "password"]),
        ],
        detection: CauseDetection::Checks(&["token.length", "clients.lines"]),
    },
    Cause {
        id: "token.service",
        title: "the token is for the other kind of database",
        meaning: "Tokens of RDS are signed for the service rds-db, those of Aurora DSQL for \
            dsql. Tools with a built-in AWS IAM mode sign for RDS only.",
        fix: "Switch the tool's own IAM mode off, and let it take the token from pgcred, \
            which signs by the kind of host.",
        templates: &["pgcred token {target}"],
        texts: &[certain(&["credential should be scoped to correct service"])],
        detection: CauseDetection::Checks(&["environment.password", "token.scope"]),
    },
    Cause {
        id: "token.url",
        title: "the token stands in a URL, and its characters are not percent-encoded",
        meaning: "Signs such as / ? & = and % mean something in a URL and in files of \
            configparser. The driver reads a part of the token as port or host.",
        fix: "Ask for the token as a URL, or give it as PGPASSWORD, in the passfile or \
            by a command instead. In alembic.ini write %% for each %.",
        templates: &["pgcred token {target} --format url"],
        texts: &[
            certain(&["invalid integer value", "for connection option \"port\""]),
            certain(&["invalid percent-encoded token"]),
            certain(&["invalid url escape"]),
            certain(&["uri malformed"]),
            certain(&["illegal hex characters in escape"]),
            certain(&["net/url: invalid userinfo"]),
            certain(&["invalid interpolation syntax"]),
            certain(&["invalid port", "after host"]),
            certain(&["invalid literal for int() with base 10", "amz"]),
            certain(&["unexpected spaces found in", "uri query parameter"]),
            certain(&["error with configuration: invalid port number"]),
            certain(&["cannot parse", "failed to parse as url"]),
        ],
        detection: CauseDetection::None("the text of the URL is in the client's own configuration"),
    },
    Cause {
        id: "region",
        title: "the region is not that of the server",
        meaning: "A token is signed for one region. An option, AWS_REGION or the profile \
            says another one than the host name does.",
        fix: "Leave the region out: pgcred reads it from the host.",
        templates: &[
            "unset AWS_REGION AWS_DEFAULT_REGION",
            "pgcred token {target} --debug",
        ],
        texts: &[certain(&["credential should be scoped to a valid region"])],
        detection: CauseDetection::Checks(&["environment.password", "token.region"]),
    },
    Cause {
        id: "token.user",
        title: "the token is for another database user",
        meaning: "The user's name is part of the token, and only that role can log in with it.",
        fix: "Ask for the token with the same user as the client has.",
        templates: &["pgcred refresh {target} --user {user}"],
        texts: &[],
        detection: CauseDetection::Checks(&["environment.password", "token.scope"]),
    },
];
