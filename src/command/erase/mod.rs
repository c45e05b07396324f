//! Removes tokens from the passfiles and from the cache, for `pgcred erase`.
//!
//! ```text
//! pgcred erase TARGET...                  pgcred erase --all
//!   |                                       |
//! mod: the addresses that are meant       everything
//!   |                                       |  every token, then what pgcred keeps besides: key,
//!   |                                       |  index, root certificates, private directories
//!   +------------------+--------------------+
//!                      v
//!                    tokens   each passfile under its lock, then the cache
//! ```
//!
//! A passfile that cannot be edited is an error, and the others are edited all the same. An error
//! at the end names the targets that had no token. `remove` and `discover --prune` also use
//! `tokens`.

mod everything;
mod tokens;

use std::path::PathBuf;

pub(super) use tokens::{erase_in_known_passfile, forget_ids};

use super::app::App;
use super::config_file::ConfigNeed;
use super::errors::all_errors;
use super::needs::CommandNeeds;
use super::passfile_option::PassfileOption;
use super::passfile_tokens::known_passfiles;
use super::run::{RunCommand, arguments_of};
use crate::cache::{Cache, CacheIndex};
use crate::config::Connection;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::PassfileLine;
use crate::provider;
use crate::request::target::TargetSpec;
use crate::resolve::AddressOptions;
use crate::sys::terminal::InheritedStdin;

#[derive(clap::Args)]
pub(crate) struct EraseCommand {
    /// What to forget, as given to `refresh`; without user or port, all of them
    targets: Vec<String>,
    /// Forget every token, and everything that pgcred keeps besides its configuration
    #[arg(long, conflicts_with_all = ["targets", "host", "port", "user"])]
    all: bool,
    #[command(flatten)]
    address: AddressOptions,
    #[command(flatten)]
    passfile: PassfileOption,
}

impl RunCommand for EraseCommand {
    type Outcome = ();
    const NEEDS: CommandNeeds = CommandNeeds {
        asks_authority: false,
        ..CommandNeeds::USUAL
    };

    /// `--all` works even if the configuration cannot be read.
    fn needs(&self) -> CommandNeeds {
        let mut needs = Self::NEEDS;
        if self.all {
            needs.configuration = ConfigNeed::Optional;
        }
        needs
    }

    /// A port or a user that is not named stands for all there are, and has no default.
    fn arguments(command: clap::Command) -> clap::Command {
        let command = arguments_of::<Self>(command);
        command
            .mut_arg("port", |argument| {
                argument.help("Only tokens for this port")
            })
            .mut_arg("user", |argument| {
                argument.help("Only tokens for this user")
            })
    }

    fn run(self, app: &mut App, _: Option<InheritedStdin>) -> Result<()> {
        self.address.check_targets(self.targets.len())?;
        app.open_cache_to_forget();
        if self.all {
            return self.erase_everything(app);
        }
        let addresses = self.addresses(app)?;
        let aliases = self.aliases(app);
        let is_wanted = |line: &PassfileLine| {
            let mut all = addresses.iter().chain(&aliases);
            all.any(|address| matches_address(line, address))
        };
        let output = app.preferences.output;
        let mut errors = Vec::new();
        let mut erased_lines: Vec<PassfileLine> = Vec::new();
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let paths = self.passfiles(&index)?;
        for path in &paths {
            match erase_in_known_passfile(path, &index, output, is_wanted) {
                Ok(lines) => erased_lines.extend(lines),
                Err(error) => errors.push(error),
            }
        }
        let mut has_erased_unknown = false;
        if let Some(cache) = app.issuer.cache() {
            has_erased_unknown =
                erase_in_cache(cache, &index, output, is_wanted, &mut erased_lines)?;
        }
        if !has_erased_unknown && errors.is_empty() {
            errors.extend(nothing_found(&addresses, &erased_lines, &paths));
        }
        all_errors(errors, output, |count| {
            format!("{count} passfiles were left as they are")
        })
    }
}

impl EraseCommand {
    /// Returns the passfile that the user names, or every one that may hold a token; with `--all`
    /// both.
    fn passfiles(&self, index: &CacheIndex) -> Result<Vec<PathBuf>> {
        let passfiles = known_passfiles(index);
        if self.passfile.is_usual() {
            return Ok(passfiles);
        }
        let named_passfile = self.passfile.path()?;
        if !self.all {
            return Ok(vec![named_passfile]);
        }
        let mut paths = Vec::new();
        if !passfiles.contains(&std::path::absolute(&named_passfile).unwrap_or_default()) {
            paths.push(named_passfile);
        }
        paths.extend(passfiles);
        Ok(paths)
    }

    /// Returns the addresses whose tokens are to be erased: those of the targets, or of the
    /// options.
    fn addresses(&self, app: &App) -> Result<Vec<TargetSpec>> {
        let mut addresses = Vec::new();
        for target in &self.targets {
            addresses.push(match app.preferences.config.connection(target) {
                Some(connection) => self
                    .address
                    .to_target_spec(None)?
                    .or(connection.target.clone()),
                None => self.address.to_target_spec(Some(target))?,
            });
        }
        if self.targets.is_empty() {
            addresses.push(self.address.to_target_spec(None)?);
        }
        if addresses.iter().any(|address| address.host.is_none()) {
            return Err(Error::usage("no target is named")
                .hint("name the connection or host whose tokens to erase, or use --all"));
        }
        Ok(addresses)
    }

    /// Returns the aliases of the connections that are meant: the passfile has their tokens under
    /// those addresses too.
    fn aliases(&self, app: &App) -> Vec<TargetSpec> {
        let mut connections: Vec<&Connection> = Vec::new();
        for target in &self.targets {
            match app.preferences.config.connection(target) {
                Some(connection) => connections.push(connection),
                None => connections.extend(self.connection_at(Some(target), app)),
            }
        }
        if self.targets.is_empty() {
            connections.extend(self.connection_at(None, app));
        }
        let mut aliases = Vec::new();
        for connection in connections {
            for alias in &connection.aliases {
                aliases.push(TargetSpec {
                    host: Some(alias.host.clone()),
                    port: alias.port.or(connection.target.port),
                    user: self.address.user.clone().or(connection.target.user.clone()),
                    ..TargetSpec::default()
                });
            }
        }
        aliases
    }

    /// Returns the connection that has this address.
    fn connection_at<'a>(&self, target: Option<&str>, app: &'a App) -> Option<&'a Connection> {
        let address = self.address.to_target_spec(target).ok()?;
        app.preferences
            .config
            .connection_at(&address, None, |_| true)
    }
}

/// Erases cached tokens and adds what they were for to `erased_lines`. Tells whether there were
/// tokens of which the index knows nothing: those are erased too.
fn erase_in_cache(
    cache: &Cache,
    index: &CacheIndex,
    output: Output,
    is_wanted: impl Fn(&PassfileLine) -> bool,
    erased_lines: &mut Vec<PassfileLine>,
) -> Result<bool> {
    let mut ids = Vec::new();
    for (id, record) in &index.records {
        if is_wanted(&record.line) {
            ids.push(id.clone());
            erased_lines.push(record.line.clone());
        }
    }
    // An unknown token may be one of those that the user wants to erase. To erase one too many
    // costs only a new token.
    let unknown_ids = cache.unknown_entries();
    let has_unknown = !unknown_ids.is_empty();
    ids.extend(unknown_ids);
    let is_index_lost = cache.has_unreadable_index();
    forget_ids(&ids, cache, output)?;
    if has_unknown {
        output.warn(
            "the cache had tokens, but no longer knew which connections they were for; \
             they are erased too",
        );
    }
    if is_index_lost {
        output.warn(
            "the list of issued tokens was lost: passfiles other than the usual one may still have \
             tokens; `pgcred erase TARGET --passfile FILE` removes them there",
        );
    }
    Ok(has_unknown)
}

/// Returns the error that names the hosts of which nothing was erased, if there are any.
fn nothing_found(
    addresses: &[TargetSpec],
    erased_lines: &[PassfileLine],
    paths: &[PathBuf],
) -> Option<Error> {
    let mut missing_hosts = Vec::new();
    for address in addresses {
        if let Some(host) = &address.host
            && !erased_lines
                .iter()
                .any(|line| matches_address(line, address))
        {
            missing_hosts.push(host.as_str());
        }
    }
    if missing_hosts.is_empty() {
        return None;
    }
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    let paths = if paths.is_empty() {
        "no passfile".to_owned()
    } else {
        paths.join(" or ")
    };
    let error = Error::no_target(format!(
        "{paths} has no token for {}, and the cache has none",
        missing_hosts.join(", ")
    ));
    Some(error.hint("run `pgcred list` to see which connections have a token"))
}

/// Tells whether a token's line has every field that the address names. A cluster ID stands for its
/// endpoint in any region.
fn matches_address(line: &PassfileLine, address: &TargetSpec) -> bool {
    let Some(host) = address.host.as_deref() else {
        return false;
    };
    let is_cluster_id = provider::find_by_id(host, "").is_some();
    if line.host != host && !(is_cluster_id && line.host.split('.').next() == Some(host)) {
        return false;
    }
    address.port.is_none_or(|port| port == line.port)
        && address.user.as_ref().is_none_or(|user| *user == line.user)
}
