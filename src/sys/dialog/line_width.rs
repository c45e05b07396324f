//! Cuts texts to the width of the window, so that a choice is one line. It is pure.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::DialogChoice;
use crate::text;

/// Returns a choice as one line of at most `width` columns, safe for a terminal. The details are
/// in a column of their own if `name_width` says how wide the names are.
pub(super) fn fit_line(choice: &DialogChoice, name_width: usize, width: usize) -> String {
    let name = text::printable(&choice.name);
    let detail = text::printable(&choice.detail);
    if detail.is_empty() {
        return cut_to_width(&name, width);
    }
    let gap = name_width.saturating_sub(name.width());
    cut_to_width(&format!("{name}{}  {detail}", " ".repeat(gap)), width)
}

/// Returns how wide the column of the names is. One long name does not make it wide for all.
pub(super) fn name_width(choices: &[DialogChoice]) -> usize {
    const MAX_WIDTH: usize = 28;
    let mut widest = 0;
    for choice in choices {
        widest = widest.max(text::printable(&choice.name).width());
    }
    widest.min(MAX_WIDTH)
}

/// Returns a text, cut to at most this many columns.
fn cut_to_width(text: &str, width: usize) -> String {
    const MARK: &str = "...";
    if text.width() <= width {
        return text.to_owned();
    }
    let max_width = width.saturating_sub(MARK.len());
    let (mut kept, mut used) = (String::new(), 0);
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > max_width {
            break;
        }
        kept.push(c);
    }
    kept + MARK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn choice(name: &str, detail: &str) -> DialogChoice {
        DialogChoice {
            name: name.to_owned(),
            detail: detail.to_owned(),
            ..DialogChoice::default()
        }
    }

    #[test]
    fn a_choice_is_one_line_that_fits() {
        let choices = [choice("a", "DSQL cluster"), choice("orders", "")];
        let width = name_width(&choices);
        assert_eq!(fit_line(&choices[0], width, 40), "a       DSQL cluster");
        assert_eq!(fit_line(&choices[0], width, 12), "a       D...");
        assert_eq!(fit_line(&choices[1], width, 40), "orders");
        let wide = choice("データベース", "x");
        assert_eq!(fit_line(&wide, 0, 10), "データ...");
        assert!(fit_line(&wide, 0, 11).width() <= 11);
    }

    #[test]
    fn a_name_cannot_move_the_cursor() {
        let hostile = choice("a\x1b[2J\r\nb", "\u{202e}c");
        let shown = fit_line(&hostile, 0, 200);
        assert_eq!(shown, r"a\u{1b}[2J\r\nb  \u{202e}c");
    }

    #[test]
    fn one_long_name_does_not_push_the_details_out() {
        let long = "x".repeat(200);
        assert_eq!(name_width(&[choice(&long, "d"), choice("a", "d")]), 28);
    }
}
