//! Carries messages between this tab's page and whoever leads, itself perhaps.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use portico_relay::bus::{BusMessage, LeaderId, TabId};
use portico_relay::client::{Client, Out};
use wasm_bindgen::prelude::*;
use web_sys::{BroadcastChannel, MessageEvent};

use crate::js::error::JsError;
use crate::js::{locks, scope};
use crate::leader::Leader;
use crate::protocol::{DebugReport, FromWorker, ToWorker};

/// Name of the channel between tabs, and of the lock that makes a leader.
const ENGINE: &str = "portico-engine";

/// A lock that a tab holds while it lives.
fn life_of(tab: &TabId) -> String {
    format!("portico-tab-{}", tab.0)
}

struct Tab {
    me: TabId,
    client: RefCell<Client>,
    /// None where the browser has none: then there is only this tab.
    channel: Option<BroadcastChannel>,
    /// Whoever leads, as this tab knows.
    leader_id: RefCell<Option<LeaderId>>,
    /// Here when this tab leads.
    leader: RefCell<Option<Rc<Leader>>>,
    /// Tabs whose end is watched.
    followers: RefCell<BTreeSet<TabId>>,
}

/// Starts listening to the page and to the other tabs.
pub fn start() {
    let tab = Rc::new(Tab {
        me: TabId(scope::fresh_id()),
        client: RefCell::default(),
        channel: BroadcastChannel::new(ENGINE).ok(),
        leader_id: RefCell::new(None),
        leader: RefCell::new(None),
        followers: RefCell::default(),
    });
    // The sign of life comes before the first word, so that no leader takes the tab for dead.
    let living = tab.clone();
    if !locks::hold_for_life(&life_of(&tab.me), move || living.join()) {
        // Without locks nobody else can lead either.
        tab.lead();
    }
    let page = tab.clone();
    scope::on_page_message(move |json| match serde_json::from_str::<ToWorker>(&json) {
        Ok(ToWorker::Debug) => page.debug(),
        Ok(message) => {
            let outs = page.client.borrow_mut().from_page(message);
            page.carry(outs);
        }
        Err(error) => scope::log_error(&format!("message from the page: {error}: {json}")),
    });
}

impl Tab {
    /// Meets the other tabs and waits in line to lead.
    fn join(self: &Rc<Self>) {
        if let Some(channel) = &self.channel {
            let tab = self.clone();
            let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                let Some(json) = event.data().as_string() else { return };
                match serde_json::from_str::<BusMessage>(&json) {
                    Ok(message) => tab.hear(message),
                    // A tab with another build of the page: its words are not for us.
                    Err(error) => scope::log_error(&format!("from another tab: {error}")),
                }
            });
            channel.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
            // Listens as long as the worker lives.
            on_message.forget();
        }
        self.say(&BusMessage::Seek);
        let tab = self.clone();
        locks::hold_for_life(ENGINE, move || tab.lead());
    }

    fn lead(self: &Rc<Self>) {
        let id = LeaderId(scope::fresh_id());
        let (tab, own_id) = (self.clone(), id.clone());
        let leader = Leader::start(move |to, message| {
            if to != Some(&tab.me) {
                tab.say(&BusMessage::Down {
                    leader: own_id.clone(),
                    to: to.cloned(),
                    message: Box::new(message.clone()),
                });
            }
            if to.is_none_or(|to| *to == tab.me) {
                let outs = tab.client.borrow_mut().from_leader(&own_id, message);
                tab.carry(outs);
            }
        });
        *self.leader.borrow_mut() = Some(leader);
        self.say(&BusMessage::Announce { leader: id.clone() });
        self.follow(id);
    }

    /// Takes `leader` for the one who leads.
    fn follow(&self, leader: LeaderId) {
        *self.leader_id.borrow_mut() = Some(leader.clone());
        let outs = self.client.borrow_mut().leader_announced(leader);
        self.carry(outs);
    }

    fn hear(self: &Rc<Self>, message: BusMessage) {
        let leading = self.leader.borrow().clone();
        let leader_id = self.leader_id.borrow().clone();
        match (message, leading) {
            (BusMessage::Seek, Some(_)) => {
                if let Some(leader) = leader_id {
                    self.say(&BusMessage::Announce { leader });
                }
            }
            (BusMessage::Announce { leader }, None) => self.follow(leader),
            (BusMessage::Up { tab, leader, message }, Some(leading))
                if leader_id == Some(leader.clone()) =>
            {
                self.watch_life(&tab, &leading);
                leading.receive(&tab, *message);
            }
            (BusMessage::Down { leader, to, message }, None)
                if to.as_ref().is_none_or(|to| *to == self.me) =>
            {
                let outs = self.client.borrow_mut().from_leader(&leader, *message);
                self.carry(outs);
            }
            _ => {}
        }
    }

    fn carry(&self, outs: Vec<Out>) {
        for out in outs {
            match out {
                Out::ToPage(message) => match serde_json::to_string(&message) {
                    Ok(json) => scope::post_to_page(&json),
                    Err(error) => scope::log_error(&format!("message to the page: {error}")),
                },
                Out::ToLeader(message) => {
                    let leading = self.leader.borrow().clone();
                    let leader_id = self.leader_id.borrow().clone();
                    match (leading, leader_id) {
                        (Some(leader), _) => leader.receive(&self.me, message),
                        (None, Some(leader)) => self.say(&BusMessage::Up {
                            tab: self.me.clone(),
                            leader,
                            message: Box::new(message),
                        }),
                        // The client sends nothing before it knows a leader.
                        (None, None) => {}
                    }
                }
            }
        }
    }

    fn say(&self, message: &BusMessage) {
        let Some(channel) = &self.channel else { return };
        let said =
            serde_json::to_string(message).map_err(|error| error.to_string()).and_then(|json| {
                let json = JsValue::from_str(&json);
                channel.post_message(&json).map_err(|error| JsError::from(error).to_string())
            });
        if let Err(error) = said {
            scope::log_error(&format!("message to the other tabs: {error}"));
        }
    }

    /// Ends what a tab asked for when it is gone.
    fn watch_life(&self, tab: &TabId, leading: &Rc<Leader>) {
        if self.followers.borrow_mut().insert(tab.clone()) {
            let (leading, tab) = (leading.clone(), tab.clone());
            locks::when_free(&life_of(&tab), move || leading.forget_tab(&tab));
        }
    }

    fn debug(&self) {
        if !scope::is_debug() {
            return;
        }
        let mut report =
            DebugReport { wasm_memory_bytes: scope::wasm_memory_bytes(), ..DebugReport::default() };
        if let Some(leader) = self.leader.borrow().as_ref() {
            report.leads = true;
            report.fetched_bytes = leader.counters.fetched_bytes.get();
            report.damaged_chunks = leader.counters.damaged_chunks.get();
            report.uploaded_bytes = leader.uploaded_bytes.get();
            report.last_load_ms = leader.last_load_ms.get();
        }
        self.carry(vec![Out::ToPage(FromWorker::Debug { report })]);
    }
}
