//! `pgcred erase`: forget tokens, in the passfile and in the cache.

use std::path::{Path, PathBuf};

use super::app::App;
use super::errors::all_errors;
use super::filed_tokens::known_passfiles;
use super::passfile::{self, PassfileOption};
use super::run::{Run, arguments_of};
use super::setup::undo;
use crate::cache::{Cache, Index};
use crate::config::Connection;
use crate::error::{Error, Result};
use crate::output::Output;
use crate::passfile::block::PassfileKey;
use crate::provider;
use crate::request::target::TargetSpec;
use crate::resolve::AddressOptions;
use crate::roots;
use crate::setup::Machine;
use crate::sys::fs::{self, Presence};
use crate::sys::terminal::Stdin;
use crate::text::host::HostPort;
use crate::text::quote;

#[derive(clap::Args)]
pub(crate) struct Erase {
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

impl Run for Erase {
    type End = ();
    const ASKS_AWS: bool = false;

    /// To forget everything, what is configured need not be readable.
    fn needs_configuration(&self) -> bool {
        !self.all
    }

    /// What is not said here is no default: it stands for all there are.
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

    fn run(self, app: &mut App, _: Option<Stdin>) -> Result<()> {
        self.address.check_targets(self.targets.len())?;
        app.open_cache_to_forget();
        if self.all {
            return self.everything(app);
        }
        let places = self.places(app)?;
        let aliases = self.aliases(app);
        let wanted = |key: &PassfileKey| {
            places
                .iter()
                .chain(&aliases)
                .any(|place| matches(key, place))
        };
        let output = app.preferences.output;
        let mut errors = Vec::new();
        let mut found: Vec<PassfileKey> = Vec::new();
        let mut has_forgotten_unknown = false;
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let paths = self.passfiles(&index)?;
        for path in &paths {
            match erase_filed(path, &index, output, wanted) {
                Ok(erased) => found.extend(erased),
                Err(error) => errors.push(error),
            }
        }
        if let Some(cache) = app.issuer.cache() {
            let mut ids = Vec::new();
            for (id, record) in &index.records {
                if wanted(&record.key) {
                    ids.push(id.clone());
                    found.push(record.key.clone());
                }
            }
            // What nobody can tell apart any more may be what is to be forgotten; a new token is
            // had at any time.
            let unknown = cache.unknown_entries();
            has_forgotten_unknown = !unknown.is_empty();
            ids.extend(unknown);
            let index_is_lost = cache.has_lost_its_index();
            forget_ids(&ids, cache, output)?;
            if has_forgotten_unknown {
                output.warn(
                    "the cache had tokens of which it did not know any more whose they were; they are erased too",
                );
            }
            if index_is_lost {
                output.warn(
                    "what pgcred knew of its tokens was lost: a passfile that is not the usual one may have some still; \
                     `pgcred erase TARGET --passfile FILE` removes them there",
                );
            }
        }
        let known = |place: &TargetSpec| {
            has_forgotten_unknown || found.iter().any(|key| matches(key, place))
        };
        let missing: Vec<_> = places
            .iter()
            .filter(|place| !known(place))
            .filter_map(|place| place.host.as_deref())
            .collect();
        if !missing.is_empty() && errors.is_empty() {
            let paths: Vec<_> = paths
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            let paths = if paths.is_empty() {
                "no passfile".to_owned()
            } else {
                paths.join(" or ")
            };
            let missing = missing.join(", ");
            errors.push(Error::no_target(format!(
                "{paths} has no token for {missing}, and the cache has none"
            )));
        }
        all_errors(errors, output, |failed| {
            format!("{failed} passfiles were left as they are")
        })
    }
}

/// Removes tokens from a passfile's block, and says so. A file without a block is not touched, nor
/// made; what a writer that was killed left beside it goes in any case.
fn erase_in(
    path: &Path,
    output: Output,
    wanted: impl Fn(&PassfileKey) -> bool,
) -> Result<Vec<PassfileKey>> {
    const MARK: &[u8] = b"# pgcred ";
    fs::clear_leftovers(path)?;
    let Some(text) = fs::read_if_plain(path)? else {
        return Ok(Vec::new());
    };
    if !text.windows(MARK.len()).any(|part| part == MARK) {
        return Ok(Vec::new());
    }
    let erased: Vec<PassfileKey> = passfile::edit(path, output, |passfile| {
        let found = passfile.keys().filter(|key| wanted(key)).cloned().collect();
        passfile.remove(&wanted);
        Ok(found)
    })?;
    let gone = if fs::stamp(path).is_none() {
        "; the file is gone too, for pgcred had made it"
    } else {
        ""
    };
    if !erased.is_empty() {
        output.note(&format!(
            "{}: erased {}{gone}",
            path.display(),
            tokens(erased.len())
        ));
    }
    Ok(erased)
}

/// As [`erase_in`], of a passfile that the index may name: one that has such a token and is out of
/// reach is an error.
pub(super) fn erase_filed(
    path: &Path,
    index: &Index,
    output: Output,
    wanted: impl Fn(&PassfileKey) -> bool,
) -> Result<Vec<PassfileKey>> {
    if index.has_filed(path, &wanted) {
        check_reach(path)?;
    }
    erase_in(path, output, wanted)
}

fn check_reach(path: &Path) -> Result<()> {
    let Presence::OutOfReach(directory) = fs::presence(path) else {
        return Ok(());
    };
    let quoted = quote::posix(&directory.to_string_lossy());
    let directory = directory.display();
    Err(Error::failure(format!("{} may have tokens and cannot be reached", path.display())).hint(format!(
        "make the directory {directory} available again and repeat the command; if it is gone for good: mkdir -p {quoted}, \
         then repeat the command"
    )))
}

/// Removes tokens from the cache, and says so.
pub(super) fn forget_ids(ids: &[String], cache: &Cache, output: Output) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let sealed = ids.iter().filter(|id| cache.has_file(id)).count();
    cache.forget(ids)?;
    if sealed > 0 {
        output.note(&format!("cache: erased {}", tokens(sealed)));
    }
    Ok(())
}

fn tokens(number: usize) -> String {
    if number == 1 {
        "1 token".to_owned()
    } else {
        format!("{number} tokens")
    }
}

/// Removes all that pgcred keeps for itself besides its configuration and what `setup` has written:
/// tokens that are cached, what is known of them, the key, what programs that were killed have
/// left, and root certificates, unless a tool that is set up needs them. Returns what was there.
fn remove_own(app: &mut App) -> Vec<Result<PathBuf>> {
    let output = app.preferences.output;
    let cache = app.issuer.take_cache().and_then(|cache| {
        cache
            .erase()
            .map(|directory| directory.map(PathBuf::from))
            .transpose()
    });
    cache
        .into_iter()
        .chain(remove_sessions(output))
        .chain(remove_roots(output))
        .collect()
}

/// Removes what programs that were killed have left; those that run keep theirs.
fn remove_sessions(output: Output) -> Vec<Result<PathBuf>> {
    let (removed, running) = fs::remove_sessions();
    for directory in running {
        output.note(&format!(
            "{} stays: the program of a `pgcred exec` runs and needs it",
            directory.display()
        ));
    }
    removed
}

/// Removes root certificates, unless a tool that is set up names them.
fn remove_roots(output: Output) -> Vec<Result<PathBuf>> {
    let files = roots::kept();
    if files.is_empty() {
        return Vec::new();
    }
    if Machine::this(None).is_ok_and(|machine| undo::is_anything_left(&machine)) {
        output.note("root certificates stay, for tools that are set up name them; `pgcred setup --undo` first");
        return Vec::new();
    }
    files
        .into_iter()
        .map(|file| roots::remove(&file).map(|()| file))
        .collect()
}

impl Erase {
    /// Goes on where something cannot be erased, and names it.
    fn everything(&self, app: &mut App) -> Result<()> {
        let output = app.preferences.output;
        let mut errors = Vec::new();
        let mut left = Vec::new();
        let mut found = false;
        let index = app.issuer.cache().map(Cache::index).unwrap_or_default();
        let known = index.known_passfiles();
        for path in self.passfiles(&index)? {
            let in_reach = if known.contains(&path) {
                check_reach(&path)
            } else {
                Ok(())
            };
            match in_reach.and_then(|()| erase_in(&path, output, |_| true)) {
                Ok(erased) => found |= !erased.is_empty(),
                Err(error) => {
                    errors.push(error);
                    left.push(path);
                }
            }
        }
        if left.is_empty() {
            for removed in remove_own(app) {
                found |= removed.is_ok();
                match removed {
                    Ok(path) => output.note(&format!("{}: removed", path.display())),
                    Err(error) => errors.push(error),
                }
            }
        } else if let Some(cache) = app.issuer.cache() {
            errors.extend(cache.erase_tokens(left).err());
        }
        if !found && errors.is_empty() {
            output.note("there was nothing to erase");
        }
        all_errors(errors, output, |failed| {
            format!("{failed} places could not be erased")
        })
    }

    /// The passfile that is named, or every one that may hold a token; with `--all` both.
    fn passfiles(&self, index: &Index) -> Result<Vec<PathBuf>> {
        let named = (!self.passfile.is_usual())
            .then(|| self.passfile.path())
            .transpose()?;
        if let (Some(path), false) = (&named, self.all) {
            return Ok(vec![path.clone()]);
        }
        let known = known_passfiles(index);
        let named =
            named.filter(|path| !known.contains(&std::path::absolute(path).unwrap_or_default()));
        Ok(named.into_iter().chain(known).collect())
    }

    /// Where else the passfile files the tokens of connections.
    fn aliases(&self, app: &App) -> Vec<TargetSpec> {
        let config = &app.preferences.config;
        let of_address = |target: Option<&str>| {
            config.at(&self.address.to_target_spec(target).ok()?, None, |_| true)
        };
        let meant = |target: &String| {
            config
                .connection(target)
                .or_else(|| of_address(Some(target)))
        };
        let by_host = of_address(None).filter(|_| self.targets.is_empty());
        let connections = self.targets.iter().filter_map(meant).chain(by_host);
        let of_connection = |connection: &Connection| -> Vec<TargetSpec> {
            let user = self
                .address
                .user
                .clone()
                .or_else(|| connection.target.user.clone());
            let place = |alias: &HostPort| TargetSpec {
                host: Some(alias.host.clone()),
                port: alias.port.or(connection.target.port),
                user: user.clone(),
                ..TargetSpec::default()
            };
            connection.aliases.iter().map(place).collect()
        };
        connections.flat_map(of_connection).collect()
    }

    fn places(&self, app: &App) -> Result<Vec<TargetSpec>> {
        let place = |target: Option<&str>| match target
            .and_then(|name| app.preferences.config.connection(name))
        {
            Some(connection) => Ok(self
                .address
                .to_target_spec(None)?
                .or(connection.target.clone())),
            None => self.address.to_target_spec(target),
        };
        let places: Vec<TargetSpec> = match self.targets.len() {
            0 => vec![place(None)?],
            _ => self
                .targets
                .iter()
                .map(|target| place(Some(target)))
                .collect::<Result<_>>()?,
        };
        if places.iter().any(|place| place.host.is_none()) {
            return Err(Error::usage("no target").hint("name what to forget, or --all"));
        }
        Ok(places)
    }
}

/// Every field that was said has to agree; a cluster ID stands for its endpoint in any region.
fn matches(key: &PassfileKey, place: &TargetSpec) -> bool {
    let host_agrees = place.host.as_deref().is_some_and(|host| {
        let is_id_of_key =
            || provider::of_id(host, "").is_some() && key.host.split('.').next() == Some(host);
        key.host == host || is_id_of_key()
    });
    host_agrees
        && place.port.is_none_or(|port| port == key.port)
        && place.user.as_ref().is_none_or(|user| *user == key.user)
}
