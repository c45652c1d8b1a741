//! How is one request sent to one upstream?

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderValue, Method, Request, Response, Uri, header};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use super::resolver::{Reachable, Resolver};
use super::secret::Bearer;

/// Idle connections are closed before a server on the other side usually does.
const POOL_IDLE: Duration = Duration::from_secs(20);

/// Asks others over HTTP, with the TLS of this program.
pub type HttpsClient = Client<HttpsConnector<HttpConnector<Resolver>>, Full<Bytes>>;

/// Connections to one upstream.
#[derive(Clone, Debug)]
pub struct Wire {
    client: HttpsClient,
    base: Uri,
    bearer: Option<Bearer>,
}

/// Why no answer's head came.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    #[error("its address cannot be made: {0}")]
    Address(axum::http::Error),
    #[error("{}", with_causes(.0))]
    Connection(hyper_util::client::legacy::Error),
    #[error("no answer in {} s", .0.as_secs_f64())]
    Slow(Duration),
}

impl Wire {
    /// `authorities` vouch for the other side, else those of the machine.
    ///
    /// # Errors
    /// When the machine's certificates cannot be read.
    pub fn new(
        base: Uri,
        bearer: Option<Bearer>,
        authorities: Option<RootCertStore>,
        connect: Duration,
    ) -> Result<Self, rustls::Error> {
        Ok(Self {
            client: https_client(&base, authorities, connect, Reachable::All)?,
            base,
            bearer,
        })
    }

    /// Sends `body`, if there is one, and waits for the answer's head. Dropping what this gives closes
    /// the connection, which tells the other side that nobody listens.
    pub async fn send(
        &self,
        path: &str,
        body: Option<Bytes>,
        patience: Duration,
    ) -> Result<Response<Incoming>, WireError> {
        let base_path = self.base.path().trim_end_matches('/');
        let mut uri = Uri::builder().path_and_query(format!("{base_path}{path}"));
        if let Some(scheme) = self.base.scheme() {
            uri = uri.scheme(scheme.clone());
        }
        if let Some(authority) = self.base.authority() {
            uri = uri.authority(authority.clone());
        }
        let uri = uri.build().map_err(WireError::Address)?;
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = Request::builder().method(method).uri(uri);
        if body.is_some() {
            let json = HeaderValue::from_static("application/json");
            request = request.header(header::CONTENT_TYPE, json);
        }
        if let Some(bearer) = &self.bearer {
            request = request.header(header::AUTHORIZATION, bearer.header());
        }
        let request =
            request.body(Full::new(body.unwrap_or_default())).map_err(WireError::Address)?;
        match tokio::time::timeout(patience, self.client.request(request)).await {
            Ok(answered) => answered.map_err(WireError::Connection),
            Err(_) => Err(WireError::Slow(patience)),
        }
    }
}

/// For whoever answers at `base`. `authorities` vouch for it, else those of the machine. An address that is
/// written as a number is not resolved: [`super::may_reach`] is asked about it before.
///
/// # Errors
/// When the machine's certificates cannot be read.
pub fn https_client(
    base: &Uri,
    authorities: Option<RootCertStore>,
    connect: Duration,
    reachable: Reachable,
) -> Result<HttpsClient, rustls::Error> {
    let mut tcp = HttpConnector::new_with_resolver(Resolver::new(reachable));
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(connect));
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?;
    // A machine without certificates can still speak plain HTTP.
    let tls = match (base.scheme_str(), authorities) {
        (Some("https"), Some(authorities)) => tls.with_root_certificates(authorities),
        (Some("https"), None) => tls.try_with_platform_verifier()?,
        _ => tls.with_root_certificates(RootCertStore::empty()),
    };
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(tls.with_no_client_auth())
        .https_or_http()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(POOL_IDLE)
        .build(connector))
}

/// `client error (Connect): tcp connect error: Connection refused`
pub(super) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
