//! Each preset: its definition, its hosts, its names, and the documents that name it.

use super::*;
use crate::provider::command::is_own_placeholder;

#[test]
fn every_preset_is_a_definition_that_can_be_run() {
    for preset in PRESETS {
        let definition = preset.definition().unwrap();
        let name = preset.name;
        assert!(!definition.run.is_empty(), "{name}");
        // Without them a token of one account could be handed out to another.
        assert!(!definition.watch.is_empty(), "{name}");
        assert!(!definition.variables.is_empty(), "{name}");
        // Without its words a missing login would be told like any other failure.
        assert_ne!(
            definition.login.is_some(),
            definition.login_if.is_empty(),
            "{name}"
        );
        assert!(
            !definition.uses("life") || definition.lifetime_seconds.is_some(),
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
fn both_documents_name_each_preset() {
    let page = include_str!("../../../cli/page.roff");
    let readme = include_str!("../README.md");
    for preset in PRESETS {
        let name = preset.name;
        let section = format!("\n.TP\n.B {}\n", name.replace('-', "\\-"));
        assert!(page.contains(&section), "page.roff: PROVIDERS: {name}");
        assert!(
            readme.contains(&format!("\n| [`{name}`](")),
            "README.md: {name}"
        );
    }
}

/// Else doctor would warn of the `@` in the name of each healthy user.
#[test]
fn users_of_entra_databricks_and_google_are_addresses() {
    for preset in PRESETS {
        let are_addresses = ["entra", "lakebase", "gcloud"].contains(&preset.name);
        assert_eq!(
            preset.service.users_are_addresses, are_addresses,
            "{}",
            preset.name
        );
    }
}

#[test]
fn hosts_tell_the_service() {
    let of = |host: &str| CommandPreset::find_by_host(host).map(|preset| preset.name);
    for (host, name) in [
        ("crm.postgres.database.azure.com", "entra"),
        ("crm.postgres.database.usgovcloudapi.net", "entra"),
        (
            "ep-calm-sun-1.database.eu-west-1.cloud.databricks.com",
            "lakebase",
        ),
        ("instance-0a1b.database.cloud.databricks.com", "lakebase"),
        ("instance-0a1b.database.azuredatabricks.net", "lakebase"),
        (
            "i1.org-account.eu-west-1.aws.postgres.snowflake.app",
            "snowflake",
        ),
        ("dwh.abc123.eu-west-1.redshift.amazonaws.com", "redshift"),
        (
            "w.123456789012.eu-west-1.redshift-serverless.amazonaws.com",
            "redshift-serverless",
        ),
    ] {
        assert_eq!(of(host), Some(name), "{host}");
        assert_eq!(of(&format!("{host}.example.com")), None);
    }
    for host in [
        "crm.example.com",
        "postgres.database.azure.com",
        ".postgres.snowflake.app",
        "dwh.redshift.amazonaws.com",
        "database.cloud.databricks.com",
        "adb-1.azuredatabricks.net",
        "ws.cloud.databricks.com",
        "",
    ] {
        assert_eq!(of(host), None, "{host}");
    }
}

#[test]
fn each_preset_has_names_of_its_own() {
    let mut names = std::collections::HashSet::new();
    for preset in PRESETS {
        assert!(names.insert(preset.name) && names.insert(preset.title));
        assert!(!crate::provider::is_built_in(preset.name));
    }
}
