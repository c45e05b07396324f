//! The definitions that pgcred brings. Data only; `provider_of` makes a provider of one when it is
//! asked for. A `[command.NAME]` with the name of a preset changes the keys that it names.

use super::definition::{CommandDefinition, CommandKind, ExpiryField, JsonPath};
use super::template::Template;
use crate::error::Result;

/// A definition of pgcred's own, and what its hosts look like.
pub(crate) struct Preset {
    pub(crate) name: &'static str,
    /// Tells whether a host is one of this service's. `None` if its hosts have no form of their
    /// own.
    pub(crate) owns: Option<fn(host: &str) -> bool>,
    title: &'static str,
    run: &'static [&'static str],
    token: Option<&'static str>,
    user: Option<&'static str>,
    expires: Option<&'static str>,
    life: Option<u32>,
    kind: CommandKind,
    watch: &'static [&'static str],
    login: Option<&'static str>,
    login_if: &'static [&'static str],
}

/// Every preset, in the order in which hosts are matched.
pub(crate) static PRESETS: &[Preset] = &[Preset {
    name: "entra",
    title: "Azure Database for PostgreSQL",
    owns: Some(|host| host.ends_with(".postgres.database.azure.com")),
    run: &[
        "az",
        "account",
        "get-access-token",
        "--resource-type",
        "oss-rdbms",
        "--output",
        "json",
    ],
    token: Some("accessToken"),
    // An older az does not print it. Its `expiresOn` has no zone; the JWT's own end counts then.
    expires: Some("expires_on"),
    // The Azure CLI prints the same token until five minutes before its end.
    kind: CommandKind::Caches,
    watch: &["~/.azure/azureProfile.json"],
    login: Some("az login"),
    login_if: &["az login", "AADSTS"],
    ..Preset::EMPTY
}];

impl Preset {
    const EMPTY: Self = Self {
        name: "",
        owns: None,
        title: "",
        run: &[],
        token: None,
        user: None,
        expires: None,
        life: None,
        kind: CommandKind::Mint,
        watch: &[],
        login: None,
        login_if: &[],
    };

    /// Returns the preset of that name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        PRESETS.iter().find(|preset| preset.name == name)
    }

    /// Returns the preset that a host belongs to.
    pub(crate) fn of_host(host: &str) -> Option<&'static Self> {
        PRESETS
            .iter()
            .find(|preset| preset.owns.is_some_and(|owns| owns(host)))
    }

    /// Returns the definition, which may be changed by a `[command.NAME]`.
    pub(crate) fn definition(&self) -> Result<CommandDefinition> {
        let owned = |texts: &[&str]| texts.iter().map(|&text| text.to_owned()).collect();
        let mut definition = CommandDefinition::named(self.name);
        self.title.clone_into(&mut definition.title);
        for word in self.run {
            definition.run.push(Template::parse(word)?);
        }
        definition.token = self.token.map(JsonPath::parse).transpose()?;
        definition.user = self.user.map(JsonPath::parse).transpose()?;
        definition.expires = self.expires.map(ExpiryField::parse).transpose()?;
        definition.life = self.life;
        definition.kind = self.kind;
        definition.watch = owned(self.watch);
        definition.login = self.login.map(str::to_owned);
        definition.login_if = owned(self.login_if);
        Ok(definition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::command::is_own_placeholder;

    #[test]
    fn every_preset_is_a_definition_that_can_be_run() {
        for preset in PRESETS {
            let definition = preset.definition().unwrap();
            let name = preset.name;
            assert!(!definition.run.is_empty(), "{name}");
            assert!(
                definition.login.is_some() || definition.login_if.is_empty(),
                "{name}"
            );
            assert!(
                !definition.uses("life") || definition.life.is_some(),
                "{name}"
            );
            for placeholder in definition.placeholders() {
                let is_var = placeholder
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'_');
                assert!(
                    is_own_placeholder(placeholder) || is_var,
                    "{name}: {placeholder}"
                );
            }
        }
    }

    #[test]
    fn hosts_tell_the_service() {
        let of = |host| Preset::of_host(host).map(|preset| preset.name);
        assert_eq!(of("crm.postgres.database.azure.com"), Some("entra"));
        assert_eq!(of("postgres.database.azure.com.example.com"), None);
        assert_eq!(of("crm.example.com"), None);
    }
}
