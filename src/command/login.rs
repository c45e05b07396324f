//! `pgcred login`: logs in to AWS now, with the AWS CLI or, for SSO, without it.

use super::app::App;
use super::run::Run;
use crate::authority::Authority;
use crate::aws;
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
    type Outcome = ();

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        let preferences = &app.preferences;
        let profile = self.profile.or(self.name);
        let identity = aws::AUTHORITY.identities().of_profile(profile.as_deref());
        let done = identity.log_in(&preferences.ask, &preferences.ask.notes())?;
        preferences.output.note(if done {
            "logged in"
        } else {
            "already logged in"
        });
        Ok(())
    }
}
