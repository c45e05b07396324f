//! Reads the tokens in the passfiles that pgcred knows of: how long they are valid, and what keeps
//! clients from finding them. Nothing is written.

use std::path::{Path, PathBuf};

use crate::authority::Authority;
use crate::cache::{CacheIndex, TokenRecord};
use crate::error::{Error, Result};
use crate::passfile::block::{Passfile, PassfileLine};
use crate::passfile::survey;
use crate::sys::env;
use crate::sys::fs;
use crate::time::Time;
use crate::token::default_fresh_until;

/// What the known passfiles hold.
pub(super) struct PassfileTokens {
    files: Vec<ParsedPassfile>,
    /// Why other passfiles cannot be read.
    pub(super) errors: Vec<Error>,
}

/// A passfile that exists and can be read.
struct ParsedPassfile {
    path: PathBuf,
    text: Vec<u8>,
    passfile: Passfile,
}

/// A token in one line of a passfile.
pub(super) struct PassfileToken<'a> {
    file: &'a ParsedPassfile,
    line: &'a PassfileLine,
    /// When it was issued, if anything says so.
    pub(super) issued_at: Option<Time>,
    /// When to stop reusing it, if anything says so.
    pub(super) fresh_until: Option<Time>,
    pub(super) expires_at: Time,
}

/// Returns every passfile that may hold a token of pgcred's: first the one that clients read, then
/// those that the index names.
pub(super) fn known_passfiles(index: &CacheIndex) -> Vec<PathBuf> {
    let mut paths = Vec::new();
    if let Some(path) = env::passfile().or_else(env::default_passfile) {
        paths.push(std::path::absolute(&path).unwrap_or(path));
    }
    for path in index.known_passfiles() {
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    paths
}

impl PassfileTokens {
    pub(super) fn read(paths: Vec<PathBuf>) -> Self {
        let mut tokens = Self {
            files: Vec::new(),
            errors: Vec::new(),
        };
        for path in paths {
            match read_passfile(path) {
                Ok(passfiles) => tokens.files.extend(passfiles),
                Err(error) => tokens.errors.push(error),
            }
        }
        tokens
    }

    /// Returns the tokens in a line that are valid now, those of the first passfile first.
    /// When one was issued is what the index says; else `authority` can tell it, where the token
    /// does.
    pub(super) fn valid_tokens<'a>(
        &'a self,
        line: &'a PassfileLine,
        index: &CacheIndex,
        authority: &dyn Authority,
    ) -> Vec<PassfileToken<'a>> {
        let now = Time::now();
        let mut tokens = Vec::new();
        for file in &self.files {
            if let Some(expires_at) = file.passfile.expires_at(line)
                && expires_at > now
            {
                let token = file.passfile.token(line, expires_at).unwrap_or_default();
                let (issued_at, fresh_until) = match index.record_of(&token) {
                    Some(record) => (Some(record.issued_at), Some(record.fresh_until)),
                    None => match authority.signing_time(&token) {
                        Some(signed_at) => (
                            Some(signed_at),
                            Some(default_fresh_until(signed_at, expires_at)),
                        ),
                        None => (None, None),
                    },
                };
                tokens.push(PassfileToken {
                    file,
                    line,
                    issued_at,
                    fresh_until,
                    expires_at,
                });
            }
        }
        tokens
    }
}

fn read_passfile(path: PathBuf) -> Result<Option<ParsedPassfile>> {
    let Some(text) = fs::read_if_plain(&path)? else {
        return Ok(None);
    };
    let passfile =
        Passfile::parse(&text).map_err(|error| error.about(&path.display().to_string()))?;
    Ok(Some(ParsedPassfile {
        path,
        text,
        passfile,
    }))
}

impl PassfileToken<'_> {
    pub(super) fn path(&self) -> &Path {
        &self.file.path
    }

    /// Tells whether this is the token that the index has this record of.
    pub(super) fn is_recorded_in(&self, record: &TokenRecord) -> bool {
        self.file
            .passfile
            .token(self.line, self.expires_at)
            .is_some_and(|token| record.is_record_of(&token))
    }

    /// Returns the number of the user's line that clients use instead of the token, if there is
    /// one.
    pub(super) fn hidden_by(&self) -> Option<usize> {
        survey::hidden_by(&self.file.text, self.line)
    }
}
