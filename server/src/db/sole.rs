//! Which server has the house? One at a time: two would undo what the other does to indexes, files and queues.
//!
//! It locks a file of its own in the data folder (never the database's: closing that drops SQLite's locks) and,
//! where the database lies with a PostgreSQL server, takes an advisory lock there by a connection that does
//! nothing else. Both go with the process, however that ends. A lost connection is made anew; where another
//! server was faster, this one must stop. Verbs of the command line ask for neither lock.

mod folder;
mod server;

use std::future::Future;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::Home;
use crate::keys::{day_of, now_s};

/// How long one may take to go that was killed, or is ending.
const PATIENCE: Duration = Duration::from_secs(3);
const TRY_EVERY: Duration = Duration::from_millis(100);

/// The right to serve a house, while it is kept.
#[derive(Debug)]
pub struct Sole {
    holder: Holder,
    folder: folder::Lock,
    /// None where the database is a file.
    server: Option<Watched>,
}

/// The thread that keeps the lock at the database's server: it ends with this.
#[derive(Debug)]
struct Watched {
    told: mpsc::Sender<Holder>,
    lost: Option<oneshot::Receiver<ApiError>>,
}

/// Which server serves this house now; nothing is made or changed. Called where blocking does no harm.
///
/// # Errors
/// `storage_failed`, `database_unreachable`
pub fn holder(home: &Home, data_dir: &Path) -> Result<Option<Holder>, ApiError> {
    match folder::holder(data_dir)? {
        Some(holder) => Ok(Some(holder)),
        None => Ok(server::holder(home)?),
    }
}

/// Who has it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub host: String,
    pub addr: String,
    /// When it began, in seconds since 1970.
    pub since_s: u64,
}

impl Holder {
    fn this(addr: SocketAddr) -> Self {
        let host = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
        let host = host.or_else(|| std::env::var("HOSTNAME").ok()).unwrap_or_default();
        let host = host.split_whitespace().next().unwrap_or("localhost").to_owned();
        Self { pid: std::process::id(), host, addr: addr.to_string(), since_s: now_s() }
    }

    /// `2026-11-26 16:30 UTC`
    pub fn since(&self) -> String {
        let (hour, minute) = (self.since_s / 3_600 % 24, self.since_s / 60 % 60);
        format!("{} {hour:02}:{minute:02} UTC", day_of(self.since_s))
    }

    /// `server_running`
    fn refusal(&self, place: &Path) -> ApiError {
        let known = |text: String| if text.is_empty() { "?".to_owned() } else { text };
        ApiError::new(ErrorCode::ServerRunning)
            .with("place", place.display())
            .with("pid", self.pid)
            .with("host", known(self.host.clone()))
            .with("addr", known(self.addr.clone()))
            .with("since", self.since())
    }
}

impl Sole {
    /// Takes it, for a server that will listen at `addr`. Called where blocking does no harm.
    ///
    /// # Errors
    /// `server_running`, `storage_failed`, `database_unreachable`.
    pub fn take(home: &Home, data_dir: &Path, addr: SocketAddr) -> Result<Self, ApiError> {
        let holder = Holder::this(addr);
        let folder = folder::Lock::take(data_dir, &holder)?;
        let server = match home.file() {
            Some(_) => None,
            None => Some(server::watch(home.clone(), holder.clone())?),
        };
        Ok(Self { holder, folder, server })
    }

    /// Where it listens indeed: others are told so.
    pub fn listens_at(&mut self, addr: SocketAddr) {
        self.holder.addr = addr.to_string();
        self.folder.write(&self.holder);
        if let Some(watched) = &self.server {
            // A thread that has ended has said why.
            let _ = watched.told.send(self.holder.clone());
        }
    }

    /// Comes to its end when another server has the house: `server_running`. Only once.
    pub fn lost(&mut self) -> impl Future<Output = ApiError> + Send + 'static {
        let lost = self.server.as_mut().and_then(|watched| watched.lost.take());
        async move {
            match lost {
                Some(lost) => match lost.await {
                    Ok(error) => error,
                    Err(_) => std::future::pending().await,
                },
                None => std::future::pending().await,
            }
        }
    }
}
