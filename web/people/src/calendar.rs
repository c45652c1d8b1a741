//! Which day is it, and which days lie together? Days as the server writes them: `2026-11-26`, UTC.

use crate::audit::day_of;

const DAY_MS: f64 = 86_400_000.0;

/// Days since 1970.
pub fn number_from_day(day: &str) -> Option<i64> {
    day_of(day)
}

/// The day of so many milliseconds since 1970.
pub fn day_from_ms(ms: f64) -> String {
    day_from_number((ms / DAY_MS).floor() as i64)
}

/// Howard Hinnant's civil_from_days: years begin in March, so that leap days end them.
pub fn day_from_number(number: i64) -> String {
    let days = number + 719_468;
    let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

/// How many days a bar of a plot has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grain {
    Day,
    Week,
    Month,
}

impl Grain {
    /// So that a plot of so many days has bars that can be told apart on a phone.
    pub fn of(n_days: i64) -> Self {
        match n_days {
            ..=45 => Self::Day,
            46..=200 => Self::Week,
            _ => Self::Month,
        }
    }

    /// The first day of the stretch that a day lies in.
    pub fn first(self, number: i64) -> i64 {
        match self {
            Self::Day => number,
            // The first of January 1970 was a Thursday; weeks begin on Mondays.
            Self::Week => number - (number + 3).rem_euclid(7),
            Self::Month => {
                let day = day_from_number(number);
                let of_month = day.get(8..).and_then(|of_month| of_month.parse::<i64>().ok());
                number - of_month.map_or(0, |of_month| of_month - 1)
            }
        }
    }

    /// The first days of all stretches between two days, both of them in it.
    pub fn firsts(self, from: i64, to: i64) -> Vec<i64> {
        let mut firsts = Vec::new();
        let mut next = self.first(from);
        while next <= to && firsts.len() < 1_000 {
            firsts.push(next);
            next = match self {
                Self::Day => next + 1,
                Self::Week => next + 7,
                // No month has more days than lie between its first and this.
                Self::Month => self.first(next + 31),
            };
        }
        firsts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_numbers_lead_back() {
        for day in ["1970-01-01", "2000-02-29", "2024-12-31", "2026-03-01", "2026-11-26"] {
            let number = number_from_day(day).expect("a day");
            assert_eq!(day_from_number(number), day);
            assert_eq!(day_from_ms((number as f64 + 0.5) * DAY_MS), day);
        }
    }

    #[test]
    fn weeks_begin_on_mondays_and_months_on_their_first() {
        let number = |day: &str| number_from_day(day).expect("a day");
        // The 26th of November 2026 is a Thursday.
        assert_eq!(Grain::Week.first(number("2026-11-26")), number("2026-11-23"));
        assert_eq!(Grain::Week.first(number("2026-11-23")), number("2026-11-23"));
        assert_eq!(Grain::Month.first(number("2026-11-26")), number("2026-11-01"));
        let days = |grain: Grain, from: &str, to: &str| -> Vec<String> {
            grain.firsts(number(from), number(to)).into_iter().map(day_from_number).collect()
        };
        assert_eq!(days(Grain::Day, "2026-02-27", "2026-03-01").len(), 3);
        assert_eq!(
            days(Grain::Month, "2025-12-15", "2026-03-01"),
            ["2025-12-01", "2026-01-01", "2026-02-01", "2026-03-01"]
        );
        assert_eq!(days(Grain::Week, "2026-11-26", "2026-12-01"), ["2026-11-23", "2026-11-30"]);
    }

    #[test]
    fn the_longer_the_time_the_wider_the_bars() {
        let of = [1, 45, 46, 200, 201].map(Grain::of);
        assert_eq!(of, [Grain::Day, Grain::Day, Grain::Week, Grain::Week, Grain::Month]);
    }
}
