//! Points in time and durations, in whole seconds. The only reader of the clock.

use std::str::FromStr;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use crate::env;

/// A point in time: seconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Time(i64);

impl Time {
    /// Returns the wall clock's time, cut to the second. Debug builds take it from `PGCRED_TEST_NOW` (RFC 3339) if set.
    #[expect(clippy::disallowed_methods, reason = "the one clock")]
    pub(crate) fn now() -> Self {
        if cfg!(debug_assertions)
            && let Some(time) = env::var("PGCRED_TEST_NOW").and_then(|text| Self::from_rfc3339(&text))
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

    pub(crate) fn from_unix(seconds: i64) -> Self {
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
        DateTime::from_secs(self.0).fmt(Format::DateTime).unwrap_or_else(|_| self.0.to_string())
    }

    pub(crate) fn from_rfc3339(text: &str) -> Option<Self> {
        DateTime::from_str(text, Format::DateTimeWithOffset).ok().map(|time| Self(time.secs()))
    }

    /// Reads a time as AWS's tools write them: RFC 3339, also with a blank for `T`, `UTC` for `Z`, `+0100` for `+01:00`.
    pub(crate) fn from_aws(text: &str) -> Option<Self> {
        let mut text = text.trim().replacen(' ', "T", 1);
        if let Some(front) = text.strip_suffix("UTC") {
            text = format!("{front}Z");
        }
        let colon = text.len().checked_sub(2)?;
        if colon >= 22 && text.is_char_boundary(colon) && text[..colon].rfind(['+', '-']) == Some(colon - 3) {
            text.insert(colon, ':');
        }
        Self::from_rfc3339(&text)
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
        let spread =
            [&date[..4], "-", &date[4..6], "-", &date[6..], "T", &time[..2], ":", &time[2..4], ":", &time[4..]];
        Self::from_rfc3339(&spread.concat())
    }
}

/// Seconds given as the AWS CLI takes them (`900`), or with a unit: `90s`, `15m`, `12h`, `7d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seconds(pub u32);

impl FromStr for Seconds {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const UNITS: [(char, u32); 4] = [('s', 1), ('m', 60), ('h', 3_600), ('d', 86_400)];
        let text = text.trim();
        let unit = UNITS.iter().find(|(letter, _)| text.ends_with(*letter));
        let (digits, factor) = unit.map_or((text, 1), |(_, factor)| (&text[..text.len() - 1], *factor));
        number(digits)
            .and_then(|number| number.checked_mul(factor))
            .map(Self)
            .ok_or_else(|| "not a duration; give seconds (900) or 90s, 15m, 12h, 7d".to_owned())
    }
}

/// Reads a number as Python does, and so the AWS CLI: a sign, leading zeros and single underscores are allowed.
pub(crate) fn number(text: &str) -> Option<u32> {
    let digits = text.strip_prefix('+').unwrap_or(text);
    let well_formed = digits.split('_').all(|run| !run.is_empty() && run.bytes().all(|b| b.is_ascii_digit()));
    well_formed.then(|| digits.replace('_', "").parse().ok()).flatten()
}

/// Returns a duration for people: `45 s`, `15 min`, `2 h 5 min`, `7 d`.
pub(crate) fn spoken(seconds: u32) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 if (seconds % 3_600) / 60 > 0 => format!("{} h {} min", seconds / 3_600, (seconds % 3_600) / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
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
        for bad in
            ["", "20280229T040506", "20280229 040506Z", "2028é229T04050Z", "20281329T040506Z", "T20280229040506Z"]
        {
            assert_eq!(Time::from_compact(bad), None, "{bad}");
        }
    }

    #[test]
    fn durations() {
        for (text, seconds) in
            [("900", 900), (" 900 ", 900), ("+900", 900), ("0900", 900), ("1_000", 1000), ("15m", 900), ("7d", 604_800)]
        {
            assert_eq!(text.parse(), Ok(Seconds(seconds)), "{text}");
        }
        for bad in ["", "abc", "-1", "900.5", "1__0", "_1", "m", "5 m", "1w", "99999999999", "99999999d", "١"] {
            assert!(bad.parse::<Seconds>().is_err(), "{bad}");
        }
    }
}
