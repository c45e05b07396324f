//! Lists the causes that lie in RDS and Aurora: what the server and its roles answer.
//!
//! There are rows of the table here, and nothing else. A row here is mended by SQL, or by a setting
//! of the instance, the cluster or the proxy; policies are in `iam.rs`. What Aurora DSQL answers is
//! in `dsql.rs`.

use super::text::{certain, likely, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "rds.pam",
        title: "RDS refuses the token, and does not say why",
        meaning: "The role has rds_iam, so the token was looked at. It has expired, is for \
            another name, port, user or region, or no policy allows rds-db:connect for this \
            user.",
        fix: "Issue a new token, connect straight to the endpoint, then let doctor ask \
            AWS. If a user with a password gets this, the role has become a member of rds_iam.",
        templates: &["pgcred refresh {target}", "pgcred doctor {target} --aws"],
        texts: &[likely(&["pam authentication failed"])],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "role.rds_iam.inherited",
        title: "a user with a password has got rds_iam",
        meaning: "Whoever is a member of rds_iam, also through another role, can log in with \
            a token only, and a password is refused. The master user gets it by granting it.",
        fix: "Take rds_iam from the role that passes it on. The first command shows the \
            members.",
        templates: &[
            "SELECT r.rolname FROM pg_roles r WHERE pg_has_role(r.oid, 'rds_iam', \
                'member');",
            "REVOKE rds_iam FROM {user.sql};",
        ],
        texts: &[],
        detection: CauseDetection::None("only a session that works can read the memberships"),
    },
    Cause {
        id: "role.rds_iam.missing",
        title: "the database role lacks rds_iam",
        meaning: "Without it the server takes the token for a password and compares it with \
            the role's own. New roles do not have it.",
        fix: "Log in with a user who may do that, and grant it. The second command prints all \
            that the user needs.",
        templates: &[
            "GRANT rds_iam TO {user.sql};",
            "pgcred policy {target} --user {user}",
        ],
        texts: &[likely(&["password authentication failed for user"])
            .unless(&["password retrieved from file", ".on.aws"])],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.role",
        title: "the database has no such role, or it may not log in",
        meaning: "The role was not made, was made without LOGIN, or its name was quoted: then \
            capital letters count.",
        fix: "Log in with a user who may do that, and make the role.",
        templates: &[
            "CREATE ROLE {user.sql} WITH LOGIN;",
            "GRANT rds_iam TO {user.sql};",
            "pgcred policy {target} --user {user}",
        ],
        texts: &[
            certain(&["role \"", "\" does not exist", "rds.amazonaws"]),
            certain(&["is not permitted to log in", "rds.amazonaws"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.iam.off",
        title: "the database does not take tokens",
        meaning: "IAM database authentication is disabled for this cluster or instance, so \
            every token is taken for a wrong password.",
        fix: "Enable it; that needs no restart. The second command is for an instance \
            that is in no cluster.",
        templates: &[
            "aws rds modify-db-cluster --db-cluster-identifier CLUSTER \
                --enable-iam-database-authentication --apply-immediately",
            "aws rds modify-db-instance --db-instance-identifier INSTANCE \
                --enable-iam-database-authentication --apply-immediately",
        ],
        texts: &[possible(&["password authentication failed for user"])
            .unless(&["password retrieved from file", ".on.aws"])],
        detection: CauseDetection::Checks(&["server.iam", "login.accepted"]),
    },
    Cause {
        id: "rds.state",
        title: "the database is stopped, starts, or cannot be reached from here",
        meaning: "It is stopped, restarts, is being changed, or has no public address.",
        fix: "Look at its state and start it; connect through the VPN if it has no \
            public address.",
        templates: &[
            "aws rds describe-db-instances --query \
                'DBInstances[].[DBInstanceIdentifier,DBInstanceStatus,PubliclyAccessible]'",
            "aws rds start-db-cluster --db-cluster-identifier CLUSTER",
        ],
        texts: &[
            certain(&["the database system is starting up"]),
            certain(&["the database system is shutting down"]),
            certain(&["the database system is in recovery mode"]),
            certain(&["not accepting connections"]),
            certain(&["terminating connection due to administrator command"]),
        ],
        detection: CauseDetection::Checks(&["server.state"]),
    },
    Cause {
        id: "rds.iam.throttle",
        title: "RDS cannot check tokens fast enough",
        meaning: "More than about 200 new connections in a second, or a small instance \
            without free memory, make checks of tokens fail now and then.",
        fix: "Connect again, and use a pool that keeps connections.",
        templates: &[],
        texts: &[
            certain(&["canceling authentication due to timeout"]),
            certain(&["rdsauthproxy", "503"]),
        ],
        detection: CauseDetection::None("it shows at some moments only"),
    },
    Cause {
        id: "rds.krb",
        title: "the role has rds_ad as well as rds_iam",
        meaning: "A role can log in by Kerberos or by a token, not by both, and a nested \
            role counts too.",
        fix: "Take one of them from the role.",
        templates: &["REVOKE rds_ad FROM {user.sql};"],
        texts: &[certain(&["gssapi authentication failed for user"])],
        detection: CauseDetection::None("only a session that works can read the memberships"),
    },
    Cause {
        id: "rds.replication",
        title: "tokens cannot be used for replication",
        meaning: "RDS takes a replication connection with a password only.",
        fix: "Use a role with a password and without rds_iam for replication.",
        templates: &[],
        texts: &[
            certain(&["no pg_hba.conf entry for replication connection"]),
            certain(&["must be superuser or replication role to start walsender"]),
        ],
        detection: CauseDetection::Checks(&["token.replication"]),
    },
    Cause {
        id: "rds.hba",
        title: "the rules of the server have no place for this login",
        meaning: "The client uses TLS, and no rule of the server allows this user to this \
            database from here. The user rdsadmin and replication are such cases.",
        fix: "Check user and database. A server that is not RDS, but listens at this \
            address, also answers so.",
        templates: &[],
        texts: &[
            certain(&["no pg_hba.conf entry", "ssl on"]).unless(&["replication connection"]),
            certain(&["no pg_hba.conf entry", "ssl encryption"])
                .unless(&["replication connection"]),
            certain(&["pg_hba.conf rejects connection", "ssl on"]),
            certain(&["pg_hba.conf rejects connection", "ssl encryption"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.database",
        title: "there is no database of that name",
        meaning: "A client that names no database asks for one with the name of the user.",
        fix: "Name the database; `postgres` is there nearly always.",
        templates: &["pgcred exec {target} -- psql -d postgres -c '\\l'"],
        texts: &[likely(&["database \"", "\" does not exist"]).unless(&[".on.aws"])],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.connect",
        title: "the role may not connect to this database",
        meaning: "The token was right. The role lacks the privilege CONNECT.",
        fix: "Let the owner of the database grant it.",
        templates: &["GRANT CONNECT ON DATABASE DATABASE-NAME TO {user.sql};"],
        texts: &[
            certain(&["permission denied for database"]),
            certain(&["user does not have connect privilege"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.full",
        title: "the server has no free connection",
        meaning: "All connections are in use: pools that are too large, or sessions that \
            nobody ends.",
        fix: "Close what is idle. The command shows who holds them.",
        templates: &[
            "SELECT usename, state, count(*) FROM pg_stat_activity GROUP BY 1, 2 \
                ORDER BY 3 DESC;",
        ],
        texts: &[
            certain(&["remaining connection slots are reserved"]),
            certain(&["sorry, too many clients already"]),
            certain(&["too many connections for role"]),
            certain(&["too many connections for database"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.proxy.signed",
        title: "RDS Proxy refuses the token",
        meaning: "It has expired, or was signed for the endpoint of the database instead of \
            that of the proxy, or for another port, or the policy does not name the proxy's \
            resource ID, prx-...",
        fix: "Use the proxy's endpoint as host, and issue a new token. The last command \
            shows the resource ID of the proxy as the end of its ARN.",
        templates: &[
            "pgcred refresh {target}",
            "aws rds describe-db-proxies --query 'DBProxies[].[Endpoint,DBProxyArn]'",
        ],
        texts: &[
            certain(&["iam authentication failed for user"]).unless(&[".on.aws"]),
            certain(&["iam authentication failed for the role"]),
            certain(&["check the iam token for this user"]),
        ],
        detection: CauseDetection::Checks(&["token.host", "login.accepted"]),
    },
    Cause {
        id: "rds.proxy.secret",
        title: "RDS Proxy has no secret for this role",
        meaning: "The proxy logs in to the database with a password from Secrets Manager, \
            and none is registered for this user.",
        fix: "Add a secret for the role to the proxy, or let the proxy use IAM to the \
            database too.",
        templates: &["aws rds describe-db-proxies --query \
                'DBProxies[].[DBProxyName,DefaultAuthScheme,Auth]'"],
        texts: &[
            certain(&["this rds proxy has no credentials for the role"]),
            certain(&["has no credentials for the role"]),
            certain(&["proxy authentication with password authentication failed"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "rds.proxy.method",
        title: "RDS Proxy and the client do not agree on how to log in",
        meaning: "The proxy demands IAM for a user who comes with a password, or takes no \
            tokens from one who has one; or the client does not know its method.",
        fix: "Set IAM authentication of the proxy to required or to enabled, for this \
            secret.",
        templates: &["aws rds describe-db-proxies --query 'DBProxies[].[DBProxyName,Auth]'"],
        texts: &[certain(&["rds proxy supports only"])],
        detection: CauseDetection::Checks(&["server.proxy", "login.accepted"]),
    },
];
