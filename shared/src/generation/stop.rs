//! Which part of the text may be shown, and where does a stop string begin?

/// Text that may begin a stop string, with the stop strings it is held against.
pub(super) struct HeldText {
    stops: Vec<String>,
    text: String,
    /// Bytes at the front that the reader has already: they take part in a match, but are not given
    /// out again.
    shown_bytes: usize,
}

impl HeldText {
    /// Empty stop strings never match.
    pub(super) fn new(mut stops: Vec<String>) -> Self {
        stops.retain(|stop| !stop.is_empty());
        Self { stops, text: String::new(), shown_bytes: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.text.len()
    }

    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
    }

    /// Characters in the first bytes.
    pub(super) fn n_chars(&self, n_bytes: usize) -> u32 {
        self.text[..n_bytes].chars().count() as u32
    }

    /// Byte at which the first stop string begins.
    pub(super) fn find_stop(&self) -> Option<usize> {
        self.stops.iter().filter_map(|stop| self.text.find(stop.as_str())).min()
    }

    /// Bytes before the place where a stop string may have begun.
    pub(super) fn safe_bytes(&self) -> usize {
        let may_begin =
            |&start: &usize| self.stops.iter().any(|stop| stop.starts_with(&self.text[start..]));
        self.text.char_indices().map(|(start, _)| start).find(may_begin).unwrap_or(self.text.len())
    }

    /// Takes the first bytes out and gives what of them has not been shown.
    pub(super) fn take(&mut self, n_bytes: usize) -> String {
        let rest = self.text.split_off(n_bytes);
        let taken = std::mem::replace(&mut self.text, rest);
        let shown_bytes = self.shown_bytes.min(n_bytes);
        self.shown_bytes -= shown_bytes;
        taken[shown_bytes..].to_owned()
    }

    /// The reader has all of it, which is given back.
    pub(super) fn mark_shown(&mut self) -> &str {
        self.shown_bytes = self.text.len();
        &self.text
    }
}
