//! Splits ARNs, which are AWS's whole names of things, into their fields.
//!
//! ```text
//! arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE
//! ```
//!
//! It stands among the texts, because messages are made safe and reports are made anonymous where
//! nothing else of AWS is known.

/// How many digits the number of an account of AWS has.
pub(crate) const ACCOUNT_DIGITS: usize = 12;

/// The fields of an ARN. Any of them may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Arn<'a> {
    pub(crate) partition: &'a str,
    pub(crate) service: &'a str,
    pub(crate) region: &'a str,
    pub(crate) account: &'a str,
    /// All the rest, also if it has colons.
    pub(crate) resource: &'a str,
}

impl<'a> Arn<'a> {
    /// How many fields an ARN has, with `arn` itself.
    pub(crate) const FIELDS: usize = 6;

    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let fields: Vec<&str> = text.splitn(Self::FIELDS, ':').collect();
        let ["arn", partition, service, region, account, resource] = fields[..] else {
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
}

/// Tells whether a text has the form of an account's number.
pub(crate) fn is_account(text: &str) -> bool {
    text.len() == ACCOUNT_DIGITS && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_is_split_into_its_fields() {
        let arn = Arn {
            partition: "aws-cn",
            service: "rds",
            region: "cn-north-1",
            account: "123456789012",
            resource: "db:a:b/c",
        };
        let text = "arn:aws-cn:rds:cn-north-1:123456789012:db:a:b/c";
        assert_eq!(Arn::parse(text), Some(arn));
        assert_eq!(Arn::parse("arn:::::").unwrap().resource, "");
        for text in ["", "arn", "arn:aws:iam::123456789012", "arm:a:b:c:d:e"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn accounts_are_told_from_other_texts() {
        assert!(is_account("123456789012"));
        for text in ["", "12345678901", "1234567890123", "12345678901x", "aws"] {
            assert!(!is_account(text), "{text}");
        }
    }
}
