//! Keeps the index of the cache, `index.json`: what is known of every token without its secret, the
//! last failure of each identity and request, and the passfiles that have tokens. `list`, prompts
//! and due times read it, without a keyring and without AWS.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::EntryId;
use crate::authority::{Identity, Region};
use crate::error::{Error, ErrorReason, Exit, Result};
use crate::passfile::block::PassfileLine;
use crate::request::Request;
use crate::sys::fs::{self, FilePresence};
use crate::text::digest::{LENGTH, digest};
use crate::text::mask_accounts;
use crate::time::Time;
use crate::token::{Token, TokenAge, age_with_fresh_until, default_fresh_until};

const VERSION: u64 = 1;

/// Where a token's text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenLocation {
    Cache,
    Passfile(PathBuf),
}

#[derive(Clone, Debug)]
pub(crate) struct TokenRecord {
    /// Line of the passfile that the token is for, wherever the token is.
    pub(crate) line: PassfileLine,
    pub(crate) issued_at: Time,
    /// When to stop reusing it. An older pgcred has written none: then it is two thirds of the
    /// token's lifetime.
    pub(crate) fresh_until: Time,
    pub(crate) expires_at: Time,
    pub(crate) region: Option<Region>,
    pub(crate) location: TokenLocation,
    /// The digest of the token, which tells it from another token that expires in the same second.
    /// An older pgcred has written none.
    pub(crate) digest: Option<String>,
    /// The digest of the identity that signed it; an older pgcred has written none.
    pub(crate) identity: Option<String>,
}

/// The last failure to get credentials, and how many there were in a row.
#[derive(Clone, Debug)]
pub(crate) struct FailureRecord {
    pub(crate) failed_at: Time,
    pub(crate) count: u32,
    pub(crate) error: Error,
    /// Set if the process that failed could ask the user.
    pub(crate) could_ask_user: bool,
    /// The login stamp of the identity at that time. If it is another one now, the user has logged
    /// in since.
    pub(crate) login_stamp: String,
}

#[derive(Default)]
pub(crate) struct CacheIndex {
    pub(crate) records: BTreeMap<String, TokenRecord>,
    /// By the digest of an identity, or the ID of a token that only one request has failed to get.
    pub(crate) failures: BTreeMap<String, FailureRecord>,
    /// The passfiles that tokens were written into. `erase` needs also those that no record names
    /// any more.
    pub(crate) passfiles: BTreeSet<PathBuf>,
}

impl CacheIndex {
    /// Returns every passfile that may hold a token of ours.
    pub(crate) fn known_passfiles(&self) -> BTreeSet<PathBuf> {
        let mut passfiles = self.passfiles.clone();
        for record in self.records.values() {
            if let TokenLocation::Passfile(path) = &record.location {
                passfiles.insert(path.clone());
            }
        }
        passfiles
    }

    /// Tells whether a token that `is_wanted` picks was filed in this passfile.
    pub(crate) fn has_token_in(
        &self,
        path: &Path,
        is_wanted: impl Fn(&PassfileLine) -> bool,
    ) -> bool {
        self.records.values().any(|record| match &record.location {
            TokenLocation::Passfile(location) => location == path && is_wanted(&record.line),
            TokenLocation::Cache => false,
        })
    }

    /// Returns the records of this request's tokens that expire at `expires_at`, for any lifetime
    /// that was asked for. That lifetime was the token's own, or the longest one if the credentials
    /// expired before it.
    pub(crate) fn records_of_any_lifetime(
        &self,
        request: &Request,
        identity: &dyn Identity,
        expires_at: Time,
    ) -> impl Iterator<Item = &TokenRecord> {
        let line = request.passfile_line();
        let is_one = move |(id, record): &(&String, &TokenRecord)| {
            let lives = [
                record.issued_at.until(expires_at),
                request.provider.max_lifetime_seconds,
            ];
            record.expires_at == expires_at
                && record.line == line
                && lives.iter().any(|lifetime_seconds| {
                    EntryId::with_lifetime(request, *lifetime_seconds, identity).as_str() == *id
                })
        };
        self.records.iter().filter(is_one).map(|(_, record)| record)
    }

    /// Reads the index; none where it is missing, damaged, newer, or another user's.
    pub(super) fn read(path: &Path) -> Option<Self> {
        Self::parse(&fs::read_own(path)?)
    }

    fn parse(text: &[u8]) -> Option<Self> {
        Self::from_json(&serde_json::from_slice(text).ok()?)
    }

    /// Changes the index under its lock. Records that ended more than a day ago go; their IDs are
    /// returned.
    pub(crate) fn update(path: &Path, change: impl FnOnce(&mut Self)) -> Result<Vec<String>> {
        const SECONDS_KEPT: u32 = 86_400;
        let mut removed_ids = Vec::new();
        fs::edit_cache(path, |text| {
            let mut index = Self::parse(text).unwrap_or_default();
            change(&mut index);
            let now = Time::now();
            let outdated: BTreeMap<_, _> = index
                .records
                .extract_if(.., |_, record| record.expires_at.plus(SECONDS_KEPT) <= now)
                .collect();
            removed_ids.extend(outdated.into_keys());
            index
                .failures
                .retain(|_, failure| failure.failed_at.plus(SECONDS_KEPT) > now);
            index
                .passfiles
                .retain(|path| fs::presence(path) != FilePresence::Missing);
            index.to_json().to_string().into_bytes()
        })?;
        Ok(removed_ids)
    }

    fn to_json(&self) -> Value {
        let records = self
            .records
            .iter()
            .map(|(id, record)| (id.clone(), record.to_json()));
        let failures = self
            .failures
            .iter()
            .map(|(identity, failure)| (identity.clone(), failure.to_json()));
        let passfiles = self.passfiles.iter().map(|path| path.display().to_string());
        json!({
            "version": VERSION,
            "tokens": records.collect::<Map<_, _>>(),
            "failures": failures.collect::<Map<_, _>>(),
            "passfiles": passfiles.collect::<Vec<_>>(),
        })
    }

    /// Takes the parts that pgcred can have written, and drops the rest: an ID becomes the name of
    /// a file that is removed.
    fn from_json(value: &Value) -> Option<Self> {
        if value["version"] != VERSION {
            return None;
        }
        let mut index = Self::default();
        for (id, value) in value["tokens"].as_object()? {
            if is_digest(id)
                && let Some(record) = TokenRecord::from_json(value)
            {
                index.records.insert(id.clone(), record);
            }
        }
        for (identity, value) in value["failures"].as_object()? {
            if is_digest(identity)
                && let Some(failure) = FailureRecord::from_json(value)
            {
                index.failures.insert(identity.clone(), failure);
            }
        }
        for value in value["passfiles"].as_array().into_iter().flatten() {
            if let Some(path) = value.as_str().map(PathBuf::from)
                && path.is_absolute()
            {
                index.passfiles.insert(path);
            }
        }
        Some(index)
    }
}

/// Tells whether a text is a digest as [`digest`] makes them.
fn is_digest(text: &str) -> bool {
    text.len() == LENGTH
        && text
            .bytes()
            .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

impl CacheIndex {
    /// Returns the record of a token, whatever it was issued for.
    pub(crate) fn record_of(&self, token: &str) -> Option<&TokenRecord> {
        let digest = digest([token]);
        let mut records = self.records.values();
        records.find(|record| record.digest.as_ref() == Some(&digest))
    }
}

impl TokenRecord {
    pub(crate) fn new(
        line: PassfileLine,
        token: &Token,
        region: Option<Region>,
        location: TokenLocation,
        identity: &dyn Identity,
    ) -> Self {
        let (issued_at, expires_at) = (token.issued_at, token.expires_at);
        Self {
            line,
            issued_at,
            fresh_until: token.fresh_until(),
            expires_at,
            region,
            location,
            digest: Some(digest([token.expose()])),
            identity: Some(identity.digest().to_owned()),
        }
    }

    /// Tells whether the record names another identity. A new login is the same identity.
    pub(crate) fn is_signed_by_another(&self, identity: &dyn Identity) -> bool {
        self.identity
            .as_ref()
            .is_some_and(|signer| signer != identity.digest())
    }

    /// Tells whether this is the token that was recorded. The digest is compared, because two
    /// profiles may have tokens for one address that expire in the same second.
    pub(crate) fn is_record_of(&self, token: &str) -> bool {
        self.digest
            .as_ref()
            .is_some_and(|recorded| *recorded == digest([token]))
    }

    pub(crate) fn age(&self, now: Time) -> TokenAge {
        age_with_fresh_until(self.issued_at, self.fresh_until, self.expires_at, now)
    }

    fn to_json(&self) -> Value {
        let passfile = match &self.location {
            TokenLocation::Cache => None,
            TokenLocation::Passfile(path) => Some(path.display().to_string()),
        };
        json!({
            "host": self.line.host,
            "port": self.line.port,
            "user": self.line.user,
            "issued": self.issued_at.unix(),
            "fresh": self.fresh_until.unix(),
            "expires": self.expires_at.unix(),
            "region": Region::to_cache(self.region.as_ref()),
            "passfile": passfile,
            "digest": self.digest,
            "identity": self.identity,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let location = match text("passfile").map(PathBuf::from) {
            None => TokenLocation::Cache,
            Some(path) if path.is_absolute() => TokenLocation::Passfile(path),
            Some(_) => return None,
        };
        let issued_at = Time::from_unix(value["issued"].as_i64()?);
        let expires_at = Time::from_unix(value["expires"].as_i64()?);
        let fresh_until = match value["fresh"].as_i64() {
            Some(fresh_until) => Time::from_unix(fresh_until),
            None => default_fresh_until(issued_at, expires_at),
        };
        Some(Self {
            line: line_from_json(value)?,
            issued_at,
            fresh_until,
            expires_at,
            region: Region::from_cache(value["region"].as_str()?),
            location,
            digest: text("digest"),
            identity: text("identity"),
        })
    }
}

/// Returns the line of the passfile that a record is for. An older pgcred has written it as one
/// text, `user@host:port`.
fn line_from_json(value: &Value) -> Option<PassfileLine> {
    let line = match value["name"].as_str() {
        Some(name) => {
            let (user, address) = name.rsplit_once('@')?;
            let (host, port) = address.rsplit_once(':')?;
            PassfileLine {
                host: host.to_owned(),
                port: port.parse().ok()?,
                user: user.to_owned(),
            }
        }
        None => PassfileLine {
            host: value["host"].as_str()?.to_owned(),
            port: u16::try_from(value["port"].as_u64()?).ok()?,
            user: value["user"].as_str()?.to_owned(),
        },
    };
    let is_shown_safely =
        !line.host.contains(char::is_control) && !line.user.contains(char::is_control);
    is_shown_safely.then_some(line)
}

impl FailureRecord {
    fn to_json(&self) -> Value {
        json!({
            "at": self.failed_at.unix(),
            "count": self.count,
            "asked": self.could_ask_user,
            "exit": self.error.exit().code(),
            "reason": self.error.reason().map(ErrorReason::name),
            "message": mask_accounts(&self.error.to_string()),
            "hint": self.error.hint_text().map(mask_accounts),
            "logins": self.login_stamp,
        })
    }

    fn from_json(value: &Value) -> Option<Self> {
        let text = |field: &str| value[field].as_str().map(str::to_owned);
        let exit = Exit::from_code(value["exit"].as_u64()?).filter(|exit| *exit != Exit::Ok)?;
        // No hint: that of the error that was recorded is added below.
        let mut error = Error::failure(text("message")?).exiting(exit);
        if let Some(reason) = value["reason"].as_str().and_then(ErrorReason::from_name) {
            error = error.because(reason);
        }
        if let Some(hint) = text("hint") {
            error = error.hint(hint);
        }
        Some(Self {
            failed_at: Time::from_unix(value["at"].as_i64()?),
            count: u32::try_from(value["count"].as_u64()?).ok()?,
            error,
            could_ask_user: value["asked"] == true,
            login_stamp: text("logins")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_an_older_pgcred_are_read_and_written_with_a_key() {
        let passfile = if cfg!(windows) { r"C:\\p" } else { "/p" };
        let old = r#"{"version":1,"tokens":{
            "0123456789abcdef0123456789abcdef":{"name":"a@b@h.example.com:6543","issued":1,
                "expires":2,"region":"r"},
            "1123456789abcdef0123456789abcdef":{"name":"none","issued":1,"expires":2,"region":"r"},
            "2123456789abcdef0123456789abcdef":{"name":"u\u0007@h:1","issued":1,"expires":2,
                "region":"r"}
        },"failures":{},"passfiles":["PASSFILE"]}"#
            .replace("PASSFILE", passfile);
        let index = CacheIndex::parse(old.as_bytes()).expect("an index");
        let again = CacheIndex::parse(index.to_json().to_string().as_bytes()).expect("an index");
        for index in [index, again] {
            let lines: Vec<String> = index
                .records
                .values()
                .map(|record| record.line.to_string())
                .collect();
            assert_eq!(lines, ["a@b@h.example.com:6543"]);
            let times = index.records.values().map(|record| record.fresh_until);
            assert_eq!(
                times.collect::<Vec<_>>(),
                [default_fresh_until(Time::from_unix(1), Time::from_unix(2))]
            );
            assert_eq!(index.passfiles.len(), 1);
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        /// The parts of a damaged index that can be read are written again unchanged.
        #[test]
        fn files_that_are_nearly_right(text in crate::text::mutation::bytes(
            &[concat!(
                r#"{"version":1,"tokens":{"0123456789abcdef0123456789abcdef":{"host":"h","#,
                r#""port":5432,"user":"u","issued":1,"expires":2,"region":"r","passfile":"/p","#,
                r#""digest":"d"}},"failures":{"0123456789abcdef0123456789abcdef":{"at":1,"#,
                r#""count":2,"asked":true,"exit":3,"message":"m","hint":"h","logins":"l"}},"#,
                r#""passfiles":["/p"]}"#,
            )],
            &[
                "{", "}", "[", "]", "\"", "null", "-1", "1e400", "99999999999999999999",
                "\\u0000", "\\ud800", "../", "\"expires\":",
            ],
        )) {
            let Ok(value) = serde_json::from_slice::<Value>(&text) else { return Ok(()) };
            if let Some(index) = CacheIndex::from_json(&value) {
                let written = index.to_json();
                let again = CacheIndex::from_json(&written).map(|index| index.to_json());
                proptest::prop_assert_eq!(again, Some(written));
            }
        }
    }
}
