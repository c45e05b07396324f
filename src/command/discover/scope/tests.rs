//! Which profiles and regions are asked.

use std::time::{Duration, Instant};

use super::*;
use crate::provider::fake::catalog::FakeCatalog;
use crate::provider::fake::control;

const ALL: [&str; 3] = ["eu-south-1", "eu-west-1", "us-east-1"];

/// Returns what is asked: each profile with those like it, and its regions.
fn asked(options: &ScopeOptions, config: &str) -> Result<Vec<(String, String)>> {
    let config = Config::parse(config).unwrap();
    let context = SearchContext {
        authority: provider::authority_of(Some("fake")).unwrap(),
        config: &config,
        ask: &control::policy(),
        deadline: Instant::now() + Duration::from_secs(1),
    };
    let mut found = Vec::new();
    for question in options.questions(context)? {
        let mut profiles = Vec::new();
        for profile in &question.profiles {
            profiles.push(profile.clone().unwrap_or_else(|| "-".to_owned()));
        }
        let regions: Vec<&str> = question.regions.iter().map(Region::as_str).collect();
        found.push((profiles.join("="), regions.join(" ")));
    }
    Ok(found)
}

fn set_up(profiles: &[&str]) {
    control::reset();
    for profile in profiles {
        control::put_catalog(profile, FakeCatalog::in_regions(Some("eu-west-1"), &ALL));
    }
}

fn pair(profiles: &str, regions: &str) -> (String, String) {
    (profiles.to_owned(), regions.to_owned())
}

const CONFIG: &str = "
[connections.a]
host = \"foo0bar1baz2quux3quuux4abc.dsql.us-east-1.on.aws\"
profile = \"dev\"
[connections.b]
host = \"b.fake.invalid\"
profile = \"prod\"
region = \"eu-south-1\"
[[match]]
host = \"*.x\"
profile = \"rule\"
region = \"us-east-1\"
";

#[test]
fn profiles_and_regions_are_those_of_the_configuration() {
    set_up(&["dev", "prod", "rule", "other"]);
    let usual = ScopeOptions::default();
    assert_eq!(
        asked(&usual, CONFIG).unwrap(),
        [
            pair("dev", "eu-west-1 us-east-1"),
            pair("prod", "eu-west-1 eu-south-1"),
            pair("rule", "eu-west-1 us-east-1"),
        ]
    );
}

#[test]
fn without_a_configuration_it_is_the_current_profile() {
    set_up(&["", "dev"]);
    let usual = ScopeOptions::default();
    assert_eq!(asked(&usual, "").unwrap(), [pair("-", "eu-west-1")]);
    set_up(&["default", "dev"]);
    assert_eq!(asked(&usual, "").unwrap(), [pair("default", "eu-west-1")]);
    let found = asked(
        &usual,
        "[connections.a]\nhost='a.fake.invalid'\nprofile='dev'",
    )
    .unwrap();
    assert_eq!(
        found,
        [pair("dev", "eu-west-1"), pair("default", "eu-west-1")]
    );
}

#[test]
fn patterns_name_several() {
    set_up(&["dev", "team-a", "team-b"]);
    let options = |profile: &[&str], region: &[&str]| ScopeOptions {
        profile: profile.iter().map(|name| (*name).to_owned()).collect(),
        region: region.iter().map(|name| (*name).to_owned()).collect(),
        all_regions: false,
    };
    let found = asked(&options(&["team-*", "dev", "team-a"], &["eu-*"]), CONFIG).unwrap();
    assert_eq!(
        found,
        [
            pair("team-a", "eu-south-1 eu-west-1"),
            pair("team-b", "eu-south-1 eu-west-1"),
            pair("dev", "eu-south-1 eu-west-1"),
        ]
    );
    // A region that pgcred does not know yet can be named.
    let found = asked(&options(&["dev"], &["eu-new-9", "us-*", "us-east-1"]), "").unwrap();
    assert_eq!(found, [pair("dev", "eu-new-9 us-east-1")]);
    let error = asked(&options(&["x*"], &[]), "").unwrap_err();
    assert_eq!(error.to_string(), "no profile fits `x*`");
    assert_eq!(
        error.to_hint(),
        Some("the profiles are dev, team-a, team-b")
    );
    let error = asked(&options(&["dev"], &["eu-*", "x*"]), "").unwrap_err();
    assert_eq!(error.to_string(), "no region fits `x*`");
    assert_eq!(
        error.to_hint(),
        Some("the regions are eu-south-1, eu-west-1, us-east-1")
    );
    assert!(asked(&options(&[""], &[]), "").is_err());
    assert!(asked(&options(&["dev"], &["not a region"]), "").is_err());
    assert!(asked(&options(&["none"], &[]), "").is_err());
}

#[test]
fn all_regions_are_those_that_the_profile_can_have() {
    set_up(&["dev"]);
    let options = ScopeOptions {
        profile: vec!["dev".to_owned()],
        all_regions: true,
        ..ScopeOptions::default()
    };
    assert_eq!(
        asked(&options, CONFIG).unwrap(),
        [pair("dev", &ALL.join(" "))]
    );
}

#[test]
fn profiles_with_the_same_credentials_are_asked_once() {
    set_up(&["same-1", "same-2", "dev"]);
    let options = ScopeOptions {
        profile: vec!["*".to_owned()],
        ..ScopeOptions::default()
    };
    assert_eq!(
        asked(&options, "").unwrap(),
        [pair("dev", "eu-west-1"), pair("same-1=same-2", "eu-west-1"),]
    );
}
