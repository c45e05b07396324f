//! The commands of pgcred: their answers, errors and exit codes.
//!
//! `newcomer` is about a user who has just begun; `bad_input` about wrong command lines;
//! `connections`, `list` and `refresh` about the connections of the configuration, and
//! `shared_file` about those that a team shares;
//! `shell_variables` about PG* in the environment; `exec`, `exec_renewal` and `watch` about
//! programs that run beside pgcred; `policy` about the policies that it prints, and `policy_sql`
//! about the SQL; `command_provider` about commands that print tokens, `command_presets` about
//! those that pgcred knows, `command_logins` about their missing logins, `command_end` about how
//! their runs end, `command_secrets` about who sees the tokens, `command_users` about the users in
//! their answers, `command_askers` about when they are run, and `command_shims` about those that
//! are batch files;
//! `explain` about messages of others. Where credentials come from is tested in `credentials`.

pub mod aws_emulation;
pub mod aws_refusals;
pub mod bad_input;
pub mod by_host;
#[cfg(unix)]
pub mod command_askers;
#[cfg(unix)]
pub mod command_end;
#[cfg(unix)]
pub mod command_logins;
#[cfg(unix)]
pub mod command_presets;
#[cfg(unix)]
pub mod command_provider;
#[cfg(target_os = "linux")]
pub mod command_secrets;
#[cfg(windows)]
pub mod command_shims;
#[cfg(unix)]
pub mod command_users;
#[cfg(unix)]
pub mod configuration;
pub mod connections;
#[cfg(unix)]
pub mod exec;
#[cfg(unix)]
pub mod exec_renewal;
pub mod explain;
pub mod formats;
pub mod list;
pub mod newcomer;
#[cfg(unix)]
pub mod passfile_warnings;
#[cfg(unix)]
pub mod policy;
#[cfg(target_os = "linux")]
pub mod policy_sql;
pub mod refresh;
#[cfg(unix)]
pub mod roots;
#[cfg(unix)]
pub mod roots_download;
pub mod shared_file;
#[cfg(unix)]
pub mod shell_variables;
pub mod warnings;
#[cfg(unix)]
pub mod watch;
