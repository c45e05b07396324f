//! A cached token is used only for the identity and the region for which it was signed.

use std::fs;

use crate::support::sandbox::{HOST, Sandbox};

#[test]
fn another_identity_never_gets_the_token() {
    let mut sandbox = Sandbox::with_keys();
    let first = sandbox.ok(&["token", HOST]);
    sandbox.set("AWS_ACCESS_KEY_ID", "OTHER");
    assert!(sandbox.ok(&["token", HOST]).contains("Credential=OTHER%2F"));
    let keys = |id: &str| {
        format!(
            "[p]\naws_access_key_id = {id}\naws_secret_access_key = s\n[q]\naws_access_key_id = Q\n\
             aws_secret_access_key = s\n"
        )
    };
    sandbox.write(".aws/credentials", keys("FIRST"));
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "p"])
            .contains("Credential=FIRST%2F")
    );
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "q"])
            .contains("Credential=Q%2F")
    );
    sandbox.write(".aws/credentials", keys("SECOND"));
    assert!(
        sandbox
            .ok(&["token", HOST, "--profile", "p"])
            .contains("Credential=SECOND%2F")
    );
    sandbox.set("AWS_ACCESS_KEY_ID", crate::support::sandbox::KEY_ID);
    assert_eq!(sandbox.ok(&["token", HOST]), first);
}

/// The file can be a link to another version, a copy that keeps the times, or a file of an image.
/// Then its length and time are those of the file before.
#[test]
#[cfg(unix)]
fn a_file_of_the_same_length_and_time_is_another_file() {
    let sandbox = Sandbox::empty();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1);
    for version in ["KEY1", "KEY2"] {
        let keys = format!(r#"{{"Version":1,"AccessKeyId":"{version}","SecretAccessKey":"s"}}"#);
        sandbox.write(version, keys);
        let file = fs::File::options()
            .write(true)
            .open(sandbox.home().join(version))
            .expect("the file");
        file.set_modified(long_ago).expect("dated");
    }
    let current = sandbox.home().join("current");
    sandbox.write(
        ".aws/config",
        format!(
            "[profile p]\ncredential_process = /bin/cat {}\n",
            current.display()
        ),
    );
    for version in ["KEY1", "KEY2"] {
        let _ = fs::remove_file(&current); // it does not exist the first time
        std::os::unix::fs::symlink(sandbox.home().join(version), &current).expect("a link");
        let token = sandbox.ok(&["token", HOST, "--profile", "p"]);
        assert!(
            token.contains(&format!("Credential={version}%2F")),
            "{version}: {token}"
        );
    }
}

/// Two profiles write the same line of the passfile within one second. Host, port, user and expiry
/// of their tokens are equal.
#[test]
fn another_identitys_token_in_the_passfile_is_not_handed_out() {
    let mut sandbox = Sandbox::empty();
    sandbox.at("2030-01-01T00:00:00Z");
    let keys = |name: &str, id: &str| {
        format!("[{name}]\naws_access_key_id = {id}\naws_secret_access_key = s\n")
    };
    sandbox.write(
        ".aws/credentials",
        keys("a", "KEYOFA") + &keys("b", "KEYOFB"),
    );
    let filed = |sandbox: &Sandbox| String::from_utf8(sandbox.read(".pgpass")).expect("text");
    for life in ["15m", "1h"] {
        sandbox.ok(&["refresh", HOST, "--profile", "a", "--expires-in", life]);
        sandbox.ok(&["refresh", HOST, "--profile", "b", "--expires-in", life]);
        let token =
            |profile| sandbox.ok(&["token", HOST, "--profile", profile, "--expires-in", life]);
        assert!(token("a").contains("Credential=KEYOFA%2F"), "{life}");
        assert!(token("b").contains("Credential=KEYOFB%2F"), "{life}");
        // A token with another life, in the passfile, does not keep `refresh` from writing one.
        sandbox.ok(&["add", "mine", HOST, "--profile", "a", "--replace"]);
        sandbox.ok(&["refresh"]);
        assert!(filed(&sandbox).contains("Credential=KEYOFA%2F"), "{life}");
        sandbox.ok(&["remove", "mine"]);
    }
    // The index of an older pgcred does not say who signed the token.
    sandbox.ok(&["refresh", HOST, "--profile", "b"]);
    sandbox.at("2030-01-01T00:01:00Z");
    let token = || sandbox.ok(&["token", HOST, "--profile", "b", "--format", "json"]);
    assert!(token().contains(r#""cached":true"#));
    let index = sandbox.own().join("cache/index.json");
    let text = fs::read_to_string(&index).expect("an index");
    assert!(
        text.contains(r#""digest":"#) && !text.contains("Signature"),
        "{text}"
    );
    fs::write(&index, text.replace(r#""digest":"#, r#""other":"#)).expect("written");
    assert!(token().contains(r#""cached":false"#));
}

/// Keys in the environment sign. For a host that names no region, the profile still decides for
/// which region.
#[test]
fn another_region_never_gets_the_token() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.at("2030-01-01T00:00:00Z");
    let profiles = |default: &str| {
        format!(
            "[default]\nregion={default}\n[profile p]\nregion=ap-south-1\n[profile q]\n\
             region=eu-west-1\n"
        )
    };
    sandbox.write(".aws/config", profiles("us-west-2"));
    let token = |sandbox: &Sandbox| sandbox.ok(&["token", "my.cname", "--provider", "dsql"]);
    let named = sandbox.ok(&["token", HOST]);
    let mut known = Vec::new();
    for (variable, profile, region) in [
        ("AWS_PROFILE", "p", "ap-south-1"),
        ("AWS_PROFILE", "q", "eu-west-1"),
        ("AWS_DEFAULT_PROFILE", "p", "ap-south-1"),
        ("AWS_DEFAULT_PROFILE", "q", "eu-west-1"),
        ("AWS_PROFILE", "default", "us-west-2"),
    ] {
        sandbox
            .unset("AWS_PROFILE")
            .unset("AWS_DEFAULT_PROFILE")
            .set(variable, profile);
        let token = token(&sandbox);
        assert!(
            token.contains(&format!("%2F{region}%2Fdsql")),
            "{variable}={profile}: {token}"
        );
        known.push((variable, profile, token));
    }
    sandbox.at("2030-01-01T00:01:00Z");
    for (variable, profile, known) in known {
        sandbox
            .unset("AWS_PROFILE")
            .unset("AWS_DEFAULT_PROFILE")
            .set(variable, profile);
        assert_eq!(token(&sandbox), known, "{variable}={profile}");
    }
    sandbox.unset("AWS_PROFILE").unset("AWS_DEFAULT_PROFILE");
    assert!(token(&sandbox).contains("%2Fus-west-2%2Fdsql"));
    sandbox.write(".aws/config", profiles("eu-north-1"));
    assert!(token(&sandbox).contains("%2Feu-north-1%2Fdsql"));
    sandbox.write(".aws/other", profiles("sa-east-1"));
    let other = sandbox.path(".aws/other").display().to_string();
    assert!(token(sandbox.set("AWS_CONFIG_FILE", &other)).contains("%2Fsa-east-1%2Fdsql"));
    assert!(token(sandbox.set("AWS_REGION", "us-east-2")).contains("%2Fus-east-2%2Fdsql"));
    assert_eq!(
        sandbox.ok(&["token", HOST]),
        named,
        "a host that names its region has nothing to do with the files"
    );
}
