//! What Aurora DSQL refuses after the login: rewrites SQL that has a refused statement into SQL
//! that fails with DSQL's own words.
//!
//! ```text
//! text ──lexer──▶ statements ──▶ parameters   SET and set_config of a name that is not allowed
//!                            ──▶ statements   SAVEPOINT, LOCK, LISTEN, VACUUM, advisory locks, ...
//!                            ──▶ transaction  two DDL, or DDL and DML, in one transaction
//! ```
//!
//! The real server raises the error, so protocol and transaction state stay right, and in a failed
//! transaction its own error comes first, as at DSQL. Statements before the refused one are kept.
//! The texts are those that were recorded on real clusters; where one is inferred, a comment says
//! so.

mod lexer;
mod parameters;
mod statements;
mod transaction;

pub(crate) use lexer::parameters;
pub(crate) use parameters::{ONLY_IN_DSQL, PREFIX, is_allowed};

use lexer::{Token, tokens};
use transaction::Transaction;

/// The detail by which an answer of the real server is known to be made here. It never reaches the
/// client.
pub(crate) const MARK: &str = "standin: refused as by Aurora DSQL";

/// The SQLSTATE of all of them.
pub(crate) const NOT_SUPPORTED: &str = "0A000";

/// The text for a parameter that may not be set.
pub(crate) fn not_settable(name: &str) -> String {
    format!("setting configuration parameter \"{name}\" not supported")
}

/// One session's rules. It follows the session's transactions by the statements that pass.
#[derive(Debug, Default)]
pub(crate) struct Dialect {
    transaction: Transaction,
}

impl Dialect {
    /// The SQL to send instead, if `sql` has a statement that DSQL refuses, or one that only DSQL
    /// knows.
    pub(crate) fn rewrite(&mut self, sql: &str) -> Option<String> {
        let tokens = tokens(sql);
        let offence = self.first_offence(&tokens);
        let end = offence.as_ref().map_or(sql.len(), |(start, _)| *start);
        let mut rewritten = String::new();
        let mut copied = 0;
        for statement in tokens.split(|(_, token)| *token == Token::Other(';')) {
            if let Some(at) = parameters::only_in_dsql(statement)
                && at < end
            {
                rewritten += &sql[copied..at];
                rewritten += PREFIX;
                copied = at;
            }
        }
        if copied == 0 && offence.is_none() {
            return None;
        }
        rewritten += &sql[copied..end];
        if let Some((_, text)) = offence {
            rewritten += &raise(&text);
        }
        Some(rewritten)
    }

    /// The end of a query or a Sync: a transaction that no BEGIN has opened ends here.
    pub(crate) fn sync(&mut self) {
        self.transaction.sync();
    }

    /// Where the refused statement starts, and DSQL's text.
    fn first_offence(&mut self, tokens: &[(usize, Token)]) -> Option<(usize, String)> {
        for statement in tokens.split(|(_, token)| *token == Token::Other(';')) {
            let Some((start, _)) = statement.first() else {
                continue;
            };
            let words: Vec<&Token> = statement.iter().map(|(_, token)| token).collect();
            if let Some(text) = self.judge(&words) {
                return Some((*start, text));
            }
        }
        None
    }

    fn judge(&mut self, words: &[&Token]) -> Option<String> {
        if let Some(text) = parameters::refusal(words) {
            return Some(text);
        }
        if let Some(text) = statements::refusal(words) {
            return Some(text);
        }
        self.transaction.refusal(words).map(str::to_owned)
    }
}

/// A statement that fails with the text.
fn raise(text: &str) -> String {
    // The text ends up inside a string inside a dollar-quoted body. Only a name that the client
    // chose can have such characters.
    let mut safe = String::new();
    for c in text.chars() {
        if c.is_alphanumeric() || " _.-,:/\"".contains(c) {
            safe.push(c);
        }
    }
    format!(
        "DO $standin$BEGIN RAISE EXCEPTION USING ERRCODE='{NOT_SUPPORTED}', MESSAGE='{safe}', \
         DETAIL='{MARK}'; END$standin$"
    )
}

#[cfg(test)]
mod tests;
