//! Remarks that are worth making once: what was said about a file is remembered, and said again
//! when it has changed.

use std::collections::BTreeSet;
use std::path::Path;

use crate::sys::fs;
use crate::sys::paths::CacheDirectory;
use crate::text::digest::digest;

/// Returns the remarks about a file that nobody has been told yet, and remembers them. Where that
/// cannot be remembered they are all new.
pub(super) fn news(about: &Path, remarks: Vec<String>) -> Vec<String> {
    let Some(cache) = CacheDirectory::of_user() else {
        return remarks;
    };
    let path = cache.told();
    let file = digest([about.display().to_string().as_str()]);
    // Line numbers change with pgcred's own lines.
    let plain = |remark: &str| remark.replace(|c: char| c.is_ascii_digit(), "");
    let mark = |remark: &String| format!("{file} {}", digest([plain(remark).as_str()]));
    let before = fs::read_own(&path)
        .and_then(|text| String::from_utf8(text).ok())
        .unwrap_or_default();
    let before: BTreeSet<&str> = before.lines().collect();
    let now: BTreeSet<String> = remarks.iter().map(mark).collect();
    let of_others = |line: &&&str| !line.starts_with(&file);
    let after: BTreeSet<&str> = before
        .iter()
        .filter(of_others)
        .copied()
        .chain(now.iter().map(String::as_str))
        .collect();
    if after != before {
        let text: String = after.iter().flat_map(|line| [line, "\n"]).collect();
        let written = path.parent().map_or(Ok(()), fs::own_directory);
        let _ = written.and_then(|()| fs::edit_cache(&path, |_| text.into_bytes())); // then they are said again
    }
    remarks
        .into_iter()
        .filter(|remark| !before.contains(mark(remark).as_str()))
        .collect()
}
