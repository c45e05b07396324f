//! The network between pgcred and AWS: proxies, certificates of the user, endpoints, and instance
//! metadata, which pgcred asks only if it may.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, refusal_trouble, requests};

const TOKEN: [&str; 4] = ["token", HOST, "--no-cache", "--timeout=10"];
/// No host has this name (RFC 2606).
const NOWHERE: &str = "sts.example.invalid";
const AWS_STS: &str = "sts.us-east-1.amazonaws.com";

/// A stub of AWS that is a proxy too, the certificate that it shows, and a profile with a role of
/// STS.
struct Net {
    directory: TempDir,
    stub: Stub,
    sandbox: Sandbox,
}

impl Net {
    fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let file = |name: &str, text: &str| {
            fs::write(directory.path().join(name), text).expect("a file");
            directory.path().join(name)
        };
        let hosts = [
            AWS_STS,
            "sts-fips.us-east-1.amazonaws.com",
            "sts.us-east-1.api.aws",
            "127.0.0.1",
        ];
        let made =
            rcgen::generate_simple_self_signed(hosts.map(str::to_owned)).expect("a certificate");
        let (certificate, key) = (
            file("roots.pem", &made.cert.pem()),
            file("key.pem", &made.signing_key.serialize_pem()),
        );
        let stub = Stub::aws_with_tls(&directory.path().join("log"), &certificate, &key);
        let net = Self {
            directory,
            stub,
            sandbox: Sandbox::empty(),
        };
        net.profile("");
        net
    }

    /// Writes the configuration, with more lines for the profile.
    fn profile(&self, more: &str) {
        self.sandbox.write(
            ".aws/config",
            format!(
                "[default]\nrole_arn = arn:aws:iam::{ACCOUNT}:role/R\nsource_profile = keys\n\
                 {more}\n\
                 [profile keys]\naws_access_key_id = AKIAP\naws_secret_access_key = {STUB_SECRET}\n\
                 [services local]\nsts =\n  endpoint_url = {}\n",
                self.stub.url("id-services")
            ),
        );
    }

    fn roots(&self) -> PathBuf {
        self.directory.path().join("roots.pem")
    }

    fn trust(&mut self, bundle: &Path) -> &mut Self {
        self.sandbox
            .set("AWS_CA_BUNDLE", &bundle.display().to_string());
        self
    }

    /// The stub's address, where it speaks TLS.
    fn https(&self) -> String {
        self.stub.url("").replace("http:", "https:")
    }

    /// What was asked since the last time.
    fn asked(&self) -> Vec<Value> {
        let log = self.directory.path().join("log");
        let asked = requests(&log);
        fs::write(log, "").expect("a file");
        asked
    }

    /// Runs what must work and returns through which proxies.
    fn proxies(&self) -> Vec<Value> {
        self.sandbox.ok(&TOKEN);
        self.asked()
            .iter()
            .map(|request| request["proxy"].clone())
            .collect()
    }

    /// Runs what must not work, and never reaches the stub.
    fn refused(&self, code: i32, says: &str) -> Run {
        let run = self.sandbox.run(&TOKEN);
        run.assert_fails(code, says);
        assert_eq!(refusal_trouble(&run, &[code]), None);
        assert_eq!(self.asked(), [0; 0]);
        run
    }
}

#[test]
fn plain_requests_go_through_http_proxy() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let proxy = net.stub.url("");
    net.sandbox
        .set("AWS_ENDPOINT_URL", &format!("http://{NOWHERE}"));
    for variable in ["HTTP_PROXY", "http_proxy"] {
        net.sandbox.set(variable, &proxy);
        assert_eq!(net.proxies(), [NOWHERE]);
        net.sandbox.unset(variable);
    }
    net.sandbox.set("HTTPS_PROXY", &proxy); // is for the others
    net.refused(1, "STS cannot be reached");
    net.sandbox
        .set("HTTP_PROXY", &proxy)
        .set("NO_PROXY", "localhost, .invalid");
    net.refused(1, "STS cannot be reached");
    net.sandbox.set("NO_PROXY", "other.invalid,127.0.0.1");
    assert_eq!(net.proxies(), [NOWHERE]);
    let endpoint = proxy.replace("127.0.0.1", "localhost");
    net.sandbox
        .set("HTTP_PROXY", "http://127.0.0.1:1")
        .set("AWS_ENDPOINT_URL", &endpoint);
    for exception in ["localhost", "example.com, localhost", "*"] {
        net.sandbox.set("NO_PROXY", exception);
        assert_eq!(net.proxies(), [Value::Null]);
    }
}

#[test]
fn https_goes_through_a_tunnel() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let (proxy, roots) = (net.stub.url(""), net.roots());
    net.trust(&roots).sandbox.set("HTTPS_PROXY", &proxy);
    let tunnel = format!("{AWS_STS}:443");
    assert_eq!(net.proxies(), [tunnel.as_str(), &tunnel]); // CONNECT, and the request in it
    net.sandbox
        .set("NO_PROXY", "amazonaws.com")
        .set("AWS_ENDPOINT_URL", &format!("https://{NOWHERE}"));
    net.sandbox.run(&TOKEN);
    assert_eq!(net.asked()[0]["proxy"], format!("{NOWHERE}:443"));
}

#[test]
fn a_proxys_password_is_not_shown() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let closed = format!("http://user:{STUB_SECRET}@127.0.0.1:1");
    net.sandbox
        .set("HTTPS_PROXY", &closed)
        .set("HTTP_PROXY", &closed);
    for endpoint in ["http", "https"] {
        net.sandbox
            .set("AWS_ENDPOINT_URL", &format!("{endpoint}://{NOWHERE}"));
        let run = net.refused(1, "STS cannot be reached");
        assert!(
            run.stderr.contains("hint: check the network, HTTPS_PROXY"),
            "{}",
            run.stderr
        );
    }
}

/// The address is on the machine itself, so a proxy would get its token. The AWS CLI asks it
/// directly too.
#[test]
fn the_containers_service_is_asked_directly() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    fs::remove_file(net.sandbox.path(".aws/config")).expect("a file");
    let proxy = net.stub.url("");
    net.sandbox
        .set("HTTP_PROXY", &proxy)
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &net.stub.url("ecs/x"));
    assert_eq!(net.proxies(), [Value::Null]);
}

/// pgcred follows the AWS CLI, which uses the rules of Python's `urllib`.
#[test]
fn variables_of_proxies_count_as_in_the_aws_cli() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let proxy = net.stub.url("");
    let (dead, socks) = ("http://127.0.0.1:1", "socks5://127.0.0.1:9");
    let endpoint = net.stub.url("").replace("127.0.0.1", "localhost");
    net.sandbox.set("AWS_ENDPOINT_URL", &endpoint);
    net.sandbox.set("ALL_PROXY", socks).set("all_proxy", dead);
    assert_eq!(net.proxies(), [Value::Null]);
    net.sandbox.set("HTTP_PROXY", dead).set("http_proxy", "");
    assert_eq!(net.proxies(), [Value::Null]);
    net.sandbox.set("http_proxy", &proxy);
    let through = endpoint.strip_prefix("http://").expect("an http address");
    assert_eq!(net.proxies(), [through]);
    net.sandbox.set(
        "http_proxy",
        proxy.strip_prefix("http://").expect("an http address"),
    );
    assert_eq!(net.proxies(), [through]);
    let host = proxy.strip_prefix("http://").expect("an http address");
    for password in ["p%20w", "p w", "p@w"] {
        net.sandbox
            .set("http_proxy", &format!("http://user:{password}@{host}"));
        assert_eq!(net.proxies(), [through]);
    }
    net.sandbox
        .set("NO_PROXY", "*")
        .set("no_proxy", "other.invalid");
    assert_eq!(net.proxies(), [through]);
    net.sandbox.set("no_proxy", "");
    assert_eq!(net.proxies(), [through]);
    net.sandbox.unset("no_proxy");
    assert_eq!(net.proxies(), [Value::Null]);
}

/// pgcred does not ask AWS without the proxy, and does not show the password of the proxy.
#[test]
fn a_proxy_that_cannot_be_used_is_an_error() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let endpoint = net.stub.url("");
    net.sandbox.set("AWS_ENDPOINT_URL", &endpoint);
    for proxy in [
        "http://user:STUB SECRET@[::1",
        "socks5://user:STUBSECRET@127.0.0.1:9",
        "http://user:STUBSECRET@",
        "http://user:STUB/SECRET@127.0.0.1:1",
        "h ttp",
    ] {
        net.sandbox.set("HTTP_PROXY", proxy);
        let run = net.refused(
            2,
            "HTTP_PROXY is not the address of a proxy that pgcred can use\nhint: write it like",
        );
        assert!(!run.stderr.contains("SECRET"), "{}", run.stderr);
    }
}

#[test]
fn too_large_answers_of_services_are_refused() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let endless = net.stub.url("endless");
    net.sandbox.set("AWS_ENDPOINT_URL", &endless);
    net.sandbox
        .run(&TOKEN)
        .assert_fails(1, "is longer than 1024 KiB");
    net.sandbox.write(".aws/config", "");
    let with_password = net
        .stub
        .url("endless/ecs/x")
        .replace("//", "//user:STUBSECRET@");
    net.sandbox
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &with_password);
    let run = net.sandbox.run(&TOKEN);
    run.assert_fails(1, "is longer than 1024 KiB");
    assert!(!run.stderr.contains("STUBSECRET"), "{}", run.stderr);
    net.sandbox
        .unset("AWS_CONTAINER_CREDENTIALS_FULL_URI")
        .unset("AWS_EC2_METADATA_DISABLED");
    net.sandbox
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &endless);
    net.sandbox
        .run(&TOKEN)
        .assert_fails(1, "is longer than 64 KiB");
}

#[test]
fn a_services_long_message_is_shortened() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let wordy = net.stub.url("wordy/error-AccessDenied");
    net.sandbox.set("AWS_ENDPOINT_URL", &wordy);
    let run = net.sandbox.run(&TOKEN);
    run.assert_fails(1, "STS refused: AccessDenied: the stub says no");
    assert!(run.stderr.len() < 1_000, "{} bytes", run.stderr.len());
}

#[test]
fn certificates_are_needed_only_for_tls() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let (plain, tls) = (net.stub.url(""), net.https());
    let pipe = net.sandbox.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    net.trust(&pipe).sandbox.set("AWS_ENDPOINT_URL", &tls);
    net.sandbox
        .run(&["token", HOST, "--no-cache", "--timeout=1"])
        .assert_fails(1, "gave nothing in time");
    net.trust(Path::new("/nowhere.pem"))
        .sandbox
        .set("AWS_ENDPOINT_URL", &plain);
    assert_eq!(net.proxies(), [Value::Null]);
    net.sandbox.set("AWS_ENDPOINT_URL", &tls);
    net.refused(2, "cannot read /nowhere.pem");
    Sandbox::with_keys()
        .set("AWS_CA_BUNDLE", "/nowhere.pem")
        .ok(&TOKEN);
}

/// The AWS CLI also asks the endpoint as it is.
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
        "the endpoint of STS is no http address: `example.invalid`",
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
            &format!("the endpoint of STS is no http address: `{shown}`"),
        );
    }
}

/// Some emulators of EC2 know only the zone.
#[test]
fn the_region_may_come_from_the_zone() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let id = "foo0bar1baz2quux3quuux4abc";
    net.sandbox.write(".aws/config", "");
    net.sandbox
        .set("AWS_ACCESS_KEY_ID", "AKIAENV")
        .set("AWS_SECRET_ACCESS_KEY", STUB_SECRET);
    for words in ["", "zone-only", "zone-only/version-1"] {
        let address = net.stub.url(words);
        net.sandbox
            .unset("AWS_EC2_METADATA_DISABLED")
            .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address);
        let token = net.sandbox.ok(&["token", id, "--no-cache"]);
        assert!(
            token.starts_with(&format!("{id}.dsql.ap-southeast-4.on.aws/")),
            "{token}"
        );
    }
}

/// Python's `isoformat` writes such a time.
#[test]
fn a_containers_time_may_have_an_offset() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    net.sandbox.write(".aws/config", "");
    net.sandbox.set(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &net.stub.url("ecs/offset"),
    );
    net.sandbox.ok(&TOKEN);
}

#[test]
fn certificates_of_the_user_replace_those_of_the_system() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    let (roots, endpoint) = (net.roots(), net.https());
    net.sandbox.set("AWS_ENDPOINT_URL", &endpoint);
    let run = net.refused(1, "STS cannot be reached");
    assert!(
        run.stderr.contains("certificate") && run.stderr.contains("AWS_CA_BUNDLE"),
        "{}",
        run.stderr
    );
    net.trust(&roots);
    assert_eq!(net.proxies(), [Value::Null]);
    net.sandbox.unset("AWS_CA_BUNDLE");
    net.profile(&format!("ca_bundle = {}", roots.display()));
    assert_eq!(net.proxies(), [Value::Null]);
    net.sandbox
        .write("roots.pem", fs::read(&roots).expect("a file"));
    net.profile("ca_bundle = ~/roots.pem");
    assert_eq!(net.proxies(), [Value::Null], "as in the AWS CLI");
    net.profile("");
    net.sandbox.set("REQUESTS_CA_BUNDLE", "~//roots.pem");
    assert_eq!(net.proxies(), [Value::Null], "as in the AWS CLI");
    net.sandbox.set("AWS_CA_BUNDLE", "/nowhere.pem");
    net.refused(2, "/nowhere.pem");
    net.sandbox.unset("REQUESTS_CA_BUNDLE");

    let good = fs::read_to_string(&roots).expect("a file");
    let broken = "-----BEGIN CERTIFICATE-----\nMIIBroken\n-----END CERTIFICATE-----\n";
    let not_one = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for text in [
        format!("{broken}{not_one}{good}"),
        format!("# a comment\n{good}{good}{not_one}"),
    ] {
        let bundle = net.sandbox.write("bundle.pem", text);
        net.trust(&bundle);
        assert_eq!(net.proxies(), [Value::Null]);
    }
    for text in ["", "no PEM", not_one] {
        let bundle = net.sandbox.write("bundle.pem", text);
        net.trust(&bundle).refused(
            2,
            "bundle.pem: no usable certificate in it\nhint: correct or unset AWS_CA_BUNDLE",
        );
    }
    let missing = net.sandbox.path("missing.pem");
    let run = net.trust(&missing).refused(2, "missing.pem");
    assert!(
        run.stderr
            .contains("\nhint: correct or unset AWS_CA_BUNDLE, ca_bundle or REQUESTS_CA_BUNDLE\n"),
        "{}",
        run.stderr
    );
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

/// Points instance metadata at the stub, which gives credentials and a region.
fn on_ec2(net: &mut Net) {
    let address = net.stub.url("");
    net.sandbox
        .unset("AWS_EC2_METADATA_DISABLED")
        .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address);
}

#[test]
fn instance_metadata_is_asked_last_and_only_if_needed() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    on_ec2(&mut net);
    net.sandbox.write(".aws/config", "");
    net.sandbox.ok(&TOKEN);
    assert!(!net.asked().is_empty());
    net.sandbox
        .set("AWS_ACCESS_KEY_ID", "AKIAENV")
        .set("AWS_SECRET_ACCESS_KEY", STUB_SECRET);
    net.sandbox.ok(&TOKEN); // the host gives the region
    net.sandbox.ok(&[
        "token",
        "foo0bar1baz2quux3quuux4abc",
        "--no-cache",
        "--region",
        "us-east-1",
    ]);
    assert_eq!(net.asked(), [0; 0]);
    net.sandbox
        .unset("AWS_ACCESS_KEY_ID")
        .unset("AWS_SECRET_ACCESS_KEY");
    let answer =
        format!(r#"{{"Version":1,"AccessKeyId":"AKIAPROC","SecretAccessKey":"{STUB_SECRET}"}}"#);
    let answer = net.sandbox.write("answer", answer).display().to_string();
    net.sandbox.write(
        ".aws/config",
        format!("[default]\nregion = us-east-1\ncredential_process = cat {answer}\n"),
    );
    net.sandbox.ok(&TOKEN);
    net.sandbox
        .ok(&["token", "foo0bar1baz2quux3quuux4abc", "--no-cache"]);
    assert_eq!(net.asked(), [0; 0]);
}

#[test]
fn instance_metadata_does_not_hide_a_failure() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    on_ec2(&mut net);
    for (config, code) in [
        ("credential_process = false", 1),
        ("credential_process = /nowhere/program", 1),
        ("aws_access_key_id = k", 2),
        (
            "role_arn = arn:aws:iam::123456789012:role/R\nsource_profile = missing",
            2,
        ),
        (
            "web_identity_token_file = /nowhere/token\nrole_arn = arn:aws:iam::123456789012:role/R",
            2,
        ),
        (
            "sso_start_url = https://x.awsapps.com/start\nsso_region = us-east-1\n\
             sso_account_id = 1\nsso_role_name = r",
            3,
        ),
        ("login_session = arn:aws:iam::123456789012:user/me", 3),
    ] {
        net.sandbox
            .write(".aws/config", format!("[default]\n{config}\n"));
        net.refused(code, "hint: ");
    }
    net.sandbox.write(".aws/config", "");
    net.sandbox
        .set("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/x");
    net.refused(1, "cannot get container credentials");
}

/// One server accepts no connection, and at the other address there is none. The fastest of three
/// tries counts, because machines are loaded.
#[test]
fn outside_of_ec2_instance_metadata_costs_a_second() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = format!("http://{}", silent.local_addr().expect("an address"));
    for address in [silent.as_str(), "http://10.255.255.1", "http://127.0.0.1:1"] {
        let mut sandbox = Sandbox::empty();
        sandbox
            .unset("AWS_EC2_METADATA_DISABLED")
            .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", address);
        let quick = (0..3).any(|_| {
            let began = Instant::now();
            sandbox
                .run(&TOKEN)
                .assert_fails(3, "no AWS credentials in the environment");
            began.elapsed() < Duration::from_secs(2)
        });
        assert!(quick, "{address}");
    }
}

/// The token of a container is sent only to this machine and to the addresses of AWS.
#[test]
fn an_address_of_a_container_that_only_looks_allowed_is_not_asked() {
    skip_unless!(PYTHON);
    let mut net = Net::new();
    net.sandbox.write(".aws/config", "");
    net.sandbox
        .set("AWS_CONTAINER_AUTHORIZATION_TOKEN", STUB_SECRET);
    let here = format!("127.0.0.1:{}", net.stub.port());
    let own = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
    for address in [
        format!("http://{here}@evil.invalid/"),
        format!("http://evil.invalid\\@{here}/ecs/x"),
        format!("http://evil.invalid#@{here}/ecs/x"),
        format!("http://evil.invalid?@{here}/ecs/x"),
        format!("http://127.0.0.1.evil.invalid:{}/ecs/x", net.stub.port()),
        format!("http://127.1:{}/ecs/x", net.stub.port()),
        format!("http://0x7f.1:{}/ecs/x", net.stub.port()),
        format!("http://0.0.0.0:{}/ecs/x", net.stub.port()),
        format!("http://[::ffff:127.0.0.1]:{}/ecs/x", net.stub.port()),
        format!("http://{here}/\r\nx: y"),
        format!("//{here}/ecs/x"),
        "file:///etc/passwd".to_owned(),
        String::new(),
    ] {
        let run = net
            .sandbox
            .set(own, &address)
            .run(&["token", HOST, "--no-cache", "--timeout=2"]);
        assert_eq!(refusal_trouble(&run, &[1, 2]), None, "{address}");
        assert_eq!(net.asked(), [0; 0], "{address}");
    }
    net.sandbox.unset(own);
    for address in [
        "ecs/x".to_owned(),
        format!("@{here}/ecs/x"),
        format!(".{here}/ecs/x"),
    ] {
        net.sandbox
            .set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", &address);
        net.refused(2, "does not begin with `/`");
    }
}
