//! What does a file say? Its text, with structure and pages, whatever its format.
//!
//! Files are other people's: every extractor works within [`Limits`], and [`Extractor`] runs them in a
//! child process that can neither write, nor call anyone, nor outlive its time.

mod archive;
pub mod child;
mod decode;
mod docx;
mod epub;
mod error;
mod html;
mod kind;
mod limits;
mod mail;
mod odf;
mod pdf;
mod pptx;
mod sheet;
mod xml;

pub use child::{EXTRACT_VERB, Extractor};
pub use decode::decode;
pub use error::ExtractError;
pub use kind::{Hint, Kind};
pub use limits::Limits;
pub use portico_shared::documents::{Block, BlockKind, ExtractWarning, Extracted};

use portico_shared::documents::{self, Builder};

/// A mail in a mail in a mail.
const NESTING_MAX: u32 = 3;

/// What `bytes` say, read in this process: to be called in a child's.
///
/// # Errors
/// Each [`ExtractError`] but those that only a parent sees.
pub fn extract(bytes: &[u8], hint: &Hint, limits: &Limits) -> Result<Extracted, ExtractError> {
    if bytes.len() as u64 > limits.file_bytes {
        return Err(ExtractError::TooLarge { what: format!("a file of {} bytes", bytes.len()) });
    }
    let mut builder = Builder::new(limits.text_chars);
    extract_into(&mut builder, bytes, hint, limits, 0)?;
    if builder.is_over() {
        return Err(ExtractError::TooLarge {
            what: format!("more than {} chars of text", limits.text_chars),
        });
    }
    if builder.is_empty() {
        return Err(ExtractError::Empty);
    }
    Ok(builder.finish())
}

fn extract_into(
    builder: &mut Builder,
    bytes: &[u8],
    hint: &Hint,
    limits: &Limits,
    depth: u32,
) -> Result<(), ExtractError> {
    match Kind::of(bytes, hint)? {
        Kind::Pdf => pdf::extract(builder, bytes, limits),
        Kind::Docx => docx::extract(builder, bytes, limits),
        Kind::Pptx => pptx::extract(builder, bytes, limits),
        kind @ (Kind::Xlsx | Kind::Xlsb | Kind::Xls | Kind::Ods) => {
            sheet::extract(builder, bytes, kind, limits)
        }
        Kind::Odt | Kind::Odp => odf::extract(builder, bytes, limits),
        Kind::Epub => epub::extract(builder, bytes, limits),
        Kind::Html => html::extract(builder, bytes),
        Kind::Mail if depth < NESTING_MAX => mail::extract(builder, bytes, limits, depth),
        Kind::Mail => Err(ExtractError::unreadable("mails within mails within mails")),
        kind @ (Kind::Markdown | Kind::Csv | Kind::Plain) => {
            let text = decode(builder, bytes)?;
            match kind {
                Kind::Markdown => append(builder, documents::markdown(&text)),
                Kind::Csv => append(builder, documents::csv(&text)),
                _ => documents::push_plain(builder, &text),
            }
            Ok(())
        }
    }
}

/// All of `part`, with its title if there is none yet.
fn append(builder: &mut Builder, part: Extracted) {
    if let Some(title) = &part.title {
        builder.title(title);
    }
    builder.append(part);
}

/// What was read of a damaged part stays; an error only where nothing was.
fn keep(
    builder: &mut Builder,
    part: &str,
    read: Result<(), ExtractError>,
) -> Result<(), ExtractError> {
    match read {
        Err(ExtractError::Unreadable { reason }) if !builder.is_empty() => {
            builder.warn(ExtractWarning::PartLeftOut { part: part.to_owned(), reason });
            Ok(())
        }
        other => other,
    }
}
