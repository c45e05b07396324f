//! Who signs: digests that change whenever other credentials would be found, and tell nothing about
//! them.

use std::cell::OnceCell;
use std::hash::Hash;
use std::path::PathBuf;
use std::rc::Rc;

use super::planned::Planned;
use super::settings::SharedFiles;
use crate::sys::fs;
use crate::text::digest::{Digester, digest};

/// Who signs for a profile, as AWS's variables and files say it.
pub(crate) struct Identity {
    planned: Rc<Planned>,
    /// Digest of the plan; safe in file names. Locks and failures go by it.
    name: String,
    /// Digest of the plan and of the files that it rests on, such as the token of an SSO login.
    /// Cached tokens go by it: it changes when somebody logs out, or another user logs in.
    state: String,
    logins: OnceCell<String>,
    region: OnceCell<String>,
}

impl Identity {
    pub(crate) fn of(profile: Option<&str>, files: &SharedFiles) -> Self {
        let planned = Rc::new(Planned::read(profile, files));
        let mut name = Digester::new();
        planned.hash(&mut name);
        Self::with_files_as_they_are(planned, name.finished())
    }

    /// Returns the same with the files as they are now: getting credentials, or waiting for
    /// somebody who gets them, may have changed them.
    pub(crate) fn as_it_is_now(&self) -> Self {
        Self::with_files_as_they_are(Rc::clone(&self.planned), self.name.clone())
    }

    fn with_files_as_they_are(planned: Rc<Planned>, name: String) -> Self {
        let state = with_stamps(&name, planned.files());
        Self {
            planned,
            name,
            state,
            logins: OnceCell::new(),
            region: OnceCell::new(),
        }
    }

    pub(crate) fn planned(&self) -> &Planned {
        &self.planned
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn state(&self) -> &str {
        &self.state
    }

    /// Returns a digest that changes when somebody may have logged in. A pause after a failure ends
    /// then.
    pub(crate) fn logins(&self) -> &str {
        self.logins.get_or_init(|| {
            let places = self.planned.places_of_logins();
            let files = places.into_iter().flat_map(|place| {
                if place.is_dir() {
                    sorted(&place)
                } else {
                    vec![place]
                }
            });
            with_stamps(&self.name, files.collect())
        })
    }

    /// Returns the region that AWS's variables or the profile name; else where it comes from.
    pub(crate) fn region(&self) -> &str {
        self.region.get_or_init(|| {
            self.planned
                .region()
                .unwrap_or_else(|| "instance metadata".to_owned())
        })
    }
}

impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Identity {}

fn sorted(directory: &std::path::Path) -> Vec<PathBuf> {
    let mut files = fs::list(directory);
    files.sort();
    files
}

/// Returns a digest of a text and of files, as they are now.
fn with_stamps(text: &str, files: Vec<PathBuf>) -> String {
    let mut parts = vec![text.to_owned()];
    for file in files {
        parts.push(file.display().to_string());
        parts.push(fs::stamp_of_file(&file).unwrap_or_default());
    }
    digest(parts.iter().map(String::as_str))
}
