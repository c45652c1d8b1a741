use portico_shared::error::ErrorCode;
use portico_shared::sync::{Body, Hlc, MessageContent, MessageState, Op, Sealed, Setting, uuid_v7};
use serde_json::Value;
use uuid::Uuid;

use crate::{AccountKey, Keyring, RecoveryKey};

const PASSPHRASE: &str = "Müller, Maier und Zwetschgen";

fn id(n: u8) -> Uuid {
    uuid_v7(1_000, &[n; 10])
}

fn write(state: MessageState) -> Op {
    let content = MessageContent { state, ..MessageContent::done("Zwetschgen ".repeat(40)) };
    Op::new(id(1), Hlc { ms: 5, n: 2 }, Body::WriteMessage { message: id(2), content })
}

fn key() -> AccountKey {
    AccountKey::new([7; 32])
}

/// A sealed line with one field changed.
fn with(line: &str, field: &str, value: Value) -> String {
    let mut fields: serde_json::Map<String, Value> = serde_json::from_str(line).unwrap();
    fields.insert(field.to_owned(), value);
    Value::Object(fields).to_string()
}

#[test]
fn what_is_sealed_comes_back_and_says_only_what_a_server_needs() {
    let json = write(MessageState::Draft).to_json();
    let line = key().seal(&json, Some(id(3)), [1; 24]).unwrap();
    assert!(!line.contains("Zwetschgen") && line.len() < json.len());
    let op = Op::from_json(&line).unwrap();
    assert!(op.body.is_sealed());
    assert_eq!((op.id, op.at), (id(1), Hlc { ms: 5, n: 2 }));
    assert_eq!((op.body.conversation(), op.body.message()), (Some(id(3)), Some(id(2))));
    assert_eq!(op.body.written(), Some(MessageState::Draft));
    let Body::Unknown(fields) = &op.body else { panic!("{op:?}") };
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["conversation", "data", "kind", "message", "nonce", "written"]);
    assert_eq!(key().open(&line).unwrap(), json);
    assert_eq!(AccountKey::from_text(&key().to_text()).unwrap().open(&line).unwrap(), json);

    let setting = Setting::StaysOnDevice(false);
    let set = Op::new(id(4), Hlc::default(), Body::Set { conversation: id(3), setting });
    let line = key().seal(&set.to_json(), None, [2; 24]).unwrap();
    assert_eq!(Op::from_json(&line).unwrap().body.stays_on_device(), Some(false));
}

#[test]
fn whatever_is_altered_is_noticed() {
    let line = key().seal(&write(MessageState::Done).to_json(), Some(id(3)), [1; 24]).unwrap();
    let sealed = Sealed::from_json(&line).unwrap();
    let flipped = sealed.data.replacen(
        |_: char| true,
        if sealed.data.starts_with('A') { "B" } else { "A" },
        1,
    );
    let text = |id: Uuid| Value::from(id.to_string());
    for (field, value) in [
        ("data", flipped.into()),
        ("data", "".into()),
        ("nonce", key().to_text().into()),
        ("id", text(id(9))),
        ("conversation", text(id(9))),
        ("message", text(id(9))),
        ("written", "draft".into()),
        ("stays_on_device", true.into()),
        ("at", serde_json::json!({ "ms": 6, "n": 2 })),
    ] {
        let error = key().open(&with(&line, field, value)).unwrap_err();
        assert_eq!(error.code, ErrorCode::SealOpDamaged, "{field}");
    }
    assert!(AccountKey::new([8; 32]).open(&line).is_err());
    // What lies plain in a sealed log was put there by somebody without the key.
    assert!(key().open(&write(MessageState::Done).to_json()).is_err());
}

#[test]
fn the_keyring_opens_by_passphrase_and_by_recovery_key_only() {
    let recovery = RecoveryKey::new([3; 20]);
    let made =
        |passphrase| Keyring::new(&key(), passphrase, &recovery, [4; 16], [[5; 24], [6; 24]]);
    assert_eq!(made("elf Zeichen").unwrap_err().code, ErrorCode::SealPassphraseShort);
    let keyring = made(PASSPHRASE).unwrap();
    let keyring = Keyring::from_value(keyring.to_value()).unwrap();
    // As a Mac writes it: u and a mark.
    let decomposed = PASSPHRASE.replace('ü', "u\u{308}");
    assert!(keyring.open_by_passphrase(&decomposed).unwrap() == key());
    let wrong = keyring.open_by_passphrase("Müller, Maier und Kirschen").err().unwrap();
    assert_eq!(wrong.code, ErrorCode::SealPassphraseWrong);
    assert!(keyring.open_by_recovery(&recovery.to_text()).unwrap() == key());
    let other = RecoveryKey::new([9; 20]).to_text();
    assert_eq!(keyring.open_by_recovery(&other).err().unwrap().code, ErrorCode::SealRecoveryWrong);

    let changed = keyring.with_passphrase(&key(), "ein anderer Satz", [1; 16], [2; 24]).unwrap();
    assert!(changed.open_by_passphrase(PASSPHRASE).is_err());
    assert!(changed.open_by_passphrase("ein anderer Satz").unwrap() == key());
    let renewed = changed.with_recovery(&key(), &RecoveryKey::new([9; 20]), [2; 24]);
    assert!(renewed.open_by_recovery(&other).unwrap() == key());
    assert!(renewed.open_by_recovery(&recovery.to_text()).is_err());
}

#[test]
fn a_damaged_keyring_is_called_so() {
    let recovery = RecoveryKey::new([3; 20]);
    let keyring = Keyring::new(&key(), PASSPHRASE, &recovery, [4; 16], [[5; 24], [6; 24]]).unwrap();
    for pointer in ["/passphrase/data", "/passphrase/salt", "/passphrase/nonce", "/key_id"] {
        let mut value = keyring.to_value();
        *value.pointer_mut(pointer).unwrap() = "AAAAAAAAAAAAAAAAAAAAAAAA".into();
        let error =
            Keyring::from_value(value).unwrap().open_by_passphrase(PASSPHRASE).err().unwrap();
        assert_eq!(error.code, ErrorCode::SealKeyringDamaged, "{pointer}");
    }
    let mut hungry = keyring.to_value();
    hungry["passphrase"]["memory_kib"] = (1_u32 << 30).into();
    assert!(Keyring::from_value(hungry).unwrap().open_by_passphrase(PASSPHRASE).is_err());
    let error = Keyring::from_value(Value::Null).unwrap_err();
    assert_eq!(error.code, ErrorCode::SealKeyringDamaged);
}

#[test]
fn a_typo_in_the_recovery_key_is_named() {
    let bytes: [u8; 20] = std::array::from_fn(|at| (at * 37 + 1) as u8);
    let recovery = RecoveryKey::new(bytes);
    let text = recovery.to_text();
    assert!(RecoveryKey::from_text(&text).unwrap() == recovery);
    let sloppy = text.to_lowercase().replace('-', " ").replace('0', "o").replace('1', "l");
    assert!(RecoveryKey::from_text(&sloppy).unwrap() == recovery);
    let letters: Vec<char> = text.chars().collect();
    for at in 0..letters.len() {
        if letters[at] == '-' {
            continue;
        }
        let mut typed = letters.clone();
        typed[at] = if typed[at] == 'Z' { 'Y' } else { 'Z' };
        let typed: String = typed.into_iter().collect();
        let error = RecoveryKey::from_text(&typed).err().unwrap();
        assert_eq!(error.code, ErrorCode::SealRecoveryTypo, "{typed}");
    }
    for bad in ["", "0000", &text[1..], "ü"] {
        assert!(RecoveryKey::from_text(bad).is_err());
    }
}

mod approving {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::approval::sealed;
    use crate::{APPROVAL_MS, Asking, Code, Heard};
    use portico_shared::sync::wire::{ApprovalAsk, ApprovalGiven};

    const NOW: u64 = 5_000;

    fn asking(n: u8) -> Asking {
        Asking::new(id(1), id(n), std::array::from_fn(|at| at as u8 ^ (n * 11)), NOW)
    }

    fn heard(asks: impl IntoIterator<Item = ApprovalAsk>) -> Heard {
        let mut heard = Heard::default();
        asks.into_iter().for_each(|ask| heard.hear(ask, NOW));
        heard
    }

    fn approve(heard: &mut Heard, code: &Code) -> Result<ApprovalGiven, ErrorCode> {
        heard.approve(id(1), code, &key(), [9; 32], NOW).map_err(|error| error.code)
    }

    #[track_caller]
    fn refused(asking: &mut Asking, given: &ApprovalGiven, code: ErrorCode) {
        assert_eq!(asking.open(given, NOW).err().map(|error| error.code), Some(code));
    }

    #[test]
    fn the_code_that_the_person_carries_brings_the_key_once() {
        let mut new = asking(3);
        let ask = new.ask(NOW).unwrap();
        // Another device asks too.
        let mut heard = heard([asking(4).ask(NOW).unwrap(), ask.clone(), ask.clone()]);
        assert_eq!(heard.n(NOW), 2);
        let shown = new.code().to_text();
        assert_eq!((shown.len(), shown.matches('-').count()), (19, 3));
        let typed = Code::from_text(&shown.to_lowercase().replace('-', " ")).unwrap();
        let given = approve(&mut heard, &typed).unwrap();
        // What goes over the server holds neither the code nor the key.
        let sent = serde_json::to_string(&(&ask, &given)).unwrap();
        assert!(!sent.contains(&key().to_text()) && !sent.contains(&shown.replace('-', "")));
        assert!(new.open(&given, NOW).unwrap() == key());
        refused(&mut new, &given, ErrorCode::SealApprovalExpired);
        assert!(new.ask(NOW).is_none());
        // Said again, it is not heard again.
        heard.hear(ask, NOW);
        assert_eq!(heard.n(NOW), 1);
        assert_eq!(approve(&mut heard, &typed), Err(ErrorCode::SealApprovalCode));
    }

    #[test]
    fn a_wrong_code_and_no_request_are_told_apart() {
        let new = asking(3);
        let mut heard = heard(new.ask(NOW));
        assert_eq!(approve(&mut heard, asking(4).code()), Err(ErrorCode::SealApprovalCode));
        for bad in ["", "0000", "0000-0000-0000-000U", &"0".repeat(17)] {
            let error = Code::from_text(bad).err().unwrap();
            assert_eq!(error.code, ErrorCode::SealApprovalCode, "{bad}");
        }
        assert_eq!(heard.refuse(), [id(3)]);
        assert_eq!(approve(&mut heard, new.code()), Err(ErrorCode::SealApprovalNone));
    }

    /// What a server that lies could do.
    #[test]
    fn keys_that_are_exchanged_on_the_way_are_refused() {
        let mut new = asking(3);
        let ask = new.ask(NOW).unwrap();
        let server = asking(4).ask(NOW).unwrap();
        // Its own public key for the new device's: with its proof, and with the new device's.
        for proof in [&server.proof, &ask.proof] {
            let exchanged =
                ApprovalAsk { key: server.key.clone(), proof: proof.clone(), ..ask.clone() };
            assert_eq!(
                approve(&mut heard([exchanged]), new.code()),
                Err(ErrorCode::SealApprovalCode)
            );
        }
        let other_request = ApprovalAsk { request: id(5), ..ask.clone() };
        assert_eq!(
            approve(&mut heard([other_request]), new.code()),
            Err(ErrorCode::SealApprovalCode)
        );
        // Of a device that is signed in as somebody else.
        let elsewhere = heard([ask.clone()]).approve(id(2), new.code(), &key(), [9; 32], NOW);
        assert_eq!(elsewhere.err().unwrap().code, ErrorCode::SealApprovalCode);

        // An account key of its own: it knows all that went over the wire, and no code.
        let own = AccountKey::new([1; 32]);
        let guess = asking(6);
        let forged = Asking::new(id(1), id(3), std::array::from_fn(|at| at as u8), NOW);
        let forged = heard(forged.ask(NOW)).approve(id(1), forged.code(), &own, [8; 32], NOW);
        let forged = forged.unwrap();
        refused(&mut new, &forged, ErrorCode::SealApprovalDamaged);
        // Also sealed for the new device's own public key, which it has seen.
        let theirs = URL_SAFE_NO_PAD.decode(&ask.key).unwrap().try_into().unwrap();
        let unasked = sealed(id(3), theirs, id(1), guess.code(), &own, [8; 32]).unwrap();
        refused(&mut new, &unasked, ErrorCode::SealApprovalDamaged);
        let honest = approve(&mut heard([ask.clone()]), new.code()).unwrap();
        let exchanged = ApprovalGiven { key: server.key, ..honest.clone() };
        refused(&mut new, &exchanged, ErrorCode::SealApprovalDamaged);
        let zero = ApprovalGiven { key: "A".repeat(43), ..honest.clone() };
        refused(&mut new, &zero, ErrorCode::SealApprovalDamaged);
        let mixed = ApprovalGiven { sealed: forged.sealed, ..honest.clone() };
        refused(&mut new, &mixed, ErrorCode::SealApprovalDamaged);
        let cut = ApprovalGiven { sealed: honest.sealed[..20].to_owned(), ..honest.clone() };
        refused(&mut new, &cut, ErrorCode::SealApprovalDamaged);
        // Replayed to another request.
        refused(&mut asking(6), &honest, ErrorCode::SealApprovalDamaged);
        let replayed = ApprovalGiven { request: guess.request(), ..honest.clone() };
        refused(&mut asking(6), &replayed, ErrorCode::SealApprovalDamaged);
        // None of it spoils the request.
        assert!(new.open(&honest, NOW).unwrap() == key());
    }

    #[test]
    fn a_request_is_over_after_its_time() {
        let mut new = asking(3);
        let ask = new.ask(NOW).unwrap();
        let late = NOW + APPROVAL_MS;
        let given = approve(&mut heard([ask.clone()]), new.code()).unwrap();
        assert!(new.ask(late - 1).is_some() && new.ask(late).is_none());
        assert_eq!(new.open(&given, late).err().unwrap().code, ErrorCode::SealApprovalExpired);
        let mut heard = heard([ask]);
        assert_eq!((heard.n(late - 1), heard.n(late)), (1, 0));
        let error = heard.approve(id(1), new.code(), &key(), [9; 32], late).err().unwrap();
        assert_eq!(error.code, ErrorCode::SealApprovalNone);
        // Who floods is heard up to a limit.
        (0..200).for_each(|n| heard.hear(asking(n % 20).ask(NOW).unwrap(), late));
        assert_eq!(heard.n(late), 16);
    }
}

/// What another program sealed opens here, now and in every later version.
#[test]
fn stored_vectors_open() {
    let vectors: Value = serde_json::from_str(include_str!("vectors.json")).unwrap();
    let text = |name: &str| vectors[name].as_str().unwrap();
    let key = AccountKey::from_text(text("key")).unwrap();
    assert_eq!(key.open(text("sealed")).unwrap(), text("operation"));
    let keyring = Keyring::from_value(vectors["keyring"].clone()).unwrap();
    assert_eq!(keyring.key_id, key.id());
    assert!(keyring.open_by_passphrase(text("passphrase")).unwrap() == key);
    assert!(keyring.open_by_recovery(text("recovery_key")).unwrap() == key);
    assert_eq!(
        RecoveryKey::from_text(text("recovery_key")).unwrap().to_text(),
        text("recovery_key")
    );
    // And what is sealed here is what the other program would have: all but the compression.
    let random: [u8; 24] = std::array::from_fn(|at| at as u8 + 1);
    let place = "0190163d-8694-739b-aea5-966c26f8ad92".parse().ok();
    let line = key.seal(text("operation"), place, random).unwrap();
    let (ours, theirs) = (Sealed::from_json(&line), Sealed::from_json(text("sealed")));
    let readable = |sealed: Option<Sealed>| Sealed { data: String::new(), ..sealed.unwrap() };
    assert_eq!(readable(ours), readable(theirs));
}
