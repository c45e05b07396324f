//! DSQL's allow-list of session parameters: rewrites SQL that sets another one into SQL that fails
//! as DSQL does.
//!
//! The real server raises the error, so protocol and transaction state stay right. Statements
//! before the offending one are kept.

/// What clients may set; names in lower case.
const ALLOWED: [&str; 7] = [
    "application_name",
    "client_encoding",
    "datestyle",
    "extra_float_digits",
    "intervalstyle",
    "search_path",
    "timezone",
];

/// The SQL to send instead, if `sql` sets a parameter that is not allowed.
pub(crate) fn rewrite(sql: &str) -> Option<String> {
    let (start, name) = first_offence(sql)?;
    // The name ends up inside a string inside a dollar-quoted body.
    let name: String = name
        .chars()
        .filter(|c| c.is_alphanumeric() || "_.-".contains(*c))
        .collect();
    Some(format!(
        "{}DO $standin$BEGIN RAISE EXCEPTION USING ERRCODE='0A000', \
         MESSAGE='setting configuration parameter \"{name}\" not supported'; END$standin$",
        &sql[..start]
    ))
}

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

/// Where the offending statement starts, and the parameter it sets.
fn first_offence(sql: &str) -> Option<(usize, String)> {
    let tokens = tokens(sql);
    tokens
        .split(|(_, token)| *token == Token::Other(';'))
        .find_map(|statement| {
            let start = statement.first()?.0;
            let words: Vec<&Token> = statement.iter().map(|(_, token)| token).collect();
            let name = match words.first()?.word()? {
                "set" => set_target(&words[1..]),
                "select" => set_config_target(&words[1..]),
                _ => None,
            }?;
            (!ALLOWED.contains(&name.as_str())).then_some((start, name))
        })
}

/// The parameter of `SET [SESSION|LOCAL] ...`; `None` for the forms of SET that set something else.
fn set_target(words: &[&Token]) -> Option<String> {
    let scoped = matches!(words.first()?.word(), Some("session" | "local"));
    let words = if scoped { &words[1..] } else { words };
    let mut name = words.first()?.name()?.to_ascii_lowercase();
    let mut rest = &words[1..];
    while let [Token::Other('.'), part, after @ ..] = rest {
        name = format!("{name}.{}", part.name()?.to_ascii_lowercase());
        rest = after;
    }
    match (name.as_str(), rest.first()) {
        (_, Some(Token::Other('='))) => Some(name),
        (_, Some(next)) if next.word() == Some("to") => Some(name),
        ("time", Some(next)) if next.word() == Some("zone") => Some("timezone".into()),
        ("names", _) => Some("client_encoding".into()),
        ("schema", _) => Some("search_path".into()),
        ("xml", _) => Some("xmloption".into()),
        // ROLE, TRANSACTION, CONSTRAINTS, SESSION AUTHORIZATION and SESSION CHARACTERISTICS are no
        // parameters.
        _ => None,
    }
}

/// The first parameter not allowed that a call of `set_config` with a literal name sets.
fn set_config_target(words: &[&Token]) -> Option<String> {
    words.windows(3).find_map(|three| match three {
        [call, Token::Other('('), Token::Text(name)] if call.name() == Some("set_config") => {
            Some(name.to_ascii_lowercase()).filter(|name| !ALLOWED.contains(&name.as_str()))
        }
        _ => None,
    })
}

#[derive(Debug, PartialEq)]
enum Token {
    /// A bare word, in lower case.
    Word(String),
    /// A quoted identifier.
    Quoted(String),
    /// A string literal.
    Text(String),
    Other(char),
}

impl Token {
    fn word(&self) -> Option<&str> {
        if let Self::Word(word) = self {
            Some(word)
        } else {
            None
        }
    }

    fn name(&self) -> Option<&str> {
        if let Self::Word(name) | Self::Quoted(name) = self {
            Some(name)
        } else {
            None
        }
    }
}

/// The tokens of `sql` and where they start, without comments. Strings are read as with
/// `standard_conforming_strings`.
fn tokens(sql: &str) -> Vec<(usize, Token)> {
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
    fn parameters_off_the_list_are_found() {
        for (sql, name) in [
            ("SET bytea_output=hex", "bytea_output"),
            (
                "  set SESSION client_min_messages TO notice;",
                "client_min_messages",
            ),
            ("SET LOCAL \"Statement_Timeout\" = 0", "statement_timeout"),
            ("set my.var = 'x'", "my.var"),
            ("/* a /* b */ c */ SET -- d\n jit = off", "jit"),
            ("SELECT 'SET x = 1'; SET jit = off", "jit"),
            ("SELECT $q$;$q$; SET jit TO off", "jit"),
            ("SELECT E'\\';'; SET jit TO off", "jit"),
            ("SET search_path = a; SET jit = off", "jit"),
            (
                "SELECT set_config('bytea_output','hex',false) FROM pg_settings",
                "bytea_output",
            ),
            (
                "SELECT set_config('datestyle','ISO',false), pg_catalog.set_config('JIT', 'off', \
                 true)",
                "jit",
            ),
            ("SET XML OPTION DOCUMENT", "xmloption"),
        ] {
            assert_eq!(
                first_offence(sql).map(|(_, name)| name).as_deref(),
                Some(name),
                "{sql}"
            );
        }
    }

    #[test]
    fn everything_else_passes() {
        for sql in [
            "",
            ";;",
            "SET search_path TO a, b",
            "SET DateStyle = ISO; SET TIME ZONE 'UTC'; SET NAMES 'UTF8'; SET extra_float_digits = \
             3",
            "SET ROLE r",
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
            "SET SESSION AUTHORIZATION DEFAULT",
            "UPDATE t SET jit = 1",
            "SELECT ';SET jit = 1', \";SET jit = 1\", $$;SET jit = 1$$ -- ;SET jit = 1",
            "SELECT $1, $2; SELECT set_config($1, $2, false)",
            "SELECT set_config('search_path', '', false)",
            "SELECT 'unfinished; SET jit = 1",
            "SELECT /* unfinished ; SET jit = 1",
            "SELECT $a$ unfinished ; SET jit = 1",
            "SET",
            "SET jit",
        ] {
            assert_eq!(first_offence(sql), None, "{sql}");
        }
    }

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

    #[test]
    fn earlier_statements_are_kept() {
        let sql = rewrite("BEGIN; SET jit = off; SELECT 1").unwrap();
        assert!(sql.starts_with(
            "BEGIN; DO $standin$BEGIN RAISE EXCEPTION USING ERRCODE='0A000', MESSAGE="
        ));
        assert!(
            sql.ends_with("'setting configuration parameter \"jit\" not supported'; END$standin$")
        );
    }

    #[test]
    fn names_cannot_break_out_of_the_message() {
        let sql = rewrite("SET \"a'; $standin$ b\" = 1").unwrap();
        assert!(sql.contains("parameter \"astandinb\" not"), "{sql}");
    }
}
