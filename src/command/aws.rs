//! Stands in for the token commands of the AWS CLI, for tools and scripts that call `aws`: this is
//! `pgcred aws`. It also runs under the names `pgcred-aws` and `aws`.
//!
//! Options, output and exit codes are those of the AWS CLI. Options that do not concern a token are
//! accepted and ignored if the AWS CLI would accept them.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Subcommand};

use super::app::App;
use super::needs::{CommandNeeds, ForeignHomePolicy};
use super::options::TokenOptions;
use super::run::RunCommand;
use crate::aws;
use crate::config::{Config, RequestedLifetime};
use crate::error::{Error, ErrorReason, Result};
use crate::output::Output;
use crate::provider;
use crate::resolve::{AddressOptions, ConnectionOptions};
use crate::sys::terminal::InheritedStdin;
use crate::text;
use crate::text::backquoted;
use crate::text::host::HostPort;
use crate::time::number_as_python_reads_it;

/// The AWS CLI's exit codes: wrong usage, no configuration, a refusal of a service, anything else.
const USAGE: u8 = 252;
const NO_CONFIGURATION: u8 = 253;
const REFUSAL: u8 = 254;
const FAILURE: u8 = 255;

/// The answer to `--version`, in the form that programs read: the version of the AWS CLI whose
/// answers the tests compare, then pgcred's own.
const VERSION: &str = concat!("aws-cli/2.38.1 pgcred/", env!("CARGO_PKG_VERSION"), "\n");

/// The refusal of a command line without a command.
const SUPPORTED_COMMANDS: &str = "pgcred aws supports only: \
     dsql generate-db-connect[-admin]-auth-token, rds generate-db-auth-token, \
     configure list-profiles";

#[derive(clap::Args)]
#[command(infer_long_args = true, args_override_self = true)]
pub(crate) struct AwsCommand {
    #[command(flatten)]
    common: CommonOptions,
    #[command(subcommand)]
    service: ServiceSubcommand,
}

#[derive(Subcommand)]
enum ServiceSubcommand {
    /// Aurora DSQL
    #[command(subcommand)]
    Dsql(DsqlSubcommand),
    /// RDS and Aurora
    #[command(subcommand)]
    Rds(RdsSubcommand),
    /// The user's profiles
    #[command(subcommand)]
    Configure(ConfigureSubcommand),
}

#[derive(Subcommand)]
enum DsqlSubcommand {
    /// Print a token for the role admin
    GenerateDbConnectAdminAuthToken(DsqlTokenArguments),
    /// Print a token for any other role
    GenerateDbConnectAuthToken(DsqlTokenArguments),
}

#[derive(Subcommand)]
enum RdsSubcommand {
    /// Print a token; a host of Aurora DSQL gets a DSQL token
    GenerateDbAuthToken(RdsTokenArguments),
}

#[derive(Subcommand)]
enum ConfigureSubcommand {
    /// Print the names of the profiles
    ListProfiles,
}

#[derive(Args)]
struct DsqlTokenArguments {
    /// Endpoint of the cluster
    #[arg(long, alias = "h", value_name = "HOST")]
    hostname: String,
    /// Life of the token in seconds
    #[arg(long, value_name = "SECONDS", allow_negative_numbers = true)]
    // Read late, as the AWS CLI does, so that a wrong number is a failure and not wrong usage.
    expires_in: Option<String>,
}

#[derive(Args)]
struct RdsTokenArguments {
    /// Endpoint of the database, or the host that a connection names
    #[arg(long, alias = "h", value_name = "HOST")]
    hostname: String,
    /// Its port
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    port: String,
    /// Database role
    #[arg(long, value_name = "USER")]
    username: String,
}

/// The options that every command of the AWS CLI takes. Those that do not concern a token are
/// ignored.
///
/// An alias stands for an abbreviation that is unique for the AWS CLI, but not among the options
/// here.
#[derive(Args)]
#[expect(clippy::struct_excessive_bools, reason = "flags as they are typed")]
struct CommonOptions {
    /// AWS profile
    #[arg(long, alias = "p", global = true, value_name = "PROFILE")]
    profile: Option<String>,
    /// AWS region [default: from the host, else as AWS configures it]
    #[arg(long, global = true, value_name = "REGION")]
    region: Option<String>,
    #[arg(
        long,
        global = true,
        hide = true,
        value_parser = ["json", "text", "table", "yaml", "yaml-stream", "off"]
    )]
    output: Option<String>,
    #[arg(long, alias = "co", global = true, hide = true, value_parser = ["on", "off", "auto"])]
    color: Option<String>,
    #[arg(
        long,
        aliases = ["q", "qu"],
        global = true,
        hide = true,
        value_parser = NonEmptyStringValueParser::new()
    )]
    query: Option<String>, // these commands of the AWS CLI ignore it too
    #[arg(long, alias = "e", global = true, hide = true, value_parser = check_endpoint_url)]
    endpoint_url: Option<String>,
    #[arg(long, global = true, hide = true)]
    ca_bundle: Option<String>,
    #[arg(long, global = true, hide = true, value_parser = ["base64", "raw-in-base64-out"])]
    cli_binary_format: Option<String>,
    #[arg(
        long,
        global = true,
        hide = true,
        value_parser = ["legacy", "json", "yaml", "text", "table", "enhanced"]
    )]
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

impl RunCommand for AwsCommand {
    type Outcome = ExitCode;
    const NEEDS: CommandNeeds = CommandNeeds {
        foreign_home: ForeignHomePolicy::GoOn,
        ..CommandNeeds::USUAL
    };

    /// Ends with the AWS CLI's exit codes.
    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<ExitCode> {
        match self.answer(app) {
            Ok(text) => Output::answer(&text).map(|()| ExitCode::SUCCESS),
            Err(error) => {
                app.print_warnings();
                app.preferences.output.report(&error);
                Ok(exit_code_of_aws(&error).into())
            }
        }
    }

    fn failure_code(_: &Error) -> u8 {
        FAILURE
    }

    fn refusal(error: &clap::Error) -> Option<(Error, u8)> {
        Some((error_in_one_line(error), USAGE))
    }
}

fn exit_code_of_aws(error: &Error) -> u8 {
    match error.reason() {
        Some(ErrorReason::NoRegion | ErrorReason::NoCredentials) => NO_CONFIGURATION,
        Some(ErrorReason::Refused) => REFUSAL,
        Some(ErrorReason::InvalidRoleSetting) => USAGE,
        _ => FAILURE,
    }
}

impl AwsCommand {
    fn answer(self, app: &mut App) -> Result<String> {
        self.common.check_timeouts()?;
        let config = &app.preferences.config;
        let (target, options) = match self.service {
            ServiceSubcommand::Configure(ConfigureSubcommand::ListProfiles) => {
                return list_of_profiles();
            }
            ServiceSubcommand::Dsql(DsqlSubcommand::GenerateDbConnectAdminAuthToken(token)) => {
                (None, token.options("admin")?)
            }
            // The token does not name the role: every role but admin gets the same token.
            ServiceSubcommand::Dsql(DsqlSubcommand::GenerateDbConnectAuthToken(token)) => {
                (None, token.options("any")?)
            }
            ServiceSubcommand::Rds(RdsSubcommand::GenerateDbAuthToken(token)) => {
                token.options(config)?
            }
        };
        let mut options = ConnectionOptions {
            profile: self.common.profile,
            region: self.common.region,
            ..options
        };
        if options.profile.as_deref() == Some("") {
            options.profile = None; // as for the AWS CLI
        }
        // As for the AWS CLI, the variables of libpq have no meaning.
        let resolver = app.preferences.resolver();
        let request = resolver.resolve_without_variables(&options, target.as_deref())?;
        let token_options = TokenOptions {
            min_valid: None,
            fresh: true,
            no_cache: false,
        };
        let (_, issued) = app.issue(request, &token_options)?;
        Ok(format!("{}\n", issued.token.expose()))
    }
}

impl CommonOptions {
    /// Checks that the options of time are numbers, as the AWS CLI does. They have no effect.
    fn check_timeouts(&self) -> Result<()> {
        optional_integer("--cli-read-timeout", self.cli_read_timeout.as_deref())?;
        optional_integer("--cli-connect-timeout", self.cli_connect_timeout.as_deref())?;
        Ok(())
    }
}

fn list_of_profiles() -> Result<String> {
    let mut list = String::new();
    for name in aws::profile_names()? {
        list += &text::printable(&name);
        list.push('\n');
    }
    Ok(list)
}

impl DsqlTokenArguments {
    fn options(self, user: &str) -> Result<ConnectionOptions> {
        let lifetime_seconds = optional_integer("--expires-in", self.expires_in.as_deref())?;
        Ok(ConnectionOptions {
            address: AddressOptions::for_address(self.hostname, None, user.to_owned()),
            provider: Some("dsql".to_owned()),
            expires_in: lifetime_seconds.map(RequestedLifetime::Seconds),
            ..ConnectionOptions::default()
        })
    }
}

impl RdsTokenArguments {
    /// Returns the target and the options. A tool names the address that it connects to; if a
    /// connection has this address, the connection says which endpoint is signed.
    fn options(self, config: &Config) -> Result<(Option<String>, ConnectionOptions)> {
        let port = parse_integer("--port", &self.port)?;
        let HostPort { host, .. } = HostPort::parse(&self.hostname)?;
        if let Ok(port) = u16::try_from(port)
            && let Some(connection) = config.connection_dialled_at(&host, port, &self.username)
        {
            return Ok((
                Some(connection.name.clone()),
                ConnectionOptions {
                    address: AddressOptions::for_user(self.username),
                    ..ConnectionOptions::default()
                },
            ));
        }
        let address =
            AddressOptions::for_address(self.hostname, Some(port.to_string()), self.username);
        let provider = match provider::find_by_host(&host) {
            Some(provider) => provider.name,
            None => "rds",
        };
        Ok((
            None,
            ConnectionOptions {
                address,
                provider: Some(provider.to_owned()),
                ..ConnectionOptions::default()
            },
        ))
    }
}

fn optional_integer(option: &str, text: Option<&str>) -> Result<Option<u32>> {
    match text {
        Some(text) => Ok(Some(parse_integer(option, text)?)),
        None => Ok(None),
    }
}

fn parse_integer(option: &str, text: &str) -> Result<u32> {
    match number_as_python_reads_it(text.trim()) {
        Some(number) => Ok(number),
        None => Err(Error::usage(format!(
            "{option}: {} is not a whole number",
            backquoted(text)
        ))
        .hint("use digits only")),
    }
}

/// Checks that a URL has a scheme, which is all that the AWS CLI checks here.
fn check_endpoint_url(text: &str) -> Result<String, &'static str> {
    let (scheme, _) = text.split_once(':').unwrap_or_default();
    let is_scheme_char = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
    let has_scheme =
        scheme.starts_with(|c: char| c.is_ascii_alphabetic()) && scheme.chars().all(is_scheme_char);
    if has_scheme {
        Ok(text.to_owned())
    } else {
        Err("write it like https://HOST/")
    }
}

/// Returns clap's error in one line, because some tools show only the first line.
fn error_in_one_line(error: &clap::Error) -> Error {
    if error.kind() == clap::error::ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Error::usage(SUPPORTED_COMMANDS).hint("run `pgcred aws --help` to see them");
    }
    let text = error.to_string();
    let first_paragraph = text
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .trim_start_matches("error: ");
    let words: Vec<_> = first_paragraph.split_whitespace().collect();
    Error::usage(words.join(" ")).hint(
        "run `pgcred aws --help` to see what pgcred supports; for anything else use the AWS CLI",
    )
}

/// What the words that were typed ask for.
pub(crate) enum TypedWords {
    /// A command line of pgcred's, which is still to be parsed.
    CommandLine(Vec<OsString>),
    /// This text, whatever else was typed.
    Answer(&'static str),
}

/// Takes over the words that are meant for the AWS CLI, before they are parsed: all words of a run
/// as `pgcred-aws` or `aws`, and its `--version`.
pub(crate) fn take_over(arguments: Vec<OsString>) -> TypedWords {
    let arguments = with_command(arguments);
    if !is_aws_call(&arguments) {
        return TypedWords::CommandLine(arguments);
    }
    if asks_for_version(&arguments) {
        return TypedWords::Answer(VERSION);
    }
    TypedWords::CommandLine(with_help_option(arguments))
}

/// Returns the words that a run as `pgcred-aws` or `aws` stands for.
fn with_command(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if let Some(program) = arguments.first()
        && let Some(name) = Path::new(program).file_stem()
        && (name == "pgcred-aws" || name == "aws")
    {
        arguments.insert(1, "aws".into());
    }
    arguments
}

/// Tells whether the command line is meant for the AWS CLI.
fn is_aws_call(arguments: &[OsString]) -> bool {
    matches!(arguments.get(1), Some(word) if word == "aws")
}

/// Tells whether `--version` is among the words, which takes precedence over all others.
fn asks_for_version(arguments: &[OsString]) -> bool {
    arguments.iter().any(|word| {
        let word = word.to_str().unwrap_or("");
        word.len() > "--".len() && "--version".starts_with(word)
    })
}

/// Turns a last word `help` into `--help`, unless it is the value of an option.
fn with_help_option(mut arguments: Vec<OsString>) -> Vec<OsString> {
    if let [.., before, last] = &mut arguments[..]
        && last == "help"
        && !before.to_string_lossy().starts_with('-')
    {
        *last = "--help".into();
    }
    arguments
}
