//! What a character falls apart into, by the browser's own tables.

use std::cell::RefCell;
use std::collections::BTreeMap;

use js_sys::{JsString, RegExp};

thread_local! {
    /// A search asks for the same few characters thousands of times.
    static KNOWN: RefCell<BTreeMap<char, String>> = const { RefCell::new(BTreeMap::new()) };
    static MARKS: RegExp = RegExp::new(r"\p{M}", "gu");
}

/// As [`portico_shared::sync::decomposed`].
pub fn decomposed(c: char) -> String {
    KNOWN.with_borrow_mut(|known| known.entry(c).or_insert_with(|| asked(c)).clone())
}

fn asked(c: char) -> String {
    let whole = JsString::from(String::from(c)).normalize("NFKD");
    MARKS.with(|marks| whole.replace_by_pattern(marks, "")).into()
}
