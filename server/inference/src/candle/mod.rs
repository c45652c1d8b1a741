//! How is a model computed on a GPU?
//!
//! A pass over candle's tensors: quantised products by its kernels for CUDA and Metal, attention by
//! plain tensor operations over the pages that a sequence holds. On candle's CPU device it computes
//! the same, slowly: tests hold it to [`CpuModel`](crate::CpuModel) there.

mod attention;
mod forward;
mod weights;

pub use weights::{CandleModel, memory_bytes};

use portico_shared::error::{ApiError, ErrorCode};

/// What a device says in words is told apart by them: candle's errors have no codes.
fn fault(error: candle_core::Error) -> ApiError {
    let text = error.to_string();
    let words = text.to_ascii_lowercase().replace('_', " ");
    let code = match words.contains("out of memory") || words.contains("outofmemory") {
        true => ErrorCode::ServerMemoryFull,
        false => ErrorCode::Internal,
    };
    ApiError::new(code).detail(text)
}
