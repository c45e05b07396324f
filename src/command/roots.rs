//! Prints the file of root certificates that verifies a database's server, and downloads the
//! certificates that pgcred keeps again, for `pgcred roots`.

use super::app::App;
use super::run::RunCommand;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::roots::{self, RootsRenewal};
use crate::sys::terminal::InheritedStdin;

#[derive(clap::Args)]
pub(crate) struct RootsCommand {
    /// Connection, host, DSQL cluster ID, postgres:// URI or libpq conninfo string [default:
    /// PGHOST]
    target: Option<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    /// Download the certificates again first, if the service publishes some of its own
    #[arg(long)]
    update: bool,
}

impl RunCommand for RootsCommand {
    type Outcome = ();

    fn run(mut self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        self.connection.address.needs_no_user = true;
        let preferences = &app.preferences;
        let request = preferences
            .resolver()
            .resolve(&self.connection, self.target.as_deref())?;
        if self.update {
            renew_roots(&request, app)?;
        }
        let Some(file) = roots::sslrootcert(&request, &preferences.ask_policy)? else {
            let sslmode = request.sslmode();
            return Err(
                Error::usage(format!("sslmode {sslmode} verifies no server"))
                    .hint("use verify-full, which is pgcred's default"),
            );
        };
        Output::answer(&format!("{file}\n"))
    }
}

fn renew_roots(request: &Request, app: &App) -> Result<()> {
    let output = app.preferences.output;
    match roots::renew_file(request, &app.preferences.ask_policy)? {
        RootsRenewal::Downloaded(file) => output.note(&format!("{}: downloaded", file.display())),
        RootsRenewal::BySystem => output.note(&format!(
            "{}: the certificates are public, and your system keeps them up to date",
            request.host
        )),
        RootsRenewal::ByPgcred => output.note(&format!(
            "{}: the certificates come with pgcred, and a newer pgcred has newer ones",
            request.host
        )),
    }
    Ok(())
}
