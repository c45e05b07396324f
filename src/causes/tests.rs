//! Tests of the whole table: its form, the messages that it recognises, and its page.
//!
//! The messages stand in `tests/vectors/messages.txt`, each with the causes that have to come
//! first. With `PGCRED_TEST_DRAW` the page, `README.md`, is written anew from the table.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use proptest::prelude::*;

use super::*;

/// What clients and servers say, each with the causes that have to come first.
const MESSAGES: &str = include_str!("../../tests/vectors/messages.txt");

/// The names of the placeholders.
const NAMES: [&str; 10] = [
    "target", "host", "port", "user", "user.sql", "profile", "region", "tool", "role", "file",
];

/// Causes that people met most often before there was this table. None may get lost.
const KNOWN: &str = "tls.off tls.roots.rds token.pasted tool.path token.endpoint aws.expired clock \
    token.cut role.rds_iam.inherited aws.tls role.rds_iam.missing aws.login tool.snap tls.proxy \
    iam.rds.resource tool.jdbc.empty net.dns passfile.bom tls.sni net.ipv6 rds.iam.throttle \
    role.case iam.role.path dsql.action iam.dsql dsql.mapping dsql.role dsql.rbp dsql.state \
    dsql.limits dsql.param rds.iam.off rds.state net.blocked net.refused region aws.none \
    aws.stale.env aws.account rds.proxy.signed rds.proxy.secret rds.proxy.method rds.krb \
    rds.condition rds.replication env.password env.passfile passfile.mode passfile.shadow \
    passfile.key passfile.windows tool.flatpak tool.mac tls.rootfile tls.system.old tls.weak \
    tls.windows tls.name tls.alpn cli.v1 cache.key schedule";

/// A line of the messages: the causes, the program, and what it says.
fn messages() -> Vec<(Vec<&'static str>, String)> {
    let mut found = Vec::new();
    for line in MESSAGES.lines() {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let mut fields = line.splitn(3, " | ");
        let mut field = || fields.next().expect("three fields");
        let (causes, _program, message) = (field(), field(), field());
        let causes = causes.split(' ').collect();
        found.push((causes, message.replace("\\n", "\n").replace("\\t", "\t")));
    }
    found
}

#[test]
fn the_table_has_each_cause_once() {
    let ids: Vec<&str> = all_causes().map(|cause| cause.id).collect();
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len());
    assert!(ids.len() >= 120, "{}", ids.len());
    for id in ids {
        let is_of_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._".contains(c);
        assert!(id.chars().all(is_of_id), "{id}");
        assert_eq!(find_by_id(id).map(|cause| cause.id), Some(id));
    }
    assert!(find_by_id("tls").is_none());
    for id in KNOWN.split_whitespace() {
        assert!(unique.contains(id), "{id} is not in the table");
    }
    assert_eq!(KNOWN.split_whitespace().count(), 62);
}

#[test]
fn causes_are_told_in_plain_sentences() {
    for cause in all_causes() {
        let (id, title) = (cause.id, cause.title);
        assert!(title.len() <= 80 && !title.ends_with('.'), "{id}: {title}");
        for text in [
            cause.meaning(None),
            cause.advice(&CausePlaceholders::default()),
            cause.meaning(Some("another")),
        ] {
            assert!(text.ends_with('.') && text.len() <= 330, "{id}: {text}");
            assert!(!text.contains("  "), "{id}: {text}");
        }
        match cause.detection {
            CauseDetection::Checks(checks) => assert!(!checks.is_empty(), "{id}"),
            CauseDetection::None(why) => assert!(why.len() > 20 && !why.ends_with('.'), "{id}"),
        }
    }
}

/// A sentence is true of AWS's servers alone if it names one of these.
const WORDS_OF_AWS: [&str; 15] = [
    "aws",
    "amazon",
    "amazonaws",
    "aurora",
    "rds",
    "dsql",
    "iam",
    "arn",
    "sso",
    "sts",
    "vpc",
    "privatelink",
    "cloudshell",
    "boto3",
    "s3",
];

#[test]
fn users_of_another_authority_are_told_nothing_of_aws() {
    let known = CausePlaceholders {
        authority: Some("another"),
        ..CausePlaceholders::default()
    };
    let (mut count, mut told) = (0, Vec::new());
    for cause in all_causes().filter(|cause| cause.is_for(known.authority)) {
        count += 1;
        let mut texts = cause.commands(&known);
        texts.push(cause.title.to_owned());
        texts.push(cause.meaning(known.authority));
        texts.push(cause.advice(&known));
        for text in texts {
            let text = text.to_lowercase();
            for word in text.split(|c: char| !c.is_ascii_alphanumeric()) {
                if WORDS_OF_AWS.contains(&word) {
                    told.push(format!("{}: {text}", cause.id));
                }
            }
        }
    }
    assert!(told.is_empty(), "{told:#?}");
    assert!(count > 60, "{count}");
    for id in ["aws.login", "dsql.state", "region", "tls.roots.rds"] {
        let cause = find_by_id(id).expect("a row");
        assert!(!cause.is_for(known.authority), "{id}");
        assert!(cause.is_for(Some("aws")) && cause.is_for(None), "{id}");
    }
}

/// What a text names that only tokens of AWS have, in other words than those above.
const FACTS_OF_AWS: [&str; 4] = ["350 to", "a token has", "five minutes", "15 minutes"];

#[test]
fn users_of_another_authority_are_told_no_fact_of_a_token_of_aws() {
    let mut of_aws = 0;
    for cause in all_causes().filter(|cause| cause.is_for(Some("another"))) {
        let told = cause.meaning(Some("another")).to_lowercase();
        let told_to_aws = cause.meaning(Some("aws")).to_lowercase();
        for fact in FACTS_OF_AWS {
            assert!(!told.contains(fact), "{}: {told}", cause.id);
            of_aws += usize::from(told_to_aws.contains(fact));
        }
    }
    assert!(of_aws >= 2, "{of_aws}");
}

#[test]
fn a_message_is_explained_by_no_row_of_another_authority() {
    let ids = |authority| {
        let message = "FATAL: password authentication failed for user \"ann\"";
        let found = causes_of_message_for(message, authority).into_iter();
        found.map(|cause| cause.id).collect::<Vec<_>>()
    };
    assert!(ids(None).contains(&"role.rds_iam.missing"));
    assert_eq!(ids(Some("aws")), ids(None));
    assert_eq!(ids(Some("another")), ["env.password"]);
}

#[test]
fn every_addition_is_one_to_a_row_that_is_for_all() {
    for addition in additions::ADDITIONS {
        let cause = find_by_id(addition.cause).expect("a row");
        assert!(cause.is_for(Some("another")), "{}", cause.id);
        let (all, others) = (cause.meaning(Some("aws")), cause.meaning(Some("another")));
        let (does, words) = (cause.advice(&CausePlaceholders::default()), cause.fix);
        assert!(all != others || does != words, "{}", cause.id);
    }
}

#[test]
fn every_placeholder_is_known() {
    let mut used = BTreeSet::new();
    for cause in all_causes() {
        let additions = additions::additions_of(cause.id, None);
        let added = additions.flat_map(|addition| addition.templates);
        for template in cause.templates.iter().chain(added) {
            for part in template.split('{').skip(1) {
                let (name, _) = part.split_once('}').expect("the end of a placeholder");
                assert!(NAMES.contains(&name), "{}: {name}", cause.id);
                used.insert(name);
            }
        }
        for command in cause.commands(&CausePlaceholders::default()) {
            assert!(!command.contains(['{', '}', '\n']), "{command}");
        }
    }
    assert_eq!(used.len(), NAMES.len());
}

#[test]
fn fragments_have_the_form_of_messages() {
    for cause in all_causes() {
        for text in cause.texts {
            for fragment in text.fragments() {
                assert_eq!(text::normalise_message(fragment), fragment, "{}", cause.id);
                assert_eq!(fragment.trim(), fragment, "{}", cause.id);
                assert!(fragment.len() > 2, "{}: {fragment}", cause.id);
            }
        }
    }
}

#[test]
fn messages_lead_to_their_causes() {
    let messages = messages();
    assert!(messages.len() > 400, "{}", messages.len());
    for (causes, message) in &messages {
        let found: Vec<&str> = causes_of_message(message)
            .iter()
            .map(|cause| cause.id)
            .collect();
        assert!(found.starts_with(causes), "{message}: {found:?}");
        let shouted = message.to_uppercase().replace(' ', " \n ");
        let again: Vec<&str> = causes_of_message(&shouted)
            .iter()
            .map(|cause| cause.id)
            .collect();
        assert_eq!(again, found, "{shouted}");
    }
}

/// A text that no message has could be wrong, and nobody would see it.
#[test]
fn every_text_is_in_a_message() {
    let messages = messages();
    let normal: Vec<String> = messages
        .iter()
        .map(|m| text::normalise_message(&m.1))
        .collect();
    let first: BTreeSet<&str> = messages.iter().flat_map(|m| m.0.clone()).collect();
    for cause in all_causes() {
        assert!(
            cause.texts.is_empty() || first.contains(cause.id),
            "no message leads to {}",
            cause.id
        );
        for text in cause.texts {
            let fits = |message: &String| text.likeness(message).is_some();
            let fragments: Vec<&str> = text.fragments().collect();
            assert!(normal.iter().any(fits), "{}: {fragments:?}", cause.id);
        }
    }
}

#[test]
fn an_unknown_text_has_no_cause() {
    for text in [
        "",
        " ",
        "it does not work",
        "ERROR: relation \"x\" does not exist",
    ] {
        assert!(causes_of_message(text).is_empty(), "{text}");
    }
    let late = "x".repeat(MAX_TEXT_LENGTH) + "PAM authentication failed";
    assert!(causes_of_message(&late).is_empty());
}

proptest! {
    #[test]
    fn any_text_has_at_most_three_causes(text in ".{0,300}", around in "\\PC{0,40}") {
        prop_assert!(causes_of_message(&text).len() <= MAX_ANSWERS);
        let message = format!("{around} Wrong user to action mapping {around}");
        let found = causes_of_message(&message);
        prop_assert!(found.iter().any(|cause| cause.id == "dsql.action"), "{message}");
    }
}

/// Returns the page that describes every cause.
fn page() -> String {
    let mut page = String::from(
        "# Why a login fails\n\n\
         Every cause that pgcred knows, by subject: what it means, and what to do. Words in\n\
         capital letters, such as TARGET, stand for your own. This page is written from the\n\
         table beside it:\n\
         `PGCRED_TEST_DRAW=1 cargo test --bin pgcred causes` writes it anew.\n",
    );
    let nothing = CausePlaceholders::default();
    for causes in TABLE {
        for cause in causes {
            let _ = write!(page, "\n## {}: {}\n\n", cause.id, cause.title);
            let _ = write!(
                page,
                "{}\n\n{}\n\n",
                cause.meaning(None),
                cause.advice(&nothing)
            );
            let commands = cause.commands(&nothing);
            if !commands.is_empty() {
                let _ = write!(page, "```sh\n{}\n```\n\n", commands.join("\n"));
            }
            if !cause.texts.is_empty() {
                let texts: Vec<String> = cause.texts.iter().map(told).collect();
                let _ = write!(page, "Messages: {}.\n\n", texts.join("; "));
            }
            let _ = match cause.detection {
                CauseDetection::Checks(checks) => {
                    writeln!(page, "Checks: `{}`.", checks.join("`, `"))
                }
                CauseDetection::None(why) => writeln!(page, "No check finds it: {why}."),
            };
        }
    }
    page
}

/// Returns a text for the page: its fragments, in the order in which they stand.
fn told(text: &CauseText) -> String {
    let fragments: Vec<String> = text.needed().map(|part| format!("`{part}`")).collect();
    fragments.join(" ... ")
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "a developer writes the page anew with it"
)]
fn the_page_is_complete() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/causes/README.md");
    let page = page();
    if std::env::var_os("PGCRED_TEST_DRAW").is_some() {
        std::fs::write(&file, &page).expect("a writable page");
    }
    let written = std::fs::read_to_string(&file).expect("the page");
    assert!(
        written.replace("\r\n", "\n") == page,
        "out of date: PGCRED_TEST_DRAW=1 cargo test --bin pgcred causes"
    );
}

/// The short table of the README and this one are about the same causes.
#[test]
fn the_readme_has_messages_of_causes_in_the_table() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
    let readme = std::fs::read_to_string(file).expect("the README");
    let (_, table) = readme.split_once("| the message |").expect("its table");
    let mut found = Vec::new();
    for row in table.lines().take_while(|line| !line.is_empty()) {
        let message = row.split('|').nth(1).unwrap_or_default();
        for part in message.split('`').skip(1).step_by(2) {
            let causes = causes_of_message(part);
            assert!(!causes.is_empty(), "no cause has the text `{part}`");
            found.push(causes[0].id);
        }
    }
    let expected = [
        "passfile.key",
        "dsql.denied",
        "token.expired",
        "dsql.action",
        "rds.pam",
        "role.rds_iam.missing",
        "tls.off",
        "tls.roots.rds",
        "tls.rootfile",
    ];
    assert_eq!(found, expected);
}
