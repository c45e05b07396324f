//! Only what was made by `--add`, was asked for, and is listed no more is gone.

use super::*;
use crate::authority::{CatalogAnswer, FoundDatabase, NoAnswer, NoAnswerReason};
use crate::command::discover::rows;
use crate::command::discover::scope::ListingAuthority;
use crate::error::Error;
use crate::provider::fake::catalog::database;

const ID: &str = "foo0bar1baz2quux3quuux4abc";

fn answer(profile: &str, region: &str, databases: Vec<FoundDatabase>) -> ProfileAnswer {
    ProfileAnswer {
        listing_authority: ListingAuthority::fake(),
        profiles: vec![Some(profile.to_owned())],
        regions: vec![Region::from_trusted_name(region)],
        listing: Ok(CatalogAnswer {
            databases,
            complete_listings: vec![complete(region, "fake-service"), complete(region, "dsql")],
            ..CatalogAnswer::default()
        }),
    }
}

fn complete(region: &str, service: &'static str) -> CompleteListing {
    CompleteListing {
        region: Region::from_trusted_name(region),
        service,
    }
}

fn no_answer() -> NoAnswer {
    NoAnswer::new(NoAnswerReason::NotAllowed, Error::failure("no"))
}

/// Returns what is gone, and what nobody can say it of.
fn found(config: &str, answers: &[ProfileAnswer]) -> (Vec<String>, Vec<String>) {
    let config = Config::parse(config).unwrap();
    let rows = rows::rows_of_answers(answers, &config, None);
    let gone = UnlistedConnections::find(&config, &rows, answers);
    (gone.names, gone.unconfirmed)
}

fn entry(name: &str, host: &str, more: &str) -> String {
    format!("[connections.{name}]\nhost = '{host}'\n{more}\n")
}

const MARK: &str = "discovered = true\nprofile = 'dev'\nregion = 'r'";

fn is_gone(more: &str, answers: &[ProfileAnswer]) -> bool {
    found(&entry("a", "a.fake.invalid", more), answers).0 == ["a"]
}

#[test]
fn an_entry_that_is_listed_no_more_is_gone() {
    assert!(is_gone(MARK, &[answer("dev", "r", Vec::new())]));
    let listed = || vec![database("a", "r", "a.fake.invalid")];
    assert!(!is_gone(MARK, &[answer("dev", "r", listed())]));
    // Another profile may list it.
    let answers = [
        answer("dev", "r", Vec::new()),
        answer("prod", "r", listed()),
    ];
    assert!(!is_gone(MARK, &answers));
}

#[test]
fn the_region_may_be_in_the_host() {
    let host = format!("{ID}.dsql.us-east-1.on.aws");
    let config = entry("a", &host, "discovered = true\nprofile = 'dev'");
    let dsql = provider::from_name("dsql").unwrap();
    let asked_of_aws = |region, databases| ProfileAnswer {
        listing_authority: ListingAuthority::all_among(&[dsql.authority]).unwrap()[0],
        ..answer("dev", region, databases)
    };
    let found_in = |region| found(&config, &[asked_of_aws(region, Vec::new())]);
    assert_eq!(found_in("us-east-1").0, ["a"]);
    assert_eq!(found_in("eu-west-1").1, ["a"]);
    // Another authority has another profile of this name.
    let of_other = answer("dev", "us-east-1", Vec::new());
    assert_eq!(found(&config, &[of_other]).1, ["a"]);
    let mut cluster = database(ID, "us-east-1", "");
    cluster.host = None;
    let nothing = (Vec::<String>::new(), Vec::<String>::new());
    assert_eq!(
        found(&config, &[asked_of_aws("us-east-1", vec![cluster])]),
        nothing
    );
}

#[test]
fn an_entry_of_the_users_own_is_not_even_looked_at() {
    for more in [
        "profile = 'dev'\nregion = 'r'",
        "discovered = false\nprofile = 'dev'",
    ] {
        let config = entry("a", "a.fake.invalid", more);
        let nothing = (Vec::<String>::new(), Vec::<String>::new());
        assert_eq!(found(&config, &[answer("dev", "r", Vec::new())]), nothing);
    }
}

#[test]
fn an_entry_stays_unless_its_own_place_was_answered() {
    let asked = || answer("dev", "r", Vec::new());
    for more in [
        "discovered = true\nregion = 'r'",
        "discovered = true\nprofile = 'prod'\nregion = 'r'",
        "discovered = true\nprofile = 'dev'\nregion = 's'",
        "discovered = true\nprofile = 'dev'",
    ] {
        assert!(!is_gone(more, &[asked()]), "{more}");
    }
    let mut failed = asked();
    failed.listing = Err(no_answer());
    assert!(!is_gone(MARK, &[failed]));
    let mut in_part = asked();
    if let Ok(listed) = &mut in_part.listing {
        listed.complete_listings = vec![complete("r", "dsql"), complete("s", "fake-service")];
    }
    assert!(!is_gone(MARK, &[in_part]));
    assert!(!is_gone(MARK, &[]));
}

/// While a database is changed, it may have no host.
#[test]
fn an_entry_whose_database_has_no_host_now_stays() {
    let mut changing = database("a", "r", "");
    changing.host = None;
    assert!(!is_gone(
        MARK,
        &[answer("dev", "r", vec![changing.clone()])]
    ));
    changing.identifier = "b".to_owned();
    assert!(is_gone(MARK, &[answer("dev", "r", vec![changing])]));
}

/// The host of readers stays while there are none.
#[test]
fn an_entry_whose_host_is_idle_stays() {
    let mut asked = answer("dev", "r", Vec::new());
    if let Ok(listed) = &mut asked.listing {
        listed.idle_hosts = vec!["a.fake.invalid".to_owned()];
    }
    let config = entry("a", "a.fake.invalid", MARK);
    let nothing = (Vec::<String>::new(), Vec::<String>::new());
    assert_eq!(found(&config, &[asked]), nothing);
}

/// It may lead to another account.
#[test]
fn a_profile_that_lists_none_of_its_connections_has_lost_them() {
    let both = entry("a", "a.fake.invalid", MARK) + &entry("b", "b.fake.invalid", MARK);
    let config = Config::parse(&both).unwrap();
    let find = |databases: Vec<FoundDatabase>| {
        let answers = [answer("dev", "r", databases)];
        let rows = rows::rows_of_answers(&answers, &config, None);
        UnlistedConnections::find(&config, &rows, &answers)
    };
    let mut gone = find(vec![database("c", "r", "c.fake.invalid")]);
    assert_eq!(gone.names, ["a", "b"]);
    assert_eq!(gone.lost_profiles[0].profile, "dev");
    assert_eq!(gone.lost_profiles[0].names, ["a", "b"]);
    gone.spare_lost_profiles();
    assert!(gone.names.is_empty());
    let mut gone = find(vec![database("b", "r", "b.fake.invalid")]);
    gone.spare_lost_profiles();
    assert_eq!(gone.names, ["a"]);
}
