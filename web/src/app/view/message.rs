//! A message: what was said, by whom, where it ran, and what can be done with it.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use portico_page::cite::marked;
use portico_page::format;
use portico_page::i18n::{Lang, Text};
use portico_page::route::moved_text;
use portico_shared::error::ErrorCode;
use portico_shared::openai::{Place, PorticoInfo, Role, Usage};
use portico_shared::sync::MessageState;
use portico_web::markdown_dom::MarkdownDom;
use portico_web::server_call;
use uuid::Uuid;
use wasm_bindgen::JsCast;

use super::icons::{self, icon};
use super::{attachments, copy, progress, sources, steps};
use crate::answer::LiveInfo;
use crate::log::{self, Item};
use crate::page::{Dialog, Page};
use crate::{answer, place, sync};

/// A message of the active branch.
#[derive(Clone, Copy)]
pub(super) struct Context {
    pub page: Page,
    id: Uuid,
    /// As the log has it; the last one known while the message is being removed.
    item: Memo<Option<Arc<Item>>>,
}

impl Context {
    pub fn with<T: Default>(self, read: impl FnOnce(&Item) -> T) -> T {
        self.item.with(|item| item.as_ref().map(|item| read(item)).unwrap_or_default())
    }

    fn untracked(self) -> Option<Arc<Item>> {
        self.item.get_untracked()
    }

    pub fn id(self) -> Uuid {
        self.id
    }

    pub fn is_live(self) -> bool {
        self.page.live.with(|live| live.contains_key(&self.id))
    }

    /// `loading`, `streaming`, `calling`, `done`, `stopped` or `error`.
    fn state(self) -> &'static str {
        let is_calling =
            |live: &BTreeMap<Uuid, LiveInfo>| live.get(&self.id).is_some_and(|info| info.calling);
        if self.page.live.with(is_calling) {
            return "calling";
        }
        let live = self.page.live.with(|live| live.get(&self.id).map(|info| info.streaming));
        let is_elsewhere = self.page.elsewhere.with(|ids| ids.contains(&self.id))
            || log::is_remote(self.page, self.id);
        match (live, self.with(|item| Some(item.content.state))) {
            (Some(false), _) => "loading",
            (Some(true), _) => "streaming",
            (None, Some(MessageState::Draft)) if is_elsewhere => "streaming",
            // Its tab was closed: nobody writes it any more.
            (None, Some(MessageState::Draft | MessageState::Stopped)) => "stopped",
            (None, Some(MessageState::Error)) => "error",
            (None, Some(MessageState::Done) | None) => "done",
        }
    }
}

pub fn message(page: Page, id: Uuid) -> impl IntoView {
    let item = Memo::new(move |_| page.thread.with(|thread| thread.get(id).cloned()));
    let context = Context { page, id, item };
    let is_user = context.untracked().is_some_and(|item| item.role == Role::User);
    if is_user { user_message(context).into_any() } else { assistant_message(context).into_any() }
}

fn user_message(context: Context) -> impl IntoView {
    let Context { page, .. } = context;
    let editing = RwSignal::new(false);
    view! {
        <article class="message user" data-role="user" aria-label=page.t(Text::YouSaid)>
            {move || if editing.get() {
                edit_form(context, editing).into_any()
            } else {
                view! {
                    {move || attachments::sent(page, page.open.get_untracked(), context.with(|item| item.content.attachments.clone())).into_any()}
                    <div class="bubble">{move || context.with(|item| item.content.text.clone())}</div>
                    <div class="message-foot">
                        {branches(context).into_any()}
                        <span class="message-actions">
                            {copy_button(context).into_any()}
                            <button type="button" class="icon-button small" aria-label=page.t(Text::EditMessage)
                                title=page.t(Text::Edit) on:click=move |_| editing.set(true)>
                                {icon(icons::PENCIL)}
                            </button>
                        </span>
                    </div>
                }.into_any()
            }}
        </article>
    }
}

fn edit_form(context: Context, editing: RwSignal<bool>) -> impl IntoView {
    let page = context.page;
    let node = NodeRef::<html::Textarea>::new();
    let before = context.untracked().map(|item| item.content.text.clone()).unwrap_or_default();
    let rows = before.lines().count().clamp(2, 12).to_string();
    Effect::new(move |_| {
        if let Some(input) = node.get() {
            crate::browser::next_frame(move || {
                input.focus().ok();
            });
        }
    });
    let save = move || {
        let text = node.get_untracked().map(|input| input.value()).unwrap_or_default();
        let text = text.trim();
        let (Some(item), Some(conversation), Some(model)) =
            (context.untracked(), page.open.get_untracked(), answering_model(page))
        else {
            page.dialog.set(Some(Dialog::Models));
            return;
        };
        if !text.is_empty() && !page.is_writing_now() {
            editing.set(false);
            let attachments = item.content.attachments.clone();
            answer::edit(page, conversation, item.parent, text, attachments, model);
        }
    };
    let is_busy = move || page.live_here().is_some();
    view! {
        <form class="edit" on:submit=move |event| {
            event.prevent_default();
            save();
        }>
            <textarea node_ref=node rows=rows aria-label=page.t(Text::EditMessage) prop:value=before
                on:keydown=move |event| match event.key().as_str() {
                    "Escape" => editing.set(false),
                    "Enter" if !event.shift_key() && !event.is_composing() => {
                        event.prevent_default();
                        save();
                    }
                    _ => {}
                }></textarea>
            <div class="row end">
                <button type="button" class="button quiet" on:click=move |_| editing.set(false)>
                    {page.t(Text::Cancel)}
                </button>
                <button type="submit" class="button primary" disabled=is_busy>{page.t(Text::SaveAndSend)}</button>
            </div>
        </form>
    }
}

fn assistant_message(context: Context) -> impl IntoView {
    let Context { page, .. } = context;
    let model = move || {
        let model = context.with(|item| item.content.portico.as_ref().map(|p| p.model.clone()));
        model.unwrap_or_default()
    };
    let place = move || match context
        .with(|item| item.content.portico.as_ref().map(|portico| portico.place))
    {
        Some(Place::Server) => "server",
        _ => "device",
    };
    let state = Memo::new(move |_| context.state());
    let label =
        move || Text::ModelSaid.fill(page.lang.get(), &[("model", &page.model_name(&model()))]);
    let shown = RwSignal::new(None);
    let node = NodeRef::<html::Article>::new();
    view! {
        <article class="message assistant" data-role="assistant" data-place=place node_ref=node
            on:mouseover=move |event| sources::point(shown, event.target(), false)
            on:mouseout=move |_| sources::leave(shown)
            on:focusin=move |event| sources::point(shown, event.target(), false)
            on:focusout=move |_| sources::leave(shown)
            on:click=move |event| sources::point(shown, event.target(), true)
            on:keydown=move |event| if event.key() == "Escape" {
                sources::close(shown, node.get_untracked().map(|node| (*node).clone()));
            }
            data-state=move || state.get() data-model=model aria-label=label
            aria-busy=move || matches!(state.get(), "loading" | "streaming").to_string()>
            <h2 class="visually-hidden">{label}</h2>
            {move || moved(context).into_any()}
            {steps::steps(context).into_any()}
            {move || attachments::sent(page, page.open.get_untracked(), context.with(|item| item.content.attachments.clone())).into_any()}
            {body(context).into_any()}
            {sources::card(context, shown).into_any()}
            {move || matches!(state.get(), "loading").then(|| waiting(context).into_any())}
            {move || (state.get() == "error").then(|| failure(context).into_any())}
            {move || (state.get() == "stopped").then(|| stopped(context).into_any())}
            {move || (state.get() == "done").then(|| cut_short(context).into_any())}
            {sources::sources(context).into_any()}
            {move || (!matches!(state.get(), "loading" | "calling")).then(|| foot(context, state).into_any())}
        </article>
    }
}

/// What stands, and how: in which language, and whether it rests on documents.
type Painted = ((Lang, bool), MarkdownDom);

/// The text, which grows in place while it is written.
fn body(context: Context) -> impl IntoView {
    let Context { page, id, .. } = context;
    let node = NodeRef::<html::Div>::new();
    let painted: Rc<RefCell<Option<Painted>>> = Rc::default();
    let is_grounded = move || {
        context.with(|item| {
            item.content.portico.as_ref().is_some_and(|portico| portico.sources.is_some())
        })
    };
    Effect::new(move |_| {
        let Some(container) = node.get() else { return };
        // Links of an answer that rests on documents may be the documents'.
        let way = (page.lang.get(), answer::is_grounded(id) || is_grounded());
        let mut painted = painted.borrow_mut();
        if painted.as_ref().is_none_or(|(before, _)| *before != way) {
            let container = container.unchecked_into();
            *painted = Some((way, MarkdownDom::new(container, way.0, way.1)));
        }
        let Some((_, dom)) = painted.as_mut() else { return };
        let tick = page.live.with(|live| live.get(&id).map(|info| info.tick));
        match tick {
            Some(tick) => {
                tick.track();
                answer::with_text(id, |text, citations| dom.grow(&marked(text, citations)));
            }
            None => context.item.with(|item| {
                if let Some(item) = item {
                    let portico = item.content.portico.as_ref();
                    let citations = portico.map(|portico| portico.citations.as_slice());
                    dom.show(&marked(&item.content.text, citations.unwrap_or_default()));
                }
            }),
        }
    });
    view! { <div class="answer" node_ref=node></div> }
}

/// That the answer went on in another place, and why.
fn moved(context: Context) -> impl IntoView {
    let page = context.page;
    let code = context.with(|item| item.content.moved.map(|moved| moved.code))?;
    let text = moved_text(code).get(page.lang.get());
    Some(view! { <p class="moved" data-moved=code.as_str()>{icon(icons::SERVER)} " " {text}</p> })
}

/// Before the first word: what is being waited for.
fn waiting(context: Context) -> impl IntoView {
    let page = context.page;
    let model = page
        .live
        .with_untracked(|live| live.get(&context.id).map(|info| info.model.clone()))
        .unwrap_or_default();
    let is_on_server = move || {
        context.with(|item| {
            item.content.portico.as_ref().is_some_and(|portico| portico.place == Place::Server)
        })
    };
    let is_ready = {
        let model = model.clone();
        Memo::new(move |_| is_on_server() || page.is_ready(&model))
    };
    let id = context.id;
    let is_searching =
        Memo::new(move |_| page.live.with(|live| live.get(&id).is_some_and(|info| info.searching)));
    view! {
        <p class="waiting">
            <span class="dots" aria-hidden="true"><i></i><i></i><i></i></span>
            {move || {
                let text = match is_ready.get() {
                    _ if is_searching.get() => Text::SearchingDocuments,
                    true => Text::Waiting,
                    false => Text::WaitingForModel,
                };
                text.get(page.lang.get())
            }}
        </p>
        {move || (!is_on_server()).then(|| progress::progress(page, model.clone()).into_any())}
    }
}

/// The model that answers now.
fn answering_model(page: Page) -> Option<String> {
    untrack(|| place::answering_model(page))
}

/// Asks for another answer in the place of this one.
fn again(context: Context) {
    let page = context.page;
    let (Some(item), Some(conversation)) = (context.untracked(), page.open.get_untracked()) else {
        return;
    };
    match (item.parent, answering_model(page)) {
        (Some(user), Some(model)) if !page.is_writing_now() => {
            answer::ask(page, conversation, user, model);
        }
        (_, None) => page.dialog.set(Some(Dialog::Models)),
        _ => {}
    }
}

/// Goes on where the answer ended, with the model that began it.
fn go_on(context: Context) {
    let page = context.page;
    let (Some(item), Some(conversation)) = (context.untracked(), page.open.get_untracked()) else {
        return;
    };
    let model = item.content.portico.as_ref().map(|portico| portico.model.clone());
    if let Some(model) = model
        && !page.is_writing_now()
    {
        answer::go_on(page, conversation, context.id, model);
    }
}

fn can_go_on(context: Context) -> bool {
    context.with(|item| {
        let is_over = item.content.state == MessageState::Done;
        let has_any = !item.content.text.is_empty() || !item.steps.is_empty();
        !item.content.token_ids.is_empty() || !is_over && has_any
    })
}

fn continue_button(context: Context) -> impl IntoView {
    let page = context.page;
    view! {
        <Show when=move || can_go_on(context)>
            <button type="button" class="button" on:click=move |_| go_on(context)>
                {page.t(Text::Continue)}
            </button>
        </Show>
    }
}

fn failure(context: Context) -> impl IntoView {
    let page = context.page;
    let error = move || context.with(|item| item.content.error.clone());
    let text = move || error().map(|error| error.text(page.lang.get())).unwrap_or_default();
    let code = move || {
        let code = error().map_or(ErrorCode::Internal, |error| error.code);
        Text::ErrorCodeLabel.fill(page.lang.get(), &[("code", code.as_str())])
    };
    let detail = move || error().and_then(|error| error.detail);
    view! {
        <div class="notice error" role="alert">
            <p>{text}</p>
            <details>
                <summary>{page.t(Text::Details)}</summary>
                <p class="muted"><code>{code}</code></p>
                {move || detail().map(|detail| view! { <pre>{detail}</pre> })}
            </details>
            <div class="row">
                {move || error().filter(|error| error.code == ErrorCode::SignInNeeded).map(|_| view! {
                    <a class="button" href="#/sign-in">{page.t(Text::SignIn)}</a>
                })}
                {continue_button(context)}
                <button type="button" class="button" on:click=move |_| again(context)>
                    {icon(icons::REDO)} {page.t(Text::TryAgain)}
                </button>
                <button type="button" class="button quiet" on:click=move |_| page.dialog.set(Some(Dialog::Models))>
                    {page.t(Text::OtherModel)}
                </button>
            </div>
        </div>
    }
}

fn stopped(context: Context) -> impl IntoView {
    let page = context.page;
    let text = move || {
        let lang = page.lang.get();
        if let Some(error) = context.with(|item| item.content.error.clone()) {
            return error.text(lang);
        }
        let was_interrupted = context.with(|item| item.content.state == MessageState::Draft);
        let is_empty = context.with(|item| item.content.text.is_empty());
        let key = match (was_interrupted, is_empty) {
            (true, _) => Text::Interrupted,
            (false, true) => Text::StoppedEmpty,
            (false, false) => Text::StoppedNote,
        };
        key.get(lang).to_owned()
    };
    view! {
        <div class="notice calm">
            <p>{text}</p>
            <div class="row">{continue_button(context)}</div>
        </div>
    }
}

/// What an answer that ended by itself leaves to say: that it is empty or was cut off.
fn cut_short(context: Context) -> impl IntoView {
    let page = context.page;
    let is_empty = move || context.with(|item| item.content.text.trim().is_empty());
    view! {
        <Show when=move || is_empty() || can_go_on(context)>
            <div class="notice calm">
                <p>{move || {
                    let key = if is_empty() { Text::EmptyAnswer } else { Text::LengthReached };
                    key.get(page.lang.get())
                }}</p>
                <div class="row">{continue_button(context)}</div>
            </div>
        </Show>
    }
}

fn foot(context: Context, state: Memo<&'static str>) -> impl IntoView {
    let page = context.page;
    let is_over = move || state.get() != "streaming";
    let is_elsewhere = move || state.get() == "streaming" && !context.is_live();
    view! {
        <div class="message-foot">
            <Show when=is_over>
                {branches(context).into_any()}
                <span class="message-actions">
                    {copy_button(context).into_any()}
                    <button type="button" class="icon-button small" aria-label=page.t(Text::Regenerate)
                        title=page.t(Text::Regenerate) disabled=move || page.live_here().is_some()
                        on:click=move |_| again(context)>{icon(icons::REDO)}</button>
                    <button type="button" class="icon-button small" aria-label=page.t(Text::AnswerWith)
                        title=page.t(Text::AnswerWith) aria-haspopup="dialog"
                        disabled=move || page.live_here().is_some()
                        on:click=move |_| page.dialog.set(Some(Dialog::AnswerWith(context.id)))>{icon(icons::CHIP)}</button>
                    <Show when=move || context.with(|item| item.siblings.len() > 1)>
                        <button type="button" class="icon-button small" aria-label=page.t(Text::CompareVersions)
                            title=page.t(Text::CompareVersions) aria-haspopup="dialog"
                            on:click=move |_| page.dialog.set(Some(Dialog::Versions(context.id)))>{icon(icons::COLUMNS)}</button>
                    </Show>
                </span>
            </Show>
            <Show when=is_elsewhere>
                <span class="muted">{page.t(Text::ElsewhereWriting)}</span>
                {move || {
                    let stream = context.with(|item| item.content.stream.clone());
                    let is_remote = log::is_remote(page, context.id);
                    (is_remote || stream.is_some()).then(|| view! {
                        <button type="button" class="button quiet small" on:click=move |_| {
                            match (&stream, is_remote) {
                                (stream, true) => sync::stop(page, context.id, stream.clone()),
                                (Some(stream), false) => server_call::cancel(stream.clone()),
                                (None, false) => {}
                            }
                        }>{page.t(Text::Stop)}</button>
                    })
                }}
            </Show>
            <p class="stats">{move || {
                let lang = page.lang.get();
                context.with(|item| {
                    // Where nothing was found no model was asked.
                    let was_asked = |portico: &&PorticoInfo| {
                        portico.sources.as_ref().is_none_or(|sources| !sources.is_empty())
                    };
                    let portico = item.content.portico.as_ref().filter(was_asked);
                    let name = portico.map(|portico| page.model_name(&portico.model));
                    stats(lang, portico, name, item.content.usage)
                })
            }}</p>
        </div>
    }
}

/// `On this device · SmolLM2 135M · 86 tokens · 12.3 tokens/s · first token after 340 ms`
fn stats(
    lang: Lang,
    portico: Option<&PorticoInfo>,
    model_name: Option<String>,
    usage: Option<Usage>,
) -> String {
    let Some(portico) = portico else { return String::new() };
    let place = match portico.place {
        Place::Device => Text::PlaceDevice,
        Place::Server => Text::PlaceServer,
    };
    let mut parts = vec![place.get(lang).to_owned()];
    parts.extend(model_name);
    if let Some(usage) = usage {
        parts.push(match usage.completion_tokens {
            1 => Text::TokenOne.get(lang).to_owned(),
            n => Text::TokenMany.fill(lang, &[("n", &format::integer(lang, n))]),
        });
    }
    if let Some(rate) = portico.decode_tokens_per_s {
        let rate = format::token_rate(lang, rate);
        parts.push(Text::TokensPerSecond.fill(lang, &[("rate", &rate)]));
    }
    if let Some(ms) = portico.time_to_first_token_ms {
        let time = format::milliseconds(lang, ms);
        parts.push(Text::FirstToken.fill(lang, &[("time", &time)]));
    }
    parts.join(" · ")
}

fn copy_button(context: Context) -> impl IntoView {
    let page = context.page;
    let copied = RwSignal::new(false);
    view! {
        <button type="button" class="icon-button small" aria-label=page.t(Text::CopyMessage)
            title=page.t(Text::Copy) on:click=move |_| {
                let text = context.untracked().map(|item| item.content.text.clone());
                copy(page, text.unwrap_or_default(), move || {
                    copied.set(true);
                    crate::browser::after_ms(1_600, move || {
                        copied.try_set(false);
                    });
                });
            }>
            {move || icon(if copied.get() { icons::CHECK } else { icons::COPY })}
        </button>
    }
}

/// `‹ 1/2 ›`, where there is more than one version.
fn branches(context: Context) -> impl IntoView {
    let page = context.page;
    let place =
        Memo::new(move |_| context.with(|item| (item.sibling_index(), item.siblings.len())));
    let go = move |forward: bool| {
        let Some(item) = context.untracked() else { return };
        let index = item.sibling_index();
        let next = if forward { index.checked_add(1) } else { index.checked_sub(1) };
        if let Some(&sibling) = next.and_then(|next| item.siblings.get(next)) {
            log::choose_branch(page, sibling);
        }
    };
    let has_versions = move || place.get().1 > 1;
    let is_busy = move || page.live_here().is_some();
    let label = move || {
        let (index, total) = place.get();
        let (n, total) = ((index + 1).to_string(), total.to_string());
        Text::VersionOf.fill(page.lang.get(), &[("n", &n), ("total", &total)])
    };
    view! {
        <Show when=has_versions>
            <span class="branches" role="group" aria-label=label>
                <button type="button" class="icon-button small" aria-label=page.t(Text::PreviousVersion)
                    title=page.t(Text::PreviousVersion)
                    disabled=move || is_busy() || place.get().0 == 0
                    on:click=move |_| go(false)>{icon(icons::LEFT)}</button>
                <span aria-hidden="true">{move || {
                    let (index, total) = place.get();
                    format!("{}/{total}", index + 1)
                }}</span>
                <button type="button" class="icon-button small" aria-label=page.t(Text::NextVersion)
                    title=page.t(Text::NextVersion)
                    disabled=move || { let (i, n) = place.get(); is_busy() || i + 1 >= n }
                    on:click=move |_| go(true)>{icon(icons::RIGHT)}</button>
            </span>
        </Show>
    }
}
