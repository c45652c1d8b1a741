//! What is a conversation called before its owner names it? And where does an address lead?

use uuid::Uuid;

use crate::i18n::Text;

/// Longest title made from a message, in characters.
const MAX_CHARS: usize = 48;

/// A title from the first message: its first line, cut between words.
pub fn title_from_message(text: &str) -> String {
    let line = text.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let line = line.trim_start_matches(['#', '>', '-', '*', ' ']);
    if line.chars().count() <= MAX_CHARS {
        return line.to_owned();
    }
    let cut: String = line.chars().take(MAX_CHARS).collect();
    // A word in half reads worse than a short title, unless it is one long word.
    let end = cut.rfind(char::is_whitespace).filter(|&at| at >= MAX_CHARS / 2);
    format!("{}…", cut[..end.unwrap_or(cut.len())].trim_end())
}

/// `#/c/<id>` → the conversation.
pub fn conversation_from_hash(hash: &str) -> Option<Uuid> {
    Uuid::try_parse(hash.strip_prefix("#/c/")?).ok()
}

/// Whether an address leads to the documents and their search.
pub fn is_library(hash: &str) -> bool {
    ["#/documents", "#/search"].iter().any(|view| {
        hash.strip_prefix(view).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
    })
}

/// What stands over the views that are for who is signed in, or will be; none: another address.
pub fn people_title(hash: &str) -> Option<Text> {
    let views = [
        ("#/sign-in", Text::SignIn),
        ("#/link", Text::Account),
        ("#/account", Text::Account),
        ("#/people", Text::Administration),
        ("#/prompts", Text::Prompts),
        ("#/assistants", Text::Assistants),
        ("#/share", Text::Share),
        ("#/shared", Text::SharedChat),
    ];
    let leads_there = |view: &str| {
        hash.strip_prefix(view).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    views.into_iter().find(|(view, _)| leads_there(view)).map(|(_, title)| title)
}

/// The address of a conversation; of none: of a new one.
pub fn hash_from_conversation(id: Option<Uuid>) -> String {
    id.map_or_else(|| "#/".to_owned(), |id| format!("#/c/{id}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_short_and_end_between_words() {
        assert_eq!(title_from_message("\n  # Hello there\nmore"), "Hello there");
        assert_eq!(
            title_from_message("Bitte erkläre mir ausführlich, wie die Photosynthese funktioniert"),
            "Bitte erkläre mir ausführlich, wie die…"
        );
        assert_eq!(title_from_message(&"ä".repeat(100)).chars().count(), MAX_CHARS + 1);
        assert_eq!(title_from_message(" \n"), "");
    }

    #[test]
    fn addresses_lead_back() {
        let id = Uuid::from_u128(7);
        assert_eq!(conversation_from_hash(&hash_from_conversation(Some(id))), Some(id));
        assert_eq!(conversation_from_hash(&hash_from_conversation(None)), None);
        assert_eq!(conversation_from_hash("#/c/../x"), None);
        for hash in ["#/documents", "#/documents/x/y", "#/search?q=a", "#/search"] {
            assert!(is_library(hash) && conversation_from_hash(hash).is_none(), "{hash}");
        }
        for hash in ["#/sign-in", "#/sign-in/oidc_expired", "#/link/x", "#/account", "#/people"] {
            assert!(people_title(hash).is_some() && !is_library(hash), "{hash}");
        }
        for hash in ["#/people-x", "#/documents", "#/"] {
            assert_eq!(people_title(hash), None, "{hash}");
        }
        assert_eq!(people_title("#/people/groups"), Some(Text::Administration));
        assert!(!is_library("#/documentsx") && !is_library("#/") && !is_library("#/c/documents"));
    }
}
