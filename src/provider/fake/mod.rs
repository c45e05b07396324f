//! A provider with an authority of its own, for unit tests: the proof that another authority is a
//! directory of its own and one line of the table. Copy it for a real one.

pub(crate) mod authority;

use super::{Provider, RequiredRoots, RootSet};

const SUFFIX: &str = ".fake.invalid";

pub(crate) static PROVIDER: Provider = Provider {
    name: "fake",
    title: "Fake",
    authority: &authority::AUTHORITY,
    service: "fake-service",
    action: |_| "enter",
    signs_port: false,
    signs_user: true,
    owns: |host| host.ends_with(SUFFIX),
    region: |_| None,
    expand: |_, _| None,
    host_warning: |_| None,
    user: Some("guest"),
    dbname: "postgres",
    default_life: 900,
    max_life: 3_600,
    roots: |host, _| roots(host),
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
        elsewhere: "the file of the fake's administrator",
    })
}
