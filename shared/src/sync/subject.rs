//! What is an operation about? For those who carry operations and do not merge them.

use serde_json::Value;
use uuid::Uuid;

use super::op::{Body, MessageState, Setting};
use super::sealed;

impl Body {
    /// The conversation that it names; one on a message alone names none. Also that of an operation
    /// of an unknown kind, where it names it in the way that the known ones do.
    pub fn conversation(&self) -> Option<Uuid> {
        match self {
            Self::CreateConversation { conversation }
            | Self::Set { conversation, .. }
            | Self::AddMessage { conversation, .. }
            | Self::Tag { conversation, .. }
            | Self::Archive { conversation, .. }
            | Self::UseAssistant { conversation, .. }
            | Self::DeleteConversation { conversation, .. } => Some(*conversation),
            Self::WriteMessage { .. }
            | Self::WriteStep { .. }
            | Self::ChooseBranch { .. }
            | Self::DeleteMessage { .. } => None,
            Self::Unknown(fields) => id_in(fields.get("conversation")),
        }
    }

    /// The message that it names.
    pub fn message(&self) -> Option<Uuid> {
        match self {
            Self::AddMessage { message, .. }
            | Self::WriteMessage { message, .. }
            | Self::WriteStep { message, .. }
            | Self::ChooseBranch { message }
            | Self::DeleteMessage { message, .. } => Some(*message),
            Self::CreateConversation { .. }
            | Self::Set { .. }
            | Self::Tag { .. }
            | Self::Archive { .. }
            | Self::UseAssistant { .. }
            | Self::DeleteConversation { .. } => None,
            Self::Unknown(fields) => id_in(fields.get("message")),
        }
    }

    /// The state of the text that it writes over an earlier one.
    pub fn written(&self) -> Option<MessageState> {
        match self {
            Self::WriteMessage { content, .. } => Some(content.state),
            Self::Unknown(fields) => sealed::written(fields),
            _ => None,
        }
    }

    /// Whether its conversation stays on a device from now on; None: it says nothing of that.
    pub fn stays_on_device(&self) -> Option<bool> {
        match self {
            Self::Set { setting: Setting::StaysOnDevice(stays), .. } => Some(*stays),
            Self::Unknown(fields) => sealed::stays_on_device(fields),
            _ => None,
        }
    }

    /// Only the person's own devices can read what it does.
    pub fn is_sealed(&self) -> bool {
        matches!(self, Self::Unknown(fields) if sealed::is_sealed(fields))
    }
}

fn id_in(field: Option<&Value>) -> Option<Uuid> {
    Uuid::try_parse(field?.as_str()?).ok()
}
