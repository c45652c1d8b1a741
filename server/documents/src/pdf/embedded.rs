//! Which characters do a font's codes stand for, as the font that is embedded says itself?
//!
//! Asked where the PDF says nothing: a font file may name its glyphs, or say which characters they are
//! for. What is not said stays unknown.

use std::collections::HashMap;

use lopdf::{Dictionary, Document};
use ttf_parser::{Face, GlyphId, PlatformId, cff};

use super::follow;
use super::font::glyph;

/// Largest font file that is unfolded.
const FONT_BYTES_MAX: usize = 16 << 20;
const MAP_BYTES_MAX: usize = 1 << 18;
/// Where fonts of symbols have their codes.
const SYMBOLS: u32 = 0xf000;

/// The font file that a descriptor names, unfolded.
pub(super) enum FontFile {
    /// TrueType, or OpenType around either kind of outlines.
    Sfnt(Vec<u8>),
    /// Type 1 in Compact Font Format.
    Compact(Vec<u8>),
}

impl FontFile {
    pub(super) fn of(document: &Document, descriptor: &Dictionary) -> Option<Self> {
        let file = |name: &[u8]| {
            let stream = follow(document, descriptor.get(name).ok()?)?.as_stream().ok()?;
            stream.decompressed_content_with_limit(FONT_BYTES_MAX).ok()
        };
        if let Some(bytes) = file(b"FontFile2") {
            return Some(Self::Sfnt(bytes));
        }
        let bytes = file(b"FontFile3")?;
        match bytes.starts_with(b"OTTO") || bytes.starts_with(&[0, 1, 0, 0]) {
            true => Some(Self::Sfnt(bytes)),
            false => Some(Self::Compact(bytes)),
        }
    }

    /// The text of each code of one byte.
    pub(super) fn codes(&self, document: &Document) -> HashMap<u8, String> {
        let mut codes = HashMap::new();
        match self {
            Self::Sfnt(bytes) => {
                let Ok(face) = Face::parse(bytes, 0) else { return codes };
                let texts = texts(document, &face);
                for code in 0..=255_u8 {
                    let text = glyph_of_code(&face, code).and_then(|glyph| texts.get(&glyph.0));
                    codes.extend(text.map(|text| (code, text.clone())));
                }
            }
            Self::Compact(bytes) => {
                let Some(table) = cff::Table::parse(bytes) else { return codes };
                for code in 0..=255_u8 {
                    let name = table.glyph_index(code).and_then(|id| table.glyph_name(id));
                    let text = name.and_then(|name| glyph(document, name.as_bytes()));
                    codes.extend(text.map(|text| (code, text)));
                }
            }
        }
        codes
    }

    /// The text of each character id of a composite font; `font` is the descendant, which may say which
    /// glyph each id is.
    pub(super) fn ids(&self, document: &Document, font: &Dictionary) -> HashMap<u32, String> {
        let mut by_glyph: HashMap<u16, String> = HashMap::new();
        match self {
            Self::Sfnt(bytes) => {
                if let Ok(face) = Face::parse(bytes, 0) {
                    by_glyph = texts(document, &face);
                }
            }
            Self::Compact(bytes) => {
                let Some(table) = cff::Table::parse(bytes) else { return HashMap::new() };
                for id in 0..table.number_of_glyphs() {
                    let name = table.glyph_name(GlyphId(id));
                    let text = name.and_then(|name| glyph(document, name.as_bytes()));
                    by_glyph.extend(text.map(|text| (id, text)));
                }
            }
        }
        let map = font.get(b"CIDToGIDMap").ok().and_then(|map| follow(document, map));
        let map = map.and_then(|map| map.as_stream().ok());
        let map = map.and_then(|map| map.decompressed_content_with_limit(MAP_BYTES_MAX).ok());
        match map {
            Some(map) => (0..)
                .zip(map.chunks_exact(2))
                .filter_map(|(id, pair)| {
                    let text = by_glyph.get(&u16::from_be_bytes([pair[0], pair[1]]))?;
                    Some((id, text.clone()))
                })
                .collect(),
            None => by_glyph.into_iter().map(|(id, text)| (u32::from(id), text)).collect(),
        }
    }
}

/// What each glyph stands for: the first character that its tables give it, else its name.
fn texts(document: &Document, face: &Face<'_>) -> HashMap<u16, String> {
    let mut texts: HashMap<u16, String> = HashMap::new();
    let subtables = face.tables().cmap.map(|cmap| cmap.subtables);
    let unicode = subtables.into_iter().flatten().filter(|subtable| subtable.is_unicode());
    for subtable in unicode {
        subtable.codepoints(|code| {
            let is_private = matches!(code, 0xe000..=0xf8ff);
            let shown = char::from_u32(code).filter(|c| !is_private && !c.is_control());
            if let (Some(c), Some(id)) = (shown, subtable.glyph_index(code))
                && id.0 != 0
            {
                texts.entry(id.0).or_insert_with(|| c.to_string());
            }
        });
    }
    for id in 1..face.number_of_glyphs() {
        if !texts.contains_key(&id)
            && let Some(name) = face.glyph_name(GlyphId(id))
            && let Some(text) = glyph(document, name.as_bytes())
        {
            texts.insert(id, text);
        }
    }
    texts
}

/// The glyph that a code of one byte shows, by the tables that are for such codes.
fn glyph_of_code(face: &Face<'_>, code: u8) -> Option<GlyphId> {
    let subtables = face.tables().cmap?.subtables;
    let code = u32::from(code);
    let symbols = subtables.into_iter().filter(|subtable| {
        subtable.platform_id == PlatformId::Windows && subtable.encoding_id == 0
    });
    let mut found = symbols
        .filter_map(|subtable| {
            subtable.glyph_index(SYMBOLS + code).or_else(|| subtable.glyph_index(code))
        })
        .filter(|id| id.0 != 0);
    if let Some(id) = found.next() {
        return Some(id);
    }
    let macintosh =
        subtables.into_iter().filter(|subtable| subtable.platform_id == PlatformId::Macintosh);
    let mut found = macintosh.filter_map(|subtable| subtable.glyph_index(code));
    found.find(|id| id.0 != 0)
}
