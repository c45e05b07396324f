//! Makes a request for a token from the options, TARGET, the configuration and PG* variables.
//!
//! ```text
//! sources      what the options, TARGET, the configuration and PG* variables say
//!     |
//! precedence   finds the connection; the first source that says a value wins
//!     |
//! validation   provider, signed endpoint, lifetime: an error, or the request
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
//! | 5. match rules                | profile, region, user, roots, lifetime, provider         |
//! | 6. PGSSLROOTCERT              | roots                                                    |
//! | 7. the provider               | user, dbname, limits of the lifetime, roots of a command |
//!
//! `options` are those of the commands, `explain` makes the line of `--debug`, and `unknown_host`
//! the error for a host of no provider.
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
use explain::ValueSources;
pub(crate) use options::{AddressOptions, ConnectionOptions};
use precedence::{MergedTarget, VariableUse};
pub(crate) use unknown_host::tunnel_hint;
pub(crate) use validation::{allowed_lifetime, check_user_spelling, provider_of};

/// What a resolution looks at besides the options and TARGET.
#[derive(Clone, Copy)]
pub(crate) struct TargetResolver<'a> {
    pub(crate) config: &'a Config,
    pub(crate) ask_policy: &'a AskPolicy,
    /// Where warnings go.
    pub(crate) output: Output,
}

impl TargetResolver<'_> {
    /// Resolves one target.
    ///
    /// It asks the authority's configuration only for the region of a bare cluster ID.
    pub(crate) fn resolve(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let merged_target = MergedTarget::merge(options, target, VariableUse::Take, self.config)?;
        self.validate(options, target, merged_target)
    }

    /// Resolves one target without PG* variables. Commands that deal with every connection resolve
    /// so, because a scheduler or another shell has to come to the same result.
    pub(crate) fn resolve_without_variables(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        let merged_target = MergedTarget::merge(options, target, VariableUse::Ignore, self.config)?;
        self.validate(options, target, merged_target)
    }

    /// Resolves one target for an entry that is written down and outlives the shell. A connection
    /// is taken as it is configured; PG* variables fill only what another target leaves open.
    pub(crate) fn resolve_to_store(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
    ) -> Result<Request> {
        match MergedTarget::merge(options, target, VariableUse::Ignore, self.config) {
            Ok(merged_target) if merged_target.connection.is_some() => {
                self.validate(options, target, merged_target)
            }
            _ => self.resolve(options, target),
        }
    }

    fn validate(
        self,
        options: &ConnectionOptions,
        target: Option<&str>,
        merged_target: MergedTarget<'_>,
    ) -> Result<Request> {
        let mut sources = None;
        if self.output.debug {
            sources = Some(ValueSources::from_merged(&merged_target));
        }
        let Self {
            config,
            ask_policy,
            output,
        } = self;
        let request =
            validation::validate(options, target, merged_target, config, ask_policy, output)?;
        if let Some(sources) = sources {
            output.step(&sources.explain(&request, config));
        }
        Ok(request)
    }
}
