//! Makes an authority for every service whose token a command of the service prints: pgcred runs
//! the command, and treats what it prints as a token.
//!
//! ```text
//! definition   what is known of a command: how it is run, where its answer has what
//!   |            (presets: those that pgcred brings; service: what their hosts need)
//! authority    the traits: an identity for each command line, a signer for each run
//!   |--> invocation   template: words with placeholders --> the words that are run, and digests
//!   |--> run          runs them; output: what was printed --> token, user, expiry
//! ```
//!
//! A definition says whether its command makes a new token with every run, prints the same one
//! again, or makes a new user of the database (`CommandKind`). That decides when it is run again.

mod authority;
mod definition;
mod invocation;
mod output;
mod presets;
mod run;
mod service;
mod template;

pub(crate) use definition::{CommandDefinition, CommandKind, ExpiryField, JsonPath, LOGIN_PROFILE};
pub(crate) use invocation::is_own_placeholder;
pub(crate) use presets::{CommandPreset, PRESETS};
pub(crate) use template::WordTemplate;

use super::Provider;
use authority::CommandAuthority;

/// The longest lifetime of a token of which only the program knows how long it lives, in seconds.
const MAX_LIFETIME_SECONDS: u32 = 30 * 86_400;

/// Returns the provider of a definition, which lives as long as the run.
pub(crate) fn provider_of(definition: CommandDefinition) -> &'static Provider {
    let definition: &'static CommandDefinition = Box::leak(Box::new(definition));
    let authority = Box::leak(Box::new(CommandAuthority { definition }));
    let lifetime_seconds = definition.lifetime_seconds.unwrap_or(MAX_LIFETIME_SECONDS);
    let service = CommandPreset::service_of(&definition.name);
    Box::leak(Box::new(Provider {
        signs_port: definition.uses("port"),
        signs_user: definition.uses("user"),
        owns: service.owns,
        host_warning: service.host_warning,
        names_user: definition.user.is_some(),
        who_logs_in: service.who_logs_in,
        right_user: service.right_user,
        is_foreign_audience: service.is_foreign_audience,
        users_are_addresses: service.users_are_addresses,
        dbname: service.dbname,
        default_port: service.default_port,
        default_lifetime_seconds: lifetime_seconds,
        max_lifetime_seconds: lifetime_seconds,
        roots_of: service.roots_of,
        default_roots: definition.roots.as_deref(),
        ..Provider::new(&definition.name, &definition.title, authority)
    }))
}
