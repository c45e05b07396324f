//! pgcred's marked block in a text file of the user's: put in first, taken out again, every other
//! byte left alone.

use crate::error::{Error, Result};

const BEGIN: &str = "# pgcred begin - lines up to the end mark are rewritten by pgcred setup\n";
const END: &str = "# pgcred end\n";

/// Returns the lines of the block, if there is one, and the text around it.
pub(crate) fn split(text: &str) -> Result<(Option<&str>, String)> {
    // Only a whole line is a mark: a name in the block may read the same.
    let lines = || text.split_inclusive('\n');
    let begins = lines()
        .filter(|line| line.starts_with("# pgcred begin"))
        .count();
    let ends = lines()
        .filter(|line| line.starts_with("# pgcred end"))
        .count();
    let damaged = || {
        let hint = match (begins, ends) {
            (_, 0) => {
                "delete the line `# pgcred begin` and pgcred's lines below it; there is no `# pgcred end`"
            }
            (0, _) => {
                "delete the line `# pgcred end` and pgcred's lines above it; there is no `# pgcred begin`"
            }
            _ => "remove what is left of it, from `# pgcred begin` to `# pgcred end`",
        };
        Error::usage("pgcred's block is damaged: a mark is missing or there twice").hint(hint)
    };
    match (begins, ends) {
        (0, 0) => Ok((None, text.to_owned())),
        (1, 1) => {
            let (before, rest) = split_at_line(text, BEGIN).ok_or_else(damaged)?;
            let (lines, after) = split_at_line(rest, END).ok_or_else(damaged)?;
            Ok((Some(lines), format!("{before}{after}")))
        }
        _ => Err(damaged()),
    }
}

/// Returns what stands before a line and after it.
fn split_at_line<'a>(text: &'a str, line: &str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for found in text.split_inclusive('\n') {
        if found == line {
            return Some((&text[..at], &text[at + line.len()..]));
        }
        at += found.len();
    }
    None
}

/// Returns the text with a block of these lines first; of no lines, without a block.
pub(crate) fn with(text: &str, lines: &str) -> Result<String> {
    let (_, rest) = split(text)?;
    Ok(if lines.is_empty() {
        rest
    } else {
        format!("{BEGIN}{lines}{END}{rest}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_put_in_comes_out_and_nothing_else_moves() {
        for text in ["", "[a]\nhost=x", "\r\n[a]\r\n", "# c\n\n\n"] {
            let once = with(text, "[p]\nhost=h\n").unwrap();
            let twice = with(&once, "[q]\n").unwrap();
            assert_eq!(split(&twice).unwrap(), (Some("[q]\n"), text.to_owned()));
            assert_eq!(with(&twice, "").unwrap(), text);
        }
        let named_so = format!("user=# pgcred end\ndbname={BEGIN}");
        let text = with("[a]\n", &named_so).unwrap();
        assert_eq!(
            split(&text).unwrap(),
            (Some(&*named_so), "[a]\n".to_owned())
        );
        assert!(with("# pgcred begin\n", "").is_err());
        assert!(with(&format!("{BEGIN}{END}{BEGIN}{END}"), "").is_err());
    }
}
