//! Which answers is another device writing right now? Its drafts arrive about every second; one that has
//! not grown for a while is nobody's any more.

use std::cell::RefCell;
use std::collections::BTreeMap;

use leptos::prelude::*;
use portico_shared::sync::{Body, MessageState, Op};
use uuid::Uuid;

use crate::browser::{after_ms, monotonic_ms, now_ms};
use crate::page::Page;

/// Without news for so long, it has ended.
const QUIET_MS: f64 = 15_000.0;
/// A draft that was written longer ago is an old one that comes late.
const LATE_MS: u64 = 120_000;

thread_local! {
    /// When each was last heard of.
    static HEARD: RefCell<BTreeMap<Uuid, f64>> = const { RefCell::new(BTreeMap::new()) };
}

/// Takes note of an operation that came from the server.
pub fn note(page: Page, op: &Op) {
    let (message, state) = match &op.body {
        Body::AddMessage { message, content, .. } | Body::WriteMessage { message, content } => {
            (*message, content.state)
        }
        _ => return,
    };
    let is_live = state == MessageState::Draft && now_ms().abs_diff(op.at.ms) < LATE_MS;
    let is_new = HEARD.with_borrow_mut(|heard| match is_live {
        true => heard.insert(message, monotonic_ms()).is_none(),
        false => heard.remove(&message).is_some(),
    });
    if is_new {
        tell(page);
    }
    if is_live && is_new {
        watch(page);
    }
}

/// Whether another device is writing this answer.
pub fn is_remote(page: Page, message: Uuid) -> bool {
    page.remote.with(|messages| messages.contains(&message))
}

fn tell(page: Page) {
    page.remote.set(HEARD.with_borrow(|heard| heard.keys().copied().collect()));
}

fn watch(page: Page) {
    after_ms(QUIET_MS as i32, move || {
        let now_ms = monotonic_ms();
        let (n_gone, n_left) = HEARD.with_borrow_mut(|heard| {
            let n_before = heard.len();
            heard.retain(|_, at| now_ms - *at < QUIET_MS);
            (n_before - heard.len(), heard.len())
        });
        if n_gone > 0 {
            tell(page);
        }
        if n_left > 0 {
            watch(page);
        }
    });
}
