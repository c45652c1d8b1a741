//! `portico.embeddings.create(request, { signal })`: texts to unit vectors, on this device or on the
//! server.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Promise};
use portico_page::route::{Choice, can_fail_over};
use portico_relay::protocol::{EmbedRequest, FromWorker, ToWorker};
use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::openai::{EmbeddingInput, EmbeddingRequest, EncodingFormat};
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use super::call::{fresh_id, place};
use super::js::{error_from, internal, invalid, read, value_from};
use super::server;
use crate::link::{Subscription, WorkerLink};

const PATH: &str = "/v1/embeddings";

/// A promise of OpenAI's list of embeddings.
pub fn create(link: &WorkerLink, request: &JsValue, options: &JsValue) -> JsValue {
    let asked = read::<EmbeddingRequest>(request);
    let asked = asked.and_then(|asked| Ok((asked, place(request)?)));
    let signal = js_sys::Reflect::get(options, &"signal".into()).ok();
    let signal = signal.and_then(|signal| signal.dyn_into::<AbortSignal>().ok());
    let (link, request) = (link.clone(), request.clone());
    wasm_bindgen_futures::future_to_promise(async move {
        let (asked, choice) = asked.map_err(|error| error_from(&error))?;
        if choice == Choice::Server {
            return on_server(&request).await;
        }
        match on_device(&link, asked, signal.as_ref()).await {
            Err(error) if choice == Choice::Auto && can_fail_over(error.code) => {
                on_server(&request).await
            }
            made => made.and_then(|list| value_from(&list)).map_err(|error| error_from(&error)),
        }
    })
    .into()
}

async fn on_server(request: &JsValue) -> Result<JsValue, JsValue> {
    JsFuture::from(Promise::from(server::ask(PATH, request))).await
}

/// The worker's last message of a request.
async fn on_device(
    link: &WorkerLink,
    asked: EmbeddingRequest,
    signal: Option<&AbortSignal>,
) -> Result<Value, ApiError> {
    let texts = match asked.input {
        EmbeddingInput::Text(text) => vec![text],
        EmbeddingInput::Texts(texts) => texts,
        EmbeddingInput::TokenIds(_) | EmbeddingInput::TokenIdLists(_) => {
            return Err(invalid("`input` must be text: only the server takes token ids"));
        }
    };
    let (id, model) = (fresh_id(), asked.model);
    let request = EmbedRequest { model: model.clone(), texts, kind: asked.input_type };
    let heard: Rc<RefCell<Option<FromWorker>>> = Rc::default();
    let subscription: RefCell<Option<Subscription>> = RefCell::new(None);
    let promise = Promise::new(&mut |resolve: Function, _| {
        let (heard, own) = (heard.clone(), id.clone());
        let listening = link.subscribe(move |message| {
            let is_mine = match message {
                FromWorker::Embedded { id, .. }
                | FromWorker::Failed { id, .. }
                | FromWorker::Done { id, .. } => *id == own,
                _ => false,
            };
            if is_mine && heard.borrow().is_none() {
                *heard.borrow_mut() = Some(message.clone());
                // Resolving a promise does not throw.
                let _ = resolve.call0(&JsValue::UNDEFINED);
            }
        });
        *subscription.borrow_mut() = Some(listening);
    });
    link.post(&ToWorker::Embed { id: id.clone(), request: Box::new(request) });
    if let Some(signal) = signal {
        let (link, id) = (link.clone(), id.clone());
        let stop = move || {
            link.post(&ToWorker::Stop { id });
        };
        if signal.aborted() {
            stop();
        } else {
            let stop = Closure::once_into_js(stop);
            let listening = signal.add_event_listener_with_callback("abort", stop.unchecked_ref());
            listening.map_err(|error| internal(format!("{error:?}")))?;
        }
    }
    JsFuture::from(promise).await.map_err(|error| internal(format!("{error:?}")))?;
    drop(subscription);
    let heard = heard.take();
    match heard {
        Some(FromWorker::Embedded { vectors, n_tokens, truncated, .. }) => {
            let data: Vec<Value> = vectors
                .into_iter()
                .enumerate()
                .map(|(index, vector)| {
                    let vector = shortened(vector, asked.dimensions);
                    let embedding = written(&vector, asked.encoding_format)?;
                    Ok(json!({ "object": "embedding", "index": index, "embedding": embedding }))
                })
                .collect::<Result<_, ApiError>>()?;
            Ok(json!({
                "object": "list",
                "data": data,
                "model": model,
                "usage": { "prompt_tokens": n_tokens, "total_tokens": n_tokens },
                "portico": { "place": "device", "truncated": truncated },
            }))
        }
        Some(FromWorker::Failed { error, .. }) => Err(error),
        _ => Err(ApiError::new(ErrorCode::Cancelled)),
    }
}

/// The first `dimensions`, made a unit vector again.
fn shortened(mut vector: Vec<f32>, dimensions: Option<u32>) -> Vec<f32> {
    if let Some(n) = dimensions {
        vector.truncate(n as usize);
        let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
        vector.iter_mut().for_each(|x| *x /= length);
    }
    vector
}

fn written(vector: &[f32], format: EncodingFormat) -> Result<Value, ApiError> {
    if format == EncodingFormat::Float {
        return Ok(json!(vector));
    }
    let bytes = vector.iter().flat_map(|value| value.to_le_bytes());
    let latin: String = bytes.map(char::from).collect();
    let window = web_sys::window().ok_or_else(|| internal("no window"))?;
    let base64 = window.btoa(&latin).map_err(|error| internal(format!("{error:?}")))?;
    Ok(Value::String(base64))
}
