//! How does an answer look on the wire? The same JSON from the page's worker and from the server.

use super::delta::{Delta, ScoredToken};
use crate::openai::{
    ChatChoice, ChatCompletion, ChatCompletionChunk, ChatLogprobs, ChatMessage, ChunkChoice,
    Completion, CompletionChoice, CompletionLogprobs, Delta as ChunkDelta, FinishReason,
    FunctionCall, FunctionDelta, PorticoInfo, Role, TokenLogprob, ToolCall, ToolCallDelta,
    ToolKind, TopLogprob, Usage,
};
use crate::tools::CallDelta;

/// What every piece of one answer begins with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnswerHead {
    /// `chatcmpl-…` or `cmpl-…`, unique.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The catalogue's id of the model.
    pub model: String,
}

/// An answer collected from its deltas.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answer {
    whole: Delta,
}

impl Answer {
    pub fn add(&mut self, delta: Delta) {
        self.whole.text.push_str(&delta.text);
        for call in delta.calls {
            match self.whole.calls.iter_mut().find(|own| own.index == call.index) {
                Some(own) => own.arguments.push_str(&call.arguments),
                None => self.whole.calls.push(call),
            }
        }
        self.whole.token_ids.extend(delta.token_ids);
        self.whole.scores.extend(delta.scores);
    }

    pub fn text(&self) -> &str {
        &self.whole.text
    }
}

impl AnswerHead {
    /// A chat stream's first chunk: who speaks.
    pub fn chat_opening(&self) -> ChatCompletionChunk {
        let delta = ChunkDelta {
            role: Some(Role::Assistant),
            content: Some(String::new()),
            ..ChunkDelta::default()
        };
        self.chat_chunk(ChunkChoice { index: 0, delta, logprobs: None, finish_reason: None })
    }

    pub fn chat_delta(&self, delta: &Delta) -> ChatCompletionChunk {
        self.chat_chunk(ChunkChoice {
            index: 0,
            delta: ChunkDelta {
                // Where there is nothing but a call, no words are claimed.
                content: (!delta.text.is_empty() || delta.calls.is_empty())
                    .then(|| delta.text.clone()),
                tool_calls: (!delta.calls.is_empty())
                    .then(|| delta.calls.iter().map(|call| self.call_delta(call)).collect()),
                token_ids: delta.token_ids.clone(),
                ..ChunkDelta::default()
            },
            logprobs: chat_logprobs(&delta.scores),
            finish_reason: None,
        })
    }

    /// A chat stream's last chunk.
    pub fn chat_end(
        &self,
        reason: FinishReason,
        usage: Option<Usage>,
        portico: Option<PorticoInfo>,
    ) -> ChatCompletionChunk {
        let delta = ChunkDelta::default();
        let choice = ChunkChoice { index: 0, delta, logprobs: None, finish_reason: Some(reason) };
        ChatCompletionChunk { usage, portico, ..self.chat_chunk(choice) }
    }

    pub fn chat_whole(
        &self,
        answer: &Answer,
        reason: FinishReason,
        usage: Usage,
        portico: PorticoInfo,
    ) -> ChatCompletion {
        ChatCompletion {
            id: self.id.clone(),
            object: "chat.completion".to_owned(),
            created: self.created,
            model: self.model.clone(),
            choices: vec![ChatChoice {
                index: 0,
                message: self.message(&answer.whole),
                logprobs: chat_logprobs(&answer.whole.scores),
                finish_reason: reason,
            }],
            usage,
            portico,
        }
    }

    fn message(&self, whole: &Delta) -> ChatMessage {
        let text = &whole.text;
        let calls: Vec<ToolCall> = whole
            .calls
            .iter()
            .map(|call| ToolCall {
                id: self.call_id(call.index),
                kind: ToolKind::Function,
                function: FunctionCall {
                    name: call.name.clone().unwrap_or_default(),
                    arguments: call.arguments.clone(),
                },
            })
            .collect();
        ChatMessage {
            content: (!text.is_empty() || calls.is_empty()).then(|| text.clone().into()),
            tool_calls: (!calls.is_empty()).then_some(calls),
            ..ChatMessage::new(Role::Assistant, "")
        }
    }

    fn call_delta(&self, call: &CallDelta) -> ToolCallDelta {
        let is_first = call.name.is_some();
        ToolCallDelta {
            index: call.index,
            id: is_first.then(|| self.call_id(call.index)),
            kind: is_first.then_some(ToolKind::Function),
            function: FunctionDelta {
                name: call.name.clone(),
                arguments: Some(call.arguments.clone()),
            },
        }
    }

    /// Nine letters and digits, as Mistral's templates demand; unique as the answer's id is.
    fn call_id(&self, index: u32) -> String {
        const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        // FNV-1a (Fowler, Noll, Vo), 64 bits.
        let bytes = self.id.bytes().chain(index.to_le_bytes());
        let mut hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        let mut digit = || {
            let digit = DIGITS[(hash % 62) as usize];
            hash /= 62;
            char::from(digit)
        };
        (0..9).map(|_| digit()).collect()
    }

    pub fn completion_delta(&self, delta: &Delta) -> Completion {
        self.completion(CompletionChoice {
            index: 0,
            text: delta.text.clone(),
            logprobs: completion_logprobs(&delta.scores),
            finish_reason: None,
            token_ids: delta.token_ids.clone(),
        })
    }

    /// A completion stream's last event.
    pub fn completion_end(
        &self,
        reason: FinishReason,
        usage: Option<Usage>,
        portico: Option<PorticoInfo>,
    ) -> Completion {
        let ending = CompletionChoice {
            index: 0,
            text: String::new(),
            logprobs: None,
            finish_reason: Some(reason),
            token_ids: Vec::new(),
        };
        Completion { usage, portico, ..self.completion(ending) }
    }

    pub fn completion_whole(
        &self,
        answer: &Answer,
        reason: FinishReason,
        usage: Usage,
        portico: PorticoInfo,
    ) -> Completion {
        let whole = self.completion_delta(&answer.whole);
        let choices = whole
            .choices
            .into_iter()
            .map(|choice| CompletionChoice { finish_reason: Some(reason), ..choice })
            .collect();
        Completion { choices, usage: Some(usage), portico: Some(portico), ..whole }
    }

    fn chat_chunk(&self, choice: ChunkChoice) -> ChatCompletionChunk {
        ChatCompletionChunk {
            id: self.id.clone(),
            object: "chat.completion.chunk".to_owned(),
            created: self.created,
            model: self.model.clone(),
            choices: vec![choice],
            usage: None,
            portico: None,
        }
    }

    fn completion(&self, choice: CompletionChoice) -> Completion {
        Completion {
            id: self.id.clone(),
            object: "text_completion".to_owned(),
            created: self.created,
            model: self.model.clone(),
            choices: vec![choice],
            usage: None,
            portico: None,
        }
    }
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn top_ids(token: &ScoredToken) -> Option<Vec<u32>> {
    token.logprob.map(|_| token.top.iter().map(|alternative| alternative.id).collect())
}

fn chat_logprobs(scores: &[ScoredToken]) -> Option<ChatLogprobs> {
    if scores.is_empty() {
        return None;
    }
    let content = scores.iter().map(|token| TokenLogprob {
        token: lossy(&token.bytes),
        // A chat never echoes, so every token has one.
        logprob: token.logprob.unwrap_or_default(),
        bytes: Some(token.bytes.clone()),
        top_logprobs: token
            .top
            .iter()
            .map(|alternative| TopLogprob {
                token: lossy(&alternative.bytes),
                logprob: alternative.logprob,
                bytes: Some(alternative.bytes.clone()),
            })
            .collect(),
    });
    Some(ChatLogprobs {
        content: content.collect(),
        token_ids: scores.iter().map(|token| token.id).collect(),
        top_token_ids: scores.iter().map(top_ids).collect(),
    })
}

fn completion_logprobs(scores: &[ScoredToken]) -> Option<CompletionLogprobs> {
    if scores.is_empty() {
        return None;
    }
    let top = |token: &ScoredToken| {
        token.logprob.map(|_| {
            token.top.iter().rev().map(|other| (lossy(&other.bytes), other.logprob)).collect()
        })
    };
    Some(CompletionLogprobs {
        tokens: scores.iter().map(|token| lossy(&token.bytes)).collect(),
        token_logprobs: scores.iter().map(|token| token.logprob).collect(),
        top_logprobs: scores.iter().map(top).collect(),
        text_offset: scores.iter().map(|token| token.offset_chars).collect(),
        token_ids: scores.iter().map(|token| token.id).collect(),
        top_token_ids: scores.iter().map(top_ids).collect(),
    })
}
