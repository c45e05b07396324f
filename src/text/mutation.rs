//! Makes samples for the tests of parsers: correct texts with a few random changes.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

use crate::sys::env;

/// How many texts each test makes: `PGCRED_TEST_CASES`, or as many as take a second or so.
pub(crate) fn cases() -> Config {
    let cases = env::var("PGCRED_TEST_CASES")
        .and_then(|text| text.parse().ok())
        .unwrap_or(2_000);
    Config {
        cases,
        failure_persistence: None,
        ..Config::default()
    }
}

/// One change of the text, at one place.
#[derive(Clone, Debug)]
enum TextMutation {
    Insert(Vec<u8>),
    /// Removes this many bytes.
    Cut(usize),
    /// Repeats this many bytes.
    Repeat(usize),
    /// Removes all bytes that follow.
    End,
}

/// Returns one of the samples with at most four changes. Most changes insert one of the words.
pub(crate) fn bytes(
    samples: &'static [&'static str],
    words: &'static [&'static str],
) -> impl Strategy<Value = Vec<u8>> {
    let odd = vec![
        "\0", "\r", "\n", "\t", " ", "\u{1b}", "\u{7f}", "\u{feff}", "é", "\"", "'", "\\", ":",
        "=", "-", "9",
    ];
    let change = prop_oneof![
        3 => select(words).prop_map(|word| TextMutation::Insert(word.as_bytes().to_vec())),
        3 => select(odd).prop_map(|word| TextMutation::Insert(word.as_bytes().to_vec())),
        1 => prop::collection::vec(any::<u8>(), 1..4).prop_map(TextMutation::Insert),
        2 => (1_usize..20).prop_map(TextMutation::Cut),
        1 => (1_usize..60).prop_map(TextMutation::Repeat),
        1 => Just(TextMutation::End),
    ];
    let changes = prop::collection::vec((any::<Index>(), change), 0..5);
    (select(samples), changes).prop_map(|(sample, changes)| {
        let mut text = sample.as_bytes().to_vec();
        for (place, change) in changes {
            let offset = place.index(text.len() + 1);
            let end = |length: usize| (offset + length).min(text.len());
            match change {
                TextMutation::Insert(word) => drop(text.splice(offset..offset, word)),
                TextMutation::Cut(length) => drop(text.drain(offset..end(length))),
                TextMutation::Repeat(length) => {
                    let part = text[offset..end(length)].to_vec();
                    text.splice(offset..offset, part);
                }
                TextMutation::End => text.truncate(offset),
            }
        }
        text
    })
}

/// Returns the same as a text: bytes that are not UTF-8 are replaced.
pub(crate) fn text(
    samples: &'static [&'static str],
    words: &'static [&'static str],
) -> impl Strategy<Value = String> {
    bytes(samples, words).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}
