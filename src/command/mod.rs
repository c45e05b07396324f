//! Lists the commands of pgcred, one file or directory for each, and holds what several of them
//! share.
//!
//! ```text
//! cli     parses the command line and finds the command
//!  |
//!  v
//! run     what a command is: its options, how it runs; needs: what it needs before that
//!  |
//!  +--> token, refresh, exec, list, ...      one file for each command
//!  |        |
//!  |        v
//!  +--> app       the configuration, the output and the issuer that a command is given
//!           |
//!           +--> resolve  options and TARGET become a request
//!           +--> issue    a request becomes a token
//! ```
//!
//! Several commands share:
//!
//! - `options`, `passfile_option`: the options that they have in common
//! - `config_file`, `preferences`: the configuration file, and what follows from it for this run
//! - `due_file`, `segment`: what shell hooks and prompts read
//! - `passfile_tokens`, `line_owners`: the tokens in passfiles, and which connection owns a line
//! - `warnings`, `one_time_warnings`: warnings about a connection, and warnings that are given once
//! - `connection_advice`: what the user is told of connections that were added
//! - `edits`: shows edits of files, asks, makes them, and takes them back if one fails
//! - `tool_undo`: the edits that take back what was set up for tools
//! - `doctor_verdict`: a login as doctor tries it, in a process of its own
//! - `errors`: one error out of several
//!
//! A command prints its answer through `output` and returns errors; it never ends the process.

pub(crate) mod add;
pub(crate) mod app;
pub(crate) mod aws;
pub(crate) mod config_file;
mod connection_advice;
pub(crate) mod discover;
pub(crate) mod doctor;
mod doctor_verdict;
pub(crate) mod due_file;
mod edits;
pub(crate) mod erase;
mod errors;
pub(crate) mod exec;
pub(crate) mod init;
mod line_owners;
pub(crate) mod list;
pub(crate) mod login;
mod needs;
mod one_time_warnings;
pub(crate) mod options;
mod passfile_option;
mod passfile_tokens;
pub(crate) mod policy;
mod preferences;
pub(crate) mod prompt;
pub(crate) mod proxy;
pub(crate) mod refresh;
pub(crate) mod remove;
pub(crate) mod roots;
pub(crate) mod run;
mod segment;
pub(crate) mod setup;
pub(crate) mod token;
mod tool_undo;
mod warnings;
