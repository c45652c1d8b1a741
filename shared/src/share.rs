//! What of a conversation is shared inside a house? A snapshot of the branch that is shown: what was said, by
//! which model and where, and the names of what it rests on.
//!
//! Texts of documents are not in it, for its readers may not have the right to read them: neither passages of
//! sources, nor what was read from attached files, nor what tools were asked and gave. An answer that quotes a
//! document is there as it was written; the person who shares it is told so.

use serde::{Deserialize, Serialize};

use crate::error::{ApiError, ErrorCode};
use crate::openai::{Place, Role};
use crate::sync::{MODEL_MAX_BYTES, MessageState, MessageView, TEXT_MAX_BYTES, TITLE_MAX_CHARS};

/// Largest snapshot, as JSON.
pub const SNAPSHOT_MAX_BYTES: usize = 1 << 20;
pub const SNAPSHOT_MESSAGES_MAX: usize = 2_000;
/// Most sources, files or tools of one message.
const NAMES_MAX: usize = 64;
const NAME_MAX_CHARS: usize = 300;
/// The end of the year 9999.
const MS_MAX: u64 = 253_402_300_799_999;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    /// Empty: it has none.
    pub title: String,
    pub messages: Vec<SharedMessage>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedMessage {
    pub role: Role,
    /// Markdown.
    pub text: String,
    /// When it was written, in milliseconds since 1970.
    pub at_ms: u64,
    /// The catalogue's id of the model that answered, and where.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SharedSource>,
    /// Names of files that were attached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<String>,
    /// Names of tools that were called.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
    /// It was stopped, or failed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_cut: bool,
}

/// A document that an answer could rest on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedSource {
    /// As the text names it, from 1.
    pub n: u32,
    pub name: String,
}

impl Snapshot {
    /// Of the messages that are shown.
    pub fn of(title: Option<&str>, thread: &[MessageView<'_>]) -> Self {
        let messages = thread.iter().filter(|message| message.role != Role::System);
        Self {
            title: cut(title.unwrap_or_default(), TITLE_MAX_CHARS),
            messages: messages.map(SharedMessage::of).collect(),
        }
    }

    /// # Errors
    /// `invalid_request`, `share_too_large`.
    pub fn check(&self) -> Result<(), ApiError> {
        let too_large = || ApiError::new(ErrorCode::ShareTooLarge);
        if self.messages.len() > SNAPSHOT_MESSAGES_MAX {
            return Err(too_large());
        }
        let invalid =
            |reason: &str| ApiError::new(ErrorCode::InvalidRequest).with("reason", reason);
        if self.messages.is_empty() {
            return Err(invalid("a snapshot has at least one message"));
        }
        let fits = |text: &str| text.chars().count() <= NAME_MAX_CHARS;
        let is_name = |text: &str| !text.is_empty() && fits(text);
        let is_good = |message: &SharedMessage| {
            let lists = [message.sources.len(), message.attachments.len(), message.tools.len()];
            let sources = message.sources.iter().map(|source| &source.name);
            let mut names = sources.chain(&message.attachments).chain(&message.tools);
            message.role != Role::System
                && message.text.len() <= TEXT_MAX_BYTES
                && message.at_ms <= MS_MAX
                && message.model.as_ref().is_none_or(|model| model.len() <= MODEL_MAX_BYTES)
                && lists.into_iter().all(|n| n <= NAMES_MAX)
                && names.all(|name| is_name(name))
        };
        let has_title = self.title.chars().count() <= TITLE_MAX_CHARS;
        match has_title && self.messages.iter().all(is_good) {
            true => Ok(()),
            false => Err(invalid("a snapshot's title, text, model or names are out of range")),
        }
    }
}

impl SharedMessage {
    fn of(message: &MessageView<'_>) -> Self {
        let content = message.content;
        let portico = content.portico.as_ref();
        let sources = portico.and_then(|portico| portico.sources.as_deref()).unwrap_or_default();
        let sources = sources
            .iter()
            .map(|source| SharedSource { n: source.n, name: cut(&source.name, NAME_MAX_CHARS) });
        let names = |names: &mut dyn Iterator<Item = &String>| {
            names.map(|name| cut(name, NAME_MAX_CHARS)).take(NAMES_MAX).collect()
        };
        Self {
            role: message.role,
            text: content.text.clone(),
            at_ms: message.created_ms,
            model: portico.map(|portico| portico.model.clone()),
            place: portico.map(|portico| portico.place),
            sources: sources.filter(|source| !source.name.is_empty()).take(NAMES_MAX).collect(),
            attachments: names(&mut content.attachments.iter().map(|one| &one.name)),
            tools: names(&mut message.steps.iter().map(|step| &step.name)),
            is_cut: content.state != MessageState::Done,
        }
    }
}

fn cut(text: &str, max_chars: usize) -> String {
    text.trim().chars().take(max_chars).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::sync::{Body, Hlc, Merge, MessageContent, Op, ToolStep, uuid_v7};

    /// Said nowhere but in texts that readers may have no right to.
    const HIDDEN: &str = "Zwetschgengeheimnis";

    fn snapshot() -> Snapshot {
        let id = |n: u8| uuid_v7(1_000, &[n; 10]);
        let mut content = MessageContent::done("Look at [1].");
        content.portico = serde_json::from_value(json!({
            "place": "server", "model": "smol", "time_to_first_token_ms": null,
            "prefill_tokens_per_s": null, "decode_tokens_per_s": null, "query": HIDDEN,
            "sources": [{ "n": 1, "passage": id(8), "document": id(9), "name": "Handbook.pdf", "text": HIDDEN }],
        }))
        .unwrap();
        let mut question = MessageContent::done("Where?");
        question.attachments =
            serde_json::from_value(json!([{ "name": "notes.txt", "text": HIDDEN,
            "media_type": "text/plain", "size_bytes": 20, "sha256": "0".repeat(64) }]))
            .unwrap_or_default();
        let step = ToolStep {
            id: "1".into(),
            round: 0,
            at: 0,
            name: "search_documents".into(),
            arguments: HIDDEN.into(),
            state: crate::sync::StepState::Done,
            result: Some(HIDDEN.into()),
        };
        let conversation = id(1);
        let add = |message, parent, role, content| Body::AddMessage {
            conversation,
            message,
            parent,
            role,
            content,
        };
        let bodies = [
            Body::CreateConversation { conversation },
            add(id(2), None, Role::User, question),
            add(id(3), Some(id(2)), Role::Assistant, content),
            Body::WriteStep { message: id(3), n: 0, step },
            // Another branch, which is not shown.
            add(id(4), None, Role::User, MessageContent::done(HIDDEN)),
            Body::ChooseBranch { message: id(2) },
        ];
        let ops = bodies.into_iter().zip(20_u8..);
        let ops: Vec<Op> =
            ops.map(|(body, n)| Op::new(id(n), Hlc { ms: n.into(), n: 0 }, body)).collect();
        let merge = Merge::from_ops(&ops);
        Snapshot::of(Some(" Search "), &merge.thread(conversation))
    }

    #[test]
    fn names_are_shared_and_no_text_of_documents() {
        let snapshot = snapshot();
        let json = serde_json::to_string(&snapshot).unwrap();
        assert!(!json.contains(HIDDEN), "{json}");
        let [question, answer] = &snapshot.messages[..] else { panic!("{json}") };
        assert_eq!((snapshot.title.as_str(), question.text.as_str()), ("Search", "Where?"));
        assert_eq!(answer.sources, [SharedSource { n: 1, name: "Handbook.pdf".into() }]);
        assert_eq!(answer.tools, ["search_documents"]);
        assert_eq!((answer.model.as_deref(), answer.place), (Some("smol"), Some(Place::Server)));
        assert_eq!(question.attachments, ["notes.txt"]);
        assert!(snapshot.check().is_ok());
        assert_eq!(serde_json::from_str::<Snapshot>(&json).unwrap(), snapshot);
    }

    #[test]
    fn what_is_out_of_range_is_refused() {
        #[track_caller]
        fn check(change: impl FnOnce(&mut Snapshot), code: ErrorCode) {
            let mut changed = snapshot();
            change(&mut changed);
            assert_eq!(changed.check().err().map(|error| error.code), Some(code));
        }
        check(|all| all.messages.clear(), ErrorCode::InvalidRequest);
        check(|all| all.title = "a".repeat(301), ErrorCode::InvalidRequest);
        check(|all| all.messages[0].role = Role::System, ErrorCode::InvalidRequest);
        check(|all| all.messages[1].tools = vec![String::new()], ErrorCode::InvalidRequest);
        check(|all| all.messages[1].tools = vec!["a".into(); 65], ErrorCode::InvalidRequest);
        let many = vec![snapshot().messages[0].clone(); SNAPSHOT_MESSAGES_MAX + 1];
        check(|all| all.messages = many, ErrorCode::ShareTooLarge);
        let more = json!({ "title": "", "messages": [], "operations": [] });
        assert!(serde_json::from_value::<Snapshot>(more).is_err());
    }
}
