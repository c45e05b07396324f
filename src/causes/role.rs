//! Lists the causes that lie in the role in the database, as every authority's tokens need it. What
//! a kind of server demands of a role besides stands with its own causes.
//!
//! There are rows of the table here, and nothing else.

use super::{Cause, CauseDetection};

pub(super) const CAUSES: &[Cause] = &[Cause {
    id: "role.case",
    title: "the role is written in another way than in the policy or the client",
    meaning: "Capital letters, spaces and signs such as @ count. SQL makes small letters of a \
            name without quotes, and a client does not.",
    fix: "Write the name in the same way everywhere: with quotes in SQL, and as it is in \
            the client.",
    templates: &["SELECT rolname FROM pg_roles;"],
    texts: &[],
    detection: CauseDetection::Checks(&["token.user"]),
}];
