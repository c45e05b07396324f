//! psql in a statement that takes a while.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStdout, Stdio};

use crate::gateway::machine::{Connection, Machine};

/// Starts psql, and returns it when its session is open and a statement of so many seconds is the
/// next one.
pub fn begin(
    machine: &Machine,
    connection: Connection,
    seconds: u32,
) -> (Child, BufReader<ChildStdout>) {
    let sleep = format!("select pg_sleep({seconds})");
    let mut psql = machine.psql_alone(connection, "psql");
    psql.args(["-XAtw", "-c", "select 'begun'", "-c", &sleep])
        .args(["-c", "select 'done'"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut client = psql.spawn().expect("psql");
    let mut stdout = BufReader::new(client.stdout.take().expect("a pipe"));
    let mut line = String::new();
    stdout.read_line(&mut line).expect("a line");
    assert_eq!(line, "begun\n");
    (client, stdout)
}

/// Returns what psql prints until it ends.
pub fn rest(mut stdout: BufReader<ChildStdout>) -> String {
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).expect("text");
    rest
}
