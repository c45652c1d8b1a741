//! A conversation's active branch, as values that the views can hold.

use std::collections::BTreeMap;
use std::sync::Arc;

use portico_shared::openai::Role;
use portico_shared::sync::{Merge, MessageContent, MessageView, ToolStep};
use uuid::Uuid;

/// A message of the active branch.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    pub id: Uuid,
    pub parent: Option<Uuid>,
    pub role: Role,
    pub content: Arc<MessageContent>,
    /// What it did between its words.
    pub steps: Vec<ToolStep>,
    /// In its place on all branches, oldest first.
    pub siblings: Vec<Uuid>,
}

impl Item {
    /// The role as OpenAI's clients spell it.
    pub fn role_name(&self) -> &'static str {
        match self.role {
            Role::System => "system",
            Role::Developer => "developer",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        }
    }

    /// From 0.
    pub fn sibling_index(&self) -> usize {
        self.siblings.iter().position(|&id| id == self.id).unwrap_or(0)
    }
}

/// First message to last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Thread {
    pub items: Vec<Arc<Item>>,
    places: BTreeMap<Uuid, usize>,
}

impl Thread {
    pub fn of(items: Vec<Arc<Item>>) -> Self {
        let places = items.iter().enumerate().map(|(place, item)| (item.id, place)).collect();
        Self { items, places }
    }

    pub fn get(&self, message: Uuid) -> Option<&Arc<Item>> {
        self.items.get(*self.places.get(&message)?)
    }

    pub fn last(&self) -> Option<&Arc<Item>> {
        self.items.last()
    }

    /// The messages up to and with `message`.
    pub fn up_to(&self, message: Uuid) -> &[Arc<Item>] {
        let end = self.places.get(&message).map_or(0, |place| place + 1);
        &self.items[..end]
    }
}

pub fn thread(merge: &Merge, conversation: Uuid) -> Thread {
    Thread::of(merge.thread(conversation).into_iter().map(item).collect())
}

pub fn item(view: MessageView<'_>) -> Arc<Item> {
    Arc::new(Item {
        id: view.id,
        parent: view.parent,
        role: view.role,
        content: Arc::clone(view.content),
        steps: view.steps.into_iter().cloned().collect(),
        siblings: view.siblings,
    })
}
