//! Templates of dialogs: filled once, escaped for where a value stands, and nothing left over.
//!
//! Every tool of `TOOLS` goes through the same tests.

use std::path::PathBuf;

use super::drafts::FileDrafts;
use super::template::{FORMS, PLACEHOLDERS};
use super::*;
use crate::authority::Region;
use crate::integrations::{DIALOG_OF_GATEWAY, TOOLS};
use crate::provider;
use crate::request::Request;
use crate::roots::TrustedRoots;

fn target(user: &str) -> ToolTarget {
    let provider = provider::from_name("dsql").expect("a provider");
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
        keywords: Vec::new(),
        target_has_address: false,
        region: Some(Region::from_trusted_name("us-east-1")),
        profile: Some("dev".to_owned()),
        aliases: Vec::new(),
        lines_of_others: Vec::new(),
        vars: Vec::new(),
        roots: None,
        lifetime_seconds: 900,
    };
    let roots = Some(TrustedRoots::UsersChoice(r"C:\it's here\r.pem".to_owned()));
    ToolTarget {
        name: "prod".to_owned(),
        request,
        roots,
        gateway: None,
        uses_gateway: false,
    }
}

fn machine(os: Os) -> Machine {
    Machine {
        named_config: None,
        os,
        home: PathBuf::from("/h"),
        config_home: PathBuf::from("/c"),
        pgcred_config: PathBuf::from("/o"),
        pgcred: PathBuf::from(if os == Os::Windows {
            "pgcred.exe"
        } else {
            "pgcred"
        }),
        service_file: PathBuf::from("/s"),
        planned_files: FileDrafts::default(),
    }
}

#[test]
fn templates_are_filled_once_and_escaped_for_where_they_stand() {
    let (machine, target) = (machine(Os::Windows), target(r#"{host}"<&"#));
    let commands = CommandLines {
        machine: &machine,
        target: &target,
    };
    for (template, filled) in [
        ("{user} {port}", r#"{host}"<& 5432"#),
        ("{user:json}", r#"{host}\"<&"#),
        ("{user:xml}", "{host}&quot;&lt;&amp;"),
        ("{user:quotes}", r#"{host}""<&"#),
        ("{user:shell}", r#""{host}""<&""#),
        ("{dbname:url}", "d%3Bb"),
        (
            "{user:odbc}|{dbname:odbc}|{name:odbc}",
            r#"{{host}}"<&}|{d;b}|prod"#,
        ),
        (
            "{ {{ {no} {user:no} Driver={x y}; ${url} {",
            "{ {{ {no} {user:no} Driver={x y}; ${url} {",
        ),
        ("a\n{only:dsql}b\n{only:rds}c\nd", "a\nb\nd"),
        ("a\n{only:aws}b\n{only:fake}c\nd", "a\nb\nd"),
        (
            "{token}",
            "pgcred.exe token --host h.dsql.us-east-1.on.aws --port 5432 \
             --user \"{host}\"\"<&\" --profile dev --region us-east-1",
        ),
        ("{pgcred}", "pgcred.exe"),
        ("{pgcred_aws}", "pgcred-aws.exe"),
        (
            "{uri}",
            "postgresql://%7Bhost%7D%22%3C%26@h.dsql.us-east-1.on.aws:5432/d%3Bb\
             ?sslmode=verify-full&sslrootcert=C%3A%5Cit%27s%20here%5Cr.pem",
        ),
        (
            "pqopt={sslrootcert={roots:conninfo}}",
            r"pqopt={sslrootcert='C:\\it\'s here\\r.pem'}",
        ),
    ] {
        assert_eq!(fill_template(template, &commands), filled, "{template}");
    }
}

/// Returns what looks like a placeholder in a text: a word in braces that are not those of
/// `${word}`.
fn words_in_braces(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for (at, _) in text.match_indices('{') {
        let Some((inside, _)) = text[at + 1..].split_once('}') else {
            continue;
        };
        let is_word = inside
            .chars()
            .all(|c| c.is_ascii_lowercase() || c == '_' || c == ':');
        if is_word && !inside.is_empty() && !text[..at].ends_with('$') {
            words.push(inside);
        }
    }
    words
}

fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    let of_tools = TOOLS.iter().filter_map(|tool| match tool.method {
        SetupMethod::Dialog(template) => Some((tool.name, template)),
        SetupMethod::Files(_) => None,
    });
    of_tools.chain([("proxy", DIALOG_OF_GATEWAY)])
}

/// A misspelt placeholder would be printed to the user, in silence.
#[test]
fn every_placeholder_of_a_template_is_known_and_every_known_one_is_used() {
    let mut used = Vec::new();
    for (tool, template) in templates() {
        for word in words_in_braces(template) {
            let (name, form) = word.split_once(':').unwrap_or((word, ""));
            if name == "only" {
                assert!(provider::is_built_in(form), "{tool}: {{{word}}}");
                continue;
            }
            let is_known = PLACEHOLDERS.iter().any(|(known, _)| *known == name);
            let has_form = form.is_empty() || FORMS.iter().any(|(known, _)| *known == form);
            assert!(is_known && has_form, "{tool}: there is no {{{word}}}");
            used.extend([name, form]);
        }
    }
    let names = PLACEHOLDERS.iter().map(|(name, _)| *name);
    for name in names.chain(FORMS.iter().map(|(form, _)| *form)) {
        assert!(used.contains(&name), "no template uses {name}");
    }
}

#[test]
fn nothing_in_braces_is_left_in_what_is_printed() {
    let targets = [target("admin")];
    for os in [Os::Linux, Os::Mac, Os::Windows] {
        let machine = machine(os);
        let commands = CommandLines {
            machine: &machine,
            target: &targets[0],
        };
        for tool in TOOLS {
            let printed = match tool.method {
                SetupMethod::Dialog(template) => fill_template(template, &commands),
                SetupMethod::Files(files) => files.preview(&machine, &targets),
            };
            assert!(!printed.is_empty(), "{}", tool.name);
            assert_eq!(
                words_in_braces(&printed),
                [""; 0],
                "{}: {printed}",
                tool.name
            );
        }
    }
}

/// A backup is put back only where the user's part still says the same.
#[test]
fn ownership_tells_the_users_part_and_its_origin() {
    let whole = FileOwnership::WholeFile("mark");
    assert_eq!(whole.users_part("a mark").unwrap(), None);
    assert_eq!(whole.users_part("mine").unwrap().as_deref(), Some("mine"));
    assert!(whole.is_backup_of("mine", None));
    assert!(!whole.is_backup_of("a mark", None) && !whole.is_backup_of("mine", Some("mine")));
    let part = FileOwnership::Part {
        users_part: |text| Ok(Some(text.replace("ours", ""))),
        is_equivalent: |one, other| one.trim() == other.trim(),
    };
    assert_eq!(part.users_part("ours a").unwrap().as_deref(), Some(" a"));
    assert!(part.is_backup_of("a\n", Some(" a")) && !part.is_backup_of("b", Some("a")));
}
