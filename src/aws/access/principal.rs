//! Tells who signs, as the database has to know it: the ARN of a role with its path, or of a user.
//!
//! The ARN of a session, which AWS gives as the caller, does not have the path of its role. IAM
//! knows it; where the caller may not ask IAM, a role of SSO, which always has a path, stays open.

use super::PolicySubject;
use crate::authority::{AccessPolicy, CallerIdentity, InspectionResult, NoAnswerReason};
use crate::aws::api::Principal;
use crate::error::{Error, Result};
use crate::text::arn::{Arn, is_account};
use crate::text::{backquoted, quote};

/// The placeholder for it.
const ROLE_ARN: &str = "ROLE_ARN";

/// How the names of the roles begin that SSO makes. They have a path.
const SSO_ROLE_PREFIX: &str = "AWSReservedSSO_";

/// Says where a role of SSO gets its policies.
pub(super) fn note_sso(arn: &str, access: &mut AccessPolicy) {
    if arn
        .rsplit('/')
        .next()
        .is_some_and(|name| name.starts_with(SSO_ROLE_PREFIX))
    {
        access.notes.push(
            "The role is one of SSO. It gets the policy through its permission set, in IAM \
             Identity Center."
                .to_owned(),
        );
    }
}

/// Reads an ARN that the user has typed. `partition` is that of the database.
pub(super) fn parse_typed_arn(text: &str, partition: &str) -> Result<String> {
    let invalid_arn = |problem: &str| Error::usage(format!("{} {problem}", backquoted(text)));
    let Some(arn) = Arn::parse(text) else {
        return Err(
            invalid_arn("is not an ARN").hint("write it like arn:aws:iam::ACCOUNT:role/NAME")
        );
    };
    if let Principal::Role(name) = arn.principal() {
        let command = get_role_command(name, "");
        return Err(invalid_arn("is the ARN of a session, not of its role")
            .hint(format!("run `{command}` to see the ARN of the role")));
    }
    let (kind, name) = arn.resource.split_once('/').unwrap_or_default();
    let is_known = arn.service == "iam" && arn.region.is_empty() && is_account(arn.account);
    if !is_known || !matches!(kind, "role" | "user") || !is_name(name) {
        return Err(
            invalid_arn("is not the ARN of an IAM role or user").hint(format!(
                "write it like arn:{partition}:iam::ACCOUNT:role/NAME"
            )),
        );
    }
    if arn.partition != partition {
        let arn_partition = arn.partition;
        return Err(invalid_arn(&format!(
            "is of the partition {arn_partition}, and the database of {partition}"
        ))
        .hint("name a role of the database's partition"));
    }
    Ok(text.to_owned())
}

/// Tells whether a text is a name of IAM with its path.
fn is_name(text: &str) -> bool {
    let (path, name) = text.rsplit_once('/').unwrap_or(("", text));
    let is_name_char = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    // IAM takes quotes in a path, and SQL doubles them.
    (1..=64).contains(&name.len())
        && name.chars().all(is_name_char)
        && path.len() <= 512
        && path.chars().all(|c| c.is_ascii_graphic())
}

/// Returns who signs. `caller` is whose credentials the profile leads to; `None` if AWS is not to
/// be asked.
pub(super) fn arn_of_caller(
    subject: &PolicySubject<'_>,
    caller: Option<&InspectionResult<CallerIdentity>>,
    access: &mut AccessPolicy,
) -> String {
    let caller = match caller {
        Some(Ok(caller)) => caller,
        Some(Err(no_answer)) => {
            access.add_failure(no_answer.error.clone());
            return unknown_principal(access, subject);
        }
        None => return unknown_principal(access, subject),
    };
    let Some(arn) = Arn::parse(&caller.name) else {
        return unknown_principal(access, subject);
    };
    match arn.principal() {
        Principal::User if parse_typed_arn(&caller.name, subject.partition).is_ok() => {
            caller.name.clone()
        }
        Principal::Role(name) if is_name(name) => arn_of_role(subject, &arn, name, access),
        _ => {
            let error = Error::failure(
                "the credentials are not those of an IAM role or user, and only these can be \
                 linked to a database role",
            );
            access.add_failure(error.hint("name the one that signs with --role ARN"));
            unknown_principal(access, subject)
        }
    }
}

fn arn_of_role(
    subject: &PolicySubject<'_>,
    arn: &Arn<'_>,
    name: &str,
    access: &mut AccessPolicy,
) -> String {
    match subject.inspector.role_arn(name, subject.region.as_ref()) {
        Ok(role) => {
            let account = Arn::parse(&role).map_or("", |role| role.account);
            let is_this = role.rsplit('/').next() == Some(name) && account == arn.account;
            if is_this && parse_typed_arn(&role, subject.partition).is_ok() {
                return role;
            }
            let answer = backquoted(&role);
            let error = Error::failure(format!(
                "IAM answered GetRole for the role {name} with {answer}, which is another role"
            ));
            access.add_failure(error.hint("name the one that signs with --role ARN"));
        }
        Err(no_answer)
            if no_answer.reason == NoAnswerReason::NotAllowed
                && !name.starts_with(SSO_ROLE_PREFIX) =>
        {
            let role = arn.role(name);
            if parse_typed_arn(&role, subject.partition).is_ok() {
                access.notes.push(format!(
                    "You may not ask IAM for the role {name}. If the role has a path, its ARN is \
                     another one: name it with --role."
                ));
                return role;
            }
        }
        Err(no_answer) => access.add_failure(no_answer.error),
    }
    unknown_role_arn(access, name, subject)
}

/// Leaves open who signs, where not even the name of the role is known.
fn unknown_principal(access: &mut AccessPolicy, subject: &PolicySubject<'_>) -> String {
    let profile = subject.profile_option();
    access.notes.push(format!(
        "ROLE is the name after assumed-role/ in what this prints: aws sts get-caller-identity \
         --query Arn --output text{profile}. That ARN is the one of a session: the database does \
         not take it. The ARN of a user is taken."
    ));
    unknown_role_arn(access, "ROLE", subject)
}

fn unknown_role_arn(access: &mut AccessPolicy, role: &str, subject: &PolicySubject<'_>) -> String {
    access.add_placeholder(ROLE_ARN, get_role_command(role, &subject.profile_option()))
}

fn get_role_command(name: &str, profile: &str) -> String {
    let name = quote::typed(name);
    format!("aws iam get-role --role-name {name} --query Role.Arn --output text{profile}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arns_of_roles_and_users_are_taken_as_they_are() {
        for text in [
            "arn:aws:iam::123456789012:role/dba",
            "arn:aws:iam::123456789012:user/team/jane@example.com",
            "arn:aws:iam::123456789012:role/aws-reserved/sso.amazonaws.com/eu-west-1/\
             AWSReservedSSO_DBA_0123456789abcdef",
            "arn:aws:iam::123456789012:role/o'brien/dba",
        ] {
            assert_eq!(parse_typed_arn(text, "aws").unwrap(), text);
        }
    }

    #[test]
    fn every_other_text_is_refused_with_what_to_type() {
        for (text, says) in [
            ("dba", "is not an ARN"),
            ("", "is not an ARN"),
            (
                "arn:aws:sts::123456789012:assumed-role/dba/jane",
                "of a session",
            ),
            ("arn:aws:iam::123456789012:root", "of an IAM role or user"),
            (
                "arn:aws:iam::12345678901:role/dba",
                "of an IAM role or user",
            ),
            ("arn:aws:iam::123456789012:role/", "of an IAM role or user"),
            (
                "arn:aws:iam::123456789012:role/a b",
                "of an IAM role or user",
            ),
            (
                "arn:aws:iam::123456789012:role/a\nb/c",
                "of an IAM role or user",
            ),
            (
                "arn:aws:iam::123456789012:role/a'; drop--",
                "of an IAM role or user",
            ),
            (
                "arn:aws:iam::123456789012:group/dba",
                "of an IAM role or user",
            ),
            (
                "arn:aws-cn:iam::123456789012:role/dba",
                "of the partition aws-cn",
            ),
        ] {
            let error = parse_typed_arn(text, "aws").unwrap_err();
            assert!(error.to_string().contains(says), "{text}: {error}");
            assert!(error.hint_text().is_some(), "{text}");
        }
        let session = parse_typed_arn("arn:aws:sts::123456789012:assumed-role/dba/jane", "aws");
        let hint = session.unwrap_err().hint_text().unwrap().to_owned();
        assert!(
            hint.contains("aws iam get-role --role-name dba --query Role.Arn"),
            "{hint}"
        );
    }
}
