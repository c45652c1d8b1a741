//! What does an assistant come to in a conversation, here and now? And how does one leave the house as a
//! file, and come in?

use portico_shared::assistant::{Definition, Wrong};
use portico_shared::sync::AssistantUse;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// One that the person may use, as the server says it and this device keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Assistant {
    pub id: Uuid,
    pub revision: u64,
    pub definition: Definition,
    /// None: somebody who is gone.
    #[serde(default)]
    pub maker: Option<String>,
    #[serde(default)]
    pub is_own: bool,
    #[serde(default)]
    pub may_change: bool,
    /// Collections of it that the person may not read.
    #[serde(default)]
    pub n_withheld: u64,
    #[serde(default)]
    pub for_house: bool,
    /// With which it is shared, for those who may change it.
    #[serde(default)]
    pub groups: Vec<String>,
}

impl Assistant {
    /// As a conversation remembers it.
    pub fn in_use(&self) -> AssistantUse {
        let name = self.definition.name.clone();
        AssistantUse { id: self.id, name, revision: self.revision }
    }
}

/// What `GET /api/assistants` says; one that cannot be read is left out. None: it is no list.
pub fn listed(json: &str) -> Option<Vec<Assistant>> {
    let said: Value = serde_json::from_str(json).ok()?;
    let list = said.get("assistants")?.as_array()?;
    Some(list.iter().filter_map(|one| Assistant::deserialize(one).ok()).collect())
}

/// How it stands with a conversation's assistant.
#[derive(Clone, Debug, PartialEq)]
pub enum Standing {
    /// The conversation has none.
    None,
    /// `is_news`: it is another than the one that the person was told of.
    Here { assistant: Box<Assistant>, is_news: bool },
    /// Deleted, or no longer for this person.
    Gone(AssistantUse),
    /// The server was not asked yet, and this device kept nothing.
    Unknown(AssistantUse),
}

/// `known`: the list; none where there is none.
pub fn standing(in_use: Option<AssistantUse>, known: Option<&[Assistant]>) -> Standing {
    let Some(in_use) = in_use else { return Standing::None };
    let Some(known) = known else { return Standing::Unknown(in_use) };
    match known.iter().find(|one| one.id == in_use.id) {
        Some(one) => {
            let is_news = one.revision > in_use.revision;
            Standing::Here { assistant: Box::new(one.clone()), is_news }
        }
        None => Standing::Gone(in_use),
    }
}

/// The system message: the assistant's, then the conversation's own.
pub fn instructions(of_assistant: &str, own: &str) -> String {
    let parts = [of_assistant.trim(), own.trim()];
    let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("\n\n")
}

/// What the person chose, and what the assistant brings along.
pub fn united(own: &mut Vec<String>, of_assistant: &[String]) {
    for id in of_assistant {
        if !own.contains(id) {
            own.push(id.clone());
        }
    }
}

/// Which model answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Model {
    /// Whichever answers without an assistant.
    Usual,
    Preferred(String),
    /// The usual one, in the place of this one.
    StandsIn(String),
    /// None: this one cannot, and no other may.
    Missing(String),
}

/// `can`: whether a model can be asked here and now.
pub fn model(definition: &Definition, can: impl Fn(&str) -> bool) -> Model {
    match &definition.model {
        None => Model::Usual,
        Some(wanted) if can(wanted) => Model::Preferred(wanted.clone()),
        Some(wanted) if definition.may_stand_in => Model::StandsIn(wanted.clone()),
        Some(wanted) => Model::Missing(wanted.clone()),
    }
}

/// By which a file is known.
const MARK: &str = "portico_assistant";

/// As a file: what its maker wrote, and neither whose it is nor with whom it is shared.
pub fn exported(definition: &Definition) -> String {
    let file = json!({ MARK: 1, "definition": definition });
    serde_json::to_string_pretty(&file).unwrap_or_default()
}

/// Why a file is no assistant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotRead {
    /// It is another file.
    Other,
    Wrong(Wrong),
}

/// # Errors
/// Why it is none.
pub fn imported(text: &str) -> Result<Definition, NotRead> {
    let file: Value = serde_json::from_str(text).map_err(|_| NotRead::Other)?;
    if file.get(MARK).and_then(Value::as_u64) != Some(1) {
        return Err(NotRead::Other);
    }
    let definition = file.get("definition").cloned().unwrap_or_default();
    let definition: Definition = serde_json::from_value(definition).map_err(|_| NotRead::Other)?;
    definition.tidied().map_err(NotRead::Wrong)
}

/// A file's name: `Bauamt & Co.` → `bauamt-co.json`.
pub fn file_name(name: &str) -> String {
    let words = name.to_lowercase();
    let words: Vec<&str> =
        words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    format!("{}.json", if words.is_empty() { "assistant".to_owned() } else { words.join("-") })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assistant(revision: u64) -> Assistant {
        let id = "0199a000-0000-7000-8000-000000000001";
        let list = json!({ "assistants": [
            { "id": id, "revision": revision, "definition": { "name": "Bauamt", "later": 1 }, "later": 2 },
            { "id": "none", "revision": 1, "definition": {} },
        ]});
        let listed = listed(&list.to_string()).unwrap();
        assert_eq!(listed.len(), 1, "one that cannot be read is left out");
        listed[0].clone()
    }

    #[test]
    fn a_conversation_is_told_what_became_of_its_assistant() {
        let one = assistant(2);
        let in_use = one.in_use();
        let known = [one.clone()];
        let here = |is_news| Standing::Here { assistant: Box::new(one.clone()), is_news };
        assert_eq!(standing(None, Some(&known)), Standing::None);
        assert_eq!(standing(Some(in_use.clone()), Some(&known)), here(false));
        let before = AssistantUse { revision: 1, ..in_use.clone() };
        assert_eq!(standing(Some(before), Some(&known)), here(true));
        // A device that has not heard of the last change yet says nothing of it.
        let later = AssistantUse { revision: 3, ..in_use.clone() };
        assert_eq!(standing(Some(later), Some(&known)), here(false));
        assert_eq!(standing(Some(in_use.clone()), Some(&[])), Standing::Gone(in_use.clone()));
        assert_eq!(standing(Some(in_use.clone()), None), Standing::Unknown(in_use));
        assert_eq!(listed("<html>"), None);
    }

    #[test]
    fn the_preferred_model_answers_where_it_can_and_another_only_where_it_may() {
        let wants = |model: Option<&str>, may_stand_in| Definition {
            model: model.map(str::to_owned),
            may_stand_in,
            ..Definition::default()
        };
        let can = |model: &str| model == "a";
        assert_eq!(model(&wants(None, false), can), Model::Usual);
        assert_eq!(model(&wants(Some("a"), false), can), Model::Preferred("a".into()));
        assert_eq!(model(&wants(Some("b"), true), can), Model::StandsIn("b".into()));
        assert_eq!(model(&wants(Some("b"), false), can), Model::Missing("b".into()));
    }

    #[test]
    fn an_assistants_words_and_choices_come_beside_the_persons() {
        assert_eq!(instructions(" Be brief. ", "In German."), "Be brief.\n\nIn German.");
        assert_eq!(instructions("", " "), "");
        let mut own = vec!["a".to_owned()];
        united(&mut own, &["b".into(), "a".into(), "b".into()]);
        assert_eq!(own, ["a", "b"]);
    }

    #[test]
    fn a_file_brings_back_what_it_took_along_and_nothing_else() {
        let definition = Definition {
            name: "Bauamt & Co.".into(),
            instructions: "Zeile 1\nZeile 2".into(),
            tools: vec!["date".into()],
            ..Definition::default()
        };
        assert_eq!(imported(&exported(&definition)), Ok(definition));
        for other in ["", "[]", "{}", r#"{"portico_assistant":2,"definition":{}}"#] {
            assert_eq!(imported(other), Err(NotRead::Other), "{other}");
        }
        let nameless = r#"{"portico_assistant":1,"definition":{"name":" "}}"#;
        assert!(matches!(imported(nameless), Err(NotRead::Wrong(wrong)) if wrong.field == "name"));
        assert_eq!(file_name("Bauamt & Co."), "bauamt-co.json");
        assert_eq!(file_name("…/../"), "assistant.json");
    }
}
