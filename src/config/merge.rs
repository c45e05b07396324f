//! Merges the lines of an edited file: those of the connections as `toml_edit` prints them, and all
//! others as they were, byte for byte.
//!
//! `toml_edit` knows LF alone, brings the dotted keys of a table together, and drops a key with the
//! comment above it. Therefore its text is only compared with the old one, line by line. Comments
//! and blank lines that it has dropped are put back. Where it has changed or moved another line,
//! the edit is refused.

use std::collections::HashMap;
use std::ops::{Range, RangeInclusive};

use similar::{Algorithm, DiffTag, capture_diff_slices_by_key};
use toml::de::DeTable;

use super::field::ConfigItem;
use super::read;
use crate::error::{Error, Result};

/// A line and its end, which the last one may not have.
#[derive(Clone, Copy)]
pub(super) struct MergeLine<'t> {
    pub(super) text: &'t str,
    end: &'t str,
    /// A connection that is edited has a part in it.
    is_own: bool,
    /// It goes with a connection that is removed.
    is_gone: bool,
}

impl MergeLine<'_> {
    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn is_comment(&self) -> bool {
        self.text.trim_start().starts_with('#')
    }
}

pub(super) fn merge_lines(text: &str) -> Vec<MergeLine<'_>> {
    let mut lines = Vec::new();
    for line in text.split_inclusive('\n') {
        let (text, end) = line.split_at(line.trim_end_matches(['\r', '\n']).len());
        lines.push(MergeLine {
            text,
            end,
            is_own: false,
            is_gone: false,
        });
    }
    lines
}

pub(super) fn edit_error(names: &[&str]) -> Error {
    let (subject, name) = match names {
        [name] => (format!("connections.{name}"), *name),
        _ => (format!("{} connections", names.len()), "NAME"),
    };
    let message = format!("cannot edit {subject}: other lines of the file would change");
    Error::failure(message).hint(format!(
        "edit it by hand: put each key on a line of its own below the line [connections.{name}]"
    ))
}

/// Returns the old text with the lines of these connections as they are printed. `document` is the
/// old text's.
pub(super) fn merge_texts(
    old: &str,
    document: &DeTable<'_>,
    new: &str,
    names: &[&str],
) -> Result<String> {
    let mut old_lines = MarkedLines::from_text(old, document, names);
    let mut new_lines = MarkedLines::from_text(new, &read::parse_document(new)?, names);
    for ranges in old_lines.ranges_missing_in(&new_lines) {
        old_lines.mark_with_surroundings(ranges, |line| line.is_gone = true);
    }
    for ranges in new_lines.ranges_missing_in(&old_lines) {
        new_lines.mark_with_surroundings(ranges, |line| line.is_own = true);
    }
    old_lines.lines.retain(|line| !line.is_gone);
    let crlf_count = old.matches("\r\n").count();
    let has_more_lf = crlf_count * 2 <= old.matches('\n').count();
    let usual_end = if has_more_lf { "\n" } else { "\r\n" };
    let mut merged_text = String::with_capacity(old.len().max(new.len()));
    for line in choose_lines(&old_lines.lines, &new_lines.lines, names)? {
        merged_text.push_str(line.text);
        merged_text.push_str(if line.end.is_empty() {
            usual_end
        } else {
            line.end
        });
    }
    // A file without a last newline stays one: `remove` then undoes `add`.
    if !old.is_empty() && !old.ends_with('\n') {
        let without_end = merged_text.strip_suffix('\n').unwrap_or(&merged_text);
        let without_end = without_end.strip_suffix('\r').unwrap_or(without_end);
        merged_text.truncate(without_end.len());
    }
    Ok(merged_text)
}

/// Chooses from both texts the lines that stay, those that are put back, and those that are new.
fn choose_lines<'t>(
    old: &[MergeLine<'t>],
    new: &[MergeLine<'t>],
    names: &[&str],
) -> Result<Vec<MergeLine<'t>>> {
    let mut lines = Vec::new();
    let key = |line: &MergeLine<'t>| (line.is_own, line.text);
    for step in capture_diff_slices_by_key(Algorithm::Myers, old, new, key) {
        let (tag, old_range, new_range) = step.as_tag_tuple();
        if tag == DiffTag::Equal {
            lines.extend(&old[old_range]);
            continue;
        }
        for line in &new[new_range] {
            if line.is_own {
                lines.push(MergeLine { end: "", ..*line });
            } else if !line.is_blank() {
                return Err(edit_error(names));
            }
        }
        for line in &old[old_range] {
            if line.is_own {
                continue;
            }
            if !line.is_blank() && !line.is_comment() {
                return Err(edit_error(names));
            }
            lines.push(*line);
        }
    }
    Ok(lines)
}

pub(super) fn item_of_connection<'d>(
    document: &'d DeTable<'d>,
    name: &str,
) -> Option<&'d ConfigItem<'d>> {
    document.get("connections")?.get_ref().as_table()?.get(name)
}

/// The lines of a text, with a mark at those in which connections that are edited have a part.
struct MarkedLines<'t> {
    lines: Vec<MergeLine<'t>>,
    /// The lines in which each connection that is there has a part.
    ranges: HashMap<&'t str, Vec<RangeInclusive<usize>>>,
}

impl<'t> MarkedLines<'t> {
    fn from_text(text: &'t str, document: &DeTable<'_>, names: &[&'t str]) -> Self {
        let mut lines = merge_lines(text);
        let ends: Vec<usize> = text.match_indices('\n').map(|(end, _)| end).collect();
        let line_of = |offset: usize| ends.partition_point(|end| *end < offset);
        let mut ranges = HashMap::new();
        for name in names {
            let mut parts = Vec::new();
            for span in spans_of(text, document, name) {
                let part = line_of(span.start)..=line_of(span.end);
                for line in &mut lines[part.clone()] {
                    line.is_own = true;
                }
                parts.push(part);
            }
            if !parts.is_empty() {
                parts.sort_by_key(|part| *part.start());
                ranges.insert(*name, parts);
            }
        }
        Self { lines, ranges }
    }

    /// Returns where the connections are that the other text does not have, from above to below.
    fn ranges_missing_in(&self, other: &Self) -> Vec<Vec<RangeInclusive<usize>>> {
        let mut missing_ranges = Vec::new();
        for (name, ranges) in &self.ranges {
            if !other.ranges.contains_key(name) {
                missing_ranges.push(ranges.clone());
            }
        }
        missing_ranges.sort_by_key(|ranges| *ranges[0].start());
        missing_ranges
    }

    /// Marks a connection that comes or goes: its own lines, all lines below its header, the
    /// comment that stands apart above it, and one of two blank lines that would come together.
    fn mark_with_surroundings(
        &mut self,
        ranges: Vec<RangeInclusive<usize>>,
        mark: fn(&mut MergeLine<'t>),
    ) {
        let start = *ranges[0].start();
        let mut last = start;
        for part in ranges {
            last = last.max(*part.end());
            self.lines[part].iter_mut().for_each(mark);
        }
        if self.lines[start].text.trim_start().starts_with('[') {
            self.lines[start..=last].iter_mut().for_each(mark);
        }
        let first = self.first_with_comment(start);
        self.lines[first..start].iter_mut().for_each(mark);
        let line_below = last + 1;
        if self
            .lines
            .get(line_below)
            .is_some_and(|line| !line.is_blank())
        {
            return;
        }
        match self.above(first) {
            Some(line_above) if self.lines[line_above].is_blank() => {
                mark(&mut self.lines[line_above]);
            }
            None if line_below < self.lines.len() => mark(&mut self.lines[line_below]),
            _ => {}
        }
    }

    /// Returns the first line of the comment that stands apart above a line; without one, the line.
    fn first_with_comment(&self, start: usize) -> usize {
        let mut first = start;
        while let Some(line_above) = self.above(first) {
            if self.lines[line_above].is_blank() {
                return first;
            }
            if !self.lines[line_above].is_comment() {
                break;
            }
            first = line_above;
        }
        // Right below another line, or at the head of the file, it may be about something else.
        start
    }

    /// Returns the nearest line above that stays.
    fn above(&self, number: usize) -> Option<usize> {
        self.lines[..number].iter().rposition(|line| !line.is_gone)
    }
}

/// Returns where a connection has a part in the text. All connections in one line of braces change
/// together.
fn spans_of(text: &str, document: &DeTable<'_>, name: &str) -> Vec<Range<usize>> {
    let mut spans = Vec::new();
    if let Some(connections) = document.get("connections") {
        let source = &text[connections.span()];
        if source.starts_with('{') && !source.contains('\n') {
            spans.push(connections.span());
        }
    }
    if let Some(connection) = item_of_connection(document, name) {
        spans.push(connection.span()); // the header, the braces, or the name in a dotted key
        for (key, value) in connection.get_ref().as_table().into_iter().flatten() {
            spans.push(key.span().start..value.span().end);
        }
    }
    spans
}
