//! Lets one process log in for all that need the same login: the others wait for it, and see the
//! page that the user has to finish.
//!
//! The process that logs in holds the lock `login-ID` in pgcred's cache directory, and leaves the
//! address of the page in the file `address-ID` beside it. Without that directory nobody waits.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::AskPolicy;
use crate::sys::browser;
use crate::sys::fs::{self, FileLock};
use crate::sys::session_locks::{locks_directory, session_lock};

/// How long the user may take for a login that another process waits for.
const LOGIN_TIMEOUT: Duration = Duration::from_mins(10);

/// The turn of one login, such as that of an SSO session.
pub(crate) struct LoginTurn {
    /// The name of the login, which several profiles may share: a part of the names of files.
    pub(crate) id: String,
    /// The name of the authority, for the notices.
    pub(crate) title: &'static str,
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
}
