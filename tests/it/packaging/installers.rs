//! The downloading installer against a web server: it installs what its checksums name and nothing
//! else, whatever the server sends, and leaves nothing behind.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::packaging::release::{
    RELEASE, Server, TARGETS, VERSION, archive_of, release, rendered, serve,
};
use crate::support::needs::{PYTHON, find, package, program, python, skip_unless};
use crate::support::sandbox::{NOBODY, Run, Sandbox};
use crate::support::sources::root;

const INSTALLER: &str = "release/pgcred-install.sh";
/// What is in the prefix after an installation.
const INSTALLED: [&str; 6] = [
    "bin/pgcred",
    "bin/pgcred-aws",
    "share/bash-completion/completions/pgcred",
    "share/fish/vendor_completions.d/pgcred.fish",
    "share/man/man1/pgcred.1",
    "share/zsh/site-functions/_pgcred",
];

/// Returns a machine with the installer of a release that a server offers.
fn machine(kind: Server) -> Sandbox {
    let mut sandbox = release();
    let repository = serve(&sandbox, kind);
    rendered(&sandbox, &repository);
    fs::create_dir(sandbox.path("tmp")).expect("a directory");
    let tmp = sandbox.path("tmp").display().to_string();
    sandbox.set("TMPDIR", &tmp);
    sandbox
}

fn installer(sandbox: &Sandbox, shell: &[&str], arguments: &[&str]) -> Command {
    let mut command = sandbox.command(shell[0]);
    command.args(&shell[1..]).arg(INSTALLER).args(arguments);
    command
}

fn install(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    Run::of(installer(sandbox, &["sh"], arguments))
}

/// Returns the files below a directory, sorted.
fn files(directory: &Path) -> Vec<String> {
    if !directory.exists() {
        return Vec::new();
    }
    let found = crate::tools::fixtures::files(directory);
    let mut found: Vec<_> = found
        .keys()
        .map(|path| path.display().to_string())
        .collect();
    found.sort();
    found
}

/// Asserts that the installer has failed and left nothing.
fn assert_nothing_is_installed(sandbox: &Sandbox, run: &Run, says: &str) {
    run.assert_fails(1, says);
    assert!(!sandbox.path(".local").exists());
    assert_eq!(files(&sandbox.path("tmp")), [""; 0]);
}

#[test]
fn every_shell_installs_and_removes_pgcred() {
    skip_unless!(PYTHON, program("curl"), program("busybox"));
    let sandbox = machine(Server::Whole);
    let start_up = [
        ".bash_profile",
        ".bashrc",
        ".profile",
        ".zshenv",
        ".zshrc",
        ".config/fish/config.fish",
        ".config/environment.d/own.conf",
    ];
    for file in start_up {
        sandbox.write(file, "export PATH=/usr/bin\n");
    }
    let whole_home = || crate::tools::fixtures::files(sandbox.home());
    let before = whole_home();
    assert!(before.contains_key(Path::new(".bashrc")));
    for shell in [&["dash"][..], &["bash", "--posix"], &["busybox", "sh"]] {
        let run = Run::of(installer(&sandbox, shell, &[]));
        assert_eq!(run.code, 0, "{shell:?}: {}", run.stderr);
        assert_eq!(files(&sandbox.path(".local")), INSTALLED, "{shell:?}");
        let mut after = whole_home();
        after.retain(|path, _| !path.starts_with(".local"));
        assert!(after == before, "{shell:?}: a file of the user has changed");
        let link = fs::read_link(sandbox.path(".local/bin/pgcred-aws")).expect("a link");
        assert_eq!(link, Path::new("pgcred"), "{shell:?}");
        let run = Run::of(installer(&sandbox, shell, &["--uninstall"]));
        assert_eq!(run.code, 0, "{shell:?}: {}", run.stderr);
        assert!(!sandbox.path(".local").exists(), "{shell:?}");
        assert!(
            whole_home() == before,
            "{shell:?}: a file of the user has changed"
        );
    }
}

/// A machine that has nothing but busybox: no curl, no glibc's getconf.
#[test]
fn busybox_alone_gets_the_static_program() {
    skip_unless!(PYTHON, program("busybox"));
    let mut sandbox = machine(Server::Whole);
    let bin = sandbox.path("applets").display().to_string();
    fs::create_dir(&bin).expect("a directory");
    let mut applets = sandbox.command("busybox");
    applets.args(["--install", "-s", &bin]);
    assert_eq!(Run::of(applets).code, 0);
    sandbox.set("PATH", &bin);
    let run = install(&sandbox, &["--prefix=own"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let program = String::from_utf8(sandbox.read("own/bin/pgcred")).expect("text");
    assert!(program.contains("linux-musl"), "{program}");
}

#[test]
fn a_file_that_was_exchanged_is_not_installed() {
    skip_unless!(PYTHON, program("curl"));
    let sandbox = machine(Server::Whole);
    let other = archive_of("x86_64-apple-darwin");
    let other = sandbox.read(&format!("{RELEASE}/{other}"));
    for target in TARGETS {
        sandbox.write(&format!("{RELEASE}/{}", archive_of(target)), &other);
    }
    let run = install(&sandbox, &["--target", "x86_64-unknown-linux-gnu"]);
    assert_nothing_is_installed(&sandbox, &run, "is wrong, nothing was installed");
}

#[test]
fn a_download_that_breaks_off_installs_nothing() {
    skip_unless!(PYTHON, program("curl"), program("wget"));
    let mut sandbox = machine(Server::Cut);
    let run = install(&sandbox, &[]);
    assert_nothing_is_installed(&sandbox, &run, "cannot download");
    without_curl(&mut sandbox);
    sandbox.write(".wgetrc", "tries = 1\n");
    let run = install(&sandbox, &[]);
    assert_nothing_is_installed(&sandbox, &run, "cannot download");
}

#[test]
fn wget_serves_where_curl_is_missing() {
    skip_unless!(PYTHON, program("wget"));
    let mut sandbox = machine(Server::Whole);
    without_curl(&mut sandbox);
    let run = install(&sandbox, &[]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(files(&sandbox.path(".local")), INSTALLED);
}

/// Leaves on PATH what the installer needs besides a program that downloads, and wget.
fn without_curl(sandbox: &mut Sandbox) {
    let bin = sandbox.path("programs");
    fs::create_dir(&bin).expect("a directory");
    let used = "cat chmod cp cut dirname env getconf grep gzip id ln ls mkdir mktemp mv \
        readlink rm rmdir sed sh sha256sum tar uname wget";
    for name in used.split_whitespace() {
        let program = find(name).unwrap_or_else(|| panic!("no {name}"));
        symlink(program, bin.join(name)).expect("a link");
    }
    sandbox.set("PATH", &bin.display().to_string());
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error() {
    skip_unless!(PYTHON, program("curl"));
    let mut sandbox = machine(Server::Whole);
    let allow = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("chmod");
    };
    fs::create_dir(sandbox.path("ro")).expect("a directory");
    allow(&sandbox.path("ro"), 0o555);
    allow(&sandbox.path("tmp"), 0o777);
    allow(sandbox.home(), 0o755);
    sandbox.set("PGCRED_CACHE", "none");
    let mut command = installer(&sandbox, &["sh"], &["--prefix", "ro"]);
    if nix::unistd::geteuid().is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let run = Run::of(command);
    assert_ne!(run.code, 0);
    assert!(run.stderr.contains("ermission denied"), "{}", run.stderr);
    assert_eq!(files(&sandbox.path("ro")), [""; 0]);
    assert_eq!(files(&sandbox.path("tmp")), [""; 0]);
}

#[test]
fn another_version_or_target_is_looked_up() {
    skip_unless!(PYTHON, program("curl"));
    let sandbox = machine(Server::Whole);
    let run = install(&sandbox, &["--version", "99.1.0"]);
    assert_nothing_is_installed(&sandbox, &run, "cannot download");
    let run = install(&sandbox, &["--target", "vax-dec-ultrix"]);
    assert_nothing_is_installed(&sandbox, &run, "has no build for vax-dec-ultrix");
    // An installer of another version takes the list that the server has.
    let text = String::from_utf8(sandbox.read(INSTALLER)).expect("text");
    let older = text.replace(&format!("\nversion={VERSION}\n"), "\nversion=0.0.1\n");
    assert_ne!(text, older);
    sandbox.write(INSTALLER, older);
    let run = install(&sandbox, &[&format!("--version=v{VERSION}")]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(files(&sandbox.path(".local")), INSTALLED);
}

/// `curl ... | sh` may get a part of the script only.
#[test]
fn a_script_that_breaks_off_does_nothing() {
    skip_unless!(PYTHON, program("curl"));
    let sandbox = machine(Server::Whole);
    let whole = String::from_utf8(sandbox.read(INSTALLER)).expect("text");
    let ends = whole.char_indices().map(|(at, _)| at).step_by(97);
    for end in ends.chain([whole.len() - "main \"$@\"\n".len()]) {
        sandbox.write(INSTALLER, &whole[..end]);
        let run = install(&sandbox, &[]);
        assert_eq!(run.stdout, "", "{end}");
        assert!(!sandbox.path(".local").exists(), "{end}");
        assert_eq!(files(&sandbox.path("tmp")), [""; 0], "{end}");
    }
}

/// No PowerShell runs here: a grammar of it reads the script.
#[test]
fn the_installer_of_windows_is_powershell() {
    skip_unless!(PYTHON, package("tree_sitter_powershell"));
    let sandbox = machine(Server::Whole);
    let mut check = sandbox.command(&python());
    check
        .arg("-B")
        .arg(root().join("tests/shells/powershell.py"));
    check.arg("release/pgcred-install.ps1");
    let run = Run::of(check);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
}
