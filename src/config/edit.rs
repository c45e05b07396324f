//! Edits of `config.toml` as text: `add` and `remove` touch one connection; comments, order and
//! line ends stay.
//!
//! Pieces of the text are cut and set by the places that the parser reports. Writing the parsed
//! document back would turn CRLF into LF and gather dotted keys.

use std::ops::Range;

use toml_edit::{Array, Document, Item, Key, TableLike, Value};

use super::read::{self, Lines};
use super::{Config, Connection, Life};
use crate::error::{Error, Result};
use crate::text::host::HostPort;

/// Replaces a piece of the text.
type Edit = (Range<usize>, String);

/// Returns the text with the connection added at the end, or in the place of the one that has its
/// name.
pub(crate) fn add(text: &str, connection: &Connection, replace: bool) -> Result<String> {
    let wanted = checked(connection)?;
    let (mark, text) = split_mark(text);
    let document = read::document(text)?;
    let mut expected = read::config(&document, Lines::of(text))?;
    let known = expected
        .connections
        .iter_mut()
        .find(|known| known.name == wanted.name);
    let edits = match (&known, item(&document, &wanted.name)) {
        (Some(_), Some(item)) if !replace => {
            let why = Error::usage("a connection of that name is there already");
            let why = why.hint("to change it, add --replace");
            return Err(Lines::of(text).locate(
                why,
                item.span(),
                &format!("connections.{}", wanted.name),
            ));
        }
        (Some(known), Some(item)) => rewrite(text, item, known, &wanted),
        _ => append(text, &document, &wanted),
    };
    let name = wanted.name.clone();
    match known {
        Some(known) => *known = wanted,
        None => expected.connections.push(wanted),
    }
    proven(mark, &spliced(text, edits), expected, &name)
}

/// Returns the text without the connection and without the comment that stands apart right above
/// it.
pub(crate) fn remove(text: &str, name: &str) -> Result<String> {
    let (mark, text) = split_mark(text);
    let document = read::document(text)?;
    let mut expected = read::config(&document, Lines::of(text))?;
    let Some(item) = item(&document, name) else {
        let why = format!("no connection {}", crate::text::host::quoted(name));
        return Err(Error::no_target(why).hint("the config's [connections.NAME] are the names"));
    };
    expected.connections.retain(|known| known.name != name);
    let all = document
        .get("connections")
        .filter(|all| all.is_value())
        .and_then(Item::as_table_like);
    let edits = match all {
        Some(all) => cut_from_list(&places(all), &|key| key != name),
        None => cut_lines(text, blocks(text, &document, item, name)),
    };
    proven(mark, &spliced(text, edits), expected, name)
}

/// Tells whether a connection keeps this keyword of libpq, besides the address; `sslrootcert` it
/// keeps as `roots`.
pub(crate) fn keeps(keyword: &str) -> bool {
    ["sslmode", "hostaddr"].contains(&keyword)
}

/// Returns the connection as it reads once it is in a file: checked and normalised.
fn checked(connection: &Connection) -> Result<Connection> {
    if let Some((keyword, _)) = connection
        .target
        .options
        .iter()
        .find(|(keyword, _)| !keeps(keyword))
    {
        let why = format!(
            "connections.{}: {keyword} cannot be kept in the config",
            connection.name
        );
        return Err(Error::usage(why).hint("leave it out; it belongs to the client"));
    }
    super::check_connection_name(&connection.name, connection.target.host.as_deref())?;
    let text = format!(
        "{}\n{}\n",
        header(&connection.name),
        statements(connection).join("\n")
    );
    let config = read::config(&read::document(&text)?, Lines::UNSEEN)?;
    config
        .connections
        .into_iter()
        .next()
        .ok_or_else(|| Error::usage("the connection is empty"))
}

/// Returns the edited text if it reads as expected. A way of writing TOML that the edits do not
/// know must not do harm.
fn proven(mark: &str, edited: &str, expected: Config, name: &str) -> Result<String> {
    let parts = |config: Config| {
        (
            config.cache,
            config.max_life,
            config.connections,
            config.rules,
        )
    };
    if Config::parse(edited).is_ok_and(|config| parts(config) == parts(expected)) {
        return Ok(format!("{mark}{edited}"));
    }
    Err(Error::failure(format!(
        "connections.{name}: cannot be edited as it is written"
    ))
    .hint("edit the file by hand; a table [connections.NAME] can be edited"))
}

/// Sets a byte order mark apart: it is no part of the first line. A second one is an error, for the
/// parser to find.
fn split_mark(text: &str) -> (&str, &str) {
    const MARK: char = '\u{feff}';
    let marks = text.chars().take_while(|c| *c == MARK).count();
    text.split_at(if marks == 1 { MARK.len_utf8() } else { 0 })
}

fn item<'a>(document: &'a Document<&str>, name: &str) -> Option<&'a Item> {
    document.get("connections")?.as_table_like()?.get(name)
}

/// Carries out edits that do not overlap.
fn spliced(text: &str, mut edits: Vec<Edit>) -> String {
    edits.sort_by_key(|(range, _)| (range.start, range.end));
    let mut edited = String::with_capacity(text.len());
    let mut done = 0;
    for (range, new) in edits {
        edited.push_str(text.get(done..range.start).unwrap_or_default());
        edited.push_str(&new);
        done = done.max(range.end);
    }
    edited.push_str(&text[done..]);
    edited
}

// What is written.

/// Returns the keys that the connection has, with their values as TOML.
fn values(connection: &Connection) -> Vec<(&'static str, String)> {
    let Connection {
        target: place,
        aliases,
        ..
    } = connection;
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    let option = |keyword: &str| {
        let found = place.options.iter().find(|(key, _)| key == keyword);
        found.map(|(_, value)| Value::from(value.as_str()))
    };
    let life = connection.life.map(|life| match (life, life.to_string()) {
        (Life::Seconds(seconds), text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            Value::from(i64::from(seconds))
        }
        (_, text) => Value::from(text),
    });
    let listed = aliases.iter().map(HostPort::to_string).collect::<Array>();
    [
        ("host", text(&place.host)),
        ("port", place.port.map(|port| Value::from(i64::from(port)))),
        ("user", text(&place.user)),
        ("dbname", text(&place.dbname)),
        ("sslmode", option("sslmode")),
        ("hostaddr", option("hostaddr")),
        (
            "roots",
            connection
                .roots
                .as_ref()
                .map(|roots| Value::from(roots.to_string())),
        ),
        ("profile", text(&connection.profile)),
        ("region", text(&connection.region)),
        ("provider", text(&connection.provider)),
        (
            "sign_host",
            connection
                .sign_host
                .as_ref()
                .map(|signed| Value::from(signed.to_string())),
        ),
        ("expires_in", life),
        (
            "aliases",
            (!aliases.is_empty()).then(|| Value::from(listed)),
        ),
    ]
    .into_iter()
    .filter_map(|(key, value)| Some((key, value?.to_string())))
    .collect()
}

fn statements(connection: &Connection) -> Vec<String> {
    values(connection)
        .into_iter()
        .map(|(key, value)| format!("{key} = {value}"))
        .collect()
}

fn header(name: &str) -> String {
    format!("[connections.{}]", Key::new(name))
}

/// Adds a table at the end, below a blank line. A file without a last newline stays one: `remove`
/// can then undo it.
fn append(text: &str, document: &Document<&str>, wanted: &Connection) -> Vec<Edit> {
    if let Some(Item::Value(all)) = document.get("connections") {
        let new = format!(
            "{} = {{ {} }}",
            Key::new(&wanted.name),
            statements(wanted).join(", ")
        );
        let last = all.as_inline_table().and_then(|all| places(all).pop());
        return match last {
            Some(last) => vec![(last.value.end..last.value.end, format!(", {new}"))],
            None => all
                .span()
                .map(|span| (span, format!("{{ {new} }}")))
                .into_iter()
                .collect(),
        };
    }
    let newline = newline_of(text);
    let table = [vec![header(&wanted.name)], statements(wanted)]
        .concat()
        .join(newline);
    let new = match text {
        "" => format!("{table}{newline}"),
        text if text.ends_with('\n') => format!("{newline}{table}{newline}"),
        _ => format!("{newline}{newline}{table}"),
    };
    vec![(text.len()..text.len(), new)]
}

/// Changes what differs, takes out what is no longer given, adds what is new behind the last key
/// that stays.
fn rewrite(text: &str, item: &Item, old: &Connection, new: &Connection) -> Vec<Edit> {
    let Some(places) = item.as_table_like().map(places) else {
        return Vec::new();
    };
    let (old, new) = (values(old), values(new));
    let stays = |key: &str| new.iter().any(|(kept, _)| *kept == key);
    let mut edits = if item.is_value() {
        cut_from_list(&places, &stays)
    } else {
        places
            .iter()
            .filter(|place| !stays(place.name))
            .map(|place| (place.lines(text), String::new()))
            .collect()
    };
    for place in &places {
        let changed = new
            .iter()
            .find(|value| value.0 == place.name && !old.contains(value));
        edits.extend(changed.map(|(_, value)| (place.value.clone(), value.clone())));
    }
    let added = new
        .iter()
        .filter(|(key, _)| places.iter().all(|place| place.name != *key));
    let added: Vec<_> = added
        .map(|(key, value)| format!("{key} = {value}"))
        .collect();
    let anchor = places
        .iter()
        .filter(|place| stays(place.name))
        .max_by_key(|place| place.value.end);
    if let Some(anchor) = anchor.filter(|_| !added.is_empty()) {
        edits.push(if item.is_value() {
            (
                anchor.value.end..anchor.value.end,
                added.iter().flat_map(|new| [", ", new]).collect(),
            )
        } else {
            anchor.lines_below(text, &added)
        });
    }
    edits
}

fn newline_of(text: &str) -> &'static str {
    let first = text.find('\n').map(|at| &text[..at]);
    if first.is_some_and(|line| line.ends_with('\r')) {
        "\r\n"
    } else {
        "\n"
    }
}

// What is there.

/// Where a key and its value stand in the text.
struct Place<'a> {
    name: &'a str,
    key: Range<usize>,
    value: Range<usize>,
}

fn places(table: &dyn TableLike) -> Vec<Place<'_>> {
    let place = |(name, item): (_, &Item)| {
        Some(Place {
            name,
            key: table.key(name)?.span()?,
            value: item.span()?,
        })
    };
    table.iter().filter_map(place).collect()
}

impl Place<'_> {
    /// Returns the lines of a key outside braces, with the newline.
    fn lines(&self, text: &str) -> Range<usize> {
        line_start(text, self.key.start)..line_end(text, self.value.end)
    }

    /// Adds lines that begin as this one does: blanks, and the names before the key's last dot.
    fn lines_below(&self, text: &str, new: &[String]) -> Edit {
        let Range { start, end } = self.lines(text);
        let newline = newline_of(text);
        let begin = &text[start..self.key.start];
        let ended = text[..end].ends_with('\n');
        let line = |new: &String| {
            if ended {
                format!("{begin}{new}{newline}")
            } else {
                format!("{newline}{begin}{new}")
            }
        };
        (end..end, new.iter().map(line).collect())
    }
}

/// Returns the whole lines that a connection takes up: a table, a line with braces, or lines with
/// dotted keys.
fn blocks(text: &str, document: &Document<&str>, item: &Item, name: &str) -> Vec<Range<usize>> {
    let keys = item.as_table_like().map(places).unwrap_or_default();
    match item {
        Item::Table(table) if table.is_dotted() => {
            let mut blocks: Vec<Range<usize>> = Vec::new();
            let mut lines: Vec<_> = keys.iter().map(|key| key.lines(text)).collect();
            lines.sort_by_key(|lines| lines.start);
            for lines in lines {
                match blocks.last_mut() {
                    Some(last) if last.end == lines.start => last.end = lines.end,
                    _ => blocks.push(lines),
                }
            }
            blocks
        }
        Item::Table(table) => {
            let header = table.span().unwrap_or_default();
            let end = keys
                .iter()
                .map(|key| key.value.end)
                .max()
                .unwrap_or(header.end);
            std::iter::once(line_start(text, header.start)..line_end(text, end)).collect()
        }
        _ => {
            let all = document
                .get("connections")
                .and_then(Item::as_table_like)
                .map(places)
                .unwrap_or_default();
            all.iter()
                .filter(|place| place.name == name)
                .map(|place| place.lines(text))
                .collect()
        }
    }
}

// What is taken out.

/// Takes keys out of an inline table: each goes with the comma that parts it from the ones that
/// stay.
fn cut_from_list(places: &[Place<'_>], stays: &dyn Fn(&str) -> bool) -> Vec<Edit> {
    let Some(first) = places.iter().position(|place| stays(place.name)) else {
        let ends = places.first().zip(places.last());
        return ends
            .map(|(first, last)| (first.key.start..last.value.end, String::new()))
            .into_iter()
            .collect();
    };
    let before = places[..=first]
        .windows(2)
        .map(|pair| pair[0].key.start..pair[1].key.start);
    let after = places[first..]
        .windows(2)
        .filter(|pair| !stays(pair[1].name));
    let after = after.map(|pair| pair[0].value.end..pair[1].value.end);
    before
        .chain(after)
        .map(|range| (range, String::new()))
        .collect()
}

fn cut_lines(text: &str, blocks: Vec<Range<usize>>) -> Vec<Edit> {
    blocks
        .into_iter()
        .map(|block| (widened(text, block), String::new()))
        .collect()
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
    if blank_above(text, comment).is_some() {
        start = comment;
    }
    let below = line_end(text, end);
    let blank_below = text[end..below].trim().is_empty();
    match blank_above(text, start) {
        Some(blank) if blank_below => start = blank,
        None if start == 0 && blank_below => end = below,
        _ => {}
    }
    if end == text.len() && !text.ends_with('\n') {
        let kept = text[..start].strip_suffix('\n').unwrap_or(&text[..start]);
        start = kept.strip_suffix('\r').unwrap_or(kept).len();
    }
    start..end
}

fn line_start(text: &str, at: usize) -> usize {
    text[..at].rfind('\n').map_or(0, |newline| newline + 1)
}

/// Returns where the line ends, behind its newline.
fn line_end(text: &str, at: usize) -> usize {
    text[at..]
        .find('\n')
        .map_or(text.len(), |newline| at + newline + 1)
}

/// Returns where the line above begins.
fn line_above(text: &str, start: usize) -> Option<usize> {
    let above = text[..start].strip_suffix('\n')?;
    Some(line_start(above, above.len()))
}

fn blank_above(text: &str, start: usize) -> Option<usize> {
    line_above(text, start).filter(|above| text[*above..start].trim().is_empty())
}
