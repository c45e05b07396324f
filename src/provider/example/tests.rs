//! The way of a token of the example, through the table of providers and `issue`.

use std::path::PathBuf;

use crate::issue::IssuedToken;
use crate::issue::tests::{Bench, MINUTE, START, request};
use crate::provider;
use crate::provider::fake::control::policy;
use crate::request::Request;
use crate::sys::fs;
use crate::text::digest::digest;
use crate::time::pretend;

const HOST: &str = "db.example.invalid";

/// A user with a cache, a clock at [`START`], and a place for a key.
struct ExampleUser {
    bench: Bench,
    directory: tempfile::TempDir,
}

impl ExampleUser {
    fn with_key(key: &str) -> Self {
        let user = Self {
            bench: Bench::new(),
            directory: tempfile::tempdir().unwrap(),
        };
        user.save_key(key);
        user
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("key")
    }

    fn save_key(&self, key: &str) {
        fs::write_unsynced(&self.file(), key.as_bytes()).unwrap();
    }

    /// Returns the request of `pgcred token HOST --user USER --profile FILE`.
    fn request(&self, user: &str) -> Request {
        Request {
            provider: provider::find_by_host(HOST).expect("it is in PROVIDERS"),
            host: HOST.to_owned(),
            sign_host: HOST.to_owned(),
            user: user.to_owned(),
            profile: Some(self.file().display().to_string()),
            ..request("any", None)
        }
    }

    fn issue(&self, user: &str) -> IssuedToken {
        self.bench.issue(&self.request(user)).unwrap()
    }
}

fn token_of(key: &str, user: &str, end: i64) -> String {
    let claim = format!("{user}@{HOST}/{end}");
    let signature = digest([key, &*claim]);
    format!("{claim}/{signature}")
}

#[test]
fn the_table_knows_it() {
    assert_eq!(provider::find_by_host(HOST).unwrap().name, "example");
    assert_eq!(provider::from_name("example").unwrap().title, "Example");
    assert!(provider::names("|").contains("|example|"));
    assert!(provider::authority_titles().contains(" or Example"));
    assert!(provider::find_by_host("db.example").is_none());
}

#[test]
fn a_token_is_made_cached_and_made_again() {
    let user = ExampleUser::with_key("k\n");
    let first = user.issue("app");
    let end = START.plus(15 * MINUTE);
    assert_eq!(first.token.expose(), token_of("k", "app", end.unix()));
    assert_eq!(first.token.expires_at, end);
    assert!(!first.is_cached && user.issue("app").is_cached);
    // A token is good for one user, and the key for all.
    let other = user.issue("ann");
    assert_eq!(other.token.expose(), token_of("k", "ann", end.unix()));
    pretend(end);
    let second = user.issue("app");
    assert!(!second.is_cached && second.token.expires_at == end.plus(15 * MINUTE));
}

#[test]
fn a_new_key_signs_at_once() {
    let user = ExampleUser::with_key("old");
    assert!(!user.issue("app").is_cached && user.issue("app").is_cached);
    user.save_key("new and longer");
    let issued = user.issue("app");
    let end = START.plus(15 * MINUTE).unix();
    assert!(!issued.is_cached);
    assert_eq!(
        issued.token.expose(),
        token_of("new and longer", "app", end)
    );
}

#[test]
fn a_missing_key_says_what_to_do_and_its_arrival_ends_the_pause() {
    let user = ExampleUser::with_key("k");
    std::fs::remove_file(user.file()).unwrap();
    let request = user.request("app");
    let error = user.bench.issue(&request).err().unwrap();
    assert!(error.to_string().starts_with("cannot read "), "{error}");
    assert!(error.hint_text().unwrap().contains("--profile FILE"));
    let authority = request.provider.authority;
    let identity = authority
        .identities()
        .identity(request.profile.as_deref(), None);
    let error = identity.log_in(&policy(), &policy().notes()).unwrap_err();
    assert!(error.hint_text().unwrap().starts_with("save your key in "));
    user.save_key("k");
    assert!(!user.issue("app").is_cached);
}
