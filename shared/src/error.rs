//! Every error that a person, a script or a client can meet: one table of codes, each with its HTTP
//! status and both languages' text.
//!
//! A code is stable: clients match on it. The cause stands in `detail`, which is for logs and the
//! curious and is never translated.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// A language of the portal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    De,
    En,
}

macro_rules! error_codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, en: $en:literal, de: $de:literal;)*) => {
        /// A stable error code.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[$doc])* $variant,)*
        }

        impl ErrorCode {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The stable name, as clients see it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)* }
            }

            /// The HTTP status that a server answers with.
            pub fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)* }
            }

            /// The sentence for a person, with `{name}` where a parameter goes.
            pub fn template(self, lang: Lang) -> &'static str {
                // A table: a `match` over both is several kilobytes of Wasm.
                const TEMPLATES: &[(&str, &str)] = &[$(($en, $de),)*];
                let (en, de) = TEMPLATES[self as usize];
                match lang { Lang::En => en, Lang::De => de }
            }
        }
    };
}

// By hand: what serde derives for so many variants is 35 kB of Wasm, in each of the page's programs.
impl Serialize for ErrorCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for ErrorCode {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let known = Self::ALL.iter().find(|code| code.as_str() == name);
        known.copied().ok_or_else(|| serde::de::Error::custom("no error code of this build"))
    }
}

error_codes! {
    /// A request that cannot be read or whose values are out of range.
    InvalidRequest = "invalid_request", 400,
        en: "The request cannot be understood: {reason}.",
        de: "Die Anfrage ist nicht verständlich: {reason}.";
    ModelNotFound = "model_not_found", 404,
        en: "There is no model named “{model}” here.",
        de: "Ein Modell namens „{model}“ gibt es hier nicht.";
    NotFound = "not_found", 404,
        en: "There is nothing at this address.",
        de: "Unter dieser Adresse gibt es nichts.";
    /// The store of vectors is down or slow; full text still answers.
    VectorsUnreachable = "vectors_unreachable", 503,
        en: "The search by meaning does not answer at the moment. Try again in a minute, or search by words.",
        de: "Die Suche nach Bedeutung antwortet im Moment nicht. Versuchen Sie es in einer Minute wieder oder suchen Sie nach Wörtern.";
    /// The prompt does not fit the model's context.
    ContextFull = "context_length_exceeded", 400,
        en: "The conversation is longer than this model can hold ({n_ctx} tokens). Start a new conversation or shorten the message.",
        de: "Das Gespräch ist länger, als dieses Modell fassen kann ({n_ctx} Token). Beginnen Sie ein neues Gespräch oder kürzen Sie die Nachricht.";
    /// The Wasm that holds answers to a form cannot be had, or broke.
    GrammarUnavailable = "grammar_unavailable", 503,
        en: "What holds an answer to its form could not be loaded. Check the connection and try again.",
        de: "Was eine Antwort an ihre Form bindet, ließ sich nicht laden. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.";
    WebGpuMissing = "webgpu_missing", 501,
        en: "This browser offers no WebGPU. Use a current Chrome, Edge, Safari or Firefox, or switch on graphics acceleration in its settings.",
        de: "Dieser Browser bietet kein WebGPU. Nutzen Sie einen aktuellen Chrome, Edge, Safari oder Firefox, oder schalten Sie in seinen Einstellungen die Grafikbeschleunigung ein.";
    DeviceLost = "device_lost", 503,
        en: "The graphics device was lost. What was written so far is kept; the answer can go on.",
        de: "Das Grafikgerät ging verloren. Das bisher Geschriebene bleibt erhalten; die Antwort kann weitergehen.";
    OutOfMemory = "out_of_memory", 507,
        en: "The graphics memory is too small for this model. Close other tabs or choose a smaller model.",
        de: "Der Grafikspeicher reicht für dieses Modell nicht. Schließen Sie andere Tabs oder wählen Sie ein kleineres Modell.";
    /// The server's memory budget has no room for the model.
    ServerMemoryFull = "server_out_of_memory", 507,
        en: "The server has no room for this model now: it needs {needed_mb} MB. Try again later or choose a smaller model.",
        de: "Der Server hat für dieses Modell gerade keinen Platz: Es braucht {needed_mb} MB. Versuchen Sie es später noch einmal oder wählen Sie ein kleineres Modell.";
    /// The model's queue is full.
    TooManyRequests = "too_many_requests", 429,
        en: "Too many questions are waiting for this model. Try again in {retry_after_s} seconds.",
        de: "Für dieses Modell warten zu viele Fragen. Versuchen Sie es in {retry_after_s} Sekunden noch einmal.";
    DownloadFailed = "download_failed", 502,
        en: "The model could not be downloaded. What has arrived is kept; try again.",
        de: "Das Modell konnte nicht geladen werden. Was schon da ist, bleibt erhalten; versuchen Sie es noch einmal.";
    ChunkDamaged = "chunk_damaged", 502,
        en: "A part of the model arrived damaged twice and was not used. Try again later, or tell the administrator.",
        de: "Ein Teil des Modells kam zweimal beschädigt an und wurde nicht verwendet. Versuchen Sie es später noch einmal oder sagen Sie der Verwaltung Bescheid.";
    ModelInvalid = "model_invalid", 422,
        en: "The model's file cannot be used: {reason}.",
        de: "Die Datei des Modells ist nicht verwendbar: {reason}.";
    ModelUnsupported = "model_unsupported", 422,
        en: "This model cannot run here: {reason}.",
        de: "Dieses Modell kann hier nicht laufen: {reason}.";
    /// The person or the script stopped it.
    Cancelled = "cancelled", 499,
        en: "Stopped.",
        de: "Angehalten.";
    TooManyAttachments = "too_many_attachments", 400,
        en: "A message takes at most {max} files. Send the others with the next one, or add them to your documents.",
        de: "Eine Nachricht fasst höchstens {max} Dateien. Senden Sie die übrigen mit der nächsten oder nehmen Sie sie in Ihre Dokumente auf.";
    /// An answer that was ended for going round in circles.
    AnswerRepeats = "answer_repeats", 500,
        en: "The model began to repeat itself, so the answer was ended. Small models do so, above all in languages that they hardly know: ask in other words, or choose a larger model.",
        de: "Das Modell begann sich zu wiederholen, darum wurde die Antwort beendet. Kleine Modelle neigen dazu, vor allem in Sprachen, die sie kaum kennen: Fragen Sie mit anderen Worten oder wählen Sie ein größeres Modell.";
    Offline = "offline", 503,
        en: "There is no connection to the server, and this model is not on the device.",
        de: "Es besteht keine Verbindung zum Server, und dieses Modell liegt nicht auf dem Gerät.";
    /// Listed in the catalogue, but its files are not on this server.
    ModelAbsent = "model_absent", 404,
        en: "The model “{model}” is not on this server yet. Whoever runs it can fetch it with: portico models pull {model}",
        de: "Das Modell „{model}“ liegt noch nicht auf diesem Server. Wer ihn betreibt, holt es mit: portico models pull {model}";
    ModelExists = "model_exists", 409,
        en: "There already is a model named “{model}”. Choose another name with --id.",
        de: "Ein Modell namens „{model}“ gibt es schon. Wählen Sie mit --id einen anderen Namen.";
    /// No model here has a chunk of this digest.
    ChunkNotFound = "chunk_not_found", 404,
        en: "This part of a model is not on this server. Load the model again.",
        de: "Dieser Teil eines Modells liegt nicht auf diesem Server. Laden Sie das Modell neu.";
    /// The file's digests are still being computed.
    WeightsPreparing = "weights_preparing", 503,
        en: "The server is still preparing this model. Try again in a moment.",
        de: "Der Server bereitet dieses Modell noch vor. Versuchen Sie es gleich noch einmal.";
    /// The file is no longer what its manifest says; the manifest is being made anew.
    WeightsChanged = "weights_changed", 409,
        en: "The model was changed on the server. Load it again.",
        de: "Das Modell wurde auf dem Server verändert. Laden Sie es neu.";
    RangeNotSatisfiable = "range_not_satisfiable", 416,
        en: "The requested part lies behind the end.",
        de: "Der verlangte Teil liegt hinter dem Ende.";
    PreconditionFailed = "precondition_failed", 412,
        en: "What was asked for is no longer as it was.",
        de: "Das Verlangte ist nicht mehr, wie es war.";
    MethodNotAllowed = "method_not_allowed", 405,
        en: "This address cannot be used that way.",
        de: "Diese Adresse lässt sich so nicht benutzen.";
    PayloadTooLarge = "payload_too_large", 413,
        en: "The request is too large: at most {max_bytes} bytes.",
        de: "Die Anfrage ist zu groß: höchstens {max_bytes} Bytes.";
    Timeout = "timeout", 408,
        en: "That took too long. Try again.",
        de: "Das hat zu lange gedauert. Versuchen Sie es noch einmal.";
    /// The request names a host that is not this server: a rebound DNS name, or a proxy that
    /// `--public-url` does not know.
    HostRefused = "host_refused", 421,
        en: "This server does not answer to the name “{host}”. Whoever runs it can allow it with --public-url.",
        de: "Auf den Namen „{host}“ hört dieser Server nicht. Wer ihn betreibt, kann ihn mit --public-url erlauben.";
    DiskFull = "disk_full", 507,
        en: "The disk is full: {path}. Make room and try again.",
        de: "Der Datenträger ist voll: {path}. Schaffen Sie Platz und versuchen Sie es noch einmal.";
    /// What arrived, or what lies there, is not what the catalogue or the lock file names.
    DigestMismatch = "digest_mismatch", 502,
        en: "The file {file} is not the one that was expected: SHA-256 {actual} instead of {expected}.",
        de: "Die Datei {file} ist nicht die erwartete: SHA-256 {actual} statt {expected}.";
    ToolMissing = "tool_missing", 500,
        en: "{tool} is needed for this and was not found. Install it: {hint}",
        de: "Hierfür wird {tool} gebraucht und wurde nicht gefunden. So wird es installiert: {hint}";
    /// Every source of a model failed; `detail` says how each did.
    SourceUnavailable = "source_unavailable", 502,
        en: "The model “{model}” could not be fetched from any of its sources.",
        de: "Das Modell „{model}“ war aus keiner seiner Quellen zu bekommen.";
    CatalogueInvalid = "catalogue_invalid", 500,
        en: "The list of models cannot be used: {reason}.",
        de: "Die Liste der Modelle ist nicht verwendbar: {reason}.";
    /// A file or folder of the server cannot be read or written.
    StorageFailed = "storage_failed", 500,
        en: "Reading or writing {path} failed.",
        de: "{path} ließ sich nicht lesen oder schreiben.";
    /// `[database] url`: nothing is lost, and the next request tries again.
    DatabaseUnreachable = "database_unreachable", 503,
        en: "The database at {database} cannot be reached or refuses the server. Try again later; whoever runs the server finds the cause in its log.",
        de: "Die Datenbank unter {database} ist nicht erreichbar oder weist den Server ab. Versuchen Sie es später noch einmal; wer den Server betreibt, findet den Grund in seinem Protokoll.";
    /// Two servers on the same data would undo each other's work.
    ServerRunning = "server_running", 409,
        en: "Another server already serves the data in {place}: process {pid} on {host} at {addr}, since {since}. Two would damage them. Stop that one first, or name another folder with --data (and another [database] url).",
        de: "Ein anderer Server bedient schon die Daten in {place}: Prozess {pid} auf {host} unter {addr}, seit {since}. Zwei würden sie beschädigen. Halten Sie jenen zuerst an, oder nennen Sie mit --data einen anderen Ordner (und eine andere [database] url).";
    /// The key of the house's secrets is absent, or another one.
    SecretKeyUnusable = "secret_key_unusable", 503,
        en: "The house's key for secrets cannot be used: {reason}. Whoever runs the server finds with “portico doctor” what to do.",
        de: "Der Schlüssel des Hauses für Geheimnisse ist nicht brauchbar: {reason}. Wer den Server betreibt, erfährt mit „portico doctor“, was zu tun ist.";
    /// What the database has of somebody's authenticator app cannot be opened.
    CodeUnreadable = "code_unreadable", 503,
        en: "Codes of your authenticator app cannot be checked at the moment: the server lacks the key to them. Sign in with one of your recovery codes, or ask an administrator to switch the app off for you.",
        de: "Codes Ihrer Authenticator-App lassen sich im Moment nicht prüfen: Dem Server fehlt der Schlüssel dazu. Melden Sie sich mit einem Ihrer Wiederherstellungscodes an, oder bitten Sie die Verwaltung, die App für Sie abzuschalten.";
    /// No key where one is needed, or one that is unknown, revoked or expired.
    InvalidApiKey = "invalid_api_key", 401,
        en: "This needs a valid API key, sent as “Authorization: Bearer …”. Whoever runs the server makes one with: portico keys create --name NAME",
        de: "Hierfür wird ein gültiger API-Schlüssel gebraucht, gesendet als „Authorization: Bearer …“. Wer den Server betreibt, erstellt einen mit: portico keys create --name NAME";
    /// The caller is known, and this is not for it.
    ModelForbidden = "model_forbidden", 403,
        en: "The model “{model}” is not for you: this API key, or the rules of this house, do not allow it.",
        de: "Das Modell „{model}“ ist nicht für Sie: Dieser API-Schlüssel oder die Regeln dieses Hauses erlauben es nicht.";
    NotForYou = "forbidden", 403,
        en: "This is not for you to read.",
        de: "Das ist nicht für Sie bestimmt.";
    RateLimited = "rate_limit_exceeded", 429,
        en: "Too many requests or tokens in a minute. Try again in {retry_after_s} seconds.",
        de: "Zu viele Anfragen oder Token in einer Minute. Versuchen Sie es in {retry_after_s} Sekunden noch einmal.";
    QuotaUsedUp = "insufficient_quota", 429,
        en: "The {quota} tokens that this API key may use in {period} are used up.",
        de: "Die {quota} Token, die dieser API-Schlüssel in {period} verbrauchen darf, sind verbraucht.";
    KeyExists = "key_exists", 409,
        en: "There already is an API key named “{key}”. Choose another name or revoke that one.",
        de: "Einen API-Schlüssel namens „{key}“ gibt es schon. Wählen Sie einen anderen Namen oder widerrufen Sie jenen.";
    KeyNotFound = "key_not_found", 404,
        en: "There is no API key “{key}” in use.",
        de: "Einen gültigen API-Schlüssel „{key}“ gibt es nicht.";
    /// None of a model's endpoints is well; carries `retry_after_s`.
    UpstreamUnavailable = "upstream_unavailable", 503,
        en: "None of the servers that answer for the model “{model}” can be reached. Try again in {retry_after_s} seconds.",
        de: "Keiner der Server, die für das Modell „{model}“ antworten, ist erreichbar. Versuchen Sie es in {retry_after_s} Sekunden noch einmal.";
    /// An upstream began to answer and broke off, or answers nonsense.
    UpstreamFailed = "upstream_failed", 502,
        en: "The server that answers for this model failed. Try again.",
        de: "Der Server, der für dieses Modell antwortet, hat versagt. Versuchen Sie es noch einmal.";
    /// The page's connection to its server failed.
    ServerUnreachable = "server_unreachable", 503,
        en: "The server cannot be reached. What was written so far is kept; try again when there is a connection.",
        de: "Der Server ist nicht erreichbar. Das bisher Geschriebene bleibt erhalten; versuchen Sie es wieder, sobald eine Verbindung besteht.";
    /// The person keeps a conversation on the device, and the device cannot answer.
    StaysOnDevice = "stays_on_device", 403,
        en: "This conversation stays on your device, and your device cannot run the model. Allow the server below, or choose a smaller model.",
        de: "Dieses Gespräch bleibt auf Ihrem Gerät, und Ihr Gerät kann das Modell nicht ausführen. Erlauben Sie unten den Server oder wählen Sie ein kleineres Modell.";
    /// The server computes nothing for this page.
    ServerNotOffered = "server_not_offered", 403,
        en: "This server computes no answers for the page. Choose a model that runs on your device.",
        de: "Dieser Server berechnet keine Antworten für die Seite. Wählen Sie ein Modell, das auf Ihrem Gerät läuft.";
    /// Something that only who manages the documents may do.
    AdminNeeded = "admin_needed", 403,
        en: "This is for those who manage the documents. Whoever runs the server makes a key for it with: portico keys create --name NAME --admin",
        de: "Das ist denen vorbehalten, die die Dokumente verwalten. Wer den Server betreibt, erstellt einen Schlüssel dafür mit: portico keys create --name NAME --admin";
    CollectionNotFound = "collection_not_found", 404,
        en: "There is no collection “{collection}” that you may read.",
        de: "Eine Sammlung „{collection}“, die Sie lesen dürfen, gibt es nicht.";
    CollectionExists = "collection_exists", 409,
        en: "There already is a collection “{collection}”. Choose another id.",
        de: "Eine Sammlung „{collection}“ gibt es schon. Wählen Sie eine andere ID.";
    /// The caller may read the collection, and wants more.
    CollectionReadOnly = "collection_read_only", 403,
        en: "You may read the collection “{collection}”, but not change it that way.",
        de: "Sie dürfen die Sammlung „{collection}“ lesen, aber nicht so verändern.";
    /// Unknown, or in a collection that the caller may not read.
    DocumentNotFound = "document_not_found", 404,
        en: "There is no such document, or it is not for you to read.",
        de: "Dieses Dokument gibt es nicht, oder es ist nicht für Sie bestimmt.";
    JobNotFound = "job_not_found", 404,
        en: "This work on a document is done already, or was never asked for.",
        de: "Diese Arbeit an einem Dokument ist schon erledigt oder wurde nie verlangt.";
    /// The indexes belong to one process; carries `retry_after_s`.
    DocumentsElsewhere = "documents_elsewhere", 503,
        en: "Another process is working on the documents just now. Try again in {retry_after_s} seconds.",
        de: "An den Dokumenten arbeitet gerade ein anderer Prozess. Versuchen Sie es in {retry_after_s} Sekunden noch einmal.";
    /// `[files] store = "s3"`: nothing is lost, and what waits is tried again.
    FilesUnreachable = "files_unreachable", 503,
        en: "The storage of files at {store} cannot be reached or refuses the server. Try again later; whoever runs the server finds the cause in its log.",
        de: "Der Dateispeicher unter {store} ist nicht erreichbar oder weist den Server ab. Versuchen Sie es später noch einmal; wer den Server betreibt, findet den Grund in seinem Protokoll.";
    /// `[documents] max_total_bytes`
    DocumentsFull = "documents_full", 507,
        en: "There is no room for more documents: at most {max_bytes} bytes. Delete some, or ask whoever runs the server.",
        de: "Für weitere Dokumente ist kein Platz: höchstens {max_bytes} Bytes. Löschen Sie einige oder fragen Sie, wer den Server betreibt.";
    /// A vector of the client's that no embedder here could have made.
    VectorInvalid = "vector_invalid", 400,
        en: "The vector cannot be used: {reason}.",
        de: "Der Vektor ist nicht verwendbar: {reason}.";
    /// A sample of a client's vectors was computed again and came out otherwise.
    VectorsDisagree = "vectors_disagree", 422,
        en: "The vectors that were sent are not those that “{model}” makes of this text. The document was not taken in.",
        de: "Die gesendeten Vektoren sind nicht die, die „{model}“ aus diesem Text macht. Das Dokument wurde nicht aufgenommen.";
    /// An address that a crawl may not fetch.
    CrawlRefused = "crawl_refused", 403,
        en: "“{url}” may not be fetched: {reason}.",
        de: "„{url}“ darf nicht geholt werden: {reason}.";
    CrawlFailed = "crawl_failed", 502,
        en: "“{url}” could not be fetched.",
        de: "„{url}“ war nicht zu bekommen.";
    StreamNotFound = "stream_not_found", 404,
        en: "This answer is no longer kept.",
        de: "Diese Antwort wird nicht mehr aufbewahrt.";
    /// A document's file is damaged, or not what it says it is.
    DocumentUnreadable = "document_unreadable", 422,
        en: "The document cannot be read: its file is damaged or not of the kind that it seems to be.",
        de: "Das Dokument ist nicht lesbar: Seine Datei ist beschädigt oder nicht von der Art, die sie zu sein scheint.";
    DocumentTypeUnknown = "document_type_unknown", 415,
        en: "Documents of this kind cannot be read. PDF, Word, PowerPoint, Excel, OpenDocument, HTML, EPUB, Markdown, text, CSV and e-mail can.",
        de: "Dokumente dieser Art sind nicht lesbar. PDF, Word, PowerPoint, Excel, OpenDocument, HTML, EPUB, Markdown, Text, CSV und E-Mail sind es.";
    DocumentEncrypted = "document_encrypted", 422,
        en: "The document is protected by a password. Save it without one and upload it again.",
        de: "Das Dokument ist mit einem Kennwort geschützt. Speichern Sie es ohne Kennwort und laden Sie es noch einmal hoch.";
    /// Pages that are pictures.
    DocumentNeedsOcr = "document_needs_ocr", 422,
        en: "The document holds only pictures of its pages. Run text recognition (OCR) over it and upload it again.",
        de: "Das Dokument enthält nur Bilder seiner Seiten. Lassen Sie eine Texterkennung (OCR) darüber laufen und laden Sie es noch einmal hoch.";
    DocumentEmpty = "document_empty", 422,
        en: "There is no text in the document.",
        de: "In dem Dokument steht kein Text.";
    DocumentTooLarge = "document_too_large", 413,
        en: "The document is larger than this server reads. Divide it and upload the parts.",
        de: "Das Dokument ist größer, als dieser Server liest. Teilen Sie es und laden Sie die Teile hoch.";
    ExtractTimeout = "extract_timeout", 422,
        en: "Reading the document took longer than {limit_s} seconds and was stopped.",
        de: "Das Lesen des Dokuments dauerte länger als {limit_s} Sekunden und wurde abgebrochen.";
    ExtractMemory = "extract_memory", 422,
        en: "Reading the document took more than {limit_mb} MB of memory and was stopped.",
        de: "Das Lesen des Dokuments brauchte mehr als {limit_mb} MB Speicher und wurde abgebrochen.";
    /// The child process that read it failed in a way that it could not tell.
    ExtractCrashed = "extract_crashed", 422,
        en: "The document could not be read: the program that reads it failed on it. Save it anew, or in another format, and upload it again.",
        de: "Das Dokument ließ sich nicht lesen: Das Programm, das es liest, ist daran gescheitert. Speichern Sie es neu oder in einem anderen Format und laden Sie es noch einmal hoch.";
    /// The page reads fewer kinds than the server does.
    DeviceTypeUnknown = "device_type_unknown", 415,
        en: "Only text, Markdown, CSV, HTML and PDF can stay on this device. Choose a collection of the server for other kinds.",
        de: "Auf diesem Gerät können nur Text, Markdown, CSV, HTML und PDF bleiben. Wählen Sie für andere Arten eine Sammlung des Servers.";
    /// The browser gives no more room.
    DeviceStorageFull = "device_storage_full", 507,
        en: "This browser gives Portico no more storage. Delete models or documents from this device and try again.",
        de: "Dieser Browser gibt Portico keinen weiteren Speicher. Löschen Sie Modelle oder Dokumente von diesem Gerät und versuchen Sie es noch einmal.";
    /// A private window, or storage that is switched off.
    DeviceStorageRefused = "device_storage_refused", 507,
        en: "This browser refuses storage, so documents cannot be kept on this device. Outside a private window they can.",
        de: "Dieser Browser verweigert Speicher, deshalb können auf diesem Gerät keine Dokumente bleiben. Außerhalb eines privaten Fensters geht es.";
    /// The device that wrote it would win every register for as long as its clock is ahead.
    SyncClockAhead = "sync_clock_ahead", 422,
        en: "This device's clock is {ahead_s} seconds ahead. Set it right; what was written is kept here until then.",
        de: "Die Uhr dieses Geräts geht {ahead_s} Sekunden vor. Stellen Sie sie richtig; bis dahin bleibt das Geschriebene hier erhalten.";
    ConversationStaysOnDevice = "conversation_stays_on_device", 403,
        en: "This conversation stays on its device and is not kept on the server.",
        de: "Dieses Gespräch bleibt auf seinem Gerät und wird nicht auf dem Server gespeichert.";
    AttachmentNotFound = "attachment_not_found", 404,
        en: "This file is not on the server.",
        de: "Diese Datei ist nicht auf dem Server.";
    /// Its bytes would not be encrypted as the conversation is.
    AttachmentsSealed = "attachments_sealed", 409,
        en: "Your conversations are end-to-end encrypted, and this file came unencrypted, so it was not taken. Reload the page: a current one encrypts files too.",
        de: "Ihre Gespräche sind Ende-zu-Ende-verschlüsselt, und diese Datei kam unverschlüsselt; sie wurde nicht angenommen. Laden Sie die Seite neu: Eine aktuelle verschlüsselt auch Dateien.";
    /// Sent before the log was encrypted; only the person can settle it.
    FilesNotEncrypted = "files_not_encrypted", 409,
        en: "{n} files still lie unencrypted on the server. See Account, Encryption.",
        de: "{n} Dateien liegen noch unverschlüsselt auf dem Server. Siehe Konto, Verschlüsselung.";
    ConversationNotSynced = "conversation_not_synced", 409,
        en: "This conversation is not on the server, so its files stay on the device.",
        de: "Dieses Gespräch ist nicht auf dem Server, darum bleiben seine Dateien auf dem Gerät.";
    UploadIncomplete = "upload_incomplete", 409,
        en: "Parts of the file have not arrived yet.",
        de: "Teile der Datei sind noch nicht angekommen.";
    /// The digest is another one: all of it is sent again.
    UploadDamaged = "upload_damaged", 422,
        en: "The file did not arrive as it was sent. It is sent again.",
        de: "Die Datei kam nicht so an, wie sie gesendet wurde. Sie wird noch einmal gesendet.";
    SyncLogFull = "sync_log_full", 507,
        en: "There is no room for more conversations on the server: at most {max_bytes} bytes. Delete some; what was written is kept on this device.",
        de: "Auf dem Server ist für weitere Gespräche kein Platz: höchstens {max_bytes} Bytes. Löschen Sie einige; das Geschriebene bleibt auf diesem Gerät erhalten.";
    /// A device that does not know of it, or has no key, would leak them.
    SyncLogSealed = "sync_log_sealed", 409,
        en: "Your conversations are end-to-end encrypted. This device neither sends nor fetches until you unlock it in your account; what was written is kept here.",
        de: "Ihre Gespräche sind Ende-zu-Ende-verschlüsselt. Dieses Gerät sendet und holt nichts, bis Sie es in Ihrem Konto entsperren; das Geschriebene bleibt hier erhalten.";
    /// The device has a key and the log is plain: nothing is sent in plain text unasked.
    SyncLogPlain = "sync_log_plain", 409,
        en: "Encryption of your conversations was turned off elsewhere. This device sends nothing until you agree to that in your account; what was written is kept here.",
        de: "Die Verschlüsselung Ihrer Gespräche wurde anderswo ausgeschaltet. Dieses Gerät sendet nichts, bis Sie dem in Ihrem Konto zustimmen; das Geschriebene bleibt hier erhalten.";
    SyncKeyringChanged = "sync_keyring_changed", 409,
        en: "Another device changed the encryption meanwhile. Try again.",
        de: "Ein anderes Gerät hat die Verschlüsselung inzwischen geändert. Versuchen Sie es noch einmal.";
    /// The log is begun anew from this device, which must have all of it.
    SyncNotSettled = "sync_not_settled", 409,
        en: "This device does not have everything yet that your other devices wrote. Wait until all is synced and try again.",
        de: "Dieses Gerät hat noch nicht alles, was Ihre anderen Geräte geschrieben haben. Warten Sie, bis alles abgeglichen ist, und versuchen Sie es noch einmal.";
    SealPassphraseShort = "seal_passphrase_short", 422,
        en: "The passphrase is too short: at least {min} characters.",
        de: "Die Passphrase ist zu kurz: mindestens {min} Zeichen.";
    SealPassphraseWrong = "seal_passphrase_wrong", 422,
        en: "This is not the passphrase.",
        de: "Das ist nicht die Passphrase.";
    SealRecoveryTypo = "seal_recovery_typo", 422,
        en: "The recovery key has a typo: nine groups of four letters and digits are expected. Compare it with what you kept.",
        de: "Im Wiederherstellungsschlüssel ist ein Tippfehler: Erwartet werden neun Gruppen aus vier Buchstaben und Ziffern. Vergleichen Sie ihn mit dem, was Sie aufbewahrt haben.";
    SealRecoveryWrong = "seal_recovery_wrong", 422,
        en: "This recovery key is not that of your account, or it was replaced by a newer one.",
        de: "Dieser Wiederherstellungsschlüssel gehört nicht zu Ihrem Konto oder wurde durch einen neueren ersetzt.";
    SealKeyringDamaged = "seal_keyring_damaged", 422,
        en: "The keys that the server keeps for you are damaged. A device that is unlocked can turn encryption off and on again; nothing on it is lost.",
        de: "Die Schlüssel, die der Server für Sie aufbewahrt, sind beschädigt. Ein entsperrtes Gerät kann die Verschlüsselung aus- und wieder einschalten; dort ist nichts verloren.";
    SealApprovalNone = "seal_approval_none", 404,
        en: "No device asks to be let in at the moment. Let the new device ask anew.",
        de: "Im Moment bittet kein Gerät um Freigabe. Lassen Sie das neue Gerät noch einmal fragen.";
    SealApprovalCode = "seal_approval_code", 422,
        en: "This is not the code of a device that asks. Compare it with what the new device shows: four groups of four letters and digits.",
        de: "Das ist nicht der Code eines Geräts, das um Freigabe bittet. Vergleichen Sie ihn mit dem, was das neue Gerät zeigt: vier Gruppen aus vier Buchstaben und Ziffern.";
    SealApprovalExpired = "seal_approval_expired", 410,
        en: "This request is over: it holds for ten minutes and for one answer. Ask anew.",
        de: "Diese Anfrage ist vorbei: Sie gilt zehn Minuten und für eine Antwort. Fragen Sie noch einmal.";
    /// Sealed by who does not know the code, or for another request.
    SealApprovalDamaged = "seal_approval_damaged", 422,
        en: "An answer came that is not from a device of yours that knows the code. It was not used. If this happens again, tell whoever runs the server.",
        de: "Es kam eine Antwort, die nicht von einem Ihrer Geräte stammt, das den Code kennt. Sie wurde nicht benutzt. Geschieht das wieder, sagen Sie es denen, die den Server betreiben.";
    SealOpDamaged = "seal_op_damaged", 422,
        en: "{n} changes came from the server altered, and were left out. What is on this device is as it was.",
        de: "{n} Änderungen kamen verfälscht vom Server und wurden ausgelassen. Was auf diesem Gerät ist, ist unverändert.";
    SealFileDamaged = "seal_file_damaged", 422,
        en: "This file came from the server altered or cut off, and was not opened. The device that attached it still has it as it was.",
        de: "Diese Datei kam verfälscht oder abgeschnitten vom Server und wurde nicht geöffnet. Das Gerät, das sie angehängt hat, hat sie noch, wie sie war.";
    /// Nobody is signed in, and this is kept for each person.
    SignInNeeded = "sign_in_needed", 401,
        en: "Please sign in for this.",
        de: "Bitte melden Sie sich dafür an.";
    /// A wrong name, a wrong password and a person without one are told alike.
    SignInFailed = "sign_in_failed", 401,
        en: "This name and this password do not belong together. Check both, or ask whoever runs the server for a new link.",
        de: "Dieser Name und dieses Kennwort gehören nicht zusammen. Prüfen Sie beides oder bitten Sie die Verwaltung um einen neuen Link.";
    /// The password was right, and a code of the person's device is wanted with it.
    CodeNeeded = "code_needed", 401,
        en: "Enter the six digits that your authenticator app shows, or one of your recovery codes.",
        de: "Geben Sie die sechs Ziffern ein, die Ihre Authenticator-App zeigt, oder einen Ihrer Wiederherstellungscodes.";
    /// Not the code of this moment, or one that was used already.
    CodeWrong = "code_wrong", 401,
        en: "This code is not valid, or was used already. Wait for the next one.",
        de: "Dieser Code gilt nicht oder wurde schon benutzt. Warten Sie auf den nächsten.";
    TooManyAttempts = "too_many_attempts", 429,
        en: "Too many attempts to sign in. Try again in {retry_after_s} seconds.",
        de: "Zu viele Versuche, sich anzumelden. Versuchen Sie es in {retry_after_s} Sekunden noch einmal.";
    PersonBlocked = "person_blocked", 403,
        en: "This account is blocked. Ask whoever runs the server.",
        de: "Dieses Konto ist gesperrt. Fragen Sie die Verwaltung.";
    PasswordWeak = "password_weak", 422,
        en: "Choose another password, of 12 characters or more: this one is too short, too common, or says your name.",
        de: "Wählen Sie ein anderes Kennwort mit mindestens 12 Zeichen: Dieses ist zu kurz, zu verbreitet oder enthält Ihren Namen.";
    /// Unknown, expired, used already, or replaced by a newer one.
    LinkInvalid = "link_invalid", 410,
        en: "This link is no longer valid. Ask for a new one.",
        de: "Dieser Link gilt nicht mehr. Bitten Sie um einen neuen.";
    PersonExists = "person_exists", 409,
        en: "There already is somebody named “{person}”. Choose another name.",
        de: "Jemanden namens „{person}“ gibt es schon. Wählen Sie einen anderen Namen.";
    PersonNotFound = "person_not_found", 404,
        en: "There is no such person here.",
        de: "Diese Person gibt es hier nicht.";
    GroupExists = "group_exists", 409,
        en: "There already is a group “{group}”.",
        de: "Eine Gruppe „{group}“ gibt es schon.";
    GroupNotFound = "group_not_found", 404,
        en: "There is no group “{group}”.",
        de: "Eine Gruppe „{group}“ gibt es nicht.";
    SessionNotFound = "session_not_found", 404,
        en: "This device is signed out already.",
        de: "Dieses Gerät ist schon abgemeldet.";
    /// Something that only administrators of the house may do.
    AdministratorNeeded = "administrator_needed", 403,
        en: "This is for administrators of this house.",
        de: "Das ist der Verwaltung dieses Hauses vorbehalten.";
    LastAdmin = "last_admin", 409,
        en: "The last administrator cannot be removed, blocked or made a member. Make somebody else an administrator first.",
        de: "Die letzte verwaltende Person lässt sich nicht entfernen, sperren oder herabstufen. Machen Sie zuerst jemand anderen dazu.";
    /// A session's cookie on a request that no page of this server sent.
    CrossSite = "cross_site", 403,
        en: "This request did not come from this server's own page.",
        de: "Diese Anfrage kam nicht von der eigenen Seite dieses Servers.";
    ScopeMissing = "scope_missing", 403,
        en: "This API key was not made for that: it lacks the scope “{scope}”.",
        de: "Dieser API-Schlüssel ist dafür nicht gemacht: Ihm fehlt der Bereich „{scope}“.";
    /// A model is allowed, but not on the server.
    PlaceForbidden = "place_forbidden", 403,
        en: "The rules of this house do not allow the model “{model}” on the server for you. It may run on your device.",
        de: "Die Regeln dieses Hauses erlauben Ihnen das Modell „{model}“ nicht auf dem Server. Auf Ihrem Gerät darf es laufen.";
    /// To whom something is given that is not only one's own.
    SharingForbidden = "sharing_forbidden", 403,
        en: "The rules of this house do not allow you to share this with {with}.",
        de: "Die Regeln dieses Hauses erlauben Ihnen nicht, das mit {with} zu teilen.";
    /// Also one that is for others.
    ShareNotFound = "share_not_found", 404,
        en: "There is no such shared conversation for you. It may have been ended, or is no longer shared with you.",
        de: "Dieses geteilte Gespräch gibt es für Sie nicht. Vielleicht wurde es beendet oder wird nicht mehr mit Ihnen geteilt.";
    ShareExists = "share_exists", 409,
        en: "This conversation is shared already. Renew what others see of it instead.",
        de: "Dieses Gespräch wird schon geteilt. Erneuern Sie stattdessen, was andere davon sehen.";
    SharesFull = "shares_full", 409,
        en: "You share {max} conversations already. End one of them first.",
        de: "Sie teilen schon {max} Gespräche. Beenden Sie zuerst eines davon.";
    ShareTooLarge = "share_too_large", 413,
        en: "This conversation is too long to be shared whole: at most 2,000 messages and 1 MB of text. Share a shorter branch of it.",
        de: "Dieses Gespräch ist zu lang, um es ganz zu teilen: höchstens 2.000 Nachrichten und 1 MB Text. Teilen Sie einen kürzeren Zweig davon.";
    /// Nothing of it is on the server, or not yet.
    ShareNotSynced = "share_not_synced", 409,
        en: "This conversation is not on the server. Those that stay on a device are not shared; if it is new, wait until it is synced.",
        de: "Dieses Gespräch ist nicht auf dem Server. Was auf einem Gerät bleibt, wird nicht geteilt; ist es neu, warten Sie, bis es abgeglichen ist.";
    /// The log is encrypted, and the snapshot would not be.
    ShareReadable = "share_readable", 409,
        en: "Your conversations are end-to-end encrypted, a shared one cannot be: whoever runs the server can read it. Say that you accept that.",
        de: "Ihre Gespräche sind Ende-zu-Ende-verschlüsselt, ein geteiltes kann es nicht sein: Wer den Server betreibt, kann es lesen. Bestätigen Sie, dass Sie das hinnehmen.";
    /// Also one that is for others.
    AssistantNotFound = "assistant_not_found", 404,
        en: "There is no such assistant for you. It may have been deleted or is no longer shared with you.",
        de: "Diesen Assistenten gibt es für Sie nicht. Vielleicht wurde er gelöscht oder wird nicht mehr mit Ihnen geteilt.";
    /// Between reading and writing somebody else wrote.
    AssistantChanged = "assistant_changed", 409,
        en: "The assistant was changed meanwhile. Load it again, then make your change in what is there now.",
        de: "Der Assistent wurde inzwischen geändert. Laden Sie ihn neu und ändern Sie dann, was jetzt da steht.";
    AnnouncementNotFound = "announcement_not_found", 404,
        en: "There is no such announcement any more.",
        de: "Diese Ankündigung gibt es nicht mehr.";
    AnnouncementsFull = "announcements_full", 409,
        en: "The house has {max} announcements, which is the most. Delete some that are over.",
        de: "Das Haus hat {max} Ankündigungen, mehr geht nicht. Löschen Sie einige, die vorbei sind.";
    /// Also one that is for others.
    PromptNotFound = "prompt_not_found", 404,
        en: "There is no such prompt for you. It may have been deleted.",
        de: "Diesen Prompt gibt es für Sie nicht. Vielleicht wurde er gelöscht.";
    PromptReadOnly = "prompt_read_only", 403,
        en: "You may use this prompt, but not change it.",
        de: "Sie dürfen diesen Prompt benutzen, aber nicht ändern.";
    PromptsFull = "prompts_full", 409,
        en: "There are {max} prompts here, which is the most. Delete some that nobody uses.",
        de: "Hier sind {max} Prompts, mehr geht nicht. Löschen Sie einige, die niemand benutzt.";
    ToolNotFound = "tool_not_found", 404,
        en: "There is no tool “{tool}” on this server.",
        de: "Auf diesem Server gibt es kein Werkzeug „{tool}“.";
    /// They do not follow its schema.
    ToolArguments = "tool_arguments", 422,
        en: "“{tool}” was called wrongly: {reason}.",
        de: "„{tool}“ wurde falsch aufgerufen: {reason}.";
    /// What offers it cannot be reached, broke off, or answers what nobody can read.
    ToolBroken = "tool_broken", 502,
        en: "“{tool}” gave no answer: {reason}.",
        de: "„{tool}“ gab keine Antwort: {reason}.";
    ToolTimedOut = "tool_timed_out", 504,
        en: "“{tool}” took too long and was ended.",
        de: "„{tool}“ dauerte zu lange und wurde beendet.";
    /// Added on the page under an id that another server of tools has.
    McpExists = "mcp_exists", 409,
        en: "There already is a server of tools named “{name}”. Choose another name.",
        de: "Einen Werkzeug-Server namens „{name}“ gibt es schon. Wählen Sie einen anderen Namen.";
    /// What stands in `portico.toml` is changed there.
    McpInConfig = "mcp_in_config", 409,
        en: "“{name}” stands in the server's configuration. Whoever runs the server changes it there.",
        de: "„{name}“ steht in der Konfiguration des Servers. Wer ihn betreibt, ändert es dort.";
    /// A server of tools may only lie in a private network where an administrator says so.
    AddressPrivate = "address_private", 422,
        en: "“{host}” lies on this machine or in a private network. Allow that for this server if it is meant.",
        de: "„{host}“ liegt auf diesem Rechner oder in einem privaten Netz. Erlauben Sie das für diesen Server, wenn es so gemeint ist.";
    /// No source of a model answers: the server has no way to them.
    SourceUnreachable = "source_unreachable", 502,
        en: "The server reaches none of this model's sources. Check its way to the internet, or upload the model's file instead.",
        de: "Der Server erreicht keine der Quellen dieses Modells. Prüfen Sie seinen Weg ins Internet oder laden Sie stattdessen die Datei des Modells hoch.";
    LicenceNotAccepted = "licence_not_accepted", 409,
        en: "This model comes under terms of its own: “{licence}”. Read and accept them first.",
        de: "Dieses Modell hat eigene Bedingungen: „{licence}“. Lesen und bestätigen Sie diese zuerst.";
    /// One model at a time is fetched, checked or added.
    ModelsBusy = "models_busy", 409,
        en: "The server is still at work on “{model}”. Wait until that is done, or stop it.",
        de: "Der Server arbeitet noch an „{model}“. Warten Sie, bis das fertig ist, oder halten Sie es an.";
    /// Collections that are searched by meaning need the embedder that made their vectors.
    ModelInUse = "model_in_use", 409,
        en: "“{model}” is still needed by these collections: {collections}. Give them another model first.",
        de: "„{model}“ wird von diesen Sammlungen noch gebraucht: {collections}. Geben Sie ihnen zuerst ein anderes Modell.";
    DiskTooSmall = "disk_too_small", 507,
        en: "{needed_mb} MB are needed and {free_mb} MB are free on the server's disk. Make room, or choose a smaller model.",
        de: "{needed_mb} MB werden gebraucht, und auf dem Datenträger des Servers sind {free_mb} MB frei. Schaffen Sie Platz oder wählen Sie ein kleineres Modell.";
    ToolForbidden = "tool_forbidden", 403,
        en: "The rules of this house do not allow you the tool “{tool}”.",
        de: "Die Regeln dieses Hauses erlauben Ihnen das Werkzeug „{tool}“ nicht.";
    PersonQuotaUsedUp = "quota_used_up", 429,
        en: "The {quota} tokens that you may use on the server in {period} are used up. Models on your own device go on.",
        de: "Die {quota} Token, die Sie in {period} auf dem Server verbrauchen dürfen, sind verbraucht. Modelle auf Ihrem eigenen Gerät gehen weiter.";
    StorageQuotaFull = "storage_quota_full", 507,
        en: "Your storage is full: at most {max_bytes} bytes. Delete something and try again.",
        de: "Ihr Speicherplatz ist voll: höchstens {max_bytes} Bytes. Löschen Sie etwas und versuchen Sie es noch einmal.";
    /// The rules of the house keep a person's chats on the device.
    ChatsStayOnDevice = "chats_stay_on_device", 403,
        en: "The rules of this house keep chats on your device.",
        de: "Nach den Regeln dieses Hauses bleiben Gespräche auf Ihrem Gerät.";
    OidcOff = "oidc_off", 404,
        en: "This server does not sign in with another service.",
        de: "Dieser Server meldet niemanden über einen anderen Dienst an.";
    OidcUnreachable = "oidc_unreachable", 502,
        en: "The service that signs people in does not answer. Try again in a minute.",
        de: "Der Anmeldedienst antwortet nicht. Versuchen Sie es in einer Minute noch einmal.";
    /// No sign-in that this browser began here, or one that was finished or took too long.
    OidcStateInvalid = "oidc_state_invalid", 400,
        en: "This sign-in was not begun in this browser, or took too long. Begin it again.",
        de: "Diese Anmeldung wurde nicht in diesem Browser begonnen oder dauerte zu lange. Beginnen Sie sie neu.";
    /// The code that came back was used already, has expired, or is of another client.
    OidcCodeRefused = "oidc_code_refused", 400,
        en: "The service that signs people in refused this sign-in. Begin it again.",
        de: "Der Anmeldedienst hat diese Anmeldung abgelehnt. Beginnen Sie sie neu.";
    OidcNonceWrong = "oidc_nonce_wrong", 400,
        en: "The answer of the sign-in service belongs to another sign-in. Begin it again.",
        de: "Die Antwort des Anmeldedienstes gehört zu einer anderen Anmeldung. Beginnen Sie sie neu.";
    OidcAudienceWrong = "oidc_audience_wrong", 400,
        en: "The answer of the sign-in service is meant for another program.",
        de: "Die Antwort des Anmeldedienstes ist für ein anderes Programm bestimmt.";
    OidcIssuerWrong = "oidc_issuer_wrong", 400,
        en: "The answer is not of the sign-in service that this server trusts.",
        de: "Die Antwort ist nicht von dem Anmeldedienst, dem dieser Server vertraut.";
    OidcSignatureWrong = "oidc_signature_wrong", 400,
        en: "The signature of the sign-in service is not valid.",
        de: "Die Unterschrift des Anmeldedienstes gilt nicht.";
    OidcExpired = "oidc_expired", 400,
        en: "The answer of the sign-in service has expired. Check the clocks of both servers and begin again.",
        de: "Die Antwort des Anmeldedienstes ist abgelaufen. Prüfen Sie die Uhren beider Server und beginnen Sie neu.";
    /// A token of the service that says too little, or nothing that can be read.
    OidcTokenInvalid = "oidc_token_invalid", 400,
        en: "The answer of the sign-in service cannot be used: {reason}.",
        de: "Die Antwort des Anmeldedienstes ist nicht verwendbar: {reason}.";
    /// The house's rules give this person no role.
    OidcNotInvited = "oidc_not_invited", 403,
        en: "The sign-in service knows you, but the rules of this house give you no access. Ask whoever runs the server.",
        de: "Der Anmeldedienst kennt Sie, aber die Regeln dieses Hauses geben Ihnen keinen Zugang. Fragen Sie die Verwaltung.";
    /// The database is of a newer program: an older one would not keep its rules.
    DataNewer = "data_newer", 500,
        en: "The data in {path} are of a newer Portico: their schema is {schema}, and this program ({version}) knows schemas up to {known}. Start the newer program again, or restore a backup from before the upgrade into an empty folder: portico restore FILE --data DIR",
        de: "Die Daten in {path} sind von einem neueren Portico: Ihr Schema ist {schema}, und dieses Programm ({version}) kennt Schemas bis {known}. Starten Sie wieder das neuere Programm oder spielen Sie eine Sicherung von vor der Aktualisierung in einen leeren Ordner ein: portico restore DATEI --data ORDNER";
    /// A data folder without a database.
    DataAbsent = "data_absent", 404,
        en: "There are no data in {path} yet. Name the folder of the server with --data.",
        de: "In {path} liegen noch keine Daten. Nennen Sie mit --data den Ordner des Servers.";
    /// What another engine keeps is its own tools' to copy.
    BackupElsewhere = "backup_elsewhere", 501,
        en: "These data lie in PostgreSQL, whose own tools make consistent copies: use pg_dump for them, and copy {path} beside it.",
        de: "Diese Daten liegen in PostgreSQL, dessen eigene Werkzeuge stimmige Kopien machen: Nehmen Sie dafür pg_dump und kopieren Sie {path} dazu.";
    BackupForeign = "backup_foreign", 422,
        en: "{file} is no backup of Portico, or its beginning is damaged: {reason}.",
        de: "{file} ist keine Sicherung von Portico, oder ihr Anfang ist beschädigt: {reason}.";
    /// Truncated, changed, or made to do harm.
    BackupDamaged = "backup_damaged", 422,
        en: "The backup {file} is damaged and was not used: {reason}. Take an older one.",
        de: "Die Sicherung {file} ist beschädigt und wurde nicht verwendet: {reason}. Nehmen Sie eine ältere.";
    BackupNewer = "backup_newer", 422,
        en: "The backup {file} was made by a newer Portico ({made_by}, schema {schema}); this one ({version}) knows schemas up to {known}. Restore it with that program or a later one.",
        de: "Die Sicherung {file} stammt von einem neueren Portico ({made_by}, Schema {schema}); dieses ({version}) kennt Schemas bis {known}. Spielen Sie sie mit jenem Programm oder einem späteren ein.";
    RestoreNotEmpty = "restore_not_empty", 409,
        en: "{path} is not empty. A backup is restored only into an empty folder: stop the server, move the old folder away, and try again.",
        de: "{path} ist nicht leer. Eine Sicherung wird nur in einen leeren Ordner eingespielt: Halten Sie den Server an, schieben Sie den alten Ordner beiseite und versuchen Sie es noch einmal.";
    /// `portico.toml`, the environment or a flag.
    ConfigInvalid = "config_invalid", 500,
        en: "The configuration cannot be used: {reason}",
        de: "Die Konfiguration ist nicht verwendbar: {reason}";
    ListenFailed = "listen_failed", 500,
        en: "The server cannot listen at {addr}. Is another program using it?",
        de: "Der Server kann nicht an {addr} lauschen. Benutzt ein anderes Programm die Adresse?";
    /// A bug; the cause is logged.
    Internal = "internal", 500,
        en: "Something went wrong inside Portico. The text so far is kept.",
        de: "In Portico ist etwas schiefgegangen. Der bisherige Text bleibt erhalten.";
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An error as it crosses a seam: between worker and page, and over HTTP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiError {
    pub code: ErrorCode,
    /// Values for the `{name}`s of the code's sentence.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// The technical cause, in English, for logs and details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

impl ApiError {
    pub fn new(code: ErrorCode) -> Self {
        Self { code, params: BTreeMap::new(), detail: None }
    }

    pub fn with(mut self, name: &str, value: impl fmt::Display) -> Self {
        self.params.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn detail(mut self, detail: impl fmt::Display) -> Self {
        self.detail = Some(detail.to_string());
        self
    }

    /// The sentence for a person.
    pub fn text(&self, lang: Lang) -> String {
        let mut text = self.code.template(lang).to_owned();
        for (name, value) in &self.params {
            text = text.replace(&format!("{{{name}}}"), value);
        }
        text
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.text(Lang::En))?;
        match &self.detail {
            Some(detail) => write!(f, " ({detail})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for ApiError {}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn params(template: &str) -> BTreeSet<&str> {
        let opened = template.split('{').skip(1);
        opened.filter_map(|rest| rest.split_once('}').map(|(name, _)| name)).collect()
    }

    #[test]
    fn codes_are_unique_and_both_languages_name_the_same_parameters() {
        let mut codes = BTreeSet::new();
        for &code in ErrorCode::ALL {
            assert!(codes.insert(code.as_str()), "{code} stands twice");
            assert!((400..=599).contains(&code.status()), "{code} is no error's status");
            assert_eq!(
                params(code.template(Lang::De)),
                params(code.template(Lang::En)),
                "{code} names other parameters in German"
            );
        }
    }

    #[test]
    fn sentence_is_filled_in_and_crosses_a_seam() {
        let error = ApiError::new(ErrorCode::ModelNotFound).with("model", "x").detail("why");
        assert_eq!(error.text(Lang::De), "Ein Modell namens „x“ gibt es hier nicht.");
        let json = serde_json::to_string(&error).unwrap();
        assert!(json.contains(r#""code":"model_not_found""#), "{json}");
        assert_eq!(serde_json::from_str::<ApiError>(&json).unwrap(), error);
    }
}
