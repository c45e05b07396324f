//! The users of connections whose user comes with each token: a tool that follows such users is set
//! up with the user of the last token.
//!
//! A program that prints tokens may create a user of the database with every run, so that it is run
//! only for a connection that was named. For the others the cache is asked.

use crate::command::app::App;
use crate::command::options::TokenOptions;
use crate::command::refresh;
use crate::error::Result;
use crate::issue::IssuedToken;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::setup::{TokenUser, Tool};
use crate::token::TokenAge;

/// What is known of these users.
#[derive(Default)]
pub(super) struct TokenUsers {
    pub(super) known: Vec<TokenUser>,
    /// The tokens of the connections that were named.
    issued: Vec<(Request, IssuedToken)>,
}

impl TokenUsers {
    /// Returns the users that the cache knows. Nobody is asked for a token.
    pub(super) fn from_cache(app: &mut App) -> Self {
        let mut users = Self::default();
        for (connection, request) in app.preferences.named_connections() {
            if !request.user.is_empty() {
                continue;
            }
            if let Some(issued) = app.issuer.cached_token(&request, TokenAge::Stale)
                && let Some(user) = issued.token.user
            {
                users.known.push(TokenUser { connection, user });
            }
        }
        users
    }

    /// Returns the users that a tool needs. For the connections that were named a token is issued,
    /// unless the cache has a fresh one.
    pub(super) fn issued(
        tool: &Tool,
        names: &[String],
        options: &ConnectionOptions,
        app: &mut App,
    ) -> Result<Self> {
        if !tool.follows_users {
            return Ok(Self::default());
        }
        let mut users = Self::from_cache(app);
        for name in names {
            users.ask_for(name, options, app)?;
        }
        app.release_locks(); // a question to the user follows
        Ok(users)
    }

    /// Issues a token for a target that was named, if its user comes with the token and it is a
    /// connection.
    pub(super) fn ask_for(
        &mut self,
        name: &str,
        options: &ConnectionOptions,
        app: &mut App,
    ) -> Result<()> {
        let resolver = app.preferences.silent_resolver();
        let request = resolver.resolve_to_store(options, Some(name))?;
        let Some(connection) = request.connection.clone() else {
            return Ok(());
        };
        if !request.user.is_empty() {
            return Ok(());
        }
        let (request, issued) = app
            .issue(request, &TokenOptions::default())
            .map_err(|error| error.about(&connection))?;
        self.known.retain(|known| known.connection != connection);
        let user = request.user.clone();
        self.known.push(TokenUser { connection, user });
        self.issued.push((request, issued));
        Ok(())
    }

    /// Tells whether the user of a connection is known.
    pub(super) fn has(&self, connection: &str) -> bool {
        self.known
            .iter()
            .any(|known| known.connection == connection)
    }

    /// Tells whether no scheduler renews any of so many targets, because their programs run only
    /// for a connection that is named.
    pub(super) fn renewed_by_hand(&self, targets: usize) -> bool {
        let mut run_by_name = 0;
        for (request, _) in &self.issued {
            run_by_name += usize::from(request.provider.authority.is_run_for_users_alone());
        }
        run_by_name > 0 && run_by_name == targets
    }

    /// Writes the tokens that were issued into the passfile, where the tool looks for the password
    /// of the user that it has now.
    pub(super) fn write_tokens(&self, app: &mut App) -> Result<()> {
        if self.issued.is_empty() {
            return Ok(());
        }
        refresh::write_issued(&self.issued, app)?;
        for (request, _) in &self.issued {
            if request.provider.authority.is_run_for_users_alone() {
                let name = request.connection.as_deref().unwrap_or_default();
                app.preferences.output.note(&format!(
                    "nothing renews this token: `pgcred refresh {name}` asks for a new user, and \
                     puts it into the service file too"
                ));
            }
        }
        Ok(())
    }
}
