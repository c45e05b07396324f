//! Describes who would sign, as values: what `Identity::trace_identity` says in sentences. All of
//! it is known before anything is asked, and none of it is a secret.

use crate::error::Result;
use crate::time::Time;

/// What is known of the credentials of an identity before anybody is asked for them.
pub(crate) struct SignerSummary {
    /// Where the credentials come from, and which setting says so, in one line. An error if the
    /// settings cannot be used.
    pub(crate) source: Result<String>,
    /// The profile; `None` if keys in variables sign by themselves.
    pub(crate) profile: Option<String>,
    /// The variable that names the profile, if one does.
    pub(crate) profile_variable: Option<&'static str>,
    /// The region that a variable or the profile names, and the place that names it.
    pub(crate) region: Option<(String, String)>,
    pub(crate) variable_keys: Option<VariableKeys>,
    pub(crate) login: LoginState,
    /// Names in the texts above that identify the user.
    pub(crate) private_names: Vec<String>,
}

/// Keys in variables of this process.
pub(crate) struct VariableKeys {
    /// The variable that holds the key.
    pub(crate) variable: &'static str,
    /// They sign for this identity.
    pub(crate) are_signing: bool,
    /// They are of a session, and so expire.
    pub(crate) are_temporary: bool,
    /// When they expire, if a variable says it.
    pub(crate) expires_at: Option<Time>,
}

/// The login that the credentials rest on, by the files that it has left.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LoginState {
    /// They rest on none.
    NotNeeded,
    /// It is good until then.
    Good(Time),
    /// It has ended, and can be renewed without the user. The time is that of its end, if known.
    Renewable(Option<Time>),
    /// The user has to log in: the reason, and what to type.
    Missing { reason: String, command: String },
}
