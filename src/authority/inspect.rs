//! Defines what an authority can be asked about a login that fails: its clock, who the caller is,
//! the state of a server, and whether a policy allows the login. These are values only, and their
//! texts are for people.

use super::{Region, TokenScope};
use crate::error::Error;

/// What was asked, or why there is no answer.
pub(crate) type InspectionResult<T> = Result<T, NoAnswer>;

/// Asks the authority with the credentials of one profile, which are resolved once, at the first
/// question that needs them. Each question ends by the deadline that the inspector was made with,
/// and never opens a page or asks the user. Several threads may ask one inspector.
pub(crate) trait Inspector: Send + Sync {
    /// Returns how many seconds the clock of this machine is ahead of the authority's; a negative
    /// number if it is behind. Needs no credentials. Exact to about a second.
    fn clock_offset(&self, region: Option<&Region>) -> InspectionResult<i64>;

    /// Returns whose credentials these are.
    fn caller(&self, region: Option<&Region>) -> InspectionResult<CallerIdentity>;

    /// Returns what the authority knows of the server that a token with this scope is for.
    fn server(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
    ) -> InspectionResult<ServerState>;

    /// Returns whether the policies of the caller allow the scope. `resource` is what
    /// [`ServerState::resource`] says; without it the authority derives it, where it can.
    fn permission(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
        resource: Option<&str>,
    ) -> InspectionResult<ServerLoginPermission>;
}

/// Whose credentials sign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CallerIdentity {
    pub(crate) account: String,
    /// The authority's whole name of the caller, such as an ARN.
    pub(crate) name: String,
}

/// What an authority knows of a server. `None` stands for what it does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ServerState {
    /// What the server is, for a sentence: `DB instance`.
    pub(crate) kind: &'static str,
    /// Whether it passes logins on to another server.
    pub(crate) is_proxy: bool,
    /// The name that commands of the authority's own tools take.
    pub(crate) identifier: String,
    /// The authority's own word, such as `ACTIVE` or `stopped`.
    pub(crate) status: String,
    /// Whether a client can connect in this state; `None` for a word that pgcred does not know.
    pub(crate) is_ready: Option<bool>,
    /// Whether the server can use the key that its data is encrypted with.
    pub(crate) can_use_key: Option<bool>,
    pub(crate) takes_tokens: Option<bool>,
    pub(crate) port: Option<u16>,
    /// Whether the server has an address outside of its private network.
    pub(crate) is_public: Option<bool>,
    pub(crate) requires_tls: Option<bool>,
    /// The name of the certificate authority of the server's certificate.
    pub(crate) certificate_authority: Option<String>,
    /// What a policy has to name as its resource to allow the scope.
    pub(crate) resource: Option<String>,
    /// What a policy has to name for the same server in other regions.
    pub(crate) peers: Vec<String>,
    /// The cluster that the server is a member of, and that decides for it.
    pub(crate) cluster: Option<String>,
    /// The user that the server was made with.
    pub(crate) master_user: Option<String>,
}

/// What the policies of the caller say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ServerLoginPermission {
    Allowed,
    Denied(PolicyDenial),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PolicyDenial {
    pub(crate) by: DeniedBy,
    /// The policies whose statements decided, by the authority's names.
    pub(crate) policies: Vec<String>,
    /// Conditions that the answer did not know the values of: the login itself may be allowed.
    pub(crate) open_conditions: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DeniedBy {
    /// No statement allows it.
    NoStatement,
    /// A statement denies it.
    Statement,
    /// The organisation of the account does not allow it.
    Organization,
    /// The permissions boundary of the caller does not allow it.
    Boundary,
}

/// What is in the way of a login, as the authority itself says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ServerLoginObstacle {
    /// The server takes no connections, or may take none, in the state that it is in.
    NotReady,
    /// The server cannot use the key that its data is encrypted with.
    KeyUnusable,
    NoTokens,
    NoTokensAtProxy,
    /// The account of the caller does not have the server.
    OtherAccount,
    /// No policy allows it.
    NoPolicy,
    /// A policy may allow it under a condition.
    OpenCondition,
    /// A policy denies it, or the organisation does not allow it.
    Denied,
    /// The permissions boundary of the caller does not allow it.
    Boundary,
}

/// Why a question has no answer: a value to decide by, and the error for the user.
#[derive(Clone, Debug)]
pub(crate) struct NoAnswer {
    pub(crate) reason: NoAnswerReason,
    pub(crate) error: Error,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoAnswerReason {
    /// The caller may not ask this.
    NotAllowed,
    /// There is no such thing.
    NotFound,
    /// The authority was asked too often, also by others.
    Throttled,
    /// The account has not enabled the region.
    RegionOff,
    /// The authority does not know the key: the account has not enabled the region, or the key
    /// was deleted.
    KeyUnknown,
    /// The credentials have expired.
    Expired,
    /// The signature is too old or too new: the clock of this machine is wrong.
    ClockWrong,
    /// The signature is wrong: the secret does not belong to the key.
    SecretWrong,
    /// A login is missing.
    LoginNeeded,
    /// There are no credentials, and a login is not what is missing.
    NoCredentials,
    /// A setting is wrong.
    Setting,
    /// No connection to the authority.
    Unreachable,
    /// There is no host of this name: the service is not in this region, or the network has no
    /// names.
    NoSuchHost,
    /// The certificate of the authority, or of a proxy before it, is not trusted.
    Untrusted,
    /// Time ran out.
    Late,
    /// The authority is out of order, or something else answers.
    NotUnderstood,
    /// Another refusal.
    Refused,
    /// The authority has no such question for this server or this caller.
    NotAskable,
}

impl NoAnswer {
    pub(crate) fn new(reason: NoAnswerReason, error: Error) -> Self {
        Self { reason, error }
    }
}
