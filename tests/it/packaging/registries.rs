//! The packages for Python and npm, installed from files as their users install them.

use std::env::consts::ARCH;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::packaging::release::{RELEASE, REPOSITORY, VERSION, release, script};
use crate::support::needs::{PYTHON, program, python, skip_unless};
use crate::support::sandbox::{HOST, KEY_ID, Run, SECRET, Sandbox};

/// npm's name of this machine's kind.
pub const NPM_CPU: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "x64"
};

fn ok(sandbox: &Sandbox, program: &str, arguments: &[&str]) -> String {
    let mut command = sandbox.command(program);
    command.args(arguments);
    let run = Run::of(command);
    assert_eq!(
        run.code, 0,
        "{program} {arguments:?}: {}{}",
        run.stdout, run.stderr
    );
    run.stdout
}

/// Asserts that the two programs below the directory are pgcred.
fn assert_works(sandbox: &Sandbox, directory: &str) {
    let pgcred = sandbox.path(directory).join("pgcred").display().to_string();
    let version = ok(sandbox, &pgcred, &["--version"]);
    assert_eq!(version, format!("pgcred {VERSION}\n"));
    let help = ok(sandbox, &format!("{pgcred}-aws"), &["dsql", "--help"]);
    assert!(help.contains("pgcred aws dsql"), "{help}");
}

#[test]
fn a_wheel_is_installed_run_and_removed() {
    skip_unless!(PYTHON);
    let sandbox = release();
    script(&sandbox, "wheel.py", &[RELEASE]);
    ok(&sandbox, &python(), &["-m", "venv", "venv"]);
    let before = crate::tools::fixtures::files(&sandbox.path("venv"));
    let pip = "venv/bin/python";
    let wheel = format!("release/pgcred-{VERSION}-py3-none-manylinux_2_28_{ARCH}.whl");
    let install = ["-m", "pip", "install", "--no-index", "--no-compile", &wheel];
    ok(&sandbox, pip, &install);
    assert_works(&sandbox, "venv/bin");
    assert!(sandbox.path("venv/share/man/man1/pgcred.1").is_file());
    // An exit code comes through.
    let mut aws = sandbox.command("venv/bin/pgcred-aws");
    aws.arg("--no-such-option");
    assert_eq!(Run::of(aws).code, 252); // the AWS CLI's
    ok(
        &sandbox,
        pip,
        &["-m", "pip", "uninstall", "--yes", "pgcred"],
    );
    let after = crate::tools::fixtures::files(&sandbox.path("venv"));
    let left: Vec<_> = after
        .keys()
        .filter(|path| !before.contains_key(*path))
        .filter(|path| {
            !path
                .components()
                .any(|part| part.as_os_str() == "__pycache__")
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

/// pip itself refuses a wheel whose list of files is wrong only when it is asked to check.
#[test]
fn the_same_release_gives_the_same_packages() {
    skip_unless!(PYTHON);
    let sandbox = release();
    let make = || {
        script(&sandbox, "wheel.py", &[RELEASE]);
        script(&sandbox, "npm.py", &[RELEASE, REPOSITORY]);
        script(&sandbox, "sums.py", &[RELEASE]);
        String::from_utf8(sandbox.read("release/SHA256SUMS")).expect("text")
    };
    let first = make();
    assert_eq!(first.matches(".whl\n").count(), 7, "{first}");
    assert_eq!(first.matches(".tgz\n").count(), 8, "{first}");
    assert_eq!(first, make());
}

#[test]
fn the_npm_package_finds_the_program_of_its_system() {
    skip_unless!(PYTHON, program("npm"), program("node"));
    let sandbox = release();
    script(&sandbox, "npm.py", &[RELEASE, REPOSITORY]);
    let package = |name: &str| format!("./release/pgcred{name}-{VERSION}.tgz");
    let install = |names: &[&str]| {
        let packages: Vec<String> = names.iter().map(|name| package(name)).collect();
        let mut arguments = vec!["install", "--prefix", "node", "--no-audit", "--no-fund"];
        arguments.extend(["--offline", "--ignore-scripts", "--omit=optional"]);
        arguments.extend(packages.iter().map(String::as_str));
        ok(&sandbox, "npm", &arguments);
    };
    install(&[""]);
    let pgcred = "node/node_modules/.bin/pgcred";
    let run = Run::of(sandbox.command(pgcred));
    run.assert_fails(1, &format!("pgcred-linux-{NPM_CPU}-gnu is not installed"));
    install(&["", &format!("-linux-{NPM_CPU}-gnu")]);
    assert_works(&sandbox, "node/node_modules/.bin");
    let mut token = sandbox.command(pgcred);
    token.args(["token", "no-such-target"]);
    Run::of(token).assert_fails(4, "no-such-target");
    let manifest = fs::read_to_string(sandbox.path("node/node_modules/pgcred/package.json"));
    let manifest: serde_json::Value =
        serde_json::from_str(&manifest.expect("a manifest")).expect("JSON");
    let optional = manifest["optionalDependencies"].as_object();
    let optional = optional.expect("the packages of the systems");
    assert_eq!(optional.len(), 7);
    for (name, version) in optional {
        assert_eq!(version, VERSION);
        let file = format!("release/{name}-{VERSION}.tgz");
        assert!(sandbox.path(&file).is_file(), "{file}");
    }
}

/// A service manager stops what it has started, and that is the script.
#[test]
fn the_npm_script_hands_a_signal_on() {
    skip_unless!(PYTHON, program("npm"), program("node"));
    let mut sandbox = release();
    script(&sandbox, "npm.py", &[RELEASE, REPOSITORY]);
    let packages = [String::new(), format!("-linux-{NPM_CPU}-gnu")]
        .map(|end| format!("./release/pgcred{end}-{VERSION}.tgz"));
    let mut arguments = vec![
        "install",
        "--prefix",
        "node",
        "--offline",
        "--omit=optional",
    ];
    arguments.extend(packages.iter().map(String::as_str));
    ok(&sandbox, "npm", &arguments);
    sandbox
        .set("AWS_ACCESS_KEY_ID", KEY_ID)
        .set("AWS_SECRET_ACCESS_KEY", SECRET);
    let mut exec = sandbox.command("node/node_modules/.bin/pgcred");
    exec.args(["exec", HOST, "--", "sh", "-c"]);
    exec.arg("trap 'exit 7' TERM; echo ready; sleep 20 & wait");
    let mut child = exec.stdout(Stdio::piped()).spawn().expect("node starts");
    let mut line = String::new();
    let mut stdout = BufReader::new(child.stdout.take().expect("stdout"));
    stdout.read_line(&mut line).expect("a line");
    assert_eq!(line, "ready\n");
    let pid = i32::try_from(child.id()).expect("a process id");
    kill(Pid::from_raw(pid), Signal::SIGTERM).expect("a signal");
    assert_eq!(child.wait().expect("an end").code(), Some(7));
}
