//! Doctor for providers of another authority than AWS: no check may judge their logins as AWS's,
//! and no sentence may name AWS. `network/tests.rs` has the stages of the network.

use clap::FromArgMatches;

use super::check::Examine;
use super::*;
use crate::command::options::GlobalOptions;
use crate::command::preferences::Preferences;
use crate::config::Config;
use crate::error::{Error, ErrorReason};
use crate::issue::Issuer;
use crate::provider::Provider;
use crate::provider::fake::{self, control};

/// The stages that go to the network. `--aws` is a level of its own.
const OF_NETWORK: [&str; 3] = ["net.", "tls.", "login."];

/// What nobody is told who logs in to another authority.
const WORDS_OF_AWS: [&str; 9] = [
    "aws",
    "amazon",
    "amazonaws",
    "aurora",
    "rds",
    "dsql",
    "iam",
    "arn",
    "sso",
];

pub(super) fn request(provider: &'static Provider, host: &str) -> Request {
    Request {
        connection: None,
        provider,
        host: host.to_owned(),
        sign_host: host.to_owned(),
        sign_port: 5432,
        port: 5432,
        user: "guest".to_owned(),
        dbname: "postgres".to_owned(),
        keywords: Vec::new(),
        target_has_address: false,
        roots: None,
        region: None,
        profile: None,
        aliases: Vec::new(),
        lines_of_others: Vec::new(),
        vars: Vec::new(),
        lifetime_seconds: 900,
    }
}

/// Returns the ids of the checks of a target that make no connection, and of the one that issues
/// the token.
fn words() -> Vec<String> {
    let mut words = Vec::new();
    for check in checks::all_checks() {
        let is_of_target = matches!(check.examine, Examine::Target(_));
        let goes_out = OF_NETWORK.iter().any(|stage| check.id.starts_with(stage));
        let is_offline = check.level == CheckLevel::Offline;
        if is_of_target && (is_offline || !goes_out) && check.level != CheckLevel::Aws {
            words.push(check.id.to_owned());
        }
    }
    assert!(words.iter().any(|id| id == "token.issued"), "{words:?}");
    words
}

/// Carries out the checks, and returns them as `STATUS ID: DETAIL [CAUSE] TEXTS`.
pub(super) fn examined(request: Request, words: Vec<String>) -> Vec<String> {
    let command = <GlobalOptions as clap::Args>::augment_args(clap::Command::new("pgcred"));
    let options = GlobalOptions::from_arg_matches(&command.get_matches_from(["pgcred"]));
    let ask_policy = control::policy();
    let mut app = App {
        options: options.expect("the defaults"),
        issuer: Issuer::new(ask_policy.clone(), None),
        preferences: Preferences {
            output: Output {
                quiet: true,
                debug: false,
            },
            ask_policy,
            config: Config::default(),
            config_path: None,
            config_changed: None,
        },
    };
    forbid_questions(&mut app);
    let targets = [NamedTarget {
        name: "prod".to_owned(),
        request: Ok(request),
    }];
    let mut examination = Examination {
        only_authority: runner::only_authority(&targets),
        machine: Machine::current(None).expect("a home directory"),
        app: &mut app,
        deadline: Instant::now() + Duration::from_secs(20),
        level: CheckLevel::Network,
        has_targets: true,
        jobs: DoctorJobs::default(),
    };
    let selection = CheckSelection::parse(words).expect("the ids of checks");
    let mut lines = Vec::new();
    for outcome in runner::run_checks(&mut examination, &targets, &selection) {
        lines.push(in_words(&outcome));
    }
    lines
}

/// Returns all that the user reads of an outcome, which says nothing of AWS.
fn in_words(outcome: &CheckOutcome) -> String {
    let (mut id, mut title) = ("", "");
    if let Some(cause) = outcome.cause {
        (id, title) = (cause.id, cause.title);
    }
    let texts = format!(
        "{} {}: {} [{id}] {} {title} {:?} {:?} {:?}",
        outcome.status.as_str(),
        outcome.check.id,
        outcome.detail,
        outcome.check.about,
        outcome.meaning,
        outcome.advice,
        outcome.commands,
    );
    for word in texts
        .to_lowercase()
        .split(|c: char| !c.is_ascii_alphanumeric())
    {
        assert!(!WORDS_OF_AWS.contains(&word), "{word}: {texts}");
    }
    texts
}

pub(super) fn assert_has(lines: &[String], wanted: &str) {
    assert!(
        lines.iter().any(|line| line.starts_with(wanted)),
        "{wanted}: {lines:#?}"
    );
}

#[test]
fn a_login_of_another_authority_that_works_has_no_failure_of_its_own() {
    for (provider, host) in [
        (&fake::PROVIDER, "books.fake.invalid"),
        (&fake::WITHOUT_HOSTS, "db.example"),
    ] {
        control::reset();
        let lines = examined(request(provider, host), words());
        for line in &lines {
            let is_of_token = line.contains(" token.") || line.contains(" credentials.");
            assert!(!is_of_token || line.starts_with("ok"), "{line}");
        }
        assert_has(&lines, "ok token.issued: signed now");
        assert_has(&lines, &format!("ok token.host: signed for {host}"));
        assert_has(&lines, "ok token.region: ");
    }
}

#[test]
fn a_failure_of_another_authority_is_not_one_of_aws() {
    for error in [
        Error::login("nobody is logged in"),
        Error::usage("the profile has no such line"),
        Error::failure("no answer").because(ErrorReason::Unreachable),
        Error::failure("it ended with 1").because(ErrorReason::ProgramFailed),
        Error::failure("it refused").because(ErrorReason::Refused),
        Error::failure("it is not known").because(ErrorReason::NoProfile),
        Error::login("it has ended").because(ErrorReason::Expired),
    ] {
        control::reset();
        let wanted = format!("fail token.issued: {error}");
        control::fail_with(Some(error));
        let lines = examined(request(&fake::PROVIDER, "books.fake.invalid"), words());
        assert_has(&lines, &wanted);
    }
    control::reset();
}
