//! `pgcred login`: log in to AWS now, with the AWS CLI or, for SSO, without it.

use std::time::Instant;

use super::app::App;
use super::run::Run;
use crate::aws::{Aws, Planned, SharedFiles};
use crate::error::Result;
use crate::sys::terminal::Stdin;

#[derive(clap::Args)]
pub(crate) struct Login {
    /// AWS profile [default: `AWS_PROFILE`, else default]
    #[arg(value_name = "PROFILE")]
    name: Option<String>,
    /// The same as PROFILE
    #[arg(long, value_name = "PROFILE", conflicts_with = "name")]
    profile: Option<String>,
}

impl Run for Login {
    type End = ();

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let preferences = &app.preferences;
        let profile = self.profile.or(self.name);
        let planned = Planned::read(profile.as_deref(), &SharedFiles::default());
        let done = Aws {
            planned: &planned,
            ask: &preferences.ask,
            deadline: Instant::now() + preferences.ask.timeout,
        }
        .log_in()?;
        preferences.output.note(if done {
            "logged in"
        } else {
            "no login is needed: there are credentials"
        });
        Ok(())
    }
}
