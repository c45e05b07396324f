//! Cuts and insertions in a TOML text, by the places at which the parser found keys and values.

use std::ops::Range;

use super::read::Item;

/// Replaces a piece of the text.
#[derive(Debug)]
pub(super) struct Splice {
    range: Range<usize>,
    text: String,
}

impl Splice {
    pub(super) fn replace(range: Range<usize>, text: String) -> Self {
        Self { range, text }
    }

    pub(super) fn insert(at: usize, text: String) -> Self {
        Self::replace(at..at, text)
    }

    pub(super) fn cut(range: Range<usize>) -> Self {
        Self::replace(range, String::new())
    }
}

/// Carries out splices that do not overlap.
pub(super) fn apply(text: &str, mut splices: Vec<Splice>) -> String {
    splices.sort_by_key(|splice| (splice.range.start, splice.range.end));
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for Splice { range, text: new } in splices {
        edited.push_str(text.get(done..range.start).unwrap_or_default());
        edited.push_str(&new);
        done = done.max(range.end);
    }
    edited.push_str(&text[done..]);
    edited
}

/// How a table is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Notation {
    /// `[connections.NAME]`
    Header,
    /// `NAME = { ... }`
    Braces,
    /// `NAME.host = ...`, or only as a part of another table's header.
    Dotted,
}

impl Notation {
    pub(super) fn of(text: &str, table: &Item<'_>) -> Self {
        match text.as_bytes().get(table.span().start) {
            Some(b'[') => Self::Header,
            Some(b'{') => Self::Braces,
            _ => Self::Dotted,
        }
    }
}

/// Where a key and its value stand in the text.
pub(super) struct KeyPlace<'t> {
    pub(super) name: &'t str,
    pub(super) key: Range<usize>,
    pub(super) value: Range<usize>,
}

/// Returns the keys of a table, in the order of the text.
pub(super) fn keys<'t>(table: &'t Item<'t>) -> Vec<KeyPlace<'t>> {
    let mut keys = Vec::new();
    for (name, value) in table.get_ref().as_table().into_iter().flatten() {
        keys.push(KeyPlace {
            name: name.get_ref(),
            key: name.span(),
            value: value.span(),
        });
    }
    keys
}

impl KeyPlace<'_> {
    /// Returns the lines of a key outside braces, with the newline.
    pub(super) fn lines(&self, text: &str) -> Range<usize> {
        line_start(text, self.key.start)..line_end(text, self.value.end)
    }

    /// Adds lines that begin as this one does: blanks, and the names before the key's last dot.
    pub(super) fn insert_below(&self, text: &str, new: &[String]) -> Splice {
        let Range { start, end } = self.lines(text);
        let newline = newline_of(text);
        let begin = &text[start..self.key.start];
        let is_ended = text[..end].ends_with('\n');
        let mut lines = String::new();
        for new in new {
            lines += if is_ended { "" } else { newline };
            lines += begin;
            lines += new;
            lines += if is_ended { newline } else { "" };
        }
        Splice::insert(end, lines)
    }
}

/// Returns the whole lines that a table takes up: a header with its keys, one line with braces, or
/// lines with dotted keys. `siblings` are the keys of the table that it is in.
pub(super) fn lines_of_table(
    text: &str,
    name: &str,
    siblings: &[KeyPlace<'_>],
    table: &Item<'_>,
) -> Vec<Range<usize>> {
    let keys = keys(table);
    match Notation::of(text, table) {
        Notation::Header => {
            let header = table.span();
            let last = keys.iter().map(|key| key.value.end).max();
            let end = line_end(text, last.unwrap_or(header.end));
            vec![Range {
                start: line_start(text, header.start),
                end,
            }]
        }
        Notation::Braces => siblings
            .iter()
            .filter(|sibling| sibling.name == name)
            .map(|sibling| sibling.lines(text))
            .collect(),
        Notation::Dotted => {
            let mut lines: Vec<_> = keys.iter().map(|key| key.lines(text)).collect();
            lines.sort_by_key(|lines| lines.start);
            joined(lines)
        }
    }
}

/// Makes one range of ranges that touch each other.
fn joined(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// Takes keys out of a table in braces: each goes with the comma that parts it from the ones that
/// stay.
pub(super) fn cut_from_braces(keys: &[KeyPlace<'_>], stays: impl Fn(&str) -> bool) -> Vec<Splice> {
    let (Some(first), Some(last)) = (keys.first(), keys.last()) else {
        return Vec::new();
    };
    let Some(first_kept) = keys.iter().position(|key| stays(key.name)) else {
        return vec![Splice::cut(first.key.start..last.value.end)];
    };
    let mut cuts = Vec::new();
    for pair in keys[..=first_kept].windows(2) {
        cuts.push(Splice::cut(pair[0].key.start..pair[1].key.start));
    }
    for pair in keys[first_kept..].windows(2) {
        if !stays(pair[1].name) {
            cuts.push(Splice::cut(pair[0].value.end..pair[1].value.end));
        }
    }
    cuts
}

/// Takes out whole lines, and with each block of them what belongs to it alone.
pub(super) fn cut_lines(text: &str, blocks: Vec<Range<usize>>) -> Vec<Splice> {
    let mut cuts = Vec::new();
    for block in blocks {
        cuts.push(Splice::cut(widened(text, block)));
    }
    cuts
}

/// Adds to a block the comment that belongs to it alone, and one of two blank lines that would come
/// together.
fn widened(text: &str, block: Range<usize>) -> Range<usize> {
    let Range { mut start, mut end } = block;
    let mut comment = start;
    while let Some(above) = line_above(text, comment)
        && text[above..comment].trim_start().starts_with('#')
    {
        comment = above;
    }
    // Right below another line, or at the head of the file, a comment may be about something else.
    if blank_line_above(text, comment).is_some() {
        start = comment;
    }
    let below = line_end(text, end);
    let is_blank_below = text[end..below].trim().is_empty();
    match blank_line_above(text, start) {
        Some(blank) if is_blank_below => start = blank,
        None if start == 0 && is_blank_below => end = below,
        _ => {}
    }
    if end == text.len() && !text.ends_with('\n') {
        let kept = text[..start].strip_suffix('\n').unwrap_or(&text[..start]);
        start = kept.strip_suffix('\r').unwrap_or(kept).len();
    }
    start..end
}

/// Returns the line end that the text uses: that of its first line.
pub(super) fn newline_of(text: &str) -> &'static str {
    match text.split_once('\n') {
        Some((first, _)) if first.ends_with('\r') => "\r\n",
        _ => "\n",
    }
}

fn line_start(text: &str, at: usize) -> usize {
    match text[..at].rfind('\n') {
        Some(newline) => newline + 1,
        None => 0,
    }
}

/// Returns where the line ends, behind its newline.
fn line_end(text: &str, at: usize) -> usize {
    match text[at..].find('\n') {
        Some(newline) => at + newline + 1,
        None => text.len(),
    }
}

/// Returns where the line above begins.
fn line_above(text: &str, start: usize) -> Option<usize> {
    let above = text[..start].strip_suffix('\n')?;
    Some(line_start(above, above.len()))
}

/// Returns where the line above begins, if it is blank.
fn blank_line_above(text: &str, start: usize) -> Option<usize> {
    let above = line_above(text, start)?;
    let is_blank = text[above..start].trim().is_empty();
    is_blank.then_some(above)
}
