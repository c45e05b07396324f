//! Prints the policy that an authority has to allow, and the SQL that the database needs, so that a
//! user can log in with tokens, for `pgcred policy`. It only prints: nothing is changed, and nobody
//! is asked for a login.
//!
//! ```text
//! mod    asks the authority for the policy and the provider for the SQL
//!  |
//!  v
//! text   the three forms of the answer
//! ```
//!
//! The policy goes to stdout even if something in it is not known: then a word in capital letters
//! stands for it, with the command that finds it. Why it is not known is a warning on stderr.

mod text;

use std::time::Instant;

use clap::ValueEnum;

use super::app::App;
use super::run::{RunCommand, arguments_of, hide_options};
use crate::authority::{AccessGoal, AccessPolicy, AccessQuery, Authority, Region};
use crate::error::{Error, Result};
use crate::output::Output;
use crate::provider::{self, MAX_NAME_LENGTH, SqlSubject};
use crate::request::Request;
use crate::resolve::ConnectionOptions;
use crate::sys::terminal::InheritedStdin;
use crate::text::printable;
use text::{PolicyAnswer, PolicySql};

#[derive(clap::Args)]
pub(crate) struct PolicyCommand {
    /// Connection, host, DSQL cluster ID, postgres:// URI or libpq conninfo string [default:
    /// PGHOST]
    target: Option<String>,
    #[command(flatten)]
    connection: ConnectionOptions,
    #[arg(long, value_name = "ID", help = provider::option_help(|help| help.account))]
    account: Option<String>,
    #[arg(long, value_name = "ARN", help = provider::option_help(|help| help.principal))]
    role: Option<String>,
    /// What the policy is to allow: the login, or what `pgcred discover` or `pgcred doctor --aws`
    /// asks (then TARGET may be left out)
    #[arg(long = "for", value_enum, value_name = "GOAL", default_value = "login")]
    goal: PolicyGoal,
    /// Form of the answer: all of it, the policy alone, or the SQL alone
    #[arg(long, value_enum, default_value = "text")]
    format: PolicyForm,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyGoal {
    Login,
    Discover,
    Doctor,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum PolicyForm {
    Text,
    Json,
    Sql,
}

impl RunCommand for PolicyCommand {
    type Outcome = ();

    /// Nobody is asked for a login, so that this option has no meaning.
    fn arguments(command: clap::Command) -> clap::Command {
        hide_options(arguments_of::<Self>(command), &["login"])
    }

    fn run(mut self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        let output = app.preferences.output;
        let answer = match self.goal {
            PolicyGoal::Login => self.policy_for_login(app)?,
            PolicyGoal::Discover => self.policy_for_questions(AccessGoal::Listing, app)?,
            PolicyGoal::Doctor => self.policy_for_questions(AccessGoal::Inspection, app)?,
        };
        for failure in &answer.access.failures {
            let hint = match failure.hint_text() {
                Some(hint) => format!("; {hint}"),
                None => String::new(),
            };
            output.warn(&format!("not everything is known: {failure}{hint}"));
        }
        let printed_text = match self.format {
            PolicyForm::Text => answer.text(),
            PolicyForm::Json => format!("{}\n", answer.access.document),
            PolicyForm::Sql => answer.sql(),
        };
        if self.format != PolicyForm::Text {
            for note in answer.remarks(&printed_text) {
                output.note(&note);
            }
        }
        Output::answer(&printed_text)
    }
}

/// Refuses a name that PostgreSQL would cut, and one that a terminal would not show as the SQL has
/// it: whoever pastes the SQL must see whom it lets in.
fn check_sql_user(user: &str) -> Result<()> {
    if user.len() > MAX_NAME_LENGTH {
        let error = "the name of the user is longer than PostgreSQL keeps it";
        let hint = format!("name a user of up to {MAX_NAME_LENGTH} bytes with --user");
        return Err(Error::usage(error).hint(hint));
    }
    if printable(user) != user {
        let error = "the name of the user has a character that changes how a terminal shows it";
        return Err(Error::usage(error).hint("name a user without it with --user"));
    }
    Ok(())
}

impl PolicyCommand {
    /// Returns what a login needs.
    fn policy_for_login(&self, app: &App) -> Result<PolicyAnswer> {
        let request = self.request(app)?;
        let provider = request.provider;
        let sql = provider.server_login_sql.as_ref();
        if sql.is_some() {
            check_sql_user(&request.user)?;
        }
        let is_administrator =
            sql.is_some_and(|sql| sql.administrator == Some(request.user.as_str()));
        let names_principal = sql.is_some_and(|sql| sql.names_principal) && !is_administrator;
        let query = AccessQuery {
            goal: AccessGoal::ServerLogin(&request.scope()),
            region: request.region.as_ref(),
            profile: request.profile.as_deref(),
            account: self.account.as_deref(),
            principal: self.role.as_deref(),
            needs_principal: names_principal && self.format != PolicyForm::Json,
        };
        let access = ask_authority(provider.authority, provider.title, &query, app)?;
        let sql = match sql {
            None => PolicySql::Unknown(provider.title),
            Some(_) if is_administrator => {
                PolicySql::NotNeeded(text::no_sql_for_administrator(&request))
            }
            Some(_) if access.is_master_user => {
                PolicySql::NotNeeded(text::no_sql_for_master_user(&request))
            }
            Some(sql) => {
                let subject = SqlSubject {
                    host: &request.sign_host,
                    user: &request.user,
                    principal: access.principal.as_deref().unwrap_or_default(),
                };
                PolicySql::Steps {
                    administrator: text::typed_by(sql.administrator),
                    session: sql
                        .administrator
                        .map(|user| text::session_command(&request, user)),
                    steps: (sql.steps)(&subject),
                    remark: sql.remark,
                }
            }
        };
        Ok(PolicyAnswer {
            authority: provider.authority.title(),
            principal: text::principal_in_words(&access),
            access,
            sql,
        })
    }

    /// Returns what pgcred itself asks the authority, of TARGET or of the named provider.
    fn policy_for_questions(&mut self, goal: AccessGoal<'_>, app: &App) -> Result<PolicyAnswer> {
        self.connection.address.needs_no_user = true;
        let has_target = self.target.is_some() || self.connection.address.host.is_some();
        let (authority, region, profile): (_, Option<Region>, _) = if has_target {
            let request = self.request(app)?;
            (request.provider.authority, request.region, request.profile)
        } else {
            let authority = provider::authority_of(self.connection.provider.as_deref())?;
            let region = self.connection.region()?;
            (authority, region, self.connection.profile.clone())
        };
        let query = AccessQuery {
            goal,
            region: region.as_ref(),
            profile: profile.as_deref(),
            account: self.account.as_deref(),
            principal: None,
            needs_principal: false,
        };
        Ok(PolicyAnswer {
            authority: authority.title(),
            principal: "the role or user of the profile with which pgcred asks".to_owned(),
            access: ask_authority(authority, authority.title(), &query, app)?,
            sql: PolicySql::NotNeeded("Nothing has to be done in a database.".to_owned()),
        })
    }

    fn request(&self, app: &App) -> Result<Request> {
        app.preferences
            .resolver()
            .resolve(&self.connection, self.target.as_deref())
    }
}

/// Asks an authority for a policy; an error if it has none. `title` says for what.
fn ask_authority(
    authority: &dyn Authority,
    title: &str,
    query: &AccessQuery<'_>,
    app: &App,
) -> Result<AccessPolicy> {
    let ask_policy = &app.preferences.ask_policy;
    if let Some(access) =
        authority.access(query, ask_policy, Instant::now() + ask_policy.timeout)?
    {
        return Ok(access);
    }
    let error = format!("pgcred knows no policies for {title}");
    Err(Error::failure(error).hint("ask its administrator who may log in"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::authority::{AskPolicy, TokenScope};
    use crate::provider::fake::{self, control};

    fn ask() -> AskPolicy {
        AskPolicy {
            timeout: Duration::from_secs(1),
            ..control::policy()
        }
    }

    #[test]
    fn an_authority_needs_no_policies() {
        let scope = fake::PROVIDER.scope("h.fake.invalid", 5432, "guest");
        for goal in [
            AccessGoal::ServerLogin(&scope),
            AccessGoal::Listing,
            AccessGoal::Inspection,
        ] {
            let query = AccessQuery {
                goal,
                region: None,
                profile: None,
                account: None,
                principal: None,
                needs_principal: false,
            };
            let found = fake::PROVIDER
                .authority
                .access(&query, &ask(), Instant::now());
            assert!(found.unwrap().is_none());
        }
    }

    /// A service of AWS that only the table of providers knows is not taken for RDS.
    #[test]
    fn a_service_that_the_authority_does_not_know_has_no_policy() {
        let aws = provider::from_name("rds").unwrap().authority;
        let scope = TokenScope {
            service: "newsvc",
            action: "Connect",
            host: "db.example.com",
            port: None,
            user: Some("guest"),
            dbname: "",
            vars: &[],
        };
        let region = Region::from_trusted_name("eu-west-1");
        let query = AccessQuery {
            goal: AccessGoal::ServerLogin(&scope),
            region: Some(&region),
            profile: None,
            account: Some("123456789012"),
            principal: None,
            needs_principal: false,
        };
        let found = aws.access(&query, &ask(), Instant::now());
        assert!(found.unwrap().is_none());
    }
}
