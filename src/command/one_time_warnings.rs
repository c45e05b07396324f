//! Gives warnings about a file once: pgcred remembers them, and gives one again only when it has
//! changed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::error::Result;
use crate::sys::fs;
use crate::sys::paths::CacheDirectory;
use crate::text::digest::digest;

/// Returns the remarks about a file that are new, and remembers all of them. If they cannot be
/// remembered, all of them count as new.
pub(super) fn new_remarks(subject_path: &Path, remarks: Vec<String>) -> Vec<String> {
    let Some(cache) = CacheDirectory::for_user() else {
        return remarks;
    };
    let path = cache.shown_warnings();
    let file = digest([subject_path.display().to_string().as_str()]);
    let bytes = fs::read_own(&path).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    let known_marks: BTreeSet<&str> = text.lines().collect();
    let mut new_marks = BTreeSet::new();
    let mut new_remarks = Vec::new();
    for remark in remarks {
        let mark = mark_of_remark(&file, &remark);
        if !known_marks.contains(mark.as_str()) {
            new_remarks.push(remark);
        }
        new_marks.insert(mark);
    }
    let other_marks = known_marks.iter().filter(|line| !line.starts_with(&file));
    new_marks.extend(other_marks.map(ToString::to_string));
    if !new_marks.iter().eq(known_marks.iter()) {
        let _ = remember_marks(&path, &new_marks); // if it fails, the remarks are made again
    }
    new_remarks
}

/// Returns the line that stands for a remark. Numbers do not count, because line numbers change
/// with pgcred's own lines.
fn mark_of_remark(file: &str, remark: &str) -> String {
    let plain = remark.replace(|c: char| c.is_ascii_digit(), "");
    format!("{file} {}", digest([plain.as_str()]))
}

fn remember_marks(path: &Path, marks: &BTreeSet<String>) -> Result<()> {
    let mut text = String::new();
    for mark in marks {
        text.push_str(mark);
        text.push('\n');
    }
    if let Some(directory) = path.parent() {
        fs::ensure_own_directory(directory)?;
    }
    fs::edit_cache(path, |_| text.into_bytes())
}
