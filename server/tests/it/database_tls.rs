//! A PostgreSQL server behind TLS: a real one with the certificate of an authority made for the test.
//!
//! Only where the tests run on a PostgreSQL server, whose programs and account this one takes.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use portico_server::config::DatabaseConfig;
use portico_server::db::{Db, Home};
use portico_shared::error::{ApiError, ErrorCode};
use postgres::{Client, NoTls};

use crate::common::*;
use crate::program::{Server, portico};

struct Cluster {
    /// A socket's path has to be short: this is a folder of the temporary one's.
    folder: PathBuf,
    server: Child,
    port: u16,
}

impl Cluster {
    /// With a certificate for `localhost` in `server.pem`, whose authority is `ca.pem`; `other.pem` is one
    /// that has nothing to do with it.
    fn start(beside: &str) -> Self {
        let mut client = Client::connect(beside, NoTls).unwrap();
        let mut asked = |sql: &str| client.query_one(sql, &[]).unwrap().get::<_, String>(0);
        let programs = PathBuf::from(asked("SELECT setting FROM pg_config WHERE name = 'BINDIR'"));
        let owner = fs::metadata(asked("SHOW data_directory")).unwrap();
        let folder = tempfile::Builder::new().prefix("pg-").tempdir().unwrap().keep();
        let authority = || {
            let mut params = rcgen::CertificateParams::new(Vec::new()).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let key = rcgen::KeyPair::generate().unwrap();
            let pem = params.self_signed(&key).unwrap().pem();
            (rcgen::Issuer::new(params, key), pem)
        };
        let ((issuer, pem), (_, other)) = (authority(), authority());
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &issuer).unwrap();
        for (name, text) in [
            ("ca.pem", pem),
            ("other.pem", other),
            ("server.pem", certificate.pem()),
            ("server.key", key.serialize_pem()),
        ] {
            fs::write(folder.join(name), text).unwrap();
        }
        fs::set_permissions(folder.join("server.key"), fs::Permissions::from_mode(0o600)).unwrap();
        for path in [folder.clone(), folder.join("server.key")] {
            chown(path, Some(owner.uid()), Some(owner.gid())).unwrap();
        }
        let program = |name: &str| {
            let mut program = Command::new(programs.join(name));
            program.current_dir(&folder).env("LC_ALL", "C.UTF-8").stdout(Stdio::null());
            program.stderr(Stdio::null()).uid(owner.uid()).gid(owner.gid());
            program
        };
        let data = folder.join("data");
        let mut init = program("initdb");
        init.args(["--auth=trust", "--encoding=UTF8", "--no-sync", "-U", "postgres", "-D"]);
        assert!(init.arg(&data).status().unwrap().success());
        let port = crate::doctor::free_port();
        let mut server = program("postgres");
        server.arg("-D").arg(&data).arg("-k").arg(&folder).args(["-p", &port.to_string()]);
        let certificate = format!("ssl_cert_file={}", folder.join("server.pem").display());
        let key = format!("ssl_key_file={}", folder.join("server.key").display());
        for setting in ["listen_addresses=127.0.0.1", "fsync=off", &certificate, &key] {
            server.args(["-c", setting]);
        }
        let cluster = Self { server: server.spawn().unwrap(), folder, port };
        cluster.set_tls(true);
        cluster
    }

    /// By its socket, where there is no TLS to be had.
    fn set_tls(&self, is_on: bool) {
        let socket = self.folder.to_string_lossy().replace('/', "%2F");
        let url = format!("postgres://postgres@{socket}:{}/postgres", self.port);
        let start = Instant::now();
        let mut client = loop {
            match Client::connect(&url, NoTls) {
                Ok(client) => break client,
                Err(error) => assert!(start.elapsed() < Duration::from_secs(20), "{error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        client.batch_execute(&format!("ALTER SYSTEM SET ssl = {is_on}")).unwrap();
        client.batch_execute("SELECT pg_reload_conf()").unwrap();
        // The postmaster takes it to heart in its own time: new connections say whether it has.
        loop {
            let mut client = Client::connect(&url, NoTls).unwrap();
            let ssl: String = client.query_one("SHOW ssl", &[]).unwrap().get(0);
            if ssl == if is_on { "on" } else { "off" } {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(20));
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn url(&self, host: &str, more: &str) -> String {
        format!("postgres://postgres@{host}:{}/postgres{more}", self.port)
    }

    /// Whether the connection is encrypted, or why there is none.
    fn reached(&self, host: &str, more: &str, authority: &str) -> Result<bool, ApiError> {
        let config = DatabaseConfig {
            url: Some(self.url(host, more)),
            ca_file: Some(authority.into()),
            ..DatabaseConfig::default()
        };
        let home = Home::new(&config, &self.folder, &self.folder.join("portico.toml")).unwrap();
        let asked = Db::new(home).call_blocking(|connection| {
            let sql = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()";
            connection.query_row(sql, [], |row| row.get(0))
        });
        asked.map_err(ApiError::from)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // Interrupted, it ends at once and takes its own processes with it.
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn served(data: &Path, url: &str) -> Server {
    let mut serve = portico(data);
    serve.env("PORTICO_DATABASE_URL", url).args(["serve", "--addr", "127.0.0.1:0"]);
    Server::spawn(serve)
}

#[test]
fn a_server_is_believed_only_by_its_own_authority_and_name() {
    let Ok(beside) = std::env::var("PORTICO_TEST_DATABASE") else { return };
    let cluster = Cluster::start(&beside);
    let refused = |host: &str, more: &str, authority: &str| {
        let error = cluster.reached(host, more, authority).unwrap_err();
        assert_eq!(error.code, ErrorCode::DatabaseUnreachable, "{error:?}");
        error.detail.unwrap_or_default()
    };
    for more in ["", "?sslmode=require"] {
        assert!(cluster.reached("localhost", more, "ca.pem").unwrap(), "it is encrypted");
        let said = refused("localhost", more, "other.pem");
        assert!(said.contains("certificate"), "{said}");
        // Its certificate does not name the address.
        let said = refused("127.0.0.1", more, "ca.pem");
        assert!(said.contains("certificate"), "{said}");
    }
    // The program, with what the handbook says.
    let data = Folder::new();
    fs::copy(cluster.folder.join("ca.pem"), data.0.join("house-ca.pem")).unwrap();
    data.write("portico.toml", "[database]\nca_file = \"house-ca.pem\"\n");
    let server = served(&data.0, &cluster.url("localhost", "?sslmode=require"));
    assert_eq!(server.get("readyz", &[]).0, 200);
    assert_eq!(server.stop(), Some(0));

    cluster.set_tls(false);
    let said = refused("localhost", "?sslmode=require", "ca.pem");
    assert!(said.to_lowercase().contains("tls"), "{said}");
    assert!(!cluster.reached("localhost", "?sslmode=disable", "ca.pem").unwrap());
}
