//! Everybody is asked, and a login that is missing is done where the user may be asked.

use std::time::Duration;

use super::*;
use crate::command::discover::scope::ScopeOptions;
use crate::config::Config;
use crate::provider::fake::catalog::{FakeCatalog, database};
use crate::provider::fake::control;

/// Asks with every profile, and returns how many databases each one lists.
fn ask_all(is_user_there: bool) -> Vec<(String, Option<usize>)> {
    let mut policy = control::policy();
    policy.terminal = is_user_there;
    let context = SearchContext {
        listing_authorities: &[ListingAuthority::fake()],
        config: &Config::default(),
        ask_policy: &policy,
        deadline: Instant::now() + Duration::from_secs(5),
    };
    let options = ScopeOptions {
        profile: vec!["*".to_owned()],
        ..ScopeOptions::default()
    };
    let mut found = Vec::new();
    for answer in ask_catalogs(options.questions(context).unwrap(), context, Output::SILENT) {
        let listed = match &answer.listing {
            Ok(listed) => Some(listed.databases.len()),
            Err(_) => None,
        };
        found.push((answer.profile().unwrap().to_owned(), listed));
    }
    found
}

fn catalog() -> FakeCatalog {
    let mut catalog = FakeCatalog::in_regions(Some("r"), &["r"]);
    catalog.databases.push(database("a", "r", "a.fake.invalid"));
    catalog
}

#[test]
fn every_profile_answers_in_its_place() {
    control::reset();
    let mut expected = Vec::new();
    for number in 0..40 {
        let profile = format!("p{number:02}");
        control::put_catalog(&profile, catalog());
        expected.push((profile, Some(1)));
    }
    assert_eq!(ask_all(false), expected);
}

#[test]
fn a_login_is_done_where_the_user_may_be_asked() {
    control::reset();
    let mut out = catalog();
    out.needs_login = true;
    control::put_catalog("dev", catalog());
    control::put_catalog("out", out);
    let of = |listed| vec![("dev".to_owned(), Some(1)), ("out".to_owned(), listed)];
    assert_eq!(ask_all(false), of(None));
    assert_eq!(ask_all(true), of(Some(1)));
}

#[test]
fn a_profile_without_a_region_says_so() {
    control::reset();
    control::put_catalog("dev", FakeCatalog::in_regions(None, &["r"]));
    // An authority without regions is asked all the same.
    control::put_catalog("none", FakeCatalog::in_regions(None, &[]));
    let expected = [("dev".to_owned(), None), ("none".to_owned(), Some(0))];
    assert_eq!(ask_all(false), expected);
}
