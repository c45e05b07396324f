//! A provider with an authority of its own, for unit tests: the proof that another authority is a
//! directory of its own and one line of the table. Copy this file and `authority` for a real one;
//! `control`, with which a test says what happens, and `catalog`, what a profile lists, stay here.

mod authority;
pub(crate) mod catalog;
pub(crate) mod control;

use super::{Provider, RequiredRoots, RootSet};

const SUFFIX: &str = ".fake.invalid";

pub(crate) static PROVIDER: Provider = Provider {
    service: "fake-service",
    action: |_| "enter",
    signs_user: true,
    owns: Some(|host| host.ends_with(SUFFIX)),
    user: Some("guest"),
    users_are_addresses: true,
    max_life: 3_600,
    roots: |host, _| roots(host),
    ..Provider::new("fake", "Fake", &authority::AUTHORITY)
};

/// The same for hosts that have no form of their own.
pub(crate) static WITHOUT_HOSTS: Provider = Provider {
    signs_user: true,
    ..Provider::new("nameless", "Nameless", &authority::AUTHORITY)
};

/// Returns the roots of every system, or for a host `private.*` a set that pgcred carries.
fn roots(host: &str) -> RequiredRoots {
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
        elsewhere: "the file of the fake's administrator",
    })
}
