//! Operations → state, whatever their order and however often they come.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use uuid::Uuid;

use super::clock::Hlc;
use super::head::{Conversation, Head};
use super::op::{Body, MessageContent, MessageState, Op};
use super::register::{Register, Stamp};
use super::step::ToolStep;
use crate::openai::Role;

/// The state that a set of operations amounts to.
///
/// Every part of it only grows in some order (a maximum, a minimum, a set), so that applying is
/// commutative, associative and idempotent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Merge {
    pub(super) conversations: BTreeMap<Uuid, Conversation>,
    pub(super) messages: BTreeMap<Uuid, Message>,
    /// Messages of each conversation, from `messages`.
    pub(super) messages_of: BTreeMap<Uuid, BTreeSet<Uuid>>,
    unknown_ops: BTreeMap<Uuid, String>,
    latest: Hlc,
}

/// Exists for whoever reads once `added` is known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Message {
    pub(super) added: Option<Added>,
    pub(super) content: Option<Written>,
    pub(super) steps: BTreeMap<u32, Register<ToolStep>>,
    pub(super) chosen: Option<Stamp>,
    pub(super) deleted: Register<bool>,
}

/// A message's place in the tree: the first operation that added it decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Added {
    pub(super) stamp: Stamp,
    pub(super) conversation: Uuid,
    pub(super) parent: Option<Uuid>,
    role_rank: u8,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Written {
    stamp: Stamp,
    /// Shared with whoever shows it: a thread of thousands is made anew with each change of the log.
    pub(super) content: Arc<MessageContent>,
}

impl Merge {
    pub fn from_ops<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let mut merge = Self::default();
        for op in ops {
            merge.apply(op);
        }
        merge
    }

    /// Takes an operation in; one that is known already changes nothing.
    pub fn apply(&mut self, op: &Op) {
        let stamp = Stamp { at: op.at, op: op.id };
        self.latest = self.latest.max(op.at);
        match &op.body {
            Body::CreateConversation { conversation }
            | Body::Set { conversation, .. }
            | Body::Tag { conversation, .. }
            | Body::Archive { conversation, .. }
            | Body::UseAssistant { conversation, .. }
            | Body::DeleteConversation { conversation, .. } => {
                self.conversations.entry(*conversation).or_default().apply(stamp, &op.body);
            }
            Body::AddMessage { conversation, message, parent, role, content } => {
                let added = Added {
                    stamp,
                    conversation: *conversation,
                    parent: *parent,
                    role_rank: role_rank(*role),
                };
                self.conversations.entry(*conversation).or_default().apply(stamp, &op.body);
                self.add(*message, added);
                self.messages.entry(*message).or_default().write(stamp, content);
            }
            Body::WriteMessage { message, content } => {
                self.messages.entry(*message).or_default().write(stamp, content);
            }
            Body::WriteStep { message, n, step } => {
                let steps = &mut self.messages.entry(*message).or_default().steps;
                steps.entry(*n).or_default().write(stamp, step.clone());
            }
            Body::ChooseBranch { message } => {
                let chosen = &mut self.messages.entry(*message).or_default().chosen;
                *chosen = (*chosen).max(Some(stamp));
            }
            Body::DeleteMessage { message, deleted } => {
                self.messages.entry(*message).or_default().deleted.write(stamp, *deleted);
            }
            Body::Unknown(_) => {
                let json = op.to_json();
                let kept = self.unknown_ops.entry(op.id).or_default();
                if json > *kept {
                    *kept = json;
                }
            }
        }
    }

    /// Takes in what a server knows of a conversation: as if the operations behind it were applied,
    /// but for its messages.
    pub fn absorb(&mut self, head: &Head) {
        self.latest = self.latest.max(head.latest());
        self.conversations.entry(head.conversation).or_default().join(&head.state);
    }

    /// The latest time of any operation: a device's clock goes on after it.
    pub fn latest(&self) -> Hlc {
        self.latest
    }

    /// Operations that this build does not understand, as JSON: a later build will.
    pub fn unknown_ops(&self) -> impl Iterator<Item = &str> {
        self.unknown_ops.values().map(String::as_str)
    }

    /// Whether a log may drop this operation without changing the state: a draft whose message has a
    /// later draft or a finished text.
    pub fn is_superseded_draft(&self, op: &Op) -> bool {
        let Body::WriteMessage { message, content } = &op.body else { return false };
        let stamp = Stamp { at: op.at, op: op.id };
        content.state == MessageState::Draft
            && op.at < self.latest
            && self
                .messages
                .get(message)
                .and_then(|message| message.content.as_ref())
                .is_some_and(|written| written.stamp != stamp)
    }

    fn add(&mut self, id: Uuid, added: Added) {
        let message = self.messages.entry(id).or_default();
        if let Some(first) = message.added {
            if first <= added {
                return;
            }
            if let Some(ids) = self.messages_of.get_mut(&first.conversation) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.messages_of.remove(&first.conversation);
                }
            }
        }
        message.added = Some(added);
        self.messages_of.entry(added.conversation).or_default().insert(id);
    }
}

impl Message {
    /// A finished text stands before every draft, then the later before the earlier.
    fn write(&mut self, stamp: Stamp, content: &MessageContent) {
        let newer = match &self.content {
            None => true,
            Some(standing) => {
                let rank = |stamp: Stamp, content: &MessageContent| {
                    (content.state != MessageState::Draft, stamp)
                };
                let (new, old) = (rank(stamp, content), rank(standing.stamp, &standing.content));
                // As in a register: one operation id with two contents must not divide devices.
                new > old || (new == old && tie(content) > tie(&standing.content))
            }
        };
        if newer {
            self.content = Some(Written { stamp, content: Arc::new(content.clone()) });
        }
    }
}

impl Added {
    pub(super) fn role(&self) -> Role {
        ROLES[usize::from(self.role_rank)]
    }
}

const ROLES: [Role; 5] = [Role::System, Role::Developer, Role::User, Role::Assistant, Role::Tool];

fn role_rank(role: Role) -> u8 {
    match role {
        Role::System => 0,
        Role::Developer => 1,
        Role::User => 2,
        Role::Assistant => 3,
        Role::Tool => 4,
    }
}

/// Any total order over contents.
fn tie(content: &MessageContent) -> String {
    format!("{content:?}")
}
