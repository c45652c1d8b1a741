//! Files that are made to do damage end in an error by name, quickly.

use std::io::{Cursor, Write as _};

use portico_documents::{ExtractError, Hint, Limits, extract};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

fn zipped(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn read(bytes: &[u8], limits: &Limits) -> Result<String, ExtractError> {
    extract(bytes, &Hint::named("x"), limits).map(|extracted| extracted.text)
}

fn word(document: &[u8]) -> Vec<u8> {
    zipped(&[("word/document.xml", document)])
}

#[test]
fn an_archive_that_unfolds_too_far_is_not_unfolded() {
    let limits = Limits { unfolded_bytes: 1 << 20, ..Limits::default() };
    let bomb = word(&vec![b' '; 4 << 20]);
    assert!(bomb.len() < 10_000);
    assert!(matches!(read(&bomb, &limits), Err(ExtractError::TooLarge { .. })));
    let sheet = zipped(&[("xl/workbook.xml", b"<workbook/>"), ("xl/a.xml", &vec![b' '; 4 << 20])]);
    assert!(matches!(read(&sheet, &limits), Err(ExtractError::TooLarge { .. })));
}

#[test]
fn entities_of_the_documents_own_are_not_expanded() {
    let mut entities = String::from("<!DOCTYPE d [<!ENTITY e0 \"boom\">");
    for n in 1..30 {
        let before = format!("&e{};", n - 1).repeat(10);
        entities.push_str(&format!("<!ENTITY e{n} \"{before}\">"));
    }
    let xml = format!("{entities}]><w:p><w:r><w:t>before &e29; after</w:t></w:r></w:p>");
    assert_eq!(read(&word(xml.as_bytes()), &Limits::default()).unwrap(), "before after");
}

#[test]
fn what_is_nested_too_deeply_is_named() {
    let deep = "<w:p>".repeat(100_000);
    let error = read(&word(deep.as_bytes()), &Limits::default());
    assert!(matches!(error, Err(ExtractError::TooLarge { .. })), "{error:?}");
}

#[test]
fn pages_and_drawings_that_hold_themselves_end() {
    let pages = b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n\
        2 0 obj<</Type/Pages/Kids[2 0 R 3 0 R]/Count 9>>endobj\n\
        3 0 obj<</Type/Page/Parent 2 0 R/Contents 4 0 R/Resources<</XObject<</A 5 0 R>>/Font<</F 6 0 R>>>>>>endobj\n\
        4 0 obj<</Length 46>>stream\nBT /F 12 Tf 72 700 Td (Es endet.) Tj ET /A Do \nendstream endobj\n\
        5 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</A 5 0 R>>>>/Length 6>>stream\n/A Do \nendstream endobj\n\
        6 0 obj<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>endobj\n\
        trailer<</Root 1 0 R>>\n";
    assert_eq!(read(pages, &Limits::default()).unwrap(), "Es endet.");
}

#[test]
fn a_sheet_whose_last_cell_is_far_away_costs_nothing() {
    let sheet = zipped(&[
        ("_rels/.rels", b"<Relationships><Relationship Id=\"r0\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"),
        ("xl/workbook.xml", b"<workbook xmlns:r=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships\"><sheets><sheet name=\"A\" sheetId=\"1\" r:id=\"r1\"/></sheets></workbook>"),
        ("xl/_rels/workbook.xml.rels", b"<Relationships><Relationship Id=\"r1\" Type=\"http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet\" Target=\"worksheets/sheet1.xml\"/></Relationships>"),
        ("xl/worksheets/sheet1.xml", b"<worksheet><dimension ref=\"A1:XFD1048576\"/><sheetData><row r=\"1\"><c r=\"A1\"><v>1</v></c></row><row r=\"1048576\"><c r=\"XFD1048576\"><v>2</v></c></row></sheetData></worksheet>"),
    ]);
    let text = read(&sheet, &Limits::default()).unwrap();
    assert!(text.starts_with('1') && text.ends_with('2'), "{} chars", text.len());
}
