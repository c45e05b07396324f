//! Finds the identities of one run. Profile and files are read once for each profile, and
//! credentials are resolved once for each identity, even if several profiles and providers lead to
//! it. An authority whose credentials are good for one scope alone has an identity for each scope.
//! Only the issuer in `mod` has one of these; it lives as long as the run.

use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;
use std::time::Instant;

use crate::authority::{Authority, Identities, Identity, Signer, TokenScope};
use crate::error::Result;
use crate::request::Request;
use crate::sys::fs::FileLock;
use crate::text::digest::Digester;

/// The identities of a run, each read and resolved once.
#[derive(Default)]
pub(super) struct IdentityRegistry {
    authorities: Vec<RegisteredAuthority>,
    /// By the identity's digest.
    resources: HashMap<String, IdentityResources>,
}

struct RegisteredAuthority {
    name: &'static str,
    identities: Box<dyn Identities>,
    by_key: HashMap<IdentityKey, Rc<dyn Identity>>,
}

/// What an identity is found by: the profile, and the digest of the scope if every scope has an
/// identity of its own.
type IdentityKey = (Option<String>, Option<String>);

/// What a run holds for one identity.
#[derive(Default)]
pub(super) struct IdentityResources {
    /// Held until the run ends.
    pub(super) lock: Option<FileLock>,
    /// The end of the identity's share of the run's time.
    pub(super) deadline: Option<Instant>,
    /// `--debug` has shown who this is.
    pub(super) is_explained: bool,
    /// The resolved credentials, or why there are none.
    pub(super) signer: Option<Result<Rc<dyn Signer>>>,
}

impl IdentityRegistry {
    /// Returns who signs for a request.
    pub(super) fn identity_of(&mut self, request: &Request) -> Rc<dyn Identity> {
        let authority = request.provider.authority;
        let mut scope = None;
        if authority.has_identity_per_scope() {
            scope = Some(request.scope());
        }
        let key = (request.profile.clone(), scope.as_ref().map(digest_of_scope));
        let authority = self.authority(authority);
        if let Some(identity) = authority.by_key.get(&key) {
            return Rc::clone(identity);
        }
        let profile = request.profile.as_deref();
        let identity = authority.identities.identity(profile, scope.as_ref());
        authority.by_key.insert(key, Rc::clone(&identity));
        identity
    }

    /// Looks again at the files that an identity rests on, for all profiles that lead to it.
    pub(super) fn reload(&mut self, identity: &dyn Identity) {
        let mut reloaded = None;
        for authority in &mut self.authorities {
            for identity_in_use in authority.by_key.values_mut() {
                if identity_in_use.digest() == identity.digest() {
                    let reloaded = reloaded.get_or_insert_with(|| identity_in_use.reload());
                    *identity_in_use = Rc::clone(reloaded);
                }
            }
        }
    }

    pub(super) fn resources(&mut self, identity: &dyn Identity) -> &mut IdentityResources {
        self.resources
            .entry(identity.digest().to_owned())
            .or_default()
    }

    fn authority(&mut self, authority: &'static dyn Authority) -> &mut RegisteredAuthority {
        let name = authority.name();
        let position = self
            .authorities
            .iter()
            .position(|authority| authority.name == name);
        let index = position.unwrap_or(self.authorities.len());
        if position.is_none() {
            self.authorities.push(RegisteredAuthority {
                name,
                identities: authority.identities(),
                by_key: HashMap::new(),
            });
        }
        &mut self.authorities[index]
    }
}

fn digest_of_scope(scope: &TokenScope<'_>) -> String {
    let mut digest = Digester::new();
    scope.hash(&mut digest);
    digest.finished()
}
