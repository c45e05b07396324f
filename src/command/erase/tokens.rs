//! Removes single tokens from a passfile, under its lock, and then from the cache, and reports
//! which.

use std::path::Path;

use crate::cache::{Cache, CacheIndex};
use crate::command::passfile_option;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::PassfileLine;
use crate::sys::fs::{self, FilePresence};
use crate::sys::typed_commands;

/// Removes the tokens that `is_wanted` picks from a passfile's block, and returns what they
/// were for.
///
/// A file without a block is not touched, and a missing one is not made. What a pgcred that was
/// killed has left beside the file is removed in any case.
pub(super) fn erase_in_passfile(
    path: &Path,
    output: Output,
    is_wanted: impl Fn(&PassfileLine) -> bool,
) -> Result<Vec<PassfileLine>> {
    fs::clear_leftovers(path)?;
    match fs::read_if_plain(path)? {
        Some(text) if may_have_block(&text) => {}
        _ => return Ok(Vec::new()),
    }
    let erased_lines: Vec<PassfileLine> =
        passfile_option::edit_passfile(path, output, |passfile| {
            let lines = passfile
                .token_lines()
                .filter(|line| is_wanted(line))
                .cloned()
                .collect();
            passfile.remove(&is_wanted);
            Ok(lines)
        })?;
    if !erased_lines.is_empty() {
        let mut note = format!(
            "{}: erased {}",
            path.display(),
            tokens_in_words(erased_lines.len())
        );
        if fs::stamp(path).is_none() {
            note += "; the file is gone too, because pgcred had made it";
        }
        output.note(&note);
    }
    Ok(erased_lines)
}

/// Tells whether a passfile has a mark of pgcred's, also a damaged one: then the block is read, and
/// the user is told of the damage.
fn may_have_block(text: &[u8]) -> bool {
    const MARKS_BEGIN: &[u8] = b"# pgcred ";
    text.windows(MARKS_BEGIN.len())
        .any(|part| part == MARKS_BEGIN)
}

/// Does the same for a passfile that the index may name: if the file has such a token and cannot be
/// reached, this is an error.
pub(in crate::command) fn erase_in_known_passfile(
    path: &Path,
    index: &CacheIndex,
    output: Output,
    is_wanted: impl Fn(&PassfileLine) -> bool,
) -> Result<Vec<PassfileLine>> {
    if index.has_token_in(path, &is_wanted) {
        check_reachable(path)?;
    }
    erase_in_passfile(path, output, is_wanted)
}

/// Refuses a passfile below a directory that is not there now, such as one of a disk that was taken
/// out.
pub(super) fn check_reachable(path: &Path) -> Result<()> {
    let FilePresence::Unreachable(directory) = fs::presence(path) else {
        return Ok(());
    };
    let make = typed_commands::make_directory(&directory);
    let (path, directory) = (path.display(), directory.display());
    Err(
        Error::failure(format!("{path} may have tokens and cannot be reached")).hint(format!(
            "attach or mount {directory}, then try again; if it is gone for good, run `{make}`, \
             then try again"
        )),
    )
}

/// Removes tokens from the cache, and says how many it had.
pub(in crate::command) fn forget_ids(ids: &[String], cache: &Cache, output: Output) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let mut sealed_count = 0;
    for id in ids {
        sealed_count += usize::from(cache.has_file(id));
    }
    cache.forget(ids)?;
    if sealed_count > 0 {
        output.note(&format!("cache: erased {}", tokens_in_words(sealed_count)));
    }
    Ok(())
}

fn tokens_in_words(tokens: usize) -> String {
    if tokens == 1 {
        "1 token".to_owned()
    } else {
        format!("{tokens} tokens")
    }
}
