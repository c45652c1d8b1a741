//! What is an assistant? Words, a model, documents and tools that go together under a name.
//!
//! It is no more than a choice that somebody made beforehand: whoever uses it gets of its collections,
//! models and tools what they may use without it.

use serde::{Deserialize, Serialize};

pub const NAME_MAX_CHARS: usize = 60;
pub const DESCRIPTION_MAX_CHARS: usize = 300;
pub const INSTRUCTIONS_MAX_CHARS: usize = 8_000;
pub const QUESTIONS_MAX: usize = 4;
pub const QUESTION_MAX_CHARS: usize = 300;
/// Most collections, and most tools.
pub const NAMED_MAX: usize = 20;
/// Of a model's, a collection's or a tool's id.
pub const ID_MAX_BYTES: usize = 200;
/// Signs that an icon may be, beside a letter or a digit.
pub const SYMBOLS: [char; 12] = ['★', '✎', '✓', '♥', '☀', '♪', '§', '€', '%', '&', '?', '!'];

/// What its maker wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Definition {
    pub name: String,
    pub description: String,
    /// One letter, digit or symbol; empty: the name's first letter.
    pub icon: String,
    /// A system message before those of the conversation; empty: none.
    pub instructions: String,
    /// The page does not show them. They go to the device all the same, which asks the model.
    pub hides_instructions: bool,
    /// The preferred one; none: whichever answers.
    pub model: Option<String>,
    /// Where the preferred one cannot be asked, another answers.
    pub may_stand_in: bool,
    pub collections: Vec<String>,
    pub tools: Vec<String>,
    /// With which a conversation can begin.
    pub questions: Vec<String>,
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            name: String::new(),
            description: String::new(),
            icon: String::new(),
            instructions: String::new(),
            hides_instructions: false,
            model: None,
            may_stand_in: true,
            collections: Vec::new(),
            tools: Vec::new(),
            questions: Vec::new(),
        }
    }
}

/// A field that cannot be so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub field: &'static str,
    pub reason: &'static str,
}

impl Definition {
    /// Without blanks around, without empty questions and what is named twice.
    ///
    /// # Errors
    /// The first field that cannot be so.
    pub fn tidied(self) -> Result<Self, Wrong> {
        let wrong = |field, reason| Err(Wrong { field, reason });
        let trimmed = |text: &str| text.trim().to_owned();
        let mut tidy = Self {
            name: trimmed(&self.name),
            description: trimmed(&self.description),
            icon: trimmed(&self.icon),
            instructions: trimmed(&self.instructions),
            model: self.model.filter(|model| !model.is_empty()),
            questions: self.questions.iter().map(|one| trimmed(one)).collect(),
            ..self
        };
        tidy.questions.retain(|question| !question.is_empty());
        for list in [&mut tidy.collections, &mut tidy.tools, &mut tidy.questions] {
            let mut seen = std::collections::BTreeSet::new();
            list.retain(|one| seen.insert(one.clone()));
        }
        let is_line =
            |text: &str, max| text.chars().count() <= max && !text.chars().any(char::is_control);
        let is_text = |text: &str, max| {
            let is_odd = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
            text.chars().count() <= max && !text.chars().any(is_odd)
        };
        let are_ids = |ids: &[String]| {
            let is_id =
                |id: &String| (1..=ID_MAX_BYTES).contains(&id.len()) && is_line(id, ID_MAX_BYTES);
            ids.len() <= NAMED_MAX && ids.iter().all(is_id)
        };
        if tidy.name.is_empty() || !is_line(&tidy.name, NAME_MAX_CHARS) {
            return wrong("name", "a name has 1 to 60 characters");
        }
        if !is_line(&tidy.description, DESCRIPTION_MAX_CHARS) {
            return wrong("description", "a description has at most 300 characters");
        }
        let is_icon = |c: char| c.is_alphanumeric() || SYMBOLS.contains(&c);
        if tidy.icon.chars().count() > 1 || !tidy.icon.chars().all(is_icon) {
            return wrong("icon", "an icon is one letter, digit or symbol of the list");
        }
        if !is_text(&tidy.instructions, INSTRUCTIONS_MAX_CHARS) {
            return wrong("instructions", "instructions have at most 8,000 characters");
        }
        if !tidy.model.as_ref().is_none_or(|model| are_ids(std::slice::from_ref(model))) {
            return wrong("model", "a model's id has at most 200 bytes");
        }
        if !are_ids(&tidy.collections) {
            return wrong("collections", "at most 20 ids of at most 200 bytes");
        }
        if !are_ids(&tidy.tools) {
            return wrong("tools", "at most 20 ids of at most 200 bytes");
        }
        let are_lines = tidy.questions.iter().all(|one| is_line(one, QUESTION_MAX_CHARS));
        if tidy.questions.len() > QUESTIONS_MAX || !are_lines {
            return wrong("questions", "at most four questions of at most 300 characters");
        }
        Ok(tidy)
    }

    /// What stands for it where there is no room for its name.
    pub fn mark(&self) -> String {
        let letter = || self.name.chars().find(|c| c.is_alphanumeric());
        match self.icon.chars().next().or_else(letter) {
            Some(mark) => mark.to_uppercase().collect(),
            None => SYMBOLS[0].to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Definition {
        Definition { name: name.to_owned(), ..Definition::default() }
    }

    #[test]
    fn what_is_written_is_tidied_or_refused_by_field() {
        let text = |n: usize| "x".repeat(n);
        let written = Definition {
            questions: vec![" A? ".into(), String::new(), "A?".into(), "B?".into()],
            tools: vec!["date".into(), "date".into()],
            model: Some(String::new()),
            icon: " ★".into(),
            ..named("  Bauamt ")
        };
        let tidy = written.tidied().unwrap();
        assert_eq!((tidy.name.as_str(), tidy.icon.as_str()), ("Bauamt", "★"));
        assert_eq!(tidy.questions, ["A?", "B?"]);
        assert_eq!((tidy.tools.len(), &tidy.model), (1, &None));
        assert_eq!(tidy.clone().tidied(), Ok(tidy));
        #[track_caller]
        fn check(field: &str, written: Definition) {
            assert_eq!(written.tidied().map_err(|wrong| wrong.field), Err(field));
        }
        check("name", named(" "));
        check("name", named(&text(61)));
        check("name", named("a\u{202e}b\u{7}"));
        check("description", Definition { description: text(301), ..named("a") });
        for icon in ["ab", "<", "\u{200b}", "🦀"] {
            check("icon", Definition { icon: icon.into(), ..named("a") });
        }
        check("instructions", Definition { instructions: text(8_001), ..named("a") });
        check("instructions", Definition { instructions: "a\u{0}".into(), ..named("a") });
        check("model", Definition { model: Some(text(201)), ..named("a") });
        check("collections", Definition { collections: vec![String::new()], ..named("a") });
        let many = (0..21).map(|n| n.to_string()).collect();
        check("tools", Definition { tools: many, ..named("a") });
        let many = (0..5).map(|n| n.to_string()).collect();
        check("questions", Definition { questions: many, ..named("a") });
        check("questions", Definition { questions: vec!["a\nb".into()], ..named("a") });
    }

    #[test]
    fn a_mark_is_always_there() {
        let mark = |icon: &str, name: &str| Definition { icon: icon.into(), ..named(name) }.mark();
        assert_eq!(mark("", "«ökologie»"), "Ö");
        assert_eq!(mark("b", "x"), "B");
        assert_eq!(mark("", "…"), "★");
    }
}
