use super::*;

fn all(text: &str) -> Vec<&str> {
    words(text).collect()
}

#[test]
fn words_are_runs_of_letters_and_digits() {
    assert_eq!(all("§ 12 Abs. 3: Beiträge"), ["12", "Abs", "3", "Beiträge"]);
    assert_eq!(all("Debian's E-Mail_2024.pdf"), ["Debian", "E", "Mail", "2024", "pdf"]);
    assert_eq!(all("don’t"), ["don", "t"]);
    assert_eq!(all(""), [] as [&str; 0]);
    assert_eq!(all(&"x".repeat(65)), [] as [&str; 0]);
    assert_eq!(all(&format!("{} end", "ü".repeat(64))).len(), 2);
}

#[test]
fn letters_with_marks_are_one_and_soft_hyphens_none() {
    assert_eq!(normal("Mu\u{308}ller"), "Müller");
    assert_eq!(normal("Satz\u{ad}ung"), "Satzung");
    assert!(matches!(normal("Müller"), std::borrow::Cow::Borrowed(_)));
}

#[test]
fn placed_words_stand_in_the_text_as_it_is_written() {
    let text = "„Mu\u{308}ller“ zahlt Sat\u{ad}zungs-Gebühren.";
    let chars: Vec<char> = text.chars().collect();
    let found: Vec<(String, String)> = placed_words(text)
        .into_iter()
        .map(|(at, word)| (chars[at.start as usize..at.end as usize].iter().collect(), word))
        .collect();
    let expected = [
        ("Mu\u{308}ller", "Müller"),
        ("zahlt", "zahlt"),
        ("Sat\u{ad}zungs", "Satzungs"),
        ("Gebühren", "Gebühren"),
    ];
    assert_eq!(found, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
    assert_eq!(placed_words(" … "), []);
}

#[test]
fn spellings_of_umlauts_meet() {
    for name in ["müller", "mueller", "muller"] {
        assert_eq!(plain(name), "muller");
    }
    assert_eq!(plain("straße"), plain("strasse"));
    assert_eq!(plain("größe"), plain("groesse"));
    for same in ["steuer", "neue", "quelle", "bauer"] {
        assert_eq!(plain(same), same);
    }
}

#[test]
fn stems_are_the_languages_own() {
    let stems = Stems::new();
    assert_eq!(stems.german("häuser"), stems.german("haus"));
    assert_eq!(stems.german("mitglieder"), stems.german("mitglied"));
    assert_eq!(stems.english("packages"), stems.english("package"));
    assert_eq!(stems.english("running"), "run");
    assert_ne!(stems.english("mitglieder"), stems.english("mitglied"));
    assert_eq!(stems.of(DocLang::Other, "häuser"), "hauser");
}

#[test]
fn a_stop_word_is_one_in_its_language_only() {
    let stops = Stops::new();
    assert_eq!(stops.among(&["wann", "tagt", "der", "vorstand"]), [true, false, true, false]);
    assert_eq!(
        stops.among(&["where", "does", "a", "die", "break"]),
        [true, true, true, false, false]
    );
    assert_eq!(stops.among(&["was", "ist", "die", "satzung"]), [true, true, true, false]);
}

#[test]
fn the_vocabulary_splits_compounds() {
    let stems = Stems::new();
    let mut vocabulary = Vocabulary::new(&stems);
    for word in ["paket", "verwaltung", "werkzeuge", "sicherheit", "aktualisierungen", "kuchen"] {
        vocabulary.add(&stems, word, 1);
    }
    let mut parts = |word: &str| vocabulary.parts(&stems, &plain(word));
    let own = |words: &[&str]| Some(words.iter().map(|w| stems.german(w)).collect::<Vec<_>>());
    assert_eq!(parts("paketverwaltung"), own(&["paket", "verwaltung"]));
    assert_eq!(parts("paketverwaltungswerkzeug"), own(&["paket", "verwaltung", "werkzeug"]));
    assert_eq!(parts("sicherheitsaktualisierung"), own(&["sicherheit", "aktualisierung"]));
    // Both from the short list.
    assert_eq!(parts("mitgliederversammlung"), own(&["mitglied", "versammlung"]));
    assert_eq!(parts("grundsteuer"), own(&["grund", "steuer"]));
    for whole in ["paket", "verantwortlichen", "aktualisierung", "fahrradkeller", "2024verwaltung"]
    {
        assert_eq!(parts(whole), None, "{whole}");
    }
    vocabulary.add(&stems, "fahrrad", 1);
    vocabulary.add(&stems, "keller", 1);
    vocabulary.forget_splits();
    assert_eq!(vocabulary.parts(&stems, "fahrradkeller"), own(&["fahrrad", "keller"]));
}
