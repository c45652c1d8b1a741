//! Does a question find its passage by words, in both languages?
//!
//! A small set, made by hand: forms, compounds, umlauts, typing errors, and passages that share words
//! with each other. An analyser that breaks loses its rows.

use portico_search::{DocLang, Filter, Fusion, Passage, Query, SearchConfig, SearchIndex};
use uuid::Uuid;

/// Passages of an association and of a school.
const PASSAGES: &[(DocLang, &str)] = &[
    (
        DocLang::De,
        "Die Mitgliederversammlung tritt einmal im Jahr zusammen und wird vom Vorstand mit einer Frist von vier Wochen einberufen.",
    ),
    (
        DocLang::De,
        "Der Mitgliedsbeitrag beträgt sechzig Euro im Jahr. Jugendliche zahlen die Hälfte.",
    ),
    (DocLang::De, "Wer austreten möchte, kündigt schriftlich bis zum Ende des Kalenderjahres."),
    (DocLang::De, "Der Vorstand besteht aus drei Personen: Vorsitz, Kasse und Schriftführung."),
    (
        DocLang::De,
        "Die Turnhalle der Grundschule kann an Samstagen gemietet werden; die Schlüssel hat Hausmeister Müller.",
    ),
    (DocLang::De, "Fahrräder werden im Keller abgestellt, nicht im Treppenhaus."),
    (
        DocLang::De,
        "Die Müllabfuhr leert die Papiertonne alle vier Wochen, die Restmülltonne alle zwei.",
    ),
    (
        DocLang::De,
        "Anträge auf Baugenehmigung nimmt das Bauamt entgegen; die Bearbeitung dauert etwa drei Monate.",
    ),
    (
        DocLang::De,
        "Eltern entschuldigen ein krankes Kind vor Unterrichtsbeginn telefonisch im Sekretariat.",
    ),
    (DocLang::De, "Für den Ausflug sammelt die Klassenlehrerin zehn Euro ein."),
    (
        DocLang::De,
        "Die Kosten der Heizung werden nach Verbrauch abgerechnet, die Ablesung erfolgt im Januar.",
    ),
    (DocLang::De, "Haustiere sind erlaubt, Hunde an der Leine zu führen."),
    (
        DocLang::En,
        "Members may borrow up to five books at a time for four weeks; renewals are possible online.",
    ),
    (DocLang::En, "The library opens at nine on weekdays and is closed on public holidays."),
    (
        DocLang::En,
        "Overdue books are charged twenty cents a day and at most the price of a new copy.",
    ),
    (DocLang::En, "Volunteers are insured against accidents while they work for the association."),
    (
        DocLang::En,
        "Travel expenses are reimbursed on presentation of the original receipts within three months.",
    ),
    (DocLang::En, "The treasurer keeps the accounts, which two auditors examine every year."),
    (
        DocLang::En,
        "Passwords must have twelve characters and are changed when somebody has learned them.",
    ),
    (DocLang::En, "Backups are written every night and kept in another building for ninety days."),
];

/// Questions and the passage that answers, by its place.
const QUESTIONS: &[(&str, usize)] = &[
    ("Wann ist die Versammlung der Mitglieder?", 0),
    ("Einberufung der Mitgliederversammlung", 0),
    ("Wie hoch ist der Beitrag für Jugendliche?", 1),
    ("Mitgliedsbeiträge", 1),
    ("Bis wann muss ich kündigen?", 2),
    ("Aus wie vielen Personen besteht der Vorstand?", 3),
    ("Wer hat den Hallenschlüssel der Schule?", 4),
    ("Hausmeister Mueller", 4),
    ("Turnhalle mieten", 4),
    ("Wo stelle ich mein Fahrrad ab?", 5),
    ("Wann wird der Müll abgeholt?", 6),
    ("Papiertonnen Leerung", 6),
    ("Wie lange dauert eine Baugenemigung?", 7),
    ("Mein Kind ist krank, wo rufe ich an?", 8),
    ("Beginn des Unterrichts", 8),
    ("Was kostet der Klassenausflug?", 9),
    ("Abrechnung der Heizkosten nach Verbrauch", 10),
    ("Ist ein Hund erlaubt?", 11),
    ("Can I renew a borrowed book?", 12),
    ("When does the library open?", 13),
    ("library holiday", 13),
    ("How much does an overdue book cost a day?", 14),
    ("Am I insured as a volunteer?", 15),
    ("accident insurance of volunters", 15),
    ("reimbursement of travel expenses", 16),
    ("Who audits the accounts?", 17),
    ("How long must a password be?", 18),
    ("nightly backup", 19),
];

const MRR_MIN: f64 = 0.93;

#[tokio::test(flavor = "multi_thread")]
async fn questions_find_their_passages_by_words() {
    let folder = tempfile::tempdir().unwrap();
    let index = SearchIndex::open(SearchConfig::new(folder.path())).await.unwrap();
    let passages: Vec<Passage> = (0u128..)
        .zip(PASSAGES)
        .map(|(n, (lang, text))| Passage {
            id: Uuid::from_u128(n),
            document: Uuid::from_u128(n),
            collection: "all".into(),
            name: "Blatt".into(),
            heading_path: Vec::new(),
            text: (*text).into(),
            lang: *lang,
            media_type: "text/plain".into(),
            date_s: 0,
        })
        .collect();
    index.put(&passages, None).await.unwrap();
    index.commit().await.unwrap();
    let mut sum = 0.0;
    for (text, wanted) in QUESTIONS {
        let query = Query {
            text: (*text).into(),
            vector: None,
            filter: Filter::collections(["all"]),
            limit: 10,
            fusion: Fusion::default(),
        };
        let found = index.search(&query).await.unwrap();
        let rank = found.iter().position(|one| one.id == Uuid::from_u128(*wanted as u128));
        if rank != Some(0) {
            println!("{rank:?}: {text}");
        }
        sum += rank.map_or(0.0, |rank| 1.0 / (rank + 1) as f64);
    }
    let mrr = sum / QUESTIONS.len() as f64;
    println!("mean reciprocal rank {mrr:.3}");
    assert!(mrr >= MRR_MIN, "{mrr}");
}
