//! Where does an event of a stream end?

use axum::body::Bytes;

/// Longest event that is waited for.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// Splits a server-sent stream into the data of its events, however the bytes come.
#[derive(Debug, Default)]
pub struct EventSplitter {
    held: Vec<u8>,
    /// Bytes of `held` that hold no end of an event.
    searched: usize,
}

/// An event without end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event of more than {EVENT_BYTES_MAX} bytes")]
pub struct EventTooLong;

impl EventSplitter {
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), EventTooLong> {
        if self.held.len() + bytes.len() > EVENT_BYTES_MAX {
            return Err(EventTooLong);
        }
        self.held.extend_from_slice(bytes);
        Ok(())
    }

    /// The next whole event's data, lines joined; comments and events without data are passed over.
    pub fn next_data(&mut self) -> Option<Bytes> {
        loop {
            let (end, next) = self.blank_line()?;
            let data = data_of(&self.held[..end]);
            self.held.drain(..next);
            self.searched = 0;
            if data.is_some() {
                return data;
            }
        }
    }

    /// Where the first event's lines end, and where the next one's begin.
    fn blank_line(&mut self) -> Option<(usize, usize)> {
        let held = &self.held;
        let mut i = self.searched;
        while i < held.len() {
            if held[i] == b'\n' {
                match (held.get(i + 1), held.get(i + 2)) {
                    (Some(b'\n'), _) => return Some((i, i + 2)),
                    (Some(b'\r'), Some(b'\n')) => return Some((i, i + 3)),
                    // Perhaps the first half of one.
                    (None, _) | (Some(b'\r'), None) => break,
                    _ => {}
                }
            }
            i += 1;
        }
        self.searched = i;
        None
    }
}

fn data_of(event: &[u8]) -> Option<Bytes> {
    let lines = event.split(|&byte| byte == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let data = line.strip_prefix(b"data:")?;
        Some(data.strip_prefix(b" ").unwrap_or(data))
    });
    let lines: Vec<&[u8]> = lines.collect();
    (!lines.is_empty()).then(|| Bytes::from(lines.join(&b'\n')))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = EventSplitter::default();
        let mut found = Vec::new();
        for piece in pieces {
            splitter.push(piece).unwrap();
            while let Some(data) = splitter.next_data() {
                found.push(String::from_utf8(data.to_vec()).unwrap());
            }
        }
        found
    }

    #[test]
    fn events_are_the_same_however_the_bytes_come() {
        let text: &[u8] =
            b": hello\n\ndata: {\"a\":1}\n\nevent: x\r\ndata:two\r\ndata: lines\r\n\r\n\
            id: 7\n\ndata: [DONE]\n\ndata: unfinished";
        let whole = ["{\"a\":1}", "two\nlines", "[DONE]"];
        assert_eq!(split(&[text]), whole);
        for size in 1..20 {
            let pieces: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(split(&pieces), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn an_endless_event_is_refused() {
        let mut splitter = EventSplitter::default();
        let block = vec![b'x'; 1 << 20];
        assert!((0..20).any(|_| splitter.push(&block).is_err()));
    }
}
