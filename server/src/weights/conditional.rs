//! Does a request's condition hold for what it would get? (RFC 9110, section 13)

use axum::http::{HeaderMap, HeaderName, header};

/// What the conditions of a GET or HEAD come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Proceed,
    /// 304
    NotModified,
    /// 412
    Failed,
}

/// Judges `If-Match` and `If-None-Match` against a strong entity tag, quotes included.
pub fn judge(headers: &HeaderMap, etag: &str) -> Verdict {
    if let Some(matches) = any_matches(headers, &header::IF_MATCH, etag, is_strong_match)
        && !matches
    {
        return Verdict::Failed;
    }
    match any_matches(headers, &header::IF_NONE_MATCH, etag, is_weak_match) {
        Some(true) => Verdict::NotModified,
        _ => Verdict::Proceed,
    }
}

/// Whether a `Range` header counts: without `If-Range`, or with one that names this entity tag. A
/// date never does, for what is served has no `Last-Modified`.
pub fn range_counts(headers: &HeaderMap, etag: &str) -> bool {
    match headers.get(header::IF_RANGE) {
        None => true,
        Some(value) => value.to_str().is_ok_and(|tag| is_strong_match(tag.trim(), etag)),
    }
}

/// None without the header.
fn any_matches(
    headers: &HeaderMap,
    name: &HeaderName,
    etag: &str,
    is_match: fn(&str, &str) -> bool,
) -> Option<bool> {
    headers.contains_key(name).then(|| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        // No entity tag of this server has a comma in it.
        let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
        tags.any(|tag| tag == "*" || is_match(tag, etag))
    })
}

fn is_strong_match(tag: &str, etag: &str) -> bool {
    tag == etag
}

fn is_weak_match(tag: &str, etag: &str) -> bool {
    tag.strip_prefix("W/").unwrap_or(tag) == etag
}

#[cfg(test)]
mod tests {
    use super::*;

    const ETAG: &str = "\"abc\"";

    fn judged(name: HeaderName, value: &str) -> Verdict {
        judge(&HeaderMap::from_iter([(name, value.parse().unwrap())]), ETAG)
    }

    #[test]
    fn if_none_match_compares_weakly_and_if_match_strongly() {
        assert_eq!(judge(&HeaderMap::new(), ETAG), Verdict::Proceed);
        for tags in ["\"abc\"", "W/\"abc\"", "\"x\", \"abc\"", "*"] {
            assert_eq!(judged(header::IF_NONE_MATCH, tags), Verdict::NotModified, "{tags}");
        }
        assert_eq!(judged(header::IF_NONE_MATCH, "\"x\""), Verdict::Proceed);
        assert_eq!(judged(header::IF_MATCH, "\"abc\""), Verdict::Proceed);
        assert_eq!(judged(header::IF_MATCH, "*"), Verdict::Proceed);
        assert_eq!(judged(header::IF_MATCH, "\"x\""), Verdict::Failed);
        assert_eq!(judged(header::IF_MATCH, "W/\"abc\""), Verdict::Failed);
    }

    #[test]
    fn range_counts_only_for_this_very_entity() {
        let with = |value: &str| {
            let headers = HeaderMap::from_iter([(header::IF_RANGE, value.parse().unwrap())]);
            range_counts(&headers, ETAG)
        };
        assert!(range_counts(&HeaderMap::new(), ETAG));
        assert!(with("\"abc\""));
        assert!(!with("W/\"abc\""));
        assert!(!with("\"x\""));
        assert!(!with("Wed, 21 Oct 2015 07:28:00 GMT"));
    }
}
