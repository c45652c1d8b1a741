//! What becomes of files that lay on the server before the log was encrypted? They stay there as they were until a
//! device that has the key has sealed them: one after the other is fetched, sealed and sent
//! (`web/js/sync_plain_files.js`), and the server lets go of each whose sealed twin it has. What fails for now is tried
//! again; what cannot be sealed is named to the person, who decides.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use js_sys::{Function, Object, Reflect};
use portico_sealing::AccountKey;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::{Body, Op};
use portico_web::log_store::{LogStore, Record, Write};
use portico_web::plain_link::{PlainFile, PlainNow, PlainState, StuckFile, ToPlain};
use portico_web::server_call::http::sleep_ms;
use portico_web::sync_link::Channel;
use portico_web::sync_memory::PLAIN_PAUSED;
use serde::Deserialize;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{AbortController, AbortSignal};

use crate::file_seal::FileSeal;
use crate::net;
use crate::work::failed;

const BATCH: u32 = 500;
/// After what failed for now; the last one again and again.
const RETRY_MS: [i32; 5] = [1_000, 3_000, 10_000, 30_000, 60_000];

#[wasm_bindgen(raw_module = "./sync_plain_files.js")]
extern "C" {
    #[wasm_bindgen(js_name = sealPlain, catch)]
    async fn seal_plain(
        seal: &JsValue,
        conversation: &str,
        sha256: &str,
        size_bytes: f64,
        tell: &Function,
        signal: &AbortSignal,
    ) -> Result<JsValue, JsValue>;
}

/// How far the script is with a file.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Told {
    state: String,
    #[serde(default)]
    done_bytes: u64,
    #[serde(default)]
    total_bytes: u64,
}

/// The files of the person who is signed in.
pub struct PlainFiles(Rc<Inner>);

struct Inner {
    store: LogStore,
    /// None where the browser has none.
    channel: Option<Channel>,
    /// Calls who syncs when it waits for the person, or no longer does.
    changed: Box<dyn Fn()>,
    state: RefCell<PlainState>,
    left: RefCell<Vec<PlainFile>>,
    names: RefCell<BTreeMap<String, String>>,
    key: RefCell<Option<AccountKey>>,
    /// Ends what runs.
    run: RefCell<Option<AbortController>>,
    /// There is nothing to do before somebody says so.
    is_at_rest: Cell<bool>,
    /// How many wait for the person, as who syncs was last called for.
    n_said: Cell<Option<usize>>,
}

impl PlainFiles {
    pub fn new(store: LogStore, changed: impl Fn() + 'static) -> Self {
        // Its own: what is said on one is heard on the others.
        let channel = Channel::open();
        let inner = Rc::new(Inner {
            store,
            channel: channel.clone(),
            changed: Box::new(changed),
            state: RefCell::default(),
            left: RefCell::default(),
            names: RefCell::default(),
            key: RefCell::default(),
            run: RefCell::default(),
            is_at_rest: Cell::new(false),
            n_said: Cell::new(None),
        });
        if let Some(channel) = channel {
            let hearing = Rc::clone(&inner);
            channel.listen(move |asked| hearing.asked(asked));
        }
        Self(inner)
    }

    /// The log is encrypted with this key, and this device has sent what it had: on with what is left.
    pub fn go_on(&self, key: &AccountKey) {
        let is_known = self.0.key.borrow().as_ref().is_some_and(|known| known.id() == key.id());
        if !is_known {
            self.stop();
            self.0.key.replace(Some(key.clone()));
        }
        // Another device may have settled what this one could not.
        let is_due = !self.0.is_at_rest.get() || self.0.state.borrow().waits_for_person();
        if is_due && self.0.run.borrow().is_none() {
            self.0.start();
        }
    }

    /// Nobody is signed in any more, or the device is locked.
    pub fn stop(&self) {
        self.0.end();
        self.0.key.replace(None);
        self.0.state.take();
        self.0.left.take();
        self.0.is_at_rest.set(false);
        self.0.n_said.set(None);
    }

    /// What only the person can settle.
    pub fn complaint(&self) -> Option<ApiError> {
        let state = self.0.state.borrow();
        let error = || ApiError::new(ErrorCode::FilesNotEncrypted).with("n", state.n_plain_files);
        state.waits_for_person().then(error)
    }
}

impl Inner {
    fn start(self: &Rc<Self>) {
        let Some(key) = self.key.borrow().clone() else { return };
        let Ok(abort) = AbortController::new() else { return };
        self.run.replace(Some(abort.clone()));
        let this = Rc::clone(self);
        spawn_local(async move {
            this.work(&FileSeal::of(&key).into(), &abort.signal()).await;
            let is_last = this.run.borrow().as_ref().is_some_and(|run| Object::is(run, &abort));
            if is_last {
                this.run.replace(None);
                this.state.borrow_mut().now = None;
                this.say();
            }
        });
    }

    fn end(&self) {
        if let Some(run) = self.run.take() {
            run.abort();
        }
        self.state.borrow_mut().now = None;
    }

    /// Until nothing is left that can be done without the person.
    async fn work(&self, seal: &JsValue, signal: &AbortSignal) {
        let mut n_failures = 0;
        loop {
            let n_before = self.left.borrow().len();
            let done = self.all(seal, signal).await;
            if signal.aborted() {
                return;
            }
            let (error, n_left) = (done.err(), self.left.borrow().len());
            self.state.borrow_mut().waits.clone_from(&error);
            match error {
                // What came meanwhile is looked for once more.
                None if n_left < n_before => {}
                None => {
                    self.is_at_rest.set(true);
                    return;
                }
                // Who syncs finds out how it stands.
                Some(error) if is_over(error.code) => return,
                Some(_) => {
                    self.say();
                    if n_left < n_before {
                        n_failures = 0;
                    }
                    sleep_ms(RETRY_MS[n_failures.min(RETRY_MS.len() - 1)]).await;
                    n_failures += 1;
                    if signal.aborted() {
                        return;
                    }
                }
            }
        }
    }

    /// Each file once; gives what failed for now.
    async fn all(&self, seal: &JsValue, signal: &AbortSignal) -> Result<(), ApiError> {
        let left = net::plain_files().await?;
        let is_paused =
            self.store.meta(PLAIN_PAUSED).await.map_err(failed)?.as_deref() == Some("1");
        if signal.aborted() {
            return Ok(());
        }
        {
            let mut state = self.state.borrow_mut();
            state.count(&left);
            state.is_paused = is_paused;
            state.stuck.retain(|stuck| left.contains(&stuck.file));
        }
        self.left.replace(left.clone());
        self.say();
        if is_paused || left.is_empty() {
            return Ok(());
        }
        let is_stuck =
            |file: &&PlainFile| self.state.borrow().stuck.iter().any(|stuck| stuck.file == **file);
        let waiting: Vec<&PlainFile> = left.iter().filter(|file| !is_stuck(file)).collect();
        self.learn_names(&waiting).await?;
        let mut failed_for_now = None;
        for file in waiting {
            // Given up meanwhile.
            if !self.left.borrow().contains(file) {
                continue;
            }
            let done = self.one(file, seal, signal).await;
            if signal.aborted() {
                return Ok(());
            }
            match done {
                Ok(()) => self.is_done(file),
                Err(error) if is_over(error.code) => return Err(error),
                Err(error) if error.code == ErrorCode::ServerUnreachable => return Err(error),
                Err(error) if is_passing(error.code) => failed_for_now = Some(error),
                Err(error) => {
                    let (file, name) = (file.clone(), self.name(file));
                    self.state.borrow_mut().stuck.push(StuckFile { file, name, error });
                }
            }
            self.say();
        }
        failed_for_now.map_or(Ok(()), Err)
    }

    async fn one(
        &self,
        file: &PlainFile,
        seal: &JsValue,
        signal: &AbortSignal,
    ) -> Result<(), ApiError> {
        let (done_bytes, total_bytes) = (0, file.size_bytes);
        let name = self.name(file);
        let now = PlainNow { name, is_sent: false, done_bytes, total_bytes };
        self.state.borrow_mut().now = Some(now.clone());
        self.say();
        // Said by the script alone, and only while it runs.
        let (channel, state) = (self.channel.clone(), self.state.borrow().clone());
        let tell = Closure::<dyn FnMut(String)>::new(move |said: String| {
            let (Some(channel), Ok(told)) = (&channel, serde_json::from_str::<Told>(&said)) else {
                return;
            };
            let Told { state: way, done_bytes, total_bytes } = told;
            let now =
                PlainNow { is_sent: way == "sending", done_bytes, total_bytes, ..now.clone() };
            channel.say(&PlainState { now: Some(now), ..state.clone() });
        });
        let (conversation, size_bytes) = (file.conversation.to_string(), file.size_bytes as f64);
        let tell: &Function = tell.as_ref().unchecked_ref();
        let sealed = seal_plain(seal, &conversation, &file.sha256, size_bytes, tell, signal).await;
        sealed.map(|_| ()).map_err(|error| said(&error))
    }

    fn name(&self, file: &PlainFile) -> Option<String> {
        self.names.borrow().get(&file.sha256).cloned()
    }

    fn is_done(&self, file: &PlainFile) {
        self.left.borrow_mut().retain(|other| other != file);
        let mut state = self.state.borrow_mut();
        state.stuck.retain(|stuck| stuck.file != *file);
        state.count(&self.left.borrow());
        state.now = None;
    }

    /// What the files are called that are left, as messages say it.
    async fn learn_names(&self, left: &[&PlainFile]) -> Result<(), ApiError> {
        let mut wanted: BTreeSet<&str> = left.iter().map(|file| file.sha256.as_str()).collect();
        wanted.retain(|sha256| !self.names.borrow().contains_key(*sha256));
        let mut after = 0.0;
        while !wanted.is_empty() {
            let batch = self.store.read(after, BATCH).await.map_err(failed)?;
            let Some(last) = batch.last() else { break };
            after = last.key;
            for stored in &batch {
                let json = Record::parts(&stored.json).0;
                if !json.contains("\"sha256\"") {
                    continue;
                }
                let Ok(op) = Op::from_json(json.trim_start()) else { continue };
                let (Body::AddMessage { content, .. } | Body::WriteMessage { content, .. }) =
                    op.body
                else {
                    continue;
                };
                for attachment in content.attachments {
                    let Some(sha256) = attachment.sha256 else { continue };
                    if wanted.remove(sha256.as_str()) {
                        self.names.borrow_mut().insert(sha256, attachment.name);
                    }
                }
            }
        }
        Ok(())
    }

    fn say(&self) {
        let n_waiting = {
            let state = self.state.borrow();
            state.waits_for_person().then_some(state.n_plain_files)
        };
        if self.n_said.replace(n_waiting) != n_waiting {
            (self.changed)();
        }
        if let Some(channel) = &self.channel {
            channel.say(&*self.state.borrow());
        }
    }

    /// Who shows the account asks.
    fn asked(self: &Rc<Self>, asked: ToPlain) {
        if self.key.borrow().is_none() {
            return;
        }
        let this = Rc::clone(self);
        spawn_local(async move {
            let done = match asked {
                ToPlain::Look => Ok(()),
                ToPlain::Pause => this.pause(true).await,
                ToPlain::GoOn => this.pause(false).await,
                ToPlain::GiveUp(file) => net::give_up(&file).await.map(|()| this.is_done(&file)),
            };
            if let Err(error) = done {
                this.state.borrow_mut().waits = Some(error);
            }
            this.say();
        });
    }

    async fn pause(self: &Rc<Self>, is_paused: bool) -> Result<(), ApiError> {
        let value = if is_paused { "1" } else { "" };
        let meta = vec![(PLAIN_PAUSED, value.to_owned())];
        self.store.write(Write { meta, ..Write::default() }).await.map_err(failed)?;
        self.end();
        self.is_at_rest.set(is_paused);
        {
            let mut state = self.state.borrow_mut();
            (state.is_paused, state.waits) = (is_paused, None);
            state.stuck.clear();
        }
        if !is_paused {
            self.start();
        }
        Ok(())
    }
}

/// The log is another one than it was, or this device has no right to it.
fn is_over(code: ErrorCode) -> bool {
    use ErrorCode::{InvalidApiKey, SignInNeeded, SyncLogPlain, SyncLogSealed};
    matches!(code, SyncLogPlain | SyncLogSealed | SignInNeeded | InvalidApiKey)
}

/// The conversation is on its way itself, or the line is down, or what came was damaged.
fn is_passing(code: ErrorCode) -> bool {
    use ErrorCode::{
        ConversationNotSynced, FilesUnreachable, ServerUnreachable, Timeout, UploadDamaged,
        UploadIncomplete,
    };
    matches!(
        code,
        ConversationNotSynced
            | FilesUnreachable
            | ServerUnreachable
            | Timeout
            | UploadDamaged
            | UploadIncomplete
    )
}

/// The error of the table that a script threw.
fn said(error: &JsValue) -> ApiError {
    let message = Reflect::get(error, &"message".into()).ok().and_then(|text| text.as_string());
    let message = message.unwrap_or_default();
    serde_json::from_str(&message)
        .unwrap_or_else(|_| ApiError::new(ErrorCode::DeviceStorageRefused).detail(message))
}
