//! How are numbers, bytes, rates and times written in each language?

use portico_shared::error::Lang;

/// A number with `decimals` places, in the language's signs: `8,192.5` or `8.192,5`.
pub fn number(lang: Lang, value: f64, decimals: usize) -> String {
    if !value.is_finite() {
        return "–".to_owned();
    }
    let (group, point) = match lang {
        Lang::En => (',', '.'),
        Lang::De => ('.', ','),
    };
    let plain = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = plain.split_once('.').unwrap_or((&plain, ""));
    let mut out = String::new();
    if value < 0.0 && plain.bytes().any(|b| (b'1'..=b'9').contains(&b)) {
        out.push('−');
    }
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(group);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(point);
        out.push_str(fraction);
    }
    out
}

/// A whole number.
pub fn integer(lang: Lang, value: u64) -> String {
    number(lang, value as f64, 0)
}

/// Bytes in decimal units, as stores and networks count them: `98 MB`, `1.2 GB`.
pub fn bytes(lang: Lang, bytes: u64) -> String {
    const UNITS: [(f64, &str); 3] = [(1e9, "GB"), (1e6, "MB"), (1e3, "KB")];
    let value = bytes as f64;
    for (size, unit) in UNITS {
        // Half a unit below, the smaller unit's number would already round up to 1,000.
        if value >= size * 0.9995 {
            let scaled = value / size;
            let decimals = usize::from(scaled < 10.0 && unit != "KB");
            return format!("{}\u{a0}{unit}", number(lang, scaled, decimals));
        }
    }
    format!("{}\u{a0}B", integer(lang, bytes))
}

/// `12 MB/s`
pub fn byte_rate(lang: Lang, bytes_per_s: f64) -> String {
    format!("{}/s", bytes(lang, bytes_per_s.max(0.0) as u64))
}

/// A time that a person waits: `8 s`, `3 min`, `1 h 5 min`.
pub fn wait(lang: Lang, seconds: f64) -> String {
    let hours = match lang {
        Lang::En => "h",
        Lang::De => "Std.",
    };
    let seconds = seconds.max(0.0).ceil() as u64;
    match seconds {
        0..90 => format!("{seconds}\u{a0}s"),
        90..3_600 => format!("{}\u{a0}min", (seconds + 30) / 60),
        _ => {
            let minutes = (seconds + 30) / 60;
            match minutes % 60 {
                0 => format!("{}\u{a0}{hours}", minutes / 60),
                rest => format!("{}\u{a0}{hours} {rest}\u{a0}min", minutes / 60),
            }
        }
    }
}

/// A measured time: `340 ms`, `1.2 s`.
pub fn milliseconds(lang: Lang, ms: f64) -> String {
    if ms < 999.5 {
        format!("{}\u{a0}ms", number(lang, ms, 0))
    } else {
        format!("{}\u{a0}s", number(lang, ms / 1_000.0, 1))
    }
}

/// Tokens a second, with one place below ten.
pub fn token_rate(lang: Lang, tokens_per_s: f64) -> String {
    number(lang, tokens_per_s, usize::from(tokens_per_s < 99.95))
}

/// A share in percent, never 100 before it is whole.
pub fn percent(lang: Lang, done: u64, total: u64) -> String {
    let share = whole_percent(done, total);
    match lang {
        Lang::En => format!("{share}%"),
        Lang::De => format!("{share}\u{a0}%"),
    }
}

/// 0 to 100, 100 only when all is done.
pub fn whole_percent(done: u64, total: u64) -> u64 {
    match total {
        0 => 0,
        _ => (u128::from(done.min(total)) * 100 / u128::from(total)) as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_follow_the_language() {
        assert_eq!(number(Lang::En, 1_234_567.891, 2), "1,234,567.89");
        assert_eq!(number(Lang::De, 1_234_567.891, 2), "1.234.567,89");
        assert_eq!(number(Lang::De, -0.04, 1), "0,0");
        assert_eq!(number(Lang::En, -12.0, 0), "−12");
        assert_eq!(number(Lang::En, f64::NAN, 0), "–");
        assert_eq!(integer(Lang::De, 8_192), "8.192");
        assert_eq!(integer(Lang::En, 192), "192");
    }

    #[test]
    fn bytes_take_the_unit_that_reads_well() {
        assert_eq!(bytes(Lang::En, 0), "0\u{a0}B");
        assert_eq!(bytes(Lang::En, 999), "999\u{a0}B");
        assert_eq!(bytes(Lang::En, 999_700), "1.0\u{a0}MB");
        assert_eq!(bytes(Lang::De, 98_400_000), "98\u{a0}MB");
        assert_eq!(bytes(Lang::De, 1_234_000_000), "1,2\u{a0}GB");
        assert_eq!(byte_rate(Lang::En, 4_200_000.0), "4.2\u{a0}MB/s");
    }

    #[test]
    fn times_are_rounded_as_people_say_them() {
        assert_eq!(wait(Lang::En, 7.2), "8\u{a0}s");
        assert_eq!(wait(Lang::En, 150.0), "3\u{a0}min");
        assert_eq!(wait(Lang::De, 3_900.0), "1\u{a0}Std. 5\u{a0}min");
        assert_eq!(wait(Lang::En, 7_200.0), "2\u{a0}h");
        assert_eq!(milliseconds(Lang::De, 1_240.0), "1,2\u{a0}s");
        assert_eq!(milliseconds(Lang::En, 339.7), "340\u{a0}ms");
        assert_eq!(token_rate(Lang::En, 12.34), "12.3");
    }

    #[test]
    fn percent_reaches_a_hundred_only_at_the_end() {
        assert_eq!(whole_percent(999, 1_000), 99);
        assert_eq!(whole_percent(1_000, 1_000), 100);
        assert_eq!(whole_percent(5, 0), 0);
        assert_eq!(percent(Lang::De, 1, 2), "50\u{a0}%");
    }
}
