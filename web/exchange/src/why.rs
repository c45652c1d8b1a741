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

/// What of a conversation is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeftOut {
    /// By the source's name.
    Content(String),
    /// Files and pictures, of which exports hold only names.
    File(String),
    /// Recordings of what was spoken; its words are here.
    Recording,
    /// Documents that answers rested on, as a whole.
    Collection(String),
    /// What the person or the program told the model beforehand.
    Instructions,
    /// Messages that were not shown.
    Hidden,
    /// Where a citation points at nothing that is known.
    Citation,
    /// A folder or project, of which exports hold only a number.
    Folder,
    /// More calls of tools than a message can have.
    Steps,
    /// What is too long for a step.
    StepEnd,
}

impl LeftOut {
    pub fn text(&self, lang: Lang) -> String {
        let (en, de, name) = match self {
            Self::Content(kind) => {
                ("content of kind “{}” is left out", "Inhalt der Art „{}“ fehlt", kind.as_str())
            }
            Self::File(name) => (
                "the file “{}” is not in the export",
                "die Datei „{}“ ist nicht in der Ausgabe",
                name.as_str(),
            ),
            Self::Collection(name) => (
                "the documents “{}” are not in the export",
                "die Dokumente „{}“ sind nicht in der Ausgabe",
                name.as_str(),
            ),
            Self::Recording => ("recordings are left out", "Aufnahmen fehlen", ""),
            Self::Instructions => {
                ("instructions to the model are left out", "Anweisungen an das Modell fehlen", "")
            }
            Self::Hidden => ("hidden messages are left out", "verborgene Nachrichten fehlen", ""),
            Self::Citation => {
                ("citations without a source are left out", "Belege ohne Quelle fehlen", "")
            }
            Self::Folder => (
                "its folder has no name in the export",
                "der Ordner hat in der Ausgabe keinen Namen",
                "",
            ),
            Self::Steps => {
                ("further calls of tools are left out", "weitere Werkzeugaufrufe fehlen", "")
            }
            Self::StepEnd => (
                "the end of a tool’s long result is left out",
                "das Ende eines langen Werkzeugergebnisses fehlt",
                "",
            ),
        };
        if lang == Lang::De { de } else { en }.replace("{}", name)
    }
}
