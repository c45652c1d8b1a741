//! For what was an API key made?

use axum::http::Method;
use serde::{Deserialize, Serialize};

/// What a key may be used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Scope {
    /// Chats, completions, what their answers may call, and which models there are.
    Chat,
    /// Vectors and ranking.
    Embeddings,
    /// Reading and searching documents.
    DocumentsRead,
    /// Adding, changing and deleting them.
    DocumentsWrite,
    /// The person's own chats, with what is attached to them.
    Sync,
    /// People, groups, rules and the audit log: never among all, only by name.
    People,
}

impl Scope {
    pub const ALL: [Self; 6] = [
        Self::Chat,
        Self::Embeddings,
        Self::DocumentsRead,
        Self::DocumentsWrite,
        Self::Sync,
        Self::People,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Embeddings => "embeddings",
            Self::DocumentsRead => "documents-read",
            Self::DocumentsWrite => "documents-write",
            Self::Sync => "sync",
            Self::People => "people",
        }
    }

    /// What a request needs; none is needed for what tells a key about itself and for the metrics.
    pub fn of_request(method: &Method, path: &str) -> Option<Self> {
        let begins = |beginnings: &[&str]| {
            beginnings.iter().any(|beginning| {
                path.strip_prefix(beginning)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        if begins(&["/metrics"]) {
            return None;
        }
        if begins(&["/v1/embeddings", "/v1/rerank"]) {
            return Some(Self::Embeddings);
        }
        if begins(&["/v1", "/tokenize", "/detokenize", "/openapi.json", "/api/tools"]) {
            return Some(Self::Chat);
        }
        if begins(&["/api/prompts"]) && method.is_safe()
            || path == "/api/announcements" && method.is_safe()
        {
            return Some(Self::Chat);
        }
        // What an assistant is to be, people say; a key uses it.
        if begins(&["/api/assistants"]) && method.is_safe() {
            return Some(Self::Chat);
        }
        if begins(&["/api/sync", "/api/attachments"]) {
            return Some(Self::Sync);
        }
        if begins(&["/api/collections", "/api/documents", "/api/jobs", "/api/search"]) {
            let is_read = method.is_safe() || path == "/api/search";
            return Some(if is_read { Self::DocumentsRead } else { Self::DocumentsWrite });
        }
        if path == "/api/session" && method.is_safe() {
            return None;
        }
        // What is not known here is not for keys that were made for something else.
        Some(Self::People)
    }

    /// Whether a key with these scopes has this one; none are all but those that must be named.
    pub fn is_in(self, scopes: Option<&[Self]>) -> bool {
        match scopes {
            Some(scopes) => scopes.contains(&self),
            None => self != Self::People,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_needs_one_scope() {
        #[track_caller]
        fn check(method: Method, path: &str, expected: Option<Scope>) {
            assert_eq!(Scope::of_request(&method, path), expected, "{method} {path}");
        }
        check(Method::POST, "/v1/chat/completions", Some(Scope::Chat));
        check(Method::POST, "/v1/embeddings", Some(Scope::Embeddings));
        check(Method::POST, "/v1/embeddingsx", Some(Scope::Chat));
        check(Method::POST, "/api/search", Some(Scope::DocumentsRead));
        check(Method::GET, "/api/collections/a", Some(Scope::DocumentsRead));
        check(Method::DELETE, "/api/documents/a", Some(Scope::DocumentsWrite));
        check(Method::POST, "/api/sync/push", Some(Scope::Sync));
        check(Method::POST, "/api/attachments", Some(Scope::Sync));
        check(Method::POST, "/api/tools/a.b/call", Some(Scope::Chat));
        check(Method::GET, "/api/assistants/a", Some(Scope::Chat));
        check(Method::PUT, "/api/assistants/a", Some(Scope::People));
        check(Method::GET, "/api/prompts", Some(Scope::Chat));
        check(Method::PUT, "/api/prompts/a", Some(Scope::People));
        check(Method::GET, "/api/announcements", Some(Scope::Chat));
        check(Method::GET, "/api/announcements/all", Some(Scope::People));
        check(Method::GET, "/api/mcp", Some(Scope::People));
        check(Method::GET, "/api/people", Some(Scope::People));
        check(Method::POST, "/api/something/new", Some(Scope::People));
        check(Method::GET, "/api/session", None);
        assert!(!Scope::People.is_in(None));
        assert!(Scope::Chat.is_in(None));
        assert!(!Scope::Chat.is_in(Some(&[Scope::Sync])));
    }
}
