//! How does this profile keep its log? Operations in IndexedDB, in the order in which they were written.
//!
//! The page writes what the person does; who syncs (bin `sync`) writes what other devices did, and reads
//! what is to be sent: everything behind a key that did not come from the server. So nothing that was
//! written is ever missing from what is sent, whichever tab wrote it and whoever is signed in.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{
    IdbDatabase, IdbFactory, IdbKeyRange, IdbObjectStore, IdbOpenDbRequest, IdbRequest,
    IdbTransaction, IdbTransactionMode, IdbVersionChangeEvent,
};

use uuid::Uuid;

const NAME: &str = "portico";
const VERSION: u32 = 2;
/// See [`Record`].
const OPS: &str = "ops";
/// Heads of conversations whose messages may not be here yet: lines of JSON, a page of a snapshot each.
const HEADS: &str = "heads";
/// Conversations that are not sent, each with why: see [`Held`].
const HELD: &str = "held";
/// What who syncs remembers, by name.
const META: &str = "meta";
/// In `META`: the key up to which operations were sent.
pub const SENT_TO: &str = "sent_to";
const STORES: [&str; 4] = [OPS, HEADS, HELD, META];

#[wasm_bindgen]
extern "C" {
    /// What a value says as text.
    #[wasm_bindgen(js_name = String)]
    pub fn js_string(value: &JsValue) -> String;
}

/// An operation as it lies in the store: its JSON; behind it, in a line of its own, the conversation
/// that it belongs to; before it, where it came from the server, a blank, which JSON allows.
pub struct Record;

impl Record {
    pub fn written(json: &str, conversation: Option<Uuid>) -> String {
        match conversation {
            Some(conversation) => format!("{json}\n{conversation}"),
            None => json.to_owned(),
        }
    }

    pub fn pulled(json: &str) -> String {
        format!(" {json}")
    }

    pub fn is_pulled(record: &str) -> bool {
        record.starts_with(' ')
    }

    /// The operation, and its conversation as far as it was written down.
    pub fn parts(record: &str) -> (&str, Option<Uuid>) {
        match record.split_once('\n') {
            Some((json, conversation)) => (json, Uuid::try_parse(conversation).ok()),
            None => (record, None),
        }
    }
}

/// Why a conversation is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It stays on the device and never was elsewhere.
    Device,
    /// It stays on the device from now on; the server is to forget it,
    Withdraw,
    /// and has.
    Withdrawn,
    /// It was there before somebody signed in, who has not said yet what is to become of it,
    Undecided,
    /// or that it is to stay here.
    Kept,
}

impl Held {
    const ALL: [(Self, &str); 5] = [
        (Self::Device, "device"),
        (Self::Withdraw, "withdraw"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Undecided, "undecided"),
        (Self::Kept, "kept"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|(held, _)| *held == self).map_or("", |(_, name)| name)
    }

    /// What is unknown is held.
    fn from_name(name: &str) -> Self {
        let found = Self::ALL.iter().find(|(_, known)| *known == name);
        found.map_or(Self::Kept, |&(held, _)| held)
    }
}

/// What one transaction writes.
#[derive(Default)]
pub struct Write {
    /// Appended to the operations.
    pub records: Vec<String>,
    /// Keys of operations that go.
    pub dropped: Vec<f64>,
    /// None: it is held no longer.
    pub held: Vec<(Uuid, Option<Held>)>,
    pub heads: Vec<String>,
    pub meta: Vec<(&'static str, String)>,
    pub clears_heads: bool,
}

/// What the browser said against it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct IdbError(pub String);

impl From<JsValue> for IdbError {
    fn from(error: JsValue) -> Self {
        Self(js_string(&error))
    }
}

/// The open database.
#[derive(Clone)]
pub struct LogStore {
    database: IdbDatabase,
}

/// An operation with the store's key, which grows.
pub struct Stored {
    pub key: f64,
    pub json: String,
}

impl LogStore {
    pub async fn open() -> Result<Self, IdbError> {
        let request = factory()?.open_with_u32(NAME, VERSION)?;
        let upgraded = request.clone();
        let on_upgrade = Closure::once(move |event: IdbVersionChangeEvent| {
            upgrade(&upgraded, event.old_version());
        });
        request.set_onupgradeneeded(Some(on_upgrade.as_ref().unchecked_ref()));
        let database: IdbDatabase = wait(&request).await?.unchecked_into();
        // Another tab with a newer page, or one that deletes everything, must not be held up.
        let closing = database.clone();
        let on_change = Closure::<dyn FnMut()>::new(move || closing.close());
        database.set_onversionchange(Some(on_change.as_ref().unchecked_ref()));
        on_change.forget();
        Ok(Self { database })
    }

    /// Appends operations; their keys come back when they are on the disk. `dropped`: keys of
    /// drafts that they supersede.
    pub async fn append(&self, records: &[String], dropped: &[f64]) -> Result<Vec<f64>, IdbError> {
        let (records, dropped) = (records.to_vec(), dropped.to_vec());
        self.write(Write { records, dropped, ..Write::default() }).await
    }

    /// All of it or nothing; gives the keys of the operations.
    pub async fn write(&self, write: Write) -> Result<Vec<f64>, IdbError> {
        let names: Array = STORES.iter().map(|&name| JsValue::from_str(name)).collect();
        let transaction = self
            .database
            .transaction_with_str_sequence_and_mode(&names, IdbTransactionMode::Readwrite)?;
        let store = transaction.object_store(OPS)?;
        let mut requests = Vec::with_capacity(write.records.len());
        for record in &write.records {
            requests.push(store.add(&JsValue::from_str(record))?);
        }
        for &key in &write.dropped {
            store.delete(&JsValue::from_f64(key))?;
        }
        let held = transaction.object_store(HELD)?;
        for (conversation, why) in &write.held {
            let key = JsValue::from_str(&conversation.to_string());
            match why {
                Some(why) => held.put_with_key(&JsValue::from_str(why.name()), &key)?,
                None => held.delete(&key)?,
            };
        }
        let heads = transaction.object_store(HEADS)?;
        if write.clears_heads {
            heads.clear()?;
        }
        for page in &write.heads {
            heads.add(&JsValue::from_str(page))?;
        }
        let meta = transaction.object_store(META)?;
        for (name, value) in &write.meta {
            meta.put_with_key(&JsValue::from_str(value), &JsValue::from_str(name))?;
        }
        complete(&transaction).await?;
        let keys = requests.iter().map(|request| Ok(request.result()?.as_f64().unwrap_or(0.0)));
        keys.collect::<Result<_, JsValue>>().map_err(IdbError::from)
    }

    /// Conversations that are not sent.
    pub async fn held(&self) -> Result<Vec<(Uuid, Held)>, IdbError> {
        let store = self.store(HELD)?;
        let (keys, values) = (store.get_all_keys()?, store.get_all()?);
        let keys: Array = wait(&keys).await?.unchecked_into();
        let values: Array = wait(&values).await?.unchecked_into();
        let pairs = keys.iter().zip(values.iter()).filter_map(|(key, value)| {
            let conversation = Uuid::try_parse(&key.as_string()?).ok()?;
            Some((conversation, Held::from_name(&value.as_string()?)))
        });
        Ok(pairs.collect())
    }

    /// Pages of heads behind the one with this key, each with its key.
    pub async fn heads(&self, after: f64) -> Result<Vec<Stored>, IdbError> {
        self.read_from(HEADS, after, u32::MAX).await
    }

    pub async fn meta(&self, name: &str) -> Result<Option<String>, IdbError> {
        let value = wait(&self.store(META)?.get(&JsValue::from_str(name))?).await?;
        Ok(value.as_string())
    }

    /// At most `count` operations behind `after`, in order.
    pub async fn read(&self, after: f64, count: u32) -> Result<Vec<Stored>, IdbError> {
        self.read_from(OPS, after, count).await
    }

    async fn read_from(
        &self,
        store: &str,
        after: f64,
        count: u32,
    ) -> Result<Vec<Stored>, IdbError> {
        let store = self.store(store)?;
        let behind = IdbKeyRange::lower_bound_with_open(&JsValue::from_f64(after), true)?;
        let keys = store.get_all_keys_with_key_and_limit(&behind, count)?;
        let values = store.get_all_with_key_and_limit(&behind, count)?;
        let keys: Array = wait(&keys).await?.unchecked_into();
        let values: Array = wait(&values).await?.unchecked_into();
        let pairs = keys.iter().zip(values.iter());
        Ok(pairs
            .filter_map(|(key, value)| {
                Some(Stored { key: key.as_f64()?, json: value.as_string()? })
            })
            .collect())
    }

    /// Deletes the operations with these keys.
    pub async fn remove(&self, keys: &[f64]) -> Result<(), IdbError> {
        self.append(&[], keys).await.map(|_| ())
    }

    /// Deletes the database.
    pub async fn destroy(self) -> Result<(), IdbError> {
        self.database.close();
        let request = factory()?.delete_database(NAME)?;
        wait(&request).await?;
        Ok(())
    }

    fn store(&self, name: &str) -> Result<IdbObjectStore, IdbError> {
        let mode = IdbTransactionMode::Readonly;
        Ok(self.database.transaction_with_str_and_mode(name, mode)?.object_store(name)?)
    }
}

/// Makes what an older page's database does not have.
fn upgrade(request: &IdbOpenDbRequest, old_version: f64) {
    let made = request.result().and_then(|database| {
        let database: IdbDatabase = database.unchecked_into();
        let is_new = |name: &&str| old_version < 1.0 || *name != OPS;
        for name in STORES.into_iter().filter(is_new) {
            let parameters = web_sys::IdbObjectStoreParameters::new();
            parameters.set_auto_increment(matches!(name, OPS | HEADS));
            database.create_object_store_with_optional_parameters(name, &parameters)?;
        }
        Ok(())
    });
    // A failure aborts the upgrade, and the open request says so.
    if let Err(error) = made {
        web_sys::console::error_1(&error);
    }
}

fn factory() -> Result<IdbFactory, IdbError> {
    let none = || IdbError("this browser offers no IndexedDB".to_owned());
    web_sys::window().and_then(|window| window.indexed_db().ok()?).ok_or_else(none)
}

/// A request's result.
async fn wait(request: &IdbRequest) -> Result<JsValue, IdbError> {
    let (sender, receiver) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let settle = {
        let request = request.clone();
        Closure::<dyn FnMut()>::new(move || {
            if let Some(sender) = sender.borrow_mut().take() {
                let answer = match request.error() {
                    Ok(Some(error)) => Err(IdbError(error.message())),
                    _ => request.result().map_err(IdbError::from),
                };
                // Nobody waits any more: the page is being left.
                sender.send(answer).ok();
            }
        })
    };
    request.set_onsuccess(Some(settle.as_ref().unchecked_ref()));
    request.set_onerror(Some(settle.as_ref().unchecked_ref()));
    receiver.await.unwrap_or_else(|_| Err(IdbError("the request was given up".to_owned())))
}

/// The end of a transaction.
async fn complete(transaction: &IdbTransaction) -> Result<(), IdbError> {
    let (sender, receiver) = oneshot::channel();
    let sender = Rc::new(RefCell::new(Some(sender)));
    let settle = |failed: bool| {
        let (sender, transaction) = (sender.clone(), transaction.clone());
        Closure::<dyn FnMut()>::new(move || {
            if let Some(sender) = sender.borrow_mut().take() {
                let why = || transaction.error().map_or("aborted".to_owned(), |e| e.message());
                sender.send(if failed { Err(IdbError(why())) } else { Ok(()) }).ok();
            }
        })
    };
    let (done, failed) = (settle(false), settle(true));
    transaction.set_oncomplete(Some(done.as_ref().unchecked_ref()));
    transaction.set_onabort(Some(failed.as_ref().unchecked_ref()));
    receiver.await.unwrap_or_else(|_| Err(IdbError("the transaction was given up".to_owned())))
}
