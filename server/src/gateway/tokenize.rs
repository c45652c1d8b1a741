//! `/tokenize` and `/detokenize`, for the models of this process.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{
    ChatCompletionRequest, DetokenizeRequest, Detokenized, TokenizeRequest, TokenizeWhat, Tokenized,
};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial, SkipSpecial};

use super::body::{Body, invalid};
use super::fault::Fault;
use super::here::{chat_prompt, off_thread};
use super::served::Target;
use super::{Caller, Gateway};
use crate::inference::HostedModel;

pub async fn tokenize(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: Body,
) -> Result<Json<Tokenized>, Fault> {
    let request: TokenizeRequest = body.read()?;
    let model = gateway.tokenizing(&caller, &request.model).await?;
    Ok(Json(off_thread(move || tokenized(&model, request)).await?))
}

pub async fn detokenize(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: Body,
) -> Result<Json<Detokenized>, Fault> {
    let request: DetokenizeRequest = body.read()?;
    let model = gateway.tokenizing(&caller, &request.model).await?;
    if request.tokens.iter().any(|&id| id >= model.facts.n_vocab) {
        let reason = "`tokens` has a token id outside the model's vocabulary";
        return Err(invalid(Some("tokens"), reason).into());
    }
    Ok(Json(Detokenized { prompt: model.tokenizer.decode(&request.tokens, SkipSpecial::No) }))
}

impl Gateway {
    async fn tokenizing(&self, caller: &Caller, name: &str) -> Result<Arc<HostedModel>, ApiError> {
        let served = self.served(caller, name)?;
        let here = served.targets.iter().find_map(|target| match target {
            Target::Here(id) => Some(id),
            Target::Upstream(..) => None,
        });
        match here {
            Some(id) => self.hosted(id).await,
            None => Err(ApiError::new(ErrorCode::ModelUnsupported)
                .with("reason", "only the server that answers for it knows its tokens")),
        }
    }
}

fn tokenized(model: &HostedModel, request: TokenizeRequest) -> Result<Tokenized, ApiError> {
    let tokens = match request.what {
        TokenizeWhat::Text { prompt } => {
            let add_special =
                if request.add_special_tokens { AddSpecial::Yes } else { AddSpecial::No };
            model.tokenizer.encode(&prompt, add_special, ParseSpecial::No)?
        }
        TokenizeWhat::Chat { messages, tools } => {
            let chat = serde_json::json!({
                "model": request.model, "messages": messages, "tools": tools,
            });
            let chat: ChatCompletionRequest = serde_json::from_value(chat)
                .map_err(|error| ApiError::new(ErrorCode::Internal).detail(error))?;
            chat_prompt(model, &chat)?
        }
    };
    let text = |&id: &u32| {
        let bytes = model.tokenizer.token_bytes(id).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    Ok(Tokenized {
        count: tokens.len(),
        max_model_len: model.facts.n_ctx,
        token_strs: request.return_token_strs.then(|| tokens.iter().map(text).collect()),
        tokens,
    })
}
