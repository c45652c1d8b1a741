//! Which servers of tools did administrators add on the page?
//!
//! They are asked over streamable HTTP. A program is not started for the page: whoever administers the house
//! would run what they like on its machine, with the server's rights; such servers stand in `portico.toml`,
//! which whoever runs the machine writes.
//!
//! What is shown to a server (`headers`) is sealed with the house's key, each for its server and its name, and
//! never given out again: neither to the page nor to the log. A server whose headers cannot be opened is not
//! asked; administrators see which it needs anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::{HeaderName, HeaderValue, Uri};
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::Tools;
use super::mcp::McpServer;
use crate::config::{Confirm, McpConfig};
use crate::db::sql::{self, Connection, OptionalExtension as _};
use crate::keys::now_s;
use crate::upstream::{Reachable, may_reach};
use crate::vault::{HEADER, Keys, Place, header_row};

/// Servers that can be added.
const SERVERS_MAX: usize = 64;
const URL_BYTES_MAX: usize = 2_000;
const NAMES_MAX: usize = 200;
const HEADERS_MAX: usize = 16;
const HEADER_BYTES_MAX: usize = 8 << 10;
/// How long what another process of the house changed may stay unseen.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// The protocol's own, and those that a connection needs.
const NOT_OURS: &[&str] = &[
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "mcp-protocol-version",
    "mcp-session-id",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What an administrator decides about a server, without its secrets.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub url: String,
    /// Whether its tools are offered.
    #[serde(default = "yes")]
    pub is_on: bool,
    /// Whether it may lie on this machine or in a private network.
    #[serde(default)]
    pub allows_private: bool,
    /// Who may call its tools; none: whoever is signed in or has a key.
    #[serde(default)]
    pub groups: Option<Vec<String>>,
    #[serde(default)]
    pub confirm: Confirm,
    /// For single tools.
    #[serde(default)]
    pub confirm_tools: BTreeMap<String, Confirm>,
    /// Its tools that are not offered.
    #[serde(default)]
    pub deny: BTreeSet<String>,
    #[serde(default = "ten")]
    pub connect_s: f64,
    /// How long one call may take.
    #[serde(default = "thirty")]
    pub call_s: f64,
    #[serde(default = "one_mebibyte")]
    pub max_result_bytes: usize,
}

fn yes() -> bool {
    true
}

fn ten() -> f64 {
    10.0
}

fn thirty() -> f64 {
    30.0
}

fn one_mebibyte() -> usize {
    1 << 20
}

/// What is to become of secrets: a value, or none for one that goes. What is not named stays.
pub type HeaderChanges = BTreeMap<String, Option<String>>;

/// As it is kept: JSON, headers sealed by their names.
#[derive(Clone, Debug, PartialEq)]
struct Row {
    id: String,
    settings: String,
    headers: String,
}

/// What was read, and when.
#[derive(Debug, Default)]
pub struct Added {
    rows: Vec<Row>,
    servers: Vec<Arc<McpServer>>,
    looked: Option<Instant>,
}

impl Settings {
    /// As the configuration would have it.
    ///
    /// # Errors
    /// `invalid_request`
    pub fn config(&self, id: &str) -> Result<McpConfig, ApiError> {
        let names = self.confirm_tools.keys().chain(&self.deny);
        let n_groups = self.groups.as_ref().map_or(0, Vec::len);
        let is_few = names.clone().count() <= NAMES_MAX && n_groups <= NAMES_MAX;
        if !is_few || names.chain(self.groups.iter().flatten()).any(|name| name.len() > 200) {
            return Err(invalid("at most 200 names of at most 200 bytes"));
        }
        let url: Uri = match self.url.trim().parse() {
            Ok(url) if self.url.len() <= URL_BYTES_MAX => url,
            _ => return Err(invalid("`url`: this is no address")),
        };
        match (url.scheme_str(), url.authority()) {
            (Some("http" | "https"), Some(authority)) if !authority.as_str().contains('@') => {}
            _ => {
                let reason = "`url`: it starts with http:// or https://, and has no password in it";
                return Err(invalid(reason));
            }
        }
        let seconds = |name: &str, s: f64, max: f64| match (0.1..=max).contains(&s) {
            true => Ok(Duration::from_secs_f64(s)),
            false => Err(invalid(&format!("`{name}`: 0.1 to {max} seconds"))),
        };
        let connect = seconds("connect_s", self.connect_s, 60.0)?;
        let call = seconds("call_s", self.call_s, 600.0)?;
        if !(1 << 10..=16 << 20).contains(&self.max_result_bytes) {
            return Err(invalid("`max_result_bytes`: 1 KiB to 16 MiB"));
        }
        let config = McpConfig {
            id: id.to_owned(),
            url: Some(url),
            api_key: None,
            ca_file: None,
            command: None,
            args: Vec::new(),
            env: BTreeMap::new(),
            groups: self.groups.clone(),
            confirm: self.confirm,
            confirm_tools: self.confirm_tools.clone(),
            tools: None,
            deny: self.deny.clone(),
            connect,
            call,
            max_result_bytes: self.max_result_bytes,
        };
        config.check().map_err(|reason| invalid(&reason))?;
        Ok(config)
    }

    fn reachable(&self) -> Reachable {
        if self.allows_private { Reachable::All } else { Reachable::Public }
    }

    /// # Errors
    /// `address_private`
    async fn check_address(&self, config: &McpConfig) -> Result<(), ApiError> {
        let Some(url) = &config.url else { return Ok(()) };
        match may_reach(url, self.reachable()).await {
            true => Ok(()),
            false => Err(ApiError::new(ErrorCode::AddressPrivate)
                .with("host", url.host().unwrap_or_default())),
        }
    }
}

fn invalid(reason: &str) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest).with("reason", reason)
}

/// Names and values that a request can carry.
///
/// # Errors
/// `invalid_request`, which does not say the value.
fn header_pair(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), ApiError> {
    let bad = || invalid(&format!("`headers`: `{}` cannot be sent", super::plain::line(name, 60)));
    let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| bad())?;
    if NOT_OURS.contains(&name.as_str()) || value.len() > HEADER_BYTES_MAX {
        return Err(bad());
    }
    let mut value = HeaderValue::from_str(value.trim()).map_err(|_| bad())?;
    value.set_sensitive(true);
    Ok((name, value))
}

fn read_headers(json: &str) -> BTreeMap<String, String> {
    serde_json::from_str(json).unwrap_or_default()
}

/// A server of what is kept; one that cannot be made is logged and left out.
fn made(row: &Row, keys: Option<&Keys>) -> Option<Arc<McpServer>> {
    let server = || -> Result<McpServer, ApiError> {
        let settings: Settings = serde_json::from_str(&row.settings)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
        let headers = read_headers(&row.headers);
        let (mut opened, mut locked) = (Vec::new(), Vec::new());
        for (name, kept) in headers {
            match keys.and_then(|keys| unsealed(keys, &row.id, &name, &kept)) {
                Some(value) => opened.push(header_pair(&name, &value)?),
                None => locked.push(name),
            }
        }
        let (config, reachable) = (settings.config(&row.id)?, settings.reachable());
        McpServer::added(config, opened, locked, reachable, settings)
            .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
    };
    match server() {
        Ok(server) => Some(Arc::new(server)),
        Err(error) => {
            tracing::error!(mcp = row.id, %error, "a server of tools cannot be used");
            None
        }
    }
}

fn unsealed(keys: &Keys, id: &str, name: &str, kept: &str) -> Option<String> {
    let place = Place { column: HEADER, row: &header_row(id, name) };
    let opened = keys.open(place, kept.as_bytes());
    let opened = opened.inspect_err(
        |reason| tracing::error!(mcp = id, name, %reason, "a secret of a server of tools: portico doctor"),
    );
    String::from_utf8(opened.ok()?).ok()
}

fn rows(connection: &Connection) -> sql::Result<Vec<Row>> {
    let sql = "SELECT id, settings, headers FROM mcp_servers ORDER BY id";
    let mut select = connection.prepare_cached(sql)?;
    let rows = select.query_map([], |row| {
        Ok(Row { id: row.get("id")?, settings: row.get("settings")?, headers: row.get("headers")? })
    })?;
    rows.collect()
}

fn headers_of(connection: &Connection, id: &str) -> sql::Result<Option<String>> {
    let sql = "SELECT headers FROM mcp_servers WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([id], |row| row.get(0)).optional()
}

impl Tools {
    /// All that there are, those that are switched off among them.
    pub(super) async fn servers(&self) -> Vec<Arc<McpServer>> {
        let mut added = self.added.lock().await;
        let is_fresh = added.looked.is_some_and(|looked| looked.elapsed() < LOOK_AGAIN);
        if !is_fresh {
            self.look(&mut added).await;
        }
        self.configured.iter().chain(&added.servers).cloned().collect()
    }

    /// Reads what is kept; what is as it was keeps its connection.
    async fn look(&self, added: &mut Added) {
        if !self.db.exists() {
            return;
        }
        let found = match self.db.call(|connection| rows(connection)).await {
            Ok(found) => found,
            Err(error) => return tracing::error!(%error, "the servers of tools cannot be read"),
        };
        let has_secrets = found.iter().any(|row| !read_headers(&row.headers).is_empty());
        let keys = match has_secrets {
            true => self.vault.keys().await.inspect_err(|error| tracing::error!(%error)).ok(),
            false => None,
        };
        let (mut servers, mut stays) = (Vec::new(), BTreeSet::new());
        for row in &found {
            // What the configuration names has the name.
            if self.configured.iter().any(|server| server.config.id == row.id) {
                continue;
            }
            let known = added
                .rows
                .contains(row)
                .then(|| added.servers.iter().find(|server| server.config.id == row.id).cloned());
            // A key that was put back opens what it did not.
            match known.flatten().filter(|server| server.locked().is_empty()) {
                Some(server) => {
                    stays.insert(row.id.clone());
                    servers.push(server);
                }
                None => servers.extend(made(row, keys.as_ref())),
            }
        }
        for gone in added.servers.iter().filter(|server| !stays.contains(&server.config.id)) {
            let gone = Arc::clone(gone);
            // Whoever waits for it now has it until then.
            tokio::spawn(async move { gone.close().await });
        }
        *added = Added { rows: found, servers, looked: Some(Instant::now()) };
    }

    /// Adds a server, or changes one that was added.
    ///
    /// # Errors
    /// `invalid_request`, `address_private`, `mcp_exists`, `mcp_in_config`, `tool_not_found`,
    /// `secret_key_unusable`.
    pub(super) async fn keep(
        &self,
        id: &str,
        settings: &Settings,
        changes: HeaderChanges,
        is_new: bool,
    ) -> Result<Arc<McpServer>, ApiError> {
        self.not_configured(id)?;
        let config = settings.config(id)?;
        for (name, value) in &changes {
            header_pair(name, value.as_deref().unwrap_or_default())?;
        }
        settings.check_address(&config).await?;
        let changes = self.sealed(id, changes).await?;
        let json = serde_json::json!(settings).to_string();
        let named = id.to_owned();
        let kept = self.db.call(move |connection| {
            let transaction = connection.transaction()?;
            let known = headers_of(&transaction, &named)?;
            if known.is_some() == is_new {
                return Ok(Err(if is_new {
                    ErrorCode::McpExists
                } else {
                    ErrorCode::ToolNotFound
                }));
            }
            let mut headers = read_headers(known.as_deref().unwrap_or("{}"));
            for (name, value) in changes {
                match value {
                    Some(value) => headers.insert(name, value),
                    None => headers.remove(&name),
                };
            }
            let n_servers: i64 =
                transaction.query_row("SELECT count(*) FROM mcp_servers", [], |row| row.get(0))?;
            if headers.len() > HEADERS_MAX || n_servers >= SERVERS_MAX as i64 && is_new {
                return Ok(Err(ErrorCode::InvalidRequest));
            }
            let sql = "INSERT INTO mcp_servers (id, settings, headers, changed_s)
                VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (id) DO UPDATE SET settings = excluded.settings,
                    headers = excluded.headers, changed_s = excluded.changed_s";
            let headers = serde_json::json!(headers).to_string();
            transaction.execute(sql, (&named, &json, &headers, now_s().cast_signed()))?;
            transaction.commit()?;
            Ok(Ok(()))
        });
        kept.await?.map_err(|code| match code {
            ErrorCode::InvalidRequest => invalid("at most 64 servers, with 16 headers each"),
            ErrorCode::ToolNotFound => ApiError::new(code).with("tool", id),
            code => ApiError::new(code).with("name", id),
        })?;
        self.look(&mut *self.added.lock().await).await;
        self.server(id).await.ok_or_else(|| ApiError::new(ErrorCode::Internal))
    }

    /// Changes with the names as they are sent, and values that only the house's key opens.
    async fn sealed(&self, id: &str, changes: HeaderChanges) -> Result<HeaderChanges, ApiError> {
        let mut sealed = HeaderChanges::new();
        for (name, value) in changes {
            let name = name.trim().to_ascii_lowercase();
            let value = match value.filter(|value| !value.trim().is_empty()) {
                Some(value) => {
                    let place = Place { column: HEADER, row: &header_row(id, &name) };
                    Some(self.vault.keys().await?.seal(place, value.as_bytes())?)
                }
                None => None,
            };
            sealed.insert(name, value);
        }
        Ok(sealed)
    }

    /// # Errors
    /// `mcp_in_config`, `tool_not_found`.
    pub(super) async fn forget(&self, id: &str) -> Result<(), ApiError> {
        self.not_configured(id)?;
        let named = id.to_owned();
        let n_rows = self.db.call(move |connection| {
            connection.execute("DELETE FROM mcp_servers WHERE id = ?1", [named.as_str()])
        });
        if n_rows.await? == 0 {
            let name = super::plain::line(id, 100);
            return Err(ApiError::new(ErrorCode::ToolNotFound).with("tool", name));
        }
        self.look(&mut *self.added.lock().await).await;
        Ok(())
    }

    fn not_configured(&self, id: &str) -> Result<(), ApiError> {
        match self.configured.iter().any(|server| server.config.id == id) {
            true => Err(ApiError::new(ErrorCode::McpInConfig).with("name", id)),
            false => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_server_is_refused_by_what_is_wrong() {
        #[track_caller]
        fn check(json: serde_json::Value, named: &str) {
            let settings: Settings = serde_json::from_value(json).unwrap();
            let error = settings.config("wiki").unwrap_err().text(portico_shared::error::Lang::En);
            assert!(error.contains(named), "{error}");
        }
        use serde_json::json;
        check(json!({ "url": "ftp://h/" }), "url");
        check(json!({ "url": "https://u:p@h/" }), "password");
        check(json!({ "url": "nonsense" }), "url");
        check(json!({ "url": "https://h/", "call_s": 0 }), "call_s");
        check(json!({ "url": "https://h/", "connect_s": 1e9 }), "connect_s");
        check(json!({ "url": "https://h/", "max_result_bytes": 1 }), "max_result_bytes");
        let good: Settings = serde_json::from_value(json!({ "url": "https://h/mcp" })).unwrap();
        assert!(good.config("wiki").is_ok());
        assert!(good.config("Wiki!").is_err());
    }

    #[test]
    fn headers_of_the_protocol_are_not_anybodys_to_set() {
        assert!(header_pair("Authorization", "Bearer x").is_ok());
        for (name, value) in
            [("Host", "evil"), ("mcp-session-id", "1"), ("a b", "x"), ("x-key", "a\r\nHost: evil")]
        {
            assert!(header_pair(name, value).is_err(), "{name}");
        }
        let (_, value) = header_pair("x-key", "s3cret").unwrap();
        assert!(!format!("{value:?}").contains("s3cret"));
    }
}
