//! The lines of an edited file: those of the connection as `toml_edit` prints them, and all others
//! as they were, byte for byte.
//!
//! `toml_edit` knows LF alone, brings the dotted keys of a table together, and drops a key with the
//! comment above it. Therefore its text is only compared with the old one, line by line. Comments
//! and blank lines that it has dropped are put back. Where it has changed or moved another line,
//! the edit is refused.

use similar::{Algorithm, DiffTag, capture_diff_slices_by_key};
use toml::de::DeTable;

use super::read::{self, Item};
use crate::error::{Error, Result};

/// A line and its end, which the last one may not have.
#[derive(Clone, Copy)]
pub(super) struct Line<'t> {
    pub(super) text: &'t str,
    end: &'t str,
    /// The connection has a part in it.
    is_own: bool,
}

impl Line<'_> {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with('#')
    }
}

pub(super) fn lines(text: &str) -> Vec<Line<'_>> {
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let (text, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
        lines.push(Line {
            text,
            end,
            is_own: false,
        });
    }
    lines
}

pub(super) fn edit_error(name: &str) -> Error {
    let why = format!("cannot edit connections.{name}: other lines of the file would change");
    Error::failure(why).hint(format!(
        "edit it by hand: put each key on a line of its own below the line [connections.{name}]"
    ))
}

/// Returns the old text with the connection's lines as they are printed. `document` is the old
/// text's.
pub(super) fn merge(old: &str, document: &DeTable<'_>, new: &str, name: &str) -> Result<String> {
    let mut old_lines = lines_of_connection(old, document, name);
    let mut new_lines = lines_of_connection(new, &read::document(new)?, name);
    let is_there = |lines: &[Line<'_>]| lines.iter().any(|line| line.is_own);
    match (is_there(&old_lines), is_there(&new_lines)) {
        (true, false) => add_surroundings(&mut old_lines),
        (false, true) => add_surroundings(&mut new_lines),
        _ => {}
    }
    let crlf_count = old.matches("\r\n").count();
    let has_more_lf = crlf_count * 2 <= old.matches('\n').count();
    let usual_end = if has_more_lf { "\n" } else { "\r\n" };
    let mut merged = String::with_capacity(old.len().max(new.len()));
    for line in choose(&old_lines, &new_lines, name)? {
        merged.push_str(line.text);
        merged.push_str(if line.end.is_empty() {
            usual_end
        } else {
            line.end
        });
    }
    // A file without a last newline stays one: `remove` then undoes `add`.
    if !old.is_empty() && !old.ends_with('\n') {
        let without_end = merged.strip_suffix('\n').unwrap_or(&merged);
        let without_end = without_end.strip_suffix('\r').unwrap_or(without_end);
        merged.truncate(without_end.len());
    }
    Ok(merged)
}

/// Chooses from both texts the lines that stay, those that are put back, and those that are new.
fn choose<'t>(old: &[Line<'t>], new: &[Line<'t>], name: &str) -> Result<Vec<Line<'t>>> {
    let mut chosen = Vec::new();
    let key = |line: &Line<'t>| (line.is_own, line.text);
    for step in capture_diff_slices_by_key(Algorithm::Myers, old, new, key) {
        let (tag, old_range, new_range) = step.as_tag_tuple();
        if tag == DiffTag::Equal {
            chosen.extend(&old[old_range]);
            continue;
        }
        for line in &new[new_range] {
            if line.is_own {
                chosen.push(Line { end: "", ..*line });
            } else if !line.is_blank() {
                return Err(edit_error(name));
            }
        }
        for line in &old[old_range] {
            if line.is_own {
                continue;
            }
            if !line.is_blank() && !line.is_comment() {
                return Err(edit_error(name));
            }
            chosen.push(*line);
        }
    }
    Ok(chosen)
}

/// Finds the lines in which the connection has a part. All connections in one line of braces change
/// together.
fn lines_of_connection<'t>(text: &'t str, document: &DeTable<'_>, name: &str) -> Vec<Line<'t>> {
    let mut spans = Vec::new();
    if let Some(all) = document.get("connections") {
        let written = &text[all.span()];
        if written.starts_with('{') && !written.contains('\n') {
            spans.push(all.span());
        }
    }
    if let Some(connection) = item(document, name) {
        spans.push(connection.span()); // the header, the braces, or the name in a dotted key
        for (key, value) in connection.get_ref().as_table().into_iter().flatten() {
            spans.push(key.span().start..value.span().end);
        }
    }
    let line_of = |at: usize| text[..at].matches('\n').count();
    let mut lines = lines(text);
    for span in spans {
        for line in &mut lines[line_of(span.start)..=line_of(span.end)] {
            line.is_own = true;
        }
    }
    lines
}

pub(super) fn item<'d>(document: &'d DeTable<'d>, name: &str) -> Option<&'d Item<'d>> {
    document.get("connections")?.get_ref().as_table()?.get(name)
}

/// Counts to a connection that comes or goes all lines below its header, the comment that stands
/// apart above it, and one of two blank lines that would come together.
fn add_surroundings(lines: &mut [Line<'_>]) {
    let Some(start) = lines.iter().position(|line| line.is_own) else {
        return;
    };
    let last = lines.iter().rposition(|line| line.is_own).unwrap_or(start);
    let has_header = lines[start].text.trim_start().starts_with('[');
    let mut first = start;
    while first > 0 && lines[first - 1].is_comment() {
        first -= 1;
    }
    // Right below another line, or at the head of the file, a comment may be about something else.
    if first == 0 || !lines[first - 1].is_blank() {
        first = start;
    }
    let is_blank_below = lines.get(last + 1).is_none_or(Line::is_blank);
    if is_blank_below && first > 0 && lines[first - 1].is_blank() {
        first -= 1;
    } else if is_blank_below && first == 0 && last + 1 < lines.len() {
        lines[last + 1].is_own = true;
    }
    for (number, line) in lines.iter_mut().enumerate().take(last).skip(first) {
        line.is_own |= number < start || has_header;
    }
}
