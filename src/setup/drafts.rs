//! Keeps drafts: the texts that edits will leave in files, before the edits are made.
//!
//! Several tools are planned together, and shown together. An edit that changes a file has to begin
//! with the text that the edit before it leaves there, and not with the one on the disk: else the
//! second would take back what the first has put in, or fail because the file has changed.

use std::path::{Path, PathBuf};

use super::edit::{EditDestination, SetupEdit};
use crate::error::Result;
use crate::sys::fs;

/// The texts of files that edits will change, each as the last of its edits leaves it.
#[derive(Clone, Default)]
pub(crate) struct FileDrafts {
    texts: Vec<(PathBuf, Option<String>)>,
}

impl FileDrafts {
    /// Adds what these edits will leave.
    pub(crate) fn add(&mut self, edits: &[SetupEdit]) {
        for edit in edits {
            let EditDestination::File(path) = &edit.destination else {
                continue; // only one scheduler edits the crontab
            };
            let path = path_without_links(path);
            self.texts.retain(|(draft_path, _)| *draft_path != path);
            self.texts.push((path, edit.new_text.clone()));
        }
    }

    /// Tells whether an edit of this file is planned.
    pub(crate) fn has(&self, path: &Path) -> bool {
        self.find(path).is_some()
    }

    /// Returns the text of a file as the planned edits leave it; `None` if there will be no file.
    /// A file that is not text is an error.
    pub(crate) fn read(&self, path: &Path) -> Result<Option<String>> {
        match self.find(path) {
            Some(text) => Ok(text.clone()),
            None => fs::read_plain(path),
        }
    }

    fn find(&self, path: &Path) -> Option<&Option<String>> {
        if self.texts.is_empty() {
            return None;
        }
        let path = path_without_links(path);
        let (_, text) = self
            .texts
            .iter()
            .find(|(draft_path, _)| *draft_path == path)?;
        Some(text)
    }
}

/// Returns the path without links, so that two names of one file are one draft. The file may not
/// exist yet, but its directory may.
fn path_without_links(path: &Path) -> PathBuf {
    if let Ok(path) = path.canonicalize() {
        return path;
    }
    if let (Some(directory), Some(name)) = (path.parent(), path.file_name())
        && let Ok(directory) = directory.canonicalize()
    {
        return directory.join(name);
    }
    path.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edit(path: &Path, new_text: Option<&str>) -> SetupEdit {
        SetupEdit {
            destination: EditDestination::File(path.to_owned()),
            old_text: None,
            new_text: new_text.map(str::to_owned),
            backup_text: None,
        }
    }

    #[test]
    fn the_last_edit_of_a_file_counts_and_others_are_read_from_the_disk() {
        let directory = fs::new_private_directory().unwrap();
        let (one, other) = (directory.path("one"), directory.path("other"));
        fs::write_unsynced(&one, b"old").unwrap();
        fs::write_unsynced(&other, b"other").unwrap();
        let mut drafts = FileDrafts::default();
        assert_eq!(drafts.read(&one).unwrap().as_deref(), Some("old"));
        drafts.add(&[edit(&one, Some("first")), edit(&one, Some("second"))]);
        assert_eq!(drafts.read(&one).unwrap().as_deref(), Some("second"));
        assert_eq!(drafts.read(&other).unwrap().as_deref(), Some("other"));
        assert!(drafts.has(&one) && !drafts.has(&other));
        let roundabout = directory.path(".").join("one");
        assert_eq!(drafts.read(&roundabout).unwrap().as_deref(), Some("second"));
        drafts.add(&[edit(&one, None)]);
        assert_eq!(drafts.read(&one).unwrap(), None);
    }
}
