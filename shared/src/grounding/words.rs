//! Which words of a text carry its meaning, and which language is it?
//!
//! For comparing a question or a sentence with a passage, in German and English: no dictionary, but
//! folded umlauts, cut endings, and parts of compounds.

use crate::error::Lang;

/// Words that carry no meaning of their own, ascending.
const ENGLISH: &str = "a about after all also am an and any are as at be been before but by can could \
    did do does for from get had has have he her here him his how i if in into is it its just know like \
    many may me more most much must my no not now of on one only or other our out over please say she \
    should so some such tell than that the their them then there these they thing this those to too \
    under up us use used very was we were what when where which who whom whose why will with would yes \
    you your";
const GERMAN: &str = "ab aber alle allem allen aller alles als also am an auch auf aus bei beim bin bis \
    bitte da damit dann das dass dein dem den denn der des die dies diese diesem diesen dieser dieses \
    doch dort du durch ein eine einem einen einer eines er es etwas für gibt haben habt hat hatte hier \
    ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes kann \
    kannst können könnt man mehr mein mich mir mit muss müssen nach nicht noch nun nur ob oder ohne sage \
    sehr sein seine seinem seinen seiner sich sie sind so soll sollen sowie um und uns unser unter vom \
    von vor war waren warum was weil welche welchem welchen welcher welches wenn wer werden wie wieso \
    will wir wird wo wurde wurden zu zum zur zwischen über";

/// A word's stem and how much it says.
#[derive(Clone, Debug, PartialEq)]
pub struct Word {
    pub stem: String,
    /// Longer words are rarer.
    pub weight: f32,
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

fn is_in(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// The words that say something, each once.
pub fn content_words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    for word in words(text) {
        let lower = word.to_lowercase();
        let n_chars = lower.chars().count();
        let is_number = lower.chars().all(|c| c.is_ascii_digit());
        if (n_chars < 3 && !is_number) || is_in(ENGLISH, &lower) || is_in(GERMAN, &lower) {
            continue;
        }
        let stem = stem(&lower);
        if found.iter().all(|word| word.stem != stem) {
            found.push(Word { stem, weight: (n_chars as f32).clamp(3.0, 9.0) });
        }
    }
    found
}

/// Folded, without its ending.
fn stem(lower: &str) -> String {
    let mut folded = String::with_capacity(lower.len());
    for c in lower.chars() {
        match c {
            'ä' => folded.push('a'),
            'ö' => folded.push('o'),
            'ü' => folded.push('u'),
            'ß' => folded.push_str("ss"),
            _ => folded.push(c),
        }
    }
    const ENDINGS: [&str; 12] =
        ["ingen", "ing", "ern", "ed", "en", "em", "er", "es", "ly", "e", "n", "s"];
    let cut = ENDINGS.iter().find_map(|ending| {
        let rest = folded.strip_suffix(ending)?;
        (rest.len() >= 4).then_some(rest.len())
    });
    folded.truncate(cut.unwrap_or(folded.len()));
    folded
}

/// Whether a stem is a number: what a text says with it is wrong with another.
pub fn is_number(stem: &str) -> bool {
    stem.bytes().all(|byte| byte.is_ascii_digit())
}

/// A text's words, for finding others among them.
pub struct Bag(Vec<String>);

/// Shortest part of a compound that counts.
const PART_BYTES: usize = 5;

impl Bag {
    pub fn new(texts: &[&str]) -> Self {
        let stems =
            texts.iter().flat_map(|text| words(text)).map(|word| stem(&word.to_lowercase()));
        let mut stems: Vec<String> = stems.collect();
        stems.sort_unstable();
        stems.dedup();
        Self(stems)
    }

    pub fn has(&self, word: &str) -> bool {
        if self.0.binary_search_by(|stem| stem.as_str().cmp(word)).is_ok() {
            return true;
        }
        let is_part = |short: &str, long: &str| short.len() >= PART_BYTES && long.contains(short);
        self.0.iter().any(|stem| is_part(word, stem) || is_part(stem, word))
    }

    /// How much of what `words` say is found here, 0 to 1, and how many of them.
    pub fn share(&self, words: &[Word]) -> (f32, usize) {
        let (mut found, mut all, mut n_found) = (0.0, 0.0, 0);
        for word in words {
            all += word.weight;
            if self.has(&word.stem) {
                found += word.weight;
                n_found += 1;
            }
        }
        if all > 0.0 { (found / all, n_found) } else { (0.0, 0) }
    }
}

/// The language of a text of a few words or more; none where it does not show.
pub fn lang_of(text: &str) -> Option<Lang> {
    let (mut german, mut english) = (0, 0);
    for word in words(text) {
        let lower = word.to_lowercase();
        german += u32::from(is_in(GERMAN, &lower));
        english += u32::from(is_in(ENGLISH, &lower));
    }
    german += text.chars().filter(|c| "äöüßÄÖÜ".contains(*c)).count() as u32;
    match german.cmp(&english) {
        std::cmp::Ordering::Greater => Some(Lang::De),
        std::cmp::Ordering::Less => Some(Lang::En),
        std::cmp::Ordering::Equal => None,
    }
}
