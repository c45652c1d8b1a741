//! What kind of file is this? By what it holds; its name only decides between kinds of text.

use serde::{Deserialize, Serialize};

use crate::ExtractError;
use crate::archive;

/// What is said about a file by whoever brought it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    pub name: String,
    pub media_type: Option<String>,
}

impl Hint {
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), media_type: None }
    }

    fn extension(&self) -> String {
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        file.rsplit_once('.')
            .map(|(_, extension)| extension.to_ascii_lowercase())
            .unwrap_or_default()
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Pdf,
    Docx,
    Pptx,
    Xlsx,
    Xlsb,
    Xls,
    Ods,
    Odt,
    Odp,
    Epub,
    Html,
    Mail,
    Markdown,
    Csv,
    Plain,
}

/// A header may follow some other program's bytes.
const PDF_HEADER_WITHIN: usize = 1024;
const TEXT_SNIFFED: usize = 4096;

impl Kind {
    /// The kind of what lies in `bytes`.
    ///
    /// # Errors
    /// [`ExtractError::TypeUnknown`], [`ExtractError::Encrypted`] for encrypted Office files,
    /// [`ExtractError::Unreadable`] for a damaged archive.
    pub fn of(bytes: &[u8], hint: &Hint) -> Result<Self, ExtractError> {
        let head = &bytes[..bytes.len().min(PDF_HEADER_WITHIN)];
        if find(head, b"%PDF-").is_some() {
            return Ok(Self::Pdf);
        }
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06") {
            return archive::kind(bytes);
        }
        if bytes.starts_with(&[0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]) {
            return Self::of_compound(bytes);
        }
        let known: [(&[u8], &str); 9] = [
            (b"\x89PNG", "a PNG image"),
            (b"\xff\xd8\xff", "a JPEG image"),
            (b"GIF8", "a GIF image"),
            (b"\x1f\x8b", "a gzip archive"),
            (b"7z\xbc\xaf", "a 7-Zip archive"),
            (b"Rar!", "a RAR archive"),
            (b"\x7fELF", "a program"),
            (b"MZ", "a program"),
            (b"{\\rtf", "Rich Text Format"),
        ];
        if let Some((_, what)) = known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return Err(ExtractError::TypeUnknown { what: (*what).to_owned() });
        }
        Self::of_text(bytes, hint)
    }

    /// Microsoft's compound files: by the names of their streams, which are UTF-16.
    fn of_compound(bytes: &[u8]) -> Result<Self, ExtractError> {
        let has = |name: &str| {
            let wide: Vec<u8> = name.encode_utf16().flat_map(u16::to_le_bytes).collect();
            find(bytes, &wide).is_some()
        };
        if has("EncryptedPackage") {
            return Err(ExtractError::Encrypted);
        }
        let what = match () {
            () if has("Workbook") || has("Book") => return Ok(Self::Xls),
            () if has("WordDocument") => "a Word document from before 2007",
            () if has("PowerPoint Document") => "a PowerPoint presentation from before 2007",
            () if has("__properties_version1.0") => "an Outlook message",
            () => "a compound file",
        };
        Err(ExtractError::TypeUnknown { what: what.to_owned() })
    }

    fn of_text(bytes: &[u8], hint: &Hint) -> Result<Self, ExtractError> {
        let head: String = bytes[..bytes.len().min(TEXT_SNIFFED)]
            .iter()
            .filter(|byte| **byte != 0)
            .map(|byte| char::from(*byte).to_ascii_lowercase())
            .collect();
        let head = head.trim_start_matches(|c: char| !c.is_ascii_graphic() || c == '\u{feff}');
        let is_html = ["<!doctype html", "<html", "<head", "<body"]
            .iter()
            .any(|tag| head.starts_with(tag) || (head.starts_with('<') && head.contains(tag)));
        if is_html {
            return Ok(Self::Html);
        }
        if is_mail(head) {
            return Ok(Self::Mail);
        }
        let media_type = hint.media_type.as_deref().unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        Ok(match (hint.extension().as_str(), media_type) {
            ("md" | "markdown" | "mkd" | "mdx" | "qmd", _) => Self::Markdown,
            ("csv" | "tsv" | "tab", _) => Self::Csv,
            ("htm" | "html" | "xhtml" | "shtml", _) if head.contains('<') => Self::Html,
            ("eml" | "mht" | "mhtml", _) if head.contains(':') => Self::Mail,
            ("txt" | "text" | "log" | "rst", _) => Self::Plain,
            (_, "text/markdown") => Self::Markdown,
            (_, "text/csv" | "text/tab-separated-values") => Self::Csv,
            (_, "text/html" | "application/xhtml+xml") if head.contains('<') => Self::Html,
            (_, "message/rfc822") if head.contains(':') => Self::Mail,
            _ => Self::Plain,
        })
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Pptx => {
                "application/vnd.openxmlformats-officedocument.presentationml.presentation"
            }
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Xlsb => "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
            Self::Xls => "application/vnd.ms-excel",
            Self::Ods => "application/vnd.oasis.opendocument.spreadsheet",
            Self::Odt => "application/vnd.oasis.opendocument.text",
            Self::Odp => "application/vnd.oasis.opendocument.presentation",
            Self::Epub => "application/epub+zip",
            Self::Html => "text/html",
            Self::Mail => "message/rfc822",
            Self::Markdown => "text/markdown",
            Self::Csv => "text/csv",
            Self::Plain => "text/plain",
        }
    }
}

pub(crate) fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

/// Whether a text in lower case begins with a mail's header lines.
fn is_mail(head: &str) -> bool {
    const KNOWN: [&str; 12] = [
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "mime-version",
        "received",
        "return-path",
        "content-type",
        "reply-to",
        "delivered-to",
        "x-mailer",
    ];
    let mut known: Vec<&str> = Vec::new();
    for (number, line) in head.lines().enumerate() {
        // An mbox file's first line.
        if (number == 0 && line.starts_with("from ")) || line.starts_with([' ', '\t']) {
            continue;
        }
        let Some((name, _)) = line.split_once(':') else { break };
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            break;
        }
        if let Some(name) = KNOWN.iter().find(|known| **known == name) {
            known.push(name);
        }
    }
    known.dedup();
    let is_from_somebody = known.contains(&"from") || known.contains(&"received");
    known.len() >= 3 && is_from_somebody
}
