//! What opens the conversations when the passphrase is forgotten? A key on paper: 160 random bits as nine
//! groups of four letters and digits, the last of which tells a typo.

use portico_shared::error::{ApiError, ErrorCode};

use crate::key::tagged;
use crate::letters;

const BYTES: usize = 20;
/// Letters of the key, and of its check.
const N_KEY: usize = BYTES * 8 / 5;
const N_CHECK: usize = 4;

#[derive(Clone, PartialEq, Eq)]
pub struct RecoveryKey([u8; BYTES]);

impl RecoveryKey {
    /// From 20 random bytes.
    pub fn new(random: [u8; BYTES]) -> Self {
        Self(random)
    }

    /// As a person writes it down.
    pub fn to_text(&self) -> String {
        letters::grouped(&[letters::of_bytes(&self.0), self.check()].concat())
    }

    /// Reads what a person typed: case, blanks and dashes do not matter, nor do letters that look alike.
    ///
    /// # Errors
    /// `seal_recovery_typo`.
    pub fn from_text(text: &str) -> Result<Self, ApiError> {
        let typo = || ApiError::new(ErrorCode::SealRecoveryTypo);
        let typed = letters::typed(text).filter(|typed| typed.len() == N_KEY + N_CHECK);
        let typed = typed.ok_or_else(typo)?;
        let (key, check) = typed.split_at(N_KEY);
        let key = Self(letters::bytes(key).try_into().map_err(|_| typo())?);
        if check == key.check() { Ok(key) } else { Err(typo()) }
    }

    pub(crate) fn wrapping(&self) -> [u8; 32] {
        // 160 random bits need no slow function.
        tagged(b"portico recovery wrapping", &self.0)
    }

    fn check(&self) -> Vec<u8> {
        let mut check = letters::of_bytes(&tagged(b"portico recovery check", &self.0)[..5]);
        check.truncate(N_CHECK);
        check
    }
}
