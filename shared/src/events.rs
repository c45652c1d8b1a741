//! What does a server-sent stream say, however its bytes come? (HTML standard, § 9.2.6)

/// Longest event that is waited for.
const EVENT_BYTES_MAX: usize = 16 << 20;

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The last id that was told, by which a stream can be picked up again.
    pub id: Option<String>,
    /// Its lines, joined.
    pub data: String,
}

/// An event without end, or one that is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EventError {
    #[error("an event of more than {EVENT_BYTES_MAX} bytes")]
    TooLong,
    #[error("an event is not UTF-8")]
    NotText,
}

/// Splits a stream into its events.
#[derive(Debug, Default)]
pub struct EventReader {
    line: Vec<u8>,
    follows_return: bool,
    id: Option<String>,
    data: Vec<String>,
}

impl EventReader {
    /// The events that `bytes` complete.
    ///
    /// # Errors
    /// [`EventError`]; nothing more can be read after it.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<Event>, EventError> {
        let mut events = Vec::new();
        for &byte in bytes {
            let is_second_half = std::mem::take(&mut self.follows_return) && byte == b'\n';
            if is_second_half {
                continue;
            }
            if byte != b'\n' && byte != b'\r' {
                if self.line.len() >= EVENT_BYTES_MAX {
                    return Err(EventError::TooLong);
                }
                self.line.push(byte);
                continue;
            }
            self.follows_return = byte == b'\r';
            let line = String::from_utf8(std::mem::take(&mut self.line));
            events.extend(self.take_line(&line.map_err(|_| EventError::NotText)?)?);
        }
        Ok(events)
    }

    fn take_line(&mut self, line: &str) -> Result<Option<Event>, EventError> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            let event = Event { id: self.id.clone(), data: data.join("\n") };
            return Ok((!data.is_empty()).then_some(event));
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                let held: usize = self.data.iter().map(String::len).sum();
                if held + value.len() > EVENT_BYTES_MAX {
                    return Err(EventError::TooLong);
                }
                self.data.push(value.to_owned());
            }
            "id" => self.id = Some(value.to_owned()),
            // Comments (an empty field), names of events, and what is not known.
            _ => {}
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pieces: &[&[u8]]) -> Vec<(Option<String>, String)> {
        let mut reader = EventReader::default();
        let mut events = Vec::new();
        for piece in pieces {
            events.extend(reader.push(piece).expect("events"));
        }
        events.into_iter().map(|event| (event.id, event.data)).collect()
    }

    #[test]
    fn events_are_the_same_however_the_bytes_come() {
        let text =
            ": hello\n\nid: 1\ndata: {\"a\":\"ä\"}\n\nevent: x\r\ndata:two\r\ndata: lines\r\n\r\n\
                    id: 7\n\ndata: [DONE]\n\ndata: unfinished"
                .as_bytes();
        let id = |id: &str| Some(id.to_owned());
        let whole = [
            (id("1"), "{\"a\":\"ä\"}".to_owned()),
            (id("1"), "two\nlines".to_owned()),
            (id("7"), "[DONE]".to_owned()),
        ];
        assert_eq!(read(&[text]), whole);
        for size in 1..20 {
            let pieces: Vec<&[u8]> = text.chunks(size).collect();
            assert_eq!(read(&pieces), whole, "in pieces of {size}");
        }
    }

    #[test]
    fn what_never_ends_and_what_is_no_text_are_refused() {
        let block = vec![b'x'; 1 << 20];
        let mut reader = EventReader::default();
        assert!((0..17).any(|_| reader.push(&block) == Err(EventError::TooLong)));
        let mut reader = EventReader::default();
        assert!((0..17).any(|_| {
            reader.push(b"data: ").and(reader.push(&block)).and(reader.push(b"\n")).is_err()
        }));
        assert_eq!(EventReader::default().push(b"data: \xff\n"), Err(EventError::NotText));
    }
}
