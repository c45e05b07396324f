//! pgcred uses a cached token only for the identity that would sign now. After each change of that
//! identity the next token is signed by the new one; after any other change the cached token is
//! used.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::credentials::identity_trial::After::{AnotherKey, Cache, NewToken, Nobody};
use crate::credentials::identity_trial::{
    Case, FAR, OF_BOTO, OF_EC2, ROLE, SSO_FILE, Trial, answer_of_program, answered, aws_login,
    chain, check, container, container_with_file, environment_role, instance, log_in,
    log_in_to_sso, program, role, sso, two_profiles, web_identity,
};
use crate::support::sandbox::{HOST, KEY_ID, Sandbox};
use crate::support::sources::{root, rust_files};
use crate::support::stubs::check_all;

/// One trial for each variable that the table calls a part of the identity.
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
    // This variable wins over the other one. It leads to a fixed address of AWS, which does not
    // answer on this machine.
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
        NewToken, // an address that is set counts for both modes
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
    // This service is asked only when the login is renewed.
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
    // Then the real STS is asked, if there is a network, and it does not know the key.
    (
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        role,
        |t| t.set("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true"),
        Nobody,
    ),
];

/// Changes of files, logins and programs.
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

/// Changes that do not decide which identity signs.
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
fn a_changed_variable_never_gives_the_token_of_another_identity() {
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

/// The sources that rest on files, each with a trial in which such a file changes.
const FILES: [(&str, &str); 6] = [
    ("container", "the text of a container's token file"),
    ("legacy_files", "the text of AWS_CREDENTIAL_FILE"),
    ("process", "a file of a credential_process"),
    ("sign_in", "another user of aws login"),
    ("sso", "another SSO user"),
    ("web_identity", "the text of a web identity's token file"),
];

#[test]
fn every_source_with_files_has_a_trial() {
    let mut sources = BTreeSet::new();
    for (path, text) in rust_files("src/aws/source") {
        let name = path.file_stem().expect("a file's name").to_string_lossy();
        for body in text.split("fn files(&self) -> Vec<PathBuf> {").skip(1) {
            // That of `fallback` is made of the others'.
            if !body.trim_start().starts_with("Vec::new()") && name != "fallback" {
                sources.insert(name.to_string());
            }
        }
    }
    let listed = FILES.map(|(source, _)| source.to_owned());
    assert_eq!(sources, BTreeSet::from(listed), "FILES of {}", file!());
    for (_, trial) in FILES {
        assert!(OTHERS.iter().any(|(name, ..)| *name == trial), "{trial}");
    }
}

#[test]
fn a_changed_file_never_gives_the_token_of_another_identity() {
    check_all(OTHERS, check);
}

#[test]
fn changes_that_do_not_decide_who_signs_keep_the_cached_token() {
    check_all(UNRELATED, check);
}

/// Variables that decide something else, as the table says.
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

/// The directory in which a bare name is found decides which program runs.
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

/// A program is replaced while it runs. Its answer is not that of the new program.
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

/// Returns the rows of the table of AWS variables: the name, and the part that the variable
/// decides.
fn rows() -> impl Iterator<Item = (String, String)> {
    let text = fs::read_to_string(root().join("src/aws/environment.rs")).expect("the table");
    let table = text
        .split("VARIABLES: &[AwsVariable] = &[")
        .nth(1)
        .expect("the rows")
        .split("\n];")
        .next()
        .expect("an end");
    let mut rows = Vec::new();
    for row in table
        .replace("\n    shell_only(", "\n    row(")
        .split("\n    row(")
    {
        if row.is_empty() {
            continue; // the text before the first row
        }
        let name = row.split('"').nth(1).expect("a name");
        let (_, part) = row.rsplit_once(", ").expect("what it decides");
        let part = if row.contains("Neither(") {
            "Neither"
        } else {
            part.trim_end().trim_end_matches("),")
        };
        rows.push((name.to_owned(), part.to_owned()));
    }
    rows.into_iter()
}

/// If code reads an AWS variable, the table must say what that variable decides.
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
