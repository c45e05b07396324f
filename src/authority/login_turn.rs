//! Lets one process log in for all that need the same login: the others wait for it, and see the
//! page that the user has to finish.
//!
//! The process that logs in holds the lock `login-ID` in pgcred's cache directory, and leaves the
//! address of the page in the file `address-ID` beside it. A process that has no terminal starts
//! one that logs in: it holds `opens-ID` while it decides that, and leaves the time in `page-ID`.
//! Without that directory nobody waits.

use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::AskPolicy;
use crate::error::Result;
use crate::sys::browser;
use crate::sys::child;
use crate::sys::fs::{self, FileLock};
use crate::sys::session_locks::{locks_directory, session_lock};
use crate::time::Time;

/// How long the user may take for a login that another process waits for.
const LOGIN_TIMEOUT: Duration = Duration::from_mins(10);

/// A page is not opened again before this many seconds have passed.
const PAGE_PAUSE_SECONDS: u32 = 600;

/// What has become of a page that another process opens.
pub(crate) enum OpenedPage {
    /// The user has logged in.
    Finished,
    /// What the user still has to do.
    Unfinished(String),
    /// There is no directory for the files of the login.
    NotOpened,
}

/// The turn of one login, such as that of an SSO session.
pub(crate) struct LoginTurn {
    /// The name of the login among those of all authorities: a part of the names of files, such as
    /// the digest of an authority's name and the settings that choose the login. Several profiles
    /// may share it.
    pub(crate) id: String,
    /// The name of the authority, for the notices.
    pub(crate) title: &'static str,
    /// The provider by whose name `pgcred login` logs in there; none for the first authority.
    pub(crate) provider: Option<&'static str>,
}

impl LoginTurn {
    /// Waits until no other process does this login, and says what it waits for. The caller then
    /// looks whether the login is done, and does it while the lock lives. `None` if there can be no
    /// lock, or if the other process takes too long.
    pub(crate) fn wait(&self, ask_policy: &AskPolicy) -> Option<FileLock> {
        const LOOK_INTERVAL: Duration = Duration::from_millis(500);
        let id = format!("login-{}", self.id);
        let lock = session_lock(&id, Duration::ZERO);
        if lock.is_some() || locks_directory().is_none() {
            return lock;
        }
        (ask_policy.print_notice)(&format!(
            "another pgcred is logging in to {}; waiting for it (Ctrl-C ends the wait)",
            self.title
        ));
        let deadline = Instant::now() + LOGIN_TIMEOUT;
        let mut shown_page = None;
        loop {
            let started = Instant::now();
            let lock = session_lock(&id, LOOK_INTERVAL);
            // A lock that is refused at once can never be taken: the directory is not writable.
            if lock.is_some() || started.elapsed() < LOOK_INTERVAL || started >= deadline {
                return lock;
            }
            let page = self.page();
            if page != shown_page {
                if let Some(page) = &page {
                    (ask_policy.print_notice)(&format!("to finish that login, {page}"));
                }
                shown_page = page;
            }
        }
    }

    /// Returns the file in which the process that logs in leaves the address of the page, for those
    /// that wait.
    fn page_file(&self) -> Option<PathBuf> {
        Some(locks_directory()?.join(format!("address-{}", self.id)))
    }

    /// Returns what the user has to do in a browser, while a process logs in.
    pub(crate) fn page(&self) -> Option<String> {
        String::from_utf8(fs::read_own(&self.page_file()?)?).ok()
    }

    /// Forgets the page of a login that is over.
    pub(crate) fn forget_page(&self) {
        if let Some(path) = self.page_file() {
            let _ = fs::remove(&path); // it only helps those that wait
        }
    }

    /// Shows the page to the user, and to the processes that wait, and opens it in a browser.
    /// `advice` says what to check if the address is not that of a page.
    pub(crate) fn show_page(
        &self,
        ask_policy: &AskPolicy,
        address: &str,
        code: &str,
        advice: &str,
    ) {
        let title = self.title;
        let page = format!("log in to {title} in the browser: {address} (code {code})");
        (ask_policy.print_notice)(&page);
        if let Some(path) = self.page_file() {
            let _ = fs::write_unsynced(&path, page.as_bytes()); // it only helps those that wait
        }
        if !browser::is_page(address) {
            (ask_policy.print_notice)(&format!(
                "that address is not a web page, so pgcred does not open it: {advice}"
            ));
        } else if !browser::open_browser(address) {
            (ask_policy.print_notice)(
                "no browser could be started: open that address yourself, on any device",
            );
        }
    }

    /// Has `pgcred login` with these options open the page in a process of its own, which has no
    /// terminal and goes on if the user takes longer than this process may wait, and waits for the
    /// login until the deadline. The desktop shows the `invitation`. Another run of a short while
    /// ago has opened the page already.
    pub(crate) fn open_elsewhere(
        &self,
        options: &[&str],
        invitation: &str,
        is_done: impl Fn() -> bool,
        deadline: Instant,
    ) -> Result<OpenedPage> {
        let Some(directory) = locks_directory() else {
            return Ok(OpenedPage::NotOpened);
        };
        let stamp = directory.join(format!("page-{}", self.id));
        let lock = session_lock(&format!("opens-{}", self.id), Duration::from_secs(5));
        if !was_just_opened(&stamp) {
            fs::ensure_own_directory(&directory)?;
            fs::write_unsynced(&stamp, Time::now().unix().to_string().as_bytes())?;
            let mut command_line = vec![child::own_program()?.display().to_string()];
            command_line.extend(child::words(["login", "--quiet"]));
            if let Some(provider) = self.provider {
                command_line.extend(child::words(["--provider", provider]));
            }
            command_line.extend(options.iter().map(|&option| option.to_owned()));
            child::spawn_detached(&command_line)?;
            child::notify(invitation);
        }
        drop(lock);
        while Instant::now() < deadline {
            if is_done() {
                return Ok(OpenedPage::Finished);
            }
            sleep(Duration::from_millis(200));
        }
        let page = match self.page() {
            Some(page) => page,
            None => {
                "pgcred has opened the login page in a browser: finish the login there".to_owned()
            }
        };
        Ok(OpenedPage::Unfinished(page))
    }
}

/// Tells whether the file of a page holds a time of a short while ago.
fn was_just_opened(stamp: &Path) -> bool {
    let Some(bytes) = fs::read_own(stamp) else {
        return false;
    };
    let Ok(seconds) = String::from_utf8_lossy(&bytes).trim().parse() else {
        return false;
    };
    let (opened, now) = (Time::from_unix(seconds), Time::now());
    opened <= now && opened.until(now) < PAGE_PAUSE_SECONDS
}
