//! How tools split a command line that they run without a shell. Their sources say it.

/// Splits as DBeaver's `RuntimeUtils.splitCommandLine` does: blanks separate words, both kinds of
/// quotes group them, and a backslash escapes, except on Windows.
pub fn dbeaver(line: &str, windows: bool) -> Vec<String> {
    let (mut words, mut word, mut quote, mut started) = (Vec::new(), String::new(), None, false);
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        match (quote, c) {
            (None, c) if c.is_whitespace() => {
                if std::mem::take(&mut started) {
                    words.push(std::mem::take(&mut word));
                }
                continue;
            }
            (None, '\'' | '"') => quote = Some(c),
            (None, '\\') if !windows => word.push(rest.next().unwrap_or('\\')),
            (Some(mark), '\\') if !windows => match rest.next() {
                Some(next) if next == mark || next == '\\' => word.push(next),
                next => {
                    word.push('\\');
                    word.extend(next);
                }
            },
            (Some(mark), c) if c == mark => quote = None,
            (_, c) => word.push(c),
        }
        started = true;
    }
    words.extend(started.then_some(word));
    words
}
