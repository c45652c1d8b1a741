//! Is this the person's password, and is it a good one?
//!
//! Argon2id with OWASP's least parameters (19 MiB, two passes): about 30 ms of a core. It runs on
//! threads that may block, few at once, so that a flood of attempts costs memory and time that the
//! server has.

use std::sync::LazyLock;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use portico_shared::error::{ApiError, ErrorCode};
use tokio::sync::Semaphore;

const CHARS_MIN: usize = 12;
/// Longer ones are refused before they are hashed or judged.
const BYTES_MAX: usize = 256;
/// Of zxcvbn's 0 to 4: more than 10¹⁰ guesses. Three takes a common word with a year and marks for good.
const SCORE_MIN: zxcvbn::Score = zxcvbn::Score::Four;
/// At once; each takes 19 MiB and a core.
const AT_ONCE: usize = 2;
/// Longest queue before them: two seconds' worth.
const WAITING_MAX: usize = 100;

/// What zxcvbn's lists, which are English, do not have: what people in German-speaking houses take.
const GERMAN: [&str; 72] = [
    "passwort",
    "kennwort",
    "geheim",
    "geheimnis",
    "hallo",
    "willkommen",
    "schatz",
    "liebe",
    "liebling",
    "sommer",
    "winter",
    "herbst",
    "frühling",
    "fruehling",
    "januar",
    "februar",
    "märz",
    "maerz",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "fussball",
    "fußball",
    "schalke",
    "borussia",
    "bayern",
    "werder",
    "deutschland",
    "österreich",
    "oesterreich",
    "schweiz",
    "berlin",
    "hamburg",
    "münchen",
    "muenchen",
    "köln",
    "koeln",
    "frankfurt",
    "stuttgart",
    "dresden",
    "leipzig",
    "qwertz",
    "qwertzuiop",
    "qwertzu",
    "asdfghjkl",
    "yxcvbnm",
    "schule",
    "verein",
    "rathaus",
    "büro",
    "buero",
    "computer",
    "internet",
    "sonnenschein",
    "hund",
    "katze",
    "mausi",
    "engel",
    "familie",
    "mama",
    "papa",
    "ficken",
    "arschloch",
    "iloveyou",
];

/// What is compared where there is no password, so that it takes as long.
static NOBODYS: LazyLock<String> =
    LazyLock::new(|| hash_now("nobody's password").unwrap_or_default());

/// Hashes and compares, few at once.
#[derive(Debug)]
pub struct Hashing {
    places: Semaphore,
    waiting: Semaphore,
}

impl Default for Hashing {
    fn default() -> Self {
        Self { places: Semaphore::new(AT_ONCE), waiting: Semaphore::new(WAITING_MAX) }
    }
}

impl Hashing {
    /// A password as it is kept.
    pub async fn hash(&self, password: String) -> Result<String, ApiError> {
        self.run(move || hash_now(&password)).await?
    }

    /// Whether this is the password that was kept; takes as long where none was.
    pub async fn is_right(&self, password: String, kept: Option<String>) -> Result<bool, ApiError> {
        self.run(move || {
            let is_there = kept.is_some();
            let kept = kept.unwrap_or_else(|| NOBODYS.clone());
            let is_right = PasswordHash::new(&kept).is_ok_and(|kept| {
                Argon2::default().verify_password(password.as_bytes(), &kept).is_ok()
            });
            is_there && is_right
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ApiError> {
        let busy = |_| ApiError::new(ErrorCode::TooManyAttempts).with("retry_after_s", 1);
        let waiting = self.waiting.try_acquire().map_err(busy)?;
        let internal = |error: String| ApiError::new(ErrorCode::Internal).detail(error);
        let place = self.places.acquire().await.map_err(|error| internal(error.to_string()))?;
        drop(waiting);
        let done = tokio::task::spawn_blocking(work).await;
        drop(place);
        done.map_err(|error| internal(error.to_string()))
    }
}

fn hash_now(password: &str) -> Result<String, ApiError> {
    let hashed = Argon2::default().hash_password(password.as_bytes());
    let hashed = hashed.map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
    Ok(hashed.to_string())
}

/// Whether a password that was sent can be one at all; what cannot is not hashed.
pub fn can_be(password: &str) -> bool {
    (1..=BYTES_MAX).contains(&password.len())
}

/// Whether a new password is good enough: long, not among the 30,000 most common of breaches, nor such
/// a one with a year or a mark behind it, nor the person's own name (zxcvbn's lists and rules, and a few
/// German words).
///
/// # Errors
/// `password_weak`
pub fn check_new(password: &str, about_the_person: &[&str]) -> Result<(), ApiError> {
    let weak = || ApiError::new(ErrorCode::PasswordWeak);
    if !can_be(password) || password.chars().count() < CHARS_MIN {
        return Err(weak());
    }
    // What stands in the address before the `@` is as easily guessed as the whole.
    let parts = about_the_person.iter().flat_map(|text| text.split(['@', '.', ' ', '-', '_']));
    let mut about: Vec<&str> = parts.filter(|part| part.chars().count() > 2).collect();
    about.extend_from_slice(about_the_person);
    about.push("portico");
    about.extend(GERMAN);
    match zxcvbn::zxcvbn(password, &about).score() >= SCORE_MIN {
        true => Ok(()),
        false => Err(weak()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_ones_that_nobody_guesses_are_taken() {
        let is_good = |password: &str| check_new(password, &["anna.schmidt@example.org"]).is_ok();
        for good in ["correct horse battery staple", "vier Bären im Regen", "uW9#kq2!Lm0z"] {
            assert!(is_good(good), "{good}");
        }
        for bad in [
            "uW9#kq2!Lm0",
            "password1234",
            "Passwort2024!!",
            "Sommer2026Sommer",
            "qwertzuiop12",
            "Willkommen123!",
            "qwertyuiop123",
            "aaaaaaaaaaaaaa",
            "abcabcabcabcabc",
            "AnnaSchmidt2024",
            "iloveyouiloveyou",
            "portico portico",
            "",
            &"x".repeat(300),
        ] {
            assert!(!is_good(bad), "{bad}");
        }
    }

    #[tokio::test]
    async fn a_password_is_known_again_and_nobody_has_none() {
        let hashing = Hashing::default();
        let kept = hashing.hash("four bears".to_owned()).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let is_right = async |password: &str, kept: Option<&str>| {
            hashing.is_right(password.to_owned(), kept.map(str::to_owned)).await.unwrap()
        };
        assert!(is_right("four bears", Some(&kept)).await);
        assert!(!is_right("five bears", Some(&kept)).await);
        assert!(!is_right("nobody's password", None).await);
        assert!(!is_right("x", Some("no hash")).await);
    }
}
