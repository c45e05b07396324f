//! Reads a list that comes in pages, each of which names the next one: to its end, or to what went
//! wrong on the way.

use std::collections::HashSet;

use crate::authority::{Inspected, NoAnswer, WhyNot};
use crate::aws::service::endpoints::AwsService;
use crate::aws::service::refusal::not_understood;

/// The most pages of one list that are read. They may be empty.
const MOST_PAGES: usize = 1_000;
/// The most things of one list that are kept. AWS's quotas for a region are 40 instances and 20
/// clusters of Aurora DSQL, until the account asks for more.
const MOST_THINGS: usize = 10_000;

/// The things of a list, as far as it was read.
pub(super) struct PartialList<T> {
    pub(super) found: Vec<T>,
    /// Why there may be more than was found.
    pub(super) failure: Option<NoAnswer>,
}

impl<T> PartialList<T> {
    /// Returns the things of a list that was read to its end.
    pub(super) fn whole(self) -> Inspected<Vec<T>> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.found),
        }
    }
}

/// Reads every page. `ask` is given the mark of a page, and returns what is on it and the mark of
/// the next one.
pub(super) async fn read_all<T>(
    service: AwsService,
    operation: &str,
    ask: impl AsyncFn(Option<&str>) -> Inspected<(Vec<T>, Option<String>)>,
) -> PartialList<T> {
    let (mut pages, mut things) = (PageCursor::default(), Vec::new());
    let refused = |what: &str| {
        let error = not_understood(&format!("{operation} {what}"), service.name, None);
        Some(NoAnswer::new(WhyNot::NotUnderstood, error))
    };
    let failure = loop {
        match ask(pages.mark()).await {
            Ok((page, next)) => {
                things.extend(page);
                if things.len() > MOST_THINGS {
                    things.truncate(MOST_THINGS);
                    break refused(&format!("has more than {MOST_THINGS} entries"));
                }
                match pages.go_on(next) {
                    Some(true) => {}
                    Some(false) => break None,
                    None => {
                        things.clear(); // the same things again and again: no list of AWS's
                        break refused("does not end");
                    }
                }
            }
            Err(failure) => break Some(failure),
        }
    };
    PartialList {
        found: things,
        failure,
    }
}

/// The pages that were read, and the mark of the next one.
#[derive(Default)]
struct PageCursor {
    seen: HashSet<String>,
    mark: Option<String>,
}

impl PageCursor {
    /// Returns the mark that the next page is asked with; none for the first page.
    fn mark(&self) -> Option<&str> {
        self.mark.as_deref()
    }

    /// Takes the mark that a page ends with. Returns false after the last page, and `None` if the
    /// pages would never end.
    fn go_on(&mut self, next: Option<String>) -> Option<bool> {
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
        let mut pages = PageCursor::default();
        assert_eq!(pages.mark(), None);
        assert_eq!(pages.go_on(Some("b".to_owned())), Some(true));
        assert_eq!(pages.mark(), Some("b"));
        assert_eq!(pages.go_on(None), Some(false));
        assert_eq!(pages.go_on(Some("b".to_owned())), None);
        let mut pages = PageCursor::default();
        let mut read = 0;
        while pages.go_on(Some(read.to_string())) == Some(true) {
            read += 1;
        }
        assert_eq!(read, MOST_PAGES);
    }
}
