//! Which model is offered first, and which one makes the vectors of the first collection?
//!
//! An administrator's choice stands before the catalogue's; for the embedder `[documents] embedder` stands
//! before both, because whoever wrote it meant it.

use portico_shared::catalogue::Kind;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::Stock;
use crate::db::Db;
use crate::db::sql::OptionalExtension as _;
use crate::people::PersonId;
use crate::people::audit::Entry;

/// Under which it is kept.
const DEFAULTS: &str = "default_models";

/// What an administrator chose. None: as the catalogue has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Chosen {
    pub chat: Option<String>,
    pub embedder: Option<String>,
}

/// The choice, for whoever asks for it.
#[derive(Clone, Debug)]
pub struct Defaults {
    db: Db,
}

impl Defaults {
    pub fn new(db: Db) -> Self {
        Self { db }
    }

    /// What cannot be read is none: there is always the catalogue's.
    pub async fn chosen(&self) -> Chosen {
        if !self.db.exists() {
            return Chosen::default();
        }
        let kept = self.db.call(|connection| {
            let mut select =
                connection.prepare_cached("SELECT value FROM house WHERE name = ?1")?;
            select.query_row([DEFAULTS], |row| row.get::<_, String>(0)).optional()
        });
        match kept.await {
            Ok(kept) => kept.and_then(|kept| serde_json::from_str(&kept).ok()).unwrap_or_default(),
            Err(error) => {
                tracing::warn!(%error, "the chosen models cannot be read");
                Chosen::default()
            }
        }
    }
}

impl Stock {
    /// # Errors
    /// `model_not_found`, `model_absent`; `invalid_request` for a model of another kind.
    pub async fn choose(&self, chosen: Chosen, person: PersonId) -> Result<Chosen, ApiError> {
        let shelf = self.library.shelf().await.map_err(|error| ApiError::from(&error))?;
        for (param, id, kind) in
            [("chat", &chosen.chat, Kind::Chat), ("embedder", &chosen.embedder, Kind::Embedding)]
        {
            let Some(id) = id else { continue };
            let entry = shelf.get(id).map_err(|error| ApiError::from(&error))?;
            if entry.model.kind != kind {
                let reason = format!("`{param}`: `{id}` is no model of that kind");
                return Err(ApiError::new(ErrorCode::InvalidRequest).with("reason", reason));
            }
            if !entry.is_available() {
                return Err(ApiError::new(ErrorCode::ModelAbsent).with("model", id));
            }
        }
        let json = serde_json::json!(chosen).to_string();
        let kept = self.db.call(move |connection| {
            let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.execute(sql, (DEFAULTS, json.as_str()))
        });
        kept.await?;
        let object = chosen.chat.as_deref().or(chosen.embedder.as_deref()).unwrap_or_default();
        self.people.audit.note(Entry::act(&person.to_string(), "default_models_chosen", object));
        Ok(chosen)
    }
}
