//! What does the page show? Conversations, the thread of the active branch, a message's siblings.

use std::collections::BTreeMap;
use std::sync::Arc;

use uuid::Uuid;

use super::assistant::AssistantUse;
use super::head::Conversation;
use super::merge::{Added, Merge, Message};
use super::op::{MessageContent, MessageState};
use super::register::{Register, Stamp};
use super::step::ToolStep;
use crate::openai::Role;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationView<'a> {
    pub id: Uuid,
    pub title: Option<&'a str>,
    pub folder: Option<&'a str>,
    /// In the order of their letters.
    pub tags: Vec<&'a str>,
    pub archived: bool,
    pub pinned: bool,
    pub model: Option<&'a str>,
    pub stays_on_device: bool,
    pub assistant: Option<&'a AssistantUse>,
    /// Milliseconds since 1970.
    pub created_ms: u64,
    /// When its last message was added.
    pub updated_ms: u64,
}

#[derive(Clone, Debug, PartialEq)]
pub struct MessageView<'a> {
    pub id: Uuid,
    pub parent: Option<Uuid>,
    pub role: Role,
    pub content: &'a Arc<MessageContent>,
    /// What it did between its words, in order.
    pub steps: Vec<&'a ToolStep>,
    pub created_ms: u64,
    /// The message itself and those that stand in its place on other branches, oldest first.
    pub siblings: Vec<Uuid>,
}

impl MessageView<'_> {
    /// The message's place among its siblings.
    pub fn sibling_index(&self) -> usize {
        self.siblings.iter().position(|&id| id == self.id).unwrap_or_default()
    }
}

/// A conversation's messages by the one before them, oldest first; what is deleted is left out.
type Tree<'a> = BTreeMap<Option<Uuid>, Vec<Node<'a>>>;

#[derive(Clone, Copy)]
struct Node<'a> {
    id: Uuid,
    added: Added,
    /// When it was added or chosen, whichever is later: the latest sibling is active.
    active: Stamp,
    content: &'a Arc<MessageContent>,
    steps: &'a BTreeMap<u32, Register<ToolStep>>,
}

impl Merge {
    /// Conversations that are not deleted: pinned ones first, then the last used.
    pub fn conversations(&self) -> Vec<ConversationView<'_>> {
        let mut views: Vec<_> =
            self.conversations.keys().filter_map(|&id| self.conversation(id)).collect();
        views.sort_by_key(|view| std::cmp::Reverse((view.pinned, view.updated_ms, view.id)));
        views
    }

    /// None when it is unknown or deleted.
    pub fn conversation(&self, id: Uuid) -> Option<ConversationView<'_>> {
        let conversation = self.visible(id)?;
        let created_ms = conversation.created?.at.ms;
        fn text(value: Option<&Option<String>>) -> Option<&str> {
            value.and_then(|text| text.as_deref())
        }
        Some(ConversationView {
            id,
            title: text(conversation.title.get()),
            folder: text(conversation.folder.get()),
            tags: conversation.tags(),
            archived: conversation.archived.get().copied().unwrap_or_default(),
            pinned: conversation.pinned.get().copied().unwrap_or_default(),
            model: text(conversation.model.get()),
            stays_on_device: conversation.stays_on_device.get().copied().unwrap_or_default(),
            assistant: conversation.assistant.get().and_then(Option::as_ref),
            created_ms,
            updated_ms: conversation.touched_ms.max(created_ms),
        })
    }

    /// The messages of the active branch, first to last. Messages whose parent has not arrived are
    /// left out.
    pub fn thread(&self, conversation: Uuid) -> Vec<MessageView<'_>> {
        let tree = self.tree(conversation);
        let mut thread = Vec::new();
        let mut parent = None;
        // Every step goes to a child of the last message, and a message has one parent: no cycle can
        // be reached from the root.
        while let Some(siblings) = tree.get(&parent) {
            let Some(node) = siblings.iter().max_by_key(|node| node.active) else { break };
            thread.push(view(node, siblings));
            parent = Some(node.id);
        }
        thread
    }

    /// Whether anything of a conversation is known, be it deleted.
    pub fn has(&self, conversation: Uuid) -> bool {
        self.conversations.get(&conversation).is_some_and(|known| known.created.is_some())
    }

    /// Which conversation a message belongs to.
    pub fn conversation_of(&self, message: Uuid) -> Option<Uuid> {
        Some(self.messages.get(&message)?.added?.conversation)
    }

    /// A message wherever it stands; none when it is unknown or deleted.
    pub fn message(&self, id: Uuid) -> Option<MessageView<'_>> {
        let added = self.messages.get(&id)?.added?;
        let tree = self.tree(added.conversation);
        let siblings = tree.get(&added.parent)?;
        let node = siblings.iter().find(|node| node.id == id)?;
        Some(view(node, siblings))
    }

    /// From a conversation's first message to this one: choosing each puts it on the active branch.
    /// None when a message between is unknown or deleted.
    pub fn path_to(&self, id: Uuid) -> Option<Vec<Uuid>> {
        let first = self.messages.get(&id)?.added?;
        let mut path = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let message = self.messages.get(&id).filter(|message| !is_deleted(message))?;
            let added = message.added.filter(|added| added.conversation == first.conversation)?;
            // A cycle, which only a hostile log has, is longer than all messages.
            if path.len() >= self.messages.len() {
                return None;
            }
            path.push(id);
            next = added.parent;
        }
        path.reverse();
        Some(path)
    }

    /// Messages that were being written when their tab died: ids of those in the draft state.
    pub fn drafts(&self) -> impl Iterator<Item = Uuid> {
        self.messages.iter().filter_map(|(&id, message)| {
            let state = message.content.as_ref()?.content.state;
            (state == MessageState::Draft && message.added.is_some()).then_some(id)
        })
    }

    pub(super) fn visible(&self, id: Uuid) -> Option<&Conversation> {
        let conversation = self.conversations.get(&id)?;
        let deleted = conversation.deleted.get().copied().unwrap_or_default();
        (conversation.created.is_some() && !deleted).then_some(conversation)
    }

    fn tree(&self, conversation: Uuid) -> Tree<'_> {
        let mut tree = Tree::new();
        if self.visible(conversation).is_none() {
            return tree;
        }
        for &id in self.messages_of.get(&conversation).into_iter().flatten() {
            let Some(message) = self.messages.get(&id).filter(|message| !is_deleted(message))
            else {
                continue;
            };
            let (Some(added), Some(written)) = (message.added, &message.content) else { continue };
            let active = message.chosen.map_or(added.stamp, |chosen| chosen.max(added.stamp));
            let (content, steps) = (&written.content, &message.steps);
            let node = Node { id, added, active, content, steps };
            tree.entry(added.parent).or_default().push(node);
        }
        for siblings in tree.values_mut() {
            siblings.sort_by_key(|node| node.added.stamp);
        }
        tree
    }
}

pub(super) fn is_deleted(message: &Message) -> bool {
    message.deleted.get().copied().unwrap_or_default()
}

fn view<'a>(node: &Node<'a>, siblings: &[Node<'a>]) -> MessageView<'a> {
    MessageView {
        id: node.id,
        parent: node.added.parent,
        role: node.added.role(),
        content: node.content,
        steps: node.steps.values().filter_map(Register::get).collect(),
        created_ms: node.added.stamp.at.ms,
        siblings: siblings.iter().map(|sibling| sibling.id).collect(),
    }
}
