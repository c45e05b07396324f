//! The endpoint of a service: the one that the user configures, and those of FIPS and dual stack.

use serde_json::Value;

use crate::credentials::network::{AWS_STS, Net, TOKEN};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::HOST;
use crate::support::stubs::{ACCOUNT, STUB_SECRET};

/// The AWS CLI also uses an endpoint of the user without a change.
#[test]
fn an_endpoint_of_the_user_wins_over_fips_and_dual_stack() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let endpoint = net.stub.url("");
    net.sandbox.set("AWS_ENDPOINT_URL_STS", &endpoint);
    for variable in ["AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"] {
        net.sandbox.set(variable, "true").ok(&TOKEN);
    }
}

#[test]
fn an_empty_endpoint_counts_as_none_and_an_unused_section_may_be_missing() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let proxy = net.stub.url("");
    let roots = net.roots();
    net.trust(&roots).sandbox.set("HTTPS_PROXY", &proxy);
    let tunnel = format!("{AWS_STS}:443");
    net.profile("endpoint_url =");
    assert_eq!(net.proxies(), [tunnel.as_str(), &tunnel]);
    net.profile("services = empty\n[services empty]\nsts =\n  endpoint_url =");
    assert_eq!(net.proxies(), [tunnel.as_str(), &tunnel]);
    net.profile("services = gone");
    net.refused(2, "there is no [services gone]");
    net.sandbox.set("AWS_ENDPOINT_URL", &proxy);
    assert_eq!(net.proxies(), [Value::Null]);
}

/// The SDK repeats the request with its token in the error if it cannot use the endpoint. That is
/// not shown either.
#[test]
fn the_password_in_an_endpoint_is_not_shown() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let token = net.sandbox.write("jwt", STUB_SECRET).display().to_string();
    let role = format!("arn:aws:iam::{ACCOUNT}:role/R");
    net.sandbox
        .set("AWS_WEB_IDENTITY_TOKEN_FILE", &token)
        .set("AWS_ROLE_ARN", &role);
    net.sandbox.set(
        "AWS_ENDPOINT_URL",
        &format!("ftp://user:{STUB_SECRET}@example.invalid"),
    );
    net.refused(
        2,
        "the endpoint of STS must begin with http:// or https://: `example.invalid`",
    );
    for (address, shown) in [
        (
            &*format!("http://user:{STUB_SECRET} pw@127.0.0.1:1"),
            "127.0.0.1:1",
        ),
        ("http://127.0.0.1:1 ", "http://127.0.0.1:1 "),
        ("http://[::1", "http://[::1"),
        ("http://127.0.0.1:99999", "http://127.0.0.1:99999"),
        ("http://", "http://"),
    ] {
        net.sandbox.set("AWS_ENDPOINT_URL", address);
        net.refused(
            2,
            &format!("the endpoint of STS must begin with http:// or https://: `{shown}`"),
        );
    }
}

#[test]
fn fips_and_dual_stack_endpoints_are_used_if_configured() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let proxy = net.stub.url("");
    net.sandbox.set("HTTPS_PROXY", &proxy);
    let mut asks = |set: &[(&str, &str)], more: &str, host: &str| {
        net.profile(more);
        for (name, value) in set {
            net.sandbox.set(name, value);
        }
        net.sandbox.run(&TOKEN).assert_fails(1, "");
        for (name, _) in set {
            net.sandbox.unset(name);
        }
        assert_eq!(
            net.asked()[0]["path"],
            format!("{host}:443"),
            "{set:?} {more}"
        );
    };
    let (fips, dual) = (
        ("AWS_USE_FIPS_ENDPOINT", "true"),
        ("AWS_USE_DUALSTACK_ENDPOINT", "true"),
    );
    asks(&[], "", AWS_STS);
    asks(&[fips], "", "sts-fips.us-east-1.amazonaws.com");
    asks(&[dual], "", "sts.us-east-1.api.aws");
    asks(&[fips, dual], "", "sts-fips.us-east-1.api.aws");
    asks(
        &[],
        "use_fips_endpoint = True",
        "sts-fips.us-east-1.amazonaws.com",
    );
    asks(
        &[],
        "use_dualstack_endpoint = true",
        "sts.us-east-1.api.aws",
    );
    asks(
        &[("AWS_USE_FIPS_ENDPOINT", "false")],
        "use_fips_endpoint = true",
        AWS_STS,
    );
}

#[test]
fn the_more_specific_endpoint_wins() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    net.profile(&format!("endpoint_url = {}", net.stub.url("id-profile")));
    let asked = |net: &Net| {
        net.sandbox.ok(&TOKEN);
        net.asked()[0]["id"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(asked(&net), "profile");
    net.profile(&format!(
        "services = local\nendpoint_url = {}",
        net.stub.url("id-profile")
    ));
    assert_eq!(asked(&net), "services");
    let global = net.stub.url("id-global");
    net.sandbox.set("AWS_ENDPOINT_URL", &global);
    assert_eq!(asked(&net), "global");
    let own = net.stub.url("id-own");
    net.sandbox
        .set("AWS_ENDPOINT_URL_STS", &own)
        .set("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1");
    assert_eq!(asked(&net), "own");
    let (proxy, roots) = (net.stub.url(""), net.roots());
    net.trust(&roots)
        .sandbox
        .set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
        .set("HTTPS_PROXY", &proxy);
    assert_eq!(
        net.proxies(),
        [format!("{AWS_STS}:443"), format!("{AWS_STS}:443")]
    );
}

/// A pause after a failure protects AWS, but AWS was not asked here.
#[test]
fn a_corrected_setting_is_used_at_once() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let endpoint = net.https();
    net.sandbox
        .set("AWS_CA_BUNDLE", &net.roots().display().to_string());
    for (variable, wrong, right) in [
        ("AWS_ENDPOINT_URL", "nowhere", endpoint.as_str()),
        (
            "AWS_CA_BUNDLE",
            "/nowhere",
            &net.roots().display().to_string(),
        ),
    ] {
        net.sandbox
            .set(variable, wrong)
            .run(&["token", HOST])
            .assert_fails(2, "hint: correct or unset AWS_");
        net.sandbox.set(variable, right);
        net.sandbox.ok(&["token", HOST]);
        net.sandbox.ok(&["erase", "--all"]);
    }
}
