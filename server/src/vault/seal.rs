//! How is one secret sealed?
//!
//! By XChaCha20-Poly1305 with a random nonce; what is said beside it, and not kept, is the row and the column
//! that it stands in. As text, `sealed1:` and base64 of the key's id (4 bytes), the nonce (24) and the rest.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use portico_shared::error::{ApiError, ErrorCode};

use super::key::Keys;

const PREFIX: &str = "sealed1:";

/// Where a secret stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place<'a> {
    /// `people.totp_secret`
    pub column: &'static str,
    /// What names the row.
    pub row: &'a str,
}

impl Place<'_> {
    fn bytes(&self) -> Vec<u8> {
        [b"portico\0", self.column.as_bytes(), b"\0", self.row.as_bytes()].concat()
    }
}

/// Why a secret cannot be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unopened {
    #[error("it is not sealed")]
    Plain,
    #[error("it is sealed with another key")]
    OtherKey,
    #[error("it is damaged, or was another row's")]
    Damaged,
}

impl Keys {
    /// # Errors
    /// `internal`: the system gives no random numbers.
    pub fn seal(&self, place: Place<'_>, secret: &[u8]) -> Result<String, ApiError> {
        let (nonce, rest) = self
            .encrypt(secret, &place.bytes())
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let bytes = [&self.seals_with()[..], &nonce, &rest].concat();
        Ok(format!("{PREFIX}{}", STANDARD_NO_PAD.encode(bytes)))
    }

    /// Whether the key that seals now sealed it.
    pub fn is_newest(&self, kept: &[u8]) -> bool {
        unpacked(kept).is_ok_and(|bytes| bytes.starts_with(&self.seals_with()))
    }

    /// # Errors
    /// What keeps it from being opened.
    pub fn open(&self, place: Place<'_>, kept: &[u8]) -> Result<Vec<u8>, Unopened> {
        let bytes = unpacked(kept)?;
        let (id, rest) = bytes.split_first_chunk().ok_or(Unopened::Damaged)?;
        let (nonce, rest) = rest.split_first_chunk().ok_or(Unopened::Damaged)?;
        let opened = self.decrypt(*id, *nonce, rest, &place.bytes());
        opened.ok_or(Unopened::OtherKey)?.ok_or(Unopened::Damaged)
    }
}

fn unpacked(kept: &[u8]) -> Result<Vec<u8>, Unopened> {
    let text = kept.strip_prefix(PREFIX.as_bytes()).ok_or(Unopened::Plain)?;
    STANDARD_NO_PAD.decode(text).map_err(|_| Unopened::Damaged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(lines: &[&str]) -> Keys {
        let name = format!("portico-seal-{}-{}", std::process::id(), lines.concat());
        let path = std::env::temp_dir().join(&name[..name.len().min(120)]);
        std::fs::write(&path, lines.join("\n")).unwrap();
        let keys = Keys::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        keys
    }

    #[test]
    fn only_its_own_key_and_place_open_a_secret() {
        let (one, other) = ("ab".repeat(32), "cd".repeat(32));
        let first = keys(&[&one]);
        let place = Place { column: "people.totp_secret", row: "anna" };
        let sealed = first.seal(place, b"secret").unwrap();
        assert_ne!(sealed, first.seal(place, b"secret").unwrap(), "the nonce is another one");
        assert!(sealed.starts_with(PREFIX) && !sealed.contains("secret"));
        assert!(first.is_newest(sealed.as_bytes()));
        let open = |keys: &Keys, place, sealed: &str| keys.open(place, sealed.as_bytes());
        assert_eq!(open(&first, place, &sealed).unwrap(), b"secret");
        let rows = [("people.totp_secret", "bert"), ("sessions.id_token", "anna")];
        for (column, row) in rows {
            assert_eq!(open(&first, Place { column, row }, &sealed), Err(Unopened::Damaged));
        }
        assert_eq!(open(&keys(&[&other]), place, &sealed), Err(Unopened::OtherKey));
        // An older key below a new one.
        let both = keys(&[&other, &one]);
        assert_eq!(open(&both, place, &sealed).unwrap(), b"secret");
        assert!(!both.is_newest(sealed.as_bytes()));
        assert_eq!(open(&first, place, "secret"), Err(Unopened::Plain));
        for cut in 0..sealed.len() {
            let fault = if cut < PREFIX.len() { Unopened::Plain } else { Unopened::Damaged };
            assert_eq!(open(&first, place, &sealed[..cut]), Err(fault), "{cut}");
        }
        let last = sealed.len() - 2;
        let changed = if sealed.as_bytes()[last] == b'A' { "B" } else { "A" };
        let changed = format!("{}{changed}{}", &sealed[..last], &sealed[last + 1..]);
        assert_eq!(open(&first, place, &changed), Err(Unopened::Damaged));
    }
}
