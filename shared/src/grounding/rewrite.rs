//! What is to be searched for when a question leans on the conversation? "And for children?" finds nothing
//! by itself. The model at hand is asked for the whole question, within strict limits; what it gives is
//! taken only where it is a question about the same.

use super::prompt::without_marks;
use super::words::{Bag, content_words, lang_of};
use crate::error::Lang;
use crate::openai::{ChatMessage, Content, Role};

/// Earlier messages that are shown.
const SHOWN_MAX: usize = 4;
/// Characters of each.
const SHOWN_CHARS: usize = 300;
/// Tokens of a rewritten question.
const TOKENS_MAX: u32 = 48;
const CHARS_MAX: usize = 240;

/// Words that point at what was said before.
const POINTERS: &str = "it its they them their he him she her this that these those there then one ones \
    same else also more er sie es ihn ihm ihr ihre ihren deren dessen das dies diese dieser dieses davon \
    dafür damit dazu daran darauf darüber dabei dort denn auch noch selbe gleiche";
/// How a question begins that goes on with another.
const OPENINGS: [&str; 10] = [
    "and ",
    "or ",
    "but ",
    "what about",
    "how about",
    "und ",
    "oder ",
    "aber ",
    "was ist mit ",
    "wie sieht",
];

/// A question that is to be made to stand alone.
#[derive(Clone, Debug, PartialEq)]
pub struct Rewriting {
    /// What the model is asked.
    pub messages: Vec<ChatMessage>,
    pub max_tokens: u32,
    question: String,
    earlier: String,
}

/// For the last question of a conversation; none where it stands alone.
pub fn rewriting(conversation: &[ChatMessage], fallback: Lang) -> Option<Rewriting> {
    let asked = conversation.iter().rposition(|message| message.role == Role::User)?;
    let question = text(&conversation[asked]);
    let said = |message: &&ChatMessage| {
        matches!(message.role, Role::User | Role::Assistant) && message.content.is_some()
    };
    let before: Vec<&ChatMessage> = conversation[..asked].iter().filter(said).collect();
    let earlier = before.iter().rev().find(|message| message.role == Role::User);
    let earlier = text(earlier?);
    if !leans(&question) {
        return None;
    }
    let lang = lang_of(&question).unwrap_or(fallback);
    let [task, person, model, last, whole] = match lang {
        Lang::En => [
            "Write the last question so that it can be understood without the conversation. Write \
             only this one question.",
            "Person",
            "Answer",
            "Last question",
            "Whole question",
        ],
        Lang::De => [
            "Schreibe die letzte Frage so, dass man sie ohne das Gespräch versteht. Schreibe nur \
             diese eine Frage.",
            "Person",
            "Antwort",
            "Letzte Frage",
            "Ganze Frage",
        ],
    };
    let mut prompt = String::new();
    for message in &before[before.len().saturating_sub(SHOWN_MAX)..] {
        let who = if message.role == Role::User { person } else { model };
        let said: String = without_marks(&text(message)).chars().take(SHOWN_CHARS).collect();
        prompt.push_str(&format!("{who}: {}\n", said.replace('\n', " ")));
    }
    prompt.push_str(&format!("\n{last}: {question}\n{whole}:"));
    Some(Rewriting {
        messages: vec![ChatMessage::new(Role::System, task), ChatMessage::new(Role::User, prompt)],
        max_tokens: TOKENS_MAX,
        question,
        earlier,
    })
}

/// The last question of a conversation.
pub(crate) fn text(message: &ChatMessage) -> String {
    message.content.as_ref().map(Content::text).unwrap_or_default()
}

/// Whether a question needs what was said before it.
fn leans(question: &str) -> bool {
    let lower = question.trim().to_lowercase();
    let n_said = content_words(&lower).len();
    let points = lower
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| POINTERS.split_ascii_whitespace().any(|pointer| pointer == word));
    n_said <= 1
        || OPENINGS.iter().any(|opening| lower.starts_with(opening))
        || points && n_said <= 4
}

impl Rewriting {
    /// What is to be searched for, when the model answered so. Where that is no question about the same,
    /// the question itself, with the one before it.
    pub fn query(&self, answer: Option<&str>) -> String {
        let rewritten = answer.and_then(|answer| self.accepted(answer));
        rewritten.unwrap_or_else(|| format!("{} {}", self.earlier.trim(), self.question.trim()))
    }

    fn accepted(&self, answer: &str) -> Option<String> {
        let line = answer.trim().lines().next()?.trim();
        let line = line.split_once(": ").map_or(line, |(before, behind)| {
            if before.split_whitespace().count() <= 2 { behind } else { line }
        });
        let line = line.trim_matches(|c: char| c.is_whitespace() || "\"'“”„«»*_`".contains(c));
        let n_chars = line.chars().count();
        if n_chars < self.question.trim().chars().count().min(12) || n_chars > CHARS_MAX {
            return None;
        }
        // It keeps what was asked, and takes up what was spoken of.
        let said = Bag::new(&[line]);
        let (asked, _) = said.share(&content_words(&self.question));
        let words_before = content_words(&self.earlier);
        let (_, n_taken_up) = said.share(&words_before);
        let keeps = content_words(&self.question).is_empty() || asked >= 0.5;
        let is_new = !line.eq_ignore_ascii_case(self.question.trim());
        (keeps && is_new && (n_taken_up > 0 || words_before.is_empty())).then(|| line.to_owned())
    }
}
