//! `/v1/chat/completions`

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use portico_shared::error::ApiError;

use super::answering::{Asked, Streamed, includes_usage};
use super::body::Body;
use super::events::Wording;
use super::fault::Fault;
use super::here::{Kind, json};
use super::served::Served;
use super::{Caller, Gateway};
use crate::guard::lang;

const PATH: &str = "/v1/chat/completions";

pub async fn chat(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let wording = Wording { lang: lang(&headers), path: PATH };
    let asked =
        Asked { caller, body, route: "chat", path: "/chat/completions", start: Instant::now() };
    if !asked.body.flag("stream")? {
        return gateway.in_time(gateway.chat_whole(&asked)).await;
    }
    let include_usage = includes_usage(&asked.body)?;
    let streamed = gateway.in_time(gateway.chat_stream(&asked, include_usage)).await?;
    gateway.respond(asked, streamed, &headers, wording).await
}

impl Gateway {
    /// The answer as it comes, from the first who gives one.
    pub async fn chat_stream(
        self: &Arc<Self>,
        asked: &Asked,
        include_usage: bool,
    ) -> Result<Streamed, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        let here = |id| self.chat_stream_here(asked, &served, id, include_usage);
        self.streamed(asked, &served, include_usage, here).await
    }

    async fn chat_stream_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
        include_usage: bool,
    ) -> Result<Streamed, ApiError> {
        let request = asked.body.read()?;
        let model = self.hosted(id).await?;
        let mut meter = self.meter(asked, &served.model, "");
        let answers = self.chat_here(&model, request).await;
        let answers = answers.inspect_err(|error| meter.end(error.code.as_str()))?;
        Ok(Streamed {
            pieces: answers.pieces(Kind::Chat, include_usage, meter),
            model: model.id.clone(),
            upstream: String::new(),
        })
    }

    async fn chat_whole(self: &Arc<Self>, asked: &Asked) -> Result<Response, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        self.whole(asked, &served, |id| self.chat_whole_here(asked, &served, id)).await
    }

    async fn chat_whole_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
    ) -> Result<Bytes, ApiError> {
        let request = asked.body.read()?;
        let model = self.hosted(id).await?;
        let mut meter = self.meter(asked, &served.model, "");
        let answers = self.chat_here(&model, request).await;
        let answers = answers.inspect_err(|error| meter.end(error.code.as_str()))?;
        json(&answers.chat_whole(meter).await?)
    }
}
