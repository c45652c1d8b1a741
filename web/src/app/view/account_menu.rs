//! The way to one's account and, from there, to what is shared and to the house's administration.

use leptos::prelude::*;
use portico_page::i18n::Text;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

use super::icons::{self, icon};
use crate::browser::by_id;
use crate::page::Page;

const MENU_ID: &str = "account-menu";

/// A link to sign in; for who is signed in a button that opens a list of links. The browser closes it on
/// Escape and on a click beside it (`popover`).
pub fn account_menu(page: Page) -> impl IntoView {
    let current = move || page.shows_people.get().then_some("page");
    move || {
        match page.person.get() {
        None => view! {
            <a class="button quiet" href="#/sign-in" data-open="people" aria-current=current
                on:click=move |_| page.drawer.set(false)>
                {icon(icons::PERSON)} {page.t(Text::SignIn)}
            </a>
        }
        .into_any(),
        Some(name) => view! {
            <button type="button" class="button quiet" data-open="people" popovertarget=MENU_ID>
                {icon(icons::PERSON)} <span class="account-name" dir="auto">{name}</span> {icon(icons::UP)}
            </button>
            <nav id=MENU_ID class="account-menu" popover="auto" aria-label=page.t(Text::AccountMenu)
                on:click=move |_| close(page)>
                {link(page, "#/account", Text::Account).into_any()}
                {link(page, "#/prompts", Text::Prompts).into_any()}
                {link(page, "#/assistants", Text::Assistants).into_any()}
                <Show when=move || page.is_admin.get()>
                    {link(page, "#/people/overview", Text::Administration).into_any()}
                </Show>
            </nav>
        }
        .into_any(),
    }
    }
}

fn link(page: Page, href: &'static str, text: Text) -> impl IntoView {
    let current = move || {
        let is_here = page.shows_people.get() && page.people_title.get() == text;
        is_here.then_some("page")
    };
    view! { <a class="button quiet" href=href aria-current=current>{page.t(text)}</a> }
}

fn close(page: Page) {
    page.drawer.set(false);
    if let Some(menu) = by_id(MENU_ID).and_then(|menu| menu.dyn_into::<HtmlElement>().ok()) {
        // Refused only where it is closed already.
        menu.hide_popover().ok();
    }
}
