//! How does a sign-in service (OpenID Connect) sign somebody in here?
//!
//! The authorisation code flow with PKCE, state and nonce. The browser that begins a sign-in gets its
//! state in a cookie too: nobody signs another in as himself. A state is good for one answer within ten
//! minutes. The ID token's signature, issuer, audience, time and nonce are checked (`token`), the
//! house's rules say who it is here (`rules`), `provider` fetches what the service publishes.

mod api;
mod provider;
mod rules;
mod token;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::Uri;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

pub(super) use api::{backchannel_logout, callback, rules, set_rules, start, try_rules};
use provider::Provider;
pub use rules::OidcRules;

use super::secret::new_secret;
use crate::config::{ConfigError, OidcConfig};

/// From the first step to the last.
const PATIENCE: Duration = Duration::from_secs(600);
/// Sign-ins under way; beyond it the oldest are forgotten.
const PENDING_MAX: usize = 10_000;

/// A sign-in service that the house trusts.
#[derive(Debug)]
pub struct Oidc {
    provider: Arc<Provider>,
    redirect_uri: String,
    pending: Mutex<HashMap<String, Pending>>,
}

/// A sign-in under way.
#[derive(Debug)]
struct Pending {
    nonce: String,
    verifier: String,
    at: Instant,
}

/// Whom the service vouches for.
#[derive(Clone, Debug)]
pub struct Vouched {
    pub issuer: String,
    pub subject: String,
    pub claims: Map<String, Value>,
    pub id_token: String,
}

impl Oidc {
    /// # Errors
    /// When a secret or a certificate cannot be read.
    pub fn new(
        config: &OidcConfig,
        config_path: &Path,
        public_url: Option<&Uri>,
        addr: std::net::SocketAddr,
    ) -> Result<Self, ConfigError> {
        let base = public_url.map_or_else(|| format!("http://{addr}"), Uri::to_string);
        Ok(Self {
            provider: Arc::new(Provider::new(config, config_path)?),
            redirect_uri: format!("{}/api/oidc/callback", base.trim_end_matches('/')),
            pending: Mutex::default(),
        })
    }

    /// Where the browser goes, and the state that it keeps.
    ///
    /// # Errors
    /// `oidc_unreachable`
    pub async fn begin(&self) -> Result<(String, String), ApiError> {
        let provider = Arc::clone(&self.provider);
        let published = blocking(move || provider.published()).await?;
        let random = |error| ApiError::new(ErrorCode::Internal).detail(error);
        let state = new_secret().map_err(random)?;
        let nonce = new_secret().map_err(random)?;
        let verifier = new_secret().map_err(random)?;
        let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        let unusable = |error: url::ParseError| {
            ApiError::new(ErrorCode::OidcUnreachable)
                .detail(format!("authorization_endpoint: {error}"))
        };
        let mut to = url::Url::parse(&published.authorization_endpoint).map_err(unusable)?;
        to.query_pairs_mut()
            .append_pair("response_type", "code")
            .append_pair("client_id", self.provider.client_id())
            .append_pair("redirect_uri", &self.redirect_uri)
            .append_pair("scope", &self.provider.scopes())
            .append_pair("state", &state)
            .append_pair("nonce", &nonce)
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        let now = Instant::now();
        let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
        if pending.len() >= PENDING_MAX {
            pending.retain(|_, pending| pending.at.elapsed() < PATIENCE);
        }
        if pending.len() >= PENDING_MAX {
            let oldest = pending.iter().min_by_key(|(_, pending)| pending.at);
            if let Some(oldest) = oldest.map(|(state, _)| state.clone()) {
                pending.remove(&oldest);
            }
        }
        pending.insert(state.clone(), Pending { nonce, verifier, at: now });
        Ok((to.into(), state))
    }

    /// Whom the service vouches for with this answer.
    ///
    /// # Errors
    /// `oidc_state_invalid`, `oidc_code_refused`, `oidc_unreachable`, and what the token is refused for.
    pub async fn finish(
        &self,
        state: &str,
        kept_state: Option<&str>,
        code: String,
        issuer: Option<&str>,
    ) -> Result<Vouched, ApiError> {
        let is_ours =
            kept_state.is_some_and(|kept| bool::from(kept.as_bytes().ct_eq(state.as_bytes())));
        // Another browser's does not use this one's up.
        let pending = is_ours
            .then(|| self.pending.lock().unwrap_or_else(PoisonError::into_inner).remove(state));
        let pending = pending.flatten().filter(|pending| pending.at.elapsed() < PATIENCE);
        let pending = pending.ok_or_else(|| ApiError::new(ErrorCode::OidcStateInvalid))?;
        // RFC 9207: an answer that another service mixed in.
        if issuer.is_some_and(|issuer| issuer != self.provider.issuer()) {
            return Err(ApiError::new(ErrorCode::OidcIssuerWrong));
        }
        let (provider, redirect_uri) = (Arc::clone(&self.provider), self.redirect_uri.clone());
        blocking(move || {
            let id_token = provider.exchange(&code, &pending.verifier, &redirect_uri)?;
            let claims = provider.claims_of(&id_token, token::Kind::Id)?;
            token::check_nonce(&claims, &pending.nonce)?;
            Ok(Vouched {
                issuer: provider.issuer().to_owned(),
                subject: token::text(&claims, "sub").unwrap_or_default().to_owned(),
                claims,
                id_token,
            })
        })
        .await
    }

    /// The claims of a back-channel logout.
    ///
    /// # Errors
    /// What the token is refused for.
    pub async fn logout_claims(
        &self,
        logout_token: String,
    ) -> Result<Map<String, Value>, ApiError> {
        let provider = Arc::clone(&self.provider);
        blocking(move || {
            let claims = provider.claims_of(&logout_token, token::Kind::Logout)?;
            token::check_logout(&claims)?;
            Ok(claims)
        })
        .await
    }

    pub fn issuer(&self) -> &str {
        self.provider.issuer()
    }

    /// Where the browser goes to sign out of the service too, if it says so.
    pub async fn end_session_url(&self, id_token: String) -> Option<String> {
        let provider = Arc::clone(&self.provider);
        let published = blocking(move || provider.published()).await.ok()?;
        let mut to = url::Url::parse(published.end_session_endpoint.as_deref()?).ok()?;
        let home = self.redirect_uri.trim_end_matches("api/oidc/callback");
        to.query_pairs_mut()
            .append_pair("id_token_hint", &id_token)
            .append_pair("client_id", self.provider.client_id())
            .append_pair("post_logout_redirect_uri", home);
        Some(to.into())
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?
}
