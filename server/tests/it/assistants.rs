//! Assistants over HTTP: for whom they are, what they give nobody, and who of two writes first.

use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, admin, id_of, invited};
use crate::upstream::Upstream;

struct House {
    site: Site,
    ada: Browser,
    /// In `staff`.
    mia: Browser,
    /// In `staff` and in `board`.
    bo: Browser,
    /// In no group.
    kim: Browser,
}

impl House {
    async fn new() -> Self {
        let site = Site::with_config("", &[]);
        let mut ada = admin(&site).await;
        for group in ["staff", "board"] {
            let made = ada.ask(&site, "POST", "/api/groups", json!({ "name": group })).await;
            assert_eq!(made.status, 201, "{}", made.text());
        }
        let of = |groups: Value| json!({ "role": "member", "groups": groups });
        let mia = invited(&site, &mut ada, "mia", of(json!(["staff"]))).await;
        let bo = invited(&site, &mut ada, "bo", of(json!(["staff", "board"]))).await;
        let kim = invited(&site, &mut ada, "kim", of(json!([]))).await;
        let sql = "INSERT INTO collections (id, title, created_s)
                VALUES ('papers', 'Papers', 0), ('secrets', 'Secrets', 0);
            INSERT INTO collection_rights VALUES ('papers', 'staff', 1), ('secrets', 'board', 1);";
        let database = crate::database::of(&site.folder.0);
        database.call_blocking(|database| database.execute_batch(sql)).unwrap();
        Self { site, ada, mia, bo, kim }
    }
}

fn definition(name: &str) -> Value {
    json!({ "name": name, "instructions": "Answer in one sentence.", "questions": ["Why?"] })
}

async fn add(site: &Site, by: &mut Browser, body: Value) -> Value {
    let added = by.ask(site, "POST", "/api/assistants", body).await;
    assert_eq!(added.status, 201, "{}", added.text());
    added.json()
}

async fn names(site: &Site, of: &mut Browser) -> Vec<String> {
    let listed: Value = of.get(site, "/api/assistants").await.json();
    let listed = listed["assistants"].as_array().unwrap().clone();
    listed.iter().map(|one| one["definition"]["name"].as_str().unwrap().to_owned()).collect()
}

fn path(one: &Value) -> String {
    format!("/api/assistants/{}", one["id"].as_str().unwrap())
}

#[tokio::test]
async fn each_is_given_to_whom_it_is_shared_with_and_changed_by_who_made_it() {
    let House { site, mut ada, mut mia, mut bo, mut kim } = House::new().await;
    let own = add(&site, &mut mia, json!({ "definition": definition("Own") })).await;
    let staff = json!({ "definition": definition("Staff"), "groups": ["staff"] });
    let staff = add(&site, &mut mia, staff).await;
    let house = json!({ "definition": definition("House"), "for_house": true });
    let house = add(&site, &mut ada, house).await;
    assert_eq!((&own["revision"], &own["may_change"]), (&json!(1), &json!(true)));
    assert_eq!(names(&site, &mut mia).await, ["House", "Own", "Staff"]);
    assert_eq!(names(&site, &mut bo).await, ["House", "Staff"]);
    assert_eq!(names(&site, &mut kim).await, ["House"]);
    // An administrator sees what is shared, and not what somebody keeps to themselves.
    assert_eq!(names(&site, &mut ada).await, ["House", "Staff"]);

    let not_found = (404, "assistant_not_found".to_owned());
    for (by, one) in [(&mut bo, &own), (&mut ada, &own), (&mut kim, &staff)] {
        assert_eq!(by.get(&site, &path(one)).await.error(), not_found);
        let body = json!({ "definition": definition("Mine now"), "revision": 1 });
        assert_eq!(by.ask(&site, "PUT", &path(one), body).await.error(), not_found);
        assert_eq!(by.ask(&site, "DELETE", &path(one), json!({})).await.error(), not_found);
    }
    // Who uses one that another made does not change it, nor learn with whom else it is shared.
    let seen: Value = bo.get(&site, &path(&staff)).await.json();
    assert_eq!((&seen["may_change"], &seen["maker"]), (&json!(false), &json!("mia")));
    assert!(seen.get("groups").is_none(), "{seen}");
    let body = json!({ "definition": definition("Mine now"), "revision": 1 });
    let needed = (403, "administrator_needed".to_owned());
    assert_eq!(bo.ask(&site, "PUT", &path(&staff), body.clone()).await.error(), needed);
    assert_eq!(kim.ask(&site, "DELETE", &path(&house), json!({})).await.error(), needed);
    // Administrators change what is shared.
    let body = json!({ "definition": definition("Staff 2"), "groups": ["staff"], "revision": 1 });
    let changed: Value = ada.ask(&site, "PUT", &path(&staff), body).await.json();
    assert_eq!((&changed["revision"], &changed["is_own"]), (&json!(2), &json!(false)));

    let log: Value = ada.get(&site, "/api/audit").await.json();
    let log = log["entries"].as_array().unwrap().clone();
    let of_own = |action: &str, one: &Value| {
        log.iter().any(|line| line["action"] == action && line["object"] == one["id"])
    };
    assert!(of_own("assistant_added", &own) && !of_own("assistant_shared", &own));
    assert!(of_own("assistant_shared", &staff) && of_own("assistant_changed", &staff));
    assert!(!json!(log).to_string().contains("one sentence"));
}

#[tokio::test]
async fn only_with_their_own_groups_and_where_the_rules_let_them_do_members_share() {
    let House { site, mut ada, mut mia, mut kim, .. } = House::new().await;
    let to = |groups: Value| json!({ "definition": definition("A"), "groups": groups });
    let forbidden = (403, "sharing_forbidden".to_owned());
    let with = |listed: Value| listed["may_share_with"].clone();
    let of_mia = with(mia.get(&site, "/api/assistants").await.json());
    assert_eq!(of_mia, json!({ "groups": ["staff"], "house": false }));
    let of_ada = with(ada.get(&site, "/api/assistants").await.json());
    assert_eq!(of_ada, json!({ "groups": ["board", "staff"], "house": true }));
    for body in [
        to(json!(["board"])),
        to(json!(["nowhere"])),
        json!({ "definition": definition("A"), "for_house": true }),
    ] {
        let refused = mia.ask(&site, "POST", "/api/assistants", body).await;
        assert_eq!(refused.error(), forbidden);
    }
    let refused = ada.ask(&site, "POST", "/api/assistants", to(json!(["nowhere"]))).await;
    assert_eq!(refused.error(), (404, "group_not_found".to_owned()));
    let one = add(&site, &mut mia, to(json!(["staff"]))).await;

    let rules = json!({ "policy": { "share_with_groups": false } });
    let set = ada.ask(&site, "PATCH", "/api/groups/staff", rules).await;
    assert!(set.status.is_success(), "{}", set.text());
    let refused = mia.ask(&site, "POST", "/api/assistants", to(json!(["staff"]))).await;
    assert_eq!(refused.error(), forbidden);
    // What is shared stays so, also when its maker writes it anew.
    let body = json!({ "definition": definition("B"), "groups": ["staff"], "revision": 1 });
    assert_eq!(mia.ask(&site, "PUT", &path(&one), body).await.status, 200);

    // A group's new name is the assistant's too; a group that goes leaves it to its maker.
    let renamed = json!({ "name": "team" });
    assert!(ada.ask(&site, "PATCH", "/api/groups/staff", renamed).await.status.is_success());
    let read: Value = mia.get(&site, &path(&one)).await.json();
    assert_eq!(read["groups"], json!(["team"]));
    assert!(ada.ask(&site, "DELETE", "/api/groups/team", json!({})).await.status.is_success());
    let read: Value = mia.get(&site, &path(&one)).await.json();
    assert_eq!(read["groups"], json!([]));
    assert!(names(&site, &mut ada).await.is_empty() && names(&site, &mut kim).await.is_empty());
}

#[tokio::test]
async fn through_an_assistant_nobody_gets_a_collection_that_they_may_not_read() {
    let House { site, ada: _, mut mia, mut bo, .. } = House::new().await;
    let with = |collections: Value, groups: Value| {
        let mut definition = definition("Board's");
        definition["collections"] = collections;
        json!({ "definition": definition, "groups": groups })
    };
    // Nobody puts one in that they may not read, nor learns that it is there.
    let hidden = mia.ask(&site, "POST", "/api/assistants", with(json!(["secrets"]), json!([])));
    assert_eq!(hidden.await.error(), (404, "collection_not_found".to_owned()));
    let body = with(json!(["papers", "secrets"]), json!(["staff"]));
    let one = add(&site, &mut bo, body).await;
    assert_eq!(one["definition"]["collections"], json!(["papers", "secrets"]));
    let seen: Value = mia.get(&site, &path(&one)).await.json();
    assert_eq!(seen["definition"]["collections"], json!(["papers"]));
    assert_eq!(seen["n_withheld"], 1);
    // Who asks for it all the same is told what anybody is told.
    let search = |collection: &str| json!({ "query": "a", "collections": [collection] });
    let asked = mia.ask(&site, "POST", "/api/search", search("secrets")).await;
    assert_eq!(asked.error(), (404, "collection_not_found".to_owned()));
    // No index runs in this test: what may be read is past the question of rights.
    let asked = mia.ask(&site, "POST", "/api/search", search("papers")).await;
    assert_ne!(asked.status, 404, "{}", asked.text());
}

#[tokio::test]
async fn of_two_who_write_at_once_the_second_is_told_and_what_cannot_be_is_refused() {
    let House { site, mut mia, .. } = House::new().await;
    let one = add(&site, &mut mia, json!({ "definition": definition("A") })).await;
    let write = |name: &str, revision: Value| json!({ "definition": definition(name), "revision": revision });
    let written: Value = mia.ask(&site, "PUT", &path(&one), write("B", json!(1))).await.json();
    assert_eq!(written["revision"], 2);
    for late in [json!(1), json!(3), Value::Null] {
        let refused = mia.ask(&site, "PUT", &path(&one), write("C", late)).await;
        assert_eq!(refused.error(), (409, "assistant_changed".to_owned()));
    }
    assert_eq!(names(&site, &mut mia).await, ["B"]);
    for (field, wrong) in [
        ("name", json!({ "name": " " })),
        ("icon", json!({ "name": "A", "icon": "<b>" })),
        ("instructions", json!({ "name": "A", "instructions": "x".repeat(8_001) })),
        ("questions", json!({ "name": "A", "questions": ["1", "2", "3", "4", "5"] })),
    ] {
        let refused = mia.ask(&site, "POST", "/api/assistants", json!({ "definition": wrong }));
        let refused = refused.await;
        assert_eq!(refused.error(), (400, "invalid_request".to_owned()), "{field}");
        assert!(refused.text().contains(field), "{}", refused.text());
    }
}

#[tokio::test]
async fn whoever_leaves_takes_their_own_along_and_leaves_what_they_gave_to_others() {
    let House { site, mut ada, mut mia, mut bo, .. } = House::new().await;
    add(&site, &mut mia, json!({ "definition": definition("Own") })).await;
    let staff = json!({ "definition": definition("Staff"), "groups": ["staff"] });
    let staff = add(&site, &mut mia, staff).await;
    let exported: Value = mia.get(&site, "/api/me/export").await.json();
    let told: Vec<_> = exported["assistants"].as_array().unwrap().iter().collect();
    assert_eq!(told.len(), 2);
    assert_eq!((&told[1]["id"], &told[1]["groups"]), (&staff["id"], &json!(["staff"])));
    assert_eq!(told[0]["definition"]["instructions"], "Answer in one sentence.");

    let id = id_of(&mut mia, &site).await;
    let gone = ada.ask(&site, "DELETE", &format!("/api/people/{id}"), json!({})).await;
    assert!(gone.status.is_success(), "{}", gone.text());
    assert_eq!(names(&site, &mut bo).await, ["Staff"]);
    let left: Value = ada.get(&site, &path(&staff)).await.json();
    assert_eq!((&left["maker"], &left["may_change"]), (&Value::Null, &json!(true)));
    let count = |sql: &'static str| {
        let database = crate::database::of(&site.folder.0);
        database
            .call_blocking(move |database| database.query_row(sql, [], |row| row.get::<_, i64>(0)))
    };
    assert_eq!(count("SELECT count(*) FROM assistants").unwrap(), 1);
    assert_eq!(ada.ask(&site, "DELETE", &path(&staff), json!({})).await.status, 204);
    assert!(names(&site, &mut bo).await.is_empty());
    assert_eq!(count("SELECT count(*) FROM assistant_groups").unwrap(), 0);
}

#[tokio::test]
async fn a_key_names_an_assistant_in_a_models_place_and_gets_what_its_person_may_use() {
    let upstream = Upstream::start().await;
    let toml = format!(
        "[[upstreams]]\nid = \"u\"\nurl = \"{}\"\nhealth_every_s = 0\n\
         [[models]]\nid = \"large\"\nendpoints = [{{ upstream = \"u\", model = \"org/good\" }}]\n",
        upstream.url
    );
    let site = Site::with_config(&toml, &[]);
    let mut ada = admin(&site).await;
    let mut keys = Vec::new();
    for (name, groups) in [("mia", json!(["staff"])), ("kim", json!([]))] {
        let mut browser = invited(&site, &mut ada, name, json!({ "groups": groups })).await;
        let made = browser.ask(&site, "POST", "/api/me/keys", json!({ "name": "k" })).await;
        assert!(made.status.is_success(), "{}", made.text());
        keys.push(format!("Bearer {}", made.json::<Value>()["secret"].as_str().unwrap()));
    }
    let shared = |more: Value| {
        let mut definition = definition("Clerk");
        for (field, value) in more.as_object().unwrap() {
            definition[field] = value.clone();
        }
        json!({ "definition": definition, "groups": ["staff"] })
    };
    let clerk = add(&site, &mut ada, shared(json!({}))).await;
    let strict = json!({ "model": "elsewhere", "may_stand_in": false });
    let strict = add(&site, &mut ada, shared(strict)).await;
    let named = |one: &Value| format!("assistant:{}", one["id"].as_str().unwrap());
    let ask = async |key: &str, one: &Value| {
        let body =
            json!({ "model": named(one), "messages": [{ "role": "user", "content": "Hi" }] });
        let request = axum::http::Request::post("/v1/chat/completions")
            .header("authorization", key)
            .header("content-type", "application/json")
            .body(axum::body::Body::from(body.to_string()));
        Answer::of(site.send(request.unwrap()).await).await
    };
    let listed = async |key: &str| {
        let models: Value = site.get_with("/v1/models", &[("authorization", key)]).await.json();
        models["data"].as_array().unwrap().iter().any(|model| model["id"] == named(&clerk))
    };
    let [mia, kim] = [keys[0].as_str(), keys[1].as_str()];
    assert!(listed(mia).await && !listed(kim).await);
    let answered = ask(mia, &clerk).await;
    assert_eq!(answered.status, 200, "{}", answered.text());
    assert_eq!(ask(mia, &strict).await.error(), (404, "model_not_found".to_owned()));
    assert_eq!(ask(kim, &clerk).await.error(), (404, "assistant_not_found".to_owned()));
    // The page chooses among models, and has its assistants elsewhere.
    let of_page: Value = ada.get(&site, "/v1/models").await.json();
    assert!(!of_page.to_string().contains("assistant:"), "{of_page}");
}
