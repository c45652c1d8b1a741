//! Are the engine's kernels right on this browser's GPU? `portico.selfTest()`, for tests and for whoever looks
//! for a fault. A Wasm of its own, with the kernels' twins on the CPU, which nobody else needs.

use portico_engine::{Gpu, GpuOptions, selftest};
use portico_shared::error::ApiError;
use serde_json::{Value, json};
use wasm_bindgen::prelude::*;

fn main() {
    std::panic::set_hook(Box::new(|panic| {
        web_sys::console::error_1(&format!("portico: {panic}").into());
    }));
}

/// Every kernel variant that the device runs beside its twin: `{ report, error }`, of which one is null.
///
/// # Errors
/// Where the browser cannot read what it is given, which does not happen.
#[wasm_bindgen]
pub async fn run() -> Result<JsValue, JsValue> {
    let (report, error) = match trials().await {
        Ok(report) => (report, Value::Null),
        Err(error) => (Value::Null, json!(error)),
    };
    js_sys::JSON::parse(&json!({ "report": report, "error": error }).to_string())
}

async fn trials() -> Result<Value, ApiError> {
    let gpu = Gpu::acquire(&GpuOptions::default()).await?;
    let reports = selftest::run(&gpu, |_| {}).await?;
    let rows = reports.iter().map(|report| {
        json!({
            "title": report.title,
            "error": report.error,
            "tolerance": report.tolerance,
            "failure": report.failure,
            "passes": report.passes(),
        })
    });
    Ok(Value::Array(rows.collect()))
}
