//! Names are valid, all different, and the same whatever the order of the answers.

use super::*;
use crate::provider::fake::catalog::database;

const ID: &str = "foo0bar1baz2quux3quuux4abc";

fn labelled(identifier: &str, label: &str) -> String {
    let mut found = database(identifier, "eu-west-1", "h");
    if !label.is_empty() {
        found.label = Some(label.to_owned());
    }
    base_name(&found)
}

fn parts(base: &str, region: &'static str, profile: &'static str) -> NameParts<'static> {
    NameParts {
        base: base.to_owned(),
        suffix: "",
        region,
        profile,
        host: None,
    }
}

fn names(taken: &[&str], all_parts: &[NameParts<'_>]) -> Vec<String> {
    ConnectionNamer::with_taken(taken.iter().copied()).names(all_parts)
}

#[test]
fn a_name_is_made_of_what_people_call_the_database() {
    for (identifier, label, name) in [
        ("db-1", "Orders (Prod)", "orders-prod"),
        ("db-1", "", "db-1"),
        (ID, "", "dsql-foo0ba"),
        (ID, "Main", "main"),
        ("db-1", "本番", "db-1"),
        (ID, "本番", "dsql-foo0ba"),
        ("", "", "db"),
        ("é", "--__--", "db"),
        ("x", "\x1b[31mred\x07]\n\"q\"", "31mred-q"),
        ("x", "--config", "config"),
    ] {
        assert_eq!(labelled(identifier, label), name, "{identifier} {label}");
    }
    assert_eq!(labelled("x", &"a".repeat(10_240)).len(), MAX_BASE_LENGTH);
}

#[test]
fn every_name_is_one_of_a_connection() {
    let long = "l".repeat(MAX_BASE_LENGTH);
    for base in ["a", &long, ID, &ID.replace("foo", "bar")] {
        let all_parts = [
            parts(
                base,
                "eu-west-1",
                "a very long profile with 'signs' and more than forty",
            ),
            parts(
                base,
                "eu-west-1",
                "a very long profile with 'signs' and more than forty",
            ),
            parts(base, "eu-west-1", ""),
        ];
        for name in names(&[base], &all_parts) {
            assert!(check_connection_name(&name, None).is_ok(), "{name}");
        }
    }
    assert_eq!(names(&[], &[parts(ID, "r", "p")]), [format!("db-{ID}")]);
}

#[test]
fn what_shares_a_name_gets_region_then_profile_then_a_number() {
    let of = |all_parts: &[NameParts<'_>]| names(&["taken"], all_parts);
    let (west, east) = (
        parts("a", "eu-west-1", "dev"),
        parts("a", "us-east-1", "dev"),
    );
    assert_eq!(of(&[west, east]), ["a-eu-west-1", "a-us-east-1"]);
    let (dev, prod) = (parts("a", "r", "dev"), parts("a", "r", "prod"));
    assert_eq!(of(&[dev, prod]), ["a-r-dev", "a-r-prod"]);
    let same = || parts("a", "r", "dev");
    assert_eq!(of(&[same(), same()]), ["a-r-dev", "a-r-dev-2"]);
    assert_eq!(of(&[parts("taken", "r", "p")]), ["taken-r"]);
    assert_eq!(
        names(
            &["Taken", "taken-r", "taken-r-p"],
            &[parts("taken", "r", "p")]
        ),
        ["taken-r-p-2"]
    );
    // The addition may be another's name.
    let mut found = of(&[
        parts("a", "r", "p"),
        parts("a", "s", "p"),
        parts("a-r", "s", "p"),
    ]);
    found.sort();
    assert_eq!(found, ["a-r-p", "a-r-s", "a-s"]);
}

#[test]
fn the_order_of_the_answers_does_not_count() {
    let all_parts = || {
        [
            parts("a", "r", "p"),
            parts("b", "r", "p"),
            parts("a", "s", "p"),
        ]
    };
    let forward = names(&[], &all_parts());
    let mut reversed = all_parts();
    reversed.reverse();
    let mut backward = names(&[], &reversed);
    backward.reverse();
    assert_eq!(forward, backward);
}
