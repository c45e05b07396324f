//! Statements and functions that DSQL does not have, each with its text.

use super::lexer::Token;

/// The words a statement begins with, and DSQL's text. The first row that fits counts.
const STATEMENTS: &[(&[&str], &str)] = &[
    (
        &["savepoint"],
        "unsupported transaction statement: SAVEPOINT",
    ),
    (&["release"], "unsupported transaction statement: RELEASE"),
    (
        &["rollback", "to"],
        "unsupported transaction statement: ROLLBACK TO",
    ),
    (
        &["rollback", "work", "to"],
        "unsupported transaction statement: ROLLBACK TO",
    ),
    (
        &["rollback", "transaction", "to"],
        "unsupported transaction statement: ROLLBACK TO",
    ),
    (&["prepare"], "unsupported statement: Prepare"),
    (&["declare"], "unsupported statement: DeclareCursor"),
    (&["lock"], "unsupported statement: Lock"),
    (&["listen"], "unsupported statement: Listen"),
    (&["notify"], "unsupported statement: Notify"),
    (&["unlisten"], "unsupported statement: Unlisten"),
    (&["vacuum"], "unsupported VACUUM statement"),
    (&["truncate"], "unsupported statement: Truncate"),
    (&["alter", "system"], "unsupported statement: AlterSystem"),
    (
        &["create", "extension"],
        "unsupported statement: CreateExtension",
    ),
    (&["create", "database"], "unsupported statement: Createdb"),
    (
        &["create", "tablespace"],
        "unsupported statement: CreateTableSpace",
    ),
    (
        &["create", "materialized"],
        "unsupported statement: CreateTableAs",
    ),
    (
        &["create", "foreign", "table"],
        "unsupported statement: CreateForeignTable",
    ),
    (&["create", "trigger"], "CREATE TRIGGER not supported"),
    (
        &["create", "temp"],
        "TEMPORARY or TEMP table not supported for CREATE TABLE",
    ),
    (
        &["create", "temporary"],
        "TEMPORARY or TEMP table not supported for CREATE TABLE",
    ),
    (
        &["create", "unlogged"],
        "UNLOGGED table not supported for CREATE TABLE",
    ),
];

/// DSQL's text, if the statement is one of those or calls such a function.
pub(super) fn refusal(words: &[&Token]) -> Option<String> {
    for (beginning, text) in STATEMENTS {
        if begins(words, beginning) {
            return Some((*text).to_owned());
        }
    }
    for two in words.windows(2) {
        if let [call, Token::Other('(')] = two
            && let Some(name) = call.name()
            && is_missing(&name.to_ascii_lowercase())
        {
            return Some(format!(
                "function {} not supported",
                name.to_ascii_lowercase()
            ));
        }
    }
    None
}

fn begins(words: &[&Token], beginning: &[&str]) -> bool {
    if words.len() < beginning.len() {
        return false;
    }
    beginning
        .iter()
        .zip(words)
        .all(|(wanted, word)| word.word() == Some(wanted))
}

/// Users have reported the first and two of the locks; the other locks are inferred.
fn is_missing(function: &str) -> bool {
    function == "pg_backend_pid"
        || function.starts_with("pg_advisory_")
        || function.starts_with("pg_try_advisory_")
}
