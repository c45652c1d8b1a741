//! What is in a chat that is shared, and how does a shared one become a chat of one's own? Both by the
//! operations in this browser; the server has the snapshot (`docs/shares.md`).

use std::collections::BTreeSet;

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{PorticoInfo, Role};
use portico_shared::share::{SharedMessage, Snapshot};
use portico_shared::sync::{Body, Hlc, Merge, MessageContent, Op, Setting, uuid_v7};
use portico_web::log_store::{Held, IdbError, LogStore, Record, Write};
use portico_web::sync_link::LOG_CHANNEL;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wasm_bindgen::JsValue;
use web_sys::BroadcastChannel;

use crate::{api, sealing};

/// Operations that are read at once.
const BATCH: u32 = 500;
pub const EVERYONE: &str = "everyone";

/// A share as its owner sees it: `GET /api/shares`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Share {
    pub id: String,
    pub conversation: String,
    pub title: String,
    pub groups: Vec<String>,
    pub changed_s: i64,
}

#[derive(Deserialize)]
struct Shares {
    shares: Vec<Share>,
}

/// `GET /api/shares/{id}`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Shared {
    pub by: String,
    pub is_own: bool,
    pub changed_s: i64,
    pub snapshot: Snapshot,
}

/// What is said of a share; what is missing stays.
#[derive(Serialize)]
pub struct Sharing<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Uuid>,
    pub groups: &'a [String],
    pub snapshot: &'a Snapshot,
    pub accepts_readable: bool,
}

/// A chat of this browser, as it would be shared.
#[derive(Clone, PartialEq)]
pub struct Chat {
    pub snapshot: Snapshot,
    /// It is not on the server, and is not to be.
    pub stays: bool,
    /// The log is encrypted, which a snapshot is not.
    pub is_sealed: bool,
    pub share: Option<Share>,
}

/// # Errors
/// The server's, or `server_unreachable`.
pub async fn own() -> Result<Vec<Share>, ApiError> {
    api::get::<Shares>("/api/shares").await.map(|own| own.shares)
}

/// # Errors
/// `not_found` where this browser does not have it; else as [`own`], or `device_storage_refused`.
pub async fn chat(person: Uuid, conversation: Uuid) -> Result<Chat, ApiError> {
    let store = LogStore::open().await.map_err(failed)?;
    let merge = Merge::from_ops(&operations(&store, conversation).await.map_err(failed)?);
    let not_found = || ApiError::new(ErrorCode::NotFound);
    let view = merge.conversation(conversation).ok_or_else(not_found)?;
    let thread = merge.thread(conversation);
    let first =
        thread.first().map(|first| portico_page::title::title_from_message(&first.content.text));
    let title = view.title.filter(|title| !title.is_empty()).or(first.as_deref());
    let held = store.held().await.map_err(failed)?;
    let stays = view.stays_on_device || held.iter().any(|(held, _)| *held == conversation);
    let own = own().await?;
    let is_it = |share: &Share| Uuid::try_parse(&share.conversation) == Ok(conversation);
    Ok(Chat {
        snapshot: Snapshot::of(title, &thread),
        stays,
        is_sealed: sealing::look(person).await? != sealing::Lock::Plain,
        share: own.into_iter().find(is_it),
    })
}

/// All of one conversation. Those on a message alone do not name it, and may lie before the one that does.
async fn operations(store: &LogStore, conversation: Uuid) -> Result<Vec<Op>, IdbError> {
    let name = conversation.to_string();
    let (mut found, mut messages) = (Vec::new(), BTreeSet::new());
    for names_it in [true, false] {
        let mut after = 0.0;
        loop {
            let batch = store.read(after, BATCH).await?;
            let Some(last) = batch.last() else { break };
            after = last.key;
            for stored in &batch {
                let (json, _) = Record::parts(&stored.json);
                // Most are of others, and need not be read.
                if names_it != json.contains(&name) {
                    continue;
                }
                let Ok(op) = Op::from_json(json) else { continue };
                let message = op.body.message();
                match names_it {
                    true => messages.extend(message),
                    false if message.is_some_and(|id| messages.contains(&id)) => {}
                    false => continue,
                }
                found.push(op);
            }
        }
    }
    Ok(found)
}

/// Puts a shared chat into one's own log, as a chat that can go on. `stays`: it is for this device alone.
///
/// # Errors
/// `device_storage_refused`.
pub async fn adopt(snapshot: &Snapshot, stays: bool) -> Result<Uuid, ApiError> {
    let (mut n, now_ms) = (0, js_sys::Date::now() as u64);
    let new_id = || Ok::<_, ApiError>(uuid_v7(now_ms, &sealing::random()?));
    let conversation = new_id()?;
    let mut records = Vec::new();
    let mut write = |body: Body| {
        let op = Op::new(new_id()?, Hlc { ms: now_ms, n }, body);
        n += 1;
        op.check().map_err(|error| ApiError::new(ErrorCode::InvalidRequest).detail(error))?;
        records.push(Record::written(&op.to_json(), Some(conversation)));
        Ok::<_, ApiError>(())
    };
    write(Body::CreateConversation { conversation })?;
    if !snapshot.title.is_empty() {
        let setting = Setting::Title(Some(snapshot.title.clone()));
        write(Body::Set { conversation, setting })?;
    }
    if stays {
        write(Body::Set { conversation, setting: Setting::StaysOnDevice(true) })?;
    }
    let mut parent = None;
    for message in &snapshot.messages {
        let id = new_id()?;
        let (role, content) = (message.role, content_of(message));
        write(Body::AddMessage { conversation, message: id, parent, role, content })?;
        parent = Some(id);
    }
    let held = stays.then_some((conversation, Some(Held::Device))).into_iter().collect();
    let store = LogStore::open().await.map_err(failed)?;
    store.write(Write { records, held, ..Write::default() }).await.map_err(failed)?;
    if let Ok(channel) = BroadcastChannel::new(LOG_CHANNEL) {
        channel.post_message(&JsValue::TRUE).ok();
    }
    Ok(conversation)
}

fn content_of(message: &SharedMessage) -> MessageContent {
    let mut content = MessageContent::done(message.text.clone());
    if message.role == Role::Assistant
        && let (Some(model), Some(place)) = (&message.model, message.place)
    {
        content.portico = Some(PorticoInfo::new(place, model.clone()));
    }
    content
}

fn failed(error: IdbError) -> ApiError {
    ApiError::new(ErrorCode::DeviceStorageRefused).detail(error)
}
