//! Tabs in a strip that is wider than a phone: the chosen one is in view.

use leptos::html;
use leptos::prelude::*;
use wasm_bindgen::JsCast as _;
use web_sys::HtmlElement;

/// Scrolls the strip that holds `tab` so that the tab stands in its middle, whenever it is chosen.
pub fn keep_in_view(tab: NodeRef<html::A>, is_chosen: impl Fn() -> bool + 'static) {
    Effect::new(move |_| {
        let Some(tab) = tab.get().filter(|_| is_chosen()) else { return };
        let Some(strip) = tab.parent_element() else { return };
        let Ok(strip) = strip.dyn_into::<HtmlElement>() else { return };
        let beside_px = (strip.client_width() - tab.offset_width()) / 2;
        strip.set_scroll_left(tab.offset_left() - strip.offset_left() - beside_px);
    });
}
