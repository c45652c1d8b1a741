//! `tokenize` and `detokenize`: what a model makes of a text. Not OpenAI's; the shape is vLLM's.

use serde::{Deserialize, Serialize};

use super::{ChatMessage, Tool};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TokenizeRequest {
    pub model: String,
    #[serde(flatten)]
    pub what: TokenizeWhat,
    /// Whether the tokens that the model expects around a text are added; a conversation's template
    /// writes them itself.
    #[serde(default = "yes")]
    pub add_special_tokens: bool,
    /// Whether the tokens' texts are answered too.
    #[serde(default)]
    pub return_token_strs: bool,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum TokenizeWhat {
    Text {
        prompt: String,
    },
    Chat {
        messages: Vec<ChatMessage>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tools: Option<Vec<Tool>>,
    },
}

fn yes() -> bool {
    true
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokenized {
    pub count: usize,
    /// Tokens that the model's context holds.
    pub max_model_len: u32,
    pub tokens: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_strs: Option<Vec<String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetokenizeRequest {
    pub model: String,
    pub tokens: Vec<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detokenized {
    pub prompt: String,
}
