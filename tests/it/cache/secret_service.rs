//! The key of the cache in a real Secret Service on a real D-Bus. The service is locked, absent or
//! does not answer; the token still comes, and in time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::needs::python;
use crate::support::sandbox::{HOST, Run, Sandbox};

/// A session bus and the programs on it. They end when this value is dropped.
struct Desktop {
    sandbox: Sandbox,
    running: Vec<Child>,
}

impl Drop for Desktop {
    fn drop(&mut self) {
        for child in self.running.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Desktop {
    fn new() -> Self {
        let mut sandbox = Sandbox::with_keys();
        sandbox.set("PGCRED_CACHE", "secret-service");
        let runtime = sandbox.path("run");
        std::fs::create_dir(&runtime).expect("a directory");
        sandbox.set("XDG_RUNTIME_DIR", &runtime.display().to_string());
        // The bus has a configuration of its own: with that of the system it would start a Secret
        // Service by itself.
        let configuration = sandbox.write(
            "bus.conf",
            format!(
                "<busconfig><type>session</type><listen>unix:dir={}</listen><policy \
                 context=\"default\">\
                 <allow send_destination=\"*\" eavesdrop=\"true\"/><allow \
                 eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>",
                runtime.display()
            ),
        );
        let mut daemon = sandbox.command("dbus-daemon");
        daemon
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--nofork", "--print-address=1"]);
        daemon.stdout(Stdio::piped()).stderr(Stdio::null());
        let mut daemon = daemon.spawn().expect("dbus-daemon starts");
        let mut address = String::new();
        BufReader::new(daemon.stdout.take().expect("a pipe"))
            .read_line(&mut address)
            .expect("an address");
        sandbox.set("DBUS_SESSION_BUS_ADDRESS", address.trim());
        Self {
            sandbox,
            running: vec![daemon],
        }
    }

    /// GNOME's keyring; with a password it is open, without one it is locked if it exists already.
    fn keyring(&mut self, password: Option<&str>) {
        let mut daemon = self.sandbox.command("gnome-keyring-daemon");
        daemon
            .args(["--foreground", "--components=secrets"])
            .args(password.map(|_| "--unlock"));
        daemon
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut daemon = daemon.spawn().expect("gnome-keyring-daemon starts");
        let mut stdin = daemon.stdin.take().expect("a pipe");
        stdin
            .write_all(password.unwrap_or_default().as_bytes())
            .expect("written");
        drop(stdin);
        self.running.push(daemon);
        self.wait_for_owner();
    }

    fn stop_keyring(&mut self) {
        let mut daemon = self.running.pop().expect("a keyring");
        daemon.kill().expect("an end");
        daemon.wait().expect("an end");
    }

    /// A service that takes the name and never answers.
    fn deaf(&mut self) {
        let mut service = self.sandbox.command(&python());
        service
            .arg(crate::support::sources::root().join("tests/stubs/deaf_secrets.py"))
            .stdout(Stdio::piped());
        let mut service = service.spawn().expect("python starts");
        let mut ready = String::new();
        BufReader::new(service.stdout.take().expect("a pipe"))
            .read_line(&mut ready)
            .expect("a line");
        assert_eq!(ready, "ready\n");
        self.running.push(service);
    }

    fn wait_for_owner(&self) {
        let deadline = Instant::now() + Duration::from_secs(20);
        let has_owner = || {
            let mut ask: Command = self.sandbox.command("dbus-send");
            ask.args([
                "--print-reply=literal",
                "--dest=org.freedesktop.DBus",
                "/",
                "org.freedesktop.DBus.NameHasOwner",
            ]);
            Run::of({
                ask.arg("string:org.freedesktop.secrets");
                ask
            })
            .stdout
            .contains("true")
        };
        while !has_owner() {
            assert!(Instant::now() < deadline, "no Secret Service came up");
            sleep(Duration::from_millis(50));
        }
    }

    fn token(&self) -> (Run, Duration) {
        let began = Instant::now();
        let run = self.sandbox.run(&["token", HOST, "--format", "json"]);
        (run, began.elapsed())
    }

    /// pgcred still prints the token, does not cache it, and warns why.
    fn assert_uncached(&self, why: &str) -> Duration {
        let (run, took) = self.token();
        assert!(
            run.code == 0 && run.stdout.contains("\"cached\":false"),
            "{}{}",
            run.stdout,
            run.stderr
        );
        assert!(run.stderr.contains(why), "{why}: {}", run.stderr);
        took
    }
}

#[test]
fn the_key_is_kept_in_the_secret_service() {
    let mut desktop = Desktop::new();
    desktop.keyring(Some("password"));
    let (first, _) = desktop.token();
    assert!(
        first.code == 0 && first.stderr.is_empty(),
        "{}",
        first.stderr
    );
    let (second, _) = desktop.token();
    assert!(
        second.stdout.contains("\"cached\":true"),
        "{}{}",
        second.stdout,
        second.stderr
    );

    desktop.stop_keyring();
    desktop.keyring(None);
    desktop.assert_uncached("locked");

    desktop.stop_keyring();
    desktop.keyring(Some("password"));
    let (again, _) = desktop.token();
    assert!(
        again.stdout.contains("\"cached\":true"),
        "unlocked again: {}{}",
        again.stdout,
        again.stderr
    );
    desktop.sandbox.ok(&["erase", "--all", "--quiet"]);
}

#[test]
fn a_service_that_is_absent_or_does_not_answer_does_not_delay_the_token() {
    let mut desktop = Desktop::new();
    desktop.assert_uncached("none is running in this session");
    desktop.deaf();
    let took = desktop.assert_uncached("Secret Service");
    assert!(took < Duration::from_secs(8), "{took:?}: it is given 2 s");
    desktop
        .sandbox
        .set("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
    desktop.assert_uncached("Secret Service");
}
