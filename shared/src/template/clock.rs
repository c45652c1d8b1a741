//! What does `strftime_now` say, given the time as an argument?

use std::fmt::Write;

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const WEEKDAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const DAY_S: i64 = 86_400;

/// A date and time of the Gregorian calendar.
struct Civil {
    year: i64,
    /// From 1.
    month: usize,
    /// From 1.
    day: i64,
    /// From 1.
    day_of_year: i64,
    /// From Sunday, 0.
    weekday: usize,
    /// Of the day.
    second: i64,
}

/// After Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`: years
/// begin in March, so that the leap day is the last.
fn civil_from_unix_s(unix_s: i64) -> Civil {
    let days = unix_s.div_euclid(DAY_S);
    let from_march_0 = days + 719_468;
    let era = from_march_0.div_euclid(146_097);
    let day_of_era = from_march_0.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_march_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_march_year + 2) / 153;
    let day = day_of_march_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let day_of_year = if month <= 2 {
        day_of_march_year - 305
    } else {
        day_of_march_year + 60 + i64::from(is_leap)
    };
    Civil {
        year,
        month: month as usize,
        day,
        day_of_year,
        weekday: (days + 4).rem_euclid(7) as usize,
        second: unix_s.rem_euclid(DAY_S),
    }
}

/// `format` with C's conversions filled in, English names.
///
/// # Errors
/// Names a conversion that is unknown.
pub fn strftime(format: &str, unix_s: i64) -> Result<String, String> {
    let time = civil_from_unix_s(unix_s);
    let (hour, minute, second) = (time.second / 3_600, time.second / 60 % 60, time.second % 60);
    let hour_12 = (hour + 11) % 12 + 1;
    let (weekday, month) = (WEEKDAYS[time.weekday], MONTHS[time.month - 1]);
    let month_number = time.month as i64;

    let mut out = String::new();
    let mut rest = format.chars();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        // `-`: without leading zeros.
        let (pads, conversion) = match rest.next() {
            Some('-') => (false, rest.next()),
            other => (true, other),
        };
        let mut number = |value: i64, width: usize| {
            let width = if pads { width } else { 0 };
            // Writing to a string cannot fail.
            let _ = write!(out, "{value:0width$}");
        };
        match conversion {
            Some('Y') => number(time.year, 4),
            Some('y') => number(time.year.rem_euclid(100), 2),
            Some('m') => number(month_number, 2),
            Some('d') => number(time.day, 2),
            Some('j') => number(time.day_of_year, 3),
            Some('H') => number(hour, 2),
            Some('I') => number(hour_12, 2),
            Some('M') => number(minute, 2),
            Some('S') => number(second, 2),
            Some('e') => out.push_str(&format!("{:2}", time.day)),
            Some('B') => out.push_str(month),
            Some('b' | 'h') => out.push_str(&month[..3]),
            Some('A') => out.push_str(weekday),
            Some('a') => out.push_str(&weekday[..3]),
            Some('p') => out.push_str(if hour < 12 { "AM" } else { "PM" }),
            Some('F') => out.push_str(&strftime("%Y-%m-%d", unix_s)?),
            Some('T') => out.push_str(&strftime("%H:%M:%S", unix_s)?),
            Some('D') => out.push_str(&strftime("%m/%d/%y", unix_s)?),
            Some('%') => out.push('%'),
            Some(other) => return Err(format!("`%{other}` in a date's format")),
            None => return Err("a date's format that ends in `%`".to_owned()),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::strftime;

    #[track_caller]
    fn check(unix_s: i64, format: &str, expect: &str) {
        assert_eq!(strftime(format, unix_s).as_deref(), Ok(expect));
    }

    #[test]
    fn writes_dates_as_c_does() {
        check(0, "%A, %d %B %Y %H:%M:%S %j", "Thursday, 01 January 1970 00:00:00 001");
        check(1_721_952_000, "%d %b %Y", "26 Jul 2024");
        check(951_782_400, "%F %a %j", "2000-02-29 Tue 060");
        check(1_735_603_199, "%F %T %j %-I %p", "2024-12-30 23:59:59 365 11 PM");
        check(4_107_542_400, "%F %-d.%-m.%y %j", "2100-03-01 1.3.00 060");
        check(-1, "%F %T", "1969-12-31 23:59:59");
        check(12 * 3_600 + 61, "%I:%M %p%%", "12:01 PM%");
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert_eq!(strftime("%Q", 0), Err("`%Q` in a date's format".to_owned()));
        assert!(strftime("50%", 0).is_err());
    }
}
