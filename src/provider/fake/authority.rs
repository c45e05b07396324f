//! Fakes an authority: no cloud and no files, but logins, failures, an end of its credentials and
//! databases, all as `control` says.

use std::hash::Hash;
use std::rc::Rc;
use std::time::Instant;

use super::control::{SAME_PREFIX, STATE, log_in_elsewhere};
use crate::authority::{
    AskPolicy, Authority, CredentialQuery, DatabaseCatalog, FoundDatabase, Identities, Identity,
    Lister, Region, Regions, RunNotes, Signer, TokenScope,
};
use crate::error::{Error, Result};
use crate::text::digest::{Digester, digest};
use crate::time::Time;
use crate::token::Token;

pub(super) static AUTHORITY: FakeAuthority = FakeAuthority {
    name: "fake",
    title: "Fake",
};

/// One more, for what is asked of several.
pub(super) static OTHER: FakeAuthority = FakeAuthority {
    name: "other",
    title: "Other",
};

pub(super) struct FakeAuthority {
    name: &'static str,
    title: &'static str,
}

impl Authority for FakeAuthority {
    fn name(&self) -> &'static str {
        self.name
    }

    fn has_long_tokens(&self) -> bool {
        true
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn has_identity_per_scope(&self) -> bool {
        STATE.with_borrow(|state| state.signs_one_scope)
    }

    fn identities(&self) -> Box<dyn Identities> {
        Box::new(FakeIdentities)
    }

    fn variables(&self) -> Vec<&'static str> {
        vec!["FAKE_TENANT"]
    }

    /// The profiles that have something to list, in alphabetical order.
    fn profile_names(&self) -> Result<Vec<String>> {
        let mut names = Vec::new();
        STATE.with_borrow(|state| {
            for (authority, profile) in state.catalogs.keys() {
                if *authority == self.name {
                    names.push(profile.clone());
                }
            }
        });
        names.sort();
        Ok(names)
    }

    /// It has regions if a test has given it something to list.
    fn regions(&self) -> Option<&dyn Regions> {
        if self.lists() { Some(self) } else { None }
    }

    fn lister(&self) -> Option<&dyn Lister> {
        if self.lists() { Some(self) } else { None }
    }
}

impl FakeAuthority {
    fn lists(&self) -> bool {
        STATE.with_borrow(|state| state.catalogs.keys().any(|(name, _)| *name == self.name))
    }
}

impl Regions for FakeAuthority {
    /// Takes every text without a question mark.
    fn parse(&self, text: &str) -> Result<Region> {
        if text.contains('?') {
            return Err(Error::usage("a region is not a question").hint("write a name"));
        }
        Ok(Region::from_trusted_name(text))
    }

    fn known_regions(&self) -> &'static [&'static str] {
        &["fake-EAST"]
    }
}

impl Lister for FakeAuthority {
    fn catalog(
        &self,
        profile: Option<&str>,
        _: &AskPolicy,
        _: Instant,
    ) -> Box<dyn DatabaseCatalog> {
        STATE.with_borrow(|state| {
            let key = (self.name, profile.unwrap_or_default().to_owned());
            let mut catalog = state.catalogs.get(&key).cloned().unwrap_or_default();
            catalog.needs_login &= state.logins == 0;
            Box::new(catalog)
        })
    }

    fn how_to_take_tokens(&self, _: &FoundDatabase, profile: Option<&str>) -> Option<String> {
        Some(format!(
            "{} enable {}",
            self.name,
            profile.unwrap_or_default()
        ))
    }
}

struct FakeIdentities;

impl Identities for FakeIdentities {
    fn identity(&self, profile: Option<&str>, scope: Option<&TokenScope<'_>>) -> Rc<dyn Identity> {
        let profile = match profile {
            Some(name) if !name.starts_with(SAME_PREFIX) => name,
            _ => "",
        };
        let mut digest = Digester::new();
        ("fake", profile).hash(&mut digest);
        scope.hash(&mut digest);
        Rc::new(FakeIdentity::new(digest.finished()))
    }
}

struct FakeIdentity {
    digest: String,
    digest_with_login: String,
}

impl FakeIdentity {
    fn new(own_digest: String) -> Self {
        let logins = STATE.with_borrow(|state| state.logins.to_string());
        let digest_with_login = digest([&*own_digest, &*logins]);
        Self {
            digest: own_digest,
            digest_with_login,
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

    fn reload(&self) -> Rc<dyn Identity> {
        Rc::new(Self::new(self.digest.clone()))
    }

    fn trace_identity(&self, _: Option<&Region>, notes: &RunNotes) {
        notes.step(|| "the test decides who signs".to_owned());
    }

    fn log_in(&self, _: &AskPolicy, _: &RunNotes) -> Result<bool> {
        log_in_elsewhere();
        Ok(true)
    }

    fn signer(&self, query: &CredentialQuery<'_>, notes: &RunNotes) -> Result<Rc<dyn Signer>> {
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
            None => Ok(Rc::new(FakeSigner {
                expires_at,
                only_host: AUTHORITY
                    .has_identity_per_scope()
                    .then(|| query.scope.host.to_owned()),
            })),
        }
    }
}

struct FakeSigner {
    expires_at: Option<Time>,
    /// The only host that it signs for; `None` if it signs for all.
    only_host: Option<String>,
}

impl Signer for FakeSigner {
    fn issue(
        &self,
        scope: &TokenScope<'_>,
        region: Option<&Region>,
        lifetime_seconds: u32,
        now: Time,
    ) -> Result<Token> {
        assert_eq!(
            region, None,
            "nobody names a region to an authority that has none"
        );
        if let Some(host) = &self.only_host {
            assert_eq!(scope.host, host, "each scope has a signer of its own");
        }
        let lifetime_seconds = match self.expires_at {
            Some(expires_at) => lifetime_seconds.min(now.until(expires_at)),
            None => lifetime_seconds,
        };
        if lifetime_seconds == 0 {
            // No hint: a test that wants one adds it.
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
        Ok(Token::new(text, now, now.plus(lifetime_seconds)))
    }
}
