//! How do a person's devices have the same conversations? Each pushes what it wrote to one log a
//! person, and pulls what the others wrote.
//!
//! The log is operations of [`portico_shared::sync`] in the order of their arrival, in SQLite: appended
//! in one transaction a push, each once by its id, never changed. Drafts that a later text supersedes
//! are dropped, for they change nothing. `take` is how they come in, `log` how they are read, `wake` who
//! is told. What the server does not understand it keeps and passes on.
//!
//! Beside the operations stands, for each conversation, its head: a new device lists ten thousand
//! conversations without reading their messages.

mod api;
mod arrived;
mod body;
mod keyring;
mod log;
mod packed;
mod take;
mod wake;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use portico_shared::error::ApiError;
use portico_shared::sync::wire::{KeyringState, Position, Pushed, PutKeyring, Wake};
use tokio::sync::broadcast;
use uuid::Uuid;

use crate::db::sql::Connection;
use crate::db::{Db, Home};
use crate::http_error::HttpError;
use crate::people::PersonId;
use wake::Wakers;

pub use api::router;
pub(crate) use log::{
    ConversationStanding, conversation_standing, export, is_sealed, sealed_conversation_standing,
};

/// All people's logs.
#[derive(Debug)]
pub struct Sync {
    /// The one writer; what it has said is taken is on the disk.
    writer: Db,
    /// So that who reads does not wait for who writes.
    reader: Db,
    wakers: Wakers,
    written: Arc<Mutex<take::Written>>,
}

impl Sync {
    pub fn new(home: &Home) -> Arc<Self> {
        Arc::new(Self {
            writer: Db::durable(home.clone()),
            reader: Db::new(home.clone()),
            wakers: Wakers::default(),
            written: Arc::default(),
        })
    }

    /// Takes a push's lines in, and tells the person's other devices.
    ///
    /// # Errors
    /// `invalid_request`, or the database's.
    pub async fn push(&self, person: PersonId, lines: Vec<u8>) -> Result<Pushed, ApiError> {
        let read = tokio::task::spawn_blocking(move || arrived::read(&lines, now_ms()));
        let (arrived, refused) = read.await.map_err(internal)??;
        let written = Arc::clone(&self.written);
        let push = move |db: &mut Connection| {
            // A panic in between leaves less known than there is, which costs a mark.
            let mut written = written.lock().unwrap_or_else(PoisonError::into_inner);
            take::push(db, person, arrived, refused, &mut written)
        };
        let pushed = self.writer.call(push).await?;
        if pushed.n_new > 0 {
            let wake = Wake::Log { epoch: pushed.epoch, cursor: pushed.cursor };
            self.wakers.tell(person, wake);
        }
        Ok(pushed)
    }

    /// A page of the log behind `position`, as lines.
    ///
    /// # Errors
    /// The database's.
    pub async fn pull(
        &self,
        person: PersonId,
        position: Position,
        until: Option<u64>,
    ) -> Result<Vec<u8>, ApiError> {
        let log = self.log(person).await?;
        Ok(self.reader.call(move |db| log::pull(db, log, position, until)).await?)
    }

    /// A page of one conversation's operations, as lines.
    ///
    /// # Errors
    /// The database's.
    pub async fn conversation(
        &self,
        person: PersonId,
        conversation: Uuid,
        since: u64,
    ) -> Result<Vec<u8>, ApiError> {
        let log = self.log(person).await?;
        Ok(self.reader.call(move |db| log::conversation(db, log, conversation, since)).await?)
    }

    /// A page of the conversations' heads, as lines.
    ///
    /// # Errors
    /// The database's.
    pub async fn snapshot(
        &self,
        person: PersonId,
        after: Option<Uuid>,
    ) -> Result<Vec<u8>, ApiError> {
        let log = self.log(person).await?;
        Ok(self.reader.call(move |db| log::snapshot(db, log, after)).await?)
    }

    /// Whether the person's log is sealed, with its keyring.
    ///
    /// # Errors
    /// The database's.
    pub async fn keyring(&self, person: PersonId) -> Result<KeyringState, ApiError> {
        let log = self.log(person).await?;
        Ok(self.reader.call(move |db| keyring::state(db, log)).await?)
    }

    /// Puts another keyring in its place; where the log becomes sealed, or plain, it begins anew.
    ///
    /// # Errors
    /// `sync_keyring_changed`, `sync_not_settled`, `invalid_request`, or the database's.
    pub async fn put_keyring(
        &self,
        person: PersonId,
        put: PutKeyring,
    ) -> Result<KeyringState, ApiError> {
        keyring::check(&put)?;
        match self.writer.call(move |db| keyring::put(db, person, &put)).await? {
            keyring::Put::Refused(error) => Err(error),
            keyring::Put::Taken { state, begins_anew } => {
                if begins_anew {
                    let wake = Wake::Log { epoch: state.epoch, cursor: state.cursor };
                    self.wakers.tell(person, wake);
                }
                Ok(state)
            }
        }
    }

    /// Deletes a conversation that from now on stays on a device.
    ///
    /// # Errors
    /// The database's.
    pub async fn withdraw(&self, person: PersonId, conversation: Uuid) -> Result<(), ApiError> {
        Ok(self.writer.call(move |db| log::withdraw(db, person, conversation)).await?)
    }

    /// Deletes conversations of which no message is younger than `before_ms`; devices keep their
    /// copies. Gives which.
    ///
    /// # Errors
    /// The database's.
    pub async fn expire(&self, person: PersonId, before_ms: u64) -> Result<Vec<Uuid>, ApiError> {
        Ok(self.writer.call(move |db| log::expire(db, person, before_ms)).await?)
    }

    /// Deletes all that is here of a person.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget(&self, person: PersonId) -> Result<(), ApiError> {
        self.writer.call(move |db| log::forget(db, person)).await?;
        self.wakers.forget(person);
        Ok(())
    }

    /// What the person's devices are told from now on.
    fn listen(&self, person: PersonId) -> Result<broadcast::Receiver<Wake>, ApiError> {
        self.wakers.listen(person)
    }

    /// The log's end, for a device that begins to listen.
    async fn end(&self, person: PersonId) -> Result<Wake, ApiError> {
        let log = self.log(person).await?;
        Ok(Wake::Log { epoch: log.epoch, cursor: log.last_seq })
    }

    fn tell(&self, person: PersonId, wake: Wake) {
        self.wakers.tell(person, wake);
    }

    async fn log(&self, person: PersonId) -> Result<log::Log, ApiError> {
        if let Some(log) = self.reader.call(move |db| log::find(db, person)).await? {
            return Ok(log);
        }
        Ok(self.writer.call(move |db| log::ensure(db, person)).await?)
    }
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

fn internal(cause: impl std::fmt::Display) -> ApiError {
    HttpError::internal(cause).error
}
