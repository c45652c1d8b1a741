//! Which assistants may the person use, with which does a conversation go on, and what comes of it?
//!
//! The list that was seen last is kept on the device: a conversation with an assistant goes on without the
//! server. What an assistant says is asked anew for each answer, so that a change counts from the next one
//! on; its collections and tools are taken only where the person has them without it.

use std::sync::Arc;

use leptos::prelude::*;
use portico_page::assistants::{self, Assistant, Model, Standing};
use portico_page::route::Route;
use portico_shared::error::ErrorCode;
use portico_shared::sync::{AssistantUse, Body};
use portico_web::server_call;
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use crate::page::Page;
use crate::prefs::AnswerSettings;
use crate::{log, place, prefs, sync};

/// The list as the server said it last, in the choices.
const KEPT: &str = "assistants";

/// Has them known from the start, and again for whoever signs in and whenever they may have been changed.
pub fn follow(page: Page) {
    page.assistants.set(kept());
    Effect::new(move |_| {
        page.person.track();
        if !page.shows_people.get() {
            // There one is chosen for the next conversation.
            page.place_version.update(|version| *version += 1);
            spawn_local(load(page));
        }
    });
}

fn kept() -> Option<Arc<Vec<Assistant>>> {
    assistants::listed(&prefs::get(KEPT)?).map(Arc::new)
}

async fn load(page: Page) {
    if !sync::has_account() {
        return keep(page, None);
    }
    match server_call::get("/api/assistants").await {
        Ok(json) => keep(page, Some(&json)),
        // It is over with this account, or it was another's.
        Err(error) if matches!(error.code.status(), 401 | 403) => keep(page, None),
        Err(error) if error.code == ErrorCode::ServerUnreachable => {}
        Err(error) => {
            web_sys::console::warn_1(&format!("portico: assistants: {error}").into());
        }
    }
}

fn keep(page: Page, json: Option<&str>) {
    prefs::set(KEPT, json);
    let known = json.and_then(assistants::listed).map(Arc::new);
    if page.assistants.with_untracked(|before| *before != known) {
        page.assistants.set(known);
    }
}

/// How it stands with the assistant of a conversation, or of the next new one, for views.
pub fn standing(page: Page, conversation: Option<Uuid>) -> Standing {
    page.log_version.track();
    page.place_version.track();
    let in_use = match conversation {
        Some(conversation) => log::assistant(conversation),
        None => prefs::answer_settings(None).assistant,
    };
    page.assistants
        .with(|known| assistants::standing(in_use, known.as_ref().map(|known| known.as_slice())))
}

fn here(page: Page, conversation: Option<Uuid>) -> Option<Assistant> {
    match standing(page, conversation) {
        Standing::Here { assistant, .. } => Some(*assistant),
        Standing::None | Standing::Gone(_) | Standing::Unknown(_) => None,
    }
}

/// How a conversation's answers are made: as the person says, and as its assistant does.
pub fn settings(page: Page, conversation: Option<Uuid>) -> AnswerSettings {
    let mut settings = prefs::answer_settings(conversation);
    if let Some(assistant) = here(page, conversation) {
        let of_assistant = assistant.definition;
        settings.instructions =
            assistants::instructions(&of_assistant.instructions, &settings.instructions);
        assistants::united(&mut settings.collections, &of_assistant.collections);
        assistants::united(&mut settings.tools, &of_assistant.tools);
    }
    settings
}

/// Whether the assistant brings a collection or a tool along, for views: then it is not taken away here.
pub fn brings(page: Page, conversation: Option<Uuid>, id: &str) -> bool {
    here(page, conversation).is_some_and(|assistant| {
        let Assistant { definition, .. } = assistant;
        definition.collections.iter().chain(&definition.tools).any(|other| other == id)
    })
}

/// Has a conversation, or the next new one, go on with an assistant, or with none.
pub fn choose(page: Page, conversation: Option<Uuid>, assistant: Option<AssistantUse>) {
    match conversation {
        Some(conversation) => {
            log::write(page, [Body::UseAssistant { conversation, assistant }]);
        }
        None => {
            let settings = AnswerSettings { assistant, ..prefs::answer_settings(None) };
            prefs::set_answer_settings(None, &settings);
            page.place_version.update(|version| *version += 1);
        }
    }
}

/// That a conversation has the assistant, and the person knows of this revision.
pub fn told(conversation: Uuid, assistant: AssistantUse) -> Body {
    Body::UseAssistant { conversation, assistant: Some(assistant) }
}

/// Whether all of a model lies on this device, or is on its way.
pub fn is_here(page: Page, model: &str) -> bool {
    use portico_web::protocol::ModelState::{Absent, Failed, Paused};
    let state = page.model_state(model);
    state.is_some_and(|state| !matches!(state, Absent { .. } | Paused { .. } | Failed { .. }))
}

/// Whether a conversation's assistant prefers a model.
pub fn wants(page: Page, conversation: Option<Uuid>, model: &str) -> bool {
    here(page, conversation).is_some_and(|one| one.definition.model.as_deref() == Some(model))
}

/// Which model answers a conversation, for views.
pub fn model(page: Page, conversation: Option<Uuid>) -> Model {
    let Some(assistant) = here(page, conversation) else { return Model::Usual };
    assistants::model(&assistant.definition, |wanted| {
        match place::route_of(page, conversation, wanted) {
            Route::Server { model, .. } => model == wanted,
            Route::Device { .. } => is_here(page, wanted),
            Route::Nowhere(_) => false,
        }
    })
}
