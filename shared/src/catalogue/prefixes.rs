//! What stands before a text so that an embedder knows what the text is for?

use serde::{Deserialize, Serialize};

/// What a text is to its vector.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EmbedKind {
    /// Somebody's question.
    Query,
    /// A piece of a document that may answer one.
    Passage,
    /// Neither: embedded as it is.
    #[default]
    Raw,
}

/// A model's words before its texts, the space behind them included: `query: `.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prefixes {
    #[serde(default)]
    pub query: String,
    #[serde(default)]
    pub passage: String,
}

impl Prefixes {
    /// Whether the model was taught without.
    pub fn is_empty(&self) -> bool {
        self.query.is_empty() && self.passage.is_empty()
    }

    pub fn of(&self, kind: EmbedKind) -> &str {
        match kind {
            EmbedKind::Query => &self.query,
            EmbedKind::Passage => &self.passage,
            EmbedKind::Raw => "",
        }
    }

    /// The text as the model is to read it.
    pub fn apply(&self, kind: EmbedKind, text: &str) -> String {
        format!("{}{text}", self.of(kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_its_own_words() {
        let e5 = Prefixes { query: "query: ".to_owned(), passage: "passage: ".to_owned() };
        assert_eq!(e5.apply(EmbedKind::Query, "Wo?"), "query: Wo?");
        assert_eq!(e5.apply(EmbedKind::Passage, "Hier."), "passage: Hier.");
        assert_eq!(e5.apply(EmbedKind::Raw, "Hier."), "Hier.");
        assert_eq!(Prefixes::default().apply(EmbedKind::Query, "Wo?"), "Wo?");
    }
}
