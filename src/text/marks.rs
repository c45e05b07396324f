//! Defines the two lines that pgcred puts around its own lines in a file of the user's: a passfile,
//! a service file, a crontab. Every version of pgcred has begun them with these words.

/// The beginning of the first line of pgcred's block. An explanation follows on the line.
pub(crate) const BLOCK_BEGIN: &str = "# pgcred begin";

/// The last line of pgcred's block.
pub(crate) const BLOCK_END: &str = "# pgcred end";

/// Returns what to do about a damaged block, by the marks that the file has.
pub(crate) fn repair_hint(has_begin: bool, has_end: bool) -> &'static str {
    match (has_begin, has_end) {
        (true, false) => {
            "put the line `# pgcred end` below pgcred's lines and above your own, or delete \
             `# pgcred begin` and pgcred's lines"
        }
        (false, true) => "delete the line `# pgcred end`, and pgcred's lines above it",
        _ => {
            "move your own lines out of the block, or delete everything from `# pgcred begin` to \
             `# pgcred end`"
        }
    }
}
