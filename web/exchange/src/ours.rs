//! Our own export: beside what people read, the conversation's operations as they lie in the log.

use portico_shared::sync::Op;
use serde_json::Value;
use uuid::Uuid;

use crate::{Read, Why};

pub fn read(value: &Value) -> Result<Read, Why> {
    let id = value.get("id").and_then(Value::as_str).and_then(|id| Uuid::try_parse(id).ok());
    let id = id.ok_or(Why::NoId)?;
    let operations = value.get("operations").and_then(Value::as_array).ok_or(Why::Empty)?;
    let ops: Result<Vec<Op>, Why> = operations
        .iter()
        .map(|op| Op::try_from(op.clone()).map_err(|error| Why::Operation(error.to_string())))
        .collect();
    let title = value.get("title").and_then(Value::as_str).map(str::to_owned);
    Ok(Read { id, title, ops: ops?, left_out: Vec::new() })
}
