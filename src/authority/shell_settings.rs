//! Tells what the variables of the user's shell say to an authority. `pgcred setup` needs it,
//! because a scheduler or a program of the desktop runs without these variables.

/// The settings that only the user's shell has.
#[derive(Default)]
pub(crate) struct ShellSettings {
    /// The variables that are set, and that lead to other tokens where they are not set.
    pub(crate) variables: Vec<&'static str>,
    /// The variable with the key that signs, if one is set.
    pub(crate) key: Option<&'static str>,
    /// The profile that a variable names, if no key comes before it.
    pub(crate) profile: Option<String>,
}
