//! Time: a clock that tests may shift or freeze, and `YYYYMMDDTHHMMSSZ` to and from Unix seconds.

use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

/// The wall clock plus an offset, unless frozen.
#[derive(Debug)]
pub(crate) struct Clock(Mutex<Setting>);

#[derive(Debug, Clone, Copy)]
struct Setting {
    frozen: Option<u64>,
    offset: i64,
}

impl Clock {
    pub(crate) fn new(frozen: Option<u64>, offset: i64) -> Self {
        Self(Mutex::new(Setting { frozen, offset }))
    }

    pub(crate) fn freeze(&self, now: Option<u64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).frozen = now;
    }

    pub(crate) fn shift(&self, offset: i64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).offset = offset;
    }

    pub(crate) fn now(&self) -> u64 {
        let setting = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        setting.frozen.unwrap_or_else(|| {
            let wall = SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .map_or(0, |d| d.as_secs());
            wall.saturating_add_signed(setting.offset)
        })
    }
}

/// `1724716800` -> `20240827T000000Z`.
#[must_use]
pub fn amz_date(unix: u64) -> String {
    // Howard Hinnant's civil_from_days, on a year that begins in March so that the leap day comes
    // last.
    let (day_number, second) = (unix / 86_400 + 719_468, unix % 86_400);
    let (era, day_of_era) = (day_number / 146_097, day_number % 146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
    format!("{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}Z")
}

/// `20240827T000000Z` -> `1724716800`; `None` for anything that is not a real second since 1970
/// written in that form.
#[must_use]
pub fn unix_seconds(amz_date: &str) -> Option<u64> {
    let number = |range: std::ops::Range<usize>| amz_date.get(range)?.parse::<u64>().ok();
    let (year, month, day) = (number(0..4)?, number(4..6)?, number(6..8)?);
    let (hour, minute, second) = (number(9..11)?, number(11..13)?, number(13..15)?);
    if !(1..=12).contains(&month) || year < 1970 {
        return None;
    }
    let (year, shifted) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = 365 * year + year / 4 - year / 100
        + year / 400
        + (153 * shifted + 2) / 5
        + day.checked_sub(1)?;
    let unix = days.checked_sub(719_468)? * 86_400 + hour * 3_600 + minute * 60 + second;
    // Printing it again catches every other flaw: day 31 of June, second 60, a plus sign, a missing
    // T or Z.
    (self::amz_date(unix) == amz_date).then_some(unix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_go_both_ways() {
        for (text, unix) in [
            ("19700101T000000Z", 0),
            ("20000229T235959Z", 951_868_799),
            ("20240827T000000Z", 1_724_716_800),
            ("20280229T040506Z", 1_835_409_906),
            ("21000301T000000Z", 4_107_542_400),
        ] {
            assert_eq!(unix_seconds(text), Some(unix), "{text}");
            assert_eq!(amz_date(unix), text);
        }
    }

    #[test]
    fn other_texts_are_no_dates() {
        for text in [
            "",
            "20240827",
            "20240827T000000",
            "20240827 000000Z",
            "20230229T000000Z",
            "20240631T000000Z",
            "20241301T000000Z",
            "20240100T000000Z",
            "20240827T240000Z",
            "20240827T000060Z",
            "+0240827T000000Z",
            "19691231T235959Z",
            "20240827T000000z",
            "2024-08-27T00:00:00Z",
        ] {
            assert_eq!(unix_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn a_frozen_clock_ignores_the_offset() {
        let clock = Clock::new(Some(5), 100);
        assert_eq!(clock.now(), 5);
        clock.freeze(None);
        let shifted = clock.now();
        clock.shift(-1_000);
        assert!((1_095..=1_105).contains(&(shifted - clock.now())));
    }
}
