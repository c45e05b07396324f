//! Connections whose user comes with each token: what `pgcred setup psql` writes for them, and how
//! the service file follows when `pgcred refresh` gets another user. The program is a shell script
//! in the place of `vault` that makes a new user with each run.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::thread;

use crate::support::desk::terminal;
use crate::support::needs::{PYTHON, program, skip_unless};
use crate::support::sandbox::{Run, Sandbox};

const SERVICE_FILE: &str = ".pg_service.conf";
const PASSFILE: &str = ".pgpass";
/// Sections of the user's own. They have blanks and a line end that setup would not write.
const MINE: &str = "# mine\n\n[mine]\r\nhost = h\nuser=v-1\n[other]\nuser=v-1";

/// A home in which `vault` makes users, with two connections of it.
struct Vault {
    sandbox: Sandbox,
}

impl Vault {
    fn new(users: &str, port: u16) -> Self {
        let mut sandbox = Sandbox::empty();
        let path = std::env::var("PATH").expect("PATH");
        let path = format!("{}:{path}", sandbox.path("bin").display());
        sandbox.at("2030-01-01T00:00:00Z").set("PATH", &path);
        let connection = |name: &str, host: &str| {
            format!(
                "[connections.{name}]\nhost = \"{host}\"\nport = {port}\nroots = \"system\"\n\
                 provider = \"vault\"\nvars = {{ role = \"{name}\" }}\n"
            )
        };
        let config = connection("crm", "crm.example.com") + &connection("shop", "shop.example.com");
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
        sandbox.write(SERVICE_FILE, MINE);
        let vault = Self { sandbox };
        vault.creates(users);
        vault
    }

    /// Makes the program create users whose names begin so.
    fn creates(&self, users: &str) {
        let runs = self.sandbox.path("runs").display().to_string();
        let script = format!(
            "#!/bin/sh\necho x >>'{runs}'\nn=$(wc -l <'{runs}')\nn=$((n))\n\
             echo \"{{\\\"lease_duration\\\": 3600, \\\"data\\\":\
             {{\\\"username\\\": \\\"{users}$n\\\", \\\"password\\\": \\\"of:$n\\\"}}}}\"\n"
        );
        let file = self.sandbox.write("bin/vault", script);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.sandbox.path("runs")).map_or(0, |text| text.lines().count())
    }

    fn text(&self, name: &str) -> String {
        String::from_utf8(self.sandbox.read(name)).expect("UTF-8")
    }

    /// Runs pgcred at a terminal, where the user gives this answer to its question.
    fn asked(&self, answer: &str, arguments: &[&str]) -> Run {
        let pgcred = [env!("CARGO_BIN_EXE_pgcred")];
        let typing = ["change this?", "0", answer];
        terminal(&self.sandbox, &typing, &[&pgcred, arguments].concat())
    }

    /// Runs pgcred, which succeeds, and returns its stderr.
    fn run(&self, arguments: &[&str]) -> String {
        let run = self.sandbox.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        run.stderr
    }
}

#[test]
fn setup_asks_for_a_user_only_by_name() {
    let vault = Vault::new("v-", 5432);
    let said = vault.run(&["setup", "psql", "--yes"]);
    assert!(said.contains("crm is left out"), "{said}");
    assert!(said.contains("`pgcred setup psql crm`"), "{said}");
    vault
        .sandbox
        .run(&["setup", "psql", "crm", "--dry-run"])
        .assert_fails(2, "each token has another user, and there is no token");
    vault
        .sandbox
        .run(&["setup", "psql", "crm", "--print"])
        .assert_fails(2, "run `pgcred refresh crm`, which asks for one");
    for tool in ["dbeaver", "datagrip", "tableplus"] {
        vault
            .sandbox
            .run(&["setup", tool, "crm"])
            .assert_fails(2, "`pgcred setup psql crm`");
    }
    let host = ["setup", "psql", "crm.example.org", "--provider", "vault"];
    vault
        .sandbox
        .run(&host)
        .assert_fails(2, "only a connection keeps the last one");
    assert_eq!(
        (vault.runs(), vault.text(SERVICE_FILE)),
        (0, MINE.to_owned())
    );

    let said = vault.run(&["setup", "psql", "crm", "--yes"]);
    assert!(said.contains("`pgcred refresh crm` asks for"), "{said}");
    assert!(!said.contains("keep the passfile fresh"), "{said}");
    let text = vault.text(SERVICE_FILE);
    assert!(text.contains("[crm]\nhost=crm.example.com\n"), "{text}");
    assert!(text.contains("\ndbname=postgres\nuser=v-1\n"), "{text}");
    assert!(text.ends_with(MINE), "{text}");
    let passfile = vault.text(PASSFILE);
    assert!(passfile.contains(":*:v-1:of\\:1\n"), "{passfile}");
    // The token is known now, and good.
    for arguments in [
        &["setup", "psql", "--yes"][..],
        &["setup", "psql", "crm", "--yes"],
        &["setup", "psql", "crm", "--print"],
        &["refresh"],
    ] {
        let said = vault.run(arguments);
        assert!(!said.contains("crm is left out"), "{said}");
    }
    assert_eq!((vault.runs(), vault.text(SERVICE_FILE)), (1, text));
}

/// A program that creates users runs only where its user is going to be written.
#[test]
fn no_user_is_created_before_the_yes() {
    skip_unless!(PYTHON);
    let mut vault = Vault::new("v-", 5432);
    let setup = ["setup", "psql", "crm"];
    vault
        .sandbox
        .run(&setup)
        .assert_fails(2, "there is no terminal to ask on");
    let said = vault.asked("n\n", &setup);
    let note = "crm: its user is created when you have said yes; NEW-USER stands for it";
    assert!(said.stderr.contains(note), "{}", said.stderr);
    assert!(said.stderr.contains("+user=NEW-USER\n"), "{}", said.stderr);
    let taken = format!("{MINE}\n[crm]\nhost=mine\n");
    vault.sandbox.write(SERVICE_FILE, &taken);
    vault
        .sandbox
        .run(&["setup", "psql", "crm", "--yes"])
        .assert_fails(2, "there is a [crm] of your own");
    assert_eq!((vault.runs(), vault.text(SERVICE_FILE)), (0, taken.clone()));
    // Of two connections, only the one that can be written.
    let both = ["setup", "psql", "crm", "shop", "--yes"];
    vault
        .sandbox
        .run(&both)
        .assert_fails(2, "there is a [crm] of your own");
    let text = vault.text(SERVICE_FILE);
    assert!(
        text.contains("\nuser=v-1\n") && text.ends_with(&taken),
        "{text}"
    );
    assert_eq!(vault.runs(), 1);
    vault.sandbox.write(SERVICE_FILE, "");
    let said = vault.asked("y\n", &setup);
    assert_eq!(said.code, 0, "{}", said.stderr);
    let text = vault.text(SERVICE_FILE);
    assert!(
        text.contains("\nuser=v-2\n") && !text.contains("NEW-USER"),
        "{text}"
    );
    // Near the end of the token another user comes, and not before the yes.
    vault.sandbox.at("2030-01-01T00:55:00Z");
    vault
        .sandbox
        .run(&setup)
        .assert_fails(2, "there is no terminal to ask on");
    assert_eq!((vault.runs(), vault.text(SERVICE_FILE)), (2, text));
    vault.run(&["setup", "psql", "crm", "--yes"]);
    assert_eq!(vault.runs(), 3);
    assert!(vault.text(SERVICE_FILE).contains("\nuser=v-3\n"));
}

#[test]
fn the_service_file_follows_the_user_of_a_refresh() {
    let mut vault = Vault::new("v-", 5432);
    vault.run(&["setup", "psql", "crm", "shop", "--yes"]);
    let own = format!("[above]\nuser=v-1\n{}", vault.text(SERVICE_FILE));
    vault.sandbox.write(SERVICE_FILE, &own);
    let mode = fs::Permissions::from_mode(0o644);
    fs::set_permissions(vault.sandbox.path(SERVICE_FILE), mode).expect("a mode");
    vault.sandbox.at("2030-01-01T00:10:00Z");
    vault.run(&["refresh", "crm"]);
    assert_eq!(vault.runs(), 3);
    let expected = own.replace("dbname=postgres\nuser=v-1\n", "dbname=postgres\nuser=v-3\n");
    assert_ne!(expected, own);
    assert_eq!(vault.text(SERVICE_FILE), expected);
    let file = fs::metadata(vault.sandbox.path(SERVICE_FILE)).expect("a file");
    assert_eq!(file.permissions().mode() & 0o777, 0o644);
    let passfile = vault.text(PASSFILE);
    for line in ["crm.example.com:5432:*:v-3:of\\:3\n", ":*:v-2:of\\:2\n"] {
        assert!(passfile.contains(line), "{passfile}");
    }
    // Another passfile is not the one that psql reads.
    vault.sandbox.at("2030-01-01T00:20:00Z");
    vault.run(&["refresh", "crm", "--passfile", "other"]);
    assert_eq!((vault.runs(), vault.text(SERVICE_FILE)), (4, expected));
    // The line of the old user stays until its token ends, for sessions that have it.
    vault.sandbox.at("2030-01-01T01:05:00Z");
    vault.run(&["refresh"]);
    let passfile = vault.text(PASSFILE);
    assert!(passfile.contains(":v-3:"), "{passfile}");
    assert!(!passfile.contains(":v-1:"), "{passfile}");
}

/// Two connections to one server, with another database each, have one user and one line.
#[test]
fn the_sections_of_one_line_follow_together() {
    let mut vault = Vault::new("v-", 5432);
    let config = vault.sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("text");
    let (crm, _) = text.split_once("[connections.shop]").expect("two");
    let second = crm.replace("[connections.crm]", "[connections.sales]");
    fs::write(&config, format!("{text}{second}dbname = \"sales\"\n")).expect("written");
    vault.run(&["setup", "psql", "crm", "sales", "--yes"]);
    assert_eq!(vault.runs(), 1);
    vault.sandbox.at("2030-01-01T00:10:00Z");
    vault.run(&["refresh", "sales"]);
    let sections = vault.text(SERVICE_FILE);
    assert_eq!(sections.matches("\nuser=v-2\n").count(), 2, "{sections}");
}

#[test]
fn a_service_file_that_cannot_follow_is_one_warning() {
    let mut vault = Vault::new("v-", 5432);
    vault.run(&["setup", "psql", "crm", "shop", "--yes"]);
    let whole = vault.text(SERVICE_FILE);
    let cut_off = whole.replace("# pgcred end\n", "");
    let damages: [(&[u8], &str); 2] = [
        (cut_off.as_bytes(), "put the line `# pgcred end` below"),
        (b"[mine]\nhost=\xff\n", "save it as UTF-8"),
    ];
    for (minute, (damage, mends)) in (10..).zip(damages) {
        vault.sandbox.write(SERVICE_FILE, damage);
        vault.sandbox.at(&format!("2030-01-01T00:{minute}:00Z"));
        let said = vault.run(&["refresh", "crm", "shop"]);
        let warnings = said
            .matches("; then `pgcred setup psql crm shop`\n")
            .count();
        assert_eq!(warnings, 1, "{said}");
        assert!(said.contains(mends), "{said}");
        assert_eq!(vault.sandbox.read(SERVICE_FILE), damage);
    }
    let passfile = vault.text(PASSFILE);
    assert!(passfile.contains(":*:v-5:of\\:5\n"), "{passfile}");
    fs::remove_file(vault.sandbox.path(SERVICE_FILE)).expect("removed");
    vault.sandbox.at("2030-01-01T00:30:00Z");
    let said = vault.run(&["refresh", "crm"]);
    assert!(!said.contains("setup psql"), "{said}");
    assert!(!vault.sandbox.path(SERVICE_FILE).exists());
}

/// The others follow all the same.
#[test]
fn a_user_that_is_too_long_for_the_service_file_is_told_with_another_way() {
    let mut vault = Vault::new("v-", 5432);
    vault.run(&["setup", "psql", "crm", "shop", "--yes"]);
    let long = "u".repeat(1000);
    vault.creates(&long);
    vault.sandbox.at("2030-01-01T00:10:00Z");
    let before = vault.text(SERVICE_FILE);
    let said = vault.run(&["refresh", "crm"]);
    assert!(
        said.contains("crm: the user is too long for a line of libpq's service file"),
        "{said}"
    );
    assert!(
        said.contains("passfile: run `pgcred exec crm -- psql`, which needs no service file\n"),
        "{said}"
    );
    assert!(!said.contains("setup psql"), "{said}");
    assert_eq!(vault.text(SERVICE_FILE), before);
    vault.sandbox.at("2030-01-01T00:20:00Z");
    vault.creates(&format!(
        "$(test $3 = database/creds/crm && echo {long} || echo w-)"
    ));
    let said = vault.run(&["refresh", "crm", "shop"]);
    assert!(said.contains("crm: the user is too long"), "{said}");
    let text = vault.text(SERVICE_FILE);
    let kept = before
        .lines()
        .filter(|line| text.lines().any(|other| other == *line))
        .count();
    assert_eq!(
        (text.lines().count(), kept),
        (before.lines().count(), text.lines().count() - 1)
    );
    assert!(text.contains("\nuser=w-"), "{text}");
}

/// libpq finds the password of a user with a colon, by the service file and the passfile alone.
#[test]
fn libpq_logs_in_as_a_user_with_a_colon_before_and_after_a_refresh() {
    skip_unless!(program("psql"));
    let server = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = server.local_addr().expect("an address").port();
    let mut vault = Vault::new("IAM:ann", port);
    vault.run(&["setup", "psql", "crm", "--yes"]);
    let passfile = vault.text(PASSFILE);
    assert!(
        passfile.contains(&format!(":{port}:*:IAM\\:ann1:of\\:1\n")),
        "{passfile}"
    );
    for run in 1..=2 {
        let mut psql = vault.sandbox.command("psql");
        let asked = thread::scope(|scope| {
            let asked = scope.spawn(|| asked(&server));
            psql.args(["-XAtwc", "select 1"])
                .arg("service=crm sslmode=disable hostaddr=127.0.0.1 connect_timeout=10");
            let run = Run::of(psql);
            assert_ne!(run.code, 0, "the server hangs up");
            asked.join().expect("a login")
        });
        assert_eq!(asked, (format!("IAM:ann{run}"), format!("of:{run}")));
        vault.sandbox.at("2030-01-01T00:10:00Z");
        vault.run(&["refresh", "crm"]);
    }
}

/// Returns the user and the password that a client sends, and hangs up.
fn asked(server: &TcpListener) -> (String, String) {
    const ASKS_FOR_ENCRYPTION: [u32; 2] = [80_877_103, 80_877_104];
    let (mut client, _) = server.accept().expect("a client");
    let startup = loop {
        let message = message(&mut client);
        let code = u32::from_be_bytes(message[..4].try_into().expect("four bytes"));
        if !ASKS_FOR_ENCRYPTION.contains(&code) {
            break message[4..].to_vec();
        }
        client.write_all(b"N").expect("an answer");
    };
    let fields: Vec<_> = startup.split(|byte| *byte == 0).collect();
    let user = fields.iter().position(|field| *field == b"user");
    let user = fields[user.expect("a user") + 1];
    client
        .write_all(b"R\x00\x00\x00\x08\x00\x00\x00\x03")
        .expect("it asks for the password");
    let mut kind = [0];
    client.read_exact(&mut kind).expect("a message");
    assert_eq!(kind, *b"p");
    let password = message(&mut client);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
    (text(user), text(&password[..password.len() - 1]))
}

/// Reads a message of PostgreSQL's protocol after its type: the length, and what follows it.
fn message(client: &mut TcpStream) -> Vec<u8> {
    let mut length = [0; 4];
    client.read_exact(&mut length).expect("a length");
    let mut text = vec![0; u32::from_be_bytes(length) as usize - 4];
    client.read_exact(&mut text).expect("a message");
    text
}
