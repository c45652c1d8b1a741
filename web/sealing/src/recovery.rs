//! What opens the conversations when the passphrase is forgotten? A key on paper: 160 random bits as nine
//! groups of four letters and digits, the last of which tells a typo.

use portico_shared::error::{ApiError, ErrorCode};

use crate::key::tagged;

/// Crockford's: without I, L, O and U, which are misread.
const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const BYTES: usize = 20;
/// Letters of the key, and of its check.
const N_KEY: usize = BYTES * 8 / 5;
const N_CHECK: usize = 4;
const GROUP: usize = 4;

#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryKey([u8; BYTES]);

impl RecoveryKey {
    /// From 20 random bytes.
    pub fn new(random: [u8; BYTES]) -> Self {
        Self(random)
    }

    /// As a person writes it down.
    pub fn to_text(&self) -> String {
        let letters = [letters(&self.0), self.check()].concat();
        let groups = letters.chunks(GROUP).map(|group| String::from_utf8_lossy(group).into_owned());
        groups.collect::<Vec<_>>().join("-")
    }

    /// Reads what a person typed: case, blanks and dashes do not matter, nor do letters that look alike.
    ///
    /// # Errors
    /// `seal_recovery_typo`.
    pub fn from_text(text: &str) -> Result<Self, ApiError> {
        let typo = || ApiError::new(ErrorCode::SealRecoveryTypo);
        let kept = text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '_'));
        let values = kept.map(value_of).collect::<Option<Vec<u8>>>().ok_or_else(typo)?;
        if values.len() != N_KEY + N_CHECK {
            return Err(typo());
        }
        let mut bytes = [0; BYTES];
        for (group, bytes) in values[..N_KEY].chunks(8).zip(bytes.chunks_mut(5)) {
            let bits = group.iter().fold(0_u64, |bits, &value| bits << 5 | u64::from(value));
            bytes.copy_from_slice(&bits.to_be_bytes()[3..]);
        }
        let key = Self(bytes);
        let check: Vec<u8> = values[N_KEY..].iter().map(|&v| ALPHABET[usize::from(v)]).collect();
        if check == key.check() { Ok(key) } else { Err(typo()) }
    }

    pub(crate) fn wrapping(&self) -> [u8; 32] {
        // 160 random bits need no slow function.
        tagged(b"portico recovery wrapping", &self.0)
    }

    fn check(&self) -> Vec<u8> {
        letters(&tagged(b"portico recovery check", &self.0)[..5])[..N_CHECK].to_vec()
    }
}

/// Eight letters for five bytes.
fn letters(bytes: &[u8]) -> Vec<u8> {
    let mut letters = Vec::new();
    for chunk in bytes.chunks(5) {
        let bits = chunk.iter().fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
        letters.extend((0..8).rev().map(|n| ALPHABET[(bits >> (5 * n) & 31) as usize]));
    }
    letters
}

fn value_of(letter: char) -> Option<u8> {
    let letter = match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    ALPHABET.iter().position(|&known| char::from(known) == letter).map(|at| at as u8)
}
