//! A desktop around pgcred: a terminal, and scripts in the place of `aws`, the browser and the
//! program for notifications. Each script notes how it was called.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use crate::credentials::faults::{LOGIN_FILE, LOGIN_SESSION, SSO_FILE, login, sso_token};
use crate::support::needs::python;
use crate::support::sandbox::{Run, Sandbox};
use crate::support::sources::root;
use crate::support::stubs::ACCOUNT;

/// The programs that open an address and show a notification.
pub const BROWSER: &str = if cfg!(target_os = "macos") {
    "open"
} else {
    "xdg-open"
};
pub const NOTIFIER: &str = if cfg!(target_os = "macos") {
    "osascript"
} else {
    "notify-send"
};
pub const FAR: &str = "2099-01-01T00:00:00Z";
pub const PAST: &str = "2020-01-01T00:00:00Z";

/// Returns the line of a script that logs in to SSO.
pub fn sso_log_in() -> String {
    format!("put session.json {SSO_FILE}")
}

/// Returns the line of a script that does what `aws login` does.
pub fn aws_log_in() -> String {
    format!("put login.json {LOGIN_FILE}")
}

/// Returns a home with two profiles of one sso-session, `p` and `q`, and the profile `l` of
/// `aws login`. Nobody has logged in, and no `aws` is installed.
pub fn desk(url: &str) -> Sandbox {
    let mut sandbox = Sandbox::empty();
    let profile = |name: &str, role: &str| {
        format!(
            "[profile {name}]\nsso_session = corp\nsso_account_id = {ACCOUNT}\n\
             sso_role_name = {role}\n"
        )
    };
    sandbox.write(
        ".aws/config",
        format!(
            "[sso-session corp]\nsso_region = us-west-2\nsso_start_url = \
             https://x.awsapps.com/start\n{}{}\
             [profile l]\nlogin_session = {LOGIN_SESSION}\n",
            profile("p", "dev"),
            profile("q", "ops")
        ),
    );
    sandbox.write("session.json", sso_token("ssotoken", FAR));
    sandbox.write("login.json", login("ASIALOGIN", FAR));
    sandbox.set("AWS_ENDPOINT_URL", url);
    let path = format!("{}:/usr/bin:/bin", sandbox.path("bin").display());
    sandbox.set("PATH", &path);
    // pgcred searches these directories after PATH.
    let directories = "/usr/local/bin /opt/homebrew/bin /home/linuxbrew/.linuxbrew/bin \
        /opt/local/bin /snap/bin \
        /run/current-system/sw/bin /usr/bin /bin";
    for directory in directories.split(' ') {
        assert!(
            !Path::new(directory).join("aws").exists(),
            "{directory}/aws is in the way of these tests: remove it"
        );
    }
    install(&sandbox, BROWSER, "");
    install(&sandbox, NOTIFIER, "");
    sandbox
}

/// Installs a script as a program that notes its arguments and environment. `put A B` in the script
/// copies a file in one step. `--version` answers as the AWS CLI v2 does.
pub fn install(sandbox: &Sandbox, name: &str, script: &str) {
    install_version(sandbox, name, "aws-cli/2.31.0 Python/3.13.7", script);
}

/// Does the same, with another answer to `--version`.
pub fn install_version(sandbox: &Sandbox, name: &str, version: &str, script: &str) {
    let text = format!(
        "#!/bin/sh\n[ \"$*\" = --version ] && echo '{version}' && exit\ncd '{}' || exit\n\
         env >'{name}.env'\necho \"$*\" >>'{name}.log'\n\
         put() {{ mkdir -p \"$(dirname \"$2\")\" && cp \"$1\" \"$2.$$\" && mv \"$2.$$\" \"$2\"; \
         }}\n{script}\n",
        sandbox.home().display()
    );
    let path = sandbox.write(&format!("bin/{name}"), text);
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("a mode");
}

/// Returns the arguments of each call of an installed program.
pub fn calls(sandbox: &Sandbox, name: &str) -> Vec<String> {
    let text = fs::read_to_string(sandbox.path(&format!("{name}.log"))).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// Waits until another process has done something.
pub fn wait_for(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(
            Instant::now() < deadline,
            "it did not happen in 20 s: {what}"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

/// Runs pgcred at a terminal. `stderr` of the result is what the terminal shows.
pub fn at_terminal(sandbox: &Sandbox, arguments: &[&str]) -> Run {
    terminal(
        sandbox,
        &[],
        &[&[env!("CARGO_BIN_EXE_pgcred")], arguments].concat(),
    )
}

/// Runs a program at a terminal. `typing` has a text to wait for, the seconds to let pass after it,
/// and the text that is typed then.
pub fn terminal(sandbox: &Sandbox, typing: &[&str], command: &[&str]) -> Run {
    let mut terminal = sandbox.command(&python());
    terminal
        .arg("-B")
        .arg(root().join("tests/stubs/terminal.py"))
        .args(typing)
        .arg("--")
        .args(command);
    let mut run = Run::of(terminal);
    run.stderr = run.stderr.replace("\r\n", "\n");
    run
}

/// Writes the file of an SSO login that ends at a time.
pub fn logged_in(sandbox: &Sandbox, ends: &str) {
    sandbox.write(SSO_FILE, sso_token("ssotoken", ends));
    sandbox.write(LOGIN_FILE, login("ASIALOGIN", ends));
}

/// Returns every file below a directory of the sandbox with its text.
pub fn tree(sandbox: &Sandbox, directory: &str) -> BTreeMap<String, Vec<u8>> {
    let mut open = vec![sandbox.path(directory)];
    let mut found = BTreeMap::new();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(path.display().to_string(), fs::read(&path).expect("a file"));
            }
        }
    }
    found
}
