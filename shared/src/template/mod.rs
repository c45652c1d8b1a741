//! How does a conversation become a prompt, as the model's own template says?
//!
//! Templates are Jinja as Hugging Face's `apply_chat_template` runs it: `trim_blocks` and
//! `lstrip_blocks`, loop controls, Python's string methods, `raise_exception`, `strftime_now`,
//! `tojson` in Python's spelling, `{% generation %}` without effect. A template comes from a stranger:
//! its work and memory are bounded by fuel.

mod clock;
mod error;
mod json;
mod messages;

#[cfg(test)]
mod tests;

use std::fmt;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, ErrorKind, Value};

pub use error::TemplateError;

use crate::gguf::Metadata;
use crate::openai::{ChatMessage, Tool};
use crate::tools::ToolStyle;

/// Bytes of a template; the longest known have 20 kB.
pub const TEMPLATE_BYTES_MAX: usize = 256 << 10;
/// Bytes of a rendered prompt: more than any context holds.
pub const PROMPT_BYTES_MAX: usize = 16 << 20;
/// Fuel for a rendering, beside what its input deserves. One unit pays an instruction or 64 bytes.
const FUEL: u64 = 100_000;
/// Fuel for each message.
const FUEL_PER_MESSAGE: u64 = 2_000;
/// Input bytes that earn one unit of fuel: templates copy a text a few times.
const INPUT_BYTES_PER_FUEL: u64 = 4;
/// Calls inside calls. A worker's stack is 1 MiB.
const RECURSION_MAX: usize = 50;

/// ChatML, for files whose vocabulary has its tokens but whose template is missing.
pub const CHATML: &str = "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

const DEFAULT: &str = "chat";
const TOOL_USE: &str = "tool_use";

/// What a rendering depends on beside the conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct RenderOptions {
    /// Ends the prompt where the assistant's answer begins.
    pub add_generation_prompt: bool,
    /// For `strftime_now`: seconds since 1970 on the person's clock on the wall.
    pub now_unix_s: i64,
    /// More variables for the template (`chat_template_kwargs`): `enable_thinking` and the like.
    pub variables: serde_json::Map<String, serde_json::Value>,
}

impl RenderOptions {
    /// For a prompt that the assistant answers.
    pub fn answer(now_unix_s: i64) -> Self {
        Self { add_generation_prompt: true, now_unix_s, variables: serde_json::Map::new() }
    }
}

/// A model's chat template, compiled.
#[derive(Debug)]
pub struct ChatTemplate {
    environment: Environment<'static>,
    has_tool_use: bool,
    bos_token: String,
    eos_token: String,
    is_default: bool,
    tool_style: ToolStyle,
    /// Whether it shows the model the tools itself.
    shows_tools: bool,
}

impl ChatTemplate {
    /// The file's template, or [`CHATML`] where it has none but its vocabulary has ChatML's tokens.
    ///
    /// # Errors
    /// [`TemplateError::Missing`] where there is neither; else what is wrong with the template.
    pub fn from_gguf(metadata: &Metadata) -> Result<Self, TemplateError> {
        let token = |key: &str| -> Result<String, TemplateError> {
            let text =
                match (metadata.opt_u32(key)?, metadata.opt_strings("tokenizer.ggml.tokens")?) {
                    (Some(id), Some(tokens)) => tokens.get(id as usize),
                    _ => None,
                };
            Ok(text.unwrap_or_default().to_owned())
        };
        let bos_token = token("tokenizer.ggml.bos_token_id")?;
        let eos_token = token("tokenizer.ggml.eos_token_id")?;
        match metadata.opt_str("tokenizer.chat_template")? {
            Some(source) => {
                let tool_use = metadata.opt_str("tokenizer.chat_template.tool_use")?;
                Self::new(source, tool_use, bos_token, eos_token)
            }
            None if speaks_chatml(metadata)? => {
                let template = Self::new(CHATML, None, bos_token, eos_token)?;
                Ok(Self { is_default: true, ..template })
            }
            None => Err(TemplateError::Missing),
        }
    }

    /// Compiles a template; `tool_use` takes its place where tools are offered.
    pub fn new(
        source: &str,
        tool_use: Option<&str>,
        bos_token: String,
        eos_token: String,
    ) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        let syntax = SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()
            .map_err(|error| TemplateError::Syntax(error.to_string()))?;
        environment.set_syntax(syntax);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_recursion_limit(RECURSION_MAX);
        environment
            .set_unknown_method_callback(minijinja_contrib::pycompat::unknown_method_callback);
        environment.add_filter("tojson", json::tojson);
        environment.add_function("raise_exception", raise_exception);
        for (name, source) in [(DEFAULT, Some(source)), (TOOL_USE, tool_use)] {
            let Some(source) = source else { continue };
            if source.len() > TEMPLATE_BYTES_MAX {
                return Err(TemplateError::TooLong { bytes: source.len() });
            }
            environment
                .add_template_owned(name, without_generation_tags(source))
                .map_err(|error| TemplateError::Syntax(describe(&error)))?;
        }
        let source = tool_use.unwrap_or(source);
        Ok(Self {
            environment,
            has_tool_use: tool_use.is_some(),
            bos_token,
            eos_token,
            is_default: false,
            tool_style: ToolStyle::of_template(source),
            shows_tools: source.contains("tools"),
        })
    }

    /// Whether the file had no template and ChatML took its place.
    pub fn is_default(&self) -> bool {
        self.is_default
    }

    /// How the model writes calls of tools.
    pub fn tool_style(&self) -> ToolStyle {
        self.tool_style
    }

    /// The prompt of a conversation. Special tokens in it are to be parsed
    /// (`ParseSpecial::Yes`), and none added: the template writes its own. A template that knows
    /// nothing of tools is given them in words.
    ///
    /// # Errors
    /// What the template itself refuses, or why it fails.
    pub fn render(
        &self,
        messages: &[ChatMessage],
        tools: &[Tool],
        options: &RenderOptions,
    ) -> Result<String, TemplateError> {
        let in_words;
        let (messages, tools) = if self.shows_tools {
            (messages, tools)
        } else {
            in_words = messages::in_words(messages, tools);
            (&in_words[..], &[][..])
        };
        let name = if !tools.is_empty() && self.has_tool_use { TOOL_USE } else { DEFAULT };

        let mut environment = self.environment.clone();
        environment.set_fuel(Some(fuel(messages, tools)));
        let now_unix_s = options.now_unix_s;
        environment.add_function("strftime_now", move |format: &str| {
            clock::strftime(format, now_unix_s)
                .map_err(|what| minijinja::Error::new(ErrorKind::InvalidOperation, what))
        });
        let template = environment
            .get_template(name)
            .map_err(|error| TemplateError::Syntax(describe(&error)))?;

        let mut context: Vec<(String, Value)> = options
            .variables
            .iter()
            .map(|(name, value)| (name.clone(), Value::from(Serde(value))))
            .collect();
        context.extend([
            ("messages".to_owned(), messages::values_from_messages(messages)),
            ("tools".to_owned(), values_from_tools(tools)),
            ("documents".to_owned(), Value::from(())),
            ("add_generation_prompt".to_owned(), Value::from(options.add_generation_prompt)),
            ("bos_token".to_owned(), Value::from(self.bos_token.as_str())),
            ("eos_token".to_owned(), Value::from(self.eos_token.as_str())),
        ]);
        let prompt = template.render(Value::from_pairs(context)).map_err(error_from_render)?;
        if prompt.len() > PROMPT_BYTES_MAX {
            return Err(TemplateError::PromptTooLong { bytes: prompt.len() });
        }
        Ok(prompt)
    }
}

/// None where there are none: templates ask `if tools`, some `if tools is not none`.
fn values_from_tools(tools: &[Tool]) -> Value {
    if tools.is_empty() { Value::from(()) } else { Value::from(Serde(tools)) }
}

/// What a conversation may cost: in proportion to it, so that a hostile template cannot make much of
/// little, and a long conversation is not refused.
fn fuel(messages: &[ChatMessage], tools: &[Tool]) -> u64 {
    let input_bytes: usize = messages
        .iter()
        .map(|message| {
            let content = message.content.as_ref().map_or(0, |content| content.text().len());
            let calls = message.tool_calls.iter().flatten().map(|call| {
                call.id.len() + call.function.name.len() + call.function.arguments.len()
            });
            content + calls.sum::<usize>()
        })
        .chain(tools.iter().map(|tool| tool.value().to_string().len()))
        .sum();
    FUEL + messages.len() as u64 * FUEL_PER_MESSAGE + input_bytes as u64 / INPUT_BYTES_PER_FUEL
}

fn speaks_chatml(metadata: &Metadata) -> Result<bool, TemplateError> {
    let Some(tokens) = metadata.opt_strings("tokenizer.ggml.tokens")? else { return Ok(false) };
    Ok(["<|im_start|>", "<|im_end|>"]
        .iter()
        .all(|wanted| tokens.iter().any(|text| text == *wanted)))
}

/// `{% generation %}` … `{% endgeneration %}` marks what training counts; for a prompt it is a block
/// that is always taken. Its own white-space marks stay.
fn without_generation_tags(source: &str) -> String {
    let mut out = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let (before, tag) = rest.split_at(start + 2);
        out.push_str(before);
        rest = tag;
        let Some(end) = rest.find("%}") else { break };
        let inner = &rest[..end];
        let word = inner.trim_matches(['-', '+']).trim();
        match word {
            "generation" => out.push_str(&inner.replacen(word, "if true", 1)),
            "endgeneration" => out.push_str(&inner.replacen(word, "endif", 1)),
            _ => continue,
        }
        rest = &rest[end..];
    }
    out.push_str(rest);
    out
}

/// The message of a template's `raise_exception`, carried through minijinja as an error's source.
#[derive(Debug)]
struct Raised(String);

impl fmt::Display for Raised {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

fn raise_exception(message: String) -> Result<Value, minijinja::Error> {
    Err(minijinja::Error::new(ErrorKind::InvalidOperation, "the template refuses")
        .with_source(Raised(message)))
}

fn error_from_render(error: minijinja::Error) -> TemplateError {
    let mut source: Option<&dyn std::error::Error> = Some(&error);
    while let Some(cause) = source {
        if let Some(Raised(message)) = cause.downcast_ref() {
            return TemplateError::Refused(message.clone());
        }
        source = cause.source();
    }
    match error.kind() {
        ErrorKind::OutOfFuel => TemplateError::OutOfFuel,
        _ => TemplateError::Render(describe(&error)),
    }
}

/// The error and its line, without the template's text.
fn describe(error: &minijinja::Error) -> String {
    let detail = error.detail().unwrap_or_default();
    match error.line() {
        Some(line) => format!("{} in line {line}: {detail}", error.kind()),
        None => format!("{}: {detail}", error.kind()),
    }
}
