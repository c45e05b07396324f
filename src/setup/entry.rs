//! Describes what stands in a tool's own files now, whoever has written it, for `pgcred doctor`.

/// One connection that a tool knows, or one text of a scheduler.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ToolEntry {
    /// What the tool calls it.
    pub(crate) name: String,
    /// The connection of pgcred that it was made for, if pgcred has made it.
    pub(crate) connection: Option<String>,
    pub(crate) host: String,
    /// The command lines that the tool runs for it.
    pub(crate) commands: Vec<String>,
    pub(crate) password: StoredPassword,
}

/// Whether a tool keeps a password for an entry. The password itself is not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum StoredPassword {
    #[default]
    None,
    /// An empty one, which keeps a Java client from reading the passfile.
    Empty,
    Kept,
}
