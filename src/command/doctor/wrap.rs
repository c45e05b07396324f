//! Breaks sentences into lines that fit a terminal. Commands are never broken: they are copied.

/// How wide the lines are, with their indent.
const WIDTH: usize = 80;

/// Breaks a text into lines, each with the indent. A word that is longer has a line of its own.
pub(super) fn wrap_text(text: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::from(indent);
    for word in text.split(' ') {
        let is_empty = line.len() == indent.len();
        if !is_empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(std::mem::replace(&mut line, String::from(indent)));
        }
        if line.len() > indent.len() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::causes;

    #[test]
    fn lines_fit_a_terminal() {
        for cause in causes::all_causes() {
            for line in wrap_text(&cause.meaning(None), "  ") {
                assert!(line.chars().count() <= WIDTH, "{line}");
                assert!(line.trim_start().len() + 2 == line.len(), "{line}");
            }
            let whole = wrap_text(&cause.meaning(None), "  ");
            let words: Vec<&str> = whole
                .iter()
                .flat_map(|line| line.split_whitespace())
                .collect();
            assert_eq!(words.join(" "), cause.meaning(None));
        }
        let long = "x".repeat(200);
        assert_eq!(wrap_text(&format!("a {long} b"), "  ").len(), 3);
    }
}
