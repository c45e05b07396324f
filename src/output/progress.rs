//! Draws a line on stderr that shows how far a command is, while it asks others. It is drawn only
//! on a terminal, and nothing of it is left at the end.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Output;
use crate::sys::terminal;

/// Several threads may report to one line.
pub(crate) struct ProgressLine {
    bar: ProgressBar,
}

impl ProgressLine {
    /// Begins a line with a text such as `asking AWS`. Nothing is drawn without a terminal, for a
    /// quiet run, and where the steps of `--debug` are shown instead.
    pub(crate) fn start(text: &str, output: Output) -> Self {
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        if !output.quiet && !output.debug && terminal::can_redraw() {
            bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        // Plain characters: not every terminal has those of a smooth bar.
        if let Ok(style) = ProgressStyle::with_template("{msg} [{bar:20}] {pos}/{len}") {
            bar.set_style(style.progress_chars("=> "));
        }
        bar.set_message(text.to_owned());
        Self { bar }
    }

    /// One more step will follow.
    pub(crate) fn expect_more(&self) {
        self.bar.inc_length(1);
    }

    /// One step is done.
    pub(crate) fn step(&self) {
        self.bar.inc(1);
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
