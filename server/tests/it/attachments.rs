//! Bytes of files that go with messages: sent in chunks, kept by digest and person, served inert, and gone
//! with the conversations that they go with.

mod waiting;

use axum::body::Body as HttpBody;
use axum::http::{Method, Request, StatusCode};
use portico_server::people::PersonId;
use portico_shared::sync::{Body, Hlc, Op, Sealed, Setting, uuid_v7};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::common::*;
use crate::sync::sign_in;

const CHUNK: usize = 1 << 20;
const DAY_S: u64 = 86_400;

fn id(n: u8) -> Uuid {
    uuid_v7(1_000, &[n; 10])
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
}

struct Device {
    cookie: String,
    person: PersonId,
}

impl Device {
    async fn new(site: &Site, name: &str) -> Self {
        let (cookie, person) = sign_in(site, name).await;
        Self { cookie, person }
    }

    async fn ask(
        &self,
        site: &Site,
        method: Method,
        path: &str,
        body: impl Into<HttpBody>,
    ) -> Answer {
        let request = Request::builder().method(method).uri(path).header("cookie", &self.cookie);
        let request = request.header("portico-page", "1").body(body.into()).unwrap();
        Answer::of(site.send(request).await).await
    }

    /// Operations on a conversation, in the order of `n`.
    async fn push(&self, site: &Site, n: u8, body: Body) {
        let op = Op::new(id(n), Hlc { ms: 10_000 + u64::from(n), n: 0 }, body);
        let answer = self.ask(site, Method::POST, "/api/sync/push", op.to_json()).await;
        assert_eq!(answer.json::<Value>()["n_new"], 1, "{}", answer.text());
    }

    async fn create(&self, site: &Site, n: u8, conversation: u8) {
        self.push(site, n, Body::CreateConversation { conversation: id(conversation) }).await;
    }

    async fn open(&self, site: &Site, bytes: &[u8], conversation: u8) -> Answer {
        let offer = json!({
            "sha256": digest(bytes), "size_bytes": bytes.len(), "conversation": id(conversation),
        });
        self.ask(site, Method::POST, "/api/attachments", offer.to_string()).await
    }

    async fn missing(&self, site: &Site, bytes: &[u8], conversation: u8) -> Vec<u64> {
        let answer = self.open(site, bytes, conversation).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        let standing: Value = answer.json();
        let missing: Vec<u64> = serde_json::from_value(standing["missing"].clone()).unwrap();
        assert!(!standing["is_whole"].as_bool().unwrap(), "{standing}");
        missing
    }

    async fn put(&self, site: &Site, sha256: &str, offset: usize, chunk: &[u8]) -> Answer {
        let path = format!("/api/attachments/{sha256}/bytes?offset={offset}");
        self.ask(site, Method::PUT, &path, chunk.to_vec()).await
    }

    async fn finish(&self, site: &Site, sha256: &str) -> Answer {
        self.ask(site, Method::POST, &format!("/api/attachments/{sha256}/finish"), "").await
    }

    async fn send(&self, site: &Site, bytes: &[u8], conversation: u8) -> Answer {
        let sha256 = digest(bytes);
        for offset in self.missing(site, bytes, conversation).await {
            let offset = offset as usize;
            let chunk = &bytes[offset..(offset + CHUNK).min(bytes.len())];
            assert_eq!(self.put(site, &sha256, offset, chunk).await.status, StatusCode::NO_CONTENT);
        }
        self.finish(site, &sha256).await
    }

    async fn file(&self, site: &Site, bytes: &[u8], range: Option<&str>) -> Answer {
        let path = format!("/api/attachments/{}/file?name=a%22b.html", digest(bytes));
        let mut headers = vec![("cookie", self.cookie.as_str())];
        headers.extend(range.map(|range| ("range", range)));
        site.get_with(&path, &headers).await
    }

    async fn has(&self, site: &Site, bytes: &[u8]) -> bool {
        self.file(site, bytes, None).await.status == StatusCode::OK
    }
}

/// Whether the bytes lie in the store.
async fn lies_there(site: &Site, bytes: &[u8]) -> bool {
    site.app.gateway.attachments.collect().await.unwrap();
    let files = &site.app.gateway.files;
    files.size_bytes(&digest(bytes)).await.is_ok()
}

#[tokio::test]
async fn chunks_come_in_any_order_and_again_also_over_a_restart() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let bytes = noise(CHUNK * 2 + 5_000, 7);
    let sha256 = digest(&bytes);
    let all = [0, CHUNK as u64, 2 * CHUNK as u64];
    assert_eq!(anna.missing(&site, &bytes, 50).await, all);
    assert_eq!(anna.finish(&site, &sha256).await.error().1, "upload_incomplete");
    for _ in 0..2 {
        let last = anna.put(&site, &sha256, 2 * CHUNK, &bytes[2 * CHUNK..]).await;
        assert_eq!(last.status, StatusCode::NO_CONTENT);
    }
    for (offset, chunk) in
        [(1, &bytes[..CHUNK]), (0, &bytes[..9]), (3 * CHUNK, &bytes[..CHUNK]), (0, &bytes[..0])]
    {
        let answer = anna.put(&site, &sha256, offset, chunk).await;
        assert_eq!(answer.error().1, "invalid_request", "{offset}, {}", chunk.len());
    }
    let too_long = anna.put(&site, &sha256, 0, &bytes[..=CHUNK]).await;
    assert_eq!(too_long.error(), (413, "payload_too_large".to_owned()));

    let Site { folder, app, .. } = site;
    drop(app);
    let site = Site::in_folder(folder, "");
    site.app.gateway.attachments.tidy(now_s()).await.unwrap();
    assert_eq!(anna.missing(&site, &bytes, 50).await, &all[..2], "what came is still there");
    for offset in [CHUNK, 0] {
        anna.put(&site, &sha256, offset, &bytes[offset..offset + CHUNK]).await;
    }
    let finished = anna.finish(&site, &sha256).await;
    assert_eq!(finished.status, StatusCode::CREATED, "{}", finished.text());
    assert_eq!(anna.finish(&site, &sha256).await.status, StatusCode::CREATED, "as before");
    assert_eq!(anna.open(&site, &bytes, 50).await.json::<Value>()["is_whole"], true);
    assert_eq!(anna.file(&site, &bytes, None).await.bytes(), bytes);
    let part = anna.file(&site, &bytes, Some("bytes=1048570-1048580")).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert_eq!(part.bytes(), &bytes[1_048_570..=1_048_580]);
    assert_eq!(std::fs::read_dir(site.folder.0.join("files/uploads")).unwrap().count(), 0);
    // An empty file has no chunks.
    assert_eq!(anna.send(&site, b"", 50).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn what_comes_otherwise_than_its_digest_says_is_not_kept() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let (bytes, sha256) = (noise(3_000, 1), digest(&noise(3_000, 1)));
    anna.missing(&site, &bytes, 50).await;
    anna.put(&site, &sha256, 0, &noise(3_000, 2)).await;
    assert_eq!(anna.finish(&site, &sha256).await.error(), (422, "upload_damaged".to_owned()));
    assert!(!anna.has(&site, &bytes).await);
    assert_eq!(anna.missing(&site, &bytes, 50).await, [0], "it begins anew");
    // Stopped by the person, and begun again.
    anna.put(&site, &sha256, 0, &bytes).await;
    let path = format!("/api/attachments/{sha256}/upload");
    assert_eq!(anna.ask(&site, Method::DELETE, &path, "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(anna.put(&site, &sha256, 0, &bytes).await.error().1, "attachment_not_found");
    assert_eq!(anna.missing(&site, &bytes, 50).await, [0]);
    for wrong in ["x", "../../etc/passwd", &sha256.to_uppercase()] {
        let offer = json!({ "sha256": wrong, "size_bytes": 1, "conversation": id(50) });
        let answer = anna.ask(&site, Method::POST, "/api/attachments", offer.to_string()).await;
        assert_eq!(answer.error().1, "invalid_request", "{wrong}");
    }
    let offer = json!({ "sha256": sha256, "size_bytes": u64::MAX, "conversation": id(50) });
    let answer = anna.ask(&site, Method::POST, "/api/attachments", offer.to_string()).await;
    assert_eq!(answer.error().1, "payload_too_large");
}

#[tokio::test]
async fn another_persons_file_shows_in_nothing() {
    let site = Site::with_config("", &[]);
    let (anna, otto) = (Device::new(&site, "anna").await, Device::new(&site, "otto").await);
    anna.create(&site, 1, 50).await;
    otto.create(&site, 1, 50).await;
    let (hers, other) = (noise(2_000, 1), noise(2_000, 2));
    assert_eq!(anna.send(&site, &hers, 50).await.status, StatusCode::CREATED);
    // Both files are asked for in the same words, and answered in the same words.
    let told = |answer: Answer| (answer.status, answer.text().to_owned());
    assert_eq!(
        told(otto.file(&site, &hers, None).await),
        told(otto.file(&site, &other, None).await)
    );
    assert_eq!(told(otto.open(&site, &hers, 50).await), told(otto.open(&site, &other, 50).await));
    let (his, others) = (digest(&hers), digest(&other));
    assert_eq!(
        told(otto.finish(&site, &his).await),
        told(otto.finish(&site, &others).await),
        "her bytes do not end his upload"
    );
    // Two people, one file: it lies there until both are done with it.
    assert_eq!(otto.send(&site, &hers, 50).await.status, StatusCode::CREATED);
    site.app.gateway.people.forget(anna.person, "test").await.unwrap();
    assert!(lies_there(&site, &hers).await && otto.has(&site, &hers).await);
    site.app.gateway.people.forget(otto.person, "test").await.unwrap();
    assert!(!lies_there(&site, &hers).await);
}

#[tokio::test]
async fn a_file_is_served_so_that_no_browser_runs_it() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let bytes = b"<script>alert(document.cookie)</script>";
    let kept: Value = anna.send(&site, bytes, 50).await.json();
    assert_eq!(kept["media_type"], "text/plain", "as its bytes say, not its name");
    let answer = anna.file(&site, bytes, None).await;
    assert_eq!(answer.header("content-type"), "application/octet-stream");
    assert!(answer.header("content-disposition").starts_with("attachment; filename=\"a_b.html\""));
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert!(answer.header("content-security-policy").starts_with("sandbox; default-src 'none'"));
    assert_eq!(answer.header("cache-control"), "private, no-cache");
    let behind = anna.file(&site, bytes, Some("bytes=99-")).await;
    assert_eq!(behind.error(), (416, "range_not_satisfiable".to_owned()));
    let same = [("cookie", anna.cookie.as_str()), ("if-none-match", answer.header("etag"))];
    let path = format!("/api/attachments/{}/file", digest(bytes));
    assert_eq!(site.get_with(&path, &same).await.status, StatusCode::NOT_MODIFIED);
    let nobody = site.get_with(&path, &[("portico-page", "1")]).await;
    assert_eq!(nobody.error().1, "sign_in_needed");
}

#[tokio::test]
async fn what_a_person_may_store_is_asked_before_and_counted() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let house = json!({ "guests": "device", "rules": { "storage_bytes": 5_000 } });
    let people = &site.app.gateway.people;
    people.set_house(serde_json::from_value(house).unwrap(), "test").await.unwrap();
    assert_eq!(anna.send(&site, &noise(2_000, 1), 50).await.status, StatusCode::CREATED);
    // Begun counts, once.
    anna.missing(&site, &noise(2_500, 2), 50).await;
    anna.missing(&site, &noise(2_500, 2), 50).await;
    let room: Value = anna.ask(&site, Method::GET, "/api/attachments", "").await.json();
    assert_eq!((&room["used_bytes"], &room["max_bytes"]), (&json!(4_500), &json!(5_000)));
    let full = anna.open(&site, &noise(501, 3), 50).await;
    assert_eq!(full.error(), (507, "storage_quota_full".to_owned()));
    // What is here already takes no more of it.
    assert_eq!(anna.open(&site, &noise(2_000, 1), 50).await.json::<Value>()["is_whole"], true);
    assert_eq!(anna.send(&site, &noise(500, 4), 50).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn files_go_with_the_conversations_that_they_go_with() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    for n in [50, 51] {
        anna.create(&site, n - 49, n).await;
    }
    let tidy = async |at_s: u64| site.app.gateway.attachments.tidy(at_s).await.unwrap();
    let (both, one, begun) = (noise(2_000, 1), noise(3_000, 2), noise(4_000, 3));
    assert_eq!(anna.send(&site, &both, 50).await.status, StatusCode::CREATED);
    assert_eq!(anna.open(&site, &both, 51).await.status, StatusCode::OK);
    assert_eq!(anna.send(&site, &one, 50).await.status, StatusCode::CREATED);
    let unknown = anna.open(&site, &one, 60).await;
    assert_eq!(unknown.error(), (409, "conversation_not_synced".to_owned()));
    tidy(now_s() + 400 * DAY_S).await;
    assert!(anna.has(&site, &both).await && anna.has(&site, &one).await, "they are in use");

    // Deleted, taken back in time, and deleted for good.
    let (then, conversation) = (now_s(), id(50));
    anna.push(&site, 10, Body::DeleteConversation { conversation, deleted: true }).await;
    tidy(then).await;
    tidy(then + DAY_S - 60).await;
    assert!(anna.has(&site, &one).await, "within the grace");
    anna.push(&site, 11, Body::DeleteConversation { conversation, deleted: false }).await;
    tidy(then + 3 * DAY_S).await;
    assert!(anna.has(&site, &one).await, "it is wanted again");
    anna.push(&site, 12, Body::DeleteConversation { conversation, deleted: true }).await;
    tidy(then + 4 * DAY_S).await;
    tidy(then + 5 * DAY_S + 1).await;
    assert!(!anna.has(&site, &one).await && !lies_there(&site, &one).await);
    assert!(anna.has(&site, &both).await, "the other conversation has it");

    // Withdrawn: at once.
    assert_eq!(anna.missing(&site, &begun, 51).await, [0]);
    let path = format!("/api/sync/conversations/{}/withdraw", id(51));
    assert_eq!(anna.ask(&site, Method::POST, &path, "").await.status, StatusCode::NO_CONTENT);
    assert!(!anna.has(&site, &both).await && !lies_there(&site, &both).await);
    assert_eq!(anna.put(&site, &digest(&begun), 0, &begun).await.error().0, 404);
    assert_eq!(anna.open(&site, &both, 51).await.error().1, "conversation_not_synced");
}

#[tokio::test]
async fn an_upload_that_nobody_goes_on_with_is_forgotten() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let bytes = noise(CHUNK + 10, 5);
    anna.missing(&site, &bytes, 50).await;
    anna.put(&site, &digest(&bytes), CHUNK, &bytes[CHUNK..]).await;
    let folders = || std::fs::read_dir(site.folder.0.join("files/uploads")).unwrap().count();
    let attachments = &site.app.gateway.attachments;
    attachments.tidy(now_s() + DAY_S - 60).await.unwrap();
    assert_eq!(folders(), 1);
    attachments.tidy(now_s() + DAY_S + 1).await.unwrap();
    assert_eq!(folders(), 0);
    assert_eq!(anna.missing(&site, &bytes, 50).await, [0, CHUNK as u64]);
}

#[tokio::test]
async fn of_a_conversation_of_the_device_and_of_an_encrypted_log_nothing_is_taken() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let bytes = noise(2_000, 1);
    assert_eq!(anna.send(&site, &bytes, 50).await.status, StatusCode::CREATED);
    let stays = Setting::StaysOnDevice(true);
    let stays = Body::Set { conversation: id(50), setting: stays };
    let op = Op::new(id(9), Hlc { ms: 20_000, n: 0 }, stays);
    anna.ask(&site, Method::POST, "/api/sync/push", op.to_json()).await;
    let exported: Value = anna.ask(&site, Method::GET, "/api/me/export", "").await.json();
    assert_eq!(exported["attachments"][0]["sha256"], digest(&bytes));

    seal(&site, true).await;
    let sealed = anna.open(&site, &bytes, 50).await;
    assert_eq!(sealed.error(), (409, "attachments_sealed".to_owned()));
    site.app.gateway.attachments.tidy(now_s()).await.unwrap();
    assert!(anna.has(&site, &bytes).await, "what lay there before waits");
}

/// The log becomes encrypted, or plain, without its operations being changed.
async fn seal(site: &Site, is_sealed: bool) {
    let database = crate::database::of(&site.folder.0);
    let keyring = if is_sealed { "'{}'" } else { "NULL" };
    let sql = format!("UPDATE sync_logs SET keyring = {keyring}");
    database.call_blocking(move |database| database.execute(&sql, [])).unwrap();
}

impl Device {
    /// An operation of a conversation that only devices can read.
    async fn push_sealed(&self, site: &Site, n: u8, conversation: u8) {
        let body = Body::CreateConversation { conversation: id(conversation) };
        let op = Op::new(id(n), Hlc { ms: 10_000 + u64::from(n), n: 0 }, body);
        let sealed = Sealed { nonce: "AA".into(), data: "AA".into(), ..Sealed::around(&op, None) };
        let line = serde_json::to_string(&sealed).unwrap();
        let answer = self.ask(site, Method::POST, "/api/sync/push", line).await;
        assert_eq!(answer.json::<Value>()["n_new"], 1, "{}", answer.text());
    }

    async fn open_named(&self, site: &Site, bytes: &[u8], name: &str, conversation: u8) -> Answer {
        let offer = json!({
            "sha256": digest(bytes), "size_bytes": bytes.len(), "conversation": id(conversation),
            "name": name,
        });
        self.ask(site, Method::POST, "/api/attachments", offer.to_string()).await
    }

    /// A file of one chunk.
    async fn send_named(&self, site: &Site, bytes: &[u8], name: &str, conversation: u8) {
        let begun = self.open_named(site, bytes, name, conversation).await;
        assert_eq!(begun.json::<Value>()["missing"], json!([0]), "{}", begun.text());
        self.put(site, &digest(bytes), 0, bytes).await;
        let finished = self.finish(site, &digest(bytes)).await;
        assert_eq!(finished.status, StatusCode::CREATED, "{}", finished.text());
    }

    async fn named(&self, site: &Site, name: &str) -> Answer {
        let path = format!("/api/attachments/{name}/file");
        site.get_with(&path, &[("cookie", self.cookie.as_str())]).await
    }

    async fn release(&self, site: &Site, conversation: u8) {
        let body = json!({ "conversation": id(conversation) }).to_string();
        let answer = self.ask(site, Method::POST, "/api/attachments/release", body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    }
}

#[tokio::test]
async fn of_an_encrypted_conversation_what_a_device_encrypted_is_taken_and_found_by_its_name() {
    let site = Site::with_config("", &[]);
    let (anna, otto) = (Device::new(&site, "anna").await, Device::new(&site, "otto").await);
    anna.create(&site, 1, 50).await;
    otto.create(&site, 1, 50).await;
    let (bytes, name) = (noise(2_000, 1), digest(b"a name"));
    // In a log that is not encrypted there is nothing encrypted.
    let plain = anna.open_named(&site, &bytes, &name, 50).await;
    assert_eq!(plain.error(), (409, "sync_log_plain".to_owned()));
    seal(&site, true).await;
    let early = anna.open_named(&site, &bytes, &name, 51).await;
    assert_eq!(early.error().1, "conversation_not_synced", "its operations come first");
    anna.push_sealed(&site, 2, 51).await;
    for wrong in ["", "x", "../../etc/passwd", &name.to_uppercase()] {
        let answer = anna.open_named(&site, &bytes, wrong, 51).await;
        assert_eq!(answer.error().1, "invalid_request", "{wrong}");
    }
    anna.send_named(&site, &bytes, &name, 51).await;
    assert_eq!(anna.named(&site, &name).await.bytes(), bytes);
    assert_eq!(anna.file(&site, &bytes, Some("bytes=7-9")).await.bytes(), &bytes[7..=9]);
    let again = anna.open_named(&site, &bytes, &name, 51).await;
    assert_eq!(again.json::<Value>()["is_whole"], true);
    let room: Value = anna.ask(&site, Method::GET, "/api/attachments", "").await.json();
    assert_eq!(room["used_bytes"], 2_000, "it is counted");
    // By her name of it nobody else finds it.
    assert_eq!(otto.named(&site, &name).await.error().1, "attachment_not_found");
    site.app.gateway.attachments.tidy(now_s() + 400 * DAY_S).await.unwrap();
    assert!(anna.has(&site, &bytes).await, "it is in use");
    // Encryption is turned off: nobody has the key any more.
    seal(&site, false).await;
    site.app.gateway.attachments.tidy(now_s()).await.unwrap();
    assert!(!anna.has(&site, &bytes).await && !lies_there(&site, &bytes).await);
}

#[tokio::test]
async fn encrypted_files_go_where_a_device_says_that_their_conversation_is_deleted() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    seal(&site, true).await;
    for n in [51, 52] {
        anna.push_sealed(&site, n, n).await;
    }
    let (both, one, other) = (noise(2_000, 1), noise(3_000, 2), noise(4_000, 3));
    let names = ["a", "b", "c"].map(|name| digest(name.as_bytes()));
    anna.send_named(&site, &both, &names[0], 51).await;
    let second = anna.open_named(&site, &both, &names[0], 52).await;
    assert_eq!(second.status, StatusCode::OK);
    anna.send_named(&site, &one, &names[1], 51).await;
    anna.send_named(&site, &other, &names[2], 52).await;
    let then = now_s();
    let tidy = async |at_s: u64| site.app.gateway.attachments.tidy(at_s).await.unwrap();
    anna.release(&site, 51).await;
    tidy(then + DAY_S - 60).await;
    assert!(anna.has(&site, &one).await, "within the grace");
    // The deletion is taken back: the device offers the file again.
    let offered = anna.open_named(&site, &one, &names[1], 51).await;
    assert_eq!(offered.json::<Value>()["is_whole"], true);
    tidy(then + 3 * DAY_S).await;
    assert!(anna.has(&site, &one).await, "it is wanted again");
    anna.release(&site, 51).await;
    tidy(now_s() + DAY_S + 1).await;
    assert!(!anna.has(&site, &one).await && !lies_there(&site, &one).await);
    assert!(anna.has(&site, &both).await, "the other conversation has it");

    // Withdrawn: at once.
    let path = format!("/api/sync/conversations/{}/withdraw", id(52));
    assert_eq!(anna.ask(&site, Method::POST, &path, "").await.status, StatusCode::NO_CONTENT);
    assert!(!anna.has(&site, &both).await && !lies_there(&site, &other).await);
}

#[tokio::test]
async fn encrypted_files_go_with_the_operations_of_their_conversation() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    seal(&site, true).await;
    anna.push_sealed(&site, 51, 51).await;
    let (bytes, name) = (noise(2_000, 1), digest(b"a"));
    anna.send_named(&site, &bytes, &name, 51).await;
    // Past its time.
    site.app.gateway.sync.expire(anna.person, 20_000).await.unwrap();
    let then = now_s();
    let tidy = async |at_s: u64| site.app.gateway.attachments.tidy(at_s).await.unwrap();
    tidy(then).await;
    tidy(then + DAY_S - 60).await;
    assert!(anna.has(&site, &bytes).await, "a device may bring it back");
    tidy(then + DAY_S + 1).await;
    assert!(!anna.has(&site, &bytes).await && !lies_there(&site, &bytes).await);
}
