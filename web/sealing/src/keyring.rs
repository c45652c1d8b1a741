//! What does the server keep so that a new device gets the account's key? The key itself, sealed under what
//! the person knows or has on paper.

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::key::{AccountKey, Nonce, decrypt, encrypt, tagged};
use crate::recovery::RecoveryKey;

/// 16 random bytes.
pub type Salt = [u8; 16];

pub const PASSPHRASE_CHARS_MIN: usize = 12;

/// What guessing one passphrase costs.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 1;
/// A keyring that asks for more is none of ours: it would bring the device down.
const MEMORY_MAX_KIB: u32 = 512 * 1024;
const PASSES_MAX: u32 = 16;
const LANES_MAX: u32 = 8;

const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keyring {
    v: u32,
    /// [`AccountKey::id`]: whether a device's key is this one.
    pub key_id: String,
    passphrase: ByPassphrase,
    recovery: Wrapped,
}

/// Under Argon2id of a passphrase.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ByPassphrase {
    salt: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    #[serde(flatten)]
    wrapped: Wrapped,
}

/// The account's key, sealed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wrapped {
    nonce: String,
    data: String,
    /// Tells a damaged one from a wrong passphrase.
    check: String,
}

impl Keyring {
    /// # Errors
    /// `seal_passphrase_short`.
    pub fn new(
        key: &AccountKey,
        passphrase: &str,
        recovery: &RecoveryKey,
        salt: Salt,
        nonces: [Nonce; 2],
    ) -> Result<Self, ApiError> {
        Ok(Self {
            v: VERSION,
            key_id: key.id(),
            passphrase: ByPassphrase::new(key, passphrase, salt, nonces[0])?,
            recovery: Wrapped::new(key, &recovery.wrapping(), "recovery", nonces[1]),
        })
    }

    /// # Errors
    /// `seal_keyring_damaged`.
    pub fn from_value(value: Value) -> Result<Self, ApiError> {
        let keyring: Self =
            serde_json::from_value(value).map_err(|error| damaged().detail(error))?;
        if keyring.v == VERSION { Ok(keyring) } else { Err(damaged()) }
    }

    pub fn to_value(&self) -> Value {
        // A struct of strings and numbers: JSON can always hold it.
        serde_json::to_value(self).unwrap_or_default()
    }

    /// The same key under another passphrase.
    ///
    /// # Errors
    /// `seal_passphrase_short`.
    pub fn with_passphrase(
        &self,
        key: &AccountKey,
        passphrase: &str,
        salt: Salt,
        nonce: Nonce,
    ) -> Result<Self, ApiError> {
        let passphrase = ByPassphrase::new(key, passphrase, salt, nonce)?;
        Ok(Self { passphrase, ..self.clone() })
    }

    /// The same key under another recovery key; the old one opens nothing more.
    pub fn with_recovery(&self, key: &AccountKey, recovery: &RecoveryKey, nonce: Nonce) -> Self {
        let recovery = Wrapped::new(key, &recovery.wrapping(), "recovery", nonce);
        Self { recovery, ..self.clone() }
    }

    /// # Errors
    /// `seal_passphrase_wrong`, `seal_keyring_damaged`.
    pub fn open_by_passphrase(&self, passphrase: &str) -> Result<AccountKey, ApiError> {
        let by = &self.passphrase;
        let purpose = by.purpose();
        by.wrapped.is_whole(&purpose)?;
        let in_bounds =
            by.memory_kib <= MEMORY_MAX_KIB && by.passes <= PASSES_MAX && by.lanes <= LANES_MAX;
        if !in_bounds {
            return Err(damaged());
        }
        let salt = URL_SAFE_NO_PAD.decode(&by.salt).map_err(|error| damaged().detail(error))?;
        let wrapping = stretched(passphrase, &salt, (by.memory_kib, by.passes, by.lanes))?;
        self.opened(&by.wrapped, &wrapping, &purpose, ErrorCode::SealPassphraseWrong)
    }

    /// # Errors
    /// `seal_recovery_typo`, `seal_recovery_wrong`, `seal_keyring_damaged`.
    pub fn open_by_recovery(&self, text: &str) -> Result<AccountKey, ApiError> {
        let wrapping = RecoveryKey::from_text(text)?.wrapping();
        self.recovery.is_whole("recovery")?;
        self.opened(&self.recovery, &wrapping, "recovery", ErrorCode::SealRecoveryWrong)
    }

    fn opened(
        &self,
        wrapped: &Wrapped,
        wrapping: &[u8; 32],
        purpose: &str,
        wrong: ErrorCode,
    ) -> Result<AccountKey, ApiError> {
        let key = wrapped.open(wrapping, purpose).ok_or_else(|| ApiError::new(wrong))?;
        if key.id() == self.key_id { Ok(key) } else { Err(damaged()) }
    }
}

impl ByPassphrase {
    fn new(key: &AccountKey, passphrase: &str, salt: Salt, nonce: Nonce) -> Result<Self, ApiError> {
        if passphrase.chars().count() < PASSPHRASE_CHARS_MIN {
            let short = ApiError::new(ErrorCode::SealPassphraseShort);
            return Err(short.with("min", PASSPHRASE_CHARS_MIN));
        }
        let wrapping = stretched(passphrase, &salt, (MEMORY_KIB, PASSES, LANES))?;
        let mut made = Self {
            salt: URL_SAFE_NO_PAD.encode(salt),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            wrapped: Wrapped::default(),
        };
        made.wrapped = Wrapped::new(key, &wrapping, &made.purpose(), nonce);
        Ok(made)
    }

    /// Parameters are bound to what they were used for.
    fn purpose(&self) -> String {
        let Self { salt, memory_kib, passes, lanes, .. } = self;
        format!("passphrase {salt} {memory_kib} {passes} {lanes}")
    }
}

impl Wrapped {
    fn new(key: &AccountKey, wrapping: &[u8; 32], purpose: &str, nonce: Nonce) -> Self {
        let data = encrypt(wrapping, &nonce, key.bytes(), bound(purpose).as_bytes());
        let mut made = Self {
            nonce: URL_SAFE_NO_PAD.encode(nonce),
            data: URL_SAFE_NO_PAD.encode(data),
            check: String::new(),
        };
        made.check = made.sum(purpose);
        made
    }

    fn open(&self, wrapping: &[u8; 32], purpose: &str) -> Option<AccountKey> {
        let nonce: Nonce = URL_SAFE_NO_PAD.decode(&self.nonce).ok()?.try_into().ok()?;
        let data = URL_SAFE_NO_PAD.decode(&self.data).ok()?;
        let key = decrypt(wrapping, &nonce, &data, bound(purpose).as_bytes())?;
        Some(AccountKey::new(key.try_into().ok()?))
    }

    fn is_whole(&self, purpose: &str) -> Result<(), ApiError> {
        if self.check == self.sum(purpose) { Ok(()) } else { Err(damaged()) }
    }

    fn sum(&self, purpose: &str) -> String {
        let all = format!("{purpose}\n{}\n{}", self.nonce, self.data);
        URL_SAFE_NO_PAD.encode(&tagged(b"portico keyring check", all.as_bytes())[..9])
    }
}

fn bound(purpose: &str) -> String {
    format!("portico keyring {VERSION} {purpose}")
}

/// A passphrase as a key; the same one typed on another keyboard gives the same.
fn stretched(
    passphrase: &str,
    salt: &[u8],
    (memory_kib, passes, lanes): (u32, u32, u32),
) -> Result<[u8; 32], ApiError> {
    let normal: String = passphrase.nfkc().collect();
    let failed = |error: argon2::Error| damaged().detail(error);
    let params = Params::new(memory_kib, passes, lanes, Some(32)).map_err(failed)?;
    let mut key = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(normal.as_bytes(), salt, &mut key)
        .map_err(failed)?;
    Ok(key)
}

fn damaged() -> ApiError {
    ApiError::new(ErrorCode::SealKeyringDamaged)
}
