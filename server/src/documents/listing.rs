//! Which documents are there, and what does each say?

use portico_shared::documents::Extracted;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::Documents;
use super::queue::{State, error_from_json};
use crate::db::sql::{self, Connection, OptionalExtension as _, Row};
use crate::people::{Right, Rights, enough};

/// Documents of one page of a listing.
pub const LISTED_MAX: u32 = 1_000;

/// A document, as its newest version is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentView {
    pub id: Uuid,
    pub collection: String,
    pub name: String,
    /// The path in its folder, or its URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    pub media_type: String,
    pub size_bytes: u64,
    pub sha256: String,
    /// Of its last change, in seconds since 1970.
    pub date_s: i64,
    pub state: State,
    /// Whether an earlier version is found while this one is on its way.
    pub is_searchable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_pages: Option<u32>,
    pub n_passages: u64,
    pub n_embedded: u64,
    /// What was left out or guessed when it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<serde_json::Value>,
    /// Other places of the same bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// Of what is on its way or failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job: Option<Uuid>,
}

/// The text of the version that is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentText {
    pub document: DocumentView,
    pub extracted: Extracted,
}

/// A page of a listing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DocumentList {
    pub documents: Vec<DocumentView>,
    /// For the next page's `after`; none at the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Uuid>,
}

const SELECT: &str = "SELECT d.id, d.collection, d.name, d.root, d.place, d.sha256 AS live_sha256,
        coalesce(j.media_type, d.media_type) AS media_type,
        coalesce(j.size_bytes, d.size_bytes) AS size_bytes,
        coalesce(j.sha256, d.sha256) AS sha256, coalesce(j.date_s, d.date_s) AS date_s,
        coalesce(j.state, 'done') AS state, j.error,
        coalesce(j.title, d.title) AS title, coalesce(j.lang, d.lang) AS lang,
        coalesce(j.n_pages, d.n_pages) AS n_pages,
        coalesce(j.n_passages, d.n_passages) AS n_passages, j.n_embedded,
        coalesce(j.warnings, d.warnings) AS warnings, j.id AS job,
        (SELECT json_group_array(name) FROM document_places WHERE document = d.id) AS also
    FROM documents d
    LEFT JOIN jobs j ON j.document = d.id AND j.state <> 'done'";

impl Documents {
    /// A collection's documents in the order in which they came, behind `after`.
    ///
    /// # Errors
    /// `collection_not_found`
    pub async fn list(
        &self,
        rights: &Rights,
        collection: &str,
        after: Option<Uuid>,
        limit: u32,
    ) -> Result<DocumentList, ApiError> {
        self.require(rights, collection, Right::Read).await?;
        let collection = collection.to_owned();
        let limit = limit.clamp(1, LISTED_MAX);
        let listed = self.db.call(move |connection| {
            let sql =
                format!("{SELECT} WHERE d.collection = ?1 AND d.id > ?2 ORDER BY d.id LIMIT ?3");
            let mut select = connection.prepare_cached(&sql)?;
            let after = after.map(|id| id.to_string()).unwrap_or_default();
            let rows = select.query_map((collection, after, limit + 1), view)?;
            rows.collect::<Result<Vec<_>, _>>()
        });
        let mut documents = listed.await?;
        let has_more = documents.len() > limit as usize;
        documents.truncate(limit as usize);
        let next = documents.last().filter(|_| has_more).map(|document| document.id);
        Ok(DocumentList { documents, next })
    }

    /// # Errors
    /// `document_not_found`
    pub async fn document(&self, rights: &Rights, id: Uuid) -> Result<DocumentView, ApiError> {
        let rights = rights.clone();
        let found = self.db.call(move |connection| {
            let Some(document) = view_of(connection, id)? else { return Ok(None) };
            let right = rights.on(connection, &document.collection)?;
            Ok(right.map(|_| document))
        });
        found.await?.ok_or_else(not_found)
    }

    /// The text that is found, with its structure.
    ///
    /// # Errors
    /// `document_not_found`, also while there is no version that is found.
    pub async fn document_text(&self, rights: &Rights, id: Uuid) -> Result<DocumentText, ApiError> {
        let document = self.document(rights, id).await?;
        let json = self.db.call(move |connection| {
            let sql = "SELECT extracted FROM document_texts WHERE document = ?1";
            connection.query_row(sql, [id.to_string()], |row| row.get::<_, String>(0)).optional()
        });
        let json = json.await?.ok_or_else(not_found)?;
        let extracted = serde_json::from_str(&json)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        Ok(DocumentText { document, extracted })
    }

    /// Gives the collection in which it was.
    ///
    /// # Errors
    /// `document_not_found`, `collection_read_only`.
    pub async fn delete_document(&self, rights: &Rights, id: Uuid) -> Result<String, ApiError> {
        let collection = self.require_document(rights, id).await?;
        let sql = "DELETE FROM documents WHERE id = ?1";
        self.db.call(move |connection| connection.execute(sql, [id.to_string()])).await?;
        super::step("document deleted");
        self.wake();
        Ok(collection)
    }

    /// Begins a failed document anew.
    ///
    /// # Errors
    /// `document_not_found`, `job_not_found`, `collection_read_only`.
    pub async fn retry_document(&self, rights: &Rights, id: Uuid) -> Result<(), ApiError> {
        self.require_document(rights, id).await?;
        let job = self.job_of(id).await?;
        self.retry_job(rights, job.ok_or(ApiError::new(ErrorCode::JobNotFound))?).await
    }

    async fn require_document(&self, rights: &Rights, id: Uuid) -> Result<String, ApiError> {
        let document = self.document(rights, id).await?;
        let (rights, collection) = (rights.clone(), document.collection.clone());
        let right = self.db.call(move |connection| rights.on(connection, &collection)).await?;
        enough(right, Right::Contribute, &document.collection)?;
        Ok(document.collection)
    }
}

pub(super) fn not_found() -> ApiError {
    ApiError::new(ErrorCode::DocumentNotFound)
}

fn view_of(connection: &Connection, id: Uuid) -> sql::Result<Option<DocumentView>> {
    let sql = format!("{SELECT} WHERE d.id = ?1");
    connection.prepare_cached(&sql)?.query_row([id.to_string()], view).optional()
}

fn view(row: &Row<'_>) -> sql::Result<DocumentView> {
    let count = |name: &str| {
        row.get::<_, Option<i64>>(name).map(|n| n.map(|n| n.max(0) as u64).unwrap_or_default())
    };
    let list = |name: &str| row.get::<_, String>(name);
    let root: String = row.get("root")?;
    let place: String = row.get("place")?;
    let job: Option<String> = row.get("job")?;
    let error: Option<String> = row.get("error")?;
    let n_passages = count("n_passages")?;
    Ok(DocumentView {
        id: row.get::<_, String>("id")?.parse().unwrap_or_default(),
        collection: row.get("collection")?,
        name: row.get("name")?,
        source: (!root.is_empty()).then_some(place),
        media_type: row.get::<_, Option<String>>("media_type")?.unwrap_or_default(),
        size_bytes: count("size_bytes")?,
        sha256: row.get::<_, Option<String>>("sha256")?.unwrap_or_default(),
        date_s: row.get::<_, Option<i64>>("date_s")?.unwrap_or_default(),
        state: State::from_column(&row.get::<_, String>("state")?),
        is_searchable: row.get::<_, Option<String>>("live_sha256")?.is_some(),
        error: error.map(|json| error_from_json(&json)),
        title: row.get("title")?,
        lang: row.get("lang")?,
        n_pages: row.get("n_pages")?,
        n_passages,
        n_embedded: if job.is_some() { count("n_embedded")? } else { n_passages },
        warnings: serde_json::from_str(&list("warnings")?).unwrap_or_default(),
        also: serde_json::from_str(&list("also")?).unwrap_or_default(),
        job: job.and_then(|id| id.parse().ok()),
    })
}
