//! What does the sign-in service publish, and what does it give for a code?

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use jsonwebtoken::jwk::JwkSet;
use portico_shared::error::{ApiError, ErrorCode};
use serde::Deserialize;
use serde_json::{Map, Value};
use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

use super::token::{self, Kind};
use crate::config::{ConfigError, OidcConfig};
use crate::upstream::read_secret;

const PATIENCE: Duration = Duration::from_secs(10);
/// Longest answer of the service.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// How long what it publishes is taken for true.
const FRESH: Duration = Duration::from_secs(3_600);
/// An unknown key makes its keys be asked for again, not more often than this.
const KEYS_EVERY: Duration = Duration::from_secs(30);

/// OpenID Connect Discovery 1.0, what we need of it.
#[derive(Clone, Debug, Deserialize)]
pub struct Published {
    pub issuer: String,
    pub authorization_endpoint: String,
    pub token_endpoint: String,
    pub jwks_uri: String,
    pub end_session_endpoint: Option<String>,
    #[serde(default)]
    pub token_endpoint_auth_methods_supported: Vec<String>,
}

/// The service, with what it published last.
pub struct Provider {
    issuer: String,
    client_id: String,
    client_secret: Option<String>,
    scopes: Vec<String>,
    agent: Agent,
    published: Mutex<Option<(Instant, Published)>>,
    keys: Mutex<Option<(Instant, JwkSet)>>,
}

impl std::fmt::Debug for Provider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Provider {
    /// # Errors
    /// When a secret or a certificate cannot be read.
    pub fn new(config: &OidcConfig, config_path: &Path) -> Result<Self, ConfigError> {
        let roots = match &config.ca_file {
            Some(file) => RootCerts::new_with_certs(&certificates(file, config_path)?),
            None => RootCerts::PlatformVerifier,
        };
        let tls = TlsConfig::builder()
            .root_certs(roots)
            .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .build();
        let agent = Agent::config_builder()
            .tls_config(tls)
            .http_status_as_error(false)
            // A redirect could lead a secret elsewhere.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_global(Some(PATIENCE))
            .user_agent(concat!("portico/", env!("CARGO_PKG_VERSION")))
            .build()
            .new_agent();
        let secret = config.client_secret.as_ref();
        Ok(Self {
            // As it was written: an address without a path has none of `/` either.
            issuer: written(&config.issuer),
            client_id: config.client_id.clone(),
            client_secret: secret.map(|secret| read_secret(secret, config_path)).transpose()?,
            scopes: config.scopes.clone(),
            agent,
            published: Mutex::default(),
            keys: Mutex::default(),
        })
    }

    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    pub fn scopes(&self) -> String {
        let mut scopes = self.scopes.clone();
        if !scopes.iter().any(|scope| scope == "openid") {
            scopes.insert(0, "openid".to_owned());
        }
        scopes.join(" ")
    }

    /// # Errors
    /// `oidc_unreachable`; `oidc_issuer_wrong` where another one stands there.
    pub fn published(&self) -> Result<Published, ApiError> {
        let mut kept = self.published.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, published)) = kept.as_ref()
            && at.elapsed() < FRESH
        {
            return Ok(published.clone());
        }
        let base = self.issuer.trim_end_matches('/');
        let published: Published = self.get(&format!("{base}/.well-known/openid-configuration"))?;
        if published.issuer.trim_end_matches('/') != base {
            return Err(ApiError::new(ErrorCode::OidcIssuerWrong).detail(&published.issuer));
        }
        *kept = Some((Instant::now(), published.clone()));
        Ok(published)
    }

    /// The ID token for a code.
    ///
    /// # Errors
    /// `oidc_code_refused`, `oidc_unreachable`, `oidc_token_invalid`.
    pub fn exchange(
        &self,
        code: &str,
        verifier: &str,
        redirect_uri: &str,
    ) -> Result<String, ApiError> {
        let published = self.published()?;
        let mut form = vec![
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", verifier),
        ];
        let mut request = self.agent.post(&published.token_endpoint);
        let methods = &published.token_endpoint_auth_methods_supported;
        let by_form = methods.iter().any(|method| method == "client_secret_post")
            && !methods.iter().any(|method| method == "client_secret_basic");
        match &self.client_secret {
            Some(secret) if !by_form => {
                request = request.header("authorization", basic(&self.client_id, secret));
            }
            Some(secret) => {
                form.extend([
                    ("client_id", self.client_id.as_str()),
                    ("client_secret", secret.as_str()),
                ]);
            }
            None => form.push(("client_id", self.client_id.as_str())),
        }
        let mut answer = request.send_form(form).map_err(unreachable)?;
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        let body = body.map_err(unreachable)?;
        if (400..500).contains(&status) {
            return Err(ApiError::new(ErrorCode::OidcCodeRefused).detail(cut(&body)));
        }
        if status != 200 {
            return Err(
                ApiError::new(ErrorCode::OidcUnreachable).detail(format!("status {status}"))
            );
        }
        #[derive(Deserialize)]
        struct Tokens {
            id_token: String,
        }
        let tokens = serde_json::from_str::<Tokens>(&body);
        tokens.map(|tokens| tokens.id_token).map_err(|_| token::invalid("it has no ID token"))
    }

    /// What a token of the service says, once all that can be checked was.
    ///
    /// # Errors
    /// Those of [`token::check`], and `oidc_unreachable`.
    pub fn claims_of(&self, text: &str, kind: Kind) -> Result<Map<String, Value>, ApiError> {
        let issuer = self.published()?.issuer;
        let check = |keys: &JwkSet| token::check(text, keys, &issuer, &self.client_id, kind);
        match check(&self.keys(FRESH)?) {
            // It may have new keys.
            Err(error) if error.code == ErrorCode::OidcSignatureWrong => {
                check(&self.keys(KEYS_EVERY)?)
            }
            checked => checked,
        }
    }

    fn keys(&self, fresh: Duration) -> Result<JwkSet, ApiError> {
        let mut kept = self.keys.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, keys)) = kept.as_ref()
            && at.elapsed() < fresh
        {
            return Ok(keys.clone());
        }
        let published = self.published()?;
        // Keys of kinds that are not known here are passed over.
        let all: Value = self.get(&published.jwks_uri)?;
        let keys = all.get("keys").and_then(Value::as_array).cloned().unwrap_or_default();
        let keys = keys.into_iter().filter_map(|key| serde_json::from_value(key).ok()).collect();
        let keys = JwkSet { keys };
        *kept = Some((Instant::now(), keys.clone()));
        Ok(keys)
    }

    fn get<T: serde::de::DeserializeOwned>(&self, url: &str) -> Result<T, ApiError> {
        let mut answer = self.agent.get(url).call().map_err(unreachable)?;
        if answer.status() != 200 {
            return Err(unreachable(format!("{url}: status {}", answer.status())));
        }
        let body = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string();
        serde_json::from_str(&body.map_err(unreachable)?).map_err(unreachable)
    }
}

fn unreachable(cause: impl std::fmt::Display) -> ApiError {
    ApiError::new(ErrorCode::OidcUnreachable).detail(cause)
}

fn written(issuer: &axum::http::Uri) -> String {
    let text = issuer.to_string();
    match issuer.path() {
        "/" => text.trim_end_matches('/').to_owned(),
        _ => text,
    }
}

/// RFC 6749, 2.3.1: both are form-encoded first.
fn basic(id: &str, secret: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let encode =
        |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encode(id), encode(secret))))
}

fn cut(text: &str) -> String {
    text.chars().take(300).collect()
}

fn certificates(file: &Path, config_path: &Path) -> Result<Vec<Certificate<'static>>, ConfigError> {
    let path = config_path.parent().unwrap_or(Path::new("")).join(file);
    let fault = |reason: String| ConfigError::Inconsistent {
        path: config_path.to_owned(),
        reason: format!("`ca_file`: {}: {reason}", path.display()),
    };
    let pem = std::fs::read(&path).map_err(|error| fault(error.to_string()))?;
    let items = ureq::tls::parse_pem(&pem).filter_map(|item| match item {
        Ok(ureq::tls::PemItem::Certificate(certificate)) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = items.collect();
    match certificates.is_empty() {
        true => Err(fault("it holds no certificate".to_owned())),
        false => Ok(certificates),
    }
}
