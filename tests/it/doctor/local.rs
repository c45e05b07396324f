//! The checks of `pgcred doctor` that look at this machine alone: each one in a home that is fine,
//! and in a home with the fault that it is there for.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use super::fixture::{
    Fixture, HIDDEN, configure, dbeaver, dsql, link, machine, nothing, one_connection, passfile,
    prove, put_first, put_program, rds, set,
};
use super::of_target::{ADDRESS, ENTRY, ENVIRONMENT};
use crate::support::needs::{program, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::tools::{BY_FILES, WORKSPACE_OF_DBEAVER};

const INSTALLATION: [Fixture; 10] = [
    machine("installation.version", nothing, "ok", None),
    machine(
        "installation.path",
        |sandbox| link(sandbox, "pgcred", env!("CARGO_BIN_EXE_pgcred")),
        "ok",
        None,
    ),
    machine(
        "installation.path",
        |sandbox| put_program(sandbox, "pgcred", "pgcred 0.0.1"),
        "warn",
        Some("install.path"),
    ),
    machine("installation.links", nothing, "ok", None),
    machine(
        "installation.links",
        |sandbox| link(sandbox, "pgcred-aws", "/none/pgcred"),
        "warn",
        Some("install.link"),
    ),
    machine(
        "installation.completions",
        |sandbox| drop(sandbox.write(".config/fish/completions/pgcred.fish", "complete")),
        "ok",
        None,
    ),
    machine("installation.hook", nothing, "skip", None),
    machine(
        "installation.hook",
        |sandbox| drop(sandbox.write(".bashrc", "eval \"$(pgcred init bash)\"\n")),
        "ok",
        None,
    ),
    machine("installation.schedule", nothing, "ok", None),
    machine(
        "installation.schedule",
        |sandbox| {
            // the run fails: there are no credentials
            configure(sandbox, &format!("[connections.prod]\nhost = \"{HOST}\"\n"));
            sandbox.run(&["refresh", "--background", "--quiet"]);
        },
        "warn",
        Some("schedule"),
    ),
];

#[test]
fn installation() {
    prove(&INSTALLATION);
}

/// A scheduler that is set up and has never run.
#[test]
#[cfg(target_os = "linux")]
fn a_scheduler_that_does_not_run() {
    prove(&[machine(
        "installation.schedule",
        |sandbox| {
            let unit = ".config/systemd/user/pgcred-refresh.timer";
            sandbox.write(unit, "# Written by `pgcred setup systemd`\n");
        },
        "warn",
        Some("schedule"),
    )]);
}

/// The files that `pgcred setup systemd` writes are fine for doctor.
#[test]
#[cfg(target_os = "linux")]
fn a_scheduler_that_setup_has_set_up_is_fine() {
    prove(&[machine(
        "tools.commands",
        |sandbox| {
            let directory = crate::support::sources::root().join("integrations/systemd");
            for name in ["pgcred-refresh.service", "pgcred-refresh.timer"] {
                let text = fs::read_to_string(directory.join(name)).expect("a template");
                let command = format!("{} refresh --quiet", env!("CARGO_BIN_EXE_pgcred"));
                let text = text.replace("{command}", &command);
                sandbox.write(&format!(".config/systemd/user/{name}"), text);
            }
        },
        "ok",
        None,
    )]);
}

const STORE: [Fixture; 6] = [
    machine("store.directory", nothing, "ok", None),
    machine(
        "store.directory",
        without_directory,
        "warn",
        Some("cache.directory"),
    ),
    machine("store.directory", without_cache, "skip", None),
    machine("store.key", nothing, "ok", None),
    machine("store.key", without_directory, "warn", Some("cache.key")),
    machine("store.key", without_cache, "skip", None),
];

/// A file stands where the cache's directory would be made.
fn without_directory(sandbox: &mut Sandbox) {
    fs::write(sandbox.own().join("cache"), "").expect("a file");
}

fn without_cache(sandbox: &mut Sandbox) {
    sandbox.set("PGCRED_CACHE", "none");
}

#[test]
fn store() {
    prove(&STORE);
}

/// The trial leaves nothing behind, neither where there is no cache yet nor beside a token.
#[test]
fn a_trial_of_the_store_leaves_everything_as_it_was() {
    let sandbox = Sandbox::with_keys();
    let files = || {
        let mut files: Vec<_> = ["", "cache", "cache/tokens"]
            .iter()
            .filter_map(|directory| fs::read_dir(sandbox.own().join(directory)).ok())
            .flatten()
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    };
    let run = || sandbox.run(&["doctor", "--check", "store", "--format", "json"]);
    assert_eq!(run().code, 0);
    assert_eq!(files(), [""; 0].map(std::path::PathBuf::from));
    sandbox.ok(&["token", HOST]);
    let before = files();
    let token = sandbox.ok(&["token", HOST]);
    assert_eq!(run().code, 0);
    assert_eq!(files(), before);
    assert_eq!(
        sandbox.ok(&["token", HOST]),
        token,
        "the key is another one"
    );
}

const CONFIGURATION: [Fixture; 7] = [
    machine("configuration.file", nothing, "ok", None),
    machine(
        "configuration.file",
        |sandbox| configure(sandbox, "[connections.a]\nhots = \"h\"\n"),
        "fail",
        Some("config.file"),
    ),
    machine(
        "configuration.targets",
        nothing,
        "warn",
        Some("config.none"),
    ),
    machine("configuration.targets", one_connection, "ok", None),
    dsql("configuration.targets", nothing, "ok", None),
    machine("configuration.lines", one_connection, "ok", None),
    machine(
        "configuration.lines",
        |sandbox| {
            let text = format!(
                "[connections.a]\nhost = \"{HOST}\"\n[connections.b]\nhost = \"{HOST}\"\n\
                 profile = \"other\"\n"
            );
            configure(sandbox, &text);
        },
        "warn",
        Some("passfile.conflict"),
    ),
];

#[test]
fn configuration() {
    prove(&CONFIGURATION);
}

const PASSFILE: [Fixture; 13] = [
    machine(
        "passfile.file",
        |sandbox| {
            passfile(sandbox, "");
            let path = sandbox.path(".pgpass").display().to_string();
            sandbox.set("PGPASSFILE", &path);
        },
        "ok",
        None,
    ),
    machine("passfile.file", nothing, "warn", Some("passfile.home")),
    machine(
        "passfile.file",
        |sandbox| set(sandbox, "PGPASSFILE", "~/.pgpass"),
        "fail",
        Some("env.passfile"),
    ),
    machine(
        "passfile.file",
        |sandbox| set(sandbox, "PGPASSFILE", "/none/pgpass"),
        "warn",
        Some("env.passfile"),
    ),
    machine("passfile.mode", nothing, "skip", None),
    machine("passfile.mode", |sandbox| passfile(sandbox, ""), "ok", None),
    machine(
        "passfile.mode",
        |sandbox| {
            passfile(sandbox, "");
            let open = fs::Permissions::from_mode(0o644);
            fs::set_permissions(sandbox.path(".pgpass"), open).expect("a mode");
        },
        "fail",
        Some("passfile.mode"),
    ),
    machine(
        "passfile.repository",
        |sandbox| passfile(sandbox, ""),
        "ok",
        None,
    ),
    machine(
        "passfile.block",
        |sandbox| passfile(sandbox, "a:1:*:b:c\n"),
        "ok",
        None,
    ),
    machine(
        "passfile.block",
        |sandbox| passfile(sandbox, "# pgcred begin\n"),
        "fail",
        Some("passfile.block"),
    ),
    machine(
        "passfile.lines",
        |sandbox| passfile(sandbox, "a:1:*:b:c\n"),
        "ok",
        None,
    ),
    machine(
        "passfile.lines",
        |sandbox| passfile(sandbox, format!("\u{feff}a:1:*:b:{HIDDEN}\n")),
        "warn",
        Some("passfile.bom"),
    ),
    machine(
        "passfile.lines",
        |sandbox| passfile(sandbox, format!("a:1:*:b:{HIDDEN}\r\n")),
        "warn",
        Some("passfile.bom"),
    ),
];

#[test]
fn the_passfile() {
    prove(&PASSFILE);
}

const REPOSITORY: [Fixture; 1] = [machine(
    "passfile.repository",
    |sandbox| {
        passfile(sandbox, "");
        let mut git = sandbox.command("git");
        git.args(["init", "--quiet"]);
        assert_eq!(Run::of(git).code, 0);
    },
    "warn",
    Some("passfile.git"),
)];

#[test]
fn a_passfile_that_git_would_publish() {
    skip_unless!(program("git"));
    prove(&REPOSITORY);
}

const CLIENTS: [Fixture; 12] = [
    machine("clients.psql", |sandbox| psql(sandbox, "17.2"), "ok", None),
    machine(
        "clients.psql",
        |sandbox| psql(sandbox, "9.6.24"),
        "warn",
        Some("tool.scram"),
    ),
    machine("clients.lines", |sandbox| psql(sandbox, "13.0"), "ok", None),
    machine(
        "clients.lines",
        |sandbox| psql(sandbox, "12.4"),
        "fail",
        Some("token.cut"),
    ),
    dsql("clients.sni", |sandbox| psql(sandbox, "14.0"), "ok", None),
    dsql(
        "clients.sni",
        |sandbox| psql(sandbox, "13.9"),
        "fail",
        Some("tls.sni"),
    ),
    rds("clients.sni", |sandbox| psql(sandbox, "13.9"), "ok", None),
    machine("clients.sandboxes", nothing, "ok", None),
    machine(
        "clients.sandboxes",
        |sandbox| {
            let data = sandbox.path(".var/app/io.dbeaver.DBeaverCommunity");
            fs::create_dir_all(data).expect("a directory");
        },
        "warn",
        Some("tool.flatpak"),
    ),
    machine("clients.aws", |sandbox| aws(sandbox, "2.31.0"), "ok", None),
    machine("clients.aws", aws_that_does_not_run, "warn", Some("cli.v1")),
    machine(
        "clients.aws",
        |sandbox| aws(sandbox, "1.44.4"),
        "warn",
        Some("cli.v1"),
    ),
];

/// The version is told by the files of the installation.
fn aws_that_does_not_run(sandbox: &mut Sandbox) {
    let python = sandbox.path("python").display().to_string();
    put_program(sandbox, "aws", "");
    sandbox.write(
        "bin/aws",
        format!("#!{python}/bin/python3\nimport awscli\n"),
    );
    sandbox.write(
        "python/lib/python3.11/site-packages/awscli-1.44.4.dist-info/RECORD",
        "",
    );
}

fn psql(sandbox: &mut Sandbox, version: &str) {
    put_program(sandbox, "psql", &format!("psql (PostgreSQL) {version}"));
}

fn aws(sandbox: &mut Sandbox, version: &str) {
    put_program(
        sandbox,
        "aws",
        &format!("aws-cli/{version} Python/3.13 Linux/6.1"),
    );
}

#[test]
fn clients() {
    prove(&CLIENTS);
}

/// A client that never tells its version costs a few seconds, and no check.
#[test]
fn a_client_that_hangs_is_left_behind() {
    let mut sandbox = Sandbox::empty();
    let path = sandbox.write("bin/psql", "#!/bin/sh\nexec sleep 600\n");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
    put_first(&mut sandbox);
    let begun = std::time::Instant::now();
    let run = sandbox.run(&["doctor", "--check", "clients.lines", "--timeout", "2"]);
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(run.stdout.contains("skip  clients.lines"), "{}", run.stdout);
}

const TOOLS: [Fixture; 11] = [
    machine("tools.found", nothing, "ok", None),
    machine("tools.commands", nothing, "ok", None),
    machine(
        "tools.commands",
        |sandbox| user_connection(sandbox, &password_command("aws x")),
        "warn",
        Some("tool.path"),
    ),
    machine(
        "tools.commands",
        |sandbox| user_connection(sandbox, &password_command("/none/pgcred token")),
        "warn",
        Some("tool.path"),
    ),
    machine(
        "tools.commands",
        |sandbox| {
            let other = sandbox.write("other/pgcred", "").display().to_string();
            user_connection(sandbox, &password_command(&format!("{other} token")));
        },
        "warn",
        Some("tool.path"),
    ),
    machine("tools.passwords", nothing, "ok", None),
    machine(
        "tools.passwords",
        |sandbox| {
            let service = format!("[s]\nhost={HOST}\npassword={HIDDEN}\n");
            sandbox.write(".pg_service.conf", service);
        },
        "warn",
        Some("token.pasted"),
    ),
    machine("tools.entries", nothing, "ok", None),
    machine(
        "tools.entries",
        |sandbox| {
            let file = "data-sources-pgcred.json";
            dbeaver(sandbox, file, "pgcred-gone", "\"port\": \"1\"");
        },
        "warn",
        Some("tool.entry"),
    ),
    machine("tools.jdbc", nothing, "ok", None),
    machine(
        "tools.jdbc",
        |sandbox| user_connection(sandbox, "\"password\": \"\""),
        "warn",
        Some("tool.jdbc.empty"),
    ),
];

fn password_command(command: &str) -> String {
    format!("\"auth-properties\": {{\"passwordCommand\": \"{command}\"}}")
}

fn user_connection(sandbox: &mut Sandbox, configuration: &str) {
    dbeaver(
        sandbox,
        "data-sources.json",
        "postgres-jdbc-1",
        configuration,
    );
}

#[test]
fn tools() {
    prove(&TOOLS);
}

/// What `pgcred setup` writes is fine for doctor.
#[test]
fn a_tool_that_setup_has_set_up_is_fine() {
    let sandbox = Sandbox::with_keys();
    sandbox.write(WORKSPACE_OF_DBEAVER, "");
    sandbox.ok(&["add", "--quiet", "prod", HOST]);
    for tool in BY_FILES {
        if tool == "dbeaver" && cfg!(target_os = "macos") {
            continue;
        }
        sandbox.ok(&["setup", tool, "prod", "--yes", "--quiet"]);
    }
    let run = sandbox.run(&["doctor", "--offline", "--check", "tools"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    assert!(!run.stdout.contains("warn"), "{}", run.stdout);
    assert!(
        run.stdout.contains("psql and libpq programs: prod"),
        "{}",
        run.stdout
    );
}

/// The last lines say what is wrong, what to do, and what to type.
#[test]
fn the_summary_says_what_to_do() {
    let mut sandbox = Sandbox::empty();
    one_connection(&mut sandbox);
    passfile(&sandbox, format!("{HOST}:5432:*:admin:{HIDDEN}\n"));
    let run = sandbox.run(&["doctor", "--offline"]);
    assert_eq!(run.code, 1, "{}", run.stdout);
    let (_, summary) = run.stdout.rsplit_once("\n\n").expect("a summary");
    let expected = "first cause: prod: another line of the passfile comes before pgcred's\n\
        delete line 1, or move it below pgcred's; then `pgcred refresh prod`\n\
        type: pgcred refresh prod\n";
    assert_eq!(summary, expected);
}

/// With nothing configured, doctor says how to begin.
#[test]
fn a_newcomer_is_told_how_to_begin() {
    let run = Sandbox::empty().run(&["doctor", "--offline"]);
    assert_eq!(run.code, 0, "{}", run.stdout);
    let mut lines = run.stdout.lines().rev();
    assert_eq!(lines.next(), Some("type: pgcred doctor NAME"));
    assert_eq!(lines.next(), Some("type: pgcred add NAME HOST"));
}

/// The checks that tell something and find no fault.
const FAULTLESS: [&str; 4] = [
    "installation.version",
    "installation.completions",
    "installation.hook",
    "tools.found",
];

#[test]
fn every_check_of_this_machine_has_a_fault_and_none() {
    let fixtures = [
        &INSTALLATION[..],
        &STORE,
        &CONFIGURATION,
        &PASSFILE,
        &REPOSITORY,
        &ENTRY,
        &ENVIRONMENT,
        &ADDRESS,
        &CLIENTS,
        &TOOLS,
    ];
    let ends = |id: &str, statuses: &[&str]| {
        let mut fixtures = fixtures.iter().copied().flatten();
        fixtures.any(|fixture| fixture.id == id && statuses.contains(&fixture.status))
    };
    let stages = [
        "installation",
        "store",
        "configuration",
        "passfile",
        "environment",
        "clients",
        "tools",
    ];
    let list = Sandbox::empty().ok(&["doctor", "--list"]);
    let ids = list
        .lines()
        .skip(1)
        .map(|line| line.split(' ').next().expect("an id"));
    let mut count = 0;
    for id in ids {
        let (stage, _) = id.split_once('.').expect("a stage");
        if !stages.contains(&stage) {
            continue;
        }
        count += 1;
        assert!(ends(id, &["ok"]), "{id} is never fine");
        let has_fault = ends(id, &["warn", "fail"]);
        assert_ne!(has_fault, FAULTLESS.contains(&id), "{id}");
    }
    assert!(count > 30, "{count}");
}
