//! `/api/look`, `/house.css`, `/house/logo`

use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use portico_shared::error::ErrorCode;
use sha2::{Digest as _, Sha256};

use super::Shown;
use super::colour::{Shades, Themes};
use crate::gateway::{Caller, Gateway, JsonBody};
use crate::guard::OwnPolicy;
use crate::http_error::HttpError;

/// A picture that is opened by itself does nothing; an SVG may colour itself.
const LOGO_POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'";

pub async fn get(State(gateway): State<Arc<Gateway>>) -> Result<Json<Shown>, HttpError> {
    Ok(Json(gateway.people.look().await?))
}

pub async fn set(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: JsonBody,
) -> Result<Json<Shown>, HttpError> {
    caller.admin()?;
    Ok(Json(gateway.people.set_look(body.read()?, &caller.who).await?))
}

pub async fn set_logo(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: Bytes,
) -> Result<Json<Shown>, HttpError> {
    caller.admin()?;
    Ok(Json(gateway.people.set_logo(Some(&body), &caller.who).await?))
}

pub async fn remove_logo(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
) -> Result<Json<Shown>, HttpError> {
    caller.admin()?;
    Ok(Json(gateway.people.set_logo(None, &caller.who).await?))
}

pub async fn logo(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let logo = gateway.people.logo().await?.ok_or(ErrorCode::NotFound)?;
    let media_type = HeaderValue::from_str(&logo.media_type).map_err(HttpError::internal)?;
    let policy = [(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(LOGO_POLICY))];
    let content_type = [(header::CONTENT_TYPE, media_type)];
    let bytes = logo.bytes()?;
    let answer = tagged(&headers, &logo.sha256, (content_type, policy, bytes))?;
    Ok((Extension(OwnPolicy), answer).into_response())
}

/// The accent, as a style sheet that stands behind the page's own; empty where the house has none.
pub async fn style(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Result<Response, HttpError> {
    let css = gateway.people.look().await?.themes.map(css).unwrap_or_default();
    let tag: String = Sha256::digest(&css).iter().take(8).map(|b| format!("{b:02x}")).collect();
    let content_type = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    tagged(&headers, &tag, (content_type, css))
}

/// Kept by browsers, and asked for anew each time.
fn tagged(
    headers: &HeaderMap,
    tag: &str,
    answer: impl IntoResponse,
) -> Result<Response, HttpError> {
    let tag = HeaderValue::from_str(&format!("\"{tag}\"")).map_err(HttpError::internal)?;
    let is_known = headers.get(header::IF_NONE_MATCH) == Some(&tag);
    let head = [(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")), (header::ETAG, tag)];
    Ok(match is_known {
        true => (StatusCode::NOT_MODIFIED, head).into_response(),
        false => (head, answer).into_response(),
    })
}

/// Under the same conditions as in `web/assets/style.css`.
fn css(Themes { light, dark }: Themes) -> String {
    let mut css = String::new();
    for (open, shades, close) in [
        (":root", light, ""),
        ("@media (prefers-color-scheme: dark) { :root:not([data-theme=\"light\"])", dark, " }"),
        (":root[data-theme=\"dark\"]", dark, ""),
    ] {
        let Shades { accent, ink, soft, .. } = shades;
        writeln!(
            css,
            "{open} {{ --accent: {accent}; --accent-ink: {ink}; --accent-soft: {soft}; }}{close}"
        )
        .expect("a String takes all");
    }
    css
}
