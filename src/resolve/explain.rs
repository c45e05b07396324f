//! Writes the line of `--debug` that says where each value of a request came from.
//!
//! `sources` keeps each value with its source, `precedence` chooses among them, and this file only
//! writes the outcome: each value with the option, variable, connection or rule that said it.

use std::fmt::{Display, Write as _};

use super::precedence::MergedTarget;
use super::sources::ValueSource;
use crate::config::{Config, HostRule};
use crate::request::Request;

/// The sources of a request's values, kept until the request is there.
pub(super) struct ValueSources {
    host: ValueSource,
    port: ValueSource,
    user: ValueSource,
    dbname: ValueSource,
    profile: ValueSource,
    region: ValueSource,
    sign_host: ValueSource,
    provider: ValueSource,
    roots: ValueSource,
    lifetime: ValueSource,
    /// The host before a cluster ID was completed, for which the match rules were asked.
    dialled: String,
}

impl ValueSources {
    pub(super) fn from_merged(merged_target: &MergedTarget<'_>) -> Self {
        let values = &merged_target.values;
        Self {
            host: values.host.source,
            port: values.port.source,
            user: values.user.source,
            dbname: values.dbname.source,
            profile: values.profile.source,
            region: values.region.source,
            sign_host: values.sign_host.source,
            provider: values.provider.source,
            roots: values.roots.source,
            lifetime: values.lifetime.source,
            dialled: values.host.value.clone().unwrap_or_default(),
        }
    }

    /// Returns each value of the request with its source, in one line.
    pub(super) fn explain(&self, request: &Request, config: &Config) -> String {
        let mut line = RequestExplanation {
            text: String::from("request:"),
            connection: request.connection.as_deref(),
            dialled: &self.dialled,
            config,
        };
        let provider = format!("default of {}", request.provider.name);
        line.add("host", &request.host, self.host, "default", |_| false);
        line.add("port", request.port, self.port, "default", |_| false);
        line.add("user", &request.user, self.user, &provider, |rule| {
            rule.user.is_some()
        });
        line.add("dbname", &request.dbname, self.dbname, &provider, |_| false);
        if let Some(profile) = &request.profile {
            line.add("profile", profile, self.profile, "default", |rule| {
                rule.profile.is_some()
            });
        }
        if let Some(region) = &request.region {
            line.add("region", region, self.region, "from the host", |rule| {
                rule.region.is_some()
            });
        }
        if self.sign_host != ValueSource::Default {
            let endpoint = format!("{}:{}", request.sign_host, request.sign_port);
            line.add("sign-host", endpoint, self.sign_host, "default", |_| false);
        }
        let name = request.provider.name;
        line.add("provider", name, self.provider, "from the host", |rule| {
            rule.provider.is_some()
        });
        if let Some(roots) = &request.roots {
            line.add("roots", roots, self.roots, "default", |rule| {
                rule.roots.is_some()
            });
        }
        let seconds = format!("{} s", request.lifetime_seconds);
        line.add("expires-in", seconds, self.lifetime, "default", |rule| {
            rule.lifetime.is_some()
        });
        line.text
    }
}

struct RequestExplanation<'a> {
    text: String,
    connection: Option<&'a str>,
    dialled: &'a str,
    config: &'a Config,
}

impl RequestExplanation<'_> {
    /// Adds `NAME VALUE (SOURCE)`. `has_value` tells whether a match rule says this value.
    fn add(
        &mut self,
        name: &str,
        value: impl Display,
        source: ValueSource,
        default: &str,
        has_value: fn(&HostRule) -> bool,
    ) {
        let source = match source {
            ValueSource::Default => default.to_owned(),
            ValueSource::Option(option) => option.to_owned(),
            ValueSource::Target => "TARGET".to_owned(),
            ValueSource::Variable(variable) => variable.to_owned(),
            ValueSource::Connection => {
                format!("connection `{}`", self.connection.unwrap_or_default())
            }
            ValueSource::MatchRule => match self.config.rule_number(self.dialled, has_value) {
                Some(number) => format!("match rule {number}"),
                None => "match rule".to_owned(),
            },
        };
        let comma = if self.text.ends_with(':') { "" } else { "," };
        let _ = write!(self.text, "{comma} {name} {value} ({source})"); // a String takes any text
    }
}
