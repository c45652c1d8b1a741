//! How does an answer rest on passages? They become a prompt with numbered sources; what streams back is
//! read for citations, and each is held against the sources that were given.
//!
//! The gateway and the page's device use the same code:
//!
//! 1. [`rewriting`]: a question that leans on the conversation is made to stand alone;
//! 2. a search brings passages, and [`Grounding::new`] keeps the few that are relevant and fit;
//! 3. [`Grounding::messages`] is the prompt: sources marked off as data, the question last;
//! 4. [`CitationReader`] reads the answer as it comes, and [`attributions`] finds what an answer without
//!    citations rests on.
//!
//! Text of documents is data: nothing in it can close its quotation, become a model's control token, or
//! look like a citation ([`quoted`]).

mod attribute;
mod prompt;
mod reader;
mod relevance;
mod rewrite;
mod words;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

pub use attribute::attributions;
pub use prompt::{quoted, tool_result, without_marks};
pub use reader::{CitationReader, Cited};
pub use relevance::{is_relevant, similarity};
pub use rewrite::{Rewriting, rewriting};
pub use words::lang_of;

use crate::error::Lang;
use crate::openai::ChatMessage;

/// Sources that a prompt gets where the request says nothing: small models lose themselves in many.
pub const USUAL_SOURCES: usize = 4;
/// Most sources that a request may ask for; a whole document's parts may be more.
pub const SOURCES_MAX: usize = 20;
/// Tokens of all sources together where the request says nothing.
const USUAL_TOKENS: u32 = 1_600;

/// A passage that an answer may rest on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// As citations name it, from 1.
    pub n: u32,
    pub passage: Uuid,
    pub document: Uuid,
    /// The document's.
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub heading_path: Vec<String>,
    /// From 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<u32>,
    /// A sheet, a slide, a chapter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    pub text: String,
    /// How near it is to the question, 0 to 1 ([`similarity`]); none where vectors were not asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f32>,
}

/// How a citation came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CitedBy {
    /// The model wrote it; `[n]` stands in the text.
    Model,
    /// The model wrote none; the sentence was compared with the sources. Nothing stands in the text.
    Comparison,
}

/// A place of an answer that rests on a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// The source's number.
    pub n: u32,
    /// Characters (Unicode scalar values) of the answer before it.
    pub at: u32,
    pub by: CitedBy,
}

/// How much of a document an answer rests on that was to be about all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Passages that were given.
    pub given: u32,
    /// Passages that it has.
    pub of: u32,
}

/// What a model has room for.
#[derive(Clone, Copy)]
pub struct Room<'a> {
    /// Tokens that prompt and answer share.
    pub n_ctx: u32,
    /// Tokens that are kept for the answer.
    pub answer_tokens: u32,
    pub max_sources: usize,
    pub count: &'a dyn Fn(&str) -> u32,
}

/// About how many tokens a text has, where no tokenizer is at hand: rather too many than too few.
pub fn estimated_tokens(text: &str) -> u32 {
    // German by an English vocabulary takes about three bytes a token.
    (text.len() as u32).div_ceil(3) + 1
}

impl Room<'_> {
    /// Tokens for everything but the answer.
    fn prompt_tokens(&self) -> u32 {
        // The template's own tokens, and a count that was an estimate.
        self.n_ctx.saturating_sub(self.answer_tokens.min(self.n_ctx / 2)).saturating_sub(64)
    }

    /// Tokens for a few sources: at most half of the prompt, and no more than a small model minds.
    pub fn source_tokens(&self) -> u32 {
        let per_source = USUAL_TOKENS / USUAL_SOURCES as u32;
        let wanted = USUAL_TOKENS.max(per_source * self.max_sources as u32);
        wanted.min(self.prompt_tokens() / 2)
    }

    /// Tokens for a whole document.
    pub fn document_tokens(&self) -> u32 {
        self.prompt_tokens().saturating_mul(4) / 5
    }
}

/// A question and the sources that its answer may rest on.
#[derive(Clone, Debug, PartialEq)]
pub struct Grounding {
    /// What was searched for.
    pub query: String,
    pub lang: Lang,
    /// In the order of their numbers.
    pub sources: Vec<Source>,
    /// Of a question about a whole document.
    pub coverage: Option<Coverage>,
}

impl Grounding {
    /// Of passages that a search brought, best first; they are numbered anew. None when none is relevant:
    /// then the answer is [`nothing_found`], and no model is asked to make one up.
    pub fn new(query: &str, fallback: Lang, found: Vec<Source>, room: &Room<'_>) -> Option<Self> {
        let mut left = room.source_tokens();
        let mut sources: Vec<Source> = Vec::new();
        for mut source in found {
            if sources.len() >= room.max_sources || !is_relevant(query, &source) {
                continue;
            }
            let n_tokens = (room.count)(&source.text);
            if n_tokens > left {
                // The best is cut rather than left out.
                if !sources.is_empty() {
                    continue;
                }
                source.text = beginning(&source.text, left, room.count);
            }
            left = left.saturating_sub(n_tokens);
            sources.push(source);
        }
        Self::numbered(query, fallback, sources, None)
    }

    /// Of a whole document's passages in their order: all of them where they fit, else as many as do,
    /// evenly from its beginning to its end, and [`Self::coverage`] says so.
    pub fn of_document(
        query: &str,
        fallback: Lang,
        parts: Vec<Source>,
        room: &Room<'_>,
    ) -> Option<Self> {
        let budget = room.document_tokens();
        let tokens: Vec<u32> = parts.iter().map(|part| (room.count)(&part.text) + 8).collect();
        let total: u32 = tokens.iter().fold(0, |sum, &n| sum.saturating_add(n));
        let of = parts.len();
        let mut n_kept = of;
        if total > budget {
            n_kept = (of as u64 * u64::from(budget) / u64::from(total.max(1))) as usize;
            let cost = |n: usize| spread(n, of).map(|i| tokens[i]).sum::<u32>();
            while n_kept > 0 && cost(n_kept) > budget {
                n_kept -= 1;
            }
        }
        let kept: Vec<usize> = spread(n_kept, of).collect();
        let mut sources: Vec<Source> = parts
            .iter()
            .enumerate()
            .filter(|(i, _)| kept.binary_search(i).is_ok())
            .map(|(_, part)| part.clone())
            .collect();
        // A first passage that alone is too long.
        if let (true, Some(part)) = (sources.is_empty(), parts.first()) {
            let text = beginning(&part.text, budget, room.count);
            sources.push(Source { text, ..part.clone() });
        }
        let coverage = Coverage { given: sources.len() as u32, of: of as u32 };
        Self::numbered(query, fallback, sources, Some(coverage))
    }

    fn numbered(
        query: &str,
        fallback: Lang,
        mut sources: Vec<Source>,
        coverage: Option<Coverage>,
    ) -> Option<Self> {
        for (source, n) in sources.iter_mut().zip(1..) {
            source.n = n;
        }
        let lang = lang_of(query).unwrap_or(fallback);
        (!sources.is_empty()).then(|| Self { query: query.to_owned(), lang, sources, coverage })
    }

    /// The conversation with the sources in its last question. Earlier turns are kept as far as there is
    /// room, without their citations: they named other sources.
    pub fn messages(&self, conversation: &[ChatMessage], room: &Room<'_>) -> Vec<ChatMessage> {
        prompt::messages(self, conversation, room)
    }

    pub fn reader(&self) -> CitationReader {
        CitationReader::new(self.sources.len() as u32)
    }
}

/// `n` of `of` places, evenly from the first to the last, ascending.
fn spread(n: usize, of: usize) -> impl Iterator<Item = usize> {
    (0..n).map(move |i| if n > 1 { i * (of - 1) / (n - 1) } else { 0 })
}

/// As much of a text as `max_tokens` hold, up to a blank.
fn beginning(text: &str, max_tokens: u32, count: &dyn Fn(&str) -> u32) -> String {
    let (mut fits, mut too_long) = (0, text.len());
    while too_long - fits > 16 {
        let mut middle = fits + (too_long - fits) / 2;
        while !text.is_char_boundary(middle) {
            middle -= 1;
        }
        if middle == fits {
            break;
        }
        match count(&text[..middle]) <= max_tokens {
            true => fits = middle,
            false => too_long = middle,
        }
    }
    let end = text[..fits].rfind(char::is_whitespace).unwrap_or(fits);
    format!("{} …", &text[..end])
}

/// The answer where no passage is relevant.
pub fn nothing_found(lang: Lang) -> &'static str {
    match lang {
        Lang::En => "I found nothing about this in the documents.",
        Lang::De => "Dazu habe ich in den Dokumenten nichts gefunden.",
    }
}
