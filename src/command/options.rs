//! Defines options that several commands have: the global ones, and those about the token.

use std::path::PathBuf;

use crate::authority::LoginPolicy;
use crate::provider;
use crate::time::Seconds;

/// The options that every command takes.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Print nothing but errors and the answer
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    #[arg(long, global = true, value_name = "DURATION", default_value = "25s")]
    #[arg(help = timeout_help())]
    pub(crate) timeout: Seconds,
    #[arg(long, global = true, value_name = "POLICY", value_parser = login_policy)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "browser")]
    #[arg(help = login_help())]
    pub(crate) login: Option<LoginPolicy>,
    /// Code of the MFA device, for a role that needs one if there is no terminal to ask for it
    #[arg(long, global = true, value_name = "CODE")]
    pub(crate) mfa_code: Option<String>,
    /// Log every step, and do not mask AWS account numbers
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Configuration file [default: pgcred/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

fn timeout_help() -> String {
    let authorities = provider::authority_titles();
    format!(
        "Give up on {authorities}, or on a command that prints tokens, after this long: seconds, \
         or 90s, 5m"
    )
}

fn login_help() -> String {
    let authorities = provider::authority_titles();
    format!(
        "How to handle a required {authorities} login: never, terminal, browser (also `--login` \
         without a value) [default: terminal]"
    )
}

fn login_policy(text: &str) -> Result<LoginPolicy, String> {
    match LoginPolicy::parse(text) {
        Ok(policy) => Ok(policy),
        Err(error) => {
            let hint = error.hint_text().unwrap_or("");
            Err(format!("{error}; {hint}"))
        }
    }
}

/// What a command asks of a token, besides the connection.
#[derive(clap::Args, Default)]
pub(crate) struct TokenOptions {
    /// Shortest time that the token must still last: seconds, or 15m, 1h
    #[arg(long, value_name = "DURATION")]
    pub(super) min_valid: Option<Seconds>,
    /// Issue a new token even if the cached one is fresh
    #[arg(long)]
    pub(super) fresh: bool,
    /// Do not read or write the cache
    #[arg(long)]
    pub(super) no_cache: bool,
}
