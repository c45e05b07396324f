//! Starts pgcred, which makes the tokens that log in to PostgreSQL, and keeps them where database
//! tools look for a password.

mod authority;
mod aws;
mod cache;
mod causes;
mod cli;
mod command;
mod config;
mod error;
mod gateway;
mod http;
#[path = "../integrations/mod.rs"]
mod integrations;
mod issue;
mod output;
mod passfile;
mod probe;
mod provider;
mod request;
mod resolve;
mod roots;
mod setup;
mod shell;
mod sys;
mod text;
mod time;
mod token;
mod wire;

use std::process::ExitCode;

fn main() -> ExitCode {
    cli::run()
}
