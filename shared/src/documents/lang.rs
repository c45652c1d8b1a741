//! Is this German, English or something else? By the small words that every sentence has.

use super::DocLang;

const DE: &[&str] = &[
    "aber", "als", "am", "auch", "auf", "aus", "bei", "bis", "das", "dass", "dem", "den", "der",
    "des", "die", "dies", "diese", "dieser", "durch", "ein", "eine", "einem", "einen", "einer",
    "eines", "für", "haben", "hat", "ich", "ihr", "ihre", "im", "ist", "kann", "kein", "keine",
    "mit", "nach", "nicht", "noch", "nur", "oder", "sein", "sich", "sie", "sind", "über", "um",
    "und", "unter", "vom", "von", "vor", "war", "was", "wenn", "werden", "wie", "wir", "wird",
    "zu", "zum", "zur",
];
const EN: &[&str] = &[
    "about", "also", "and", "any", "are", "as", "at", "be", "been", "but", "by", "can", "do",
    "does", "for", "from", "has", "have", "how", "if", "is", "it", "its", "may", "more", "no",
    "not", "of", "on", "or", "should", "that", "the", "their", "there", "these", "they", "this",
    "to", "was", "we", "were", "what", "when", "which", "who", "will", "with", "would", "you",
    "your",
];
/// Small words of languages that share letters and some words with German or English.
const OTHERS: &[&[&str]] = &[
    &[
        "au", "aux", "avec", "ce", "cette", "dans", "de", "des", "du", "elle", "est", "et", "il",
        "la", "le", "les", "leur", "mais", "ne", "nous", "ou", "par", "pas", "plus", "pour", "qui",
        "que", "sont", "sur", "un", "une", "vous",
    ],
    &[
        "al", "como", "con", "de", "del", "el", "en", "es", "la", "las", "lo", "los", "más", "no",
        "para", "pero", "por", "que", "se", "son", "su", "sus", "un", "una", "y",
    ],
    &[
        "al", "alla", "che", "con", "da", "dei", "del", "della", "delle", "di", "e", "gli", "i",
        "il", "in", "la", "le", "nel", "non", "per", "più", "si", "sono", "un", "una", "è",
    ],
    &[
        "aan", "bij", "dat", "de", "deze", "die", "een", "en", "het", "ik", "in", "is", "met",
        "naar", "niet", "of", "om", "ook", "op", "te", "van", "voor", "wordt", "zijn",
    ],
    &[
        "ao", "as", "com", "como", "da", "das", "de", "do", "dos", "e", "em", "mais", "na", "no",
        "não", "o", "os", "para", "por", "que", "se", "um", "uma", "é",
    ],
    &["do", "i", "jest", "na", "nie", "o", "od", "po", "przez", "się", "to", "w", "z", "za", "że"],
];
/// So many words decide as well as a book does.
const WORDS_MAX: usize = 2000;
/// Fewer small words than this share of all decide nothing.
const SHARE_MIN: f32 = 0.06;

/// The language of a text; `Other`, too, where nothing decides.
pub fn detect(text: &str) -> DocLang {
    decided(text).unwrap_or(DocLang::Other)
}

/// The language, if the text has enough words to tell.
pub(super) fn decided(text: &str) -> Option<DocLang> {
    let (mut n_words, mut n_foreign) = (0_usize, 0_usize);
    let (mut de, mut en) = (0_usize, 0_usize);
    let mut others = [0_usize; OTHERS.len()];
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    for word in words.take(WORDS_MAX) {
        n_words += 1;
        // Neither language is written so.
        n_foreign += usize::from(word.chars().any(|c| c as u32 > 0x24f));
        // German alone has these letters among those that are looked for.
        if word.contains(['ä', 'ß', 'ö', 'ü']) {
            de += 1;
        }
        let lower = word.to_lowercase();
        de += usize::from(DE.contains(&lower.as_str()));
        en += usize::from(EN.contains(&lower.as_str()));
        for (n, list) in others.iter_mut().zip(OTHERS) {
            *n += usize::from(list.contains(&lower.as_str()));
        }
    }
    let other = others.into_iter().max().unwrap_or(0);
    if n_words >= 3 && n_foreign * 2 > n_words {
        return Some(DocLang::Other);
    }
    let best = de.max(en).max(other);
    if best < 2 || (best as f32) < SHARE_MIN * n_words as f32 {
        return None;
    }
    match (de, en) {
        (de, en) if de > en && de >= other => Some(DocLang::De),
        (de, en) if en > de && en >= other => Some(DocLang::En),
        (de, en) if other > de && other > en => Some(DocLang::Other),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_german_english_and_the_rest_apart() {
        let check = |text: &str, expected: DocLang| assert_eq!(detect(text), expected, "{text}");
        check("Wie setze ich mein Passwort zurück?", DocLang::De);
        check("Die Mitgliederversammlung wählt den Vorstand für zwei Jahre.", DocLang::De);
        check("How do I reset my password?", DocLang::En);
        check("The general meeting elects the board for two years.", DocLang::En);
        check("Les membres du bureau sont élus pour deux ans par l'assemblée.", DocLang::Other);
        check("Los miembros de la junta son elegidos por dos años.", DocLang::Other);
        check("Het bestuur wordt voor twee jaar gekozen en is van de leden.", DocLang::Other);
        check("Члены правления избираются на два года.", DocLang::Other);
        check("12 | 13 | 14", DocLang::Other);
        assert_eq!(decided("Müller GmbH"), None);
    }
}
