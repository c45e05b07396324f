//! Lists the causes that lie in AWS around the credentials: its services, regions, accounts and
//! tools, and the clock.
//!
//! There are rows of the table here, and nothing else. The credentials themselves are in
//! `credentials.rs`.

use super::text::{certain, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "aws.account",
        title: "the profile belongs to another AWS account than the database",
        meaning: "The cluster is not found, or refuses, because AWS looks for it in the \
            profile's own account. For RDS, user and database must be of one account, or a role \
            there is assumed.",
        fix: "Compare the account of the profile with that of the database, and use the \
            profile of the database's account.",
        templates: &["aws sts get-caller-identity --profile {profile}"],
        texts: &[
            certain(&["resourcenotfoundexception", "cluster"]),
            certain(&["dbinstancenotfound"]),
            certain(&["dbclusternotfound"]),
        ],
        detection: CauseDetection::Checks(&["server.state"]),
    },
    Cause {
        id: "aws.tls",
        title: "something between you and AWS opens TLS",
        meaning: "A company proxy or a virus scanner signs AWS's answers with a certificate \
            of its own, which programs do not trust.",
        fix: "Give AWS's programs the certificate of the proxy: AWS_CA_BUNDLE, or \
            ca_bundle in ~/.aws/config.",
        templates: &["export AWS_CA_BUNDLE={file}"],
        texts: &[
            certain(&["ssl validation failed for"]),
            certain(&["certificate verify failed", "https://"]).unless(&[".rds.", "postgres"]),
            certain(&["certificate verify failed", "boto"]),
            certain(&["unable to get local issuer certificate", "https://"]),
            certain(&["unable to get local issuer certificate", "boto"]),
            certain(&["certificate signed by unknown authority", "https://"]),
            certain(&["unknownissuer", "https://"]),
            certain(&["unknownissuer", "sts"]),
            certain(&["unknownissuer", "oidc"]),
            certain(&["self-signed certificate in certificate chain", "https://"]),
            certain(&["self signed certificate in certificate chain", "https://"]),
        ],
        detection: CauseDetection::Checks(&["aws.reach", "token.issued"]),
    },
    Cause {
        id: "aws.unreachable",
        title: "AWS cannot be reached",
        meaning: "The services of AWS that give credentials do not answer: no network, a \
            proxy that is not named, or a region in which the service does not exist.",
        fix: "Check the network, HTTPS_PROXY and the region.",
        templates: &["curl -sS https://sts.amazonaws.com"],
        texts: &[
            certain(&["could not connect to the endpoint url"]),
            certain(&["endpointconnectionerror"]),
            certain(&["connect timeout on endpoint url"]),
            certain(&["read timeout on endpoint url"]),
            certain(&["dispatch failure"]),
            certain(&["failed to connect to proxy url"]),
            certain(&["proxyconnectionerror"]),
        ],
        detection: CauseDetection::Checks(&["aws.reach", "token.issued"]),
    },
    Cause {
        id: "aws.throttled",
        title: "AWS answers fewer requests than were sent",
        meaning: "Many programs ask for credentials at once, and AWS limits that for an \
            account.",
        fix: "Wait a moment. Let them share pgcred's cache instead of asking AWS each.",
        templates: &["pgcred token {target}"],
        texts: &[
            certain(&["toomanyrequestsexception"]),
            certain(&["throttlingexception"]),
            certain(&["rate exceeded", "calling the"]),
        ],
        detection: CauseDetection::None("AWS limits at some moments only"),
    },
    Cause {
        id: "aws.region",
        title: "no region is known",
        meaning: "The host does not name a region, as behind a tunnel or a CNAME, and \
            nothing else does.",
        fix: "Name the region, or keep the endpoint as the connection's host, which \
            names it.",
        templates: &["pgcred token {target} --region {region}"],
        texts: &[
            certain(&["you must specify a region"]),
            certain(&["no region for"]),
            certain(&["noregionerror"]),
            certain(&["missing region in config"]),
            certain(&["unable to load region from any of the providers"]),
        ],
        detection: CauseDetection::Checks(&["token.region"]),
    },
    Cause {
        id: "cli.v1",
        title: "this AWS CLI is too old for Aurora DSQL",
        meaning: "Version 1 of the AWS CLI, which pip installs, has no command for tokens of \
            Aurora DSQL.",
        fix: "Let pgcred make the token; `pgcred aws` takes the same options. Or install \
            version 2 of the AWS CLI.",
        templates: &[
            "aws --version",
            "pgcred aws dsql generate-db-connect-admin-auth-token --hostname {host} \
                --region {region}",
        ],
        texts: &[
            certain(&["invalid choice: 'dsql'"]),
            certain(&["invalid choice: dsql"]),
            certain(&["argument operation: invalid choice", "generate-db-connect"]),
        ],
        detection: CauseDetection::Checks(&["clients.aws"]),
    },
    Cause {
        id: "cache.key",
        title: "tokens and logins are not remembered on this machine",
        meaning: "The keyring is missing, locked or slow, so nothing is cached: each call \
            issues a new token, and asks to log in again.",
        fix: "Unlock the keyring, or let pgcred keep the key in a file of your own: \
            cache = \"file\" in config.toml.",
        templates: &["pgcred list"],
        texts: &[
            certain(&["org.freedesktop.secrets was not provided"]),
            certain(&["cannot autolaunch d-bus without x11"]),
            certain(&["user interaction is not allowed"]),
            certain(&["errsecinteractionnotallowed"]),
        ],
        detection: CauseDetection::Checks(&["store.key"]),
    },
    Cause {
        id: "schedule",
        title: "nothing renews the token in the passfile",
        meaning: "The scheduler is off or has not run yet, or its last run failed, or no \
            scheduler and no hook was set up. A token in the passfile ends without a new one.",
        fix: "Renew it now. If no scheduler is set up, set one up: systemd, launchd, cron or \
            task-scheduler.",
        templates: &[
            "pgcred refresh {target}",
            "pgcred list",
            "pgcred setup systemd",
        ],
        texts: &[],
        detection: CauseDetection::Checks(&[
            "installation.schedule",
            "passfile.entry",
            "token.passfile",
        ]),
    },
    Cause {
        id: "clock",
        title: "the clock of this machine is wrong",
        meaning: "The time in a token is compared with the clock of another machine. After sleep, \
            in WSL and in containers without NTP the clock can be minutes off.",
        fix: "Set the clock. On WSL the second command does it.",
        templates: &["sudo timedatectl set-ntp true", "sudo hwclock -s"],
        texts: &[
            certain(&["signature not yet current"]),
            certain(&["invalidsignatureexception", "signature expired"]),
            certain(&["signaturedoesnotmatch", "signature expired"]),
            certain(&["requesttimetooskewed"]),
            certain(&["request time and the current time is too large"]),
            certain(&["signature expired", "is now earlier than", "calling the"]),
            possible(&["signature expired:", "is now earlier than"]).unless(&[
                "invalidsignatureexception",
                "signaturedoesnotmatch",
                "calling the",
            ]),
        ],
        detection: CauseDetection::Checks(&["clock.offset", "aws.identity", "tls.chain"]),
    },
];
