//! How do a file's bytes go by, so that they are counted, digested and can be stopped?

use std::io::{self, Read};

use sha2::{Digest as _, Sha256};

use super::Stop;
use crate::models::Progress;
use crate::models::sha256::hex;

/// Reads through to another reader.
pub struct Watched<'a, R> {
    inner: R,
    hash: Sha256,
    size_bytes: u64,
    stop: &'a Stop,
    progress: &'a mut Progress,
    /// Why reading failed, which writing would else be blamed for.
    pub fault: Option<io::Error>,
}

impl<'a, R: Read> Watched<'a, R> {
    pub fn new(inner: R, stop: &'a Stop, progress: &'a mut Progress) -> Self {
        Self { inner, hash: Sha256::new(), size_bytes: 0, stop, progress, fault: None }
    }

    /// SHA-256 (hex) and size of what went by.
    pub fn finish(self) -> (String, u64) {
        (hex(self.hash), self.size_bytes)
    }
}

impl<R: Read> Read for Watched<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.stop.is_told() {
            return Err(io::Error::other("stopped"));
        }
        match self.inner.read(buffer) {
            Ok(n) => {
                self.hash.update(&buffer[..n]);
                self.size_bytes += n as u64;
                self.progress.add(n as u64);
                Ok(n)
            }
            Err(error) => {
                self.fault = Some(io::Error::new(error.kind(), error.to_string()));
                Err(error)
            }
        }
    }
}
