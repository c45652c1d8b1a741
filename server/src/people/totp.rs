//! Is this the code that the person's authenticator app shows now? (RFC 6238: SHA-1, 30 s, six digits,
//! as all such apps have it.)

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

const STEP_S: u64 = 30;
/// Steps before and after now that count: clocks differ.
const DRIFT: u64 = 1;
const SECRET_BYTES: usize = 20;
/// 80 bits: nobody guesses them from a fast hash.
const RECOVERY_BYTES: usize = 10;
const N_RECOVERY: usize = 10;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// # Errors
/// When the system gives no random numbers.
pub fn new_secret() -> Result<[u8; SECRET_BYTES], getrandom::Error> {
    let mut secret = [0; SECRET_BYTES];
    getrandom::fill(&mut secret)?;
    Ok(secret)
}

/// Codes for who lost the app, and their hashes.
///
/// # Errors
/// When the system gives no random numbers.
pub fn new_recovery_codes() -> Result<Vec<(String, [u8; 32])>, getrandom::Error> {
    let code = |_| {
        let mut bytes = [0; RECOVERY_BYTES];
        getrandom::fill(&mut bytes)?;
        let text = base32(&bytes).to_lowercase();
        let groups: Vec<&str> = (0..4).map(|i| &text[i * 4..i * 4 + 4]).collect();
        let text = groups.join("-");
        let hash = recovery_hash(&text);
        Ok((text, hash))
    };
    (0..N_RECOVERY).map(code).collect()
}

/// Of a code as somebody typed it.
pub fn recovery_hash(code: &str) -> [u8; 32] {
    let plain: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
    Sha256::digest(plain.to_lowercase()).into()
}

/// Whether it can be a recovery code rather than one of the app.
pub fn is_recovery(code: &str) -> bool {
    code.chars().filter(char::is_ascii_alphanumeric).count() == RECOVERY_BYTES * 8 / 5
}

/// RFC 4648, without padding; of a multiple of five bytes.
pub fn base32(bytes: &[u8]) -> String {
    let digit = |bits: u64, i: usize| BASE32[(bits >> (35 - 5 * i)) as usize & 31] as char;
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte));
        (0..8).map(move |i| digit(bits, i))
    };
    bytes.chunks_exact(5).flat_map(group).collect()
}

/// What an app reads from a QR code.
pub fn uri(secret: &[u8], name: &str, house: &str) -> String {
    let mut uri = url::Url::parse("otpauth://totp/").map_or_else(|_| String::new(), String::from);
    let encode = |text: &str| {
        url::form_urlencoded::byte_serialize(text.as_bytes())
            .collect::<String>()
            .replace('+', "%20")
    };
    uri += &format!("{}:{}", encode(house), encode(name));
    uri += &format!("?secret={}&issuer={}", base32(secret), encode(house));
    uri
}

/// The step whose code this is, if it is later than `last_step`.
pub fn step_of(secret: &[u8], code: &str, now_s: u64, last_step: u64) -> Option<u64> {
    let code: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let now = now_s / STEP_S;
    let mut found = None;
    // All are compared, whichever it is.
    for step in now.saturating_sub(DRIFT)..=now + DRIFT {
        let is_it = bool::from(code_at(secret, step).as_bytes().ct_eq(code.as_bytes()));
        if is_it && step > last_step {
            found = Some(step);
        }
    }
    found
}

fn code_at(secret: &[u8], step: u64) -> String {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let mac = mac.finalize().into_bytes();
    let at = usize::from(mac[mac.len() - 1] & 15);
    let bits = mac[at..at + 4].iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte));
    format!("{:06}", (bits & 0x7fff_ffff) % 1_000_000)
}

/// The code of a moment, for tests that are an authenticator app.
#[doc(hidden)]
pub fn code_for_tests(secret_base32: &str, now_s: u64) -> String {
    let value = |digit: u8| BASE32.iter().position(|known| *known == digit).unwrap_or(0) as u64;
    let bytes = secret_base32.as_bytes().chunks(8).flat_map(|group| {
        let bits = group.iter().fold(0, |bits, digit| bits << 5 | value(*digit));
        bits.to_be_bytes()[3..].to_vec()
    });
    code_at(&bytes.collect::<Vec<u8>>(), now_s / STEP_S)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Appendix B of RFC 6238, of whose eight digits apps show the last six.
    #[test]
    fn codes_are_the_rfcs() {
        let secret = b"12345678901234567890";
        for (now_s, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_234_567_890, "005924"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(step_of(secret, code, now_s, 0), Some(now_s / STEP_S));
            assert_eq!(code_for_tests(&base32(secret), now_s), code);
            let spaced = format!("{} {}", &code[..3], &code[3..]);
            assert_eq!(step_of(secret, &spaced, now_s + STEP_S, 0), Some(now_s / STEP_S));
            assert_eq!(step_of(secret, code, now_s + 2 * STEP_S, 0), None);
            assert_eq!(step_of(secret, code, now_s, now_s / STEP_S), None, "a code counts once");
        }
        assert_eq!(step_of(secret, "", 59, 0), None);
    }

    #[test]
    fn what_an_app_reads_names_the_person_and_the_house() {
        let uri = uri(b"12345678901234567890", "anna@example.org", "Haus am See");
        assert_eq!(
            uri,
            "otpauth://totp/Haus%20am%20See:anna%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Haus%20am%20See"
        );
    }

    #[test]
    fn recovery_codes_are_read_as_people_type_them() {
        let codes = new_recovery_codes().unwrap();
        assert_eq!(codes.len(), 10);
        let (text, hash) = &codes[0];
        assert!(is_recovery(text) && !is_recovery("123456"));
        assert_eq!(recovery_hash(&text.to_uppercase().replace('-', " ")), *hash);
        assert_ne!(codes[1].1, *hash);
    }
}
