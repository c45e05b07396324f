//! Fakes a provider, whose authority does what a unit test tells it: it fails, asks for a login,
//! hands out tokens that end early, or lists databases. A real one is copied from `example`, which
//! has none of these switches.
//!
//! `control` is what a test says and sees, `catalog` what a profile lists, and `authority` does it.

mod authority;
pub(crate) mod catalog;
pub(crate) mod control;

use super::{Provider, RequiredRoots, RootSet};
use crate::authority::{Authority, Lister};

const SUFFIX: &str = ".fake.invalid";

pub(crate) static PROVIDER: Provider = Provider {
    service: "fake-service",
    action_of: |_| "enter",
    signs_user: true,
    owns: Some(|host| host.ends_with(SUFFIX)),
    user: Some("guest"),
    users_are_addresses: true,
    is_foreign_audience: |audience| audience == "https://foreign.invalid",
    max_lifetime_seconds: 3_600,
    roots_of: |host, _| roots_of_host(host),
    ..Provider::new("fake", "Fake", &authority::AUTHORITY)
};

/// Another authority, of no provider. It lists what a test has given it.
pub(crate) static OTHER_AUTHORITY: &dyn Authority = &authority::OTHER;

/// Returns the part of the fake authority that lists.
pub(crate) fn lister() -> &'static dyn Lister {
    &authority::AUTHORITY
}

/// The same for hosts that have no form of their own.
pub(crate) static WITHOUT_HOSTS: Provider = Provider {
    signs_user: true,
    ..Provider::new("nameless", "Nameless", &authority::AUTHORITY)
};

/// Returns the roots of every system, or for a host `private.*` a set that pgcred carries.
fn roots_of_host(host: &str) -> RequiredRoots {
    if !host.starts_with("private.") {
        return RequiredRoots::Public(None);
    }
    RequiredRoots::Private(RootSet {
        file_name: "fake.pem".to_owned(),
        title: "the fake service".to_owned(),
        bundled: Some("a certificate".into()),
        address: None,
        issuer: None,
        cause: "tls.roots.unknown",
        manual_source: "the file of the fake's administrator",
    })
}
