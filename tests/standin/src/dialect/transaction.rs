//! A transaction of DSQL has one DDL statement and nothing else that writes.
//!
//! Statements are counted when they are sent, not when they are executed: exact for simple queries
//! and for clients that execute what they parse.

use super::lexer::Token;

#[derive(Debug, Default)]
pub(super) struct Transaction {
    /// Whether a BEGIN has opened it.
    open: bool,
    has_ddl: bool,
    has_dml: bool,
}

impl Transaction {
    /// DSQL's text, if the statement does not go with those before it.
    pub(super) fn refusal(&mut self, words: &[&Token]) -> Option<&'static str> {
        match words.first()?.word()? {
            "begin" | "start" => self.open = true,
            "commit" | "end" | "rollback" | "abort" => *self = Self::default(),
            "create" | "alter" | "drop" if self.has_ddl => {
                return Some("multiple ddl statements not supported in a transaction");
            }
            "create" | "alter" | "drop" if self.has_dml => return Some(MIXED),
            "create" | "alter" | "drop" => self.has_ddl = true,
            "insert" | "update" | "delete" | "merge" if self.has_ddl => return Some(MIXED),
            "insert" | "update" | "delete" | "merge" => self.has_dml = true,
            _ => {}
        }
        None
    }

    pub(super) fn sync(&mut self) {
        if !self.open {
            *self = Self::default();
        }
    }
}

const MIXED: &str = "ddl and dml are not supported in the same transaction";
