//! Which passages may be found at all?

use std::ops::Bound;

use tantivy::query::{BooleanQuery, ConstScoreQuery, Occur, Query, RangeQuery, TermSetQuery};
use tantivy::schema::{Field, Term};

use super::schema::Fields;
use crate::Filter;

/// The filter as a clause that adds nothing to a score; none when nothing may be found.
pub(super) fn query(fields: &Fields, filter: &Filter) -> Option<Box<dyn Query>> {
    if filter.collections.is_empty() {
        return None;
    }
    let one_of = |field: Field, values: &mut dyn Iterator<Item = &str>| -> Box<dyn Query> {
        Box::new(TermSetQuery::new(values.map(|value| Term::from_field_text(field, value))))
    };
    let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(
        Occur::Must,
        one_of(fields.collection, &mut filter.collections.iter().map(String::as_str)),
    )];
    if !filter.media_types.is_empty() {
        let types = &mut filter.media_types.iter().map(String::as_str);
        clauses.push((Occur::Must, one_of(fields.media_type, types)));
    }
    if !filter.langs.is_empty() {
        let langs = &mut filter.langs.iter().map(|lang| lang.as_str());
        clauses.push((Occur::Must, one_of(fields.lang, langs)));
    }
    if !filter.documents.is_empty() {
        let ids = filter.documents.iter();
        let terms = ids.map(|id| Term::from_field_bytes(fields.document, id.as_bytes()));
        clauses.push((Occur::Must, Box::new(TermSetQuery::new(terms))));
    }
    if filter.from_s.is_some() || filter.to_s.is_some() {
        let end = |at: Option<i64>| match at {
            Some(at) => Bound::Included(Term::from_field_i64(fields.date, at)),
            None => Bound::Unbounded,
        };
        let range = RangeQuery::new(end(filter.from_s), end(filter.to_s));
        clauses.push((Occur::Must, Box::new(range)));
    }
    let all: Box<dyn Query> = match clauses.len() {
        1 => clauses.remove(0).1,
        _ => Box::new(BooleanQuery::new(clauses)),
    };
    Some(Box::new(ConstScoreQuery::new(all, 0.0)))
}
