//! What of assistants is seen where one chats: a choice of them, the one of this conversation, and what is
//! to be said about it. Where they are made is `web/src/people`.

use leptos::prelude::*;
use portico_page::assistants::{Assistant, Model, Standing};
use portico_page::i18n::Text;

use wasm_bindgen::JsCast;
use web_sys::{HtmlDetailsElement, HtmlElement, HtmlTextAreaElement, KeyboardEvent};

use super::choice::choice_menu;
use super::composer::INPUT_ID;
use super::icons;
use crate::browser::{document, focus, on_window};
use crate::page::Page;
use crate::{answer, assistants, models, place};

/// Of the home view: more are one click away.
const SHOWN_MAX: usize = 6;
const GALLERY: &str = "#/assistants";

fn here(page: Page) -> Standing {
    assistants::standing(page, page.open.get())
}

/// In the head of the conversation.
pub fn assistant_head(page: Page) -> impl IntoView {
    let standing = Memo::new(move |_| here(page));
    move || match standing.get() {
        Standing::Here { assistant, .. } => {
            let label = move || format!("{}: ", Text::Assistant.get(page.lang.get()));
            Some(view! {
                <a class="assistant-chip" href=format!("{GALLERY}/{}", assistant.id) dir="auto">
                    {mark(&assistant)} <span class="visually-hidden">{label}</span>
                    <span class="assistant-name">{assistant.definition.name}</span>
                </a>
            })
        }
        Standing::None | Standing::Gone(_) | Standing::Unknown(_) => None,
    }
}

/// What stands for it where there is little room.
pub fn mark(assistant: &Assistant) -> impl IntoView + use<> {
    view! { <span class="assistant-mark" aria-hidden="true">{assistant.definition.mark()}</span> }
}

/// What became of it, and which model answers in the place of its own.
pub fn assistant_notes(page: Page) -> impl IntoView {
    let standing = Memo::new(move |_| here(page));
    let model = Memo::new(move |_| assistants::model(page, page.open.get()));
    let goes = move |_| assistants::choose(page, page.open.get_untracked(), None);
    let without = move || {
        view! {
            <button type="button" class="button small" on:click=goes>{page.t(Text::AssistantWithout)}</button>
        }
    };
    let note = move || {
        let lang = page.lang.get();
        match standing.get() {
            Standing::None => None,
            Standing::Unknown(one) => {
                let said = Text::AssistantUnknown.fill(lang, &[("name", &one.name)]);
                Some(noted("assistant-unknown", said, ().into_any()))
            }
            Standing::Gone(one) => {
                let said = Text::AssistantGone.fill(lang, &[("name", &one.name)]);
                Some(noted("assistant-gone", said, without().into_any()))
            }
            Standing::Here { assistant, is_news } => {
                let name = assistant.definition.name.as_str();
                match model.get() {
                    Model::Missing(wanted) => {
                        let values = [("name", name), ("model", &page.model_name(&wanted))];
                        let said = Text::AssistantMissing.fill(lang, &values);
                        let buttons = view! { {load(page, wanted)} {without()} };
                        Some(noted("assistant-model-missing", said, buttons.into_any()))
                    }
                    Model::StandsIn(wanted) => {
                        let values = [("name", name), ("model", &page.model_name(&wanted))];
                        let said = Text::AssistantStandsIn.fill(lang, &values);
                        Some(noted("assistant-stands-in", said, load(page, wanted).into_any()))
                    }
                    _ if is_news => {
                        let said = Text::AssistantChanged.fill(lang, &[("name", name)]);
                        let in_use = assistant.in_use();
                        let open = page.open;
                        let understood = move |_| {
                            assistants::choose(page, open.get_untracked(), Some(in_use.clone()));
                        };
                        let button = view! {
                            <button type="button" class="button small" on:click=understood>{page.t(Text::AssistantUnderstood)}</button>
                        };
                        Some(noted("assistant-changed", said, button.into_any()))
                    }
                    _ if assistant.n_withheld > 0 => {
                        let n = assistant.n_withheld.to_string();
                        let said = Text::AssistantWithheld.fill(lang, &[("name", name), ("n", &n)]);
                        Some(noted("assistant-withheld", said, ().into_any()))
                    }
                    _ => None,
                }
            }
        }
    };
    view! { <div role="status">{note}</div> }
}

fn noted(condition: &'static str, said: String, buttons: AnyView) -> impl IntoView {
    view! {
        <div class="banner assistant-note" data-condition=condition>
            <p dir="auto">{said}</p> {buttons}
        </div>
    }
}

/// A button that brings a model to this device, where it can run there and lies not there yet.
fn load(page: Page, model: String) -> impl IntoView {
    move || {
        let wanted = page.model(&model)?;
        let may = page.fit(&wanted).runs() && !assistants::is_here(page, &model);
        let id = model.clone();
        let label =
            move || Text::AssistantLoad.fill(page.lang.get(), &[("model", &page.model_name(&id))]);
        let id = model.clone();
        may.then(|| {
            view! {
                <button type="button" class="button small" on:click=move |_| models::load(&id)>{label}</button>
            }
        })
    }
}

/// `@` where nothing is written yet opens the choice.
pub fn listen() {
    on_window("keydown", move |event| {
        let Ok(event) = event.dyn_into::<KeyboardEvent>() else { return };
        let input = event.target().and_then(|target| target.dyn_into::<HtmlTextAreaElement>().ok());
        let is_empty =
            input.is_some_and(|input| input.id() == INPUT_ID && input.value().is_empty());
        if event.key() != "@" || !is_empty || event.is_composing() {
            return;
        }
        let found = |selector: &str| document()?.query_selector(selector).ok()?;
        let menu = found(".assistants-choice");
        let menu = menu.and_then(|menu| menu.dyn_into::<HtmlDetailsElement>().ok());
        if let Some(menu) = menu {
            event.prevent_default();
            menu.set_open(true);
            let chosen = found(".assistants-choice input:checked");
            if let Some(chosen) = chosen.and_then(|one| one.dyn_into::<HtmlElement>().ok()) {
                chosen.focus().ok();
            }
        }
    });
}

/// Under the composer, where there are any.
pub fn assistant_choice(page: Page) -> impl IntoView {
    let standing = Memo::new(move |_| here(page));
    let id = move || match standing.get() {
        Standing::Here { assistant, .. } => Some(assistant.id),
        _ => None,
    };
    let title = move || match standing.get() {
        Standing::Here { assistant, .. } => {
            view! { <span class="chip" dir="auto">{assistant.definition.name}</span> }.into_any()
        }
        _ => view! { <span class="muted">{page.t(Text::AssistantNone)}</span> }.into_any(),
    };
    let known = move || page.assistants.get().unwrap_or_default();
    let boxes = move || {
        let choose = move |one: Option<&Assistant>| {
            let in_use = one.map(Assistant::in_use);
            assistants::choose(page, page.open.get_untracked(), in_use);
        };
        let none = view! {
            <label>
                <input type="radio" name="assistant" prop:checked=move || id().is_none()
                    on:change=move |_| choose(None)/>
                {page.t(Text::AssistantNone)}
            </label>
        };
        let all = known();
        let each = all.iter().cloned().map(|one| {
            let own = one.id;
            let name = one.definition.name.clone();
            view! {
                <label>
                    <input type="radio" name="assistant" prop:checked=move || id() == Some(own)
                        on:change=move |_| choose(Some(&one))/>
                    <span dir="auto">{name}</span>
                </label>
            }
        });
        let each = each.collect_view();
        view! {
            <div on:keydown=move |event| {
                // Chosen: one goes on writing, and nothing is sent.
                if event.key() == "Enter" {
                    event.prevent_default();
                    focus(INPUT_ID);
                }
            }>{none} {each}</div>
            <a href=GALLERY>{page.t(Text::AssistantsAll)}</a>
        }
        .into_any()
    };
    let menu = move || {
        let (label, hint) = (page.t(Text::Assistant), page.t(Text::AssistantHint));
        choice_menu("assistants-choice", icons::PERSON, label, hint, title, boxes)
    };
    view! { <Show when=move || !known().is_empty()>{menu()}</Show> }
}

/// Before a conversation: the assistants, or the one that was chosen with the questions that it begins with.
pub fn assistants_home(page: Page) -> impl IntoView {
    let standing = Memo::new(move |_| here(page));
    move || match standing.get() {
        Standing::Here { assistant, .. } => Some(chosen(page, *assistant).into_any()),
        _ => {
            let known = page.assistants.get().filter(|known| !known.is_empty());
            known.map(|known| offered(page, &known).into_any())
        }
    }
}

fn chosen(page: Page, assistant: Assistant) -> impl IntoView {
    let sign = mark(&assistant);
    let by = assistant.maker.filter(|_| !assistant.is_own);
    let Assistant { definition, .. } = assistant;
    let by = by.map(|maker| {
        let said = move || Text::AssistantBy.fill(page.lang.get(), &[("name", &maker)]);
        view! { <p class="muted" dir="auto">{said}</p> }
    });
    let questions = definition.questions.into_iter().map(|question| {
        let asked = question.clone();
        view! {
            <li><button type="button" class="button suggestion" dir="auto" on:click=move |_| {
                if let Some(model) = untrack(|| place::answering_model(page)) {
                    answer::send(page, &asked, Vec::new(), model);
                }
            }>{question}</button></li>
        }
    });
    let questions = questions.collect_view();
    view! {
        <section class="assistants-home" aria-label=page.t(Text::Assistant) data-assistant="chosen">
            <div class="assistant-card">
                {sign}
                <div>
                    <h3 dir="auto">{definition.name}</h3>
                    <p dir="auto">{definition.description}</p>
                    {by}
                </div>
            </div>
            <ul class="suggestions" aria-label=page.t(Text::Suggestions)>{questions}</ul>
            <button type="button" class="button quiet small"
                on:click=move |_| assistants::choose(page, page.open.get_untracked(), None)>{page.t(Text::AssistantWithout)}</button>
        </section>
    }
}

fn offered(page: Page, known: &[Assistant]) -> impl IntoView + use<> {
    let each = known.iter().take(SHOWN_MAX).map(|one| {
        let (sign, in_use) = (mark(one), one.in_use());
        let (name, description) =
            (one.definition.name.clone(), one.definition.description.clone());
        view! {
            <li><button type="button" class="button assistant-card" on:click=move |_| {
                assistants::choose(page, page.open.get_untracked(), Some(in_use.clone()));
            }>
                {sign} <span dir="auto"><b>{name}</b> <span class="muted">{description}</span></span>
            </button></li>
        }
    });
    let each = each.collect_view();
    view! {
        <section class="assistants-home" aria-labelledby="assistants-home">
            <h3 id="assistants-home">{page.t(Text::Assistants)}</h3>
            <ul class="assistant-cards">{each}</ul>
            <a href=GALLERY>{page.t(Text::AssistantsAll)}</a>
        </section>
    }
}
