//! How does a request reach S3-compatible storage? By the HTTP client that speaks to upstreams.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector as Tcp;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use object_store::ClientOptions;
use object_store::client::{
    HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpRequestBody,
    HttpResponse, HttpResponseBody, HttpService,
};
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};
use tokio::time::{Instant, Sleep};

const CONNECT: Duration = Duration::from_secs(5);
/// Idle connections are closed before a server on the other side usually does.
const POOL_IDLE: Duration = Duration::from_secs(10);

/// Connections to one storage.
#[derive(Clone, Debug)]
pub struct Wire {
    client: Client<HttpsConnector<Tcp>, HttpRequestBody>,
    patience: Duration,
}

#[derive(Debug, thiserror::Error)]
#[error("no answer in {} s", .0.as_secs_f64())]
struct Slow(Duration);

impl Wire {
    /// `authorities` vouch for the other side, else those of the machine.
    ///
    /// # Errors
    /// When the machine's certificates cannot be read.
    pub fn new(
        is_plain: bool,
        authorities: Option<RootCertStore>,
        patience: Duration,
    ) -> Result<Self, rustls::Error> {
        let mut tcp = Tcp::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(CONNECT.min(patience)));
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()?;
        // A machine without certificates can still speak plain HTTP.
        let tls = match (is_plain, authorities) {
            (false, Some(authorities)) => tls.with_root_certificates(authorities),
            (false, None) => tls.try_with_platform_verifier()?,
            (true, _) => tls.with_root_certificates(RootCertStore::empty()),
        };
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls.with_no_client_auth())
            .https_or_http()
            .enable_http1()
            .wrap_connector(tcp);
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(POOL_IDLE)
            .build(connector);
        Ok(Self { client, patience })
    }
}

impl HttpConnector for Wire {
    fn connect(&self, _options: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

#[async_trait::async_trait]
impl HttpService for Wire {
    async fn call(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let patience = self.patience;
        let answered = tokio::time::timeout(patience, self.client.request(request)).await;
        let response = answered.map_err(|_| slow(patience))?.map_err(|error| {
            let kind = match error.is_connect() {
                true => HttpErrorKind::Connect,
                false => HttpErrorKind::Interrupted,
            };
            HttpError::new(kind, error)
        })?;
        let until = Box::pin(tokio::time::sleep(patience));
        Ok(response.map(|body| HttpResponseBody::new(Patient { body, patience, until })))
    }
}

/// A body whose next piece must come in time.
struct Patient {
    body: Incoming,
    patience: Duration,
    until: Pin<Box<Sleep>>,
}

impl Body for Patient {
    type Data = Bytes;
    type Error = HttpError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, HttpError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(context) {
            let until = Instant::now() + self.patience;
            self.until.as_mut().reset(until);
            let broken = |error| HttpError::new(HttpErrorKind::Interrupted, error);
            return Poll::Ready(frame.map(|frame| frame.map_err(broken)));
        }
        self.until.as_mut().poll(context).map(|()| Some(Err(slow(self.patience))))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn slow(patience: Duration) -> HttpError {
    HttpError::new(HttpErrorKind::Timeout, Slow(patience))
}
