//! Reads and writes the files that the AWS CLI keeps between its runs: where they are, what they
//! are called, and what they hold. No other file of pgcred names these directories.
//!
//! ```text
//! ~/.aws/cli/cache     credentials of roles        role.rs     read, never written
//! ~/.aws/sso/cache     tokens of SSO logins        sso.rs      read; written by a login or renewal
//! ~/.aws/login/cache   sessions of `aws login`     sign_in.rs  read; written by a renewal
//! ```
//!
//! A file that is missing, unreadable or damaged counts as not there: the AWS CLI would replace it.

pub(crate) mod role;
pub(crate) mod sign_in;
pub(crate) mod sso;

use std::path::PathBuf;

use ring::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde_json::{Map, Value};

use crate::sys::env;
use crate::sys::fs;
use crate::text::encode::hex;

/// The directories, below the home directory.
const ROLES: &str = ".aws/cli/cache";
const SSO: &str = ".aws/sso/cache";
const SIGN_IN: &str = ".aws/login/cache";

/// Returns all three directories.
pub(crate) fn cache_directories() -> Vec<PathBuf> {
    let Some(home) = env::aws_home() else {
        return Vec::new();
    };
    let mut directories = vec![home.join(SSO), home.join(ROLES)];
    directories.extend(sign_in_directory());
    directories
}

/// Returns the directory of the sessions of `aws login`, which a variable can move.
fn sign_in_directory() -> Option<PathBuf> {
    match env::var("AWS_LOGIN_CACHE_DIRECTORY") {
        Some(directory) => Some(env::expand_home(&directory)),
        None => Some(env::aws_home()?.join(SIGN_IN)),
    }
}

fn cache_file(directory: &str, name: &str) -> Option<PathBuf> {
    Some(env::aws_home()?.join(directory).join(json_file(name)))
}

fn json_file(name: &str) -> String {
    format!("{name}.json")
}

/// Returns the JSON object in a file.
fn json_object_in(path: &std::path::Path) -> Option<Map<String, Value>> {
    let bytes = fs::read_foreign_cache(path)?;
    match serde_json::from_slice(&bytes) {
        Ok(Value::Object(fields)) => Some(fields),
        _ => None,
    }
}

fn sha1(text: &str) -> String {
    hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, text.as_bytes()).as_ref())
}
