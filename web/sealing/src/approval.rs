//! How does a device without the account's key get it from one that has it, over a server that neither is to
//! read it nor to put another one in its place? The person carries a code from the one to the other.
//!
//! The new device makes 80 random bits, the [`Code`], and an X25519 key pair. The code goes by the person's eyes
//! or camera, never over the server; the public key goes over the server with a proof that only who knows the
//! code can make ([`Ask`]). The device that has the key is told the code, looks for the request that it proves,
//! and seals the account's key to that public key ([`Given`]): XChaCha20-Poly1305 under HKDF-SHA256 of the two
//! devices' X25519 secret and the code.
//!
//! It is HPKE's mode with a pre-shared key (RFC 9180, 5.1.2), the code being that key, with a proof before it:
//!
//! - *Read it*: what is sealed opens only with one of the two ephemeral secrets, which never leave their devices
//!   and are gone afterwards. Whoever learns the code later has nothing.
//! - *Another public key in between*: needs a proof for it, thus the code. The server sees proofs, so it can try
//!   codes: 2^80 of them in the ten minutes that a request lives.
//! - *Another account key for the new device*, one that the server knows: what opens on the new device was
//!   sealed by who knows the code, for the code is in the key that seals. A fingerprint of the public key, which
//!   is no secret, would not have this.
//! - *Again, or elsewhere*: the person's id, the request's, and both public keys are in proof and seal; a
//!   request opens once, and not after its time.
//!
//! What it does not cover: somebody who sees the code while it is shown *and* has the server, or the person's
//! session, can ask in the place of the device. The page says: only for a device that one has before oneself.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{ApprovalAsk, ApprovalGiven};
use uuid::Uuid;
use x25519_dalek::{X25519_BASEPOINT_BYTES, x25519};

use crate::key::{AccountKey, decrypt, derived, encrypt, tagged};
use crate::letters;

/// How long a request lives.
pub const APPROVAL_MS: u64 = 10 * 60 * 1_000;
/// Requests that are heard at once; who sends more is no device of the person's.
const HEARD_MAX: usize = 16;

const CODE_BYTES: usize = 10;
const PURPOSE: &[u8] = b"portico approval 1";

/// What the person carries from the new device to the other.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; CODE_BYTES]);

impl Code {
    /// As a person types it.
    pub fn to_text(&self) -> String {
        letters::grouped(&letters::of_bytes(&self.0))
    }

    /// # Errors
    /// `seal_approval_code`.
    pub fn from_text(text: &str) -> Result<Self, ApiError> {
        let wrong = || ApiError::new(ErrorCode::SealApprovalCode);
        let typed = letters::typed(text).filter(|typed| typed.len() == CODE_BYTES * 8 / 5);
        let bytes = letters::bytes(&typed.ok_or_else(wrong)?);
        Ok(Self(bytes.try_into().map_err(|_| wrong())?))
    }

    /// That who asks with this public key knows the code.
    fn proof(&self, bound: &Bound<'_>) -> [u8; 32] {
        derived(None, &self.0, &bound.info(b"proof"))
    }
}

/// What proof and seal hold for.
struct Bound<'a> {
    person: Uuid,
    request: Uuid,
    /// Public keys: the new device's, then, in the seal, the other's.
    keys: [&'a [u8]; 2],
}

impl Bound<'_> {
    fn info(&self, what: &[u8]) -> Vec<u8> {
        let (person, request) = (self.person.as_bytes(), self.request.as_bytes());
        [PURPOSE, &[0], what, &[0], person, request, self.keys[0], self.keys[1]].concat()
    }
}

/// A request of this device, with what must not leave it.
pub struct Asking {
    person: Uuid,
    request: Uuid,
    code: Code,
    /// None: it was used.
    secret: Option<[u8; 32]>,
    until_ms: u64,
}

impl Asking {
    /// `random`: 42 bytes, used for this request and for nothing else.
    pub fn new(person: Uuid, request: Uuid, random: [u8; 42], now_ms: u64) -> Self {
        let (mut code, mut secret) = ([0; CODE_BYTES], [0; 32]);
        code.copy_from_slice(&random[..CODE_BYTES]);
        secret.copy_from_slice(&random[CODE_BYTES..]);
        let until_ms = now_ms.saturating_add(APPROVAL_MS);
        Self { person, request, code: Code(code), secret: Some(secret), until_ms }
    }

    pub fn request(&self) -> Uuid {
        self.request
    }

    pub fn code(&self) -> &Code {
        &self.code
    }

    pub fn is_over(&self, now_ms: u64) -> bool {
        self.secret.is_none() || now_ms >= self.until_ms
    }

    /// What goes over the server; none: it is over.
    pub fn ask(&self, now_ms: u64) -> Option<ApprovalAsk> {
        let secret = self.secret.filter(|_| !self.is_over(now_ms))?;
        let key = public(secret);
        let bound =
            Bound { person: self.person, request: self.request, keys: [key.as_slice(), &[]] };
        let proof = URL_SAFE_NO_PAD.encode(self.code.proof(&bound));
        Some(ApprovalAsk { request: self.request, key: URL_SAFE_NO_PAD.encode(key), proof })
    }

    /// The account's key, once.
    ///
    /// # Errors
    /// `seal_approval_expired` after its time and where it was used. `seal_approval_damaged`: what came is not of
    /// a device that knows the code; the request stays.
    pub fn open(&mut self, given: &ApprovalGiven, now_ms: u64) -> Result<AccountKey, ApiError> {
        let expired = || ApiError::new(ErrorCode::SealApprovalExpired);
        let secret = self.secret.filter(|_| !self.is_over(now_ms)).ok_or_else(expired)?;
        let key = self.opened(secret, given);
        let key = key.ok_or_else(|| ApiError::new(ErrorCode::SealApprovalDamaged))?;
        self.secret = None;
        Ok(key)
    }

    fn opened(&self, secret: [u8; 32], given: &ApprovalGiven) -> Option<AccountKey> {
        if given.request != self.request {
            return None;
        }
        let (own, theirs) = (public(secret), decoded(&given.key)?);
        let bound = Bound { person: self.person, request: self.request, keys: [&own, &theirs] };
        let sealed = URL_SAFE_NO_PAD.decode(&given.sealed).ok()?;
        let key = sealing_key(shared(secret, theirs)?, &self.code, &bound);
        let opened = decrypt(&key, &[0; 24], &sealed, &bound.info(b"account key"))?;
        Some(AccountKey::new(opened.try_into().ok()?))
    }
}

/// Requests that this device has heard, which has the key.
#[derive(Default)]
pub struct Heard {
    /// With when each was first heard.
    asks: Vec<(ApprovalAsk, u64)>,
    /// Approved or refused: heard no more.
    done: Vec<Uuid>,
}

impl Heard {
    /// Requests that are not over.
    pub fn n(&self, now_ms: u64) -> usize {
        self.asks.iter().filter(|(_, since_ms)| is_young(*since_ms, now_ms)).count()
    }

    pub fn hear(&mut self, ask: ApprovalAsk, now_ms: u64) {
        if self.done.contains(&ask.request) || self.asks.iter().any(|(known, _)| *known == ask) {
            return;
        }
        self.asks.retain(|(_, since_ms)| is_young(*since_ms, now_ms));
        if self.asks.len() < HEARD_MAX {
            self.asks.push((ask, now_ms));
        }
    }

    /// Its device asks no more.
    pub fn forget(&mut self, request: Uuid) {
        self.asks.retain(|(ask, _)| ask.request != request);
        self.done.push(request);
        let n_old = self.done.len().saturating_sub(HEARD_MAX);
        self.done.drain(..n_old);
    }

    /// The requests, which the person refuses.
    pub fn refuse(&mut self) -> Vec<Uuid> {
        let requests: Vec<Uuid> = self.asks.iter().map(|(ask, _)| ask.request).collect();
        requests.iter().for_each(|&request| self.forget(request));
        requests
    }

    /// Seals the account's key for the device that shows this code. `random`: of 32 bytes, used for this and
    /// for nothing else.
    ///
    /// # Errors
    /// `seal_approval_none` where no device asks; `seal_approval_code` where none of those that ask has shown this
    /// code.
    pub fn approve(
        &mut self,
        person: Uuid,
        code: &Code,
        account: &AccountKey,
        random: [u8; 32],
        now_ms: u64,
    ) -> Result<ApprovalGiven, ApiError> {
        self.asks.retain(|(_, since_ms)| is_young(*since_ms, now_ms));
        if self.asks.is_empty() {
            return Err(ApiError::new(ErrorCode::SealApprovalNone));
        }
        let given =
            self.asks.iter().find_map(|(ask, _)| answered(ask, person, code, account, random));
        let given = given.ok_or_else(|| ApiError::new(ErrorCode::SealApprovalCode))?;
        self.forget(given.request);
        Ok(given)
    }
}

fn is_young(since_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(since_ms) < APPROVAL_MS
}

/// None: the code does not prove this request.
fn answered(
    ask: &ApprovalAsk,
    person: Uuid,
    code: &Code,
    account: &AccountKey,
    secret: [u8; 32],
) -> Option<ApprovalGiven> {
    let (theirs, proof) = (decoded(&ask.key)?, decoded(&ask.proof)?);
    let bound = Bound { person, request: ask.request, keys: [&theirs, &[]] };
    // By their hashes, so that the time that it takes tells nothing of them.
    let hash = |proof: &[u8; 32]| tagged(b"portico approval proof", proof);
    if hash(&code.proof(&bound)) != hash(&proof) {
        return None;
    }
    sealed(ask.request, theirs, person, code, account, secret)
}

/// The account's key, for the device that has the other half of the public key and the code.
pub(crate) fn sealed(
    request: Uuid,
    theirs: [u8; 32],
    person: Uuid,
    code: &Code,
    account: &AccountKey,
    secret: [u8; 32],
) -> Option<ApprovalGiven> {
    let own = public(secret);
    let bound = Bound { person, request, keys: [&theirs, &own] };
    let key = sealing_key(shared(secret, theirs)?, code, &bound);
    // The key seals this once: its nonce may be any.
    let sealed = encrypt(&key, &[0; 24], account.bytes(), &bound.info(b"account key"));
    Some(ApprovalGiven {
        request,
        key: URL_SAFE_NO_PAD.encode(own),
        sealed: URL_SAFE_NO_PAD.encode(sealed),
    })
}

fn public(secret: [u8; 32]) -> [u8; 32] {
    x25519(secret, X25519_BASEPOINT_BYTES)
}

/// None: the public key is one of those whose secret is always the same.
fn shared(secret: [u8; 32], theirs: [u8; 32]) -> Option<[u8; 32]> {
    Some(x25519(secret, theirs)).filter(|shared| *shared != [0; 32])
}

fn sealing_key(shared: [u8; 32], code: &Code, bound: &Bound<'_>) -> [u8; 32] {
    derived(Some(&shared), &code.0, &bound.info(b"seal"))
}

fn decoded(text: &str) -> Option<[u8; 32]> {
    URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()
}
