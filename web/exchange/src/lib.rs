//! What did another program export? One conversation of it becomes operations of ours, with ids that follow
//! from the source's, so that what is imported twice is there once.

mod chatgpt;
mod cite;
mod details;
mod field;
mod open_webui;
mod ours;
mod said;
mod tree;
mod why;

use portico_shared::sync::Op;
use serde_json::Value;
use uuid::Uuid;

pub use portico_shared::error::Lang;
pub use why::{LeftOut, Why};

/// A conversation that was understood.
#[derive(Debug)]
pub struct Read {
    pub id: Uuid,
    pub title: Option<String>,
    pub ops: Vec<Op>,
    /// What of it could not be taken over, each kind once.
    pub left_out: Vec<LeftOut>,
}

/// Reads one conversation of an export: ours, ChatGPT's or Open WebUI's.
///
/// # Errors
/// Why none of it can be taken over.
pub fn read(json: &str) -> Result<Read, Why> {
    let value: Value = serde_json::from_str(json).map_err(|error| Why::Json(error.to_string()))?;
    let read = if value.get("operations").is_some() {
        ours::read(&value)?
    } else if value.get("mapping").is_some() {
        chatgpt::read(&value)?
    } else if open_webui::is_theirs(&value) {
        open_webui::read(&value)?
    } else {
        return Err(Why::Unknown);
    };
    for op in &read.ops {
        op.check().map_err(|error| Why::Limit(error.to_string()))?;
    }
    Ok(read)
}

#[cfg(test)]
mod tests;
