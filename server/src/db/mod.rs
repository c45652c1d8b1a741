//! Where does the server keep what it must not forget?
//!
//! One SQLite file in the data folder, or a PostgreSQL database. Several processes use it at once
//! (`portico keys` beside a running server), and a writer waits for another: SQLite by its write-ahead log's
//! lock, PostgreSQL by one lock of the whole database. The schema's version is `PRAGMA user_version`, or
//! what stands in `portico_schema`; each migration runs once, in a transaction.

mod administration;
mod assistants;
mod attachments;
mod error;
mod home;
mod house;
mod migrate;
mod people;
mod postgres;
mod secrets;
mod shares;
mod sole;
pub mod sql;
mod sync;
mod upgrade;
mod usage;
mod vector_moves;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::OpenFlags;

pub use error::DbError;
pub use home::Home;
pub use sole::{Holder, Sole, holder};

use sql::{Backend, Connection};

/// The schema that this program knows.
pub fn newest_schema() -> u32 {
    migrate::newest()
}

/// Whether a PostgreSQL server lets this program in; nothing is migrated. None where it is a file.
pub fn reach(home: &Home) -> Option<Result<(), DbError>> {
    home.connect().map(|connected| connected.map(|_| ()))
}

/// Reads a house that may be served by another process: nothing is made or migrated. None where there is no
/// database, or one of another schema. Called where blocking does no harm.
pub fn look<T>(
    home: &Home,
    work: impl FnOnce(&Connection) -> sql::Result<T>,
) -> Result<Option<T>, DbError> {
    let failed = |error| DbError::of_statement(home.name(), error);
    let connection = match home.connect() {
        Some(connected) => connected?,
        None if !home.name().is_file() => return Ok(None),
        None => {
            // The log's index is written also by who only reads.
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let opened = rusqlite::Connection::open_with_flags(home.name(), flags)
                .and_then(|connection| connection.busy_timeout(BUSY_TIMEOUT).map(|()| connection));
            let opened = opened.map_err(|error| DbError::of_sqlite(home.name(), error))?;
            Connection(Backend::Sqlite(opened))
        }
    };
    let version = match connection.as_sqlite() {
        Some(file) => file
            .pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))
            .map_err(|error| DbError::of_sqlite(home.name(), error))?,
        None => postgres::version(&connection).map_err(failed)?,
    };
    match version == i64::from(newest_schema()) {
        true => work(&connection).map(Some).map_err(failed),
        false => Ok(None),
    }
}

/// Its name in the data folder.
pub const FILE_NAME: &str = "portico.sqlite";

/// How long a writer waits for another one.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// What a commit survives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Safety {
    /// The program's end.
    Program,
    /// The machine's too: for what other files must agree with.
    Machine,
}

/// The database; opened, and its folder made, when first used.
#[derive(Clone, Debug)]
pub struct Db {
    home: Home,
    safety: Safety,
    connection: Arc<Mutex<Option<Connection>>>,
}

impl Db {
    pub fn new(home: impl Into<Home>) -> Self {
        Self { home: home.into(), safety: Safety::Program, connection: Arc::default() }
    }

    /// One whose commits are on the disk when they return.
    pub fn durable(home: impl Into<Home>) -> Self {
        Self { safety: Safety::Machine, ..Self::new(home) }
    }

    /// Whether anything was ever kept.
    pub fn exists(&self) -> bool {
        self.home.file().is_none_or(Path::exists)
    }

    /// Runs `work` on a thread that may block.
    pub async fn call<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Connection) -> sql::Result<T> + Send + 'static,
    ) -> Result<T, DbError> {
        let db = self.clone();
        match tokio::task::spawn_blocking(move || db.work(work)).await {
            Ok(done) => done,
            Err(error) => Err(DbError::new(self.home.name(), error)),
        }
    }

    /// [`Self::call`] for the command line, which has nothing else to do.
    pub fn call_blocking<T: Send>(
        &self,
        work: impl FnOnce(&mut Connection) -> sql::Result<T> + Send,
    ) -> Result<T, DbError> {
        // PostgreSQL's client has a runtime of its own, which cannot run on a thread that another drives.
        if self.home.file().is_some() || tokio::runtime::Handle::try_current().is_err() {
            return self.work(work);
        }
        std::thread::scope(|scope| {
            let done = scope.spawn(|| self.work(work)).join();
            done.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    }

    fn work<T>(&self, work: impl FnOnce(&mut Connection) -> sql::Result<T>) -> Result<T, DbError> {
        // What a panic left behind was rolled back with its transaction.
        let mut guard = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        // A connection that was lost since is made anew.
        let connection = match guard.take().filter(|connection| !connection.is_lost()) {
            Some(connection) => connection,
            None => open(&self.home, self.safety)?,
        };
        work(guard.insert(connection))
            .map_err(|error| DbError::of_statement(self.home.name(), error))
    }
}

fn open(home: &Home, safety: Safety) -> Result<Connection, DbError> {
    match home.connect() {
        Some(connected) => {
            let mut connection = connected?;
            postgres::migrate(&mut connection, home.name())?;
            Ok(connection)
        }
        None => open_file(home.name(), safety),
    }
}

fn open_file(path: &Path, safety: Safety) -> Result<Connection, DbError> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| DbError::new(path, error))?;
    }
    make_private(path).map_err(|error| DbError::new(path, error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = rusqlite::Connection::open_with_flags(path, flags)
        .map_err(|error| DbError::new(path, error))?;
    let prepared = connection
        .busy_timeout(BUSY_TIMEOUT)
        .and_then(|()| use_write_ahead_log(&connection))
        // With a write-ahead log NORMAL loses nothing at a crash of the program.
        .and_then(|()| {
            let synchronous = match safety {
                Safety::Program => "NORMAL",
                Safety::Machine => "FULL",
            };
            connection.pragma_update(None, "synchronous", synchronous)
        })
        // What a person had deleted is overwritten; documents are many, and the house's.
        .and_then(|()| {
            let is_on = safety == Safety::Program;
            connection.pragma_update_and_check(None, "secure_delete", is_on, |_| Ok(()))
        })
        .and_then(|()| connection.pragma_update(None, "foreign_keys", true));
    prepared.map_err(|error| DbError::new(path, error))?;
    migrate::run(&mut connection, path)?;
    Ok(Connection(Backend::Sqlite(connection)))
}

/// Two that open a new file at once both want this, and SQLite tells the second that the file is busy without waiting
/// for it as for other statements: whoever waits with a read lock would keep the first from its end.
fn use_write_ahead_log(connection: &rusqlite::Connection) -> rusqlite::Result<()> {
    let began = Instant::now();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error)
                if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy)
                    && began.elapsed() < BUSY_TIMEOUT =>
            {
                std::thread::sleep(Duration::from_millis(5));
            }
            done => return done,
        }
    }
}

/// Makes the file if there is none, readable by the server's own account only; SQLite gives its log the
/// same rights.
///
/// Closing a file drops every lock that this process has on it, those of SQLite's connections too
/// (POSIX; sqlite.org/howtocorrupt.html, 2.2), and another process would then take the log for one that
/// nobody uses. So a file that is there is never opened but by SQLite, and none is opened while another
/// thread makes it.
fn make_private(path: &Path) -> std::io::Result<()> {
    static MAKING: Mutex<()> = Mutex::new(());
    let _alone = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
    if path.exists() {
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_open_a_new_file_at_once() {
        for _ in 0..100 {
            let kept = tempfile::tempdir().unwrap();
            let path = kept.path().join(FILE_NAME);
            let start = std::sync::Barrier::new(6);
            std::thread::scope(|scope| {
                for _ in 0..6 {
                    scope.spawn(|| {
                        start.wait();
                        let connection = rusqlite::Connection::open(&path).unwrap();
                        connection.busy_timeout(BUSY_TIMEOUT).unwrap();
                        use_write_ahead_log(&connection).unwrap();
                    });
                }
            });
        }
    }

    #[test]
    fn two_processes_share_a_file_and_migrate_it_once() {
        let kept = tempfile::tempdir().unwrap();
        let path = kept.path().join("deeper").join(FILE_NAME);
        let (one, other) = (Db::new(path.clone()), Db::new(path.clone()));
        let count = |db: &Db| {
            db.call_blocking(|connection| {
                connection
                    .query_row("SELECT count(*) FROM api_keys", [], |row| row.get::<_, u32>(0))
            })
        };
        assert_eq!(count(&one).unwrap(), 0);
        #[cfg(unix)]
        for name in [FILE_NAME.to_owned(), format!("{FILE_NAME}-wal")] {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = path.with_file_name(&name).metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0, "{name} can be read by others");
        }
        let writers = [one.clone(), other.clone()].map(|db| {
            std::thread::spawn(move || {
                for i in 0..50 {
                    let day = format!("{i}");
                    let sql = "INSERT INTO usage (who, day, model, prompt_tokens) VALUES ('a', ?1, 'm', 1)
                        ON CONFLICT DO UPDATE SET prompt_tokens = prompt_tokens + 1";
                    db.call_blocking(|connection| connection.execute(sql, [day])).unwrap();
                }
            })
        });
        for writer in writers {
            writer.join().unwrap();
        }
        let sum = one.call_blocking(|connection| {
            connection
                .query_row("SELECT sum(prompt_tokens) FROM usage", [], |row| row.get::<_, u32>(0))
        });
        assert_eq!(sum.unwrap(), 100);
    }

    /// Without them another process would take the log for one that nobody uses, and remove it.
    #[cfg(target_os = "linux")]
    #[test]
    fn a_second_connection_leaves_the_locks_of_the_first() {
        use std::os::unix::fs::MetadataExt as _;
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        let path = folder.join(FILE_NAME);
        let reads = |db: &Db| db.call_blocking(|connection| connection.execute_batch("SELECT 1"));
        let (one, other) = (Db::new(path.clone()), Db::durable(path.clone()));
        reads(&one).unwrap();
        let inode = path.metadata().unwrap().ino();
        let n_locks = || {
            let locks = std::fs::read_to_string("/proc/locks").unwrap();
            locks.lines().filter(|line| line.contains(&format!(":{inode} "))).count()
        };
        assert!(n_locks() > 0, "the first holds one");
        reads(&other).unwrap();
        assert!(n_locks() > 0, "it was dropped");
        drop((one, other));
    }

    #[test]
    fn a_newer_database_and_a_file_that_is_none_are_refused() {
        let kept = tempfile::tempdir().unwrap();
        let path = kept.path().join(FILE_NAME);
        rusqlite::Connection::open(&path)
            .unwrap()
            .pragma_update(None, "user_version", 1_000_000)
            .unwrap();
        let error = Db::new(path.clone()).call_blocking(|_| Ok(())).unwrap_err();
        assert!(error.to_string().contains("newer"), "{error}");
        std::fs::write(
            &path,
            "this is no database, though it is long enough to look like one".repeat(20),
        )
        .unwrap();
        assert!(Db::new(path.clone()).call_blocking(|_| Ok(())).is_err());
    }
}
