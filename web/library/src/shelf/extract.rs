//! What does a file say that never leaves the browser?

use portico_shared::documents::{
    BlockKind, Builder, ExtractWarning, Extracted, csv, html, markdown, plain,
};
use portico_shared::error::{ApiError, ErrorCode};
use serde::{Deserialize, Serialize};

use super::protocol::NewFile;

/// Longest text that is kept of a document.
const CHARS_MAX: usize = 8_000_000;

/// A page of a PDF, as pdf.js read it: lines from top to bottom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PageText {
    pub lines: Vec<Line>,
}

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    pub text: String,
    /// Height of its letters, in points.
    pub size: f32,
    /// From the line above, in points; the first one's is 0.
    pub gap: f32,
}

/// Reads a file's `bytes`, or what pdf.js read of it.
///
/// # Errors
/// `device_type_unknown`, `document_needs_ocr`, `document_empty`, `document_too_large`.
pub fn extract(
    file: &NewFile,
    bytes: &[u8],
    pages: Option<&[PageText]>,
) -> Result<Extracted, ApiError> {
    let extracted = match pages {
        Some(pages) => of_pages(pages),
        None => of_text(file, bytes)?,
    };
    if extracted.text.chars().count() > CHARS_MAX {
        return Err(ApiError::new(ErrorCode::DocumentTooLarge));
    }
    if extracted.text.trim().is_empty() {
        let has_pages = pages.is_some_and(|pages| !pages.is_empty());
        let code = if has_pages { ErrorCode::DocumentNeedsOcr } else { ErrorCode::DocumentEmpty };
        return Err(ApiError::new(code));
    }
    Ok(extracted)
}

fn of_text(file: &NewFile, bytes: &[u8]) -> Result<Extracted, ApiError> {
    let unknown = || ApiError::new(ErrorCode::DeviceTypeUnknown);
    let read: fn(&str) -> Extracted = match file.media_type.as_str() {
        "text/markdown" => markdown,
        "text/csv" => csv,
        "text/html" | "application/xhtml+xml" => html,
        "text/plain" => plain,
        _ => return Err(unknown()),
    };
    // A picture that calls itself a text.
    if bytes.iter().take(4_096).any(|byte| *byte == 0) && utf16(bytes).is_none() {
        return Err(unknown());
    }
    let (text, guessed) = decoded(bytes);
    let mut extracted = read(&text);
    if let Some(encoding) = guessed {
        extracted.warnings.push(ExtractWarning::EncodingGuessed { encoding: encoding.to_owned() });
    }
    Ok(extracted)
}

/// UTF-8, UTF-16 with its mark, else what Windows wrote in western Europe.
fn decoded(bytes: &[u8]) -> (String, Option<&'static str>) {
    if let Some(text) = utf16(bytes) {
        return (text, None);
    }
    let unmarked = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    match std::str::from_utf8(unmarked) {
        Ok(text) => (text.to_owned(), None),
        Err(_) => (unmarked.iter().map(|byte| windows_1252(*byte)).collect(), Some("windows-1252")),
    }
}

fn utf16(bytes: &[u8]) -> Option<String> {
    let (rest, read): (_, fn([u8; 2]) -> u16) = match bytes {
        [0xff, 0xfe, rest @ ..] => (rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => (rest, u16::from_be_bytes),
        _ => return None,
    };
    let units = rest.chunks_exact(2).map(|pair| read([pair[0], pair[1]]));
    Some(char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect())
}

fn windows_1252(byte: u8) -> char {
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž',
        '\u{8f}', '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}',
        'ž', 'Ÿ',
    ];
    match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        _ => char::from(byte),
    }
}

/// Lines become paragraphs where they stand close, and headings where they are larger than most.
fn of_pages(pages: &[PageText]) -> Extracted {
    let mut builder = Builder::default();
    let usual = usual_size(pages);
    let mut n_without_text = 0;
    for (page, number) in pages.iter().zip(1..) {
        builder.page(number);
        if page.lines.iter().all(|line| line.text.trim().is_empty()) {
            n_without_text += 1;
        }
        let mut paragraph = String::new();
        let mut last_size = usual;
        for line in &page.lines {
            let text = line.text.trim();
            if text.is_empty() {
                continue;
            }
            let is_heading = line.size > usual * 1.15 && text.chars().count() <= 120;
            let is_far = line.gap > line.size.max(last_size) * 1.7;
            if (is_heading || is_far) && !paragraph.is_empty() {
                builder.push(BlockKind::Paragraph, &std::mem::take(&mut paragraph));
            }
            last_size = line.size;
            if is_heading {
                let level = if line.size > usual * 1.5 { 1 } else { 2 };
                builder.push(BlockKind::Heading { level }, text);
                continue;
            }
            join(&mut paragraph, text);
        }
        if !paragraph.is_empty() {
            builder.push(BlockKind::Paragraph, &paragraph);
        }
    }
    builder.n_pages(u32::try_from(pages.len()).unwrap_or(u32::MAX));
    if n_without_text > 0 {
        builder.warn(ExtractWarning::PagesWithoutText { n_pages: n_without_text });
    }
    builder.finish()
}

/// A word that was parted at the line's end is whole again.
fn join(paragraph: &mut String, line: &str) {
    let is_parted = paragraph.ends_with('-')
        && paragraph.chars().rev().nth(1).is_some_and(char::is_lowercase)
        && line.chars().next().is_some_and(char::is_lowercase);
    if is_parted {
        paragraph.pop();
    } else if !paragraph.is_empty() {
        paragraph.push(' ');
    }
    paragraph.push_str(line);
}

/// The size that most letters have.
fn usual_size(pages: &[PageText]) -> f32 {
    let mut sizes: Vec<(f32, usize)> = Vec::new();
    for line in pages.iter().flat_map(|page| &page.lines) {
        match sizes.iter_mut().find(|(size, _)| (size - line.size).abs() < 0.25) {
            Some((_, n_chars)) => *n_chars += line.text.len(),
            None => sizes.push((line.size, line.text.len())),
        }
    }
    sizes.into_iter().max_by_key(|(_, n_chars)| *n_chars).map_or(0.0, |(size, _)| size)
}
