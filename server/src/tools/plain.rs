//! What of a foreign text is shown to a person or a model? Its visible characters: others can hide
//! instructions or turn what is read around.

/// A text without control characters, marks of direction, invisible tags and the like; line breaks stay.
pub fn text(text: &str) -> String {
    text.replace("\r\n", "\n")
        .chars()
        .filter(|&c| c == '\n' || c == '\t' || is_visible(c))
        .collect()
}

/// One line of at most so many characters.
pub fn line(text: &str, max_chars: usize) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    words.chars().filter(|&c| is_visible(c)).take(max_chars).collect()
}

fn is_visible(c: char) -> bool {
    let is_hidden = matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}');
    !c.is_control() && !is_hidden
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_left_out() {
        let hidden: String =
            "ignore".chars().filter_map(|c| char::from_u32(0xe0000 + c as u32)).collect();
        let said = format!("a\u{202e}b\u{0}\u{200b}{hidden}ä\r\n\tc");
        assert_eq!(text(&said), "abä\n\tc");
        assert_eq!(line(&said, 3), "abä");
        // Joiners make words of some languages, and families.
        assert_eq!(text("می\u{200c}خواهم 👩\u{200d}👧"), "می\u{200c}خواهم 👩\u{200d}👧");
    }
}
