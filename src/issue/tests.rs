//! Issuing, run on the fake authority with a fake clock: what the cache answers, what is resolved
//! once, what a failure costs, and what is renewed besides.

use tempfile::TempDir;

use super::*;
use crate::cache::TokenLocation;
use crate::provider;
use crate::provider::fake::control::{self as fake, SAME_PREFIX, policy};
use crate::time::pretend;

pub(crate) const START: Time = Time::from_unix(1_800_000_000);
pub(crate) const MINUTE: u32 = 60;

/// A user's cache directory. The fake has seen nothing, and the clock is at its start.
pub(crate) struct Bench {
    home: TempDir,
}

impl Bench {
    pub(crate) fn new() -> Self {
        pretend(START);
        fake::reset();
        Self {
            home: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn passfile(&self) -> std::path::PathBuf {
        self.home.path().join("pgpass")
    }

    pub(crate) fn cache(&self) -> Cache {
        Cache::in_directory(&self.home.path().join("cache"))
    }

    pub(crate) fn issuer(&self) -> Issuer {
        self.issuer_with(policy())
    }

    fn issuer_with(&self, ask_policy: AskPolicy) -> Issuer {
        Issuer::new(ask_policy, Some(self.cache()))
    }

    /// Issues in a run of its own.
    pub(crate) fn issue(&self, request: &Request) -> Result<IssuedToken> {
        self.issue_with(request, IssueOptions::default())
    }

    pub(crate) fn issue_with(
        &self,
        request: &Request,
        options: IssueOptions,
    ) -> Result<IssuedToken> {
        self.issuer()
            .issue(request, options, |_| std::iter::empty())
    }
}

pub(crate) fn request(host: &str, profile: Option<&str>) -> Request {
    let host = format!("{host}.fake.invalid");
    Request {
        connection: None,
        provider: provider::find_by_host(&host).expect("the provider is in the table"),
        sign_host: host.clone(),
        host,
        sign_port: 5432,
        port: 5432,
        user: "guest".to_owned(),
        dbname: "postgres".to_owned(),
        keywords: Vec::new(),
        target_has_address: false,
        roots: None,
        region: None,
        profile: profile.map(str::to_owned),
        aliases: Vec::new(),
        lines_of_others: Vec::new(),
        vars: Vec::new(),
        lifetime_seconds: 15 * MINUTE,
    }
}

const FRESH: IssueOptions = IssueOptions {
    min_valid: 0,
    fresh: true,
    for_passfile: false,
    ends_pause: false,
};

#[test]
fn a_provider_of_another_authority_is_in_every_text_that_lists_providers() {
    assert!(provider::names("|").contains("|fake|"));
    assert!(provider::titles().contains(", Fake, "));
    assert_eq!(request("a", None).provider.source_type(), "fake-fake");
}

#[test]
fn a_fresh_token_comes_from_the_cache_and_a_stale_one_is_renewed() {
    let bench = Bench::new();
    let request = request("a", None);
    let first = bench.issue(&request).unwrap();
    assert_eq!(
        first.token.expose(),
        "fake-service/enter/guest@a.fake.invalid#1"
    );
    assert!(!first.is_cached && !first.is_cut_short && first.region.is_none());
    pretend(START.plus(10 * MINUTE - 1));
    let again = bench.issue(&request).unwrap();
    assert!(again.is_cached && again.region.is_none());
    assert_eq!(again.token.expose(), first.token.expose());
    pretend(START.plus(10 * MINUTE));
    assert!(!bench.issue(&request).unwrap().is_cached);
    assert_eq!(fake::signed(), 2);
}

#[test]
fn min_valid_and_fresh_are_not_answered_from_the_cache() {
    let bench = Bench::new();
    let request = request("a", None);
    bench.issue(&request).unwrap();
    pretend(START.plus(MINUTE));
    let longer = IssueOptions {
        min_valid: 15 * MINUTE,
        ..IssueOptions::default()
    };
    assert!(!bench.issue_with(&request, longer).unwrap().is_cached);
    pretend(START.plus(2 * MINUTE));
    assert!(!bench.issue_with(&request, FRESH).unwrap().is_cached);
    assert_eq!(fake::signed(), 3);
}

#[test]
fn without_a_cache_every_token_is_new_and_nothing_is_kept() {
    let bench = Bench::new();
    let request = request("a", None);
    for _ in 0..2 {
        let mut issuer = Issuer::new(policy(), None);
        let others =
            |_: &CacheIndex| -> std::vec::IntoIter<Request> { panic!("others were asked for") };
        let token = issuer.issue(&request, IssueOptions::default(), others);
        assert!(!token.unwrap().is_cached);
    }
    assert_eq!(fake::resolved().len(), 2);
    assert!(!bench.home.path().join("cache").exists());
}

#[test]
fn profiles_of_one_identity_share_the_lock_and_the_credentials() {
    let bench = Bench::new();
    let mut issuer = bench.issuer();
    let name = format!("{SAME_PREFIX}one");
    for profile in [None, Some(&*name), Some("other")] {
        for host in ["a", "b"] {
            let request = request(host, profile);
            let token = issuer.issue(&request, FRESH, |_| std::iter::empty());
            assert!(token.is_ok());
        }
    }
    let resolved = fake::resolved();
    assert_eq!(resolved.len(), 2);
    assert_ne!(resolved[0], resolved[1]);
    // The lock is held until the run ends.
    let identity = fake::identity(None);
    let cache = Cache::in_directory(&bench.home.path().join("cache"));
    assert!(cache.lock(&*identity, Duration::ZERO).is_err());
    drop(issuer);
    assert!(cache.lock(&*identity, Duration::ZERO).is_ok());
}

#[test]
fn a_failure_is_repeated_until_the_pause_is_over() {
    let bench = Bench::new();
    let request = request("a", None);
    fake::fail_with(Some(Error::failure("no answer")));
    assert_eq!(error(bench.issue(&request)), "no answer");
    fake::fail_with(None);
    pretend(START.plus(9));
    let repeated = error(bench.issue(&request));
    assert!(
        repeated.starts_with("no answer (") && repeated.contains("9 s ago"),
        "{repeated}"
    );
    assert_eq!(fake::resolved().len(), 1);
    pretend(START.plus(10));
    assert!(bench.issue(&request).is_ok());
    // A success forgets the failure.
    let index = bench.issuer().cache().unwrap().index();
    assert!(index.failures.is_empty());
}

#[test]
fn a_login_and_fresh_end_the_pause() {
    for login in [true, false] {
        let bench = Bench::new();
        let request = request("a", None);
        fake::fail_with(Some(Error::login("the login has expired")));
        assert!(bench.issue(&request).is_err());
        fake::fail_with(None);
        pretend(START.plus(1));
        let issued = if login {
            fake::log_in_elsewhere();
            bench.issue(&request)
        } else {
            bench.issue_with(&request, FRESH)
        };
        assert!(issued.is_ok(), "login: {login}");
    }
}

#[test]
fn a_run_that_can_prompt_asks_again_unless_another_one_just_did() {
    let bench = Bench::new();
    let request = request("a", None);
    fake::fail_with(Some(Error::login("the login has expired")));
    assert!(bench.issue(&request).is_err());
    let ask_policy = AskPolicy {
        terminal: true,
        ..policy()
    };
    pretend(START.plus(1));
    let mut prompting = bench.issuer_with(ask_policy.clone());
    let mut waiting = bench.issuer_with(ask_policy);
    assert!(
        prompting
            .issue(&request, IssueOptions::default(), |_| std::iter::empty())
            .is_err()
    );
    assert_eq!(fake::resolved().len(), 2);
    drop(prompting);
    // This one has begun before that prompt: its user has just been asked.
    pretend(START.plus(2));
    let repeated = error(waiting.issue(&request, IssueOptions::default(), |_| std::iter::empty()));
    assert!(repeated.contains("1 s ago"), "{repeated}");
    assert_eq!(fake::resolved().len(), 2);
}

#[test]
fn a_stale_token_is_better_than_an_error_while_it_lasts() {
    let bench = Bench::new();
    let request = request("a", None);
    bench.issue(&request).unwrap();
    fake::fail_with(Some(Error::failure("no answer")));
    pretend(START.plus(12 * MINUTE));
    let mut issuer = bench.issuer();
    let old = issuer
        .issue(&request, IssueOptions::default(), |_| std::iter::empty())
        .unwrap();
    assert!(old.is_cached);
    let warnings = issuer.take_warnings();
    assert_eq!(
        warnings,
        ["no answer; the previous token is good for 3 min more"]
    );
    drop(issuer);
    pretend(START.plus(15 * MINUTE - MIN_STALE_LIFETIME_SECONDS));
    assert!(bench.issue(&request).is_ok());
    pretend(START.plus(15 * MINUTE - MIN_STALE_LIFETIME_SECONDS + 1));
    assert!(bench.issue(&request).is_err());
}

#[test]
fn a_setting_that_is_in_the_way_is_an_error_for_a_user_who_asks_for_a_new_token() {
    let bench = Bench::new();
    let request = request("a", None);
    bench.issue(&request).unwrap();
    fake::fail_with(Some(Error::usage("there is no such profile")));
    pretend(START.plus(MINUTE));
    assert_eq!(
        error(bench.issue_with(&request, FRESH)),
        "there is no such profile"
    );
}

#[test]
fn a_token_ends_with_the_credentials() {
    let bench = Bench::new();
    let request = request("a", None);
    fake::let_credentials_expire_at(Some(START.plus(4 * MINUTE)));
    let issued = bench.issue(&request).unwrap();
    assert!(issued.is_cut_short);
    assert_eq!(issued.token.expires_at, START.plus(4 * MINUTE));
    let longer = IssueOptions {
        min_valid: 5 * MINUTE,
        ..IssueOptions::default()
    };
    let error = bench.issue_with(&request, longer).err().unwrap();
    assert_eq!(error.exit(), Exit::Login);
    assert_eq!(
        error.to_string(),
        "cannot issue a token for guest@a.fake.invalid:5432 that lasts 5 min: \
         the credentials expire in 4 min"
    );
    assert_eq!(
        error.hint_text(),
        Some(
            "run `pgcred login --provider fake`, then try again, or ask for less with --min-valid"
        )
    );
}

#[test]
fn credentials_that_are_good_for_one_scope_are_resolved_for_each() {
    let bench = Bench::new();
    fake::sign_one_scope();
    let mut issuer = bench.issuer();
    let (a, b) = (request("a", None), request("b", None));
    for one in [&a, &b, &a] {
        let others = [request("a", None), request("b", None)];
        issuer.issue(one, FRESH, |_| others.into_iter()).unwrap();
    }
    let resolved = fake::resolved();
    assert_eq!(resolved.len(), 2, "{resolved:?}");
    assert_ne!(resolved[0], resolved[1]);
    drop(issuer);
    // A failure of one scope is no failure of the other.
    pretend(START.plus(MINUTE));
    fake::fail_with(Some(Error::failure("no answer")));
    assert!(bench.issue_with(&a, FRESH).is_ok(), "the old token lasts");
    fake::fail_with(None);
    assert_eq!(fake::resolved().len(), 3);
    bench.issue_with(&b, FRESH).unwrap();
    assert_eq!(fake::resolved().len(), 4);
}

#[test]
fn other_connections_of_the_identity_that_are_due_are_renewed_besides() {
    let bench = Bench::new();
    let name = format!("{SAME_PREFIX}one");
    let fresh = request("fresh", None);
    bench.issue(&fresh).unwrap();
    let all = [
        request("a", None),
        request("b", Some(&name)),
        request("c", Some("other")),
        request("fresh", None),
    ];
    pretend(START.plus(1));
    let others = |_: &CacheIndex| all.into_iter();
    let issued = bench
        .issuer()
        .issue(&request("a", None), IssueOptions::default(), others);
    assert!(!issued.unwrap().is_cached);
    assert_eq!(fake::signed(), 3);
    let signed_before = fake::signed();
    assert!(bench.issue(&request("b", Some(&name))).unwrap().is_cached);
    assert_eq!(fake::signed(), signed_before);
    assert!(!bench.issue(&request("c", Some("other"))).unwrap().is_cached);
}

#[test]
fn renewal_of_others_is_bounded() {
    let bench = Bench::new();
    let others = |_: &CacheIndex| (0..200).map(|number| request(&format!("h{number}"), None));
    bench
        .issuer()
        .issue(&request("a", None), IssueOptions::default(), others)
        .unwrap();
    assert_eq!(
        usize::try_from(fake::signed()).unwrap(),
        1 + renew::MAX_RENEWED
    );
    // Requests that are not looked at are not even made.
    pretend(START.plus(60 * MINUTE));
    let made = std::cell::Cell::new(0);
    let others = |_: &CacheIndex| {
        (0..5_000).map(|_| {
            made.set(made.get() + 1);
            request("c", Some("other"))
        })
    };
    bench
        .issuer()
        .issue(&request("a", None), IssueOptions::default(), others)
        .unwrap();
    assert_eq!(made.get(), renew::MAX_LOOKED_AT);
}

#[test]
fn a_login_in_the_run_files_the_token_under_the_new_state() {
    let bench = Bench::new();
    let request = request("a", None);
    fake::log_in_while_asked();
    bench.issue(&request).unwrap();
    assert!(bench.issue(&request).unwrap().is_cached);
    fake::log_in_elsewhere();
    assert!(!bench.issue(&request).unwrap().is_cached);
}

#[test]
fn identities_share_the_time_of_a_run() {
    let bench = Bench::new();
    let mut issuer = bench.issuer();
    issuer.share_time(2);
    let started = Instant::now();
    for profile in ["one", "two"] {
        let request = request("a", Some(profile));
        issuer
            .issue(&request, FRESH, |_| std::iter::empty())
            .unwrap();
    }
    let [first, second] = fake::deadlines()[..] else {
        panic!("two identities were resolved")
    };
    let half = policy().timeout / 2;
    assert!(first >= started && first <= started + half + Duration::from_millis(500));
    assert!(second > first);
}

#[test]
fn a_token_for_the_passfile_is_not_sealed_into_the_cache() {
    let bench = Bench::new();
    let request = request("a", None);
    let options = IssueOptions {
        for_passfile: true,
        ..IssueOptions::default()
    };
    let token = bench.issue_with(&request, options).unwrap();
    assert!(!bench.issue_with(&request, options).unwrap().is_cached);
    let path = bench.home.path().join("passfile");
    tempfile::NamedTempFile::new_in(bench.home.path())
        .unwrap()
        .persist(&path)
        .unwrap();
    let mut issuer = bench.issuer();
    issuer.record_in_passfile(&path, &[(request, token)]);
    let index = issuer.cache().unwrap().index();
    assert_eq!(index.passfiles.iter().collect::<Vec<_>>(), [&path]);
    let record = index.records.values().next().expect("a record");
    assert_eq!(record.location, TokenLocation::Passfile(path));
}

#[test]
fn every_decision_is_shown_to_those_who_ask() {
    use std::cell::RefCell;
    thread_local!(static SHOWN: RefCell<Vec<String>> = RefCell::default());
    let bench = Bench::new();
    let ask_policy = AskPolicy {
        trace: Some(|text| SHOWN.with_borrow_mut(|shown| shown.push(text.to_owned()))),
        ..policy()
    };
    let request = request("a", None);
    let shown = |expected: &[&str]| {
        let mut issuer = bench.issuer_with(ask_policy.clone());
        let _ = issuer.issue(&request, IssueOptions::default(), |_| std::iter::empty());
        let steps = SHOWN.take();
        for part in expected {
            assert!(
                steps.iter().any(|step| step.contains(part)),
                "{part}: {steps:#?}"
            );
        }
        steps
    };
    fake::fail_with(Some(Error::failure("no answer")));
    shown(&[
        "none is known",
        "lock: taken",
        "pause: none, no failure",
        "failed after",
        "no answer",
        "pause: begins, until 2027-01-15T08:00:10Z",
    ]);
    fake::fail_with(None);
    shown(&[
        "pause: after failure 1",
        "until 2027-01-15T08:00:10Z or the next login",
    ]);
    fake::log_in_elsewhere();
    fake::let_credentials_expire_at(Some(START.plus(5 * MINUTE)));
    shown(&[
        "the user may have logged in since",
        "credentials: resolved",
        "because the credentials expire then",
        "is stored",
    ]);
    assert_eq!(
        shown(&[
            "the test decides who signs",
            "for identity ",
            "issued 0 s ago",
            "expires in 5 min",
            ": used"
        ])
        .len(),
        2
    );
    pretend(START.plus(4 * MINUTE));
    shown(&["it has been stale since"]);
    pretend(START.plus(20 * MINUTE));
    shown(&["it expired at"]);
}

fn error(result: Result<IssuedToken>) -> String {
    match result {
        Ok(_) => panic!("a token was issued"),
        Err(error) => error.to_string(),
    }
}
