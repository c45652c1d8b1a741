//! Which tables are there, and how does an older database get them?

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::DbError;
use super::administration::ADMINISTRATION;
use super::assistants::ASSISTANTS;
use super::attachments::{ATTACHMENTS, SEALED_ATTACHMENTS};
use super::house::HOUSE;
use super::people::PEOPLE;
use super::secrets::SECRETS;
use super::shares::SHARES;
use super::sync::{SEALING, SYNC};
use super::upgrade;
use super::usage::USAGE_BY_PLACE;
use super::vector_moves::VECTOR_MOVES;

/// In order; one that was released never changes.
const MIGRATIONS: [&str; 14] = [
    KEYS,
    DOCUMENTS,
    PEOPLE,
    VECTOR_MOVES,
    SYNC,
    SEALING,
    ATTACHMENTS,
    USAGE_BY_PLACE,
    HOUSE,
    ASSISTANTS,
    SHARES,
    ADMINISTRATION,
    SEALED_ATTACHMENTS,
    SECRETS,
];

const KEYS: &str = "CREATE TABLE api_keys (
        -- In the key's own text, to find it by.
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        -- SHA-256 of the whole key.
        hash BLOB NOT NULL,
        created_s INTEGER NOT NULL,
        expires_s INTEGER,
        revoked_s INTEGER,
        -- JSON list of model names; null allows all.
        models TEXT,
        requests_per_minute INTEGER,
        tokens_per_minute INTEGER,
        tokens_per_day INTEGER,
        tokens_per_month INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX api_keys_name ON api_keys (name) WHERE revoked_s IS NULL;
    CREATE TABLE usage (
        -- A key's id, or who else asked.
        who TEXT NOT NULL,
        -- 2026-11-25, UTC.
        day TEXT NOT NULL,
        model TEXT NOT NULL,
        requests INTEGER NOT NULL DEFAULT 0,
        prompt_tokens INTEGER NOT NULL DEFAULT 0,
        completion_tokens INTEGER NOT NULL DEFAULT 0,
        PRIMARY KEY (who, day, model)
    ) STRICT, WITHOUT ROWID;";

/// Collections with their rights, documents, the queue of work on them, and their passages.
const DOCUMENTS: &str = "
    -- JSON list of group names.
    ALTER TABLE api_keys ADD COLUMN groups TEXT NOT NULL DEFAULT '[]';
    ALTER TABLE api_keys ADD COLUMN is_admin INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE collections (
        id TEXT PRIMARY KEY,
        title TEXT NOT NULL,
        -- The model that makes its vectors; null: it is searched by words alone.
        embedder TEXT,
        created_s INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE collection_rights (
        collection TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        group_name TEXT NOT NULL,
        -- 1 read, 2 contribute, 3 manage.
        level INTEGER NOT NULL,
        PRIMARY KEY (collection, group_name)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE documents (
        -- UUIDv7
        id TEXT PRIMARY KEY,
        collection TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        -- A synced folder, the start of a crawl, or '' for what was uploaded.
        root TEXT NOT NULL,
        -- By which it is known when it comes again: a path in the folder, a URL, a name.
        place TEXT NOT NULL,
        name TEXT NOT NULL,
        created_s INTEGER NOT NULL,
        -- Of the version that can be searched; null before there is one.
        sha256 TEXT,
        size_bytes INTEGER,
        media_type TEXT,
        date_s INTEGER,
        -- The text's own, which goes into its passages' vectors.
        title TEXT,
        lang TEXT,
        n_pages INTEGER,
        n_passages INTEGER NOT NULL DEFAULT 0,
        -- JSON list.
        warnings TEXT NOT NULL DEFAULT '[]',
        UNIQUE (collection, root, place)
    ) STRICT;
    CREATE INDEX documents_sha256 ON documents (sha256);
    -- Where else the same bytes lie.
    CREATE TABLE document_places (
        collection TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        root TEXT NOT NULL,
        place TEXT NOT NULL,
        name TEXT NOT NULL,
        date_s INTEGER NOT NULL,
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        PRIMARY KEY (collection, root, place)
    ) STRICT;
    CREATE INDEX document_places_document ON document_places (document);
    -- A version of a document on its way to be searched.
    CREATE TABLE jobs (
        -- UUIDv7: in the order of arrival.
        id TEXT PRIMARY KEY,
        document TEXT NOT NULL UNIQUE REFERENCES documents (id) ON DELETE CASCADE,
        -- queued, extracting, embedding, indexing, done, failed
        state TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        size_bytes INTEGER NOT NULL,
        media_type TEXT NOT NULL,
        date_s INTEGER NOT NULL,
        title TEXT,
        lang TEXT,
        n_pages INTEGER,
        n_passages INTEGER NOT NULL DEFAULT 0,
        n_embedded INTEGER NOT NULL DEFAULT 0,
        warnings TEXT NOT NULL DEFAULT '[]',
        attempts INTEGER NOT NULL DEFAULT 0,
        -- Not before this moment, in milliseconds since 1970.
        wait_until_ms INTEGER NOT NULL DEFAULT 0,
        -- JSON, of one that failed.
        error TEXT
    ) STRICT;
    CREATE INDEX jobs_state ON jobs (state, id);
    CREATE INDEX jobs_sha256 ON jobs (sha256);
    -- Passages of a version that cannot be searched yet.
    CREATE TABLE staged_passages (
        job TEXT NOT NULL REFERENCES jobs (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        id BLOB NOT NULL,
        text TEXT NOT NULL,
        -- JSON list.
        heading_path TEXT NOT NULL,
        page INTEGER,
        section TEXT,
        -- Characters of the document's text.
        from_char INTEGER NOT NULL,
        to_char INTEGER NOT NULL,
        n_tokens INTEGER NOT NULL,
        lang TEXT NOT NULL,
        -- Little-endian float32.
        vector BLOB,
        UNIQUE (job, ordinal)
    ) STRICT;
    -- Live ones: both indexes have them.
    CREATE TABLE passages (
        id BLOB PRIMARY KEY,
        document TEXT NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        ordinal INTEGER NOT NULL,
        text TEXT NOT NULL,
        heading_path TEXT NOT NULL,
        page INTEGER,
        section TEXT,
        from_char INTEGER NOT NULL,
        to_char INTEGER NOT NULL,
        n_tokens INTEGER NOT NULL,
        lang TEXT NOT NULL,
        vector BLOB
    ) STRICT;
    CREATE INDEX passages_document ON passages (document, ordinal);
    -- What was extracted, as JSON.
    CREATE TABLE staged_texts (
        job TEXT PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
        extracted TEXT NOT NULL
    ) STRICT;
    CREATE TABLE document_texts (
        document TEXT PRIMARY KEY REFERENCES documents (id) ON DELETE CASCADE,
        extracted TEXT NOT NULL
    ) STRICT;
    -- Passages that the indexes may still have and that are live no more.
    CREATE TABLE index_removals (id BLOB PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TRIGGER passage_gone AFTER DELETE ON passages BEGIN
        INSERT OR IGNORE INTO index_removals VALUES (OLD.id);
    END;
    CREATE TRIGGER staged_passage_gone AFTER DELETE ON staged_passages
        WHEN NOT EXISTS (SELECT 1 FROM passages WHERE id = OLD.id) BEGIN
        INSERT OR IGNORE INTO index_removals VALUES (OLD.id);
    END;
    -- Files that nothing may refer to any more.
    CREATE TABLE file_removals (sha256 TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;
    CREATE TRIGGER document_file_gone AFTER DELETE ON documents WHEN OLD.sha256 IS NOT NULL BEGIN
        INSERT OR IGNORE INTO file_removals VALUES (OLD.sha256);
    END;
    CREATE TRIGGER document_file_replaced AFTER UPDATE OF sha256 ON documents
        WHEN OLD.sha256 IS NOT NEW.sha256 AND OLD.sha256 IS NOT NULL BEGIN
        INSERT OR IGNORE INTO file_removals VALUES (OLD.sha256);
    END;
    CREATE TRIGGER job_file_gone AFTER DELETE ON jobs BEGIN
        INSERT OR IGNORE INTO file_removals VALUES (OLD.sha256);
    END;
    -- Files that came ahead of what refers to them.
    CREATE TABLE held_files (
        sha256 TEXT PRIMARY KEY,
        size_bytes INTEGER NOT NULL,
        until_s INTEGER NOT NULL
    ) STRICT;
    CREATE TRIGGER held_file_gone AFTER DELETE ON held_files BEGIN
        INSERT OR IGNORE INTO file_removals VALUES (OLD.sha256);
    END;
    -- How a file of a synced folder was when it was last taken in: a change shows without reading it.
    CREATE TABLE synced (
        collection TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        root TEXT NOT NULL,
        place TEXT NOT NULL,
        stamp TEXT NOT NULL,
        PRIMARY KEY (collection, root, place)
    ) STRICT, WITHOUT ROWID;
    -- What a crawl knows of an address.
    CREATE TABLE crawled (
        collection TEXT NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        root TEXT NOT NULL,
        url TEXT NOT NULL,
        etag TEXT,
        last_modified TEXT,
        -- JSON list of the addresses that it links to.
        links TEXT NOT NULL DEFAULT '[]',
        PRIMARY KEY (collection, root, url)
    ) STRICT, WITHOUT ROWID;";

/// The schema that this program knows, and makes.
pub(super) fn newest() -> u32 {
    MIGRATIONS.len() as u32
}

/// Brings the database to this program's version; several processes may try at once.
pub(super) fn run(connection: &mut Connection, path: &Path) -> Result<(), DbError> {
    let failed = |error: rusqlite::Error| DbError::new(path, error);
    let newest = MIGRATIONS.len();
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: usize = transaction
        .pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))
        .map_err(failed)? as usize;
    if version > newest {
        return Err(DbError::newer(path, version as u32));
    }
    if version == newest {
        upgrade::forget_copies(path, newest);
        return Ok(());
    }
    if version > 0 {
        upgrade::keep_copy(path, version, newest)?;
    }
    for migration in &MIGRATIONS[version..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "user_version", newest as u32).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// A new database as a program of `schema` left it.
#[cfg(test)]
pub(super) fn of_schema(path: &Path, schema: usize) -> Connection {
    let connection = Connection::open(path).unwrap();
    for migration in &MIGRATIONS[..schema] {
        connection.execute_batch(migration).unwrap();
    }
    connection.pragma_update(None, "user_version", schema as u32).unwrap();
    connection
}
