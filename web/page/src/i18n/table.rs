//! Every sentence of the page, English and German side by side.

use portico_shared::error::Lang;

macro_rules! texts {
    ($($key:ident: $en:literal, $de:literal;)*) => {
        /// A sentence or a label of the page.
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

texts! {
    // Frame
    SkipToChat: "Skip to the conversation", "Zum Gespräch springen";
    SkipToDocuments: "Skip to the documents", "Zu den Dokumenten springen";
    Documents: "Documents", "Dokumente";
    ViewsLoading: "Loading …", "Wird geladen …";
    SignIn: "Sign in", "Anmelden";
    Account: "Account", "Konto";
    AccountFailed: "The account could not be loaded. Check the connection and try again.",
        "Das Konto ließ sich nicht laden. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.";
    Administration: "Administration", "Verwaltung";
    AccountMenu: "Your account and the house", "Ihr Konto und das Haus";
    Prompts: "Prompts", "Prompts";
    SkipToAccount: "Skip to the account", "Zum Konto springen";
    DocumentsFailed: "The documents’ part of this page could not be loaded.",
        "Der Teil dieser Seite für Dokumente ließ sich nicht laden.";
    Conversations: "Conversations", "Gespräche";
    Conversation: "Conversation", "Gespräch";
    NewConversation: "New conversation", "Neues Gespräch";
    SearchConversations: "Search conversations", "Gespräche durchsuchen";
    NoConversations: "Your conversations will appear here. They are kept on this device.",
        "Hier erscheinen Ihre Gespräche. Sie werden auf diesem Gerät aufbewahrt.";
    NoMatches: "Nothing found for “{query}”.", "Nichts gefunden zu „{query}“.";
    Pinned: "Pinned", "Angeheftet";
    Today: "Today", "Heute";
    Yesterday: "Yesterday", "Gestern";
    LastSevenDays: "Last 7 days", "Letzte 7 Tage";
    Older: "Older", "Älter";
    OpenSidebar: "Show conversations", "Gespräche zeigen";
    CloseSidebar: "Hide conversations", "Gespräche verbergen";
    ActionsFor: "Actions for “{title}”", "Aktionen für „{title}“";
    Rename: "Rename", "Umbenennen";
    Title: "Title", "Titel";
    Pin: "Pin", "Anheften";
    Unpin: "Unpin", "Lösen";
    Delete: "Delete", "Löschen";
    ConversationDeleted: "“{title}” was deleted.", "„{title}“ wurde gelöscht.";
    Undo: "Undo", "Rückgängig";
    Settings: "Settings", "Einstellungen";
    Close: "Close", "Schließen";
    Cancel: "Cancel", "Abbrechen";
    Save: "Save", "Speichern";
    Reload: "Reload", "Neu laden";
    Later: "Later", "Später";
    Dismiss: "Dismiss", "Ausblenden";
    Details: "Details", "Einzelheiten";
    Untitled: "New conversation", "Neues Gespräch";

    // Composer
    MessageLabel: "Message", "Nachricht";
    MessagePlaceholder: "Write a message …", "Nachricht schreiben …";
    MessagePlaceholderNoModel: "Load a model first …", "Zuerst ein Modell laden …";
    Send: "Send", "Senden";
    Stop: "Stop", "Anhalten";
    ComposerHint: "Enter sends, Shift+Enter starts a new line.",
        "Enter sendet, Umschalt+Enter beginnt eine neue Zeile.";
    PlaceLabel: "Where answers are computed", "Wo Antworten berechnet werden";
    PlaceAuto: "Device, else server", "Gerät, sonst Server";
    PlaceOnlyDevice: "Stays on my device", "Bleibt auf meinem Gerät";
    PlaceOnlyServer: "Server", "Server";
    NextOnDevice: "{model} answers on this device.", "{model} antwortet auf diesem Gerät.";
    NextOnServer: "{model} answers on the server.", "{model} antwortet auf dem Server.";
    NextOnServerInstead: "{model} answers on the server, for this device cannot.",
        "{model} antwortet auf dem Server, denn dieses Gerät kann es nicht.";
    BlockedDevice: "This device cannot run the chosen model.",
        "Dieses Gerät kann das gewählte Modell nicht ausführen.";
    BlockedStaysHere: "This device cannot run the chosen model, and this conversation stays here.",
        "Dieses Gerät kann das gewählte Modell nicht ausführen, und dieses Gespräch bleibt hier.";
    BlockedServerRefused: "The server computes no answers for this page.",
        "Der Server berechnet für diese Seite keine Antworten.";
    BlockedServerFailed: "The server could not say what it answers with. Reload the page to ask again.",
        "Der Server konnte nicht sagen, womit er antwortet. Laden Sie die Seite neu, um wieder zu fragen.";
    BlockedServerUnreachable: "The server cannot be reached.", "Der Server ist nicht erreichbar.";
    BlockedServerLacksModel: "The server does not have the chosen model.",
        "Der Server hat das gewählte Modell nicht.";
    MovedDeviceLost: "Continued on the server, for the graphics device was lost.",
        "Auf dem Server fortgesetzt, denn das Grafikgerät ging verloren.";
    MovedMemory: "Continued on the server, for this device’s graphics memory is too small.",
        "Auf dem Server fortgesetzt, denn der Grafikspeicher dieses Geräts ist zu klein.";
    MovedContext: "Continued on the server, for the conversation is longer than this device holds.",
        "Auf dem Server fortgesetzt, denn das Gespräch ist länger, als dieses Gerät fasst.";
    MovedLoad: "Continued on the server, for the model could not be loaded onto this device.",
        "Auf dem Server fortgesetzt, denn das Modell ließ sich nicht auf dieses Gerät laden.";
    MovedOther: "Continued on the server, for this device could not go on.",
        "Auf dem Server fortgesetzt, denn dieses Gerät konnte nicht weitermachen.";
    AskServer: "Ask the server now", "Jetzt den Server fragen";
    ServerModels: "On the server", "Auf dem Server";
    ServerModelsHint: "What is asked of these leaves your device and is computed by your organisation.",
        "Was Sie diese fragen, verlässt Ihr Gerät und wird von Ihrer Organisation berechnet.";
    UseOnServer: "Use on the server", "Auf dem Server benutzen";
    AnswersCanBeWrong: "Small models make mistakes. Check what matters.",
        "Kleine Modelle irren sich. Prüfen Sie, was wichtig ist.";
    AttachFiles: "Attach files", "Dateien anhängen";
    AttachedFiles: "Attached files", "Angehängte Dateien";
    ReadingFile: "Reading …", "Wird gelesen …";
    RemoveFile: "Remove {name}", "{name} entfernen";
    FileTooLong: "Too long to be read whole: about {n} tokens, and there is room for {max}. As a document it is searched instead.",
        "Zu lang, um ganz gelesen zu werden: etwa {n} Token, Platz ist für {max}. Als Dokument wird sie stattdessen durchsucht.";
    KeepAsDocument: "Keep as a document on this device", "Als Dokument auf diesem Gerät behalten";
    ChooseCollection: "Choose a collection", "Sammlung wählen";
    AddToCollection: "Add to the collection", "In die Sammlung aufnehmen";
    AddingFile: "Is added: {done} of {total}, {rate}", "Wird aufgenommen: {done} von {total}, {rate}";
    ImageNotRead: "kept and shown; the model does not see it", "wird aufbewahrt und gezeigt; das Modell sieht es nicht";
    FileNotKept: "The text goes along; the file itself is not kept.", "Der Text geht mit; die Datei selbst wird nicht aufbewahrt.";
    FileStaysHere: "The file itself stays on this device.", "Die Datei selbst bleibt auf diesem Gerät.";
    NoRoomForFile: "Your storage on the server is full: the file itself will stay on this device.", "Ihr Speicherplatz auf dem Server ist voll: Die Datei selbst wird auf diesem Gerät bleiben.";
    DownloadFile: "Download {name}", "{name} herunterladen";
    ShowImage: "Show the image", "Bild zeigen";
    SendingFile: "To the server: {done} of {total}, {rate}", "Zum Server: {done} von {total}, {rate}";
    FetchingFile: "From the server: {done} of {total}, {rate}", "Vom Server: {done} von {total}, {rate}";
    FileWaits: "Waits to be sent to the server", "Wartet darauf, zum Server gesendet zu werden";
    FileStopped: "Not sent: it is on this device only.", "Nicht gesendet: Sie ist nur auf diesem Gerät.";
    StopSending: "Stop sending", "Senden anhalten";
    SendFile: "Send", "Senden";
    ForeignLanguage: "{model} is made for {languages}. In English it makes many mistakes.",
        "{model} ist für {languages} gemacht. Auf Deutsch macht es viele Fehler.";

    // Messages
    You: "You", "Sie";
    YouSaid: "You said", "Sie schrieben";
    ModelSaid: "{model} answered", "{model} antwortete";
    Copy: "Copy", "Kopieren";
    CopyMessage: "Copy message", "Nachricht kopieren";
    CopyCode: "Copy code", "Code kopieren";
    Copied: "Copied", "Kopiert";
    CopyFailed: "The browser did not allow copying.", "Der Browser hat das Kopieren nicht erlaubt.";
    Edit: "Edit", "Bearbeiten";
    EditMessage: "Edit message", "Nachricht bearbeiten";
    SaveAndSend: "Save and send", "Speichern und senden";
    Regenerate: "Answer again", "Neu antworten";
    Continue: "Continue", "Fortsetzen";
    TryAgain: "Try again", "Noch einmal versuchen";
    OtherModel: "Choose another model", "Anderes Modell wählen";
    PreviousVersion: "Previous version", "Vorige Fassung";
    NextVersion: "Next version", "Nächste Fassung";
    VersionOf: "Version {n} of {total}", "Fassung {n} von {total}";
    ToNewest: "To the newest message", "Zur neuesten Nachricht";
    PlaceDevice: "On this device", "Auf diesem Gerät";
    PlaceServer: "On the server", "Auf dem Server";
    TokenOne: "1 token", "1 Token";
    TokenMany: "{n} tokens", "{n} Token";
    TokensPerSecond: "{rate} tokens/s", "{rate} Token/s";
    FirstToken: "first token after {time}", "erstes Token nach {time}";
    Waiting: "Preparing the answer …", "Antwort wird vorbereitet …";
    WaitingForModel: "The model is loading; the answer follows.",
        "Das Modell wird geladen; die Antwort folgt.";
    Generating: "Writing …", "Schreibt …";
    Stopped: "Stopped", "Angehalten";
    StoppedEmpty: "Stopped before the first word.", "Vor dem ersten Wort angehalten.";
    StoppedNote: "Stopped. The text so far is kept.", "Angehalten. Der bisherige Text bleibt.";
    Interrupted: "This answer was interrupted. The text so far is kept.",
        "Diese Antwort wurde unterbrochen. Der bisherige Text bleibt.";
    ElsewhereWriting: "This answer is being written in another tab.",
        "Diese Antwort entsteht in einem anderen Tab.";
    LengthReached: "The answer reached its length limit.", "Die Antwort hat ihre Längengrenze erreicht.";
    EmptyAnswer: "The model gave an empty answer.", "Das Modell gab eine leere Antwort.";
    AnswerFinished: "Answer complete.", "Antwort vollständig.";
    ErrorCodeLabel: "Code: {code}", "Code: {code}";

    // First visit
    WelcomeTextServer: "The model is loaded once and then runs on this computer’s graphics processor. Where it cannot, your organisation’s server goes on, and the answer says so.",
        "Das Modell wird einmal geladen und läuft dann auf dem Grafikprozessor dieses Computers. Wo das nicht geht, macht der Server Ihrer Organisation weiter, und die Antwort sagt es.";
    WelcomeText: "The model is loaded once and then runs on this computer’s graphics processor. What you write does not leave the device.",
        "Das Modell wird einmal geladen und läuft dann auf dem Grafikprozessor dieses Computers. Was Sie schreiben, verlässt das Gerät nicht.";
    LoadModel: "Load model", "Modell laden";
    LoadModelSize: "Load model ({size})", "Modell laden ({size})";
    StartModel: "Start model", "Modell starten";
    ChooseModel: "Choose a model", "Modell wählen";
    HomeTitle: "Welcome to {house}", "Willkommen bei {house}";
    HomeOnDevice: "{model} answers on this device; nobody else is asked.",
        "{model} antwortet auf diesem Gerät; sonst wird niemand gefragt.";
    HomeOnDeviceElse: "{model} answers on this device. Where it cannot, the server of {house} goes on, and the answer says so.",
        "{model} antwortet auf diesem Gerät. Wo das nicht geht, macht der Server von {house} weiter, und die Antwort sagt es.";
    HomeOnServer: "{model} answers on the server of {house}.", "{model} antwortet auf dem Server von {house}.";
    HomeOnServerInstead: "{model} answers on the server of {house}, for this device cannot.",
        "{model} antwortet auf dem Server von {house}, denn dieses Gerät kann es nicht.";
    HomeDeviceToo: "A model on this device answers without the server.",
        "Ein Modell auf diesem Gerät antwortet ohne den Server.";
    Announcements: "Announcements", "Ankündigungen";
    FirstHourLeft: "Set up this house: {done} of {all} done", "Dieses Haus einrichten: {done} von {all} erledigt";
    FirstHourClose: "Close; it stays under Administration", "Schließen; es bleibt unter Verwaltung";
    CloseAnnouncement: "Close “{title}”", "„{title}“ schließen";
    AskThese: "Ask these documents", "Diese Dokumente fragen";
    Recent: "Recent conversations", "Letzte Gespräche";
    SuggestFile: "Summarise a file", "Eine Datei zusammenfassen";
    SuggestFileText: "Summarise the attached file in five points.",
        "Fasse die angehängte Datei in fünf Punkten zusammen.";
    SuggestDocuments: "Ask the documents", "Die Dokumente fragen";
    SuggestDocumentsText: "What do our documents say about ", "Was sagen unsere Dokumente über ";
    SuggestLetter: "Write a letter", "Einen Brief schreiben";
    SuggestLetterText: "Write a short, polite letter that declines an invitation.",
        "Schreibe einen kurzen, höflichen Brief, der eine Einladung absagt.";
    SuggestPrompt: "Use a prompt: type /", "Einen Prompt nehmen: / schreiben";
    Suggestions: "Suggestions", "Vorschläge";
    LicenceLabel: "Licence", "Lizenz";
    SizeLabel: "Download", "Download";
    MemoryLabel: "Memory", "Speicherbedarf";
    LanguagesLabel: "Languages", "Sprachen";
    ContextLabel: "Context", "Kontext";
    TokensUnit: "{n} tokens", "{n} Token";
    StoredOnDevice: "on this device", "auf diesem Gerät";

    // Models
    Models: "Models", "Modelle";
    ModelsIntro: "A model runs entirely on this device. Size and licence are shown before anything is loaded.",
        "Ein Modell läuft ganz auf diesem Gerät. Größe und Lizenz sehen Sie, bevor etwas geladen wird.";
    CurrentModel: "Model: {model}", "Modell: {model}";
    NoModel: "No model", "Kein Modell";
    DefaultModel: "Default", "Voreinstellung";
    GermanCapable: "Speaks German", "Spricht Deutsch";
    KindEmbedding: "For search, not for chat", "Für die Suche, nicht zum Chatten";
    RunsHere: "Runs on this device", "Läuft auf diesem Gerät";
    RunsHereUntested: "Should run on this device", "Sollte auf diesem Gerät laufen";
    RunsNot: "Does not run on this device", "Läuft nicht auf diesem Gerät";
    WhyNoWebGpu: "This browser offers no WebGPU.", "Dieser Browser bietet kein WebGPU.";
    WhyMemory: "It needs about {needed} of memory; this device reports {available}.",
        "Es braucht etwa {needed} Speicher; dieses Gerät meldet {available}.";
    WhyStorage: "It needs {needed} of storage; {available} are free. It would stay in memory only.",
        "Es braucht {needed} Speicherplatz; frei sind {available}. Es bliebe nur im Arbeitsspeicher.";
    WhyNotHere: "It is not on the server yet. An administrator can add it.",
        "Es liegt noch nicht auf dem Server. Die Verwaltung kann es hinzufügen.";
    WhyServerOnly: "It runs on the server only.", "Es läuft nur auf dem Server.";
    WhyNoChat: "It is not made for conversations.", "Es ist nicht für Gespräche gemacht.";
    WhyNotAllowed: "The rules here do not allow it on your device. Whoever is signed in may perhaps more.",
        "Die Regeln hier erlauben es nicht auf Ihrem Gerät. Wer angemeldet ist, darf vielleicht mehr.";
    CheckingDevice: "Checking this device …", "Gerät wird geprüft …";
    StateAbsent: "Not loaded", "Nicht geladen";
    StatePartly: "{done} of {total} on this device", "{done} von {total} auf diesem Gerät";
    StateCached: "On this device", "Auf diesem Gerät";
    StateDownloading: "Downloading", "Wird heruntergeladen";
    StatePaused: "Paused", "Pausiert";
    StateUploading: "Moving to the graphics processor", "Wird auf den Grafikprozessor gebracht";
    StateWarming: "Getting ready", "Wird vorbereitet";
    StateReady: "Ready", "Bereit";
    StateFailed: "Failed", "Fehlgeschlagen";
    ProgressBytes: "{done} of {total}", "{done} von {total}";
    ProgressLeft: "{time} left", "noch {time}";
    Pause: "Pause", "Pausieren";
    Resume: "Resume", "Weiterladen";
    CancelDownload: "Cancel download", "Download abbrechen";
    UseModel: "Use", "Verwenden";
    InUse: "In use", "In Verwendung";
    Unload: "Free graphics memory", "Grafikspeicher freigeben";
    DeleteFromDevice: "Delete from device", "Vom Gerät löschen";
    ModelDeleted: "{model} was deleted from this device.", "{model} wurde von diesem Gerät gelöscht.";
    ModelReady: "{model} is ready.", "{model} ist bereit.";
    GpuMemory: "{size} graphics memory", "{size} Grafikspeicher";
    CatalogueFailed: "The list of models could not be loaded.", "Die Liste der Modelle konnte nicht geladen werden.";
    CatalogueEmpty: "No models are offered here yet.", "Hier werden noch keine Modelle angeboten.";
    CatalogueLoading: "Loading the list of models …", "Liste der Modelle wird geladen …";

    // Conditions
    NoWebGpuTitle: "This browser cannot run a model yet", "Dieser Browser kann noch kein Modell ausführen";
    NoWebGpuStep1: "Use a current Chrome or Edge (from 121), Safari (from 26) or Firefox (from 141 on Windows, 145 on Mac).",
        "Nutzen Sie einen aktuellen Chrome oder Edge (ab 121), Safari (ab 26) oder Firefox (ab 141 unter Windows, 145 auf dem Mac).";
    NoWebGpuStep2: "Switch on graphics (hardware) acceleration in the browser’s settings, then restart it.",
        "Schalten Sie in den Einstellungen des Browsers die Grafik- bzw. Hardwarebeschleunigung ein und starten Sie ihn neu.";
    NoWebGpuStep3: "On Linux it may help to update the graphics driver or to start Chrome with --enable-unsafe-webgpu.",
        "Unter Linux hilft oft ein neuerer Grafiktreiber, oder Chrome mit --enable-unsafe-webgpu zu starten.";
    NoWebGpuStep4: "Open this page over HTTPS: browsers offer WebGPU only on secure connections.",
        "Öffnen Sie diese Seite über HTTPS: WebGPU gibt es nur über sichere Verbindungen.";
    NoWebGpuKeep: "Your conversations stay readable here.", "Ihre Gespräche bleiben hier lesbar.";
    OfflineNote: "Offline. Conversations and models on this device keep working.",
        "Offline. Gespräche und Modelle auf diesem Gerät funktionieren weiter.";
    ShowOlder: "Show older ones ({n})", "Ältere zeigen ({n})";
    SignedOutAsk: "Signed out. Your conversations are still on this device.",
        "Abgemeldet. Ihre Gespräche liegen noch auf diesem Gerät.";
    SignedOutRemove: "Remove them from this device", "Von diesem Gerät entfernen";
    SyncSynced: "Synced with your other devices", "Mit Ihren anderen Geräten abgeglichen";
    SyncWorking: "Syncing …", "Wird abgeglichen …";
    SyncOffline: "No connection. Everything here is saved on this device.",
        "Keine Verbindung. Alles hier ist auf diesem Gerät gespeichert.";
    SyncOfflineWaiting: "No connection. {n} changes are saved on this device and will be synced later.",
        "Keine Verbindung. {n} Änderungen sind auf diesem Gerät gespeichert und werden später abgeglichen.";
    SyncSignedOut: "Signed out: conversations are saved on this device only.",
        "Abgemeldet: Gespräche werden nur auf diesem Gerät gespeichert.";
    SyncLocked: "Encrypted. This device is locked: it neither sends nor fetches.",
        "Verschlüsselt. Dieses Gerät ist gesperrt: Es sendet und holt nichts.";
    SyncUnlock: "Unlock", "Entsperren";
    Share: "Share a conversation", "Gespräch teilen";
    ShareThis: "Share …", "Teilen …";
    SharedChat: "Shared conversation", "Geteiltes Gespräch";
    SyncApprove: "Approve a new device", "Neues Gerät freigeben";
    SyncUnsealed: "Encryption was turned off elsewhere. Nothing is sent until you agree.",
        "Die Verschlüsselung wurde anderswo ausgeschaltet. Gesendet wird erst, wenn Sie zustimmen.";
    SyncDecide: "Decide", "Entscheiden";
    SyncOnlyHere: "Saved on this device only", "Nur auf diesem Gerät gespeichert";
    SyncOffer: "On this device only: {n} of your conversations. Do you want to have them on your other devices too? They are then kept on the server.",
        "Nur auf diesem Gerät: {n} Ihrer Gespräche. Möchten Sie sie auch auf Ihren anderen Geräten haben? Sie werden dann auf dem Server gespeichert.";
    SyncOfferYes: "Sync them", "Abgleichen";
    SyncOfferNo: "Keep them here", "Hier behalten";
    DeviceLostNote: "The graphics device was lost. It is being set up again; nothing written is gone.",
        "Das Grafikgerät ging verloren. Es wird neu eingerichtet; Geschriebenes bleibt erhalten.";
    DeviceRestoredNote: "The graphics device is back.", "Das Grafikgerät ist wieder da.";
    WeightsInMemoryNote: "The browser refuses storage for models: they must be loaded again in the next visit.",
        "Der Browser verweigert Speicher für Modelle: Beim nächsten Besuch müssen sie neu geladen werden.";
    LogInMemoryNote: "The browser refuses storage: conversations are kept only until this tab closes. Outside a private window they are saved.",
        "Der Browser verweigert Speicher: Gespräche bleiben nur, bis dieser Tab geschlossen wird. Außerhalb eines privaten Fensters werden sie gespeichert.";
    SaveFailedNote: "The last change could not be saved on this device: {reason}",
        "Die letzte Änderung ließ sich auf diesem Gerät nicht speichern: {reason}";
    WorkerFailed: "The engine’s worker could not be started.", "Der Rechenprozess der Seite ließ sich nicht starten.";
    UpdateReady: "A new version of this page is ready.", "Eine neue Fassung dieser Seite ist bereit.";
    NotFoundConversation: "This conversation is not on this device.", "Dieses Gespräch liegt nicht auf diesem Gerät.";

    // Answers from documents
    AskDocuments: "Documents", "Dokumente";
    AskDocumentsHint: "Answers rest on passages of the collections that you choose.",
        "Antworten stützen sich auf Stellen aus den gewählten Sammlungen.";
    DocumentsOff: "none", "keine";
    DocumentsSent: "Your question goes to the server to be searched for.",
        "Ihre Frage geht zum Suchen an den Server.";
    DocumentsStay: "This conversation stays on your device: the server’s documents are not searched.",
        "Dieses Gespräch bleibt auf Ihrem Gerät: In den Dokumenten des Servers wird nicht gesucht.";
    DocumentsOwn: "Searched on this device; nothing of it leaves.",
        "Wird auf diesem Gerät durchsucht; nichts davon verlässt es.";
    DocumentsOwnStay: "Documents on this device are asked only where the conversation stays on it.",
        "Dokumente auf diesem Gerät werden nur gefragt, wo das Gespräch auf ihm bleibt.";
    SearchingDocuments: "Searching the documents …", "Die Dokumente werden durchsucht …";
    SourcesCited: "Sources", "Quellen";
    SourcesUncited: "Passages found; the answer cites none of them.",
        "Gefundene Stellen; die Antwort belegt sich mit keiner.";
    SourcesCompared: "Found by comparing the answer with the passages; the model cited none itself.",
        "Durch Vergleich der Antwort mit den Stellen gefunden; das Modell selbst nannte keine.";
    SourceN: "Source {n}", "Quelle {n}";
    PageN: "p. {n}", "S. {n}";
    SourceOpen: "Open in the document", "Im Dokument öffnen";
    SearchedFor: "Searched for “{query}”.", "Gesucht wurde „{query}“.";
    QuestionLeft: "The question went to the server to be searched for; the answer was made here.",
        "Die Frage ging zum Suchen an den Server; die Antwort entstand hier.";
    PartlyRead: "The document is longer than this model can hold: the answer rests on {given} of its {of} passages.",
        "Das Dokument ist länger, als dieses Modell fassen kann: Die Antwort stützt sich auf {given} seiner {of} Stellen.";

    // Tools
    Tools: "Tools", "Werkzeuge";
    ToolsHint: "What the model may call in this conversation", "Was das Modell in diesem Gespräch aufrufen darf";
    ToolsOff: "none", "keine";
    ToolOnServer: "on the server", "auf dem Server";
    ToolAsks: "asks first", "fragt vorher";
    ToolsStay: "Tools of the server are off while nothing leaves this device.",
        "Werkzeuge des Servers ruhen, solange nichts dieses Gerät verlässt.";
    ToolCalculator: "Calculator", "Rechner";
    ToolDate: "Date", "Datum";
    ToolUnits: "Units", "Einheiten";
    ToolSearch: "Search documents", "Dokumente durchsuchen";
    ToolRead: "Read a document", "Ein Dokument lesen";
    ToolReasoning: "What the model thought", "Was das Modell dachte";
    ToolSteps: "Tools that were called", "Aufgerufene Werkzeuge";
    ToolCalled: "next", "als Nächstes";
    ToolWaiting: "waiting for you", "wartet auf Sie";
    ToolRunning: "running …", "läuft …";
    ToolDone: "done", "fertig";
    ToolRefused: "refused", "abgelehnt";
    ToolFailed: "failed", "fehlgeschlagen";
    ToolTimedOut: "timed out", "Zeit überschritten";
    ToolStopped: "stopped", "angehalten";
    ToolArguments: "Called with", "Aufgerufen mit";
    ToolResult: "Result", "Ergebnis";
    ToolMayIt: "May “{tool}” be called with this? It goes to the server.",
        "Darf „{tool}“ hiermit aufgerufen werden? Es geht an den Server.";
    ToolOnce: "Once", "Einmal";
    ToolForConversation: "For this conversation", "Für dieses Gespräch";
    ToolRefuse: "Refuse", "Ablehnen";
    ToolResultCut: "[{n} more characters were left out]", "[{n} weitere Zeichen wurden ausgelassen]";
    ToolInterrupted: "It was interrupted; whether it was done is not known.",
        "Es wurde unterbrochen; ob es ausgeführt wurde, ist nicht bekannt.";
    ToolTooMany: "It was not called: there were too many calls.",
        "Es wurde nicht aufgerufen: Es waren zu viele Aufrufe.";
    ToolUnknown: "There is no such tool here.", "Dieses Werkzeug gibt es hier nicht.";
    ToolBadArguments: "Its arguments are no JSON object.", "Seine Argumente sind kein JSON-Objekt.";
    ToolWasRefused: "The person refused this call.", "Die Person hat diesen Aufruf abgelehnt.";
    ToolTookTooLong: "It took too long and was ended.", "Es dauerte zu lange und wurde beendet.";
    ToolWasStopped: "The person stopped it.", "Die Person hat es angehalten.";

    // Formulas, tables, the keyboard
    Formula: "Formula", "Formel";
    Table: "Table", "Tabelle";
    Keys: "Keyboard", "Tastatur";
    KeyNew: "New conversation", "Neues Gespräch";
    KeySearch: "Search conversations", "Gespräche durchsuchen";
    KeyWrite: "Write a message", "Nachricht schreiben";
    KeyAssistant: "Choose an assistant, where nothing is written yet", "Einen Assistenten wählen, solange nichts geschrieben ist";
    KeyPrompts: "Prompts, at the beginning of a message", "Prompts, am Anfang einer Nachricht";
    KeySend: "Send the message", "Nachricht senden";
    KeyLine: "New line in the message", "Neue Zeile in der Nachricht";
    KeyEscape: "Close what is open", "Offenes schließen";
    KeyTab: "To the next control; Shift+Tab to the one before", "Zum nächsten Bedienelement; Umschalt+Tab zum vorigen";
    KeyHelp: "This list", "Diese Liste";
    KeysOn: "Single keys work", "Einzelne Tasten wirken";
    KeysShow: "Keyboard shortcuts", "Tastenkürzel";

    // Folders, tags, archive, versions
    Organise: "Folder, tags and archive", "Ordner, Schlagwörter und Archiv";
    Folder: "Folder", "Ordner";
    FolderHint: "Empty: in no folder.", "Leer: in keinem Ordner.";
    Tags: "Tags", "Schlagwörter";
    TagsHint: "Separated by commas.", "Durch Kommas getrennt.";
    Archived: "In the archive", "Im Archiv";
    ArchivedHint: "It leaves the list and can still be found.", "Es verlässt die Liste und bleibt auffindbar.";
    ShowWhich: "Which conversations are shown", "Welche Gespräche gezeigt werden";
    ShowAll: "All conversations", "Alle Gespräche";
    Archive: "Archive", "Archiv";
    ExportThis: "Export this conversation", "Dieses Gespräch ausgeben";
    CompareVersions: "Compare versions", "Fassungen vergleichen";
    KeepThis: "Go on with this one", "Mit dieser weitermachen";
    AnswerWith: "Another answer by …", "Weitere Antwort von …";
    ImportTitle: "Import conversations", "Gespräche einlesen";
    ImportHint: "A file of Portico, ChatGPT (the ZIP or conversations.json) or Open WebUI. It is read on this device.",
        "Eine Datei von Portico, ChatGPT (das ZIP oder conversations.json) oder Open WebUI. Sie wird auf diesem Gerät gelesen.";
    ImportRunning: "{n} of {total} conversations read …", "{n} von {total} Gesprächen gelesen …";
    ImportDone: "{n} conversations imported, {known} were here already, {refused} refused.",
        "{n} Gespräche eingelesen, {known} waren schon da, {refused} abgelehnt.";
    ImportFailed: "The file could not be read: {why}", "Die Datei ließ sich nicht lesen: {why}";
    ImportRefused: "Refused or left out", "Abgelehnt oder ausgelassen";

    // Assistants
    Assistant: "Assistant", "Assistent";
    Assistants: "Assistants", "Assistenten";
    AssistantsAll: "All assistants", "Alle Assistenten";
    AssistantNone: "none", "keiner";
    AssistantHint: "Its instructions, model, documents and tools go with each answer. You get no more than you may without it.",
        "Seine Anweisungen, sein Modell, seine Dokumente und Werkzeuge gelten für jede Antwort. Sie bekommen nicht mehr, als Sie ohne ihn dürfen.";
    AssistantBy: "by {name}", "von {name}";
    AssistantWithout: "Go on without the assistant", "Ohne Assistenten weitermachen";
    AssistantGone: "The assistant “{name}” was deleted or is no longer shared with you. This conversation goes on without it.",
        "Den Assistenten „{name}“ gibt es nicht mehr, oder er wird nicht mehr mit Ihnen geteilt. Das Gespräch geht ohne ihn weiter.";
    AssistantUnknown: "What the assistant “{name}” says is not known on this device. Answers come without it until the server can be asked.",
        "Was der Assistent „{name}“ vorgibt, ist auf diesem Gerät nicht bekannt. Antworten kommen ohne ihn, bis der Server erreichbar ist.";
    AssistantChanged: "The assistant “{name}” was changed. New answers follow what it says now.",
        "Der Assistent „{name}“ wurde geändert. Neue Antworten folgen dem, was er jetzt vorgibt.";
    AssistantUnderstood: "Understood", "Verstanden";
    AssistantStandsIn: "“{name}” prefers {model}, which cannot be asked here now. Another model stands in.",
        "„{name}“ bevorzugt {model}, das hier gerade nicht antworten kann. Ein anderes Modell springt ein.";
    AssistantMissing: "“{name}” answers only with {model}, which cannot be asked here now.",
        "„{name}“ antwortet nur mit {model}, das hier gerade nicht antworten kann.";
    AssistantLoad: "Load {model}", "{model} laden";
    AssistantWithheld: "{n} of the collections of “{name}” are not yours to read: nothing comes from them.",
        "{n} der Sammlungen von „{name}“ dürfen Sie nicht lesen: Aus ihnen kommt nichts.";

    // Settings
    Language: "Language", "Sprache";
    Theme: "Appearance", "Darstellung";
    ThemeAuto: "As the system", "Wie das System";
    ThemeLight: "Light", "Hell";
    ThemeDark: "Dark", "Dunkel";
    General: "General", "Allgemein";
    ForThisConversation: "This conversation", "Dieses Gespräch";
    SystemPrompt: "Instructions for the model", "Anweisungen an das Modell";
    SystemPromptHint: "For example: “Answer briefly and in German.” Empty: the model’s own default.",
        "Zum Beispiel: „Antworte knapp und auf Deutsch.“ Leer: die Vorgabe des Modells.";
    Temperature: "Temperature", "Temperatur";
    TemperatureHint: "0 always takes the likeliest word; higher is more varied.",
        "0 nimmt stets das wahrscheinlichste Wort; höher wird abwechslungsreicher.";
    MaxTokens: "Longest answer, in tokens", "Längste Antwort, in Token";
    StorageTitle: "Storage on this device", "Speicher auf diesem Gerät";
    StorageUsed: "{used} of {quota} used", "{used} von {quota} belegt";
    StoragePersisted: "The browser promised to keep it.", "Der Browser hat zugesagt, ihn zu behalten.";
    StorageNotPersisted: "The browser may clear it when space runs short.",
        "Der Browser darf ihn leeren, wenn Platz fehlt.";
    ExportTitle: "Export conversations", "Gespräche ausgeben";
    ExportMarkdown: "As Markdown", "Als Markdown";
    ExportJson: "As JSON", "Als JSON";
    DeleteAll: "Delete all data on this device", "Alle Daten auf diesem Gerät löschen";
    DeleteAllConfirm: "All conversations and models on this device will be deleted. This cannot be undone.",
        "Alle Gespräche und Modelle auf diesem Gerät werden gelöscht. Das lässt sich nicht rückgängig machen.";
    DeleteAllYes: "Delete everything", "Alles löschen";
    DeviceTitle: "Graphics device", "Grafikgerät";
    DeviceUnknown: "unknown", "unbekannt";
}
