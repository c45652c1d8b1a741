//! Where does an address lead among these views? Secrets of links stand behind the `#`, so that no server
//! ever sees them.

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The code of why a sign-in service could not sign in.
    SignIn(Option<String>),
    /// An invitation, a new password, the first administrator: by its secret.
    Link(String),
    Account,
    /// For administrators.
    Everyone,
}

impl Address {
    pub fn from_hash(hash: &str) -> Option<Self> {
        let (view, rest) = match hash.strip_prefix("#/")?.split_once('/') {
            Some((view, rest)) => (view, Some(rest.to_owned()).filter(|rest| !rest.is_empty())),
            None => (hash.strip_prefix("#/")?, None),
        };
        match view {
            "sign-in" => Some(Self::SignIn(rest)),
            "link" => Some(Self::Link(rest.unwrap_or_default())),
            "account" => Some(Self::Account),
            "people" => Some(Self::Everyone),
            _ => None,
        }
    }
}
