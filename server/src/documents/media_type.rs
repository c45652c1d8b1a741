//! What kind of file is it, where only its name says so?

/// By a file name's ending, in lower case.
const BY_ENDING: [(&str, &str); 26] = [
    ("csv", "text/csv"),
    ("docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ("eml", "message/rfc822"),
    ("epub", "application/epub+zip"),
    ("gif", "image/gif"),
    ("htm", "text/html"),
    ("html", "text/html"),
    ("jpeg", "image/jpeg"),
    ("jpg", "image/jpeg"),
    ("json", "application/json"),
    ("log", "text/plain"),
    ("markdown", "text/markdown"),
    ("md", "text/markdown"),
    ("ods", "application/vnd.oasis.opendocument.spreadsheet"),
    ("odp", "application/vnd.oasis.opendocument.presentation"),
    ("odt", "application/vnd.oasis.opendocument.text"),
    ("pdf", "application/pdf"),
    ("png", "image/png"),
    ("pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
    ("text", "text/plain"),
    ("tsv", "text/tab-separated-values"),
    ("txt", "text/plain"),
    ("xhtml", "application/xhtml+xml"),
    ("xls", "application/vnd.ms-excel"),
    ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ("xml", "application/xml"),
];

/// What says nothing.
pub const UNKNOWN: &str = "application/octet-stream";

/// The sender's word without its parameters, where it is one; else what the name's ending says.
pub fn of(sent: Option<&str>, name: &str) -> String {
    let sent = sent.and_then(essence).filter(|sent| sent != UNKNOWN);
    sent.unwrap_or_else(|| by_name(name).to_owned())
}

/// `Text/HTML; charset=x` → `text/html`
fn essence(sent: &str) -> Option<String> {
    let essence = sent.split(';').next()?.trim().to_ascii_lowercase();
    let is_token = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "!#$&-^_.+".contains(c);
        !part.is_empty() && part.len() < 128 && part.chars().all(allowed)
    };
    let (kind, subkind) = essence.split_once('/')?;
    (is_token(kind) && is_token(subkind)).then_some(essence)
}

fn by_name(name: &str) -> &'static str {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase());
    let found = BY_ENDING.iter().find(|(known, _)| ending.as_deref() == Some(*known));
    found.map_or(UNKNOWN, |(_, media_type)| media_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_senders_word_counts_where_it_is_one() {
        for (sent, name, expected) in [
            (Some("Text/HTML; charset=utf-8"), "a.txt", "text/html"),
            (Some("application/octet-stream"), "a.PDF", "application/pdf"),
            (Some("no type\nat all"), "a.md", "text/markdown"),
            (None, "a.unknown", UNKNOWN),
            (None, "pdf", UNKNOWN),
        ] {
            assert_eq!(of(sent, name), expected);
        }
    }
}
