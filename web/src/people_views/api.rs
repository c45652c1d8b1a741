//! What the server says of people, and how it is asked (`docs/people.md`).

use portico_people::rules::Groups;
use portico_shared::error::{ApiError, ErrorCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::state::session_changed;
use portico_web::server_call::http::{fetch, fetch_with_file};
use portico_web::server_call::text;

/// `GET /api/session`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Session {
    pub person: Option<Person>,
    pub may: Option<May>,
    pub used: Option<Used>,
    pub house: House,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Person {
    pub id: String,
    pub name: String,
    #[serde(default)]
    pub display_name: Option<String>,
    #[serde(default)]
    pub email: Option<String>,
    pub role: String,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub blocked_s: Option<i64>,
    #[serde(default)]
    pub has_password: bool,
    #[serde(default)]
    pub has_totp: bool,
    #[serde(default)]
    pub is_external: bool,
    #[serde(default)]
    pub created_s: i64,
}

/// `GET /api/people/{id}`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OnePerson {
    #[serde(flatten)]
    pub person: Person,
    pub may: May,
    /// None where the house does not look at it.
    pub used: Option<Used>,
}

impl Person {
    /// As others call them.
    pub fn shown(&self) -> &str {
        self.display_name.as_deref().filter(|name| !name.is_empty()).unwrap_or(&self.name)
    }

    pub fn is_admin(&self) -> bool {
        self.role == "admin"
    }
}

/// None: no limit.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct May {
    #[serde(default)]
    pub models_on_device: Vec<String>,
    #[serde(default)]
    pub models_on_server: Vec<String>,
    pub tokens_per_day: Option<u64>,
    pub tokens_per_month: Option<u64>,
    pub storage_bytes: Option<u64>,
    #[serde(default)]
    pub chats_leave_device: bool,
    pub retention_days: Option<u64>,
    #[serde(default)]
    pub make_keys: bool,
    #[serde(default)]
    pub share_with_groups: bool,
    #[serde(default)]
    pub share_chats: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
pub struct Used {
    #[serde(default)]
    pub tokens_today: u64,
    #[serde(default)]
    pub tokens_this_month: u64,
    #[serde(default)]
    pub storage_bytes: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct House {
    pub has_people: bool,
    pub guests: String,
    /// Whether tokens of models on the device are counted too.
    #[serde(default)]
    pub audit_device_use: bool,
    /// Whether a person may say what their device can do.
    #[serde(default)]
    pub asks_devices: bool,
    /// What the button of the sign-in service says.
    pub oidc: Option<String>,
}

/// `GET /api/look`
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Look {
    pub name: Option<String>,
    /// `#rrggbb`
    pub accent: Option<String>,
    pub logo: Option<String>,
    pub themes: Option<Themes>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Themes {
    pub light: Shades,
    pub dark: Shades,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Shades {
    pub accent: String,
    pub ink: String,
    pub contrast: f64,
}

/// `POST /api/links/look`
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Link {
    pub kind: String,
    pub name: Option<String>,
    #[serde(default)]
    pub groups: Vec<String>,
}

/// A session of one's account.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Device {
    pub id: String,
    pub seen_s: i64,
    #[serde(default)]
    pub agent: Option<String>,
    pub is_this: bool,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Devices {
    pub sessions: Vec<Device>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub last_used_s: Option<i64>,
    pub revoked_s: Option<i64>,
    pub expires_s: Option<i64>,
    /// None: all but `people`.
    #[serde(default)]
    pub scopes: Option<Vec<String>>,
    #[serde(default)]
    pub tokens_this_month: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Keys {
    pub keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct NewKey {
    pub secret: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Totp {
    pub secret: String,
    pub uri: String,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct RecoveryCodes {
    pub recovery_codes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Everyone {
    pub people: Vec<Person>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct MadeLink {
    pub url: String,
}

/// A link that can still be opened.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OpenLink {
    pub id: String,
    pub kind: String,
    pub role: String,
    #[serde(default)]
    pub groups: Vec<String>,
    #[serde(default)]
    pub note: String,
    pub expires_s: i64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct OpenLinks {
    pub links: Vec<OpenLink>,
}

/// How many sessions ended.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Ended {
    pub n_ended: u64,
}

/// What an answer is read as that has none.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Anything {}

/// # Errors
/// The server's, else `server_unreachable`.
pub async fn get<T: DeserializeOwned>(path: &str) -> Result<T, ApiError> {
    read(&text(&heard(fetch("GET", path, None, &[], None).await)?).await?)
}

/// # Errors
/// As [`get`].
pub async fn send<T: DeserializeOwned>(
    method: &str,
    path: &str,
    body: &impl Serialize,
) -> Result<T, ApiError> {
    let json = serde_json::to_string(body)
        .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    let answer = text(&heard(fetch(method, path, Some(&json), &[], None).await)?).await?;
    read(if answer.is_empty() { "{}" } else { &answer })
}

/// Names of the house's groups, for administrators.
///
/// # Errors
/// As [`get`].
pub async fn group_names() -> Result<Vec<String>, ApiError> {
    let Groups { groups } = get("/api/groups").await?;
    Ok(groups.into_iter().map(|group| group.name).collect())
}

/// Sends a file's bytes.
///
/// # Errors
/// As [`get`].
pub async fn send_file<T: DeserializeOwned>(
    method: &str,
    path: &str,
    file: &web_sys::File,
) -> Result<T, ApiError> {
    let answer = text(&heard(fetch_with_file(method, path, file).await)?).await?;
    read(&answer)
}

/// A session that ended meanwhile is news for the whole page.
fn heard<T>(answer: Result<T, ApiError>) -> Result<T, ApiError> {
    if let Err(error) = &answer
        && error.code == ErrorCode::SignInNeeded
    {
        session_changed();
    }
    answer
}

fn read<T: DeserializeOwned>(json: &str) -> Result<T, ApiError> {
    serde_json::from_str(json)
        .map_err(|error| ApiError::new(ErrorCode::UpstreamFailed).detail(error))
}
