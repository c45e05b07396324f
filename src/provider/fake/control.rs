//! Holds what a test tells the fake authority, and what the authority saw. Each test has its own
//! state, since each has its own thread.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::PROVIDER;
use super::catalog::FakeCatalog;
use crate::authority::{AskPolicy, Authority, Identity, LoginPolicy};
use crate::error::Error;
use crate::time::Time;

/// Profiles that begin with this sign as the profile without a name does.
pub(crate) const SAME_PREFIX: &str = "same-";

thread_local!(pub(super) static STATE: RefCell<FakeState> = RefCell::default());

/// What the fake is told, and what it saw.
#[derive(Default)]
pub(super) struct FakeState {
    pub(super) logins: u32,
    pub(super) fails_with: Option<Error>,
    pub(super) credentials_expire_at: Option<Time>,
    pub(super) logs_in_while_asked: bool,
    pub(super) signs_one_scope: bool,
    pub(super) resolved: Vec<String>,
    pub(super) deadlines: Vec<Instant>,
    pub(super) signed: u32,
    /// By authority and profile.
    pub(super) catalogs: HashMap<(&'static str, String), FakeCatalog>,
}

/// Makes the fake one that works and has seen nothing.
pub(crate) fn reset() {
    STATE.take();
}

pub(crate) fn identity(profile: Option<&str>) -> Rc<dyn Identity> {
    PROVIDER.authority.identities().identity(profile, None)
}

/// Another process logs in: what rests on the login is another one from now on.
pub(crate) fn log_in_elsewhere() {
    STATE.with_borrow_mut(|state| state.logins += 1);
}

/// The next resolutions log in themselves.
pub(crate) fn log_in_while_asked() {
    STATE.with_borrow_mut(|state| state.logs_in_while_asked = true);
}

/// Credentials are good for one scope alone.
pub(crate) fn sign_one_scope() {
    STATE.with_borrow_mut(|state| state.signs_one_scope = true);
}

pub(crate) fn fail_with(error: Option<Error>) {
    STATE.with_borrow_mut(|state| state.fails_with = error);
}

pub(crate) fn let_credentials_expire_at(time: Option<Time>) {
    STATE.with_borrow_mut(|state| state.credentials_expire_at = time);
}

/// Returns the identities whose credentials were resolved, in order.
pub(crate) fn resolved() -> Vec<String> {
    STATE.with_borrow(|state| state.resolved.clone())
}

/// Returns the deadlines that the resolutions were given.
pub(crate) fn deadlines() -> Vec<Instant> {
    STATE.with_borrow(|state| state.deadlines.clone())
}

pub(crate) fn signed() -> u32 {
    STATE.with_borrow(|state| state.signed)
}

/// Gives a profile something to list.
pub(crate) fn put_catalog(profile: &str, catalog: FakeCatalog) {
    put_catalog_of(PROVIDER.authority, profile, catalog);
}

/// Gives a profile of an authority something to list.
pub(crate) fn put_catalog_of(authority: &dyn Authority, profile: &str, catalog: FakeCatalog) {
    let key = (authority.name(), profile.to_owned());
    STATE.with_borrow_mut(|state| state.catalogs.insert(key, catalog));
}

/// Returns a policy for runs that have no terminal.
pub(crate) fn policy() -> AskPolicy {
    AskPolicy {
        timeout: Duration::from_secs(20),
        login: LoginPolicy::Terminal,
        login_asked_for: false,
        mfa_code: None,
        terminal: false,
        in_group: false,
        print_notice: |_| {},
        trace: None,
    }
}
