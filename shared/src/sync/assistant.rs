//! With which assistant does a conversation go on?

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::op::{OpError, at_most};

pub const ASSISTANT_NAME_MAX_CHARS: usize = 100;

/// An assistant as a conversation remembers it: what it does is asked of the house anew for each answer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssistantUse {
    pub id: Uuid,
    /// To say whose place is empty once it is gone.
    pub name: String,
    /// The last one that the person was told of.
    pub revision: u64,
}

impl AssistantUse {
    pub(super) fn check(&self) -> Result<(), OpError> {
        at_most("assistant", self.name.chars().count(), ASSISTANT_NAME_MAX_CHARS)
    }
}
