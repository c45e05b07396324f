//! When a request is due: by the index, the passfile, and the failures before.
//!
//! The authority is the fake one, the clock is pretended, and cache and passfile are in a directory
//! of the test.

use super::*;
use crate::issue::tests::{Bench, MINUTE, START, request};
use crate::issue::{IssueOptions, IssuedToken};
use crate::passfile::block::PassfileLine;
use crate::provider::fake::control as fake;
use crate::time::pretend;

/// Issues a token of a request, and writes it into a passfile under these addresses.
fn filed(bench: &Bench, request: Request, lines: &[PassfileLine]) -> IssuedToken {
    let path = bench.passfile();
    let options = IssueOptions {
        for_passfile: true,
        ..IssueOptions::default()
    };
    let issued = bench.issue_with(&request, options).unwrap();
    let mut passfile = Passfile::parse_or_new(std::fs::read(&path).ok().as_deref()).unwrap();
    for line in lines {
        passfile.set(line.clone(), &issued.token).unwrap();
    }
    fs::write_unsynced(&path, &passfile.render()).unwrap();
    let tokens = [(request, issued)];
    bench.issuer().record_in_passfile(&path, &tokens);
    let [(_, issued)] = tokens;
    issued
}

fn due(bench: &Bench, request: &Request) -> Time {
    let mut issuer = bench.issuer();
    let view = issuer.view(&bench.passfile());
    issuer.due(request, view.as_ref())
}

fn is_kept(bench: &Bench, request: Request) -> bool {
    let mut requests = vec![request];
    bench.issuer().retain_due(&mut requests, &bench.passfile());
    !requests.is_empty()
}

#[test]
fn a_token_in_the_passfile_is_due_when_it_is_stale() {
    let bench = Bench::new();
    let of_a = || request("a", None);
    assert_eq!(due(&bench, &of_a()), START);
    assert!(is_kept(&bench, of_a()));
    filed(&bench, of_a(), &[of_a().passfile_line()]);
    let stale = START.plus(10 * MINUTE);
    assert_eq!(due(&bench, &of_a()), stale);
    pretend(START.plus(10 * MINUTE - 1));
    assert!(!is_kept(&bench, of_a()));
    pretend(stale);
    assert!(is_kept(&bench, of_a()));
    pretend(stale.plus(MINUTE));
    assert_eq!(due(&bench, &of_a()), stale.plus(MINUTE));
}

/// The tokens of the fake authority do not say when they were made.
#[test]
fn the_times_of_a_token_in_the_passfile_are_those_of_the_index() {
    let bench = Bench::new();
    let of_a = || request("a", None);
    filed(&bench, of_a(), &[of_a().passfile_line()]);
    let view = bench.issuer().view(&bench.passfile()).unwrap();
    let times = view.times(&of_a()).unwrap();
    assert_eq!(times.issued_at, Some(START));
    assert_eq!(times.fresh_until, Some(START.plus(10 * MINUTE)));
    assert_eq!(times.expires_at, START.plus(15 * MINUTE));
}

#[test]
fn a_line_that_is_missing_or_holds_another_token_is_due_now() {
    let bench = Bench::new();
    let alias = PassfileLine {
        host: "alias".to_owned(),
        ..request("a", None).passfile_line()
    };
    let with_alias = || Request {
        aliases: vec![alias.clone()],
        ..request("a", None)
    };
    let own = with_alias().passfile_line();
    filed(&bench, with_alias(), std::slice::from_ref(&own));
    assert_eq!(due(&bench, &with_alias()), START);
    fake::reset();
    let bench = Bench::new();
    let issued = filed(&bench, with_alias(), &[own.clone(), alias.clone()]);
    assert_eq!(due(&bench, &with_alias()), START.plus(10 * MINUTE));
    let mut passfile = Passfile::default();
    passfile.set(own, &issued.token).unwrap();
    let (issued_at, expires_at) = (issued.token.issued_at, issued.token.expires_at);
    let other = crate::token::Token::new("other".to_owned(), issued_at, expires_at);
    passfile.set(alias.clone(), &other).unwrap();
    fs::write_unsynced(&bench.passfile(), &passfile.render()).unwrap();
    assert_eq!(due(&bench, &with_alias()), START);
}

#[test]
fn a_longer_token_stays_until_a_new_one_would_outlast_it() {
    let bench = Bench::new();
    let longer = Request {
        lifetime_seconds: 60 * MINUTE,
        ..request("a", None)
    };
    let own = longer.passfile_line();
    filed(&bench, longer, &[own]);
    assert_eq!(due(&bench, &request("a", None)), START.plus(45 * MINUTE));
    pretend(START.plus(46 * MINUTE));
    assert_eq!(due(&bench, &request("a", None)), START.plus(46 * MINUTE));
    // Another profile has signed it, so it is no token of this request.
    pretend(START);
    assert_eq!(due(&bench, &request("a", Some("other"))), START);
}

#[test]
fn a_failure_puts_the_time_off_but_not_the_report() {
    let bench = Bench::new();
    let of_a = || request("a", None);
    fake::fail_with(Some(crate::error::Error::failure("no answer")));
    assert!(bench.issue(&of_a()).is_err());
    assert_eq!(due(&bench, &of_a()), START.plus(10));
    assert!(is_kept(&bench, of_a()));
    fake::log_in_elsewhere();
    assert_eq!(due(&bench, &of_a()), START);
}

#[test]
fn the_first_of_several_decides_and_a_damaged_block_makes_all_due() {
    let bench = Bench::new();
    let all = || [request("a", None), request("b", None)];
    let path = bench.passfile();
    assert_eq!(bench.issuer().first_due(&[], &path), None);
    let [a, b] = all();
    let own = a.passfile_line();
    filed(&bench, a, &[own]);
    pretend(START.plus(MINUTE));
    let own = b.passfile_line();
    filed(&bench, b, &[own]);
    let first = Some(START.plus(10 * MINUTE));
    assert_eq!(bench.issuer().first_due(&all(), &path), first);
    let [a, b] = all();
    assert_eq!(bench.issuer().first_due(&[b, a], &path), first);
    let text = std::fs::read_to_string(&path).unwrap();
    let last_line = text.trim_end().rfind('\n').unwrap();
    fs::write_unsynced(&path, &text.as_bytes()[..=last_line]).unwrap();
    assert!(PassfileView::read(&path, &bench.cache()).is_none());
}
