//! The question as this device's embedder sees it, for a search among the documents that never leave the
//! browser.

use std::cell::RefCell;
use std::collections::BTreeMap;

use futures_channel::oneshot;
use futures_util::future::{Either, select};
use portico_library::shelf::QueryVector;
use portico_shared::catalogue::EmbedKind;
use portico_web::protocol::{EmbedRequest, FromWorker, RequestId, ToWorker};
use portico_web::server_call::http::sleep_ms;

use crate::browser::new_id;
use crate::{prefs, setup};

/// A question that takes longer is searched by its words.
const WAIT_MS: i32 = 20_000;

thread_local! {
    /// Questions whose vectors something here waits for.
    static AWAITED: RefCell<BTreeMap<RequestId, oneshot::Sender<Vec<f32>>>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// By the embedder that the person chose for this device; none where there is none, or it cannot.
pub async fn query_vector(query: &str) -> Option<QueryVector> {
    let embedder = prefs::get("embedder")?;
    let id = new_id().to_string();
    let (tell, told) = oneshot::channel();
    AWAITED.with_borrow_mut(|awaited| awaited.insert(id.clone(), tell));
    let texts = vec![query.to_owned()];
    let request = EmbedRequest { model: embedder.clone(), texts, kind: EmbedKind::Query };
    setup::post(&ToWorker::Embed { id: id.clone(), request: Box::new(request) });
    let late = sleep_ms(WAIT_MS);
    futures_util::pin_mut!(late);
    match select(told, late).await {
        Either::Left((values, _)) => Some(QueryVector { embedder, values: values.ok()? }),
        Either::Right(_) => {
            AWAITED.with_borrow_mut(|awaited| awaited.remove(&id));
            setup::post(&ToWorker::Stop { id });
            None
        }
    }
}

/// Takes a vector that something here waits for.
pub(super) fn hear(message: &FromWorker) {
    let (FromWorker::Embedded { id, .. }
    | FromWorker::Failed { id, .. }
    | FromWorker::Done { id, .. }) = message
    else {
        return;
    };
    // Without a vector the sender is dropped, which says so.
    let tell = AWAITED.with_borrow_mut(|awaited| awaited.remove(id));
    if let (Some(tell), FromWorker::Embedded { vectors, .. }) = (tell, message) {
        tell.send(vectors.first().cloned().unwrap_or_default()).ok();
    }
}
