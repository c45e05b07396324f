//! The questions of the guided set-up, in the order in which they are asked.
//!
//! ```text
//! profile     which profile, and its login
//! databases   which of the databases that were found, their users, a host that is typed
//! tools       which tools, the scheduler, the shell's line
//! agree       shows all changes, and asks once
//! ```

pub(super) mod databases;
pub(super) mod profile;
pub(super) mod tools;

use super::conversation::{Conversation, Step};
use super::surroundings::{Discovery, Surroundings, Wishes};
use crate::config::Connection;
use crate::error::Result;
use crate::setup::Tool;
use crate::shell::Shell;
use crate::sys::dialog::Question;

/// The answers so far. They are the defaults when the user comes back to a question.
#[derive(Default)]
pub(super) struct Replies {
    /// The profile that an option names: then there is no question.
    pub(super) given_profile: Option<String>,
    pub(super) profile: Option<String>,
    /// What was found with the profile of that name. Coming back does not ask again.
    pub(super) discovery: Option<(Option<String>, Discovery)>,
    /// The indices of the databases that were picked from the discovery.
    pub(super) picked: Vec<usize>,
    /// The users of these, in the same order; empty where the connection has one.
    pub(super) users: Vec<String>,
    pub(super) types_host: bool,
    pub(super) typed_host: String,
    pub(super) typed_user: String,
    pub(super) typed: Option<Connection>,
    pub(super) tools: Option<Vec<&'static Tool>>,
    pub(super) scheduler: Option<&'static Tool>,
    pub(super) shell: Option<&'static Shell>,
    pub(super) is_agreed: bool,
}

impl Replies {
    /// Tells whether the host that was typed needs a user besides.
    fn needs_typed_user(&self, here: &dyn Surroundings) -> Result<bool> {
        here.needs_user(&self.typed_host, self.profile.as_deref())
    }

    /// Returns what the answers amount to.
    pub(super) fn wishes(&self) -> Wishes {
        let mut connections = Vec::new();
        if let Some((_, discovery)) = &self.discovery {
            for (at, index) in self.picked.iter().enumerate() {
                let Some(found) = discovery.new.get(*index) else {
                    continue;
                };
                let mut connection = found.connection.clone();
                if connection.target.user.is_none() {
                    connection.target.user = self.users.get(at).cloned();
                }
                connections.push(connection);
            }
        }
        connections.extend(self.typed.clone());
        Wishes {
            connections,
            tools: self.tools.clone().unwrap_or_default(),
            scheduler: self.scheduler,
            shell: self.shell,
        }
    }
}

impl Conversation<'_> {
    /// Returns a question of this step; `at` counts the questions of the step.
    fn question<'a>(&self, text: &'a str, at: usize) -> Question<'a> {
        Question {
            text,
            is_first: self.is_first && at == 0,
        }
    }
}

/// Shows everything that would change, and asks once.
pub(super) fn agree(conversation: &mut Conversation<'_>) -> Result<Step> {
    let wishes = conversation.replies.wishes();
    let has_changes = conversation.here.show_changes(&wishes)?;
    let text = if has_changes {
        "Make these changes, write tokens, and try a login?"
    } else {
        "Nothing has to be changed. Write tokens, and try a login?"
    };
    let question = conversation.question(text, 0);
    let answer = conversation.dialog.confirm(question, !has_changes)?;
    Ok(Step::of(answer, |is_agreed| {
        conversation.replies.is_agreed = is_agreed;
    }))
}
