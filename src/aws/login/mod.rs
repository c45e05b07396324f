//! Logging in to AWS: when it may be done, by whom, and once for all who wait.

mod device;
pub(crate) mod missing;

use std::ffi::OsStr;
use std::net::IpAddr;
use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::authority::AskPolicy;
use crate::authority::LoginPolicy;
use crate::aws::cli_cache::sign_in;
use crate::aws::environment::Variables;
use crate::aws::login::missing::{LoginKind, MissingLogin};
use crate::aws::plan::SsoSession;
use crate::aws::resolution::Resolution;
use crate::aws::runtime::{block_on, locks_directory, session_lock};
use crate::aws::settings::{Settings, SharedFiles};
use crate::error::{Error, Result};
use crate::sys::child::{self, Bond};
use crate::sys::fs::{self, Lock};
use crate::text::host;
use crate::text::quote::typed;
use crate::time::Time;

/// How long a person may take.
const PATIENCE: Duration = Duration::from_mins(10);
/// A page that was opened is not opened again by a background request before this many seconds have
/// passed.
const PAGE_PAUSE: u32 = 600;

impl MissingLogin {
    /// Says what to type.
    pub(crate) fn error(&self) -> Error {
        let profile = if self.profile == "default" {
            String::new()
        } else {
            format!(" --profile {}", typed(&self.profile))
        };
        let command = match self.kind {
            LoginKind::Sso(_) => format!("pgcred login{profile}"), // by the AWS CLI, where that can
            LoginKind::SignIn(_) => format!("aws login{profile}"),
        };
        Error::login(format!("profile `{}`: {}", self.profile, self.why))
            .hint(format!("run `{command}`, then retry"))
    }

    /// Names the session, which several profiles may share.
    fn id(&self) -> String {
        match &self.kind {
            LoginKind::Sso(start) => start.id(),
            LoginKind::SignIn(resolution) => sign_in::id(resolution),
        }
    }

    /// Tells whether somebody has logged in.
    fn is_done(&self) -> bool {
        match &self.kind {
            LoginKind::Sso(start) => start.is_open(self.revoked.as_deref()),
            LoginKind::SignIn(resolution) => sign_in::is_open(resolution),
        }
    }

    /// Gets somebody to log in if the policy and the terminal allow it; an error says what to type.
    pub(crate) fn satisfy(&self, ask: &AskPolicy, deadline: Instant) -> Result<()> {
        match ask.login {
            LoginPolicy::Terminal | LoginPolicy::Browser if ask.terminal => self.run(ask),
            LoginPolicy::Browser => self.open_page(deadline),
            LoginPolicy::Never | LoginPolicy::Terminal => Err(self.error()),
        }
    }

    /// Logs in, for all who wait: whoever comes second finds it done.
    pub(crate) fn run(&self, ask: &AskPolicy) -> Result<()> {
        let _lock = self.turn(ask);
        self.forget_page();
        if self.is_done() {
            return Ok(());
        }
        let mut words = match self.kind {
            LoginKind::Sso(_) => child::words(["aws", "sso", "login"]),
            LoginKind::SignIn(_) => child::words(["aws", "login"]),
        };
        words.extend(child::words(["--profile", &self.profile]));
        if cli_logs_in() {
            (ask.tell)(&format!(
                "profile `{}`: {}; running {}",
                self.profile,
                self.why,
                words.join(" ")
            ));
            let status = child::attended(&words)?;
            if !status.success() || !self.is_done() {
                return Err(Error::login(format!(
                    "profile `{}`: `{}` did not log in",
                    self.profile,
                    words.join(" ")
                ))
                .hint("try it by hand, then retry"));
            }
            return Ok(());
        }
        match &self.kind {
            LoginKind::Sso(start) => self.by_device(ask, start),
            LoginKind::SignIn(_) => Err(self
                .error()
                .hint("install the AWS CLI 2.32 or newer: only it can do this login")),
        }
    }

    /// Waits until nobody else logs in to this session, and says what it waits for.
    fn turn(&self, ask: &AskPolicy) -> Option<Lock> {
        const LOOK: Duration = Duration::from_millis(500);
        let id = format!("login-{}", self.id());
        let free = session_lock(&id, Duration::ZERO);
        if free.is_some() || locks_directory().is_none() {
            return free;
        }
        (ask.tell)("another pgcred is logging in to AWS; waiting for it (Ctrl-C ends the wait)");
        let deadline = Instant::now() + PATIENCE;
        let mut said = None;
        loop {
            let began = Instant::now();
            let lock = session_lock(&id, LOOK);
            // What could not be taken at once cannot be taken at all: the directory is not
            // writable.
            if lock.is_some() || began.elapsed() < LOOK || began >= deadline {
                return lock;
            }
            let page = self.page();
            if page != said {
                if let Some(page) = &page {
                    (ask.tell)(&format!("to finish that login, {page}"));
                }
                said = page;
            }
        }
    }

    /// Where whoever logs in leaves what the person has to do, for those who wait.
    fn page_file(&self) -> Option<PathBuf> {
        locks_directory().map(|directory| directory.join(format!("address-{}", self.id())))
    }

    fn page(&self) -> Option<String> {
        String::from_utf8(fs::read_own(&self.page_file()?)?).ok()
    }

    fn forget_page(&self) {
        let _ = self.page_file().map(|path| fs::remove(&path)); // it only helps those who wait
    }

    fn by_device(&self, ask: &AskPolicy, start: &SsoSession) -> Result<()> {
        let notes = ask.notes();
        let settings = Settings::new(
            Variables::OfProcess,
            SharedFiles::default(),
            Some(&self.profile),
        );
        let resolution = Resolution::open(
            &settings,
            ask,
            &start.region,
            0,
            Instant::now() + ask.timeout,
            &notes,
        )?;
        let show = |address: &str, code: &str| {
            let page = format!("log in to AWS in the browser: {address} (code {code})");
            (ask.tell)(&page);
            let _ = self.page_file().map(|path| fs::put(&path, page.as_bytes())); // it only helps those who wait
            if !is_page(address) {
                (ask.tell)(
                    "that address is not a page of the web, so pgcred does not open it: check the profile's SSO settings",
                );
            } else if !open_browser(address) {
                (ask.tell)(
                    "no browser could be started: open that address yourself, on any device",
                );
            }
        };
        let done = block_on(device::log_in(&resolution, start, show))?;
        self.forget_page();
        done
    }

    /// Has the page opened by a process of its own, which goes on if the person takes longer than
    /// this one may wait.
    fn open_page(&self, deadline: Instant) -> Result<()> {
        let stamp =
            locks_directory().map(|directory| directory.join(format!("page-{}", self.id())));
        let stamp = stamp.ok_or_else(|| self.error())?;
        let lock = session_lock(&format!("opens-{}", self.id()), Duration::from_secs(5));
        let opened =
            fs::read_own(&stamp).and_then(|text| String::from_utf8(text).ok()?.trim().parse().ok());
        let opened = opened.map(Time::from_unix);
        let now = Time::now();
        let recent = opened.is_some_and(|at| at <= now && at.until(now) < PAGE_PAUSE);
        if !recent {
            let written = stamp.parent().map_or(Ok(()), fs::own_directory);
            written.and_then(|()| fs::put(&stamp, now.unix().to_string().as_bytes()))?;
            let mut words = vec![child::own_program()?.display().to_string()];
            words.extend(child::words([
                "login",
                "--quiet",
                "--profile",
                &self.profile,
            ]));
            child::detached(&words)?;
            child::notify(&format!(
                "Log in to AWS (profile {}) in the browser window that opens",
                self.profile
            ));
        }
        drop(lock);
        while Instant::now() < deadline {
            if self.is_done() {
                return Ok(());
            }
            sleep(Duration::from_millis(200));
        }
        let page = self
            .page()
            .unwrap_or_else(|| "finish the login in the browser window that has opened".to_owned());
        Err(self.error().noting(&format!("{page}, then connect again")))
    }
}

/// Tells whether there is an AWS CLI that can log in. Version 1 cannot, and pgcred in its place
/// cannot.
fn cli_logs_in() -> bool {
    const PATIENCE: Duration = Duration::from_secs(5);
    if child::find(OsStr::new("aws")).is_none() {
        return false;
    }
    let version = child::output(
        &child::words(["aws", "--version"]),
        Instant::now() + PATIENCE,
        Bond::Alone,
    );
    version.is_ok_and(|ended| {
        let text = String::from_utf8_lossy(&ended.stdout);
        text.contains("aws-cli/2") && !text.contains("pgcred")
    })
}

/// Tries what the platform has, until one runs; tells whether one does.
fn open_browser(address: &str) -> bool {
    const A_WHILE: Duration = Duration::from_secs(3);
    open::commands(address).into_iter().any(|command| {
        let words = [command.get_program()]
            .into_iter()
            .chain(command.get_args());
        let words: Vec<String> = words
            .map(|word| word.to_string_lossy().into_owned())
            .collect();
        // On Windows and in WSL the address goes to PowerShell in a variable.
        let variables = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let variables: Vec<_> = variables.collect();
        child::runs(&words, &variables, A_WHILE)
    })
}

/// Tells whether an address is one of `https`, or of `http` on this machine, and nothing else. No
/// other is opened: other schemes have other programs do what the address says.
fn is_page(address: &str) -> bool {
    // Browsers take a backslash for a slash.
    if address.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return false;
    }
    if address.starts_with("https://") {
        return true;
    }
    let authority = host::authority(address);
    let host = host::name(authority);
    let is_own = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    address.starts_with("http://") && is_own && !authority.contains('@')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pages_of_the_web_are_opened() {
        for page in [
            "https://device.sso.us-east-1.amazonaws.com/?user_code=A-B",
            "http://127.0.0.1:80/x",
            "http://[::1]:1/",
            "http://localhost",
        ] {
            assert!(is_page(page), "{page}");
        }
        for other in [
            "",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "vscode://evil.ext/run",
            "smb://evil/share/x.desktop",
            "/home/me/.aws/proc",
            "\\\\evil\\x.exe",
            "http://example.com/",
            "http://localhost@example.com/",
            "http://127.0.0.1.example.com/",
            "http://127.0.0.1:80@example.com/",
            "http://localhost\\@example.com/",
            "https://x/\nfile:///x",
            "https://x/\u{1b}]0;x",
            "https://x y",
            "HTTPS:\\\\x",
        ] {
            assert!(!is_page(other), "{other}");
        }
    }
}
