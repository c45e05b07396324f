//! Makes the command lines that tools are given for a connection: as words, and quoted for a shell.
//!
//! Everything is named by options, because a program that the desktop starts has none of the
//! variables of the user's shell, and a short PATH.

use super::{Machine, ToolTarget};
use crate::text::quote::{self, percent};

/// The command lines of one connection on one machine.
pub(crate) struct CommandLines<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) target: &'a ToolTarget,
}

impl CommandLines<'_> {
    /// Returns the options that say who signs, and for what.
    fn signing_options(&self) -> Vec<String> {
        let request = &self.target.request;
        let mut options: Vec<String> = Vec::new();
        if let Some(profile) = &request.profile {
            options.extend(["--profile".to_owned(), profile.clone()]);
        }
        if let Some(region) = &request.region {
            options.extend(["--region".to_owned(), region.to_string()]);
        }
        if request.sign_host != request.host || request.sign_port != request.port {
            let endpoint = format!("{}:{}", request.sign_host, request.sign_port);
            options.extend(["--sign-host".to_owned(), endpoint]);
        }
        if (request.provider.region_of)(&request.sign_host).is_none() {
            options.extend(["--provider", request.provider.name].map(str::to_owned));
        }
        if request.lifetime_seconds != request.provider.default_lifetime_seconds {
            let expires_in = if request.lifetime_seconds == request.provider.max_lifetime_seconds {
                "max".to_owned()
            } else {
                request.lifetime_seconds.to_string()
            };
            options.extend(["--expires-in".to_owned(), expires_in]);
        }
        options
    }

    pub(super) fn program(&self) -> String {
        self.machine.pgcred.display().to_string()
    }

    /// Returns `pgcred COMMAND` for this connection, as words.
    pub(crate) fn words(&self, command: &str, options: &[&str]) -> Vec<String> {
        let request = &self.target.request;
        let mut command_line = vec![
            self.program(),
            command.to_owned(),
            "--host".to_owned(),
            request.host.clone(),
            "--port".to_owned(),
            request.port.to_string(),
            "--user".to_owned(),
            request.user.clone(),
        ];
        command_line.extend(self.signing_options());
        command_line.extend(options.iter().map(|word| (*word).to_owned()));
        command_line
    }

    /// Returns the same as a line for the system's shell.
    pub(crate) fn line(&self, command: &str, options: &[&str]) -> String {
        self.line_of(&self.words(command, options))
    }

    /// Returns the command that prints the password: a token, or the local password of the gateway.
    pub(crate) fn password_words(&self) -> Vec<String> {
        if !self.target.uses_gateway {
            return self.words("token", &[]);
        }
        let mut command_line = vec![self.program()];
        command_line.extend(["proxy", "--password", &self.target.name].map(str::to_owned));
        if let Some(file) = &self.machine.named_config {
            command_line.extend(["--config".to_owned(), file.display().to_string()]);
        }
        command_line
    }

    pub(crate) fn password_line(&self) -> String {
        self.line_of(&self.password_words())
    }

    fn line_of(&self, command_line: &[String]) -> String {
        let os = self.machine.os;
        let quoted_words: Vec<String> = command_line
            .iter()
            .map(|word| os.shell_word(word))
            .collect();
        quoted_words.join(" ")
    }

    /// Returns `pgcred token` for a URL with the token in it. The same URL without the token is its
    /// TARGET, with database and TLS.
    fn url_words(&self) -> Vec<String> {
        let mut command_line = vec![self.program(), "token".to_owned(), self.uri()];
        command_line.extend(self.signing_options());
        command_line.extend(["--format", "url", "--no-newline"].map(str::to_owned));
        command_line
    }

    pub(super) fn url_line(&self) -> String {
        self.line_of(&self.url_words())
    }

    /// Returns the command for nvim-dbee, as a string of Go's templates. nvim-dbee splits it at
    /// blanks; only a command with a pipe in it is run by sh, which knows quotes.
    pub(super) fn url_line_in_go(&self) -> String {
        let command_line = self.url_words();
        let needs_quotes = |word: &String| {
            word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '|')
        };
        let line = if command_line.iter().any(needs_quotes) {
            format!("{} | cat", self.line_of(&command_line))
        } else {
            command_line.join(" ")
        };
        quote::go(&line)
    }

    /// Returns a libpq URI without a password.
    pub(super) fn uri(&self) -> String {
        let request = &self.target.request;
        let (user, dbname) = (percent(&request.user), percent(&request.dbname));
        let (host, port) = (&request.host, request.port);
        let options = uri_parameters(&self.target.options());
        format!("postgresql://{user}@{host}:{port}/{dbname}?{options}")
    }
}

/// Returns the parameters of a URI.
pub(super) fn uri_parameters(options: &[(&str, String)]) -> String {
    let pairs: Vec<String> = options
        .iter()
        .map(|(key, value)| format!("{key}={}", percent(value)))
        .collect();
    pairs.join("&")
}
