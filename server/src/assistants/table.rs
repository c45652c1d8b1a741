//! How do assistants lie in the database, and who is given which?

use portico_shared::assistant::Definition;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Assistant, Sharing, Who, Written};
use crate::db::sql::{self, Connection, Row};
use crate::keys::now_s;
use crate::people::{EVERYONE, PersonId, Right};

/// Most that one person has.
const OF_PERSON_MAX: i64 = 200;

/// What the caller may use: their own, those for all, those for one of their groups. `?1` the person, `?2`
/// their groups as a JSON list, `?3` 1 where they administer the house: then all that is shared, and what is
/// left of who is gone. `?4` the one that is asked for, or null.
const SEEN: &str = "SELECT a.id, a.person, a.revision, a.changed_s, a.for_house, a.definition,
        p.name, p.display_name
    FROM assistants a LEFT JOIN people p ON p.id = a.person
    WHERE (a.id = ?4 OR ?4 IS NULL)
        AND (a.person = ?1 OR a.for_house = 1 OR (?3 = 1 AND a.person IS NULL)
            OR EXISTS (SELECT 1 FROM assistant_groups g WHERE g.assistant = a.id
                AND (?3 = 1 OR g.group_name IN (SELECT value FROM json_each(?2)))))";

struct Found {
    id: String,
    person: Option<PersonId>,
    maker: Option<String>,
    revision: i64,
    changed_s: i64,
    for_house: bool,
    definition: String,
}

fn found(row: &Row<'_>) -> sql::Result<Found> {
    let name: Option<String> = row.get("name")?;
    let shown: Option<String> = row.get("display_name")?;
    Ok(Found {
        id: row.get("id")?,
        person: row.get("person")?,
        maker: shown.filter(|shown| !shown.is_empty()).or(name),
        revision: row.get("revision")?,
        changed_s: row.get("changed_s")?,
        for_house: row.get::<_, i64>("for_house")? != 0,
        definition: row.get("definition")?,
    })
}

/// All that the caller may use, by name; or one of them.
pub fn seen(connection: &Connection, who: &Who, only: Option<Uuid>) -> sql::Result<Vec<Assistant>> {
    let values = (
        who.person,
        who.groups_json(),
        i64::from(who.rights.is_admin),
        only.map(|id| id.to_string()),
    );
    let mut select = connection.prepare_cached(SEEN)?;
    let rows: Vec<Found> = select.query_map(values, found)?.collect::<Result<_, _>>()?;
    let readable = who.rights.collections(connection, Right::Read)?;
    let mut all = Vec::new();
    for row in rows {
        let Ok(id) = row.id.parse::<Uuid>() else { continue };
        let mut definition = read_definition(&row.definition);
        let is_own = row.person == Some(who.person);
        // An administrator sees only what is shared, and changes all that they see.
        let may_change = is_own || who.rights.is_admin;
        let n_named = definition.collections.len();
        if !may_change {
            definition.collections.retain(|collection| readable.contains(collection));
        }
        let n_withheld = (n_named - definition.collections.len()) as u64;
        let groups = may_change.then(|| groups_of(connection, id)).transpose()?;
        all.push(Assistant {
            id,
            revision: row.revision.max(0) as u64,
            changed_s: row.changed_s.max(0) as u64,
            definition,
            maker: row.maker,
            is_own,
            may_change,
            n_withheld,
            for_house: row.for_house,
            groups,
        });
    }
    all.sort_by_cached_key(|one| (one.definition.name.to_lowercase(), one.id));
    Ok(all)
}

/// What was written was checked; what cannot be read any more does nothing.
fn read_definition(json: &str) -> Definition {
    serde_json::from_str(json).unwrap_or_else(|error| {
        tracing::error!(%error, "an assistant cannot be read");
        Definition::default()
    })
}

fn groups_of(connection: &Connection, id: Uuid) -> sql::Result<Vec<String>> {
    let sql = "SELECT group_name FROM assistant_groups WHERE assistant = ?1 ORDER BY group_name";
    let mut select = connection.prepare_cached(sql)?;
    select.query_map([id.to_string()], |row| row.get(0))?.collect()
}

/// With whom the caller may share: administrators with all, others with their own groups where the rules
/// let them.
pub fn sharing(connection: &Connection, who: &Who) -> sql::Result<Sharing> {
    if who.rights.is_admin {
        let mut select = connection.prepare_cached("SELECT name FROM groups ORDER BY name")?;
        let groups = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
        return Ok(Sharing { groups, house: true });
    }
    let own = who.rights.groups.iter().filter(|group| who.shares && *group != EVERYONE);
    Ok(Sharing { groups: own.cloned().collect(), house: false })
}

/// Whether what `written` adds to `before` is the caller's to give.
fn check(
    connection: &Connection,
    who: &Who,
    before: Option<&Assistant>,
    written: &Written,
) -> sql::Result<Result<(), ApiError>> {
    let forbidden = |with: &str| ApiError::new(ErrorCode::SharingForbidden).with("with", with);
    let may = sharing(connection, who)?;
    let was_for_house = before.is_some_and(|before| before.for_house);
    if written.for_house && !was_for_house && !may.house {
        return Ok(Err(forbidden(EVERYONE)));
    }
    let had = before.and_then(|before| before.groups.as_deref()).unwrap_or_default();
    for group in written.groups.iter().filter(|group| !had.contains(group)) {
        if !may.groups.contains(group) {
            let error = match may.house {
                true => ApiError::new(ErrorCode::GroupNotFound).with("group", group),
                false => forbidden(group),
            };
            return Ok(Err(error));
        }
    }
    let readable = who.rights.collections(connection, Right::Read)?;
    let had = before.map(|before| before.definition.collections.as_slice()).unwrap_or_default();
    let collections = &written.definition.collections;
    let hidden = collections.iter().find(|one| !had.contains(one) && !readable.contains(one));
    Ok(hidden.map_or(Ok(()), |one| {
        Err(ApiError::new(ErrorCode::CollectionNotFound).with("collection", one))
    }))
}

fn definition_json(definition: &Definition) -> String {
    json!(definition).to_string()
}

pub fn add(
    connection: &mut Connection,
    who: &Who,
    written: &Written,
) -> sql::Result<Result<Uuid, ApiError>> {
    let transaction = connection.transaction()?;
    if let Err(error) = check(&transaction, who, None, written)? {
        return Ok(Err(error));
    }
    let sql = "SELECT count(*) FROM assistants WHERE person = ?1";
    let n_own: i64 = transaction.query_row(sql, [who.person], |row| row.get(0))?;
    if n_own >= OF_PERSON_MAX {
        let error = ApiError::new(ErrorCode::InvalidRequest);
        return Ok(Err(error.with("reason", "nobody has more than 200 assistants")));
    }
    let id = Uuid::now_v7();
    let sql =
        "INSERT INTO assistants (id, person, revision, created_s, changed_s, for_house, definition)
        VALUES (?1, ?2, 1, ?3, ?3, ?4, ?5)";
    let values = (
        id.to_string(),
        who.person,
        now_s() as i64,
        i64::from(written.for_house),
        definition_json(&written.definition),
    );
    transaction.execute(sql, values)?;
    set_groups(&transaction, id, &written.groups)?;
    transaction.commit()?;
    Ok(Ok(id))
}

/// The assistant, where the caller may change it.
fn changeable(
    connection: &Connection,
    who: &Who,
    id: Uuid,
) -> sql::Result<Result<Assistant, ApiError>> {
    Ok(match seen(connection, who, Some(id))?.pop() {
        Some(one) if one.may_change => Ok(one),
        Some(_) => Err(ApiError::new(ErrorCode::AdministratorNeeded)),
        None => Err(ApiError::new(ErrorCode::AssistantNotFound)),
    })
}

pub fn change(
    connection: &mut Connection,
    who: &Who,
    id: Uuid,
    written: &Written,
) -> sql::Result<Result<(), ApiError>> {
    let transaction = connection.transaction()?;
    let before = match changeable(&transaction, who, id)? {
        Ok(before) => before,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = check(&transaction, who, Some(&before), written)? {
        return Ok(Err(error));
    }
    // The revision stands in the condition: of two who write at once one is told.
    let sql = "UPDATE assistants SET revision = revision + 1, changed_s = ?3, for_house = ?4,
            definition = ?5 WHERE id = ?1 AND revision = ?2";
    let values = (
        id.to_string(),
        written.revision.unwrap_or_default() as i64,
        now_s() as i64,
        i64::from(written.for_house),
        definition_json(&written.definition),
    );
    if transaction.execute(sql, values)? == 0 {
        return Ok(Err(ApiError::new(ErrorCode::AssistantChanged)));
    }
    set_groups(&transaction, id, &written.groups)?;
    transaction.commit()?;
    Ok(Ok(()))
}

fn set_groups(connection: &Connection, id: Uuid, groups: &[String]) -> sql::Result<()> {
    let id = id.to_string();
    connection.execute("DELETE FROM assistant_groups WHERE assistant = ?1", [&id])?;
    let sql = "INSERT INTO assistant_groups (assistant, group_name) VALUES (?1, ?2)
        ON CONFLICT DO NOTHING";
    let mut insert = connection.prepare_cached(sql)?;
    for group in groups {
        insert.execute((&id, group))?;
    }
    Ok(())
}

pub fn remove(
    connection: &mut Connection,
    who: &Who,
    id: Uuid,
) -> sql::Result<Result<(), ApiError>> {
    let transaction = connection.transaction()?;
    if let Err(error) = changeable(&transaction, who, id)? {
        return Ok(Err(error));
    }
    transaction.execute("DELETE FROM assistants WHERE id = ?1", [id.to_string()])?;
    transaction.commit()?;
    Ok(Ok(()))
}

/// What somebody made, for themselves.
pub fn export(connection: &Connection, person: PersonId) -> sql::Result<Value> {
    let sql = "SELECT id, revision, created_s, changed_s, for_house, definition FROM assistants
        WHERE person = ?1 ORDER BY id";
    let mut select = connection.prepare(sql)?;
    let rows = select.query_map([person], |row| {
        let id: String = row.get(0)?;
        Ok((
            id.clone(),
            json!({
                "id": id,
                "revision": row.get::<_, i64>(1)?,
                "created_s": row.get::<_, i64>(2)?,
                "changed_s": row.get::<_, i64>(3)?,
                "for_house": row.get::<_, i64>(4)? != 0,
                "definition": read_definition(&row.get::<_, String>(5)?),
            }),
        ))
    })?;
    let rows: Vec<(String, Value)> = rows.collect::<Result<_, _>>()?;
    let mut all = Vec::new();
    for (id, mut one) in rows {
        one["groups"] = match id.parse::<Uuid>() {
            Ok(id) => json!(groups_of(connection, id)?),
            Err(_) => json!([]),
        };
        all.push(one);
    }
    Ok(Value::Array(all))
}

/// What was somebody's alone goes with them. What they gave to others is the house's, and stays with
/// nobody's name on it (the database takes that off).
pub fn forget(connection: &Connection, person: PersonId) -> sql::Result<()> {
    let sql = "DELETE FROM assistants WHERE person = ?1 AND for_house = 0 AND NOT EXISTS
        (SELECT 1 FROM assistant_groups WHERE assistant = assistants.id)";
    connection.execute(sql, [person]).map(|_| ())
}
