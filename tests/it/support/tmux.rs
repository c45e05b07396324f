//! A terminal that a test types at and reads: a tmux server of its own, which ends when the value
//! is dropped.

use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::support::sandbox::{Run, Sandbox};

pub struct Terminal<'a> {
    sandbox: &'a Sandbox,
    socket: PathBuf,
}

impl<'a> Terminal<'a> {
    /// Runs a program in a window of 120 columns and 60 lines.
    pub fn start(sandbox: &'a Sandbox, command: &[String]) -> Self {
        Self::start_in(sandbox, (120, 60), command)
    }

    /// Runs a program in a window of so many columns and lines.
    pub fn start_in(
        sandbox: &'a Sandbox,
        (columns, lines): (u16, u16),
        command: &[String],
    ) -> Self {
        // Each terminal has a socket of its own, because a server that is about to end still
        // answers.
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let socket = sandbox.path(&format!("tmux-{}", COUNT.fetch_add(1, Ordering::Relaxed)));
        let terminal = Self { sandbox, socket };
        let mut tmux = terminal.tmux();
        tmux.args([
            "-f",
            "/dev/null",
            "new-session",
            "-d",
            "-x",
            &columns.to_string(),
            "-y",
            &lines.to_string(),
            "--",
        ])
        .args(command);
        let run = Run::of(tmux);
        assert_eq!(run.code, 0, "{}", run.stderr);
        terminal
    }

    pub fn tmux(&self) -> Command {
        let mut tmux = self.sandbox.command("tmux");
        tmux.arg("-u").arg("-S").arg(&self.socket);
        tmux
    }

    /// Returns the lines that the window shows, without the empty ones.
    pub fn screen(&self) -> Vec<String> {
        let mut tmux = self.tmux();
        tmux.args(["capture-pane", "-p"]);
        let run = Run::of(tmux);
        run.stdout
            .lines()
            .map(|line| line.trim_end().to_owned())
            .filter(|line| !line.is_empty())
            .collect()
    }

    pub fn enter(&self, line: &str) {
        let mut tmux = self.tmux();
        tmux.args(["send-keys", "-l", "--", line, ";", "send-keys", "Enter"]);
        assert_eq!(Run::of(tmux).code, 0);
    }

    /// Waits for a screen and returns it.
    pub fn wait(&self, what: &str, is_there: impl Fn(&[String]) -> bool) -> Vec<String> {
        let began = Instant::now();
        loop {
            let screen = self.screen();
            if is_there(&screen) {
                return screen;
            }
            assert!(
                began.elapsed() < Duration::from_secs(40),
                "{what} does not come; the screen:\n{}",
                screen.join("\n")
            );
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        // Ends every process of the window: a shell that ignores the hang-up would run on and use
        // all of the processor.
        let mut tmux = self.tmux();
        let panes = tmux
            .args(["list-panes", "-a", "-F", "#{pane_pid}"])
            .output();
        for pid in panes.iter().flat_map(|panes| {
            String::from_utf8_lossy(&panes.stdout)
                .into_owned()
                .lines()
                .map(str::to_owned)
                .collect::<Vec<_>>()
        }) {
            let _ = self
                .sandbox
                .command("pkill")
                .args(["-KILL", "-s", &pid])
                .output();
        }
        let mut tmux = self.tmux();
        let _ = tmux.arg("kill-server").output();
    }
}
