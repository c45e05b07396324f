//! The services whose programs pgcred knows. Each program is a shell script that takes only the
//! arguments of the service's own, and prints what its documentation shows. Nothing here was tried
//! against a service.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::sandbox::{Run, Sandbox};

const NOW: &str = "2030-01-01T00:00:00Z";

/// A home with one program of a service on PATH, and a configuration.
struct Service {
    sandbox: Sandbox,
    program: &'static str,
}

impl Service {
    /// Returns a service whose program takes exactly these arguments.
    fn new(program: &'static str, arguments: &str, answer: &str, connection: &str) -> Self {
        let mut sandbox = Sandbox::empty();
        let path = std::env::var("PATH").expect("PATH");
        let path = format!("{}:{path}", sandbox.path("bin").display());
        sandbox.at(NOW).set("PATH", &path);
        let service = Self { sandbox, program };
        service.answers(arguments, answer);
        let config = format!("[connections.crm]\n{connection}\n");
        fs::write(service.sandbox.own().join("config.toml"), config).expect("written");
        service
    }

    fn answers(&self, arguments: &str, answer: &str) {
        let runs = self.sandbox.path("runs").display().to_string();
        let script = format!(
            "#!/bin/sh\necho x >>'{runs}'\n\
             if [ \"$*\" != \"{arguments}\" ]; then echo \"not: $*\" >&2; exit 9; fi\n\
             cat <<'END'\n{answer}\nEND\n"
        );
        let name = format!("bin/{}", self.program);
        let file = self.sandbox.write(&name, script);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    fn runs(&self) -> usize {
        fs::read_to_string(self.sandbox.path("runs")).map_or(0, |text| text.lines().count())
    }

    /// Checks user, token, end, and when the program is run again.
    fn assert_issues(&self, user: &str, token: &str, end: &str, refresh: &str) {
        let json = self.sandbox.ok(&["token", "crm", "--format", "json"]);
        let json: serde_json::Value = serde_json::from_str(&json).expect("JSON");
        assert_eq!(json["user"], user);
        assert_eq!(json["password"], token);
        assert_eq!(json["expiration"], end);
        assert_eq!(json["refresh_after"], refresh);
        assert_eq!(self.runs(), 1);
    }
}

const LAKEBASE: &str = "host = \"ep-a-1.database.eu-west-1.cloud.databricks.com\"\n\
    user = \"ann@example.com\"\nprofile = \"work\"\nprovider = \"lakebase\"\n\
    vars = { endpoint = \"projects/p/branches/b/endpoints/e\" }";

#[test]
fn databricks_mints_a_token_for_an_endpoint() {
    let service = Service::new(
        "databricks",
        "postgres generate-database-credential projects/p/branches/b/endpoints/e --ttl=3600s \
         --profile=work --output=json",
        r#"{"expire_time": "2030-01-01T01:00:00Z", "token": "of-lakebase"}"#,
        LAKEBASE,
    );
    service.assert_issues(
        "ann@example.com",
        "of-lakebase",
        "2030-01-01T01:00:00Z",
        "2030-01-01T00:40:00Z",
    );
    let dbname = service
        .sandbox
        .ok(&["token", "crm", "--format", "conninfo"]);
    assert!(dbname.contains("databricks_postgres"), "{dbname}");
    let pooler = "ep-a-1-pooler.database.eu-west-1.cloud.databricks.com";
    let run = service.sandbox.run(&["token", "crm", "--host", pooler]);
    assert!(run.stderr.contains("refuses tokens"), "{}", run.stderr);
}

#[test]
fn gcloud_prints_its_token_and_a_service_account_has_its_short_name() {
    let service = Service::new(
        "gcloud",
        "config config-helper --min-expiry=300s --format=json",
        r#"{"configuration": {"active_configuration": "default"},
            "credential": {"access_token": "ya29.of-google", "id_token": "x.y.z",
                           "token_expiry": "2030-01-01T00:58:00Z"}}"#,
        "host = \"10.1.2.3\"\nuser = \"app@p.iam\"\nprovider = \"gcloud\"\n\
         roots = \"system\"",
    );
    service.assert_issues(
        "app@p.iam",
        "ya29.of-google",
        "2030-01-01T00:58:00Z",
        "2030-01-01T00:53:00Z",
    );
    let long = ["--user", "app@p.iam.gserviceaccount.com"];
    for command in [
        &["token", "crm"][..],
        &["refresh", "crm"],
        &["exec", "crm"],
        &["add", "new", "10.1.2.4", "--provider", "gcloud"],
    ] {
        let mut words = [command, &long].concat();
        if command[0] == "exec" {
            words.extend(["--", "true"]);
        }
        let run = service.sandbox.run(&words);
        run.assert_fails(2, "there is no user `app@p.iam.gserviceaccount.com` at ");
        assert!(
            run.stderr
                .contains("hint: use `app@p.iam`, as the database calls it\n"),
            "{}",
            run.stderr
        );
    }
    assert_eq!(service.runs(), 1);
    // Every instance has an authority of its own.
    service
        .sandbox
        .run(&["exec", "crm", "--roots", "provider", "--", "true"])
        .assert_fails(1, "which has an authority of its own");
    let with_roots = service.sandbox.write("server-ca.pem", "x");
    let with_roots = with_roots.to_str().expect("UTF-8");
    let exec = ["exec", "crm", "--roots", with_roots, "--", "true"];
    assert_eq!(service.sandbox.run(&exec).code, 0);
}

/// Another account's token must not be handed out.
#[test]
fn a_variable_that_switches_the_account_keeps_tokens_apart() {
    let arguments = "config config-helper --min-expiry=300s --format=json";
    let answer = |token: &str| {
        format!(
            r#"{{"credential": {{"access_token": "{token}",
                "token_expiry": "2030-01-01T01:00:00Z"}}}}"#
        )
    };
    let mut service = Service::new(
        "gcloud",
        arguments,
        &answer("first"),
        "host = \"10.1.2.3\"\nuser = \"ann@example.com\"\nprovider = \"gcloud\"",
    );
    assert_eq!(service.sandbox.ok(&["token", "crm"]), "first\n");
    service.answers(arguments, &answer("second"));
    assert_eq!(service.sandbox.ok(&["token", "crm"]), "first\n");
    service.sandbox.set("CLOUDSDK_ACTIVE_CONFIG_NAME", "other");
    assert_eq!(service.sandbox.ok(&["token", "crm"]), "second\n");
    service.sandbox.unset("CLOUDSDK_ACTIVE_CONFIG_NAME");
    assert_eq!(service.sandbox.ok(&["token", "crm"]), "first\n");
    service
        .sandbox
        .write(".config/gcloud/active_config", "other");
    assert_eq!(service.sandbox.ok(&["token", "crm"]), "second\n");
}

#[test]
fn snow_runs_a_query_into_which_no_value_can_write() {
    let connection = |instance: &str| {
        format!(
            "host = \"i.org-acc.eu-west-1.aws.postgres.snowflake.app\"\nuser = \"Ann\"\n\
             profile = \"work\"\nprovider = \"snowflake\"\nroots = \"system\"\n\
             vars = {{ instance = '''{instance}''' }}"
        )
    };
    let query = "select generate_postgres_access_token_for_user('pg1','Ann') as t";
    let service = Service::new(
        "snow",
        &format!("sql --connection=work --format=json --query={query}"),
        r#"[{"T": "of-snowflake"}]"#,
        &connection("pg1"),
    );
    service.assert_issues(
        "Ann",
        "of-snowflake",
        "2030-01-01T00:15:00Z",
        "2030-01-01T00:10:00Z",
    );
    // The last three are filled in by snow itself, with variables of the environment too.
    for instance in [
        "pg1','x') --",
        "pg1\\",
        "<% ctx.env.HOME %>",
        "&{ x }",
        "a&b",
    ] {
        let config = format!("[connections.crm]\n{}\n", connection(instance));
        fs::write(service.sandbox.own().join("config.toml"), config).expect("written");
        service
            .sandbox
            .run(&["token", "crm"])
            .assert_fails(2, "{instance} has the character");
    }
    assert_eq!(service.runs(), 1);
}

#[test]
fn redshift_names_the_user_in_its_answer() {
    let service = Service::new(
        "aws",
        "redshift get-cluster-credentials-with-iam --cluster-identifier=dwh --db-name=dev \
         --duration-seconds=3600 --profile=work --output=json",
        r#"{"DbUser": "IAM:ann", "DbPassword": "of-redshift",
            "Expiration": "2030-01-01T01:00:00.123000+00:00",
            "NextRefreshTime": "2030-01-01T00:30:00+00:00"}"#,
        "host = \"dwh.abc.eu-west-1.redshift.amazonaws.com\"\n\
         profile = \"work\"\nprovider = \"redshift\"\nvars = { cluster = \"dwh\" }",
    );
    service.assert_issues(
        "IAM:ann",
        "of-redshift",
        "2030-01-01T01:00:00Z",
        "2030-01-01T00:40:00Z",
    );
    let run = service.sandbox.run(&["refresh", "crm"]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    let passfile = String::from_utf8(service.sandbox.read(".pgpass")).expect("UTF-8");
    assert!(
        passfile.contains(":5439:*:IAM\\:ann:of-redshift\n"),
        "{passfile}"
    );
    for (options, port) in [(&[][..], 5439), (&["--port", "5432"], 5432)] {
        let token = [&["token", "crm", "--format", "json"], options].concat();
        let json: serde_json::Value =
            serde_json::from_str(&service.sandbox.ok(&token)).expect("JSON");
        assert_eq!(json["port"], port);
    }
}

/// The connection names no user: whoever reads the answer of pgcred has it from there.
#[test]
fn every_format_has_the_user_of_the_answer() {
    let redshift = Service::new(
        "aws",
        "redshift get-cluster-credentials-with-iam --cluster-identifier=dwh --db-name=dev \
         --duration-seconds=3600 --profile=work --output=json",
        r#"{"DbUser": "IAM:ann", "DbPassword": "t-1", "Expiration": "2030-01-01T01:00:00Z"}"#,
        "host = \"dwh.abc.eu-west-1.redshift.amazonaws.com\"\nprofile = \"work\"\n\
         vars = { cluster = \"dwh\" }",
    );
    let vault = Service::new(
        "vault",
        "read -format=json database/creds/reader",
        r#"{"lease_duration": 3600, "data": {"password": "t-1", "username": "v-oidc d'x"}}"#,
        "host = \"db.example.com\"\nprovider = \"vault\"\nvars = { role = \"reader\" }",
    );
    for (service, user, by_format) in [
        (
            redshift,
            "IAM:ann",
            [
                ("env", "PGUSER='IAM:ann'\n"),
                ("url", "://IAM%3Aann:t-1@dwh.abc."),
                ("conninfo", " user='IAM:ann' "),
            ],
        ),
        (
            vault,
            "v-oidc d'x",
            [
                ("env", r"PGUSER='v-oidc d'\''x'"),
                ("url", "://v-oidc%20d%27x:t-1@db.example.com"),
                ("conninfo", r" user='v-oidc d\'x' "),
            ],
        ),
    ] {
        for (format, says) in by_format {
            let answer = service.sandbox.ok(&["token", "crm", "--format", format]);
            assert!(answer.contains(says), "{format}: {answer}");
        }
        for format in ["json", "libpq-json"] {
            let answer = service.sandbox.ok(&["token", "crm", "--format", format]);
            let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
            assert_eq!(answer["user"], user, "{format}");
        }
        // What a shell makes of the variables.
        let script = "eval \"$1\"; printf %s \"$PGUSER\"";
        let env = service.sandbox.ok(&["token", "crm", "--format", "env"]);
        let mut shell = service.sandbox.command("sh");
        shell.args(["-c", script, "sh", &env]);
        assert_eq!(Run::of(shell).stdout, user);
        assert_eq!(service.runs(), 1);
    }
}

/// The AWS CLI would send what is in the file.
#[test]
fn no_value_makes_the_aws_cli_read_a_file() {
    for dbname in [
        "file:///etc/passwd",
        "FILEB:///etc/passwd",
        "http://169.254.169.254/",
    ] {
        let connection = format!(
            "host = \"dwh.abc.eu-west-1.redshift.amazonaws.com\"\nprofile = \"work\"\n\
             vars = {{ cluster = \"dwh\" }}\ndbname = \"{dbname}\""
        );
        let service = Service::new("aws", "", "{}", &connection);
        service
            .sandbox
            .run(&["token", "crm"])
            .assert_fails(2, "{dbname} begins with ");
        assert_eq!(service.runs(), 0);
    }
}

/// Returns each preset with the variables that decide who logs in, as the manual page lists them.
pub(super) fn presets_with_variables(sandbox: &Sandbox) -> Vec<(String, Vec<String>)> {
    let page = sandbox.ok(&["man"]);
    let (_, after) = page
        .split_once(".SS Variables of other services\n")
        .expect("the section");
    let (section, _) = after.split_once(".SS ").expect("its end");
    let mut presets = Vec::new();
    for entry in section.split(".TP\n.B ").skip(1) {
        let (name, variables) = entry.split_once('\n').expect("a name");
        let variables = variables.trim().split(", ").map(str::to_owned).collect();
        presets.push((name.replace("\\-", "-"), variables));
    }
    presets
}

/// Returns the identity that would log in.
fn identity(sandbox: &Sandbox) -> String {
    let run = sandbox.run(&["token", "crm", "--debug"]);
    let (_, after) = run
        .stderr
        .split_once(" for identity ")
        .unwrap_or_else(|| panic!("{}", run.stderr));
    after.split([':', ' ']).next().expect("a digest").to_owned()
}

/// Another account's token must not be handed out.
#[test]
fn each_variable_that_decides_who_logs_in_is_a_part_of_the_identity() {
    let mut sandbox = Sandbox::empty();
    let presets = presets_with_variables(&sandbox);
    assert!(presets.len() >= 8, "{presets:?}");
    let mut looked_at = 0;
    for (preset, variables) in presets {
        // It is asked for no token: `run` has no placeholders that need a value.
        let config = format!(
            "[command.{preset}]\nrun = [\"false\"]\n[connections.crm]\nhost = \"db.example.com\"\n\
             user = \"u\"\nprovider = \"{preset}\"\nroots = \"system\"\n"
        );
        fs::write(sandbox.own().join("config.toml"), config).expect("written");
        let before = identity(&sandbox);
        for variable in variables {
            let variable = variable.replace('*', "X");
            let value = sandbox.path("nowhere").display().to_string();
            sandbox.set(&variable, &value);
            assert_ne!(identity(&sandbox), before, "{preset}: {variable}");
            sandbox.unset(&variable);
            looked_at += 1;
        }
        assert_eq!(identity(&sandbox), before, "{preset}");
    }
    assert!(looked_at > 30, "{looked_at}");
}

#[test]
fn redshift_serverless_has_names_of_its_own() {
    let service = Service::new(
        "aws",
        "redshift-serverless get-credentials --workgroup-name=w --db-name=sales \
         --duration-seconds=3600 --profile=work --output=json",
        r#"{"dbPassword": "of-serverless", "dbUser": "IAMR:ann",
            "expiration": "2030-01-01T01:00:00+00:00"}"#,
        "host = \"w.123456789012.eu-west-1.redshift-serverless.amazonaws.com\"\n\
         dbname = \"sales\"\nprofile = \"work\"\nprovider = \"redshift-serverless\"\n\
         vars = { workgroup = \"w\" }",
    );
    service.assert_issues(
        "IAMR:ann",
        "of-serverless",
        "2030-01-01T01:00:00Z",
        "2030-01-01T00:40:00Z",
    );
}

/// The host says the provider, and so the values that its command needs.
#[test]
fn add_asks_for_the_values_of_the_provider_that_a_host_tells() {
    let service = Service::new("aws", "", "", "host = \"h.example.com\"");
    let host = "dwh.abc.eu-west-1.redshift.amazonaws.com";
    let add = ["add", "dwh", host, "--profile", "work"];
    service
        .sandbox
        .run(&add)
        .assert_fails(2, "--var cluster=VALUE");
    let with_var = [&add[..], &["--var", "cluster=dwh"]].concat();
    service.sandbox.ok(&with_var);
}

#[test]
fn vault_makes_a_user_only_for_a_connection_that_is_named() {
    let service = Service::new(
        "vault",
        "read -format=json database/creds/reader",
        r#"{"request_id": "r", "lease_id": "database/creds/reader/x", "lease_duration": 3600,
            "renewable": true, "data": {"password": "of-vault", "username": "v-oidc-reader-1"},
            "warnings": null}"#,
        "host = \"db.example.com\"\nprovider = \"vault\"\nvars = { role = \"reader\" }",
    );
    for arguments in [
        &["refresh"][..],
        &["refresh", "--background"],
        &["prompt"],
        &["list"],
    ] {
        let run = service.sandbox.run(arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
    }
    assert_eq!(service.runs(), 0);
    service.assert_issues(
        "v-oidc-reader-1",
        "of-vault",
        "2030-01-01T01:00:00Z",
        "2030-01-01T00:54:00Z",
    );
}

#[test]
fn a_static_role_of_vault_lives_until_its_password_is_changed() {
    let service = Service::new(
        "vault",
        "read -format=json database/static-creds/app",
        r#"{"lease_id": "", "lease_duration": 0, "renewable": false,
            "data": {"last_vault_rotation": "2029-12-31T23:00:00.5Z", "password": "of-static",
                     "rotation_period": 7200, "ttl": 3600, "username": "app"}}"#,
        "host = \"db.example.com\"\nuser = \"app\"\nprovider = \"vault-static\"\n\
         vars = { role = \"app\" }",
    );
    service.assert_issues(
        "app",
        "of-static",
        "2030-01-01T01:00:00Z",
        "2030-01-01T00:59:30Z",
    );
}

#[test]
fn the_engine_of_vault_may_be_mounted_elsewhere() {
    let service = Service::new(
        "vault",
        "read -format=json team/pg/static-creds/app",
        r#"{"data": {"password": "of-static", "ttl": 3600, "username": "app"}}"#,
        "host = \"db.example.com\"\nuser = \"app\"\nprovider = \"vault-static\"\n\
         vars = { role = \"app\", mount = \"team/pg\" }",
    );
    assert_eq!(service.sandbox.ok(&["token", "crm"]), "of-static\n");
    let add = [
        "add",
        "dwh",
        "h.example.com",
        "--provider",
        "vault-static",
        "--user",
        "app",
    ];
    service
        .sandbox
        .run(&add)
        .assert_fails(2, "--var role=VALUE");
    service
        .sandbox
        .ok(&[&add[..], &["--var", "role=app"]].concat());
}

/// The tokens are JWTs of an hour without a signature. One is that of the Azure CLI without
/// `--resource-type`.
#[test]
fn doctor_reads_whose_token_it_is_and_for_which_service() {
    const OF_AZURE: &str = "e30.eyJhdWQiOiJodHRwczovL21hbmFnZW1lbnQuY29yZS53aW5kb3dzLm5ldC8iLCJleH\
        AiOjE4OTM0NTk2MDAsImlzcyI6Imh0dHBzOi8vc3RzLndpbmRvd3MubmV0L3QvIiwidXBu\
        IjoiYW5uQGV4YW1wbGUuY29tIn0.c2ln";
    const OF_BOB: &str = "e30.eyJhdWQiOiJodHRwczovL29zc3JkYm1zLWFhZC5kYXRhYmFzZS53aW5kb3dzLm5ldC\
        IsImV4cCI6MTg5MzQ1OTYwMCwiaXNzIjoiaHR0cHM6Ly9zdHMud2luZG93cy5uZXQvdC8i\
        LCJ1cG4iOiJib2JAZXhhbXBsZS5jb20ifQ.c2ln";
    const EXPIRED: &str = "e30.eyJhdWQiOiJodHRwczovL29zc3JkYm1zLWFhZC5kYXRhYmFzZS53aW5kb3dzLm5ldC\
        IsImV4cCI6MTg5MzQ1MjQwMCwiaXNzIjoiaHR0cHM6Ly9zdHMud2luZG93cy5uZXQvdC8i\
        LCJ1cG4iOiJhbm5AZXhhbXBsZS5jb20ifQ.c2ln";
    let arguments = "account get-access-token --resource-type oss-rdbms --output json";
    let answer = |token: &str| format!(r#"{{"accessToken": "{token}", "expires_on": 1893459600}}"#);
    let mut service = Service::new(
        "az",
        arguments,
        &answer(OF_AZURE),
        "host = \"crm.postgres.database.azure.com\"\nuser = \"ann@example.com\"",
    );
    let doctor = |service: &Service, check: &str| {
        let run = service
            .sandbox
            .run(&["doctor", "crm", "--offline", "--check", check]);
        assert!(!run.stdout.contains("c2ln"), "{}", run.stdout);
        run.stdout
    };
    service.sandbox.ok(&["token", "crm"]);
    let said = doctor(&service, "token.scope");
    let foreign = "the token is for https://management.core.windows.net/";
    assert!(said.contains("FAIL") && said.contains(foreign), "{said}");
    service.answers(arguments, &answer(OF_BOB));
    service.sandbox.at("2030-01-01T00:01:00Z");
    service.sandbox.ok(&["token", "crm", "--fresh"]);
    let said = doctor(&service, "token.scope");
    let of_bob = "issued to bob@example.com, and the user is ann@example.com";
    assert!(said.contains(of_bob), "{said}");
    assert!(said.contains("pgcred login --provider entra"), "{said}");
    service.sandbox.set("PGPASSWORD", EXPIRED);
    let said = doctor(&service, "environment.password");
    assert!(
        said.contains("PGPASSWORD is a token that expired"),
        "{said}"
    );
    service.sandbox.set("PGPASSWORD", "static");
    let said = doctor(&service, "environment.password");
    assert!(
        said.contains("PGPASSWORD is set, but not to a token"),
        "{said}"
    );
}

/// An older Azure CLI prints nothing but a local time, which could be any.
#[test]
fn a_local_time_alone_is_refused() {
    let service = Service::new(
        "az",
        "account get-access-token --resource-type oss-rdbms --output json",
        r#"{"accessToken": "opaque", "expiresOn": "2030-01-01 01:00:00.000000"}"#,
        "host = \"crm.postgres.database.azure.com\"\nuser = \"Prod Readers\"",
    );
    service
        .sandbox
        .run(&["token", "crm"])
        .assert_fails(2, "nothing says when the token ends");
    let config = service.sandbox.own().join("config.toml");
    let text = fs::read_to_string(&config).expect("text");
    let text = format!("[command.entra]\nexpires = \"expiresOn\"\n{text}");
    fs::write(&config, text).expect("written");
    service
        .sandbox
        .run(&["token", "crm"])
        .assert_fails(1, "the field expiresOn has no time that says its zone");
}

#[test]
fn a_missing_user_is_asked_for_in_the_words_of_the_service() {
    let sandbox = Sandbox::empty();
    for (arguments, says) in [
        (
            &["token", "crm.postgres.database.azure.com"][..],
            "the display name of a group",
        ),
        (
            &["add", "crm", "crm.postgres.database.azure.com"],
            "the display name of a group",
        ),
        (
            &["token", "10.1.2.3", "--provider", "gcloud"],
            "without `.gserviceaccount.com`",
        ),
    ] {
        sandbox.run(arguments).assert_fails(2, says);
    }
}
