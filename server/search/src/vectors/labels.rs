//! How do labels and filters look in Qdrant's JSON?
//!
//! Its engine and its server read the same forms. A filter matches with `any` of whole keywords: the
//! form `match.value` of a text with spaces could be read as full text, and find what may not be seen.

use portico_shared::documents::DocLang;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::Labels;
use crate::Filter;

pub(super) const COLLECTION: &str = "collection";
pub(super) const DOCUMENT: &str = "document";
pub(super) const MEDIA_TYPE: &str = "media_type";
pub(super) const LANG: &str = "lang";
pub(super) const DATE: &str = "date_s";

/// Labels as the payload of a point.
pub(super) fn payload(labels: &Labels) -> Map<String, Value> {
    let Labels { collection, document, media_type, lang, date_s } = labels;
    [
        (COLLECTION, json!(collection)),
        (DOCUMENT, json!(document.to_string())),
        (MEDIA_TYPE, json!(media_type)),
        (LANG, json!(lang.as_str())),
        (DATE, json!(date_s)),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into_iter()
    .collect()
}

/// Labels of a payload; none when another program wrote it.
pub(super) fn labels(payload: &Map<String, Value>) -> Option<Labels> {
    let text = |key: &str| Some(payload.get(key)?.as_str()?.to_owned());
    Some(Labels {
        collection: text(COLLECTION)?,
        document: Uuid::parse_str(payload.get(DOCUMENT)?.as_str()?).ok()?,
        media_type: text(MEDIA_TYPE)?,
        lang: match payload.get(LANG)?.as_str()? {
            "de" => DocLang::De,
            "en" => DocLang::En,
            _ => DocLang::Other,
        },
        date_s: payload.get(DATE)?.as_i64()?,
    })
}

/// The conditions of a filter, all of which must hold.
pub(super) enum Condition {
    /// The label is one of these keywords, as a whole.
    Any(&'static str, Vec<String>),
    /// The label lies between these, both included.
    Between(&'static str, Option<i64>, Option<i64>),
}

/// None when the filter lets nothing through.
pub(super) fn conditions(filter: &Filter) -> Option<Vec<Condition>> {
    if filter.collections.is_empty() {
        return None;
    }
    let mut all = vec![Condition::Any(COLLECTION, filter.collections.clone())];
    if !filter.media_types.is_empty() {
        all.push(Condition::Any(MEDIA_TYPE, filter.media_types.clone()));
    }
    if !filter.langs.is_empty() {
        let langs = filter.langs.iter().map(|lang| lang.as_str().to_owned());
        all.push(Condition::Any(LANG, langs.collect()));
    }
    if !filter.documents.is_empty() {
        let documents = filter.documents.iter().map(Uuid::to_string);
        all.push(Condition::Any(DOCUMENT, documents.collect()));
    }
    if filter.from_s.is_some() || filter.to_s.is_some() {
        all.push(Condition::Between(DATE, filter.from_s, filter.to_s));
    }
    Some(all)
}
