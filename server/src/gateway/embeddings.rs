//! `/v1/embeddings`

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{
    Embedding, EmbeddingInput, EmbeddingList, EmbeddingRequest, EmbeddingUsage, EmbeddingValue,
    EncodingFormat, Usage,
};
use portico_shared::tokenizer::{AddSpecial, ParseSpecial};

use super::answering::Asked;
use super::body::{Body, invalid};
use super::fault::Fault;
use super::here::{json, off_thread};
use super::served::Served;
use super::{Caller, Gateway};
use crate::inference::HostedModel;

pub async fn embeddings(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: Body,
) -> Result<Response, Fault> {
    let start = Instant::now();
    let asked = Asked { caller, body, route: "embeddings", path: "/embeddings", start };
    gateway.in_time(gateway.embeddings(&asked)).await
}

impl Gateway {
    async fn embeddings(self: &Arc<Self>, asked: &Asked) -> Result<Response, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        self.whole(asked, &served, |id| self.embeddings_here(asked, &served, id)).await
    }

    async fn embeddings_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
    ) -> Result<Bytes, ApiError> {
        let request: EmbeddingRequest = asked.body.read()?;
        let model = self.hosted(id).await?;
        let texts = Texts::from_input(request.input);
        let texts = texts.prefixed(model.prefixes.of(request.input_type));
        let mut meter = self.meter(asked, &served.model, "");
        let embedded = self.embed(&model, texts).await;
        let (vectors, n_tokens) = embedded.inspect_err(|error| meter.end(error.code.as_str()))?;
        meter.settle(&Usage { prompt_tokens: n_tokens, ..Usage::default() });
        let data = vectors.into_iter().zip(0..).map(|(mut vector, index)| {
            shorten(&mut vector, request.dimensions)?;
            let embedding = match request.encoding_format {
                EncodingFormat::Float => EmbeddingValue::Floats(vector),
                EncodingFormat::Base64 => EmbeddingValue::Base64(base64_of(&vector)),
            };
            Ok(Embedding { object: "embedding".to_owned(), index, embedding })
        });
        let data = data.collect::<Result<Vec<_>, ApiError>>();
        let data = data.inspect_err(|error| meter.end(error.code.as_str()))?;
        meter.end("ok");
        json(&EmbeddingList {
            object: "list".to_owned(),
            data,
            model: served.model.clone(),
            usage: EmbeddingUsage { prompt_tokens: n_tokens, total_tokens: n_tokens },
        })
    }

    /// Unit vectors of the texts, `[n][dim]`, and the tokens that they have together.
    pub async fn embed(
        &self,
        model: &Arc<HostedModel>,
        texts: Texts,
    ) -> Result<(Vec<Vec<f32>>, u64), ApiError> {
        let (n_texts, max) = (texts.len(), self.config.limits.max_batch);
        if !(1..=max).contains(&n_texts) {
            return Err(invalid(Some("input"), format!("`input` must hold 1 to {max} texts")));
        }
        let (hosted, max_prompt) = (Arc::clone(model), self.config.limits.max_prompt_tokens);
        let token_ids = off_thread(move || texts.token_ids(&hosted, max_prompt)).await?;
        let n_tokens = token_ids.iter().map(|ids| ids.len() as u64).sum();
        Ok((self.inference.embed(model, token_ids).await?, n_tokens))
    }
}

/// What is to be embedded.
pub enum Texts {
    Plain(Vec<String>),
    TokenIds(Vec<Vec<u32>>),
}

impl Texts {
    fn from_input(input: EmbeddingInput) -> Self {
        match input {
            EmbeddingInput::Text(text) => Self::Plain(vec![text]),
            EmbeddingInput::Texts(texts) => Self::Plain(texts),
            EmbeddingInput::TokenIds(ids) => Self::TokenIds(vec![ids]),
            EmbeddingInput::TokenIdLists(lists) => Self::TokenIds(lists),
        }
    }

    /// Token ids are taken as they are.
    fn prefixed(self, prefix: &str) -> Self {
        match self {
            Self::Plain(texts) if !prefix.is_empty() => {
                Self::Plain(texts.iter().map(|text| format!("{prefix}{text}")).collect())
            }
            texts => texts,
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Plain(texts) => texts.len(),
            Self::TokenIds(lists) => lists.len(),
        }
    }

    /// # Errors
    /// `context_length_exceeded` for a text that the model cannot hold, `invalid_request` for an
    /// empty one and for ids that the model does not know.
    fn token_ids(self, model: &HostedModel, max_tokens: usize) -> Result<Vec<Vec<u32>>, ApiError> {
        let lists = match self {
            Self::TokenIds(lists) => lists,
            Self::Plain(texts) => texts
                .iter()
                .map(|text| model.tokenizer.encode(text, AddSpecial::Yes, ParseSpecial::No))
                .collect::<Result<_, _>>()?,
        };
        let n_ctx = model.facts.n_ctx as usize;
        for (ids, i) in lists.iter().zip(0..) {
            let field = format!("input[{i}]");
            if ids.is_empty() {
                return Err(invalid(Some(&field), format!("`{field}` is empty")));
            }
            if ids.iter().any(|&id| id >= model.facts.n_vocab) {
                let reason = format!("`{field}` has a token id outside the model's vocabulary");
                return Err(invalid(Some(&field), reason));
            }
            if ids.len() > n_ctx.min(max_tokens) {
                return Err(ApiError::new(ErrorCode::ContextFull)
                    .with("n_ctx", n_ctx.min(max_tokens))
                    .detail(format!("{field} has {} tokens", ids.len())));
            }
        }
        Ok(lists)
    }
}

/// The first `dimensions`, made a unit vector again.
fn shorten(vector: &mut Vec<f32>, dimensions: Option<u32>) -> Result<(), ApiError> {
    let Some(dimensions) = dimensions else { return Ok(()) };
    let (wanted, n) = (dimensions as usize, vector.len());
    if !(1..=n).contains(&wanted) {
        let reason = format!("`dimensions` must be between 1 and {n} for this model");
        return Err(invalid(Some("dimensions"), reason));
    }
    vector.truncate(wanted);
    let norm = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if norm > 0.0 {
        for x in vector {
            *x = (f64::from(*x) / norm) as f32;
        }
    }
    Ok(())
}

fn base64_of(vector: &[f32]) -> String {
    let bytes: Vec<u8> = vector.iter().flat_map(|x| x.to_le_bytes()).collect();
    STANDARD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shortened_vector_is_a_unit_vector() {
        let mut vector = vec![0.6, 0.0, 0.8];
        shorten(&mut vector, Some(2)).unwrap();
        assert_eq!(vector, [1.0, 0.0]);
        assert!(shorten(&mut vector, Some(3)).is_err());
        assert!(shorten(&mut vector, Some(0)).is_err());
        shorten(&mut vector, None).unwrap();
        assert_eq!(vector.len(), 2);
    }

    #[test]
    fn base64_holds_little_endian_floats() {
        assert_eq!(base64_of(&[1.0, -2.0]), "AACAPwAAAMA=");
    }
}
