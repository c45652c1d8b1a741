//! How does the house show itself? Its name, its logo, its colour.

mod api;
mod colour;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

pub use api::{get, logo, remove_logo, set, set_logo, style};

use self::colour::{Colour, Themes};
use super::audit::Entry;
use super::{People, store};
use crate::db::sql::{self, Connection, OptionalExtension as _};

/// Under which they are kept.
const LOOK: &str = "look";
const LOGO: &str = "logo";
const NAME_CHARS_MAX: usize = 40;
const LOGO_BYTES_MAX: usize = 128 << 10;

/// What an administrator chose; what is none is Portico's own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Look {
    pub name: Option<String>,
    pub accent: Option<Colour>,
}

/// A picture, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logo {
    pub media_type: String,
    pub sha256: String,
    base64: String,
}

/// What the page is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Shown {
    pub name: Option<String>,
    pub accent: Option<Colour>,
    /// Where it lies; another one has another address.
    pub logo: Option<String>,
    /// What became of the accent.
    pub themes: Option<Themes>,
}

impl Logo {
    /// # Errors
    /// `invalid_request`, where it is none of the pictures that every browser shows.
    fn new(bytes: &[u8]) -> Result<Self, ApiError> {
        let Some(media_type) = media_type(bytes) else {
            return Err(store::invalid("logo", "a logo is a PNG, JPEG, WebP or SVG"));
        };
        if bytes.len() > LOGO_BYTES_MAX {
            return Err(store::invalid("logo", "a logo has at most 128 KiB"));
        }
        let sha256 = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { media_type: media_type.to_owned(), sha256, base64: STANDARD.encode(bytes) })
    }

    fn bytes(&self) -> Result<Vec<u8>, ApiError> {
        let bytes = STANDARD.decode(&self.base64);
        bytes.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))
    }

    fn address(&self) -> String {
        format!("/house/logo?{}", self.sha256.get(..12).unwrap_or_default())
    }
}

/// By how the bytes begin, not by what they are called.
fn media_type(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        return Some("image/png");
    }
    if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
        return Some("image/jpeg");
    }
    if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        return Some("image/webp");
    }
    let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}').trim_start();
    let is_svg = text.starts_with("<svg") || text.starts_with("<?xml") && text.contains("<svg");
    is_svg.then_some("image/svg+xml")
}

fn kept(connection: &Connection, name: &str) -> sql::Result<Option<String>> {
    let mut select = connection.prepare_cached("SELECT value FROM house WHERE name = ?1")?;
    select.query_row([name], |row| row.get(0)).optional()
}

fn keep(connection: &Connection, name: &str, value: Option<&str>) -> sql::Result<()> {
    match value {
        Some(value) => {
            let sql = "INSERT INTO house (name, value) VALUES (?1, ?2)
                ON CONFLICT (name) DO UPDATE SET value = excluded.value";
            connection.execute(sql, (name, value))?;
        }
        None => {
            connection.execute("DELETE FROM house WHERE name = ?1", [name])?;
        }
    }
    Ok(())
}

/// What cannot be read is none: the page works without.
fn read<T: for<'a> Deserialize<'a>>(kept: Option<String>) -> Option<T> {
    let read = kept.map(|kept| serde_json::from_str(&kept));
    read.and_then(|read| {
        read.inspect_err(|error| tracing::error!(%error, "the house's look cannot be read")).ok()
    })
}

impl People {
    pub async fn look(&self) -> Result<Shown, ApiError> {
        if !self.db.exists() {
            return Ok(Shown::default());
        }
        let both = self.db.call(|db| Ok((kept(db, LOOK)?, kept(db, LOGO)?))).await?;
        let look: Look = read(both.0).unwrap_or_default();
        let logo: Option<Logo> = read(both.1);
        Ok(Shown {
            name: look.name,
            accent: look.accent,
            logo: logo.map(|logo| logo.address()),
            themes: look.accent.map(Themes::of),
        })
    }

    /// # Errors
    /// `invalid_request`
    pub async fn set_look(&self, mut look: Look, who: &str) -> Result<Shown, ApiError> {
        look.name = look.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if let Some(name) = &look.name
            && (name.chars().count() > NAME_CHARS_MAX || name.chars().any(char::is_control))
        {
            return Err(store::invalid("name", "a house's name has at most 40 characters"));
        }
        let json = serde_json::json!(look).to_string();
        self.db.call(move |connection| keep(connection, LOOK, Some(&json))).await?;
        self.audit.note(Entry::act(who, "look_changed", ""));
        self.look().await
    }

    pub async fn logo(&self) -> Result<Option<Logo>, ApiError> {
        if !self.db.exists() {
            return Ok(None);
        }
        Ok(read(self.db.call(|connection| kept(connection, LOGO)).await?))
    }

    /// # Errors
    /// `invalid_request`
    pub async fn set_logo(&self, bytes: Option<&[u8]>, who: &str) -> Result<Shown, ApiError> {
        let logo = bytes.map(Logo::new).transpose()?;
        let json = logo.map(|logo| serde_json::json!(logo).to_string());
        self.db.call(move |connection| keep(connection, LOGO, json.as_deref())).await?;
        self.audit.note(Entry::act(who, "look_changed", "logo"));
        self.look().await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_bytes() {
        for (bytes, expected) in [
            (&b"\x89PNG\r\n\x1a\nrest"[..], Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"RIFF\x10\0\0\0WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x10\0\0\0WAVEfmt ", None),
            (b"\xef\xbb\xbf  <svg xmlns='http://www.w3.org/2000/svg'/>", Some("image/svg+xml")),
            (b"<?xml version='1.0'?><svg/>", Some("image/svg+xml")),
            (b"<?xml version='1.0'?><html/>", None),
            (b"<!doctype html><svg/>", None),
            (b"", None),
        ] {
            assert_eq!(media_type(bytes), expected, "{}", String::from_utf8_lossy(bytes));
        }
        assert!(Logo::new(&[b"<svg>".as_slice(), &[b' '; LOGO_BYTES_MAX]].concat()).is_err());
    }
}
