//! The plan of the recorded scenarios, and what is a part of a plan.
//!
//! A scenario is a set of variables and files, with the choice that the AWS CLI made for it.
//! Nothing is asked: a plan is pure.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::aws::profile::files::ProfileFiles;
use crate::aws::profile::ini;
use crate::aws::settings::SharedFiles;

fn settings(
    variables: BTreeMap<String, String>,
    config: &str,
    credentials: &str,
    profile: Option<&str>,
) -> AwsSettings {
    let files = match (
        ini::parse_sections(config),
        ini::parse_sections(credentials),
    ) {
        (Ok(config), Ok(credentials)) => Ok(ProfileFiles::new(config, credentials)),
        (Err(error), _) => Err(Error::usage(format!(".aws/config, line {}", error.line))),
        (_, Err(error)) => Err(Error::usage(format!(
            ".aws/credentials, line {}",
            error.line
        ))),
    };
    AwsSettings::new(
        AwsVariables::Given(variables),
        SharedFiles::already_read(files),
        profile,
    )
}

/// A recorded scenario: files, variables and options, and what the AWS CLI made of them.
struct Scenario(Value);

/// Nothing, or what differs from the record.
type ScenarioOutcome = Result<(), String>;

/// What a plan says of a scenario.
enum ScenarioVerdict {
    /// The plan decides the outcome, and this is it.
    Decided(ScenarioOutcome),
    /// The plan names a service, a program or a role that signs there too; the answer of that is
    /// not the plan's matter.
    Named(ScenarioOutcome),
    /// The outcome depends on a cache, on another file, or on a refusal.
    Open,
}

impl Scenario {
    fn all() -> Vec<Self> {
        let recorded = [
            include_str!("../../../tests/vectors/chain.json"),
            include_str!("../../../tests/vectors/chain-more.json"),
        ];
        recorded
            .into_iter()
            .flat_map(|text| serde_json::from_str::<Vec<Value>>(text).expect("JSON"))
            .map(Self)
            .collect()
    }

    fn id(&self) -> &str {
        self.0["id"].as_str().expect("an id")
    }

    /// Returns who signs in the AWS CLI, or in pgcred where it deviates.
    fn expected(&self) -> &str {
        for (id, instead) in DEVIATIONS {
            if id == self.id() {
                return instead;
            }
        }
        self.0["expected"]["aws_cli_v2"]
            .as_str()
            .expect("an answer")
    }

    /// Returns the settings, if no other files of the AWS CLI than the two usual ones have a say.
    fn settings(&self) -> Option<AwsSettings> {
        let inputs = &self.0["inputs"];
        let variables: BTreeMap<String, String> =
            serde_json::from_value(inputs["env"].clone()).expect("variables");
        let elsewhere = ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"]
            .iter()
            .any(|name| variables.contains_key(*name));
        let caches = inputs["files"].to_string().contains("/cache/");
        if elsewhere || caches || !inputs["files_latin1"].is_null() {
            return None;
        }
        let text = |name: &str| inputs[name].as_str().unwrap_or_default();
        let options = inputs["args"].as_array().expect("options");
        let profile = match options.as_slice() {
            [] => None,
            [option, name] if option == "--profile" => name.as_str(),
            _ => return None,
        };
        Some(settings(
            variables,
            text("aws_config"),
            text("aws_credentials"),
            profile,
        ))
    }

    fn verdict(&self) -> ScenarioVerdict {
        let Some(settings) = self.settings() else {
            return ScenarioVerdict::Open;
        };
        let plan = match make_plan(&settings) {
            Ok(plan) => plan,
            Err(error) => return ScenarioVerdict::Decided(self.refusal(&error)),
        };
        match (&plan.source, self.signer(&settings, &plan)) {
            (Err(error), _) => ScenarioVerdict::Decided(self.refusal(error)),
            (Ok(_), Some(outcome)) => ScenarioVerdict::Decided(outcome),
            (Ok(_), None) if self.expected().starts_with("ERR") => ScenarioVerdict::Open,
            (Ok(source), None) => ScenarioVerdict::Named(self.names(source, &plan)),
        }
    }

    /// Compares the beginning of the access key that signs with that of the source's or role's
    /// stub.
    fn names(&self, source: &PlannedSource, plan: &CredentialPlan) -> ScenarioOutcome {
        let key = self.expected().split('@').next().unwrap_or_default();
        let of_role = |arn: &str| format!("ASIASTS{}", arn.rsplit('/').next().unwrap_or_default());
        let named = match (plan.roles.first(), source) {
            (Some(role), _) => of_role(&role.arn),
            (
                None,
                PlannedSource::Environment(keys) | PlannedSource::File(FileKeys { keys, .. }),
            ) => keys.id.clone(),
            (None, PlannedSource::WebIdentity(identity)) => of_role(&identity.arn),
            (None, PlannedSource::Sso(_)) => "ASIASSO".to_owned(),
            (None, PlannedSource::SignIn(_)) => "ASIALOGIN".to_owned(),
            (None, PlannedSource::Process(_)) => "AKIA".to_owned(), // the rest is up to the program
            (None, PlannedSource::Container(_)) => "ASIAECS".to_owned(),
            (None, PlannedSource::InstanceMetadata(_)) => "ASIAIMDS".to_owned(),
            (None, PlannedSource::Fallback(fallback)) => match fallback.service {
                MachineService::Container(_) => "ASIAECS".to_owned(),
                MachineService::InstanceMetadata(_) => "ASIAIMDS".to_owned(),
            },
        };
        let is_made_up = key == "ASIA<sts>" && named.starts_with("ASIASTS");
        if key.starts_with(&named) || is_made_up || self.id() == EMPTY_KEY_OF_PROCESS {
            return Ok(());
        }
        Err(format!("{key} signs, and not {named}"))
    }

    /// Compares an error with the exit codes, and with the file and line, that the scenario names.
    fn refusal(&self, error: &Error) -> ScenarioOutcome {
        if !self.expected().starts_with("ERR") {
            return Err(format!("{} signs, but: {error}", self.expected()));
        }
        let code = Value::from(error.exit().code());
        let known = &self.0["pgcred_exit"];
        if !known.is_null() && *known != code && !in_list(known, &code) {
            return Err(format!("exit {code}, not {known}: {error}"));
        }
        if let Some(file) = self.0["pgcred_names"]["file"].as_str() {
            let lines = &self.0["pgcred_names"]["line"];
            let text = error.to_string();
            let line = text.rsplit("line ").next().unwrap_or_default();
            let line = Value::from(line.parse::<u64>().unwrap_or_default());
            if !text.contains(file) || (*lines != line && !in_list(lines, &line)) {
                return Err(format!("{text} does not name {file}, line {lines}"));
            }
        }
        Ok(())
    }

    /// Compares the keys that sign, and the roles that they assume, with what the AWS CLI did; none
    /// where the plan does not know the keys.
    fn signer(&self, settings: &AwsSettings, plan: &CredentialPlan) -> Option<ScenarioOutcome> {
        let Ok(PlannedSource::Environment(keys) | PlannedSource::File(FileKeys { keys, .. })) =
            &plan.source
        else {
            return None;
        };
        let region = settings.region()?.trim().to_lowercase();
        let expected = self.expected();
        if keys.expiration.is_some() || expected.starts_with("ERR") {
            return None;
        }
        if plan.roles.is_empty() {
            let mut found = format!("{}@{region}", keys.id);
            if let Some(token) = &keys.token {
                let token: String = token.chars().take(14).collect();
                found = format!("{found} tok={token}");
            }
            return Some(if found == expected {
                Ok(())
            } else {
                Err(format!("{expected} signs, and not {found}"))
            });
        }
        let asked = self.0["expected"]["sts"].as_array()?;
        let is_stub = |(service, address): &(AwsService, Option<String>)| {
            service.key == "sts"
                && address
                    .as_ref()
                    .is_some_and(|it| it.contains("@STUB_PORT@"))
        };
        if !plan.endpoints.iter().any(is_stub) {
            return Some(Err(format!("asks at {:?}", plan.endpoints)));
        }
        Some(assumed(keys, &plan.roles, asked))
    }
}

/// Compares roles, each assumed with the credentials of the one before, with what STS was asked.
fn assumed(keys: &AccessKeys, roles: &[ProfileRole], asked: &[Value]) -> ScenarioOutcome {
    if roles.len() != asked.len() {
        return Err(format!("{} roles, not {}", roles.len(), asked.len()));
    }
    if asked[0]["signed_by"] != keys.id.as_str() {
        return Err(format!("{} asks STS, not {}", keys.id, asked[0]));
    }
    for (role, asked) in roles.iter().rev().zip(asked) {
        let duration = role.duration.map(|seconds| seconds.to_string());
        for (name, planned) in [
            ("RoleArn", Some(&role.arn)),
            ("ExternalId", role.external_id.as_ref()),
            ("RoleSessionName", role.session_name.as_ref()),
            ("SerialNumber", role.mfa_serial.as_ref()),
            ("DurationSeconds", duration.as_ref()),
        ] {
            let planned = planned.map(String::as_str);
            let is_made_up = planned.is_none() && asked[name] == "*";
            if asked[name].as_str() != planned && !is_made_up {
                return Err(format!("{name} is {planned:?}, not {}", asked[name]));
            }
        }
    }
    Ok(())
}

fn in_list(list: &Value, value: &Value) -> bool {
    list.as_array().is_some_and(|list| list.contains(value))
}

/// The deviations from the AWS CLI that a plan shows; tests/it/credentials/chain.rs says why.
const DEVIATIONS: [(&str, &str); 4] = [
    ("static-key-empty", "ERR"),
    ("static-secret-empty", "ERR"),
    ("static-security-token-empty", "ASIAD@us-east-1 tok=modern"),
    ("region-value-upper", "AKIAENV@us-east-1"),
];
/// The AWS CLI signs with the empty key of this program, which pgcred refuses when it has run.
const EMPTY_KEY_OF_PROCESS: &str = "process-key-empty";

/// The scenarios of tests/vectors/planned.txt end here as in the AWS CLI. The others run through
/// the whole program, in tests/it/credentials/chain.rs, which reads the same list.
#[test]
fn the_plan_decides_as_the_aws_cli_does() {
    let listed: Vec<&str> = include_str!("../../../tests/vectors/planned.txt")
        .lines()
        .collect();
    let (mut decided, mut named, mut trouble) = (Vec::new(), 0, Vec::new());
    let scenarios = Scenario::all();
    for scenario in &scenarios {
        match scenario.verdict() {
            ScenarioVerdict::Open => {}
            ScenarioVerdict::Decided(Ok(())) => decided.push(scenario.id()),
            ScenarioVerdict::Named(Ok(())) => named += 1,
            ScenarioVerdict::Decided(Err(why)) | ScenarioVerdict::Named(Err(why)) => {
                trouble.push(format!("{}: {why}", scenario.id()));
            }
        }
    }
    assert!(trouble.is_empty(), "{trouble:#?}");
    assert_eq!(
        decided, listed,
        "tests/vectors/planned.txt has to list what the plan decides"
    );
    assert!(
        (decided.len() + named) * 2 > scenarios.len(),
        "{} and {named} of {}",
        decided.len(),
        scenarios.len()
    );
}

/// Settings that do not decide who signs are no part of the plan.
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
        make_plan(&settings).expect("a plan").hash(&mut hasher);
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
            "[profile p]\nsso_account_id = 1\nsso_role_name = r\nsso_start_url = u\n\
             sso_region = e\n"
        ),
        plain
    );
}
