//! From the options, TARGET, the configuration and PG* variables to a request for a token.
//!
//! ```text
//! options, TARGET --said--> what each source says --meant--> the connection, and one value for
//!                                                            each field
//!                                                               |
//!                                    request  <--checked--------+
//! ```
//!
//! A value comes from the first of these sources that says it:
//!
//! | source                        | what it may say                                          |
//! |-------------------------------|----------------------------------------------------------|
//! | 1. options                    | everything                                               |
//! | 2. TARGET                     | the address: host, port, user, dbname, libpq's keywords  |
//! | 3. connection                 | everything                                               |
//! | 4. PG* variables, as in libpq | the address and `sslmode`; never PGPASSWORD              |
//! | 5. match rules                | profile, region, user, roots, life                       |
//! | 6. PGSSLROOTCERT              | roots                                                    |
//! | 7. the provider               | user, dbname, limits of the life                         |
//!
//! TARGET is the name of a connection, or the address that is one. `--debug` says for each value
//! which source it came from.

mod explain;
mod options;
mod precedence;
mod sources;
mod unknown_host;
mod validation;

use crate::authority::AskPolicy;
use crate::config::Config;
use crate::error::Result;
use crate::output::Output;
use crate::request::Request;
use explain::Origins;
pub(crate) use options::{AddressOptions, ConnectionOptions};
use precedence::Meant;
pub(crate) use unknown_host::tunnel_hint;
pub(crate) use validation::{provider_of, seconds};

/// What a resolution looks at besides the options and TARGET.
#[derive(Clone, Copy)]
pub(crate) struct TargetResolver<'a> {
    pub(crate) config: &'a Config,
    pub(crate) ask: &'a AskPolicy,
    /// Where warnings go.
    pub(crate) output: Output,
}

impl TargetResolver<'_> {
    /// Resolves one target.
    ///
    /// It asks AWS's configuration only for the region of a bare cluster ID.
    pub(crate) fn request(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let meant = Meant::find(options, target, true, self.config)?;
        self.check(options, target, meant)
    }

    /// Resolves one target without PG* variables. Commands that deal with every connection resolve
    /// so, because a scheduler or another shell has to come to the same result.
    pub(crate) fn configured(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let meant = Meant::find(options, target, false, self.config)?;
        self.check(options, target, meant)
    }

    /// Resolves one target for an entry that is written down and outlives the shell. A connection
    /// is taken as it is configured; PG* variables fill only what another target leaves open.
    pub(crate) fn lasting(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        match Meant::find(options, target, false, self.config) {
            Ok(meant) if meant.connection.is_some() => self.check(options, target, meant),
            _ => self.request(options, target),
        }
    }

    fn check(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
        meant: Meant<'_>,
    ) -> Result<Request> {
        let mut origins = None;
        if self.output.debug {
            origins = Some(Origins::of(&meant));
        }
        let Self {
            config,
            ask,
            output,
        } = self;
        let request = validation::check(options, target, meant, config, ask, output)?;
        if let Some(origins) = origins {
            output.step(&origins.explain(&request, config));
        }
        Ok(request)
    }
}
