//! What is known of a conversation without its messages?

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::assistant::AssistantUse;
use super::clock::Hlc;
use super::op::{Body, Op, Setting};
use super::register::{Register, Stamp};

/// A conversation without its messages, as a server hands it to a new device.
///
/// Heads of the same conversation merge like the operations that they are made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Head {
    pub conversation: Uuid,
    pub(super) state: Conversation,
}

/// Exists for whoever reads once `created` is known; its registers may come before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Conversation {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<Stamp>,
    /// When its last message was added, in milliseconds since 1970; 0 before the first one.
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) touched_ms: u64,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) title: Register<Option<String>>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) folder: Register<Option<String>>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) pinned: Register<bool>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) model: Register<Option<String>>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) stays_on_device: Register<bool>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(super) tags: BTreeMap<String, Register<bool>>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) archived: Register<bool>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) assistant: Register<Option<AssistantUse>>,
    #[serde(skip_serializing_if = "Register::is_unset")]
    pub(super) deleted: Register<bool>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_zero(ms: &u64) -> bool {
    *ms == 0
}

impl Head {
    pub fn new(conversation: Uuid) -> Self {
        Self { conversation, state: Conversation::default() }
    }

    /// Takes an operation on this conversation in; one on another changes nothing.
    pub fn apply(&mut self, op: &Op) {
        if op.body.conversation() == Some(self.conversation) {
            self.state.apply(Stamp { at: op.at, op: op.id }, &op.body);
        }
    }

    /// # Errors
    /// What is wrong with the JSON.
    pub fn from_json(json: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(json)
    }

    pub fn to_json(&self) -> String {
        // A struct of strings, numbers and lists: JSON can always hold it.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// When it was last used: made, or given a message. In milliseconds since 1970.
    pub fn used_ms(&self) -> u64 {
        self.state.touched_ms.max(self.state.created.map_or(0, |created| created.at.ms))
    }

    /// Whether the person deleted it, and did not take that back.
    pub fn is_deleted(&self) -> bool {
        self.state.deleted.get().is_some_and(|&deleted| deleted)
    }

    /// The latest time of its operations that is known.
    pub(super) fn latest(&self) -> Hlc {
        let state = &self.state;
        let stamps = [
            state.created,
            state.title.stamp(),
            state.folder.stamp(),
            state.pinned.stamp(),
            state.model.stamp(),
            state.stays_on_device.stamp(),
            state.archived.stamp(),
            state.assistant.stamp(),
            state.deleted.stamp(),
        ];
        let tags = state.tags.values().map(Register::stamp);
        let latest = stamps
            .into_iter()
            .chain(tags)
            .flatten()
            .map(|stamp| stamp.at)
            .max()
            .unwrap_or_default();
        latest.max(Hlc { ms: state.touched_ms, n: 0 })
    }
}

impl Conversation {
    pub(super) fn apply(&mut self, stamp: Stamp, body: &Body) {
        match body {
            Body::CreateConversation { .. } => {
                self.created = Some(self.created.map_or(stamp, |first| first.min(stamp)));
            }
            Body::AddMessage { .. } => self.touched_ms = self.touched_ms.max(stamp.at.ms),
            Body::Set { setting, .. } => match setting.clone() {
                Setting::Title(title) => self.title.write(stamp, title),
                Setting::Folder(folder) => self.folder.write(stamp, folder),
                Setting::Pinned(pinned) => self.pinned.write(stamp, pinned),
                Setting::Model(model) => self.model.write(stamp, model),
                Setting::StaysOnDevice(stays) => self.stays_on_device.write(stamp, stays),
            },
            Body::Tag { tag, on, .. } => {
                self.tags.entry(tag.clone()).or_default().write(stamp, *on);
            }
            Body::Archive { archived, .. } => self.archived.write(stamp, *archived),
            Body::UseAssistant { assistant, .. } => {
                self.assistant.write(stamp, assistant.clone());
            }
            Body::DeleteConversation { deleted, .. } => self.deleted.write(stamp, *deleted),
            Body::WriteMessage { .. }
            | Body::WriteStep { .. }
            | Body::ChooseBranch { .. }
            | Body::DeleteMessage { .. }
            | Body::Unknown(_) => {}
        }
    }

    /// Those that it has now.
    pub(super) fn tags(&self) -> Vec<&str> {
        let on = self.tags.iter().filter(|(_, on)| on.get().copied().unwrap_or_default());
        on.map(|(tag, _)| tag.as_str()).collect()
    }

    pub(super) fn join(&mut self, other: &Self) {
        self.created = match (self.created, other.created) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.touched_ms = self.touched_ms.max(other.touched_ms);
        self.title.join(&other.title);
        self.folder.join(&other.folder);
        self.pinned.join(&other.pinned);
        self.model.join(&other.model);
        self.stays_on_device.join(&other.stays_on_device);
        for (tag, register) in &other.tags {
            self.tags.entry(tag.clone()).or_default().join(register);
        }
        self.archived.join(&other.archived);
        self.assistant.join(&other.assistant);
        self.deleted.join(&other.deleted);
    }
}
