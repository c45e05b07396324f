//! Tells the plan as values, for `pgcred doctor`: the source, the keys in variables, and the login
//! that the credentials rest on, by the files that it has left. It asks nothing.

use super::cli_cache::role::read_role_credentials;
use super::credentials::Credentials;
use super::explanation;
use super::login::missing::MissingLogin;
use super::plan::{CredentialPlan, PlannedSource};
use super::planned_profile::PlannedProfile;
use super::settings::{AwsSettings, SettingOrigin};
use crate::authority::{LoginState, SignerSummary, VariableKeys};
use crate::error::Result;
use crate::time::Time;

/// Returns what is known of the credentials before anybody is asked.
pub(super) fn signer_summary(planned_profile: &PlannedProfile) -> SignerSummary {
    let settings = &planned_profile.settings;
    let plan = planned_profile.credential_plan();
    let profile_variable = match settings.origin_of_profile() {
        SettingOrigin::Variable(variable) => Some(variable),
        _ => None,
    };
    let mut region = None;
    if let Some((name, origin)) = settings.region_with_origin() {
        region = Some((name, settings.describe_origin(origin)));
    }
    let mut answer = SignerSummary {
        source: source_in_one_line(settings, &plan),
        profile: Some(settings.profile_name().to_owned()),
        profile_variable,
        region,
        variable_keys: variable_keys(settings, plan.as_ref().ok()),
        login: LoginState::NotNeeded,
        private_names: Vec::new(),
    };
    let Ok(plan) = plan else {
        return answer;
    };
    if plan.keys_in_environment().is_some() {
        answer.profile = None; // the variables alone decide
    }
    answer.login = login_state(plan);
    answer.private_names = private_names_of_plan(plan);
    answer
}

/// Returns the source and the roles in one line.
fn source_in_one_line(settings: &AwsSettings, plan: &Result<&CredentialPlan>) -> Result<String> {
    let plan = match plan {
        Ok(plan) => plan,
        Err(error) => return Err(error.clone()),
    };
    if let Err(error) = &plan.source {
        return Err(error.clone());
    }
    let mut line = explanation::source_in_words(settings, plan);
    for role in plan.roles.iter().rev() {
        line = format!("{line}, then role {}", role.arn);
    }
    Ok(line)
}

fn variable_keys(settings: &AwsSettings, plan: Option<&&CredentialPlan>) -> Option<VariableKeys> {
    const VARIABLE: &str = "AWS_ACCESS_KEY_ID";
    settings.variables.get(VARIABLE)?;
    let is_set = |name| settings.variables.get(name).is_some();
    let expires_at = match settings.variables.get("AWS_CREDENTIAL_EXPIRATION") {
        Some(text) => Time::from_aws(&text),
        None => None,
    };
    let are_signing = match plan {
        Some(plan) => matches!(plan.source, Ok(PlannedSource::Environment(_))),
        None => false,
    };
    Some(VariableKeys {
        variable: VARIABLE,
        are_signing,
        are_temporary: is_set("AWS_SESSION_TOKEN") || is_set("AWS_SECURITY_TOKEN"),
        expires_at,
    })
}

/// Returns the state of the login, unless credentials of a role are cached: then nobody looks at
/// the login.
fn login_state(plan: &CredentialPlan) -> LoginState {
    for role in &plan.roles {
        if let Some(expires_at) = read_role_credentials(role)
            .as_ref()
            .and_then(Credentials::expires_at)
        {
            return LoginState::Good(expires_at);
        }
    }
    match &plan.source {
        Ok(source) => source.implementation().login_state(),
        Err(_) => LoginState::NotNeeded,
    }
}

impl From<MissingLogin> for LoginState {
    fn from(login: MissingLogin) -> Self {
        Self::Missing {
            command: login.command(),
            reason: login.reason,
        }
    }
}

/// Returns the names that identify the user, apart from those in an ARN.
fn private_names_of_plan(plan: &CredentialPlan) -> Vec<String> {
    match &plan.source {
        Ok(source) => source.implementation().private_names(),
        Err(_) => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::aws::environment::AwsVariables;
    use crate::aws::profile::files::ProfileFiles;
    use crate::aws::profile::ini;
    use crate::aws::settings::SharedFiles;
    use crate::error::ErrorReason;

    fn answer_for(
        variables: &[(&str, &str)],
        config: &str,
        profile: Option<&str>,
    ) -> SignerSummary {
        let mut given = BTreeMap::new();
        for (name, value) in variables {
            given.insert((*name).to_owned(), (*value).to_owned());
        }
        let sections = ini::parse_sections(config).unwrap_or_default();
        let files = SharedFiles::already_read(Ok(ProfileFiles::new(sections, Vec::new())));
        let settings = AwsSettings::new(AwsVariables::Given(given), files, profile);
        signer_summary(&PlannedProfile::make(settings))
    }

    const SSO: &str = "[profile dev]\nsso_session = corp-of-test\nsso_account_id = 123456789012\n\
        sso_role_name = Dba\n[sso-session corp-of-test]\nsso_region = us-west-2\n\
        sso_start_url = https://corp.example.com/start\n";
    const KEYS: [(&str, &str); 4] = [
        ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_SESSION_TOKEN", "session"),
        ("AWS_CREDENTIAL_EXPIRATION", "2026-01-01T00:00:00Z"),
    ];

    #[test]
    fn keys_in_variables_sign_unless_an_option_names_a_profile() {
        let alone = answer_for(&KEYS, SSO, None);
        assert_eq!(alone.profile, None);
        assert!(alone.source.unwrap().contains("AWS_ACCESS_KEY_ID"));
        let keys = alone.variable_keys.unwrap();
        assert!(keys.are_signing && keys.are_temporary);
        assert_eq!(keys.expires_at.unwrap().rfc3339(), "2026-01-01T00:00:00Z");

        let named = answer_for(&KEYS, SSO, Some("dev"));
        assert_eq!(named.profile.as_deref(), Some("dev"));
        assert!(!named.variable_keys.unwrap().are_signing);
        assert!(answer_for(&[], SSO, Some("dev")).variable_keys.is_none());
    }

    #[test]
    fn the_source_is_said_with_the_names_that_identify_the_user() {
        let found = answer_for(&[("AWS_PROFILE", "dev")], SSO, None);
        assert_eq!(found.profile_variable, Some("AWS_PROFILE"));
        let source = found.source.unwrap();
        for said in ["SSO session `corp-of-test`", "role Dba"] {
            assert!(source.contains(said), "{source}");
        }
        assert_eq!(
            found.private_names,
            ["Dba", "corp.example.com", "corp-of-test"]
        );
        let LoginState::Missing { reason, command } = found.login else {
            panic!("the session has no file");
        };
        assert!(
            reason.starts_with("nobody has logged in to SSO yet: "),
            "{reason}"
        );
        assert!(reason.ends_with(" holds no login"), "{reason}");
        assert_eq!(command, "pgcred login --profile dev");
    }

    #[test]
    fn a_profile_that_does_not_exist_has_a_reason_of_its_own() {
        let error = answer_for(&[], SSO, Some("dov")).source.unwrap_err();
        assert_eq!(error.reason(), Some(ErrorReason::NoProfile));
        let wrong = "[profile dev]\nrole_arn = arn:aws:iam::123456789012:role/R\n";
        let error = answer_for(&[], wrong, Some("dev")).source.unwrap_err();
        assert_eq!(error.reason(), None);
    }

    #[test]
    fn the_region_comes_with_its_place() {
        let found = answer_for(&[("AWS_REGION", "eu-west-1")], SSO, Some("dev"));
        let origin = "AWS_REGION".to_owned();
        assert_eq!(found.region, Some(("eu-west-1".to_owned(), origin)));
    }
}
