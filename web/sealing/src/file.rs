//! How is a file sealed that goes with a message? In chunks, under a key of its own that the account's key and
//! the file's digest give.
//!
//! - *The key* is HKDF-SHA256 of the account's key over the SHA-256 of the file, so each has its own, and no
//!   two files ever share a key and a nonce. The same file gives the same sealed bytes again: what was sent of
//!   it goes on after a reload, and from another device. Without the account's key nobody can tell whether a
//!   file that they have is among those that lie there.
//! - *Chunks* are STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015; the crate `aead-stream`) over
//!   XChaCha20-Poly1305: place and whether it is the last one are in each chunk's nonce, so that one that is left
//!   out, put elsewhere or cut off at the end does not open.
//! - *The name* by which the server finds the sealed file is HKDF too, for another purpose. The operation with
//!   the message, which is sealed, names the file's digest; from it every device of the person makes key and
//!   name, and against it what was opened is checked.
//!
//! What whoever carries it sees: how many bytes, when, of which conversation, and that two conversations of a
//! person have the same file.

use aead_stream::{DecryptorBE32, EncryptorBE32, NewStream as _, StreamBE32, StreamPrimitive as _};
use chacha20poly1305::aead::Payload;
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use portico_shared::error::{ApiError, ErrorCode};
use sha2::{Digest as _, Sha256};

use crate::key::{AccountKey, derived};

/// Bytes of a sealed chunk; the last one may be shorter.
pub const SEALED_CHUNK_BYTES: u64 = 1 << 20;
/// Bytes of a file in a chunk.
pub const FILE_CHUNK_BYTES: u64 = SEALED_CHUNK_BYTES - TAG_BYTES;

const TAG_BYTES: u64 = 16;
/// The size of chunks is part of it: with another one, another version is another key.
pub(crate) const VERSION: &[u8] = b"portico file 1";

/// A file's SHA-256.
pub type FileDigest = [u8; 32];

/// From lower-case hex; None: it is none.
pub fn file_digest(hex: &str) -> Option<FileDigest> {
    let mut digest = [0; 32];
    if hex.len() != 64 || hex.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return None;
    }
    for (at, byte) in digest.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(digest)
}

/// How many bytes a file of `size_bytes` has when it is sealed. An empty one is a chunk too.
pub fn sealed_bytes(size_bytes: u64) -> u64 {
    size_bytes
        .saturating_add(TAG_BYTES.saturating_mul(size_bytes.div_ceil(FILE_CHUNK_BYTES).max(1)))
}

impl AccountKey {
    /// By what the server finds the file; 32 bytes in lower-case hex.
    pub fn file_name(&self, file: &FileDigest) -> String {
        hex(&self.of_file(b"name", file))
    }

    /// Seals the file of this digest.
    pub fn seal_file(&self, file: FileDigest) -> FileSealer {
        let stream = Some(self.stream(&file).encryptor());
        FileSealer { stream, is_whole: false, file, plain: Sha256::new(), sealed: Sha256::new() }
    }

    /// Opens the file of this digest.
    pub fn open_file(&self, file: FileDigest) -> FileOpener {
        let stream = Some(self.stream(&file).decryptor());
        FileOpener { stream, file, plain: Sha256::new() }
    }

    pub(crate) fn stream(&self, file: &FileDigest) -> StreamBE32<XChaCha20Poly1305> {
        let cipher = XChaCha20Poly1305::new(&self.of_file(b"key", file).into());
        // The key is used for this file and nothing else: what counts its chunks is nonce enough.
        StreamBE32::from_aead(cipher, &[0; 19].into())
    }

    fn of_file(&self, purpose: &[u8], file: &FileDigest) -> [u8; 32] {
        derived(None, self.bytes(), &[VERSION, &[0], purpose, &[0], file].concat())
    }
}

/// A file on its way to the server, chunk by chunk.
pub struct FileSealer {
    /// None: the last chunk was sealed, or one was refused.
    stream: Option<EncryptorBE32<XChaCha20Poly1305>>,
    is_whole: bool,
    file: FileDigest,
    plain: Sha256,
    sealed: Sha256,
}

impl FileSealer {
    /// The next chunk: [`FILE_CHUNK_BYTES`], the last one fewer or as many.
    ///
    /// # Errors
    /// `invalid_request` for what is no chunk. `digest_mismatch`: this is not the file of the digest; nothing of
    /// what was sealed may be used then, for the key is another file's.
    pub fn next(&mut self, chunk: &[u8], is_last: bool) -> Result<Vec<u8>, ApiError> {
        let is_chunk = match is_last {
            true => chunk.len() as u64 <= FILE_CHUNK_BYTES,
            false => chunk.len() as u64 == FILE_CHUNK_BYTES,
        };
        let stream = self.stream.take().filter(|_| is_chunk);
        let Some(mut stream) = stream else {
            return Err(invalid("a file is sealed in whole chunks, once"));
        };
        self.plain.update(chunk);
        let payload = Payload { msg: chunk, aad: VERSION };
        let sealed = match is_last {
            true => {
                checked(&self.plain, &self.file)?;
                stream.encrypt_last(payload)
            }
            false => {
                let sealed = stream.encrypt_next(payload);
                self.stream = Some(stream);
                sealed
            }
        };
        // Fails only beyond 2^32 chunks.
        let sealed = sealed.map_err(|_| invalid("the file is too large to be sealed"))?;
        self.sealed.update(&sealed);
        self.is_whole = is_last;
        Ok(sealed)
    }

    /// The SHA-256 of the sealed file, in hex.
    ///
    /// # Errors
    /// `invalid_request` before the last chunk.
    pub fn sealed_digest(&self) -> Result<String, ApiError> {
        match self.is_whole {
            true => Ok(hex(&self.sealed.clone().finalize().into())),
            false => Err(invalid("the file is not sealed to its end")),
        }
    }
}

/// A file that came from the server, chunk by chunk.
pub struct FileOpener {
    /// None: the last chunk was opened, or one was damaged.
    stream: Option<DecryptorBE32<XChaCha20Poly1305>>,
    file: FileDigest,
    plain: Sha256,
}

impl FileOpener {
    /// What is in the next chunk. Nothing of a file may be shown before its last chunk was opened.
    ///
    /// # Errors
    /// `seal_file_damaged`: it is not what a device with the account's key sealed, in this place, or not the file
    /// of the digest.
    pub fn next(&mut self, sealed: &[u8], is_last: bool) -> Result<Vec<u8>, ApiError> {
        let mut stream = self.stream.take().ok_or_else(damaged)?;
        let payload = Payload { msg: sealed, aad: VERSION };
        if is_last {
            let chunk = stream.decrypt_last(payload).map_err(|_| damaged())?;
            self.plain.update(&chunk);
            checked(&self.plain, &self.file).map_err(|_| damaged())?;
            return Ok(chunk);
        }
        let chunk = stream.decrypt_next(payload).map_err(|_| damaged())?;
        self.plain.update(&chunk);
        self.stream = Some(stream);
        Ok(chunk)
    }
}

fn checked(read: &Sha256, file: &FileDigest) -> Result<(), ApiError> {
    let actual: FileDigest = read.clone().finalize().into();
    if actual == *file {
        return Ok(());
    }
    let expected = hex(file);
    let mismatch = ApiError::new(ErrorCode::DigestMismatch).with("file", &expected[..12]);
    Err(mismatch.with("expected", &expected[..]).with("actual", hex(&actual)))
}

fn hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn invalid(reason: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
}

fn damaged() -> ApiError {
    ApiError::new(ErrorCode::SealFileDamaged)
}
