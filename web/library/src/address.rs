//! Where does an address lead among the documents?

use uuid::Uuid;

/// The collection of documents that never leave the browser. No collection of a server has this name:
/// theirs hold no dot.
pub const ON_DEVICE: &str = "on.device";

/// A place among the documents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// All collections.
    Collections,
    /// One of them; [`ON_DEVICE`] is this browser's own.
    Collection(String),
    Document {
        id: Uuid,
        passage: Option<Uuid>,
    },
    Search(String),
}

impl Address {
    /// `#/documents/<id>/<passage>` → the place; none for addresses of other views.
    pub fn from_hash(hash: &str) -> Option<Self> {
        let path = hash.strip_prefix("#/")?;
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let asked = |name: &str| {
            let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(key, _)| *key == name).map(|(_, value)| decoded(value))
        };
        let mut parts = path.trim_end_matches('/').split('/');
        match parts.next()? {
            "search" => Some(Self::Search(asked("q").unwrap_or_default())),
            "documents" => match parts.next() {
                None => Some(asked("collection").map_or(Self::Collections, Self::Collection)),
                Some(id) => {
                    // An address that was cut short leads to where one can go on.
                    let Ok(id) = id.parse() else { return Some(Self::Collections) };
                    let passage = parts.next().and_then(|id| id.parse().ok());
                    Some(Self::Document { id, passage })
                }
            },
            _ => None,
        }
    }

    pub fn hash(&self) -> String {
        match self {
            Self::Collections => "#/documents".to_owned(),
            Self::Collection(id) => format!("#/documents?collection={}", encoded(id)),
            Self::Document { id, passage: None } => format!("#/documents/{id}"),
            Self::Document { id, passage: Some(passage) } => format!("#/documents/{id}/{passage}"),
            Self::Search(query) if query.is_empty() => "#/search".to_owned(),
            Self::Search(query) => format!("#/search?q={}", encoded(query)),
        }
    }

    /// Whether two places are the same but for what is typed into the search.
    pub fn is_same_view(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Search(_), Self::Search(_)) => true,
            _ => self == other,
        }
    }
}

/// As `encodeURIComponent` has it.
pub fn encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let mut ahead = rest.clone();
                let digits = (ahead.next(), ahead.next());
                let value = match digits {
                    (Some(a), Some(b)) => digit(a).zip(digit(b)).map(|(a, b)| a << 4 | b),
                    _ => None,
                };
                match value {
                    Some(value) => {
                        bytes.push(value);
                        rest = ahead;
                    }
                    None => bytes.push(b'%'),
                }
            }
            _ => bytes.push(byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn addresses_of_other_views_are_not_ours() {
        for hash in
            ["", "#/", "#/c/0192d2a1-0000-7000-8000-000000000000", "#/documentsx", "documents"]
        {
            assert_eq!(Address::from_hash(hash), None, "{hash}");
        }
    }

    #[test]
    fn broken_addresses_lead_to_where_one_can_go_on() {
        assert_eq!(Address::from_hash("#/documents/x"), Some(Address::Collections));
        assert_eq!(Address::from_hash("#/documents/"), Some(Address::Collections));
        assert_eq!(Address::from_hash("#/search?q=%zz%4"), Some(Address::Search("%zz%4".into())));
    }

    proptest! {
        #[test]
        fn addresses_lead_back(text in ".*", id: u128, passage: Option<u128>) {
            let id = Uuid::from_u128(id);
            let passage = passage.map(Uuid::from_u128);
            for address in [
                Address::Collections,
                Address::Collection(text.clone()),
                Address::Document { id, passage },
                Address::Search(text.clone()),
            ] {
                prop_assert_eq!(Address::from_hash(&address.hash()), Some(address));
            }
        }
    }
}
