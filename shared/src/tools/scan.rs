//! What does one call's JSON say, read character by character as it comes?

/// What a character made of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scanned {
    More,
    /// The call ended with this character.
    Done,
    /// It is no call.
    Broken,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Open,
    KeyOrEnd,
    Key,
    InKey,
    Colon,
    ValueStart,
    Value,
    AfterValue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Name,
    Arguments,
    Other,
}

/// One call: its name as soon as it is known, its arguments as they come.
#[derive(Clone, Debug)]
pub(super) struct CallScan {
    /// All of it, for the case that it is no call.
    raw: String,
    /// Only these fields may stand in it: else it is some other object.
    is_strict: bool,
    /// Arguments alone, the name stood before them.
    is_arguments: bool,
    phase: Phase,
    field: Field,
    key: String,
    /// The value so far; a container of arguments is streamed instead.
    value: String,
    /// Brackets open in the value.
    depth: u32,
    in_string: bool,
    escaped: bool,
    name: Option<String>,
    has_arguments: bool,
    /// Read and not yet taken.
    arguments: String,
}

impl CallScan {
    /// Of an object that names the function. A strict one holds nothing else than a call does.
    pub(super) fn object(is_strict: bool) -> Self {
        Self {
            raw: String::new(),
            is_strict,
            is_arguments: false,
            phase: Phase::Open,
            field: Field::Other,
            key: String::new(),
            value: String::new(),
            depth: 0,
            in_string: false,
            escaped: false,
            name: None,
            has_arguments: false,
            arguments: String::new(),
        }
    }

    /// Of the arguments of a function whose name is known.
    pub(super) fn arguments(name: String) -> Self {
        Self {
            is_arguments: true,
            phase: Phase::ValueStart,
            field: Field::Arguments,
            name: Some(name),
            ..Self::object(false)
        }
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn has_arguments(&self) -> bool {
        self.has_arguments
    }

    pub(super) fn raw(&self) -> &str {
        &self.raw
    }

    /// Arguments since the last call.
    pub(super) fn take_arguments(&mut self) -> String {
        std::mem::take(&mut self.arguments)
    }

    pub(super) fn push(&mut self, c: char) -> Scanned {
        self.raw.push(c);
        let is_blank = c.is_ascii_whitespace();
        match self.phase {
            Phase::Open | Phase::KeyOrEnd | Phase::Key | Phase::Colon | Phase::ValueStart
                if is_blank =>
            {
                Scanned::More
            }
            Phase::Open if c == '{' => self.go(Phase::KeyOrEnd),
            Phase::KeyOrEnd | Phase::Key if c == '"' => {
                self.key = c.to_string();
                self.go(Phase::InKey)
            }
            Phase::KeyOrEnd if c == '}' => Scanned::Broken,
            Phase::InKey => {
                self.key.push(c);
                if self.ends_string(c) { self.key_ended() } else { Scanned::More }
            }
            Phase::Colon if c == ':' => self.go(Phase::ValueStart),
            Phase::ValueStart => self.value_begins(c),
            Phase::Value => self.value_goes_on(c),
            Phase::AfterValue => self.after_value(c),
            _ => Scanned::Broken,
        }
    }

    fn go(&mut self, phase: Phase) -> Scanned {
        self.phase = phase;
        Scanned::More
    }

    /// Inside a string: whether this is its closing quote.
    fn ends_string(&mut self, c: char) -> bool {
        match (self.escaped, c) {
            (true, _) => self.escaped = false,
            (false, '\\') => self.escaped = true,
            (false, '"') => return true,
            (false, _) => {}
        }
        false
    }

    fn key_ended(&mut self) -> Scanned {
        let key: Result<String, _> = serde_json::from_str(&self.key);
        self.field = match key.as_deref() {
            Ok("name") if self.name.is_none() => Field::Name,
            Ok("arguments" | "parameters") if !self.has_arguments => Field::Arguments,
            Ok("type" | "id") => Field::Other,
            Ok(_) if !self.is_strict => Field::Other,
            _ => return Scanned::Broken,
        };
        self.go(Phase::Colon)
    }

    /// Whether the value is passed on as it comes.
    fn is_streamed(&self) -> bool {
        self.field == Field::Arguments && self.depth > 0
    }

    fn value_begins(&mut self, c: char) -> Scanned {
        self.value.clear();
        self.in_string = c == '"';
        self.depth = u32::from(c == '{' || c == '[');
        if matches!(c, '}' | ']' | ',' | ':')
            || (self.is_arguments && c != '{')
            || (self.field == Field::Name && c != '"')
        {
            return Scanned::Broken;
        }
        if self.is_streamed() {
            self.has_arguments = true;
            self.arguments.push(c);
        } else {
            self.value.push(c);
        }
        self.go(Phase::Value)
    }

    fn value_goes_on(&mut self, c: char) -> Scanned {
        let is_scalar = self.depth == 0 && !self.in_string;
        if is_scalar && (matches!(c, ',' | '}' | ']') || c.is_ascii_whitespace()) {
            return match self.value_ended() {
                Scanned::More => self.after_value(c),
                other => other,
            };
        }
        if self.is_streamed() {
            self.arguments.push(c);
        } else {
            self.value.push(c);
        }
        let mut is_over = false;
        if self.in_string {
            if self.ends_string(c) {
                self.in_string = false;
                is_over = self.depth == 0;
            }
        } else if self.depth > 0 {
            match c {
                '"' => self.in_string = true,
                '{' | '[' => self.depth += 1,
                '}' | ']' => {
                    self.depth -= 1;
                    is_over = self.depth == 0;
                }
                _ => {}
            }
        }
        if is_over { self.value_ended() } else { Scanned::More }
    }

    fn value_ended(&mut self) -> Scanned {
        let as_text = || serde_json::from_str::<String>(&self.value).ok();
        match self.field {
            Field::Name => match as_text() {
                Some(name) => self.name = Some(name),
                None => return Scanned::Broken,
            },
            Field::Arguments if !self.has_arguments => {
                self.has_arguments = true;
                // Some models write the arguments' JSON as a string, or null for none.
                let text = as_text().unwrap_or_else(|| self.value.clone());
                let is_none = matches!(text.trim(), "" | "null");
                self.arguments.push_str(if is_none { "{}" } else { &text });
            }
            Field::Arguments | Field::Other => {}
        }
        self.phase = Phase::AfterValue;
        if self.is_arguments { Scanned::Done } else { Scanned::More }
    }

    fn after_value(&mut self, c: char) -> Scanned {
        self.phase = Phase::AfterValue;
        match c {
            ',' => self.go(Phase::Key),
            '}' if self.name.is_some() => {
                if !self.has_arguments {
                    self.arguments.push_str("{}");
                }
                Scanned::Done
            }
            c if c.is_ascii_whitespace() => Scanned::More,
            _ => Scanned::Broken,
        }
    }
}
