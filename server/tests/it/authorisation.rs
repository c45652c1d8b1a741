//! Every route with every kind of caller, as `authorisation.toml` declares it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use axum::body::Body;
use axum::http::Request;
use portico_server::app::app;
use portico_server::keys::NewKey;
use portico_server::people::{External, NewPerson, PersonChange, PersonId, Role};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::common::*;

const MATRIX: &str = include_str!("authorisation.toml");

/// What says that somebody may not, whatever the request says.
const REFUSALS: [&str; 16] = [
    "invalid_api_key",
    "sign_in_needed",
    "administrator_needed",
    "admin_needed",
    "scope_missing",
    "person_blocked",
    "cross_site",
    "forbidden",
    "collection_read_only",
    "collection_not_found",
    "document_not_found",
    "model_forbidden",
    "place_forbidden",
    "not_found",
    "method_not_allowed",
    "internal",
];

/// A document's text, as it is kept.
const EMPTY_TEXT: &str = r#"{"title":null,"text":"","blocks":[],"n_pages":null}"#;

const ROLES: [&str; 10] = [
    "nobody",
    "guest",
    "member",
    "admin",
    "key",
    "bare_key",
    "house_key",
    "blocked",
    "expired",
    "foreign",
];

#[derive(Deserialize)]
struct Matrix {
    class: BTreeMap<String, BTreeMap<String, String>>,
    routes: BTreeMap<String, Route>,
}

#[derive(Deserialize)]
struct Route {
    class: String,
    /// The address that is asked, where another id than one of nothing is to stand in it.
    at: Option<String>,
    /// For who would really do it.
    admin_at: Option<String>,
    body: Option<String>,
    /// What is another's, and what a member is told of it.
    others: Option<Others>,
    #[serde(flatten)]
    otherwise: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Others {
    at: String,
    is: String,
}

struct House {
    site: Site,
    member: PersonId,
    admin: PersonId,
    blocked: PersonId,
    keys: BTreeMap<&'static str, String>,
    admins_key: String,
    admins_session: String,
    admins_prompt: String,
    admins_share: String,
    document: String,
}

impl House {
    async fn new() -> Self {
        let site = Site::with_config("", &[]);
        let gateway = Arc::clone(&site.app.gateway);
        let person = async |name: &str, role: Role| {
            let new = NewPerson {
                name: name.to_owned(),
                display_name: String::new(),
                email: None,
                role,
                password: None,
                groups: vec!["staff".to_owned()],
            };
            gateway.people.add(new).await.unwrap()
        };
        let admin = person("ada", Role::Admin).await;
        let member = person("mia", Role::Member).await;
        let blocked = person("bob", Role::Member).await;
        let change = PersonChange { blocked: Some(true), ..PersonChange::default() };
        gateway.people.change(blocked, change, "test").await.unwrap();
        let key = |name: &str, person: Option<PersonId>, is_bare: bool| {
            let groups = person.iter().map(|_| "staff".to_owned()).collect();
            let scopes = is_bare.then(Vec::new);
            let new = NewKey { name: name.to_owned(), person, scopes, groups, ..NewKey::default() };
            gateway.keys.create(&new).unwrap()
        };
        let keys = BTreeMap::from([
            ("key", key("all", Some(member), false).1.text),
            ("bare_key", key("bare", Some(member), true).1.text),
            ("house_key", key("house", None, false).1.text),
        ]);
        let admins_key = key("hers", Some(admin), false).0.id;
        gateway
            .people
            .begin_session(admin, "elsewhere".to_owned(), External::default())
            .await
            .unwrap();
        let sessions = gateway.people.sessions(admin, None).await.unwrap();
        let document = uuid::Uuid::now_v7().to_string();
        let admins_share = uuid::Uuid::now_v7().to_string();
        let admins_prompt = uuid::Uuid::now_v7().to_string();
        crate::database::of(&site.folder.0)
            .call_blocking(|database| {
                database.execute_batch(&format!(
                    "INSERT INTO collections (id, title, created_s) VALUES ('papers', 'Papers', 0);
                INSERT INTO collection_rights VALUES ('papers', 'staff', 1);
                INSERT INTO documents (id, collection, root, place, name, created_s)
                    VALUES ('{document}', 'papers', '', 'a.txt', 'a.txt', 0);
                INSERT INTO prompts (id, person, title, description, text, created_s, changed_s)
                    VALUES ('{admins_prompt}', '{admin}', 'Hers', '', 'text', 0, 0);
                INSERT INTO shares VALUES ('{admins_share}', '{admin}', 'hers', 'Hers',
                    '{{\"title\":\"Hers\",\"messages\":[]}}', 0, 2, 0, 0);
                INSERT INTO document_texts VALUES ('{document}', '{EMPTY_TEXT}');"
                ))
            })
            .unwrap();
        let admins_session = sessions[0].id.clone();
        Self {
            site,
            member,
            admin,
            blocked,
            keys,
            admins_key,
            admins_session,
            admins_prompt,
            admins_share,
            document,
        }
    }

    /// A session of its own for each request: some of them end it.
    async fn session(&self, person: PersonId) -> (String, String) {
        let people = &self.site.app.gateway.people;
        let agent = uuid::Uuid::now_v7().to_string();
        let secret =
            people.begin_session(person, agent.clone(), External::default()).await.unwrap();
        let sessions = people.sessions(person, None).await.unwrap();
        let id = sessions.into_iter().find(|session| session.agent == agent).unwrap().id;
        (secret, id)
    }

    /// The error's code, or `pass`.
    async fn ask(&self, role: &str, method: &str, path: &str, body: Option<&str>) -> String {
        let mut request =
            Request::builder().method(method).header("content-type", "application/json");
        let mut own_session = "0192f0c0-0000-7000-8000-000000000000".to_owned();
        let site = if role == "foreign" { "cross-site" } else { "same-origin" };
        if role != "nobody" && !role.ends_with("key") {
            request = request.header("sec-fetch-site", site);
        }
        let person = match role {
            "member" | "foreign" | "expired" => Some(self.member),
            "admin" => Some(self.admin),
            "blocked" => Some(self.blocked),
            _ => None,
        };
        if let Some(person) = person {
            let (secret, id) = self.session(person).await;
            if role == "expired" {
                let sql = "UPDATE sessions SET expires_s = 1 WHERE id = ?1";
                let database = crate::database::of(&self.site.folder.0);
                let expired = database.call_blocking(|database| database.execute(sql, [&id]));
                assert_eq!(expired.unwrap(), 1);
            }
            request = request.header("cookie", format!("portico_session={secret}"));
            own_session = id;
        }
        if let Some(key) = self.keys.get(role) {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let path = path
            .replace("{own_session}", &own_session)
            .replace("{admins_session}", &self.admins_session)
            .replace("{admins_key}", &self.admins_key)
            .replace("{admins_prompt}", &self.admins_prompt)
            .replace("{admins_share}", &self.admins_share)
            .replace("{document}", &self.document);
        let path = filled(&path);
        let is_safe = method == "GET";
        let body =
            if is_safe { Body::empty() } else { Body::from(body.unwrap_or("{}").to_owned()) };
        let response = self.site.send(request.uri(path).body(body).unwrap()).await;
        if response.status().as_u16() < 400 {
            return "pass".to_owned();
        }
        let error: Value = Answer::of(response).await.json();
        error["error"]["code"].as_str().unwrap_or("no code").to_owned()
    }
}

/// An id of nothing in each place that is left.
fn filled(path: &str) -> String {
    let mut path = path.to_owned();
    while let (Some(from), Some(to)) = (path.find('{'), path.find('}')) {
        path.replace_range(from..=to, "0192f0c0-0000-7000-8000-000000000000");
    }
    path
}

#[tokio::test]
async fn every_route_answers_every_caller_as_declared() {
    let matrix: Matrix = toml::from_str(MATRIX).unwrap();
    let house = House::new().await;
    let mut wrong = Vec::new();
    let mut n_cells = 0;
    for (name, route) in &matrix.routes {
        let (method, path) = name.split_once(' ').unwrap();
        let class = &matrix.class[&route.class];
        for role in ROLES {
            let expected = route.otherwise.get(role).unwrap_or(&class[role]);
            let at = match (role, &route.admin_at) {
                ("admin", Some(at)) => at,
                _ => route.at.as_deref().unwrap_or(path),
            };
            let found = house.ask(role, method, at, route.body.as_deref()).await;
            let is_right = match expected.as_str() {
                // Also a refusal that the table expects of nobody else: what is not there is not there.
                "pass" => !is_refusal(&found, route),
                code => found == code,
            };
            n_cells += 1;
            if !is_right {
                wrong.push(format!("{name} as {role}: {found} instead of {expected}"));
            }
        }
        if let Some(others) = &route.others {
            let found = house.ask("member", method, &others.at, route.body.as_deref()).await;
            n_cells += 1;
            if found != others.is {
                wrong.push(format!("{name} of another: {found} instead of {}", others.is));
            }
        }
        let unknown = route.otherwise.keys().find(|role| !ROLES.contains(&role.as_str()));
        assert_eq!(unknown, None, "{name} says something of a role that there is not");
    }
    assert!(wrong.is_empty(), "{} of {n_cells} cells:\n{}", wrong.len(), wrong.join("\n"));
    assert!(n_cells > 800, "{n_cells}");
}

/// What was not found is a refusal where the table says that somebody is told so.
fn is_refusal(code: &str, route: &Route) -> bool {
    let is_about_what = matches!(code, "collection_not_found" | "document_not_found");
    match is_about_what {
        true => route.at.is_some() && route.admin_at.is_none(),
        false => REFUSALS.contains(&code),
    }
}

/// axum tells a router's routes only in its `Debug` form: `RouteId(3): MethodRouter(MethodRouter { get:
/// None, …`, and `RouteId(3): "/path"`.
#[tokio::test]
async fn no_route_is_undeclared_and_none_declared_that_is_not_there() {
    let site = Site::with_config("", &[]);
    let router = format!("{:?}", app(Arc::clone(&site.app), site.config.clone()));
    let (routes, paths) = router.split_once("node: Node").unwrap();
    let paths = paths.split_once("fallback_router").map_or(paths, |(paths, _)| paths);
    let mut found = BTreeSet::new();
    for entry in paths.split("RouteId(").skip(1) {
        let (id, rest) = entry.split_once("): ").unwrap();
        let Some(path) = rest.strip_prefix('"').and_then(|rest| rest.split('"').next()) else {
            continue;
        };
        let methods = routes.split(&format!("RouteId({id}): ")).nth(1).unwrap();
        let methods = methods.split("RouteId(").next().unwrap();
        for method in ["get", "head", "delete", "options", "patch", "post", "put", "trace"] {
            let state = methods.split(&format!(" {method}: ")).nth(1);
            if state.is_some_and(|state| !state.starts_with("None")) {
                found.insert(format!("{} {path}", method.to_uppercase()));
            }
        }
    }
    let matrix: Matrix = toml::from_str(MATRIX).unwrap();
    let declared: BTreeSet<String> = matrix.routes.into_keys().collect();
    let undeclared: Vec<_> = found.difference(&declared).collect();
    let missing: Vec<_> = declared.difference(&found).collect();
    assert!(undeclared.is_empty() && missing.is_empty(), "{undeclared:?} {missing:?}");
}

/// What only the page and the engine in it ask for.
const NOT_DESCRIBED: [&str; 6] = [
    "GET /api/catalogue",
    "GET /embed.js",
    "GET /house.css",
    "GET /house/logo",
    "GET /weights/chunks/{sha256}",
    "GET /weights/{model}/manifest",
];

#[tokio::test]
async fn every_route_is_described_and_nothing_else() {
    let site = Site::with_config("", &[]);
    let document: Value = site.get("/openapi.json").await.json();
    let described: BTreeSet<String> = document["paths"]
        .as_object()
        .unwrap()
        .iter()
        .flat_map(|(path, methods)| {
            let methods = methods.as_object().unwrap().keys();
            methods.map(move |method| format!("{} {path}", method.to_uppercase()))
        })
        .collect();
    let matrix: Matrix = toml::from_str(MATRIX).unwrap();
    let declared = matrix.routes.into_keys().map(|route| route.replace("{*", "{"));
    let declared: BTreeSet<String> =
        declared.filter(|route| !NOT_DESCRIBED.contains(&route.as_str())).collect();
    let left_out: Vec<_> = declared.difference(&described).collect();
    let invented: Vec<_> = described.difference(&declared).collect();
    assert!(left_out.is_empty() && invented.is_empty(), "{left_out:?} {invented:?}");
}

#[tokio::test]
async fn a_key_does_no_more_than_its_person() {
    let house = House::new().await;
    let gateway = &house.site.app.gateway;
    let new = NewKey {
        name: "wide".to_owned(),
        person: Some(house.member),
        groups: vec!["board".to_owned(), "staff".to_owned()],
        is_admin: true,
        ..NewKey::default()
    };
    let key = format!("Bearer {}", gateway.keys.create(&new).unwrap().1.text);
    let listed = async || -> Value {
        house.site.get_with("/api/collections", &[("authorization", &key)]).await.json()
    };
    // Neither an administrator's, nor of a group that the person is not in.
    let sql = "INSERT INTO collections (id, title, created_s) VALUES ('board', 'Board', 0);
        INSERT INTO collection_rights VALUES ('board', 'board', 3);";
    let database = crate::database::of(&house.site.folder.0);
    database.call_blocking(|database| database.execute_batch(sql)).unwrap();
    let ids = |listed: Value| -> Vec<String> {
        let list = listed["collections"].as_array().unwrap();
        list.iter().map(|collection| collection["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(listed().await), ["papers"]);
    // What the person loses, the key loses.
    let change = PersonChange { groups: Some(Vec::new()), ..PersonChange::default() };
    gateway.people.change(house.member, change, "test").await.unwrap();
    assert!(ids(listed().await).is_empty());
    let change = PersonChange { blocked: Some(true), ..PersonChange::default() };
    gateway.people.change(house.member, change, "test").await.unwrap();
    let refused = house.site.get_with("/api/collections", &[("authorization", &key)]).await;
    assert_eq!(refused.error(), (403, "person_blocked".to_owned()));
    assert_eq!(json!(house.admin), json!(house.admin.to_string()));
}
