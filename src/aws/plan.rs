//! Who would sign: the source of credentials and the roles on top of it, in the order of AWS CLI
//! v2, before anything is asked.
//!
//! [`of`] looks at variables and files that have been read, and at nothing else. `execute.rs`
//! carries the plan out. The digest of a plan is a part of the key that tokens are cached under, so
//! everything that decides whose credentials come out has to be in it: a setting that only the
//! carrying out looks at could hand out another identity's token.

use std::hash::{Hash, Hasher};

use super::environment::Variables;
use super::profile::files::Files;
use super::profile::ini::Section;
use super::settings::{AwsService, SIGN_IN, SSO, SSO_OIDC, STS, Settings};
use crate::error::{Error, Result};

pub(super) struct Plan {
    /// The role that signs comes first; the last one is assumed with the credentials of the source.
    /// The AWS CLI's cache of roles is looked at in this order too, before the source is asked.
    pub(super) roles: Vec<Role>,
    /// An error is a source that cannot be used. It counts only if no role is cached.
    pub(super) source: Result<Source>,
    /// The addresses that are set for the services that the plan asks.
    endpoints: Vec<(&'static str, Option<String>)>,
}

impl Hash for Plan {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let Self {
            roles,
            source,
            endpoints,
        } = self; // names each field, so that none is forgotten
        roles.hash(state);
        endpoints.hash(state);
        match source {
            Ok(source) => source.hash(state),
            Err(error) => error.to_string().hash(state),
        }
    }
}

/// What gives credentials without having been given any.
#[derive(Hash)]
pub(super) enum Source {
    /// Keys in variables.
    Environment(Keys),
    /// Keys in one of the two files, which the text names.
    File(Keys, &'static str, String),
    WebIdentity(WebIdentity),
    Sso(Sso),
    SignIn(SignIn),
    /// The command line of a `credential_process`.
    Process(String),
    Container(Container),
    InstanceMetadata(InstanceMetadata),
    /// Nothing names a source: the old files are looked at, then this machine's services.
    Rest(OldFiles, MachineService),
}

#[derive(Hash)]
pub(super) struct Keys {
    pub(super) id: String,
    pub(super) secret: String,
    pub(super) token: Option<String>,
    /// When they end, as the variable says it.
    pub(super) end: Option<String>,
}

/// A role as a profile describes it.
#[derive(Hash)]
pub(super) struct Role {
    pub(super) profile: String,
    pub(super) arn: String,
    pub(super) external_id: Option<String>,
    pub(super) session_name: Option<String>,
    pub(super) mfa_serial: Option<String>,
    /// Seconds; what is not a number is left out, as in the AWS CLI.
    pub(super) duration: Option<i32>,
    /// What the error names if the source has no credentials after all.
    pub(super) source: String,
}

/// The role of a workload, by the token in a file.
#[derive(Hash)]
pub(super) struct WebIdentity {
    pub(super) token_file: String,
    pub(super) arn: String,
    pub(super) session_name: Option<String>,
}

/// A role of IAM Identity Center.
#[derive(Hash)]
pub(super) struct Sso {
    pub(super) profile: String,
    pub(super) start: SsoSession,
    pub(super) account: String,
    pub(super) role: String,
}

/// Where SSO begins: an sso-session of the configuration, or the older way, all in the profile.
#[derive(Clone, Hash)]
pub(super) struct SsoSession {
    pub(super) session: Option<String>,
    pub(super) url: String,
    pub(super) region: String,
    pub(super) scopes: Vec<String>,
}

/// A session of `aws login`.
#[derive(Hash)]
pub(super) struct SignIn {
    pub(super) profile: String,
    pub(super) session: String,
}

/// Which variable names a container's address: the first one wins.
pub(super) const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
pub(super) const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

/// The address that gives a container its credentials, and as whom it is asked.
#[derive(Hash)]
pub(super) struct Container {
    pub(super) variable: &'static str,
    pub(super) address: String,
    pub(super) token: Option<String>,
    pub(super) token_file: Option<String>,
}

/// Where the instance metadata is, if another address than the usual one is set.
#[derive(Hash)]
pub(super) struct InstanceMetadata {
    pub(super) is_off: bool,
    pub(super) endpoint: Option<String>,
    pub(super) mode: Option<String>,
}

/// The files of the first EC2 tools and of boto 2.
#[derive(Hash)]
pub(super) struct OldFiles {
    pub(super) of_ec2: Option<String>,
    pub(super) of_boto: Vec<String>,
}

#[derive(Hash)]
pub(super) enum MachineService {
    Container(Container),
    InstanceMetadata(InstanceMetadata),
}

/// Returns the plan for the profile that the settings name. An error is a setting that cannot be
/// used.
pub(super) fn of(settings: &Settings) -> Result<Plan> {
    let variables = &settings.variables;
    if !settings.explicit
        && let Some(keys) = environment(variables)?
    {
        return Ok(Plan::of_source(Ok(Source::Environment(keys)), settings)); // no file has a say in that
    }
    settings.check()?;
    let (name, files) = (settings.profile_name(), settings.files()?);
    if let Some(section) = files.profile(name)
        && has_role(section)
    {
        return Ok(chain(settings, files, name, section));
    }
    let source = match profile(variables, files, name, settings.explicit)? {
        Some(found) => found,
        None => Source::Rest(OldFiles::of(variables), MachineService::of(settings)),
    };
    Ok(Plan::of_source(Ok(source), settings))
}

impl Plan {
    fn of_source(source: Result<Source>, settings: &Settings) -> Self {
        Self::new(Vec::new(), source, settings)
    }

    /// Returns the keys in the environment, if they sign by themselves.
    pub(super) fn keys_in_environment(&self) -> Option<&Keys> {
        match &self.source {
            Ok(Source::Environment(keys)) if self.roles.is_empty() => Some(keys),
            _ => None,
        }
    }

    fn new(roles: Vec<Role>, source: Result<Source>, settings: &Settings) -> Self {
        let mut asked: Vec<AwsService> = Vec::new();
        match &source {
            Ok(Source::WebIdentity(_)) => asked.push(STS),
            Ok(Source::Sso(_)) => asked.extend([SSO, SSO_OIDC]),
            Ok(Source::SignIn(_)) => asked.push(SIGN_IN),
            _ => {}
        }
        if !roles.is_empty() {
            asked.push(STS);
        }
        let endpoints = asked
            .into_iter()
            .map(|service| (service.key, settings.endpoint(service)))
            .collect();
        Self {
            roles,
            source,
            endpoints,
        }
    }
}

/// Returns the keys in the environment; half of them is an error.
fn environment(variables: &Variables) -> Result<Option<Keys>> {
    let Some(id) = variables.text("AWS_ACCESS_KEY_ID")? else {
        return Ok(None);
    };
    let secret = variables.text("AWS_SECRET_ACCESS_KEY")?.ok_or_else(|| {
        Error::usage("AWS_ACCESS_KEY_ID is set, but AWS_SECRET_ACCESS_KEY is not")
            .hint("set both, or unset AWS_ACCESS_KEY_ID")
    })?;
    let token = match variables.text("AWS_SECURITY_TOKEN")? {
        Some(token) => Some(token),
        None => variables.text("AWS_SESSION_TOKEN")?,
    };
    let end = variables.text("AWS_CREDENTIAL_EXPIRATION")?;
    Ok(Some(Keys {
        id,
        secret,
        token,
        end,
    }))
}

fn has_role(section: &Section) -> bool {
    section.contains_key("role_arn") && !section.contains_key("web_identity_token_file")
}

fn has_keys(section: &Section) -> bool {
    section.contains_key("aws_access_key_id") || section.contains_key("aws_secret_access_key")
}

/// Returns what a profile itself gives, apart from a role.
fn profile(
    variables: &Variables,
    files: &Files,
    name: &str,
    explicit: bool,
) -> Result<Option<Source>> {
    let empty = Section::default();
    let section = files.profile(name).unwrap_or(&empty);
    if let Some(identity) = web_identity(variables, section, explicit)? {
        return Ok(Some(Source::WebIdentity(identity)));
    }
    if let Some(sso) = Sso::of(name, section, files)? {
        return Ok(Some(Source::Sso(sso)));
    }
    if let Some(found) = keys(name, files.credentials(name), "credentials file")? {
        return Ok(Some(Source::File(
            found,
            "credentials file",
            name.to_owned(),
        )));
    }
    if let Some(session) = section.get("login_session") {
        return Ok(Some(Source::SignIn(SignIn {
            profile: name.to_owned(),
            session: session.to_owned(),
        })));
    }
    if let Some(command) = section.get("credential_process") {
        return Ok(Some(Source::Process(command.to_owned())));
    }
    let found = keys(name, files.config(name), "configuration file")?;
    Ok(found.map(|found| Source::File(found, "configuration file", name.to_owned())))
}

/// Returns the keys in a section of one of the files.
fn keys(name: &str, section: Option<&Section>, file: &str) -> Result<Option<Keys>> {
    let Some(section) = section else {
        return Ok(None);
    };
    let Some(id) = section.get("aws_access_key_id") else {
        return Ok(None);
    };
    let secret = section.get("aws_secret_access_key").ok_or_else(|| {
        Error::usage(format!(
            "profile `{name}` in the {file} has aws_access_key_id, but no aws_secret_access_key"
        ))
        .hint("add it, or remove aws_access_key_id")
    })?;
    if id.is_empty() || secret.is_empty() {
        return Err(
            Error::usage(format!("profile `{name}` in the {file} has an empty key"))
                .hint("fill it in, or remove it"),
        );
    }
    let token = |name: &str| section.get(name).filter(|token| !token.is_empty());
    let token = token("aws_security_token")
        .or_else(|| token("aws_session_token"))
        .map(str::to_owned);
    Ok(Some(Keys {
        id: id.to_owned(),
        secret: secret.to_owned(),
        token,
        end: None,
    }))
}

/// Returns the web identity of variables, else of the profile. A profile that an option names does
/// not mix with variables. A variable that is set to an empty text hides what the profile says, as
/// in the AWS CLI.
fn web_identity(
    variables: &Variables,
    section: &Section,
    explicit: bool,
) -> Result<Option<WebIdentity>> {
    let setting = |variable: &str, key: &str| -> Result<Option<String>> {
        if !explicit && variables.get_or_empty(variable).is_some() {
            return variables.text(variable);
        }
        Ok(section
            .get(key)
            .filter(|value| !value.is_empty())
            .map(str::to_owned))
    };
    let Some(token_file) = setting("AWS_WEB_IDENTITY_TOKEN_FILE", "web_identity_token_file")?
    else {
        return Ok(None);
    };
    let arn = setting("AWS_ROLE_ARN", "role_arn")?.ok_or_else(|| {
        Error::usage("web identity has a token file, but no role")
            .hint("set AWS_ROLE_ARN, or role_arn in the profile")
    })?;
    let session_name = setting("AWS_ROLE_SESSION_NAME", "role_session_name")?;
    Ok(Some(WebIdentity {
        token_file,
        arn,
        session_name,
    }))
}

/// Follows the roles from a profile to the source that assumes the last of them.
fn chain(settings: &Settings, files: &Files, name: &str, section: &Section) -> Plan {
    let mut roles = Vec::new();
    let mut visited = vec![name.to_owned()];
    let (mut name, mut section) = (name.to_owned(), section);
    loop {
        let lender = match lender(&name, section, files, &visited) {
            Ok(lender) => lender,
            Err(error) => return Plan::new(roles, Err(error), settings),
        };
        roles.push(Role::of(&name, section, lender.name()));
        let (other, of_other) = match lender {
            RoleSource::Named(source) => {
                return Plan::new(roles, named_source(source, &name, settings), settings);
            }
            RoleSource::Profile(other, of_other) => (other, of_other),
        };
        if !has_role(of_other) || has_keys(of_other) {
            let found = profile(&settings.variables, files, other, true);
            let found = found
                .and_then(|found| found.ok_or_else(|| nothing_lent(&name, other, Error::usage)));
            return Plan::new(roles, found, settings);
        }
        visited.push(other.to_owned());
        (name, section) = (other.to_owned(), of_other);
    }
}

/// Whose credentials assume a role.
enum RoleSource<'a> {
    /// A `credential_source`.
    Named(&'a str),
    /// A `source_profile`.
    Profile(&'a str, &'a Section),
}

impl RoleSource<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Named(name) | Self::Profile(name, _) => name,
        }
    }
}

fn lender<'a>(
    name: &str,
    section: &'a Section,
    files: &'a Files,
    visited: &[String],
) -> Result<RoleSource<'a>> {
    let wrong = |what: String| Error::usage(format!("profile `{name}`: {what}"));
    let other = match (
        section.get("source_profile"),
        section.get("credential_source"),
    ) {
        (Some(_), Some(_)) => {
            return Err(
                wrong("both source_profile and credential_source".to_owned())
                    .hint("remove one of them"),
            );
        }
        (None, None) => {
            let error =
                wrong("role_arn, but neither source_profile nor credential_source".to_owned());
            return Err(error.hint("add source_profile = NAME, whose credentials assume the role"));
        }
        (None, Some(source))
            if ["Environment", "EcsContainer", "Ec2InstanceMetadata"].contains(&source) =>
        {
            return Ok(RoleSource::Named(source));
        }
        (None, Some(source)) => {
            return Err(wrong(format!("credential_source `{source}` is unknown"))
                .hint("Environment, EcsContainer and Ec2InstanceMetadata are known"));
        }
        (Some(other), None) => other,
    };
    let missing =
        || wrong(format!("there is no source_profile `{other}`")).hint("correct source_profile");
    let section = files.profile(other).ok_or_else(missing)?;
    let own_keys = other == name && has_keys(section);
    if visited.iter().any(|known| known == other) && !own_keys {
        let circle = wrong(format!(
            "source_profile goes in a circle: {} -> {other}",
            visited.join(" -> ")
        ));
        return Err(circle.hint("let one of them have credentials of its own"));
    }
    Ok(RoleSource::Profile(other, section))
}

/// Returns a `credential_source`.
fn named_source(source: &str, profile: &str, settings: &Settings) -> Result<Source> {
    let found = match source {
        "Environment" => environment(&settings.variables)?.map(Source::Environment),
        "EcsContainer" => Container::of(&settings.variables).map(Source::Container),
        _ => Some(Source::InstanceMetadata(InstanceMetadata::of(settings))),
    };
    found.ok_or_else(|| nothing_lent(profile, source, Error::login))
}

/// The error where a role has no credentials to assume it with.
pub(super) fn nothing_lent(profile: &str, source: &str, kind: fn(String) -> Error) -> Error {
    let what = format!("nothing to assume the role with: no credentials in {source}");
    kind(format!("profile `{profile}`: {what}"))
        .hint("correct its source_profile or credential_source")
}

impl Role {
    fn of(profile: &str, section: &Section, source: &str) -> Self {
        let duration = section
            .get("duration_seconds")
            .and_then(|text| text.trim().replace('_', "").parse().ok());
        Self {
            profile: profile.to_owned(),
            arn: section.get("role_arn").unwrap_or_default().to_owned(),
            external_id: section.get("external_id").map(str::to_owned),
            session_name: section
                .get("role_session_name")
                .filter(|name| !name.is_empty())
                .map(str::to_owned),
            mfa_serial: section.get("mfa_serial").map(str::to_owned),
            duration,
            source: source.to_owned(),
        }
    }

    /// The error where the source of this role, which is not a profile, has no credentials now.
    pub(super) fn nothing_lent(&self) -> Error {
        nothing_lent(&self.profile, &self.source, Error::login)
    }
}

impl Sso {
    /// Returns what the profile says about SSO, if it does.
    fn of(profile: &str, section: &Section, files: &Files) -> Result<Option<Self>> {
        if !section.contains_key("sso_account_id") && !section.contains_key("sso_role_name") {
            return Ok(None);
        }
        let mut all = section.clone();
        if let Some(name) = section.get("sso_session") {
            let wrong = |what: String| {
                Error::usage(format!("profile `{profile}`: {what}"))
                    .hint("run `aws configure sso` to set it up")
            };
            let session = files
                .sso_sessions
                .get(name)
                .ok_or_else(|| wrong(format!("there is no [sso-session {name}]")))?;
            for (key, value) in session.iter() {
                if section.get(key).is_some_and(|own| own != value) {
                    return Err(wrong(format!(
                        "{key} differs from that of [sso-session {name}]"
                    )));
                }
                all.insert(key, value);
            }
        }
        let missing: Vec<_> = [
            "sso_role_name",
            "sso_account_id",
            "sso_start_url",
            "sso_region",
        ]
        .into_iter()
        .filter(|key| !all.contains_key(key))
        .collect();
        if !missing.is_empty() {
            return Err(Error::usage(format!(
                "profile `{profile}` uses SSO but lacks {}",
                missing.join(", ")
            ))
            .hint("run `aws configure sso` to set it up"));
        }
        // Both go into an address. AWS gives accounts 12 digits and roles at most 64 characters.
        for key in ["sso_account_id", "sso_role_name"] {
            let value = all.get(key).unwrap_or_default();
            if value.len() > 1_000 || value.contains(char::is_control) {
                return Err(Error::usage(format!(
                    "profile `{profile}`: {key} is too long, or has a control character"
                ))
                .hint(format!("correct {key} in the profile")));
            }
        }
        let take = |key: &str| all.get(key).unwrap_or_default().to_owned();
        // Without a scope the service gives no means to renew; this one is the AWS CLI's own
        // default.
        let of_session = section
            .get("sso_session")
            .map_or("", |_| "sso:account:access");
        let scopes = Some(take("sso_registration_scopes")).filter(|scopes| !scopes.is_empty());
        let scopes = scopes.unwrap_or_else(|| of_session.to_owned());
        Ok(Some(Self {
            profile: profile.to_owned(),
            account: take("sso_account_id"),
            role: take("sso_role_name"),
            start: SsoSession {
                session: section.get("sso_session").map(str::to_owned),
                url: take("sso_start_url"),
                region: take("sso_region"),
                scopes: scopes
                    .split(',')
                    .map(str::trim)
                    .filter(|scope| !scope.is_empty())
                    .map(str::to_owned)
                    .collect(),
            },
        }))
    }
}

impl Container {
    /// Returns what the environment names, if it does.
    fn of(variables: &Variables) -> Option<Self> {
        let found = [RELATIVE, FULL]
            .into_iter()
            .find_map(|name| Some((name, variables.get_or_empty(name)?)));
        let (variable, address) = found?;
        let token_file = variables.get_or_empty("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
        let token = variables
            .get_or_empty("AWS_CONTAINER_AUTHORIZATION_TOKEN")
            .filter(|_| token_file.is_none());
        Some(Self {
            variable,
            address,
            token,
            token_file,
        })
    }
}

impl InstanceMetadata {
    pub(super) fn of(settings: &Settings) -> Self {
        let is_off = settings.variables.get("AWS_EC2_METADATA_DISABLED");
        Self {
            is_off: is_off.is_some_and(|value| value.eq_ignore_ascii_case("true")),
            endpoint: settings.setting(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                "ec2_metadata_service_endpoint",
            ),
            mode: settings.setting(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
                "ec2_metadata_service_endpoint_mode",
            ),
        }
    }
}

impl OldFiles {
    fn of(variables: &Variables) -> Self {
        let of_boto = match variables.get("BOTO_CONFIG") {
            Some(path) => vec![path],
            None => vec!["/etc/boto.cfg".to_owned(), "~/.boto".to_owned()],
        };
        Self {
            of_ec2: variables.get("AWS_CREDENTIAL_FILE"),
            of_boto,
        }
    }
}

impl MachineService {
    fn of(settings: &Settings) -> Self {
        match Container::of(&settings.variables) {
            Some(container) => Self::Container(container),
            None => Self::InstanceMetadata(InstanceMetadata::of(settings)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value;

    use super::*;
    use crate::aws::profile::ini;
    use crate::aws::settings::SharedFiles;

    fn settings(
        variables: BTreeMap<String, String>,
        config: &str,
        credentials: &str,
        profile: Option<&str>,
    ) -> Settings {
        let parse = |text| ini::parse(text).expect("well-formed");
        let files = SharedFiles::given(Files::of(parse(config), parse(credentials)));
        Settings::new(Variables::Given(variables), files, profile)
    }

    /// Says how the access key begins that comes out, as the stubs of the recorded scenarios make
    /// it.
    fn signer(plan: &Plan) -> String {
        let of_role = |arn: &str| format!("ASIASTS{}", arn.rsplit('/').next().unwrap_or_default());
        if let Some(role) = plan.roles.first() {
            return of_role(&role.arn);
        }
        match plan.source.as_ref().expect("a source") {
            Source::Environment(keys) | Source::File(keys, ..) => keys.id.clone(),
            Source::WebIdentity(identity) => of_role(&identity.arn),
            Source::Sso(_) => "ASIASSO".to_owned(),
            Source::SignIn(_) => "ASIALOGIN".to_owned(),
            Source::Process(_) => "AKIA".to_owned(), // the rest is up to the program
            Source::Container(_) | Source::Rest(_, MachineService::Container(_)) => {
                "ASIAECS".to_owned()
            }
            Source::InstanceMetadata(_) | Source::Rest(_, MachineService::InstanceMetadata(_)) => {
                "ASIAIMDS".to_owned()
            }
        }
    }

    /// The recorded scenarios in which the AWS CLI signs, but for those with other files or with
    /// caches.
    #[test]
    fn the_plan_names_whoever_signs_in_the_aws_cli() {
        let recorded = [
            include_str!("../../tests/vectors/chain.json"),
            include_str!("../../tests/vectors/chain-more.json"),
        ];
        let scenarios =
            recorded.map(|text| serde_json::from_str::<Vec<Value>>(text).expect("JSON"));
        let mut planned = 0;
        for scenario in scenarios.iter().flatten() {
            let (id, inputs) = (&scenario["id"], &scenario["inputs"]);
            let expected = scenario["expected"]["aws_cli_v2"]
                .as_str()
                .expect("an answer");
            let key = expected.split('@').next().unwrap_or_default();
            let variables: BTreeMap<String, String> =
                serde_json::from_value(inputs["env"].clone()).expect("variables");
            let elsewhere = variables.contains_key("AWS_CONFIG_FILE")
                || variables.contains_key("AWS_SHARED_CREDENTIALS_FILE")
                || inputs["files"].to_string().contains("cache")
                || inputs["files"].to_string().contains("boto")
                || variables.contains_key("AWS_CREDENTIAL_FILE");
            let refused = [
                "static-key-empty",
                "static-secret-empty",
                "process-key-empty",
            ]; // with which the AWS CLI signs
            if expected.starts_with("ERR")
                || refused.iter().any(|known| id == known)
                || elsewhere
                || !inputs["files_latin1"].is_null()
            {
                continue;
            }
            let text = |name: &str| inputs[name].as_str().unwrap_or_default().to_owned();
            let mut arguments = inputs["args"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            let profile = arguments
                .find(|argument| *argument == "--profile")
                .and_then(|_| arguments.next());
            let settings = settings(
                variables,
                &text("aws_config"),
                &text("aws_credentials"),
                profile,
            );
            let plan = of(&settings).unwrap_or_else(|error| panic!("{id}: {error}"));
            let signer = signer(&plan);
            let is_it = key == signer
                || key.starts_with(&signer)
                || (key == "ASIA<sts>" && signer.starts_with("ASIASTS"));
            assert!(is_it, "{id}: {key} signs, and not {signer}");
            planned += 1;
        }
        assert!(planned > 150, "{planned}");
    }

    /// What does not decide who signs is no part of the plan.
    #[test]
    fn the_plan_of_a_profile_with_keys_has_nothing_of_other_settings() {
        use std::hash::DefaultHasher;

        let digest = |variables: &[(&str, &str)], more: &str| {
            let variables = variables
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect();
            let keys = "[p]\naws_access_key_id = k\naws_secret_access_key = s\n";
            let settings = settings(variables, more, keys, Some("p"));
            let mut hasher = DefaultHasher::new();
            of(&settings).expect("a plan").hash(&mut hasher);
            hasher.finish()
        };
        let plain = digest(&[], "");
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_ROLE_ARN",
            "AWS_CONTAINER_CREDENTIALS_FULL_URI",
            "AWS_ENDPOINT_URL",
            "AWS_CREDENTIAL_FILE",
            "AWS_CA_BUNDLE",
        ] {
            assert_eq!(digest(&[(name, "other")], ""), plain, "{name}");
        }
        assert_eq!(
            digest(
                &[],
                "[profile q]\nregion = us-east-1\n[profile p]\noutput = text\n"
            ),
            plain
        );
        assert_ne!(
            digest(
                &[],
                "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_start_url = u\nsso_region = e\n"
            ),
            plain
        );
    }
}
