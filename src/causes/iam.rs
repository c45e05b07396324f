//! Lists the causes that lie in IAM: policies that do not allow the login.
//!
//! There are rows of the table here, and nothing else. What a server answers rarely tells a missing
//! policy from a wrong token, so that `pgcred doctor --aws` asks AWS itself.

use super::text::{certain, possible};
use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "iam.dsql",
        title: "your policies do not allow the login to this cluster",
        meaning: "AWS knows who you are, and no policy of yours allows the action that the \
            message names: dsql:DbConnectAdmin for the user admin, dsql:DbConnect for all \
            others.",
        fix: "Let the administrator allow this action on \
            arn:aws:dsql:REGION:ACCOUNT:cluster/CLUSTER-ID for the principal that the message \
            names. The first command prints the policy.",
        templates: &[
            "pgcred policy {target} --user {user}",
            "aws sts get-caller-identity --profile {profile}",
            "aws iam simulate-principal-policy --policy-source-arn ROLE-ARN \
                --action-names dsql:DbConnect dsql:DbConnectAdmin --resource-arns CLUSTER-ARN",
        ],
        texts: &[
            certain(&["is not authorized to perform: dsql:dbconnect"]).unless(&[
                "explicit deny",
                "boundary",
                "session policy",
                "resource-based policy",
            ]),
            certain(&["is not authorized to access this resource"]),
            certain(&["not authorized to perform", "dsql:dbconnect"]).unless(&[
                "explicit deny",
                "boundary",
                "session policy",
                "resource-based policy",
            ]),
        ],
        detection: CauseDetection::Checks(&["iam.policy", "login.accepted"]),
    },
    Cause {
        id: "iam.deny",
        title: "a policy forbids the login in so many words",
        meaning: "An explicit deny wins over every permission. It stands in a policy of the \
            organisation (SCP), of the resource, or of your role; the message says which.",
        fix: "Only the owner of that policy can change it. Ask for an exception, or \
            connect as it demands: from the VPC, with MFA, in another region.",
        templates: &[],
        texts: &[
            certain(&["with an explicit deny"]).unless(&["resource-based policy"]),
            certain(&["explicit deny in a"]).unless(&["resource-based policy"]),
        ],
        detection: CauseDetection::Checks(&["iam.policy", "login.accepted"]),
    },
    Cause {
        id: "iam.boundary",
        title: "a permissions boundary or a session policy does not allow the login",
        meaning: "Your policy allows it, but the boundary of the role, or the policy with \
            which the session was made, lets less through.",
        fix: "Let the administrator add the action to the boundary or to the session's \
            policy.",
        templates: &["aws iam get-role --role-name {role} --query Role.PermissionsBoundary"],
        texts: &[
            certain(&["no permissions boundary allows"]),
            certain(&["no session policy allows"]),
        ],
        detection: CauseDetection::Checks(&["iam.policy", "login.accepted"]),
    },
    Cause {
        id: "iam.rds.resource",
        title: "your policies do not allow rds-db:connect for this user",
        meaning: "The permission needs the resource ID of the database, not its name: db-... \
            for an instance, cluster-... for a cluster, prx-... for a proxy, and then the user. \
            A wrong account, region or user also makes it fail.",
        fix: "Let the administrator allow rds-db:connect on \
            arn:aws:rds-db:REGION:ACCOUNT:dbuser:RESOURCE-ID/{user}. The first command \
            prints the policy with the resource ID, which the others show.",
        templates: &[
            "pgcred policy {target} --user {user}",
            "aws rds describe-db-clusters --query \
                'DBClusters[].[DBClusterIdentifier,DbClusterResourceId]'",
            "aws rds describe-db-instances --query \
                'DBInstances[].[DBInstanceIdentifier,DbiResourceId]'",
        ],
        texts: &[
            certain(&["pam_authenticate failed: permission denied"]),
            certain(&["not authorized to perform", "rds-db:connect"]),
            certain(&["not authorized to perform: rds-db:connect"]),
            possible(&["pam authentication failed"]),
        ],
        detection: CauseDetection::Checks(&["iam.policy"]),
    },
    Cause {
        id: "rds.condition",
        title: "the policy has a condition that rds-db:connect does not know",
        meaning: "aws:SourceIp, aws:SourceVpc, aws:SourceVpce, aws:VpcSourceIp, \
            aws:UserAgent and aws:Referer are not there when RDS asks, so the permission never \
            applies.",
        fix: "Remove these conditions from the statement for rds-db:connect, and limit \
            the network with security groups.",
        templates: &["aws iam get-role-policy --role-name {role} --policy-name POLICY"],
        texts: &[],
        detection: CauseDetection::Checks(&["iam.policy"]),
    },
    Cause {
        id: "iam.role.path",
        title: "the ARN of the role lacks its path",
        meaning: "AWS IAM GRANT needs the whole ARN. That of an SSO role has a path, \
            role/aws-reserved/sso.amazonaws.com/..., which the ARN of the session does not show.",
        fix: "Read the ARN of the role itself, and use that.",
        templates: &[
            "aws iam get-role --role-name {role} --query Role.Arn --output text",
            "pgcred policy {target} --user {user} --format sql",
        ],
        texts: &[certain(&["iam role", "does not exist"])],
        detection: CauseDetection::None("it is what SQL answers, and doctor sends none"),
    },
];
