//! Logs in now, for `pgcred login`: to the authority that issues the tokens of a provider.
//!
//! The option `--provider` chooses the authority, by default that of the first provider; PROFILE
//! chooses the profile. How a login is done, and whether a browser opens, is decided by the
//! authority and by `--login`. If credentials are there already, nobody is bothered, and a note
//! says so. After the login of a program, whose success no file may show, every pause after a
//! failure ends. No token is issued here.

use super::app::App;
use super::run::RunCommand;
use crate::error::Result;
use crate::provider;
use crate::sys::terminal::InheritedStdin;

#[derive(clap::Args)]
pub(crate) struct LoginCommand {
    #[arg(value_name = "PROFILE", help = profile_help())]
    name: Option<String>,
    /// The same as PROFILE
    #[arg(long, value_name = "PROFILE", conflicts_with = "name")]
    profile: Option<String>,
    /// A provider of the authority to log in to.
    #[arg(long, value_name = "PROVIDER", help = help())]
    provider: Option<String>,
}

fn profile_help() -> String {
    provider::option_help(|help| help.login_profile)
}

fn help() -> String {
    let names = provider::names(" or ");
    format!(
        "Kind of service whose tokens need the login: {names} [default: the first of them; or a \
         command of the configuration]"
    )
}

impl RunCommand for LoginCommand {
    type Outcome = ();

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        let preferences = &app.preferences;
        let profile = self.profile.or(self.name);
        let authority = provider::authority_of(self.provider.as_deref())?;
        let identity = authority.identities().identity(profile.as_deref(), None);
        let has_logged_in =
            identity.log_in(&preferences.ask_policy, &preferences.ask_policy.notes())?;
        preferences.output.note(if has_logged_in {
            "logged in"
        } else {
            "already logged in"
        });
        if authority.command().is_some() {
            end_pauses(app);
        }
        Ok(())
    }
}

/// Ends every pause after a failure: the login of a program may leave no trace that pgcred could
/// see. Which failures it has mended is not known, and asking once more costs little.
fn end_pauses(app: &App) {
    let Some(cache) = app.issuer.cache() else {
        return;
    };
    if cache.index().failures.is_empty() {
        return;
    }
    if let Err(error) = cache.update(|index| index.failures.clear()) {
        app.preferences.output.warn(&format!(
            "pgcred may wait up to 5 minutes before it asks again: {error}"
        ));
    }
    app.forget_due_file();
}
