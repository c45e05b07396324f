//! A home with profiles, in which the stand-in of AWS's control planes has a fleet of databases.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::sandbox::{Run, Sandbox};
use crate::support::stubs::Stub;

/// The secret that the stand-in verifies signatures with.
const SECRET: &str = "STUBSECRETthatnobodymayprint";
pub const ACCOUNT_OF_PROD: &str = "111122223333";
/// The configuration of tests that write their own entries, with a comment that stays.
pub const MINE: &str = "# mine\n[connections.mine]\nhost = \"mine.example.com\"\nprovider = \"rds\"\n\
                        user = \"app\"\nprofile = \"dev\"\n";

/// Profiles of two accounts, `dev` and `prod`; `dev-too` has no keys, and the login of `out` is
/// missing.
const PROFILES: &str = "
[profile dev]
region = eu-west-1
[profile dev-too]
region = eu-west-1
[profile prod]
region = us-east-1
[profile out]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = dba
region = eu-west-1
[sso-session corp]
sso_start_url = https://corp.awsapps.com/start
sso_region = eu-west-1
";

pub struct Cloud {
    pub sandbox: Sandbox,
    stub: Stub,
}

impl Cloud {
    /// Starts with what `accounts` declares: by account and region, as the stand-in has it.
    pub fn with(accounts: &Value) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.write(".aws/config", PROFILES);
        let keys = |profile: &str, key: &str| {
            format!("[{profile}]\naws_access_key_id = {key}\naws_secret_access_key = {SECRET}\n")
        };
        let text = keys("dev", "AKIADEV") + &keys("prod", "AKIAPROD");
        sandbox.write(".aws/credentials", text);
        let fleet = sandbox.path("fleet.json");
        std::fs::write(&fleet, declared(accounts)).expect("a file");
        let stub = Stub::fleet(&fleet, None);
        sandbox
            .set("AWS_ENDPOINT_URL", &stub.url(""))
            .set("AWS_PROFILE", "dev");
        Self { sandbox, stub }
    }

    /// Starts with one small fleet in the account of `dev`.
    pub fn usual() -> Self {
        Self::with(&usual())
    }

    /// Declares another fleet.
    pub fn put(&self, accounts: &Value) {
        self.sandbox.write("fleet.json", declared(accounts));
    }

    /// Makes the services behave as these words say.
    pub fn behave(&mut self, words: &str) {
        let url = self.stub.url(words);
        self.sandbox.set("AWS_ENDPOINT_URL", &url);
    }

    pub fn url(&self, words: &str) -> String {
        self.stub.url(words)
    }

    pub fn run(&self, arguments: &[&str]) -> Run {
        let mut all = vec!["discover"];
        all.extend(arguments);
        let run = self.sandbox.run(&all);
        for never in [SECRET, "Signature=", "panicked"] {
            let shown = run.stdout.contains(never) || run.stderr.contains(never);
            assert!(!shown, "{never} in {}{}", run.stdout, run.stderr);
        }
        run
    }

    pub fn ok(&self, arguments: &[&str]) -> Run {
        let run = self.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run
    }

    /// Returns the rows of the JSON.
    pub fn rows(&self, arguments: &[&str]) -> Vec<Value> {
        let mut all = arguments.to_vec();
        all.extend(["--format", "json"]);
        let text = self.ok(&all).stdout;
        let rows: Value = serde_json::from_str(&text).expect("JSON");
        rows.as_array().expect("an array").clone()
    }

    /// Returns a text of each row.
    pub fn texts(&self, field: &str, arguments: &[&str]) -> Vec<String> {
        let rows = self.rows(arguments);
        let texts = rows.iter().map(|row| row[field].as_str().unwrap_or("-"));
        texts.map(str::to_owned).collect()
    }

    pub fn configure(&self, text: &str) {
        std::fs::write(self.config_path(), text).expect("a file");
    }

    pub fn config(&self) -> String {
        std::fs::read_to_string(self.config_path()).unwrap_or_default()
    }

    pub fn config_path(&self) -> PathBuf {
        self.sandbox.own().join("config.toml")
    }
}

fn declared(accounts: &Value) -> String {
    json!({"keys": {"AKIAPROD": ACCOUNT_OF_PROD}, "accounts": accounts}).to_string()
}

/// A cluster of Aurora DSQL with a name and one without, an instance without IAM, and an Aurora
/// cluster with a reader; another DSQL cluster in another account.
pub fn usual() -> Value {
    json!({
        "123456789012": {"eu-west-1": {
            "dsql": [{"id": "main1", "tags": {"Name": "Main"}}, {"id": "bare12345"}],
            "instances": [{"id": "old", "iam": false, "tags": {}}],
            "clusters": [{"id": "orders", "readers": 1, "dbname": "shop", "port": 6543}],
        }},
        ACCOUNT_OF_PROD: {"us-east-1": {"dsql": [{"id": "live1", "tags": {"Name": "Main"}}]}},
    })
}
