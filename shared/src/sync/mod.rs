//! How do conversations live on several devices without losing a word? As an append-only log of
//! operations, merged into one state.
//!
//! A device writes [`Op`]s and never changes them. [`Merge`] turns any set of operations into the
//! state of the conversations: in any order, any number of times, the same state comes out, so a log
//! can be pushed, pulled and repeated without care.
//!
//! - Conversations' settings are last-writer-wins registers ordered by a hybrid logical clock
//!   ([`Hlc`]), the operation's id deciding between equals.
//! - Messages form a tree by parent ids; an edit is a sibling. Of siblings the one that was added or
//!   chosen last is on the active branch.
//! - A message's text is a register too, in which a finished text always stands before a draft: a
//!   late draft of a killed tab loses nothing.
//! - Steps of an answer (calls of tools) are registers beside its text, by their number.
//! - Deleting writes a register, so that undoing is one more write.
//! - What is known of a conversation without its messages is its [`Head`]: a device that has the heads
//!   shows the list, and fetches messages when they are wanted.
//! - What goes between a device and its server stands in [`wire`].
//! - Operations of unknown kinds or later versions are kept as they are and have no effect.

mod assistant;
mod attachment;
mod clock;
mod head;
mod merge;
mod op;
mod query;
mod register;
mod sealed;
mod search;
mod step;
mod subject;
pub mod wire;

pub use assistant::{ASSISTANT_NAME_MAX_CHARS, AssistantUse};
pub use attachment::{ATTACHMENTS_MAX, Attachment, with_attachments, without_attachments};
pub use clock::{Clock, ClockDrift, DRIFT_MAX_MS, Hlc, MS_MAX, uuid_v7};
pub use head::Head;
pub use merge::Merge;
pub use op::{
    Body, FOLDER_MAX_CHARS, MODEL_MAX_BYTES, MessageContent, MessageState, Moved, OP_MAX_BYTES, Op,
    OpError, STREAM_MAX_BYTES, Setting, TAG_MAX_CHARS, TEXT_MAX_BYTES, TITLE_MAX_CHARS,
    TOKEN_IDS_MAX, VERSION,
};
pub use query::{ConversationView, MessageView};
pub use sealed::Sealed;
pub use search::{Decompose, Hit, Search, decomposed, fold};
pub use step::{
    REASONING, STEP_NAME_MAX_BYTES, STEP_TEXT_MAX_BYTES, STEPS_MAX, StepState, ToolStep,
};

#[cfg(test)]
mod tests;
