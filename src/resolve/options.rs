//! The options that say where a client connects, and as whom.

use crate::config::Life;
use crate::error::{Error, Result};
use crate::request::check_name;
use crate::request::target::{RootsChoice, TargetSpec};
use crate::roots;
use crate::sys::env;
use crate::text::host;

/// The address that the client dials, and as whom.
#[derive(clap::Args, Default)]
pub(crate) struct AddressOptions {
    /// Name that the client dials
    #[arg(long, short = 'h', value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Port that the client dials [default: 5432]
    #[arg(long, short, value_name = "PORT")]
    port: Option<String>,
    /// Database role [default: admin for Aurora DSQL]
    #[arg(long, short = 'U', visible_alias = "username", value_name = "USER")]
    pub(crate) user: Option<String>,
    /// The answer is the same for every user, so that none has to be named.
    #[arg(skip)]
    pub(crate) for_any_user: bool,
}

impl AddressOptions {
    pub(crate) fn to(host: String, port: Option<String>, user: String) -> Self {
        Self {
            host: Some(host),
            port,
            user: Some(user),
            ..Self::default()
        }
    }

    /// As a user, where the target says the rest.
    pub(crate) fn by(user: String) -> Self {
        Self {
            user: Some(user),
            ..Self::default()
        }
    }

    /// One `--host` cannot be several targets.
    pub(crate) fn check_targets(&self, targets: usize) -> Result<()> {
        if self.host.is_some() && targets > 1 {
            return Err(Error::usage(
                "--host with several targets: give one of the two",
            ));
        }
        Ok(())
    }

    /// Returns what these options and TARGET say, without defaults.
    pub(crate) fn said(&self, target: Option<&str>) -> Result<TargetSpec> {
        let mut flags = TargetSpec {
            port: self.port.as_deref().map(host::parse_port).transpose()?,
            user: self
                .user
                .clone()
                .map(|user| check_name("user", user))
                .transpose()?,
            ..TargetSpec::default()
        };
        if let Some(host) = &self.host {
            flags.set_host(host)?;
        }
        Ok(match target {
            Some(target) => flags.or(TargetSpec::parse(target)?),
            None => flags,
        })
    }
}

#[derive(clap::Args, Default)]
pub(crate) struct ConnectionOptions {
    #[command(flatten)]
    pub(crate) address: AddressOptions,
    /// Database [default: postgres]
    #[arg(long, short, visible_alias = "database", value_name = "NAME")]
    pub(crate) dbname: Option<String>,
    /// AWS profile; beats AWS_* keys in the environment
    #[arg(long, value_name = "PROFILE")]
    pub(crate) profile: Option<String>,
    /// AWS region [default: from the host, else as AWS configures it]
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Who defines the token: dsql or rds [default: from the host]
    #[arg(long, value_name = "PROVIDER")]
    pub(crate) provider: Option<String>,
    /// Name (and port) that is signed, where the client dials another one: tunnel, CNAME,
    /// PrivateLink
    #[arg(long, value_name = "HOST[:PORT]")]
    pub(crate) sign_host: Option<String>,
    /// Root certificates that verify the server: a PEM file, system, or provider [default:
    /// PGSSLROOTCERT, ~/.postgresql/root.crt, else provider]
    #[arg(long, value_name = "FILE", value_parser = parse_roots)]
    pub(crate) roots: Option<RootsChoice>,
    /// Life of the token: seconds, or 15m, 1h, 7d, or max: as long as the credentials live
    /// [default: 900]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    pub(crate) expires_in: Option<Life>,
}

impl ConnectionOptions {
    /// Returns the text that the host came from, as it was typed.
    pub(crate) fn typed_host(&self, target: Option<&str>) -> Option<String> {
        self.address
            .host
            .clone()
            .or_else(|| target.map(str::to_owned))
            .or_else(|| env::var("PGHOST"))
    }
}

/// Reads the value of `--roots`; the path of a file is made absolute, for who uses it may run
/// elsewhere.
fn parse_roots(text: &str) -> std::result::Result<RootsChoice, String> {
    let absolute = |choice| match choice {
        RootsChoice::File(file) => roots::absolute(&file),
        other => Ok(other),
    };
    RootsChoice::parse(text)
        .and_then(absolute)
        .map_err(|error| error.to_string())
}
