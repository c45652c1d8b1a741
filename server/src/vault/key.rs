//! Which key seals the house's secrets?
//!
//! The first line of a file: 64 hexadecimal digits, 32 random bytes. Lines below it are older keys, which open
//! what they sealed and seal nothing more.

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use sha2::{Digest as _, Sha256};

use crate::temporary::{self, private_file, sync_folder_of};

/// Its name in the data folder.
pub const FILE_NAME: &str = "secret.key";
const BYTES: usize = 32;
/// A longer file is none of these.
const FILE_BYTES_MAX: usize = 64 << 10;

/// By which a sealed secret says which key opens it: no digit of the key.
pub type KeyId = [u8; 4];
pub type Nonce = [u8; 24];

/// Why there is no key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    #[error("its file is absent")]
    Absent,
    #[error("its file cannot be read: {0}")]
    Unreadable(String),
    #[error("its file could not be made: {0}")]
    Unmade(String),
    #[error("its file holds no 64 hexadecimal digits in line {0}")]
    Malformed(usize),
}

/// At least one.
#[derive(Clone)]
pub struct Keys(Vec<Key>);

#[derive(Clone)]
struct Key {
    bytes: [u8; BYTES],
    id: KeyId,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys").finish_non_exhaustive()
    }
}

impl Key {
    fn new(bytes: [u8; BYTES]) -> Self {
        let digest: [u8; 32] = Sha256::new()
            .chain_update("portico secret key\0")
            .chain_update(bytes)
            .finalize()
            .into();
        let [a, b, c, d, ..] = digest;
        Self { bytes, id: [a, b, c, d] }
    }

    fn from_line(line: &str) -> Option<Self> {
        let mut bytes = [0; BYTES];
        let is_hex = line.len() == 2 * BYTES && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hex {
            return None;
        }
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&line[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self::new(bytes))
    }
}

impl Keys {
    /// # Errors
    /// Whatever keeps it from having at least one key.
    pub fn read(path: &Path) -> Result<Self, KeyFault> {
        let text = match std::fs::read_to_string(path) {
            Ok(text) if text.len() <= FILE_BYTES_MAX => text,
            Ok(_) => return Err(KeyFault::Malformed(1)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Err(KeyFault::Absent),
            Err(error) => return Err(KeyFault::Unreadable(error.to_string())),
        };
        let mut keys = Vec::new();
        for (i, line) in text.lines().enumerate() {
            let line = line.trim();
            if !line.is_empty() {
                keys.push(Key::from_line(line).ok_or(KeyFault::Malformed(i + 1))?);
            }
        }
        if keys.is_empty() { Err(KeyFault::Malformed(1)) } else { Ok(Self(keys)) }
    }

    /// A new one, whole or not at all; one that another thread made meanwhile is that.
    ///
    /// # Errors
    /// `Unmade`, or those of reading.
    pub fn make(path: &Path) -> Result<Self, KeyFault> {
        static MAKING: Mutex<()> = Mutex::new(());
        let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if !path.exists() {
            written(path).map_err(|error| KeyFault::Unmade(error.to_string()))?;
        }
        Self::read(path)
    }

    pub fn seals_with(&self) -> KeyId {
        self.0[0].id
    }

    /// # Errors
    /// When the system gives no random numbers.
    pub(super) fn encrypt(
        &self,
        msg: &[u8],
        aad: &[u8],
    ) -> Result<(Nonce, Vec<u8>), getrandom::Error> {
        let mut nonce = Nonce::default();
        getrandom::fill(&mut nonce)?;
        let cipher = XChaCha20Poly1305::new(&self.0[0].bytes.into());
        // Fails only beyond 256 GiB.
        let sealed = cipher.encrypt(&nonce.into(), Payload { msg, aad });
        sealed.map(|sealed| (nonce, sealed)).map_err(|_| getrandom::Error::UNEXPECTED)
    }

    /// None where there is no such key; then, where what it sealed is not this.
    pub(super) fn decrypt(
        &self,
        id: KeyId,
        nonce: Nonce,
        msg: &[u8],
        aad: &[u8],
    ) -> Option<Option<Vec<u8>>> {
        let key = self.0.iter().find(|key| key.id == id)?;
        let cipher = XChaCha20Poly1305::new(&key.bytes.into());
        Some(cipher.decrypt(&nonce.into(), Payload { msg, aad }).ok())
    }
}

fn written(path: &Path) -> io::Result<()> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let mut line: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    line.push('\n');
    let temporary = temporary::beside(path);
    let made = private_file(&temporary).and_then(|mut file| {
        file.write_all(line.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&temporary, path)?;
        sync_folder_of(path)
    });
    made.inspect_err(|_| {
        // The first error is the one to tell.
        let _ = std::fs::remove_file(&temporary);
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_what_is_none_is_named_by_its_line() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join(FILE_NAME);
        assert_eq!(Keys::read(&path).unwrap_err(), KeyFault::Absent);
        let id = Keys::make(&path).unwrap().seals_with();
        assert_eq!(Keys::make(&path).unwrap().seals_with(), id);
        assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
        let line = std::fs::read_to_string(&path).unwrap();
        for (text, fault) in [
            (String::new(), 1),
            ("zz".repeat(32), 1),
            (format!("{line}\n{}", &line[1..]), 3),
            ("ä".repeat(32), 1),
        ] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(Keys::read(&path).unwrap_err(), KeyFault::Malformed(fault));
        }
    }
}
