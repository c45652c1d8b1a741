//! When is a screen reader told what an answer says?
//!
//! A live region that grows with each token is unbearable to listen to. So whole sentences are
//! announced, at most one batch in [`QUIET_MS`], and the rest when the answer ends: each word once.

use crate::markdown::{parse, plain_text};

/// Milliseconds between two batches.
pub const QUIET_MS: f64 = 3_000.0;

/// What of an answer was announced.
#[derive(Clone, Debug)]
pub struct Announcer {
    spoken_bytes: usize,
    last_ms: f64,
}

impl Announcer {
    /// `now_ms`: when the answer began.
    pub fn new(now_ms: f64) -> Self {
        Self { spoken_bytes: 0, last_ms: now_ms }
    }

    /// The next batch, if the time has come and a sentence is complete. `text`: the answer so far.
    pub fn due(&mut self, text: &str, now_ms: f64) -> Option<String> {
        if now_ms - self.last_ms < QUIET_MS {
            return None;
        }
        let rest = text.get(self.spoken_bytes..)?;
        let end = sentence_end(rest)?;
        self.last_ms = now_ms;
        self.spoken_bytes += end;
        said(&rest[..end])
    }

    /// What was not announced yet, when the answer has ended.
    pub fn rest(&mut self, text: &str) -> Option<String> {
        let rest = text.get(self.spoken_bytes..)?;
        self.spoken_bytes = text.len();
        said(rest)
    }
}

fn said(markdown: &str) -> Option<String> {
    let text = plain_text(&parse(markdown));
    (!text.trim().is_empty()).then_some(text)
}

/// Bytes up to the end of the last whole sentence or line.
fn sentence_end(text: &str) -> Option<usize> {
    let mut end = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let next_is_space = chars.peek().is_some_and(|(_, next)| next.is_whitespace());
        if c == '\n'
            || (matches!(c, '.' | '!' | '?' | ':' | '…') && next_is_space)
            || matches!(c, '。' | '！' | '？')
        {
            end = Some(at + c.len_utf8());
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn speaks_whole_sentences_and_waits_between_them() {
        let mut announcer = Announcer::new(0.0);
        assert_eq!(announcer.due("One. Tw", 1_000.0), None);
        assert_eq!(announcer.due("One. Tw", 3_000.0), Some("One.".into()));
        assert_eq!(announcer.due("One. Two. Three", 4_000.0), None);
        assert_eq!(announcer.due("One. Two. Three", 6_100.0), Some("Two.".into()));
        assert_eq!(announcer.due("One. Two. Three", 20_000.0), None);
        assert_eq!(announcer.rest("One. Two. Three **4**"), Some("Three 4".into()));
        assert_eq!(announcer.rest("One. Two. Three **4**"), None);
    }

    #[test]
    fn decimals_do_not_end_a_sentence() {
        assert_eq!(sentence_end("It is 3.14 or"), None);
        assert_eq!(sentence_end("終わり。次"), Some("終わり。".len()));
    }
}
