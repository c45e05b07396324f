//! The command lines that tools are given, whole and quoted, and the templates of dialogs that hold them.

use super::{Machine, Os, Target};
use crate::encode::percent;

/// The command lines of one connection on one machine.
pub(crate) struct Commands<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) target: &'a Target,
}

impl Commands<'_> {
    /// What names the AWS side, in every command: nothing is left to a desktop's environment.
    pub(crate) fn aws(&self) -> Vec<String> {
        let request = &self.target.request;
        let mut words = Vec::new();
        let mut add = |option: &str, value: Option<String>| {
            words.extend(value.into_iter().flat_map(|value| [option.to_owned(), value]));
        };
        add("--profile", request.profile.clone());
        add("--region", request.region.clone());
        let elsewhere = request.sign_host != request.host || request.sign_port != request.port;
        add("--sign-host", elsewhere.then(|| format!("{}:{}", request.sign_host, request.sign_port)));
        if (request.provider.region)(&request.sign_host).is_none() {
            add("--provider", Some(request.provider.name.to_owned()));
        }
        words
    }

    /// `pgcred COMMAND` for this connection, as words.
    pub(crate) fn words(&self, command: &str, more: &[&str]) -> Vec<String> {
        let request = &self.target.request;
        let mut words = vec![self.machine.pgcred.display().to_string(), command.to_owned()];
        words.extend(
            ["--host", &request.host, "--port", &request.port.to_string(), "--user", &request.user].map(str::to_owned),
        );
        words.extend(self.aws());
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words
    }

    /// The same as a line for the system's shell.
    pub(crate) fn line(&self, command: &str, more: &[&str]) -> String {
        self.words(command, more).iter().map(|word| self.quoted(word)).collect::<Vec<_>>().join(" ")
    }

    /// Quotes a word for sh, or for cmd.exe.
    pub(crate) fn quoted(&self, word: &str) -> String {
        let plain = |c: char| {
            c.is_ascii_alphanumeric() || "_-./:=,@+".contains(c) || (c == '\\' && self.machine.os == Os::Windows)
        };
        match self.machine.os {
            _ if !word.is_empty() && word.chars().all(plain) => word.to_owned(),
            Os::Windows => format!("\"{word}\""),
            Os::Linux | Os::Mac => format!("'{}'", word.replace('\'', r"'\''")),
        }
    }

    /// Fills a template: `{host}`, `{token}` and so on; what a connection does not have is empty.
    pub(crate) fn fill(&self, template: &str) -> String {
        let request = &self.target.request;
        let (user, dbname) = (percent(&request.user), percent(&request.dbname));
        let uri = format!("postgresql://{user}@{}:{}/{dbname}?sslmode=verify-full", request.host, request.port);
        let region = request.region.clone().unwrap_or_default();
        let pgcred_aws = self.machine.pgcred.with_file_name(if self.machine.os == Os::Windows {
            "pgcred-aws.exe"
        } else {
            "pgcred-aws"
        });
        let values = [
            ("{name}", self.target.name.clone()),
            ("{host}", request.host.clone()),
            ("{port}", request.port.to_string()),
            ("{user}", request.user.clone()),
            ("{dbname}", request.dbname.clone()),
            ("{profile}", request.profile.clone().unwrap_or_else(|| "default".to_owned())),
            ("{region}", region),
            ("{token}", self.line("token", &[])),
            ("{token_json}", self.line("token", &["--format", "json"])),
            ("{token_libpq_json}", self.line("token", &["--format", "libpq-json"])),
            ("{token_url}", self.line("token", &["--format", "url", "--no-newline"])),
            ("{token_urlencoded}", self.line("token", &["--format", "urlencoded", "--no-newline"])),
            ("{refresh}", self.line("refresh", &["--quiet"])),
            ("{uri}", uri),
            ("{passfile}", self.machine.passfile.display().to_string()),
            ("{pgcred_aws}", pgcred_aws.display().to_string()),
        ];
        values.iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
    }
}
