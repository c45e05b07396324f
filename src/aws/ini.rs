//! AWS's configuration files as the AWS CLI reads them: by the rules of Python's `RawConfigParser`. Text to sections.

use std::collections::{BTreeMap, HashSet};

/// Keys (in lower case) and values of a section.
pub(super) type Section = BTreeMap<String, String>;

/// What is wrong, and in which line, counted from 1.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) line: usize,
    pub(super) why: &'static str,
}

/// Returns the sections in the order of the file.
///
/// A value goes on in lines that are indented deeper than its key; a value that begins in such a line holds
/// `key = value` lines of its own, see [`nested`].
pub(super) fn parse(text: &str) -> Result<Vec<(String, Section)>, Wrong> {
    let mut parser = Parser::default();
    // Python's universal newlines.
    for (line, number) in text.replace("\r\n", "\n").split(['\n', '\r']).zip(1..) {
        parser.line(line).map_err(|why| Wrong { line: number, why })?;
    }
    parser.finish()
}

/// Returns the inner keys of a value that begins in a line of its own; `None` if the value is a plain one.
pub(super) fn nested(value: &str) -> Option<Section> {
    let lines = value.strip_prefix('\n')?.lines().filter_map(|line| line.split_once('='));
    Some(lines.map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect())
}

#[derive(Default)]
struct Parser {
    sections: Vec<(String, Section)>,
    /// Of `[DEFAULT]`, which stands in for keys that a section lacks.
    defaults: Section,
    names: HashSet<String>,
    place: Place,
    key: Option<String>,
    indent: usize,
    lines: BTreeMap<(usize, String), usize>,
    number: usize,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Place {
    #[default]
    BeforeAll,
    Defaults,
    In(usize),
}

impl Parser {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        self.number += 1;
        let text = line.trim();
        if text.starts_with(['#', ';']) {
            return Ok(());
        }
        if text.is_empty() {
            if let Some(value) = self.value() {
                value.push('\n');
            }
            return Ok(());
        }
        let indent = line.chars().take_while(|c| c.is_whitespace()).count();
        if self.key.is_some() && indent > self.indent {
            if let Some(value) = self.value() {
                value.push('\n');
                value.push_str(text);
            }
            return Ok(());
        }
        self.indent = indent;
        if let Some(name) = header(text) {
            return self.begin(name);
        }
        let (key, value) = text.split_once(['=', ':']).ok_or("neither [section] nor key = value")?;
        self.set(&key.trim().to_lowercase(), value.trim())
    }

    fn begin(&mut self, name: &str) -> Result<(), &'static str> {
        self.key = None;
        if name == "DEFAULT" {
            self.place = Place::Defaults;
            return Ok(());
        }
        if !self.names.insert(name.to_owned()) {
            return Err("this section exists already");
        }
        self.place = Place::In(self.sections.len());
        self.sections.push((name.to_owned(), Section::new()));
        Ok(())
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), &'static str> {
        let (section, at) = match self.place {
            Place::BeforeAll => return Err("a key before the first [section]"),
            Place::Defaults => (&mut self.defaults, usize::MAX),
            Place::In(at) => (&mut self.sections[at].1, at),
        };
        if key.is_empty() {
            return Err("no key before the value");
        }
        if section.insert(key.to_owned(), value.to_owned()).is_some() {
            return Err("this key exists already in its section");
        }
        if value.is_empty() {
            self.lines.insert((at, key.to_owned()), self.number); // for `finish`: lines may follow
        }
        self.key = Some(key.to_owned());
        Ok(())
    }

    /// The value that lines may still be added to.
    fn value(&mut self) -> Option<&mut String> {
        let key = self.key.as_ref()?;
        match self.place {
            Place::BeforeAll => None,
            Place::Defaults => self.defaults.get_mut(key),
            Place::In(at) => self.sections[at].1.get_mut(key),
        }
    }

    fn finish(mut self) -> Result<Vec<(String, Section)>, Wrong> {
        for (at, (_, section)) in self.sections.iter_mut().enumerate() {
            for (key, value) in section {
                value.truncate(value.trim_end().len());
                let inner = value.strip_prefix('\n').unwrap_or_default();
                if inner.lines().any(|line| !line.trim().is_empty() && !line.contains('=')) {
                    let line = self.lines.get(&(at, key.clone())).copied().unwrap_or_default();
                    return Err(Wrong { line, why: "a line below this key is not key = value" });
                }
            }
        }
        for (key, value) in &self.defaults {
            for (_, section) in &mut self.sections {
                section.entry(key.clone()).or_insert_with(|| value.trim_end().to_owned());
            }
        }
        Ok(self.sections)
    }
}

/// Returns what stands between the first `[` and the last `]`; what follows is not looked at.
fn header(text: &str) -> Option<&str> {
    let (name, _) = text.strip_prefix('[')?.rsplit_once(']')?;
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, Vec<(String, String)>)> {
        let sections = parse(text).expect("well-formed");
        sections.into_iter().map(|(name, section)| (name, section.into_iter().collect())).collect()
    }

    #[test]
    fn values_are_read_as_python_reads_them() {
        let text =
            "# c\n; c\n[a] ; b]\nKey = v ; kept # kept\nurl: http://x = y\nlong = one\n  two\n\n  three\n\n[b]\ne =\n";
        let a = [("key", "v ; kept # kept"), ("long", "one\ntwo\n\nthree"), ("url", "http://x = y")];
        let a = a.map(|(key, value)| (key.to_owned(), value.to_owned())).to_vec();
        let b = vec![("e".to_owned(), String::new())];
        assert_eq!(read(text), [("a] ; b".to_owned(), a), ("b".to_owned(), b)]);
        assert_eq!(read("[x]\r\na=1\r\n"), read("[x]\na=1\n"));
    }

    #[test]
    fn defaults_stand_in_and_inner_keys_are_found() {
        let sections =
            parse("[DEFAULT]\nregion = r\n[a]\n[b]\nregion = s\ns3 =\n  x = 1\n  y=2\n").expect("well-formed");
        assert_eq!(sections[0].1["region"], "r");
        assert_eq!(sections[1].1["region"], "s");
        let inner = nested(&sections[1].1["s3"]).expect("inner keys");
        assert_eq!(inner.into_iter().collect::<Vec<_>>(), [("x".into(), "1".into()), ("y".into(), "2".into())]);
        assert!(nested("plain").is_none());
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
            assert_eq!(parse(text).expect_err(text).line, line, "{text}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::nearly::cases())]

        #[test]
        fn files_that_are_nearly_right(text in crate::nearly::text(
            &["# c\n[profile a]\nregion = us-east-1\ns3 =\n  key = v\n\n[DEFAULT]\nx: y\n[b]\nlong = one\n  two\n"],
            &["[", "]", "[profile ", "DEFAULT", " = ", "\n  ", "\n\n", "#", ";", "\u{2028}", "\u{b}"],
        )) {
            match parse(&text) {
                Err(wrong) => proptest::prop_assert!((1..=text.len() + 1).contains(&wrong.line)),
                Ok(sections) => {
                    for (name, section) in sections {
                        proptest::prop_assert!(text.contains(&*name), "{}", name);
                        for (_, value) in section {
                            let _ = nested(&value);
                        }
                    }
                }
            }
        }
    }
}
