//! What of a program's output is read? Lines up to a length: a longer one is no message, and ends the
//! connection at once.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// A program's output.
pub struct Lines<R> {
    output: R,
    max_bytes: usize,
    /// Of the line that has not ended.
    n_bytes: usize,
}

impl<R> Lines<R> {
    pub fn new(output: R, max_bytes: usize) -> Self {
        Self { output, max_bytes, n_bytes: 0 }
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Lines<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let n_before = buffer.filled().len();
        ready!(Pin::new(&mut self.output).poll_read(context, buffer))?;
        for piece in buffer.filled()[n_before..].split_inclusive(|&byte| byte == b'\n') {
            self.n_bytes += piece.len();
            if self.n_bytes > self.max_bytes {
                let reason = format!("a message has more than {} bytes", self.max_bytes);
                // Whoever reads is promised that a failed read brought nothing.
                buffer.set_filled(n_before);
                return Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, reason)));
            }
            if piece.ends_with(b"\n") {
                self.n_bytes = 0;
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn lines_pass_and_a_longer_one_ends_it() {
        let mut all = String::new();
        Lines::new(&b"12345\n12345\n"[..], 6).read_to_string(&mut all).await.unwrap();
        assert_eq!(all, "12345\n12345\n");
        assert!(Lines::new(&b"1234567"[..], 6).read_to_string(&mut all).await.is_err());
    }
}
