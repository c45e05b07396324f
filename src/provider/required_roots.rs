//! Defines root certificates as a provider names them. They are data: `roots` alone decides which
//! file a client is told to use, and makes it.

use std::borrow::Cow;

/// Which root certificates verify a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum RequiredRoots {
    /// Roots that every system trusts. The set is for systems that have no file of root
    /// certificates; without a set, a client on such a system is told `sslrootcert=system`.
    Public(Option<RootSet>),
    /// Roots that no system trusts by itself.
    Private(RootSet),
}

impl RequiredRoots {
    /// Returns the set from which pgcred can make a file.
    pub(crate) fn set(&self) -> Option<&RootSet> {
        match self {
            Self::Public(set) => set.as_ref(),
            Self::Private(set) => Some(set),
        }
    }
}

/// Root certificates that go into one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RootSet {
    /// The name of the file, without a directory. No two sets have the same.
    pub(crate) file_name: String,
    /// The servers that the set is for, as a sentence names them: `RDS in eu-west-1`.
    pub(crate) title: String,
    /// The certificates that pgcred carries, as PEM.
    pub(crate) bundled: Option<Cow<'static, str>>,
    /// The `https://` address at which the set is published, for a provider whose authority
    /// implements `Authority::download`.
    pub(crate) address: Option<String>,
    /// The beginning of the names of those who sign with these roots. It tells a server of the set
    /// also where pgcred carries no certificate for it; `None` if it tells nothing.
    pub(crate) issuer: Option<&'static str>,
    /// The row of `causes`, by its id, of a client that does not have these roots.
    pub(crate) cause: &'static str,
    /// What the user has to save if pgcred can neither make nor download the file.
    pub(crate) manual_source: &'static str,
}
