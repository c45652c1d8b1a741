//! What of a sealed operation can be read by who carries it? Which conversation and message it is about and
//! when it was written, for order, withdrawal and the dropping of drafts; nothing of what it says.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::clock::Hlc;
use super::op::{MessageState, Op, VERSION};

const KIND: &str = "sealed";
const DRAFT: &str = "draft";
const ENDED: &str = "ended";

/// An operation that only the person's devices can read. To all others it is one of an unknown kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    pub kind: String,
    pub v: u32,
    pub id: Uuid,
    pub at: Hlc,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation: Option<Uuid>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<Uuid>,
    /// Of one that writes a message's text: a draft, or how it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stays_on_device: Option<bool>,
    /// Both in base64 (URL-safe, without padding).
    pub nonce: String,
    pub data: String,
}

impl Sealed {
    /// The readable part of `op`; `place`: its conversation where it does not name one itself.
    pub fn around(op: &Op, place: Option<Uuid>) -> Self {
        let written = op.body.written().map(|state| match state {
            MessageState::Draft => DRAFT.to_owned(),
            _ => ENDED.to_owned(),
        });
        Self {
            kind: KIND.to_owned(),
            v: VERSION,
            id: op.id,
            at: op.at,
            conversation: op.body.conversation().or(place),
            message: op.body.message(),
            written,
            stays_on_device: op.body.stays_on_device(),
            nonce: String::new(),
            data: String::new(),
        }
    }

    /// None: it is no sealed operation.
    pub fn from_json(json: &str) -> Option<Self> {
        let sealed: Self = serde_json::from_str(json).ok()?;
        (sealed.kind == KIND && sealed.v == VERSION).then_some(sealed)
    }

    /// All that is readable, to be bound to what is not.
    pub fn bound(&self) -> String {
        let text = |id: Option<Uuid>| id.map_or(String::new(), |id| id.to_string());
        let stays = self.stays_on_device.map_or(String::new(), |stays| stays.to_string());
        let lines = [
            format!("portico {KIND} {}", self.v),
            self.id.to_string(),
            format!("{}.{}", self.at.ms, self.at.n),
            text(self.conversation),
            text(self.message),
            self.written.clone().unwrap_or_default(),
            stays,
        ];
        lines.join("\n")
    }
}

pub(super) fn is_sealed(fields: &Map<String, Value>) -> bool {
    fields.get("kind").and_then(Value::as_str) == Some(KIND)
}

pub(super) fn written(fields: &Map<String, Value>) -> Option<MessageState> {
    let written = fields.get("written").and_then(Value::as_str).filter(|_| is_sealed(fields))?;
    Some(if written == DRAFT { MessageState::Draft } else { MessageState::Done })
}

pub(super) fn stays_on_device(fields: &Map<String, Value>) -> Option<bool> {
    fields.get("stays_on_device").and_then(Value::as_bool).filter(|_| is_sealed(fields))
}
