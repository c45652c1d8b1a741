//! A tree of messages, whatever program it came from → operations.

use std::collections::{BTreeMap, BTreeSet};

use portico_shared::openai::Role;
use portico_shared::sync::{
    Body, FOLDER_MAX_CHARS, Hlc, MS_MAX, MessageContent, Op, Setting, TAG_MAX_CHARS,
    TITLE_MAX_CHARS, uuid_v7,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{LeftOut, Read, Why};

/// Where a source has no time: a day in 2001.
const SOME_MS: u64 = 1_000_000_000_000;

/// A message as its source has it.
#[derive(Debug, Default)]
pub struct Node {
    pub parent: Option<String>,
    pub said: Option<Said>,
    pub ms: Option<u64>,
}

#[derive(Debug)]
pub struct Said {
    pub is_user: bool,
    pub text: String,
}

#[derive(Debug, Default)]
pub struct Tree {
    /// The program's name: ids of two programs must not meet.
    pub program: &'static str,
    pub id: String,
    pub title: Option<String>,
    pub created_ms: Option<u64>,
    pub nodes: BTreeMap<String, Node>,
    /// The last message of the branch that was shown.
    pub current: Option<String>,
    pub pinned: bool,
    pub archived: bool,
    pub folder: Option<String>,
    pub tags: Vec<String>,
    pub left_out: BTreeSet<LeftOut>,
}

/// Milliseconds of a source's seconds, with fractions.
pub fn ms_from_seconds(seconds: Option<f64>) -> Option<u64> {
    seconds.filter(|s| s.is_finite() && *s > 0.0).map(|s| ((s * 1_000.0) as u64).min(MS_MAX))
}

/// An id that follows from the source's.
fn derived(ms: u64, seed: &str) -> Uuid {
    let digest = Sha256::digest(seed.as_bytes());
    let mut random = [0; 10];
    random.copy_from_slice(&digest[..10]);
    uuid_v7(ms, &random)
}

fn cut(text: &str, max_chars: usize) -> String {
    text.chars().take(max_chars).collect()
}

/// A message that is kept: those of the program itself without text are not.
struct Kept {
    key: String,
    parent: Option<usize>,
    is_user: bool,
    text: String,
    ms: u64,
}

impl Tree {
    /// # Errors
    /// Why it cannot be taken over.
    pub fn read(self) -> Result<Read, Why> {
        let kept = self.kept()?;
        let first = kept.first().ok_or(Why::Empty)?;
        let created_ms = self.created_ms.unwrap_or(first.ms).min(MS_MAX);
        let seed = format!("{}:{}", self.program, self.id);
        let conversation = derived(created_ms, &seed);
        let mut maker = Maker { seed: &seed, ops: Vec::new() };
        maker.add(created_ms, Body::CreateConversation { conversation });
        let title = self.title.as_deref().map(str::trim).filter(|title| !title.is_empty());
        let title = title.map(|title| cut(title, TITLE_MAX_CHARS));
        let mut settings = vec![Setting::Title(title.clone())];
        settings.extend(self.folder.map(|f| Setting::Folder(Some(cut(&f, FOLDER_MAX_CHARS)))));
        settings.extend(self.pinned.then_some(Setting::Pinned(true)));
        for setting in settings {
            maker.add(created_ms, Body::Set { conversation, setting });
        }
        for tag in self.tags {
            maker.add(
                created_ms,
                Body::Tag { conversation, tag: cut(&tag, TAG_MAX_CHARS), on: true },
            );
        }
        if self.archived {
            maker.add(created_ms, Body::Archive { conversation, archived: true });
        }
        let ids: Vec<Uuid> =
            kept.iter().map(|one| derived(one.ms, &format!("{seed}:{}", one.key))).collect();
        let mut n_children: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        for (one, &message) in kept.iter().zip(&ids) {
            *n_children.entry(one.parent).or_default() += 1;
            let role = if one.is_user { Role::User } else { Role::Assistant };
            let parent = one.parent.map(|at| ids[at]);
            let content = MessageContent::done(one.text.clone());
            maker.add(one.ms, Body::AddMessage { conversation, message, parent, role, content });
        }
        // The branch that was shown is shown here, too.
        let mut shown =
            self.current.as_ref().and_then(|key| kept.iter().position(|one| one.key == *key));
        let last_ms = kept.iter().map(|one| one.ms).max().unwrap_or(created_ms);
        while let Some(at) = shown {
            if n_children.get(&kept[at].parent).is_some_and(|n| *n > 1) {
                maker.add(last_ms, Body::ChooseBranch { message: ids[at] });
            }
            shown = kept[at].parent;
        }
        let left_out = self.left_out.into_iter().collect();
        Ok(Read { id: conversation, title, ops: maker.ops, left_out })
    }

    /// The messages with something to read, each behind its parent. What a program and its tools say one
    /// after the other, without a branch between, is one answer.
    fn kept(&self) -> Result<Vec<Kept>, Why> {
        let mut children: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
        for (key, node) in &self.nodes {
            // A parent that is not there leaves its message at the top.
            let parent = node.parent.as_deref().filter(|parent| self.nodes.contains_key(*parent));
            children.entry(parent).or_default().push(key);
        }
        for siblings in children.values_mut() {
            siblings.sort_by_key(|key| (self.nodes.get(*key).and_then(|node| node.ms), *key));
        }
        let mut kept: Vec<Kept> = Vec::new();
        let mut n_seen = 0;
        // Last first, so that the first is taken first.
        let mut waiting: Vec<(&str, Option<usize>, bool)> =
            children.get(&None).into_iter().flatten().rev().map(|key| (*key, None, true)).collect();
        while let Some((key, parent, is_alone)) = waiting.pop() {
            n_seen += 1;
            let Some(node) = self.nodes.get(key) else { continue };
            let mut own = parent;
            if let Some(said) = node.said.as_ref().filter(|said| !said.text.trim().is_empty()) {
                let before = parent.and_then(|at| kept.get_mut(at)).filter(|_| is_alone);
                match before.filter(|before| !before.is_user && !said.is_user) {
                    Some(before) => {
                        before.text.push_str("\n\n");
                        before.text.push_str(&said.text);
                        // Whoever names the later part means the whole.
                        key.clone_into(&mut before.key);
                    }
                    None => {
                        let before_ms = parent.and_then(|at| kept.get(at)).map(|before| before.ms);
                        let ms = node.ms.or(before_ms).or(self.created_ms).unwrap_or(SOME_MS);
                        own = Some(kept.len());
                        kept.push(Kept {
                            key: key.to_owned(),
                            parent,
                            is_user: said.is_user,
                            text: said.text.clone(),
                            // A message is never older than the one before it.
                            ms: ms.max(before_ms.unwrap_or(0)).min(MS_MAX),
                        });
                    }
                }
            }
            let below = children.get(&Some(key)).map(Vec::as_slice).unwrap_or_default();
            waiting.extend(below.iter().rev().map(|child| (*child, own, below.len() == 1)));
        }
        if n_seen < self.nodes.len() { Err(Why::Tree) } else { Ok(kept) }
    }
}

/// Numbers the operations, so that their ids follow from the source's.
struct Maker<'a> {
    seed: &'a str,
    ops: Vec<Op>,
}

impl Maker<'_> {
    fn add(&mut self, ms: u64, body: Body) {
        let n = self.ops.len() as u32;
        let id = derived(ms, &format!("{}:op:{n}", self.seed));
        self.ops.push(Op::new(id, Hlc { ms, n }, body));
    }
}
