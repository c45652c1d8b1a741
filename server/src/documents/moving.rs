//! How do all vectors get into another store, or become another embedder's, while the old ones answer?
//!
//! A move is a row in the database. Whoever owns the documents carries it out (`work/moving`), so that
//! it goes on behind a crash and a server takes it over from the command line; others watch it here.

use portico_shared::error::{ApiError, ErrorCode};

use super::queue::error_from_json;
use super::{Documents, NO_EMBEDDER};
use crate::config::VectorsConfig;
use crate::db::sql::{self, Connection, OptionalExtension as _};

/// What is to become of the vectors.
#[derive(Clone, Debug, Default)]
pub struct MoveRequest {
    /// Where to; none: where they are.
    pub store: Option<VectorsConfig>,
    /// The model that makes them anew; none: they stay as they are.
    pub embedder: Option<String>,
}

/// How far a move is.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveState {
    pub phase: MovePhase,
    pub n_done: u64,
    pub n_all: u64,
    pub error: Option<ApiError>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MovePhase {
    Moving,
    /// The new vectors answer.
    Done,
    Failed,
}

impl Documents {
    /// Asks for a move, or goes on with the same one where it stood; another one that is under way ends.
    ///
    /// # Errors
    /// `invalid_request` where there is nothing to move, `model_absent` for an embedder that cannot be
    /// asked.
    pub async fn ask_for_move(&self, request: &MoveRequest) -> Result<(), ApiError> {
        let invalid =
            |reason: &str| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
        match request.embedder.as_deref() {
            Some(NO_EMBEDDER) => return Err(invalid("vectors need an embedder")),
            Some(id) if !self.embedders.is_there(id).await => {
                return Err(ApiError::new(ErrorCode::ModelAbsent).with("model", id));
            }
            _ => {}
        }
        if self.embedder_in_use().await?.is_none() {
            return Err(invalid("no passage has a vector yet"));
        }
        let store = request.store.as_ref().map(serde_json::to_string).transpose();
        let store = store.map_err(super::passages::internal)?;
        let embedder = request.embedder.clone();
        let asked = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            // What was embedded for another model is of no use.
            let sql = "DELETE FROM moved_vectors WHERE NOT EXISTS
                (SELECT 1 FROM vector_moves WHERE embedder IS NOT DISTINCT FROM ?1 AND state <> 'done')";
            transaction.execute(sql, [&embedder])?;
            let sql = "INSERT INTO vector_moves (id, store, embedder, state)
                VALUES (1, ?1, ?2, 'moving') ON CONFLICT (id) DO UPDATE SET store = excluded.store,
                    embedder = excluded.embedder, state = 'moving', error = NULL,
                    n_done = 0, n_all = 0
                WHERE vector_moves.state <> 'moving' OR vector_moves.store IS DISTINCT FROM excluded.store
                    OR vector_moves.embedder IS DISTINCT FROM excluded.embedder";
            transaction.execute(sql, (&store, &embedder))?;
            transaction.commit()
        });
        asked.await?;
        self.wake();
        Ok(())
    }

    /// The last move that was asked for; none when there never was one, or when it was called off.
    pub async fn move_state(&self) -> Result<Option<MoveState>, ApiError> {
        Ok(self.db.call(|connection| state(connection)).await?)
    }

    /// Calls off a move that is not done: the old vectors go on answering. False when there is none.
    pub async fn call_off_move(&self) -> Result<bool, ApiError> {
        let called_off = self.db.call(|connection| {
            let transaction = connection.transaction()?;
            let sql = "DELETE FROM vector_moves WHERE state <> 'done'";
            let n_rows = transaction.execute(sql, [])?;
            if n_rows > 0 {
                transaction.execute("DELETE FROM moved_vectors", [])?;
            }
            transaction.commit()?;
            Ok(n_rows > 0)
        });
        Ok(called_off.await?)
    }

    /// Whether a move is to be carried out.
    pub(super) async fn has_move(&self) -> Result<bool, ApiError> {
        Ok(self.db.call(|connection| is_moving(connection)).await?)
    }
}

fn state(connection: &Connection) -> sql::Result<Option<MoveState>> {
    let sql = "SELECT state, n_done, n_all, error FROM vector_moves";
    let row = connection.query_row(sql, [], |row| {
        let count = |i| row.get::<_, i64>(i).map(|n| n.max(0) as u64);
        let error: Option<String> = row.get(3)?;
        Ok(MoveState {
            phase: match row.get::<_, String>(0)?.as_str() {
                "moving" => MovePhase::Moving,
                "done" => MovePhase::Done,
                _ => MovePhase::Failed,
            },
            n_done: count(1)?,
            n_all: count(2)?,
            error: error.map(|json| error_from_json(&json)),
        })
    });
    row.optional()
}

pub(super) fn is_moving(connection: &Connection) -> sql::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM vector_moves WHERE state = 'moving')";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}
