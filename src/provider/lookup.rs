//! Finds the provider or the authority that a name, a host, an ID or a region belongs to: in the
//! table of `mod`, then in what the configuration defines.

use super::command::PRESETS;
use super::{PROVIDERS, Provider, defined};
use crate::authority::{Authority, Region};
use crate::error::{Error, Result};
use crate::text::backquoted;

/// Returns every authority, each once: those of the table, then those of the configuration.
pub(crate) fn authorities() -> Vec<&'static dyn Authority> {
    let mut authorities: Vec<&'static dyn Authority> = Vec::new();
    for provider in PROVIDERS
        .iter()
        .copied()
        .chain(defined::defined_providers())
    {
        let name = provider.authority.name();
        if authorities.iter().all(|authority| authority.name() != name) {
            authorities.push(provider.authority);
        }
    }
    authorities
}

/// Returns the authority of a provider; without a name, that of the first provider.
pub(crate) fn authority_of(name: Option<&str>) -> Result<&'static dyn Authority> {
    match name {
        Some(name) => Ok(from_name(name)?.authority),
        None => Ok(PROVIDERS[0].authority),
    }
}

/// Tells whether `pgcred login` without `--provider` logs in to the authority of a provider.
pub(super) fn is_of_first_authority(provider: &Provider) -> bool {
    has_own_command(provider.authority.name())
}

/// Tells whether this is the name of the authority that also has a command of its own (`aws`).
pub(crate) fn has_own_command(name: &str) -> bool {
    name == PROVIDERS[0].authority.name()
}

/// Returns the provider that a host belongs to.
pub(crate) fn find_by_host(host: &str) -> Option<&'static Provider> {
    let built_in = PROVIDERS.iter().copied();
    match built_in.into_iter().find(|provider| provider.owns(host)) {
        Some(provider) => Some(provider),
        None => defined::defined_for_host(host),
    }
}

/// Tells whether a host has a name that a provider or an authority gives.
pub(crate) fn knows_host(host: &str) -> bool {
    find_by_host(host).is_some() || authorities().iter().any(|authority| authority.owns(host))
}

/// Returns the provider and the full host of a bare ID such as a DSQL cluster's.
pub(crate) fn find_by_id(id: &str, region: &str) -> Option<(&'static Provider, String)> {
    for provider in PROVIDERS {
        if let Some(host) = (provider.host_of_id)(id, region) {
            return Some((provider, host));
        }
    }
    None
}

/// Returns what is wrong with a text that is nearly an ID.
pub(crate) fn id_mistake(text: &str) -> Option<String> {
    PROVIDERS
        .iter()
        .find_map(|provider| (provider.id_mistake)(text))
}

/// Reads the name of a region as a user types it. The provider is often not known yet where a user
/// names a region, so every authority that has regions is asked.
pub(crate) fn parse_region(text: &str) -> Result<Region> {
    parse_region_of(&authorities(), text)
}

/// Returns the region of the first authority that knows the text, else of the first that can read
/// it. An error is that of the first authority.
fn parse_region_of(authorities: &[&dyn Authority], text: &str) -> Result<Region> {
    let mut best = None;
    for regions in authorities
        .iter()
        .filter_map(|authority| authority.regions())
    {
        let parsed = regions.parse(text);
        if regions.known_regions().contains(&text) {
            return parsed;
        }
        let is_better = match &best {
            None => true,
            Some(earlier) => Result::is_err(earlier) && parsed.is_ok(),
        };
        if is_better {
            best = Some(parsed);
        }
    }
    match best {
        Some(parsed) => parsed,
        None => Err(Error::usage(format!(
            "region {} cannot be used: no provider has regions",
            backquoted(text)
        ))
        .hint("leave the region out")),
    }
}

/// Returns a warning if a host is a provider's own and looks wrong.
pub(crate) fn host_warning(host: &str) -> Option<String> {
    (find_by_host(host)?.host_warning)(host)
}

pub(crate) fn from_name(name: &str) -> Result<&'static Provider> {
    let built_in = PROVIDERS
        .iter()
        .copied()
        .find(|provider| provider.name == name);
    if let Some(provider) = built_in.or_else(|| defined::defined_by_name(name)) {
        return Ok(provider);
    }
    let unknown = Error::usage(format!("no such provider: {}", backquoted(name)));
    Err(unknown.hint(format!("choose one of {}", names(", "))))
}

/// Tells whether this is the name of a provider or an authority of the table.
pub(crate) fn is_built_in(name: &str) -> bool {
    PROVIDERS
        .iter()
        .any(|provider| provider.name == name || provider.authority.name() == name)
}

/// Returns the names of all providers, as `--provider` takes them.
pub(crate) fn names(separator: &str) -> String {
    let mut names: Vec<&str> = PROVIDERS.iter().map(|provider| provider.name).collect();
    names.extend(PRESETS.iter().map(|preset| preset.name));
    for provider in defined::defined_providers() {
        if !names.contains(&provider.name) {
            names.push(provider.name);
        }
    }
    names.join(separator)
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use super::*;
    use crate::provider::fake::catalog::FakeCatalog;
    use crate::provider::fake::control;

    /// Two that share a name would share cached tokens, locks and options.
    #[test]
    fn every_name_stands_for_one_provider_or_authority() {
        let mut names = HashSet::new();
        let mut titles = HashSet::new();
        let mut authorities_by_name = HashMap::new();
        for provider in PROVIDERS {
            assert!(names.insert(provider.name), "{}", provider.name);
            assert!(titles.insert(provider.title), "{}", provider.title);
            let (name, title) = (provider.authority.name(), provider.authority.title());
            let known = authorities_by_name.entry(name).or_insert(title);
            assert_eq!(*known, title, "two authorities are called {name}");
            assert_eq!(authority_of(Some(provider.name)).unwrap().name(), name);
        }
        let mut listed: Vec<&str> = authorities().iter().map(|it| it.name()).collect();
        listed.sort_unstable();
        let mut all: Vec<&str> = authorities_by_name.into_keys().collect();
        all.sort_unstable();
        assert_eq!(listed, all);
        let first = PROVIDERS[0].authority.name();
        assert_eq!(authority_of(None).unwrap().name(), first);
        assert!(authority_of(Some("none")).is_err());
    }

    #[test]
    fn an_authority_needs_neither_profiles_nor_regions_nor_variables() {
        let fake = authority_of(Some("fake")).unwrap();
        let settings = fake.shell_settings();
        assert!(fake.regions().is_none() && fake.profile_names().unwrap().is_empty());
        assert!(settings.variables.is_empty() && settings.key.is_none());
        assert_eq!(settings.profile, None);
        assert_eq!(fake.profile_warning("dev"), None);
        assert!(fake.lister().is_none());
    }

    /// AWS takes every label for a region that may be new, and the fake knows one of its own.
    #[test]
    fn every_authority_is_asked_for_the_name_of_a_region() {
        let parsed = |text| parse_region(text).map(|region| region.to_string());
        assert_eq!(parsed("fake-EAST").unwrap(), "fake-east");
        let error = parsed("Fake East").unwrap_err();
        assert!(
            error
                .hint_text()
                .is_some_and(|hint| hint.contains("us-east-1"))
        );
        control::reset();
        control::put_catalog("dev", FakeCatalog::in_regions(None, &["fake-EAST"]));
        assert_eq!(parsed("fake-EAST").unwrap(), "fake-EAST");
        assert_eq!(parsed("Fake East").unwrap(), "Fake East");
        assert_eq!(parsed("EU-West-1").unwrap(), "eu-west-1");
        assert!(parse_region_of(&[], "eu-west-1").is_err());
    }
}
