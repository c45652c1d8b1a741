//! What becomes of a file that comes in?
//!
//! It is known by its place (a name, a path in a synced folder, a URL): what comes to a place again
//! replaces what was there. The same bytes twice in a collection are one document, of which the other
//! places are noted; when the first place goes, another takes over.

use portico_shared::error::{ApiError, ErrorCode};
use uuid::Uuid;

use super::queue::PENDING;
use super::{Documents, media_type};
use crate::db::sql::{self, Connection, OptionalExtension as _, Transaction};
use crate::files::{Received, is_referred_to, total_bytes};
use crate::people::{Right, Rights};

const NAME_CHARS_MAX: usize = 255;
const PLACE_BYTES_MAX: usize = 4096;

/// Where a file came to, and what is known of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrival {
    pub collection: String,
    /// The synced folder or the crawl's start; nothing for an upload.
    pub root: String,
    pub place: String,
    pub name: String,
    /// As its sender says; else by its name.
    pub media_type: Option<String>,
    /// Seconds since 1970.
    pub date_s: i64,
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    New(Uuid),
    Replaced(Uuid),
    /// The same bytes were there already.
    Unchanged(Uuid),
    /// The same bytes lie in the collection at another place.
    Duplicate(Uuid),
}

impl Taken {
    pub fn document(self) -> Uuid {
        match self {
            Self::New(id) | Self::Replaced(id) | Self::Unchanged(id) | Self::Duplicate(id) => id,
        }
    }
}

/// What became of a file, and the job that goes on with it.
pub(super) struct Placed {
    pub taken: Taken,
    pub job: Option<String>,
}

impl Placed {
    fn idle(taken: Taken) -> Self {
        Self { taken, job: None }
    }
}

impl Documents {
    /// Queues a received file as a document.
    ///
    /// # Errors
    /// `collection_not_found`, `collection_read_only`, `documents_full`, `disk_full`,
    /// `files_unreachable`, `invalid_request` for a name that is none.
    pub async fn take_in(
        &self,
        rights: &Rights,
        arrival: Arrival,
        file: Received,
    ) -> Result<Taken, ApiError> {
        check(&arrival)?;
        self.require(rights, &arrival.collection, Right::Contribute).await?;
        self.check_room(&file.sha256, file.size_bytes).await?;
        self.files.send(&file, &self.db).await?;
        let gate = self.files.gate().await?;
        self.check_room(&file.sha256, file.size_bytes).await?;
        self.files.keep(&file, &gate).await?;
        super::step("file kept");
        let (sha256, size_bytes) = (file.sha256.clone(), file.size_bytes);
        let collection = arrival.collection.clone();
        let taken = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            // The collection may have gone meanwhile.
            let sql = "SELECT 1 FROM collections WHERE id = ?1";
            let is_there =
                transaction.query_row(sql, [&arrival.collection], |_| Ok(())).optional()?;
            if is_there.is_none() {
                return Ok(None);
            }
            let placed = place_file(&transaction, &arrival, &sha256, size_bytes)?;
            transaction.commit()?;
            Ok(Some(placed.taken))
        });
        let taken = taken.await?;
        drop(gate);
        super::step("taken in");
        self.wake();
        let gone = || ApiError::new(ErrorCode::CollectionNotFound).with("collection", collection);
        taken.ok_or_else(gone)
    }

    /// Whether a file that comes may still be kept.
    ///
    /// # Errors
    /// `documents_full`
    pub async fn check_room(&self, sha256: &str, size_bytes: u64) -> Result<(), ApiError> {
        let Some(max_bytes) = self.config.max_total_bytes else { return Ok(()) };
        let wanted = sha256.to_owned();
        let used = self.db.call(move |connection| match is_referred_to(connection, &wanted)? {
            true => Ok(None),
            false => total_bytes(connection).map(Some),
        });
        // What is there already takes no more room.
        let Some(used) = used.await? else { return Ok(()) };
        match used.saturating_add(size_bytes) > max_bytes {
            true => Err(ApiError::new(ErrorCode::DocumentsFull).with("max_bytes", max_bytes)),
            false => Ok(()),
        }
    }

    /// What is at a place goes; false where nothing was.
    ///
    /// # Errors
    /// `collection_not_found`, `collection_read_only`.
    pub async fn remove_place(
        &self,
        rights: &Rights,
        collection: &str,
        root: &str,
        place: &str,
    ) -> Result<bool, ApiError> {
        self.require(rights, collection, Right::Contribute).await?;
        let (collection, root, place) = (collection.to_owned(), root.to_owned(), place.to_owned());
        let removed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let at = At { collection: &collection, root: &root, place: &place };
            let removed = vacate(&transaction, at)?;
            transaction.commit()?;
            Ok(removed)
        });
        let removed = removed.await?;
        self.wake();
        Ok(removed)
    }
}

pub(super) fn check(arrival: &Arrival) -> Result<(), ApiError> {
    let invalid = |reason: String| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
    let n_chars = arrival.name.chars().count();
    let is_name = (1..=NAME_CHARS_MAX).contains(&n_chars)
        && !arrival.name.trim().is_empty()
        && !arrival.name.chars().any(|c| c.is_control() || is_direction(c));
    if !is_name {
        let rule = format!("1 to {NAME_CHARS_MAX} characters, no control characters");
        return Err(invalid(format!("this is no name for a document: {rule}")));
    }
    if arrival.place.is_empty()
        || arrival.place.len() > PLACE_BYTES_MAX
        || arrival.place.chars().any(char::is_control)
    {
        return Err(invalid(format!("a path or address has at most {PLACE_BYTES_MAX} bytes")));
    }
    Ok(())
}

/// Characters that turn the direction of writing, so that `exe.pdf` reads as `fdp.exe`.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// The part of a name behind the last `/` or `\`: what a client sends may be a path.
pub fn file_name(name: &str) -> String {
    name.rsplit(['/', '\\']).next().unwrap_or_default().trim().to_owned()
}

#[derive(Clone, Copy)]
struct At<'a> {
    collection: &'a str,
    root: &'a str,
    place: &'a str,
}

impl At<'_> {
    fn values(&self) -> (&str, &str, &str) {
        (self.collection, self.root, self.place)
    }
}

/// A document with the digest of its newest version.
struct Known {
    id: String,
    sha256: Option<String>,
}

const KNOWN: &str = "SELECT d.id, coalesce(j.sha256, d.sha256) AS newest
    FROM documents d LEFT JOIN jobs j ON j.document = d.id";

fn known(row: &sql::Row<'_>) -> sql::Result<Known> {
    Ok(Known { id: row.get(0)?, sha256: row.get(1)? })
}

pub(super) fn place_file(
    transaction: &Transaction<'_>,
    arrival: &Arrival,
    sha256: &str,
    size_bytes: u64,
) -> sql::Result<Placed> {
    let at = At { collection: &arrival.collection, root: &arrival.root, place: &arrival.place };
    let at_place = format!("{KNOWN} WHERE d.collection = ?1 AND d.root = ?2 AND d.place = ?3");
    let here = transaction.query_row(&at_place, at.values(), known).optional()?;
    if let Some(here) = &here
        && here.sha256.as_deref() == Some(sha256)
    {
        // Of a synced folder: the next look compares dates first.
        let sql = "UPDATE documents SET date_s = ?2 WHERE id = ?1 AND date_s IS NOT NULL";
        transaction.execute(sql, (&here.id, arrival.date_s))?;
        return Ok(Placed::idle(Taken::Unchanged(uuid(&here.id))));
    }
    let same = format!(
        "{KNOWN} WHERE d.collection = ?1 AND coalesce(j.sha256, d.sha256) = ?2 ORDER BY d.id LIMIT 1"
    );
    let values = (&arrival.collection, sha256);
    if let Some(other) = transaction.query_row(&same, values, known).optional()? {
        vacate(transaction, at)?;
        let sql = "INSERT INTO document_places (collection, root, place, name, date_s, document)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let (collection, root, place) = at.values();
        let values = (collection, root, place, &arrival.name, arrival.date_s, &other.id);
        transaction.execute(sql, values)?;
        return Ok(Placed::idle(Taken::Duplicate(uuid(&other.id))));
    }
    let has_other_places = |id: &str| -> sql::Result<bool> {
        let sql = "SELECT EXISTS (SELECT 1 FROM document_places WHERE document = ?1)";
        transaction.query_row(sql, [id], |row| row.get(0))
    };
    // What also lies elsewhere keeps its text there.
    if let Some(here) = here
        && !has_other_places(&here.id)?
    {
        let job = queue(transaction, &here.id, arrival, sha256, size_bytes)?;
        return Ok(Placed { taken: Taken::Replaced(uuid(&here.id)), job: Some(job) });
    }
    vacate(transaction, at)?;
    let id = Uuid::now_v7();
    let sql = "INSERT INTO documents (id, collection, root, place, name, created_s)
        VALUES (?1, ?2, ?3, ?4, ?5, unixepoch())";
    let (collection, root, place) = at.values();
    transaction.execute(sql, (id.to_string(), collection, root, place, &arrival.name))?;
    let job = queue(transaction, &id.to_string(), arrival, sha256, size_bytes)?;
    Ok(Placed { taken: Taken::New(id), job: Some(job) })
}

/// A job for a document, instead of the one that it may have.
fn queue(
    transaction: &Transaction<'_>,
    document: &str,
    arrival: &Arrival,
    sha256: &str,
    size_bytes: u64,
) -> sql::Result<String> {
    begin_run(transaction)?;
    transaction.execute("DELETE FROM jobs WHERE document = ?1", [document])?;
    let id = Uuid::now_v7().to_string();
    let media_type = media_type::of(arrival.media_type.as_deref(), &arrival.name);
    let sql = "INSERT INTO jobs (id, document, state, sha256, size_bytes, media_type, date_s)
        VALUES (?1, ?2, 'queued', ?3, ?4, ?5, ?6)";
    let values = (&id, document, sha256, size_bytes as i64, media_type, arrival.date_s);
    transaction.execute(sql, values)?;
    Ok(id)
}

/// Forgets what was done when nothing was left to do: sums begin anew.
fn begin_run(connection: &Connection) -> sql::Result<()> {
    let sql = format!(
        "DELETE FROM jobs WHERE state = 'done'
            AND NOT EXISTS (SELECT 1 FROM jobs WHERE state IN {PENDING})"
    );
    connection.execute(&sql, [])?;
    Ok(())
}

/// Takes what is at a place away from it: a document that also lies elsewhere goes there, one that does
/// not is deleted. False where nothing was.
fn vacate(transaction: &Transaction<'_>, at: At<'_>) -> sql::Result<bool> {
    let sql = "DELETE FROM document_places WHERE collection = ?1 AND root = ?2 AND place = ?3";
    if transaction.execute(sql, at.values())? > 0 {
        return Ok(true);
    }
    let sql = "SELECT id FROM documents WHERE collection = ?1 AND root = ?2 AND place = ?3";
    let document: Option<String> =
        transaction.query_row(sql, at.values(), |row| row.get(0)).optional()?;
    let Some(document) = document else { return Ok(false) };
    let sql = "SELECT root, place, name, date_s FROM document_places WHERE document = ?1
        ORDER BY rowid LIMIT 1";
    type Heir = (String, String, String, i64);
    let heir: Option<Heir> = transaction
        .query_row(sql, [&document], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))
        .optional()?;
    match heir {
        Some((root, place, name, _)) => {
            let sql =
                "DELETE FROM document_places WHERE collection = ?1 AND root = ?2 AND place = ?3";
            transaction.execute(sql, (at.collection, &root, &place))?;
            let sql = "UPDATE documents SET root = ?2, place = ?3, name = ?4 WHERE id = ?1";
            transaction.execute(sql, (&document, root, place, name))?;
        }
        None => {
            transaction.execute("DELETE FROM documents WHERE id = ?1", [&document])?;
        }
    }
    Ok(true)
}

fn uuid(text: &str) -> Uuid {
    text.parse().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_are_refused_or_cut_to_their_last_part() {
        let name = |name: &str| {
            let arrival = Arrival {
                collection: "c".to_owned(),
                root: String::new(),
                place: "p".to_owned(),
                name: file_name(name),
                media_type: None,
                date_s: 0,
            };
            check(&arrival).map(|()| arrival.name).ok()
        };
        assert_eq!(name("../../etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(name("C:\\temp\\a b.pdf").as_deref(), Some("a b.pdf"));
        assert_eq!(name("Prüfung – 1.docx").as_deref(), Some("Prüfung – 1.docx"));
        for bad in ["", " ", "a/", "a\nb", "a\0b", "invoice\u{202e}fdp.exe", &"a".repeat(256)] {
            assert_eq!(name(bad), None, "{bad:?}");
        }
    }
}
