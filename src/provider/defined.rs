//! Registers the providers that run a command: those of `[command.NAME]`, before anything is
//! resolved, and the presets that are asked for. They live as long as the run.

use std::sync::{PoisonError, RwLock};

use super::command::{self, CommandDefinition, CommandPreset};
use super::{DEFAULT_PORT, PROVIDERS, Provider};

struct DefinedProvider {
    definition: CommandDefinition,
    provider: &'static Provider,
}

static DEFINED: RwLock<Vec<DefinedProvider>> = RwLock::new(Vec::new());

/// Registers these definitions, in the place of earlier ones of the same names. One that is known
/// already stays as it is: a run that reads its configuration again and again keeps no more.
pub(crate) fn define(definitions: &[CommandDefinition]) {
    if definitions.is_empty() {
        return;
    }
    let mut defined = DEFINED.write().unwrap_or_else(PoisonError::into_inner);
    for definition in definitions {
        let position = defined
            .iter()
            .position(|row| row.definition.name == definition.name);
        let new = || DefinedProvider {
            definition: definition.clone(),
            provider: command::provider_of(definition.clone()),
        };
        match position {
            Some(index) if defined[index].definition == *definition => {}
            Some(index) => defined[index] = new(),
            None => defined.push(new()),
        }
    }
}

/// Returns the defined providers, in the order of their definition.
pub(super) fn defined_providers() -> Vec<&'static Provider> {
    let defined = DEFINED.read().unwrap_or_else(PoisonError::into_inner);
    defined.iter().map(|row| row.provider).collect()
}

/// Returns the provider of that name: that of the configuration, else that of a preset.
pub(super) fn defined_by_name(name: &str) -> Option<&'static Provider> {
    if let Some(provider) = defined_providers()
        .into_iter()
        .find(|provider| provider.name == name)
    {
        return Some(provider);
    }
    let definition = CommandPreset::from_name(name)?.definition().ok()?;
    define(&[definition]);
    defined_providers()
        .into_iter()
        .find(|provider| provider.name == name)
}

/// Returns the preset that a host belongs to.
pub(super) fn defined_for_host(host: &str) -> Option<&'static Provider> {
    defined_by_name(CommandPreset::find_by_host(host)?.name)
}

/// Returns the port on which the servers of the provider of that name listen; without a name, of
/// the provider that the host belongs to. Makes no provider: many connections are asked.
pub(crate) fn default_port(name: Option<&str>, host: &str) -> u16 {
    let is_meant = |provider: &&&Provider| match name {
        Some(name) => provider.name == name,
        None => provider.owns(host),
    };
    if let Some(provider) = PROVIDERS.iter().find(is_meant) {
        return provider.default_port;
    }
    let preset = match name {
        Some(name) => CommandPreset::from_name(name),
        None => CommandPreset::find_by_host(host),
    };
    preset.map_or(DEFAULT_PORT, CommandPreset::default_port)
}
