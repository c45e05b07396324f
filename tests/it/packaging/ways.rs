//! Each way to install, by the scripts of `packaging/try` that the release's workflow runs: the
//! script installs pgcred, lets it write its passfile, removes it, and names what is left. Then the
//! token logs in.
//!
//! `tests/run.sh` makes the packages of distributions, and a bare Debian, before.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packaging::made::{GNU, MUSL, made, packages};
use crate::packaging::registries::NPM_CPU;
use crate::packaging::release::{RELEASE, REPOSITORY, release, rendered, script};
use crate::packaging::whole::NPM;
use crate::support::cluster::Cluster;
use crate::support::needs::{CLUSTER, Need, PYTHON, find, package, program, python, skip_unless};
use crate::support::sandbox::{HOST, NOBODY, Run, Sandbox};
use crate::support::sources::root;

/// Not that of a user, who may be root.
const PYTHON_OF_ALL: &str = "/usr/bin/python3";

/// A bare Debian that `tests/run.sh` has made by debootstrap.
fn debian() -> PathBuf {
    packages().with_file_name("packaging").join("debian")
}

fn bare_debian() -> Need {
    Need::Looked("a bare Debian (debootstrap)", debian().join("usr").exists())
}

/// Where `tests/run.sh` has a newer npm than Debian's, which does not know `libc`.
fn npm_directory() -> PathBuf {
    packages().with_file_name("npm").join("node_modules/.bin")
}

fn npm() -> Need {
    let is_there = npm_directory().join("npm").exists();
    Need::Looked("npm 10 in target/npm (tests/run.sh)", is_there)
}

/// Runs a script of `packaging/try`, and logs in with what the pgcred that it has installed wrote.
/// Returns what the script says at the end.
fn assert_logs_in(script: &str, arguments: &[&Path]) -> String {
    let mut cluster = Cluster::start();
    let passfile = cluster.sandbox.path("passfile").display().to_string();
    cluster.sandbox.set("PGPASSFILE", &passfile);
    // A copy, because removing pgcred may erase the tokens.
    let kept = cluster.sandbox.path("kept").display().to_string();
    let login = format!("#!/bin/sh\n\"$1\" refresh {HOST} && cp -p \"$PGPASSFILE\" '{kept}'\n");
    let login = cluster.sandbox.write("login", login);
    fs::set_permissions(&login, fs::Permissions::from_mode(0o755)).expect("chmod");
    let tools = [python().into(), npm_directory().join("npm")];
    let tools = tools.iter().filter_map(|tool: &PathBuf| tool.parent());
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(
        tools
            .map(Path::to_owned)
            .chain(std::env::split_paths(&path)),
    );
    let mut tried = cluster.sandbox.command("bash");
    tried.arg(root().join("packaging/try").join(script));
    tried
        .args(arguments)
        .env("LOGIN", &login)
        .env("PATH", path.expect("a path"));
    let run = Run::of(tried);
    assert_eq!(
        run.code, 0,
        "{script} {arguments:?}: {}{}",
        run.stdout, run.stderr
    );
    cluster.sandbox.set("PGPASSFILE", &kept);
    cluster.aim(HOST, "admin");
    cluster.assert_session(&[], "admin@postgres");
    run.stdout.lines().last().unwrap_or_default().to_owned()
}

/// Tries a package in a copy of the bare Debian, which has no package manager but its own.
fn assert_package_logs_in(kind: &str) {
    let sandbox = Sandbox::empty();
    let root = sandbox.path("root");
    let mut copy = Command::new("cp");
    copy.arg("-a").arg(debian()).arg(&root);
    assert!(copy.status().expect("cp starts").success());
    assert_logs_in("package.sh", &[Path::new(kind), &packages(), &root]);
}

#[test]
fn the_deb_logs_in_and_leaves_nothing() {
    skip_unless!(made(), CLUSTER, bare_debian(), program("chroot"));
    assert_package_logs_in("deb");
}

#[test]
fn the_rpm_logs_in_and_leaves_nothing() {
    skip_unless!(made(), CLUSTER, bare_debian(), program("rpm"));
    assert_package_logs_in("rpm");
}

#[test]
fn the_package_of_arch_logs_in_and_leaves_nothing() {
    skip_unless!(made(), CLUSTER, bare_debian(), program("pacman"));
    assert_package_logs_in("arch");
}

/// The program for musl needs no system.
#[test]
fn the_apk_logs_in_in_an_empty_directory() {
    skip_unless!(made(), CLUSTER, program("chroot"));
    let sandbox = Sandbox::empty();
    let root = sandbox.path("root");
    fs::create_dir(&root).expect("a directory");
    assert_logs_in("package.sh", &[Path::new("apk"), &packages(), &root]);
}

#[test]
fn the_archives_log_in() {
    skip_unless!(made(), CLUSTER);
    for target in [GNU, MUSL] {
        assert_logs_in("archive.sh", &[&packages(), Path::new(target)]);
    }
}

#[test]
fn the_wheel_logs_in_with_each_tool_of_python() {
    skip_unless!(PYTHON, CLUSTER, package("pipx"), package("uv"));
    let sandbox = release();
    script(&sandbox, "wheel.py", &[RELEASE]);
    for tool in ["pip", "pipx", "uv"] {
        assert_logs_in("wheel.sh", &[Path::new(tool), &sandbox.path(RELEASE)]);
    }
}

/// npm itself chooses among the packages of all systems.
#[test]
fn npm_installs_what_logs_in() {
    skip_unless!(PYTHON, CLUSTER, npm());
    let sandbox = release();
    script(&sandbox, "npm.py", &[RELEASE, REPOSITORY]);
    let said = assert_logs_in("npm.sh", &[&sandbox.path(RELEASE)]);
    let chosen = format!("pgcred-linux-{NPM_CPU}-gnu,");
    assert!(said.contains(&chosen), "{said}");
}

#[test]
fn npm_chooses_the_package_of_each_system() {
    skip_unless!(PYTHON, npm());
    let sandbox = release();
    script(&sandbox, "npm.py", &[RELEASE, REPOSITORY]);
    let mut server = sandbox.command(&python());
    server.arg("-B").arg(root().join("packaging/try/serve.py"));
    let mut server = server.args([RELEASE, "port"]).spawn().expect("a server");
    let port = || fs::read_to_string(sandbox.path("port")).unwrap_or_default();
    while port().is_empty() {
        assert!(server.try_wait().expect("a server").is_none());
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let registry = format!("--registry=http://127.0.0.1:{}", port());
    for name in NPM {
        let words: Vec<&str> = name.split('-').collect();
        let mut install = sandbox.command(&npm_directory().join("npm").display().to_string());
        install.args(["install", "--no-audit", "--no-fund", "--prefix", name]);
        install.args([&registry, "pgcred"]);
        install.args([format!("--os={}", words[0]), format!("--cpu={}", words[1])]);
        if let Some(libc) = words.get(2) {
            let libc = if *libc == "gnu" { "glibc" } else { libc };
            install.arg(format!("--libc={libc}"));
        }
        let run = Run::of(install);
        assert_eq!(run.code, 0, "{name}: {}{}", run.stdout, run.stderr);
        let modules = fs::read_dir(sandbox.path(name).join("node_modules")).expect("modules");
        let modules = modules.map(|entry| entry.expect("an entry").file_name());
        let mut programs: Vec<_> = modules
            .filter_map(|module| module.into_string().ok())
            .filter(|module| module.starts_with("pgcred-"))
            .collect();
        programs.sort();
        assert_eq!(programs, [format!("pgcred-{name}")]);
    }
    server.kill().expect("an end");
    server.wait().expect("an end");
}

#[test]
fn the_script_that_downloads_installs_what_logs_in() {
    skip_unless!(PYTHON, CLUSTER, program("curl"));
    let sandbox = release();
    rendered(&sandbox, REPOSITORY);
    assert_logs_in("installer.sh", &[&sandbox.path(RELEASE)]);
}

/// What the workflow takes on Windows, where `install.sh --try` does not run.
#[test]
fn the_login_of_windows_works_here() {
    let standin = packages().with_file_name("debug").join("standin");
    let built = Need::Looked("cargo build --package standin", standin.exists());
    let python = Need::Looked("the system's python3", Path::new(PYTHON_OF_ALL).exists());
    skip_unless!(built, python, CLUSTER);
    let mut sandbox = Sandbox::empty();
    fs::set_permissions(sandbox.home(), fs::Permissions::from_mode(0o755)).expect("chmod");
    let (pgcred, own) = (sandbox.installed("pgcred"), sandbox.path("standin"));
    fs::copy(standin, &own).expect("a copy");
    let script = fs::read(root().join("packaging/try/login.py")).expect("the script");
    let script = sandbox.write("login.py", script);
    let initdb = find("initdb").expect("initdb");
    let server = initdb.parent().expect("a directory").display().to_string();
    sandbox.set("PGBIN", &server);
    let mut login = sandbox.command(PYTHON_OF_ALL);
    login.arg(script).arg(own).arg(pgcred);
    login.uid(NOBODY).gid(NOBODY);
    let run = Run::of(login);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.ends_with("has logged in\n"), "{}", run.stdout);
}
