//! Holds what a command is given: the configuration, the output and the issuer of tokens.
//!
//! It is made once by `needs.rs`, from the options and the file of the configuration. The issuer in
//! it owns the cache, and the locks that keep other processes from asking for the same token;
//! `release` gives them back. The other methods change what a run may do: ask the user, or write
//! files.

use std::time::Duration;

use super::config_file::{ConfigFile, ConfigNeed};
use super::due_file::{self, RefreshState};
use super::options::{GlobalOptions, TokenOptions};
use super::preferences::Preferences;
use crate::authority::AskPolicy;
use crate::authority::LoginPolicy;
use crate::cache::Cache;
use crate::config::{CacheChoice, RequestedLifetime};
use crate::error::{Error, Exit, Result};
use crate::issue::{IssueOptions, IssuedToken, Issuer};
use crate::output::Output;
use crate::provider;
use crate::request::Request;
use crate::resolve;
use crate::sys::env;
use crate::sys::fs;
use crate::sys::paths;
use crate::sys::terminal;
use crate::text::backquoted;
use crate::time::spoken_duration;

pub(crate) struct App {
    pub(super) options: GlobalOptions,
    pub(super) preferences: Preferences,
    pub(super) issuer: Issuer,
}

impl App {
    /// Reads the configuration and opens the cache.
    pub(crate) fn open(options: GlobalOptions, need: ConfigNeed) -> Result<Self> {
        let output = Output {
            quiet: options.quiet,
            debug: options.debug,
        };
        if let Some(home) = paths::own_home() {
            fs::trust::check_owner_of_path(&home)?;
        }
        let ConfigFile {
            config,
            path: config_path,
            changed: config_changed,
        } = ConfigFile::read(options.config.as_deref(), need, output)?;
        provider::define(&config.commands);
        let cache = Cache::open(cache_choice()?.or(config.cache));
        let ask_policy = AskPolicy {
            timeout: Duration::from_secs(options.timeout.0.into()),
            login: options.login.or(config.login).unwrap_or_default(),
            login_asked_for: options.login.is_some(),
            mfa_code: options.mfa_code.clone(),
            terminal: terminal::has_user(),
            in_group: false,
            print_notice: Output::instruct,
            trace: output.debug.then_some(Output::trace),
        };
        Ok(Self {
            options,
            issuer: Issuer::new(ask_policy.clone(), cache),
            preferences: Preferences {
                output,
                ask_policy,
                config,
                config_path,
                config_changed,
            },
        })
    }

    /// Reads the configuration and the cache again.
    pub(super) fn reload(&self) -> Result<Self> {
        Self::open(self.options.clone(), ConfigNeed::Whole)
    }

    /// Issues a token and warns about what went wrong on the way.
    pub(super) fn issue(
        &mut self,
        mut request: Request,
        options: &TokenOptions,
    ) -> Result<(Request, IssuedToken)> {
        if options.no_cache {
            self.release();
        }
        let min_valid = match options.min_valid {
            Some(seconds) => seconds.0,
            None => 0,
        };
        if min_valid > request.lifetime_seconds {
            let requested_lifetime = Some(RequestedLifetime::Seconds(min_valid));
            request.lifetime_seconds = resolve::allowed_lifetime(
                requested_lifetime,
                request.provider,
                self.preferences.config.max_lifetime_seconds,
            )
            .map_err(|error| error.about("--min-valid"))?;
        }
        let options = IssueOptions {
            min_valid,
            fresh: options.fresh,
            for_passfile: false,
            ends_pause: false,
        };
        let preferences = &self.preferences;
        let issued = self.issuer.issue(&request, options, |index| {
            preferences.connections_by_use(index)
        });
        self.print_warnings();
        let issued = issued?;
        request.fill_user(issued.token.user.as_deref());
        warn_if_cut_short(&request, &issued, self.preferences.output);
        Ok((request, issued))
    }

    /// Makes shell hooks look again. The command has done its work by then, so that it only warns
    /// if this fails.
    pub(super) fn forget_due_file(&self) {
        if let Some(Err(error)) = self.issuer.cache().map(Cache::remove_due_files) {
            self.preferences.output.warn(&format!(
                "shell prompts may still show the previous configuration: {error}"
            ));
        }
    }

    /// Opens the cache even if it is switched off, for commands that forget tokens: tokens that
    /// were issued before are in the cache, or the cache knows where they are.
    pub(super) fn open_cache_to_forget(&mut self) {
        if self.issuer.cache().is_none()
            && let Some(cache) = Cache::open(None)
        {
            self.issuer.put_cache(cache);
        }
    }

    /// Never asks the user for a login, whatever the configuration says.
    pub(super) fn never_ask_for_login(&mut self) {
        self.preferences.ask_policy.login = LoginPolicy::Never;
        self.release_locks();
    }

    /// Releases the locks before something that takes time, such as a question to the user. The
    /// cache stays.
    pub(super) fn release_locks(&mut self) {
        self.issuer = Issuer::new(
            self.preferences.ask_policy.clone(),
            self.issuer.take_cache(),
        );
    }

    /// Keeps no token, and asks for no login, because the login would be kept in a file too.
    pub(crate) fn forbid_writes(&mut self, reason: &Error) {
        if let Some(cache) = self.issuer.take_cache() {
            drop(cache);
            self.preferences.output.warn(&format!(
                "tokens are not cached: {reason}; PGCRED_CACHE=none avoids this warning"
            ));
        }
        self.never_ask_for_login();
    }

    /// Tells shell hooks when to refresh and what to show. It does nothing if another configuration
    /// is named, because the hooks' connections are those of the usual one.
    pub(crate) fn update_due_file(&mut self, refreshed: RefreshState) {
        if self.options.config.is_none() {
            due_file::update_due_file(&self.preferences, &mut self.issuer, refreshed);
        }
    }

    /// Releases the locks, so that other processes can ask the authority, and forgets the
    /// credentials.
    pub(super) fn release(&mut self) {
        self.update_due_file(RefreshState::NotRefreshed);
        self.issuer = Issuer::new(self.preferences.ask_policy.clone(), None);
    }

    /// Prints the warnings of the issuer.
    pub(super) fn print_warnings(&self) {
        for warning in self.issuer.take_warnings() {
            self.preferences.output.warn(&warning);
        }
    }
}

/// Returns what `PGCRED_CACHE` says, which takes precedence over the configuration.
fn cache_choice() -> Result<Option<CacheChoice>> {
    let Some(text) = env::var("PGCRED_CACHE") else {
        return Ok(None);
    };
    match CacheChoice::parse(&text) {
        Ok(choice) => Ok(Some(choice)),
        Err(error) => Err(error.about("PGCRED_CACHE")),
    }
}

/// Refuses a token whose user has come with it, if no passfile can hold that user.
pub(super) fn check_user_for_passfile(request: &Request, issued: &IssuedToken) -> Result<()> {
    let Some(user) = &issued.token.user else {
        return Ok(());
    };
    let source = match request.provider.authority.command() {
        Some(name) => format!("the command of {name}"),
        None => request.provider.title.to_owned(),
    };
    for line in request.passfile_lines() {
        line.or_user(user).check().map_err(|error| {
            let user = backquoted(user);
            error
                .about(&format!("{source} printed the user {user}"))
                .exiting(Exit::Failure)
        })?;
    }
    Ok(())
}

/// Warns if a token does not last as long as it was asked to.
pub(super) fn warn_if_cut_short(request: &Request, issued: &IssuedToken, output: Output) {
    if issued.is_cut_short {
        let whole_lifetime = spoken_duration(issued.token.issued_at.until(issued.token.expires_at));
        output.warn(&format!(
            "{}: the token lasts only {whole_lifetime}, because the credentials expire then",
            request.name()
        ));
    }
}
