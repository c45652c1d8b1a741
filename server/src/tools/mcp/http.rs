//! How is a server of tools reached over HTTP? By the protocol's streamable transport, over the client that
//! upstreams are asked with. Each message is one request; the server is not listened to in between, so that
//! its list of tools is asked for anew from time to time.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use futures_util::StreamExt as _;
use futures_util::stream::BoxStream;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, ServerJsonRpcMessage};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{
    SseError, StreamableHttpClient, StreamableHttpClientTransportConfig, StreamableHttpError,
    StreamableHttpPostResponse,
};
use sse_stream::{Sse, SseStream};

use crate::upstream::HttpsClient;

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const EVENTS: &str = "text/event-stream";
const JSON: &str = "application/json";

type Failed = StreamableHttpError<hyper_util::client::legacy::Error>;

/// Secrets of one server.
pub type Headers = Vec<(HeaderName, HeaderValue)>;

/// Requests to one server.
#[derive(Clone)]
pub struct Http {
    client: HttpsClient,
    /// Shown with each request.
    headers: Headers,
    /// Of one answer as it comes.
    max_bytes: usize,
}

pub fn transport(
    url: &Uri,
    client: HttpsClient,
    headers: Headers,
    max_bytes: usize,
) -> StreamableHttpClientTransport<Http> {
    let http = Http { client, headers, max_bytes };
    let config = StreamableHttpClientTransportConfig::with_uri(url.to_string());
    StreamableHttpClientTransport::with_client(http, config)
}

impl Http {
    async fn send(
        &self,
        method: Method,
        uri: &str,
        session: Option<&str>,
        more: HashMap<HeaderName, HeaderValue>,
        body: Vec<u8>,
    ) -> Result<Response<Incoming>, Failed> {
        let mut request = Request::builder().method(method).uri(uri);
        request = request.header(header::ACCEPT, format!("{EVENTS}, {JSON}"));
        if !body.is_empty() {
            request = request.header(header::CONTENT_TYPE, JSON);
        }
        for (name, value) in more {
            request = request.header(name, value);
        }
        if let Some(session) = session {
            request = request.header(SESSION, session);
        }
        for (name, value) in &self.headers {
            request = request.header(name, value.clone());
        }
        let request = request.body(Full::new(Bytes::from(body)));
        let request = request.map_err(|error| unexpected(error.to_string()))?;
        self.client.request(request).await.map_err(StreamableHttpError::Client)
    }

    async fn whole(&self, body: Incoming) -> Result<Bytes, Failed> {
        let collected = Limited::new(body, self.max_bytes).collect().await;
        Ok(collected.map_err(|error| unexpected(error.to_string()))?.to_bytes())
    }
}

fn unexpected(what: String) -> Failed {
    StreamableHttpError::UnexpectedServerResponse(Cow::Owned(what))
}

impl StreamableHttpClient for Http {
    type Error = hyper_util::client::legacy::Error;

    async fn post_message(
        &self,
        uri: Arc<str>,
        message: ClientJsonRpcMessage,
        session: Option<Arc<str>>,
        _: Option<String>,
        more: HashMap<HeaderName, HeaderValue>,
    ) -> Result<StreamableHttpPostResponse, Failed> {
        let body = serde_json::to_vec(&message)?;
        let answer = self.send(Method::POST, &uri, session.as_deref(), more, body).await?;
        let status = answer.status();
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        if status == StatusCode::NOT_FOUND && session.is_some() {
            return Err(StreamableHttpError::SessionExpired);
        }
        let text = |name: HeaderName| {
            answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
        };
        let (kind, session) = (text(header::CONTENT_TYPE).unwrap_or_default(), text(SESSION));
        if status.is_success() && kind.starts_with(EVENTS) {
            let body = Limited::new(answer.into_body(), self.max_bytes);
            let body = body.map_err(std::io::Error::other);
            return Ok(StreamableHttpPostResponse::Sse(SseStream::new(body).boxed(), session));
        }
        let body = self.whole(answer.into_body()).await?;
        if status.is_success() && body.is_empty() {
            return Ok(StreamableHttpPostResponse::Accepted);
        }
        match serde_json::from_slice::<ServerJsonRpcMessage>(&body) {
            Ok(said) if status.is_success() || matches!(said, JsonRpcMessage::Error(_)) => {
                Ok(StreamableHttpPostResponse::Json(said, session))
            }
            Err(error) if status.is_success() => Err(error.into()),
            _ => Err(unexpected(format!("HTTP {status}"))),
        }
    }

    async fn delete_session(
        &self,
        uri: Arc<str>,
        session: Arc<str>,
        _: Option<String>,
        more: HashMap<HeaderName, HeaderValue>,
    ) -> Result<(), Failed> {
        self.send(Method::DELETE, &uri, Some(&session), more, Vec::new()).await.map(|_| ())
    }

    async fn get_stream(
        &self,
        _: Arc<str>,
        _: Option<Arc<str>>,
        _: Option<String>,
        _: Option<String>,
        _: HashMap<HeaderName, HeaderValue>,
    ) -> Result<BoxStream<'static, Result<Sse, SseError>>, Failed> {
        Err(StreamableHttpError::ServerDoesNotSupportSse)
    }
}
