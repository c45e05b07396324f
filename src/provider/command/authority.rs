//! Makes one definition an authority: who signs is what is run, and its signer hands out what was
//! printed.
//!
//! Its identity is a digest of the words that are run and of the files that the definition watches.
//! If these files change while the command runs, nobody knows whose token was printed, and the
//! command is run once more. A login is the command that the definition names, typed at the
//! terminal; without a terminal it is an error with that command.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;

use super::definition::{CommandDefinition, CommandKind};
use super::invocation;
use super::presets::CommandPreset;
use super::run::{ProgramRun, TimedOutput};
use super::service::PresetService;
use crate::authority::jwt;
use crate::authority::{
    AskPolicy, Authority, CredentialQuery, Identities, Identity, Region, RunNotes, ShellSettings,
    Signer, TokenReading, TokenScope,
};
use crate::error::{Error, ErrorReason, Result};
use crate::sys::{child, env};
use crate::time::Time;
use crate::token::Token;

/// The authority that runs the command of a definition.
pub(super) struct CommandAuthority {
    pub(super) definition: &'static CommandDefinition,
}

impl CommandAuthority {
    fn service(&self) -> &'static PresetService {
        CommandPreset::service_of(&self.definition.name)
    }
}

impl Authority for CommandAuthority {
    fn name(&self) -> &'static str {
        &self.definition.name
    }

    fn title(&self) -> &'static str {
        &self.definition.title
    }

    /// What is run may name host and user. Where it does not, the identities of all scopes are the
    /// same one.
    fn has_identity_per_scope(&self) -> bool {
        true
    }

    fn decides_lifetime(&self) -> bool {
        true
    }

    /// A token of Microsoft Entra has 7 KB, and nobody knows what another command prints.
    fn has_long_tokens(&self) -> bool {
        true
    }

    fn issues_on_request_only(&self) -> bool {
        self.definition.kind == CommandKind::Creates
    }

    fn command(&self) -> Option<&'static str> {
        Some(&self.definition.name)
    }

    fn read_token(&self, text: &str) -> TokenReading {
        match jwt::parts_of(text) {
            Some(parts) => TokenReading::Parts(Box::new(parts)),
            None if self.service().has_only_jwts => TokenReading::NotAToken,
            None => TokenReading::Opaque,
        }
    }

    fn cause_of_server_message(&self, message: &str, _: &str) -> Option<&'static str> {
        let expired = self.service().expired_token?;
        message.contains(expired).then_some("token.expired")
    }

    /// The names live as long as the run, as the definition does: few commands ask for them, each
    /// once.
    fn variables(&self) -> Vec<&'static str> {
        let mut names: Vec<&str> = Vec::new();
        for name in invocation::deciding_variables(self.definition) {
            names.push(name.leak());
        }
        names
    }

    fn shell_settings(&self) -> ShellSettings {
        let mut variables = self.variables();
        variables.retain(|name| env::var_os(name).is_some());
        ShellSettings {
            variables,
            ..ShellSettings::default()
        }
    }

    fn identities(&self) -> Box<dyn Identities> {
        Box::new(CommandIdentities {
            definition: self.definition,
        })
    }
}

struct CommandIdentities {
    definition: &'static CommandDefinition,
}

impl Identities for CommandIdentities {
    fn identity(&self, profile: Option<&str>, scope: Option<&TokenScope<'_>>) -> Rc<dyn Identity> {
        let definition = self.definition;
        let command_line = invocation::invocation_words(definition, profile, scope, None);
        Rc::new(CommandIdentity::new(
            definition,
            profile.map(str::to_owned),
            invocation::digest_of(definition, &command_line),
        ))
    }
}

struct CommandIdentity {
    definition: &'static CommandDefinition,
    profile: Option<String>,
    watched: Vec<PathBuf>,
    digest: String,
    digest_with_login: String,
    login_stamp: OnceCell<String>,
}

impl CommandIdentity {
    fn new(
        definition: &'static CommandDefinition,
        profile: Option<String>,
        digest: String,
    ) -> Self {
        let watched = invocation::watched_files(definition);
        Self {
            definition,
            profile,
            digest_with_login: invocation::digest_of_files(&digest, &watched),
            watched,
            digest,
            login_stamp: OnceCell::new(),
        }
    }

    /// Runs the command. Where the files of the login have changed meanwhile, nobody knows whose
    /// token it is: then it is run once more.
    fn run(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<TimedOutput> {
        let definition = self.definition;
        let profile = self.profile.as_deref();
        let command_line =
            invocation::invocation_words(definition, profile, Some(query.scope), Some(query))?;
        let mut files_before = self.files_now();
        let run = ProgramRun {
            definition,
            command_line: &command_line,
            profile,
        };
        let mut answer = run.run(query, notes)?;
        let mut files_after = self.files_now();
        if files_before != files_after && definition.kind != CommandKind::Creates {
            notes.step(|| "the files of the login have changed: running it again".to_owned());
            files_before = files_after;
            answer = run.run(query, notes)?;
            files_after = self.files_now();
        }
        if files_after != self.digest_with_login {
            notes.set_changed_files();
        }
        if files_before != files_after && definition.kind != CommandKind::Creates {
            return Err(self.unstable_files_error());
        }
        Ok(answer)
    }

    fn files_now(&self) -> String {
        invocation::digest_of_files(&self.digest, &self.watched)
    }

    fn stamp_now(&self) -> String {
        invocation::stamp_of_files(&self.digest, &self.watched)
    }

    fn unstable_files_error(&self) -> Error {
        let name = &self.definition.name;
        Error::failure(format!(
            "the files that command.{name} watches change with every run"
        ))
        .hint(format!(
            "watch only files that a login changes: `watch` in [command.{name}]"
        ))
        .because(ErrorReason::ProgramFailed)
    }
}

impl Identity for CommandIdentity {
    fn digest(&self) -> &str {
        &self.digest
    }

    fn digest_with_login(&self) -> &str {
        &self.digest_with_login
    }

    fn login_stamp(&self) -> &str {
        self.login_stamp.get_or_init(|| self.stamp_now())
    }

    /// A program that has written the same bytes again while it ran has not logged in: each failure
    /// would end the pause after it.
    fn stamp_of_failure(&self, stamp_before: String) -> String {
        if self.files_now() == self.digest_with_login {
            self.stamp_now()
        } else {
            stamp_before
        }
    }

    fn login_paths(&self) -> Vec<PathBuf> {
        self.watched.clone()
    }

    fn reload(&self) -> Rc<dyn Identity> {
        Rc::new(Self::new(
            self.definition,
            self.profile.clone(),
            self.digest.clone(),
        ))
    }

    fn trace_identity(&self, _: Option<&Region>, notes: &RunNotes) {
        notes.step(|| format!("command.{} prints the tokens", self.definition.name));
        for file in &self.watched {
            notes.step(|| format!("its login is in {}", file.display()));
        }
    }

    /// Types the login command of the definition at the terminal.
    fn log_in(&self, ask_policy: &AskPolicy, notes: &RunNotes) -> Result<bool> {
        let name = &self.definition.name;
        let profile = self.profile.as_deref();
        let (Some(command_line), Some(login_text)) = (
            self.definition.login_words(profile),
            self.definition.login_text(profile),
        ) else {
            return Err(
                Error::usage(format!("command.{name} does not say how to log in"))
                    .hint(format!("add `login = \"COMMAND\"` to [command.{name}]")),
            );
        };
        if !ask_policy.terminal {
            return Err(Error::login("there is no terminal to log in at")
                .hint(format!("run `{login_text}` at a terminal, then try again")));
        }
        notes.step(|| format!("running {login_text}"));
        let status = child::run_at_terminal(&command_line)?;
        if !status.success() {
            return Err(
                Error::login(format!("`{login_text}` ended with {status}")).hint(format!(
                    "read what it printed above, then run `{login_text}` by hand"
                )),
            );
        }
        Ok(true)
    }

    fn signer(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<Rc<dyn Signer>> {
        let answer = self.run(query, notes);
        let stamp = self.login_stamp.get();
        if answer.is_err() && stamp.is_some_and(|stamp| *stamp != self.stamp_now()) {
            notes.set_changed_files();
        }
        Ok(Rc::new(CommandSigner {
            timed_output: answer?,
            definition: self.definition,
        }))
    }
}

/// Hands out the token that was printed, for every scope of the identity.
struct CommandSigner {
    timed_output: TimedOutput,
    definition: &'static CommandDefinition,
}

impl CommandSigner {
    /// Returns when the command is to be run again for a token that ends then.
    fn fresh_until(&self, expires_at: Time) -> Option<Time> {
        let started_at = self.timed_output.started_at;
        let lifetime_seconds = started_at.until(expires_at);
        match self.definition.kind {
            CommandKind::Mint => None,
            CommandKind::Creates => Some(started_at.plus(lifetime_seconds - lifetime_seconds / 10)),
            CommandKind::Caches => {
                // It prints no other token before that. If it is late, the pause until it is asked
                // again is half of what is left.
                let spared_seconds = lifetime_seconds.saturating_sub(self.definition.spare_seconds);
                Some(started_at.plus(spared_seconds.max(lifetime_seconds / 2)))
            }
        }
    }
}

impl Signer for CommandSigner {
    fn issue(
        &self,
        _: &TokenScope<'_>,
        _: Option<&Region>,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<Token> {
        let TimedOutput { answer, started_at } = &self.timed_output;
        let expires_at = answer.expires_at.min(now.plus(lifetime_seconds));
        if expires_at <= now {
            return Err(
                Error::login("the token that was printed has expired already")
                    .hint("try again; if that does not help, check the clock of this machine")
                    .because(ErrorReason::Expired),
            );
        }
        let mut token = Token::new(answer.token.clone(), *started_at, expires_at);
        if let Some(fresh_until) = self.fresh_until(expires_at) {
            token = token.with_fresh_until(fresh_until);
        }
        Ok(token.with_user(answer.user.clone()))
    }
}

#[cfg(test)]
mod tests;
