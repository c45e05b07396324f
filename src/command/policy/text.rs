//! Writes the forms of the answer: text with headings for people, and SQL with comments. It is
//! pure.
//!
//! Names of users stand in SQL exactly as they are. What stands in a comment or a heading has no
//! newline, so that nothing can leave its line.

use crate::authority::AccessPolicy;
use crate::provider::SqlStep;
use crate::request::Request;
use crate::text::{printable, quote};

/// How wide a comment is at most.
const WIDTH: usize = 96;

/// What is printed.
pub(super) struct PolicyAnswer {
    pub(super) authority: &'static str,
    /// Who has to get the policy, for a sentence.
    pub(super) principal: String,
    pub(super) access: AccessPolicy,
    pub(super) sql: PolicySql,
}

/// What the database needs.
pub(super) enum PolicySql {
    /// pgcred knows no SQL for servers of this kind.
    Unknown(&'static str),
    /// Nothing, for this reason: a sentence.
    NotNeeded(String),
    Steps {
        /// Who types it: the end of a sentence.
        administrator: String,
        /// What opens a session of that user, if pgcred can.
        session: Option<String>,
        steps: Vec<SqlStep>,
        remark: &'static str,
    },
}

impl PolicyAnswer {
    /// Returns everything, with headings.
    pub(super) fn text(&self) -> String {
        let access = &self.access;
        let heading = format!("{} policy, for {}", self.authority, self.principal);
        let mut sections = vec![headed_section(&heading, &access.document)];
        if let Some(command) = &access.enabling {
            let heading = "Server: it has to take tokens. Type this, unless it does already:";
            sections.push(headed_section(heading, &printable(command)));
        }
        sections.push(match &self.sql {
            PolicySql::NotNeeded(reason) => {
                wrap_in_lines("SQL: ", "", &format!("none is needed. {reason}"))
            }
            PolicySql::Unknown(title) => format!("SQL: pgcred knows none for {title}.\n"),
            PolicySql::Steps { .. } => headed_section("SQL:", self.sql().trim_end()),
        });
        let placeholder_lines = self.placeholders(&sections.concat());
        if !placeholder_lines.is_empty() {
            sections.push(headed_section(
                "Still to be filled in:",
                &placeholder_lines.join("\n"),
            ));
        }
        if !access.notes.is_empty() {
            let notes = access.notes.iter();
            let notes: String = notes.map(|note| wrap_in_lines("- ", "  ", note)).collect();
            sections.push(headed_section("Notes:", notes.trim_end()));
        }
        sections.join("\n")
    }

    /// Returns the SQL with comments; where there is none, a comment that says so.
    pub(super) fn sql(&self) -> String {
        let (administrator, session, steps, remark) = match &self.sql {
            PolicySql::NotNeeded(reason) => {
                return sql_comment(&format!("No SQL is needed. {reason}"));
            }
            PolicySql::Unknown(title) => {
                return sql_comment(&format!("pgcred knows no SQL for {title}."));
            }
            PolicySql::Steps {
                administrator,
                session,
                steps,
                remark,
            } => (administrator, session, steps, remark),
        };
        let mut text = sql_comment(&format!("To be typed by {administrator}."));
        if let Some(session) = session {
            // In one line, to be copied.
            text.extend(["--   ", &printable(session), "\n"]);
        }
        text.push_str(&sql_comment(remark));
        for step in steps {
            text.extend(["\n", &sql_comment(step.purpose), &step.statement, "\n"]);
        }
        text
    }

    /// Returns the notes for a form that has no place for them, one in a line.
    pub(super) fn remarks(&self, printed_text: &str) -> Vec<String> {
        let mut remarks = self.placeholders(printed_text);
        remarks.extend(self.access.notes.iter().cloned());
        remarks
    }

    /// Returns what to type for each word in the text that stands for something unknown.
    fn placeholders(&self, printed_text: &str) -> Vec<String> {
        let mut lines = Vec::new();
        for placeholder in &self.access.placeholders {
            if !printed_text.contains(placeholder.word) {
                continue;
            }
            lines.push(if placeholder.command.is_empty() {
                format!("{}: name it on the command line", placeholder.word)
            } else {
                format!("{}: {}", placeholder.word, printable(&placeholder.command))
            });
        }
        lines
    }
}

/// Returns who has to get the policy of a login.
pub(super) fn principal_in_words(access: &AccessPolicy) -> String {
    let description = "the role or user that signs the tokens";
    match &access.principal {
        Some(principal)
            if access
                .placeholders
                .iter()
                .all(|placeholder| placeholder.word != principal) =>
        {
            format!("{description}: {principal}")
        }
        _ => description.to_owned(),
    }
}

/// Returns who types the SQL, for the end of a sentence.
pub(super) fn typed_by(administrator: Option<&str>) -> String {
    match administrator {
        Some(user) => format!("the user {user}"),
        None => "the master user, or by another user that may create roles".to_owned(),
    }
}

/// Returns why the user of every server needs no SQL.
pub(super) fn no_sql_for_administrator(request: &Request) -> String {
    let user = &request.user;
    format!("{user} is in every server of {}.", request.provider.title)
}

/// Returns why the user that a server was made with needs no SQL.
pub(super) fn no_sql_for_master_user(request: &Request) -> String {
    let user = &request.user;
    format!(
        "{user} is the master user of the server. Where the server was made without a password \
         for it, it takes tokens already. Otherwise let it keep its password, and make another \
         user for tokens: --user NAME."
    )
}

/// Returns the command that opens a session as another user.
pub(super) fn session_command(request: &Request, user: &str) -> String {
    let target = request.connection.as_ref().unwrap_or(&request.host);
    let (target, user) = (quote::typed(target), quote::typed(user));
    match &request.profile {
        Some(profile) if request.connection.is_none() => {
            let profile = quote::typed(profile);
            format!("pgcred exec {target} --profile {profile} --user {user} -- psql")
        }
        _ => format!("pgcred exec {target} --user {user} -- psql"),
    }
}

fn headed_section(heading: &str, body: &str) -> String {
    format!("{}\n\n{body}\n", printable(heading))
}

/// Returns a text as comments of SQL.
fn sql_comment(text: &str) -> String {
    wrap_in_lines("-- ", "-- ", text)
}

/// Returns a text in lines of one width. A newline in it is shown as `\n`.
fn wrap_in_lines(first: &str, next: &str, text: &str) -> String {
    let text = printable(text);
    let (mut lines, mut line) = (String::new(), String::new());
    for word in text.split(' ') {
        let width = line.chars().count() + 1 + word.chars().count();
        if line.is_empty() {
            line.push_str(first);
        } else if width > WIDTH {
            lines.extend([&line, "\n"]);
            line.clear();
            line.push_str(next);
        } else {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines + &line + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_stays_a_comment() {
        let long = "word ".repeat(60) + "a\nDROP TABLE x;\r\u{2028}end";
        let text = sql_comment(&long);
        assert!(text.lines().all(|line| line.starts_with("-- ")), "{text}");
        assert!(text.lines().all(|line| line.len() <= 110), "{text}");
        assert!(text.lines().count() > 2, "{text}");
    }
}
