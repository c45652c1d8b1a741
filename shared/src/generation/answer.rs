//! How does an answer look on the wire? The same JSON from the page's worker and from the server.

use super::delta::{Delta, ScoredToken};
use crate::openai::{
    ChatChoice, ChatCompletion, ChatCompletionChunk, ChatLogprobs, ChatMessage, ChunkChoice,
    Completion, CompletionChoice, CompletionLogprobs, Delta as ChunkDelta, FinishReason,
    PorticoInfo, Role, TokenLogprob, TopLogprob, Usage,
};

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
                content: Some(delta.text.clone()),
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
                message: ChatMessage::new(Role::Assistant, answer.whole.text.clone()),
                logprobs: chat_logprobs(&answer.whole.scores),
                finish_reason: reason,
            }],
            usage,
            portico,
        }
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
