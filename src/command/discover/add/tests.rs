//! What `--add` means, and why something is not added.

use super::*;
use crate::authority::{CatalogAnswer, Region};
use crate::command::discover::rows;
use crate::command::discover::scope::ListingAuthority;
use crate::command::discover::search::ProfileAnswer;
use crate::config::Config;
use crate::provider::fake::catalog::database;

fn rows(config: &str) -> Vec<DiscoveredHost> {
    let mut off = database("off", "r", "off.fake.invalid");
    off.takes_tokens = Some(false);
    let answer = ProfileAnswer {
        listing_authority: ListingAuthority::fake(),
        profiles: vec![Some("dev".to_owned())],
        regions: vec![Region::from_trusted_name("r")],
        listing: Ok(CatalogAnswer {
            databases: vec![
                database("Orders", "r", "orders.fake.invalid"),
                database("books", "r", "books.fake.invalid"),
                off,
                database(
                    "rds",
                    "eu-west-1",
                    "x.c1a2b3c4d5e6.eu-west-1.rds.amazonaws.com",
                ),
            ],
            ..CatalogAnswer::default()
        }),
    };
    rows::rows_of_answers(&[answer], &Config::parse(config).unwrap(), None)
}

fn pick(rows: &[DiscoveredHost], patterns: &[&str]) -> Result<ConnectionAdditions> {
    let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
    ConnectionAdditions::pick(rows, &patterns)
}

fn names(additions: &ConnectionAdditions) -> Vec<&str> {
    additions.new.iter().map(|new| new.name.as_str()).collect()
}

#[test]
fn patterns_fit_name_identifier_and_host_in_any_case() {
    let rows = rows("");
    for (patterns, expected) in [
        (&["*"][..], &["orders", "books"][..]),
        (&["ORD*"], &["orders"]),
        (&[" books.FAKE.invalid "], &["books"]),
        (&["books", "Orders"], &["orders", "books"]),
        (&["*.fake.invalid", "books"], &["orders", "books"]),
    ] {
        assert_eq!(
            names(&pick(&rows, patterns).unwrap()),
            expected,
            "{patterns:?}"
        );
    }
    let added = pick(&rows, &["books"]).unwrap().new.remove(0);
    assert!(added.discovered);
    let error = pick(&rows, &["books", "none*"]).err().unwrap();
    assert_eq!(error.to_string(), "no database matches `none*`");
    assert!(pick(&[], &["x"]).is_err());
    assert!(pick(&[], &["*"]).unwrap().new.is_empty());
}

#[test]
fn what_is_not_added_says_why_once() {
    let rows = rows("");
    let all = pick(&rows, &["*"]).unwrap();
    assert_eq!(
        all.refusals(),
        [
            "off: it takes no tokens; to enable it: fake enable dev",
            "rds: needs --user"
        ]
    );
    assert!(all.check().is_ok());
    assert!(pick(&rows, &["off"]).unwrap().check().is_err());
}

#[test]
fn what_is_configured_is_added_no_more() {
    let config = "[connections.mine]\nhost = 'books.fake.invalid'\nuser = 'other'\n";
    let rows = rows(config);
    let books = pick(&rows, &["books"]).unwrap();
    assert!(names(&books).is_empty() && books.configured == 1 && books.check().is_ok());
    assert_eq!(names(&pick(&rows, &["*"]).unwrap()), ["orders"]);
}

/// One database that cannot be written must not keep the others out of the file.
#[test]
fn a_connection_that_cannot_be_written_is_left_out() {
    let mut rows = rows("");
    rows[0].database.dbname = Some(String::new());
    let all = pick(&rows, &["*"]).unwrap();
    assert_eq!(names(&all), ["books"]);
    assert_eq!(all.refused.len(), 3);
}
