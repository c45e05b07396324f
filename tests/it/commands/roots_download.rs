//! Root certificates that pgcred does not contain: the download from RDS's trust store, and the
//! error if that fails.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;
use tempfile::TempDir;

use crate::commands::roots::{MEXICO, own, roots, systems};
use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, RDS_HOST, Sandbox};
use crate::support::stubs::{Stub, requests};

const TRUST_STORE: &str = "truststore.pki.rds.amazonaws.com";

/// The host of RDS's trust store, reached through a proxy. Its certificate is verified by the
/// user's bundle.
pub struct TrustStore {
    directory: TempDir,
    stub: Stub,
    sandbox: Sandbox,
}

impl TrustStore {
    pub fn new() -> Self {
        let directory = TempDir::new().expect("a directory");
        let made =
            rcgen::generate_simple_self_signed([TRUST_STORE.to_owned()]).expect("a certificate");
        let file = |name: &str, text: &str| -> PathBuf {
            fs::write(directory.path().join(name), text).expect("a file");
            directory.path().join(name)
        };
        let certificate = file("certificate.pem", &made.cert.pem());
        let key = file("key.pem", &made.signing_key.serialize_pem());
        let stub = Stub::aws_with_tls(&directory.path().join("log"), &certificate, &key);
        let mut store = Self {
            directory,
            stub,
            sandbox: Sandbox::with_keys(),
        };
        for (name, value) in store.way() {
            store.sandbox.set(name, &value);
        }
        store
    }

    /// The variables by which pgcred reaches it.
    pub fn way(&self) -> [(&'static str, String); 2] {
        let certificate = self
            .directory
            .path()
            .join("certificate.pem")
            .display()
            .to_string();
        [
            ("HTTPS_PROXY", self.stub.url("")),
            ("AWS_CA_BUNDLE", certificate),
        ]
    }

    /// Publishes a region's bundle.
    pub fn publish(&self, region: &str, text: &str) {
        fs::write(
            self.directory.path().join(format!("{region}-bundle.pem")),
            text,
        )
        .expect("a file");
    }

    fn asked(&self) -> Vec<String> {
        let log = self.directory.path().join("log");
        let asked = requests(&log);
        fs::write(&log, "").expect("a file");
        let paths = asked.iter().filter(|request| request["method"] == "GET");
        paths
            .map(|request| request["path"].as_str().expect("a path").to_owned())
            .collect()
    }
}

#[test]
fn roots_that_are_not_built_in_are_downloaded_once() {
    skip_unless!(PYTHON);
    let store = TrustStore::new();
    let sandbox = &store.sandbox;
    let pem = rcgen::generate_simple_self_signed(["a root".to_owned()])
        .expect("a certificate")
        .cert
        .pem();
    store.publish("mx-central-1", &pem);
    let path = roots(sandbox, &[MEXICO]);
    assert_eq!(path, own(sandbox, "rds-mx-central-1.pem"));
    let text = fs::read_to_string(&path).expect("a file");
    assert_eq!(
        text,
        format!(
            "# downloaded by pgcred: https://{TRUST_STORE}/mx-central-1/mx-central-1-bundle.pem\n\
             {pem}"
        )
    );
    let url = sandbox.ok(&["token", MEXICO, "--user", "app", "--format", "url"]);
    assert!(url.contains("rds-mx-central-1.pem"), "{url}");
    assert_eq!(store.asked(), ["/mx-central-1/mx-central-1-bundle.pem"]);

    store.publish("eu-west-1", &pem);
    let run = sandbox.run(&["roots", RDS_HOST, "--update"]);
    let rds = own(sandbox, "rds-eu-west-1.pem");
    assert_eq!(
        (run.code, run.stdout),
        (0, format!("{rds}\n")),
        "{}",
        run.stderr
    );
    assert!(fs::read_to_string(&rds).expect("a file").ends_with(&pem));
    roots(sandbox, &[RDS_HOST]);
    assert_eq!(store.asked(), ["/eu-west-1/eu-west-1-bundle.pem"]);
    let run = sandbox.run(&["roots", HOST, "--update"]);
    assert_eq!((run.code, run.stdout.trim_end()), (0, systems()));
    assert!(
        run.stderr.contains("your system keeps them up to date") && store.asked().is_empty(),
        "{}",
        run.stderr
    );
}

#[test]
fn roots_that_cannot_be_downloaded_are_an_error_with_instructions() {
    skip_unless!(PYTHON);
    let mut store = TrustStore::new();
    for (published, says) in [
        (None, "the server answers with status 404"),
        (
            Some("<html>log in to the hotel's network</html>"),
            "does not hold certificates",
        ),
        (
            Some("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"),
            "does not hold certificates",
        ),
    ] {
        if let Some(text) = published {
            store.publish("mx-central-1", text);
        }
        for arguments in [
            &["roots", MEXICO][..],
            &["token", MEXICO, "--user", "app", "--format", "url"],
        ] {
            let run = store.sandbox.run(arguments);
            run.assert_fails(1, says);
            let hint =
                format!("curl -O https://{TRUST_STORE}/mx-central-1/mx-central-1-bundle.pem");
            assert!(
                run.stderr.contains("RDS in mx-central-1") && run.stderr.contains(&hint),
                "{}",
                run.stderr
            );
        }
    }
    let sandbox = &mut store.sandbox;
    assert!(!sandbox.own().join("roots").exists());
    sandbox.ok(&["token", MEXICO, "--user", "app"]); // the token alone needs none
    sandbox
        .run(&["roots", "db.c1.eusc-de-east-1.rds.amazonaws.eu"])
        .assert_fails(1, "RDS in eusc-de-east-1");
    sandbox.set("HTTPS_PROXY", "http://127.0.0.1:1");
    sandbox
        .run(&["roots", MEXICO])
        .assert_fails(1, "cannot download");
    let json: Value = serde_json::from_str(
        &sandbox.ok(&["token", RDS_HOST, "--user", "app", "--format", "json"]),
    )
    .expect("JSON");
    assert_eq!(
        json["sslrootcert"],
        own(sandbox, "rds-eu-west-1.pem"),
        "carried: no network"
    );
}
