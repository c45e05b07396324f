//! The identities of one run. Profile and files are read once for each profile, and credentials are
//! resolved once for each identity, even if several profiles and providers lead to it. Only the
//! issuer in `mod` has one of these; it lives as long as the run.

use std::collections::HashMap;
use std::rc::Rc;
use std::time::Instant;

use crate::authority::{Authority, Identities, Identity, Signer};
use crate::error::Result;
use crate::request::Request;
use crate::sys::fs::Lock;

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
    by_profile: HashMap<Option<String>, Rc<dyn Identity>>,
}

/// What a run holds for one identity.
#[derive(Default)]
pub(super) struct IdentityResources {
    /// Held until the run ends.
    pub(super) lock: Option<Lock>,
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
        let RegisteredAuthority {
            identities,
            by_profile,
            ..
        } = self.authority(request.provider.authority);
        if let Some(known) = by_profile.get(&request.profile) {
            return Rc::clone(known);
        }
        let identity = identities.of_profile(request.profile.as_deref());
        by_profile.insert(request.profile.clone(), Rc::clone(&identity));
        identity
    }

    /// Looks again at the files that an identity rests on, for all profiles that lead to it.
    pub(super) fn look_again(&mut self, identity: &dyn Identity) {
        let mut now = None;
        for authority in &mut self.authorities {
            for known in authority.by_profile.values_mut() {
                if known.digest() == identity.digest() {
                    let now = now.get_or_insert_with(|| known.as_it_is_now());
                    *known = Rc::clone(now);
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
        let known = self.authorities.iter().position(|known| known.name == name);
        let at = known.unwrap_or(self.authorities.len());
        if known.is_none() {
            self.authorities.push(RegisteredAuthority {
                name,
                identities: authority.identities(),
                by_profile: HashMap::new(),
            });
        }
        &mut self.authorities[at]
    }
}
