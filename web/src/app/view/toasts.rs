//! Short messages at the page's foot, some with an answer to give.

use leptos::prelude::*;
use portico_page::i18n::Text;

use super::icons::{self, icon};
use crate::page::Page;

pub fn toasts(page: Page) -> impl IntoView {
    view! {
        <div class="toasts" role="status">
            <For each=move || page.toasts.get() key=|toast| toast.id let:toast>
                <div class="toast">
                    <span>{toast.text.clone()}</span>
                    {toast.action.map(|(label, action)| view! {
                        <button type="button" class="button on-dark" on:click=move |_| {
                            page.drop_toast(toast.id);
                            action();
                        }>{page.t(label)}</button>
                    })}
                    <button type="button" class="icon-button on-dark" aria-label=page.t(Text::Dismiss)
                        on:click=move |_| page.drop_toast(toast.id)>{icon(icons::CLOSE)}</button>
                </div>
            </For>
        </div>
    }
}
