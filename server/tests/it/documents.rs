//! Documents from upload to citation, by the routes: what comes in is found, what goes is gone, and
//! nobody sees what is not theirs.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{Method, Request};
use portico_server::keys::NewKey;
use serde_json::{Value, json};

use crate::common::*;
use crate::words::{self, Words, vector};

const PAGE: (&str, &str) = ("portico-page", "1");
const PATIENCE: Duration = Duration::from_secs(60);

/// Searched by words alone, unless a test says otherwise.
const PLAIN: &str = "[documents]\nembedder = \"none\"\n";

fn site(toml: &str) -> Site {
    let site = Site::with_config(toml, &[]);
    site.app.gateway.start();
    site
}

impl Site {
    async fn json(&self, method: Method, path: &str, who: (&str, &str), body: Value) -> Answer {
        let request = Request::builder().method(method).uri(path).header(who.0, who.1);
        Answer::of(self.send(request.body(Body::from(body.to_string())).unwrap()).await).await
    }

    async fn upload(&self, collection: &str, name: &str, bytes: impl Into<Body>) -> Answer {
        let path = format!("/api/collections/{collection}/documents?name={name}");
        let request = Request::post(path).header(PAGE.0, PAGE.1);
        Answer::of(self.send(request.body(bytes.into()).unwrap()).await).await
    }

    pub async fn collection(&self, id: &str, groups: Value) {
        let body = json!({ "title": id, "id": id, "groups": groups });
        let made = self.json(Method::POST, "/api/collections", PAGE, body).await;
        assert_eq!(made.status, 201, "{}", made.text());
    }

    pub async fn document(&self, id: &str) -> Value {
        self.get_with(&format!("/api/documents/{id}"), &[PAGE]).await.json()
    }

    /// Until a document is ready or failed.
    pub async fn settled(&self, id: &str) -> Value {
        let start = Instant::now();
        loop {
            let document = self.document(id).await;
            if document["state"] == "ready" || document["state"] == "failed" {
                return document;
            }
            assert!(start.elapsed() < PATIENCE, "{document}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Uploaded and settled: its id and how it stands.
    async fn taken_in(&self, collection: &str, name: &str, text: &str) -> (String, Value) {
        let answer = self.upload(collection, name, text.to_owned()).await;
        let uploaded: Value = answer.json();
        let id = uploaded["document"]["id"].as_str().unwrap_or_else(|| panic!("{uploaded}"));
        (id.to_owned(), self.settled(id).await)
    }

    pub async fn search(&self, who: (&str, &str), body: Value) -> Vec<Value> {
        let start = Instant::now();
        loop {
            let answer = self.json(Method::POST, "/api/search", who, body.clone()).await;
            // The index opens with the first look at it.
            if answer.status == 503 && start.elapsed() < PATIENCE {
                tokio::time::sleep(Duration::from_millis(20)).await;
                continue;
            }
            assert_eq!(answer.status, 200, "{}", answer.text());
            return answer.json::<Value>()["hits"].as_array().unwrap().clone();
        }
    }

    fn key(&self, name: &str, groups: &[&str]) -> String {
        let groups = groups.iter().map(|&group| group.to_owned()).collect();
        let new = NewKey { name: name.to_owned(), groups, ..NewKey::default() };
        let (_, secret) = self.app.gateway.keys.create(&new).unwrap();
        format!("Bearer {}", secret.text)
    }
}

/// In the data folder, or in storage.
pub fn n_files(site: &Site) -> usize {
    let in_folder = |folder: std::path::PathBuf| -> usize {
        let folders = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = folders.filter(|folder| folder.path().is_dir()).flat_map(|folder| {
            std::fs::read_dir(folder.path()).into_iter().flatten().flatten().collect::<Vec<_>>()
        });
        files.count()
    };
    let here = in_folder(site.folder.0.join("files"));
    match crate::storage::is_for_all() {
        true => here + in_folder(crate::storage::of_all().folder(&site.folder.0)),
        false => here,
    }
}

pub async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

const LIBRARY: &str = "# Bücherei\n\nDie Bücherei öffnet um neun Uhr.\n\n## Gebühren\n\nEin Ausweis kostet zwölf Euro im Jahr.\n";

#[tokio::test(flavor = "multi_thread")]
async fn a_document_comes_in_is_found_replaced_and_gone() {
    let site = site(PLAIN);
    site.collection("haus", json!({ "read": ["everyone"] })).await;
    let (id, document) = site.taken_in("haus", "bib.md", LIBRARY).await;
    assert_eq!(document["state"], "ready", "{document}");
    assert_eq!(
        (&document["lang"], &document["media_type"]),
        (&json!("de"), &json!("text/markdown"))
    );

    // Found, with what a citation needs.
    let hits = site.search(PAGE, json!({ "query": "Ausweis kosten" })).await;
    let hit = &hits[0];
    assert_eq!(hit["document"]["id"], id.as_str());
    assert_eq!(hit["document"]["collection"], "haus");
    assert!(!hit["highlights"].as_array().unwrap().is_empty(), "{hit}");
    let passage = hit["passage"].as_str().unwrap().to_owned();
    let path = format!("/api/documents/{id}/passages/{passage}");
    let opened: Value = site.get_with(&path, &[PAGE]).await.json();
    assert_eq!((&opened["text"], &opened["chars"]), (&hit["text"], &hit["chars"]));
    let text: Value = site.get_with(&format!("/api/documents/{id}/text"), &[PAGE]).await.json();
    let chars: Vec<char> = text["text"].as_str().unwrap().chars().collect();
    let [from, to] = [0, 1].map(|i| opened["chars"][i].as_u64().unwrap() as usize);
    assert!(chars[from..to].iter().collect::<String>().contains("zwölf Euro"));
    assert!(!text["blocks"].as_array().unwrap().is_empty());

    // The same again is the same; under another name too, which is said.
    let again: Value = site.upload("haus", "bib.md", LIBRARY).await.json();
    assert_eq!((&again["outcome"], &again["document"]["id"]), (&json!("unchanged"), &json!(id)));
    let other: Value = site.upload("haus", "copy.md", LIBRARY).await.json();
    assert_eq!((&other["outcome"], &other["document"]["id"]), (&json!("duplicate"), &json!(id)));
    assert_eq!(site.document(&id).await["also"], json!(["copy.md"]));
    assert_eq!(n_files(&site), 1);

    // Replaced: another document, for the first one's text still lies at the other place.
    let changed = LIBRARY.replace("neun", "zehn");
    let (new_id, _) = site.taken_in("haus", "bib.md", &changed).await;
    assert_ne!(new_id, id);
    assert_eq!(site.document(&id).await["name"], "copy.md");
    // Replaced where it lies nowhere else: the same document; what did not change keeps its name.
    let longer = format!("{changed}\n## Neu\n\n{}\n", "Am Sonntag ist geschlossen. ".repeat(60));
    let ids = |hits: &[Value]| -> BTreeSet<String> {
        hits.iter().map(|hit| hit["passage"].as_str().unwrap().to_owned()).collect()
    };
    let only = json!({ "documents": [new_id] });
    let before = ids(&site.search(PAGE, json!({ "query": "Ausweis", "filter": only })).await);
    let (same_id, ready) = site.taken_in("haus", "bib.md", &longer).await;
    assert_eq!((same_id.as_str(), &ready["state"]), (new_id.as_str(), &json!("ready")));
    let found = site.search(PAGE, json!({ "query": "Sonntag geschlossen", "filter": only })).await;
    assert!(!found.is_empty());
    let now = ids(&site.search(PAGE, json!({ "query": "Ausweis", "filter": only })).await);
    assert!(!before.is_empty() && !now.is_empty());

    // Gone: not found, not opened, no file left.
    for id in [&id, &new_id] {
        let path = format!("/api/documents/{id}");
        assert_eq!(site.ask(Method::DELETE, &path, &[PAGE]).await.status, 204);
        assert_eq!(site.get_with(&path, &[PAGE]).await.error().1, "document_not_found");
    }
    assert!(site.search(PAGE, json!({ "query": "Ausweis" })).await.is_empty());
    until("its file is removed", async || n_files(&site) == 0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_fails_by_name_and_can_be_retried_and_cancelled() {
    let site = site(PLAIN);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let bytes = noise(5_000, 7);
    let uploaded: Value = site.upload("c", "x.bin", bytes).await.json();
    let id = uploaded["document"]["id"].as_str().unwrap().to_owned();
    let failed = site.settled(&id).await;
    assert_eq!(failed["state"], "failed");
    assert_eq!(failed["error"]["code"], "document_type_unknown");
    let jobs: Value = site.get_with("/api/jobs", &[PAGE]).await.json();
    assert_eq!(
        (&jobs["total"]["n_failed"], &jobs["jobs"][0]["document"]["id"]),
        (&json!(1), &json!(id))
    );
    let retry = site.ask(Method::POST, &format!("/api/documents/{id}/retry"), &[PAGE]).await;
    assert_eq!(retry.status, 202);
    assert_eq!(site.settled(&id).await["state"], "failed");
    // What never was found goes with its job.
    let job = site.document(&id).await["job"].as_str().unwrap().to_owned();
    let cancel = format!("/api/jobs/{job}/cancel");
    assert_eq!(site.ask(Method::POST, &cancel, &[PAGE]).await.status, 204);
    assert_eq!(site.get_with(&format!("/api/documents/{id}"), &[PAGE]).await.status, 404);
    assert_eq!(site.ask(Method::POST, &cancel, &[PAGE]).await.error().1, "job_not_found");
    // A version that fails leaves the one before it found.
    let (id, _) = site.taken_in("c", "a.txt", "The gasworks are for sale.").await;
    let replaced: Value = site.upload("c", "a.txt", noise(5_000, 8)).await.json();
    assert_eq!(replaced["document"]["id"], id.as_str());
    let failed = site.settled(&id).await;
    assert_eq!((&failed["state"], &failed["is_searchable"]), (&json!("failed"), &json!(true)));
    assert_eq!(site.search(PAGE, json!({ "query": "gasworks" })).await.len(), 1);
}

/// The page asks for the documents anew when the queue's sums have changed: a quick document must not
/// look like the one before it.
#[tokio::test(flavor = "multi_thread")]
async fn the_queue_tells_a_quick_document_from_the_one_before_it() {
    let site = site(PLAIN);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let mut totals = Vec::new();
    for (name, text) in [("a.txt", "The keys hang here."), ("b.txt", "The keys hung here.")] {
        site.taken_in("c", name, text).await;
        totals.push(site.get_with("/api/jobs", &[PAGE]).await.json::<Value>()["total"].take());
    }
    assert_eq!([&totals[0]["n_ready"], &totals[1]["n_ready"]], [&json!(1), &json!(1)]);
    assert!(totals[0]["newest_ready"].is_string(), "{totals:?}");
    assert_ne!(totals[0]["newest_ready"], totals[1]["newest_ready"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_are_served_inert_and_in_parts() {
    let site = site(PLAIN);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let html = "<html><script>alert(1)</script><p>The office opens at nine.</p></html>";
    let (id, _) = site.taken_in("c", "seite.html", html).await;
    for query in ["", "?inline"] {
        let file = site.get_with(&format!("/api/documents/{id}/file{query}"), &[PAGE]).await;
        assert_eq!(file.bytes(), html.as_bytes());
        assert_eq!(file.header("content-type"), "application/octet-stream");
        assert!(file.header("content-disposition").starts_with("attachment;"));
        assert!(file.header("content-security-policy").starts_with("sandbox;"));
        assert_eq!(file.header("x-content-type-options"), "nosniff");
    }
    let (id, _) = site.taken_in("c", "zeile.txt", "The office opens at nine o'clock.").await;
    let path = format!("/api/documents/{id}/file?inline=1");
    let part = site.get_with(&path, &[PAGE, ("range", "bytes=4-9")]).await;
    assert_eq!((part.status.as_u16(), part.text()), (206, "office"));
    assert_eq!(part.header("content-range"), "bytes 4-9/33");
    assert_eq!(part.header("content-type"), "text/plain; charset=utf-8");
    assert!(part.header("content-disposition").starts_with("inline;"));
    let etag = part.header("etag").to_owned();
    let same = site.get_with(&path, &[PAGE, ("if-none-match", &etag)]).await;
    assert_eq!(same.status, 304);
    let behind = site.get_with(&path, &[PAGE, ("range", "bytes=99-")]).await;
    assert_eq!(behind.error(), (416, "range_not_satisfiable".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_kind_of_file_comes_in_a_sandbox() {
    let site = site(PLAIN);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let mail = "From: a@b.example\r\nSubject: Hi\r\nContent-Type: text/html\r\n\r\n<script>x()</script>Hello";
    for (name, text, is_shown) in [
        ("a.html", "<script>alert(1)</script><p>One page.</p>", false),
        ("a.svg", "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", false),
        (
            "a.xhtml",
            "<html xmlns='http://www.w3.org/1999/xhtml'><body>Two pages.</body></html>",
            false,
        ),
        ("a.eml", mail, false),
        // What is wrong with it changes nothing.
        ("a.pdf", "%PDF-1.4 no PDF", false),
        ("a.docx", "PK no document", false),
        ("a.txt", "<script>alert(1)</script> Three pages.", true),
        ("a.md", "# Four pages <script>alert(1)</script>", true),
        ("a.csv", "a,b\n<script>,1\n", true),
    ] {
        let (id, document) = site.taken_in("c", name, text).await;
        for query in ["", "?inline"] {
            let file = site.get_with(&format!("/api/documents/{id}/file{query}"), &[PAGE]).await;
            let is_shown = is_shown && !query.is_empty();
            let (kind, media_type) = match is_shown {
                true => ("inline;", "text/plain; charset=utf-8"),
                false => ("attachment;", "application/octet-stream"),
            };
            assert_eq!(file.header("content-type"), media_type, "{name}{query}: {document}");
            assert!(file.header("content-disposition").starts_with(kind), "{name}{query}");
            let policy = file.header("content-security-policy");
            assert!(policy.starts_with("sandbox; default-src 'none'"), "{name}{query}: {policy}");
            assert_eq!(file.header("x-content-type-options"), "nosniff", "{name}{query}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_found_is_counted_and_marked_as_the_index_found_it() {
    let site = site(PLAIN);
    site.collection("stadt", json!({ "read": ["everyone"] })).await;
    site.collection("rat", json!({ "read": ["board"] })).await;
    let text =
        |n: usize| format!("Die Müllgebühr im Ortsteil {n} ist im März fällig, sagt der Rat.");
    for n in 0..3 {
        site.taken_in("stadt", &format!("{n}.md"), &text(n)).await;
    }
    site.taken_in("stadt", "fees.txt", "The Gebühr is the fee that you pay to the town.").await;
    site.taken_in("rat", "plan.txt", "Die Gebühr soll im nächsten Jahr steigen, sagt der Rat.")
        .await;
    let asked = async |who: (&str, &str), filter: Value, collections: Value| {
        let body = json!({ "query": "Gebühren", "limit": 1, "facets": true, "filter": filter,
            "collections": collections });
        assert!(!site.search(who, body.clone()).await.is_empty() || filter != json!({}));
        site.json(Method::POST, "/api/search", who, body).await.json::<Value>()
    };
    let all = asked(PAGE, json!({}), Value::Null).await;
    let (markdown, plain) = ("text/markdown", "text/plain");
    assert_eq!(all["facets"]["collections"], json!({ "stadt": 4, "rat": 1 }), "{all}");
    assert_eq!(all["facets"]["types"], json!({ markdown: 3, plain: 2 }));
    assert_eq!(all["facets"]["langs"], json!({ "de": 4, "en": 1 }));
    // Each by the other filters, and not by its own.
    let some = asked(PAGE, json!({ "types": [plain] }), json!(["stadt"])).await;
    assert_eq!(some["facets"]["collections"], json!({ "stadt": 1, "rat": 1 }), "{some}");
    assert_eq!(some["facets"]["types"], json!({ markdown: 3, plain: 1 }));
    assert_eq!(some["facets"]["langs"], json!({ "en": 1 }));
    // Of what may not be read, not even the number is told.
    let key = site.key("k", &["staff"]);
    let staff = asked(("authorization", &key), json!({}), Value::Null).await;
    assert_eq!(staff["facets"]["collections"], json!({ "stadt": 4 }), "{staff}");
    assert_eq!(staff["facets"]["types"], json!({ markdown: 3, plain: 1 }));
    let nothing = json!({ "query": "Quantenphysik", "facets": true });
    let nothing = site.json(Method::POST, "/api/search", PAGE, nothing).await.json::<Value>();
    assert_eq!(nothing["facets"], json!({ "collections": {}, "types": {}, "langs": {} }));
    let without = site.json(Method::POST, "/api/search", PAGE, json!({ "query": "Rat" })).await;
    assert_eq!(without.json::<Value>()["facets"], Value::Null);

    let query = json!({ "query": "Gebühren", "filter": { "types": [markdown] } });
    let hit = site.search(PAGE, query).await.remove(0);
    let chars: Vec<char> = hit["text"].as_str().unwrap().chars().collect();
    let [from, to] = [0, 1].map(|i| hit["highlights"][0][i].as_u64().unwrap() as usize);
    assert_eq!(chars[from..to].iter().collect::<String>(), "Müllgebühr");
    assert_eq!(hit["highlights"].as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_sizes_and_quotas_are_held() {
    let toml = "[documents]\nembedder = \"none\"\nmax_file_bytes = 1000\nmax_total_bytes = 1500\n";
    let site = site(toml);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let large = site.upload("c", "a.txt", "x".repeat(1001)).await;
    assert_eq!(large.error(), (413, "payload_too_large".into()));
    // Without its length in the head, too.
    let pieces =
        futures_util::stream::iter((0..20).map(|_| Ok::<_, std::io::Error>("y".repeat(100))));
    let streamed = site.upload("c", "a.txt", Body::from_stream(pieces)).await;
    assert_eq!(streamed.error(), (413, "payload_too_large".into()));
    // Cut off in the middle.
    let broken =
        futures_util::stream::iter([Ok("half".to_owned()), Err(std::io::Error::other("x"))]);
    assert_eq!(site.upload("c", "a.txt", Body::from_stream(broken)).await.status, 400);
    assert_eq!(n_files(&site), 0);
    assert_eq!(site.upload("c", "a.txt", "a".repeat(900)).await.status, 201);
    assert_eq!(site.upload("c", "b.txt", "b".repeat(900)).await.error().1, "documents_full");
    assert_eq!(site.upload("c", "c.txt", "c".repeat(500)).await.status, 201);
    for (name, stays) in [
        ("..%2F..%2Fetc%2Fpasswd", Some("passwd")),
        ("C%3A%5Ctemp%5Cx.txt", Some("x.txt")),
        ("%00", None),
        ("a%0Ab", None),
        ("%E2%80%AEfdp.exe", None),
        ("", None),
        ("..%2F", None),
    ] {
        let answer = site.upload("c", name, format!("text {name}")).await;
        match stays {
            Some(stays) => {
                assert_eq!(answer.json::<Value>()["document"]["name"], stays);
            }
            None => assert_eq!(answer.error(), (400, "invalid_request".into()), "{name}"),
        }
    }
    let inside = std::fs::canonicalize(site.folder.0.join("files")).unwrap();
    assert!(inside.is_dir() && !Path::new("/tmp/passwd").exists());
}

/// Words of which a random half belong to one group and half to the other.
const WORDS: [&str; 24] = [
    "gasworks",
    "library",
    "salary",
    "pool",
    "mayor",
    "parking",
    "violin",
    "bonfire",
    "passport",
    "castle",
    "dog",
    "market",
    "Bücherei",
    "Gebühr",
    "Hund",
    "Musikschule",
    "Ausweis",
    "Freibad",
    "Stadthalle",
    "Sperrmüll",
    "Kurse",
    "Euro",
    "Samstag",
    "Vorstand",
];

#[tokio::test(flavor = "multi_thread")]
async fn two_groups_never_see_each_others_passages() {
    let site = site(PLAIN);
    let mut state = 9_u32;
    let mut random = move |n: usize| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as usize % n
    };
    // Names of groups and collections that are alike, for what matches by parts.
    let groups = ["acme corp", "acme corp two"];
    let mut documents: [Vec<String>; 2] = Default::default();
    let mut passages: [BTreeSet<String>; 2] = Default::default();
    for (i, group) in groups.iter().enumerate() {
        let collection = ["acme", "acme-two"][i];
        site.collection(collection, json!({ "read": [group] })).await;
        for n in 0..12 {
            let words: Vec<&str> = (0..12).map(|_| WORDS[random(WORDS.len())]).collect();
            let text = format!("# {}\n\nSecret of group {i}: {}.\n", words[0], words.join(" "));
            let (id, ready) = site.taken_in(collection, &format!("{n}.md"), &text).await;
            assert_eq!(ready["state"], "ready");
            documents[i].push(id);
        }
    }
    let keys = [site.key("one", &groups[..1]), site.key("two", &groups[1..])];
    let all = json!({ "query": WORDS.join(" "), "limit": 100 });
    for (i, key) in keys.iter().enumerate() {
        let hits = site.search(("authorization", key), all.clone()).await;
        passages[i] = hits.iter().map(|hit| hit["passage"].as_str().unwrap().to_owned()).collect();
        assert!(passages[i].len() >= 12);
    }
    let mut n_hits = 0;
    for round in 0..1000 {
        let i = random(2);
        let (own, other) = (i, 1 - i);
        let who = ("authorization", keys[own].as_str());
        let document = &documents[other][random(12)];
        match round % 5 {
            // Search: plain, filtered by the other's documents, and in the other's collection.
            0 | 1 => {
                let words: Vec<&str> =
                    (0..1 + random(4)).map(|_| WORDS[random(WORDS.len())]).collect();
                let mut body = json!({ "query": words.join(" "), "limit": 1 + random(50) });
                if round % 3 == 0 {
                    body["filter"] = json!({ "documents": [document, documents[own][random(12)]] });
                }
                let hits = site.search(who, body).await;
                n_hits += hits.len();
                for hit in hits {
                    assert_eq!(hit["document"]["collection"], ["acme", "acme-two"][own], "{hit}");
                    assert!(hit["text"].as_str().unwrap().contains(&format!("group {own}")));
                    assert!(!passages[other].contains(hit["passage"].as_str().unwrap()));
                }
            }
            2 => {
                let foreign = ["acme", "acme-two"][other];
                let body = json!({ "query": WORDS[random(WORDS.len())], "collections": [foreign] });
                let answer = site.json(Method::POST, "/api/search", who, body).await;
                assert_eq!(answer.error(), (404, "collection_not_found".into()));
                let path = format!("/api/collections/{foreign}/documents");
                assert_eq!(site.get_with(&path, &[who]).await.error().1, "collection_not_found");
            }
            // The other's citation links and files, also through a document of one's own.
            3 => {
                let passage = passages[other].iter().nth(random(12)).unwrap();
                for through in [document, &documents[own][random(12)]] {
                    let path = format!("/api/documents/{through}/passages/{passage}");
                    assert_eq!(site.get_with(&path, &[who]).await.error().1, "document_not_found");
                }
            }
            _ => {
                let part = ["", "/text", "/file", "/file?inline"][random(4)];
                let path = format!("/api/documents/{document}{part}");
                assert_eq!(site.get_with(&path, &[who]).await.error().1, "document_not_found");
                let path = format!("/api/documents/{document}");
                let delete = site.ask(Method::DELETE, &path, &[who]).await;
                assert_eq!(delete.status, 404);
            }
        }
    }
    assert!(n_hits > 500, "the searches found something: {n_hits}");
    // Readers change nothing, and see nobody's queue.
    let who = ("authorization", keys[0].as_str());
    let own = &documents[0][0];
    let delete = site.ask(Method::DELETE, &format!("/api/documents/{own}"), &[who]).await;
    assert_eq!(delete.error(), (403, "collection_read_only".into()));
    let jobs: Value = site.get_with("/api/jobs", &[who]).await.json();
    assert_eq!(jobs["total"]["n_documents"], 0);
    let made = site.json(Method::POST, "/api/collections", who, json!({ "title": "x" })).await;
    assert_eq!(made.error(), (403, "admin_needed".into()));
    // A right that is taken away holds from the next question on.
    let change = json!({ "groups": { "read": ["somebody"] } });
    let changed = site.json(Method::PATCH, "/api/collections/acme", PAGE, change).await;
    assert_eq!(changed.status, 200);
    assert!(site.search(who, all).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn vectors_come_from_the_fleet_or_the_uploader_and_are_checked() {
    use base64::Engine as _;
    let url = Words::start().await.url.clone();
    let toml = format!(
        "[documents]\nembedder = \"words\"\n[[upstreams]]\nid = \"u\"\nurl = \"{url}\"\nhealth_every_s = 0\n
        [[models]]\nid = \"words\"\nkind = \"embedding\"\nendpoints = [{{ upstream = \"u\" }}]\n"
    );
    let site = site(&toml);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let (id, ready) = site.taken_in("c", "bib.md", LIBRARY).await;
    assert_eq!((&ready["state"], &ready["n_embedded"]), (&json!("ready"), &ready["n_passages"]));
    let by_vector = json!({ "query": "Ausweis zwölf Euro", "mode": "vector" });
    let hits = site.search(PAGE, by_vector).await;
    assert_eq!((&hits[0]["document"]["id"], &hits[0]["ranks"]["vector"]), (&json!(id), &json!(1)));

    // A question's vector of one's own: of the right length, or refused.
    let own = |vector: Vec<f32>| json!({ "query": "x", "mode": "vector", "vector": vector });
    assert_eq!(site.search(PAGE, own(vector("words", "Ausweis Euro"))).await.len(), hits.len());
    for bad in [vec![1.0; words::DIM], vec![1.0], vec![0.0; words::DIM]] {
        let answer = site.json(Method::POST, "/api/search", PAGE, own(bad)).await;
        assert_eq!(answer.error(), (400, "vector_invalid".into()));
    }

    // Indexed by the uploader: the file first, then what was made of it.
    let text = "# Garten\n\nDie Orangerie ist geheizt.\n";
    let extracted = portico_shared::documents::markdown(text);
    let count = |text: &str| text.len() as u32 / 3 + 1;
    let chunks = portico_shared::documents::chunk(&extracted, &count, &Default::default());
    let title = extracted.title.clone();
    let vectors = |text: &dyn Fn(&str) -> Vec<f32>| {
        let bytes: Vec<u8> = chunks
            .iter()
            .flat_map(|chunk| text(&chunk.context_text(title.as_deref())))
            .flat_map(f32::to_le_bytes)
            .collect();
        base64::engine::general_purpose::STANDARD.encode(bytes)
    };
    let body = |sha256: &str, vectors: String| {
        json!({ "name": "garten.md", "sha256": sha256, "extracted": extracted, "chunks": chunks,
            "embedder": "words", "vectors": vectors })
    };
    let path = "/api/collections/c/indexed";
    let right = vectors(&|text| vector("words", text));
    let never_sent = portico_server::models::sha256::of_bytes(LIBRARY.as_bytes());
    let missing = site.json(Method::POST, path, PAGE, body(&never_sent, right.clone())).await;
    // Another's file cannot be had by its digest.
    assert_eq!(missing.error().1, "document_not_found");
    let request = Request::post("/api/collections/c/files").header(PAGE.0, PAGE.1);
    let held = Answer::of(site.send(request.body(Body::from(text)).unwrap()).await).await;
    let sha256 = held.json::<Value>()["sha256"].as_str().unwrap().to_owned();
    let wrong = vectors(&|_| vector("words", "something else entirely"));
    let refused = site.json(Method::POST, path, PAGE, body(&sha256, wrong)).await;
    assert_eq!(refused.error(), (422, "vectors_disagree".into()));
    let taken = site.json(Method::POST, path, PAGE, body(&sha256, right)).await;
    assert_eq!(taken.status, 201, "{}", taken.text());
    assert_eq!(taken.json::<Value>()["outcome"], "new");
    let id = taken.json::<Value>()["document"]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.settled(&id).await["state"], "ready");
    let found = site.search(PAGE, json!({ "query": "Orangerie geheizt" })).await;
    assert_eq!(found[0]["document"]["id"], id.as_str());
    assert!(found[0]["ranks"]["vector"].is_u64() && found[0]["ranks"]["full_text"].is_u64());
}

const NOTES: [&str; 4] = [
    "The ferry ferry ferry leaves at nine.",
    "The ferry ferry costs four euros.",
    "The ferry is old.",
    "Once a ferry sank; this is the wanted note.",
];

/// A house with notes about a ferry whose best one, as the reranker has it, words find last.
async fn ferry(words: &Words, search: &str) -> Site {
    let url = &words.url;
    let site = site(&format!(
        "[access]\nmetrics = \"anyone\"\n[documents]\nembedder = \"none\"\n[search]\n{search}\n
        [[upstreams]]\nid = \"u\"\nurl = \"{url}\"\nhealth_every_s = 0\n
        [[models]]\nid = \"judge\"\nkind = \"reranker\"\nendpoints = [{{ upstream = \"u\", model = \"x\" }}]\n"
    ));
    site.collection("c", json!({ "read": ["everyone"] })).await;
    for (n, text) in NOTES.iter().enumerate() {
        site.taken_in("c", &format!("{n}.txt"), text).await;
    }
    site
}

fn names(hits: &[Value]) -> Vec<&str> {
    hits.iter().map(|hit| hit["document"]["name"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reranker_puts_the_best_first_wherever_passages_are_looked_for() {
    let words = Words::start().await;
    let site = ferry(&words, "rerank = \"judge\"\nrerank_s = 20").await;
    let query = json!({ "query": "ferry" });
    let hits = site.search(PAGE, query.clone()).await;
    assert_eq!((hits.len(), names(&hits)[0]), (4, "3.txt"));
    let scores: Vec<f64> = hits.iter().map(|hit| hit["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a > b), "{scores:?}");
    // Also where it would not have been among those that are wanted.
    let one = site.search(PAGE, json!({ "query": "ferry", "limit": 1 })).await;
    assert_eq!(names(&one), ["3.txt"]);
    // What answers rest on goes the same way.
    let rights = portico_server::people::Rights::of_operator();
    let documents = &site.app.gateway.documents;
    let found =
        documents.passages_for_answer(&rights, "ferry", None, &[], 500, &|text| text.len() as u32);
    assert_eq!(found.await.unwrap()[0].name, "3.txt");
    // It is shown what the asker may read, and by its name at the upstream.
    let asked = words.reranked.lock().unwrap().clone();
    assert_eq!(asked.len(), 3);
    assert_eq!((&asked[0]["model"], &asked[0]["query"]), (&json!("x"), &json!("ferry")));
    assert_eq!(asked[0]["documents"].as_array().unwrap().len(), 4);
    let hidden = json!({ "groups": { "read": ["board"] } });
    site.json(Method::PATCH, "/api/collections/c", PAGE, hidden).await;
    let key = site.key("k", &["staff"]);
    assert!(site.search(("authorization", &key), query).await.is_empty());
    assert_eq!(words.reranked.lock().unwrap().len(), 3);
    let metrics = site.get("/metrics").await;
    assert!(metrics.text().contains("portico_document_reranks_total{outcome=\"ok\"} 3"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reranker_that_fails_or_is_slow_leaves_the_order_and_is_let_alone() {
    let words = Words::start().await;
    let plain = ferry(&words, "").await.search(PAGE, json!({ "query": "ferry" })).await;
    let expected = names(&plain);
    assert_eq!((expected.len(), expected[3]), (4, "3.txt"));
    for (fault, outcome) in [(1, "failed"), (2, "late"), (3, "failed")] {
        let words = Words::start().await;
        words.rerank_fault.store(fault, std::sync::atomic::Ordering::SeqCst);
        let site = ferry(&words, "rerank = \"judge\"\nrerank_s = 0.2\nrerank_passages = 3").await;
        let start = Instant::now();
        for _ in 0..3 {
            let hits = site.search(PAGE, json!({ "query": "ferry" })).await;
            assert_eq!(names(&hits), expected, "{outcome}");
        }
        assert!(start.elapsed() < Duration::from_secs(10));
        let asked = words.reranked.lock().unwrap().clone();
        assert_eq!(asked.len(), 1, "it was not asked again");
        assert_eq!(asked[0]["documents"].as_array().unwrap().len(), 3);
        let metrics = site.get("/metrics").await;
        for (outcome, n) in [(outcome, 1), ("paused", 2)] {
            let line = format!("portico_document_reranks_total{{outcome=\"{outcome}\"}} {n}");
            assert!(metrics.text().contains(&line), "{line}: {}", metrics.text());
        }
    }
    // One that is none is no error either.
    let words = Words::start().await;
    let site = ferry(&words, "rerank = \"nobody\"").await;
    assert_eq!(names(&site.search(PAGE, json!({ "query": "ferry" })).await), expected);
}

/// What is not the asker's takes no place in what is found: rights are inside the search.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_of_others_passages_does_not_hide_ones_own() {
    let site = site(PLAIN);
    site.collection("own", json!({ "read": ["staff"] })).await;
    site.collection("others", json!({ "read": ["board"] })).await;
    let (_, ready) = site.taken_in("own", "own.txt", "Among much else, a gasworks.").await;
    assert_eq!(ready["state"], "ready");
    let mut last = String::new();
    for n in 0..80 {
        let text = format!("gasworks gasworks {n}");
        let uploaded: Value = site.upload("others", &format!("{n}.txt"), text).await.json();
        last = uploaded["document"]["id"].as_str().unwrap().to_owned();
    }
    site.settled(&last).await;
    until("all are in", async || {
        let all = site.search(PAGE, json!({ "query": "gasworks", "limit": 100 })).await;
        all.len() == 81
    })
    .await;
    let key = site.key("k", &["staff"]);
    let who = ("authorization", key.as_str());
    let hits = site.search(who, json!({ "query": "gasworks", "limit": 1 })).await;
    assert_eq!(names(&hits), ["own.txt"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_cancelled_on_its_way_leaves_the_version_before_and_nothing_else() {
    let words = Words::start().await;
    let url = &words.url;
    let site = site(&format!(
        "[documents]\nembedder = \"words\"\n[[upstreams]]\nid = \"u\"\nurl = \"{url}\"\nhealth_every_s = 0\n
        [[models]]\nid = \"words\"\nkind = \"embedding\"\nendpoints = [{{ upstream = \"u\" }}]\n"
    ));
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let (id, _) = site.taken_in("c", "a.txt", "The gasworks are for sale.").await;
    words.wait_ms.store(1_000, std::sync::atomic::Ordering::SeqCst);
    let replaced: Value = site.upload("c", "a.txt", "The orangery is heated.").await.json();
    assert_eq!(replaced["outcome"], "replaced");
    until("it is embedded", async || site.document(&id).await["state"] == "embedding").await;
    let job = site.document(&id).await["job"].as_str().unwrap().to_owned();
    let cancel = format!("/api/jobs/{job}/cancel");
    assert_eq!(site.ask(Method::POST, &cancel, &[PAGE]).await.status, 204);
    words.wait_ms.store(0, std::sync::atomic::Ordering::SeqCst);
    // Another goes its way behind it: what was cancelled would have been there by then.
    site.taken_in("c", "b.txt", "The maze closes at dusk.").await;
    let document = site.document(&id).await;
    assert_eq!((&document["state"], &document["is_searchable"]), (&json!("ready"), &json!(true)));
    let plain = |query: &str| json!({ "query": query, "mode": "full_text" });
    assert_eq!(names(&site.search(PAGE, plain("gasworks")).await), ["a.txt"]);
    assert!(site.search(PAGE, plain("orangery")).await.is_empty());
    until("its file is removed", async || n_files(&site) == 2).await;
    let jobs: Value = site.get_with("/api/jobs", &[PAGE]).await.json();
    assert_eq!(jobs["jobs"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_that_is_retried_begins_anew() {
    let site = site(PLAIN);
    site.collection("c", json!({ "read": ["everyone"] })).await;
    let bytes = noise(5_000, 9);
    let sha256 = portico_server::models::sha256::of_bytes(&bytes);
    let uploaded: Value = site.upload("c", "x", bytes).await.json();
    let id = uploaded["document"]["id"].as_str().unwrap().to_owned();
    assert_eq!(site.settled(&id).await["state"], "failed");
    // Whatever was wrong with it is mended.
    let files = match crate::storage::is_for_all() {
        // What comes from another machine is checked.
        true => return,
        false => site.folder.0.join("files"),
    };
    std::fs::write(files.join(&sha256[..2]).join(&sha256), "The gasworks are for sale.").unwrap();
    let job = site.document(&id).await["job"].as_str().unwrap().to_owned();
    let retry = site.ask(Method::POST, &format!("/api/jobs/{job}/retry"), &[PAGE]).await;
    assert_eq!(retry.status, 202);
    until("it is taken in", async || site.document(&id).await["state"] == "ready").await;
    assert_eq!(names(&site.search(PAGE, json!({ "query": "gasworks" })).await), ["x"]);
    let again = site.ask(Method::POST, &format!("/api/jobs/{job}/retry"), &[PAGE]).await;
    assert_eq!(again.error().1, "job_not_found", "what is done is not begun anew");
}
