//! Asks the questions of the guided set-up, in this order.
//!
//! ```text
//! profile         which profile, and its login
//! databases       which of the databases that were found, their users, a host that is typed
//! tools           which tools, users that come with tokens, the scheduler, the shell's line
//! ask_agreement   shows all changes, and asks once
//! ```

pub(super) mod databases;
pub(super) mod profile;
pub(super) mod tools;

use super::step::{GuidedConversation, StepOutcome};
use crate::error::Result;

/// Shows everything that would change, and asks once.
pub(super) fn ask_agreement(conversation: &mut GuidedConversation<'_>) -> Result<StepOutcome> {
    let wishes = conversation.replies.wishes();
    let has_changes = conversation.surroundings.show_changes(&wishes)?;
    let text = if has_changes {
        "Make these changes, write tokens, and try a login?"
    } else {
        "Nothing has to be changed. Write tokens, and try a login?"
    };
    let question = conversation.question(text, 0);
    let answer = conversation.dialog.confirm(question, !has_changes)?;
    Ok(StepOutcome::from_answer(answer, |is_agreed| {
        conversation.replies.is_agreed = is_agreed;
    }))
}
