//! What stands in the passfiles that pgcred knows of: until when, and what hides it. Reads only.

use std::path::{Path, PathBuf};

use crate::cache::{Index, Record};
use crate::error::{Error, Result};
use crate::passfile::block::{Passfile, PassfileKey};
use crate::passfile::survey::hidden_by;
use crate::sys::env;
use crate::sys::fs;
use crate::time::Time;
use crate::token::refresh_after;

/// A passfile that is there, and can be read.
struct Known {
    path: PathBuf,
    text: Vec<u8>,
    passfile: Passfile,
}

pub(super) struct Standing {
    files: Vec<Known>,
    /// Why others cannot be read.
    pub(super) troubles: Vec<Error>,
}

/// A token under one key.
pub(super) struct Found<'a> {
    passfile: &'a Passfile,
    key: &'a PassfileKey,
    pub(super) path: &'a Path,
    /// When it was signed, as far as its text says.
    pub(super) issued_at: Option<Time>,
    pub(super) expires_at: Time,
    /// The line of the user's that clients take instead.
    pub(super) hidden_by: Option<usize>,
}

/// The passfile that clients read if nothing else is said.
fn in_effect() -> Option<PathBuf> {
    env::passfile().or_else(env::default_passfile)
}

/// Every passfile that may hold a token of pgcred's: the one in effect first, then those that the
/// index names.
pub(super) fn known_passfiles(index: &Index) -> Vec<PathBuf> {
    let absolute = |path: PathBuf| std::path::absolute(&path).unwrap_or(path);
    let mut paths: Vec<PathBuf> = in_effect().map(absolute).into_iter().collect();
    paths.extend(
        index
            .known_passfiles()
            .into_iter()
            .filter(|path| !paths.contains(path))
            .collect::<Vec<_>>(),
    );
    paths
}

impl Standing {
    pub(super) fn read(paths: Vec<PathBuf>) -> Self {
        let mut standing = Self {
            files: Vec::new(),
            troubles: Vec::new(),
        };
        for path in paths {
            match read(path) {
                Ok(known) => standing.files.extend(known),
                Err(error) => standing.troubles.push(error),
            }
        }
        standing
    }

    /// Returns the tokens under a key that are good now, those of the first file first.
    pub(super) fn of<'a>(&'a self, key: &'a PassfileKey) -> impl Iterator<Item = Found<'a>> {
        let now = Time::now();
        self.files.iter().filter_map(move |known| {
            let (issued_at, expires_at) = known
                .passfile
                .times(key)
                .filter(|(_, expires_at)| *expires_at > now)?;
            let hidden_by = hidden_by(&known.text, key);
            Some(Found {
                passfile: &known.passfile,
                key,
                path: &known.path,
                issued_at,
                expires_at,
                hidden_by,
            })
        })
    }
}

fn read(path: PathBuf) -> Result<Option<Known>> {
    let Some(text) = fs::read_if_plain(&path)? else {
        return Ok(None);
    };
    let passfile =
        Passfile::parse(&text).map_err(|error| error.about(&path.display().to_string()))?;
    Ok(Some(Known {
        path,
        text,
        passfile,
    }))
}

impl Found<'_> {
    /// Whether this is the token that the index has this record of.
    pub(super) fn is_of(&self, record: &Record) -> bool {
        self.passfile
            .token(self.key, self.expires_at)
            .is_some_and(|token| record.is_of(&token))
    }

    pub(super) fn refresh_after(&self) -> Option<Time> {
        self.issued_at
            .map(|issued_at| refresh_after(issued_at, self.expires_at))
    }
}
