//! How are a person's conversations kept from the server that carries them? One random key an account, known
//! to its devices alone, seals each operation.
//!
//! - [`AccountKey`] seals and opens operations; what a server needs in order to carry them stays readable and
//!   is bound to the rest, so that it cannot be changed unnoticed ([`portico_shared::sync::Sealed`]);
//! - [`Keyring`] is the key under a passphrase and under a [`RecoveryKey`]: the server keeps it, and can do
//!   nothing with it;
//! - [`FileSealer`] and [`FileOpener`] do the same for files that go with messages;
//! - [`Asking`] and [`Heard`] are the two sides of a device that another one lets in.
//!
//! Randomness comes in as arguments, so that all of this is the same everywhere. Nothing here reads a clock
//! or touches a browser.

mod approval;
mod file;
mod key;
mod keyring;
mod letters;
mod recovery;

pub use approval::{APPROVAL_MS, Asking, Code, Heard};
pub use file::{
    FILE_CHUNK_BYTES, FileDigest, FileOpener, FileSealer, SEALED_CHUNK_BYTES, file_digest,
    sealed_bytes,
};
pub use key::{AccountKey, Nonce};
pub use keyring::{Keyring, PASSPHRASE_CHARS_MIN, Salt};
pub use recovery::RecoveryKey;

#[cfg(test)]
mod file_tests;
#[cfg(test)]
mod tests;
