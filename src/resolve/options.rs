//! Defines the options that name the address, the user and the signed endpoint, and everything else
//! that a connection may set.

use crate::authority::Region;
use crate::config::RequestedLifetime;
use crate::error::{Error, Result};
use crate::provider;
use crate::request::check_name;
use crate::request::target::{RootsChoice, TargetSpec};
use crate::roots;
use crate::sys::env;
use crate::text::host;

/// The address that the client connects to, and the user.
#[derive(clap::Args, Default)]
pub(crate) struct AddressOptions {
    /// Host name that the client connects to
    #[arg(long, short = 'h', value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port that the client connects to [default: 5432; 5439 for Redshift]
    #[arg(long, short, value_name = "PORT")]
    pub(super) port: Option<String>,
    /// Database role [default: admin for Aurora DSQL]
    #[arg(long, short = 'U', visible_alias = "username", value_name = "USER")]
    pub(crate) user: Option<String>,
    /// Whether the user may be left open, because the answer is the same for every user.
    #[arg(skip)]
    pub(crate) needs_no_user: bool,
}

impl AddressOptions {
    pub(crate) fn for_address(host: String, port: Option<String>, user: String) -> Self {
        Self {
            host: Some(host),
            port,
            user: Some(user),
            ..Self::default()
        }
    }

    /// Returns options that name only the user; the target says the rest.
    pub(crate) fn for_user(user: String) -> Self {
        Self {
            user: Some(user),
            ..Self::default()
        }
    }

    /// Refuses one `--host` for several targets.
    pub(crate) fn check_targets(&self, target_count: usize) -> Result<()> {
        if self.host.is_some() && target_count > 1 {
            return Err(Error::usage("--host cannot be used with several targets")
                .hint("leave out --host, or name one target"));
        }
        Ok(())
    }

    /// Returns what these options and TARGET say, without defaults. The options come first.
    pub(crate) fn to_target_spec(&self, target: Option<&str>) -> Result<TargetSpec> {
        let mut address = TargetSpec::default();
        if let Some(port) = &self.port {
            address.port = Some(host::parse_port(port).map_err(|error| error.about("--port"))?);
        }
        if let Some(user) = &self.user {
            address.user = Some(check_name("user", user.clone())?);
        }
        if let Some(host) = &self.host {
            address.set_host(host)?;
        }
        match target {
            Some(target) => Ok(address.or(TargetSpec::parse(target)?)),
            None => Ok(address),
        }
    }
}

/// The address, and everything else that a connection of the configuration may say.
#[derive(clap::Args, Default)]
pub(crate) struct ConnectionOptions {
    #[command(flatten)]
    pub(crate) address: AddressOptions,
    /// Database [default: postgres]
    #[arg(long, short, visible_alias = "database", value_name = "NAME")]
    pub(crate) dbname: Option<String>,
    #[arg(long, value_name = "PROFILE", help = provider::option_help(|help| help.profile))]
    pub(crate) profile: Option<String>,
    #[arg(long, value_name = "REGION", help = provider::option_help(|help| help.region))]
    pub(crate) region: Option<String>,
    #[arg(long, value_name = "PROVIDER", help = provider_help())]
    pub(crate) provider: Option<String>,
    /// Host (and port) to sign the token for, if the client connects to another one: a tunnel, a
    /// CNAME, PrivateLink
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) sign_host: Option<String>,
    /// Root certificates that verify the server: a PEM file, system, or provider [default:
    /// PGSSLROOTCERT, ~/.postgresql/root.crt, else provider]
    #[arg(long, value_name = "FILE", value_parser = parse_roots)]
    pub(crate) roots: Option<RootsChoice>,
    /// Life of the token: seconds, or 15m, 1h, 7d, or max for as long as the credentials live
    /// [default: 900]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) expires_in: Option<RequestedLifetime>,
}

impl ConnectionOptions {
    /// Reads the region that the user has typed.
    pub(crate) fn region(&self) -> Result<Option<Region>> {
        match &self.region {
            Some(region) => Ok(Some(provider::parse_region(region)?)),
            None => Ok(None),
        }
    }

    /// Returns the text that the host came from, as the user typed it.
    pub(crate) fn typed_host(&self, target: Option<&str>) -> Option<String> {
        if let Some(host) = &self.address.host {
            return Some(host.clone());
        }
        match target {
            Some(target) => Some(target.to_owned()),
            None => env::var("PGHOST"),
        }
    }
}

fn provider_help() -> String {
    let names = provider::names(" or ");
    format!(
        "Kind of service that takes the token: {names} [default: from the host; or a command of \
         the configuration]"
    )
}

/// Reads the value of `--roots`. The path of a file becomes absolute, because the program that
/// reads the file may run in another directory.
fn parse_roots(text: &str) -> Result<RootsChoice, String> {
    match absolute_roots(text) {
        Ok(choice) => Ok(choice),
        Err(error) => Err(error.to_string()),
    }
}

fn absolute_roots(text: &str) -> Result<RootsChoice> {
    match RootsChoice::parse(text)? {
        RootsChoice::File(file) => roots::absolute_choice(&file),
        choice => Ok(choice),
    }
}
