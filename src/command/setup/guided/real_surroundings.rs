//! Gives the conversation the surroundings as they are: this machine, its tools, the configuration
//! and the authority.
//!
//! Each answer is found when it is asked for, and nothing is kept but what the user has seen last
//! and the users that came with tokens. No file of the user's is changed here: `apply` makes the
//! changes.

use std::cell::RefCell;

use super::changes::{self, SetupChanges};
use super::surroundings::{
    DatabaseOffer, DatabaseOffers, FoundTool, GuidedSurroundings, SchedulerState, SetupWishes,
    UnknownUser,
};
use crate::authority::{Authority, LoginState};
use crate::command::app::App;
use crate::command::discover::{self, DiscoveredHost, ScopeOptions};
use crate::command::setup::targets::short_name;
use crate::command::setup::users::TokenUsers;
use crate::command::setup::{add_connection, scheduler};
use crate::config::{self, Connection};
use crate::error::{Error, Result};
use crate::integrations::TOOLS;
use crate::provider;
use crate::request::Request;
use crate::request::target::TargetSpec;
use crate::resolve::{AddressOptions, ConnectionOptions};
use crate::setup::Machine;
use crate::shell::Shell;
use crate::sys::env;

pub(super) struct RealSurroundings<'a> {
    pub(super) app: &'a App,
    pub(super) machine: &'a Machine,
    pub(super) authority: &'static dyn Authority,
    /// What the user has seen last.
    pub(super) shown: RefCell<Option<SetupChanges>>,
    /// The users that came with tokens.
    pub(super) users: RefCell<TokenUsers>,
    /// The connections that had none at the start.
    pub(super) unknown_users: Vec<UnknownUser>,
}

impl GuidedSurroundings for RealSurroundings<'_> {
    fn profiles(&self) -> Result<Vec<String>> {
        self.authority.profile_names()
    }

    fn current_profile(&self) -> Option<String> {
        self.authority.shell_settings().profile
    }

    fn key_variable(&self) -> Option<&'static str> {
        self.authority.shell_settings().key
    }

    fn profile_command(&self) -> String {
        self.authority.option_help().first_profile.to_owned()
    }

    fn login(&self, profile: Option<&str>) -> LoginState {
        let identity = self.authority.identities().identity(profile, None);
        match identity.signer_summary() {
            Some(summary) => summary.login,
            None => LoginState::NotNeeded,
        }
    }

    fn log_in(&self, profile: Option<&str>) -> Result<()> {
        let ask_policy = &self.app.preferences.ask_policy;
        let identity = self.authority.identities().identity(profile, None);
        identity.log_in(ask_policy, &ask_policy.notes()).map(drop)
    }

    fn discover(&self, profile: Option<&str>) -> Result<DatabaseOffers> {
        if let LoginState::Missing { reason, .. } = self.login(profile) {
            let error = Error::failure(format!("databases are not looked for: {reason}"));
            return Err(error.hint("go back to log in, or type a host"));
        }
        let scope = ScopeOptions {
            profile: profile.map(str::to_owned).into_iter().collect(),
            ..ScopeOptions::default()
        };
        let hosts = discover::search_databases(&scope, &[self.authority], None, self.app)?;
        hosts.report_failures(self.app.preferences.output)?;
        let mut discovery = DatabaseOffers {
            is_partial: hosts.is_partial(),
            ..DatabaseOffers::default()
        };
        for row in &hosts.rows {
            if row.is_configured {
                discovery.configured.push(row.name.clone());
            } else {
                discovery.new.push(offer_of_row(row));
            }
        }
        Ok(discovery)
    }

    fn needs_user(&self, host: &str, profile: Option<&str>) -> Result<bool> {
        let target = TargetSpec::parse(host)?;
        let provider = target.host.as_deref().and_then(provider::find_by_host);
        if let Some(provider) = provider {
            // What its program needs besides cannot be typed here.
            config::check_vars(provider.name, &[], &self.app.preferences.config.commands)
                .map_err(|error| error.noting("`pgcred add NAME HOST --var KEY=VALUE` has it"))?;
            if target.user.is_none() && provider.user.is_none() && !provider.names_user {
                return Ok(true);
            }
        }
        self.request(host, None, profile).map(|_| false)
    }

    fn connection_for_typed_host(
        &self,
        host: &str,
        user: Option<&str>,
        profile: Option<&str>,
    ) -> Result<Connection> {
        let request = self.request(host, user, profile)?;
        let name = short_name(&request.host);
        Ok(add_connection::connection_of_request(&request, &name))
    }

    fn unknown_users(&self) -> &[UnknownUser] {
        &self.unknown_users
    }

    fn configured_count(&self) -> usize {
        self.app.preferences.config.connections.len()
    }

    fn check_name(&self, name: &str, host: Option<&str>, wishes: &SetupWishes) -> Result<()> {
        config::check_connection_name(name, host)?;
        let is_wished = wishes
            .connections
            .iter()
            .any(|connection| connection.name == name);
        if is_wished || self.app.preferences.config.connection(name).is_some() {
            let error = Error::usage(format!("{name}: a connection of that name exists already"));
            return Err(error.hint("choose another name"));
        }
        Ok(())
    }

    fn tools(&self) -> Vec<FoundTool> {
        let (mut installed, mut others) = (Vec::new(), Vec::new());
        for tool in TOOLS {
            if tool.kind.is_background() || !tool.runs_on(self.machine) {
                continue;
            }
            let is_installed = tool.find(self.machine).is_some();
            let list = if is_installed {
                &mut installed
            } else {
                &mut others
            };
            list.push(FoundTool { tool, is_installed });
        }
        installed.extend(others);
        installed
    }

    fn scheduler(&self) -> SchedulerState {
        for tool in scheduler::possible_schedulers(self.machine) {
            if tool.is_scheduler_at_work(self.machine) {
                return SchedulerState::AtWork(tool);
            }
            if let Some(files) = tool.files()
                && scheduler::probe_scheduler(tool, files, self.machine).is_ok()
            {
                return SchedulerState::CanBeSetUp(tool);
            }
        }
        SchedulerState::None
    }

    fn shell(&self) -> Option<&'static Shell> {
        let program = env::var("SHELL")?;
        Shell::from_name(program.rsplit(['/', '\\']).next()?)
    }

    fn show_changes(&self, wishes: &SetupWishes) -> Result<bool> {
        self.ask_for_users(&wishes.connections_to_ask_users_for)?;
        let users = self.users.borrow();
        let mut changes = changes::plan_changes(wishes, &users.known, self.machine, self.app)?;
        let has_changes = changes.show()?;
        self.shown.replace(Some(changes));
        Ok(has_changes)
    }

    fn say(&self, text: &str) {
        self.app.preferences.output.note(text);
    }
}

impl<'a> RealSurroundings<'a> {
    pub(super) fn new(
        app: &'a mut App,
        machine: &'a Machine,
        authority: &'static dyn Authority,
    ) -> Self {
        let users = TokenUsers::from_cache(app);
        let mut unknown_users = Vec::new();
        for (connection, request) in app.preferences.named_connections() {
            if request.user.is_empty() && !users.has(&connection) {
                unknown_users.push(UnknownUser {
                    connection,
                    is_created: request.provider.authority.issues_on_request_only(),
                });
            }
        }
        Self {
            app,
            machine,
            authority,
            shown: RefCell::new(None),
            users: RefCell::new(users),
            unknown_users,
        }
    }

    /// Issues tokens for these connections, each once. What fails is said, and the connection stays
    /// without a user.
    fn ask_for_users(&self, names: &[String]) -> Result<()> {
        let mut users = self.users.borrow_mut();
        let mut unknown_names = names.to_vec();
        unknown_names.retain(|name| !users.has(name));
        if unknown_names.is_empty() {
            return Ok(());
        }
        let mut app = self.app.reload()?;
        for name in unknown_names {
            if let Err(error) = users.issue_token(&name, &ConnectionOptions::default(), &mut app) {
                app.preferences.output.report(&error);
            }
        }
        Ok(())
    }

    /// Returns the request for a host that the user has typed, as the configuration will keep it.
    fn request(&self, host: &str, user: Option<&str>, profile: Option<&str>) -> Result<Request> {
        let mut options = ConnectionOptions {
            profile: profile.map(str::to_owned),
            ..ConnectionOptions::default()
        };
        if let Some(user) = user {
            options.address = AddressOptions::for_user(user.to_owned());
        }
        let resolver = self.app.preferences.silent_resolver();
        let request = resolver.resolve_without_variables(&options, Some(host))?;
        request.check_address()?;
        Ok(request)
    }
}

/// Returns a row as it is offered. A user that is missing can be typed.
fn offer_of_row(row: &DiscoveredHost) -> DatabaseOffer {
    let database = &row.database;
    let mut detail = format!("{}, {}", row.kind_in_words(), database.region);
    if database.is_ready != Some(true) {
        detail = format!("{detail}, {}", database.status);
    }
    let mut offer = DatabaseOffer {
        connection: Connection {
            name: row.name.clone(),
            ..Connection::default()
        },
        detail,
        not_added: None,
    };
    match row.to_offer() {
        Ok(connection) => offer.connection = connection,
        Err(reason) => offer.not_added = Some(reason.to_owned()),
    }
    offer
}
