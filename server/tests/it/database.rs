//! A PostgreSQL database for each data folder, and a look into whichever a folder has.
//!
//! `PORTICO_TEST_DATABASE=postgres://…` names a server where databases can be made, as `cargo xtask test
//! --scale` starts one; without it folders have their SQLite file.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use portico_server::config::DatabaseConfig;
use portico_server::db::{Db, Home};
use postgres::{Client, NoTls};

const SERVER: &str = "PORTICO_TEST_DATABASE";

/// What a folder's database is called.
static MADE: Mutex<BTreeMap<PathBuf, String>> = Mutex::new(BTreeMap::new());

/// Of a data folder; made when first asked for.
pub fn config(data: &Path) -> DatabaseConfig {
    let url = std::env::var(SERVER).ok().map(|server| {
        let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
        let name = made.entry(data.to_owned()).or_insert_with(|| {
            let name = format!("test_{}", uuid::Uuid::now_v7().simple());
            ask(&server, &format!("CREATE DATABASE {name} TEMPLATE template0"));
            name
        });
        url(&server, name)
    });
    DatabaseConfig { url, ..DatabaseConfig::default() }
}

/// For a program on this data folder.
pub fn environment(data: &Path) -> Option<(&'static str, String)> {
    config(data).url.map(|url| ("PORTICO_DATABASE_URL", url))
}

/// The database of a data folder, beside the server that uses it.
pub fn of(data: &Path) -> Db {
    Db::new(Home::new(&config(data), data, &data.join("portico.toml")).unwrap())
}

/// Lays what a server has of a folder into a file there, as bytes: who looks for something in the folder's
/// files finds it.
pub fn lay_out(data: &Path) {
    let Some(url) = config(data).url else { return };
    let copied = std::thread::scope(|scope| {
        let copy = || -> Result<Vec<u8>, postgres::Error> {
            let mut client = Client::connect(&url, NoTls)?;
            let sql = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
            let mut bytes = Vec::new();
            for row in client.query(sql, &[])? {
                let sql = format!("COPY {} TO STDOUT BINARY", row.get::<_, &str>(0));
                client.copy_out(&sql)?.read_to_end(&mut bytes).unwrap();
            }
            Ok(bytes)
        };
        scope.spawn(copy).join().unwrap()
    });
    std::fs::write(data.join("tables"), copied.unwrap()).unwrap();
}

/// What a folder had goes with it.
pub fn forget(folder: &Path) {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let gone = made.extract_if(.., |data, _| data.starts_with(folder)).map(|(_, name)| name);
    for name in gone.collect::<Vec<_>>() {
        // A program may still be in it.
        ask(&std::env::var(SERVER).unwrap(), &format!("DROP DATABASE {name} WITH (FORCE)"));
    }
}

/// The server's address with another database.
fn url(server: &str, name: &str) -> String {
    let (address, query) = server.split_once('?').unwrap_or((server, ""));
    let (address, _) = address.rsplit_once('/').unwrap();
    format!("{address}/{name}?{query}")
}

fn ask(server: &str, sql: &str) {
    // The client waits, which a test's own thread may not.
    let asked = std::thread::scope(|scope| {
        let ask = || Client::connect(server, NoTls)?.batch_execute(sql);
        scope.spawn(ask).join().unwrap()
    });
    asked.unwrap();
}

#[tokio::test]
async fn a_lost_connection_is_made_anew_and_a_server_that_is_away_is_told() {
    let Ok(server) = std::env::var(SERVER) else { return };
    let site = crate::common::Site::with_config("", &[]);
    assert_eq!(site.get("/readyz").await.status, 200);
    let name = config(&site.folder.0).url.unwrap();
    let name = name.rsplit('/').next().unwrap().split('?').next().unwrap().to_owned();
    let cut = format!(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'"
    );
    ask(&server, &cut);
    assert_eq!(site.get("/readyz").await.status, 200, "it is asked by another connection");
    ask(&server, &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false"));
    ask(&server, &cut);
    assert_eq!(site.get("/readyz").await.error(), (503, "database_unreachable".to_owned()));
    ask(&server, &format!("ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true"));
    assert_eq!(site.get("/readyz").await.status, 200);
}
