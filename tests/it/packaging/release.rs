//! A release of all targets whose programs are scripts that run the pgcred under test, and a web
//! server that offers it. The archives are made by the project's own packer.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::thread;

use crate::support::needs::python;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;

pub const VERSION: &str = env!("CARGO_PKG_VERSION");
pub const TARGETS: [&str; 7] = [
    "aarch64-apple-darwin",
    "aarch64-unknown-linux-gnu",
    "aarch64-unknown-linux-musl",
    "x86_64-apple-darwin",
    "x86_64-pc-windows-msvc",
    "x86_64-unknown-linux-gnu",
    "x86_64-unknown-linux-musl",
];
const EPOCH: &str = "1700000000";
/// The address below which the release would be, where no test asks for it.
pub const REPOSITORY: &str = "https://code.example/pgcred";
/// Where the sandbox has the release.
pub const RELEASE: &str = "release";

pub fn archive_of(target: &str) -> String {
    let end = if target.contains("windows") {
        "zip"
    } else {
        "tar.gz"
    };
    format!("pgcred-{VERSION}-{target}.{end}")
}

/// The archives, made once.
static MADE: LazyLock<Sandbox> = LazyLock::new(|| {
    let mut sandbox = Sandbox::empty();
    sandbox.set("SOURCE_DATE_EPOCH", EPOCH);
    fs::create_dir(sandbox.path(RELEASE)).expect("a directory");
    for target in TARGETS {
        pack(&sandbox, target);
    }
    script(&sandbox, "sums.py", &[RELEASE]);
    sandbox
});

/// Returns a sandbox with the archives of all targets, and SHA256SUMS.
pub fn release() -> Sandbox {
    let mut sandbox = Sandbox::empty();
    sandbox.set("SOURCE_DATE_EPOCH", EPOCH);
    for entry in fs::read_dir(MADE.path(RELEASE)).expect("a directory") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        sandbox.write(
            &format!("{RELEASE}/{name}"),
            fs::read(&path).expect("a file"),
        );
    }
    sandbox
}

/// Packs what `packaging/build.sh` packs; the program says which target it is of.
fn pack(sandbox: &Sandbox, target: &str) {
    let stage = format!("stage/pgcred-{VERSION}-{target}");
    let write = |name: &str, text: &[u8]| sandbox.write(&format!("{stage}/{name}"), text);
    let program = format!(
        "#!/bin/sh\n# {target}\nexec {} \"$@\"\n",
        env!("CARGO_BIN_EXE_pgcred")
    );
    let is_windows = target.contains("windows");
    write(
        if is_windows { "pgcred.exe" } else { "pgcred" },
        program.as_bytes(),
    );
    for (shell, name) in [
        ("bash", "pgcred.bash"),
        ("fish", "pgcred.fish"),
        ("zsh", "_pgcred"),
    ] {
        let text = sandbox.ok(&["completions", shell]);
        write(&format!("completions/{name}"), text.as_bytes());
    }
    write("man/pgcred.1", sandbox.ok(&["man"]).as_bytes());
    write("THIRD-PARTY.txt", b"licences of crates\n");
    for name in ["CHANGELOG.md", "LICENSE", "README.md", "install.sh"] {
        write(name, &fs::read(root().join(name)).expect("a file"));
    }
    if !is_windows {
        let link = sandbox.path(&format!("{stage}/pgcred-aws"));
        std::os::unix::fs::symlink("pgcred", link).expect("a link");
    }
    let archive = format!("{RELEASE}/{}", archive_of(target));
    script(sandbox, "archive.py", &[&stage, &archive]);
}

/// Runs a script of `packaging` in the sandbox, and asserts that it succeeds.
pub fn script(sandbox: &Sandbox, name: &str, arguments: &[&str]) -> String {
    let run = try_script(sandbox, name, arguments);
    assert_eq!(run.code, 0, "{name}: {}{}", run.stdout, run.stderr);
    run.stdout
}

pub fn try_script(sandbox: &Sandbox, name: &str, arguments: &[&str]) -> Run {
    let mut python = sandbox.command(&python());
    python
        .arg("-B")
        .arg(root().join("packaging").join(name))
        .args(arguments);
    Run::of(python)
}

/// Fills in manifests and installers for a release at this address.
pub fn rendered(sandbox: &Sandbox, repository: &str) {
    script(sandbox, "render.py", &[RELEASE, repository]);
}

/// How the server behaves.
#[derive(Clone, Copy, PartialEq)]
pub enum Server {
    Whole,
    /// Closes each connection after half of the file.
    Cut,
}

/// Serves the release as a repository does, until the tests end. Returns the address.
pub fn serve(sandbox: &Sandbox, kind: Server) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = format!("http://{}", listener.local_addr().expect("an address"));
    let directory = sandbox.path(RELEASE);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = answer(stream.expect("a connection"), &directory, kind);
        }
    });
    address
}

/// Answers one request for `/releases/download/vVERSION/NAME`.
fn answer(mut stream: TcpStream, directory: &Path, kind: Server) -> std::io::Result<()> {
    let mut request = Vec::new();
    let mut part = [0; 1024];
    while !request.windows(4).any(|end| end == b"\r\n\r\n") {
        let count = stream.read(&mut part)?;
        if count == 0 {
            return Ok(());
        }
        request.extend_from_slice(&part[..count]);
    }
    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let Some(body) = file_of(path, directory).and_then(|file| fs::read(file).ok()) else {
        return stream.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
    };
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let end = if kind == Server::Cut {
        length / 2
    } else {
        length
    };
    stream.write_all(&body[..end])
}

fn file_of(path: &str, directory: &Path) -> Option<PathBuf> {
    let name = path.strip_prefix(&format!("/releases/download/v{VERSION}/"))?;
    Some(directory.join(name))
}
