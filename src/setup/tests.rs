//! Templates of dialogs: filled once, escaped for where a value stands, and nothing left over.

use super::*;
use crate::provider;

fn target(user: &str) -> Target {
    let provider = provider::named("dsql").expect("a provider");
    let host = "h.dsql.us-east-1.on.aws".to_owned();
    let request = Request {
        connection: None,
        provider,
        sign_host: host.clone(),
        host,
        sign_port: 5432,
        port: 5432,
        user: user.to_owned(),
        dbname: "d;b".to_owned(),
        options: Vec::new(),
        target_has_address: false,
        region: Some("us-east-1".to_owned()),
        profile: Some("dev".to_owned()),
        aliases: Vec::new(),
        taken: Vec::new(),
        roots: None,
        life: 900,
    };
    let roots = Some(TrustedRoots::Said(r"C:\it's here\r.pem".to_owned()));
    Target {
        name: "prod".to_owned(),
        request,
        roots,
    }
}

#[test]
fn templates_are_filled_once_and_escaped_for_where_they_stand() {
    let machine = Machine {
        named_config: None,
        os: Os::Windows,
        home: PathBuf::from("/h"),
        config: PathBuf::from("/c"),
        own: PathBuf::from("/o"),
        pgcred: PathBuf::from("pgcred.exe"),
        service_file: PathBuf::from("/s"),
    };
    let target = target(r#"{host}"<&"#);
    let fill = |template: &str| {
        Commands {
            machine: &machine,
            target: &target,
        }
        .fill(template)
    };
    for (template, filled) in [
        ("{user} {port}", r#"{host}"<& 5432"#),
        ("{user:json}", r#"{host}\"<&"#),
        ("{dbname:url}", "d%3Bb"),
        (
            "{user:odbc}|{dbname:odbc}|{name:odbc}",
            r#"{{host}}"<&}|{d;b}|prod"#,
        ),
        (
            "{ {{ {no} {user:no} Driver={x y}; ${url} {",
            "{ {{ {no} {user:no} Driver={x y}; ${url} {",
        ),
        (
            "{token}",
            r#"pgcred.exe token --host h.dsql.us-east-1.on.aws --port 5432 --user "{host}""<&" --profile dev --region us-east-1"#,
        ),
        ("{pgcred_aws}", "pgcred-aws.exe"),
        (
            "{uri}",
            "postgresql://%7Bhost%7D%22%3C%26@h.dsql.us-east-1.on.aws:5432/d%3Bb?sslmode=verify-full&sslrootcert=C%3A%5Cit%27s%20here%5Cr.pem",
        ),
        (
            "pqopt={sslrootcert={roots:conninfo}}",
            r"pqopt={sslrootcert='C:\\it\'s here\\r.pem'}",
        ),
    ] {
        assert_eq!(fill(template), filled, "{template}");
    }
}
