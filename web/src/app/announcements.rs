//! What does the house announce here? What the server said last stands here without it too; what somebody
//! closed stays closed on this device until it is changed.

use leptos::prelude::*;
use portico_web::server_call;
use serde::{Deserialize, Serialize};
use wasm_bindgen_futures::spawn_local;

use crate::browser::{now_ms, on_window};
use crate::page::Page;
use crate::prefs;

/// In the choices: as the server said it last, and what of it was closed.
const KEPT: &str = "announcements";
const CLOSED: &str = "announcements-closed";

/// Of `GET /api/announcements`. Moments are seconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Announcement {
    pub id: String,
    pub title: String,
    /// Markdown.
    pub text: String,
    until_s: Option<u64>,
    changed_s: u64,
}

#[derive(Serialize, Deserialize)]
struct Announcements {
    announcements: Vec<Announcement>,
}

impl Announcement {
    /// What is changed is another one.
    fn name(&self) -> String {
        format!("{}@{}", self.id, self.changed_s)
    }
}

/// Has them known from the start, and asks again at each new conversation, for whoever signs in, and when
/// there is a network again.
pub fn follow(page: Page) {
    show(page);
    Effect::new(move |_| {
        page.person.track();
        if page.open.get().is_none() {
            spawn_local(load(page));
        }
    });
    on_window("online", move |_| spawn_local(load(page)));
}

async fn load(page: Page) {
    match server_call::get("/api/announcements").await {
        Ok(json) => prefs::set(KEPT, Some(&json)),
        Err(error) if matches!(error.code.status(), 401 | 403) => prefs::set(KEPT, None),
        // What is known stands until the server can be asked.
        Err(_) => return,
    }
    show(page);
}

fn show(page: Page) {
    let kept = prefs::get(KEPT).and_then(|json| serde_json::from_str::<Announcements>(&json).ok());
    let closed = closed();
    let now_s = now_ms() / 1_000;
    let is_on = |one: &Announcement| {
        one.until_s.is_none_or(|until_s| until_s > now_s) && !closed.contains(&one.name())
    };
    let mut shown = kept.map(|kept| kept.announcements).unwrap_or_default();
    shown.retain(is_on);
    if page.announcements.with_untracked(|known| *known != shown) {
        page.announcements.set(shown);
    }
}

fn closed() -> Vec<String> {
    let closed = prefs::get(CLOSED).and_then(|json| serde_json::from_str(&json).ok());
    closed.unwrap_or_default()
}

/// Not shown again on this device. Only so many are remembered as the house can have.
pub fn close(page: Page, announcement: &Announcement) {
    const REMEMBERED_MAX: usize = 100;
    let mut closed = closed();
    closed.push(announcement.name());
    let n_over = closed.len().saturating_sub(REMEMBERED_MAX);
    closed.drain(..n_over);
    prefs::set(CLOSED, serde_json::to_string(&closed).ok().as_deref());
    page.announcements.update(|all| all.retain(|one| one.id != announcement.id));
}
