//! How does the house keep secrets that it must be able to read again, so that the database alone gives none
//! of them away?
//!
//! Secrets of authenticator apps, headers that servers of tools are shown, and the sign-in service's tokens are
//! sealed (`seal`) with a key that lies in a file beside the database (`key`), each for its own row (`rows`):
//! what is moved to another row cannot be opened. The file is read whenever it is needed, so that a key that is
//! put back counts at once. What the house need only recognise (passwords, API keys, cookies, links) it keeps
//! as hashes, without any key.

mod key;
mod rows;
mod seal;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use portico_shared::error::{ApiError, ErrorCode};

use crate::config::ServerConfig;
use crate::db::Db;
use crate::db::sql::{self, Connection};

pub use key::{FILE_NAME, KeyFault, Keys};
pub use rows::{Examined, HEADER, ID_TOKEN, TOTP, examine, header_row};
pub use seal::{Place, Unopened};

/// The key's file, and the database whose secrets it seals.
#[derive(Clone, Debug)]
pub struct Vault {
    file: Arc<KeyFile>,
    db: Db,
}

/// Where the key lies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    pub path: PathBuf,
    /// The configuration names it: whoever did that makes it, and keeps it.
    pub is_named: bool,
}

impl KeyFile {
    /// `[server] secret_key_file`, beside the configuration; else a file of the data folder.
    pub fn of(config: &ServerConfig, data_dir: &Path, config_path: &Path) -> Self {
        match &config.secret_key_file {
            Some(file) => {
                let path = config_path.parent().unwrap_or(Path::new("")).join(file);
                Self { path, is_named: true }
            }
            None => Self { path: data_dir.join(FILE_NAME), is_named: false },
        }
    }
}

impl Vault {
    pub fn new(file: KeyFile, db: Db) -> Self {
        Self { file: Arc::new(file), db }
    }

    /// The keys, the first of which seals. The file is made where nothing was ever sealed.
    ///
    /// # Errors
    /// `secret_key_unusable`; those of the database.
    pub async fn keys(&self) -> Result<Keys, ApiError> {
        let file = Arc::clone(&self.file);
        let keys = self.db.call(move |connection| ready(connection, &file)).await?;
        keys.map_err(|fault| fault.told(&self.file.path))
    }

    /// At a server's start: seals what an earlier program kept as it was, and anew what an older key of the
    /// file sealed. A house whose key is away runs without these secrets.
    pub async fn settle(&self) {
        let file = Arc::clone(&self.file);
        let settled = self.db.call(move |connection| settle(connection, &file)).await;
        match settled {
            Ok(Ok(settled)) => {
                let rows::Settled { n_sealed, n_unopened } = settled;
                if n_sealed > 0 {
                    tracing::info!(n_sealed, "secrets in the database are sealed");
                }
                if n_unopened > 0 {
                    tracing::error!(n_unopened, "secrets are of another key: see portico doctor");
                }
            }
            Ok(Err(fault)) => {
                let error = fault.told(&self.file.path);
                tracing::error!(%error, detail = error.detail, "see portico doctor");
            }
            Err(error) => tracing::error!(%error, "secrets were not sealed"),
        }
    }
}

fn ready(connection: &Connection, file: &KeyFile) -> sql::Result<Result<Keys, KeyFault>> {
    let was_sealed = rows::was_sealed(connection)?;
    let keys = match Keys::read(&file.path) {
        Err(KeyFault::Absent) if !file.is_named && !was_sealed => Keys::make(&file.path),
        read => read,
    };
    let Ok(keys) = keys else { return Ok(keys) };
    rows::remember(connection, &keys)?;
    Ok(Ok(keys))
}

fn settle(
    connection: &mut Connection,
    file: &KeyFile,
) -> sql::Result<Result<rows::Settled, KeyFault>> {
    // Afterwards whoever writes plain ones into the database is not believed.
    let is_first = !rows::was_sealed(connection)?;
    let keys = match Keys::read(&file.path) {
        Err(KeyFault::Absent) if !file.is_named && is_first => Keys::make(&file.path),
        read => read,
    };
    let keys = match keys {
        Ok(keys) => keys,
        Err(fault) => return Ok(Err(fault)),
    };
    let settled = rows::settle(connection, &keys, is_first)?;
    if settled.n_sealed > 0 {
        connection.empty_log()?;
    }
    Ok(Ok(settled))
}

impl KeyFault {
    /// As people are told; where the file lies is for the log.
    fn told(&self, path: &Path) -> ApiError {
        let error = ApiError::new(ErrorCode::SecretKeyUnusable).with("reason", self);
        error.detail(path.display())
    }
}
