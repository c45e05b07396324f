//! Which profiles and regions are asked.

use std::time::{Duration, Instant};

use super::*;
use crate::provider::fake::catalog::FakeCatalog;
use crate::provider::fake::{self, control};

const ALL: [&str; 3] = ["eu-south-1", "eu-west-1", "us-east-1"];

/// Returns what is asked: each profile with those like it, and its regions.
fn asked(options: &ScopeOptions, config: &str) -> Result<Vec<(String, String)>> {
    let config = Config::parse(config).unwrap();
    let context = SearchContext {
        listing_authorities: &[ListingAuthority::fake()],
        config: &config,
        ask_policy: &control::policy(),
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
host = \"a.example\"
region = \"us-east-1\"
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
    assert_eq!(error.to_string(), "no profile matches `x*`");
    assert_eq!(
        error.hint_text(),
        Some("choose one of the profiles dev, team-a, team-b")
    );
    let error = asked(&options(&["dev"], &["eu-*", "x*"]), "").unwrap_err();
    assert_eq!(error.to_string(), "no region matches `x*`");
    assert_eq!(
        error.hint_text(),
        Some("choose one of the regions eu-south-1, eu-west-1, us-east-1")
    );
    assert!(asked(&options(&[""], &[]), "").is_err());
    assert!(asked(&options(&["dev"], &["no region?"]), "").is_err());
    assert_eq!(
        asked(&options(&["none"], &[]), "").unwrap(),
        [pair("none", "")]
    );
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

/// Returns what is asked of the fake and of another authority: each profile behind its authority.
fn asked_of_both(profiles: &[&str], regions: &[&str], config: &str) -> Result<Vec<String>> {
    let authorities = [fake::PROVIDER.authority, fake::OTHER_AUTHORITY];
    let options = ScopeOptions {
        profile: profiles.iter().map(|name| (*name).to_owned()).collect(),
        region: regions.iter().map(|name| (*name).to_owned()).collect(),
        all_regions: false,
    };
    let context = SearchContext {
        listing_authorities: &ListingAuthority::all_among(&authorities)?,
        config: &Config::parse(config).unwrap(),
        ask_policy: &control::policy(),
        deadline: Instant::now() + Duration::from_secs(1),
    };
    let mut found = Vec::new();
    for question in options.questions(context)? {
        let authority = question.listing_authority.authority.name();
        let profile = question.profiles[0].as_deref().unwrap_or("-");
        let regions: Vec<&str> = question.regions.iter().map(Region::as_str).collect();
        found.push(format!("{authority} {profile} {}", regions.join(" ")));
    }
    Ok(found)
}

#[test]
fn every_authority_that_can_list_is_asked_for_its_own_profiles() {
    set_up(&["dev", "both"]);
    for profile in ["ops", "both"] {
        let catalog = FakeCatalog::in_regions(Some("o"), &["o", "p"]);
        control::put_catalog_of(fake::OTHER_AUTHORITY, profile, catalog);
    }
    let asked = |profiles: &[&str], config| asked_of_both(profiles, &[], config).unwrap();
    assert_eq!(asked(&["ops"], ""), ["other ops o"]);
    assert_eq!(
        asked(&["b*", "dev"], ""),
        ["fake both eu-west-1", "fake dev eu-west-1", "other both o"]
    );
    assert_eq!(asked(&["none"], ""), ["fake none ", "other none "]);
    // A connection is of the authority of its provider; that of another one is not asked for it.
    let of_fake = "[connections.a]\nhost = 'a.fake.invalid'\nprofile = 'dev'\n";
    assert_eq!(asked(&[], of_fake), ["fake dev eu-west-1"]);
    let of_aws = "[connections.a]\nhost = 'x.c1a2.eu-west-1.rds.amazonaws.com'\nprofile = 'dev'\n";
    assert_eq!(asked(&[], of_aws), ["fake - ", "other - "]);
    let unknown = "[connections.a]\nhost = 'a.example'\nprofile = 'both'\n";
    assert_eq!(asked(&[], unknown), ["fake both eu-west-1", "other both o"]);
    let found = asked_of_both(&["*"], &["p*", "eu-west-1"], "").unwrap();
    assert_eq!(
        found,
        [
            "fake both eu-west-1",
            "fake dev eu-west-1",
            "other both p eu-west-1",
            "other ops p eu-west-1"
        ]
    );
}

#[test]
fn an_authority_that_lists_nothing_is_not_asked() {
    control::reset();
    let authorities = [fake::PROVIDER.authority, fake::OTHER_AUTHORITY];
    let error = ListingAuthority::all_among(&authorities).err().unwrap();
    assert_eq!(error.to_string(), "Fake or Other cannot list databases");
    set_up(&["dev"]);
    let listing_authorities = ListingAuthority::all_among(&provider::authorities()).unwrap();
    let names: Vec<&str> = listing_authorities
        .iter()
        .map(|known| known.authority.name())
        .collect();
    assert_eq!(names, ["aws", "fake"]);
}
