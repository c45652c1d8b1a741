//! Small choices of this device: language, theme, model, what stands in a composer. Kept in
//! localStorage, so that they are there before anything is painted; where storage is refused they
//! last as long as the tab.

use portico_shared::sync::AssistantUse;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use web_sys::Storage;

use crate::browser::window;

fn storage() -> Option<Storage> {
    window()?.local_storage().ok()?
}

pub fn get(name: &str) -> Option<String> {
    storage()?.get_item(&format!("portico.{name}")).ok()?
}

/// Keeps a value; none removes it.
pub fn set(name: &str, value: Option<&str>) {
    let Some(storage) = storage() else { return };
    let name = format!("portico.{name}");
    // A refusal costs only the memory of a choice.
    match value {
        Some(value) => storage.set_item(&name, value).ok(),
        None => storage.remove_item(&name).ok(),
    };
}

/// Removes every value.
pub fn clear() {
    let Some(storage) = storage() else { return };
    let count = storage.length().unwrap_or(0);
    let names: Vec<String> = (0..count).filter_map(|i| storage.key(i).ok()?).collect();
    for name in names.iter().filter(|name| name.starts_with("portico.")) {
        storage.remove_item(name).ok();
    }
}

fn draft_name(conversation: Option<Uuid>) -> String {
    conversation.map_or_else(|| "draft.new".to_owned(), |id| format!("draft.{id}"))
}

/// What was written into a conversation's composer and not sent.
pub fn draft(conversation: Option<Uuid>) -> String {
    get(&draft_name(conversation)).unwrap_or_default()
}

pub fn set_draft(conversation: Option<Uuid>, text: &str) {
    set(&draft_name(conversation), (!text.is_empty()).then_some(text));
}

/// Small quantised models wander at OpenAI's usual temperature of 1; their makers advise about this
/// (SmolLM2: 0.2 with a top-p of 0.9).
pub const USUAL_TEMPERATURE: f32 = 0.2;
pub const USUAL_TOP_P: f32 = 0.9;

/// How a conversation's answers are made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AnswerSettings {
    /// A system message; empty: the model's own default.
    pub instructions: String,
    pub temperature: Option<f32>,
    pub max_tokens: Option<u32>,
    /// `portico_page::route::Choice` by its name.
    pub place: Option<String>,
    /// Ids of the collections that are asked.
    pub collections: Vec<String>,
    /// Ids of the tools that may be called.
    pub tools: Vec<String>,
    /// Those of them that need not be asked about again.
    pub granted: Vec<String>,
    /// With which a new conversation begins; of one that there is the log knows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assistant: Option<AssistantUse>,
}

pub fn answer_settings(conversation: Option<Uuid>) -> AnswerSettings {
    let name = settings_name(conversation);
    get(&name).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default()
}

pub fn set_answer_settings(conversation: Option<Uuid>, settings: &AnswerSettings) {
    let json = serde_json::to_string(settings).ok();
    set(&settings_name(conversation), json.as_deref());
}

/// Settings made before a new conversation's first message go with it.
pub fn adopt_answer_settings(conversation: Uuid) {
    let settings = answer_settings(None);
    if settings != AnswerSettings::default() {
        let adopted = AnswerSettings { assistant: None, ..settings };
        set_answer_settings(Some(conversation), &adopted);
        set(&settings_name(None), None);
    }
}

fn settings_name(conversation: Option<Uuid>) -> String {
    conversation.map_or_else(|| "answers.new".to_owned(), |id| format!("answers.{id}"))
}
