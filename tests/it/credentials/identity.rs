//! A cached token is handed out to whoever would sign it now, and to nobody else: after each change
//! of what decides that, the next token is the other identity's; after any other change it is the
//! cached one.
//!
//! A service of these tests' own stands in for STS, the SSO portal, containers and instance
//! metadata. Its access keys are a digest of its name and of all that it was asked with, so that
//! another question is answered with another key.

use std::collections::BTreeSet;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;
use std::thread;

use serde_json::{Value, json};

use crate::support::needs::{PYTHON, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, Run, SECRET, Sandbox};
use crate::support::sources::{root, rust_files};
use crate::support::stubs::{Stub, check_all, requests};

const FAR: &str = "2099-01-01T00:00:00Z";
const ROLE: &str = "arn:aws:iam::123456789012:role/reader";
/// The names of these files are digests of the session's name, as the AWS CLI makes them.
const SSO_FILE: &str = ".aws/sso/cache/a0f1490a20d0211c997b44bc357e1972deab8ae3.json";
const LOGIN_FILE: &str = "88929adfce05bf7ccf2ae7272cfbb0b23141302ba0339a173f53232e95660515.json";
const LOGIN_SESSION: &str = "arn:aws:iam::123456789012:user/u";

/// Starts a service and returns its address. It ends with the tests.
fn service(name: &'static str) -> String {
    service_that(name, || {})
}

/// The same, for a service that does something before it answers.
fn service_that(name: &'static str, does: impl Fn() + Clone + Send + 'static) -> String {
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

/// Answers one request; a client that goes away ends it.
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
            // Of a signature only the key: it is another one each second.
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
            let action = fields.iter().find_map(|field| field.strip_prefix("Action="))?;
            format!(
                "<{action}Response><{action}Result><Credentials><AccessKeyId>{key}</AccessKeyId>\
                 <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>{FAR}</Expiration>\
                 </Credentials></{action}Result></{action}Response>"
            )
        }
        _ if path == "/latest/meta-data/iam/security-credentials/" => "role".to_owned(),
        _ if path.starts_with("/federation") => {
            let keys = json!({"accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t", "expiration": 4_070_908_800_000_u64});
            json!({ "roleCredentials": keys }).to_string()
        }
        _ => json!({"Code": "Success", "AccessKeyId": key, "SecretAccessKey": "s", "Token": "t", "Expiration": FAR})
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

/// A home with what the trials need, two services, and the profile that is asked for.
struct Trial {
    sandbox: Sandbox,
    urls: [String; 2],
    profile: Option<&'static str>,
}

impl Trial {
    fn new() -> Self {
        let mut sandbox = Sandbox::empty();
        let urls = [service("one"), service("two")];
        sandbox.set("AWS_ENDPOINT_URL", &urls[0]);
        Self {
            sandbox,
            urls,
            profile: None,
        }
    }

    fn profile(&mut self, name: &'static str, config: &str) {
        self.profile = Some(name);
        self.sandbox.write(".aws/config", config);
    }

    fn set(&mut self, name: &str, value: &str) {
        self.sandbox.set(name, value);
    }

    fn keys(&mut self, id: &str) {
        self.sandbox
            .set("AWS_ACCESS_KEY_ID", id)
            .set("AWS_SECRET_ACCESS_KEY", SECRET);
    }

    /// Sets a variable to the path of a new file.
    fn set_file(&mut self, variable: &str, file: &str, text: &str) {
        let path = self.sandbox.write(file, text).display().to_string();
        self.sandbox.set(variable, &path);
    }

    fn run(&self, more: &[&str]) -> Run {
        let mut arguments = vec!["token", HOST, "--format", "json", "--timeout", "10"];
        arguments.extend(
            self.profile
                .iter()
                .flat_map(|profile| ["--profile", profile]),
        );
        self.sandbox.run(&[&arguments, more].concat())
    }
}

/// The key that has signed, and whether the token comes from the cache.
fn answered(run: &Run) -> Result<(String, bool), String> {
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

/// Who answers after the change.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// Another key.
    AnotherKey,
    /// The same key, but a new token.
    NewToken,
    /// Nobody: the run fails.
    Nobody,
    /// The cache.
    Cache,
}
use After::{AnotherKey, Cache, NewToken, Nobody};

type Change = fn(&mut Trial);
/// What changes, the home before, the change, and what comes after it.
type Case = (&'static str, Change, Change, After);

fn check((what, before, change, after): &Case) -> Result<(), String> {
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
    // Whoever it is, it is who signs without a cache.
    if let Ok((key, _)) = &second {
        let (truth, _) = answered(&trial.run(&["--no-cache"])).map_err(wrong)?;
        if truth != *key {
            return Err(wrong(format!("{key} has signed, and not {truth}")));
        }
    }
    Ok(())
}

fn two_profiles(trial: &mut Trial) {
    let keys = |name: &str, id: &str| {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = s\n")
    };
    trial
        .sandbox
        .write(".aws/credentials", keys("p", "KEYP") + &keys("q", "KEYQ"));
}

fn web_identity(trial: &mut Trial) {
    trial.set_file("AWS_WEB_IDENTITY_TOKEN_FILE", "web-token", "first-token");
    trial.set("AWS_ROLE_ARN", ROLE);
}

fn container(trial: &mut Trial) {
    let address = format!("{}/creds", trial.urls[0]);
    trial.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address);
    trial.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "first");
}

fn container_with_file(trial: &mut Trial) {
    container(trial);
    trial.set_file(
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        "container-token",
        "first",
    );
}

fn instance(trial: &mut Trial) {
    let address = trial.urls[0].clone();
    trial.sandbox.unset("AWS_EC2_METADATA_DISABLED");
    trial.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address);
}

fn sso(trial: &mut Trial) {
    trial.profile(
        "p",
        "[sso-session s]\nsso_region = us-east-1\nsso_start_url = https://example.awsapps.com/start\n\
         [profile p]\nsso_session = s\nsso_account_id = 123456789012\nsso_role_name = dev\n",
    );
    log_in_to_sso(trial, "first");
}

fn log_in_to_sso(trial: &Trial, user: &str) {
    trial.sandbox.write(SSO_FILE, sso_login(user));
}

fn sso_login(user: &str) -> String {
    json!({"accessToken": user, "expiresAt": FAR}).to_string()
}

fn aws_login(trial: &mut Trial) {
    trial.profile(
        "p",
        &format!("[profile p]\nlogin_session = {LOGIN_SESSION}\n"),
    );
    log_in(trial, ".aws/login/cache", "ASIAFIRST");
}

fn log_in(trial: &Trial, directory: &str, key: &str) {
    let keys =
        json!({"accessKeyId": key, "secretAccessKey": "s", "sessionToken": "t", "expiresAt": FAR});
    let session =
        json!({"accessToken": keys, "refreshToken": "r", "dpopKey": "k", "clientId": "c"});
    trial
        .sandbox
        .write(&format!("{directory}/{LOGIN_FILE}"), session.to_string());
}

/// A role with the keys of the environment, although an option names the profile.
fn environment_role(trial: &mut Trial) {
    trial.keys(KEY_ID);
    trial.profile(
        "p",
        &format!("[profile p]\nrole_arn = {ROLE}\ncredential_source = Environment\n"),
    );
}

/// The same at the end of a chain.
fn chain(trial: &mut Trial) {
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

fn role(trial: &mut Trial) {
    two_profiles(trial);
    trial.profile(
        "r",
        &format!("[profile r]\nrole_arn = {ROLE}\nsource_profile = p\n"),
    );
}

fn program(trial: &mut Trial) {
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

fn answer_of_program(key: &str) -> String {
    json!({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "s"}).to_string()
}

const OF_EC2: &str = "AWSAccessKeyId=KEYONE\nAWSSecretKey=s\n";
const OF_BOTO: &str = "[Credentials]\naws_access_key_id = KEYONE\naws_secret_access_key = s\n";

/// One for each variable that the table calls a part of the identity.
const VARIABLES: &[Case] = &[
    (
        "AWS_ACCESS_KEY_ID",
        |t| t.keys(KEY_ID),
        |t| t.set("AWS_ACCESS_KEY_ID", "OTHER"),
        AnotherKey,
    ),
    (
        "AWS_SECRET_ACCESS_KEY",
        |t| t.keys(KEY_ID),
        |t| t.set("AWS_SECRET_ACCESS_KEY", "other"),
        NewToken,
    ),
    (
        "AWS_SESSION_TOKEN",
        |t| t.keys(KEY_ID),
        |t| t.set("AWS_SESSION_TOKEN", "other"),
        NewToken,
    ),
    (
        "AWS_SECURITY_TOKEN",
        |t| t.keys(KEY_ID),
        |t| t.set("AWS_SECURITY_TOKEN", "other"),
        NewToken,
    ),
    (
        "AWS_CREDENTIAL_EXPIRATION",
        |t| t.keys(KEY_ID),
        |t| t.set("AWS_CREDENTIAL_EXPIRATION", FAR),
        NewToken,
    ),
    (
        "AWS_PROFILE",
        |t| {
            two_profiles(t);
            t.set("AWS_PROFILE", "p");
        },
        |t| t.set("AWS_PROFILE", "q"),
        AnotherKey,
    ),
    (
        "AWS_DEFAULT_PROFILE",
        |t| {
            two_profiles(t);
            t.set("AWS_DEFAULT_PROFILE", "p");
        },
        |t| t.set("AWS_DEFAULT_PROFILE", "q"),
        AnotherKey,
    ),
    (
        "AWS_CONFIG_FILE",
        |t| {
            t.profile(
                "p",
                "[profile p]\naws_access_key_id = KEYONE\naws_secret_access_key = s\n",
            );
        },
        |t| {
            let keys = "[profile p]\naws_access_key_id = KEYTWO\naws_secret_access_key = s\n";
            t.set_file("AWS_CONFIG_FILE", "other", keys);
        },
        AnotherKey,
    ),
    (
        "AWS_SHARED_CREDENTIALS_FILE",
        |t| {
            two_profiles(t);
            t.profile = Some("p");
        },
        |t| {
            let keys = "[p]\naws_access_key_id = KEYTWO\naws_secret_access_key = s\n";
            t.set_file("AWS_SHARED_CREDENTIALS_FILE", "other", keys);
        },
        AnotherKey,
    ),
    (
        "AWS_WEB_IDENTITY_TOKEN_FILE",
        web_identity,
        |t| t.set_file("AWS_WEB_IDENTITY_TOKEN_FILE", "other", "second"),
        AnotherKey,
    ),
    (
        "AWS_ROLE_ARN",
        web_identity,
        |t| t.set("AWS_ROLE_ARN", &format!("{ROLE}2")),
        AnotherKey,
    ),
    (
        "AWS_ROLE_SESSION_NAME",
        web_identity,
        |t| t.set("AWS_ROLE_SESSION_NAME", "somebody"),
        AnotherKey,
    ),
    (
        "AWS_LOGIN_CACHE_DIRECTORY",
        aws_login,
        |t| {
            log_in(t, "elsewhere", "ASIASECOND");
            t.set("AWS_LOGIN_CACHE_DIRECTORY", "~/elsewhere");
        },
        AnotherKey,
    ),
    (
        "AWS_CREDENTIAL_FILE",
        |t| t.set_file("AWS_CREDENTIAL_FILE", "old", OF_EC2),
        |t| {
            t.set_file(
                "AWS_CREDENTIAL_FILE",
                "other",
                &OF_EC2.replace("KEYONE", "KEYTWO"),
            );
        },
        AnotherKey,
    ),
    (
        "BOTO_CONFIG",
        |t| t.set_file("BOTO_CONFIG", "old", OF_BOTO),
        |t| t.set_file("BOTO_CONFIG", "other", &OF_BOTO.replace("KEYONE", "KEYTWO")),
        AnotherKey,
    ),
    (
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        container,
        |t| {
            let other = format!("{}/others", t.urls[0]);
            t.set("AWS_CONTAINER_CREDENTIALS_FULL_URI", &other);
        },
        AnotherKey,
    ),
    // It wins, and leads to an address of AWS's that nobody answers at here.
    (
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
        container,
        |t| t.set("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/creds"),
        Nobody,
    ),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN",
        container,
        |t| t.set("AWS_CONTAINER_AUTHORIZATION_TOKEN", "other"),
        AnotherKey,
    ),
    (
        "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
        container,
        |t| {
            t.set_file(
                "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
                "container-token",
                "other",
            );
        },
        AnotherKey,
    ),
    (
        "AWS_EC2_METADATA_DISABLED",
        instance,
        |t| t.set("AWS_EC2_METADATA_DISABLED", "true"),
        Nobody,
    ),
    (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        instance,
        |t| t.set("AWS_EC2_METADATA_SERVICE_ENDPOINT", &t.urls[1].clone()),
        AnotherKey,
    ),
    (
        "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
        instance,
        |t| t.set("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "IPv6"),
        NewToken, // the address that is set counts for both
    ),
    (
        "AWS_ENDPOINT_URL",
        role,
        |t| t.set("AWS_ENDPOINT_URL", &t.urls[1].clone()),
        AnotherKey,
    ),
    (
        "AWS_ENDPOINT_URL_STS",
        role,
        |t| t.set("AWS_ENDPOINT_URL_STS", &t.urls[1].clone()),
        AnotherKey,
    ),
    (
        "AWS_ENDPOINT_URL_SSO",
        sso,
        |t| t.set("AWS_ENDPOINT_URL_SSO", &t.urls[1].clone()),
        AnotherKey,
    ),
    // It is asked only where the login is renewed.
    (
        "AWS_ENDPOINT_URL_SSO_OIDC",
        sso,
        |t| t.set("AWS_ENDPOINT_URL_SSO_OIDC", &t.urls[1].clone()),
        NewToken,
    ),
    (
        "AWS_ENDPOINT_URL_SIGNIN",
        aws_login,
        |t| t.set("AWS_ENDPOINT_URL_SIGNIN", &t.urls[1].clone()),
        NewToken,
    ),
    // STS itself is asked then, where there is a network, and knows no such key.
    (
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        role,
        |t| t.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        Nobody,
    ),
];

/// Changes of another kind: files, logins, programs.
const OTHERS: &[Case] = &[
    (
        "the keys of a role with credential_source",
        environment_role,
        |t| t.keys("OTHER"),
        AnotherKey,
    ),
    (
        "the keys at the end of a chain",
        chain,
        |t| t.keys("OTHER"),
        AnotherKey,
    ),
    (
        "the text of a container's token file",
        container_with_file,
        |t| drop(t.sandbox.write("container-token", "second")),
        AnotherKey,
    ),
    (
        "the text of a web identity's token file",
        web_identity,
        |t| drop(t.sandbox.write("web-token", "second")),
        AnotherKey,
    ),
    (
        "an SSO logout",
        sso,
        |t| fs::remove_file(t.sandbox.path(SSO_FILE)).expect("removed"),
        Nobody,
    ),
    (
        "another SSO user",
        sso,
        |t| log_in_to_sso(t, "somebody else"),
        AnotherKey,
    ),
    (
        "another user of aws login",
        aws_login,
        |t| log_in(t, ".aws/login/cache", "ASIASECOND"),
        AnotherKey,
    ),
    (
        "the text of AWS_CREDENTIAL_FILE",
        |t| t.set_file("AWS_CREDENTIAL_FILE", "old", OF_EC2),
        |t| drop(t.sandbox.write("old", OF_EC2.replace("KEYONE", "KEYTHREE"))),
        AnotherKey,
    ),
    (
        "the text of ~/.boto",
        |t| drop(t.sandbox.write(".boto", OF_BOTO)),
        |t| {
            drop(
                t.sandbox
                    .write(".boto", OF_BOTO.replace("KEYONE", "KEYTHREE")),
            );
        },
        AnotherKey,
    ),
    (
        "a new ~/.boto",
        instance,
        |t| drop(t.sandbox.write(".boto", OF_BOTO)),
        AnotherKey,
    ),
    (
        "a file of a credential_process",
        program,
        |t| {
            drop(
                t.sandbox
                    .write("answer.json", answer_of_program("PROCESS2 ")),
            );
        },
        AnotherKey,
    ),
    (
        "the program of a credential_process",
        program,
        |t| {
            let other = t.sandbox.write("other.json", answer_of_program("PROCESS2"));
            t.profile(
                "p",
                &format!(
                    "[profile p]\ncredential_process = cat {}\n",
                    other.display()
                ),
            );
        },
        AnotherKey,
    ),
    (
        "the external id of a role",
        role,
        |t| {
            t.profile(
                "r",
                &format!(
                    "[profile r]\nrole_arn = {ROLE}\nsource_profile = p\nexternal_id = other\n"
                ),
            );
        },
        AnotherKey,
    ),
    (
        "the source profile of a role",
        role,
        |t| {
            t.profile(
                "r",
                &format!("[profile r]\nrole_arn = {ROLE}\nsource_profile = q\n"),
            );
        },
        AnotherKey,
    ),
    (
        "an endpoint in the files",
        |t| {
            t.sandbox.unset("AWS_ENDPOINT_URL");
            role(t);
            let role = format!(
                "[profile r]\nrole_arn = {ROLE}\nsource_profile = p\nendpoint_url = {}\n",
                t.urls[0]
            );
            t.profile("r", &role);
        },
        |t| {
            let role = format!(
                "[profile r]\nrole_arn = {ROLE}\nsource_profile = p\nservices = x\n\
                 [services x]\nsts =\n  endpoint_url = {}\n",
                t.urls[1]
            );
            t.profile("r", &role);
        },
        AnotherKey,
    ),
    (
        "a configuration that cannot be read",
        role,
        |t| drop(t.sandbox.write(".aws/config", "[profile r\n")),
        Nobody,
    ),
    (
        "a profile that is gone",
        role,
        |t| t.profile("r", "[profile s]\nregion = us-east-1\n"),
        Nobody,
    ),
];

/// Changes that do not decide who signs.
const UNRELATED: &[Case] = &[
    (
        "a container's variables, with a profile that has keys",
        |t| {
            two_profiles(t);
            t.profile = Some("p");
        },
        container,
        Cache,
    ),
    (
        "other variables, with a profile that has keys",
        |t| {
            two_profiles(t);
            t.profile = Some("p");
        },
        |t| {
            for name in [
                "AWS_ACCESS_KEY_ID",
                "AWS_CREDENTIAL_FILE",
                "AWS_ROLE_ARN",
                "AWS_PAGER",
                "AWS_REGION",
            ] {
                t.set(name, "us-west-2");
            }
            t.set("AWS_ENDPOINT_URL", &t.urls[1].clone());
        },
        Cache,
    ),
    (
        "another profile, and settings of this one that are about something else",
        role,
        |t| {
            t.profile(
                "r",
                &format!(
                    "[profile r]\nrole_arn = {ROLE}\nsource_profile = p\noutput = json\n\
                     [profile q]\ncredential_process = x\n[sso-session s]\nsso_region = us-east-1\n"
                ),
            );
        },
        Cache,
    ),
    (
        "a login of somebody else",
        role,
        |t| log_in_to_sso(t, "first"),
        Cache,
    ),
    (
        "a role that the AWS CLI has cached",
        role,
        |t| drop(t.sandbox.write(".aws/cli/cache/x.json", "{}")),
        Cache,
    ),
];

#[test]
fn another_identitys_token_is_never_handed_out_after_a_variable_changed() {
    let named: BTreeSet<String> = VARIABLES
        .iter()
        .map(|(name, ..)| (*name).to_owned())
        .collect();
    let listed: BTreeSet<String> = rows()
        .filter(|(_, part)| part == "Identity")
        .map(|(name, _)| name)
        .collect();
    assert_eq!(
        named, listed,
        "each variable that decides who signs has a trial"
    );
    check_all(VARIABLES, check);
}

#[test]
fn another_identitys_token_is_never_handed_out_after_a_file_changed() {
    check_all(OTHERS, check);
}

#[test]
fn what_does_not_decide_who_signs_keeps_the_cached_token() {
    check_all(UNRELATED, check);
}

/// Variables that the table says to be about something else.
#[test]
fn variables_that_do_not_decide_keep_the_cached_token() {
    let others: Vec<String> = rows()
        .filter(|(_, part)| part != "Identity")
        .map(|(name, _)| name)
        .collect();
    assert!(others.len() > 5, "{others:?}");
    let mut trial = Trial::new();
    role(&mut trial);
    let (first, _) = answered(&trial.run(&[])).expect("a token");
    for name in others {
        trial.set(&name, "1");
        assert_eq!(
            answered(&trial.run(&[])),
            Ok((first.clone(), true)),
            "{name}"
        );
    }
}

/// Which program a bare name starts depends on where it is found.
#[test]
fn another_program_of_the_same_name_is_another_identity() {
    let mut sandbox = Sandbox::empty();
    for (directory, key) in [("one", "PROCESS1"), ("two", "PROCESS2")] {
        let program = sandbox.write(
            &format!("{directory}/helper"),
            format!("#!/bin/sh\necho '{}'\n", answer_of_program(key)),
        );
        fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    sandbox.write(".aws/config", "[profile p]\ncredential_process = helper\n");
    for (directory, key) in [
        ("one", "PROCESS1"),
        ("two", "PROCESS2"),
        ("one", "PROCESS1"),
    ] {
        let path = format!("{}:/usr/bin:/bin", sandbox.path(directory).display());
        let token = sandbox
            .set("PATH", &path)
            .ok(&["token", HOST, "--profile", "p"]);
        assert!(token.contains(&format!("Credential={key}%2F")), "{token}");
    }
}

/// The answer of a program that is replaced while it runs is not the new one's.
#[test]
#[cfg(unix)]
fn a_program_that_is_replaced_while_it_runs_is_another_identity() {
    use std::os::unix::fs::PermissionsExt;

    let sandbox = Sandbox::empty();
    let script = |name: &str, does: &str, key: &str| {
        let program = sandbox.write(
            name,
            format!("#!/bin/sh\n{does}\necho '{}'\n", answer_of_program(key)),
        );
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("a mode");
        program.display().to_string()
    };
    let new = script("new", "", "PROCESS2");
    let program = sandbox.path("program").display().to_string();
    script("program", &format!("mv {new} {program}"), "PROCESS1");
    sandbox.write(
        ".aws/config",
        format!("[profile p]\ncredential_process = {program}\n"),
    );
    for key in ["PROCESS1", "PROCESS2", "PROCESS2"] {
        let token = sandbox.ok(&["token", HOST, "--profile", "p"]);
        assert!(token.contains(&format!("Credential={key}%2F")), "{token}");
    }
}

/// The rows of the table of AWS's variables: name and part.
fn rows() -> impl Iterator<Item = (String, String)> {
    let text = fs::read_to_string(root().join("src/aws/environment.rs")).expect("the table");
    let table = text
        .split("VARIABLES: &[Variable] = &[")
        .nth(1)
        .expect("the rows")
        .split("\n];")
        .next()
        .expect("an end");
    let row = |line: &str| {
        let (name, rest) = line.split_once("(\"")?.1.split_once('"')?;
        let part = rest
            .rsplit_once(", ")
            .map(|(_, part)| part.trim_end_matches("),").to_owned())?;
        let is_neither = rest.contains("Neither(");
        Some((
            name.to_owned(),
            if is_neither {
                "Neither".to_owned()
            } else {
                part
            },
        ))
    };
    table
        .lines()
        .filter_map(row)
        .collect::<Vec<_>>()
        .into_iter()
}

/// Whoever reads one of AWS's variables has to say in the table what it decides.
#[test]
fn every_variable_of_aws_is_in_the_table() {
    let known: BTreeSet<String> = rows().map(|(name, _)| name).collect();
    let mut found = BTreeSet::new();
    for (path, text) in rust_files("src")
        .into_iter()
        .filter(|(path, _)| !path.ends_with("environment.rs"))
    {
        for word in text.split('"') {
            let is_name = word
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
            if is_name && (word.starts_with("AWS_") || word.starts_with("BOTO_")) {
                assert!(
                    known.contains(word),
                    "{} reads {word}, which is not in the table",
                    path.display()
                );
                found.insert(word.to_owned());
            }
        }
    }
    assert_eq!(found, known, "each row is read somewhere");
}

/// A connection `c` of a profile whose session of `aws login` is in a directory with `~`, and
/// nobody has logged in.
fn logged_out() -> Sandbox {
    let mut sandbox = Sandbox::empty();
    sandbox
        .at("2030-01-01T00:00:00Z")
        .set("AWS_LOGIN_CACHE_DIRECTORY", "~/sessions");
    sandbox.write(
        ".aws/config",
        format!("[profile p]\nlogin_session = {LOGIN_SESSION}\n"),
    );
    sandbox.ok(&["add", "c", HOST, "--profile", "p"]);
    for _ in 0..6 {
        sandbox
            .run(&["refresh", "c"])
            .assert_fails(3, "nobody has logged in");
    }
    sandbox
        .run(&["token", "c"])
        .assert_fails(3, "AWS was asked 0 s ago");
    sandbox
}

fn log_in_to(sandbox: &Sandbox) {
    let keys = json!({"accessKeyId": "ASIALOGIN", "secretAccessKey": "s", "sessionToken": "t", "expiresAt": FAR});
    let session =
        json!({"accessToken": keys, "refreshToken": "r", "dpopKey": "k", "clientId": "c"});
    sandbox.write(&format!("sessions/{LOGIN_FILE}"), session.to_string());
}

#[test]
fn a_login_in_a_directory_with_a_tilde_ends_the_pause() {
    let sandbox = logged_out();
    log_in_to(&sandbox);
    assert!(sandbox.ok(&["token", "c"]).contains("ASIALOGIN"));
}

#[test]
fn a_prompt_does_not_ask_for_a_login_that_was_done() {
    let sandbox = logged_out();
    assert_eq!(
        sandbox.ok(&["prompt", "--format", "{name} {state}"]),
        "c needs-login\n"
    );
    assert!(sandbox.ok(&["list"]).contains("nobody has logged in"));
    log_in_to(&sandbox);
    assert_eq!(sandbox.ok(&["prompt", "--format", "{name} {state}"]), "");
    assert!(!sandbox.ok(&["list"]).contains("nobody has logged in"));
}

/// A hook starts no process before the time in the file has come: that must be soon while a login
/// ends the wait.
#[test]
fn a_hook_looks_soon_for_a_login_and_obeys_it() {
    let mut sandbox = logged_out();
    let due = |sandbox: &Sandbox| {
        let text = fs::read_to_string(sandbox.own().join("cache/due")).expect("a file");
        let (time, shown) = text.split_once('\n').expect("two lines");
        (
            time.parse::<i64>().expect("a time"),
            shown.trim().to_owned(),
        )
    };
    let now = 1_893_456_000;
    let (time, shown) = due(&sandbox);
    assert!((now + 1..=now + 15).contains(&time), "{}", time - now);
    assert_eq!(shown, "c 0 needs-login");
    sandbox.at("2030-01-01T00:00:15Z");
    sandbox.run(&["refresh", "--background", "--quiet"]);
    assert_eq!(due(&sandbox), (now + 30, "c 0 needs-login".to_owned()));
    log_in_to(&sandbox);
    sandbox.at("2030-01-01T00:00:30Z");
    sandbox.ok(&["refresh", "--background", "--quiet"]);
    let (time, shown) = due(&sandbox);
    assert!(
        time > now + 300 && shown.starts_with("c ") && shown.ends_with(" ok"),
        "{} {shown}",
        time - now
    );
}

/// The token that comes then is signed by whoever was logged in before, and is no other's.
#[test]
fn a_login_while_aws_is_asked_gets_a_token_of_its_own() {
    let mut trial = Trial::new();
    sso(&mut trial);
    let file = trial.sandbox.path(SSO_FILE);
    let log_in = move || fs::write(&file, sso_login("somebody else")).expect("written");
    trial.set("AWS_ENDPOINT_URL_SSO", &service_that("one", log_in));
    let (before, _) = answered(&trial.run(&[])).expect("a token");
    let (after, cached) = answered(&trial.run(&[])).expect("a token");
    assert!(before != after && !cached, "{before} {after} {cached}");
}

/// Renewing the login rewrites the file that tokens rest on: whoever waited for that finds the
/// token all the same.
#[test]
fn many_who_wait_for_a_renewed_login_ask_once() {
    skip_unless!(PYTHON);
    let home = Sandbox::empty();
    let log = home.path("log");
    let stub = Stub::aws(Some(&log));
    let mut trial = Trial::new();
    sso(&mut trial);
    trial.set("AWS_ENDPOINT_URL", &stub.url(""));
    let login = json!({
        "accessToken": "old", "expiresAt": "2020-01-01T00:00:00Z", "refreshToken": "r",
        "clientId": "c", "clientSecret": "s", "registrationExpiresAt": FAR,
    });
    trial.sandbox.write(SSO_FILE, login.to_string());
    let askers: Vec<_> = (0..16)
        .map(|_| {
            let mut pgcred = trial.sandbox.pgcred(&["token", HOST, "--profile", "p"]);
            pgcred
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("pgcred starts")
        })
        .collect();
    let runs: Vec<Run> = askers
        .into_iter()
        .map(|asker| Run::finished(asker.wait_with_output().expect("an end")))
        .collect();
    for run in &runs {
        assert_eq!(
            (run.code, &run.stdout),
            (0, &runs[0].stdout),
            "{}",
            run.stderr
        );
    }
    let asked: Vec<String> = requests(&log)
        .iter()
        .map(|request| request["path"].to_string())
        .collect();
    assert_eq!(asked.len(), 2, "one renewal and one question: {asked:?}");
}
