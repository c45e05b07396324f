//! The order of the questions, and the way back.
//!
//! A step asks, or finds that there is nothing to ask. Esc leads to the step before this one that
//! has asked; at the first one it ends the conversation. Nothing is written by any step.

use super::steps::{self, Replies};
use super::surroundings::{Surroundings, Wishes};
use crate::error::Result;
use crate::sys::dialog::{Answer, Dialog};

/// How a step has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// The user has answered.
    Asked,
    /// There was nothing to ask.
    Skipped,
    /// The user wants to go back.
    Back,
    /// The user has pressed Ctrl-C.
    Interrupted,
}

impl Step {
    /// Returns how a question has ended the step. `keep` is given the answer, if there is one.
    pub(super) fn of<T>(answer: Answer<T>, keep: impl FnOnce(T)) -> Self {
        match answer {
            Answer::Given(given) => keep(given),
            Answer::Back => return Self::Back,
            Answer::Interrupted => return Self::Interrupted,
        }
        Self::Asked
    }
}

/// How the conversation has ended.
#[derive(Clone)]
pub(super) enum Ending {
    /// The user wants the changes.
    Agreed(Wishes),
    /// The user does not want them.
    Declined,
    Interrupted,
}

/// What a step works with.
pub(super) struct Conversation<'a> {
    pub(super) dialog: &'a dyn Dialog,
    pub(super) here: &'a dyn Surroundings,
    pub(super) replies: Replies,
    /// Whether no step before this one has asked.
    pub(super) is_first: bool,
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
