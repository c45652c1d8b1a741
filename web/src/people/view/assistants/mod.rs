//! Assistants: those that one may use, and one of them as a form or to be read.

mod choices;
mod draft;
mod editor;
mod gallery;
mod kept;
mod one;
mod try_out;

use leptos::prelude::*;
use portico_page::assistants::Assistant;
use portico_people::texts::Text;
use portico_shared::error::ApiError;
use serde::Deserialize;
use wasm_bindgen_futures::spawn_local;

use super::for_person;
use crate::api;
use crate::parts;
use crate::state::{Asked, People};

/// Where they are all shown.
const GALLERY: &str = "#/assistants";
/// In the place of an id: one that is to be.
const NEW: &str = "new";

/// `GET /api/assistants`
#[derive(Clone, Debug, PartialEq, Deserialize)]
struct Listed {
    assistants: Vec<Assistant>,
    may_share_with: Sharing,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
struct Sharing {
    groups: Vec<String>,
    house: bool,
}

async fn list() -> Result<Listed, ApiError> {
    api::get("/api/assistants").await
}

/// All of them, one by its id, or a new one.
pub fn assistants(people: People, which: Option<String>) -> impl IntoView {
    for_person(people, move |_| {
        let known = RwSignal::new(Asked::Loading);
        let look = move || {
            spawn_local(async move {
                // The view may have gone.
                known.try_set(list().await.into());
            });
        };
        look();
        let which = which.clone();
        move || match known.get() {
            Asked::Loading => parts::loading(people).into_any(),
            Asked::Failed(error) => parts::failed(people, error, look).into_any(),
            Asked::Loaded(listed) => match which.as_deref() {
                None => gallery::gallery(people, listed, look).into_any(),
                Some(NEW) => editor::editor(people, None, listed.may_share_with).into_any(),
                Some(id) => {
                    let is_it = |one: &&Assistant| one.id.to_string() == id;
                    match listed.assistants.iter().find(is_it).cloned() {
                        Some(one) if one.may_change => {
                            editor::editor(people, Some(one), listed.may_share_with).into_any()
                        }
                        Some(one) => one::one(people, one).into_any(),
                        None => gone(people).into_any(),
                    }
                }
            },
        }
    })
}

fn back(people: People) -> impl IntoView {
    view! { <a class="back" href=GALLERY>"‹ " {people.t(Text::AssistantsAll)}</a> }
}

fn gone(people: People) -> impl IntoView {
    view! {
        {back(people)}
        <p class="notice" data-state="no-assistant">{people.t(Text::AssistantGone)}</p>
    }
}

/// Its letter or symbol.
fn mark(assistant: &Assistant) -> impl IntoView + use<> {
    view! { <span class="assistant-mark" aria-hidden="true">{assistant.definition.mark()}</span> }
}

/// With whom it is shared, and who made it.
fn whose(people: People, one: &Assistant) -> impl Fn() -> String + Send + Sync + 'static {
    let (is_own, for_house, groups) = (one.is_own, one.for_house, one.groups.clone());
    let maker = one.maker.clone();
    move || {
        let lang = people.lang.get();
        let by = match (&maker, is_own) {
            (Some(name), false) => Text::AssistantBy.fill(lang, &[("name", name)]),
            _ => String::new(),
        };
        let with = match (for_house, groups.is_empty()) {
            (true, _) => Text::AssistantForHouse.get(lang).to_owned(),
            (false, false) => groups.join(", "),
            (false, true) if is_own => Text::AssistantOwn.get(lang).to_owned(),
            (false, true) => String::new(),
        };
        parts::dotted([by, with])
    }
}
