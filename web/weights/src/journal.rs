//! Which chunks of a half-fetched file stand, after any crash?
//!
//! Beside each weights file lies a journal: a header that names the file's content, then one record
//! for each chunk that was verified and written (or later found damaged). A record is written after
//! its chunk's data is flushed, and is flushed itself, so that what the journal says is true. A
//! record that was cut off in the middle, or that never reached the disk whole, fails its check and
//! ends the reading there: at worst the chunk is fetched again.
//!
//! The journal only says what need not be fetched. Each chunk is hashed again on its way to the GPU.

use portico_shared::manifest::{Manifest, is_sha256_hex};

use crate::chunk_set::ChunkSet;

/// Bytes of a header.
pub const HEADER_BYTES: usize = 80;
/// Bytes of a record.
pub const RECORD_BYTES: usize = 8;

const MAGIC: &[u8; 8] = b"PTCOJRN1";
/// Set in a record's first word when the chunk is no longer there.
const GONE: u32 = 1 << 31;

/// What a journal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// Chunks that were verified and written.
    pub verified: ChunkSet,
    /// Where the next record goes. Zero: there is no journal for this file; begin with [`header`].
    pub end_bytes: usize,
}

/// The first bytes of a journal for the file that `manifest` describes.
pub fn header(manifest: &Manifest) -> [u8; HEADER_BYTES] {
    let mut bytes = [0; HEADER_BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    if is_sha256_hex(&manifest.sha256) {
        bytes[8..72].copy_from_slice(manifest.sha256.as_bytes());
    }
    bytes[72..76].copy_from_slice(&(manifest.chunks.len() as u32).to_le_bytes());
    let check = fnv1a(&bytes[..76], 0);
    bytes[76..].copy_from_slice(&check.to_le_bytes());
    bytes
}

/// The record that `chunk` is verified and written (`present`), or that it is not any more.
pub fn record(manifest: &Manifest, chunk: usize, present: bool) -> [u8; RECORD_BYTES] {
    let word = chunk as u32 & !GONE | if present { 0 } else { GONE };
    let mut bytes = [0; RECORD_BYTES];
    bytes[..4].copy_from_slice(&word.to_le_bytes());
    let check = record_check(manifest, word);
    bytes[4..].copy_from_slice(&check.to_le_bytes());
    bytes
}

/// Reads a journal as far as it is whole.
pub fn replay(manifest: &Manifest, bytes: &[u8]) -> Replay {
    let mut verified = ChunkSet::empty(manifest.chunks.len());
    let Some(records) = bytes.strip_prefix(&header(manifest)[..]) else {
        return Replay { verified, end_bytes: 0 };
    };
    let mut end_bytes = HEADER_BYTES;
    for bytes in records.chunks_exact(RECORD_BYTES) {
        let word = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let check = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        let chunk = (word & !GONE) as usize;
        if check != record_check(manifest, word) || chunk >= manifest.chunks.len() {
            break;
        }
        verified.set(chunk, word & GONE == 0);
        end_bytes += RECORD_BYTES;
    }
    Replay { verified, end_bytes }
}

/// Ties a record to its file: a record of another file, or a run of zeros, does not pass.
fn record_check(manifest: &Manifest, word: u32) -> u32 {
    fnv1a(&word.to_le_bytes(), fnv1a(manifest.sha256.as_bytes(), 0))
}

/// FNV-1a, 32 bits (Fowler, Noll, Vo), started from `seed` xor the offset basis. Against torn
/// writes, not against forgers: who can write the journal can write the weights.
fn fnv1a(bytes: &[u8], seed: u32) -> u32 {
    bytes
        .iter()
        .fold(0x811c_9dc5 ^ seed, |hash, &byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use portico_shared::manifest::{CHUNK_BYTES, Chunk};
    use proptest::prelude::*;

    use super::*;

    fn manifest(name: char, n_chunks: usize) -> Manifest {
        Manifest {
            model: "m".into(),
            sha256: name.to_string().repeat(64),
            size_bytes: n_chunks as u64 * CHUNK_BYTES,
            chunk_bytes: CHUNK_BYTES,
            chunks: vec![Chunk { sha256: "0".repeat(64), size_bytes: CHUNK_BYTES }; n_chunks],
            prefixes: Default::default(),
        }
    }

    /// A journal's bytes and, after each record, the set that it stands for.
    fn written(manifest: &Manifest, events: &[(usize, bool)]) -> (Vec<u8>, Vec<ChunkSet>) {
        let mut bytes = header(manifest).to_vec();
        let mut set = ChunkSet::empty(manifest.chunks.len());
        let mut sets = vec![set.clone()];
        for &(chunk, present) in events {
            bytes.extend(record(manifest, chunk, present));
            set.set(chunk, present);
            sets.push(set.clone());
        }
        (bytes, sets)
    }

    proptest! {
        #[test]
        fn a_journal_cut_anywhere_says_what_its_whole_records_say(
            events in prop::collection::vec((0..9usize, any::<bool>()), 0..30),
            cut in 0.0..1.0f64,
        ) {
            let manifest = manifest('a', 9);
            let (bytes, sets) = written(&manifest, &events);
            let cut = (bytes.len() as f64 * cut) as usize;
            let replay = replay(&manifest, &bytes[..cut]);
            match cut.checked_sub(HEADER_BYTES) {
                None => prop_assert_eq!(replay.end_bytes, 0),
                Some(records) => {
                    let n = records / RECORD_BYTES;
                    prop_assert_eq!(&replay.verified, &sets[n]);
                    prop_assert_eq!(replay.end_bytes, HEADER_BYTES + n * RECORD_BYTES);
                }
            }
        }

        #[test]
        fn a_damaged_record_and_all_behind_it_are_not_believed(
            events in prop::collection::vec((0..9usize, any::<bool>()), 1..30),
            at in 0.0..1.0f64,
            flip in 1..=255u8,
        ) {
            let manifest = manifest('a', 9);
            let (mut bytes, sets) = written(&manifest, &events);
            let at = HEADER_BYTES + ((bytes.len() - HEADER_BYTES) as f64 * at) as usize;
            bytes[at] ^= flip;
            let n = (at - HEADER_BYTES) / RECORD_BYTES;
            prop_assert_eq!(&replay(&manifest, &bytes).verified, &sets[n]);
        }
    }

    #[test]
    fn another_files_journal_is_no_journal() {
        let (bytes, _) = written(&manifest('a', 9), &[(0, true)]);
        assert_eq!(replay(&manifest('b', 9), &bytes).end_bytes, 0);
        assert_eq!(replay(&manifest('a', 8), &bytes).end_bytes, 0);
        // Records do not pass under another file's header either.
        let mut mixed = header(&manifest('b', 9)).to_vec();
        mixed.extend(record(&manifest('a', 9), 0, true));
        assert_eq!(replay(&manifest('b', 9), &mixed).verified.iter().count(), 0);
    }

    #[test]
    fn a_hole_of_zeros_is_no_record() {
        let manifest = manifest('a', 9);
        let mut bytes = header(&manifest).to_vec();
        bytes.extend([0; 5 * RECORD_BYTES]);
        assert_eq!(replay(&manifest, &bytes).end_bytes, HEADER_BYTES);
    }
}
