//! Edits pgcred's block in a text file of the user's, such as the crontab: between two marks, first
//! in the file. Every other byte is the user's and stays. It is pure.

use crate::error::{Error, Result};
use crate::text::marks::{self, BLOCK_BEGIN, BLOCK_END};

/// What the line of the first mark says after the mark.
const EXPLANATION: &str = " - lines up to the end mark are rewritten by pgcred setup";

/// Returns the lines inside the block, if there is one, and the user's part of the text. A block
/// with one mark, or with three, is an error: pgcred does not guess where it ends.
pub(crate) fn split_at_block(text: &str) -> Result<(Option<&str>, String)> {
    // A mark counts at the begin of a line only: a name inside the block may read the same.
    let begins = lines_that_begin_with(text, BLOCK_BEGIN);
    let ends = lines_that_begin_with(text, BLOCK_END);
    if begins == 0 && ends == 0 {
        return Ok((None, text.to_owned()));
    }
    if begins == 1
        && ends == 1
        && let Some((before, rest)) = split_at_line(text, &begin_line())
        && let Some((inside, after)) = split_at_line(rest, &end_line())
    {
        return Ok((Some(inside), format!("{before}{after}")));
    }
    Err(
        Error::usage("pgcred's block is damaged: a mark is missing or there twice")
            .hint(marks::repair_hint(begins > 0, ends > 0)),
    )
}

/// Returns the text with a block of these lines first; without lines, the text without a block.
pub(crate) fn with_block(text: &str, lines: &str) -> Result<String> {
    let (_, users_part) = split_at_block(text)?;
    if lines.is_empty() {
        return Ok(users_part);
    }
    let (begin, end) = (begin_line(), end_line());
    Ok(format!("{begin}{lines}{end}{users_part}"))
}

/// Returns the text with other lines in its block, which stays where it is. A text without a block
/// stays as it is.
pub(crate) fn with_changed(
    text: &str,
    change: impl FnOnce(&str) -> Result<String>,
) -> Result<String> {
    if let (Some(inside), _) = split_at_block(text)?
        && let begin = begin_line()
        && let Some((before, _)) = split_at_line(text, &begin)
    {
        let start = before.len() + begin.len();
        let (above, below) = (&text[..start], &text[start + inside.len()..]);
        return Ok(format!("{above}{}{below}", change(inside)?));
    }
    Ok(text.to_owned())
}

fn begin_line() -> String {
    format!("{BLOCK_BEGIN}{EXPLANATION}\n")
}

fn end_line() -> String {
    format!("{BLOCK_END}\n")
}

fn lines_that_begin_with(text: &str, mark: &str) -> usize {
    let mut count = 0;
    for line in text.split_inclusive('\n') {
        count += usize::from(line.starts_with(mark));
    }
    count
}

/// Returns what stands before a line and after it.
fn split_at_line<'a>(text: &'a str, line: &str) -> Option<(&'a str, &'a str)> {
    let mut offset = 0;
    for candidate in text.split_inclusive('\n') {
        if candidate == line {
            return Some((&text[..offset], &text[offset + line.len()..]));
        }
        offset += candidate.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_and_nothing_else_moves() {
        for text in ["", "[a]\nhost=x", "\r\n[a]\r\n", "# c\n\n\n"] {
            let once = with_block(text, "[p]\nhost=h\n").unwrap();
            let twice = with_block(&once, "[q]\n").unwrap();
            assert_eq!(
                split_at_block(&twice).unwrap(),
                (Some("[q]\n"), text.to_owned())
            );
            assert_eq!(with_block(&twice, "").unwrap(), text);
        }
        let named_so = format!("user=# pgcred end\ndbname={}", begin_line());
        let text = with_block("[a]\n", &named_so).unwrap();
        assert_eq!(
            split_at_block(&text).unwrap(),
            (Some(&*named_so), "[a]\n".to_owned())
        );
        let above = format!("# mine\n{text}");
        let changed = with_changed(&above, |lines| Ok(lines.to_uppercase())).unwrap();
        assert_eq!(changed, above.replace(&named_so, &named_so.to_uppercase()));
        assert_eq!(with_changed("[a]", |_| unreachable!()).unwrap(), "[a]");
        assert!(with_changed(&begin_line(), |_| unreachable!()).is_err());
        assert!(with_block("# pgcred begin\n", "").is_err());
        assert!(with_block(&(begin_line() + &end_line()).repeat(2), "").is_err());
    }
}
