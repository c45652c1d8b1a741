//! A log that only the person's devices can read, over the routes: how it becomes so, what it takes, and
//! that nothing plain is left in any file.

use std::path::Path;

use axum::body::Body as HttpBody;
use axum::http::{Request, StatusCode};
use flate2::Decompress;
use portico_shared::sync::wire::KeyringState;
use portico_shared::sync::{MessageState, Op, Sealed, Setting};
use serde_json::{Value, json};

use crate::common::*;
use crate::sync::{Device, add, create, device, id, set, sign_in, write};

const SAID: &str = "Zwetschgenrezept";

/// As a device seals an operation; what is under the seal is no matter of the server's.
fn sealed(op: &Op, conversation: u8) -> Op {
    let mut sealed = Sealed::around(op, Some(id(conversation)));
    (sealed.nonce, sealed.data) = ("bm9uY2U".to_owned(), "Z2VoZWlt".to_owned());
    Op::from_json(&serde_json::to_string(&sealed).unwrap()).unwrap()
}

impl Device<'_> {
    async fn keyring(&self) -> KeyringState {
        self.get("/api/sync/keyring").await.json()
    }

    async fn put(&self, state: &KeyringState, keyring: Value) -> Answer {
        let body = json!({
            "revision": state.revision, "epoch": state.epoch, "cursor": state.cursor, "keyring": keyring,
        });
        let request = Request::put("/api/sync/keyring").header("cookie", &self.cookie);
        let request =
            request.header("portico-page", "1").header("content-type", "application/json");
        let body = HttpBody::from(body.to_string());
        Answer::of(self.site.send(request.body(body).unwrap()).await).await
    }
}

/// Whether a text stands in any file of the folder, plain or deflated at any place.
fn is_found(folder: &Path, text: &str) -> bool {
    crate::database::lay_out(folder);
    let files = std::fs::read_dir(folder).unwrap().flatten();
    files.filter_map(|entry| std::fs::read(entry.path()).ok()).any(|bytes| {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        has(&bytes) || (0..bytes.len()).any(|at| has(&inflated(&bytes[at..])))
    })
}

/// What deflate makes of bytes, as far as it goes.
fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(1 << 12);
    let bytes = &bytes[..bytes.len().min(1 << 12)];
    // What is no deflate is none from its first bytes on.
    Decompress::new(false).decompress_vec(bytes, &mut out, flate2::FlushDecompress::None).ok();
    out
}

#[tokio::test]
async fn a_log_becomes_sealed_and_plain_again_and_nothing_of_it_is_left() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let folder = &site.folder.0;
    let long = format!("{SAID} {}", "so wie es war ".repeat(40));
    anna.push(&[
        create(1, 50),
        add(2, 50, 60, SAID),
        set(3, 50, Setting::Title(Some(SAID.into()))),
    ])
    .await;
    // A draft that gave way, and one that lies deflated.
    anna.push(&[write(4, 60, &format!("{long} halb"), MessageState::Draft)]).await;
    anna.push(&[write(5, 60, &long, MessageState::Done)]).await;
    assert!(is_found(folder, SAID), "it would be found");
    assert!(is_found(folder, "so wie es war so wie"), "also where it is deflated");

    let plain = anna.keyring().await;
    assert_eq!((plain.revision, plain.cursor, plain.keyring.clone()), (0, 5, None));
    let behind = KeyringState { cursor: 4, ..plain.clone() };
    assert_eq!(anna.put(&behind, json!({})).await.error().1, "sync_not_settled");
    assert_eq!(anna.put(&plain, json!("key")).await.error().1, "invalid_request");
    let large = json!({ "x": "x".repeat(20 << 10) });
    assert_eq!(anna.put(&plain, large).await.error().1, "invalid_request");
    let keyring = json!({ "passphrase": "sealed" });
    let taken = anna.put(&plain, keyring.clone()).await;
    assert_eq!(taken.status, StatusCode::OK, "{}", taken.text());
    let now: KeyringState = taken.json();
    assert_eq!(now, anna.keyring().await);
    assert_eq!((now.revision, now.cursor, now.keyring.clone()), (1, 0, Some(keyring)));
    assert!(now.epoch != plain.epoch && anna.all().await.is_empty());
    assert!(anna.heads("").await.1.is_empty());
    assert!(!is_found(folder, SAID) && !is_found(folder, "so wie es war so wie"));
    let (page, _) = anna.pull(&format!("epoch={}&since=5", plain.epoch)).await;
    assert!(page.restarted, "devices push again");

    // Another device knows the older keyring.
    assert_eq!(anna.put(&plain, json!({})).await.error().1, "sync_keyring_changed");
    let other: KeyringState = anna.put(&now, json!({ "passphrase": "another" })).await.json();
    assert_eq!((other.revision, other.epoch), (2, now.epoch), "the log goes on");

    anna.push(&[sealed(&create(1, 50), 50)]).await;
    assert_eq!(anna.put(&other, Value::Null).await.error().1, "sync_not_settled");
    let off: KeyringState = anna.put(&anna.keyring().await, Value::Null).await.json();
    assert_eq!((off.revision, off.keyring), (3, None));
    assert!(anna.all().await.is_empty());
    assert_eq!(anna.push(&[create(1, 50)]).await.n_new, 1);
}

#[tokio::test]
async fn a_sealed_log_takes_only_what_is_sealed_and_a_plain_one_only_what_is_not() {
    let site = Site::new("", &[]);
    let (cookie, person) = sign_in(&site, "anna").await;
    let anna = Device { site: &site, cookie };
    let codes = |pushed: portico_shared::sync::wire::Pushed| -> Vec<(usize, &'static str)> {
        pushed.refused.iter().map(|one| (one.line, one.error.code.as_str())).collect()
    };
    let mixed = [create(1, 50), sealed(&add(2, 50, 60, SAID), 50)];
    assert_eq!(codes(anna.push(&mixed).await), [(1, "sync_log_plain")]);
    anna.put(&anna.keyring().await, json!({})).await;
    assert_eq!(codes(anna.push(&mixed).await), [(0, "sync_log_sealed")]);

    // By what is readable it is carried as others are.
    let draft = |n, text| sealed(&write(n, 60, text, MessageState::Draft), 50);
    anna.push(&[draft(3, "a"), draft(4, "ab")]).await;
    anna.push(&[sealed(&write(9, 60, "abc", MessageState::Done), 50)]).await;
    anna.push(&[draft(8, "spät")]).await;
    let ids: Vec<_> = anna.all().await.iter().map(|op| op.id).collect();
    assert_eq!(ids, [2, 9].map(id), "drafts gave way");
    let (_, of_it) = anna.ops(&format!("/api/sync/conversations/{}", id(50))).await;
    assert_eq!(of_it.len(), 2);

    anna.push(&[sealed(&create(10, 51), 51)]).await;
    let stays = sealed(&set(11, 51, Setting::StaysOnDevice(true)), 51);
    assert_eq!(codes(anna.push(&[stays]).await), [(0, "conversation_stays_on_device")]);
    assert_eq!(
        site.app.gateway.sync.expire(person, 10_010).await.unwrap().len(),
        1,
        "the older one"
    );
    let left: Vec<_> = anna.all().await.iter().map(|op| op.id).collect();
    assert_eq!(left, [id(10)]);
    let path = format!("/api/sync/conversations/{}/withdraw", id(51));
    anna.post(&path, "", &[]).await;
    assert!(anna.all().await.is_empty());
}
