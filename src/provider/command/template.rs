//! Fills in the words of a command line with placeholders in them, such as `--ttl={life}s`. A value
//! stays inside of its word, whatever it contains, because no shell reads the words. It is pure.

use crate::error::{Error, Result};

/// One word of a command line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WordTemplate(Vec<TemplatePart>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum TemplatePart {
    Text(String),
    /// The name between braces, and the value if nothing says one: `{mount:database}`.
    Placeholder {
        name: String,
        default: Option<String>,
    },
}

/// Returns the value of a placeholder; `None` if there is none of that name.
pub(crate) type PlaceholderLookup<'a> = &'a dyn Fn(&str) -> Option<String>;

impl WordTemplate {
    /// Reads a word. A brace of its own is written twice.
    pub(crate) fn parse(word: &str) -> Result<Self> {
        let mut parts = Vec::new();
        let mut text = String::new();
        let mut rest = word.chars().peekable();
        while let Some(c) = rest.next() {
            if (c == '{' || c == '}') && rest.peek() == Some(&c) {
                text.push(c);
                rest.next();
            } else if c == '{' {
                let placeholder = placeholder(&mut rest)?;
                if !text.is_empty() {
                    parts.push(TemplatePart::Text(std::mem::take(&mut text)));
                }
                parts.push(placeholder);
            } else if c == '}' {
                return Err(lone_brace());
            } else {
                text.push(c);
            }
        }
        if !text.is_empty() {
            parts.push(TemplatePart::Text(text));
        }
        Ok(Self(parts))
    }

    /// Returns the text in front of the first placeholder.
    pub(crate) fn literal_prefix(&self) -> &str {
        match self.0.first() {
            Some(TemplatePart::Text(text)) => text,
            _ => "",
        }
    }

    /// Returns the names of the placeholders.
    pub(crate) fn placeholder_names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            TemplatePart::Placeholder { name, .. } => Some(name.as_str()),
            TemplatePart::Text(_) => None,
        })
    }

    /// Tells whether the word cannot be filled without a value for this placeholder.
    pub(crate) fn needs(&self, placeholder: &str) -> bool {
        self.0.iter().any(|part| match part {
            TemplatePart::Placeholder { name, default } => name == placeholder && default.is_none(),
            TemplatePart::Text(_) => false,
        })
    }

    /// Returns the word with values in the place of its placeholders. A value at the beginning of
    /// the word may not begin with `-`, because the program would take it for an option.
    pub(crate) fn fill(&self, lookup: PlaceholderLookup<'_>) -> Result<String> {
        let mut word = String::new();
        for part in &self.0 {
            let (name, default) = match part {
                TemplatePart::Text(text) => {
                    word.push_str(text);
                    continue;
                }
                TemplatePart::Placeholder { name, default } => (name, default),
            };
            let Some(value) = lookup(name).or_else(|| default.clone()) else {
                return Err(missing_value(name));
            };
            if value.contains(char::is_control) {
                return Err(Error::usage(format!("{{{name}}} has a control character"))
                    .hint("write the value without it; a newline counts as one"));
            }
            if word.is_empty() && value.starts_with('-') {
                return Err(like_an_option(name));
            }
            word.push_str(&value);
        }
        Ok(word)
    }

    /// Refuses the value of a placeholder before the word is filled, if `fill` would refuse it.
    pub(crate) fn check_value(&self, name: &str, value: &str) -> Result<()> {
        match self.0.first() {
            Some(TemplatePart::Placeholder { name: first, .. })
                if first == name && value.starts_with('-') =>
            {
                Err(like_an_option(name))
            }
            _ => Ok(()),
        }
    }
}

/// Reads a placeholder up to its closing brace.
fn placeholder(rest: &mut impl Iterator<Item = char>) -> Result<TemplatePart> {
    let mut inside = String::new();
    for c in rest {
        if c != '}' {
            inside.push(c);
            continue;
        }
        let (name, default) = match inside.split_once(':') {
            Some((name, default)) => (name, Some(default)),
            None => (&*inside, None),
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if name.is_empty() || !name.chars().all(is_name) {
            break;
        }
        if default == Some("") {
            return Err(Error::usage(format!(
                "the placeholder {name} has nothing after its colon"
            ))
            .hint(format!(
                "write {{{name}:TEXT}}; or {{{name}}}, if there is no such text"
            )));
        }
        if !default.is_none_or(is_default) {
            break;
        }
        return Ok(TemplatePart::Placeholder {
            name: name.to_owned(),
            default: default.map(str::to_owned),
        });
    }
    Err(lone_brace())
}

fn is_default(text: &str) -> bool {
    !text.contains(|c: char| c == '{' || c.is_control())
}

/// The word is not shown: it may have a secret in it.
fn lone_brace() -> Error {
    Error::usage("a word has a brace that stands alone")
        .hint("write a placeholder as {name} or {name:default}, a brace of its own twice: {{ or }}")
}

fn like_an_option(name: &str) -> Error {
    Error::usage(format!(
        "{{{name}}} begins with `-`, so that the program would take it for an option"
    ))
    .hint(format!(
        "write a value of {{{name}}} that begins with another character"
    ))
}

fn missing_value(name: &str) -> Error {
    Error::usage(format!("the command needs a value for {{{name}}}")).hint(format!(
        "give it to the connection: --profile for {{profile}}, else \
         vars = {{ {name} = \"VALUE\" }} in config.toml"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(word: &str) -> Result<String> {
        WordTemplate::parse(word)?.fill(&|name| match name {
            "host" => Some("db.example.com".to_owned()),
            "user" => Some("-x; rm 'a b'".to_owned()),
            "line" => Some("a\nb".to_owned()),
            _ => None,
        })
    }

    #[test]
    fn values_stay_in_their_word() {
        assert_eq!(
            fill("--host={host}:5432").unwrap(),
            "--host=db.example.com:5432"
        );
        assert_eq!(fill("--user={user}").unwrap(), "--user=-x; rm 'a b'");
        assert_eq!(
            fill("{host}{host}").unwrap(),
            "db.example.comdb.example.com"
        );
        assert_eq!(fill("plain").unwrap(), "plain");
        assert_eq!(fill("").unwrap(), "");
        assert_eq!(fill("{{a}}").unwrap(), "{a}");
    }

    #[test]
    fn a_value_is_no_option() {
        let error = fill("{user}").unwrap_err().to_string();
        assert!(error.contains("begins with `-`"), "{error}");
    }

    #[test]
    fn what_cannot_be_filled_in_is_an_error_that_says_how() {
        let error = fill("{endpoint}").unwrap_err();
        assert!(
            error.hint_text().unwrap().contains("vars = { endpoint"),
            "{error}"
        );
        assert!(fill("{line}").is_err());
        for wrong in [
            "{", "}", "{}", "{a", "{a b}", "a}b", "{a{b}}", "{:b}", "{a:}", "{a:{b}",
        ] {
            assert!(WordTemplate::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_default_without_a_text_is_told_as_such() {
        let error = WordTemplate::parse("--x={a:}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the placeholder a has nothing after its colon"
        );
        assert_eq!(
            error.hint_text(),
            Some("write {a:TEXT}; or {a}, if there is no such text")
        );
    }

    #[test]
    fn names_are_those_in_braces() {
        let template = WordTemplate::parse("a{x}b{{c}}{y:z}").unwrap();
        assert_eq!(template.placeholder_names().collect::<Vec<_>>(), ["x", "y"]);
        assert!(template.needs("x") && !template.needs("y") && !template.needs("c"));
    }

    #[test]
    fn a_default_stands_where_nothing_says_a_value() {
        assert_eq!(
            fill("{mount:team/pg:1}/{host:x}").unwrap(),
            "team/pg:1/db.example.com"
        );
    }
}
