//! A page of a PDF as it looks, with the cited passage marked, by pdf.js.

use std::sync::Arc;

use leptos::html;
use leptos::prelude::*;
use portico_library::texts::Text;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

use super::parts::{LEFT, RIGHT, icon, loading};
use super::source::{self, Source};
use crate::js;
use crate::state::Library;

/// `failed` is set where the page cannot be shown.
pub fn page(library: Library, source: Arc<Source>, failed: RwSignal<bool>) -> impl IntoView {
    let passage = source.passage.clone().unwrap_or_default();
    let number = RwSignal::new(passage.page.unwrap_or(1).max(1));
    let n_pages = RwSignal::new(source.text.pages.unwrap_or(1));
    let is_shown = RwSignal::new(false);
    let n_marked = RwSignal::new(0_u32);
    let holder = NodeRef::<html::Div>::new();
    let pdf = StoredValue::new_local(None::<JsValue>);
    let is_open = RwSignal::new(false);
    let name = source.text.document.name.clone();
    spawn_local(async move {
        let opened = match source::bytes(&source).await {
            Ok(Some(bytes)) => js::open_pdf(&bytes).await,
            _ => Err(JsValue::NULL),
        };
        match opened {
            Ok(opened) => {
                n_pages.try_set(js::page_count(&opened));
                if pdf.try_set_value(Some(opened.clone())).is_some() {
                    // The view has gone meanwhile.
                    js::close_pdf(&opened);
                }
                is_open.try_set(true);
            }
            Err(error) => {
                let (name, message) = js::thrown(&error);
                web_sys::console::warn_1(&format!("portico: PDF: {name}: {message}").into());
                failed.try_set(true);
            }
        }
    });
    on_cleanup(move || {
        if let Some(pdf) = pdf.try_update_value(Option::take).flatten() {
            js::close_pdf(&pdf);
        }
    });
    Effect::new(move |_| {
        let number = number.get().clamp(1, n_pages.get().max(1));
        let (true, Some(holder)) = (is_open.get(), holder.get()) else { return };
        let Some(pdf) = pdf.get_value() else { return };
        let values = [("n", number.to_string()), ("total", n_pages.get().to_string())];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        let label = format!("{name}, {}", library.fill(Text::PageLabel, &values));
        let text = passage.text.clone();
        spawn_local(async move {
            match js::show_page(&pdf, number, &holder, &text, &label).await {
                Ok(marked) => {
                    n_marked.try_set(marked.as_f64().unwrap_or_default() as u32);
                    is_shown.try_set(true);
                }
                Err(error) => {
                    let (name, message) = js::thrown(&error);
                    web_sys::console::warn_1(&format!("portico: PDF: {name}: {message}").into());
                    failed.try_set(true);
                }
            }
        });
    });
    let step = move |step: i64| {
        let to = i64::from(number.get_untracked()) + step;
        number.set(u32::try_from(to).unwrap_or(1).clamp(1, n_pages.get_untracked().max(1)));
    };
    let label = move || {
        let values = [("n", number.get().to_string()), ("total", n_pages.get().to_string())];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        Text::PageLabel.fill(library.lang.get(), &values)
    };
    let is_first = move || number.get() <= 1;
    let is_last = move || number.get() >= n_pages.get();
    view! {
        <section class="pdf" data-source="page" data-marked=move || n_marked.get().to_string()
            data-page=move || number.get().to_string()>
            <div class="pdf-bar">
                <button type="button" class="icon-button" aria-label=library.t(Text::PreviousPage)
                    title=library.t(Text::PreviousPage) disabled=is_first
                    on:click=move |_| step(-1)>{icon(LEFT)}</button>
                <span role="status">{label}</span>
                <button type="button" class="icon-button" aria-label=library.t(Text::NextPage)
                    title=library.t(Text::NextPage) disabled=is_last
                    on:click=move |_| step(1)>{icon(RIGHT)}</button>
            </div>
            <Show when=move || !is_shown.get()>{loading(library)}</Show>
            <div class="pdf-page" node_ref=holder></div>
        </section>
    }
}
