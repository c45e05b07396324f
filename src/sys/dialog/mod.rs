//! Asks the user at the terminal, for a conversation of several questions: a choice, several
//! choices, yes or no, and a line of text.
//!
//! ```text
//! open --> Dialog   what a question is, and what comes back
//!             |
//!             +--> prompts   lists that the arrow keys move in, by the library `inquire`
//!             +--> lines     numbered lines and typed numbers, for a terminal without a cursor
//!             |
//!             +--> filter      which choices a typed word leaves
//!             +--> line_width  cuts a text to the width of the window
//! ```
//!
//! Keys are read from the terminal, because stdin is empty by then, and everything is shown on
//! stderr. Each text is made safe for a terminal here, so that no caller can forget it. The
//! terminal is as it was before after each question, and when a signal or a panic ends pgcred.

mod filter;
mod line_width;
mod lines;
mod prompts;

use std::sync::Once;

use crate::error::Result;
use crate::sys::{env, signals};

/// What the user did with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialogAnswer<T> {
    Given(T),
    /// The user wants the question before this one.
    Back,
    /// The user wants to end the conversation: Ctrl-C, or the end of the input.
    Interrupted,
}

impl<T> DialogAnswer<T> {
    /// Returns the same answer with what `change` makes of the value that was given.
    fn map<U>(self, change: impl FnOnce(T) -> U) -> DialogAnswer<U> {
        match self {
            Self::Given(value) => DialogAnswer::Given(change(value)),
            Self::Back => DialogAnswer::Back,
            Self::Interrupted => DialogAnswer::Interrupted,
        }
    }
}

impl<T> DialogAnswer<Option<T>> {
    /// Returns `None` if what was given is no value, so that the user is asked again.
    fn transpose(self) -> Option<DialogAnswer<T>> {
        match self {
            Self::Given(value) => value.map(DialogAnswer::Given),
            Self::Back => Some(DialogAnswer::Back),
            Self::Interrupted => Some(DialogAnswer::Interrupted),
        }
    }
}

/// A question, as it stands before the answer.
#[derive(Clone, Copy)]
pub(crate) struct DialogQuestion<'a> {
    pub(crate) text: &'a str,
    /// Whether going back ends the conversation, because there is no question before this one. The
    /// user is told.
    pub(crate) is_first: bool,
}

impl DialogQuestion<'_> {
    /// Returns what going back does, for the help.
    fn back_label(self) -> &'static str {
        if self.is_first { "ends" } else { "goes back" }
    }
}

/// One line of a list.
#[derive(Clone, Debug, Default)]
pub(crate) struct DialogChoice {
    /// What is repeated when it was chosen.
    pub(crate) name: String,
    /// What else the list shows.
    pub(crate) detail: String,
    /// Whether it is chosen already, or where the list begins.
    pub(crate) is_chosen: bool,
    /// Whether it stays, whatever word the user types to see fewer lines.
    pub(crate) is_always_shown: bool,
}

/// Returns the indices of the choices that are chosen already.
fn chosen_indices(choices: &[DialogChoice]) -> Vec<usize> {
    let mut indices = Vec::new();
    for (index, choice) in choices.iter().enumerate() {
        if choice.is_chosen {
            indices.push(index);
        }
    }
    indices
}

/// A way to ask. A list has at least one choice.
pub(crate) trait Dialog {
    /// Returns the index of one choice.
    fn select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<usize>>;

    /// Returns the indices of some choices, in the order of the list; there may be none.
    fn multi_select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<Vec<usize>>>;

    /// Asks for yes or no.
    fn confirm(&self, question: DialogQuestion<'_>, default: bool) -> Result<DialogAnswer<bool>>;

    /// Asks for a line of text. `check` returns what is wrong with it, and the user is asked again.
    fn text(
        &self,
        question: DialogQuestion<'_>,
        default: &str,
        check: &dyn Fn(&str) -> Result<()>,
    ) -> Result<DialogAnswer<String>>;
}

/// Returns the way to ask that this terminal can show.
pub(crate) fn open_dialog() -> Result<Box<dyn Dialog>> {
    let can_move_cursor = match env::var("TERM") {
        Some(name) => name != "dumb",
        None => cfg!(windows),
    };
    if !can_move_cursor {
        return Ok(Box::new(lines::LineDialog));
    }
    restore_at_the_end()?;
    let has_colors = env::var_os("NO_COLOR").is_none();
    Ok(Box::new(prompts::PromptDialog { has_colors }))
}

/// Makes a signal and a panic leave the terminal as it was before.
fn restore_at_the_end() -> Result<()> {
    static PANIC_HOOK: Once = Once::new();
    PANIC_HOOK.call_once(|| {
        let report = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            prompts::restore_terminal();
            report(panic);
        }));
    });
    signals::on_signal(|signal| {
        prompts::restore_terminal();
        signals::die_by(signal);
    })
}
