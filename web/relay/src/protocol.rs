//! What the page and the worker say to each other: JSON values over `postMessage`.
//!
//! Every tab has a worker. One worker of a profile, the leader (Web Locks), owns the GPU and the
//! weight store; the others pass their page's messages on to it over a `BroadcastChannel` and its
//! answers back. A page cannot tell whether its worker leads. When the leader dies, a follower takes
//! over and sends what is unanswered again, with the tokens that already arrived as the request's
//! `portico_continue`, so that an answer goes on where it stood.

use portico_shared::catalogue::EmbedKind;
use portico_shared::error::ApiError;
use portico_shared::openai::{
    ChatCompletion, ChatCompletionChunk, ChatCompletionRequest, Completion, CompletionRequest,
};
use serde::{Deserialize, Serialize};

/// Names a request; made by the page (UUID), unique in the profile.
pub type RequestId = String;

/// From the page to its worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToWorker {
    /// The page is there; answered by [`FromWorker::Hello`] and one
    /// [`FromWorker::ModelState`] for each model.
    Hello,
    /// Downloads what is missing and puts the model on the GPU. Goes on where an earlier download
    /// stopped.
    Load { model: String },
    /// Stops the download; what arrived stays.
    PauseLoad { model: String },
    /// Stops the download and deletes what arrived.
    CancelLoad { model: String },
    /// Frees the model's GPU memory.
    Unload { model: String },
    /// Deletes the model from the device's storage.
    Evict { model: String },
    /// `request.stream` decides between [`FromWorker::ChatChunk`]s and one [`FromWorker::Chat`].
    /// Loads the model if need be.
    Chat { id: RequestId, request: Box<ChatCompletionRequest> },
    /// As [`ToWorker::Chat`], answered by [`FromWorker::Completion`]s.
    Complete { id: RequestId, request: Box<CompletionRequest> },
    /// Answered by one [`FromWorker::Embedded`]. Loads the model beside the one that chats if need be.
    Embed { id: RequestId, request: Box<EmbedRequest> },
    /// Stops a request: its answer ends with what stands, finish reason `stop`, and
    /// [`FromWorker::Done`] says `stopped`.
    Stop { id: RequestId },
    /// The page asked the browser for persistent storage or freed some: look again and answer with
    /// [`FromWorker::Storage`].
    CheckStorage,
    /// Tests only, refused unless the page was opened with `?debug`: destroys the GPU device.
    LoseDevice,
    /// Tests only, as [`ToWorker::LoseDevice`]: loads the model and holds its prefill and decode against
    /// what the device can do. Answered by [`FromWorker::Measured`].
    Roofline { model: String, n_prompt: u32, n_decode: u32 },
    /// Answered by [`FromWorker::Debug`] by this page's own worker; refused as
    /// [`ToWorker::LoseDevice`] is.
    Debug,
}

/// Texts to be embedded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EmbedRequest {
    pub model: String,
    pub texts: Vec<String>,
    /// Decides the model's prefix, which the texts do not carry.
    #[serde(default)]
    pub kind: EmbedKind,
}

/// From the worker to its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FromWorker {
    Hello {
        device: DeviceReport,
        storage: StorageReport,
    },
    Storage {
        storage: StorageReport,
    },
    ModelState {
        model: String,
        state: ModelState,
    },
    ChatChunk {
        id: RequestId,
        chunk: Box<ChatCompletionChunk>,
    },
    Chat {
        id: RequestId,
        completion: Box<ChatCompletion>,
    },
    /// One for a request without `stream`, else one for each piece.
    Completion {
        id: RequestId,
        completion: Box<Completion>,
    },
    /// A unit vector for each text, in their order.
    Embedded {
        id: RequestId,
        vectors: Vec<Vec<f32>>,
        /// Of all texts together, prefixes and special tokens included.
        n_tokens: u64,
        /// Which texts (by their place) were longer than the model reads: their ends were left out.
        truncated: Vec<u32>,
    },
    /// Nothing more comes for this request.
    Done {
        id: RequestId,
        stopped: bool,
    },
    /// Nothing more comes for this request.
    Failed {
        id: RequestId,
        error: ApiError,
    },
    /// The GPU device was lost; the engine is being rebuilt and running requests go on.
    DeviceLost {
        error: ApiError,
    },
    /// The engine is there again.
    DeviceRestored,
    Debug {
        report: DebugReport,
    },
    /// What [`ToWorker::Roofline`] found, as the engine reports it; null where the error says why there
    /// is nothing.
    Measured {
        report: serde_json::Value,
        error: Option<ApiError>,
    },
}

/// What tests and benchmarks ask of a worker.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DebugReport {
    /// Whether this page's worker owns the engine.
    pub leads: bool,
    /// Size of the worker's Wasm memory: it never grows with a model.
    pub wasm_memory_bytes: u64,
    /// Bytes of weights that came over the network since the worker started, damaged ones included.
    pub fetched_bytes: u64,
    /// Bytes of weights that were hash-checked and given to the GPU since the worker started.
    pub uploaded_bytes: u64,
    /// Chunks whose digest did not fit, from the network or the store.
    pub damaged_chunks: u64,
    /// How long the last model's load took from its start to ready, milliseconds.
    pub last_load_ms: Option<f64>,
}

/// What the person's graphics device is and can do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DeviceReport {
    /// None when a device was got; else `webgpu_missing` or what the browser said.
    pub error: Option<ApiError>,
    pub vendor: String,
    pub architecture: String,
    pub description: String,
    /// The largest buffer that the device gives; an upper bound for a tensor's part.
    pub max_buffer_bytes: u64,
    pub f16: bool,
    /// Lanes of a subgroup, 0 without subgroups.
    pub subgroup_size: u32,
    pub dot4_i8: bool,
}

/// Where weights are kept.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StorageReport {
    /// False: the browser refused OPFS or the quota is too small, so weights live in memory and are
    /// gone when the tab closes.
    pub persistent_store: bool,
    /// The browser promised not to evict.
    pub persisted: bool,
    pub used_bytes: u64,
    pub quota_bytes: u64,
}

/// How far a model is on its way to the GPU.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ModelState {
    /// Nothing, or only a part, is on this device.
    Absent {
        cached_bytes: u64,
    },
    /// Whole on this device, not on the GPU.
    Cached,
    Downloading {
        done_bytes: u64,
        total_bytes: u64,
        /// Over the last seconds.
        bytes_per_s: f64,
        /// Null while the rate is unknown.
        seconds_left: Option<f64>,
    },
    Paused {
        done_bytes: u64,
        total_bytes: u64,
    },
    /// From the store to the GPU.
    Uploading {
        done_bytes: u64,
        total_bytes: u64,
    },
    /// Pipelines are being compiled.
    Warming,
    Ready {
        gpu_bytes: u64,
        n_ctx: u32,
    },
    Failed {
        error: ApiError,
    },
}
