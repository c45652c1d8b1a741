//! `async-openai`, unmodified, against the program with a real model (`PORTICO_MODELS_DIR`).

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

use async_openai::Client;
use async_openai::config::OpenAIConfig;
use async_openai::error::OpenAIError;
use async_openai::types::chat::CreateChatCompletionRequest;
use async_openai::types::responses::CreateResponse;
use futures_util::StreamExt as _;
use serde_json::{Value, json};

use crate::common::*;

const MODEL: &str = "smollm2-135m-instruct";

/// The program with the default model; it ends with the test.
struct Server {
    child: Child,
    client: Client<OpenAIConfig>,
    _folder: Folder,
}

impl Server {
    fn start() -> Self {
        let folder = Folder::new();
        let models = std::env::var_os("PORTICO_MODELS_DIR").unwrap_or_else(|| {
            panic!("PORTICO_MODELS_DIR names no folder with {MODEL}: use cargo xtask")
        });
        let portico = |args: &[&str]| {
            let mut portico = Command::new(env!("CARGO_BIN_EXE_portico"));
            portico.arg("--data").arg(&folder.0).arg("--models-dir").arg(&models);
            portico.args(["--lang", "en"]).args(args).stdout(Stdio::piped());
            portico.stderr(Stdio::inherit()).envs(crate::storage::environment(&folder.0));
            portico
        };
        let mut child = portico(&["serve", "--addr", "127.0.0.1:0"]).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Portico is running: ").unwrap().to_owned();
        // While it runs.
        let said = portico(&["keys", "create", "--name", "rust"]).output().unwrap().stdout;
        let said = String::from_utf8(said).unwrap();
        let key = said.split_whitespace().next_back().unwrap();
        let config = OpenAIConfig::new().with_api_base(format!("{address}v1")).with_api_key(key);
        Self { child, client: Client::with_config(config), _folder: folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

fn chat(more: Value) -> CreateChatCompletionRequest {
    static QUESTION: OnceLock<Value> = OnceLock::new();
    let question = QUESTION.get_or_init(|| {
        json!([{ "role": "user", "content": "What is the capital of France? Answer in one sentence." }])
    });
    let mut request = json!({
        "model": MODEL, "messages": question, "max_completion_tokens": 24, "temperature": 0.0,
    });
    request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(request).unwrap()
}

#[tokio::test]
async fn async_openai_reads_every_answer() {
    let server = Server::start();
    let client = &server.client;
    let listed = client.models().list().await.unwrap();
    assert!(listed.data.iter().any(|model| model.id == MODEL));

    let whole = client.chat().create(chat(json!({}))).await.unwrap();
    let text = whole.choices[0].message.content.clone().unwrap();
    assert!(text.contains("Paris"), "{text}");
    assert!(whole.usage.unwrap().total_tokens > 10);

    let asks = chat(json!({ "stream": true, "stream_options": { "include_usage": true } }));
    let mut stream = client.chat().create_stream(asks).await.unwrap();
    let (mut said, mut n_counted) = (String::new(), 0);
    while let Some(chunk) = stream.next().await {
        let chunk = chunk.unwrap();
        let choice = chunk.choices.first();
        said += choice.and_then(|choice| choice.delta.content.as_deref()).unwrap_or_default();
        n_counted += usize::from(chunk.usage.is_some());
    }
    assert_eq!((said, n_counted), (text.clone(), 1));

    let person = json!({
        "type": "object", "required": ["name", "age"], "additionalProperties": false,
        "properties": { "name": { "type": "string", "maxLength": 20 },
            "age": { "type": "integer", "minimum": 0, "maximum": 150 } },
    });
    let format = json!({ "type": "json_schema",
        "json_schema": { "name": "person", "schema": person, "strict": true } });
    let asks = chat(json!({ "response_format": format, "max_completion_tokens": 200,
        "temperature": 1.0, "seed": 1 }));
    let answer = client.chat().create(asks).await.unwrap();
    let answer = answer.choices[0].message.content.clone().unwrap();
    let invented: Value = serde_json::from_str(&answer).unwrap();
    assert!(invented["age"].is_u64(), "{invented}");

    let weather = json!({ "type": "function", "function": { "name": "get_weather",
        "parameters": { "type": "object", "required": ["city"], "additionalProperties": false,
            "properties": { "city": { "type": "string", "maxLength": 20 } } } } });
    let asks =
        json!({ "tools": [weather], "tool_choice": "required", "max_completion_tokens": 100 });
    let answer = client.chat().create(chat(asks)).await.unwrap();
    let calls = serde_json::to_value(&answer.choices[0].message.tool_calls).unwrap();
    assert_eq!(calls[0]["function"]["name"], "get_weather", "{calls}");

    let asks = json!({ "model": MODEL,
        "input": "What is the capital of France? Answer in one sentence.",
        "max_output_tokens": 24, "temperature": 0.0 });
    let asks: CreateResponse = serde_json::from_value(asks).unwrap();
    let response = client.responses().create(asks).await.unwrap();
    assert!(response.output_text().unwrap_or_default().contains("Paris"));
}

#[tokio::test]
async fn async_openai_reads_errors_and_may_go_away() {
    let server = Server::start();
    let client = &server.client;
    let refused = client.chat().create(chat(json!({ "model": "absent" }))).await.unwrap_err();
    let OpenAIError::ApiError(refused) = refused else { panic!("{refused}") };
    let refused = format!("{refused:?}");
    assert!(refused.contains("model_not_found"), "{refused}");

    let asks = chat(json!({ "stream": true, "max_completion_tokens": 4000,
        "logit_bias": { "0": -100, "2": -100 } }));
    let mut stream = client.chat().create_stream(asks).await.unwrap();
    for _ in 0..3 {
        stream.next().await.unwrap().unwrap();
    }
    drop(stream);
    // The next answer waits for nobody.
    let next = client.chat().create(chat(json!({ "max_completion_tokens": 4 }))).await.unwrap();
    assert_eq!(next.choices.len(), 1);
}
