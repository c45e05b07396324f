//! `pgcred aws`: the AWS CLI's token commands, for tools and scripts that call `aws`; also when run as `pgcred-aws`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};

use super::place::{Dial, Place};
use super::{Asking, Context, Run};
use crate::aws;
use crate::config::Life;
use crate::error::{Error, Exit, Result};
use crate::issue::default_region;
use crate::output::Output;
use crate::provider;
use crate::terminal::Stdin;

/// The AWS CLI's exit codes: wrong usage, no configuration, anything else.
pub(super) const USAGE: u8 = 252;
const NO_CONFIGURATION: u8 = 253;
const FAILURE: u8 = 255;

#[derive(clap::Args)]
pub(super) struct Aws {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    service: Service,
}

#[derive(Subcommand)]
enum Service {
    /// Aurora DSQL
    #[command(subcommand)]
    Dsql(Dsql),
    /// RDS and Aurora
    #[command(subcommand)]
    Rds(Rds),
    /// The user's profiles
    #[command(subcommand)]
    Configure(Configure),
}

#[derive(Subcommand)]
enum Dsql {
    /// Print a token for the role admin
    GenerateDbConnectAdminAuthToken(DsqlToken),
    /// Print a token for any other role
    GenerateDbConnectAuthToken(DsqlToken),
}

#[derive(Subcommand)]
enum Rds {
    /// Print a token; for a host of Aurora DSQL one of its kind
    GenerateDbAuthToken(RdsToken),
}

#[derive(Subcommand)]
enum Configure {
    /// Print the names of the profiles
    ListProfiles,
}

#[derive(Args)]
struct DsqlToken {
    /// Endpoint of the cluster
    #[arg(long, value_name = "HOST")]
    hostname: String,
    /// Life of the token in seconds
    #[arg(long, value_name = "SECONDS", allow_hyphen_values = true)]
    expires_in: Option<String>, // the AWS CLI reads it so late that a slip in it is a failure
}

#[derive(Args)]
struct RdsToken {
    /// Endpoint of the database
    #[arg(long, value_name = "HOST")]
    hostname: String,
    /// Its port
    #[arg(long, value_name = "PORT")]
    port: String,
    /// The role that logs in
    #[arg(long, value_name = "USER")]
    username: String,
}

/// What the AWS CLI takes anywhere. What has no bearing on a token is taken and left alone.
#[derive(Args)]
struct Common {
    /// AWS profile
    #[arg(long, global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// AWS region [default: from the host, else as AWS configures it]
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    #[arg(long, global = true, hide = true)]
    output: Option<String>,
    #[arg(long, global = true, hide = true)]
    color: Option<String>,
    #[arg(long, global = true, hide = true)]
    cli_read_timeout: Option<String>,
    #[arg(long, global = true, hide = true)]
    cli_connect_timeout: Option<String>,
    #[arg(long, global = true, hide = true)]
    no_cli_pager: bool,
    #[arg(long, global = true, hide = true)]
    no_paginate: bool,
    #[arg(long, global = true, hide = true)]
    no_cli_auto_prompt: bool,
}

impl Run for Aws {
    type End = ExitCode;

    /// Ends with the AWS CLI's exit codes.
    fn run(self, context: &mut Context, _: Option<Stdin>) -> Result<ExitCode> {
        match self.answer(context) {
            Ok(text) => Output::answer(&text).map(|()| ExitCode::SUCCESS),
            Err((code, error)) => {
                context.say_warnings();
                context.world.output.report(&error);
                Ok(code.into())
            }
        }
    }
}

impl Aws {
    fn answer(self, context: &mut Context) -> std::result::Result<String, (u8, Error)> {
        let other = |error: Error| (FAILURE, error);
        let (place, provider) = match self.service {
            Service::Configure(Configure::ListProfiles) => {
                let names = aws::profile_names().map_err(other)?;
                return Ok(names.into_iter().map(|name| name + "\n").collect());
            }
            Service::Dsql(Dsql::GenerateDbConnectAdminAuthToken(token)) => {
                (token.place("admin").map_err(other)?, "dsql")
            }
            // The token does not name the role; any but admin signs the same.
            Service::Dsql(Dsql::GenerateDbConnectAuthToken(token)) => (token.place("any").map_err(other)?, "dsql"),
            Service::Rds(Rds::GenerateDbAuthToken(token)) => {
                let dsql = provider::of_host(&token.hostname).is_some_and(|provider| provider.name == "dsql");
                let place =
                    Place { dial: Dial::to(token.hostname, Some(token.port), token.username), ..Place::default() };
                (place, if dsql { "dsql" } else { "rds" })
            }
        };
        let place = Place {
            profile: self.common.profile,
            region: self.common.region,
            provider: Some(provider.to_owned()),
            ..place
        };
        let mut request = place.request(None, &context.world, context.world.output).map_err(|error| (USAGE, error))?;
        if request.region.is_none() {
            let found = default_region(&request.sign_host, request.profile.as_deref(), &context.world.how);
            request.region = Some(
                found.map_err(|error| (if error.exit() == Exit::Usage { NO_CONFIGURATION } else { FAILURE }, error))?,
            );
        }
        let asking = Asking { min_valid: None, fresh: true, no_cache: false };
        let (_, issued) = context.issue(request, &asking).map_err(|error| {
            let nothing = aws::is_about_nothing_found(&error);
            (if nothing { NO_CONFIGURATION } else { FAILURE }, error)
        })?;
        Ok(format!("{}\n", issued.token.expose()))
    }
}

impl DsqlToken {
    fn place(self, user: &str) -> Result<Place> {
        let about = |error: String| Error::usage(error).about("--expires-in");
        let expires_in = self.expires_in.map(|text| text.parse::<Life>().map_err(about)).transpose()?;
        Ok(Place { dial: Dial::to(self.hostname, None, user.to_owned()), expires_in, ..Place::default() })
    }
}

/// Says in one line what clap says in several: a tool shows what comes, or its first line.
pub(super) fn refusal(error: &clap::Error) -> Error {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::usage("no command that pgcred stands in for").hint("pgcred aws --help");
    }
    let text = error.to_string();
    let said = text.split("\n\n").next().unwrap_or_default().trim_start_matches("error: ");
    let words: Vec<_> = said.split_whitespace().collect();
    Error::usage(words.join(" ")).hint("pgcred aws --help shows what there is; for the rest use the AWS CLI")
}

/// Tells whether the command line is one for the AWS CLI.
pub(super) fn is_meant(words: &[OsString]) -> bool {
    as_aws(words.to_vec()).get(1).is_some_and(|word| word == "aws")
}

/// The words that a run as `pgcred-aws` stands for.
pub(super) fn as_aws(mut words: Vec<OsString>) -> Vec<OsString> {
    let called = words.first().map(PathBuf::from).unwrap_or_default();
    if called.file_stem().is_some_and(|name| name == "pgcred-aws") {
        words.insert(1, "aws".into());
    }
    words
}
