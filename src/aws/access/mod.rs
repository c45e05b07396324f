//! Makes the policies that allow a login, or pgcred's own questions: actions, ARNs, and the
//! commands that find what is not known.
//!
//! ```text
//! access ----> dsql       the ARNs of a cluster: of its regions, if it has several
//!   |    |---> rds        the resource ID of what a host belongs to, and its switch for tokens
//!   |    |---> switch     what to type so that a server of RDS takes tokens
//!   |    |---> questions  the policies for `pgcred discover` and `pgcred doctor --aws`
//!   |    '---> principal  the ARN of who signs
//!   v
//! document                the policy as text
//! ```
//!
//! AWS is asked through the inspector of `api`, with the credentials of the profile; nobody is
//! asked for a login. What AWS says goes into a policy only if it has the form that AWS documents.
//! What is not known is a placeholder.

mod document;
mod dsql;
mod principal;
mod questions;
mod rds;
mod switch;

use std::time::Instant;

use super::api::AwsInspector;
use super::known_service::KnownService;
use super::partition;
use super::planned_profile::PlannedProfile;
use super::settings::SharedFiles;
use crate::authority::{
    AccessGoal, AccessPolicy, AccessQuery, AskPolicy, CallerIdentity, InspectionResult, Inspector,
    Region, TokenScope,
};
use crate::error::{Error, Result};
use crate::text::arn::is_account;
use crate::text::{backquoted, quote};
use document::PolicyStatement;
pub(super) use switch::switch_of_database as how_to_take_tokens;

/// What a policy is about, and who can be asked.
struct PolicySubject<'a> {
    account: Option<&'a str>,
    profile: Option<&'a str>,
    region: Option<Region>,
    partition: &'static str,
    inspector: AwsInspector,
}

/// Returns the policy for a goal; `None` for a login to a service whose policies are not known.
pub(super) fn access_policy(
    query: &AccessQuery<'_>,
    ask_policy: &AskPolicy,
    deadline: Instant,
) -> Result<Option<AccessPolicy>> {
    let region = region_of(query);
    let partition = partition::partition_of(region.as_ref().map_or("", Region::as_str)).name;
    let subject = PolicySubject {
        account: checked_account(query.account)?,
        profile: query.profile,
        region,
        partition,
        inspector: AwsInspector::new(query.profile, ask_policy, deadline),
    };
    let typed_arn = match query.principal {
        Some(text) => Some(principal::parse_typed_arn(text, partition)?),
        None => None,
    };
    let mut access = AccessPolicy::default();
    let statements = match query.goal {
        AccessGoal::ServerLogin(scope) => {
            match subject.server_login_statement(scope, &mut access) {
                Some(statement) => vec![statement],
                None => return Ok(None),
            }
        }
        AccessGoal::Listing => questions::statements_of_discover(&subject, &mut access),
        AccessGoal::Inspection => questions::statements_of_doctor(&subject, &mut access),
    };
    access.document = document::policy_text(&statements);
    access.principal = match typed_arn {
        Some(arn) => Some(arn),
        None if query.needs_principal => Some(subject.principal(&mut access)),
        None => None,
    };
    if let Some(arn) = access.principal.clone() {
        principal::note_sso(&arn, &mut access);
    }
    access.notes.push(
        "A policy that allows everything (*), as administrators have it, allows this too: then \
         nothing has to be added."
            .to_owned(),
    );
    Ok(Some(access))
}

/// Returns the region of the request, else that of the settings.
fn region_of(query: &AccessQuery<'_>) -> Option<Region> {
    if let Some(region) = query.region {
        return Some(region.clone());
    }
    let planned_profile = PlannedProfile::read(query.profile, &SharedFiles::default());
    super::region::parse(&planned_profile.region()?).ok()
}

fn checked_account(account: Option<&str>) -> Result<Option<&str>> {
    match account {
        Some(text) if !is_account(text) => {
            let message = format!("{} is not an account of AWS", backquoted(text));
            Err(Error::usage(message).hint("write its 12 digits, as in --account 123456789012"))
        }
        account => Ok(account),
    }
}

impl PolicySubject<'_> {
    fn server_login_statement(
        &self,
        scope: &TokenScope<'_>,
        access: &mut AccessPolicy,
    ) -> Option<PolicyStatement> {
        let resources = match KnownService::from_scope(scope)? {
            KnownService::Dsql => dsql::policy_resources(self, scope, access),
            KnownService::Rds => vec![rds::policy_resource(self, scope, access)],
        };
        let action = format!("{}:{}", scope.service, scope.action);
        Some(PolicyStatement::new(&[&action], resources))
    }

    fn caller(&self) -> InspectionResult<CallerIdentity> {
        self.inspector.caller(self.region.as_ref())
    }

    /// Returns the ARN of who signs. With `--account` the user has said that AWS is not asked.
    fn principal(&self, access: &mut AccessPolicy) -> String {
        match self.account {
            Some(_) => principal::arn_of_caller(self, None, access),
            None => principal::arn_of_caller(self, Some(&self.caller()), access),
        }
    }

    /// Returns the account that the user has named, else that of the credentials.
    fn account(&self, access: &mut AccessPolicy) -> String {
        if let Some(account) = self.account {
            return account.to_owned();
        }
        match self.caller() {
            Ok(caller) if is_account(&caller.account) => caller.account,
            Ok(_) => self.no_account(access),
            Err(no_answer) => {
                access.add_failure(no_answer.error);
                self.no_account(access)
            }
        }
    }

    fn no_account(&self, access: &mut AccessPolicy) -> String {
        let profile = self.profile_option();
        let command = format!("aws sts get-caller-identity --query Account --output text{profile}");
        access.add_placeholder("ACCOUNT_ID", command)
    }

    /// Returns the region for an ARN.
    fn region(&self, access: &mut AccessPolicy) -> String {
        match &self.region {
            Some(region) => region.as_str().to_owned(),
            None => access.add_placeholder("REGION", String::new()),
        }
    }

    /// Returns the options of the AWS CLI that name region and profile.
    fn options(&self) -> String {
        let region = match &self.region {
            Some(region) => format!(" --region {}", quote::typed(region.as_str())),
            None => String::new(),
        };
        region + &self.profile_option()
    }

    fn profile_option(&self) -> String {
        match self.profile {
            Some(profile) => format!(" --profile {}", quote::typed(profile)),
            None => String::new(),
        }
    }
}
