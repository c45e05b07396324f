//! Prints a token, alone or in a form that a program reads, for `pgcred token`.

use super::app::App;
use super::needs::{CommandNeeds, ForeignHomePolicy};
use super::options::TokenOptions;
use super::run::RunCommand;
use crate::error::Result;
use crate::output::Output;
use crate::output::format::{TokenFormat, render};
use crate::output::variables::{conflicting_variables, unset_lines};
use crate::resolve::ConnectionOptions;
use crate::roots;
use crate::sys::terminal::InheritedStdin;

#[derive(clap::Args)]
pub(crate) struct TokenCommand {
    /// Connection, host, DSQL cluster ID, postgres:// URI or libpq conninfo string [default:
    /// PGHOST]
    target: Option<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[command(flatten)]
    token: TokenOptions,
    /// Form of the answer
    #[arg(long, value_enum, default_value = "raw")]
    format: TokenFormat,
    /// Leave out the newline at the end
    #[arg(long, short)]
    no_newline: bool,
}

impl RunCommand for TokenCommand {
    type Outcome = ();
    const NEEDS: CommandNeeds = CommandNeeds {
        foreign_home: ForeignHomePolicy::GoOn,
        ..CommandNeeds::USUAL
    };

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        let request = app
            .preferences
            .resolver()
            .resolve(&self.connection, self.target.as_deref())?;
        if self.format.names_roots() {
            request.check_address()?; // this form says where to connect
        }
        let (request, issued) = app.issue(request, &self.token)?;
        let roots = if self.format.names_roots() {
            roots::sslrootcert(&request, &app.preferences.ask_policy)?
        } else {
            None
        };
        let text = render(self.format, &request, &issued, roots.as_deref())?;
        let text = unset_lines(self.format, &conflicting_variables(&request)) + &text;
        Output::answer(if self.no_newline {
            text.trim_end_matches('\n')
        } else {
            &text
        })
    }
}
