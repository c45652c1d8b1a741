//! What kind of file is it?

/// A format that documents come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// As people call it.
    pub name: &'static str,
    pub media_type: &'static str,
    /// The first one is the usual one.
    pub extensions: &'static [&'static str],
}

macro_rules! kinds {
    ($($name:literal $media_type:literal $($extension:literal)+;)*) => {
        &[$(Kind { name: $name, media_type: $media_type, extensions: &[$($extension),+] }),*]
    };
}

/// What the server reads.
pub const KINDS: &[Kind] = kinds! {
    "PDF" "application/pdf" "pdf";
    "Word" "application/vnd.openxmlformats-officedocument.wordprocessingml.document" "docx";
    "PowerPoint" "application/vnd.openxmlformats-officedocument.presentationml.presentation" "pptx";
    "Excel" "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" "xlsx";
    "OpenDocument" "application/vnd.oasis.opendocument.text" "odt";
    "HTML" "text/html" "html" "htm" "xhtml";
    "EPUB" "application/epub+zip" "epub";
    "Markdown" "text/markdown" "md" "markdown";
    "Text" "text/plain" "txt" "text" "log" "rst" "adoc" "json" "xml" "yaml" "yml" "toml" "ini" "conf"
        "tex" "sql" "sh" "py" "js" "ts" "css" "c" "h" "cpp" "java" "go" "rs";
    "CSV" "text/csv" "csv" "tsv";
    "E-Mail" "message/rfc822" "eml";
};

pub const PDF: &str = "application/pdf";

/// The kind of a file by its name, else by what the browser says of it.
pub fn kind_of(name: &str, media_type: &str) -> Option<Kind> {
    let extension = name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase());
    let by_name = extension.and_then(|extension| {
        KINDS.iter().find(|kind| kind.extensions.contains(&extension.as_str()))
    });
    by_name.or_else(|| by_media_type(media_type)).copied()
}

fn by_media_type(media_type: &str) -> Option<&'static Kind> {
    let plain = media_type.split(';').next().unwrap_or_default().trim();
    KINDS.iter().find(|kind| kind.media_type.eq_ignore_ascii_case(plain))
}

/// A media type as people call it; itself where nobody does.
pub fn type_name(media_type: &str) -> String {
    by_media_type(media_type).map_or_else(|| media_type.to_owned(), |kind| kind.name.to_owned())
}

/// Whether a page can read it by itself.
pub fn is_readable_here(media_type: &str) -> bool {
    matches!(
        media_type,
        PDF | "text/plain" | "text/markdown" | "text/csv" | "text/html" | "application/xhtml+xml"
    )
}

/// For a file chooser.
pub fn accepted() -> String {
    let extensions = KINDS.iter().flat_map(|kind| kind.extensions);
    extensions.map(|extension| format!(".{extension}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_before_what_a_browser_says() {
        let kind = |name, media_type| kind_of(name, media_type).map(|kind| kind.name);
        assert_eq!(kind("Satzung.PDF", ""), Some("PDF"));
        assert_eq!(kind("liste.csv", "application/vnd.ms-excel"), Some("CSV"));
        assert_eq!(kind("README", "text/plain; charset=utf-8"), Some("Text"));
        assert_eq!(kind("film.mp4", "video/mp4"), None);
        assert_eq!(type_name("text/html"), "HTML");
        assert_eq!(type_name("x/y"), "x/y");
    }

    #[test]
    fn a_chooser_offers_each_kind() {
        assert!(accepted().starts_with(".pdf,") && accepted().contains(".docx"));
    }
}
