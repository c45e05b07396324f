//! Fills in placeholders: what of a command depends on the case, such as {host}.
//!
//! It is pure. Values are quoted for a shell, so that a command can be copied. What is not known
//! stands as a word in capital letters, which the user replaces.

use crate::text::quote;

/// What is known of the case. The rest is shown in capital letters.
#[derive(Clone, Default)]
pub(crate) struct CausePlaceholders {
    /// The name of the authority whose user is told (`Authority::name`). It fills in nothing: what
    /// is true of other authorities alone is left out.
    pub(crate) authority: Option<&'static str>,
    /// What the user calls the target: the name of a connection, or a host.
    pub(crate) target: Option<String>,
    pub(crate) host: Option<String>,
    pub(crate) port: Option<String>,
    pub(crate) user: Option<String>,
    pub(crate) profile: Option<String>,
    pub(crate) region: Option<String>,
    /// A tool as `pgcred setup` calls it.
    pub(crate) tool: Option<String>,
    /// The name of the IAM role that signs.
    pub(crate) role: Option<String>,
    /// The file that is meant, such as a passfile.
    pub(crate) file: Option<String>,
}

/// The end of a placeholder that stands in SQL as an identifier: {user.sql}.
const IN_SQL: &str = ".sql";

impl CausePlaceholders {
    /// Returns a command with what is known, quoted for the usual shell of this system or for SQL.
    pub(super) fn fill(&self, template: &str) -> String {
        let mut command = String::new();
        let mut rest = template;
        while let Some((before, after)) = rest.split_once('{') {
            let Some((word, behind)) = after.split_once('}') else {
                break;
            };
            command.push_str(before);
            if word.contains(' ') {
                command.extend(["{", word, "}"]); // an object of JavaScript
            } else {
                command.push_str(&self.word(word));
            }
            rest = behind;
        }
        command + rest
    }

    fn word(&self, word: &str) -> String {
        let (name, is_in_sql) = match word.strip_suffix(IN_SQL) {
            Some(name) => (name, true),
            None => (word, false),
        };
        match self.value(name) {
            Some(value) if is_in_sql => quote::sql_name(value),
            Some(value) => quote::typed(value),
            None if is_in_sql => quote::sql_name(&name.to_uppercase()),
            None => name.to_uppercase(),
        }
    }

    fn value(&self, name: &str) -> Option<&str> {
        let value = match name {
            "target" if self.target.is_none() => &self.host,
            "target" => &self.target,
            "host" => &self.host,
            "port" => &self.port,
            "user" => &self.user,
            "profile" => &self.profile,
            "region" => &self.region,
            "tool" => &self.tool,
            "role" => &self.role,
            "file" => &self.file,
            _ => &None,
        };
        value.as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_known_is_filled_in_and_quoted() {
        let known = CausePlaceholders {
            host: Some("db.example".to_owned()),
            user: Some("a\"b".to_owned()),
            profile: Some("my profile".to_owned()),
            ..CausePlaceholders::default()
        };
        assert_eq!(
            known.fill("pgcred refresh {target} --user {port}"),
            "pgcred refresh db.example --user PORT"
        );
        assert_eq!(
            known.fill("GRANT rds_iam TO {user.sql};"),
            "GRANT rds_iam TO \"a\"\"b\";"
        );
        assert_eq!(
            known.fill("pgcred login --profile {profile}"),
            format!("pgcred login --profile {}", quote::typed("my profile"))
        );
        let unknown = CausePlaceholders::default();
        assert_eq!(unknown.fill("{user.sql} {target}"), "\"USER\" TARGET");
        assert_eq!(unknown.fill("a { b"), "a { b");
        assert_eq!(unknown.fill("{ b: c } {host}"), "{ b: c } HOST");
    }
}
