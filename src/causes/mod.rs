//! Lists every known cause of a failing login: what is wrong, what it means, what to do, and the
//! texts of clients and servers by which it is recognised. This directory is the one owner of that
//! knowledge.
//!
//! ```text
//! aws, credentials, dsql, environment, iam, installation, net, passfile, rds, role, roots, tls,
//! token, tool              the table: one file for each subject, one row for each cause
//!    |
//!    +--> text             recognises a message of a client or a server
//!    +--> placeholders     {target}, {host}, ... in what is to be typed
//!    +--> additions        which rows are one authority's, and what others add for it
//!    v
//! find_by_id           a check of `pgcred doctor` has found a cause
//! causes_of_message    the user has a text, and nothing else
//! ```
//!
//! It is pure: nothing here reads files or variables, or goes to the network. `README.md` beside
//! this file is written from the table, and `tests.rs` compares them.

mod additions;
mod aws;
mod credentials;
mod dsql;
mod environment;
mod iam;
mod installation;
mod net;
mod passfile;
mod placeholders;
mod rds;
mod role;
mod roots;
#[cfg(test)]
mod tests;
mod text;
mod tls;
mod token;
mod tool;

pub(crate) use placeholders::CausePlaceholders;
use text::{CauseText, TextMatch};

/// The longest text that is looked at, in bytes.
const MAX_TEXT_LENGTH: usize = 64 * 1024;

/// How many causes an answer has at most. More of them help nobody.
const MAX_ANSWERS: usize = 3;

/// One reason for which a login fails.
pub(crate) struct Cause {
    /// `subject.detail`. The ids are stable: reports, scripts and pages name them.
    pub(crate) id: &'static str,
    /// What is wrong, in one short clause without a full stop.
    pub(crate) title: &'static str,
    /// What that means for the login, in plain sentences.
    meaning: &'static str,
    /// What to do, in plain sentences, with names in braces as in the templates.
    fix: &'static str,
    /// What to type, in the order in which to try it: commands of a shell, and SQL, which ends in a
    /// semicolon. With the names of [`CausePlaceholders`] in braces.
    templates: &'static [&'static str],
    /// The texts by which it is recognised; none if no text tells it from other causes.
    texts: &'static [CauseText],
    pub(crate) detection: CauseDetection,
}

/// What of `pgcred doctor` finds a cause.
pub(crate) enum CauseDetection {
    /// Each of these checks can.
    Checks(&'static [&'static str]),
    /// No check can, for this reason. It is recognised by its text alone.
    None(&'static str),
}

/// The table, by subject.
const TABLE: [&[Cause]; 14] = [
    tls::CAUSES,
    roots::CAUSES,
    token::CAUSES,
    aws::CAUSES,
    credentials::CAUSES,
    iam::CAUSES,
    dsql::CAUSES,
    role::CAUSES,
    rds::CAUSES,
    net::CAUSES,
    passfile::CAUSES,
    environment::CAUSES,
    tool::CAUSES,
    installation::CAUSES,
];

impl Cause {
    /// Tells whether the cause may be named to the users of an authority; `None` if nobody knows
    /// whose they are. The rows of AWS say nothing to others.
    pub(crate) fn is_for(&self, authority: Option<&str>) -> bool {
        additions::is_for(self.id, authority)
    }

    /// Returns what it means for the login, in plain sentences.
    pub(crate) fn meaning(&self, authority: Option<&str>) -> String {
        let mut text = self.meaning.to_owned();
        for addition in additions::additions_of(self.id, authority) {
            add_sentence(&mut text, addition.meaning);
        }
        text
    }

    /// Returns what to type. What is not known stands in capital letters, such as TARGET.
    pub(crate) fn commands(&self, values: &CausePlaceholders) -> Vec<String> {
        let mut templates = self.templates.to_vec();
        for addition in additions::additions_of(self.id, values.authority) {
            templates.extend(addition.templates);
        }
        let commands = templates.iter();
        commands.map(|template| values.fill(template)).collect()
    }

    /// Returns what to do, in words.
    pub(crate) fn advice(&self, values: &CausePlaceholders) -> String {
        let mut text = self.fix.to_owned();
        for addition in additions::additions_of(self.id, values.authority) {
            add_sentence(&mut text, addition.fix);
        }
        values.fill(&text)
    }

    /// Tells whether the token itself is the cause, by the subject of the id.
    pub(crate) fn is_about_token(&self) -> bool {
        self.id.starts_with("token.")
    }

    /// Returns how surely a text, normalised, speaks of this cause.
    fn likeness(&self, text: &str) -> Option<TextMatch> {
        let mut best = None;
        for pattern in self.texts {
            best = best.max(pattern.likeness(text));
        }
        best
    }
}

/// Adds a sentence to others, if there is one.
fn add_sentence(text: &mut String, sentence: &str) {
    if !sentence.is_empty() {
        text.extend([" ", sentence]);
    }
}

/// Returns every cause, by subject.
pub(crate) fn all_causes() -> impl Iterator<Item = &'static Cause> {
    TABLE.iter().copied().flatten()
}

/// Returns the cause with this id.
pub(crate) fn find_by_id(id: &str) -> Option<&'static Cause> {
    all_causes().find(|cause| cause.id == id)
}

/// Returns the causes of which a message of a client or a server speaks, the best first: usually
/// one, at most three, none if the text is not known.
///
/// If the text says itself what is wrong, causes that are only likely are left out.
pub(crate) fn causes_of_message(text: &str) -> Vec<&'static Cause> {
    causes_of_message_for(text, None)
}

/// Returns the same for the users of an authority, who are told nothing of another's servers.
pub(crate) fn causes_of_message_for(text: &str, authority: Option<&str>) -> Vec<&'static Cause> {
    causes_of_message_among(text, |cause| cause.is_for(authority))
}

/// Returns the same of those causes that may be named.
pub(crate) fn causes_of_message_among(
    text: &str,
    may_name: impl Fn(&Cause) -> bool,
) -> Vec<&'static Cause> {
    let text = text::normalise_message(text::beginning_of(text, MAX_TEXT_LENGTH));
    let mut causes = Vec::new();
    for cause in all_causes().filter(|cause| may_name(cause)) {
        if let Some(likeness) = cause.likeness(&text) {
            causes.push((likeness, cause));
        }
    }
    // Stable: of two that fit equally, the first of the table comes first.
    causes.sort_by(|(one, _), (other, _)| other.cmp(one));
    if let Some((best, _)) = causes.first()
        && best.is_certain()
    {
        causes.retain(|(likeness, _)| likeness.is_certain());
    }
    causes.truncate(MAX_ANSWERS);
    causes.into_iter().map(|(_, cause)| cause).collect()
}
