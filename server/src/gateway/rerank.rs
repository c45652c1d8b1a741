//! `/v1/rerank`: by an embedder here (the cosine of query and document), by a reranker elsewhere.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use portico_shared::error::ApiError;
use portico_shared::openai::{EmbeddingUsage, RerankRequest, RerankResult, Reranking, Usage};

use super::answering::Asked;
use super::body::{Body, invalid};
use super::embeddings::Texts;
use super::fault::Fault;
use super::here::{fresh_id, json};
use super::served::Served;
use super::{Caller, Gateway};

pub async fn rerank(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    body: Body,
) -> Result<Response, Fault> {
    let start = Instant::now();
    let asked = Asked { caller, body, route: "rerank", path: "/rerank", start };
    gateway.in_time(gateway.rerank(&asked)).await
}

impl Gateway {
    async fn rerank(self: &Arc<Self>, asked: &Asked) -> Result<Response, Fault> {
        let served = self.served(&asked.caller, asked.body.model()?)?;
        self.whole(asked, &served, |id| self.rerank_here(asked, &served, id)).await
    }

    async fn rerank_here(
        self: &Arc<Self>,
        asked: &Asked,
        served: &Served,
        id: &str,
    ) -> Result<Bytes, ApiError> {
        let request: RerankRequest = asked.body.read()?;
        if request.documents.is_empty() {
            return Err(invalid(Some("documents"), "`documents` is empty"));
        }
        let model = self.hosted(id).await?;
        let mut meter = self.meter(asked, &served.model, "");
        let documents = request.documents.iter().map(|document| document.text().to_owned());
        let texts = std::iter::once(request.query.clone()).chain(documents).collect();
        let embedded = self.embed(&model, Texts::Plain(texts)).await;
        let (vectors, n_tokens) = embedded.inspect_err(|error| meter.end(error.code.as_str()))?;
        meter.settle(&Usage { prompt_tokens: n_tokens, ..Usage::default() });
        meter.end("ok");
        json(&Reranking {
            id: fresh_id("rerank"),
            model: served.model.clone(),
            results: results(&request, &vectors),
            usage: EmbeddingUsage { prompt_tokens: n_tokens, total_tokens: n_tokens },
        })
    }
}

/// `vectors` are the query's and then the documents', each of length 1.
fn results(request: &RerankRequest, vectors: &[Vec<f32>]) -> Vec<RerankResult> {
    let Some((query, documents)) = vectors.split_first() else { return Vec::new() };
    let mut results: Vec<RerankResult> = documents
        .iter()
        .zip(&request.documents)
        .zip(0..)
        .map(|((vector, document), index)| RerankResult {
            index,
            relevance_score: query.iter().zip(vector).map(|(a, b)| a * b).sum(),
            document: request.return_documents.then(|| document.clone()),
        })
        .collect();
    results.sort_by(|a, b| b.relevance_score.total_cmp(&a.relevance_score));
    results.truncate(request.top_n.unwrap_or(usize::MAX));
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_come_first() {
        let json = r#"{"model":"m","query":"q","documents":["a",{"text":"b"},"c"],"top_n":2,"return_documents":true}"#;
        let request: RerankRequest = serde_json::from_str(json).unwrap();
        let vectors = [vec![1.0, 0.0], vec![0.0, 1.0], vec![1.0, 0.0], vec![0.6, 0.8]];
        let results = results(&request, &vectors);
        let order: Vec<(u32, f32)> =
            results.iter().map(|result| (result.index, result.relevance_score)).collect();
        assert_eq!(order, [(1, 1.0), (2, 0.6)]);
        assert_eq!(results[0].document.as_ref().unwrap().text(), "b");
    }
}
