//! Leads through the questions in their order, and back.
//!
//! A step asks, or finds that there is nothing to ask. Esc leads to the step before this one that
//! has asked; at the first one it ends the conversation. Nothing is written by any step.

use super::step::{GuidedConversation, GuidedReplies, StepOutcome};
use super::steps;
use super::surroundings::{GuidedSurroundings, SetupWishes};
use crate::error::Result;
use crate::sys::dialog::Dialog;

/// How the conversation has ended.
#[derive(Clone)]
pub(super) enum ConversationEnd {
    /// The user wants the changes.
    Agreed(SetupWishes),
    /// The user does not want them.
    Declined,
    Interrupted,
}

type StepFunction = fn(&mut GuidedConversation<'_>) -> Result<StepOutcome>;

const STEPS: [StepFunction; 10] = [
    steps::profile::choose_profile,
    steps::profile::log_in,
    steps::databases::choose_databases,
    steps::databases::ask_users,
    steps::databases::ask_typed_database,
    steps::tools::choose_tools,
    steps::tools::ask_token_users,
    steps::tools::ask_scheduler,
    steps::tools::ask_shell,
    steps::ask_agreement,
];

/// Asks everything, in order.
pub(super) fn hold_conversation(
    dialog: &dyn Dialog,
    surroundings: &dyn GuidedSurroundings,
    replies: GuidedReplies,
) -> Result<ConversationEnd> {
    let mut conversation = GuidedConversation {
        dialog,
        surroundings,
        replies,
        is_first: true,
    };
    let mut asked_steps: Vec<usize> = Vec::new();
    let mut step_index = 0;
    while let Some(step) = STEPS.get(step_index) {
        conversation.is_first = asked_steps.is_empty();
        match step(&mut conversation)? {
            StepOutcome::Asked => asked_steps.push(step_index),
            StepOutcome::Skipped => {}
            StepOutcome::Interrupted => return Ok(ConversationEnd::Interrupted),
            StepOutcome::Back => match asked_steps.pop() {
                Some(step_before) => {
                    step_index = step_before;
                    continue;
                }
                None => return Ok(ConversationEnd::Declined),
            },
        }
        step_index += 1;
    }
    Ok(if conversation.replies.is_agreed {
        ConversationEnd::Agreed(conversation.replies.wishes())
    } else {
        ConversationEnd::Declined
    })
}
