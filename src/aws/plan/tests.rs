//! The plan of the recorded scenarios, and what is a part of a plan.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::aws::profile::files::Files;
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
        Source::Container(_) | Source::Fallback(_, MachineService::Container(_)) => {
            "ASIAECS".to_owned()
        }
        Source::InstanceMetadata(_) | Source::Fallback(_, MachineService::InstanceMetadata(_)) => {
            "ASIAIMDS".to_owned()
        }
    }
}

/// The recorded scenarios in which the AWS CLI signs, but for those with other files or with
/// caches.
#[test]
fn the_plan_names_whoever_signs_in_the_aws_cli() {
    let recorded = [
        include_str!("../../../tests/vectors/chain.json"),
        include_str!("../../../tests/vectors/chain-more.json"),
    ];
    let scenarios = recorded.map(|text| serde_json::from_str::<Vec<Value>>(text).expect("JSON"));
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
