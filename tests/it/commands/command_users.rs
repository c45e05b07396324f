//! The user that the answer of a command names: another one than the connection's, and one that a
//! passfile cannot hold.

use std::fs;

use crate::support::sandbox::{Run, Sandbox};

/// A home with a program that prints a token for the user in a file, and counts its runs.
struct Account {
    sandbox: Sandbox,
}

impl Account {
    /// Returns a home with two connections of the program. `keys` are those of `crm`.
    fn of(user: &str, keys: &str) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.at("2030-01-01T00:00:00Z");
        sandbox.write("user", user);
        let script = "cd \"${0%/*}\"; echo x >>runs; n=$(wc -l <runs)\n\
                      echo \"{\\\"t\\\": \\\"token-$((n))\\\", \\\"u\\\": \\\"$(cat user)\\\"}\"\n";
        let config = format!(
            "[command.tool]\nrun = [\"sh\", \"{}\"]\ntoken = \"t\"\nuser = \"u\"\nlife = \"1h\"\n\
             kind = \"caches\"\nwatch = [\"~/user\"]\n\
             [connections.crm]\nhost = \"crm.example.com\"\nprovider = \"tool\"\n{keys}\n\
             [connections.ann]\nhost = \"ann.example.com\"\nprovider = \"tool\"\nuser = \"ann\"\n",
            sandbox.write("tool.sh", script).display()
        );
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
        Self { sandbox }
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.sandbox.path("runs")).map_or(0, |text| text.lines().count())
    }

    fn refresh(&self, more: &[&str]) -> Run {
        self.sandbox.run(&[&["refresh"], more].concat())
    }

    fn passfile(&self) -> String {
        String::from_utf8(self.sandbox.read(".pgpass")).expect("UTF-8")
    }
}

/// A command that prints another account's token is not run again by every hook and scheduler.
#[test]
fn a_token_of_another_user_begins_a_pause_of_its_connection() {
    let mut account = Account::of("ann", "user = \"bob\"");
    for runs in [1, 1, 1] {
        account
            .refresh(&["--background"])
            .assert_fails(1, "crm: the token of tool is for the user `ann`");
        assert_eq!(account.runs(), runs);
        assert!(account.passfile().contains(":ann:token-1\n"));
    }
    account.sandbox.at("2030-01-01T00:00:10Z");
    account
        .refresh(&["--background"])
        .assert_fails(1, "for the user `ann`");
    assert_eq!(account.runs(), 2);
    // Another login ends it.
    account.sandbox.write("user", "bob");
    account
        .refresh(&["--background"])
        .assert_fails(1, "ann: the token of tool is for the user `bob`");
    assert!(account.passfile().contains(":bob:token-3\n"));
    assert_eq!(account.runs(), 3);
}

#[test]
fn a_user_that_no_passfile_can_hold_is_told_with_its_command() {
    for user in ["a*b", "#x", " y"] {
        let account = Account::of(user, "");
        let says = format!("crm: the command of tool printed the user `{user}`: a passfile cannot");
        for _ in 0..3 {
            account
                .refresh(&["crm", "--background"])
                .assert_fails(1, &says);
        }
        let exec = ["exec", "crm", "--", "true"];
        account.sandbox.run(&exec).assert_fails(1, &says);
        let setup = ["setup", "psql", "crm", "--yes"];
        account.sandbox.run(&setup).assert_fails(1, &says);
        assert!(!account.sandbox.path(".pg_service.conf").exists());
        // Others need no passfile.
        let json = account.sandbox.ok(&["token", "crm", "--format", "json"]);
        assert!(json.contains(&format!("\"user\":\"{user}\"")), "{json}");
    }
    let account = Account::of("a*b", "");
    account
        .refresh(&[])
        .assert_fails(1, "2 of 2 targets failed");
    account.sandbox.write("user", "ann");
    account.refresh(&["--background"]);
    assert!(account.passfile().contains("crm.example.com:5432:*:ann:"));
}
