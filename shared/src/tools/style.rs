//! Which way of writing calls does a model's template know?

use crate::tokenizer::{TokenKind, Tokenizer};

/// A way of writing calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolStyle {
    /// `<tool_call>{"name": …, "arguments": …}</tool_call>`: Qwen, Hermes and others of ChatML.
    Hermes,
    /// `{"name": …, "parameters": …}`, also behind `<|python_tag|>`: Llama 3.
    Llama3,
    /// `[TOOL_CALLS][{"name": …, "arguments": …}]`, or `[TOOL_CALLS]name[ARGS]{…}`: Mistral.
    Mistral,
    /// `<function=name>{…}</function>`: Functionary and its kin.
    Functionary,
    /// `{"name": …, "arguments": …}`, as templates without a way of their own are told.
    #[default]
    Generic,
}

impl ToolStyle {
    /// By what the template writes of earlier calls.
    pub fn of_template(source: &str) -> Self {
        let has = |text: &str| source.contains(text);
        if has("[TOOL_CALLS]") {
            Self::Mistral
        } else if has("<tool_call>") {
            Self::Hermes
        } else if has("<function=") {
            Self::Functionary
        } else if has("<|python_tag|>") || (has("<|start_header_id|>") && has("\"parameters\"")) {
            Self::Llama3
        } else {
            Self::Generic
        }
    }

    /// What announces a call.
    pub(super) fn marker(self) -> Option<&'static str> {
        match self {
            Self::Hermes => Some("<tool_call>"),
            Self::Llama3 => Some("<|python_tag|>"),
            Self::Mistral => Some("[TOOL_CALLS]"),
            Self::Functionary => Some("<function="),
            Self::Generic => None,
        }
    }

    /// What ends a call.
    pub(super) fn closing(self) -> Option<&'static str> {
        match self {
            Self::Hermes => Some("</tool_call>"),
            Self::Functionary => Some("</function>"),
            Self::Llama3 | Self::Mistral | Self::Generic => None,
        }
    }

    /// Whether calls are written without marks as a matter of course.
    pub(super) fn is_bare(self) -> bool {
        matches!(self, Self::Llama3 | Self::Generic)
    }

    /// Whether an answer that begins with a JSON object may be a call. Small models of Hermes' way leave out
    /// its marks or write others: what they may look like, llama.cpp lists for its reader of that way
    /// (common/chat.cpp).
    pub(super) fn may_begin_bare(self) -> bool {
        self.is_bare() || self == Self::Hermes
    }

    /// What the arguments are called.
    pub(super) fn arguments_key(self) -> &'static str {
        match self {
            Self::Llama3 => "parameters",
            _ => "arguments",
        }
    }
}

/// A model's way of writing calls, with the token that announces one where it is no text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolFormat {
    pub style: ToolStyle,
    /// The marker's id where it is a control token, which decoding leaves out.
    pub marker_id: Option<u32>,
}

impl ToolFormat {
    pub fn new(style: ToolStyle, tokenizer: &Tokenizer) -> Self {
        let marker_id = style
            .marker()
            .and_then(|marker| tokenizer.token_id(marker))
            .filter(|&id| tokenizer.token_kind(id) == Some(TokenKind::Control));
        Self { style, marker_id }
    }
}
