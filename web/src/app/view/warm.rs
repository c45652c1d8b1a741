//! What opening a conversation runs has run once before anybody opens one: browsers compile a function of a
//! Wasm when it is first called, and the hundreds behind a first message took half of the frame in which a
//! person waits for it. So messages that nobody wrote are made while the page is idle, shown nowhere.

use std::sync::Arc;

use leptos::mount::mount_to;
use leptos::prelude::*;
use portico_shared::openai::Role;
use portico_shared::sync::MessageContent;
use uuid::Uuid;
use wasm_bindgen::JsCast;

use super::message;
use crate::browser::{document, when_idle};
use crate::log::{Item, Thread};
use crate::page::Page;

/// Each is a piece of work for one idle moment. What code and formulas look like is another Wasm's matter,
/// which no sample may fetch.
const SAMPLES: [(Role, &str); 3] = [
    (Role::User, "a"),
    (Role::Assistant, "a"),
    (
        Role::Assistant,
        "# a\n\n*b* **c** `d` [e](https://e)\n\n- f\n- g\n\n1. h\n\n> i\n\n```\nj\n```\n\n|k|\n|-|\n|l|",
    ),
];

/// Makes the samples one after the other, unless a conversation is open: then they were made for it.
pub fn warm(page: Page) {
    make_from(page, 0);
}

fn make_from(page: Page, at: usize) {
    when_idle(move || {
        let Some(&(role, text)) = SAMPLES.get(at).filter(|_| page.open.get_untracked().is_none())
        else {
            return;
        };
        let Some(nowhere) = document().and_then(|document| document.create_element("div").ok())
        else {
            return;
        };
        let id = Uuid::nil();
        let item = Item {
            id,
            parent: None,
            role,
            content: Arc::new(MessageContent::done(text)),
            steps: Vec::new(),
            siblings: Vec::new(),
        };
        let thread = Arc::new(Thread::of(vec![Arc::new(item)]));
        let made = mount_to(nowhere.unchecked_into(), move || {
            let page = Page { thread: Memo::new(move |_| thread.clone()), ..page };
            message::message(page, id).into_any()
        });
        // Its effects run behind this callback.
        when_idle(move || {
            drop(made);
            make_from(page, at + 1);
        });
    });
}
