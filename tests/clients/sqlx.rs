//! The client sqlx: `environment` (PG* variables), `url` (from URL), `command` (asks pgcred itself).

#![expect(clippy::disallowed_methods, clippy::print_stdout, reason = "a program of the tests")]

use std::error::Error;
use std::process::Command;
use std::{env, str};

use sqlx::Connection as _;
use sqlx::postgres::{PgConnectOptions, PgConnection};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let options = match env::args().nth(1).as_deref() {
        Some("url") => env::var("URL")?.parse()?,
        Some("command") => {
            let token = Command::new("pgcred").arg("token").output()?.stdout;
            PgConnectOptions::new().password(str::from_utf8(&token)?.trim_end())
        }
        _ => PgConnectOptions::new(),
    };
    let mut connection = PgConnection::connect_with(&options).await?;
    let who: String =
        sqlx::query_scalar("select current_user || '@' || current_database()").fetch_one(&mut connection).await?;
    println!("{who}");
    Ok(connection.close().await?)
}
