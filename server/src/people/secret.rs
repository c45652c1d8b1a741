//! What does somebody hold who proves by it who he is: a cookie, a link?

use sha2::{Digest as _, Sha256};

const BYTES: usize = 32;

/// SHA-256 of a secret, by which it is found. The database finds it by an index, whose time tells an
/// attacker at most digits of a hash whose origin he cannot compute.
pub type SecretHash = [u8; 32];

/// 256 random bits as hexadecimal digits.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_secret() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hex(&bytes))
}

/// None for what cannot be one.
pub fn hash_of_secret(text: &str) -> Option<SecretHash> {
    let is_secret = text.len() == BYTES * 2 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_secret.then(|| Sha256::digest(text.as_bytes()).into())
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_differ_and_nothing_else_is_taken_for_one() {
        let (one, other) = (new_secret().unwrap(), new_secret().unwrap());
        assert_ne!(hash_of_secret(&one), hash_of_secret(&other));
        assert!(hash_of_secret(&one).is_some());
        for foreign in ["", &one[1..], &format!("{one}0"), &"z".repeat(64)] {
            assert_eq!(hash_of_secret(foreign), None, "{foreign}");
        }
    }
}
