//! How do random bits become what a person writes down and types? Crockford's letters and digits, five bits
//! each, in groups of four.

/// Without I, L, O and U, which are misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const GROUP: usize = 4;

/// Eight letters for five bytes.
pub fn of_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut letters = Vec::new();
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        letters.extend((0..8).rev().map(|n| ALPHABET[(bits >> (5 * n) & 31) as usize]));
    }
    letters
}

/// With dashes between groups.
pub fn grouped(letters: &[u8]) -> String {
    let groups = letters.chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned());
    groups.collect::<Vec<_>>().join("-")
}

/// Letters of what a person typed: case, blanks and dashes do not matter, nor what looks alike. None: others
/// are among them.
pub fn typed(text: &str) -> Option<Vec<u8>> {
    let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_'));
    kept.map(|letter| {
        let letter = match letter.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        };
        ALPHABET.iter().copied().find(|&known| char::from(known) == letter)
    })
    .collect()
}

/// Bytes of known letters, five for eight.
pub fn bytes(letters: &[u8]) -> Vec<u8> {
    let value = |letter: &u8| ALPHABET.iter().position(|known| known == letter).unwrap_or(0) as u64;
    letters
        .chunks(8)
        .flat_map(|group| {
            let bits = group.iter().fold(0_u64, |bits, letter| bits << 5 | value(letter));
            bits.to_be_bytes()[3..].to_vec()
        })
        .collect()
}
