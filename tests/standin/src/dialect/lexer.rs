//! SQL as words, strings and signs: enough of a lexer to tell which statements a text has.

/// How many bind parameters (`$1`, `$2`, ...) `sql` has.
pub(crate) fn parameters(sql: &str) -> u16 {
    let tokens = tokens(sql);
    let after_dollar = tokens
        .windows(2)
        .filter(|two| two[0].1 == Token::Other('$'))
        .map(|two| two[1].0);
    let number = |at: usize| {
        let digits = &sql[at..];
        digits[..digits
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(digits.len())]
            .parse()
            .ok()
    };
    after_dollar.filter_map(number).max().unwrap_or(0)
}

#[derive(Debug, PartialEq)]
pub(super) enum Token {
    /// A bare word, in lower case.
    Word(String),
    /// A quoted identifier.
    Quoted(String),
    /// A string literal.
    Text(String),
    Other(char),
}

impl Token {
    pub(super) fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self {
            Some(word)
        } else {
            None
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        if let Self::Word(name) | Self::Quoted(name) = self {
            Some(name)
        } else {
            None
        }
    }
}

/// The tokens of `sql` and where they start, without comments. Strings are read as with
/// `standard_conforming_strings`.
pub(super) fn tokens(sql: &str) -> Vec<(usize, Token)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = sql[at..].chars().next() {
        let rest = &sql[at..];
        let length = if c.is_whitespace() {
            c.len_utf8()
        } else if rest.starts_with("--") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            comment_length(rest)
        } else if c == '\'' || c == '"' {
            let (length, text) = quoted(rest, c, false);
            found.push((
                at,
                if c == '"' {
                    Token::Quoted(text)
                } else {
                    Token::Text(text)
                },
            ));
            length
        } else if rest.starts_with("e'") || rest.starts_with("E'") {
            let (length, text) = quoted(&rest[1..], '\'', true);
            found.push((at, Token::Text(text)));
            length + 1
        } else if let Some((length, text)) = dollar_quoted(rest) {
            found.push((at, Token::Text(text)));
            length
        } else if c.is_alphabetic() || c == '_' {
            let length = rest
                .find(|c: char| !c.is_alphanumeric() && c != '_' && c != '$')
                .unwrap_or(rest.len());
            found.push((at, Token::Word(rest[..length].to_ascii_lowercase())));
            length
        } else {
            found.push((at, Token::Other(c)));
            c.len_utf8()
        };
        at += length;
    }
    found
}

/// The length of the comment `text` starts with; comments nest.
fn comment_length(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        if rest.starts_with(b"/*") {
            (depth, at) = (depth + 1, at + 2);
        } else if rest.starts_with(b"*/") {
            (depth, at) = (depth - 1, at + 2);
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    text.len()
}

/// The length and content of the quoted text `text` starts with; a doubled quote stands for one.
fn quoted(text: &str, quote: char, backslashes: bool) -> (usize, String) {
    let mut content = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        if c == quote && chars.next_if(|(_, next)| *next == quote).is_none() {
            return (at + 1, content);
        }
        content.push(c);
        if c == '\\' && backslashes {
            content.extend(chars.next().map(|(_, escaped)| escaped));
        }
    }
    (text.len(), content)
}

/// The length and content of `$tag$...$tag$`, if `text` starts with that.
fn dollar_quoted(text: &str) -> Option<(usize, String)> {
    let tag_end = text.strip_prefix('$')?.find('$')? + 2;
    let tag = &text[..tag_end];
    let name = &tag[1..tag_end - 1];
    if name.starts_with(|c: char| c.is_ascii_digit())
        || !name.chars().all(|c| c.is_alphanumeric() || c == '_')
    {
        return None;
    }
    let content = &text[tag_end..];
    let end = content.find(tag).unwrap_or(content.len());
    Some((
        (tag_end + end + tag_end).min(text.len()),
        content[..end].to_owned(),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_counted() {
        for (sql, count) in [
            ("SELECT $2 + $10, $1", 10),
            ("SELECT '$3', a$4, $a$ $5 $a$, $x", 0),
            ("$1", 1),
            ("$", 0),
        ] {
            assert_eq!(parameters(sql), count, "{sql}");
        }
    }
}
