//! Which characters does a string in this font show, and how wide are they?

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use encoding_rs::{MACINTOSH, WINDOWS_1252};
use lopdf::{Dictionary, Document, Object, ObjectId};

use super::cmap::{CMap, number};
use super::embedded::FontFile;
use super::follow;

/// Largest table of a font that is unfolded.
const TABLE_BYTES_MAX: usize = 8 << 20;
/// In thousandths of the font's size, where nothing is said.
const WIDTH_USUAL: f32 = 500.0;

/// One code of a string.
pub(super) struct Shown<'a> {
    /// `None` where no table says what it is.
    pub text: Option<&'a str>,
    /// In units of the font's size.
    pub width: f32,
    /// A blank of one byte is stretched by the word spacing.
    pub is_blank_byte: bool,
}

pub(super) struct Font {
    is_composite: bool,
    pub is_bold: bool,
    pub is_fixed: bool,
    to_unicode: Option<CMap>,
    /// Of fonts whose codes are one byte.
    simple: Vec<Option<String>>,
    /// Of composite fonts for which nothing but their file says it.
    ids: HashMap<u32, String>,
    widths: HashMap<u32, f32>,
    width_usual: f32,
    is_utf_16: bool,
}

/// The fonts of a document, each read once.
#[derive(Default)]
pub(super) struct Fonts(HashMap<ObjectId, Rc<Font>>);

impl Fonts {
    pub(super) fn get(&mut self, document: &Document, object: &Object) -> Option<Rc<Font>> {
        let id = object.as_reference().ok();
        if let Some(font) = id.and_then(|id| self.0.get(&id)) {
            return Some(Rc::clone(font));
        }
        let font = Rc::new(Font::read(document, follow(document, object)?.as_dict().ok()?));
        if let Some(id) = id {
            self.0.insert(id, Rc::clone(&font));
        }
        Some(font)
    }
}

impl Font {
    fn read(document: &Document, font: &Dictionary) -> Self {
        let of = |name: &[u8]| font.get(name).ok().and_then(|object| follow(document, object));
        let is_composite = of(b"Subtype").is_some_and(|kind| kind.as_name().ok() == Some(b"Type0"));
        let descendant = of(b"DescendantFonts")
            .and_then(|fonts| fonts.as_array().ok()?.first())
            .and_then(|font| follow(document, font)?.as_dict().ok());
        let described = descendant.unwrap_or(font);
        let descriptor = described.get(b"FontDescriptor").ok();
        let descriptor = descriptor.and_then(|object| follow(document, object)?.as_dict().ok());
        let to_unicode = of(b"ToUnicode").and_then(|table| {
            let table = table.as_stream().ok()?;
            Some(CMap::read(&table.decompressed_content_with_limit(TABLE_BYTES_MAX).ok()?))
        });
        let name = of(b"BaseFont").and_then(|name| name.as_name().ok()).unwrap_or_default();
        let name = String::from_utf8_lossy(name).to_lowercase();
        let flags = descriptor.and_then(|d| d.get(b"Flags").ok()?.as_i64().ok()).unwrap_or(0);
        let encoding = of(b"Encoding").and_then(|name| name.as_name().ok()).unwrap_or_default();
        let mut read = Self {
            is_composite,
            is_bold: ["bold", "black", "heavy", "semibold", "-bd"].iter().any(|w| name.contains(w))
                || flags & 1 << 18 != 0,
            is_fixed: ["courier", "mono", "consol", "typewriter", "cmtt", "sftt"]
                .iter()
                .any(|word| name.contains(word))
                || flags & 1 != 0,
            to_unicode,
            simple: Vec::new(),
            ids: HashMap::new(),
            widths: HashMap::new(),
            width_usual: WIDTH_USUAL,
            is_utf_16: encoding.starts_with(b"Uni") && !encoding.starts_with(b"Identity"),
        };
        if is_composite {
            read.composite_widths(document, described);
            // Codes are glyphs of the file, by way of a map at most.
            if read.to_unicode.is_none() && encoding.starts_with(b"Identity") {
                let file = descriptor.and_then(|descriptor| FontFile::of(document, descriptor));
                read.ids = file.map(|file| file.ids(document, described)).unwrap_or_default();
            }
        } else {
            let is_named = read.to_unicode.is_some();
            read.simple = simple_table(document, font, descriptor, flags, is_named);
            read.simple_widths(document, font, descriptor, &name);
        }
        read
    }

    /// The codes of a string.
    pub(super) fn shown<'a>(&'a self, bytes: &'a [u8], mut take: impl FnMut(Shown<'_>)) {
        let mut rest = bytes;
        while !rest.is_empty() {
            let named = self.to_unicode.as_ref();
            let n_bytes = match self.is_composite {
                true => named.and_then(|cmap| cmap.code_len(rest)).unwrap_or(2),
                false => 1,
            };
            let (bytes, behind) = rest.split_at((n_bytes as usize).min(rest.len()));
            rest = behind;
            let code = number(bytes);
            let from_table = named.and_then(|cmap| cmap.get(n_bytes, code));
            // Tables of simple fonts are sometimes written with two bytes.
            let from_table = from_table.or_else(|| match self.is_composite {
                false => named?.get(2, code),
                true => None,
            });
            let simple = self.simple.get(code as usize).and_then(Option::as_deref);
            let utf_16 = match self.is_utf_16 {
                true => char::from_u32(code).map(String::from),
                false => None,
            };
            let by_file = self.ids.get(&code).map(String::as_str);
            let text = from_table.filter(|text| !text.is_empty()).or(simple).or(by_file);
            let text = text.or(utf_16.as_deref());
            let width = self.widths.get(&code).copied().unwrap_or(self.width_usual) / 1000.0;
            take(Shown { text, width, is_blank_byte: n_bytes == 1 && code == 32 });
        }
    }

    fn simple_widths(
        &mut self,
        document: &Document,
        font: &Dictionary,
        descriptor: Option<&Dictionary>,
        name: &str,
    ) {
        let of = |name: &[u8]| font.get(name).ok().and_then(|object| follow(document, object));
        let scale = match of(b"FontMatrix").and_then(|matrix| matrix.as_array().ok()?.first()) {
            Some(scale) => scale.as_float().unwrap_or(0.001) * 1000.0,
            None => 1.0,
        };
        if let Some(missing) = descriptor.and_then(|d| d.get(b"MissingWidth").ok()?.as_float().ok())
            && missing > 0.0
        {
            self.width_usual = missing;
        }
        let first = of(b"FirstChar").and_then(|first| first.as_i64().ok()).unwrap_or(0);
        match of(b"Widths").and_then(|widths| widths.as_array().ok()) {
            Some(widths) => {
                for (code, width) in (first.max(0)..256).zip(widths) {
                    if let Some(width) = follow(document, width).and_then(|w| w.as_float().ok()) {
                        self.widths.insert(code as u32, width * scale);
                    }
                }
            }
            // One of the fonts that every reader has: about as wide as they are.
            None if name.contains("courier") => self.width_usual = 600.0,
            None => {
                for code in 32..256_u32 {
                    let width = match char::from_u32(code).unwrap_or('x') {
                        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '\'' | '|' | '!' | ' ' => 265.0,
                        'f' | 't' | 'r' | 'I' | '-' | '(' | ')' => 320.0,
                        'm' | 'w' | 'M' | 'W' => 820.0,
                        c if c.is_ascii_uppercase() => 690.0,
                        _ => 530.0,
                    };
                    self.widths.insert(code, width);
                }
            }
        }
    }

    /// `W`: `first [w w w]` or `first last w`.
    fn composite_widths(&mut self, document: &Document, font: &Dictionary) {
        let of = |name: &[u8]| font.get(name).ok().and_then(|object| follow(document, object));
        self.width_usual = of(b"DW").and_then(|width| width.as_float().ok()).unwrap_or(1000.0);
        let Some(list) = of(b"W").and_then(|list| list.as_array().ok()) else { return };
        let mut rest = list.iter().filter_map(|object| follow(document, object));
        while let (Some(first), Some(second)) = (rest.next(), rest.next()) {
            let Ok(first) = first.as_i64() else { return };
            match second {
                Object::Array(widths) => {
                    for (code, width) in (first..).zip(widths) {
                        if let Some(w) = follow(document, width).and_then(|w| w.as_float().ok()) {
                            self.widths.insert(code as u32, w);
                        }
                    }
                }
                last => {
                    let width = rest.next().and_then(|width| width.as_float().ok());
                    let (Ok(last), Some(width)) = (last.as_i64(), width) else { return };
                    for code in first..=last.min(first.saturating_add(0xffff)) {
                        self.widths.insert(code as u32, width);
                    }
                }
            }
        }
    }
}

/// The 256 characters of a simple font: its base, and what differs from it. Its file is asked only where
/// the font names no base, and no table of the PDF names the codes.
fn simple_table(
    document: &Document,
    font: &Dictionary,
    descriptor: Option<&Dictionary>,
    flags: i64,
    is_named: bool,
) -> Vec<Option<String>> {
    let encoding = font.get(b"Encoding").ok().and_then(|object| follow(document, object));
    let differing = encoding.and_then(|encoding| encoding.as_dict().ok());
    let base = match encoding {
        Some(Object::Name(name)) => Some(name.as_slice()),
        _ => differing.and_then(|dict| dict.get(b"BaseEncoding").ok()?.as_name().ok()),
    };
    let is_true_type =
        font.get(b"Subtype").is_ok_and(|kind| kind.as_name().ok() == Some(b"TrueType"));
    let is_symbolic = flags & 4 != 0;
    let mut table: Vec<Option<String>> = match base {
        Some(b"MacRomanEncoding") => upper_half(|bytes| MACINTOSH.decode(bytes).0.into_owned()),
        Some(b"WinAnsiEncoding" | b"PDFDocEncoding") => windows(),
        None if is_true_type && !is_symbolic => windows(),
        _ => standard(document),
    };
    if base.is_none()
        && let Some(descriptor) = descriptor
    {
        for (code, name) in built_in(document, descriptor) {
            table[code as usize] = glyph(document, &name);
        }
        let file = match is_named {
            true => None,
            false => FontFile::of(document, descriptor),
        };
        for (code, text) in file.map(|file| file.codes(document)).unwrap_or_default() {
            table[code as usize] = Some(text);
        }
    }
    let differences = differing.and_then(|dict| dict.get(b"Differences").ok());
    let differences = differences.and_then(|object| follow(document, object)?.as_array().ok());
    let mut code = 0_usize;
    for difference in differences.into_iter().flatten() {
        match difference {
            Object::Name(name) => {
                if let Some(place) = table.get_mut(code) {
                    *place = glyph(document, name);
                }
                code += 1;
            }
            other => {
                code = other.as_i64().ok().and_then(|n| usize::try_from(n).ok()).unwrap_or(256);
            }
        }
    }
    table
}

fn windows() -> Vec<Option<String>> {
    upper_half(|bytes| WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned())
}

fn upper_half(decode: impl Fn(&[u8]) -> String) -> Vec<Option<String>> {
    (0..=255_u8).map(|code| (code >= 32).then(|| decode(&[code]))).collect()
}

/// Adobe's standard encoding, as the library has it for fonts that name none.
fn standard(document: &Document) -> Vec<Option<String>> {
    let mut font = Dictionary::new();
    font.set("Type", Object::Name(b"Font".to_vec()));
    let Ok(encoding) = font.get_font_encoding(document) else { return vec![None; 256] };
    let decode = |code| encoding.bytes_to_string(&[code]).ok().filter(|text| !text.is_empty());
    (0..=255_u8).map(decode).collect()
}

/// The text that a glyph's name stands for: by Adobe's list, or as the name says itself.
pub(super) fn glyph(document: &Document, name: &[u8]) -> Option<String> {
    let name = name.split(|byte| *byte == b'.').next().unwrap_or_default();
    let text = std::str::from_utf8(name).ok()?;
    if text.is_empty() {
        return None;
    }
    let hex = text.strip_prefix("uni").or_else(|| text.strip_prefix('u'));
    let hex = hex.filter(|hex| hex.len() >= 4 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
    if let Some(code) = hex.and_then(|hex| u32::from_str_radix(&hex[..hex.len().min(6)], 16).ok()) {
        return char::from_u32(code).map(String::from);
    }
    match text {
        "ff" => return Some("ff".to_owned()),
        "ffi" => return Some("ffi".to_owned()),
        "ffl" => return Some("ffl".to_owned()),
        "fi" | "f_i" => return Some("fi".to_owned()),
        "fl" | "f_l" => return Some("fl".to_owned()),
        _ => {}
    }
    let mut differences = Dictionary::new();
    differences.set("Differences", vec![Object::Integer(0), Object::Name(name.to_vec())]);
    let mut font = Dictionary::new();
    font.set("Type", Object::Name(b"Font".to_vec()));
    font.set("Encoding", Object::Dictionary(differences));
    // A name that the list does not have leaves code 0 without a character.
    let text = font.get_font_encoding(document).ok()?.bytes_to_string(&[0]).ok()?;
    (!text.is_empty()).then_some(text)
}

/// The encoding in an embedded Type 1 font's head: lines such as `dup 65 /A put`.
fn built_in(document: &Document, descriptor: &Dictionary) -> BTreeMap<u8, Vec<u8>> {
    let mut found = BTreeMap::new();
    let file = descriptor.get(b"FontFile").ok().and_then(|object| follow(document, object));
    let Some(file) = file.and_then(|file| file.as_stream().ok()) else { return found };
    let Ok(bytes) = file.decompressed_content_with_limit(TABLE_BYTES_MAX) else { return found };
    let end = bytes.windows(5).position(|window| window == b"eexec").unwrap_or(bytes.len());
    let head = String::from_utf8_lossy(&bytes[..end]);
    let words: Vec<&str> = head.split_ascii_whitespace().collect();
    for four in words.windows(4) {
        if let ["dup", code, name, "put"] = four
            && let (Ok(code), Some(name)) = (code.parse::<u8>(), name.strip_prefix('/'))
        {
            found.insert(code, name.as_bytes().to_vec());
        }
    }
    found
}
