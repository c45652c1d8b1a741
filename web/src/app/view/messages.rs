//! The messages of the open conversation, or what to do before there are any. Only those about the view are
//! made (`portico_page::window`); the rest is blank space of about its height.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_page::window::{Scrolled, Window};
use uuid::Uuid;
use wasm_bindgen::prelude::*;
use web_sys::{Element, HtmlElement};

use super::icons::{self, icon};
use super::{message, welcome};
use crate::browser::{ResizeWatch, next_frame, on_window};
use crate::page::Page;

/// Nearer than this to the end, new text keeps the end in view.
const NEAR_END_PX: f64 = 96.0;
/// What the height of a message that is not made is taken for: always the same, so that the blank spaces
/// don't breathe.
const MESSAGE_PX: f64 = 200.0;
/// Somebody writes or stands in one of the messages: it must not go.
const AT_WORK: &str = "form.edit, .message:focus-within";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = CSS, js_name = supports)]
    fn css_supports(property: &str, value: &str) -> bool;
}

/// What of the conversation is made, and where it is scrolled.
#[derive(Clone, Copy)]
struct Thread {
    ids: Memo<Vec<Uuid>>,
    window: RwSignal<Window>,
    /// Whether new text keeps the end in view.
    follows: RwSignal<bool>,
    /// Where the view began when it was last scrolled: who goes up wants to read there, while an end that
    /// moved away is followed.
    last_top: StoredValue<f64>,
    scroller: NodeRef<html::Section>,
    made: NodeRef<html::Div>,
}

pub fn messages(page: Page) -> impl IntoView {
    let ids = Memo::new(move |_| {
        page.thread.with(|thread| thread.items.iter().map(|item| item.id).collect::<Vec<Uuid>>())
    });
    let thread = Thread {
        ids,
        window: RwSignal::new(Window::default()),
        follows: RwSignal::new(true),
        last_top: StoredValue::new(0.0),
        scroller: NodeRef::new(),
        made: NodeRef::new(),
    };
    thread.follow_what_comes(page);
    thread.print_all();
    let column = NodeRef::<html::Div>::new();
    // A turned phone, its keyboard, and messages whose real height comes late move the end too.
    let sizes = StoredValue::new_local(None);
    Effect::new(move |_| {
        if let (Some(scroller), Some(column)) = (thread.scroller.get(), column.get()) {
            let watch = ResizeWatch::new(&[&scroller, &column], move || {
                next_frame(move || thread.settle());
            });
            sizes.set_value(watch.ok());
        }
    });
    let is_empty = Memo::new(move |_| ids.with(Vec::is_empty));
    let visible = Memo::new(move |_| {
        let Window { from, to } = thread.window.get();
        ids.with(|ids| ids.get(from..to.min(ids.len())).unwrap_or_default().to_vec())
    });
    let before_px = move || thread.window.get().from as f64 * MESSAGE_PX;
    let after_px = move || {
        let n_after = ids.with(Vec::len).saturating_sub(thread.window.get().to);
        n_after as f64 * MESSAGE_PX
    };
    view! {
        <section class="messages" node_ref=thread.scroller tabindex="0" aria-label=page.t(Text::Conversation)
            on:scroll=move |_| thread.scrolled()>
            <div class="column" node_ref=column>
                {move || {
                    if is_empty.get() {
                        if page.log_ready.get() {
                            welcome::welcome(page).into_any()
                        } else {
                            view! { <div class="skeleton" aria-hidden="true"><i></i><i></i><i></i></div> }.into_any()
                        }
                    } else {
                        ().into_any()
                    }
                }}
                <div class="not-made" aria-hidden="true" hidden=move || before_px() == 0.0
                    style:height=move || format!("{:.0}px", before_px())></div>
                <div class="made" node_ref=thread.made hidden=move || is_empty.get()>
                    <For each=move || visible.get() key=|id| *id let:id>
                        {message::message(page, id).into_any()}
                    </For>
                </div>
                <div class="not-made" aria-hidden="true" hidden=move || after_px() == 0.0
                    style:height=move || format!("{:.0}px", after_px())></div>
            </div>
        </section>
        <div class="to-end-place">
            <Show when=move || !thread.follows.get() && !is_empty.get()>
                <button type="button" class="icon-button to-end" aria-label=page.t(Text::ToNewest)
                    title=page.t(Text::ToNewest) on:click=move |_| {
                        thread.follows.set(true);
                        thread.to_end();
                    }>{icon(icons::DOWN)}</button>
            </Show>
        </div>
    }
}

impl Thread {
    /// The window goes with the conversation, and the view with its end where that is wanted.
    fn follow_what_comes(self, page: Page) {
        Effect::new(move |before: Option<(Option<Uuid>, usize)>| {
            let (open, n_messages) = (page.open.get(), self.ids.with(Vec::len));
            match before {
                Some((same, n_before)) if same == open => {
                    // What was just sent is always shown.
                    if n_messages > n_before {
                        self.follows.set(true);
                    }
                    let follows = self.follows.get_untracked();
                    self.window.update(|window| {
                        *window = window.fitted(n_before, n_messages, follows);
                    });
                }
                _ => {
                    self.follows.set(true);
                    self.window.set(Window::at_end(n_messages));
                }
            }
            if self.follows.get_untracked() {
                self.to_end();
            }
            (open, n_messages)
        });
        Effect::new(move |_| {
            // Each frame in which the answer has grown.
            if let Some(message) = page.live_here() {
                page.live.with(|live| {
                    if let Some(info) = live.get(&message) {
                        info.tick.track();
                    }
                });
            }
            if self.follows.get_untracked() {
                self.to_end();
            }
        });
    }

    /// What is printed is all of it; the conversation is mounted as long as the page.
    fn print_all(self) {
        on_window("beforeprint", move |_| {
            self.window.set(Window { from: 0, to: self.n_messages() });
        });
        on_window("afterprint", move |_| self.to_end_anew());
    }

    fn to_end_anew(self) {
        self.window.set(Window::at_end(self.n_messages()));
        self.to_end();
    }

    fn n_messages(self) -> usize {
        self.ids.with_untracked(Vec::len)
    }

    fn to_end(self) {
        let n_messages = self.n_messages();
        let window = self.window.get_untracked();
        if window.to < n_messages {
            self.window.set(Window::at_end(n_messages));
        }
        next_frame(move || {
            if let Some(scroller) = self.scroller.get_untracked() {
                scroller.set_scroll_top(scroller.scroll_height());
            }
        });
    }

    fn scrolled(self) {
        let Some(at) = self.measured() else { return };
        let has_end = self.window.get_untracked().to >= self.n_messages();
        let is_near = has_end && at.made_bottom - at.view_bottom < NEAR_END_PX;
        let goes_up = at.view_top < self.last_top.get_value();
        self.last_top.set_value(at.view_top);
        if self.follows.get_untracked() != is_near && (is_near || goes_up) {
            self.follows.set(is_near);
        }
        self.make_what_is_near(at);
    }

    /// After heights have changed.
    fn settle(self) {
        if self.follows.get_untracked() {
            self.to_end();
        }
        if let Some(at) = self.measured() {
            self.make_what_is_near(at);
        }
    }

    /// None while nothing is made, or the page shows something else.
    fn measured(self) -> Option<Scrolled> {
        let scroller = self.scroller.try_get_untracked()??;
        let made = self.made.try_get_untracked()??.get_bounding_client_rect();
        let view = scroller.get_bounding_client_rect();
        let is_there = made.height() > 0.0 && view.height() > 0.0;
        is_there.then(|| Scrolled {
            view_top: f64::from(scroller.scroll_top()),
            view_bottom: f64::from(scroller.scroll_top()) + view.height(),
            made_top: made.top() - view.top() + f64::from(scroller.scroll_top()),
            made_bottom: made.bottom() - view.top() + f64::from(scroller.scroll_top()),
        })
    }

    fn make_what_is_near(self, at: Scrolled) {
        let (Some(scroller), Some(made)) =
            (self.scroller.get_untracked(), self.made.get_untracked())
        else {
            return;
        };
        let window = self.window.get_untracked();
        let keeps = made.query_selector(AT_WORK).ok().flatten().is_some();
        let moved = window.moved(self.n_messages(), at, MESSAGE_PX, keeps);
        if moved != window {
            let stays =
                (!css_supports("overflow-anchor", "auto")).then(|| first_in_view(&made, &scroller));
            self.window.set(moved);
            if let Some((element, offset_px)) = stays.flatten() {
                next_frame(move || {
                    let by_px = element.offset_top() - offset_px;
                    scroller.set_scroll_top(scroller.scroll_top() + by_px);
                });
            }
        }
    }
}

/// For browsers that do not hold the view still themselves: what is to stay in its place, and its place.
fn first_in_view(made: &Element, scroller: &Element) -> Option<(HtmlElement, i32)> {
    let top = scroller.get_bounding_client_rect().top();
    let children = made.children();
    (0..children.length())
        .filter_map(|i| children.item(i)?.dyn_into::<HtmlElement>().ok())
        .find(|child| child.get_bounding_client_rect().bottom() > top)
        .map(|child| (child.clone(), child.offset_top()))
}
