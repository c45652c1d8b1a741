//! Where does an address lead among these views? Secrets of links stand behind the `#`, so that no server
//! ever sees them.

use crate::place::Place;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// The code of why a sign-in service could not sign in.
    SignIn(Option<String>),
    /// An invitation, a new password, the first administrator: by its secret.
    Link(String),
    Account,
    /// One assistant by its id, or `new`; none: all that one may use.
    Assistants(Option<String>),
    /// One's own prompts, one's groups' and the house's.
    Prompts,
    /// A chat that is to be shared, by its id; none: what one shares.
    Share(Option<String>),
    /// A chat that somebody shares, by the share's id.
    Shared(String),
    /// For administrators.
    House(Place),
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
            "assistants" => Some(Self::Assistants(rest)),
            "prompts" => Some(Self::Prompts),
            "share" => Some(Self::Share(rest)),
            "shared" => rest.map(Self::Shared),
            "people" => Some(Self::House(Place::from_rest(&rest.unwrap_or_default()))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lead_to_views() {
        #[track_caller]
        fn check(hash: &str, expected: Option<Address>) {
            assert_eq!(Address::from_hash(hash), expected, "{hash}");
        }
        check("#/sign-in", Some(Address::SignIn(None)));
        check("#/sign-in/oidc_expired", Some(Address::SignIn(Some("oidc_expired".into()))));
        check("#/link/0a1b", Some(Address::Link("0a1b".into())));
        check("#/link", Some(Address::Link(String::new())));
        check("#/account", Some(Address::Account));
        check("#/assistants", Some(Address::Assistants(None)));
        check("#/assistants/new", Some(Address::Assistants(Some("new".into()))));
        check("#/prompts", Some(Address::Prompts));
        check("#/share/0193", Some(Address::Share(Some("0193".into()))));
        check("#/share", Some(Address::Share(None)));
        check("#/shared/0193", Some(Address::Shared("0193".into())));
        check("#/shared", None);
        check("#/people", Some(Address::House(Place::Everyone)));
        check("#/people/groups/a", Some(Address::House(Place::Group("a".into()))));
        for hash in ["", "#/", "#/documents", "#/peoplex", "people"] {
            check(hash, None);
        }
    }
}
