use uuid::Uuid;

use super::*;

struct House {
    index: FullText,
    _folder: tempfile::TempDir,
}

fn passage(n: u128, lang: DocLang, text: &str) -> Passage {
    Passage {
        id: Uuid::from_u128(n),
        document: Uuid::from_u128(n / 10),
        collection: "haus".into(),
        name: format!("Blatt {n}"),
        heading_path: Vec::new(),
        text: text.into(),
        lang,
        media_type: "text/plain".into(),
        date_s: 1_700_000_000 + i64::try_from(n).unwrap() * 86_400,
    }
}

fn house(passages: &[Passage]) -> House {
    let folder = tempfile::tempdir().unwrap();
    let index = FullText::open(folder.path(), &FullTextConfig::default()).unwrap();
    index.put(passages).unwrap();
    index.commit().unwrap();
    House { index, _folder: folder }
}

impl House {
    fn ids(&self, text: &str) -> Vec<u128> {
        self.within(text, &Filter::collections(["haus"]))
    }

    fn within(&self, text: &str, filter: &Filter) -> Vec<u128> {
        let hits = self.index.search(text, filter, 10).unwrap();
        hits.iter().map(|hit| hit.id.as_u128()).collect()
    }
}

fn small() -> House {
    house(&[
        passage(1, DocLang::De, "Frau Müller leitet die Mitgliederversammlung des Vereins."),
        passage(2, DocLang::De, "Die Beiträge werden im März eingezogen, die Satzung regelt das."),
        passage(3, DocLang::En, "The caretaker keeps the keys of the gym and of the kitchen."),
        passage(4, DocLang::De, "Am Samstag wird die Straße vor dem Rathaus gekehrt."),
        passage(5, DocLang::Other, "Le maire de Fürstenfeldbruck ouvre le marché."),
    ])
}

#[test]
fn spellings_and_forms_of_a_word_find_it() {
    let house = small();
    for name in ["Müller", "Mueller", "Muller", "MÜLLER", "Mu\u{308}ller"] {
        assert_eq!(house.ids(name), [1], "{name}");
    }
    assert_eq!(house.ids("Beitrag"), [2]);
    assert_eq!(house.ids("Strasse"), [4]);
    assert_eq!(house.ids("key"), [3]);
    assert_eq!(house.ids("kitchens"), [3]);
}

#[test]
fn parts_of_a_compound_find_it_and_it_finds_its_parts() {
    let house = house(&[
        passage(1, DocLang::De, "Die Mitgliederversammlung wählt den Vorstand."),
        passage(2, DocLang::De, "Eine Versammlung aller Mitglieder findet im Herbst statt."),
        passage(3, DocLang::De, "Der Hausmeister hat den Schlüssel."),
    ]);
    let mut found = house.ids("Mitgliederversammlung");
    assert_eq!(found[0], 1);
    found.sort_unstable();
    assert_eq!(found, [1, 2]);
    assert_eq!(house.ids("Versammlungen").len(), 2);
    assert_eq!(house.ids("Schlüssel"), [3]);
}

#[test]
fn a_typing_error_finds_what_was_meant_but_only_for_unknown_words() {
    let house = small();
    assert_eq!(house.ids("Satzugn"), [2]);
    assert_eq!(house.ids("Rathas"), [4]);
    assert_eq!(house.ids("Mitgliedrversamlung"), [1]);
    // One letter from `keys`, but known: no guess.
    let house = house_of_pairs();
    assert_eq!(house.ids("Sitzung"), [2]);
}

fn house_of_pairs() -> House {
    house(&[
        passage(1, DocLang::De, "Die Satzung gilt."),
        passage(2, DocLang::De, "Eine Sitzung folgt."),
    ])
}

#[test]
fn beginnings_are_asked_for_by_a_star_or_meant_by_an_unknown_word() {
    let house = small();
    assert_eq!(house.ids("Mitgl*"), [1]);
    assert_eq!(house.ids("Fürstenf*"), [5]);
    assert_eq!(house.ids("Fürstenfeld"), [5]);
}

#[test]
fn a_phrase_is_in_order_and_keeps_its_little_words() {
    let house = house(&[
        passage(1, DocLang::De, "Der Antrag auf Aufnahme wird gestellt."),
        passage(2, DocLang::De, "Die Aufnahme wird auf Antrag gestellt."),
    ]);
    assert_eq!(house.ids("\"Antrag auf Aufnahme\""), [1]);
    assert_eq!(house.ids("„auf Antrag“ Aufnahme"), [2]);
    // In no passage: then its words.
    assert_eq!(house.ids("\"Aufnahme Antrag\"").len(), 2);
    assert_eq!(house.ids("\"Antrag auf Aufnahme").len(), 2);
}

#[test]
fn little_words_count_only_alone() {
    let house = house(&[
        passage(1, DocLang::De, "Wer wir sind und wo wir sind, das sind wir."),
        passage(2, DocLang::De, "Der Kuchen ist gebacken."),
    ]);
    assert_eq!(house.ids("Wo ist der Kuchen?"), [2]);
    assert_eq!(house.ids("wer sind wir"), [1]);
}

#[test]
fn every_filter_is_inside_the_query() {
    let house = small();
    let all = Filter::collections(["haus"]);
    let text = "Müller Beitrag key Straße maire";
    assert_eq!(house.within(text, &all).len(), 5);
    assert_eq!(house.within(text, &Filter::default()), [] as [u128; 0]);
    assert_eq!(house.within(text, &Filter::collections(["other", "haus 2"])), [] as [u128; 0]);
    let filter = Filter { langs: vec![DocLang::En], ..all.clone() };
    assert_eq!(house.within(text, &filter), [3]);
    let filter = Filter { media_types: vec!["application/pdf".into()], ..all.clone() };
    assert_eq!(house.within(text, &filter), [] as [u128; 0]);
    let day = |n: i64| Some(1_700_000_000 + n * 86_400);
    let filter = Filter { from_s: day(4), to_s: day(5), ..all.clone() };
    let mut found = house.within(text, &filter);
    found.sort_unstable();
    assert_eq!(found, [4, 5]);
    let filter = Filter { documents: vec![Uuid::from_u128(7)], ..all };
    assert_eq!(house.within(text, &filter), [] as [u128; 0]);
}

#[test]
fn collections_with_spaces_are_whole_keywords() {
    let mut passages = vec![];
    for (n, collection) in [(1, "acme corp"), (2, "acme corp two"), (3, "acme"), (4, "corp")] {
        let mut one = passage(n, DocLang::En, "secret plan");
        one.collection = collection.into();
        passages.push(one);
    }
    let house = house(&passages);
    assert_eq!(house.within("secret", &Filter::collections(["acme corp"])), [1]);
    assert_eq!(house.within("secret", &Filter::collections(["acme"])), [3]);
}

#[test]
fn facets_count_what_has_the_words() {
    let house = small();
    let filter = Filter::collections(["haus"]);
    let all = house.index.facets("", &filter).unwrap();
    assert_eq!(all.n_passages, 5);
    assert_eq!(all.langs["de"], 3);
    assert_eq!(all.years[&2023], 5);
    let some = house.index.facets("Beitrag", &filter).unwrap();
    assert_eq!((some.n_passages, some.langs.get("de")), (1, Some(&1)));
    assert_eq!(some.collections["haus"], 1);
    assert_eq!(house.index.facets("", &Filter::default()).unwrap().n_passages, 0);
    // Words that nobody has are not the same as none.
    assert_eq!(house.index.facets("Quantenphysik", &filter).unwrap().n_passages, 0);
    assert_eq!(house.index.facets("\"Satzung Beiträge\"", &filter).unwrap().n_passages, 1);
}

#[test]
fn what_the_search_matched_is_marked_and_nothing_else() {
    let de = |n, text| passage(n, DocLang::De, text);
    let house = house(&[
        de(1, "Die Gebühr ist im März fällig."),
        de(2, "Müllgebühren zahlt der Mu\u{308}ller."),
        passage(3, DocLang::En, "The caretaker keeps the keys."),
    ]);
    #[track_caller]
    fn check(house: &House, question: &str, text: &str, lang: DocLang, expected: &[&str]) {
        let marks = house.index.marks(question, &[(text.to_owned(), lang)]).unwrap().remove(0);
        let chars: Vec<char> = text.chars().collect();
        let marked: Vec<String> =
            marks.iter().map(|[a, b]| chars[*a as usize..*b as usize].iter().collect()).collect();
        assert_eq!(marked, expected, "{question}");
    }
    let text = "🙂 Die Müllgebühr und alle Gebühren, nicht der Gehweg.";
    check(&house, "Gebühren", text, DocLang::De, &["Müllgebühr", "Gebühren"]);
    check(&house, "Gebuehr", text, DocLang::De, &["Müllgebühr", "Gebühren"]);
    // A compound that was asked for finds its parts, too.
    check(&house, "Müllgebühren", text, DocLang::De, &["Müllgebühr", "Gebühren"]);
    check(&house, "die", text, DocLang::De, &["Die"]);
    check(&house, "was kostet die Abfuhr", text, DocLang::De, &["Die"]);
    check(&house, "Muller", "Mu\u{308}ller, Mühle", DocLang::De, &["Mu\u{308}ller"]);
    // What was meant by a slip of the pen, as the index has it.
    check(&house, "Gebürh", "Gebühr und Gehweg", DocLang::De, &["Gebühr"]);
    check(&house, "key", "Keys, keyboards; a key.", DocLang::En, &["Keys", "key"]);
    check(&house, "", text, DocLang::De, &[]);
    check(&house, "Gebühr", &"Gebühr ".repeat(500), DocLang::De, &["Gebühr"; 100]);
}

#[test]
fn a_put_replaces_a_removal_removes_and_both_wait_for_the_commit() {
    let house = small();
    house.index.put(&[passage(2, DocLang::De, "Nun von Kuchen.")]).unwrap();
    house.index.remove(&[Uuid::from_u128(4), Uuid::from_u128(99)]);
    assert_eq!(house.ids("Beitrag Straße").len(), 2);
    house.index.commit().unwrap();
    assert_eq!(house.ids("Beitrag Straße"), [] as [u128; 0]);
    assert_eq!(house.ids("Kuchen"), [2]);
    assert_eq!(house.index.n_passages(), 4);
}

#[test]
fn what_was_committed_outlives_the_process_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let filter = Filter::collections(["haus"]);
    {
        let index = FullText::open(folder.path(), &FullTextConfig::default()).unwrap();
        index.put(&[passage(1, DocLang::De, "Die Kellertreppe knarrt.")]).unwrap();
        index.commit().unwrap();
        index.put(&[passage(2, DocLang::De, "Ungesagtes")]).unwrap();
        assert!(matches!(
            FullText::open(folder.path(), &FullTextConfig::default()),
            Err(SearchError::InUse(_))
        ));
    }
    let index = FullText::open(folder.path(), &FullTextConfig::default()).unwrap();
    assert_eq!(index.search("Kellertreppe", &filter, 5).unwrap().len(), 1);
    assert_eq!(index.search("Ungesagtes", &filter, 5).unwrap().len(), 0);
}

#[test]
fn no_text_is_an_error() {
    let house = small();
    let long = "Satzung ".repeat(5_000);
    let many: String = (0..3_000).map(|n| format!("wort{n} ")).collect();
    for text in [
        "",
        " ",
        "\"",
        "\"\"",
        "*",
        "***",
        "a*",
        "AND OR NOT",
        "(",
        "field:value",
        "\\",
        "+-!(){}[]^\"~*?:\\/",
        "„",
        "„“”\"",
        "\u{0}",
        "🦀 Satzung",
        "%00",
        "' OR 1=1 --",
        "\u{202e}gnuztaS",
        "Satzung~2",
        "[a TO b]",
        &long,
        &many,
        &"\"a b\" ".repeat(500),
        &"ä".repeat(3_000),
    ] {
        house.ids(text);
        house.index.facets(text, &Filter::collections(["haus"])).unwrap();
    }
    assert_eq!(house.ids("🦀 Satzung"), [2]);
    assert_eq!(house.ids(&long), [2]);
}
