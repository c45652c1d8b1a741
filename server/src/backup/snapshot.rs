//! How is the database copied while others write to it?
//!
//! By SQLite: `VACUUM INTO` reads in one transaction, which with a write-ahead log holds up nobody, and
//! writes a new file without free pages. So what was deleted is not in the copy either. The file itself is
//! never opened otherwise: closing it would drop the locks of this process.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fs, thread};

use portico_shared::error::{ApiError, ErrorCode};
use rusqlite::{Connection, OpenFlags};

use super::Stop;
use crate::models::Progress;

const BUSY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often the copy's growth, and the wish to stop, are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Opens a database that is there; nothing is made or migrated.
///
/// # Errors
/// `data_absent`, `storage_failed`
pub fn open(path: &Path) -> Result<Connection, ApiError> {
    if !path.is_file() {
        let folder = path.parent().unwrap_or(path);
        return Err(ApiError::new(ErrorCode::DataAbsent).with("path", folder.display()));
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags);
    let connection = connection.map_err(|error| failed(path, &error))?;
    connection.busy_timeout(BUSY_TIMEOUT).map_err(|error| failed(path, &error))?;
    Ok(connection)
}

/// Its schema's version.
///
/// # Errors
/// `storage_failed` for a file that is no database.
pub fn schema(connection: &Connection, path: &Path) -> Result<u32, ApiError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get(0));
    version.map_err(|error| failed(path, &error))
}

/// Copies the database at `path` to `to`, an empty file.
///
/// # Errors
/// `cancelled`, `disk_full`, `storage_failed`
pub fn copy(
    connection: &Connection,
    path: &Path,
    to: &Path,
    stop: &Stop,
    progress: &mut Progress,
) -> Result<(), ApiError> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = pragma("page_count").and_then(|n| Ok((n, pragma("page_size")?)));
    let (n_pages, page_bytes) = pages.map_err(|error| failed(path, &error))?;
    progress.set_total((n_pages * page_bytes).max(0) as u64);
    let interrupt = connection.get_interrupt_handle();
    let is_done = AtomicBool::new(false);
    let copied = thread::scope(|scope| {
        scope.spawn(|| {
            while !is_done.load(Ordering::Acquire) {
                if stop.is_told() {
                    interrupt.interrupt();
                }
                progress.set_done(fs::metadata(to).map_or(0, |meta| meta.len()));
                thread::sleep(LOOK_EVERY);
            }
        });
        let copied = connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]);
        is_done.store(true, Ordering::Release);
        copied
    });
    stop.check()?;
    copied.map(|_| ()).map_err(|error| match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::DiskFull) => {
            let folder = to.parent().unwrap_or(to);
            ApiError::new(ErrorCode::DiskFull).with("path", folder.display()).detail(&error)
        }
        _ => failed(path, &error),
    })
}

/// What SQLite finds wrong with a database; none where it is whole. `quick` leaves out whether indexes
/// have what their tables have.
///
/// # Errors
/// `storage_failed`
pub fn faults(
    connection: &Connection,
    path: &Path,
    quick: bool,
) -> Result<Option<String>, ApiError> {
    let sql = if quick { "PRAGMA quick_check(5)" } else { "PRAGMA integrity_check(5)" };
    let listed = connection.prepare(sql).and_then(|mut select| {
        let rows = select.query_map([], |row| row.get::<_, String>(0))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()
    });
    match listed {
        Ok(lines) if lines == ["ok"] => Ok(None),
        Ok(lines) => Ok(Some(lines.join("; "))),
        Err(error) => match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
                Ok(Some(error.to_string()))
            }
            _ => Err(failed(path, &error)),
        },
    }
}

pub fn failed(path: &Path, error: &rusqlite::Error) -> ApiError {
    ApiError::new(ErrorCode::StorageFailed).with("path", path.display()).detail(error)
}
