//! Is anything lost without a word? In the samples `k:` and a number stands in each text that has to arrive,
//! `n:` in each name that has to be said to be missing, `h:` in what is the program's own.

use std::collections::BTreeSet;

use super::*;

/// The marks of a kind that stand in a text.
fn marks(text: &str, kind: char) -> BTreeSet<String> {
    let mark = |(at, _): (usize, &str)| text.get(at..at + 4).map(str::to_owned);
    text.match_indices(&format!("{kind}:")).filter_map(mark).filter(|mark| is_mark(mark)).collect()
}

fn is_mark(mark: &str) -> bool {
    mark.bytes().skip(2).all(|byte| byte.is_ascii_digit())
}

#[test]
fn each_word_arrives_or_is_named() {
    for (sample, n_refused) in [(CHATGPT, 2), (OPEN_WEBUI, 2)] {
        let entries = entries(sample);
        let mut refused = 0;
        for entry in &entries {
            let Ok(got) = read(entry) else {
                refused += 1;
                continue;
            };
            let ops: String = got.ops.iter().map(|op| op.to_json()).collect();
            let left: String = got.left_out.iter().map(|left| left.text(Lang::De)).collect();
            assert_eq!(marks(&ops, 'k'), marks(entry, 'k'), "{:?}", got.title);
            assert_eq!(marks(&left, 'n'), marks(entry, 'n'), "{:?}", got.title);
            assert_eq!(marks(&(ops + &left), 'h'), BTreeSet::new(), "{:?}", got.title);
        }
        assert_eq!(refused, n_refused);
    }
    assert!(marks(CHATGPT, 'k').len() > 55 && marks(OPEN_WEBUI, 'k').len() > 40, "marks are found");
}

#[test]
fn no_mark_of_a_program_is_left_in_a_text() {
    for entry in entries(CHATGPT) {
        let Ok(got) = read(&entry) else { continue };
        for op in &got.ops {
            assert!(!op.to_json().contains(['\u{e200}', '\u{e201}', '\u{e202}']));
        }
    }
}
