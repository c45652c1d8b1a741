//! The house's documents, as far as answers need them: which collections there are, which of them a
//! conversation asks, and what a search brings.

use leptos::prelude::*;
use portico_page::route::Choice;
use portico_shared::error::ApiError;
use portico_shared::grounding::Source;
use portico_web::server_call;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::page::Page;
use crate::{place, prefs};

/// Passages that are looked at for an answer.
const LOOKED_AT: u32 = 12;

/// A collection that the person may read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Collection {
    pub id: String,
    pub title: String,
    pub n_documents: u64,
}

#[derive(Deserialize)]
struct Collections {
    collections: Vec<Collection>,
}

/// Asks the server which collections there are. A server without documents, or one that is not reached,
/// leaves those that are known.
pub async fn load(page: Page) {
    let Ok(json) = server_call::get("/api/collections").await else { return };
    if let Ok(Collections { collections }) = serde_json::from_str(&json) {
        page.collections.set(collections);
    }
}

/// Those that a conversation, or the next new one, asks, for views: only what is still there.
pub fn chosen(page: Page, conversation: Option<Uuid>) -> Vec<Collection> {
    page.place_version.track();
    let ids = prefs::answer_settings(conversation).collections;
    page.collections.with(|all| {
        let chosen = all.iter().filter(|collection| ids.contains(&collection.id));
        chosen.cloned().collect()
    })
}

pub fn choose(page: Page, conversation: Option<Uuid>, id: &str, is_chosen: bool) {
    let mut settings = prefs::answer_settings(conversation);
    settings.collections.retain(|other| other != id);
    if is_chosen {
        settings.collections.push(id.to_owned());
    }
    prefs::set_answer_settings(conversation, &settings);
    page.place_version.update(|version| *version += 1);
}

/// Ids of the collections that are searched for a conversation's answers now: none where nothing of it may
/// leave the device.
pub fn asked(page: Page, conversation: Uuid) -> Vec<String> {
    untrack(|| match place::choice(page, Some(conversation)) {
        Choice::Device => Vec::new(),
        _ => chosen(page, Some(conversation)).into_iter().map(|one| one.id).collect(),
    })
}

#[derive(Serialize)]
struct Search<'a> {
    query: &'a str,
    collections: &'a [String],
    limit: u32,
}

#[derive(Deserialize)]
struct Found {
    hits: Vec<Hit>,
}

#[derive(Deserialize)]
struct Hit {
    passage: Uuid,
    document: HitDocument,
    text: String,
    #[serde(default)]
    heading_path: Vec<String>,
    #[serde(default)]
    page: Option<u32>,
    #[serde(default)]
    section: Option<String>,
    #[serde(default)]
    similarity: Option<f32>,
}

#[derive(Deserialize)]
struct HitDocument {
    id: Uuid,
    name: String,
}

/// Passages about a question, best first, with the person's rights.
///
/// # Errors
/// The server's, and `server_unreachable`.
pub async fn search(query: &str, collections: &[String]) -> Result<Vec<Source>, ApiError> {
    let request = Search { query, collections, limit: LOOKED_AT };
    let found: Found = server_call::post("/api/search", &request).await?;
    let source = |hit: Hit| Source {
        n: 0,
        passage: hit.passage,
        document: hit.document.id,
        name: hit.document.name,
        heading_path: hit.heading_path,
        page: hit.page,
        section: hit.section,
        text: hit.text,
        similarity: hit.similarity,
    };
    Ok(found.hits.into_iter().map(source).collect())
}
