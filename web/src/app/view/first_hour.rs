//! On the first page of an administrator: how far the house's first hour is, until it is over or closed.

use leptos::prelude::*;
use portico_page::i18n::Text;
use portico_web::server_call;
use serde::Deserialize;
use wasm_bindgen_futures::spawn_local;

use super::icons::{self, icon};
use crate::page::Page;
use crate::prefs;

const CLOSED: &str = "first-hour-closed";

/// Of `GET /api/first-hour`.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
struct FirstHour {
    is_hidden: bool,
    n_done: u32,
    n_items: u32,
}

pub fn first_hour(page: Page) -> impl IntoView {
    let known = RwSignal::new(None::<FirstHour>);
    Effect::new(move |_| {
        // Asked anew by whoever comes back from where its steps are done.
        let is_elsewhere = page.shows_people.get() || page.shows_library.get();
        if !page.is_admin.get() || prefs::get(CLOSED).is_some() {
            known.set(None);
            return;
        }
        if is_elsewhere {
            return;
        }
        spawn_local(async move {
            // Without the server there is nothing to do for it either.
            let said = server_call::get("/api/first-hour").await.unwrap_or_default();
            let list = serde_json::from_str::<FirstHour>(&said).ok();
            // The view may have gone.
            known.try_set(list.filter(|list| !list.is_hidden && list.n_done < list.n_items));
        });
    });
    move || {
        known.get().map(|FirstHour { n_done, n_items, .. }| {
            let said = move || {
                let (done, all) = (n_done.to_string(), n_items.to_string());
                Text::FirstHourLeft.fill(page.lang.get(), &[("done", &done), ("all", &all)])
            };
            view! {
                <section class="home-part" data-first-hour=format!("{n_done}/{n_items}")>
                    <div class="announcement announcement-head">
                        <h3><a href="#/people/overview">{said}</a></h3>
                        <button type="button" class="icon-button small" aria-label=page.t(Text::FirstHourClose)
                            title=page.t(Text::FirstHourClose) on:click=move |_| {
                                prefs::set(CLOSED, Some("1"));
                                known.set(None);
                                crate::browser::focus(super::composer::INPUT_ID);
                            }>{icon(icons::CLOSE)}</button>
                    </div>
                </section>
            }
            .into_any()
        })
    }
}
