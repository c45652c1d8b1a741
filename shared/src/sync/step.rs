//! What did an answer do between its words? Calls of tools, each with what became of it.

use serde::{Deserialize, Serialize};

use super::op::{OpError, at_most};

/// Most steps of one message.
pub const STEPS_MAX: u32 = 64;
/// Longest id or name of a call.
pub const STEP_NAME_MAX_BYTES: usize = 200;
/// Longest arguments, as the model wrote them, and longest result.
pub const STEP_TEXT_MAX_BYTES: usize = 64 * 1024;
/// The name of a step that is no call: what another program's model thought, as an import has it.
pub const REASONING: &str = "reasoning";

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolStep {
    /// By which the model's next turn knows it.
    pub id: String,
    /// Calls of one turn of the model have the same.
    pub round: u32,
    /// Bytes of the message's text that stand before it.
    pub at: u32,
    pub name: String,
    /// JSON, as the model wrote it.
    pub arguments: String,
    pub state: StepState,
    /// What it gave, or why it gave nothing: what the model is shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<String>,
}

/// How far a call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StepState {
    /// Its turn has not come.
    Called,
    /// The person is asked whether it may run.
    Waiting,
    Running,
    Done,
    /// The person said no.
    Refused,
    Failed,
    TimedOut,
    /// The person stopped the answer before it was over.
    Stopped,
}

impl StepState {
    pub fn is_over(self) -> bool {
        !matches!(self, Self::Called | Self::Waiting | Self::Running)
    }

    /// As the log spells it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::Waiting => "waiting",
            Self::Running => "running",
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::TimedOut => "timed_out",
            Self::Stopped => "stopped",
        }
    }
}

impl ToolStep {
    pub(super) fn check(&self, n: u32) -> Result<(), OpError> {
        at_most("n", n as usize, STEPS_MAX as usize - 1)?;
        at_most("id", self.id.len(), STEP_NAME_MAX_BYTES)?;
        at_most("name", self.name.len(), STEP_NAME_MAX_BYTES)?;
        at_most("arguments", self.arguments.len(), STEP_TEXT_MAX_BYTES)?;
        at_most("result", self.result.as_ref().map_or(0, String::len), STEP_TEXT_MAX_BYTES)
    }
}
