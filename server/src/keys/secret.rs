//! What does a key look like?

use sha2::{Digest as _, Sha256};

const PREFIX: &str = "portico-";
/// Hexadecimal digits of the part that finds the key.
const ID_DIGITS: usize = 12;
const SECRET_BYTES: usize = 32;

/// A new key, in the only moment in which its text is known.
pub struct KeySecret {
    pub id: String,
    /// What its owner writes into a client.
    pub text: String,
}

impl KeySecret {
    /// # Errors
    /// When the system gives no random numbers.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; ID_DIGITS / 2 + SECRET_BYTES];
        getrandom::fill(&mut bytes)?;
        let (id, secret) = bytes.split_at(ID_DIGITS / 2);
        let id = hex(id);
        let text = format!("{PREFIX}{id}-{}", hex(secret));
        Ok(Self { id, text })
    }
}

/// The id in a key's text; none when it cannot be one of ours.
pub fn id_of(text: &str) -> Option<&str> {
    let (id, secret) = text.strip_prefix(PREFIX)?.split_once('-')?;
    (id.len() == ID_DIGITS && secret.len() == SECRET_BYTES * 2).then_some(id)
}

pub fn hash_of(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_name_their_id() {
        let (one, other) = (KeySecret::new().unwrap(), KeySecret::new().unwrap());
        assert_ne!(one.text, other.text);
        assert_eq!(id_of(&one.text), Some(one.id.as_str()));
        assert!(one.text.len() > 64);
        for foreign in ["", "portico-", "sk-0123456789ab-00", "portico-0123456789ab-short"] {
            assert_eq!(id_of(foreign), None, "{foreign}");
        }
    }
}
