//! The order of the questions, and the way back.
//!
//! A step asks, or finds that there is nothing to ask. Esc leads to the step before this one that
//! has asked; at the first one it ends the conversation. Nothing is written by any step.

use super::step::{Conversation, Replies, Step};
use super::steps;
use super::surroundings::{Surroundings, Wishes};
use crate::error::Result;
use crate::sys::dialog::Dialog;

/// How the conversation has ended.
#[derive(Clone)]
pub(super) enum Ending {
    /// The user wants the changes.
    Agreed(Wishes),
    /// The user does not want them.
    Declined,
    Interrupted,
}

type StepFunction = fn(&mut Conversation<'_>) -> Result<Step>;

const STEPS: [StepFunction; 9] = [
    steps::profile::choose,
    steps::profile::log_in,
    steps::databases::choose,
    steps::databases::users,
    steps::databases::typed,
    steps::tools::choose,
    steps::tools::scheduler,
    steps::tools::shell,
    steps::agree,
];

/// Asks everything, in order.
pub(super) fn hold(
    dialog: &dyn Dialog,
    here: &dyn Surroundings,
    replies: Replies,
) -> Result<Ending> {
    let mut conversation = Conversation {
        dialog,
        here,
        replies,
        is_first: true,
    };
    let mut asked: Vec<usize> = Vec::new();
    let mut at = 0;
    while let Some(step) = STEPS.get(at) {
        conversation.is_first = asked.is_empty();
        match step(&mut conversation)? {
            Step::Asked => asked.push(at),
            Step::Skipped => {}
            Step::Interrupted => return Ok(Ending::Interrupted),
            Step::Back => match asked.pop() {
                Some(before) => {
                    at = before;
                    continue;
                }
                None => return Ok(Ending::Declined),
            },
        }
        at += 1;
    }
    Ok(if conversation.replies.is_agreed {
        Ending::Agreed(conversation.replies.wishes())
    } else {
        Ending::Declined
    })
}
