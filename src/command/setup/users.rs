//! Finds the users of connections whose user comes with each token: a tool that follows such users
//! is set up with the user of the last token.
//!
//! A program that prints tokens may create a user of the database with every run, so that it is run
//! only for a connection that was named, and after the changes were agreed to: a plan is made
//! first in which [`NOT_YET_CREATED`] stands for the user. For the others the cache is asked.

use super::plan::SetupPlan;
use crate::command::app::{App, check_user_for_passfile};
use crate::command::options::TokenOptions;
use crate::command::refresh;
use crate::error::Result;
use crate::issue::IssuedToken;
use crate::output::Output;
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::setup::{TokenUser, Tool};
use crate::token::TokenAge;

/// What stands for a user in the plan that is shown before the user is created.
const NOT_YET_CREATED: &str = "NEW-USER";

/// What is known of these users.
#[derive(Default)]
pub(super) struct TokenUsers {
    pub(super) known: Vec<TokenUser>,
    /// The tokens of the connections that were named.
    issued: Vec<(Request, IssuedToken)>,
    awaited: Vec<AwaitedUser>,
}

/// A user that a program creates when the changes were agreed to.
struct AwaitedUser {
    /// What the user has typed.
    name: String,
    connection: String,
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
    /// unless the cache has a fresh one, or the program creates a user: that one is awaited.
    pub(super) fn issue(
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
            if !users.note_if_awaited(name, options, app)? {
                users.issue_token(name, options, app)?;
            }
        }
        app.release_locks(); // a question to the user follows
        Ok(users)
    }

    /// Tells whether a program would now create the user of a target, and keeps in mind that it is
    /// to do so.
    fn note_if_awaited(
        &mut self,
        name: &str,
        options: &ConnectionOptions,
        app: &mut App,
    ) -> Result<bool> {
        let resolver = app.preferences.silent_resolver();
        let request = resolver.resolve_to_store(options, Some(name))?;
        let Some(connection) = request.connection.clone() else {
            return Ok(false);
        };
        let creates = request.provider.authority.issues_on_request_only();
        if !creates
            || !request.user.is_empty()
            || app.issuer.cached_token(&request, TokenAge::Fresh).is_some()
        {
            return Ok(false);
        }
        self.set_user(&connection, NOT_YET_CREATED);
        self.awaited.push(AwaitedUser {
            name: name.to_owned(),
            connection,
        });
        Ok(true)
    }

    /// Says which users of a plan that the user is asked about are none yet.
    pub(super) fn note_awaited(&self, plan: &SetupPlan, output: Output) {
        for AwaitedUser { connection, .. } in &self.awaited {
            if !plan.has_target(connection) {
                continue;
            }
            output.note(&format!(
                "{connection}: its user is created when you have said yes; {NOT_YET_CREATED} \
                 stands for it"
            ));
        }
    }

    /// Lets the programs create the users of a plan that was agreed to. Tells whether there is any.
    pub(super) fn create_awaited(
        &mut self,
        plan: &SetupPlan,
        options: &ConnectionOptions,
        app: &mut App,
    ) -> Result<bool> {
        let mut is_any = false;
        for awaited_user in std::mem::take(&mut self.awaited) {
            if plan.has_target(&awaited_user.connection) {
                self.issue_token(&awaited_user.name, options, app)?;
                is_any = true;
            }
        }
        Ok(is_any)
    }

    fn set_user(&mut self, connection: &str, user: &str) {
        self.known.retain(|user| user.connection != connection);
        self.known.push(TokenUser {
            connection: connection.to_owned(),
            user: user.to_owned(),
        });
    }

    /// Issues a token for a target that was named, if its user comes with the token and it is a
    /// connection.
    pub(super) fn issue_token(
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
        let (request, issued) =
            issue_checked(request, app).map_err(|error| error.about(&connection))?;
        self.set_user(&connection, &request.user);
        self.issued.push((request, issued));
        Ok(())
    }

    /// Tells whether the user of a connection is known.
    pub(super) fn has(&self, connection: &str) -> bool {
        self.known.iter().any(|user| user.connection == connection)
    }

    /// Tells whether no scheduler renews any of so many targets, because their programs run only
    /// for a connection that is named.
    pub(super) fn is_renewed_by_hand(&self, target_count: usize) -> bool {
        let mut run_by_name = 0;
        for (request, _) in &self.issued {
            run_by_name += usize::from(request.provider.authority.issues_on_request_only());
        }
        run_by_name > 0 && run_by_name == target_count
    }

    /// Writes the tokens that were issued into the passfile, where the tool looks for the password
    /// of the user that it has now.
    pub(super) fn write_tokens(&self, app: &mut App) -> Result<()> {
        if self.issued.is_empty() {
            return Ok(());
        }
        refresh::write_issued(&self.issued, app)?;
        for (request, _) in &self.issued {
            if request.provider.authority.issues_on_request_only() {
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

/// Issues a token. If its user has come with it, and no passfile can hold that user, it is refused.
fn issue_checked(request: Request, app: &mut App) -> Result<(Request, IssuedToken)> {
    let (request, issued) = app.issue(request, &TokenOptions::default())?;
    check_user_for_passfile(&request, &issued)?;
    Ok((request, issued))
}
