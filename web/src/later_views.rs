//! How far are views that are a Wasm of their own? They are fetched when they are first shown, and mounted for
//! good; after a failure they can be asked for again.
//!
//! A module of each bin that shows such views: in the library, every worker would carry leptos.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n;
use portico_shared::error::Lang;
use portico_web::later_link::{Module, load_views};
use portico_web::log_store::js_string;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

#[derive(Clone, PartialEq)]
pub enum State {
    Absent,
    Loading,
    Mounted,
    Failed(String),
}

#[derive(Clone, Copy)]
pub struct LaterViews {
    /// Of their module.
    name: &'static str,
    lang: RwSignal<Lang>,
    /// What they fill.
    pub holder: NodeRef<html::Div>,
    pub state: RwSignal<State>,
    module: StoredValue<Option<JsValue>, LocalStorage>,
}

impl LaterViews {
    /// Fetched when `shows` first says so; told of the page's language from then on.
    pub fn new(
        name: &'static str,
        lang: RwSignal<Lang>,
        shows: impl Fn() -> bool + 'static,
    ) -> Self {
        let holder = NodeRef::new();
        let (state, module) = (RwSignal::new(State::Absent), StoredValue::new_local(None));
        let views = Self { name, lang, holder, state, module };
        Effect::new(move |_| {
            if shows() && state.get_untracked() == State::Absent {
                views.load();
            }
        });
        Effect::new(move |_| {
            let lang = i18n::code(lang.get());
            if let Some(module) = module.get_value()
                && let Err(error) = module.unchecked_ref::<Module>().speak(lang)
            {
                web_sys::console::error_1(&error);
            }
        });
        views
    }

    pub fn load(self) {
        self.state.set(State::Loading);
        spawn_local(async move {
            let mounted = async {
                let loaded = load_views(self.name).await?;
                let Some(holder) = self.holder.get_untracked() else { return Err(JsValue::NULL) };
                let lang = i18n::code(self.lang.get_untracked());
                loaded.unchecked_ref::<Module>().mount(&holder, lang)?;
                Ok(loaded)
            };
            match mounted.await {
                Ok(loaded) => {
                    self.module.set_value(Some(loaded));
                    self.state.set(State::Mounted);
                }
                Err(error) => self.state.set(State::Failed(js_string(&error))),
            }
        });
    }
}
