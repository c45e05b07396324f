//! Holds what the help of the command line says of the options whose values are an authority's own.

/// The help of some options. A text is empty if the authority has no such thing.
#[derive(Default)]
pub(crate) struct OptionHelp {
    /// Of `--profile`, where a command needs a token.
    pub(crate) profile: &'static str,
    /// Of the profile of `pgcred login`.
    pub(crate) login_profile: &'static str,
    /// What makes a profile, for users who have none.
    pub(crate) first_profile: &'static str,
    /// How the sentence `Log in now, to TITLE` goes on.
    pub(crate) log_in: &'static str,
    /// Of `--region`.
    pub(crate) region: &'static str,
    /// Of the account that a policy is for.
    pub(crate) account: &'static str,
    /// Of the one who signs, whom the database has to know.
    pub(crate) principal: &'static str,
}
