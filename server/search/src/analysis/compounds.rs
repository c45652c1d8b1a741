//! Which words is a German compound made of?
//!
//! The dictionary is the index's own vocabulary: a word that stands alone somewhere in the passages
//! splits longer ones (`Mitglied` and `Versammlung` split `Mitgliederversammlung`). A short list of
//! words that many compounds are made of helps where an index is young.

use std::collections::{HashMap, HashSet};

use super::{Stems, plain};

/// What may stand between two parts, and belongs to neither.
const JOINTS: &[&str] = &["", "s", "es", "n", "en", "er", "e", "ns", "ens"];

/// Shorter words are not looked into.
const COMPOUND_CHARS_MIN: usize = 8;
const COMPOUND_CHARS_MAX: usize = 40;
/// Shorter parts must be in the list below.
const PART_CHARS_MIN: usize = 4;
const PART_CHARS_MAX: usize = 20;
const PARTS_MAX: usize = 4;
/// Splits that are remembered between passages.
const MEMORY_MAX: usize = 50_000;
/// From so many words on, one that stood alone only once may be a slip of the pen.
const SEEN_TWICE_FROM: usize = 50_000;

/// Endings that are no words, though a text may have them alone.
const NO_PARTS: &str = "
    bare baren ende enden ender endes erin erinnen haft haften heit heiten igen iger iges ische ischen
    ischer isches isten keit keiten lich liche lichen licher liches ling ling los lose losen loser
    mals nisse sam same samen samer sche schaft schaften sten ster ungen wegs weise";

/// Words that many compounds are made of, folded.
const COMMON: &str = "
    abend abfall abgabe abstimmung abteilung akte allgemein alter amt anfang angebot anlage anmeldung
    antrag anwendung anzeige arbeit art arzt aufgabe aufnahme aufsicht auftrag ausbildung ausflug
    ausgabe auskunft ausschuss ausweis auto bad bahn bank bau baum beamter bedarf beginn beginn
    behorde beitrag bereich bericht beruf beschluss besuch betrag betreuung betrieb bild bildung
    boden brand brief buch bund burger buro code chor computer daten datei datum dienst ding dorf
    druck ehe ehren eigentum eingang eintrag eltern ende energie erde erlaubnis fahrt fall familie
    farbe fehler feier feld ferien fest feuer firma fluss form forderung frage frau frei frist fuhrer
    garten gast gebiet gebuhr geburt gehalt geld gemeinde gericht gerat gesetz gesundheit gewerbe
    glas grenze grund gruppe gut hafen halle hand handel haupt haus haushalt heim heizung hilfe hof
    holz hund information inhalt jahr jugend kammer karte kasse kind kirche klasse klinik konto
    kontrolle konzept kosten kraft kranken kreis kuche kultur kunde kunst kurs land last leben lehre
    lehrer leiter leitung liste lohn luft macht mann markt maschine meister meldung mensch miete
    mittag mittel mitglied mobel monat mull musik nacht name natur netz nummer offnung ordnung ort
    park partner person pflege pflicht plan platz polizei post preis probe programm projekt prufung
    punkt rat raum rechnung recht rede regel reise rente richt ruhe saal sache satz satzung schaden
    schein schrift schule schuler schutz seite sicherheit sitz sitzung software sommer sonder sozial
    spiel sport sprache sprecher staat stadt stand standard stelle steuer stoff strasse strom stunde
    system tag tagung teil telefon termin text tier tisch tod ton trager turnier umwelt unfall
    unterricht urlaub verband verein verfahren verkehr vermogen versammlung versicherung vertrag
    verwaltung verzeichnis volk vorsitz vorstand wache wahl wald wasser weg welt werk wert wetter
    winter wirtschaft woche wohnung wort zahl zeichen zeit zeitung zentrum zettel zimmer zins zoll zug
    zweck amt arm art auge bau bad bus ehe eid eis gas hof hut kuh lob lok mut not obst ohr ol ort pkw
    rad rat tag tal tee tod ton tor tur uhr weg zug";

/// The stems of a compound's parts.
type Parts = Box<[Box<str>]>;

/// The words that stand alone, and what they split.
pub(crate) struct Vocabulary {
    /// German stem → in how many texts it was seen alone.
    stems: HashMap<Box<str>, u32>,
    common: HashSet<String>,
    no_parts: HashSet<String>,
    memory: HashMap<Box<str>, Option<Parts>>,
}

impl Vocabulary {
    pub fn new(stems: &Stems) -> Self {
        Self {
            stems: HashMap::new(),
            common: COMMON.split_whitespace().map(|word| stems.german(&plain(word))).collect(),
            no_parts: NO_PARTS.split_whitespace().map(plain).collect(),
            memory: HashMap::new(),
        }
    }

    /// Takes in a word of a text, in its [`plain`] spelling, that `n` passages have.
    pub fn add(&mut self, stems: &Stems, word: &str, n: u32) {
        let n_chars = word.chars().count();
        let can_be_part = (PART_CHARS_MIN..=PART_CHARS_MAX).contains(&n_chars)
            && word.chars().all(char::is_alphabetic);
        if !can_be_part {
            return;
        }
        let stem = stems.german(word);
        match self.stems.get_mut(stem.as_str()) {
            Some(count) => *count = count.saturating_add(n),
            None => {
                self.stems.insert(stem.into(), n);
            }
        }
    }

    /// The German stems of a compound's parts; none for a word that is no compound.
    pub fn parts(&mut self, stems: &Stems, word: &str) -> Option<Vec<String>> {
        let n_chars = word.chars().count();
        let may_be_compound = (COMPOUND_CHARS_MIN..=COMPOUND_CHARS_MAX).contains(&n_chars)
            && word.is_ascii()
            && word.bytes().all(|b| b.is_ascii_alphabetic());
        if !may_be_compound {
            return None;
        }
        if let Some(known) = self.memory.get(word) {
            return known.as_ref().map(|parts| parts.iter().map(|part| part.to_string()).collect());
        }
        let parts = self.split(stems, word, PARTS_MAX).map(|(parts, _)| parts);
        if self.memory.len() >= MEMORY_MAX {
            self.memory.clear();
        }
        let kept = parts.as_ref().map(|parts| parts.iter().map(|p| p.as_str().into()).collect());
        self.memory.insert(word.into(), kept);
        parts
    }

    /// What was learned since changes splits: those that are remembered are made anew.
    pub fn forget_splits(&mut self) {
        self.memory.clear();
    }

    /// The split into fewest parts, and among those the one whose rarest part is most frequent.
    fn split(&self, stems: &Stems, word: &str, n_parts_max: usize) -> Option<(Vec<String>, u32)> {
        if n_parts_max < 2 {
            return None;
        }
        let mut best: Option<(Vec<String>, u32)> = None;
        for cut in 3..word.len().saturating_sub(2) {
            let (left, tail) = word.split_at(cut);
            let Some((head, n_head)) = self.head(stems, left) else { continue };
            let split = match self.part(stems, tail) {
                Some((stem, n)) => Some((vec![head, stem], n.min(n_head))),
                None => self.split(stems, tail, n_parts_max - 1).map(|(parts, n)| {
                    (std::iter::once(head).chain(parts).collect(), n.min(n_head))
                }),
            };
            let Some((parts, n)) = split else { continue };
            let is_better = best.as_ref().is_none_or(|(known, n_known)| {
                (parts.len(), std::cmp::Reverse(n)) < (known.len(), std::cmp::Reverse(*n_known))
            });
            if is_better {
                best = Some((parts, n));
            }
        }
        best
    }

    /// A part with the joint behind it.
    fn head(&self, stems: &Stems, left: &str) -> Option<(String, u32)> {
        JOINTS.iter().find_map(|joint| self.part(stems, left.strip_suffix(joint)?))
    }

    /// A word that stands alone: its stem, and how often.
    fn part(&self, stems: &Stems, word: &str) -> Option<(String, u32)> {
        if word.len() < 3 || self.no_parts.contains(word) {
            return None;
        }
        let stem = stems.german(word);
        let n = self.stems.get(stem.as_str()).copied().unwrap_or(0);
        let n_min = if self.stems.len() >= SEEN_TWICE_FROM { 2 } else { 1 };
        if self.common.contains(&stem) {
            return Some((stem, n.max(n_min)));
        }
        (word.len() >= PART_CHARS_MIN && stem.len() >= 3 && n >= n_min).then_some((stem, n))
    }
}
