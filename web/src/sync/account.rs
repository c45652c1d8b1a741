//! Whose conversations are these? What was here before somebody signed in is sent only once they say so.

use std::collections::BTreeSet;

use portico_page::sending::Brief;
use portico_shared::error::ApiError;
use portico_web::log_store::{Held, LogStore, Record, SENT_TO, Write};
use portico_web::sync_memory::{self, ANEW, BACKFILL, PLAIN_PAUSED, POSITION};
use uuid::Uuid;

use crate::work::failed;

/// In the store's memory: who it was that signed in.
const ACCOUNT: &str = "account";
const BATCH: u32 = 500;

/// Makes sure that what is here is this person's, or held.
pub async fn enter(store: &LogStore, person: Uuid) -> Result<(), ApiError> {
    let person = person.to_string();
    if store.meta(ACCOUNT).await.map_err(failed)?.as_deref() == Some(&person) {
        return Ok(());
    }
    // It was somebody else's.
    sync_memory::erase_key(store).await?;
    let there = conversations(store).await?;
    let held = there.into_iter().map(|conversation| (conversation, Some(Held::Undecided)));
    let already: BTreeSet<Uuid> = store
        .held()
        .await
        .map_err(failed)?
        .into_iter()
        .filter(|(_, held)| *held != Held::Undecided)
        .map(|(conversation, _)| conversation)
        .collect();
    let write = Write {
        held: held.filter(|(conversation, _)| !already.contains(conversation)).collect(),
        meta: vec![
            (ACCOUNT, person),
            (SENT_TO, "0".to_owned()),
            (POSITION, String::new()),
            (BACKFILL, String::new()),
            (ANEW, String::new()),
            (PLAIN_PAUSED, String::new()),
        ],
        clears_heads: true,
        ..Write::default()
    };
    store.write(write).await.map_err(failed)?;
    Ok(())
}

/// Every conversation that the store knows of.
async fn conversations(store: &LogStore) -> Result<BTreeSet<Uuid>, ApiError> {
    let mut found = BTreeSet::new();
    let mut after = 0.0;
    loop {
        let batch = store.read(after, BATCH).await.map_err(failed)?;
        let Some(last) = batch.last() else { return Ok(found) };
        after = last.key;
        for stored in &batch {
            let (json, conversation) = Record::parts(&stored.json);
            found.extend(conversation.or_else(|| Brief::read(json)?.conversation));
        }
    }
}
