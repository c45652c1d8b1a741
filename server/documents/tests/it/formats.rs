//! What is read of each format: structure, pages and sections, and what is wrong by name.

use portico_documents::{
    BlockKind, ExtractError, ExtractWarning, Extracted, Hint, Limits, extract,
};

use crate::sample;

const ROWS: &str = "Mitglied | Beitrag | Eintritt⏎Müller, Jörg | 48,50 | 03.10.2019⏎\
    Weiß, Änne | 36,00 | 01.02.2021";

fn read(name: &str) -> Extracted {
    let bytes = std::fs::read(sample(name)).unwrap();
    extract(&bytes, &Hint::named(name), &Limits::default()).unwrap()
}

/// Blocks as `kind@page[section]: text`.
fn shown(extracted: &Extracted) -> Vec<String> {
    let of = |chars: &std::ops::Range<u32>| -> String {
        extracted.text.chars().skip(chars.start as usize).take(chars.len()).collect()
    };
    extracted
        .blocks
        .iter()
        .map(|block| {
            let kind = match block.kind {
                BlockKind::Heading { level } => format!("h{level}"),
                BlockKind::Paragraph => "p".to_owned(),
                BlockKind::ListItem => "li".to_owned(),
                BlockKind::Table => "table".to_owned(),
                BlockKind::Code => "code".to_owned(),
            };
            let page = block.page.map(|page| format!("@{page}")).unwrap_or_default();
            let section = block.section.as_ref().map(|s| format!("[{s}]")).unwrap_or_default();
            format!("{kind}{page}{section}: {}", of(&block.chars).replace('\n', "⏎"))
        })
        .collect()
}

fn holds(extracted: &Extracted, block: &str) {
    let shown = shown(extracted);
    assert!(shown.iter().any(|known| known == block), "{block} is not in\n{}", shown.join("\n"));
}

#[test]
fn word_has_headings_numbered_items_and_tables() {
    let read = read("sample.docx");
    assert_eq!(read.title.as_deref(), Some("Satzung"));
    for block in
        ["h1: Satzung des Vereins", "h2: § 2 Organe", "li: 2. Kassenprüfer", "li: - Öffentlichkeit"]
    {
        holds(&read, block);
    }
    holds(&read, &format!("table: {ROWS}"));
}

#[test]
fn slides_are_pages_with_titles_tables_and_notes() {
    let read = read("sample.pptx");
    assert_eq!(read.n_pages, Some(2));
    holds(&read, "h1@1[Jahresbericht]: Jahresbericht");
    holds(&read, "li@1[Jahresbericht]: - Neue Bäume gepflanzt");
    holds(&read, "p@1[Jahresbericht]: Hier die Spender grüßen.");
    holds(&read, &format!("table@2[Mitglieder]: {ROWS}"));
}

#[test]
fn sheets_are_sections_with_readable_dates_and_without_the_hidden_ones() {
    let read = read("sample.xlsx");
    holds(
        &read,
        "table[Beiträge]: Mitglied | Beitrag | Eintritt⏎Müller | 48.5 | 2019-10-03⏎Weiß | 36 | 2021-02-01 09:30",
    );
    holds(&read, "table[Beiträge]: Summe aller Beiträge | 84.5");
    holds(&read, "p[Termine]: Sommerfest");
    assert!(!read.text.contains("steht nicht da"));
    let old = self::read("sample.xls");
    holds(&old, "table[Beiträge]: Mitglied | Beitrag | Eintritt⏎Müller | 48.5 | 2019-10-03");
    holds(&self::read("sample.ods"), &format!("table[Beiträge]: {ROWS}"));
}

#[test]
fn open_document_has_lists_tables_and_notes() {
    let read = read("sample.odt");
    let expected = [
        "h1: Satzung des Vereins",
        "p: Der Verein führt den Namen „Grüne Höfe“ und hat seinen Sitz in Köln.[1]",
        "li: - Vorstand",
        "li: - Kassenprüfer",
        &format!("table: {ROWS}"),
        "p: [1] Eingetragen beim Amtsgericht Köln.",
    ];
    assert_eq!(shown(&read), expected);
}

#[test]
fn chapters_of_a_book_are_sections_in_their_order() {
    let read = read("sample.epub");
    assert_eq!(read.title.as_deref(), Some("Das Gartenbuch"));
    let sections: Vec<_> = read.blocks.iter().filter_map(|block| block.section.clone()).collect();
    assert_eq!(sections, ["Boden", "Boden", "Bäume", "Bäume"]);
}

#[test]
fn pdf_has_pages_headings_and_tables_but_no_running_heads() {
    let read = read("sample.pdf");
    assert_eq!((read.title.as_deref(), read.n_pages), (Some("Satzung 2024"), Some(3)));
    holds(&read, "h1@1: Satzung des Vereins");
    holds(&read, "h2@3: § 12 Abschnitt 12");
    holds(&read, &format!("table@3: {ROWS}"));
    assert!(!read.text.contains("Seite 2") && !read.text.contains("Grüne Höfe e. V."));
    let paragraphs: Vec<String> =
        shown(&read).into_iter().filter(|block| block.starts_with("p@")).collect();
    assert_eq!(paragraphs.len(), 12, "{}", paragraphs.join("\n"));
    assert!(paragraphs[0].contains("für die Dauer von zwei Jahren. Sie ist beschlussfähig"));
}

#[test]
fn pictures_and_passwords_are_named() {
    let error = |name: &str| {
        let bytes = std::fs::read(sample(name)).unwrap();
        extract(&bytes, &Hint::named(name), &Limits::default()).unwrap_err()
    };
    assert_eq!(error("scanned.pdf"), ExtractError::NeedsOcr { n_pages: 1 });
    assert_eq!(error("locked.pdf"), ExtractError::Encrypted);
    // What anyone may read and only the owner may change.
    assert_eq!(read("printable.pdf").text, read("sample.pdf").text);
}

#[test]
fn mail_has_its_plain_text_and_its_attachments_as_sections() {
    let read = read("sample.eml");
    assert_eq!(read.title.as_deref(), Some("Einladung zur Mitgliederversammlung"));
    holds(
        &read,
        "p: From: Jörg Müller <vorstand@example.org>⏎To: mitglieder@example.org⏎Date: 2024-03-04 18:30",
    );
    holds(&read, "p: wir laden herzlich ein. Grüße aus Köln!");
    holds(&read, "h2[Satzung 2024.docx]: § 2 Organe");
    assert!(!read.text.contains("nur für HTML"));
}

#[test]
fn old_encodings_are_read_and_told() {
    let html = read("sample.html");
    assert_eq!(shown(&html), ["h1: Satzung", "p: Straße in Köln, Größe 5.", "li: - Vorstand"]);
    assert_eq!(html.warnings, []);
    let csv = read("sample.csv");
    assert_eq!(shown(&csv), [format!("table: {ROWS}")]);
    let encoding = "windows-1252".to_owned();
    assert_eq!(csv.warnings, [ExtractWarning::EncodingGuessed { encoding }]);
    holds(&read("sample.txt"), "li: - Löschung");
    holds(&read("sample.md"), "h1: Satzung");
}

#[test]
fn a_wrong_name_is_no_problem_and_what_is_no_document_is_named() {
    let bytes = std::fs::read(sample("sample.docx")).unwrap();
    let read = extract(&bytes, &Hint::named("Satzung.pdf"), &Limits::default()).unwrap();
    holds(&read, "h2: § 2 Organe");
    let unknown = |bytes: &[u8]| extract(bytes, &Hint::named("x.txt"), &Limits::default());
    assert!(matches!(unknown(b"\x89PNG\r\n\x1a\n...."), Err(ExtractError::TypeUnknown { .. })));
    assert_eq!(unknown(b" \n "), Err(ExtractError::Empty));
    assert!(matches!(unknown(b"PK\x03\x04nothing"), Err(ExtractError::Unreadable { .. })));
}
