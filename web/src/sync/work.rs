//! When is what done? Sent when something was written, fetched when the server calls, tried again later
//! and later while it fails; and what the person is told about it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use futures_channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use futures_util::future::{Either, select};
use futures_util::{FutureExt as _, StreamExt as _};
use js_sys::Function;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{Signal, Wake};
use portico_web::log_store::{Held, IdbError, LogStore, SENT_TO, Write};
use portico_web::server_call::http::sleep_ms;
use portico_web::sync_link::{Channel, FromSync, LOG_CHANNEL, Standing, SyncState, ToSync};
use portico_web::sync_memory;
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use crate::plain_files::PlainFiles;
use crate::pull::{Came, Inbox};
use crate::push::Outbox;
use crate::seal::Seal;
use crate::{account, net};

/// How long writes are gathered: an answer's drafts come about every second.
const GATHER_MS: i32 = 150;
/// The server is asked even when it does not call: a proxy may hold its events up.
const LOOK_MS: i32 = 60_000;
/// A device that asks for the key says so more often.
const ASKED_MS: f64 = 60_000.0;
const RETRY_MS: [i32; 7] = [1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000];

/// What makes the work go on.
enum Event {
    /// Operations were written here.
    Written,
    Server(Option<String>),
    Page(ToSync),
    /// Files of before encryption wait for the person, or no longer do.
    Files,
}

pub fn failed(error: IdbError) -> ApiError {
    ApiError::new(ErrorCode::DeviceStorageRefused).detail(error)
}

/// Syncs as long as the tab lives, once no other tab does.
pub async fn run() {
    net::lead().await;
    let (sender, mut events) = unbounded();
    let Some(channel) = Channel::open() else { return };
    let state = Rc::new(RefCell::new(SyncState {
        standing: Standing::Working,
        n_waiting: 0,
        waiting: Vec::new(),
        held: Vec::new(),
        n_undecided: 0,
        refused: None,
        is_asked: false,
    }));
    hear_page(&channel, &sender, &state);
    let written = sender.clone();
    let tell_log = net::follow_log(LOG_CHANNEL, &callback(move |_| send(&written, Event::Written)));
    let store = match LogStore::open().await {
        Ok(store) => store,
        Err(error) => {
            let mut state = state.borrow_mut();
            state.standing = Standing::Failed(failed(error));
            channel.say(&FromSync::State(state.clone()));
            return;
        }
    };
    let changed = sender.clone();
    let files = PlainFiles::new(store.clone(), move || send(&changed, Event::Files));
    let work = Work {
        store: &store,
        channel: &channel,
        files: &files,
        state: &state,
        tell_log: &tell_log,
        asked_ms: Cell::new(0.0),
    };
    let mut n_failures = 0;
    loop {
        let standing = match net::person().await {
            Ok(Some(person)) => {
                n_failures = 0;
                work.serve(person, &sender, &mut events).await
            }
            Ok(None) => signed_out(&store).await,
            Err(error) => standing(error),
        };
        let is_out = standing == Standing::SignedOut;
        let told = async { work.tell(&mut Outbox::open(&store).await?, standing).await };
        if let Err(error) = told.await {
            say(&channel, &state, Standing::Failed(error));
        }
        let wait_ms = if is_out { LOOK_MS } else { RETRY_MS[n_failures.min(RETRY_MS.len() - 1)] };
        n_failures += 1;
        // What is written while nobody is signed in is no reason to ask who is.
        while let Some(Event::Written) = wait_for(&mut events, wait_ms).await
            && is_out
        {}
    }
}

fn hear_page(channel: &Channel, sender: &UnboundedSender<Event>, state: &Rc<RefCell<SyncState>>) {
    let (answering, sender, state) = (channel.clone(), sender.clone(), state.clone());
    channel.listen(move |asked| match asked {
        ToSync::Ask => answering.say(&FromSync::State(state.borrow().clone())),
        asked => send(&sender, Event::Page(asked)),
    });
}

fn callback(hear: impl FnMut(JsValue) + 'static) -> Function {
    Closure::<dyn FnMut(JsValue)>::new(hear).into_js_value().unchecked_into()
}

fn send(sender: &UnboundedSender<Event>, event: Event) {
    // Its receiver lives as long as the tab.
    sender.unbounded_send(event).ok();
}

fn say(channel: &Channel, state: &RefCell<SyncState>, standing: Standing) {
    let mut state = state.borrow_mut();
    state.standing = standing;
    channel.say(&FromSync::State(state.clone()));
}

fn standing(error: ApiError) -> Standing {
    match error.code {
        ErrorCode::ServerUnreachable => Standing::Offline,
        ErrorCode::SignInNeeded | ErrorCode::InvalidApiKey => Standing::SignedOut,
        ErrorCode::SyncLogSealed => Standing::Locked,
        ErrorCode::SyncLogPlain => Standing::Unsealed,
        // Another device encrypted the log, or no longer does: it is looked at anew.
        ErrorCode::SyncKeyringChanged => Standing::Working,
        _ => Standing::Failed(error),
    }
}

/// Nobody is signed in: what opens a person's log must not stay.
async fn signed_out(store: &LogStore) -> Standing {
    match sync_memory::erase_key(store).await {
        Ok(()) => Standing::SignedOut,
        Err(error) => Standing::Failed(error),
    }
}

/// The next event; none after `ms`.
async fn wait_for(events: &mut UnboundedReceiver<Event>, ms: i32) -> Option<Event> {
    let late = Box::pin(sleep_ms(ms));
    match select(events.next(), late).await {
        Either::Left((event, _)) => event,
        Either::Right(_) => None,
    }
}

struct Work<'a> {
    store: &'a LogStore,
    channel: &'a Channel,
    files: &'a PlainFiles,
    state: &'a RefCell<SyncState>,
    tell_log: &'a Function,
    /// When a locked device last asked for the key.
    asked_ms: Cell<f64>,
}

impl Work<'_> {
    /// Syncs for a person until they are signed out or the store fails; gives how it stands then.
    async fn serve(
        &self,
        person: Uuid,
        sender: &UnboundedSender<Event>,
        events: &mut UnboundedReceiver<Event>,
    ) -> Standing {
        let opened = async {
            account::enter(self.store, person).await?;
            Ok::<_, ApiError>((Outbox::open(self.store).await?, Inbox::open(self.store).await?))
        };
        let (mut outbox, mut inbox) = match opened.await {
            Ok(opened) => opened,
            Err(error) => return standing(error),
        };
        let called = sender.clone();
        let hang_up = net::listen(
            "/api/sync/events",
            &callback(move |data| send(&called, Event::Server(data.as_string()))),
        );
        let mut n_failures = 0;
        let mut seal = None;
        let standing = loop {
            let done = self.round(person, &mut outbox, &mut inbox, &mut seal).await;
            let mut wait_ms = if inbox.is_filling() { 1 } else { LOOK_MS };
            let standing = match done {
                Ok(()) => {
                    n_failures = 0;
                    Standing::Synced
                }
                Err(error) => {
                    seal = None;
                    wait_ms = RETRY_MS[n_failures.min(RETRY_MS.len() - 1)];
                    n_failures += 1;
                    standing(error)
                }
            };
            if matches!(standing, Standing::Locked | Standing::Unsealed) {
                self.files.stop();
                self.state.borrow_mut().refused = None;
                // It waits for the person, who is heard at once.
                (n_failures, wait_ms) = (0, LOOK_MS);
            }
            if standing == Standing::SignedOut {
                break standing;
            }
            if let Err(error) = self.tell(&mut outbox, standing).await {
                break self::standing(error);
            }
            let (mut is_over, mut is_due) = (false, false);
            while !is_over && !is_due {
                let mut event = wait_for(events, wait_ms).await;
                is_due = event.is_none();
                if is_due && !inbox.is_filling() {
                    seal = None;
                }
                while let Some(heard) = event {
                    match heard {
                        Event::Written => {
                            sleep_ms(GATHER_MS).await;
                            is_due = true;
                        }
                        Event::Server(Some(data)) => {
                            is_due |= self.called(&data, &inbox, seal.as_ref());
                        }
                        // A broken stream: what was missed is asked for.
                        Event::Server(None) | Event::Files => is_due = true,
                        Event::Page(ToSync::Session) => is_over = true,
                        Event::Page(asked) => {
                            self.asked(asked, &mut inbox, seal.as_ref()).await;
                            is_due = true;
                        }
                    }
                    event = events.next().now_or_never().flatten();
                }
            }
            if is_over {
                break Standing::Working;
            }
        };
        hang_up.call0(&JsValue::UNDEFINED).ok();
        self.files.stop();
        standing
    }

    /// Everything once. What the log is like is looked at where it is not known.
    async fn round(
        &self,
        person: Uuid,
        outbox: &mut Outbox,
        inbox: &mut Inbox,
        seal: &mut Option<Seal>,
    ) -> Result<(), ApiError> {
        self.withdraw().await?;
        let seal = match seal {
            Some(seal) => seal,
            None => seal.insert(Seal::look(self.store, person).await?),
        };
        if inbox.list(self.store, seal).await? {
            self.tell_log();
        }
        let mut refused = outbox.push_all(self.store, seal, &mut inbox.position).await?;
        let mut came = Came { n_ops: 0, is_other: false };
        while inbox.pull(self.store, seal, &mut came).await? {
            self.tell_log();
        }
        if came.is_other {
            self.withdraw().await?;
            refused = outbox.push_all(self.store, seal, &mut inbox.position).await?;
        }
        inbox.fill(self.store, seal, &mut came).await?;
        let damaged = (inbox.n_damaged > 0)
            .then(|| ApiError::new(ErrorCode::SealOpDamaged).with("n", inbox.n_damaged));
        if let (Some(key), false) = (seal.key(), inbox.is_filling()) {
            self.files.go_on(key);
        }
        self.state.borrow_mut().refused = refused.or(damaged).or(self.files.complaint());
        if came.n_ops > 0 {
            self.tell_log();
        }
        Ok(())
    }

    /// Has the server forget what stays on this device from now on; that gives nothing away.
    async fn withdraw(&self) -> Result<(), ApiError> {
        for (conversation, held) in self.store.held().await.map_err(failed)? {
            if held == Held::Withdraw {
                net::withdraw(conversation).await?;
                let held = vec![(conversation, Some(Held::Withdrawn))];
                self.store.write(Write { held, ..Write::default() }).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    fn tell_log(&self) {
        self.tell_log.call0(&JsValue::UNDEFINED).ok();
    }

    /// Tells the page how it stands.
    async fn tell(&self, outbox: &mut Outbox, standing: Standing) -> Result<(), ApiError> {
        let waiting = outbox.waiting(self.store).await?;
        let held = self.store.held().await.map_err(failed)?;
        let mut state = self.state.borrow_mut();
        state.n_waiting = waiting.n_ops;
        state.waiting = waiting.conversations.into_iter().collect();
        state.n_undecided = held.iter().filter(|(_, held)| *held == Held::Undecided).count();
        state.is_asked &= js_sys::Date::now() - self.asked_ms.get() < ASKED_MS;
        state.held = held.into_iter().map(|(conversation, _)| conversation).collect();
        // Written while it was sent: the next round takes it.
        let is_behind = standing == Standing::Synced && state.n_waiting > 0;
        state.standing = if is_behind { Standing::Working } else { standing };
        self.channel.say(&FromSync::State(state.clone()));
        Ok(())
    }

    /// The server calls; true: there is something to fetch.
    fn called(&self, data: &str, inbox: &Inbox, seal: Option<&Seal>) -> bool {
        match serde_json::from_str(data) {
            Ok(Wake::Log { epoch, cursor }) => inbox.position.is_behind(epoch, cursor),
            Ok(Wake::Signal(Signal::Stop { message })) => {
                self.channel.say(&FromSync::Stop { message });
                false
            }
            Ok(Wake::Signal(signal)) => {
                self.signalled(&signal, seal.is_some_and(Seal::is_sealed));
                false
            }
            // Of a newer server.
            Err(_) => true,
        }
    }

    /// About a device that is to be let in: whoever shows the account hears it.
    fn signalled(&self, signal: &Signal, has_key: bool) {
        self.channel.say(signal);
        let is_asked = match signal {
            Signal::ApprovalAsked(ask) if has_key => {
                self.asked_ms.set(js_sys::Date::now());
                let heard = Signal::ApprovalHeard { request: ask.request };
                // It asks again.
                spawn_local(async { net::signal(heard).await.unwrap_or_default() });
                true
            }
            Signal::ApprovalGiven(_)
            | Signal::ApprovalRefused { .. }
            | Signal::ApprovalEnded { .. } => false,
            _ => return,
        };
        let mut state = self.state.borrow_mut();
        if state.is_asked != is_asked {
            state.is_asked = is_asked;
            self.channel.say(&FromSync::State(state.clone()));
        }
    }

    /// The page asks.
    async fn asked(&self, asked: ToSync, inbox: &mut Inbox, seal: Option<&Seal>) {
        let done = match asked {
            ToSync::Decide { sends } => self.decide(sends).await,
            ToSync::Open { conversation } => match seal {
                None => Ok(()),
                Some(seal) => inbox.fetch(self.store, seal, conversation).await.map(|came| {
                    if came {
                        self.tell_log();
                    }
                }),
            },
            ToSync::Stop { message } => net::signal(Signal::Stop { message }).await,
            ToSync::Ask | ToSync::Session => Ok(()),
        };
        if let Err(error) = done {
            web_sys::console::warn_1(&format!("portico: sync: {error}").into());
        }
    }

    async fn decide(&self, sends: bool) -> Result<(), ApiError> {
        let held = self.store.held().await.map_err(failed)?;
        let undecided = held.into_iter().filter(|(_, held)| *held == Held::Undecided);
        let held = undecided.map(|(id, _)| (id, (!sends).then_some(Held::Kept))).collect();
        let mut write = Write { held, ..Write::default() };
        if sends {
            write.meta.push((SENT_TO, "0".to_owned()));
        }
        self.store.write(write).await.map_err(failed).map(|_| ())
    }
}
