//! Root certificates: which file pgcred names to clients, in which order it looks for one, and that
//! the file exists.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::Value;

use crate::support::needs::{PYTHON, ROOT, can_run, python, skip_unless};
use crate::support::sandbox::{HOST, NOBODY, RDS_HOST, Run, Sandbox};

const PROXY_HOST: &str = "app.proxy-c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";

/// pgcred does not contain the root certificates of this region.
pub const MEXICO: &str = "db.c1a2b3c4d5e6.mx-central-1.rds.amazonaws.com";

pub fn roots(sandbox: &Sandbox, arguments: &[&str]) -> String {
    sandbox
        .ok(&[&["roots"], arguments].concat())
        .trim_end()
        .to_owned()
}

pub fn own(sandbox: &Sandbox, name: &str) -> String {
    sandbox.own().join("roots").join(name).display().to_string()
}

pub fn certificates(path: &str) -> usize {
    fs::read_to_string(path)
        .expect("a file")
        .matches("-----BEGIN CERTIFICATE-----")
        .count()
}

/// Returns the file of the system's root certificates, if this machine has one.
pub fn systems() -> &'static str {
    let known = [
        "/etc/ssl/certs/ca-certificates.crt",
        "/etc/pki/tls/certs/ca-bundle.crt",
        "/etc/ssl/cert.pem",
    ];
    known
        .into_iter()
        .find(|path| Path::new(path).exists())
        .expect("a bundle of the system")
}

#[test]
fn each_service_has_its_own_roots() {
    let sandbox = Sandbox::empty();
    for host in [
        HOST,
        PROXY_HOST,
        "a.endpoint.proxy-c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com",
    ] {
        assert_eq!(roots(&sandbox, &[host]), systems(), "{host}");
    }
    assert!(!sandbox.own().join("roots").exists(), "nothing was needed");
    for (host, file, count) in [
        (RDS_HOST, "rds-eu-west-1.pem", 3),
        (
            "proxy-db.c1a2b3c4d5e6.us-east-1.rds.amazonaws.com",
            "rds-us-east-1.pem",
            3,
        ),
        (
            "w.global-c1a2b3c4d5e6.global.rds.amazonaws.com",
            "rds-global.pem",
            81,
        ),
    ] {
        let path = roots(&sandbox, &[host, "--region", "eu-west-1", "-q"]);
        assert_eq!(
            (&path, certificates(&path)),
            (&own(&sandbox, file), count),
            "{host}"
        );
        assert_eq!(
            fs::metadata(&path).expect("a file").permissions().mode() & 0o777,
            0o600
        );
    }
    let tunnel = ["localhost:15432", "--sign-host", RDS_HOST];
    assert_eq!(roots(&sandbox, &tunnel), own(&sandbox, "rds-eu-west-1.pem"));
    let private_name = [
        "db.corp.example",
        "--provider",
        "rds",
        "--region",
        "eu-west-1",
    ];
    assert_eq!(
        roots(&sandbox, &private_name),
        own(&sandbox, "rds-eu-west-1.pem")
    );
}

/// A user who can write the file could make clients trust a false server.
#[test]
fn files_that_others_can_write_are_replaced() {
    let sandbox = Sandbox::with_keys();
    let path = roots(&sandbox, &[RDS_HOST]);
    fs::write(&path, "# another's\n").expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).expect("a mode");
    assert_eq!(
        (roots(&sandbox, &[RDS_HOST]), certificates(&path)),
        (path.clone(), 3)
    );
    if can_run!(ROOT) {
        fs::write(&path, "# another's\n").expect("written");
        std::os::unix::fs::chown(&path, Some(NOBODY), None).expect("root may chown");
        assert_eq!(
            (roots(&sandbox, &[RDS_HOST]), certificates(&path)),
            (path.clone(), 3)
        );
    }
    let directory = sandbox.own().join("roots");
    fs::set_permissions(&directory, fs::Permissions::from_mode(0o777)).expect("a mode");
    sandbox
        .run(&["roots", RDS_HOST])
        .assert_fails(2, "its mode 777 lets other users change it");
    let inside = sandbox.ok(&[
        "exec",
        RDS_HOST,
        "--user",
        "u",
        "--",
        "sh",
        "-c",
        "echo $PGSSLROOTCERT",
    ]);
    assert!(
        inside.contains("/exec/run-"),
        "a copy for the program alone: {inside}"
    );
}

/// Tools keep the path. A user who can exchange the directory later could make them trust a false
/// server.
#[test]
fn files_are_put_only_where_nobody_else_can_exchange_them() {
    let mut sandbox = Sandbox::empty();
    let data = sandbox.path("data");
    sandbox
        .unset("PGCRED_HOME")
        .set("XDG_DATA_HOME", &data.display().to_string());
    fs::create_dir_all(data.join("pgcred")).expect("a directory");
    fs::set_permissions(data.join("pgcred"), fs::Permissions::from_mode(0o777)).expect("a mode");
    sandbox
        .run(&["roots", RDS_HOST])
        .assert_fails(2, "data/pgcred is not used: its mode 777");
    assert!(!data.join("pgcred/roots").exists());
}

#[test]
fn the_first_of_the_settings_that_names_roots_counts() {
    let mut sandbox = Sandbox::empty();
    let rds = own(&sandbox, "rds-eu-west-1.pem");
    assert_eq!(roots(&sandbox, &[RDS_HOST]), rds);
    let users = sandbox
        .write(".postgresql/root.crt", "")
        .display()
        .to_string();
    for host in [RDS_HOST, HOST] {
        assert_eq!(roots(&sandbox, &[host]), users);
        assert_eq!(roots(&sandbox, &[host, "--roots", "system"]), "system");
    }
    sandbox.set("PGSSLROOTCERT", "/variable.pem");
    assert_eq!(roots(&sandbox, &[RDS_HOST]), "/variable.pem");
    assert_eq!(roots(&sandbox, &[RDS_HOST, "--roots", "provider"]), rds);
    sandbox.write(
        "rule.toml",
        "[[match]]\nhost = '*.rds.amazonaws.com'\nroots = '/rule.pem'\n",
    );
    assert_eq!(
        roots(&sandbox, &[RDS_HOST, "--config", "rule.toml"]),
        "/rule.pem"
    );
    sandbox.write("books.pem", "");
    sandbox.ok(&[
        "add",
        "books",
        RDS_HOST,
        "--user",
        "app",
        "--roots",
        "books.pem",
    ]);
    let absolute = sandbox
        .home()
        .canonicalize()
        .expect("a home")
        .join("books.pem")
        .display()
        .to_string();
    assert_eq!(roots(&sandbox, &["books"]), absolute);
    assert_eq!(
        roots(&sandbox, &["books", "--roots", "/option.pem"]),
        "/option.pem"
    );
    let of_target = sandbox.write("target.pem", "").display().to_string();
    let target = format!("host={RDS_HOST} sslrootcert={of_target}");
    assert_eq!(roots(&sandbox, &[&target]), of_target);
    assert_eq!(
        roots(&sandbox, &[&target, "--roots", "/option.pem"]),
        "/option.pem"
    );
    sandbox.ok(&[
        "add",
        "shop",
        &format!("{target} sslmode=verify-ca hostaddr=127.0.0.1 user=app"),
    ]);
    let config = fs::read_to_string(sandbox.own().join("config.toml")).expect("a file");
    assert!(
        config.contains(&format!(
            "sslmode = \"verify-ca\"\nhostaddr = \"127.0.0.1\"\nroots = \"{of_target}\"\n"
        )),
        "{config}"
    );
    let section = sandbox.ok(&["setup", "psql", "shop", "--print"]);
    assert!(
        section.ends_with(&format!(
            "hostaddr=127.0.0.1\nsslmode=verify-ca\nsslrootcert={of_target}\n"
        )),
        "{section}"
    );
    sandbox
        .run(&["roots", &format!("{target} sslmode=require")])
        .assert_fails(2, "sslmode require verifies no server");
}

/// A newer pgcred writes its own certificates over those of an older one. A downloaded file stays.
#[test]
fn built_in_roots_are_renewed_and_downloaded_ones_stay() {
    let sandbox = Sandbox::empty();
    let path = roots(&sandbox, &[RDS_HOST]);
    let carried = fs::read(&path).expect("a file");
    for old in [
        "",
        "# carried by pgcred: an older package\n-----BEGIN CERTIFICATE-----\n",
    ] {
        fs::write(&path, old).expect("a file");
        assert_eq!(roots(&sandbox, &[RDS_HOST]), path);
        assert_eq!(fs::read(&path).expect("a file"), carried);
    }
    fs::write(&path, "# downloaded by pgcred: x\n").expect("a file");
    roots(&sandbox, &[RDS_HOST]);
    assert_eq!(
        fs::read(&path).expect("a file"),
        b"# downloaded by pgcred: x\n"
    );
}

/// Every output with an `sslmode` that verifies the server also names the roots, and no other
/// output does.
#[test]
fn every_output_names_the_roots() {
    let mut sandbox = Sandbox::with_keys();
    let rds = own(&sandbox, "rds-eu-west-1.pem");
    let target = format!("host={RDS_HOST} user=app");
    let weak = format!("{target} sslmode=require");
    let encoded = rds.replace('/', "%2F");
    for (format, said) in [
        (
            "url",
            format!("?sslmode=verify-full&sslrootcert={encoded}\n"),
        ),
        (
            "conninfo",
            format!("sslmode='verify-full' sslrootcert='{rds}'\n"),
        ),
        ("env", format!("export PGSSLROOTCERT='{rds}'\n")),
        ("fish", format!("set -gx PGSSLROOTCERT '{rds}'\n")),
        ("powershell", format!("$env:PGSSLROOTCERT = '{rds}'\n")),
        ("cmd", format!("set \"PGSSLROOTCERT={rds}\"\n")),
        ("libpq-json", format!("\"sslrootcert\":\"{rds}\"")),
        ("json", format!("\"sslrootcert\":\"{rds}\"")),
    ] {
        fs::remove_file(&rds).ok();
        let text = sandbox.ok(&["token", &target, "--format", format]);
        assert!(text.contains(&said), "{format}: {text}");
        assert_eq!(certificates(&rds), 3, "{format}");
        let text = sandbox.ok(&["token", &weak, "--format", format]);
        assert!(
            !text.contains(&rds) && !text.contains(&encoded),
            "{format}: {text}"
        );
    }
    fs::remove_file(&rds).expect("a file");
    for raw in ["raw", "urlencoded"] {
        sandbox.ok(&["token", &target, "--format", raw]);
    }
    assert!(
        !Path::new(&rds).exists(),
        "a token alone needs no certificates"
    );

    let show = ["--", "sh", "-c", "echo $PGSSLMODE $PGSSLROOTCERT"];
    let exec = |target: &str| sandbox.ok(&[&["exec", target], &show[..]].concat());
    assert_eq!(exec(&target), format!("verify-full {rds}\n"));
    assert_eq!(exec(&weak), "require\n");

    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    let java = format!("sslmode=verify-full&sslrootcert={encoded}");
    for (tool, said) in [
        ("psql", format!("sslrootcert={rds}\n")),
        ("pgadmin", format!("\"sslrootcert\": \"{rds}\"")),
        ("dbeaver", format!("\"sslrootcert\": \"{rds}\"")),
        ("datagrip", java.clone()),
        ("jdbc", java),
        (
            "odbc",
            format!("SSLmode=verify-full;pqopt={{sslrootcert='{rds}'}}"),
        ),
        (
            "pgcli",
            format!("?sslmode=verify-full&sslrootcert={encoded}"),
        ),
        (
            "usql",
            format!("?sslmode=verify-full&sslrootcert={encoded}"),
        ),
        (
            "vim-dadbod",
            format!("?sslmode=verify-full&sslrootcert={encoded}"),
        ),
        (
            "rainfrog",
            format!(
                "?sslmode=verify-full&sslrootcert={}",
                encoded.replace('%', "''%''")
            ),
        ),
        (
            "lazysql",
            format!(
                "?sslmode=verify-full&sslrootcert={}",
                encoded.replace('%', "''%''")
            ),
        ),
        (
            "nvim-dbee",
            format!("?sslmode=verify-full&sslrootcert={encoded}"),
        ),
        ("dbgate", rds.clone()),
        ("tableplus", rds.clone()),
        ("dbcode", rds.clone()),
        ("beekeeper", rds.clone()),
        ("heidisql", rds.clone()),
        ("vscode", format!("\"ca\": \"{rds}\"")),
    ] {
        fs::remove_file(&rds).ok();
        let text = sandbox.ok(&["setup", tool, &target, "--print", "--profile", "p", "-q"]);
        assert!(text.contains(&said), "{tool}: {text}");
        assert!(!text.contains("DefaultJavaSSLFactory"), "{tool}: {text}");
        assert_eq!(certificates(&rds), 3, "{tool}");
    }
    for tool in ["dbeaver", "datagrip", "jdbc"] {
        let text = sandbox.ok(&["setup", tool, HOST, "--print", "--profile", "p", "-q"]);
        assert!(
            text.contains("DefaultJavaSSLFactory") && !text.contains("sslrootcert=/"),
            "{tool}: {text}"
        );
    }
    fs::remove_file(&rds).expect("a file");
    sandbox
        .set("AWS_REGION", "eu-west-1")
        .ok(&["setup", "psql", &target, "--dry-run"]);
    assert!(!Path::new(&rds).exists(), "--dry-run changes nothing");
}

/// Java's own trust store and a file of roots exclude each other. The entry of an older pgcred uses
/// the trust store.
#[test]
fn dbeaver_no_longer_uses_the_trust_store_of_java() {
    let sandbox = Sandbox::empty();
    sandbox.write(".local/share/DBeaverData/workspace6/General/.project", "");
    let old = r#"{"connections":{"pgcred-books":{"configuration":{"properties":
        {"sslmode":"verify-full","sslfactory":"org.postgresql.ssl.DefaultJavaSSLFactory","ApplicationName":"mine"}}}}}"#;
    let file = sandbox.write(
        ".local/share/DBeaverData/workspace6/General/.dbeaver/data-sources-pgcred.json",
        old,
    );
    sandbox.ok(&["add", "books", RDS_HOST, "--user", "app", "--profile", "p"]);
    sandbox.ok(&["setup", "dbeaver", "--yes"]);
    let text: Value = serde_json::from_slice(&fs::read(file).expect("a file")).expect("JSON");
    let expected = serde_json::json!({
        "ApplicationName": "mine", "sslmode": "verify-full",
        "sslrootcert": own(&sandbox, "rds-eu-west-1.pem")
    });
    assert_eq!(
        text["connections"]["pgcred-books"]["configuration"]["properties"],
        expected
    );
}

/// The tools that are set up still need the files.
#[test]
fn the_files_are_removed_with_the_last_tool() {
    let mut sandbox = Sandbox::empty();
    let home = sandbox.home().display().to_string();
    sandbox
        .unset("PGCRED_HOME")
        .set("XDG_DATA_HOME", &format!("{home}/data"));
    sandbox.ok(&["add", "books", RDS_HOST, "--user", "app", "--profile", "p"]);
    sandbox.ok(&["setup", "psql", "--yes"]);
    let file = sandbox.path("data/pgcred/roots/rds-eu-west-1.pem");
    let run = sandbox.run(&["erase", "--all"]);
    assert!(
        run.code == 0 && run.stderr.contains("root certificates stay"),
        "{}",
        run.stderr
    );
    assert!(file.exists());
    sandbox.ok(&["setup", "--undo", "--yes"]);
    let own = sandbox.write("data/pgcred/roots/company.pem", "of the user");
    let run = sandbox.run(&["erase", "--all"]);
    assert!(
        run.code == 0 && run.stderr.contains("roots/rds-eu-west-1.pem: removed"),
        "{}",
        run.stderr
    );
    assert!(!file.exists() && own.exists());
    fs::remove_file(own).expect("a file");
    roots(&sandbox, &[RDS_HOST]);
    sandbox.ok(&["erase", "--all"]);
    assert!(!sandbox.path("data").exists());
}

/// OpenSSL, which libpq uses, reads every certificate that pgcred contains and trusts it as a root.
#[test]
fn openssl_accepts_the_files() {
    skip_unless!(PYTHON);
    let sandbox = Sandbox::empty();
    let path = roots(
        &sandbox,
        &["w.global-c1a2b3c4d5e6.global.rds.amazonaws.com"],
    );
    let script = "import ssl, sys; context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT); \
        context.load_verify_locations(sys.argv[1]); print(context.cert_store_stats()['x509_ca'])";
    let mut command = sandbox.command(&python());
    command.args(["-c", script, &path]);
    assert_eq!(Run::of(command).stdout, "81\n");
}
