//! `/v1/responses`: a chat in OpenAI's newer dialect. Nothing is kept between requests: the whole
//! conversation comes as `input`.

mod fold;
mod request;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use portico_shared::error::ApiError;
use portico_shared::openai::ResponsesRequest;

use super::answering::{Asked, Streamed, whole_response};
use super::body::Body;
use super::events::{Framing, Pieces, Source, Wording, first, pieces, respond, until};
use super::fault::Fault;
use super::here::json;
use super::served::place_headers;
use super::{Caller, Gateway};
use crate::guard::lang;
use crate::http_error::ErrorBody;
use fold::{Chunk, Fold};

const PATH: &str = "/v1/responses";

pub async fn responses(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Fault> {
    let request: ResponsesRequest = body.read()?;
    let wording = Wording { lang: lang(&headers), path: PATH };
    let body = Body::from_fields(request::chat_from_responses(&request)?);
    let asked = Asked {
        caller,
        body,
        route: "responses",
        path: "/chat/completions",
        start: Instant::now(),
    };
    let asked = gateway.with_assistant(asked).await?;
    let streamed = gateway.in_time(gateway.chat_stream(&asked, true)).await?;
    let Streamed { pieces: chat, model, upstream } = streamed;
    let chat = until(chat, (asked.start + gateway.config.limits.answer).into());
    let fold = Fold::new(&request, &model);
    if request.stream {
        let source = FoldSource { chat: first(chat).await?, fold, wording, has_begun: false };
        let open = gateway.metrics.open_stream();
        let answered = respond(pieces(source), Framing::Typed, wording, open);
        return Ok((place_headers(&model, &upstream), answered).into_response());
    }
    let whole = whole(chat, fold).await?;
    Ok(whole_response(&model, &upstream, whole))
}

async fn whole(mut chat: Pieces, mut fold: Fold) -> Result<Bytes, ApiError> {
    while let Some(piece) = chat.next().await {
        fold.chunk(&Chunk::read(&piece?)?);
    }
    fold.end();
    json(&fold.response())
}

struct FoldSource {
    chat: Pieces,
    fold: Fold,
    wording: Wording,
    has_begun: bool,
}

impl Source for FoldSource {
    async fn fill(&mut self, ready: &mut VecDeque<Result<Bytes, ApiError>>) -> bool {
        let mut events = Vec::new();
        if !self.has_begun {
            self.has_begun = true;
            events.extend(self.fold.begin());
        }
        let chunk = match self.chat.next().await {
            Some(Ok(piece)) => Chunk::read(&piece).map(Some),
            Some(Err(error)) => Err(error),
            None => Ok(None),
        };
        let goes_on = matches!(chunk, Ok(Some(_)));
        match chunk {
            Ok(Some(chunk)) => events.extend(self.fold.chunk(&chunk)),
            Ok(None) => events.extend(self.fold.end()),
            Err(error) => {
                let (code, text) = (error.code, error.text(self.wording.lang));
                // Logs what is the server's own fault.
                let _ = ErrorBody::new(error, self.wording.lang, self.wording.path);
                events.extend(self.fold.failed(code.as_str(), &text));
            }
        }
        ready.extend(events.iter().map(json));
        goes_on
    }
}
