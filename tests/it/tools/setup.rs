//! `pgcred setup`: homes before and after, byte for byte, and back; refusals; the table of
//! integrations/README.md.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::needs::{PYTHON, ROOT, can_run, program, python, skip_unless};
use crate::support::sandbox::{HOST, NOBODY, RDS_HOST, Run, Sandbox};
use crate::support::sources::root;

/// The files of a directory by their paths in it. What pgcred leaves there by design is left out:
/// locks, copies, and root certificates.
pub fn files(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![directory.to_owned()]);
    while let Some(inner) = open.pop() {
        for entry in fs::read_dir(inner).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            let left_out = |ending| {
                path.extension()
                    .is_some_and(|extension| extension == ending)
            };
            if path.ends_with("pgcred/roots") {
                continue;
            }
            if path.is_dir() {
                open.push(path);
            } else if !left_out("pgcred-lock") && !left_out("pgcred-backup") {
                let bytes = fs::read(&path).expect("a file");
                found.insert(
                    path.strip_prefix(directory).expect("below").to_owned(),
                    bytes,
                );
            }
        }
    }
    found
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent)
        .into_iter()
        .flatten()
        .map(|entry| entry.expect("an entry").path());
    let mut directories: Vec<_> = entries.filter(|path| path.is_dir()).collect();
    directories.sort();
    directories
}

const CONFIG: &str = ".config/pgcred/config.toml";

/// A case: the directory `before`, then `after` and `undone` with what differs from it, or the text
/// `refused`.
struct Case {
    directory: PathBuf,
    sandbox: Sandbox,
    arguments: Vec<String>,
}

impl Case {
    fn of(tool: &str, directory: PathBuf) -> Self {
        let mut sandbox = Sandbox::empty();
        sandbox.unset("PGCRED_HOME").set("PGCRED_CACHE", "none");
        let programs = sandbox.path("bin").display().to_string();
        sandbox.set("PATH", &format!("{programs}:/usr/bin:/bin"));
        let more = fs::read_to_string(directory.join("arguments"))
            .unwrap_or_else(|_| format!("{HOST} --profile dev"));
        let arguments = ["setup", tool]
            .into_iter()
            .chain(more.split_whitespace())
            .map(str::to_owned)
            .collect();
        let case = Self {
            directory,
            sandbox,
            arguments,
        };
        let before = case.directory.join("before/.");
        let copied = Command::new("cp")
            .arg("-R")
            .arg(before)
            .arg(case.sandbox.home())
            .status();
        assert!(copied.is_ok_and(|status| status.success()));
        if tool == "psql" && !case.directory.join("arguments").exists() {
            let id = HOST.split('.').next().expect("an ID");
            case.sandbox.write(
                CONFIG,
                format!("[connections.{id}]\nhost = \"{HOST}\"\nprofile = \"dev\"\n"),
            );
        }
        case
    }

    /// Files with this machine's paths in them.
    fn state(&self, name: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let pgcred = Path::new(env!("CARGO_BIN_EXE_pgcred"))
            .canonicalize()
            .expect("pgcred");
        let here = |bytes: Vec<u8>| match String::from_utf8(bytes) {
            Ok(text) => {
                let home = self.sandbox.home().display().to_string();
                let text = text
                    .replace("@PGCRED@", &pgcred.display().to_string())
                    .replace("@HOME@", &home);
                text.replace("@ROOTS@", roots()).into_bytes()
            }
            Err(error) => error.into_bytes(),
        };
        let mut state: BTreeMap<_, _> = files(&self.directory.join(name))
            .into_iter()
            .map(|(path, bytes)| (path, here(bytes)))
            .collect();
        if let ("before" | "undone", Ok(bytes)) = (name, fs::read(self.sandbox.path(CONFIG))) {
            state.insert(CONFIG.into(), bytes); // the connection is one already, so that nothing is added
        }
        state
    }

    fn home(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        files(self.sandbox.home())
    }

    fn run(&self, more: &[&str]) -> Run {
        let words: Vec<&str> = self
            .arguments
            .iter()
            .map(String::as_str)
            .chain(more.iter().copied())
            .collect();
        self.sandbox.run(&words)
    }

    /// Compares texts as texts, which a person can read.
    fn assert_home(&self, expected: &BTreeMap<PathBuf, Vec<u8>>, when: &str) {
        let shown = |files: &BTreeMap<PathBuf, Vec<u8>>| -> BTreeMap<PathBuf, String> {
            files
                .iter()
                .map(|(path, bytes)| (path.clone(), String::from_utf8_lossy(bytes).into_owned()))
                .collect()
        };
        assert_eq!(
            shown(&self.home()),
            shown(expected),
            "{} {when}",
            self.directory.display()
        );
        assert_eq!(
            &self.home(),
            expected,
            "{} {when}",
            self.directory.display()
        );
    }

    fn check(&self) {
        let name = self.directory.display();
        let before = self.state("before");
        if let Ok(says) = fs::read_to_string(self.directory.join("refused")) {
            let run = self.run(&["--yes"]);
            assert!(
                run.code != 0 && run.stderr.contains(says.trim()),
                "{name}: {} {}",
                run.code,
                run.stderr
            );
            return self.assert_home(&before, "refused");
        }
        let run = self.run(&[]);
        run.assert_fails(2, "nobody is there to ask");
        assert!(
            run.stderr.lines().any(|line| line.starts_with("+++ ")),
            "{name}: no diff in {}",
            run.stderr
        );
        self.assert_home(&before, "without a terminal");
        let shown = self.run(&["--dry-run"]);
        assert!(
            shown.code == 0 && shown.stderr.lines().any(|line| line.starts_with("+++ ")),
            "{name}: {}",
            shown.stderr
        );
        let printed = self.run(&["--print"]);
        assert!(
            printed.code == 0 && printed.stdout.contains(HOST),
            "{name}: {}",
            printed.stderr
        );
        self.assert_home(&before, "only shown");

        let mut after = before.clone();
        after.extend(self.state("after"));
        for time in ["once", "twice"] {
            let run = self.run(&["--yes"]);
            assert_eq!((run.code, &*run.stdout), (0, ""), "{name}: {}", run.stderr);
            assert_eq!(
                run.stderr.contains("nothing to change"),
                time == "twice",
                "{name}: {}",
                run.stderr
            );
            self.assert_home(&after, time);
        }
        for path in self.state("after").into_keys() {
            let copy = fs::read(
                self.sandbox
                    .path(&format!("{}.pgcred-backup", path.display())),
            )
            .ok();
            let has_ours = |text: &Vec<u8>| String::from_utf8_lossy(text).contains("pgcred");
            match before.get(&path) {
                Some(text) if has_ours(text) => {
                    assert!(!copy.as_ref().is_some_and(has_ours), "{name}: {copy:?}");
                }
                text => assert_eq!(
                    copy.as_ref(),
                    text,
                    "{name}: the copy of {}",
                    path.display()
                ),
            }
        }
        let undone = if self.directory.join("undone").exists() {
            self.state("undone")
        } else {
            before
        };
        for _ in 0..2 {
            let run = self
                .sandbox
                .run(&["setup", &self.arguments[1], "--undo", "--yes"]);
            assert_eq!(run.code, 0, "{name}: {}", run.stderr);
            self.assert_home(&undone, "undone");
        }
    }
}

fn check(tool: &str, at_least: usize) {
    let cases = directories(&root().join("integrations").join(tool).join("fixtures"));
    assert!(cases.len() >= at_least, "{tool}: {} cases", cases.len());
    for directory in cases {
        Case::of(tool, directory).check();
    }
}

#[test]
fn psql_from_home_to_home_and_back() {
    check("psql", 10);
}

#[test]
fn dbeaver_from_home_to_home_and_back() {
    check("dbeaver", 10);
}

#[test]
fn pgadmin_from_home_to_home_and_back() {
    check("pgadmin", 5);
}

/// The system's file of root certificates, where Linux distributions have it.
fn roots() -> &'static str {
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

/// The rows of a Markdown table, cell by cell.
fn rows(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.lines()
        .filter(|line| line.starts_with("| ["))
        .map(|line| line.trim_matches('|').split('|').map(str::trim).collect())
}

/// Every tool has a row, a directory and a page that says what was proven, and they agree with the
/// code.
#[test]
fn the_table_and_the_pages_agree_with_the_code() {
    let directory = root().join("integrations");
    let table = fs::read_to_string(directory.join("README.md")).expect("a README");
    let rows: BTreeMap<_, _> = rows(&table).map(|row| (row[0].to_owned(), row)).collect();
    let sandbox = Sandbox::empty();
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    sandbox.ok(&["add", "-q", "prod", HOST]);
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
        // A scheduler is told of the machine's own files: only shown here, see schedulers.rs.
        let arguments: &[&str] = if way == "scheduler" {
            &["--dry-run"]
        } else {
            &[HOST, "--yes"]
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
        let page = fs::read_to_string(directory.join(name).join("README.md")).expect("a page");
        assert!(page.lines().count() <= 30, "{name}: the page is too long");
        assert!(
            page.starts_with("# ") && page.contains(&format!("pgcred setup {name}")),
            "{name}"
        );
        assert!(
            page.lines().all(|line| line.chars().count() <= 200),
            "{name}: a line is too long"
        );
        assert!(
            page.contains("Not run") || row[4].contains("run:"),
            "{name} does not say what was proven"
        );
    }
    assert_eq!(rows.len(), names.len());
    for other in directories(&directory)
        .iter()
        .filter(|directory| !names.contains(directory))
    {
        let page = fs::read_to_string(other.join("README.md")).expect("a page");
        assert!(page.starts_with("# "), "{}", other.display()); // prompts, containers: what no command sets up
    }
}

#[test]
fn refusals_say_what_to_do() {
    let sandbox = Sandbox::empty();
    sandbox
        .run(&["setup", "nope"])
        .assert_fails(2, "no such tool: nope");
    sandbox
        .run(&["setup", "psql"])
        .assert_fails(2, "no connection to set up");
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

/// Java holds its lock as POSIX has them; a process of its own does, for such a lock goes with any
/// look at the file.
#[test]
fn a_running_dbeaver_keeps_its_files() {
    skip_unless!(PYTHON);
    let sandbox = Sandbox::empty();
    let workspace = ".local/share/DBeaverData/workspace6";
    sandbox.write(&format!("{workspace}/General/.project"), "");
    let lock = sandbox.write(&format!("{workspace}/.metadata/.lock"), "");
    let hold = "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.lockf(file, fcntl.LOCK_EX)\n\
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

/// Names that read as pgcred's marks, as another URL, or that libpq would read differently.
#[test]
fn odd_names_stay_names() {
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
        ("--dbname", "a ".to_owned(), "the dbname ends in a blank"),
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
    // What is printed to be pasted is the name itself, also with a mark that no table would show.
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
fn links_and_modes_stay() {
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

/// A colour, a tunnel, a setting of the user's beside our own, and their file where ours is to be.
#[test]
fn what_is_the_users_own_stays() {
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

    // The copy follows what is the user's.
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

/// A desktop's program has nothing of the shell's environment.
#[test]
fn commands_say_what_the_environment_said() {
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
        !run.stdout.contains("--profile") && run.stderr.contains("may know nothing of it"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_a_target_says_of_tls_is_kept() {
    let sandbox = Sandbox::empty();
    let target = "postgres://app@db.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com/x?sslmode=verify-ca&sslrootcert=/my ca.pem";
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
        .assert_fails(2, "--host with several targets");
}

/// Tool by tool; the one that cannot be undone is named, and keeps no other.
#[test]
fn undo_without_a_tool_undoes_them_all() {
    let mut sandbox = Sandbox::empty();
    sandbox.unset("PGCRED_HOME");
    assert!(
        sandbox
            .run(&["setup", "--undo", "--yes"])
            .stderr
            .contains("nothing is set up")
    );
    sandbox.write(".pg_service.conf", "[mine]\nhost=h\n");
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    let before = files(sandbox.home());
    sandbox.ok(&["add", "prod", HOST]);
    for tool in ["psql", "pgadmin", "dbeaver"] {
        sandbox.ok(&["setup", tool, "--yes"]);
    }
    let set_up = files(sandbox.home());
    let run = sandbox.run(&["setup", "--undo"]);
    assert_eq!((run.code, &*run.stdout), (2, ""), "{}", run.stderr);
    assert!(
        run.stderr.contains("--- ") && run.stderr.contains("3 of 3 tools could not be undone"),
        "{}",
        run.stderr
    );
    assert_eq!(sandbox.run(&["setup", "--undo", "--dry-run"]).code, 0);
    assert_eq!(files(sandbox.home()), set_up);
    sandbox.write(".pg_service.conf", "# pgcred begin\n");
    let run = sandbox.run(&["setup", "--undo", "--yes"]);
    run.assert_fails(2, "psql: ");
    assert!(
        run.stderr.contains("there is no `# pgcred end`"),
        "{}",
        run.stderr
    );
    sandbox.write(".pg_service.conf", &set_up[Path::new(".pg_service.conf")]);
    assert_eq!(sandbox.run(&["setup", "--undo", "--yes"]).code, 0);
    sandbox.ok(&["remove", "prod"]);
    sandbox.ok(&["erase", "--all"]);
    assert_eq!(files(sandbox.home()), before);
    let directory = ".local/share/DBeaverData/workspace6/General/.dbeaver";
    assert!(
        !sandbox.path(".config").exists()
            && !sandbox.path(".cache").exists()
            && !sandbox.path(directory).exists()
    );
}

/// What a tool gets of a connection is what the configuration says, whatever the shell says of
/// another one.
#[test]
fn a_shells_variables_do_not_get_into_a_connections_entries() {
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
    // An option is no variable.
    let said = section(&["two", "--port", "6000", "--user", "me", "--dbname", "mine"]);
    assert!(
        ["port=6000\n", "user=me\n", "dbname=mine\n"]
            .iter()
            .all(|line| said.contains(line)),
        "{said}"
    );

    // The same for root certificates, which a connection that verifies has.
    sandbox
        .unset("PGSSLMODE")
        .set("PGSSLROOTCERT", "/theirs.pem");
    for target in [&[][..], &["one", "two"]] {
        assert_eq!(
            sandbox.ok(&[&["setup", "psql", "--print"], target].concat()),
            plain
        );
    }
    // A target that is no connection yet is what the shell says of it; so the configuration keeps
    // it.
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

/// One entry goes, the others and what is the user's stay.
#[test]
fn undo_takes_out_the_entries_that_are_named() {
    let sandbox = Sandbox::empty();
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    for name in ["one", "two", "three"] {
        sandbox.ok(&["add", name, &format!("{name}.dsql.us-east-1.on.aws")]);
    }
    for tool in ["psql", "pgadmin", "dbeaver"] {
        sandbox.ok(&["setup", tool, "one", "three", "--yes"]);
        let without = files(sandbox.home());
        let of_own = fs::read(sandbox.own().join("pgadmin-servers.json")).ok();
        sandbox.ok(&["setup", tool, "--yes"]);
        sandbox.ok(&["setup", tool, "two", "--undo", "--yes"]);
        let state = |text: &str| {
            text.lines()
                .find(|line| line.starts_with(tool))
                .unwrap_or_default()
                .to_owned()
        };
        let state = state(&sandbox.ok(&["setup"]));
        assert!(
            state.contains("one") && state.contains("three") && !state.contains("two"),
            "{state}"
        );
        if tool == "dbeaver" {
            assert_eq!(files(sandbox.home()).len(), without.len());
        } else if tool == "psql" {
            let section =
                |files: &BTreeMap<PathBuf, Vec<u8>>| files[Path::new(".pg_service.conf")].clone();
            assert_eq!(
                section(&files(sandbox.home())).len(),
                section(&without).len()
            );
        } else {
            assert!(of_own.is_some_and(|text| !text.is_empty()));
        }
        sandbox
            .run(&["setup", tool, "two", "--undo", "--yes"])
            .assert_fails(4, "two is not set up");
        sandbox.ok(&["setup", tool, "one", "three", "--undo", "--yes"]);
        assert!(
            !sandbox
                .ok(&["setup"])
                .lines()
                .any(|line| line.starts_with(tool) && line.contains("one")),
            "{tool}"
        );
    }
    sandbox
        .run(&["setup", "cron", "one", "--undo"])
        .assert_fails(2, "refreshes every connection");
    sandbox
        .run(&["setup", "pgcli", "one", "--undo"])
        .assert_fails(2, "was set up by hand");
}

/// A program that runs keeps its file; what stays is said, and how it gets out.
#[test]
fn remove_names_what_a_running_program_keeps() {
    skip_unless!(PYTHON);
    let sandbox = Sandbox::empty();
    let workspace = ".local/share/DBeaverData/workspace6";
    sandbox.write(&format!("{workspace}/General/.project"), "");
    let lock = sandbox.write(&format!("{workspace}/.metadata/.lock"), "");
    sandbox.ok(&["add", "prod", HOST]);
    sandbox.ok(&["setup", "dbeaver", "--yes"]);
    let hold = "import fcntl, sys; file = open(sys.argv[1], 'r+'); fcntl.lockf(file, fcntl.LOCK_EX)\n\
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
    let run = sandbox.run(&["remove", "prod"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(
        run.stderr
            .contains("later: pgcred setup dbeaver prod --undo"),
        "{}",
        run.stderr
    );
    drop(dbeaver.stdin.take());
    dbeaver.wait().expect("an end");
    sandbox.ok(&["setup", "dbeaver", "prod", "--undo", "--yes"]);
    assert!(
        !sandbox
            .path(&format!("{workspace}/General/.dbeaver"))
            .exists()
    );
}
