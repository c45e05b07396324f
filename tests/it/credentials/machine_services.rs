//! The services of the machine itself: instance metadata, which is asked only if it may be, and the
//! credentials of containers.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::credentials::network::{Net, TOKEN};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, Sandbox};
use crate::support::stubs::{STUB_SECRET, refusal_trouble};

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

/// Some emulators of EC2 give only the availability zone.
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

/// Python's `isoformat` writes the offset.
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
    net.sandbox.ok(&TOKEN); // the host names the region
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
