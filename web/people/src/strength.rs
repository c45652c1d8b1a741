//! How hard is a passphrase to guess? An estimate that a person understands, not a promise: words count less
//! than their letters, and what repeats counts once.

use std::collections::BTreeSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Strength {
    Weak,
    Fair,
    Strong,
}

/// Bits of a guess, by which one and the next begins: each guess costs 64 MiB and a fifth of a second.
const FAIR_BITS: f64 = 42.0;
const STRONG_BITS: f64 = 58.0;
/// A word of a language, however long it is.
const WORD_BITS: f64 = 14.0;
const LETTER_BITS: f64 = 4.7;
const DIGIT_BITS: f64 = 3.3;
const SIGN_BITS: f64 = 5.0;

impl Strength {
    pub fn of(passphrase: &str) -> Self {
        match bits(passphrase) {
            bits if bits >= STRONG_BITS => Self::Strong,
            bits if bits >= FAIR_BITS => Self::Fair,
            _ => Self::Weak,
        }
    }
}

fn bits(passphrase: &str) -> f64 {
    let lower = passphrase.to_lowercase();
    let words: BTreeSet<&str> =
        lower.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty()).collect();
    let of_words = words.iter().map(|word| {
        let letters: BTreeSet<char> = word.chars().collect();
        let n_letters = word.chars().count().min(2 * letters.len());
        (n_letters as f64 * LETTER_BITS).min(WORD_BITS)
    });
    let mut others: Vec<char> = lower.chars().filter(|c| !c.is_alphabetic() && *c != ' ').collect();
    // A row, such as 1234 or 1111, is one sign.
    others.dedup_by(|next, last| {
        let step = i64::from(u32::from(*next)) - i64::from(u32::from(*last));
        let is_row = (-1..=1).contains(&step);
        if is_row {
            *last = *next;
        }
        is_row
    });
    let of_others = others.iter().map(|c| if c.is_numeric() { DIGIT_BITS } else { SIGN_BITS });
    of_words.sum::<f64>() + of_others.sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_make_it_strong_and_rows_do_not() {
        for weak in
            ["", "passwort1234", "aaaaaaaaaaaaaaaa", "123456789012", "hallo hallo hallo hallo"]
        {
            assert_eq!(Strength::of(weak), Strength::Weak, "{weak}");
        }
        assert_eq!(Strength::of("Müller, Maier, Kirschbaum"), Strength::Fair);
        for strong in ["Zwetschge Leuchtturm Amboss Fenchel Quark", "k7$Qm2!x9Lw-z4Rt"] {
            assert_eq!(Strength::of(strong), Strength::Strong, "{strong}");
        }
    }
}
