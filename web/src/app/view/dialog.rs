//! A modal dialog: the browser's own, which keeps the focus inside and gives it back.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n::Text;

use super::icons::{self, icon};
use crate::page::Page;

/// A dialog with a heading and a button to close it; gone from the page when closed.
pub fn dialog(
    page: Page,
    id: &'static str,
    heading: Text,
    content: impl IntoView + 'static,
) -> impl IntoView {
    let node = NodeRef::<html::Dialog>::new();
    Effect::new(move |_| {
        if let Some(dialog) = node.get()
            && !dialog.open()
        {
            // Fails only for a dialog that is open already.
            dialog.show_modal().ok();
        }
    });
    let close = move || {
        if let Some(dialog) = node.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <dialog class="dialog" id=id node_ref=node aria-labelledby=format!("{id}-heading")
            on:close=move |_| page.dialog.set(None)
            on:click=move |event| {
                // Outside of the panel the dialog itself is hit.
                let on_backdrop = event.target() == event.current_target();
                if on_backdrop {
                    close();
                }
            }>
            <div class="dialog-panel">
                <header class="dialog-head">
                    <h2 id=format!("{id}-heading")>{page.t(heading)}</h2>
                    <button type="button" class="icon-button" aria-label=page.t(Text::Close)
                        title=page.t(Text::Close) on:click=move |_| close()>
                        {icon(icons::CLOSE)}
                    </button>
                </header>
                <div class="dialog-body">{content}</div>
            </div>
        </dialog>
    }
}
