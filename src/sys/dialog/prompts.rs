//! Asks by lists that the arrow keys move in, with the library `inquire`. This is the only file
//! that uses it and `crossterm`, which it draws with.

use std::io;

use crossterm::event::DisableBracketedPaste;
use crossterm::style::Print;
use crossterm::terminal::ClearType;
use crossterm::{cursor, execute, terminal};
use inquire::list_option::ListOption;
use inquire::ui::RenderConfig;
use inquire::{Confirm, InquireError, MultiSelect, Select, Text};

use super::{
    Dialog, DialogAnswer, DialogChoice, DialogQuestion, chosen_indices, filter, line_width,
};
use crate::error::{Error, Result};
use crate::text;

/// Asks by lists, in colors or without.
pub(super) struct PromptDialog {
    pub(super) has_colors: bool,
}

impl Dialog for PromptDialog {
    fn select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<usize>> {
        let message = text::printable(question.text);
        let help = help_about_keys("arrows and Enter choose, typing filters", question);
        let scorer = |typed_word: &str, _: &String, _: &str, index: usize| {
            rank_of_choice(typed_word, choices, index)
        };
        let formatter = |option: ListOption<&String>| text::printable(&choices[option.index].name);
        let start = choices.iter().position(|choice| choice.is_chosen);
        let prompt = Select::new(&message, lines_of(choices))
            .with_help_message(&help)
            .with_page_size(page_size())
            .with_starting_cursor(start.unwrap_or(0))
            .with_scorer(&scorer)
            .with_formatter(&formatter)
            .with_render_config(self.render_config());
        answer_of_inquire(prompt.raw_prompt().map(|option| option.index))
    }

    fn multi_select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<Vec<usize>>> {
        let message = text::printable(question.text);
        let help = help_about_keys("space picks, Enter goes on, typing filters", question);
        let scorer = |typed_word: &str, _: &String, _: &str, index: usize| {
            rank_of_choice(typed_word, choices, index)
        };
        let formatter = |options: &[ListOption<&String>]| names_of(options, choices);
        let indices = chosen_indices(choices);
        let prompt = MultiSelect::new(&message, lines_of(choices))
            .with_help_message(&help)
            .with_page_size(page_size())
            .with_default(&indices)
            .with_scorer(&scorer)
            .with_formatter(&formatter)
            .with_render_config(self.render_config());
        let picked_options = prompt.raw_prompt();
        answer_of_inquire(picked_options.map(|options| indices_of(&options)))
    }

    fn confirm(&self, question: DialogQuestion<'_>, default: bool) -> Result<DialogAnswer<bool>> {
        let message = text::printable(question.text);
        let help = help_about_keys("y or n, then Enter", question);
        let prompt = Confirm::new(&message)
            .with_help_message(&help)
            .with_default(default)
            .with_render_config(self.render_config());
        answer_of_inquire(prompt.prompt())
    }

    fn text(
        &self,
        question: DialogQuestion<'_>,
        default: &str,
        check: &dyn Fn(&str) -> Result<()>,
    ) -> Result<DialogAnswer<String>> {
        let mut typed_text = default.to_owned();
        let mut last_error = None;
        loop {
            let message = text::printable(question.text);
            let help = match &last_error {
                Some(error) => text::printable(&format!("{error}")),
                None => help_about_keys("Enter goes on", question),
            };
            let prompt = Text::new(&message)
                .with_help_message(&help)
                .with_initial_value(&typed_text)
                .with_render_config(self.render_config());
            let answer = match answer_of_inquire(prompt.prompt())? {
                DialogAnswer::Given(answer) => answer.trim().to_owned(),
                other => return Ok(other),
            };
            match check(&answer) {
                Ok(()) => return Ok(DialogAnswer::Given(answer)),
                Err(error) => (typed_text, last_error) = (answer, Some(error)),
            }
        }
    }
}

impl PromptDialog {
    fn render_config(&self) -> RenderConfig<'static> {
        if self.has_colors {
            RenderConfig::default_colored()
        } else {
            RenderConfig::empty()
        }
    }
}

/// Leaves the terminal as it was before a question that did not end.
pub(super) fn restore_terminal() {
    if terminal::is_raw_mode_enabled().unwrap_or(false) {
        leave_question();
        let _ = terminal::disable_raw_mode();
        let _ = execute!(io::stderr(), cursor::Show, DisableBracketedPaste);
    }
}

/// Goes to a line of its own below a question that Ctrl-C has ended: the library leaves the cursor
/// in the middle of it.
fn leave_question() {
    let clear_command = terminal::Clear(ClearType::FromCursorDown);
    let _ = execute!(io::stderr(), Print("\r\n"), clear_command);
}

/// Returns the keys, and what Esc does.
fn help_about_keys(keys: &str, question: DialogQuestion<'_>) -> String {
    format!("{keys}, Esc {}", question.back_label())
}

/// Returns the rank of a choice that the typed text leaves: the order of the list, with those that
/// stay at its end.
fn rank_of_choice(typed_word: &str, choices: &[DialogChoice], index: usize) -> Option<i64> {
    let choice = choices.get(index)?;
    if !filter::matches_filter(typed_word, choice) {
        return None;
    }
    let rank = i64::try_from(index).unwrap_or(i64::MAX);
    Some(-rank)
}

/// Returns the choices as lines that fit the window beside the marks before them.
fn lines_of(choices: &[DialogChoice]) -> Vec<String> {
    const MARKS: usize = 8;
    const MIN_WIDTH: usize = 20;
    let width = usize::from(window_size().0)
        .saturating_sub(MARKS)
        .max(MIN_WIDTH);
    let name_width = line_width::name_width(choices);
    let mut lines = Vec::new();
    for choice in choices {
        lines.push(line_width::fit_line(choice, name_width, width));
    }
    lines
}

/// Returns how many choices the window shows beside the question and the help.
fn page_size() -> usize {
    const OTHER_LINES: u16 = 6;
    const MAX_SHOWN: u16 = 15;
    window_size()
        .1
        .saturating_sub(OTHER_LINES)
        .clamp(3, MAX_SHOWN)
        .into()
}

/// Returns the columns and lines of the window.
fn window_size() -> (u16, u16) {
    match terminal::size() {
        Ok((columns, lines)) if columns > 0 && lines > 0 => (columns, lines),
        _ => (80, 24),
    }
}

fn indices_of(options: &[ListOption<String>]) -> Vec<usize> {
    options.iter().map(|option| option.index).collect()
}

/// Returns what was picked, in few words.
fn names_of(options: &[ListOption<&String>], choices: &[DialogChoice]) -> String {
    const MAX_SHOWN: usize = 5;
    if options.is_empty() {
        return "none".to_owned();
    }
    if options.len() > MAX_SHOWN {
        return format!("{} of {}", options.len(), choices.len());
    }
    let mut names = Vec::new();
    for option in options {
        names.push(text::printable(&choices[option.index].name));
    }
    names.join(", ")
}

fn answer_of_inquire<T>(result: Result<T, InquireError>) -> Result<DialogAnswer<T>> {
    match result {
        Ok(value) => Ok(DialogAnswer::Given(value)),
        Err(InquireError::OperationCanceled) => Ok(DialogAnswer::Back),
        Err(InquireError::OperationInterrupted) => {
            leave_question();
            Ok(DialogAnswer::Interrupted)
        }
        Err(error) => Err(Error::failure("cannot ask on the terminal")
            .caused_by(&error)
            .hint("set TERM=dumb for questions that need no cursor")),
    }
}
