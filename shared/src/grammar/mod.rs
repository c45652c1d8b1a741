//! Which tokens may an answer go on with, so that its text has the form that was asked for?
//!
//! A [`Grammar`] says the form, as plain data. [`GrammarEnv`] (feature `grammar`) makes a
//! [`Constraint`] of it for one model's vocabulary, by llguidance: it sets the logits of every token
//! that the form forbids to −∞ before sampling. The page's worker has the same behind [`Constrain`],
//! in a Wasm of its own that is only fetched when a request needs it.
//!
//! **Limits**, for a form comes from a stranger: [`GRAMMAR_BYTES_MAX`], [`REGEX_BYTES_MAX`],
//! [`SCHEMA_DEPTH_MAX`], and in [`GrammarEnv`] bounds on the work of compiling and of each mask. JSON
//! schemas may use what llguidance implements (no `not`, `if`, `uniqueItems`, `$ref` into other
//! documents, or `oneOf` whose branches overlap); the rest is refused by its name rather than
//! ignored. Where `max_tokens` or the context leaves no room, the text is brought to an end of its
//! form if one is near enough ([`Constrain::land`]). JSON is written on one line, `, ` and `: ` between its parts, so that no model spends its
//! tokens on blanks.

mod formats;
mod table;

#[cfg(feature = "grammar")]
mod constraint;
#[cfg(feature = "grammar")]
mod landing;
#[cfg(test)]
#[cfg(feature = "grammar")]
mod tests;

#[cfg(feature = "grammar")]
pub use constraint::{Constraint, GrammarEnv};
pub use table::TokenTable;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::error::ApiError;
use crate::openai::ResponseFormat;
use crate::sampling::invalid;

/// Bytes of a JSON schema or of a Lark grammar.
pub const GRAMMAR_BYTES_MAX: usize = 64 << 10;
/// Bytes of a regular expression.
pub const REGEX_BYTES_MAX: usize = 4 << 10;
/// Values inside values of a JSON schema: a worker's stack is 1 MiB.
pub const SCHEMA_DEPTH_MAX: usize = 64;

/// The form of a text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grammar {
    JsonSchema(Value),
    /// Matched from the first to the last character.
    Regex(String),
    /// Derived from the rule `start`.
    Lark(String),
}

/// Holds an answer to its form, token by token.
pub trait Constrain: Send {
    /// Sets the logits of tokens that may not come next to −∞.
    ///
    /// # Errors
    /// `invalid_request` where the form asks more work of one token than is granted.
    fn mask(&mut self, logits: &mut [f32]) -> Result<(), ApiError>;

    /// The token to take where `n_left` more may come, this one among them: `id`, unless the text
    /// could not become whole behind it any more and a shorter way is known. A text that is cut is
    /// then still of its form.
    ///
    /// # Errors
    /// As [`Self::mask`].
    fn land(&mut self, id: u32, n_left: u32) -> Result<u32, ApiError>;

    /// Takes a token that the mask allowed; never one that ends the answer.
    ///
    /// # Errors
    /// `invalid_request` for a token that does not follow the form.
    fn accept(&mut self, id: u32) -> Result<(), ApiError>;

    /// Whether the text is whole and nothing can follow.
    fn is_finished(&self) -> bool;
}

impl Grammar {
    /// The form that a request asks for; none for any text.
    ///
    /// # Errors
    /// `invalid_request` for one that is too large or too deep.
    pub fn of_format(format: &ResponseFormat) -> Result<Option<Self>, ApiError> {
        let grammar = match format {
            ResponseFormat::Text => return Ok(None),
            ResponseFormat::JsonObject => Self::JsonSchema(any_object()),
            ResponseFormat::JsonSchema { json_schema } => {
                Self::JsonSchema(json_schema.schema.clone().unwrap_or_else(any_object))
            }
            ResponseFormat::Regex { regex } => Self::Regex(regex.clone()),
            ResponseFormat::Lark { lark } => Self::Lark(lark.clone()),
        };
        grammar.check()?;
        Ok(Some(grammar))
    }

    /// # Errors
    /// `invalid_request` for a form that is too large or too deep.
    pub fn check(&self) -> Result<(), ApiError> {
        let (bytes, bytes_max) = match self {
            Self::JsonSchema(schema) => {
                check_schema(schema)?;
                (schema.to_string().len(), GRAMMAR_BYTES_MAX)
            }
            Self::Regex(regex) => (regex.len(), REGEX_BYTES_MAX),
            Self::Lark(lark) => (lark.len(), GRAMMAR_BYTES_MAX),
        };
        if bytes > bytes_max {
            let fault = format!("has {bytes} bytes: at most {bytes_max} are read");
            return Err(invalid("response_format", &fault));
        }
        Ok(())
    }
}

/// # Errors
/// `invalid_request` for what is no JSON schema or is nested too deeply.
pub(crate) fn check_schema(schema: &Value) -> Result<(), ApiError> {
    if !schema.is_object() && !schema.is_boolean() {
        return Err(invalid("schema", "must be an object"));
    }
    if depth(schema) > SCHEMA_DEPTH_MAX {
        let fault = format!("is nested deeper than {SCHEMA_DEPTH_MAX} values");
        return Err(invalid("schema", &fault));
    }
    Ok(())
}

/// The schema with how its JSON is to be laid out, in llguidance's key for it.
pub(crate) fn laid_out(schema: &Value) -> Value {
    let mut schema = match schema {
        Value::Object(fields) => fields.clone(),
        Value::Bool(false) => [("not".to_owned(), json!({}))].into_iter().collect(),
        _ => serde_json::Map::new(),
    };
    let layout =
        json!({ "item_separator": ", ", "key_separator": ": ", "whitespace_flexible": false });
    schema.insert("x-guidance".to_owned(), layout);
    let mut schema = Value::Object(schema);
    formats::make_exact(&mut schema);
    schema
}

/// Sets the logits of tokens whose bit is 0 to −∞, and those of rows that are no token's.
pub fn apply_mask(allowed: &[u32], logits: &mut [f32]) {
    for (word, logits) in logits.chunks_mut(32).enumerate() {
        let bits = allowed.get(word).copied().unwrap_or(0);
        for (bit, logit) in logits.iter_mut().enumerate() {
            if bits >> bit & 1 == 0 {
                *logit = f32::NEG_INFINITY;
            }
        }
    }
}

fn any_object() -> Value {
    json!({ "type": "object" })
}

/// Without recursion: the value is a stranger's.
fn depth(value: &Value) -> usize {
    let mut deepest = 0;
    let mut left = vec![(value, 1)];
    while let Some((value, depth)) = left.pop() {
        deepest = deepest.max(depth);
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(fields) => left.extend(fields.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    deepest
}
