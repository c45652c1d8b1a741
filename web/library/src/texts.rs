//! Every sentence of the documents' views, English and German side by side. They come with the views'
//! Wasm, so that the first download does not carry them.

use portico_shared::error::Lang;

macro_rules! texts {
    ($($key:ident: $en:literal, $de:literal;)*) => {
        /// A sentence or a label of the documents' views.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Text { $($key,)* }

        impl Text {
            pub const ALL: &[Self] = &[$(Self::$key,)*];

            /// The sentence, with `{name}` where a value goes.
            pub fn get(self, lang: Lang) -> &'static str {
                // A table: a `match` over both is several kilobytes of Wasm.
                const TEXTS: &[(&str, &str)] = &[$(($en, $de),)*];
                let (en, de) = TEXTS[self as usize];
                match lang {
                    Lang::En => en,
                    Lang::De => de,
                }
            }
        }
    };
}

impl Text {
    /// The sentence with `{name}`s filled in.
    pub fn fill(self, lang: Lang, values: &[(&str, &str)]) -> String {
        let mut text = self.get(lang).to_owned();
        for (name, value) in values {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }

    /// `1 document`, `12 documents`: the first sentence for one, else the second with `{n}`.
    pub fn count(one: Self, many: Self, lang: Lang, n: u64, shown: &str) -> String {
        match n {
            1 => one.get(lang).to_owned(),
            _ => many.fill(lang, &[("n", shown)]),
        }
    }
}

texts! {
    // Frame
    Documents: "Documents", "Dokumente";
    Search: "Search", "Suche";
    Views: "Documents and search", "Dokumente und Suche";
    Collections: "Collections", "Sammlungen";
    Back: "Back to {place}", "Zurück zu {place}";
    Close: "Close", "Schließen";
    Cancel: "Cancel", "Abbrechen";
    Delete: "Delete", "Löschen";
    TryAgain: "Try again", "Noch einmal versuchen";
    Details: "Details", "Einzelheiten";
    Loading: "Loading …", "Wird geladen …";
    ErrorCode: "Code: {code}", "Code: {code}";
    Offline: "Offline. Documents on this device stay readable; the others come back with the connection.",
        "Offline. Dokumente auf diesem Gerät bleiben lesbar; die anderen kommen mit der Verbindung zurück.";

    // Collections
    CollectionsIntro: "What your organisation knows, and what you keep to yourself.",
        "Was Ihre Organisation weiß, und was Sie für sich behalten.";
    OnDevice: "On this device", "Auf diesem Gerät";
    OnDeviceHint: "These documents never leave this browser. They are read, searched and cited here.",
        "Diese Dokumente verlassen diesen Browser nie. Sie werden hier gelesen, durchsucht und zitiert.";
    NoCollections: "There are no collections on the server yet.", "Auf dem Server gibt es noch keine Sammlungen.";
    NoCollectionsManage: "There are no collections on the server yet. Create the first one.",
        "Auf dem Server gibt es noch keine Sammlungen. Legen Sie die erste an.";
    NewCollection: "New collection", "Neue Sammlung";
    CollectionTitle: "Title", "Titel";
    CollectionReaders: "Who may read it", "Wer sie lesen darf";
    ReadersEveryone: "Everyone", "Alle";
    ReadersGroups: "These groups only", "Nur diese Gruppen";
    GroupsLabel: "Groups, separated by commas", "Gruppen, durch Kommas getrennt";
    CreateCollection: "Create collection", "Sammlung anlegen";
    CollectionCreated: "“{title}” was created.", "„{title}“ wurde angelegt.";
    DeleteCollection: "Delete collection", "Sammlung löschen";
    DeleteCollectionConfirm: "Delete “{title}” with all its documents? This cannot be undone.",
        "„{title}“ mit allen Dokumenten löschen? Das lässt sich nicht rückgängig machen.";
    DocumentOne: "1 document", "1 Dokument";
    DocumentMany: "{n} documents", "{n} Dokumente";
    PassageOne: "1 passage", "1 Abschnitt";
    PassageMany: "{n} passages", "{n} Abschnitte";
    RightRead: "Read only", "Nur lesen";
    RightContribute: "You may add", "Sie dürfen hinzufügen";
    RightManage: "You manage it", "Sie verwalten sie";
    ByWordsAlone: "Searched by words", "Wird nach Wörtern durchsucht";

    // Documents
    NoDocuments: "No documents yet.", "Noch keine Dokumente.";
    NoDocumentsAdd: "No documents yet. Drop files here, paste them, or choose some.",
        "Noch keine Dokumente. Legen Sie Dateien hier ab, fügen Sie sie ein oder wählen Sie welche aus.";
    AddFiles: "Add files", "Dateien hinzufügen";
    AddFolder: "Add a folder", "Ordner hinzufügen";
    MeaningOffer: "Search these by meaning, too", "Diese auch nach Bedeutung durchsuchen";
    MeaningOn: "Searched by words and by meaning.", "Wird nach Wörtern und nach Bedeutung durchsucht.";
    MeaningFailed: "Search by meaning is not ready. Words are searched meanwhile.",
        "Die Suche nach Bedeutung ist nicht bereit. Bis dahin wird nach Wörtern gesucht.";
    MeaningHint: "Loads {name} ({size}) onto this device, once.", "Lädt {name} ({size}) einmal auf dieses Gerät.";
    DropHere: "Drop files here", "Dateien hier ablegen";
    DropHint: "PDF, Word, PowerPoint, Excel, OpenDocument, HTML, EPUB, Markdown, text, CSV and e-mail.",
        "PDF, Word, PowerPoint, Excel, OpenDocument, HTML, EPUB, Markdown, Text, CSV und E-Mail.";
    DropHintDevice: "PDF, HTML, Markdown, text and CSV. Nothing is sent to the server.",
        "PDF, HTML, Markdown, Text und CSV. Nichts wird an den Server gesendet.";
    IndexedByDevice: "Indexed by your device", "Von Ihrem Gerät erschlossen";
    IndexedByDeviceHint: "Your graphics processor reads and embeds what it can; the server checks a sample.",
        "Ihr Grafikprozessor liest und vektorisiert, was er kann; der Server prüft eine Stichprobe.";
    IndexedByDeviceLoads: "The first time, {name} ({size}) is loaded onto this device.",
        "Beim ersten Mal wird {name} ({size}) auf dieses Gerät geladen.";
    Uploading: "Uploading", "Wird hochgeladen";
    UploadBytes: "{done} of {total}", "{done} von {total}";
    UploadLeft: "{time} left", "noch {time}";
    UploadWaiting: "Waiting", "Wartet";
    UploadReading: "Being read on this device", "Wird auf diesem Gerät gelesen";
    UploadEmbedding: "Being embedded on this device: {done} of {total}",
        "Wird auf diesem Gerät vektorisiert: {done} von {total}";
    UploadDone: "Uploaded", "Hochgeladen";
    UploadUnchanged: "Unchanged, already there", "Unverändert, schon da";
    UploadDuplicate: "The same file is already there", "Dieselbe Datei ist schon da";
    UploadServerReads: "Uploaded. The server reads and embeds it: this device cannot read this file.",
        "Hochgeladen. Der Server liest und vektorisiert es: Dieses Gerät kann diese Datei nicht lesen.";
    UploadServerEmbeds: "Uploaded. The server embeds it: this device could not.",
        "Hochgeladen. Der Server vektorisiert es: Dieses Gerät konnte es nicht.";
    UploadDisagrees: "Uploaded. The server embeds it: this device’s vectors were not the same as its own.",
        "Hochgeladen. Der Server vektorisiert es: Die Vektoren dieses Geräts stimmten mit seinen nicht überein.";
    UploadNotTaken: "Uploaded. The server reads and embeds it: it did not take this device’s work.",
        "Hochgeladen. Der Server liest und vektorisiert es: Die Arbeit dieses Geräts hat er nicht angenommen.";
    UploadCancelled: "Cancelled", "Abgebrochen";
    CancelUpload: "Cancel upload of {name}", "Hochladen von {name} abbrechen";
    Uploads: "Uploads", "Hochgeladenes";
    DismissUploads: "Hide finished", "Fertige ausblenden";
    StateQueued: "Queued", "In der Warteschlange";
    StateExtracting: "Being read", "Wird gelesen";
    StateEmbedding: "Being embedded: {done} of {total}", "Wird vektorisiert: {done} von {total}";
    StateIndexing: "Being indexed", "Wird erschlossen";
    StateReady: "Ready", "Bereit";
    StateFailed: "Failed", "Fehlgeschlagen";
    QueueProgress: "{done} of {total} documents", "{done} von {total} Dokumenten";
    QueueTitle: "Being taken in", "In Arbeit";
    PagesOne: "1 page", "1 Seite";
    PagesMany: "{n} pages", "{n} Seiten";
    DeleteDocument: "Delete {name}", "{name} löschen";
    DeleteDocumentConfirm: "Delete “{name}”? Answers can no longer cite it.",
        "„{name}“ löschen? Antworten können es nicht mehr zitieren.";
    DocumentDeleted: "“{name}” was deleted.", "„{name}“ wurde gelöscht.";
    RetryDocument: "Try {name} again", "{name} noch einmal versuchen";
    CancelDocument: "Stop taking in {name}", "Aufnahme von {name} abbrechen";
    MoreDocuments: "Show more documents", "Weitere Dokumente zeigen";
    OnDeviceMark: "on this device", "auf diesem Gerät";

    // Search
    SearchLabel: "Search the documents", "Dokumente durchsuchen";
    SearchPlaceholder: "A question or a few words …", "Eine Frage oder ein paar Wörter …";
    SearchHint: "Found by words and by meaning, in German and English.",
        "Gefunden nach Wörtern und nach Bedeutung, auf Deutsch und Englisch.";
    Filters: "Filters", "Filter";
    FilterCollection: "Collection", "Sammlung";
    FilterType: "Kind", "Art";
    FilterLang: "Language", "Sprache";
    FilterFrom: "From", "Von";
    FilterTo: "To", "Bis";
    FilterAny: "All", "Alle";
    ClearFilters: "Clear filters", "Filter aufheben";
    LangDe: "German", "Deutsch";
    LangEn: "English", "Englisch";
    LangOther: "Other", "Andere";
    HitOne: "1 passage found", "1 Abschnitt gefunden";
    HitMany: "{n} passages found", "{n} Abschnitte gefunden";
    HitsOfMany: "The best {n} of {total} passages", "Die besten {n} von {total} Abschnitten";
    NoHits: "Nothing found for “{query}”.", "Nichts gefunden zu „{query}“.";
    NoHitsHint: "Try other words, or fewer filters.", "Versuchen Sie andere Wörter oder weniger Filter.";
    PageNumber: "page {n}", "Seite {n}";
    Results: "Results", "Ergebnisse";
    ByWords: "words", "Wörter";
    ByMeaning: "meaning", "Bedeutung";
    FoundBy: "Found by {how}", "Gefunden nach {how}";
    And: "{a} and {b}", "{a} und {b}";

    // Source
    ShowPage: "Page", "Seite";
    ShowText: "Text", "Text";
    HowShown: "How the document is shown", "Darstellung des Dokuments";
    Download: "Download", "Herunterladen";
    PassageGone: "The passage is no longer in this document; it may have been replaced.",
        "Der Abschnitt steht nicht mehr in diesem Dokument; es wurde vielleicht ersetzt.";
    PageLabel: "Page {n} of {total}", "Seite {n} von {total}";
    PreviousPage: "Previous page", "Vorige Seite";
    NextPage: "Next page", "Nächste Seite";
    PageNotShown: "This page cannot be shown. Here is its text.", "Diese Seite lässt sich nicht zeigen. Hier ist ihr Text.";
    ShowEarlier: "Show the text before", "Den Text davor zeigen";
    ShowLater: "Show the text behind", "Den Text danach zeigen";
    CitedPassage: "Cited passage", "Zitierter Abschnitt";
    NotReadyYet: "This document is still being taken in.", "Dieses Dokument wird noch aufgenommen.";
    InertNote: "Links and images of the document are not shown.", "Links und Bilder des Dokuments werden nicht gezeigt.";
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<&str> {
        let opened = text.split('{').skip(1);
        let mut names: Vec<&str> =
            opened.filter_map(|part| part.split_once('}').map(|(name, _)| name)).collect();
        names.sort_unstable();
        names
    }

    #[test]
    fn both_languages_take_the_same_values() {
        for &text in Text::ALL {
            let (en, de) = (text.get(Lang::En), text.get(Lang::De));
            assert!(!en.trim().is_empty() && !de.trim().is_empty(), "{text:?}");
            assert_eq!(placeholders(en), placeholders(de), "{text:?}");
        }
    }
}
