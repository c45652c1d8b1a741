//! How is one operation sealed? XChaCha20-Poly1305 under the account's key, what stays readable bound to it.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead as _, Payload};
use chacha20poly1305::{KeyInit as _, XChaCha20Poly1305};
use hkdf::Hkdf;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::{OP_MAX_BYTES, Op, Sealed};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

/// 24 random bytes: so many that chance never gives the same ones twice.
pub type Nonce = [u8; 24];

/// Of deflate: an operation is text, and is small enough for a slower look.
const LEVEL: u8 = 6;

/// The key of an account, which only its devices have.
#[derive(Clone, PartialEq, Eq)]
pub struct AccountKey([u8; 32]);

impl AccountKey {
    /// From 32 random bytes.
    pub fn new(random: [u8; 32]) -> Self {
        Self(random)
    }

    /// As a device keeps it; None: it is no key.
    pub fn from_text(text: &str) -> Option<Self> {
        Some(Self(URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?))
    }

    pub fn to_text(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.0)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Tells keys apart without giving them away.
    pub fn id(&self) -> String {
        URL_SAFE_NO_PAD.encode(&tagged(b"portico key id", &self.0)[..9])
    }

    /// Seals an operation's JSON. `place`: its conversation where it does not name one itself. `random` is
    /// used for this operation and for no other.
    ///
    /// # Errors
    /// `invalid_request` where it is no operation.
    pub fn seal(&self, json: &str, place: Option<Uuid>, random: Nonce) -> Result<String, ApiError> {
        let invalid =
            |reason: String| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
        let op = Op::from_json(json).map_err(|error| invalid(error.to_string()))?;
        let mut sealed = Sealed::around(&op, place);
        let packed = miniz_oxide::deflate::compress_to_vec(json.as_bytes(), LEVEL);
        let data = encrypt(&self.0, &random, &packed, sealed.bound().as_bytes());
        sealed.nonce = URL_SAFE_NO_PAD.encode(random);
        sealed.data = URL_SAFE_NO_PAD.encode(data);
        serde_json::to_string(&sealed).map_err(|error| invalid(error.to_string()))
    }

    /// The JSON of a sealed operation, as it was sealed.
    ///
    /// # Errors
    /// `seal_op_damaged` where it is not what a device with this key sealed.
    pub fn open(&self, line: &str) -> Result<String, ApiError> {
        self.opened(line).ok_or_else(|| ApiError::new(ErrorCode::SealOpDamaged).with("n", 1))
    }

    fn opened(&self, line: &str) -> Option<String> {
        let sealed = Sealed::from_json(line)?;
        let nonce: Nonce = URL_SAFE_NO_PAD.decode(&sealed.nonce).ok()?.try_into().ok()?;
        let data = URL_SAFE_NO_PAD.decode(&sealed.data).ok()?;
        let packed = decrypt(&self.0, &nonce, &data, sealed.bound().as_bytes())?;
        let json =
            miniz_oxide::inflate::decompress_to_vec_with_limit(&packed, OP_MAX_BYTES).ok()?;
        let json = String::from_utf8(json).ok()?;
        let op = Op::from_json(&json).ok()?;
        (op.id == sealed.id && op.at == sealed.at).then_some(json)
    }
}

pub(crate) fn encrypt(key: &[u8; 32], nonce: &Nonce, msg: &[u8], aad: &[u8]) -> Vec<u8> {
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    // Fails only beyond 256 GiB.
    cipher.encrypt(&(*nonce).into(), Payload { msg, aad }).unwrap_or_default()
}

pub(crate) fn decrypt(key: &[u8; 32], nonce: &Nonce, msg: &[u8], aad: &[u8]) -> Option<Vec<u8>> {
    let cipher = XChaCha20Poly1305::new(&(*key).into());
    cipher.decrypt(&(*nonce).into(), Payload { msg, aad }).ok()
}

/// SHA-256 of `bytes`, for one purpose.
pub(crate) fn tagged(purpose: &[u8], bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(purpose).chain_update([0]).chain_update(bytes).finalize().into()
}

/// HKDF-SHA256.
pub(crate) fn derived(salt: Option<&[u8]>, secret: &[u8], info: &[u8]) -> [u8; 32] {
    let mut key = [0; 32];
    // Fails only beyond 8,160 bytes.
    Hkdf::<Sha256>::new(salt, secret).expand(info, &mut key).unwrap_or_default();
    key
}
