//! The archives that `packaging/build.sh` has made of this tree: what is in them, and what the
//! programs need of a system.
//!
//! Two real builds take minutes, so `tests/run.sh` makes them before, in target/packages.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::packaging::release::VERSION;
use crate::support::needs::{Need, PYTHON, ROOT, can_run, program, python, skip_unless};
use crate::support::sandbox::{HOST, Run, Sandbox};
use crate::support::sources::root;

const IS_ARM: bool = cfg!(target_arch = "aarch64");
/// The targets of this machine.
pub const GNU: &str = if IS_ARM {
    "aarch64-unknown-linux-gnu"
} else {
    "x86_64-unknown-linux-gnu"
};
pub const MUSL: &str = if IS_ARM {
    "aarch64-unknown-linux-musl"
} else {
    "x86_64-unknown-linux-musl"
};

/// The newest glibc that the program for gnu may ask for.
const GLIBC: (u32, u32) = (2, 28);

/// The directory of `packaging/build.sh`.
pub fn packages() -> PathBuf {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.expect("a directory").join("packages")
}

pub fn archive(target: &str) -> PathBuf {
    packages().join(format!("pgcred-{VERSION}-{target}.tar.gz"))
}

/// What these tests need: the archives of this machine's targets.
pub fn made() -> Need {
    let is_made = [GNU, MUSL].iter().all(|target| archive(target).exists());
    Need::Looked("packaging/build.sh", is_made)
}

fn run(command: &mut Command) -> Run {
    Run::finished(command.output().expect("the program starts"))
}

fn ok(command: &mut Command) -> String {
    let run = run(command);
    assert_eq!(run.code, 0, "{command:?}: {}{}", run.stdout, run.stderr);
    run.stdout
}

/// Unpacks the archive of a target, and returns its directory in the sandbox.
pub fn unpacked(sandbox: &Sandbox, target: &str) -> PathBuf {
    ok(sandbox.command("tar").arg("-xf").arg(archive(target)));
    sandbox.path(&format!("pgcred-{VERSION}-{target}"))
}

fn tool(name: &str, arguments: &[&str], file: &Path) -> String {
    ok(Command::new(name).args(arguments).arg(file))
}

#[test]
fn the_programs_of_the_archives_work() {
    skip_unless!(made());
    let sandbox = Sandbox::with_keys();
    for target in [GNU, MUSL] {
        let directory = unpacked(&sandbox, target);
        let program = directory.join("pgcred").display().to_string();
        let version = ok(sandbox.command(&program).arg("--version"));
        assert_eq!(version, format!("pgcred {VERSION}\n"));
        let token = ok(sandbox.command(&program).args(["token", HOST]));
        assert!(token.contains("X-Amz-Signature="), "{target}");
        let aws = directory.join("pgcred-aws").display().to_string();
        let help = ok(sandbox.command(&aws).args(["dsql", "--help"]));
        assert!(help.contains("generate-db-connect-auth-token"), "{help}");
    }
}

#[test]
fn the_texts_of_the_archives_can_be_read() {
    skip_unless!(made());
    let sandbox = Sandbox::empty();
    let directory = unpacked(&sandbox, GNU);
    for (shell, option, name) in [
        ("bash", "-n", "pgcred.bash"),
        ("fish", "--no-execute", "pgcred.fish"),
        ("zsh", "-n", "_pgcred"),
    ] {
        if can_run!(program(shell)) {
            let script = directory.join("completions").join(name);
            assert_eq!(tool(shell, &[option], &script), "", "{name}");
        }
    }
    if can_run!(program("man")) {
        let page = tool("man", &["-l", "-P", "cat"], &directory.join("man/pgcred.1"));
        assert!(page.contains("pgcred token"), "{page}");
    }
    for name in ["CHANGELOG.md", "LICENSE", "README.md", "install.sh"] {
        let packed = fs::read(directory.join(name)).expect("a file");
        assert!(
            packed == fs::read(root().join(name)).expect("a file"),
            "{name}"
        );
    }
}

/// Returns the versions of glibc that a program asks for.
fn glibc_of(program: &Path) -> Vec<(u32, u32)> {
    let symbols = tool("objdump", &["-T"], program);
    let versions = symbols.split("GLIBC_2.").skip(1);
    let minors = versions.map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        rest[..end.unwrap_or(rest.len())].parse().expect("a number")
    });
    minors.map(|minor| (2, minor)).collect()
}

#[test]
fn the_program_for_gnu_runs_with_an_old_glibc() {
    skip_unless!(made(), program("objdump"));
    let sandbox = Sandbox::empty();
    let program = unpacked(&sandbox, GNU).join("pgcred");
    let versions = glibc_of(&program);
    assert!(versions.len() > 20, "{versions:?}");
    let newest = versions.iter().max();
    assert!(newest <= Some(&GLIBC), "{newest:?}");
    // Loading libgcc_s costs more than signing a token: build.rs.
    let needed = tool("objdump", &["-p"], &program);
    let libraries = needed.lines().filter(|line| line.contains("NEEDED"));
    for library in libraries {
        let is_of_glibc = [
            "libc.so",
            "libpthread.so",
            "libdl.so",
            "libm.so",
            "ld-linux",
        ];
        assert!(
            is_of_glibc.iter().any(|name| library.contains(name)),
            "{library}"
        );
    }
}

/// A directory that has the program and nothing else: no library, no /etc, no /proc.
#[test]
fn the_program_for_musl_needs_nothing() {
    skip_unless!(made(), ROOT, program("chroot"));
    let sandbox = Sandbox::empty();
    let directory = unpacked(&sandbox, MUSL);
    let mut chroot = sandbox.command("chroot");
    chroot.arg(&directory).args(["/pgcred", "--version"]);
    assert_eq!(ok(&mut chroot), format!("pgcred {VERSION}\n"));
    let headers = tool("objdump", &["-p"], &directory.join("pgcred"));
    assert!(
        !headers.contains("INTERP") && !headers.contains("NEEDED"),
        "{headers}"
    );
}

#[test]
fn no_path_of_the_builder_is_in_the_programs() {
    skip_unless!(made());
    let sandbox = Sandbox::empty();
    let home = std::env::var("HOME").unwrap_or_default();
    let own = root().display().to_string();
    for target in [GNU, MUSL] {
        let program = fs::read(unpacked(&sandbox, target).join("pgcred")).expect("a program");
        let holds = |text: &str| {
            let window = program.windows(text.len());
            window.into_iter().any(|bytes| bytes == text.as_bytes())
        };
        // That the places of panics are there at all.
        assert!(holds("/cargo/registry/src/"), "{target}");
        for path in [&home, &own] {
            assert!(
                path.len() < 2 || !holds(&format!("{path}/")),
                "{path} in {target}"
            );
        }
    }
}

/// RELEASING needs it: another compiler makes other bytes.
#[test]
fn the_programs_say_which_compiler_has_made_them() {
    skip_unless!(made(), program("readelf"));
    let sandbox = Sandbox::empty();
    for target in [GNU, MUSL] {
        let program = unpacked(&sandbox, target).join("pgcred");
        let comment = tool("readelf", &["-p", ".comment"], &program);
        assert!(comment.contains("rustc version 1."), "{target}: {comment}");
    }
}

/// Returns the list of crates that `cargo auditable` has written into a program.
fn crates_in(program: &Path, sandbox: &Sandbox) -> Vec<serde_json::Value> {
    let dump = format!(".dep-v0={}", sandbox.path("crates").display());
    let mut objcopy = sandbox.command("objcopy");
    ok(objcopy
        .args(["--dump-section", &dump])
        .arg(program)
        .arg("/dev/null"));
    let unpack = "import sys, zlib; \
        print(zlib.decompress(open(sys.argv[1], 'rb').read()).decode())";
    let list = ok(sandbox.command(&python()).args(["-c", unpack, "crates"]));
    let list: serde_json::Value = serde_json::from_str(&list).expect("JSON");
    list["packages"].as_array().expect("a list").clone()
}

#[test]
fn the_licences_of_all_crates_are_in_the_archives() {
    skip_unless!(made(), PYTHON, program("objcopy"));
    let sandbox = Sandbox::empty();
    for target in [GNU, MUSL] {
        let directory = unpacked(&sandbox, target);
        let notices = fs::read_to_string(directory.join("THIRD-PARTY.txt")).expect("text");
        let mut count = 0;
        for item in crates_in(&directory.join("pgcred"), &sandbox) {
            let text = |key: &str| item[key].as_str().unwrap_or_default().to_owned();
            let is_inside = text("kind") != "build" && text("name") != "pgcred";
            let line = format!("\n{} {} (", text("name"), text("version"));
            assert!(!is_inside || notices.contains(&line), "{target}:{line}");
            count += usize::from(is_inside);
        }
        assert!(count > 150, "{count}");
        let has_musl = notices.contains("\nmusl, the C library");
        assert_eq!(has_musl, target == MUSL, "{target}");
    }
}

#[test]
fn the_programs_list_their_crates() {
    skip_unless!(made(), PYTHON, program("objcopy"));
    let sandbox = Sandbox::empty();
    for target in [GNU, MUSL] {
        let crates = crates_in(&unpacked(&sandbox, target).join("pgcred"), &sandbox);
        assert!(crates.len() > 200, "{}", crates.len());
        let has = |name: &str| crates.iter().any(|item| item["name"] == name);
        assert!(has("pgcred") && has("rustls") && !has("standin"));
    }
}
