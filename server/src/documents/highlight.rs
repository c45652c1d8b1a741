//! Which words of a passage are those that were asked for?
//!
//! For the eye only: it is the indexes that decide what is found. A word is marked when it is one of the
//! question's, its inflection, or a German compound that holds it.

/// Shorter words are marked only where they are the same.
const STEM_CHARS_MIN: usize = 4;
/// What an inflection may add or change at a word's end.
const ENDING_CHARS: usize = 3;
const MARKS_MAX: usize = 100;

/// Words of every text, which mark nothing.
const STOP_WORDS: [&str; 48] = [
    "a", "an", "and", "are", "as", "at", "be", "by", "can", "do", "does", "for", "from", "how",
    "i", "in", "is", "it", "of", "on", "or", "the", "to", "what", "when", "where", "which", "who",
    "with", "am", "auf", "das", "dem", "den", "der", "die", "ein", "eine", "für", "im", "ist",
    "mit", "und", "von", "was", "wie", "wo", "zu",
];

/// Parts of `text` in chars, in order, the ends not included.
pub fn highlights(query: &str, text: &str) -> Vec<[u32; 2]> {
    let mut asked: Vec<Vec<char>> = words(query).into_iter().map(|(_, word)| word).collect();
    asked.retain(|word| !STOP_WORDS.contains(&word.iter().collect::<String>().as_str()));
    if asked.is_empty() {
        return Vec::new();
    }
    let marked =
        words(text).into_iter().filter(|(_, word)| asked.iter().any(|asked| is_of(word, asked)));
    marked.map(|(at, _)| at).take(MARKS_MAX).collect()
}

/// Runs of letters and digits in lower case, with their places.
fn words(text: &str) -> Vec<([u32; 2], Vec<char>)> {
    let mut found = Vec::new();
    let mut word: Vec<char> = Vec::new();
    let mut start = 0;
    for (at, c) in (0..).zip(text.chars().chain([' '])) {
        if c.is_alphanumeric() {
            if word.is_empty() {
                start = at;
            }
            word.extend(c.to_lowercase());
        } else if !word.is_empty() {
            found.push(([start, at], std::mem::take(&mut word)));
        }
    }
    found
}

fn is_of(word: &[char], asked: &[char]) -> bool {
    if word == asked {
        return true;
    }
    let n_stem = asked.len().saturating_sub(ENDING_CHARS).max(STEM_CHARS_MIN);
    let Some(stem) = asked.get(..n_stem) else { return false };
    let is_inflected = word.starts_with(stem) && word.len() <= asked.len() + ENDING_CHARS;
    is_inflected || (asked.len() > STEM_CHARS_MIN && word.windows(asked.len()).any(|w| w == asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_inflections_and_compounds_are_marked() {
        #[track_caller]
        fn check(query: &str, text: &str, expected: &[&str]) {
            let chars: Vec<char> = text.chars().collect();
            let marked: Vec<String> = highlights(query, text)
                .iter()
                .map(|[a, b]| chars[*a as usize..*b as usize].iter().collect())
                .collect();
            assert_eq!(marked, expected, "{query}");
        }
        check("the opening hours", "Opening: the hour is open.", &["Opening", "hour", "open"]);
        check("Gebühren für Müll", "Die Müllgebühr (für Müll) ist fällig.", &["Müll"]);
        check(
            "Gebühr",
            "Die Müllgebühren und Gebühren 🙂 Gebühr",
            &["Müllgebühren", "Gebühren", "Gebühr"],
        );
        check("der die das", "der die das", &[]);
        check("", "text", &[]);
    }
}
