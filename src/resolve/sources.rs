//! Reads what each source says of a value. The sources are options, TARGET, a connection, PG*
//! variables and match rules. Each value is kept with the source that it came from.

use super::options::ConnectionOptions;
use crate::authority::Region;
use crate::config::{Connection, HostRule, RequestedLifetime};
use crate::error::{Error, Result};
use crate::request::check_name;
use crate::request::target::{RootsChoice, TargetSpec};
use crate::roots;
use crate::sys::env;
use crate::text::host::{self, HostPort};

/// Where a value came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ValueSource {
    /// Nothing says it, so that pgcred or the provider has a default.
    #[default]
    Default,
    Option(&'static str),
    Target,
    Connection,
    Variable(&'static str),
    MatchRule,
}

/// A value, and the first source that says it.
#[derive(Clone, Debug)]
pub(super) struct SourcedValue<T> {
    pub(super) value: Option<T>,
    pub(super) source: ValueSource,
}

impl<T> Default for SourcedValue<T> {
    fn default() -> Self {
        Self {
            value: None,
            source: ValueSource::Default,
        }
    }
}

impl<T> SourcedValue<T> {
    /// Takes a value unless an earlier source said one.
    pub(super) fn fill(&mut self, source: ValueSource, value: Option<T>) {
        if self.value.is_none() && value.is_some() {
            *self = Self { value, source };
        }
    }
}

/// The value of each field, with its source. A source fills only what the sources before it have
/// left open.
#[derive(Clone, Debug, Default)]
pub(super) struct SourcedValues {
    pub(super) host: SourcedValue<String>,
    pub(super) port: SourcedValue<u16>,
    pub(super) user: SourcedValue<String>,
    pub(super) dbname: SourcedValue<String>,
    /// Other libpq keywords (`sslmode`, `hostaddr`, ...): all of the first source that has any.
    pub(super) keywords: Vec<(String, String)>,
    pub(super) profile: SourcedValue<String>,
    pub(super) region: SourcedValue<Region>,
    pub(super) sign_host: SourcedValue<HostPort>,
    pub(super) provider: SourcedValue<String>,
    pub(super) roots: SourcedValue<RootsChoice>,
    pub(super) lifetime: SourcedValue<RequestedLifetime>,
    /// The connection's values for the placeholders of a command.
    pub(super) vars: Vec<(String, String)>,
}

impl SourcedValues {
    /// Takes the options of the command line.
    pub(super) fn from_options(options: &ConnectionOptions) -> Result<Self> {
        let mut values = Self::default();
        let mut address = options.address.to_target_spec(None)?;
        if let Some(dbname) = &options.dbname {
            address.dbname = Some(check_name("dbname", dbname.clone())?);
        }
        values
            .host
            .fill(ValueSource::Option("--host"), address.host);
        let port_option = if options.address.port.is_some() {
            "--port"
        } else {
            "--host"
        };
        values
            .port
            .fill(ValueSource::Option(port_option), address.port);
        values
            .user
            .fill(ValueSource::Option("--user"), address.user);
        values
            .dbname
            .fill(ValueSource::Option("--dbname"), address.dbname);
        let profile = options.profile.clone();
        values
            .profile
            .fill(ValueSource::Option("--profile"), profile);
        let region = options.region()?;
        values.region.fill(ValueSource::Option("--region"), region);
        if let Some(sign_host) = &options.sign_host {
            let sign_host = HostPort::parse(sign_host);
            let sign_host = sign_host.map_err(|error| error.about("--sign-host"))?;
            let source = ValueSource::Option("--sign-host");
            values.sign_host.fill(source, Some(sign_host));
        }
        let provider = options.provider.clone();
        values
            .provider
            .fill(ValueSource::Option("--provider"), provider);
        values
            .roots
            .fill(ValueSource::Option("--roots"), options.roots.clone());
        values
            .lifetime
            .fill(ValueSource::Option("--expires-in"), options.expires_in);
        Ok(values)
    }

    /// Takes the address that TARGET or a connection names.
    pub(super) fn fill_address(&mut self, source: ValueSource, address: TargetSpec) {
        self.host.fill(source, address.host);
        self.port.fill(source, address.port);
        self.user.fill(source, address.user);
        self.dbname.fill(source, address.dbname);
        if self.keywords.is_empty() {
            self.keywords = address.options;
        }
    }

    /// Takes what a connection of the configuration says.
    pub(super) fn fill_from_connection(&mut self, connection: &Connection) {
        let source = ValueSource::Connection;
        self.fill_address(source, connection.target.clone());
        self.profile.fill(source, connection.profile.clone());
        self.region.fill(source, connection.region.clone());
        self.sign_host.fill(source, connection.sign_host.clone());
        self.provider.fill(source, connection.provider.clone());
        self.roots.fill(source, connection.roots.clone());
        self.lifetime.fill(source, connection.lifetime);
        self.vars.clone_from(&connection.vars);
    }

    /// Takes the address from PG* variables, as libpq would. `PGPASSWORD` is never read.
    pub(super) fn fill_from_variables(&mut self) -> Result<()> {
        if self.port.value.is_none()
            && let Some(text) = env::var_as_text("PGPORT")?
        {
            let port = host::parse_port(&text).map_err(|error| error.about("PGPORT"))?;
            self.port.fill(ValueSource::Variable("PGPORT"), Some(port));
        }
        if self.host.value.is_none()
            && let Some(text) = env::var_as_text("PGHOST")?
        {
            self.set_host(&text)
                .map_err(|error| error.about("PGHOST"))?;
        }
        if self.user.value.is_none() {
            let user = name_in_variable("PGUSER", "user")?;
            self.user.fill(ValueSource::Variable("PGUSER"), user);
        }
        if self.dbname.value.is_none() {
            let dbname = name_in_variable("PGDATABASE", "dbname")?;
            self.dbname
                .fill(ValueSource::Variable("PGDATABASE"), dbname);
        }
        if !self.has_keyword("sslmode")
            && let Some(sslmode) = name_in_variable("PGSSLMODE", "sslmode")?
        {
            self.keywords.push(("sslmode".to_owned(), sslmode));
        }
        Ok(())
    }

    /// Takes the host of PGHOST, whose port must not contradict the port that is known.
    fn set_host(&mut self, text: &str) -> Result<()> {
        let source = ValueSource::Variable("PGHOST");
        let mut address = TargetSpec {
            port: self.port.value,
            ..TargetSpec::default()
        };
        address.set_host(text)?;
        self.host.fill(source, address.host);
        self.port.fill(source, address.port);
        Ok(())
    }

    /// Takes the server's address from PGHOSTADDR, if the variable was set for this very host.
    pub(super) fn fill_hostaddr(&mut self, host: &str) -> Result<()> {
        if self.has_keyword("hostaddr") {
            return Ok(());
        }
        let pg_host = env::var("PGHOST").unwrap_or_default();
        if pg_host.eq_ignore_ascii_case(host)
            && let Some(address) = name_in_variable("PGHOSTADDR", "hostaddr")?
        {
            self.keywords.push(("hostaddr".to_owned(), address));
        }
        Ok(())
    }

    /// Takes what the match rules of the configuration say about the host, merged into one.
    pub(super) fn fill_from_rule(&mut self, rule: HostRule) {
        let source = ValueSource::MatchRule;
        self.profile.fill(source, rule.profile);
        self.region.fill(source, rule.region);
        self.user.fill(source, rule.user);
        self.roots.fill(source, rule.roots);
        self.provider.fill(source, rule.provider);
        self.lifetime.fill(source, rule.lifetime);
    }

    /// Takes the root certificates from PGSSLROOTCERT. This is the only variable that comes after
    /// the match rules.
    pub(super) fn fill_roots_from_variable(&mut self) -> Result<()> {
        let source = ValueSource::Variable("PGSSLROOTCERT");
        self.roots.fill(source, roots::roots_in_variable()?);
        Ok(())
    }

    /// Drops a libpq keyword that an option contradicts.
    pub(super) fn drop_keyword(&mut self, keyword: &str) {
        self.keywords.retain(|(key, _)| key != keyword);
    }

    pub(super) fn has_keyword(&self, keyword: &str) -> bool {
        self.keywords.iter().any(|(key, _)| key == keyword)
    }
}

/// Returns the text of a variable that is a name in one line.
fn name_in_variable(variable: &'static str, kind: &str) -> Result<Option<String>> {
    let Some(text) = env::var_as_text(variable)? else {
        return Ok(None);
    };
    let name = check_name(kind, text).map_err(|error: Error| error.about(variable))?;
    Ok(Some(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_first_source_that_says_a_value_is_the_one_that_counts() {
        let options = ConnectionOptions {
            profile: Some("typed".to_owned()),
            sign_host: Some("Signed.Example:1".to_owned()),
            ..ConnectionOptions::default()
        };
        let mut values = SourcedValues::from_options(&options).unwrap();
        values.fill_address(
            ValueSource::Target,
            TargetSpec::parse("host=db.example:2 user=u").unwrap(),
        );
        values.fill_address(
            ValueSource::Connection,
            TargetSpec::parse("host=other port=3 dbname=d").unwrap(),
        );
        let config = Config::parse(
            "[[match]]\nhost = \"db.*\"\nprofile = \"of-rule\"\nregion = \"eu-west-1\"\n\
             user = \"r\"\n",
        )
        .unwrap();
        values.fill_from_rule(config.rule("db.example"));
        let host = (values.host.value.as_deref(), values.host.source);
        assert_eq!(host, (Some("db.example"), ValueSource::Target));
        let port = (values.port.value, values.port.source);
        assert_eq!(port, (Some(2), ValueSource::Target));
        let user = (values.user.value.as_deref(), values.user.source);
        assert_eq!(user, (Some("u"), ValueSource::Target));
        let dbname = (values.dbname.value.as_deref(), values.dbname.source);
        assert_eq!(dbname, (Some("d"), ValueSource::Connection));
        let profile = (values.profile.value.as_deref(), values.profile.source);
        assert_eq!(profile, (Some("typed"), ValueSource::Option("--profile")));
        let region = (
            values.region.value.as_ref().map(Region::as_str),
            values.region.source,
        );
        assert_eq!(region, (Some("eu-west-1"), ValueSource::MatchRule));
        let sign_host = values.sign_host.value.map(|signed| signed.to_string());
        assert_eq!(sign_host.as_deref(), Some("signed.example:1"));
        assert_eq!(values.lifetime.source, ValueSource::Default);
    }
}
