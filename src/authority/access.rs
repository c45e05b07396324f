//! Defines what an authority's policies have to allow, so that a profile may log in to a database,
//! or so that pgcred may ask on its behalf. What cannot be found out is a word in capital letters
//! with the command that finds it; it is never guessed. `pgcred policy` asks for it.

use super::{Region, TokenScope};
use crate::error::Error;

/// What is to be allowed, and what the user says of it.
pub(crate) struct AccessQuery<'a> {
    pub(crate) goal: AccessGoal<'a>,
    pub(crate) region: Option<&'a Region>,
    pub(crate) profile: Option<&'a str>,
    /// The account of the database, as the user has typed it.
    pub(crate) account: Option<&'a str>,
    /// Who signs, as the user has typed it.
    pub(crate) principal: Option<&'a str>,
    /// Whether the answer has to say who signs, because the database has to know it.
    pub(crate) needs_principal: bool,
}

#[derive(Clone, Copy)]
pub(crate) enum AccessGoal<'a> {
    /// To log in with a token of this scope.
    ServerLogin(&'a TokenScope<'a>),
    /// To list the databases of an account: `pgcred discover`.
    Listing,
    /// To ask about a login that fails: `pgcred doctor --aws`.
    Inspection,
}

/// A policy, and what belongs to it.
#[derive(Clone, Debug, Default)]
pub(crate) struct AccessPolicy {
    /// The policy in the authority's own language, in ASCII, ready to be pasted.
    pub(crate) document: String,
    /// The authority's whole name of who signs, or a placeholder. `None` if it was not asked for.
    pub(crate) principal: Option<String>,
    /// The words in the texts above that stand for what is not known.
    pub(crate) placeholders: Vec<AccessPlaceholder>,
    /// What to type so that the server takes tokens at all, unless it does already.
    pub(crate) enabling: Option<String>,
    /// Whether the user is the one that the server was made with, and so exists.
    pub(crate) is_master_user: bool,
    /// What the policy does not cover, in sentences.
    pub(crate) notes: Vec<String>,
    /// Why something could not be found out.
    pub(crate) failures: Vec<Error>,
}

/// A word that stands for what is not known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AccessPlaceholder {
    pub(crate) word: &'static str,
    /// What to type to see it; empty if only the user can know it.
    pub(crate) command: String,
}

impl AccessPolicy {
    /// Puts a word in the place of what is not known, and returns it.
    pub(crate) fn add_placeholder(&mut self, word: &'static str, command: String) -> String {
        if self
            .placeholders
            .iter()
            .all(|placeholder| placeholder.word != word)
        {
            self.placeholders.push(AccessPlaceholder { word, command });
        }
        word.to_owned()
    }

    /// Keeps why something could not be found out. Several questions may fail for one reason.
    pub(crate) fn add_failure(&mut self, error: Error) {
        let text = error.to_string();
        if self
            .failures
            .iter()
            .all(|failure| failure.to_string() != text)
        {
            self.failures.push(error);
        }
    }
}
