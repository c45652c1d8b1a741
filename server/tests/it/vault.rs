//! Secrets in the database: nobody reads them there, and what another key or another row's sealed is refused
//! for that part alone.

use std::fs;
use std::path::Path;

use axum::http::Method;
use portico_server::keys::now_s;
use portico_server::people::totp;
use serde_json::{Value, json};

use crate::common::*;
use crate::people::{Browser, PASSWORD, admin, invited};
use crate::program::{Server, portico};

const HEADER: &str = "Bearer a-secret-of-the-wiki";
/// An address that nobody answers at.
const DEAD: &str = "http://127.0.0.1:1/mcp";

/// Whether a data folder, but for the key itself, or its database has these bytes.
fn holds(data: &Path, bytes: &[u8]) -> bool {
    crate::database::lay_out(data);
    let mut waiting = vec![data.to_owned()];
    while let Some(path) = waiting.pop() {
        if path.is_dir() {
            waiting.extend(fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if fs::read(&path).unwrap().windows(bytes.len()).any(|window| window == bytes) {
            return true;
        }
    }
    false
}

/// Who has an app: its secret in base32, and a recovery code.
async fn with_app(site: &Site, admin: &mut Browser, name: &str) -> (String, String) {
    let mut person = invited(site, admin, name, json!({})).await;
    let begun = person.ask(site, "POST", "/api/me/totp", json!({ "password": PASSWORD })).await;
    let begun: Value = begun.json();
    let secret = begun["secret"].as_str().unwrap().to_owned();
    let code = totp::code_for_tests(&secret, now_s());
    let done = person.ask(site, "PUT", "/api/me/totp", json!({ "code": code })).await;
    let done: Value = done.json();
    (secret, done["recovery_codes"][0].as_str().unwrap().to_owned())
}

/// Signs in by a code; the error's code, or `ok`.
async fn sign_in(site: &Site, name: &str, code: &str) -> String {
    let body = json!({ "name": name, "password": PASSWORD, "code": code });
    let answer = Browser::default().ask(site, "POST", "/api/session", body).await;
    if answer.status == 200 { "ok".to_owned() } else { answer.error().1 }
}

/// A code that was not used yet.
fn next_code(secret: &str) -> String {
    totp::code_for_tests(secret, now_s() + 30)
}

fn bytes_of(secret: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = secret.bytes().map(|byte| alphabet.iter().position(|known| *known == byte));
    let digits: Vec<u64> = digits.map(|digit| digit.unwrap() as u64).collect();
    let groups = digits.chunks(8).flat_map(|group| {
        group.iter().fold(0, |bits, digit| bits << 5 | digit).to_be_bytes()[3..].to_vec()
    });
    groups.collect()
}

async fn server_of_tools(site: &Site, admin: &mut Browser, id: &str, method: &str) -> Answer {
    let settings = json!({ "url": DEAD, "allows_private": true, "connect_s": 0.5 });
    let headers = json!({ "Authorization": HEADER });
    match method {
        "POST" => {
            let new = json!({ "id": id, "settings": settings, "headers": headers });
            admin.ask(site, "POST", "/api/mcp", new).await
        }
        _ => {
            let change = json!({ "settings": settings, "headers": headers });
            admin.ask(site, "PUT", &format!("/api/mcp/{id}"), change).await
        }
    }
}

/// Names of secrets that servers of tools need anew.
async fn locked(site: &Site, admin: &mut Browser) -> Vec<Value> {
    let seen: Value = admin.get(site, "/api/mcp").await.json();
    let servers = seen["servers"].as_array().unwrap().iter();
    servers
        .map(|server| {
            assert_eq!(server["headers"], json!(["authorization"]));
            server["locked"].clone()
        })
        .collect()
}

/// The same house after a restart of its server.
fn again(site: Site) -> Site {
    let Site { folder, app, .. } = site;
    drop(app);
    Site::in_folder(folder, "")
}

fn change(data: &Path, sql: &str) {
    let db = crate::database::of(data);
    db.call_blocking(|connection| connection.execute_batch(sql)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_database_gives_no_secret_away_and_another_key_or_row_opens_none() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let (mia, recovery) = with_app(&site, &mut admin, "mia").await;
    with_app(&site, &mut admin, "leo").await;
    for id in ["wiki", "forms"] {
        assert_eq!(server_of_tools(&site, &mut admin, id, "POST").await.status, 201);
    }
    let data = site.folder.0.clone();
    assert!(holds(&data, b"leo"), "what is not sealed is found");
    for secret in [HEADER.as_bytes(), mia.as_bytes(), &bytes_of(&mia)] {
        assert!(!holds(&data, secret));
    }
    let key = data.join("secret.key");
    let first = fs::read_to_string(&key).unwrap();
    let key_bytes = (0..32).map(|i| u8::from_str_radix(&first[2 * i..2 * i + 2], 16).unwrap());
    assert!(!holds(&data, &key_bytes.collect::<Vec<_>>()));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    // Rows that changed places.
    let swap = "CREATE TEMPORARY TABLE app AS SELECT name, totp_secret FROM people;
        CREATE TEMPORARY TABLE tool AS SELECT id, headers FROM mcp_servers;
        UPDATE people SET totp_secret = (SELECT app.totp_secret FROM app
            WHERE app.totp_secret IS NOT NULL AND app.name <> people.name)
            WHERE totp_secret IS NOT NULL;
        UPDATE mcp_servers SET headers = (SELECT tool.headers FROM tool
            WHERE tool.id <> mcp_servers.id);
        DROP TABLE app; DROP TABLE tool";
    change(&data, swap);
    let site = again(site);
    assert_eq!(sign_in(&site, "mia", &next_code(&mia)).await, "code_unreadable");
    assert_eq!(
        locked(&site, &mut admin).await,
        [json!(["authorization"]), json!(["authorization"])]
    );
    change(&data, swap);
    let site = again(site);
    assert_eq!(locked(&site, &mut admin).await, [json!([]), json!([])]);

    // Another key: an app's codes and servers' secrets are away, and nothing else.
    let other = format!("{}\n", "5a".repeat(32));
    fs::write(&key, &other).unwrap();
    let site = again(site);
    assert_eq!(sign_in(&site, "mia", &next_code(&mia)).await, "code_unreadable");
    assert_eq!(sign_in(&site, "mia", &recovery).await, "ok");
    assert_eq!(
        locked(&site, &mut admin).await,
        [json!(["authorization"]), json!(["authorization"])]
    );
    let called = admin.ask(&site, "POST", "/api/mcp/wiki/check", json!({})).await;
    let said = called.json::<Value>()["error"].as_str().unwrap().to_owned();
    assert!(said.contains("enter them again"), "{said}");
    // What is entered again is good at once.
    let changed = server_of_tools(&site, &mut admin, "wiki", "PUT").await;
    assert_eq!(changed.json::<Value>()["locked"], json!([]));

    // None at all: nothing is made in its place, for it may be put back.
    fs::remove_file(&key).unwrap();
    assert_eq!(sign_in(&site, "mia", &next_code(&mia)).await, "code_unreadable");
    let refused = server_of_tools(&site, &mut admin, "wiki", "PUT").await;
    assert_eq!(refused.error(), (503, "secret_key_unusable".to_owned()));
    assert!(!key.exists());
    assert_eq!(site.ask(Method::GET, "/readyz", &[]).await.status, 200);

    // The first below the second: both open what they sealed.
    fs::write(&key, format!("{other}{first}")).unwrap();
    let site = again(site);
    assert_eq!(locked(&site, &mut admin).await, [json!([]), json!([])]);
    assert_eq!(sign_in(&site, "mia", &next_code(&mia)).await, "ok");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_earlier_program_kept_is_sealed_once_by_the_next_start() {
    let site = Site::with_config("", &[]);
    let mut admin = admin(&site).await;
    let (mia, _) = with_app(&site, &mut admin, "mia").await;
    assert_eq!(server_of_tools(&site, &mut admin, "wiki", "POST").await.status, 201);
    let data = site.folder.0.clone();
    let plain = || {
        let (secret, headers) = (bytes_of(&mia), json!({ "authorization": HEADER }).to_string());
        let db = crate::database::of(&data);
        db.call_blocking(move |connection| {
            let sql = "UPDATE people SET totp_secret = ?1 WHERE totp_secret IS NOT NULL";
            connection.execute(sql, [&secret])?;
            connection.execute("UPDATE mcp_servers SET headers = ?1", [&headers])
        })
        .unwrap();
    };
    plain();
    change(&data, "DELETE FROM secret_keys");
    fs::remove_file(data.join("secret.key")).unwrap();
    assert!(holds(&data, &bytes_of(&mia)) && holds(&data, HEADER.as_bytes()));
    let Site { folder, app, .. } = site;
    drop(app);
    let start = || {
        let server = Server::start(&data);
        // Before that it may not yet hear that it is to stop.
        assert_eq!(server.get("healthz", &[]).0, 200);
        assert_eq!(server.stop(), Some(0));
    };
    start();
    for secret in [HEADER.as_bytes(), &bytes_of(&mia)] {
        assert!(!holds(&data, secret));
    }
    let site = Site::in_folder(folder, "");
    assert_eq!(locked(&site, &mut admin).await, [json!([])]);
    assert_eq!(sign_in(&site, "mia", &next_code(&mia)).await, "ok");

    // Whoever can write into the database gives nobody a secret of their own choice.
    plain();
    let Site { folder, app, .. } = site;
    drop(app);
    start();
    let report = portico(&data).args(["doctor", "--json"]).output().unwrap().stdout;
    let report: Value = serde_json::from_slice(&report).unwrap();
    let checks = report["checks"].as_array().unwrap();
    let check = checks.iter().find(|check| check["name"] == "secret_key").unwrap();
    assert_eq!(check["verdict"], "fault", "{check}");
    let site = Site::in_folder(folder, "");
    assert_eq!(sign_in(&site, "mia", &next_code(&mia)).await, "code_unreadable");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_has_the_key_and_says_so_where_it_has_not() {
    let site = Site::with_config("", &[]);
    if crate::database::environment(&site.folder.0).is_some() {
        return;
    }
    let mut admin = admin(&site).await;
    let (mia, _) = with_app(&site, &mut admin, "mia").await;
    let (data, kept) = (site.folder.0.clone(), Folder::new());
    let run = |data: &Path, args: &[&str]| {
        let output = portico(data).args(args).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let file = |name: &str| kept.0.join(name).to_str().unwrap().to_owned();
    run(&data, &["backup", "--to", &file("with")]);
    let said = run(&data, &["backup", "--without-key", "--to", &file("without")]);
    assert!(said.contains("Not in it is the secret in") && said.contains("secret.key"), "{said}");
    let key = fs::read(data.join("secret.key")).unwrap();
    let restored = |name: &str| {
        let folder = Folder::new();
        let said = run(&folder.0, &["restore", &file(name)]);
        (folder, said)
    };
    let (without, said) = restored("without");
    assert!(said.contains("needs the secret in"), "{said}");
    assert!(!without.0.join("secret.key").exists());
    let without = Site::in_folder(without, "");
    assert_eq!(sign_in(&without, "mia", &next_code(&mia)).await, "code_unreadable");
    // It is put back while the server runs.
    fs::write(without.folder.0.join("secret.key"), &key).unwrap();
    assert_eq!(sign_in(&without, "mia", &next_code(&mia)).await, "ok");

    let (with, _) = restored("with");
    assert_eq!(fs::read(with.0.join("secret.key")).unwrap(), key);
    let with = Site::in_folder(with, "");
    assert_eq!(sign_in(&with, "mia", &next_code(&mia)).await, "ok");

    // One that the configuration names is whoever's who named it.
    let named = Folder::new();
    named.write("elsewhere.key", &key);
    named.write("portico.toml", "[server]\nsecret_key_file = \"elsewhere.key\"\n");
    run(&named.0, &["keys", "create", "--name", "tests"]);
    let said = run(&named.0, &["backup", "--to", &file("named")]);
    assert!(said.contains("elsewhere.key"), "{said}");
    assert!(!named.0.join("secret.key").exists());
}
