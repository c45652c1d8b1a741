//! What lies in a zip archive, without unfolding more than is allowed?

use std::cell::Cell;
use std::cell::RefCell;
use std::io::{Cursor, Read as _};

use zip::ZipArchive;

use crate::decode::xml_text;
use crate::kind::{Kind, find};
use crate::{ExtractError, Limits};

/// An archive whose parts may unfold to so many bytes together.
pub(crate) struct Archive<'a> {
    zip: RefCell<ZipArchive<Cursor<&'a [u8]>>>,
    bytes_left: Cell<u64>,
}

impl<'a> Archive<'a> {
    pub(crate) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ExtractError> {
        let zip = ZipArchive::new(Cursor::new(bytes)).map_err(ExtractError::unreadable)?;
        if zip.len() > limits.n_parts as usize {
            return Err(ExtractError::TooLarge { what: format!("{} parts", zip.len()) });
        }
        Ok(Self { zip: RefCell::new(zip), bytes_left: Cell::new(limits.unfolded_bytes) })
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.zip.borrow().index_for_name(name).is_some()
    }

    /// What all parts say they unfold to.
    pub(crate) fn unfolded_bytes(&self) -> u64 {
        let mut zip = self.zip.borrow_mut();
        let n_parts = zip.len();
        let size = |index| zip.by_index_raw(index).map_or(0, |part| part.size());
        (0..n_parts).map(size).fold(0, u64::saturating_add)
    }

    /// The part's bytes, or `None` if there is no such part.
    pub(crate) fn read(&self, name: &str) -> Result<Option<Vec<u8>>, ExtractError> {
        let mut zip = self.zip.borrow_mut();
        let name = name.trim_start_matches('/');
        let Some(index) = zip.index_for_name(name) else { return Ok(None) };
        let part = match zip.by_index(index) {
            Ok(part) => part,
            Err(error) if error.to_string().to_lowercase().contains("password") => {
                return Err(ExtractError::Encrypted);
            }
            Err(error) => return Err(ExtractError::unreadable(format!("{name}: {error}"))),
        };
        let mut bytes = Vec::new();
        let left = self.bytes_left.get();
        let read = part.take(left.saturating_add(1)).read_to_end(&mut bytes);
        if bytes.len() as u64 > left {
            return Err(ExtractError::TooLarge { what: "what the archive unfolds to".to_owned() });
        }
        self.bytes_left.set(left - bytes.len() as u64);
        match read {
            Ok(_) => Ok(Some(bytes)),
            Err(error) => Err(ExtractError::unreadable(format!("{name}: {error}"))),
        }
    }

    /// The part as text, if it is there.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ExtractError> {
        Ok(self.read(name)?.map(|bytes| xml_text(&bytes)))
    }

    /// The part that must be there, as text.
    pub(crate) fn needed(&self, name: &str) -> Result<String, ExtractError> {
        self.text(name)?.ok_or_else(|| ExtractError::unreadable(format!("{name} is missing")))
    }
}

/// `target` of a link in the part `from`, as a part's name.
pub(crate) fn resolve(from: &str, target: &str) -> String {
    let target = target.split(['#', '?']).next().unwrap_or_default().replace('\\', "/");
    let mut parts: Vec<&str> = match target.starts_with('/') {
        true => Vec::new(),
        false => from.split('/').rev().skip(1).collect::<Vec<_>>().into_iter().rev().collect(),
    };
    for part in target.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// What a zip archive is: by the parts that it has.
pub(crate) fn kind(bytes: &[u8]) -> Result<Kind, ExtractError> {
    let limits = Limits::default();
    let archive = Archive::open(bytes, &limits)?;
    let named = archive.read("mimetype").ok().flatten().unwrap_or_default();
    let named = String::from_utf8_lossy(&named).trim().to_owned();
    let is = |suffix: &str| {
        named
            .strip_prefix("application/vnd.oasis.opendocument.")
            .is_some_and(|kind| kind.strip_suffix("-template").unwrap_or(kind) == suffix)
    };
    match () {
        () if archive.has("word/document.xml") => Ok(Kind::Docx),
        () if archive.has("ppt/presentation.xml") => Ok(Kind::Pptx),
        () if archive.has("xl/workbook.xml") => Ok(Kind::Xlsx),
        () if archive.has("xl/workbook.bin") => Ok(Kind::Xlsb),
        () if named == "application/epub+zip" || archive.has("META-INF/container.xml") => {
            Ok(Kind::Epub)
        }
        () if is("text") => Ok(Kind::Odt),
        () if is("presentation") => Ok(Kind::Odp),
        () if is("spreadsheet") => Ok(Kind::Ods),
        () if archive.has("content.xml") => odf(&archive),
        () if archive.has("[Content_Types].xml") => office(&archive),
        () => Err(ExtractError::TypeUnknown { what: "a zip archive".to_owned() }),
    }
}

/// OpenDocument without its media type's name.
fn odf(archive: &Archive<'_>) -> Result<Kind, ExtractError> {
    let content = archive.read("content.xml")?.unwrap_or_default();
    Ok(match () {
        () if find(&content, b"<office:spreadsheet").is_some() => Kind::Ods,
        () if find(&content, b"<office:presentation").is_some() => Kind::Odp,
        () => Kind::Odt,
    })
}

/// Office's parts under other names than the usual ones.
fn office(archive: &Archive<'_>) -> Result<Kind, ExtractError> {
    let types = archive.needed("[Content_Types].xml")?;
    match () {
        () if types.contains("wordprocessingml.document") => Ok(Kind::Docx),
        () if types.contains("presentationml.") => Ok(Kind::Pptx),
        () if types.contains("spreadsheetml.sheet") => Ok(Kind::Xlsx),
        () => Err(ExtractError::TypeUnknown { what: "an Office archive".to_owned() }),
    }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn links_are_resolved_within_the_archive() {
        assert_eq!(
            resolve("ppt/slides/slide1.xml", "../notesSlides/n1.xml"),
            "ppt/notesSlides/n1.xml"
        );
        assert_eq!(resolve("word/document.xml", "/word/styles.xml"), "word/styles.xml");
        assert_eq!(resolve("content.opf", "a/b.xhtml#x"), "a/b.xhtml");
        assert_eq!(resolve("a", "../../../etc/passwd"), "etc/passwd");
    }
}
