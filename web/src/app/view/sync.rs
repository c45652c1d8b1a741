//! How does it stand with the person's other devices? Said honestly: what is on this device only is
//! called so.

use leptos::prelude::*;
use portico_page::i18n::{Lang, Text};
use portico_web::sync_link::{Standing, SyncState};
use uuid::Uuid;

use crate::page::Page;
use crate::sync;

/// One line for all conversations; nothing where nobody was ever signed in.
pub fn status(page: Page) -> impl IntoView {
    move || {
        page.sync.get().map(|state| {
            let name = match &state.standing {
                _ if state.refused.is_some() => "refused",
                Standing::SignedOut => "signed-out",
                Standing::Working => "working",
                Standing::Synced => "synced",
                Standing::Offline => "offline",
                Standing::Locked => "locked",
                Standing::Unsealed => "unsealed",
                Standing::Failed(_) => "failed",
            };
            let text = line(&state, page.lang.get());
            // What only the person can settle.
            let ask = match &state.standing {
                Standing::Locked => Some((Text::SyncUnlock, "#/account/encryption")),
                Standing::Unsealed => Some((Text::SyncDecide, "#/account/encryption")),
                Standing::Synced | Standing::Working if state.is_asked => {
                    Some((Text::SyncApprove, "#/account/approve"))
                }
                _ => None,
            };
            let link = ask.map(|(ask, to)| view! { " " <a href=to>{page.t(ask)}</a> });
            view! { <p class="sync-line" data-sync=name role="status">{text}{link}</p> }
        })
    }
}

fn line(state: &SyncState, lang: Lang) -> String {
    if let Some(error) = &state.refused {
        return error.text(lang);
    }
    let n_waiting = state.n_waiting.to_string();
    match &state.standing {
        Standing::Synced => Text::SyncSynced.get(lang).to_owned(),
        Standing::Working => Text::SyncWorking.get(lang).to_owned(),
        Standing::SignedOut => Text::SyncSignedOut.get(lang).to_owned(),
        Standing::Offline if state.n_waiting == 0 => Text::SyncOffline.get(lang).to_owned(),
        Standing::Offline => Text::SyncOfflineWaiting.fill(lang, &[("n", &n_waiting)]),
        Standing::Locked => Text::SyncLocked.get(lang).to_owned(),
        Standing::Unsealed => Text::SyncUnsealed.get(lang).to_owned(),
        Standing::Failed(error) => error.text(lang),
    }
}

/// A sign on a conversation that other devices do not have as it is here.
pub fn mark(page: Page, conversation: Uuid) -> impl IntoView {
    let is_only_here = Memo::new(move |_| {
        page.sync.with(|state| {
            state.as_ref().is_some_and(|state| {
                state.waiting.contains(&conversation) || state.held.contains(&conversation)
            })
        })
    });
    move || {
        is_only_here.get().then(|| {
            let text = Text::SyncOnlyHere.get(page.lang.get());
            view! { <span class="sync-mark" role="img" data-sync="only-here" aria-label=text title=text></span> }
        })
    }
}

/// Asks what is to become of what was here before somebody signed in.
pub fn offer(page: Page) -> impl IntoView {
    let n_undecided =
        move || page.sync.with(|state| state.as_ref().map_or(0, |state| state.n_undecided));
    view! {
        <Show when=move || { n_undecided() > 0 }>
            <div class="notice" role="alert" data-condition="sync-offer">
                <p>{move || {
                    Text::SyncOffer.fill(page.lang.get(), &[("n", &n_undecided().to_string())])
                }}</p>
                <div class="row">
                    <button type="button" class="button" on:click=|_| sync::decide(true)>
                        {page.t(Text::SyncOfferYes)}
                    </button>
                    <button type="button" class="button quiet" on:click=|_| sync::decide(false)>
                        {page.t(Text::SyncOfferNo)}
                    </button>
                </div>
            </div>
        </Show>
    }
}
