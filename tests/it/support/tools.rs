//! Names the tools that are set up by files, for tests that set each of them up and undo it.
//! `tools/fixtures.rs` holds that none is missing.

pub const BY_FILES: [&str; 3] = ["dbeaver", "pgadmin", "psql"];

/// The file by which DBeaver counts as installed, from the home directory.
pub const WORKSPACE_OF_DBEAVER: &str = ".local/share/DBeaverData/workspace6/General/.project";
