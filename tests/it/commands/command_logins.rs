//! A missing login of the services whose programs pgcred knows. Each program prints what it has
//! been seen to print, or what its source prints.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::commands::command_presets::presets_with_variables;
use crate::support::sandbox::Sandbox;

/// A preset, and how its program says that a login is missing.
struct Preset {
    name: &'static str,
    program: &'static str,
    vars: &'static str,
    login: &'static str,
    says: &'static [&'static str],
}

const SAYS_SNOW: &[&str] = &[
    // snow 3.31 draws a frame of 80 columns, whose border is the last line.
    "╭─ Error ──────────────────────────────────────────────────────────────────────╮\n\
     │ Could not connect to Snowflake. Reason: 390114 (08001): Failed to connect to │\n\
     │ DB: acc.snowflakecomputing.com. Authentication token has expired.  The user must        │\n\
     │ authenticate again.                                                          │\n\
     ╰──────────────────────────────────────────────────────────────────────────────╯",
    "+- Error ----------------------------------------------------------------------+\n\
     | Could not connect to Snowflake. Reason: 390100 (28000): Failed to connect to |\n\
     | DB: acc.snowflakecomputing.com. Incorrect username or                        |\n\
     | password was specified.                                                      |\n\
     +------------------------------------------------------------------------------+",
    "+- Error ----------------------------------------------------------------------+\n\
     | Could not connect to Snowflake. Reason: 390318 (08001): Failed to connect to |\n\
     | DB: acc.snowflakecomputing.com. OAuth access token expired. [0a1b]           |\n\
     +------------------------------------------------------------------------------+",
    "Initiating login request with your identity provider. Press CTRL+C to abort and try again...\n\
     Going to open: https://idp.example.com/x to authenticate...\n\
     Enter the URL the SSO URL redirected you to: \nAborted.",
];

const SAYS_AWS: &[&str] = &[
    "Error loading SSO Token: Token for corp does not exist",
    "Error when retrieving token from sso: Token has expired and refresh failed",
    "An error occurred (ExpiredToken) when calling the GetClusterCredentialsWithIAM operation: \
     The security token included in the request is expired",
];

const SAYS_VAULT: &[&str] = &[
    "Error reading database/creds/r: Error making API request.\n\n\
     URL: GET http://127.0.0.1:8200/v1/database/creds/r\nCode: 400. Errors:\n\n\
     * missing client token",
    "Error reading database/creds/r: Error making API request.\n\n\
     URL: GET http://127.0.0.1:8200/v1/database/creds/r\nCode: 403. Errors:\n\n\
     * 2 errors occurred:\n\t* permission denied\n\t* invalid token\n",
    // OpenBao, with an old token and without one.
    "Error reading database/creds/r: Error making API request.\n\n\
     URL: GET http://127.0.0.1:8200/v1/database/creds/r\nCode: 403. Errors:\n\n\
     * permission denied",
];

const PRESETS: &[Preset] = &[
    Preset {
        name: "entra",
        program: "az",
        vars: "",
        login: "az login",
        says: &[
            "ERROR: Please run 'az login' to setup account.",
            "ERROR: AADSTS700082: The refresh token has expired due to inactivity.",
        ],
    },
    Preset {
        name: "lakebase",
        program: "databricks",
        vars: "endpoint = \"e\"",
        login: "databricks auth login --profile=work",
        says: &[
            "Error: A new access token could not be retrieved because the refresh token is \
             invalid. To reauthenticate, run the following command:\n  \
             $ databricks auth login --profile work",
            "Error: default auth: databricks-cli: cannot get access token: Error: token refresh: \
             oauth2: \"invalid_request\" \"Refresh token is invalid\"",
            "Error: default auth: cannot configure default credentials, please check \
             https://docs.databricks.com/en/dev-tools/auth.html",
        ],
    },
    Preset {
        name: "gcloud",
        program: "gcloud",
        vars: "",
        login: "gcloud auth login",
        says: &[
            "ERROR: (gcloud.config.config-helper) You do not currently have an active account \
             selected.\nPlease run:\n\n  $ gcloud auth login\n\nto obtain new credentials.",
            "ERROR: (gcloud.config.config-helper) There was a problem refreshing your current \
             auth tokens: Reauthentication failed. cannot prompt during non-interactive execution.",
        ],
    },
    Preset {
        name: "snowflake",
        program: "snow",
        vars: "instance = \"i\"",
        login: "snow connection test --connection=work",
        says: SAYS_SNOW,
    },
    Preset {
        name: "redshift",
        program: "aws",
        vars: "cluster = \"c\"",
        login: "aws sso login --profile=work",
        says: SAYS_AWS,
    },
    Preset {
        name: "redshift-serverless",
        program: "aws",
        vars: "workgroup = \"w\"",
        login: "aws sso login --profile=work",
        says: SAYS_AWS,
    },
    Preset {
        name: "vault",
        program: "vault",
        vars: "role = \"r\"",
        login: "vault login -method=oidc",
        says: SAYS_VAULT,
    },
    Preset {
        name: "vault-static",
        program: "vault",
        vars: "role = \"r\"",
        login: "vault login -method=oidc",
        says: SAYS_VAULT,
    },
];

/// Returns a home whose program says this and fails.
fn home_of(preset: &Preset, says: &str) -> Sandbox {
    let mut sandbox = Sandbox::empty();
    let path = std::env::var("PATH").expect("PATH");
    let path = format!("{}:{path}", sandbox.path("bin").display());
    sandbox.set("PATH", &path);
    let script = format!("#!/bin/sh\ncat >&2 <<'END'\n{says}\nEND\nexit 1\n");
    let program = sandbox.write(&format!("bin/{}", preset.program), script);
    fs::set_permissions(program, fs::Permissions::from_mode(0o755)).expect("a mode");
    let user = if preset.name == "vault" {
        ""
    } else {
        "user = \"u\"\n"
    };
    let config = format!(
        "[connections.crm]\nhost = \"db.example.com\"\nprovider = \"{}\"\nprofile = \"work\"\n\
         {user}roots = \"system\"\nvars = {{ {} }}\n",
        preset.name, preset.vars
    );
    fs::write(sandbox.own().join("config.toml"), config).expect("written");
    sandbox
}

#[test]
fn a_missing_login_of_each_service_is_told_with_the_command_to_type() {
    let known = presets_with_variables(&Sandbox::empty());
    let known: BTreeSet<_> = known.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        PRESETS.iter().map(|it| it.name).collect::<BTreeSet<_>>(),
        known
    );
    for preset in PRESETS {
        for says in preset.says {
            let run = home_of(preset, says).run(&["token", "crm"]);
            run.assert_fails(
                3,
                &format!("the command of {} needs a login: ", preset.name),
            );
            let hint = format!("hint: run `{}`, then try again\n", preset.login);
            assert!(run.stderr.contains(&hint), "{}", run.stderr);
            assert!(!run.stderr.contains("login: ╰"), "{}", run.stderr);
            assert!(!run.stderr.contains("login: +"), "{}", run.stderr);
        }
    }
}

#[test]
fn another_failure_asks_for_no_login_and_is_told_without_its_frame() {
    let snow = PRESETS.iter().find(|it| it.name == "snowflake");
    let says = "╭─ Error ─────────────────────────────╮\n\
                │ Connection work is                  │\n\
                │ not configured                      │\n\
                ╰─────────────────────────────────────╯";
    let run = home_of(snow.expect("a preset"), says).run(&["token", "crm"]);
    run.assert_fails(1, "failed: Connection work is not configured\n");
}
