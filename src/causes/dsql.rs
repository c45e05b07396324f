//! Lists the causes that lie in Aurora DSQL: what the cluster answers.
//!
//! There are rows of the table here, and nothing else. A row here is mended by SQL or in the
//! cluster; policies are in `iam.rs`. Some rows are no failures of a login, but texts that follow
//! it, such as limits.

use super::text::{certain, likely, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "dsql.denied",
        title: "Aurora DSQL refuses the login, and this text does not say why",
        meaning: "The reason is in the message's HINT, which some clients do not show. Most \
            often the token has expired; otherwise it is for another user, or no policy allows \
            it.",
        fix: "Issue a new token and connect with psql, which shows the HINT.",
        templates: &["pgcred refresh {target}", "pgcred exec {target} -- psql"],
        texts: &[
            certain(&["iam authentication failed for user", ".on.aws"]),
            likely(&["unable to accept connection, access denied"]).unless(&[
                "signature expired",
                "wrong user to action",
                "not authorized",
            ]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "dsql.action",
        title: "the token is for the other kind of database user",
        meaning: "The user admin needs a token with DbConnectAdmin, and every other user one \
            with DbConnect. The client logs in as another user than the token was issued for.",
        fix: "Issue the token for the user with which the client logs in.",
        templates: &["pgcred refresh {target} --user {user}"],
        texts: &[certain(&["wrong user to action mapping"])],
        detection: CauseDetection::Checks(&[
            "environment.password",
            "token.scope",
            "login.accepted",
        ]),
    },
    Cause {
        id: "dsql.mapping",
        title: "the database role is not linked to your IAM role",
        meaning: "A role of your own needs AWS IAM GRANT with the ARN of the IAM role or \
            user that signs. It is missing, or names another ARN.",
        fix: "Log in as admin and type the AWS IAM GRANT. The first command prints it with the \
            ARN.",
        templates: &[
            "pgcred policy {target} --user {user} --format sql",
            "SELECT * FROM sys.iam_pg_role_mappings;",
            "AWS IAM GRANT {user.sql} TO 'arn:aws:iam::ACCOUNT:role/{role}';",
        ],
        texts: &[
            possible(&["unable to accept connection, access denied"]).unless(&[
                "signature expired",
                "wrong user to action",
                "hint",
            ]),
        ],
        detection: CauseDetection::None("only a session of the user admin can read the mappings"),
    },
    Cause {
        id: "dsql.role",
        title: "the database role does not exist, or may not log in",
        meaning: "The cluster has no role of this name, or it was made without LOGIN. Names \
            count with capital letters where they were quoted.",
        fix: "Log in as admin and make the role; then link it to an IAM role. The first command \
            prints the SQL with the ARN.",
        templates: &[
            "pgcred policy {target} --user {user} --format sql",
            "CREATE ROLE {user.sql} WITH LOGIN;",
            "AWS IAM GRANT {user.sql} TO 'arn:aws:iam::ACCOUNT:role/{role}';",
        ],
        texts: &[
            certain(&["role \"", "\" does not exist"]),
            certain(&["must have the login attribute"]),
            certain(&["is not permitted to log in"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "dsql.rbp",
        title: "the policy of the cluster does not let you in from here",
        meaning: "A resource policy denies logins from outside a VPC or a range of \
            addresses. Inside, the same login works.",
        fix: "Connect from that network, through its VPN, or let the owner change the \
            policy of the cluster.",
        templates: &["aws dsql get-cluster-policy --identifier CLUSTER-ID --region {region}"],
        texts: &[
            certain(&["explicit deny in a resource-based policy"]),
            certain(&["because no resource-based policy allows"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "dsql.state",
        title: "the cluster is not ready",
        meaning: "It wakes up after a pause, or is being created, changed or deleted.",
        fix: "Connect again after a minute. If that does not help, look at its state.",
        templates: &[
            "aws dsql get-cluster --identifier CLUSTER-ID --region {region} --query \
                status",
        ],
        texts: &[
            certain(&["waking up cluster"]),
            certain(&["unable to accept connection", "please retry later"]),
        ],
        detection: CauseDetection::Checks(&["server.state", "login.accepted"]),
    },
    Cause {
        id: "dsql.kms",
        title: "the cluster cannot use its encryption key",
        meaning: "The KMS key is disabled, is to be deleted, or its policy does not let \
            Aurora DSQL use it. The cluster stays closed until then.",
        fix: "Enable the key, or correct its policy.",
        templates: &[
            "aws dsql get-cluster --identifier CLUSTER-ID --region {region} --query \
                encryptionDetails",
            "aws kms describe-key --key-id KEY-ID",
        ],
        texts: &[
            certain(&["kms_key_inaccessible"]),
            certain(&["kms", "key", "is disabled"]),
        ],
        detection: CauseDetection::Checks(&["server.state"]),
    },
    Cause {
        id: "dsql.limits",
        title: "the cluster takes no more connections at this moment",
        meaning: "A cluster has 10,000 connections, and takes 100 new ones in a second.",
        fix: "Wait and connect again; close what is idle, and let pools open connections \
            more slowly.",
        templates: &[],
        texts: &[
            certain(&["unable to accept connection", "too many open connections"]),
            certain(&["too many open connections."]).unless(&["socket"]),
            certain(&["unable to accept connection", "rate exceeded"]),
        ],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
    Cause {
        id: "dsql.param",
        title: "the client sets a parameter that Aurora DSQL does not have",
        meaning: "The login itself has worked. The client then sends SET for a parameter \
            that is not on the list of Aurora DSQL, and gives up at the answer; pgAdmin does.",
        fix: "Use a client that does not do that, such as psql, DBeaver or DataGrip, or \
            switch the setting off in the client.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[certain(&[
            "setting configuration parameter",
            "not supported",
        ])],
        detection: CauseDetection::Checks(&["environment.options"]),
    },
    Cause {
        id: "dsql.sql",
        title: "the client sends SQL that Aurora DSQL does not have",
        meaning: "The login has worked. A tool or library then uses savepoints, LISTEN, \
            cursors, locks or functions that Aurora DSQL refuses.",
        fix: "Look for the setting that makes the tool do without, or for its own \
            support of Aurora DSQL. SQLAlchemy on psycopg 3 needs \
            `use_native_hstore=False`, a pool of asyncpg a `reset` that sends RESET ALL alone.",
        templates: &["pgcred exec {target} -- psql"],
        texts: &[
            certain(&["unsupported statement:"]),
            certain(&["unsupported transaction statement"]),
            certain(&["unsupported isolation level"]),
            certain(&["multiple ddl statements not supported"]),
            certain(&["ddl and dml are not supported in the same transaction"]),
            certain(&["function", "not supported"]).unless(&["setting", "authentication"]),
            certain(&["does not exist", "pg_advisory"]),
        ],
        detection: CauseDetection::None("the login has worked, and the client speaks later"),
    },
    Cause {
        id: "dsql.occ",
        title: "two transactions changed the same rows",
        meaning: "This is no fault of the login: Aurora DSQL ends one of two transactions \
            that clash, and expects the program to repeat it.",
        fix: "Repeat the transaction.",
        templates: &[],
        texts: &[
            certain(&["(oc000)"]),
            certain(&["(oc001)"]),
            certain(&["change conflicts with another transaction"]),
        ],
        detection: CauseDetection::None("the login has worked, and this comes later"),
    },
    Cause {
        id: "dsql.database",
        title: "the cluster has no database of that name",
        meaning: "Aurora DSQL has one database, postgres. A client that names none asks for \
            one with the user's name.",
        fix: "Use postgres as the database.",
        templates: &["psql \"service={target} dbname=postgres\""],
        texts: &[likely(&["database \"", "\" does not exist", ".on.aws"])],
        detection: CauseDetection::Checks(&["login.accepted"]),
    },
];
