//! The credential chain compared with the real AWS CLI: the same access key, region, session token
//! and parameters of STS, or a refusal.
//!
//! The scenarios are in tests/vectors/chain.json and chain-more.json: files, variables and options,
//! and the result of the AWS CLI. `pgcred_exit` has the exit code with which pgcred refuses if the
//! CLI refuses (one, or several that are right), and `pgcred_names` the file and line that pgcred
//! names. The target is a bare cluster ID, so that the region comes from the scenario.
//!
//! Scenarios that the plan alone decides run as a unit test of the plan; here run a sample of those
//! and all others.

use std::collections::BTreeSet;
use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use tempfile::TempDir;
use url::Url;

use crate::support::needs::{PYTHON, package, skip_unless};
use crate::support::sandbox::{Run, Sandbox};
use crate::support::stubs::{Stub, check_all, contains, refusal_trouble};

const CLUSTER: &str = "foo0bar1baz2quux3quuux4abc";
/// The body of a P-256 key in SEC1 form, which was made for these tests.
const LOGIN_KEY: [&str; 3] = [
    "MHcCAQEEIEsmSktqaOg+op2oLmogMs6xCM4BMHGCvZcAtVG3p4exoAoGCCqGSM49",
    "AwEHoUQDQgAEIVmjrR0gC38NCUxdfP64RrNfOWUFlmfObSyaK/I3wns/0U2oAQqm",
    "dGET6/OPoST3sfkZBAHkuZ3AHLbz9QPXOQ==",
];

/// Defects of the AWS CLI that pgcred does not copy: the scenario, what pgcred does (`exit N` means
/// that it refuses), and why.
const DEVIATIONS: [(&str, &str, &str); 17] = [
    (
        "region-AWS_REGION-empty",
        "AKIAENV@us-west-2",
        "the CLI builds an invalid endpoint: empty is unset",
    ),
    (
        "region-AWS_REGION-empty-profile-has",
        "AKIAP@eu-west-2",
        "the same",
    ),
    (
        "region-AWS_DEFAULT_REGION-empty-profile-has",
        "AKIAP@eu-west-2",
        "the same",
    ),
    (
        "region-AWS_REGION-empty-imds",
        "AKIAENV@ap-southeast-4",
        "the same",
    ),
    (
        "region-value-blank-at-the-end",
        "AKIAENV@us-east-1",
        "pgcred drops blanks around a region wherever it comes from",
    ),
    ("region-value-newline", "AKIAENV@us-east-1", "the same"),
    (
        "login-10-min-no-refresh",
        "ASIALOGIN2@us-east-1 tok=lt2",
        "what ends before the token would is renewed if it can be",
    ),
    (
        "region-value-upper",
        "AKIAENV@us-east-1",
        "the CLI signs upper case, which the service refuses",
    ),
    (
        "static-key-empty",
        "exit 2",
        "the CLI signs with an empty key ID",
    ),
    (
        "static-secret-empty",
        "exit 2",
        "the CLI signs with an empty secret",
    ),
    (
        "process-key-empty",
        "exit 1",
        "the CLI signs with an empty key ID",
    ),
    (
        "process-session-token-empty",
        "AKIAPROC@us-east-1",
        "the CLI sends an empty session token, which the service refuses",
    ),
    (
        "static-security-token-empty",
        "ASIAD@us-east-1 tok=modern",
        "the same; of variables an empty one is skipped",
    ),
    (
        "role-cached-garbage",
        "ASIASTSR@us-east-1 tok=stsR",
        "the CLI ends with the KeyError of its broken cache file",
    ),
    (
        "role-cached-without-credentials",
        "ASIASTSR@us-east-1 tok=stsR",
        "the same",
    ),
    (
        "role-cached-source-broken",
        "ASIACACHED@us-east-1 tok=cachedtoken",
        "the CLI asks the source for credentials that it does not need",
    ),
    (
        "env-expiration-rfc822",
        "exit 2",
        "a guess of dateutil's; what says when keys end has to be exact",
    ),
];

/// Scenarios that the plan decides and that run through the whole program all the same: one of each
/// kind.
const SAMPLE: [&str; 14] = [
    "creds-env-token-empty",
    "creds-env-vs---profile",
    "file-malformed-noenv",
    "file-credentials-beat-config",
    "region-in-credentials-file",
    "role-loop",
    "role-all-parameters",
    "profile-AWS_PROFILE-vs-AWS_DEFAULT_PROFILE",
    "env-key-without-secret",
    "static-no-secret",
    "process-env-keys-win",
    "webid-env-and-env-keys",
    "container-and-default-keys",
    "endpoint-services-section",
];

fn scenarios() -> Vec<Value> {
    let files = [
        include_str!("../../vectors/chain.json"),
        include_str!("../../vectors/chain-more.json"),
    ];
    let all: Vec<Value> = files
        .into_iter()
        .flat_map(|text| serde_json::from_str::<Vec<Value>>(text).expect("JSON"))
        .collect();
    for (id, ..) in DEVIATIONS {
        assert!(
            all.iter().any(|scenario| scenario["id"] == *id),
            "no scenario {id}"
        );
    }
    all
}

/// Returns a P-256 key in PEM, as a part of a JSON string.
pub fn login_key() -> String {
    format!(
        "-----BEGIN EC {0} KEY-----\\n{1}\\n-----END EC {0} KEY-----",
        "PRIVATE",
        LOGIN_KEY.join("\\n")
    )
}

/// A scenario with its directory and the stubs that it may ask.
struct Trial<'a> {
    scenario: &'a Value,
    sandbox: Sandbox,
    ports: [u16; 2],
}

impl Trial<'_> {
    fn id(&self) -> &str {
        self.scenario["id"].as_str().expect("an id")
    }

    /// Puts the directory, ports and times where the scenario has `@HOME@` and the like.
    fn fill(&self, text: &str) -> String {
        let [stub, moto] = self.ports.map(|port| port.to_string());
        let mut text = text
            .replace("@HOME@", &self.sandbox.home().display().to_string())
            .replace("@ID@", self.id());
        for (name, value) in [
            ("@STUB_PORT@", stub),
            ("@MOTO_PORT@", moto),
            ("@FRESH_P256_SEC1_PEM@", login_key()),
        ] {
            text = text.replace(name, &value);
        }
        for form in ["NOW", "NAIVE", "OFFSET", "FRACTION", "UTC", "ISO"] {
            for sign in ['+', '-'] {
                while let Some((before, rest)) = text.split_once(&format!("@{form}{sign}")) {
                    let (seconds, after) = rest.split_once("s@").expect("seconds");
                    let seconds: i64 = format!("{sign}{seconds}").parse().expect("a number");
                    text = format!("{before}{}{after}", time_in(form, seconds));
                }
            }
        }
        text
    }

    fn prepare(&mut self) {
        let inputs = &self.scenario["inputs"];
        for (name, text) in [
            (".aws/config", &inputs["aws_config"]),
            (".aws/credentials", &inputs["aws_credentials"]),
        ] {
            if let Some(text) = text.as_str() {
                self.sandbox.write(name, self.fill(text));
            }
        }
        for (name, text) in inputs["files"].as_object().into_iter().flatten() {
            self.sandbox
                .write(name, self.fill(text.as_str().expect("text")));
        }
        for (name, text) in inputs["files_latin1"].as_object().into_iter().flatten() {
            let text = self.fill(text.as_str().expect("text"));
            let bytes: Vec<u8> = text
                .chars()
                .map(|c| u8::try_from(u32::from(c)).expect("Latin-1"))
                .collect();
            self.sandbox.write(name, bytes);
        }
        if let Some(url) = inputs["imds_stub"].as_str() {
            let url = self.fill(url);
            self.sandbox
                .unset("AWS_EC2_METADATA_DISABLED")
                .set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url);
        }
        for (name, value) in inputs["env"].as_object().expect("variables") {
            let value = self.fill(value.as_str().expect("text"));
            self.sandbox.set(name, &value);
        }
    }

    fn run(&self) -> Run {
        let options = self.scenario["inputs"]["args"].as_array().expect("options");
        let mut arguments = vec!["token", CLUSTER, "--no-cache", "--timeout", "10"];
        arguments.extend(options.iter().map(|option| option.as_str().expect("text")));
        self.sandbox.run(&arguments)
    }

    /// Says what pgcred did otherwise than expected.
    fn check(&self, run: &Run, log: &[Value]) -> Result<(), String> {
        let deviation = DEVIATIONS
            .iter()
            .find(|(id, ..)| *id == self.id())
            .map(|(_, instead, _)| *instead);
        let wanted = deviation
            .or(self.scenario["expected"]["aws_cli_v2"].as_str())
            .expect("an answer");
        if wanted.starts_with("ERR ") || wanted.starts_with("exit ") {
            let of_deviation = wanted
                .strip_prefix("exit ")
                .map(|exit| vec![exit.parse().expect("an exit code")]);
            let exits =
                of_deviation.unwrap_or_else(|| one_or_several(&self.scenario["pgcred_exit"]));
            return refusal_trouble(run, &exits)
                .or_else(|| self.named_trouble(run))
                .map_or(Ok(()), Err);
        }
        let found = if run.code == 0 {
            signer(run.stdout.trim_end())
        } else {
            run.stderr.trim().to_owned()
        };
        let sts = wanted
            .strip_prefix("ASIA<sts>")
            .map(|rest| rest.split(" tok=").collect::<Vec<_>>());
        let same = sts.map_or(found == wanted, |parts| {
            found.starts_with("ASIA")
                && parts.iter().all(|part| found.contains(part))
                && run.code == 0
        });
        if !same {
            return Err(format!("wanted {wanted}, got {found}"));
        }
        if deviation.is_none() {
            self.check_sts(log)?;
        }
        self.check_saved()
    }

    /// A malformed file is named with its line.
    fn named_trouble(&self, run: &Run) -> Option<String> {
        let place = &self.scenario["pgcred_names"];
        let (file, lines) = (place["file"].as_str()?, one_or_several(&place["line"]));
        let told = lines.iter().any(|line| {
            let forms = [format!("line {line}"), format!("{file}:{line}")];
            run.stderr.contains(file) && forms.iter().any(|form| run.stderr.contains(form))
        });
        (!told).then(|| {
            format!(
                "does not name {file} and line {lines:?}; stderr: {}",
                run.stderr.trim()
            )
        })
    }

    /// Checks the requests to STS and who signed them. `*` is a name that the caller makes up; a
    /// request that was repeated counts once.
    fn check_sts(&self, log: &[Value]) -> Result<(), String> {
        let Some(wanted) = self.scenario["expected"]["sts"].as_array() else {
            return Ok(());
        };
        let mut asked: Vec<Value> = Vec::new();
        for request in log
            .iter()
            .filter(|request| request["id"] == self.id() && request["body"]["Action"].is_string())
        {
            let mut body = request["body"].clone();
            let fields = body.as_object_mut().expect("fields");
            fields.remove("Version");
            let authorization = request["headers"]["authorization"]
                .as_str()
                .unwrap_or_default();
            if let Some((_, rest)) = authorization.split_once("Credential=") {
                fields.insert("signed_by".to_owned(), json!(rest.split('/').next()));
            }
            if let Some(token) = request["headers"].get("x-amz-security-token") {
                fields.insert("security_token".to_owned(), token.clone());
            }
            let made_up = wanted
                .get(asked.len())
                .is_some_and(|wanted| wanted["RoleSessionName"] == "*");
            let name = fields["RoleSessionName"].as_str().unwrap_or_default();
            if made_up && (2..=64).contains(&name.len()) {
                fields.insert("RoleSessionName".to_owned(), json!("*"));
            }
            if asked.last() != Some(&body) {
                asked.push(body);
            }
        }
        if &asked == wanted {
            Ok(())
        } else {
            Err(format!(
                "STS was asked {}, not {}",
                json!(asked),
                json!(wanted)
            ))
        }
    }

    /// A refreshed session is saved where the CLI saves it: its old refresh token may be worthless
    /// now.
    fn check_saved(&self) -> Result<(), String> {
        for (name, wanted) in self.scenario["expected"]["saved"]
            .as_object()
            .into_iter()
            .flatten()
        {
            let text = fs::read_to_string(self.sandbox.path(name)).unwrap_or_default();
            let found = serde_json::from_str(&text).unwrap_or(Value::Null);
            if !contains(&found, wanted) {
                return Err(format!("{name} has {text}, which lacks some of {wanted}"));
            }
        }
        Ok(())
    }
}

/// Returns who signed a token, in the form of the vectors: `KEY@region tok=first characters of the
/// session token`.
fn signer(token: &str) -> String {
    let url = Url::parse(&format!("https://{token}")).expect("a token");
    let parameter = |name: &str| {
        url.query_pairs()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.into_owned())
    };
    let credential = parameter("X-Amz-Credential").expect("a credential");
    let mut parts = credential.rsplitn(5, '/').skip(2);
    let (region, _day, key) = (parts.next(), parts.next(), parts.next());
    let token =
        parameter("X-Amz-Security-Token").map(|token| token.chars().take(14).collect::<String>());
    let token = token
        .map(|token| format!(" tok={token}"))
        .unwrap_or_default();
    format!(
        "{}@{}{token}",
        key.expect("a key"),
        region.expect("a region")
    )
}

/// A number in the vectors, or several that are equally right.
fn one_or_several(value: &Value) -> Vec<i32> {
    let list = if value.is_array() {
        value.clone()
    } else {
        json!([value])
    };
    serde_json::from_value(list).expect("numbers")
}

/// Returns the time this many seconds from now, in one of the forms that the scenarios name.
fn time_in(form: &str, seconds: i64) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock")
        .as_secs();
    let time =
        i64::try_from(now).expect("a time") + seconds + if form == "OFFSET" { 7200 } else { 0 };
    let (days, second) = (time.div_euclid(86400), time.rem_euclid(86400));
    // The days of a year that starts in March, as in Howard Hinnant's "chrono-compatible low-level
    // date algorithms".
    let (era, of_era) = (
        (days + 719_468).div_euclid(146_097),
        (days + 719_468).rem_euclid(146_097),
    );
    let year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let march = (5 * of_year + 2) / 153;
    let (month, day) = (
        if march < 10 { march + 3 } else { march - 9 },
        of_year - (153 * march + 2) / 5 + 1,
    );
    let year = year + era * 400 + i64::from(month <= 2);
    let end = match form {
        "NAIVE" => "",
        "OFFSET" => "+02:00",
        "FRACTION" => ".5Z",
        "ISO" => "+00:00",
        "UTC" => "UTC",
        _ => "Z",
    };
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{end}")
}

/// The scenarios that the unit test of the plan, in src/aws/plan/tests.rs, runs by this list.
fn planned() -> Vec<&'static str> {
    include_str!("../../vectors/planned.txt").lines().collect()
}

/// Tells whether a scenario runs through the whole program.
fn runs_here(id: &str) -> bool {
    let deviates = DEVIATIONS.iter().any(|(known, ..)| *known == id);
    deviates || SAMPLE.contains(&id) || !planned().contains(&id)
}

/// The unit test of the plan fails unless it has run exactly the planned ones; all others run here.
#[test]
fn every_scenario_runs_in_one_of_the_two_tests() {
    let scenarios = scenarios();
    let ids: BTreeSet<&str> = scenarios
        .iter()
        .map(|scenario| scenario["id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ids.len(), scenarios.len(), "an id stands for one scenario");
    let planned = planned();
    for id in planned.iter().chain(&SAMPLE) {
        assert!(ids.contains(id), "no scenario {id}");
    }
    let here = ids.iter().filter(|id| runs_here(id)).count();
    assert!(here < scenarios.len() * 3 / 4, "{here} run here");
    for id in SAMPLE {
        assert!(planned.contains(&id), "{id} runs here anyway");
    }
}

#[test]
fn every_scenario_ends_as_in_the_aws_cli() {
    skip_unless!(PYTHON, package("moto"));
    let directory = TempDir::new().expect("a temporary directory");
    let log_file = directory.path().join("log");
    let (stub, moto) = (Stub::aws(Some(&log_file)), Stub::moto());
    // the start of an id, to try a few
    let only = std::env::var("PGCRED_TEST_SCENARIOS").unwrap_or_default();
    let mut scenarios = scenarios();
    scenarios.retain(|scenario| match scenario["id"].as_str().expect("an id") {
        id if only.is_empty() => runs_here(id),
        id => id.starts_with(&only),
    });
    assert!(!scenarios.is_empty(), "no scenario starts with {only}");
    check_all(&scenarios, |scenario| {
        let mut trial = Trial {
            scenario,
            sandbox: Sandbox::empty(),
            ports: [stub.port(), moto.port()],
        };
        trial.prepare();
        let run = trial.run();
        let log = fs::read_to_string(&log_file).unwrap_or_default();
        let own = format!("\"id-{}\"", trial.id());
        let log: Vec<Value> = log
            .lines()
            .filter(|line| line.contains(&own))
            .map(|line| serde_json::from_str(line).expect("a JSON line"))
            .collect();
        trial
            .check(&run, &log)
            .map_err(|trouble| format!("{}: {trouble}", trial.id()))
    });
}
