//! Is this token of the service that the house trusts, for us, and of now?

use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use portico_shared::error::{ApiError, ErrorCode};
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

/// Signatures with a public key: a secret that both know proves nothing of who signed.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far both servers' clocks may differ.
const LEEWAY_S: u64 = 60;
const TOKEN_BYTES_MAX: usize = 64 << 10;
const LOGOUT_EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Id,
    Logout,
}

pub fn invalid(reason: &str) -> ApiError {
    ApiError::new(ErrorCode::OidcTokenInvalid).with("reason", reason)
}

/// Its claims.
///
/// # Errors
/// `oidc_signature_wrong`, `oidc_audience_wrong`, `oidc_issuer_wrong`, `oidc_expired`,
/// `oidc_token_invalid`.
pub fn check(
    text: &str,
    keys: &JwkSet,
    issuer: &str,
    client_id: &str,
    kind: Kind,
) -> Result<Map<String, Value>, ApiError> {
    if text.len() > TOKEN_BYTES_MAX {
        return Err(invalid("it is too long"));
    }
    let header = decode_header(text).map_err(refused)?;
    if !ALGORITHMS.contains(&header.alg) {
        return Err(
            ApiError::new(ErrorCode::OidcSignatureWrong).detail(format!("{:?}", header.alg))
        );
    }
    let mut validation = Validation::new(header.alg);
    validation.leeway = LEEWAY_S;
    validation.validate_nbf = true;
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[client_id]);
    let required: &[&str] = match kind {
        Kind::Id => &["exp", "iss", "aud", "sub"],
        Kind::Logout => &["iss", "aud"],
    };
    validation.set_required_spec_claims(required);
    let named = |id: &Option<String>| header.kid.is_none() || header.kid == *id;
    let mut last = ApiError::new(ErrorCode::OidcSignatureWrong).detail("no such key");
    for key in keys.keys.iter().filter(|key| named(&key.common.key_id)) {
        let Ok(key) = DecodingKey::from_jwk(key) else { continue };
        match decode::<Map<String, Value>>(text, &key, &validation) {
            Ok(token) => {
                check_party(&token.claims, client_id)?;
                return Ok(token.claims);
            }
            Err(error) => {
                let error = refused(error);
                if error.code != ErrorCode::OidcSignatureWrong {
                    return Err(error);
                }
                last = error;
            }
        }
    }
    Err(last)
}

/// Of several whom it is for, the one it was made for.
fn check_party(claims: &Map<String, Value>, client_id: &str) -> Result<(), ApiError> {
    let is_for_several =
        claims.get("aud").and_then(Value::as_array).is_some_and(|all| all.len() > 1);
    match text(claims, "azp") {
        Some(party) if party != client_id => Err(ApiError::new(ErrorCode::OidcAudienceWrong)),
        None if is_for_several => Err(ApiError::new(ErrorCode::OidcAudienceWrong)),
        _ => Ok(()),
    }
}

/// # Errors
/// `oidc_nonce_wrong`
pub fn check_nonce(claims: &Map<String, Value>, nonce: &str) -> Result<(), ApiError> {
    let found = text(claims, "nonce").unwrap_or_default();
    match bool::from(found.as_bytes().ct_eq(nonce.as_bytes())) {
        true => Ok(()),
        false => Err(ApiError::new(ErrorCode::OidcNonceWrong)),
    }
}

/// OpenID Connect Back-Channel Logout 1.0, 2.6.
///
/// # Errors
/// `oidc_token_invalid`
pub fn check_logout(claims: &Map<String, Value>) -> Result<(), ApiError> {
    let is_logout = claims.get("events").and_then(|events| events.get(LOGOUT_EVENT)).is_some();
    let names_whom = text(claims, "sid").is_some() || text(claims, "sub").is_some();
    // An ID token must not pass for one.
    match is_logout && names_whom && !claims.contains_key("nonce") {
        true => Ok(()),
        false => Err(invalid("it is no logout token")),
    }
}

/// A claim that is a text.
pub fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    claims.get(name).and_then(Value::as_str)
}

/// What a token says, whoever wrote it: to try rules with.
///
/// # Errors
/// `oidc_token_invalid`
pub fn claims_unchecked(text: &str) -> Result<Map<String, Value>, ApiError> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    if text.len() > TOKEN_BYTES_MAX {
        return Err(invalid("it is too long"));
    }
    let text = text.trim();
    let json = match text.starts_with('{') {
        true => text.as_bytes().to_vec(),
        false => {
            let payload = text.split('.').nth(1).unwrap_or_default();
            URL_SAFE_NO_PAD
                .decode(payload)
                .map_err(|_| invalid("it is neither a token nor JSON"))?
        }
    };
    serde_json::from_slice(&json).map_err(|_| invalid("it is neither a token nor JSON"))
}

fn refused(error: jsonwebtoken::errors::Error) -> ApiError {
    match error.kind() {
        ErrorKind::InvalidSignature | ErrorKind::InvalidAlgorithm => {
            ApiError::new(ErrorCode::OidcSignatureWrong)
        }
        ErrorKind::InvalidAudience => ApiError::new(ErrorCode::OidcAudienceWrong),
        ErrorKind::InvalidIssuer => ApiError::new(ErrorCode::OidcIssuerWrong),
        ErrorKind::ExpiredSignature | ErrorKind::ImmatureSignature => {
            ApiError::new(ErrorCode::OidcExpired)
        }
        ErrorKind::MissingRequiredClaim(name) => invalid(&format!("it lacks `{name}`")),
        _ => invalid("it is no token").detail(error),
    }
}
