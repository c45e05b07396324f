//! Each host is one row, with the name of its connection and why it cannot be added.

use super::NotAddedReason::{ForeignHost, NoHost, NoTokens, NoUser};
use super::*;
use crate::authority::Region;
use crate::provider::fake::catalog::database;

fn answer(profile: &str, databases: Vec<FoundDatabase>) -> ProfileAnswer {
    ProfileAnswer {
        listing_authority: ListingAuthority::fake(),
        profiles: vec![Some(profile.to_owned())],
        regions: vec![Region::from_trusted_name("eu-west-1")],
        listing: Ok(CatalogAnswer {
            account: Some("111122223333".to_owned()),
            databases,
            ..CatalogAnswer::default()
        }),
    }
}

fn rows(answers: &[ProfileAnswer], config: &str, user: Option<&str>) -> Vec<DiscoveredHost> {
    rows_of_answers(answers, &Config::parse(config).unwrap(), user)
}

fn names(rows: &[DiscoveredHost]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

const ID: &str = "foo0bar1baz2quux3quuux4abc";

#[test]
fn a_host_that_two_profiles_see_is_one_row_of_the_first() {
    let one = || database("a", "eu-west-1", "A.fake.invalid.");
    let found = rows(
        &[answer("p", vec![one()]), answer("q", vec![one()])],
        "",
        None,
    );
    assert_eq!(names(&found), ["a"]);
    assert_eq!(found[0].profile.as_deref(), Some("p"));
    assert_eq!(found[0].host.as_deref(), Some("a.fake.invalid"));
}

#[test]
fn a_configured_host_keeps_the_name_of_its_connection() {
    let mut cluster = database(ID, "us-east-1", "");
    cluster.host = None;
    let databases = vec![
        database("a", "eu-west-1", "a.fake.invalid"),
        database("t", "eu-west-1", "t.fake.invalid"),
        database("mine", "eu-west-1", "b.fake.invalid"),
        cluster,
    ];
    let config = format!(
        "[connections.mine]\nhost='a.fake.invalid'\nport=1\n\
         [connections.tunnel]\nhost='127.0.0.1'\nsign_host='t.fake.invalid'\n\
         [connections.short]\nhost='{ID}'\nregion='us-east-1'\n"
    );
    let found = rows(&[answer("p", databases)], &config, None);
    assert_eq!(names(&found), ["mine", "tunnel", "mine-eu-west-1", "short"]);
    let configured: Vec<bool> = found.iter().map(|row| row.is_configured).collect();
    assert_eq!(configured, [true, true, false, true]);
}

#[test]
fn what_cannot_be_added_says_why() {
    let mut without_tokens = database("a", "r", "a.fake.invalid");
    without_tokens.takes_tokens = Some(false);
    let mut without_host = database("b", "r", "");
    without_host.host = None;
    let databases = vec![
        without_tokens,
        without_host,
        database("c", "r", "c.example.com"),
        database("d", "r", "d.fake.invalid:5432"),
        database(
            "e",
            "eu-west-1",
            "e.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com",
        ),
        database("f", "r", "f.fake.invalid"),
    ];
    let of = |user| {
        let found = rows(&[answer("p", databases.clone())], "", user);
        let why: Vec<Option<NotAddedReason>> = found.iter().map(|row| row.not_added).collect();
        why
    };
    let start = [
        Some(NoTokens),
        Some(NoHost),
        Some(ForeignHost),
        Some(NoHost),
    ];
    assert_eq!(of(None)[..4], start);
    assert_eq!(of(None)[4..], [Some(NoUser), None]);
    assert_eq!(of(Some("app"))[4..], [None, None]);
}

#[test]
fn a_connection_says_only_what_is_not_the_default() {
    let rds = "e.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com";
    let mut all = database("e", "eu-west-1", rds);
    all.port = Some(6000);
    all.dbname = Some("books".to_owned());
    let mut little = database(ID, "us-east-1", "");
    (little.host, little.port) = (None, Some(5432));
    little.dbname = Some("postgres".to_owned());
    let found = rows(&[answer("p", vec![all, little])], "", Some("app"));
    let whole = found[0].to_connection().unwrap();
    assert_eq!(whole.target.port, Some(6000));
    assert_eq!(whole.target.dbname.as_deref(), Some("books"));
    assert_eq!((whole.region, whole.profile.as_deref()), (None, Some("p")));
    let little = found[1].to_connection().unwrap();
    assert_eq!((little.target.port, &little.target.dbname), (None, &None));
    assert_eq!(little.target.user.as_deref(), Some("app"));
    assert_eq!(little.region, None);
    let global = "g.global-c1a2.global.rds.amazonaws.com";
    let found = rows(
        &[answer("p", vec![database("g", "eu-west-1", global)])],
        "",
        Some("app"),
    );
    let region = found[0].to_connection().unwrap().region;
    assert_eq!(region, Some(Region::from_trusted_name("eu-west-1")));
}

#[test]
fn texts_of_others_are_cut_or_dropped() {
    let mut hostile = database("a", "r", "a.fake.invalid");
    hostile.label = Some("x".repeat(10_240));
    hostile.dbname = Some("a\nb".to_owned());
    hostile.user = Some("u".repeat(10_240));
    let found = rows(&[answer("p", vec![hostile])], "", None);
    let database = &found[0].database;
    assert_eq!(database.label.as_ref().unwrap().len(), MAX_TEXT_LENGTH);
    assert_eq!((&database.dbname, &database.user), (&None, &None));
    assert_eq!(found[0].user.as_deref(), Some("guest"));
}
