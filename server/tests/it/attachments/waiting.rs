//! Files that lay here before their log was encrypted: none goes before its encrypted twin is here.

use super::*;

impl Device {
    async fn waiting(&self, site: &Site) -> Vec<(String, Uuid)> {
        let listed: Value = self.ask(site, Method::GET, "/api/attachments/plain", "").await.json();
        let files = listed["files"].as_array().unwrap().iter();
        let text = |file: &Value, field: &str| file[field].as_str().unwrap().to_owned();
        files
            .map(|file| (text(file, "sha256"), text(file, "conversation").parse().unwrap()))
            .collect()
    }

    async fn replaced(&self, site: &Site, bytes: &[u8], name: &str, conversation: u8) -> Answer {
        let body =
            json!({ "sha256": digest(bytes), "conversation": id(conversation), "name": name });
        self.ask(site, Method::POST, "/api/attachments/plain/replaced", body.to_string()).await
    }

    async fn give_up(&self, site: &Site, bytes: &[u8], conversation: u8) {
        let body = json!({ "sha256": digest(bytes), "conversation": id(conversation) }).to_string();
        let answer = self.ask(site, Method::POST, "/api/attachments/plain/given-up", body).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    }

    /// Turns encryption on, as a device that has all of the log.
    async fn encrypts(&self, site: &Site) {
        let state: Value = self.ask(site, Method::GET, "/api/sync/keyring", "").await.json();
        let body = json!({
            "revision": state["revision"], "epoch": state["epoch"], "cursor": state["cursor"], "keyring": {},
        });
        let request = Request::put("/api/sync/keyring").header("cookie", &self.cookie);
        let request =
            request.header("portico-page", "1").header("content-type", "application/json");
        let request = request.body(HttpBody::from(body.to_string())).unwrap();
        let answer = Answer::of(site.send(request).await).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
    }

    /// A file of a conversation, sent before the log is encrypted.
    async fn had(&self, site: &Site, bytes: &[u8], conversation: u8) {
        assert_eq!(self.send(site, bytes, conversation).await.status, StatusCode::CREATED);
    }
}

#[tokio::test]
async fn what_was_there_before_the_log_was_encrypted_stays_until_its_twin_is_there() {
    let site = Site::with_config("", &[]);
    let (anna, otto) = (Device::new(&site, "anna").await, Device::new(&site, "otto").await);
    for n in [50, 51] {
        anna.create(&site, n - 49, n).await;
    }
    let (bytes, begun, twin) = (noise(2_000, 1), noise(3_000, 2), noise(2_016, 3));
    let (sha256, name) = (digest(&bytes), digest(b"a name"));
    anna.had(&site, &bytes, 50).await;
    assert_eq!(anna.open(&site, &bytes, 51).await.status, StatusCode::OK);
    anna.missing(&site, &begun, 50).await;
    assert!(anna.waiting(&site).await.is_empty(), "the log is not encrypted");
    let plain = anna.replaced(&site, &bytes, &name, 50).await;
    assert_eq!(plain.error().1, "attachment_not_found");

    anna.encrypts(&site).await;
    let tidy = async |at_s: u64| site.app.gateway.attachments.tidy(at_s).await.unwrap();
    tidy(now_s()).await;
    assert_eq!(
        anna.put(&site, &digest(&begun), 0, &begun).await.error().0,
        404,
        "who has it sends it anew"
    );
    // No device has sent anything for more than a year.
    tidy(now_s() + 400 * DAY_S).await;
    assert!(anna.has(&site, &bytes).await && lies_there(&site, &bytes).await);
    assert_eq!(anna.waiting(&site).await, [50, 51].map(|n| (sha256.clone(), id(n))));
    assert!(otto.waiting(&site).await.is_empty());

    // Not before the twin is there, whole, and the server's files say so too.
    assert_eq!(anna.replaced(&site, &bytes, &name, 50).await.error().1, "attachment_not_found");
    anna.push_sealed(&site, 3, 50).await;
    let opened = anna.open_named(&site, &twin, &name, 50).await;
    assert_eq!(opened.status, StatusCode::OK, "{}", opened.text());
    assert_eq!(anna.replaced(&site, &bytes, &name, 50).await.error().1, "attachment_not_found");
    anna.send_named(&site, &twin, &name, 50).await;
    let files = match crate::storage::is_for_all() {
        true => crate::storage::of_all().folder(&site.folder.0),
        false => site.folder.0.join("files"),
    };
    let path = files.join(&digest(&twin)[..2]).join(digest(&twin));
    let aside = path.with_extension("aside");
    std::fs::rename(&path, &aside).unwrap();
    assert_ne!(anna.replaced(&site, &bytes, &name, 50).await.status, StatusCode::NO_CONTENT);
    std::fs::rename(&aside, &path).unwrap();
    assert_eq!(anna.waiting(&site).await.len(), 2);
    // Neither by another person's word.
    assert_eq!(otto.replaced(&site, &bytes, &name, 50).await.error().1, "attachment_not_found");
    otto.give_up(&site, &bytes, 50).await;
    assert_eq!(anna.waiting(&site).await.len(), 2);

    for _ in 0..2 {
        let answer = anna.replaced(&site, &bytes, &name, 50).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{}", answer.text());
    }
    assert_eq!(anna.waiting(&site).await, [(sha256.clone(), id(51))], "the other conversation's");
    assert!(lies_there(&site, &bytes).await);
    assert_eq!(anna.replaced(&site, &bytes, &name, 51).await.error().1, "conversation_not_synced");
    anna.push_sealed(&site, 4, 51).await;
    assert_eq!(anna.replaced(&site, &bytes, &name, 51).await.status, StatusCode::NO_CONTENT);
    assert!(anna.waiting(&site).await.is_empty() && !lies_there(&site, &bytes).await);
    // The twin is both conversations' now.
    let path = format!("/api/sync/conversations/{}/withdraw", id(50));
    assert_eq!(anna.ask(&site, Method::POST, &path, "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(anna.named(&site, &name).await.bytes(), twin);
}

#[tokio::test]
async fn a_waiting_file_leaves_its_room_to_its_twin() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    anna.create(&site, 1, 50).await;
    let (bytes, twin) = (noise(2 * CHUNK, 1), noise(2 * CHUNK + 48, 2));
    let (sha256, name) = (digest(&bytes), digest(b"a name"));
    anna.had(&site, &bytes, 50).await;
    let house = json!({ "guests": "device", "rules": { "storage_bytes": 2 * CHUNK } });
    let people = &site.app.gateway.people;
    people.set_house(serde_json::from_value(house).unwrap(), "test").await.unwrap();
    anna.encrypts(&site).await;
    anna.push_sealed(&site, 2, 50).await;
    let offer = |replaces: Option<&str>| {
        let mut offer = json!({
            "sha256": digest(&twin), "size_bytes": twin.len(), "conversation": id(50), "name": name,
        });
        if let Some(replaces) = replaces {
            offer["replaces"] = json!(replaces);
        }
        anna.ask(&site, Method::POST, "/api/attachments", offer.to_string())
    };
    assert_eq!(offer(None).await.error().1, "storage_quota_full");
    assert_eq!(offer(Some(&digest(b"another"))).await.error().1, "storage_quota_full");
    assert_eq!(offer(Some("x")).await.error().1, "invalid_request");
    assert_eq!(offer(Some(&sha256)).await.status, StatusCode::OK);
    // One file leaves its room once.
    let other = noise(2 * CHUNK, 3);
    let more = json!({
        "sha256": digest(&other), "size_bytes": other.len(), "conversation": id(50),
        "name": digest(b"more"), "replaces": sha256,
    });
    let more = anna.ask(&site, Method::POST, "/api/attachments", more.to_string()).await;
    assert_eq!(more.error().1, "storage_quota_full");
}

#[tokio::test]
async fn a_waiting_file_goes_when_its_person_or_the_rules_say_so() {
    let site = Site::with_config("", &[]);
    let anna = Device::new(&site, "anna").await;
    let files = [50_u8, 51, 52].map(|n| (n, noise(2_000, n.into())));
    for (n, bytes) in &files {
        anna.create(&site, *n, *n).await;
        anna.had(&site, bytes, *n).await;
    }
    let [(given_up, one), (withdrawn, other), (old, third)] = &files;
    anna.give_up(&site, one, *given_up).await;
    assert!(anna.has(&site, one).await, "in a log that is not encrypted nothing waits");
    anna.encrypts(&site).await;
    anna.give_up(&site, one, *given_up).await;
    assert!(!anna.has(&site, one).await && !lies_there(&site, one).await);

    let path = format!("/api/sync/conversations/{}/withdraw", id(*withdrawn));
    assert_eq!(anna.ask(&site, Method::POST, &path, "").await.status, StatusCode::NO_CONTENT);
    assert!(!anna.has(&site, other).await && !lies_there(&site, other).await);

    anna.push_sealed(&site, *old, *old).await;
    let gateway = &site.app.gateway;
    let expired = gateway.sync.expire(anna.person, 20_000).await.unwrap();
    assert!(expired.contains(&id(*old)));
    gateway.attachments.expire(anna.person, expired).await.unwrap();
    gateway.attachments.tidy(now_s() + DAY_S - 60).await.unwrap();
    assert!(anna.has(&site, third).await, "within the grace");
    gateway.attachments.tidy(now_s() + DAY_S + 1).await.unwrap();
    assert!(!anna.has(&site, third).await && !lies_there(&site, third).await);
}
