//! One cause of a failure: the home directory and the services that produce it, and the error that
//! pgcred must print.

use crate::support::desk::desk;
use crate::support::sandbox::{HOST, Sandbox};
use crate::support::stubs::{ACCOUNT, Stub, check_all, refusal_trouble};

pub const SOON: &str = "2030-01-01T00:05:00Z";

pub const CLUSTER: &str = "foo0bar1baz2quux3quuux4abc";

pub const KEYS: &str =
    "[profile keys]\naws_access_key_id = AKIAP\naws_secret_access_key = STUBSECRET\n";

pub const ROLE: &str = "role_arn = arn:aws:iam::123456789012:role/R\n";

pub const SSO: &str = "sso_session = corp\nsso_account_id = 123456789012\nsso_role_name = dev\n";

pub const CORP: &str =
    "[sso-session corp]\nsso_region = us-west-2\nsso_start_url = https://x.awsapps.com/start\n";

pub const CONTAINER: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";

pub const IMDS: &str = "AWS_EC2_METADATA_SERVICE_ENDPOINT";

pub const CONFIGURE_SSO: &str = "run `aws configure sso` to set it up";

pub const CHECK_NETWORK: &str = "check the network, HTTPS_PROXY and AWS_CA_BUNDLE";

pub const FOR_KEYS: &str = "renew or unset AWS_ACCESS_KEY_ID";

pub const FOR_SSO: &str = "run `pgcred login`, then try again";

pub const FOR_LOGIN: &str = "run `aws login`, then try again";

pub const BY_HAND: &str = "run `/bin/sh ...`, the command of the profile, by hand to see more";

pub const OF_CONTAINER: &str =
    "check that the service of AWS_CONTAINER_CREDENTIALS_FULL_URI is running";

pub const OF_INSTANCE: &str = "try again; if it fails again, detach and attach the instance's role";

/// A cause of a failure. `@` in its texts stands for the address of the stub. The files are those
/// of the profile `default`.
pub struct Cause {
    /// The stub's words for all services, unless a variable says otherwise.
    pub words: &'static str,
    pub config: String,
    pub files: Vec<(&'static str, String)>,
    pub variables: Vec<(&'static str, String)>,
    pub target: &'static str,
    pub exit: i32,
    pub says: &'static str,
    pub hint: &'static str,
}

pub fn cause(exit: i32, says: &'static str, hint: &'static str) -> Cause {
    Cause {
        words: "",
        config: String::new(),
        files: Vec::new(),
        variables: Vec::new(),
        target: HOST,
        exit,
        says,
        hint,
    }
}

impl Cause {
    pub fn words(mut self, words: &'static str) -> Self {
        self.words = words;
        self
    }

    /// Lines of the default profile, and sections after it.
    pub fn config(mut self, profile: &str, sections: &str) -> Self {
        self.config = format!("[default]\n{profile}\n{sections}");
        self
    }

    pub fn file(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.files.push((name, text.into()));
        self
    }

    pub fn set(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.variables.push((name, value.into()));
        self
    }

    pub fn target(mut self, target: &'static str) -> Self {
        self.target = target;
        self
    }

    pub fn sandbox(&self, stub: &Stub) -> Sandbox {
        let mut sandbox = desk(&stub.url(self.words));
        let fill = |text: &str| {
            text.replace("@HOME", &sandbox.home().display().to_string())
                .replace('@', &stub.url(self.words))
        };
        let variables: Vec<_> = self
            .variables
            .iter()
            .map(|(name, value)| (*name, fill(value)))
            .collect();
        sandbox.write(".aws/config", fill(&self.config));
        for (name, text) in &self.files {
            sandbox.write(name, fill(text));
        }
        for (name, value) in variables {
            if name == IMDS {
                sandbox.unset("AWS_EC2_METADATA_DISABLED");
            }
            sandbox.set(name, &value);
        }
        sandbox
    }

    pub fn check(&self, stub: &Stub) -> Result<(), String> {
        let sandbox = self.sandbox(stub);
        let name = self.says;
        let run = sandbox.run(&["token", self.target, "--timeout", "10"]);
        if let Some(trouble) = refusal_trouble(&run, &[self.exit]) {
            return Err(format!("{name}: {trouble}"));
        }
        let said = run.stderr.trim_end();
        let [error, hint] = said.lines().collect::<Vec<_>>()[..] else {
            return Err(format!("{name}: not an error and a hint: {said}"));
        };
        if !error.contains(name) || !hint.starts_with(&format!("hint: {}", self.hint)) {
            return Err(format!("wanted {name} / {}, got {said}", self.hint));
        }
        if said.contains(ACCOUNT) {
            return Err(format!("{name} tells the account: {said}"));
        }
        // From the record of the failure, if there is one.
        let again = sandbox.run(&["token", self.target, "--timeout", "10"]);
        if again.code != self.exit || !again.stderr.contains(hint) {
            return Err(format!(
                "{name}, again: exit {}, {}",
                again.code, again.stderr
            ));
        }
        let debug = sandbox.run(&[
            "token",
            self.target,
            "--timeout",
            "10",
            "--no-cache",
            "--debug",
        ]);
        let secret = ["STUBSECRET", "ssotoken"]
            .iter()
            .any(|secret| debug.stderr.contains(secret));
        if debug.code != self.exit || secret || !debug.stderr.contains(name) {
            return Err(format!(
                "{name}, --debug: exit {}, {}",
                debug.code, debug.stderr
            ));
        }
        Ok(())
    }
}

pub fn check(causes: &[Cause]) {
    let stub = Stub::aws(None);
    check_all(causes, |cause| cause.check(&stub));
}

/// Returns a cause whose default profile runs a program with this script.
pub fn process(script: &str, exit: i32, says: &'static str, hint: &'static str) -> Cause {
    cause(exit, says, hint)
        .file("program.sh", script)
        .config("credential_process = /bin/sh @HOME/program.sh", "")
}
