//! Which collections are there, and who may do what with each?

use std::collections::BTreeMap;

use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::Documents;
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::keys::now_s;
use crate::people::{EVERYONE, Right, Rights, enough, is_group_name};

const ID_CHARS_MAX: usize = 64;
const TITLE_CHARS_MAX: usize = 200;

/// A collection as a caller sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    pub id: String,
    pub title: String,
    /// The caller's own right.
    pub rights: Right,
    pub n_documents: u64,
    pub n_passages: u64,
    /// The model that makes its vectors; none: it is searched by words alone.
    pub embedder: Option<String>,
    /// For those who manage it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Groups>,
}

/// Which groups have which right; a group that is named twice has the higher one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Groups {
    pub read: Vec<String>,
    pub contribute: Vec<String>,
    pub manage: Vec<String>,
}

/// A collection that is wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct NewCollection {
    pub title: String,
    /// Else made of the title.
    pub id: Option<String>,
    /// Else everyone reads it.
    pub groups: Option<Groups>,
    /// Else the server's; `none`: it is searched by words alone.
    pub embedder: Option<String>,
}

/// What is to become of a collection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct CollectionChange {
    pub title: Option<String>,
    pub groups: Option<Groups>,
}

impl Groups {
    pub fn readers(groups: &[String]) -> Self {
        Self { read: groups.to_vec(), ..Self::default() }
    }

    fn levels(&self) -> Result<BTreeMap<&str, Right>, ApiError> {
        let mut levels = BTreeMap::new();
        for (groups, right) in [
            (&self.read, Right::Read),
            (&self.contribute, Right::Contribute),
            (&self.manage, Right::Manage),
        ] {
            for group in groups {
                if !is_group_name(group) {
                    return Err(invalid(format!("`{group}` is no name of a group")));
                }
                levels.insert(group.as_str(), right);
            }
        }
        Ok(levels)
    }
}

impl Documents {
    /// Those that the caller may read, by title.
    pub async fn collections(&self, rights: &Rights) -> Result<Vec<Collection>, ApiError> {
        let rights = rights.clone();
        Ok(self.db.call(move |connection| list(connection, &rights, None)).await?)
    }

    /// One of them.
    ///
    /// # Errors
    /// `collection_not_found`
    pub async fn collection(&self, rights: &Rights, id: &str) -> Result<Collection, ApiError> {
        let (rights, wanted) = (rights.clone(), id.to_owned());
        let found = self.db.call(move |connection| list(connection, &rights, Some(&wanted)));
        found.await?.pop().ok_or_else(|| not_found(id))
    }

    /// # Errors
    /// `admin_needed`, `collection_exists`, `invalid_request`; `model_absent` for an embedder that cannot
    /// be asked.
    pub async fn create_collection(
        &self,
        rights: &Rights,
        new: NewCollection,
    ) -> Result<Collection, ApiError> {
        if !rights.is_admin {
            return Err(ApiError::new(ErrorCode::AdminNeeded));
        }
        let title = checked_title(&new.title)?;
        if let Some(id) = &new.id
            && !is_collection_id(id)
        {
            let rule = "lower-case letters, digits and `-`, at most 64";
            return Err(invalid(format!("`{id}` is no id of a collection: {rule}")));
        }
        let everyone = || Groups::readers(&[EVERYONE.to_owned()]);
        let groups = new.groups.unwrap_or_else(everyone);
        groups.levels()?;
        let embedder = match new.embedder {
            Some(none) if none == super::NO_EMBEDDER => None,
            Some(id) => Some(id),
            None => self.usual_embedder().await?,
        };
        self.check_embedder(embedder.as_deref()).await?;
        let (wanted, named) = (new.id.clone(), title.clone());
        let made = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let id = match wanted {
                Some(id) => id,
                None => free_id(&transaction, &id_from_title(&named))?,
            };
            let sql = "INSERT INTO collections (id, title, embedder, created_s)
                VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
            let n_rows = transaction.execute(sql, (&id, &named, embedder, now_s() as i64))?;
            if n_rows == 1 {
                set_groups(&transaction, &id, &groups)?;
                transaction.commit()?;
            }
            Ok((n_rows == 1).then_some(id))
        });
        match made.await? {
            Some(id) => self.collection(rights, &id).await,
            None => {
                let id = new.id.unwrap_or(title);
                Err(ApiError::new(ErrorCode::CollectionExists).with("collection", id))
            }
        }
    }

    /// The embedder of new collections: the others' where vectors are wanted.
    async fn usual_embedder(&self) -> Result<Option<String>, ApiError> {
        let Some(usual) = self.embedders.default_id().await else { return Ok(None) };
        Ok(Some(self.shared_embedder().await?.unwrap_or(usual)))
    }

    /// The one that collections have which have one.
    async fn shared_embedder(&self) -> Result<Option<String>, ApiError> {
        let shared = self.db.call(|connection| {
            let sql = "SELECT embedder FROM collections WHERE embedder IS NOT NULL LIMIT 1";
            connection.query_row(sql, [], |row| row.get::<_, String>(0)).optional()
        });
        Ok(shared.await?)
    }

    /// Vectors of two embedders cannot be compared: collections that have one share it.
    async fn check_embedder(&self, wanted: Option<&str>) -> Result<(), ApiError> {
        let Some(wanted) = wanted else { return Ok(()) };
        match self.shared_embedder().await? {
            Some(other) if other != wanted => {
                Err(invalid(format!("the collections here share the embedder `{other}`")))
            }
            Some(_) => Ok(()),
            None if self.embedders.is_there(wanted).await => Ok(()),
            None => Err(ApiError::new(ErrorCode::ModelAbsent).with("model", wanted)),
        }
    }

    /// # Errors
    /// `collection_not_found`, `collection_read_only`, `invalid_request`.
    pub async fn change_collection(
        &self,
        rights: &Rights,
        id: &str,
        change: CollectionChange,
    ) -> Result<Collection, ApiError> {
        let title = change.title.as_deref().map(checked_title).transpose()?;
        if let Some(groups) = &change.groups {
            groups.levels()?;
        }
        self.require(rights, id, Right::Manage).await?;
        let wanted = id.to_owned();
        let changed = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            if let Some(title) = title {
                let sql = "UPDATE collections SET title = ?2 WHERE id = ?1";
                transaction.execute(sql, (&wanted, title))?;
            }
            if let Some(groups) = &change.groups {
                set_groups(&transaction, &wanted, groups)?;
            }
            transaction.commit()
        });
        changed.await?;
        self.collection(rights, id).await
    }

    /// With all its documents.
    ///
    /// # Errors
    /// `collection_not_found`, `collection_read_only`.
    pub async fn delete_collection(&self, rights: &Rights, id: &str) -> Result<(), ApiError> {
        self.require(rights, id, Right::Manage).await?;
        let wanted = id.to_owned();
        let deleted = self.db.call(move |connection| {
            // What becomes of its files and passages the database's triggers write down.
            connection.execute("DELETE FROM collections WHERE id = ?1", [&wanted])
        });
        deleted.await?;
        Ok(())
    }

    /// # Errors
    /// `collection_not_found` where the caller may not even read it, `collection_read_only`.
    pub async fn require(
        &self,
        rights: &Rights,
        collection: &str,
        least: Right,
    ) -> Result<(), ApiError> {
        let (rights, wanted) = (rights.clone(), collection.to_owned());
        let found = self.db.call(move |connection| rights.on(connection, &wanted)).await?;
        enough(found, least, collection)
    }

    /// What of `asked` the caller may read; all that it may where nothing is asked for.
    ///
    /// # Errors
    /// `collection_not_found` for one that it may not.
    pub async fn readable(
        &self,
        rights: &Rights,
        asked: Option<&[String]>,
    ) -> Result<Vec<String>, ApiError> {
        let rights = rights.clone();
        let readable =
            self.db.call(move |connection| rights.collections(connection, Right::Read)).await?;
        let Some(asked) = asked else { return Ok(readable) };
        match asked.iter().find(|id| !readable.contains(id)) {
            Some(hidden) => Err(not_found(hidden)),
            None => Ok(readable.into_iter().filter(|id| asked.contains(id)).collect()),
        }
    }
}

fn list(
    connection: &Connection,
    rights: &Rights,
    only: Option<&str>,
) -> sql::Result<Vec<Collection>> {
    let sql = "SELECT id, title, embedder,
            (SELECT count(*) FROM documents WHERE collection = collections.id) AS n_documents,
            (SELECT coalesce(sum(n_passages), 0) FROM documents
                WHERE collection = collections.id) AS n_passages
        FROM collections WHERE id = ?1 OR ?1 IS NULL ORDER BY title, id";
    let mut select = connection.prepare_cached(sql)?;
    let mut rows = select.query([only])?;
    let mut listed = Vec::new();
    while let Some(row) = rows.next()? {
        let id: String = row.get("id")?;
        let Some(right) = rights.on(connection, &id)? else { continue };
        let groups = (right == Right::Manage).then(|| groups_of(connection, &id)).transpose()?;
        listed.push(Collection {
            title: row.get("title")?,
            rights: right,
            n_documents: row.get::<_, i64>("n_documents")? as u64,
            n_passages: row.get::<_, i64>("n_passages")? as u64,
            embedder: row.get("embedder")?,
            groups,
            id,
        });
    }
    Ok(listed)
}

fn groups_of(connection: &Connection, id: &str) -> sql::Result<Groups> {
    let sql = "SELECT group_name, level FROM collection_rights WHERE collection = ?1
        ORDER BY group_name";
    let mut select = connection.prepare_cached(sql)?;
    let mut groups = Groups::default();
    let mut rows = select.query([id])?;
    while let Some(row) = rows.next()? {
        let name: String = row.get(0)?;
        match Right::from_level(row.get(1)?) {
            Some(Right::Read) => groups.read.push(name),
            Some(Right::Contribute) => groups.contribute.push(name),
            Some(Right::Manage) => groups.manage.push(name),
            None => {}
        }
    }
    Ok(groups)
}

/// Callers have checked the names.
fn set_groups(connection: &Connection, id: &str, groups: &Groups) -> sql::Result<()> {
    connection.execute("DELETE FROM collection_rights WHERE collection = ?1", [id])?;
    let sql = "INSERT INTO collection_rights (collection, group_name, level) VALUES (?1, ?2, ?3)";
    let mut insert = connection.prepare_cached(sql)?;
    for (group, right) in groups.levels().unwrap_or_default() {
        insert.execute((id, group, right.level()))?;
    }
    Ok(())
}

/// `base`, or `base-2`, `base-3`, … where it is taken.
fn free_id(connection: &Connection, base: &str) -> sql::Result<String> {
    let mut id = base.to_owned();
    let mut n = 1;
    let sql = "SELECT 1 FROM collections WHERE id = ?1";
    while connection.query_row(sql, [&id], |_| Ok(())).optional()?.is_some() {
        n += 1;
        id = format!("{base}-{n}");
    }
    Ok(id)
}

/// `[a-z0-9][a-z0-9-]{0,63}`
pub fn is_collection_id(id: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    (1..=ID_CHARS_MAX).contains(&id.len())
        && id.bytes().next().is_some_and(is_allowed)
        && id.bytes().all(|byte| is_allowed(byte) || byte == b'-')
}

/// `Häuser & Gärten` → `haeuser-gaerten`
pub fn id_from_title(title: &str) -> String {
    let mut id = String::new();
    for c in title.to_lowercase().chars() {
        match c {
            'ä' => id.push_str("ae"),
            'ö' => id.push_str("oe"),
            'ü' => id.push_str("ue"),
            'ß' => id.push_str("ss"),
            c if c.is_ascii_alphanumeric() => id.push(c),
            _ if !id.is_empty() && !id.ends_with('-') => id.push('-'),
            _ => {}
        }
    }
    // Room for a number that makes it the only one.
    id.truncate(ID_CHARS_MAX - 6);
    let id = id.trim_end_matches('-');
    if id.is_empty() { "collection".to_owned() } else { id.to_owned() }
}

fn checked_title(title: &str) -> Result<String, ApiError> {
    let title = title.trim();
    let n_chars = title.chars().count();
    if !(1..=TITLE_CHARS_MAX).contains(&n_chars) || title.chars().any(char::is_control) {
        return Err(invalid(format!("a title has 1 to {TITLE_CHARS_MAX} characters")));
    }
    Ok(title.to_owned())
}

fn invalid(reason: String) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
}

fn not_found(collection: &str) -> ApiError {
    ApiError::new(ErrorCode::CollectionNotFound).with("collection", collection)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_made_of_any_title() {
        for (title, id) in [
            ("Häuser & Gärten", "haeuser-gaerten"),
            ("  Straße 5 ", "strasse-5"),
            ("日本", "collection"),
            ("--x--", "x"),
        ] {
            assert_eq!(id_from_title(title), id);
            assert!(is_collection_id(id));
        }
        assert!(is_collection_id(&id_from_title(&"ab ".repeat(100))));
        for bad in ["", "-a", "A", "a b", "ä", "../x", &"a".repeat(65)] {
            assert!(!is_collection_id(bad), "{bad}");
        }
    }
}
