//! A choice of several things, folded under its summary, such as documents or tools.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast;

use super::icons::icon;

/// Closes by Escape, and when the focus goes elsewhere.
pub fn choice_menu(
    class: &'static str,
    sign: &'static str,
    label: impl Fn() -> &'static str + Copy + Send + Sync + 'static,
    hint: impl Fn() -> &'static str + Copy + Send + Sync + 'static,
    titles: impl Fn() -> AnyView + Send + 'static,
    boxes: impl Fn() -> AnyView + Send + 'static,
) -> AnyView {
    let node = NodeRef::<html::Details>::new();
    let close = move |focuses: bool| {
        if let Some(details) = node.get_untracked().filter(|details| details.open()) {
            details.set_open(false);
            if let Some(summary) = details.first_element_child().filter(|_| focuses) {
                summary.unchecked_into::<web_sys::HtmlElement>().focus().ok();
            }
        }
    };
    view! {
        <details class=format!("choice-menu {class}") node_ref=node
            on:keydown=move |event| if event.key() == "Escape" { close(true) }
            on:focusout=move |event: web_sys::FocusEvent| {
                let to = event.related_target().and_then(|to| to.dyn_into::<web_sys::Node>().ok());
                let stays = node.get_untracked().is_some_and(|node| node.contains(to.as_ref()));
                if to.is_some() && !stays {
                    close(false);
                }
            }>
            <summary>{icon(sign)} {label} ": " {titles}</summary>
            <fieldset>
                <legend>{hint}</legend>
                {boxes}
            </fieldset>
        </details>
    }
    .into_any()
}
