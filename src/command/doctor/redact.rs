//! Replaces what identifies a user or a company: the same text by the same pseudonym each time, so
//! that the report can still be followed. It is pure.
//!
//! Two things are replaced: names that the caller knows, such as those of connections, profiles and
//! users, and words that look like an account number, a GUID, a cluster ID, a host, an address, an
//! e-mail address or an access key.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::provider;
use crate::text::arn::{ACCOUNT_DIGITS, Arn, is_account};
use crate::text::host;

/// What a text is. The pseudonym says it: `<account-1>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum RedactedKind {
    Account,
    Address,
    Cluster,
    Connection,
    Database,
    Email,
    Host,
    Id,
    Key,
    Name,
    Profile,
    User,
}

impl RedactedKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Account => "account",
            Self::Address => "address",
            Self::Cluster => "cluster",
            Self::Connection => "connection",
            Self::Database => "database",
            Self::Email => "email",
            Self::Host => "host",
            Self::Id => "id",
            Self::Key => "key",
            Self::Name => "name",
            Self::Profile => "profile",
            Self::User => "user",
        }
    }
}

/// Names that everybody has, so that they identify nobody.
const COMMON_NAMES: [&str; 6] = [
    "admin",
    "default",
    "localhost",
    "postgres",
    "root",
    "system",
];

/// Replaces texts, and remembers by what.
pub(super) struct Redactor {
    /// The known names, the longest first.
    names: Vec<(String, RedactedKind)>,
    home: Option<String>,
    numbers: BTreeMap<RedactedKind, Vec<String>>,
}

impl Redactor {
    /// `home` is the user's home directory, which becomes `~`.
    pub(super) fn new(mut names: Vec<(String, RedactedKind)>, home: Option<String>) -> Self {
        names.retain(|(name, _)| !name.is_empty() && !is_common(name));
        names.sort_by_key(|(name, kind)| (std::cmp::Reverse(name.len()), *kind, name.clone()));
        names.dedup_by(|a, b| a.0 == b.0);
        Self {
            names,
            home,
            numbers: BTreeMap::new(),
        }
    }

    /// Returns the text without what identifies the user.
    pub(super) fn redact(&mut self, text: &str) -> String {
        let mut redacted_text = String::with_capacity(text.len());
        let mut rest = text;
        let mut last_char = None;
        while let Some(first) = rest.chars().next() {
            let (length, replacement) = self.redact_next(rest, last_char);
            redacted_text.push_str(&replacement);
            last_char = rest[..length].chars().next_back().or(Some(first));
            rest = &rest[length..];
        }
        redacted_text
    }

    /// Returns how many bytes at the beginning are dealt with, and what is shown for them.
    fn redact_next(&mut self, rest: &str, last_char: Option<char>) -> (usize, String) {
        if let Some(home) = &self.home
            && let Some(after) = rest.strip_prefix(home.as_str())
            && !after.starts_with(is_name_char)
        {
            return (home.len(), "~".to_owned());
        }
        if let Some((prefix, user)) = others_home_at(rest) {
            let pseudonym = self.pseudonym(RedactedKind::User, user);
            return (prefix.len() + user.len(), format!("{prefix}{pseudonym}"));
        }
        if let Some(id) = guid_at(rest, last_char) {
            return (id.len(), self.pseudonym(RedactedKind::Id, id));
        }
        if let Some(account) = account_at(rest, last_char) {
            return (
                account.len(),
                self.pseudonym(RedactedKind::Account, account),
            );
        }
        if !last_char.is_some_and(is_name_char) {
            if let Some((text, arn)) = arn_at(rest) {
                return (text.len(), self.arn(arn));
            }
            let word = word_at(rest);
            if let Some(replacement) = self.redact_by_shape(word) {
                return (word.len(), replacement);
            }
            if let Some((name, kind)) = self.known_at(rest) {
                return (name.len(), self.pseudonym(kind, &name));
            }
        }
        // One character at a time: a known name may stand behind a full stop or an `@`.
        let first = rest.chars().next().map_or(0, char::len_utf8);
        (first, rest[..first].to_owned())
    }

    /// Returns the known name that the text begins with as a whole word.
    fn known_at(&self, rest: &str) -> Option<(String, RedactedKind)> {
        for (name, kind) in &self.names {
            let Some((start, after)) = rest.split_at_checked(name.len()) else {
                continue;
            };
            if start.eq_ignore_ascii_case(name) && !after.starts_with(is_name_char) {
                return Some((name.clone(), *kind));
            }
        }
        None
    }

    /// Returns an ARN with its service, region and type of resource, which help, and without its
    /// account and names.
    fn arn(&mut self, arn: Arn<'_>) -> String {
        let (partition, service, region) = (arn.partition, arn.service, arn.region);
        let mut account = String::new();
        if !arn.account.is_empty() {
            account = self.pseudonym(RedactedKind::Account, arn.account);
        }
        let mut parts = arn.resource.split(['/', ':']);
        let mut resource = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            resource += "/";
            resource += &self.pseudonym(RedactedKind::Name, part);
        }
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// Returns the pseudonym of a word that looks like something private.
    fn redact_by_shape(&mut self, word: &str) -> Option<String> {
        match kind_of(word)? {
            // The first letters tell the kind of the key.
            RedactedKind::Key => Some(format!(
                "{}{}",
                &word[..4],
                self.pseudonym(RedactedKind::Key, word)
            )),
            RedactedKind::Host => Some(self.host(word)),
            kind => Some(self.pseudonym(kind, word)),
        }
    }

    /// Returns a host with its service and region, which help, and without its name.
    fn host(&mut self, word: &str) -> String {
        let count = match provider::find_by_host(word) {
            Some(provider) => (provider.count_of_name_labels)(word),
            None => None,
        };
        let labels: Vec<&str> = word.split('.').collect();
        match count.and_then(|count| labels.split_at_checked(count)) {
            Some((name, rest)) => {
                let pseudonym = self.pseudonym(RedactedKind::Cluster, &name.join("."));
                format!("{pseudonym}.{}", rest.join("."))
            }
            None => self.pseudonym(RedactedKind::Host, word),
        }
    }

    fn pseudonym(&mut self, kind: RedactedKind, text: &str) -> String {
        let numbered_texts = self.numbers.entry(kind).or_default();
        let position = numbered_texts.iter().position(|earlier| earlier == text);
        let number = if let Some(index) = position {
            index + 1
        } else {
            numbered_texts.push(text.to_owned());
            numbered_texts.len()
        };
        format!("<{}-{number}>", kind.as_str())
    }
}

fn is_common(name: &str) -> bool {
    COMMON_NAMES.contains(&name) || host::is_loopback(name)
}

/// Tells whether a character can be a part of a name, so that the name does not end before it.
fn is_name_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

/// Returns the word at the beginning of a text: a name, a host, an address, an e-mail address.
fn word_at(text: &str) -> &str {
    let is_of_word = |c: char| is_name_char(c) || matches!(c, '.' | '@' | '+' | ':' | '%');
    let end = text.find(|c| !is_of_word(c)).unwrap_or(text.len());
    let word = text[..end].trim_end_matches(['.', '@', '+', '%']);
    for address in [word, word.strip_suffix(':').unwrap_or(word)] {
        if address.parse::<IpAddr>().is_ok() {
            return address;
        }
    }
    // Only an address has colons; elsewhere they stand between words.
    let word = match word.find(':') {
        Some(colon) => &word[..colon],
        None => word,
    };
    word.trim_end_matches(['.', '@', '+', '%'])
}

/// Returns the home directory of another user at the beginning of a text, divided before the name.
fn others_home_at(rest: &str) -> Option<(&str, &str)> {
    /// Where Homebrew is installed on Linux.
    const HOMEBREW_USER: &str = "linuxbrew";
    for prefix in ["/home/", "/Users/", "\\Users\\"] {
        let Some(after) = rest.strip_prefix(prefix) else {
            continue;
        };
        let ends = |c: char| c.is_whitespace() || "/\\:;,'\"`()<>".contains(c);
        let user = &after[..after.find(ends).unwrap_or(after.len())];
        if !user.is_empty() && user != HOMEBREW_USER {
            return Some((prefix, user));
        }
    }
    None
}

/// Returns the account number at the beginning of a text: twelve digits, also inside a name.
fn account_at(rest: &str, last_char: Option<char>) -> Option<&str> {
    let is_digit = |c: char| c.is_ascii_digit();
    if last_char.is_some_and(is_digit) {
        return None;
    }
    let (number, after) = rest.split_at_checked(ACCOUNT_DIGITS)?;
    let is_whole = is_account(number) && !after.starts_with(is_digit);
    if is_whole { Some(number) } else { None }
}

/// Returns the GUID at the beginning of a text, such as that of a tenant or an instance. Its last
/// group may look like an account number.
fn guid_at(rest: &str, last_char: Option<char>) -> Option<&str> {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    const LENGTH: usize = 36;
    if last_char.is_some_and(char::is_alphanumeric) {
        return None;
    }
    let (guid, after) = rest.split_at_checked(LENGTH)?;
    let groups: Vec<&str> = guid.split('-').collect();
    let has_lengths = groups.iter().map(|group| group.len()).eq(GROUPS);
    let is_hex = guid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    let is_guid = has_lengths && is_hex && !after.starts_with(char::is_alphanumeric);
    if is_guid { Some(guid) } else { None }
}

/// Returns the ARN at the beginning of a text, as it stands there and as its fields.
fn arn_at(rest: &str) -> Option<(&str, Arn<'_>)> {
    if !rest.starts_with("arn:") {
        return None;
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | ',' | ';' | ')');
    let arn = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let arn = arn.trim_end_matches([':', '.', '/']);
    Some((arn, Arn::parse(arn)?))
}

/// Returns what a word looks like; `None` for an ordinary word.
fn kind_of(word: &str) -> Option<RedactedKind> {
    if let Ok(address) = word.parse::<IpAddr>() {
        return if address.is_loopback() {
            None
        } else {
            Some(RedactedKind::Address)
        };
    }
    if let Some((user, domain)) = word.split_once('@') {
        let is_email = !user.is_empty() && domain.contains('.') && !is_host_of_cloud(domain);
        return if is_email {
            Some(RedactedKind::Email)
        } else {
            None
        };
    }
    let is_key = (16..=128).contains(&word.len())
        && (word.starts_with("AKIA") || word.starts_with("ASIA") || word.starts_with("AROA"))
        && word
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
    if is_key {
        return Some(RedactedKind::Key);
    }
    if is_cluster_id(word) {
        return Some(RedactedKind::Cluster);
    }
    if is_host_of_cloud(word) {
        return Some(RedactedKind::Host);
    }
    None
}

fn is_host_of_cloud(word: &str) -> bool {
    provider::knows_host(&word.to_ascii_lowercase())
}

/// Tells whether a word is a bare ID of a provider's, such as that of a cluster of Aurora DSQL. One
/// without a digit is taken for an ordinary word.
fn is_cluster_id(word: &str) -> bool {
    provider::find_by_id(word, "").is_some() && word.bytes().any(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn redactor(known: &[(&str, RedactedKind)]) -> Redactor {
        let known = known.iter().map(|(name, kind)| ((*name).to_owned(), *kind));
        Redactor::new(known.collect(), Some("/home/ann".to_owned()))
    }

    #[test]
    fn what_identifies_the_user_is_replaced_by_what_it_is() {
        let known = [
            ("corp-prod", RedactedKind::Connection),
            ("ann", RedactedKind::User),
        ];
        for (text, shown) in [
            ("corp-prod and corp-prod2", "<connection-1> and corp-prod2"),
            ("ann@CORP-PROD: planned", "<user-1>@<connection-1>: planned"),
            ("/home/ann/.pgpass", "~/.pgpass"),
            (
                "/home/bob/x, C:\\Users\\Bob\\y and /Users/bob",
                "/home/<user-1>/x, C:\\Users\\<user-2>\\y and /Users/<user-1>",
            ),
            ("/home/linuxbrew/bin", "/home/linuxbrew/bin"),
            ("account 123456789012.", "account <account-1>."),
            (
                "Admin-123456789012 1234567890123",
                "Admin-<account-1> 1234567890123",
            ),
            (
                "arn:aws:sts::123456789012:assumed-role/dba/ann@corp.example: no",
                "arn:aws:sts::<account-1>:assumed-role/<name-1>/<name-2>: no",
            ),
            ("to ann.smith+x@corp.example.", "to <email-1>."),
            (
                "72f988bf-86f1-41af-91ab-123456789012, x-72F988BF-86F1-41AF-91AB-2D7CD011DB47.",
                "<id-1>, x-<id-2>.",
            ),
            (
                "72f988bf-86f1-41af-91ab-2d7cd011db470",
                "72f988bf-86f1-41af-91ab-2d7cd011db470",
            ),
            (
                "abcdefghij0123456789klmnop.dsql.us-east-1.on.aws:5432",
                "<cluster-1>.dsql.us-east-1.on.aws:5432",
            ),
            (
                "books.abc123.eu-west-1.rds.amazonaws.com",
                "<cluster-1>.eu-west-1.rds.amazonaws.com",
            ),
            (
                "203.0.113.5:5432 [2001:db8::1]:5432",
                "<address-1>:5432 [<address-2>]:5432",
            ),
            (
                "2001:db8::1: refused, 127.0.0.1",
                "<address-1>: refused, 127.0.0.1",
            ),
            (
                "ann@abcdefghij0123456789klmnop.dsql.us-east-1.on.aws:5432",
                "<user-1>@<cluster-1>.dsql.us-east-1.on.aws:5432",
            ),
            ("to books.fake.invalid:5432", "to <host-1>:5432"),
            ("key ASIA0123456789ABCDEF", "key ASIA<key-1>"),
            ("admin of postgres", "admin of postgres"),
        ] {
            let redacted = redactor(&known).redact(text);
            assert_eq!(redacted, shown);
        }
    }

    #[test]
    fn the_same_text_has_the_same_mark_in_every_line() {
        let mut redactor = redactor(&[]);
        assert_eq!(redactor.redact("111122223333"), "<account-1>");
        assert_eq!(redactor.redact("444455556666"), "<account-2>");
        assert_eq!(redactor.redact("of 111122223333"), "of <account-1>");
    }

    proptest! {
        #[test]
        fn nothing_private_is_left(
            name in "[a-z][a-zA-Z0-9_-]{6,20}",
            profile in "[A-Za-z0-9][A-Za-z0-9_.@ -]{5,20}[a-z0-9]",
            account in "[1-9][0-9]{11}",
            id in "[a-z0-9]{25}[0-9]",
            email in "[a-z]{3,9}\\.[a-z]{4,9}@[a-z]{5,9}\\.(com|io)",
            between in "[ :,'\"/=@(]{1,3}",
        ) {
            prop_assume!(id.bytes().any(|b| b.is_ascii_lowercase()));
            let known = [
                (name.as_str(), RedactedKind::Connection),
                (profile.as_str(), RedactedKind::Profile),
            ];
            let host = format!("{id}.dsql.us-east-1.on.aws");
            let arn = format!("arn:aws:iam::{account}:role/path/{name}");
            let all = [&name, &profile, &account, &host, &email, &arn, &id];
            let text = all.map(String::as_str).join(&between) + &between;
            let shown = redactor(&known).redact(&text);
            for private in [&name, &profile, &account, &id, &email] {
                prop_assert!(!shown.contains(private.as_str()), "{} in {}", private, shown);
            }
        }

        #[test]
        fn any_text_can_be_redacted(text in any::<String>()) {
            redactor(&[("ann", RedactedKind::User)]).redact(&text);
        }
    }
}
