//! The house's documents as tools: what a search finds and what a document says, with the caller's rights.

use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode, Lang};
use portico_shared::grounding::{Source, estimated_tokens, lang_of, tool_result};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::{Called, Offered};
use crate::config::Confirm;
use crate::gateway::{Caller, Gateway};

const SEARCH: &str = "search_documents";
const READ: &str = "read_document";
/// Of passages that one search gives.
const BUDGET_TOKENS: u32 = 2_000;
/// Most of a document that one call gives.
const READ_CHARS_MAX: usize = 40_000;

pub fn offered() -> Vec<Offered> {
    let tool = |id: &str, description: &str, properties: Value, required: &str| Offered {
        id: id.to_owned(),
        name: id.to_owned(),
        description: description.to_owned(),
        parameters: json!({ "type": "object", "properties": properties, "required": [required] }),
        confirm: Confirm::Never,
    };
    vec![
        tool(
            SEARCH,
            "Searches the organisation's documents for passages about a question.",
            json!({ "query": { "type": "string" } }),
            "query",
        ),
        tool(
            READ,
            "Reads a whole document by its id, which a search gives.",
            json!({ "document": { "type": "string" } }),
            "document",
        ),
    ]
}

pub async fn call(
    gateway: &Arc<Gateway>,
    caller: &Caller,
    id: &str,
    arguments: &Map<String, Value>,
    collections: Option<Vec<String>>,
) -> Result<Called, ApiError> {
    let text = |name: &str| arguments.get(name).and_then(Value::as_str).unwrap_or_default();
    let sources = if id == READ {
        let Ok(document) = Uuid::try_parse(text("document").trim()) else {
            return Err(ApiError::new(ErrorCode::DocumentNotFound));
        };
        let parts = gateway.documents.document_parts(&caller.rights, document).await?;
        within(parts.sources)
    } else {
        let (rights, query) = (&caller.rights, text("query"));
        let documents = &gateway.documents;
        let count = |text: &str| estimated_tokens(text);
        documents
            .passages_for_answer(rights, query, collections.as_deref(), &[], BUDGET_TOKENS, &count)
            .await?
    };
    let lang = lang_of(text("query")).unwrap_or(Lang::En);
    let mut result = tool_result(&sources, lang);
    if id == SEARCH {
        let mut ids: Vec<(String, String)> = Vec::new();
        for source in &sources {
            let id = source.document.to_string();
            if ids.iter().all(|(known, _)| *known != id) {
                ids.push((id, source.name.clone()));
            }
        }
        for (id, name) in ids {
            result.push_str(&format!("\ndocument {id}: {name}"));
        }
    }
    Ok(Called { result, failed: false })
}

/// Passages up to the most that is given.
fn within(sources: Vec<Source>) -> Vec<Source> {
    let mut n_chars = 0;
    let fits = |source: &Source| {
        n_chars += source.text.chars().count();
        n_chars <= READ_CHARS_MAX
    };
    sources.into_iter().take_while(fits).collect()
}
