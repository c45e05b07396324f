//! Session parameters: the names that DSQL lets a client set, and the statements that set one.

use super::lexer::Token;
use super::not_settable;

/// What clients may set; names in lower case. DSQL's list grows: this is the one of autumn 2026.
const ALLOWED: [&str; 18] = [
    "application_name",
    "client_encoding",
    "datestyle",
    "disable_sync_create_index",
    "dsql.enable_batched_nestloop",
    "enable_bitmapscan",
    "enable_hashjoin",
    "enable_indexonlyscan",
    "enable_indexscan",
    "enable_material",
    "enable_mergejoin",
    "enable_nestloop",
    "enable_seqscan",
    "extra_float_digits",
    "intervalstyle",
    "role",
    "search_path",
    "timezone",
];

/// What a real PostgreSQL does not know. It takes the name behind a prefix of its own, as it takes
/// any such name.
pub(crate) const ONLY_IN_DSQL: &str = "disable_sync_create_index";
pub(crate) const PREFIX: &str = "standin.";

/// Whether a client may set the parameter, in a statement or in the startup message.
pub(crate) fn is_allowed(name: &str) -> bool {
    ALLOWED.contains(&name.to_ascii_lowercase().as_str())
}

/// DSQL's text, if the statement sets what may not be set.
pub(super) fn refusal(words: &[&Token]) -> Option<String> {
    match words.first()?.word()? {
        "set" => set(&words[1..]),
        "begin" | "start" => isolation(words),
        _ => set_config(words),
    }
}

/// `SET [SESSION | LOCAL] ...`; `None` for the forms of SET that set something else.
fn set(words: &[&Token]) -> Option<String> {
    let first = words.first()?.word();
    if first == Some("session") && words.get(1)?.word() == Some("characteristics") {
        // PostgreSQL's parser gives the statement this name; DSQL's text is inferred from that.
        return Some(isolation(words).unwrap_or(not_settable("SESSION CHARACTERISTICS")));
    }
    if first == Some("session") && words.get(1)?.word() == Some("authorization") {
        return Some(not_settable("session_authorization"));
    }
    let scoped = matches!(first, Some("session" | "local"));
    let words = if scoped { &words[1..] } else { words };
    if words.first()?.word() == Some("transaction") {
        return Some(isolation(words).unwrap_or(not_settable("TRANSACTION")));
    }
    let name = target(words)?;
    if is_allowed(&name) {
        None
    } else {
        Some(not_settable(&name))
    }
}

/// The parameter's name; `None` for CONSTRAINTS, which are none.
fn target(words: &[&Token]) -> Option<String> {
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
        _ => None,
    }
}

/// The text for an isolation level that DSQL has not. Only SERIALIZABLE was recorded; that the
/// weaker ones are refused alike is inferred from AWS's own adapters, which leave them out.
fn isolation(words: &[&Token]) -> Option<String> {
    let start = words.iter().position(|word| word.word() == Some("level"))?;
    let level = match (words.get(start + 1)?.word()?, words.get(start + 2)) {
        ("serializable", _) => "SERIALIZABLE",
        ("read", Some(next)) if next.word() == Some("committed") => "READ COMMITTED",
        ("read", Some(next)) if next.word() == Some("uncommitted") => "READ UNCOMMITTED",
        _ => return None,
    };
    Some(format!("Unsupported isolation level: {level}"))
}

/// The first call of `set_config` with a literal name that is not allowed.
fn set_config(words: &[&Token]) -> Option<String> {
    for three in words.windows(3) {
        if let [call, Token::Other('('), Token::Text(name)] = three
            && call.name() == Some("set_config")
            && !is_allowed(name)
        {
            return Some(not_settable(&name.to_ascii_lowercase()));
        }
    }
    None
}

/// Where the statement names the parameter that only DSQL has, if it sets it.
pub(super) fn only_in_dsql(statement: &[(usize, Token)]) -> Option<usize> {
    if statement.first()?.1.word() != Some("set") {
        return None;
    }
    let (at, _) = statement
        .iter()
        .take(3)
        .find(|(_, token)| token.name() == Some(ONLY_IN_DSQL))?;
    Some(*at)
}
