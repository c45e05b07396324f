//! Asks by numbered lines and typed numbers, for a terminal that cannot move its cursor, and for
//! programs that read the screen aloud.

use std::io::{self, Write};

use super::{Dialog, DialogAnswer, DialogChoice, DialogQuestion, chosen_indices, filter};
use crate::error::Result;
use crate::sys::terminal;
use crate::text;

/// How many lines of a list are shown at once.
const MAX_LINES: usize = 40;

/// What a user types to go back.
const BACK: &str = "<";

/// Asks by numbers.
pub(super) struct LineDialog;

/// What was typed at a list.
#[derive(Debug, PartialEq, Eq)]
enum ListInput {
    /// Nothing: what is marked.
    Marked,
    Numbers(Vec<usize>),
    /// A text that leaves fewer lines.
    Filter(String),
}

impl Dialog for LineDialog {
    fn select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<usize>> {
        let start = choices.iter().position(|choice| choice.is_chosen);
        let keys = "a number, or a word to see only lines that have it";
        loop {
            let numbers = ask_for_numbers(question, choices, keys)?;
            let number = numbers.map(|numbers| match numbers.as_deref() {
                None => Some(start.unwrap_or(0)),
                Some([one]) => Some(*one),
                Some(_) => None,
            });
            match number.transpose() {
                Some(answer) => return Ok(answer),
                None => print_line("one number, please"),
            }
        }
    }

    fn multi_select(
        &self,
        question: DialogQuestion<'_>,
        choices: &[DialogChoice],
    ) -> Result<DialogAnswer<Vec<usize>>> {
        let keys = "numbers such as 1 3-5, 0 for none, or a word to see only lines that have it";
        let numbers = ask_for_numbers(question, choices, keys)?;
        Ok(numbers.map(|numbers| numbers.unwrap_or_else(|| chosen_indices(choices))))
    }

    fn confirm(&self, question: DialogQuestion<'_>, default: bool) -> Result<DialogAnswer<bool>> {
        let keys = if default { "Y/n" } else { "y/N" };
        loop {
            print_line(question.text);
            let line = ask_for_text(question, keys)?;
            let consent = line.map(|line| match line.to_lowercase().as_str() {
                "" => Some(default),
                "y" | "yes" => Some(true),
                "n" | "no" => Some(false),
                _ => None,
            });
            match consent.transpose() {
                Some(answer) => return Ok(answer),
                None => print_line("y or n, please"),
            }
        }
    }

    fn text(
        &self,
        question: DialogQuestion<'_>,
        default: &str,
        check: &dyn Fn(&str) -> Result<()>,
    ) -> Result<DialogAnswer<String>> {
        loop {
            print_line(question.text);
            let keys = match default {
                "" => "a text".to_owned(),
                default => format!("a text, Enter for {default}"),
            };
            let answer = match ask_for_text(question, &keys)? {
                DialogAnswer::Given(line) if line.is_empty() => default.to_owned(),
                DialogAnswer::Given(line) => line,
                other => return Ok(other),
            };
            match check(&answer) {
                Ok(()) => return Ok(DialogAnswer::Given(answer)),
                Err(error) => print_line(&error.to_string()),
            }
        }
    }
}

/// Shows a list until numbers are typed, and returns them; `None` stands for what is marked.
fn ask_for_numbers(
    question: DialogQuestion<'_>,
    choices: &[DialogChoice],
    keys: &str,
) -> Result<DialogAnswer<Option<Vec<usize>>>> {
    let mut filter = String::new();
    loop {
        show_choices(question, choices, &filter);
        let input = match ask_for_text(question, keys)? {
            DialogAnswer::Given(line) => parse_list_input(&line, choices.len()),
            DialogAnswer::Back => return Ok(DialogAnswer::Back),
            DialogAnswer::Interrupted => return Ok(DialogAnswer::Interrupted),
        };
        match input {
            ListInput::Marked => return Ok(DialogAnswer::Given(None)),
            ListInput::Numbers(numbers) => return Ok(DialogAnswer::Given(Some(numbers))),
            ListInput::Filter(text) => filter = text,
        }
    }
}

/// Asks for a line, and says what may be typed.
fn ask_for_text(question: DialogQuestion<'_>, keys: &str) -> Result<DialogAnswer<String>> {
    let back = question.back_label();
    let line = terminal::ask_for_line(&text::printable(&format!("[{keys}; {BACK} {back}] ")))?;
    if line.is_empty() {
        return Ok(DialogAnswer::Interrupted); // the end of the input
    }
    match line.trim() {
        BACK => Ok(DialogAnswer::Back),
        line => Ok(DialogAnswer::Given(line.to_owned())),
    }
}

/// Shows the question and the choices that a text leaves. Those that are chosen are marked.
fn show_choices(question: DialogQuestion<'_>, choices: &[DialogChoice], typed_word: &str) {
    print_line(question.text);
    let (mut shown, mut left_out) = (0, 0);
    for (index, choice) in choices.iter().enumerate() {
        if !filter::matches_filter(typed_word, choice) {
            continue;
        }
        if shown == MAX_LINES && !choice.is_always_shown {
            left_out += 1;
            continue;
        }
        shown += usize::from(!choice.is_always_shown);
        let mark = if choice.is_chosen { '*' } else { ' ' };
        let (name, detail) = (&choice.name, &choice.detail);
        print_line(format!("{mark}{:>4}  {name}  {detail}", index + 1).trim_end());
    }
    if left_out > 0 {
        print_line(&format!(
            "      and {left_out} more: type a word to see others"
        ));
    }
}

/// Reads what was typed at a list of this length.
fn parse_list_input(line: &str, length: usize) -> ListInput {
    if line.is_empty() {
        return ListInput::Marked;
    }
    match parse_numbers(line, length) {
        Some(numbers) => ListInput::Numbers(numbers),
        None => ListInput::Filter(line.to_owned()),
    }
}

/// Returns the indices that numbers and ranges name, in the order of the list; `None` for anything
/// else.
fn parse_numbers(line: &str, length: usize) -> Option<Vec<usize>> {
    let mut flags = vec![false; length];
    for part in line.split([' ', ',']).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = first.parse().ok()?;
        let last: usize = last.parse().ok()?;
        if first == 0 && last == 0 {
            continue;
        }
        if first == 0 || last < first || last > length {
            return None;
        }
        flags[first - 1..last].fill(true);
    }
    let mut indices = Vec::new();
    for (index, is_named) in flags.into_iter().enumerate() {
        if is_named {
            indices.push(index);
        }
    }
    Some(indices)
}

fn print_line(text: &str) {
    // If stderr is closed, the question cannot be answered either.
    let _ = io::stderr().write_all((text::printable(text) + "\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_choose_and_words_filter() {
        assert_eq!(parse_list_input("", 5), ListInput::Marked);
        assert_eq!(parse_list_input("2", 5), ListInput::Numbers(vec![1]));
        assert_eq!(
            parse_list_input("4, 1-2 2", 5),
            ListInput::Numbers(vec![0, 1, 3])
        );
        assert_eq!(parse_list_input("0", 5), ListInput::Numbers(Vec::new()));
        for other in [
            "6",
            "3-9",
            "0-2",
            "2-1",
            "prod",
            "1 prod",
            "-",
            "1-",
            "99999999999999999999",
        ] {
            assert_eq!(
                parse_list_input(other, 5),
                ListInput::Filter(other.to_owned())
            );
        }
    }
}
