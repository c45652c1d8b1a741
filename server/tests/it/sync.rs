//! Logs of people's conversations, over the routes.

use std::io::{Read as _, Write as _};

use axum::body::Body as HttpBody;
use axum::http::{Request, StatusCode};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::StreamExt as _;
use portico_server::people::{External, NewPerson, PersonId, Role};
use portico_shared::openai::Role as MessageRole;
use portico_shared::sync::wire::{
    ApprovalAsk, Page, Pushed, SIGNAL_MAX_BYTES, Signal, SnapshotPage, Wake,
};
use portico_shared::sync::{
    Body, DRIFT_MAX_MS, Head, Hlc, Merge, MessageContent, MessageState, Op, Setting, uuid_v7,
};
use uuid::Uuid;

use crate::common::*;

/// The person's cookie, and who it is.
pub async fn sign_in(site: &Site, name: &str) -> (String, PersonId) {
    let people = &site.app.gateway.people;
    let person = people
        .add(NewPerson {
            name: name.to_owned(),
            display_name: String::new(),
            email: None,
            role: Role::Member,
            password: None,
            groups: Vec::new(),
        })
        .await
        .unwrap();
    let secret =
        people.begin_session(person, "a test".to_owned(), External::default()).await.unwrap();
    (format!("portico_session={secret}"), person)
}

pub fn id(n: u8) -> Uuid {
    uuid_v7(1_000, &[n; 10])
}

pub fn op(n: u8, body: Body) -> Op {
    Op::new(id(n), Hlc { ms: 10_000 + u64::from(n), n: 0 }, body)
}

pub fn create(n: u8, conversation: u8) -> Op {
    op(n, Body::CreateConversation { conversation: id(conversation) })
}

pub fn set(n: u8, conversation: u8, setting: Setting) -> Op {
    op(n, Body::Set { conversation: id(conversation), setting })
}

pub fn add(n: u8, conversation: u8, message: u8, text: &str) -> Op {
    op(
        n,
        Body::AddMessage {
            conversation: id(conversation),
            message: id(message),
            parent: None,
            role: MessageRole::User,
            content: MessageContent::done(text),
        },
    )
}

pub fn write(n: u8, message: u8, text: &str, state: MessageState) -> Op {
    let content = MessageContent { state, ..MessageContent::done(text) };
    op(n, Body::WriteMessage { message: id(message), content })
}

pub fn lines(ops: &[Op]) -> String {
    ops.iter().map(|op| op.to_json() + "\n").collect()
}

/// One device of a person, over the routes.
pub struct Device<'a> {
    pub site: &'a Site,
    pub cookie: String,
}

impl Device<'_> {
    pub async fn post(
        &self,
        path: &str,
        body: impl Into<HttpBody>,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::post(path).header("cookie", &self.cookie);
        request = request.header("portico-page", "1");
        for (name, value) in more {
            request = request.header(*name, *value);
        }
        Answer::of(self.site.send(request.body(body.into()).unwrap()).await).await
    }

    pub async fn push_text(&self, text: String) -> Pushed {
        let answer = self.post("/api/sync/push", text, &[]).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text());
        answer.json()
    }

    pub async fn push(&self, ops: &[Op]) -> Pushed {
        self.push_text(lines(ops)).await
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.site.get_with(path, &[("cookie", &self.cookie)]).await
    }

    pub async fn pull(&self, query: &str) -> (Page, Vec<Op>) {
        self.ops(&format!("/api/sync/pull?{query}")).await
    }

    pub async fn ops(&self, path: &str) -> (Page, Vec<Op>) {
        let answer = self.get(path).await;
        let (page, ops) = answer.text().split_once('\n').unwrap();
        (
            serde_json::from_str(page).unwrap(),
            ops.lines().map(|l| Op::from_json(l).unwrap()).collect(),
        )
    }

    pub async fn all(&self) -> Vec<Op> {
        self.pull("").await.1
    }

    pub async fn heads(&self, query: &str) -> (SnapshotPage, Vec<Head>) {
        let answer = self.get(&format!("/api/sync/snapshot?{query}")).await;
        let (page, heads) = answer.text().split_once('\n').unwrap();
        let heads = heads.lines().map(|line| Head::from_json(line).unwrap()).collect();
        (serde_json::from_str(page).unwrap(), heads)
    }
}

pub async fn device<'a>(site: &'a Site, name: &str) -> Device<'a> {
    Device { site, cookie: sign_in(site, name).await.0 }
}

#[tokio::test]
async fn what_is_pushed_once_or_often_is_pulled_once_in_order() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let ops = [create(1, 50), add(2, 50, 60, "eins"), set(3, 50, Setting::Pinned(true))];
    let first = anna.push(&ops[..2]).await;
    assert_eq!((first.before, first.cursor, first.n_new), (0, 2, 2));
    let again = anna.push(&ops).await;
    assert_eq!((again.before, again.cursor, again.n_new, again.epoch), (2, 3, 1, first.epoch));
    assert!(again.refused.is_empty());
    let (page, pulled) = anna.pull("").await;
    assert_eq!(pulled, ops);
    assert_eq!((page.cursor, page.has_more, page.restarted), (3, false, false));
    let (page, pulled) = anna.pull(&format!("epoch={}&since=2", first.epoch)).await;
    assert_eq!((page.cursor, pulled), (3, vec![ops[2].clone()]));
    let (page, pulled) = anna.pull("since=1&until=2").await;
    assert_eq!((page.cursor, page.has_more, pulled), (2, false, vec![ops[1].clone()]));
}

#[tokio::test]
async fn one_person_sees_nothing_of_another_and_nobody_sees_anything() {
    let site = Site::new("", &[]);
    let (anna, otto) = (device(&site, "anna").await, device(&site, "otto").await);
    anna.push(&[create(1, 50), add(2, 50, 60, "Annas")]).await;
    assert!(otto.all().await.is_empty());
    assert!(otto.heads("").await.1.is_empty());
    assert!(otto.ops(&format!("/api/sync/conversations/{}", id(50))).await.1.is_empty());
    // The same ids, written by another, are another's.
    assert_eq!(otto.push(&[create(1, 50)]).await.n_new, 1);
    for path in ["pull", "snapshot", "events", "conversations/x"] {
        let answer = site.get_with(&format!("/api/sync/{path}"), &[("portico-page", "1")]).await;
        assert_eq!(answer.error(), (401, "sign_in_needed".to_owned()), "{path}");
    }
    let foreign = Request::post("/api/sync/push").header("cookie", &anna.cookie);
    let foreign = foreign.header("origin", "http://evil.example").header("host", "x");
    let answer = site.send(foreign.body(HttpBody::from(lines(&[create(9, 51)]))).unwrap()).await;
    assert_eq!(Answer::of(answer).await.error().1, "cross_site");
}

#[tokio::test]
async fn a_bad_operation_is_refused_beside_good_ones_and_an_unknown_one_is_passed_on() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    let now_ms = now_ms.as_millis() as u64;
    let mut ahead = create(3, 51);
    ahead.at.ms = now_ms + DRIFT_MAX_MS + 60_000;
    let newer = create(4, 52).to_json().replace("create_conversation", "paint_conversation");
    let newer = newer.replacen('{', "{\"colour\": {\"deep\":[1, 2]},", 1);
    let text = format!("{}\nno json\n\n{}\n{newer}\n", create(1, 50).to_json(), ahead.to_json());
    let pushed = anna.push_text(text).await;
    assert_eq!(pushed.n_new, 2);
    let refused: Vec<_> = pushed
        .refused
        .iter()
        .map(|refused| (refused.line, refused.op, refused.error.code.as_str()))
        .collect();
    assert_eq!(refused, [(1, None, "invalid_request"), (2, Some(id(3)), "sync_clock_ahead")]);
    let answer = anna.get("/api/sync/pull").await;
    assert!(answer.text().ends_with(&format!("{newer}\n")), "as it came: {}", answer.text());
    let (_, of_it) = anna.ops(&format!("/api/sync/conversations/{}", id(52))).await;
    assert_eq!(of_it.len(), 1, "found by the conversation that it names");
    assert_eq!(anna.heads("").await.1.len(), 1);
}

#[tokio::test]
async fn drafts_give_way_and_the_merged_state_is_the_same() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let ops = [
        create(1, 50),
        write(3, 60, "ha", MessageState::Draft),
        // Its message comes later than its first draft.
        add(2, 50, 60, ""),
        write(4, 60, "halb", MessageState::Draft),
        write(9, 60, "ganz", MessageState::Done),
        // Overtaken on its way.
        write(8, 60, "fast", MessageState::Draft),
        write(10, 60, "spät", MessageState::Draft),
    ];
    for op in &ops {
        anna.push(std::slice::from_ref(op)).await;
    }
    let pulled = anna.all().await;
    let ids: Vec<Uuid> = pulled.iter().map(|op| op.id).collect();
    assert_eq!(ids, [1, 2, 9, 10].map(id));
    assert_eq!(Merge::from_ops(&pulled), Merge::from_ops(&ops));
    assert_eq!(anna.push(&ops).await.n_new, 0);
    let (_, of_it) = anna.ops(&format!("/api/sync/conversations/{}", id(50))).await;
    assert_eq!(of_it, pulled);
}

#[tokio::test]
async fn a_new_device_lists_conversations_by_their_heads() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let ops = [
        create(1, 50),
        create(2, 51),
        set(3, 50, Setting::Title(Some("Grundsteuer".into()))),
        set(4, 51, Setting::Title(Some("Kita".into()))),
        add(5, 50, 60, "Wie hoch?"),
        set(6, 51, Setting::Pinned(true)),
        op(7, Body::DeleteConversation { conversation: id(52), deleted: true }),
    ];
    anna.push(&ops[..3]).await;
    anna.push(&ops[3..]).await;
    let (page, heads) = anna.heads("").await;
    assert_eq!((page.cursor, page.after), (7, None));
    let mut merge = Merge::default();
    heads.iter().for_each(|head| merge.absorb(head));
    assert_eq!(merge.conversations(), Merge::from_ops(&ops).conversations());
    assert_eq!(heads[0].conversation, id(52), "the newest first");
    assert_eq!(anna.heads(&format!("after={}", id(52))).await.1.len(), 2);
}

#[tokio::test]
async fn a_conversation_of_the_device_is_refused_and_one_is_withdrawn() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let stays =
        [create(1, 50), add(2, 50, 60, "heimlich"), set(3, 50, Setting::StaysOnDevice(true))];
    let pushed = anna.push(&stays).await;
    assert_eq!((pushed.n_new, pushed.refused.len()), (0, 3));
    assert_eq!(pushed.refused[0].error.code.as_str(), "conversation_stays_on_device");

    // One that was here goes.
    let shared = [create(4, 51), add(5, 51, 61, "erst geteilt")];
    anna.push(&shared).await;
    let path = format!("/api/sync/conversations/{}/withdraw", id(51));
    assert_eq!(anna.post(&path, "", &[]).await.status, StatusCode::NO_CONTENT);
    assert!(anna.all().await.is_empty() && anna.heads("").await.1.is_empty());
    assert_eq!(anna.push(&shared).await.refused.len(), 2, "another device still has it");
    // And comes back when the person wants it to.
    let mut back = shared.to_vec();
    back.push(set(6, 51, Setting::StaysOnDevice(false)));
    assert_eq!(anna.push(&back).await.n_new, 3);
    assert_eq!(anna.push(&shared).await.refused.len(), 0);
}

#[tokio::test]
async fn a_cursor_of_another_log_begins_anew() {
    let site = Site::new("", &[]);
    let (cookie, person) = sign_in(&site, "anna").await;
    let anna = Device { site: &site, cookie };
    let first = anna.push(&[create(1, 50)]).await;
    let (page, _) = anna.pull(&format!("epoch={}&since=9", first.epoch)).await;
    assert!(page.restarted && page.cursor == 1, "as after a restored backup");
    site.app.gateway.sync.forget(person).await.unwrap();
    let (page, ops) = anna.pull(&format!("epoch={}&since=1", first.epoch)).await;
    assert!(page.restarted && ops.is_empty() && page.epoch != first.epoch);
    crate::database::lay_out(&site.folder.0);
    let found = std::fs::read_dir(&site.folder.0).unwrap().flatten().any(|entry| {
        let bytes = std::fs::read(entry.path()).unwrap_or_default();
        bytes.windows(16).any(|window| window == id(50).as_bytes())
    });
    assert!(!found, "nothing of it lies in any file");
}

#[tokio::test]
async fn a_log_that_was_restored_and_outgrew_a_cursor_begins_anew() {
    let site = Site::new("", &[]);
    let (cookie, person) = sign_in(&site, "anna").await;
    let anna = Device { site: &site, cookie };
    anna.push(&[create(1, 50), add(2, 50, 60, "vorher")]).await;
    let (kept, _) = anna.pull("").await;
    let lost = anna.push(&[add(3, 50, 61, "verloren"), add(4, 50, 62, "verloren")]).await;
    assert_eq!((kept.mark, lost.mark_before, lost.mark), (lost.mark, lost.mark, lost.mark));
    let restore = || {
        let sql = "DELETE FROM sync_ops WHERE seq > 2; DELETE FROM sync_marks WHERE seq > 2;
            UPDATE sync_logs SET last_seq = 2";
        let database = crate::database::of(&site.folder.0);
        database.call_blocking(|database| database.execute_batch(sql)).unwrap();
    };
    let position = |page: Page| {
        format!("epoch={}&since={}&mark={}", page.epoch, page.cursor, page.mark.unwrap())
    };
    let ahead = Page { cursor: lost.cursor, ..kept };
    let next: Vec<Op> = (5..9).map(|n| add(n, 50, 60 + n, "danach")).collect();
    // As with a server that keeps running, and with another one.
    restore();
    anna.push(&next).await;
    let (page, ops) = anna.pull(&position(ahead)).await;
    assert!(page.restarted, "it has operations beyond the cursor, but other ones");
    assert_eq!((ops.len(), page.cursor), (6, 6));
    let (page, ops) = anna.pull(&position(kept)).await;
    assert_eq!((page.restarted, ops), (false, next.clone()), "what it had is as it was");
    let unmarked = format!("epoch={}&since={}", ahead.epoch, ahead.cursor);
    assert!(!anna.pull(&unmarked).await.0.restarted, "only the mark tells");

    restore();
    let another = portico_server::sync::Sync::new(&site.app.gateway.home);
    another.push(person, lines(&next).into_bytes()).await.unwrap();
    assert!(anna.pull(&position(ahead)).await.0.restarted);
    assert!(!anna.pull(&position(kept)).await.0.restarted);
}

#[tokio::test]
async fn bodies_are_compressed_both_ways() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let text = "Wie es war, so ist es. ".repeat(1_000);
    let op = add(1, 50, 60, &text);
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(lines(std::slice::from_ref(&op)).as_bytes()).unwrap();
    let gzip = [("content-encoding", "gzip")];
    let answer = anna.post("/api/sync/push", packed.finish().unwrap(), &gzip).await;
    assert_eq!(answer.json::<Pushed>().n_new, 1);
    let headers = [("cookie", anna.cookie.as_str()), ("accept-encoding", "gzip")];
    let answer = site.get_with("/api/sync/pull", &headers).await;
    assert_eq!(answer.header("content-encoding"), "gzip");
    assert!(answer.bytes().len() * 10 < text.len());
    let mut pulled = String::new();
    GzDecoder::new(answer.bytes()).read_to_string(&mut pulled).unwrap();
    assert_eq!(Op::from_json(pulled.lines().nth(1).unwrap()).unwrap(), op);
}

#[tokio::test]
async fn devices_that_listen_are_told() {
    let site = Site::new("", &[]);
    let (anna, otto) = (device(&site, "anna").await, device(&site, "otto").await);
    let listen = Request::get("/api/sync/events").header("cookie", &anna.cookie);
    let response = site.send(listen.body(HttpBody::empty()).unwrap()).await;
    assert_eq!(response.status(), StatusCode::OK);
    let mut events = response.into_body().into_data_stream();
    let mut next = async || {
        let event = tokio::time::timeout(std::time::Duration::from_secs(5), events.next()).await;
        let event = String::from_utf8(event.unwrap().unwrap().unwrap().to_vec()).unwrap();
        serde_json::from_str::<Wake>(event.strip_prefix("data: ").unwrap().trim()).unwrap()
    };
    assert!(matches!(next().await, Wake::Log { cursor: 0, .. }));
    otto.push(&[create(1, 50)]).await;
    let pushed = anna.push(&[create(1, 50)]).await;
    assert_eq!(next().await, Wake::Log { epoch: pushed.epoch, cursor: 1 });
    // What is known already wakes nobody.
    anna.push(&[create(1, 50)]).await;
    let stop = Signal::Stop { message: id(60) };
    let json = [("content-type", "application/json")];
    let answer = anna.post("/api/sync/signal", serde_json::to_string(&stop).unwrap(), &json).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(next().await, Wake::Signal(stop));
    let bad = anna.post("/api/sync/signal", "{\"signal\":\"explode\"}", &json).await;
    assert_eq!(bad.status.as_u16() / 100, 4);
    // A device that asks for the key is heard by the person's others; who sends much is not.
    let ask = ApprovalAsk { request: id(70), key: "A".repeat(43), proof: "B".repeat(43) };
    let asked = Signal::ApprovalAsked(ask.clone());
    let large = Signal::ApprovalAsked(ApprovalAsk { proof: "B".repeat(SIGNAL_MAX_BYTES), ..ask });
    let answer = anna.post("/api/sync/signal", serde_json::to_string(&large).unwrap(), &json).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let asked_by_otto = serde_json::to_string(&asked).unwrap();
    otto.post("/api/sync/signal", asked_by_otto.clone(), &json).await;
    let answer = anna.post("/api/sync/signal", asked_by_otto, &json).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(next().await, Wake::Signal(asked));
    let ended = Signal::ApprovalEnded { request: id(70) };
    anna.post("/api/sync/signal", serde_json::to_string(&ended).unwrap(), &json).await;
    // What Otto's device asked came to nobody but Otto.
    assert_eq!(next().await, Wake::Signal(ended));
}

#[tokio::test]
async fn a_long_log_comes_in_pages() {
    let site = Site::new("", &[]);
    let anna = device(&site, "anna").await;
    let text: String = (0..200_000_u64).map(|i| char::from(b'a' + (i * i % 26) as u8)).collect();
    let ops: Vec<Op> = (0..20).map(|n| add(n, 50, 100 + n, &text)).collect();
    for ops in ops.chunks(5) {
        anna.push(ops).await;
    }
    let (mut pulled, mut since, mut n_pages) = (Vec::new(), 0, 0);
    loop {
        let (page, ops) = anna.pull(&format!("since={since}")).await;
        pulled.extend(ops);
        (since, n_pages) = (page.cursor, n_pages + 1);
        if !page.has_more {
            break;
        }
    }
    assert_eq!(pulled, ops);
    assert!(n_pages >= 4, "{n_pages}");
    let answer = anna.ask_too_much().await;
    assert_eq!(answer.error().1, "payload_too_large");
}

#[tokio::test]
async fn conversations_expire_by_their_last_use_and_what_is_left_is_exported() {
    let site = Site::new("", &[]);
    let (cookie, person) = sign_in(&site, "anna").await;
    let anna = Device { site: &site, cookie };
    let kept = [create(3, 51), add(30, 51, 61, "neu")];
    anna.push(&[create(1, 50), add(2, 50, 60, "alt")]).await;
    anna.push(&kept).await;
    // Renaming is no use.
    anna.push(&[set(40, 50, Setting::Title(Some("umbenannt".into())))]).await;
    assert_eq!(site.app.gateway.sync.expire(person, 10_020).await.unwrap().len(), 1);
    assert_eq!(anna.all().await, kept);
    assert_eq!(site.app.gateway.sync.expire(person, 10_020).await.unwrap().len(), 0);
    let exported = anna.get("/api/me/export").await;
    let exported: serde_json::Value = exported.json();
    let ops: Vec<Op> = serde_json::from_value(exported["conversations"].clone()).unwrap();
    assert_eq!(ops, kept);
}

impl Device<'_> {
    async fn ask_too_much(&self) -> Answer {
        self.post("/api/sync/push", vec![b' '; (8 << 20) + 1], &[]).await
    }
}
