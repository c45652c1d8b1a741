//! How are holes kept? Blocks of zeros are passed over, not written.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom, Write as _};

/// A file system's usual block, and a good many of them for a disk's throughput.
const BLOCK_BYTES: usize = 4096;
const PIECE_BYTES: usize = 64 * BLOCK_BYTES;

/// Copies all of `from` into an empty file; gives how many bytes it is long.
pub fn write(from: &mut impl Read, file: &mut File) -> io::Result<u64> {
    let mut piece = vec![0; PIECE_BYTES];
    let mut at = 0;
    loop {
        let n = fill(from, &mut piece)?;
        if n == 0 {
            file.set_len(at)?;
            return Ok(at);
        }
        let mut rest = &piece[..n];
        while !rest.is_empty() {
            let is_hole =
                |block: &[u8]| block.len() == BLOCK_BYTES && block.iter().all(|&b| b == 0);
            let hole = rest.chunks(BLOCK_BYTES).take_while(|block| is_hole(block)).count();
            let (holes, others) = rest.split_at((hole * BLOCK_BYTES).min(rest.len()));
            at += holes.len() as u64;
            if !holes.is_empty() {
                file.seek(SeekFrom::Start(at))?;
            }
            let full = others.chunks(BLOCK_BYTES).take_while(|block| !is_hole(block)).count();
            let (full, behind) = others.split_at((full * BLOCK_BYTES).min(others.len()));
            file.write_all(full)?;
            at += full.len() as u64;
            rest = behind;
        }
    }
}

/// Reads until the buffer is full or nothing is left, so that blocks lie where the file system's do.
fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut n = 0;
    while n < buffer.len() {
        match from.read(&mut buffer[n..]) {
            Ok(0) => break,
            Ok(more) => n += more,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(n)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_the_same_and_holes_take_no_room() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let mut bytes = vec![0; 3 * PIECE_BYTES + 777];
        bytes[5] = 1;
        bytes[PIECE_BYTES + BLOCK_BYTES] = 2;
        for end in [bytes.len(), 0, BLOCK_BYTES, 2 * PIECE_BYTES] {
            let mut file = File::create(&path).unwrap();
            assert_eq!(write(&mut &bytes[..end], &mut file).unwrap(), end as u64);
            assert!(std::fs::read(&path).unwrap() == bytes[..end]);
            #[cfg(target_os = "linux")]
            {
                use std::os::unix::fs::MetadataExt as _;
                let used_bytes = file.metadata().unwrap().blocks() * 512;
                assert!(used_bytes <= 4 * BLOCK_BYTES as u64, "{used_bytes} of {end}");
            }
        }
    }
}
