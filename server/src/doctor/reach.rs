//! Does another machine answer, what time is it there, and until when is its certificate valid?

use std::io;
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::{StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Limited};
use hyper_rustls::ConfigBuilderExt as _;
use rustls::crypto::ring;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, RootCertStore};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use crate::upstream::{Bearer, Wire};

const CONNECT: Duration = Duration::from_secs(5);
/// Of an answer: more is not read.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// Another machine.
#[derive(Debug)]
pub struct Reach {
    wire: Wire,
    base: Uri,
    authorities: Option<RootCertStore>,
}

/// What it answered.
#[derive(Debug)]
pub struct Heard {
    pub status: StatusCode,
    /// Seconds since 1970, by its clock, when it answered; and by ours then.
    pub clocks: Option<(u64, u64)>,
    pub body: Vec<u8>,
}

impl Reach {
    /// # Errors
    /// What is wrong with the address, or with the machine's certificates.
    pub fn new(
        base: Uri,
        bearer: Option<Bearer>,
        authorities: Option<RootCertStore>,
    ) -> Result<Self, String> {
        let wire = Wire::new(base.clone(), bearer, authorities.clone(), CONNECT);
        Ok(Self { wire: wire.map_err(|error| error.to_string())?, base, authorities })
    }

    /// Without a key or authorities of the house's own.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn plain(base: &str) -> Result<Self, String> {
        Self::new(base.parse().map_err(|error| format!("{base}: {error}"))?, None, None)
    }

    /// # Errors
    /// Why no answer came.
    pub async fn get(&self, path: &str, patience: Duration) -> Result<Heard, String> {
        let answer =
            self.wire.send(path, None, patience).await.map_err(|error| error.to_string())?;
        let date = answer.headers().get(header::DATE).and_then(|date| date.to_str().ok());
        let there = date.and_then(|date| httpdate::parse_http_date(date).ok()).map(seconds);
        let clocks = there.map(|there| (there, seconds(SystemTime::now())));
        let status = answer.status();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect();
        let body = tokio::time::timeout(patience, body).await;
        let body = body.map_err(|_| "the answer does not end".to_owned())?;
        let body = body.map_err(|error| error.to_string())?.to_bytes().to_vec();
        Ok(Heard { status, clocks, body })
    }

    /// Seconds since 1970 at which its certificate ends; none where it has none.
    ///
    /// # Errors
    /// Why its certificate is not believed.
    pub async fn certificate_end_s(&self) -> Result<Option<u64>, String> {
        if self.base.scheme_str() != Some("https") {
            return Ok(None);
        }
        let host = self.base.host().unwrap_or_default().to_owned();
        let port = self.base.port_u16().unwrap_or(443);
        let authorities = self.authorities.clone();
        let asked = tokio::task::spawn_blocking(move || shake_hands(&host, port, authorities));
        let end = asked.await.map_err(|error| error.to_string())?;
        end.map(Some).map_err(|error| error.to_string())
    }
}

fn shake_hands(host: &str, port: u16, authorities: Option<RootCertStore>) -> io::Result<u64> {
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?;
    let config = match authorities {
        Some(authorities) => config.with_root_certificates(authorities),
        None => config.try_with_platform_verifier().map_err(io::Error::other)?,
    };
    let name = host.trim_start_matches('[').trim_end_matches(']');
    let server = ServerName::try_from(name.to_owned()).map_err(io::Error::other)?;
    let config = Arc::new(config.with_no_client_auth());
    let mut connection = ClientConnection::new(config, server).map_err(io::Error::other)?;
    let address = (name, port).to_socket_addrs()?.next();
    let address = address.ok_or_else(|| io::Error::other("the name has no address"))?;
    let mut stream = TcpStream::connect_timeout(&address, CONNECT)?;
    stream.set_read_timeout(Some(CONNECT))?;
    stream.set_write_timeout(Some(CONNECT))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut stream)?;
    }
    let certificate = connection.peer_certificates().and_then(<[_]>::first);
    let certificate = certificate.ok_or_else(|| io::Error::other("it shows no certificate"))?;
    let (_, parsed) = X509Certificate::from_der(certificate).map_err(io::Error::other)?;
    Ok(parsed.validity().not_after.timestamp().max(0) as u64)
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
