use portico_shared::error::ErrorCode;

use super::protocol::NewFile;
use super::*;
use crate::address::ON_DEVICE;
use crate::api::Filter;

fn file(name: &str, media_type: &str) -> NewFile {
    NewFile { name: name.into(), media_type: media_type.into(), date_s: 1_700_000_000 }
}

fn stored(id: u128, name: &str, media_type: &str, text: &str) -> Stored {
    let file = file(name, media_type);
    let extracted = extract(&file, text.as_bytes(), None).unwrap();
    Stored::new(Uuid::from_u128(id), file, text.len() as u64, extracted).unwrap()
}

const RULES: &str = "# Hausordnung\n\n## Garten\n\nDie Gartenpflege übernimmt der Verein im Frühjahr.\n\n\
    ## Keller\n\nFahrräder stehen im Keller, Kinderwagen im Hausflur.\n";
const MINUTES: &str = "Minutes of the meeting. The treasurer reported a surplus of 1,200 euros.";

fn shelf() -> Shelf {
    let mut shelf = Shelf::default();
    shelf.put(stored(1, "Hausordnung.md", "text/markdown", RULES), None);
    shelf.put(stored(2, "minutes.txt", "text/plain", MINUTES), None);
    shelf
}

fn ask(query: &str) -> SearchRequest {
    SearchRequest { query: query.into(), limit: 10, ..SearchRequest::default() }
}

#[track_caller]
fn finds(shelf: &mut Shelf, query: &str, document: u128) {
    let response = shelf.search(&ask(query), None);
    let first = response.hits.first().map(|hit| hit.document.id.as_u128());
    assert_eq!(first, Some(document), "{query}: {:?}", response.hits);
}

#[test]
fn words_find_inflections_umlauts_and_parts_of_compounds() {
    let mut shelf = shelf();
    finds(&mut shelf, "Wer macht die Pflege der Gärten?", 1);
    finds(&mut shelf, "fahrrad", 1);
    finds(&mut shelf, "Gaerten", 1);
    finds(&mut shelf, "what did the treasurer report", 2);
    assert_eq!(shelf.search(&ask("Quantenphysik"), None).hits, []);
}

#[test]
fn hits_are_marked_where_the_words_stand_and_lead_to_their_passage() {
    let mut shelf = shelf();
    let hit = shelf.search(&ask("Keller"), None).hits.remove(0);
    let marked: Vec<String> = hit
        .highlights
        .iter()
        .map(|[from, to]| {
            hit.text.chars().skip(*from as usize).take((to - from) as usize).collect()
        })
        .collect();
    assert!(marked.contains(&"Keller".to_owned()), "{marked:?}");
    let passage = shelf.passage(hit.document.id, hit.passage).unwrap();
    let text = shelf.text(hit.document.id).unwrap().text;
    let [from, to] = passage.chars;
    let there: String = text.chars().skip(from as usize).take((to - from) as usize).collect();
    assert_eq!((there, hit.document.collection.as_str()), (passage.text, ON_DEVICE));
    let unknown = shelf.passage(hit.document.id, Uuid::nil()).unwrap_err();
    assert_eq!(unknown.code, ErrorCode::DocumentNotFound);
}

#[test]
fn filters_hold_in_both_searches() {
    let mut shelf = shelf();
    let count = |shelf: &mut Shelf, change: &dyn Fn(&mut SearchRequest)| {
        let mut request = ask("Keller treasurer");
        change(&mut request);
        let vector = QueryVector { embedder: "e".into(), values: vec![1.0, 0.0] };
        shelf.search(&request, Some(&vector)).hits.len()
    };
    for id in [1, 2] {
        let n = shelf.stored(Uuid::from_u128(id)).unwrap().chunks.len();
        let values = [1.0, 0.0].repeat(n);
        let vectors = Vectors { embedder: "e".into(), dims: 2, values };
        shelf.set_vectors(Uuid::from_u128(id), vectors).unwrap();
    }
    let all = count(&mut shelf, &|_| {});
    assert!(all >= 2);
    let types = |media_type: &str| Filter { types: vec![media_type.into()], ..Filter::default() };
    assert_eq!(count(&mut shelf, &|request| request.filter = types("text/plain")), 1);
    assert_eq!(count(&mut shelf, &|request| request.filter = types("text/csv")), 0);
    assert_eq!(count(&mut shelf, &|request| request.filter.from = Some(1_700_000_001)), 0);
    assert_eq!(count(&mut shelf, &|request| request.filter.langs = vec![DocLang::En]), 1);
    assert_eq!(
        count(&mut shelf, &|request| request.collections = Some(vec!["handbook".into()])),
        0
    );
    assert_eq!(
        count(&mut shelf, &|request| request.collections = Some(vec![ON_DEVICE.into()])),
        all
    );
}

#[test]
fn counts_are_of_all_that_was_found_by_the_other_filters() {
    let mut shelf = shelf();
    let mut request = SearchRequest { limit: 1, facets: true, ..ask("Keller treasurer") };
    let facets = shelf.search(&request, None).facets.unwrap();
    assert_eq!((facets.total(None), facets.langs.get("en")), (2, Some(&1)), "{facets:?}");
    request.filter.types = vec!["text/plain".into()];
    request.collections = Some(vec!["handbook".into()]);
    let response = shelf.search(&request, None);
    assert_eq!(response.hits, []);
    // Another collection is asked: this one would bring one of this type.
    let facets = response.facets.unwrap();
    assert_eq!((facets.total(Some(ON_DEVICE)), facets.types.len()), (1, 0), "{facets:?}");
    request.collections = None;
    let facets = shelf.search(&request, None).facets.unwrap();
    assert_eq!((facets.total(None), facets.types.len()), (1, 2), "{facets:?}");
    request.facets = false;
    assert_eq!(shelf.search(&request, None).facets, None);
}

#[test]
fn vectors_are_exact_of_their_own_embedder_and_fused_with_words() {
    let mut shelf = Shelf::default();
    for (id, text) in [(1, "alpha beta"), (2, "gamma delta"), (3, "epsilon")] {
        shelf.put(stored(id, &format!("{id}.txt"), "text/plain", text), None);
    }
    let vectors =
        |values: &[f32]| Vectors { embedder: "e".into(), dims: 2, values: values.to_vec() };
    shelf.set_vectors(Uuid::from_u128(1), vectors(&[1.0, 0.0])).unwrap();
    shelf.set_vectors(Uuid::from_u128(2), vectors(&[0.6, 0.8])).unwrap();
    let wrong = shelf.set_vectors(Uuid::from_u128(3), vectors(&[1.0])).unwrap_err();
    assert_eq!(wrong.code, ErrorCode::VectorInvalid);
    assert_eq!(shelf.without_vectors("e"), [Uuid::from_u128(3)]);
    assert_eq!(shelf.without_vectors("other").len(), 3);

    let query = QueryVector { embedder: "e".into(), values: vec![0.0, 1.0] };
    let hits = shelf.search(&ask("alpha"), Some(&query)).hits;
    // Found by words and second by vectors: before what is first by vectors alone.
    let ids: Vec<u128> = hits.iter().map(|hit| hit.document.id.as_u128()).collect();
    assert_eq!(ids, [1, 2]);
    assert_eq!((hits[0].ranks.full_text, hits[0].ranks.vector), (Some(1), Some(2)));
    assert_eq!(hits[1].similarity, Some(0.8));
    let other = QueryVector { embedder: "other".into(), values: vec![0.0, 1.0] };
    assert_eq!(shelf.search(&ask("alpha"), Some(&other)).hits.len(), 1);
}

#[test]
fn vectors_survive_their_file_and_damaged_ones_are_none() {
    let vectors = Vectors { embedder: "e".into(), dims: 2, values: vec![0.5, -0.5, 1.0, 0.0] };
    let bytes = vectors.to_bytes();
    assert_eq!(Vectors::from_bytes(&bytes, 2), Some(vectors));
    assert_eq!(Vectors::from_bytes(&bytes, 3), None);
    for end in 0..bytes.len() {
        assert_eq!(Vectors::from_bytes(&bytes[..end], 2), None, "{end}");
    }
}

#[test]
fn equal_passages_have_names_of_their_own_and_keep_them() {
    let table = "name,place\n".to_owned() + &"the same row,again\n".repeat(400);
    let stored = stored(1, "t.csv", "text/csv", &table);
    let mut ids = stored.passages.clone();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), stored.chunks.len());
    assert!(ids.len() > 1);
    assert_eq!(passage_ids(stored.id, &stored.chunks), stored.passages);
}

#[test]
fn old_encodings_are_read_and_what_is_no_text_is_named() {
    let text = |bytes: &[u8]| extract(&file("a.txt", "text/plain"), bytes, None);
    assert_eq!(text(b"Stra\xdfe \x80").unwrap().text, "Straße €");
    assert_eq!(text(b"\xef\xbb\xbfStra\xc3\x9fe").unwrap().text, "Straße");
    assert_eq!(text(b"\xff\xfeH\0i\0").unwrap().text, "Hi");
    assert_eq!(text(b"\x89PNG\0\0").unwrap_err().code, ErrorCode::DeviceTypeUnknown);
    assert_eq!(text(b"  \n").unwrap_err().code, ErrorCode::DocumentEmpty);
    let word = extract(&file("a.docx", "application/x"), b"PK", None).unwrap_err();
    assert_eq!(word.code, ErrorCode::DeviceTypeUnknown);
}

#[test]
fn lines_of_a_pdf_become_headings_and_paragraphs_with_their_pages() {
    let line = |text: &str, size, gap| extract::Line { text: text.into(), size, gap };
    let pages = [
        PageText {
            lines: vec![
                line("Satzung", 18.0, 0.0),
                line("Der Verein führt den Na-", 10.0, 30.0),
                line("men Nachbarschaft.", 10.0, 12.0),
                line("Er hat seinen Sitz in Bremen.", 10.0, 24.0),
            ],
        },
        PageText { lines: vec![] },
        PageText { lines: vec![line("Schluss", 10.0, 0.0)] },
    ];
    let extracted = extract(&file("s.pdf", "application/pdf"), &[], Some(&pages)).unwrap();
    let blocks: Vec<(String, Option<u32>)> = extracted
        .blocks
        .iter()
        .map(|block| {
            let (from, to) = (block.chars.start as usize, block.chars.end as usize);
            (extracted.text.chars().skip(from).take(to - from).collect(), block.page)
        })
        .collect();
    let expected = [
        ("Satzung", 1),
        ("Der Verein führt den Namen Nachbarschaft.", 1),
        ("Er hat seinen Sitz in Bremen.", 1),
        ("Schluss", 3),
    ];
    assert_eq!(blocks, expected.map(|(text, page)| (text.to_owned(), Some(page))));
    assert_eq!((extracted.n_pages, extracted.warnings.len()), (Some(3), 1));
    let scanned = extract(&file("s.pdf", "application/pdf"), &[], Some(&[PageText::default()]));
    assert_eq!(scanned.unwrap_err().code, ErrorCode::DocumentNeedsOcr);
}
