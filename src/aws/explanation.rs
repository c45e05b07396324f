//! The plan in words, for `--debug`: the profile, the source, the roles, the region and the
//! services that are asked, each with the place that its value came from. Never a secret.

use super::plan::{MachineService, Plan, Source};
use super::profile_plan::ProfilePlan;
use super::service::endpoints;
use super::settings::{Origin, Settings};
use crate::authority::Region;
use crate::text::host;

/// The line where variables alone decide.
const VARIABLES: &str = "access key in variables (AWS_ACCESS_KEY_ID)";

/// Returns one line for each decision, in the order in which they are carried out. `region` is the
/// region of the request, if it names one.
pub(super) fn lines(planned: &ProfilePlan, region: Option<&Region>) -> Vec<String> {
    let settings = &planned.settings;
    let region = self::region(settings, region);
    let profile = format!(
        "profile `{}`: {}",
        settings.profile_name(),
        settings.located(settings.origin_of_profile())
    );
    match planned.plan() {
        Ok(plan) if plan.keys_in_environment().is_some() => {
            vec![format!("credentials source: {VARIABLES}"), region]
        }
        Ok(plan) => {
            let mut lines = vec![profile];
            lines.extend(lines_of_plan(settings, plan));
            lines.push(region);
            lines.extend(lines_of_services(settings, plan));
            lines
        }
        Err(error) => {
            let source = format!("credentials source: unusable: {error}");
            vec![profile, source, region]
        }
    }
}

fn lines_of_plan(settings: &Settings, plan: &Plan) -> Vec<String> {
    let mut lines = vec![format!("credentials source: {}", source(settings, plan))];
    for role in plan.roles.iter().rev() {
        lines.push(format!(
            "role {} ({}, profile `{}`)",
            role.arn,
            settings.located(Origin::Profile(&role.profile, "role_arn")),
            role.profile
        ));
    }
    lines
}

fn lines_of_services(settings: &Settings, plan: &Plan) -> Vec<String> {
    let mut lines = Vec::new();
    for service in endpoints::ALL {
        if !plan.endpoints.iter().any(|(key, _)| *key == service.key) {
            continue;
        }
        lines.push(match settings.endpoint_with_origin(service) {
            Some((address, origin)) => format!(
                "{} at {}: {}",
                service.name,
                host::server(&address),
                settings.located(origin)
            ),
            None => format!("{} at AWS's own address: default", service.name),
        });
    }
    lines
}

/// Says which region is signed for, and where its name came from.
fn region(settings: &Settings, region: Option<&Region>) -> String {
    match (region, settings.region_with_origin()) {
        (Some(region), Some((set, origin))) if set.trim() == region.as_str() => {
            format!("region {region}: {}", settings.located(origin))
        }
        (Some(region), _) => format!("region {region}: the request"),
        (None, Some((set, origin))) => {
            format!("region {}: {}", set.trim(), settings.located(origin))
        }
        (None, None) => "region: no setting names one, the instance metadata is asked".to_owned(),
    }
}

/// Says which source gives the credentials, and which setting has chosen it.
pub(super) fn source(settings: &Settings, plan: &Plan) -> String {
    if plan.keys_in_environment().is_some() {
        return VARIABLES.to_owned();
    }
    let source = match &plan.source {
        Ok(source) => source,
        Err(error) => return format!("unusable: {error}"),
    };
    let place = place_of_source(settings, plan, source);
    match source {
        Source::Environment(_) => format!("access key in variables ({place})"),
        Source::File(_, _, profile) => format!("access key of profile `{profile}` ({place})"),
        Source::WebIdentity(identity) => format!(
            "web identity for role {}, token in {} ({place})",
            identity.arn, identity.token_file
        ),
        Source::Sso(sso) => {
            let session = match &sso.session.name {
                Some(name) => format!("SSO session `{name}`"),
                // The address may hold a password.
                None => format!("SSO start URL at {}", host::server(&sso.session.url)),
            };
            format!(
                "{session} ({place}), role {} of account {}",
                sso.role, sso.account
            )
        }
        Source::SignIn(_) => format!("session of `aws login` ({place})"),
        // Its arguments may be secret.
        Source::Process(_) => format!("credential_process ({place})"),
        Source::Container(_) => format!("container ({place})"),
        Source::InstanceMetadata(_) => format!("instance metadata ({place})"),
        Source::Fallback(_, MachineService::Container(container)) => {
            format!("none named; container ({})", container.variable)
        }
        Source::Fallback(_, MachineService::InstanceMetadata(_)) => {
            "none named; instance metadata (default)".to_owned()
        }
    }
}

/// Says where the setting stands that has chosen the source.
fn place_of_source(settings: &Settings, plan: &Plan, source: &Source) -> String {
    // The profile that has the source: the one in use, or that which the last role names.
    let profile = match plan.roles.last() {
        Some(role) => role.source.as_str(),
        None => settings.profile_name(),
    };
    let key = match source {
        Source::File(_, _, profile) => {
            return settings.located(Origin::Profile(profile, "aws_access_key_id"));
        }
        Source::Sso(sso) => match &sso.session.name {
            Some(name) => return settings.located(Origin::SsoSession(name, "sso_start_url")),
            None => "sso_start_url",
        },
        Source::WebIdentity(_) => {
            let variable = "AWS_WEB_IDENTITY_TOKEN_FILE";
            let reads_variables = plan.roles.is_empty() && !settings.is_named_by_option;
            if reads_variables && settings.variables.get(variable).is_some() {
                return variable.to_owned();
            }
            "web_identity_token_file"
        }
        Source::SignIn(_) => "login_session",
        Source::Process(_) => "credential_process",
        Source::Environment(_)
        | Source::Container(_)
        | Source::InstanceMetadata(_)
        | Source::Fallback(..) => match plan.roles.last() {
            Some(role) => {
                return settings.located(Origin::Profile(&role.profile, "credential_source"));
            }
            None => return "AWS_ACCESS_KEY_ID".to_owned(),
        },
    };
    settings.located(Origin::Profile(profile, key))
}
