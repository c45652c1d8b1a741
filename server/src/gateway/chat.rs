//! `/v1/chat/completions`

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::http::header::CONTENT_LENGTH;
use axum::response::Response;
use portico_shared::error::{ApiError, Lang};

use super::answering::{Asked, Streamed, body_bytes, includes_usage, whole_response};
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
    let asked = gateway.with_assistant(asked).await?;
    if !asked.body.flag("stream")? {
        return gateway.in_time(gateway.answer_whole(asked, wording.lang)).await;
    }
    let include_usage = includes_usage(&asked.body)?;
    let streamed = gateway.answer_stream(asked, include_usage, wording.lang);
    let (asked, streamed) = gateway.in_time(streamed).await?;
    gateway.respond(asked, streamed, &headers, wording).await
}

impl Gateway {
    /// The whole answer, resting on documents where the request says so.
    async fn answer_whole(
        self: &Arc<Self>,
        mut asked: Asked,
        lang: Lang,
    ) -> Result<Response, Fault> {
        if let Some(citing) = self.ground(&mut asked, lang).await? {
            if citing.sources.is_empty() {
                return Ok(whole_response(&citing.model, "", citing.nothing_whole(lang)?));
            }
            let (mut parts, body) = self.chat_whole(&asked).await?.into_parts();
            let answer = citing.whole(&body_bytes(Response::new(body)).await?)?;
            parts.headers.remove(CONTENT_LENGTH);
            return Ok(Response::from_parts(parts, answer.into()));
        }
        match self.searching(asked, lang).await? {
            Ok(searching) => self.searched_whole(searching).await,
            Err(asked) => self.chat_whole(&asked).await,
        }
    }

    /// The answer as it comes, resting on documents where the request says so.
    async fn answer_stream(
        self: &Arc<Self>,
        mut asked: Asked,
        include_usage: bool,
        lang: Lang,
    ) -> Result<(Asked, Streamed), Fault> {
        if let Some(citing) = self.ground(&mut asked, lang).await? {
            let streamed = match citing.sources.is_empty() {
                true => Streamed {
                    model: citing.model.clone(),
                    upstream: String::new(),
                    pieces: citing.nothing_pieces(lang, include_usage),
                },
                false => {
                    let streamed = self.chat_stream(&asked, include_usage).await?;
                    Streamed { pieces: citing.pieces(streamed.pieces), ..streamed }
                }
            };
            return Ok((asked, streamed));
        }
        match self.searching(asked, lang).await? {
            Ok(searching) => {
                let asked = searching.asked.clone();
                let streamed = self.searched_stream(searching, include_usage).await?;
                Ok((asked, streamed))
            }
            Err(asked) => {
                let streamed = self.chat_stream(&asked, include_usage).await?;
                Ok((asked, streamed))
            }
        }
    }

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

    pub async fn chat_whole(self: &Arc<Self>, asked: &Asked) -> Result<Response, Fault> {
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
