//! How are values read from the part of a file that is there so far?

use super::error::GgufError;
use super::limits::HEADER_BYTES_MAX;

/// Why reading stopped: the file is bad, or the prefix ended.
pub(super) enum Stop {
    Bad(GgufError),
    /// The file goes on behind the prefix; it must be at least this long to get further.
    Short {
        need_bytes: u64,
    },
}

impl From<GgufError> for Stop {
    fn from(error: GgufError) -> Self {
        Self::Bad(error)
    }
}

/// A position in a file of `file_bytes` of which the first `prefix.len()` are known.
pub(super) struct Reader<'a> {
    prefix: &'a [u8],
    pos: usize,
    file_bytes: u64,
}

impl<'a> Reader<'a> {
    /// `prefix` is no longer than `file_bytes`.
    pub fn new(prefix: &'a [u8], file_bytes: u64) -> Self {
        Self { prefix, pos: 0, file_bytes }
    }

    pub fn pos_bytes(&self) -> u64 {
        self.pos as u64
    }

    /// Whether `n` items of at least `item_bytes` each can still come.
    pub fn file_can_hold(&self, n: u64, item_bytes: u64) -> bool {
        n.checked_mul(item_bytes).is_some_and(|bytes| bytes <= self.file_bytes - self.pos_bytes())
    }

    /// The next `n` bytes.
    pub fn bytes(&mut self, n: u64) -> Result<&'a [u8], Stop> {
        let end = self.pos_bytes().saturating_add(n);
        if end > self.file_bytes {
            return Err(GgufError::Truncated { file_bytes: self.file_bytes }.into());
        }
        if end > HEADER_BYTES_MAX {
            return Err(GgufError::HeaderTooLong.into());
        }
        if end > self.prefix.len() as u64 {
            return Err(Stop::Short { need_bytes: end });
        }
        let bytes = &self.prefix[self.pos..end as usize];
        self.pos = end as usize;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Stop> {
        let mut array = [0; N];
        array.copy_from_slice(self.bytes(N as u64)?);
        Ok(array)
    }

    pub fn u8(&mut self) -> Result<u8, Stop> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u32(&mut self) -> Result<u32, Stop> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, Stop> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn magic(&mut self) -> Result<[u8; 4], Stop> {
        self.array()
    }
}
