//! The house's documents, as far as answers need them: which collections there are, which of them a
//! conversation asks, and what a search brings.

use leptos::prelude::*;
use portico_library::address::ON_DEVICE;
use portico_page::i18n::Text;
use portico_page::route::Choice;
use portico_shared::error::ApiError;
use portico_shared::grounding::Source;
use portico_web::server_call;
use portico_web::shelf_link::on_device_search;
use portico_web::turns::Turns;
use serde::{Deserialize, Serialize};
use uuid::Uuid;
use wasm_bindgen_futures::spawn_local;

use crate::page::Page;
use crate::{answer, assistants, place, prefs};

/// Passages that are looked at for an answer.
const LOOKED_AT: u32 = 12;

/// A collection that the person may read.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Collection {
    pub id: String,
    pub title: String,
    pub n_documents: u64,
    /// The person's own: `read`, `contribute`, `manage`.
    #[serde(default)]
    rights: String,
}

impl Collection {
    /// Whether the person may add documents; those of the device are added in another way.
    pub fn takes_documents(&self) -> bool {
        matches!(self.rights.as_str(), "contribute" | "manage")
    }
}

#[derive(Deserialize)]
struct Collections {
    collections: Vec<Collection>,
}

/// Has the collections known from the start, and again whenever the documents' views were open or somebody
/// else is signed in.
pub fn follow(page: Page) {
    Effect::new(move |before: Option<Option<String>>| {
        let person = page.person.get();
        if before.is_some_and(|before| before != person) {
            // Which collections there are for another one, only the server can say.
            page.collections.set(own(page).into_iter().collect());
        }
        if !page.shows_library.get() {
            spawn_local(load(page));
        }
        person
    });
}

/// Asks the server which collections there are. A server without documents, or one that is not reached,
/// leaves those that are known.
pub async fn load(page: Page) {
    thread_local!(static ASKED: Turns = const { Turns::new() });
    let turn = ASKED.with(Turns::next);
    let listed = server_call::get("/api/collections").await.ok();
    let listed = listed.and_then(|json| serde_json::from_str::<Collections>(&json).ok());
    if listed.is_some() && !ASKED.with(|asked| asked.take(turn)) {
        return;
    }
    let is_own = |one: &Collection| one.id == ON_DEVICE;
    let known =
        || page.collections.get_untracked().into_iter().filter(|one| !is_own(one)).collect();
    let mut collections = listed.map_or_else(known, |listed| listed.collections);
    collections.extend(own(page));
    if page.collections.with_untracked(|known| *known != collections) {
        page.collections.set(collections);
    }
}

/// Documents that never leave this browser, where the documents' views have counted any.
fn own(page: Page) -> Option<Collection> {
    let n_documents = prefs::get(ON_DEVICE)?.parse::<u64>().ok().filter(|n| *n > 0)?;
    let title = page.say(Text::PlaceDevice).to_owned();
    Some(Collection { id: ON_DEVICE.to_owned(), title, n_documents, rights: String::new() })
}

/// Those that a conversation, or the next new one, asks, for views: only what is still there.
pub fn chosen(page: Page, conversation: Option<Uuid>) -> Vec<Collection> {
    page.place_version.track();
    let ids = assistants::settings(page, conversation).collections;
    page.collections.with(|all| {
        let chosen = all.iter().filter(|collection| ids.contains(&collection.id));
        chosen.cloned().collect()
    })
}

/// Documents of this device are asked where the conversation stays on it: choosing them keeps it here, and
/// a server never reads on in what rests on them.
pub fn choose(page: Page, conversation: Option<Uuid>, id: &str, is_chosen: bool) {
    if is_chosen && id == ON_DEVICE {
        place::set_choice(page, conversation, Choice::Device);
    }
    let mut settings = prefs::answer_settings(conversation);
    settings.collections.retain(|other| other != id);
    if is_chosen {
        settings.collections.push(id.to_owned());
    }
    prefs::set_answer_settings(conversation, &settings);
    page.place_version.update(|version| *version += 1);
}

/// Ids of the collections that are searched for a conversation's answers now: those of the server, or, where
/// nothing of it may leave the device, the device's own.
pub fn asked(page: Page, conversation: Uuid) -> Vec<String> {
    untrack(|| {
        let stays = place::choice(page, Some(conversation)) == Choice::Device;
        let ids = chosen(page, Some(conversation)).into_iter().map(|one| one.id);
        ids.filter(|id| (id == ON_DEVICE) == stays).collect()
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
    if collections.iter().any(|id| id == ON_DEVICE) {
        return on_device_search(query, LOOKED_AT, answer::query_vector(query).await).await;
    }
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
