//! Says what the ARN of a caller means for policies, and makes the ARNs that stand in policies.
//! `text::arn` splits them. It is pure.

use crate::text::arn::Arn;

/// Whose policies decide for a caller.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::aws) enum Principal<'a> {
    User,
    /// A role, by its name. The path of the role is not in the name of its session.
    Role(&'a str),
    /// Root, who may do all, and federated users, whose policies AWS does not simulate.
    Other,
}

impl<'a> Arn<'a> {
    pub(in crate::aws) fn principal(&self) -> Principal<'a> {
        let parts: Vec<&str> = self.resource.split('/').collect();
        match (self.service, &parts[..]) {
            ("iam", ["user", ..]) => Principal::User,
            ("sts", ["assumed-role", name, _]) => Principal::Role(name),
            _ => Principal::Other,
        }
    }

    /// Returns the ARN of a role without a path, in the same account.
    pub(in crate::aws) fn role(&self, name: &str) -> String {
        format!("arn:{}:iam::{}:role/{name}", self.partition, self.account)
    }

    /// Returns what a policy names to allow logins as a user to a thing of RDS. This is the thing's
    /// own ARN.
    pub(in crate::aws) fn dbuser(&self, resource_id: &str, user: &str) -> String {
        let (partition, region, account) = (self.partition, self.region, self.account);
        format!("arn:{partition}:rds-db:{region}:{account}:dbuser:{resource_id}/{user}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn callers_have_principals() {
        for (text, principal) in [
            ("arn:aws:iam::123456789012:user/team/jane", Principal::User),
            (
                "arn:aws:sts::123456789012:assumed-role/dba/jane@x",
                Principal::Role("dba"),
            ),
            ("arn:aws:iam::123456789012:root", Principal::Other),
            (
                "arn:aws:sts::123456789012:federated-user/jane",
                Principal::Other,
            ),
        ] {
            assert_eq!(Arn::parse(text).unwrap().principal(), principal, "{text}");
        }
    }

    #[test]
    fn names_for_policies_are_made() {
        let db = Arn::parse("arn:aws-cn:rds:cn-north-1:123456789012:db:a:b").unwrap();
        assert_eq!(
            db.dbuser("db-ABC", "app"),
            "arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:db-ABC/app"
        );
        assert_eq!(db.role("dba"), "arn:aws-cn:iam::123456789012:role/dba");
    }
}
