//! Conversations of this profile: every change is an operation of `shared::sync`, merged here and
//! appended to IndexedDB. Other tabs are told and pull what is new.

mod find;
mod letters;
mod locks;
mod remote;
mod thread;

pub use find::find;
pub use locks::{AnswerLock, held_answers};
pub use remote::is_remote;
pub use thread::{Item, Thread};

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use leptos::prelude::*;
use portico_shared::sync::{
    AssistantUse, Body, Clock, ConversationView, Head, Merge, MessageContent, MessageState, Op,
    Setting,
};
use portico_web::log_store::{Held, IdbError, LogStore, Record, SENT_TO, Stored, Write};
use portico_web::sync_link::LOG_CHANNEL;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::browser::{breathe, new_id, now_ms};
use crate::page::Page;
use crate::sync;

/// Operations read and merged at once: a few milliseconds' work.
const BATCH: u32 = 150;

#[derive(Default)]
struct Log {
    merge: Merge,
    clock: Clock,
    /// None: the browser refuses it, or it is not open yet.
    idb: Option<LogStore>,
    channel: Option<BroadcastChannel>,
    /// The store's key up to which it has been read.
    read_to: f64,
    /// The same for heads of conversations whose messages may not be here yet.
    heads_to: f64,
    reading: bool,
    read_again: bool,
    /// Operations that wait for the disk.
    queue: Vec<Queued>,
    writing: bool,
    /// The key of each message's last draft: the next write drops it.
    drafts: BTreeMap<Uuid, f64>,
}

/// An operation on its way to the disk.
struct Queued {
    /// As it lies in the store: see [`Record`].
    record: String,
    /// Whether its conversation is sent to other devices is decided by it.
    held: Option<(Uuid, Option<Held>)>,
    /// The message whose earlier drafts it supersedes.
    supersedes: Option<Uuid>,
    /// It is a draft itself.
    is_draft: bool,
}

thread_local! {
    static LOG: RefCell<Log> = RefCell::new(Log::default());
}

/// Opens the store and reads what is in it, in slices that let the page paint.
pub async fn open(page: Page) {
    match LogStore::open().await {
        Ok(idb) => {
            LOG.with_borrow_mut(|log| log.idb = Some(idb));
            listen(page);
            pull(page).await;
            compact().await;
            flush(page);
        }
        Err(error) => {
            web_sys::console::warn_1(&format!("portico: no IndexedDB: {error}").into());
            LOG.with_borrow_mut(|log| log.queue.clear());
            page.log_in_memory.set(true);
        }
    }
    page.log_ready.set(true);
    page.log_version.update(|version| *version += 1);
}

fn listen(page: Page) {
    let Ok(channel) = BroadcastChannel::new(LOG_CHANNEL) else { return };
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |_| {
        spawn_local(async move {
            pull(page).await;
            page.elsewhere.set(held_answers().await);
        });
    });
    channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    on_message.forget();
    LOG.with_borrow_mut(|log| log.channel = Some(channel));
}

/// Merges what other tabs (or an earlier visit) wrote.
async fn pull(page: Page) {
    let idb = LOG.with_borrow_mut(|log| {
        log.read_again = log.reading;
        if log.reading {
            return None;
        }
        log.reading = log.idb.is_some();
        log.idb.clone()
    });
    let Some(idb) = idb else { return };
    if let Err(error) = pull_heads(&idb).await {
        page.save_error.set(Some(error.to_string()));
    }
    let is_ready = page.log_ready.get_untracked();
    loop {
        let after = LOG.with_borrow(|log| log.read_to);
        let batch = match idb.read(after, BATCH).await {
            Ok(batch) => batch,
            Err(error) => {
                page.save_error.set(Some(error.to_string()));
                break;
            }
        };
        let last = batch.last().map(|stored| stored.key);
        let came: Vec<Op> = LOG.with_borrow_mut(|log| {
            let of_server = |stored: &Stored| is_ready && Record::is_pulled(&stored.json);
            let taken = batch.iter().map(|stored| (log.take(&stored.json), of_server(stored)));
            let came = taken.filter_map(|(op, is_of_server)| op.filter(|_| is_of_server));
            let came = came.collect();
            log.read_to = last.unwrap_or(after).max(log.read_to);
            came
        });
        came.iter().for_each(|op| remote::note(page, op));
        if batch.is_empty() {
            let again = LOG.with_borrow_mut(|log| std::mem::take(&mut log.read_again));
            if !again {
                break;
            }
            continue;
        }
        page.log_version.update(|version| *version += 1);
        breathe().await;
    }
    LOG.with_borrow_mut(|log| log.reading = false);
}

/// Takes in the list of conversations that a new device gets before their messages.
async fn pull_heads(idb: &LogStore) -> Result<(), IdbError> {
    let after = LOG.with_borrow(|log| log.heads_to);
    let pages = idb.heads(after).await?;
    LOG.with_borrow_mut(|log| {
        for page in pages {
            for line in page.json.lines() {
                // One that cannot be read comes again with its operations.
                if let Ok(head) = Head::from_json(line) {
                    log.merge.absorb(&head);
                }
            }
            log.heads_to = page.key;
        }
        log.clock = Clock::after(log.merge.latest());
    });
    Ok(())
}

/// Drops drafts that a later text has superseded: a killed tab leaves them behind.
async fn compact() {
    let Some(idb) = LOG.with_borrow(|log| log.idb.clone()) else { return };
    let mut after = 0.0;
    loop {
        let Ok(batch) = idb.read(after, BATCH).await else { return };
        let Some(last) = batch.last() else { return };
        after = last.key;
        let superseded: Vec<f64> = LOG.with_borrow(|log| {
            let is_old = |record: &str| {
                record.contains("\"draft\"")
                    && Op::from_json(Record::parts(record).0)
                        .is_ok_and(|op| log.merge.is_superseded_draft(&op))
            };
            batch.iter().filter(|stored| is_old(&stored.json)).map(|stored| stored.key).collect()
        });
        if !superseded.is_empty() && idb.remove(&superseded).await.is_err() {
            return;
        }
        breathe().await;
    }
}

impl Log {
    /// Merges an operation from the store. One that cannot be read is left where it is.
    fn take(&mut self, record: &str) -> Option<Op> {
        match Op::from_json(Record::parts(record).0) {
            Ok(op) => {
                self.merge.apply(&op);
                self.clock = Clock::after(self.merge.latest());
                Some(op)
            }
            Err(error) => {
                web_sys::console::warn_1(&format!("portico: operation skipped: {error}").into());
                None
            }
        }
    }

    /// An operation on its way to the disk.
    fn queued(&self, op: &Op, supersedes: Option<Uuid>, is_draft: bool) -> Queued {
        let place = op.body.conversation();
        let place = place.or_else(|| self.merge.conversation_of(op.body.message()?));
        let held = match op.body {
            Body::Set { conversation, setting: Setting::StaysOnDevice(true) } => {
                // What never had a message was never sent.
                let is_new = self.merge.thread(conversation).is_empty();
                let held = if is_new { Held::Device } else { Held::Withdraw };
                Some((conversation, Some(held)))
            }
            Body::Set { conversation, setting: Setting::StaysOnDevice(false) } => {
                Some((conversation, None))
            }
            // Whoever signs in later says what becomes of it.
            Body::CreateConversation { conversation } if !sync::has_account() => {
                Some((conversation, Some(Held::Undecided)))
            }
            _ => None,
        };
        Queued { record: Record::written(&op.to_json(), place), held, supersedes, is_draft }
    }

    fn make(&mut self, body: Body) -> Result<Op, String> {
        let op = Op::new(new_id(), self.clock.tick(now_ms()), body);
        op.check().map_err(|error| error.to_string())?;
        self.merge.apply(&op);
        Ok(op)
    }
}

/// Writes operations: merged at once, on the disk soon.
pub fn write(page: Page, bodies: impl IntoIterator<Item = Body>) {
    for body in bodies {
        let made = LOG.with_borrow_mut(|log| {
            let op = log.make(body)?;
            if log.idb.is_some() || !page.log_ready.get_untracked() {
                let queued = log.queued(&op, None, false);
                log.queue.push(queued);
            }
            Ok(())
        });
        if let Err(error) = made {
            let error: String = error;
            page.save_error.set(Some(error));
        }
    }
    page.log_version.update(|version| *version += 1);
    flush(page);
}

/// Keeps an answer's text so far, in the place of its last draft. The views are not told: they
/// follow the answer itself.
pub fn write_draft(page: Page, message: Uuid, content: MessageContent) {
    write_content(page, message, content, true);
}

/// An answer's last word; its drafts go.
pub fn write_end(page: Page, message: Uuid, content: MessageContent) {
    write_content(page, message, content, false);
    page.log_version.update(|version| *version += 1);
}

fn write_content(page: Page, message: Uuid, content: MessageContent, is_draft: bool) {
    let made = LOG.with_borrow_mut(|log| {
        let op = log.make(Body::WriteMessage { message, content })?;
        if log.idb.is_some() {
            let queued = log.queued(&op, Some(message), is_draft);
            log.queue.push(queued);
        }
        Ok::<(), String>(())
    });
    if let Err(error) = made {
        page.save_error.set(Some(error));
    }
    flush(page);
}

/// Moves the queue to the disk, one transaction at a time.
fn flush(page: Page) {
    let next = LOG.with_borrow_mut(|log| {
        let idb = log.idb.clone().filter(|_| !log.writing && !log.queue.is_empty())?;
        log.writing = true;
        let queue = std::mem::take(&mut log.queue);
        let dropped: Vec<f64> =
            queue.iter().filter_map(|op| log.drafts.remove(&op.supersedes?)).collect();
        Some((idb, queue, dropped))
    });
    let Some((idb, queue, dropped)) = next else { return };
    spawn_local(async move {
        let write = Write {
            records: queue.iter().map(|op| op.record.clone()).collect(),
            held: queue.iter().filter_map(|op| op.held).collect(),
            // What was held and is so no longer lies behind what was sent.
            meta: match queue.iter().any(|op| matches!(op.held, Some((_, None)))) {
                true => vec![(SENT_TO, "0".to_owned())],
                false => Vec::new(),
            },
            dropped,
            ..Write::default()
        };
        match idb.write(write).await {
            Ok(keys) => {
                LOG.with_borrow_mut(|log| {
                    for (op, key) in queue.iter().zip(keys) {
                        if let Some(message) = op.supersedes.filter(|_| op.is_draft) {
                            log.drafts.insert(message, key);
                        }
                    }
                    if let Some(channel) = &log.channel {
                        // A closed channel only means that other tabs hear of it later.
                        channel.post_message(&JsValue::TRUE).ok();
                    }
                });
                page.save_error.set(None);
            }
            Err(error) => page.save_error.set(Some(error.to_string())),
        }
        LOG.with_borrow_mut(|log| log.writing = false);
        flush(page);
    });
}

/// The active branch of a conversation.
pub fn thread(conversation: Uuid) -> Thread {
    LOG.with_borrow(|log| thread::thread(&log.merge, conversation))
}

/// A row of the sidebar.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub id: Uuid,
    /// None: not named, and nothing was written yet.
    pub title: Option<String>,
    pub pinned: bool,
    pub archived: bool,
    pub folder: Option<String>,
    pub tags: Vec<String>,
    pub updated_ms: u64,
    /// Around the match, when searching.
    pub snippet: Option<String>,
}

/// All conversations.
pub fn rows() -> Vec<Row> {
    LOG.with_borrow(|log| log.merge.conversations().iter().map(row_of).collect())
}

/// A conversation's row; None where it is not here.
pub fn row(conversation: Uuid) -> Option<Row> {
    LOG.with_borrow(|log| log.merge.conversation(conversation).as_ref().map(row_of))
}

fn row_of(view: &ConversationView<'_>) -> Row {
    Row {
        id: view.id,
        title: view.title.map(str::to_owned),
        pinned: view.pinned,
        archived: view.archived,
        folder: view.folder.map(str::to_owned),
        tags: view.tags.iter().map(|&tag| tag.to_owned()).collect(),
        updated_ms: view.updated_ms,
        snippet: None,
    }
}

/// Whether a conversation was ever here: one that was deleted counts, and says so.
pub fn knows(conversation: Uuid) -> bool {
    LOG.with_borrow(|log| log.merge.has(conversation))
}

/// Takes in operations that were made elsewhere, as an import has them; refuses those of later builds.
///
/// # Errors
/// Why one of them cannot be read: then none is taken in.
pub fn adopt(page: Page, operations: &[String]) -> Result<(), String> {
    let ops: Result<Vec<Op>, _> = operations.iter().map(|json| Op::from_json(json)).collect();
    let ops = ops.map_err(|error| error.to_string())?;
    LOG.with_borrow_mut(|log| {
        for op in &ops {
            log.merge.apply(op);
            if log.idb.is_some() {
                let queued = log.queued(op, None, false);
                log.queue.push(queued);
            }
        }
        log.clock = Clock::after(log.merge.latest());
    });
    flush(page);
    Ok(())
}

/// The operations behind conversations, all or one, as they lie in the store: their JSON by conversation.
/// Drafts that a finished text has superseded are left out.
///
/// # Errors
/// Why the store cannot be read.
pub async fn operations(only: Option<Uuid>) -> Result<BTreeMap<Uuid, Vec<String>>, IdbError> {
    let mut found: BTreeMap<Uuid, Vec<String>> = BTreeMap::new();
    let Some(idb) = LOG.with_borrow(|log| log.idb.clone()) else { return Ok(found) };
    let mut after = 0.0;
    loop {
        let batch = idb.read(after, BATCH).await?;
        let Some(last) = batch.last() else { return Ok(found) };
        after = last.key;
        LOG.with_borrow(|log| {
            for stored in &batch {
                let Ok(op) = Op::from_json(Record::parts(&stored.json).0) else { continue };
                let place = op.body.conversation();
                let place = place.or_else(|| log.merge.conversation_of(op.body.message()?));
                let is_wanted = place.is_some() && (only.is_none() || only == place);
                if let Some(place) = place.filter(|_| is_wanted)
                    && log.merge.conversation(place).is_some()
                    && !log.merge.is_superseded_draft(&op)
                {
                    found.entry(place).or_default().push(op.to_json());
                }
            }
        });
        breathe().await;
    }
}

/// The messages in a message's place, oldest first, with their texts.
pub fn versions(message: Uuid) -> Vec<Arc<Item>> {
    LOG.with_borrow(|log| {
        let siblings = log.merge.message(message).map(|view| view.siblings).unwrap_or_default();
        siblings.iter().filter_map(|&id| Some(thread::item(log.merge.message(id)?))).collect()
    })
}

/// A conversation's name; None where it has none or is not here.
pub fn title(conversation: Uuid) -> Option<String> {
    LOG.with_borrow(|log| {
        log.merge.conversation(conversation).and_then(|view| view.title.map(str::to_owned))
    })
}

/// With which assistant a conversation goes on.
pub fn assistant(conversation: Uuid) -> Option<AssistantUse> {
    LOG.with_borrow(|log| {
        log.merge.conversation(conversation).and_then(|view| view.assistant.cloned())
    })
}

/// Whether nothing of a conversation may run on the server.
pub fn stays_on_device(conversation: Uuid) -> bool {
    LOG.with_borrow(|log| {
        log.merge.conversation(conversation).is_some_and(|view| view.stays_on_device)
    })
}

/// Whether the person deleted it; what is not known here is not deleted.
pub fn is_deleted(conversation: Uuid) -> bool {
    LOG.with_borrow(|log| {
        log.merge.has(conversation) && log.merge.conversation(conversation).is_none()
    })
}

/// Unfinished answers that the server may still be writing: conversation, message, what is known.
pub fn kept_streams() -> Vec<(Uuid, Uuid, MessageContent)> {
    LOG.with_borrow(|log| {
        let views = log.merge.conversations();
        let kept = views.iter().flat_map(|view| {
            let messages = log.merge.thread(view.id).into_iter();
            let drafts = messages.filter(|message| {
                message.content.state == MessageState::Draft && message.content.stream.is_some()
            });
            drafts
                .map(|message| (view.id, message.id, (**message.content).clone()))
                .collect::<Vec<_>>()
        });
        kept.collect()
    })
}

/// Chooses `message`, and with it everything that hangs below.
pub fn choose_branch(page: Page, message: Uuid) {
    write(page, [Body::ChooseBranch { message }]);
}

pub fn set(page: Page, conversation: Uuid, setting: Setting) {
    write(page, [Body::Set { conversation, setting }]);
}

/// Ids of all conversations.
pub fn conversations() -> Vec<String> {
    LOG.with_borrow(|log| {
        log.merge.conversations().iter().map(|view| view.id.to_string()).collect()
    })
}

/// Every conversation, or one, with its active branch, for an export.
pub fn everything(only: Option<Uuid>) -> Vec<(Uuid, Option<String>, u64, Thread)> {
    LOG.with_borrow(|log| {
        let views = log.merge.conversations();
        let wanted = views.iter().filter(|view| only.is_none_or(|only| only == view.id));
        let all = wanted.map(|view| {
            let thread = thread::thread(&log.merge, view.id);
            (view.id, view.title.map(str::to_owned), view.created_ms, thread)
        });
        all.collect()
    })
}

/// Deletes all conversations of this profile.
pub async fn destroy() -> Result<(), IdbError> {
    let idb = LOG.with_borrow_mut(|log| {
        log.queue.clear();
        log.idb.take()
    });
    match idb {
        Some(idb) => idb.destroy().await,
        None => Ok(()),
    }
}
