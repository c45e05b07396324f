//! The options that say where and as whom, and the way from them, TARGET and PG* variables to a request.

use crate::env;
use crate::error::{Error, Result};
use crate::host;
use crate::issue::Issuer;
use crate::output::Output;
use crate::provider::{self, Provider, normal_region};
use crate::request::{Request, check_name};
use crate::target::Where;
use crate::time::Seconds;

/// The address that the client dials, and as whom.
#[derive(clap::Args)]
pub(super) struct Dial {
    /// Name that the client dials
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Port that the client dials [default: 5432]
    #[arg(long, value_name = "PORT")]
    port: Option<String>,
    /// Database role [default: admin for Aurora DSQL]
    #[arg(long, value_name = "USER")]
    user: Option<String>,
}

impl Dial {
    /// One `--host` cannot be several targets.
    pub(super) fn check_targets(&self, targets: usize) -> Result<()> {
        if self.host.is_some() && targets > 1 {
            return Err(Error::usage("--host with several targets: give one of the two"));
        }
        Ok(())
    }

    /// Returns what these options and TARGET say, without defaults.
    pub(super) fn said(&self, target: Option<&str>) -> Result<Where> {
        let mut flags = Where {
            port: self.port.as_deref().map(host::parse_port).transpose()?,
            user: self.user.clone().map(|user| check_name("user", user)).transpose()?,
            ..Where::default()
        };
        if let Some(host) = &self.host {
            flags.set_host(host)?;
        }
        Ok(match target {
            Some(target) => flags.or(Where::parse(target)?),
            None => flags,
        })
    }
}

#[derive(clap::Args)]
pub(super) struct Place {
    #[command(flatten)]
    pub(super) dial: Dial,
    /// Database, for the formats that name one [default: postgres]
    #[arg(long, value_name = "NAME")]
    dbname: Option<String>,
    /// AWS profile; beats AWS_* keys in the environment
    #[arg(long, value_name = "PROFILE")]
    profile: Option<String>,
    /// AWS region [default: from the host, else as AWS configures it]
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Who defines the token: dsql or rds [default: from the host]
    #[arg(long, value_name = "PROVIDER")]
    provider: Option<String>,
    /// Name (and port) that is signed, where the client dials another one: tunnel, CNAME, PrivateLink
    #[arg(long, value_name = "HOST[:PORT]")]
    sign_host: Option<String>,
    /// Life of the token: seconds, or 15m, 1h, 7d [default: 900]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true)]
    expires_in: Option<Seconds>,
}

impl Place {
    /// Resolves one target. Asks AWS's configuration only for the region of a bare cluster ID.
    pub(super) fn request(&self, target: Option<&str>, issuer: &Issuer, output: Output) -> Result<Request> {
        let mut said = self.dial.said(target)?;
        if let Some(dbname) = &self.dbname {
            said.dbname = Some(check_name("dbname", dbname.clone())?);
        }
        fill_from_variables(&mut said)?;
        let profile = self.profile.clone().map(|profile| check_name("profile", profile)).transpose()?;
        let region = self.region.as_deref().map(normal_region).transpose()?;
        let port = said.port.unwrap_or(provider::DEFAULT_PORT);
        let full_name = |name: String| full_name(name, region.as_deref(), profile.as_deref(), issuer);

        let dialled = said.host.ok_or_else(|| {
            Error::usage("no host").hint("name one: pgcred token HOST, a postgres:// URI, --host HOST or PGHOST")
        })?;
        let host = full_name(dialled)?;
        let (sign_host, sign_port) = match &self.sign_host {
            None => (host.clone(), port),
            Some(text) => {
                let (name, own_port) = host::parse(text)?;
                // A tunnel's port is the client's own; the endpoint listens on the usual one unless told.
                (full_name(name)?, own_port.unwrap_or(provider::DEFAULT_PORT))
            }
        };

        let provider = self.provider(&sign_host)?;
        let named_by_host = (provider.region)(&sign_host);
        if provider.signs_port && sign_port != port {
            output.warn(&format!("signed for {sign_host}:{sign_port}; --sign-host HOST:PORT names another port"));
        }
        if let (Some(asked), Some(named)) = (&region, named_by_host)
            && asked != named
        {
            output.warn(&format!("region {asked} is signed, but {sign_host} is in {named}"));
        }
        let region = region.or_else(|| named_by_host.map(str::to_owned));
        let user = said.user.or_else(|| provider.user.map(str::to_owned)).ok_or_else(|| {
            Error::usage(format!("no user for {host}")).hint("name the database role: --user USER or PGUSER")
        })?;
        let life = self.expires_in.map_or(provider::DEFAULT_LIFE, |seconds| seconds.0);
        Ok(Request {
            provider,
            sign_port,
            port,
            user,
            dbname: said.dbname.unwrap_or_else(|| provider.dbname.to_owned()),
            options: said.options,
            region,
            profile,
            life: provider.check_life(life)?,
            host,
            sign_host,
        })
    }

    /// Returns the text that the host came from, as it was typed.
    pub(super) fn typed_host(&self, target: Option<&str>) -> Option<String> {
        self.dial.host.clone().or_else(|| target.map(str::to_owned)).or_else(|| env::var("PGHOST"))
    }

    fn provider(&self, host: &str) -> Result<&'static Provider> {
        match &self.provider {
            Some(name) => provider::named(name),
            None => provider::of_host(host).ok_or_else(|| {
                Error::no_target(format!("`{host}` is no cluster ID and no host of Aurora DSQL or RDS"))
                    .hint("for a tunnel or CNAME add --sign-host HOST, else --provider dsql|rds and --region REGION")
            }),
        }
    }
}

/// A bare cluster ID becomes its endpoint; anything else stays.
fn full_name(name: String, region: Option<&str>, profile: Option<&str>, issuer: &Issuer) -> Result<String> {
    if provider::of_id(&name, "").is_none() {
        return Ok(name);
    }
    let region = region.map_or_else(|| issuer.default_region(&name, profile), |region| Ok(region.to_owned()))?;
    Ok(provider::of_id(&name, &region).map_or(name, |(_, host)| host))
}

/// Fills what is still open from PG* variables, as libpq would; `PGPASSWORD` is never read.
fn fill_from_variables(place: &mut Where) -> Result<()> {
    let about = |name: &'static str| move |error: Error| error.about(name);
    if place.port.is_none() {
        place.port = env::text("PGPORT")?.map(|text| host::parse_port(&text)).transpose().map_err(about("PGPORT"))?;
    }
    if let (None, Some(host)) = (&place.host, env::text("PGHOST")?) {
        place.set_host(&host).map_err(about("PGHOST"))?;
    }
    if place.user.is_none() {
        place.user = env::text("PGUSER")?.map(|user| check_name("user", user)).transpose().map_err(about("PGUSER"))?;
    }
    if place.dbname.is_none() {
        let name = env::text("PGDATABASE")?.map(|name| check_name("dbname", name));
        place.dbname = name.transpose().map_err(about("PGDATABASE"))?;
    }
    if let (false, Some(mode)) = (place.has_option("sslmode"), env::text("PGSSLMODE")?) {
        place.options.push(("sslmode".to_owned(), check_name("sslmode", mode).map_err(about("PGSSLMODE"))?));
    }
    Ok(())
}
