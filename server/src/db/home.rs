//! Where does a database lie: in a file of the data folder, or with a server?

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_rustls::ConfigBuilderExt as _;
use postgres::config::{Host, SslMode};
use rustls::ClientConfig;
use rustls::crypto::ring;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::sql::{self, Backend, Connection, Failure, Session};
use super::{DbError, FILE_NAME};
use crate::config::{ConfigError, DatabaseConfig};
use crate::upstream::{authorities, read_secret};

/// How long a server may take to answer a connection; then it is away.
const CONNECT: Duration = Duration::from_secs(5);
/// A silent connection is asked whether it is still there.
const KEEPALIVE: Duration = Duration::from_secs(30);
/// What is sent and not acknowledged for so long is lost.
const UNACKNOWLEDGED: Duration = Duration::from_secs(30);

#[derive(Clone, Debug)]
pub struct Home(Place);

#[derive(Clone, Debug)]
enum Place {
    File(Arc<PathBuf>),
    Server(Arc<Server>),
}

struct Server {
    config: postgres::Config,
    tls: MakeRustlsConnect,
    /// As people are told, without password.
    name: PathBuf,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Server").field(&self.name).finish()
    }
}

impl Home {
    /// # Errors
    /// When a secret or the certificates cannot be read.
    pub fn new(
        config: &DatabaseConfig,
        data_dir: &Path,
        config_path: &Path,
    ) -> Result<Self, ConfigError> {
        let Some(url) = &config.url else { return Ok(Self::in_folder(data_dir)) };
        let fault = |reason: String| ConfigError::Inconsistent {
            path: config_path.to_owned(),
            reason: format!("[database]: {reason}"),
        };
        let mut server: postgres::Config =
            url.parse().map_err(|_| fault("`url` names no PostgreSQL server".to_owned()))?;
        if let Some(password) = &config.password {
            server.password(read_secret(password, config_path)?);
        }
        server
            .connect_timeout(CONNECT)
            .keepalives_idle(KEEPALIVE)
            .tcp_user_timeout(UNACKNOWLEDGED)
            .application_name("portico");
        let authorities = config.ca_file.as_deref().map(|file| authorities(file, config_path));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|error| fault(error.to_string()))?;
        let is_encrypted = server.get_ssl_mode() != SslMode::Disable;
        let tls = match authorities.transpose()? {
            Some(authorities) => tls.with_root_certificates(authorities),
            // A machine without certificates can still speak to a server beside it.
            None if is_encrypted => {
                tls.try_with_platform_verifier().map_err(|error| fault(error.to_string()))?
            }
            None => tls.with_root_certificates(rustls::RootCertStore::empty()),
        };
        let tls = MakeRustlsConnect::new(tls.with_no_client_auth());
        let name = name(&server);
        Ok(Self(Place::Server(Arc::new(Server { config: server, tls, name }))))
    }

    /// A SQLite file there.
    pub fn in_folder(data_dir: &Path) -> Self {
        Self::from(data_dir.join(FILE_NAME))
    }

    /// The file, or the server's address.
    pub fn name(&self) -> &Path {
        match &self.0 {
            Place::File(path) => path,
            Place::Server(server) => &server.name,
        }
    }

    /// The SQLite file, where it is that.
    pub fn file(&self) -> Option<&Path> {
        match &self.0 {
            Place::File(path) => Some(path),
            Place::Server(_) => None,
        }
    }

    /// A connection to a PostgreSQL server; none where it is a file.
    pub(super) fn connect(&self) -> Option<Result<Connection, DbError>> {
        let Place::Server(server) = &self.0 else { return None };
        let client = server.config.connect(server.tls.clone());
        let session = client.map_err(|error| sql::Error::from(Failure::of_connecting(error)));
        let connection =
            session.and_then(Session::new).map(|session| Connection(Backend::Postgres(session)));
        Some(connection.map_err(|error| DbError::of_statement(&server.name, error)))
    }
}

impl From<PathBuf> for Home {
    fn from(path: PathBuf) -> Self {
        Self(Place::File(Arc::new(path)))
    }
}

/// `postgres://host:port/name`
fn name(config: &postgres::Config) -> PathBuf {
    let host = match config.get_hosts().first() {
        Some(Host::Tcp(host)) => host.clone(),
        #[cfg(unix)]
        Some(Host::Unix(path)) => path.display().to_string(),
        None => "localhost".to_owned(),
    };
    let port = config.get_ports().first().copied().unwrap_or(5432);
    let database = config.get_dbname().or(config.get_user()).unwrap_or_default();
    PathBuf::from(format!("postgres://{host}:{port}/{database}"))
}
