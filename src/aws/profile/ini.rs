//! Reads the syntax of AWS's configuration files as the AWS CLI does: by the rules of Python's
//! `RawConfigParser`. Text in, sections out; `files` knows what the sections mean.
//!
//! ```text
//! [profile dev]
//! region = us-east-1        a key and its value; the key counts in lower case
//! sso_scopes = a,           a value goes on
//!     b                     in lines that are indented deeper than its key
//! s3 =                      a value that begins in a line of its own
//!     max_queue_size = 10   holds keys of its own: see `nested_section`
//! [DEFAULT]                 has keys for sections that lack them
//! ```
//!
//! A section or a key that stands twice, and a line that is none of these, is an error with its
//! line: the AWS CLI refuses the file too. Each key knows its line, for `--debug` and for errors.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

/// Keys (in lower case) and values of a section, in the order of the file.
///
/// A run with a cached token reads all sections, of which there may be hundreds, and asks one or
/// two for a few keys. So all texts of a section are in one, and a key is searched for from the
/// end.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ProfileSection {
    text: String,
    pairs: Vec<KeyPosition>,
}

/// Where a key begins in the text of its section, where its value begins, and where that ends. All
/// numbers are below 2^32, since no larger file is read: small pairs keep hundreds of sections
/// cheap.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct KeyPosition {
    key: u32,
    value: u32,
    end: u32,
    /// The line of the file that the key stands in, counted from 1.
    line: u32,
}

impl KeyPosition {
    fn key(self) -> Range<usize> {
        self.key as usize..self.value as usize
    }

    fn value(self) -> Range<usize> {
        self.value as usize..self.end as usize
    }
}

/// Returns a position in a text as pairs store it.
fn stored_position(position: usize) -> u32 {
    u32::try_from(position).unwrap_or(u32::MAX)
}

impl ProfileSection {
    /// Returns one with room for what sections usually hold.
    fn with_default_capacity() -> Self {
        Self {
            text: String::with_capacity(200),
            pairs: Vec::with_capacity(8),
        }
    }

    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        Some(&self.text[self.pair(key)?.value()])
    }

    /// Returns the line of the file that a key stands in.
    pub(crate) fn line_of(&self, key: &str) -> Option<u32> {
        Some(self.pair(key)?.line)
    }

    fn pair(&self, key: &str) -> Option<KeyPosition> {
        let mut pairs = self.pairs.iter().rev();
        pairs.find(|pair| &self.text[pair.key()] == key).copied()
    }

    pub(crate) fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs
            .iter()
            .map(|pair| (&self.text[pair.key()], &self.text[pair.value()]))
    }

    /// Sets the value of a key that stands in a line of the file, in place of an earlier value.
    pub(crate) fn insert(&mut self, key: &str, value: &str, line: u32) {
        let start = self.text.len();
        self.text.push_str(key);
        self.text.push_str(value);
        self.pairs.push(KeyPosition {
            key: stored_position(start),
            value: stored_position(start + key.len()),
            end: stored_position(self.text.len()),
            line,
        });
    }

    /// Takes in all keys of another section. They win.
    pub(crate) fn overlay(&mut self, other: &Self) {
        for pair in &other.pairs {
            let (key, value) = (&other.text[pair.key()], &other.text[pair.value()]);
            self.insert(key, value, pair.line);
        }
    }

    /// Returns this section with the keys of another one, which wins.
    pub(crate) fn overlaid(&self, other: &Self) -> Self {
        let mut section = self.clone();
        section.overlay(other);
        section
    }

    /// Adds to the value of the key that was inserted last.
    fn extend_last(&mut self, text_to_add: &str) {
        if let Some(last) = self.pairs.last_mut() {
            self.text.push_str(text_to_add);
            last.end = stored_position(self.text.len());
        }
    }

    /// Cuts off the blanks and line ends behind each value.
    fn trim(&mut self) {
        for pair in &mut self.pairs {
            let value = self.text[pair.value()].trim_end();
            pair.end = pair.value + stored_position(value.len());
        }
    }
}

/// What is wrong, and in which line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

/// Returns the sections in the order of the file.
///
/// A value goes on in lines that are indented deeper than its key; a value that begins in such a
/// line holds `key = value` lines of its own, see [`nested_section`].
pub(crate) fn parse_sections(text: &str) -> Result<Vec<(String, ProfileSection)>, SyntaxError> {
    let text = with_unix_newlines(text);
    let mut parser = IniParser::default();
    for (line, number) in text.split('\n').zip(1..) {
        parser.parse_line(line).map_err(|reason| SyntaxError {
            line: number,
            reason,
        })?;
    }
    parser.finish()
}

/// Python's universal newlines.
fn with_unix_newlines(text: &str) -> Cow<'_, str> {
    if text.contains('\r') {
        text.replace("\r\n", "\n").replace('\r', "\n").into()
    } else {
        text.into()
    }
}

/// Returns the inner keys of a value that begins in a line of its own; `None` if the value is a
/// plain one.
pub(crate) fn nested_section(value: &str) -> Option<ProfileSection> {
    let mut section = ProfileSection::default();
    for (key, value) in value
        .strip_prefix('\n')?
        .lines()
        .filter_map(|line| line.split_once('='))
    {
        section.insert(key.trim(), value.trim(), 0);
    }
    Some(section)
}

#[derive(Default)]
struct IniParser<'a> {
    sections: Vec<(String, ProfileSection)>,
    /// The keys of `[DEFAULT]`, which every section has that lacks them.
    defaults: ProfileSection,
    names: HashSet<&'a str>,
    current: CurrentSection,
    /// Lines that are indented deeper go on with the value of the last key.
    has_key: bool,
    indent: usize,
    /// The keys that have no value in their own line: `finish` checks the lines below them.
    without_value: Vec<KeyWithoutValue>,
    number: usize,
}

struct KeyWithoutValue {
    /// The number of its section; that of no section for a key of `[DEFAULT]`.
    section: usize,
    /// Its number among the pairs of the section.
    pair: usize,
    line: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum CurrentSection {
    #[default]
    BeforeAll,
    Defaults,
    In(usize),
}

impl<'a> IniParser<'a> {
    fn parse_line(&mut self, line: &'a str) -> Result<(), &'static str> {
        self.number += 1;
        let text = line.trim();
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        if text.is_empty() {
            self.extend("\n");
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.has_key && indent > self.indent {
            self.extend("\n");
            self.extend(text);
            return Ok(());
        }
        self.indent = indent;
        if let Some(name) = section_header(text) {
            return self.begin_section(name);
        }
        let end = text
            .bytes()
            .position(|b| b == b'=' || b == b':')
            .ok_or("neither [section] nor key = value")?;
        let (key, value) = (text[..end].trim(), text[end + 1..].trim());
        let is_lower = key.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        if is_lower {
            self.set(key, value)
        } else {
            self.set(&key.to_lowercase(), value)
        }
    }

    fn begin_section(&mut self, name: &'a str) -> Result<(), &'static str> {
        self.has_key = false;
        if name == "DEFAULT" {
            self.current = CurrentSection::Defaults;
            return Ok(());
        }
        if !self.names.insert(name) {
            return Err("this section exists already");
        }
        self.current = CurrentSection::In(self.sections.len());
        self.sections
            .push((name.to_owned(), ProfileSection::with_default_capacity()));
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        let number = self.number;
        let Some((index, section)) = self.section() else {
            return Err("a key before the first [section]");
        };
        if key.is_empty() {
            return Err("no key before the value");
        }
        if section.contains_key(key) {
            return Err("this key exists already in its section");
        }
        section.insert(key, value, stored_position(number));
        let pair = section.pairs.len() - 1;
        if value.is_empty() {
            self.without_value.push(KeyWithoutValue {
                section: index,
                pair,
                line: number,
            });
        }
        self.has_key = true;
        Ok(())
    }

    /// The section that lines belong to now, and its number.
    fn section(&mut self) -> Option<(usize, &mut ProfileSection)> {
        match self.current {
            CurrentSection::BeforeAll => None,
            CurrentSection::Defaults => Some((usize::MAX, &mut self.defaults)),
            CurrentSection::In(index) => Some((index, &mut self.sections[index].1)),
        }
    }

    /// Adds to the last value, if lines may still be added to it.
    fn extend(&mut self, more: &str) {
        if self.has_key
            && let Some((_, section)) = self.section()
        {
            section.extend_last(more);
        }
    }

    fn finish(mut self) -> Result<Vec<(String, ProfileSection)>, SyntaxError> {
        self.defaults.trim();
        self.sections
            .iter_mut()
            .for_each(|(_, section)| section.trim());
        for key in self.without_value {
            let Some((_, section)) = self.sections.get(key.section) else {
                continue;
            };
            let value = &section.text[section.pairs[key.pair].value()];
            let inner = value.strip_prefix('\n').unwrap_or_default();
            if inner
                .lines()
                .any(|line| !line.trim().is_empty() && !line.contains('='))
            {
                return Err(SyntaxError {
                    line: key.line,
                    reason: "a line below this key is not key = value",
                });
            }
        }
        for pair in &self.defaults.pairs {
            let key = &self.defaults.text[pair.key()];
            let value = &self.defaults.text[pair.value()];
            for (_, section) in &mut self.sections {
                if !section.contains_key(key) {
                    section.insert(key, value, pair.line);
                }
            }
        }
        Ok(self.sections)
    }
}

/// Returns what stands between the first `[` and the last `]`; what follows is not looked at.
fn section_header(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(section: &ProfileSection) -> Vec<(String, String)> {
        section
            .iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }

    fn read(text: &str) -> Vec<(String, Vec<(String, String)>)> {
        let sections = parse_sections(text).expect("well-formed");
        sections
            .into_iter()
            .map(|(name, section)| (name, owned(&section)))
            .collect()
    }

    #[test]
    fn values_are_read_as_python_reads_them() {
        let text = "# c\n; c\n[a] ; b]\nKey = v ; kept # kept\nurl: http://x = y\n\
            long = one\n  two\n\n  three\n\n[b]\ne =\n";
        let a = [
            ("key", "v ; kept # kept"),
            ("url", "http://x = y"),
            ("long", "one\ntwo\n\nthree"),
        ];
        let a = a
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .to_vec();
        let b = vec![("e".to_owned(), String::new())];
        assert_eq!(read(text), [("a] ; b".to_owned(), a), ("b".to_owned(), b)]);
        assert_eq!(read("[x]\r\na=1\r\n"), read("[x]\na=1\n"));
    }

    #[test]
    fn defaults_stand_in_and_inner_keys_are_found() {
        let sections =
            parse_sections("[DEFAULT]\nregion = r\n[a]\n[b]\nregion = s\ns3 =\n  x = 1\n  y=2\n")
                .expect("well-formed");
        assert_eq!(sections[0].1.get("region").expect("a region"), "r");
        assert_eq!(sections[1].1.get("region").expect("a region"), "s");
        let inner = nested_section(sections[1].1.get("s3").expect("a value")).expect("inner keys");
        assert_eq!(
            owned(&inner),
            [("x".into(), "1".into()), ("y".into(), "2".into())]
        );
        assert!(nested_section("plain").is_none());
    }

    #[test]
    fn each_key_knows_its_line() {
        let text = "[DEFAULT]\nx = 1\n\n[a]\nlong = one\n  two\n# c\nb = 2\n";
        let sections = parse_sections(text).expect("well-formed");
        let section = &sections[0].1;
        for (key, line) in [("x", 2), ("long", 5), ("b", 8)] {
            assert_eq!(section.line_of(key), Some(line), "{key}");
        }
        assert_eq!(section.line_of("c"), None);
        let both = section.overlaid(&parse_sections("\n[a]\nb = 3\n").expect("well-formed")[0].1);
        assert_eq!((both.get("b"), both.line_of("b")), (Some("3"), Some(3)));
    }

    #[test]
    fn what_is_wrong_has_a_line() {
        for (text, line) in [
            ("a = 1\n", 1),
            ("[a]\nb\n", 2),
            ("[a]\nb = 1\nB = 2\n", 3),
            ("[a]\n[a]\n", 2),
            ("[a\nb = 1\n", 1),
            ("[a]\n= 1\n", 2),
            ("\u{feff}[a]\n", 1),
            ("[a]\nb =\n  c\n", 2),
        ] {
            assert_eq!(parse_sections(text).expect_err(text).line, line, "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn files_that_are_nearly_right(text in crate::text::mutation::text(
            &["# c\n[profile a]\nregion = us-east-1\ns3 =\n  key = v\n\n[DEFAULT]\nx: y\n[b]\n\
               long = one\n  two\n"],
            &["[", "]", "[profile ", "DEFAULT", " = ", "\n  ", "\n\n", "#", ";", "\u{2028}",
                "\u{b}"],
        )) {
            match parse_sections(&text) {
                Err(wrong) => proptest::prop_assert!((1..=text.len() + 1).contains(&wrong.line)),
                Ok(sections) => {
                    for (name, section) in sections {
                        proptest::prop_assert!(text.contains(&*name), "{}", name);
                        for (_, value) in section.iter() {
                            let _ = nested_section(value);
                        }
                    }
                }
            }
        }
    }
}
