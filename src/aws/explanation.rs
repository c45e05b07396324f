//! Explains the plan in words, for `--debug`: the profile, the source, the roles, the region and
//! the services that are asked, each with the place that its value came from; then the file of the
//! login. A secret is never among them.

use super::plan::CredentialPlan;
use super::planned_profile::PlannedProfile;
use super::service::endpoints;
use super::settings::{AwsSettings, ProfileNaming, SettingOrigin};
use super::source::ChosenBy;
use crate::authority::Region;
use crate::text::host;

/// Returns one line for each decision, in the order in which they are carried out. `region` is the
/// region of the request, if it names one.
pub(super) fn explanation_lines(
    planned_profile: &PlannedProfile,
    region: Option<&Region>,
) -> Vec<String> {
    let settings = &planned_profile.settings;
    let region = region_in_words(settings, region);
    let profile = format!(
        "profile `{}`: {}",
        settings.profile_name(),
        settings.describe_origin(settings.origin_of_profile())
    );
    match planned_profile.credential_plan() {
        Ok(plan) if plan.keys_in_environment().is_some() => {
            let source = source_in_words(settings, plan);
            vec![format!("credentials source: {source}"), region]
        }
        Ok(plan) => {
            let mut lines = vec![profile];
            lines.extend(lines_of_plan(settings, plan));
            lines.push(region);
            lines.extend(lines_of_services(settings, plan));
            if let Ok(source) = &plan.source {
                lines.extend(source.implementation().login_in_words());
            }
            lines
        }
        Err(error) => {
            let source = format!("credentials source: unusable: {error}");
            vec![profile, source, region]
        }
    }
}

fn lines_of_plan(settings: &AwsSettings, plan: &CredentialPlan) -> Vec<String> {
    let mut lines = vec![format!(
        "credentials source: {}",
        source_in_words(settings, plan)
    )];
    for role in plan.roles.iter().rev() {
        lines.push(format!(
            "role {} ({}, profile `{}`)",
            role.arn,
            settings.describe_origin(SettingOrigin::Profile(&role.profile, "role_arn")),
            role.profile
        ));
    }
    lines
}

fn lines_of_services(settings: &AwsSettings, plan: &CredentialPlan) -> Vec<String> {
    let mut lines = Vec::new();
    for service in endpoints::services_of_credentials() {
        if !plan
            .endpoints
            .iter()
            .any(|(planned_service, _)| planned_service.key == service.key)
        {
            continue;
        }
        lines.push(match settings.endpoint_with_origin(service) {
            Some((address, origin)) => format!(
                "{} at {}: {}",
                service.name,
                host::server_of_address(&address),
                settings.describe_origin(origin)
            ),
            None => format!("{} at AWS's own address: default", service.name),
        });
    }
    lines
}

/// Says which region is signed for, and where its name came from.
fn region_in_words(settings: &AwsSettings, region: Option<&Region>) -> String {
    match (region, settings.region_with_origin()) {
        (Some(region), Some((configured_region, origin)))
            if configured_region.trim() == region.as_str() =>
        {
            format!("region {region}: {}", settings.describe_origin(origin))
        }
        (Some(region), _) => format!("region {region}: the request"),
        (None, Some((configured_region, origin))) => {
            format!(
                "region {}: {}",
                configured_region.trim(),
                settings.describe_origin(origin)
            )
        }
        (None, None) => "region: no setting names one, the instance metadata is asked".to_owned(),
    }
}

/// Says which source gives the credentials, and which setting has chosen it.
pub(super) fn source_in_words(settings: &AwsSettings, plan: &CredentialPlan) -> String {
    let source = match &plan.source {
        Ok(source) => source,
        Err(error) => return format!("unusable: {error}"),
    };
    let source = source.implementation();
    source.describe(&place_of_setting(settings, plan, source.chosen_by()))
}

/// Says where the setting stands that has chosen the source.
fn place_of_setting(
    settings: &AwsSettings,
    plan: &CredentialPlan,
    chosen_by: ChosenBy<'_>,
) -> String {
    let last_role = plan.roles.last();
    // The profile that has the source: the one in use, or that which the last role names.
    let profile = match last_role {
        Some(role) => role.source.as_str(),
        None => settings.profile_name(),
    };
    let origin = match chosen_by {
        ChosenBy::Key(key) => SettingOrigin::Profile(profile, key),
        ChosenBy::VariableOrKey(variable, key) => {
            let reads_variables =
                last_role.is_none() && settings.profile_naming == ProfileNaming::ByDefault;
            if reads_variables && settings.variables.get(variable).is_some() {
                SettingOrigin::Variable(variable)
            } else {
                SettingOrigin::Profile(profile, key)
            }
        }
        ChosenBy::KeyOf(profile, key) => SettingOrigin::Profile(profile, key),
        ChosenBy::KeyOfSsoSession(session, key) => SettingOrigin::SsoSession(session, key),
        ChosenBy::Variable(_) | ChosenBy::CredentialSource => match (last_role, chosen_by) {
            (Some(role), _) => SettingOrigin::Profile(&role.profile, "credential_source"),
            (None, ChosenBy::Variable(variable)) => SettingOrigin::Variable(variable),
            (None, _) => SettingOrigin::Default,
        },
    };
    settings.describe_origin(origin)
}
