//! Every sentence of these views, English and German side by side. They come with the views' Wasm, so that
//! the first download does not carry them.

use portico_shared::error::Lang;

macro_rules! texts {
    ($($key:ident: $en:literal, $de:literal;)*) => {
        /// A sentence or a label.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Text { $($key,)* }

        impl Text {
            /// The sentence, with `{name}` where a value goes.
            pub fn get(self, lang: Lang) -> &'static str {
                match (self, lang) {
                    $((Self::$key, Lang::En) => $en, (Self::$key, Lang::De) => $de,)*
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
    Saved: "Saved.", "Gespeichert.";
    Copy: "Copy", "Kopieren";
    Copied: "Copied.", "Kopiert.";

    // Signing in
    SignIn: "Sign in", "Anmelden";
    SignOut: "Sign out", "Abmelden";
    SignedInAs: "You are signed in as {name}.", "Sie sind angemeldet als {name}.";
    Name: "Name", "Name";
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
    Devices: "Devices", "Geräte";
    ThisDevice: "this one", "dieses";
    LastSeen: "last used {date}", "zuletzt benutzt {date}";
    UnknownDevice: "Unknown browser", "Unbekannter Browser";
    EndSession: "Sign out {name}", "{name} abmelden";
    EndOthers: "Sign out all others", "Alle anderen abmelden";
    Keys: "API keys", "API-Schlüssel";
    KeysHint: "For programs that work in your name. They never may more than you.",
        "Für Programme, die in Ihrem Namen arbeiten. Sie dürfen nie mehr als Sie.";
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
    ChatsSync: "Chats are kept on the server, for your devices", "Gespräche liegen auf dem Server, für Ihre Geräte";
    ChatsStay: "Chats stay on this device", "Gespräche bleiben auf diesem Gerät";
    Retention: "Chats are deleted {n} days after their last use", "Gespräche werden {n} Tage nach ihrer letzten Benutzung gelöscht";
    Data: "Your data", "Ihre Daten";
    Leaves: "What you type on your own device stays there unless a chat is synced. Questions to the server go to the server, which keeps who asked which model when and with how many tokens, never what was said.",
        "Was Sie auf Ihrem Gerät schreiben, bleibt dort, solange ein Gespräch nicht synchronisiert wird. Fragen an den Server gehen an den Server; er hält fest, wer wann welches Modell mit wie vielen Token gefragt hat, nie was gesagt wurde.";
    Export: "Download all that is known of you", "Alles herunterladen, was über Sie bekannt ist";
    DeleteAccount: "Delete the account", "Konto löschen";
    DeleteWarning: "The account, its chats on the server, its keys and sessions are deleted for good. Documents in the house’s collections stay.",
        "Das Konto, seine Gespräche auf dem Server, seine Schlüssel und Sitzungen werden endgültig gelöscht. Dokumente in den Sammlungen des Hauses bleiben.";

    // Everyone
    People: "People", "Personen";
    Invite: "Invite somebody", "Jemanden einladen";
    InviteNote: "For whom (only you see it)", "Für wen (sehen nur Sie)";
    InviteGroups: "Groups, separated by commas", "Gruppen, durch Kommas getrennt";
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
}
