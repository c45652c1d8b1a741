//! A `/` at the beginning of the box offers prompts. What lists them comes with the account's Wasm
//! (`web/src/people/view/prompts`), fetched when the first one is typed.

use leptos::html;
use leptos::prelude::*;
use portico_page::i18n;
use portico_web::later_link::{Module, load_views};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;

use super::later::PEOPLE;
use crate::page::Page;

/// Where the list stands, and whose text it is about.
#[derive(Clone, Copy)]
pub struct Offer {
    page: Page,
    holder: NodeRef<html::Div>,
    input: NodeRef<html::Textarea>,
    is_asked: StoredValue<bool>,
    module: StoredValue<Option<JsValue>, LocalStorage>,
}

impl Offer {
    pub fn new(page: Page, holder: NodeRef<html::Div>, input: NodeRef<html::Textarea>) -> Self {
        let is_asked = StoredValue::new(false);
        let offer = Self { page, holder, input, is_asked, module: StoredValue::new_local(None) };
        Effect::new(move |_| {
            let lang = i18n::code(page.lang.get());
            if let Some(module) = offer.module.get_value()
                && let Err(error) = module.unchecked_ref::<Module>().speak(lang)
            {
                web_sys::console::error_1(&error);
            }
        });
        offer
    }

    /// Once; after a failure, such as a missing network, with the next `/`.
    pub fn load(self) {
        if self.is_asked.get_value() {
            return;
        }
        self.is_asked.set_value(true);
        spawn_local(async move {
            let loaded = async {
                let module = load_views(PEOPLE.name).await?;
                let (holder, input) = (self.holder.get_untracked(), self.input.get_untracked());
                let (Some(holder), Some(input)) = (holder, input) else {
                    return Err(JsValue::NULL);
                };
                let lang = i18n::code(self.page.lang.get_untracked());
                module.unchecked_ref::<Module>().prompts(&holder, &input, lang)?;
                Ok(module)
            };
            match loaded.await {
                Ok(module) => self.module.set_value(Some(module)),
                Err(error) => {
                    self.is_asked.set_value(false);
                    web_sys::console::warn_2(
                        &"portico: prompts could not be loaded".into(),
                        &error,
                    );
                }
            }
        });
    }
}
