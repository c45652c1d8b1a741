//! Which parts of a text are marked?

use std::ops::Range;

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    pub text: String,
    pub is_marked: bool,
}

/// Cuts `text` at ranges of chars, which may overlap, lie outside or be out of order.
pub fn pieces(text: &str, marks: &[Range<u32>]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for (at, c) in text.chars().enumerate() {
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        let is_marked = marks.iter().any(|mark| mark.contains(&at));
        match pieces.last_mut().filter(|last| last.is_marked == is_marked) {
            Some(last) => last.text.push(c),
            None => pieces.push(Piece { text: c.to_string(), is_marked }),
        }
    }
    pieces
}

/// The part of a long text that is shown of it: around the first mark, from a blank to a blank. Gives the
/// text, the marks in it, and whether something stands before and behind it.
pub fn excerpt(text: &str, marks: &[Range<u32>], max_chars: usize) -> (String, Vec<Range<u32>>) {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() <= max_chars {
        let end = chars.len() as u32;
        let inside = |mark: &Range<u32>| mark.start.min(end)..mark.end.min(end);
        let marks = marks.iter().map(inside).filter(|mark| !mark.is_empty()).collect();
        return (text.to_owned(), marks);
    }
    let first = marks.iter().map(|mark| mark.start as usize).min().unwrap_or(0).min(chars.len());
    let mut start = first.saturating_sub(max_chars / 4).min(chars.len() - max_chars);
    let mut end = start + max_chars;
    let is_blank = |at: &usize| chars.get(*at).is_some_and(|c| c.is_whitespace());
    if start > 0 {
        start = (start..first).find(is_blank).map_or(start, |blank| blank + 1);
    }
    if end < chars.len() {
        end = (start..end).rev().find(is_blank).filter(|blank| *blank > first).unwrap_or(end);
    }
    let mut out = String::new();
    let mut shift = 0;
    if start > 0 {
        out.push_str("… ");
        shift = 2;
    }
    out.extend(&chars[start..end]);
    if end < chars.len() {
        out.push_str(" …");
    }
    let moved = |mark: &Range<u32>| {
        let from = (mark.start as usize).clamp(start, end) - start + shift;
        let to = (mark.end as usize).clamp(start, end) - start + shift;
        (from < to).then_some(from as u32..to as u32)
    };
    (out, marks.iter().filter_map(moved).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    #[expect(clippy::single_range_in_vec_init, reason = "one mark is a list of marks")]
    fn marks_are_chars_not_bytes() {
        let marked: Vec<String> = pieces("Gärten und Höfe", &[11..15])
            .into_iter()
            .filter(|piece| piece.is_marked)
            .map(|piece| piece.text)
            .collect();
        assert_eq!(marked, ["Höfe"]);
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_excerpts_keep_their_marks(
            text in ".{0,200}",
            marks in prop::collection::vec((0..250u32, 0..40u32), 0..4),
        ) {
            let marks: Vec<Range<u32>> = marks.into_iter().map(|(at, n)| at..at + n).collect();
            let whole: String = pieces(&text, &marks).into_iter().map(|piece| piece.text).collect();
            prop_assert_eq!(&whole, &text);
            let (part, moved) = excerpt(&text, &marks, 60);
            prop_assert!(part.chars().count() <= 64);
            for mark in moved {
                prop_assert!(mark.end as usize <= part.chars().count());
                let marked: String =
                    part.chars().skip(mark.start as usize).take(mark.len()).collect();
                prop_assert!(text.contains(&marked));
            }
        }
    }
}
