//! Is a file whole? Its head says how long it is and what its SHA-256 is.

use sha2::{Digest, Sha256};

const MAGIC: &[u8; 8] = b"PORTSHF1";
/// Magic, length (u64, little-endian), SHA-256.
pub const HEAD_BYTES: usize = 8 + 8 + 32;

/// What stands before the content. Written after it, so that a file is whole once its head stands.
pub fn head(content: &[u8]) -> [u8; HEAD_BYTES] {
    let mut head = [0; HEAD_BYTES];
    head[..8].copy_from_slice(MAGIC);
    head[8..16].copy_from_slice(&(content.len() as u64).to_le_bytes());
    head[16..].copy_from_slice(&Sha256::digest(content));
    head
}

/// The content of a file; none where it is not whole.
pub fn content(file: &[u8]) -> Option<&[u8]> {
    let (found, content) = file.split_at_checked(HEAD_BYTES)?;
    (found == head(content)).then_some(content)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> Vec<u8> {
        [head(bytes).as_slice(), bytes].concat()
    }

    proptest! {
        #[test]
        fn a_file_is_whole_or_none(bytes in prop::collection::vec(any::<u8>(), 0..200), cut: prop::sample::Index, bit in 0..8u8) {
            let whole = file(&bytes);
            prop_assert_eq!(content(&whole), Some(bytes.as_slice()));
            let at = cut.index(whole.len());
            prop_assert_eq!(content(&whole[..at]), None);
            let mut damaged = whole.clone();
            damaged[at] ^= 1 << bit;
            prop_assert_eq!(content(&damaged), None);
            // Content that reached the disk before its head.
            let mut headless = whole;
            headless[..HEAD_BYTES].fill(0);
            prop_assert_eq!(content(&headless), None);
        }
    }
}
