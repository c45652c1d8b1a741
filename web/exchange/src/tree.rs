//! A tree of messages, whatever program it came from → operations.

use std::collections::{BTreeMap, BTreeSet};

use portico_shared::openai::Role;
use portico_shared::sync::{
    Body, FOLDER_MAX_CHARS, Hlc, MS_MAX, Op, Setting, TAG_MAX_CHARS, TITLE_MAX_CHARS, uuid_v7,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::said::Said;
use crate::{LeftOut, Read, Why};

/// Where a source has no time: a day in 2001.
const SOME_MS: u64 = 1_000_000_000_000;
/// No time in seconds is as large; some programs write milliseconds in their place.
const SECONDS_MAX: f64 = 1e11;

/// A message as its source has it.
#[derive(Debug, Default)]
pub struct Node {
    pub parent: Option<String>,
    pub said: Option<Said>,
    pub ms: Option<u64>,
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
    let seconds = seconds.filter(|s| s.is_finite() && *s > 0.0)?;
    let ms = if seconds < SECONDS_MAX { seconds * 1_000.0 } else { seconds };
    Some((ms as u64).min(MS_MAX))
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

/// A message that is kept: those of the program itself without a word are not.
struct Kept {
    key: String,
    parent: Option<usize>,
    said: Said,
    ms: u64,
}

/// What is kept of a tree.
#[derive(Default)]
struct Thread<'a> {
    kept: Vec<Kept>,
    /// Where each node of the source stands: in its own message, or in the one before it.
    place: BTreeMap<&'a str, usize>,
}

impl Tree {
    /// # Errors
    /// Why it cannot be taken over.
    pub fn read(mut self) -> Result<Read, Why> {
        let nodes = std::mem::take(&mut self.nodes);
        // A parent that is not there leaves its message at the top.
        let parent = |node: &Node| node.parent.clone().filter(|key| nodes.contains_key(key));
        let parents: BTreeMap<String, Option<String>> =
            nodes.iter().map(|(key, node)| (key.clone(), parent(node))).collect();
        let Thread { kept, place } = thread(nodes, &parents, self.created_ms)?;
        let first_ms = kept.first().ok_or(Why::Empty)?.ms;
        let last_ms = kept.iter().map(|one| one.ms).max().unwrap_or(first_ms);
        let created_ms = self.created_ms.unwrap_or(first_ms).min(MS_MAX);
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
            let tag = cut(&tag, TAG_MAX_CHARS);
            maker.add(created_ms, Body::Tag { conversation, tag, on: true });
        }
        if self.archived {
            maker.add(created_ms, Body::Archive { conversation, archived: true });
        }
        let mut n_children: BTreeMap<Option<usize>, usize> = BTreeMap::new();
        let shape: Vec<(Uuid, Option<usize>)> = kept
            .iter()
            .map(|one| (derived(one.ms, &format!("{seed}:{}", one.key)), one.parent))
            .collect();
        for (one, &(message, parent)) in kept.into_iter().zip(&shape) {
            *n_children.entry(parent).or_default() += 1;
            let role = if one.said.is_user { Role::User } else { Role::Assistant };
            let (content, steps) = one.said.written(&mut self.left_out);
            let parent = parent.map(|at| shape[at].0);
            maker.add(one.ms, Body::AddMessage { conversation, message, parent, role, content });
            for (n, step) in (0..).zip(steps) {
                maker.add(one.ms, Body::WriteStep { message, n, step });
            }
        }
        // The branch that was shown is shown here, too.
        let mut shown = self.current.as_deref().and_then(|key| place.get(key).copied());
        while let Some(at) = shown {
            let (message, parent) = shape[at];
            if n_children.get(&parent).is_some_and(|n| *n > 1) {
                maker.add(last_ms, Body::ChooseBranch { message });
            }
            shown = parent;
        }
        let left_out = self.left_out.into_iter().collect();
        Ok(Read { id: conversation, title, ops: maker.ops, left_out })
    }
}

/// The messages with something to read, each behind its parent. What a program and its tools say one after
/// the other, without a branch between, is one answer.
fn thread(
    mut nodes: BTreeMap<String, Node>,
    parents: &BTreeMap<String, Option<String>>,
    created_ms: Option<u64>,
) -> Result<Thread<'_>, Why> {
    let mut children: BTreeMap<Option<&str>, Vec<&str>> = BTreeMap::new();
    for (key, parent) in parents {
        children.entry(parent.as_deref()).or_default().push(key);
    }
    for siblings in children.values_mut() {
        siblings.sort_by_key(|key| (nodes.get(*key).and_then(|node| node.ms), *key));
    }
    // A branch in which nobody says anything is none.
    let mut spoken: BTreeSet<&str> = BTreeSet::new();
    for key in parents.keys() {
        let says = nodes.get(key).and_then(|node| node.said.as_ref());
        let mut at = says.is_some_and(|said| !said.is_empty()).then_some(key.as_str());
        while let Some(key) = at.filter(|key| spoken.insert(*key)) {
            at = parents.get(key).and_then(Option::as_deref);
        }
    }
    let mut thread = Thread::default();
    let kept = &mut thread.kept;
    let mut n_seen = 0;
    // Last first, so that the first is taken first.
    let mut waiting: Vec<(&str, Option<usize>, bool)> =
        children.get(&None).into_iter().flatten().rev().map(|key| (*key, None, true)).collect();
    while let Some((key, parent, is_alone)) = waiting.pop() {
        n_seen += 1;
        let Some(node) = nodes.remove(key) else { continue };
        let mut own = parent;
        if let Some(said) = node.said.filter(|said| !said.is_empty()) {
            let before_ms = parent.and_then(|at| kept.get(at)).map(|before| before.ms);
            let before = parent.and_then(|at| kept.get_mut(at)).filter(|_| is_alone);
            match before.filter(|before| !before.said.is_user && !said.is_user) {
                Some(before) => before.said.join(said),
                None => {
                    let ms = node.ms.or(before_ms).or(created_ms).unwrap_or(SOME_MS);
                    own = Some(kept.len());
                    // A message is never older than the one before it.
                    let ms = ms.max(before_ms.unwrap_or(0)).min(MS_MAX);
                    kept.push(Kept { key: key.to_owned(), parent, said, ms });
                }
            }
        }
        if let Some(own) = own {
            thread.place.insert(key, own);
        }
        let below = children.get(&Some(key)).map(Vec::as_slice).unwrap_or_default();
        let is_alone = below.iter().filter(|child| spoken.contains(*child)).count() < 2;
        waiting.extend(below.iter().rev().map(|child| (*child, own, is_alone)));
    }
    if n_seen < parents.len() { Err(Why::Tree) } else { Ok(thread) }
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
