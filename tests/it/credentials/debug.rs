//! `--debug` prints the plan: who signs, by which roles, in which region and by which services,
//! each with the place that its value came from.

use crate::support::sandbox::{HOST, Sandbox};

const CLUSTER: &str = "foo0bar1baz2quux3quuux4abc";

/// Runs `token --debug` and checks that lines of it say this, in this order.
fn assert_steps(sandbox: &Sandbox, arguments: &[&str], steps: &[&str]) {
    let mut all = vec!["token", "--no-cache", "--debug", "--login=never"];
    all.extend(arguments);
    let run = sandbox.run(&all);
    let mut lines = run.stderr.lines();
    for step in steps {
        let line = format!("pgcred: debug: {step}");
        assert!(
            lines.any(|said| said == line),
            "{line} is not there, or not in this order:\n{}",
            run.stderr
        );
    }
    for secret in ["SECRET", "Signature="] {
        assert!(!run.stderr.contains(secret), "{secret}: {}", run.stderr);
    }
}

/// Returns a home with a configuration file whose first line is a comment.
fn with_config(text: &str) -> Sandbox {
    let sandbox = Sandbox::empty();
    sandbox.write(".aws/config", format!("# mine\n{text}"));
    sandbox
}

#[test]
fn keys_in_variables() {
    let sandbox = Sandbox::with_keys();
    sandbox.write(".aws/config", "[default]\n\nregion = eu-west-1\n");
    assert_steps(
        &sandbox,
        &[CLUSTER],
        &[
            "credentials source: access key in variables (AWS_ACCESS_KEY_ID)",
            "region eu-west-1: ~/.aws/config line 3",
        ],
    );
}

#[test]
fn keys_in_a_file_and_a_region_in_a_variable() {
    let mut sandbox = with_config("[profile p]\nregion = eu-west-1\n");
    sandbox.write(
        ".aws/credentials",
        "[p]\naws_access_key_id = AKIA\naws_secret_access_key = SECRET\n",
    );
    sandbox
        .set("AWS_PROFILE", "p")
        .set("AWS_DEFAULT_REGION", "eu-west-2");
    assert_steps(
        &sandbox,
        &[CLUSTER],
        &[
            "profile `p`: AWS_PROFILE",
            "credentials source: access key of profile `p` (~/.aws/credentials line 2)",
            "region eu-west-2: AWS_DEFAULT_REGION",
        ],
    );
}

#[test]
fn roles_on_top_of_sso() {
    let mut sandbox = with_config(
        "[sso-session corp]\nsso_start_url = https://corp.example\nsso_region = us-west-2\n\
         [profile top]\nrole_arn = arn:aws:iam::123456789012:role/dba\nsource_profile = middle\n\
         services = mine\n\
         [profile middle]\nrole_arn = arn:aws:iam::123456789012:role/hop\nsource_profile = base\n\
         [profile base]\nsso_session = corp\nsso_account_id = 123456789012\nsso_role_name = R\n\
         [services mine]\nsts =\n  endpoint_url = http://me:SECRET@127.0.0.1:1/\n",
    );
    sandbox.set("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1");
    assert_steps(
        &sandbox,
        &[HOST, "--profile", "top"],
        &[
            "profile `top`: the request",
            "credentials source: SSO session `corp` (~/.aws/config line 3), \
             role R of account 123456789012",
            "role arn:aws:iam::123456789012:role/hop (~/.aws/config line 10, profile `middle`)",
            "role arn:aws:iam::123456789012:role/dba (~/.aws/config line 6, profile `top`)",
            "region us-east-1: the request",
            "STS at 127.0.0.1:1: ~/.aws/config line 17",
            "the SSO portal at 127.0.0.1:1: AWS_ENDPOINT_URL_SSO",
            "the SSO login service at AWS's own address: default",
        ],
    );
}

#[test]
fn a_program_without_its_arguments() {
    let sandbox = with_config(
        "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/dba\nsource_profile = q\n\
         [profile q]\ncredential_process = no-such-program --password SECRET\n",
    );
    assert_steps(
        &sandbox,
        &[HOST, "--profile", "p"],
        &[
            "credentials source: credential_process (~/.aws/config line 6)",
            "role arn:aws:iam::123456789012:role/dba (~/.aws/config line 3, profile `p`)",
        ],
    );
}

#[test]
fn services_of_the_machine() {
    let mut sandbox = Sandbox::empty();
    let instance = "credentials source: none named; instance metadata (default)";
    assert_steps(&sandbox, &[HOST], &["profile `default`: default", instance]);
    let variable = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    sandbox.set(variable, "http://127.0.0.1:1/");
    let container = format!("credentials source: none named; container ({variable})");
    assert_steps(&sandbox, &[HOST], &[&container]);
}

#[test]
fn a_source_that_cannot_be_used() {
    let sandbox = with_config(
        "[profile p]\nrole_arn = arn:aws:iam::123456789012:role/dba\nsource_profile = q\n",
    );
    assert_steps(
        &sandbox,
        &[HOST, "--profile", "p"],
        &["credentials source: unusable: profile `p`: there is no source_profile `q`"],
    );
}

/// An SSO start URL may hold a password. The file of the login is named, so that the user need not
/// search for it.
#[test]
fn the_login_of_a_start_url() {
    let sandbox = with_config(
        "[profile p]\nsso_start_url = https://me:SECRET@corp.awsapps.com/start\n\
         sso_region = eu-west-1\nsso_account_id = 123456789012\nsso_role_name = R\n",
    );
    assert_steps(
        &sandbox,
        &[HOST, "--profile", "p"],
        &[
            "credentials source: SSO start URL at corp.awsapps.com (~/.aws/config line 3), \
             role R of account 123456789012",
            "region us-east-1: the request",
        ],
    );
    let run = sandbox.run(&["token", HOST, "--profile", "p", "--debug", "--login=never"]);
    let login = run.stderr.lines().find(|line| line.contains("SSO login: "));
    assert!(
        login.is_some_and(|line| line.ends_with(".json holds none")),
        "{}",
        run.stderr
    );
}

#[test]
fn a_mistake_that_leaves_no_plan() {
    let sandbox = with_config("[default]\nregion = eu-west-1\n");
    assert_steps(
        &sandbox,
        &[HOST, "--profile", "none"],
        &[
            "profile `none`: the request",
            "credentials source: unusable: there is no AWS profile `none`",
            "region us-east-1: the request",
        ],
    );
}

#[test]
fn a_cached_token_says_once_who_signed_it() {
    let sandbox = with_config(
        "[default]\naws_access_key_id = AKIA\naws_secret_access_key = SECRET\nregion = us-east-1\n",
    );
    let first = sandbox.ok(&["token", HOST]);
    let run = sandbox.run(&["token", HOST, "--debug"]);
    assert_eq!(run.stdout, first);
    let source = "pgcred: debug: credentials source: access key of profile `default`";
    let steps: Vec<&str> = run.stderr.lines().collect();
    let position = |start: &str| steps.iter().position(|step| step.starts_with(start));
    let (said, used) = (position(source), position("pgcred: debug: cache: token of"));
    assert!(said.is_some() && said < used, "{}", run.stderr);
    assert!(
        steps[used.unwrap()].contains(" for identity ") && steps[used.unwrap()].ends_with(": used"),
        "{}",
        run.stderr
    );
    assert_eq!(run.stderr.matches(source).count(), 1, "{}", run.stderr);
}
