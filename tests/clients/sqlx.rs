//! The client sqlx: `url` (from URL), `environment` (PG* variables); with `command`, pgcred gives
//! the password.

#![expect(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a program of the tests"
)]

use std::error::Error;
use std::process::Command;
use std::{env, str};

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (how, command) = (env::args().nth(1), env::args().nth(2).is_some());
    let mut options = match how.as_deref() {
        Some("url") => env::var("URL")?.parse()?,
        _ => PgConnectOptions::new(),
    };
    if command {
        let token = Command::new("pgcred")
            .args(["token", &env::var("CONNECTION")?])
            .output()?
            .stdout;
        options = options.password(str::from_utf8(&token)?.trim_end());
    }
    let mut connection = PgConnection::connect_with(&options).await?;
    let who: String = sqlx::query_scalar("select current_user || '@' || current_database()")
        .fetch_one(&mut connection)
        .await?;
    println!("{who}");
    Ok(connection.close().await?)
}
