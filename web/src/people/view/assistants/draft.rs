//! An assistant as it stands in the form.

use leptos::prelude::*;
use portico_page::assistants::Assistant;
use portico_shared::assistant::{Definition, QUESTIONS_MAX};
use serde_json::{Value, json};

/// Signals for all fields.
#[derive(Clone, Copy)]
pub struct Draft {
    pub name: RwSignal<String>,
    pub icon: RwSignal<String>,
    pub description: RwSignal<String>,
    pub instructions: RwSignal<String>,
    pub hides_instructions: RwSignal<bool>,
    /// Empty: none is preferred.
    pub model: RwSignal<String>,
    pub may_stand_in: RwSignal<bool>,
    pub collections: RwSignal<Vec<String>>,
    pub tools: RwSignal<Vec<String>>,
    pub questions: [RwSignal<String>; QUESTIONS_MAX],
    pub groups: RwSignal<Vec<String>>,
    pub for_house: RwSignal<bool>,
}

impl Draft {
    pub fn new(definition: Definition, of: Option<&Assistant>) -> Self {
        let mut questions = definition.questions.into_iter();
        Self {
            name: RwSignal::new(definition.name),
            icon: RwSignal::new(definition.icon),
            description: RwSignal::new(definition.description),
            instructions: RwSignal::new(definition.instructions),
            hides_instructions: RwSignal::new(definition.hides_instructions),
            model: RwSignal::new(definition.model.unwrap_or_default()),
            may_stand_in: RwSignal::new(definition.may_stand_in),
            collections: RwSignal::new(definition.collections),
            tools: RwSignal::new(definition.tools),
            questions: std::array::from_fn(|_| RwSignal::new(questions.next().unwrap_or_default())),
            groups: RwSignal::new(of.map(|one| one.groups.clone()).unwrap_or_default()),
            for_house: RwSignal::new(of.is_some_and(|one| one.for_house)),
        }
    }

    /// As it stands now.
    pub fn definition(self) -> Definition {
        untrack(|| Definition {
            name: self.name.get(),
            description: self.description.get(),
            icon: self.icon.get(),
            instructions: self.instructions.get(),
            hides_instructions: self.hides_instructions.get(),
            model: Some(self.model.get()).filter(|model| !model.is_empty()),
            may_stand_in: self.may_stand_in.get(),
            collections: self.collections.get(),
            tools: self.tools.get(),
            questions: self.questions.map(|question| question.get()).to_vec(),
        })
    }

    /// What the server is sent.
    pub fn written(self, definition: &Definition, revision: Option<u64>) -> Value {
        json!({
            "definition": definition,
            "groups": self.groups.get_untracked(),
            "for_house": self.for_house.get_untracked(),
            "revision": revision,
        })
    }
}
