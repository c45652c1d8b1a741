//! What does a device write down? One operation, in strict, versioned JSON.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

use super::assistant::AssistantUse;
use super::attachment::{self, Attachment};
use super::clock::{Hlc, MS_MAX};
use super::step::ToolStep;
use crate::error::{ApiError, ErrorCode};
use crate::openai::{Place, PorticoInfo, Role, Usage};

/// Version of the operations that this build writes and understands.
pub const VERSION: u32 = 1;

/// Largest operation, as JSON.
pub const OP_MAX_BYTES: usize = 2 * 1024 * 1024;
pub const TITLE_MAX_CHARS: usize = 300;
pub const FOLDER_MAX_CHARS: usize = 100;
pub const TAG_MAX_CHARS: usize = 50;
pub const MODEL_MAX_BYTES: usize = 200;
/// Longest text of a message.
pub const TEXT_MAX_BYTES: usize = 1024 * 1024;
/// Longest name of a kept stream.
pub const STREAM_MAX_BYTES: usize = 100;
/// Most token ids that a message keeps for going on.
pub const TOKEN_IDS_MAX: usize = 64 * 1024;

/// One operation of the log: never changed once written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Op {
    /// [`VERSION`], or a later one whose body is [`Body::Unknown`].
    pub v: u32,
    /// UUIDv7, made by the client.
    pub id: Uuid,
    pub at: Hlc,
    pub body: Body,
}

/// What an operation does, tagged by `kind`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Body {
    CreateConversation {
        conversation: Uuid,
    },
    /// Writes one register of a conversation.
    Set {
        conversation: Uuid,
        setting: Setting,
    },
    AddMessage {
        conversation: Uuid,
        message: Uuid,
        /// The message before it; none for a conversation's first one.
        parent: Option<Uuid>,
        role: Role,
        content: MessageContent,
    },
    /// Writes a message's text and state: drafts while it streams, then how it ended.
    WriteMessage {
        message: Uuid,
        content: MessageContent,
    },
    /// Writes the `n`th step of an answer, from 0.
    WriteStep {
        message: Uuid,
        n: u32,
        step: ToolStep,
    },
    /// Puts a message, among its siblings, on the active branch.
    ChooseBranch {
        message: Uuid,
    },
    /// Puts a tag on a conversation, or takes it off.
    Tag {
        conversation: Uuid,
        tag: String,
        on: bool,
    },
    /// Out of the list and kept, or back.
    Archive {
        conversation: Uuid,
        archived: bool,
    },
    /// The assistant whose instructions and choices answers have from now on; none: no more.
    UseAssistant {
        conversation: Uuid,
        assistant: Option<AssistantUse>,
    },
    /// `deleted: false` takes a deletion back.
    DeleteConversation {
        conversation: Uuid,
        deleted: bool,
    },
    /// Hides a message and what hangs below it.
    DeleteMessage {
        message: Uuid,
        deleted: bool,
    },
    /// A kind or version that this build does not know: kept for those that do.
    #[serde(skip)]
    Unknown(Map<String, Value>),
}

const KINDS: [&str; 11] = [
    "create_conversation",
    "set",
    "add_message",
    "write_message",
    "write_step",
    "choose_branch",
    "tag",
    "archive",
    "use_assistant",
    "delete_conversation",
    "delete_message",
];

/// A register of a conversation and its new value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "name", content = "value", rename_all = "snake_case", deny_unknown_fields)]
pub enum Setting {
    /// None: the page makes one from the first message.
    Title(Option<String>),
    Folder(Option<String>),
    Pinned(bool),
    /// The catalogue's id of the model that answers here.
    Model(Option<String>),
    /// Nothing of this conversation may run on the server.
    StaysOnDevice(bool),
}

/// How far a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// Being written, or left behind by a tab that was killed.
    Draft,
    Done,
    /// The person stopped it.
    Stopped,
    Error,
}

/// A message's text and what is to be said about it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MessageContent {
    pub text: String,
    /// Files that the person attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
    pub state: MessageState,
    /// Where an answer ran, by which model and how fast.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portico: Option<PorticoInfo>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    /// Why it ended, in [`MessageState::Error`], or where not the person stopped it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<ApiError>,
    /// The generated tokens behind `text`, so that an unfinished answer can go on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub token_ids: Vec<u32>,
    /// The answer began elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moved: Option<Moved>,
    /// Where the server keeps an answer that it is writing: any tab may read on there, or stop it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stream: Option<String>,
}

/// An answer that went on in another place than where it began.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moved {
    pub from: Place,
    /// Why.
    pub code: ErrorCode,
}

impl MessageContent {
    /// A finished text.
    pub fn done(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            attachments: Vec::new(),
            state: MessageState::Done,
            portico: None,
            usage: None,
            error: None,
            token_ids: Vec::new(),
            moved: None,
            stream: None,
        }
    }
}

/// Why an operation is refused.
#[derive(Debug, thiserror::Error)]
pub enum OpError {
    #[error("the operation has {0} bytes: at most {OP_MAX_BYTES} are taken")]
    TooLarge(usize),
    #[error("the operation is no JSON object with v, id and at: {0}")]
    Envelope(String),
    #[error("`{0}` is no UUID of version 7")]
    Id(Uuid),
    #[error("the time {0} ms is out of range")]
    Time(u64),
    #[error("the operation's fields cannot be read: {0}")]
    Body(#[source] serde_json::Error),
    #[error("`{field}` is longer than the {max} allowed")]
    Field { field: &'static str, max: usize },
    #[error("a message cannot be its own parent")]
    OwnParent,
}

impl Op {
    pub fn new(id: Uuid, at: Hlc, body: Body) -> Self {
        Self { v: VERSION, id, at, body }
    }

    /// Reads an operation from JSON, bounded in size.
    ///
    /// # Errors
    /// Names what is wrong; an unknown kind or a later version is no error.
    pub fn from_json(json: &str) -> Result<Self, OpError> {
        if json.len() > OP_MAX_BYTES {
            return Err(OpError::TooLarge(json.len()));
        }
        let value: Value =
            serde_json::from_str(json).map_err(|error| OpError::Envelope(error.to_string()))?;
        Self::try_from(value)
    }

    pub fn to_json(&self) -> String {
        Value::from(self.clone()).to_string()
    }

    /// Checks limits: an operation that was made here goes through it before it is written.
    pub fn check(&self) -> Result<(), OpError> {
        is_v7(self.id)?;
        if self.at.ms > MS_MAX {
            return Err(OpError::Time(self.at.ms));
        }
        match &self.body {
            Body::CreateConversation { conversation }
            | Body::Archive { conversation, .. }
            | Body::DeleteConversation { conversation, .. } => is_v7(*conversation),
            Body::Tag { conversation, tag, .. } => {
                is_v7(*conversation)?;
                at_most("tag", tag.chars().count(), TAG_MAX_CHARS)
            }
            Body::Set { conversation, setting } => {
                is_v7(*conversation)?;
                setting.check()
            }
            Body::UseAssistant { conversation, assistant } => {
                is_v7(*conversation)?;
                assistant.as_ref().map_or(Ok(()), AssistantUse::check)
            }
            Body::AddMessage { conversation, message, parent, content, .. } => {
                is_v7(*conversation)?;
                is_v7(*message)?;
                parent.map_or(Ok(()), is_v7)?;
                if *parent == Some(*message) {
                    return Err(OpError::OwnParent);
                }
                content.check()
            }
            Body::WriteMessage { message, content } => {
                is_v7(*message)?;
                content.check()
            }
            Body::WriteStep { message, n, step } => {
                is_v7(*message)?;
                step.check(*n)
            }
            Body::ChooseBranch { message } | Body::DeleteMessage { message, .. } => is_v7(*message),
            Body::Unknown(_) => Ok(()),
        }
    }
}

impl Setting {
    fn check(&self) -> Result<(), OpError> {
        match self {
            Self::Title(Some(title)) => at_most("title", title.chars().count(), TITLE_MAX_CHARS),
            Self::Folder(Some(folder)) => {
                at_most("folder", folder.chars().count(), FOLDER_MAX_CHARS)
            }
            Self::Model(Some(model)) => at_most("model", model.len(), MODEL_MAX_BYTES),
            Self::Title(None)
            | Self::Folder(None)
            | Self::Model(None)
            | Self::Pinned(_)
            | Self::StaysOnDevice(_) => Ok(()),
        }
    }
}

impl MessageContent {
    fn check(&self) -> Result<(), OpError> {
        let attached_bytes: usize = self.attachments.iter().map(|one| one.text.len()).sum();
        at_most("text", self.text.len() + attached_bytes, TEXT_MAX_BYTES)?;
        attachment::check(&self.attachments)?;
        at_most("token_ids", self.token_ids.len(), TOKEN_IDS_MAX)?;
        at_most("stream", self.stream.as_ref().map_or(0, String::len), STREAM_MAX_BYTES)?;
        let model_bytes = self.portico.as_ref().map_or(0, |portico| portico.model.len());
        at_most("model", model_bytes, MODEL_MAX_BYTES)
    }
}

pub(super) fn at_most(field: &'static str, length: usize, max: usize) -> Result<(), OpError> {
    if length > max { Err(OpError::Field { field, max }) } else { Ok(()) }
}

fn is_v7(id: Uuid) -> Result<(), OpError> {
    if id.get_version_num() == 7 { Ok(()) } else { Err(OpError::Id(id)) }
}

#[derive(Deserialize)]
struct Envelope {
    v: u32,
    id: Uuid,
    at: Hlc,
}

impl TryFrom<Value> for Op {
    type Error = OpError;

    fn try_from(value: Value) -> Result<Self, OpError> {
        let envelope = |error: serde_json::Error| OpError::Envelope(error.to_string());
        let Value::Object(mut fields) = value else {
            return Err(OpError::Envelope("it is no object".to_owned()));
        };
        let mut head = Map::new();
        for name in ["v", "id", "at"] {
            head.extend(fields.remove_entry(name));
        }
        let Envelope { v, id, at } =
            serde_json::from_value(Value::Object(head)).map_err(envelope)?;
        if v < VERSION {
            return Err(OpError::Envelope(format!("there is no version {v}")));
        }
        let kind = fields.get("kind").and_then(Value::as_str);
        let Some(kind) = kind else {
            return Err(OpError::Envelope("`kind` is missing".to_owned()));
        };
        let body = if v == VERSION && KINDS.contains(&kind) {
            serde_json::from_value(Value::Object(fields)).map_err(OpError::Body)?
        } else {
            Body::Unknown(fields)
        };
        let op = Self { v, id, at, body };
        op.check()?;
        Ok(op)
    }
}

impl From<Op> for Value {
    fn from(op: Op) -> Self {
        let mut fields = match op.body {
            Body::Unknown(fields) => fields,
            known => match serde_json::to_value(known) {
                Ok(Value::Object(fields)) => fields,
                // A body is a struct of strings, numbers and lists: JSON can always hold it.
                other => unreachable!("an operation's body became {other:?}"),
            },
        };
        fields.insert("v".to_owned(), op.v.into());
        fields.insert("id".to_owned(), op.id.to_string().into());
        let at = [("ms".to_owned(), op.at.ms.into()), ("n".to_owned(), op.at.n.into())];
        fields.insert("at".to_owned(), Value::Object(at.into_iter().collect()));
        Value::Object(fields)
    }
}
