//! What if an upgrade is regretted? The database as it was stays beside the new one for a while.
//!
//! `portico.sqlite.schema-5` is what the program before knew: with the server stopped it can take the
//! database's place. It is made while no other process can write, and goes by itself: what people have
//! deleted since would else stay in it.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{fs, io};

use rusqlite::{Connection, OpenFlags};

use super::DbError;
use crate::temporary;

/// How long it is kept.
const KEPT: Duration = Duration::from_secs(30 * 86_400);

/// Where the copy of a database of this schema lies.
fn copy_path(path: &Path, schema: usize) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}.schema-{schema}"))
}

/// Keeps a copy before schema `schema` is migrated to `newest`. The caller holds the right to write.
pub(super) fn keep_copy(path: &Path, schema: usize, newest: usize) -> Result<(), DbError> {
    let to = copy_path(path, schema);
    // What is there was left: whoever else would write holds no right to.
    temporary::sweep_beside(&to);
    let temporary = temporary::beside(&to);
    let copied = copy(path, &temporary)
        .and_then(|()| fs::rename(&temporary, &to).map_err(|error| DbError::new(&to, error)));
    if let Err(error) = copied {
        // The first error is the one to tell.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    for older in (1..newest).filter(|&older| older != schema) {
        let _ = fs::remove_file(copy_path(path, older));
    }
    tracing::info!(copy = %to.display(), schema, newest, "the database is upgraded; it is kept as it was");
    Ok(())
}

fn copy(path: &Path, to: &Path) -> Result<(), DbError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(to).map_err(|error| DbError::new(to, error))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let reader = Connection::open_with_flags(path, flags);
    let reader = reader.map_err(|error| DbError::of_sqlite(path, error))?;
    let copied = reader.execute("VACUUM INTO ?1", [to.to_string_lossy()]);
    copied.map_err(|error| DbError::of_sqlite(to, error))?;
    let synced = fs::File::open(to).and_then(|file| file.sync_all());
    synced.map_err(|error| DbError::new(to, error))
}

/// Removes copies that were kept long enough.
pub(super) fn forget_copies(path: &Path, newest: usize) {
    for schema in 1..newest {
        let copy = copy_path(path, schema);
        let made = fs::metadata(&copy).and_then(|meta| meta.modified());
        let age = made.map(|made| SystemTime::now().duration_since(made).unwrap_or_default());
        if age.is_ok_and(|age| age > KEPT) {
            match fs::remove_file(&copy) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    tracing::warn!(copy = %copy.display(), %error, "not removed");
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::{Db, FILE_NAME, migrate};

    fn count(path: &Path) -> i64 {
        let sql = "SELECT count(*) FROM api_keys";
        Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    }

    #[test]
    fn a_database_of_every_earlier_schema_is_kept_and_migrated() {
        let newest = migrate::newest() as usize;
        for schema in 1..newest {
            let kept = tempfile::tempdir().unwrap();
            let folder = kept.path().join("folder");
            fs::create_dir_all(&folder).unwrap();
            let path = folder.join(FILE_NAME);
            let old = migrate::of_schema(&path, schema);
            old.execute(
                "INSERT INTO api_keys (id, name, hash, created_s) VALUES ('a', 'a', x'00', 1)",
                [],
            )
            .unwrap();
            drop(old);
            let older = folder.join(format!("{FILE_NAME}.schema-{}", newest - 1));
            if schema < newest - 1 {
                fs::write(&older, "of an upgrade before").unwrap();
            }
            Db::new(path.clone()).call_blocking(|_| Ok(())).unwrap();
            let version = |path: &Path| {
                let connection = Connection::open(path).unwrap();
                let version =
                    connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0));
                version.unwrap() as usize
            };
            let copy = copy_path(&path, schema);
            assert_eq!((version(&path), version(&copy)), (newest, schema));
            assert_eq!((count(&path), count(&copy)), (1, 1));
            assert!(schema == newest - 1 || !older.exists(), "one copy is enough");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o077, 0);
            }
            // A month later it is gone.
            let opened = fs::File::options().append(true).open(&copy).unwrap();
            opened.set_modified(SystemTime::now() - KEPT - Duration::from_secs(60)).unwrap();
            Db::new(path.clone()).call_blocking(|_| Ok(())).unwrap();
            assert!(!copy.exists());
        }
    }

    #[test]
    fn a_new_database_has_nothing_to_be_kept() {
        let kept = tempfile::tempdir().unwrap();
        let folder = kept.path().join("folder");
        Db::new(folder.join(FILE_NAME)).call_blocking(|_| Ok(())).unwrap();
        let names = fs::read_dir(&folder).unwrap().flatten().map(|entry| entry.file_name());
        assert!(names.into_iter().all(|name| !name.to_string_lossy().contains("schema")));
    }
}
