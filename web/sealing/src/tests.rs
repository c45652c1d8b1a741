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
