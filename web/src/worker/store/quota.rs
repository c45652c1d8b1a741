//! How much may be stored, and for how long?

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::StorageEstimate;

use crate::js::scope::storage_manager;

/// Bytes in use by this origin and bytes that it may use; zeros where the browser says nothing.
pub async fn used_and_quota_bytes() -> (u64, u64) {
    let estimate = async {
        let promise = storage_manager()?.estimate().ok()?;
        let estimate: StorageEstimate = JsFuture::from(promise).await.ok()?.unchecked_into();
        Some((estimate.get_usage()? as u64, estimate.get_quota()? as u64))
    };
    estimate.await.unwrap_or_default()
}

/// Whether the browser promised to keep what is stored.
pub async fn is_persisted() -> bool {
    let persisted = async {
        let promise = storage_manager()?.persisted().ok()?;
        JsFuture::from(promise).await.ok()?.as_bool()
    };
    persisted.await.unwrap_or(false)
}
