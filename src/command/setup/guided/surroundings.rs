//! Defines what the guided set-up finds and does outside of the conversation, as a trait: the unit
//! tests have another one.

use crate::authority::LoginState;
use crate::config::Connection;
use crate::error::Result;
use crate::setup::Tool;
use crate::shell::Shell;

/// A database that was found.
#[derive(Clone, Debug, Default)]
pub(super) struct DatabaseOffer {
    /// As it would stand in the configuration. It may lack the user.
    pub(super) connection: Connection,
    /// What it is, where, and in which state.
    pub(super) detail: String,
    /// Why it cannot be added.
    pub(super) not_added: Option<String>,
}

/// What looking for databases has found.
#[derive(Clone, Debug, Default)]
pub(super) struct DatabaseOffers {
    pub(super) new: Vec<DatabaseOffer>,
    /// The connections that were found and are in the configuration.
    pub(super) configured: Vec<String>,
    /// What could not be asked, each in one line.
    pub(super) remarks: Vec<String>,
    /// Whether there may be more, because not everything was answered.
    pub(super) is_partial: bool,
}

/// A connection whose user comes with each token, and is not known.
#[derive(Clone)]
pub(super) struct UnknownUser {
    pub(super) connection: String,
    /// Whether each token creates a user of the database.
    pub(super) is_created: bool,
}

/// A tool, and whether it was found here.
#[derive(Clone, Copy)]
pub(super) struct FoundTool {
    pub(super) tool: &'static Tool,
    pub(super) is_installed: bool,
}

/// The scheduler that could run pgcred here.
#[derive(Clone, Copy)]
pub(super) enum SchedulerState {
    AtWork(&'static Tool),
    CanBeSetUp(&'static Tool),
    None,
}

/// What the user has chosen so far.
#[derive(Clone, Default)]
pub(super) struct SetupWishes {
    pub(super) connections: Vec<Connection>,
    pub(super) tools: Vec<&'static Tool>,
    /// The connections for which a token is asked, because the tools need its user.
    pub(super) connections_to_ask_users_for: Vec<String>,
    pub(super) scheduler: Option<&'static Tool>,
    pub(super) shell: Option<&'static Shell>,
}

pub(super) trait GuidedSurroundings {
    /// Returns the names of the profiles, in the order of the files.
    fn profiles(&self) -> Result<Vec<String>>;

    /// Returns the profile that counts without being named.
    fn current_profile(&self) -> Option<String>;

    /// Returns the variable whose key signs, if one is set.
    fn key_variable(&self) -> Option<&'static str>;

    /// Returns the command that makes a profile, for users who have none.
    fn profile_command(&self) -> String;

    /// Returns the state of the login of a profile. Asks nobody.
    fn login(&self, profile: Option<&str>) -> LoginState;

    /// Logs the user in.
    fn log_in(&self, profile: Option<&str>) -> Result<()>;

    /// Looks for databases with the credentials of a profile.
    fn discover(&self, profile: Option<&str>) -> Result<DatabaseOffers>;

    /// Returns whether a host that the user has typed needs a user besides. An error says why it
    /// cannot be a connection.
    fn needs_user(&self, host: &str, profile: Option<&str>) -> Result<bool>;

    /// Returns the connection for a host that the user has typed.
    fn connection_for_typed_host(
        &self,
        host: &str,
        user: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Connection>;

    /// Returns the connections of the configuration whose user comes with each token, but for those
    /// whose user was known at the start.
    fn unknown_users(&self) -> &[UnknownUser];

    /// Returns how many connections the configuration has.
    fn configured_count(&self) -> usize;

    /// Checks a name for a connection.
    fn check_name(&self, name: &str, host: Option<&str>, wishes: &SetupWishes) -> Result<()>;

    /// Returns the tools of this system, those that were found first.
    fn tools(&self) -> Vec<FoundTool>;

    fn scheduler(&self) -> SchedulerState;

    /// Returns the shell that the user has.
    fn shell(&self) -> Option<&'static Shell>;

    /// Shows everything that would change. Tells whether that is anything.
    fn show_changes(&self, wishes: &SetupWishes) -> Result<bool>;

    /// Tells the user something, in one line.
    fn say(&self, text: &str);
}
