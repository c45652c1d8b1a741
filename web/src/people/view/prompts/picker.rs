//! A `/` at the beginning of a conversation's box lists the prompts; what one asks for is asked before its
//! text goes into the box.
//!
//! The box stays a textbox and keeps the focus: it names the list and the row that stands out
//! (`aria-controls`, `aria-activedescendant`). Its events are heard before the box's own, so that Enter
//! takes a prompt and sends nothing.

use leptos::ev;
use leptos::html;
use leptos::prelude::*;
use portico_people::prompt::{self, Prompt, Variable};
use portico_people::texts::Text;
use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

use super::{asked_for, of_whom};
use crate::state::{Asked, People};

const LIST_ID: &str = "prompt-list";
/// Where they are kept for work without the server.
const KEPT: &str = "portico.prompts";
/// A browser gives a page a few MB for all that it keeps so.
const KEPT_BYTES_MAX: usize = 1 << 20;

/// As the device keeps them: nobody else's.
#[derive(Serialize, Deserialize)]
struct Kept {
    person: Option<String>,
    prompts: Vec<Prompt>,
}

#[derive(Clone, Copy)]
struct Picker {
    people: People,
    input: StoredValue<HtmlTextAreaElement, LocalStorage>,
    known: RwSignal<Vec<Prompt>>,
    /// What is looked for; none: no list is shown.
    query: RwSignal<Option<String>>,
    /// It was closed by hand, and stays so until the box begins anew.
    is_closed: StoredValue<bool>,
    active: RwSignal<usize>,
    /// The prompt that asks before its text goes into the box.
    asking: RwSignal<Option<Prompt>>,
}

pub fn picker(people: People, input: HtmlTextAreaElement) -> impl IntoView {
    let picker = Picker {
        people,
        input: StoredValue::new_local(input.clone()),
        known: RwSignal::new(kept().map(|kept| kept.prompts).unwrap_or_default()),
        query: RwSignal::new(None),
        is_closed: StoredValue::new(false),
        active: RwSignal::new(0),
        asking: RwSignal::new(None),
    };
    listen(&input, "input", move |_: web_sys::Event| picker.typed());
    listen(&input, "keydown", move |event: KeyboardEvent| picker.pressed(&event));
    listen(&input, "blur", move |_: web_sys::Event| picker.query.set(None));
    // Another person has other prompts; nobody keeps those of who signed out.
    Effect::new(move |before: Option<Option<Option<String>>>| {
        let before = before.flatten();
        let Asked::Loaded(session) = people.session.get() else { return before };
        let person = session.person.map(|person| person.id);
        let is_kept_for_another = kept().is_some_and(|kept| kept.person != person);
        if is_kept_for_another || before.is_some_and(|before| before != person) {
            keep(None);
            picker.known.set(Vec::new());
            if picker.query.with_untracked(Option::is_some) {
                picker.ask();
            }
        }
        Some(person)
    });
    let found = Memo::new(move |_| {
        let query = picker.query.get()?;
        let found = picker
            .known
            .with(|all| prompt::found(all, &query).into_iter().cloned().collect::<Vec<_>>());
        Some(found)
    });
    Effect::new(move |_| {
        let n_found = found.with(|found| found.as_ref().map_or(0, Vec::len));
        picker.input.with_value(|input| tell(input, n_found, picker.active.get()));
    });
    // The box may have begun with it before this came.
    picker.typed();
    let status = move || {
        let lang = people.lang.get();
        found.with(|found| match found.as_ref().map(Vec::len) {
            None => String::new(),
            Some(0) if picker.known.with(Vec::is_empty) => {
                Text::NoPromptsPicker.get(lang).to_owned()
            }
            Some(0) => Text::PromptsNotFound.get(lang).to_owned(),
            Some(n) => Text::PromptsFound.fill(lang, &[("n", &n.to_string())]),
        })
    };
    view! {
        <Show when=move || found.with(Option::is_some)>
            <div class="picker" data-prompts="list"
                // The box keeps the focus.
                on:mousedown=move |event| event.prevent_default()>
                <ul role="listbox" id=LIST_ID aria-label=people.t(Text::Prompts)
                    hidden=move || found.with(|found| found.as_ref().is_none_or(Vec::is_empty))>
                    {move || found.get().unwrap_or_default().into_iter().enumerate().map(|(n, prompt)| {
                        option(picker, n, prompt)
                    }).collect_view()}
                </ul>
                <p class="picker-foot">
                    <span>{status}</span>
                    {move || foot(people)}
                </p>
            </div>
        </Show>
        {move || picker.asking.get().map(|prompt| form(picker, prompt).into_any())}
        <div class="visually-hidden" aria-live="polite">{status}</div>
    }
}

/// Where prompts are written, or what that needs.
fn foot(people: People) -> impl IntoView {
    let is_known = people.session.with(|session| matches!(session, Asked::Loaded(_)));
    let (href, text) = match people.person() {
        Some(_) => ("#/prompts", Text::PromptsManage),
        None => ("#/sign-in", Text::PromptsSignIn),
    };
    is_known.then(|| view! { <a href=href>{people.t(text)}</a> })
}

fn option(picker: Picker, n: usize, prompt: Prompt) -> impl IntoView {
    let Prompt { title, description, group, .. } = prompt.clone();
    let is_active = Memo::new(move |_| picker.active.get() == n);
    let node = NodeRef::<html::Li>::new();
    Effect::new(move |_| {
        if let Some(node) = node.get().filter(|_| is_active.get()) {
            let nearest = web_sys::ScrollIntoViewOptions::new();
            js_sys::Reflect::set(&nearest, &"block".into(), &"nearest".into()).ok();
            node.scroll_into_view_with_scroll_into_view_options(&nearest);
        }
    });
    let whose = move || of_whom(picker.people, group.as_deref());
    view! {
        <li role="option" id=option_id(n) node_ref=node aria-selected=move || is_active.get().to_string()
            on:mousemove=move |_| picker.active.set(n)
            on:click=move |_| picker.take(&prompt)>
            <span class="picker-title" dir="auto">{title}</span>
            <span class="badge" dir="auto">{whose}</span>
            <span class="picker-line" dir="auto">{description}</span>
        </li>
    }
}

fn option_id(n: usize) -> String {
    format!("prompt-{n}")
}

impl Picker {
    fn typed(self) {
        let written = self.input.with_value(HtmlTextAreaElement::value);
        let Some(query) = prompt::query_of(&written) else {
            self.is_closed.set_value(false);
            self.query.set(None);
            return;
        };
        if self.is_closed.get_value() {
            return;
        }
        self.active.set(0);
        if self.query.with_untracked(Option::is_none) {
            self.ask();
        }
        self.query.set(Some(query.to_owned()));
    }

    /// What is known stays where the server cannot be asked.
    fn ask(self) {
        spawn_local(async move {
            let Ok(prompts) = asked_for(false).await else { return };
            // Whose they are must be known, so that nobody else finds them here.
            let person = self.people.session.with_untracked(|session| match session {
                Asked::Loaded(session) => Some(session.person.clone().map(|person| person.id)),
                _ => None,
            });
            if let Some(person) = person {
                keep(Some(&Kept { person, prompts: prompts.clone() }));
            }
            if self.known.with_untracked(|known| *known != prompts) {
                self.known.set(prompts);
            }
        });
    }

    fn pressed(self, event: &KeyboardEvent) {
        let Some(query) = self.query.get_untracked() else { return };
        let found = self.known.with_untracked(|all| {
            prompt::found(all, &query).into_iter().cloned().collect::<Vec<_>>()
        });
        let (n, active) = (found.len(), self.active.get_untracked());
        let composing = event.is_composing() || event.key_code() == 229;
        match event.key().as_str() {
            "Escape" => {
                self.is_closed.set_value(true);
                self.query.set(None);
            }
            _ if n == 0 || composing => return,
            "ArrowDown" => self.active.set((active + 1) % n),
            "ArrowUp" => self.active.set((active + n - 1) % n),
            "Enter" if !event.shift_key() => {
                if let Some(prompt) = found.get(active.min(n - 1)) {
                    self.take(prompt);
                }
            }
            _ => return,
        }
        event.prevent_default();
        event.stop_immediate_propagation();
    }

    fn take(self, prompt: &Prompt) {
        self.query.set(None);
        match prompt::variables(&prompt.text).is_empty() {
            true => self.write(&prompt.text),
            false => self.asking.set(Some(prompt.clone())),
        }
    }

    /// Puts a text into the box, as if it had been typed.
    fn write(self, text: &str) {
        self.asking.set(None);
        // A text that begins with a slash is no question for another prompt.
        self.is_closed.set_value(true);
        self.input.with_value(|input| {
            input.set_value(text);
            if let Ok(event) = web_sys::Event::new("input") {
                event.init_event_with_bubbles("input", true);
                input.dispatch_event(&event).ok();
            }
        });
        self.back();
    }

    /// To the end of what stands in the box.
    fn back(self) {
        self.input.with_value(|input| {
            input.focus().ok();
            let end = input.value().encode_utf16().count() as u32;
            input.set_selection_range(end, end).ok();
        });
    }
}

/// What the prompt asks for; then its text goes into the box.
fn form(picker: Picker, prompt: Prompt) -> impl IntoView {
    let people = picker.people;
    let variables = prompt::variables(&prompt.text);
    let values: Vec<(String, RwSignal<String>)> = variables
        .iter()
        .map(|variable| (variable.name.clone(), RwSignal::new(variable.default.clone())))
        .collect();
    let fields = variables
        .into_iter()
        .zip(&values)
        .enumerate()
        .map(|(n, (variable, (_, value)))| asked(variable, *value, n == 0).into_any());
    let fields = fields.collect_view();
    let Prompt { title, text, .. } = prompt;
    let label = title.clone();
    view! {
        <form class="picker picker-form" data-prompts="form" aria-label=label
            on:submit=move |event: ev::SubmitEvent| {
                event.prevent_default();
                let values: Vec<(String, String)> =
                    values.iter().map(|(name, value)| (name.clone(), value.get_untracked())).collect();
                picker.write(&prompt::filled(&text, &values));
            }
            on:keydown=move |event| {
                if event.key() == "Escape" {
                    event.stop_propagation();
                    picker.asking.set(None);
                    picker.is_closed.set_value(true);
                    picker.back();
                }
            }>
            <h2 dir="auto">{title}</h2>
            {fields}
            <div class="row">
                <button type="submit" class="button primary">{people.t(Text::PromptInsert)}</button>
                <button type="button" class="button quiet" on:click=move |_| {
                    picker.asking.set(None);
                    picker.back();
                }>{people.t(Text::Cancel)}</button>
            </div>
        </form>
    }
}

fn asked(variable: Variable, value: RwSignal<String>, is_first: bool) -> impl IntoView {
    let Variable { name, choices, .. } = variable;
    let (select, input) = (NodeRef::<html::Select>::new(), NodeRef::<html::Input>::new());
    Effect::new(move |_| {
        if !is_first {
            return;
        }
        if let Some(select) = select.get() {
            select.focus().ok();
        }
        if let Some(input) = input.get() {
            input.focus().ok();
            input.select();
        }
    });
    let control = match choices.is_empty() {
        true => view! {
            <input type="text" autocomplete="off" dir="auto" node_ref=input prop:value=move || value.get()
                on:input:target=move |event| value.set(event.target().value())/>
        }
        .into_any(),
        false => {
            let options = choices.into_iter().map(|choice| {
                let shown = choice.clone();
                view! { <option value=choice>{shown}</option> }
            });
            view! {
                <select node_ref=select on:change:target=move |event| value.set(event.target().value())>
                    {options.collect_view()}
                </select>
            }
            .into_any()
        }
    };
    view! { <label class="people-field"><span dir="auto">{name}</span>{control}</label> }
}

/// Says to assistive technology what stands out in the list.
fn tell(input: &HtmlTextAreaElement, n_found: usize, active: usize) {
    // A name that an attribute cannot have is not among these.
    input.set_attribute("aria-autocomplete", "list").ok();
    input.set_attribute("aria-haspopup", "listbox").ok();
    match n_found {
        0 => {
            input.remove_attribute("aria-controls").ok();
            input.remove_attribute("aria-activedescendant").ok();
        }
        n => {
            input.set_attribute("aria-controls", LIST_ID).ok();
            input.set_attribute("aria-activedescendant", &option_id(active.min(n - 1))).ok();
        }
    }
}

/// Before the box's own listeners.
fn listen<E: JsCast + wasm_bindgen::convert::FromWasmAbi + 'static>(
    input: &HtmlTextAreaElement,
    event: &str,
    then: impl Fn(E) + 'static,
) {
    let then = Closure::<dyn Fn(E)>::new(then);
    let function = then.as_ref().unchecked_ref();
    input.add_event_listener_with_callback_and_bool(event, function, true).ok();
    // The box lives as long as the page.
    then.forget();
}

fn storage() -> Option<web_sys::Storage> {
    web_sys::window()?.local_storage().ok()?
}

fn kept() -> Option<Kept> {
    serde_json::from_str(&storage()?.get_item(KEPT).ok()??).ok()
}

/// None: they are forgotten.
fn keep(kept: Option<&Kept>) {
    let Some(storage) = storage() else { return };
    let json = kept.and_then(|kept| serde_json::to_string(kept).ok());
    // A refusal costs only the list without the server.
    match json.filter(|json| json.len() <= KEPT_BYTES_MAX) {
        Some(json) => storage.set_item(KEPT, &json).ok(),
        None => storage.remove_item(KEPT).ok(),
    };
}
