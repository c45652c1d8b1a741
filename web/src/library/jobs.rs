//! The server's queue, as it goes on: watched while a collection is looked at.

use js_sys::Uint8Array;
use leptos::prelude::*;
use portico_library::address::{Address, ON_DEVICE};
use portico_library::api::{Jobs, Right};
use portico_shared::error::ApiError;
use portico_shared::events::EventReader;
use portico_web::server_call::http::{fetch, unreachable};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{AbortController, ReadableStreamDefaultReader};

use crate::js::sleep_ms;
use crate::net;
use crate::state::Library;

/// Before a broken stream is opened again.
const RETRY_MS: i32 = 3_000;

/// Follows the address: there is one stream while a collection to which one may add is open.
pub fn watch(library: Library) {
    let wanted = Memo::new(move |_| match library.address.get() {
        Some(Address::Collection(id)) if id != ON_DEVICE => {
            library.collection(&id).is_some_and(|collection| collection.rights >= Right::Contribute)
        }
        _ => false,
    });
    let running = StoredValue::new_local(None::<AbortController>);
    Effect::new(move |_| {
        if let Some(stream) = running.try_update_value(Option::take).flatten() {
            stream.abort();
        }
        if !wanted.get() {
            return;
        }
        let Ok(abort) = AbortController::new() else { return };
        running.set_value(Some(abort.clone()));
        spawn_local(async move {
            while !abort.signal().aborted() {
                // What breaks it off is seen in the views by their own requests.
                read(library, &abort).await.ok();
                sleep_ms(RETRY_MS).await;
            }
        });
    });
}

async fn read(library: Library, abort: &AbortController) -> Result<(), ApiError> {
    let response = fetch("GET", "/api/jobs/events", None, &[], Some(&abort.signal())).await?;
    let Some(body) = response.body() else { return Ok(()) };
    let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
    let mut events = EventReader::default();
    loop {
        let piece = JsFuture::from(reader.read()).await.map_err(|error| unreachable(&error))?;
        let get = |name: &str| js_sys::Reflect::get(&piece, &name.into()).unwrap_or_default();
        if get("done").is_truthy() {
            return Ok(());
        }
        let bytes = Uint8Array::new(&get("value")).to_vec();
        for event in events.push(&bytes).map_err(net::internal)? {
            take(library, net::read(&event.data)?);
        }
    }
}

/// A document that came through, failed or went is asked for anew.
fn take(library: Library, jobs: Jobs) {
    let has_moved = library.jobs.with_untracked(|known| jobs.moved_since(known));
    library.jobs.set(jobs);
    if has_moved {
        library.changed();
    }
}
