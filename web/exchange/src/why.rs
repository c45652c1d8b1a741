//! What is said of what was not taken over?

use crate::Lang;

/// Why a conversation is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    Json(String),
    /// Of no known program.
    Unknown,
    /// It has no message.
    Empty,
    /// Without an id it could not be told from others.
    NoId,
    /// Its messages do not form a tree.
    Tree,
    /// An operation of ours that cannot be read.
    Operation(String),
    /// Larger than what is kept.
    Limit(String),
}

impl Why {
    pub fn text(&self, lang: Lang) -> String {
        let (en, de, detail) = match self {
            Self::Json(why) => ("no JSON", "kein JSON", Some(why)),
            Self::Unknown => ("of no known program", "von keinem bekannten Programm", None),
            Self::Empty => ("without messages", "ohne Nachrichten", None),
            Self::NoId => ("without an id", "ohne Kennung", None),
            Self::Tree => ("its messages form no tree", "die Nachrichten bilden keinen Baum", None),
            Self::Operation(why) => {
                ("an operation cannot be read", "ein Schritt ist nicht lesbar", Some(why))
            }
            Self::Limit(why) => ("too large", "zu groß", Some(why)),
        };
        let text = if lang == Lang::De { de } else { en };
        match detail {
            Some(detail) => format!("{text}: {detail}"),
            None => text.to_owned(),
        }
    }
}

/// A kind of content that is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// By the source's name.
    Content(String),
    /// Files, of which exports hold only names.
    File(String),
}

impl LeftOut {
    pub fn text(&self, lang: Lang) -> String {
        match (self, lang) {
            (Self::Content(kind), Lang::En) => format!("content of kind “{kind}” is left out"),
            (Self::Content(kind), Lang::De) => format!("Inhalt der Art „{kind}“ fehlt"),
            (Self::File(name), Lang::En) => format!("the file “{name}” is not in the export"),
            (Self::File(name), Lang::De) => format!("die Datei „{name}“ ist nicht in der Ausgabe"),
        }
    }
}
