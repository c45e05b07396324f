//! One trial of a cached token: a home directory with a credentials source, a token from it, a
//! change, and the identity that signs the next token.
//!
//! A service of the test stands in for STS, the SSO portal, containers and instance metadata. Its
//! access keys are a digest of its name and of the whole request, so that another request gets
//! another key.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;

use serde_json::{Value, json};

use crate::support::sandbox::{HOST, KEY_ID, Run, SECRET, Sandbox};

pub const FAR: &str = "2099-01-01T00:00:00Z";

pub const ROLE: &str = "arn:aws:iam::123456789012:role/reader";

/// The names of these files are digests of the name of the session, as the AWS CLI makes them.
pub const SSO_FILE: &str = ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json";

pub const LOGIN_FILE: &str =
    "88929adfce05bf7ccf2ae7272cfbb0b23141302ba0339a173f53232e95660515.json";

pub const LOGIN_SESSION: &str = "arn:aws:iam::123456789012:user/u";

/// Starts a service and returns its address. It ends with the test program.
fn service(name: &'static str) -> String {
    service_that(name, || {})
}

/// Does the same for a service that does something before it answers.
pub fn service_that(name: &'static str, does: impl Fn() + Clone + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let does = does.clone();
            thread::spawn(move || serve(name, client, &does));
        }
    });
    format!("http://{address}")
}

/// Answers one request. If the client goes away, the request is over.
fn serve(name: &str, mut client: TcpStream, does: &impl Fn()) -> Option<()> {
    let mut reader = BufReader::new(client.try_clone().ok()?);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    let mut words = line.split(' ');
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut asked_as = Vec::new();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        let Some((field, value)) = header.trim().split_once(':') else {
            break;
        };
        match field.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse().ok()?,
            // Only the key of the signature counts: the signature itself changes every second.
            "authorization" => asked_as.push(value.split("/20").next()?.to_owned()),
            "x-amz-sso_bearer_token" | "x-amz-security-token" => asked_as.push(value.to_owned()),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let is_made_up = |field: &&str| field.starts_with("RoleSessionName=pgcred-");
    let fields: Vec<&str> = body.split('&').filter(|field| !is_made_up(field)).collect();
    let mut hasher = DefaultHasher::new();
    (name, &path, asked_as, &fields).hash(&mut hasher);
    let key = format!("ASIA{:016X}", hasher.finish());
    let text = match &*method {
        "PUT" => "token".to_owned(),
        "POST" => {
            let action = fields
                .iter()
                .find_map(|field| field.strip_prefix("Action="))?;
            format!(
                "<{action}Response><{action}Result><Credentials><AccessKeyId>{key}</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
                 <Expiration>{FAR}</Expiration>\
                 </Credentials></{action}Result></{action}Response>"
            )
        }
        _ if path == "/latest/meta-data/iam/security-credentials/" => "role".to_owned(),
        _ if path.starts_with("/federation") => {
            let keys = json!({
                "accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t",
                "expiration": 4_070_908_800_000_u64
            });
            json!({ "roleCredentials": keys }).to_string()
        }
        _ => json!({
            "Code": "Success", "AccessKeyId": key, "SecretAccessKey": "s", "Token": "t",
            "Expiration": FAR
        })
        .to_string(),
    };
    does();
    write!(
        client,
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .ok()
}

/// A home directory with the files of the trials, two services, and the profile that is used.
pub struct Trial {
    pub sandbox: Sandbox,
    pub urls: [String; 2],
    pub profile: Option<&'static str>,
}

impl Trial {
    pub fn new() -> Self {
        let mut sandbox = Sandbox::empty();
        let urls = [service("one"), service("two")];
        sandbox.set("AWS_ENDPOINT_URL", &urls[0]);
        Self {
            sandbox,
            urls,
            profile: None,
        }
    }

    pub fn profile(&mut self, name: &'static str, config: &str) {
        self.profile = Some(name);
        self.sandbox.write(".aws/config", config);
    }

    pub fn set(&mut self, name: &str, value: &str) {
        self.sandbox.set(name, value);
    }

    pub fn keys(&mut self, id: &str) {
        self.sandbox
            .set("AWS_ACCESS_KEY_ID", id)
            .set("AWS_SECRET_ACCESS_KEY", SECRET);
    }

    /// Sets a variable to the path of a new file.
    pub fn set_file(&mut self, variable: &str, file: &str, text: &str) {
        let path = self.sandbox.write(file, text).display().to_string();
        self.sandbox.set(variable, &path);
    }

    pub fn run(&self, more: &[&str]) -> Run {
        let mut arguments = vec!["token", HOST, "--format", "json", "--timeout", "10"];
        arguments.extend(
            self.profile
                .iter()
                .flat_map(|profile| ["--profile", profile]),
        );
        self.sandbox.run(&[&arguments, more].concat())
    }
}

/// Returns the key that signed, and whether the token is from the cache.
pub fn answered(run: &Run) -> Result<(String, bool), String> {
    if run.code != 0 {
        return Err(format!("exit {}: {}", run.code, run.stderr));
    }
    let answer: Value = serde_json::from_str(&run.stdout).map_err(|error| error.to_string())?;
    let token = answer["password"].as_str().unwrap_or_default();
    let key = token
        .split("Credential=")
        .nth(1)
        .and_then(|rest| rest.split("%2F").next())
        .unwrap_or_default();
    Ok((key.to_owned(), answer["source"]["cached"] == true))
}

/// The identity that must sign after the change.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// Another key.
    AnotherKey,
    /// The same key, but a new token.
    NewToken,
    /// No identity can sign: the run fails.
    Nobody,
    /// The cache.
    Cache,
}

use After::{AnotherKey, Cache, NewToken, Nobody};

pub type Change = fn(&mut Trial);

/// A trial: its name, the home directory before, the change, and the identity after it.
pub type Case = (&'static str, Change, Change, After);

pub fn check((what, before, change, after): &Case) -> Result<(), String> {
    let mut trial = Trial::new();
    before(&mut trial);
    let wrong = |why: String| format!("{what}: {why}");
    let (first, _) =
        answered(&trial.run(&[])).map_err(|error| wrong(format!("before: {error}")))?;
    let (again, cached) = answered(&trial.run(&[])).map_err(wrong)?;
    if again != first || !cached {
        return Err(wrong("nothing was cached".to_owned()));
    }
    change(&mut trial);
    let second = answered(&trial.run(&[]));
    let found = match &second {
        Err(_) => Nobody,
        Ok((_, true)) => Cache,
        Ok((key, false)) if *key == first => NewToken,
        Ok(_) => AnotherKey,
    };
    if found != *after {
        return Err(wrong(format!("{first} before, {second:?} after")));
    }
    // The same identity must sign in a run without the cache.
    if let Ok((key, _)) = &second {
        let (truth, _) = answered(&trial.run(&["--no-cache"])).map_err(wrong)?;
        if truth != *key {
            return Err(wrong(format!("{key} has signed, and not {truth}")));
        }
    }
    Ok(())
}

pub fn two_profiles(trial: &mut Trial) {
    let keys = |name: &str, id: &str| {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = s\n")
    };
    trial
        .sandbox
        .write(".aws/credentials", keys("p", "KEYP") + &keys("q", "KEYQ"));
}

pub fn web_identity(trial: &mut Trial) {
    trial.set_file("AWS_WEB_IDENTITY_TOKEN_FILE", "web-token", "first-token");
    trial.set("AWS_ROLE_ARN", ROLE);
}

pub fn container(trial: &mut Trial) {
    let address = format!("{}/creds", trial.urls[0]);
    trial.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address);
    trial.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "first");
}

pub fn container_with_file(trial: &mut Trial) {
    container(trial);
    trial.set_file(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "container-token",
        "first",
    );
}

pub fn instance(trial: &mut Trial) {
    let address = trial.urls[0].clone();
    trial.sandbox.unset("AWS_EC2_METADATA_DISABLED");
    trial.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address);
}

pub fn sso(trial: &mut Trial) {
    trial.profile(
        "p",
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = \
         https://example.awsapps.com/start\n\
         [profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = dev\n",
    );
    log_in_to_sso(trial, "first");
}

pub fn log_in_to_sso(trial: &Trial, user: &str) {
    trial.sandbox.write(SSO_FILE, sso_login(user));
}

pub fn sso_login(user: &str) -> String {
    json!({"accessToken": user, "expiresAt": FAR}).to_string()
}

pub fn aws_login(trial: &mut Trial) {
    trial.profile(
        "p",
        &format!("[profile p]\nlogin_session = {LOGIN_SESSION}\n"),
    );
    log_in(trial, ".aws/login/cache", "ASIAFIRST");
}

pub fn log_in(trial: &Trial, directory: &str, key: &str) {
    let keys =
        json!({"accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t", "expiresAt": FAR});
    let session =
        json!({"accessToken": keys, "refreshToken": "r", "dpopKey": "k", "clientId": "c"});
    trial
        .sandbox
        .write(&format!("{directory}/{LOGIN_FILE}"), session.to_string());
}

/// Writes a role that takes its keys from the environment, although an option names the profile.
pub fn environment_role(trial: &mut Trial) {
    trial.keys(KEY_ID);
    trial.profile(
        "p",
        &format!("[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment\n"),
    );
}

/// Does the same with the role at the end of a chain.
pub fn chain(trial: &mut Trial) {
    trial.keys(KEY_ID);
    trial.profile(
        "p",
        &format!(
            "[profile p]\nrole_arn = {ROLE}\nsource_profile = q\n\
             [profile q]\nrole_arn = {ROLE}2\nsource_profile = r\n\
             [profile r]\nrole_arn = {ROLE}3\ncredential_source = Environment\n"
        ),
    );
}

pub fn role(trial: &mut Trial) {
    two_profiles(trial);
    trial.profile(
        "r",
        &format!("[profile r]\nrole_arn = {ROLE}\nsource_profile = p\n"),
    );
}

pub fn program(trial: &mut Trial) {
    let file = trial
        .sandbox
        .write("answer.json", answer_of_program("PROCESS1"));
    trial.profile(
        "p",
        &format!(
            "[profile p]\ncredential_process = cat '{}'\n",
            file.display()
        ),
    );
}

pub fn answer_of_program(key: &str) -> String {
    json!({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "s"}).to_string()
}

pub const OF_EC2: &str = "AWSAccessKeyId=KEYONE\nAWSSecretKey=s\n";

pub const OF_BOTO: &str = "[Credentials]\naws_access_key_id = KEYONE\naws_secret_access_key = s\n";
