//! Where in the database are there secrets, and what is the matter with each?

use std::collections::BTreeMap;

use super::key::Keys;
use super::seal::{Place, Unopened};
use crate::db::sql::{self, Connection};
use crate::keys::now_s;

pub const TOTP: &str = "people.totp_secret";
pub const ID_TOKEN: &str = "sessions.id_token";
/// One of a server of tools; its row is `id/name`.
pub const HEADER: &str = "mcp_servers.headers";

/// What a start did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// That were plain, or of an older key.
    pub n_sealed: usize,
    pub n_unopened: usize,
}

/// How secrets stand.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Examined {
    pub n: usize,
    /// Of which so many cannot be opened: apps, headers, tokens.
    pub n_unopened: [usize; 3],
}

struct Found {
    column: &'static str,
    row: String,
    kept: Vec<u8>,
}

/// Whether a key has ever sealed anything here.
pub fn was_sealed(connection: &Connection) -> sql::Result<bool> {
    connection.query_row("SELECT EXISTS (SELECT 1 FROM secret_keys)", [], |row| row.get(0))
}

/// That this key seals from now on.
pub fn remember(connection: &Connection, keys: &Keys) -> sql::Result<()> {
    let id = i64::from(u32::from_be_bytes(keys.seals_with()));
    let sql = "SELECT EXISTS (SELECT 1 FROM secret_keys WHERE id = ?1)";
    if connection.query_row(sql, [id], |row| row.get(0))? {
        return Ok(());
    }
    let sql = "INSERT INTO secret_keys (id, since_s) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
    connection.execute(sql, [id, now_s().cast_signed()])?;
    Ok(())
}

/// Seals what is plain, `is_first` where it may be, and anew what an older key sealed.
pub fn settle(connection: &mut Connection, keys: &Keys, is_first: bool) -> sql::Result<Settled> {
    let transaction = connection.transaction()?;
    remember(&transaction, keys)?;
    let mut settled = Settled::default();
    for found in secrets(&transaction)? {
        let place = Place { column: found.column, row: &found.row };
        let secret = match keys.open(place, &found.kept) {
            Ok(_) if keys.is_newest(&found.kept) => continue,
            Ok(secret) => secret,
            Err(Unopened::Plain) if is_first => found.kept.clone(),
            Err(_) => {
                settled.n_unopened += 1;
                continue;
            }
        };
        let sealed = keys.seal(place, &secret);
        let sealed =
            sealed.map_err(|error| sql::Error::ToSqlConversionFailure(error.to_string().into()))?;
        replace(&transaction, &found, sealed)?;
        settled.n_sealed += 1;
    }
    transaction.commit()?;
    Ok(settled)
}

/// How many there are, and can be opened; with no keys none can.
pub fn examine(connection: &Connection, keys: Option<&Keys>) -> sql::Result<Examined> {
    let mut examined = Examined::default();
    for found in secrets(connection)? {
        examined.n += 1;
        let place = Place { column: found.column, row: &found.row };
        if keys.is_none_or(|keys| keys.open(place, &found.kept).is_err()) {
            let kind = [TOTP, HEADER, ID_TOKEN].iter().position(|kind| *kind == found.column);
            examined.n_unopened[kind.unwrap_or(0)] += 1;
        }
    }
    Ok(examined)
}

fn secrets(connection: &Connection) -> sql::Result<Vec<Found>> {
    let mut found = Vec::new();
    let sql = "SELECT id, totp_secret FROM people WHERE totp_secret IS NOT NULL";
    let mut select = connection.prepare(sql)?;
    for row in select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))? {
        let (row, kept) = row?;
        found.push(Found { column: TOTP, row, kept });
    }
    for (id, headers) in headers(connection)? {
        for (name, kept) in headers {
            let row = header_row(&id, &name);
            found.push(Found { column: HEADER, row, kept: kept.into_bytes() });
        }
    }
    let sql = "SELECT id, id_token FROM sessions WHERE id_token IS NOT NULL";
    let mut select = connection.prepare(sql)?;
    for row in select.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))? {
        let (row, kept) = row?;
        found.push(Found { column: ID_TOKEN, row, kept: kept.into_bytes() });
    }
    Ok(found)
}

fn headers(connection: &Connection) -> sql::Result<Vec<(String, BTreeMap<String, String>)>> {
    let mut select = connection.prepare("SELECT id, headers FROM mcp_servers")?;
    let rows = select.query_map([], |row| {
        let headers: String = row.get(1)?;
        // What is no list of headers holds none.
        Ok((row.get(0)?, serde_json::from_str(&headers).unwrap_or_default()))
    })?;
    rows.collect()
}

/// What names one header of a server of tools.
pub fn header_row(id: &str, name: &str) -> String {
    format!("{id}/{name}")
}

fn replace(connection: &Connection, found: &Found, sealed: String) -> sql::Result<()> {
    let row = found.row.as_str();
    match found.column {
        TOTP => {
            let sql = "UPDATE people SET totp_secret = ?2 WHERE id = ?1";
            connection.execute(sql, (row, sealed.into_bytes()))?;
        }
        ID_TOKEN => {
            let sql = "UPDATE sessions SET id_token = ?2 WHERE id = ?1";
            connection.execute(sql, (row, sealed))?;
        }
        _ => {
            let (id, name) = row.split_once('/').unwrap_or((row, ""));
            for (server, mut of_server) in headers(connection)? {
                if server == id {
                    of_server.insert(name.to_owned(), sealed.clone());
                    let sql = "UPDATE mcp_servers SET headers = ?2 WHERE id = ?1";
                    connection.execute(sql, (id, serde_json::json!(of_server).to_string()))?;
                }
            }
        }
    }
    Ok(())
}
