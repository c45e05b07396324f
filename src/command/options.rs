//! Options that several commands have: the global ones, and those about the token.

use std::path::PathBuf;

use crate::authority::LoginPolicy;
use crate::time::Seconds;

/// The options that every command takes.
#[derive(Clone, clap::Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct GlobalOptions {
    /// Say nothing but errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Give up on AWS after this long: seconds, or 90s, 5m
    #[arg(long, global = true, value_name = "DURATION", default_value = "25s")]
    pub(crate) timeout: Seconds,
    /// Who is asked when AWS needs a login: never, terminal, browser (also `--login` without a
    /// value) [default: terminal]
    #[arg(long, global = true, value_name = "POLICY", num_args = 0..=1, require_equals = true, default_missing_value = "browser", value_parser = login_policy)]
    pub(crate) login: Option<LoginPolicy>,
    /// Code of the MFA device, where a role needs one and no terminal is there to ask on
    #[arg(long, global = true, value_name = "CODE")]
    pub(crate) mfa_code: Option<String>,
    /// Say what was tried, and let account numbers stand in error messages
    #[arg(long, global = true)]
    pub(crate) debug: bool,
    /// Configuration file [default: pgcred/config.toml in the user's configuration directory]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

fn login_policy(text: &str) -> Result<LoginPolicy, String> {
    LoginPolicy::parse(text)
        .map_err(|error| format!("{error}; known: {}", error.to_hint().unwrap_or_default()))
}

/// What a command asks of a token, besides the connection.
#[derive(clap::Args)]
pub(crate) struct TokenOptions {
    /// The token must last this long: seconds, or 15m, 1h
    #[arg(long, value_name = "DURATION")]
    pub(super) min_valid: Option<Seconds>,
    /// Issue a new token, whatever is cached
    #[arg(long)]
    pub(super) fresh: bool,
    /// Neither read nor write the cache
    #[arg(long)]
    pub(super) no_cache: bool,
}
