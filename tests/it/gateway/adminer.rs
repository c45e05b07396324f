//! Adminer, a web page in PHP that can only be given a password: driven as a user does, by its
//! forms, with the gateway's own password.

use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use crate::commands::exec::wait_until;
use crate::gateway::machine::{Connection, DSQL, Machine, RDS, WHO, free_port};
use crate::support::needs::{CLUSTER, Need, program, skip_unless};
use crate::support::sandbox::Run;

/// Where Debian puts it.
const PAGE: &str = "/usr/share/adminer/adminer.php";

/// PHP's own web server with Adminer, and a browser.
struct Adminer<'a> {
    machine: &'a Machine,
    server: Child,
    port: u16,
}

impl<'a> Adminer<'a> {
    fn start(machine: &'a Machine) -> Self {
        let sandbox = &machine.cluster.sandbox;
        let port = free_port();
        let mut php = sandbox.command("php");
        php.arg("-S").arg(format!("127.0.0.1:{port}"));
        php.arg("-d")
            .arg(format!("session.save_path={}", sandbox.home().display()));
        php.args(["-t", "/usr/share/adminer"])
            .env("TMPDIR", sandbox.home()) // it counts failed logins there
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        let server = php.spawn().expect("php");
        wait_until("the web server", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
        Self {
            machine,
            server,
            port,
        }
    }

    /// Returns a call of the page, with what a browser keeps in cookies.
    fn browse(&self, query: &str) -> Command {
        let sandbox = &self.machine.cluster.sandbox;
        let mut curl = sandbox.command("curl");
        let cookies = sandbox.path("cookies");
        curl.args(["-sSL", "--max-time", "60", "-b"]).arg(&cookies);
        curl.arg("-c").arg(&cookies);
        curl.arg(format!("http://127.0.0.1:{}/adminer.php{query}", self.port));
        curl
    }

    /// Sends the form of the login; returns the page that comes.
    fn log_in(&self, connection: Connection, password: &str) -> String {
        let mut curl = self.browse("");
        for (field, value) in [
            ("driver", "pgsql"),
            ("server", &self.server_of(connection)),
            ("username", connection.user),
            ("password", password),
            ("db", "postgres"),
        ] {
            curl.arg("--data-urlencode")
                .arg(format!("auth[{field}]={value}"));
        }
        Run::of(curl).stdout
    }

    fn server_of(&self, connection: Connection) -> String {
        format!("127.0.0.1:{}", self.machine.port(connection))
    }

    /// Sends a statement by the page "SQL command"; returns the page with the rows.
    fn query(&self, connection: Connection, sql: &str) -> String {
        let server = self.server_of(connection);
        let user = connection.user;
        let page = format!("?pgsql={server}&username={user}&db=postgres&ns=public&sql=");
        let form = Run::of(self.browse(&page)).stdout;
        let token = between(&form, "name='token' value='", "'").or(between(
            &form,
            "name=\"token\" value=\"",
            "\"",
        ));
        let token = token.unwrap_or_else(|| panic!("no form in {form}"));
        let mut curl = self.browse(&page);
        curl.args(["--data-urlencode", &format!("query={sql}")]);
        curl.args(["--data-urlencode", &format!("token={token}")]);
        Run::of(curl).stdout
    }
}

impl Drop for Adminer<'_> {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    Some(rest.split_once(after)?.0)
}

#[test]
fn adminer_logs_in_with_the_local_password_and_shows_rows() {
    let adminer = Need::Looked("adminer", Path::new(PAGE).exists());
    skip_unless!(CLUSTER, program("php"), program("curl"), adminer);
    let machine = Machine::with(|config| config.strict = true);
    let _gateway = machine.start(&[]);
    let adminer = Adminer::start(&machine);
    for connection in [DSQL, RDS] {
        let page = adminer.log_in(connection, "wrong");
        let refused = "FATAL:  password authentication failed for user";
        assert!(page.contains(refused), "{page}");
        let page = adminer.log_in(connection, &machine.password(connection));
        assert!(page.contains("value=\"Logout\""), "{page}");
        let page = adminer.query(connection, WHO);
        let who = format!("{}@postgres", connection.user);
        assert!(page.contains(&who), "{page}");
    }
}
