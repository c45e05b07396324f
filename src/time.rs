//! Defines points in time and durations, in whole seconds, and reads the clock as the only file.
//!
//! [`Time`] reads and writes the forms that others use: RFC 3339 (files of the AWS CLI, pgcred's
//! own), the header `Date` of HTTP, ISO 8601 in the variants that AWS's tools accept, and the
//! compact form in a signed request (`20260101T001500Z`). [`number_as_python_reads_it`] reads whole
//! numbers, and [`spoken_duration`] writes a duration for people: its thresholds are constants,
//! because the shell hooks speak in the same way.
//!
//! Tests set the clock: a unit test by `pretend`, an end-to-end test by a variable that only debug
//! builds read.

use std::str::FromStr;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::sys::env;

#[cfg(test)]
thread_local! {
    static PRETENDED: std::cell::Cell<Option<Time>> = const { std::cell::Cell::new(None) };
}

/// Sets the clock of a unit test, which has a thread of its own.
#[cfg(test)]
pub(crate) fn pretend(now: Time) {
    PRETENDED.set(Some(now));
}

/// A point in time: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(i64);

impl Time {
    /// Returns the wall clock's time, cut to the second. Debug builds take it from
    /// `PGCRED_TEST_NOW` (RFC 3339) if set.
    #[expect(clippy::disallowed_methods, reason = "the one clock")]
    pub(crate) fn now() -> Self {
        #[cfg(test)]
        if let Some(time) = PRETENDED.get() {
            return time;
        }
        if cfg!(debug_assertions)
            && let Some(text) = env::var("PGCRED_TEST_NOW")
            && let Some(time) = Self::from_rfc3339(&text)
        {
            return time;
        }
        Self(DateTime::from(std::time::SystemTime::now()).secs())
    }

    pub(crate) fn from_system(time: std::time::SystemTime) -> Self {
        Self(DateTime::from(time).secs())
    }

    pub(crate) fn to_system(self) -> std::time::SystemTime {
        let seconds = std::time::Duration::from_secs(self.0.max(0).unsigned_abs());
        std::time::UNIX_EPOCH + seconds
    }

    pub(crate) const fn from_unix(seconds: i64) -> Self {
        Self(seconds)
    }

    pub(crate) fn unix(self) -> i64 {
        self.0
    }

    /// Returns the time `seconds` later.
    pub(crate) fn plus(self, seconds: u32) -> Self {
        Self(self.0.saturating_add(i64::from(seconds)))
    }

    /// Returns the seconds from `self` to `later`, 0 if that lies before.
    pub(crate) fn until(self, later: Self) -> u32 {
        u32::try_from(later.0.saturating_sub(self.0).max(0)).unwrap_or(u32::MAX)
    }

    /// Returns `2026-01-01T00:15:00Z`.
    pub(crate) fn rfc3339(self) -> String {
        match DateTime::from_secs(self.0).fmt(Format::DateTime) {
            Ok(text) => text,
            Err(_) => self.0.to_string(), // a year with more than four digits
        }
    }

    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::from_str(text, Format::DateTimeWithOffset)
            .ok()
            .map(|time| Self(time.secs()))
    }

    /// Reads the time in the header `Date` of an answer over HTTP.
    pub(crate) fn from_http(text: &str) -> Option<Self> {
        let time = DateTime::from_str(text.trim(), Format::HttpDate).ok()?;
        Some(Self(time.secs()))
    }

    /// Reads a time in the forms of ISO 8601 that AWS's tools read: with or without seconds, `-`
    /// and `:`, a space for `T`, and the zone as `Z`, `UTC`, `GMT`, `+01`, `+0100` or `+01:00`. A
    /// time without a zone could be any.
    pub(crate) fn from_aws(text: &str) -> Option<Self> {
        let text = text.trim();
        if !text.is_ascii() || text.len() > 50 {
            return None;
        }
        let end_of_date = text.find(['T', 't', ' '])?;
        let (date, rest) = (&text[..end_of_date], text[end_of_date + 1..].trim_start());
        let end_of_time =
            rest.find(|c: char| !(c.is_ascii_digit() || c == ':' || c == '.' || c == ','))?;
        let (time, zone) = (&rest[..end_of_time], rest[end_of_time..].trim_start());
        let (to_the_second, fraction) = time.split_once(['.', ',']).unwrap_or((time, "0"));
        if fraction.is_empty() || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let [year, month, day] = parts(date, '-', [4, 2, 2])?;
        let [hour, minute, second] = if let Some(parts) = parts(to_the_second, ':', [2, 2, 2]) {
            parts
        } else {
            let [hour, minute] = parts(to_the_second, ':', [2, 2])?;
            [hour, minute, "00"]
        };
        let zone = normal_zone(zone)?;
        Self::from_rfc3339(&format!(
            "{year}-{month}-{day}T{hour}:{minute}:{second}{zone}"
        ))
    }

    /// Returns `20260101T001500Z`, the form that has no colon.
    pub(crate) fn compact(self) -> String {
        self.rfc3339().replace(['-', ':'], "")
    }

    /// Reads what [`Time::compact`] wrote.
    pub(crate) fn from_compact(text: &str) -> Option<Self> {
        if text.len() != 16 || !text.is_ascii() {
            return None;
        }
        let (date, time) = text.split_once('T')?;
        if date.len() != 8 || time.len() != 7 {
            return None;
        }
        let rfc3339_parts = [
            &date[..4],
            "-",
            &date[4..6],
            "-",
            &date[6..],
            "T",
            &time[..2],
            ":",
            &time[2..4],
            ":",
            &time[4..],
        ];
        Self::from_rfc3339(&rfc3339_parts.concat())
    }
}

/// Returns a zone as `Z` or `+01:00`.
fn normal_zone(zone: &str) -> Option<String> {
    if ["Z", "z", "UTC", "GMT"].contains(&zone) {
        return Some("Z".to_owned());
    }
    let (sign, offset) = zone.split_at_checked(1)?;
    if !["+", "-"].contains(&sign) {
        return None;
    }
    let [hours, minutes] = match parts(offset, ':', [2, 2]) {
        Some(parts) => parts,
        None => [parts(offset, ':', [2])?[0], "00"],
    };
    Some(format!("{sign}{hours}:{minutes}"))
}

/// Splits digits into parts of these lengths, which stand all together or all have the separator
/// between them.
fn parts<const N: usize>(text: &str, separator: char, lengths: [usize; N]) -> Option<[&str; N]> {
    let mut parts = [""; N];
    let is_separated = text.contains(separator);
    let mut rest = text;
    for (index, length) in lengths.into_iter().enumerate() {
        if index > 0 && is_separated {
            rest = rest.strip_prefix(separator)?;
        }
        let (part, after) = rest.split_at_checked(length)?;
        if !part.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        parts[index] = part;
        rest = after;
    }
    rest.is_empty().then_some(parts)
}

/// Seconds given as the AWS CLI takes them (`900`), or with a unit: `90s`, `15m`, `12h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub u32);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(char, u32); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
        let text = text.trim();
        let (digits, factor) = match UNITS.iter().find(|(letter, _)| text.ends_with(*letter)) {
            Some((_, factor)) => (&text[..text.len() - 1], *factor),
            None => (text, 1),
        };
        if let Some(number) = number_as_python_reads_it(digits)
            && let Some(seconds) = number.checked_mul(factor)
        {
            return Ok(Self(seconds));
        }
        Err("not a duration; give seconds (900) or 90s, 15m, 12h, 7d".to_owned())
    }
}

/// Reads a number as Python does, and so the AWS CLI: a sign, leading zeros and single underscores
/// are allowed.
pub(crate) fn number_as_python_reads_it(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    for run in digits.split('_') {
        if run.is_empty() || !run.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
    }
    digits.replace('_', "").parse().ok()
}

/// Durations shorter than this are told in seconds. The shell hooks use the same limits.
pub(crate) const SECONDS_BELOW: u32 = 2 * 60;
/// Durations shorter than this are told in minutes.
pub(crate) const MINUTES_BELOW: u32 = 2 * 3_600;
/// Durations shorter than this are told in hours; longer ones in days.
pub(crate) const HOURS_BELOW: u32 = 2 * 86_400;

/// Returns a duration for people, in one unit: `45 s`, `15 min`, `2 h`, `7 d`.
pub(crate) fn spoken_duration(seconds: u32) -> String {
    match seconds {
        0..SECONDS_BELOW => format!("{seconds} s"),
        SECONDS_BELOW..MINUTES_BELOW => format!("{} min", seconds / 60),
        MINUTES_BELOW..HOURS_BELOW => format!("{} h", seconds / 3_600),
        HOURS_BELOW.. => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compact_form_survives_and_bad_ones_are_refused() {
        let time = Time::from_rfc3339("2028-02-29T04:05:06.999Z").unwrap();
        assert_eq!(time.compact(), "20280229T040506Z");
        assert_eq!(Time::from_compact("20280229T040506Z"), Some(time));
        for bad in [
            "",
            "20280229T040506",
            "20280229 040506Z",
            "2028é229T04050Z",
            "20281329T040506Z",
            "T20280229040506Z",
        ] {
            assert_eq!(Time::from_compact(bad), None, "{bad}");
        }
    }

    #[test]
    fn times_of_aws_have_many_forms() {
        let time = Time::from_rfc3339("2026-11-24T15:10:00Z");
        for text in [
            "2026-11-24T15:10:00Z",
            " 2026-11-24 15:10:00Z ",
            "2026-11-24T15:10:00.999Z",
            "2026-11-24T15:10:00UTC",
            "2026-11-24 15:10:00 UTC",
            "2026-11-24T15:10Z",
            "2026-11-24T15:10:00+00:00",
            "2026-11-24T15:10:00.5+00:00",
            "2026-11-24T16:10:00+01:00",
            "2026-11-24T16:10:00+0100",
            "2026-11-24T16:10:00+01",
            "2026-11-24T16:10+01:00",
            "2026-11-24T10:10-0500",
            "20261124T151000Z",
            "20261124T1510Z",
            "20261124T161000+01",
        ] {
            assert_eq!(Time::from_aws(text), time, "{text}");
        }
        for bad in [
            "",
            "soon",
            "2026-11-24",
            "2026-11-24T15:10:00",
            "2026-11-24T15Z",
            "2026-11-2415:10:00Z",
            "2026-1124T15:10:00Z",
            "2026-11-24T15:1000Z",
            "2026-11-24T15:10:00.Z",
            "2026-11-24T15:10:00+1",
            "2026-11-24T15:10:00+010",
            "2026-11-24T15:10:00 CET",
            "2026-13-24T15:10:00Z",
            "2026-11-24T25:10:00Z",
            "2026-11-24T15:10:00\u{e9}",
            "Tue, 24 Nov 2026 15:10:00 GMT",
        ] {
            assert_eq!(Time::from_aws(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("900", 900),
            (" 900 ", 900),
            ("+900", 900),
            ("0900", 900),
            ("1_000", 1000),
            ("15m", 900),
            ("7d", 604_800),
        ] {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
        for bad in [
            "",
            "abc",
            "-1",
            "900.5",
            "1__0",
            "_1",
            "m",
            "5 m",
            "1w",
            "99999999999",
            "99999999d",
            "١",
        ] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #![proptest_config(crate::text::mutation::cases())]

        #[test]
        fn times_that_are_nearly_right(text in crate::text::mutation::text(
            &[
                "2030-01-01T00:15:00Z",
                "2030-01-01 00:15:00+0100",
                "2030-01-01T00:15:00.123456UTC",
                "20300101T001500Z",
                "90m",
            ],
            &["T", "Z", "+", "-", ":", "UTC", "+01:00", "99", "."],
        )) {
            let _ = text.parse::<Seconds>();
            let times = [
                Time::from_aws(&text),
                Time::from_rfc3339(&text),
                Time::from_compact(&text),
            ];
            for time in times.into_iter().flatten() {
                let _ = (time.plus(u32::MAX), time.until(Time::from_unix(0)), time.to_system());
                let _ = spoken_duration(time.until(time.plus(9)));
                if (0..253_402_300_800).contains(&time.unix()) {
                    proptest::prop_assert_eq!(Time::from_compact(&time.compact()), Some(time));
                    proptest::prop_assert_eq!(Time::from_rfc3339(&time.rfc3339()), Some(time));
                }
            }
        }
    }
}
