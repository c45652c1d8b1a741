//! Which of the text that comes is words, and which is calls?

use super::scan::{CallScan, Scanned};
use super::style::{ToolFormat, ToolStyle};
use crate::openai::Tool;

/// How an answer's calls are to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolReading {
    pub style: ToolStyle,
    /// The functions that were offered. An object without a marker is a call only of one of these.
    pub names: Vec<String>,
    /// The control token that announces a call, and its text.
    pub marker: Option<(u32, String)>,
}

impl ToolReading {
    pub fn new(format: &ToolFormat, tools: &[Tool]) -> Self {
        let marker = format.style.marker().map(str::to_owned);
        Self {
            style: format.style,
            names: tools.iter().map(|tool| tool.name().to_owned()).collect(),
            marker: format.marker_id.zip(marker),
        }
    }
}

/// What a call grew by; the first names the function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallDelta {
    pub index: u32,
    pub name: Option<String>,
    /// JSON, as the model wrote it.
    pub arguments: String,
}

/// Words and calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub calls: Vec<CallDelta>,
}

impl Piece {
    pub(crate) fn add_call(&mut self, more: CallDelta) {
        match self.calls.last_mut() {
            Some(last) if last.index == more.index && more.name.is_none() => {
                last.arguments.push_str(&more.arguments);
            }
            _ => self.calls.push(more),
        }
    }
}

#[derive(Clone, Debug)]
enum State {
    /// Nothing but blanks so far, and the answer may be a bare call.
    Start,
    Words,
    /// Behind Mistral's marker.
    AfterMarker,
    /// A name that stands before its arguments, so far.
    Name(String),
    Call(Box<CallScan>),
    /// Behind a call: another one, or words again.
    Between,
}

/// Parts text that comes piece by piece into words and calls. How it is cut into pieces makes no
/// difference. Markers are shown to nobody; what only looked like a call is words.
#[derive(Clone, Debug)]
pub struct CallReader {
    style: ToolStyle,
    names: Vec<String>,
    state: State,
    /// Not decided yet.
    held: String,
    /// What stood before a bare object and is words if it is no call: a bracket, a fence.
    before_call: String,
    /// Blanks at the beginning of words are left out.
    trims_words: bool,
    n_calls: u32,
    /// The current call's name has been told.
    is_announced: bool,
    /// The current call has no marks: it is one only of a function that was offered.
    is_unmarked: bool,
}

/// What may stand before a bare call.
const BARE_OPENINGS: [&str; 6] =
    ["<|python_tag|>", "```json", "```", "[", "<tools>", "<function_call>"];
/// What may stand between and behind bare calls.
const BARE_SEPARATORS: [&str; 8] =
    ["<|python_tag|>", "```", "[", "]", ",", ";", "</tools>", "</function_call>"];
/// Between a name and its arguments, in Mistral's newer form.
const ARGS: &str = "[ARGS]";
const NAME_BYTES_MAX: usize = 256;
/// Set behind a name that something else follows than its arguments.
const NAME_END: char = '\0';

impl CallReader {
    pub fn new(reading: &ToolReading) -> Self {
        let style = reading.style;
        Self {
            style,
            names: reading.names.clone(),
            state: if style.may_begin_bare() { State::Start } else { State::Words },
            held: String::new(),
            before_call: String::new(),
            trims_words: false,
            n_calls: 0,
            is_announced: false,
            is_unmarked: false,
        }
    }

    /// Whether a call has been told.
    pub fn has_calls(&self) -> bool {
        self.n_calls > 0 || self.is_announced
    }

    pub fn push(&mut self, text: &str) -> Piece {
        self.held.push_str(text);
        let mut piece = Piece::default();
        while self.advance(&mut piece, false) {}
        piece
    }

    /// What is left when the text is over.
    pub fn finish(&mut self) -> Piece {
        let mut piece = Piece::default();
        while self.advance(&mut piece, true) {}
        if let State::Call(scan) = &self.state {
            // Cut: a call that was told stays as it is.
            if !self.is_announced {
                let words = format!("{}{}", self.before_call, scan.raw());
                piece.text.push_str(&words);
            }
            self.state = State::Words;
        }
        piece
    }

    /// Decides on some of the held text; false when more is needed.
    fn advance(&mut self, piece: &mut Piece, is_end: bool) -> bool {
        match &mut self.state {
            State::Start => self.start(piece, is_end),
            State::Words => self.words(piece, is_end),
            State::AfterMarker => self.after_marker(is_end),
            State::Name(_) => self.name(piece, is_end),
            State::Call(_) => self.call(piece),
            State::Between => self.between(is_end),
        }
    }

    fn start(&mut self, piece: &mut Piece, is_end: bool) -> bool {
        let text = self.held.trim_start();
        let n_blank = self.held.len() - text.len();
        if text.starts_with('{') {
            self.before_call.push_str(&self.held[..n_blank]);
            self.held.drain(..n_blank);
            self.is_unmarked = true;
            self.begin_call(CallScan::object(true));
            return true;
        }
        if let Some(opening) = BARE_OPENINGS.iter().find(|opening| text.starts_with(**opening)) {
            // A fence may yet be one for JSON.
            if *opening != "```" || is_end || !"```json".starts_with(text) {
                let n = n_blank + opening.len();
                // The marker is shown to nobody.
                let shown = if self.style.marker() == Some(opening) { n_blank } else { n };
                self.before_call.push_str(&self.held[..shown]);
                self.held.drain(..n);
                return true;
            }
        }
        let may_open = BARE_OPENINGS.iter().any(|opening| opening.starts_with(text));
        if may_open && !is_end {
            return false;
        }
        piece.text.push_str(&std::mem::take(&mut self.before_call));
        self.state = State::Words;
        true
    }

    fn words(&mut self, piece: &mut Piece, is_end: bool) -> bool {
        let Some(marker) = self.style.marker() else {
            let words = std::mem::take(&mut self.held);
            self.say(&words, piece);
            return false;
        };
        let found = |marker: &str| self.held.find(marker).map(|at| (at, at + marker.len()));
        let opening = found(marker);
        let closing = self.style.closing().and_then(found);
        match (opening, closing) {
            // One that closes nothing is left out.
            (opening, Some((at, end))) if opening.is_none_or(|(other, _)| at < other) => {
                let words = self.held[..at].to_owned();
                self.held.drain(..end);
                self.say(&words, piece);
                true
            }
            (Some((at, end)), _) => {
                let words = self.held[..at].trim_end().to_owned();
                self.held.drain(..end);
                self.say(&words, piece);
                self.marked();
                true
            }
            (None, _) => {
                let n_safe = if is_end { self.held.len() } else { self.n_words(marker) };
                let rest = self.held.split_off(n_safe);
                let words = std::mem::replace(&mut self.held, rest);
                self.say(&words, piece);
                false
            }
        }
    }

    /// Bytes of the held text that no marker can begin in, nor the blanks before one.
    fn n_words(&self, marker: &str) -> usize {
        let text = &self.held;
        let may_begin = |at: &usize| {
            let rest = &text[*at..];
            marker.starts_with(rest)
                || self.style.closing().is_some_and(|closing| closing.starts_with(rest))
        };
        let at = text.char_indices().map(|(at, _)| at).find(may_begin).unwrap_or(text.len());
        text[..at].trim_end().len()
    }

    fn say(&mut self, words: &str, piece: &mut Piece) {
        let words = if self.trims_words { words.trim_start() } else { words };
        if !words.is_empty() {
            self.trims_words = false;
            piece.text.push_str(words);
        }
    }

    /// What follows a marker.
    fn marked(&mut self) {
        self.before_call.clear();
        self.is_unmarked = self.style.is_bare();
        match self.style {
            ToolStyle::Functionary => self.state = State::Name(String::new()),
            ToolStyle::Mistral => self.state = State::AfterMarker,
            ToolStyle::Hermes | ToolStyle::Llama3 | ToolStyle::Generic => {
                self.begin_call(CallScan::object(false));
            }
        }
    }

    fn after_marker(&mut self, is_end: bool) -> bool {
        self.skip_blanks();
        match self.held.chars().next() {
            None if is_end => {
                self.state = State::Words;
                false
            }
            None => false,
            Some('[') => {
                self.held.drain(..1);
                self.begin_call(CallScan::object(false));
                true
            }
            Some('{') => {
                self.begin_call(CallScan::object(false));
                true
            }
            Some(_) => {
                self.state = State::Name(String::new());
                true
            }
        }
    }

    /// `name>` or `name[ARGS]`.
    fn name(&mut self, piece: &mut Piece, is_end: bool) -> bool {
        let State::Name(name) = &mut self.state else { return false };
        let (ends, skipped) = match self.style {
            ToolStyle::Functionary => (">", ">"),
            _ => ("[{", ARGS),
        };
        let at = self.held.find(|c| ends.contains(c)).unwrap_or(self.held.len());
        name.push_str(&self.held[..at]);
        self.held.drain(..at);
        if name.len() > NAME_BYTES_MAX || (self.held.is_empty() && is_end) {
            let words = std::mem::take(name);
            self.state = State::Words;
            self.say(&words, piece);
            return true;
        }
        if self.held.is_empty()
            || (!is_end && skipped.starts_with(&self.held) && self.held != skipped)
        {
            return false;
        }
        if self.held.starts_with(skipped) {
            self.held.drain(..skipped.len());
        } else if !self.held.starts_with('{') {
            // Something between name and arguments, as a call's id: not the function's name.
            name.push(NAME_END);
            self.held.drain(..1);
            return true;
        }
        let name = name.split(NAME_END).next().unwrap_or_default().trim().to_owned();
        self.begin_call(CallScan::arguments(name));
        true
    }

    fn begin_call(&mut self, scan: CallScan) {
        self.is_announced = false;
        self.state = State::Call(Box::new(scan));
    }

    fn call(&mut self, piece: &mut Piece) -> bool {
        let State::Call(scan) = &mut self.state else { return false };
        let mut scanned = Scanned::More;
        let mut n_read = 0;
        for c in self.held.chars() {
            scanned = scan.push(c);
            n_read += c.len_utf8();
            if let (false, Some(name)) = (self.is_announced, scan.name()) {
                if self.is_unmarked && !self.names.iter().any(|offered| offered == name) {
                    scanned = Scanned::Broken;
                } else if !self.is_unmarked || scan.has_arguments() || scanned == Scanned::Done {
                    // A name alone makes no call of an object without marks.
                    self.is_announced = true;
                    let name = Some(name.to_owned());
                    let index = self.n_calls;
                    piece.add_call(CallDelta { index, name, arguments: String::new() });
                }
            }
            if scanned != Scanned::More {
                break;
            }
        }
        self.held.drain(..n_read);
        if self.is_announced {
            let arguments = scan.take_arguments();
            if !arguments.is_empty() {
                piece.add_call(CallDelta { index: self.n_calls, name: None, arguments });
            }
        }
        match scanned {
            Scanned::More => return false,
            Scanned::Done => self.call_ended(),
            Scanned::Broken if self.is_announced => self.call_ended(),
            Scanned::Broken => {
                let words = format!("{}{}", self.before_call, scan.raw());
                self.before_call.clear();
                self.held.insert_str(0, &words);
                self.state = State::Words;
            }
        }
        true
    }

    fn call_ended(&mut self) {
        self.n_calls += 1;
        self.is_announced = false;
        self.before_call.clear();
        self.trims_words = true;
        self.state = State::Between;
    }

    fn between(&mut self, is_end: bool) -> bool {
        self.skip_blanks();
        let bare = if self.is_unmarked { &BARE_SEPARATORS[..] } else { &[] };
        let own: &[&str] = if self.style == ToolStyle::Mistral { &[",", "]"] } else { &[] };
        let left_out = || bare.iter().chain(own).copied().chain(self.style.closing());
        if let Some(separator) = left_out().find(|text| self.held.starts_with(text)) {
            self.held.drain(..separator.len());
            return true;
        }
        if let Some(marker) = self.style.marker()
            && self.held.starts_with(marker)
        {
            self.held.drain(..marker.len());
            self.marked();
            return true;
        }
        let may_follow =
            left_out().chain(self.style.marker()).any(|text| text.starts_with(&self.held));
        if may_follow {
            // At the end, a part of a marker that was cut.
            if is_end {
                self.held.clear();
            }
            return false;
        }
        let is_object = self.held.starts_with('{');
        if is_object && (self.is_unmarked || self.style == ToolStyle::Mistral) {
            self.begin_call(CallScan::object(self.is_unmarked));
        } else {
            self.state = State::Words;
        }
        true
    }

    fn skip_blanks(&mut self) {
        let n = self.held.len() - self.held.trim_start().len();
        self.held.drain(..n);
    }
}
