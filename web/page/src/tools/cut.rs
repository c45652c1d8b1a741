//! How much of a result is the model shown?

use portico_shared::error::Lang;
use portico_shared::sync::STEP_TEXT_MAX_BYTES;

use crate::i18n::Text;

/// Bytes that a token has at least, as `grounding::estimated_tokens` counts.
const TOKEN_BYTES: usize = 3;
/// Room for the note.
const NOTE_BYTES: usize = 128;

/// At most about `max_tokens` of a text, and a note where something is left out.
pub fn cut(text: &str, max_tokens: u32, lang: Lang) -> String {
    let max_bytes = (max_tokens as usize * TOKEN_BYTES).min(STEP_TEXT_MAX_BYTES - NOTE_BYTES);
    if text.len() <= max_bytes {
        return text.to_owned();
    }
    let kept = &text[..text.floor_char_boundary(max_bytes)];
    let n_left = text[kept.len()..].chars().count();
    let note = Text::ToolResultCut.fill(lang, &[("n", &n_left.to_string())]);
    format!("{kept}\n{note}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_said_and_no_character_is_halved() {
        assert_eq!(cut("ää", 2, Lang::En), "ää");
        let long = cut(&"ä".repeat(50), 11, Lang::En);
        assert_eq!(long, format!("{}\n[34 more characters were left out]", "ä".repeat(16)));
        assert!(cut(&"x".repeat(1 << 20), u32::MAX, Lang::De).len() <= STEP_TEXT_MAX_BYTES);
    }
}
