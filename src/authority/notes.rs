//! Collects what a run reports besides its answer: warnings, which are kept until the caller takes
//! them, and the steps of `--debug`, which are shown at once, so that a run that hangs says where.

use std::cell::{Cell, RefCell};

/// What a run has to say besides its answer.
#[derive(Default)]
pub(crate) struct RunNotes {
    /// Shows a step. `None` without `--debug`: then the text of a step is never built.
    trace: Option<fn(&str)>,
    warnings: RefCell<Vec<String>>,
    has_changed_files: Cell<bool>,
}

impl RunNotes {
    pub(crate) fn new(trace: Option<fn(&str)>) -> Self {
        Self {
            trace,
            ..Self::default()
        }
    }

    /// Shows what was decided or tried. The text is made only if it is shown.
    pub(crate) fn step(&self, text: impl FnOnce() -> String) {
        if let Some(trace) = self.trace {
            trace(&text());
        }
    }

    /// Tells whether steps are shown, for callers whose step needs preparation.
    pub(crate) fn shows_steps(&self) -> bool {
        self.trace.is_some()
    }

    /// Keeps a warning about something that did not cost the answer.
    pub(crate) fn warn(&self, text: String) {
        self.warnings.borrow_mut().push(text);
    }

    pub(crate) fn take_warnings(&self) -> Vec<String> {
        self.warnings.take()
    }

    /// Remembers that files that the identity rests on may have been changed for the answer: by
    /// pgcred, by a login that it has waited for, or by a program that it has run.
    pub(crate) fn set_changed_files(&self) {
        self.has_changed_files.set(true);
    }

    /// Tells, once, whether [`RunNotes::set_changed_files`] was called.
    pub(crate) fn take_changed_files(&self) -> bool {
        self.has_changed_files.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_that_nobody_wants_to_see_is_not_even_made() {
        RunNotes::default().step(|| panic!("the text was made"));
        thread_local!(static SHOWN: RefCell<Vec<String>> = RefCell::default());
        let notes = RunNotes::new(Some(|text| {
            SHOWN.with_borrow_mut(|shown| shown.push(text.to_owned()));
        }));
        notes.step(|| "one".to_owned());
        assert_eq!(SHOWN.take(), ["one"]);
    }
}
