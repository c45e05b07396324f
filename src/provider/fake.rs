//! A provider of the fake authority, for unit tests: the proof that another authority is a file of
//! its own and one line of the table.

use super::{Provider, RequiredRoots};
use crate::authority::fake;

const SUFFIX: &str = ".fake.invalid";

pub(crate) static PROVIDER: Provider = Provider {
    name: "fake",
    title: "Fake",
    authority: &fake::AUTHORITY,
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
    roots: |_| RequiredRoots::AmazonPublic,
};
