//! Holds what is known of a command that prints tokens: how it is run, what its answer means, and
//! what kind of command it is. It has values only; a definition is one of pgcred's own (`presets`)
//! or a `[command.NAME]` of the user's configuration.

use super::template::WordTemplate;
use crate::error::{Error, Result};
use crate::text::quote;

/// What stands for the profile in `login`, the only placeholder there.
pub(crate) const LOGIN_PROFILE: &str = "{profile}";

/// How long before the end a command that caches is run again, in seconds, unless its definition
/// says it.
const SPARE_SECONDS: u32 = 300;

/// A command that prints tokens. Definitions live as long as the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandDefinition {
    /// What the user types after `--provider`.
    pub(crate) name: String,
    /// What the service is called in sentences.
    pub(crate) title: String,
    /// The program and its arguments. No shell reads them.
    pub(crate) run: Vec<WordTemplate>,
    /// Where the answer has the token; `None` if the answer is the token alone.
    pub(crate) token: Option<JsonPath>,
    /// Where the answer has the name of the database user, if it names one.
    pub(crate) user: Option<JsonPath>,
    /// Where the answer has the time at which the token ends.
    pub(crate) expires: Option<ExpiryField>,
    /// The longest lifetime in seconds, counted from the start of the run.
    pub(crate) lifetime_seconds: Option<u32>,
    pub(crate) kind: CommandKind,
    /// Of a command that caches: it prints no other token until so many seconds before the end.
    pub(crate) spare_seconds: u32,
    /// Files that change when another user logs in: then cached tokens are void. `~` stands for
    /// the home directory, and `$NAME/` in front for a directory that a variable names, if it is
    /// set. Of a directory, each file counts.
    pub(crate) watch: Vec<String>,
    /// Variables of the user's shell that decide who logs in: see
    /// [`CommandDefinition::deciding_variables`]. One with `*` at its end stands for every variable
    /// whose name begins so.
    pub(crate) variables: Vec<String>,
    /// Characters that no value of a placeholder may have.
    pub(crate) forbidden: &'static str,
    /// Texts with which no value of a placeholder may begin, in upper or lower case.
    pub(crate) forbidden_starts: &'static [&'static str],
    /// What the user types to log in. `{profile}` stands for the profile.
    pub(crate) login: Option<String>,
    /// Texts on stderr that mean that a login is missing.
    pub(crate) login_if: Vec<String>,
    /// Which root certificates verify the server: the value of the key `roots`.
    pub(crate) roots: Option<String>,
    /// Variables of the command, besides those of pgcred.
    pub(crate) env: Vec<(String, String)>,
}

/// What a command does each time that it is run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CommandKind {
    /// Makes a new token, which harms nobody.
    #[default]
    Mint,
    /// Prints the same token again, until shortly before its end.
    Caches,
    /// Makes a new user of the database, so that it is run only when somebody asks for a token.
    Creates,
}

/// Where a value is in a JSON document: keys, and numbers of elements, with dots between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct JsonPath(pub(super) Vec<String>);

/// The field that says when a token ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ExpiryField {
    pub(super) path: JsonPath,
    /// Whether it has the seconds from the start of the run, and not a time.
    pub(super) is_lifetime: bool,
}

impl CommandDefinition {
    /// Returns a definition that says nothing yet.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            title: name.to_owned(),
            run: Vec::new(),
            token: None,
            user: None,
            expires: None,
            lifetime_seconds: None,
            kind: CommandKind::default(),
            spare_seconds: SPARE_SECONDS,
            watch: Vec::new(),
            variables: Vec::new(),
            forbidden: "",
            forbidden_starts: &[],
            login: None,
            login_if: Vec::new(),
            roots: None,
            env: Vec::new(),
        }
    }

    /// Tells whether the words have a placeholder.
    pub(crate) fn uses(&self, placeholder: &str) -> bool {
        self.placeholders().contains(&placeholder)
    }

    /// Returns the names of the placeholders.
    pub(crate) fn placeholders(&self) -> Vec<&str> {
        let mut names = Vec::new();
        for template in &self.run {
            for name in template.placeholder_names() {
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        names
    }

    /// Tells whether the words cannot be filled without a value for a placeholder.
    pub(crate) fn needs(&self, placeholder: &str) -> bool {
        self.run.iter().any(|word| word.needs(placeholder))
    }

    /// Returns the words to run for a login. A word that names the profile is left out if there is
    /// none.
    pub(crate) fn login_words(&self, profile: Option<&str>) -> Option<Vec<String>> {
        let mut command_line = Vec::new();
        for word in self.login.as_ref()?.split_whitespace() {
            match profile {
                Some(profile) => command_line.push(word.replace(LOGIN_PROFILE, profile)),
                None if word.contains(LOGIN_PROFILE) => {}
                None => command_line.push(word.to_owned()),
            }
        }
        Some(command_line)
    }

    /// Returns what the user types for a login.
    pub(crate) fn login_text(&self, profile: Option<&str>) -> Option<String> {
        let command_line = self.login_words(profile)?;
        let quoted: Vec<String> = command_line.iter().map(|word| quote::typed(word)).collect();
        Some(quoted.join(" "))
    }

    /// Returns the variables of the user's shell that decide who logs in, also by the place of the
    /// files that are watched. The tokens of different values are kept apart. One that the
    /// definition itself sets has the same value for everybody.
    pub(crate) fn deciding_variables(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.variables.iter().map(String::as_str).collect();
        for path in &self.watch {
            if let Some((name, _)) = split_variable(path)
                && !names.contains(&name)
            {
                names.push(name);
            }
        }
        names.retain(|name| self.env.iter().all(|(set, _)| set != name));
        names
    }

    /// Tells whether the answer is a JSON document, and not the token alone.
    pub(crate) fn answers_in_json(&self) -> bool {
        self.token.is_some() || self.user.is_some() || self.expires.is_some()
    }
}

/// Splits `$NAME/PATH` into both. Of `$NAME` alone, which names a file, the path is empty.
pub(crate) fn split_variable(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix('$')?;
    Some(rest.split_once('/').unwrap_or((rest, "")))
}

impl CommandKind {
    /// What a user can write.
    const ALL: [(&'static str, Self); 3] = [
        ("mint", Self::Mint),
        ("caches", Self::Caches),
        ("creates", Self::Creates),
    ];

    pub(crate) fn parse(text: &str) -> Result<Self> {
        for (name, kind) in Self::ALL {
            if name == text {
                return Ok(kind);
            }
        }
        let names = Self::ALL.map(|(name, _)| name).join(", ");
        Err(Error::usage("no such kind of command").hint(format!("choose one of {names}")))
    }
}

impl JsonPath {
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let parts: Vec<String> = text.split('.').map(str::to_owned).collect();
        if parts.iter().any(String::is_empty) {
            return Err(Error::usage("not a path into JSON")
                .hint("write keys with dots between them, such as data.password or 0.token"));
        }
        Ok(Self(parts))
    }

    /// Returns the path as the user writes it.
    pub(crate) fn text(&self) -> String {
        self.0.join(".")
    }
}

impl ExpiryField {
    /// Reads a path; `+` in front of it says that the field has seconds from the start of the run.
    pub(crate) fn parse(text: &str) -> Result<Self> {
        let (path, is_lifetime) = match text.strip_prefix('+') {
            Some(path) => (path, true),
            None => (text, false),
        };
        Ok(Self {
            path: JsonPath::parse(path)?,
            is_lifetime,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_keys_with_dots_between_them() {
        let path = JsonPath::parse("data.0.password").unwrap();
        assert_eq!(path.0, ["data", "0", "password"]);
        assert_eq!(path.text(), "data.0.password");
        for wrong in ["", ".", "a.", ".a", "a..b"] {
            assert!(JsonPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_plus_stands_for_seconds_from_the_start() {
        let field = ExpiryField::parse("+lease_duration").unwrap();
        assert!(field.is_lifetime && field.path.text() == "lease_duration");
        assert!(!ExpiryField::parse("expires").unwrap().is_lifetime);
        assert!(ExpiryField::parse("+").is_err());
    }

    #[test]
    fn variables_that_decide_are_named_or_lead_to_a_watched_file() {
        let mut definition = CommandDefinition::new("a");
        definition.variables = vec!["A_HOST".to_owned(), "A_SET".to_owned()];
        definition.watch = ["~/.a", "$A_HOME/login", "$A_HOST/x", "$A_FILE"]
            .map(str::to_owned)
            .to_vec();
        definition.env = vec![("A_SET".to_owned(), "1".to_owned())];
        assert_eq!(
            definition.deciding_variables(),
            ["A_HOST", "A_HOME", "A_FILE"]
        );
        assert_eq!(split_variable("$A_FILE"), Some(("A_FILE", "")));
    }

    #[test]
    fn a_login_names_the_profile_if_there_is_one() {
        let mut definition = CommandDefinition::new("a");
        assert_eq!(definition.login_words(Some("p")), None);
        definition.login = Some("aws sso login --profile={profile}".to_owned());
        let text = |profile| definition.login_text(profile).unwrap();
        assert_eq!(text(Some("work")), "aws sso login --profile=work");
        assert_eq!(text(None), "aws sso login");
        let words = definition.login_words(Some("a b")).unwrap();
        assert_eq!(words[3], "--profile=a b");
        assert_ne!(text(Some("a b")), words.join(" "));
    }

    #[test]
    fn kinds_have_names() {
        assert_eq!(CommandKind::parse("caches").unwrap(), CommandKind::Caches);
        let error = CommandKind::parse("cache").unwrap_err();
        assert!(error.hint_text().unwrap().contains("mint, caches, creates"));
    }
}
