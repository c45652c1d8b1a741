//! Every sentence of these views, English and German side by side. They come with the views' Wasm, so that
//! the first download does not carry them.

use portico_shared::error::Lang;

macro_rules! texts {
    ($($key:ident: $en:literal, $de:literal;)*) => {
        /// A sentence or a label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
}

texts! {
    Loading: "Loading …", "Wird geladen …";
    Views: "Account and people", "Konto und Personen";
    TryAgain: "Try again", "Noch einmal versuchen";
    Cancel: "Cancel", "Abbrechen";
    Save: "Save", "Speichern";
    Offline: "Offline. Accounts and rules come back with the connection; chats on this device go on.",
        "Offline. Konten und Regeln kommen mit der Verbindung zurück; Gespräche auf diesem Gerät gehen weiter.";
    Saved: "Saved.", "Gespeichert.";
    Copy: "Copy", "Kopieren";
    Copied: "Copied.", "Kopiert.";

    // Signing in
    SignIn: "Sign in", "Anmelden";
    SignOut: "Sign out", "Abmelden";
    SignedInAs: "You are signed in as {name}.", "Sie sind angemeldet als {name}.";
    Name: "Name", "Name";
    SignInName: "Name for signing in", "Name zum Anmelden";
    SignInNameHint: "Without blanks, such as erika.muster.", "Ohne Leerzeichen, zum Beispiel erika.muster.";
    WrongSignInName: "A name for signing in has 1 to 100 characters and no blanks: erika.muster, say.",
        "Ein Name zum Anmelden hat 1 bis 100 Zeichen und keine Leerzeichen: etwa erika.muster.";
    WrongDisplayName: "A name that others see has at most 100 characters.", "Ein Name, den andere sehen, hat höchstens 100 Zeichen.";
    WrongEmail: "This is no e-mail address.", "Das ist keine E-Mail-Adresse.";
    WrongNote: "A note has at most 200 characters.", "Eine Notiz hat höchstens 200 Zeichen.";
    WrongUntil: "It would end before it begins.", "Das würde enden, bevor es beginnt.";
    WrongPrice: "A price for a million tokens is 0 to 1,000,000.", "Ein Preis für eine Million Tokens ist 0 bis 1.000.000.";
    WrongCurrency: "A currency is three capital letters, such as EUR.", "Eine Währung sind drei Großbuchstaben, etwa EUR.";
    Password: "Password", "Passwort";
    ShowPassword: "Show password", "Passwort zeigen";
    Code: "Code of your app, or a recovery code", "Code Ihrer App oder ein Notfallcode";
    NoPeopleYet: "There are no accounts yet, and the page works without one. Whoever started the server has a link that makes the first administrator; it stands where the server prints its address.",
        "Es gibt noch keine Konten, und die Seite geht ohne. Wer den Server gestartet hat, hat einen Link, der die erste Verwaltung anlegt; er steht dort, wo der Server seine Adresse ausgibt.";
    WithoutAccount: "Go on without signing in", "Ohne Anmeldung weiter";
    NoAccount: "No account? Whoever administers the house sends you a link.",
        "Kein Konto? Wer das Haus verwaltet, schickt Ihnen einen Link.";

    // Links
    LinkAdmin: "Set up this house", "Dieses Haus einrichten";
    LinkAdminLead: "You become its administrator: you invite people and decide what they may.",
        "Sie werden seine Verwaltung: Sie laden Personen ein und entscheiden, was sie dürfen.";
    LinkInvite: "You are invited", "Sie sind eingeladen";
    LinkInviteLead: "Choose a name and a password, and your account is there.",
        "Wählen Sie einen Namen und ein Passwort, dann haben Sie ein Konto.";
    LinkReset: "New password for {name}", "Neues Passwort für {name}";
    DisplayName: "How others see you (optional)", "Wie andere Sie sehen (freiwillig)";
    NewPassword: "New password", "Neues Passwort";
    PasswordHint: "At least 12 characters, and nothing that others would guess: a few unusual words do well.",
        "Mindestens 12 Zeichen, und nichts, worauf andere kämen: einige ungewöhnliche Wörter eignen sich gut.";
    MakeAccount: "Make the account", "Konto anlegen";
    SetPassword: "Set the password", "Passwort setzen";
    PasswordSet: "The password is set. Sign in with it and your code.",
        "Das Passwort ist gesetzt. Melden Sie sich damit und mit Ihrem Code an.";

    // Account
    Account: "Account", "Konto";
    Role: "Role", "Rolle";
    RoleAdmin: "Administrator", "Verwaltung";
    RoleMember: "Member", "Mitglied";
    RoleGuest: "Guest", "Gast";
    Groups: "Groups", "Gruppen";
    Email: "E-mail (optional)", "E-Mail (freiwillig)";
    Profile: "Profile", "Profil";
    ChangePassword: "Change password", "Passwort ändern";
    OldPassword: "Present password", "Bisheriges Passwort";
    PasswordChanged: "The password is changed. Other devices are signed out.",
        "Das Passwort ist geändert. Andere Geräte sind abgemeldet.";
    SecondFactor: "Second factor", "Zweiter Faktor";
    TotpOn: "Signing in asks for a code of your app.", "Beim Anmelden wird nach einem Code Ihrer App gefragt.";
    TotpOff: "An app on your phone can give a code that signing in asks for besides the password.",
        "Eine App auf Ihrem Telefon kann einen Code geben, nach dem beim Anmelden neben dem Passwort gefragt wird.";
    TotpBegin: "Set up", "Einrichten";
    TotpEnd: "Switch off", "Abschalten";
    TotpScan: "Scan this with the app, or type the key into it. Then enter the code that it shows.",
        "Lesen Sie dies mit der App ein oder tippen Sie den Schlüssel ab. Geben Sie dann den Code ein, den sie zeigt.";
    TotpImage: "QR code for the app", "QR-Code für die App";
    TotpCode: "Code of the app", "Code der App";
    TotpConfirm: "Confirm", "Bestätigen";
    RecoveryCodes: "Keep these codes where you find them without the phone. Each works once, and they are shown only now.",
        "Bewahren Sie diese Codes dort auf, wo Sie sie ohne das Telefon finden. Jeder gilt einmal, und sie werden nur jetzt gezeigt.";

    // Encryption
    Seal: "Encryption", "Verschlüsselung";
    SealPlain: "Your conversations lie on the server readable to whoever runs it. Encrypted, only your devices can read them: they are locked before they leave, with a key that the server never sees.",
        "Ihre Gespräche liegen auf dem Server lesbar für alle, die ihn betreiben. Verschlüsselt können nur Ihre Geräte sie lesen: Sie werden verschlossen, bevor sie das Gerät verlassen, mit einem Schlüssel, den der Server nie sieht.";
    SealLimits: "When you choose a model on the server, it still reads the question while it answers. How many conversations and files there are, when you write and how long it is remains visible, and earlier backups of the server stay as they are.",
        "Wählen Sie ein Modell auf dem Server, liest es die Frage weiterhin, während es antwortet. Sichtbar bleibt, wie viele Gespräche und Dateien es gibt, wann Sie schreiben und wie lang es ist; frühere Sicherungen des Servers bleiben, wie sie sind.";
    SealTurnOn: "Turn on encryption", "Verschlüsselung einschalten";
    SealOn: "On. This device is unlocked.", "Ein. Dieses Gerät ist entsperrt.";
    SealOpenFiles: "On, and this device is unlocked. Your conversations are encrypted on the server, but not yet all files that were there before.",
        "Ein, und dieses Gerät ist entsperrt. Ihre Gespräche liegen verschlüsselt auf dem Server, aber noch nicht alle Dateien, die schon dort waren.";
    SealFiles: "Files that still lie readable on the server: {n} ({bytes}).",
        "Dateien, die noch lesbar auf dem Server liegen: {n} ({bytes}).";
    SealFilesHint: "This device fetches those that it lacks, encrypts them and sends them back; only then does the server delete the readable ones. When the page is closed or the connection lost, it goes on later, here or on another unlocked device.",
        "Dieses Gerät holt die, die ihm fehlen, verschlüsselt sie und schickt sie zurück; erst dann löscht der Server die lesbaren. Wird die Seite geschlossen oder bricht die Verbindung ab, geht es später weiter, hier oder auf einem anderen entsperrten Gerät.";
    SealFilesPause: "Pause", "Pausieren";
    SealFilesPaused: "Paused: they stay readable on the server until you go on.",
        "Pausiert: Sie bleiben auf dem Server lesbar, bis Sie fortfahren.";
    SealFilesWait: "It is tried again by itself.", "Es wird von selbst noch einmal versucht.";
    SealFileNow: "The file on its way", "Die Datei, die unterwegs ist";
    SealFileFetched: "{name}: {done} of {total} fetched", "{name}: {done} von {total} geholt";
    SealFileSent: "{name}: {done} of {total} sent, encrypted", "{name}: {done} von {total} verschlüsselt geschickt";
    SealFileUnnamed: "A file without a name", "Eine Datei ohne Namen";
    SealFilesStuck: "This device cannot encrypt these. They stay readable on the server until it can, until another of your devices does that has them, or until you delete them.",
        "Diese kann das Gerät nicht verschlüsseln. Sie bleiben auf dem Server lesbar, bis es gelingt, bis ein anderes Ihrer Geräte es tut, das sie hat, oder bis Sie sie löschen.";
    SealFileGiveUpShort: "Delete from the server", "Vom Server löschen";
    SealFileGiveUp: "Delete from the server for good: {name}", "Vom Server löschen, endgültig: {name}";
    SealOpen: "On. The server has only what it cannot read, and this device is unlocked.",
        "Eingeschaltet. Der Server hat nur, was er nicht lesen kann, und dieses Gerät ist entsperrt.";
    SealChange: "Change the passphrase", "Passphrase ändern";
    SealChanged: "The passphrase is changed. Devices that are unlocked stay so.",
        "Die Passphrase ist geändert. Entsperrte Geräte bleiben entsperrt.";
    SealRenew: "New recovery key", "Neuer Wiederherstellungsschlüssel";
    SealLockShort: "Lock this device", "Dieses Gerät sperren";
    SealLock: "Lock this device: it then asks for the passphrase", "Dieses Gerät sperren: Es fragt dann nach der Passphrase";
    SealLocked: "This device is locked.", "Dieses Gerät ist gesperrt.";
    SealIsLocked: "Your conversations are encrypted, and this device does not have the key yet. It neither sends nor fetches until you unlock it.",
        "Ihre Gespräche sind verschlüsselt, und dieses Gerät hat den Schlüssel noch nicht. Es sendet und holt nichts, bis Sie es entsperren.";
    SealUnlock: "Unlock", "Entsperren";
    SealUnlocked: "This device is unlocked.", "Dieses Gerät ist entsperrt.";
    SealByRecovery: "Use the recovery key", "Wiederherstellungsschlüssel benutzen";
    SealByPassphrase: "Use the passphrase", "Passphrase benutzen";
    SealPassphrase: "Passphrase", "Passphrase";
    SealNewPassphrase: "New passphrase", "Neue Passphrase";
    SealAgain: "The same once more", "Dieselbe noch einmal";
    SealDiffers: "The two are not the same.", "Die beiden sind nicht gleich.";
    SealRecoveryKey: "Recovery key", "Wiederherstellungsschlüssel";
    SealPassphraseLead: "At least 12 characters, and not your password: a few unusual words do well. Each new device asks for it. Nobody can reset it, not even who runs the server.",
        "Mindestens 12 Zeichen, und nicht Ihr Passwort: Einige ungewöhnliche Wörter eignen sich gut. Jedes neue Gerät fragt danach. Niemand kann sie zurücksetzen, auch nicht, wer den Server betreibt.";
    SealStrength: "Strength of the passphrase", "Stärke der Passphrase";
    SealWeak: "Easy to guess", "Leicht zu erraten";
    SealFair: "Fair", "Mittel";
    SealStrong: "Hard to guess", "Schwer zu erraten";
    SealGoOn: "Go on", "Weiter";
    SealBusy: "The key is being computed; the page stands still for a moment.",
        "Der Schlüssel wird berechnet; die Seite steht einen Augenblick still.";
    SealKeep: "This recovery key opens your conversations when the passphrase is forgotten. It is shown only now: write it down or save it where nobody else looks. Without passphrase, recovery key and an unlocked device, what is on the server is lost.",
        "Dieser Wiederherstellungsschlüssel öffnet Ihre Gespräche, wenn die Passphrase vergessen ist. Er wird nur jetzt gezeigt: Schreiben Sie ihn auf oder speichern Sie ihn, wo sonst niemand nachsieht. Ohne Passphrase, Wiederherstellungsschlüssel und ein entsperrtes Gerät ist verloren, was auf dem Server liegt.";
    SealSave: "Save as a file", "Als Datei speichern";
    SealIsKept: "I have kept the recovery key", "Ich habe den Wiederherstellungsschlüssel aufbewahrt";
    SealHold: "Use these keys from now on", "Diese Schlüssel ab jetzt benutzen";
    SealHeld: "Done. The keys hold from now on.", "Fertig. Die Schlüssel gelten ab jetzt.";
    Share: "Share", "Teilen";
    ShareForbidden: "The rules of this house do not allow you to share conversations.",
        "Die Regeln dieses Hauses erlauben Ihnen nicht, Gespräche zu teilen.";
    ShareStays: "This conversation stays on this device, so it cannot be shared.",
        "Dieses Gespräch bleibt auf diesem Gerät und lässt sich deshalb nicht teilen.";
    ShareUntitled: "Conversation without a title", "Gespräch ohne Titel";
    ShareLead: "Others read a copy of the {n} messages that this conversation shows now: what was said, by which model and where, and the names of sources, files and tools. What you write afterwards is not in it.",
        "Andere lesen eine Kopie der {n} Nachrichten, die dieses Gespräch jetzt zeigt: was gesagt wurde, von welchem Modell und wo, und die Namen von Quellen, Dateien und Werkzeugen. Was Sie danach schreiben, ist nicht darin.";
    ShareQuotes: "Texts of documents are left out. But an answer can quote one that not everybody may read: look through it first.",
        "Texte von Dokumenten bleiben draußen. Eine Antwort kann aber aus einem zitieren, das nicht alle lesen dürfen: Sehen Sie das Gespräch vorher durch.";
    SharePreview: "What others will see", "Was andere sehen werden";
    ShareFor: "Who may read it", "Wer es lesen darf";
    ShareEveryone: "Everyone in the house who is signed in", "Alle im Haus, die angemeldet sind";
    ShareGroups: "Only groups of mine", "Nur Gruppen von mir";
    ShareNobody: "Nobody else", "Niemand sonst";
    ShareReadable: "Your conversations are encrypted, and this copy is not: whoever runs the server can read it. To stop that, end the sharing.",
        "Ihre Gespräche sind verschlüsselt, diese Kopie ist es nicht: Wer den Server betreibt, kann sie lesen. Beenden Sie das Teilen, wenn Sie das nicht mehr wollen.";
    ShareAccept: "I accept that for this conversation", "Ich nehme das für dieses Gespräch hin";
    ShareRenew: "Share as it is now", "So teilen, wie es jetzt ist";
    ShareDone: "Shared.", "Geteilt.";
    ShareIs: "Shared as of {date}. Readers: {groups}. This is the link:",
        "Geteilt mit Stand {date}. Leserschaft: {groups}. Das ist der Link:";
    ShareEnd: "Stop sharing", "Nicht mehr teilen";
    ShareEndNow: "Stop sharing: nobody else can read it any more", "Nicht mehr teilen: Niemand sonst kann es mehr lesen";
    ShareEndOf: "Stop sharing “{name}”", "„{name}“ nicht mehr teilen";
    ShareEnded: "No longer shared.", "Nicht mehr geteilt.";
    Shares: "Conversations that you share", "Gespräche, die Sie teilen";
    SharesNone: "None. You share a conversation from its menu.", "Keine. Sie teilen ein Gespräch aus seinem Menü.";
    SharedBy: "Shared by {name}, as of {date}", "Geteilt von {name}, Stand {date}";
    SharedByYou: "Shared by you, as of {date}", "Von Ihnen geteilt, Stand {date}";
    ShareManage: "What I share", "Was ich teile";
    ShareGoOn: "Continue as a conversation of my own", "Als eigenes Gespräch fortsetzen";
    ShareGoOnHint: "That makes a copy for you. Whoever shared it sees nothing of what you write.",
        "Dabei entsteht eine Kopie für Sie. Wer es geteilt hat, sieht nichts von dem, was Sie schreiben.";
    ShareYou: "You", "Sie";
    ShareAnswer: "Answer", "Antwort";
    ShareFiles: "Files:", "Dateien:";
    ShareTools: "Tools:", "Werkzeuge:";
    ShareSources: "Sources:", "Quellen:";
    ShareCut: "This answer was not finished.", "Diese Antwort wurde nicht beendet.";
    ShareOnDevice: "on the device", "auf dem Gerät";
    ShareOnServer: "on the server", "auf dem Server";
    ActChatShared: "shared a conversation", "teilte ein Gespräch";
    ActChatShareChanged: "renewed a shared conversation", "erneuerte ein geteiltes Gespräch";
    ActChatShareEnded: "ended the sharing of a conversation", "beendete das Teilen eines Gesprächs";
    Ask: "Let another device approve", "Von einem anderen Gerät freigeben lassen";
    AskLead: "Take a device that is unlocked. Scan this with its camera, or open Account, Encryption there, choose “Approve another device” and type the code.",
        "Nehmen Sie ein Gerät, das entsperrt ist. Lesen Sie dies mit seiner Kamera ein, oder öffnen Sie dort Konto, Verschlüsselung, wählen Sie „Anderes Gerät freigeben“ und geben Sie den Code ein.";
    AskImage: "QR code that leads to the approval on the other device", "QR-Code, der auf dem anderen Gerät zur Freigabe führt";
    AskWaits: "No unlocked device has answered yet. Open Portico on one of them and stay here; the code holds for ten minutes.",
        "Noch hat kein entsperrtes Gerät geantwortet. Öffnen Sie Portico auf einem davon und bleiben Sie hier; der Code gilt zehn Minuten.";
    AskHeard: "Another device has the request and waits for the code. Stay here; it holds for ten minutes.",
        "Ein anderes Gerät hat die Anfrage und wartet auf den Code. Bleiben Sie hier; er gilt zehn Minuten.";
    AskRefused: "The other device said no. If it was not you who did so, sign out your other devices and change your password.",
        "Das andere Gerät hat abgelehnt. Waren Sie das nicht selbst, melden Sie Ihre anderen Geräte ab und ändern Sie Ihr Passwort.";
    AskExpired: "The ten minutes are over, and no device has approved. Ask again, or unlock with the passphrase.",
        "Die zehn Minuten sind vorbei, und kein Gerät hat freigegeben. Fragen Sie noch einmal, oder entsperren Sie mit der Passphrase.";
    AskAgain: "Ask again", "Noch einmal fragen";
    ApproveOther: "Approve another device", "Anderes Gerät freigeben";
    ApproveAsked: "A device that is signed in as you asks for the key of your conversations.",
        "Ein Gerät, das mit Ihrem Konto angemeldet ist, bittet um den Schlüssel Ihrer Gespräche.";
    ApproveLook: "Look at it", "Ansehen";
    ApproveLead: "A device asks for the key of your conversations. Type the code that it shows.",
        "Ein Gerät bittet um den Schlüssel Ihrer Gespräche. Geben Sie den Code ein, den es zeigt.";
    ApproveNone: "No device asks at the moment. On the new one sign in, open Account, Encryption, and choose “Let another device approve”; then type the code that it shows.",
        "Im Moment bittet kein Gerät darum. Melden Sie sich auf dem neuen an, öffnen Sie Konto, Verschlüsselung und wählen Sie „Von einem anderen Gerät freigeben lassen“; geben Sie dann den Code ein, den es zeigt.";
    ApproveCode: "Code of the new device", "Code des neuen Geräts";
    ApproveWarning: "Only for a device that you have before you: whoever is let in reads all your conversations. Nobody else has a reason to send you such a code.",
        "Nur für ein Gerät, das Sie vor sich haben: Wer freigegeben wird, liest alle Ihre Gespräche. Niemand sonst hat einen Grund, Ihnen einen solchen Code zu schicken.";
    Approve: "Approve", "Freigeben";
    ApproveRefuse: "That is not me: refuse", "Das bin ich nicht: ablehnen";
    Approved: "The other device has the key now.", "Das andere Gerät hat jetzt den Schlüssel.";
    ApproveRefused: "Refused. The device gets nothing.", "Abgelehnt. Das Gerät bekommt nichts.";
    SealTurnOff: "Turn off encryption", "Verschlüsselung ausschalten";
    SealOffWarning: "All conversations are then sent again and lie on the server in plain text, readable to whoever runs it. Your other devices send nothing until you agree on each. Encrypted files are deleted on the server: those that none of your devices has are lost.",
        "Alle Gespräche werden dann noch einmal gesendet und liegen auf dem Server im Klartext, lesbar für alle, die ihn betreiben. Ihre anderen Geräte senden nichts, bis Sie auf jedem zustimmen. Verschlüsselte Dateien werden auf dem Server gelöscht: Die, die keines Ihrer Geräte hat, sind verloren.";
    SealIsOff: "Encryption is off.", "Die Verschlüsselung ist ausgeschaltet.";
    SealUnsealed: "The server says that your conversations are no longer encrypted. If you turned that off on another device, agree here. If you did not, ask whoever runs the server: until you agree, nothing is sent.",
        "Der Server sagt, dass Ihre Gespräche nicht mehr verschlüsselt sind. Haben Sie das auf einem anderen Gerät ausgeschaltet, stimmen Sie hier zu. Wenn nicht, fragen Sie, wer den Server betreibt: Bis Sie zustimmen, wird nichts gesendet.";
    SealAgreeShort: "Agree", "Zustimmen";
    SealAgree: "Agree: send in plain text", "Zustimmen: im Klartext senden";
    SealAgreed: "This device syncs without encryption.", "Dieses Gerät gleicht ohne Verschlüsselung ab.";
    Devices: "Devices", "Geräte";
    ThisDevice: "this one", "dieses";
    LastSeen: "last used {date}", "zuletzt benutzt {date}";
    DeviceOn: "{browser} on {system}", "{browser} unter {system}";
    UnknownDevice: "Unknown browser", "Unbekannter Browser";
    EndSession: "Sign out {name}", "{name} abmelden";
    EndOthers: "Sign out all others", "Alle anderen abmelden";
    Keys: "API keys", "API-Schlüssel";
    KeysHint: "For programs that work in your name. They never may more than you.",
        "Für Programme, die in Ihrem Namen arbeiten. Sie dürfen nie mehr als Sie.";
    KeyScopes: "What it may be used for", "Wofür er gilt";
    ScopeChat: "chats and texts", "Gespräche und Texte";
    ScopeEmbeddings: "vectors and ranking", "Vektoren und Rangfolgen";
    ScopeDocumentsRead: "reading and searching documents", "Dokumente lesen und durchsuchen";
    ScopeDocumentsWrite: "adding and deleting documents", "Dokumente hinzufügen und löschen";
    ScopeSync: "your own chats", "eigene Gespräche";
    ScopePeople: "administering the house", "das Haus verwalten";
    KeyLasts: "How long it holds", "Wie lange er gilt";
    KeyForEver: "until it is revoked", "bis er widerrufen wird";
    KeyDays: "{n} days", "{n} Tage";
    KeyUntil: "until {date}", "bis {date}";
    KeyTokens: "{n} tokens this month", "{n} Token in diesem Monat";
    KeyNoScopes: "Choose at least one thing that the key may be used for.",
        "Wählen Sie mindestens eine Sache, für die der Schlüssel gilt.";
    KeyName: "Name of the key", "Name des Schlüssels";
    MakeKey: "Make a key", "Schlüssel anlegen";
    KeyOnce: "Copy the key now: it is shown this once.", "Kopieren Sie den Schlüssel jetzt: Er wird nur dieses eine Mal gezeigt.";
    NeverUsed: "never used", "nie benutzt";
    Revoke: "Revoke {name}", "{name} widerrufen";
    RevokeShort: "Revoke", "Widerrufen";
    NoKeys: "There are none.", "Es gibt keine.";
    Allowed: "What you may", "Was Sie dürfen";
    OnDevice: "Models on your device", "Modelle auf Ihrem Gerät";
    OnServer: "Models on the server", "Modelle auf dem Server";
    All: "all", "alle";
    Nothing: "none", "keine";
    TokensToday: "Tokens on the server today", "Token auf dem Server heute";
    TokensMonth: "Tokens this month", "Token in diesem Monat";
    Storage: "Storage for documents", "Speicher für Dokumente";
    UsedOf: "{used} of {max}", "{used} von {max}";
    UsedNoLimit: "{used}, without a limit", "{used}, ohne Grenze";
    Retention: "Chats are deleted {n} days after their last use", "Gespräche werden {n} Tage nach ihrer letzten Benutzung gelöscht";
    Data: "Your data", "Ihre Daten";
    Leaves: "What leaves this device", "Was dieses Gerät verlässt";
    LeavesDevice: "Models on your device answer here: the question and the answer are sent nowhere for it.",
        "Modelle auf Ihrem Gerät antworten hier: Frage und Antwort werden dafür nirgendwohin gesendet.";
    LeavesChats: "Chats are kept on this house’s server, so that your other devices have them. Those that you let stay on this device are never sent.",
        "Gespräche liegen auf dem Server dieses Hauses, damit Ihre anderen Geräte sie haben. Die, die auf diesem Gerät bleiben sollen, werden nie gesendet.";
    LeavesChatsNot: "Chats stay on this device.", "Gespräche bleiben auf diesem Gerät.";
    LeavesServer: "Models on the server get your question, and what it rests on, when you choose them or when your device cannot.",
        "Modelle auf dem Server bekommen Ihre Frage und worauf sie beruht, wenn Sie sie wählen oder Ihr Gerät es nicht kann.";
    LeavesServerNot: "You use no models on the server.", "Sie benutzen keine Modelle auf dem Server.";
    LeavesDocuments: "Documents in the house’s collections lie on its server, for whoever may read them. Documents “on this device” never leave this browser.",
        "Dokumente in den Sammlungen des Hauses liegen auf seinem Server, für alle, die sie lesen dürfen. Dokumente „auf diesem Gerät“ verlassen diesen Browser nie.";
    LeavesCounts: "The server notes who used which model when and with how many tokens, never what was said; of models on your device nothing.",
        "Der Server hält fest, wer wann welches Modell mit wie vielen Token benutzt hat, nie, was gesagt wurde; von Modellen auf Ihrem Gerät nichts.";
    LeavesCountsDevice: "The server notes who used which model when and with how many tokens, also on your device; never what was said.",
        "Der Server hält fest, wer wann welches Modell mit wie vielen Token benutzt hat, auch auf Ihrem Gerät; nie, was gesagt wurde.";
    LeavesNobody: "Nobody else gets anything: no fonts, counters or scripts come from elsewhere.",
        "Niemand sonst bekommt etwas: Keine Schriften, Zähler oder Skripte kommen von anderswo.";
    Export: "Download all that is known of you", "Alles herunterladen, was über Sie bekannt ist";
    DeleteAccount: "Delete the account", "Konto löschen";
    DeleteWarning: "The account, its chats on the server, its keys and sessions are deleted for good. Documents in the house’s collections stay.",
        "Das Konto, seine Gespräche auf dem Server, seine Schlüssel und Sitzungen werden endgültig gelöscht. Dokumente in den Sammlungen des Hauses bleiben.";

    // Everyone
    People: "People", "Personen";
    Invite: "Invite somebody", "Jemanden einladen";
    InviteNote: "For whom (only you see it)", "Für wen (sehen nur Sie)";
    MakeLink: "Make a link", "Link anlegen";
    LinkOnce: "Hand this link over. It opens once, for seven days, and is shown only now.",
        "Geben Sie diesen Link weiter. Er öffnet einmal, sieben Tage lang, und wird nur jetzt gezeigt.";
    ResetOnce: "Hand this link over to {name}. It sets a new password once, within 24 hours.",
        "Geben Sie diesen Link {name}. Er setzt einmal ein neues Passwort, binnen 24 Stunden.";
    ResetPassword: "New password", "Neues Passwort";
    Block: "Block", "Sperren";
    Unblock: "Unblock", "Entsperren";
    Blocked: "blocked", "gesperrt";
    FindPerson: "Find somebody", "Jemanden finden";
    RoleOf: "Role of {name}", "Rolle von {name}";
    NobodyFound: "Nobody by that name.", "Niemand mit diesem Namen.";
    AdminsOnly: "Only administrators see this.", "Das sieht nur die Verwaltung.";
    HouseFailed: "The administration could not be loaded. Check the connection and try again.",
        "Die Verwaltung ließ sich nicht laden. Prüfen Sie die Verbindung und versuchen Sie es noch einmal.";
    Details: "Details", "Einzelheiten";

    // Administration
    Administration: "Administration", "Verwaltung";
    Rules: "Rules", "Regeln";
    Service: "Sign-in service", "Anmeldedienst";
    Look: "Appearance", "Erscheinungsbild";
    LookLead: "How the page shows itself to everybody here. What is left empty is Portico’s own.",
        "Wie sich die Seite allen hier zeigt. Was leer bleibt, ist Porticos eigenes.";
    HouseName: "Name of the house", "Name des Hauses";
    OwnAccent: "A colour of our own", "Eine eigene Farbe";
    Accent: "Colour of links and buttons", "Farbe von Links und Knöpfen";
    AccentLight: "Light: {colour}, contrast {contrast}", "Hell: {colour}, Kontrast {contrast}";
    AccentDark: "Dark: {colour}, contrast {contrast}", "Dunkel: {colour}, Kontrast {contrast}";
    AccentHint: "Where a colour could not be read on the page, it is made darker or lighter until it can (contrast of at least 4.5).",
        "Wo eine Farbe auf der Seite nicht zu lesen wäre, wird sie dunkler oder heller gemacht, bis sie es ist (Kontrast von mindestens 4,5).";
    Logo: "Logo", "Logo";
    LogoHint: "PNG, JPEG, WebP or SVG, at most 128 KiB.", "PNG, JPEG, WebP oder SVG, höchstens 128 KiB.";
    LogoNow: "The house’s logo", "Das Logo des Hauses";
    ChooseLogo: "Choose a picture", "Bild wählen";
    RemoveLogo: "Remove the logo", "Logo entfernen";
    Log: "Log", "Protokoll";
    Delete: "Delete", "Löschen";
    Remove: "Remove", "Entfernen";

    MorePeople: "Show more ({n})", "Mehr zeigen ({n})";

    // Open links
    OpenLinks: "Links that can still be opened", "Links, die noch gelten";
    LinkFor: "{role}, until {date}", "{role}, bis {date}";
    LinkOfInvite: "Invitation", "Einladung";
    LinkOfReset: "New password", "Neues Passwort";
    LinkOfAdmin: "First administrator", "Erste Verwaltung";
    WithdrawLink: "Withdraw the link for {name}", "Link für {name} zurückziehen";
    Withdraw: "Withdraw", "Zurückziehen";
    UnknownGuest: "somebody", "jemanden";

    // One person
    Since: "Here since", "Hier seit";
    SignsIn: "Signs in", "Meldet sich an";
    ByPassword: "with a password", "mit einem Passwort";
    ByPasswordAndCode: "with a password and a code", "mit Passwort und Code";
    ByService: "by the sign-in service", "über den Anmeldedienst";
    ByLink: "not yet: there is no password", "noch nicht: Es gibt kein Passwort";
    MemberOf: "Member of", "Mitglied von";
    NoGroupsYet: "There are no groups yet.", "Noch gibt es keine Gruppen.";
    SignOutEverywhere: "Sign out everywhere", "Überall abmelden";
    SignedOutOne: "Signed out on 1 device.", "Auf 1 Gerät abgemeldet.";
    SignedOutMany: "Signed out on {n} devices.", "Auf {n} Geräten abgemeldet.";
    TotpOffFor: "Switch the second factor off", "Zweiten Faktor abschalten";
    TotpIsOff: "The second factor is off.", "Der zweite Faktor ist aus.";
    DeletePerson: "Delete {name} with all chats and keys", "{name} mit allen Gesprächen und Schlüsseln löschen";
    Actions: "Access", "Zugang";
    PersonIsYou: "This is you. Somebody else who administers the house can change your role, block or delete you.",
        "Das sind Sie. Ihre Rolle ändern, Sie sperren oder löschen kann jemand anderes aus der Verwaltung.";

    // What it comes to
    Effect: "What {name} may", "Was {name} darf";
    EffectLead: "For each line, the most generous of what the groups say; what the house says where none of them says anything.",
        "Für jede Zeile gilt das Großzügigste, was die Gruppen sagen; wo keine etwas sagt, was das Haus sagt.";
    EffectOf: "See what this comes to for", "Was das ergibt für";
    EffectNobody: "Nobody chosen", "Niemand gewählt";
    EffectDraft: "As it would be with what stands in the form.", "So, wie es mit dem wäre, was im Formular steht.";
    What: "What", "Was";
    ComesTo: "Comes to", "Ergibt";
    WhoSays: "Who says so", "Wer das sagt";
    FromHouse: "the house", "das Haus";
    FromUsual: "nobody, as usual", "niemand, wie üblich";
    FromStay: "chats stay on the device", "Gespräche bleiben auf dem Gerät";
    FromGuests: "what guests may", "was Gäste dürfen";
    Yes: "yes", "ja";
    No: "no", "nein";
    NoLimit: "no limit", "keine Grenze";
    Days: "{n} days", "{n} Tage";

    // Rules
    RuleModelsOnDevice: "Models on the device", "Modelle auf dem Gerät";
    RuleModelsOnServer: "Models on the server", "Modelle auf dem Server";
    RuleTools: "Tools of the server", "Werkzeuge des Servers";
    RuleTokensPerDay: "Tokens on the server a day", "Token auf dem Server am Tag";
    RuleTokensPerMonth: "Tokens on the server a month", "Token auf dem Server im Monat";
    RuleStorageBytes: "Storage for documents, in MB", "Speicher für Dokumente, in MB";
    RuleStorage: "Storage for documents", "Speicher für Dokumente";
    RuleChatsLeaveDevice: "Chats may leave the device", "Gespräche dürfen das Gerät verlassen";
    RuleRetentionDays: "Days until unused chats on the server are deleted", "Tage, bis unbenutzte Gespräche auf dem Server gelöscht werden";
    RuleRetention: "Unused chats on the server are deleted after", "Unbenutzte Gespräche auf dem Server werden gelöscht nach";
    RuleMakeKeys: "Make API keys", "API-Schlüssel anlegen";
    RuleShareChats: "Share conversations inside the house", "Gespräche im Haus teilen";
    RuleShareWithGroups: "Share with their own groups", "Mit den eigenen Gruppen teilen";
    ChoiceHouseUnsaid: "not restricted", "nicht eingeschränkt";
    ChoiceGroupUnsaid: "as the house says", "wie das Haus sagt";
    ChoiceAll: "all", "alle";
    ChoiceNone: "none", "keine";
    ChoiceThese: "these only", "nur diese";
    ChoiceNoLimit: "no limit", "keine Grenze";
    ChoiceAtMost: "at most", "höchstens";
    ChoiceDays: "after", "nach";
    TheseFor: "{field}: which", "{field}: welche";
    CountFor: "{field}: how many", "{field}: wie viele";
    NamesHint: "Names, separated by commas.", "Namen, durch Kommas getrennt.";
    AddName: "Add {name}", "{name} hinzufügen";
    FieldUnclear: "“{field}” needs a number, or names.", "„{field}“ braucht eine Zahl oder Namen.";
    RulesLead: "What the house says for everybody. Groups may say otherwise.",
        "Was das Haus für alle sagt. Gruppen können anderes sagen.";
    Guests: "Whoever is not signed in may", "Wer nicht angemeldet ist, darf";
    GuestsNone: "nothing", "nichts";
    GuestsDevice: "chat on their own device", "auf dem eigenen Gerät chatten";
    GuestsServer: "use the server too, by these rules", "auch den Server benutzen, nach diesen Regeln";
    AuditDays: "Days until lines of the log are deleted", "Tage, bis Zeilen des Protokolls gelöscht werden";
    AuditDeviceUse: "Count tokens of models on people’s own devices, too (never what was said)",
        "Auch Token von Modellen auf eigenen Geräten zählen (nie, was gesagt wurde)";
    AuditDaysUnclear: "The log is kept for 1 to 36,500 days.", "Das Protokoll wird 1 bis 36.500 Tage aufbewahrt.";

    // Groups
    GroupsLead: "Groups give rights on collections and have rules of their own.",
        "Gruppen geben Rechte an Sammlungen und haben eigene Regeln.";
    NewGroup: "New group", "Neue Gruppe";
    GroupName: "Name of the group", "Name der Gruppe";
    MakeGroup: "Make the group", "Gruppe anlegen";
    MembersOne: "1 person", "1 Person";
    MembersMany: "{n} people", "{n} Personen";
    RulesSaidOne: "says 1 thing", "sagt 1 Sache";
    RulesSaidMany: "says {n} things", "sagt {n} Dinge";
    RulesSaidNone: "as the house says", "wie das Haus sagt";
    RenameGroup: "Rename", "Umbenennen";
    DeleteGroup: "Delete “{name}”, with the rights that it gives", "„{name}“ löschen, mit den Rechten, die sie gibt";
    GroupGone: "There is no such group.", "Diese Gruppe gibt es nicht.";

    // Sign-in service
    ServiceLead: "What the claims of a sign-in service (OpenID Connect) make of whoever comes from there: at each sign-in, by these rules.",
        "Was die Angaben (Claims) eines Anmeldedienstes (OpenID Connect) aus denen machen, die von dort kommen: bei jeder Anmeldung, nach diesen Regeln.";
    ServiceOff: "The server’s configuration names no sign-in service. Rules can be written and tried already.",
        "In der Konfiguration des Servers steht kein Anmeldedienst. Regeln lassen sich schon schreiben und ausprobieren.";
    DefaultRole: "Role of whom no rule gives one", "Rolle derer, denen keine Regel eine gibt";
    RoleNone: "none: not let in", "keine: nicht eingelassen";
    RuleKeepsRole: "no role", "keine Rolle";
    RuleNumber: "Rule {n}", "Regel {n}";
    Claim: "Claim", "Angabe (Claim)";
    ClaimHint: "A point leads deeper: realm_access.roles. A * at the end of a value stands for anything, and in a group’s name for what that was.",
        "Ein Punkt führt tiefer: realm_access.roles. Ein * am Ende eines Wertes steht für Beliebiges, und im Namen einer Gruppe für das, was es war.";
    ClaimValue: "has the value", "hat den Wert";
    GivesRole: "gives the role", "gibt die Rolle";
    GivesGroups: "gives the groups", "gibt die Gruppen";
    AddRule: "Add a rule", "Regel hinzufügen";
    RemoveRule: "Remove rule {n}", "Regel {n} entfernen";
    TryToken: "Try these rules", "Diese Regeln ausprobieren";
    TryTokenLead: "Paste an ID token, or its claims as JSON. Its signature is not looked at, and nothing of it is kept.",
        "Fügen Sie ein ID-Token ein oder seine Claims als JSON. Die Signatur wird nicht geprüft, und nichts davon wird aufbewahrt.";
    Token: "Token or claims", "Token oder Claims";
    Try: "Try", "Ausprobieren";
    TriedIn: "Let in as {role}.", "Eingelassen als {role}.";
    TriedOut: "Not let in.", "Nicht eingelassen.";
    TriedByDefault: "No rule gave the role: whoever is here already keeps theirs.",
        "Keine Regel gab die Rolle: Wer schon hier ist, behält die eigene.";
    TriedGroups: "Groups: {groups}", "Gruppen: {groups}";
    TriedNoGroups: "No groups.", "Keine Gruppen.";
    TriedRefused: "Not possible as groups: {groups}", "Als Gruppen nicht möglich: {groups}";
    Claims: "What was read of it", "Was davon gelesen wurde";

    // Log
    LogLead: "Who did what, when, with which model, and with how many tokens; never what was said.",
        "Wer wann was getan hat, mit welchem Modell und mit wie vielen Token; nie, was gesagt wurde.";
    From: "From", "Von";
    To: "To", "Bis";
    Who: "Who", "Wer";
    Everybody: "everybody", "alle";
    DidWhat: "Did what", "Tat was";
    Anything: "anything", "alles";
    SaveCsv: "Save as CSV", "Als CSV sichern";
    LogEmpty: "Nothing of that kind was noted.", "Nichts dieser Art ist vermerkt.";
    MoreLines: "Show older lines", "Ältere Zeilen zeigen";
    ByKey: "by a key", "mit einem Schlüssel";
    TokensInOut: "{prompt} + {completion} tokens", "{prompt} + {completion} Token";
    PlaceServer: "on the server", "auf dem Server";
    PlaceDevice: "on the device", "auf dem Gerät";
    PlaceUpstream: "on the fleet", "auf der Flotte";
    WhoPage: "whoever sits at the page", "wer an der Seite sitzt";
    WhoOperator: "the server’s command line", "die Befehlszeile des Servers";
    WhoNobody: "nobody who is signed in", "niemand Angemeldetes";
    WhoGone: "somebody who was deleted", "jemand, der gelöscht wurde";
    ActSignIn: "signed in", "meldete sich an";
    ActSignOut: "signed out", "meldete sich ab";
    ActJoined: "made an account", "legte ein Konto an";
    ActPasswordChanged: "changed the password", "änderte das Passwort";
    ActPasswordReset: "set a new password by link", "setzte per Link ein neues Passwort";
    ActTotpOn: "switched the second factor on", "schaltete den zweiten Faktor ein";
    ActTotpOff: "switched a second factor off", "schaltete einen zweiten Faktor ab";
    ActSessionEnded: "ended a session", "beendete eine Sitzung";
    ActSignedOut: "signed somebody out", "meldete jemanden ab";
    ActKeyMade: "made a key", "legte einen Schlüssel an";
    ActKeyRevoked: "revoked a key", "widerrief einen Schlüssel";
    ActExported: "exported their data", "lud die eigenen Daten herunter";
    ActRenamed: "changed a name or address", "änderte Namen oder Adresse";
    ActRoleAdmin: "made somebody an administrator", "machte jemanden zur Verwaltung";
    ActRoleMember: "made somebody a member", "machte jemanden zum Mitglied";
    ActRoleGuest: "made somebody a guest", "machte jemanden zum Gast";
    ActGroupsChanged: "changed somebody’s groups", "änderte jemandes Gruppen";
    ActBlocked: "blocked somebody", "sperrte jemanden";
    ActUnblocked: "unblocked somebody", "entsperrte jemanden";
    ActPersonDeleted: "deleted a person", "löschte eine Person";
    ActLinkInvite: "invited somebody", "lud jemanden ein";
    ActLinkReset: "made a link for a new password", "legte einen Link für ein neues Passwort an";
    ActLinkAdmin: "made a link for an administrator", "legte einen Link für eine Verwaltung an";
    ActLinkRemoved: "withdrew a link", "zog einen Link zurück";
    ActGroupAdded: "made a group", "legte eine Gruppe an";
    ActGroupChanged: "changed a group", "änderte eine Gruppe";
    ActGroupRemoved: "deleted a group", "löschte eine Gruppe";
    ActPolicyChanged: "changed the rules", "änderte die Regeln";
    ActLookChanged: "changed how the house shows itself", "änderte das Erscheinungsbild";
    ActOidcRulesChanged: "changed the sign-in service’s rules", "änderte die Regeln des Anmeldedienstes";
    ActAuditExported: "exported the log", "sicherte das Protokoll";
    ActAssistantAdded: "made an assistant", "legte einen Assistenten an";
    ActAssistantChanged: "changed an assistant", "änderte einen Assistenten";
    ActAssistantShared: "changed who has an assistant", "änderte, wer einen Assistenten hat";
    ActAssistantRemoved: "deleted an assistant", "löschte einen Assistenten";
    ActAttachmentAdded: "sent a file of a message", "sendete die Datei einer Nachricht";
    ActAttachmentGivenUp: "gave up the file of a message", "gab die Datei einer Nachricht auf";
    ActDocumentAdded: "added a document", "legte ein Dokument ab";
    ActDocumentReplaced: "replaced a document", "ersetzte ein Dokument";
    ActDocumentRemoved: "deleted a document", "löschte ein Dokument";
    ActDocumentCancelled: "called off the work on a document", "brach die Arbeit an einem Dokument ab";
    ActCollectionAdded: "made a collection", "legte eine Sammlung an";
    ActCollectionChanged: "changed a collection", "änderte eine Sammlung";
    ActCollectionRightsChanged: "changed who may do what with a collection", "änderte die Rechte an einer Sammlung";
    ActCollectionRemoved: "deleted a collection", "löschte eine Sammlung";
    ActFolderSynced: "had a folder taken in", "ließ einen Ordner einlesen";
    ActSiteCrawled: "had a site taken in", "ließ eine Website einlesen";
    ActVectorsMoved: "had the vectors moved", "ließ die Vektoren umziehen";
    ActVectorsMoveCancelled: "called off a move of the vectors", "brach einen Umzug der Vektoren ab";
    ActBackupRestored: "restored a backup", "spielte eine Sicherung ein";
    ActChat: "chatted", "chattete";
    ActCompletions: "had a text completed", "ließ einen Text ergänzen";
    ActEmbeddings: "had vectors made", "ließ Vektoren rechnen";
    ActRerank: "had texts ranked", "ließ Texte ordnen";
    ActToolCall: "had a tool called", "ließ ein Werkzeug aufrufen";
    ActMcpCheck: "had a server of tools connected anew", "ließ einen Werkzeug-Server neu verbinden";

    // Announcements
    Announcements: "Announcements", "Ankündigungen";
    AnnouncementsLead: "They stand on everybody’s first page for as long as you say, until somebody closes them there.",
        "Sie stehen so lange auf der ersten Seite aller, wie Sie es sagen, bis jemand sie dort schließt.";
    NoAnnouncements: "Nothing is announced.", "Es ist nichts angekündigt.";
    NewAnnouncement: "Announce something", "Etwas ankündigen";
    ChangeAnnouncement: "Change “{title}”", "„{title}“ ändern";
    AnnouncementTitle: "Title", "Titel";
    AnnouncementText: "Text, in Markdown", "Text, in Markdown";
    AnnouncementFrom: "From (empty: at once)", "Ab (leer: sofort)";
    AnnouncementUntil: "Until (empty: until it is deleted)", "Bis (leer: bis sie gelöscht wird)";
    ForGroups: "Only for these groups; for everybody where none is chosen", "Nur für diese Gruppen; für alle, wenn keine gewählt ist";
    ForEveryone: "for everybody", "für alle";
    Preview: "As it will look", "So wird es aussehen";
    Announce: "Announce", "Ankündigen";
    OnNow: "shown now", "steht jetzt da";
    OnLater: "from {at}", "ab {at}";
    OnUntil: "until {at}", "bis {at}";
    WasOn: "over", "vorbei";
    Change: "Change", "Ändern";
    DeleteNamed: "Delete “{title}”", "„{title}“ löschen";
    Deleted: "Deleted.", "Gelöscht.";

    // Prompts
    Prompts: "Prompts", "Prompts";
    Assistants: "Assistants", "Assistenten";
    PromptsLead: "Texts that you need again and again. In the box of a conversation, / at the beginning lists them.",
        "Texte, die Sie immer wieder brauchen. Im Feld eines Gesprächs listet / am Anfang sie auf.";
    PromptsNeedAccount: "Prompts of your own lie with your account, so that all your devices have them. Sign in to keep some.",
        "Eigene Prompts liegen bei Ihrem Konto, damit alle Ihre Geräte sie haben. Melden Sie sich an, um welche anzulegen.";
    NoPrompts: "There are none yet.", "Es gibt noch keine.";
    NoPromptsPicker: "There are no prompts yet.", "Es gibt noch keine Prompts.";
    PromptsManage: "Write and change prompts", "Prompts schreiben und ändern";
    PromptsSignIn: "Sign in for prompts of your own", "Für eigene Prompts anmelden";
    PromptsFound: "{n} found. Arrows choose, Enter takes one, Escape closes.",
        "{n} gefunden. Pfeile wählen, Eingabe übernimmt, Escape schließt.";
    PromptsNotFound: "No prompt is called so. Enter sends what stands there.",
        "So heißt kein Prompt. Eingabe sendet, was da steht.";
    PromptsOwn: "Your own", "Ihre eigenen";
    PromptsOfHouse: "Of the house", "Des Hauses";
    PromptsOfGroup: "Of the group {group}", "Der Gruppe {group}";
    NewPrompt: "New prompt", "Neuer Prompt";
    ChangePrompt: "Change “{title}”", "„{title}“ ändern";
    PromptTitle: "Title", "Titel";
    PromptDescription: "What it is for (may be empty)", "Wofür er ist (darf leer sein)";
    PromptText: "Text", "Text";
    PromptTextHint: "In double braces stands what is asked for before the text goes into the box: {plain}, with something that stands there at first {given}, or a choice {choice}.",
        "In doppelten Klammern steht, wonach gefragt wird, bevor der Text ins Feld kommt: {plain}, mit etwas, das zuerst dasteht {given}, oder eine Auswahl {choice}.";
    PromptAsks: "Asks for: {names}", "Fragt nach: {names}";
    PromptFor: "For", "Für";
    PromptForMe: "me alone", "mich allein";
    PromptForHouse: "the whole house", "das ganze Haus";
    PromptForGroup: "the group {group}", "die Gruppe {group}";
    PromptInsert: "Put into the box", "Ins Feld einsetzen";
    ImportPrompts: "Import", "Einlesen";
    ExportPrompts: "Export your own", "Eigene ausgeben";
    ImportPromptsHint: "A JSON file of Open WebUI or of Portico comes in as your own prompts.",
        "Eine JSON-Datei von Open WebUI oder Portico wird zu Ihren eigenen Prompts.";
    PromptsImported: "Imported: {n}. Not readable: {left}.", "Eingelesen: {n}. Nicht lesbar: {left}.";
    PromptsNoList: "This file has no list of prompts.", "Diese Datei enthält keine Liste von Prompts.";
    ActAnnouncementMade: "announced something", "kündigte etwas an";
    ActAnnouncementChanged: "changed an announcement", "änderte eine Ankündigung";
    ActAnnouncementRemoved: "deleted an announcement", "löschte eine Ankündigung";
    ActPromptMade: "made a prompt for others", "legte einen Prompt für andere an";
    ActPromptChanged: "changed a prompt of others", "änderte einen Prompt für andere";
    ActPromptRemoved: "deleted a prompt of others", "löschte einen Prompt für andere";

    // Assistants
    AssistantsAll: "All assistants", "Alle Assistenten";
    AssistantsHint: "An assistant is a name for instructions, a model, documents and tools that go together. Whoever uses it gets no more than they may without it.",
        "Ein Assistent ist ein Name für Anweisungen, ein Modell, Dokumente und Werkzeuge, die zusammengehören. Wer ihn benutzt, bekommt nicht mehr, als er ohne ihn darf.";
    AssistantsNone: "There are none yet. Make the first one, for yourself or for a group.",
        "Es gibt noch keinen. Legen Sie den ersten an, für sich oder für eine Gruppe.";
    AssistantsFind: "Find an assistant", "Assistenten suchen";
    AssistantNew: "New assistant", "Neuer Assistent";
    AssistantChange: "Change an assistant", "Assistenten ändern";
    AssistantGone: "This assistant is not there, or not for you.", "Diesen Assistenten gibt es nicht, oder nicht für Sie.";
    AssistantBy: "by {name}", "von {name}";
    AssistantOwn: "only you", "nur Sie";
    AssistantForHouse: "the whole house", "das ganze Haus";
    AssistantChat: "Chat", "Unterhalten";
    AssistantCopy: "Duplicate", "Duplizieren";
    AssistantDelete: "Delete the assistant", "Assistenten löschen";
    AssistantDeleted: "The assistant is deleted. Conversations go on without it.",
        "Der Assistent ist gelöscht. Gespräche gehen ohne ihn weiter.";
    AssistantImport: "Import a file", "Datei einlesen";
    AssistantExport: "Export as JSON", "Als JSON ausgeben";
    AssistantFileOther: "This file is no assistant of Portico.", "Diese Datei ist kein Assistent von Portico.";
    AssistantFileWrong: "The assistant in this file cannot be taken. {reason}",
        "Der Assistent in dieser Datei lässt sich nicht übernehmen. {reason}";
    AssistantName: "Name", "Name";
    AssistantIcon: "Sign: a letter or symbol (empty: the name’s first letter)",
        "Zeichen: ein Buchstabe oder Symbol (leer: der erste Buchstabe des Namens)";
    AssistantDescription: "What it is for, in a sentence", "Wofür er da ist, in einem Satz";
    AssistantInstructions: "Instructions to the model", "Anweisungen an das Modell";
    AssistantNoInstructions: "It has none.", "Er hat keine.";
    AssistantHides: "Its maker does not show them.", "Wer ihn angelegt hat, zeigt sie nicht.";
    AssistantHide: "Do not show the instructions to others", "Anderen die Anweisungen nicht zeigen";
    AssistantHideHint: "The page then does not show them. They are no secret: they go to the device of whoever uses the assistant, which puts them before the question, and a model may repeat them.",
        "Die Seite zeigt sie dann nicht. Ein Geheimnis sind sie nicht: Sie gehen an das Gerät derer, die den Assistenten benutzen, das sie vor die Frage setzt, und ein Modell kann sie wiederholen.";
    AssistantModel: "Preferred model", "Bevorzugtes Modell";
    AssistantModelAny: "Whichever answers", "Welches gerade antwortet";
    AssistantOnDevice: "on the device", "auf dem Gerät";
    AssistantOnServer: "on the server", "auf dem Server";
    AssistantStandIn: "Another model may stand in where this one cannot answer",
        "Ein anderes Modell darf einspringen, wo dieses nicht antworten kann";
    AssistantOnlyThis: "no other stands in", "kein anderes springt ein";
    AssistantCollections: "Documents that each answer asks", "Dokumente, die jede Antwort befragt";
    AssistantTools: "Tools that answers may call", "Werkzeuge, die Antworten aufrufen dürfen";
    AssistantQuestions: "Questions to begin with (up to four)", "Fragen für den Anfang (bis zu vier)";
    AssistantQuestion: "Question {n}", "Frage {n}";
    AssistantShare: "Share with groups", "Mit Gruppen teilen";
    AssistantShareHouse: "Share with the whole house", "Mit dem ganzen Haus teilen";
    AssistantShareNobody: "Only you have it. You can share with groups once you are in one and the rules let you.",
        "Nur Sie haben ihn. Mit Gruppen teilen können Sie, sobald Sie in einer sind und die Regeln es erlauben.";
    AssistantRights: "An assistant gives nobody a right: documents, models and tools are those that whoever uses it may use anyway.",
        "Ein Assistent gibt niemandem ein Recht: Dokumente, Modelle und Werkzeuge sind die, die man auch sonst benutzen darf.";
    AssistantWithheld: "{n} of its collections are not yours to read: nothing comes from them.",
        "{n} seiner Sammlungen dürfen Sie nicht lesen: Aus ihnen kommt nichts.";
    AssistantWrongName: "A name has 1 to 60 characters.", "Ein Name hat 1 bis 60 Zeichen.";
    AssistantWrongIcon: "The sign is one letter, digit or symbol of the list.",
        "Das Zeichen ist ein Buchstabe, eine Ziffer oder ein Symbol der Liste.";
    AssistantWrongInstructions: "Instructions have at most 8,000 characters.", "Anweisungen haben höchstens 8.000 Zeichen.";
    AssistantWrongDescription: "The description has at most 300 characters.", "Die Beschreibung hat höchstens 300 Zeichen.";
    AssistantWrongQuestions: "There are at most four questions of at most 300 characters.",
        "Es sind höchstens vier Fragen mit höchstens 300 Zeichen.";
    AssistantWrongNamed: "At most 20 collections and 20 tools go together.", "Höchstens 20 Sammlungen und 20 Werkzeuge gehen zusammen.";
    AssistantTry: "Try it out", "Ausprobieren";
    AssistantTryHint: "Asks once with what stands in the form, and keeps nothing. On the server the documents are asked too; tools are not called here.",
        "Fragt einmal mit dem, was im Formular steht, und behält nichts. Auf dem Server werden auch die Dokumente befragt; Werkzeuge werden hier nicht aufgerufen.";
    AssistantTryQuestion: "A question", "Eine Frage";
    AssistantTryAsk: "Ask", "Fragen";
    AssistantTrying: "It answers …", "Er antwortet …";
    ToolCalculator: "Calculator", "Rechner";
    ToolDate: "Date", "Datum";
    ToolUnits: "Units", "Einheiten";
    ToolSearch: "Search documents", "Dokumente durchsuchen";
    ToolRead: "Read a document", "Ein Dokument lesen";

    // Servers of tools
    Tools: "Tools", "Werkzeuge";
    ToolServers: "Servers of tools", "Server mit Werkzeugen";
    ToolServersHint: "What they say of their tools is shown as they say it.",
        "Was sie über ihre Werkzeuge sagen, steht hier, wie sie es sagen.";
    ToolServersNone: "There is none yet.", "Noch gibt es keinen.";
    ToolServerOpen: "connected", "verbunden";
    ToolServerIdle: "not needed yet", "noch nicht gebraucht";
    ToolServerFailed: "not reached", "nicht erreicht";
    ToolCount: "{n} tools", "{n} Werkzeuge";
    ToolAsksAlways: "always asks", "fragt immer";
    ToolAsksFirst: "asks once a conversation", "fragt einmal je Gespräch";
    ToolAsksNever: "does not ask", "fragt nicht";
    ToolNotOffered: "Not offered: {reason}.", "Nicht angeboten: {reason}.";
    Check: "Connect anew", "Neu verbinden";
    CheckServer: "Connect “{name}” anew", "„{name}“ neu verbinden";

    // Overview
    Overview: "Overview", "Überblick";
    OverviewLead: "How the house is doing right now. It looks again every 20 seconds while you do.",
        "Wie es dem Haus gerade geht. Die Seite sieht alle 20 Sekunden nach, solange Sie hinsehen.";
    OverviewStale: "The server cannot be reached; this is what it said last.",
        "Der Server ist nicht erreichbar; dies hat er zuletzt gesagt.";
    ConcernsTitle: "To look after", "Zu erledigen";
    ConcernsNone: "Nothing needs looking after.", "Es ist nichts zu tun.";
    ConcernUpstream: "The upstream “{name}” does not answer. Is it running, and is its address right?",
        "Der Upstream „{name}“ antwortet nicht. Läuft er, und stimmt seine Adresse?";
    ConcernDisk: "Only {bytes} are free on the disk. Remove models or old backups, or take a larger disk.",
        "Auf dem Datenträger sind nur {bytes} frei. Entfernen Sie Modelle oder alte Sicherungen, oder nehmen Sie einen größeren.";
    ConcernNoBackup: "There is no backup yet. On the server: portico backup --to DIR",
        "Es gibt noch keine Sicherung. Auf dem Server: portico backup --to ORDNER";
    ConcernOldBackup: "The last backup is {n} days old. On the server: portico backup --to DIR",
        "Die letzte Sicherung ist {n} Tage alt. Auf dem Server: portico backup --to ORDNER";
    ConcernJob: "A document could not be read.", "Ein Dokument ließ sich nicht lesen.";
    ConcernJobs: "{n} documents could not be read.", "{n} Dokumente ließen sich nicht lesen.";
    ConcernQuota: "Somebody has nearly used up a limit.", "Jemand hat eine Grenze fast erreicht.";
    ConcernQuotas: "{n} people have nearly used up a limit.", "{n} Personen haben eine Grenze fast erreicht.";
    ConcernOneAdmin: "Only one person administers the house. A second one helps when the first is away.",
        "Nur eine Person verwaltet das Haus. Eine zweite hilft, wenn die erste fehlt.";
    Urgent: "urgent", "dringend";
    Open: "Open", "Öffnen";
    UpstreamsTitle: "Upstreams", "Upstreams";
    UpstreamsNone: "None is configured: models run on this server and on people's devices.",
        "Keiner ist eingerichtet: Modelle laufen auf diesem Server und auf den Geräten.";
    UpstreamWell: "answers", "antwortet";
    UpstreamAway: "does not answer; asked again in {n} s", "antwortet nicht; nächster Versuch in {n} s";
    UpstreamRequests: "{n} requests, {failed} failed", "{n} Anfragen, {failed} gescheitert";
    UpstreamRunning: "{n} of {max} at once", "{n} von {max} zugleich";
    UpstreamLatency: "begins to answer after {time}", "beginnt zu antworten nach {time}";
    UpstreamFault: "Last fault, {date}: {cause}", "Letzter Fehler, {date}: {cause}";
    LoadedTitle: "Models in this server's memory", "Modelle im Speicher dieses Servers";
    LoadedNone: "None at the moment: each is loaded when it is first asked.",
        "Gerade keines: Jedes wird geladen, wenn es das erste Mal gefragt wird.";
    LoadedLoading: "{percent} loaded", "{percent} geladen";
    LoadedRunning: "{n} answering, {queued} waiting", "{n} in Arbeit, {queued} wartend";
    LoadedMemory: "{used} of {max} in use", "{used} von {max} belegt";
    StorageTitle: "Storage", "Speicher";
    StorageFree: "Free", "Frei";
    StorageDatabase: "Database", "Datenbank";
    StorageModels: "Models", "Modelle";
    StorageFiles: "Documents and files", "Dokumente und Dateien";
    StorageElsewhere: "{bytes}, in {place}", "{bytes}, in {place}";
    LastBackup: "Last backup", "Letzte Sicherung";
    Never: "never", "nie";
    HouseTitle: "House", "Haus";
    PeopleCount: "People", "Personen";
    PeopleBlocked: "{n}, {blocked} of them blocked", "{n}, davon {blocked} gesperrt";
    QueueCount: "Documents in the queue", "Dokumente in Arbeit";
    TodayTokens: "Tokens today", "Token heute";
    NearTitle: "Limits nearly used up", "Fast erreichte Grenzen";
    NearHidden: "Whose they are is not shown: the house does not look at what each person uses.",
        "Wessen, steht hier nicht: Das Haus sieht nicht nach, was jede Person verbraucht.";
    NearLine: "{name}: {limit}", "{name}: {limit}";

    // Usage
    Usage: "Usage", "Nutzung";
    UsageLead: "What models were asked for, counted in tokens (parts of words). Never what was said.",
        "Was von Modellen verlangt wurde, gezählt in Token (Wortteilen). Nie, was gesagt wurde.";
    UsageSpan: "Time", "Zeitraum";
    UsageSpan7: "7 days", "7 Tage";
    UsageSpan30: "30 days", "30 Tage";
    UsageSpan90: "90 days", "90 Tage";
    UsageSpanYear: "12 months", "12 Monate";
    UsageNone: "Nothing was used in this time.", "In dieser Zeit wurde nichts genutzt.";
    UsageDevices: "People's devices", "Geräte der Personen";
    UsageServer: "This server", "Dieser Server";
    UsageUpstreams: "Upstreams", "Upstreams";
    UsageUnknown: "Before places were counted", "Bevor Orte gezählt wurden";
    UsageDevicesOff: "What runs on people's devices is not counted. If the house wants to know, it is a switch under Rules.",
        "Was auf den Geräten läuft, wird nicht gezählt. Will das Haus es wissen, ist es ein Schalter unter Regeln.";
    UsageTokens: "Tokens", "Token";
    UsageRequests: "Requests", "Anfragen";
    UsagePrompt: "Read", "Gelesen";
    UsageCompletion: "Written", "Geschrieben";
    UsageTotal: "All", "Alle";
    UsageByDay: "Tokens by day", "Token je Tag";
    UsageByWeek: "Tokens by week", "Token je Woche";
    UsageByMonth: "Tokens by month", "Token je Monat";
    UsagePlotDesc: "{from} to {to}: {n} tokens in all. Most of them: {at} with {max}.",
        "{from} bis {to}: zusammen {n} Token. Die meisten: {at} mit {max}.";
    UsageDay: "Day", "Tag";
    UsageWeek: "Week from", "Woche ab";
    UsageMonth: "Month", "Monat";
    UsageTable: "These numbers as a table", "Diese Zahlen als Tabelle";
    UsageByModel: "By model", "Nach Modell";
    UsageByGroup: "By group", "Nach Gruppe";
    UsageByPerson: "By person", "Nach Person";
    UsageModel: "Model", "Modell";
    UsageGroup: "Group", "Gruppe";
    UsageWho: "Who", "Wer";
    UsageSmallGroups: "{n} groups are left out: fewer than {min} people are behind them.",
        "{n} Gruppen fehlen: Hinter ihnen stehen weniger als {min} Personen.";
    UsageGroupsHint: "Who is in several groups counts in each.", "Wer in mehreren Gruppen ist, zählt in jeder.";
    UsageWhoPage: "Nobody signed in", "Nicht angemeldet";
    UsageWhoKey: "{name} (key of the house)", "{name} (Schlüssel des Hauses)";
    UsageWhoEarlier: "Earlier, no longer by person", "Früher, nicht mehr nach Person";
    UsageEnergy: "Estimated energy", "Geschätzte Energie";
    UsageReckoned: "Energy and price", "Energie und Preis";
    UsagePlace: "Where", "Wo";
    UsageEnergyHint: "An estimate by the figures below, not a measurement.", "Eine Schätzung nach den Werten unten, keine Messung.";
    UsageFormula: "Energy = (tokens written + tokens read × {share}) × joules × billions of parameters × {overhead} for cooling (not on devices). Joules: devices {device}, this server {server}, upstreams {upstream}; a model of unknown size counts as {unknown} billion.",
        "Energie = (geschriebene Token + gelesene × {share}) × Joule × Milliarden Parameter × {overhead} für Kühlung (nicht auf Geräten). Joule: Geräte {device}, dieser Server {server}, Upstreams {upstream}; ein Modell unbekannter Größe zählt als {unknown} Milliarden.";
    UsageCost: "The same tokens elsewhere", "Dieselben Token anderswo";
    UsageCostHint: "At {prompt} for a million tokens read and {completion} for a million written ({of}).",
        "Bei {prompt} je Million gelesener und {completion} je Million geschriebener Token ({of}).";
    UsageCostNobody: "a price of your own", "ein eigener Preis";
    UsageCostNone: "Enter a price below, and it says what the same tokens would have cost.",
        "Tragen Sie unten einen Preis ein, dann steht hier, was dieselben Token gekostet hätten.";
    UsageSettings: "How it is counted and reckoned", "Wie gezählt und gerechnet wird";
    UsageDetail: "Whose use is shown", "Wessen Nutzung gezeigt wird";
    UsageDetailHouse: "the house's as a whole", "die des Hauses im Ganzen";
    UsageDetailGroups: "also that of groups of three people and more", "auch die von Gruppen ab drei Personen";
    UsageDetailPeople: "also each person's, by name", "auch die jeder Person, mit Namen";
    UsageDetailHint: "Each person's use is data about people: agree on it with the works council first, and tell them. The audit log keeps who asked which model either way, for as long as the rules say.",
        "Was jede Person nutzt, sind Daten über Personen: Stimmen Sie es vorher mit der Personalvertretung ab, und sagen Sie es ihnen. Das Protokoll hält in jedem Fall fest, wer welches Modell fragte, so lange die Regeln es sagen.";
    UsageAsksDevices: "People may say what their devices can do", "Personen dürfen sagen, was ihre Geräte können";
    UsagePrice: "Price to compare with", "Preis zum Vergleich";
    UsageCurrency: "Currency (three letters; empty: none)", "Währung (drei Buchstaben; leer: keine)";
    UsagePricePrompt: "For a million tokens read", "Je Million gelesener Token";
    UsagePriceCompletion: "For a million tokens written", "Je Million geschriebener Token";
    UsagePriceOf: "Whose price it is", "Wessen Preis das ist";
    UsageEnergyFigures: "Figures for energy", "Werte für die Energie";
    UsageJoulesDevice: "Joules a token and billion parameters: devices", "Joule je Token und Milliarde Parameter: Geräte";
    UsageJoulesServer: "The same on this server", "Dasselbe auf diesem Server";
    UsageJoulesUpstream: "The same on upstreams", "Dasselbe auf Upstreams";
    UsagePromptShare: "A token read counts as this share of one written", "Ein gelesenes Token zählt als dieser Anteil eines geschriebenen";
    UsageOverhead: "Factor for cooling and supply (PUE)", "Faktor für Kühlung und Versorgung (PUE)";
    UsageUnknownBillions: "Billion parameters of a model of unknown size", "Milliarden Parameter eines Modells unbekannter Größe";
    UsageFigureUnclear: "“{field}”: this is no number.", "„{field}“: Das ist keine Zahl.";
    UsageEnergySources: "The figures that it comes with are assumptions; docs/usage.md says where they come from. Measure yours with a power meter and enter them.",
        "Die mitgelieferten Werte sind Annahmen; docs/usage.md sagt, woher sie kommen. Messen Sie Ihre mit einem Strommessgerät und tragen Sie sie ein.";
    UsedByPerson: "Used", "Genutzt";
    UsedByPersonHidden: "The house does not look at what each person uses. That can be changed under Usage.",
        "Das Haus sieht nicht nach, was jede Person nutzt. Das lässt sich unter Nutzung ändern.";

    // What devices can do
    HouseDevices: "What the house's devices can do", "Was die Geräte des Hauses können";
    DevicesOff: "The house does not ask. Switch it on below; then each person decides in their account whether their browser answers.",
        "Das Haus fragt nicht danach. Schalten Sie es unten ein; dann entscheidet jede Person in ihrem Konto, ob ihr Browser antwortet.";
    DevicesFew: "Too few have answered so far: it is shown when {n} devices have.",
        "Noch haben zu wenige geantwortet: Gezeigt wird es, wenn es {n} Geräte sind.";
    DevicesLead: "{n} devices answered in {month}. Shown are classes with at least {least} devices; nobody can tell whose is which.",
        "{n} Geräte haben im Monat {month} geantwortet. Gezeigt werden Klassen mit mindestens {least} Geräten; niemand kann sagen, wessen Gerät welches ist.";
    DevicesModels: "Which models they can run", "Welche Modelle sie ausführen können";
    DevicesRunExactly: "{n} of {all}", "{n} von {all}";
    DevicesRunAtLeast: "at least {n} of {all}", "mindestens {n} von {all}";
    DevicesRunAtMost: "at most {n} of {all}", "höchstens {n} von {all}";
    DevicesCount: "Devices", "Geräte";
    DevicesClass: "Class", "Klasse";
    DevicesGpu: "Graphics", "Grafik";
    DevicesMemory: "Memory, as browsers round it", "Arbeitsspeicher, wie Browser ihn runden";
    DevicesF16: "Computes with 16 bits (faster)", "Rechnet mit 16 Bit (schneller)";
    DevicesSubgroups: "Subgroups (faster)", "Subgroups (schneller)";
    DevicesBuffer: "Longest buffer", "Größter Puffer";
    DevicesOthers: "others, too few to show apart", "andere, zu wenige, um sie einzeln zu zeigen";
    DevicesNoGpu: "no WebGPU", "kein WebGPU";
    DevicesOtherGpu: "another make", "ein anderer Hersteller";
    DevicesNotSaid: "not told", "nicht gesagt";
    DevicesYes: "yes", "ja";
    DevicesNo: "no", "nein";
    DeviceSay: "Tell the house what this browser's device can do", "Dem Haus sagen, was das Gerät dieses Browsers kann";
    DeviceSayHint: "Once a month: maker of the graphics, rounded memory, which models it can run. Only counts are kept, without your name and without a number for this device.",
        "Einmal im Monat: Hersteller der Grafik, gerundeter Speicher, welche Modelle darauf laufen. Aufbewahrt werden nur Anzahlen, ohne Ihren Namen und ohne Kennung dieses Geräts.";
    LeavesDeviceSay: "If you allow it below, this browser says once a month what its device can do; the server keeps counts, not who said it.",
        "Wenn Sie es unten erlauben, sagt dieser Browser einmal im Monat, was sein Gerät kann; der Server behält Anzahlen, nicht, wer es sagte.";
    ActUsageExported: "saved the usage as a table", "speicherte die Nutzung als Tabelle";
    ActUsageSettingsChanged: "changed whose use is shown", "änderte, wessen Nutzung gezeigt wird";

    // Models
    Models: "Models", "Modelle";
    ModelsLead: "Which language models this server has, and which it could fetch. People’s devices load them from here.",
        "Welche Sprachmodelle dieser Server hat und welche er holen könnte. Die Geräte laden sie von hier.";
    Machine: "This server", "Dieser Server";
    MachineCpu: "Processor", "Prozessor";
    MachineThreads: "{isa}, {n} of {all} cores", "{isa}, {n} von {all} Kernen";
    MachineGpu: "Graphics card", "Grafikkarte";
    MachineNoGpu: "none in use", "keine in Gebrauch";
    MachineMemory: "Memory", "Arbeitsspeicher";
    MachineOf: "{free} of {all} free", "{free} von {all} frei";
    MachineBudget: "For models", "Für Modelle";
    MachineDisk: "Free on the disk", "Frei auf dem Datenträger";
    MachineSpeed: "Memory’s speed", "Tempo des Speichers";
    MachinePlain: "This processor lacks AVX2: models answer very slowly here. Let them run on people’s devices.",
        "Diesem Prozessor fehlt AVX2: Modelle antworten hier sehr langsam. Lassen Sie sie auf den Geräten laufen.";
    MachineHint: "How fast a model answers is estimated: the measured speed of memory, of which models use about 60 percent, divided by the model’s size.",
        "Wie schnell ein Modell antwortet, ist geschätzt: das gemessene Tempo des Speichers, von dem Modelle etwa 60 Prozent nutzen, geteilt durch die Größe des Modells.";
    JobNow: "Work on models", "Arbeit an Modellen";
    JobPulling: "is being fetched", "wird geholt";
    JobAdding: "is arriving", "kommt an";
    JobChecking: "is being checked", "wird geprüft";
    JobConverting: "is being prepared for browsers", "wird für Browser vorbereitet";
    JobPulled: "is here and checked", "ist da und geprüft";
    JobAdded: "is added", "ist aufgenommen";
    JobVerified: "is as it should be", "ist, wie es sein soll";
    JobDamaged: "is damaged: fetch it again", "ist beschädigt: Holen Sie es noch einmal";
    JobFailed: "did not work", "hat nicht geklappt";
    JobCancelled: "was stopped; what had come is kept", "wurde angehalten; was schon da ist, bleibt";
    JobBytes: "{done} of {total}", "{done} von {total}";
    JobLeft: "about {time} left", "noch etwa {time}";
    JobStop: "Stop", "Anhalten";
    FirstModels: "What is used first", "Was zuerst genommen wird";
    FirstChat: "Model for chats", "Modell für Gespräche";
    FirstEmbedder: "Model for searching by meaning", "Modell für die Suche nach Bedeutung";
    FirstUsual: "as the catalogue has it", "wie im Katalog";
    FirstEmbedderFixed: "The server’s configuration says which one is used ([documents] embedder).",
        "Welches genommen wird, steht in der Konfiguration des Servers ([documents] embedder).";
    FirstEmbedderHint: "For the first collection. Collections that are there keep theirs.",
        "Für die erste Sammlung. Sammlungen, die es gibt, behalten ihres.";
    ModelsHere: "On this server", "Auf diesem Server";
    ModelsHereNone: "No model is here yet. Fetch one below: a small one that most devices can run is a good beginning.",
        "Noch ist kein Modell da. Holen Sie unten eines: Ein kleines, das die meisten Geräte ausführen können, ist ein guter Anfang.";
    ModelsMore: "Can be fetched", "Lassen sich holen";
    KindEmbedder: "for searching", "für die Suche";
    KindReranker: "for ranking", "zum Ordnen";
    ModelDamaged: "damaged", "beschädigt";
    ModelPart: "{bytes} are here", "{bytes} sind da";
    ModelLoaded: "in memory", "im Speicher";
    ModelFirst: "used first", "wird zuerst genommen";
    ModelSizes: "{size}, {memory} in memory", "{size}, im Speicher {memory}";
    ModelUnknownTerms: "terms unknown", "Bedingungen unbekannt";
    ModelServer: "Server", "Server";
    ModelDevices: "Devices", "Geräte";
    ModelRules: "Rules", "Regeln";
    ModelTerms: "Terms", "Bedingungen";
    ModelCollections: "Searches in", "Sucht in";
    ModelRulesSaid: "server: {server}; devices: {devices}", "Server: {server}; Geräte: {devices}";
    ModelForAll: "everybody", "alle";
    ModelForAllBut: "everybody but who is only in {groups}", "alle, außer wer nur in {groups} ist";
    ModelForGroups: "only {groups}", "nur {groups}";
    ModelForNobody: "nobody", "niemand";
    ModelTooLarge: "too large for this server’s memory", "zu groß für den Speicher dieses Servers";
    ModelTight: "only once other programs leave memory;", "erst wenn andere Programme Speicher freigeben;";
    ModelFits: "has room", "hat Platz";
    ModelFast: "faster than one reads (about {rate} tokens a second)", "schneller, als man liest (etwa {rate} Token je Sekunde)";
    ModelFluent: "as fast as one reads (about {rate} tokens a second)", "so schnell, wie man liest (etwa {rate} Token je Sekunde)";
    ModelSlow: "slow: one waits for words (about {rate} tokens a second)", "langsam: Man wartet auf Wörter (etwa {rate} Token je Sekunde)";
    ModelCrawls: "too slow to chat (about {rate} tokens a second)", "zu langsam für Gespräche (etwa {rate} Token je Sekunde)";
    ModelNotOnServer: "not made for servers", "nicht für Server gemacht";
    ModelOnMost: "most, phones too", "die meisten, auch Telefone";
    ModelOnLaptops: "laptops with 8 GB of memory or more", "Notebooks ab 8 GB Arbeitsspeicher";
    ModelOnStrong: "those with a good graphics card", "solche mit guter Grafikkarte";
    ModelOnNone: "none: too large for browsers", "keine: zu groß für Browser";
    TermsAccepted: "{licence}, accepted by {name} on {date}", "{licence}, bestätigt von {name} am {date}";
    TermsSomebody: "somebody who is not here any more", "jemand, der nicht mehr da ist";
    TermsNeeded: "{licence}: terms of its own, which somebody has to accept for the house",
        "{licence}: eigene Bedingungen, die jemand für das Haus bestätigen muss";
    TermsRead: "Read the terms", "Bedingungen lesen";
    TermsAccept: "I have read the terms of “{licence}” and accept them for the house.",
        "Ich habe die Bedingungen „{licence}“ gelesen und bestätige sie für das Haus.";
    Pull: "Fetch", "Holen";
    PullOn: "Go on", "Weiter holen";
    PullAgain: "Fetch again", "Noch einmal holen";
    PullModel: "Fetch {name}", "{name} holen";
    Verify: "Check", "Prüfen";
    VerifyModel: "Check {name}", "{name} prüfen";
    RemoveModel: "Remove {name}", "{name} entfernen";
    UploadModel: "A model of your own", "Ein eigenes Modell";
    UploadModelHint: "A GGUF file of an architecture that this server knows. Files that lie on the server already are added on its command line: portico models add FILE",
        "Eine GGUF-Datei mit einer Architektur, die dieser Server kennt. Dateien, die schon auf dem Server liegen, nimmt seine Befehlszeile auf: portico models add DATEI";
    ChooseModelFile: "Choose a file", "Datei wählen";
    ActModelPulled: "had a model fetched", "ließ ein Modell holen";
    ActModelVerified: "had a model checked", "ließ ein Modell prüfen";
    ActModelAdded: "added a model", "nahm ein Modell auf";
    ActModelRemoved: "removed a model", "entfernte ein Modell";
    ActLicenceAccepted: "accepted a model’s terms", "bestätigte die Bedingungen eines Modells";
    ActDefaultModels: "chose which models are used first", "wählte, welche Modelle zuerst genommen werden";

    // Adding servers of tools
    ActMcpAdded: "added a server of tools", "fügte einen Werkzeug-Server hinzu";
    ActMcpChanged: "changed a server of tools", "änderte einen Werkzeug-Server";
    ActMcpRemoved: "removed a server of tools", "entfernte einen Werkzeug-Server";
    ToolServerInConfig: "in the configuration", "in der Konfiguration";
    ToolServerOff: "switched off", "abgeschaltet";
    AddToolServer: "Add a server", "Server hinzufügen";
    AddToolServerHint: "One that speaks the Model Context Protocol over streamable HTTP. Programs that this server starts itself stand in its configuration.",
        "Einen, der das Model Context Protocol über Streamable HTTP spricht. Programme, die dieser Server selbst startet, stehen in seiner Konfiguration.";
    ToolServerId: "Short name (its tools are called name.tool)", "Kurzer Name (seine Werkzeuge heißen name.werkzeug)";
    ToolServerUrl: "Address", "Adresse";
    ToolServerGroups: "For these groups (empty: whoever is signed in)", "Für diese Gruppen (leer: alle Angemeldeten)";
    ToolServerAsks: "Asks before a call", "Fragt vor einem Aufruf";
    ToolServerAsksAs: "as the server’s tools do", "wie die anderen des Servers";
    ToolServerDenied: "not offered", "nicht angeboten";
    ToolServerPrivate: "It may lie on this server’s machine or in a private network", "Er darf auf dem Rechner dieses Servers oder in einem privaten Netz liegen";
    ToolServerOn: "Its tools are offered", "Seine Werkzeuge werden angeboten";
    ToolServerCallS: "Longest time of a call, in seconds", "Längste Zeit eines Aufrufs in Sekunden";
    ToolServerSecret: "Secrets", "Geheimnisse";
    ToolServerSecretHint: "Headers that are sent with each request. What stands here is never shown again.",
        "Kopfzeilen, die mit jeder Anfrage gesendet werden. Was hier steht, wird nie wieder gezeigt.";
    ToolServerHeader: "Header", "Kopfzeile";
    ToolServerValue: "Value", "Wert";
    ToolServerKept: "{name} is kept", "{name} ist hinterlegt";
    ToolServerLocked: "The house’s key is another one, and {names} can no longer be opened: enter it anew.",
        "Der Schlüssel des Hauses ist ein anderer, und {names} lässt sich nicht mehr öffnen: bitte neu eintragen.";
    ToolServerForget: "Forget {name}", "{name} vergessen";
    ToolServerForgetShort: "Forget", "Vergessen";
    ToolServerTools: "Its tools", "Seine Werkzeuge";
    EditServer: "Change “{name}”", "„{name}“ ändern";
    Edit: "Change", "Ändern";
    RemoveServer: "Remove “{name}”", "„{name}“ entfernen";

    // The first hour
    FirstHour: "The first hour", "Die erste Stunde";
    FirstHourLead: "{done} of {all} done. Each step knows by itself when it is done; what your house does without you put aside.",
        "{done} von {all} erledigt. Jeder Schritt weiß selbst, wann er erledigt ist; worauf Ihr Haus verzichtet, legen Sie beiseite.";
    FirstHourAll: "All is done. The house is ready.", "Alles ist erledigt. Das Haus ist bereit.";
    FirstHourHide: "Don’t show this any more", "Nicht mehr zeigen";
    StepDone: "done", "erledigt";
    StepOpen: "open", "offen";
    StepAside: "put aside", "beiseitegelegt";
    StepPutAside: "Put aside", "Beiseitelegen";
    StepPutAsideOf: "Put aside: {step}", "Beiseitelegen: {step}";
    StepTakeUp: "Take up again", "Wieder aufnehmen";
    StepTakeUpOf: "Take up again: {step}", "Wieder aufnehmen: {step}";
    StepAdmin: "Make the first administrator", "Die erste Verwaltung anlegen";
    StepAdminHint: "That is you.", "Das sind Sie.";
    StepModels: "Choose models for your devices", "Modelle für Ihre Geräte wählen";
    StepModelsHint: "Fetch one that most of the house’s devices can run.", "Holen Sie eines, das die meisten Geräte des Hauses ausführen können.";
    StepDocuments: "Add documents", "Dokumente hinzufügen";
    StepDocumentsHint: "Answers can then cite them.", "Antworten können sie dann belegen.";
    StepInvite: "Invite people", "Personen einladen";
    StepInviteHint: "With a link, which each opens once.", "Mit einem Link, den jede einmal öffnet.";
    StepSignIn: "Connect a sign-in service", "Einen Anmeldedienst anschließen";
    StepSignInHint: "Keycloak, Entra and the like; it stands in the server’s configuration.", "Keycloak, Entra und ähnliche; er steht in der Konfiguration des Servers.";
    StepLimits: "Set limits", "Grenzen setzen";
    StepLimitsHint: "What guests may, which models and how many tokens.", "Was Gäste dürfen, welche Modelle und wie viele Token.";
    StepBackup: "Back up", "Sichern";
    StepBackupHint: "On the server’s command line, best every night: portico backup --to DIR", "Auf der Befehlszeile des Servers, am besten jede Nacht: portico backup --to ORDNER";
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
