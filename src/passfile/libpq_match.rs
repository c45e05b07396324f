//! Tells what libpq takes from a passfile for one look-up, and which line would match but for one
//! field. It tells numbers of lines, times and kinds of passwords, and never what a line contains.

use crate::passfile::block::PassfileLine;
use crate::passfile::line::{PassfileQuery, fields, first_match, unescape};
use crate::passfile::survey::{is_entry, user_lines};
use crate::text::host;
use crate::time::Time;

/// The line that libpq takes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct PassfileMatch {
    /// Its number in the file.
    pub(crate) line: usize,
    /// Whether it stands in pgcred's block.
    pub(crate) is_pgcreds: bool,
    pub(crate) password: PasswordKind,
}

/// What kind of password a line has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PasswordKind {
    /// None: libpq looks no further, and asks.
    Empty,
    /// A token, which expires then.
    Token(Time),
    /// No token.
    Other,
    /// Perhaps a token: those of the target say nothing by which they are known.
    Unreadable,
}

/// The one field in which a line differs from what is looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineDifference {
    /// The same name in other letters.
    Case,
    /// A dot at the end of one of the names.
    Dot,
    /// Both are this machine, by different names.
    Loopback,
    Port,
    User,
    Database,
}

impl PasswordKind {
    /// `kind` tells tokens from other texts.
    pub(crate) fn from_password(password: &[u8], kind: impl Fn(&str) -> Self) -> Self {
        if password.is_empty() {
            return Self::Empty;
        }
        let Ok(text) = std::str::from_utf8(password) else {
            return Self::Other;
        };
        kind(text)
    }
}

impl LineDifference {
    /// Returns the difference as a clause about the line.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Case => "writes the host in other letters, upper or lower case",
            Self::Dot => "has a dot at the end of the host, or lacks it",
            Self::Loopback => "names this machine otherwise: localhost and 127.0.0.1 are two hosts",
            Self::Port => "has another port",
            Self::User => "has another user",
            Self::Database => "has another database",
        }
    }
}

/// Returns the line that libpq takes for a passfile line and a database. `kind` tells tokens from
/// other passwords.
pub(crate) fn libpq_match(
    text: &[u8],
    wanted_line: &PassfileLine,
    dbname: &str,
    kind: impl Fn(&str) -> PasswordKind,
) -> Option<PassfileMatch> {
    let port = wanted_line.port.to_string();
    let query = PassfileQuery {
        host: wanted_line.host.as_bytes(),
        port: port.as_bytes(),
        dbname: Some(dbname.as_bytes()),
        user: wanted_line.user.as_bytes(),
    };
    let (line, password) = first_match(text, query)?;
    let is_pgcreds = !user_lines(text).iter().any(|(number, _)| *number == line);
    Some(PassfileMatch {
        line,
        is_pgcreds,
        password: PasswordKind::from_password(&password, kind),
    })
}

/// Returns the user's first line that would match but for one field.
pub(crate) fn near_miss(
    text: &[u8],
    wanted_line: &PassfileLine,
    dbname: &str,
) -> Option<(usize, LineDifference)> {
    for (number, line) in user_lines(text) {
        if is_entry(line)
            && let Some(difference) = only_difference(line, wanted_line, dbname)
        {
            return Some((number, difference));
        }
    }
    None
}

fn only_difference(
    line: &[u8],
    wanted_line: &PassfileLine,
    dbname: &str,
) -> Option<LineDifference> {
    let fields: Vec<String> = fields(line).into_iter().map(plain_field).collect();
    let [host, port, database, user, ..] = fields.as_slice() else {
        return None;
    };
    let mut differences = Vec::new();
    if !field_matches(host, &wanted_line.host) {
        differences.push(difference_of_hosts(host, &wanted_line.host)?);
    }
    if !field_matches(port, &wanted_line.port.to_string()) {
        differences.push(LineDifference::Port);
    }
    if !field_matches(database, dbname) {
        differences.push(LineDifference::Database);
    }
    if !field_matches(user, &wanted_line.user) {
        differences.push(LineDifference::User);
    }
    match differences.as_slice() {
        // A line for every host says nothing of this one.
        [one] if host != "*" => Some(*one),
        _ => None,
    }
}

fn plain_field(field: &[u8]) -> String {
    String::from_utf8_lossy(&unescape(field)).into_owned()
}

fn field_matches(field: &str, value: &str) -> bool {
    field == "*" || field == value
}

fn difference_of_hosts(one: &str, other: &str) -> Option<LineDifference> {
    if host::is_loopback(one) && host::is_loopback(other) {
        return Some(LineDifference::Loopback);
    }
    if one.eq_ignore_ascii_case(other) {
        return Some(LineDifference::Case);
    }
    let (one, other) = (one.trim_end_matches('.'), other.trim_end_matches('.'));
    if one.eq_ignore_ascii_case(other) {
        return Some(LineDifference::Dot);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted_line(host: &str) -> PassfileLine {
        PassfileLine {
            host: host.to_owned(),
            port: 5432,
            user: "me".to_owned(),
        }
    }

    #[test]
    fn the_answer_names_its_line_and_the_kind_of_its_password() {
        let token = "token";
        let time = Time::from_compact("20260101T001500Z").expect("a time");
        let kind = |password: &str| match password {
            _ if password == token => PasswordKind::Token(time),
            _ => PasswordKind::Other,
        };
        for (text, expected) in [
            ("h:5432:*:me:pw\n", Some((1, false, PasswordKind::Other))),
            ("# a\nh:5432:*:me:\n", Some((2, false, PasswordKind::Empty))),
            ("h:5432:*:you:pw\n", None),
            ("h:5432:other:me:pw\n", None),
            (
                &format!("x\n*:*:*:*:{token}\n"),
                Some((2, false, PasswordKind::Token(time))),
            ),
            (
                &format!(
                    "# pgcred begin\n# expires 20260101T001500Z\n\
                     h:5432:*:me:{token}\n# pgcred end\n"
                ),
                Some((3, true, PasswordKind::Token(time))),
            ),
        ] {
            let expected = expected.map(|(line, is_pgcreds, password)| PassfileMatch {
                line,
                is_pgcreds,
                password,
            });
            let found = libpq_match(text.as_bytes(), &wanted_line("h"), "db", kind);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_line_that_differs_in_one_field_is_found() {
        for (line, host, expected) in [
            (
                "DB.Example:5432:*:me:p",
                "db.example",
                Some(LineDifference::Case),
            ),
            (
                "db.example.:5432:*:me:p",
                "db.example",
                Some(LineDifference::Dot),
            ),
            (
                "127.0.0.1:5432:*:me:p",
                "localhost",
                Some(LineDifference::Loopback),
            ),
            ("h:5433:*:me:p", "h", Some(LineDifference::Port)),
            ("h:5432:*:you:p", "h", Some(LineDifference::User)),
            ("h:5432:other:me:p", "h", Some(LineDifference::Database)),
            ("h:5433:*:you:p", "h", None),
            ("other:5432:*:me:p", "h", None),
            ("*:5433:*:me:p", "h", None),
            ("h:5432:*:me:p", "h", None),
            ("# h:5433:*:me:p", "h", None),
            ("h", "h", None),
        ] {
            let found = near_miss(line.as_bytes(), &wanted_line(host), "db");
            assert_eq!(found, expected.map(|difference| (1, difference)), "{line}");
        }
    }
}
