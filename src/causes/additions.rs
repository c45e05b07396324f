//! Tells which rows are about one authority alone, and what a row that is about all says besides to
//! the users of one.
//!
//! There are data here, and the look-up in them. A user is told of AWS's servers only where the
//! target is AWS's, or where nobody knows whose it is: in the page, and for a message without a
//! target.

/// The name of AWS, as `Authority::name` returns it.
const AWS: &str = "aws";

/// What a row says besides to the users of one authority. An empty text says nothing.
pub(super) struct CauseAddition {
    /// The id of the row.
    pub(super) cause: &'static str,
    authority: &'static str,
    /// The sentences that follow those of the row.
    pub(super) meaning: &'static str,
    pub(super) fix: &'static str,
    /// The commands that follow those of the row.
    pub(super) templates: &'static [&'static str],
}

/// The authorities that have rows of their own.
const OWNERS: &[(&str, &[&str])] = &[(AWS, AWS_ROWS)];

/// The rows of AWS: subjects, which end in a dot, and ids.
const AWS_ROWS: &[&str] = &[
    "aws.",
    "dsql.",
    "iam.",
    "rds.",
    "role.rds_iam.",
    "cli.v1",
    "net.ssm",
    "region",
    "tls.proxy",
    "tls.roots.public",
    "tls.roots.rds",
    "token.service",
    "tool.java.sso",
];

const fn addition_of_aws(
    cause: &'static str,
    meaning: &'static str,
    fix: &'static str,
) -> CauseAddition {
    CauseAddition {
        cause,
        authority: AWS,
        meaning,
        fix,
        templates: &[],
    }
}

pub(super) const ADDITIONS: &[CauseAddition] = &[
    addition_of_aws(
        "tls.name",
        "",
        "For Aurora DSQL over PrivateLink, switch private DNS on.",
    ),
    addition_of_aws("tls.sni", "Aurora DSQL finds the cluster by that name.", ""),
    addition_of_aws(
        "tls.selfsigned",
        "No server of AWS has such a certificate.",
        "",
    ),
    addition_of_aws(
        "tls.roots.unknown",
        "No server of AWS has a certificate of this authority.",
        "",
    ),
    addition_of_aws(
        "tls.rootfile",
        "",
        "Aurora DSQL and RDS Proxy have one, and RDS has none.",
    ),
    CauseAddition {
        templates: &[
            "aws rds modify-db-instance --db-instance-identifier INSTANCE \
                --ca-certificate-identifier rds-ca-rsa2048-g1 --apply-immediately",
        ],
        ..addition_of_aws(
            "tls.expired",
            "The RDS authorities of 2019 ended in 2024.",
            "For an RDS instance, the last command does that.",
        )
    },
    addition_of_aws("token.cut", "Tokens of AWS have 350 to 2,000.", ""),
    addition_of_aws("token.url", "Tokens of AWS have all of these signs.", ""),
    addition_of_aws("token.endpoint", "On RDS a token is for one port.", ""),
    addition_of_aws("token.user", "Tokens of RDS are of this kind.", ""),
    addition_of_aws(
        "clock",
        "AWS refuses a signature that is five minutes off.",
        "",
    ),
    addition_of_aws(
        "net.blocked",
        "",
        "For RDS the firewall is the security group.",
    ),
    addition_of_aws("net.refused", "", "Aurora DSQL has 5432."),
    addition_of_aws(
        "net.closed",
        "RDS Proxy does that to a client without TLS.",
        "",
    ),
    addition_of_aws(
        "role.case",
        "In a policy of AWS they count too.",
        "A policy has the name in its ARN.",
    ),
    addition_of_aws("tool.path", "AWS_PROFILE is one of those variables.", ""),
    addition_of_aws("tool.pooler", "", "RDS Proxy is one."),
];

/// Tells whether a row may be named to users of an authority; `None` if nobody knows whose they
/// are.
pub(super) fn is_for(cause: &str, authority: Option<&str>) -> bool {
    let Some(authority) = authority else {
        return true;
    };
    for (owner, rows) in OWNERS {
        for row in *rows {
            let is_row = *row == cause || (row.ends_with('.') && cause.starts_with(row));
            if is_row && *owner != authority {
                return false;
            }
        }
    }
    true
}

/// Returns what a row says besides to users of an authority.
pub(super) fn additions_of(
    cause: &str,
    authority: Option<&str>,
) -> impl Iterator<Item = &'static CauseAddition> {
    ADDITIONS.iter().filter(move |addition| {
        addition.cause == cause && authority.is_none_or(|name| name == addition.authority)
    })
}
