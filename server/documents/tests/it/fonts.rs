//! PDFs whose fonts have no `ToUnicode` table: what their font files say of the glyphs is read, and what
//! nothing says is named as that.

use lopdf::{Dictionary, Document, Object, Stream, dictionary};
use portico_documents::{ExtractError, Hint, Limits, extract};

/// Shown by the glyphs 1, 2, 3, … of a font.
const TEXT: &str = "Grüße aus dem Garten: 12 €";

/// A font's table of characters: for which platform and encoding, and each code's glyph.
struct Characters {
    platform: u16,
    encoding: u16,
    glyphs: Vec<(u16, u16)>,
}

/// A font file with glyphs, none of which is drawn. `names` are its glyphs' own.
fn font_file(n_glyphs: u16, characters: Option<Characters>, names: Option<Vec<String>>) -> Vec<u8> {
    let u16s = |values: &[u16]| values.iter().flat_map(|v| v.to_be_bytes()).collect::<Vec<u8>>();
    let mut head = vec![0; 54];
    head[..4].copy_from_slice(&[0, 1, 0, 0]);
    head[12..16].copy_from_slice(&0x5f0f_3cf5_u32.to_be_bytes());
    head[18..20].copy_from_slice(&1000_u16.to_be_bytes());
    let mut hhea = vec![0; 36];
    hhea[..4].copy_from_slice(&[0, 1, 0, 0]);
    hhea[34..36].copy_from_slice(&1_u16.to_be_bytes());
    let maxp = [&0x5000_u32.to_be_bytes()[..], &n_glyphs.to_be_bytes()].concat();
    let mut tables: Vec<(&[u8; 4], Vec<u8>)> =
        vec![(b"head", head), (b"hhea", hhea), (b"maxp", maxp)];
    if let Some(Characters { platform, encoding, glyphs: mut pairs }) = characters {
        // Format 4, a segment for each character.
        pairs.sort_unstable();
        let n = pairs.len() as u16 + 1;
        let mut table = u16s(&[4, 16 + 8 * n, 0, 2 * n, 0, 0, 0]);
        let codes: Vec<u16> = pairs.iter().map(|(code, _)| *code).chain([0xffff]).collect();
        table.extend(u16s(&codes));
        table.extend([0, 0]);
        table.extend(u16s(&codes));
        let deltas = pairs.iter().map(|(code, glyph)| glyph.wrapping_sub(*code)).chain([1]);
        table.extend(u16s(&deltas.collect::<Vec<_>>()));
        table.extend(u16s(&vec![0; n as usize]));
        let cmap = [u16s(&[0, 1, platform, encoding, 0, 12]), table].concat();
        tables.push((b"cmap", cmap));
    }
    if let Some(names) = names {
        let mut post = vec![0; 32];
        post[..4].copy_from_slice(&[0, 2, 0, 0]);
        post.extend(u16s(&[n_glyphs]));
        // The first 258 are Macintosh's own.
        post.extend(u16s(
            &(0..n_glyphs).map(|n| if n == 0 { 0 } else { 257 + n }).collect::<Vec<_>>(),
        ));
        for name in names {
            post.push(name.len() as u8);
            post.extend(name.as_bytes());
        }
        tables.push((b"post", post));
    }
    tables.sort_by_key(|(tag, _)| **tag);
    let mut file = [&[0, 1, 0, 0][..], &u16s(&[tables.len() as u16, 0, 0, 0])].concat();
    let mut at = file.len() + 16 * tables.len();
    let mut bodies = Vec::new();
    for (tag, body) in &tables {
        file.extend(*tag);
        file.extend([0; 4]);
        file.extend((at as u32).to_be_bytes());
        file.extend((body.len() as u32).to_be_bytes());
        bodies.extend(body);
        bodies.resize(bodies.len().next_multiple_of(4), 0);
        at += body.len().next_multiple_of(4);
    }
    [file, bodies].concat()
}

/// A page that shows `codes` in the font that `font` makes of a descriptor with the file.
fn pdf(
    file: Vec<u8>,
    flags: i64,
    codes: Vec<u8>,
    font: impl FnOnce(&mut Document, Object) -> Dictionary,
) -> Vec<u8> {
    let mut document = Document::with_version("1.7");
    let file = document.add_object(Stream::new(Dictionary::new(), file));
    let descriptor = document.add_object(dictionary! {
        "Type" => "FontDescriptor", "FontName" => "ABCDEF+Own", "Flags" => flags, "FontFile2" => file,
    });
    let font = font(&mut document, descriptor.into());
    let font = document.add_object(font);
    let hex: String = codes.iter().map(|code| format!("{code:02x}")).collect();
    let drawing = format!("BT /F 12 Tf 72 700 Td <{hex}> Tj ET");
    let drawing = document.add_object(Stream::new(Dictionary::new(), drawing.into_bytes()));
    let pages = document.new_object_id();
    let page = document.add_object(dictionary! {
        "Type" => "Page", "Parent" => pages, "Contents" => drawing,
        "MediaBox" => vec![0.into(), 0.into(), 595.into(), 842.into()],
        "Resources" => dictionary! { "Font" => dictionary! { "F" => font } },
    });
    let kids = dictionary! { "Type" => "Pages", "Kids" => vec![page.into()], "Count" => 1 };
    document.objects.insert(pages, kids.into());
    let catalog = document.add_object(dictionary! { "Type" => "Catalog", "Pages" => pages });
    document.trailer.set("Root", catalog);
    let mut bytes = Vec::new();
    document.save_to(&mut bytes).unwrap();
    bytes
}

/// A font of two-byte codes, which are glyphs, by way of `map` if there is one.
fn composite(document: &mut Document, descriptor: Object, map: Option<Vec<u8>>) -> Dictionary {
    let map: Object = match map {
        Some(map) => document.add_object(Stream::new(Dictionary::new(), map)).into(),
        None => "Identity".into(),
    };
    let descendant = document.add_object(dictionary! {
        "Type" => "Font", "Subtype" => "CIDFontType2", "BaseFont" => "ABCDEF+Own", "DW" => 600,
        "FontDescriptor" => descriptor, "CIDToGIDMap" => map,
    });
    dictionary! {
        "Type" => "Font", "Subtype" => "Type0", "BaseFont" => "ABCDEF+Own",
        "Encoding" => "Identity-H", "DescendantFonts" => vec![descendant.into()],
    }
}

fn simple(_: &mut Document, descriptor: Object) -> Dictionary {
    dictionary! {
        "Type" => "Font", "Subtype" => "TrueType", "BaseFont" => "ABCDEF+Own",
        "FirstChar" => 0, "LastChar" => 255, "Widths" => vec![Object::Integer(600); 256],
        "FontDescriptor" => descriptor,
    }
}

fn text(pdf: &[u8]) -> Result<String, ExtractError> {
    let read = extract(pdf, &Hint::named("x.pdf"), &Limits::default())?;
    Ok(read.text.trim().to_owned())
}

fn n_glyphs() -> u16 {
    TEXT.chars().count() as u16 + 1
}

fn characters(encoding: u16, glyphs: Vec<(u16, u16)>) -> Characters {
    Characters { platform: 3, encoding, glyphs }
}

/// Each character of the text with its glyph; a character that comes twice has its first one.
fn pairs() -> Vec<(u16, u16)> {
    let mut seen: Vec<(u16, u16)> = Vec::new();
    for (c, glyph) in TEXT.chars().zip(1..) {
        if seen.iter().all(|(code, _)| *code != c as u16) {
            seen.push((c as u16, glyph));
        }
    }
    seen
}

/// The glyph of each character of the text.
fn glyphs() -> Vec<u16> {
    let pairs = pairs();
    let glyph = |c: char| pairs.iter().find(|(code, _)| *code == c as u16).unwrap().1;
    TEXT.chars().map(glyph).collect()
}

fn two_bytes(codes: &[u16]) -> Vec<u8> {
    codes.iter().flat_map(|code| code.to_be_bytes()).collect()
}

/// By Adobe's list, and as a name says itself.
fn names() -> Vec<String> {
    let name = |c: char| match c {
        ' ' => "space".to_owned(),
        ':' => "colon".to_owned(),
        'ü' => "udieresis".to_owned(),
        'ß' => "germandbls".to_owned(),
        '€' => "uni20AC".to_owned(),
        '1' => "one".to_owned(),
        '2' => "two.oldstyle".to_owned(),
        c => c.to_string(),
    };
    TEXT.chars().map(name).collect()
}

#[test]
fn glyphs_of_composite_fonts_are_read_by_the_fonts_own_table() {
    let file = || font_file(n_glyphs(), Some(characters(1, pairs())), None);
    let plain =
        pdf(file(), 4, two_bytes(&glyphs()), |document, own| composite(document, own, None));
    assert_eq!(text(&plain).as_deref(), Ok(TEXT));
    // Codes that a map leads to the glyphs: here the other way round.
    let n = n_glyphs();
    let map: Vec<u16> = (0..n).rev().collect();
    let codes: Vec<u16> = glyphs().iter().map(|glyph| n - 1 - glyph).collect();
    let mapped = pdf(file(), 4, two_bytes(&codes), |document, own| {
        composite(document, own, Some(two_bytes(&map)))
    });
    assert_eq!(text(&mapped).as_deref(), Ok(TEXT));
}

#[test]
fn glyphs_are_read_by_their_names() {
    let codes: Vec<u16> = (1..n_glyphs()).collect();
    let named =
        pdf(font_file(n_glyphs(), None, Some(names())), 4, two_bytes(&codes), |document, own| {
            composite(document, own, None)
        });
    assert_eq!(text(&named).as_deref(), Ok(TEXT));
    // Of symbols, as office programs call a font with codes of its own.
    let of_codes = (1..n_glyphs()).map(|glyph| (0xf000 + 0x40 + glyph, glyph)).collect();
    let file = font_file(n_glyphs(), Some(characters(0, of_codes)), Some(names()));
    let codes = (1..n_glyphs()).map(|glyph| 0x40 + glyph as u8).collect();
    assert_eq!(text(&pdf(file, 4, codes, simple)).as_deref(), Ok(TEXT));
}

#[test]
fn glyphs_of_which_nothing_says_what_they_are_need_their_picture_read() {
    let silent =
        pdf(font_file(n_glyphs(), None, None), 4, two_bytes(&glyphs()), |document, own| {
            composite(document, own, None)
        });
    assert_eq!(text(&silent), Err(ExtractError::NeedsOcr { n_pages: 1 }));
    // Also where the file is none.
    let broken = pdf(b"no font".to_vec(), 4, two_bytes(&glyphs()), |document, own| {
        composite(document, own, None)
    });
    assert_eq!(text(&broken), Err(ExtractError::NeedsOcr { n_pages: 1 }));
}
