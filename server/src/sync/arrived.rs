//! What does a push say? Lines become operations, or are refused by the name of their fault.

use portico_shared::error::{ApiError, ErrorCode};
use portico_shared::sync::wire::{PUSH_MAX_OPS, Refused};
use portico_shared::sync::{DRIFT_MAX_MS, Op};

/// An operation of a push.
#[derive(Debug)]
pub struct Arrived {
    /// From 0, of the push.
    pub line: usize,
    pub op: Op,
    /// As it came.
    pub json: String,
}

/// # Errors
/// `invalid_request` where the whole cannot be read; a single bad line is refused beside the others.
pub fn read(body: &[u8], now_ms: u64) -> Result<(Vec<Arrived>, Vec<Refused>), ApiError> {
    let invalid = |reason: String| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
    let text = str::from_utf8(body).map_err(|error| invalid(error.to_string()))?;
    let (mut arrived, mut refused) = (Vec::new(), Vec::new());
    for (line, json) in text.lines().filter(|json| !json.trim().is_empty()).enumerate() {
        if line >= PUSH_MAX_OPS {
            return Err(invalid(format!("more than {PUSH_MAX_OPS} operations")));
        }
        let json = json.trim();
        match Op::from_json(json) {
            Ok(op) if op.at.ms > now_ms.saturating_add(DRIFT_MAX_MS) => {
                let ahead_s = (op.at.ms - now_ms) / 1_000;
                let error = ApiError::new(ErrorCode::SyncClockAhead).with("ahead_s", ahead_s);
                refused.push(Refused { line, op: Some(op.id), error });
            }
            Ok(op) => arrived.push(Arrived { line, op, json: json.to_owned() }),
            Err(error) => {
                let error = invalid(error.to_string());
                refused.push(Refused { line, op: None, error });
            }
        }
    }
    Ok((arrived, refused))
}
