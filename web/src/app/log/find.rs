//! In which conversations was that said? Asked in slices between the page's frames.

use portico_shared::sync::Search;
use uuid::Uuid;

use super::{LOG, Row, letters, row_of};
use crate::browser::{breathe, monotonic_ms};

/// Milliseconds of work before the page has its turn.
const SLICE_MS: f64 = 8.0;

/// Conversations in which `query` is found, in their order; all of them for an empty one. None where
/// `is_wanted` says, between two slices, that the answer is not waited for any more.
pub async fn find(query: &str, is_wanted: impl Fn() -> bool) -> Option<Vec<Row>> {
    let Some(search) = Search::new(query, &letters::decomposed) else { return Some(super::rows()) };
    let ids: Vec<Uuid> =
        LOG.with_borrow(|log| log.merge.conversations().iter().map(|view| view.id).collect());
    let mut rows = Vec::new();
    let mut started_ms = monotonic_ms();
    for id in ids {
        if monotonic_ms() - started_ms > SLICE_MS {
            breathe().await;
            if !is_wanted() {
                return None;
            }
            started_ms = monotonic_ms();
        }
        rows.extend(row_with(id, &search));
    }
    Some(rows)
}

fn row_with(id: Uuid, search: &Search) -> Option<Row> {
    LOG.with_borrow(|log| {
        // Deleted since the search began: it is not there.
        let view = log.merge.conversation(id)?;
        let hit = log.merge.first_hit(&view, search, &letters::decomposed)?;
        let snippet = hit.message.is_some().then_some(hit.snippet);
        Some(Row { snippet, ..row_of(&view) })
    })
}
