//! `pgcred aws`: the AWS CLI's token commands, for tools and scripts that call `aws`; also when run
//! as `pgcred-aws`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::app::App;
use super::options::TokenOptions;
use super::run::{InForeignHome, Run};
use crate::aws;
use crate::config::{Config, Life};
use crate::error::{Error, Reason, Result};
use crate::output::Output;
use crate::provider;
use crate::resolve::{AddressOptions, ConnectionOptions};
use crate::sys::terminal::Stdin;
use crate::text;
use crate::text::host::{self, HostPort};
use crate::time::number;

/// The AWS CLI's exit codes: wrong usage, no configuration, a refusal of a service, anything else.
pub(crate) const USAGE: u8 = 252;
const NO_CONFIGURATION: u8 = 253;
const REFUSAL: u8 = 254;
pub(crate) const FAILURE: u8 = 255;

/// In the form that programs read: the AWS CLI whose answers the tests hold, then who gives them.
const VERSION: &str = concat!("aws-cli/2.38.1 pgcred/", env!("CARGO_PKG_VERSION"), "\n");

#[derive(clap::Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct Aws {
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
    #[arg(long, alias = "h", value_name = "HOST")]
    hostname: String,
    /// Life of the token in seconds
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    expires_in: Option<String>, // the AWS CLI reads numbers so late that a slip in one is a failure
}

#[derive(Args)]
struct RdsToken {
    /// Endpoint of the database, or what a connection dials
    #[arg(long, alias = "h", value_name = "HOST")]
    hostname: String,
    /// Its port
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    port: String,
    /// The role that logs in
    #[arg(long, value_name = "USER")]
    username: String,
}

/// What the AWS CLI takes anywhere. What has no bearing on a token is taken and left alone, if the
/// AWS CLI would take it.
///
/// An alias is an abbreviation that is one for the AWS CLI, while more options begin so here.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags as they are typed")]
struct Common {
    /// AWS profile
    #[arg(long, alias = "p", global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// AWS region [default: from the host, else as AWS configures it]
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    #[arg(long, global = true, hide = true, value_parser = ["json", "text", "table", "yaml", "yaml-stream", "off"])]
    output: Option<String>,
    #[arg(long, alias = "co", global = true, hide = true, value_parser = ["on", "off", "auto"])]
    color: Option<String>,
    #[arg(long, aliases = ["q", "qu"], global = true, hide = true, value_parser = NonEmptyStringValueParser::new())]
    query: Option<String>, // none of these commands applies it
    #[arg(long, alias = "e", global = true, hide = true, value_parser = address)]
    endpoint_url: Option<String>,
    #[arg(long, global = true, hide = true)]
    ca_bundle: Option<String>,
    #[arg(long, global = true, hide = true, value_parser = ["base64", "raw-in-base64-out"])]
    cli_binary_format: Option<String>,
    #[arg(long, global = true, hide = true, value_parser = ["legacy", "json", "yaml", "text", "table", "enhanced"])]
    cli_error_format: Option<String>,
    #[arg(long, global = true, hide = true)]
    cli_read_timeout: Option<String>,
    #[arg(long, global = true, hide = true)]
    cli_connect_timeout: Option<String>,
    #[arg(long, global = true, hide = true)]
    no_verify_ssl: bool,
    #[arg(long, global = true, hide = true)]
    no_cli_pager: bool,
    #[arg(long, global = true, hide = true)]
    no_paginate: bool,
    #[arg(long, global = true, hide = true)]
    no_cli_auto_prompt: bool,
}

impl Run for Aws {
    type End = ExitCode;

    fn in_foreign_home(&self) -> InForeignHome {
        InForeignHome::GoOn
    }

    /// Ends with the AWS CLI's exit codes.
    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<ExitCode> {
        match self.answer(app) {
            Ok(text) => Output::answer(&text).map(|()| ExitCode::SUCCESS),
            Err(error) => {
                app.say_warnings();
                app.preferences.output.report(&error);
                Ok(code(&error).into())
            }
        }
    }
}

fn code(error: &Error) -> u8 {
    match error.reason() {
        Some(Reason::NoRegion | Reason::NoCredentials) => NO_CONFIGURATION,
        Some(Reason::Refused) => REFUSAL,
        Some(Reason::InvalidRoleSetting) => USAGE,
        None => FAILURE,
    }
}

impl Aws {
    fn answer(self, app: &mut App) -> Result<String> {
        let Common {
            cli_read_timeout,
            cli_connect_timeout,
            profile,
            region,
            ..
        } = self.common;
        for (option, text) in [
            ("--cli-read-timeout", cli_read_timeout),
            ("--cli-connect-timeout", cli_connect_timeout),
        ] {
            text.map(|text| integer(option, &text)).transpose()?;
        }
        let (target, options) = match self.service {
            Service::Configure(Configure::ListProfiles) => {
                return Ok(aws::profile_names()?
                    .iter()
                    .map(|name| text::shown(name) + "\n")
                    .collect());
            }
            Service::Dsql(Dsql::GenerateDbConnectAdminAuthToken(token)) => {
                (None, token.options("admin")?)
            }
            // The token does not name the role; any but admin signs the same.
            Service::Dsql(Dsql::GenerateDbConnectAuthToken(token)) => (None, token.options("any")?),
            Service::Rds(Rds::GenerateDbAuthToken(token)) => {
                token.options(&app.preferences.config)?
            }
        };
        let profile = profile.filter(|name| !name.is_empty()); // to the AWS CLI an empty one is none
        let options = ConnectionOptions {
            profile,
            region,
            ..options
        };
        // As with the AWS CLI, the variables of libpq say nothing.
        let request = app
            .preferences
            .resolver()
            .configured(&options, target.as_deref())?;
        let token_options = TokenOptions {
            min_valid: None,
            fresh: true,
            no_cache: false,
        };
        let (_, issued) = app.issue(request, &token_options)?;
        Ok(format!("{}\n", issued.token.expose()))
    }
}

impl DsqlToken {
    fn options(self, user: &str) -> Result<ConnectionOptions> {
        let life = self
            .expires_in
            .map(|text| integer("--expires-in", &text))
            .transpose()?;
        Ok(ConnectionOptions {
            address: AddressOptions::to(self.hostname, None, user.to_owned()),
            provider: Some("dsql".to_owned()),
            expires_in: life.map(Life::Seconds),
            ..ConnectionOptions::default()
        })
    }
}

impl RdsToken {
    /// A tool names what it dials: where that is a connection's, the connection says what is
    /// signed.
    fn options(self, config: &Config) -> Result<(Option<String>, ConnectionOptions)> {
        let port = integer("--port", &self.port)?;
        let HostPort { host, .. } = HostPort::parse(&self.hostname)?;
        let connection = u16::try_from(port)
            .ok()
            .and_then(|port| config.dialled(&host, port, &self.username));
        if let Some(connection) = connection {
            return Ok((
                Some(connection.name.clone()),
                ConnectionOptions {
                    address: AddressOptions::by(self.username),
                    ..ConnectionOptions::default()
                },
            ));
        }
        let dsql = provider::of_host(&host).is_some_and(|provider| provider.name == "dsql");
        let address = AddressOptions::to(self.hostname, Some(port.to_string()), self.username);
        let provider = Some(if dsql { "dsql" } else { "rds" }.to_owned());
        Ok((
            None,
            ConnectionOptions {
                address,
                provider,
                ..ConnectionOptions::default()
            },
        ))
    }
}

fn integer(option: &str, text: &str) -> Result<u32> {
    let wrong = || {
        Error::usage(format!(
            "{option}: {} is not a whole number",
            host::quoted(text)
        ))
    };
    number(text.trim()).ok_or_else(|| wrong().hint("give digits alone"))
}

/// Takes what has a scheme: the AWS CLI does not look further here.
fn address(text: &str) -> std::result::Result<String, &'static str> {
    let scheme = text.split_once(':').map_or("", |(scheme, _)| scheme);
    let of_scheme = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let has_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(of_scheme);
    if has_scheme {
        Ok(text.to_owned())
    } else {
        Err("write it like https://HOST/")
    }
}

/// Says in one line what clap says in several: a tool shows what comes, or its first line.
pub(crate) fn refusal(error: &clap::Error) -> Error {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::usage("no command that pgcred stands in for").hint("pgcred aws --help");
    }
    let text = error.to_string();
    let said = text
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let words: Vec<_> = said.split_whitespace().collect();
    Error::usage(words.join(" "))
        .hint("pgcred aws --help shows what there is; for the rest use the AWS CLI")
}

/// Tells whether the command line is one for the AWS CLI.
pub(crate) fn is_meant(words: &[OsString]) -> bool {
    words.get(1).is_some_and(|word| word == "aws")
}

/// Returns the answer to the AWS CLI's `--version`, which beats whatever else there is.
pub(crate) fn version(words: &[OsString]) -> Option<&'static str> {
    let asks = |word: &OsString| {
        word.len() > 2
            && word
                .to_str()
                .is_some_and(|word| "--version".starts_with(word))
    };
    (is_meant(words) && words.iter().any(asks)).then_some(VERSION)
}

/// The words that a run as `pgcred-aws` or `aws` stands for; the AWS CLI's `help` comes last, where
/// it is no option's value.
pub(crate) fn as_aws(mut words: Vec<OsString>) -> Vec<OsString> {
    let called = words.first().map(PathBuf::from).unwrap_or_default();
    if called
        .file_stem()
        .is_some_and(|name| name == "pgcred-aws" || name == "aws")
    {
        words.insert(1, "aws".into());
    }
    if is_meant(&words)
        && let [.., before, last] = &mut words[..]
        && last == "help"
        && !before.to_string_lossy().starts_with('-')
    {
        *last = "--help".into();
    }
    words
}
