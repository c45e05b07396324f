//! The network between pgcred and AWS: proxies, certificates of the user, and the size of answers.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::stubs::{ACCOUNT, STUB_SECRET, Stub, refusal_trouble, requests};

pub const TOKEN: [&str; 4] = ["token", HOST, "--no-cache", "--timeout=10"];

/// No host has this name (RFC 2606).
const NOWHERE: &str = "sts.example.invalid";

pub const AWS_STS: &str = "sts.us-east-1.amazonaws.com";

/// A stub of AWS that is a proxy too, the certificate that it shows, and a profile with a role of
/// STS.
pub struct Net {
    pub directory: TempDir,
    pub stub: Stub,
    pub sandbox: Sandbox,
}

impl Net {
    pub fn new() -> Self {
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
    pub fn profile(&self, more: &str) {
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

    pub fn roots(&self) -> PathBuf {
        self.directory.path().join("roots.pem")
    }

    pub fn trust(&mut self, bundle: &Path) -> &mut Self {
        self.sandbox
            .set("AWS_CA_BUNDLE", &bundle.display().to_string());
        self
    }

    /// The stub's address, where it speaks TLS.
    pub fn https(&self) -> String {
        self.stub.url("").replace("http:", "https:")
    }

    /// Returns the requests since the last call.
    pub fn asked(&self) -> Vec<Value> {
        let log = self.directory.path().join("log");
        let asked = requests(&log);
        fs::write(log, "").expect("a file");
        asked
    }

    /// Runs pgcred, which must succeed, and returns the proxies that it used.
    pub fn proxies(&self) -> Vec<Value> {
        self.sandbox.ok(&TOKEN);
        self.asked()
            .iter()
            .map(|request| request["proxy"].clone())
            .collect()
    }

    /// Runs pgcred, which must fail without reaching the stub.
    pub fn refused(&self, code: i32, says: &str) -> Run {
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
    net.sandbox.set("HTTPS_PROXY", &proxy); // is for https:// only
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
    assert_eq!(net.proxies(), [tunnel.as_str(), &tunnel]); // CONNECT and the request inside it
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
        .assert_fails(1, "sent nothing in time");
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
            "bundle.pem has no certificate that can be used\nhint: correct or unset AWS_CA_BUNDLE",
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
