//! The startup message: which user and database the client asks for, and the message that the real
//! server gets instead.

use std::io;

use crate::Kind;
use crate::wire::{FirstPacket, invalid};

/// The option that names the cluster to DSQL if the host name does not.
const CLUSTER_OPTION: &str = "amzn-cluster-id=";

#[derive(Debug)]
pub(crate) struct Startup {
    protocol: u32,
    parameters: Vec<(String, String)>,
    pub(crate) cluster_id: Option<String>,
}

impl Startup {
    pub(crate) fn parse(packet: &FirstPacket) -> io::Result<Self> {
        if packet.code >> 16 != 3 {
            return Err(invalid("only protocol 3 is spoken"));
        }
        let text = std::str::from_utf8(&packet.body)
            .map_err(|_| invalid("a startup parameter is not UTF-8"))?;
        let body = text
            .strip_suffix("\0\0")
            .ok_or_else(|| invalid("the startup packet does not end properly"))?;
        let mut words = body.split('\0');
        let mut startup = Self {
            protocol: packet.code,
            parameters: Vec::new(),
            cluster_id: None,
        };
        while let Some(name) = words.next() {
            let value = words
                .next()
                .ok_or_else(|| invalid("a startup parameter has no value"))?;
            if name == "options" {
                let (rest, id) = take_cluster(value);
                startup.cluster_id = id;
                if !rest.is_empty() {
                    startup.parameters.push((name.to_owned(), rest));
                }
            } else {
                startup.parameters.push((name.to_owned(), value.to_owned()));
            }
        }
        Ok(startup)
    }

    pub(crate) fn user(&self) -> &str {
        self.get("user").unwrap_or_default()
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.parameters
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The message for the real server: without what only DSQL knows, and with DSQL's default
    /// database.
    pub(crate) fn for_upstream(&self, kind: Kind) -> Vec<u8> {
        let mut body = String::new();
        for (name, value) in &self.parameters {
            body.extend([name, "\0", value, "\0"]);
        }
        if kind == Kind::Dsql && self.get("database").is_none_or(str::is_empty) {
            body.push_str("database\0postgres\0");
        }
        body.push('\0');
        FirstPacket {
            code: self.protocol,
            body: body.into_bytes(),
        }
        .to_bytes()
    }
}

/// Splits the `options` parameter into what PostgreSQL understands and the cluster id.
fn take_cluster(options: &str) -> (String, Option<String>) {
    let words = split_words(options);
    let (mut rest, mut id) = (Vec::new(), None);
    let mut words = words.iter().map(String::as_str).peekable();
    while let Some(word) = words.next() {
        // `-c name=value`, `-cname=value` and `--name=value` are one and the same to PostgreSQL.
        let after_c = if word == "-c" {
            words.peek().copied()
        } else {
            None
        };
        let setting = after_c
            .or_else(|| word.strip_prefix("--"))
            .or_else(|| word.strip_prefix("-c"));
        if let Some(value) = setting.and_then(|setting| setting.strip_prefix(CLUSTER_OPTION)) {
            id = Some(value.to_owned());
            if after_c.is_some() {
                words.next();
            }
        } else {
            rest.push(word);
        }
    }
    (rest.join(" "), id)
}

/// Words as PostgreSQL splits them, a backslash keeping the next character; the backslashes stay in
/// the words.
fn split_words(options: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut chars = options.chars();
    while let Some(c) = chars.next() {
        if c.is_ascii_whitespace() {
            words.push(String::new());
        } else if let Some(word) = words.last_mut() {
            word.push(c);
            if c == '\\' {
                word.extend(chars.next());
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(body: &str) -> FirstPacket {
        FirstPacket {
            code: 0x0003_0000,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn the_cluster_option_is_taken_out() {
        for (options, rest, id) in [
            ("-c amzn-cluster-id=abc", "", Some("abc")),
            (
                "-camzn-cluster-id=abc -c geqo=off",
                "-c geqo=off",
                Some("abc"),
            ),
            (
                "-c geqo=off --amzn-cluster-id=abc -c a\\ b=1",
                "-c geqo=off -c a\\ b=1",
                Some("abc"),
            ),
            ("-c geqo=off", "-c geqo=off", None),
            ("-c", "-c", None),
            ("", "", None),
        ] {
            assert_eq!(
                take_cluster(options),
                (rest.to_owned(), id.map(str::to_owned)),
                "{options}"
            );
        }
    }

    #[test]
    fn dsql_goes_to_the_database_postgres() {
        let startup =
            Startup::parse(&packet("user\0admin\0options\0-c amzn-cluster-id=x\0\0")).unwrap();
        assert_eq!(
            (startup.user(), startup.cluster_id.as_deref()),
            ("admin", Some("x"))
        );
        let body = |kind| startup.for_upstream(kind)[8..].to_vec();
        assert_eq!(body(Kind::Dsql), b"user\0admin\0database\0postgres\0\0");
        assert_eq!(body(Kind::Rds), b"user\0admin\0\0");
    }

    #[test]
    fn broken_packets_are_refused() {
        for body in ["", "user\0", "user\0a\0", "user\0a\0b\0\0"] {
            assert!(Startup::parse(&packet(body)).is_err(), "{body:?}");
        }
        assert!(
            Startup::parse(&FirstPacket {
                code: 0x0002_0000,
                body: b"user\0a\0\0".to_vec()
            })
            .is_err()
        );
    }
}
