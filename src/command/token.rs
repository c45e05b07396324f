//! `pgcred token`: print a token.

use super::Context;
use super::place::Place;
use crate::error::Result;
use crate::output::Output;
use crate::output::format::{Format, render};

/// Print a token for a database
#[derive(clap::Args)]
pub(super) struct Token {
    /// Host, DSQL cluster ID, postgres:// URI or libpq conninfo string [default: PGHOST]
    target: Option<String>,
    #[command(flatten)]
    place: Place,
    /// Form of the answer
    #[arg(long, value_enum, default_value = "raw")]
    format: Format,
    /// Leave out the newline at the end
    #[arg(long, short)]
    no_newline: bool,
}

impl Token {
    pub(super) fn run(self, context: &mut Context) -> Result<()> {
        let request = self.place.request(self.target.as_deref(), &context.issuer, context.output)?;
        let issued = context.issuer.issue(&request)?;
        super::warn_if_cut_short(&request, &issued, context.output);
        let text = render(self.format, &request, &issued)?;
        Output::answer(if self.no_newline { text.trim_end_matches('\n') } else { &text })
    }
}
