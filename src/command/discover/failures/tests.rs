//! What was not answered is one line for each profile, and the exit code follows from all.

use super::*;
use crate::authority::{CompleteListing, FoundDatabase, NoAnswer, Region};
use crate::command::discover::scope::ListingAuthority;
use crate::provider::fake::catalog::database;

fn answer(profile: &str, regions: &[&str]) -> ProfileAnswer {
    let mut asked = Vec::new();
    for region in regions {
        asked.push(Region::from_trusted_name(*region));
    }
    ProfileAnswer {
        listing_authority: ListingAuthority::fake(),
        profiles: vec![Some(profile.to_owned())],
        regions: asked,
        listing: Ok(CatalogAnswer::default()),
    }
}

fn failing(regions: &[&str], failures: &[(&str, &str, NoAnswerReason)]) -> ProfileAnswer {
    let mut answer = answer("dev", regions);
    let mut listed = CatalogAnswer::default();
    for (region, question, why) in failures {
        listed.failures.push(FailedListing {
            region: Region::from_trusted_name(*region),
            question: (*question).to_owned(),
            no_answer: NoAnswer::new(*why, Error::failure(format!("{question} in {region}: bad"))),
        });
    }
    answer.listing = Ok(listed);
    answer
}

fn lines(answers: &[ProfileAnswer]) -> Vec<String> {
    let errors = errors_of_answers(answers);
    errors.iter().map(ToString::to_string).collect()
}

#[test]
fn a_line_sums_up_what_failed() {
    use NoAnswerReason::{KeyUnknown, NotAllowed, RegionOff, Unreachable};
    let answer = failing(
        &["a", "b", "c", "d", "e"],
        &[
            ("a", "X", RegionOff),
            ("a", "Y", RegionOff),
            ("b", "X", KeyUnknown),
            ("c", "X", NotAllowed),
            ("c", "Y", NotAllowed),
            ("d", "X", NotAllowed),
            ("d", "Y", Unreachable),
            ("e", "Z", Unreachable),
        ],
    );
    assert_eq!(
        lines(&[answer]),
        ["dev: a, b: not enabled; c: not allowed: X, Y; d: not allowed: X; d, e: Y: bad"]
    );
    assert!(lines(&[self::answer("dev", &["a"])]).is_empty());
}

#[test]
fn an_error_names_its_profile_once() {
    let mut failed = answer("dev", &["a"]);
    for (text, line) in [
        ("profile `dev`: no login", "profile `dev`: no login"),
        ("no network", "dev: no network"),
    ] {
        failed.listing = Err(NoAnswer::new(
            NoAnswerReason::LoginNeeded,
            Error::login(text),
        ));
        assert_eq!(lines(std::slice::from_ref(&failed)), [line]);
    }
    assert_eq!(
        exit_of_errors(&errors_of_answers(&[failed])),
        Some(Exit::Login)
    );
    assert_eq!(exit_of_errors(&[Error::failure("x")]), None);
}

#[test]
fn a_run_is_told_something_if_a_region_or_a_database_is_there() {
    let off = NoAnswerReason::RegionOff;
    let mut in_part = failing(&["a", "b"], &[("a", "X", off)]);
    if let Ok(listed) = &mut in_part.listing {
        listed.complete_listings.push(CompleteListing {
            region: Region::from_trusted_name("a"),
            service: "y",
        });
    }
    assert!(is_anything_listed(&[in_part]));
    let mut nothing = failing(&["a"], &[("a", "X", off)]);
    assert!(!is_anything_listed(std::slice::from_ref(&nothing)));
    let found: FoundDatabase = database("x", "a", "x.fake.invalid");
    if let Ok(listed) = &mut nothing.listing {
        listed.databases.push(found);
    }
    assert!(is_anything_listed(&[nothing]));
    assert!(!is_anything_listed(&[]));
}
