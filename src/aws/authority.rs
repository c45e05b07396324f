//! Implements the seam for AWS: the authority that a provider names for its tokens.
//!
//! Each method is a few lines that lead to the module that does the work. It has no state: what a
//! run has read belongs to [`AwsIdentities`], and what doctor asks to the inspector of `api`.

use std::path::PathBuf;
use std::time::Instant;

use super::access;
use super::api::{AwsCatalog, AwsInspector};
use super::blocking::BlockingResolver;
use super::causes;
use super::environment;
use super::identity::AwsIdentities;
use super::known_regions::KNOWN_REGIONS;
use super::known_service::KnownService;
use super::login;
use super::partition;
use super::planned_profile::PlannedProfile;
use super::profile::files::{PRIVATE_SETTINGS, profile_names};
use super::region;
use super::settings::SharedFiles;
use super::{setting_files, sigv4, token_parts};
use crate::authority::{
    AccessPolicy, AccessQuery, AskPolicy, Authority, DatabaseCatalog, FoundDatabase, Identities,
    Inspector, Lister, NoAnswerReason, NoTokensWording, OptionHelp, Region, Regions,
    ServerLoginObstacle, ShellSettings, TokenPart, TokenReading,
};
use crate::error::{Error, Result};
use crate::text::suggest;
use crate::time::Time;

/// The authority of every provider of AWS: whatever services a profile signs for, its credentials
/// are resolved once.
pub(crate) static AUTHORITY: AwsAuthority = AwsAuthority;

pub(crate) struct AwsAuthority;

impl Authority for AwsAuthority {
    fn name(&self) -> &'static str {
        "aws"
    }

    fn title(&self) -> &'static str {
        login::TITLE
    }

    fn option_help(&self) -> OptionHelp {
        OptionHelp {
            profile: "AWS profile; takes precedence over AWS_* keys in the environment",
            first_profile: "`aws configure sso` makes a profile, `aws configure` one with a key; \
                            then type `pgcred setup` again",
            login_profile: "AWS profile [default: `AWS_PROFILE`, else default]",
            log_in: " for a profile of SSO or `aws login`",
            region: "AWS region [default: from the host, else as AWS configures it]",
            account: "AWS account of the database: 12 digits [default: AWS is asked]",
            principal: "ARN of the IAM role or user that signs the tokens [default: AWS is asked]",
        }
    }

    fn identities(&self) -> Box<dyn Identities> {
        Box::new(AwsIdentities::default())
    }

    fn regions(&self) -> Option<&dyn Regions> {
        Some(self)
    }

    fn owns(&self, host: &str) -> bool {
        partition::is_host_of_aws(host)
    }

    fn profile_names(&self) -> Result<Vec<String>> {
        profile_names()
    }

    /// Warns about a profile that the AWS files do not have yet.
    fn profile_warning(&self, profile: &str) -> Option<String> {
        let profiles = profile_names().ok()?;
        if profiles.iter().any(|name| name == profile) {
            return None;
        }
        let names = profiles.iter().map(String::as_str);
        let nearest = match suggest::nearest_word(profile, names) {
            Some(nearest) => format!("; did you mean `{nearest}`?"),
            None => String::new(),
        };
        Some(format!("there is no AWS profile `{profile}` yet{nearest}"))
    }

    fn variables(&self) -> Vec<&'static str> {
        let rows = environment::VARIABLES.iter();
        rows.map(|variable| variable.name).collect()
    }

    fn setting_files(&self) -> Vec<PathBuf> {
        setting_files()
    }

    fn private_settings(&self) -> &'static [&'static str] {
        &PRIVATE_SETTINGS
    }

    fn shell_settings(&self) -> ShellSettings {
        environment::shell_settings()
    }

    fn signing_time(&self, token: &str) -> Option<Time> {
        sigv4::signing_time(token)
    }

    fn read_token(&self, text: &str) -> TokenReading {
        match token_parts::parse_token(text) {
            Some(parts) => TokenReading::Parts(Box::new(parts)),
            None => TokenReading::NotAToken,
        }
    }

    fn cause_of_difference(&self, part: TokenPart, service: &str) -> Option<&'static str> {
        causes::cause_of_difference(part, KnownService::from_name(service))
    }

    fn cause_of(&self, error: &Error) -> Option<&'static str> {
        Some(causes::cause_of(error))
    }

    fn cause_of_obstacle(
        &self,
        obstacle: ServerLoginObstacle,
        service: &str,
    ) -> Option<&'static str> {
        causes::cause_of_obstacle(obstacle, KnownService::from_name(service))
    }

    fn cause_of_no_answer(&self, reason: NoAnswerReason) -> Option<&'static str> {
        Some(causes::cause_of_no_answer(reason))
    }

    fn cause_of_server_message(&self, message: &str, service: &str) -> Option<&'static str> {
        causes::cause_of_message(message, KnownService::from_name(service))
    }

    fn download(
        &self,
        address: &str,
        profile: Option<&str>,
        ask_policy: &AskPolicy,
    ) -> Result<String> {
        let planned_profile = PlannedProfile::read(profile, &SharedFiles::default());
        let resolver = BlockingResolver {
            planned_profile: &planned_profile,
            ask_policy,
            deadline: Instant::now() + ask_policy.timeout,
        };
        resolver.download(address)
    }

    fn inspector(
        &self,
        profile: Option<&str>,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Option<Box<dyn Inspector>> {
        Some(Box::new(AwsInspector::new(profile, ask_policy, deadline)))
    }

    fn access(
        &self,
        query: &AccessQuery<'_>,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Result<Option<AccessPolicy>> {
        access::access_policy(query, ask_policy, deadline)
    }

    fn lister(&self) -> Option<&dyn Lister> {
        Some(self)
    }
}

impl Regions for AwsAuthority {
    fn parse(&self, text: &str) -> Result<Region> {
        region::parse(text)
    }

    fn known_regions(&self) -> &'static [&'static str] {
        KNOWN_REGIONS
    }

    fn warning(&self, region: &Region) -> Option<String> {
        region::warning_about_region(region.as_str())
    }

    fn cause_of_missing_region(&self) -> Option<&'static str> {
        Some(causes::NO_REGION)
    }
}

impl Lister for AwsAuthority {
    fn catalog(
        &self,
        profile: Option<&str>,
        ask_policy: &AskPolicy,
        deadline: Instant,
    ) -> Box<dyn DatabaseCatalog> {
        Box::new(AwsCatalog::new(profile, ask_policy, deadline))
    }

    fn no_tokens(&self) -> NoTokensWording {
        NoTokensWording {
            in_table: "no IAM",
            in_sentence: "IAM authentication is not enabled",
        }
    }

    fn how_to_take_tokens(
        &self,
        database: &FoundDatabase,
        profile: Option<&str>,
    ) -> Option<String> {
        access::how_to_take_tokens(database, profile)
    }
}
