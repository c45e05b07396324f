//! What holds for every authority: those of the table, and those that run the command of a preset.

use std::collections::BTreeMap;

use super::command::{self, PRESETS};
use super::{PROVIDERS, Provider};
use crate::authority::TokenScope;

/// Returns a provider of each authority.
fn providers() -> impl Iterator<Item = &'static Provider> {
    let presets = PRESETS.iter().map(|preset| {
        let definition = preset.definition().expect("a preset is right");
        command::provider_of(definition)
    });
    let mut found = BTreeMap::new();
    for provider in PROVIDERS.iter().copied().chain(presets) {
        found.entry(provider.authority.name()).or_insert(provider);
    }
    assert!(found.len() > PRESETS.len() + 2, "{:?}", found.keys());
    found.into_values()
}

/// A token is cached, and a lock taken, by the digest alone: another authority must not have it.
#[test]
fn each_authority_has_identities_of_its_own() {
    let scope = TokenScope {
        service: "",
        action: "",
        host: "db.internal",
        port: Some(5432),
        user: Some("app"),
        dbname: "",
        vars: &[],
    };
    let mut owners: BTreeMap<String, &str> = BTreeMap::new();
    for provider in providers() {
        let (name, identities) = (provider.authority.name(), provider.authority.identities());
        let identity = identities.identity(None, Some(&scope));
        let now = identity.reload();
        for digest in [identity.digest(), identity.digest_with_login()] {
            let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
            assert!(
                digest.len() == 32 && digest.bytes().all(is_hex),
                "{name}: {digest}"
            );
        }
        assert_eq!(now.digest(), identity.digest(), "{name}");
        let again = identities.identity(None, Some(&scope));
        assert_eq!(again.digest(), identity.digest(), "{name}");
        let other = owners.insert(identity.digest().to_owned(), name);
        assert_eq!(other, None, "{name} has the digest of another authority");
    }
}
