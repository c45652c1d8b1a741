//! SHA-256 while bytes go by.

use std::fmt::Write as _;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::{ModelsError, Progress};

/// Bytes read at once: large enough for a disk's throughput, small beside a chunk.
pub const BLOCK_BYTES: usize = 256 * 1024;

/// Lower-case hex of a finished digest.
pub fn hex(hash: Sha256) -> String {
    let mut hex = String::with_capacity(64);
    for byte in hash.finalize() {
        // Writing to a String cannot fail.
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// SHA-256 of `bytes`, hex.
pub fn of_bytes(bytes: &[u8]) -> String {
    hex(Sha256::new_with_prefix(bytes))
}

/// Feeds all of `reader` to `each`, block by block.
pub fn for_each_block(
    mut reader: impl Read,
    mut each: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let mut block = vec![0; BLOCK_BYTES];
    loop {
        match reader.read(&mut block) {
            Ok(0) => return Ok(()),
            Ok(n) => each(&block[..n])?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// SHA-256 (hex) and size of a file.
pub fn of_file(path: &Path, progress: &mut Progress) -> Result<(String, u64), ModelsError> {
    let file = std::fs::File::open(path).map_err(ModelsError::io(path))?;
    let (mut hash, mut size_bytes) = (Sha256::new(), 0);
    let read = for_each_block(file, |block| {
        hash.update(block);
        size_bytes += block.len() as u64;
        progress.add(block.len() as u64);
        progress.go_on().map_err(io::Error::other)
    });
    // Whoever stopped it is no fault of the file.
    progress.go_on()?;
    read.map_err(ModelsError::io(path))?;
    Ok((hex(hash), size_bytes))
}
