//! Reads a list that comes in pages, each of which names the next one: to its end, or to what went
//! wrong on the way.

use std::collections::HashSet;

use crate::authority::{InspectionResult, NoAnswer, NoAnswerReason};
use crate::aws::service::endpoints::AwsService;
use crate::aws::service::refusal::not_understood;

/// The most pages of one list that are read. They may be empty.
const MAX_PAGES: usize = 1_000;
/// The most items of one list that are kept. AWS's quotas for a region are 40 instances and 20
/// clusters of Aurora DSQL, until the account asks for more.
const MAX_ITEMS: usize = 10_000;

/// The items of a list, as far as it was read.
pub(super) struct PartialList<T> {
    pub(super) items: Vec<T>,
    /// Why there may be more than was found.
    pub(super) failure: Option<NoAnswer>,
}

impl<T> PartialList<T> {
    /// Returns the items of a list that was read to its end.
    pub(super) fn require_complete(self) -> InspectionResult<Vec<T>> {
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(self.items),
        }
    }
}

/// Reads every page. `fetch_page` is given the token of a page, and returns what is on it and the
/// token of the next one.
pub(super) async fn read_all<T>(
    service: AwsService,
    operation: &str,
    fetch_page: impl AsyncFn(Option<&str>) -> InspectionResult<(Vec<T>, Option<String>)>,
) -> PartialList<T> {
    let (mut pages, mut items) = (PageCursor::default(), Vec::new());
    let unusable_list = |problem: &str| {
        let error = not_understood(&format!("{operation} {problem}"), service.name, None);
        Some(NoAnswer::new(NoAnswerReason::NotUnderstood, error))
    };
    let failure = loop {
        match fetch_page(pages.page_token()).await {
            Ok((page, next)) => {
                items.extend(page);
                if items.len() > MAX_ITEMS {
                    items.truncate(MAX_ITEMS);
                    break unusable_list(&format!("has more than {MAX_ITEMS} entries"));
                }
                match pages.advance(next) {
                    PageStep::Next => {}
                    PageStep::End => break None,
                    PageStep::Endless => {
                        items.clear(); // the same items again and again: no list of AWS's
                        break unusable_list("does not end");
                    }
                }
            }
            Err(failure) => break Some(failure),
        }
    };
    PartialList { items, failure }
}

/// What comes after a page.
#[derive(Debug, PartialEq, Eq)]
enum PageStep {
    /// Another page.
    Next,
    /// Nothing: it was the last page.
    End,
    /// Pages that would never end.
    Endless,
}

/// The pages that were read, and the token of the next one.
#[derive(Default)]
struct PageCursor {
    seen: HashSet<String>,
    page_token: Option<String>,
}

impl PageCursor {
    /// Returns the token that the next page is asked with; none for the first page.
    fn page_token(&self) -> Option<&str> {
        self.page_token.as_deref()
    }

    /// Takes the token that a page ends with, and tells what comes after the page.
    fn advance(&mut self, next: Option<String>) -> PageStep {
        let Some(next) = next else {
            return PageStep::End;
        };
        if self.seen.len() == MAX_PAGES || !self.seen.insert(next.clone()) {
            return PageStep::Endless;
        }
        self.page_token = Some(next);
        PageStep::Next
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end() {
        let mut pages = PageCursor::default();
        assert_eq!(pages.page_token(), None);
        assert_eq!(pages.advance(Some("b".to_owned())), PageStep::Next);
        assert_eq!(pages.page_token(), Some("b"));
        assert_eq!(pages.advance(None), PageStep::End);
        assert_eq!(pages.advance(Some("b".to_owned())), PageStep::Endless);
        let mut pages = PageCursor::default();
        let mut read = 0;
        while pages.advance(Some(read.to_string())) == PageStep::Next {
            read += 1;
        }
        assert_eq!(read, MAX_PAGES);
    }
}
