//! How does an operation lie in the database?
//!
//! A short one as it came, behind a zero. A longer one is deflated: behind a one stands its length
//! (u32, little-endian), then the compressed bytes.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

/// What deflating does not make smaller by much.
const PLAIN_MAX_BYTES: usize = 200;
const PLAIN: u8 = 0;
const DEFLATED: u8 = 1;
const HEAD_BYTES: usize = 5;

/// Packs one operation after the other.
pub struct Packer(Compress);

impl Default for Packer {
    fn default() -> Self {
        Self(Compress::new(Compression::fast(), false))
    }
}

impl Packer {
    pub fn pack(&mut self, json: &str) -> Vec<u8> {
        if json.len() > PLAIN_MAX_BYTES
            && let Ok(n_bytes) = u32::try_from(json.len())
        {
            self.0.reset();
            let mut packed = Vec::with_capacity(json.len() + 64);
            packed.push(DEFLATED);
            packed.extend_from_slice(&n_bytes.to_le_bytes());
            let done = self.0.compress_vec(json.as_bytes(), &mut packed, FlushCompress::Finish);
            if matches!(done, Ok(Status::StreamEnd)) && packed.len() < json.len() {
                return packed;
            }
        }
        let mut packed = Vec::with_capacity(json.len() + 1);
        packed.push(PLAIN);
        packed.extend_from_slice(json.as_bytes());
        packed
    }
}

/// Unpacks one after the other.
pub struct Unpacker(Decompress);

impl Default for Unpacker {
    fn default() -> Self {
        Self(Decompress::new(false))
    }
}

/// The database's bytes are not what was written there.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("a packed operation is damaged")]
pub struct Damaged;

impl Unpacker {
    /// Appends the operation's JSON.
    pub fn unpack(&mut self, packed: &[u8], lines: &mut Vec<u8>) -> Result<(), Damaged> {
        match packed.split_first() {
            Some((&PLAIN, json)) => lines.extend_from_slice(json),
            Some((&DEFLATED, _)) => {
                let (head, deflated) = packed.split_at_checked(HEAD_BYTES).ok_or(Damaged)?;
                let n_bytes: [u8; 4] = head[1..].try_into().map_err(|_| Damaged)?;
                let n_bytes = u32::from_le_bytes(n_bytes) as usize;
                if n_bytes > portico_shared::sync::OP_MAX_BYTES {
                    return Err(Damaged);
                }
                self.0.reset(false);
                let mut json = Vec::with_capacity(n_bytes + 1);
                let done = self.0.decompress_vec(deflated, &mut json, FlushDecompress::Finish);
                if !matches!(done, Ok(Status::StreamEnd)) || json.len() != n_bytes {
                    return Err(Damaged);
                }
                lines.extend_from_slice(&json);
            }
            _ => return Err(Damaged),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_packed_comes_back_and_damage_is_named() {
        let (mut packer, mut unpacker) = (Packer::default(), Unpacker::default());
        let long = "{\"text\":\"so wie es ist, so wie es war\"}".repeat(50);
        for json in ["{}", long.as_str(), "{\"a\":1}", &"ü".repeat(300)] {
            let packed = packer.pack(json);
            let mut lines = Vec::new();
            unpacker.unpack(&packed, &mut lines).unwrap();
            assert_eq!(lines, json.as_bytes());
        }
        let packed = packer.pack(&long);
        assert!(packed.len() * 5 < long.len());
        for bad in [&[][..], &[7, 1], &[DEFLATED], &packed[..packed.len() - 9], &packed[..4]] {
            assert!(unpacker.unpack(bad, &mut Vec::new()).is_err());
        }
    }
}
