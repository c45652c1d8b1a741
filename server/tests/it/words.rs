//! An upstream that embeds and reranks: vectors of words, so that the same word is the same direction.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use serde_json::{Value, json};

pub const DIM: usize = 64;

/// Of unit length. Each model has its own directions.
pub fn vector(model: &str, text: &str) -> Vec<f32> {
    let seed = model.bytes().fold(5381_usize, |hash, b| hash.wrapping_mul(31) ^ b as usize);
    let mut vector = vec![0.01; DIM];
    for word in text.to_lowercase().split(|c: char| !c.is_alphanumeric()) {
        let hash = word.bytes().fold(seed, |hash, b| hash.wrapping_mul(33) ^ b as usize);
        vector[hash % DIM] += word.len() as f32;
    }
    let norm = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    vector.iter_mut().for_each(|x| *x /= norm);
    vector
}

/// What it was asked, and how it is to behave.
#[derive(Default)]
pub struct Words {
    pub url: String,
    /// Texts that were embedded, with the model.
    pub embedded: Mutex<Vec<(String, String)>>,
    /// Before an answer with vectors.
    pub wait_ms: AtomicU64,
    pub reranked: Mutex<Vec<Value>>,
    /// 0 well, 1 broken, 2 too slow, 3 nonsense.
    pub rerank_fault: AtomicU64,
}

impl Words {
    pub async fn start() -> Arc<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let words = Arc::new(Self { url, ..Self::default() });
        let routes = Router::new()
            .route("/v1/embeddings", post(embeddings))
            .route("/v1/rerank", post(rerank))
            .with_state(Arc::clone(&words));
        tokio::spawn(async move {
            let config = portico_server::listen::ListenConfig::default();
            let never = std::future::pending();
            portico_server::listen::serve(listener, routes, config, never).await.unwrap();
        });
        words
    }

    /// Texts of documents that a model embedded.
    pub fn n_embedded(&self, model: &str) -> usize {
        let embedded = self.embedded.lock().unwrap();
        embedded.iter().filter(|(by, text)| by == model && text.contains("Datei")).count()
    }
}

async fn embeddings(State(words): State<Arc<Words>>, Json(body): Json<Value>) -> Json<Value> {
    let model = body["model"].as_str().unwrap();
    tokio::time::sleep(Duration::from_millis(words.wait_ms.load(Ordering::SeqCst))).await;
    let texts = body["input"].as_array().unwrap().iter().map(|text| text.as_str().unwrap());
    let embedded = texts.clone().map(|text| (model.to_owned(), text.to_owned()));
    words.embedded.lock().unwrap().extend(embedded);
    let data: Vec<Value> = texts
        .enumerate()
        .map(|(index, text)| {
            json!({ "object": "embedding", "index": index, "embedding": vector(model, text) })
        })
        .collect();
    let usage = json!({ "prompt_tokens": 1, "total_tokens": 1 });
    Json(json!({ "object": "list", "data": data, "model": "m", "usage": usage }))
}

/// What says "wanted" comes first.
async fn rerank(State(words): State<Arc<Words>>, Json(body): Json<Value>) -> Response {
    words.reranked.lock().unwrap().push(body.clone());
    match words.rerank_fault.load(Ordering::SeqCst) {
        1 => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        2 => tokio::time::sleep(Duration::from_secs(60)).await,
        3 => {
            return Json(json!({ "results": [{ "index": 99, "relevance_score": 1 }] }))
                .into_response();
        }
        _ => {}
    }
    let documents = body["documents"].as_array().unwrap();
    let results: Vec<Value> = documents
        .iter()
        .enumerate()
        .map(|(index, text)| {
            let score = if text.as_str().unwrap().contains("wanted") { 3.5 } else { -4.0 };
            json!({ "index": index, "relevance_score": score })
        })
        .collect();
    Json(json!({ "id": "r", "model": "m", "results": results })).into_response()
}
