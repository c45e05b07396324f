//! The command lines that tools are given, whole and quoted, and the templates of dialogs that hold
//! them.

use super::{Machine, Os, Target};
use crate::provider::DEFAULT_LIFE;
use crate::roots::TrustedRoots;
use crate::text::digest::digest;
use crate::text::quote::{self, percent};

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
            words.extend(
                value
                    .into_iter()
                    .flat_map(|value| [option.to_owned(), value]),
            );
        };
        add("--profile", request.profile.clone());
        add("--region", request.region.clone());
        let elsewhere = request.sign_host != request.host || request.sign_port != request.port;
        add(
            "--sign-host",
            elsewhere.then(|| format!("{}:{}", request.sign_host, request.sign_port)),
        );
        if (request.provider.region)(&request.sign_host).is_none() {
            add("--provider", Some(request.provider.name.to_owned()));
        }
        let life = if request.life == request.provider.max_life {
            "max".to_owned()
        } else {
            request.life.to_string()
        };
        add(
            "--expires-in",
            (request.life != DEFAULT_LIFE).then_some(life),
        );
        words
    }

    /// `pgcred COMMAND` for this connection, as words.
    pub(crate) fn words(&self, command: &str, more: &[&str]) -> Vec<String> {
        let request = &self.target.request;
        let mut words = vec![
            self.machine.pgcred.display().to_string(),
            command.to_owned(),
        ];
        words.extend(
            [
                "--host",
                &request.host,
                "--port",
                &request.port.to_string(),
                "--user",
                &request.user,
            ]
            .map(str::to_owned),
        );
        words.extend(self.aws());
        words.extend(more.iter().map(|word| (*word).to_owned()));
        words
    }

    /// The same as a line for the system's shell.
    pub(crate) fn line(&self, command: &str, more: &[&str]) -> String {
        self.line_of(&self.words(command, more))
    }

    fn line_of(&self, words: &[String]) -> String {
        words
            .iter()
            .map(|word| self.machine.os.shell_word(word))
            .collect::<Vec<_>>()
            .join(" ")
    }

    /// `pgcred token` for a URL with the token in it: the same URL without the token is its TARGET,
    /// database and TLS included.
    fn url_words(&self) -> Vec<String> {
        let mut words = vec![
            self.machine.pgcred.display().to_string(),
            "token".to_owned(),
            self.uri(),
        ];
        words.extend(self.aws());
        words.extend(["--format", "url", "--no-newline"].map(str::to_owned));
        words
    }

    /// A command for nvim-dbee, as a string of Go's templates: split at blanks, or run by sh if a
    /// pipe is in it.
    fn go_string(&self, words: &[String]) -> String {
        let splits = words
            .iter()
            .any(|word| word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '|'));
        let line = if splits {
            format!("{} | cat", self.line_of(words))
        } else {
            words.join(" ")
        };
        quote::go(&line)
    }

    /// Fills a template: `{host}`, `{token}` and so on; what a connection does not have is empty.
    ///
    /// `{user:json}` is escaped for a string of JSON or TOML, `{user:url}` for a URL, `{user:xml}`
    /// for XML, `{user:conninfo}` for a libpq connection string, `{user:odbc}` for one of ODBC,
    /// `{user:quotes}` for double quotes, `{user:shell}` for a word of the system's shell. A line
    /// that begins with `{only:dsql}` is there for that provider alone.
    pub(crate) fn fill(&self, template: &str) -> String {
        template
            .split_inclusive('\n')
            .filter_map(|line| self.own_line(line))
            .map(|line| self.fill_in(line))
            .collect()
    }

    /// Returns what there is of a line for this connection's provider.
    fn own_line<'t>(&self, line: &'t str) -> Option<&'t str> {
        let Some((provider, rest)) = line
            .strip_prefix("{only:")
            .and_then(|rest| rest.split_once('}'))
        else {
            return Some(line);
        };
        (provider == self.target.request.provider.name).then_some(rest)
    }

    fn fill_in(&self, template: &str) -> String {
        let mut text = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            text += before;
            let inside = after.split_once('}').map_or("", |(inside, _)| inside);
            let (name, form) = inside.split_once(':').unwrap_or((inside, ""));
            let escaped = |value: String| match form {
                "shell" => Some(self.machine.os.shell_word(&value)),
                _ => escaped(&value, form),
            };
            if let Some(value) = self.value(name).and_then(escaped) {
                text += &value;
                rest = &after[inside.len() + 1..];
            } else {
                text.push('{');
                rest = after;
            }
        }
        text + rest
    }

    fn value(&self, name: &str) -> Option<String> {
        let request = &self.target.request;
        let ending = if self.machine.os == Os::Windows {
            ".exe"
        } else {
            ""
        };
        Some(match name {
            "name" => self.target.name.clone(),
            "host" => request.host.clone(),
            "sign_host" => request.sign_host.clone(),
            "port" => request.port.to_string(),
            "user" => request.user.clone(),
            "dbname" => request.dbname.clone(),
            "profile" => request
                .profile
                .clone()
                .unwrap_or_else(|| "default".to_owned()),
            "region" => request.region.clone().unwrap_or_default(),
            "uuid" => uuid(&format!(
                "{}\n{}",
                self.target.name,
                self.target.request.name()
            )),
            "token" => self.line("token", &[]),
            "token_json" => self.line("token", &["--format", "json"]),
            "token_libpq_json" => self.line("token", &["--format", "libpq-json"]),
            "token_url" => self.line_of(&self.url_words()),
            "token_url_in_go" => self.go_string(&self.url_words()),
            "uri" => self.uri(),
            "roots" => self
                .target
                .roots
                .as_ref()
                .map(TrustedRoots::libpq)
                .unwrap_or_default(),
            "sslmode" => request.sslmode().to_owned(),
            "java_tls" => parameters(&self.target.java_tls()),
            "pgcred_aws" => self
                .machine
                .pgcred
                .with_file_name(format!("pgcred-aws{ending}"))
                .display()
                .to_string(),
            _ => return None,
        })
    }

    /// A URI without a password.
    fn uri(&self) -> String {
        let request = &self.target.request;
        let (user, dbname) = (percent(&request.user), percent(&request.dbname));
        let options = parameters(&self.target.options());
        format!(
            "postgresql://{user}@{}:{}/{dbname}?{options}",
            request.host, request.port
        )
    }
}

/// Returns the parameters of a URI.
fn parameters(options: &[(&str, String)]) -> String {
    options
        .iter()
        .map(|(key, value)| format!("{key}={}", percent(value)))
        .collect::<Vec<_>>()
        .join("&")
}

/// Returns an identifier that is always the same for the same text, in the form of a UUID made from
/// a name.
fn uuid(text: &str) -> String {
    let hex = digest([text]);
    format!(
        "{}-{}-8{}-8{}-{}",
        &hex[..8],
        &hex[8..12],
        &hex[13..16],
        &hex[17..20],
        &hex[20..32]
    )
}

fn escaped(value: &str, form: &str) -> Option<String> {
    Some(match form {
        "json" => quote::json_inside(value),
        "odbc" => quote::odbc(value),
        "quotes" => quote::doubled_inside(value),
        "conninfo" => quote::conninfo(value),
        "url" => percent(value).to_string(),
        "xml" => quote::xml(value),
        "" => value.to_owned(),
        _ => return None,
    })
}
