//! A list that comes in pages, each of which names the next one. Pure.

use std::collections::HashSet;

/// The most pages of one list that are read: 100,000 entries.
const MOST_PAGES: usize = 1_000;

/// The pages that were read, and the mark of the next one.
#[derive(Default)]
pub(super) struct Pages {
    seen: HashSet<String>,
    mark: Option<String>,
}

impl Pages {
    /// Returns the mark that the next page is asked with; none for the first page.
    pub(super) fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }

    /// Takes the mark that a page ends with. Returns false after the last page, and `None` if the
    /// pages would never end.
    pub(super) fn go_on(&mut self, next: Option<String>) -> Option<bool> {
        let Some(next) = next else {
            return Some(false);
        };
        if self.seen.len() == MOST_PAGES || !self.seen.insert(next.clone()) {
            return None;
        }
        self.mark = Some(next);
        Some(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end() {
        let mut pages = Pages::default();
        assert_eq!(pages.mark(), None);
        assert_eq!(pages.go_on(Some("b".to_owned())), Some(true));
        assert_eq!(pages.mark(), Some("b"));
        assert_eq!(pages.go_on(None), Some(false));
        assert_eq!(pages.go_on(Some("b".to_owned())), None);
        let mut pages = Pages::default();
        let mut read = 0;
        while pages.go_on(Some(read.to_string())) == Some(true) {
            read += 1;
        }
        assert_eq!(read, MOST_PAGES);
    }
}
