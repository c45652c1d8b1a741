//! Operations in IndexedDB: one store, in the order in which they were written.

use std::cell::RefCell;
use std::rc::Rc;

use futures_channel::oneshot;
use js_sys::Array;
use wasm_bindgen::prelude::*;
use web_sys::{
    IdbDatabase, IdbKeyRange, IdbOpenDbRequest, IdbRequest, IdbTransaction, IdbTransactionMode,
};

use crate::browser::{js_error, window};

const NAME: &str = "portico";
const VERSION: u32 = 1;
const OPS: &str = "ops";

/// What the browser said against it.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct IdbError(pub String);

impl From<JsValue> for IdbError {
    fn from(error: JsValue) -> Self {
        Self(js_error(&error))
    }
}

/// The open database.
#[derive(Clone)]
pub struct Idb {
    database: IdbDatabase,
}

/// An operation with the store's key, which grows.
pub struct Stored {
    pub key: f64,
    pub json: String,
}

impl Idb {
    pub async fn open() -> Result<Self, IdbError> {
        let factory = window()
            .and_then(|window| window.indexed_db().ok()?)
            .ok_or_else(|| IdbError("this browser offers no IndexedDB".to_owned()))?;
        let request = factory.open_with_u32(NAME, VERSION)?;
        let upgraded = request.clone();
        let on_upgrade = Closure::once(move || upgrade(&upgraded));
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
    pub async fn append(&self, ops: &[String], dropped: &[f64]) -> Result<Vec<f64>, IdbError> {
        let transaction = self.transaction(IdbTransactionMode::Readwrite)?;
        let store = transaction.object_store(OPS)?;
        let mut requests = Vec::with_capacity(ops.len());
        for json in ops {
            requests.push(store.add(&JsValue::from_str(json))?);
        }
        for &key in dropped {
            store.delete(&JsValue::from_f64(key))?;
        }
        complete(&transaction).await?;
        let keys = requests.iter().map(|request| Ok(request.result()?.as_f64().unwrap_or(0.0)));
        keys.collect::<Result<_, JsValue>>().map_err(IdbError::from)
    }

    /// At most `count` operations behind `after`, in order.
    pub async fn read(&self, after: f64, count: u32) -> Result<Vec<Stored>, IdbError> {
        let transaction = self.transaction(IdbTransactionMode::Readonly)?;
        let store = transaction.object_store(OPS)?;
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
        let factory = window()
            .and_then(|window| window.indexed_db().ok()?)
            .ok_or_else(|| IdbError("this browser offers no IndexedDB".to_owned()))?;
        let request = factory.delete_database(NAME)?;
        wait(&request).await?;
        Ok(())
    }

    fn transaction(&self, mode: IdbTransactionMode) -> Result<IdbTransaction, IdbError> {
        Ok(self.database.transaction_with_str_and_mode(OPS, mode)?)
    }
}

fn upgrade(request: &IdbOpenDbRequest) {
    let made = request.result().and_then(|database| {
        let parameters = web_sys::IdbObjectStoreParameters::new();
        parameters.set_auto_increment(true);
        let database: IdbDatabase = database.unchecked_into();
        database.create_object_store_with_optional_parameters(OPS, &parameters)
    });
    // A failure aborts the upgrade, and the open request says so.
    if let Err(error) = made {
        web_sys::console::error_1(&error);
    }
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
