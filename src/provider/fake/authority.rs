//! An authority for unit tests: no cloud, no files and no regions, but logins, failures and an end
//! of its credentials, all as the test says. Each test has its own, since each has its own thread.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use crate::authority::{
    AskPolicy, Authority, CredentialQuery, Identities, Identity, LoginPolicy, Notes, Region, Scope,
    Signer,
};
use crate::error::{Error, Result};
use crate::text::digest::digest;
use crate::time::Time;
use crate::token::Token;

pub(crate) static AUTHORITY: FakeAuthority = FakeAuthority;

/// Profiles that begin with this sign as the profile without a name does.
pub(crate) const SAME_PREFIX: &str = "same-";

thread_local!(static STATE: RefCell<State> = RefCell::default());

/// What the fake is told, and what it saw.
#[derive(Default)]
struct State {
    logins: u32,
    fails_with: Option<Error>,
    credentials_expire_at: Option<Time>,
    logs_in_while_asked: bool,
    resolved: Vec<String>,
    deadlines: Vec<Instant>,
    signed: u32,
}

/// Makes the fake one that works and has seen nothing.
pub(crate) fn reset() {
    STATE.take();
}

pub(crate) fn identity(profile: Option<&str>) -> Rc<dyn Identity> {
    AUTHORITY.identities().of_profile(profile)
}

/// Another process logs in: what rests on the login is another one from now on.
pub(crate) fn log_in_elsewhere() {
    STATE.with_borrow_mut(|state| state.logins += 1);
}

/// The next resolutions log in themselves.
pub(crate) fn log_in_while_asked() {
    STATE.with_borrow_mut(|state| state.logs_in_while_asked = true);
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

pub(crate) struct FakeAuthority;

impl Authority for FakeAuthority {
    fn name(&self) -> &'static str {
        "fake"
    }

    fn identities(&self) -> Box<dyn Identities> {
        Box::new(FakeIdentities)
    }
}

struct FakeIdentities;

impl Identities for FakeIdentities {
    fn of_profile(&self, profile: Option<&str>) -> Rc<dyn Identity> {
        let profile = match profile {
            Some(name) if !name.starts_with(SAME_PREFIX) => name,
            _ => "",
        };
        Rc::new(FakeIdentity::new(digest(["fake", profile])))
    }
}

struct FakeIdentity {
    digest: String,
    digest_with_login: String,
    /// Always empty: this authority has no regions.
    region: String,
}

impl FakeIdentity {
    fn new(own: String) -> Self {
        let logins = STATE.with_borrow(|state| state.logins.to_string());
        let with_login = digest([&*own, &*logins]);
        Self {
            digest: own,
            digest_with_login: with_login,
            region: String::new(),
        }
    }
}

impl Identity for FakeIdentity {
    fn digest(&self) -> &str {
        &self.digest
    }

    fn digest_with_login(&self) -> &str {
        &self.digest_with_login
    }

    fn login_stamp(&self) -> &str {
        &self.digest_with_login
    }

    fn as_it_is_now(&self) -> Rc<dyn Identity> {
        Rc::new(Self::new(self.digest.clone()))
    }

    fn configured_region(&self) -> &str {
        &self.region
    }

    fn find_region(&self, _: &str, _: &AskPolicy, _: &Notes) -> Result<Option<Region>> {
        Ok(None)
    }

    fn explain(&self, _: Option<&Region>, notes: &Notes) {
        notes.step(|| "the test decides who signs".to_owned());
    }

    fn log_in(&self, _: &AskPolicy, _: &Notes) -> Result<bool> {
        log_in_elsewhere();
        Ok(true)
    }

    fn signer(&self, query: &CredentialQuery<'_>, notes: &Notes) -> Result<Rc<dyn Signer>> {
        let (error, expires_at, logs_in) = STATE.with_borrow_mut(|state| {
            state.resolved.push(self.digest.clone());
            state.deadlines.push(query.deadline);
            (
                state.fails_with.clone(),
                state.credentials_expire_at,
                state.logs_in_while_asked,
            )
        });
        if logs_in {
            log_in_elsewhere();
            notes.set_changed_files();
        }
        match error {
            Some(error) => Err(error),
            None => Ok(Rc::new(FakeSigner { expires_at })),
        }
    }
}

struct FakeSigner {
    expires_at: Option<Time>,
}

impl Signer for FakeSigner {
    fn issue(
        &self,
        scope: &Scope<'_>,
        region: Option<&Region>,
        life: u32,
        now: Time,
    ) -> Result<Token> {
        assert_eq!(
            region, None,
            "nobody names a region to an authority that has none"
        );
        let life = match self.expires_at {
            Some(expires_at) => life.min(now.until(expires_at)),
            None => life,
        };
        if life == 0 {
            return Err(Error::login("the credentials have expired"));
        }
        let number = STATE.with_borrow_mut(|state| {
            state.signed += 1;
            state.signed
        });
        let user = scope.user.unwrap_or_default();
        let text = format!(
            "{}/{}/{user}@{}#{number}",
            scope.service, scope.action, scope.host
        );
        Ok(Token::new(text, now, now.plus(life)))
    }
}

/// Returns a policy for runs that have no terminal.
pub(crate) fn policy() -> AskPolicy {
    AskPolicy {
        timeout: std::time::Duration::from_secs(20),
        login: LoginPolicy::Terminal,
        login_asked_for: false,
        mfa_code: None,
        terminal: false,
        in_group: false,
        tell: |_| {},
        trace: None,
    }
}
