//! The startup message: which user and database the client asks for, and the message that the real
//! server gets instead.

use std::io;

use crate::Kind;
use crate::dialect::{ONLY_IN_DSQL, PREFIX, is_allowed};
use crate::wire::{FirstPacket, PROTOCOL_3_0, invalid};

/// The option that names the cluster to DSQL if the host name does not.
const CLUSTER_OPTION: &str = "amzn-cluster-id=";

/// What the names of the protocol's own options begin with.
const PROTOCOL_OPTION: &str = "_pq_.";

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

    /// The minor version that the client asks for, and the protocol's options.
    pub(crate) fn wishes(&self) -> (u32, Vec<&str>) {
        let mut options = Vec::new();
        for (name, _) in &self.parameters {
            if name.starts_with(PROTOCOL_OPTION) {
                options.push(name.as_str());
            }
        }
        (self.protocol & 0xffff, options)
    }

    /// The first session parameter that DSQL does not let a client set.
    pub(crate) fn forbidden(&self) -> Option<String> {
        for (name, value) in &self.parameters {
            match name.as_str() {
                "user" | "database" | "replication" => {}
                "options" => {
                    for setting in settings(value) {
                        if !is_allowed(&setting) {
                            return Some(setting);
                        }
                    }
                }
                name if name.starts_with(PROTOCOL_OPTION) || is_allowed(name) => {}
                name => return Some(name.to_ascii_lowercase()),
            }
        }
        None
    }

    /// The database of the session: the user's own name if none is given, as at PostgreSQL.
    pub(crate) fn database(&self) -> &str {
        match self.get("database") {
            Some(name) if !name.is_empty() => name,
            _ => self.user(),
        }
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
    pub(crate) fn for_upstream(&self, kind: Option<Kind>) -> Vec<u8> {
        let mut body = String::new();
        for (name, value) in &self.parameters {
            // The client has been told that they are not known.
            if name.starts_with(PROTOCOL_OPTION) {
                continue;
            }
            if name == ONLY_IN_DSQL {
                body.push_str(PREFIX);
            }
            body.extend([name, "\0", value, "\0"]);
        }
        if kind == Some(Kind::Dsql) && self.get("database").is_none_or(str::is_empty) {
            body.push_str("database\0postgres\0");
        }
        body.push('\0');
        FirstPacket {
            code: PROTOCOL_3_0,
            body: body.into_bytes(),
        }
        .to_bytes()
    }
}

/// The names of the session parameters that the `options` parameter sets.
fn settings(options: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_next = false;
    for word in split_words(options) {
        let setting = if is_next {
            Some(word.as_str())
        } else {
            word.strip_prefix("--").or(word.strip_prefix("-c"))
        };
        is_next = !is_next && word == "-c";
        if let Some((name, _)) = setting.and_then(|setting| setting.split_once('=')) {
            // PostgreSQL takes a dash for an underscore here.
            names.push(name.replace('-', "_").to_ascii_lowercase());
        }
    }
    names
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
        assert_eq!(
            body(Some(Kind::Dsql)),
            b"user\0admin\0database\0postgres\0\0"
        );
        assert_eq!(body(Some(Kind::Rds)), b"user\0admin\0\0");
    }

    #[test]
    fn forbidden_parameters_are_found() {
        for (body, name) in [
            ("user\0a\0", None),
            (
                "user\0a\0DateStyle\0ISO\0client_encoding\0UTF8\0enable_seqscan\0off\0",
                None,
            ),
            (
                "user\0a\0Statement_Timeout\x005\0",
                Some("statement_timeout"),
            ),
            ("options\0-c search_path=a -c role=b\0", None),
            ("options\0-cgeqo=off\0", Some("geqo")),
            ("options\0-c lock-timeout=1\0", Some("lock_timeout")),
            ("options\0--search_path=a --jit=off\0", Some("jit")),
            ("_pq_.x\x001\0", None),
        ] {
            let startup = Startup::parse(&packet(&format!("{body}\0"))).unwrap();
            assert_eq!(startup.forbidden().as_deref(), name, "{body:?}");
        }
    }

    #[test]
    fn the_real_server_sees_protocol_3_0_and_no_options_of_a_newer_one() {
        let startup = Startup::parse(&FirstPacket {
            code: 0x0003_0002,
            body: b"user\0a\0_pq_.x\x001\0\0".to_vec(),
        })
        .unwrap();
        assert_eq!(startup.wishes(), (2, vec!["_pq_.x"]));
        let sent = startup.for_upstream(Some(Kind::Rds));
        assert_eq!(&sent[4..], b"\0\x03\0\0user\0a\0\0");
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
