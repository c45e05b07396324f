//! The pause after a failure: how long it is, and what ends it.

use crate::cache::source::Source;

#[test]
fn a_failure_begins_a_pause_and_a_login_ends_it() {
    let mut source = Source::that("exit 1");
    // on a slow machine twenty runs may take longer than the pause
    source.sandbox.at("2030-01-01T00:00:00Z");
    for _ in 0..20 {
        source.token(&[]).assert_fails(1, "of profile `p`");
    }
    assert_eq!(source.calls(), 1);
    assert!(source.token(&[]).stderr.contains("--fresh asks again now"));
    source.now_does("");
    source.token(&[]).assert_fails(1, "--fresh asks again now");
    source.sandbox.write(".aws/sso/cache/session.json", "{}");
    source.ok(&[]);
    assert_eq!(source.calls(), 2);
}

/// A program may write to a file that its command line names, such as a log. That does not count as
/// a login.
#[cfg(unix)]
#[test]
fn the_log_of_a_program_does_not_end_the_pause() {
    let source = Source::that("exit 1");
    let log = source.calls_file().display().to_string();
    let config = String::from_utf8(source.sandbox.read(".aws/config")).expect("text");
    source
        .sandbox
        .write(".aws/config", format!("{} {log}\n", config.trim_end()));
    for _ in 0..3 {
        source.token(&[]).assert_fails(1, "of profile `p`");
    }
    assert_eq!(source.calls(), 1);
}

#[test]
fn the_pause_after_a_failure_grows_and_ends() {
    let mut source = Source::that("exit 1");
    for (at, calls) in [
        ("00:00:00", 1),
        ("00:00:09", 1),
        ("00:00:10", 2),
        ("00:00:29", 2),
        ("00:00:30", 3),
        ("00:01:09", 3),
        ("00:01:10", 4),
    ] {
        source.sandbox.at(&format!("2030-01-01T{at}Z"));
        source.token(&[]).assert_fails(1, "of profile `p`");
        assert_eq!(source.calls(), calls, "{at}");
    }
}

#[test]
fn after_a_login_or_an_hour_the_pauses_are_short_again() {
    let mut source = Source::that("exit 1");
    for (at, logs_in, calls) in [
        ("00:00:00", false, 1),
        ("00:00:10", false, 2),
        ("00:00:30", false, 3),
        ("00:00:31", true, 4),
        ("00:00:41", false, 5),
        ("00:00:51", false, 5),
        ("01:30:00", false, 6),
        ("01:30:10", false, 7),
    ] {
        if logs_in {
            source.sandbox.write(".aws/sso/cache/session.json", "{}");
        }
        source.sandbox.at(&format!("2030-01-01T{at}Z"));
        source.token(&[]).assert_fails(1, "of profile `p`");
        assert_eq!(source.calls(), calls, "{at}");
    }
}
