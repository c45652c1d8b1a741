//! Where a message is written. What stands in it is kept for each conversation, also when the tab
//! is closed.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::{self, Text};
use portico_page::route::Route;
use wasm_bindgen::JsCast;
use web_sys::HtmlTextAreaElement;

use super::attachments::{attach_button, attached};
use super::icons::{self, icon};
use super::place::place_line;
use super::prompts;
use crate::browser::{by_id, next_frame};
use crate::page::Page;
use crate::{answer, attach, place, prefs};

pub const INPUT_ID: &str = "composer-input";

/// Tallest composer, in CSS pixels; more text scrolls.
const MAX_HEIGHT_PX: i32 = 240;

pub fn composer(page: Page) -> impl IntoView {
    let node = NodeRef::<html::Textarea>::new();
    let text = RwSignal::new(prefs::draft(page.open.get_untracked()));
    Effect::new(move |before: Option<Option<uuid::Uuid>>| {
        let open = page.open.get();
        if before.is_some_and(|before| before != open) {
            text.set(prefs::draft(open));
        }
        open
    });
    let model = Memo::new(move |_| place::answering_model(page));
    let route = Memo::new(move |_| {
        let model = model.get()?;
        let route = place::route_here(page, &model);
        Some((model, route))
    });
    Effect::new(move |_| {
        let value = text.get();
        // The hint inside may take another number of lines.
        model.track();
        page.lang.track();
        if let Some(input) = node.get() {
            if input.value() != value {
                input.set_value(&value);
            }
            next_frame(move || fit_height(&input));
        }
    });
    let caution = move || {
        let lang = page.lang.get();
        let model = model.get().and_then(|id| page.model(&id));
        match model.filter(|model| !model.model.speaks(i18n::code(lang))) {
            Some(model) => {
                let languages = model.model.languages.iter().take(3);
                let names: Vec<String> =
                    languages.map(|code| i18n::language_name(lang, code)).collect();
                let names = names.join(", ");
                let filled = [("model", model.model.name.as_str()), ("languages", names.as_str())];
                Text::ForeignLanguage.fill(lang, &filled)
            }
            None => Text::AnswersCanBeWrong.get(lang).to_owned(),
        }
    };
    let live = Memo::new(move |_| page.live_here());
    let can_send = move || {
        text.with(|text| !text.trim().is_empty())
            && route.with(|route| {
                matches!(route, Some((_, Route::Device { .. } | Route::Server { .. })))
            })
            && live.get().is_none()
            && attach::is_ready(page, page.open.get())
            && page.log_ready.get()
    };
    let send = move || {
        let Some(model) = model.get_untracked() else { return };
        if !untrack(can_send) {
            return;
        }
        let written = text.get_untracked();
        prefs::set_draft(page.open.get_untracked(), "");
        text.set(String::new());
        let attachments = attach::take_ready(page, page.open.get_untracked());
        answer::send(page, written.trim(), attachments, model);
    };
    let placeholder = move || {
        let is_chosen = model.with(Option::is_some);
        let key =
            if is_chosen { Text::MessagePlaceholder } else { Text::MessagePlaceholderNoModel };
        key.get(page.lang.get())
    };
    let holder = NodeRef::<html::Div>::new();
    let prompts = prompts::Offer::new(page, holder, node);
    view! {
        <div class="composer-place">
            <div class="prompts" node_ref=holder></div>
            <form class="composer" on:submit=move |event| {
                event.prevent_default();
                send();
            }>
                {attached(page).into_any()}
                <div class="composer-box">
                    {attach_button(page).into_any()}
                    <label class="visually-hidden" for=INPUT_ID>{page.t(Text::MessageLabel)}</label>
                    <textarea id=INPUT_ID node_ref=node rows="1" placeholder=placeholder
                        aria-describedby="composer-hint" autocomplete="off"
                        on:input:target=move |event| {
                            let value = event.target().value();
                            prefs::set_draft(page.open.get_untracked(), &value);
                            if value.starts_with('/') {
                                prompts.load();
                            }
                            text.set(value);
                        }
                        on:paste=move |event| {
                            let files = attach::files_of(&attach::transfer_of(&event));
                            if !files.is_empty() {
                                event.prevent_default();
                                attach::add(page, files);
                            }
                        }
                        on:keydown=move |event| {
                            // 229: an input method is composing, in browsers that do not say so.
                            let composing = event.is_composing() || event.key_code() == 229;
                            if event.key() == "Enter" && !event.shift_key() && !composing {
                                event.prevent_default();
                                send();
                            }
                        }></textarea>
                    {move || match live.get() {
                        Some(message) => view! {
                            <button type="button" class="send stop" aria-label=page.t(Text::Stop)
                                title=page.t(Text::Stop) on:click=move |_| answer::stop(page, message)>
                                {icon(icons::STOP)}
                            </button>
                        }.into_any(),
                        None => view! {
                            <button type="submit" class="send" aria-label=page.t(Text::Send)
                                title=page.t(Text::Send) disabled=move || !can_send()>
                                {icon(icons::SEND)}
                            </button>
                        }.into_any(),
                    }}
                </div>
                {place_line(page, route)}
                <p class="composer-foot">
                    <span id="composer-hint" class="only-wide">{page.t(Text::ComposerHint)} " "</span>
                    <span>{caution}</span>
                </p>
            </form>
        </div>
    }
}

/// Puts a text into the box, as if it had been typed, and leads there.
pub fn write(text: &str) {
    let input = by_id(INPUT_ID).and_then(|input| input.dyn_into::<HtmlTextAreaElement>().ok());
    if let (Some(input), Ok(event)) = (input, web_sys::Event::new("input")) {
        input.set_value(text);
        event.init_event_with_bubbles("input", true);
        input.dispatch_event(&event).ok();
        input.focus().ok();
    }
}

/// As tall as its text, up to a limit.
fn fit_height(input: &HtmlTextAreaElement) {
    let style = web_sys::HtmlElement::style(input);
    // Setting a style by hand fails only for names that are none.
    style.set_property("height", "auto").ok();
    let height = input.scroll_height().min(MAX_HEIGHT_PX);
    style.set_property("height", &format!("{height}px")).ok();
}
