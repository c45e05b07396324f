//! `pgcred setup`: home directories before and after it and after undo, byte for byte; refusals;
//! the table of integrations/README.md.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::support::needs::{PYTHON, ROOT, can_run, program, python, skip_unless};
use crate::support::sandbox::{HOST, NOBODY, RDS_HOST, Sandbox};
use crate::support::sources::root;
use crate::tools::fixtures::{directories, files};

/// The file of the system's root certificates on Linux distributions.
pub fn roots() -> &'static str {
    let known = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/ca-bundle.pem",
    ];
    known
        .into_iter()
        .find(|path| Path::new(path).exists())
        .unwrap_or("system")
}

/// Returns the rows of a Markdown table as cells.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| ["))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

/// Checks a tool's page as "The page of a tool" in integrations/README.md tells it. `proven` is the
/// cell of the tool's row there.
fn check_page(name: &str, proven: &str) {
    let file = format!("integrations/{name}/README.md");
    let page = fs::read_to_string(root().join(&file)).unwrap_or_else(|_| panic!("no {file}"));
    let command = format!("pgcred setup {name}");
    let (lines, longest) = (
        page.lines().count(),
        page.lines().map(|line| line.chars().count()).max(),
    );
    for (is_met, what) in [
        (
            page.starts_with("# "),
            "does not begin with a title: `# NAME`",
        ),
        (
            page.contains(&command),
            "does not name the command that sets the tool up",
        ),
        (lines <= 32, "has more than 32 lines"),
        (
            longest <= Some(200),
            "has a line of more than 200 characters",
        ),
        (
            page.contains("Not run") || proven.contains("run:"),
            "does not say \"Not run\", and its row in integrations/README.md has no \"run:\"",
        ),
    ] {
        assert!(is_met, "{file} {what} (`{command}`)");
    }
}

/// Every tool has a row, a directory and a page that says what was tested, and all agree with the
/// code.
#[test]
fn the_table_and_the_pages_agree_with_the_code() {
    let directory = root().join("integrations");
    let table = fs::read_to_string(directory.join("README.md")).expect("a README");
    let rows: BTreeMap<_, _> = rows(&table).map(|row| (row[0].to_owned(), row)).collect();
    let sandbox = Sandbox::empty();
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    sandbox.ok(&["add", "-q", "prod", HOST]);
    let gateway = format!("[connections.prod]\nhost = '{HOST}'\nproxy = {{ port = 15432 }}\n");
    let gateway = sandbox.write("gateway.toml", gateway).display().to_string();
    let overview = sandbox.ok(&["setup"]);
    let mut lines = overview.lines();
    let head = lines.next().expect("a head");
    let (by, found) = (
        head.find("BY").expect("a column"),
        head.find("FOUND").expect("a column"),
    );
    let mut names = Vec::new();
    for line in lines {
        let name = line.split_whitespace().next().expect("a name");
        names.push(directory.join(name));
        let row = rows
            .get(&format!("[{name}]({name}/README.md)"))
            .unwrap_or_else(|| panic!("{name} has no row"));
        assert_eq!(row.len(), 5, "{row:?}");
        let way = line[by..found].trim();
        assert!(row[1].starts_with(way), "{name}: {line} but {row:?}");
        // A scheduler and the gateway get the files of this machine. Here they are only shown;
        // schedulers.rs and service.rs write them.
        let arguments: &[&str] = match way {
            "scheduler" => &["--dry-run"],
            "service" => &["--dry-run", "--config", &gateway],
            _ => &[HOST, "--yes"],
        };
        if name == "cron" && !can_run!(program("crontab")) {
            continue;
        }
        let run = sandbox.run(&[&["setup", name], arguments].concat());
        let prints = [" token --host", " token 'postgresql:", " token postgresql:"]
            .iter()
            .any(|words| run.stdout.contains(words))
            || run.stdout.contains("pgcred-aws");
        let by_hand = line.ends_with("prints what to enter");
        assert!(
            run.code == 0 && prints == (way == "command" && by_hand),
            "{name}: {} {}",
            run.stdout,
            run.stderr
        );
        assert_eq!(
            run.stderr.contains("keep the passfile fresh"),
            way == "passfile",
            "{name}"
        );
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        check_page(name, row[4]);
    }
    assert_eq!(rows.len(), names.len());
    for other in directories(&directory)
        .iter()
        .filter(|directory| !names.contains(directory))
    {
        let page = fs::read_to_string(other.join("README.md")).expect("a page");
        // these pages are about prompts and containers, which no command sets up
        assert!(page.starts_with("# "), "{}", other.display());
    }
}

#[test]
fn errors_say_what_to_do() {
    let sandbox = Sandbox::empty();
    sandbox
        .run(&["setup", "nope"])
        .assert_fails(2, "no such tool: nope");
    sandbox
        .run(&["setup", "psql"])
        .assert_fails(4, "no connection to set up");
    sandbox
        .run(&["setup", "tableplus", "--undo"])
        .assert_fails(2, "remove the connection in TablePlus itself");
    sandbox
        .run(&["setup", "dbeaver", HOST, "--yes"])
        .assert_fails(1, "start DBeaver once");
    sandbox
        .run(&[
            "setup",
            "psql",
            HOST,
            "foo0bar1baz2quux3quuux4abc.dsql.eu-west-1.on.aws",
        ])
        .assert_fails(2, "called foo0");
    assert_eq!(files(sandbox.home()), BTreeMap::new());
    let missing = Sandbox::empty();
    for tool in ["psql", "dbeaver", "pgadmin"] {
        assert!(
            missing
                .run(&["setup", tool, "--undo", "--yes"])
                .stderr
                .contains("nothing to change")
        );
    }
}

/// Java takes a POSIX lock, which a process loses as soon as it closes the file anywhere. So
/// another process holds it here.
#[test]
fn a_running_dbeaver_keeps_its_files() {
    skip_unless!(PYTHON);
    let sandbox = Sandbox::empty();
    let workspace = ".local/share/DBeaverData/workspace6";
    sandbox.write(&format!("{workspace}/General/.project"), "");
    let lock = sandbox.write(&format!("{workspace}/.metadata/.lock"), "");
    let hold = "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.lockf(file, \
        fcntl.LOCK_EX)\n\
        print('held', flush=True); sys.stdin.read()";
    let mut dbeaver = sandbox.command(&python());
    dbeaver
        .args(["-c", hold])
        .arg(lock)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    let mut dbeaver = dbeaver.spawn().expect("python3");
    let mut line = String::new();
    BufReader::new(dbeaver.stdout.take().expect("a pipe"))
        .read_line(&mut line)
        .expect("a line");
    assert_eq!(line, "held\n");
    let set_up = &["setup", "dbeaver", HOST, "--yes"];
    let before = files(sandbox.home());
    sandbox.run(set_up).assert_fails(1, "DBeaver is running");
    assert_eq!(files(sandbox.home()), before);
    assert!(
        sandbox
            .ok(&["setup", "dbeaver", HOST, "--print"])
            .contains("postgres_pgpass")
    );
    drop(dbeaver.stdin.take());
    dbeaver.wait().expect("an end");
    sandbox.ok(set_up);
    assert!(files(sandbox.home()).len() > before.len());
}

/// Names that look like pgcred's marks or like another URL, or that libpq would read differently.
#[test]
fn odd_names_are_quoted() {
    let sandbox = Sandbox::with_keys();
    for name in ["# pgcred end", "# pgcred begin", "[x]", "a=b"] {
        sandbox.ok(&[
            "setup", "psql", HOST, "--user", name, "--dbname", name, "--yes",
        ]);
        let text = String::from_utf8(sandbox.read(".pg_service.conf")).expect("text");
        assert!(
            text.contains(&format!("dbname={name}\nuser={name}\n")),
            "{text}"
        );
        sandbox.ok(&["setup", "psql", "--undo", "--yes"]);
        assert!(!sandbox.path(".pg_service.conf").exists());
        sandbox.ok(&["remove", &HOST[..26]]);
    }
    for (option, name, says) in [
        ("--dbname", "a ".to_owned(), "the dbname ends in a space"),
        (
            "--dbname",
            "a".repeat(1100),
            "the dbname is too long for a line",
        ),
    ] {
        let run = sandbox.run(&["setup", "psql", HOST, option, &name, "--yes"]);
        run.assert_fails(2, says);
        assert!(!sandbox.path(".pg_service.conf").exists());
    }
    // Text that the user copies has the exact name, also with a character that a table would
    // escape.
    let text = sandbox.ok(&["setup", "psql", HOST, "--user", "a\u{200f}b", "--print"]);
    assert!(text.contains("\nuser=a\u{200f}b\n"), "{text:?}");
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    let text = sandbox.ok(&[
        "setup",
        "dbeaver",
        HOST,
        "--dbname",
        "x?sslmode=disable&",
        "--print",
    ]);
    assert!(text.contains(":5432/x%3Fsslmode%3Ddisable%26\""), "{text}");
}

#[test]
fn links_and_modes_are_kept() {
    use std::os::unix::fs::{PermissionsExt, symlink};

    let sandbox = Sandbox::empty();
    let real = sandbox.write("dotfiles/service", "[mine]\nhost=h\n");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).expect("chmod");
    symlink("dotfiles/service", sandbox.path(".pg_service.conf")).expect("a link");
    sandbox.ok(&["setup", "psql", HOST, "--yes"]);
    assert!(
        fs::symlink_metadata(sandbox.path(".pg_service.conf"))
            .expect("a link")
            .is_symlink()
    );
    assert!(
        sandbox
            .read("dotfiles/service")
            .ends_with(b"[mine]\nhost=h\n")
    );
    assert_eq!(
        fs::metadata(&real).expect("a file").permissions().mode() & 0o777,
        0o640
    );
    sandbox.ok(&["setup", "psql", "--undo", "--yes"]);
    assert_eq!(sandbox.read("dotfiles/service"), b"[mine]\nhost=h\n");
}

#[test]
fn dbeavers_data_may_be_elsewhere() {
    let mut sandbox = Sandbox::empty();
    sandbox.write("else where/workspace6/General/.project", "");
    let data = sandbox.path("else where").display().to_string();
    sandbox
        .set("DBEAVER_DATA", &data)
        .ok(&["setup", "dbeaver", HOST, "--yes"]);
    let text = sandbox.read("else where/workspace6/General/.dbeaver/data-sources-pgcred.json");
    assert!(String::from_utf8_lossy(&text).contains("postgres_pgpass"));
}

/// The user has a colour, a tunnel and a setting beside those of pgcred, and a file where pgcred
/// wants to write one.
#[test]
fn the_users_own_settings_stay() {
    let sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "prod", HOST]);
    let file = ".local/share/DBeaverData/workspace6/General/.dbeaver/data-sources-pgcred.json";
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    sandbox.ok(&["setup", "dbeaver", "--yes"]);
    let mut document: serde_json::Value =
        serde_json::from_slice(&sandbox.read(file)).expect("JSON");
    document["connections"]["pgcred-prod"]["folder"] = "mine".into();
    document["connections"]["pgcred-prod"]["configuration"]["handlers"] = "bastion".into();
    document["connections"]["pgcred-prod"]["configuration"]["events"]["AFTER_DISCONNECT"] =
        "mine".into();
    document["connections"]["pgcred-prod"]["configuration"]["host"] = "elsewhere".into();
    document["saved-filters"] = "mine".into();
    sandbox.write(file, document.to_string());
    sandbox.ok(&["setup", "dbeaver", "--yes"]);
    document["connections"]["pgcred-prod"]["configuration"]["host"] = HOST.into();
    assert_eq!(
        serde_json::from_slice::<serde_json::Value>(&sandbox.read(file)).expect("JSON"),
        document
    );
    sandbox.ok(&["setup", "dbeaver", "--undo", "--yes"]);
    let left: serde_json::Value = serde_json::from_slice(&sandbox.read(file)).expect("JSON");
    assert_eq!(left["saved-filters"], "mine");
    sandbox.write(file, r#"{"connections":{"pgcred-prod":5}}"#);
    sandbox.ok(&["setup", "dbeaver", "--yes"]);

    // The backup always has the user's part as it is now.
    sandbox.write(".pg_service.conf", "[a]\nhost=h\n");
    sandbox.ok(&["setup", "psql", "--yes"]);
    let with_more = [sandbox.read(".pg_service.conf"), b"[b]\nhost=i\n".to_vec()].concat();
    sandbox.write(".pg_service.conf", with_more);
    sandbox.ok(&["setup", "psql", "--yes", "--user", "bob"]);
    assert_eq!(
        sandbox.read(".pg_service.conf.pgcred-backup"),
        b"[a]\nhost=h\n[b]\nhost=i\n"
    );
    sandbox.ok(&["setup", "psql", "--undo", "--yes"]);
    assert_eq!(
        sandbox.read(".pg_service.conf"),
        b"[a]\nhost=h\n[b]\nhost=i\n"
    );
    assert!(!sandbox.path(".pg_service.conf.pgcred-backup").exists());
}

#[test]
fn one_workspace_by_two_names_is_edited_once() {
    let mut sandbox = Sandbox::empty();
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    let data = sandbox
        .path(".local/share/DBeaverData")
        .display()
        .to_string();
    std::os::unix::fs::symlink(&data, sandbox.path(".DBeaverData")).expect("a link");
    sandbox.set("DBEAVER_DATA", &data);
    for arguments in [
        &["setup", "dbeaver", HOST, "--yes"][..],
        &["setup", "dbeaver", "--undo", "--yes"],
    ] {
        sandbox.ok(arguments);
    }
}

#[test]
fn devices_and_pipes_are_no_files() {
    let mut sandbox = Sandbox::empty();
    let pipe = sandbox.path("pipe");
    nix::unistd::mkfifo(&pipe, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    for place in ["/dev/null".to_owned(), pipe.display().to_string()] {
        sandbox.set("PGSERVICEFILE", &place);
        sandbox
            .run(&["setup", "psql", HOST, "--yes"])
            .assert_fails(2, "is not a regular file");
        sandbox.ok(&["setup"]);
    }
}

#[test]
fn the_owner_of_a_file_stays() {
    skip_unless!(ROOT);
    let mut sandbox = Sandbox::empty();
    let file = sandbox.write("service", "[a]\nhost=h\n");
    std::os::unix::fs::chown(&file, Some(NOBODY), Some(NOBODY)).expect("root may chown");
    sandbox
        .set("PGSERVICEFILE", &file.display().to_string())
        .ok(&["setup", "psql", HOST, "--yes"]);
    let metadata = fs::metadata(&file).expect("a file");
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&metadata), NOBODY);
}

/// A program that the desktop starts has no variables of the shell.
#[test]
fn commands_contain_the_settings_of_the_environment() {
    let mut sandbox = Sandbox::empty();
    sandbox.write(".aws/config", "[profile dev]\n");
    sandbox
        .set("AWS_PROFILE", "dev")
        .set("AWS_REGION", "eu-west-1");
    let printed = sandbox.ok(&["setup", "tableplus", HOST]);
    assert!(
        printed.contains("--profile dev") && !printed.contains("--region eu"),
        "{printed}"
    );
    let tunnel = [
        "setup",
        "tableplus",
        "my.db.internal",
        "--provider",
        "rds",
        "--user",
        "app",
    ];
    assert!(sandbox.ok(&tunnel).contains("--region eu-west-1"));
    sandbox
        .set("AWS_ACCESS_KEY_ID", "k")
        .set("AWS_SECRET_ACCESS_KEY", "s");
    let run = sandbox.run(&["setup", "tableplus", HOST]);
    assert!(
        !run.stdout.contains("--profile") && run.stderr.contains("may not have that variable"),
        "{}",
        run.stderr
    );
}

#[test]
fn the_tls_settings_of_a_target_are_kept() {
    let sandbox = Sandbox::empty();
    let target = "postgres://app@db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com/x\
        ?sslmode=verify-ca&sslrootcert=/my ca.pem";
    let section = sandbox.ok(&["setup", "psql", target, "--print"]);
    assert!(
        section.contains("sslmode=verify-ca\nsslrootcert=/my ca.pem\n"),
        "{section}"
    );
    let weaker = target
        .split('&')
        .next()
        .expect("a URI")
        .replace("verify-ca", "require");
    for tool in ["psql", "pgcli", "pgadmin", "dbeaver"] {
        let text = sandbox.ok(&["setup", tool, &weaker, "--print"]);
        assert!(
            text.contains("require") && !text.contains("verify-full"),
            "{tool}: {text}"
        );
        assert!(!text.contains("sslrootcert"), "{tool}: {text}");
    }
    sandbox
        .run(&["setup", "psql", "a", "b", "--host", HOST, "--print"])
        .assert_fails(2, "--host cannot be used with several targets");
}

/// A tool gets the values of the configuration, even if variables of the shell name another
/// connection.
#[test]
fn variables_of_the_shell_do_not_get_into_entries_of_a_connection() {
    let mut sandbox = Sandbox::with_keys();
    sandbox.ok(&["add", "one", HOST]);
    sandbox.ok(&["add", "two", RDS_HOST, "--user", "app"]);
    let plain = sandbox.ok(&["setup", "psql", "--print"]);
    sandbox
        .set("PGPORT", "6543")
        .set("PGUSER", "other")
        .set("PGDATABASE", "theirs")
        .set("PGSSLMODE", "require");
    sandbox
        .set("PGHOST", "else.dsql.us-east-1.on.aws")
        .set("PGHOSTADDR", "10.1.2.3");
    let section = |target: &[&str]| sandbox.ok(&[&["setup", "psql", "--print"], target].concat());
    assert_eq!(section(&[]), plain);
    assert_eq!(section(&["one", "two"]), plain);
    assert_eq!(section(&[HOST, RDS_HOST]), plain);
    for target in [&["two"][..], &[RDS_HOST], &["--host", RDS_HOST]] {
        assert!(plain.ends_with(&section(target)), "{target:?}");
    }
    // Options count, as opposed to variables.
    let said = section(&["two", "--port", "6000", "--user", "me", "--dbname", "mine"]);
    assert!(
        ["port=6000\n", "user=me\n", "dbname=mine\n"]
            .iter()
            .all(|line| said.contains(line)),
        "{said}"
    );

    // The same is true for root certificates: a connection that verifies the server has some.
    sandbox
        .unset("PGSSLMODE")
        .set("PGSSLROOTCERT", "/theirs.pem");
    for target in [&[][..], &["one", "two"]] {
        assert_eq!(
            sandbox.ok(&[&["setup", "psql", "--print"], target].concat()),
            plain
        );
    }
    // A target that is no connection yet takes the values of the shell, and the configuration keeps
    // them.
    let new = "new.dsql.us-east-1.on.aws";
    sandbox
        .set("PGSSLROOTCERT", "theirs.pem")
        .ok(&["setup", "psql", new, "--yes"]);
    let theirs = sandbox
        .home()
        .canonicalize()
        .expect("a home")
        .join("theirs.pem")
        .display()
        .to_string();
    let text = fs::read_to_string(sandbox.own().join("config.toml")).expect("a configuration");
    let kept = format!(
        "[connections.new]\nhost = \"{new}\"\nport = 6543\nuser = \"other\"\ndbname = \"theirs\"\n"
    );
    assert!(
        text.contains(&kept) && text.contains(&format!("roots = \"{theirs}\"\n")),
        "{text}"
    );
    let service = String::from_utf8(sandbox.read(".pg_service.conf")).expect("text");
    assert!(
        service.contains("port=6543\n") && service.contains(&format!("sslrootcert={theirs}\n")),
        "{service}"
    );
}
