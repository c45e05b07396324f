//! Reads ARNs, which are AWS's whole names of things, and makes them for policies. It is pure.
//!
//! ```text
//! arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
//! ```

/// The parts of an ARN that pgcred looks at.
pub(in crate::aws) struct Arn<'a> {
    pub(in crate::aws) partition: &'a str,
    pub(in crate::aws) service: &'a str,
    pub(in crate::aws) region: &'a str,
    pub(in crate::aws) account: &'a str,
    pub(in crate::aws) resource: &'a str,
}

/// Whose policies decide for a caller.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::aws) enum Principal<'a> {
    User,
    /// A role, by its name. The path of the role is not in the name of its session.
    Role(&'a str),
    /// Root, who may do all, and federated users, whose policies AWS does not simulate.
    Other,
}

/// Tells whether a text has the form of an account's number.
pub(in crate::aws) fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl<'a> Arn<'a> {
    pub(in crate::aws) fn parse(text: &'a str) -> Option<Self> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account, resource] = parts[..] else {
            return None;
        };
        Some(Self {
            partition,
            service,
            region,
            account,
            resource,
        })
    }

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
        for text in ["", "arn", "arn:aws:iam::123456789012", "arm:a:b:c:d:e"] {
            assert!(Arn::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn names_for_policies_are_made() {
        let db = Arn::parse("arn:aws-cn:rds:cn-north-1:123456789012:db:a:b").unwrap();
        assert_eq!(db.resource, "db:a:b");
        assert_eq!(
            db.dbuser("db-ABC", "app"),
            "arn:aws-cn:rds-db:cn-north-1:123456789012:dbuser:db-ABC/app"
        );
        assert_eq!(db.role("dba"), "arn:aws-cn:iam::123456789012:role/dba");
    }
}
